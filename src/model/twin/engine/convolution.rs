//! Convolutions over pictures of the same size, of one group of one stream.
//!
//! The input is a list of sources (frames of the past, or the parts of a concatenation), each a picture with a border
//! of zeros.

use super::product::{Panels, Pixels, Segment, Start, product};
use super::simd::{Kernel, prefetch};
use super::tasks::Workspace;
use super::winograd::{Block, Extent, Strides, Tile, tiles_in, tiles_out};
use crate::signals::Raster;

/// Tiles transformed together: enough to use every weight often, few enough to stay in the second-level cache.
const BLOCK: usize = 12;

/// Size of a picture with a border of zeros.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bordered {
    /// Pixels on the left and above.
    pub border: usize,
    /// All columns.
    pub width: usize,
    /// All rows.
    pub height: usize,
}

impl Bordered {
    /// Room around `map` for a kernel of this side, by tiles where those are used.
    pub fn new(map: Raster, spatial: usize, tile: Option<Tile>) -> Self {
        let side = tile.map_or(1, Tile::side);
        Self {
            border: spatial / 2,
            width: map.width.next_multiple_of(side) + spatial - 1,
            height: map.height.next_multiple_of(side) + spatial - 1,
        }
    }

    /// Pixels.
    pub fn pixels(self) -> usize {
        self.width * self.height
    }

    /// Place of a pixel of the map.
    pub fn at(self, y: usize, x: usize) -> usize {
        (y + self.border) * self.width + x + self.border
    }
}

/// A source: the first number of its border, and its strides.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    /// Top left corner of the border.
    pub data: *const f32,
    /// Distances in memory.
    pub strides: Strides,
    /// Channels read.
    pub channels: usize,
}

#[derive(Debug)]
enum Form {
    Direct(Panels),
    Tiles(Tile, Vec<Panels>),
}

/// Weights of a convolution.
#[derive(Debug)]
pub(super) struct Convolution {
    form: Form,
    spatial: usize,
    map: Raster,
    outputs: usize,
}

impl Convolution {
    /// `weight(source channel, tap, output)` with source channels counted through all sources, and taps along the rows
    /// of the kernel.
    pub fn new(
        kernel: Kernel,
        map: Raster,
        spatial: usize,
        tile: Option<Tile>,
        (sources, outputs): (&[usize], usize),
        weight: impl Fn(usize, usize, usize) -> f64,
    ) -> Self {
        let taps = spatial * spatial;
        let inputs: usize = sources.iter().sum();
        let form = match tile {
            None => {
                // In the order of the segments: source, tap, channel.
                let mut places = Vec::with_capacity(inputs * taps);
                let mut before = 0;
                for &channels in sources {
                    for tap in 0..taps {
                        places.extend((before..before + channels).map(|channel| (channel, tap)));
                    }
                    before += channels;
                }
                Form::Direct(Panels::pack(kernel, places.len(), outputs, |k, o| weight(places[k].0, places[k].1, o)))
            }
            Some(tile) => {
                let mut filters = vec![0.0; inputs * outputs * tile.places()];
                for (i, filter) in filters.chunks_exact_mut(tile.places()).enumerate() {
                    let w = std::array::from_fn(|tap| weight(i / outputs, tap, i % outputs));
                    filter.copy_from_slice(&tile.filter(w));
                }
                let at = |place| {
                    Panels::pack(kernel, inputs, outputs, |k, o| filters[(k * outputs + o) * tile.places() + place])
                };
                Form::Tiles(tile, (0..tile.places()).map(at).collect())
            }
        };
        Self { form, spatial, map, outputs }
    }

    /// Rows of the map that one task computes.
    pub fn rows(&self) -> usize {
        match &self.form {
            Form::Direct(_) => 4,
            Form::Tiles(tile, _) => tile.side() * BLOCK.div_ceil(self.map.width.div_ceil(tile.side())),
        }
    }

    /// Numbers needed in a workspace: inputs, products.
    pub fn room(&self) -> (usize, usize) {
        match &self.form {
            Form::Direct(_) => (0, 0),
            Form::Tiles(tile, panels) => {
                (tile.places() * BLOCK * panels[0].operand().k, tile.places() * BLOCK * self.outputs)
            }
        }
    }

    /// Bytes of the weights.
    pub fn bytes(&self) -> usize {
        match &self.form {
            Form::Direct(panels) => panels.bytes(),
            Form::Tiles(_, panels) => panels.iter().map(Panels::bytes).sum(),
        }
    }

    /// Computes rows `first..` of the map, [`Self::rows`] of them or those that are left, into a picture that begins
    /// at `out`.
    ///
    /// # Safety
    /// The sources are bordered pictures of this map and kernel, `bias` has an entry an output, and nobody else touches
    /// the rows written or writes to the sources.
    #[allow(clippy::too_many_arguments, reason = "input, output and memory of one task")]
    pub unsafe fn run(
        &self,
        kernel: Kernel,
        sources: &[Source],
        bias: *const f32,
        first: usize,
        out: *mut f32,
        strides: Strides,
        workspace: &mut Workspace,
    ) {
        let last = self.map.height.min(first + self.rows());
        match &self.form {
            // SAFETY: the caller's.
            Form::Direct(panels) => unsafe {
                for y in first..last {
                    workspace.segments.clear();
                    for source in sources {
                        for tap in 0..self.spatial * self.spatial {
                            let (y, x) = (y + tap / self.spatial, tap % self.spatial);
                            let data = source.data.add(y * source.strides.row + x * source.strides.pixel);
                            workspace.segments.push(Segment { data, k: source.channels, stride: source.strides.pixel });
                        }
                    }
                    let pixels = Pixels { count: self.map.width, output: strides.pixel };
                    let to = out.add(y * strides.row);
                    product(kernel, pixels, &workspace.segments, panels.operand(), Start::Bias(bias), to);
                }
            },
            Form::Tiles(tile, panels) => {
                let across = self.map.width.div_ceil(tile.side());
                let (begin, end) = (first / tile.side() * across, last.div_ceil(tile.side()) * across);
                for begin in (begin..end).step_by(BLOCK) {
                    let tiles = BLOCK.min(end - begin);
                    // SAFETY: the workspace holds a block (see `room`), the rest is the caller's.
                    unsafe {
                        self.block(
                            kernel,
                            (*tile, panels),
                            sources,
                            bias,
                            [begin, tiles, across],
                            out,
                            strides,
                            workspace,
                        )
                    }
                }
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the pieces of `run`")]
    unsafe fn block(
        &self,
        kernel: Kernel,
        (tile, panels): (Tile, &[Panels]),
        sources: &[Source],
        bias: *const f32,
        [first, tiles, across]: [usize; 3],
        out: *mut f32,
        strides: Strides,
        workspace: &mut Workspace,
    ) {
        let inputs: usize = sources.iter().map(|s| s.channels).sum();
        let (v, m) = (workspace.inputs.as_mut_ptr(), workspace.products.as_mut_ptr());
        // SAFETY: the workspace holds a block; sources, bias and output are the caller's.
        unsafe {
            let mut channel = 0;
            for source in sources {
                let block = Block { first, tiles, across, channels: inputs };
                tiles_in(kernel, tile, source.data, source.strides, source.channels, block, v.add(channel));
                channel += source.channels;
            }
            let pixels = Pixels { count: tiles, output: self.outputs };
            let ahead = self.ahead(tile, first + tiles, tiles, across);
            for (place, weights) in panels.iter().enumerate() {
                // The next block's pictures come from far away: they are called while this one is multiplied.
                for source in sources.iter().filter(|source| source.strides.pixel == source.channels) {
                    let lines = (ahead.len() * source.strides.row / 16).div_ceil(panels.len());
                    let from = source.data.wrapping_add(ahead.start * source.strides.row + place * lines * 16);
                    prefetch(from, lines);
                }
                let segment = [Segment { data: v.add(place * tiles * inputs), k: inputs, stride: inputs }];
                let y = m.add(place * tiles * self.outputs);
                product(kernel, pixels, &segment, weights.operand(), Start::Zero, y);
            }
            let block = Block { first, tiles, across, channels: self.outputs };
            let extent = Extent { height: self.map.height, width: self.map.width };
            tiles_out(kernel, tile, m, block, bias, extent, out, strides);
        }
    }

    /// Rows of the bordered picture that the block from tile `first` on reads anew.
    fn ahead(&self, tile: Tile, first: usize, tiles: usize, across: usize) -> std::ops::Range<usize> {
        let bottom = self.map.height.next_multiple_of(tile.side()) + 2;
        let row = |tiles: usize| (tiles / across * tile.side() + 2).min(bottom);
        row(first)..row(first + tiles).max(row(first))
    }
}

#[cfg(test)]
mod tests {
    use super::super::buffer::Buffer;
    use super::*;

    /// Numbers without pattern in -1..1.
    fn noise(seed: usize) -> impl Fn(usize) -> f64 {
        move |i| {
            let x = ((i + 1) as f64 * 12.9898 + seed as f64 * 78.233).sin() * 43758.5453;
            2.0 * (x - x.floor()) - 1.0
        }
    }

    /// Largest error of a convolution of two sources over a map, relative to the largest value.
    fn error(kernel: Kernel, map: Raster, spatial: usize, tile: Option<Tile>) -> f64 {
        let (n, outputs, taps) = (16, 16, spatial * spatial);
        let (weight, value) = (noise(1), noise(2));
        let w = |i: usize, tap: usize, o: usize| weight((i * taps + tap) * outputs + o);
        let conv = Convolution::new(kernel, map, spatial, tile, (&[n, n], outputs), w);
        let bordered = Bordered::new(map, spatial, tile);
        let mut pictures = Buffer::zeros(2 * bordered.pixels() * n);
        let place = |source: usize, y: usize, x: usize| (source * bordered.pixels() + bordered.at(y, x)) * n;
        for (source, y, x, c) in all([2, map.height, map.width, n]) {
            pictures[place(source, y, x) + c] = value(((source * map.height + y) * map.width + x) * n + c) as f32;
        }
        let strides = Strides { pixel: n, row: bordered.width * n };
        let source = |s: usize| Source { data: pictures[s * bordered.pixels() * n..].as_ptr(), strides, channels: n };
        let bias: Vec<f32> = (0..outputs).map(|o| o as f32).collect();
        let mut out = Buffer::zeros(map.pixels() * outputs);
        let strides = Strides { pixel: outputs, row: map.width * outputs };
        let mut workspace = Workspace::new(conv.room());
        for first in (0..map.height).step_by(conv.rows()) {
            let (sources, out) = ([source(0), source(1)], out.as_mut_ptr());
            // SAFETY: pictures, bias and output have the sizes of the map, and this is the only thread.
            unsafe { conv.run(kernel, &sources, bias.as_ptr(), first, out, strides, &mut workspace) };
        }
        let (mut worst, mut largest) = (0.0f64, 0.0f64);
        let half = spatial / 2;
        for (y, x, o, _) in all([map.height, map.width, outputs, 1]) {
            let mut exact = o as f64;
            for (s, dy, dx, c) in all([2, spatial, spatial, n]) {
                if (half..map.height + half).contains(&(y + dy)) && (half..map.width + half).contains(&(x + dx)) {
                    let pixel = f64::from(pictures[place(s, y + dy - half, x + dx - half) + c]);
                    exact += pixel * w(s * n + c, dy * spatial + dx, o);
                }
            }
            worst = worst.max((f64::from(out[(y * map.width + x) * outputs + o]) - exact).abs());
            largest = largest.max(exact.abs());
        }
        worst / largest
    }

    fn all([a, b, c, d]: [usize; 4]) -> impl Iterator<Item = (usize, usize, usize, usize)> {
        (0..a * b * c * d).map(move |i| (i / (b * c * d), i / (c * d) % b, i / d % c, i % d))
    }

    #[test]
    fn tiles_and_plain_sums_give_the_same_pictures_also_where_tiles_hang_over_the_edge() {
        for kernel in Kernel::available() {
            for (height, width) in [(1, 1), (5, 9), (8, 12), (7, 26)] {
                let map = Raster { height, width };
                // 288 products a sum: the rounding of a plain f32 sum is of the order of 1e-6 of the largest value.
                for tile in [None, Some(Tile::Two), Some(Tile::Four)] {
                    let e = error(kernel, map, 3, tile);
                    assert!(e < 2e-6, "{kernel:?}, {map}, {tile:?}: {e:e}");
                }
                let e = error(kernel, map, 5, None);
                assert!(e < 2e-6, "{kernel:?}, {map}, 5 x 5: {e:e}");
            }
        }
    }
}
