//! Stimuli: what their frames must look like, whoever draws them.

mod bar;
mod checkerboard;
mod clip;
mod dots;
mod full_field;
mod gabor;
mod gaussian_dots;
mod gratings;
mod hash;
mod images;
mod levels;
mod modify;
mod monet;
mod noise;
mod parameters;
mod pink_noise;
mod renderer;
mod scene;
mod schedule;
mod shaders;
mod sparse_noise;
mod spectrum;
mod trippy;
mod video;

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
    use twinscope::stimulus::dots::{Motion, NoiseRule, Polarity};
    use twinscope::stimulus::*;
    let square = Waveform::Square;
    vec![
        Flash { contrast: 0.5, off_contrast: -0.3, on_secs: 0.12, off_secs: 0.2 }.into(),
        Chirp {
            step_secs: 0.4,
            pause_secs: 0.2,
            frequency_sweep_secs: 3.0,
            sweep: Sweep::Octaves,
            ..Default::default()
        }
        .into(),
        LuminanceSteps { steps: 60, step_secs: 0.03, ..Default::default() }.into(),
        LuminanceSteps { steps: 200, step_secs: 0.05, order: StepOrder::Shuffled }.into(),
        DriftingGrating { direction_deg: 33.0, phase_deg: 70.0, ..Default::default() }.into(),
        DriftingGrating { direction_deg: 200.0, spherical: true, ..Default::default() }.into(),
        DriftingGrating { direction_deg: 310.0, contrast: 0.5, waveform: square, ..Default::default() }.into(),
        DriftingGrating { waveform: square, spherical: true, temporal_frequency_hz: 0.7, ..Default::default() }.into(),
        StaticGrating { orientation_deg: 20.0, contrast: 0.5, ..Default::default() }.into(),
        StaticGrating { orientation_deg: 90.0, waveform: square, phase_deg: 45.0, ..Default::default() }.into(),
        Plaid { direction_deg: 75.0, crossing_deg: 90.0, clockwise_phase_deg: 30.0, ..Default::default() }.into(),
        Plaid { contrast: 0.6, spherical: true, ..Default::default() }.into(),
        DriftingGabor { x_deg: -20.0, y_deg: 11.0, sigma_deg: 9.0, direction_deg: 120.0, ..Default::default() }.into(),
        DriftingGabor { spatial_frequency_cyc_per_deg: 0.3, sigma_deg: 60.0, phase_deg: 50.0, ..Default::default() }
            .into(),
        Checkerboard { check_deg: 7.0, reversal_hz: 7.5, contrast: 0.4, phase_deg: 50.0 }.into(),
        MovingBar { direction_deg: 30.0, length_deg: 40.0, contrast: -0.5, ..Default::default() }.into(),
        MovingBar { direction_deg: 255.0, width_deg: 0.4, repeat: false, contrast: 0.5, ..Default::default() }.into(),
        MovingEdge { direction_deg: 135.0, contrast: 0.5, ..Default::default() }.into(),
        MovingDots { coherence: 0.5, direction_deg: 110.0, ..Default::default() }.into(),
        MovingDots {
            motion: Motion::Flow,
            spiral_deg: 200.0,
            centre_x_deg: 20.0,
            coherence: 0.6,
            polarity: Polarity::White,
            ..Default::default()
        }
        .into(),
        MovingDots { coherence: 0.3, noise_rule: NoiseRule::RandomWalk, ..Default::default() }.into(),
        MovingDots {
            motion: Motion::Flow,
            noise_rule: NoiseRule::RandomPosition,
            coherence: 0.7,
            ..Default::default()
        }
        .into(),
        GaussianDot { x_deg: -20.0, y_deg: 11.0, sigma_deg: 9.0, contrast: -0.6 }.into(),
        FlashingGaussianDots { columns: 4, rows: 3, dot_secs: 0.1, contrast: 0.8, ..Default::default() }.into(),
        WhiteNoise::default().into(),
        SparseNoise { square_deg: 3.3, density: 0.3, refresh_hz: 11.0, ..Default::default() }.into(),
        BinaryNoise { square_deg: 3.3, contrast: 0.6, ..Default::default() }.into(),
        PinkNoise { spatial_exponent: 1.3, temporal_exponent: 1.7, contrast: 0.5, ..Default::default() }.into(),
        // In the moving window of the fourth period, and between windows.
        Monet { moving_fraction: 0.5, orientation_coherence: 1.6, ..Default::default() }.into(),
        Monet { directions: 5, blur_deg: 1.5, cut_off_hz: 9.0, ..Default::default() }.into(),
        Trippy { node_spacing_deg: 14.0, window_secs: 0.6, ..Default::default() }.into(),
        SparseNoise { square_deg: 3.3, density: 0.3, refresh_hz: 11.0, ..Default::default() }.into(),
        Scene { size_min_deg: 3.0, ..Default::default() }.into(),
        Scene { contrast: 0.7, size_min_deg: 5.0, looming_per_sec: 1.3, cut_secs: 0.5, ..Default::default() }.into(),
    ]
}
