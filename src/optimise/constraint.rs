//! The contrast and the range of the monitor, and what they make of a stimulus.
//!
//! A stimulus is its differences from the background, in grey levels. All sums are in f64 and in the order of pixels.

/// Halvings when a scale is searched: enough for the last digit of an f32.
const HALVINGS: usize = 60;
/// Doublings until every difference that an f32 tells from 0 is clipped, nearly.
const DOUBLINGS: u32 = 40;

/// Grey levels that a monitor has around a background, and the contrast that a stimulus is to have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Constraint {
    background: f32,
    /// Root mean square of the differences, grey levels.
    rms: f64,
}

impl Constraint {
    /// A contrast as a share of the background.
    pub fn new(background: u8, contrast: f64) -> Self {
        Self { background: f32::from(background), rms: contrast * f64::from(background) }
    }

    /// The root mean square that a stimulus is to have, grey levels.
    pub fn rms(&self) -> f64 {
        self.rms
    }

    /// A difference within the range of the monitor.
    fn clipped(&self, difference: f32) -> f32 {
        difference.clamp(-self.background, 255.0 - self.background)
    }

    /// Scales differences, and clips them to the range of the monitor, so that their root mean square is that of the
    /// contrast, or, when all are clipped, as near to it as the range lets them. Zeros stay zeros.
    pub fn project(&self, differences: &mut [f32]) {
        let found = rms(differences.iter().copied());
        if found == 0.0 || !found.is_finite() {
            return;
        }
        let plain = self.rms / found;
        let scaled = |scale: f64| differences.iter().map(move |&d| self.clipped((f64::from(d) * scale) as f32));
        let scale = if rms(scaled(plain)) >= self.rms * (1.0 - 1e-6) {
            plain
        } else {
            // What is clipped is missing elsewhere: a larger scale, until everything is clipped.
            let within = |scale: f64| rms(scaled(scale)) <= self.rms;
            let high = (1..DOUBLINGS).map(|n| plain * f64::from(n).exp2()).find(|&scale| !within(scale));
            largest(plain, high.unwrap_or(plain * f64::from(DOUBLINGS).exp2()), within)
        };
        differences.iter_mut().for_each(|d| *d = self.clipped((f64::from(*d) * scale) as f32));
    }

    /// Whole grey levels whose contrast is at most the one asked for: rounding alone could make it a little larger.
    pub fn levels(&self, differences: &[f32]) -> Vec<u8> {
        let level = |d: f32, scale: f64| (self.background + self.clipped((f64::from(d) * scale) as f32)).round() as u8;
        let contrast = |scale: f64| rms(differences.iter().map(|&d| f32::from(level(d, scale)) - self.background));
        let fits = |scale: f64| contrast(scale) <= self.rms;
        let scale = if fits(1.0) { 1.0 } else { largest(0.0, 1.0, fits) };
        differences.iter().map(|&d| level(d, scale)).collect()
    }

    /// The contrast of whole grey levels, as a share of the background.
    pub fn contrast_of(&self, levels: &[u8]) -> f64 {
        rms(levels.iter().map(|&level| f32::from(level) - self.background)) / f64::from(self.background)
    }
}

/// Root mean square; 0 of nothing.
pub(super) fn rms(values: impl ExactSizeIterator<Item = f32>) -> f64 {
    let n = values.len().max(1) as f64;
    (values.map(|v| f64::from(v) * f64::from(v)).sum::<f64>() / n).sqrt()
}

/// The largest number between two at which something holds that holds at the first, and no more beyond some point.
fn largest(mut low: f64, mut high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}
