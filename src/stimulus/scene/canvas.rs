//! A frame while the CPU paints it.

use super::batch::{Batch, PIXELS};
use super::lanes::{Lanes, STEP};
use super::leaf::Leaf;
use super::texture::Texture;
use super::tiles::{Grid, Outline, Patch, Stack, TILE};
use crate::signals::Raster;

/// What shines through a pixel that is finished; the shader has the same.
const CLEAR: f32 = 1.0 / 4096.0;

/// Pixels of a tile that are worth being painted apart.
const FEW: u32 = 16;

/// Light that reached a pixel, and what still shines through it.
#[derive(Clone, Copy)]
struct Pixel {
    light: f32,
    clear: f32,
}

/// A frame, painted from the front to the back.
pub(super) struct Canvas<'a> {
    grid: Grid,
    texture: &'a Texture,
    /// Grey levels of one standard deviation of the texture.
    relief: f32,
    /// Pixels that are not finished: 64 bits for each tile, row by row.
    open: Vec<u64>,
    /// Tile by tile, in each row by row. A tile that is nowhere on the screen comes last, here and above.
    pixels: Vec<Pixel>,
    /// Pixels of the object that is laid: those wholly covered, and those that may not be.
    inside: Batch,
    edge: Batch,
}

impl<'a> Canvas<'a> {
    /// An empty frame.
    #[inline(always)]
    pub fn new(raster: Raster, texture: &'a Texture, relief: f32) -> Self {
        let grid = Grid::new(raster);
        let open = |tile: usize| {
            let [columns, rows] = [(tile % grid.across, raster.width), (tile / grid.across, raster.height)]
                .map(|(tile, size)| (size - tile * TILE).min(TILE));
            (u64::MAX >> (PIXELS - TILE * rows)) & (u64::from(u8::MAX >> (TILE - columns)) * 0x0101_0101_0101_0101)
        };
        let open = (0..grid.tiles()).map(open).chain([0]).collect();
        let pixels = vec![Pixel { light: 0.0, clear: 1.0 }; (grid.tiles() + 1) * PIXELS];
        Self { grid, texture, relief, open, pixels, inside: Batch::new(), edge: Batch::new() }
    }

    /// Paints what nothing hides, and tells grey levels, row by row.
    #[inline(always)]
    pub fn finish<L: Lanes>(mut self, backdrop: &Leaf, greys: &mut [u8]) {
        let Grid { raster, across, .. } = self.grid;
        for tile in 0..self.grid.tiles() {
            if self.open[tile] != 0 {
                self.inside.gather(tile, corner([tile % across, tile / across]), self.open[tile]);
            }
            if self.inside.is_full() || tile + 1 == self.grid.tiles() {
                self.paint_inside::<L>(backdrop);
            }
        }
        for (row, line) in greys.chunks_exact_mut(raster.width).enumerate() {
            let tiles = self.pixels[row / TILE * across * PIXELS..].chunks_exact(PIXELS);
            for (greys, tile) in line.chunks_mut(TILE).zip(tiles) {
                let mut lights = [0.0; STEP];
                for (light, pixel) in lights.iter_mut().zip(&tile[row % TILE * TILE..][..TILE]) {
                    *light = pixel.light;
                }
                let bytes = (L::of(lights) + L::all(0.5)).bytes().to_le_bytes();
                // Most tiles are wholly on the screen.
                match <&mut [u8; TILE]>::try_from(&mut *greys) {
                    Ok(greys) => *greys = bytes,
                    Err(_) => greys.copy_from_slice(&bytes[..greys.len()]),
                }
            }
        }
    }

    /// Paints the pixels that an object covers wholly.
    #[inline(always)]
    fn paint_inside<L: Lanes>(&mut self, leaf: &Leaf) {
        let pixels = self.pixels.as_mut_slice();
        for step in 0..self.inside.close(self.grid.tiles() * PIXELS) {
            let own = leaf.own(self.inside.places::<L>(step));
            let greys = leaf.greys(own, self.texture, self.relief).values();
            let numbers = self.inside.numbers(step);
            for lane in 0..STEP {
                let Pixel { light, clear } = &mut pixels[numbers[lane] as usize];
                *light += *clear * greys[lane];
            }
        }
    }

    /// Paints the pixels of which an object may cover a part.
    #[inline(always)]
    fn paint_edge<L: Lanes>(&mut self, leaf: &Leaf) {
        let (pixels, open) = (self.pixels.as_mut_slice(), self.open.as_mut_slice());
        for step in 0..self.edge.close(self.grid.tiles() * PIXELS) {
            let own = leaf.own(self.edge.places::<L>(step));
            let covers = leaf.cover(own).values();
            let greys = leaf.greys(own, self.texture, self.relief).values();
            let numbers = self.edge.numbers(step);
            for lane in 0..STEP {
                let number = numbers[lane] as usize;
                let Pixel { light, clear } = &mut pixels[number];
                *light += *clear * covers[lane] * greys[lane];
                *clear *= 1.0 - covers[lane];
                open[number / PIXELS] &= !(u64::from(*clear < CLEAR) << (number % PIXELS));
            }
        }
    }
}

/// Column and row of the first pixel of a tile; a screen has at most 4096 of each.
#[inline(always)]
fn corner([across, down]: [usize; 2]) -> [u16; 2] {
    [(across * TILE) as u16, (down * TILE) as u16]
}

impl Stack for Canvas<'_> {
    #[inline(always)]
    fn grid(&self) -> &Grid {
        &self.grid
    }

    #[inline(always)]
    fn hides(&self, Patch { columns, rows }: &Patch) -> bool {
        rows.clone().all(|row| self.open[row * self.grid.across..][columns.clone()].iter().all(|&open| open == 0))
    }

    #[inline(always)]
    fn lay<L: Lanes>(&mut self, leaf: &Leaf) {
        let outline = Outline::new(leaf);
        let Patch { columns, rows } = outline.patch(&self.grid);
        for down in rows {
            let tiles = down * self.grid.across;
            if self.open[tiles..][columns.clone()].iter().all(|&open| open == 0) {
                continue;
            }
            let spans = outline.spans::<L>((down * TILE) as u16, self.grid.raster.width as u16);
            for across in columns.clone() {
                let (tile, corner) = (tiles + across, corner([across, down]));
                let open = self.open[tile];
                let touched = open & spans.touched(corner[0]);
                if touched == 0 {
                    continue;
                }
                let mut inside = open & spans.inside(corner[0]);
                // A few more at the edge cost less than a batch of their own.
                if inside.count_ones() < FEW {
                    inside = 0;
                }
                if inside != 0 {
                    self.open[tile] = open & !inside;
                    self.inside.gather(tile, corner, inside);
                    if self.inside.is_full() {
                        self.paint_inside::<L>(leaf);
                    }
                }
                if touched != inside {
                    self.edge.gather(tile, corner, touched & !inside);
                    if self.edge.is_full() {
                        self.paint_edge::<L>(leaf);
                    }
                }
            }
        }
        if !self.inside.is_empty() {
            self.paint_inside::<L>(leaf);
        }
        if !self.edge.is_empty() {
            self.paint_edge::<L>(leaf);
        }
    }
}
