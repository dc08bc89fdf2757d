//! Records sessions of simulated mice into folders.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::chance::{Topic, sub_seed};
use super::mouse::{Mouse, WatchError};
use super::noise::Noise;
use super::truth::{unit_number, unit_table, wiring_table};
use super::{behavior, wiring};
use crate::data;
use crate::data::folder::refuse_full;
use crate::data::trial_array::{TrialMovie, write_stimuli};
use crate::data::{PresentationTable, ScanId, Session, SessionError, SessionUnit, SessionWriter, UnfinishedFolder};
use crate::job::{Cancelled, Progress};
use crate::signals::{Angles, Behavior, FrameSource, Monitor, Raster, Responses, SourceError};
use crate::stimulus::{Condition, Modifier, Presentation, Schedule, ScheduleSource, StimulusError};

/// Movies that are kept for testing, as in Wang et al. 2025.
pub const HELD_OUT: usize = 6;
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
    /// Different movies at the end of the schedule that are kept for testing; [`HELD_OUT`], but at most a fifth of all,
    /// when not given.
    pub held_out: Option<usize>,
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
            held_out: None,
            repeats: 10,
            noise: Noise::default(),
            drift: 0.08,
            title: String::new(),
        }
    }
}

/// Movies that are shown for testing only, after everything else: a schedule, cut into trials between presentations.
#[derive(Debug, Clone, PartialEq)]
pub struct TestMovies {
    /// Domain of the results, such as `Moving dots`.
    pub domain: String,
    /// What is shown.
    pub schedule: Schedule,
    /// Shortest length of a trial, frames; only the last may be shorter.
    pub trial_frames: usize,
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

/// Shows a schedule to mice and writes a session folder `mouse-1`, `mouse-2`, … for each; returns their paths. Every
/// presentation, with the grey after it, is one trial; `tests` are shown for testing alone, after all others. All mice see
/// the same movies, each drawn once.
///
/// Counts frames of `progress`. What was finished before an error stays.
///
/// # Errors
/// When an option is impossible, the schedule cannot be shown, a folder cannot be written, or the user asked to stop.
pub fn simulate(
    options: &SimulateOptions,
    schedule: &Schedule,
    tests: &[TestMovies],
    monitor: &Monitor,
    folder: &Path,
    progress: &Progress,
) -> Result<Vec<PathBuf>, SimulateError> {
    let mut plan = Plan::new(options, schedule, tests);
    options.validate(&plan)?;
    let schedules: Vec<&Schedule> = [schedule].into_iter().chain(tests.iter().map(|test| &test.schedule)).collect();
    plan.presentations = presentations(&plan.movies, &schedules);
    let mut movies = schedules
        .into_iter()
        .map(|schedule| ScheduleSource::new(schedule.clone(), monitor))
        .collect::<Result<Vec<_>, _>>()?;
    let target = |index: usize| folder.join(format!("mouse-{}", index + 1));
    // What cannot be written in the end is refused now, before anything is drawn.
    (0..options.mice).try_for_each(|index| refuse_full(&target(index)))?;
    let drawn: usize = plan.movies.iter().map(|shown| shown.frames).sum();
    progress.begin((drawn + plan.frames() * options.mice) as u64);
    let spool = Spool::draw(&plan, &mut movies, folder, progress)?;
    let mouse = |index: usize| {
        record(options, index, &plan, &spool, monitor, &target(index), progress)?;
        Ok(target(index))
    };
    (0..options.mice).into_par_iter().map(mouse).collect()
}

/// What is recorded, trial by trial.
#[derive(Debug)]
struct Plan {
    movies: Vec<Shown>,
    trials: Vec<PlannedTrial>,
    /// Number of movies that are kept for testing.
    held_out: usize,
    /// What is on the screen when, as a file.
    presentations: Vec<u8>,
}

/// A movie: one presentation of a schedule with the grey after it, or several.
#[derive(Debug)]
struct Shown {
    /// Which schedule: the first, or one of the tests.
    schedule: usize,
    start: usize,
    frames: usize,
    name: String,
    /// Kind of stimulus.
    domain: String,
}

/// One showing of a movie.
#[derive(Debug, Clone, Copy)]
struct PlannedTrial {
    training: bool,
    movie: usize,
}

impl Plan {
    /// Every presentation once for training, except those that show one of the last movies: these are shown at the
    /// end, repeatedly, so that nothing is tested that was learned from.
    fn new(options: &SimulateOptions, schedule: &Schedule, tests: &[TestMovies]) -> Self {
        let (mut movies, mut order) = (Vec::new(), Vec::new());
        let mut known = HashMap::new();
        for (index, shown) in schedule.presentations.iter().enumerate() {
            let start = shown.onset_frame;
            let end = schedule.presentations.get(index + 1).map_or(schedule.frames, |next| next.onset_frame);
            let Some(condition) = schedule.conditions.get(shown.condition).filter(|_| end > start) else { continue };
            // Only what is random differs from one presentation to the next.
            let random = condition.stimulus.is_random() || condition.modifiers.iter().any(Modifier::is_random);
            let seed = (random && !condition.is_blank()).then_some(shown.seed);
            let movie = *known.entry((shown.condition, seed, end - start)).or_insert(movies.len());
            if movie == movies.len() {
                let mut name = format!("{}, condition {}", condition.label(), shown.condition);
                for (_, value) in condition.values() {
                    name += &format!(", {value}");
                }
                if let Some(seed) = seed {
                    name += &format!(", seed {seed}");
                }
                movies.push(Shown { schedule: 0, start, frames: end - start, name, domain: domain(condition) });
            }
            order.push(movie);
        }
        let held_out = options.held_out.unwrap_or(HELD_OUT.min(movies.len() / 5));
        let tested = movies.len().saturating_sub(held_out);
        let learned: Vec<usize> = order.into_iter().filter(|movie| *movie < tested).collect();
        for (number, test) in tests.iter().enumerate() {
            movies.extend(trials_of(test, number + 1));
        }
        let tests = (0..options.repeats).flat_map(|_| tested..movies.len());
        let trials = learned
            .into_iter()
            .map(|movie| PlannedTrial { training: true, movie })
            .chain(tests.map(|movie| PlannedTrial { training: false, movie }))
            .collect();
        Self { held_out, movies, trials, presentations: Vec::new() }
    }

    fn frames(&self) -> usize {
        self.trials.iter().map(|trial| self.movies[trial.movie].frames).sum()
    }
}

/// The schedule of a test, cut between presentations into movies that are long enough.
fn trials_of(test: &TestMovies, schedule: usize) -> Vec<Shown> {
    let mut movies: Vec<Shown> = Vec::new();
    let mut start = 0;
    let onsets = test.schedule.presentations.iter().skip(1).map(|shown| shown.onset_frame);
    for end in onsets.chain([test.schedule.frames]) {
        if end - start >= test.trial_frames.max(1) || (end == test.schedule.frames && end > start) {
            let name = format!("{}, movie {}", test.domain, movies.len() + 1);
            movies.push(Shown { schedule, start, frames: end - start, name, domain: test.domain.clone() });
            start = end;
        }
    }
    movies
}

/// What each movie shows when, as a file; blanks are left out.
fn presentations(movies: &[Shown], schedules: &[&Schedule]) -> Vec<u8> {
    let of = |movie: &Shown| {
        let schedule = schedules[movie.schedule];
        let within = |shown: &&Presentation| (movie.start..movie.start + movie.frames).contains(&shown.onset_frame);
        let shown = |shown: &Presentation| {
            let condition = schedule.conditions.get(shown.condition).filter(|condition| !condition.is_blank())?;
            let values: Vec<String> = condition.swept.iter().map(|(key, value)| format!("{key}={value}")).collect();
            Some(data::Shown {
                onset_frame: shown.onset_frame - movie.start,
                frames: shown.frames,
                kind: condition.stimulus.kind().key(),
                values: values.join(", "),
            })
        };
        schedule.presentations.iter().filter(within).filter_map(shown).collect()
    };
    PresentationTable::text(movies.iter().map(|movie| (movie.name.as_str(), of(movie))))
}

/// What a condition shows, short enough for a table.
fn domain(condition: &Condition) -> String {
    condition.label().chars().take(100).collect()
}

/// Every movie of a plan in a file, so that it is drawn only once.
#[derive(Debug)]
struct Spool {
    files: Vec<PathBuf>,
    raster: Raster,
    /// Removes the files in the end.
    _folder: UnfinishedFolder,
}

impl Spool {
    fn draw(
        plan: &Plan,
        sources: &mut [ScheduleSource],
        folder: &Path,
        progress: &Progress,
    ) -> Result<Self, SimulateError> {
        let failed = |source| SessionError::Write { file: folder.display().to_string(), source };
        std::fs::create_dir_all(folder).map_err(failed)?;
        let spool = UnfinishedFolder::within(folder).map_err(failed)?;
        let raster = sources[0].raster();
        let mut files = Vec::with_capacity(plan.movies.len());
        for (index, shown) in plan.movies.iter().enumerate() {
            let path = spool.path().join(format!("{index}.npy"));
            let movie = &mut sources[shown.schedule];
            write_stimuli(&path, &mut Part { movie, start: shown.start, frames: shown.frames })?;
            progress.advance(shown.frames as u64)?;
            files.push(path);
        }
        Ok(Self { files, raster, _folder: spool })
    }

    fn movie(&self, index: usize, frames: usize) -> Result<TrialMovie, SessionError> {
        Ok(TrialMovie::open(&self.files[index], frames, self.raster)?)
    }
}

impl SimulateOptions {
    fn validate(&self, plan: &Plan) -> Result<(), SimulateError> {
        let within = |what: &str, found: usize, least: usize, most: usize| {
            if (least..=most).contains(&found) {
                return Ok(());
            }
            Err(SimulateError::Option(format!("{what} is {found}, expected {least} to {most}")))
        };
        within("the number of mice", self.mice, 1, MOST_MICE)?;
        within("the number of units", self.units, 1, MOST_UNITS)?;
        within("the number of different movies", plan.movies.len(), 1, usize::MAX)?;
        within("the number of movies held out", plan.held_out, 0, plan.movies.len() - 1)?;
        within("the number of repeats", self.repeats, 1, 1000)?;
        self.noise.check().map_err(SimulateError::Option)?;
        if !(0.0..=1.0).contains(&self.drift) {
            return Err(SimulateError::Option(format!("the drift is {}, expected 0 to 1", self.drift)));
        }
        Ok(())
    }
}

/// Records one mouse.
fn record(
    options: &SimulateOptions,
    index: usize,
    plan: &Plan,
    spool: &Spool,
    monitor: &Monitor,
    target: &Path,
    progress: &Progress,
) -> Result<(), SimulateError> {
    let seed = sub_seed(options.seed, Topic::Mouse, index as u32);
    let mut mouse = Mouse::new(seed, options.units).with_drift(options.drift);
    let session = description(options, index, seed, &mouse, monitor);
    let mut writer = SessionWriter::create(target, &session)?;
    let shown = |trial: &PlannedTrial| &plan.movies[trial.movie];
    // One long trace, cut where the trials are.
    let whole = behavior(seed, plan.frames(), monitor.frame_rate);
    let mut start = 0;
    let behaviors: Vec<Behavior> =
        plan.trials.iter().map(|trial| cut(&whole, &mut start, shown(trial).frames)).collect();
    // Rates first: they are divided by their mean over the training trials.
    let mut watching = mouse.watch(monitor);
    let mut first_frame = 0;
    let mut rates = Vec::with_capacity(plan.trials.len());
    for (trial, behavior) in plan.trials.iter().zip(&behaviors) {
        let mut movie = spool.movie(trial.movie, shown(trial).frames)?;
        rates.push(watching.rates(&mut movie, behavior, first_frame, progress)?);
        first_frame += shown(trial).frames as u64;
    }
    let learned: Vec<usize> = (0..rates.len()).filter(|&index| plan.trials[index].training).collect();
    mouse.set_mean(mean(options.units, learned.iter().map(|&index| &rates[index])));
    rates.iter_mut().for_each(|rates| *rates = divided(rates, mouse.mean()));
    let signals = learned.iter().map(|&index| options.noise.signal(&rates[index], monitor.frame_rate));
    let variance = variance(options.units, signals);
    for (number, ((trial, behavior), rates)) in plan.trials.iter().zip(&behaviors).zip(&rates).enumerate() {
        let noise = sub_seed(seed, Topic::Trial, number as u32);
        let responses = options.noise.record(rates, monitor.frame_rate, &variance, noise);
        let mut movie = spool.movie(trial.movie, shown(trial).frames)?;
        writer.domain(Some(&shown(trial).domain));
        writer.trial(trial.training, Some(&shown(trial).name), &mut movie, behavior, &responses)?;
        if !trial.training {
            writer.rates(&options.noise.signal(rates, monitor.frame_rate))?;
        }
        progress.check()?;
    }
    writer.file("truth.csv", unit_table(&session.id, &mouse).as_bytes())?;
    writer.file(PresentationTable::FILE, &plan.presentations)?;
    writer.file("wiring.csv", wiring_table(&wiring(seed, mouse.units())).as_bytes())?;
    Ok(writer.finish()?)
}

/// Who the mouse is, and where it comes from.
fn description(options: &SimulateOptions, index: usize, seed: u64, mouse: &Mouse, monitor: &Monitor) -> Session {
    let unit = |(index, unit): (usize, &super::Unit)| SessionUnit {
        area: Some(unit.area.name().to_owned()),
        layer: Some(unit.layer.name().to_owned()),
        ..SessionUnit::numbered(unit_number(index))
    };
    let mut about = toml::Table::new();
    let mut put = |key: &str, value: toml::Value| about.insert(key.to_owned(), value);
    put("simulated", toml::Value::Boolean(true));
    put("version", toml::Value::String(env!("CARGO_PKG_VERSION").to_owned()));
    // A whole number of 64 bits may be too large for TOML.
    put("seed", toml::Value::String(options.seed.to_string()));
    put("mouse_seed", toml::Value::String(seed.to_string()));
    put("protocol", toml::Value::String(options.title.clone()));
    put("noise", toml::Value::String(options.noise.to_string()));
    put("drift", toml::Value::Float(options.drift));
    put("gaze_deg", toml::Value::Array(mouse.gaze_deg().map(toml::Value::Float).to_vec()));
    put("monitor", toml::Value::Table(screen(monitor)));
    Session {
        id: ScanId { animal: format!("simulated-{}-{}", options.seed, index + 1), session: 1, scan: 1 },
        frame_rate: monitor.frame_rate,
        raster: monitor.raster,
        units: mouse.units().iter().enumerate().map(unit).collect(),
        trials: Vec::new(),
        about,
    }
}

/// What places on the screen in degrees follow from.
fn screen(monitor: &Monitor) -> toml::Table {
    let sizes =
        [("width_cm", monitor.width_cm), ("height_cm", monitor.height_cm), ("distance_cm", monitor.distance_cm)];
    let mut told: toml::Table =
        sizes.into_iter().map(|(key, value)| (key.to_owned(), toml::Value::Float(value))).collect();
    if monitor.angles == Angles::SmallAngle {
        told.insert("angles".to_owned(), toml::Value::String("small_angle".to_owned()));
    }
    told
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
