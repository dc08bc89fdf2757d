//! Twins on disk: safe readers for the published `.pt` pair and our `.safetensors`, our writer, and the test fill.
//!
//! Files are untrusted: nothing in them is executed, no length is believed before it is checked, and every
//! refusal is one sentence that names file, key and what was expected.

pub mod fill;
mod start;
mod state_dict;

pub use start::{initial, retina_rays};
pub use state_dict::{NamedTensor, StateDict, TwinCard, TwinWeights};
