//! The screen in tiles of 8 x 8 pixels, and where an object touches them.

use std::ops::Range;

use super::lanes::{Lanes, STEP, WHOLE};
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
    fn lay<L: Lanes>(&mut self, leaf: &Leaf);
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
    #[inline(always)]
    pub fn patch(&self, centre: [f32; 2], half: [f32; 2]) -> Patch {
        let along = |axis: usize, size: usize| {
            // Casts saturate: what lies left of the screen becomes 0.
            let (from, to) = ((centre[axis] - half[axis]) as i32, (centre[axis] + half[axis] + 1.01) as i32);
            let [from, to] = [from, to].map(|pixel| pixel.clamp(0, size as i32) as usize);
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
pub(super) struct Spans<L> {
    inner: [L; 2],
    outer: [L; 2],
}

impl Outline {
    #[inline(always)]
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
    #[inline(always)]
    pub fn patch(&self, grid: &Grid) -> Patch {
        grid.patch(self.centre, self.half)
    }

    /// Cuts it by the rows of a tile.
    #[inline(always)]
    pub fn spans<L: Lanes>(&self, first_row: u16, width: u16) -> Spans<L> {
        let (width, one) = (L::all(f32::from(width)), L::all(1.0));
        let y = L::all(f32::from(first_row) - self.centre[1]) + L::of(ROWS);
        let (middle, loss) = (L::all(self.centre[0]) + L::all(self.slant) * y, L::all(self.loss) * y * y);
        // A little generous outside, and never too wide inside.
        let (inner, outer) = (L::all(self.inner) - loss, L::all(self.outer) - loss);
        let (half, half_outer) = (inner.above(L::all(0.0)).sqrt(), outer.above(L::all(0.0)).sqrt());
        Spans {
            inner: [column(middle - half + one, width), column(middle + half + one, width).unless_negative(inner)],
            outer: [
                column(middle - half_outer + L::all(0.99), width),
                column(middle + half_outer + L::all(1.01), width).unless_negative(outer),
            ],
        }
    }
}

/// The rows of a tile, which are a step.
const ROWS: [f32; STEP] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
const _: () = assert!(TILE == STEP);

impl<L: Lanes> Spans<L> {
    /// Pixels that are touched of a tile with this first column, 8 bits for each row.
    #[inline(always)]
    pub fn touched(&self, first_column: u16) -> u64 {
        bits(self.outer, first_column)
    }

    /// Pixels that are wholly covered.
    #[inline(always)]
    pub fn inside(&self, first_column: u16) -> u64 {
        bits(self.inner, first_column)
    }
}

/// Rounded down to a column of the screen or the one behind it; a whole number may come as the one below it.
#[inline(always)]
fn column<L: Lanes>(values: L, width: L) -> L {
    ((values.above(L::all(0.0)).below(width) - L::all(0.5)) + L::all(WHOLE)) - L::all(WHOLE)
}

/// Whole parts and rests of numbers below 2^22; the whole parts wrap around. A whole number may come as the one below it
/// and a rest of 1.
#[inline(always)]
pub(super) fn split<L: Lanes>(values: L) -> ([u32; STEP], L) {
    let rounded = (values - L::all(0.5)) + L::all(WHOLE);
    let (mut wholes, bits) = ([0; STEP], rounded.values());
    for lane in 0..STEP {
        wholes[lane] = bits[lane].to_bits().wrapping_sub(WHOLE.to_bits());
    }
    (wholes, values - (rounded - L::all(WHOLE)))
}

/// Bits of a tile between two columns in each row.
#[inline(always)]
fn bits<L: Lanes>(columns: [L; 2], first_column: u16) -> u64 {
    let (first, nothing, tile) = (L::all(f32::from(first_column)), L::all(0.0), L::all(TILE as f32));
    let start = (columns[0] - first).above(nothing).below(tile).power_of_two();
    let end = (columns[1] - first).above(nothing).below(tile).power_of_two();
    (end - start).above(nothing).bytes()
}
