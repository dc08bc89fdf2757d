//! The models, and their weights on disk.

pub mod baseline;
pub mod mtm;
pub mod twin;
pub mod weights;
