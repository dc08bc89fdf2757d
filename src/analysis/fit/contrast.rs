//! The hyperbolic ratio of Naka and Rushton: how a unit's response grows with contrast and saturates.
//!
//! r(c) = b + m c^n / (c^n + c50^n) (Naka and Rushton 1966; Albrecht and Hamilton 1982). The contrast of half saturation
//! is kept within those shown: beyond them saturation is not seen, and m and c50 would only grow together.

use super::bounds::Bound;
use super::solver::least_squares;
use super::{Fit, FitError, check, extent, goodness, scaled};

const CURVE: &str = "the contrast curve";

/// Smallest and largest exponent: cells of visual cortex lie between 1 and 6.
const EXPONENTS: (f64, f64) = (0.1, 10.0);

/// The hyperbolic ratio.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ContrastCurve {
    /// m, the response that is added when all is saturated, in units of the response.
    pub maximum: f64,
    /// c50, the contrast of half that, in the unit of the contrasts.
    pub half_saturation: f64,
    /// n, how steep the curve is.
    pub exponent: f64,
    /// b, the response to contrast 0, in units of the response.
    pub baseline: f64,
}

impl ContrastCurve {
    /// The curve at a contrast of 0 or more.
    pub fn at(&self, contrast: f64) -> f64 {
        self.baseline + self.maximum * ratio(contrast, self.half_saturation, self.exponent)
    }
}

/// c^n / (c^n + c50^n).
fn ratio(contrast: f64, half: f64, exponent: f64) -> f64 {
    if contrast <= 0.0 { 0.0 } else { 1.0 / (1.0 + (half / contrast).powf(exponent)) }
}

/// The curve nearest to responses at contrasts. The baseline is at least 0, or the smallest response where one is below 0.
///
/// # Errors
/// With fewer than five contrasts, one below 0, a value that is not finite, equal responses or none above 0.
pub fn fit_contrast(contrasts: &[f64], responses: &[f64]) -> Result<Fit<ContrastCurve>, FitError> {
    check(CURVE, 5, contrasts, responses, |contrast| contrast >= 0.0)?;
    let (fractions, scale) = scaled(responses);
    let (least, most) = extent(&fractions);
    let (_, highest) = extent(contrasts);
    let bounds = [
        Bound::AtLeast(0.0),
        Bound::Between(0.0, highest),
        Bound::Between(EXPONENTS.0, EXPONENTS.1),
        Bound::AtLeast(least.min(0.0)),
    ];
    let starts: Vec<Vec<f64>> = [0.1, 0.3, 0.7]
        .iter()
        .flat_map(|half| [1.5, 4.0].map(|exponent| vec![most - least, half * highest, exponent, least]))
        .collect();
    let solution = least_squares(responses.len(), &bounds, &starts, |p, residuals| {
        for ((residual, &contrast), response) in residuals.iter_mut().zip(contrasts).zip(&fractions) {
            *residual = p[3] + p[0] * ratio(contrast, p[1], p[2]) - response;
        }
    });
    let [maximum, half_saturation, exponent, baseline] = solution.parameters[..] else {
        unreachable!("as many parameters as bounds")
    };
    let curve = ContrastCurve { maximum: maximum * scale, half_saturation, exponent, baseline: baseline * scale };
    let goodness = goodness(responses, solution.success, |index| curve.at(contrasts[index]));
    Ok(Fit { curve, goodness })
}
