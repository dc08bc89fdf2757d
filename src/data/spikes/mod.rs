//! Recordings of spikes in trials: counts in bins `[trial, bin, neuron]`, where each neuron lies, and what the animal did.
//!
//! A session is a `.npz` file, which NumPy reads too:
//!
//! | array | type and shape | meaning |
//! |---|---|---|
//! | `counts` | u8 `[trial, bin, neuron]` | spikes |
//! | `bin_s`, `first_bin_s` | one number | length of a bin; start of the first one after the event, seconds |
//! | `session` | one text | name |
//! | `regions` | text `[neuron]` | where each neuron lies |
//! | `choice` | i8 `[trial]` | -1 and 1 for the two sides (of recordings that name them -1 is left), 0 nothing; may be absent |
//! | `wheel`, `whisker` | f32 `[trial, bin]` | speed of the wheel, motion energy of the whiskers, NaN where missing; may be absent |
//! | `train_trials`, `validation_trials`, `test_trials` | whole numbers | what trials are for; `split_seed` u64, when they were drawn |
//! | `heldout_neurons` | whole numbers | neurons that a benchmark holds out; may be absent |
//! | `rates` | f32 `[trial, bin, neuron]` | expected counts; of simulated animals, which the array marks |
//! | any other | a number a trial | a column of that name |
//!
//! The other layout that is read has `spikes` u8 `[trial, neuron, bin]` instead of `counts`, `time_offset_s` `[bin]`
//! instead of `first_bin_s`, and usually neither names, regions nor training trials: the name is then that of the
//! file, every neuron lies in "unknown", and all trials but those for tests are for training.
//!
//! Recordings that are not in trials yet are read by [`SpikeSession::import`]: NWB files with sorted units, and ALF folders.

mod alf;
mod error;
mod file;
mod import;
mod npz;
mod nwb;
mod parquet_head;
mod parquet_table;
mod recording;
mod session;
mod split;
mod trials;

pub use error::SpikeError;
pub use import::SpikeFormat;
pub use recording::{ImportedSpikes, SpikeImport};
pub use session::{Counts, SpikeSession};
pub use split::{Shares, Split, shuffled};
pub use trials::TrialFilter;
