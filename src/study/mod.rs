//! The experiments with twins themselves: what a core that saw many animals is good for, and where it breaks.
//!
//! Every study is a function from sessions (and a twin) to a [`Table`] of medians with intervals, one row for each arm,
//! animal, seed and domain of stimuli. Where arms predict the same units, a [`PairedTest`] compares them. Simulated mice make the truth known; nothing else here depends on them.

mod arm;
mod baselines;
mod curve;
mod error;
mod fidelity;
mod lesions;
mod paired;
mod stress;
mod table;

pub use baselines::{BaselinePlan, baselines};
pub use curve::{CurvePlan, learning_curve};
pub use error::StudyError;
pub use fidelity::{Fidelity, FieldUnit, SELECTIVE, TunedUnit, TuningError, fidelity};
pub use lesions::{Lesion, lesions};
pub use paired::PairedTest;
pub use stress::{Corruption, StressPlan, stress};
pub use table::{Finding, Table};
