//! Gradient ascent from its first step to its last.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::constraint::{Constraint, rms};
use super::files::{Controls, Optimised, save_log};
use super::response::{Response, behavior};
use super::{Goal, Kind, OptimiseError, Plan};
use crate::experiment::Provenance;
use crate::gpu::ComputeDevice;
use crate::job::Progress;
use crate::model::twin::network::{hash, normal};
use crate::model::twin::{Twin, TwinError, TwinOptions};
use crate::model::weights::{NamedTensor, TwinWeights};
use crate::signals::{Monitor, Movie, Raster, Responses};
use crate::stimulus::modify::BlurKernels;
use crate::training::TrainingError;
use crate::training::checkpoint::{self, Tensors};

/// Name of our note in a checkpoint.
const KEY: &str = "twinscope.optimise";
/// File in the folder of an optimisation from which it goes on.
const CHECKPOINT: &str = "checkpoint.safetensors";
/// Frames shown to the twin at once, when the result is looked at.
const CHUNK_FRAMES: usize = 30;

/// A step of the ascent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// Steps that were made before.
    pub step: usize,
    /// Mean response over units and window, in units of each unit's mean activity.
    pub response: f64,
    /// Contrast of the stimulus that it is the response to, as a share of the background.
    pub contrast: f64,
}

/// The stimulus with the best response so far.
#[derive(Debug, Clone)]
struct Best {
    differences: Vec<f32>,
    response: f64,
    step: usize,
}

/// Everything of a checkpoint but the tensors. Numbers as bits: text would lose the last digit.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    /// Plan, twin and units.
    fingerprint: String,
    step: usize,
    best: Option<(u64, usize)>,
    /// Response and contrast of every step.
    rows: Vec<(u64, u64)>,
}

/// An optimisation between two steps.
#[derive(Debug)]
pub struct Optimiser {
    plan: Plan,
    monitor: Monitor,
    device: ComputeDevice,
    /// Of the units alone.
    weights: Arc<TwinWeights>,
    /// Rows of the twin's readout.
    rows_of_units: Vec<usize>,
    response: Response,
    constraint: Constraint,
    blur: Blur,
    /// Differences from the background, `[picture, pixel]`, grey levels.
    differences: Vec<f32>,
    best: Option<Best>,
    step: usize,
    rows: Vec<Row>,
    fingerprint: String,
    greys: Vec<f32>,
    gradient: Vec<f32>,
}

/// The blur of gradients and of noise.
#[derive(Debug)]
struct Blur {
    space: BlurKernels,
    time: BlurKernels,
    raster: Raster,
    pictures: usize,
}

impl Blur {
    fn apply(&self, values: &mut [f32]) {
        let size = self.raster.pixels();
        values.chunks_exact_mut(size).for_each(|picture| self.space.blur(self.raster, picture));
        // Seen as one picture with a row for each moment.
        self.time.blur(Raster { height: self.pictures, width: size }, values);
    }
}

impl Optimiser {
    /// An optimisation before its first step, for some rows of a twin's readout.
    ///
    /// # Errors
    /// When the plan is impossible, a unit does not exist, or the device refuses the network.
    pub fn new(
        twin: &TwinWeights,
        units: &[usize],
        plan: &Plan,
        device: &ComputeDevice,
    ) -> Result<Self, OptimiseError> {
        plan.check()?;
        if let Some(unit) = units.iter().find(|&&unit| unit >= twin.units.len()) {
            let what = format!("unit {unit} was asked of a twin with {} units, counted from 0", twin.units.len());
            return Err(OptimiseError::Plan(what));
        }
        if units.is_empty() {
            return Err(OptimiseError::Plan("no unit was named; a stimulus is optimised for at least one".to_owned()));
        }
        let raster = twin.card.raster;
        let monitor = Monitor::WANG2025.with_raster(raster);
        let weights = Arc::new(twin.select(units));
        let pictures = plan.pictures();
        let mut optimiser = Self {
            response: Response::new(&weights, plan, device)?,
            constraint: Constraint::new(monitor.background, plan.contrast),
            blur: Blur {
                space: BlurKernels::on_screen(plan.smoothness_deg, &monitor),
                time: BlurKernels::along_columns(plan.smoothness_frames(), pictures),
                raster,
                pictures,
            },
            fingerprint: fingerprint(plan, &weights, units, device),
            differences: Vec::new(),
            best: None,
            step: 0,
            rows: Vec::new(),
            greys: vec![f32::from(monitor.background); plan.frames_that_matter() * raster.pixels()],
            gradient: vec![0.0; plan.frames_that_matter() * raster.pixels()],
            plan: plan.clone(),
            device: device.clone(),
            rows_of_units: units.to_vec(),
            weights,
            monitor,
        };
        optimiser.differences = optimiser.noise(plan.seed);
        Ok(optimiser)
    }

    /// Steps that were made.
    pub fn steps(&self) -> usize {
        self.step
    }

    /// Response and contrast of every step so far.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Differences from the background, `[picture, pixel]`, grey levels that need not be whole.
    pub fn differences(&self) -> &[f32] {
        &self.differences
    }

    /// Smooth noise of the contrast: how the ascent begins, and what its result is compared with.
    fn noise(&self, seed: u64) -> Vec<f32> {
        let size = self.plan.pictures() * self.monitor.raster.pixels();
        let mut noise: Vec<f32> = (0..size).map(|place| normal(seed, 0, place as u64)).collect();
        self.blur.apply(&mut noise);
        self.constraint.project(&mut noise);
        noise
    }

    /// Frames of the stimulus that matter to the response.
    fn shown(&self) -> std::ops::Range<usize> {
        let before = self.plan.grey_frames.0;
        before..before + self.plan.frames.min(self.plan.window.1)
    }

    /// Writes a stimulus into the grey levels that are shown.
    fn show(&mut self, differences: &[f32]) {
        let (size, background) = (self.monitor.raster.pixels(), f32::from(self.monitor.background));
        for (index, frame) in self.shown().enumerate() {
            let picture = match self.plan.kind {
                Kind::Image => 0,
                Kind::Movie => index,
            };
            let to = &mut self.greys[frame * size..(frame + 1) * size];
            let from = &differences[picture * size..(picture + 1) * size];
            to.iter_mut().zip(from).for_each(|(grey, difference)| *grey = background + difference);
        }
    }

    /// The response to what there is now, and a step up or down from it. Returns what was found before the step.
    ///
    /// # Errors
    /// When response or gradient is not finite, or the device fails.
    pub fn step(&mut self) -> Result<Row, OptimiseError> {
        let differences = std::mem::take(&mut self.differences);
        self.show(&differences);
        self.differences = differences;
        let mut gradient = std::mem::take(&mut self.gradient);
        let response = self.response.with_gradient(&self.greys, &mut gradient);
        self.gradient = gradient;
        let row = self.note(response?)?;
        let mut uphill = self.pooled_gradient();
        self.blur.apply(&mut uphill);
        let size = rms(uphill.iter().copied());
        if !size.is_finite() {
            return Err(OptimiseError::NotFinite { step: self.step, what: "gradient" });
        }
        if size > 0.0 {
            let way = match self.plan.goal {
                Goal::Most => 1.0,
                Goal::Least => -1.0,
            };
            let factor = way * self.plan.step_size_at(self.step) * self.constraint.rms() / size;
            for (difference, up) in self.differences.iter_mut().zip(&uphill) {
                *difference += (f64::from(*up) * factor) as f32;
            }
            self.constraint.project(&mut self.differences);
        }
        self.step += 1;
        Ok(row)
    }

    /// Writes down the response to what there is now.
    fn note(&mut self, response: f64) -> Result<Row, OptimiseError> {
        if !response.is_finite() {
            return Err(OptimiseError::NotFinite { step: self.step, what: "response" });
        }
        let contrast = rms(self.differences.iter().copied()) / f64::from(self.monitor.background);
        let row = Row { step: self.step, response, contrast };
        let better = |best: &Best| match self.plan.goal {
            Goal::Most => response > best.response,
            Goal::Least => response < best.response,
        };
        if self.best.as_ref().is_none_or(better) {
            self.best = Some(Best { differences: self.differences.clone(), response, step: self.step });
        }
        self.rows.push(row);
        Ok(row)
    }

    /// The gradient of every picture: an image collects those of all its frames.
    fn pooled_gradient(&self) -> Vec<f32> {
        let size = self.monitor.raster.pixels();
        let mut pooled = vec![0.0; self.differences.len()];
        for (index, frame) in self.shown().enumerate() {
            let picture = match self.plan.kind {
                Kind::Image => 0,
                Kind::Movie => index,
            };
            let from = &self.gradient[frame * size..(frame + 1) * size];
            pooled[picture * size..(picture + 1) * size].iter_mut().zip(from).for_each(|(sum, g)| *sum += g);
        }
        pooled
    }

    /// Goes to the end, from the checkpoint in `folder` if there is one. A checkpoint and the log are written there every
    /// so many steps; on a CPU a stopped optimisation ends as if it had never stopped, to the bit. `told` hears of every
    /// step.
    ///
    /// # Errors
    /// As [`Self::step`]; when a file cannot be read or written, the checkpoint is of something else, or the user asked to
    /// stop. The last checkpoint stays.
    pub fn run(
        &mut self,
        folder: &Path,
        every: usize,
        progress: &Progress,
        told: &mut dyn FnMut(&Row),
    ) -> Result<Optimised, OptimiseError> {
        let write = |file: &Path, source| OptimiseError::Write { file: file.display().to_string(), source };
        std::fs::create_dir_all(folder).map_err(|source| write(folder, source))?;
        let path = folder.join(CHECKPOINT);
        self.resume(&path)?;
        progress.begin(self.plan.steps as u64);
        progress.advance(self.step as u64)?;
        while self.step < self.plan.steps {
            let row = self.step()?;
            if self.step.is_multiple_of(every.max(1)) || self.step == self.plan.steps {
                self.save(&path)?;
                save_log(folder, &self.rows)?;
            }
            told(&row);
            progress.advance(1)?;
        }
        let optimised = self.finish(progress)?;
        save_log(folder, &optimised.rows)?;
        Ok(optimised)
    }

    /// Goes to the end without a folder: nothing is written, and nothing can be resumed.
    ///
    /// # Errors
    /// As [`Self::step`], and when the user asked to stop.
    pub fn complete(&mut self, progress: &Progress) -> Result<Optimised, OptimiseError> {
        while self.step < self.plan.steps {
            self.step()?;
            progress.check()?;
        }
        self.finish(progress)
    }

    /// The best stimulus in whole grey levels, what the twin answers to it, and to random ones.
    fn finish(&mut self, progress: &Progress) -> Result<Optimised, OptimiseError> {
        // Response to what the last step made, once.
        if self.rows.len() == self.step {
            let differences = self.differences.clone();
            let response = self.respond(&differences)?;
            self.note(response)?;
        }
        let mut controls = Vec::with_capacity(self.plan.controls);
        for index in 0..self.plan.controls {
            progress.check()?;
            let noise = self.noise(hash(self.plan.seed, 1 + index as u64));
            controls.push(self.respond(&noise)?);
        }
        let best = self.best.clone().expect("a plan has a step");
        let raster = self.monitor.raster;
        let stimulus = Movie::new(raster, self.plan.pictures(), 1, self.constraint.levels(&best.differences))?;
        let responses = self.predicted(&stimulus, progress)?;
        let first = self.plan.grey_frames.0;
        let window = first + self.plan.window.0..first + self.plan.window.1;
        let seen: Vec<f64> = window.flat_map(|frame| responses.row(frame, 0)).map(|&v| f64::from(v)).collect();
        let response = seen.iter().sum::<f64>() / seen.len() as f64;
        if !response.is_finite() {
            return Err(OptimiseError::NotFinite { step: self.step, what: "response" });
        }
        Ok(Optimised {
            plan: self.plan.clone(),
            monitor: self.monitor,
            units: self.weights.units.clone(),
            rows_of_units: self.rows_of_units.clone(),
            contrast: self.constraint.contrast_of(stimulus.pixels()),
            stimulus,
            rows: self.rows.clone(),
            best_step: best.step,
            controls: Controls::of(controls, self.plan.goal),
            responses,
            response,
            provenance: Provenance {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                twin: self.weights.card.name.clone(),
                simulated: self.weights.card.simulated,
                weights_sha256: self.weights.sha256.clone(),
                device: self.device.name(),
                seed: self.plan.seed,
            },
        })
    }

    fn respond(&mut self, differences: &[f32]) -> Result<f64, OptimiseError> {
        self.show(differences);
        self.response.of(&self.greys)
    }

    /// What the twin answers to a stimulus between its backgrounds, `[frame, 1, unit]`.
    fn predicted(&self, stimulus: &Movie, progress: &Progress) -> Result<Responses, OptimiseError> {
        let (plan, raster, frames) = (&self.plan, self.monitor.raster, self.plan.all_frames());
        let mut pixels = vec![self.monitor.background; frames * raster.pixels()];
        let shown = &mut pixels[plan.grey_frames.0 * raster.pixels()..][..plan.frames * raster.pixels()];
        for (index, frame) in shown.chunks_exact_mut(raster.pixels()).enumerate() {
            frame.copy_from_slice(stimulus.frame(index % plan.pictures()));
        }
        let mut movie = Movie::new(raster, frames, 1, pixels)?;
        let twin = Twin::open(self.weights.clone(), &self.device, TwinOptions::default())?;
        let mut responses = Vec::with_capacity(frames * twin.units());
        let behavior = behavior(plan, frames);
        // A progress of its own: that of the caller counts steps.
        progress.check()?;
        twin.rollout::<TwinError>(&mut movie, Some(&behavior), CHUNK_FRAMES, &Progress::new(), &mut |_, rows| {
            responses.extend_from_slice(rows);
            Ok(())
        })?;
        Ok(Responses::new(frames, 1, twin.units(), responses).expect("a row for every frame"))
    }

    fn save(&self, path: &Path) -> Result<(), OptimiseError> {
        let row = |values: &[f32]| NamedTensor { shape: vec![values.len()], values: values.to_vec() };
        let mut tensors = Tensors::from([("differences".to_owned(), row(&self.differences))]);
        if let Some(best) = &self.best {
            tensors.insert("best".to_owned(), row(&best.differences));
        }
        let note = Note {
            fingerprint: self.fingerprint.clone(),
            step: self.step,
            best: self.best.as_ref().map(|best| (best.response.to_bits(), best.step)),
            rows: self.rows.iter().map(|row| (row.response.to_bits(), row.contrast.to_bits())).collect(),
        };
        Ok(checkpoint::save(path, KEY, &note, &tensors)?)
    }

    /// Goes on from a checkpoint, if there is one.
    fn resume(&mut self, path: &Path) -> Result<(), OptimiseError> {
        let Some((note, mut tensors)) = checkpoint::load::<Note>(path, KEY)? else { return Ok(()) };
        let wrong = |what: &str| {
            OptimiseError::Checkpoint(TrainingError::Checkpoint {
                file: path.display().to_string(),
                what: what.to_owned(),
            })
        };
        if note.fingerprint != self.fingerprint {
            return Err(wrong("it belongs to another twin, other units or other settings"));
        }
        let len = self.differences.len();
        let row = |tensors: &mut BTreeMap<String, NamedTensor>, key: &str| match tensors.remove(key) {
            Some(tensor) if tensor.values.len() == len && tensor.values.iter().all(|v| v.is_finite()) => {
                Ok(tensor.values)
            }
            _ => Err(wrong(&format!("its `{key}` is not a stimulus of this size"))),
        };
        if note.rows.len() != note.step || note.step > self.plan.steps {
            return Err(wrong("its log does not have one row for each step"));
        }
        self.differences = row(&mut tensors, "differences")?;
        self.best = match note.best {
            Some((bits, step)) => {
                Some(Best { differences: row(&mut tensors, "best")?, response: f64::from_bits(bits), step })
            }
            None => None,
        };
        self.step = note.step;
        let rows = note.rows.iter().enumerate();
        self.rows = rows
            .map(|(step, &(response, contrast))| Row {
                step,
                response: f64::from_bits(response),
                contrast: f64::from_bits(contrast),
            })
            .collect();
        Ok(())
    }
}

/// What an optimisation is, so that checkpoints are not mixed up.
fn fingerprint(plan: &Plan, weights: &TwinWeights, units: &[usize], device: &ComputeDevice) -> String {
    let mut hasher = Sha256::new();
    hasher.update(serde_json::to_string(plan).expect("plain numbers serialise"));
    hasher.update(&weights.sha256);
    // Not every file of weights carries it.
    hasher.update(serde_json::to_string(&weights.config).expect("plain numbers serialise"));
    units.iter().for_each(|&unit| hasher.update((unit as u64).to_le_bytes()));
    hasher.update([u8::from(device.gpu().is_some())]);
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
