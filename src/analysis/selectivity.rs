//! How strongly, and for which direction of motion, a tuning curve is selective.
//!
//! All three are properties of one vector, a harmonic of the tuning curve r(θ) over the directions of motion θ:
//! v_k = Σ r(θ) e^{ikθ} / Σ r(θ), with k = 1 for direction and k = 2 for orientation.
//!
//! The vector is undefined, and the answer `None`, when
//! - the unit never responds (Σ r = 0), or a response is negative or not finite: the length would not lie in 0..=1;
//! - the directions do not balance, |Σ e^{ikθ}| > 0: a flat curve would then look selective. Directions evenly
//!   spaced over the whole circle balance, when there are more than k of them.

/// Length below which a vector has no direction: responses are f32, whose rounding alone gives about 1e-7.
const LEAST_LENGTH: f64 = 1e-6;

/// How far directions may be from balance, per direction: far above rounding, far below one missing direction.
const BALANCE: f64 = 1e-9;

/// Global orientation selectivity: length of the response-weighted mean vector on the circle of orientations,
/// |Σ r(θ) e^{2iθ}| / Σ r(θ), in 0..=1. `None` where undefined (see the module).
pub fn global_osi(directions_deg: &[f64], responses: &[f32]) -> Option<f32> {
    mean_vector(2.0, directions_deg, responses).map(|(x, y)| x.hypot(y) as f32)
}

/// Global direction selectivity: length of the response-weighted mean vector on the circle of directions,
/// |Σ r(θ) e^{iθ}| / Σ r(θ), in 0..=1. `None` where undefined (see the module).
pub fn global_dsi(directions_deg: &[f64], responses: &[f32]) -> Option<f32> {
    mean_vector(1.0, directions_deg, responses).map(|(x, y)| x.hypot(y) as f32)
}

/// Preferred direction of motion: that of Σ r(θ) e^{iθ}, degrees in 0..360, 0 rightward and 90 upward.
/// `None` where undefined (see the module), and for a curve whose vector has no length, such as a flat one or one
/// with two equal and opposite peaks.
pub fn preferred_direction_deg(directions_deg: &[f64], responses: &[f32]) -> Option<f32> {
    let (x, y) = mean_vector(1.0, directions_deg, responses)?;
    if x.hypot(y) < LEAST_LENGTH {
        return None;
    }
    let degrees = y.atan2(x).to_degrees().rem_euclid(360.0) as f32;
    // A hair below 0 rounds up to 360.
    Some(if degrees >= 360.0 { 0.0 } else { degrees })
}

/// v_k of the module's formula, as (real, imaginary).
fn mean_vector(harmonic: f64, directions_deg: &[f64], responses: &[f32]) -> Option<(f64, f64)> {
    if directions_deg.len() != responses.len() || responses.iter().any(|&r| !r.is_finite() || r < 0.0) {
        return None;
    }
    let (mut sum, mut x, mut y) = (0.0, 0.0, 0.0);
    let (mut flat_x, mut flat_y) = (0.0, 0.0);
    for (&direction, &response) in directions_deg.iter().zip(responses) {
        let (sin, cos) = (harmonic * direction).to_radians().sin_cos();
        let response = f64::from(response);
        sum += response;
        x += response * cos;
        y += response * sin;
        flat_x += cos;
        flat_y += sin;
    }
    let balanced = flat_x.hypot(flat_y) <= BALANCE * directions_deg.len() as f64;
    (sum > 0.0 && balanced).then(|| (x / sum, y / sum))
}
