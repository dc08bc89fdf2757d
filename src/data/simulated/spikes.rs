//! Simulated animals whose spikes follow shared latent dynamics, for models that learn from many animals at once.
//!
//! In every bin a few latents turn and decay by the same rule in all animals, driven by noise and, in the middle of the
//! trial, by a stimulus on the left or on the right; every region hears them later than the one before, and has one
//! latent of its own. A neuron's log-rate is a weighted sum of the latents its region hears; spikes are Poisson. The choice
//! is the side that the first latent has leaned to at the end, with noise; the wheel follows the first latent, the
//! whiskers the size of the second. Expected counts are kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::chance::{Chance, Topic};
use crate::data::spikes::{Counts, Shares, SpikeSession, Split};
use crate::signals::Binned;

/// What is simulated; the default has fast latents, which only other neurons can tell, not other bins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SpikeSimulation {
    /// Everything follows from it.
    pub seed: u64,
    /// Number of animals, each with one session. The first of ten are the same as the first of two.
    pub animals: u32,
    /// Fewest and most neurons of an animal.
    pub neurons: (usize, usize),
    /// Trials of an animal.
    pub trials: usize,
    /// Bins of a trial.
    pub bins: usize,
    /// Length of a bin, seconds.
    pub bin_secs: f64,
    /// Number of regions; neurons are spread evenly.
    pub regions: usize,
    /// Latents that all regions hear, at least 2.
    pub shared: usize,
    /// Bins by which each region hears the shared latents later than the one before.
    pub delay_bins: usize,
    /// Share of a latent that is left after one bin: .7 is fast, .98 slow.
    pub persistence: f64,
    /// Bins of one turn of the first two latents.
    pub turn_bins: f64,
    /// How strongly the stimulus drives the first latent.
    pub drive: f64,
    /// Typical size of a neuron's weights of the shared latents.
    pub shared_weight: f64,
    /// Typical size of a neuron's weight of its region's own latent.
    pub own_weight: f64,
    /// Expected count in a bin at rest.
    pub mean_count: f64,
    /// What trials are for.
    pub shares: Shares,
}

impl Default for SpikeSimulation {
    fn default() -> Self {
        Self {
            seed: 0,
            animals: 3,
            neurons: (32, 48),
            trials: 200,
            bins: 50,
            bin_secs: 0.02,
            regions: 4,
            shared: 3,
            delay_bins: 1,
            persistence: 0.7,
            turn_bins: 12.0,
            drive: 0.6,
            shared_weight: 0.6,
            own_weight: 0.5,
            mean_count: 0.15,
            shares: Shares::default(),
        }
    }
}

/// What cannot be simulated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` of the simulated animals is {found}, but it must be {expected}")]
pub struct SpikeSimulationError {
    key: &'static str,
    found: String,
    expected: &'static str,
}

/// Largest logarithm of an expected count: the tail of a Gaussian must not become a burst of thousands.
const LARGEST_LOG_RATE: f64 = 1.0;
/// How different neurons are at rest: standard deviation of the logarithm of the rate.
const REST_DEVIATION: f64 = 0.3;
/// Stimulus strengths.
const CONTRASTS: [f64; 4] = [0.0, 0.25, 0.5, 1.0];

impl SpikeSimulation {
    /// Checks every size.
    ///
    /// # Errors
    /// The first one that cannot be.
    pub fn check(&self) -> Result<(), SpikeSimulationError> {
        let wrong = |key, found: String, expected| Err(SpikeSimulationError { key, found, expected });
        let counts = [
            ("animals", self.animals as usize, 1, 1000, "between 1 and 1000"),
            ("neurons", self.neurons.0, 1, 10_000, "two numbers between 1 and 10000"),
            (
                "neurons",
                self.neurons.1,
                self.neurons.0,
                10_000,
                "two numbers, the second not below the first, at most 10000",
            ),
            ("trials", self.trials, 1, 100_000, "between 1 and 100000"),
            ("bins", self.bins, 1, 10_000, "between 1 and 10000"),
            ("regions", self.regions, 1, 100, "between 1 and 100"),
            ("shared", self.shared, 2, 100, "between 2 and 100"),
            ("delay_bins", self.delay_bins, 0, 1000, "at most 1000"),
        ];
        for (key, found, least, most, expected) in counts {
            if !(least..=most).contains(&found) {
                return wrong(key, found.to_string(), expected);
            }
        }
        let size = self.trials.checked_mul(self.bins).and_then(|size| size.checked_mul(self.neurons.1));
        if size.is_none_or(|size| size > 1 << 30) {
            return wrong("trials", self.trials.to_string(), "fewer: an animal has at most 2^30 counts");
        }
        let shares = [("validation", self.shares.validation), ("test", self.shares.test)];
        let numbers = [
            ("bin_secs", self.bin_secs, 1e-6, 1e3, "a length between 1e-6 and 1000 s"),
            ("persistence", self.persistence, 0.0, 0.999_999, "a share from 0 to less than 1"),
            ("turn_bins", self.turn_bins, 2.0, 1e9, "at least 2"),
            ("drive", self.drive, 0.0, 100.0, "between 0 and 100"),
            ("shared_weight", self.shared_weight, 0.0, 100.0, "between 0 and 100"),
            ("own_weight", self.own_weight, 0.0, 100.0, "between 0 and 100"),
            ("mean_count", self.mean_count, 1e-6, 2.0, "between 1e-6 and 2"),
        ];
        let shares = shares.map(|(key, share)| (key, share, 0.0, 1.0, "a share from 0 to 1"));
        for (key, found, least, most, expected) in numbers.into_iter().chain(shares) {
            if !(least..=most).contains(&found) {
                return wrong(key, found.to_string(), expected);
            }
        }
        Ok(())
    }

    /// The sessions of all animals.
    ///
    /// # Errors
    /// When a size cannot be.
    pub fn sessions(&self) -> Result<Vec<SpikeSession>, SpikeSimulationError> {
        self.check()?;
        Ok((0..self.animals).map(|animal| self.session(animal)).collect())
    }

    /// One animal; what it does depends on no other.
    fn session(&self, animal: u32) -> SpikeSession {
        let mut chance = Chance::new(self.seed, Topic::Animal, animal);
        let (least, most) = self.neurons;
        let neurons = least + (chance.uniform() * (most - least + 1) as f64) as usize;
        let split_seed = (chance.uniform() * 2f64.powi(53)) as u64;
        let region = |neuron: usize| neuron * self.regions / neurons;
        let latents = self.shared + 1;
        let loading = self.loadings(animal, neurons);
        let shape = [self.trials, self.bins, neurons];
        let (mut rates, mut counts) = (Vec::new(), Vec::new());
        let (mut choice, mut wheel, mut whisker, mut contrast) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut spikes = Chance::new(self.seed, Topic::Spikes, animal);
        let mut latent = Chance::new(self.seed, Topic::Latent, animal);
        for _ in 0..self.trials {
            let Trial { shared, own, stimulus } = self.trial(&mut latent);
            contrast.push(stimulus as f32);
            let lead = self.delay_bins * (self.regions - 1);
            for bin in 0..self.bins {
                for neuron in 0..neurons {
                    let region = region(neuron);
                    let heard = &shared[lead + bin - region * self.delay_bins];
                    let weights = &loading[neuron * (latents + 1)..(neuron + 1) * (latents + 1)];
                    let sum: f64 = heard.iter().zip(weights).map(|(x, w)| x * w).sum();
                    let sum = sum + own[bin][region] * weights[self.shared] + weights[latents];
                    let rate = sum.min(LARGEST_LOG_RATE).exp() as f32;
                    rates.push(rate);
                    counts.push(spikes.poisson(f64::from(rate)).min(255) as u8);
                }
                let now = &shared[lead + bin];
                wheel.push((now[0] + 0.3 * latent.normal()) as f32);
                whisker.push((now[1].abs() + 0.3 * latent.normal().abs()) as f32);
            }
            let end = &shared[lead + self.bins / 2..];
            let leaning = end.iter().map(|now| now[0]).sum::<f64>() / end.len() as f64;
            choice.push(if leaning + 0.05 * latent.normal() > 0.0 { 1 } else { -1 });
        }
        SpikeSession {
            id: format!("simulated-{}-{}", self.seed, animal + 1),
            simulated: true,
            counts: Counts::new(shape[0], shape[1], shape[2], counts).expect("one count for each place"),
            bin_secs: self.bin_secs,
            first_bin_secs: -(self.bins as f64 / 4.0).floor() * self.bin_secs,
            regions: (0..neurons).map(|neuron| format!("R{}", region(neuron) + 1)).collect(),
            choice: Some(choice),
            wheel: Some(wheel),
            whisker: Some(whisker),
            columns: BTreeMap::from([("contrast_side".to_owned(), contrast)]),
            split: Split::drawn(self.trials, self.shares, split_seed),
            held_out: Vec::new(),
            rates: Binned::new(shape[0], shape[1], shape[2], rates),
        }
    }

    /// Weights of every neuron, `[neuron, shared latents, own latent, rest]`; the last is the log-rate at rest.
    fn loadings(&self, animal: u32, neurons: usize) -> Vec<f64> {
        let mut chance = Chance::new(self.seed, Topic::Loading, animal);
        let mut weights = Vec::with_capacity(neurons * (self.shared + 2));
        for _ in 0..neurons {
            weights.extend((0..self.shared).map(|_| self.shared_weight * chance.normal()));
            weights.push(self.own_weight * chance.normal());
            weights.push(self.mean_count.ln() + REST_DEVIATION * chance.normal());
        }
        weights
    }

    /// The latents of a trial, and the stimulus: negative on the left.
    fn trial(&self, chance: &mut Chance) -> Trial {
        let side = if chance.uniform() < 0.5 { -1.0 } else { 1.0 };
        let stimulus = side * CONTRASTS[chance.choice(&[0.25; 4])];
        // Noise that keeps the variance of every latent at 1.
        let (keep, noise) = (self.persistence, (1.0 - self.persistence * self.persistence).sqrt());
        let (sin, cos) = (std::f64::consts::TAU / self.turn_bins).sin_cos();
        let lead = self.delay_bins * (self.regions - 1);
        let mut state: Vec<f64> = (0..self.shared).map(|_| chance.normal()).collect();
        let mut own: Vec<f64> = (0..self.regions).map(|_| chance.normal()).collect();
        let mut trial = Trial { shared: Vec::new(), own: Vec::new(), stimulus };
        // The first region must have something to hear before the trial begins.
        for time in 0..lead + self.bins {
            let shown = time >= lead + self.bins / 4;
            let (x, y) = (state[0], state[1]);
            (state[0], state[1]) = (cos * x - sin * y, sin * x + cos * y);
            for (index, value) in state.iter_mut().enumerate() {
                *value = keep * *value + noise * chance.normal();
                if index == 0 && shown {
                    *value += self.drive * stimulus;
                }
            }
            own.iter_mut().for_each(|value| *value = keep * *value + noise * chance.normal());
            trial.shared.push(state.clone());
            if time >= lead {
                trial.own.push(own.clone());
            }
        }
        trial
    }
}

/// What happens inside an animal in one trial.
struct Trial {
    /// `[lead + bin, latent]`: begins as early as the last region hears.
    shared: Vec<Vec<f64>>,
    /// `[bin, region]`.
    own: Vec<Vec<f64>>,
    stimulus: f64,
}
