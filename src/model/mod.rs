//! The models, and their weights on disk.

pub mod twin;
pub mod weights;
