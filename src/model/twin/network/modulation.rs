//! From behaviour to the core: what running and arousal change.

use std::ops::Range;

use burn::module::Module;
use burn::tensor::{DType, Tensor};

use super::layers::{Conv, Convolution, Kernel, Source, gelu, lstm};
use super::probe::Probe;
use crate::model::twin::TwinConfig;
use crate::model::twin::parameters::layers;

/// A small recurrent network on pupil radius and running speed, one for each stream.
#[derive(Module, Debug)]
pub struct Modulation {
    mlp: Mlp,
    lstm: Lstm,
}

#[derive(Module, Debug)]
struct Mlp {
    linears: Vec<Conv>,
}

#[derive(Module, Debug)]
struct Lstm {
    proj_i: Conv,
    proj_f: Conv,
    proj_g: Conv,
    proj_o: Conv,
}

impl Modulation {
    pub fn new(config: &TwinConfig, source: Source<'_>) -> Self {
        let layers = layers(config);
        let conv = |name: &str| {
            let layer = layers.iter().find(|layer| layer.name == name).expect("every twin has this layer");
            Conv::new(layer, config.streams, source)
        };
        let linears = (0..config.modulation.mlp_layers).map(|i| conv(&format!("modulation.mlp.linears.{i}")));
        Self {
            mlp: Mlp { linears: linears.collect() },
            lstm: Lstm {
                proj_i: conv("modulation.lstm.proj_i"),
                proj_f: conv("modulation.lstm.proj_f"),
                proj_g: conv("modulation.lstm.proj_g"),
                proj_o: conv("modulation.lstm.proj_o"),
            },
        }
    }

    /// What stays the same during a sequence.
    pub fn start(&self, streams: Range<usize>) -> Arousal {
        let kernel = |conv: &Conv| conv.kernel(streams.clone(), Convolution::Native, DType::F32);
        let Lstm { proj_i, proj_f, proj_g, proj_o } = &self.lstm;
        Arousal {
            linears: self.mlp.linears.iter().map(kernel).collect(),
            gates: Kernel::join([proj_i, proj_f, proj_g, proj_o].map(kernel).into()),
            streams: streams.len(),
        }
    }
}

/// The modulation during one sequence.
#[derive(Debug, Clone)]
pub struct Arousal {
    linears: Vec<Kernel>,
    gates: Kernel,
    streams: usize,
}

impl Arousal {
    /// Behaviour `[sample, 2]` and the memory (hidden state, cell) `[sample, stream, channel, 1]` to the new memory,
    /// whose hidden state is the output.
    pub fn step(
        &self,
        behavior: Tensor<2>,
        memory: (Tensor<4>, Tensor<4>),
        probe: &mut Probe,
    ) -> (Tensor<4>, Tensor<4>) {
        let (hidden, cell) = memory;
        let samples = hidden.dims()[0];
        let shape = [samples, self.streams, 2, 1];
        let inputs = behavior.dims()[0];
        let mut x: Tensor<4> = behavior.reshape([inputs, 1, 2, 1]).expand(shape);
        for (index, linear) in self.linears.iter().enumerate() {
            let y = linear.linear(x);
            probe.record(&format!("modulation.mlp.linears.{index}"), &y);
            x = gelu(y);
        }
        let gates = self.gates.linear(Tensor::cat(vec![x, hidden], 2));
        probe.record_parts(&["i", "f", "g", "o"].map(|gate| format!("modulation.lstm.proj_{gate}")), &gates);
        lstm(gates, cell)
    }
}
