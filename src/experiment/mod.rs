//! A protocol, run through a twin, gives an outcome.

mod error;
pub mod long_run;
mod monitor_choice;
pub mod order;
pub mod outcome;
mod outcome_npz;
mod part;
pub mod piece;
mod presets;
pub mod protocol;
pub mod protocol_file;
pub mod run;
mod run_card;
mod shard;
mod sweep;
pub mod table;
mod timing;
mod twin;

pub(crate) use crate::data::save;
pub use long_run::{LongRun, LongRunError, Standing};
pub use outcome::{Outcome, OutcomeError, Provenance};
pub use presets::{PRESETS, Preset};
pub use protocol::{Protocol, ProtocolError};
pub use run::{Partial, PredictError, Predictor, RunError, run};
pub use shard::{MOST_SHARDS, Shard};
pub use table::ConditionTable;
