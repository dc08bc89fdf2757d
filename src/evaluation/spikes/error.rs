//! Why there is no evaluation of spikes.

use std::path::PathBuf;

use crate::analysis::population::{DecodingError, RegressionError};
use crate::analysis::spikes::{GlmError, SpikeScoreError};
use crate::job::Cancelled;
use crate::model::mtm::MtmError;

/// One sentence a user can act on.
#[derive(Debug, thiserror::Error)]
pub enum SpikeEvaluationError {
    /// A session that does not allow it.
    #[error("the session `{id}` cannot be evaluated: {what}")]
    Session {
        /// Its name.
        id: String,
        /// Why not.
        what: String,
    },
    /// The network.
    #[error(transparent)]
    Network(#[from] MtmError),
    /// A prediction that cannot be scored.
    #[error("a prediction could not be scored: {0}")]
    Score(#[from] SpikeScoreError),
    /// The regression.
    #[error("the regression could not be fitted: {0}")]
    Glm(#[from] GlmError),
    /// The decoder of choices.
    #[error("the choice could not be decoded: {0}")]
    Choice(#[from] DecodingError),
    /// The decoder of movements.
    #[error("{what} could not be decoded: {source}")]
    Movement {
        /// Wheel or whiskers.
        what: &'static str,
        /// Why not.
        source: RegressionError,
    },
    /// A result could not be written.
    #[error("`{}` could not be written: {source}", path.display())]
    Write {
        /// File or folder.
        path: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
    /// The user asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}
