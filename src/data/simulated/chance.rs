//! Random numbers in order under a seed, a topic and an index, made by counting: what is drawn for one unit or trial
//! does not depend on how many others there are.

use std::f64::consts::TAU;

use crate::stimulus::hash::random_words;

/// What is drawn; keeps numbers for different purposes apart.
#[derive(Debug, Clone, Copy)]
pub(super) enum Topic {
    Unit = 1,
    Eye,
    Gaze,
    Running,
    Pupil,
    Drift,
    Noise,
    Wiring,
    Mouse,
    Trial,
    Animal,
    Loading,
    Latent,
    Spikes,
}

/// A sequence of random numbers.
#[derive(Debug, Clone)]
pub(super) struct Chance {
    seed: u64,
    drawn: u64,
    words: [u32; 4],
    spare: Option<f64>,
}

impl Chance {
    pub(super) fn new(seed: u64, topic: Topic, index: u32) -> Self {
        Self { seed: sub_seed(seed, topic, index), drawn: 0, words: [0; 4], spare: None }
    }

    fn word(&mut self) -> u32 {
        if self.drawn.is_multiple_of(4) {
            let block = self.drawn / 4;
            self.words = random_words(self.seed, block as u32, (block >> 32) as u32);
        }
        self.drawn += 1;
        self.words[((self.drawn - 1) % 4) as usize]
    }

    /// Uniform in 0..1, never 0 or 1.
    pub(super) fn uniform(&mut self) -> f64 {
        (f64::from(self.word()) + 0.5) / 4_294_967_296.0
    }

    /// Uniform between two numbers.
    pub(super) fn between(&mut self, (least, most): (f64, f64)) -> f64 {
        least + (most - least) * self.uniform()
    }

    /// Between two positive numbers, uniform in the logarithm.
    pub(super) fn log_between(&mut self, (least, most): (f64, f64)) -> f64 {
        self.between((least.ln(), most.ln())).exp()
    }

    /// Index of one of these weights, which sum to 1.
    pub(super) fn choice(&mut self, weights: &[f64]) -> usize {
        let mut left = self.uniform();
        let before = weights.iter().take_while(|weight| {
            left -= **weight;
            left >= 0.0
        });
        before.count().min(weights.len() - 1)
    }

    /// Normal of mean 0 and standard deviation 1 (Box and Muller 1958).
    pub(super) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let (radius, angle) = ((-2.0 * self.uniform().ln()).sqrt(), TAU * self.uniform());
        self.spare = Some(radius * angle.sin());
        radius * angle.cos()
    }

    /// Poisson count of a mean. Products of uniform numbers (Knuth 1969) for means up to 16; larger ones are sums of
    /// such counts, which are Poisson again.
    pub(super) fn poisson(&mut self, mean: f64) -> u32 {
        let mut left = mean.max(0.0);
        let mut count = 0;
        while left > 0.0 {
            let part = left.min(16.0);
            left -= part;
            let (limit, mut product) = ((-part).exp(), self.uniform());
            while product > limit {
                count += 1;
                product *= self.uniform();
            }
        }
        count
    }
}

/// A seed of 64 bits for a topic and an index under another seed.
pub(super) fn sub_seed(seed: u64, topic: Topic, index: u32) -> u64 {
    let [low, high, ..] = random_words(seed, topic as u32, index);
    u64::from(high) << 32 | u64::from(low)
}
