//! Linear regression of a quantity, such as the speed of a wheel, on the responses of a population, with a ridge penalty
//! that cross-validation chooses.
//!
//! Minimised is Σ (y - b - w·x)² + n α |w|², with responses x scaled to mean 0 and variance 1. Observations come in
//! groups, such as the bins of one trial, which are never parted between the folds: neighbours in time are alike.

use nalgebra::{Cholesky, DMatrix, DVector};

use super::ResponseTable;
use crate::analysis::statistics::Chance;

/// How the penalty is chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Ridge {
    /// Penalties that are tried.
    pub penalties: Vec<f64>,
    /// Number of folds, at least 2 and at most the number of groups.
    pub folds: usize,
    /// What the groups are dealt to the folds with.
    pub seed: u64,
}

impl Ridge {
    /// Five folds, penalties from 1e-4 to 100 in decades.
    pub fn seeded(seed: u64) -> Self {
        Self { penalties: (-4..=2).map(|decade| 10f64.powi(decade)).collect(), folds: 5, seed }
    }
}

/// Why nothing was learned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegressionError {
    /// Not one target and group for each observation.
    #[error(
        "a regression needs one target and one group for each of the {observations} observations, found {targets} and {groups}"
    )]
    Targets {
        /// Observations.
        observations: usize,
        /// Targets.
        targets: usize,
        /// Groups.
        groups: usize,
    },
    /// Folds that cannot be.
    #[error("{folds} folds need at least as many groups of observations, found {groups}; 2 is the least")]
    Folds {
        /// Folds that were asked for.
        folds: usize,
        /// Groups.
        groups: usize,
    },
    /// No penalty to try.
    #[error("a regression needs at least one penalty, and all above 0")]
    Penalties,
    /// Nothing to explain, or nothing to explain it by.
    #[error("the target or all responses never change: there is nothing to learn")]
    Constant,
}

/// A linear prediction.
#[derive(Debug, Clone, PartialEq)]
pub struct Regression {
    means: Vec<f64>,
    scales: Vec<f64>,
    weights: DVector<f64>,
    bias: f64,
    /// The penalty that predicted folds best which it had not seen.
    pub penalty: f64,
    /// Share of the variance that it explained of them, 1 - Σ (y - ŷ)² / Σ (y - mean y)².
    pub cross_validated_r2: f64,
}

/// Sums over some observations: all that a ridge regression needs of them.
#[derive(Clone)]
struct Sums {
    /// Σ x x'.
    products: DMatrix<f64>,
    /// Σ x y.
    with_target: DVector<f64>,
    /// Σ x.
    inputs: DVector<f64>,
    /// Σ y.
    target: f64,
    count: f64,
}

impl Sums {
    fn of(scaled: &DMatrix<f64>, targets: &[f64]) -> Self {
        let target = DVector::from_column_slice(targets);
        let turned = scaled.transpose();
        Self {
            products: &turned * scaled,
            with_target: &turned * &target,
            inputs: turned.column_sum(),
            target: target.sum(),
            count: targets.len() as f64,
        }
    }

    fn without(&self, other: &Self) -> Self {
        Self {
            products: &self.products - &other.products,
            with_target: &self.with_target - &other.with_target,
            inputs: &self.inputs - &other.inputs,
            target: self.target - other.target,
            count: self.count - other.count,
        }
    }

    /// Weights and bias; `None` when the covariance cannot be inverted.
    fn solve(&self, penalty: f64) -> Option<(DVector<f64>, f64)> {
        let mean = &self.inputs / self.count;
        let mut covariance = &self.products / self.count - &mean * mean.transpose();
        (0..covariance.nrows()).for_each(|index| covariance[(index, index)] += penalty);
        let right = &self.with_target / self.count - &mean * (self.target / self.count);
        let weights = Cholesky::new(covariance)?.solve(&right);
        let bias = self.target / self.count - weights.dot(&mean);
        Some((weights, bias))
    }
}

impl Regression {
    /// Learns targets from responses. `groups` are any numbers, equal for observations that belong together.
    ///
    /// # Errors
    /// When parts do not fit together, or nothing changes.
    pub fn learn(
        table: &ResponseTable,
        targets: &[f64],
        groups: &[usize],
        how: &Ridge,
    ) -> Result<Self, RegressionError> {
        let observations = table.observations();
        if targets.len() != observations || groups.len() != observations {
            return Err(RegressionError::Targets { observations, targets: targets.len(), groups: groups.len() });
        }
        if how.penalties.is_empty() || !how.penalties.iter().all(|penalty| penalty.is_finite() && *penalty > 0.0) {
            return Err(RegressionError::Penalties);
        }
        let folds = folds(groups, how)?;
        let (means, scales) = moments(table);
        let (mean, n) = (targets.iter().sum::<f64>() / observations as f64, observations as f64);
        let variance = targets.iter().map(|target| (target - mean).powi(2)).sum::<f64>();
        let varies = variance.is_finite() && variance > 1e-24 * n * (mean * mean).max(f64::MIN_POSITIVE);
        if !varies || scales.iter().all(|&scale| scale == 0.0) {
            return Err(RegressionError::Constant);
        }
        let part = |fold: usize| {
            let rows: Vec<usize> = (0..observations).filter(|&row| folds[row] == fold).collect();
            let scaled = DMatrix::from_fn(rows.len(), table.units(), |row, unit| {
                (table.row(rows[row])[unit] - means[unit]) * scales[unit]
            });
            (scaled, rows.iter().map(|&row| targets[row]).collect::<Vec<f64>>())
        };
        let parts: Vec<_> = (0..how.folds).map(part).collect();
        let sums: Vec<Sums> = parts.iter().map(|(scaled, targets)| Sums::of(scaled, targets)).collect();
        let all = {
            let mut all = sums[0].clone();
            for sum in &sums[1..] {
                all.products += &sum.products;
                all.with_target += &sum.with_target;
                all.inputs += &sum.inputs;
                all.target += sum.target;
                all.count += sum.count;
            }
            all
        };
        let rests: Vec<Sums> = sums.iter().map(|held| all.without(held)).collect();
        let left = |penalty: f64| -> Option<f64> {
            let mut left = 0.0;
            for ((scaled, targets), rest) in parts.iter().zip(&rests) {
                let (weights, bias) = rest.solve(penalty)?;
                let found = scaled * weights;
                left += found.iter().zip(targets).map(|(found, target)| (found + bias - target).powi(2)).sum::<f64>();
            }
            Some(left)
        };
        let tried = how.penalties.iter().filter_map(|&penalty| Some((left(penalty)?, penalty)));
        let (left, penalty) = tried.min_by(|a, b| a.0.total_cmp(&b.0)).ok_or(RegressionError::Constant)?;
        let (weights, bias) = all.solve(penalty).ok_or(RegressionError::Constant)?;
        Ok(Self { means, scales, weights, bias, penalty, cross_validated_r2: 1.0 - left / variance })
    }

    /// The target of one observation.
    ///
    /// # Panics
    /// When there are other units than were learned from.
    pub fn predict(&self, responses: &[f64]) -> f64 {
        assert_eq!(responses.len(), self.means.len(), "the units that were learned from");
        let scaled =
            responses.iter().zip(&self.means).zip(&self.scales).map(|((value, mean), scale)| (value - mean) * scale);
        self.bias + scaled.zip(&self.weights).map(|(value, weight)| value * weight).sum::<f64>()
    }
}

/// Mean, and one over the standard deviation, of each unit; 0 for one that never changes.
fn moments(table: &ResponseTable) -> (Vec<f64>, Vec<f64>) {
    let means = table.means();
    let scale = |(unit, mean): (usize, &f64)| {
        let square = table.unit(unit).map(|value| (value - mean).powi(2)).sum::<f64>() / table.observations() as f64;
        let deviation = square.sqrt();
        if deviation > 1e-12 * mean.abs() && deviation > 0.0 { deviation.recip() } else { 0.0 }
    };
    let scales = means.iter().enumerate().map(scale).collect();
    (means, scales)
}

/// The fold of each observation: groups in random order, dealt one fold after the other.
fn folds(groups: &[usize], how: &Ridge) -> Result<Vec<usize>, RegressionError> {
    let mut known: Vec<usize> = std::collections::BTreeSet::from_iter(groups.iter().copied()).into_iter().collect();
    if how.folds < 2 || known.len() < how.folds {
        return Err(RegressionError::Folds { folds: how.folds, groups: known.len() });
    }
    Chance::new(how.seed, 0).shuffle(&mut known);
    let fold: std::collections::BTreeMap<usize, usize> =
        known.into_iter().enumerate().map(|(index, group)| (group, index % how.folds)).collect();
    Ok(groups.iter().map(|group| fold[group]).collect())
}
