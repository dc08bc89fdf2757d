//! Curves fitted to tuning.

use twinscope::analysis::bandwidth::{bandwidth_octaves, half_width_deg};
use twinscope::analysis::fit::{FitError, fit_contrast, fit_direction, fit_frequency, fit_gaussian_2d, fit_size};
use twinscope::analysis::statistics::Chance;

fn near(what: &str, found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{what} is {found}, expected {expected}");
}

fn circle(count: u32) -> Vec<f64> {
    (0..count).map(|index| f64::from(index) * 360.0 / f64::from(count)).collect()
}

/// Two von Mises peaks as they are written in Wang et al. 2025.
fn peaks(degrees: f64, a: f64, k: f64, phi: f64, mu: f64, b: f64) -> f64 {
    let x = degrees.to_radians();
    let (near, far) = ((x - mu).cos() - 1.0, (x + std::f64::consts::PI - mu).cos() - 1.0);
    a * (phi * (k * near).exp() + (1.0 - phi) * (k * far).exp()) + b
}

fn noisy(clean: impl Iterator<Item = f64>, deviation: f64, seed: u64) -> Vec<f64> {
    let mut chance = Chance::new(seed, 0);
    clean.map(|value| value + deviation * chance.normal()).collect()
}

#[test]
fn the_direction_fit_finds_the_parameters_of_its_own_curve() {
    let directions = circle(16);
    for (a, k, phi, mu, b) in [
        (2.0, 2.0, 0.75, 1.0, 0.3),
        (0.5, 4.0, 0.9, 6.2, 0.05),
        (300.0, 1.2, 0.6, 3.0, 20.0),
        (1e-6, 3.0, 1.0, 0.1, 0.0),
    ] {
        let responses: Vec<f64> = directions.iter().map(|&d| peaks(d, a, k, phi, mu, b)).collect();
        let fit = fit_direction(&directions, &responses).expect("sixteen directions");
        // The curve itself has no residual; what remains is the solver's tolerance, square root for parameters on a bound.
        near("phi", fit.curve.share, phi, 1e-4);
        near("a", fit.curve.amplitude / a, 1.0, 1e-3);
        near("k", fit.curve.concentration, k, 1e-3);
        near("mu", fit.curve.preferred_deg, f64::to_degrees(mu), 1e-2);
        near("b over a", (fit.curve.baseline - b) / a, 0.0, 1e-4);
        near("r2", fit.goodness.r2, 1.0, 1e-8);
        near("mse over a squared", fit.goodness.mse / (a * a), 0.0, 1e-10);
        assert!(fit.goodness.success, "{fit:?}");
    }
}

#[test]
fn the_direction_fit_is_that_of_scipy() {
    // tests/fixtures/analysis/golden.py: least_squares of scipy 1.17.1, with bounds, from the same start.
    let responses = [1.1, 1.9, 3.2, 3.6, 2.9, 1.7, 1.0, 0.6, 0.9, 1.2, 1.9, 2.2, 1.8, 1.1, 0.8, 0.7];
    let fit = fit_direction(&circle(16), &responses).expect("sixteen directions");
    // Both solvers stop where the sum of squares is flat to some 1e-12; parameters are known to its root.
    near("a", fit.curve.amplitude, 4.96831898, 1e-5);
    near("k", fit.curve.concentration, 2.87883457, 1e-5);
    near("phi", fit.curve.share, 0.64794613, 1e-6);
    near("mu", fit.curve.preferred_deg, 65.05821024, 1e-5);
    near("b", fit.curve.baseline, 0.42638714, 1e-6);
    near("mse", fit.goodness.mse, 0.0024193018566, 1e-11);
    near("r2", fit.goodness.r2, 0.996961033978, 1e-10);
}

#[test]
fn the_larger_peak_is_the_preferred_one() {
    // Nine directions: the smaller peak lies on a sample, the larger one between two, which both are below it. The solver
    // starts from the largest sample and ends with phi = .45 there.
    let directions = circle(9);
    let responses: Vec<f64> = directions.iter().map(|&d| peaks(d, 1.0, 4.0, 0.45, 0.0, 0.1)).collect();
    assert!(responses[1..].iter().all(|&response| response < responses[0]), "{responses:?}");
    let fit = fit_direction(&directions, &responses).expect("nine directions");
    near("phi", fit.curve.share, 0.55, 1e-4);
    near("mu", fit.curve.preferred_deg, 180.0, 1e-2);
    for (direction, response) in directions.iter().zip(&responses) {
        near("the curve", fit.curve.at(*direction), *response, 1e-6);
    }
}

#[test]
fn turned_and_scaled_responses_give_a_turned_and_scaled_direction_curve() {
    let directions = circle(16);
    let responses = noisy(directions.iter().map(|&d| peaks(d, 2.0, 2.5, 0.7, 2.0, 0.5)), 0.1, 3);
    let fit = fit_direction(&directions, &responses).expect("sixteen directions");
    assert!(fit.goodness.success && fit.goodness.r2 > 0.9, "{fit:?}");
    near("mu", fit.curve.preferred_deg, 2f64.to_degrees(), 6.0);
    let mut turned = responses.iter().map(|r| 40.0 * r).collect::<Vec<_>>();
    turned.rotate_right(3);
    let other = fit_direction(&directions, &turned).expect("sixteen directions");
    near("turn", other.curve.preferred_deg - fit.curve.preferred_deg, 67.5, 1e-3);
    near("scale", other.curve.amplitude / fit.curve.amplitude, 40.0, 1e-3);
    near("mse", other.goodness.mse / fit.goodness.mse, 1600.0, 1e-2);
    near("r2", other.goodness.r2, fit.goodness.r2, 1e-9);
}

#[test]
fn a_frequency_curve_has_its_peak_and_its_bandwidth() {
    let frequencies = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32];
    let curve = |f: f64| 0.2 + 3.0 * (-0.5 * ((f / 0.05).log2() / 0.9).powi(2)).exp();
    let fit = fit_frequency(&frequencies, &frequencies.map(curve)).expect("six frequencies");
    near("preferred", fit.curve.preferred, 0.05, 1e-6);
    near("sigma", fit.curve.sigma_octaves, 0.9, 1e-5);
    near("bandwidth", fit.curve.bandwidth_octaves(), 0.9 * 2.354820, 1e-4);
    near("baseline", fit.curve.baseline, 0.2, 1e-5);
    near("r2", fit.goodness.r2, 1.0, 1e-10);
    // A low-pass unit: its peak is at most an octave below what was shown.
    let fit = fit_frequency(&frequencies, &frequencies.map(|f| 1.0 / (1.0 + f / 0.02))).expect("six frequencies");
    assert!((0.005..0.02).contains(&fit.curve.preferred) && fit.goodness.r2 > 0.98, "{fit:?}");
}

#[test]
fn a_linear_gabor_unit_has_the_bandwidth_of_its_envelope() {
    // Amplitude exp(-(2 pi sigma (f - f0))^2 / 2) for gratings in its direction, sigma 8 degrees, f0 .04 cycles/degree:
    // half of it at f0 +- sqrt(2 ln 2) / (2 pi sigma), 1.936 octaves apart.
    let frequencies: Vec<f64> = (1..=4000).map(|step| f64::from(step) * 4e-5).collect();
    let amplitude = |f: f64| (-(std::f64::consts::TAU * 8.0 * (f - 0.04)).powi(2) / 2.0).exp();
    let responses: Vec<f64> = frequencies.iter().map(|&f| amplitude(f)).collect();
    let octaves = bandwidth_octaves(&frequencies, &responses).expect("falls to half on both sides");
    near("bandwidth", octaves, 1.936, 5e-4);
    assert_eq!(bandwidth_octaves(&frequencies[..900], &responses[..900]), None, "no upper side");
}

#[test]
fn an_energy_unit_has_its_half_width() {
    // k = (2 pi 8 .04)^2; the squared amplitude is half at 23.90 degrees.
    let k = (std::f64::consts::TAU * 0.32).powi(2);
    let amplitude = |d: f64| (-k * (1.0 - d.cos())).exp() + (-k * (1.0 + d.cos())).exp();
    let energy: Vec<f64> = circle(3600).iter().map(|d| amplitude(d.to_radians()).powi(2)).collect();
    // The value is that of one peak; the foot of the opposite one adds .009.
    near("half width", half_width_deg(360.0, &energy).expect("falls to half"), 23.90, 0.01);
    assert_eq!(half_width_deg(360.0, &[1.0; 8]), None, "a flat curve");
    assert_eq!(half_width_deg(360.0, &[]), None);
}

#[test]
fn a_contrast_curve_has_its_half_saturation() {
    let contrasts = [0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.0];
    let curve = |c: f64| 0.5 + 4.0 * c.powf(2.3) / (c.powf(2.3) + 0.25_f64.powf(2.3));
    let fit = fit_contrast(&contrasts, &contrasts.map(curve)).expect("seven contrasts");
    near("c50", fit.curve.half_saturation, 0.25, 1e-6);
    near("n", fit.curve.exponent, 2.3, 1e-5);
    near("maximum", fit.curve.maximum, 4.0, 1e-5);
    near("baseline", fit.curve.baseline, 0.5, 1e-6);
    near("at c50", fit.curve.at(0.25), 2.5, 1e-6);
    // A straight line does not saturate: c50 stays within the contrasts.
    let fit = fit_contrast(&contrasts, &contrasts).expect("seven contrasts");
    assert!(fit.curve.half_saturation <= 1.0 && fit.goodness.r2 > 0.98, "{fit:?}");
}

#[test]
fn a_size_curve_has_its_peak_and_its_suppression() {
    let sizes = [0.0, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 60.0];
    let erf2 = |x: f64| libm_erf(x).powi(2);
    let curve = |d: f64| 0.1 + 6.0 * erf2(d / 12.0) / (1.0 + 2.0 * erf2(d / 35.0));
    let fit = fit_size(&sizes, &sizes.map(curve)).expect("eight sizes");
    near("r2", fit.goodness.r2, 1.0, 1e-9);
    near("centre", fit.curve.centre, 12.0, 1e-2);
    near("surround", fit.curve.surround, 35.0, 5e-2);
    let peak = (0..6000).map(|s| f64::from(s) * 0.01).max_by(|a, b| curve(*a).total_cmp(&curve(*b))).expect("sizes");
    near("preferred", fit.curve.preferred(), peak, 0.1);
    near("suppression", fit.curve.suppression(), 1.0 - (curve(60.0) - 0.1) / (curve(peak) - 0.1), 1e-4);
    // Without a surround nothing is suppressed.
    let fit = fit_size(&sizes, &sizes.map(|d| erf2(d / 20.0))).expect("eight sizes");
    near("no suppression", fit.curve.suppression(), 0.0, 1e-3);
}

/// erf by its series, which for these arguments converges quickly: not the crate that the fit uses.
fn libm_erf(x: f64) -> f64 {
    let (mut term, mut sum) = (x, x);
    for n in 1..200 {
        term *= -x * x / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    if x > 4.0 { 1.0 } else { sum * 2.0 / std::f64::consts::PI.sqrt() }
}

/// Places of a map of 30 x 20, x to the right and y up, in degrees.
fn places() -> Vec<[f64; 2]> {
    (0..20)
        .flat_map(|row| (0..30).map(move |column| [f64::from(column) * 2.0 - 29.0, 19.0 - f64::from(row) * 2.0]))
        .collect()
}

/// An elliptic Gaussian of amplitude `a` on a plain of 0.4: long axis 8 in this direction, short axis 4.
fn ellipse([x, y]: [f64; 2], a: f64, degrees: f64) -> f64 {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (dx, dy) = (x - 6.0, y + 3.0);
    let (u, v) = (cos * dx + sin * dy, cos * dy - sin * dx);
    0.4 + a * (-0.5 * ((u / 8.0).powi(2) + (v / 4.0).powi(2))).exp()
}

#[test]
fn a_gaussian_hill_or_hollow_is_found_with_its_axes() {
    for (a, degrees) in [(2.0, 30.0), (2.0, 80.0), (2.0, 130.0), (2.0, 179.0), (-1.5, 30.0), (-1.5, 130.0)] {
        let values: Vec<f64> = places().iter().map(|&place| ellipse(place, a, degrees)).collect();
        let fit = fit_gaussian_2d(&places(), &values).expect("a map");
        let found = fit.curve;
        near("x", found.centre[0], 6.0, 1e-5);
        near("y", found.centre[1], -3.0, 1e-5);
        near("long axis", found.sigma[0], 8.0, 1e-4);
        near("short axis", found.sigma[1], 4.0, 1e-4);
        near("orientation", found.orientation_deg, degrees, 1e-3);
        near("amplitude", found.amplitude, a, 1e-5);
        near("plain", found.baseline, 0.4, 1e-5);
        near("area", found.area(), std::f64::consts::PI * 32.0, 1e-2);
        assert!(fit.goodness.success && fit.goodness.r2 > 1.0 - 1e-9, "{fit:?}");
    }
}

#[test]
fn a_gaussian_is_found_under_noise() {
    let values = noisy(places().iter().map(|&place| ellipse(place, 2.0, 30.0)), 0.4, 9);
    let fit = fit_gaussian_2d(&places(), &values).expect("a map");
    // About 25 pixels lie within one standard deviation: the centre is known to 8 x .4 / 2 / sqrt(25), three times over.
    near("x", fit.curve.centre[0], 6.0, 1.0);
    near("y", fit.curve.centre[1], -3.0, 1.0);
    assert!(fit.goodness.r2 > 0.4, "{fit:?}");
}

#[test]
fn what_cannot_be_fitted_is_said() {
    let directions = circle(8);
    assert_eq!(fit_direction(&directions, &[1.0; 8]), Err(FitError::Flat));
    assert_eq!(fit_direction(&directions, &[1.0; 7]), Err(FitError::Lengths { values: 8, responses: 7 }));
    assert!(matches!(
        fit_direction(&circle(4), &[1.0, 2.0, 3.0, 4.0]),
        Err(FitError::TooFew { needed: 6, found: 4, .. })
    ));
    let mut gap = [1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0];
    gap[5] = f64::NAN;
    assert_eq!(fit_direction(&directions, &gap), Err(FitError::NotFinite(5)));
    let below = [-1.0, -2.0, -1.0, -2.0, -1.0, -2.0, -1.0, -2.0];
    assert!(matches!(fit_direction(&directions, &below), Err(FitError::Silent(_))));
    assert!(matches!(fit_frequency(&directions, &gap.map(|_| 1.0)), Err(FitError::Outside { value: 0.0, .. })));
    assert!(matches!(fit_contrast(&[-0.1; 8], &gap.map(|_| 1.0)), Err(FitError::Outside { .. })));
    let line: Vec<[f64; 2]> = (0..20).map(|x| [f64::from(x), 1.0]).collect();
    let ramp: Vec<f64> = (0..20).map(f64::from).collect();
    assert!(matches!(fit_gaussian_2d(&line, &ramp), Err(FitError::TooFew { .. })), "on one line");
    assert_eq!(fit_gaussian_2d(&places(), &[1.0; 600]), Err(FitError::Flat));
}
