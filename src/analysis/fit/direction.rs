//! Two von Mises peaks half a circle apart, on a baseline: the tuning of a unit to the direction of motion.
//!
//! r(x) = a [phi e^{k (cos(x - mu) - 1)} + (1 - phi) e^{k (cos(x - mu + pi) - 1)}] + b with a, k, b >= 0 and phi within
//! 0..=1, fitted as in Wang et al., Nature 640:470 (2025): from mu = the direction of the largest response, k = 1,
//! phi = 0.5, b = max(min, max / 100) and a = 2 (max - b). The peak of mu is the larger: where the fit ends with phi < 0.5
//! mu turns half around and phi becomes 1 - phi.

use super::bounds::Bound;
use super::solver::least_squares;
use super::{Fit, FitError, check, extent, goodness, largest, scaled};
use crate::signals::Degrees;

const CURVE: &str = "the direction curve";

/// Two von Mises peaks half a circle apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DirectionCurve {
    /// a, the height of both peaks together above the baseline, in units of the response.
    pub amplitude: f64,
    /// k, how narrow the peaks are.
    pub concentration: f64,
    /// phi, the part of the amplitude at the preferred direction, 0.5..=1.
    pub share: f64,
    /// mu, the direction of the larger peak, degrees in 0..360.
    pub preferred_deg: Degrees,
    /// b, the response far from both peaks, in units of the response.
    pub baseline: f64,
}

impl DirectionCurve {
    /// The curve at a direction.
    pub fn at(&self, direction_deg: Degrees) -> f64 {
        let cos = (direction_deg - self.preferred_deg).to_radians().cos();
        peaks(cos, self.amplitude, self.concentration, self.share, self.baseline)
    }
}

/// The curve at a cosine of the distance from the preferred direction.
fn peaks(cos: f64, a: f64, k: f64, phi: f64, b: f64) -> f64 {
    a * (phi * (k * (cos - 1.0)).exp() + (1.0 - phi) * (k * (-cos - 1.0)).exp()) + b
}

/// The curve nearest to responses at directions.
///
/// # Errors
/// With fewer than six directions, a value that is not finite, equal responses or none above 0.
pub fn fit_direction(directions_deg: &[Degrees], responses: &[f64]) -> Result<Fit<DirectionCurve>, FitError> {
    check(CURVE, 6, directions_deg, responses, |_| true)?;
    let (fractions, scale) = scaled(responses);
    let (least, most) = extent(&fractions);
    let baseline = least.max(most / 100.0);
    let start = vec![2.0 * (most - baseline), 1.0, 0.5, directions_deg[largest(responses)].to_radians(), baseline];
    let positive = Bound::AtLeast(0.0);
    let bounds = [positive, positive, Bound::Between(0.0, 1.0), Bound::Free, positive];
    let solution = least_squares(responses.len(), &bounds, &[start], |p, residuals| {
        for ((residual, direction), response) in residuals.iter_mut().zip(directions_deg).zip(&fractions) {
            *residual = peaks((direction.to_radians() - p[3]).cos(), p[0], p[1], p[2], p[4]) - response;
        }
    });
    let [a, k, phi, mu, b] = solution.parameters[..] else { unreachable!("as many parameters as bounds") };
    let (share, turn) = if phi < 0.5 { (1.0 - phi, 180.0) } else { (phi, 0.0) };
    let preferred_deg = (mu.to_degrees() + turn).rem_euclid(360.0);
    let curve = DirectionCurve {
        amplitude: a * scale,
        concentration: k,
        share,
        // A hair below 0 rounds up to 360.
        preferred_deg: if preferred_deg >= 360.0 { 0.0 } else { preferred_deg },
        baseline: b * scale,
    };
    let goodness = goodness(responses, solution.success, |index| curve.at(directions_deg[index]));
    Ok(Fit { curve, goodness })
}
