//! From true rates to what is recorded.

use super::chance::{Chance, Topic};
use crate::signals::{FrameRate, Responses};

/// How responses are recorded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Noise {
    /// As they are.
    None,
    /// Poisson counts, divided by the mean count: a Fano factor of 1 in counts.
    Poisson {
        /// Counts in a frame at a rate of 1.0, the unit's mean.
        counts_per_frame: f64,
    },
    /// The rate seen through an indicator that rises at once and decays exponentially, with Gaussian noise.
    Calcium {
        /// Time constant of the decay, seconds.
        decay_secs: f64,
        /// Variance of the signal over the training trials, divided by that of the noise.
        signal_to_noise: f64,
    },
}

impl Default for Noise {
    /// One count in a frame on average: the median correlation of a single trial with the rate is then about 0.6.
    fn default() -> Self {
        Self::Poisson { counts_per_frame: 1.0 }
    }
}

impl std::fmt::Display for Noise {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Poisson { counts_per_frame } => {
                let counts = if *counts_per_frame == 1.0 { "count" } else { "counts" };
                write!(f, "Poisson, {counts_per_frame} {counts} in a frame on average")
            }
            Self::Calcium { decay_secs, signal_to_noise } => {
                write!(f, "calcium, {decay_secs} s decay, signal-to-noise ratio {signal_to_noise}")
            }
        }
    }
}

impl Noise {
    /// Checks its numbers.
    ///
    /// # Errors
    /// A clause about the first that is out of its range.
    pub fn check(&self) -> Result<(), String> {
        let within = |what: &str, found: f64, least: f64, most: f64| {
            if (least..=most).contains(&found) {
                return Ok(());
            }
            Err(format!("{what} is {found}, expected {least} to {most}"))
        };
        match *self {
            Self::None => Ok(()),
            Self::Poisson { counts_per_frame } => within("the count in a frame", counts_per_frame, 0.001, 100.0),
            Self::Calcium { decay_secs, signal_to_noise } => {
                within("the time constant of calcium in seconds", decay_secs, 0.001, 10.0)?;
                within("the signal-to-noise ratio", signal_to_noise, 0.001, 1e6)
            }
        }
    }

    /// What would be recorded without noise: the mean over very many repeats.
    pub fn signal(&self, rates: &Responses, rate: FrameRate) -> Responses {
        let Self::Calcium { decay_secs, .. } = *self else { return rates.clone() };
        let stay = (-1.0 / (decay_secs * rate.0)).exp() as f32;
        let row = rates.samples() * rates.units();
        let mut values = rates.values().to_vec();
        for index in row..values.len() {
            values[index] = stay * values[index - row] + (1.0 - stay) * values[index];
        }
        Responses::new(rates.frames(), rates.samples(), rates.units(), values).expect("as many values as before")
    }

    /// One noisy repeat. `signal_variance` is that of [`Noise::signal`] for each unit; only [`Noise::Calcium`] needs it.
    ///
    /// # Panics
    /// When there is not one variance for each unit.
    pub fn record(&self, rates: &Responses, rate: FrameRate, signal_variance: &[f32], seed: u64) -> Responses {
        assert_eq!(signal_variance.len(), rates.units(), "variances of all units");
        let mut chance = Chance::new(seed, Topic::Noise, 0);
        let mut recorded = self.signal(rates, rate);
        let (frames, samples, units) = (rates.frames(), rates.samples(), rates.units());
        let values: Vec<f32> = match *self {
            Self::None => return recorded,
            Self::Poisson { counts_per_frame: counts } => {
                let draw = |&rate: &f32| (f64::from(chance.poisson(f64::from(rate) * counts)) / counts) as f32;
                recorded.values().iter().map(draw).collect()
            }
            Self::Calcium { signal_to_noise, .. } => {
                let deviations: Vec<f64> =
                    signal_variance.iter().map(|&variance| (f64::from(variance) / signal_to_noise).sqrt()).collect();
                let noisy = |(&signal, deviation): (&f32, &f64)| signal + (deviation * chance.normal()) as f32;
                recorded.values().iter().zip(deviations.iter().cycle()).map(noisy).collect()
            }
        };
        recorded = Responses::new(frames, samples, units, values).expect("as many values as before");
        recorded
    }
}
