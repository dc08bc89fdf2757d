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

const KEY: &str = "twinscope.training";
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
pub(super) type Tensors = BTreeMap<String, NamedTensor>;

/// Writes a checkpoint, whole or not at all.
pub(super) fn save<R: Serialize>(path: &Path, note: &Note<R>, tensors: &Tensors) -> Result<(), TrainingError> {
    let views = tensors.iter().map(|(key, tensor)| {
        let bytes = bytemuck::cast_slice(&tensor.values);
        let view = TensorView::new(Dtype::F32, tensor.shape.clone(), bytes).expect("the shape is that of the values");
        (key, view)
    });
    let text = serde_json::to_string(note).expect("numbers and names always serialise");
    let metadata = HashMap::from([(KEY.to_owned(), text)]);
    let bytes = safetensors::serialize(views, Some(metadata)).expect("tensors in memory serialise");
    let failed = |source| TrainingError::Write { file: path.display().to_string(), source };
    let mut file = unfinished(path).map_err(failed)?;
    file.write_all(&bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|e| failed(e.error))?;
    Ok(())
}

/// Reads a checkpoint; `None` when there is none.
pub(super) fn load<R: DeserializeOwned>(path: &Path) -> Result<Option<(Note<R>, Tensors)>, TrainingError> {
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
    let text = header.metadata().as_ref().and_then(|metadata| metadata.get(KEY));
    let text = text.ok_or_else(|| damaged("it is no checkpoint of a training".to_owned()))?;
    let note: Note<R> = serde_json::from_str(text).map_err(|e| damaged(e.to_string()))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|e| damaged(e.to_string()))?;
    let mut tensors = BTreeMap::new();
    for (key, view) in file.iter() {
        if view.dtype() != Dtype::F32 {
            return Err(damaged(format!("`{key}` is not of 32-bit floats")));
        }
        let values = view.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        tensors.insert(key.to_owned(), NamedTensor { shape: view.shape().to_vec(), values });
    }
    Ok(Some((note, tensors)))
}
