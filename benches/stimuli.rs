//! How fast stimuli are drawn on the CPU, at the size of the published movies, against what the window needs.
//!
//! `cargo bench --bench stimuli [-- part of a name]`
//!
//! Frames come from a schedule source, as an experiment reads them: by all cores, then by one. The time of all cores is
//! that of the clock, so a busy machine makes it long; that of one core is processor time where the system tells it.
//! Preparing is what each step of a dragged slider costs. A clip is measured on a movie written for the purpose.

use std::sync::LazyLock;
use std::time::Instant;

use twinscope::signals::{FrameSource, Monitor};
use twinscope::stimulus::{Clip, Condition, Prepared, Presentation, Schedule, ScheduleSource, Stimulus, StimulusKind};

/// Frames of one reading.
const PIECE: usize = 60;
/// Time for which each measurement goes on, at least, seconds.
const LONG_ENOUGH_SECS: f64 = 0.5;
/// Frames each second that every kind should reach on all cores; noise has more to compute in each pixel.
const AIM: f64 = 1000.0;
const AIM_OF_NOISE: f64 = 300.0;
/// Longest time between a slider and its picture, ms.
const AIM_OF_PREPARING: f64 = 100.0;
/// Seed of everything random.
const SEED: u64 = 20_250_409;

/// What was measured of one kind.
struct Line {
    name: &'static str,
    all_cores: f64,
    one_core: f64,
    prepare_ms: f64,
    aim: f64,
}

fn main() {
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool of one thread");
    let monitor = Monitor::WANG2025;
    println!("{} cores, {} pixels", rayon::current_num_threads(), monitor.raster);
    println!("{:<28} {:>14} {:>14} {:>12}", "", "frames/s", "on one core", "prepare, ms");
    let mut lines = Vec::new();
    for &kind in StimulusKind::ALL {
        if !kind.label().to_lowercase().contains(&wanted.to_lowercase()) {
            continue;
        }
        let Some(stimulus) = shown(kind, folder.path(), &monitor) else {
            println!("{:<28} needs a file of its own: not measured", kind.label());
            continue;
        };
        let line = Line {
            name: kind.label(),
            all_cores: frames_per_sec(&stimulus, &monitor, clock_secs),
            one_core: one.install(|| frames_per_sec(&stimulus, &monitor, processor_secs)),
            prepare_ms: prepare_ms(&stimulus, &monitor),
            aim: if kind.group() == "Noise" { AIM_OF_NOISE } else { AIM },
        };
        println!("{:<28} {:>14.0} {:>14.0} {:>12.2}", line.name, line.all_cores, line.one_core, line.prepare_ms);
        lines.push(line);
    }
    println!("\nAgainst the aim, above 1 is better:");
    for Line { name, all_cores, prepare_ms, aim, .. } in lines {
        let (speed, prepare) = (all_cores / aim, AIM_OF_PREPARING / prepare_ms);
        let verdict = if speed < 1.0 || prepare < 1.0 { "  BELOW" } else { "" };
        println!(
            "{name:<28} {speed:>7.2} of {aim:.0} frames/s {prepare:>9.1} of {AIM_OF_PREPARING:.0} ms to prepare{verdict}"
        );
    }
}

/// A kind with its default parameters; a clip shows a movie that is written here, and no other kind with files is known.
fn shown(kind: StimulusKind, folder: &std::path::Path, monitor: &Monitor) -> Option<Stimulus> {
    let stimulus = kind.stimulus();
    if kind == StimulusKind::Clip {
        let path = folder.join("movie.npy");
        write_movie(&path, monitor);
        return Some(Clip::from_path(path).into());
    }
    (!stimulus.reads_files()).then_some(stimulus)
}

/// Ten seconds of moving stripes, u8 `[time, height, width]`.
fn write_movie(path: &std::path::Path, monitor: &Monitor) {
    let (height, width) = (monitor.raster.height, monitor.raster.width);
    let shape = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': (300, {height}, {width}), }}");
    // The header ends with a line break at a multiple of 64 bytes.
    let padded = (10 + shape.len() + 1).next_multiple_of(64) - 10;
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((padded as u16).to_le_bytes());
    bytes.extend(format!("{shape:<0$}\n", padded - 1).as_bytes());
    bytes.extend((0..300 * height).flat_map(|row| (0..width).map(move |column| (row / height + column) as u8)));
    std::fs::write(path, bytes).expect("room for 11 MB");
}

/// Time of the clock, seconds from some moment.
fn clock_secs() -> f64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed().as_secs_f64()
}

/// Processor time of this thread, or that of the clock where it cannot be read, seconds from some moment.
fn processor_secs() -> f64 {
    let read = || {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        Some(text.split_whitespace().next()?.parse::<f64>().ok()? * 1e-9)
    };
    read().unwrap_or_else(clock_secs)
}

/// Frames each second through a schedule source, after one reading to warm up; `now` tells the time in seconds.
fn frames_per_sec(stimulus: &Stimulus, monitor: &Monitor, now: fn() -> f64) -> f64 {
    let condition = Condition { part: Some(0), swept: Vec::new(), stimulus: stimulus.clone(), modifiers: Vec::new() };
    let shown = Presentation { condition: 0, repeat: 0, onset_frame: 0, frames: 300, seed: SEED };
    let schedule = Schedule { conditions: vec![condition], presentations: vec![shown], frames: 300 };
    let mut source = ScheduleSource::new(schedule, monitor).expect("defaults can be shown");
    let mut pixels = vec![0; PIECE * monitor.raster.pixels()];
    let mut read = |piece: usize| {
        let first = piece * PIECE % 300;
        source.read(first, PIECE, &mut pixels).expect("frames of the schedule");
    };
    read(4);
    let start = now();
    let mut pieces = 0;
    while now() - start < LONG_ENOUGH_SECS {
        read(pieces);
        pieces += 1;
    }
    (pieces * PIECE) as f64 / (now() - start)
}

/// Time from parameters to a stimulus that can draw, ms: the median of many.
fn prepare_ms(stimulus: &Stimulus, monitor: &Monitor) -> f64 {
    let start = clock_secs();
    let mut times = Vec::new();
    while times.len() < 3 || (clock_secs() - start < LONG_ENOUGH_SECS && times.len() < 100) {
        let before = Instant::now();
        let prepared = Prepared::new(stimulus, monitor, SEED).expect("defaults can be shown");
        times.push(before.elapsed().as_secs_f64() * 1e3);
        drop(prepared);
    }
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
