use std::f64::consts::TAU;

use twinscope::signals::{FrameRate, Monitor, Raster};
use twinscope::stimulus::{Chirp, Flash, LuminanceSteps, StepOrder, Stimulus, Sweep};

use super::{draw, prepared};

const MONITOR: Monitor = Monitor { raster: Raster { height: 3, width: 4 }, ..Monitor::WANG2025 };

/// The level of each frame; every pixel has it.
fn course(stimulus: impl Into<Stimulus>, monitor: &Monitor, seed: u64, frames: usize) -> Vec<u8> {
    let shown = prepared(stimulus, monitor, seed);
    (0..frames)
        .map(|frame| {
            let pixels = draw(&shown, frame);
            assert!(pixels.iter().all(|&grey| grey == pixels[0]), "uniform");
            pixels[0]
        })
        .collect()
}

#[test]
fn a_flash_is_on_first_then_off_for_their_times() {
    let flash = Flash { contrast: 1.0, off_contrast: 0.0, on_secs: 0.3, off_secs: 0.7 };
    for (frame, level) in course(flash, &MONITOR, 1, 300).into_iter().enumerate() {
        assert_eq!(level, if frame % 30 < 9 { 255 } else { 128 }, "frame {frame}");
    }
}

#[test]
fn contrasts_of_a_flash_span_black_to_white_around_the_background() {
    for (contrast, level) in [(1.0, 255), (0.5, 192), (0.0, 128), (-0.5, 64), (-1.0, 0)] {
        let flash = Flash { contrast, off_contrast: -contrast, on_secs: 0.5, off_secs: 0.5 };
        let levels = course(flash, &MONITOR, 1, 30);
        assert_eq!(levels[0], level);
        assert_eq!(i32::from(levels[29]) + i32::from(level), if contrast == 0.0 { 256 } else { levels_sum(contrast) });
    }
    let without_pause = Flash { off_secs: 0.0, ..Default::default() };
    assert!(course(without_pause, &MONITOR, 1, 60).iter().all(|&level| level == 255));
}

/// White and black make 255, half of each 192 + 64.
fn levels_sum(contrast: f64) -> i32 {
    if contrast.abs() > 0.9 { 255 } else { 256 }
}

/// A chirp at many frames per second, so that crossings show its phase.
const FINE: Monitor = Monitor { frame_rate: FrameRate(2000.0), ..MONITOR };

/// Times at which a course rises through the background, seconds from `from`.
fn rises(levels: &[u8], from: usize, to: usize) -> Vec<f64> {
    let value = |frame: usize| f64::from(levels[frame]) - 128.0;
    (from + 1..to)
        .filter(|&frame| value(frame - 1) < 0.0 && value(frame) >= 0.0)
        .map(|frame| (frame as f64 - value(frame) / (value(frame) - value(frame - 1)) - from as f64) / 2000.0)
        .collect()
}

#[test]
fn the_phase_of_a_chirp_is_the_integral_of_its_frequency() {
    for sweep in [Sweep::Linear, Sweep::Octaves] {
        for (start_hz, end_hz) in [(0.5, 8.0), (10.0, 1.0)] {
            let chirp = Chirp {
                step_secs: 0.0,
                pause_secs: 0.5,
                frequency_sweep_secs: 4.0,
                contrast_sweep_secs: 0.0,
                start_hz,
                end_hz,
                sweep,
                ..Default::default()
            };
            let levels = course(chirp, &FINE, 1, 8000);
            // The integral by the midpoint rule, not by the formula.
            let frequency = |t: f64| match sweep {
                Sweep::Linear => start_hz + (end_hz - start_hz) * t / 4.0,
                Sweep::Octaves => start_hz * (end_hz / start_hz).powf(t / 4.0),
            };
            let steps = 40_000;
            let mut phase = 0.0;
            let mut expected = Vec::new();
            for step in 0..steps {
                let next = phase + frequency((f64::from(step) + 0.5) * 1e-4) * 1e-4;
                if next.floor() > phase.floor() {
                    expected.push(f64::from(step + 1) * 1e-4);
                }
                phase = next;
            }
            let found = rises(&levels, 0, 8000);
            // The end may fall on a whole cycle.
            assert!(found.len().abs_diff(expected.len()) <= 1 && found.len() > 8, "{found:?} {expected:?}");
            for (a, b) in found.iter().zip(&expected) {
                assert!((a - b).abs() < 2e-3, "{sweep:?} {start_hz} to {end_hz}: {a}, expected {b}");
            }
        }
    }
}

#[test]
fn the_contrast_of_a_chirp_grows_linearly_at_a_constant_frequency() {
    let chirp = Chirp {
        step_secs: 0.0,
        frequency_sweep_secs: 0.0,
        contrast_sweep_secs: 8.0,
        contrast_sweep_hz: 2.0,
        contrast: 0.8,
        ..Default::default()
    };
    let levels = course(chirp, &MONITOR, 1, 240);
    for (frame, &level) in levels.iter().enumerate() {
        let t = frame as f64 / 30.0;
        let expected = 128.0 + 0.8 * 127.0 * t / 8.0 * (TAU * 2.0 * t).sin();
        assert!((f64::from(level) - expected).abs() <= 0.51, "frame {frame}: {level}, expected {expected}");
    }
}

#[test]
fn the_parts_of_a_chirp_follow_each_other_with_pauses_and_repeat() {
    let chirp = Chirp::default();
    let levels = course(chirp.clone(), &MONITOR, 1, 1800);
    // 3 s bright, 3 s dark, 2 s grey, 8 s, 2 s grey, 8 s, 2 s grey: 28 s.
    assert!(levels[..90].iter().all(|&level| level == 255) && levels[90..180].iter().all(|&level| level == 1));
    for pause in [180..240, 480..540, 780..840] {
        assert!(levels[pause.clone()].iter().all(|&level| level == 128), "{pause:?}");
    }
    assert!(levels[240..480].iter().any(|&level| level > 240) && levels[540..780].iter().any(|&level| level > 240));
    assert_eq!(levels[840..1680], levels[..840]);
    let once = course(Chirp { repeat: false, ..chirp }, &MONITOR, 1, 1800);
    assert!(once[..840] == levels[..840] && once[840..].iter().all(|&level| level == 128));
    let nothing = Chirp { step_secs: 0.0, frequency_sweep_secs: 0.0, contrast_sweep_secs: 0.0, ..Default::default() };
    assert!(course(nothing, &MONITOR, 1, 100).iter().all(|&level| level == 128));
}

#[test]
fn a_chirp_faster_than_half_the_frame_rate_is_refused() {
    let fast = Stimulus::from(Chirp { end_hz: 15.5, ..Default::default() });
    let error = fast.validate_for(&MONITOR).expect_err("15 Hz is the limit").to_string();
    assert!(error.contains("`end_hz` is 15.5") && error.contains("15 Hz"), "{error}");
}

#[test]
fn luminance_steps_go_up_or_down_over_all_greys() {
    let steps = |order| LuminanceSteps { steps: 6, step_secs: 0.5, order };
    let expected = [0u8, 51, 102, 153, 204, 255];
    let up = course(steps(StepOrder::Up), &MONITOR, 1, 180);
    let down = course(steps(StepOrder::Down), &MONITOR, 1, 180);
    for frame in 0..180 {
        assert_eq!(up[frame], expected[frame / 15 % 6], "{frame}");
        assert_eq!(down[frame], expected[5 - frame / 15 % 6], "{frame}");
    }
}

#[test]
fn shuffled_steps_show_every_level_once_a_round_in_an_order_of_its_own() {
    let shuffled = LuminanceSteps { steps: 20, step_secs: 0.1, order: StepOrder::Shuffled };
    let levels = course(shuffled.clone(), &MONITOR, 5, 180);
    let rounds: Vec<Vec<u8>> = levels.chunks(60).map(|round| round.iter().step_by(3).copied().collect()).collect();
    for round in &rounds {
        let mut sorted = round.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), 20);
    }
    assert!(rounds[0] != rounds[1] && rounds[1] != rounds[2]);
    assert_ne!(course(shuffled, &MONITOR, 6, 180), levels);
    // Over many rounds each level comes first equally often: 500 rounds of 4, standard deviation 9.7.
    let four = LuminanceSteps { steps: 4, step_secs: 0.1, order: StepOrder::Shuffled };
    let first: Vec<u8> = course(four, &MONITOR, 7, 6000).into_iter().step_by(12).collect();
    for level in [0u8, 85, 170, 255] {
        let count = first.iter().filter(|&&shown| shown == level).count();
        assert!((86..165).contains(&count), "{level}: {count}");
    }
}
