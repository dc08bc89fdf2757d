//! Pixel noise: independent Gaussian noise on every pixel, new in each frame or the same in all.
//!
//! Grey levels that leave 0..=255 are clipped, so at high contrast the deviation comes out smaller than was asked.

use std::f64::consts::TAU;
use std::sync::OnceLock;

use super::super::fields::{Field, parameters};
use super::super::hash::random_words;
use super::super::noise::normal_cumulative;
use super::super::swing;
use super::{Change, ModifierParameters, Prepared, Screen, StimulusError};

parameters! {
    /// Adds independent Gaussian noise to every pixel.
    pub struct PixelNoise {
        /// Standard deviation as a fraction of the largest swing around the background, 0..=1.
        sd: f64 = 0.1, Field::number(
            "Standard deviation",
            "",
            (0.0, 1.0),
            0.02,
            "Standard deviation of the noise, as a fraction of the largest swing around the background",
        );
        /// The same noise in every frame.
        frozen: bool = false, Field::switch("Frozen", "The same noise in every frame, instead of a new one in each");
    }
}

impl ModifierParameters for PixelNoise {
    fn idle(&self, key: &str) -> Option<&'static str> {
        match key {
            "frozen" if self.sd == 0.0 => Some("there is no noise; raise `sd`"),
            _ => None,
        }
    }

    fn is_random(&self) -> bool {
        self.sd > 0.0
    }

    fn prepare(
        &self,
        below: &Prepared,
        _nested: Option<Prepared>,
        seed: u64,
    ) -> Result<Box<dyn Change>, StimulusError> {
        let deviation = (self.sd * swing(below.monitor().background)) as f32;
        Ok(Box::new(Grains { seed, deviation, frozen: self.frozen }))
    }
}

/// Noise of a deviation in grey levels.
#[derive(Debug)]
struct Grains {
    seed: u64,
    deviation: f32,
    frozen: bool,
}

impl Change for Grains {
    fn apply(&self, _screen: &Screen, frame: usize, greys: &mut [f32]) {
        let normal = normal();
        let time = if self.frozen { 0 } else { frame as u32 };
        // Eight pixels of 12 bits from each four words.
        for (index, eight) in greys.chunks_mut(8).enumerate() {
            let words = random_words(self.seed, index as u32, time);
            for (at, grey) in eight.iter_mut().enumerate() {
                let word = words[at / 2] >> if at % 2 == 0 { 20 } else { 4 };
                *grey += self.deviation * normal[word as usize % QUANTILES];
            }
        }
    }
}

/// Number of steps of the distribution: the outermost lie at 3.7 deviations.
const QUANTILES: usize = 4096;

/// Values that cut the normal distribution into equal parts, of deviation 1.
fn normal() -> &'static [f32; QUANTILES] {
    static TABLE: OnceLock<[f32; QUANTILES]> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut upper = [0.0f64; QUANTILES / 2];
        let mut z = 0.0f64;
        for (index, value) in upper.iter_mut().enumerate() {
            let part = 0.5 + (index as f64 + 0.5) / QUANTILES as f64;
            // Newton's method from the value before.
            for _ in 0..6 {
                z -= (normal_cumulative(z) - part) * TAU.sqrt() * (z * z / 2.0).exp();
            }
            *value = z;
        }
        let deviation = (upper.iter().map(|z| z * z).sum::<f64>() / upper.len() as f64).sqrt();
        std::array::from_fn(|index| {
            let middle = QUANTILES / 2;
            let z = if index < middle { -upper[middle - 1 - index] } else { upper[index - middle] };
            (z / deviation) as f32
        })
    })
}
