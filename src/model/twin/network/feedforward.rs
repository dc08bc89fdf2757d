//! The feedforward part of the core: dense blocks of causal convolutions.

use std::ops::Range;

use burn::module::Module;
use burn::tensor::module::avg_pool2d;
use burn::tensor::ops::AvgPoolOptions;
use burn::tensor::{DType, Tensor};

use super::layers::{Conv, Convolution, Kernel, Source, gelu, group, ungroup};
use super::probe::Probe;
use crate::model::twin::TwinConfig;
use crate::model::twin::parameters::layers;

/// Convolutions into each block, the blocks, and the convolution out of the last.
#[derive(Module, Debug)]
pub struct Feedforward {
    inputs: Vec<Conv>,
    blocks: Vec<Block>,
    out: Conv,
}

/// A dense block: each layer adds its output to the channels, and hears all activations before it through a skip.
#[derive(Module, Debug)]
struct Block {
    convs: Vec<Conv>,
    /// Nothing at index 0: the first layer has nothing to skip.
    skips: Vec<Option<Conv>>,
    #[module(skip)]
    groups: usize,
    #[module(skip)]
    pool: usize,
}

impl Feedforward {
    pub fn new(config: &TwinConfig, source: Source<'_>) -> Self {
        let (ff, layers) = (&config.core.feedforward, layers(config));
        let find = |name: String| {
            let layer = layers.iter().find(|layer| layer.name == format!("core.feedforward.{name}"));
            layer.map(|layer| Conv::new(layer, config.streams, source))
        };
        let conv = |name: String| find(name).expect("every twin has this layer");
        let block = |i: usize| Block {
            convs: (0..ff.block_layers[i]).map(|l| conv(format!("blocks.{i}.convs.{l}"))).collect(),
            skips: (0..ff.block_layers[i]).map(|l| find(format!("blocks.{i}.skips.{l}"))).collect(),
            groups: ff.block_groups[i],
            pool: ff.block_pools[i],
        };
        let blocks = ff.block_channels.len();
        Self {
            inputs: (0..blocks).map(|i| conv(format!("inputs.{i}"))).collect(),
            blocks: (0..blocks).map(block).collect(),
            out: conv("out".to_owned()),
        }
    }

    /// What stays the same during a sequence.
    pub fn start(&self, streams: Range<usize>, how: Convolution) -> Pathway {
        let kernel = |conv: &Conv| conv.kernel(streams.clone(), how, DType::F32);
        let block = |block: &Block| BlockKernels {
            convs: block.convs.iter().map(kernel).collect(),
            skips: block.skips.iter().map(|skip| skip.as_ref().map(kernel)).collect(),
            batches: streams.len() * block.groups,
            pool: block.pool,
        };
        let mut inputs: Vec<Kernel> = self.inputs.iter().map(kernel).collect();
        // All streams see the same retina image, which has one channel.
        inputs[0] = inputs[0].clone().of_shared_input();
        Pathway { inputs, blocks: self.blocks.iter().map(block).collect(), out: kernel(&self.out) }
    }
}

/// The feedforward core during one sequence.
#[derive(Debug, Clone)]
pub struct Pathway {
    inputs: Vec<Kernel>,
    blocks: Vec<BlockKernels>,
    out: Kernel,
}

#[derive(Debug, Clone)]
struct BlockKernels {
    convs: Vec<Kernel>,
    skips: Vec<Option<Kernel>>,
    batches: usize,
    pool: usize,
}

/// What earlier frames still add to each causal convolution, by block and layer.
#[derive(Debug, Clone, Default)]
pub struct Pending(Vec<Vec<Vec<Tensor<4>>>>);

impl Pathway {
    /// The state before the first frame.
    pub fn pending(&self) -> Pending {
        Pending(self.blocks.iter().map(|block| vec![Vec::new(); block.convs.len()]).collect())
    }

    /// Retina image `[sample, 1, height, width]` to `[sample, stream * channel, y, x]`.
    pub fn step(&self, retina: Tensor<4>, pending: &mut Pending, probe: &mut Probe) -> Tensor<4> {
        const PREFIX: &str = "core.feedforward";
        let mut x = retina;
        for (i, (input, block)) in self.inputs.iter().zip(&self.blocks).enumerate() {
            x = input.spatial(x);
            probe.record(&format!("{PREFIX}.inputs.{i}"), &x);
            let name = format!("{PREFIX}.blocks.{i}");
            x = block.step(x, &mut pending.0[i], &name, probe);
            probe.record(&name, &x);
        }
        let x = self.out.spatial(x);
        probe.record(&format!("{PREFIX}.out"), &x);
        x
    }
}

impl BlockKernels {
    fn step(&self, mut x: Tensor<4>, pending: &mut [Vec<Tensor<4>>], name: &str, probe: &mut Probe) -> Tensor<4> {
        let [_, _, height, width] = x.dims();
        let mut dense = vec![group(x.clone(), self.batches)];
        let mut heard: Vec<Tensor<4>> = Vec::new();
        for (l, (conv, pending)) in self.convs.iter().zip(pending).enumerate() {
            let y = gelu(x);
            x = conv.causal(y.clone(), pending);
            probe.record(&format!("{name}.convs.{l}"), &x);
            if let Some(skip) = &self.skips[l] {
                // Joined inside every group, like all channels that come from several layers.
                let skipped = skip.product(Tensor::cat(heard.clone(), 2));
                let skipped = ungroup(skipped, height, width);
                probe.record(&format!("{name}.skips.{l}"), &skipped);
                x = x + skipped;
            }
            heard.push(group(y, self.batches));
            dense.push(group(x.clone(), self.batches));
        }
        let z = ungroup(Tensor::cat(dense, 2), height, width);
        if self.pool == 1 { z } else { avg_pool2d(z, AvgPoolOptions::new([self.pool; 2])) }
    }
}
