//! Why a statistic cannot be computed.

/// Data of which a statistic can say nothing.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StatisticsError {
    /// Not enough of them.
    #[error("{what} needs at least {needed} values, found {found}")]
    TooFew {
        /// What was asked.
        what: &'static str,
        /// Smallest number that allows an answer.
        needed: usize,
        /// How many there are.
        found: usize,
    },
    /// Two lists that belong together pair by pair do not match.
    #[error("pairs need as many first as second values, found {first} and {second}")]
    Unpaired {
        /// Values in the first list.
        first: usize,
        /// Values in the second list.
        second: usize,
    },
    /// A value that is no number.
    #[error("value {index} is {value}: leave such values out before testing, and say how many there were")]
    NotFinite {
        /// Its index in its list.
        index: usize,
        /// The value.
        value: f64,
    },
    /// A probability outside 0..=1, or a confidence level outside 0..1.
    #[error("{what} is {found}, but must lie between 0 and 1")]
    NoProbability {
        /// What it is.
        what: &'static str,
        /// The value.
        found: f64,
    },
    /// All pairs or all values are equal.
    #[error("{0} says nothing about values that are all equal")]
    AllEqual(&'static str),
    /// The quantity itself has no value for these data, or for most of their resamples.
    #[error("the quantity is undefined for {undefined} of {resamples} resamples, too many for an interval")]
    Undefined {
        /// Resamples without a value.
        undefined: usize,
        /// All resamples.
        resamples: usize,
    },
}

/// Refuses the first value that is not finite.
pub(super) fn all_finite(values: &[f64]) -> Result<(), StatisticsError> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(StatisticsError::NotFinite { index, value: values[index] }),
        None => Ok(()),
    }
}

/// Refuses lists that are shorter than this.
pub(super) fn at_least(what: &'static str, needed: usize, found: usize) -> Result<(), StatisticsError> {
    if found < needed { Err(StatisticsError::TooFew { what, needed, found }) } else { Ok(()) }
}
