use twinscope::signals::{Monitor, Raster};
use twinscope::stimulus::PinkNoise;

use super::spectrum::{correlation, line, radial, temporal, transform};
use super::{draw, moments, prepared, small_monitor};

/// Power in rings of spatial frequency, mean over frames that are far apart.
fn rings(noise: PinkNoise, monitor: &Monitor) -> Vec<[f64; 2]> {
    let shown = prepared(noise, monitor, 12);
    let mut power = vec![0.0; monitor.raster.pixels()];
    for frame in 0..24 {
        let values = transform(&draw(&shown, 50 * frame), monitor.raster);
        power.iter_mut().zip(values).for_each(|(sum, value)| *sum += value.norm_sqr());
    }
    radial(monitor, &power)
}

fn logarithms(points: &[[f64; 2]]) -> impl Iterator<Item = [f64; 2]> + Clone + '_ {
    points.iter().map(|point| point.map(f64::ln))
}

#[test]
fn power_falls_over_spatial_frequency_with_the_exponent_that_was_asked() {
    for exponent in [0.0, 1.0, 2.0] {
        let noise =
            PinkNoise { spatial_exponent: exponent, temporal_exponent: 0.0, contrast: 0.3, ..Default::default() };
        let rings = rings(noise, &small_monitor());
        // Without the lowest two and the highest fifth of the rings, where window and raster count.
        let (slope, _) = line(logarithms(&rings[3..rings.len() * 4 / 5]));
        // The window raises the lowest ring of power 1/f^2 by 7 %, which steepens the line by 0.03; the standard error
        // is 0.02.
        assert!((slope + exponent).abs() < 0.08, "power 1/f^{exponent} measured as 1/f^{}", -slope);
    }
}

#[test]
fn power_is_flat_below_the_spatial_cut_off() {
    let noise = PinkNoise { spatial_cut_off_cyc_per_deg: 0.12, temporal_exponent: 0.0, ..Default::default() };
    let rings = rings(noise, &small_monitor());
    let slope = |least: f64, most: f64| {
        let within: Vec<_> = rings[3..].iter().copied().filter(|ring| (least..most).contains(&ring[0])).collect();
        line(logarithms(&within)).0
    };
    let (below, above) = (slope(0.0, 0.11), slope(0.13, 0.24));
    assert!(below.abs() < 0.08 && (above + 2.0).abs() < 0.12, "slopes {below} and {above}");
}

/// Power over time at every pixel of a small raster: bins of 30/1024 Hz.
fn in_time(noise: PinkNoise) -> Vec<[f64; 2]> {
    let monitor = Monitor::WANG2025.with_raster(Raster { height: 18, width: 32 });
    let shown = prepared(noise, &monitor, 5);
    let frames: Vec<Vec<u8>> = (1000..2024).map(|frame| draw(&shown, frame)).collect();
    let series = (0..monitor.raster.pixels()).map(|pixel| frames.iter().map(|f| f64::from(f[pixel])).collect());
    temporal(series).into_iter().enumerate().map(|(bin, power)| [bin as f64 * 30.0 / 1024.0, power]).collect()
}

#[test]
fn power_falls_over_temporal_frequency_with_the_exponent_that_was_asked() {
    for exponent in [0.0, 1.0, 2.0] {
        let noise = PinkNoise {
            temporal_exponent: exponent,
            temporal_cut_off_hz: 0.05,
            spatial_exponent: 0.5,
            contrast: 0.3,
            ..Default::default()
        };
        let bins = in_time(noise);
        let (slope, _) = line(logarithms(&bins[4..bins.len() * 4 / 5]));
        // 400 bins of some 500 independent pixels: standard error 0.005; whole grey levels add white noise.
        assert!((slope + exponent).abs() < 0.05, "power 1/f^{exponent} measured as 1/f^{}", -slope);
    }
}

#[test]
fn power_is_flat_below_the_temporal_cut_off() {
    let noise =
        PinkNoise { temporal_exponent: 2.0, temporal_cut_off_hz: 4.0, spatial_exponent: 0.0, ..Default::default() };
    let bins = in_time(noise);
    let slope = |least: f64, most: f64| {
        let within: Vec<_> = bins[3..].iter().copied().filter(|bin| (least..most).contains(&bin[0])).collect();
        line(logarithms(&within)).0
    };
    let (below, above) = (slope(0.0, 3.8), slope(4.2, 12.0));
    assert!(below.abs() < 0.05 && (above + 2.0).abs() < 0.05, "slopes {below} and {above}");
}

#[test]
fn grey_levels_are_gaussian_with_the_deviation_that_was_asked_and_clip_as_often_as_a_gaussian() {
    let noise = PinkNoise { temporal_exponent: 0.0, spatial_cut_off_cyc_per_deg: 0.05, ..Default::default() };
    let shown = prepared(noise, &small_monitor(), 8);
    let values: Vec<f64> = (0..100).flat_map(|frame| draw(&shown, frame)).map(f64::from).collect();
    let (mean, deviation) = moments(values.iter().copied());
    // Some 100 independent places a frame: standard errors 0.44 and 0.31 of 44.45.
    assert!((mean - 128.0).abs() < 1.5 && (deviation - 44.45).abs() < 1.2, "{mean} and {deviation}");
    let (kurtosis, _) = moments(values.iter().map(|value| ((value - mean) / deviation).powi(4)));
    // Clipping at 2.86 deviations takes 0.1 of the 3.
    assert!((kurtosis - 2.92).abs() < 0.12, "{kurtosis}");
    let clipped = values.iter().filter(|&&value| value == 0.0 || value == 255.0).count() as f64 / values.len() as f64;
    // Beyond 127.5 and 126.5 levels: 0.21 and 0.22 %.
    assert!((clipped - 0.0043).abs() < 0.001, "{clipped}");
}

#[test]
fn seeds_are_independent_and_frames_far_apart_too() {
    let noise = PinkNoise { spatial_exponent: 0.0, temporal_exponent: 1.0, ..Default::default() };
    let of = |seed: u64, frame: usize| draw(&prepared(noise.clone(), &small_monitor(), seed), frame);
    let reference = of(1, 100);
    for (seed, frame) in [(2, 100), (1 << 32 | 1, 100), (1, 5100), (1, 40_100)] {
        let other = of(seed, frame);
        let r = correlation(reference.iter().map(|&v| f64::from(v)), other.iter().map(|&v| f64::from(v)));
        // 9216 independent pixels: standard error 0.0104, or a little more for what 1/f in time remembers.
        assert!(r.abs() < 0.05, "seed {seed} frame {frame}: {r}");
    }
    let next = of(1, 101);
    let r = correlation(reference.iter().map(|&v| f64::from(v)), next.iter().map(|&v| f64::from(v)));
    assert!(r > 0.4, "neighbouring frames: {r}");
}

#[test]
fn opposite_borders_of_the_screen_are_not_neighbours() {
    let noise = PinkNoise { temporal_exponent: 0.0, spatial_cut_off_cyc_per_deg: 0.03, ..Default::default() };
    let shown = prepared(noise, &small_monitor(), 21);
    let frames: Vec<_> = (0..200).map(|frame| draw(&shown, frame)).collect();
    let between = |a: usize, b: usize| {
        let column = |x: usize| frames.iter().flat_map(move |f| (0..72).map(move |y| f64::from(f[y * 128 + x])));
        correlation(column(a), column(b))
    };
    let (near, across) = (between(0, 1), between(0, 127));
    // Some 5 independent places in each of 200 columns: standard error 0.03.
    assert!(near > 0.5 && across.abs() < 0.12, "neighbours {near}, borders {across}");
}

#[test]
fn noise_without_contrast_is_the_background() {
    let shown = prepared(PinkNoise { contrast: 0.0, ..Default::default() }, &small_monitor(), 4);
    assert!(draw(&shown, 5).iter().all(|&grey| grey == 128));
}

#[test]
fn the_smallest_screens_can_be_drawn_on() {
    for (height, width) in [(1, 1), (1, 7), (5, 1), (3, 5)] {
        let monitor = Monitor::WANG2025.with_raster(Raster { height, width });
        let pixels = draw(&prepared(PinkNoise { contrast: 0.1, ..Default::default() }, &monitor, 1), 3);
        // Within 5 deviations of 12.7 levels; what was not drawn is 0.
        assert!(pixels.iter().all(|grey| (64..192).contains(grey)), "{height} x {width}: {pixels:?}");
    }
}
