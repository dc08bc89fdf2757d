//! Baselines of an animal: fitted to its training trials and held against its test trials, as twins are.

use std::sync::Arc;

use super::{StudyError, Table};
use crate::data::Session;
use crate::evaluation::{Evaluation, Origin, Responder, ResponderError, Selection};
use crate::gpu::ComputeDevice;
use crate::job::Progress;
use crate::model::baseline::{BaselineError, ConvolutionalGru, GruConfig, LinearNonlinear, LnConfig};
use crate::model::twin::{Twin, TwinOptions};
use crate::model::weights::TwinWeights;
use crate::signals::{Behavior, FrameRate, FrameSource, Movie, Raster, Responses, UnitId};
use crate::training::baseline::GruTraining;
use crate::training::{Clip, Lesson, Lessons, TrainingError};

/// Frames that are read at a time: one second.
const CHUNK_FRAMES: usize = 30;

/// Which baselines, and what they learn from.
#[derive(Debug, Clone, PartialEq)]
pub struct BaselinePlan {
    /// At most so many minutes of clips to learn from; all where it is `None`.
    pub minutes: Option<f64>,
    /// At most so many of them for the linear-nonlinear model, which goes over all of them hundreds of times.
    pub linear_minutes: Option<f64>,
    /// Training trials that are kept for validation.
    pub validation: usize,
    /// The linear-nonlinear model.
    pub linear: LnConfig,
    /// The network.
    pub network: GruConfig,
    /// How the network is trained.
    pub training: GruTraining,
    /// What they are held against.
    pub selection: Selection,
    /// Seed of the network. The linear-nonlinear model has no chance in it.
    pub seed: u64,
}

impl BaselinePlan {
    /// Arm of the twin beside them.
    pub const TWIN: &str = "twin";
    /// Arm of the linear-nonlinear model.
    pub const LINEAR: &str = "LN";
    /// Arm of the network.
    pub const NETWORK: &str = "CNN + GRU";

    /// Frames of the shortest trial to learn from: shorter ones teach neither of the two.
    fn clip_frames(&self) -> usize {
        self.training.frames.max(self.linear.lags)
    }
}

impl Default for BaselinePlan {
    /// Everything there is to learn from, half an hour of it for the linear-nonlinear model.
    fn default() -> Self {
        Self {
            minutes: None,
            linear_minutes: Some(30.0),
            validation: 6,
            linear: LnConfig::default(),
            network: GruConfig::default(),
            training: GruTraining::default(),
            selection: Selection::default(),
            seed: 1,
        }
    }
}

/// Fits both baselines to a session's training trials and evaluates them; with a twin of the same animal, it stands in the
/// same table, and each baseline is compared with it over the same units. Begins `progress` anew for each fit and for each
/// evaluation.
///
/// # Errors
/// When there is too little to learn from, or less than the minutes that were asked for, a setting is impossible, a trial
/// cannot be read, nothing is left to evaluate, twin and session do not belong together, or the user asked to stop.
pub fn baselines(
    session: &Session,
    plan: &BaselinePlan,
    twin: Option<TwinWeights>,
    progress: &Progress,
) -> Result<Table, StudyError> {
    Lessons::check_minutes(session, plan.minutes, plan.clip_frames())?;
    let mut table = Table::new(if twin.is_some() { "Baselines beside the twin" } else { "Baselines" });
    let mut beside = None;
    if let Some(weights) = twin {
        table.sha256 = Some(weights.sha256.clone());
        let twin = Twin::open(Arc::new(weights), &ComputeDevice::Cpu, TwinOptions::default())?;
        let evaluation = Evaluation::of(&twin, session, &plan.selection, progress)?;
        table.add(BaselinePlan::TWIN, None, None, &evaluation);
        beside = Some(evaluation);
    }
    let compare = |table: &mut Table, arm: &str, evaluation: &Evaluation| {
        if let Some(twin) = &beside {
            table.compare((arm, evaluation), (BaselinePlan::TWIN, twin));
        }
    };
    let least = |a: Option<f64>, b: Option<f64>| a.into_iter().chain(b).reduce(f64::min);
    let linear_minutes = least(plan.minutes, plan.linear_minutes);
    let clips = Clips::new(session, linear_minutes, plan, progress)?;
    let linear = LinearNonlinear::fit(&clips.training, &clips.validation, &plan.linear, progress)?;
    drop(clips);
    let answer = |movie: &Movie, behavior: &Behavior| linear.responses(movie, behavior);
    let evaluation =
        Evaluation::of(&Fitted::new(BaselinePlan::LINEAR, session, answer), session, &plan.selection, progress)?;
    // Where minutes are studied, each stands at those that it has learned from.
    table.add(BaselinePlan::LINEAR, None, plan.minutes.and(linear_minutes), &evaluation);
    compare(&mut table, BaselinePlan::LINEAR, &evaluation);
    let clips = Clips::new(session, plan.minutes, plan, progress)?;
    let (training, validation) = (&clips.training, &clips.validation);
    let network = ConvolutionalGru::fit(training, validation, &plan.network, &plan.training, plan.seed, progress)?;
    drop(clips);
    let answer = |movie: &Movie, behavior: &Behavior| network.responses(movie, behavior);
    let evaluation =
        Evaluation::of(&Fitted::new(BaselinePlan::NETWORK, session, answer), session, &plan.selection, progress)?;
    table.add(BaselinePlan::NETWORK, Some(plan.seed), plan.minutes, &evaluation);
    compare(&mut table, BaselinePlan::NETWORK, &evaluation);
    Ok(table)
}

/// Whole trials, one clip each.
struct Clips {
    training: Vec<Clip>,
    validation: Vec<Clip>,
}

impl Clips {
    fn new(
        session: &Session,
        minutes: Option<f64>,
        plan: &BaselinePlan,
        progress: &Progress,
    ) -> Result<Self, TrainingError> {
        let lessons = Lessons::new(session, minutes, plan.clip_frames(), plan.validation)?;
        let read = |lessons: &[Lesson]| -> Result<Vec<Clip>, TrainingError> {
            let each = lessons.iter().map(|lesson| {
                progress.check()?;
                clip(lesson)
            });
            each.collect()
        };
        Ok(Self { training: read(lessons.training())?, validation: read(lessons.validation())? })
    }
}

/// A trial from its first frame to its last.
fn clip(lesson: &Lesson) -> Result<Clip, TrainingError> {
    let mut source = lesson.trial().movie()?;
    let (raster, frames) = (source.raster(), source.frames());
    let mut pixels = vec![0; frames * raster.pixels()];
    source.read(0, frames, &mut pixels)?;
    let record = lesson.record();
    let movie = Movie::new(raster, frames, 1, pixels)?;
    Ok(Clip::new(movie, record.behavior.clone(), record.responses.clone()).expect("parts of one trial"))
}

/// A baseline of a session's units.
struct Fitted<'s, F> {
    name: &'static str,
    session: &'s Session,
    units: Vec<UnitId>,
    answer: F,
}

impl<'s, F: Fn(&Movie, &Behavior) -> Result<Responses, BaselineError>> Fitted<'s, F> {
    fn new(name: &'static str, session: &'s Session, answer: F) -> Self {
        Self { name, session, units: session.unit_ids(), answer }
    }
}

impl<F: Fn(&Movie, &Behavior) -> Result<Responses, BaselineError>> Responder for Fitted<'_, F> {
    fn units(&self) -> &[UnitId] {
        &self.units
    }

    fn origin(&self) -> Origin {
        let simulated = self.session.about.get("simulated").and_then(toml::Value::as_bool).unwrap_or(false);
        Origin { name: self.name.to_owned(), simulated, sha256: None, device: "CPU".to_owned() }
    }

    fn raster(&self) -> Raster {
        self.session.raster
    }

    fn frame_rate(&self) -> FrameRate {
        self.session.frame_rate
    }

    fn respond(
        &self,
        movie: &mut dyn FrameSource,
        behavior: &Behavior,
        progress: &Progress,
    ) -> Result<Responses, ResponderError> {
        let movie = side_by_side(movie, behavior.samples())?;
        let responses = (self.answer)(&movie, behavior).map_err(|error| match error {
            BaselineError::Cancelled(cancelled) => ResponderError::Cancelled(cancelled),
            other => ResponderError::Model(Box::new(other)),
        })?;
        progress.advance((movie.frames() * movie.samples()) as u64)?;
        Ok(responses)
    }
}

/// A movie of one sample, shown to so many animals.
fn side_by_side(movie: &mut dyn FrameSource, samples: usize) -> Result<Movie, ResponderError> {
    let (raster, frames) = (movie.raster(), movie.frames());
    let size = raster.pixels();
    let mut pixels = Vec::with_capacity(frames * samples * size);
    let mut chunk = vec![0; CHUNK_FRAMES * size];
    for start in (0..frames).step_by(CHUNK_FRAMES) {
        let count = CHUNK_FRAMES.min(frames - start);
        movie.read(start, count, &mut chunk[..count * size])?;
        for frame in chunk[..count * size].chunks_exact(size) {
            (0..samples).for_each(|_| pixels.extend_from_slice(frame));
        }
    }
    Ok(Movie::new(raster, frames, samples, pixels)?)
}
