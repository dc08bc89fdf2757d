//! Tests of the models and their weights.

mod allocations;
mod engine;
mod network;
mod training;
mod twin;
mod weights;
