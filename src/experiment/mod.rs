//! A protocol, run through a twin, gives an outcome.

mod nearest;
pub mod order;
pub mod outcome;
pub mod protocol;
pub mod protocol_file;
pub mod run;
pub(crate) mod save;
mod twin;

pub use outcome::{Outcome, OutcomeError, Provenance};
pub use protocol::{Protocol, ProtocolError};
pub use run::{Partial, PredictError, Predictor, RunError, run};
