//! 3 x 3 convolutions by Winograd's minimal filtering, forwards and backwards.
//!
//! Rows of one product are tiles of several frames, so that small maps make large products too, and the frames that a
//! causal convolution sees are the same tiles a few rows earlier. The gradient of the input is a convolution with
//! turned filters, backwards in time; that of the weights is a sum of products at every place of the tiles.

use super::super::buffer::Shared;
use super::super::product::{Pixels, Segment, Start, product};
use super::super::simd::Kernel;
use super::super::winograd::Tile;
use super::filters::Filters;
use super::outer::outer;
use super::room::{Context, Pictures, Room};
use super::squares::{NOTHING, tiles_in, tiles_out, tiles_spread};
use crate::signals::Raster;

/// Frames whose tiles are transformed together: whole register tiles whatever the number of tiles.
const FRAMES: usize = 6;
/// Numbers of transformed tiles and products that stay in the cache.
const CACHED: usize = 80 << 10;
/// Tasks that a weight gradient is split into, over groups and tiles; a fixed number, so that sums have a fixed order.
const PARTS: usize = 8;

/// One causal convolution of one stream.
#[derive(Debug)]
pub(super) struct Tiles {
    kernel: Kernel,
    map: Raster,
    tile: Tile,
    temporal: usize,
    groups: usize,
    /// Numbers of a group's channels in a pixel, in and out.
    channels: (usize, usize),
    forward: Filters,
    backward: Filters,
}

/// A product in one direction.
struct Pass<'a> {
    filters: &'a Filters,
    inputs: usize,
    outputs: usize,
    reversed: bool,
}

/// What products are added to.
#[derive(Clone, Copy)]
enum Onto<'a> {
    Nothing,
    Bias(&'a [f32]),
    Itself,
}

/// How tiles are dealt out.
#[derive(Clone, Copy)]
struct Deal {
    /// Tiles of the map, and in a row of it.
    tiles: usize,
    across: usize,
    blocks: usize,
}

impl Deal {
    /// First tile of a block and their number.
    fn block(self, block: usize) -> (usize, usize) {
        let first = block * self.tiles / self.blocks;
        (first, (block + 1) * self.tiles / self.blocks - first)
    }
}

impl Tiles {
    /// Groups with `channels` in and out, with padding; `place(group, input, tap, output)` is the parameter of a tap
    /// counted over time, rows and columns.
    pub fn new(
        kernel: Kernel,
        map: Raster,
        (tile, temporal): (Tile, usize),
        groups: usize,
        channels: (usize, usize),
        place: impl Fn(usize, usize, usize, usize) -> Option<usize>,
    ) -> Self {
        let (i, o) = channels;
        let forward = Filters::new(kernel, tile, groups, (temporal * i, o), |group, k, tap, n| {
            place(group, k % i, k / i * 9 + tap, n)
        });
        let backward = Filters::new(kernel, tile, groups, (temporal * o, i), |group, k, tap, n| {
            place(group, n, k / o * 9 + 8 - tap, k % o)
        });
        Self { kernel, map, tile, temporal, groups, channels, forward, backward }
    }

    /// Pixels of the output.
    pub fn raster(&self) -> Raster {
        self.map
    }

    /// Reads the effective weights of this step.
    pub fn pack(&mut self, effective: &[f32]) {
        self.forward.pack(effective);
        self.backward.pack(effective);
    }

    fn deal(&self, frames: usize) -> Deal {
        let side = self.tile.side();
        let across = self.map.width.div_ceil(side);
        let tiles = across * self.map.height.div_ceil(side);
        let rows = CACHED / (self.tile.places() * (self.channels.0 + self.channels.1));
        let block = (rows / frames.min(FRAMES)).clamp(4, tiles.max(4));
        Deal { tiles, across, blocks: tiles.div_ceil(block) }
    }

    /// Transforms the tiles of a block at one frame into `v [place, tile, channel]`, places `pitch` apart.
    unsafe fn look(&self, data: *const f32, pixel: usize, n: usize, block: [usize; 3], v: *mut f32, pitch: usize) {
        let size = [self.map.height, self.map.width];
        // SAFETY: the caller's picture and room.
        unsafe { tiles_in(self.kernel, self.tile, data, pixel, size, n, block, v, pitch) };
    }

    /// Moves the last frames of the chunk before to the front; zeros at the beginning.
    fn history(&self, v: &mut [f32], pitch: usize, frame: usize, start: bool) {
        let kept = (self.temporal - 1) * frame;
        for place in v.chunks_exact_mut(pitch) {
            if start { place[..kept].fill(0.0) } else { place.copy_within(FRAMES * frame..FRAMES * frame + kept, 0) }
        }
    }

    unsafe fn run(
        &self,
        context: Context<'_>,
        frames: usize,
        pass: Pass<'_>,
        (x, y): (Pictures, Pictures),
        onto: Onto<'_>,
    ) {
        let (deal, places) = (self.deal(frames), self.tile.places());
        let Pass { filters, inputs, outputs, reversed } = pass;
        let chunk = FRAMES.min(frames);
        context.each(self.groups * deal.blocks, |task, scratch| {
            let group = task / deal.blocks;
            let (first_tile, tiles) = deal.block(task % deal.blocks);
            let (rooms, segments) = scratch.split();
            let [v, m, ..] = rooms;
            let v_pitch = (self.temporal - 1 + chunk) * tiles * inputs;
            let m_pitch = chunk * tiles * outputs;
            let (v, m) = (v.fit(places * v_pitch), m.fit(places * m_pitch));
            for first in (0..frames).step_by(FRAMES) {
                let count = FRAMES.min(frames - first);
                self.history(v, v_pitch, tiles * inputs, first == 0);
                // SAFETY: the caller's pictures and the rooms above; tasks write pixels and groups of their own.
                unsafe {
                    let at = |f: usize| if reversed { frames - 1 - first - f } else { first + f };
                    let block = [first_tile, tiles, deal.across];
                    for f in 0..count {
                        let from = x.data.at(at(f) * x.frame + group * x.group);
                        let to = v.as_mut_ptr().add((self.temporal - 1 + f) * tiles * inputs);
                        self.look(from, x.pixel, inputs, block, to, v_pitch);
                    }
                    for place in 0..places {
                        segments.clear();
                        let from = v.as_ptr().add(place * v_pitch);
                        segments.extend((0..self.temporal).map(|time| Segment {
                            data: from.add(time * tiles * inputs),
                            k: inputs,
                            stride: inputs,
                        }));
                        let pixels = Pixels { count: count * tiles, output: outputs };
                        let to = m.as_mut_ptr().add(place * m_pitch);
                        product(self.kernel, pixels, segments, filters.operand(group, place), Start::Zero, to);
                    }
                    let size = [self.map.height, self.map.width];
                    let (bias, add) = match onto {
                        Onto::Bias(bias) => (bias[group * outputs..].as_ptr(), false),
                        Onto::Nothing => (NOTHING.as_ptr(), false),
                        Onto::Itself => (NOTHING.as_ptr(), true),
                    };
                    for f in 0..count {
                        let from = m.as_ptr().add(f * tiles * outputs);
                        let to = y.data.at(at(f) * y.frame + group * y.group);
                        tiles_out(self.kernel, self.tile, from, m_pitch, size, outputs, block, bias, add, to, y.pixel);
                    }
                }
            }
        });
    }

    /// Computes all frames. `bias` has one vector a group side by side.
    ///
    /// # Safety
    /// The pictures exist with the strides told, and nobody else writes `y` meanwhile.
    pub unsafe fn forward(&self, context: Context<'_>, frames: usize, x: Pictures, y: Pictures, bias: &[f32]) {
        let (inputs, outputs) = self.channels;
        let pass = Pass { filters: &self.forward, inputs, outputs, reversed: false };
        // SAFETY: the caller's.
        unsafe { self.run(context, frames, pass, (x, y), Onto::Bias(bias)) };
    }

    /// Writes the gradient of the input, or adds it to what stands in `dx`.
    ///
    /// # Safety
    /// As [`Self::forward`], for `dx`.
    pub unsafe fn backward(&self, context: Context<'_>, frames: usize, dy: Pictures, dx: Pictures, add: bool) {
        let (outputs, inputs) = self.channels;
        let pass = Pass { filters: &self.backward, inputs, outputs, reversed: true };
        // SAFETY: the caller's.
        unsafe { self.run(context, frames, pass, (dy, dx), if add { Onto::Itself } else { Onto::Nothing }) };
    }

    /// Adds the gradient of the weights.
    ///
    /// # Safety
    /// The pictures exist, and nobody writes them meanwhile.
    pub unsafe fn weight_gradient(
        &self,
        context: Context<'_>,
        frames: usize,
        (x, dy): (Pictures, Pictures),
        room: &mut Room,
        flat: &mut [f32],
    ) {
        let (deal, places, size) = (self.deal(frames), self.tile.places(), self.forward.size());
        let (inputs, outputs) = self.channels;
        let parts = PARTS.div_ceil(self.groups).min(deal.blocks);
        let taps = self.groups * self.forward.k * 9 * outputs;
        let (sums, taps) = room.fit(self.groups * parts * size + taps).split_at_mut(self.groups * parts * size);
        sums.fill(0.0);
        let chunk = FRAMES.min(frames);
        let shared = Shared::new(sums);
        context.each(self.groups * parts, |task, scratch| {
            let (group, part) = (task / parts, task % parts);
            let [v, d, ..] = &mut scratch.rooms;
            for block in part * deal.blocks / parts..(part + 1) * deal.blocks / parts {
                let (first_tile, tiles) = deal.block(block);
                let v_pitch = (self.temporal - 1 + chunk) * tiles * inputs;
                let d_pitch = chunk * tiles * outputs;
                let (v, d) = (v.fit(places * v_pitch), d.fit(places * d_pitch));
                for first in (0..frames).step_by(FRAMES) {
                    let count = FRAMES.min(frames - first);
                    self.history(v, v_pitch, tiles * inputs, first == 0);
                    // SAFETY: the caller's pictures and the rooms above; every task has a sum of its own.
                    unsafe {
                        let block = [first_tile, tiles, deal.across];
                        for f in 0..count {
                            let from = x.data.at((first + f) * x.frame + group * x.group);
                            let to = v.as_mut_ptr().add((self.temporal - 1 + f) * tiles * inputs);
                            self.look(from, x.pixel, inputs, block, to, v_pitch);
                            let from = dy.data.at((first + f) * dy.frame + group * dy.group);
                            let to = d.as_mut_ptr().add(f * tiles * outputs);
                            let size = [self.map.height, self.map.width];
                            tiles_spread(self.kernel, self.tile, from, dy.pixel, size, outputs, block, to, d_pitch);
                        }
                        for place in 0..places {
                            let sum = shared.at(task * size + place * self.forward.k * outputs);
                            let b = (d.as_ptr().add(place * d_pitch), outputs, outputs);
                            for time in 0..self.temporal {
                                let a = v.as_ptr().add(place * v_pitch + time * tiles * inputs);
                                let a = (a, inputs, inputs);
                                outer(self.kernel, count * tiles, a, b, sum.add(time * inputs * outputs));
                            }
                        }
                    }
                }
            }
        });
        self.forward.scatter(context, sums, parts, taps, flat);
    }
}
