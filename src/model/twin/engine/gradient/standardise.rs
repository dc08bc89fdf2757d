//! Weight normalisation, forwards and backwards.
//!
//! Filters are standardised per output channel, `W = (w - mean) (variance * fan_in + 1e-5)^(-1/2) gain` (Wang et al.
//! 2025). Computed in f64 and rounded once.

use std::ops::Range;

use super::parameters::Table;
use crate::model::twin::parameters::Layer;

/// Keeps filters without variance finite.
const EPS: f64 = 1e-5;

/// One stream of a normalised layer.
#[derive(Debug, Clone)]
pub(super) struct Standard {
    weights: Range<usize>,
    gains: Option<Range<usize>>,
    outputs: usize,
    fan: usize,
    /// `(outputs of a group, inputs of a group, other groups)` where every group sees all others.
    inter: Option<[usize; 3]>,
}

/// What the formula needs of one filter.
struct Moments {
    mean: f64,
    /// (variance * fan_in + eps)^(-1/2).
    factor: f64,
}

impl Standard {
    /// A layer of a stream; `None` when its weights are used as they are.
    pub fn new(layer: &Layer, table: &Table, stream: usize) -> Option<Self> {
        let stream = if layer.shared { 0 } else { stream };
        let range = |part: &str| table.at(&format!("{}.{part}.{stream}", layer.name));
        let groups = layer.groups_in;
        layer.normalised.then(|| Self {
            weights: range("weights"),
            gains: layer.gain.map(|_| range("gains")),
            outputs: layer.outputs,
            fan: layer.fan_in(),
            inter: layer.inter_group.then(|| [layer.outputs / groups, layer.inputs / groups, groups - 1]),
        })
    }

    /// Place of number `i` of the filter of output `o`.
    fn place(&self, o: usize, i: usize) -> usize {
        self.weights.start
            + match self.inter {
                None => o * self.fan + i,
                Some([outs, ins, others]) => ((o / outs * others + i / ins) * outs + o % outs) * ins + i % ins,
            }
    }

    fn moments(&self, values: &[f32], o: usize) -> Moments {
        let at = |i| f64::from(values[self.place(o, i)]);
        let mean = (0..self.fan).map(at).sum::<f64>() / self.fan as f64;
        let squares: f64 = (0..self.fan).map(|i| (at(i) - mean).powi(2)).sum();
        Moments { mean, factor: (squares + EPS).sqrt().recip() }
    }

    fn gain(&self, values: &[f32], o: usize) -> f64 {
        self.gains.as_ref().map_or(1.0, |gains| f64::from(values[gains.start + o]))
    }

    /// Every effective weight and the place of its learned one.
    pub fn each(&self, values: &[f32], mut take: impl FnMut(usize, f64)) {
        for o in 0..self.outputs {
            let Moments { mean, factor } = self.moments(values, o);
            let factor = factor * self.gain(values, o);
            for i in 0..self.fan {
                let place = self.place(o, i);
                take(place, (f64::from(values[place]) - mean) * factor);
            }
        }
    }

    /// From the gradient of the effective weights, which stands in the place of the learned ones, to that of learned
    /// weights and gains.
    pub fn back(&self, values: &[f32], gradient: &mut [f32]) {
        for o in 0..self.outputs {
            let Moments { mean, factor } = self.moments(values, o);
            let gain = self.gain(values, o);
            let (mut along, mut sum) = (0.0, 0.0);
            for i in 0..self.fan {
                let place = self.place(o, i);
                let g = f64::from(gradient[place]);
                along += g * (f64::from(values[place]) - mean);
                sum += g;
            }
            if let Some(gains) = &self.gains {
                gradient[gains.start + o] = (along * factor) as f32;
            }
            let (pull, mean_gradient) = (factor * factor * along, sum / self.fan as f64);
            for i in 0..self.fan {
                let place = self.place(o, i);
                let g = f64::from(gradient[place]) - mean_gradient - pull * (f64::from(values[place]) - mean);
                gradient[place] = (gain * factor * g) as f32;
            }
        }
    }
}
