//! Recordings of spikes in trials: counts in bins `[trial, bin, neuron]`, where each neuron lies, and what the animal did.

mod error;
mod file;
mod npz;
mod session;
mod split;

pub use error::SpikeError;
pub use session::{Counts, SpikeSession};
pub use split::{Shares, Split, shuffled};
