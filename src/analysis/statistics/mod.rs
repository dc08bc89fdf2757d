//! Intervals and tests, each with its name in the result, and the correction of many of them.
//!
//! Chance comes from a seed that the caller gives and keeps: the same data and seed give the same numbers anywhere.

mod bootstrap;
mod chance;
mod correction;
pub mod correlation;
mod error;
mod means;
pub mod moments;
pub mod normal;
mod permutation;
mod rank_tests;
mod test;
mod wilson;

pub(in crate::analysis) use moments::quantile_of_sorted;

pub use bootstrap::{Interval, IntervalMethod, Resampling, bootstrap, bootstrap_within};
pub use chance::Chance;
pub use correction::Correction;
pub use error::StatisticsError;
pub use means::{Draws, Means};
pub use permutation::{paired_permutation, unpaired_permutation};
pub use rank_tests::{mann_whitney, wilcoxon_signed_rank};
pub use test::{Alternative, Null, Test, TestResult};
pub use wilson::wilson_interval;
