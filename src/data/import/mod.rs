//! Recordings in the formats of the field, as sessions. One format a file.
//!
//! [`open`] knows a format by its content, not by its name. Every importer checks all tables and the shapes of all arrays
//! at once, and reads numbers when a trial is asked for them. In the session responses are divided by each unit's mean
//! over the training trials (those with negative values are left as they are) and behaviour is z-scored over them; what
//! was not measured is NaN, counted by [`Session::counted`] and never filled in.

pub(super) mod array;
mod condition;
mod contents;
pub(super) mod csv_table;
pub(super) mod hdf5;
pub(super) mod identity;
mod npz;
pub(super) mod nwb;
mod pickle;
mod recording;
mod scale;
mod sensorium;
mod suite2p;

use std::io::Read;
use std::path::Path;

use super::{ArrayError, Session, SessionError};
use crate::signals::FrameRate;
use recording::Window;

pub use contents::{Contents, contents};

/// Most values of the responses of one trial: 4 GB.
const LARGEST_TRIAL: f64 = (1u64 << 30) as f64;
/// Longest recording, seconds: a month.
const LONGEST_SECS: f64 = 31.0 * 86_400.0;
/// Length of the stretches of a recording without trials, seconds.
const STRETCH_SECS: f64 = 60.0;

/// Why a recording could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Nothing at that path, or it may not be read.
    #[error("`{path}` could not be read: {source}")]
    Read {
        /// File or folder.
        path: String,
        /// Cause.
        source: std::io::Error,
    },
    /// Of no known format.
    #[error("`{path}` is no recording that is known here: {found}; expected {expected}", expected = EXPECTED)]
    Unknown {
        /// File or folder.
        path: String,
        /// What it looks like.
        found: String,
    },
    /// Of a known format, but without something that is needed.
    #[error("`{path}` looks like {format}, but lacks {what}")]
    Lacks {
        /// File or folder.
        path: String,
        /// The format.
        format: &'static str,
        /// What is missing, and how to mend it.
        what: String,
    },
    /// Damaged, or contradicting itself.
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// The formats, for a sentence.
const EXPECTED: &str = "a session folder (session.toml), a Sensorium folder (data/responses, meta), a Suite2p folder \
                        (F.npy or spks.npy), a .npz file, a CSV table or an NWB file (HDF5)";

impl ImportError {
    pub(super) fn lacks(path: &Path, format: &'static str, what: &str) -> Self {
        Self::Lacks { path: path.display().to_string(), format, what: what.to_owned() }
    }
}

impl From<ArrayError> for ImportError {
    fn from(error: ArrayError) -> Self {
        Self::Session(error.into())
    }
}

/// What a file does not say, or says otherwise than is wanted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ImportOptions {
    /// Name of the animal.
    pub animal: Option<String>,
    /// Session of the animal.
    pub session: Option<u32>,
    /// Scan of the session.
    pub scan: Option<u32>,
    /// Frames per second of the session, or of the recording where the file does not tell.
    pub frame_rate: Option<FrameRate>,
    /// Which of several kinds of responses: a part of the name, such as `deconv`, `dff`, `F` or `spike_times`.
    pub signal: Option<String>,
    /// Columns of the table of trials that tell what was shown; trials with the same values are repeats.
    pub conditions: Vec<String>,
}

/// A format that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Our own folder of `.npy` files.
    SessionFolder,
    /// A folder of the Sensorium 2022 competition: images.
    Sensorium2022,
    /// A folder of the Sensorium 2023 competition: videos.
    Sensorium2023,
    /// The output of Suite2p: responses without stimuli.
    Suite2p,
    /// Several arrays in one file.
    Npz,
    /// A table, or a folder of tables.
    Csv,
    /// Neurodata Without Borders 2.
    Nwb,
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::SessionFolder => "session folder",
            Self::Sensorium2022 => "Sensorium 2022 folder",
            Self::Sensorium2023 => "Sensorium 2023 folder",
            Self::Suite2p => "Suite2p folder",
            Self::Npz => "NumPy .npz file",
            Self::Csv => "CSV table",
            Self::Nwb => "NWB file",
        })
    }
}

/// Opens a recording of any known format.
///
/// # Errors
/// When it is of no known format, lacks something, is damaged, or contradicts itself.
pub fn open(path: &Path) -> Result<Session, ImportError> {
    open_with(path, &ImportOptions::default())
}

/// As [`open`], with what the file does not say.
///
/// # Errors
/// As [`open`].
pub fn open_with(path: &Path, options: &ImportOptions) -> Result<Session, ImportError> {
    if let Some(FrameRate(rate)) = options.frame_rate.filter(|rate| !(0.1..=1000.0).contains(&rate.0)) {
        let what = format!("a frame rate of 0.1 to 1000 per second: {rate} was asked for");
        return Err(ImportError::lacks(path, "a recording", &what));
    }
    let mut session = match detect(path)? {
        Format::SessionFolder => {
            let mut session = Session::open(path)?;
            let said = identity::Said {
                animal: Some(session.id.animal.clone()),
                session: Some(session.id.session),
                scan: Some(session.id.scan),
            };
            session.id = said.with(options);
            return Ok(session);
        }
        Format::Sensorium2022 => sensorium::open(path, options, false),
        Format::Sensorium2023 => sensorium::open(path, options, true),
        Format::Suite2p => suite2p::open(path, options),
        Format::Npz => npz::open(path, options),
        Format::Csv => csv_table::open(path, options),
        Format::Nwb => nwb::open(path, options),
    }?;
    condition::name_domains(&mut session.trials);
    Ok(session)
}

/// The format of a file or folder, by what is in it.
///
/// # Errors
/// When it cannot be read, or is of no known format.
pub fn detect(path: &Path) -> Result<Format, ImportError> {
    let failed = |source| ImportError::Read { path: path.display().to_string(), source };
    let unknown = |found: &str| ImportError::Unknown { path: path.display().to_string(), found: found.to_owned() };
    let about = std::fs::metadata(path).map_err(failed)?;
    let has = |name: &str| path.join(name).exists();
    if about.is_dir() {
        return match () {
            () if has("session.toml") => Ok(Format::SessionFolder),
            () if has("data/videos") => Ok(Format::Sensorium2023),
            () if has("data/images") => Ok(Format::Sensorium2022),
            () if has("data/responses") => {
                Err(ImportError::lacks(path, "a Sensorium folder", "both `data/videos` and `data/images`"))
            }
            () if suite2p::is_folder(path) => Ok(Format::Suite2p),
            () if has("responses.csv") => Ok(Format::Csv),
            () if std::fs::read_dir(path).map_err(failed)?.next().is_none() => Err(unknown("the folder is empty")),
            () => Err(unknown("none of the files in the folder is known")),
        };
    }
    if !about.is_file() {
        return Err(unknown("it is a device or a pipe"));
    }
    let mut start = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(4096).read_to_end(&mut start).map_err(failed)?;
    let at = |offset: usize, magic: &[u8]| start.get(offset..).is_some_and(|rest| rest.starts_with(magic));
    // HDF5 may have a block of another program's before it, whose length is a power of two from 512 on.
    if [0, 512, 1024, 2048].iter().any(|&offset| at(offset, b"\x89HDF\r\n\x1a\n")) {
        return Ok(Format::Nwb);
    }
    if at(0, b"PK\x03\x04") {
        return Ok(Format::Npz);
    }
    if at(0, b"\x93NUMPY") {
        return Err(unknown("it is a single array, without units, trials or behaviour"));
    }
    if at(0, b"MATLAB") {
        return Err(unknown("it is a MATLAB file before version 7.3"));
    }
    let text = start.iter().all(|&byte| byte >= b' ' || matches!(byte, b'\n' | b'\r' | b'\t'));
    let head = start.split(|&byte| byte == b'\n').next().unwrap_or_default();
    match () {
        () if start.is_empty() => Err(unknown("the file is empty")),
        () if text && head.contains(&b',') => Ok(Format::Csv),
        () if text => Err(unknown("it is a text without commas in its first line")),
        () => Err(unknown("its first bytes are those of no known format")),
    }
}

/// An error about a file: a place in it, with a comma before it, or nothing.
fn content(file: &str, place: &str, what: impl Into<String>) -> SessionError {
    SessionError::Content { file: file.to_owned(), place: place.to_owned(), what: what.into() }
}

/// Whether a trial is for learning, where a column says so.
fn training_flag<'a>(columns: &[&str], value: impl Fn(&str) -> &'a str) -> Option<bool> {
    let name = ["training", "is_training", "train", "tier", "split"].into_iter().find(|name| columns.contains(name))?;
    match value(name).trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "train" | "training" => Some(true),
        "" => None,
        _ => Some(false),
    }
}

/// A rate from times that were rounded in a table, or kept in f32: a whole number where one is near.
fn tidy_rate(rate: f64) -> FrameRate {
    FrameRate(if (rate - rate.round()).abs() < 2e-3 * rate { rate.round() } else { rate })
}

/// A recording without trials as stretches of a minute, each of whole frames; the error is a clause.
fn stretches(start_secs: f64, end_secs: f64, rate: FrameRate) -> Result<Vec<Window>, String> {
    let length = end_secs - start_secs;
    if !(length > 0.0 && length <= LONGEST_SECS) {
        return Err(format!("the recording lasts {length} s, expected more than 0 and at most a month"));
    }
    let (frames, stretch) = (rate.frames_in(length).max(1), rate.frames_in(STRETCH_SECS).max(1));
    let window = |first: usize| Window {
        start_secs: start_secs + rate.secs_at(first),
        end_secs: start_secs + rate.secs_at((first + stretch).min(frames)),
        condition: None,
        training: true,
    };
    Ok((0..frames).step_by(stretch).map(window).collect())
}

/// Refuses a trial whose responses would not fit into memory; the error is a clause.
fn check_length(trial: usize, secs: f64, rate: FrameRate, units: usize) -> Result<(), String> {
    let values = secs * rate.0 * units.max(4) as f64;
    if values <= LARGEST_TRIAL {
        return Ok(());
    }
    Err(format!(
        "trial {trial} lasts {secs} s, which makes {values:.0} responses of {units} units: cut it into shorter ones"
    ))
}
