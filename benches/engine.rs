//! Time of one frame of the published network on the CPU, as one line of JSON.
//!
//! `cargo bench --bench engine -- --units 1000 --batch 1 --frames 40`

use std::time::Instant;

use twinscope::model::twin::TwinConfig;
use twinscope::model::twin::engine::{Engine, Kernel, PARTS};
use twinscope::model::twin::parameters::{Init, entries};
use twinscope::model::weights::{NamedTensor, StateDict};
use twinscope::signals::Raster;

/// A value after `--name`, or the default.
fn option(name: &str, default: usize) -> usize {
    let arguments: Vec<String> = std::env::args().collect();
    let at = arguments.iter().position(|a| a == &format!("--{name}"));
    at.and_then(|i| arguments.get(i + 1)).and_then(|v| v.parse().ok()).unwrap_or(default)
}

/// A few random-looking bits from a counter.
fn noise(seed: u32, e: usize) -> f32 {
    let mut x = (e as u32).wrapping_mul(0x9E37_79B1) ^ seed.wrapping_mul(0x85EB_CA6B);
    for _ in 0..2 {
        x ^= x >> 16;
        x = x.wrapping_mul(0x7feb_352d);
        x ^= x >> 15;
    }
    (x >> 8) as f32 / 8_388_608.0 - 1.0
}

fn weights(config: &TwinConfig, units: usize) -> StateDict {
    let mut state = StateDict::default();
    for (seed, entry) in (0u32..).zip(entries(config, units)) {
        let n = entry.len();
        let values = match (&entry.fill, &entry.init) {
            (Some(fill), _) => {
                (0..n).map(|e| fill.offset[e % fill.offset.len()] + fill.scale * noise(seed, e)).collect()
            }
            (None, Init::Constant(values)) => (0..n).map(|e| values[e % values.len()]).collect(),
            (None, Init::RetinaRays) => (0..n)
                .map(|e| {
                    let (p, w, h) = (e / 3, config.perspective.width, config.perspective.height);
                    let (x, y) = ((p % w) as f32 / w as f32 - 0.5, (p / w) as f32 / h as f32 - 0.5);
                    let length = (x * x + y * y + 0.25).sqrt();
                    [x / length, y / length, 0.5 / length][e % 3]
                })
                .collect(),
            (None, _) => vec![0.0; n],
        };
        state.tensors.insert(entry.key, NamedTensor { shape: entry.shape, values });
    }
    state
}

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
    let (units, batch, frames) = (option("units", 1000), option("batch", 1), option("frames", 40));
    let threads = option("threads", 0);
    if threads > 0 {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().expect("no pool was made before");
    }
    let (warmup, raster, config) = (3, Raster::WANG2025, TwinConfig::microns());
    let kernel = if option("portable", 0) == 1 { Kernel::Portable } else { Kernel::best() };
    let base = memory_mib("VmRSS");
    let state = weights(&config, units);
    let engine = Engine::with_kernel(&config, &state, units, None, kernel).expect("the weights are made for it");
    drop(state);
    let mut memory = engine.start(batch);
    let mut response = vec![0.0; batch * units];
    let (mut ms, mut cpu) = (Vec::new(), Vec::new());
    let mut parts: [Vec<f64>; PARTS.len()] = Default::default();
    for t in 0..warmup + frames {
        let frame: Vec<u8> = (0..batch * raster.pixels())
            .map(|e| (noise(t as u32 / 2, e / raster.width / 6 * 43 + e % raster.width / 6) * 127.0 + 128.0) as u8)
            .collect();
        let gaze: Vec<[f32; 2]> = (0..batch).map(|n| [noise(7, t * batch + n), noise(8, t * batch + n)]).collect();
        let (start, before, spent) = (Instant::now(), processor_ms(), engine.spent_ms());
        engine.step(&mut memory, raster, &frame, &gaze, &gaze, &mut response);
        if t >= warmup {
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
    let number = |v: Option<f64>| v.map_or_else(|| "null".to_owned(), |v| format!("{v:.1}"));
    println!(
        "{{\"kernel\":\"{kernel:?}\",\"units\":{units},\"batch\":{batch},\"frames\":{frames},\"threads\":{},\
         \"ms_min\":{min:.2},\"ms_median\":{median:.2},\"ms_median_per_sample\":{:.2},\"thread_ms_median\":{{{}}},\"cpu_ms_min\":{},\"cpu_ms_median\":{},\
         \"weights_mib\":{:.1},\"rss_base_mib\":{},\"peak_rss_mib\":{}}}",
        rayon::current_num_threads(),
        median / batch as f64,
        parts.join(","),
        number(cpu.map(|c| c.0)),
        number(cpu.map(|c| c.1)),
        engine.bytes() as f64 / 1048576.0,
        number(base),
        number(memory_mib("VmHWM")),
    );
}
