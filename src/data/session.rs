//! A recording session: who was recorded, and trials of movie, behaviour and responses.
//!
//! Nothing here knows whether the animal was real. A session is in memory, or reads its trials from a folder (see
//! [`Session::open`]) only when they are asked for.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::ArrayError;
use super::trial_array::{TrialMovie, read_rows};
use crate::signals::{Behavior, FrameRate, FrameSource, Movie, Raster, Responses, SourceError, UnitId};

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
         only units of the same animal, session and scan belong together"
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
    /// Identity of one of its units.
    pub fn unit(&self, unit: u32) -> UnitId {
        UnitId { animal: Some(self.animal.clone()), session: self.session, scan: self.scan, unit }
    }
}

impl std::fmt::Display for ScanId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "animal {}, session {}, scan {}", self.animal, self.session, self.scan)
    }
}

/// A recorded cell and where it lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionUnit {
    /// Number within the scan, not consecutive.
    pub unit: u32,
    /// Visual area, such as `V1`, where known.
    pub area: Option<String>,
    /// Cortical layer, such as `L2/3`, where known.
    pub layer: Option<String>,
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
        movie: Arc<Movie>,
        record: Arc<Record>,
    },
    Files {
        stimuli: PathBuf,
        perspectives: PathBuf,
        modulations: PathBuf,
        units: PathBuf,
        count: usize,
        raster: Raster,
    },
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
}

/// Values that were not recorded: NaN in the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Missing {
    /// Of gaze and arousal.
    pub behavior: usize,
    /// Of the responses.
    pub responses: usize,
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
        let missing = Missing { behavior: 0, responses: responses.values().iter().filter(|v| v.is_nan()).count() };
        let record = Arc::new(Record { behavior, responses, missing });
        Ok(Self { training, frames, condition, domain: None, source: TrialSource::Memory { movie, record } })
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
        refuse_large(&path, &rates, *count, f32::MAX)?;
        if let Some(index) = rates.iter().position(|rate| rate.is_nan()) {
            return Err(SessionError::Content {
                file: path.display().to_string(),
                place: format!(", frame {}, column {}", index / count, index % count),
                what: "the rate is missing (NaN), but a true rate is known in every frame".to_owned(),
            });
        }
        Ok(Responses::new(self.frames, 1, *count, rates))
    }

    /// The movie that was shown, one sample.
    ///
    /// # Errors
    /// When its file cannot be read or was changed since the session was opened.
    pub fn movie(&self) -> Result<Box<dyn FrameSource>, SessionError> {
        Ok(match &self.source {
            TrialSource::Memory { movie, .. } => Box::new(SharedMovie(Arc::clone(movie))),
            TrialSource::Files { stimuli, raster, .. } => Box::new(TrialMovie::open(stimuli, self.frames, *raster)?),
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
            TrialSource::Files { perspectives, modulations, units, count, .. } => {
                let mut missing = Missing::default();
                let mut pairs = |path: &Path| -> Result<Vec<[f32; 2]>, SessionError> {
                    let mut rows = read_rows(path, self.frames, 2)?;
                    refuse_large(path, &rows, 2, LARGEST_Z)?;
                    for value in rows.iter_mut().filter(|value| value.is_nan()) {
                        (*value, missing.behavior) = (0.0, missing.behavior + 1);
                    }
                    Ok(rows.as_chunks::<2>().0.to_vec())
                };
                let (gaze, state) = (pairs(perspectives)?, pairs(modulations)?);
                let behavior = Behavior::new(self.frames, 1, gaze, state).expect("the lengths and values were checked");
                let responses = read_rows(units, self.frames, *count)?;
                refuse_large(units, &responses, *count, f32::MAX)?;
                missing.responses = responses.iter().filter(|value| value.is_nan()).count();
                let responses =
                    Responses::new(self.frames, 1, *count, responses).expect("as many values as were asked for");
                Ok(Arc::new(Record { behavior, responses, missing }))
            }
        }
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

/// Refuses the first value that is larger than any can be; NaN is a missing one.
fn refuse_large(path: &Path, rows: &[f32], columns: usize, limit: f32) -> Result<(), SessionError> {
    let Some(index) = rows.iter().position(|value| value.abs() > limit) else { return Ok(()) };
    let (frame, column, value) = (index / columns.max(1), index % columns.max(1), rows[index]);
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
    /// Pixels of the movies.
    pub raster: Raster,
    /// The recorded cells, in the order of the responses.
    pub units: Vec<SessionUnit>,
    /// In the order of recording.
    pub trials: Vec<Trial>,
    /// What else is known of it, such as where it comes from; kept as it is.
    pub about: toml::Table,
}

impl Session {
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
            known.get(id).copied().ok_or_else(|| SessionError::Stranger {
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
        self.id == other.id
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
