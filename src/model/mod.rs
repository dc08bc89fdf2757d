//! The models, and their weights on disk.

pub mod baseline;
pub mod twin;
pub mod weights;
