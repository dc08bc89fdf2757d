//! Training of the masked transformer over spikes (Zhang et al. 2024).
//!
//! An [`MtmRecipe`] is data, an [`MtmTraining`] follows it into a folder and goes on from there after an interruption; a
//! [`Fit`] takes the steps, on the CPU with our own engine.

mod adam_w;
mod fit;
mod learner;
mod one_cycle;
mod recipe;
mod run;

pub use adam_w::{AdamW, AdamWConfig, AdamWState};
pub use fit::{Best, EpochReport, Fit, FitConfig, FitError, FitSession, FitState};
pub use one_cycle::OneCycle;
pub use recipe::{MtmRecipe, MtmRecipeError};
pub use run::{Epoch, MtmTraining};
