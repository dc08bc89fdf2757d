//! Counts made smooth in time: what a linear model can see of a population's activity.

use crate::signals::Binned;

/// The kernel ends after this many standard deviations.
const REACH: f64 = 4.0;

/// How counts are smoothed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Smoothing {
    /// By a Gaussian of this standard deviation, bins before and after alike; the trial is mirrored at its ends. 0
    /// smooths nothing.
    Gaussian {
        /// Standard deviation, bins.
        sigma_bins: f64,
    },
    /// By an exponential over the bins before, and not the bin itself: what is known when a bin begins.
    History {
        /// Bins after which a count weighs 1/e of what it did.
        tau_bins: f64,
    },
}

impl Smoothing {
    /// Smoothed counts `[trial, bin, neuron]`, each trial on its own.
    pub fn apply(self, counts: &Binned) -> Binned {
        match self {
            Self::Gaussian { sigma_bins } => blurred(counts, &gaussian(sigma_bins)),
            Self::History { tau_bins } => remembered(counts, kept(tau_bins)),
        }
    }
}

impl std::fmt::Display for Smoothing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Gaussian { sigma_bins } => write!(f, "sigma {sigma_bins} bins"),
            Self::History { tau_bins } => write!(f, "tau {tau_bins} bins"),
        }
    }
}

/// Share of the memory that is left after a bin.
pub(super) fn kept(tau_bins: f64) -> f64 {
    if tau_bins > 0.0 { (-1.0 / tau_bins).exp() } else { 0.0 }
}

fn blurred(counts: &Binned, kernel: &[f64]) -> Binned {
    let [trials, bins, neurons] = counts.shape();
    let reach = (kernel.len() / 2) as isize;
    let mut values = Vec::with_capacity(counts.values().len());
    let mut row = vec![0.0f64; neurons];
    for trial in 0..trials {
        for bin in 0..bins {
            row.fill(0.0);
            for (place, weight) in kernel.iter().enumerate() {
                let from = counts.row(trial, mirrored(bin as isize + place as isize - reach, bins));
                row.iter_mut().zip(from).for_each(|(sum, &count)| *sum += weight * f64::from(count));
            }
            values.extend(row.iter().map(|&sum| sum as f32));
        }
    }
    Binned::new(trials, bins, neurons, values).expect("one value for each place")
}

fn remembered(counts: &Binned, kept: f64) -> Binned {
    let [trials, bins, neurons] = counts.shape();
    let mut values = Vec::with_capacity(counts.values().len());
    for trial in 0..trials {
        let mut state = vec![0.0f64; neurons];
        for bin in 0..bins {
            values.extend(state.iter().map(|&value| value as f32));
            remember(&mut state, counts.row(trial, bin).iter().map(|&count| f64::from(count)), kept);
        }
    }
    Binned::new(trials, bins, neurons, values).expect("one value for each place")
}

/// The memory one bin later.
pub(super) fn remember(state: &mut [f64], counts: impl Iterator<Item = f64>, kept: f64) {
    state.iter_mut().zip(counts).for_each(|(value, count)| *value = kept * *value + (1.0 - kept) * count);
}

/// Weights of a Gaussian at whole bins, which sum to 1.
pub(super) fn gaussian(sigma: f64) -> Vec<f64> {
    if !(sigma.is_finite() && sigma > 0.0) {
        return vec![1.0];
    }
    let reach = (REACH * sigma + 0.5) as i64;
    let weights: Vec<f64> = (-reach..=reach).map(|i| (-0.5 * (i as f64 / sigma).powi(2)).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

/// The bin in place of one beyond the ends: the trial is continued by its mirror image, its last bin twice.
pub(super) fn mirrored(bin: isize, bins: usize) -> usize {
    let bins = bins as isize;
    let place = bin.rem_euclid(2 * bins);
    (if place < bins { place } else { 2 * bins - 1 - place }) as usize
}
