//! All learned numbers of a twin in one row, with views by name: what optimizers like.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::super::EngineError;
use crate::model::twin::TwinConfig;
use crate::model::twin::parameters::{Entry, Kind, entries};
use crate::model::weights::{NamedTensor, StateDict};

/// Where each learned entry of the state dict stands in the row.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    entries: Vec<Entry>,
    starts: Vec<usize>,
    places: BTreeMap<String, usize>,
    len: usize,
}

impl Table {
    /// The learned entries of a network of these sizes, in the order of the state dict.
    pub fn new(config: &TwinConfig, units: usize) -> Self {
        let entries: Vec<Entry> =
            entries(config, units).into_iter().filter(|entry| entry.kind == Kind::Parameter).collect();
        let mut len = 0;
        let mut starts = Vec::with_capacity(entries.len());
        for entry in &entries {
            starts.push(len);
            len += entry.len();
        }
        let places = entries.iter().enumerate().map(|(i, entry)| (entry.key.clone(), i)).collect();
        Self { entries, starts, places, len }
    }

    /// The entries, in the order of their numbers.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The numbers of the entry at this index.
    pub fn range(&self, index: usize) -> Range<usize> {
        self.starts[index]..self.starts[index] + self.entries[index].len()
    }

    /// The numbers of an entry by name.
    pub fn find(&self, key: &str) -> Option<Range<usize>> {
        self.places.get(key).map(|&index| self.range(index))
    }

    /// Numbers of all entries together.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is learned.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Numbers of an entry that every network of the table's sizes has.
    pub(super) fn at(&self, key: &str) -> Range<usize> {
        self.find(key).unwrap_or_else(|| panic!("the table of entries has `{key}`"))
    }
}

/// Learned numbers in one row, and the constants that a state dict carries along.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters {
    table: Arc<Table>,
    values: Vec<f32>,
    constants: StateDict,
}

impl Parameters {
    /// Takes the values of a state dict.
    ///
    /// # Errors
    /// When the sizes are impossible, or an entry is missing or has another shape.
    pub fn new(config: &TwinConfig, units: usize, state: &StateDict) -> Result<Self, EngineError> {
        config.check()?;
        if units == 0 {
            return Err(EngineError::Units);
        }
        let mut constants = StateDict::default();
        let table = Table::new(config, units);
        let mut values = Vec::with_capacity(table.len());
        for entry in entries(config, units) {
            let Some(tensor) = state.tensors.get(&entry.key) else {
                return Err(EngineError::Missing { key: entry.key });
            };
            if tensor.shape != entry.shape || tensor.values.len() != entry.len() {
                let (found, expected) = (tensor.shape.clone(), entry.shape);
                return Err(EngineError::Shape { key: entry.key, found, expected });
            }
            match entry.kind {
                Kind::Parameter => values.extend_from_slice(&tensor.values),
                Kind::Buffer => drop(constants.tensors.insert(entry.key, tensor.clone())),
            }
        }
        Ok(Self { table: Arc::new(table), values, constants })
    }

    /// Every entry of the state dict, constants included.
    pub fn to_state_dict(&self) -> StateDict {
        let mut state = self.constants.clone();
        for (index, entry) in self.table.entries.iter().enumerate() {
            let values = self.values[self.table.range(index)].to_vec();
            state.tensors.insert(entry.key.clone(), NamedTensor { shape: entry.shape.clone(), values });
        }
        state
    }

    /// Where the numbers of each entry stand.
    pub fn table(&self) -> &Arc<Table> {
        &self.table
    }

    /// All numbers.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// All numbers, to change them.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// The numbers of one entry.
    pub fn get(&self, key: &str) -> Option<&[f32]> {
        self.table.find(key).map(|range| &self.values[range])
    }

    /// The numbers of one entry, to change them.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut [f32]> {
        self.table.find(key).map(|range| &mut self.values[range])
    }

    /// Constants of the state dict.
    pub fn constants(&self) -> &StateDict {
        &self.constants
    }
}

/// Gradient of an objective, in the same row as the parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Gradient {
    pub(super) table: Arc<Table>,
    pub(super) values: Vec<f32>,
    /// For each entry, whether anything depended on it that may be learned.
    pub(super) present: Vec<bool>,
}

impl Gradient {
    /// No gradient yet.
    pub fn new(table: &Arc<Table>) -> Self {
        Self { table: table.clone(), values: vec![0.0; table.len()], present: vec![false; table.entries.len()] }
    }

    /// Where the numbers of each entry stand.
    pub fn table(&self) -> &Arc<Table> {
        &self.table
    }

    /// All numbers; those of entries without gradient are 0.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Whether the entry at this index has a gradient: frozen ones and those of silent streams have none.
    pub fn is_present(&self, index: usize) -> bool {
        self.present[index]
    }

    /// Forgets the gradients of all entries but those whose names are kept.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        for (entry, present) in self.table.entries.iter().zip(&mut self.present) {
            *present &= keep(&entry.key);
        }
    }

    /// The mean of several gradients, entry by entry and over those that have one, for the entries that are asked for.
    /// The networks may have different units, so only entries that do not depend on them can be asked for.
    ///
    /// # Panics
    /// When there is no gradient, or an entry has another length elsewhere.
    pub fn mean_of(gradients: &[&Self], which: impl Fn(&str) -> bool) -> Self {
        let mut mean = Self::new(&gradients[0].table);
        for index in 0..mean.table.entries.len() {
            let key = &mean.table.entries[index].key;
            if !which(key) {
                continue;
            }
            let found: Vec<&[f32]> = gradients.iter().filter_map(|gradient| gradient.get(key)).collect();
            let range = mean.table.range(index);
            for values in &found {
                assert_eq!(values.len(), range.len(), "`{key}` depends on the units");
                mean.values[range.clone()].iter_mut().zip(*values).for_each(|(sum, value)| *sum += value);
            }
            mean.present[index] = !found.is_empty();
            let share = 1.0 / found.len().max(1) as f32;
            mean.values[range].iter_mut().for_each(|value| *value *= share);
        }
        mean
    }

    /// Takes the gradients of a state dict, which may lack some.
    ///
    /// # Panics
    /// When one has another length.
    pub fn set(&mut self, state: &StateDict) {
        for index in 0..self.table.entries.len() {
            let tensor = state.tensors.get(&self.table.entries[index].key);
            self.present[index] = tensor.is_some();
            let range = self.table.range(index);
            match tensor {
                Some(tensor) => self.values[range].copy_from_slice(&tensor.values),
                None => self.values[range].fill(0.0),
            }
        }
    }

    /// The gradient of one entry, if it has one.
    pub fn get(&self, key: &str) -> Option<&[f32]> {
        let index = *self.table.places.get(key)?;
        self.present[index].then(|| &self.values[self.table.range(index)])
    }
}
