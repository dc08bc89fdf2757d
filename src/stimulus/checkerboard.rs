//! Checkerboard that reverses its contrast.
//!
//! The checks are equal squares on the screen (and so exact in degrees at its centre). A check is bright when the sum of
//! its numbers across and up is even, and the other way round after every odd number of reversals. Integers only, the
//! same on CPU and GPU.

use std::ops::Range;
use std::sync::Arc;

use super::drawing::{self, Kind, Painting, Pass, Shader, Table, shader};
use super::fields::{CONTRAST, Field, parameters};
use super::screen::Screen;
use super::{StimulusError, grey_level, swing};
use crate::signals::{Degrees, Monitor};

pub(super) static SHADER: Shader = shader!("checkerboard");

parameters! {
    /// Bright and dark checks that change places.
    pub struct Checkerboard {
        /// Side of a check at the centre of the screen, degrees.
        check_deg: Degrees = 10.0, Field::number(
            "Check size",
            "deg",
            (0.5, 90.0),
            0.5,
            "Side of each check at the centre of the screen, in degrees of visual angle",
        );
        /// Reversals per second; two of them make a cycle.
        reversal_hz: f64 = 2.0, Field::number(
            "Reversal rate",
            "Hz",
            (0.0, 240.0),
            0.5,
            "How often bright and dark checks change places; a whole cycle has two reversals",
        );
        /// Amplitude as a fraction of the largest that fits around the background, 0..=1.
        contrast: f64 = 1.0, CONTRAST;
        /// Shift to the right, degrees of the cycle of two checks; 0 puts a corner of four checks at the centre.
        phase_deg: Degrees = 0.0, Field::number(
            "Phase",
            "deg",
            (-360.0, 360.0),
            15.0,
            "Shift to the right in degrees of the cycle of two checks; 0 puts a corner at the centre, 180 swaps the checks",
        );
    }
}

impl Kind for Checkerboard {
    fn check(&self, monitor: &Monitor) -> Result<(), StimulusError> {
        let (pixel, fastest) = (monitor.centre_degrees_per_pixel(), monitor.frame_rate.0);
        let impossible = |key, what| Err(StimulusError::Impossible { stimulus: "Checkerboard", key, what });
        if self.check_deg < pixel {
            let what = format!("is {}, less than one pixel of {pixel:.3} deg", self.check_deg);
            return impossible("check_deg", what);
        }
        if self.reversal_hz > fastest {
            let what = format!("is {}, more than the {fastest} frames per second of the monitor", self.reversal_hz);
            return impossible("reversal_hz", what);
        }
        Ok(())
    }

    fn prepare(&self, screen: &Arc<Screen>, _seed: u64) -> Result<Arc<dyn drawing::Drawing>, StimulusError> {
        Ok(Arc::new(Drawing::new(self, screen.monitor())))
    }
}

/// A checkerboard on a screen, ready to be drawn.
#[derive(Debug, Clone, PartialEq)]
struct Drawing {
    /// Grey level of even and of odd checks before the first reversal.
    levels: [u8; 2],
    /// 0 or 1 for each column, then for each row: whether the number of its check is odd.
    odd_across: Vec<u32>,
    odd_up: Vec<u32>,
    reversals_per_frame: f64,
}

impl Drawing {
    fn new(board: &Checkerboard, monitor: &Monitor) -> Self {
        let side_cm = board.check_deg.to_radians() * monitor.distance_cm;
        let odd = |checks: f64| (checks.floor() as i64).rem_euclid(2) as u32;
        let raster = monitor.raster;
        let shift = board.phase_deg / 180.0;
        let (background, amplitude) = (f64::from(monitor.background), board.contrast * swing(monitor.background));
        Self {
            levels: [background + amplitude, background - amplitude].map(grey_level),
            odd_across: (0..raster.width)
                .map(|column| odd(monitor.cm_from_pixel(0.0, column as f64).0 / side_cm - shift))
                .collect(),
            odd_up: (0..raster.height).map(|row| odd(monitor.cm_from_pixel(row as f64, 0.0).1 / side_cm)).collect(),
            reversals_per_frame: board.reversal_hz / monitor.frame_rate.0,
        }
    }

    /// Whether a frame shows the reversed board, 0 or 1.
    fn reversed(&self, frame: usize) -> u32 {
        // The small addition keeps reversals from missing their frame by a rounding error.
        ((frame as f64 * self.reversals_per_frame + 1e-9) as u64 % 2) as u32
    }
}

impl drawing::Drawing for Drawing {
    fn frame(&self, _screen: &Screen, frame: usize, pixels: &mut [u8]) {
        let reversed = self.reversed(frame);
        for (line, up) in pixels.chunks_exact_mut(self.odd_across.len()).zip(&self.odd_up) {
            for (pixel, across) in line.iter_mut().zip(&self.odd_across) {
                *pixel = self.levels[(across ^ up ^ reversed) as usize];
            }
        }
    }

    fn painting(&self, screen: &Screen, frames: Range<usize>) -> Option<Painting> {
        let reversed: Vec<u32> = frames.map(|frame| self.reversed(frame)).collect();
        let odd: Vec<u32> = self.odd_across.iter().chain(&self.odd_up).copied().collect();
        Some(Painting {
            shader: &SHADER,
            tables: vec![Table::of(&self.levels.map(u32::from)), Table::of(&reversed), Table::of(&odd)],
            passes: vec![Pass { entry: "draw", things: screen.monitor().raster.pixels() }],
        })
    }
}
