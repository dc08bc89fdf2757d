//! Objects that come close and pass.

use super::camera::View;
use super::draw::{self, part};
use super::leaf::{Leaf, Look};
use super::texture::TEXELS_PER_DEG;
use super::world::World;
use super::{half_screen, pixel_deg};
use crate::signals::Monitor;
use crate::stimulus::hash::random_words;

/// Time from first sight of a looming object to its disappearance, seconds.
const LOOMING_SECS: f64 = 3.0;
/// That time over twice the time constant tau.
const LOOMING_TAUS: f64 = 5.0;

impl World {
    /// Objects that come close: on a clock of their own, one in each period of the rate that was asked.
    pub(super) fn looming(&self, monitor: &Monitor, frame: usize, view: &View) -> Vec<Leaf> {
        let rate = self.looming_per_sec;
        if rate <= 0.0 {
            return Vec::new();
        }
        let secs = monitor.frame_rate.secs_at(frame);
        let last = (secs * rate).floor();
        let first = ((secs - LOOMING_SECS) * rate).floor() - 1.0;
        let raster = monitor.raster;
        let pixel = pixel_deg(monitor);
        let half = half_screen(monitor);
        let mut leaves = Vec::new();
        // Saturating casts: a frame beyond all time shows what its last period shows.
        for period in (first.max(0.0) as u32)..=(last as u32) {
            // The scene counts, so that nothing survives a cut.
            let index = period ^ self.camera.scene_at(frame).wrapping_mul(0x9e37_79b9);
            let [onset, right, up, size] = random_words(self.seed, index, draw::LOOMING);
            let age = (secs - (f64::from(period) + part(onset)) / rate) / LOOMING_SECS;
            if !(0.0..1.0).contains(&age) {
                continue;
            }
            let near = |age: f64| 1.0 / (1.0 + (LOOMING_TAUS * (2.0 * age - 1.0)).powi(2)).sqrt();
            let grown = (near(age) - near(0.0)) / (1.0 - near(0.0));
            let diameter = (40.0 + 50.0 * part(size)) * grown;
            if diameter < 0.05 {
                continue;
            }
            let full = self.look(40.0, [draw::LOOMING_LOOK, draw::LOOMING_SURFACE], index);
            let shrink = (diameter / 40.0) as f32;
            // Much brighter or darker than what it hides.
            let grey = self.background + (full.grey - self.background).signum() * self.spread * 1.5;
            // Passes the screen's middle part on a straight path.
            let [to_x, to_y] = full.along.map(|along| f64::from(along) * 20.0 * (age - 0.5));
            let at = [(right, half[0], to_x), (up, half[1], to_y)]
                .map(|(word, half, drift)| 0.7 * half * (2.0 * part(word) - 1.0) + drift);
            let centre = [
                (raster.width as f64 - 1.0) / 2.0 + at[0] / pixel[0],
                (raster.height as f64 - 1.0) / 2.0 - at[1] / pixel[1],
            ];
            let seen = View { pixel: pixel.map(|degrees| degrees as f32), paths: view.paths, ..*view };
            let leaf = Leaf::new(
                &Look { axes: full.axes.map(|axis| axis * shrink), grey, ..full },
                centre.map(|place| place as f32),
                &seen,
            );
            // The texture grows with the object.
            leaves.push(Leaf { texels: full.axes.map(|axis| axis * TEXELS_PER_DEG), ..leaf });
        }
        leaves
    }
}
