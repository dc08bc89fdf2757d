//! Stimuli: what their frames must look like, whoever draws them.

mod clip;
mod dots;
mod gratings;
mod hash;
mod modify;
mod noise;
mod parameters;
mod renderer;
mod scene;
mod schedule;
mod shaders;

use twinscope::signals::{Monitor, Raster};
use twinscope::stimulus::{Prepared, Stimulus};

/// The screen of the paper with fewer pixels: a quarter of the time, the same degrees.
fn small_monitor() -> Monitor {
    Monitor::WANG2025.with_raster(Raster { height: 72, width: 128 })
}

fn prepared(stimulus: impl Into<Stimulus>, monitor: &Monitor, seed: u64) -> Prepared {
    Prepared::new(&stimulus.into(), monitor, seed).expect("a stimulus that can be shown")
}

fn draw(prepared: &Prepared, frame: usize) -> Vec<u8> {
    let mut pixels = vec![0; prepared.monitor().raster.pixels()];
    prepared.frame(frame, &mut pixels);
    pixels
}

/// Mean and standard deviation.
fn moments(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for value in values {
        count += 1.0;
        sum += value;
        squares += value * value;
    }
    let mean = sum / count;
    (mean, (squares / count - mean * mean).max(0.0).sqrt())
}

/// Every kind that is computed, with parameters other than the defaults.
fn computed() -> Vec<Stimulus> {
    use twinscope::stimulus::{DriftingGrating, MovingDots, Scene, WhiteNoise};
    vec![
        DriftingGrating { direction_deg: 33.0, phase_deg: 70.0, ..Default::default() }.into(),
        DriftingGrating { direction_deg: 200.0, spherical: true, ..Default::default() }.into(),
        MovingDots { coherence: 0.5, direction_deg: 110.0, ..Default::default() }.into(),
        WhiteNoise::default().into(),
        Scene { size_min_deg: 3.0, ..Default::default() }.into(),
        Scene { contrast: 0.7, size_min_deg: 5.0, looming_per_sec: 1.3, cut_secs: 0.5, ..Default::default() }.into(),
    ]
}
