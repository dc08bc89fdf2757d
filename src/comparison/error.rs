//! Why a twin and a recording are not laid beside each other.

use std::path::PathBuf;

use crate::data::{ScanId, SessionError};
use crate::evaluation::EvaluationError;

/// Why there is no comparison.
#[derive(Debug, thiserror::Error)]
pub enum ComparisonError {
    /// The cells are not the same.
    #[error(
        "{why}, so unit by unit there is nothing to compare: the twin is of {twin}, the recording of {recording}; \
         populations can still be compared (--population)"
    )]
    Strangers {
        /// The first part of identity that does not agree, in words.
        why: String,
        /// Whom the twin predicts, in words.
        twin: String,
        /// Who was recorded.
        recording: ScanId,
    },
    /// Predictions could not be made or counted.
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
    /// The session could not be read.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A table could not be written.
    #[error("`{}` could not be written: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
}
