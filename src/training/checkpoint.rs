//! All that a training needs to go on as if it had never stopped, in one file.
//!
//! A `.safetensors` file: parameters and optimizer states as tensors, and in the metadata what identifies the training,
//! its step, and its log. Random numbers are functions of seed and step, so there is no other random state.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::Path;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::TrainingError;
use super::log::Row;
use crate::data::unfinished;
use crate::model::weights::NamedTensor;

/// Name of a training's note in the metadata.
pub(super) const KEY: &str = "twinscope.training";
/// Largest file that is read.
const LARGEST: u64 = 4 << 30;

/// Everything but the tensors; rows are those of the training's log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Note<R = Row> {
    /// Recipe, sessions and units: a checkpoint of another training is refused.
    pub fingerprint: String,
    /// Steps that were made, or epochs where the training counts those.
    pub step: usize,
    /// Bits of the best validation so far, and its step: text would lose the last digit.
    pub best: Option<(u64, usize)>,
    /// Looks since then.
    pub waited: usize,
    /// Bits of the running mean of the objective.
    pub smooth: Option<u64>,
    /// The log so far.
    pub rows: Vec<R>,
}

/// Parameters and optimizer states by name.
pub(crate) type Tensors = BTreeMap<String, NamedTensor>;

/// Writes a checkpoint, whole or not at all: tensors, and a note under a name in the metadata.
pub(crate) fn save(path: &Path, key: &str, note: &impl Serialize, tensors: &Tensors) -> Result<(), TrainingError> {
    let views = tensors.iter().map(|(name, tensor)| {
        let bytes = bytemuck::cast_slice(&tensor.values);
        let view = TensorView::new(Dtype::F32, tensor.shape.clone(), bytes).expect("the shape is that of the values");
        (name, view)
    });
    let text = serde_json::to_string(note).expect("numbers and names always serialise");
    let metadata = HashMap::from([(key.to_owned(), text)]);
    let bytes = safetensors::serialize(views, Some(metadata)).expect("tensors in memory serialise");
    let failed = |source| TrainingError::Write { file: path.display().to_string(), source };
    let mut file = unfinished(path).map_err(failed)?;
    file.write_all(&bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|e| failed(e.error))?;
    Ok(())
}

/// Reads a checkpoint with a note of this name; `None` when there is none.
pub(crate) fn load<N: DeserializeOwned>(path: &Path, key: &str) -> Result<Option<(N, Tensors)>, TrainingError> {
    let name = path.display().to_string();
    let bytes = match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Ok(about) if about.len() > LARGEST => {
            return Err(TrainingError::Checkpoint { file: name, what: "it is larger than 4 GiB".to_owned() });
        }
        _ => std::fs::read(path).map_err(|source| TrainingError::Read { file: name.clone(), source })?,
    };
    let damaged = |what: String| TrainingError::Checkpoint { file: name.clone(), what };
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|e| damaged(e.to_string()))?;
    let text = header.metadata().as_ref().and_then(|metadata| metadata.get(key));
    let text = text.ok_or_else(|| damaged("it is a checkpoint of something else".to_owned()))?;
    let note: N = serde_json::from_str(text).map_err(|e| damaged(e.to_string()))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|e| damaged(e.to_string()))?;
    let mut tensors = BTreeMap::new();
    for (name, view) in file.iter() {
        if view.dtype() != Dtype::F32 {
            return Err(damaged(format!("`{name}` is not of 32-bit floats")));
        }
        let values = view.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        tensors.insert(name.to_owned(), NamedTensor { shape: view.shape().to_vec(), values });
    }
    Ok(Some((note, tensors)))
}
