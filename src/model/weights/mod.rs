//! Twins on disk: safe readers for the published `.pt` pair and our `.safetensors`, our writer, and the test fill.
//!
//! Files are untrusted: nothing in them is executed, no length is believed before it is checked, and every
//! refusal is one sentence that names file, key and what was expected.

mod builtin;
mod check;
mod element;
mod error;
pub mod fill;
mod infer;
mod inspect;
mod load;
mod pickle;
mod published;
mod safetensors;
mod start;
mod state_dict;
mod torch;

pub use builtin::builtin;
pub use error::WeightError;
pub use fill::filled_twin;
pub use inspect::{Buffer, Inspection, Module, inspect};
pub use load::{load, save};
pub use start::{initial, retina_rays};
pub use state_dict::{NamedTensor, StateDict, TwinCard, TwinWeights};
