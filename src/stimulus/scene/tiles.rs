//! The screen in tiles of 8 x 8 pixels, and where an object touches them.

use std::ops::Range;

use super::leaf::Leaf;
use crate::signals::Raster;

/// Side of a tile, pixels; `shaders/scene.wgsl` has the same.
pub(super) const TILE: usize = 8;

/// What objects are laid on, the nearest first.
pub(super) trait Stack {
    /// The tiles of the screen.
    fn grid(&self) -> &Grid;
    /// Whether nothing that is laid on these tiles would be seen.
    fn hides(&self, patch: &Patch) -> bool;
    /// Lays an object under all that lie there.
    fn lay(&mut self, leaf: &Leaf);
}

/// A screen in tiles.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    pub raster: Raster,
    /// Tiles in a row, and rows of tiles.
    pub across: usize,
    pub down: usize,
}

/// Columns and rows of tiles.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Patch {
    pub columns: Range<usize>,
    pub rows: Range<usize>,
}

impl Grid {
    pub fn new(raster: Raster) -> Self {
        Self { raster, across: raster.width.div_ceil(TILE), down: raster.height.div_ceil(TILE) }
    }

    /// Number of tiles.
    pub fn tiles(&self) -> usize {
        self.across * self.down
    }

    /// The tiles that a rectangle of half this width and height touches, those off the screen left out.
    pub fn patch(&self, centre: [f32; 2], half: [f32; 2]) -> Patch {
        let along = |axis: usize, size: usize| {
            // Casts saturate: what lies left of the screen becomes 0.
            let (from, to) = ((centre[axis] - half[axis]) as usize, (centre[axis] + half[axis] + 1.01) as usize);
            let (from, to) = (from.min(size), to.min(size));
            from / TILE..to.div_ceil(TILE).max(from / TILE)
        };
        Patch { columns: along(0, self.raster.width), rows: along(1, self.raster.height) }
    }
}

/// The border of an object, made ready to be cut by rows: in it the distance squared is that of an ellipse.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outline {
    centre: [f32; 2],
    /// Change of the middle column from one row to the next.
    slant: f32,
    /// Squared half width in the middle row: where pixels are wholly covered, and where they are touched.
    inner: f32,
    outer: f32,
    /// Loss of the squared half width with the square of the row.
    loss: f32,
    half: [f32; 2],
}

/// Columns that lie in an object, for each row of a tile: wholly covered, and touched at all.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spans {
    inner: [[f32; TILE]; 2],
    outer: [[f32; TILE]; 2],
}

impl Outline {
    pub fn new(leaf: &Leaf) -> Self {
        let (inner, outer) = leaf.bounds();
        let [(a, c), (b, d)] = [0, 1].map(|axis| (leaf.across[axis], leaf.down[axis]));
        // The distance squared is xx x^2 + 2 xy x y + yy y^2.
        let (xx, xy, yy) = (a * a + b * b, a * c + b * d, c * c + d * d);
        let (area, per_xx) = ((a * d - b * c).abs(), 1.0 / xx);
        let root = outer.sqrt() / area;
        Self {
            centre: leaf.centre,
            slant: -xy * per_xx,
            inner: inner * per_xx,
            outer: outer * per_xx,
            loss: (area * per_xx) * (area * per_xx),
            half: [root * yy.sqrt(), root * xx.sqrt()],
        }
    }

    /// The tiles that it touches.
    pub fn patch(&self, grid: &Grid) -> Patch {
        grid.patch(self.centre, self.half)
    }

    /// Cuts it by the rows of a tile.
    #[inline]
    pub fn spans(&self, first_row: usize, width: usize) -> Spans {
        let mut spans = Spans { inner: [[0.0; TILE]; 2], outer: [[0.0; TILE]; 2] };
        let (first_row, width) = (first_row as f32 - self.centre[1], width as f32);
        for row in 0..TILE {
            let y = first_row + row as f32;
            let (middle, loss) = (self.centre[0] + self.slant * y, self.loss * y * y);
            let column = |column: f32| whole(column.max(0.0).min(width));
            // A little generous outside, and never too wide inside.
            let (inner, outer) = (self.inner - loss, self.outer - loss);
            let half = inner.max(0.0).sqrt();
            spans.inner[0][row] = column(middle - half + 1.0);
            spans.inner[1][row] = if inner < 0.0 { 0.0 } else { column(middle + half + 1.0) };
            let half = outer.max(0.0).sqrt();
            spans.outer[0][row] = column(middle - half + 0.99);
            spans.outer[1][row] = if outer < 0.0 { 0.0 } else { column(middle + half + 1.01) };
        }
        spans
    }
}

impl Spans {
    /// Pixels that are touched of a tile with this first column, 8 bits for each row.
    #[inline]
    pub fn touched(&self, first_column: usize) -> u64 {
        bits(&self.outer, first_column)
    }

    /// Pixels that are wholly covered.
    #[inline]
    pub fn inside(&self, first_column: usize) -> u64 {
        bits(&self.inner, first_column)
    }
}

/// Next to this number lie only whole ones, so adding it rounds, and the last bits of the sum are the whole number. Unlike
/// a cast, which has to look for numbers that are too large, this is done with several at once on every processor.
const WHOLE: f32 = 1.5 * (1 << 23) as f32;

/// Rounded down, of a number from 0 to 2^22; a whole number may come as the one below it.
#[inline]
fn whole(value: f32) -> f32 {
    ((value - 0.5) + WHOLE) - WHOLE
}

/// Whole part and rest of a number below 2^22; the whole part wraps around. A whole number may come as the one below it
/// and a rest of 1.
#[inline]
pub(super) fn split(value: f32) -> (u32, f32) {
    let rounded = (value - 0.5) + WHOLE;
    (rounded.to_bits().wrapping_sub(WHOLE.to_bits()), value - (rounded - WHOLE))
}

/// Bits of a tile between two columns in each row.
#[inline]
fn bits([start, end]: &[[f32; TILE]; 2], first_column: usize) -> u64 {
    let first = first_column as f32;
    // Two to the power of a column of the tile, made from its exponent.
    let power = |column: f32| {
        let column = (column - first).max(0.0).min(TILE as f32);
        f32::from_bits((column + 127.0 + WHOLE).to_bits() << 23)
    };
    let mut rows = [0; TILE];
    for row in 0..TILE {
        let between = (power(end[row]) - power(start[row])).max(0.0);
        rows[row] = (between + WHOLE).to_bits() as u8;
    }
    u64::from_le_bytes(rows)
}
