//! Slow drift of excitability: a smooth random curve for every unit, known at any time without what came before.

use std::f64::consts::PI;

use super::chance::{Topic, sub_seed};
use crate::stimulus::hash::random_words;

/// Seconds between the random values that the curve joins.
const STEP_SECS: f64 = 60.0;
/// Standard deviation of the logarithm of the rate.
const DEVIATION: f64 = 0.08;

/// Drift of a population.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Drift {
    seed: u64,
    deviation: f64,
}

impl Drift {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed: sub_seed(seed, Topic::Drift, 0), deviation: DEVIATION }
    }

    pub(super) fn with_deviation(self, deviation: f64) -> Self {
        Self { deviation, ..self }
    }

    /// What the rate of a unit is multiplied by at a time of the session.
    pub(super) fn factor(&self, unit: usize, secs: f64) -> f64 {
        if self.deviation == 0.0 {
            return 1.0;
        }
        let at = (secs / STEP_SECS).max(0.0);
        let (before, part) = (at.floor(), 0.5 - 0.5 * (PI * at.fract()).cos());
        let value = |step: u32| {
            // A sum of four uniform numbers of variance 1/12 is close enough to normal.
            let words = random_words(self.seed, unit as u32, step);
            words.iter().map(|&word| f64::from(word) / 4_294_967_296.0 - 0.5).sum::<f64>() * 3f64.sqrt()
        };
        let step = before as u32;
        let z = value(step) * (1.0 - part) + value(step.wrapping_add(1)) * part;
        (self.deviation * z).exp()
    }
}
