//! Bits per spike: by how much log-rates predict counts better than each neuron's mean over the scored data does.
//!
//! (NLL of the mean - NLL) / (spikes ln 2), with the Poisson NLL = Σ λ - y ln λ; the constant ln y! cancels (Pei et al.
//! 2021, the Neural Latents Benchmark). Rates below 1e-6 count as 1e-6, so that a silent prediction costs a finite
//! amount. A neuron without spikes has no bits per spike; it is left out of the mean and counted. In the pooled number
//! it still counts with what its predicted rate costs.

use super::{SpikeScoreError, check};
use crate::signals::Binned;

/// Smallest rate per bin.
const FLOOR: f64 = 1e-6;

/// Bits per spike of a population.
#[derive(Debug, Clone, PartialEq)]
pub struct BitsPerSpike {
    /// Of each neuron; `None` for one without a spike.
    pub per_neuron: Vec<Option<f64>>,
    /// Of all neurons together: the whole gain by all spikes. `None` without any spike.
    pub pooled: Option<f64>,
}

impl BitsPerSpike {
    /// Mean over the neurons that have spikes; `None` when none has.
    pub fn mean(&self) -> Option<f64> {
        let count = self.per_neuron.len() - self.silent();
        (count > 0).then(|| self.per_neuron.iter().flatten().sum::<f64>() / count as f64)
    }

    /// Number of neurons without a spike.
    pub fn silent(&self) -> usize {
        self.per_neuron.iter().filter(|bits| bits.is_none()).count()
    }
}

/// What each trial adds to the score of each neuron, so that trials can be drawn again without predicting them again.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialScores {
    trials: usize,
    neurons: usize,
    /// Scored bins of each neuron in a trial, `[neuron]`.
    bins: Vec<usize>,
    /// Σ y ln λ - λ over the bins, `[trial, neuron]`.
    gains: Vec<f64>,
    /// Σ y over the bins, `[trial, neuron]`.
    spikes: Vec<f64>,
}

impl TrialScores {
    /// Of log-rates and counts, both `[trial, bin, neuron]`.
    ///
    /// # Errors
    /// When the shapes differ, or a log-rate or a count is none.
    pub fn of(log_rates: &Binned, counts: &Binned) -> Result<Self, SpikeScoreError> {
        Self::at(log_rates, counts, |_, _| true)
    }

    /// The same of some bins and neurons alone, the same ones in every trial: `scored` is asked with bin and neuron.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn at(
        log_rates: &Binned,
        counts: &Binned,
        scored: impl Fn(usize, usize) -> bool,
    ) -> Result<Self, SpikeScoreError> {
        check(log_rates, counts)?;
        let [trials, all, neurons] = counts.shape();
        let mask: Vec<bool> = (0..all * neurons).map(|place| scored(place / neurons, place % neurons)).collect();
        let of_neuron = |neuron| mask.iter().skip(neuron).step_by(neurons).filter(|scored| **scored).count();
        let bins = (0..neurons).map(of_neuron).collect();
        let (mut gains, mut spikes) = (vec![0.0; trials * neurons], vec![0.0; trials * neurons]);
        for trial in 0..trials {
            let place = trial * neurons..(trial + 1) * neurons;
            let (gains, spikes) = (&mut gains[place.clone()], &mut spikes[place]);
            for bin in 0..all {
                let mask = &mask[bin * neurons..];
                let rows = log_rates.row(trial, bin).iter().zip(counts.row(trial, bin)).enumerate();
                for (neuron, (&rate, &count)) in rows.filter(|(neuron, _)| mask[*neuron]) {
                    let (rate, count) = (f64::from(rate).max(FLOOR.ln()), f64::from(count));
                    gains[neuron] += count * rate - rate.exp();
                    spikes[neuron] += count;
                }
            }
        }
        Ok(Self { trials, bins, neurons, gains, spikes })
    }

    /// Number of trials.
    pub fn trials(&self) -> usize {
        self.trials
    }

    /// Number of neurons.
    pub fn neurons(&self) -> usize {
        self.neurons
    }

    /// Spikes of each neuron, `[neuron]`.
    pub fn spikes(&self) -> Vec<f64> {
        (0..self.neurons).map(|neuron| self.spikes.iter().skip(neuron).step_by(self.neurons).sum()).collect()
    }

    /// Bits per spike of all trials and neurons.
    pub fn all(&self) -> BitsPerSpike {
        self.score(&(0..self.trials).collect::<Vec<_>>(), &(0..self.neurons).collect::<Vec<_>>())
    }

    /// Bits per spike of these trials, which may be named several times, and neurons. The mean that is compared with is
    /// that of exactly these trials.
    ///
    /// # Panics
    /// When there is no such trial or neuron.
    pub fn score(&self, trials: &[usize], neurons: &[usize]) -> BitsPerSpike {
        self.score_against(trials, neurons, &self.means(trials))
    }

    /// Mean count in a scored bin of these trials, `[neuron]`.
    ///
    /// # Panics
    /// When there is no such trial.
    pub fn means(&self, trials: &[usize]) -> Vec<f64> {
        let mean = |neuron: usize| {
            let spikes: f64 = trials.iter().map(|trial| self.spikes[trial * self.neurons + neuron]).sum();
            spikes / ((trials.len() * self.bins[neuron]) as f64).max(1.0)
        };
        (0..self.neurons).map(mean).collect()
    }

    /// The same as [`Self::score`], held against means `[neuron]` that are given. For a bootstrap these are the means over
    /// all trials: those of a draw are fitted to the trials that it repeats, which lowers every draw.
    ///
    /// # Panics
    /// When there is no such trial or neuron.
    pub fn score_against(&self, trials: &[usize], neurons: &[usize], means: &[f64]) -> BitsPerSpike {
        let (mut all_gain, mut all_spikes) = (0.0, 0.0);
        let bits = |gain: f64, spikes: f64| (spikes > 0.0).then(|| gain / (spikes * std::f64::consts::LN_2));
        let of_neuron = |&neuron: &usize| {
            let (mut gain, mut spikes) = (0.0, 0.0);
            for trial in trials {
                gain += self.gains[trial * self.neurons + neuron];
                spikes += self.spikes[trial * self.neurons + neuron];
            }
            let rows = (trials.len() * self.bins[neuron]) as f64;
            let null = means[neuron].max(FLOOR);
            gain -= spikes * null.ln() - null * rows;
            all_gain += gain;
            all_spikes += spikes;
            bits(gain, spikes)
        };
        let per_neuron = neurons.iter().map(of_neuron).collect();
        BitsPerSpike { per_neuron, pooled: bits(all_gain, all_spikes) }
    }
}

/// Bits per spike of log-rates, both `[trial, bin, neuron]`.
///
/// # Errors
/// When the shapes differ, or a log-rate or a count is none.
pub fn bits_per_spike(log_rates: &Binned, counts: &Binned) -> Result<BitsPerSpike, SpikeScoreError> {
    Ok(TrialScores::of(log_rates, counts)?.all())
}

/// The same of some bins and neurons alone, the same ones in every trial: the mean that each neuron is held against is that
/// of these bins. A neuron without any such bin is one without a spike.
///
/// # Errors
/// As [`bits_per_spike`].
pub fn bits_per_spike_at(
    log_rates: &Binned,
    counts: &Binned,
    scored: impl Fn(usize, usize) -> bool,
) -> Result<BitsPerSpike, SpikeScoreError> {
    Ok(TrialScores::at(log_rates, counts, scored)?.all())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(values: [f32; 4]) -> Binned {
        Binned::new(1, 4, 1, values.to_vec()).expect("four values")
    }

    fn bits(rates: [f32; 4]) -> f64 {
        let log_rates = column(rates.map(f32::ln));
        bits_per_spike(&log_rates, &column([0.0, 0.0, 2.0, 2.0])).expect("good").pooled.expect("spikes")
    }

    #[test]
    fn perfect_mean_and_doubled_rates_have_their_known_scores() {
        // The floor of the rates costs 2e-6 / (4 ln 2).
        assert!((bits([0.0, 0.0, 2.0, 2.0]) - 1.0).abs() < 1e-6, "{}", bits([0.0, 0.0, 2.0, 2.0]));
        assert!(bits([1.0; 4]).abs() < 1e-12);
        // ln 2 is rounded to f32.
        assert!((bits([2.0; 4]) + 0.442_695).abs() < 1e-6, "{}", bits([2.0; 4]));
    }

    #[test]
    fn silent_neurons_are_left_out_of_the_mean_and_counted() {
        let counts = Binned::new(2, 2, 2, vec![1.0, 0.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0]).expect("eight values");
        let log_rates = Binned::new(2, 2, 2, vec![0.0; 8]).expect("eight values");
        let score = bits_per_spike(&log_rates, &counts).expect("good");
        assert_eq!((score.per_neuron[1], score.silent(), score.mean()), (None, 1, score.per_neuron[0]));
        // The mean of the first is 1, which it was predicted to be; the four false bins of the second cost 4 nats.
        assert_eq!(score.per_neuron[0], Some(0.0));
        let cost = -(4.0 - 4e-6) / (4.0 * std::f64::consts::LN_2);
        assert!((score.pooled.expect("spikes") - cost).abs() < 1e-12);
    }

    #[test]
    fn what_cannot_be_scored_is_refused() {
        let counts = column([0.0, 1.0, 2.0, 0.0]);
        assert!(
            bits_per_spike(&column([0.0, f32::NAN, 0.0, 0.0]), &counts).is_err_and(|e| e.to_string().contains("bin 1"))
        );
        assert!(bits_per_spike(&counts, &column([0.0, 0.0, 0.0, -1.0])).is_err());
        assert!(bits_per_spike(&Binned::new(4, 1, 1, vec![0.0; 4]).expect("four"), &counts).is_err());
        let nobody = Binned::new(3, 2, 0, Vec::new()).expect("nothing");
        assert_eq!(bits_per_spike(&nobody, &nobody).expect("good").pooled, None);
    }
}
