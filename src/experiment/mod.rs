//! A protocol, run through a twin, gives an outcome.

pub mod outcome;
pub mod protocol;

pub use outcome::{Outcome, Provenance};
pub use protocol::Protocol;
