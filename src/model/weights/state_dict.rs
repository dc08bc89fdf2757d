//! Named tensors in memory, and a twin made of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::twin::TwinConfig;
use crate::signals::{Raster, UnitId};

/// One tensor, row-major f32 (boolean buffers as 0 and 1).
#[derive(Debug, Clone, PartialEq)]
pub struct NamedTensor {
    /// Row-major shape; empty for a single number.
    pub shape: Vec<usize>,
    /// As many values as the shape says.
    pub values: Vec<f32>,
}

/// All tensors of a network by their published names.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StateDict {
    /// Sorted by name.
    pub tensors: BTreeMap<String, NamedTensor>,
}

impl StateDict {
    /// Values of a tensor that was checked to exist when the state dict was made for a configuration.
    ///
    /// # Panics
    /// When there is no such key: `TwinWeights` are only made after a strict check against the table of entries.
    pub fn values(&self, key: &str) -> &[f32] {
        &self.tensors.get(key).unwrap_or_else(|| panic!("`{key}` was checked when the weights were read")).values
    }
}

/// Where a twin comes from, in the words shown to the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TwinCard {
    /// Short name, such as "Built-in twin".
    pub name: String,
    /// Whether its animal was simulated; every view of its answers then says so.
    pub simulated: bool,
    /// Raster of the movies it was trained on.
    pub raster: Raster,
    /// One or two sentences about training data and limits.
    pub note: String,
}

impl TwinCard {
    /// Checks what other programs may have written into a card.
    ///
    /// # Errors
    /// One clause that names the key and says what it must be.
    pub fn check(&self) -> Result<(), String> {
        const LARGEST: usize = 4096;
        for (key, size) in [("raster.height", self.raster.height), ("raster.width", self.raster.width)] {
            if !(1..=LARGEST).contains(&size) {
                return Err(format!("`{key}` is {size}, but a movie has between 1 and {LARGEST} pixels on each side"));
            }
        }
        Ok(())
    }
}

/// A complete, checked twin.
#[derive(Debug, Clone)]
pub struct TwinWeights {
    /// Sizes.
    pub config: TwinConfig,
    /// Every entry of `twin::parameters::entries(&config, units)`, with its shape, and nothing else.
    pub state: StateDict,
    /// One identity for each row of the readout.
    pub units: Vec<UnitId>,
    /// Origin.
    pub card: TwinCard,
    /// SHA-256 of the file or files, hexadecimal.
    pub sha256: String,
}

impl TwinWeights {
    /// The same network with only some rows of the readout, in the order given; the rest of a prediction is unchanged
    /// to the bit. Every index must be below the number of units.
    pub fn select(&self, rows: &[usize]) -> Self {
        let mut twin = self.clone();
        let units = self.units.len();
        twin.units = rows.iter().map(|&row| self.units[row].clone()).collect();
        for tensor in twin.state.tensors.iter_mut().filter(|(key, _)| key.starts_with("readout.")).map(|(_, t)| t) {
            let size = tensor.values.len() / units;
            tensor.values =
                rows.iter().flat_map(|&row| &tensor.values[row * size..(row + 1) * size]).copied().collect();
            tensor.shape[0] = rows.len();
        }
        twin
    }
}
