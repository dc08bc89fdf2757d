//! From behaviour to the core: a small network with a memory, one for each stream.

use super::effective::Effective;

use crate::model::twin::config::TwinConfig;
use crate::model::twin::parameters::Layer;
use crate::model::weights::StateDict;

/// Prepared modulation of one stream.
#[derive(Debug)]
pub(super) struct Modulation {
    layers: Vec<Linear>,
    /// Input, forget, cell and output gates.
    gates: Vec<Linear>,
}

/// State of one stream and sample.
#[derive(Debug, Clone)]
pub(super) struct ModulationState {
    /// Hidden state, which is also the output.
    pub h: Vec<f32>,
    /// Cell.
    pub c: Vec<f32>,
}

#[derive(Debug)]
struct Linear {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl Linear {
    fn new(layer: &Layer, state: &StateDict, stream: usize) -> Self {
        let effective = Effective::new(layer, state, stream);
        Self { weight: effective.weight.iter().map(|&w| w as f32).collect(), bias: effective.bias }
    }

    /// One output.
    fn at(&self, output: usize, x: &[f32]) -> f32 {
        let weight = &self.weight[output * x.len()..][..x.len()];
        self.bias[output] + weight.iter().zip(x).map(|(w, x)| w * x).sum::<f32>()
    }
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

impl Modulation {
    /// The modulation of a stream.
    pub fn new(layers: &[Layer], state: &StateDict, stream: usize) -> Self {
        let named = |prefix: &'static str| {
            let layers = layers.iter().filter(move |layer| layer.name.starts_with(prefix));
            layers.map(|layer| Linear::new(layer, state, stream)).collect()
        };
        Self { layers: named("modulation.mlp."), gates: named("modulation.lstm.") }
    }

    /// The state before the first frame.
    pub fn start(config: &TwinConfig) -> ModulationState {
        let features = config.modulation.lstm_features;
        ModulationState { h: vec![0.0; features], c: vec![0.0; features] }
    }

    /// Numbers that [`Self::step`] needs to work in.
    pub fn room(config: &TwinConfig) -> usize {
        2 * (config.modulation.mlp_features.max(2) + config.modulation.lstm_features)
    }

    /// One frame.
    pub fn step(&self, state: &mut ModulationState, behavior: [f32; 2], room: &mut [f32]) {
        let (mut x, mut y) = room.split_at_mut(room.len() / 2);
        x[..2].copy_from_slice(&behavior);
        let mut width = 2;
        for layer in &self.layers {
            for (o, y) in y[..layer.bias.len()].iter_mut().enumerate() {
                *y = gelu(layer.at(o, &x[..width]));
            }
            width = layer.bias.len();
            std::mem::swap(&mut x, &mut y);
        }
        let features = state.h.len();
        x[width..width + features].copy_from_slice(&state.h);
        let x = &x[..width + features];
        for j in 0..features {
            let gate = |gate: usize| self.gates[gate].at(j, x);
            let c = sigmoid(gate(1)) * state.c[j] + sigmoid(gate(0)) * gate(2).tanh();
            state.c[j] = c;
            state.h[j] = sigmoid(gate(3)) * c.tanh();
        }
    }
}

fn gelu(x: f32) -> f32 {
    (super::perspective::gelu_exact(f64::from(x))) as f32
}
