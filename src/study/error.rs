//! Why a study could not be done.

use std::path::PathBuf;

use crate::data::SessionError;
use crate::data::simulated::{SimulateError, WatchError};
use crate::evaluation::EvaluationError;
use crate::job::Cancelled;
use crate::model::baseline::BaselineError;
use crate::model::twin::TwinError;
use crate::model::weights::WeightError;
use crate::stimulus::StimulusError;
use crate::training::TrainingError;

/// Why a study could not be done.
#[derive(Debug, thiserror::Error)]
pub enum StudyError {
    /// A training could not begin or go on.
    #[error(transparent)]
    Training(#[from] TrainingError),
    /// A twin could not be compared with a recording.
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
    /// A session could not be read.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A twin could not be shown something.
    #[error(transparent)]
    Twin(#[from] TwinError),
    /// A twin could not be put together.
    #[error(transparent)]
    Weights(#[from] WeightError),
    /// A baseline could not be fitted.
    #[error(transparent)]
    Baseline(#[from] BaselineError),
    /// Mice could not be simulated.
    #[error(transparent)]
    Simulate(#[from] SimulateError),
    /// A simulated mouse could not watch.
    #[error(transparent)]
    Watch(#[from] WatchError),
    /// A stimulus cannot be shown.
    #[error(transparent)]
    Stimulus(#[from] StimulusError),
    /// A finding could not be kept.
    #[error("{}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The plan cannot be followed.
    #[error("{0}")]
    Plan(String),
    /// The user asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}
