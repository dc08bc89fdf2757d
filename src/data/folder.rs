//! A session as a folder of `.npy` files, in the arrays of Wang et al. 2025's training trials.
//!
//! ```text
//! session.toml            schema, animal, session, scan, frame_rate_hz, raster; anything else is kept
//! units.csv               animal, session, scan, unit, area, layer; x_px, y_px where known: one row a column of the
//!                         responses
//! trials.csv              trial, training, frames, condition, stimuli; domain where known
//! stimuli/0003.npy        u8 [time, height, width, 1]
//! perspectives/0003.npy   f32 [time, 2]: pupil x and y, z-scored
//! modulations/0003.npy    f32 [time, 2]: pupil radius and treadmill velocity, z-scored
//! units/0003.npy          f32 [time, unit]: divided by the unit's mean over the training trials
//! rates/0003.npy          f32 [time, unit]: the same without noise, in test trials of simulated animals
//! presentations.csv       what is on the screen when, in movies that show several things; need not be there
//! ```
//!
//! Files are named by the `trial` column; `stimuli` names the trial that stores the pixels, so repeats share one file.
//! What was not measured is NaN. Of responses to something that is not known, `stimuli` is empty, and a session of
//! such trials alone has no raster.

use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::session::{Record, ScanId, Session, SessionError, SessionUnit, Trial, TrialSource, rates_beside};
use super::target::{UnfinishedFolder, folder_of};
use super::trial_array::{TrialMovie, check_rows, digest, write_rows, write_stimuli};
use crate::signals::{Behavior, FrameRate, FrameSource, Raster, Responses};
use crate::toml_text;

/// The only version of the layout so far.
const SCHEMA: i64 = 1;
/// Largest description, bytes.
const LARGEST_TOML: u64 = 1 << 20;
/// Largest table, bytes: a million units or trials.
const LARGEST_TABLE: u64 = 64 << 20;
/// Longest side of a movie, pixels.
const LONGEST_SIDE: usize = 4096;
/// Longest name of an animal, an area or a condition, characters.
const LONGEST_NAME: usize = 200;
/// Columns of the tables.
const UNIT_COLUMNS: [&str; 8] = ["animal", "session", "scan", "unit", "area", "layer", "x_px", "y_px"];
const TRIAL_COLUMNS: [&str; 6] = ["trial", "training", "frames", "condition", "stimuli", "domain"];
/// Those that a table need not have.
const OPTIONAL_COLUMNS: [&str; 3] = ["domain", "x_px", "y_px"];

/// File of one array of a trial.
fn array(folder: &Path, kind: &str, trial: u32) -> PathBuf {
    folder.join(kind).join(format!("{trial:04}.npy"))
}

impl Session {
    /// Opens a session folder: reads its tables and checks the shape and size of every array. Numbers are read when a
    /// trial is asked for them.
    ///
    /// # Errors
    /// The first file that is missing, damaged, or contradicts the others.
    pub fn open(folder: &Path) -> Result<Self, SessionError> {
        let mut about = read_toml(&folder.join("session.toml"))?;
        let mut head = Description { file: folder.join("session.toml"), table: &mut about };
        let schema = head.whole("schema")?;
        if schema != SCHEMA {
            return Err(head.wrong(format!("schema is {schema}, expected {SCHEMA}, the only version so far")));
        }
        let id = ScanId { animal: head.name("animal")?, session: head.number("session")?, scan: head.number("scan")? };
        let frame_rate = head.frame_rate()?;
        let raster = head.raster()?;
        let units = read_units(&folder.join("units.csv"), &id)?;
        let trials = read_trials(folder, raster, units.len())?;
        Ok(Self { id, frame_rate, raster, units, trials, about })
    }

    /// Writes the session into a new folder, complete or not at all.
    ///
    /// # Errors
    /// When the folder is there already, cannot be written, or a trial cannot be read.
    pub fn save(&self, folder: &Path) -> Result<(), SessionError> {
        let mut writer = SessionWriter::create(folder, self)?;
        for trial in &self.trials {
            let record = trial.record()?;
            let condition = trial.condition.as_deref();
            writer.domain(trial.domain.as_deref());
            let mut movie = if trial.has_movie() { Some(trial.movie()?) } else { None };
            let movie: Option<&mut dyn FrameSource> = match &mut movie {
                Some(movie) => Some(movie.as_mut()),
                None => None,
            };
            writer.record(trial.training, condition, movie, &record)?;
            if let Some(rates) = trial.rates()? {
                writer.rates(&rates)?;
            }
        }
        writer.finish()
    }
}

/// Writes a session trial by trial. It grows in a temporary folder beside its place and gets its name when it is
/// finished; dropped before that, nothing is left.
#[derive(Debug)]
pub struct SessionWriter {
    target: PathBuf,
    growing: UnfinishedFolder,
    raster: Raster,
    units: usize,
    trials: csv::Writer<Vec<u8>>,
    count: u32,
    /// Names of conditions, or of pixels, and the trials that store them.
    shown: std::collections::HashMap<String, (u32, usize)>,
    /// Of the trials that follow.
    domain: Option<String>,
}

impl SessionWriter {
    /// Starts a folder with the description and the units of a session; its trials are not looked at.
    ///
    /// # Errors
    /// When the folder is there already and not empty, cannot be written to, or the session has an impossible name.
    pub fn create(folder: &Path, session: &Session) -> Result<Self, SessionError> {
        let failed = |source| SessionError::Write { file: folder.display().to_string(), source };
        refuse_full(folder)?;
        let parent = folder_of(folder);
        std::fs::create_dir_all(parent).map_err(failed)?;
        let growing = UnfinishedFolder::within(parent).map_err(failed)?;
        for kind in ["stimuli", "perspectives", "modulations", "units"] {
            std::fs::create_dir(growing.path().join(kind)).map_err(failed)?;
        }
        let mut trials = csv::Writer::from_writer(Vec::new());
        trials.write_record(TRIAL_COLUMNS).expect("memory can be written to");
        let mut writer = Self {
            target: folder.to_owned(),
            growing,
            raster: session.raster,
            units: session.units.len(),
            trials,
            count: 0,
            shown: std::collections::HashMap::new(),
            domain: None,
        };
        writer.file("session.toml", described(session).as_bytes())?;
        writer.file("units.csv", &unit_table(session))?;
        Ok(writer)
    }

    /// Adds a trial. The pixels of a condition that was written before, with as many frames, are not stored again.
    ///
    /// # Errors
    /// When a part has another number of frames, units or pixels than the others, or cannot be read or written.
    pub fn trial(
        &mut self,
        training: bool,
        condition: Option<&str>,
        movie: &mut dyn FrameSource,
        behavior: &Behavior,
        responses: &Responses,
    ) -> Result<(), SessionError> {
        let record = Record::new(behavior.clone(), responses.clone(), Vec::new());
        self.add(training, condition, condition, Some(movie), &record)
    }

    /// Adds a trial with what was missing in it; without a movie where it is not known what was shown. The pixels of
    /// repeats are stored once.
    ///
    /// # Errors
    /// As [`SessionWriter::trial`].
    pub fn record(
        &mut self,
        training: bool,
        condition: Option<&str>,
        movie: Option<&mut dyn FrameSource>,
        record: &Record,
    ) -> Result<(), SessionError> {
        let Some(movie) = movie else { return self.add(training, condition, None, None, record) };
        let pixels = if movie.samples() == 1 { Some(digest(movie)?) } else { None };
        self.add(training, condition, pixels.as_deref(), Some(movie), record)
    }

    /// Adds a trial; of movies with the same name only the first is stored.
    fn add(
        &mut self,
        training: bool,
        condition: Option<&str>,
        name: Option<&str>,
        movie: Option<&mut dyn FrameSource>,
        record: &Record,
    ) -> Result<(), SessionError> {
        let Record { behavior, responses, .. } = record;
        let (frames, movies) =
            movie.as_ref().map_or((responses.frames(), 1), |movie| (movie.frames(), movie.samples()));
        for (name, found, samples) in [
            ("movie", frames, movies),
            ("behaviour", behavior.frames(), behavior.samples()),
            ("responses", responses.frames(), responses.samples()),
        ] {
            if found != frames || samples != 1 || frames == 0 {
                let what =
                    format!("the {name} has {found} frames and {samples} samples, expected {} and 1", frames.max(1));
                return Err(SessionError::Trial(what));
            }
        }
        let raster = movie.as_ref().map_or(self.raster, |movie| movie.raster());
        if raster != self.raster || responses.units() != self.units {
            return Err(SessionError::Trial(format!(
                "it has {raster} pixels and {} units, but the session {} pixels and {} units",
                responses.units(),
                self.raster,
                self.units
            )));
        }
        let (trial, folder) = (self.count, self.growing.path());
        let known = name.and_then(|name| self.shown.get(name)).filter(|(_, length)| *length == frames);
        let stored = match (known, movie) {
            (_, None) => None,
            (Some((stored, _)), Some(_)) => Some(*stored),
            (None, Some(movie)) => {
                write_stimuli(&array(folder, "stimuli", trial), movie)?;
                if let Some(name) = name {
                    self.shown.entry(name.to_owned()).or_insert((trial, frames));
                }
                Some(trial)
            }
        };
        let [gaze, state] = record.measured();
        write_rows(&array(folder, "perspectives", trial), 2, &gaze)?;
        write_rows(&array(folder, "modulations", trial), 2, &state)?;
        write_rows(&array(folder, "units", trial), self.units, responses.values())?;
        let row = [
            trial.to_string(),
            training.to_string(),
            frames.to_string(),
            condition.unwrap_or_default().to_owned(),
            stored.map(|stored| stored.to_string()).unwrap_or_default(),
            self.domain.clone().unwrap_or_default(),
        ];
        self.trials.write_record(&row).expect("memory can be written to");
        self.count += 1;
        Ok(())
    }

    /// Says to which domain of stimuli the trials belong that are added from now on.
    pub fn domain(&mut self, domain: Option<&str>) {
        self.domain = domain.map(str::to_owned);
    }

    /// Adds to the last trial what would have been recorded without noise.
    ///
    /// # Errors
    /// When there is no trial yet, the rates have another number of units, or they cannot be written.
    pub fn rates(&mut self, rates: &Responses) -> Result<(), SessionError> {
        let last = self.count.checked_sub(1).filter(|_| rates.samples() == 1 && rates.units() == self.units);
        let Some(trial) = last else {
            let what = format!("rates of {} samples and {} units belong to no trial", rates.samples(), rates.units());
            return Err(SessionError::Trial(what));
        };
        let folder = self.growing.path().join("rates");
        std::fs::create_dir_all(&folder)
            .map_err(|source| SessionError::Write { file: folder.display().to_string(), source })?;
        Ok(write_rows(&array(self.growing.path(), "rates", trial), self.units, rates.values())?)
    }

    /// Adds another file, such as a table that belongs to the session.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn file(&mut self, name: &str, bytes: &[u8]) -> Result<(), SessionError> {
        let path = self.growing.path().join(name);
        let write = || {
            let mut file = std::fs::File::create(&path)?;
            std::io::Write::write_all(&mut file, bytes)?;
            file.sync_all()
        };
        write().map_err(|source| SessionError::Write { file: self.target.join(name).display().to_string(), source })
    }

    /// Gives the complete folder its name.
    ///
    /// # Errors
    /// When no trial was written, or something else has taken the name meanwhile.
    pub fn finish(mut self) -> Result<(), SessionError> {
        if self.count == 0 {
            return Err(SessionError::Trial("a session needs at least one".to_owned()));
        }
        let table = std::mem::replace(&mut self.trials, csv::Writer::from_writer(Vec::new()));
        self.file("trials.csv", &table.into_inner().expect("memory can be written to"))?;
        let failed = |source| SessionError::Write { file: self.target.display().to_string(), source };
        refuse_full(&self.target)?;
        if self.target.is_dir() {
            std::fs::remove_dir(&self.target).map_err(failed)?;
        }
        self.growing.persist(&self.target).map_err(failed)
    }
}

/// Refuses a folder with something in it, and a file.
pub(super) fn refuse_full(folder: &Path) -> Result<(), SessionError> {
    let full = match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some(),
        Err(_) => folder.symlink_metadata().is_ok(),
    };
    if full { Err(SessionError::Exists { folder: folder.display().to_string() }) } else { Ok(()) }
}

/// `session.toml`.
fn described(session: &Session) -> String {
    let mut table = session.about.clone();
    let side = |pixels: usize| toml::Value::Integer(pixels as i64);
    table.insert("schema".to_owned(), toml::Value::Integer(SCHEMA));
    table.insert("animal".to_owned(), toml::Value::String(session.id.animal.clone()));
    table.insert("session".to_owned(), toml::Value::Integer(session.id.session.into()));
    table.insert("scan".to_owned(), toml::Value::Integer(session.id.scan.into()));
    table.insert("frame_rate_hz".to_owned(), toml::Value::Float(session.frame_rate.0));
    if session.raster.pixels() > 0 {
        let sides = vec![side(session.raster.height), side(session.raster.width)];
        table.insert("raster".to_owned(), toml::Value::Array(sides));
    }
    table.to_string()
}

/// `units.csv`; without the last two columns where no unit has a position.
fn unit_table(session: &Session) -> Vec<u8> {
    let placed = session.units.iter().any(|unit| unit.position_px.is_some());
    let count = if placed { UNIT_COLUMNS.len() } else { UNIT_COLUMNS.len() - 2 };
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(&UNIT_COLUMNS[..count]).expect("memory can be written to");
    for unit in &session.units {
        let [x, y] = unit.position_px.map(|position| position.map(|side| side.to_string())).unwrap_or_default();
        let row = [
            session.id.animal.clone(),
            session.id.session.to_string(),
            session.id.scan.to_string(),
            unit.unit.to_string(),
            unit.area.clone().unwrap_or_default(),
            unit.layer.clone().unwrap_or_default(),
            x,
            y,
        ];
        table.write_record(&row[..count]).expect("memory can be written to");
    }
    table.into_inner().expect("memory can be written to")
}

/// A text file that is not absurdly large.
fn read_text(path: &Path, largest: u64) -> Result<String, SessionError> {
    let failed = |source| SessionError::Read { file: path.display().to_string(), source };
    let file = super::array_file::open(path)?;
    let mut text = Vec::new();
    file.take(largest + 1).read_to_end(&mut text).map_err(failed)?;
    if text.len() as u64 > largest {
        return Err(content(path, String::new(), format!("it has more than {largest} bytes, expected a short text")));
    }
    String::from_utf8(text).map_err(|_| content(path, String::new(), "it is no text in UTF-8".to_owned()))
}

fn read_toml(path: &Path) -> Result<toml::Table, SessionError> {
    let text = read_text(path, LARGEST_TOML)?;
    toml::from_str(&text).map_err(|error: toml::de::Error| {
        let line = toml_text::line(&text, &error);
        content(path, format!(", line {line}"), format!("it is no TOML: {}", error.message().replace('\n', " ")))
    })
}

fn content(path: &Path, place: String, what: String) -> SessionError {
    SessionError::Content { file: path.display().to_string(), place, what }
}

/// The keys of `session.toml` that have a meaning here; each is taken out of the table.
struct Description<'a> {
    file: PathBuf,
    table: &'a mut toml::Table,
}

impl Description<'_> {
    fn wrong(&self, what: String) -> SessionError {
        content(&self.file, String::new(), what)
    }

    fn take(&mut self, key: &str, expected: &str) -> Result<toml::Value, SessionError> {
        self.table.remove(key).ok_or_else(|| self.wrong(format!("the key `{key}` is missing, expected {expected}")))
    }

    fn whole(&mut self, key: &str) -> Result<i64, SessionError> {
        let value = self.take(key, "a whole number")?;
        value.as_integer().ok_or_else(|| self.wrong(format!("`{key}` is {value}, expected a whole number")))
    }

    fn number(&mut self, key: &str) -> Result<u32, SessionError> {
        let value = self.whole(key)?;
        u32::try_from(value).map_err(|_| self.wrong(format!("`{key}` is {value}, expected 0 to {}", u32::MAX)))
    }

    fn name(&mut self, key: &str) -> Result<String, SessionError> {
        let value = self.take(key, "a name")?;
        let name = value.as_str().map(str::trim).filter(|name| is_name(name)).map(str::to_owned);
        name.ok_or_else(|| self.wrong(format!("`{key}` is no name of 1 to {LONGEST_NAME} characters on one line")))
    }

    fn frame_rate(&mut self) -> Result<FrameRate, SessionError> {
        let value = self.take("frame_rate_hz", "a number")?;
        let rate = value.as_float().or_else(|| value.as_integer().map(|rate| rate as f64));
        rate.filter(|rate| (0.1..=1000.0).contains(rate))
            .map(FrameRate)
            .ok_or_else(|| self.wrong(format!("`frame_rate_hz` is {value}, expected 0.1 to 1000 frames per second")))
    }

    fn raster(&mut self) -> Result<Raster, SessionError> {
        let Some(value) = self.table.remove("raster") else { return Ok(Raster { height: 0, width: 0 }) };
        let sides: Option<Vec<usize>> = value.as_array().and_then(|sides| {
            let side = |side: &toml::Value| usize::try_from(side.as_integer()?).ok();
            sides.iter().map(|s| side(s).filter(|side| (1..=LONGEST_SIDE).contains(side))).collect()
        });
        match sides.as_deref() {
            Some(&[height, width]) => Ok(Raster { height, width }),
            _ => Err(self.wrong(format!(
                "`raster` is {}, expected [height, width] of 1 to {LONGEST_SIDE} pixels",
                value.to_string().chars().take(60).collect::<String>()
            ))),
        }
    }
}

fn is_name(text: &str) -> bool {
    (1..=LONGEST_NAME).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// One row of a table, with its place for a sentence.
struct Row<'a> {
    path: &'a Path,
    record: csv::StringRecord,
    columns: &'a [&'static str],
    /// Where each of the columns stands in the file.
    order: &'a [usize],
}

impl Row<'_> {
    fn wrong(&self, what: String) -> SessionError {
        let line = self.record.position().map_or(0, csv::Position::line);
        content(self.path, format!(", line {line}"), what)
    }

    fn text(&self, column: usize) -> &str {
        self.record.get(self.order[column]).unwrap_or_default().trim()
    }

    fn number<T: std::str::FromStr>(&self, column: usize) -> Result<T, SessionError> {
        let text = self.text(column);
        let short = text.chars().take(40).collect::<String>().escape_debug().to_string();
        text.parse().map_err(|_| {
            self.wrong(format!("`{}` is \"{short}\", expected a whole number from 0 on", self.columns[column]))
        })
    }

    fn flag(&self, column: usize) -> Result<bool, SessionError> {
        match self.text(column) {
            "true" | "True" | "1" => Ok(true),
            "false" | "False" | "0" => Ok(false),
            _ => Err(self.wrong(format!("`{}` must be true or false", self.columns[column]))),
        }
    }

    fn optional_name(&self, column: usize) -> Result<Option<String>, SessionError> {
        match self.text(column) {
            "" => Ok(None),
            name if is_name(name) => Ok(Some(name.to_owned())),
            _ => {
                let what = format!("`{}` is no name of at most {LONGEST_NAME} characters", self.columns[column]);
                Err(self.wrong(what))
            }
        }
    }

    /// Two numbers, in these columns, or nothing in both.
    fn optional_pair(&self, columns: [usize; 2]) -> Result<Option<[f32; 2]>, SessionError> {
        if columns.iter().all(|&column| self.text(column).is_empty()) {
            return Ok(None);
        }
        let mut pair = [0.0; 2];
        for (number, column) in pair.iter_mut().zip(columns) {
            let text = self.text(column);
            *number = text.parse::<f32>().ok().filter(|number| number.is_finite()).ok_or_else(|| {
                let short = text.chars().take(40).collect::<String>().escape_debug().to_string();
                let [x, y] = columns.map(|column| self.columns[column]);
                let name = self.columns[column];
                self.wrong(format!("`{name}` is \"{short}\", expected a number, or nothing in both `{x}` and `{y}`"))
            })?;
        }
        Ok(Some(pair))
    }
}

/// Reads a table with these columns, in any order; others are ignored.
fn read_table(
    path: &Path,
    columns: &[&'static str],
    mut each: impl FnMut(&Row<'_>) -> Result<(), SessionError>,
) -> Result<(), SessionError> {
    let text = read_text(path, LARGEST_TABLE)?;
    let mut table = csv::Reader::from_reader(text.as_bytes());
    let wrong = |error: csv::Error| content(path, String::new(), format!("it is no table: {error}"));
    let found = table.headers().map_err(wrong)?.clone();
    // No row has a field so far behind: what is not there is empty.
    let absent = |column: &&str| OPTIONAL_COLUMNS.contains(column).then_some(usize::MAX);
    let place = |column: &&str| found.iter().position(|name| name.trim() == *column).or_else(|| absent(column));
    let order: Option<Vec<usize>> = columns.iter().map(place).collect();
    let Some(order) = order else {
        let found: String = found.iter().collect::<Vec<_>>().join(", ").chars().take(200).collect();
        let what = format!("its columns are {}, expected {}", found.escape_debug(), columns.join(", "));
        return Err(content(path, ", line 1".to_owned(), what));
    };
    for record in table.records() {
        each(&Row { path, record: record.map_err(wrong)?, columns, order: &order })?;
    }
    Ok(())
}

fn read_units(path: &Path, id: &ScanId) -> Result<Vec<SessionUnit>, SessionError> {
    let mut units = Vec::new();
    let mut seen = HashSet::new();
    read_table(path, &UNIT_COLUMNS, |row| {
        let of = ScanId { animal: row.text(0).to_owned(), session: row.number(1)?, scan: row.number(2)? };
        if of != *id {
            return Err(
                row.wrong(format!("the unit is of {of}, expected {id} as session.toml says").replace('\n', " "))
            );
        }
        let unit = row.number(3)?;
        if !seen.insert(unit) {
            return Err(row.wrong(format!("unit {unit} is listed twice, expected each once")));
        }
        let (area, layer, position_px) = (row.optional_name(4)?, row.optional_name(5)?, row.optional_pair([6, 7])?);
        units.push(SessionUnit { unit, area, layer, position_px });
        Ok(())
    })?;
    if units.is_empty() {
        return Err(content(path, String::new(), "it lists no unit, expected at least one".to_owned()));
    }
    Ok(units)
}

fn read_trials(folder: &Path, raster: Raster, units: usize) -> Result<Vec<Trial>, SessionError> {
    let path = folder.join("trials.csv");
    let mut trials = Vec::new();
    let mut seen = HashSet::new();
    read_table(&path, &TRIAL_COLUMNS, |row| {
        let (trial, training, frames): (u32, bool, usize) = (row.number(0)?, row.flag(1)?, row.number(2)?);
        if !seen.insert(trial) {
            return Err(row.wrong(format!("trial {trial} is listed twice, expected each once")));
        }
        if frames == 0 {
            return Err(row.wrong("the trial has 0 frames, expected at least one".to_owned()));
        }
        let source = TrialSource::Files {
            stimuli: if row.text(4).is_empty() { None } else { Some(array(folder, "stimuli", row.number(4)?)) },
            perspectives: array(folder, "perspectives", trial),
            modulations: array(folder, "modulations", trial),
            units: array(folder, "units", trial),
            count: units,
            raster,
        };
        if let TrialSource::Files { stimuli, perspectives, modulations, units: responses, .. } = &source {
            match stimuli {
                Some(_) if raster.pixels() == 0 => {
                    return Err(row.wrong("it has a movie, but session.toml names no `raster`".to_owned()));
                }
                Some(stimuli) => drop(TrialMovie::open(stimuli, frames, raster)?),
                None => {}
            }
            check_rows(perspectives, frames, 2)?;
            check_rows(modulations, frames, 2)?;
            check_rows(responses, frames, units)?;
            if let Some(rates) = rates_beside(responses).filter(|rates| rates.is_file()) {
                check_rows(&rates, frames, units)?;
            }
        }
        let (condition, domain) = (row.optional_name(3)?, row.optional_name(5)?);
        trials.push(Trial { training, frames, condition, domain, source });
        Ok(())
    })?;
    if trials.is_empty() {
        return Err(content(&path, String::new(), "it lists no trial, expected at least one".to_owned()));
    }
    Ok(trials)
}
