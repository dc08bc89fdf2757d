//! Why there is no baseline.

use crate::job::Cancelled;

/// One sentence: what, where, and how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// The file system refused to read.
    #[error("`{file}` could not be read: {source}")]
    Read {
        /// The file.
        file: String,
        /// Cause.
        source: std::io::Error,
    },
    /// The file system refused to write.
    #[error("`{file}` could not be written: {source}")]
    Write {
        /// The file.
        file: String,
        /// Cause.
        source: std::io::Error,
    },
    /// Cut short, altered, or of another kind.
    #[error("`{file}` is damaged or no baseline of this kind: {what}")]
    Damaged {
        /// The file.
        file: String,
        /// What gave it away.
        what: String,
    },
    /// Settings that cannot be.
    #[error("the settings of the baseline cannot be used: {0}")]
    Config(String),
    /// Clips from which nothing can be learned.
    #[error("the baseline cannot be fitted: {0}")]
    Clips(String),
    /// Movie and behaviour do not fit together.
    #[error("the baseline cannot respond: {0}")]
    Mismatch(String),
    /// The fit has left the range of numbers.
    #[error("the loss is {0}; lower the learning rate, and check the recordings for values without limit")]
    NotFinite(f64),
    /// The user asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Refuses a setting outside its range.
pub(crate) fn within(key: &str, found: usize, least: usize, most: usize) -> Result<(), BaselineError> {
    if (least..=most).contains(&found) {
        return Ok(());
    }
    Err(BaselineError::Config(format!("`{key}` is {found}, expected {least} to {most}")))
}

/// Refuses a setting that is no number between two others.
pub(crate) fn between(key: &str, found: f64, least: f64, most: f64) -> Result<(), BaselineError> {
    if (least..=most).contains(&found) {
        return Ok(());
    }
    Err(BaselineError::Config(format!("`{key}` is {found}, expected {least} to {most}")))
}
