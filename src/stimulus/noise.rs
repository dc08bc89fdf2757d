//! White noise: squares of independent grey levels, Gaussian, or black and white with equal probability.
//!
//! The squares are equal on the screen (and so exact in degrees at its centre). A level is drawn by comparing one random
//! word with the cumulative probabilities of all 256 levels: integers only, the same on CPU and GPU.

use std::ops::Range;
use std::sync::Arc;

use bytemuck::{Pod, Zeroable};

use super::drawing::{self, Kind, Painting, Pass, Shader, Table, halves, shader};
use super::fields::{CONTRAST, Field, parameters};
use super::hash::random_words;
use super::screen::Screen;
use super::{StimulusError, grey_level, swing};
use crate::signals::{Degrees, Monitor};

pub(super) static SHADER: Shader = shader!("noise", "hash");

parameters! {
    /// White noise: every square has an independent grey level, redrawn at a fixed rate.
    pub struct WhiteNoise {
        /// Side of a square at the centre of the screen, degrees.
        square_deg: Degrees = 5.0, SQUARE;
        /// New patterns per second.
        refresh_hz: f64 = 10.0, REFRESH;
        /// Standard deviation of the grey levels as a fraction of the largest swing around the background, 0..=1
        /// (Gaussian; what leaves the range is clipped).
        contrast: f64 = 0.35, Field::number(
            "Contrast",
            "",
            (0.0, 1.0),
            0.05,
            "Standard deviation of the grey levels, as a fraction of the largest swing around the background",
        );
    }
}

parameters! {
    /// Black and white noise: every square is black or white with equal probability, drawn anew at a fixed rate.
    pub struct BinaryNoise {
        /// Side of a square at the centre of the screen, degrees.
        square_deg: Degrees = 5.0, SQUARE;
        /// New patterns per second.
        refresh_hz: f64 = 10.0, REFRESH;
        /// Difference of black and white from the background as a fraction of the largest that fits, 0..=1.
        contrast: f64 = 1.0, CONTRAST;
    }
}

const SQUARE: Field = Field::number(
    "Square size",
    "deg",
    (0.5, 90.0),
    0.5,
    "Side of each square at the centre of the screen, in degrees of visual angle",
);

const REFRESH: Field =
    Field::number("Refresh rate", "Hz", (0.1, 240.0), 1.0, "How often every square gets a new grey level");

impl Kind for WhiteNoise {
    fn is_random(&self) -> bool {
        true
    }

    fn prepare(&self, screen: &Arc<Screen>, seed: u64) -> Result<Arc<dyn drawing::Drawing>, StimulusError> {
        let monitor = screen.monitor();
        let thresholds = thresholds(f64::from(monitor.background), self.contrast * swing(monitor.background));
        Ok(Arc::new(Drawing::new(monitor, seed, thresholds, self.square_deg, self.refresh_hz)))
    }
}

impl Kind for BinaryNoise {
    fn is_random(&self) -> bool {
        true
    }

    fn prepare(&self, screen: &Arc<Screen>, seed: u64) -> Result<Arc<dyn drawing::Drawing>, StimulusError> {
        let monitor = screen.monitor();
        let thresholds = two_levels(f64::from(monitor.background), self.contrast * swing(monitor.background));
        Ok(Arc::new(Drawing::new(monitor, seed, thresholds, self.square_deg, self.refresh_hz)))
    }
}

/// Parameters of the shader.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Uniform {
    seed: [u32; 2],
}

/// Noise of squares on a screen, ready to be drawn.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Drawing {
    pub(super) seed: u64,
    /// The level is the number of thresholds that 31 random bits reach; ascending.
    pub(super) thresholds: Vec<u32>,
    /// Number of the square of each column and each row; square 0 starts at the centre of the screen.
    pub(super) squares_across: Vec<i32>,
    pub(super) squares_up: Vec<i32>,
    patterns_per_frame: f64,
}

impl Drawing {
    fn new(monitor: &Monitor, seed: u64, thresholds: Vec<u32>, square_deg: Degrees, refresh_hz: f64) -> Self {
        let side_cm = square_deg.to_radians() * monitor.distance_cm;
        let square = |cm: f64| (cm / side_cm).floor() as i32;
        let raster = monitor.raster;
        Self {
            seed,
            thresholds,
            squares_across: (0..raster.width).map(|c| square(monitor.cm_from_pixel(0.0, c as f64).0)).collect(),
            squares_up: (0..raster.height).map(|r| square(monitor.cm_from_pixel(r as f64, 0.0).1)).collect(),
            patterns_per_frame: refresh_hz / monitor.frame_rate.0,
        }
    }

    /// Number of the pattern that a frame shows.
    pub(super) fn pattern(&self, frame: usize) -> u32 {
        // The small addition keeps 10 patterns/s at 30 frames/s from missing their frame by a rounding error.
        (frame as f64 * self.patterns_per_frame + 1e-9) as u64 as u32
    }

    fn level(&self, across: i32, up: i32, pattern: u32) -> u8 {
        let square = (up as u32) << 16 | (across as u32 & 0xffff);
        let word = random_words(self.seed, square, pattern)[0] >> 1;
        self.thresholds.partition_point(|&threshold| threshold <= word) as u8
    }
}

impl drawing::Drawing for Drawing {
    fn frame(&self, _screen: &Screen, frame: usize, pixels: &mut [u8]) {
        let pattern = self.pattern(frame);
        let mut above: Option<(i32, &[u8])> = None;
        for (line, &up) in pixels.chunks_exact_mut(self.squares_across.len()).zip(&self.squares_up) {
            match above {
                Some((same, row)) if same == up => line.copy_from_slice(row),
                _ => {
                    let mut last = None;
                    for (pixel, &across) in line.iter_mut().zip(&self.squares_across) {
                        *pixel = match last {
                            Some((same, level)) if same == across => level,
                            _ => self.level(across, up, pattern),
                        };
                        last = Some((across, *pixel));
                    }
                }
            }
            above = Some((up, line));
        }
    }

    fn painting(&self, screen: &Screen, frames: Range<usize>) -> Option<Painting> {
        let uniform = Uniform { seed: halves(self.seed) };
        let squares = self.squares_across.iter().chain(&self.squares_up).map(|&square| square as u32);
        let tables: Vec<u32> = self.thresholds.iter().copied().chain(squares).collect();
        let patterns: Vec<u32> = frames.map(|frame| self.pattern(frame)).collect();
        Some(Painting {
            shader: &SHADER,
            tables: vec![Table::of(&[uniform]), Table::of(&patterns), Table::of(&tables)],
            passes: vec![Pass { entry: "draw", things: screen.monitor().raster.pixels() }],
        })
    }
}

/// 2^31 times the probability that the level is below 1, 2, ... 255, for a Gaussian rounded to whole levels and clipped.
/// Words of 31 bits leave room for the threshold of certainty, which none reaches.
fn thresholds(mean: f64, deviation: f64) -> Vec<u32> {
    (1..256)
        .map(|level| {
            let edge = f64::from(level) - 0.5 - mean;
            let below = if deviation > 0.0 { normal_cumulative(edge / deviation) } else { f64::from(edge > 0.0) };
            (below * 2f64.powi(31)) as u32
        })
        .collect()
}

/// 2^31 times the probability that the level is below 1, 2, ... 255, when it is `mean - swing` or `mean + swing`.
fn two_levels(mean: f64, swing: f64) -> Vec<u32> {
    let [black, white] = [mean - swing, mean + swing].map(grey_level);
    let below = |level: u8| u32::from(level > black) + u32::from(level > white);
    (1..=255).map(|level| below(level) << 30).collect()
}

/// Cumulative standard normal distribution: 1/2 + density(z) (z + z^3/3 + z^5/15 + ...), exact to the last digits where
/// a 32-bit probability can tell.
pub(super) fn normal_cumulative(z: f64) -> f64 {
    if z.abs() > 7.0 {
        return f64::from(z > 0.0);
    }
    let mut term = z;
    let mut sum = z;
    let mut odd = 1.0;
    while term.abs() > 1e-17 * sum.abs() {
        odd += 2.0;
        term *= z * z / odd;
        sum += term;
    }
    0.5 + sum * (-z * z / 2.0).exp() / std::f64::consts::TAU.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_normal_distribution_has_its_tabulated_values() {
        for (z, p) in
            [(0.0, 0.5), (1.0, 0.841_344_746_068_543), (-1.96, 0.024_997_895_148_22), (4.0, 0.999_968_328_758_167)]
        {
            assert!((normal_cumulative(z) - p).abs() < 1e-13, "{z}: {}", normal_cumulative(z));
        }
    }
}
