//! Tests of model.

mod weights;
mod network;
mod training;
mod twin;
