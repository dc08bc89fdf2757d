//! Responses in a CSV table, or in a folder with `responses.csv` and, optionally, `units.csv`.
//!
//! Wide tables have a row for each frame, or each trial, and a column for each unit (`unit_12`, `cell 12` or `12`); long
//! ones a row for each unit and trial, with the columns `unit` (or `cell`, `neuron`) and `response` (or `rate_hz`, ...).
//! Beside them are known: `trial` and `block`; `time` in seconds; `training`; `pupil_x`, `pupil_y`, `pupil_radius`, `velocity`;
//! `animal`, `session`, `scan`; and what was shown, in columns whose names say so or that are named.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::identity::{Said, clean};
use super::scale::{Scale, behavior_of, divide, means};
use super::{ImportError, ImportOptions, condition, content, training_flag};
use crate::data::session::{TrialData, TrialSource};
use crate::data::{Record, Session, SessionError, SessionUnit, Trial};
use crate::signals::{FrameRate, Raster, Responses};

const FORMAT: &str = "a CSV table of responses";
/// Largest table, bytes.
const LARGEST: u64 = 1 << 30;
/// Names of columns, in lower case.
const TRIAL: [&str; 4] = ["trial", "trial_id", "trial_number", "trial_index"];
const TIME: [&str; 5] = ["time", "time_s", "time_secs", "seconds", "t"];
const UNIT: [&str; 6] = ["unit", "unit_id", "cell", "cell_id", "neuron", "neuron_id"];
const RESPONSE: [&str; 9] =
    ["response", "responses", "rate_hz", "firing_rate", "rate", "spike_count", "spikes", "count", "activity"];
const BEHAVIOR: [&[&str]; 4] = [
    &["pupil_x", "gaze_x", "eye_x"],
    &["pupil_y", "gaze_y", "eye_y"],
    &["pupil_radius", "pupil_size", "pupil_diameter", "pupil"],
    &["velocity", "running", "running_speed", "treadmill", "treadmill_velocity"],
];

/// Opens a table or a folder of tables.
pub(super) fn open(path: &Path, options: &ImportOptions) -> Result<Session, ImportError> {
    let folder = path.is_dir();
    let table = Table::read(&if folder { path.join("responses.csv") } else { path.to_owned() })?;
    let said = table.said()?;
    let units = table.columns.iter().enumerate().filter_map(|(at, name)| Some((unit_number(name)?, at)));
    let units: BTreeMap<u32, usize> = units.collect();
    let mut found = if units.is_empty() { table.long(path, options)? } else { table.wide(&units, options)? };
    if folder && path.join("units.csv").is_file() {
        describe(&path.join("units.csv"), &mut found.units)?;
    }
    let rate = table.rate(path, &found.rows, options)?;
    found.into_session(said, rate, options)
}

/// The number in the name of a unit's column.
fn unit_number(name: &str) -> Option<u32> {
    let digits = ["unit", "cell", "neuron", "roi"].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
    let digits = digits.trim_start_matches(['_', ' ', '-']);
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// A table in memory, its names of columns in lower case.
struct Table {
    file: String,
    columns: Vec<String>,
    rows: Vec<csv::StringRecord>,
}

/// Consecutive rows of one trial.
struct Rows {
    condition: Option<String>,
    training: Option<bool>,
    times: Vec<f64>,
    /// `[signal][row]`; NaN where there is no such column.
    behavior: [Vec<f32>; 4],
    /// `[row, unit]`.
    responses: Vec<f32>,
}

/// What a table holds.
struct Found {
    units: Vec<SessionUnit>,
    rows: Vec<Rows>,
    note: Option<&'static str>,
}

/// Names of the columns of a table, and its rows; there is at least one.
pub(in crate::data) fn records(path: &Path) -> Result<(Vec<String>, Vec<csv::StringRecord>), ImportError> {
    let file = path.display().to_string();
    let failed = |source| ImportError::Read { path: file.clone(), source };
    let size = std::fs::metadata(path).map_err(failed)?.len();
    if size > LARGEST {
        return Err(content(&file, "", format!("it has {size} bytes, but a table is read whole: use .npz")).into());
    }
    let wrong = |error: &csv::Error| {
        let place = error.position().map_or(String::new(), |position| format!(", line {}", position.line()));
        content(&file, &place, format!("it is no table: {}", clean(&error.to_string())))
    };
    let mut reader = csv::Reader::from_path(path).map_err(|error| wrong(&error))?;
    let headers = reader.headers().map_err(|error| wrong(&error))?;
    let columns = headers.iter().map(|name| name.trim_start_matches('\u{feff}').trim().to_owned()).collect();
    let rows: Result<Vec<_>, _> = reader.records().collect();
    let rows = rows.map_err(|error| wrong(&error))?;
    if rows.is_empty() {
        return Err(content(&file, "", "it has no row below its names of columns").into());
    }
    Ok((columns, rows))
}

impl Table {
    fn read(path: &Path) -> Result<Self, ImportError> {
        let (headers, rows) = records(path)?;
        let columns = headers.iter().map(|name| name.to_lowercase()).collect();
        Ok(Self { file: path.display().to_string(), columns, rows })
    }

    fn wrong(&self, row: usize, what: String) -> SessionError {
        let line = self.rows[row].position().map_or(0, csv::Position::line);
        content(&self.file, &format!(", line {line}"), what)
    }

    fn column(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| self.columns.iter().position(|column| column == name))
    }

    fn text(&self, row: usize, column: usize) -> &str {
        self.rows[row].get(column).unwrap_or_default().trim()
    }

    /// A number; NaN for what was not measured.
    fn number(&self, row: usize, column: usize) -> Result<f64, SessionError> {
        let text = self.text(row, column);
        if matches!(text.to_ascii_lowercase().as_str(), "" | "na" | "nan" | "null" | "none") {
            return Ok(f64::NAN);
        }
        text.parse().map_err(|_| {
            let short: String = text.chars().take(40).collect();
            let what = format!("`{}` is \"{}\", expected a number", self.columns[column], short.escape_debug());
            self.wrong(row, what)
        })
    }

    /// Who was recorded, where columns say so.
    fn said(&self) -> Result<Said, ImportError> {
        let one = |names: &[&str]| -> Result<Option<String>, SessionError> {
            let Some(column) = self.column(names) else { return Ok(None) };
            let first = self.text(0, column).to_owned();
            match (1..self.rows.len()).find(|&row| self.text(row, column) != first) {
                None => Ok(Some(first).filter(|text| !text.is_empty())),
                Some(row) => Err(self.wrong(
                    row,
                    format!(
                        "`{}` is another than in the first row: a session is one scan of one animal",
                        self.columns[column]
                    ),
                )),
            }
        };
        let number = |text: Option<String>| text.and_then(|text| text.parse().ok());
        Ok(Said { animal: one(&["animal"])?, session: number(one(&["session"])?), scan: number(one(&["scan"])?) })
    }

    /// Text that is the same for all rows of a trial; `None` without a column for it.
    fn trial_key(&self, row: usize) -> Option<String> {
        let trial = self.text(row, self.column(&TRIAL)?);
        Some(match self.column(&["block", "run"]) {
            Some(block) => format!("{}/{trial}", self.text(row, block)),
            None => trial.to_owned(),
        })
    }

    fn shown(&self, options: &ImportOptions) -> Result<Vec<usize>, SessionError> {
        let known: Vec<&str> =
            self.columns.iter().map(String::as_str).filter(|name| unit_number(name).is_none()).collect();
        let wanted: Vec<String> = options.conditions.iter().map(|name| name.trim().to_lowercase()).collect();
        let chosen = condition::columns(&known, &wanted).map_err(|what| content(&self.file, "", what))?;
        Ok(chosen.iter().filter_map(|name| self.columns.iter().position(|column| column == name)).collect())
    }

    /// What is the same for the rows of a trial, taken from its first.
    fn start(&self, row: usize, shown: &[usize]) -> Rows {
        let parts = shown.iter().map(|&column| (self.columns[column].as_str(), self.text(row, column).to_owned()));
        let columns: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        let flag = training_flag(&columns, |name| self.column(&[name]).map_or("", |column| self.text(row, column)));
        Rows {
            condition: condition::text(parts.filter(|(_, value)| !value.is_empty())),
            training: flag,
            times: Vec::new(),
            behavior: Default::default(),
            responses: Vec::new(),
        }
    }

    fn push_shared(&self, row: usize, of: &mut Rows) -> Result<(), SessionError> {
        for (values, names) in of.behavior.iter_mut().zip(BEHAVIOR) {
            let value = self.column(names).map_or(Ok(f64::NAN), |column| self.number(row, column))?;
            values.push(value as f32);
        }
        if let Some(time) = self.column(&TIME) {
            of.times.push(self.number(row, time)?);
        }
        Ok(())
    }

    /// A row for each frame or trial, a column for each unit.
    fn wide(&self, units: &BTreeMap<u32, usize>, options: &ImportOptions) -> Result<Found, ImportError> {
        let shown = self.shown(options)?;
        let mut rows: Vec<Rows> = Vec::new();
        let mut last: Option<String> = None;
        for row in 0..self.rows.len() {
            // Without trials, rows with times are one stretch, and rows without are trials.
            let key = self.trial_key(row).unwrap_or_else(|| match self.column(&TIME) {
                Some(_) => String::new(),
                None => row.to_string(),
            });
            if rows.is_empty() || last.as_ref() != Some(&key) {
                rows.push(self.start(row, &shown));
                last = Some(key);
            }
            let of = rows.last_mut().expect("one was just pushed");
            self.push_shared(row, of)?;
            for &column in units.values() {
                of.responses.push(self.number(row, column)? as f32);
            }
        }
        let units = units.keys().copied().map(SessionUnit::numbered).collect();
        Ok(Found { units, rows, note: None })
    }

    /// A row for each unit and trial.
    fn long(&self, path: &Path, options: &ImportOptions) -> Result<Found, ImportError> {
        let named = options.signal.as_ref().map(|name| name.trim().to_lowercase());
        let response = match &named {
            Some(name) => self.column(&[name.as_str()]),
            None => self.column(&RESPONSE),
        };
        let (Some(unit), Some(response)) = (self.column(&UNIT), response) else {
            let columns: String = self.columns.join(", ").chars().take(200).collect();
            let what = format!(
                "a column for each unit (`unit_12`), or the columns `unit` and `response` (or another, named \
                 with `twinscope session convert --signal`), its columns are {}",
                columns.escape_debug()
            );
            return Err(ImportError::lacks(path, FORMAT, &what));
        };
        let shown = self.shown(options)?;
        let number = |row: usize| -> Result<u32, SessionError> {
            let text = self.text(row, unit);
            let short = || text.chars().take(40).collect::<String>().escape_debug().to_string();
            text.parse().map_err(|_| self.wrong(row, format!("the unit is \"{}\", expected a whole number", short())))
        };
        let mut places: BTreeMap<u32, usize> = BTreeMap::new();
        for row in 0..self.rows.len() {
            places.insert(number(row)?, 0);
        }
        places.values_mut().enumerate().for_each(|(place, of)| *of = place);
        let time = self.column(&TIME);
        let frame = |row: usize| time.map_or("", |time| self.text(row, time));
        let trial = |row: usize| {
            self.trial_key(row).unwrap_or_else(|| if time.is_some() { String::new() } else { row.to_string() })
        };
        // Units that were recorded one after the other number their trials anew, with other stimuli.
        let mut shown_in: HashMap<String, Option<String>> = HashMap::new();
        let alone = (0..self.rows.len()).any(|row| {
            let condition = self.start(row, &shown).condition;
            shown_in.entry(trial(row)).or_insert_with(|| condition.clone()) != &condition
        });
        let key = |row: usize| if alone { format!("{}/{}", self.text(row, unit), trial(row)) } else { trial(row) };
        let mut rows: Vec<Rows> = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        let mut frames: HashMap<(usize, &str), usize> = HashMap::new();
        for row in 0..self.rows.len() {
            let trial = *known.entry(key(row)).or_insert_with(|| {
                rows.push(self.start(row, &shown));
                rows.len() - 1
            });
            let of = &mut rows[trial];
            let place = match frames.get(&(trial, frame(row))) {
                Some(&place) => place,
                None => {
                    let place = of.behavior[0].len();
                    self.push_shared(row, of)?;
                    if of.responses.len() as u64 + places.len() as u64 > LARGEST / 4 {
                        return Err(content(&self.file, "", "it has too many units and trials: use .npz").into());
                    }
                    of.responses.resize(of.responses.len() + places.len(), f32::NAN);
                    frames.insert((trial, frame(row)), place);
                    place
                }
            };
            let value = &mut of.responses[place * places.len() + places[&number(row)?]];
            if !value.is_nan() {
                let what = format!("unit {} has a second response in the same trial and frame", number(row)?);
                return Err(self.wrong(row, what).into());
            }
            *value = self.number(row, response)? as f32;
        }
        let units = places.keys().copied().map(SessionUnit::numbered).collect();
        let note = alone.then_some("units were recorded one after the other: each has trials of its own");
        Ok(Found { units, rows, note })
    }

    /// The frame rate: what is asked for, else that of the times, else one a second where each trial has one number.
    fn rate(&self, path: &Path, rows: &[Rows], options: &ImportOptions) -> Result<FrameRate, ImportError> {
        let longest = rows.iter().max_by_key(|rows| rows.times.len());
        let times = longest.map_or(&[][..], |rows| &rows.times[..]);
        if let [first, .., last] = times {
            let period = (last - first) / (times.len() - 1) as f64;
            if !(0.001..=10.0).contains(&period) {
                let what = format!("the times are {period} s apart, expected seconds, 0.001 to 10 apart");
                return Err(content(&self.file, "", what).into());
            }
            for (trial, rows) in rows.iter().enumerate() {
                let steady = |pair: &[f64]| (pair[1] - pair[0] - period).abs() <= 0.2 * period;
                if let Some(at) = rows.times.windows(2).position(|pair| !steady(pair)) {
                    let what = format!(
                        "the times of trial {trial} are not steady: {} s follows {} s, but most are {period:.6} s apart",
                        rows.times[at + 1],
                        rows.times[at]
                    );
                    return Err(content(&self.file, "", what).into());
                }
            }
            return Ok(options.frame_rate.unwrap_or(super::tidy_rate(1.0 / period)));
        }
        if rows.iter().all(|rows| rows.behavior[0].len() == 1) {
            return Ok(options.frame_rate.unwrap_or(FrameRate(1.0)));
        }
        options.frame_rate.ok_or_else(|| {
            ImportError::lacks(
                path,
                FORMAT,
                "a column `time` in seconds: name the frame rate with `twinscope session convert --frame-rate`",
            )
        })
    }
}

/// Areas and layers of units, from a table beside the responses.
fn describe(path: &Path, units: &mut [SessionUnit]) -> Result<(), ImportError> {
    let table = Table::read(path)?;
    let unit = table.column(&UNIT).ok_or_else(|| content(&table.file, ", line 1", "it has no column `unit`"))?;
    let (area, layer) = (table.column(&["area", "brain_area"]), table.column(&["layer"]));
    let places: HashMap<u32, usize> = units.iter().enumerate().map(|(place, unit)| (unit.unit, place)).collect();
    for row in 0..table.rows.len() {
        let Some(&place) = table.text(row, unit).parse().ok().and_then(|unit| places.get(&unit)) else { continue };
        let name = |column: Option<usize>| column.map(|at| clean(table.text(row, at))).filter(|name| !name.is_empty());
        (units[place].area, units[place].layer) = (name(area), name(layer));
    }
    Ok(())
}

impl Found {
    fn into_session(self, said: Said, rate: FrameRate, options: &ImportOptions) -> Result<Session, ImportError> {
        let units = self.units.len();
        let conditions: Vec<Option<String>> = self.rows.iter().map(|rows| rows.condition.clone()).collect();
        let once = condition::shown_once(&conditions);
        let training: Vec<bool> =
            self.rows.iter().zip(once).map(|(rows, once)| rows.training.unwrap_or(once)).collect();
        let any = training.contains(&true);
        let learning =
            || self.rows.iter().zip(&training).filter(|(_, training)| **training || !any).map(|(rows, _)| rows);
        let mut scales = [Scale::default(); 4];
        learning().for_each(|rows| scales.iter_mut().zip(&rows.behavior).for_each(|(scale, values)| scale.add(values)));
        let means = means(units, learning().map(|rows| Ok(rows.responses.clone())))?;
        let mut trials = Vec::new();
        for (mut rows, training) in self.rows.into_iter().zip(training) {
            let (behavior, absent) = behavior_of(&rows.behavior, &scales);
            divide(&mut rows.responses, &means);
            let frames = behavior.frames();
            let responses = Responses::new(frames, 1, units, rows.responses).expect("one value a row and unit");
            let data = InMemory(Record::new(behavior, responses, absent));
            let source = TrialSource::Recording(std::sync::Arc::new(data));
            trials.push(Trial { training, frames, condition: rows.condition, domain: None, source });
        }
        let mut about = toml::Table::new();
        about.insert("source".to_owned(), toml::Value::String("CSV".to_owned()));
        if let Some(note) = self.note {
            about.insert("notes".to_owned(), toml::Value::Array(vec![toml::Value::String(note.to_owned())]));
        }
        let raster = Raster { height: 0, width: 0 };
        Ok(Session { id: said.with(options), frame_rate: rate, raster, units: self.units, trials, about })
    }
}

/// A trial of a table.
#[derive(Debug)]
struct InMemory(Record);

impl TrialData for InMemory {
    fn record(&self) -> Result<Record, SessionError> {
        Ok(self.0.clone())
    }
}
