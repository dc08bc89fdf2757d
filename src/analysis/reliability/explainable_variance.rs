//! The share of the variance that the stimulus explains.

use super::UnitRepeats;

/// Explainable variance: 1 - (mean over frames of the variance across repeats) / (variance of all responses), both over
/// n - 1, at the frames that were measured at least twice. An estimate: without signal it is 0 on average, and may be
/// below. `None` when no frame was measured twice or all responses are equal.
pub fn explainable_variance(response: &UnitRepeats) -> Option<f64> {
    let (mut noise, mut frames) = (0.0, 0.0);
    let mut all = Vec::with_capacity(response.frames() * response.repeats());
    for frame in 0..response.frames() {
        if let Some(variance) = variance(response.measured(frame)) {
            noise += variance;
            frames += 1.0;
            all.extend(response.measured(frame));
        }
    }
    let total = variance(all.into_iter()).filter(|&total| total > 0.0)?;
    Some(1.0 - noise / frames / total)
}

/// Over n - 1; `None` below two values.
pub(super) fn variance(values: impl Iterator<Item = f64> + Clone) -> Option<f64> {
    let count = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / count;
    (count >= 2.0).then(|| values.map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0))
}
