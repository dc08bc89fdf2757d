//! Why spikes could not be read, written or used.

use crate::data::ArrayError;
use crate::data::import::ImportError;

/// One sentence a user can act on.
#[derive(Debug, thiserror::Error)]
pub enum SpikeError {
    /// A file or an array in it.
    #[error(transparent)]
    Array(#[from] ArrayError),
    /// A recording in one of the formats of the field.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// An array that must be there.
    #[error("`{file}` has no array `{array}`: {expected}")]
    Missing {
        /// The file.
        file: String,
        /// The array.
        array: &'static str,
        /// What is needed.
        expected: &'static str,
    },
    /// Parts that contradict each other, or cannot be.
    #[error("`{file}`: {what}")]
    Content {
        /// The file, or the name of the session.
        file: String,
        /// What is wrong.
        what: String,
    },
}
