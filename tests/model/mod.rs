//! Tests of the models and their weights.

mod engine;
mod network;
mod training;
mod twin;
mod weights;
