//! A session of spikes, a mask that is painted on it, and what a trained model makes of what is left to see.
//!
//! The mask is the same for every trial. The model sees the counts with the hidden ones set to 0 and predicts all of
//! them; its bits per spike are those of the hidden places alone, over the trials that are for tests.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::background::Wake;
use super::recording::holds;
use super::{Event, FigureStyle, History, RunFailure, Workbench, parts};
use crate::analysis::spikes::{BitsPerSpike, bits_per_spike_at};
use crate::data::import::Contents;
use crate::data::simulated::SpikeSimulation;
use crate::data::spikes::{SpikeFormat, SpikeImport, SpikeSession};
use crate::figures::spikes::masked::{self, Masked, Predicted};
use crate::gpu::ComputeDevice;
use crate::job::{Job, Progress, Worker};
use crate::model::mtm::{Engine, MtmError, MtmWeights, Predict, Scheme};
use crate::signals::Binned;

/// Most test trials that are predicted at once, so that an answer comes while one watches.
const MOST_TRIALS: usize = 64;
/// Trials that are predicted between two looks whether to stop.
const CHUNK: usize = 8;

/// What can be asked about spikes.
#[derive(Debug, Clone, PartialEq)]
pub enum SpikesCommand {
    /// A recording of spikes: a session, an NWB file or an ALF folder.
    OpenSession(PathBuf),
    /// A simulated animal, for a first look.
    Simulate,
    /// A trained model.
    OpenModel(PathBuf),
    /// The trial that is shown.
    ShowTrial(usize),
    /// Another mask, as one undo step.
    Paint(SpikeMask),
    /// What the model is told to expect; `None` follows from the mask.
    Prompt(Option<Scheme>),
    /// Takes back the last change of the mask.
    Undo,
    /// Does an undone change again.
    Redo,
    /// Stops the prediction under way.
    Cancel,
    /// Writes spikes, mask and reconstruction with their numbers; the name decides PNG, SVG or PDF.
    ExportFigure {
        /// The file.
        path: PathBuf,
        /// The mean over the scored trials, in place of the trial that is shown.
        mean: bool,
    },
}

/// What is hidden in every trial, `[bin, neuron]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpikeMask {
    bins: usize,
    neurons: usize,
    hidden: Vec<bool>,
}

impl SpikeMask {
    /// Nothing is hidden.
    pub fn new(bins: usize, neurons: usize) -> Self {
        Self { bins, neurons, hidden: vec![false; bins * neurons] }
    }

    /// Whether a place is hidden.
    pub fn is_hidden(&self, bin: usize, neuron: usize) -> bool {
        self.hidden[bin * self.neurons + neuron]
    }

    /// Hides some bins of some neurons, or shows them again.
    pub fn set(&mut self, bins: std::ops::Range<usize>, neurons: impl IntoIterator<Item = usize>, hidden: bool) {
        for neuron in neurons.into_iter().filter(|&neuron| neuron < self.neurons) {
            for bin in bins.start..bins.end.min(self.bins) {
                self.hidden[bin * self.neurons + neuron] = hidden;
            }
        }
    }

    /// Number of hidden places.
    pub fn count(&self) -> usize {
        self.hidden.iter().filter(|hidden| **hidden).count()
    }

    /// Bins of a trial.
    pub fn bins(&self) -> usize {
        self.bins
    }

    /// Whether every bin of a neuron is hidden.
    pub fn hides_neuron(&self, neuron: usize) -> bool {
        (0..self.bins).all(|bin| self.is_hidden(bin, neuron))
    }

    /// How much of it is hidden, in words.
    pub fn words(&self) -> String {
        let whole = (0..self.neurons).filter(|&neuron| self.hides_neuron(neuron)).count();
        let touched = (0..self.neurons).filter(|&n| (0..self.bins).any(|bin| self.is_hidden(bin, n))).count();
        let bins = (0..self.bins).filter(|&bin| (0..self.neurons).all(|neuron| self.is_hidden(bin, neuron))).count();
        match (whole, touched, bins) {
            (_, 0, _) => "nothing is hidden".to_owned(),
            (whole, touched, _) if whole == touched => format!("{whole} of {} neurons are hidden", self.neurons),
            (0, _, bins) if bins * self.neurons == self.count() => {
                format!("all neurons are hidden in {bins} of {} bins", self.bins)
            }
            _ => format!("{} of {} places are hidden, in {touched} neurons", self.count(), self.hidden.len()),
        }
    }

    /// The scheme that comes closest to what is hidden: whole regions, one region of which alone something is seen, whole
    /// neurons, or time. What is both of neurons and of time counts as neurons.
    pub fn scheme(&self, regions: &[usize]) -> Scheme {
        let hidden: Vec<bool> = (0..self.neurons).map(|neuron| self.hides_neuron(neuron)).collect();
        let by_neuron = (0..self.bins * self.neurons).all(|at| !self.hidden[at] || hidden[at % self.neurons]);
        if !by_neuron {
            let by_time = (0..self.bins).all(|bin| {
                let row = &self.hidden[bin * self.neurons..(bin + 1) * self.neurons];
                row.iter().all(|hidden| *hidden == row[0])
            });
            return if by_time { Scheme::Causal } else { Scheme::Neuron };
        }
        let count = regions.iter().copied().max().map_or(0, |largest| largest + 1);
        let (mut members, mut gone) = (vec![0usize; count], vec![0usize; count]);
        for (neuron, &region) in regions.iter().enumerate() {
            members[region] += 1;
            gone[region] += usize::from(hidden.get(neuron).copied().unwrap_or(false));
        }
        let whole = (0..count).filter(|&region| gone[region] == members[region]).count();
        let part = (0..count).filter(|&region| gone[region] > 0 && gone[region] < members[region]).count();
        match (whole, part) {
            (whole, 0) if whole > 0 && whole < count => Scheme::InterRegion,
            (whole, 1) if count > 1 && whole + 1 == count => Scheme::IntraRegion,
            _ => Scheme::Neuron,
        }
    }
}

/// A session that is open.
#[derive(Debug, Clone)]
pub struct OpenSpikes {
    /// Its file or folder; `None` for a simulated animal.
    pub path: Option<PathBuf>,
    /// What it holds.
    pub session: SpikeSession,
    /// Region of each neuron as a number, and the names of the regions.
    pub regions: (Vec<usize>, Vec<String>),
    /// Neurons by region.
    pub order: Vec<usize>,
    /// What was decided or left out when it was read.
    pub notes: Vec<String>,
    /// Mean counts of the scored trials, one trial.
    pub mean_counts: Binned,
}

impl OpenSpikes {
    fn new(path: Option<PathBuf>, session: SpikeSession, notes: Vec<String>) -> Self {
        let regions = session.region_labels();
        let mut order: Vec<usize> = (0..regions.0.len()).collect();
        order.sort_by_key(|&neuron| (regions.0[neuron], neuron));
        let mean_counts = session.of(&scored(&session)).trial_mean();
        Self { path, session, regions, order, notes, mean_counts }
    }

    /// Trials that are scored and averaged: those for tests, or all where there are none; not more than are predicted while
    /// one watches.
    pub fn scored(&self) -> Vec<usize> {
        scored(&self.session)
    }

    /// What a trial is for.
    pub fn purpose(&self, trial: usize) -> &'static str {
        let split = &self.session.split;
        match trial {
            trial if split.test.contains(&trial) => "for tests",
            trial if split.validation.contains(&trial) => "for validation",
            trial if split.train.contains(&trial) => "for training",
            _ => "for nothing",
        }
    }
}

fn scored(session: &SpikeSession) -> Vec<usize> {
    let tests = &session.split.test;
    let all: Vec<usize> = if tests.is_empty() { (0..session.counts.trials()).collect() } else { tests.clone() };
    all.into_iter().take(MOST_TRIALS).collect()
}

/// A model that is open.
#[derive(Debug, Clone)]
pub struct OpenModel {
    /// Its file.
    pub path: PathBuf,
    /// Its weights.
    pub weights: MtmWeights,
}

/// What the model predicts of what it could not see.
#[derive(Debug, Clone)]
pub struct Reconstruction {
    /// The session that was predicted.
    pub spikes: Arc<OpenSpikes>,
    /// The model that did.
    pub model: Arc<OpenModel>,
    /// What was hidden.
    pub mask: SpikeMask,
    /// What the model was told to expect.
    pub scheme: Scheme,
    /// The trials that were predicted: those that are scored, and the one that was shown.
    pub trials: Vec<usize>,
    /// Number of trials that are scored, the first of them.
    pub scored: usize,
    /// Expected counts `[trial, bin, neuron]`.
    pub rates: Binned,
    /// Their mean over the scored trials, one trial.
    pub mean_rates: Binned,
    /// Bits per spike of the hidden places of all scored trials.
    pub bits: BitsPerSpike,
    /// Spikes at these places.
    pub hidden_spikes: f64,
    /// The same of each trial alone.
    pub trial_bits: Vec<Option<f64>>,
}

impl Reconstruction {
    /// Where a trial is among those that were predicted.
    pub fn place(&self, trial: usize) -> Option<usize> {
        self.trials.iter().position(|&known| known == trial)
    }
}

/// Everything that one prediction depends on.
struct Request {
    spikes: Arc<OpenSpikes>,
    model: Arc<OpenModel>,
    mask: SpikeMask,
    scheme: Scheme,
    trial: usize,
}

/// The model as it predicts; kept from one prediction to the next.
type Kept = Arc<Mutex<Option<(Arc<OpenModel>, Engine)>>>;

/// The part of the workbench that is about spikes.
pub(super) struct Spikes {
    session: Option<Arc<OpenSpikes>>,
    opening: Option<Job<Result<OpenSpikes, String>>>,
    model: Option<Arc<OpenModel>>,
    model_opening: Option<Job<Result<OpenModel, String>>>,
    mask: History<SpikeMask>,
    prompt: Option<Scheme>,
    trial: usize,
    running: Option<Job<Result<Reconstruction, RunFailure>>>,
    due: bool,
    found: Option<Arc<Reconstruction>>,
    /// Why there is no prediction.
    failure: Option<String>,
    kept: Kept,
    worker: Worker,
}

impl Drop for Spikes {
    fn drop(&mut self) {
        if let Some(job) = &self.running {
            job.progress().cancel(); // a long prediction must not keep the window open
        }
    }
}

impl Spikes {
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self {
            session: None,
            opening: None,
            model: None,
            model_opening: None,
            mask: History::new(SpikeMask::new(0, 0)),
            prompt: None,
            trial: 0,
            running: None,
            due: false,
            found: None,
            failure: None,
            kept: Kept::default(),
            worker: Worker::start("spikes")?,
        })
    }

    pub(super) fn is_busy(&self) -> bool {
        self.opening.is_some() || self.model_opening.is_some() || self.running.is_some() || self.due
    }

    /// Paths of session and model, for the next start.
    pub(super) fn paths(&self) -> (Option<&Path>, Option<&Path>) {
        let session = self.session.as_ref().and_then(|session| session.path.as_deref());
        (session, self.model.as_ref().map(|model| model.path.as_path()))
    }

    pub(super) fn open_session(&mut self, path: Option<PathBuf>, wake: Wake) {
        let read = move |_: &Progress| match path {
            Some(path) => {
                let read = SpikeSession::import(&path, &SpikeImport::default());
                let imported = read.map_err(|error| parts::sentence(&error))?;
                Ok(OpenSpikes::new(Some(path), imported.session, imported.notes))
            }
            None => {
                let simulation = SpikeSimulation { animals: 1, ..SpikeSimulation::default() };
                let mut sessions = simulation.sessions().map_err(|error| parts::sentence(&error))?;
                let session = sessions.pop().ok_or("no animal was simulated")?;
                Ok(OpenSpikes::new(None, session, Vec::new()))
            }
        };
        self.opening = Some(self.worker.submit(read, move || wake.call()));
    }

    pub(super) fn open_model(&mut self, path: PathBuf, wake: Wake) {
        let read = move |_: &Progress| {
            let weights = MtmWeights::load(&path).map_err(|error| parts::sentence(&error))?;
            Ok(OpenModel { path, weights })
        };
        self.model_opening = Some(self.worker.submit(read, move || wake.call()));
    }

    /// Another prediction is wanted, in place of the one under way.
    fn changed(&mut self) {
        if let Some(job) = &self.running {
            job.progress().cancel();
        }
        self.due = true;
    }

    fn scheme(&self) -> Scheme {
        let automatic = || {
            let regions = self.session.as_ref().map_or(&[][..], |session| &session.regions.0);
            self.mask.current().scheme(regions)
        };
        self.prompt.unwrap_or_else(automatic)
    }

    /// Starts what is due; what stands in the way is kept as a sentence.
    fn start(&mut self, wake: &Wake) {
        if self.running.is_some() || !std::mem::take(&mut self.due) {
            return;
        }
        self.failure = None;
        let (Some(spikes), Some(model)) = (&self.session, &self.model) else { return };
        if let Err(why) = fits(spikes, model) {
            self.failure = Some(why);
            self.found = None;
            return;
        }
        if self.mask.current().count() == 0 {
            self.found = None;
            return;
        }
        let request = Request {
            spikes: Arc::clone(spikes),
            model: Arc::clone(model),
            mask: self.mask.current().clone(),
            scheme: self.scheme(),
            trial: self.trial,
        };
        let (kept, wake) = (Arc::clone(&self.kept), wake.clone());
        let work = move |progress: &Progress| reconstruct(request, &kept, progress);
        self.running = Some(self.worker.submit(work, move || wake.call()));
    }
}

/// Whether a model can predict a session; the error is a sentence about what to do.
fn fits(spikes: &OpenSpikes, model: &OpenModel) -> Result<(), String> {
    let session = &spikes.session;
    let [_, bins, neurons] = session.counts.shape();
    let known = model.weights.sessions().iter().find(|known| known.id == session.id);
    let Some(known) = known else {
        let names: Vec<&str> = model.weights.sessions().iter().map(|known| known.id.as_str()).take(6).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        return Err(format!(
            "The model has no weights for the session {}; it knows {names}. Add the session with `twinscope mtm adapt`.",
            session.id
        ));
    };
    if known.neurons != neurons {
        return Err(format!(
            "The model knows the session {} with {} neurons, but this recording of it has {neurons}.",
            session.id, known.neurons
        ));
    }
    let most = model.weights.config().bins;
    if bins > most {
        return Err(format!("Trials have {bins} bins, but the model takes at most {most}."));
    }
    Ok(())
}

/// Predicts the scored trials and the one that is shown.
fn reconstruct(request: Request, kept: &Kept, progress: &Progress) -> Result<Reconstruction, RunFailure> {
    let failed = |error: MtmError| match error {
        MtmError::Cancelled(_) => RunFailure::Cancelled,
        other => RunFailure::Failed(parts::sentence(&other)),
    };
    let Request { spikes, model, mask, scheme, trial } = request;
    let mut trials = spikes.scored();
    let scored = trials.len();
    if !trials.contains(&trial) && trial < spikes.session.counts.trials() {
        trials.push(trial);
    }
    // Taken out while it works: a network that panicked is not used again.
    let taken = kept.lock().unwrap_or_else(PoisonError::into_inner).take();
    let network = match taken {
        Some((known, network)) if Arc::ptr_eq(&known, &model) => network,
        _ => Engine::new(&model.weights),
    };
    let [_, bins, neurons] = spikes.session.counts.shape();
    let mut rates = Vec::with_capacity(trials.len() * bins * neurons);
    let mut log_rates = Vec::with_capacity(scored * bins * neurons);
    progress.begin(trials.len() as u64);
    for chunk in trials.chunks(CHUNK) {
        let mut seen = spikes.session.of(chunk);
        for (at, value) in seen.values_mut().iter_mut().enumerate() {
            let place = at % (bins * neurons);
            if mask.hidden[place] {
                *value = 0.0;
            }
        }
        let predicted = network.reconstruct(&seen, &spikes.session.id, scheme).map_err(failed)?;
        rates.extend(predicted.values().iter().map(|log_rate| log_rate.exp()));
        log_rates.extend_from_slice(predicted.values());
        if progress.advance(chunk.len() as u64).is_err() {
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some((model, network));
            return Err(RunFailure::Cancelled);
        }
    }
    *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some((Arc::clone(&model), network));
    let all = |values| Binned::new(trials.len(), bins, neurons, values).expect("one value for each place");
    let (rates, log_rates) = (all(rates), all(log_rates));
    let truth = spikes.session.of(&trials);
    let hidden = |bin: usize, neuron: usize| mask.is_hidden(bin, neuron);
    let score = |places: &[usize]| {
        bits_per_spike_at(&log_rates.of_trials(places), &truth.of_trials(places), hidden)
            .map_err(|error| RunFailure::Failed(parts::sentence(&error)))
    };
    let tests: Vec<usize> = (0..scored).collect();
    let bits = score(&tests)?;
    let trial_bits =
        (0..trials.len()).map(|place| Ok(score(&[place])?.pooled)).collect::<Result<Vec<_>, RunFailure>>()?;
    let counts = truth.of_trials(&tests);
    let hidden_spikes = counts
        .values()
        .iter()
        .enumerate()
        .filter(|(at, _)| mask.hidden[at % (bins * neurons)])
        .map(|(_, &count)| f64::from(count))
        .sum();
    let mean_rates = rates.of_trials(&tests).trial_mean();
    Ok(Reconstruction {
        spikes,
        model,
        mask,
        scheme,
        trials,
        scored,
        rates,
        mean_rates,
        bits,
        hidden_spikes,
        trial_bits,
    })
}

impl Workbench {
    /// The session of spikes that is open.
    pub fn spikes(&self) -> Option<&Arc<OpenSpikes>> {
        self.spikes.session.as_ref()
    }

    /// Whether a session of spikes is being read.
    pub fn is_opening_spikes(&self) -> bool {
        self.spikes.opening.is_some()
    }

    /// The model of spikes that is open.
    pub fn spike_model(&self) -> Option<&Arc<OpenModel>> {
        self.spikes.model.as_ref()
    }

    /// What is hidden.
    pub fn spike_mask(&self) -> &SpikeMask {
        self.spikes.mask.current()
    }

    /// Whether a change of the mask can be taken back, and done again.
    pub fn can_undo_mask(&self) -> (bool, bool) {
        (self.spikes.mask.can_undo(), self.spikes.mask.can_redo())
    }

    /// What the model is told to expect: as the user chose, and as it is with an automatic choice.
    pub fn spike_prompt(&self) -> (Option<Scheme>, Scheme) {
        (self.spikes.prompt, self.spikes.scheme())
    }

    /// The trial that is shown.
    pub fn spike_trial(&self) -> usize {
        self.spikes.trial
    }

    /// The newest prediction; stays while the next one is computed.
    pub fn reconstruction(&self) -> Option<&Arc<Reconstruction>> {
        self.spikes.found.as_ref()
    }

    /// Why there is no prediction, in a sentence.
    pub fn spike_failure(&self) -> Option<&str> {
        self.spikes.failure.as_deref()
    }

    /// How far the prediction under way is, 0..=1; `None` when none is.
    pub fn spike_progress(&self) -> Option<f32> {
        let running = self.spikes.running.as_ref();
        running.map(|job| job.progress().fraction().unwrap_or(0.0)).or(self.spikes.due.then_some(0.0))
    }

    /// Does what was asked about spikes.
    pub(super) fn perform_spikes(&mut self, command: SpikesCommand) {
        let wake = self.wake.clone();
        let spikes = &mut self.spikes;
        match command {
            SpikesCommand::OpenSession(path) => spikes.open_session(Some(path), wake),
            SpikesCommand::Simulate => spikes.open_session(None, wake),
            SpikesCommand::OpenModel(path) => spikes.open_model(path, wake),
            SpikesCommand::ShowTrial(trial) => {
                let trials = spikes.session.as_ref().map_or(0, |open| open.session.counts.trials());
                spikes.trial = trial.min(trials.saturating_sub(1));
                let shown = spikes.trial;
                if spikes.found.as_ref().is_some_and(|found| found.place(shown).is_none()) {
                    spikes.changed();
                }
            }
            SpikesCommand::Paint(mask) => {
                let now = spikes.mask.current();
                if (now.bins, now.neurons) == (mask.bins, mask.neurons) && spikes.mask.edit(mask) {
                    spikes.changed();
                }
                spikes.mask.close_step();
            }
            SpikesCommand::Prompt(scheme) => {
                if spikes.prompt != scheme {
                    spikes.prompt = scheme;
                    spikes.changed();
                }
            }
            SpikesCommand::Undo => {
                if spikes.mask.undo() {
                    spikes.changed();
                }
            }
            SpikesCommand::Redo => {
                if spikes.mask.redo() {
                    spikes.changed();
                }
            }
            SpikesCommand::Cancel => {
                spikes.due = false;
                if let Some(job) = &spikes.running {
                    job.progress().cancel();
                }
            }
            SpikesCommand::ExportFigure { path, mean } => self.export_spikes(path, mean),
        }
    }

    fn export_spikes(&mut self, path: PathBuf, mean: bool) {
        let Some(open) = self.spikes.session.clone() else {
            return self.fail("there is nothing to export yet: open a session of spikes first".to_owned());
        };
        let mask = self.spikes.mask.current().clone();
        let found = self.spikes.found.clone().filter(|found| Arc::ptr_eq(&found.spikes, &open));
        let stale = found.as_ref().is_some_and(|found| found.mask != mask || found.scheme != self.spikes.scheme());
        if stale || self.spike_progress().is_some() {
            let why = "what the model predicts is not yet of this mask; export when the new prediction is there";
            return self.fail(why.to_owned());
        }
        let (trial, style, wake) = (self.spikes.trial, self.figure_style, self.wake.clone());
        let shown = if mean { None } else { Some(trial) };
        let write = move |_: &Progress| write_figure(&open, &mask, found.as_deref(), shown, &style, &path);
        self.writing.push(self.files.submit(write, move || wake.call()));
    }

    /// Takes in what was read and predicted, and starts what is due.
    pub(super) fn tick_spikes(&mut self) {
        if let Some(read) = taken(&mut self.spikes.opening) {
            match read {
                Ok(open) => {
                    let [_, bins, neurons] = open.session.counts.shape();
                    self.spikes.trial = open.scored().first().copied().unwrap_or(0);
                    self.spikes.mask = History::new(SpikeMask::new(bins, neurons));
                    self.spikes.found = None;
                    self.tell(format!("Opened the session {}", open.session.id));
                    self.spikes.session = Some(Arc::new(open));
                    self.spikes.changed();
                }
                Err(error) => self.fail(error),
            }
        }
        if let Some(read) = taken(&mut self.spikes.model_opening) {
            match read {
                Ok(model) => {
                    self.tell(format!("Opened the model {}", model.path.display()));
                    self.spikes.found = None;
                    self.spikes.model = Some(Arc::new(model));
                    self.spikes.changed();
                }
                Err(error) => self.fail(error),
            }
        }
        let ended = self.spikes.running.as_ref().map(Job::poll);
        match ended {
            None | Some(Ok(None)) => {}
            Some(Ok(Some(result))) => {
                self.spikes.running = None;
                match result {
                    Ok(found) => {
                        // Another trial may have been chosen while this was computed.
                        self.spikes.due |= found.place(self.spikes.trial).is_none();
                        self.spikes.found = Some(Arc::new(found));
                        self.events.push(Event::Reconstructed);
                    }
                    Err(RunFailure::Cancelled) => {}
                    Err(RunFailure::Failed(error)) => self.fail(error),
                }
            }
            Some(Err(lost)) => {
                self.spikes.running = None;
                self.fail(lost.to_string());
            }
        }
        let wake = self.wake.clone();
        self.spikes.start(&wake);
    }

    /// Opens what looks like spikes or a model of them; `false` for anything else.
    pub(super) fn open_spikes_if_any(&mut self, path: &Path) -> bool {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
        // Opening a pipe would wait for somebody to write to it.
        let file = path.is_file();
        let command = match ending.as_str() {
            "nwb" | "h5" | "hdf5" | "npz" if file && holds(path) == Some(Contents::Spikes) => {
                SpikesCommand::OpenSession(path.to_owned())
            }
            "safetensors" if MtmWeights::is_file(path) => SpikesCommand::OpenModel(path.to_owned()),
            _ if path.is_dir() && SpikeFormat::of(path).is_ok() => SpikesCommand::OpenSession(path.to_owned()),
            _ => return false,
        };
        self.perform_spikes(command);
        self.events.push(Event::SpikesAsked);
        true
    }
}

/// Writes what is shown of a trial, or of the mean over the scored ones.
fn write_figure(
    open: &OpenSpikes,
    mask: &SpikeMask,
    found: Option<&Reconstruction>,
    trial: Option<usize>,
    style: &FigureStyle,
    path: &Path,
) -> Result<PathBuf, String> {
    let path = if path.extension().is_none() { path.with_extension("png") } else { path.to_owned() };
    let tests = if open.session.split.test.is_empty() { "trials" } else { "test trials" };
    let (shown, counts) = match trial {
        Some(trial) => (format!("Trial {trial}, {}", open.purpose(trial)), open.session.of(&[trial])),
        None => (format!("Mean of {} {tests}", open.scored().len()), open.mean_counts.clone()),
    };
    let predicted = found.and_then(|found| {
        let rates = match trial {
            Some(trial) => found.rates.of_trials(&[found.place(trial)?]),
            None => found.mean_rates.clone(),
        };
        Some(Predicted {
            rates,
            bits: &found.bits,
            over: format!(
                "over {:.0} hidden spikes in {} {tests}, prompt {}",
                found.hidden_spikes, found.scored, found.scheme
            ),
            // The window predicts spikes on the CPU, whatever else is computed where.
            provenance: format!(
                "network sha256 {}; prompt {}; device {}",
                found.model.weights.sha256(),
                found.scheme,
                ComputeDevice::Cpu.name()
            ),
        })
    });
    let (session, order, hidden) = (&open.session, &open.order[..], &mask.hidden[..]);
    let figure = masked::plate(Masked { session, order, shown, counts, hidden, predicted });
    figure.write(&path, &style.layout).map_err(|error| parts::sentence(&error))?;
    Ok(path)
}

/// The result of a job that has ended.
pub(super) fn taken<T>(job: &mut Option<Job<Result<T, String>>>) -> Option<Result<T, String>> {
    let ended = match job.as_ref()?.poll() {
        Ok(None) => return None,
        Ok(Some(result)) => result,
        Err(lost) => Err(lost.to_string()),
    };
    *job = None;
    Some(ended)
}
