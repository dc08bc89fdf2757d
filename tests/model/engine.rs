//! The CPU engine against the published network's reference outputs, and the laws it promises to keep.

use std::collections::BTreeMap;
use std::sync::Arc;

use twinscope::gpu::ComputeDevice;
use twinscope::model::twin::engine::{Engine, EngineError, EngineState, Kernel, Stages};
use twinscope::model::twin::parameters::{Init, entries};
use twinscope::model::twin::{Periphery, Twin, TwinConfig, TwinOptions, TwinState};
use twinscope::model::weights::{self, NamedTensor, StateDict};
use twinscope::signals::{Behavior, Movie, Raster};

use crate::fixture::{Fixture, Reference, assert_near, deviation};

const TINY_UNITS: usize = 4;
const TINY_RASTER: Raster = Raster { height: 36, width: 64 };

fn tiny_config() -> TwinConfig {
    let path = crate::fixture::path("twin/twin-tiny.toml");
    TwinConfig::from_toml(&std::fs::read_to_string(path).expect("the fixture exists")).expect("a valid configuration")
}

fn tiny_state() -> StateDict {
    let fixture = Fixture::load("twin/tiny_public_state.safetensors");
    let tensor = |key: &str| {
        let Reference { shape, .. } = fixture.get(key);
        (key.to_owned(), NamedTensor { shape: shape.clone(), values: fixture.get(key).f32() })
    };
    StateDict { tensors: fixture.keys().map(tensor).collect() }
}

/// A movie with its behaviour: what a fixture holds under `in.`.
struct Input {
    raster: Raster,
    frames: usize,
    samples: usize,
    video: Vec<u8>,
    gaze: Vec<[f32; 2]>,
    behavior: Vec<[f32; 2]>,
}

impl Input {
    fn load(fixture: &Fixture) -> Self {
        let video = fixture.get("in.video");
        let pairs = |key: &str| fixture.get(key).f32().as_chunks().0.to_vec();
        Self {
            raster: Raster { height: video.shape[2], width: video.shape[3] },
            frames: video.shape[0],
            samples: video.shape[1],
            video: video.u8(),
            gaze: pairs("in.perspective"),
            behavior: pairs("in.modulation"),
        }
    }

    /// Only one of the movies.
    fn only(&self, sample: usize) -> Self {
        let pick = |values: &[[f32; 2]]| values.iter().skip(sample).step_by(self.samples).copied().collect();
        let frames = self.video.chunks_exact(self.raster.pixels()).skip(sample).step_by(self.samples);
        Self {
            samples: 1,
            video: frames.flatten().copied().collect(),
            gaze: pick(&self.gaze),
            behavior: pick(&self.behavior),
            ..*self
        }
    }

    fn frame(&self, time: usize) -> (&[u8], &[[f32; 2]], &[[f32; 2]]) {
        let (n, size) = (self.samples, self.samples * self.raster.pixels());
        (
            &self.video[time * size..(time + 1) * size],
            &self.gaze[time * n..(time + 1) * n],
            &self.behavior[time * n..(time + 1) * n],
        )
    }

    fn step(&self, engine: &Engine, state: &mut EngineState, time: usize) -> Vec<f32> {
        let mut response = vec![0.0; self.samples * engine.units()];
        let (frame, gaze, behavior) = self.frame(time);
        engine.step(state, self.raster, frame, gaze, behavior, &mut response);
        response
    }

    /// Responses `[time, sample, unit]`.
    fn responses(&self, engine: &Engine) -> Vec<f32> {
        let mut state = engine.start(self.samples);
        (0..self.frames).flat_map(|t| self.step(engine, &mut state, t)).collect()
    }

    /// Every stage of every frame.
    fn stages(&self, engine: &Engine) -> Vec<Stages> {
        let mut state = engine.start(self.samples);
        let mut response = vec![0.0; self.samples * engine.units()];
        let step = |t| {
            let (frame, gaze, behavior) = self.frame(t);
            engine.step_probed(&mut state, self.raster, frame, gaze, behavior, &mut response)
        };
        (0..self.frames).map(step).collect()
    }
}

fn joined(stages: &[Stages], name: &str) -> Vec<f32> {
    stages.iter().flat_map(|s| s.get(name).unwrap_or_else(|| panic!("no stage `{name}`"))).copied().collect()
}

fn tiny_engine(stream: Option<usize>, kernel: Kernel) -> Engine {
    Engine::with_kernel(&tiny_config(), &tiny_state(), TINY_UNITS, stream, kernel).expect("the fixture fits")
}

/// Bound on the largest difference over the largest value. The reference itself is f32; its distance from f64 is a
/// few 1e-7 for most tensors. Rays that graze the screen have huge coordinates, and the retina's power is steep near
/// black, which the first layers inherit.
fn tolerance(name: &str) -> f64 {
    match name {
        "perspective" | "monitor_grid" => 2e-4,
        name if name.contains("feedforward") => 2e-5,
        _ => 1e-5,
    }
}

#[test]
fn the_tiny_network_gives_the_reference_responses() {
    for kernel in Kernel::available() {
        for name in ["n1", "n2"] {
            let fixture = Fixture::load(&format!("twin/tiny_public_{name}.safetensors"));
            let responses = Input::load(&fixture).responses(&tiny_engine(None, kernel));
            let expected = &fixture.get("f64.response").values;
            println!("tiny {name} {kernel:?}: {:.1e}", deviation(&responses, expected).0);
            assert_near(&format!("{name} response, {kernel:?}"), &responses, expected, 1e-5);
        }
    }
}

#[test]
fn every_stage_state_and_layer_of_the_tiny_network_is_that_of_the_reference() {
    for kernel in Kernel::available() {
        for name in ["n1", "n2"] {
            let fixture = Fixture::load(&format!("twin/tiny_public_{name}.safetensors"));
            let input = Input::load(&fixture);
            assert_eq!(input.raster, TINY_RASTER);
            let stages = input.stages(&tiny_engine(None, kernel));
            let mut compared = 0;
            for own in stages[0].names() {
                let key = match own {
                    "rotation" => "eval.stage.rmat".to_owned(),
                    "h" | "c" | "mod_h" | "mod_c" => format!("eval.state.{own}"),
                    own if own.starts_with("layer.") || own.starts_with("input.") => format!("eval.{own}"),
                    own => format!("eval.stage.{own}"),
                };
                if !fixture.keys().any(|k| k == key) {
                    continue;
                }
                compared += 1;
                let values = joined(&stages, own);
                let expected = &fixture.get(&key).values;
                println!("tiny {name} {kernel:?} {own}: {:.1e}", deviation(&values, expected).0);
                assert_near(&format!("{name} {own}, {kernel:?}"), &values, expected, tolerance(own));
            }
            assert!(compared >= if name == "n2" { 18 } else { 5 }, "only {compared} stages were compared");
        }
    }
}

#[test]
fn a_single_stream_answers_as_the_reference_does() {
    for name in ["n1", "n2"] {
        let fixture = Fixture::load(&format!("twin/tiny_public_{name}.safetensors"));
        let input = Input::load(&fixture);
        for stream in 0..2 {
            let engine = tiny_engine(Some(stream), Kernel::best());
            let expected = |part: &str| &fixture.get(&format!("stream{stream}.{part}")).values;
            assert_near("response", &input.responses(&engine), expected("response"), 1e-5);
            assert_near("recurrent", &joined(&input.stages(&engine), "recurrent"), expected("recurrent"), 1e-5);
        }
    }
}

#[test]
fn beside_the_screen_lies_its_repeated_border_when_the_configuration_says_so() {
    let fixture = Fixture::load("twin/tiny_public_n1.safetensors");
    let config = TwinConfig { periphery: Periphery::Extend, ..tiny_config() };
    let engine = Engine::new(&config, &tiny_state(), TINY_UNITS, None).expect("the fixture fits");
    let input = Input::load(&fixture);
    assert_near("response", &input.responses(&engine), &fixture.get("extend.response").values, 1e-5);
    let seen = joined(&input.stages(&engine), "perspective");
    assert_near("perspective", &seen, &fixture.get("extend.perspective").values, 2e-4);
}

#[test]
fn a_batch_equals_its_members_bit_for_bit() {
    let input = Input::load(&Fixture::load("twin/tiny_public_n2.safetensors"));
    for kernel in Kernel::available() {
        let engine = tiny_engine(None, kernel);
        let together = input.responses(&engine);
        for sample in 0..input.samples {
            let alone = input.only(sample).responses(&engine);
            let member: Vec<f32> =
                together.chunks_exact(TINY_UNITS).skip(sample).step_by(input.samples).flatten().copied().collect();
            assert_eq!(alone, member, "{kernel:?}, sample {sample}");
        }
    }
}

#[test]
fn branches_of_a_state_do_not_touch_each_other() {
    let input = Input::load(&Fixture::load("twin/tiny_public_n1.safetensors"));
    let engine = tiny_engine(None, Kernel::best());
    let straight = input.responses(&engine);
    let mut state = engine.start(1);
    for time in 0..4 {
        input.step(&engine, &mut state, time);
    }
    let mut branch = state.clone();
    // The branch sees other frames; the state it left must not notice.
    let other: Vec<f32> = [7, 6, 5, 4].iter().flat_map(|&t| input.step(&engine, &mut branch, t)).collect();
    let own: Vec<f32> = (4..8).flat_map(|t| input.step(&engine, &mut state, t)).collect();
    assert_eq!(own, straight[4 * TINY_UNITS..], "the state that was left");
    assert_ne!(other, own);
    assert_eq!(state.frames(), 8);
    assert_eq!(state.samples(), 1);
}

#[test]
fn the_order_of_streams_does_not_matter() {
    let input = Input::load(&Fixture::load("twin/tiny_public_n1.safetensors"));
    let state = tiny_state();
    let mut swapped = StateDict::default();
    for (key, tensor) in &state.tensors {
        let shared = key.starts_with("perspective.") || !key.ends_with(".0") && !key.ends_with(".1");
        let key = match key.strip_suffix(".0") {
            _ if shared => key.clone(),
            Some(stem) => format!("{stem}.1"),
            None => format!("{}.0", key.strip_suffix(".1").expect("stream 0 or 1")),
        };
        swapped.tensors.insert(key, tensor.clone());
    }
    assert_ne!(state, swapped);
    let engine = Engine::new(&tiny_config(), &swapped, TINY_UNITS, None).expect("the same shapes");
    let expected: Vec<f64> = input.responses(&tiny_engine(None, Kernel::best())).iter().map(|&v| v.into()).collect();
    // Only the order of one sum in f64 differs.
    assert_near("response", &input.responses(&engine), &expected, 1e-7);
}

#[test]
fn attention_weights_of_a_place_sum_to_one() {
    let input = Input::load(&Fixture::load("twin/tiny_public_n2.safetensors"));
    for kernel in Kernel::available() {
        let stages = input.stages(&tiny_engine(None, kernel));
        let pixels = tiny_config().map().pixels();
        for row in joined(&stages, "attention").chunks_exact(pixels) {
            let sum: f64 = row.iter().map(|&w| f64::from(w)).sum();
            assert!((sum - 1.0).abs() < 1e-6, "the weights sum to {sum}");
            assert!(row.iter().all(|&w| w > 0.0));
        }
    }
}

#[test]
fn weights_of_another_network_are_refused_with_the_tensor_named() {
    let config = tiny_config();
    let mut state = tiny_state();
    let refuse = |state: &StateDict, stream| {
        Engine::new(&config, state, TINY_UNITS, stream).expect_err("it does not fit").to_string()
    };
    assert!(refuse(&state, Some(2)).contains("stream 2"));
    assert!(matches!(Engine::new(&config, &state, 0, None), Err(EngineError::Units)));
    let key = "core.recurrent.conv.weights.1";
    state.tensors.get_mut(key).expect("a key of the fixture").shape.push(1);
    assert!(refuse(&state, None).contains(key));
    state.tensors.remove(key);
    assert!(matches!(Engine::new(&config, &state, TINY_UNITS, None), Err(EngineError::Missing { key: k }) if k == key));
}

/// Integers mixed so that every bit of the result depends on every bit of the input; the fill of the reference files.
fn mix(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x7feb_352d);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

/// A state dict of the given sizes, filled with the numbers of the reference files.
fn filled(config: &TwinConfig, units: usize, seed: u32) -> StateDict {
    let mut tensors = BTreeMap::new();
    for (index, entry) in (0u32..).zip(entries(config, units)) {
        let base = mix(mix(seed).wrapping_add(index.wrapping_mul(0x9E37_79B1)));
        let noise = |e: u32| {
            let h = mix(base.wrapping_add(e.wrapping_mul(0x85EB_CA6B)));
            ((h >> 8) as i32 - 8_388_608) as f32 * (-23f32).exp2()
        };
        let values: Vec<f32> = match (&entry.fill, &entry.init) {
            (Some(fill), _) => {
                (0..entry.len()).map(|e| fill.offset[e % fill.offset.len()] + fill.scale * noise(e as u32)).collect()
            }
            (None, Init::Constant(values)) => (0..entry.len()).map(|e| values[e % values.len()]).collect(),
            (None, Init::RetinaRays) => rays(config),
            // The mask between groups is a constant that the engine does not read.
            (None, _) => vec![0.0; entry.len()],
        };
        tensors.insert(entry.key, NamedTensor { shape: entry.shape, values });
    }
    StateDict { tensors }
}

/// Viewing rays of the retina (Wang et al. 2025): equidistant in angle from the line of sight.
fn rays(config: &TwinConfig) -> Vec<f32> {
    let p = &config.perspective;
    let (height, width) = (p.height as f64, p.width as f64);
    let line = |i: usize, n: f64| -1.0 + 2.0 * i as f64 / (n - 1.0);
    let shrink = (width - 1.0) / width;
    let mut out = Vec::new();
    for row in 0..p.height {
        for column in 0..p.width {
            let (x, y) = (line(column, width) * shrink, line(row, height) * height / width * shrink);
            let r = (x.hypot(y) * p.degrees.to_radians()).min(std::f64::consts::FRAC_PI_2);
            let theta = y.atan2(x);
            out.extend([r.sin() * theta.cos(), r.sin() * theta.sin(), r.cos()].map(|v| v as f32));
        }
    }
    out
}

#[test]
fn a_network_of_one_group_and_unusual_sizes_answers_alike_on_every_kernel() {
    let mut config = tiny_config();
    config.core.recurrent.groups = 1;
    config.core.recurrent.spatial = 5;
    let ff = &mut config.core.feedforward;
    ff.block_channels = vec![6, 9, 3];
    ff.block_groups = vec![2, 3, 1];
    ff.block_layers = vec![1, 3, 2];
    ff.block_temporals = vec![1, 4, 2];
    ff.block_spatials = vec![5, 3, 1];
    ff.block_pools = vec![1, 2, 1];
    let input = Input::load(&Fixture::load("twin/tiny_public_n2.safetensors"));
    let state = filled(&config, 5, 3);
    let answers = Kernel::available().into_iter().map(|kernel| {
        let engine = Engine::with_kernel(&config, &state, 5, None, kernel).expect("it fits");
        input.responses(&engine)
    });
    let answers: Vec<Vec<f32>> = answers.collect();
    let plain: Vec<f64> = answers[answers.len() - 1].iter().map(|&v| v.into()).collect();
    assert!(plain.iter().all(|v| v.is_finite()) && plain.iter().any(|&v| (v - plain[0]).abs() > 1e-2));
    for answer in &answers {
        // Two f32 programs that round differently.
        assert_near("response", answer, &plain, 2e-6);
    }
}

const FULL_UNITS: usize = 16;

#[test]
fn the_published_sizes_give_the_reference_responses_and_stages() {
    let fixture = Fixture::load("twin/full_public.safetensors");
    let input = Input::load(&fixture);
    let config = TwinConfig::microns();
    let engine = Engine::new(&config, &filled(&config, FULL_UNITS, 20_250_409), FULL_UNITS, None).expect("it fits");
    let mut state = engine.start(input.samples);
    let mut stages = Vec::new();
    let mut responses = Vec::new();
    for t in 0..input.frames {
        let (frame, gaze, behavior) = input.frame(t);
        let mut response = vec![0.0; input.samples * FULL_UNITS];
        stages.push(engine.step_probed(&mut state, input.raster, frame, gaze, behavior, &mut response));
        responses.extend(response);
    }
    let near = |name: &str, values: &[f32], expected: &[f64], tolerance: f64| {
        println!("full {name}: {:.1e}", deviation(values, expected).0);
        assert_near(name, values, expected, tolerance);
    };
    near("response", &responses, &fixture.get("f64.response").values, 1e-5);
    near("readout", &joined(&stages, "readout"), &fixture.get("readout").values, 1e-5);
    near("modulation", &joined(&stages, "modulation"), &fixture.get("modulation").values, 1e-5);
    for t in [0, 11] {
        let seen = stages[t].get("perspective").expect("a stage");
        near("perspective", seen, &fixture.get(&format!("perspective.t{t}")).values, 2e-4);
    }
    let subsampled = [
        ("perspective", "perspective", 2e-4),
        // The first layer sees near-black pixels, where the f32 reference itself is off.
        ("ff_input0", "layer.core.feedforward.inputs.0", 5e-5),
        ("ff_block0", "layer.core.feedforward.blocks.0", 2e-5),
        ("ff_input1", "layer.core.feedforward.inputs.1", 2e-5),
        ("ff_block1", "layer.core.feedforward.blocks.1", 2e-5),
        ("ff_input2", "layer.core.feedforward.inputs.2", 2e-5),
        ("ff_block2", "layer.core.feedforward.blocks.2", 2e-5),
        ("feedforward", "feedforward", 2e-5),
        ("rec_conv", "layer.core.recurrent.conv", 1e-5),
        ("recurrent", "recurrent", 1e-5),
    ];
    for (key, own, tolerance) in subsampled {
        let values: Vec<f32> =
            stages.iter().flat_map(|s| s.get(own).expect("a stage").iter().step_by(1009)).copied().collect();
        near(key, &values, &fixture.get(&format!("sub.{key}")).values, tolerance);
    }
}

#[test]
fn one_stream_of_the_published_sizes_gives_the_reference_readout() {
    let fixture = Fixture::load("twin/full_public.safetensors");
    let input = Input { frames: 4, ..Input::load(&fixture) };
    let config = TwinConfig::microns();
    let engine = Engine::new(&config, &filled(&config, FULL_UNITS, 20_250_409), FULL_UNITS, Some(2)).expect("it fits");
    assert_near("response", &input.responses(&engine), &fixture.get("stream2.response").values, 1e-5);
}

#[test]
#[should_panic(expected = "a state belongs to the engine that started it")]
fn a_state_of_another_engine_is_never_stepped() {
    let input = Input::load(&Fixture::load("twin/tiny_public_n1.safetensors"));
    let mut smaller = tiny_config();
    smaller.core.recurrent.hidden_channels = 4;
    let other = Engine::new(&smaller, &filled(&smaller, TINY_UNITS, 3), TINY_UNITS, None).expect("it fits");
    let mut state = other.start(1);
    input.step(&tiny_engine(None, Kernel::best()), &mut state, 0);
}

#[test]
fn a_twin_refuses_the_state_of_another_twin_in_a_sentence() {
    let weights = Arc::new(weights::filled_twin(&tiny_config(), TINY_UNITS, 3));
    let open = || Twin::open(weights.clone(), &ComputeDevice::Cpu, TwinOptions::default()).expect("it opens");
    let (one, other) = (open(), open());
    let mut movie = Movie::new(TINY_RASTER, 1, 1, vec![128; TINY_RASTER.pixels()]).expect("one frame");
    let (behavior, mut responses) = (Behavior::still(1, 1), Vec::new());
    let mut show = |state: &mut TwinState| one.show(state, &mut movie, 0..1, &behavior, &mut responses);
    show(&mut one.start(1)).expect("its own state");
    let error = show(&mut other.start(1)).expect_err("the state of another twin").to_string();
    assert!(error.contains("started by another twin"), "{error}");
}
