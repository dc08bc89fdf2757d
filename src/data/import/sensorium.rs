//! Folders of the Sensorium competitions of 2022 (images) and 2023 (videos).
//!
//! ```text
//! data/videos/0.npy         [height, width, time], padded with NaN at its end      (2022: data/images, [1, height, width])
//! data/responses/0.npy      [unit, time]                                           (2022: [unit])
//! data/behavior/0.npy       [2, time]: pupil dilation, running speed               (2022: [3], its change between them)
//! data/pupil_center/0.npy   [2, time]                                              (2022: [2])
//! meta/trials/tiers.npy     texts: train, oracle, test, ...
//! meta/neurons/unit_ids.npy
//! meta/statistics/          means and deviations, where they are known
//! ```
//!
//! An image was on for half a second and has one response: it is a trial of one frame at 2 Hz. In videos of test tiers
//! repeats are found by the bytes of their files.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use sha2::{Digest, Sha256};

use super::array::Array;
use super::identity::{Said, clean};
use super::scale::{Scale, behavior_of, divide, means};
use super::{ImportError, ImportOptions, condition};
use crate::data::session::{TrialData, TrialSource};
use crate::data::{ArrayError, Record, Session, SessionError, SessionUnit, Trial};
use crate::signals::{FrameRate, FrameSource, Movie, Raster, Responses};

const FORMAT: &str = "a Sensorium folder";
/// Rate of the images of 2022, which were on for half a second.
const IMAGE_RATE: FrameRate = FrameRate(2.0);

/// A folder whose arrays were checked.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    /// Videos or images.
    moving: bool,
    units: usize,
    raster: Raster,
    trials: Vec<Item>,
    /// Of pupil x and y, dilation and speed.
    z_scores: OnceLock<[Scale; 4]>,
    means: OnceLock<Vec<f32>>,
}

/// A trial: its number in the names of the files, and its frames without the padding.
#[derive(Debug)]
struct Item {
    number: usize,
    training: bool,
    frames: usize,
    /// Frames in the files.
    stored: usize,
}

/// Opens a folder with videos (2023) or images (2022).
pub(super) fn open(path: &Path, options: &ImportOptions, moving: bool) -> Result<Session, ImportError> {
    let lacks = |what: String| ImportError::lacks(path, FORMAT, &what);
    let tiers = path.join("meta/trials/tiers.npy");
    if !tiers.is_file() {
        return Err(lacks("`meta/trials/tiers.npy`, which tells the training trials".to_owned()));
    }
    let tiers = Array::open(&tiers)?.texts()?;
    let mut folder = Folder {
        path: path.to_owned(),
        moving,
        units: 0,
        raster: Raster { height: 0, width: 0 },
        trials: Vec::new(),
        z_scores: OnceLock::new(),
        means: OnceLock::new(),
    };
    let (mut absent, mut unused) = (0, 0);
    for (number, tier) in tiers.iter().enumerate() {
        if !folder.file("responses", number).is_file() || !folder.file(folder.shown(), number).is_file() {
            absent += 1;
        } else if tier == "none" {
            unused += 1;
        } else {
            let item = folder.check(number, tier == "train")?;
            folder.trials.push(item);
        }
    }
    if folder.trials.is_empty() {
        return Err(lacks(format!("trials: none of its {} has both a stimulus and responses", tiers.len())));
    }
    let mut about = toml::Table::new();
    let mut say = |key: &str, value: String| about.insert(key.to_owned(), toml::Value::String(value));
    say("source", if moving { "Sensorium 2023" } else { "Sensorium 2022" }.to_owned());
    if absent + unused > 0 {
        say("left_out", format!("{absent} trials without a stimulus or responses, {unused} of the tier `none`"));
    }
    folder.read_statistics()?;
    let units = units(path, folder.units)?;
    let id = said(path)?.with(options);
    let conditions = conditions(&folder, tiers.len(), options)?;
    let (raster, rate) = (folder.raster, if moving { FrameRate::WANG2025 } else { IMAGE_RATE });
    let folder = Arc::new(folder);
    let trial = |(index, condition): (usize, Option<String>)| {
        let Item { training, frames, .. } = folder.trials[index];
        let source = TrialSource::Recording(Arc::new(SensoriumTrial { folder: Arc::clone(&folder), index }));
        Trial { training, frames, condition, domain: None, source }
    };
    let trials = conditions.into_iter().enumerate().map(trial).collect();
    Ok(Session { id, frame_rate: options.frame_rate.unwrap_or(rate), raster, units, trials, about })
}

/// Who was recorded: one value for all neurons in `meta/neurons`, else the name of the folder.
fn said(path: &Path) -> Result<Said, ImportError> {
    let one = |name: &str| -> Option<String> {
        let texts = Array::open(&path.join("meta/neurons").join(name)).ok()?.texts().ok()?;
        let first = texts.first()?.clone();
        texts.iter().all(|text| *text == first).then_some(first)
    };
    let full = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let named = Said::in_name(&full.file_name().unwrap_or_default().to_string_lossy());
    Ok(Said {
        animal: one("animal_ids.npy").or(named.animal),
        session: one("sessions.npy").and_then(|text| text.parse().ok()).or(named.session),
        scan: one("scan_idx.npy").and_then(|text| text.parse().ok()).or(named.scan),
    })
}

fn units(path: &Path, count: usize) -> Result<Vec<SessionUnit>, ImportError> {
    let column = |name: &str| -> Result<Option<Vec<String>>, ImportError> {
        let file = path.join("meta/neurons").join(name);
        if !file.is_file() {
            return Ok(None);
        }
        let array = Array::open(&file)?;
        let texts = array.texts()?;
        if texts.len() != count {
            let what = format!("it lists {} units, but the responses have {count}", texts.len());
            return Err(array.wrong(what).into());
        }
        Ok(Some(texts))
    };
    let (ids, areas, layers) = (column("unit_ids.npy")?, column("area.npy")?, column("layer.npy")?);
    let name = |names: &Option<Vec<String>>, unit: usize| {
        names.as_ref().map(|names| clean(&names[unit])).filter(|name| !name.is_empty())
    };
    let unit = |index: usize| {
        let number = ids.as_ref().and_then(|ids| ids[index].parse().ok()).unwrap_or(index as u32);
        let (area, layer) = (name(&areas, index), name(&layers, index));
        SessionUnit { area, layer, ..SessionUnit::numbered(number) }
    };
    Ok((0..count).map(unit).collect())
}

/// What was shown, by the arrays of `meta/trials`, else by the bytes of the files of trials for testing.
fn conditions(folder: &Folder, count: usize, options: &ImportOptions) -> Result<Vec<Option<String>>, ImportError> {
    let meta = folder.path.join("meta/trials");
    let mut columns = Vec::new();
    for entry in std::fs::read_dir(&meta).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(name) = name.strip_suffix(".npy") else { continue };
        let wanted = if options.conditions.is_empty() {
            condition::describes_stimulus(name)
        } else {
            options.conditions.iter().any(|wanted| wanted == name)
        };
        if let Some(Ok(texts)) = wanted.then(|| Array::open(&entry.path()).and_then(|array| array.texts()))
            && texts.len() == count
        {
            columns.push((name.to_owned(), texts));
        }
    }
    columns.sort();
    if let Some(missing) = options.conditions.iter().find(|wanted| !columns.iter().any(|(name, _)| name == *wanted)) {
        let what = format!("`meta/trials/{}.npy` with one value a trial", missing.escape_debug());
        return Err(ImportError::lacks(&folder.path, FORMAT, &what));
    }
    let of = |item: &Item| -> Result<Option<String>, ImportError> {
        if !columns.is_empty() {
            let parts = columns.iter().map(|(name, texts)| (name.as_str(), texts[item.number].clone()));
            return Ok(condition::text(parts));
        }
        if item.training { Ok(None) } else { Ok(Some(fingerprint(&folder.file(folder.shown(), item.number))?)) }
    };
    folder.trials.iter().map(of).collect()
}

/// A name for the bytes of a file.
fn fingerprint(path: &Path) -> Result<String, ArrayError> {
    let failed = |source| ArrayError::Read { file: path.display().to_string(), source };
    let mut file = std::fs::File::open(path).map_err(failed)?;
    let (mut hash, mut block) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut block).map_err(failed)? {
            0 => break,
            read => hash.update(&block[..read]),
        }
    }
    let digits: String = hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("stimulus, {digits}"))
}

impl Folder {
    fn file(&self, kind: &str, number: usize) -> PathBuf {
        self.path.join("data").join(kind).join(format!("{number}.npy"))
    }

    fn shown(&self) -> &'static str {
        if self.moving { "videos" } else { "images" }
    }

    /// Checks the shapes of a trial's arrays against each other and against those of the trials before it.
    fn check(&mut self, number: usize, training: bool) -> Result<Item, SessionError> {
        let stimulus = Array::open(&self.file(self.shown(), number))?;
        let (height, width, stored) = match (stimulus.shape(), self.moving) {
            (&[height, width, time], true) => (height, width, time),
            (&[1, height, width] | &[height, width], false) => (height, width, 1),
            (shape, _) => {
                let expected = if self.moving { "[height, width, time]" } else { "[1, height, width]" };
                return Err(stimulus.wrong(format!("it has the shape {shape:?}, expected {expected}")).into());
            }
        };
        if stimulus.len() == 0 {
            return Err(stimulus.wrong(format!("it has the shape {:?}, with an empty axis", stimulus.shape())).into());
        }
        let raster = Raster { height, width };
        let responses = Array::open(&self.file("responses", number))?;
        let units = match responses.shape() {
            &[units, time] if time == stored && units > 0 => units,
            &[units] if stored == 1 && units > 0 => units,
            shape => {
                let what = format!(
                    "it has the shape {shape:?}, expected [unit, {stored}] as its stimulus has {stored} frames"
                );
                return Err(responses.wrong(what).into());
            }
        };
        if self.trials.is_empty() {
            (self.raster, self.units) = (raster, units);
        }
        if raster != self.raster || units != self.units {
            let what = format!(
                "it has {raster} pixels and {units} units, but trials before it {} pixels and {} units",
                self.raster, self.units
            );
            return Err(responses.wrong(what).into());
        }
        for (kind, rows) in [("behavior", 2..=3), ("pupil_center", 2..=2)] {
            let path = self.file(kind, number);
            if !path.is_file() {
                continue;
            }
            let array = Array::open(&path)?;
            let found = (array.shape().first().copied().unwrap_or(0), array.len());
            if !rows.contains(&found.0) || Some(found.1) != found.0.checked_mul(stored) {
                let what = format!("it has the shape {:?}, expected [{}, {stored}]", array.shape(), rows.start());
                return Err(array.wrong(what).into());
            }
        }
        // One pixel at all times lies in one piece: its end tells the padding.
        let pixel = if self.moving { stimulus.f32s(0, stored)? } else { vec![0.0] };
        let frames = pixel.iter().rposition(|value| !value.is_nan()).map_or(0, |last| last + 1);
        if frames == 0 {
            return Err(stimulus.wrong("its first pixel is NaN in all frames".to_owned()).into());
        }
        Ok(Item { number, training, frames, stored })
    }

    /// Takes means and deviations from `meta/statistics`, where they are complete.
    fn read_statistics(&mut self) -> Result<(), ImportError> {
        let read = |kind: &str, what: &str| -> Option<Vec<f64>> {
            let path = self.path.join("meta/statistics").join(kind).join("all").join(format!("{what}.npy"));
            Array::open(&path).and_then(|array| array.all()).ok()
        };
        let pairs = |kind: &str| -> Option<Vec<Scale>> {
            let (mean, deviation) = (read(kind, "mean")?, read(kind, "std")?);
            Some(mean.into_iter().zip(deviation).map(|(mean, deviation)| Scale::known(mean, deviation)).collect())
        };
        if let (Some(center), Some(behavior)) = (pairs("pupil_center"), pairs("behavior"))
            && let (&[x, y], &[radius, .., speed]) = (&center[..], &behavior[..])
        {
            self.z_scores = OnceLock::from([x, y, radius, speed]);
        }
        let mean = read("responses", "mean").filter(|mean| mean.len() == self.units);
        if let Some(mean) = mean.filter(|mean| mean.iter().all(|mean| *mean >= 0.0 && mean.is_finite())) {
            let means: Vec<f32> = mean.into_iter().map(|mean| if mean > 0.0 { mean as f32 } else { 1.0 }).collect();
            self.means = OnceLock::from(means);
        }
        Ok(())
    }

    /// Signals of behaviour as they were recorded, `[signal][time]`; NaN where there is no file.
    fn behavior(&self, item: &Item) -> Result<[Vec<f32>; 4], SessionError> {
        let read = |kind: &str| -> Result<[Vec<f32>; 2], SessionError> {
            let path = self.file(kind, item.number);
            if !path.is_file() {
                return Ok([vec![f32::NAN; item.frames], vec![f32::NAN; item.frames]]);
            }
            let array = Array::open(&path)?;
            let rows = array.shape().first().copied().unwrap_or(1);
            let stored = array.len() / rows.max(1);
            // The second of three rows is the change of the first.
            Ok([array.f32s(0, item.frames.min(stored))?, array.f32s((rows - 1) * stored, item.frames.min(stored))?])
        };
        let ([x, y], [radius, speed]) = (read("pupil_center")?, read("behavior")?);
        Ok([x, y, radius, speed])
    }

    /// Responses as they were recorded, `[time, unit]`.
    fn responses(&self, item: &Item) -> Result<Vec<f32>, SessionError> {
        let array = Array::open(&self.file("responses", item.number))?;
        if array.len() != self.units * item.stored {
            return Err(array.wrong("it was changed since the session was opened".to_owned()).into());
        }
        let stored = array.f32s(0, array.len())?;
        Ok((0..item.frames).flat_map(|frame| stored.iter().skip(frame).step_by(item.stored).copied()).collect())
    }

    fn training(&self) -> impl Iterator<Item = &Item> {
        let any = self.trials.iter().any(|item| item.training);
        self.trials.iter().filter(move |item| item.training || !any)
    }

    fn z_scores(&self) -> Result<&[Scale; 4], SessionError> {
        if let Some(known) = self.z_scores.get() {
            return Ok(known);
        }
        let mut scales = [Scale::default(); 4];
        for item in self.training() {
            scales.iter_mut().zip(self.behavior(item)?).for_each(|(scale, values)| scale.add(&values));
        }
        Ok(self.z_scores.get_or_init(|| scales))
    }

    fn means(&self) -> Result<&[f32], SessionError> {
        if let Some(known) = self.means.get() {
            return Ok(known);
        }
        let means = means(self.units, self.training().map(|item| self.responses(item)))?;
        Ok(self.means.get_or_init(|| means))
    }
}

/// One trial of a folder.
#[derive(Debug)]
struct SensoriumTrial {
    folder: Arc<Folder>,
    index: usize,
}

impl TrialData for SensoriumTrial {
    fn has_movie(&self) -> bool {
        true
    }

    fn movie(&self) -> Result<Box<dyn FrameSource>, SessionError> {
        let (folder, item) = (&self.folder, &self.folder.trials[self.index]);
        let array = Array::open(&folder.file(folder.shown(), item.number))?;
        let pixels = folder.raster.pixels();
        if array.len() != pixels * item.stored {
            return Err(array.wrong("it was changed since the session was opened".to_owned()).into());
        }
        let stored = array.f32s(0, array.len())?;
        let mut grey = Vec::with_capacity(pixels * item.frames);
        for frame in 0..item.frames {
            for value in stored.iter().skip(frame).step_by(item.stored) {
                // Half a level of rounding is allowed at either end.
                if !(-0.5..=255.5).contains(value) {
                    let what = format!("a pixel of frame {frame} is {value}, expected a grey level of 0 to 255");
                    return Err(array.wrong(what).into());
                }
                grey.push(value.round() as u8);
            }
        }
        let movie = Movie::new(folder.raster, item.frames, 1, grey)?;
        Ok(Box::new(movie) as Box<dyn FrameSource>)
    }

    fn record(&self) -> Result<Record, SessionError> {
        let (folder, item) = (&self.folder, &self.folder.trials[self.index]);
        let (behavior, missing) = behavior_of(&folder.behavior(item)?, folder.z_scores()?);
        let mut values = folder.responses(item)?;
        divide(&mut values, folder.means()?);
        let responses = Responses::new(item.frames, 1, folder.units, values).expect("one value a frame and unit");
        Ok(Record::new(behavior, responses, missing))
    }
}
