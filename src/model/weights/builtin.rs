//! The twin that is always there.

use super::TwinWeights;
use super::load::from_safetensors;

/// The twin that ships with the program: its core learned from eight simulated mice and was adapted to 320 units in four
/// areas of a ninth, as its card and `assets/MODEL_CARD.md` say. It needs no download, so that everything can be tried at
/// once; it says nothing about a real animal.
pub fn builtin() -> TwinWeights {
    let bytes = include_bytes!("../../../assets/twin.safetensors");
    from_safetensors(bytes, "the built-in twin", "Built-in twin", None).expect("the tests load the built-in twin")
}
