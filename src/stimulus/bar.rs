//! A bar or an edge that crosses the screen.
//!
//! With s and c the azimuthal-equidistant degrees of a pixel along and across the direction of motion, a bar covers
//! p - w <= s <= p and |c| <= l / 2, and an edge everything with s <= p, where the front p(t) = -r + v t starts at the
//! last degree r that the screen shows on the far side: both start just out of view. The bar has crossed when its back
//! leaves the screen, the edge when it has swept over all of it. A pixel shows the part of its own width that is
//! covered.

use std::ops::Range;
use std::sync::Arc;

use bytemuck::{Pod, Zeroable};

use super::drawing::{self, Kind, Painting, Pass, Shader, Table, shader};
use super::fields::{DIRECTION, Field, SIGNED_CONTRAST, parameters};
use super::screen::Screen;
use super::{StimulusError, grey_level, level_of_contrast};
use crate::signals::Degrees;

pub(super) static SHADER: Shader = shader!("bar");

const SPEED: Field = Field::number("Speed", "deg/s", (0.1, 1000.0), 1.0, "Speed across the screen");

const REPEAT: Field = Field::switch("Repeat", "Cross the screen again and again, without a pause");

parameters! {
    /// Bar that crosses the screen.
    pub struct MovingBar {
        /// Direction of motion, degrees; the bar is perpendicular to it.
        direction_deg: Degrees = 0.0, DIRECTION;
        /// Speed, degrees per second.
        speed_deg_per_sec: f64 = 30.0, SPEED;
        /// Width along the direction of motion, degrees.
        width_deg: Degrees = 10.0,
            Field::number("Bar width", "deg", (0.1, 180.0), 1.0, "Width of the bar along its direction of motion");
        /// Length across the direction of motion, degrees.
        length_deg: Degrees = 180.0, Field::number(
            "Bar length",
            "deg",
            (0.1, 180.0),
            5.0,
            "Length of the bar across its direction of motion; 180 covers every screen",
        );
        /// Contrast, -1..=1.
        contrast: f64 = 1.0, SIGNED_CONTRAST;
        /// Whether it crosses again.
        repeat: bool = true, REPEAT;
    }
}

parameters! {
    /// Edge that crosses the screen and leaves another luminance behind.
    pub struct MovingEdge {
        /// Direction of motion, degrees; the edge is perpendicular to it.
        direction_deg: Degrees = 0.0, DIRECTION;
        /// Speed, degrees per second.
        speed_deg_per_sec: f64 = 30.0, SPEED;
        /// Contrast of the field behind the edge, -1..=1.
        contrast: f64 = 1.0, Field {
            help: "Level behind the edge: 1 is white, 0 the background, -1 black",
            ..SIGNED_CONTRAST
        };
        /// Whether it crosses again, from the background.
        repeat: bool = true, Field::switch(
            "Repeat",
            "Return to the background and cross again and again; else the new level stays",
        );
    }
}

impl Kind for MovingBar {
    fn prepare(&self, screen: &Arc<Screen>, _seed: u64) -> Result<Arc<dyn drawing::Drawing>, StimulusError> {
        let strip = Strip {
            direction_deg: self.direction_deg,
            speed_deg_per_sec: self.speed_deg_per_sec,
            width_deg: Some(self.width_deg),
            length_deg: self.length_deg,
            contrast: self.contrast,
            repeat: self.repeat,
        };
        Ok(Arc::new(Drawing::new(&strip, screen)))
    }
}

impl Kind for MovingEdge {
    fn prepare(&self, screen: &Arc<Screen>, _seed: u64) -> Result<Arc<dyn drawing::Drawing>, StimulusError> {
        let strip = Strip {
            direction_deg: self.direction_deg,
            speed_deg_per_sec: self.speed_deg_per_sec,
            width_deg: None,
            length_deg: 360.0,
            contrast: self.contrast,
            repeat: self.repeat,
        };
        Ok(Arc::new(Drawing::new(&strip, screen)))
    }
}

/// What crosses the screen; without a width it has no end.
struct Strip {
    direction_deg: Degrees,
    speed_deg_per_sec: f64,
    width_deg: Option<Degrees>,
    length_deg: Degrees,
    contrast: f64,
    repeat: bool,
}

/// One pixel as the strip sees it; the layout of `Pixel` in the shader.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
struct Pixel {
    /// Degrees along the direction of motion.
    along: f32,
    /// Pixels per degree along the direction of motion.
    per_deg: f32,
    /// Difference of grey that full cover makes; nothing beside the strip.
    change: f32,
}

/// A strip on a screen, ready to be drawn.
#[derive(Debug, Clone, PartialEq)]
struct Drawing {
    background: f32,
    pixels: Vec<Pixel>,
    /// Farthest degree of the screen along the direction of motion.
    reach: f64,
    width_deg: Option<f64>,
    deg_per_frame: f64,
    repeat: bool,
}

/// Back of a strip without end, degrees.
const FAR: f64 = -1e6;

impl Drawing {
    fn new(strip: &Strip, screen: &Screen) -> Self {
        let monitor = screen.monitor();
        let (sin, cos) = strip.direction_deg.to_radians().sin_cos();
        let background = f64::from(monitor.background);
        let change = level_of_contrast(monitor.background, strip.contrast) - background;
        let along = |[x, y]: [f32; 2]| f64::from(x) * cos + f64::from(y) * sin;
        let across = |[x, y]: [f32; 2]| f64::from(y) * cos - f64::from(x) * sin;
        let half_length = strip.length_deg / 2.0;
        let mut reach: f64 = 0.0;
        let pixels = screen.places().iter().map(|place| {
            let size = |part: &dyn Fn([f32; 2]) -> f64| part(place.per_column).hypot(part(place.per_row)).max(1e-6);
            let (width, height) = (size(&along), size(&across));
            reach = reach.max(along(place.position).abs() + width / 2.0);
            let beside = across(place.position).abs();
            let ramp = |distance: f64| (0.5 + distance / height).clamp(0.0, 1.0);
            let inside = (ramp(half_length - beside) + ramp(half_length + beside) - 1.0).max(0.0);
            Pixel {
                along: along(place.position) as f32,
                per_deg: (1.0 / width) as f32,
                change: (change * inside) as f32,
            }
        });
        let pixels = pixels.collect();
        // So much farther out, a rounding error neither shows a trace at the border nor misses one.
        let reach = reach + 1e-3;
        Self {
            background: background as f32,
            pixels,
            reach,
            width_deg: strip.width_deg,
            deg_per_frame: strip.speed_deg_per_sec / monitor.frame_rate.0,
            repeat: strip.repeat,
        }
    }

    /// Back and front of the strip, degrees along the direction of motion.
    fn ends(&self, frame: usize) -> [f32; 2] {
        let way = 2.0 * self.reach + self.width_deg.unwrap_or(0.0);
        let gone = frame as f64 * self.deg_per_frame;
        let front = if self.repeat { gone.rem_euclid(way) } else { gone.min(way) } - self.reach;
        let back = self.width_deg.map_or(FAR, |width| front - width);
        [back as f32, front as f32]
    }
}

impl Pixel {
    /// Part of the pixel between two degrees, 0..=1; exactly 1 well inside.
    fn cover(&self, back: f32, front: f32) -> f32 {
        let part = |degrees: f32| (0.5 + degrees * self.per_deg).clamp(0.0, 1.0);
        (part(front - self.along) + part(self.along - back) - 1.0).max(0.0)
    }
}

impl drawing::Drawing for Drawing {
    fn frame(&self, _screen: &Screen, frame: usize, pixels: &mut [u8]) {
        let [back, front] = self.ends(frame);
        for (grey, pixel) in pixels.iter_mut().zip(&self.pixels) {
            *grey = grey_level(f64::from(self.background + pixel.cover(back, front) * pixel.change));
        }
    }

    fn painting(&self, screen: &Screen, frames: Range<usize>) -> Option<Painting> {
        let ends: Vec<[f32; 2]> = frames.map(|frame| self.ends(frame)).collect();
        Some(Painting {
            shader: &SHADER,
            tables: vec![Table::of(&[self.background]), Table::of(&ends), Table::of(&self.pixels)],
            passes: vec![Pass { entry: "draw", things: screen.monitor().raster.pixels() }],
        })
    }
}
