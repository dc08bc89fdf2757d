//! Why a training could not begin or go on.

use super::{ObjectiveError, RecipeError};
use crate::data::SessionError;
use crate::job::Cancelled;
use crate::model::twin::TwinError;
use crate::model::twin::engine::EngineError;
use crate::model::twin::network::NetworkError;
use crate::model::weights::WeightError;
use crate::signals::SourceError;

/// Why a training could not begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    /// An impossible recipe.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// A session that cannot be read.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A movie that cannot be read.
    #[error(transparent)]
    Movie(#[from] SourceError),
    /// A session without anything to learn from.
    #[error(
        "{session}: {trials} training trials have the {frames} frames of a clip, and {validation} are kept for \
         validation, so nothing is left to learn from; lower validation.trials or batch.frames, or give more minutes"
    )]
    NoTrials {
        /// The session.
        session: String,
        /// Training trials that are long enough.
        trials: usize,
        /// Frames of a clip.
        frames: usize,
        /// Trials kept for validation.
        validation: usize,
    },
    /// A session that is shorter than what was asked of it.
    #[error(
        "{session}: there are {available:.2} minutes to learn from, in training trials as long as a clip or longer, but \
         {asked} were asked for; ask for fewer, or name no minutes to learn from all"
    )]
    TooFewMinutes {
        /// The session.
        session: String,
        /// Minutes of its training trials that are long enough.
        available: f64,
        /// Minutes that were asked for.
        asked: f64,
    },
    /// Nobody to learn from.
    #[error("a training needs at least one session; name their folders in `sessions`")]
    NoSessions,
    /// A twin whose core does not fit.
    #[error("the twin has another `{key}` than the network that is to take it over; their configurations differ")]
    OtherNetwork {
        /// Parameter.
        key: String,
    },
    /// No objective.
    #[error(transparent)]
    Objective(#[from] ObjectiveError),
    /// The engine refused.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The twin could not be shown its validation trials.
    #[error(transparent)]
    Twin(#[from] TwinError),
    /// The network refused.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A twin could not be put together or written.
    #[error(transparent)]
    Weights(#[from] WeightError),
    /// A file could not be read.
    #[error("`{file}` could not be read: {source}")]
    Read {
        /// File.
        file: String,
        /// Cause.
        source: std::io::Error,
    },
    /// A file could not be written.
    #[error("`{file}` could not be written: {source}")]
    Write {
        /// File.
        file: String,
        /// Cause.
        source: std::io::Error,
    },
    /// A damaged checkpoint, or one of another training.
    #[error("the checkpoint `{file}` cannot be resumed: {what}; remove it to begin again")]
    Checkpoint {
        /// File.
        file: String,
        /// What is wrong.
        what: String,
    },
    /// The user asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}
