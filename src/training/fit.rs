//! A training from its first step to its last: many animals, one core.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use sha2::{Digest, Sha256};

use super::checkpoint::{self, KEY, Note};
use super::cpu::{Gradient, Parameters};
use super::learner::Learner;
use super::lessons::{LeftOut, Lessons};
use super::log::{self, Row};
use super::optimizer::Optimizer;
use super::recipe::Recipe;
use super::start::{SHARED, inherit, is_shared, start};
use super::{TrainingError, judge, receptive_fields};
use crate::data::save::atomically;
use crate::data::{ScanId, Session};
use crate::gpu::ComputeDevice;
use crate::job::Progress;
use crate::model::twin::TwinConfig;
use crate::model::twin::network::{Draws, Run, hash};
use crate::model::weights::{self, NamedTensor, TwinCard, TwinWeights};
use crate::signals::UnitId;

/// File in the folder of a training from which it goes on.
const CHECKPOINT: &str = "checkpoint.safetensors";
/// File with its log.
const LOG: &str = "log.csv";
/// File with its recipe.
const RECIPE: &str = "recipe.toml";
/// Share of the newest objective in the running mean.
const NEWEST: f64 = 0.04;

/// A training between two steps.
#[derive(Debug)]
pub struct Training {
    recipe: Recipe,
    config: TwinConfig,
    device: ComputeDevice,
    animals: Vec<Animal>,
    /// Optimizer of what all animals share.
    shared: Optimizer,
    step: usize,
    smooth: Option<f64>,
    best: Option<Best>,
    /// Looks since the best one.
    waited: usize,
    rows: Vec<Row>,
    fingerprint: String,
}

/// One animal: what it teaches and what is learned of it alone.
#[derive(Debug)]
struct Animal {
    id: ScanId,
    units: Vec<UnitId>,
    simulated: bool,
    lessons: Lessons,
    parameters: Parameters,
    learner: Learner,
    own: Optimizer,
    gradient: Gradient,
}

impl Animal {
    /// Minutes of the clips that its training draws from.
    fn minutes(&self) -> f64 {
        let frames = self.lessons.training().iter().map(|lesson| lesson.trial().frames).sum::<usize>();
        frames as f64 / (60.0 * self.lessons.frame_rate().0)
    }
}

/// The parameters with the lowest validation loss, one row an animal.
#[derive(Debug, Clone)]
struct Best {
    loss: f64,
    step: usize,
    values: Vec<Vec<f32>>,
}

/// A twin whose core is taken over and kept as it is.
#[derive(Debug, Clone, Copy)]
pub struct Adaptation<'a> {
    /// The twin.
    pub twin: &'a TwinWeights,
    /// Begin perspective and the first layers of arousal with the twin's, too, instead of with start values.
    pub inherit: bool,
}

impl Training {
    /// A training before its first step. With an adaptation, core and memory of arousal are the twin's and stay so.
    ///
    /// # Errors
    /// When the recipe is impossible, a session cannot be read or is too short, a core does not fit, or the user asked
    /// to stop.
    pub fn new(
        recipe: &Recipe,
        config: &TwinConfig,
        sessions: &[Session],
        adaptation: Option<Adaptation<'_>>,
        device: &ComputeDevice,
        progress: &Progress,
    ) -> Result<Self, TrainingError> {
        recipe.check()?;
        let frozen: &[&'static str] = if adaptation.is_some() { &SHARED } else { &[] };
        let mut animals: Vec<Animal> = Vec::with_capacity(sessions.len());
        for (number, session) in sessions.iter().enumerate() {
            let (frames, validation) = (recipe.batch.frames, recipe.validation.trials);
            let lessons = Lessons::new(session, recipe.minutes, frames, validation)?;
            // Every animal has start values of its own, but for what all share.
            let seed = hash(recipe.seed, number as u64);
            let mut parameters = start(config, lessons.units(), seed, recipe.start.values)?;
            if let Some(Adaptation { twin, inherit: all }) = adaptation {
                inherit(&mut parameters, twin, &SHARED)?;
                if all {
                    inherit(&mut parameters, twin, &["perspective.", "modulation."])?;
                }
            }
            if let Some(first) = animals.first() {
                share(&first.parameters, &mut parameters);
            }
            if recipe.start.receptive_fields {
                receptive_fields::place(config, &mut parameters, &lessons, progress)?;
            }
            animals.push(Animal {
                id: session.id.clone(),
                units: session.unit_ids(),
                simulated: session.about.get("simulated").and_then(toml::Value::as_bool).unwrap_or(false),
                learner: Learner::new(config, &parameters, device, frozen),
                own: Optimizer::new(&recipe.optimizer, &parameters),
                gradient: Gradient::new(parameters.table()),
                lessons,
                parameters,
            });
        }
        let first = animals.first().ok_or(TrainingError::NoSessions)?;
        let shared = Optimizer::new(&recipe.optimizer, &first.parameters);
        let fingerprint = fingerprint(recipe, config, &animals, adaptation);
        Ok(Self {
            recipe: recipe.clone(),
            config: config.clone(),
            device: device.clone(),
            animals,
            shared,
            step: 0,
            smooth: None,
            best: None,
            waited: 0,
            rows: Vec::new(),
            fingerprint,
        })
    }

    /// Steps that were made.
    pub fn steps(&self) -> usize {
        self.step
    }

    /// The log so far.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// What nothing is learned from, in the order of the sessions.
    pub fn left_out(&self) -> impl Iterator<Item = (&ScanId, LeftOut)> {
        self.animals.iter().map(|animal| (&animal.id, animal.lessons.left_out()))
    }

    /// Minutes of the clips that each animal's training draws from, without those that are kept for validation, in the
    /// order of the sessions.
    pub fn minutes(&self) -> Vec<f64> {
        self.animals.iter().map(Animal::minutes).collect()
    }

    /// One step of all animals. Returns the mean objective before the step.
    ///
    /// # Errors
    /// When a movie cannot be read, the objective is not finite, or the device fails.
    pub fn step(&mut self) -> Result<f64, TrainingError> {
        let (batch, objective) = (self.recipe.batch, self.recipe.objective());
        let samples = self.recipe.samples_each(self.animals.len());
        let seed = hash(self.recipe.seed, self.step as u64);
        let mut sum = 0.0;
        for (number, animal) in self.animals.iter_mut().enumerate() {
            let seed = |what: u64| hash(hash(seed, number as u64), what);
            let clip = animal.lessons.draw(samples, batch.frames, seed(0))?;
            let training = batch.jitter.then(|| Draws::from_seed(seed(1), samples, animal.units.len()));
            let run = Run { samples, stream: objective.stream(seed(2), self.config.streams), training };
            let Animal { learner, parameters, gradient, .. } = animal;
            sum += f64::from(learner.gradient(parameters, &clip, &objective, &run, gradient)?);
        }
        let mean = sum / self.animals.len() as f64;
        let lr = self.recipe.learning_rate(self.step);
        let gradients: Vec<&Gradient> = self.animals.iter().map(|animal| &animal.gradient).collect();
        let common = Gradient::mean_of(&gradients, is_shared);
        let (first, others) = self.animals.split_first_mut().expect("a training has an animal");
        self.shared.step(&mut first.parameters, &common, lr);
        others.iter_mut().for_each(|animal| share(&first.parameters, &mut animal.parameters));
        for animal in &mut self.animals {
            animal.gradient.retain(|key| !is_shared(key));
            animal.own.step(&mut animal.parameters, &animal.gradient, lr);
        }
        self.step += 1;
        self.smooth = Some(self.smooth.map_or(mean, |smooth| smooth + NEWEST * (mean - smooth)));
        Ok(mean)
    }

    /// Trains to the end, from the checkpoint in `folder` if there is one, and writes there the log, checkpoints and in
    /// the end one twin for each animal. `told` hears of every row of the log.
    ///
    /// # Errors
    /// As [`Self::step`]; when a file cannot be read or written, the checkpoint is of another training, or the user
    /// asked to stop. The last checkpoint stays.
    pub fn run(
        &mut self,
        folder: &Path,
        progress: &Progress,
        told: &mut dyn FnMut(&Row),
    ) -> Result<Vec<PathBuf>, TrainingError> {
        let started = Instant::now();
        std::fs::create_dir_all(folder).map_err(failed(folder))?;
        self.resume(&folder.join(CHECKPOINT))?;
        let recipe = folder.join(RECIPE);
        atomically(&recipe, |file| file.write_all(self.recipe.to_toml().as_bytes())).map_err(failed(&recipe))?;
        progress.begin(self.recipe.schedule.steps as u64);
        progress.advance(self.step as u64)?;
        while self.step < self.recipe.schedule.steps && !self.is_patience_over() {
            self.step()?;
            if self.is_look_due() {
                self.look(started.elapsed().as_secs_f64())?;
                told(self.rows.last().expect("the look was logged"));
                self.save(&folder.join(CHECKPOINT))?;
                log::save(&folder.join(LOG), &self.rows)?;
            }
            progress.advance(1)?;
        }
        let mut files = Vec::with_capacity(self.animals.len());
        for (number, twin) in self.twins()?.into_iter().enumerate() {
            let ScanId { animal, session, scan } = &self.animals[number].id;
            let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
            let name = animal.chars().map(plain).collect::<String>();
            let file = folder.join(format!("{name}-{session}-{scan}.safetensors"));
            weights::save(&file, &twin)?;
            files.push(file);
        }
        Ok(files)
    }

    /// Trains to the end without a folder: nothing is written, and nothing can be resumed.
    ///
    /// # Errors
    /// As [`Self::step`], and when the user asked to stop.
    pub fn complete(&mut self, progress: &Progress) -> Result<Vec<TwinWeights>, TrainingError> {
        let started = Instant::now();
        while self.step < self.recipe.schedule.steps && !self.is_patience_over() {
            self.step()?;
            if self.is_look_due() {
                self.look(started.elapsed().as_secs_f64())?;
            }
            progress.check()?;
        }
        self.twins()
    }

    fn is_look_due(&self) -> bool {
        self.step.is_multiple_of(self.recipe.validation.every) || self.step == self.recipe.schedule.steps
    }

    /// The twins as they are best: with the lowest validation loss, or after the last step where nothing was kept for
    /// validation. One for each session, in their order.
    ///
    /// # Errors
    /// When a network has numbers that no network may have.
    pub fn twins(&self) -> Result<Vec<TwinWeights>, TrainingError> {
        let twin = |(number, animal): (usize, &Animal)| {
            let mut parameters = animal.parameters.clone();
            if let Some(best) = &self.best {
                parameters.values_mut().copy_from_slice(&best.values[number]);
            }
            let steps = self.best.as_ref().map_or(self.step, |best| best.step);
            let minutes = animal.minutes();
            let what = if animal.simulated { "a simulated mouse" } else { "a recorded animal" };
            let card = TwinCard {
                name: format!("Twin of {}", animal.id.animal),
                simulated: animal.simulated,
                raster: animal.lessons.raster(),
                note: format!("Learned from {what} in {steps} steps on {minutes:.1} minutes of movies."),
            };
            Ok(TwinWeights::new(self.config.clone(), parameters.to_state_dict(), animal.units.clone(), card)?)
        };
        self.animals.iter().enumerate().map(twin).collect()
    }

    fn is_patience_over(&self) -> bool {
        let patience = self.recipe.validation.patience;
        patience > 0 && self.waited >= patience
    }

    /// Judges the network on the validation trials, and keeps it if it is the best so far.
    fn look(&mut self, seconds: f64) -> Result<(), TrainingError> {
        let (mut losses, mut correlations) = (Vec::new(), Vec::new());
        for animal in &self.animals {
            if let Some(clip) = animal.lessons.validation_clip()? {
                let weights = self.weights_of(animal)?;
                let verdict = judge::judge(Arc::new(weights), &clip, self.recipe.batch.burnin_frames, &self.device)?;
                losses.push(verdict.loss);
                correlations.extend(verdict.correlation);
            }
        }
        let mean = |values: &[f64]| (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
        let loss = mean(&losses);
        if let Some(loss) = loss {
            self.waited += 1;
            if self.best.as_ref().is_none_or(|best| loss < best.loss) {
                let values = self.animals.iter().map(|animal| animal.parameters.values().to_vec()).collect();
                self.best = Some(Best { loss, step: self.step, values });
                self.waited = 0;
            }
        }
        self.rows.push(Row {
            step: self.step,
            learning_rate: self.recipe.learning_rate(self.step - 1),
            objective: self.smooth.unwrap_or(f64::NAN),
            validation_loss: loss,
            validation_correlation: mean(&correlations),
            seconds,
        });
        Ok(())
    }

    fn weights_of(&self, animal: &Animal) -> Result<TwinWeights, TrainingError> {
        let raster = animal.lessons.raster();
        let card =
            TwinCard { name: "in training".to_owned(), simulated: animal.simulated, raster, note: String::new() };
        let state = animal.parameters.to_state_dict();
        Ok(TwinWeights::new(self.config.clone(), state, animal.units.clone(), card)?)
    }

    fn save(&self, path: &Path) -> Result<(), TrainingError> {
        let mut tensors = BTreeMap::new();
        let mut put = |key: String, values: &[f32]| {
            tensors.insert(key, NamedTensor { shape: vec![values.len()], values: values.to_vec() });
        };
        for (number, animal) in self.animals.iter().enumerate() {
            put(format!("animal.{number}.parameters"), animal.parameters.values());
            if let Some(best) = &self.best {
                put(format!("animal.{number}.best"), &best.values[number]);
            }
        }
        self.shared.tensors("shared", &mut tensors);
        for (number, animal) in self.animals.iter().enumerate() {
            animal.own.tensors(&format!("animal.{number}.own"), &mut tensors);
        }
        let note = Note {
            fingerprint: self.fingerprint.clone(),
            step: self.step,
            best: self.best.as_ref().map(|best| (best.loss.to_bits(), best.step)),
            waited: self.waited,
            smooth: self.smooth.map(f64::to_bits),
            rows: self.rows.clone(),
        };
        checkpoint::save(path, KEY, &note, &tensors)
    }

    /// Goes on from a checkpoint, if there is one.
    fn resume(&mut self, path: &Path) -> Result<(), TrainingError> {
        let Some((note, tensors)) = checkpoint::load::<Note>(path, KEY)? else { return Ok(()) };
        let wrong = |what: String| TrainingError::Checkpoint { file: path.display().to_string(), what };
        if note.fingerprint != self.fingerprint {
            return Err(wrong(
                "it belongs to a training with another recipe, other sessions or another twin".to_owned(),
            ));
        }
        let row = |key: String, len: usize| match tensors.get(&key) {
            Some(tensor) if tensor.values.len() == len => Ok(tensor.values.clone()),
            Some(tensor) => Err(wrong(format!("`{key}` has {} numbers, expected {len}", tensor.values.len()))),
            None => Err(wrong(format!("`{key}` is missing"))),
        };
        let mut best = Vec::new();
        for (number, animal) in self.animals.iter_mut().enumerate() {
            let len = animal.parameters.values().len();
            animal.parameters.values_mut().copy_from_slice(&row(format!("animal.{number}.parameters"), len)?);
            animal.own.restore(&format!("animal.{number}.own"), &tensors).map_err(wrong)?;
            if note.best.is_some() {
                best.push(row(format!("animal.{number}.best"), len)?);
            }
        }
        self.shared.restore("shared", &tensors).map_err(wrong)?;
        self.best = note.best.map(|(loss, step)| Best { loss: f64::from_bits(loss), step, values: best });
        self.smooth = note.smooth.map(f64::from_bits);
        (self.step, self.waited, self.rows) = (note.step, note.waited, note.rows);
        Ok(())
    }
}

/// Copies what all animals share.
fn share(from: &Parameters, to: &mut Parameters) {
    let keys = from.table().entries().iter().map(|entry| entry.key.as_str()).filter(|key| is_shared(key));
    for key in keys {
        let numbers = from.get(key).expect("the key is from its table");
        to.get_mut(key).expect("cores have the same parameters").copy_from_slice(numbers);
    }
}

/// What a training is, so that checkpoints are not mixed up.
fn fingerprint(recipe: &Recipe, config: &TwinConfig, animals: &[Animal], adaptation: Option<Adaptation<'_>>) -> String {
    let mut hasher = Sha256::new();
    // Folders may be moved; what was recorded in them counts.
    hasher.update(Recipe { sessions: Vec::new(), ..recipe.clone() }.to_toml());
    hasher.update(config.to_toml());
    for animal in animals {
        hasher.update(animal.id.to_string());
        animal.units.iter().for_each(|unit| hasher.update(unit.unit.to_le_bytes()));
        let trials = animal.lessons.training().iter().chain(animal.lessons.validation());
        trials.for_each(|lesson| hasher.update(lesson.trial().frames.to_le_bytes()));
    }
    if let Some(Adaptation { twin, inherit }) = adaptation {
        hasher.update(&twin.sha256);
        hasher.update([u8::from(inherit)]);
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> TrainingError {
    let file = path.display().to_string();
    move |source| TrainingError::Write { file, source }
}
