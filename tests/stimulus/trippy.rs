use std::f64::consts::{PI, TAU};

use twinscope::signals::Monitor;
use twinscope::stimulus::Trippy;

use super::spectrum::correlation;
use super::{draw, moments, prepared, small_monitor};

#[test]
fn the_local_spatial_frequency_has_the_root_mean_square_that_was_asked() {
    // Small waves, so that the difference of neighbours is the gradient; many nodes, so that a few frames tell.
    for (frequency, node_spacing_deg) in [(0.03, 10.0), (0.02, 14.0)] {
        let trippy = Trippy { spatial_frequency_cyc_per_deg: frequency, node_spacing_deg, ..Default::default() };
        let (width, degrees) = (256, (56.5f64 / 256.0 / 15.0).to_degrees());
        let (mut sum, mut count) = (0.0, 0.0);
        for seed in 0..12 {
            let pixels = draw(&prepared(trippy.clone(), &Monitor::WANG2025, seed), 37 * seed as usize);
            let grey = |row: usize, column: usize| f64::from(pixels[row * width + column]);
            for row in 1..143 {
                for column in 1..255 {
                    let x = (grey(row, column + 1) - grey(row, column - 1)) / (2.0 * degrees);
                    let y = (grey(row + 1, column) - grey(row - 1, column)) / (2.0 * degrees);
                    sum += x * x + y * y;
                    count += 1.0;
                }
            }
        }
        // The gradient of 127 cos(2 pi phi) is 127 2 pi sin(2 pi phi) times that of phi; the mean of sin^2 is 1/2.
        let found = (2.0 * sum / count).sqrt() / (127.0 * TAU);
        // Some 700 independent places: standard error 2 %.
        assert!((found / frequency - 1.0).abs() < 0.08, "{found} instead of {frequency} cycles per degree");
    }
}

#[test]
fn the_frequency_is_as_high_across_as_up_and_between_the_nodes_as_on_them() {
    let trippy = Trippy { spatial_frequency_cyc_per_deg: 0.03, node_spacing_deg: 10.0, ..Default::default() };
    let (mut across, mut up) = (0.0, 0.0);
    for seed in 0..20 {
        let pixels = draw(&prepared(trippy.clone(), &small_monitor(), seed), 5);
        for row in 0..71 {
            for column in 0..127 {
                let here = f64::from(pixels[row * 128 + column]);
                across += (f64::from(pixels[row * 128 + column + 1]) - here).powi(2);
                up += (f64::from(pixels[(row + 1) * 128 + column]) - here).powi(2);
            }
        }
    }
    // Some 1200 independent places on each side.
    assert!((across / up - 1.0).abs() < 0.15, "{across} across and {up} up");
}

#[test]
fn every_place_drifts_at_the_temporal_frequency() {
    // Without stripes only the drift is left: 2.5 Hz is a cycle in 12 frames.
    let trippy = Trippy { spatial_frequency_cyc_per_deg: 0.0, ..Default::default() };
    let shown = prepared(trippy, &small_monitor(), 3);
    for frame in [0, 1, 5, 12, 31, 1200] {
        let expected = (128.0 + 127.0 * (TAU * 2.5 * frame as f64 / 30.0).cos()).round() as u8;
        // Rounding of half a level may fall either way.
        assert!(draw(&shown, frame).iter().all(|&grey| grey.abs_diff(expected) <= 1), "frame {frame}");
    }
}

#[test]
fn the_phase_forgets_itself_through_the_temporal_window() {
    let trippy = Trippy { node_spacing_deg: 10.0, temporal_frequency_hz: 2.5, ..Default::default() };
    let shown = prepared(trippy, &small_monitor(), 17);
    let between = |lag: usize| {
        let pairs = (0..10).map(|k| (draw(&shown, 100 * k), draw(&shown, 100 * k + lag)));
        let (a, b): (Vec<_>, Vec<_>) = pairs.unzip();
        correlation(a.concat().into_iter().map(f64::from), b.concat().into_iter().map(f64::from))
    };
    // Gaussian phases of variance v = (0.06 x 10 x 0.7)^2 squared cycles, whose correlation r over the lag is that of the
    // Hanning window of 31 frames, leave e^(-4 pi^2 v (1 - r)) of the correlation; the drift turns it.
    let v = (0.06f64 * 10.0 * 0.7).powi(2);
    let window: Vec<f64> = (-15..=15).map(|n| 0.5 + 0.5 * (PI * f64::from(n) / 16.0).cos()).collect();
    let product = |lag: usize| window.iter().zip(window.iter().skip(lag)).map(|(a, b)| a * b).sum::<f64>();
    for lag in [1, 3, 6, 36] {
        let r = product(lag) / product(0);
        let drift = (TAU * 2.5 * lag as f64 / 30.0).cos();
        let (found, expected) = (between(lag), (-4.0 * PI * PI * v * (1.0 - r)).exp() * drift);
        // Some 300 independent places: standard error 0.05.
        assert!((found - expected).abs() < 0.15, "lag {lag}: {found} instead of {expected}");
    }
}

#[test]
fn all_phases_are_equally_frequent() {
    let shown = prepared(Trippy { node_spacing_deg: 10.0, contrast: 0.8, ..Default::default() }, &small_monitor(), 4);
    let values: Vec<u8> = (0..30).flat_map(|k| draw(&shown, 50 * k)).collect();
    let (mean, deviation) = moments(values.iter().map(|&grey| f64::from(grey)));
    // A sinusoid of amplitude 0.8 x 127 has that over sqrt(2); some 900 independent places: standard errors 2.4 and 1.2.
    assert!((mean - 128.0).abs() < 8.0 && (deviation - 101.6 / 2f64.sqrt()).abs() < 4.0, "{mean} and {deviation}");
    let (least, most) = (values.iter().min(), values.iter().max());
    assert_eq!((least, most), (Some(&26), Some(&230)));
}

#[test]
fn drifts_faster_than_the_screen_are_refused() {
    let mut monitor = Monitor::WANG2025;
    monitor.frame_rate.0 = 10.0;
    let fast = twinscope::stimulus::Stimulus::from(Trippy { temporal_frequency_hz: 6.0, ..Default::default() });
    let error = fast.validate_for(&monitor).expect_err("above half the frame rate").to_string();
    assert!(error.contains("temporal_frequency_hz") && error.contains("0..=5"), "{error}");
}

#[test]
fn seeds_are_independent() {
    let trippy = Trippy { node_spacing_deg: 10.0, ..Default::default() };
    let of = |seed: u64| -> Vec<u8> {
        let shown = prepared(trippy.clone(), &small_monitor(), seed);
        (0..10).flat_map(|k| draw(&shown, 50 * k)).collect()
    };
    let r = correlation(of(1).into_iter().map(f64::from), of(1 << 32 | 1).into_iter().map(f64::from));
    // Some 300 independent places.
    assert!(r.abs() < 0.25, "{r}");
}
