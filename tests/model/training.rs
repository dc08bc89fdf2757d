//! Objective, optimizer and schedule held against reference numbers.

use burn::tensor::Device;
use twinscope::model::twin::Periphery;
use twinscope::model::twin::network::{Draws, Network, Run};
use twinscope::signals::{Behavior, Movie, Raster, Responses};
use twinscope::training::{Clip, CosineLr, Objective, ObjectiveError, Seeds, SgdClip, SgdClipConfig};

use super::twin::{Inputs, Report, notes, tiny, tiny_config, tiny_state};
use crate::fixture::Fixture;
use crate::gpu::gpu_for_minutes;

/// All streams, two frames of burn-in: the objective of the fixtures.
const OBJECTIVE: Objective = Objective { burnin_frames: 2, sample_stream: false };

fn clip(fixture: &str) -> Clip {
    let Inputs { movie, behavior, target } = Inputs::of(&Fixture::load(fixture));
    Clip::new(movie, behavior, target).expect("parts of one recording")
}

/// Four steps of the optimizer: one stream, the other, and all streams twice.
fn four_steps(device: &Device) {
    let notes = notes();
    let notes = &notes["sgdclip"];
    let fixture = Fixture::load("twin/tiny_public_sgd.safetensors");
    let clip = clip("twin/tiny_public_n2.safetensors");
    let mut network = tiny(&device.clone().autodiff());
    let mut optimizer = SgdClip::new(SgdClipConfig::default(), network.config(), network.units());
    let mut report = Report::default();
    for step in 0..4 {
        let stream = notes["streams"][step].as_u64().map(|stream| stream as usize);
        let run = Run { samples: 2, stream, training: None };
        let objective = OBJECTIVE.of(&network, &clip, &run).expect("a clip for this network");
        let value = Objective::read(&objective).expect("a finite objective");
        let expected = notes["objectives"][step].as_f64().expect("a number");
        report.near("objective", &format!("objective {step}"), &[value], &[expected], 1e-5);
        network = optimizer.step(network, &objective.backward(), 0.1);
        let state = network.to_state_dict().expect("the device answers");
        for key in fixture.keys() {
            let Some(key) = key.strip_prefix(&format!("after_step{step}.")) else { continue };
            let Some(found) = state.tensors.get(key) else { continue };
            let expected = &fixture.get(&format!("after_step{step}.{key}")).values;
            // Absolute, as a step is at most a hundredth of a parameter's length. The gradients of the perspective in
            // the f32 reference are off by 1e-4, and four steps add up.
            let largest = expected.iter().fold(0.0f64, |m, v| m.max(v.abs())).max(f64::MIN_POSITIVE);
            let tolerance = if key.starts_with("perspective.") { 2e-4 } else { 1e-5 } / largest;
            report.near(&format!("parameters after step {step}, relative"), key, &found.values, expected, tolerance);
        }
    }
    report.finish(&format!("four steps, {device:?}"));
}

#[test]
fn four_steps_of_the_optimizer_agree_with_the_reference() {
    four_steps(&Device::flex());
}

#[test]
fn four_steps_of_the_optimizer_agree_with_the_reference_on_the_gpu() {
    let Some(gpu) = gpu_for_minutes() else { return };
    let device = gpu.burn.clone();
    four_steps(&device);
}

#[test]
fn a_silent_stream_keeps_its_parameters() {
    let clip = clip("twin/tiny_public_n2.safetensors");
    let network = tiny(&Device::flex().autodiff());
    let before = network.to_state_dict().expect("read");
    let mut optimizer = SgdClip::new(SgdClipConfig::default(), network.config(), network.units());
    let run = Run { samples: 2, stream: Some(1), training: Some(Draws::from_seed(3, 2, 4)) };
    let objective = OBJECTIVE.of(&network, &clip, &run).expect("a clip for this network");
    let network = optimizer.step(network, &objective.backward(), 0.1);
    for (key, tensor) in &network.to_state_dict().expect("read").tensors {
        let silent = key.ends_with(".0") && !key.starts_with("perspective.");
        let changed = *tensor != before.tensors[key];
        let constant = ["monitor_pixel", "mask", "zero", "grid"].iter().any(|part| key.contains(part));
        assert_eq!(changed, !silent && !constant, "{key}");
        assert_eq!(optimizer.momenta().contains_key(key), changed, "{key}");
    }
}

#[test]
fn training_lowers_the_objective_of_one_clip() {
    let clip = clip("twin/tiny_public_n2.safetensors");
    let mut network = tiny(&Device::flex().autodiff());
    let mut optimizer = SgdClip::new(SgdClipConfig::default(), network.config(), network.units());
    let value = |network: &Network| {
        let objective = OBJECTIVE.of(network, &clip, &Run::inference(2)).expect("a clip for this network");
        (Objective::read(&objective).expect("finite"), objective)
    };
    let (before, mut objective) = value(&network);
    for _ in 0..5 {
        network = optimizer.step(network, &objective.backward(), 0.1);
        objective = value(&network).1;
    }
    let after = Objective::read(&objective).expect("finite");
    assert!(after < before - 0.1, "from {before} to {after}");
}

#[test]
fn an_objective_that_is_not_a_number_is_an_error() {
    let config = tiny_config(Periphery::Dark);
    let mut state = tiny_state();
    state.tensors.get_mut("readout.biases.1").expect("there").values[2] = f32::NAN;
    let network = Network::new(&config, &state, 4, &Device::flex()).expect("NaN is a number to a file");
    let clip = clip("twin/tiny_public_n2.safetensors");
    let objective = OBJECTIVE.of(&network, &clip, &Run::inference(2)).expect("a clip for this network");
    let error = Objective::read(&objective).expect_err("NaN");
    assert!(matches!(error, ObjectiveError::NotFinite(value) if value.is_nan()), "{error}");
}

#[test]
fn clips_that_do_not_fit_are_refused() {
    let network = tiny(&Device::flex());
    let clip = clip("twin/tiny_public_n2.safetensors");
    let late = Objective { burnin_frames: 8, ..OBJECTIVE };
    let error = late.of(&network, &clip, &Run::inference(2)).expect_err("nothing left");
    assert!(matches!(error, ObjectiveError::TooShort { frames: 8, burnin: 8 }), "{error}");
    let raster = Raster { height: 36, width: 64 };
    let movie = Movie::new(raster, 3, 1, vec![0; 3 * raster.pixels()]).expect("black");
    let responses = |units: usize| Responses::new(3, 1, units, vec![1.0; 3 * units]).expect("a value each");
    let five = Clip::new(movie.clone(), Behavior::still(3, 1), responses(5)).expect("one recording");
    let error = OBJECTIVE.of(&network, &five, &Run::inference(1)).expect_err("five units");
    assert!(matches!(error, ObjectiveError::Units { found: 5, expected: 4 }), "{error}");
    let error = Clip::new(movie, Behavior::still(4, 1), responses(4)).expect_err("four frames of behaviour");
    assert!(error.to_string().contains("4 frames"), "{error}");
}

#[test]
fn every_stream_is_sampled_equally_often() {
    let objective = Objective { burnin_frames: 10, sample_stream: true };
    let mut counts = [0; 4];
    for seed in 0..4000 {
        counts[objective.stream(seed, 4).expect("a stream")] += 1;
    }
    // Binomial with standard deviation 27; five of them.
    assert!(counts.iter().all(|&count: &i32| (count - 1000).abs() < 140), "{counts:?}");
    assert_eq!(OBJECTIVE.stream(7, 4), None);
    assert_eq!(objective.stream(7, 4), objective.stream(7, 4));
}

#[test]
fn the_learning_rate_warms_up_and_follows_a_cosine() {
    let schedule = CosineLr { lr: 0.1, cycle_size: 100, warmup_epochs: 10, warmup_cycles: 1 };
    let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found}, not {expected}");
    near(schedule.at(0, 0), 0.1 * 0.05);
    near(schedule.at(9, 0), 0.1 * 0.95);
    near(schedule.at(10, 0), 0.1);
    near(schedule.at(55, 0), 0.05);
    near(schedule.at(99, 0), 0.1 * ((std::f64::consts::PI * 89.0 / 90.0).cos() + 1.0) / 2.0);
    near(schedule.at(0, 1), 0.1);
    near(schedule.at(50, 1), 0.05);
    let seeds = Seeds { seed: 5, rank: 1, world: 3 };
    assert_eq!(seeds.at(7, 2, 100), 5 + 1 + 3 * 207);
    assert_eq!(Seeds::single(u64::MAX).at(1, 0, 100), 0, "a whole u64, wrapping");
}
