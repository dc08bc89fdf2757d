//! Layers with a handful of numbers, in f64: the eye's network and the behaviour's.

use std::ops::Range;

use super::super::math::GAMMA;
use super::super::perspective::erf;
use super::parameters::Table;
use super::standardise::Standard;
use crate::model::twin::parameters::Layer;

/// One linear layer and its gradient.
#[derive(Debug, Clone)]
pub(super) struct Small {
    standard: Option<Standard>,
    weights: Range<usize>,
    biases: Range<usize>,
    inputs: usize,
    outputs: usize,
    /// Effective weights `[output, input]`, then biases.
    values: Vec<f64>,
}

impl Small {
    /// A layer of a stream.
    pub fn new(layer: &Layer, table: &Table, stream: usize) -> Self {
        let at = if layer.shared { 0 } else { stream };
        let range = |part: &str| table.at(&format!("{}.{part}.{at}", layer.name));
        Self {
            standard: Standard::new(layer, table, stream),
            weights: range("weights"),
            biases: range("biases"),
            inputs: layer.inputs,
            outputs: layer.outputs,
            values: Vec::new(),
        }
    }

    /// Outputs.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Numbers of weights and biases.
    pub fn len(&self) -> usize {
        self.outputs * (self.inputs + 1)
    }

    /// Reads the parameters of this step.
    pub fn pack(&mut self, parameters: &[f32]) {
        self.values.clear();
        match &self.standard {
            None => self.values.extend(parameters[self.weights.clone()].iter().map(|&w| f64::from(w))),
            Some(standard) => {
                self.values.resize(self.weights.len(), 0.0);
                let (start, values) = (self.weights.start, &mut self.values);
                standard.each(parameters, |place, weight| values[place - start] = weight);
            }
        }
        self.values.extend(parameters[self.biases.clone()].iter().map(|&b| f64::from(b)));
    }

    /// `y = W x + b`.
    pub fn forward(&self, x: &[f64], y: &mut [f64]) {
        let (weights, biases) = self.values.split_at(self.outputs * self.inputs);
        for ((y, bias), row) in y.iter_mut().zip(biases).zip(weights.chunks_exact(self.inputs)) {
            *y = bias + row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>();
        }
    }

    /// Adds the gradients of `x` and of weights and biases.
    pub fn backward(&self, x: &[f64], dy: &[f64], dx: &mut [f64], gradient: &mut [f64]) {
        let (weights, biases) = gradient.split_at_mut(self.outputs * self.inputs);
        for (o, &dy) in dy.iter().enumerate() {
            biases[o] += dy;
            let row = o * self.inputs..(o + 1) * self.inputs;
            for ((dx, &w), (dw, &x)) in dx.iter_mut().zip(&self.values[row.clone()]).zip(weights[row].iter_mut().zip(x))
            {
                *dx += w * dy;
                *dw += x * dy;
            }
        }
    }

    /// Adds a gradient of effective weights and biases to that of all parameters.
    pub fn scatter(&self, gradient: &[f64], flat: &mut [f32]) {
        let (weights, biases) = gradient.split_at(self.outputs * self.inputs);
        for (range, values) in [(&self.weights, weights), (&self.biases, biases)] {
            flat[range.clone()].iter_mut().zip(values).for_each(|(to, &value)| *to += value as f32);
        }
    }
}

/// GELU times gamma, and its derivative.
pub(super) fn gelu(x: f64) -> (f64, f64) {
    let phi = 0.5 * (1.0 + erf(x * std::f64::consts::FRAC_1_SQRT_2));
    let density = (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
    (GAMMA * x * phi, GAMMA * (phi + x * density))
}
