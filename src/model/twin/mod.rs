//! The digital twin of Wang et al. (Nature 640:470, 2025): perspective, modulation, core, readout.
//!
//! Two executions of the same network, held against each other: burn modules on any burn device
//! (differentiable; the GPU path), and a CPU engine of our own for inference and, in `engine::gradient`, for training.

pub mod config;
pub mod engine;
pub mod network;
pub mod parameters;
mod rollout;

pub use config::{ConfigError, Periphery, TwinConfig};
pub use rollout::{Twin, TwinError, TwinOptions, TwinState};
