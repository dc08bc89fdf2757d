//! Tests of the models and their weights.

mod allocations;
mod engine;
mod network;
mod rollout;
mod training;
mod twin;
mod weights;
