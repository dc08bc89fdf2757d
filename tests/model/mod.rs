//! Tests of the models and their weights.

pub mod allocations;
mod baseline;
mod cpu_training;
mod engine;
mod fit;
mod mtm;
mod network;
mod rollout;
mod training;
pub mod twin;
mod weights;
