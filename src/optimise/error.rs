//! Why a stimulus could not be optimised.

use crate::data::MovieFileError;
use crate::experiment::ProtocolError;
use crate::job::Cancelled;
use crate::model::twin::TwinError;
use crate::model::twin::engine::EngineError;
use crate::model::twin::network::NetworkError;
use crate::signals::SourceError;
use crate::training::TrainingError;

/// Why a stimulus could not be optimised.
#[derive(Debug, thiserror::Error)]
pub enum OptimiseError {
    /// The plan cannot be followed.
    #[error("{0}")]
    Plan(String),
    /// A response or a gradient is no number.
    #[error(
        "at step {step} the {what} is not a finite number; the weights may be damaged, or the behaviour far from any animal's"
    )]
    NotFinite {
        /// Steps that were made.
        step: usize,
        /// What is not finite.
        what: &'static str,
    },
    /// The engine refused the weights.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The network refused the weights.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The device failed; the message is its own.
    #[error("the GPU could not finish the step ({0}); try the CPU, or fewer frames")]
    Device(String),
    /// The twin could not be shown the result.
    #[error(transparent)]
    Twin(#[from] TwinError),
    /// The result is no movie.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The checkpoint could not be read or written, or belongs to something else.
    #[error(transparent)]
    Checkpoint(#[from] TrainingError),
    /// The protocol of the result could not be written down.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// The stimulus could not be written.
    #[error(transparent)]
    Movie(#[from] MovieFileError),
    /// A file could not be written.
    #[error("`{file}` could not be written: {source}")]
    Write {
        /// File.
        file: String,
        /// Cause.
        source: std::io::Error,
    },
    /// The user asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}
