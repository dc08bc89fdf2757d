//! Phase scrambling: each spatial frequency is shifted by a random phase, so that a frame keeps its amplitude spectrum and
//! its mean but loses its contours.
//!
//! The shift of frequency k is fraction phi(k), phi uniform in -pi..pi and odd, phi(-k) = -phi(k), so that the picture
//! stays real; frequencies that are their own opposite, the mean among them, are not shifted. All frames share one field
//! of phases: it is one fixed filter of gain 1, so each frequency keeps its course in time and with it its motion energy.
//!
//! The transform is that of the raster, whose opposite borders thereby become neighbours. Contrast is spread more evenly
//! than in the original: a pixel that leaves 0..=255 is clipped, which changes the spectrum a little at high contrast.

use std::f64::consts::PI;
use std::fmt;
use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use super::super::fields::{Field, parameters};
use super::super::hash::random_words;
use super::{Change, ModifierParameters, Prepared, Screen, StimulusError};

parameters! {
    /// Random phases for every spatial frequency.
    pub struct PhaseScramble {
        /// Largest shift as a fraction of half a cycle, 0..=1; 1 leaves nothing of the original phases.
        fraction: f64 = 1.0, Field::number(
            "Fraction",
            "",
            (0.0, 1.0),
            0.05,
            "Largest shift, in half cycles: 0 changes nothing, 1 leaves no contour; what leaves the range is clipped",
        );
    }
}

impl ModifierParameters for PhaseScramble {
    fn is_random(&self) -> bool {
        self.fraction > 0.0
    }

    fn prepare(
        &self,
        below: &Prepared,
        _nested: Option<Prepared>,
        seed: u64,
    ) -> Result<Box<dyn Change>, StimulusError> {
        let raster = below.monitor().raster;
        let (width, height) = (raster.width, raster.height);
        let scale = 1.0 / raster.pixels() as f64;
        let mut filter = vec![Complex::new(scale as f32, 0.0); raster.pixels()];
        for index in 0..filter.len() {
            // Columns first, as the picture lies after the first half of the transform.
            let (column, row) = (index / height, index % height);
            let opposite = (width - column) % width * height + (height - row) % height;
            if index < opposite {
                let [word, ..] = random_words(seed, index as u32, 0);
                let shift = self.fraction * PI * (2.0 * ((f64::from(word) + 0.5) / 2f64.powi(32)) - 1.0);
                let (sin, cos) = shift.sin_cos();
                filter[index] = Complex::new((scale * cos) as f32, (scale * sin) as f32);
                filter[opposite] = filter[index].conj();
            }
        }
        let mut planner = FftPlanner::new();
        Ok(Box::new(Scrambler {
            across: [planner.plan_fft_forward(width), planner.plan_fft_inverse(width)],
            down: [planner.plan_fft_forward(height), planner.plan_fft_inverse(height)],
            filter,
        }))
    }
}

/// A filter that shifts phases, [column, row] of frequencies; the scale of the transforms is in it.
struct Scrambler {
    across: [Arc<dyn Fft<f32>>; 2],
    down: [Arc<dyn Fft<f32>>; 2],
    filter: Vec<Complex<f32>>,
}

impl fmt::Debug for Scrambler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scrambler").field("frequencies", &self.filter.len()).finish_non_exhaustive()
    }
}

impl Change for Scrambler {
    fn apply(&self, screen: &Screen, _frame: usize, greys: &mut [f32]) {
        let raster = screen.monitor().raster;
        let background = f32::from(screen.monitor().background);
        let most = self.across.iter().chain(&self.down).map(|fft| fft.get_inplace_scratch_len()).max();
        let mut scratch = vec![Complex::default(); most.unwrap_or(0)];
        // About the background, where rounding errors of 32 bits are smallest.
        let mut rows: Vec<Complex<f32>> = greys.iter().map(|&grey| Complex::new(grey - background, 0.0)).collect();
        let mut columns = vec![Complex::default(); rows.len()];
        self.across[0].process_with_scratch(&mut rows, &mut scratch);
        transpose(&rows, &mut columns, raster.width, raster.height);
        self.down[0].process_with_scratch(&mut columns, &mut scratch);
        for (value, shift) in columns.iter_mut().zip(&self.filter) {
            *value *= shift;
        }
        self.down[1].process_with_scratch(&mut columns, &mut scratch);
        transpose(&columns, &mut rows, raster.height, raster.width);
        self.across[1].process_with_scratch(&mut rows, &mut scratch);
        for (grey, value) in greys.iter_mut().zip(&rows) {
            *grey = background + value.re;
        }
    }
}

/// Rows of `width` become columns; in squares that stay in the cache.
fn transpose(from: &[Complex<f32>], to: &mut [Complex<f32>], width: usize, height: usize) {
    const BLOCK: usize = 16;
    for top in (0..height).step_by(BLOCK) {
        for left in (0..width).step_by(BLOCK) {
            for row in top..(top + BLOCK).min(height) {
                for column in left..(left + BLOCK).min(width) {
                    to[column * height + row] = from[row * width + column];
                }
            }
        }
    }
}
