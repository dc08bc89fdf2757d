//! Tests of model.

mod engine;
