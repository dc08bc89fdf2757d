//! How well one half of the repeats predicts the other.

use super::{UnitRepeats, correlation};
use crate::stimulus::hash::random_words;

/// Most repeats of which every division is tried: 252 divisions.
const EVERY_DIVISION: usize = 10;
/// Divisions drawn where there are more repeats.
const DRAWN: u32 = 200;

/// Split-half reliability: the correlation of the means of two halves of the repeats, averaged over the divisions into
/// halves and corrected to the full number of repeats (Spearman and Brown 1910: 2 r / (1 + r)).
///
/// Up to 10 repeats every division counts, and the order of repeats and the seed do not matter; of more, 200 divisions
/// are drawn with the seed. The halves of an odd number differ by one. Divisions without a correlation are left out;
/// `None` when all are, or when the mean correlation is -1.
pub fn split_half_reliability(response: &UnitRepeats, seed: u64) -> Option<f64> {
    let repeats = response.repeats();
    let half = repeats / 2;
    if half == 0 {
        return None;
    }
    let mut correlations = Vec::new();
    let mut take = |chosen: &dyn Fn(usize) -> bool| {
        let [first, second] = [true, false].map(|side| mean_of(response, |repeat| chosen(repeat) == side));
        correlations.extend(correlation(&first, &second));
    };
    if repeats <= EVERY_DIVISION {
        for chosen in (0u32..1 << repeats).filter(|chosen| chosen.count_ones() as usize == half) {
            take(&|repeat| chosen >> repeat & 1 == 1);
        }
    } else {
        for division in 0..DRAWN {
            let mut order: Vec<usize> = (0..repeats).collect();
            order.sort_by_key(|&repeat| random_words(seed, division, repeat as u32));
            let mut chosen = vec![false; repeats];
            order[..half].iter().for_each(|&repeat| chosen[repeat] = true);
            take(&|repeat| chosen[repeat]);
        }
    }
    if correlations.is_empty() {
        return None;
    }
    let mean = correlations.iter().sum::<f64>() / correlations.len() as f64;
    (mean > -1.0 + 1e-12).then(|| 2.0 * mean / (1.0 + mean))
}

/// Mean over some repeats at each frame, NaN where none of them was measured.
fn mean_of(response: &UnitRepeats, chosen: impl Fn(usize) -> bool) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0); response.frames()];
    for (_, row) in response.rows().enumerate().filter(|(repeat, _)| chosen(*repeat)) {
        for ((sum, count), &value) in sums.iter_mut().zip(row).filter(|(_, value)| !value.is_nan()) {
            (*sum, *count) = (*sum + value, *count + 1.0);
        }
    }
    sums.into_iter().map(|(sum, count)| sum / count).collect()
}
