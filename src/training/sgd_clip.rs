//! Stochastic gradient descent with adaptive clipping: no gradient is much longer than the weights it changes.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Gradients, Tensor};
use serde::{Deserialize, Serialize};

use crate::model::twin::TwinConfig;
use crate::model::twin::network::{Network, Path};
use crate::model::twin::parameters::{Entry, Kind, entries};

/// Settings of the optimizer; the default is the published adaptation to a new animal.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SgdClipConfig {
    /// Weight decay of the parameters that decay.
    pub decay: f64,
    /// Share of the last step that is kept.
    pub momentum: f64,
    /// Look ahead along the momentum.
    pub nesterov: bool,
    /// Longest gradient in units of the parameter's length; infinite to clip nothing.
    pub clip: f64,
    /// Length in place of that of a very short parameter, for each of its values (root mean square).
    pub eps: f64,
}

impl Default for SgdClipConfig {
    fn default() -> Self {
        Self { decay: 1e-4, momentum: 0.9, nesterov: true, clip: 0.01, eps: 1e-3 }
    }
}

/// The optimizer: settings, the table of what may be done to each parameter, and momenta.
#[derive(Debug, Clone)]
pub struct SgdClip {
    config: SgdClipConfig,
    entries: BTreeMap<String, Entry>,
    /// By key, flattened.
    momenta: BTreeMap<String, Tensor<1>>,
}

impl SgdClip {
    /// An optimizer of networks of these sizes, without momentum yet.
    pub fn new(config: SgdClipConfig, twin: &TwinConfig, units: usize) -> Self {
        let parameters = entries(twin, units).into_iter().filter(|entry| entry.kind == Kind::Parameter);
        Self { config, entries: parameters.map(|entry| (entry.key.clone(), entry)).collect(), momenta: BTreeMap::new() }
    }

    /// Momenta by the name of their parameter, flattened: with the parameters, all that a later step depends on.
    pub fn momenta(&self) -> &BTreeMap<String, Tensor<1>> {
        &self.momenta
    }

    /// Goes on from these momenta.
    pub fn set_momenta(&mut self, momenta: BTreeMap<String, Tensor<1>>) {
        self.momenta = momenta;
    }

    /// The network after one step. A parameter without a gradient stays as it is, and so does its momentum.
    #[must_use]
    pub fn step(&mut self, network: Network, gradients: &Gradients, lr: f64) -> Network {
        network.map(&mut Step { optimizer: self, gradients, lr, path: Path::default() })
    }

    /// How far to go, before the learning rate.
    fn update<const D: usize>(&mut self, key: &str, value: &Tensor<D>, gradient: Tensor<D>) -> Tensor<D> {
        let SgdClipConfig { decay, momentum, nesterov, clip, eps } = self.config;
        let entry = self.entries.get(key).expect("every parameter of a network is in its table");
        let mut gradient = gradient * f64::from(entry.gradient_scale);
        if clip < f64::INFINITY {
            let axes: Vec<usize> = entry.norm_axes.clone().unwrap_or_else(|| (0..D).collect());
            let length = |x: &Tensor<D>| axes.iter().fold(x.clone().square(), |x, &axis| x.sum_dim(axis)).sqrt();
            let shortest = eps * (entry.len() as f64).sqrt();
            let longest = (length(value) * clip).clamp_min(shortest);
            let found = length(&gradient);
            gradient = gradient * (longest.clone() / found.max_pair(longest));
        }
        if momentum > 0.0 {
            let shape = gradient.shape();
            let new: Tensor<1> = gradient.clone().reshape([-1]);
            let sum = match self.momenta.remove(key) {
                Some(old) => old * momentum + new,
                None => new,
            };
            self.momenta.insert(key.to_owned(), sum.clone());
            let sum = sum.reshape(shape);
            gradient = if nesterov { gradient + sum * momentum } else { sum };
        }
        if decay > 0.0 && entry.decay { gradient + value.clone() * decay } else { gradient }
    }
}

/// One walk over all parameters.
struct Step<'a> {
    optimizer: &'a mut SgdClip,
    gradients: &'a Gradients,
    lr: f64,
    path: Path,
}

impl ModuleMapper for Step<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(gradient) = param.val().grad(self.gradients) else { return param };
        param.map(|tensor| {
            let strategy = tensor.gradient_checkpointing_strategy();
            let value = tensor.inner();
            let update = self.optimizer.update(&self.path.key(), &value, gradient);
            let value = Tensor::from_inner(value - update * self.lr);
            match strategy {
                Some(strategy) => value.with_gradient_checkpointing_strategy(strategy),
                None => value,
            }
            .require_grad()
        })
    }
}
