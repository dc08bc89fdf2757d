//! Everything that [`analysis`](crate::analysis) can say of one run or one recording, as tables and panels.
//!
//! What applies is decided by what was shown: tuning fits by the parameters that were swept, receptive fields by dots and
//! noise, reliability by repeats, decoding by labels. Predicted and recorded responses go through the same functions; no
//! number is computed here that `analysis` does not compute.

mod fields;
mod measured;
mod population;
mod reliability;
mod table;
mod tuning;

use std::path::{Path, PathBuf};

pub use measured::Measured;
pub use table::{Panel, Table};

use crate::analysis::statistics::Resampling;
use crate::data::SessionError;
use crate::data::save::atomically;
use crate::job::{Cancelled, Progress};
use crate::signals::{FrameSource, SourceError};

/// How to look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// Resamples of every bootstrap interval.
    pub resamples: usize,
    /// Seed of everything drawn.
    pub seed: u64,
    /// Frames by which responses follow the stimulus, for maps of dots and sparse noise.
    pub delay_frames: usize,
}

impl Default for Look {
    /// 1000 resamples, seed 1, 3 frames (0.1 s).
    fn default() -> Self {
        Self { resamples: 1000, seed: 1, delay_frames: 3 }
    }
}

impl Look {
    fn resampling(&self) -> Resampling {
        Resampling { resamples: self.resamples, ..Resampling::seeded(self.seed) }
    }
}

/// Why nothing was found out.
#[derive(Debug, thiserror::Error)]
pub enum CharacteriseError {
    /// A recording could not be read.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The movie could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Nothing to look at.
    #[error("{0}")]
    Nothing(String),
    /// A file could not be written.
    #[error("{} could not be written; check that the folder exists, is yours to write and has room", path.display())]
    Write {
        /// What was to be written.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The user asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// What was found out.
#[derive(Debug, Clone, Default)]
pub struct Characterisation {
    /// What was looked at.
    pub title: String,
    /// Whose responses these are.
    pub notice: String,
    /// How they came about.
    pub provenance: String,
    /// Numbers, one table a file.
    pub tables: Vec<Table>,
    /// Distributions over units or pairs of units.
    pub panels: Vec<Panel>,
    /// One line each: what was found, and what could not be looked at.
    pub findings: Vec<String>,
}

impl Characterisation {
    /// Looks at responses. `movie` makes what was on the screen, for reverse correlation; it is asked for white noise alone.
    ///
    /// # Errors
    /// When there is nothing to look at, the movie cannot be read, or the user asked to stop.
    pub fn of(
        measured: &Measured,
        look: &Look,
        movie: &mut dyn FnMut() -> Result<Box<dyn FrameSource>, SourceError>,
        progress: &Progress,
    ) -> Result<Self, CharacteriseError> {
        let mut found = Self {
            title: measured.title.clone(),
            notice: measured.notice.clone(),
            provenance: measured.provenance.clone(),
            findings: measured.remarks.clone(),
            ..Self::default()
        };
        let trials = measured.trials()?;
        progress.begin(4);
        tuning::add(measured, &trials, look, &mut found);
        progress.advance(1)?;
        fields::add(measured, look, movie, &mut found)?;
        progress.advance(1)?;
        reliability::add(measured, look, &mut found);
        progress.advance(1)?;
        population::add(measured, &trials, look, progress, &mut found)?;
        progress.advance(1)?;
        Ok(found)
    }

    /// Writes every table as CSV, and the findings as `findings.txt`, into a folder, which is made when absent.
    ///
    /// # Errors
    /// When a file cannot be written; each is there whole or not at all.
    pub fn write(&self, folder: &Path) -> Result<Vec<PathBuf>, CharacteriseError> {
        let failed = |path: &Path, source| CharacteriseError::Write { path: path.to_path_buf(), source };
        std::fs::create_dir_all(folder).map_err(|source| failed(folder, source))?;
        let mut written = Vec::new();
        for table in &self.tables {
            let path = folder.join(format!("{}.csv", table.name));
            atomically(&path, |to| table.write_csv(to)).map_err(|source| failed(&path, source))?;
            written.push(path);
        }
        let path = folder.join("findings.txt");
        let text = format!("{}\n{}\n{}\n\n{}\n", self.title, self.notice, self.provenance, self.findings.join("\n"));
        atomically(&path, |to| to.write_all(text.as_bytes())).map_err(|source| failed(&path, source))?;
        written.push(path);
        Ok(written)
    }
}
