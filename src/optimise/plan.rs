//! What is optimised, under which constraints.

use serde::Serialize;

use super::OptimiseError;
use crate::signals::{Degrees, FrameRate};

/// Longest movie of one optimisation, with its background, frames: a minute, all of which lies in memory.
const MOST_FRAMES: usize = 1800;
/// Most steps.
const MOST_STEPS: usize = 100_000;
/// Largest z-score of behaviour.
const LARGEST_Z: f32 = 1e3;

/// A picture that stands still, or one for every frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The same picture in all frames.
    Image,
    /// A picture for every frame.
    Movie,
}

/// Which way the response goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Goal {
    /// Up.
    Most,
    /// Down.
    Least,
}

/// What is optimised, under which constraints. Frames are those of the twin, 30 a second.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// Image or movie.
    pub kind: Kind,
    /// Most or least exciting.
    pub goal: Goal,
    /// Frames the stimulus is on.
    pub frames: usize,
    /// Frames of background before it, and after it.
    pub grey_frames: (usize, usize),
    /// First frame over which the response is averaged, and the one after the last, from the onset of the stimulus on;
    /// the window may reach into the background after it.
    pub window: (usize, usize),
    /// Steps of gradient ascent.
    pub steps: usize,
    /// Size of the first step, as a share of the contrast.
    pub step_size: f64,
    /// Seed of the noise that the ascent begins with, and of the random stimuli for comparison.
    pub seed: u64,
    /// Standard deviation of the blur in space, degrees at the centre of the screen; 0 for none.
    pub smoothness_deg: Degrees,
    /// Standard deviation of a movie's blur in time, seconds; 0 for none.
    pub smoothness_secs: f64,
    /// Root mean square of the difference from the background over all pixels and frames, as a share of the background.
    pub contrast: f64,
    /// Pupil x and y, z-scored; 0 is the average animal.
    pub gaze: [f32; 2],
    /// Pupil radius and treadmill velocity, z-scored; 0 is the average animal.
    pub arousal: [f32; 2],
    /// Random stimuli of the same smoothness and contrast whose responses stand beside the result.
    pub controls: usize,
}

impl Plan {
    /// The most exciting image, on for half a second.
    pub fn image() -> Self {
        Self {
            kind: Kind::Image,
            goal: Goal::Most,
            frames: 15,
            grey_frames: (15, 6),
            window: (3, 15),
            steps: 100,
            step_size: 0.2,
            seed: 1,
            smoothness_deg: 4.0,
            smoothness_secs: 0.033,
            contrast: 0.05,
            gaze: [0.0; 2],
            arousal: [0.0; 2],
            controls: 10,
        }
    }

    /// The most exciting movie, one second long.
    pub fn movie() -> Self {
        Self { kind: Kind::Movie, frames: 30, window: (3, 30), ..Self::image() }
    }

    /// Pictures that are optimised.
    pub fn pictures(&self) -> usize {
        match self.kind {
            Kind::Image => 1,
            Kind::Movie => self.frames,
        }
    }

    /// Frames of the whole movie, with its background.
    pub fn all_frames(&self) -> usize {
        self.grey_frames.0 + self.frames + self.grey_frames.1
    }

    /// Frames up to the end of the window: nothing later matters to the response.
    pub(super) fn frames_that_matter(&self) -> usize {
        self.grey_frames.0 + self.window.1
    }

    /// Standard deviation of the blur in time, frames.
    pub(super) fn smoothness_frames(&self) -> f64 {
        self.smoothness_secs * FrameRate::WANG2025.0
    }

    /// Size of a step, as a share of the contrast.
    pub(super) fn step_size_at(&self, step: usize) -> f64 {
        self.step_size * (1.0 - 0.95 * step as f64 / self.steps as f64)
    }

    /// Checks that the plan can be followed.
    ///
    /// # Errors
    /// The first value that cannot be, in one sentence.
    pub fn check(&self) -> Result<(), OptimiseError> {
        let ensure = |holds: bool, what: &dyn Fn() -> String| {
            if holds { Ok(()) } else { Err(OptimiseError::Plan(what())) }
        };
        let (before, after) = self.grey_frames;
        let all = before.saturating_add(self.frames).saturating_add(after);
        ensure((1..=MOST_FRAMES).contains(&self.frames) && all <= MOST_FRAMES, &|| {
            format!(
                "a stimulus of {} frames in {all} frames was asked for; between 1 and {MOST_FRAMES} can be optimised",
                self.frames
            )
        })?;
        let (first, end) = self.window;
        ensure(first < end && end <= self.frames + after, &|| {
            let most = self.frames + after;
            format!(
                "the response window {first}-{end} is empty or ends after the last frame; it must lie within 0-{most}, counted from the onset of the stimulus"
            )
        })?;
        ensure(first < self.frames, &|| {
            format!(
                "the response window begins {first} frames after the onset, when the stimulus of {} frames is over",
                self.frames
            )
        })?;
        ensure((1..=MOST_STEPS).contains(&self.steps), &|| {
            format!("{} steps were asked for; between 1 and {MOST_STEPS} can be made", self.steps)
        })?;
        let within = |name: &str, value: f64, low: f64, high: f64, unit: &str| {
            ensure((low..=high).contains(&value), &|| {
                format!("{name} is {value}{unit}; it must lie in {low}..={high}{unit}")
            })
        };
        within("the step size", self.step_size, 1e-4, 10.0, "")?;
        within("the smoothness", self.smoothness_deg, 0.0, 30.0, " degrees")?;
        within("the smoothness in time", self.smoothness_secs, 0.0, 10.0, " s")?;
        within("the contrast", self.contrast, 0.001, 1.0, "")?;
        ensure(self.controls <= 10_000, &|| format!("{} random stimuli are more than 10000", self.controls))?;
        let behavior = self.gaze.iter().chain(&self.arousal);
        ensure(behavior.clone().all(|z| z.is_finite() && z.abs() <= LARGEST_Z), &|| {
            format!("gaze and behaviour are z-scores, and must lie within {LARGEST_Z} of 0")
        })
    }
}
