//! How well a showing is predicted by the others.

use super::{UnitRepeats, correlation};

/// Oracle score: the mean over repeats of the correlation of each with the mean of all others, at the frames where both
/// were measured. A repeat whose correlation is not defined, such as a silent one, is left out; `None` when all are.
pub fn oracle_score(response: &UnitRepeats) -> Option<f64> {
    let mut sums = vec![(0.0, 0.0); response.frames()];
    for row in response.rows() {
        for ((sum, count), &value) in sums.iter_mut().zip(row).filter(|(_, value)| !value.is_nan()) {
            (*sum, *count) = (*sum + value, *count + 1.0);
        }
    }
    let score = |row: &[f64]| {
        // 0 / 0, a NaN that is left out, where no other was measured.
        let others: Vec<f64> =
            sums.iter().zip(row).map(|((sum, count), value)| (sum - value) / (count - 1.0)).collect();
        correlation(row, &others)
    };
    let scores: Vec<f64> = response.rows().filter_map(score).collect();
    (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64)
}
