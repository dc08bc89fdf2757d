//! What is shown when: presentations in order, with grey between them.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Field, Modifier, Prepared, Screen, Stimulus, StimulusError, check_monitor, keys, modify};
use crate::signals::{FrameSource, Monitor, Raster, SourceError};

/// One cell of a sweep: a stimulus with all parameters fixed; or a blank.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// The part of the experiment it belongs to, from 0; `None` for a blank, which shows the background only.
    #[serde(default)]
    pub part: Option<usize>,
    /// Values of the parameters that were swept, by their keys.
    pub swept: Vec<(String, f64)>,
    /// The stimulus; of a blank, that of the first part, which is not drawn.
    pub stimulus: Stimulus,
    /// What is done to it, in order.
    pub modifiers: Vec<Modifier>,
}

impl From<Stimulus> for Condition {
    /// A stimulus as it is, in the first part of an experiment.
    fn from(stimulus: Stimulus) -> Self {
        Self { part: Some(0), swept: Vec::new(), stimulus, modifiers: Vec::new() }
    }
}

impl Condition {
    /// Whether it shows the background only.
    pub fn is_blank(&self) -> bool {
        self.part.is_none()
    }

    /// What is known of a parameter of the stimulus or its modifiers.
    pub fn field(&self, key: &str) -> Option<&'static Field> {
        keys::field(&self.stimulus, &self.modifiers, key)
    }

    /// Value of a swept parameter; `None` when this was not swept.
    pub fn swept(&self, key: &str) -> Option<f64> {
        self.swept.iter().find(|(swept, _)| swept == key).map(|(_, value)| *value)
    }

    /// Direction of motion that was swept, degrees.
    pub fn direction_deg(&self) -> Option<f64> {
        self.swept("direction_deg")
    }
}

/// One showing of one condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presentation {
    /// Index of the condition.
    pub condition: usize,
    /// Which showing of that condition, from 0.
    pub repeat: usize,
    /// First frame.
    pub onset_frame: usize,
    /// Number of frames shown.
    pub frames: usize,
    /// Seed of everything random in it.
    pub seed: u64,
}

impl Presentation {
    /// The frames of the movie in which it is on the screen.
    pub fn range(&self) -> Range<usize> {
        self.onset_frame..self.onset_frame.saturating_add(self.frames)
    }
}

/// A whole movie as a list of presentations; the frames between them show the background.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// The different things shown.
    pub conditions: Vec<Condition>,
    /// In order of onset, never overlapping.
    pub presentations: Vec<Presentation>,
    /// Length of the movie, frames.
    pub frames: usize,
}

impl Schedule {
    /// The presentation that is on the screen at a frame.
    pub fn presentation_at(&self, frame: usize) -> Option<usize> {
        let after = self.presentations.partition_point(|shown| shown.onset_frame <= frame);
        let index = after.checked_sub(1)?;
        self.presentations[index].range().contains(&frame).then_some(index)
    }

    /// Checks that the presentations are in order, apart, inside the movie and of known conditions.
    ///
    /// # Errors
    /// The first presentation that is not.
    pub fn validate(&self) -> Result<(), StimulusError> {
        let mut free_from = 0;
        for (index, shown) in self.presentations.iter().enumerate() {
            let wrong = |what: String| Err(StimulusError::Schedule(format!("presentation {index} {what}")));
            if shown.condition >= self.conditions.len() {
                return wrong(format!("shows condition {} of {}", shown.condition, self.conditions.len()));
            }
            if shown.onset_frame < free_from {
                return wrong(format!(
                    "starts at frame {}, before {free_from}, the end of the one before",
                    shown.onset_frame
                ));
            }
            free_from = shown.range().end;
            if free_from > self.frames {
                return wrong(format!("ends at frame {free_from}, after the end of the movie at {}", self.frames));
            }
        }
        Ok(())
    }
}

/// What one stretch of frames of a schedule shows.
#[derive(Debug, Clone)]
pub(super) enum Stretch {
    /// The background, so many frames.
    Blank(usize),
    /// These frames of a stimulus.
    Shown(Prepared, Range<usize>),
}

/// The clips of one condition, read once and not yet modified: what is random in a modifier differs between showings.
#[derive(Debug, Clone)]
struct Clips {
    /// The stimulus; `None` where it is computed.
    stimulus: Option<Prepared>,
    /// Those that modifiers show.
    modifiers: Vec<Option<Prepared>>,
}

/// A schedule on a monitor, drawn on demand: any frame at any time, on the CPU as a [`FrameSource`], or on the GPU by a
/// [`Renderer`](super::Renderer).
#[derive(Debug, Clone)]
pub struct ScheduleSource {
    schedule: Schedule,
    screen: Arc<Screen>,
    /// Clips, read once.
    clips: Vec<Clips>,
    /// The presentation drawn last.
    last: Option<(usize, Prepared)>,
}

impl ScheduleSource {
    /// Checks the whole schedule and reads its clips, so that nothing can go wrong later.
    ///
    /// # Errors
    /// When a stimulus, the order of presentations or the monitor is impossible, or a clip cannot be read.
    pub fn new(schedule: Schedule, monitor: &Monitor) -> Result<Self, StimulusError> {
        check_monitor(monitor)?;
        schedule.validate()?;
        let screen = Arc::new(Screen::new(monitor));
        let mut clips: Vec<Clips> = Vec::with_capacity(schedule.conditions.len());
        for (index, condition) in schedule.conditions.iter().enumerate() {
            if condition.is_blank() {
                clips.push(Clips { stimulus: None, modifiers: Vec::new() });
                continue;
            }
            condition.stimulus.validate()?;
            for modifier in &condition.modifiers {
                modifier.validate_for(monitor)?;
            }
            let earlier = || schedule.conditions[..index].iter().zip(&clips).filter(|(c, _)| !c.is_blank());
            let stimulus = if condition.stimulus.reads_files() {
                let same = earlier().find(|(c, _)| c.stimulus == condition.stimulus);
                match same.and_then(|(_, read)| read.stimulus.clone()) {
                    Some(read) => Some(read),
                    None => Some(Prepared::bare(&condition.stimulus, &screen, 0)?),
                }
            } else {
                None
            };
            let same = earlier().find(|(c, _)| c.modifiers == condition.modifiers);
            let modifiers = match same.map(|(_, read)| read.modifiers.clone()) {
                Some(read) => read,
                None => modify::read_files(&condition.modifiers, &screen)?,
            };
            clips.push(Clips { stimulus, modifiers });
        }
        Ok(Self { schedule, screen, clips, last: None })
    }

    /// The schedule.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// The monitor.
    pub fn monitor(&self) -> &Monitor {
        self.screen.monitor()
    }

    fn prepared(&mut self, index: usize) -> Result<&Prepared, StimulusError> {
        let known = matches!(&self.last, Some((last, _)) if *last == index);
        if !known {
            let shown = self.schedule.presentations[index];
            let (condition, clips) = (&self.schedule.conditions[shown.condition], &self.clips[shown.condition]);
            let bare = match &clips.stimulus {
                Some(clip) if !condition.stimulus.is_random() => clip.clone(),
                // A clip that is random too keeps its pictures: those that are on show are not read again.
                _ => Prepared::bare(&condition.stimulus, &self.screen, shown.seed)?,
            };
            let prepared =
                modify::modified(bare, &condition.modifiers, &clips.modifiers, shown.seed)?.lit(&condition.stimulus);
            self.last = Some((index, prepared));
        }
        Ok(&self.last.as_ref().expect("set just above").1)
    }

    /// What these frames show, in order.
    pub(super) fn stretches(&mut self, frames: Range<usize>) -> Result<Vec<Stretch>, SourceError> {
        if frames.end > self.schedule.frames || frames.start > frames.end {
            return Err(SourceError::new(format!(
                "frames {}..{} were asked of a schedule of {} frames",
                frames.start, frames.end, self.schedule.frames
            )));
        }
        let mut stretches = Vec::new();
        let mut at = frames.start;
        while at < frames.end {
            let after = self.schedule.presentations.partition_point(|shown| shown.onset_frame <= at);
            let end = match self.schedule.presentation_at(at) {
                Some(index) => {
                    let range = self.schedule.presentations[index].range();
                    let end = range.end.min(frames.end);
                    if self.schedule.conditions[self.schedule.presentations[index].condition].is_blank() {
                        stretches.push(Stretch::Blank(end - at));
                        at = end;
                        continue;
                    }
                    let prepared = self.prepared(index).map_err(|error| SourceError::new(error.to_string()))?;
                    stretches.push(Stretch::Shown(prepared.clone(), at - range.start..end - range.start));
                    end
                }
                None => {
                    let next = self.schedule.presentations.get(after).map_or(usize::MAX, |shown| shown.onset_frame);
                    let end = next.min(frames.end);
                    stretches.push(Stretch::Blank(end - at));
                    end
                }
            };
            at = end;
        }
        Ok(stretches)
    }
}

/// Frames that one thread draws in a row. Every picture depends on nothing but its frame, so it does not matter who draws
/// it. The threads are those of the pool from which the reading is called.
const FRAMES_AT_ONCE: usize = 2;

impl FrameSource for ScheduleSource {
    fn raster(&self) -> Raster {
        self.monitor().raster
    }
    fn frames(&self) -> usize {
        self.schedule.frames
    }
    fn samples(&self) -> usize {
        1
    }
    fn read(&mut self, start: usize, count: usize, pixels: &mut [u8]) -> Result<(), SourceError> {
        let size = self.raster().pixels();
        if Some(pixels.len()) != count.checked_mul(size) {
            return Err(SourceError::new(format!(
                "{count} frames of {} pixels do not fit into {} values",
                self.raster(),
                pixels.len()
            )));
        }
        let background = self.monitor().background;
        let stretches = self.stretches(start..start.saturating_add(count))?;
        let shown = stretches.iter().flat_map(|stretch| {
            let (prepared, frames) = match stretch {
                Stretch::Blank(frames) => (None, 0..*frames),
                Stretch::Shown(prepared, frames) => (Some(prepared), frames.clone()),
            };
            frames.map(move |frame| prepared.map(|prepared| (prepared, frame)))
        });
        let draw = |shown: Option<(&Prepared, usize)>, picture: &mut [u8]| match shown {
            None => picture.fill(background),
            Some((prepared, frame)) => prepared.frame(frame, picture),
        };
        if count < 2 * FRAMES_AT_ONCE {
            shown.zip(pixels.chunks_exact_mut(size)).for_each(|(shown, picture)| draw(shown, picture));
        } else {
            let shown: Vec<_> = shown.collect();
            pixels
                .par_chunks_exact_mut(size)
                .zip(shown)
                .with_min_len(FRAMES_AT_ONCE)
                .for_each(|(picture, shown)| draw(shown, picture));
        }
        Ok(())
    }
}
