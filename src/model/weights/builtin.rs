//! The twin that is always there.

use super::TwinWeights;
use super::load::from_safetensors;

/// The pilot twin: small, trained on one simulated mouse, and said to be so on its card. It needs no download, so that
/// everything can be tried at once; it says nothing about a real animal.
pub fn builtin() -> TwinWeights {
    let bytes = include_bytes!("../../../assets/pilot.safetensors");
    from_safetensors(bytes, "the built-in twin", "Pilot twin", None).expect("the tests load the built-in twin")
}
