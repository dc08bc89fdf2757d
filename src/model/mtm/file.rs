//! The network on disk: one `.safetensors` file with every weight under its name, and in the metadata, under
//! `twinscope.mtm`, its sizes, its sessions and what else is known, as TOML. The same network always gives the same bytes.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::path::Path;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::config::MtmConfig;
use super::error::MtmError;
use super::parameters::SessionInfo;
use super::weights::{MOST_SESSIONS, MtmWeights};
use crate::data::unfinished;
use crate::model::weights::{NamedTensor, StateDict, WeightError};

/// Key of the description in the metadata.
const DESCRIPTION: &str = "twinscope.mtm";
/// Largest file that is read; the published network with 34 sessions has 0.3 GB.
const LARGEST: u64 = 8 << 30;

/// Longest description that is looked for, bytes; safetensors itself takes no longer one.
const LONGEST_HEAD: u64 = 100_000_000;

/// What the metadata say.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    config: toml::Table,
    #[serde(default)]
    about: toml::Table,
    #[serde(default)]
    sessions: Vec<SessionInfo>,
}

impl MtmWeights {
    /// Reads a network. Nothing in the file is believed before it is checked.
    ///
    /// # Errors
    /// When it cannot be read, is damaged, or does not hold exactly the network that it describes.
    pub fn load(path: &Path) -> Result<Self, MtmError> {
        let file = path.display().to_string();
        let failed = |source| WeightError::Read { file: file.clone(), source };
        let about = std::fs::metadata(path).map_err(failed)?;
        if !about.is_file() || about.len() > LARGEST {
            let what = if about.is_file() { "it has more than 8 GiB" } else { "it is no regular file" };
            return Err(WeightError::Damaged { file, what: what.to_owned() }.into());
        }
        let mut bytes = Vec::new();
        let opened = std::fs::File::open(path).map_err(failed)?;
        opened.take(LARGEST).read_to_end(&mut bytes).map_err(failed)?;
        Self::from_bytes(&bytes, &file)
    }

    /// Whether a file looks like one of ours, from its beginning alone.
    pub fn is_file(path: &Path) -> bool {
        let read = || -> std::io::Result<Vec<u8>> {
            let (mut length, mut head) = ([0; 8], Vec::new());
            let mut file = std::fs::File::open(path)?;
            file.read_exact(&mut length)?;
            file.take(u64::from_le_bytes(length).min(LONGEST_HEAD)).read_to_end(&mut head)?;
            Ok(head)
        };
        let key = format!("\"{DESCRIPTION}\"").into_bytes();
        read().is_ok_and(|head| head.windows(key.len()).any(|part| part == key))
    }

    /// A network from the bytes of a file; `file` is its name in errors.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn from_bytes(bytes: &[u8], file: &str) -> Result<Self, MtmError> {
        let damaged = |e: safetensors::SafeTensorError| {
            let what = e.to_string().escape_debug().take(200).collect();
            WeightError::Damaged { file: file.to_owned(), what }
        };
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(damaged)?;
        let Description { config, about, sessions } = describe(header.metadata().as_ref(), file)?;
        let config = MtmConfig::from_table(config)?;
        let mut state = StateDict::default();
        for (key, view) in tensors.iter() {
            if view.dtype() != Dtype::F32 {
                let key = key.escape_debug().take(80).collect();
                let (found, expected) = ("of another type of number", "float32");
                return Err(WeightError::Element { file: file.to_owned(), key, found, expected }.into());
            }
            let values = view.data().as_chunks().0.iter().map(|&number| f32::from_le_bytes(number)).collect();
            state.tensors.insert(key.to_owned(), NamedTensor { shape: view.shape().to_vec(), values });
        }
        Self::checked(config, sessions, state, about, file)
    }

    /// The bytes of its file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let config = toml::Table::try_from(self.config()).expect("plain numbers are a table");
        let description = Description { config, about: self.about.clone(), sessions: self.sessions().to_vec() };
        let text = toml::to_string(&description).expect("tables, numbers and names always serialise");
        let numbers: Vec<(&str, &[usize], Vec<u8>)> = self
            .state()
            .tensors
            .iter()
            .map(|(key, tensor)| {
                let bytes = tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect();
                (key.as_str(), tensor.shape.as_slice(), bytes)
            })
            .collect();
        let view = |(key, shape, bytes)| {
            let view = TensorView::new(Dtype::F32, <[usize]>::to_vec(shape), bytes);
            (key, view.expect("as many bytes as the shape needs, which was checked"))
        };
        let views = numbers.iter().map(|(key, shape, bytes)| view((*key, *shape, bytes.as_slice())));
        safetensors::serialize(views, Some(HashMap::from([(DESCRIPTION.to_owned(), text)])))
            .expect("names, shapes and numbers always serialise")
    }

    /// Writes the network; the file appears under its name when it is complete.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn save(&self, path: &Path) -> Result<(), MtmError> {
        let failed = |source| WeightError::Write { file: path.display().to_string(), source };
        let mut file = unfinished(path).map_err(failed)?;
        file.write_all(&self.to_bytes()).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist(path).map_err(|e| failed(e.error))?;
        Ok(())
    }

    /// Identity: SHA-256 of its file, hexadecimal.
    pub fn sha256(&self) -> String {
        Sha256::digest(self.to_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn describe(metadata: Option<&HashMap<String, String>>, file: &str) -> Result<Description, MtmError> {
    let wrong = |what: String| MtmError::Description { file: file.to_owned(), what };
    let text = metadata.and_then(|metadata| metadata.get(DESCRIPTION));
    let text = text.ok_or_else(|| wrong(format!("there is no `{DESCRIPTION}`; is it the file of another program?")))?;
    let description: Description =
        toml::from_str(text).map_err(|e| wrong(e.message().escape_debug().take(200).collect()))?;
    if description.sessions.len() > MOST_SESSIONS {
        return Err(wrong(format!(
            "it names {} sessions, but at most {MOST_SESSIONS} can be",
            description.sessions.len()
        )));
    }
    Ok(description)
}
