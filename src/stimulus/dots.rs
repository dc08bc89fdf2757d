//! Coherently moving dots (random dot kinematogram).
//!
//! Everything happens in azimuthal-equidistant degrees, on a square field that covers the corners of the screen and
//! wraps around: a dot that leaves on one side comes in on the other, so the density stays uniform. A position is a
//! fraction of the field's side in units of 2^-32, so wrapping is the overflow of a `u32`, and a dot's place is its start
//! plus age times step, exact on CPU and GPU alike. The first `round(coherence N)` dots carry the signal, the others
//! each move at the same speed in a random direction. After its lifetime, staggered over dots, a dot is placed anew.

use std::ops::Range;
use std::sync::Arc;

use bytemuck::{Pod, Zeroable};

use super::drawing::{self, Kind, Painting, Pass, Shader, Table, halves, shader};
use super::fields::{CONTRAST, DIRECTION, Field, parameters};
use super::hash::random_words;
use super::screen::{Place, Screen};
use super::{StimulusError, grey_level};
use crate::signals::{Degrees, Monitor};

pub(super) static SHADER: Shader = shader!("dots", "hash", "geometry");

parameters! {
    /// Random dot kinematogram: signal dots move together, noise dots each in a random direction.
    pub struct MovingDots {
        /// Direction of the signal dots, degrees.
        direction_deg: Degrees = 0.0, DIRECTION;
        /// Fraction of signal dots, 0..=1.
        coherence: f64 = 1.0, Field::number(
            "Coherence",
            "",
            (0.0, 1.0),
            0.05,
            "Fraction of the dots that move in the direction set",
        );
        /// Speed, degrees per second.
        speed_deg_per_sec: f64 = 30.0, Field::number(
            "Speed",
            "deg/s",
            (0.0, 500.0),
            1.0,
            "Speed of every dot, also of the noise dots",
        );
        /// Diameter of a dot, degrees.
        diameter_deg: Degrees = 6.0, Field::number(
            "Dot diameter",
            "deg",
            (1.0, 40.0),
            0.5,
            "Diameter of each dot in visual angle",
        );
        /// Dots per 1000 square degrees.
        density_per_1000_deg2: f64 = 6.0, Field::number(
            "Density",
            "/1000 deg²",
            (0.1, 200.0),
            0.5,
            "Dots per 1000 square degrees of visual field",
        );
        /// Time after which a dot is placed anew, seconds.
        lifetime_secs: f64 = 0.67, Field::number(
            "Dot lifetime",
            "s",
            (0.03, 600.0),
            0.05,
            "Time after which a dot disappears and another appears elsewhere",
        );
        /// Difference of the dots from the background, as a fraction of the available range, 0..=1; half the dots
        /// are white and half black.
        contrast: f64 = 1.0, CONTRAST;
    }
}

impl Kind for MovingDots {
    fn is_random(&self) -> bool {
        true
    }

    fn prepare(&self, screen: &Arc<Screen>, seed: u64) -> Result<Arc<dyn drawing::Drawing>, StimulusError> {
        Ok(Arc::new(DotField::new(self, screen.monitor(), seed)))
    }
}

/// One dot at one frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dot {
    /// Azimuthal-equidistant position, degrees; x to the right and y up.
    pub position: [f32; 2],
    /// Grey level, 0..=255.
    pub grey: f32,
    /// Which of its lives this is; between two frames of one life the dot has moved, between lives it has jumped.
    pub life: u32,
    /// Whether it moves with the signal.
    pub signal: bool,
}

/// Directions that a noise dot can take, evenly spaced: 0.35 degrees apart.
const DIRECTIONS: u32 = 1024;

/// Counter of the word that staggers a dot's lives: no life ever has this number.
const STAGGER: u32 = u32::MAX;

/// Displacement in one frame, in units of 2^-32 of the field's side; a negative one is its two's complement.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub(super) struct Step {
    x: u32,
    y: u32,
}

/// Moving dots on a screen, ready to be drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct DotField {
    pub(super) seed: u64,
    pub(super) count: u32,
    /// The first so many dots carry the signal.
    pub(super) signal: u32,
    pub(super) life_frames: u32,
    pub(super) side_deg: f32,
    pub(super) radius_deg: f32,
    pub(super) background: f32,
    pub(super) white: f32,
    pub(super) black: f32,
    /// Step of the signal, then those of the noise directions.
    pub(super) steps: Vec<Step>,
}

impl DotField {
    pub(super) fn new(dots: &MovingDots, monitor: &Monitor, seed: u64) -> Self {
        let (x, y) = monitor.degrees_from_cm(monitor.width_cm / 2.0, monitor.height_cm / 2.0);
        // The seam of the field stays one dot away from every pixel.
        let side = 2.0 * (x.hypot(y) + dots.diameter_deg);
        let count = (dots.density_per_1000_deg2 * side * side / 1000.0).round() as u32;
        let fraction_per_frame = dots.speed_deg_per_sec / monitor.frame_rate.0 / side;
        let step = |direction: f64| {
            let (sin, cos) = direction.sin_cos();
            // Through i64, so that a negative step wraps instead of saturating.
            let units = |part: f64| (part * fraction_per_frame * 2f64.powi(32)).round() as i64 as u32;
            Step { x: units(cos), y: units(sin) }
        };
        let noise = (0..DIRECTIONS).map(|k| step(std::f64::consts::TAU * f64::from(k) / f64::from(DIRECTIONS)));
        let background = f64::from(monitor.background);
        Self {
            seed,
            count,
            signal: (dots.coherence * f64::from(count)).round() as u32,
            life_frames: monitor.frame_rate.frames_in(dots.lifetime_secs).max(1) as u32,
            side_deg: side as f32,
            radius_deg: (dots.diameter_deg / 2.0) as f32,
            background: background as f32,
            white: (background + dots.contrast * (255.0 - background)) as f32,
            black: (background - dots.contrast * background) as f32,
            steps: std::iter::once(step(dots.direction_deg.to_radians())).chain(noise).collect(),
        }
    }

    /// Number of dots on the field; about half of them lie beside the screen.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether the density is so low that there is no dot.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Side of the square field, degrees.
    pub fn side_deg(&self) -> f32 {
        self.side_deg
    }

    /// One dot at one frame.
    pub fn dot(&self, index: usize, frame: usize) -> Dot {
        let dot = index as u32;
        let stagger = random_words(self.seed, dot, STAGGER)[0] % self.life_frames;
        let clock = (frame as u32).wrapping_add(stagger);
        let (life, age) = (clock / self.life_frames, clock % self.life_frames);
        let [x, y, direction, _] = random_words(self.seed, dot, life);
        let signal = dot < self.signal;
        let step = self.steps[if signal { 0 } else { (1 + direction % DIRECTIONS) as usize }];
        let place = |start: u32, step: u32| {
            let fraction = (start.wrapping_add(age.wrapping_mul(step)) >> 8) as f32 * (1.0 / 16_777_216.0);
            (fraction - 0.5) * self.side_deg
        };
        Dot {
            position: [place(x, step.x), place(y, step.y)],
            grey: if dot.is_multiple_of(2) { self.white } else { self.black },
            life,
            signal,
        }
    }

    /// All dots at one frame; later ones lie on top.
    pub fn dots(&self, frame: usize) -> impl Iterator<Item = Dot> + '_ {
        (0..self.len()).map(move |index| self.dot(index, frame))
    }
}

/// Parameters of the shader.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Uniform {
    seed: [u32; 2],
    count: u32,
    signal: u32,
    life_frames: u32,
    side: f32,
    radius: f32,
    background: f32,
    white: f32,
    black: f32,
}

impl drawing::Drawing for DotField {
    fn frame(&self, screen: &Screen, frame: usize, pixels: &mut [u8]) {
        let width = screen.monitor().raster.width;
        let mut greys = vec![self.background; pixels.len()];
        for dot in self.dots(frame) {
            let (rows, columns) = reach(screen.monitor(), dot.position, self.radius_deg);
            for row in rows {
                let reached = row * width + columns.start..row * width + columns.end;
                for (place, grey) in screen.places()[reached.clone()].iter().zip(&mut greys[reached]) {
                    *grey += coverage(place, dot.position, self.radius_deg) * (dot.grey - *grey);
                }
            }
        }
        for (pixel, grey) in pixels.iter_mut().zip(greys) {
            *pixel = grey_level(f64::from(grey));
        }
    }

    fn painting(&self, screen: &Screen, frames: Range<usize>) -> Option<Painting> {
        let uniform = Uniform {
            seed: halves(self.seed),
            count: self.count,
            signal: self.signal,
            life_frames: self.life_frames,
            side: self.side_deg,
            radius: self.radius_deg,
            background: self.background,
            white: self.white,
            black: self.black,
        };
        let numbers: Vec<u32> = frames.map(|frame| frame as u32).collect();
        let placed = Table::Scratch(16 * numbers.len() * self.len());
        Some(Painting {
            shader: &SHADER,
            tables: vec![Table::of(&[uniform]), Table::of(&numbers), Table::of(&self.steps), Table::Places, placed],
            passes: vec![
                Pass { entry: "place", things: self.len() },
                Pass { entry: "draw", things: screen.monitor().raster.pixels() },
            ],
        })
    }

    fn dots(&self) -> Option<&DotField> {
        Some(self)
    }
}

/// Part of a pixel that a disc covers, 0..=1: its edge is a ramp one pixel wide, measured across the edge.
fn coverage(pixel: &Place, centre: [f32; 2], radius: f32) -> f32 {
    let (x, y) = (pixel.position[0] - centre[0], pixel.position[1] - centre[1]);
    let distance = (x * x + y * y).sqrt();
    let toward = 1.0 / distance.max(1e-6);
    let (along_column, along_row) = (
        (x * pixel.per_column[0] + y * pixel.per_column[1]) * toward,
        (x * pixel.per_row[0] + y * pixel.per_row[1]) * toward,
    );
    let pixel_width = (along_column * along_column + along_row * along_row).sqrt().max(1e-6);
    (0.5 + (radius - distance) / pixel_width).clamp(0.0, 1.0)
}

/// Rows and columns that a disc can touch; a little generous.
fn reach(monitor: &Monitor, centre: [f32; 2], radius: f32) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
    let (dx, dy) = monitor.pitch_cm();
    let pixel_deg = (dx.hypot(dy) / monitor.distance_cm).to_degrees();
    let [x, y] = centre.map(f64::from);
    let margin = f64::from(radius) + pixel_deg;
    let eccentricity = x.hypot(y);
    let stretch = |eccentricity: f64| monitor.cm_per_degree(eccentricity);
    let (least, most) = (stretch(eccentricity - margin), stretch(eccentricity + margin));
    let ends = |v: f64| {
        let (low, high) = (v - margin, v + margin);
        (low * if low < 0.0 { most } else { least }, high * if high < 0.0 { least } else { most })
    };
    let ((left, right), (bottom, top)) = (ends(x), ends(y));
    let raster = monitor.raster;
    let pixel = |cm: f64, pitch: f64, size: usize| cm / pitch + (size as f64 - 1.0) / 2.0;
    let range = |from: f64, to: f64, size: usize| {
        (from.floor().max(0.0) as usize).min(size)..((to.ceil() + 1.0).max(0.0) as usize).min(size)
    };
    (
        range(pixel(-top, dy, raster.height), pixel(-bottom, dy, raster.height), raster.height),
        range(pixel(left, dx, raster.width), pixel(right, dx, raster.width), raster.width),
    )
}
