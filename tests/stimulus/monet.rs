use std::f64::consts::{PI, TAU};

use twinscope::signals::{FrameRate, Monitor, Raster};
use twinscope::stimulus::{Monet, Prepared, TemporalWindow};

use super::spectrum::{correlation, frequencies, line, radial, transform};
use super::{draw, moments, prepared, small_monitor};

const RATE: FrameRate = FrameRate(30.0);

/// Distance between two directions, degrees.
fn apart(a: f64, b: f64) -> f64 {
    ((a - b + 180.0).rem_euclid(360.0) - 180.0).abs()
}

#[test]
fn a_trial_shows_every_direction_once_in_an_order_of_its_own() {
    let monet = Monet::default();
    let order = |seed: u64, trial: usize| -> Vec<f64> {
        // 450 frames a trial, 28.125 a period; its middle.
        (0..16).map(|period| monet.motion(RATE, seed, trial * 450 + (period * 225 + 112) / 8).direction_deg).collect()
    };
    let mut orders = Vec::new();
    for (seed, trial) in [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (1 << 32 | 1, 0)] {
        let shown = order(seed, trial);
        let mut sorted = shown.clone();
        sorted.sort_by(f64::total_cmp);
        assert_eq!(sorted, (0..16).map(|k| 22.5 * f64::from(k)).collect::<Vec<_>>());
        assert!(!orders.contains(&shown), "seed {seed} trial {trial} repeats an order");
        orders.push(shown);
    }
    // Each direction comes first as often as the others: 640 trials, 40 each, standard deviation 6.
    let first = (0..640).map(|seed| order(seed, 0)[0]).fold([0; 16], |mut counts, direction| {
        counts[(direction / 22.5) as usize] += 1;
        counts
    });
    assert!(first.iter().all(|&count| (16..=64).contains(&count)), "{first:?}");
}

#[test]
fn the_moving_window_is_the_middle_two_fifths_of_every_period() {
    let monet = Monet::default();
    for frame in 0..1350 {
        let motion = monet.motion(RATE, 3, frame);
        // In sixteenths of a frame: 450 a period, of which 135..315 are the window.
        let expected = (135..315).contains(&(16 * frame % 450));
        assert_eq!(motion.moving, expected, "frame {frame}");
    }
    for (fraction, moving) in [(0.0, 0), (1.0, 450)] {
        let monet = Monet { moving_fraction: fraction, ..Default::default() };
        assert_eq!((0..450).filter(|&frame| monet.motion(RATE, 3, frame).moving).count(), moving);
    }
}

/// Frames in the moving window, in their order.
fn windows(monet: &Monet, seed: u64, frames: usize) -> Vec<(usize, f64)> {
    let motions = (0..frames).map(|frame| (frame, monet.motion(RATE, seed, frame)));
    motions.filter(|(_, motion)| motion.moving).map(|(frame, motion)| (frame, motion.direction_deg)).collect()
}

#[test]
fn the_spectrum_is_gaussian_with_the_deviation_of_the_blur() {
    for blur_deg in [3.0, 5.0] {
        let monitor = small_monitor();
        let shown = prepared(Monet { moving_fraction: 0.0, blur_deg, ..Default::default() }, &monitor, 6);
        let mut power = vec![0.0; monitor.raster.pixels()];
        for frame in 0..24 {
            let values = transform(&draw(&shown, 20 * frame), monitor.raster);
            power.iter_mut().zip(values).for_each(|(sum, value)| *sum += value.norm_sqr());
        }
        let rings = radial(&monitor, &power);
        // Down to e^-6 of the power, far above the noise of whole grey levels.
        let points = rings[2..].iter().map(|&[frequency, power]| [(TAU * frequency).powi(2), power.ln()]);
        let points: Vec<_> = points.filter(|point| point[0] * blur_deg * blur_deg < 6.0).collect();
        let (slope, explained) = line(points.iter().copied());
        // Standard error 0.5 %.
        let deviation = (-slope).sqrt();
        assert!((deviation / blur_deg - 1.0).abs() < 0.02, "blur {blur_deg} measured as {deviation}");
        assert!(explained > 0.99, "a line explains {explained}");
    }
}

#[test]
fn only_the_moving_window_is_oriented_and_as_narrowly_as_was_asked() {
    let monitor = small_monitor();
    for coherence in [1.5, 2.5] {
        let monet = Monet { orientation_coherence: coherence, ..Default::default() };
        let shown = prepared(monet.clone(), &monitor, 9);
        let places = frequencies(&monitor);
        // Mean of cos 2q weighted by power: q is the angle between wave vector and direction.
        let along = |frames: &[(usize, f64)]| {
            let (mut sum, mut total) = (0.0, 0.0);
            for &(frame, direction) in frames {
                for (&[x, y], value) in places.iter().zip(transform(&draw(&shown, frame), monitor.raster)) {
                    if (0.02..0.12).contains(&x.hypot(y)) {
                        sum += value.norm_sqr() * (2.0 * (y.atan2(x) - direction.to_radians())).cos();
                        total += value.norm_sqr();
                    }
                }
            }
            sum / total
        };
        let inside = along(&windows(&monet, 9, 450).into_iter().step_by(4).collect::<Vec<_>>());
        let still = (0..450).map(|frame| (frame, monet.motion(RATE, 9, frame))).filter(|(_, motion)| !motion.moving);
        let outside = along(&still.map(|(frame, motion)| (frame, motion.direction_deg)).step_by(6).collect::<Vec<_>>());
        let steps = (-900..900).map(|step| f64::from(step) * PI / 1800.0);
        let power = |q: f64| if (coherence * q).abs() < PI { (1.0 + (coherence * q).cos()).powi(2) } else { 0.0 };
        let expected = steps.clone().map(|q| power(q) * (2.0 * q).cos()).sum::<f64>() / steps.map(power).sum::<f64>();
        // Some 500 independent waves in each of 16 windows; the Hann window blurs the angles of the lowest frequencies.
        assert!((inside - expected).abs() < 0.04, "coherence {coherence}: {inside} instead of {expected}");
        assert!(outside.abs() < 0.04, "outside the window: {outside}");
    }
}

/// Displacement from one frame to the next, degrees, from the phases of the waves, over all these frames.
fn displacement(shown: &Prepared, frames: &[usize]) -> [f64; 2] {
    let monitor = shown.monitor();
    let (mut xx, mut xy, mut yy, mut xp, mut yp) = (0.0f64, 0.0, 0.0, 0.0, 0.0);
    let mut cross = vec![rustfft::num_complex::Complex::<f64>::default(); monitor.raster.pixels()];
    for &frame in frames {
        let before = transform(&draw(shown, frame), monitor.raster);
        let after = transform(&draw(shown, frame + 1), monitor.raster);
        cross.iter_mut().zip(before.iter().zip(after)).for_each(|(sum, (b, a))| *sum += b * a.conj());
    }
    // Least squares of phase = 2 pi k d, weighted by the power.
    for ([x, y], value) in frequencies(monitor).into_iter().zip(cross) {
        let (weight, cycles) = (value.norm(), value.arg() / TAU);
        xx += weight * x * x;
        xy += weight * x * y;
        yy += weight * y * y;
        xp += weight * x * cycles;
        yp += weight * y * cycles;
    }
    let determinant = xx * yy - xy * xy;
    [(xp * yy - yp * xy) / determinant, (yp * xx - xp * xy) / determinant]
}

#[test]
fn the_picture_moves_in_the_direction_and_at_the_speed_that_were_asked_within_the_window_only() {
    // Slowly changing noise, so that little but the motion turns the phases.
    let monet = Monet { cut_off_hz: 1.0, speed_deg_per_sec: 40.0, blur_deg: 4.0, ..Default::default() };
    let shown = prepared(monet.clone(), &small_monitor(), 2);
    for period in 0..16 {
        let frames: Vec<usize> = (period * 225 / 8 + 1..(period + 1) * 225 / 8).collect();
        let moving = |frame: &usize| monet.motion(RATE, 2, *frame).moving && monet.motion(RATE, 2, frame + 1).moving;
        let [x, y] = displacement(&shown, &frames.iter().copied().filter(moving).collect::<Vec<_>>()).map(|d| 30.0 * d);
        let direction = monet.motion(RATE, 2, frames[14]).direction_deg;
        let found = y.atan2(x).to_degrees();
        // The changes of the noise turn the phases at random; the window of Hann holds the pattern back a little.
        assert!(apart(found, direction) < 10.0, "period {period}: moves at {found} instead of {direction} degrees");
        assert!((x.hypot(y) - 40.0).abs() < 6.0, "period {period}: {} degrees per second", x.hypot(y));
        let still = |frame: &usize| !monet.motion(RATE, 2, *frame).moving && !monet.motion(RATE, 2, frame + 1).moving;
        let [x, y] = displacement(&shown, &frames.iter().copied().filter(still).collect::<Vec<_>>()).map(|d| 30.0 * d);
        assert!(x.hypot(y) < 4.0, "period {period}: {} degrees per second outside the window", x.hypot(y));
    }
}

#[test]
fn the_noise_changes_as_white_noise_through_the_temporal_window() {
    let monitor = Monitor::WANG2025.with_raster(Raster { height: 36, width: 64 });
    use TemporalWindow::{HalfHamming, Hamming};
    for (rate, taps, temporal_window) in [(30.0, 16, HalfHamming), (60.0, 31, HalfHamming), (30.0, 16, Hamming)] {
        let monitor = Monitor { frame_rate: FrameRate(rate), ..monitor };
        let monet = Monet { moving_fraction: 0.0, temporal_window, ..Default::default() };
        let shown = prepared(monet, &monitor, 14);
        let frames: Vec<_> = (0..300).map(|frame| draw(&shown, frame)).collect();
        let turn = |n: i32| PI * f64::from(n) / f64::from(taps - 1);
        let window: Vec<f64> = match temporal_window {
            HalfHamming => (0..taps).map(|n| 0.54 + 0.46 * turn(n).cos()).collect(),
            Hamming => (0..taps).map(|n| 0.54 - 0.46 * (2.0 * turn(n)).cos()).collect(),
        };
        for lag in [1, 3, 6, 10, 16, 32] {
            let of = |frames: &[Vec<u8>]| frames.iter().flatten().map(|&grey| f64::from(grey)).collect::<Vec<_>>();
            let measured = correlation(of(&frames[..300 - lag]).into_iter(), of(&frames[lag..]).into_iter());
            let product = |lag: usize| window.iter().zip(window.iter().skip(lag)).map(|(a, b)| a * b).sum::<f64>();
            let expected = product(lag) / product(0);
            // Some 230 places times 30 to 60 moments are independent: standard error 0.01.
            assert!(
                (measured - expected).abs() < 0.035,
                "{temporal_window:?}, {rate} Hz, lag {lag}: {measured} instead of {expected}"
            );
        }
    }
}

#[test]
fn orientation_keeps_three_quarters_of_the_variance() {
    let deviation = |moving_fraction: f64| {
        let monet = Monet { moving_fraction, contrast: 0.3, ..Default::default() };
        let shown = prepared(monet, &small_monitor(), 30);
        let values: Vec<f64> = (0..40).flat_map(|frame| draw(&shown, 11 * frame)).map(f64::from).collect();
        let (mean, deviation) = moments(values.iter().copied());
        let (kurtosis, _) = moments(values.iter().map(|value| ((value - mean) / deviation).powi(4)));
        // Some 230 independent places a frame: standard errors 0.4 and 0.05. Whole cycles of the field leave no mean.
        assert!((mean - 128.0).abs() < 1.5 && (kurtosis - 2.97).abs() < 0.2, "{mean}, kurtosis {kurtosis}");
        deviation
    };
    let (free, oriented) = (deviation(0.0), deviation(1.0));
    // 0.3 of a swing of 127.
    assert!((free - 38.1).abs() < 1.0, "{free}");
    assert!((oriented - 38.1 * 0.75f64.sqrt()).abs() < 1.0, "{oriented}");
}

#[test]
fn seeds_are_independent() {
    let of = |seed| draw(&prepared(Monet::default(), &small_monitor(), seed), 40);
    for other in [2, 1 << 32 | 1] {
        let r = correlation(of(1).into_iter().map(f64::from), of(other).into_iter().map(f64::from));
        // Some 230 independent places: standard error 0.066.
        assert!(r.abs() < 0.25, "seed {other}: {r}");
    }
}
