//! Tests of model.

mod weights;
