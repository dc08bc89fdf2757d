//! Drifting Gabor: a grating under a Gaussian envelope.
//!
//! grey = background + amplitude exp(-d^2 / 2 sigma^2) cos(2 pi (f s - tf t) + phase), where d is the distance from the
//! Gabor's centre and s its part along the direction of motion, both in azimuthal-equidistant degrees: frequency and
//! size hold over the whole screen.

use std::ops::Range;
use std::sync::Arc;

use super::cycles::{Drift, cosine_of_cycles};
use super::drawing::{self, Kind, Painting, Pass, Shader, Table, fixed, shader};
use super::fields::{CONTRAST, DIRECTION, Field, X, Y, parameters};
use super::gratings::{NO_STRIPES, SPATIAL_FREQUENCY, TEMPORAL_FREQUENCY, check_frequencies};
use super::screen::Screen;
use super::{StimulusError, grey_level, swing};
use crate::signals::{Degrees, Monitor};

pub(super) static SHADER: Shader = shader!("gabor", "cycles");

parameters! {
    /// Grating that drifts under a Gaussian envelope that stands still.
    pub struct DriftingGabor {
        /// Centre, degrees right of the middle of the screen.
        x_deg: Degrees = 0.0, X;
        /// Centre, degrees above the middle of the screen.
        y_deg: Degrees = 0.0, Y;
        /// Direction of motion, degrees.
        direction_deg: Degrees = 0.0, DIRECTION;
        /// Cycles per degree.
        spatial_frequency_cyc_per_deg: f64 = 0.043, Field { help: "Cycles per degree of visual angle", ..SPATIAL_FREQUENCY };
        /// Cycles per second.
        temporal_frequency_hz: f64 = 1.7, TEMPORAL_FREQUENCY;
        /// Standard deviation of the envelope, degrees.
        sigma_deg: Degrees = 17.6, Field::number(
            "Envelope sigma",
            "deg",
            (0.5, 90.0),
            0.5,
            "Standard deviation of the Gaussian envelope",
        );
        /// Phase at onset, degrees of the cycle; 0 puts the brightest line through the Gabor's centre.
        phase_deg: Degrees = 0.0, Field::number(
            "Phase at onset",
            "deg",
            (-360.0, 360.0),
            5.0,
            "Phase of the cycle at the Gabor's centre when the stimulus starts; 0 is the brightest line",
        );
        /// Amplitude at the centre as a fraction of the largest that fits around the background, 0..=1.
        contrast: f64 = 1.0, CONTRAST;
    }
}

impl Kind for DriftingGabor {
    fn idle(&self, key: &str) -> Option<&'static str> {
        match key {
            "direction_deg" if self.spatial_frequency_cyc_per_deg == 0.0 => Some(NO_STRIPES),
            _ => None,
        }
    }

    fn check(&self, monitor: &Monitor) -> Result<(), StimulusError> {
        let (spatial, temporal) = (self.spatial_frequency_cyc_per_deg, self.temporal_frequency_hz);
        check_frequencies("Drifting Gabor", spatial, temporal, monitor)
    }

    fn prepare(&self, screen: &Arc<Screen>, _seed: u64) -> Result<Arc<dyn drawing::Drawing>, StimulusError> {
        Ok(Arc::new(Drawing::new(self, screen)))
    }
}

/// A Gabor on a screen, ready to be drawn.
#[derive(Debug, Clone, PartialEq)]
struct Drawing {
    background: f32,
    drift: Drift,
    /// Phase of each pixel against the Gabor's centre.
    phases: Vec<u32>,
    /// Amplitude at each pixel, grey levels.
    amplitudes: Vec<f32>,
}

impl Drawing {
    fn new(gabor: &DriftingGabor, screen: &Screen) -> Self {
        let monitor = screen.monitor();
        let (sin, cos) = gabor.direction_deg.to_radians().sin_cos();
        let amplitude = gabor.contrast * swing(monitor.background);
        let per_pixel = screen.places().iter().map(|place| {
            let [x, y] = place.position.map(f64::from);
            let [x, y] = [x - gabor.x_deg, y - gabor.y_deg];
            let envelope = (-(x * x + y * y) / (2.0 * gabor.sigma_deg.powi(2))).exp();
            (fixed(gabor.spatial_frequency_cyc_per_deg * (x * cos + y * sin)), (amplitude * envelope) as f32)
        });
        let (phases, amplitudes) = per_pixel.unzip();
        let drift = Drift::new(gabor.phase_deg, gabor.temporal_frequency_hz, monitor);
        Self { background: f32::from(monitor.background), drift, phases, amplitudes }
    }
}

impl drawing::Drawing for Drawing {
    fn frame(&self, _screen: &Screen, frame: usize, pixels: &mut [u8]) {
        let (background, centre) = (f64::from(self.background), self.drift.phase(frame));
        for ((pixel, phase), amplitude) in pixels.iter_mut().zip(&self.phases).zip(&self.amplitudes) {
            *pixel = grey_level(background + f64::from(*amplitude) * cosine_of_cycles(phase.wrapping_add(centre)));
        }
    }

    fn painting(&self, screen: &Screen, frames: Range<usize>) -> Option<Painting> {
        let centres: Vec<u32> = frames.map(|frame| self.drift.phase(frame)).collect();
        Some(Painting {
            shader: &SHADER,
            tables: vec![
                Table::of(&[self.background]),
                Table::of(&centres),
                Table::of(&self.phases),
                Table::of(&self.amplitudes),
            ],
            passes: vec![Pass { entry: "draw", things: screen.monitor().raster.pixels() }],
        })
    }
}
