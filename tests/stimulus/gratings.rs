use std::f64::consts::TAU;

use twinscope::signals::{Monitor, Raster};
use twinscope::stimulus::DriftingGrating;

use super::{draw, moments, prepared, small_monitor};

/// Amplitude and phase (radians) of the middle row's component with this period, over whole periods about the centre.
fn component(row: &[u8], period: f64, periods: f64) -> (f64, f64) {
    let middle = (row.len() as f64 - 1.0) / 2.0;
    let half = period * periods / 2.0;
    let (mut real, mut imaginary, mut count) = (0.0, 0.0, 0.0);
    for (column, &grey) in row.iter().enumerate() {
        let x = column as f64 - middle;
        if x.abs() <= half {
            let value = f64::from(grey) - 128.0;
            real += value * (TAU * x / period).cos();
            imaginary -= value * (TAU * x / period).sin();
            count += 1.0;
        }
    }
    (2.0 * real.hypot(imaginary) / count, imaginary.atan2(real))
}

fn middle_row(pixels: &[u8], raster: Raster) -> &[u8] {
    &pixels[raster.height / 2 * raster.width..][..raster.width]
}

#[test]
fn a_grating_of_004_cycles_per_degree_has_a_period_of_29_655_pixels_at_the_centre() {
    // Many pixels, so that whole grey levels do not blur where the grating crosses its mean.
    let raster = Raster { height: 16, width: 4096 };
    let grating = DriftingGrating { phase_deg: 90.0, temporal_frequency_hz: 0.0, ..Default::default() };
    let pixels = draw(&prepared(grating, &Monitor::WANG2025.with_raster(raster), 1), 0);
    let row: Vec<f64> = middle_row(&pixels, raster).iter().map(|&g| f64::from(g) - 128.0).collect();
    // Falling through the mean once in every period.
    let crossings: Vec<f64> = (1..row.len())
        .filter(|&i| row[i - 1] > 0.0 && row[i] <= 0.0)
        .map(|i| i as f64 - 1.0 + row[i - 1] / (row[i - 1] - row[i]))
        .collect();
    let period = (crossings[crossings.len() - 1] - crossings[0]) / (crossings.len() - 1) as f64 / 16.0;
    // One pixel of the fine raster is 1/16 of a published one; crossings are found to a tenth of that, over 7 periods.
    assert!((period - 29.655).abs() < 2e-3, "{period}");
}

#[test]
fn a_grating_drifts_in_its_direction_at_its_speed() {
    // 0.04 cycles/deg, 2 Hz: 50 deg/s at the centre. Between frames the pattern moves 2/30 of a period.
    let monitor = small_monitor();
    let (width, height) = (monitor.raster.width, monitor.raster.height);
    for (direction, vertical, sign) in [(0.0, false, 1.0), (180.0, false, -1.0), (90.0, true, 1.0), (270.0, true, -1.0)]
    {
        let shown = prepared(DriftingGrating { direction_deg: direction, ..Default::default() }, &monitor, 1);
        let phase = |frame| {
            let pixels = draw(&shown, frame);
            let (period, line): (f64, Vec<u8>) = if vertical {
                // Upwards along the middle column.
                let pitch = monitor.height_cm / height as f64;
                let line = (0..height).rev().map(|row| pixels[row * width + width / 2]).collect();
                (25f64.to_radians() * monitor.distance_cm / pitch, line)
            } else {
                let pitch = monitor.width_cm / width as f64;
                (25f64.to_radians() * monitor.distance_cm / pitch, middle_row(&pixels, monitor.raster).to_vec())
            };
            component(&line, period, 4.0).1
        };
        // cos(k x - w t) has phase -w t.
        let moved = (phase(0) - phase(3)).rem_euclid(TAU);
        let expected = (sign * TAU * 2.0 * 3.0 / 30.0).rem_euclid(TAU);
        // A row of 15-pixel periods in whole grey levels, cut at whole pixels: phase to 0.05 rad.
        assert!((moved - expected).abs() < 0.05, "{direction}: moved {moved}, expected {expected}");
    }
}

#[test]
fn the_phase_at_onset_is_that_of_the_middle_of_the_screen() {
    let monitor = Monitor::WANG2025.with_raster(Raster { height: 3, width: 5 });
    for (phase_deg, grey) in [(0.0, 255), (90.0, 128), (180.0, 1), (59.0, 193), (61.0, 190)] {
        for spherical in [false, true] {
            let grating = DriftingGrating { phase_deg, spherical, direction_deg: 77.0, ..Default::default() };
            assert_eq!(draw(&prepared(grating, &monitor, 1), 0)[7], grey, "{phase_deg} spherical {spherical}");
        }
    }
}

#[test]
fn a_spherical_grating_has_the_same_cycles_per_degree_everywhere() {
    let raster = Raster { height: 3, width: 4001 };
    let monitor = Monitor::WANG2025.with_raster(raster);
    let grating =
        DriftingGrating { spherical: true, phase_deg: 90.0, temporal_frequency_hz: 0.0, ..Default::default() };
    let pixels = draw(&prepared(grating, &monitor, 1), 0);
    let row: Vec<f64> = middle_row(&pixels, raster).iter().map(|&g| f64::from(g) - 128.0).collect();
    let mut last: Option<f64> = None;
    let mut periods = 0;
    for column in 1..row.len() {
        if row[column - 1] > 0.0 && row[column] <= 0.0 {
            let at = column as f64 - 1.0 + row[column - 1] / (row[column - 1] - row[column]);
            let degrees = monitor.degrees_from_pixel(1.0, at).0;
            if let Some(before) = last.replace(degrees) {
                // A crossing is found to about one fine pixel, at most 0.06 degrees.
                assert!((degrees - before - 25.0).abs() < 0.1, "{before} to {degrees}");
                periods += 1;
            }
        }
    }
    assert_eq!(periods, 4, "25-degree periods between crossings in a field of 124 degrees");
}

#[test]
fn the_rms_contrast_of_a_grating_is_its_amplitude_over_the_root_of_two() {
    for contrast in [1.0, 0.5, 0.1] {
        let shown = prepared(DriftingGrating { contrast, ..Default::default() }, &small_monitor(), 1);
        let (mean, deviation) = moments((0..15).flat_map(|frame| draw(&shown, frame)).map(f64::from));
        // One whole cycle of 15 frames at every pixel: exact but for whole grey levels.
        assert!((mean - 128.0).abs() < 0.1, "{mean}");
        assert!((deviation - 127.0 * contrast / 2f64.sqrt()).abs() < 0.1, "{deviation}");
    }
}
