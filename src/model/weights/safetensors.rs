//! Our file: every tensor of a twin, and in the metadata its configuration, card and units.
//!
//! | metadata | content |
//! |---|---|
//! | `twinscope.config` | [`TwinConfig`] as TOML |
//! | `twinscope.card` | [`TwinCard`] as JSON |
//! | `twinscope.units` | CSV with `animal,session,scan_idx,unit_id`, one line a row of the readout |
//!
//! Any safetensors reader opens it and finds the tensors under their published names; any state dict in this
//! format opens here, with or without the metadata. The same twin always gives the same bytes.

use std::collections::{BTreeMap, HashMap};

use ::safetensors::{Dtype, SafeTensors};
use serde::Serialize;

use super::element::Element;
use super::pickle::{Fault, quoted};
use super::torch::RawTensors;
use super::{NamedTensor, TwinCard, TwinWeights, WeightError};
use crate::model::twin::TwinConfig;
use crate::model::twin::parameters::{Init, entries};
use crate::signals::UnitId;

const CONFIG: &str = "twinscope.config";
const CARD: &str = "twinscope.card";
const UNITS: &str = "twinscope.units";

/// What a file says about itself, each part where it has it.
#[derive(Debug, Default)]
pub(super) struct Description {
    pub(super) config: Option<TwinConfig>,
    pub(super) card: Option<TwinCard>,
    pub(super) units: Option<Vec<UnitId>>,
}

/// Tensors and metadata of a file.
pub(super) fn read(bytes: &[u8]) -> Result<(RawTensors, HashMap<String, String>), Fault> {
    let damaged = |error: &dyn std::fmt::Display| Fault::Damaged(error.to_string());
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| damaged(&e))?;
    let file = SafeTensors::deserialize(bytes).map_err(|e| damaged(&e))?;
    let mut tensors = BTreeMap::new();
    for (key, view) in file.iter() {
        let element = match view.dtype() {
            Dtype::F32 => Element::Float32,
            Dtype::F64 => Element::Float64,
            Dtype::F16 => Element::Float16,
            Dtype::BF16 => Element::BFloat16,
            Dtype::BOOL => Element::Bool,
            Dtype::U8 => Element::UInt8,
            Dtype::I8 => Element::Int8,
            Dtype::I16 => Element::Int16,
            Dtype::I32 => Element::Int32,
            Dtype::I64 => Element::Int64,
            other => return Err(Fault::Damaged(format!("{} is {other:?}, expected float32", quoted(key)))),
        };
        let tensor = NamedTensor { shape: view.shape().to_vec(), values: element.decode(view.data()) };
        tensors.insert(key.to_owned(), (tensor, element));
    }
    Ok((tensors, header.metadata().clone().unwrap_or_default()))
}

/// The parts of the metadata that are ours.
pub(super) fn describe(file: &str, metadata: &HashMap<String, String>) -> Result<Description, WeightError> {
    let config = metadata.get(CONFIG).map(|text| {
        TwinConfig::from_toml(text).map_err(|source| WeightError::Config { file: file.to_owned(), source })
    });
    let card = metadata.get(CARD).map(|text| {
        let card = serde_json::from_str::<TwinCard>(text).map_err(|e| e.to_string());
        let card = card.and_then(|card| card.check().map(|()| card));
        card.map_err(|what| WeightError::Card { file: file.to_owned(), what })
    });
    let units = metadata.get(UNITS).map(|text| {
        units_from_csv(text).map_err(|what| WeightError::Units {
            file: file.to_owned(),
            what: format!("the list of units in its metadata cannot be read: {what}"),
        })
    });
    Ok(Description { config: config.transpose()?, card: card.transpose()?, units: units.transpose()? })
}

fn units_from_csv(text: &str) -> Result<Vec<UnitId>, String> {
    let mut rows = csv::Reader::from_reader(text.as_bytes());
    if *rows.headers().map_err(|e| e.to_string())? != COLUMNS[..] {
        return Err(format!("its columns must be {}", COLUMNS.join(",")));
    }
    rows.deserialize::<(Option<String>, u32, u32, u32)>()
        .map(|row| {
            let (animal, session, scan, unit) = row.map_err(|e| e.to_string())?;
            Ok(UnitId { animal, session, scan, unit })
        })
        .collect()
}

/// Names that the published tables use for the same things.
const COLUMNS: [&str; 4] = ["animal", "session", "scan_idx", "unit_id"];

fn units_as_csv(units: &[UnitId]) -> String {
    let mut rows = csv::Writer::from_writer(Vec::new());
    rows.write_record(COLUMNS).expect("memory is writable");
    for unit in units {
        rows.serialize((&unit.animal, unit.session, unit.scan, unit.unit)).expect("memory is writable");
    }
    String::from_utf8(rows.into_inner().expect("memory is writable")).expect("text and numbers are UTF-8")
}

/// Header of the file; the order of the fields is that of the bytes.
#[derive(Serialize)]
struct Header<'a> {
    #[serde(rename = "__metadata__")]
    metadata: BTreeMap<&'static str, String>,
    #[serde(flatten)]
    tensors: BTreeMap<&'a str, Tensor<'a>>,
}

#[derive(Serialize)]
struct Tensor<'a> {
    dtype: &'static str,
    shape: &'a [usize],
    data_offsets: [usize; 2],
}

/// The bytes of a file. The mask is stored as bool, as PyTorch has it; everything else as f32.
pub(super) fn bytes(weights: &TwinWeights) -> Vec<u8> {
    let masks: Vec<String> = entries(&weights.config, weights.units.len())
        .into_iter()
        .filter(|entry| entry.init == Init::OffDiagonal)
        .map(|entry| entry.key)
        .collect();
    let card = serde_json::to_string(&weights.card).expect("a card is plain text and numbers");
    let metadata =
        BTreeMap::from([(CONFIG, weights.config.to_toml()), (CARD, card), (UNITS, units_as_csv(&weights.units))]);
    let (mut tensors, mut data) = (BTreeMap::new(), Vec::new());
    // Single bytes come last, so that every f32 lies on a multiple of four.
    for mask in [false, true] {
        for (key, tensor) in weights.state.tensors.iter().filter(|(key, _)| masks.contains(key) == mask) {
            let start = data.len();
            if mask {
                data.extend(tensor.values.iter().map(|&v| u8::from(v != 0.0)));
            } else {
                data.extend(tensor.values.iter().flat_map(|v| v.to_le_bytes()));
            }
            let dtype = if mask { "BOOL" } else { "F32" };
            tensors.insert(key.as_str(), Tensor { dtype, shape: &tensor.shape, data_offsets: [start, data.len()] });
        }
    }
    let header = serde_json::to_string(&Header { metadata, tensors }).expect("text and numbers always serialise");
    let padding = header.len().next_multiple_of(8) - header.len();
    let mut file = ((header.len() + padding) as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend(std::iter::repeat_n(b' ', padding));
    file.append(&mut data);
    file
}
