//! What travels between the parts: display geometry, movies, behaviour and responses.
//!
//! Nouns only. Nothing here knows a stimulus, a model or a file format.

mod behavior;
mod geometry;
mod movie;
mod responses;
mod units;

pub use behavior::Behavior;
pub use geometry::{Angles, Degrees, FrameRate, Monitor, Raster};
pub use movie::{FrameSource, Movie, SourceError};
pub use responses::Responses;
pub use units::UnitId;
