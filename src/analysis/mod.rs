//! From a schedule and responses to numbers: the same functions for recorded and predicted data.

pub mod parameter;
mod presentation;
pub mod selectivity;
pub mod spikes;
pub mod tuning;

pub use parameter::{ParameterTuning, Spacing, UnitCurve, parameter_tuning};
pub use tuning::{DirectionTuning, UnitTuning, direction_tuning};
