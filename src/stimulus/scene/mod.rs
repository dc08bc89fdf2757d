//! A rendered clip: a world of occluding, textured objects, seen by a camera that wanders.
//!
//! The world is a "dead leaves" picture: objects of random place and depth hide each other, and their diameters d are
//! distributed as d^-3 between two cut-offs, so that every octave of sizes covers the same area and the picture looks
//! alike at every scale. Ruderman, Vision Research 37:3385 (1997), and Lee, Mumford and Huang, International Journal of
//! Computer Vision 41:35 (2001), show that this gives the statistics of natural images, a power spectrum of 1/f^2 among
//! them. An object is an ellipse or a rounded rectangle with one grey level and a cut-out of a 1/f texture.
//!
//! The camera pans, turns and zooms on sums of slow sinusoids whose clock itself runs now slower, now faster; part of
//! the objects wander on their own; now and then one comes close and passes (its diameter is that of a thing on a
//! straight path, 1 / sqrt(1 + (t / tau)^2)); a cut shows another part of another world. All of it is a function of seed
//! and time. The world is a torus larger than what the camera can see: a position is a fraction of its side in units of
//! 2^-32, and wraps by itself.
//!
//! As in a filmed clip, the picture is flat: degrees are exact at the centre of the screen.
//!
//! Nearest objects are painted first. An edge is a ramp one pixel wide; a pixel is finished when less than 1/4096 of what
//! lies behind would shine through.
//!
//! `camera` tells where everything is, `world` which objects are seen, `leaf` what one looks like on the screen. On the
//! CPU `canvas` keeps which pixels of each tile are unfinished, `batch` gathers those of one object, and `lanes` computes
//! several at once; for the shader `lists` tells which objects touch each tile.

mod batch;
mod camera;
mod canvas;
mod draw;
mod lanes;
mod leaf;
mod lists;
mod looming;
mod texture;
mod tiles;
mod world;

use std::f64::consts::TAU;
use std::sync::Arc;

use camera::FARTHEST;
use leaf::CORNER;
use world::World;

use super::StimulusError;
use super::drawing::{self, Kind, Shader, shader};
use super::fields::{Field, parameters};
use super::screen::Screen;
use crate::signals::{Degrees, Monitor};

pub(super) static SHADER: Shader = shader!("scene");

parameters! {
    /// Rendered clip: occluding objects of all sizes, seen by a moving camera.
    pub struct Scene {
        /// Standard deviation of the grey levels as a fraction of the largest swing around the background, 0..=1; what
        /// leaves the range is clipped.
        contrast: f64 = 0.35, Field::number(
            "Contrast",
            "",
            (0.0, 1.0),
            0.05,
            "Standard deviation of the grey levels, as a fraction of the largest swing around the background",
        );
        /// Part of the variance that lies within objects, 0..=1.
        texture: f64 = 0.3, Field::number(
            "Texture",
            "",
            (0.0, 1.0),
            0.05,
            "Part of the variance that comes from texture within objects; the rest is that of their grey levels",
        );
        /// Smallest diameter, degrees.
        size_min_deg: Degrees = 2.0,
            Field::number("Smallest object", "deg", (1.0, 30.0), 0.5, "Diameter of the smallest objects; many are near it");
        /// Largest diameter, degrees.
        size_max_deg: Degrees = 80.0,
            Field::number("Largest object", "deg", (1.0, 120.0), 5.0, "Diameter of the largest objects; few are near it");
        /// Root mean square speed of the camera's pan, degrees per second.
        camera_speed_deg_per_sec: f64 = 8.0,
            Field::number("Camera speed", "deg/s", (0.0, 100.0), 1.0, "Root mean square speed of the camera's pan");
        /// Root mean square rate of the camera's zoom, part per second.
        zoom_rate_per_sec: f64 = 0.06, Field::number(
            "Zoom rate",
            "/s",
            (0.0, 2.0),
            0.02,
            "Root mean square rate of growth by the camera's zoom; 0.1 is 10 % in a second",
        );
        /// Root mean square rate of the camera's turn, degrees per second.
        rotation_deg_per_sec: f64 = 3.0, Field::number(
            "Rotation rate",
            "deg/s",
            (0.0, 180.0),
            1.0,
            "Root mean square rate of the camera's turn about its line of sight",
        );
        /// Root mean square speed of the objects, degrees per second.
        object_speed_deg_per_sec: f64 = 4.0, Field::number(
            "Object speed",
            "deg/s",
            (0.0, 100.0),
            1.0,
            "Root mean square speed of the objects on their own; most are slower, a few much faster",
        );
        /// Objects that come close and pass, per second.
        looming_per_sec: f64 = 0.1, Field::number(
            "Looming objects",
            "/s",
            (0.0, 2.0),
            0.05,
            "How often an object comes close and passes",
        );
        /// Time between cuts, seconds; 0 never cuts.
        cut_secs: f64 = 0.0,
            Field::number("Time between cuts", "s", (0.0, 600.0), 1.0, "After this time another scene begins; 0 never cuts");
    }
}

/// Mean number of objects over a point: one point in 55 shows the backdrop.
const COVERAGE: f64 = 4.0;
/// Largest ratio of an object's axes.
const LONGEST: f64 = 2.0;
/// Most objects in a world.
const MOST: f64 = 500_000.0;

impl Scene {
    fn impossible<T>(key: &'static str, what: String) -> Result<T, StimulusError> {
        Err(StimulusError::Impossible { stimulus: "Rendered clip", key, what })
    }

    /// Diameter that a part 0..1 of the objects does not reach: the distribution of density d^-3 between the cut-offs.
    fn diameter(&self, part: f64) -> Degrees {
        let ratio = self.size_min_deg / self.size_max_deg;
        self.size_min_deg / (1.0 - part * (1.0 - ratio * ratio)).sqrt()
    }

    /// Side of the world, degrees: the camera never sees one object twice.
    fn side(&self, monitor: &Monitor) -> Degrees {
        let [half_width, half_height] = half_screen(monitor);
        let reach = self.size_max_deg / 2.0 * LONGEST.sqrt() * CORNER;
        2.0 * (half_width.hypot(half_height) * FARTHEST.exp() + reach)
    }

    /// Number of objects in the world.
    fn objects(&self, monitor: &Monitor) -> f64 {
        // The mean of d^2 over the density 2 d^-3 / (1/least^2 - 1/most^2).
        let (least, most) = (self.size_min_deg, self.size_max_deg);
        let octaves = (most / least).ln();
        let square = if octaves < 1e-9 { least * least } else { 2.0 * octaves / (least.powi(-2) - most.powi(-2)) };
        let side = self.side(monitor);
        (COVERAGE * side * side / (TAU / 8.0 * square)).round()
    }
}

impl Kind for Scene {
    fn check(&self, monitor: &Monitor) -> Result<(), StimulusError> {
        if self.size_min_deg > self.size_max_deg {
            return Self::impossible(
                "size_min_deg",
                format!("is {}; it must not exceed `size_max_deg`, {}", self.size_min_deg, self.size_max_deg),
            );
        }
        let objects = self.objects(monitor);
        // Written so that a number that is none is refused as well.
        if !matches!(objects.partial_cmp(&MOST), Some(std::cmp::Ordering::Less)) {
            return Self::impossible(
                "size_min_deg",
                format!(
                    "is {}: so small that this screen would take {objects} objects; the limit is {MOST}",
                    self.size_min_deg
                ),
            );
        }
        Ok(())
    }

    fn is_random(&self) -> bool {
        true
    }

    fn prepare(&self, screen: &Arc<Screen>, seed: u64) -> Result<Arc<dyn drawing::Drawing>, StimulusError> {
        self.check(screen.monitor())?;
        Ok(Arc::new(World::new(self, screen.monitor(), seed)))
    }
}

/// Degrees at the centre from one column to the next and from one row to the next.
fn pixel_deg(monitor: &Monitor) -> [f64; 2] {
    let (dx, dy) = monitor.pitch_cm();
    [dx, dy].map(|cm| (cm / monitor.distance_cm).to_degrees())
}

/// Half the width and height of the screen, in degrees at its centre.
fn half_screen(monitor: &Monitor) -> [f64; 2] {
    [monitor.width_cm, monitor.height_cm].map(|cm| (cm / 2.0 / monitor.distance_cm).to_degrees())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_octave_of_diameters_covers_the_same_area() {
        let scene = Scene::default();
        let mut areas = [0.0; 4];
        for k in 0..100_000 {
            let diameter = scene.diameter((f64::from(k) + 0.5) / 100_000.0);
            assert!((2.0..=80.0).contains(&diameter), "{diameter}");
            if let Some(area) = areas.get_mut((diameter / 2.0).log2() as usize) {
                *area += diameter * diameter;
            }
        }
        for area in areas {
            assert!((area / areas[0] - 1.0).abs() < 0.01, "{areas:?}");
        }
    }
}
