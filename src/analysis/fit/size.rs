//! The ratio of Gaussians: how a unit's response grows with the size of a stimulus and is suppressed by larger ones.
//!
//! r(d) = b + kc erf(d / wc)^2 / (1 + ks erf(d / ws)^2), a centre divided by a wider surround (Cavanaugh, Bair and
//! Movshon 2002); the squared extents that they carry in both integrals are part of the gains kc and ks here.

use super::bounds::Bound;
use super::solver::least_squares;
use super::{Fit, FitError, check, extent, goodness, largest, scaled};

const CURVE: &str = "the size curve";

/// Steps in which the peak of a fitted curve is looked for.
const STEPS: usize = 2000;

/// The ratio of Gaussians.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SizeCurve {
    /// kc, gain of the centre, in units of the response.
    pub centre_gain: f64,
    /// wc, extent of the centre, in the unit of the sizes.
    pub centre: f64,
    /// ks, gain of the surround; 0 without suppression.
    pub surround_gain: f64,
    /// ws, extent of the surround, in the unit of the sizes; at least that of the centre.
    pub surround: f64,
    /// b, the response to size 0, in units of the response.
    pub baseline: f64,
    /// Largest size shown.
    largest: f64,
}

impl SizeCurve {
    /// The curve at a size of 0 or more.
    pub fn at(&self, size: f64) -> f64 {
        let Self { centre_gain, centre, surround_gain, surround, baseline, .. } = *self;
        baseline + ratio(size, centre_gain, centre, surround_gain, surround)
    }

    /// The size of the largest response, up to the largest size shown.
    pub fn preferred(&self) -> f64 {
        let sizes: Vec<f64> = (0..=STEPS).map(|step| self.largest * step as f64 / STEPS as f64).collect();
        sizes[largest(&sizes.iter().map(|&size| self.at(size)).collect::<Vec<_>>())]
    }

    /// Suppression by the largest size shown, 1 - (its response) / (the largest response), both above the baseline;
    /// 0 without suppression.
    pub fn suppression(&self) -> f64 {
        1.0 - (self.at(self.largest) - self.baseline) / (self.at(self.preferred()) - self.baseline)
    }
}

fn ratio(size: f64, centre_gain: f64, centre: f64, surround_gain: f64, surround: f64) -> f64 {
    let drive = |extent: f64| libm::erf(size / extent).powi(2);
    centre_gain * drive(centre) / (1.0 + surround_gain * drive(surround))
}

/// The curve nearest to responses at sizes. The baseline is at least 0, or the smallest response where one is below 0.
///
/// # Errors
/// With fewer than six sizes, one below 0, a value that is not finite, equal responses or none above 0.
pub fn fit_size(sizes: &[f64], responses: &[f64]) -> Result<Fit<SizeCurve>, FitError> {
    check(CURVE, 6, sizes, responses, |size| size >= 0.0)?;
    let (fractions, scale) = scaled(responses);
    let (least, most) = extent(&fractions);
    let (_, shown) = extent(sizes);
    // Sizes as fractions of the largest; the surround is the centre and something more.
    let relative: Vec<f64> = sizes.iter().map(|size| size / shown).collect();
    let (smallest, positive) = (1e-3, Bound::AtLeast(0.0));
    let bounds =
        [positive, Bound::Between(smallest, 3.0), positive, Bound::Between(0.0, 10.0), Bound::AtLeast(least.min(0.0))];
    let peak = relative[largest(responses)].max(0.05);
    let mut starts = Vec::new();
    for centre in [0.3 * peak, 0.6 * peak, peak] {
        for (gain, more) in [(0.1, peak), (1.0, 0.5 * peak), (1.0, 2.0 * peak), (10.0, 2.0 * peak)] {
            starts.push(vec![(most - least) * (1.0 + 0.5 * gain), centre, gain, more, least]);
        }
    }
    let solution = least_squares(responses.len(), &bounds, &starts, |p, residuals| {
        for ((residual, &size), response) in residuals.iter_mut().zip(&relative).zip(&fractions) {
            *residual = p[4] + ratio(size, p[0], p[1], p[2], p[1] + p[3]) - response;
        }
    });
    let [centre_gain, centre, surround_gain, more, baseline] = solution.parameters[..] else {
        unreachable!("as many parameters as bounds")
    };
    let curve = SizeCurve {
        centre_gain: centre_gain * scale,
        centre: centre * shown,
        surround_gain,
        surround: (centre + more) * shown,
        baseline: baseline * scale,
        largest: shown,
    };
    let goodness = goodness(responses, solution.success, |index| curve.at(sizes[index]));
    Ok(Fit { curve, goodness })
}
