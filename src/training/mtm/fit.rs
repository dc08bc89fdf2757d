//! Training of the masked transformer: one session and one scheme a batch, the best validation epoch is kept.
//!
//! Every draw is a function of the seed, the epoch and the step, so that a training that goes on from a [`FitState`]
//! takes the same steps, to the bit on a CPU.

use burn::tensor::{Device, TensorReadError};
use serde::{Deserialize, Serialize};

use super::adam_w::{AdamWConfig, AdamWState};
use super::learner::{Batch, Learner};
use super::one_cycle::OneCycle;
use crate::analysis::spikes::{SpikeScoreError, bits_per_spike};
use crate::data::spikes::{SpikeSession, shuffled};
use crate::job::{Cancelled, Progress};
use crate::model::mtm::{Mask, MtmError, MtmWeights, Scheme};
use crate::signals::Binned;
use crate::stimulus::hash::random_words;

/// What is trained, and how; the default is the published training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FitConfig {
    /// Times that every training trial is seen.
    pub epochs: usize,
    /// Trials of a batch.
    pub batch: usize,
    /// Schemes, one of which is drawn for each batch.
    pub schemes: Vec<Scheme>,
    /// Share that is hidden, where it is not that of the scheme.
    pub ratio: Option<f64>,
    /// Learning rate.
    pub cycle: OneCycle,
    /// Optimizer.
    pub optimizer: AdamWConfig,
    /// Epochs from one validation to the next.
    pub validate_every: usize,
    /// Train the weights of the sessions alone and keep the shared ones, for a new animal.
    pub keep_shared: bool,
    /// Seed of orders, masks and dropout.
    pub seed: u64,
}

impl Default for FitConfig {
    fn default() -> Self {
        Self {
            epochs: 1000,
            batch: 16,
            schemes: Scheme::MTM.to_vec(),
            ratio: None,
            cycle: OneCycle::default(),
            optimizer: AdamWConfig::default(),
            validate_every: 5,
            keep_shared: false,
            seed: 0,
        }
    }
}

impl FitConfig {
    /// Checks every setting.
    ///
    /// # Errors
    /// A clause about the first one that cannot be, with its key.
    pub fn check(&self) -> Result<(), String> {
        let refused = Err::<(), String>;
        for (key, count) in [("epochs", self.epochs), ("batch", self.batch), ("validate_every", self.validate_every)] {
            if !(1..=MOST).contains(&count) {
                return refused(format!("`{key}` is {count}, but it must lie between 1 and {MOST}"));
            }
        }
        if self.schemes.is_empty() {
            return refused("`schemes` names none".to_owned());
        }
        if let Some(ratio) = self.ratio.filter(|ratio| !(*ratio > 0.0 && *ratio <= 1.0)) {
            return refused(format!("`ratio` is {ratio}, but it must be a share above 0 and at most 1"));
        }
        let OneCycle { peak, warm_up, start, end } = self.cycle;
        let AdamWConfig { decay, beta1, beta2, eps } = self.optimizer;
        let numbers = [
            ("cycle.peak", peak, peak > 0.0, "a rate above 0"),
            ("cycle.warm_up", warm_up, (0.0..=1.0).contains(&warm_up), "a share from 0 to 1"),
            ("cycle.start", start, start >= 0.0, "a share of the highest rate, at least 0"),
            ("cycle.end", end, end >= 0.0, "a share of the highest rate, at least 0"),
            ("optimizer.decay", decay, decay >= 0.0, "at least 0"),
            ("optimizer.beta1", beta1, (0.0..1.0).contains(&beta1), "a share from 0 to below 1"),
            ("optimizer.beta2", beta2, (0.0..1.0).contains(&beta2), "a share from 0 to below 1"),
            ("optimizer.eps", eps, eps > 0.0, "above 0"),
        ];
        match numbers.iter().find(|(_, value, good, _)| !(value.is_finite() && *good)) {
            Some((key, value, _, expected)) => refused(format!("`{key}` is {value}, but it must be {expected}")),
            None => Ok(()),
        }
    }
}

/// Most epochs, trials of a batch, and epochs between validations.
const MOST: usize = 1_000_000;

/// Why a training stopped.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// Settings that cannot be.
    #[error("the training cannot begin: {0}")]
    Settings(String),
    /// The training has left the range of numbers.
    #[error("the loss became {loss} at step {step}; lower the learning rate")]
    NotFinite {
        /// What it became.
        loss: f32,
        /// When.
        step: usize,
    },
    /// The network.
    #[error(transparent)]
    Network(#[from] MtmError),
    /// A prediction that cannot be scored.
    #[error("the validation could not be scored: {0}")]
    Score(#[from] SpikeScoreError),
    /// The device failed.
    #[error("the loss could not be read from the device: {0}")]
    Read(#[from] TensorReadError),
    /// The configuration.
    #[error(transparent)]
    Recipe(#[from] super::MtmRecipeError),
    /// A checkpoint or the log.
    #[error(transparent)]
    File(#[from] crate::training::TrainingError),
    /// A session that cannot be learned from.
    #[error("the session `{id}` cannot be learned from: {what}")]
    Session {
        /// Its name.
        id: String,
        /// Why not.
        what: String,
    },
    /// The user asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// What the training needs of a session.
#[derive(Debug, Clone, PartialEq)]
pub struct FitSession {
    /// Its name in the network.
    pub id: String,
    /// Counts to learn from.
    pub train: Binned,
    /// Counts that choose the best epoch; without trials there is no validation.
    pub validation: Binned,
    /// Labels of the neurons.
    pub regions: Vec<usize>,
    /// Groups of neurons that validation hides in turn; each list of groups has a score of its own, and their mean counts.
    pub hidden: Vec<Vec<Vec<usize>>>,
}

/// Rate below which a neuron says too little to choose an epoch by.
const LEAST_HZ: f64 = 0.5;
/// Groups that neurons are hidden in.
const FOLDS: usize = 4;

impl FitSession {
    /// Validation by the neurons that the recording's benchmark holds out, and by a quarter of all active ones at a time.
    pub fn new(session: &SpikeSession, seed: u64) -> Self {
        let active = session.active(LEAST_HZ);
        let active = if active.is_empty() { (0..session.counts.neurons()).collect() } else { active };
        let order = shuffled(active.len(), derived(seed, Purpose::Folds, 0));
        let folds = order.chunks(active.len().div_ceil(FOLDS)).map(|fold| fold.iter().map(|&i| active[i]).collect());
        let mut hidden = vec![folds.collect()];
        if !session.held_out.is_empty() {
            hidden.push(vec![session.held_out.clone()]);
        }
        Self {
            id: session.id.clone(),
            train: session.of(&session.split.train),
            validation: session.of(&session.split.validation),
            regions: session.region_labels().0,
            hidden,
        }
    }
}

/// What is told after each epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EpochReport {
    /// Epochs so far.
    pub epoch: usize,
    /// Loss for each scored count.
    pub loss: f64,
    /// Bits per spike on the validation trials, where there was a validation.
    pub score: Option<f64>,
}

/// The best epoch so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Best {
    /// Which.
    pub epoch: usize,
    /// Its bits per spike on the validation trials.
    pub score: f64,
    /// Its weights.
    pub weights: MtmWeights,
}

/// All that later steps depend on, between two epochs.
#[derive(Debug, Clone, PartialEq)]
pub struct FitState {
    /// Epochs so far.
    pub epoch: usize,
    /// Weights now.
    pub weights: MtmWeights,
    /// Moments now.
    pub optimizer: AdamWState,
    /// The best epoch so far.
    pub best: Option<Best>,
}

/// A training in progress.
#[derive(Debug)]
pub struct Fit {
    config: FitConfig,
    learner: Learner,
    epoch: usize,
    best: Option<Best>,
}

/// What random numbers are for.
#[derive(Debug, Clone, Copy)]
enum Purpose {
    Trials = 1,
    Batches,
    Scheme,
    Mask,
    Dropout,
    Folds,
}

/// A seed of 64 bits for a purpose and a place.
fn derived(seed: u64, purpose: Purpose, place: usize) -> u64 {
    let [low, high, ..] = random_words(seed, purpose as u32, place as u32);
    u64::from(high) << 32 | u64::from(low)
}

impl Fit {
    /// A training that starts from these weights.
    ///
    /// # Errors
    /// When a setting cannot be.
    pub fn new(config: FitConfig, weights: MtmWeights, device: &Device) -> Result<Self, FitError> {
        Self::resume(config, FitState { epoch: 0, weights, optimizer: AdamWState::default(), best: None }, device)
    }

    /// A training that goes on.
    ///
    /// # Errors
    /// When a setting cannot be, or the state is incomplete.
    pub fn resume(config: FitConfig, state: FitState, device: &Device) -> Result<Self, FitError> {
        config.check().map_err(FitError::Settings)?;
        let FitState { epoch, weights, optimizer, best } = state;
        let learner = Learner::new(&weights, config.optimizer, optimizer, config.keep_shared, device)?;
        Ok(Self { config, learner, epoch, best })
    }

    /// All that later steps depend on: what a checkpoint stores.
    ///
    /// # Errors
    /// When the device fails.
    pub fn state(&self) -> Result<FitState, FitError> {
        Ok(FitState {
            epoch: self.epoch,
            weights: self.learner.weights()?,
            optimizer: self.learner.moments()?,
            best: self.best.clone(),
        })
    }

    /// Weights of the best validation epoch, or those of now without validation.
    ///
    /// # Errors
    /// When the device fails.
    pub fn best_weights(&self) -> Result<MtmWeights, FitError> {
        match &self.best {
            Some(best) => Ok(best.weights.clone()),
            None => Ok(self.learner.weights()?),
        }
    }

    /// Trains all epochs that are left, and tells of each. `after_epoch` may store a checkpoint.
    ///
    /// # Errors
    /// When the user cancels, the loss leaves the range of numbers, or a session does not fit the network.
    pub fn run(
        &mut self,
        sessions: &[FitSession],
        progress: &Progress,
        mut after_epoch: impl FnMut(&Self, EpochReport) -> Result<(), FitError>,
    ) -> Result<(), FitError> {
        let left = self.config.epochs.saturating_sub(self.epoch);
        progress.begin((left * self.steps(sessions)) as u64);
        while self.epoch < self.config.epochs {
            let report = self.epoch(sessions, progress)?;
            after_epoch(self, report)?;
        }
        Ok(())
    }

    /// One epoch: every training trial of every session once, then, when it is time, the validation.
    ///
    /// # Errors
    /// As [`Self::run`]; the epoch is then not finished, and the training goes on from its last [`FitState`].
    pub fn epoch(&mut self, sessions: &[FitSession], progress: &Progress) -> Result<EpochReport, FitError> {
        let per_epoch = self.steps(sessions);
        if per_epoch == 0 {
            return Err(FitError::Settings("there are no training trials".to_owned()));
        }
        let (mut sum, mut scored) = (0.0, 0);
        for (index, (session, trials)) in self.batches(sessions).into_iter().enumerate() {
            let step = self.epoch * per_epoch + index;
            let (loss, scores) = self.step(session, &trials, step, per_epoch)?;
            sum += loss;
            scored += scores;
            progress.advance(1)?;
        }
        self.epoch += 1;
        let is_time = self.epoch.is_multiple_of(self.config.validate_every) || self.epoch == self.config.epochs;
        let score = if is_time { self.validate(sessions, progress)? } else { None };
        if let Some(score) = score.filter(|&score| self.best.as_ref().is_none_or(|best| score > best.score)) {
            self.best = Some(Best { epoch: self.epoch, score, weights: self.learner.weights()? });
        }
        Ok(EpochReport { epoch: self.epoch, loss: sum / scored.max(1) as f64, score })
    }

    /// Learning rate of the last step that was made; `None` before the first.
    pub fn learning_rate(&self, sessions: &[FitSession]) -> Option<f64> {
        let per_epoch = self.steps(sessions);
        let last = (self.epoch * per_epoch).checked_sub(1)?;
        Some(self.config.cycle.at(last, self.config.epochs * per_epoch))
    }

    /// Steps of an epoch.
    fn steps(&self, sessions: &[FitSession]) -> usize {
        sessions.iter().map(|session| session.train.trials().div_ceil(self.config.batch)).sum()
    }

    /// The batches of this epoch in their order.
    fn batches<'a>(&self, sessions: &'a [FitSession]) -> Vec<(&'a FitSession, Vec<usize>)> {
        let seed = derived(self.config.seed, Purpose::Trials, self.epoch);
        let mut batches = Vec::new();
        for (index, session) in sessions.iter().enumerate() {
            let order = shuffled(session.train.trials(), derived(seed, Purpose::Trials, index));
            batches.extend(order.chunks(self.config.batch).map(|trials| Some((session, trials.to_vec()))));
        }
        let order = shuffled(batches.len(), derived(seed, Purpose::Batches, 0));
        order.into_iter().filter_map(|index| batches[index].take()).collect()
    }

    /// One step; its loss, and over how many counts.
    fn step(
        &mut self,
        session: &FitSession,
        trials: &[usize],
        step: usize,
        per_epoch: usize,
    ) -> Result<(f64, usize), FitError> {
        let FitConfig { seed, schemes, ratio, cycle, epochs, .. } = &self.config;
        let scheme = schemes[(derived(*seed, Purpose::Scheme, step) % schemes.len() as u64) as usize];
        let counts = session.train.of_trials(trials);
        let share = ratio.unwrap_or_else(|| scheme.ratio());
        let mask = Mask::draw(counts.shape(), &session.regions, scheme, share, derived(*seed, Purpose::Mask, step));
        if mask.scores() == 0 {
            return Ok((0.0, 0));
        }
        let dropout_seed = derived(*seed, Purpose::Dropout, step);
        let batch = Batch { counts: &counts, mask: &mask, session: &session.id, scheme, dropout_seed };
        let loss = self.learner.step(batch, cycle.at(step, epochs * per_epoch))?;
        if !loss.is_finite() {
            return Err(FitError::NotFinite { loss, step });
        }
        Ok((f64::from(loss), mask.scores()))
    }

    /// Mean bits per spike of co-smoothing over the sessions that have validation trials.
    fn validate(&self, sessions: &[FitSession], progress: &Progress) -> Result<Option<f64>, FitError> {
        let (schemes, network) = (&self.config.schemes, self.learner.network());
        let scheme = if schemes.contains(&Scheme::Neuron) { Scheme::Neuron } else { schemes[0] };
        let mut scores = Vec::new();
        for session in sessions.iter().filter(|session| session.validation.trials() > 0) {
            let mut of_session = Vec::new();
            for groups in &session.hidden {
                progress.check()?;
                let found = network.co_smoothing(&session.validation, &session.id, groups, scheme, &Progress::new())?;
                let score = bits_per_spike(&found.log_rates, &found.truth(&session.validation))?;
                of_session.extend(score.pooled);
            }
            scores.extend(mean(&of_session));
        }
        Ok(mean(&scores))
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}
