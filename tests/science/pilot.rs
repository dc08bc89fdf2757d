//! The pilot twin answers as it did when it was trained, and has learned what it should.

use std::path::Path;
use std::sync::Arc;

use twinscope::experiment::protocol::{Steps, Values};
use twinscope::experiment::{self, Protocol};
use twinscope::gpu::ComputeDevice;
use twinscope::job::Progress;
use twinscope::model::twin::{Twin, TwinError, TwinOptions};
use twinscope::signals::{Behavior, Monitor, Movie, Raster, SourceError};
use twinscope::stimulus::{self, Schedule};

use crate::fixture::{Fixture, assert_near, pilot};
use crate::gpu::gpu_for_minutes;

fn pairs(values: &[f32]) -> Vec<[f32; 2]> {
    values.as_chunks().0.to_vec()
}

#[test]
fn the_pilot_twin_gives_the_responses_it_was_trained_to() {
    let fixture = Fixture::load("pilot/pilot_expected.safetensors");
    let twin = Twin::open(Arc::new(pilot()), &ComputeDevice::Cpu, TwinOptions::default()).expect("opens");
    for movie in ["gabors", "rdk"] {
        let get = |part: &str| fixture.get(&format!("{movie}.{part}"));
        let raster = Raster { height: 36, width: 64 };
        let mut source = Movie::new(raster, 60, 1, get("movie").u8()).expect("60 frames");
        let behavior =
            Behavior::new(60, 1, pairs(&get("gaze").f32()), pairs(&get("behavior").f32())).expect("60 frames");
        let mut responses = Vec::new();
        twin.rollout::<TwinError>(&mut source, Some(&behavior), 7, &Progress::new(), &mut |_, rows| {
            responses.extend_from_slice(rows);
            Ok(())
        })
        .expect("the movie is shown");
        // The two executions that made the reference differ by 1.5e-6.
        assert_near(movie, &responses, &get("response").values, 1e-5);
    }
}

#[test]
fn direction_tuning_of_the_pilot_twin_finds_the_preferred_directions_of_its_mouse() {
    let truth = Fixture::load("pilot/pilot_expected.safetensors");
    let truth = &truth.get("truth.preferred_direction_deg").values;
    let text = include_str!("../../assets/protocols/direction_grating.toml");
    let mut protocol = Protocol::from_toml(text, "direction_grating.toml").expect("a preset");
    protocol.repeats.count = 1; // a grating is the same in every repeat
    let mut twin = Twin::open(Arc::new(pilot()), &ComputeDevice::Cpu, TwinOptions::default()).expect("opens");
    let outcome = experiment::run(
        &protocol,
        &mut twin,
        None,
        &mut |schedule, monitor| {
            stimulus::source(schedule, monitor, Path::new(""), &ComputeDevice::Cpu)
                .map_err(|error| SourceError::new(error.to_string()))
        },
        &Progress::new(),
        &mut |_| (),
    )
    .expect("the protocol runs");
    assert!(outcome.provenance.notice().contains("simulated mouse"));
    let tuning = outcome.tuning.expect("directions were swept");
    let mut errors: Vec<f64> = tuning
        .units
        .iter()
        .zip(truth)
        .filter(|(unit, _)| unit.global_dsi.is_some_and(|dsi| dsi > 0.2))
        .map(|(unit, truth)| {
            let found = f64::from(unit.preferred_direction_deg.expect("a selective unit prefers a direction"));
            ((found - truth + 180.0).rem_euclid(360.0) - 180.0).abs()
        })
        .collect();
    errors.sort_by(f64::total_cmp);
    // About half of the simulated units are direction selective.
    assert!(errors.len() >= 50, "only {} selective units", errors.len());
    let median = errors[errors.len() / 2];
    assert!(median <= 10.0, "median error {median} degrees over {} units", errors.len());
}

#[test]
fn on_the_gpu_the_movie_goes_from_the_shader_into_the_network_and_the_answer_is_that_of_the_cpu() {
    let Some(gpu) = gpu_for_minutes() else { return };
    let text = include_str!("../../assets/protocols/direction_dots.toml");
    let mut protocol = Protocol::from_toml(text, "direction_dots.toml").expect("a preset");
    protocol.sweep.set("direction_deg", Values::Steps(Steps { start: 0.0, step: 90.0, count: 2 }));
    (protocol.timing.stimulus_secs, protocol.timing.blank_secs, protocol.repeats.count) = (0.5, 0.1, 1);
    let answer = |device: &ComputeDevice| {
        let mut twin = Twin::open(Arc::new(pilot()), device, TwinOptions::default()).expect("opens");
        let mut draw = |schedule: &Schedule, monitor: &Monitor| {
            let mut source = stimulus::source(schedule, monitor, Path::new(""), device).expect("dots");
            assert_eq!(source.on_device(0, 1).is_some(), device.gpu().is_some());
            Ok(source)
        };
        experiment::run(&protocol, &mut twin, None, &mut draw, &Progress::new(), &mut |_| ())
            .expect("the protocol runs")
    };
    let (cpu, gpu) = (answer(&ComputeDevice::Cpu), answer(&ComputeDevice::Gpu(gpu)));
    let expected: Vec<f64> = cpu.responses.values().iter().map(|&v| f64::from(v)).collect();
    // The retina is sampled in single precision on the GPU; near black its power law magnifies the rounding.
    assert_near("responses", gpu.responses.values(), &expected, 2e-4);
}
