//! Why predictions and a recording cannot be compared.

use std::path::PathBuf;

use super::ResponderError;
use crate::data::SessionError;
use crate::job::Cancelled;
use crate::signals::{Raster, SourceError};

/// Why there is no evaluation.
#[derive(Debug, thiserror::Error)]
pub enum EvaluationError {
    /// The user asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The session cannot be read, or has not recorded these units.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Movies of other pixels.
    #[error("the model takes movies of {taken} pixels, but the session showed {shown}: choose a twin for these movies")]
    Raster {
        /// Pixels of the model's movies.
        taken: Raster,
        /// Pixels of the session's movies.
        shown: Raster,
    },
    /// Movies of other speed.
    #[error("the model takes {taken} frames per second, but the session has {shown}: resample the recording")]
    FrameRate {
        /// Of the model.
        taken: f64,
        /// Of the session.
        shown: f64,
    },
    /// No trial is left.
    #[error("the session has no {0}")]
    NoTrials(String),
    /// There is no such domain.
    #[error("the session has no trial of the domain `{asked}` to evaluate; it has {}", known.join(", "))]
    NoDomain {
        /// As given.
        asked: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// All trials are shorter than the burn-in.
    #[error("the trials of the domain `{domain}` have at most {frames} frames: none is left after {burnin} of burn-in")]
    TooShort {
        /// Name of the domain.
        domain: String,
        /// Frames of its longest trial.
        frames: usize,
        /// Frames of burn-in.
        burnin: usize,
    },
    /// The memory is too small.
    #[error("{frames} frames of {units} units do not fit into memory: record the movie as several shorter trials")]
    TooLarge {
        /// Frames of a movie.
        frames: usize,
        /// Units.
        units: usize,
    },
    /// A recorded value that is infinite.
    #[error("a recorded response is infinite: mark what was not measured with NaN")]
    Infinite,
    /// The model answered, but not as it should.
    #[error("the model's answer cannot be used: {0}")]
    Answer(String),
    /// A movie could not be read.
    #[error("a movie could not be read: {0}")]
    Movie(#[from] SourceError),
    /// The model or its device failed.
    #[error("the model failed")]
    Model(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A result could not be written.
    #[error("`{}` could not be written: {source}", path.display())]
    Write {
        /// File or folder.
        path: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
}

impl From<ResponderError> for EvaluationError {
    fn from(error: ResponderError) -> Self {
        match error {
            ResponderError::Cancelled(cancelled) => Self::Cancelled(cancelled),
            ResponderError::Movie(source) => Self::Movie(source),
            ResponderError::Model(source) => Self::Model(source),
        }
    }
}
