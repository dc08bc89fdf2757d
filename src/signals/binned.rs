//! Activity of a population in time bins, over many trials.

use std::ops::Range;

/// Numbers `[trial, bin, neuron]`: spike counts, or log-rates predicted for them.
#[derive(Debug, Clone, PartialEq)]
pub struct Binned {
    trials: usize,
    bins: usize,
    neurons: usize,
    values: Vec<f32>,
}

impl Binned {
    /// Takes values `[trial, bin, neuron]`; `None` when their number does not fit.
    pub fn new(trials: usize, bins: usize, neurons: usize, values: Vec<f32>) -> Option<Self> {
        let size = trials.checked_mul(bins)?.checked_mul(neurons)?;
        (values.len() == size).then_some(Self { trials, bins, neurons, values })
    }

    /// The value of every place.
    pub fn from_fn(shape: [usize; 3], mut value: impl FnMut(usize, usize, usize) -> f32) -> Self {
        let [trials, bins, neurons] = shape;
        let mut values = Vec::with_capacity(trials * bins * neurons);
        for trial in 0..trials {
            for bin in 0..bins {
                values.extend((0..neurons).map(|neuron| value(trial, bin, neuron)));
            }
        }
        Self { trials, bins, neurons, values }
    }

    /// Number of trials.
    pub fn trials(&self) -> usize {
        self.trials
    }

    /// Bins of a trial.
    pub fn bins(&self) -> usize {
        self.bins
    }

    /// Number of neurons.
    pub fn neurons(&self) -> usize {
        self.neurons
    }

    /// Trials, bins, neurons.
    pub fn shape(&self) -> [usize; 3] {
        [self.trials, self.bins, self.neurons]
    }

    /// All values, `[trial, bin, neuron]`.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// All values, to be changed.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// Every neuron in one bin of one trial, `[neuron]`.
    pub fn row(&self, trial: usize, bin: usize) -> &[f32] {
        let start = (trial * self.bins + bin) * self.neurons;
        &self.values[start..start + self.neurons]
    }

    /// One value.
    pub fn at(&self, trial: usize, bin: usize, neuron: usize) -> f32 {
        self.row(trial, bin)[neuron]
    }

    /// Some trials, in the order given.
    #[must_use]
    pub fn of_trials(&self, trials: &[usize]) -> Self {
        let size = self.bins * self.neurons;
        let values = trials.iter().flat_map(|&trial| &self.values[trial * size..(trial + 1) * size]).copied().collect();
        Self { trials: trials.len(), values, ..*self }
    }

    /// Some neurons, in the order given.
    #[must_use]
    pub fn of_neurons(&self, neurons: &[usize]) -> Self {
        let rows = self.values.chunks_exact(self.neurons.max(1));
        let values = rows.flat_map(|row| neurons.iter().map(|&neuron| row[neuron])).collect();
        Self { neurons: neurons.len(), values, ..*self }
    }

    /// Some bins of every trial.
    #[must_use]
    pub fn of_bins(&self, bins: Range<usize>) -> Self {
        let place = |trial: usize| trial * self.bins * self.neurons;
        let part = |trial| place(trial) + bins.start * self.neurons..place(trial) + bins.end * self.neurons;
        let values = (0..self.trials).flat_map(|trial| &self.values[part(trial)]).copied().collect();
        Self { bins: bins.len(), values, ..*self }
    }

    /// Mean over trials and bins, `[neuron]`; 0 where there are none.
    pub fn means(&self) -> Vec<f64> {
        let mut means = vec![0.0; self.neurons];
        for row in self.values.chunks_exact(self.neurons.max(1)) {
            for (mean, &value) in means.iter_mut().zip(row) {
                *mean += f64::from(value);
            }
        }
        let rows = (self.trials * self.bins).max(1) as f64;
        means.iter_mut().for_each(|mean| *mean /= rows);
        means
    }

    /// Mean over trials, one trial.
    #[must_use]
    pub fn trial_mean(&self) -> Self {
        let size = self.bins * self.neurons;
        let mut sums = vec![0.0f64; size];
        for trial in self.values.chunks_exact(size.max(1)) {
            for (sum, &value) in sums.iter_mut().zip(trial) {
                *sum += f64::from(value);
            }
        }
        let trials = self.trials.max(1) as f64;
        Self { trials: 1, values: sums.into_iter().map(|sum| (sum / trials) as f32).collect(), ..*self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Value of a place that tells the place.
    fn counted() -> Binned {
        Binned::from_fn([2, 3, 4], |trial, bin, neuron| (100 * trial + 10 * bin + neuron) as f32)
    }

    #[test]
    fn parts_keep_the_values_of_their_places() {
        let all = counted();
        assert_eq!(all.at(1, 2, 3), 123.0);
        let part = all.of_trials(&[1]).of_bins(1..3).of_neurons(&[3, 0]);
        assert_eq!((part.shape(), part.values()), ([1, 2, 2], &[113.0, 110.0, 123.0, 120.0][..]));
    }

    #[test]
    fn means_are_over_trials_and_bins() {
        assert_eq!(counted().means(), [60.0, 61.0, 62.0, 63.0]);
        assert_eq!(counted().trial_mean().row(0, 1), [60.0, 61.0, 62.0, 63.0]);
        assert_eq!(counted().of_trials(&[]).means(), [0.0; 4]);
    }

    #[test]
    fn a_wrong_number_of_values_is_refused() {
        assert!(Binned::new(2, 3, 4, vec![0.0; 23]).is_none());
        assert!(Binned::new(usize::MAX, 2, 2, Vec::new()).is_none());
    }
}
