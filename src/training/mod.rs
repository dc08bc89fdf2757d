//! Objective and optimizer of the published training, and how both change over time.

pub mod baseline;
mod clip;
pub mod cpu;
mod objective;
mod schedule;
mod sgd_clip;

pub use clip::{Clip, ClipError};
pub use objective::{Objective, ObjectiveError};
pub use schedule::{CosineLr, Seeds};
pub use sgd_clip::{SgdClip, SgdClipConfig};
