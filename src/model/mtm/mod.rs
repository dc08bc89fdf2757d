//! MtM, a masked transformer over spikes (Zhang et al. 2024, arXiv 2407.14668): one model predicts what was hidden from
//! it (neurons, regions, time) from what is visible, in many animals.
//!
//! - [`MtmConfig`]: its sizes, as data.
//! - [`Scheme`], [`Mask`]: what is hidden and what the loss scores.
//! - [`Mtm`]: the network as burn modules, differentiable on any device; each session has weights of its own.
//! - [`Engine`]: the same on the CPU by hand, which trains and predicts wherever there is no GPU.
//! - [`Predict`]: what either predicts of what it does not see.
//! - [`MtmWeights`]: all of it on disk.

mod chance;
mod config;
mod dropout;
mod encoder;
mod engine;
mod error;
mod file;
mod layers;
mod masking;
mod network;
mod parameters;
mod reconstruct;
mod weights;

pub use config::{MtmConfig, MtmConfigError};
pub use engine::{Answer, Descent, Engine};
pub use error::MtmError;
pub use masking::{Mask, Scheme, UnknownScheme};
pub(crate) use network::Names;
pub use network::{Mtm, Output, Stages, poisson_loss};
pub use parameters::{Entry, SessionInfo, Start, entries};
pub use reconstruct::{Predict, Predicted, Wanted, predictor};
pub use weights::MtmWeights;
