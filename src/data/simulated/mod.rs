//! Simulated mice: populations with known tuning, behaviour and wiring, from which sessions are recorded.
//!
//! They stand in for animals where the truth must be known: to test analyses, to train a twin on any machine, and to
//! learn the program. Everything about a mouse follows from its seed, on one machine to the last bit. Positions,
//! sizes and frequencies are in degrees of visual angle, so a mouse sees the same whatever the pixels of the monitor.

mod area;
mod behavior;
mod chance;
mod drift;
mod filters;
mod mouse;
mod noise;
mod product;
mod retina;
mod simulate;
mod spikes;
mod temporal;
mod truth;
mod unit;
mod wiring;

pub use area::{Area, Layer};
pub use behavior::behavior;
pub use mouse::{Mouse, WatchError, Watching};
pub use noise::Noise;
pub use simulate::{HELD_OUT, SimulateError, SimulateOptions, TestMovies, simulate};
pub use spikes::{SpikeSimulation, SpikeSimulationError};
pub use unit::{CellKind, Unit};
pub use wiring::{Connection, distance_um, similarity, wiring};
