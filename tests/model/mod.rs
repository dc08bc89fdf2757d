//! Tests of model.

mod network;
mod training;
mod twin;
mod weights;
