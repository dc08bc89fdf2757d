//! Blocks of the screen, for maps of receptive fields.

use crate::analysis::receptive_field::block_means;
use crate::data::SessionError;
use crate::signals::{Degrees, Monitor, Raster};

/// Most rows and columns.
const MOST: [usize; 2] = [18, 32];
/// Least rows and columns of a grid that is coarse to save memory.
const LEAST: [usize; 2] = [5, 8];

/// Blocks that divide the screen as evenly as pixels allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grid {
    pub raster: Raster,
    pub rows: usize,
    pub columns: usize,
}

impl Grid {
    /// Of about so many blocks, if the finest has more.
    pub fn of_at_most(raster: Raster, blocks: usize) -> Self {
        let share = (blocks as f64 / (MOST[0] * MOST[1]) as f64).sqrt().min(1.0);
        let count = |axis: usize, pixels: usize| ((MOST[axis] as f64 * share) as usize).max(LEAST[axis]).min(pixels);
        Self { raster, rows: count(0, raster.height), columns: count(1, raster.width) }
    }

    /// The finest.
    pub fn finest(raster: Raster) -> Self {
        Self::of_at_most(raster, usize::MAX)
    }

    pub fn blocks(&self) -> usize {
        self.rows * self.columns
    }

    /// Pixels from the middle of a block to that of another, down and across.
    pub fn between(&self, a: usize, b: usize) -> [f64; 2] {
        let apart =
            |a: usize, b: usize, pixels: usize, blocks: usize| a.abs_diff(b) as f64 * pixels as f64 / blocks as f64;
        let ([a_row, a_column], [b_row, b_column]) = (self.row_and_column(a), self.row_and_column(b));
        [apart(a_row, b_row, self.raster.height, self.rows), apart(a_column, b_column, self.raster.width, self.columns)]
    }

    pub fn row_and_column(&self, block: usize) -> [usize; 2] {
        [block / self.columns, block % self.columns]
    }

    /// Mean grey level of each block of a frame.
    pub fn means(&self, pixels: &[u8]) -> Result<Vec<f64>, SessionError> {
        block_means(pixels, [self.raster.height, self.raster.width], [self.rows, self.columns])
            .ok_or_else(|| SessionError::Trial(format!("a movie of {} pixels has no blocks", self.raster)))
    }

    /// The middle of every block of a screen with as many pixels, degrees.
    pub fn places(&self, monitor: &Monitor) -> Vec<[Degrees; 2]> {
        let middle =
            |block: usize, blocks: usize, side: usize| (block as f64 + 0.5) * side as f64 / blocks as f64 - 0.5;
        let place = |block: usize| {
            let [row, column] = self.row_and_column(block);
            let row = middle(row, self.rows, self.raster.height);
            <[f64; 2]>::from(monitor.degrees_from_pixel(row, middle(column, self.columns, self.raster.width)))
        };
        (0..self.blocks()).map(place).collect()
    }
}
