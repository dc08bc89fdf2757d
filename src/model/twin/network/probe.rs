//! A look at the inside of a step.

use std::collections::BTreeMap;

use burn::tensor::Tensor;

/// Records the output of every layer under its name, when asked to.
#[derive(Debug, Clone, Default)]
pub struct Probe {
    records: Option<BTreeMap<String, Tensor<1>>>,
}

impl Probe {
    /// Records nothing and costs nothing.
    pub fn off() -> Self {
        Self::default()
    }

    /// Keeps the newest output of every layer.
    pub fn on() -> Self {
        Self { records: Some(BTreeMap::new()) }
    }

    /// Outputs by the name of their layer, flattened in row-major order.
    pub fn records(&self) -> impl Iterator<Item = (&str, &Tensor<1>)> {
        self.records.iter().flatten().map(|(name, tensor)| (name.as_str(), tensor))
    }

    pub(super) fn record<const D: usize>(&mut self, name: &str, tensor: &Tensor<D>) {
        if let Some(records) = &mut self.records {
            records.insert(name.to_owned(), tensor.clone().reshape([-1]));
        }
    }

    /// Parts of a joined product `[sample, batch, part * channel, pixel]`, by name.
    pub(super) fn record_parts(&mut self, names: &[String], joined: &Tensor<4>) {
        if self.records.is_some() {
            let channels = joined.dims()[2] / names.len();
            for (index, name) in names.iter().enumerate() {
                self.record(name, &joined.clone().narrow(2, index * channels, channels));
            }
        }
    }
}
