//! AdamW on any burn device, with moments by the name of their weights (Loshchilov and Hutter 2019).

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Gradients, Tensor, TensorData, TensorReadError};
use serde::{Deserialize, Serialize};

use crate::model::mtm::{Descent, Engine, Mtm, Names};

/// Settings of the optimizer; the default is the published training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdamWConfig {
    /// Weight decay of every tensor, times the learning rate.
    pub decay: f64,
    /// Share of the mean gradient that is kept in each step.
    pub beta1: f64,
    /// Share of the mean square that is kept in each step.
    pub beta2: f64,
    /// Added to root mean squares.
    pub eps: f64,
}

impl Default for AdamWConfig {
    fn default() -> Self {
        Self { decay: 0.01, beta1: 0.9, beta2: 0.999, eps: 1e-8 }
    }
}

/// The optimizer: settings and moments.
#[derive(Debug, Clone)]
pub struct AdamW {
    config: AdamWConfig,
    moments: BTreeMap<String, Moments>,
}

/// What is remembered of a tensor's gradients, flattened.
#[derive(Debug, Clone)]
struct Moments {
    steps: u64,
    mean: Tensor<1>,
    square: Tensor<1>,
}

/// Moments as numbers: with the weights, all that a later step depends on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AdamWState {
    /// Steps of each tensor that has had a gradient.
    pub steps: BTreeMap<String, u64>,
    /// Running means of the gradients, row-major.
    pub means: BTreeMap<String, Vec<f32>>,
    /// Running means of their squares.
    pub squares: BTreeMap<String, Vec<f32>>,
}

impl AdamWState {
    /// Fails unless there are both moments for each tensor that has taken steps, and no others.
    ///
    /// # Errors
    /// A clause with the name of the first moments that are incomplete or damaged.
    pub(super) fn check(&self) -> Result<(), String> {
        let Self { steps, means, squares } = self;
        for key in steps.keys() {
            let (Some(mean), Some(square)) = (means.get(key), squares.get(key)) else {
                return Err(format!("the state of the optimizer is incomplete for `{key}`"));
            };
            if mean.len() != square.len() || mean.iter().chain(square).any(|value| !value.is_finite()) {
                return Err(format!("the state of the optimizer is damaged for `{key}`"));
            }
        }
        match means.keys().chain(squares.keys()).find(|key| !steps.contains_key(*key)) {
            Some(key) => Err(format!("the state of the optimizer is incomplete for `{key}`")),
            None => Ok(()),
        }
    }

    /// One step of the engine's weights by the gradients of its last loss, as [`AdamW::step`].
    pub fn step(&mut self, config: &AdamWConfig, engine: &mut Engine, lr: f64) {
        let AdamWConfig { decay, beta1, beta2, eps } = *config;
        engine.update(|key, values, gradient| {
            let is_there = |moments: &BTreeMap<String, Vec<f32>>| {
                moments.get(key).is_some_and(|values| values.len() == gradient.len())
            };
            if !(self.steps.contains_key(key) && is_there(&self.means) && is_there(&self.squares)) {
                self.steps.insert(key.to_owned(), 0);
                self.means.insert(key.to_owned(), vec![0.0; gradient.len()]);
                self.squares.insert(key.to_owned(), vec![0.0; gradient.len()]);
            }
            let there = (self.steps.get_mut(key), self.means.get_mut(key), self.squares.get_mut(key));
            let (Some(steps), Some(means), Some(squares)) = there else { return };
            *steps = steps.saturating_add(1);
            let (bias1, bias2) = biases(config, *steps);
            let descent = Descent {
                keep: (1.0 - lr * decay) as f32,
                mean_share: (1.0 - beta1) as f32,
                square_keep: beta2 as f32,
                square_share: (1.0 - beta2) as f32,
                size: bias2.sqrt().recip() as f32,
                eps: eps as f32,
                rate: (lr / bias1) as f32,
            };
            descent.step(values, gradient, means, squares);
        });
    }
}

/// By what both moments are too small after so many steps.
fn biases(config: &AdamWConfig, steps: u64) -> (f64, f64) {
    let age = i32::try_from(steps).unwrap_or(i32::MAX);
    (1.0 - config.beta1.powi(age), 1.0 - config.beta2.powi(age))
}

impl AdamW {
    /// An optimizer without moments yet.
    pub fn new(config: AdamWConfig) -> Self {
        Self { config, moments: BTreeMap::new() }
    }

    /// What a later step depends on.
    ///
    /// # Errors
    /// When the device fails.
    pub fn state(&self) -> Result<AdamWState, TensorReadError> {
        let mut state = AdamWState::default();
        for (key, moments) in &self.moments {
            state.steps.insert(key.clone(), moments.steps);
            state.means.insert(key.clone(), moments.mean.try_to_vec_as()?);
            state.squares.insert(key.clone(), moments.square.try_to_vec_as()?);
        }
        Ok(state)
    }

    /// Goes on from a state, for a network on this device.
    ///
    /// # Errors
    /// A clause with the name of the first moments that are incomplete.
    pub fn set_state(&mut self, state: AdamWState, device: &Device) -> Result<(), String> {
        state.check()?;
        let AdamWState { steps, mut means, mut squares } = state;
        let device = device.clone().inner();
        let taken = |from: &mut BTreeMap<String, Vec<f32>>, key: &str| {
            let values = from.remove(key).unwrap_or_default();
            let length = values.len();
            Tensor::from_data(TensorData::new(values, [length]), &device)
        };
        self.moments.clear();
        for (key, steps) in steps {
            let (mean, square) = (taken(&mut means, &key), taken(&mut squares, &key));
            self.moments.insert(key, Moments { steps, mean, square });
        }
        Ok(())
    }

    /// The network after one step. A tensor without a gradient, such as another session's, is left alone: no decay, no
    /// change of its moments, and no step counted.
    #[must_use]
    pub fn step(&mut self, network: Mtm, gradients: &Gradients, lr: f64) -> Mtm {
        let names = network.names();
        network.map(&mut Step { optimizer: self, gradients, lr, names })
    }

    /// The tensor after a step.
    fn update<const D: usize>(&mut self, key: String, value: Tensor<D>, gradient: Tensor<D>, lr: f64) -> Tensor<D> {
        let AdamWConfig { decay, beta1, beta2, eps } = self.config;
        let gradient: Tensor<1> = gradient.reshape([-1]);
        let length = gradient.dims()[0];
        let (steps, mean, square) = match self.moments.remove(&key).filter(|old| old.mean.dims()[0] == length) {
            Some(Moments { steps, mean, square }) => (
                steps.saturating_add(1),
                mean.clone() + (gradient.clone() - mean) * (1.0 - beta1),
                square * beta2 + gradient.square() * (1.0 - beta2),
            ),
            None => (1, gradient.clone() * (1.0 - beta1), gradient.square() * (1.0 - beta2)),
        };
        let (bias1, bias2) = biases(&self.config, steps);
        let size = square.clone().sqrt() * bias2.sqrt().recip() + eps;
        let way = mean.clone() / size * (lr / bias1);
        self.moments.insert(key, Moments { steps, mean, square });
        let shape = value.shape();
        value * (1.0 - lr * decay) - way.reshape(shape)
    }
}

/// One walk over all weights.
struct Step<'a> {
    optimizer: &'a mut AdamW,
    gradients: &'a Gradients,
    lr: f64,
    names: Names,
}

impl ModuleMapper for Step<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.names.enter(name);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.names.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(gradient) = param.val().grad(self.gradients) else { return param };
        param.map(|tensor| {
            let value = self.optimizer.update(self.names.key(), tensor.inner(), gradient, self.lr);
            Tensor::from_inner(value).require_grad()
        })
    }
}
