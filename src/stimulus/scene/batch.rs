//! Pixels of one object, gathered from its tiles: few of the pixels in a tile need to be computed at all, and those of
//! all tiles are computed several at once.

use super::lanes::{Lanes, SET, STEP};
use super::tiles::TILE;

/// Pixels of a tile.
pub(super) const PIXELS: usize = TILE * TILE;
/// Most pixels of a batch.
const MOST: usize = 4 * PIXELS;
/// Rows of a tile are stored as a whole step, whose end the next row overwrites.
const STEPS: usize = MOST / STEP + 1;

/// Pixels by their place on the screen and their number in the canvas.
pub(super) struct Batch {
    count: usize,
    columns: [[f32; STEP]; STEPS],
    rows: [[f32; STEP]; STEPS],
    numbers: [[u32; STEP]; STEPS],
}

impl Batch {
    pub fn new() -> Self {
        Self { count: 0, columns: [[0.0; STEP]; STEPS], rows: [[0.0; STEP]; STEPS], numbers: [[0; STEP]; STEPS] }
    }

    /// Whether nothing was gathered.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether another tile might not find room.
    #[inline(always)]
    pub fn is_full(&self) -> bool {
        self.count > MOST - PIXELS
    }

    /// Gathers the pixels of a tile that have a bit here.
    #[inline(always)]
    pub fn gather(&mut self, tile: usize, [column, row]: [u16; 2], bits: u64) {
        let (columns, rows) = (self.columns.as_flattened_mut(), self.rows.as_flattened_mut());
        let numbers = self.numbers.as_flattened_mut();
        let (column, row) = (f32::from(column), f32::from(row));
        let mut end = self.count;
        for (line, bits) in bits.to_le_bytes().into_iter().enumerate() {
            let (place, first) = (end.min(MOST), (tile * PIXELS + line * TILE) as u32);
            let set = &SET[usize::from(bits)];
            for lane in 0..STEP {
                columns[place + lane] = column + f32::from(set[lane]);
                rows[place + lane] = row + f32::from(line as u8);
                numbers[place + lane] = first + u32::from(set[lane]);
            }
            end += bits.count_ones() as usize;
        }
        self.count = end;
    }

    /// Ends the gathering, fills the last step with pixels of this number, and tells how many steps there are.
    #[inline(always)]
    pub fn close(&mut self, nowhere: usize) -> usize {
        let count = std::mem::take(&mut self.count).min(MOST);
        self.numbers.as_flattened_mut()[count..count + STEP].fill(nowhere as u32);
        count.div_ceil(STEP)
    }

    /// Columns and rows of the pixels of one of these steps.
    #[inline(always)]
    pub fn places<L: Lanes>(&self, step: usize) -> [L; 2] {
        [L::of(self.columns[step]), L::of(self.rows[step])]
    }

    /// Numbers of its pixels.
    #[inline(always)]
    pub fn numbers(&self, step: usize) -> [u32; STEP] {
        self.numbers[step]
    }
}
