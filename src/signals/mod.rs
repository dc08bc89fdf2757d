//! What travels between the parts: display geometry, movies, behaviour, responses and binned spikes.
//!
//! Nouns only. Nothing here knows a stimulus, a model or a file format.

mod behavior;
mod binned;
mod geometry;
mod movie;
mod responses;
mod units;

pub use behavior::Behavior;
pub use binned::Binned;
pub use geometry::{Angles, Degrees, FrameRate, Monitor, Raster};
pub use movie::{FrameSource, Movie, SourceError};
pub use responses::{ResponseRows, Responses, SomeUnits};
pub use units::UnitId;
