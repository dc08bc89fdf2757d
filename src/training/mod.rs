//! From recordings to a twin: objective, optimizers, and the training of many animals with one core.
//!
//! A [`Recipe`] is data, a [`Training`] follows it: random clips of every animal's [`Lessons`], one step of all animals
//! together, a look at trials that were kept from learning, a checkpoint. Every random number is a function of the
//! recipe's seed and of its place, so that a resumed training ends as an uninterrupted one.

pub mod baseline;
pub(crate) mod checkpoint;
mod clip;
pub mod cpu;
mod error;
mod fit;
mod judge;
mod learner;
mod lessons;
mod log;
pub mod mtm;
mod objective;
mod optimizer;
mod receptive_fields;
mod recipe;
mod schedule;
mod sgd_clip;
mod start;

pub use clip::{Clip, ClipError};
pub use error::TrainingError;
pub use fit::{Adaptation, Training};
pub use lessons::{LeftOut, Lesson, Lessons};
pub use log::Row;
pub use objective::{Objective, ObjectiveError};
pub use recipe::{
    BatchRecipe, OptimizerRecipe, Recipe, RecipeError, ScheduleRecipe, StartRecipe, StartValues, ValidationRecipe,
};
pub use schedule::{CosineLr, Seeds};
pub use sgd_clip::{SgdClip, SgdClipConfig};
pub use start::SHARED;
