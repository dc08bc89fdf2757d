//! Where on the screen, and when, a unit listens.
//!
//! Three ways to the same map: responses to things that light up a part of the screen one at a time, weighted by their
//! masks; responses to sparse noise, square by square; and reverse correlation with white noise, in space and time.

mod dots;
mod masked;
mod movie;
mod reverse_correlation;
mod spatial_selectivity;
mod squares;

pub use dots::{DotMaps, gaussian_dot_maps, gaussian_dot_maps_of_rows};
pub use masked::{Lit, Probes, masked_map, square_map};
pub use movie::{CorrelationError, reverse_correlate};
pub use reverse_correlation::{ReverseCorrelation, Separated, SpaceTime, block_means};
pub use spatial_selectivity::spatial_selectivity;
pub use squares::{SquareMaps, sparse_noise_maps, sparse_noise_maps_of_rows};
