//! Stimuli: one file a kind, each a function of (parameters, seed, frame) with no memory.
//!
//! The CPU version is the formula; the shader of the same stem in `shaders/` is compared with it.
//! Directions: 0 degrees is rightward motion, 90 upward, counter-clockwise.

pub mod schedule;

use serde::{Deserialize, Serialize};

use crate::signals::Degrees;

/// A stimulus with its parameters, as it stands in a protocol.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Stimulus {
    /// Sinusoidal luminance grating that drifts.
    DriftingGrating(DriftingGrating),
    /// Coherently moving random dots.
    MovingDots(MovingDots),
    /// Independent grey squares.
    WhiteNoise(WhiteNoise),
    /// A natural clip from a file.
    Clip(Clip),
}

/// Drifting sinusoidal grating, full field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DriftingGrating {
    /// Direction of motion, degrees.
    pub direction_deg: Degrees,
    /// Cycles per degree at the centre of the screen (over the whole screen when `spherical`).
    pub spatial_frequency_cyc_per_deg: f64,
    /// Cycles per second.
    pub temporal_frequency_hz: f64,
    /// Michelson contrast of grey levels, 0..=1.
    pub contrast: f64,
    /// Phase at onset, degrees of the cycle.
    pub phase_deg: Degrees,
    /// Keep cycles per degree constant over the flat screen.
    pub spherical: bool,
}

impl Default for DriftingGrating {
    fn default() -> Self {
        Self {
            direction_deg: 0.0,
            spatial_frequency_cyc_per_deg: 0.04,
            temporal_frequency_hz: 2.0,
            contrast: 1.0,
            phase_deg: 0.0,
            spherical: false,
        }
    }
}

/// Random dot kinematogram: signal dots move together, noise dots each in a random direction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MovingDots {
    /// Direction of the signal dots, degrees.
    pub direction_deg: Degrees,
    /// Fraction of signal dots, 0..=1.
    pub coherence: f64,
    /// Speed, degrees per second.
    pub speed_deg_per_sec: f64,
    /// Diameter of a dot, degrees.
    pub diameter_deg: Degrees,
    /// Dots per 1000 square degrees.
    pub density_per_1000_deg2: f64,
    /// Time after which a dot is placed anew, seconds.
    pub lifetime_secs: f64,
    /// Difference of the dots from the background, as a fraction of the available range, 0..=1; half the dots
    /// are white and half black.
    pub contrast: f64,
}

impl Default for MovingDots {
    fn default() -> Self {
        Self {
            direction_deg: 0.0,
            coherence: 1.0,
            speed_deg_per_sec: 30.0,
            diameter_deg: 6.0,
            density_per_1000_deg2: 6.0,
            lifetime_secs: 0.67,
            contrast: 1.0,
        }
    }
}

/// White noise: every square has an independent grey level, redrawn at a fixed rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WhiteNoise {
    /// Side of a square at the centre of the screen, degrees.
    pub square_deg: Degrees,
    /// New patterns per second.
    pub refresh_hz: f64,
    /// Standard deviation of the grey levels as a fraction of half the range, 0..=1 (Gaussian, clipped).
    pub contrast: f64,
}

impl Default for WhiteNoise {
    fn default() -> Self {
        Self { square_deg: 5.0, refresh_hz: 10.0, contrast: 0.35 }
    }
}

/// A natural clip from a file: u8 `.npy` or `.npz` `[time, height, width]`, a GIF, or a folder of PNGs; resampled
/// to the monitor raster and frame rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clip {
    /// The file, or the folder of PNGs; relative to the protocol.
    pub path: std::path::PathBuf,
    /// Frames per second of the file; a GIF's own delays are used when absent, else the monitor's rate.
    #[serde(default)]
    pub frames_per_sec: Option<f64>,
}
