//! From a schedule and responses to numbers: the same functions for recorded and predicted data.

pub mod bandwidth;
mod correlation;
pub mod fit;
mod median;
mod monet;
pub mod parameter;
pub mod population;
pub mod preferred;
mod presentation;
pub mod receptive_field;
pub mod reliability;
pub mod selectivity;
pub mod spikes;
pub mod statistics;
pub mod surface;
pub mod trials;
pub mod tuning;
pub mod varied;

pub use correlation::Correlation;
pub use median::Median;
pub use monet::{monet_tuning, monet_tuning_of_rows};
pub use parameter::{ParameterTuning, Spacing, UnitCurve, parameter_tuning, parameter_tuning_of_rows};
pub use surface::{SurfaceTuning, UnitSurface, surface_tuning};
pub use trials::Trials;
pub use tuning::{DirectionTuning, UnitTuning, direction_tuning, direction_tuning_of_rows};
pub use varied::Varied;
