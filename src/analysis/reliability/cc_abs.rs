//! How well a prediction follows the mean response.

use super::{UnitRepeats, correlation};

/// CC_abs: Pearson's correlation of the prediction with the response, each the mean over repeats. What was not measured
/// is left out of both means. A prediction of one repeat stands for all of them.
///
/// `None` when frames or repeats do not fit, when fewer than two frames were measured, or when one of both means is
/// constant.
pub fn cc_abs(prediction: &UnitRepeats, response: &UnitRepeats) -> Option<f64> {
    let (repeats, frames) = (response.repeats(), response.frames());
    if prediction.frames() != frames || ![1, repeats].contains(&prediction.repeats()) {
        return None;
    }
    let mut sums = vec![(0.0, 0.0, 0.0); frames];
    for repeat in 0..repeats {
        let predicted = prediction.repeat(repeat.min(prediction.repeats() - 1));
        for ((sum, &p), &r) in sums.iter_mut().zip(predicted).zip(response.repeat(repeat)) {
            if !p.is_nan() && !r.is_nan() {
                *sum = (sum.0 + p, sum.1 + r, sum.2 + 1.0);
            }
        }
    }
    // 0 / 0, a NaN that is left out, where nothing was measured.
    let (predicted, measured): (Vec<f64>, Vec<f64>) = sums.iter().map(|(p, r, n)| (p / n, r / n)).unzip();
    correlation(&predicted, &measured)
}
