//! Drifting sinusoidal gratings.
//!
//! grey = background + amplitude cos(2 pi (f s - tf t) + phase), where s is the distance along the direction of motion.
//! On the flat screen s is measured in centimetres, with f exact at the centre, so the stripes are straight; a spherical
//! grating measures s in azimuthal-equidistant degrees, so f holds everywhere and the stripes bend.

use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};

use super::fields::{Field, switch};
use super::screen::Screen;
use super::{grey_level, swing};
use crate::signals::{Degrees, Monitor};

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
    /// Amplitude as a fraction of the largest that fits around the background, 0..=1.
    pub contrast: f64,
    /// Phase at onset, degrees of the cycle; 0 puts the brightest line through the centre of the screen.
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

/// What can be set.
pub(super) static FIELDS: &[Field] = &[
    super::fields::DIRECTION,
    Field::number(
        "spatial_frequency_cyc_per_deg",
        "Spatial frequency",
        "cyc/deg",
        (0.0, 0.5),
        0.005,
        "Cycles per degree of visual angle at the centre of the screen",
    ),
    Field::number("temporal_frequency_hz", "Temporal frequency", "Hz", (0.0, 15.0), 0.1, "Cycles per second"),
    super::fields::CONTRAST,
    Field::number(
        "phase_deg",
        "Phase at onset",
        "deg",
        (-360.0, 360.0),
        5.0,
        "Phase of the cycle at the centre of the screen when the stimulus starts",
    ),
    Field::switch(
        "spherical",
        "Spherical correction",
        "Keep the spatial frequency in degrees constant over the flat screen; the stripes then bend",
    ),
];

impl DriftingGrating {
    pub(super) fn get(&self, key: &str) -> Option<f64> {
        Some(match key {
            "direction_deg" => self.direction_deg,
            "spatial_frequency_cyc_per_deg" => self.spatial_frequency_cyc_per_deg,
            "temporal_frequency_hz" => self.temporal_frequency_hz,
            "contrast" => self.contrast,
            "phase_deg" => self.phase_deg,
            "spherical" => f64::from(u8::from(self.spherical)),
            _ => return None,
        })
    }

    pub(super) fn set(&mut self, key: &str, value: f64) -> bool {
        match key {
            "direction_deg" => self.direction_deg = value,
            "spatial_frequency_cyc_per_deg" => self.spatial_frequency_cyc_per_deg = value,
            "temporal_frequency_hz" => self.temporal_frequency_hz = value,
            "contrast" => self.contrast = value,
            "phase_deg" => self.phase_deg = value,
            "spherical" => self.spherical = switch(value),
            _ => return false,
        }
        true
    }
}

/// A grating on a screen, ready to be drawn. All phases are in cycles.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Drawing {
    pub(super) background: f64,
    pub(super) amplitude: f64,
    pub(super) wave: Wave,
    /// Phase of the middle of the screen at onset.
    onset: f64,
    cycles_per_frame: f64,
}

/// How the phase changes over the screen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Wave {
    /// Straight stripes: phase of the first pixel, and its change by column and by row.
    Flat { first: f64, per_column: f64, per_row: f64 },
    /// Cycles per degree along x and along y.
    Spherical { along: [f64; 2] },
}

impl Drawing {
    pub(super) fn new(grating: &DriftingGrating, monitor: &Monitor) -> Self {
        let (sin, cos) = grating.direction_deg.to_radians().sin_cos();
        let frequency = grating.spatial_frequency_cyc_per_deg;
        let wave = if grating.spherical {
            Wave::Spherical { along: [frequency * cos, frequency * sin] }
        } else {
            // At the centre of a flat screen one centimetre covers 1 / D radians.
            let per_cm = frequency * (1.0 / monitor.distance_cm).to_degrees();
            let (dx, dy) = monitor.pitch_cm();
            let (x, y) = monitor.cm_from_pixel(0.0, 0.0);
            Wave::Flat {
                first: per_cm * (x * cos + y * sin),
                per_column: per_cm * dx * cos,
                per_row: -per_cm * dy * sin,
            }
        };
        Self {
            background: f64::from(monitor.background),
            amplitude: grating.contrast * swing(monitor.background),
            wave,
            onset: grating.phase_deg / 360.0,
            cycles_per_frame: grating.temporal_frequency_hz / monitor.frame_rate.0,
        }
    }

    /// Phase of the middle of the screen, 0..1 cycle.
    pub(super) fn phase(&self, frame: usize) -> f64 {
        (self.onset - self.cycles_per_frame * frame as f64).rem_euclid(1.0)
    }

    pub(super) fn frame(&self, screen: &Screen, frame: usize, pixels: &mut [u8]) {
        let middle = self.phase(frame);
        let grey = |cycles: f64| grey_level(self.background + self.amplitude * (TAU * cycles).cos());
        match self.wave {
            Wave::Flat { first, per_column, per_row } => {
                let width = screen.monitor().raster.width;
                for (row, line) in pixels.chunks_exact_mut(width).enumerate() {
                    let left = middle + first + per_row * row as f64;
                    for (column, pixel) in line.iter_mut().enumerate() {
                        *pixel = grey(left + per_column * column as f64);
                    }
                }
            }
            Wave::Spherical { along } => {
                for (place, pixel) in screen.places().iter().zip(pixels) {
                    let [x, y] = place.position.map(f64::from);
                    *pixel = grey(middle + along[0] * x + along[1] * y);
                }
            }
        }
    }
}
