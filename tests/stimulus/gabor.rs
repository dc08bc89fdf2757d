use twinscope::signals::Monitor;
use twinscope::stimulus::{DriftingGabor, DriftingGrating, Screen};

use super::{draw, prepared, small_monitor};

#[test]
fn a_gabor_is_a_spherical_grating_under_a_gaussian() {
    let monitor = small_monitor();
    let places = Screen::new(&monitor).places().to_vec();
    for (x_deg, y_deg, sigma_deg) in [(0.0, 0.0, 17.6), (-30.0, 12.0, 6.0), (45.0, -20.0, 3.0)] {
        let gabor =
            DriftingGabor { x_deg, y_deg, sigma_deg, direction_deg: 60.0, phase_deg: 20.0, ..Default::default() };
        let (sin, cos) = 60f64.to_radians().sin_cos();
        let shown = prepared(gabor, &monitor, 1);
        for frame in [0, 7] {
            for (grey, place) in draw(&shown, frame).into_iter().zip(&places) {
                let (x, y) = (f64::from(place.position[0]) - x_deg, f64::from(place.position[1]) - y_deg);
                let cycles = 0.043 * (x * cos + y * sin) - 1.7 * frame as f64 / 30.0 + 20.0 / 360.0;
                let envelope = (-(x * x + y * y) / (2.0 * sigma_deg * sigma_deg)).exp();
                let expected = 128.0 + 127.0 * envelope * (std::f64::consts::TAU * cycles).cos();
                assert!((f64::from(grey) - expected).abs() <= 0.501, "{x} {y}: {grey}, expected {expected}");
            }
        }
    }
}

#[test]
fn the_envelope_falls_to_its_height_at_sigma() {
    // Without stripes the picture is the envelope itself.
    let flat = DriftingGabor { spatial_frequency_cyc_per_deg: 0.0, temporal_frequency_hz: 0.0, ..Default::default() };
    let monitor = Monitor::WANG2025;
    let pixels = draw(&prepared(flat, &monitor, 1), 0);
    let column = (127.5 + 15.0 * 17.6f64.to_radians().tan() / monitor.pitch_cm().0).round() as usize;
    let height = (f64::from(pixels[72 * 256 + column]) - 128.0) / 127.0;
    // e^(-1/2) = 0.6065; a pixel is 0.8 degrees: 0.03.
    assert!((height - 0.6065).abs() < 0.03, "{height}");
    assert_eq!(pixels[72 * 256 + 128], 255);
}

#[test]
fn the_frequencies_of_gabors_are_checked_like_those_of_gratings() {
    let gabor = DriftingGabor { spatial_frequency_cyc_per_deg: 0.4, ..Default::default() };
    let monitor = small_monitor();
    let error = twinscope::stimulus::Stimulus::from(gabor).validate_for(&monitor).expect_err("too fine").to_string();
    assert!(error.starts_with("Drifting Gabor: `spatial_frequency_cyc_per_deg` is 0.4, finer"), "{error}");
    let grating = DriftingGrating { spatial_frequency_cyc_per_deg: 0.2, ..Default::default() };
    assert!(twinscope::stimulus::Stimulus::from(grating).validate_for(&monitor).is_ok());
}
