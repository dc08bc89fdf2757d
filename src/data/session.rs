//! A recording session: who was recorded, and trials of movie, behaviour and responses.
//!
//! Nothing here knows whether the animal was real. A session is in memory, or reads its trials from a folder (see
//! [`Session::open`]) only when they are asked for.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::ArrayError;
use super::trial_array::{TrialMovie, each_row, read_rows};
use crate::signals::{
    Angles, Behavior, FrameRate, FrameSource, Monitor, Movie, Raster, ResponseRows, Responses, SourceError, UnitId,
};

/// Why a session could not be read, written or put together.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// An array is missing, damaged or of another shape.
    #[error(transparent)]
    Array(#[from] ArrayError),
    /// The file system refused to read.
    #[error("`{file}` could not be read: {source}")]
    Read {
        /// File or folder.
        file: String,
        /// Cause.
        source: std::io::Error,
    },
    /// The file system refused to write.
    #[error("`{file}` could not be written: {source}")]
    Write {
        /// File or folder.
        file: String,
        /// Cause.
        source: std::io::Error,
    },
    /// A table or a description that says something impossible.
    #[error("`{file}`{place}: {what}")]
    Content {
        /// The file.
        file: String,
        /// Line, with a comma before it, or nothing.
        place: String,
        /// What is wrong, and what was expected.
        what: String,
    },
    /// A folder that must not be overwritten.
    #[error("`{folder}` is already there and not empty: name another folder, or remove it first")]
    Exists {
        /// The folder.
        folder: String,
    },
    /// Parts of one trial that do not fit together.
    #[error("the trial cannot be put together: {0}")]
    Trial(String),
    /// A unit that was not recorded here.
    #[error(
        "unit {unit} of session {session}, scan {scan}, animal {animal} is not in this recording of {recording}: \
         only units of the same animal, session and scan belong together (`twinscope compare --population` compares \
         populations)"
    )]
    Stranger {
        /// Animal of the unit, or "unknown".
        animal: String,
        /// Session of the unit.
        session: u32,
        /// Scan of the unit.
        scan: u32,
        /// Number of the unit.
        unit: u32,
        /// The recording that was asked.
        recording: ScanId,
    },
    /// The movie could not be drawn or read.
    #[error("the movie could not be read: {0}")]
    Movie(#[from] SourceError),
    /// Responses were recorded, but what was shown is not stored.
    #[error("this trial has no movie: its recording holds responses only")]
    NoMovie,
}

/// Identity of a recording. The animal is part of it: "4-7" of two animals are different recordings.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ScanId {
    /// Name of the animal, never empty.
    pub animal: String,
    /// Session of the animal.
    pub session: u32,
    /// Scan of the session.
    pub scan: u32,
}

impl ScanId {
    /// Name of an animal that a recording does not tell; it is the same animal as no other.
    pub const UNKNOWN: &str = "unknown";

    /// Identity of one of its units.
    pub fn unit(&self, unit: u32) -> UnitId {
        let animal = (self.animal != Self::UNKNOWN).then(|| self.animal.clone());
        UnitId { animal, session: self.session, scan: self.scan, unit }
    }
}

impl std::fmt::Display for ScanId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "animal {}, session {}, scan {}", self.animal, self.session, self.scan)
    }
}

/// A recorded cell and where it lies.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionUnit {
    /// Number within the scan, not consecutive.
    pub unit: u32,
    /// Visual area, such as `V1`, where known.
    pub area: Option<String>,
    /// Cortical layer, such as `L2/3`, where known.
    pub layer: Option<String>,
    /// x and y of its centre in the imaging plane, pixels from the top left corner, where known.
    pub position_px: Option<[f32; 2]>,
}

impl SessionUnit {
    /// A cell of which nothing but its number is known.
    pub fn numbered(unit: u32) -> Self {
        Self { unit, area: None, layer: None, position_px: None }
    }
}

/// One uninterrupted stretch of recording.
#[derive(Debug, Clone)]
pub struct Trial {
    /// Whether a twin may learn from it; otherwise it is kept for testing.
    pub training: bool,
    /// Number of frames.
    pub frames: usize,
    /// Name of what was shown. Trials of the same name showed the same pixels: they are repeats of one another.
    pub condition: Option<String>,
    /// Kind of stimulus that it belongs to, such as `Natural clips`, where known. Results are reported by domain.
    pub domain: Option<String>,
    pub(super) source: TrialSource,
}

/// Where the data of a trial are.
#[derive(Debug, Clone)]
pub(super) enum TrialSource {
    Memory {
        movie: Option<Arc<Movie>>,
        record: Arc<Record>,
    },
    Files {
        stimuli: Option<PathBuf>,
        perspectives: PathBuf,
        modulations: PathBuf,
        units: PathBuf,
        count: usize,
        raster: Raster,
    },
    Recording(Arc<dyn TrialData>),
}

/// The data of one trial in a recording of another format, read when they are asked for.
pub(super) trait TrialData: std::fmt::Debug + Send + Sync {
    /// Whether what was shown is stored.
    fn has_movie(&self) -> bool {
        false
    }
    /// The movie, one sample of as many frames as the trial has.
    fn movie(&self) -> Result<Box<dyn FrameSource>, SessionError> {
        Err(SessionError::NoMovie)
    }
    /// Behaviour and responses, one sample of as many frames.
    fn record(&self) -> Result<Record, SessionError>;
}

/// What was measured in one trial, each of one sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Gaze and arousal; what is missing in the recording is 0, the average animal.
    pub behavior: Behavior,
    /// Responses, in units of each unit's mean over the training trials; what is missing is NaN.
    pub responses: Responses,
    /// How much of it was missing.
    pub missing: Missing,
    /// Where behaviour was missing: 4 · frame + 0 for pupil x, 1 for pupil y, 2 for pupil radius, 3 for velocity.
    pub(super) absent: Vec<usize>,
}

/// Values that were not recorded: NaN in the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Missing {
    /// Of gaze and arousal.
    pub behavior: usize,
    /// Of the responses.
    pub responses: usize,
}

impl Record {
    /// Behaviour with the places where it was missing, and responses, whose missing values are counted here.
    pub(super) fn new(behavior: Behavior, responses: Responses, absent: Vec<usize>) -> Self {
        let missing = Missing {
            behavior: absent.len(),
            responses: responses.values().iter().filter(|value| value.is_nan()).count(),
        };
        Self { behavior, responses, missing, absent }
    }

    /// Gaze and state as they were measured, NaN where they were not, each `[time, 2]`.
    pub(super) fn measured(&self) -> [Vec<f32>; 2] {
        let pairs = |pair: fn(&Behavior, usize) -> [f32; 2]| -> Vec<f32> {
            (0..self.behavior.frames()).flat_map(|frame| pair(&self.behavior, frame)).collect()
        };
        let mut both =
            [pairs(|behavior, frame| behavior.gaze(frame)[0]), pairs(|behavior, frame| behavior.state(frame)[0])];
        for &place in &self.absent {
            let (frame, signal) = (place / 4, place % 4);
            both[signal / 2][2 * frame + signal % 2] = f32::NAN;
        }
        both
    }
}

/// How much a session holds, and how much of it was not measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counted {
    /// Frames of all trials.
    pub frames: usize,
    /// Values of gaze and arousal, four a frame.
    pub behavior: usize,
    /// Values of the responses, one a frame and unit.
    pub responses: usize,
    /// Those of them that are missing.
    pub missing: Missing,
}

impl Counted {
    /// Reads a trial and counts what it holds.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn add(&mut self, trial: &Trial) -> Result<(), SessionError> {
        let record = trial.record()?;
        self.frames += trial.frames;
        self.behavior += 4 * trial.frames;
        self.responses += record.responses.values().len();
        self.missing.behavior += record.missing.behavior;
        self.missing.responses += record.missing.responses;
        Ok(())
    }
}

impl Trial {
    /// A trial in memory.
    ///
    /// # Errors
    /// When movie, behaviour and responses have not the same number of frames and one sample each.
    pub fn new(
        training: bool,
        condition: Option<String>,
        movie: Arc<Movie>,
        behavior: Behavior,
        responses: Responses,
    ) -> Result<Self, SessionError> {
        let frames = movie.frames();
        for (name, found, samples) in [
            ("movie", frames, movie.samples()),
            ("behaviour", behavior.frames(), behavior.samples()),
            ("responses", responses.frames(), responses.samples()),
        ] {
            if found != frames || samples != 1 {
                return Err(SessionError::Trial(format!(
                    "the {name} has {found} frames and {samples} samples, expected {frames} frames and 1 sample"
                )));
            }
        }
        let record = Arc::new(Record::new(behavior, responses, Vec::new()));
        Ok(Self {
            training,
            frames,
            condition,
            domain: None,
            source: TrialSource::Memory { movie: Some(movie), record },
        })
    }

    /// The same trial in a domain of stimuli.
    #[must_use]
    pub fn in_domain(self, domain: &str) -> Self {
        Self { domain: Some(domain.to_owned()), ..self }
    }

    /// What would have been recorded without noise, where that is kept: the mean over very many repeats of this trial,
    /// with the same behaviour. Only simulated animals tell.
    ///
    /// # Errors
    /// When its file cannot be read, was changed since the session was opened, or holds what is no number.
    pub fn rates(&self) -> Result<Option<Responses>, SessionError> {
        let TrialSource::Files { units, count, .. } = &self.source else { return Ok(None) };
        let Some(path) = rates_beside(units).filter(|path| path.is_file()) else { return Ok(None) };
        let rates = read_rows(&path, self.frames, *count)?;
        refuse_large(&path, 0, &rates, *count, f32::MAX)?;
        if let Some(index) = rates.iter().position(|rate| rate.is_nan()) {
            return Err(SessionError::Content {
                file: path.display().to_string(),
                place: format!(", frame {}, column {}", index / count, index % count),
                what: "the rate is missing (NaN), but a true rate is known in every frame".to_owned(),
            });
        }
        Ok(Responses::new(self.frames, 1, *count, rates))
    }

    /// A trial in memory whose movie is not known.
    ///
    /// # Errors
    /// When behaviour and responses have not the same number of frames and one sample each.
    pub fn without_movie(
        training: bool,
        condition: Option<String>,
        behavior: Behavior,
        responses: Responses,
    ) -> Result<Self, SessionError> {
        let frames = responses.frames();
        if behavior.frames() != frames || behavior.samples() != 1 || responses.samples() != 1 {
            return Err(SessionError::Trial(format!(
                "the behaviour has {} frames and {} samples, the responses have {frames} and {}, expected as many frames \
                 and 1 sample",
                behavior.frames(),
                behavior.samples(),
                responses.samples()
            )));
        }
        let record = Arc::new(Record::new(behavior, responses, Vec::new()));
        Ok(Self { training, frames, condition, domain: None, source: TrialSource::Memory { movie: None, record } })
    }

    /// Whether what was shown is stored.
    pub fn has_movie(&self) -> bool {
        match &self.source {
            TrialSource::Memory { movie, .. } => movie.is_some(),
            TrialSource::Files { stimuli, .. } => stimuli.is_some(),
            TrialSource::Recording(data) => data.has_movie(),
        }
    }

    /// The kind of what was shown: the domain, or the name of the condition before its numbers, or the stimulus that it
    /// names.
    pub fn domain(&self) -> Option<&str> {
        if self.domain.is_some() {
            return self.domain.as_deref();
        }
        let name = self.condition.as_deref()?;
        let first = name.split([',', ':']).next().unwrap_or(name);
        let kind = match first.split_once('=') {
            Some(("stimulus" | "stimulus_name" | "stimulus_type" | "condition", value)) => value,
            Some((key, _)) => key,
            None => first,
        };
        let kind = kind.trim_end_matches(|char: char| char.is_ascii_digit() || matches!(char, ' ' | '_' | '-' | '.'));
        Some(if kind.is_empty() { name } else { kind })
    }

    /// The movie that was shown, one sample.
    ///
    /// # Errors
    /// When its file cannot be read or was changed since the session was opened, or there is none.
    pub fn movie(&self) -> Result<Box<dyn FrameSource>, SessionError> {
        Ok(match &self.source {
            TrialSource::Memory { movie: Some(movie), .. } => Box::new(SharedMovie(Arc::clone(movie))),
            TrialSource::Files { stimuli: Some(stimuli), raster, .. } => {
                Box::new(TrialMovie::open(stimuli, self.frames, *raster)?)
            }
            TrialSource::Memory { movie: None, .. } | TrialSource::Files { stimuli: None, .. } => {
                return Err(SessionError::NoMovie);
            }
            TrialSource::Recording(data) => data.movie()?,
        })
    }

    /// Behaviour and responses.
    ///
    /// # Errors
    /// When a file cannot be read, was changed since the session was opened, or holds an infinity or a behaviour that
    /// is no z-score.
    pub fn record(&self) -> Result<Arc<Record>, SessionError> {
        match &self.source {
            TrialSource::Memory { record, .. } => Ok(Arc::clone(record)),
            TrialSource::Recording(data) => Ok(Arc::new(data.record()?)),
            TrialSource::Files { perspectives, modulations, units, count, .. } => {
                let mut absent = Vec::new();
                let mut pairs = |path: &Path, signal: usize| -> Result<Vec<[f32; 2]>, SessionError> {
                    let mut rows = read_rows(path, self.frames, 2)?;
                    refuse_large(path, 0, &rows, 2, LARGEST_Z)?;
                    for (place, value) in rows.iter_mut().enumerate().filter(|(_, value)| value.is_nan()) {
                        *value = 0.0;
                        absent.push(place / 2 * 4 + signal + place % 2);
                    }
                    Ok(rows.as_chunks::<2>().0.to_vec())
                };
                let (gaze, state) = (pairs(perspectives, 0)?, pairs(modulations, 2)?);
                let behavior = Behavior::new(self.frames, 1, gaze, state).expect("the lengths and values were checked");
                let responses = read_rows(units, self.frames, *count)?;
                refuse_large(units, 0, &responses, *count, f32::MAX)?;
                let responses =
                    Responses::new(self.frames, 1, *count, responses).expect("as many values as were asked for");
                Ok(Arc::new(Record::new(behavior, responses, absent)))
            }
        }
    }

    /// Whether [`each_row`](Self::each_row) takes the memory of a few rows alone: in a session folder and in memory. Of
    /// recordings in other formats it reads the whole trial each time.
    pub fn is_read_by_rows(&self) -> bool {
        !matches!(self.source, TrialSource::Recording(_))
    }

    /// Hands over every unit's response, `[unit]`, NaN where it is missing, at each of these frames in order.
    ///
    /// # Errors
    /// When they end before, or the file cannot be read, was changed since the session was opened, or holds an infinity.
    pub fn each_row(&self, frames: Range<usize>, take: &mut dyn FnMut(&[f32])) -> Result<(), SessionError> {
        if let TrialSource::Files { units, count, .. } = &self.source {
            let (mut frame, mut wrong) = (frames.start, None);
            each_row(units, [self.frames, *count], frames, &mut |row| {
                if wrong.is_none() {
                    wrong = refuse_large(units, frame, row, *count, f32::MAX).err();
                    take(row);
                }
                frame += 1;
            })?;
            return wrong.map_or(Ok(()), Err);
        }
        let record = self.record()?;
        record.responses.each_row(frames, 0, take).map_err(|source| SessionError::Read {
            file: self.condition.clone().unwrap_or_else(|| "a trial".to_owned()),
            source,
        })
    }
}

/// File of the true rates that belong to a file of responses.
pub(super) fn rates_beside(units: &Path) -> Option<PathBuf> {
    Some(units.parent()?.parent()?.join("rates").join(units.file_name()?))
}

/// A movie that several readers share.
#[derive(Debug)]
struct SharedMovie(Arc<Movie>);

impl FrameSource for SharedMovie {
    fn raster(&self) -> Raster {
        self.0.raster()
    }
    fn frames(&self) -> usize {
        self.0.frames()
    }
    fn samples(&self) -> usize {
        1
    }
    fn read(&mut self, start: usize, count: usize, pixels: &mut [u8]) -> Result<(), SourceError> {
        let size = self.raster().pixels();
        let range = start.saturating_mul(size)..start.saturating_add(count).saturating_mul(size);
        match self.0.pixels().get(range) {
            Some(from) if from.len() == pixels.len() => pixels.copy_from_slice(from),
            _ => {
                let what = format!("{count} frames from {start} on were asked of a movie of {} frames", self.frames());
                return Err(SourceError::new(what));
            }
        }
        Ok(())
    }
}

/// Largest size of a z-score; nothing measured comes near it, and sums of larger ones would become infinite.
const LARGEST_Z: f32 = 1e6;

/// Refuses the first value of rows from a frame on that is larger than any can be; NaN is a missing one.
fn refuse_large(path: &Path, first: usize, rows: &[f32], columns: usize, limit: f32) -> Result<(), SessionError> {
    let Some(index) = rows.iter().position(|value| value.abs() > limit) else { return Ok(()) };
    let (frame, column, value) = (first + index / columns.max(1), index % columns.max(1), rows[index]);
    Err(SessionError::Content {
        file: path.display().to_string(),
        place: format!(", frame {frame}, column {column}"),
        what: format!(
            "the value is {value}, expected a number within {limit:e} of 0, or NaN where nothing was measured"
        ),
    })
}

/// A recording session of one animal.
#[derive(Debug, Clone)]
pub struct Session {
    /// Who was recorded, and when.
    pub id: ScanId,
    /// Frames of movie, behaviour and responses per second.
    pub frame_rate: FrameRate,
    /// Pixels of the movies; 0 x 0 where no trial has one.
    pub raster: Raster,
    /// The recorded cells, in the order of the responses.
    pub units: Vec<SessionUnit>,
    /// In the order of recording.
    pub trials: Vec<Trial>,
    /// What else is known of it, such as where it comes from; kept as it is.
    pub about: toml::Table,
}

impl Session {
    /// The screen that `[monitor]` of the description tells: `width_cm`, `height_cm` and `distance_cm`, and `angles =
    /// "small_angle"` where degrees are meant so. `None` where it tells none.
    pub fn monitor(&self) -> Option<Monitor> {
        let told = self.about.get("monitor")?.as_table()?;
        let size = |key: &str| {
            let value = told.get(key)?;
            let size = value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64));
            size.filter(|size| size.is_finite() && *size > 0.0)
        };
        let small = told.get("angles").and_then(toml::Value::as_str) == Some("small_angle");
        Some(Monitor {
            width_cm: size("width_cm")?,
            height_cm: size("height_cm")?,
            distance_cm: size("distance_cm")?,
            raster: self.raster,
            frame_rate: self.frame_rate,
            angles: if small { Angles::SmallAngle } else { Angles::Exact },
            ..Monitor::WANG2025
        })
    }

    /// Identities of its units, in the order of the responses.
    pub fn unit_ids(&self) -> Vec<UnitId> {
        self.units.iter().map(|unit| self.id.unit(unit.unit)).collect()
    }

    /// The columns of the responses that belong to these units. A unit of unknown animal belongs to no recording.
    ///
    /// # Errors
    /// The first unit that was not recorded here.
    pub fn columns_of(&self, units: &[UnitId]) -> Result<Vec<usize>, SessionError> {
        let known: HashMap<UnitId, usize> = self.unit_ids().into_iter().zip(0..).collect();
        let column = |id: &UnitId| {
            known.get(id).filter(|_| id.animal.is_some()).copied().ok_or_else(|| SessionError::Stranger {
                animal: id.animal.clone().unwrap_or_else(|| "unknown".to_owned()),
                session: id.session,
                scan: id.scan,
                unit: id.unit,
                recording: self.id.clone(),
            })
        };
        units.iter().map(column).collect()
    }

    /// Whether two sessions are recordings of the same scan of the same animal.
    pub fn is_same_scan(&self, other: &Self) -> bool {
        self.id == other.id && self.id.animal != ScanId::UNKNOWN
    }

    /// Reads every trial once and counts what it holds.
    ///
    /// # Errors
    /// The first trial that cannot be read.
    pub fn counted(&self) -> Result<Counted, SessionError> {
        let mut counted = Counted::default();
        for trial in &self.trials {
            counted.add(trial)?;
        }
        Ok(counted)
    }

    /// Trials from which a twin may learn, or those kept for testing.
    pub fn trials_for(&self, training: bool) -> impl Iterator<Item = &Trial> {
        self.trials.iter().filter(move |trial| trial.training == training)
    }

    /// Test trials grouped by what was shown, in order of first showing: each group are repeats of one movie.
    /// Trials without a name stand alone.
    pub fn test_groups(&self) -> Vec<Vec<&Trial>> {
        let mut groups: Vec<Vec<&Trial>> = Vec::new();
        let mut named: HashMap<&str, usize> = HashMap::new();
        for trial in self.trials_for(false) {
            match trial.condition.as_deref().map(|name| *named.entry(name).or_insert(groups.len())) {
                Some(group) if group < groups.len() => groups[group].push(trial),
                _ => groups.push(vec![trial]),
            }
        }
        groups
    }
}
