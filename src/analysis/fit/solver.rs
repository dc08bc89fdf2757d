//! Least squares with bounds.

use levenberg_marquardt::{LeastSquaresProblem, LevenbergMarquardt, TerminationReason};
use nalgebra::storage::Owned;
use nalgebra::{DMatrix, DVector, Dyn};

use super::bounds::Bound;

/// Relative change of the sum of squares or of the parameters below which a fit has settled.
const TOLERANCE: f64 = 1e-12;

/// Evaluations per parameter after which a fit is stopped.
const PATIENCE: usize = 200;

/// Step of the central differences that give the slopes: the cube root of the precision of f64, where truncation and
/// rounding are equally small.
const STEP: f64 = 6e-6;

/// The best parameters found.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Solution {
    pub(super) parameters: Vec<f64>,
    /// Whether the solver settled.
    pub(super) success: bool,
}

/// Parameters within bounds with the least sum of squared residuals, from the best of several starts. `residuals` writes
/// as many values as there are points; there are at least as many points as parameters.
pub(super) fn least_squares(
    points: usize,
    bounds: &[Bound],
    starts: &[Vec<f64>],
    residuals: impl Fn(&[f64], &mut [f64]),
) -> Solution {
    let mut best: Option<(f64, Solution)> = None;
    for start in starts {
        let free = DVector::from_iterator(bounds.len(), bounds.iter().zip(start).map(|(bound, &p)| bound.free(p)));
        let problem = Problem { points, bounds, free, residuals: &residuals };
        let solver = LevenbergMarquardt::new().with_tol(TOLERANCE).with_patience(PATIENCE);
        let (problem, report) = solver.minimize(problem);
        let settled = report.termination.was_successful()
            // As good as f64 allows.
            || matches!(report.termination, TerminationReason::NoImprovementPossible(_));
        let squares = if report.objective_function.is_finite() { report.objective_function } else { f64::INFINITY };
        if best.as_ref().is_none_or(|(least, _)| squares < *least) {
            best =
                Some((squares, Solution { parameters: problem.parameters(problem.free.as_slice()), success: settled }));
        }
    }
    best.map_or(Solution { parameters: vec![f64::NAN; bounds.len()], success: false }, |(_, solution)| solution)
}

struct Problem<'a, R> {
    points: usize,
    bounds: &'a [Bound],
    free: DVector<f64>,
    residuals: &'a R,
}

impl<R: Fn(&[f64], &mut [f64])> Problem<'_, R> {
    fn parameters(&self, free: &[f64]) -> Vec<f64> {
        self.bounds.iter().zip(free).map(|(bound, &q)| bound.parameter(q)).collect()
    }

    fn residuals_at(&self, free: &[f64]) -> DVector<f64> {
        let mut values = DVector::zeros(self.points);
        (self.residuals)(&self.parameters(free), values.as_mut_slice());
        values
    }
}

impl<R: Fn(&[f64], &mut [f64])> LeastSquaresProblem<f64, Dyn, Dyn> for Problem<'_, R> {
    type ResidualStorage = Owned<f64, Dyn>;
    type JacobianStorage = Owned<f64, Dyn, Dyn>;
    type ParameterStorage = Owned<f64, Dyn>;

    fn set_params(&mut self, free: &DVector<f64>) {
        self.free.copy_from(free);
    }

    fn params(&self) -> DVector<f64> {
        self.free.clone()
    }

    fn residuals(&self) -> Option<DVector<f64>> {
        Some(self.residuals_at(self.free.as_slice()))
    }

    fn jacobian(&self) -> Option<DMatrix<f64>> {
        let mut free = self.free.as_slice().to_vec();
        let mut slopes = DMatrix::zeros(self.points, free.len());
        for index in 0..free.len() {
            let here = free[index];
            let step = STEP * here.abs().max(1.0);
            free[index] = here + step;
            let above = self.residuals_at(&free);
            free[index] = here - step;
            let below = self.residuals_at(&free);
            free[index] = here;
            slopes.set_column(index, &((above - below) / (2.0 * step)));
        }
        Some(slopes)
    }
}
