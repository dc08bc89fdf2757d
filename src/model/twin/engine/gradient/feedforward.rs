//! The feedforward core of one stream over a whole clip: dense blocks of causal convolutions.
//!
//! The parts of a block lie side by side in every pixel, so that nothing is concatenated: `z` holds x0, x1, ..., each
//! in groups; `y` holds their GELUs.

use rayon::prelude::*;

use super::super::channels::Channels;
use super::super::simd::Kernel;
use super::activation::{gelu, gelu_back};
use super::bias::Bias;
use super::convolution::Convolution;
use super::linear::{From, Source, linear, weight_gradient};
use super::parameters::Table;
use super::pool::{pool, spread};
use super::room::{Context, Pictures, Room};
use super::weights::Weights;
use crate::model::twin::TwinConfig;
use crate::model::twin::parameters::Layer;
use crate::signals::Raster;

/// A dense 1 x 1 layer.
#[derive(Debug)]
struct Dense {
    weights: Weights,
    bias: Bias,
    learns: bool,
    name: String,
}

#[derive(Debug)]
struct Block {
    raster: Raster,
    channels: Channels,
    layers: usize,
    pool: usize,
    /// From the block before; the first block has the input convolution instead.
    input: Option<Dense>,
    convolutions: Vec<Convolution>,
    /// For each layer after the first and each group: from all activations before.
    skips: Vec<Skip>,
}

#[derive(Debug)]
struct Skip {
    groups: Vec<Weights>,
    learns: bool,
    name: String,
}

/// The weights of one stream.
#[derive(Debug)]
pub(super) struct Feedforward {
    retina: Raster,
    input: Convolution,
    blocks: Vec<Block>,
    out: Dense,
}

/// Everything that the way back needs of a clip, and the gradients on that way.
#[derive(Debug, Default)]
pub(super) struct Tape {
    blocks: Vec<BlockTape>,
    /// What is handed on, `[frame, pixel, channel]`, and its gradient.
    pub out: Room,
    pub out_back: Room,
    sums: Room,
}

#[derive(Debug, Default)]
struct BlockTape {
    z: Room,
    y: Room,
    pooled: Room,
    z_back: Room,
    y_back: Room,
    pooled_back: Room,
}

impl Block {
    /// Numbers in a pixel of the block's output.
    fn row(&self) -> usize {
        (self.layers + 1) * self.channels.stride()
    }

    /// Numbers in a pixel of the activations.
    fn y_row(&self) -> usize {
        self.layers * self.channels.stride()
    }

    fn pictures(&self, room: &mut Room, row: usize, part: usize) -> Pictures {
        let frame = self.raster.pixels() * row;
        let all = Pictures { data: room.shared(), pixel: row, frame, group: self.channels.padded };
        // SAFETY: the part lies inside the first pixel.
        unsafe { all.offset(part * self.channels.stride()) }
    }
}

impl Dense {
    fn new(
        kernel: Kernel,
        (layer, table, stream): (&Layer, &Table, usize),
        inputs: usize,
        outputs: Channels,
        input: impl Fn(usize) -> Option<usize>,
    ) -> Self {
        let weights = table.at(&format!("{}.weights.{stream}", layer.name));
        let place = |k: usize, o: usize| Some(weights.start + outputs.real_at(o)? * layer.inputs + input(k)?);
        Self {
            weights: Weights::new(kernel, &[inputs], outputs.stride(), place),
            bias: Bias::new(layer, table, stream, outputs),
            learns: true,
            name: layer.name.clone(),
        }
    }

    fn pack(&mut self, effective: &[f32]) {
        self.weights.pack(effective);
        self.bias.pack(effective);
    }

    fn learn(&mut self, learned: &dyn Fn(&str) -> bool) -> bool {
        self.learns = learned(&self.name);
        self.learns
    }

    /// Adds the gradients of weights and biases, where they are learned.
    unsafe fn gradient(
        &self,
        context: Context<'_>,
        (frames, pixels): (usize, usize),
        x: Source,
        dy: (super::super::buffer::Shared, usize),
        room: &mut Room,
        flat: &mut [f32],
    ) {
        if self.learns {
            // SAFETY: the caller's rows.
            unsafe {
                weight_gradient(context, frames * pixels, &[x], dy, &self.weights, room, flat);
                self.bias.gradient(context, (frames, pixels), dy, room, flat);
            }
        }
    }
}

impl Feedforward {
    /// The layers of a stream.
    pub fn new(kernel: Kernel, config: &TwinConfig, layers: &[Layer], table: &Table, stream: usize) -> Self {
        let ff = &config.core.feedforward;
        let retina = Raster { height: config.perspective.height, width: config.perspective.width };
        let find = |part: &str| {
            let name = format!("core.feedforward.{part}");
            layers.iter().find(|layer| layer.name == name).expect("the table of layers has every part")
        };
        let channels = |i: usize| Channels::new(kernel, ff.block_channels[i], ff.block_groups[i]);
        let first = (find("inputs.0"), table, stream);
        let input = Convolution::new(kernel, first, retina, 1, channels(0), Some);
        // Input of a dense layer for a place in a pixel of a block: parts lie inside groups in the network.
        let input_of = |i: usize, place: usize| {
            let c = channels(i);
            let (part, real) = (place / c.stride(), c.real_at(place % c.stride())?);
            Some((real / c.real * (ff.block_layers[i] + 1) + part) * c.real + real % c.real)
        };
        let mut raster = input.raster();
        let mut blocks: Vec<Block> = Vec::new();
        for i in 0..ff.block_channels.len() {
            let c = channels(i);
            let dense = blocks.last().map(|last| {
                let layer = (find(&format!("inputs.{i}")), table, stream);
                Dense::new(kernel, layer, last.row(), c, |place| input_of(i - 1, place))
            });
            let inside = |place: usize| (place < c.real).then_some(place);
            let convolutions = (0..ff.block_layers[i]).map(|l| {
                let layer = (find(&format!("blocks.{i}.convs.{l}")), table, stream);
                Convolution::new(kernel, layer, raster, c.padded, c, inside)
            });
            let skips = (1..ff.block_layers[i]).map(|l| {
                let layer = find(&format!("blocks.{i}.skips.{l}"));
                let start = table.at(&format!("{}.weights.{stream}", layer.name)).start;
                let group = |group: usize| {
                    Weights::new(kernel, &vec![c.padded; l], c.padded, |k, o| {
                        let (part, input) = (k / c.padded, inside(k % c.padded)?);
                        Some(start + (group * c.real + inside(o)?) * l * c.real + part * c.real + input)
                    })
                };
                Skip { groups: (0..c.groups).map(group).collect(), learns: true, name: layer.name.clone() }
            });
            let (convolutions, skips) = (convolutions.collect(), skips.collect());
            let (layers, pool) = (ff.block_layers[i], ff.block_pools[i]);
            blocks.push(Block { raster, channels: c, layers, pool, input: dense, convolutions, skips });
            raster = Raster { height: raster.height / pool, width: raster.width / pool };
        }
        let last = blocks.len() - 1;
        let out_channels = Channels::new(kernel, ff.out_channels, 1);
        let layer = (find("out"), table, stream);
        let out = Dense::new(kernel, layer, blocks[last].row(), out_channels, |place| input_of(last, place));
        Self { retina, input, blocks, out }
    }

    /// Channels handed on.
    pub fn channels(&self) -> usize {
        self.out.weights.n
    }

    /// Asks which layers are learned; whether any is.
    pub fn learn(&mut self, learned: &dyn Fn(&str) -> bool) -> bool {
        let mut any = self.input.learn(learned);
        any |= self.out.learn(learned);
        for block in &mut self.blocks {
            any |= block.input.as_mut().is_some_and(|dense| dense.learn(learned));
            for convolution in &mut block.convolutions {
                any |= convolution.learn(learned);
            }
            for skip in &mut block.skips {
                skip.learns = learned(&skip.name);
                any |= skip.learns;
            }
        }
        any
    }

    /// Reads the effective weights of this step.
    pub fn pack(&mut self, effective: &[f32]) {
        self.input.pack(effective);
        self.out.pack(effective);
        self.blocks.par_iter_mut().for_each(|block| {
            block.input.iter_mut().for_each(|dense| dense.pack(effective));
            block.convolutions.par_iter_mut().for_each(|convolution| convolution.pack(effective));
            block.skips.iter_mut().flat_map(|skip| &mut skip.groups).for_each(|weights| weights.pack(effective));
        });
    }

    /// All frames from the retina images `[frame, pixel]` to `tape.out`.
    pub fn forward(&self, context: Context<'_>, frames: usize, retina: &mut Room, tape: &mut Tape) {
        tape.blocks.resize_with(self.blocks.len(), BlockTape::default);
        for (i, block) in self.blocks.iter().enumerate() {
            let (before, now) = tape.blocks.split_at_mut(i);
            let now = &mut now[0];
            let (n, row, y_row) = (block.channels.stride(), block.row(), block.y_row());
            let rows = frames * block.raster.pixels();
            now.z.fit(rows * row);
            now.y.fit(rows * y_row);
            let padded = block.channels.padded;
            // SAFETY: the rooms hold all pixels of all frames with these strides, and belong to this sample.
            unsafe {
                match &block.input {
                    None => {
                        let seen = self.seen(retina);
                        self.input.forward(context, frames, seen, block.pictures(&mut now.z, row, 0));
                    }
                    Some(dense) => {
                        let source = self.handed(i - 1, &mut before[i - 1]);
                        let bias = From::Bias(dense.bias.values());
                        linear(context, rows, &[source], dense.weights.forward(), bias, (now.z.shared(), row));
                    }
                }
                for l in 0..block.layers {
                    let (x, next) = (block.pictures(&mut now.z, row, l), block.pictures(&mut now.z, row, l + 1));
                    let y = block.pictures(&mut now.y, y_row, l);
                    gelu(context, rows, n, (x.data, row), (y.data, y_row));
                    block.convolutions[l].forward(context, frames, y, next);
                    let Some(skip) = l.checked_sub(1).map(|skip| &block.skips[skip]) else { continue };
                    for (group, weights) in skip.groups.iter().enumerate() {
                        let sources = block.activations(&mut now.y, l, group);
                        let to = (next.data.offset(group * padded), row);
                        linear(context, rows, &sources, weights.forward(), From::Output, to);
                    }
                }
                if block.pool > 1 {
                    now.pooled.fit(frames * self.pooled(i).pixels() * row);
                    let how = (block.raster, block.pool);
                    pool(context, frames, how, row, now.z.shared(), now.pooled.shared());
                }
            }
        }
        let last = self.blocks.len() - 1;
        let rows = frames * self.pooled(last).pixels();
        tape.out.fit(rows * self.channels());
        // SAFETY: as above.
        unsafe {
            let source = self.handed(last, &mut tape.blocks[last]);
            let to = (tape.out.shared(), self.channels());
            linear(context, rows, &[source], self.out.weights.forward(), From::Bias(self.out.bias.values()), to);
        }
    }

    /// From `tape.out_back` to the gradients of all parameters that are learned, and, if there is room for it, adds the
    /// gradient of the retina images.
    pub fn backward(
        &self,
        context: Context<'_>,
        frames: usize,
        retina: &mut Room,
        tape: &mut Tape,
        flat: &mut [f32],
        mut retina_back: Option<&mut Room>,
    ) {
        let last = self.blocks.len() - 1;
        let Tape { blocks, out_back, sums, .. } = tape;
        let pixels = self.pooled(last).pixels();
        // SAFETY: the rooms hold all pixels of all frames with these strides, and belong to this sample.
        unsafe {
            let (source, dy) = (self.handed(last, &mut blocks[last]), (out_back.shared(), self.channels()));
            self.out.gradient(context, (frames, pixels), source, dy, sums, flat);
            if !self.learned_up_to(last) && retina_back.is_none() {
                return;
            }
            let back = Source { data: dy.0, k: dy.1, row: dy.1 };
            let to = self.handed_back(last, frames, &mut blocks[last]);
            linear(context, frames * pixels, &[back], self.out.weights.backward(0), From::Zero, to);
            for i in (0..=last).rev() {
                let (before, now) = blocks.split_at_mut(i);
                self.block_backward(context, frames, i, &mut now[0], sums, flat);
                let (block, now) = (&self.blocks[i], &mut now[0]);
                let row = block.row();
                match &block.input {
                    None => {
                        let dy = block.pictures(&mut now.z_back, row, 0);
                        self.input.gradient(context, frames, self.seen(retina), dy, sums, flat);
                        if let Some(back) = &mut retina_back {
                            self.input.backward(context, frames, dy, self.seen(back), true);
                        }
                    }
                    Some(dense) => {
                        let size = (frames, block.raster.pixels());
                        let (source, dy) = (self.handed(i - 1, &mut before[i - 1]), (now.z_back.shared(), row));
                        dense.gradient(context, size, source, dy, sums, flat);
                        if !self.learned_up_to(i - 1) && retina_back.is_none() {
                            return;
                        }
                        let back = Source { data: dy.0, k: block.channels.stride(), row };
                        let to = self.handed_back(i - 1, frames, &mut before[i - 1]);
                        linear(context, size.0 * size.1, &[back], dense.weights.backward(0), From::Zero, to);
                    }
                }
            }
        }
    }

    /// Through the layers of a block, down to its x0.
    unsafe fn block_backward(
        &self,
        context: Context<'_>,
        frames: usize,
        i: usize,
        now: &mut BlockTape,
        sums: &mut Room,
        flat: &mut [f32],
    ) {
        let block = &self.blocks[i];
        let (n, row, y_row, padded) = (block.channels.stride(), block.row(), block.y_row(), block.channels.padded);
        let rows = frames * block.raster.pixels();
        // SAFETY: the caller's rooms hold all pixels of all frames with these strides.
        unsafe {
            if block.pool > 1 {
                now.z_back.fit(rows * row);
                let how = (block.raster, block.pool);
                spread(context, frames, how, row, now.pooled_back.shared(), now.z_back.shared());
            }
            now.y_back.fit(rows * y_row);
            for l in (0..block.layers).rev() {
                // The last layer writes first.
                let last = l + 1 == block.layers;
                let dy = block.pictures(&mut now.z_back, row, l + 1);
                let y = block.pictures(&mut now.y, y_row, l);
                let y_back = block.pictures(&mut now.y_back, y_row, l);
                block.convolutions[l].gradient(context, frames, y, dy, sums, flat);
                block.convolutions[l].backward(context, frames, dy, y_back, !last);
                if let Some(skip) = l.checked_sub(1).map(|skip| &block.skips[skip]) {
                    for (group, weights) in skip.groups.iter().enumerate() {
                        let dy = dy.data.offset(group * padded);
                        if skip.learns {
                            let sources = block.activations(&mut now.y, l, group);
                            weight_gradient(context, rows, &sources, (dy, row), weights, sums, flat);
                        }
                        let back = Source { data: dy, k: padded, row };
                        for part in 0..l {
                            let to = block.pictures(&mut now.y_back, y_row, part).data.offset(group * padded);
                            let from = if last { From::Zero } else { From::Output };
                            linear(context, rows, &[back], weights.backward(part), from, (to, y_row));
                        }
                    }
                }
                let (x, x_back) = (block.pictures(&mut now.z, row, l), block.pictures(&mut now.z_back, row, l));
                gelu_back(context, rows, n, (x.data, row), (y_back.data, y_row), (x_back.data, row));
            }
        }
    }

    /// Whether anything is learned in the blocks up to this one.
    fn learned_up_to(&self, block: usize) -> bool {
        let learns = |block: &Block| {
            block.input.as_ref().is_some_and(|dense| dense.learns)
                || block.convolutions.iter().any(|convolution| convolution.learns)
                || block.skips.iter().any(|skip| skip.learns)
        };
        self.input.learns || self.blocks[..=block].iter().any(learns)
    }

    fn seen(&self, retina: &mut Room) -> Pictures {
        Pictures { data: retina.shared(), pixel: 1, frame: self.retina.pixels(), group: 0 }
    }

    /// Pixels that a block hands on.
    fn pooled(&self, i: usize) -> Raster {
        let block = &self.blocks[i];
        Raster { height: block.raster.height / block.pool, width: block.raster.width / block.pool }
    }

    /// What a block hands on.
    fn handed(&self, i: usize, tape: &mut BlockTape) -> Source {
        let row = self.blocks[i].row();
        let room = if self.blocks[i].pool > 1 { &mut tape.pooled } else { &mut tape.z };
        Source { data: room.shared(), k: row, row }
    }

    /// Where the gradient of what a block hands on goes.
    fn handed_back(&self, i: usize, frames: usize, tape: &mut BlockTape) -> (super::super::buffer::Shared, usize) {
        let row = self.blocks[i].row();
        let room = if self.blocks[i].pool > 1 { &mut tape.pooled_back } else { &mut tape.z_back };
        room.fit(frames * self.pooled(i).pixels() * row);
        (room.shared(), row)
    }
}

impl Block {
    /// The activations of one group before layer `l`.
    unsafe fn activations(&self, y: &mut Room, l: usize, group: usize) -> Vec<Source> {
        let row = self.y_row();
        let part = |part: usize| {
            // SAFETY: the part lies inside the first pixel.
            let data = unsafe { self.pictures(y, row, part).data.offset(group * self.channels.padded) };
            Source { data, k: self.channels.padded, row }
        };
        // The pictures borrow the room only for its address.
        let mut part = part;
        (0..l).map(&mut part).collect()
    }
}
