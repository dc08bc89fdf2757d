//! A recording on its own clocks, cut into trials: each is brought to the frames of the session when it is asked for.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::scale::{Scale, behavior_of};
use crate::data::align::{Clock, Grid, Resampling, nearest_preceding, resample, spikes_in_frames};
use crate::data::session::{TrialData, TrialSource};
use crate::data::{Record, SessionError, Trial};
use crate::signals::{FrameRate, FrameSource, Raster, Responses, SourceError};

/// Traces of cells that were sampled together, `[sample, cell]` on disk or elsewhere.
pub(super) trait Traces: std::fmt::Debug + Send + Sync {
    /// Number of cells.
    fn cells(&self) -> usize;
    /// Some samples of every cell, `[cell][sample]`; NaN where nothing was measured.
    fn read(&self, samples: Range<usize>) -> Result<Vec<Vec<f32>>, SessionError>;
}

/// Pictures in a file.
pub(super) trait Pictures: std::fmt::Debug + Send + Sync {
    /// Size of each.
    fn raster(&self) -> Raster;
    /// One picture, as many grey levels as it has pixels.
    fn read(&self, picture: usize) -> Result<Vec<u8>, SessionError>;
}

/// Activity of cells.
#[derive(Debug)]
pub(super) enum Activity {
    /// Traces of one imaged plane or more, each with its clock and with the delay of each cell, seconds.
    Traces(Vec<Plane>),
    /// Times of spikes, seconds, `[cell][spike]`, never decreasing.
    Spikes(Vec<Vec<f64>>),
}

/// Cells that were sampled together.
#[derive(Debug)]
pub(super) struct Plane {
    pub(super) traces: Box<dyn Traces>,
    pub(super) clock: Clock,
    pub(super) delays_secs: Vec<f64>,
}

/// One signal of behaviour, all of it.
#[derive(Debug)]
pub(super) struct Signal {
    pub(super) clock: Clock,
    pub(super) values: Vec<f32>,
}

/// Times of flips, and the pictures that they showed.
pub(super) type Screen = (Clock, Box<dyn Pictures>);

/// A whole recording.
#[derive(Debug)]
pub(super) struct Recording {
    pub(super) rate: FrameRate,
    pub(super) activity: Activity,
    /// Pupil x and y, pupil radius, treadmill velocity, where they were recorded.
    pub(super) behavior: [Option<Signal>; 4],
    pub(super) screen: Option<Screen>,
    pub(super) windows: Vec<Window>,
    pub(super) z_scores: OnceLock<[Scale; 4]>,
    pub(super) means: OnceLock<Vec<f32>>,
}

/// One trial of it.
#[derive(Debug, Clone)]
pub(super) struct Window {
    pub(super) start_secs: f64,
    pub(super) end_secs: f64,
    pub(super) condition: Option<String>,
    pub(super) training: bool,
}

impl Recording {
    /// Its trials.
    pub(super) fn into_trials(self) -> Vec<Trial> {
        let whole = Arc::new(self);
        let trial = |(index, window): (usize, &Window)| Trial {
            training: window.training,
            frames: whole.grid(window).frames,
            condition: window.condition.clone(),
            domain: None,
            source: TrialSource::Recording(Arc::new(Cut { whole: Arc::clone(&whole), window: index })),
        };
        whole.windows.iter().enumerate().map(trial).collect()
    }

    fn grid(&self, window: &Window) -> Grid {
        Grid::filling(window.start_secs, window.end_secs, self.rate)
    }

    fn units(&self) -> usize {
        match &self.activity {
            Activity::Traces(planes) => planes.iter().map(|plane| plane.traces.cells()).sum(),
            Activity::Spikes(cells) => cells.len(),
        }
    }

    /// Responses as they were recorded, `[time, unit]`.
    fn activity(&self, grid: &Grid) -> Result<Vec<f32>, SessionError> {
        let units = self.units();
        let mut values = vec![f32::NAN; grid.frames * units];
        let mut put = |unit: usize, trace: Vec<f32>| {
            for (frame, value) in trace.into_iter().enumerate() {
                values[frame * units + unit] = value;
            }
        };
        match &self.activity {
            Activity::Spikes(cells) => {
                cells.iter().enumerate().for_each(|(unit, spikes)| put(unit, spikes_in_frames(spikes, grid)));
            }
            Activity::Traces(planes) => {
                let mut unit = 0;
                for plane in planes {
                    let longest = plane.delays_secs.iter().copied().fold(0.0, f64::max);
                    let samples = plane.clock.needed(grid, longest);
                    let clock = plane.clock.part(samples.clone());
                    let mut last: Option<(f64, Resampling)> = None;
                    for (cell, trace) in plane.traces.read(samples)?.into_iter().enumerate() {
                        let delay = plane.delays_secs.get(cell).copied().unwrap_or(0.0);
                        let resampling = match last.take() {
                            Some((known, resampling)) if known == delay => resampling,
                            _ => Resampling::new(&clock, delay, grid),
                        };
                        put(unit, resampling.apply(&trace));
                        last = Some((delay, resampling));
                        unit += 1;
                    }
                }
            }
        }
        Ok(values)
    }

    /// Behaviour as it was recorded, `[signal][time]`.
    fn behavior(&self, grid: &Grid) -> [Vec<f32>; 4] {
        let on_grid = |signal: &Option<Signal>| match signal {
            None => vec![f32::NAN; grid.frames],
            Some(Signal { clock, values }) => {
                let samples = clock.needed(grid, 0.0);
                let part = values.get(samples.clone()).unwrap_or_default();
                resample(&clock.part(samples), part, 0.0, grid)
            }
        };
        self.behavior.each_ref().map(on_grid)
    }

    /// The windows over which means are taken: those for learning, or all where none is.
    fn training(&self) -> impl Iterator<Item = &Window> {
        let any = self.windows.iter().any(|window| window.training);
        self.windows.iter().filter(move |window| window.training || !any)
    }

    /// Mean and spread of each signal of behaviour over the training trials.
    fn z_scores(&self) -> [Scale; 4] {
        *self.z_scores.get_or_init(|| {
            let mut sums = [Scale::default(); 4];
            for window in self.training() {
                for (sum, values) in sums.iter_mut().zip(self.behavior(&self.grid(window))) {
                    sum.add(&values);
                }
            }
            sums
        })
    }

    /// Each unit's mean over the training trials, or 1.
    fn means(&self) -> Result<&[f32], SessionError> {
        if let Some(means) = self.means.get() {
            return Ok(means);
        }
        let means = super::scale::means(self.units(), self.training().map(|window| self.activity(&self.grid(window))))?;
        Ok(self.means.get_or_init(|| means))
    }
}

/// One trial of a recording.
#[derive(Debug)]
struct Cut {
    whole: Arc<Recording>,
    window: usize,
}

impl TrialData for Cut {
    fn has_movie(&self) -> bool {
        self.whole.screen.is_some()
    }

    fn movie(&self) -> Result<Box<dyn FrameSource>, SessionError> {
        let Some((flips, pictures)) = &self.whole.screen else { return Err(SessionError::NoMovie) };
        let grid = self.whole.grid(&self.whole.windows[self.window]);
        let shown = nearest_preceding(flips, &grid);
        Ok(Box::new(Shown { whole: Arc::clone(&self.whole), raster: pictures.raster(), shown }))
    }

    fn record(&self) -> Result<Record, SessionError> {
        let whole = &self.whole;
        let grid = whole.grid(&whole.windows[self.window]);
        let (behavior, missing) = behavior_of(&whole.behavior(&grid), &whole.z_scores());
        let mut values = whole.activity(&grid)?;
        super::scale::divide(&mut values, whole.means()?);
        let responses = Responses::new(grid.frames, 1, whole.units(), values).expect("one value a frame and unit");
        Ok(Record::new(behavior, responses, missing))
    }
}

/// What was on the screen in a trial.
#[derive(Debug)]
struct Shown {
    whole: Arc<Recording>,
    raster: Raster,
    /// The picture of each frame; none before the first flip.
    shown: Vec<Option<usize>>,
}

/// Grey level of the screen before anything is shown.
const BLANK: u8 = 128;

impl FrameSource for Shown {
    fn raster(&self) -> Raster {
        self.raster
    }
    fn frames(&self) -> usize {
        self.shown.len()
    }
    fn samples(&self) -> usize {
        1
    }
    fn read(&mut self, start: usize, count: usize, pixels: &mut [u8]) -> Result<(), SourceError> {
        let frames = start.checked_add(count).and_then(|end| self.shown.get(start..end));
        let (Some(frames), Some((_, pictures))) = (frames, &self.whole.screen) else {
            let what = format!("{count} frames from {start} on were asked of a movie of {} frames", self.frames());
            return Err(SourceError::new(what));
        };
        if pixels.len() != count * self.raster.pixels() {
            return Err(SourceError::new(format!("{count} frames of {} pixels do not fit", self.raster)));
        }
        let mut last: Option<(usize, Vec<u8>)> = None;
        for (frame, pixels) in frames.iter().zip(pixels.chunks_exact_mut(self.raster.pixels().max(1))) {
            match *frame {
                None => pixels.fill(BLANK),
                Some(picture) => {
                    if last.as_ref().is_none_or(|(index, _)| *index != picture) {
                        let read = pictures.read(picture).map_err(|error| SourceError::new(error.to_string()))?;
                        last = Some((picture, read));
                    }
                    match &last {
                        Some((_, read)) if read.len() == pixels.len() => pixels.copy_from_slice(read),
                        _ => return Err(SourceError::new(format!("picture {picture} has another size"))),
                    }
                }
            }
        }
        Ok(())
    }
}
