//! From a schedule and responses to numbers: the same functions for recorded and predicted data.

pub mod selectivity;
pub mod tuning;

pub use tuning::{DirectionTuning, UnitTuning, direction_tuning};
