//! Training on the CPU, without burn: its grouped convolutions are slow, ours are not.
//!
//! Parameters and gradients are rows of numbers with a table of names, which makes optimizers plain loops.

mod adam_w;
mod sgd_clip;
mod trainable;

pub use adam_w::{AdamW, AdamWConfig, AdamWState};
pub use sgd_clip::{SgdClip, SgdClipState};
pub use trainable::Trainable;

pub use crate::model::twin::engine::gradient::{Gradient, Parameters, Table};
