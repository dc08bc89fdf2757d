//! Drifting Gabor: a grating under a Gaussian envelope.
//!
//! grey = background + amplitude exp(-d^2 / 2 sigma^2) cos(2 pi (f s - tf t) + phase), where d is the distance from the
//! Gabor's centre and s its part along the direction of motion, both in azimuthal-equidistant degrees: frequency and
//! size hold over the whole screen.

use std::sync::Arc;

use super::StimulusError;
use super::drawing::{self, Kind};
use super::fields::{CONTRAST, DIRECTION, Field, X, Y, parameters};
use super::gratings::{Drawing, Grating, SPATIAL_FREQUENCY, TEMPORAL_FREQUENCY, Waveform, check_frequencies};
use super::screen::Screen;
use crate::signals::{Degrees, Monitor};

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
    fn check(&self, monitor: &Monitor) -> Result<(), StimulusError> {
        let (spatial, temporal) = (self.spatial_frequency_cyc_per_deg, self.temporal_frequency_hz);
        check_frequencies("Drifting Gabor", spatial, temporal, monitor)
    }

    fn prepare(&self, screen: &Arc<Screen>, _seed: u64) -> Result<Arc<dyn drawing::Drawing>, StimulusError> {
        let grating = Grating {
            direction_deg: self.direction_deg,
            cycles_per_deg: self.spatial_frequency_cyc_per_deg,
            cycles_per_sec: self.temporal_frequency_hz,
            contrast: self.contrast,
            phase_deg: self.phase_deg,
            waveform: Waveform::Sine,
            centre_deg: Some([self.x_deg, self.y_deg]),
        };
        let envelope = screen.places().iter().map(|place| {
            let [x, y] = place.position.map(f64::from);
            let squared = (x - self.x_deg).powi(2) + (y - self.y_deg).powi(2);
            (-squared / (2.0 * self.sigma_deg.powi(2))).exp() as f32
        });
        Ok(Arc::new(Drawing::new(&[grating], Some(envelope.collect()), screen)))
    }
}
