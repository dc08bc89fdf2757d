//! Principal components: the directions in which a population varies most.

use nalgebra::{DMatrix, DVector};

use super::ResponseTable;
use crate::analysis::statistics::Chance;

/// Largest side of a matrix whose components are all computed; of larger ones only the first, by subspace iteration.
const ALL: usize = 600;

/// Share of the variance below which a direction is one of rounding.
const LEAST: f64 = 1e-12;

/// Components that are iterated beside those that were asked for, and rounds of iteration (Halko, Martinsson and Tropp
/// 2011): the error of a component falls as the ratio of the variances to the power of twice the rounds.
const BESIDE: usize = 10;
const ROUNDS: usize = 12;

/// Principal components of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Pca {
    /// Mean of each unit.
    pub means: Vec<f64>,
    /// Weight of each unit in each component, `[component][unit]`, of length 1; the largest weight is positive.
    pub components: Vec<Vec<f64>>,
    /// Where each observation lies along each component, `[component][observation]`.
    pub scores: Vec<Vec<f64>>,
    /// Variance along each component, with the number of observations less 1 below the line; descending.
    pub variances: Vec<f64>,
    /// Variance in all directions together.
    pub total_variance: f64,
}

impl Pca {
    /// Share of the variance that each component explains, 0..=1.
    pub fn explained(&self) -> impl Iterator<Item = f64> {
        self.variances.iter().map(|variance| variance / self.total_variance)
    }
}

/// The first principal components; fewer where there are no more directions with variance. Units are centred and not
/// scaled. The seed matters to tables of more than 600 observations and units only, whose components are iterated from
/// random directions.
///
/// `None` with fewer than two observations, or when nothing varies.
pub fn pca(table: &ResponseTable, components: usize, seed: u64) -> Option<Pca> {
    let (n, p) = (table.observations(), table.units());
    if n < 2 {
        return None;
    }
    let means = table.means();
    let mut centred = DMatrix::from_row_slice(n, p, table.values());
    for (mut column, mean) in centred.column_iter_mut().zip(&means) {
        column.add_scalar_mut(-mean);
    }
    let freedom = n as f64 - 1.0;
    let total_variance = centred.norm_squared() / freedom;
    let scale = table.values().iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    if total_variance <= (1e-14 * scale).powi(2) {
        return None;
    }
    // Directions in the space of observations; those of the units follow from them.
    let directions = if n.min(p) <= ALL { exact(&centred) } else { iterated(&centred, components, seed) };
    let mut found = Pca { means, components: Vec::new(), scores: Vec::new(), variances: Vec::new(), total_variance };
    for direction in directions.into_iter().take(components) {
        let mut scores = &centred * &direction;
        let variance = scores.norm_squared() / freedom;
        if variance <= LEAST * total_variance {
            break;
        }
        let turn = if direction[direction.iamax()] < 0.0 { -1.0 } else { 1.0 };
        scores *= turn;
        found.components.push(direction.iter().map(|weight| turn * weight).collect());
        found.scores.push(scores.iter().copied().collect());
        found.variances.push(variance);
    }
    Some(found)
}

/// Unit vectors `[unit]` of all components, from the smaller of the two matrices of products.
fn exact(centred: &DMatrix<f64>) -> Vec<DVector<f64>> {
    let (n, p) = centred.shape();
    let products = if p <= n { centred.tr_mul(centred) } else { centred * centred.transpose() };
    let eigen = products.symmetric_eigen();
    let mut order: Vec<usize> = (0..eigen.eigenvalues.len()).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
    // What has no variance but for rounding has no direction.
    order.retain(|&index| eigen.eigenvalues[index] > LEAST * eigen.eigenvalues.sum());
    order
        .into_iter()
        .map(|index| {
            let vector = eigen.eigenvectors.column(index);
            if p <= n { vector.into_owned() } else { centred.tr_mul(&vector).normalize() }
        })
        .collect()
}

/// The same of the first components of a large table, by iteration of a subspace.
fn iterated(centred: &DMatrix<f64>, components: usize, seed: u64) -> Vec<DVector<f64>> {
    let (n, p) = centred.shape();
    let width = components.saturating_add(BESIDE).min(n.min(p));
    let mut chance = Chance::new(seed, 0);
    let mut basis = DMatrix::from_fn(p, width, |_, _| chance.normal()).qr().q();
    for _ in 0..ROUNDS {
        let over = (centred * &basis).qr().q();
        basis = centred.tr_mul(&over).qr().q();
    }
    let small = centred * &basis;
    let eigen = small.tr_mul(&small).symmetric_eigen();
    let mut order: Vec<usize> = (0..width).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
    order.into_iter().map(|index| &basis * eigen.eigenvectors.column(index)).collect()
}
