//! Correlations of two lists, by value and by rank.

use super::bootstrap::{Influence, bootstrap_knowing};
use super::error::at_least;
use super::{Interval, Resampling, StatisticsError};

/// Fewest pairs whose correlation has an interval. Of five pairs one resample in ten holds no more than two of them, whose
/// correlation is 1 or -1 whatever the others are, and the ends of a 95 % interval would be those; of six it is one in
/// fifty, fewer than lie outside.
pub const LEAST_PAIRS: usize = 6;

/// Pearson's correlation, -1..=1. `None` when the lists differ in length, have fewer than two values, or when one of
/// them is constant or holds a value that is not finite.
pub fn pearson(first: &[f64], second: &[f64]) -> Option<f64> {
    if first.len() != second.len() || first.len() < 2 {
        return None;
    }
    Sums::of(first.iter().copied().zip(second.iter().copied())).correlation()
}

/// [`pearson`] with its bootstrap interval over pairs. Its time grows with their number, not with its square.
///
/// # Errors
/// When the lists differ in length or have fewer than [`LEAST_PAIRS`] values, with an impossible level or no resamples, or
/// when the correlation is undefined for the lists or for more than half of the resamples.
pub fn pearson_interval(first: &[f64], second: &[f64], how: &Resampling) -> Result<Interval, StatisticsError> {
    let n = first.len();
    if n != second.len() {
        return Err(StatisticsError::Unpaired { first: n, second: second.len() });
    }
    at_least("an interval of a correlation", LEAST_PAIRS, n)?;
    let again =
        |drawn: &[Vec<usize>]| Sums::of(drawn[0].iter().map(|&index| (first[index], second[index]))).correlation();
    let pairs = || first.iter().copied().zip(second.iter().copied());
    let influence = || {
        let all = Sums::of(pairs());
        let mut influence = Influence::default();
        influence.add(&pairs().map(|pair| all.without(pair).correlation()).collect::<Option<Vec<f64>>>()?);
        Some(influence)
    };
    bootstrap_knowing(&[n], again, influence, how)
}

/// Means of pairs, and sums of squares and products about them.
struct Sums {
    n: f64,
    means: [f64; 2],
    squares: [f64; 2],
    product: f64,
    /// What rounding leaves of the squares of a constant list, which are no variance.
    rounding: [f64; 2],
}

impl Sums {
    /// Of all pairs, which are gone through twice.
    fn of(pairs: impl ExactSizeIterator<Item = (f64, f64)> + Clone) -> Self {
        let n = pairs.len() as f64;
        let (sum_a, sum_b) = pairs.clone().fold((0.0f64, 0.0f64), |(sum_a, sum_b), (a, b)| (sum_a + a, sum_b + b));
        let means: [f64; 2] = [sum_a / n, sum_b / n];
        let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
        for (a, b) in pairs {
            let (a, b) = (a - means[0], b - means[1]);
            ab += a * b;
            aa += a * a;
            bb += b * b;
        }
        Self { n, means, squares: [aa, bb], product: ab, rounding: means.map(|mean| n * (mean * 1e-14).powi(2)) }
    }

    /// Without one of the pairs: the squares fall by its squared distance from the mean, n / (n - 1) times, as the mean
    /// moves away from it.
    fn without(&self, (a, b): (f64, f64)) -> Self {
        let rest = self.n - 1.0;
        let (a, b) = (a - self.means[0], b - self.means[1]);
        let weight = self.n / rest;
        let [aa, bb] = self.squares;
        Self {
            n: rest,
            means: [self.means[0] - a / rest, self.means[1] - b / rest],
            squares: [aa - weight * a * a, bb - weight * b * b],
            product: self.product - weight * a * b,
            // Of squares that all came from this pair rounding leaves a part of what they were.
            rounding: [self.rounding[0].max(1e-14 * aa), self.rounding[1].max(1e-14 * bb)],
        }
    }

    fn correlation(&self) -> Option<f64> {
        let [aa, bb] = self.squares;
        let undefined = aa <= self.rounding[0] || bb <= self.rounding[1];
        Some(self.product / (aa.sqrt() * bb.sqrt())).filter(|r| !undefined && r.is_finite()).map(|r| r.clamp(-1.0, 1.0))
    }
}

/// Spearman's rank correlation, -1..=1: Pearson's of the ranks, equal values sharing the mean of theirs. `None` where
/// that is undefined.
pub fn spearman(first: &[f64], second: &[f64]) -> Option<f64> {
    let finite = |values: &[f64]| values.iter().all(|value| value.is_finite());
    (finite(first) && finite(second)).then(|| pearson(&ranks(first), &ranks(second))).flatten()
}

/// Ranks from 1, in the order of the list; equal values share the mean of theirs.
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    for tied in order.chunk_by(|&a, &b| values[a] == values[b]).scan(0, |before, tied| {
        *before += tied.len();
        Some((*before, tied))
    }) {
        let (last, tied) = tied;
        let shared = last as f64 - 0.5 * (tied.len() as f64 - 1.0);
        tied.iter().for_each(|&index| ranks[index] = shared);
    }
    ranks
}
