//! A session as one `.npz` file, for NumPy.
//!
//! ```text
//! twinscope_session   1, the version of the layout
//! animal, session, scan, frame_rate_hz, about       one value each; `about` is TOML
//! unit, area, layer                                 [unit]
//! position_px     f32 [unit, 2]                     x and y, NaN where unknown; not there where all are
//! trial_frames, training, condition, movie          [trial]; `movie` is the first frame in `stimuli`, or -1
//! stimuli         u8  [frame, height, width]        repeats share their frames
//! perspectives    f32 [frame, 2]                    all trials, one after the other; NaN where nothing was measured
//! modulations     f32 [frame, 2]
//! responses       f32 [frame, unit]
//! ```

use std::collections::HashMap;
use std::path::Path;

use super::npz_file::NpzWriter;
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
    let mut npz = Npz { npz: NpzWriter::create(path).map_err(failed)?, file: path.display().to_string() };
    npz.session(session)?;
    npz.npz.finish().map_err(failed)
}

struct Npz {
    npz: NpzWriter,
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
        if session.units.iter().any(|unit| unit.position_px.is_some()) {
            let positions = session.units.iter().flat_map(|unit| unit.position_px.unwrap_or([f32::NAN; 2]));
            let bytes: Vec<u8> = positions.flat_map(f32::to_le_bytes).collect();
            self.array("position_px", "<f4", &[units, 2], &bytes)?;
        }

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

    /// Says which file could not be written.
    fn named(&self, written: std::io::Result<()>) -> Result<(), SessionError> {
        written.map_err(|source| SessionError::Write { file: self.file.clone(), source })
    }

    fn start(&mut self, name: &str, element: &str, shape: &[usize]) -> Result<(), SessionError> {
        let written = self.npz.start(name, element, shape);
        self.named(written)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), SessionError> {
        let written = self.npz.write(bytes);
        self.named(written)
    }

    fn array(&mut self, name: &str, element: &str, shape: &[usize], bytes: &[u8]) -> Result<(), SessionError> {
        let written = self.npz.array(name, element, shape, bytes);
        self.named(written)
    }

    fn texts(&mut self, name: &str, shape: &[usize], texts: &[String]) -> Result<(), SessionError> {
        let written = self.npz.texts(name, shape, texts);
        self.named(written)
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
