//! How well log-rates predict spike counts: bits per spike, explained variance, and two baselines, the mean response and
//! Poisson regression on the activity of other neurons.
//! The same functions for every model.

mod bits_per_spike;
mod explained;
mod glm;
mod psth;
mod smoothing;

pub use bits_per_spike::{BitsPerSpike, TrialScores, bits_per_spike, bits_per_spike_at};
pub use explained::{single_trial_r2, trial_average_r2};
pub use glm::{GlmError, PoissonGlm};
pub use psth::psth;
pub use smoothing::Smoothing;

/// Numbers that cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpikeScoreError {
    /// Predictions of something else.
    #[error("log-rates {found:?} were held against counts {expected:?} (trials, bins, neurons)")]
    Shape {
        /// Shape of the log-rates.
        found: [usize; 3],
        /// Shape of the counts.
        expected: [usize; 3],
    },
    /// A log-rate that is not a number, or a negative count.
    #[error("the {what} of trial {trial}, bin {bin}, neuron {neuron} is {value}, which is none")]
    Value {
        /// Log-rate or count.
        what: &'static str,
        /// Trial.
        trial: usize,
        /// Bin.
        bin: usize,
        /// Neuron.
        neuron: usize,
        /// What stands there, in words.
        value: String,
    },
}

use crate::signals::Binned;

/// Fails when shapes differ, a log-rate is not a number or infinitely large, or a count is negative or not finite.
fn check(log_rates: &Binned, counts: &Binned) -> Result<(), SpikeScoreError> {
    if log_rates.shape() != counts.shape() {
        return Err(SpikeScoreError::Shape { found: log_rates.shape(), expected: counts.shape() });
    }
    let [_, bins, neurons] = counts.shape();
    let wrong = |what, index: usize, value: f32| {
        let (trial, bin, neuron) = (index / neurons / bins, index / neurons % bins, index % neurons);
        Err(SpikeScoreError::Value { what, trial, bin, neuron, value: value.to_string() })
    };
    // A rate of 0 is fine: its logarithm is minus infinity.
    if let Some(i) = log_rates.values().iter().position(|value| value.is_nan() || *value == f32::INFINITY) {
        return wrong("log-rate", i, log_rates.values()[i]);
    }
    match counts.values().iter().position(|value| !(value.is_finite() && *value >= 0.0)) {
        Some(i) => wrong("count", i, counts.values()[i]),
        None => Ok(()),
    }
}
