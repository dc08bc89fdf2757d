//! Time of one frame of the published network, as one line of JSON.
//!
//! `cargo bench --bench frames -- --units 1000 --batch 1 --frames 40 [--device gpu] [--threads 2] [--portable 1]`
//!
//! Weights and inputs are the deterministic fill, the same as in `benches/pytorch/bench_torch.py`;
//! `benches/beside_pytorch.py` runs the two in turn.

use std::sync::Arc;
use std::time::Instant;

use twinscope::gpu::{ComputeDevice, DeviceChoice};
use twinscope::model::twin::engine::{Engine, Kernel, PARTS};
use twinscope::model::twin::{Twin, TwinConfig, TwinOptions};
use twinscope::model::weights::{fill, filled_twin};

/// The text after `--name`.
fn text(name: &str) -> Option<String> {
    let arguments: Vec<String> = std::env::args().collect();
    let at = arguments.iter().position(|a| a == &format!("--{name}"))?;
    arguments.get(at + 1).cloned()
}

/// A value after `--name`, or the default.
fn option(name: &str, default: usize) -> usize {
    text(name).and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// Seed of weights and inputs, that of the reference files.
const SEED: u32 = 20_250_409;
/// Frames shown before the clock starts.
const WARMUP: usize = 3;

/// A line of /proc/self/status in MiB, where there is one.
fn memory_mib(key: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(key))?;
    line.split_whitespace().nth(1)?.parse::<f64>().ok().map(|kib| kib / 1024.0)
}

/// Processor time of all threads so far in ms, where it can be read.
fn processor_ms() -> Option<f64> {
    let mut nanoseconds = 0.0;
    for task in std::fs::read_dir("/proc/self/task").ok()? {
        let text = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        nanoseconds += text.split_whitespace().next()?.parse::<f64>().ok()?;
    }
    Some(nanoseconds * 1e-6)
}

/// Smallest and middle value.
fn spread(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    (values[0], values[values.len() / 2])
}

fn main() {
    let threads = option("threads", 0);
    if threads > 0 {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().expect("no pool was made before");
    }
    let (units, batch, frames) = (option("units", 1000), option("batch", 1), option("frames", 40));
    match text("device").as_deref() {
        Some("gpu") => gpu(units, batch, frames),
        _ => cpu(units, batch, frames),
    }
}

/// One frame at a time through the engine, with the time of its parts.
fn cpu(units: usize, batch: usize, frames: usize) {
    let config = TwinConfig::microns();
    let kernel = if option("portable", 0) == 1 { Kernel::Portable } else { Kernel::best() };
    let base = memory_mib("VmRSS");
    let state = fill::filled(&config, units, SEED);
    let engine = Engine::with_kernel(&config, &state, units, None, kernel).expect("the weights are made for it");
    drop(state);
    let inputs = fill::inputs(SEED, WARMUP + frames, batch, units);
    let mut memory = engine.start(batch);
    let mut response = vec![0.0; batch * units];
    let (mut ms, mut cpu) = (Vec::new(), Vec::new());
    let mut parts: [Vec<f64>; PARTS.len()] = Default::default();
    for t in 0..WARMUP + frames {
        let (frame, behavior) = (inputs.movie.frame(t), &inputs.behavior);
        let (start, before, spent) = (Instant::now(), processor_ms(), engine.spent_ms());
        engine.step(&mut memory, inputs.movie.raster(), frame, behavior.gaze(t), behavior.state(t), &mut response);
        if t >= WARMUP {
            ms.push(start.elapsed().as_secs_f64() * 1e3);
            for (part, (after, before)) in parts.iter_mut().zip(engine.spent_ms().iter().zip(spent)) {
                part.push(after - before);
            }
            cpu.extend(processor_ms().zip(before).map(|(after, before)| after - before));
        }
    }
    let (min, median) = spread(ms);
    let cpu = (!cpu.is_empty()).then(|| spread(cpu));
    let parts: Vec<String> =
        PARTS.iter().zip(parts).map(|(name, ms)| format!("\"{name}\":{:.2}", spread(ms).1)).collect();
    println!(
        "{{\"kernel\":\"{kernel:?}\",\"N\":{batch},\"T\":{frames},\"U\":{units},\"threads\":{},\"ms_min\":{min:.2},\
         \"ms_median\":{median:.2},\"ms_median_per_sample\":{:.2},\"thread_ms_median\":{{{}}},\"cpu_ms_min\":{},\
         \"cpu_ms_median\":{},\"weights_mib\":{:.1},\"rss_base_mib\":{},\"peak_rss_mib\":{}}}",
        rayon::current_num_threads(),
        median / batch as f64,
        parts.join(","),
        number(cpu.map(|c| c.0)),
        number(cpu.map(|c| c.1)),
        engine.bytes() as f64 / 1_048_576.0,
        number(base),
        number(memory_mib("VmHWM")),
    );
}

/// Frames in one piece on the GPU: from pixels in memory to responses in memory.
fn gpu(units: usize, batch: usize, frames: usize) {
    let (device, line) = ComputeDevice::open(DeviceChoice::Gpu).expect("a GPU was asked for");
    eprintln!("{line}");
    let twin = filled_twin(&TwinConfig::microns(), units, SEED);
    let twin = Twin::open(Arc::new(twin), &device, TwinOptions::default()).expect("the weights are made for it");
    let chunk = option("chunk", 10).max(1);
    let mut inputs = fill::inputs(SEED, WARMUP * chunk + frames, batch, units);
    let mut state = twin.start(batch);
    let mut ms = Vec::new();
    let mut responses = Vec::new();
    for first in (0..inputs.movie.frames()).step_by(chunk) {
        let end = (first + chunk).min(inputs.movie.frames());
        let start = Instant::now();
        responses.clear();
        twin.show(&mut state, &mut inputs.movie, first..end, &inputs.behavior, &mut responses)
            .expect("the device works");
        if first >= WARMUP * chunk {
            ms.push(start.elapsed().as_secs_f64() * 1e3 / (end - first) as f64);
        }
    }
    let (min, median) = spread(ms);
    println!(
        "{{\"device\":{:?},\"N\":{batch},\"T\":{frames},\"U\":{units},\"chunk\":{chunk},\"ms_min\":{min:.3},\
         \"ms_median\":{median:.3},\"frames_per_sec\":{:.1}}}",
        device.name(),
        1e3 * batch as f64 / median,
    );
}

/// A number, or nothing, as JSON.
fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "null".to_owned(), |v| format!("{v:.1}"))
}
