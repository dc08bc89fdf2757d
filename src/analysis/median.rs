//! The middle of a population, and how well it is known.

use crate::stimulus::hash::random_words;

/// Times that the population is drawn again.
const DRAWS: u32 = 2000;

/// A median with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Median {
    /// Number of values.
    pub n: usize,
    /// The middle value, or the mean of the two in the middle.
    pub value: f64,
    /// Where 95 % of the medians lie of populations drawn with replacement from this one (percentile bootstrap);
    /// `None` of a single value.
    pub interval: Option<(f64, f64)>,
}

impl Median {
    /// Of values in any order, the interval drawn with a seed. `None` without values, or when one is NaN.
    pub fn of(values: &[f64], seed: u64) -> Option<Self> {
        if values.is_empty() || values.iter().any(|value| value.is_nan()) {
            return None;
        }
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len();
        let interval = (n > 1).then(|| {
            // Ranks in place of values: what is drawn does not depend on them.
            let mut ranks = vec![0usize; n];
            let mut medians: Vec<f64> = (0..DRAWS).map(|draw| redrawn(&sorted, &mut ranks, seed, draw)).collect();
            medians.sort_by(f64::total_cmp);
            let quantile = |share: f64| medians[(share * (medians.len() - 1) as f64).round() as usize];
            (quantile(0.025), quantile(0.975))
        });
        Some(Self { n, value: (sorted[(n - 1) / 2] + sorted[n / 2]) / 2.0, interval })
    }
}

/// The median of as many values drawn with replacement.
fn redrawn(sorted: &[f64], ranks: &mut [usize], seed: u64, draw: u32) -> f64 {
    let n = sorted.len();
    for (block, ranks) in ranks.chunks_mut(4).enumerate() {
        for (rank, word) in ranks.iter_mut().zip(random_words(seed, draw, block as u32)) {
            // The high part of the product: even to one part in 2^32 / n.
            *rank = ((word as u64 * n as u64) >> 32) as usize;
        }
    }
    let (below, &mut upper, _) = ranks.select_nth_unstable(n / 2);
    let lower = if n % 2 == 1 { upper } else { below.iter().copied().max().unwrap_or(upper) };
    (sorted[lower] + sorted[upper]) / 2.0
}
