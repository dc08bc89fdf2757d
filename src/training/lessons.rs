//! What one animal teaches: random clips of its training trials.

use std::sync::Arc;

use super::{Clip, TrainingError};
use crate::data::{Record, Session, Trial};
use crate::model::twin::network::hash;
use crate::signals::{Behavior, FrameRate, Movie, Raster, Responses};

/// Training trials of a session, and the validation trials that were kept from learning.
#[derive(Debug, Clone)]
pub struct Lessons {
    raster: Raster,
    frame_rate: FrameRate,
    units: usize,
    training: Vec<Lesson>,
    validation: Vec<Lesson>,
    left_out: LeftOut,
}

/// One trial: its movie stays on disk.
#[derive(Debug, Clone)]
pub struct Lesson {
    trial: Trial,
    record: Arc<Record>,
}

/// What a session holds that nothing is learned from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LeftOut {
    /// Trials that are shorter than a clip.
    pub short_trials: usize,
    /// Values of gaze and arousal that were not measured; the average animal takes their place.
    pub behavior: usize,
    /// Responses that were not measured; they count nothing.
    pub responses: usize,
}

impl Lessons {
    /// The training trials of a session, in their order, that lie within so many minutes and are long enough for clips of
    /// so many frames; and how many on the way were too short.
    pub fn within(session: &Session, minutes: Option<f64>, frames: usize) -> (Vec<&Trial>, usize) {
        let mut budget = minutes.map_or(usize::MAX, |minutes| session.frame_rate.frames_in(60.0 * minutes));
        let (mut chosen, mut short) = (Vec::new(), 0);
        for trial in session.trials_for(true) {
            if trial.frames < frames {
                short += 1;
            } else if trial.frames <= budget {
                budget -= trial.frames;
                chosen.push(trial);
            } else {
                break;
            }
        }
        (chosen, short)
    }

    /// Whether a session has so many minutes to learn from in clips of so many frames. Minutes are filled with whole trials:
    /// up to one trial too many may be asked for.
    ///
    /// # Errors
    /// When it has fewer, with how many it has. A session without any trial that is long enough is left to [`Self::new`].
    pub fn check_minutes(session: &Session, minutes: Option<f64>, frames: usize) -> Result<(), TrainingError> {
        let lengths = || session.trials_for(true).map(|trial| trial.frames).filter(move |length| *length >= frames);
        let (Some(asked), Some(longest)) = (minutes, lengths().max()) else { return Ok(()) };
        let all: usize = lengths().sum();
        if session.frame_rate.frames_in(60.0 * asked) <= all + longest {
            return Ok(());
        }
        let available = all as f64 / session.frame_rate.0 / 60.0;
        Err(TrainingError::TooFewMinutes { session: session.id.to_string(), available, asked })
    }

    /// The training trials of a session, up to so many minutes, for clips of so many frames. Validation trials are
    /// taken evenly from among them.
    ///
    /// # Errors
    /// When a trial cannot be read, or nothing is left to learn from.
    pub fn new(
        session: &Session,
        minutes: Option<f64>,
        frames: usize,
        validation: usize,
    ) -> Result<Self, TrainingError> {
        let (chosen, short_trials) = Self::within(session, minutes, frames);
        let left_out = LeftOut { short_trials, ..LeftOut::default() };
        if chosen.len() <= validation {
            return Err(TrainingError::NoTrials {
                session: session.id.to_string(),
                trials: chosen.len(),
                frames,
                validation,
            });
        }
        let mut lessons = Self {
            raster: session.raster,
            frame_rate: session.frame_rate,
            units: session.units.len(),
            training: Vec::new(),
            validation: Vec::new(),
            left_out,
        };
        for (index, trial) in chosen.iter().enumerate() {
            let record = trial.record()?;
            lessons.left_out.behavior += record.missing.behavior;
            lessons.left_out.responses += record.missing.responses;
            // The k-th of n trials is for validation where k * validation / n passes a whole number.
            let passed = |index: usize| index * validation / chosen.len();
            let list = if passed(index + 1) > passed(index) { &mut lessons.validation } else { &mut lessons.training };
            list.push(Lesson { trial: (*trial).clone(), record });
        }
        Ok(lessons)
    }

    /// Pixels of the movies.
    pub fn raster(&self) -> Raster {
        self.raster
    }

    /// Frames per second.
    pub fn frame_rate(&self) -> FrameRate {
        self.frame_rate
    }

    /// Units that were recorded.
    pub fn units(&self) -> usize {
        self.units
    }

    /// Trials to learn from.
    pub fn training(&self) -> &[Lesson] {
        &self.training
    }

    /// Trials to judge by.
    pub fn validation(&self) -> &[Lesson] {
        &self.validation
    }

    /// What nothing is learned from.
    pub fn left_out(&self) -> LeftOut {
        self.left_out
    }

    /// Clips of so many frames, each from a trial and a start drawn evenly: a function of the seed alone.
    ///
    /// # Errors
    /// When a movie cannot be read.
    pub fn draw(&self, samples: usize, frames: usize, seed: u64) -> Result<Clip, TrainingError> {
        let below = |key: u64, count: usize| (hash(seed, key) % count.max(1) as u64) as usize;
        let picks: Vec<(&Lesson, usize)> = (0..samples as u64)
            .map(|sample| {
                let lesson = &self.training[below(2 * sample, self.training.len())];
                // The published loader never begins at the very last place.
                (lesson, below(2 * sample + 1, lesson.trial.frames - frames))
            })
            .collect();
        self.cut(&picks, frames)
    }

    /// The validation trials side by side, as long as the shortest; `None` when none were kept.
    ///
    /// # Errors
    /// When a movie cannot be read.
    pub fn validation_clip(&self) -> Result<Option<Clip>, TrainingError> {
        let picks: Vec<(&Lesson, usize)> = self.validation.iter().map(|lesson| (lesson, 0)).collect();
        match picks.iter().map(|(lesson, _)| lesson.trial.frames).min() {
            Some(frames) => self.cut(&picks, frames).map(Some),
            None => Ok(None),
        }
    }

    /// Some frames from a place in each of these trials on, side by side.
    fn cut(&self, picks: &[(&Lesson, usize)], frames: usize) -> Result<Clip, TrainingError> {
        let samples = picks.len();
        let (size, units) = (self.raster.pixels(), self.units);
        let mut pixels = vec![0; frames * samples * size];
        let mut piece = vec![0; frames * size];
        for (sample, (lesson, start)) in picks.iter().enumerate() {
            lesson.trial.movie()?.read(*start, frames, &mut piece)?;
            for (time, frame) in piece.chunks_exact(size).enumerate() {
                pixels[(time * samples + sample) * size..][..size].copy_from_slice(frame);
            }
        }
        let mut gaze = Vec::with_capacity(frames * samples);
        let mut state = Vec::with_capacity(frames * samples);
        let mut responses = Vec::with_capacity(frames * samples * units);
        for time in 0..frames {
            for (lesson, start) in picks {
                gaze.push(lesson.record.behavior.gaze(start + time)[0]);
                state.push(lesson.record.behavior.state(start + time)[0]);
                responses.extend_from_slice(lesson.record.responses.row(start + time, 0));
            }
        }
        let movie = Movie::new(self.raster, frames, samples, pixels)?;
        let behavior = Behavior::new(frames, samples, gaze, state).expect("a value for every frame and sample");
        let responses = Responses::new(frames, samples, units, responses).expect("a row for every frame and sample");
        Ok(Clip::new(movie, behavior, responses).expect("all parts were cut alike"))
    }
}

impl Lesson {
    /// The trial.
    pub fn trial(&self) -> &Trial {
        &self.trial
    }

    /// What was measured in it.
    pub fn record(&self) -> &Record {
        &self.record
    }
}
