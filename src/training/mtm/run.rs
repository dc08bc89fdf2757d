//! A training of the masked transformer from its first epoch to its last, in a folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::fit::{Best, Fit, FitError, FitSession, FitState};
use super::{AdamWState, MtmRecipe};
use crate::data::save::atomically;
use crate::data::spikes::SpikeSession;
use crate::job::Progress;
use crate::model::mtm::{MtmError, MtmWeights};
use crate::model::weights::{NamedTensor, StateDict};
use crate::training::TrainingError;
use crate::training::checkpoint::{self, KEY, Note, Tensors};
use crate::training::log::{self, Logged, optional};

/// File in the folder of a training from which it goes on.
const CHECKPOINT: &str = "checkpoint.safetensors";
/// File with its log.
const LOG: &str = "log.csv";
/// File with its configuration.
const RECIPE: &str = "recipe.toml";
/// File with the trained network.
const NETWORK: &str = "network.safetensors";

/// An epoch, as the log tells it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Epochs so far.
    pub epoch: usize,
    /// Learning rate of its last step.
    pub learning_rate: f64,
    /// Poisson loss for each scored count.
    pub loss: f64,
    /// Bits per spike of co-smoothing on the validation trials, where there was a validation.
    pub bits_per_spike: Option<f64>,
    /// Seconds since the training began or was resumed; not the same in two runs.
    pub seconds: f64,
}

impl Logged for Epoch {
    const COLUMNS: &'static [&'static str] = &["epoch", "learning_rate", "loss", "bits_per_spike", "seconds"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.epoch.to_string(),
            format!("{:.4e}", self.learning_rate),
            format!("{:.6}", self.loss),
            optional(self.bits_per_spike),
            format!("{:.1}", self.seconds),
        ]
    }
}

/// A training before its first epoch, and where it ends.
#[derive(Debug)]
pub struct MtmTraining {
    recipe: MtmRecipe,
    device: Device,
    sessions: Vec<FitSession>,
    start: MtmWeights,
    about: toml::Table,
    fingerprint: String,
}

impl MtmTraining {
    /// A training of a new network on these sessions or, from a network, its adaptation to them. An adaptation adds
    /// weights for every session; with `keep_shared` it trains those alone, and the network keeps its other sessions,
    /// else these are forgotten, for what they share changes.
    ///
    /// # Errors
    /// When the configuration is impossible, or a session cannot be learned from.
    pub fn new(
        recipe: &MtmRecipe,
        sessions: &[SpikeSession],
        from: Option<&MtmWeights>,
        device: &Device,
    ) -> Result<Self, FitError> {
        recipe.check()?;
        if sessions.is_empty() {
            return Err(TrainingError::NoSessions.into());
        }
        let seed = recipe.training.seed;
        let prepared = sessions.iter().map(|session| prepared(session, recipe)).collect::<Result<Vec<_>, _>>()?;
        let mut start = match from {
            Some(network) => network.clone(),
            None => MtmWeights::initial(&recipe.network, seed)?,
        };
        if !recipe.training.keep_shared {
            for session in start.sessions().to_vec() {
                start.remove_session(&session.id);
            }
        }
        let most = start.config().bins;
        for session in &prepared {
            let found = session.counts.bins();
            if found > most {
                return Err(MtmError::Bins { found, most }.into());
            }
            start.add_session(&session.id, &session.training_means(), seed)?;
        }
        let about = about(recipe, &prepared, from);
        let fingerprint = fingerprint(recipe, &prepared, from);
        let sessions = prepared.iter().map(|session| FitSession::new(session, seed)).collect();
        Ok(Self { recipe: recipe.clone(), device: device.clone(), sessions, start, about, fingerprint })
    }

    /// Trains to the end, from the checkpoint in `folder` if there is one, and writes there the configuration, the log,
    /// checkpoints and in the end the network of the best validation epoch, whose file is returned. `told` hears of every
    /// epoch.
    ///
    /// # Errors
    /// When the loss leaves the range of numbers, a file cannot be read or written, the checkpoint is of another training,
    /// or the user asked to stop. The last checkpoint stays.
    pub fn run(self, folder: &Path, progress: &Progress, told: &mut dyn FnMut(&Epoch)) -> Result<PathBuf, FitError> {
        let started = Instant::now();
        let failed = |path: &Path| {
            let file = path.display().to_string();
            move |source| TrainingError::Write { file, source }
        };
        std::fs::create_dir_all(folder).map_err(failed(folder))?;
        let (kept, written) = (folder.join(CHECKPOINT), folder.join(LOG));
        let (state, mut rows) = self.state(&kept)?;
        let recipe = folder.join(RECIPE);
        atomically(&recipe, |file| file.write_all(self.recipe.to_toml().as_bytes())).map_err(failed(&recipe))?;
        let config = &self.recipe.training;
        let mut fit = Fit::resume(config.clone(), state, &self.device)?;
        fit.run(&self.sessions, progress, |fit, report| {
            rows.push(Epoch {
                epoch: report.epoch,
                learning_rate: fit.learning_rate(&self.sessions).unwrap_or_default(),
                loss: report.loss,
                bits_per_spike: report.score,
                seconds: started.elapsed().as_secs_f64(),
            });
            told(rows.last().expect("just pushed"));
            if report.epoch.is_multiple_of(config.validate_every) || report.epoch == config.epochs {
                self.save(&kept, fit.state()?, &rows)?;
                log::save(&written, &rows)?;
            }
            Ok(())
        })?;
        let state = fit.state()?;
        let mut network = state.best.as_ref().map_or(state.weights, |best| best.weights.clone());
        network.about = self.about;
        if let Some(best) = state.best {
            network.about.insert("best_epoch".to_owned(), whole(best.epoch));
            network.about.insert("validation_bits_per_spike".to_owned(), best.score.into());
        }
        let file = folder.join(NETWORK);
        network.save(&file)?;
        Ok(file)
    }

    /// Where the training begins: at the checkpoint, if there is one.
    fn state(&self, path: &Path) -> Result<(FitState, Vec<Epoch>), FitError> {
        let wrong = |what: String| TrainingError::Checkpoint { file: path.display().to_string(), what };
        let Some((note, mut tensors)) = checkpoint::load::<Note<Epoch>>(path, KEY)? else {
            let start = self.start.clone();
            return Ok((
                FitState { epoch: 0, weights: start, optimizer: AdamWState::default(), best: None },
                Vec::new(),
            ));
        };
        if note.fingerprint != self.fingerprint {
            let what = "it belongs to a training with another configuration, other sessions or another network";
            return Err(wrong(what.to_owned()).into());
        }
        let mut part = |name: &str| -> BTreeMap<String, NamedTensor> {
            let start = format!("{name}.");
            let keys: Vec<String> = tensors.keys().filter(|key| key.starts_with(&start)).cloned().collect();
            keys.into_iter().filter_map(|key| Some((key[start.len()..].to_owned(), tensors.remove(&key)?))).collect()
        };
        let weights = |tensors| {
            let (config, sessions) = (self.start.config().clone(), self.start.sessions().to_vec());
            MtmWeights::new(config, sessions, StateDict { tensors })
        };
        let values = |tensors: BTreeMap<String, NamedTensor>| -> BTreeMap<String, Vec<f32>> {
            tensors.into_iter().map(|(key, tensor)| (key, tensor.values)).collect()
        };
        let mut steps = BTreeMap::new();
        for (key, count) in values(part("steps")) {
            match count[..] {
                [count] if count >= 1.0 && count.fract() == 0.0 => drop(steps.insert(key, count as u64)),
                _ => return Err(wrong(format!("the steps of `{key}` are no number")).into()),
            }
        }
        let (means, squares) = (values(part("means")), values(part("squares")));
        let best = match note.best {
            Some((score, epoch)) => Some(Best { epoch, score: f64::from_bits(score), weights: weights(part("best"))? }),
            None => None,
        };
        let optimizer = AdamWState { steps, means, squares };
        Ok((FitState { epoch: note.step, weights: weights(part("weights"))?, optimizer, best }, note.rows))
    }

    fn save(&self, path: &Path, state: FitState, rows: &[Epoch]) -> Result<(), TrainingError> {
        let mut tensors = Tensors::new();
        let mut put = |part: &str, named: &BTreeMap<String, NamedTensor>| {
            tensors.extend(named.iter().map(|(key, tensor)| (format!("{part}.{key}"), tensor.clone())));
        };
        put("weights", &state.weights.state().tensors);
        if let Some(best) = &state.best {
            put("best", &best.weights.state().tensors);
        }
        let flat = |values: Vec<f32>| NamedTensor { shape: vec![values.len()], values };
        let AdamWState { steps, means, squares } = state.optimizer;
        // Exact: no training has more steps than f32 has whole numbers.
        tensors.extend(steps.into_iter().map(|(key, steps)| (format!("steps.{key}"), flat(vec![steps as f32]))));
        tensors.extend(means.into_iter().map(|(key, values)| (format!("means.{key}"), flat(values))));
        tensors.extend(squares.into_iter().map(|(key, values)| (format!("squares.{key}"), flat(values))));
        let note = Note {
            fingerprint: self.fingerprint.clone(),
            step: state.epoch,
            best: state.best.map(|best| (best.score.to_bits(), best.epoch)),
            waited: 0,
            smooth: None,
            rows: rows.to_vec(),
        };
        checkpoint::save(path, KEY, &note, &tensors)
    }
}

/// A session as it is learned from: with validation trials, and with no more training trials than wanted.
fn prepared(session: &SpikeSession, recipe: &MtmRecipe) -> Result<SpikeSession, FitError> {
    let mut session = session.clone();
    if session.split.validation.is_empty() && recipe.validation_share > 0.0 {
        session.draw_validation(recipe.validation_share, recipe.training.seed);
    }
    if let Some(trials) = recipe.trials {
        session.split.train.truncate(trials);
    }
    if session.split.train.is_empty() {
        let what = "it has no training trials".to_owned();
        return Err(FitError::Session { id: session.id, what });
    }
    Ok(session)
}

/// A number as TOML has them.
fn whole(count: usize) -> toml::Value {
    i64::try_from(count).unwrap_or(i64::MAX).into()
}

/// What the file of the network tells of its training.
fn about(recipe: &MtmRecipe, sessions: &[SpikeSession], from: Option<&MtmWeights>) -> toml::Table {
    let learned = sessions.iter().any(|session| session.simulated);
    let began = from.and_then(|network| network.about.get("simulated")).and_then(toml::Value::as_bool).unwrap_or(false);
    let schemes = recipe.training.schemes.iter().map(|scheme| scheme.name().into()).collect::<Vec<toml::Value>>();
    let mut about = toml::Table::new();
    let mut put = |key: &str, value: toml::Value| drop(about.insert(key.to_owned(), value));
    put("simulated", (learned || began).into());
    put("schemes", schemes.into());
    put("epochs", whole(recipe.training.epochs));
    put("trials", whole(sessions.iter().map(|session| session.split.train.len()).sum()));
    put("animals", whole(sessions.len()));
    if let Some(network) = from {
        let told = |key: &str| network.about.get(key).and_then(toml::Value::as_integer);
        let learned = told("animals").unwrap_or_else(|| i64::try_from(network.sessions().len()).unwrap_or(i64::MAX));
        // Those of which the network that it begins with had learned before count, too.
        put("pretrained_animals", learned.saturating_add(told("pretrained_animals").unwrap_or(0)).into());
        put("pretrained_network", network.sha256().into());
        put("shared_weights", if recipe.training.keep_shared { "kept" } else { "trained" }.into());
    }
    about
}

/// What a training is, so that checkpoints are not mixed up.
fn fingerprint(recipe: &MtmRecipe, sessions: &[SpikeSession], from: Option<&MtmWeights>) -> String {
    let mut hasher = Sha256::new();
    // Files may be moved; what was recorded in them counts.
    hasher.update(MtmRecipe { sessions: Vec::new(), ..recipe.clone() }.to_toml());
    for session in sessions {
        hasher.update(&session.id);
        session.counts.shape().iter().for_each(|size| hasher.update((*size as u64).to_le_bytes()));
        hasher.update(session.counts.values());
        for name in &session.regions {
            hasher.update((name.len() as u64).to_le_bytes());
            hasher.update(name);
        }
        hasher.update((session.held_out.len() as u64).to_le_bytes());
        session.held_out.iter().for_each(|&neuron| hasher.update((neuron as u64).to_le_bytes()));
        for trials in [&session.split.train, &session.split.validation] {
            hasher.update((trials.len() as u64).to_le_bytes());
            trials.iter().for_each(|&trial| hasher.update((trial as u64).to_le_bytes()));
        }
    }
    if let Some(network) = from {
        hasher.update(network.sha256());
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
