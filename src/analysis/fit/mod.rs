//! Curves fitted to tuning by least squares, each with how well it fits.
//!
//! The solver is Levenberg and Marquardt's in the form of MINPACK. Bounds of parameters are kept by a change of variables
//! (James and Roos 1975); curves that can settle in several minima are started from several places and the best is kept.

mod bounds;
mod contrast;
mod direction;
mod frequency;
mod gaussian_2d;
mod orientation;
mod size;
mod solver;

pub use contrast::{ContrastCurve, fit_contrast};
pub use direction::{DirectionCurve, fit_direction};
pub use frequency::{FrequencyCurve, fit_frequency};
pub use gaussian_2d::{Gaussian2d, fit_gaussian_2d};
pub use orientation::{OrientationCurve, fit_orientation};
pub use size::{SizeCurve, fit_size};

/// A fitted curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit<C> {
    /// The curve, with its parameters.
    pub curve: C,
    /// How well it fits.
    pub goodness: Goodness,
}

/// How well a curve fits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Goodness {
    /// Explained fraction of the variance over the points, 1 - residual / total; at most 1, and below 0 for a fit worse
    /// than the mean.
    pub r2: f64,
    /// Mean squared residual, in the square of the response's unit.
    pub mse: f64,
    /// Whether the solver settled; otherwise it was stopped, and the curve is the best so far.
    pub success: bool,
}

/// Points to which a curve cannot be fitted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FitError {
    /// Not as many responses as values.
    #[error("a fit needs one response for each value, found {values} values and {responses} responses")]
    Lengths {
        /// Values.
        values: usize,
        /// Responses.
        responses: usize,
    },
    /// Not more points than parameters.
    #[error("{curve} needs at least {needed} different values, found {found}")]
    TooFew {
        /// Name of the curve.
        curve: &'static str,
        /// Smallest number.
        needed: usize,
        /// How many there are.
        found: usize,
    },
    /// A value or response that is NaN or infinite.
    #[error("point {0} is not finite: leave such points out before fitting")]
    NotFinite(usize),
    /// A value that the curve does not know, such as a frequency of 0 on a logarithmic axis.
    #[error("{curve} has no value {value}")]
    Outside {
        /// Name of the curve.
        curve: &'static str,
        /// The value.
        value: f64,
    },
    /// Nothing to fit.
    #[error("all responses are equal: there is no tuning to fit")]
    Flat,
    /// No response above 0, where the curve has only such.
    #[error("no response is above 0: {0} has nothing to fit")]
    Silent(&'static str),
}

/// Refuses points that no curve can be fitted to.
fn check(
    curve: &'static str,
    needed: usize,
    values: &[f64],
    responses: &[f64],
    known: impl Fn(f64) -> bool,
) -> Result<(), FitError> {
    if values.len() != responses.len() {
        return Err(FitError::Lengths { values: values.len(), responses: responses.len() });
    }
    if let Some(index) = values.iter().zip(responses).position(|(value, response)| !(value + response).is_finite()) {
        return Err(FitError::NotFinite(index));
    }
    if let Some(&value) = values.iter().find(|&&value| !known(value)) {
        return Err(FitError::Outside { curve, value });
    }
    let mut different = values.to_vec();
    different.sort_by(f64::total_cmp);
    different.dedup();
    if different.len() < needed {
        return Err(FitError::TooFew { curve, needed, found: different.len() });
    }
    if responses.iter().all(|&response| response == responses[0]) {
        return Err(FitError::Flat);
    }
    if responses.iter().all(|&response| response <= 0.0) {
        return Err(FitError::Silent(curve));
    }
    Ok(())
}

/// Smallest and largest of a list.
fn extent(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), &value| (least.min(value), most.max(value)))
}

/// Index of the largest of a list, the first of equals.
fn largest(values: &[f64]) -> usize {
    (0..values.len()).max_by(|&a, &b| values[a].total_cmp(&values[b]).then(b.cmp(&a))).unwrap_or(0)
}

/// Responses as fractions of the largest, so that tolerances mean the same for every unit of measure; and that largest.
fn scaled(responses: &[f64]) -> (Vec<f64>, f64) {
    let scale = responses.iter().fold(0.0_f64, |most, response| most.max(response.abs()));
    (responses.iter().map(|response| response / scale).collect(), scale)
}

/// How well a curve fits points.
fn goodness(responses: &[f64], success: bool, curve: impl Fn(usize) -> f64) -> Goodness {
    let n = responses.len() as f64;
    let mean = responses.iter().sum::<f64>() / n;
    let total: f64 = responses.iter().map(|response| (response - mean).powi(2)).sum();
    let residual: f64 = responses.iter().enumerate().map(|(index, response)| (response - curve(index)).powi(2)).sum();
    Goodness { r2: 1.0 - residual / total, mse: residual / n, success }
}
