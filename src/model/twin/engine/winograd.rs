//! 3 x 3 convolutions with fewer products: Winograd's minimal filtering.
//!
//! Square tiles of the picture are transformed, multiplied place by place with transformed filters, and transformed
//! back. A tile of `SIDE` outputs needs (`SIDE` + 2)² products instead of 9 `SIDE`². The matrices follow from evaluating
//! polynomials at a few points and at infinity (Toom and Cook); channels lie side by side in vectors, so that the
//! transforms are plain sums.

use super::simd::{Simd, dispatched};
use crate::signals::Raster;

/// The points of one kind of tile: `SIZE` inputs a side, `SIDE` outputs.
pub(super) trait Points<const SIZE: usize, const SIDE: usize> {
    /// Transforms one line of the picture.
    unsafe fn input<S: Simd>(d: [S::V; SIZE]) -> [S::V; SIZE];
    /// Transforms one line of products back.
    unsafe fn output<S: Simd>(m: [S::V; SIZE]) -> [S::V; SIDE];
    /// The transpose of [`Self::output`]: from gradients of outputs to those of products.
    unsafe fn spread<S: Simd>(y: [S::V; SIDE]) -> [S::V; SIZE];
}

/// Two outputs a side, points 0, 1, -1: as exact as the plain sum.
pub(super) struct Two;

impl Points<4, 2> for Two {
    #[inline(always)]
    unsafe fn input<S: Simd>(d: [S::V; 4]) -> [S::V; 4] {
        // SAFETY: the caller's instruction set.
        unsafe { [S::sub(d[0], d[2]), S::add(d[1], d[2]), S::sub(d[2], d[1]), S::sub(d[1], d[3])] }
    }
    #[inline(always)]
    unsafe fn output<S: Simd>(m: [S::V; 4]) -> [S::V; 2] {
        // SAFETY: the caller's instruction set.
        unsafe { [S::add(S::add(m[0], m[1]), m[2]), S::sub(S::sub(m[1], m[2]), m[3])] }
    }
    #[inline(always)]
    unsafe fn spread<S: Simd>(y: [S::V; 2]) -> [S::V; 4] {
        // SAFETY: the caller's instruction set.
        unsafe { [y[0], S::add(y[0], y[1]), S::sub(y[0], y[1]), S::sub(S::splat(0.0), y[1])] }
    }
}

/// The filter's side of [`Two`].
const FILTER_TWO: [[f64; 3]; 4] = [[1.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.0, 0.0, 1.0]];

/// Squares of the points of [`Four`], 0, ±a, ±b: their product is 1, which keeps all powers near one another. With the
/// usual points 1 and 2 the rounding is several times larger; with these it is that of the plain sum, nearly.
const A2: f64 = 0.5;
const B2: f64 = 2.0;

/// Four outputs a side, points 0, ±a, ±b.
pub(super) struct Four;

impl Points<6, 4> for Four {
    #[inline(always)]
    unsafe fn input<S: Simd>(d: [S::V; 6]) -> [S::V; 6] {
        // SAFETY: the caller's instruction set.
        unsafe {
            let (minus_a2, minus_b2) = (S::splat(-A2 as f32), S::splat(-B2 as f32));
            let (sum, product) = (S::splat(-(A2 + B2) as f32), S::splat((A2 * B2) as f32));
            let (a, b) = (S::splat(A2.sqrt() as f32), S::splat(B2.sqrt() as f32));
            let even_a = S::fma(d[2], minus_b2, d[4]);
            let odd_a = S::mul(a, S::fma(d[1], minus_b2, d[3]));
            let even_b = S::fma(d[2], minus_a2, d[4]);
            let odd_b = S::mul(b, S::fma(d[1], minus_a2, d[3]));
            [
                S::fma(d[0], product, S::fma(d[2], sum, d[4])),
                S::add(even_a, odd_a),
                S::sub(even_a, odd_a),
                S::add(even_b, odd_b),
                S::sub(even_b, odd_b),
                S::fma(d[1], product, S::fma(d[3], sum, d[5])),
            ]
        }
    }
    #[inline(always)]
    unsafe fn output<S: Simd>(m: [S::V; 6]) -> [S::V; 4] {
        // SAFETY: the caller's instruction set.
        unsafe {
            let (a2, b2) = (S::splat(A2 as f32), S::splat(B2 as f32));
            let (a, b) = (S::splat(A2.sqrt() as f32), S::splat(B2.sqrt() as f32));
            let (even_a, even_b) = (S::add(m[1], m[2]), S::add(m[3], m[4]));
            let (odd_a, odd_b) = (S::mul(a, S::sub(m[1], m[2])), S::mul(b, S::sub(m[3], m[4])));
            [
                S::add(m[0], S::add(even_a, even_b)),
                S::add(odd_a, odd_b),
                S::fma(a2, even_a, S::mul(b2, even_b)),
                S::add(m[5], S::fma(a2, odd_a, S::mul(b2, odd_b))),
            ]
        }
    }
    #[inline(always)]
    unsafe fn spread<S: Simd>(y: [S::V; 4]) -> [S::V; 6] {
        // SAFETY: the caller's instruction set.
        unsafe {
            let (a2, b2) = (S::splat(A2 as f32), S::splat(B2 as f32));
            let (a, b) = (S::splat(A2.sqrt() as f32), S::splat(B2.sqrt() as f32));
            let (even_a, even_b) = (S::fma(a2, y[2], y[0]), S::fma(b2, y[2], y[0]));
            let odd_a = S::mul(a, S::fma(a2, y[3], y[1]));
            let odd_b = S::mul(b, S::fma(b2, y[3], y[1]));
            [y[0], S::add(even_a, odd_a), S::sub(even_a, odd_a), S::add(even_b, odd_b), S::sub(even_b, odd_b), y[3]]
        }
    }
}

/// The filter's side of [`Four`].
fn filter_four() -> [[f64; 3]; 6] {
    let line = |p: f64, n: f64| [1.0 / n, p / n, p * p / n];
    let (a, b) = (A2.sqrt(), B2.sqrt());
    let (na, nb) = (2.0 * A2 * (A2 - B2), 2.0 * B2 * (B2 - A2));
    [line(0.0, A2 * B2), line(a, na), line(-a, na), line(b, nb), line(-b, nb), [0.0, 0.0, 1.0]]
}

/// Size of the tiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tile {
    /// 2 x 2 outputs of 4 x 4 inputs.
    Two,
    /// 4 x 4 outputs of 6 x 6 inputs.
    Four,
}

impl Tile {
    /// The tile for a kernel and map: the large one, unless much of it would hang over a small map. `None` for kernels
    /// other than 3 x 3.
    pub fn for_map(spatial: usize, map: Raster) -> Option<Self> {
        let large = map.height >= 8 && map.width >= 8;
        (spatial == 3).then_some(if large { Self::Four } else { Self::Two })
    }

    /// Outputs a side.
    pub fn side(self) -> usize {
        match self {
            Self::Two => 2,
            Self::Four => 4,
        }
    }

    /// Places multiplied.
    pub fn places(self) -> usize {
        (self.side() + 2).pow(2)
    }

    /// One line of a filter at the places of one line: `[place, tap]`.
    pub fn lines(self) -> Vec<[f64; 3]> {
        match self {
            Self::Two => FILTER_TWO.to_vec(),
            Self::Four => filter_four().to_vec(),
        }
    }

    /// A 3 x 3 filter (row-major) at every place.
    pub fn filter(self, w: [f64; 9]) -> Vec<f64> {
        let at = |lines: &[[f64; 3]]| {
            let mut out = Vec::with_capacity(self.places());
            for row in lines {
                for column in lines {
                    out.push((0..9).map(|i| row[i / 3] * column[i % 3] * w[i]).sum());
                }
            }
            out
        };
        match self {
            Self::Two => at(&FILTER_TWO),
            Self::Four => at(&filter_four()),
        }
    }
}

/// Where the transformed tiles of a block stand: `[place, tile, channel]`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    /// First tile of the block, counted along the rows of tiles.
    pub first: usize,
    /// Tiles in the block.
    pub tiles: usize,
    /// Tiles in a row of the picture.
    pub across: usize,
    /// Numbers in a tile at one place.
    pub channels: usize,
}

/// A picture in memory, read or written by tiles.
#[derive(Debug, Clone, Copy)]
pub(super) struct Strides {
    /// Numbers from pixel to pixel.
    pub pixel: usize,
    /// Numbers from row to row.
    pub row: usize,
}

/// Part of the tiles that lies inside the picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    /// Rows of the picture.
    pub height: usize,
    /// Columns of the picture.
    pub width: usize,
}

#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "columns of a square of vectors")]
unsafe fn input<S: Simd, P: Points<SIZE, SIDE>, const SIZE: usize, const SIDE: usize>(
    picture: *const f32,
    strides: Strides,
    n: usize,
    block: Block,
    out: *mut f32,
) {
    let place = block.tiles * block.channels;
    for tile in 0..block.tiles {
        let (y, x) = ((block.first + tile) / block.across * SIDE, (block.first + tile) % block.across * SIDE);
        // SAFETY: the caller's picture has a border as wide as the tiles reach, and `out` holds the block.
        unsafe {
            let from = picture.add(y * strides.row + x * strides.pixel);
            let to = out.add(tile * block.channels);
            for c in (0..n).step_by(S::LANES) {
                let mut rows = [[S::splat(0.0); SIZE]; SIZE];
                for (i, row) in rows.iter_mut().enumerate() {
                    let mut line = [S::splat(0.0); SIZE];
                    for (j, value) in line.iter_mut().enumerate() {
                        *value = S::load(from.add(i * strides.row + j * strides.pixel + c));
                    }
                    *row = P::input::<S>(line);
                }
                for j in 0..SIZE {
                    let mut line = [S::splat(0.0); SIZE];
                    for (i, value) in line.iter_mut().enumerate() {
                        *value = rows[i][j];
                    }
                    let line = P::input::<S>(line);
                    for (i, &value) in line.iter().enumerate() {
                        S::store(to.add((i * SIZE + j) * place + c), value);
                    }
                }
            }
        }
    }
}

#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "columns of a square of vectors")]
unsafe fn output<S: Simd, P: Points<SIZE, SIDE>, const SIZE: usize, const SIDE: usize>(
    products: *const f32,
    block: Block,
    bias: *const f32,
    extent: Extent,
    picture: *mut f32,
    strides: Strides,
) {
    let place = block.tiles * block.channels;
    for tile in 0..block.tiles {
        let (y, x) = ((block.first + tile) / block.across * SIDE, (block.first + tile) % block.across * SIDE);
        let (height, width) = (SIDE.min(extent.height - y), SIDE.min(extent.width - x));
        // SAFETY: the caller's products hold the block; only pixels inside the extent are written.
        unsafe {
            let from = products.add(tile * block.channels);
            let to = picture.add(y * strides.row + x * strides.pixel);
            for c in (0..block.channels).step_by(S::LANES) {
                let bias = S::load(bias.add(c));
                let mut rows = [[S::splat(0.0); SIDE]; SIZE];
                for (i, row) in rows.iter_mut().enumerate() {
                    let mut line = [S::splat(0.0); SIZE];
                    for (j, value) in line.iter_mut().enumerate() {
                        *value = S::load(from.add((i * SIZE + j) * place + c));
                    }
                    *row = P::output::<S>(line);
                }
                for j in 0..width {
                    let mut line = [S::splat(0.0); SIZE];
                    for (i, value) in line.iter_mut().enumerate() {
                        *value = rows[i][j];
                    }
                    let line = P::output::<S>(line);
                    for (i, &value) in line.iter().enumerate().take(height) {
                        S::store(to.add(i * strides.row + j * strides.pixel + c), S::add(value, bias));
                    }
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn input_of<S: Simd>(tile: Tile, picture: *const f32, strides: Strides, n: usize, block: Block, out: *mut f32) {
    // SAFETY: the caller's.
    unsafe {
        match tile {
            Tile::Two => input::<S, Two, 4, 2>(picture, strides, n, block, out),
            Tile::Four => input::<S, Four, 6, 4>(picture, strides, n, block, out),
        }
    }
}

#[inline(always)]
unsafe fn output_of<S: Simd>(
    tile: Tile,
    products: *const f32,
    block: Block,
    bias: *const f32,
    extent: Extent,
    picture: *mut f32,
    strides: Strides,
) {
    // SAFETY: the caller's.
    unsafe {
        match tile {
            Tile::Two => output::<S, Two, 4, 2>(products, block, bias, extent, picture, strides),
            Tile::Four => output::<S, Four, 6, 4>(products, block, bias, extent, picture, strides),
        }
    }
}

dispatched! {
    /// Transforms a block of tiles of `n` channels of a bordered picture; tile (0, 0) begins at `picture`.
    fn tiles_in(tile: Tile, picture: *const f32, strides: Strides, n: usize, block: Block, out: *mut f32) = input_of
}
dispatched! {
    /// Transforms a block of products back, adds the bias and writes the pixels that lie inside the extent.
    fn tiles_out(
        tile: Tile, products: *const f32, block: Block, bias: *const f32, extent: Extent, picture: *mut f32,
        strides: Strides,
    ) = output_of
}
