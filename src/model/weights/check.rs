//! The strict comparison of tensors with the table of entries.

use std::collections::{BTreeMap, BTreeSet};

use super::element::Element;
use super::load::Origin;
use super::start::start_values;
use super::{NamedTensor, StateDict, WeightError};
use crate::model::twin::TwinConfig;
use crate::model::twin::parameters::{Entry, Init, Kind, entries};

/// Largest difference of a viewing ray from its formula: the published grid was computed in f32.
const RAY_TOLERANCE: f32 = 1e-5;

/// Fails unless the tensors are exactly those of the configuration: none missing, none left over, every shape, every
/// type, only finite numbers, and constants as they must be. `elements` is empty for tensors that were never in a
/// file.
pub(super) fn check(
    config: &TwinConfig,
    units: usize,
    state: &StateDict,
    elements: &BTreeMap<String, Element>,
    origin: &Origin,
) -> Result<(), WeightError> {
    let table = entries(config, units);
    let missing: Vec<&Entry> = table.iter().filter(|entry| !state.tensors.contains_key(&entry.key)).collect();
    if let Some(first) = missing.first() {
        return Err(WeightError::Missing {
            file: origin.file(&first.key),
            key: first.key.clone(),
            expected: format!("{} of the shape {:?}", if first.is_mask() { "bool" } else { "float32" }, first.shape),
            others: missing.len() - 1,
        });
    }
    let known: BTreeSet<&str> = table.iter().map(|entry| entry.key.as_str()).collect();
    let mut unused = state.tensors.keys().filter(|key| !known.contains(key.as_str()));
    if let Some(first) = unused.next() {
        return Err(WeightError::Unused { file: origin.file(first), key: first.clone(), others: unused.count() });
    }
    for (index, entry) in table.iter().enumerate() {
        let tensor = &state.tensors[&entry.key];
        check_entry(entry, tensor, elements.get(&entry.key).copied(), origin)?;
        if entry.kind == Kind::Buffer {
            check_constant(entry, tensor, &start_values(config, entry, index, 0), origin)?;
        }
    }
    Ok(())
}

impl Entry {
    fn is_mask(&self) -> bool {
        self.init == Init::OffDiagonal
    }
}

fn check_entry(
    entry: &Entry,
    tensor: &NamedTensor,
    element: Option<Element>,
    origin: &Origin,
) -> Result<(), WeightError> {
    let (file, key) = (origin.file(&entry.key), entry.key.clone());
    if tensor.shape != entry.shape || tensor.values.len() != entry.len() {
        let (found, expected) = (tensor.shape.clone(), format!("{:?}", entry.shape));
        return Err(WeightError::Shape { file, key, found, expected });
    }
    let fits = |element: Element| match element {
        Element::Bool | Element::UInt8 => entry.is_mask(),
        other => other.is_exact(),
    };
    if let Some(found) = element.filter(|&element| !fits(element)) {
        let expected = if entry.is_mask() { "bool" } else { "float32" };
        return Err(WeightError::Element { file, key, found: found.name(), expected });
    }
    match tensor.values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(WeightError::NotFinite { file, key, index, value: tensor.values[index] }),
        None => Ok(()),
    }
}

fn check_constant(entry: &Entry, tensor: &NamedTensor, constant: &[f32], origin: &Origin) -> Result<(), WeightError> {
    let tolerance = if entry.init == Init::RetinaRays { RAY_TOLERANCE } else { 0.0 };
    let differs = |(found, expected): (&f32, &f32)| (found - expected).abs() > tolerance;
    match tensor.values.iter().zip(constant).position(differs) {
        Some(index) => Err(WeightError::Constant {
            file: origin.file(&entry.key),
            key: entry.key.clone(),
            index,
            found: tensor.values[index],
            expected: constant[index],
        }),
        None => Ok(()),
    }
}
