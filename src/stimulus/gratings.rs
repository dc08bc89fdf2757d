//! Gratings: drifting, static, and two superposed as a plaid.
//!
//! grey = background + sum of amplitude wave(f s - tf t + phase), where s is the distance along the direction of motion
//! and the wave is a cosine, or its sign with edges that are one pixel wide. On the flat screen s is measured in
//! centimetres, with f exact at the centre, so the stripes are straight; a spherical grating measures s in
//! azimuthal-equidistant degrees, so f holds everywhere and the stripes bend.
//!
//! A plaid is the sum of two gratings of half the contrast (Adelson and Movshon, Nature 300:523, 1982). Its components
//! drift at half the crossing angle to both sides of the pattern's direction, and the pattern moves at the speed of the
//! components divided by the cosine of that half angle.

use std::ops::Range;
use std::sync::Arc;

use super::cycles::{Drift, cosine_of_cycles, ramp, square_of_cycles};
use super::drawing::{self, Kind, Painting, Pass, Shader, Table, fixed, shader};
use super::fields::{CONTRAST, DIRECTION, Field, choices, parameters};
use super::screen::Screen;
use super::{StimulusError, grey_level, swing};
use crate::signals::{Degrees, Monitor};

pub(super) static SHADER: Shader = shader!("gratings", "cycles");

choices! {
    /// Profile of a grating across its stripes.
    pub enum Waveform {
        /// Sinusoidal in grey.
        Sine = "sine", "Sine";
        /// Bright and dark stripes of equal width.
        Square = "square", "Square";
    }
}

parameters! {
    /// Drifting grating, full field.
    pub struct DriftingGrating {
        /// Direction of motion, degrees.
        direction_deg: Degrees = 0.0, DIRECTION;
        /// Cycles per degree at the centre of the screen (over the whole screen when `spherical`).
        spatial_frequency_cyc_per_deg: f64 = 0.04, SPATIAL_FREQUENCY;
        /// Cycles per second.
        temporal_frequency_hz: f64 = 2.0, TEMPORAL_FREQUENCY;
        /// Amplitude as a fraction of the largest that fits around the background, 0..=1.
        contrast: f64 = 1.0, CONTRAST;
        /// Phase at onset, degrees of the cycle; 0 puts the brightest line through the centre of the screen.
        phase_deg: Degrees = 0.0, PHASE;
        /// Profile across the stripes.
        waveform: Waveform = Waveform::Sine, WAVEFORM;
        /// Keep cycles per degree constant over the flat screen.
        spherical: bool = false, SPHERICAL;
    }
}

parameters! {
    /// Grating that stands still, full field.
    pub struct StaticGrating {
        /// Orientation of the stripes, degrees; 0 is vertical.
        orientation_deg: Degrees = 0.0, Field::number(
            "Orientation",
            "deg",
            (-360.0, 360.0),
            5.0,
            "Orientation of the stripes: 0 is vertical, 90 horizontal, counter-clockwise (direction of motion modulo 180)",
        );
        /// Cycles per degree at the centre of the screen (over the whole screen when `spherical`).
        spatial_frequency_cyc_per_deg: f64 = 0.04, SPATIAL_FREQUENCY;
        /// Phase, degrees of the cycle; 0 puts the brightest line through the centre of the screen.
        phase_deg: Degrees = 0.0, PHASE;
        /// Amplitude as a fraction of the largest that fits around the background, 0..=1.
        contrast: f64 = 1.0, CONTRAST;
        /// Profile across the stripes.
        waveform: Waveform = Waveform::Sine, WAVEFORM;
        /// Keep cycles per degree constant over the flat screen.
        spherical: bool = false, SPHERICAL;
    }
}

parameters! {
    /// Two drifting sinusoidal gratings superposed.
    pub struct Plaid {
        /// Direction in which the pattern moves, degrees.
        direction_deg: Degrees = 0.0, Field::number(
            "Pattern direction",
            "deg",
            (-360.0, 360.0),
            5.0,
            "Direction in which the pattern moves: 0 is rightward, 90 upward, counter-clockwise; the components drift at \
             half the crossing angle to both sides of it",
        );
        /// Angle between the directions of the two components, degrees.
        crossing_deg: Degrees = 120.0, Field::number(
            "Crossing angle",
            "deg",
            (0.0, 180.0),
            5.0,
            "Angle between the directions of the two components; the pattern moves at their speed divided by the cosine \
             of half of it",
        );
        /// Cycles per degree of each component at the centre of the screen (everywhere when `spherical`).
        spatial_frequency_cyc_per_deg: f64 = 0.04, SPATIAL_FREQUENCY;
        /// Cycles per second of each component.
        temporal_frequency_hz: f64 = 2.0, TEMPORAL_FREQUENCY;
        /// Contrast of the sum, 0..=1; each component has half of it.
        contrast: f64 = 1.0, CONTRAST;
        /// Phase at onset of the component turned clockwise from the pattern's direction, degrees of the cycle.
        clockwise_phase_deg: Degrees = 0.0, Field::number(
            "Phase, clockwise component",
            "deg",
            (-360.0, 360.0),
            5.0,
            "Phase at onset of the component that is turned clockwise from the pattern's direction",
        );
        /// Phase at onset of the component turned counter-clockwise, degrees of the cycle.
        counterclockwise_phase_deg: Degrees = 0.0, Field::number(
            "Phase, counter-clockwise component",
            "deg",
            (-360.0, 360.0),
            5.0,
            "Phase at onset of the component that is turned counter-clockwise from the pattern's direction",
        );
        /// Keep cycles per degree constant over the flat screen.
        spherical: bool = false, SPHERICAL;
    }
}

pub(super) const SPATIAL_FREQUENCY: Field = Field::number(
    "Spatial frequency",
    "cyc/deg",
    (0.0, 0.5),
    0.005,
    "Cycles per degree of visual angle at the centre of the screen",
);

pub(super) const TEMPORAL_FREQUENCY: Field =
    Field::number("Temporal frequency", "Hz", (0.0, 15.0), 0.1, "Cycles per second");

const PHASE: Field = Field::number(
    "Phase at onset",
    "deg",
    (-360.0, 360.0),
    5.0,
    "Phase of the cycle at the centre of the screen when the stimulus starts; 0 is the brightest line",
);

const WAVEFORM: Field = Field::choice(
    "Waveform",
    Waveform::OPTIONS,
    "Profile across the stripes: sinusoidal in grey, or bright and dark with edges one pixel wide",
);

const SPHERICAL: Field = Field::switch(
    "Spherical correction",
    "Keep the spatial frequency in degrees constant over the flat screen; the stripes then bend",
);

/// What a grating without a spatial frequency lacks.
pub(super) const NO_STRIPES: &str =
    "at a spatial frequency of 0 there are no stripes; raise `spatial_frequency_cyc_per_deg`";

impl Kind for DriftingGrating {
    fn idle(&self, key: &str) -> Option<&'static str> {
        match key {
            "direction_deg" | "spherical" if self.spatial_frequency_cyc_per_deg == 0.0 => Some(NO_STRIPES),
            _ => None,
        }
    }

    fn check(&self, monitor: &Monitor) -> Result<(), StimulusError> {
        let (spatial, temporal) = (self.spatial_frequency_cyc_per_deg, self.temporal_frequency_hz);
        check_frequencies("Drifting grating", spatial, temporal, monitor)
    }

    fn prepare(&self, screen: &Arc<Screen>, _seed: u64) -> Result<Arc<dyn drawing::Drawing>, StimulusError> {
        let grating = Grating {
            direction_deg: self.direction_deg,
            cycles_per_deg: self.spatial_frequency_cyc_per_deg,
            cycles_per_sec: self.temporal_frequency_hz,
            contrast: self.contrast,
            phase_deg: self.phase_deg,
            waveform: self.waveform,
            spherical: self.spherical,
        };
        Ok(Arc::new(Drawing::new(&[grating], screen)))
    }
}

impl Kind for StaticGrating {
    fn idle(&self, key: &str) -> Option<&'static str> {
        match key {
            "orientation_deg" | "spherical" if self.spatial_frequency_cyc_per_deg == 0.0 => Some(NO_STRIPES),
            _ => None,
        }
    }

    fn check(&self, monitor: &Monitor) -> Result<(), StimulusError> {
        check_frequencies("Static grating", self.spatial_frequency_cyc_per_deg, 0.0, monitor)
    }

    fn prepare(&self, screen: &Arc<Screen>, _seed: u64) -> Result<Arc<dyn drawing::Drawing>, StimulusError> {
        let grating = Grating {
            // The stripes of a grating that moves to the right are vertical.
            direction_deg: self.orientation_deg,
            cycles_per_deg: self.spatial_frequency_cyc_per_deg,
            cycles_per_sec: 0.0,
            contrast: self.contrast,
            phase_deg: self.phase_deg,
            waveform: self.waveform,
            spherical: self.spherical,
        };
        Ok(Arc::new(Drawing::new(&[grating], screen)))
    }
}

impl Kind for Plaid {
    fn idle(&self, key: &str) -> Option<&'static str> {
        match key {
            "direction_deg" | "crossing_deg" | "spherical" if self.spatial_frequency_cyc_per_deg == 0.0 => {
                Some(NO_STRIPES)
            }
            _ => None,
        }
    }

    fn check(&self, monitor: &Monitor) -> Result<(), StimulusError> {
        let (spatial, temporal) = (self.spatial_frequency_cyc_per_deg, self.temporal_frequency_hz);
        check_frequencies("Plaid", spatial, temporal, monitor)
    }

    fn prepare(&self, screen: &Arc<Screen>, _seed: u64) -> Result<Arc<dyn drawing::Drawing>, StimulusError> {
        let component = |turned: f64, phase_deg: f64| Grating {
            direction_deg: self.direction_deg + turned * self.crossing_deg / 2.0,
            cycles_per_deg: self.spatial_frequency_cyc_per_deg,
            cycles_per_sec: self.temporal_frequency_hz,
            contrast: self.contrast / 2.0,
            phase_deg,
            waveform: Waveform::Sine,
            spherical: self.spherical,
        };
        let both = [component(-1.0, self.clockwise_phase_deg), component(1.0, self.counterclockwise_phase_deg)];
        Ok(Arc::new(Drawing::new(&both, screen)))
    }
}

/// Refuses stripes finer than two pixels and flicker faster than two frames.
pub(super) fn check_frequencies(
    stimulus: &'static str,
    cycles_per_deg: f64,
    cycles_per_sec: f64,
    monitor: &Monitor,
) -> Result<(), StimulusError> {
    let impossible = |key, what| Err(StimulusError::Impossible { stimulus, key, what });
    let (finest, fastest) = (0.5 / monitor.centre_degrees_per_pixel(), monitor.frame_rate.0 / 2.0);
    if cycles_per_deg > finest {
        let pixels = monitor.raster;
        let what =
            format!("is {cycles_per_deg}, finer than the screen's {pixels} pixels can show; the limit is {finest:.4}");
        return impossible("spatial_frequency_cyc_per_deg", what);
    }
    if cycles_per_sec > fastest {
        let rate = monitor.frame_rate.0;
        let what = format!("is {cycles_per_sec}; at {rate} frames per second it must lie in 0..={fastest} Hz");
        return impossible("temporal_frequency_hz", what);
    }
    Ok(())
}

/// One grating of a sum.
struct Grating {
    direction_deg: Degrees,
    cycles_per_deg: f64,
    cycles_per_sec: f64,
    contrast: f64,
    phase_deg: Degrees,
    waveform: Waveform,
    /// Whether the phase changes with azimuthal-equidistant degrees, and not with the centimetres of the flat screen.
    spherical: bool,
}

/// Gratings on a screen, ready to be drawn.
#[derive(Debug, Clone, PartialEq)]
struct Drawing {
    background: f32,
    waves: Vec<Wave>,
}

/// One grating.
#[derive(Debug, Clone, PartialEq)]
struct Wave {
    amplitude: f32,
    square: bool,
    stripes: Stripes,
    drift: Drift,
}

/// How the phase changes over the screen, and how steep the edges of a square wave are.
#[derive(Debug, Clone, PartialEq)]
enum Stripes {
    /// Straight stripes: phase of the first pixel, and its change by column and by row.
    Flat { corner: u32, per_column: u32, per_row: u32, slope: f32 },
    /// Phase and slope of each pixel; a sine needs no slope.
    Curved { phases: Vec<u32>, slopes: Vec<f32> },
}

impl Wave {
    fn new(grating: &Grating, screen: &Screen) -> Self {
        let monitor = screen.monitor();
        let (sin, cos) = grating.direction_deg.to_radians().sin_cos();
        let square = grating.waveform == Waveform::Square;
        let stripes = if grating.spherical {
            let along = [grating.cycles_per_deg * cos, grating.cycles_per_deg * sin];
            let cycles = |[x, y]: [f32; 2]| along[0] * f64::from(x) + along[1] * f64::from(y);
            let places = screen.places();
            let slopes = places.iter().map(|p| ramp(cycles(p.per_column).hypot(cycles(p.per_row))));
            Stripes::Curved {
                phases: places.iter().map(|place| fixed(cycles(place.position))).collect(),
                slopes: if square { slopes.collect() } else { Vec::new() },
            }
        } else {
            // At the centre of a flat screen one centimetre covers 1 / D radians.
            let per_cm = grating.cycles_per_deg * (1.0 / monitor.distance_cm).to_degrees();
            let (dx, dy) = monitor.pitch_cm();
            let (x, y) = monitor.cm_from_pixel(0.0, 0.0);
            let (per_column, per_row) = (per_cm * dx * cos, -per_cm * dy * sin);
            Stripes::Flat {
                corner: fixed(per_cm * (x * cos + y * sin)),
                per_column: fixed(per_column),
                per_row: fixed(per_row),
                slope: ramp(per_column.hypot(per_row)),
            }
        };
        Self {
            amplitude: (grating.contrast * swing(monitor.background)) as f32,
            square,
            stripes,
            drift: Drift::new(grating.phase_deg, grating.cycles_per_sec, monitor),
        }
    }

    /// Adds one row of pixels.
    fn add(&self, middle: u32, row: usize, sums: &mut [f64]) {
        let amplitude = f64::from(self.amplitude);
        match &self.stripes {
            Stripes::Flat { corner, per_column, per_row, slope } => {
                let left = middle.wrapping_add(*corner).wrapping_add(per_row.wrapping_mul(row as u32));
                let phases = (0..sums.len() as u32).map(|column| left.wrapping_add(per_column.wrapping_mul(column)));
                for (sum, phase) in sums.iter_mut().zip(phases) {
                    *sum += amplitude
                        * if self.square {
                            f64::from(square_of_cycles(phase, *slope))
                        } else {
                            cosine_of_cycles(phase)
                        };
                }
            }
            Stripes::Curved { phases, slopes } => {
                let here = row * sums.len()..(row + 1) * sums.len();
                let phases = phases[here.clone()].iter().map(|phase| phase.wrapping_add(middle));
                if self.square {
                    for ((sum, phase), slope) in sums.iter_mut().zip(phases).zip(&slopes[here]) {
                        *sum += amplitude * f64::from(square_of_cycles(phase, *slope));
                    }
                } else {
                    for (sum, phase) in sums.iter_mut().zip(phases) {
                        *sum += amplitude * cosine_of_cycles(phase);
                    }
                }
            }
        }
    }

    /// The layout of `Wave` in the shader.
    fn words(&self) -> [u32; 8] {
        let (curved, [corner, per_column, per_row], slope) = match &self.stripes {
            Stripes::Flat { corner, per_column, per_row, slope } => (0, [*corner, *per_column, *per_row], *slope),
            Stripes::Curved { .. } => (1, [0; 3], 0.0),
        };
        [self.amplitude.to_bits(), self.square.into(), curved, corner, per_column, per_row, slope.to_bits(), 0]
    }
}

impl Drawing {
    /// The sum of some gratings.
    fn new(gratings: &[Grating], screen: &Screen) -> Self {
        Self {
            background: f32::from(screen.monitor().background),
            waves: gratings.iter().map(|grating| Wave::new(grating, screen)).collect(),
        }
    }
}

impl drawing::Drawing for Drawing {
    fn frame(&self, screen: &Screen, frame: usize, pixels: &mut [u8]) {
        let width = screen.monitor().raster.width;
        let middles: Vec<u32> = self.waves.iter().map(|wave| wave.drift.phase(frame)).collect();
        let background = f64::from(self.background);
        let mut sums = vec![0.0; width];
        for (row, line) in pixels.chunks_exact_mut(width).enumerate() {
            sums.fill(0.0);
            for (wave, middle) in self.waves.iter().zip(&middles) {
                wave.add(*middle, row, &mut sums);
            }
            for (pixel, sum) in line.iter_mut().zip(&sums) {
                *pixel = grey_level(background + sum);
            }
        }
    }

    fn painting(&self, screen: &Screen, frames: Range<usize>) -> Option<Painting> {
        let mut words = vec![self.background.to_bits(), self.waves.len() as u32];
        let (mut curved_phases, mut curved_slopes) = (Vec::new(), Vec::new());
        for wave in &self.waves {
            words.extend(wave.words());
            if let Stripes::Curved { phases, slopes } = &wave.stripes {
                curved_phases.extend_from_slice(phases);
                curved_slopes.extend_from_slice(slopes);
            }
        }
        let middles: Vec<u32> =
            frames.flat_map(|frame| self.waves.iter().map(move |wave| wave.drift.phase(frame))).collect();
        Some(Painting {
            shader: &SHADER,
            tables: vec![Table::of(&words), Table::of(&middles), Table::of(&curved_phases), Table::of(&curved_slopes)],
            passes: vec![Pass { entry: "draw", things: screen.monitor().raster.pixels() }],
        })
    }
}
