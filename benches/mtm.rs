//! Time of one training step and of one forward pass of the masked transformer on the CPU, as one line of JSON.
//!
//! `cargo bench --bench mtm -- --preset small [--steps 30] [--threads 2]`
//!
//! One session of 200 neurons in 4 regions, batches of 16 trials of 100 bins, neuron masking: the sizes of
//! `benches/pytorch/bench_mtm.py`; `benches/beside_pytorch.py --mtm small` runs the two in turn. Needs `harness = false`.

use std::time::Instant;

use twinscope::model::mtm::{Engine, Mask, MtmConfig, MtmWeights, Scheme};
use twinscope::signals::Binned;
use twinscope::training::mtm::{AdamWConfig, AdamWState};

/// Trials, bins and neurons of a batch, and regions.
const SHAPE: [usize; 3] = [16, 100, 200];
/// Forward passes that are timed for every step.
const FORWARDS: usize = 4;
const REGIONS: usize = 4;
/// Mean count in a bin.
const MEAN: f64 = 0.1;
/// Steps before time is taken.
const WARM: usize = 2;

/// A value after `--name`, or the default.
fn option(name: &str, default: &str) -> String {
    let arguments: Vec<String> = std::env::args().collect();
    let at = arguments.iter().position(|a| a == &format!("--{name}"));
    at.and_then(|at| arguments.get(at + 1).cloned()).unwrap_or_else(|| default.to_owned())
}

fn main() {
    let number = |name: &str, default: &str| option(name, default).parse::<usize>().expect("a number");
    let (threads, preset) = (number("threads", "0"), option("preset", "small"));
    let steps = number("steps", if preset == "small" { "30" } else { "3" });
    if threads > 0 {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().expect("no pool was made before");
    }
    let mut weights = MtmWeights::initial(&MtmConfig::preset(&preset).expect("a preset"), 1).expect("good sizes");
    weights.add_session("s", &[MEAN; SHAPE[2]], 1).expect("a new session");
    let counts = counts();
    let regions: Vec<usize> = (0..SHAPE[2]).map(|neuron| neuron % REGIONS).collect();

    let mut engine = Engine::new(&weights);
    let (config, mut moments) = (AdamWConfig::default(), AdamWState::default());
    let mut loss = f32::NAN;
    let train = timed(steps, |step| {
        let (scheme, seed) = (Scheme::Neuron, step as u64);
        let mask = Mask::draw(SHAPE, &regions, scheme, scheme.ratio(), seed);
        let seen = mask.apply(&counts);
        loss = engine.loss(&seen, &counts, &mask, "s", scheme, Some(seed)).expect("the session fits");
        moments.step(&config, &mut engine, 1e-4);
    });
    let answer = |_| drop(engine.forward(&counts, "s", Scheme::Neuron).expect("the session fits"));
    let forward = timed(FORWARDS * steps, answer);
    println!(
        "{}",
        serde_json::json!({
            "kind": "mtm", "preset": preset, "threads": rayon::current_num_threads(), "loss": loss,
            "step_ms_median": train, "forward_ms_median": forward,
        })
    );
}

/// Median of so many times after a few that do not count, milliseconds.
fn timed(times: usize, mut work: impl FnMut(usize)) -> f64 {
    (0..WARM).for_each(&mut work);
    let mut taken: Vec<f64> = (0..times.max(1))
        .map(|step| {
            let start = Instant::now();
            work(WARM + step);
            1e3 * start.elapsed().as_secs_f64()
        })
        .collect();
    taken.sort_by(f64::total_cmp);
    taken[taken.len() / 2]
}

/// Counts of the mean rate, the same in every run.
fn counts() -> Binned {
    let mut chance = twinscope::analysis::statistics::Chance::new(1, 0);
    let limit = (-MEAN).exp();
    Binned::from_fn(SHAPE, |_, _, _| {
        // Poisson numbers by products of uniform ones (Knuth 1969).
        let (mut product, mut count) = (chance.fraction(), 0.0);
        while product > limit {
            product *= chance.fraction();
            count += 1.0;
        }
        count
    })
}
