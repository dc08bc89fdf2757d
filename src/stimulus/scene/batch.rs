//! Pixels of one object, gathered from its tiles so that they are computed several at once.
//!
//! Each step goes over all of them before the next begins: such loops are simple enough for the compiler to turn into
//! instructions for several numbers, on every processor, while few of the pixels in a tile need to be computed at all.

use super::leaf::Leaf;
use super::texture::Texture;
use super::tiles::TILE;

/// Pixels of a tile.
pub(super) const PIXELS: usize = TILE * TILE;
/// Most pixels of a batch.
const MOST: usize = 4 * PIXELS;
/// Batches are computed in steps of so many pixels; what is beyond the last is computed in vain.
const STEP: usize = 8;

/// Pixels by their place on the screen and their number in the canvas.
pub(super) struct Batch {
    count: usize,
    // A screen has at most 4096 columns and rows.
    columns: [u16; MOST],
    rows: [u16; MOST],
    numbers: [u32; MOST],
    own: [[f32; MOST]; 2],
    covers: [f32; MOST],
    texels: [u32; MOST],
    rest: [[f32; MOST]; 2],
}

/// What was computed of a pixel.
pub(super) struct Painted {
    pub number: usize,
    pub cover: f32,
    pub grey: f32,
}

impl Batch {
    pub fn new() -> Self {
        Self {
            count: 0,
            columns: [0; MOST],
            rows: [0; MOST],
            numbers: [0; MOST],
            own: [[0.0; MOST]; 2],
            covers: [1.0; MOST],
            texels: [0; MOST],
            rest: [[0.0; MOST]; 2],
        }
    }

    /// Whether nothing was gathered.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether another tile might not find room.
    pub fn is_full(&self) -> bool {
        self.count > MOST - PIXELS
    }

    /// Gathers the pixels of a tile that have a bit here.
    #[inline]
    pub fn gather(&mut self, tile: usize, [column, row]: [usize; 2], mut bits: u64) {
        let mut count = self.count;
        while bits != 0 {
            let bit = bits.trailing_zeros() as usize;
            bits &= bits - 1;
            let place = count % MOST;
            self.columns[place] = (column + bit % TILE) as u16;
            self.rows[place] = (row + bit / TILE) as u16;
            self.numbers[place] = (tile * PIXELS + bit) as u32;
            count += 1;
        }
        self.count = count;
    }

    /// Computes the parts that an object covers; otherwise it covers all.
    #[inline]
    pub fn cover(&mut self, leaf: &Leaf) {
        self.place(leaf);
        let count = self.steps();
        if leaf.rectangle == 1 {
            for pixel in 0..count {
                self.covers[pixel] = leaf.cover::<true>([self.own[0][pixel], self.own[1][pixel]]);
            }
        } else {
            for pixel in 0..count {
                self.covers[pixel] = leaf.cover::<false>([self.own[0][pixel], self.own[1][pixel]]);
            }
        }
    }

    /// Finds the pixels in the object's own axes.
    #[inline]
    pub fn place(&mut self, leaf: &Leaf) {
        for pixel in 0..self.steps() {
            let [u, v] = leaf.own(f32::from(self.columns[pixel]), f32::from(self.rows[pixel]));
            self.own[0][pixel] = u;
            self.own[1][pixel] = v;
        }
    }

    /// Tells grey levels of all that were gathered, and forgets them.
    #[inline]
    pub fn paint(&mut self, leaf: &Leaf, texture: &Texture, relief: f32, mut each: impl FnMut(Painted)) {
        for pixel in 0..self.steps() {
            let (texel, right, down) = leaf.texel([self.own[0][pixel], self.own[1][pixel]]);
            self.texels[pixel] = texel;
            self.rest[0][pixel] = right;
            self.rest[1][pixel] = down;
        }
        for pixel in 0..self.count.min(MOST) {
            let value = texture.between(self.texels[pixel], self.rest[0][pixel], self.rest[1][pixel]);
            let grey = leaf.grey + relief * value;
            each(Painted { number: self.numbers[pixel] as usize, cover: self.covers[pixel], grey });
        }
        self.count = 0;
    }

    fn steps(&self) -> usize {
        self.count.next_multiple_of(STEP).min(MOST)
    }
}
