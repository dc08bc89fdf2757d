//! Drifting sinusoidal gratings.
//!
//! grey = background + amplitude cos(2 pi (f s - tf t) + phase), where s is the distance along the direction of motion.
//! On the flat screen s is measured in centimetres, with f exact at the centre, so the stripes are straight; a spherical
//! grating measures s in azimuthal-equidistant degrees, so f holds everywhere and the stripes bend.

use std::f64::consts::TAU;

use std::ops::Range;
use std::sync::Arc;

use bytemuck::{Pod, Zeroable};

use super::drawing::{self, Kind, Painting, Pass, Shader, Table, fixed, shader};
use super::fields::{CONTRAST, DIRECTION, Field, parameters};
use super::screen::Screen;
use super::{StimulusError, grey_level, swing};
use crate::signals::{Degrees, Monitor};

pub(super) static SHADER: Shader = shader!("gratings", "geometry", "cycles");

parameters! {
    /// Drifting sinusoidal grating, full field.
    pub struct DriftingGrating {
        /// Direction of motion, degrees.
        direction_deg: Degrees = 0.0, DIRECTION;
        /// Cycles per degree at the centre of the screen (over the whole screen when `spherical`).
        spatial_frequency_cyc_per_deg: f64 = 0.04, SPATIAL_FREQUENCY;
        /// Cycles per second.
        temporal_frequency_hz: f64 = 2.0,
            Field::number("Temporal frequency", "Hz", (0.0, 15.0), 0.1, "Cycles per second");
        /// Amplitude as a fraction of the largest that fits around the background, 0..=1.
        contrast: f64 = 1.0, CONTRAST;
        /// Phase at onset, degrees of the cycle; 0 puts the brightest line through the centre of the screen.
        phase_deg: Degrees = 0.0, Field::number(
            "Phase at onset",
            "deg",
            (-360.0, 360.0),
            5.0,
            "Phase of the cycle at the centre of the screen when the stimulus starts",
        );
        /// Keep cycles per degree constant over the flat screen.
        spherical: bool = false, Field::switch(
            "Spherical correction",
            "Keep the spatial frequency in degrees constant over the flat screen; the stripes then bend",
        );
    }
}

const SPATIAL_FREQUENCY: Field = Field::number(
    "Spatial frequency",
    "cyc/deg",
    (0.0, 0.5),
    0.005,
    "Cycles per degree of visual angle at the centre of the screen",
);

/// Parameters of the shader.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Uniform {
    spherical: u32,
    corner: u32,
    per_column: u32,
    per_row: u32,
    background: f32,
    amplitude: f32,
    along: [f32; 2],
}

impl Kind for DriftingGrating {
    fn check(&self, monitor: &Monitor) -> Result<(), StimulusError> {
        let impossible = |key, what| Err(StimulusError::Impossible { stimulus: "Drifting grating", key, what });
        let (spatial, temporal) = (self.spatial_frequency_cyc_per_deg, self.temporal_frequency_hz);
        let (finest, fastest) = (0.5 / monitor.centre_degrees_per_pixel(), monitor.frame_rate.0 / 2.0);
        if spatial > finest {
            let pixels = monitor.raster;
            let what =
                format!("is {spatial}, finer than the screen's {pixels} pixels can show; the limit is {finest:.4}");
            return impossible("spatial_frequency_cyc_per_deg", what);
        }
        if temporal > fastest {
            let rate = monitor.frame_rate.0;
            let what = format!("is {temporal}; at {rate} frames per second it must lie in 0..={fastest} Hz");
            return impossible("temporal_frequency_hz", what);
        }
        Ok(())
    }

    fn prepare(&self, screen: &Arc<Screen>, _seed: u64) -> Result<Arc<dyn drawing::Drawing>, StimulusError> {
        Ok(Arc::new(Drawing::new(self, screen.monitor())))
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

    fn draw(&self, screen: &Screen, frame: usize, pixels: &mut [u8]) {
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

impl drawing::Drawing for Drawing {
    fn frame(&self, screen: &Screen, frame: usize, pixels: &mut [u8]) {
        self.draw(screen, frame, pixels);
    }

    fn painting(&self, screen: &Screen, frames: Range<usize>) -> Option<Painting> {
        let (spherical, [corner, per_column, per_row], along) = match self.wave {
            Wave::Flat { first, per_column, per_row } => (0, [first, per_column, per_row].map(fixed), [0.0; 2]),
            Wave::Spherical { along } => (1, [0; 3], along.map(|v| v as f32)),
        };
        let (background, amplitude) = (self.background as f32, self.amplitude as f32);
        let uniform = Uniform { spherical, corner, per_column, per_row, background, amplitude, along };
        let phases: Vec<u32> = frames.map(|frame| fixed(self.phase(frame))).collect();
        Some(Painting {
            shader: &SHADER,
            tables: vec![Table::of(&[uniform]), Table::of(&phases), Table::Places],
            passes: vec![Pass { entry: "draw", things: screen.monitor().raster.pixels() }],
        })
    }
}
