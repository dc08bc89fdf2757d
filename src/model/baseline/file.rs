//! Baselines on disk: a `.safetensors` file with named f32 tensors, and kind and settings as TOML in its metadata.
//!
//! Files are untrusted: no length is believed before it is checked, and every tensor must have the shape that the
//! settings ask for.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::Path;

use ::safetensors::tensor::TensorView;
use ::safetensors::{Dtype, SafeTensors};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::BaselineError;
use crate::data::unfinished;

/// Largest file that is read; a baseline has a few megabytes.
const LARGEST: u64 = 1 << 30;
/// The one entry of the metadata: more would come in another order each time.
const KEY: &str = "twinscope.baseline";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description<C> {
    /// Which baseline.
    kind: String,
    /// Rows of the readout.
    units: usize,
    /// Its settings.
    config: C,
}

/// Writes tensors `(name, shape, values)` and settings. The file appears under its name when it is complete.
pub(super) fn write<C: Serialize>(
    path: &Path,
    kind: &str,
    units: usize,
    config: &C,
    tensors: &[(&str, Vec<usize>, Vec<f32>)],
) -> Result<(), BaselineError> {
    let failed = |source| BaselineError::Write { file: path.display().to_string(), source };
    let description = toml::to_string(&Description { kind: kind.to_owned(), units, config });
    let description = description.map_err(|e| BaselineError::Config(e.to_string()))?;
    let bytes: Vec<Vec<u8>> =
        tensors.iter().map(|(_, _, values)| values.iter().flat_map(|v| v.to_le_bytes()).collect()).collect();
    let views = tensors.iter().zip(&bytes).map(|((name, shape, _), bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes);
        (*name, view.expect("as many values as the shape says"))
    });
    let metadata = HashMap::from([(KEY.to_owned(), description)]);
    let bytes = ::safetensors::serialize(views.collect::<Vec<_>>(), Some(metadata));
    let bytes = bytes.map_err(|e| failed(std::io::Error::other(e)))?;
    let mut file = unfinished(path).map_err(failed)?;
    file.write_all(&bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|e| failed(e.error))?;
    Ok(())
}

/// A file that was read: its tensors wait to be taken.
#[derive(Debug)]
pub(super) struct Contents {
    file: String,
    tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
}

/// Reads number of units, settings and tensors of a baseline of this kind.
pub(super) fn read<C: DeserializeOwned>(path: &Path, kind: &str) -> Result<(usize, C, Contents), BaselineError> {
    let file = path.display().to_string();
    let failed = |source| BaselineError::Read { file: file.clone(), source };
    let damaged = |what: String| BaselineError::Damaged { file: file.clone(), what };
    let about = std::fs::metadata(path).map_err(failed)?;
    if !about.is_file() || about.len() > LARGEST {
        return Err(damaged("it is no regular file of at most 1 GiB".to_owned()));
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|e| damaged(e.to_string()))?;
    let text = header.metadata().as_ref().and_then(|metadata| metadata.get(KEY));
    let text = text.ok_or_else(|| damaged(format!("its metadata has no entry `{KEY}`")))?;
    let description: Description<toml::Table> = toml::from_str(text).map_err(|e| damaged(e.message().to_owned()))?;
    if description.kind != kind {
        return Err(damaged(format!("it holds the baseline {:?}, expected {kind:?}", description.kind)));
    }
    let config = description.config.try_into().map_err(|e: toml::de::Error| damaged(e.message().to_owned()))?;
    let views = SafeTensors::deserialize(&bytes).map_err(|e| damaged(e.to_string()))?;
    let mut tensors = BTreeMap::new();
    for (name, view) in views.iter() {
        if view.dtype() != Dtype::F32 {
            return Err(damaged(format!("{name:?} is {:?}, expected F32", view.dtype())));
        }
        let values: Vec<f32> = view.data().as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            return Err(damaged(format!("{name:?} is {} at element {index}, expected finite numbers", values[index])));
        }
        tensors.insert(name.to_owned(), (view.shape().to_vec(), values));
    }
    Ok((description.units, config, Contents { file, tensors }))
}

impl Contents {
    /// The values of a tensor, which must have this shape.
    pub fn take(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, BaselineError> {
        match self.tensors.remove(name) {
            Some((found, values)) if found == shape => Ok(values),
            Some((found, _)) => Err(self.damaged(format!("{name:?} has the shape {found:?}, expected {shape:?}"))),
            None => Err(self.damaged(format!("it lacks {name:?}, of shape {shape:?}"))),
        }
    }

    /// Nothing may be left over.
    pub fn finish(self) -> Result<(), BaselineError> {
        match self.tensors.keys().next() {
            Some(name) => Err(self.damaged(format!("it has {name:?}, which this baseline does not know"))),
            None => Ok(()),
        }
    }

    /// An error about this file.
    pub fn damaged(&self, what: String) -> BaselineError {
        BaselineError::Damaged { file: self.file.clone(), what }
    }
}
