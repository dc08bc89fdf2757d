//! The texture of the objects: periodic noise whose amplitude falls as 1/f, interpolated between four texels.

use super::draw::{self, part};
use super::lanes::{Lanes, STEP};
use crate::stimulus::hash::random_words;

/// Side of the texture, texels.
pub(super) const TEXELS: usize = 256;
/// Texels in a degree.
pub(super) const TEXELS_PER_DEG: f32 = 2.0;
/// Texels from one row to the next: each row ends with its first texel again, and so do the rows, so that the
/// neighbours of a texel never wrap. `shaders/scene.wgsl` reads the same table.
pub(super) const STRIDE: usize = TEXELS + 1;

/// Rows of texels, periodic.
#[derive(Debug)]
pub(super) struct Texture {
    texels: Box<[f32; STRIDE * STRIDE]>,
}

impl Texture {
    /// A periodic texture of mean 0 and deviation 1 whose amplitude falls as 1/f: octaves of smooth noise, each of half the
    /// grain of the one before and of the same variance. Each is a grid of random numbers, interpolated by cubic splines,
    /// periodic like the whole.
    pub fn new(seed: u64) -> Self {
        let mut sum = vec![0.0f64; TEXELS * TEXELS];
        for octave in 1..=6u32 {
            let nodes = 2usize << octave;
            let node = |column: usize, row: usize| {
                let index = (octave << 16) | ((row % nodes) * nodes + column % nodes) as u32;
                part(random_words(seed, index, draw::TEXTURE)[0]) - 0.5
            };
            let grid: Vec<f64> = (0..nodes * nodes).map(|index| node(index % nodes, index / nodes)).collect();
            let grain = TEXELS / nodes;
            // First along rows, then along columns.
            let weights: Vec<[f64; 4]> = (0..grain).map(|texel| spline(texel as f64 / grain as f64)).collect();
            let taps = |texel: usize| {
                let first = texel / grain + nodes - 1;
                [0, 1, 2, 3].map(|tap| (weights[texel % grain][tap], (first + tap) % nodes))
            };
            let mut rows = vec![0.0; nodes * TEXELS];
            for row in 0..nodes {
                for texel in 0..TEXELS {
                    rows[row * TEXELS + texel] =
                        taps(texel).iter().map(|(weight, column)| weight * grid[row * nodes + column]).sum();
                }
            }
            for row in 0..TEXELS {
                for (weight, node) in taps(row) {
                    let line = &rows[node * TEXELS..][..TEXELS];
                    for (sum, value) in sum[row * TEXELS..][..TEXELS].iter_mut().zip(line) {
                        *sum += weight * value;
                    }
                }
            }
        }
        let count = sum.len() as f64;
        let mean = sum.iter().sum::<f64>() / count;
        let deviation = (sum.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count).sqrt();
        let texel =
            |row: usize, column: usize| ((sum[row % TEXELS * TEXELS + column % TEXELS] - mean) / deviation) as f32;
        let texels: Box<[f32]> = (0..STRIDE * STRIDE).map(|index| texel(index / STRIDE, index % STRIDE)).collect();
        Self { texels: texels.try_into().expect("as many as were made") }
    }

    /// The table for the shader.
    pub fn texels(&self) -> &[f32] {
        &self.texels[..]
    }

    /// Values between four texels each: those right of and below the one of this number, so far from it.
    #[inline(always)]
    pub fn between<L: Lanes>(&self, numbers: [usize; STEP], [right, down]: [L; 2]) -> L {
        let (mut above, mut below) = ([[0.0; 2]; STEP], [[0.0; 2]; STEP]);
        for lane in 0..STEP {
            let near = &self.texels[numbers[lane]..][..STRIDE + 2];
            above[lane] = [near[0], near[1]];
            below[lane] = [near[STRIDE], near[STRIDE + 1]];
        }
        let ([left, other], [left_below, other_below]) = (L::unzip(above), L::unzip(below));
        let (above, below) = (left + right * (other - left), left_below + right * (other_below - left_below));
        above + down * (below - above)
    }
}

/// Weights of four nodes for a place between the middle two: the cubic B-spline.
fn spline(t: f64) -> [f64; 4] {
    let s = 1.0 - t;
    [
        s * s * s / 6.0,
        (4.0 - 6.0 * t * t + 3.0 * t * t * t) / 6.0,
        (4.0 - 6.0 * s * s + 3.0 * s * s * s) / 6.0,
        t * t * t / 6.0,
    ]
}
