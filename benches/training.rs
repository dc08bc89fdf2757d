//! Time of one training step of the published network on the CPU, as one line of JSON.
//!
//! `cargo bench --bench training -- --units 1000 --batch 1 --frames 30 --stream 0 [--steps 3] [--threads 2]`
//!
//! Weights and inputs are the deterministic fill, the same as in `benches/pytorch/bench_torch.py --train`;
//! `benches/beside_pytorch.py --train` runs the two in turn.

use std::time::Instant;

use twinscope::model::twin::TwinConfig;
use twinscope::model::twin::network::Run;
use twinscope::model::weights::fill;
use twinscope::signals::{Behavior, Movie, Raster, Responses};
use twinscope::training::cpu::{Gradient, Parameters, SgdClip, Trainable};
use twinscope::training::{Clip, Objective, SgdClipConfig};

/// A value after `--name`, or the default.
fn option(name: &str, default: usize) -> usize {
    let arguments: Vec<String> = std::env::args().collect();
    let at = arguments.iter().position(|a| a == &format!("--{name}"));
    at.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(default)
}

/// Seed of weights and inputs, that of the reference files.
const SEED: u32 = 20_250_409;
/// Pixels of the movie.
const RASTER: Raster = Raster { height: 144, width: 256 };

fn main() {
    let (threads, steps) = (option("threads", 0), option("steps", 3));
    if threads > 0 {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().expect("no pool was made before");
    }
    let (units, samples, frames) = (option("units", 1000), option("batch", 1), option("frames", 30));
    let stream = Some(option("stream", 0));
    let config = TwinConfig::microns();
    let clip = clip(frames, samples, units);
    let state = fill::filled(&config, units, SEED);
    let mut parameters = Parameters::new(&config, units, &state).expect("the fill is complete");
    let mut network = Trainable::new(&config, &parameters);
    let mut optimizer = SgdClip::new(SgdClipConfig::default(), parameters.table());
    let mut gradient = Gradient::new(parameters.table());
    let objective = Objective::default();
    let run = Run { samples, stream, training: None };
    let mut seconds = Vec::with_capacity(steps);
    let mut value = f32::NAN;
    for _ in 0..steps {
        let start = Instant::now();
        value = network
            .objective_and_gradient(&parameters, &clip, &objective, &run, &mut gradient)
            .expect("the fill has a finite objective");
        optimizer.step(&mut parameters, &gradient, 0.1);
        seconds.push(start.elapsed().as_secs_f64());
    }
    let first = seconds[0];
    seconds.sort_by(f64::total_cmp);
    let median = seconds[steps / 2];
    println!(
        "{}",
        serde_json::json!({
            "kind": "train", "N": samples, "T": frames, "U": units, "stream": stream, "threads": rayon::current_num_threads(),
            "objective": value, "step_s_median": median, "step_s_first": first, "ms_median": median * 1e3 / frames as f64,
        })
    );
}

/// The inputs of the reference.
fn clip(frames: usize, samples: usize, units: usize) -> Clip {
    let draw = |key: u32, place: usize| fill::unit(fill::hash(SEED, key, place as u32));
    // The movie is made of squares of 6 x 6 pixels that last for two frames.
    let mut pixels = Vec::with_capacity(frames * samples * RASTER.pixels());
    for time in 0..frames {
        for sample in 0..samples {
            for place in 0..RASTER.pixels() {
                let (row, column) = (place / RASTER.width, place % RASTER.width);
                let square = ((time / 2 * samples + sample) * 24 + row / 6) * 43 + column / 6;
                pixels.push((fill::hash(SEED, 0xFFFF_0001, square as u32) >> 24) as u8);
            }
        }
    }
    let pairs = |key| (0..frames * samples).map(|i| [2.0 * draw(key, 2 * i), 2.0 * draw(key, 2 * i + 1)]).collect();
    let movie = Movie::new(RASTER, frames, samples, pixels).expect("as many pixels as the shape needs");
    let behavior = Behavior::new(frames, samples, pairs(0xFFFF_0002), pairs(0xFFFF_0003)).expect("finite");
    let targets = (0..frames * samples * units).map(|place| 1.0 + draw(0xFFFF_0004, place)).collect();
    let responses = Responses::new(frames, samples, units, targets).expect("one for every frame, sample and unit");
    Clip::new(movie, behavior, responses).expect("the parts belong together")
}
