//! A Gaussian on a logarithmic axis: the tuning of a unit to spatial or temporal frequency, or to speed.
//!
//! r(f) = b + a exp(-(log2 f - log2 f0)^2 / (2 s^2)) with a >= 0 and s in octaves. The preferred frequency may lie up to an
//! octave outside those shown; farther out the data say nothing of it.

use super::bounds::Bound;
use super::solver::least_squares;
use super::{Fit, FitError, check, extent, goodness, largest, scaled};

const CURVE: &str = "the frequency curve";

/// How far outside the values shown the peak may lie, octaves.
const OUTSIDE_OCTAVES: f64 = 1.0;

/// Smallest and largest standard deviation, octaves.
const WIDTHS_OCTAVES: (f64, f64) = (0.05, 8.0);

/// A Gaussian on a logarithmic axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrequencyCurve {
    /// Height of the peak above the baseline, in units of the response.
    pub amplitude: f64,
    /// Frequency of the peak, in the unit of the frequencies.
    pub preferred: f64,
    /// Standard deviation, octaves.
    pub sigma_octaves: f64,
    /// Response far from the peak, in units of the response.
    pub baseline: f64,
}

impl FrequencyCurve {
    /// The curve at a frequency above 0.
    pub fn at(&self, frequency: f64) -> f64 {
        let octaves = (frequency / self.preferred).log2() / self.sigma_octaves;
        self.baseline + self.amplitude * (-0.5 * octaves * octaves).exp()
    }

    /// Full width at half height, octaves.
    pub fn bandwidth_octaves(&self) -> f64 {
        2.0 * (2.0 * std::f64::consts::LN_2).sqrt() * self.sigma_octaves
    }
}

/// The curve nearest to responses at frequencies. The baseline is at least 0, or the smallest response where one is
/// below 0.
///
/// # Errors
/// With fewer than five frequencies, one that is not above 0, a value that is not finite, equal responses or none above 0.
pub fn fit_frequency(frequencies: &[f64], responses: &[f64]) -> Result<Fit<FrequencyCurve>, FitError> {
    check(CURVE, 5, frequencies, responses, |frequency| frequency > 0.0)?;
    let octaves: Vec<f64> = frequencies.iter().map(|frequency| frequency.log2()).collect();
    let (fractions, scale) = scaled(responses);
    let (least, most) = extent(&fractions);
    let (lowest, highest) = extent(&octaves);
    let bounds = [
        Bound::AtLeast(0.0),
        Bound::Between(lowest - OUTSIDE_OCTAVES, highest + OUTSIDE_OCTAVES),
        Bound::Between(WIDTHS_OCTAVES.0, WIDTHS_OCTAVES.1),
        Bound::AtLeast(least.min(0.0)),
    ];
    let peak = octaves[largest(responses)];
    let starts = [0.4, 1.0, 2.0].map(|sigma| vec![most - least, peak, sigma, least]);
    let solution = least_squares(responses.len(), &bounds, &starts, |p, residuals| {
        for ((residual, octave), response) in residuals.iter_mut().zip(&octaves).zip(&fractions) {
            *residual = p[3] + p[0] * (-0.5 * ((octave - p[1]) / p[2]).powi(2)).exp() - response;
        }
    });
    let [amplitude, peak, sigma_octaves, baseline] = solution.parameters[..] else {
        unreachable!("as many parameters as bounds")
    };
    let curve = FrequencyCurve {
        amplitude: amplitude * scale,
        preferred: peak.exp2(),
        sigma_octaves,
        baseline: baseline * scale,
    };
    let goodness = goodness(responses, solution.success, |index| curve.at(frequencies[index]));
    Ok(Fit { curve, goodness })
}
