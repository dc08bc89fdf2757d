//! How well two quantities of a population agree, and how well that is known.

use super::statistics::Resampling;
use super::statistics::correlation::{pearson, pearson_interval};

/// Pearson's correlation with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Correlation {
    /// -1..=1.
    pub value: f64,
    /// Bias-corrected and accelerated bootstrap over pairs (BCa), 2,000 resamples; `None` of fewer than
    /// [`LEAST_PAIRS`](super::statistics::correlation::LEAST_PAIRS).
    pub interval: Option<(f64, f64)>,
}

impl Correlation {
    /// Of pairs, the interval drawn with a seed. `None` where [`pearson`] is undefined.
    pub fn of(first: &[f64], second: &[f64], seed: u64) -> Option<Self> {
        let interval = pearson_interval(first, second, &Resampling::seeded(seed));
        Some(Self { value: pearson(first, second)?, interval: interval.ok().map(|found| (found.low, found.high)) })
    }
}

impl std::fmt::Display for Correlation {
    /// "0.79 [0.70, 0.86]".
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2}", self.value)?;
        match self.interval {
            Some((low, high)) => write!(f, " [{low:.2}, {high:.2}]"),
            None => Ok(()),
        }
    }
}
