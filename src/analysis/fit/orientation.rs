//! One von Mises peak on the circle of orientations, on a baseline: the tuning of a unit to what stands still.
//!
//! r(x) = a e^{k (cos 2 (x - mu) - 1)} + b with a, k, b >= 0: the peak of [`DirectionCurve`](super::DirectionCurve) on
//! doubled angles, as an orientation and the one 180 degrees on are the same.

use super::bounds::Bound;
use super::solver::least_squares;
use super::{Fit, FitError, check, extent, goodness, largest, scaled};
use crate::analysis::varied::on_the_circle;
use crate::signals::Degrees;

const CURVE: &str = "the orientation curve";

/// One von Mises peak on half a circle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OrientationCurve {
    /// a, the height of the peak above the baseline, in units of the response.
    pub amplitude: f64,
    /// k, how narrow the peak is on doubled angles.
    pub concentration: f64,
    /// mu, the orientation of the peak, degrees in 0..180.
    pub preferred_deg: Degrees,
    /// b, the response far from the peak, in units of the response.
    pub baseline: f64,
}

impl OrientationCurve {
    /// The curve at an orientation.
    pub fn at(&self, orientation_deg: Degrees) -> f64 {
        let cos = (2.0 * (orientation_deg - self.preferred_deg)).to_radians().cos();
        peak(cos, self.amplitude, self.concentration, self.baseline)
    }
}

/// The curve at a cosine of twice the distance from the preferred orientation.
fn peak(cos: f64, a: f64, k: f64, b: f64) -> f64 {
    a * (k * (cos - 1.0)).exp() + b
}

/// The curve nearest to responses at orientations.
///
/// # Errors
/// With fewer than five orientations, a value that is not finite, equal responses or none above 0.
pub fn fit_orientation(orientations_deg: &[Degrees], responses: &[f64]) -> Result<Fit<OrientationCurve>, FitError> {
    check(CURVE, 5, orientations_deg, responses, |_| true)?;
    let (fractions, scale) = scaled(responses);
    let (least, most) = extent(&fractions);
    let baseline = least.max(most / 100.0);
    let doubled: Vec<f64> = orientations_deg.iter().map(|degrees| (2.0 * degrees).to_radians()).collect();
    let start = vec![most - baseline, 1.0, doubled[largest(responses)], baseline];
    let positive = Bound::AtLeast(0.0);
    let bounds = [positive, positive, Bound::Free, positive];
    let solution = least_squares(responses.len(), &bounds, &[start], |p, residuals| {
        for ((residual, angle), response) in residuals.iter_mut().zip(&doubled).zip(&fractions) {
            *residual = peak((angle - p[2]).cos(), p[0], p[1], p[3]) - response;
        }
    });
    let [a, k, mu, b] = solution.parameters[..] else { unreachable!("as many parameters as bounds") };
    let curve = OrientationCurve {
        amplitude: a * scale,
        concentration: k,
        preferred_deg: on_the_circle(0.5 * mu.to_degrees(), 180.0),
        baseline: b * scale,
    };
    let goodness = goodness(responses, solution.success, |index| curve.at(orientations_deg[index]));
    Ok(Fit { curve, goodness })
}
