//! Random numbers in a row.

use crate::stimulus::hash::random_words;

/// Random numbers in a row: a function of a seed, a stream and how many were drawn before. Streams of one seed are
/// independent, so that resamples can be drawn in any order and on any thread.
#[derive(Debug, Clone)]
pub struct Chance {
    seed: u64,
    stream: u32,
    drawn: u32,
}

impl Chance {
    /// The beginning of a stream.
    pub fn new(seed: u64, stream: u32) -> Self {
        Self { seed, stream, drawn: 0 }
    }

    fn bits(&mut self) -> u64 {
        let [low, high, ..] = random_words(self.seed, self.stream, self.drawn);
        self.drawn = self.drawn.wrapping_add(1);
        u64::from(high) << 32 | u64::from(low)
    }

    /// A whole number of 0..bound, all equally likely (to within bound / 2^64); 0 for a bound of 0.
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.bits()) * bound as u128) >> 64) as usize
    }

    /// A number of 0..1.
    pub fn fraction(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * 2f64.powi(-53)
    }

    /// A normal number of mean 0 and variance 1, by Box and Muller's transform.
    pub fn normal(&mut self) -> f64 {
        // 1 minus a number of 0..1 is never 0.
        let radius = (-2.0 * (1.0 - self.fraction()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.fraction()).cos()
    }

    /// Puts the items in random order, by Fisher and Yates.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}
