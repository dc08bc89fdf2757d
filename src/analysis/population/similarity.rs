//! Representational similarity: which conditions a population tells apart, and whether two populations do it alike
//! (Kriegeskorte, Mur and Bandettini 2008).

use super::ResponseTable;
use crate::analysis::statistics::correlation::{pearson, spearman};
use crate::analysis::statistics::{Chance, StatisticsError};

/// How different two patterns of responses are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dissimilarity {
    /// 1 - Pearson's correlation, 0..=2: the same patterns at another mean or scale are alike.
    #[default]
    Correlation,
    /// Euclidean distance over the square root of the number of units.
    Euclidean,
}

/// Dissimilarities of all pairs of conditions.
#[derive(Debug, Clone, PartialEq)]
pub struct Rdm {
    conditions: usize,
    /// Above the diagonal, row by row.
    pairs: Vec<f64>,
}

impl Rdm {
    /// From the pattern of each condition, one row each, as of [`ResponseTable::group_means`]. `None` with fewer than two
    /// conditions, or when a dissimilarity is undefined, as for a pattern without differences between units.
    pub fn new(patterns: &ResponseTable, by: Dissimilarity) -> Option<Self> {
        let conditions = patterns.observations();
        let apart = |a: usize, b: usize| {
            let (first, second) = (patterns.row(a), patterns.row(b));
            match by {
                Dissimilarity::Correlation => pearson(first, second).map(|r| 1.0 - r),
                Dissimilarity::Euclidean => {
                    let squares: f64 = first.iter().zip(second).map(|(a, b)| (a - b).powi(2)).sum();
                    Some((squares / first.len() as f64).sqrt())
                }
            }
        };
        let pairs = (0..conditions).flat_map(|a| (a + 1..conditions).map(move |b| (a, b)));
        let pairs: Option<Vec<f64>> = pairs.map(|(a, b)| apart(a, b)).collect();
        pairs.filter(|pairs| !pairs.is_empty()).map(|pairs| Self { conditions, pairs })
    }

    /// Number of conditions.
    pub fn conditions(&self) -> usize {
        self.conditions
    }

    /// Dissimilarities above the diagonal, row by row.
    pub fn pairs(&self) -> &[f64] {
        &self.pairs
    }

    /// Dissimilarity of two conditions; 0 of a condition with itself.
    ///
    /// # Panics
    /// When there is no such condition.
    pub fn at(&self, first: usize, second: usize) -> f64 {
        assert!(first.max(second) < self.conditions, "conditions {first} and {second} of {}", self.conditions);
        let (a, b) = (first.min(second), first.max(second));
        // Rows before a hold n - 1, n - 2, ... pairs.
        if a == b { 0.0 } else { self.pairs[a * (2 * self.conditions - a - 1) / 2 + b - a - 1] }
    }

    /// The same with conditions in another order.
    fn reordered(&self, order: &[usize]) -> Vec<f64> {
        let n = self.conditions;
        (0..n).flat_map(|a| (a + 1..n).map(move |b| (a, b))).map(|(a, b)| self.at(order[a], order[b])).collect()
    }
}

/// How alike two populations tell conditions apart: Spearman's correlation of their dissimilarities, -1..=1. `None` for
/// other numbers of conditions, fewer than three of them, or where all dissimilarities of one are equal.
pub fn compare(first: &Rdm, second: &Rdm) -> Option<f64> {
    (first.conditions == second.conditions).then(|| spearman(&first.pairs, &second.pairs)).flatten()
}

/// The same with the chance, under random relabelling of the conditions of one, of a correlation at least as large
/// (Mantel 1967): (correlation, p), p being (1 + as large) / (1 + drawn).
///
/// # Errors
/// When the correlation is undefined.
pub fn compare_by_permutation(
    first: &Rdm,
    second: &Rdm,
    permutations: usize,
    seed: u64,
) -> Result<(f64, f64), StatisticsError> {
    let found = compare(first, second).ok_or(StatisticsError::AllEqual("a comparison of dissimilarities"))?;
    let mut order: Vec<usize> = (0..second.conditions).collect();
    let as_large = (0..permutations)
        .filter(|&stream| {
            Chance::new(seed, stream as u32).shuffle(&mut order);
            // What differs by rounding is as large.
            spearman(&first.pairs, &second.reordered(&order)).is_some_and(|other| other >= found - 1e-12)
        })
        .count();
    Ok((found, (1 + as_large) as f64 / (1 + permutations) as f64))
}
