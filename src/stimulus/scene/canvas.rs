//! A frame while the CPU paints it.

use super::batch::{Batch, PIXELS, Painted};
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
    /// Tile by tile, in each row by row.
    pixels: Vec<Pixel>,
    /// Pixels of the object that is laid: those wholly covered, and those that may not be.
    inside: Batch,
    edge: Batch,
}

impl<'a> Canvas<'a> {
    /// An empty frame.
    pub fn new(raster: Raster, texture: &'a Texture, relief: f32) -> Self {
        let grid = Grid::new(raster);
        let open = (0..grid.tiles())
            .map(|tile| {
                let [columns, rows] = [(tile % grid.across, raster.width), (tile / grid.across, raster.height)]
                    .map(|(tile, size)| (size - tile * TILE).min(TILE));
                (u64::MAX >> (PIXELS - TILE * rows)) & (u64::from(u8::MAX >> (TILE - columns)) * 0x0101_0101_0101_0101)
            })
            .collect();
        let pixels = vec![Pixel { light: 0.0, clear: 1.0 }; grid.tiles() * PIXELS];
        Self { grid, texture, relief, open, pixels, inside: Batch::new(), edge: Batch::new() }
    }

    /// Paints what nothing hides, and tells grey levels, row by row.
    pub fn finish(mut self, backdrop: &Leaf, greys: &mut [u8]) {
        let Grid { raster, across, .. } = self.grid;
        for tile in 0..self.open.len() {
            self.inside.gather(tile, [tile % across * TILE, tile / across * TILE], self.open[tile]);
            if self.inside.is_full() {
                self.paint_inside(backdrop);
            }
        }
        self.paint_inside(backdrop);
        for (row, line) in greys.chunks_exact_mut(raster.width).enumerate() {
            let tiles = self.pixels[row / TILE * across * PIXELS..].chunks_exact(PIXELS);
            for (greys, tile) in line.chunks_mut(TILE).zip(tiles) {
                for (grey, pixel) in greys.iter_mut().zip(&tile[row % TILE * TILE..]) {
                    *grey = (pixel.light + 0.5) as u8;
                }
            }
        }
    }

    fn paint_inside(&mut self, leaf: &Leaf) {
        self.inside.place(leaf);
        self.inside.paint(leaf, self.texture, self.relief, |Painted { number, grey, .. }| {
            let Pixel { light, clear } = &mut self.pixels[number];
            *light += *clear * grey;
        });
    }

    fn paint_edge(&mut self, leaf: &Leaf) {
        self.edge.cover(leaf);
        self.edge.paint(leaf, self.texture, self.relief, |Painted { number, cover, grey }| {
            let Pixel { light, clear } = &mut self.pixels[number];
            *light += *clear * cover * grey;
            *clear *= 1.0 - cover;
            self.open[number / PIXELS] &= !(u64::from(*clear < CLEAR) << (number % PIXELS));
        });
    }
}

impl Stack for Canvas<'_> {
    fn grid(&self) -> &Grid {
        &self.grid
    }

    fn hides(&self, Patch { columns, rows }: &Patch) -> bool {
        rows.clone().all(|row| self.open[row * self.grid.across..][columns.clone()].iter().all(|&open| open == 0))
    }

    fn lay(&mut self, leaf: &Leaf) {
        let outline = Outline::new(leaf);
        let Patch { columns, rows } = outline.patch(&self.grid);
        for down in rows {
            let tiles = down * self.grid.across;
            if self.open[tiles..][columns.clone()].iter().all(|&open| open == 0) {
                continue;
            }
            let spans = outline.spans(down * TILE, self.grid.raster.width);
            for across in columns.clone() {
                let tile = tiles + across;
                let open = self.open[tile];
                if open == 0 {
                    continue;
                }
                let (touched, mut inside) = (open & spans.touched(across * TILE), open & spans.inside(across * TILE));
                // A few more at the edge cost less than a batch of their own.
                if inside.count_ones() < FEW {
                    inside = 0;
                }
                self.open[tile] &= !inside;
                self.inside.gather(tile, [across * TILE, down * TILE], inside);
                self.edge.gather(tile, [across * TILE, down * TILE], touched & !inside);
                if self.inside.is_full() {
                    self.paint_inside(leaf);
                }
                if self.edge.is_full() {
                    self.paint_edge(leaf);
                }
            }
        }
        if !self.inside.is_empty() {
            self.paint_inside(leaf);
        }
        if !self.edge.is_empty() {
            self.paint_edge(leaf);
        }
    }
}
