use std::f64::consts::TAU;

use rustfft::FftPlanner;
use rustfft::num_complex::Complex;
use twinscope::signals::{Monitor, Raster};
use twinscope::stimulus::{DriftingGabor, DriftingGrating, Plaid, StaticGrating, Stimulus, Waveform};

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

/// Values of the picture along a line of equally spaced points in azimuthal-equidistant degrees.
fn along(
    pixels: &[u8],
    monitor: &Monitor,
    centre: [f64; 2],
    direction_deg: f64,
    length: f64,
    points: usize,
) -> Vec<f64> {
    let (sin, cos) = direction_deg.to_radians().sin_cos();
    let raster = monitor.raster;
    let (dx, dy) = monitor.pitch_cm();
    let value = |row: usize, column: usize| f64::from(pixels[row * raster.width + column]) - 128.0;
    (0..points)
        .map(|k| {
            let s = ((k as f64 + 0.5) / points as f64 - 0.5) * length;
            let (x, y) = monitor.cm_from_degrees(centre[0] + s * cos, centre[1] + s * sin).expect("on the screen");
            let (column, row) =
                (x / dx + (raster.width as f64 - 1.0) / 2.0, -y / dy + (raster.height as f64 - 1.0) / 2.0);
            let (r, c) = (row.floor() as usize, column.floor() as usize);
            let (down, right) = (row - row.floor(), column - column.floor());
            (1.0 - down) * ((1.0 - right) * value(r, c) + right * value(r, c + 1))
                + down * ((1.0 - right) * value(r + 1, c) + right * value(r + 1, c + 1))
        })
        .collect()
}

/// Frequency, cycles per sample, and phase in cycles at sample 0 of the strongest component, by Fourier transform.
///
/// With a Hann window the true frequency of a sinusoid lies (2 q - 1) / (q + 1) bins beside the strongest bin, where q is
/// the ratio of the larger neighbour to it.
fn strongest(values: &[f64]) -> (f64, f64) {
    let count = values.len();
    let mut spectrum: Vec<Complex<f64>> = values
        .iter()
        .enumerate()
        .map(|(k, v)| Complex::new(v * (0.5 - 0.5 * (TAU * k as f64 / count as f64).cos()), 0.0))
        .collect();
    FftPlanner::new().plan_fft_forward(count).process(&mut spectrum);
    let peak = (1..count / 2 - 1).max_by(|&a, &b| spectrum[a].norm().total_cmp(&spectrum[b].norm())).expect("bins");
    let (below, above) = (spectrum[peak - 1].norm(), spectrum[peak + 1].norm());
    let q = below.max(above) / spectrum[peak].norm();
    let beside = (2.0 * q - 1.0) / (q + 1.0);
    let frequency = (peak as f64 + if above > below { beside } else { -beside }) / count as f64;
    // The window is symmetric about its middle: the phase there is that of the bin at the middle, half a count on.
    let middle: Complex<f64> = values
        .iter()
        .enumerate()
        .map(|(k, v)| {
            let window = 0.5 - 0.5 * (TAU * (k as f64 + 0.5) / count as f64).cos();
            Complex::from_polar(v * window, -TAU * frequency * (k as f64 - (count as f64 - 1.0) / 2.0))
        })
        .sum();
    (frequency, middle.arg() / TAU)
}

/// Spatial frequency in cycles per degree, and drift in cycles per second, of a picture's stripes near a place.
fn measured(stimulus: Stimulus, monitor: &Monitor, centre: [f64; 2], direction_deg: f64, length: f64) -> (f64, f64) {
    let shown = prepared(stimulus, monitor, 1);
    let points = 512;
    let near = |frame| strongest(&along(&draw(&shown, frame), monitor, centre, direction_deg, length, points));
    let ((frequency, before), (_, after)) = (near(0), near(2));
    // cos(2 pi (f s - tf t)): the phase at a place falls by tf in each second.
    let cycles = (before - after + 0.5).rem_euclid(1.0) - 0.5;
    (frequency * points as f64 / length, cycles * monitor.frame_rate.0 / 2.0)
}

#[test]
fn flat_gratings_have_their_frequency_direction_and_speed_at_the_centre() {
    // Fine pixels, so that whole grey levels and interpolation do not limit what is measured.
    let monitor = Monitor::WANG2025.with_raster(Raster { height: 288, width: 512 });
    for (direction_deg, spatial, temporal) in
        [(0.0, 0.2, 2.0), (45.0, 0.3, 1.0), (90.0, 0.2, 4.0), (200.0, 0.25, 6.0), (315.0, 0.2, 0.5)]
    {
        for waveform in [Waveform::Sine, Waveform::Square] {
            let grating = DriftingGrating {
                direction_deg,
                spatial_frequency_cyc_per_deg: spatial,
                temporal_frequency_hz: temporal,
                waveform,
                ..Default::default()
            };
            let (frequency, drift) = measured(grating.into(), &monitor, [0.0, 0.0], direction_deg, 24.0);
            // Twelve degrees out the flat screen has tan(12) / 12 = 1.5 percent more cycles per degree; the window
            // weighs them little.
            assert!((frequency / spatial - 1.0).abs() < 0.01, "{direction_deg} {waveform:?}: {frequency}");
            assert!((drift - temporal).abs() < 0.05, "{direction_deg} {waveform:?}: {drift}, expected {temporal}");
        }
    }
}

#[test]
fn spherical_gratings_have_their_frequency_direction_and_speed_everywhere() {
    let monitor = Monitor::WANG2025.with_raster(Raster { height: 288, width: 512 });
    for (centre, direction_deg, waveform) in [
        ([0.0, 0.0], 120.0, Waveform::Sine),
        ([40.0, 0.0], 0.0, Waveform::Sine),
        ([40.0, 0.0], 250.0, Waveform::Square),
        ([-36.0, 18.0], 0.0, Waveform::Square),
        ([-36.0, 18.0], 120.0, Waveform::Sine),
        ([10.0, -24.0], 250.0, Waveform::Square),
    ] {
        let grating = DriftingGrating {
            direction_deg,
            spatial_frequency_cyc_per_deg: 0.2,
            temporal_frequency_hz: 4.0,
            waveform,
            spherical: true,
            ..Default::default()
        };
        let (frequency, drift) = measured(grating.into(), &monitor, centre, direction_deg, 30.0);
        // Six cycles between pixels of half a degree, in whole grey levels: far below this.
        assert!((frequency / 0.2 - 1.0).abs() < 0.003, "{centre:?} {direction_deg}: {frequency}");
        assert!((drift - 4.0).abs() < 0.05, "{centre:?} {direction_deg}: {drift}");
    }
}

#[test]
fn gabors_have_their_frequency_direction_and_speed_where_they_are() {
    let monitor = Monitor::WANG2025.with_raster(Raster { height: 288, width: 512 });
    for (x_deg, y_deg, direction_deg) in [(0.0, 0.0, 0.0), (30.0, -10.0, 135.0), (-35.0, 15.0, 290.0)] {
        let gabor = DriftingGabor {
            x_deg,
            y_deg,
            direction_deg,
            spatial_frequency_cyc_per_deg: 0.2,
            temporal_frequency_hz: 3.0,
            sigma_deg: 30.0,
            ..Default::default()
        };
        let (frequency, drift) = measured(gabor.into(), &monitor, [x_deg, y_deg], direction_deg, 30.0);
        assert!((frequency / 0.2 - 1.0).abs() < 0.005 && (drift - 3.0).abs() < 0.05, "{frequency} {drift}");
    }
}

#[test]
fn a_plaid_is_the_mean_of_two_gratings_half_the_crossing_angle_to_both_sides() {
    let monitor = small_monitor();
    for (spherical, direction_deg, crossing_deg) in [(false, 40.0, 120.0), (true, 170.0, 90.0), (false, 0.0, 0.0)] {
        let plaid = Plaid {
            direction_deg,
            crossing_deg,
            spherical,
            clockwise_phase_deg: 30.0,
            counterclockwise_phase_deg: 80.0,
            ..Default::default()
        };
        let component = |turned: f64, phase_deg| {
            let direction_deg = direction_deg + turned * crossing_deg / 2.0;
            DriftingGrating { direction_deg, phase_deg, spherical, ..Default::default() }
        };
        let shown = prepared(plaid, &monitor, 1);
        let parts = [(-1.0, 30.0), (1.0, 80.0)].map(|(turned, phase)| prepared(component(turned, phase), &monitor, 1));
        for frame in [0, 5] {
            let [a, b] = [0, 1].map(|part| draw(&parts[part], frame));
            for (index, grey) in draw(&shown, frame).into_iter().enumerate() {
                let mean = (f64::from(a[index]) + f64::from(b[index])) / 2.0;
                // Three roundings to whole levels.
                assert!((f64::from(grey) - mean).abs() <= 1.0, "{direction_deg} pixel {index}: {grey}, {mean}");
            }
        }
    }
}

#[test]
fn a_plaid_moves_in_its_direction_at_the_speed_of_its_components_over_the_cosine() {
    // Components of 0.1 cyc/deg and 2 Hz move at 20 deg/s, 60 degrees to both sides of the pattern: 40 deg/s.
    let monitor = Monitor::WANG2025.with_raster(Raster { height: 144, width: 256 });
    let plaid = Plaid { spatial_frequency_cyc_per_deg: 0.1, spherical: true, ..Default::default() };
    let shown = prepared(plaid, &monitor, 1);
    let line = |frame, from: f64| along(&draw(&shown, frame), &monitor, [from, 0.0], 0.0, 40.0, 400);
    // Three frames are 4 degrees.
    let worst = line(0, 0.0).iter().zip(line(3, 4.0)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    let unmoved = line(0, 0.0).iter().zip(line(3, 0.0)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    // Interpolation between pixels of a degree: (2 pi 0.05 0.84)^2 / 8 of 127 at most, and whole levels.
    assert!(worst < 3.0 && unmoved > 50.0, "{worst} {unmoved}");
}

#[test]
fn a_static_grating_of_orientation_zero_is_vertical_and_stands_still() {
    let monitor = small_monitor();
    let width = monitor.raster.width;
    let shown = |orientation_deg| prepared(StaticGrating { orientation_deg, ..Default::default() }, &monitor, 1);
    let vertical = draw(&shown(0.0), 0);
    assert!(vertical.chunks_exact(width).all(|row| row == &vertical[..width]));
    let horizontal = draw(&shown(90.0), 0);
    assert!(horizontal.chunks_exact(width).all(|row| row.iter().all(|&grey| grey == row[0])));
    for orientation_deg in [0.0, 30.0, 135.0] {
        let pixels = draw(&shown(orientation_deg), 0);
        assert!(pixels == draw(&shown(orientation_deg), 1234), "stands still");
        let turned = draw(&shown(orientation_deg + 180.0), 0);
        // The same but for the last bits of sine and cosine.
        assert!(pixels.iter().zip(&turned).all(|(a, b)| a.abs_diff(*b) <= 1), "{orientation_deg}");
        let moving = DriftingGrating { direction_deg: orientation_deg, ..Default::default() };
        assert!(pixels == draw(&prepared(moving, &monitor, 1), 0), "stripes of a grating that moves in this direction");
    }
    // Counter-clockwise: at 45 degrees the bright line through the centre leans to the left.
    let leaning = draw(&shown(45.0), 0);
    let [left, right] = [58, 69].map(|column| leaning[30 * width + column]);
    assert!(left > 200 && right < 60, "half a period to the upper right is dark: {left} {right}");
}

#[test]
fn a_square_wave_is_bright_or_dark_but_for_edges_of_one_pixel() {
    let monitor = Monitor::WANG2025;
    for spherical in [false, true] {
        for (direction_deg, contrast, bright, dark) in [(0.0, 1.0, 255, 1), (37.0, 0.5, 192, 65), (90.0, 0.5, 192, 65)]
        {
            let waveform = Waveform::Square;
            let square = DriftingGrating { waveform, direction_deg, contrast, spherical, ..Default::default() };
            let sine = DriftingGrating { waveform: Waveform::Sine, ..square.clone() };
            let (squares, sines) = (draw(&prepared(square, &monitor, 1), 1), draw(&prepared(sine, &monitor, 1), 1));
            let between = squares.iter().filter(|&&grey| grey != bright && grey != dark).count();
            // One pixel in each half period of at least 14.8; in flat corners a period has fewer pixels.
            let share = between as f64 / squares.len() as f64;
            assert!(share < 0.1, "{direction_deg} {spherical}: {share}");
            for (square, sine) in squares.iter().zip(sines) {
                assert!(sine.abs_diff(128) < 2 || (*square >= 128) == (sine >= 128), "the sign of the sine");
            }
        }
    }
}
