//! From the parameters of a layer to the weights that are multiplied.
//!
//! Filters are standardised per output channel, `(w - mean) / sqrt(variance * fan_in + 1e-5) * gain` (Wang et al.
//! 2025); this happens once, in f64.

use crate::model::twin::parameters::Layer;
use crate::model::weights::StateDict;

/// Weights and bias of one stream of a layer.
#[derive(Debug)]
pub(super) struct Effective {
    /// `[output, input of its group, time, row, column]`; for an inter-group layer `[output, input]`, dense.
    pub weight: Vec<f64>,
    /// `[output]`; zeros where the layer has none.
    pub bias: Vec<f32>,
    /// Numbers in the filter of one output channel.
    pub fan: usize,
}

impl Effective {
    /// The layer of one stream; shared layers have stream 0 only.
    pub fn new(layer: &Layer, state: &StateDict, stream: usize) -> Self {
        let stream = if layer.shared { 0 } else { stream };
        let part = |part: &str| state.values(&format!("{}.{part}.{stream}", layer.name));
        let raw = part("weights");
        let gains = layer.gain.map(|_| part("gains"));
        let bias = layer.bias.map_or_else(|| vec![0.0; layer.outputs], |_| part("biases").to_vec());
        let gain = |o: usize| gains.map_or(1.0, |g| f64::from(g[o]));
        if layer.inter_group {
            return Self { weight: inter_group(layer, raw, gain), bias, fan: layer.inputs };
        }
        let fan = layer.fan_in();
        let mut weight: Vec<f64> = raw.iter().map(|&w| f64::from(w)).collect();
        if layer.normalised {
            for (o, filter) in weight.chunks_exact_mut(fan).enumerate() {
                let (mean, factor) = standard(filter.iter().copied(), fan);
                filter.iter_mut().for_each(|w| *w = (*w - mean) * factor * gain(o));
            }
        }
        Self { weight, bias, fan }
    }

    /// Weight of an output and a place in its filter.
    pub fn at(&self, output: usize, place: usize) -> f64 {
        self.weight[output * self.fan + place]
    }
}

/// Mean, and the factor that brings the variance to 1 / fan.
fn standard(values: impl Iterator<Item = f64> + Clone, fan: usize) -> (f64, f64) {
    let n = fan as f64;
    let mean = values.clone().sum::<f64>() / n;
    let variance = values.map(|w| (w - mean).powi(2)).sum::<f64>() / n;
    (mean, (variance * n + 1e-5).sqrt().recip())
}

/// The dense matrix of a layer in which every group hears all groups but itself.
fn inter_group(layer: &Layer, raw: &[f32], gain: impl Fn(usize) -> f64) -> Vec<f64> {
    let groups = layer.groups_in;
    let (outs, ins) = (layer.outputs / groups, layer.inputs / groups);
    let at =
        |o: usize, other: usize, a: usize, b: usize| f64::from(raw[((o * (groups - 1) + other) * outs + a) * ins + b]);
    let mut dense = vec![0.0; layer.outputs * layer.inputs];
    for o in 0..groups {
        for a in 0..outs {
            let filter = (0..groups - 1).flat_map(|other| (0..ins).map(move |b| (other, b)));
            let (mean, factor) = standard(filter.map(|(other, b)| at(o, other, a, b)), layer.fan_in());
            for i in (0..groups).filter(|&i| i != o) {
                for b in 0..ins {
                    let w = at(o, i - usize::from(i > o), a, b);
                    dense[(o * outs + a) * layer.inputs + i * ins + b] = (w - mean) * factor * gain(o * outs + a);
                }
            }
        }
    }
    dense
}
