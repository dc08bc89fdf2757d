//! Several arrays in a `.npz` file.
//!
//! Known are our own sessions (see [`crate::data::save_npz`]) and what laboratories publish: counts of spikes
//! `[trial, unit, time]` with the length of a bin, packed repeats `counts [stimulus..., unit, repeat]` with
//! `n_valid [stimulus..., unit]`, and matrices `[sample, unit]` with the `trial` of each sample.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::array::{Archive, Array};
use super::identity::{Said, clean};
use super::scale::{divide, means};
use super::{ImportError, ImportOptions, condition};
use crate::data::export::SCHEMA;
use crate::data::session::{TrialData, TrialSource};
use crate::data::{ArrayError, Record, ScanId, Session, SessionError, SessionUnit, Trial};
use crate::signals::{Behavior, FrameRate, FrameSource, Raster, Responses, SourceError};

const FORMAT: &str = "a .npz file";
/// Value of a u8 that was not measured, in packed repeats.
const NOT_MEASURED: u8 = 255;
/// Longest side of a movie, pixels.
const LONGEST_SIDE: usize = 4096;

/// Opens a file.
pub(super) fn open(path: &Path, options: &ImportOptions) -> Result<Session, ImportError> {
    let mut archive = Archive::open(path)?;
    if archive.has("twinscope_session") {
        return ours(&mut archive, options);
    }
    if archive.has("counts") && archive.has("n_valid") {
        return packed(path, &mut archive, options);
    }
    let wanted = |name: &str| match &options.signal {
        Some(signal) => name == signal,
        None => matches!(name, "responses" | "spikes" | "counts" | "activity" | "units"),
    };
    // Of what describes trials, lists alone are taken; a movie of that name may be of any size.
    let is_used = |name: &String, axes: Option<usize>| {
        let describes = match &options.conditions[..] {
            [] => condition::describes_stimulus(name),
            asked => asked.contains(name),
        };
        let list = describes || matches!(name.as_str(), "trial" | "test_trials");
        wanted(name) || list && axes.is_none_or(|axes| axes == 1)
    };
    let mut arrays = HashMap::new();
    for name in archive.names().to_vec() {
        match archive.array(&name) {
            Ok(array) => drop(arrays.insert(name, array)),
            // Objects that were pickled are in these files often.
            Err(ArrayError::Element { .. }) => {}
            // Without it the session would be another one.
            Err(error) if is_used(&name, archive.dimensions(&name)) => return Err(error.into()),
            Err(_) => {}
        }
    }
    if let Some((name, array)) = arrays.iter().find(|(name, array)| wanted(name) && array.shape().len() == 3) {
        return cubes(path, name, array, &arrays, options);
    }
    if let Some(trial) = arrays.get("trial").filter(|trial| trial.shape().len() == 1) {
        return matrices(path, trial, &arrays, options);
    }
    let mut names: Vec<&str> = arrays.keys().map(String::as_str).collect();
    names.sort_unstable();
    let names: String = names.join(", ").chars().take(200).collect::<String>().escape_debug().to_string();
    let what = format!(
        "responses: expected `responses`, `spikes` or `counts` [trial, unit, time] (or another, named with \
         `twinscope session convert --signal`), or matrices with an array `trial`, but it has {names}"
    );
    Err(ImportError::lacks(path, FORMAT, &what))
}

/// The frame rate that is asked for, or that of the file.
fn rate(path: &Path, arrays: &HashMap<String, Array>, options: &ImportOptions) -> Result<FrameRate, ImportError> {
    if let Some(rate) = options.frame_rate {
        return Ok(rate);
    }
    let number = |name: &str| arrays.get(name).and_then(|array| array.only().ok());
    let bin = ["bin_s", "frame_dt_s", "dt_s", "dt"].into_iter().find_map(number).map(|secs| 1.0 / secs);
    let rate = bin.or_else(|| ["frame_rate_hz", "frame_rate", "fps", "rate_hz"].into_iter().find_map(number));
    rate.filter(|rate| (0.1..=1000.0).contains(rate)).map(super::tidy_rate).ok_or_else(|| {
        ImportError::lacks(
            path,
            FORMAT,
            "a frame rate (`bin_s` or `frame_rate_hz`): name it with `twinscope session convert --frame-rate`",
        )
    })
}

/// Trials whose responses are computed from arrays; behaviour and movies are not known.
struct Part {
    training: bool,
    condition: Option<String>,
    frames: usize,
}

/// Reads the responses of a trial, `[time, unit]`.
trait Cut: std::fmt::Debug + Send + Sync {
    fn read(&self, trial: usize) -> Result<Vec<f32>, SessionError>;
}

#[derive(Debug)]
struct Whole {
    cut: Box<dyn Cut>,
    frames: Vec<usize>,
    /// The trials over which means are taken.
    training: Vec<usize>,
    units: usize,
    means: OnceLock<Vec<f32>>,
}

#[derive(Debug)]
struct One {
    whole: Arc<Whole>,
    trial: usize,
}

impl TrialData for One {
    fn record(&self) -> Result<Record, SessionError> {
        let whole = &self.whole;
        let means = match whole.means.get() {
            Some(means) => means,
            None => {
                let means = means(whole.units, whole.training.iter().map(|&trial| whole.cut.read(trial)))?;
                whole.means.get_or_init(|| means)
            }
        };
        let mut values = whole.cut.read(self.trial)?;
        divide(&mut values, means);
        let frames = whole.frames[self.trial];
        let responses = Responses::new(frames, 1, whole.units, values)
            .ok_or_else(|| SessionError::Trial("its file was changed since it was opened".to_owned()))?;
        // Behaviour is not part of these files: all of it is missing.
        Ok(Record::new(Behavior::still(frames, 1), responses, (0..4 * frames).collect()))
    }
}

fn session(
    id: ScanId,
    rate: FrameRate,
    units: Vec<SessionUnit>,
    parts: Vec<Part>,
    cut: Box<dyn Cut>,
    source: &str,
) -> Session {
    let any = parts.iter().any(|part| part.training);
    let training = (0..parts.len()).filter(|&trial| parts[trial].training || !any).collect();
    let frames = parts.iter().map(|part| part.frames).collect();
    let whole = Arc::new(Whole { cut, frames, training, units: units.len(), means: OnceLock::new() });
    let trial = |(trial, part): (usize, Part)| Trial {
        training: part.training,
        frames: part.frames,
        condition: part.condition,
        domain: None,
        source: TrialSource::Recording(Arc::new(One { whole: Arc::clone(&whole), trial })),
    };
    let trials = parts.into_iter().enumerate().map(trial).collect();
    let mut about = toml::Table::new();
    about.insert("source".to_owned(), toml::Value::String(source.to_owned()));
    Session { id, frame_rate: rate, raster: Raster { height: 0, width: 0 }, units, trials, about }
}

fn numbered(count: usize) -> Vec<SessionUnit> {
    (0..count).map(|unit| SessionUnit::numbered(unit as u32)).collect()
}

/// An array `[trial, unit, time]`.
#[derive(Debug)]
struct Cube(Array);

impl Cut for Cube {
    fn read(&self, trial: usize) -> Result<Vec<f32>, SessionError> {
        let &[_, units, time] = self.0.shape() else { return Ok(Vec::new()) };
        let stored = self.0.f32s(trial * units * time, units * time)?;
        Ok((0..time).flat_map(|frame| stored.iter().skip(frame).step_by(time).copied()).collect())
    }
}

/// Responses `[trial, unit, time]`, with what was shown in arrays of one value a trial.
fn cubes(
    path: &Path,
    name: &str,
    array: &Array,
    arrays: &HashMap<String, Array>,
    options: &ImportOptions,
) -> Result<Session, ImportError> {
    let &[trials, units, time] = array.shape() else {
        return Err(array.wrong("expected [trial, unit, time]".to_owned()).into());
    };
    if array.len() == 0 || !array.is_numeric() {
        return Err(array
            .wrong(format!("it has the shape {:?}, expected numbers [trial, unit, time]", array.shape()))
            .into());
    }
    let rate = rate(path, arrays, options)?;
    let mut known: Vec<&str> =
        arrays.iter().filter(|(_, array)| array.shape() == [trials]).map(|(name, _)| name.as_str()).collect();
    known.sort_unstable();
    let shown = condition::columns(&known, &options.conditions).map_err(|what| array.wrong(what))?;
    let columns: Vec<(&str, Vec<String>)> =
        shown.into_iter().map(|name| Ok((name, arrays[name].texts()?))).collect::<Result<_, ArrayError>>()?;
    let conditions: Vec<Option<String>> = (0..trials)
        .map(|trial| condition::text(columns.iter().map(|(name, values)| (*name, values[trial].clone()))))
        .collect();
    let training = match arrays.get("test_trials").filter(|test| test.is_numeric()) {
        Some(test) => {
            let test: Vec<usize> = test.all()?.into_iter().map(|trial| trial as usize).collect();
            (0..trials).map(|trial| !test.contains(&trial)).collect()
        }
        None => condition::shown_once(&conditions),
    };
    let parts = conditions.into_iter().zip(training);
    let parts = parts.map(|(condition, training)| Part { training, condition, frames: time }).collect();
    let id = named_by_file(path).with(options);
    let source = format!("NumPy, `{name}` [trial, unit, time]");
    Ok(session(id, rate, numbered(units), parts, Box::new(Cube(array.clone())), &clean(&source)))
}

/// The file's name as a session, so that two files are not taken for one recording; the animal is not known.
fn named_by_file(path: &Path) -> Said {
    Said::of_session(None, &path.file_stem().unwrap_or_default().to_string_lossy())
}

/// Packed repeats: an array `[stimulus..., frame, unit, repeat]`.
#[derive(Debug)]
struct Packed {
    counts: Array,
    /// Sizes: stimuli, frames of each, units, repeats.
    sizes: [usize; 4],
    /// Stimulus and repeat of each trial.
    trials: Vec<(usize, usize)>,
    /// The stimulus that was read last, and all of its repeats: trials are mostly read one after the other.
    last: Mutex<Option<(usize, Vec<u8>)>>,
}

impl Cut for Packed {
    fn read(&self, trial: usize) -> Result<Vec<f32>, SessionError> {
        let ([_, frames, units, repeats], (stimulus, repeat)) = (self.sizes, self.trials[trial]);
        let block = frames * units * repeats;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let stored = match last.take() {
            Some((known, stored)) if known == stimulus => stored,
            _ => self.counts.u8s(stimulus * block, block)?,
        };
        let count = |&value: &u8| if value == NOT_MEASURED { f32::NAN } else { f32::from(value) };
        let values = stored.iter().skip(repeat).step_by(repeats).map(count).collect();
        *last = Some((stimulus, stored));
        Ok(values)
    }
}

/// Counts of spikes of repeats, as many for each stimulus and unit as `n_valid` says.
fn packed(path: &Path, archive: &mut Archive, options: &ImportOptions) -> Result<Session, ImportError> {
    let (counts, valid) = (archive.array("counts")?, archive.array("n_valid")?);
    let (shape, axes) = (counts.shape().to_vec(), counts.shape().len());
    if axes < 4 || counts.len() == 0 || !counts.is_u8() || valid.shape() != &shape[..axes - 1] {
        let what = format!(
            "`counts` has the shape {shape:?} and `n_valid` {:?}, expected u8 [stimulus..., frame, unit, repeat] and \
             [stimulus..., frame, unit]",
            valid.shape()
        );
        return Err(counts.wrong(what).into());
    }
    let [frames, units, repeats] = [shape[axes - 3], shape[axes - 2], shape[axes - 1]];
    let stimuli: usize = shape[..axes - 3].iter().product();
    let valid = valid.all()?;
    let mut arrays = HashMap::new();
    for name in ["bin_s", "frame_dt_s", "frame_rate_hz"] {
        if archive.has(name) {
            arrays.insert(name.to_owned(), archive.array(name)?);
        }
    }
    let rate = rate(path, &arrays, options)?;
    let (mut trials, mut parts) = (Vec::new(), Vec::new());
    for stimulus in 0..stimuli {
        let most =
            valid[stimulus * frames * units..(stimulus + 1) * frames * units].iter().copied().fold(0.0, f64::max);
        let mut rest = stimulus;
        let mut places: Vec<String> = Vec::new();
        for &size in shape[..axes - 3].iter().rev() {
            places.insert(0, (rest % size).to_string());
            rest /= size;
        }
        for repeat in 0..repeats.min(most as usize) {
            trials.push((stimulus, repeat));
            parts.push(Part { training: false, condition: Some(format!("stimulus {}", places.join("-"))), frames });
        }
    }
    if parts.is_empty() {
        return Err(counts.wrong("no repeat of any stimulus is valid".to_owned()).into());
    }
    let cut = Packed { counts, sizes: [stimuli, frames, units, repeats], trials, last: Mutex::new(None) };
    let id = named_by_file(path).with(options);
    Ok(session(id, rate, numbered(units), parts, Box::new(cut), "NumPy, packed repeats"))
}

/// Matrices `[sample, unit]` side by side, and the samples of each trial.
#[derive(Debug)]
struct Matrices {
    arrays: Vec<Array>,
    trials: Vec<std::ops::Range<usize>>,
}

impl Cut for Matrices {
    fn read(&self, trial: usize) -> Result<Vec<f32>, SessionError> {
        let samples = self.trials[trial].clone();
        let mut rows: Vec<Vec<f32>> = vec![Vec::new(); samples.len()];
        for array in &self.arrays {
            let &[_, units] = array.shape() else { continue };
            let values = array.f32s(samples.start * units, samples.len() * units)?;
            rows.iter_mut().zip(values.chunks_exact(units)).for_each(|(row, values)| row.extend(values));
        }
        Ok(rows.concat())
    }
}

fn matrices(
    path: &Path,
    trial: &Array,
    arrays: &HashMap<String, Array>,
    options: &ImportOptions,
) -> Result<Session, ImportError> {
    let trial_of = trial.all()?;
    let is_matrix = |array: &Array| matches!(*array.shape(), [rows, units] if rows == trial_of.len() && units > 0);
    let wanted = |name: &str| options.signal.as_ref().is_none_or(|signal| name.contains(signal.as_str()));
    let mut chosen: Vec<(&String, &Array)> =
        arrays.iter().filter(|(name, array)| is_matrix(array) && array.is_numeric() && wanted(name)).collect();
    chosen.sort_by_key(|(name, _)| *name);
    if chosen.is_empty() || trial_of.is_empty() {
        let what = format!("a matrix [{}, unit] with a row for each value of `trial`", trial_of.len());
        return Err(ImportError::lacks(path, FORMAT, &what));
    }
    let rate = rate(path, arrays, options)?;
    let mut trials = Vec::new();
    let mut start = 0;
    for samples in trial_of.chunk_by(|a, b| a == b) {
        trials.push(start..start + samples.len());
        start += samples.len();
    }
    let mut units = Vec::new();
    for (name, array) in &chosen {
        let area = clean(name.split('_').next().unwrap_or_default());
        for _ in 0..array.shape()[1] {
            let area = Some(area.clone()).filter(|area| !area.is_empty());
            units.push(SessionUnit { area, ..SessionUnit::numbered(units.len() as u32) });
        }
    }
    let parts = trials.iter().map(|samples| Part { training: true, condition: None, frames: samples.len() }).collect();
    let cut = Matrices { arrays: chosen.into_iter().map(|(_, array)| array.clone()).collect(), trials };
    Ok(session(named_by_file(path).with(options), rate, units, parts, Box::new(cut), "NumPy, matrices [sample, unit]"))
}

/// The arrays of our own layout.
#[derive(Debug)]
struct Ours {
    stimuli: Option<Array>,
    perspectives: Array,
    modulations: Array,
    responses: Array,
    units: usize,
    raster: Raster,
}

/// One of its trials.
#[derive(Debug)]
struct OurTrial {
    whole: Arc<Ours>,
    /// First frame in the responses, and in the stimuli.
    start: usize,
    movie: Option<usize>,
    frames: usize,
}

impl TrialData for OurTrial {
    fn has_movie(&self) -> bool {
        self.movie.is_some()
    }

    fn movie(&self) -> Result<Box<dyn FrameSource>, SessionError> {
        let start = self.movie.ok_or(SessionError::NoMovie)?;
        Ok(Box::new(OurMovie { whole: Arc::clone(&self.whole), start, frames: self.frames }))
    }

    fn record(&self) -> Result<Record, SessionError> {
        let (whole, frames) = (&self.whole, self.frames);
        let mut absent = Vec::new();
        let mut pairs = |array: &Array, signal: usize| -> Result<Vec<[f32; 2]>, SessionError> {
            let mut values = array.f32s(2 * self.start, 2 * frames)?;
            for (place, value) in values.iter_mut().enumerate().filter(|(_, value)| !value.is_finite()) {
                *value = 0.0;
                absent.push(place / 2 * 4 + signal + place % 2);
            }
            Ok(values.as_chunks::<2>().0.to_vec())
        };
        let (gaze, state) = (pairs(&whole.perspectives, 0)?, pairs(&whole.modulations, 2)?);
        let behavior = Behavior::new(frames, 1, gaze, state).expect("pairs of finite values");
        let mut values = whole.responses.f32s(self.start * whole.units, frames * whole.units)?;
        values.iter_mut().filter(|value| value.is_infinite()).for_each(|value| *value = f32::NAN);
        let responses = Responses::new(frames, 1, whole.units, values).expect("one value a frame and unit");
        Ok(Record::new(behavior, responses, absent))
    }
}

#[derive(Debug)]
struct OurMovie {
    whole: Arc<Ours>,
    start: usize,
    frames: usize,
}

impl FrameSource for OurMovie {
    fn raster(&self) -> Raster {
        self.whole.raster
    }
    fn frames(&self) -> usize {
        self.frames
    }
    fn samples(&self) -> usize {
        1
    }
    fn read(&mut self, start: usize, count: usize, pixels: &mut [u8]) -> Result<(), SourceError> {
        let size = self.whole.raster.pixels();
        let stimuli = self.whole.stimuli.as_ref();
        let fits = start.checked_add(count).is_some_and(|end| end <= self.frames) && pixels.len() == count * size;
        let Some(stimuli) = stimuli.filter(|_| fits) else {
            let what = format!("{count} frames from {start} on were asked of a movie of {} frames", self.frames);
            return Err(SourceError::new(what));
        };
        let read = stimuli.u8s((self.start + start) * size, count * size);
        pixels.copy_from_slice(&read.map_err(|error| SourceError::new(error.to_string()))?);
        Ok(())
    }
}

/// x and y of each unit, NaN where unknown; nothing where no position is stored.
fn positions(archive: &mut Archive, units: usize) -> Result<Vec<[f32; 2]>, ArrayError> {
    if !archive.has("position_px") {
        return Ok(Vec::new());
    }
    let array = archive.array("position_px")?;
    if array.shape() != [units, 2] || !array.is_numeric() {
        return Err(array.wrong(format!("it has the shape {:?}, expected numbers [{units}, 2]", array.shape())));
    }
    Ok(array.f32s(0, 2 * units)?.as_chunks::<2>().0.to_vec())
}

/// A session that was saved by this program.
fn ours(archive: &mut Archive, options: &ImportOptions) -> Result<Session, ImportError> {
    let schema = archive.array("twinscope_session")?;
    if schema.only()? != SCHEMA as f64 {
        let what = format!("its version is {}, expected {SCHEMA}, the only one so far", schema.only()?);
        return Err(schema.wrong(what).into());
    }
    let text = |archive: &mut Archive, name: &str| -> Result<String, ArrayError> {
        let array = archive.array(name)?;
        array.texts()?.into_iter().next().ok_or_else(|| array.wrong("expected one text".to_owned()))
    };
    let whole = |archive: &mut Archive, name: &str| -> Result<u32, ArrayError> {
        let array = archive.array(name)?;
        let number = array.only()?;
        let is_whole = number >= 0.0 && number <= f64::from(u32::MAX) && number.fract() == 0.0;
        if is_whole {
            Ok(number as u32)
        } else {
            Err(array.wrong(format!("it is {number}, expected 0 to {}", u32::MAX)))
        }
    };
    let animal = clean(&text(archive, "animal")?);
    let said = Said {
        animal: Some(animal).filter(|animal| !animal.is_empty()),
        session: Some(whole(archive, "session")?),
        scan: Some(whole(archive, "scan")?),
    };
    let array = archive.array("frame_rate_hz")?;
    let frame_rate = Some(array.only()?).filter(|rate| (0.1..=1000.0).contains(rate)).map(FrameRate);
    let frame_rate = frame_rate.ok_or_else(|| array.wrong("expected 0.1 to 1000 frames per second".to_owned()))?;
    let array = archive.array("about")?;
    let about = text(archive, "about")?.parse().map_err(|_| array.wrong("it is no TOML".to_owned()))?;

    let ids = archive.array("unit")?;
    let numbers = ids.all()?;
    let count = numbers.len();
    let column = |archive: &mut Archive, name: &str, count: usize| -> Result<Vec<String>, ArrayError> {
        let array = archive.array(name)?;
        let texts = array.texts()?;
        if texts.len() == count {
            return Ok(texts);
        }
        Err(array.wrong(format!("it has {} values, expected {count}", texts.len())))
    };
    let (areas, layers) = (column(archive, "area", count)?, column(archive, "layer", count)?);
    let positions = positions(archive, count)?;
    let name = |name: &String| Some(clean(name)).filter(|name| !name.is_empty());
    let unit = |index: usize| SessionUnit {
        unit: numbers[index] as u32,
        area: name(&areas[index]),
        layer: name(&layers[index]),
        position_px: positions.get(index).copied().filter(|position| position.iter().all(|side| side.is_finite())),
    };
    let units: Vec<SessionUnit> = (0..count).map(unit).collect();
    if count == 0 {
        return Err(ids.wrong("it lists no unit".to_owned()).into());
    }

    let lengths = archive.array("trial_frames")?;
    let frames = lengths.all()?;
    let (training, conditions) = (archive.array("training")?.all()?, column(archive, "condition", frames.len())?);
    let movies = archive.array("movie")?.all()?;
    if training.len() != frames.len() || movies.len() != frames.len() || frames.is_empty() {
        let what =
            format!("{} trials, {} flags `training` and {} places `movie`", frames.len(), training.len(), movies.len());
        return Err(lengths.wrong(what).into());
    }
    let stimuli = if archive.has("stimuli") { Some(archive.array("stimuli")?) } else { None };
    let sides = 1..=LONGEST_SIDE;
    let (stored, raster) = match &stimuli {
        None => (0, Raster { height: 0, width: 0 }),
        Some(array) => match *array.shape() {
            [stored, height, width] if sides.contains(&height) && sides.contains(&width) && array.is_u8() => {
                (stored, Raster { height, width })
            }
            ref shape => {
                let what = format!("it has the shape {shape:?}, expected u8 [frame, height, width]");
                return Err(array.wrong(what).into());
            }
        },
    };
    let (perspectives, modulations, responses) =
        (archive.array("perspectives")?, archive.array("modulations")?, archive.array("responses")?);
    let total = responses.shape().first().copied().unwrap_or(0);
    for (array, columns) in [(&perspectives, 2), (&modulations, 2), (&responses, count)] {
        if array.shape() != [total, columns] || !array.is_numeric() {
            let what = format!("it has the shape {:?}, expected numbers [{total}, {columns}]", array.shape());
            return Err(array.wrong(what).into());
        }
    }
    let data = Arc::new(Ours { stimuli, perspectives, modulations, responses, units: count, raster });
    let (mut trials, mut start) = (Vec::new(), 0);
    for (index, &length) in frames.iter().enumerate() {
        let length = Some(length).filter(|length| *length >= 1.0 && *length <= (total - start) as f64);
        let Some(length) = length.map(|length| length as usize) else {
            let what =
                format!("trial {index} has {} frames, but {} of the responses are left", frames[index], total - start);
            return Err(lengths.wrong(what).into());
        };
        let movie = (movies[index] >= 0.0).then_some(movies[index] as usize);
        if movie.is_some_and(|first| first.checked_add(length).is_none_or(|end| end > stored)) {
            let what = format!("the movie of trial {index} ends after the {stored} stored frames");
            return Err(lengths.wrong(what).into());
        }
        let source = OurTrial { whole: Arc::clone(&data), start, movie, frames: length };
        trials.push(Trial {
            training: training[index] != 0.0,
            frames: length,
            condition: name(&conditions[index]),
            domain: None,
            source: TrialSource::Recording(Arc::new(source)),
        });
        start += length;
    }
    Ok(Session { id: said.with(options), frame_rate, raster, units, trials, about })
}
