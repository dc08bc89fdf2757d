//! A time window: the stimulus is seen from a moment on for some time, and is not there before and after.
//!
//! The stimulus' own time does not change: what is seen is what would have been seen without the window. A fade is half a
//! cosine over its frames, sampled at their middle, so that the fade in and the same fade out add up to one.

use std::f32::consts::PI;

use super::super::fields::{Field, parameters};
use super::{Change, ModifierParameters, Prepared, Screen, StimulusError};
use crate::signals::Monitor;

parameters! {
    /// Shows the stimulus for part of the time.
    pub struct TimeWindow {
        /// Start of the window after the onset of the presentation, seconds.
        onset_secs: f64 = 0.5,
            Field::number("Start", "s", (0.0, 3600.0), 0.1, "Time from the onset of the presentation to the first frame");
        /// Length of the window with its fades, seconds.
        duration_secs: f64 = 1.0,
            Field::number("Duration", "s", (0.0, 3600.0), 0.1, "How long the stimulus is seen, fades included");
        /// Time to full contrast, seconds.
        fade_in_secs: f64 = 0.0,
            Field::number("Fade in", "s", (0.0, 60.0), 0.1, "Time in which the contrast grows, along half a cosine");
        /// Time from full contrast to none, seconds.
        fade_out_secs: f64 = 0.0,
            Field::number("Fade out", "s", (0.0, 60.0), 0.1, "Time in which the contrast goes, along half a cosine");
    }
}

impl ModifierParameters for TimeWindow {
    fn check(&self, _monitor: &Monitor) -> Result<(), StimulusError> {
        let fades = self.fade_in_secs + self.fade_out_secs;
        // A little more than equal, because 0.1 + 0.2 is more than 0.3.
        if fades > self.duration_secs + 1e-9 {
            return Err(StimulusError::Impossible {
                stimulus: "Time window",
                key: "duration_secs",
                what: format!("is {}; it must hold both fades, {fades} s", self.duration_secs),
            });
        }
        Ok(())
    }

    fn prepare(
        &self,
        below: &Prepared,
        _nested: Option<Prepared>,
        _seed: u64,
    ) -> Result<Box<dyn Change>, StimulusError> {
        let rate = below.monitor().frame_rate;
        let [onset, count, fade_in, fade_out] =
            [self.onset_secs, self.duration_secs, self.fade_in_secs, self.fade_out_secs].map(|s| rate.frames_in(s));
        Ok(Box::new(Gate { onset, count, fade_in, fade_out }))
    }
}

/// The window in frames.
#[derive(Debug)]
struct Gate {
    onset: usize,
    count: usize,
    fade_in: usize,
    fade_out: usize,
}

impl Change for Gate {
    fn source_frame(&self, frame: usize) -> Option<usize> {
        (self.onset..self.onset.saturating_add(self.count)).contains(&frame).then_some(frame)
    }

    fn apply(&self, screen: &Screen, frame: usize, greys: &mut [f32]) {
        let Some(since) = frame.checked_sub(self.onset).filter(|since| *since < self.count) else { return };
        let ramp = |done: usize, length: usize| {
            if done >= length { 1.0 } else { 0.5 - 0.5 * (PI * (done as f32 + 0.5) / length as f32).cos() }
        };
        let weight = ramp(since, self.fade_in) * ramp(self.count - 1 - since, self.fade_out);
        if weight < 1.0 {
            let background = f32::from(screen.monitor().background);
            for grey in greys {
                *grey = background + weight * (*grey - background);
            }
        }
    }
}
