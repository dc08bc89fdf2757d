//! Everything that [`analysis`](crate::analysis) can say of one run or one recording, as tables and panels.
//!
//! What applies is decided by what was shown: tuning fits by the parameters that were swept, receptive fields by dots and
//! noise, reliability by repeats, decoding by labels. Predicted and recorded responses go through the same functions; no
//! number is computed here that `analysis` does not compute.
//!
//! Responses are read from where they lie, as often as needed, for so many units at a time as fit into little memory: ten
//! thousand units over ten minutes are looked at with less than 1 GB. What grows with the square of the population is
//! told of a sample.

mod examples;
mod fields;
mod maps;
mod measured;
mod monet;
mod population;
mod recorded;
mod reliability;
mod surface;
mod table;
mod tuning;

use std::path::{Path, PathBuf};

pub use examples::{CurveExample, Examples, FieldExample, SurfaceExample};
pub use measured::{Measured, SharedRows, Watched};
pub use population::{Accuracy, Dissimilarities, Placed, Population};
pub use table::{Panel, Rows, Table};

use maps::Maps;

use crate::analysis::statistics::{Chance, Resampling};
use crate::data::save::atomically;
use crate::data::{ArrayError, SessionError};
use crate::job::{Cancelled, Progress};
use crate::signals::{FrameSource, SourceError};

/// Most units of a sample whose pairs are looked at.
const DRAWN: usize = 1000;
/// Stream of random numbers that samples of units are drawn with.
const SAMPLE: u32 = 0x5a3b;

/// How to look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// Resamples of every bootstrap interval.
    pub resamples: usize,
    /// Seed of everything drawn.
    pub seed: u64,
    /// Frames by which responses follow the stimulus, for maps of dots and sparse noise, and for the windows of motion of
    /// directional noise.
    pub delay_frames: usize,
    /// Most values of responses that are held at once; units are looked at in so many goes. It changes no result.
    pub most_values: usize,
    /// Most units of which all are sorted, embedded and paired; of larger populations a sample is drawn with the seed, of
    /// as many units but at most 1000.
    pub most_units: usize,
    /// Most values of repeats that are held of the units whose pairs are correlated; where all of them have more, a sample
    /// is drawn.
    pub most_paired: usize,
}

impl Default for Look {
    /// 1000 resamples, seed 1, 3 frames (0.1 s), 12.5 million values (50 MB as they are stored, 100 MB in computation),
    /// 2000 units, 25 million values of pairs (200 MB).
    fn default() -> Self {
        let (most_values, most_paired) = (12_500_000, 25_000_000);
        Self { resamples: 1000, seed: 1, delay_frames: 3, most_values, most_units: 2000, most_paired }
    }
}

impl Look {
    fn resampling(&self) -> Resampling {
        Resampling { resamples: self.resamples, ..Resampling::seeded(self.seed) }
    }

    /// The units whose pairs are looked at, in ascending order: all, or a sample where they are many or each takes many
    /// values.
    fn paired(&self, units: usize, each: usize) -> Vec<usize> {
        let most = if units <= self.most_units { units } else { self.most_units.min(DRAWN) };
        let most = most.min((self.most_paired / each.max(1)).max(2));
        if units <= most { (0..units).collect() } else { self.drawn(units, most) }
    }

    /// So many of the units, drawn without repetition, in ascending order.
    fn drawn(&self, units: usize, count: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..units).collect();
        Chance::new(self.seed, SAMPLE).shuffle(&mut all);
        all.truncate(count);
        all.sort_unstable();
        all
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
    /// The responses could not be read.
    #[error("the responses could not be read: {0}")]
    Responses(#[from] std::io::Error),
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
    /// An array of maps could not be written.
    #[error(transparent)]
    Maps(#[from] ArrayError),
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
    /// The clearest fields and curves, for a picture.
    pub examples: Examples,
    /// Units, components, conditions and decoding, for a picture.
    pub population: Population,
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
        Self::made(measured, look, movie, progress, &mut Maps::default())
    }

    /// The same, and writes the maps of receptive fields into a folder, which is made when absent, while they are made:
    /// `receptive_fields_NAME.npy`, float32 `[unit, delay, row, column]` of reverse correlation, and
    /// `receptive_fields_NAME_on.npy`, `_off` and `_both`, `[unit, row, column]`, of dots and sparse noise; a `.json` beside
    /// them tells places, delays in seconds and units. Hands back what was written.
    ///
    /// # Errors
    /// As [`Self::of`], and when a file cannot be written.
    pub fn with_maps(
        measured: &Measured,
        look: &Look,
        movie: &mut dyn FnMut() -> Result<Box<dyn FrameSource>, SourceError>,
        progress: &Progress,
        folder: &Path,
    ) -> Result<(Self, Vec<PathBuf>), CharacteriseError> {
        let failed = |source| CharacteriseError::Write { path: folder.to_path_buf(), source };
        std::fs::create_dir_all(folder).map_err(failed)?;
        let mut maps = Maps::within(folder);
        let found = Self::made(measured, look, movie, progress, &mut maps)?;
        Ok((found, maps.written))
    }

    fn made(
        measured: &Measured,
        look: &Look,
        movie: &mut dyn FnMut() -> Result<Box<dyn FrameSource>, SourceError>,
        progress: &Progress,
        maps: &mut Maps<'_>,
    ) -> Result<Self, CharacteriseError> {
        let mut found = Self {
            title: measured.title.clone(),
            notice: measured.notice.clone(),
            provenance: format!("{}; analysis seed {}", measured.provenance, look.seed),
            findings: measured.remarks.clone(),
            ..Self::default()
        };
        let blocks = measured.blocks(look.most_values, measured.schedule.presentations.len());
        progress.begin(3 + blocks.len() as u64);
        let mut tuned = tuning::Tuned::default();
        let mut surfaces = surface::Surfaces::default();
        let mut blanks = reliability::Blanks::default();
        let mut all = None;
        for units in &blocks {
            let trials = measured.trials(units)?;
            tuned.take(measured, &trials, units, look, progress)?;
            surfaces.take(measured, &trials, units, progress)?;
            blanks.take(measured, &trials);
            // Where all units fit, their responses need not be read again.
            all = (blocks.len() == 1).then_some(trials);
            progress.advance(1)?;
        }
        let preferred = tuned.finish(&mut found);
        surfaces.finish(&mut found);
        monet::add(measured, look, progress, &mut found)?;
        fields::add(measured, look, movie, progress, maps, &mut found)?;
        progress.advance(1)?;
        reliability::add(measured, look, progress, &mut found)?;
        blanks.finish(measured, &mut found);
        progress.advance(1)?;
        population::add(measured, all, preferred.as_ref(), look, progress, &mut found)?;
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
