//! Tests of the models and their weights.

mod allocations;
mod cpu_training;
mod engine;
mod mtm;
mod network;
mod rollout;
mod training;
mod twin;
mod weights;
