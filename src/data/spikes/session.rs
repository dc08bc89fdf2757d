//! One session of one animal.

use std::collections::BTreeMap;

use super::error::SpikeError;
use super::split::Split;
use crate::signals::Binned;

/// Spike counts `[trial, bin, neuron]`, a byte each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    trials: usize,
    bins: usize,
    neurons: usize,
    values: Vec<u8>,
}

impl Counts {
    /// Takes values `[trial, bin, neuron]`; `None` when their number does not fit.
    pub fn new(trials: usize, bins: usize, neurons: usize, values: Vec<u8>) -> Option<Self> {
        let size = trials.checked_mul(bins)?.checked_mul(neurons)?;
        (values.len() == size).then_some(Self { trials, bins, neurons, values })
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
    pub fn values(&self) -> &[u8] {
        &self.values
    }

    /// Some trials as numbers, in the order given.
    pub fn of_trials(&self, trials: &[usize]) -> Binned {
        let size = self.bins * self.neurons;
        let values = trials.iter().flat_map(|&trial| &self.values[trial * size..(trial + 1) * size]);
        let values = values.map(|&count| f32::from(count)).collect();
        Binned::new(trials.len(), self.bins, self.neurons, values).expect("one value for each place")
    }

    /// Everything as numbers.
    pub fn all(&self) -> Binned {
        self.of_trials(&(0..self.trials).collect::<Vec<_>>())
    }
}

/// Binned spikes of the trials of one animal on one day, and what else was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct SpikeSession {
    /// Name, by which a model keys the weights of the session.
    pub id: String,
    /// Whether the animal was simulated; every view of it then says so.
    pub simulated: bool,
    /// The spikes.
    pub counts: Counts,
    /// Length of a bin, seconds.
    pub bin_secs: f64,
    /// Start of the first bin, seconds after the event that trials are aligned to.
    pub first_bin_secs: f64,
    /// Where each neuron lies, `[neuron]`.
    pub regions: Vec<String>,
    /// What the animal chose, `[trial]`: -1 or 1, 0 nothing. Words become -1 left, 1 right; numbers stay as they are, and
    /// in files of the International Brain Laboratory 1 is left.
    pub choice: Option<Vec<i8>>,
    /// Speed of the wheel, `[trial, bin]`; NaN where it was not measured.
    pub wheel: Option<Vec<f32>>,
    /// Motion energy of the whiskers, `[trial, bin]`; NaN where it was not measured.
    pub whisker: Option<Vec<f32>>,
    /// Anything else that was noted of each trial, by name, `[trial]`; NaN where it was not.
    pub columns: BTreeMap<String, Vec<f32>>,
    /// What each trial is for.
    pub split: Split,
    /// Neurons that the recording's own benchmark holds out, ascending; often none.
    pub held_out: Vec<usize>,
    /// Expected counts `[trial, bin, neuron]`, known of simulated animals alone.
    pub rates: Option<Binned>,
}

impl SpikeSession {
    /// Region of each neuron as a number: its place in the sorted list of names, which comes second.
    pub fn region_labels(&self) -> (Vec<usize>, Vec<String>) {
        let names: Vec<String> = std::collections::BTreeSet::from_iter(&self.regions).into_iter().cloned().collect();
        let label = |name: &String| names.binary_search(name).expect("every name is in the list");
        (self.regions.iter().map(label).collect(), names)
    }

    /// Spikes of the trials for training, validation or tests.
    pub fn of(&self, trials: &[usize]) -> Binned {
        self.counts.of_trials(trials)
    }

    /// Mean count in a bin over the training trials, `[neuron]`: where a model's readout starts.
    pub fn training_means(&self) -> Vec<f64> {
        self.of(&self.split.train).means()
    }

    /// Neurons that fire at least so often on average, over the training trials: what chooses an epoch must not know the
    /// test trials.
    pub fn active(&self, least_hz: f64) -> Vec<usize> {
        let means = self.training_means();
        (0..means.len()).filter(|&neuron| means[neuron] / self.bin_secs >= least_hz).collect()
    }

    /// Leaves out trials: those that fail are for nothing, but stay in the file. Returns how many were left out now.
    pub fn keep_trials(&mut self, keep: impl Fn(usize) -> bool) -> usize {
        let lists = [&mut self.split.train, &mut self.split.validation, &mut self.split.test];
        let mut left_out = 0;
        for list in lists {
            let before = list.len();
            list.retain(|&trial| keep(trial));
            left_out += before - list.len();
        }
        left_out
    }

    /// Moves a random share of the training trials to validation, for recordings that come without any.
    pub fn draw_validation(&mut self, share: f64, seed: u64) {
        let trials = std::mem::take(&mut self.split.train);
        let drawn = Split::around_test(trials.len(), &[], share, seed);
        self.split.train = drawn.train.iter().map(|&index| trials[index]).collect();
        self.split.validation.extend(drawn.validation.iter().map(|&index| trials[index]));
        self.split.validation.sort_unstable();
        self.split.seed = Some(seed);
    }

    /// Checks that all parts belong together; `file` names the session in errors.
    ///
    /// # Errors
    /// The first part that does not fit.
    pub fn check(&self, file: &str) -> Result<(), SpikeError> {
        let wrong = |what: String| Err(SpikeError::Content { file: file.to_owned(), what });
        let [trials, bins, neurons] = self.counts.shape();
        if trials == 0 || bins == 0 || neurons == 0 {
            return wrong(format!("{trials} trials of {bins} bins and {neurons} neurons are no recording"));
        }
        if !(self.bin_secs.is_finite() && self.bin_secs > 0.0 && self.first_bin_secs.is_finite()) {
            return wrong(format!("bins of {} s from {} s on cannot be", self.bin_secs, self.first_bin_secs));
        }
        if self.id.is_empty() || self.id.chars().count() > 200 || self.id.chars().any(char::is_control) {
            return wrong("the name of the session must have between 1 and 200 printable characters".to_owned());
        }
        if self.regions.len() != neurons {
            return wrong(format!("`regions` has {} names for {neurons} neurons", self.regions.len()));
        }
        if let Some(choice) = &self.choice {
            if choice.len() != trials {
                return wrong(format!("`choice` has {} values for {trials} trials", choice.len()));
            }
            if let Some(trial) = choice.iter().position(|choice| !(-1..=1).contains(choice)) {
                return wrong(format!("`choice` of trial {trial} is {}, expected -1, 0 or 1", choice[trial]));
            }
        }
        let traces = [("wheel", &self.wheel), ("whisker", &self.whisker)];
        for (name, values) in traces.into_iter().filter_map(|(name, values)| Some((name, values.as_ref()?))) {
            if values.len() != trials * bins {
                return wrong(format!("`{name}` has {} values for {trials} trials of {bins} bins", values.len()));
            }
            if let Some(index) = values.iter().position(|value| value.is_infinite()) {
                return wrong(format!("`{name}` is infinite in trial {}, bin {}", index / bins, index % bins));
            }
        }
        if let Some((name, values)) = self.columns.iter().find(|(_, values)| values.len() != trials) {
            return wrong(format!("`{name}` has {} values for {trials} trials", values.len()));
        }
        if let Err(what) = self.split.check(trials) {
            return wrong(what);
        }
        if !self.held_out.is_sorted_by(|a, b| a < b) || self.held_out.last().is_some_and(|&last| last >= neurons) {
            return wrong(format!("`heldout_neurons` must be ascending numbers below {neurons}"));
        }
        if let Some(rates) = &self.rates {
            let good = |value: &f32| value.is_finite() && *value >= 0.0;
            if rates.shape() != self.counts.shape() || !rates.values().iter().all(good) {
                return wrong("`rates` must be an expected count for every count".to_owned());
            }
        }
        Ok(())
    }
}
