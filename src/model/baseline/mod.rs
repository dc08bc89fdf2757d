//! Baselines: simpler models of one animal, which stand in the same tables as the twin and are fitted to the same clips.
//!
//! [`LinearNonlinear`] is what a textbook says a simple cell is; [`ConvolutionalGru`] is a small network of the usual
//! kind. Neither knows the twin, and neither needs a device: both are a few products of matrices on the CPU.

mod boxes;
mod convolutional;
mod error;
mod file;
mod linear_nonlinear;
pub(crate) mod product;

pub(crate) use boxes::rows;
pub use convolutional::{ConvolutionalGru, GruConfig};
pub(crate) use convolutional::{Entry, Layers, Tape};
pub use error::BaselineError;
pub(crate) use error::{between, within};
pub(crate) use linear_nonlinear::{Filters, lag, log_rate};
pub use linear_nonlinear::{LinearNonlinear, LnConfig, Output};

use crate::signals::{Behavior, Movie};

/// Largest logarithm of a response: stimuli far from all clips must not give infinities.
pub(crate) const LARGEST_LOG_RATE: f32 = 10.0;

/// Refuses a behaviour that does not belong to a movie.
fn check_pair(movie: &Movie, behavior: &Behavior) -> Result<(), BaselineError> {
    let (frames, samples) = (movie.frames(), movie.samples());
    if (behavior.frames(), behavior.samples()) == (frames, samples) && movie.raster().pixels() > 0 {
        return Ok(());
    }
    Err(BaselineError::Mismatch(format!(
        "the movie has {frames} frames of {samples} samples and {} pixels, the behaviour {} frames of {} samples",
        movie.raster(),
        behavior.frames(),
        behavior.samples()
    )))
}
