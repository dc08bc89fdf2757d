//! Sparse noise: a few squares are white or black, the others show the background.
//!
//! The squares are equal on the screen (and so exact in degrees at its centre). Each is on or off by chance of its own
//! in every pattern, as reverse correlation wants it (Jones and Palmer, J. Neurophysiol. 58, 1987, with several squares
//! at a time). Chance is compared in integers: the same on CPU and GPU.

use std::ops::Range;
use std::sync::Arc;

use bytemuck::{Pod, Zeroable};

use super::dots::Polarity;
use super::drawing::{self, Kind, Painting, Pass, Shader, Table, halves, shader};
use super::fields::{CONTRAST, Field, parameters};
use super::hash::random_words;
use super::screen::Screen;
use super::{Stimulus, StimulusError, check_monitor, grey_level};
use crate::signals::{Degrees, Monitor};

pub(super) static SHADER: Shader = shader!("sparse_noise", "hash");

parameters! {
    /// Sparse noise: independent white and black squares on the background.
    pub struct SparseNoise {
        /// Side of a square at the centre of the screen, degrees.
        square_deg: Degrees = 5.0, Field::number(
            "Square size",
            "deg",
            (0.5, 90.0),
            0.5,
            "Side of each square at the centre of the screen, in degrees of visual angle",
        );
        /// New patterns per second.
        refresh_hz: f64 = 4.0, Field::number(
            "Refresh rate",
            "Hz",
            (0.1, 240.0),
            1.0,
            "How often a new pattern appears",
        );
        /// Fraction of the squares that are white or black, 0..=1.
        density: f64 = 0.05, Field::number(
            "Density",
            "",
            (0.0, 1.0),
            0.01,
            "Chance of each square to be white or black in a pattern",
        );
        /// White squares, black squares or both with equal chance.
        polarity: Polarity = Polarity::Both, Field::choice(
            "Polarity",
            Polarity::OPTIONS,
            "Whether squares are white, black, or one or the other with equal chance",
        );
        /// Difference of the squares from the background, as a fraction of the available range, 0..=1.
        contrast: f64 = 1.0, CONTRAST;
    }
}

impl Kind for SparseNoise {
    fn idle(&self, key: &str) -> Option<&'static str> {
        match key {
            "square_deg" | "refresh_hz" | "polarity" | "contrast" if self.density == 0.0 => {
                Some("there are no squares; raise `density`")
            }
            _ => None,
        }
    }

    fn is_random(&self) -> bool {
        true
    }

    fn prepare(&self, screen: &Arc<Screen>, seed: u64) -> Result<Arc<dyn drawing::Drawing>, StimulusError> {
        Ok(Arc::new(Drawing::new(self, screen.monitor(), seed)))
    }
}

/// Which squares are on and off when.
#[derive(Debug, Clone, PartialEq)]
pub struct SparsePatterns {
    seed: u64,
    /// A square is on or off when 31 random bits lie below this.
    threshold: u32,
    polarity: Polarity,
    patterns_per_frame: f64,
    /// The squares that have pixels, from the left and from the top; square 0 starts at the centre of the screen.
    across: Vec<i32>,
    up: Vec<i32>,
    /// Index into these of each column and each row of pixels.
    column_of_pixel: Vec<usize>,
    row_of_pixel: Vec<usize>,
}

impl SparsePatterns {
    /// The patterns that this stimulus shows under a seed.
    ///
    /// # Errors
    /// When the stimulus or the monitor is impossible.
    pub fn new(noise: &SparseNoise, monitor: &Monitor, seed: u64) -> Result<Self, StimulusError> {
        check_monitor(monitor)?;
        Stimulus::from(noise.clone()).validate_for(monitor)?;
        Ok(Self::unchecked(noise, monitor, seed))
    }

    fn unchecked(noise: &SparseNoise, monitor: &Monitor, seed: u64) -> Self {
        let side_cm = noise.square_deg.to_radians() * monitor.distance_cm;
        let square = |cm: f64| (cm / side_cm).floor() as i32;
        let raster = monitor.raster;
        let (across, column_of_pixel) =
            distinct((0..raster.width).map(|column| square(monitor.cm_from_pixel(0.0, column as f64).0)));
        let (up, row_of_pixel) =
            distinct((0..raster.height).map(|row| square(monitor.cm_from_pixel(row as f64, 0.0).1)));
        Self {
            seed,
            threshold: (noise.density * 2f64.powi(31)).round() as u32,
            polarity: noise.polarity,
            patterns_per_frame: noise.refresh_hz / monitor.frame_rate.0,
            across,
            up,
            column_of_pixel,
            row_of_pixel,
        }
    }

    /// Squares side by side.
    pub fn columns(&self) -> usize {
        self.across.len()
    }

    /// Squares above one another.
    pub fn rows(&self) -> usize {
        self.up.len()
    }

    /// Column and row of the square to which a pixel belongs.
    ///
    /// # Panics
    /// When the monitor has no such pixel.
    pub fn square_of_pixel(&self, row: usize, column: usize) -> (usize, usize) {
        (self.column_of_pixel[column], self.row_of_pixel[row])
    }

    /// Number of the pattern that a frame shows; two frames of one number show the same.
    pub fn number(&self, frame: usize) -> u32 {
        // The small addition keeps 10 patterns/s at 30 frames/s from missing their frame by a rounding error.
        (frame as f64 * self.patterns_per_frame + 1e-9) as u64 as u32
    }

    /// The pattern of a frame, `[row, column]` from the upper left: 1 is white, -1 black, 0 the background.
    pub fn pattern(&self, frame: usize) -> Vec<i8> {
        let number = self.number(frame);
        self.up.iter().flat_map(|&up| self.across.iter().map(move |&across| self.square(across, up, number))).collect()
    }

    fn square(&self, across: i32, up: i32, number: u32) -> i8 {
        let square = (up as u32) << 16 | (across as u32 & 0xffff);
        let [chance, sign, ..] = random_words(self.seed, square, number);
        match self.polarity {
            _ if chance >> 1 >= self.threshold => 0,
            Polarity::White => 1,
            Polarity::Black => -1,
            Polarity::Both => {
                if sign >> 31 == 0 {
                    1
                } else {
                    -1
                }
            }
        }
    }
}

/// The different numbers of a monotonous sequence in order, and the index of each of its terms among them.
fn distinct(numbers: impl Iterator<Item = i32>) -> (Vec<i32>, Vec<usize>) {
    let mut different = Vec::new();
    let indices = numbers
        .map(|number| {
            if different.last() != Some(&number) {
                different.push(number);
            }
            different.len() - 1
        })
        .collect();
    (different, indices)
}

/// Parameters of the shader.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Uniform {
    seed: [u32; 2],
    threshold: u32,
    background: f32,
    white: f32,
    black: f32,
}

/// Sparse noise on a screen, ready to be drawn.
#[derive(Debug, Clone, PartialEq)]
struct Drawing {
    patterns: SparsePatterns,
    /// Grey levels of black, the background and white.
    greys: [u8; 3],
}

impl Drawing {
    fn new(noise: &SparseNoise, monitor: &Monitor, seed: u64) -> Self {
        let background = f64::from(monitor.background);
        let white = background + noise.contrast * (255.0 - background);
        let black = background - noise.contrast * background;
        Self {
            patterns: SparsePatterns::unchecked(noise, monitor, seed),
            greys: [black, background, white].map(grey_level),
        }
    }
}

impl drawing::Drawing for Drawing {
    fn frame(&self, _screen: &Screen, frame: usize, pixels: &mut [u8]) {
        let patterns = &self.patterns;
        let pattern = patterns.pattern(frame);
        let width = patterns.column_of_pixel.len();
        let mut above: Option<(usize, &[u8])> = None;
        for (line, &row) in pixels.chunks_exact_mut(width).zip(&patterns.row_of_pixel) {
            match above {
                Some((same, drawn)) if same == row => line.copy_from_slice(drawn),
                _ => {
                    let squares = &pattern[row * patterns.columns()..][..patterns.columns()];
                    for (pixel, &column) in line.iter_mut().zip(&patterns.column_of_pixel) {
                        *pixel = self.greys[(squares[column] + 1) as usize];
                    }
                }
            }
            above = Some((row, line));
        }
    }

    fn painting(&self, screen: &Screen, frames: Range<usize>) -> Option<Painting> {
        let patterns = &self.patterns;
        let [black, background, white] = self.greys.map(f32::from);
        // One polarity: whatever the sign, the grey level is the same.
        let (white, black) = match patterns.polarity {
            Polarity::Both => (white, black),
            Polarity::White => (white, white),
            Polarity::Black => (black, black),
        };
        let uniform = Uniform { seed: halves(patterns.seed), threshold: patterns.threshold, background, white, black };
        let numbers: Vec<u32> = frames.map(|frame| patterns.number(frame)).collect();
        let columns = patterns.column_of_pixel.iter().map(|&column| patterns.across[column] as u32);
        let rows = patterns.row_of_pixel.iter().map(|&row| patterns.up[row] as u32);
        let squares: Vec<u32> = columns.chain(rows).collect();
        Some(Painting {
            shader: &SHADER,
            tables: vec![Table::of(&[uniform]), Table::of(&numbers), Table::of(&squares)],
            passes: vec![Pass { entry: "draw", things: screen.monitor().raster.pixels() }],
        })
    }
}
