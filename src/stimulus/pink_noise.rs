//! Pink noise: Gaussian noise whose power falls as 1/f^a over spatial frequency (in all orientations) and as 1/f^b over
//! temporal frequency.
//!
//! Power of the movie at spatial frequency f and temporal frequency w: max(f, f0)^-a max(w, w0)^-b. Below the cut-offs f0
//! and w0 it is flat, so that it has a finite variance; the mean over the field is always the background. Power 1/f^2
//! over the plane is the amplitude 1/f of natural images (Field, "Relations between the statistics of natural images and
//! the response properties of cortical cells", J Opt Soc Am A 4, 1987).
//!
//! Frequencies are those of the flat screen, exact in degrees at its centre. `synthesis.rs` sums the
//! waves.

use std::ops::Range;
use std::sync::Arc;

use super::drawing::{self, Kind, Painting, Shader, shader};
use super::fields::{Field, parameters};
use super::screen::Screen;
use super::synthesis::{Moment, Synthesis, Waves};
use super::{StimulusError, swing};

pub(super) static SHADER: Shader = shader!("pink_noise", "cycles", "synthesis");

parameters! {
    /// Noise of power 1/f^a in space and 1/f^b in time.
    pub struct PinkNoise {
        /// Exponent a of the power over spatial frequency: 0 is white, 2 is amplitude 1/f as in natural images.
        spatial_exponent: f64 = 2.0, Field::number(
            "Spatial exponent",
            "",
            (0.0, 4.0),
            0.1,
            "Power falls as 1/f to this exponent over spatial frequency: 0 is white, 2 (amplitude 1/f) as in natural images",
        );
        /// Exponent b of the power over temporal frequency: 0 is white, 1 is pink.
        temporal_exponent: f64 = 1.0, Field::number(
            "Temporal exponent",
            "",
            (0.0, 4.0),
            0.1,
            "Power falls as 1/f to this exponent over temporal frequency: 0 is new in every frame, 1 pink, 2 Brownian",
        );
        /// Spatial frequency below which the power is flat, cycles per degree.
        spatial_cut_off_cyc_per_deg: f64 = 0.01, Field::number(
            "Spatial low cut-off",
            "cyc/deg",
            (0.001, 0.5),
            0.005,
            "Below this spatial frequency the power no longer rises; the largest blobs are about half its period wide",
        );
        /// Temporal frequency below which the power is flat, Hz.
        temporal_cut_off_hz: f64 = 0.1, Field::number(
            "Temporal low cut-off",
            "Hz",
            (0.01, 15.0),
            0.05,
            "Below this temporal frequency the power no longer rises; the slowest changes last about half its period",
        );
        /// Standard deviation of the grey levels as a fraction of the largest swing around the background, 0..=1
        /// (Gaussian; what leaves the range is clipped).
        contrast: f64 = 0.35, Field::number(
            "Contrast (RMS)",
            "",
            (0.0, 1.0),
            0.05,
            "Standard deviation of the grey levels, as a fraction of the largest swing around the background",
        );
    }
}

impl Kind for PinkNoise {
    fn idle(&self, key: &str) -> Option<&'static str> {
        match key {
            "spatial_cut_off_cyc_per_deg" if self.spatial_exponent == 0.0 => {
                Some("a white spectrum has no cut-off; raise `spatial_exponent`")
            }
            "temporal_cut_off_hz" if self.temporal_exponent == 0.0 => {
                Some("a white spectrum has no cut-off; raise `temporal_exponent`")
            }
            _ => None,
        }
    }

    fn is_random(&self) -> bool {
        true
    }

    fn prepare(&self, screen: &Arc<Screen>, seed: u64) -> Result<Arc<dyn drawing::Drawing>, StimulusError> {
        let monitor = screen.monitor();
        let waves = Waves::new(monitor, f64::INFINITY);
        // The amplitude is the root of the power.
        let amplitude = |[x, y]: [f64; 2]| {
            x.hypot(y).max(self.spatial_cut_off_cyc_per_deg).powf(-self.spatial_exponent / 2.0) as f32
        };
        let amplitudes = waves.vectors().map(|vector| vector.map_or(0.0, amplitude)).collect();
        let slowest = self.temporal_cut_off_hz / monitor.frame_rate.0;
        let power = |cycles: f64| (cycles.max(slowest) / slowest).powf(-self.temporal_exponent);
        let deviation = self.contrast * swing(monitor.background);
        Ok(Arc::new(Drawing(Synthesis::new(waves, seed, monitor.background, deviation, power, amplitudes))))
    }
}

/// Pink noise on a screen, ready to be drawn.
#[derive(Debug)]
struct Drawing(Synthesis);

impl drawing::Drawing for Drawing {
    fn frame(&self, _screen: &Screen, frame: usize, pixels: &mut [u8]) {
        self.0.frame(Moment::at(frame), pixels);
    }

    fn painting(&self, _screen: &Screen, frames: Range<usize>) -> Option<Painting> {
        let times: Vec<u32> = frames.map(|frame| Moment::at(frame).time).collect();
        self.0.painting(&SHADER, &times)
    }
}
