//! How reliable responses are from one showing of a stimulus to the next, and how well they can be predicted at all.
//!
//! Everything here takes [`Repeats`] or one unit of them, recorded or predicted. Values that were not measured are left
//! out, sums are in f64, and a quantity that is not defined is `None`: no NaN comes out.

mod cc_abs;
mod cc_max;
mod correlation;
mod explainable_variance;
mod fano_factor;
mod oracle;
mod pairs;
mod repeats;
mod sparseness;
mod split_half;

pub use cc_abs::cc_abs;
pub use cc_max::{CeilingSums, Freedom, NoCeiling, cc_max, cc_norm, ceiling};
pub use correlation::{Moments, correlation};
pub use explainable_variance::explainable_variance;
pub use fano_factor::fano_factor;
pub use oracle::oracle_score;
pub use pairs::{
    PairSeries, PairTable, noise_correlation, noise_correlations, signal_correlation, signal_correlations,
};
pub use repeats::{Repeats, UnitRepeats};
pub use sparseness::{PopulationSparseness, lifetime_sparseness, population_sparseness};
pub use split_half::split_half_reliability;
