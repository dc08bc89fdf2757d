//! From the core to the units: each reads all channels at one position.

use std::ops::Range;

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};

use super::draws::Draws;
use super::layers::Source;
use super::sampling::Taps;
use crate::model::twin::TwinConfig;
use crate::signals::Raster;

/// Position, feature weights and bias of every unit.
#[derive(Module, Debug)]
pub struct Readout {
    position: Position,
    feature: Feature,
    /// `[unit, 1]` for each stream.
    biases: Vec<Param<Tensor<2>>>,
    #[module(skip)]
    map: Raster,
}

/// Where a unit looks, shared by all streams.
#[derive(Module, Debug)]
struct Position {
    /// `[unit, (x, y)]` before tanh.
    mu: Param<Tensor<2>>,
    /// Spread while training, `[unit, 2, 2]`.
    sigma: Param<Tensor<3>>,
}

#[derive(Module, Debug)]
struct Feature {
    /// `[unit, 1, channel]` for each stream.
    weights: Vec<Param<Tensor<3>>>,
}

impl Readout {
    pub fn new(config: &TwinConfig, source: Source<'_>) -> Self {
        Self {
            position: Position {
                mu: source.parameter("readout.position.mu"),
                sigma: source.parameter("readout.position.sigma"),
            },
            feature: Feature { weights: source.streams("readout.feature.weights", config.streams) },
            biases: source.streams("readout.biases", config.streams),
            map: config.map(),
        }
    }

    /// What stays the same during a sequence.
    pub fn start(&self, streams: Range<usize>, samples: usize, draws: Option<&Draws>, device: &Device) -> Reader {
        let mu = self.position.mu.val();
        let units = mu.dims()[0];
        let mut position = mu.reshape([1, units, 2]).expand([samples, units, 2]);
        if let Some(draws) = draws {
            let shift = TensorData::new(draws.position.as_flattened().to_vec(), [samples, units, 1, 2]);
            let shift: Tensor<4> = Tensor::from_data(shift, device);
            let sigma = self.position.sigma.val().reshape([1, units, 2, 2]);
            position = position + (sigma * shift).sum_dim(3).reshape([samples, units, 2]);
        }
        let position = position.tanh();
        let along = |axis: usize, pixels: usize| {
            let at = position.clone().narrow(2, axis, 1).reshape([samples, units]);
            at * (pixels as f64 / 2.0) + (pixels as f64 - 1.0) / 2.0
        };
        let Raster { height, width } = self.map;
        let weights = self.feature.weights[streams.clone()].iter().map(Param::val).collect();
        let weights: Tensor<3> = Tensor::cat(weights, 1);
        let [_, count, channels] = weights.dims();
        let biases = self.biases[streams].iter().map(Param::val).collect();
        Reader {
            taps: Taps::new(along(0, width), along(1, height), height, width, samples),
            weights: weights.reshape([1, units, count, channels]),
            biases: Tensor::cat(biases, 1).reshape([1, units, count]),
        }
    }
}

/// The readout during one sequence.
#[derive(Debug, Clone)]
pub struct Reader {
    taps: Taps,
    /// `[1, unit, stream, channel]`.
    weights: Tensor<4>,
    /// `[1, unit, stream]`.
    biases: Tensor<3>,
}

impl Reader {
    /// Core output `[sample, stream * channel, y, x]` to log-rates `[sample, stream, unit]`.
    pub fn read(&self, core: Tensor<4>) -> Tensor<3> {
        let [samples, channels, height, width] = core.dims();
        let [_, units, streams, _] = self.weights.dims();
        let table = core.reshape([samples, channels, height * width]).swap_dims(1, 2);
        let features = self.taps.sample(table.reshape([samples * height * width, channels]));
        let features = features.reshape([samples, units, streams, channels / streams]);
        let rates = (features * self.weights.clone()).sum_dim(3).reshape([samples, units, streams]);
        (rates + self.biases.clone()).swap_dims(1, 2)
    }
}
