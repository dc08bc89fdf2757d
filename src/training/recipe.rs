//! A training as data: what is learned from what, by which steps.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::cpu::AdamWConfig;
use super::{CosineLr, Objective, SgdClipConfig};
use crate::toml_text::{mistake, unknown_key};

/// The only version of the layout so far.
const SCHEMA: u32 = 1;
/// Most steps of a training: far more than any, and still exact wherever they are counted.
const MOST_STEPS: usize = 10_000_000;

/// A training, TOML with `schema = 1`. Everything but the sessions has a default, that of a small twin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recipe {
    /// Version of the layout.
    pub schema: u32,
    /// Seed of start values, clips and jitter.
    pub seed: u64,
    /// Sizes of the network: a TOML file beside the recipe, or the name of a preset, `small` or `microns`.
    pub twin: String,
    /// Folders of the recording sessions; all share one core.
    pub sessions: Vec<PathBuf>,
    /// Minutes of each session to learn from, the first ones; all when absent.
    pub minutes: Option<f64>,
    /// Before the first step.
    pub start: StartRecipe,
    /// What a step sees.
    pub batch: BatchRecipe,
    /// How a step is made.
    pub optimizer: OptimizerRecipe,
    /// How many steps, and how long.
    pub schedule: ScheduleRecipe,
    /// How the training is watched.
    pub validation: ValidationRecipe,
}

/// Values before the first step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StartRecipe {
    /// Start values of the network.
    pub values: StartValues,
    /// Begin with receptive fields where responses follow the local contrast and motion of the movie.
    pub receptive_fields: bool,
}

/// Start values of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StartValues {
    /// Those of the published network (Wang et al. 2025), whose core hardly varies at first: for long trainings.
    Published,
    /// The same with larger gains, so that the core varies by 0.2 and a small twin learns in a thousand steps.
    Lively,
}

/// What a step sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BatchRecipe {
    /// Clips in a step, shared evenly by the animals; each has at least one.
    pub samples: usize,
    /// Frames of a clip.
    pub frames: usize,
    /// Frames at its beginning that count nothing: the network's memory is still empty.
    pub burnin_frames: usize,
    /// Train one random stream in each step instead of the mean of all.
    pub sample_stream: bool,
    /// Jitter the monitor and the positions of receptive fields, as the published training does.
    pub jitter: bool,
}

/// How a step is made.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum OptimizerRecipe {
    /// Gradient descent with momentum and adaptive clipping, as published.
    SgdClip(SgdClipConfig),
    /// AdamW with a learning rate relative to the size of each tensor.
    AdamW(AdamWConfig),
}

/// How many steps, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleRecipe {
    /// Steps in all.
    pub steps: usize,
    /// Steps of an epoch; the learning rate changes with the epochs.
    pub epoch_steps: usize,
    /// Epochs of the warm-up.
    pub warmup_epochs: usize,
    /// Times the learning rate falls to zero.
    pub cycles: usize,
    /// Cycles that begin with a warm-up.
    pub warmup_cycles: usize,
    /// Learning rate at the top; for AdamW the factor on its own rates. 0.1 or 1 when absent.
    pub lr: Option<f64>,
}

/// How the training is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ValidationRecipe {
    /// Training trials of each session that are kept from learning; with none, the last step is the result.
    pub trials: usize,
    /// Steps between two looks at them, and between two checkpoints.
    pub every: usize,
    /// Stop after so many looks without a better one; never when 0.
    pub patience: usize,
}

/// A recipe that cannot be followed.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum RecipeError {
    /// Not the TOML that was expected.
    #[error("the recipe could not be read: {0}")]
    Syntax(String),
    /// A key that does not exist.
    #[error("the recipe has an unknown key `{key}`{hint}")]
    UnknownKey {
        /// With the tables it stands in.
        key: String,
        /// What to write instead.
        hint: String,
    },
    /// A value that cannot be.
    #[error("recipe: `{key}` is {found}, but {expected}")]
    Value {
        /// Key, dotted.
        key: &'static str,
        /// Value in the file.
        found: String,
        /// What it must be.
        expected: &'static str,
    },
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            schema: SCHEMA,
            seed: 1,
            twin: "small".to_owned(),
            sessions: Vec::new(),
            minutes: None,
            start: StartRecipe::default(),
            batch: BatchRecipe::default(),
            optimizer: OptimizerRecipe::AdamW(AdamWConfig::default()),
            schedule: ScheduleRecipe::default(),
            validation: ValidationRecipe::default(),
        }
    }
}

impl Default for StartRecipe {
    fn default() -> Self {
        Self { values: StartValues::Lively, receptive_fields: true }
    }
}

impl Default for BatchRecipe {
    fn default() -> Self {
        Self { samples: 8, frames: 50, burnin_frames: 10, sample_stream: true, jitter: true }
    }
}

impl Default for ScheduleRecipe {
    fn default() -> Self {
        Self { steps: 1500, epoch_steps: 1, warmup_epochs: 40, cycles: 1, warmup_cycles: 1, lr: None }
    }
}

impl Default for ValidationRecipe {
    fn default() -> Self {
        Self { trials: 6, every: 100, patience: 0 }
    }
}

impl Recipe {
    /// The steps that adapt a twin to a new animal.
    pub fn for_adaptation() -> Self {
        Self {
            schedule: ScheduleRecipe { steps: 400, warmup_epochs: 20, ..ScheduleRecipe::default() },
            validation: ValidationRecipe { trials: 0, every: 50, patience: 0 },
            ..Self::default()
        }
    }

    /// Reads and checks a recipe.
    ///
    /// # Errors
    /// When the text is not TOML, has an unknown key, or asks for something impossible.
    pub fn from_toml(text: &str) -> Result<Self, RecipeError> {
        let syntax = |error: toml::de::Error| RecipeError::Syntax(mistake(text, &error));
        let given: toml::Table = toml::from_str(text).map_err(syntax)?;
        if let Some((key, hint)) = unknown_key(&given, &example(&given)) {
            return Err(RecipeError::UnknownKey { key, hint });
        }
        let recipe: Self = toml::from_str(text).map_err(syntax)?;
        recipe.check()?;
        Ok(recipe)
    }

    /// The recipe as TOML.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("plain numbers and names always serialise")
    }

    /// Checks every value but the sessions.
    ///
    /// # Errors
    /// The first impossible value, with its key.
    pub fn check(&self) -> Result<(), RecipeError> {
        let wrong = |key, found: &dyn std::fmt::Display, expected| {
            Err(RecipeError::Value { key, found: found.to_string(), expected })
        };
        if self.schema != SCHEMA {
            return wrong("schema", &self.schema, "this version reads schema 1");
        }
        if let Some(minutes) = self.minutes.filter(|minutes| !(*minutes > 0.0 && *minutes <= 1e5)) {
            return wrong("minutes", &minutes, "it must be more than 0 minutes");
        }
        let (batch, schedule) = (&self.batch, &self.schedule);
        for (key, found, most) in [
            ("batch.samples", batch.samples, 4096),
            ("batch.frames", batch.frames, 100_000),
            ("schedule.steps", schedule.steps, MOST_STEPS),
            ("schedule.epoch_steps", schedule.epoch_steps, MOST_STEPS),
            ("schedule.cycles", schedule.cycles, MOST_STEPS),
            ("validation.every", self.validation.every, MOST_STEPS),
        ] {
            if found == 0 || found > most {
                return wrong(key, &found, "it must be at least 1, and no more than ten million");
            }
        }
        if batch.burnin_frames >= batch.frames {
            return wrong("batch.burnin_frames", &batch.burnin_frames, "it must be less than batch.frames");
        }
        if let Some(lr) = schedule.lr.filter(|lr| !(*lr > 0.0 && lr.is_finite())) {
            return wrong("schedule.lr", &lr, "it must be a positive number");
        }
        let positive = |pairs: &[(&'static str, f64)]| match pairs.iter().find(|(_, v)| !(v.is_finite() && *v > 0.0)) {
            Some((key, found)) => wrong(key, found, "it must be a positive number"),
            None => Ok(()),
        };
        let share = |pairs: &[(&'static str, f64)]| match pairs.iter().find(|(_, v)| !(0.0..1.0).contains(v)) {
            Some((key, found)) => wrong(key, found, "it must lie from 0 to below 1"),
            None => Ok(()),
        };
        match self.optimizer {
            OptimizerRecipe::SgdClip(c) => {
                positive(&[("optimizer.eps", c.eps)])?;
                if c.clip.is_nan() || c.clip <= 0.0 {
                    return wrong("optimizer.clip", &c.clip, "it must be a positive number, or inf");
                }
                share(&[("optimizer.momentum", c.momentum), ("optimizer.decay", c.decay)])
            }
            OptimizerRecipe::AdamW(c) => {
                positive(&[
                    ("optimizer.relative_lr", c.relative_lr),
                    ("optimizer.smallest_lr", c.smallest_lr),
                    ("optimizer.readout_lr", c.readout_lr),
                    ("optimizer.input_lr", c.input_lr),
                    ("optimizer.eps", c.eps),
                ])?;
                if c.longest_gradient.is_nan() || c.longest_gradient <= 0.0 {
                    let expected = "it must be a positive number, or inf";
                    return wrong("optimizer.longest_gradient", &c.longest_gradient, expected);
                }
                share(&[("optimizer.beta1", c.beta1), ("optimizer.beta2", c.beta2)])?;
                if !(0.0..=100.0).contains(&c.decay) {
                    return wrong("optimizer.decay", &c.decay, "it must lie between 0 and 100");
                }
                Ok(())
            }
        }
    }

    /// What a step makes small.
    pub fn objective(&self) -> Objective {
        Objective { burnin_frames: self.batch.burnin_frames, sample_stream: self.batch.sample_stream }
    }

    /// Clips of each animal in a step.
    pub fn samples_each(&self, animals: usize) -> usize {
        (self.batch.samples / animals.max(1)).max(1)
    }

    /// Learning rate of a step, counted from 0; for AdamW the factor on its rates.
    pub fn learning_rate(&self, step: usize) -> f64 {
        let s = &self.schedule;
        let standard = if matches!(self.optimizer, OptimizerRecipe::AdamW(_)) { 1.0 } else { 0.1 };
        let epochs = s.steps.div_ceil(s.epoch_steps);
        let cosine = CosineLr {
            lr: s.lr.unwrap_or(standard),
            cycle_size: epochs.div_ceil(s.cycles),
            warmup_epochs: s.warmup_epochs,
            warmup_cycles: s.warmup_cycles,
        };
        let epoch = step / s.epoch_steps;
        cosine.at(epoch % cosine.cycle_size, epoch / cosine.cycle_size)
    }
}

/// A table with every key there is, those of the optimizer that is named among them.
fn example(given: &toml::Table) -> toml::Table {
    let kind = given.get("optimizer").and_then(|optimizer| optimizer.get("kind")).and_then(toml::Value::as_str);
    let whole = Recipe {
        minutes: Some(1.0),
        optimizer: match kind {
            Some("sgd-clip") => OptimizerRecipe::SgdClip(SgdClipConfig::default()),
            _ => OptimizerRecipe::AdamW(AdamWConfig::default()),
        },
        schedule: ScheduleRecipe { lr: Some(1.0), ..ScheduleRecipe::default() },
        ..Recipe::default()
    };
    toml::Table::try_from(whole).expect("plain numbers and names are a table")
}
