//! What is evaluated: a twin, or another model that answers movies.

use serde::Serialize;

use crate::job::{Cancelled, Progress};
use crate::model::twin::{Twin, TwinError};
use crate::signals::{Behavior, FrameRate, FrameSource, Raster, Responses, SourceError, UnitId};

/// Frames predicted between two looks at the cancel button: one second.
const CHUNK_FRAMES: usize = 30;

/// Who predicted, for tables and captions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// Short name.
    pub name: String,
    /// Whether it learned from a simulated animal.
    pub simulated: bool,
    /// SHA-256 of its weights, hexadecimal, where they have one.
    pub sha256: Option<String>,
    /// The device, in words.
    pub device: String,
}

/// Why a model gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum ResponderError {
    /// The user asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The movie could not be read.
    #[error(transparent)]
    Movie(#[from] SourceError),
    /// Anything else.
    #[error(transparent)]
    Model(Box<dyn std::error::Error + Send + Sync>),
}

/// A model that answers movies.
pub trait Responder {
    /// Identity of each unit.
    fn units(&self) -> &[UnitId];
    /// Who it is.
    fn origin(&self) -> Origin;
    /// Pixels of the movies that it takes.
    fn raster(&self) -> Raster;
    /// Frames per second that it takes.
    fn frame_rate(&self) -> FrameRate {
        FrameRate::WANG2025
    }
    /// Answers `[time, sample, unit]` to one movie from its first frame on, shown to animals of this behaviour: one
    /// sample of the movie, one or more of the behaviour. Counts frames times samples in `progress`, which was begun, and
    /// asks it whether to stop.
    ///
    /// # Errors
    /// When the movie cannot be read, the model fails, or the user asked to stop.
    fn respond(
        &self,
        movie: &mut dyn FrameSource,
        behavior: &Behavior,
        progress: &Progress,
    ) -> Result<Responses, ResponderError>;
}

impl From<TwinError> for ResponderError {
    fn from(error: TwinError) -> Self {
        match error {
            TwinError::Cancelled(cancelled) => Self::Cancelled(cancelled),
            TwinError::Source(source) => Self::Movie(source),
            other => Self::Model(Box::new(other)),
        }
    }
}

impl Responder for Twin {
    fn units(&self) -> &[UnitId] {
        &self.weights().units
    }

    fn origin(&self) -> Origin {
        let weights = self.weights();
        Origin {
            name: weights.card.name.clone(),
            simulated: weights.card.simulated,
            sha256: Some(weights.sha256.clone()),
            device: self.device().to_owned(),
        }
    }

    fn raster(&self) -> Raster {
        self.weights().card.raster
    }

    fn respond(
        &self,
        movie: &mut dyn FrameSource,
        behavior: &Behavior,
        progress: &Progress,
    ) -> Result<Responses, ResponderError> {
        let (frames, samples, units) = (movie.frames(), movie.samples().max(behavior.samples()), self.units());
        let mut state = self.start(samples);
        let mut values = Vec::new();
        for first in (0..frames).step_by(CHUNK_FRAMES) {
            let end = (first + CHUNK_FRAMES).min(frames);
            self.show(&mut state, movie, first..end, behavior, &mut values)?;
            progress.advance(((end - first) * samples) as u64)?;
        }
        Ok(Responses::new(frames, samples, units, values).expect("a row for every frame and sample"))
    }
}
