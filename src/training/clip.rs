//! What one training step sees.

use crate::signals::{Behavior, Movie, Responses};

/// A batch of movies, what the animal did meanwhile, and what its units answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Clip {
    movie: Movie,
    behavior: Behavior,
    responses: Responses,
}

/// Parts of a clip that do not belong together.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the {part} of a clip has {frames} frames of {samples} samples, but its movie has {expected:?}")]
pub struct ClipError {
    part: &'static str,
    frames: usize,
    samples: usize,
    expected: (usize, usize),
}

impl Clip {
    /// Puts a clip together.
    ///
    /// # Errors
    /// When the parts differ in frames or samples.
    pub fn new(movie: Movie, behavior: Behavior, responses: Responses) -> Result<Self, ClipError> {
        let expected = (movie.frames(), movie.samples());
        for (part, (frames, samples)) in [
            ("behaviour", (behavior.frames(), behavior.samples())),
            ("responses", (responses.frames(), responses.samples())),
        ] {
            if (frames, samples) != expected {
                return Err(ClipError { part, frames, samples, expected });
            }
        }
        Ok(Self { movie, behavior, responses })
    }

    /// What was shown.
    pub fn movie(&self) -> &Movie {
        &self.movie
    }

    /// What the animal did.
    pub fn behavior(&self) -> &Behavior {
        &self.behavior
    }

    /// What its units answered.
    pub fn responses(&self) -> &Responses {
        &self.responses
    }
}
