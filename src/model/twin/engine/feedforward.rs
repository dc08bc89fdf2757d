//! The feedforward core of one stream: dense blocks of causal 3 x 3 x 3 convolutions.
//!
//! What a convolution reads (GELU of its input) is written straight into its history, a ring of bordered pictures; the
//! oldest picture makes room for the newest. Concatenations are lists of segments and cost nothing.

use super::Probe;
use super::buffer::{Buffer, Shared};
use super::channels::Channels;
use super::convolution::{Bordered, Convolution, Source};
use super::effective::Effective;
use super::math::gelu_rows;
use super::product::{Panels, Pixels, Segment, Start, product};
use super::simd::{Kernel, Simd, dispatched};
use super::tasks::{Pool, Workspace, each};
use super::winograd::{Strides, Tile};
use crate::model::twin::config::TwinConfig;
use crate::model::twin::parameters::Layer;
use crate::model::weights::StateDict;
use crate::signals::Raster;

/// Prepared weights of one stream.
#[derive(Debug)]
pub(super) struct Feedforward {
    kernel: Kernel,
    blocks: Vec<Block>,
    stride: usize,
    input_spatial: usize,
    /// Numbers in a row of the bordered retina image.
    retina_row: usize,
    out: Dense,
    out_channels: Channels,
}

#[derive(Debug)]
struct Block {
    channels: Channels,
    map: Raster,
    pool: usize,
    temporal: usize,
    bordered: Bordered,
    input: Dense,
    layers: Vec<BlockLayer>,
}

#[derive(Debug)]
struct BlockLayer {
    groups: Vec<Convolution>,
    bias: Buffer,
    /// For each group; none in the first layer.
    skips: Vec<Panels>,
}

/// A product over all channels.
#[derive(Debug)]
struct Dense {
    weights: Panels,
    bias: Buffer,
}

/// What one stream of one sample remembers: `[slot, group, pixel, channel]` of every convolution.
#[derive(Debug, Clone)]
pub(super) struct History {
    convolutions: Vec<Vec<Buffer>>,
}

/// Pictures between the layers of one stream, `[part][pixel, channel]` for each block.
#[derive(Debug)]
pub(super) struct Parts {
    blocks: Vec<Vec<Buffer>>,
    /// Lists that are made anew for every block, kept for their memory.
    rings: Vec<Shared>,
    pictures: Vec<Shared>,
}

fn buffer(values: &[f32]) -> Buffer {
    let mut out = Buffer::zeros(values.len());
    out.copy_from_slice(values);
    out
}

impl Feedforward {
    /// Prepares the weights of a stream.
    pub fn new(kernel: Kernel, config: &TwinConfig, layers: &[Layer], state: &StateDict, stream: usize) -> Self {
        let ff = &config.core.feedforward;
        let find = |name: String| {
            let layer = layers.iter().find(|layer| layer.name == name).expect("the table of layers has every part");
            Effective::new(layer, state, stream)
        };
        let name = |part: &str| format!("core.feedforward.{part}");
        let padding = (ff.input_spatial - ff.input_stride) / 2;
        let side = |n: usize| (n + 2 * padding - ff.input_spatial) / ff.input_stride + 1;
        let retina = &config.perspective;
        let mut map = Raster { height: side(retina.height), width: side(retina.width) };
        let mut blocks: Vec<Block> = Vec::new();
        for i in 0..ff.block_channels.len() {
            let channels = Channels::new(kernel, ff.block_channels[i], ff.block_groups[i]);
            let input = find(name(&format!("inputs.{i}")));
            let input = match blocks.last() {
                None => Dense::first(kernel, &input, channels),
                Some(before) => {
                    map = Raster { height: map.height / before.pool, width: map.width / before.pool };
                    Dense::over(kernel, &input, before, channels)
                }
            };
            let tile = Tile::for_map(ff.block_spatials[i], map);
            let count = ff.block_layers[i];
            let layers = (0..count)
                .map(|l| {
                    let conv = find(name(&format!("blocks.{i}.convs.{l}")));
                    let skip = (l > 0).then(|| find(name(&format!("blocks.{i}.skips.{l}"))));
                    let shape = (ff.block_temporals[i], ff.block_spatials[i]);
                    BlockLayer::new(kernel, map, shape, tile, channels, &conv, skip.as_ref())
                })
                .collect();
            blocks.push(Block {
                channels,
                map,
                pool: ff.block_pools[i],
                temporal: ff.block_temporals[i],
                bordered: Bordered::new(map, ff.block_spatials[i], tile),
                input,
                layers,
            });
        }
        let out_channels = Channels::new(kernel, ff.out_channels, 1);
        let last = blocks.last().expect("a configuration has at least one block");
        let out = Dense::over(kernel, &find(name("out")), last, out_channels);
        Self {
            kernel,
            blocks,
            stride: ff.input_stride,
            input_spatial: ff.input_spatial,
            retina_row: retina.width + 2 * padding,
            out,
            out_channels,
        }
    }

    /// Channels handed on.
    pub fn channels(&self) -> Channels {
        self.out_channels
    }

    /// Numbers that a workspace needs.
    pub fn room(&self) -> (usize, usize) {
        let mut room = (0, 0);
        for block in &self.blocks {
            for conv in block.layers.iter().flat_map(|layer| &layer.groups) {
                room = (room.0.max(conv.room().0), room.1.max(conv.room().1));
            }
            let pooled = block.map.width / block.pool * block.parts() * block.channels.stride();
            room.0 = room.0.max(pooled);
        }
        room
    }

    /// Bytes of the weights.
    pub fn bytes(&self) -> usize {
        let layer = |layer: &BlockLayer| {
            layer.groups.iter().map(Convolution::bytes).sum::<usize>()
                + layer.skips.iter().map(Panels::bytes).sum::<usize>()
        };
        let block = |block: &Block| block.input.weights.bytes() + block.layers.iter().map(layer).sum::<usize>();
        self.blocks.iter().map(block).sum::<usize>() + self.out.weights.bytes()
    }

    /// The state before the first frame: black history.
    pub fn start(&self) -> History {
        let block = |block: &Block| {
            let len = block.temporal * block.channels.stride() * block.bordered.pixels();
            block.layers.iter().map(|_| Buffer::zeros(len)).collect()
        };
        History { convolutions: self.blocks.iter().map(block).collect() }
    }

    /// Memory between the layers.
    pub fn parts(&self) -> Parts {
        let block = |block: &Block| {
            let len = block.map.pixels() * block.channels.stride();
            (0..block.parts()).map(|_| Buffer::zeros(len)).collect()
        };
        Parts { blocks: self.blocks.iter().map(block).collect(), rings: Vec::new(), pictures: Vec::new() }
    }

    /// One frame: from the bordered retina image to `out`, `[pixel, channel]`.
    #[allow(clippy::too_many_arguments, reason = "state, scratch and output of one stream")]
    pub fn run(
        &self,
        retina: &[f32],
        time: usize,
        history: &mut History,
        parts: &mut Parts,
        pool: &Pool<Workspace>,
        room: (usize, usize),
        parallel: bool,
        out: &mut [f32],
        probe: Option<&mut Probe>,
    ) {
        for (i, block) in self.blocks.iter().enumerate() {
            let slot = time % block.temporal;
            let Parts { blocks, rings, pictures } = &mut *parts;
            let (before, here) = blocks.split_at_mut(i);
            let slots = Slots { block, slot };
            rings.clear();
            rings.extend(history.convolutions[i].iter_mut().map(|ring| Shared::new(ring)));
            pictures.clear();
            pictures.extend(here[0].iter_mut().map(|part| Shared::new(part)));
            let (now, here): (&[Shared], &[Shared]) = (rings, pictures);
            // Input: rows are independent.
            each(parallel, block.map.height, |y| {
                pool.with(
                    || Workspace::new(room),
                    |ws| {
                        // SAFETY: each task writes its own row of the first part and of the first history; the parts of the
                        // block before are not written any more.
                        unsafe {
                            let to = here[0].at(y * block.map.width * block.channels.stride());
                            match i.checked_sub(1) {
                                None => self.first(retina, y, to, ws),
                                Some(j) => self.over(
                                    &self.blocks[j],
                                    &before[j],
                                    &block.input,
                                    y,
                                    to,
                                    block.channels.stride(),
                                    ws,
                                ),
                            }
                            slots.write(self.kernel, now[0], y, to);
                        }
                    },
                );
            });
            for (l, layer) in block.layers.iter().enumerate() {
                let rows = layer.groups[0].rows();
                let chunks = block.map.height.div_ceil(rows);
                each(parallel, chunks * block.channels.groups, |task| {
                    let (group, first) = (task / chunks, task % chunks * rows);
                    pool.with(
                        || Workspace::new(room),
                        |ws| {
                            // SAFETY: each task writes its own rows of its own group, to the part after this layer and to
                            // the next layer's history; what it reads was finished by the layers before.
                            unsafe { slots.layer(self.kernel, l, layer, group, first, now, here[l + 1], ws) }
                        },
                    );
                });
            }
        }
        let last = self.blocks.len() - 1;
        let (block, n) = (&self.blocks[last], self.out_channels.stride());
        let (height, width) = (block.map.height / block.pool, block.map.width / block.pool);
        let to = Shared::new(out);
        each(parallel, height, |y| {
            pool.with(
                || Workspace::new(room),
                |ws| {
                    // SAFETY: each task writes its own row of the output.
                    unsafe { self.over(block, &parts.blocks[last], &self.out, y, to.at(y * width * n), n, ws) }
                },
            );
        });
        if let Some(probe) = probe {
            self.probe(parts, probe);
        }
    }

    /// One row of the first convolution, from the retina image.
    unsafe fn first(&self, retina: &[f32], y: usize, to: *mut f32, ws: &mut Workspace) {
        let block = &self.blocks[0];
        ws.segments.clear();
        for dy in 0..self.input_spatial {
            let data = retina[(y * self.stride + dy) * self.retina_row..].as_ptr();
            ws.segments.push(Segment { data, k: self.input_spatial, stride: self.stride });
        }
        let pixels = Pixels { count: block.map.width, output: block.channels.stride() };
        let bias = Start::Bias(block.input.bias.as_ptr());
        // SAFETY: the retina image has a border as wide as the kernel reaches; `to` is a row of the caller's.
        unsafe { product(self.kernel, pixels, &ws.segments, block.input.weights.operand(), bias, to) };
    }

    /// One row of a dense layer over the pooled parts of a block.
    #[allow(clippy::too_many_arguments, reason = "a row, where it comes from and where it goes")]
    unsafe fn over(
        &self,
        block: &Block,
        parts: &[Buffer],
        layer: &Dense,
        y: usize,
        to: *mut f32,
        output: usize,
        ws: &mut Workspace,
    ) {
        let (width, k) = (block.map.width / block.pool, block.channels.stride());
        ws.segments.clear();
        for (l, part) in parts.iter().enumerate() {
            let row = &part[y * block.pool * block.map.width * k..];
            let data = if block.pool == 1 {
                row.as_ptr()
            } else {
                let pooled = &mut ws.inputs[l * width * k..(l + 1) * width * k];
                // SAFETY: `row` has the rows that are pooled, since the pooled map is rounded down.
                unsafe {
                    pool_row(self.kernel, row.as_ptr(), block.map.width, k, block.pool, width, pooled.as_mut_ptr());
                }
                pooled.as_ptr()
            };
            ws.segments.push(Segment { data, k, stride: k });
        }
        let pixels = Pixels { count: width, output };
        // SAFETY: the segments are rows of `width` pixels; `to` is a row of the caller's.
        unsafe {
            let bias = Start::Bias(layer.bias.as_ptr());
            product(self.kernel, pixels, &ws.segments, layer.weights.operand(), bias, to);
        }
    }

    fn probe(&self, parts: &Parts, probe: &mut Probe) {
        for (i, (block, parts)) in self.blocks.iter().zip(&parts.blocks).enumerate() {
            let name = |part: &str| format!("layer.core.feedforward.{part}");
            let parts: Vec<Vec<f32>> = parts.iter().map(|part| block.channels.gather(part)).collect();
            let (p, map) = (block.pool, block.map);
            let mut joined = Vec::new();
            for group in 0..block.channels.groups {
                for part in &parts {
                    for channel in group * block.channels.real..(group + 1) * block.channels.real {
                        let picture = &part[channel * map.pixels()..(channel + 1) * map.pixels()];
                        for y in 0..map.height / p {
                            for x in 0..map.width / p {
                                let inside = (0..p * p).map(|k| picture[(y * p + k / p) * map.width + x * p + k % p]);
                                joined.push(inside.sum::<f32>() / (p * p) as f32);
                            }
                        }
                    }
                }
            }
            probe.insert(name(&format!("blocks.{i}")), joined);
            for (l, part) in parts.into_iter().enumerate().take(2) {
                probe.insert(name(&[format!("inputs.{i}"), format!("blocks.{i}.convs.0")][l]), part);
            }
        }
    }
}

/// The newest pictures of a block's histories.
struct Slots<'a> {
    block: &'a Block,
    slot: usize,
}

impl Slots<'_> {
    /// First number of a picture in the ring.
    fn picture(&self, slot: usize, group: usize) -> usize {
        let c = self.block.channels;
        (slot * c.groups + group) * self.block.bordered.pixels() * c.padded
    }

    /// GELU of one row of a part into the newest picture of a ring.
    unsafe fn write(&self, kernel: Kernel, ring: Shared, y: usize, row: *const f32) {
        for group in 0..self.block.channels.groups {
            // SAFETY: the caller's row of this group.
            unsafe { self.write_group(kernel, ring, y, group, row.add(group * self.block.channels.padded)) };
        }
    }

    unsafe fn write_group(&self, kernel: Kernel, ring: Shared, y: usize, group: usize, row: *const f32) {
        let (c, b) = (self.block.channels, self.block.bordered);
        // SAFETY: the caller's row; the ring has this picture and row.
        unsafe {
            let to = ring.at(self.picture(self.slot, group) + b.at(y, 0) * c.padded);
            gelu_rows(kernel, row, c.stride(), to, c.padded, self.block.map.width, c.padded);
        }
    }

    /// Some rows of one group of a layer.
    #[allow(clippy::too_many_arguments, reason = "the pieces of a layer")]
    unsafe fn layer(
        &self,
        kernel: Kernel,
        l: usize,
        layer: &BlockLayer,
        group: usize,
        first: usize,
        rings: &[Shared],
        part: Shared,
        ws: &mut Workspace,
    ) {
        let (c, b, map) = (self.block.channels, self.block.bordered, self.block.map);
        let conv = &layer.groups[group];
        let strides = Strides { pixel: c.padded, row: b.width * c.padded };
        let temporal = self.block.temporal;
        let mut sources = std::mem::take(&mut ws.sources);
        sources.clear();
        // SAFETY: the caller's pictures.
        unsafe {
            for tap in 0..temporal {
                // The last tap is the newest frame.
                let data = rings[l].at(self.picture((self.slot + 1 + tap) % temporal, group));
                sources.push(Source { data, strides, channels: c.padded });
            }
            let to = part.at(group * c.padded);
            let out = Strides { pixel: c.stride(), row: map.width * c.stride() };
            let bias = layer.bias[group * c.padded..].as_ptr();
            conv.run(kernel, &sources, bias, first, to, out, ws);
            ws.sources = sources;
            for y in first..map.height.min(first + conv.rows()) {
                let row = to.add(y * out.row);
                if let Some(skip) = layer.skips.get(group) {
                    ws.segments.clear();
                    for ring in &rings[..l] {
                        let data = ring.at(self.picture(self.slot, group) + b.at(y, 0) * c.padded);
                        ws.segments.push(Segment { data, k: c.padded, stride: c.padded });
                    }
                    let pixels = Pixels { count: map.width, output: out.pixel };
                    product(kernel, pixels, &ws.segments, skip.operand(), Start::Output, row);
                }
                if let Some(&ring) = rings.get(l + 1) {
                    self.write_group(kernel, ring, y, group, row);
                }
            }
        }
    }
}

impl Block {
    /// Pictures that are concatenated: the input and every layer's output.
    fn parts(&self) -> usize {
        self.layers.len() + 1
    }
}

impl BlockLayer {
    fn new(
        kernel: Kernel,
        map: Raster,
        (temporal, spatial): (usize, usize),
        tile: Option<Tile>,
        channels: Channels,
        conv: &Effective,
        skip: Option<&Effective>,
    ) -> Self {
        let taps = spatial * spatial;
        let real = |group: usize, o: usize| (o < channels.real).then_some(group * channels.real + o);
        let group = |group: usize| {
            let sources = vec![channels.padded; temporal];
            Convolution::new(kernel, map, spatial, tile, (&sources, channels.padded), |k, tap, o| {
                let (frame, i) = (k / channels.padded, k % channels.padded);
                match real(group, o) {
                    Some(o) if i < channels.real => conv.at(o, (i * temporal + frame) * taps + tap),
                    _ => 0.0,
                }
            })
        };
        let skips = skip.map_or_else(Vec::new, |skip| {
            let before = skip.fan / channels.real;
            let panels = |group: usize| {
                Panels::pack(kernel, before * channels.padded, channels.padded, |k, o| {
                    let (part, i) = (k / channels.padded, k % channels.padded);
                    match real(group, o) {
                        Some(o) if i < channels.real => skip.at(o, part * channels.real + i),
                        _ => 0.0,
                    }
                })
            };
            (0..channels.groups).map(panels).collect()
        });
        Self { groups: (0..channels.groups).map(group).collect(), bias: buffer(&channels.spread(&conv.bias)), skips }
    }
}

impl Dense {
    /// The first convolution: its taps are the inputs.
    fn first(kernel: Kernel, layer: &Effective, to: Channels) -> Self {
        let weights =
            Panels::pack(kernel, layer.fan, to.stride(), |k, o| to.real_at(o).map_or(0.0, |o| layer.at(o, k)));
        Self { weights, bias: buffer(&to.spread(&layer.bias)) }
    }

    /// A 1 x 1 layer over the parts of a block, which the network orders by group first.
    fn over(kernel: Kernel, layer: &Effective, from: &Block, to: Channels) -> Self {
        let (c, parts) = (from.channels, from.parts());
        let weights = Panels::pack(kernel, parts * c.stride(), to.stride(), |k, o| {
            let (part, place) = (k / c.stride(), k % c.stride());
            match (c.real_at(place), to.real_at(o)) {
                (Some(channel), Some(o)) => {
                    let (group, channel) = (channel / c.real, channel % c.real);
                    layer.at(o, (group * parts + part) * c.real + channel)
                }
                _ => 0.0,
            }
        });
        Self { weights, bias: buffer(&to.spread(&layer.bias)) }
    }
}

#[inline(always)]
unsafe fn pool_generic<S: Simd>(src: *const f32, width: usize, n: usize, side: usize, count: usize, dst: *mut f32) {
    for x in 0..count {
        for c in (0..n).step_by(S::LANES) {
            // SAFETY: the caller's rows hold `side * count` pixels each.
            unsafe {
                let mut sum = S::splat(0.0);
                for dy in 0..side {
                    for dx in 0..side {
                        sum = S::add(sum, S::load(src.add((dy * width + x * side + dx) * n + c)));
                    }
                }
                S::store(dst.add(x * n + c), S::mul(sum, S::splat(1.0 / (side * side) as f32)));
            }
        }
    }
}

dispatched! {
    /// Means over squares: one row of `count` pixels of `n` channels from `side` rows of `width` pixels.
    fn pool_row(src: *const f32, width: usize, n: usize, side: usize, count: usize, dst: *mut f32) = pool_generic
}
