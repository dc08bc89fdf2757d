//! Objective and optimizer of the published training, and how both change over time.

mod clip;
pub mod cpu;
pub mod mtm;
mod objective;
mod schedule;
mod sgd_clip;

pub use clip::{Clip, ClipError};
pub use objective::{Objective, ObjectiveError};
pub use schedule::{CosineLr, Seeds};
pub use sgd_clip::{SgdClip, SgdClipConfig};
