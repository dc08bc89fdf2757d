//! What the shader reads: for each tile of each frame the objects that touch it, the nearest first.

use super::lanes::Lanes;
use super::leaf::Leaf;
use super::tiles::{Grid, Outline, Patch, Stack, TILE};
use crate::signals::Raster;

/// Lists of some frames; one frame after the other is laid and closed.
pub(super) struct Lists {
    grid: Grid,
    pub leaves: Vec<Leaf>,
    /// Where the list of each tile of each frame starts among the entries; one more at the end.
    pub starts: Vec<u32>,
    /// Leaves by their number.
    pub entries: Vec<u32>,
    /// Tiles of the open frame that one leaf covers wholly.
    hidden: Vec<bool>,
    /// Tiles of the open frame, and the leaves on them.
    found: Vec<(u32, u32)>,
}

impl Lists {
    /// No frames.
    pub fn new(raster: Raster) -> Self {
        let grid = Grid::new(raster);
        let hidden = vec![false; grid.tiles()];
        Self { grid, leaves: Vec::new(), starts: vec![0], entries: Vec::new(), hidden, found: Vec::new() }
    }

    /// Sorts what was laid in one frame by tiles.
    pub fn close_frame(&mut self) {
        let first = self.entries.len();
        let mut next = vec![0u32; self.grid.tiles()];
        self.found.iter().for_each(|(tile, _)| next[*tile as usize] += 1);
        let mut end = first as u32;
        for count in &mut next {
            let start = end;
            end += std::mem::replace(count, start);
            self.starts.push(end);
        }
        self.entries.resize(end as usize, 0);
        for (tile, number) in self.found.drain(..) {
            let place = &mut next[tile as usize];
            self.entries[*place as usize] = number;
            *place += 1;
        }
        self.hidden.fill(false);
    }
}

impl Stack for Lists {
    #[inline(always)]
    fn grid(&self) -> &Grid {
        &self.grid
    }

    #[inline(always)]
    fn hides(&self, Patch { columns, rows }: &Patch) -> bool {
        rows.clone().all(|row| self.hidden[row * self.grid.across..][columns.clone()].iter().all(|&hidden| hidden))
    }

    #[inline(always)]
    fn lay<L: Lanes>(&mut self, leaf: &Leaf) {
        let outline = Outline::new(leaf);
        let Patch { columns, rows } = outline.patch(&self.grid);
        let number = self.leaves.len() as u32;
        let before = self.found.len();
        for row in rows {
            let spans = outline.spans::<L>((row * TILE) as u16, self.grid.raster.width as u16);
            for column in columns.clone() {
                let tile = row * self.grid.across + column;
                if self.hidden[tile] || spans.touched((column * TILE) as u16) == 0 {
                    continue;
                }
                self.found.push((tile as u32, number));
                self.hidden[tile] = spans.inside((column * TILE) as u16) == u64::MAX;
            }
        }
        if self.found.len() > before {
            self.leaves.push(*leaf);
        }
    }
}
