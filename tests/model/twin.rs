//! The reference twins, shared by the tests of the network and of the training.

use std::collections::{BTreeMap, BTreeSet};

use burn::tensor::{Device, Tensor, TensorData};
use twinscope::model::twin::network::{Frame, Network, Probe, Run};
use twinscope::model::twin::{Periphery, TwinConfig};
use twinscope::model::weights::{NamedTensor, StateDict};
use twinscope::signals::{Behavior, Movie, Raster, Responses};

use crate::fixture::{Fixture, deviation, path};

/// Sizes of the tiny reference network.
pub fn tiny_config(periphery: Periphery) -> TwinConfig {
    let text = std::fs::read_to_string(path("twin/twin-tiny.toml")).expect("the fixture is there");
    TwinConfig { periphery, ..TwinConfig::from_toml(&text).expect("a valid configuration") }
}

/// Weights of the tiny reference network.
pub fn tiny_state() -> StateDict {
    state_of(&Fixture::load("twin/tiny_public_state.safetensors"), "")
}

/// All tensors whose key begins with a prefix, without it.
pub fn state_of(fixture: &Fixture, prefix: &str) -> StateDict {
    let tensor = |key: &str| {
        let found = fixture.get(key);
        NamedTensor { shape: found.shape.clone(), values: found.f32() }
    };
    let keys = fixture.keys().filter_map(|key| Some((key.strip_prefix(prefix)?, key)));
    StateDict { tensors: keys.map(|(short, key)| (short.to_owned(), tensor(key))).collect() }
}

/// The tiny reference network with its four units.
pub fn tiny(device: &Device) -> Network {
    Network::new(&tiny_config(Periphery::Dark), &tiny_state(), 4, device).expect("the fixture fits")
}

/// Notes beside the fixtures.
pub fn notes() -> serde_json::Value {
    let text = std::fs::read_to_string(path("twin/tiny_public_meta.json")).expect("the fixture is there");
    serde_json::from_str(&text).expect("valid JSON")
}

/// Inputs of a reference run.
pub struct Inputs {
    pub movie: Movie,
    pub behavior: Behavior,
    pub target: Responses,
}

impl Inputs {
    /// The entries `in.*` of a fixture.
    pub fn of(fixture: &Fixture) -> Self {
        let video = fixture.get("in.video");
        let [frames, samples, height, width, _] = video.shape[..] else { panic!("a video has five axes") };
        let pairs = |key: &str| fixture.get(key).f32().as_chunks().0.to_vec();
        let target = fixture.get("in.target");
        Self {
            movie: Movie::new(Raster { height, width }, frames, samples, video.u8()).expect("a whole video"),
            behavior: Behavior::new(frames, samples, pairs("in.perspective"), pairs("in.modulation"))
                .expect("a pair for each frame and sample"),
            target: Responses::new(frames, samples, target.shape[2], target.f32()).expect("a target for each unit"),
        }
    }

    /// One sample alone.
    pub fn member(&self, sample: usize) -> Self {
        let (frames, units) = (self.movie.frames(), self.target.units());
        let pixels = self.movie.raster().pixels();
        let part = |time: usize| &self.movie.frame(time)[sample * pixels..(sample + 1) * pixels];
        let grey = (0..frames).flat_map(part).copied().collect();
        let gaze = (0..frames).map(|time| self.behavior.gaze(time)[sample]).collect();
        let state = (0..frames).map(|time| self.behavior.state(time)[sample]).collect();
        let target = (0..frames).flat_map(|time| self.target.row(time, sample)).copied().collect();
        Self {
            movie: Movie::new(self.movie.raster(), frames, 1, grey).expect("one sample"),
            behavior: Behavior::new(frames, 1, gaze, state).expect("one sample"),
            target: Responses::new(frames, 1, units, target).expect("one sample"),
        }
    }

    /// One frame of the first samples.
    pub fn frame(&self, time: usize, samples: usize, device: &Device) -> Frame {
        let raster = self.movie.raster();
        let grey = &self.movie.frame(time)[..samples * raster.pixels()];
        let behavior = &self.behavior;
        Frame::new(raster, grey, &behavior.gaze(time)[..samples], &behavior.state(time)[..samples], device)
    }

    /// Responses to one frame of the first samples, `[sample, unit]`.
    pub fn target(&self, time: usize, samples: usize, device: &Device) -> Tensor<2> {
        let units = self.target.units();
        let values = (0..samples).flat_map(|n| self.target.row(time, n).to_vec()).collect();
        Tensor::from_data(TensorData::new(values, [samples, units]), device)
    }
}

/// Everything a run showed, by name, `[frame, ...]`.
pub struct Rollout {
    pub values: BTreeMap<String, Vec<f32>>,
    /// Sum of the losses, differentiable.
    pub loss: Tensor<1>,
}

/// Shows the first frames to the first samples; records stages, and with a probe every layer.
pub fn rollout(network: &Network, inputs: &Inputs, run: &Run, frames: usize, probe: Probe) -> Rollout {
    thinned_rollout(network, inputs, run, frames, probe, 1)
}

/// The same, with only every so many numbers of each layer: all of the published size would fill a gigabyte.
pub fn thinned_rollout(
    network: &Network,
    inputs: &Inputs,
    run: &Run,
    frames: usize,
    mut probe: Probe,
    every: usize,
) -> Rollout {
    let device = network.device();
    let mut state = network.start(run);
    let mut values: BTreeMap<String, Vec<f32>> = BTreeMap::new();
    let mut add = |name: String, tensor: Tensor<1>, every: usize| {
        let new = tensor.try_into_vec_as::<f32>().expect("the device answers");
        values.entry(name).or_default().extend(new.into_iter().step_by(every));
    };
    fn flat<const D: usize>(tensor: &Tensor<D>) -> Tensor<1> {
        tensor.clone().reshape([-1])
    }
    let mut sum: Option<Tensor<1>> = None;
    for time in 0..frames {
        let stages = network.step_probed(&mut state, inputs.frame(time, run.samples, &device), &mut probe);
        let loss = stages.response.clone() - stages.raw.clone() * inputs.target(time, run.samples, &device);
        for (name, tensor) in [
            ("perspective", flat(&stages.perspective)),
            ("modulation", flat(&stages.modulation)),
            ("feedforward", flat(&stages.feedforward)),
            ("recurrent", flat(&stages.recurrent)),
            ("readout", flat(&stages.readout)),
            ("raw", flat(&stages.raw)),
            ("response", flat(&stages.response)),
            ("loss", flat(&loss)),
        ] {
            add(format!("stage.{name}"), tensor, 1);
        }
        for (name, tensor) in probe.records() {
            let name = match name {
                "perspective.rmat" | "perspective.monitor_grid" => name.replace("perspective.", "stage."),
                _ => match name.strip_suffix(".input") {
                    Some(name) => format!("input.{name}"),
                    None => format!("layer.{name}"),
                },
            };
            add(name, tensor.clone(), every);
        }
        let ((h, c), (mod_h, mod_c)) = (state.recurrent(), state.modulation());
        for (name, tensor) in [("h", h), ("c", c), ("mod_h", mod_h), ("mod_c", mod_c)] {
            add(format!("state.{name}"), flat(&tensor), every);
        }
        let loss = loss.sum();
        sum = Some(match sum {
            Some(sum) => sum + loss,
            None => loss,
        });
    }
    Rollout { values, loss: sum.expect("at least one frame") }
}

/// Holds numbers against references; fails at the end with everything that is off.
#[derive(Default)]
pub struct Report {
    worst: BTreeMap<String, (f64, String)>,
    wrong: Vec<String>,
}

impl Report {
    /// Compares one tensor; `kind` groups the printed summary.
    pub fn near(&mut self, kind: &str, name: &str, actual: &[f32], expected: &[f64], tolerance: f64) {
        let (e, index) = deviation(actual, expected);
        let worst = self.worst.entry(kind.to_owned()).or_insert((-1.0, String::new()));
        if e > worst.0 {
            *worst = (e, name.to_owned());
        }
        if e > tolerance {
            let (found, wanted) = (actual[index], expected[index]);
            self.wrong.push(format!("{name}: {e:.2e} > {tolerance:.0e} at {index}: found {found}, expected {wanted}"));
        }
    }

    /// Compares sets of names.
    pub fn same_names(&mut self, what: &str, actual: BTreeSet<String>, expected: BTreeSet<String>) {
        for name in actual.symmetric_difference(&expected) {
            self.wrong.push(format!("{what}: `{name}` is on one side only"));
        }
    }

    /// Prints the largest deviations and fails if any was too large.
    #[track_caller]
    pub fn finish(self, title: &str) {
        for (kind, (e, name)) in &self.worst {
            eprintln!("{title}: {kind}: largest deviation {e:.1e} ({name})");
        }
        assert!(self.wrong.is_empty(), "{title}:\n{}", self.wrong.join("\n"));
    }
}
