//! The recurrent part of the core: a convolutional LSTM whose gates see an attention over all positions.

use std::ops::Range;

use burn::module::{Module, Param};
use burn::tensor::activation::softmax;
use burn::tensor::{DType, Device, Tensor};

use super::layers::{Conv, Convolution, Kernel, Source, group, lstm, ungroup};
use super::probe::Probe;
use crate::model::twin::TwinConfig;
use crate::model::twin::parameters::layers;
use crate::signals::Raster;

const PREFIX: &str = "core.recurrent";

/// Input projections, the shared convolution, queries, keys, values, gates and the output.
#[derive(Module, Debug)]
pub struct Recurrent {
    conv: Conv,
    /// Gain of the queries, `[group, channel]` for each stream.
    scales: Vec<Param<Tensor<2>>>,
    /// From the other groups' hidden state (with more than one group), the feedforward core and the modulation.
    proj_x: Vec<Conv>,
    proj_q: Conv,
    proj_k: Conv,
    proj_v: Conv,
    proj_i: Conv,
    proj_f: Conv,
    proj_g: Conv,
    proj_o: Conv,
    out: Conv,
    #[module(skip)]
    sizes: Sizes,
}

#[derive(Debug, Clone)]
struct Sizes {
    groups: usize,
    hidden: usize,
    common: usize,
    map: Raster,
}

impl Recurrent {
    pub fn new(config: &TwinConfig, source: Source<'_>) -> Self {
        let (rec, layers) = (&config.core.recurrent, layers(config));
        let conv = |part: &str| {
            let name = format!("{PREFIX}.{part}");
            let layer = layers.iter().find(|layer| layer.name == name).expect("every twin has this layer");
            Conv::new(layer, config.streams, source)
        };
        let projections = layers.iter().filter(|layer| layer.name.starts_with("core.recurrent.proj_x."));
        Self {
            conv: conv("conv"),
            scales: source.streams("core.recurrent.scales", config.streams),
            proj_x: projections.map(|layer| Conv::new(layer, config.streams, source)).collect(),
            proj_q: conv("proj_q"),
            proj_k: conv("proj_k"),
            proj_v: conv("proj_v"),
            proj_i: conv("proj_i"),
            proj_f: conv("proj_f"),
            proj_g: conv("proj_g"),
            proj_o: conv("proj_o"),
            out: conv("out"),
            sizes: Sizes {
                groups: rec.groups,
                hidden: rec.hidden_channels,
                common: rec.common_channels,
                map: config.map(),
            },
        }
    }

    /// What stays the same during a sequence.
    pub fn start(&self, streams: Range<usize>, how: Convolution) -> Loop {
        let kernel = |conv: &Conv| conv.kernel(streams.clone(), how, DType::F32);
        let batches = streams.len() * self.sizes.groups;
        let between_groups = self.proj_x.len() == 3;
        let projections = usize::from(between_groups);
        let scales = self.scales[streams.clone()].iter().map(Param::val).collect();
        Loop {
            from_hidden: between_groups.then(|| kernel(&self.proj_x[0])),
            from_feedforward: kernel(&self.proj_x[projections]),
            from_modulation: kernel(&self.proj_x[projections + 1]),
            conv: kernel(&self.conv),
            scale: Tensor::cat(scales, 0).reshape([1, batches, self.sizes.common / self.sizes.groups, 1]),
            attended: Kernel::join([&self.proj_q, &self.proj_k, &self.proj_v].map(kernel).into()),
            gates: Kernel::join([&self.proj_i, &self.proj_f, &self.proj_g, &self.proj_o].map(kernel).into()),
            out: kernel(&self.out),
            streams: streams.len(),
            sizes: self.sizes.clone(),
        }
    }
}

/// The recurrent core during one sequence.
#[derive(Debug, Clone)]
pub struct Loop {
    from_hidden: Option<Kernel>,
    from_feedforward: Kernel,
    from_modulation: Kernel,
    conv: Kernel,
    /// `[1, stream * group, channel, 1]`.
    scale: Tensor<4>,
    attended: Kernel,
    gates: Kernel,
    out: Kernel,
    streams: usize,
    sizes: Sizes,
}

/// Hidden state and cell, `[sample, stream * group, channel, pixel]`.
pub type Memory = (Tensor<4>, Tensor<4>);

impl Loop {
    /// The state before the first frame.
    pub fn memory(&self, samples: usize, device: &Device) -> Memory {
        let Sizes { groups, hidden, map, .. } = self.sizes;
        let zero = Tensor::zeros([samples, self.streams * groups, hidden / groups, map.pixels()], device);
        (zero.clone(), zero)
    }

    /// Feedforward map `[sample, stream * channel, y, x]` and modulation `[sample, stream, channel, 1]` to the output
    /// of the core `[sample, stream * channel, y, x]`.
    pub fn step(
        &self,
        feedforward: Tensor<4>,
        modulation: Tensor<4>,
        memory: &mut Memory,
        probe: &mut Probe,
    ) -> Tensor<4> {
        let name = |part: &str| format!("{PREFIX}.{part}");
        let [_, _, height, width] = feedforward.dims();
        let (hidden, cell) = memory.clone();
        let [samples, batches, channels, pixels] = hidden.dims();
        let regroup = |x: Tensor<4>, batches: usize| {
            let [samples, all, channels, pixels] = x.dims();
            x.reshape([samples, batches, all * channels / batches, pixels])
        };

        let mut projections = Vec::new();
        if let Some(from_hidden) = &self.from_hidden {
            projections.push(from_hidden.product(regroup(hidden.clone(), self.streams)));
        }
        projections.push(self.from_feedforward.product(group(feedforward, self.streams)));
        projections.push(self.from_modulation.linear(modulation));
        for (index, projection) in projections.iter().enumerate() {
            probe.record(&name(&format!("proj_x.{index}")), projection);
        }
        let x = projections.into_iter().reduce(|sum, projection| sum + projection).expect("two or three inputs");
        probe.record(&name("proj_x"), &x);
        let x = regroup(x.tanh(), batches);

        let xh = Tensor::cat(vec![x, hidden], 2);
        probe.record(&name("conv.input"), &xh);
        let z = self.conv.spatial(ungroup(xh, height, width));
        probe.record(&name("conv"), &z);
        let z = group(z, batches);
        let attended = self.attend(z.clone(), probe);
        let za = Tensor::cat(vec![z, attended], 2);
        probe.record(&name("proj_i.input"), &za);
        let gates = self.gates.product(za);
        probe.record_parts(&["i", "f", "g", "o"].map(|gate| name(&format!("proj_{gate}"))), &gates);
        *memory = lstm(gates, cell);

        let hidden = memory.0.clone().reshape([samples, self.streams, batches / self.streams * channels, pixels]);
        let out = ungroup(self.out.product(hidden), height, width);
        probe.record(&name("out"), &out);
        out
    }

    /// Attention of every position to all, on the cosine between query and key, inside each stream and group:
    /// `[sample, stream * group, channel, pixel]`.
    fn attend(&self, z: Tensor<4>, probe: &mut Probe) -> Tensor<4> {
        let channels = z.dims()[2];
        let joined = self.attended.product(z);
        probe.record_parts(&["q", "k", "v"].map(|part| format!("{PREFIX}.proj_{part}")), &joined);
        let part = |index: usize| joined.clone().narrow(2, index * channels, channels);
        let unit = |x: Tensor<4>| {
            let length = x.clone().square().sum_dim(2).sqrt();
            x / length
        };
        let query = unit(part(0)) * self.scale.clone();
        let attention = softmax(query.swap_dims(2, 3).matmul(unit(part(1))), 3);
        probe.record(&format!("{PREFIX}.attention"), &attention);
        part(2).matmul(attention.swap_dims(2, 3))
    }
}
