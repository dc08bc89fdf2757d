//! Twins on disk: safe readers for the published `.pt` pair and our `.safetensors`, our writer, and the test fill.
//!
//! Files are untrusted: nothing in them is executed, no length is believed before it is checked, and every
//! refusal is one sentence that names file, key and what was expected.

mod state_dict;

pub use state_dict::{NamedTensor, StateDict, TwinCard, TwinWeights};
