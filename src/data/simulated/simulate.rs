//! Records sessions of simulated mice into folders.

use std::path::{Path, PathBuf};

use super::chance::{Topic, sub_seed};
use super::mouse::{Mouse, WatchError};
use super::noise::Noise;
use super::truth::{unit_number, unit_table, wiring_table};
use super::{behavior, wiring};
use crate::data::{ScanId, Session, SessionError, SessionUnit, SessionWriter};
use crate::job::{Cancelled, Progress};
use crate::signals::{Behavior, FrameSource, Monitor, Raster, Responses, SourceError};
use crate::stimulus::{Schedule, ScheduleSource, StimulusError};

/// Most mice of one call.
const MOST_MICE: usize = 1000;
/// Most units of one mouse: its filters take 20 kB each.
const MOST_UNITS: usize = 20_000;

/// What is recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct SimulateOptions {
    /// Number of mice; each has a folder of its own.
    pub mice: usize,
    /// Units of each.
    pub units: usize,
    /// Seed of everything: mice, behaviour and noise. Movies have their own seeds, in the schedule.
    pub seed: u64,
    /// Presentations at the end of the schedule that are kept for testing.
    pub held_out: usize,
    /// How often each of them is shown, with other behaviour and other noise.
    pub repeats: usize,
    /// How responses are recorded.
    pub noise: Noise,
    /// Standard deviation of the slow drift of every unit's log rate.
    pub drift: f64,
    /// What is shown, for people.
    pub title: String,
}

impl Default for SimulateOptions {
    fn default() -> Self {
        Self {
            mice: 1,
            units: 160,
            seed: 1,
            held_out: 6,
            repeats: 10,
            noise: Noise::default(),
            drift: 0.08,
            title: String::new(),
        }
    }
}

/// Why mice could not be simulated.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// An option outside its range.
    #[error("{0}")]
    Option(String),
    /// The stimulus cannot be shown.
    #[error(transparent)]
    Stimulus(#[from] StimulusError),
    /// A mouse could not watch.
    #[error(transparent)]
    Watch(#[from] WatchError),
    /// A session could not be written.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The user asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// One stretch of the movie that is recorded, once.
#[derive(Debug, Clone)]
struct Showing {
    training: bool,
    start: usize,
    frames: usize,
    condition: String,
}

/// Shows a schedule to mice and writes a session folder `mouse-1`, `mouse-2`, … for each; returns their paths. Every
/// presentation, with the grey after it, is one trial. All mice see the same movies.
///
/// Counts frames of `progress`. What was finished before an error stays.
///
/// # Errors
/// When an option is impossible, the schedule cannot be shown, a folder cannot be written, or the user asked to stop.
pub fn simulate(
    options: &SimulateOptions,
    schedule: &Schedule,
    monitor: &Monitor,
    folder: &Path,
    progress: &Progress,
) -> Result<Vec<PathBuf>, SimulateError> {
    options.validate(schedule)?;
    let showings = showings(options, schedule);
    let mut movie = ScheduleSource::new(schedule.clone(), monitor)?;
    let frames: usize = showings.iter().map(|showing| showing.frames).sum();
    progress.begin((frames * options.mice) as u64);
    let mut folders = Vec::new();
    for index in 0..options.mice {
        let target = folder.join(format!("mouse-{}", index + 1));
        simulate_mouse(options, index, &showings, &mut movie, monitor, &target, progress)?;
        folders.push(target);
    }
    Ok(folders)
}

impl SimulateOptions {
    fn validate(&self, schedule: &Schedule) -> Result<(), SimulateError> {
        let within = |what: &str, found: usize, least: usize, most: usize| {
            if (least..=most).contains(&found) {
                return Ok(());
            }
            Err(SimulateError::Option(format!("{what} is {found}, expected {least} to {most}")))
        };
        within("the number of mice", self.mice, 1, MOST_MICE)?;
        within("the number of units", self.units, 1, MOST_UNITS)?;
        within("the number of presentations", schedule.presentations.len(), 2, usize::MAX)?;
        within("the number of held-out presentations", self.held_out, 0, schedule.presentations.len() - 1)?;
        within("the number of repeats", self.repeats, 1, 1000)?;
        let positive = |what: &str, found: f64, most: f64| {
            if found > 0.0 && found <= most {
                return Ok(());
            }
            Err(SimulateError::Option(format!("{what} is {found}, expected more than 0 and at most {most}")))
        };
        match self.noise {
            Noise::None => {}
            Noise::Poisson { counts_per_frame } => positive("the count in a frame", counts_per_frame, 100.0)?,
            Noise::Calcium { decay_secs, signal_to_noise } => {
                positive("the time constant of calcium", decay_secs, 10.0)?;
                positive("the signal-to-noise ratio", signal_to_noise, 1e6)?;
            }
        }
        if !(0.0..=1.0).contains(&self.drift) {
            return Err(SimulateError::Option(format!("the drift is {}, expected 0 to 1", self.drift)));
        }
        Ok(())
    }
}

/// Every presentation up to the onset of the next, those for testing last and repeatedly.
fn showings(options: &SimulateOptions, schedule: &Schedule) -> Vec<Showing> {
    let shown = &schedule.presentations;
    let one = |index: usize| {
        let start = shown[index].onset_frame;
        let end = shown.get(index + 1).map_or(schedule.frames, |next| next.onset_frame);
        let condition = &schedule.conditions[shown[index].condition];
        let mut name = condition.stimulus.label().to_owned();
        if let Some(direction) = condition.direction_deg {
            name += &format!(", {direction} deg");
        }
        if condition.stimulus.is_random() {
            name += &format!(", seed {}", shown[index].seed);
        }
        Showing { training: index + options.held_out < shown.len(), start, frames: end - start, condition: name }
    };
    let training = shown.len() - options.held_out;
    let tests = (0..options.repeats).flat_map(|_| training..shown.len());
    (0..training).chain(tests).map(one).filter(|showing| showing.frames > 0).collect()
}

fn simulate_mouse(
    options: &SimulateOptions,
    index: usize,
    showings: &[Showing],
    movie: &mut ScheduleSource,
    monitor: &Monitor,
    target: &Path,
    progress: &Progress,
) -> Result<(), SimulateError> {
    let seed = sub_seed(options.seed, Topic::Mouse, index as u32);
    let mut mouse = Mouse::new(seed, options.units).with_drift(options.drift);
    let session = description(options, index, seed, &mouse, monitor);
    let mut writer = SessionWriter::create(target, &session)?;
    let behaviors: Vec<Behavior> = {
        // One long trace, cut where the trials are.
        let total = showings.iter().map(|showing| showing.frames).sum();
        let whole = behavior(seed, total, monitor.frame_rate);
        let mut start = 0;
        showings.iter().map(|showing| cut(&whole, &mut start, showing.frames)).collect()
    };
    // Rates first: they are divided by their mean over the training trials.
    let mut watching = mouse.watch(monitor);
    let mut first_frame = 0;
    let mut rates = Vec::with_capacity(showings.len());
    for (showing, behavior) in showings.iter().zip(&behaviors) {
        let mut part = Part { movie, start: showing.start, frames: showing.frames };
        rates.push(watching.rates(&mut part, behavior, first_frame, progress)?);
        first_frame += showing.frames as u64;
    }
    let learned = || rates.iter().zip(showings).filter(|(_, showing)| showing.training).map(|(rates, _)| rates);
    mouse.set_mean(mean(options.units, learned()));
    let rates: Vec<Responses> = rates.iter().map(|rates| divided(rates, mouse.mean())).collect();
    let learned = rates.iter().zip(showings).filter(|(_, showing)| showing.training).map(|(rates, _)| rates);
    let variance = variance(options.units, learned.map(|rates| options.noise.signal(rates, monitor.frame_rate)));
    for (trial, ((showing, behavior), rates)) in showings.iter().zip(&behaviors).zip(&rates).enumerate() {
        let noise = sub_seed(seed, Topic::Trial, trial as u32);
        let responses = options.noise.record(rates, monitor.frame_rate, &variance, noise);
        let mut part = Part { movie, start: showing.start, frames: showing.frames };
        writer.trial(showing.training, Some(&showing.condition), &mut part, behavior, &responses)?;
        progress.check()?;
    }
    writer.file("truth.csv", unit_table(&session.id, mouse.units()).as_bytes())?;
    writer.file("wiring.csv", wiring_table(&wiring(seed, mouse.units())).as_bytes())?;
    Ok(writer.finish()?)
}

/// Who the mouse is, and where it comes from.
fn description(options: &SimulateOptions, index: usize, seed: u64, mouse: &Mouse, monitor: &Monitor) -> Session {
    let unit = |(index, unit): (usize, &super::Unit)| SessionUnit {
        unit: unit_number(index),
        area: Some(unit.area.name().to_owned()),
        layer: Some(unit.layer.name().to_owned()),
    };
    let (noise, gaze) = (format!("{:?}", options.noise), mouse.gaze_deg());
    let mut about = toml::Table::new();
    let mut put = |key: &str, value: toml::Value| about.insert(key.to_owned(), value);
    put("simulated", toml::Value::Boolean(true));
    put("version", toml::Value::String(env!("CARGO_PKG_VERSION").to_owned()));
    // A whole number of 64 bits may be too large for TOML.
    put("seed", toml::Value::String(options.seed.to_string()));
    put("mouse_seed", toml::Value::String(seed.to_string()));
    put("protocol", toml::Value::String(options.title.clone()));
    put("noise", toml::Value::String(noise));
    put("drift", toml::Value::Float(options.drift));
    put("gaze_deg", toml::Value::Array(gaze.map(toml::Value::Float).to_vec()));
    Session {
        id: ScanId { animal: format!("simulated-{}-{}", options.seed, index + 1), session: 1, scan: 1 },
        frame_rate: monitor.frame_rate,
        raster: monitor.raster,
        units: mouse.units().iter().enumerate().map(unit).collect(),
        trials: Vec::new(),
        about,
    }
}

/// The next frames of a longer behaviour.
fn cut(whole: &Behavior, start: &mut usize, frames: usize) -> Behavior {
    let range = *start..*start + frames;
    *start += frames;
    let (gaze, state) = range.map(|time| (whole.gaze(time)[0], whole.state(time)[0])).unzip();
    Behavior::new(frames, 1, gaze, state).expect("a part of a behaviour is one")
}

/// Mean rate of every unit.
fn mean<'r>(units: usize, trials: impl Iterator<Item = &'r Responses>) -> Vec<f32> {
    let (mut sums, mut rows) = (vec![0.0f64; units], 0usize);
    for rates in trials {
        for row in rates.values().chunks_exact(units) {
            sums.iter_mut().zip(row).for_each(|(sum, &rate)| *sum += f64::from(rate));
        }
        rows += rates.frames();
    }
    sums.into_iter().map(|sum| (sum / rows.max(1) as f64) as f32).collect()
}

/// Variance of every unit's signal about 1, its mean.
fn variance(units: usize, trials: impl Iterator<Item = Responses>) -> Vec<f32> {
    let (mut squares, mut sums, mut rows) = (vec![0.0f64; units], vec![0.0f64; units], 0usize);
    for signal in trials {
        for row in signal.values().chunks_exact(units) {
            for ((square, sum), &value) in squares.iter_mut().zip(&mut sums).zip(row) {
                *square += f64::from(value) * f64::from(value);
                *sum += f64::from(value);
            }
        }
        rows += signal.frames();
    }
    let n = rows.max(1) as f64;
    squares.iter().zip(&sums).map(|(square, sum)| (square / n - (sum / n).powi(2)).max(0.0) as f32).collect()
}

fn divided(rates: &Responses, mean: &[f32]) -> Responses {
    let values = rates.values().iter().zip(mean.iter().cycle()).map(|(rate, mean)| rate / mean).collect();
    Responses::new(rates.frames(), rates.samples(), rates.units(), values).expect("as many values as before")
}

/// Some frames of a schedule as a movie of their own.
struct Part<'s> {
    movie: &'s mut ScheduleSource,
    start: usize,
    frames: usize,
}

impl FrameSource for Part<'_> {
    fn raster(&self) -> Raster {
        self.movie.raster()
    }
    fn frames(&self) -> usize {
        self.frames
    }
    fn samples(&self) -> usize {
        1
    }
    fn read(&mut self, start: usize, count: usize, pixels: &mut [u8]) -> Result<(), SourceError> {
        if start.checked_add(count).is_none_or(|end| end > self.frames) {
            let what = format!("{count} frames from {start} on were asked of a trial of {} frames", self.frames);
            return Err(SourceError::new(what));
        }
        self.movie.read(self.start + start, count, pixels)
    }
}
