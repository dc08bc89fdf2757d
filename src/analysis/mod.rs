//! From a schedule and responses to numbers: the same functions for recorded and predicted data.

mod median;
pub mod parameter;
mod presentation;
pub mod reliability;
pub mod selectivity;
pub mod tuning;

pub use median::Median;
pub use parameter::{ParameterTuning, Spacing, UnitCurve, parameter_tuning};
pub use tuning::{DirectionTuning, UnitTuning, direction_tuning};
