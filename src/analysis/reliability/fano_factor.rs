//! How variable spike counts are from one showing to the next.

use super::UnitRepeats;
use super::explainable_variance::variance;

/// Fano factor of counts: the variance across repeats, summed over frames, divided by the sum of the means. It is 1 for a
/// Poisson process of any rate over time; the mean of the ratios of single frames would be biased where counts are low.
///
/// Responses that were divided by a mean count have a factor that is smaller by that count. `None` when no frame was
/// measured twice, when a count is negative, or when all are 0.
pub fn fano_factor(counts: &UnitRepeats) -> Option<f64> {
    let (mut variances, mut means) = (0.0, 0.0);
    for frame in 0..counts.frames() {
        if counts.measured(frame).any(|count| count < 0.0) {
            return None;
        }
        if let Some(variance) = variance(counts.measured(frame)) {
            variances += variance;
            means += counts.measured(frame).sum::<f64>() / counts.measured(frame).count() as f64;
        }
    }
    (means > 0.0).then(|| variances / means)
}
