//! A session as one `.npz` file, for NumPy.
//!
//! ```text
//! twinscope_session   1, the version of the layout
//! animal, session, scan, frame_rate_hz, about       one value each; `about` is TOML
//! unit, area, layer                                 [unit]
//! trial_frames, training, condition, movie          [trial]; `movie` is the first frame in `stimuli`, or -1
//! stimuli         u8  [frame, height, width]        repeats share their frames
//! perspectives    f32 [frame, 2]                    all trials, one after the other; NaN where nothing was measured
//! modulations     f32 [frame, 2]
//! responses       f32 [frame, unit]
//! ```
//!
//! Nothing is compressed: NumPy and we read any part of it where it lies.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::npy_header::NpyHeader;
use super::target::unfinished;
use super::trial_array::digest;
use super::{Session, SessionError, Trial};

/// The only version of the layout so far.
pub(super) const SCHEMA: i64 = 1;
/// Frames of a movie that are copied at once.
const BLOCK: usize = 64;

/// Writes a session into a new `.npz` file, complete or not at all.
///
/// # Errors
/// When the file cannot be written, or a trial cannot be read.
pub fn save_npz(session: &Session, path: &Path) -> Result<(), SessionError> {
    let failed = |source| SessionError::Write { file: path.display().to_string(), source };
    let temporary = unfinished(path).map_err(failed)?;
    let file = temporary.as_file().try_clone().map_err(failed)?;
    let mut npz = Npz { zip: ZipWriter::new(BufWriter::new(file)), file: path.display().to_string() };
    npz.session(session)?;
    let file = npz.zip.finish().map_err(|error| failed(error.into()))?;
    file.into_inner().map_err(|error| failed(error.into_error()))?.sync_all().map_err(failed)?;
    temporary.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

struct Npz {
    zip: ZipWriter<BufWriter<File>>,
    file: String,
}

impl Npz {
    fn session(&mut self, session: &Session) -> Result<(), SessionError> {
        let units = session.units.len();
        let one = |value: i64| value.to_le_bytes().to_vec();
        self.array("twinscope_session", "<i8", &[], &one(SCHEMA))?;
        self.texts("animal", &[], std::slice::from_ref(&session.id.animal))?;
        self.array("session", "<i8", &[], &one(session.id.session.into()))?;
        self.array("scan", "<i8", &[], &one(session.id.scan.into()))?;
        self.array("frame_rate_hz", "<f8", &[], &session.frame_rate.0.to_le_bytes())?;
        self.texts("about", &[], &[session.about.to_string()])?;
        let numbers: Vec<u8> = session.units.iter().flat_map(|unit| unit.unit.to_le_bytes()).collect();
        self.array("unit", "<u4", &[units], &numbers)?;
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let areas: Vec<String> = session.units.iter().map(|unit| text(&unit.area)).collect();
        self.texts("area", &[units], &areas)?;
        let layers: Vec<String> = session.units.iter().map(|unit| text(&unit.layer)).collect();
        self.texts("layer", &[units], &layers)?;

        let trials = &session.trials;
        let whole = |values: Vec<i64>| -> Vec<u8> { values.into_iter().flat_map(i64::to_le_bytes).collect() };
        let frames = whole(trials.iter().map(|trial| trial.frames as i64).collect());
        self.array("trial_frames", "<i8", &[trials.len()], &frames)?;
        let training: Vec<u8> = trials.iter().map(|trial| u8::from(trial.training)).collect();
        self.array("training", "|b1", &[trials.len()], &training)?;
        let conditions: Vec<String> = trials.iter().map(|trial| text(&trial.condition)).collect();
        self.texts("condition", &[trials.len()], &conditions)?;
        let (places, movies) = places(trials)?;
        self.array("movie", "<i8", &[trials.len()], &whole(places))?;
        self.movies(session, &movies)?;

        let total: usize = trials.iter().map(|trial| trial.frames).sum();
        self.rows("perspectives", trials, &[total, 2], |trial| Ok(trial.record()?.measured()[0].clone()))?;
        self.rows("modulations", trials, &[total, 2], |trial| Ok(trial.record()?.measured()[1].clone()))?;
        self.rows("responses", trials, &[total, units], |trial| Ok(trial.record()?.responses.values().to_vec()))
    }

    fn failed(&self, source: impl Into<std::io::Error>) -> SessionError {
        SessionError::Write { file: self.file.clone(), source: source.into() }
    }

    fn start(&mut self, name: &str, element: &str, shape: &[usize]) -> Result<(), SessionError> {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(true);
        self.zip.start_file(format!("{name}.npy"), options).map_err(|error| self.failed(error))?;
        self.write(&NpyHeader::bytes(element, shape))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), SessionError> {
        self.zip.write_all(bytes).map_err(|error| self.failed(error))
    }

    fn array(&mut self, name: &str, element: &str, shape: &[usize], bytes: &[u8]) -> Result<(), SessionError> {
        self.start(name, element, shape)?;
        self.write(bytes)
    }

    /// Texts as NumPy keeps them: UTF-32, all as long as the longest.
    fn texts(&mut self, name: &str, shape: &[usize], texts: &[String]) -> Result<(), SessionError> {
        let longest = texts.iter().map(|text| text.chars().count()).max().unwrap_or(0).max(1);
        let mut bytes = Vec::with_capacity(4 * longest * texts.len());
        for text in texts {
            let codes = text.chars().map(u32::from).chain(std::iter::repeat(0)).take(longest);
            bytes.extend(codes.flat_map(u32::to_le_bytes));
        }
        self.array(name, &format!("<U{longest}"), shape, &bytes)
    }

    fn movies(&mut self, session: &Session, movies: &[&Trial]) -> Result<(), SessionError> {
        if movies.is_empty() {
            return Ok(());
        }
        let (raster, total) = (session.raster, movies.iter().map(|trial| trial.frames).sum());
        self.start("stimuli", "|u1", &[total, raster.height, raster.width])?;
        for trial in movies {
            let mut movie = trial.movie()?;
            if movie.raster() != raster || movie.frames() != trial.frames {
                return Err(SessionError::Trial(format!(
                    "its movie has {} frames of {} pixels, expected {} of {raster}",
                    movie.frames(),
                    movie.raster(),
                    trial.frames
                )));
            }
            let mut pixels = vec![0; BLOCK.min(trial.frames) * raster.pixels()];
            for start in (0..trial.frames).step_by(BLOCK) {
                let count = BLOCK.min(trial.frames - start);
                let pixels = &mut pixels[..count * raster.pixels()];
                movie.read(start, count, pixels)?;
                self.write(pixels)?;
            }
        }
        Ok(())
    }

    fn rows(
        &mut self,
        name: &str,
        trials: &[Trial],
        shape: &[usize],
        read: impl Fn(&Trial) -> Result<Vec<f32>, SessionError>,
    ) -> Result<(), SessionError> {
        self.start(name, "<f4", shape)?;
        for trial in trials {
            let values = read(trial)?;
            if values.len() != trial.frames * shape[1] {
                let found = values.len();
                return Err(SessionError::Trial(format!("`{name}` has {found} values in {} frames", trial.frames)));
            }
            let bytes: Vec<u8> = values.into_iter().flat_map(f32::to_le_bytes).collect();
            self.write(&bytes)?;
        }
        Ok(())
    }
}

/// Where each trial's movie starts, or -1; and the trials whose movies are stored: the first with the same pixels.
fn places(trials: &[Trial]) -> Result<(Vec<i64>, Vec<&Trial>), SessionError> {
    let (mut known, mut movies, mut end) = (HashMap::new(), Vec::new(), 0);
    let place = |trial| -> Result<i64, SessionError> {
        let trial: &Trial = trial;
        if !trial.has_movie() {
            return Ok(-1);
        }
        let place = *known.entry((digest(trial.movie()?.as_mut())?, trial.frames)).or_insert(end);
        if place == end {
            end += trial.frames as i64;
            movies.push(trial);
        }
        Ok(place)
    };
    let places = trials.iter().map(place).collect::<Result<_, _>>()?;
    Ok((places, movies))
}
