//! AdamW with a learning rate for each tensor that is relative to the size of its weights.
//!
//! Weight-normalised filters forget what they are when a step is a tenth of their length; steps of one or two
//! hundredths train them fast (Loshchilov and Hutter 2019 for the decay, You et al. 2017 for the idea of layer-wise
//! rates).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::sgd_clip::fits;
use super::{Gradient, Parameters, Table};
use crate::model::twin::parameters::Entry;

/// Settings of the optimizer; the default is a recipe that trains a small twin in a thousand steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamWConfig {
    /// Learning rate of the core in units of the root mean square of each tensor before training.
    pub relative_lr: f64,
    /// Smallest learning rate of gains, biases and scales of the core.
    pub smallest_lr: f64,
    /// Learning rate of the readout's features and biases; positions learn half as fast.
    pub readout_lr: f64,
    /// Learning rate of perspective and of the modulation's first layers.
    pub input_lr: f64,
    /// Share of the mean gradient that is kept in each step.
    pub beta1: f64,
    /// Share of the mean square that is kept in each step.
    pub beta2: f64,
    /// Added to root mean squares.
    pub eps: f64,
    /// Weight decay of the parameters that decay, times their learning rate.
    pub decay: f64,
    /// Longest gradient of all parameters together; infinite to clip nothing.
    pub longest_gradient: f64,
}

impl Default for AdamWConfig {
    fn default() -> Self {
        Self {
            relative_lr: 0.015,
            smallest_lr: 1e-3,
            readout_lr: 1e-2,
            input_lr: 1e-3,
            beta1: 0.9,
            beta2: 0.98,
            eps: 1e-8,
            decay: 1e-3,
            longest_gradient: 1.0,
        }
    }
}

/// The optimizer: settings and moments.
#[derive(Debug, Clone, PartialEq)]
pub struct AdamW {
    config: AdamWConfig,
    table: Arc<Table>,
    state: AdamWState,
}

/// With the parameters, all that a later step depends on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AdamWState {
    /// Learning rate of each tensor, from the parameters before the first step.
    pub rates: BTreeMap<String, f32>,
    /// Steps of each parameter that has had a gradient.
    pub steps: BTreeMap<String, u64>,
    /// Running means of the gradients, row-major.
    pub means: BTreeMap<String, Vec<f32>>,
    /// Running means of their squares.
    pub squares: BTreeMap<String, Vec<f32>>,
}

impl AdamW {
    /// An optimizer that starts from these parameters.
    pub fn new(config: AdamWConfig, parameters: &Parameters) -> Self {
        let table = parameters.table().clone();
        let rate = |(index, entry): (usize, &Entry)| {
            let values = &parameters.values()[table.range(index)];
            (entry.key.clone(), config.rate(&entry.key, values) as f32)
        };
        let rates = table.entries().iter().enumerate().map(rate).collect();
        Self { config, state: AdamWState { rates, ..AdamWState::default() }, table }
    }

    /// What a later step depends on.
    pub fn state(&self) -> &AdamWState {
        &self.state
    }

    /// Goes on from a state. Moments of unknown parameters or of another length are an error, by name.
    ///
    /// # Errors
    /// The name of the first one that does not fit.
    pub fn set_state(&mut self, state: AdamWState) -> Result<(), String> {
        fits(&self.table, &state.means)?;
        fits(&self.table, &state.squares)?;
        let whole = |key: &str| state.squares.contains_key(key) && state.steps.contains_key(key);
        if let Some(key) = state.means.keys().find(|key| !whole(key)) {
            return Err(format!("the state of the optimizer is incomplete for `{key}`"));
        }
        if let Some(entry) = self.table.entries().iter().find(|entry| !state.rates.contains_key(&entry.key)) {
            return Err(format!("the state of the optimizer has no learning rate for `{}`", entry.key));
        }
        self.state = state;
        Ok(())
    }

    /// One step; `schedule` multiplies all learning rates. A parameter without a gradient stays as it is. Returns the
    /// length of the gradient before it was clipped.
    pub fn step(&mut self, parameters: &mut Parameters, gradient: &Gradient, schedule: f64) -> f64 {
        let AdamWConfig { beta1, beta2, eps, decay, longest_gradient, .. } = self.config;
        let present = |index: &usize| gradient.is_present(*index);
        let squares = |index| gradient.values()[self.table.range(index)].iter().map(|&g| f64::from(g).powi(2));
        let length = (0..self.table.entries().len()).filter(present).flat_map(squares).sum::<f64>().sqrt();
        let factor = if length > longest_gradient { longest_gradient / length } else { 1.0 };
        for (index, entry) in self.table.entries().iter().enumerate().filter(|(index, _)| present(index)) {
            let range = self.table.range(index);
            let rate = schedule * f64::from(self.state.rates[&entry.key]);
            let steps = self.state.steps.entry(entry.key.clone()).or_insert(0);
            *steps += 1;
            let age = i32::try_from(*steps).unwrap_or(i32::MAX);
            let (scale1, scale2) = (1.0 - beta1.powi(age), 1.0 - beta2.powi(age));
            let zeros = || vec![0.0; range.len()];
            let means = self.state.means.entry(entry.key.clone()).or_insert_with(zeros);
            let squares = self.state.squares.entry(entry.key.clone()).or_insert_with(zeros);
            let values = &mut parameters.values_mut()[range.clone()];
            let keep = if entry.decay { 1.0 - rate * decay } else { 1.0 };
            let (step, shrink) = (rate / scale1, scale2.sqrt().recip());
            let moments = means.iter_mut().zip(squares.iter_mut());
            for ((value, &g), (mean, square)) in values.iter_mut().zip(&gradient.values()[range]).zip(moments) {
                let g = f64::from(g) * factor;
                let (m, s) = (f64::from(*mean), f64::from(*square));
                let (m, s) = (m + (g - m) * (1.0 - beta1), s * beta2 + g * g * (1.0 - beta2));
                (*mean, *square) = (m as f32, s as f32);
                *value = (f64::from(*value) * keep - step * m / (s.sqrt() * shrink + eps)) as f32;
            }
        }
        length
    }
}

impl AdamWConfig {
    /// Learning rate of a tensor with these values before training.
    fn rate(&self, key: &str, values: &[f32]) -> f64 {
        let squares: f64 = values.iter().map(|&v| f64::from(v).powi(2)).sum();
        let relative = self.relative_lr * (squares / values.len().max(1) as f64).sqrt();
        if key.starts_with("core.") || key.starts_with("modulation.lstm.") {
            if key.contains(".weights.") { relative } else { relative.max(self.smallest_lr) }
        } else if key.starts_with("readout.position.") {
            self.readout_lr / 2.0
        } else if key.starts_with("readout.") {
            self.readout_lr
        } else {
            self.input_lr
        }
    }
}
