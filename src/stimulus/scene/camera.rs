//! The camera, which pans, turns and zooms on sums of slow sinusoids, and the paths on which objects wander.

use std::f64::consts::TAU;

use super::draw::{self, part};
use super::texture::{TEXELS, TEXELS_PER_DEG};
use super::{Scene, pixel_deg};
use crate::signals::{Degrees, Monitor};
use crate::stimulus::drawing::fixed;
use crate::stimulus::hash::random_words;

/// Paths on which objects wander, each with its own speed.
pub(super) const PATHS: usize = 64;
/// Root mean square of the logarithm of the zoom, and its largest value, that of three sinusoids together.
const ZOOM: f64 = 0.1;
pub(super) const FARTHEST: f64 = ZOOM * 2.449_489_742_783_178;
/// Slowest and fastest sinusoid of a path, Hz.
const WANDER_HZ: (f64, f64) = (0.06, 0.4);

/// The camera and the wandering objects at one frame.
pub(super) struct View {
    /// Where the camera looks, texels of the backdrop.
    pub texture: [f32; 2],
    /// Cosine and sine of its turn.
    pub turn: [f32; 2],
    /// Degrees of the world from one column to the next and from one row to the next.
    pub pixel: [f32; 2],
    /// Displacement along each path, less that of the camera, fractions of the world.
    pub paths: [[u32; 2]; PATHS],
    /// Homes are dealt out anew in each scene, from this one on.
    pub deal: usize,
}

/// How the camera moves in a scene.
#[derive(Debug)]
pub(super) struct Camera {
    scene: Scene,
    seed: u64,
    /// Side of the world.
    side: Degrees,
    cut_frames: Option<f64>,
}

impl Camera {
    /// A camera in a world of this side.
    pub fn new(scene: &Scene, monitor: &Monitor, side: Degrees, seed: u64) -> Self {
        let cut_frames = (scene.cut_secs > 0.0).then_some(scene.cut_secs * monitor.frame_rate.0);
        Self { scene: scene.clone(), seed, side, cut_frames }
    }

    /// Which scene a frame belongs to.
    pub fn scene_at(&self, frame: usize) -> u32 {
        // The small addition keeps cuts of whole frames from coming late by a rounding error.
        self.cut_frames.map_or(0, |cut| (frame as f64 / cut + 1e-9) as u64 as u32)
    }

    /// A smooth random function of time whose rate of change has a root mean square of 1.
    fn wander(&self, scene: u32, which: u32, secs: f64) -> f64 {
        const TERMS: u32 = 4;
        let (slowest, fastest) = WANDER_HZ;
        let share = (2.0 / f64::from(TERMS)).sqrt();
        (0..TERMS)
            .map(|term| {
                let [rate, phase, ..] = random_words(self.seed, scene, draw::MOTION + TERMS * which + term);
                let hz = slowest * (fastest / slowest).powf(part(rate));
                share / (TAU * hz) * (TAU * (hz * secs + part(phase)).rem_euclid(1.0)).sin()
            })
            .sum()
    }

    /// The view at a frame of a world of so many objects.
    pub fn view(&self, monitor: &Monitor, frame: usize, objects: usize) -> View {
        let scene = self.scene_at(frame);
        let secs = monitor.frame_rate.secs_at(frame);
        let [x, y, turn, deal] = random_words(self.seed, scene, draw::SCENE);
        // The camera's clock runs at 0.2 to 1.8 of its mean, in about 4 s: pauses and sweeps.
        let (swell, hz) = (0.8, 0.23);
        let clock = (secs + swell / (TAU * hz) * (TAU * (hz * secs + part(deal)).rem_euclid(1.0)).sin())
            / (1.0f64 + swell * swell / 2.0).sqrt();
        let pan = self.scene.camera_speed_deg_per_sec / 2f64.sqrt();
        let camera =
            [(x, 0), (y, 1)].map(|(start, which)| part(start) * self.side + pan * self.wander(scene, which, clock));
        let turn = TAU * part(turn) + self.scene.rotation_deg_per_sec.to_radians() * self.wander(scene, 2, clock);
        let (sin, cos) = turn.sin_cos();
        let zoom = self.zoom(scene, clock).exp();
        let camera_at = camera.map(|degrees| fixed(degrees / self.side));
        let scale = self.scene.object_speed_deg_per_sec / 2f64.sqrt() / self.side;
        let paths = std::array::from_fn(|path| {
            // Quantiles of an exponential distribution, whose mean square is 2: many slow paths, few fast ones.
            let speed = -(1.0 - (path as f64 + 0.5) / PATHS as f64).ln() / 2f64.sqrt();
            let which = 3 + 2 * path as u32;
            [0, 1].map(|axis| {
                let moved = scale * speed * self.wander(scene, which + axis as u32, secs);
                fixed(moved).wrapping_sub(camera_at[axis])
            })
        });
        View {
            texture: camera.map(|degrees| (degrees * f64::from(TEXELS_PER_DEG)).rem_euclid(TEXELS as f64) as f32),
            turn: [cos as f32, sin as f32],
            pixel: pixel_deg(monitor).map(|degrees| (degrees / zoom) as f32),
            paths,
            deal: deal as usize % objects,
        }
    }

    /// Logarithm of the zoom: its size is fixed, and the rate that was asked sets how fast it changes.
    fn zoom(&self, scene: u32, secs: f64) -> f64 {
        const PACES: [f64; 3] = [0.7, 1.0, 1.22];
        let pace = (PACES.iter().map(|pace| pace * pace).sum::<f64>() / 3.0).sqrt();
        let hz = self.scene.zoom_rate_per_sec / (ZOOM * TAU * pace);
        let phases = random_words(self.seed, scene, draw::ZOOM);
        let sum: f64 = PACES
            .iter()
            .zip(phases)
            .map(|(pace, phase)| (TAU * (pace * hz * secs + part(phase)).rem_euclid(1.0)).sin())
            .sum();
        ZOOM * (2.0f64 / 3.0).sqrt() * sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(scene: Scene) -> Camera {
        Camera::new(&scene, &Monitor::WANG2025, 400.0, 3)
    }

    #[test]
    fn wandering_has_the_speed_that_was_asked() {
        let camera = camera(Scene::default());
        let step = 1e-3;
        let squares: f64 = (0..2000)
            .map(|scene| {
                let at = |secs| camera.wander(scene, 0, secs);
                ((at(7.0 + step) - at(7.0)) / step).powi(2)
            })
            .sum();
        // Eight terms of two degrees of freedom in 2000 draws: a standard error of about 2 %.
        assert!((squares / 2000.0 - 1.0).abs() < 0.08, "{}", squares / 2000.0);
    }

    #[test]
    fn zoom_changes_at_its_rate_and_stays_within_what_the_world_was_made_for() {
        let camera = camera(Scene { zoom_rate_per_sec: 0.3, ..Default::default() });
        let step = 1e-4;
        let mut squares = 0.0;
        for k in 0..2000 {
            let secs = f64::from(k) * 0.37;
            let zoom = camera.zoom(k, secs);
            assert!(zoom.abs() <= FARTHEST, "{zoom}");
            squares += ((camera.zoom(k, secs + step) - zoom) / step).powi(2);
        }
        let rate = (squares / 2000.0).sqrt();
        assert!((rate / 0.3 - 1.0).abs() < 0.05, "{rate}");
    }
}
