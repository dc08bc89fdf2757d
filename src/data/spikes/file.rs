//! Sessions as `.npz` files in the two layouts of [`super`].

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use super::error::SpikeError;
use super::npz::{Array, Npz, NpzWriter};
use super::session::{Counts, SpikeSession};
use super::split::Split;
use crate::signals::Binned;

/// Names that no column can have.
pub(super) const RESERVED: [&str; 16] = [
    "counts",
    "spikes",
    "bin_s",
    "first_bin_s",
    "time_offset_s",
    "session",
    "regions",
    "choice",
    "wheel",
    "whisker",
    "train_trials",
    "validation_trials",
    "test_trials",
    "split_seed",
    "heldout_neurons",
    "rates",
];

impl SpikeSession {
    /// Whether a `.npz` file has the arrays of a session, by their names alone.
    pub fn is_file(path: &Path) -> bool {
        let has = |name: &str| {
            let archive = std::fs::File::open(path).ok().and_then(|file| zip::ZipArchive::new(file).ok());
            archive.is_some_and(|archive| archive.index_for_name(name).is_some())
        };
        has("bin_s.npy") && (has("counts.npy") || has("spikes.npy"))
    }

    /// Reads a session in either layout of the module.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged, lacks an array, or its arrays contradict each other.
    pub fn open(path: &Path) -> Result<Self, SpikeError> {
        let mut npz = Npz::read(path)?;
        let counts = counts(&mut npz)?;
        let [trials, bins, neurons] = counts.shape();
        let bin_secs = number(&mut npz, "bin_s")?.ok_or_else(|| SpikeError::Missing {
            file: npz.file.clone(),
            array: "bin_s",
            expected: "the length of a bin in seconds",
        })?;
        let first_bin_secs = match number(&mut npz, "first_bin_s")? {
            Some(start) => start,
            None => match npz.take("time_offset_s") {
                Some(array) => numbers(&npz, "time_offset_s", &array)?.first().copied().unwrap_or(0.0),
                None => 0.0,
            },
        };
        let id = match npz.take("session") {
            Some(array) => texts(&npz, "session", &array)?.into_iter().next().unwrap_or_default(),
            None => path.file_stem().unwrap_or_default().display().to_string(),
        };
        let regions = match npz.take("regions") {
            Some(array) => texts(&npz, "regions", &array)?,
            None => vec!["unknown".to_owned(); neurons],
        };
        let rates = match npz.take("rates") {
            Some(array) if array.shape == counts.shape() => {
                let values = floats(&npz, "rates", &array)?;
                Some(Binned::new(trials, bins, neurons, values).expect("the shape was checked"))
            }
            Some(array) => return Err(npz.shape_error("rates", &array, "the shape of `counts`").into()),
            None => None,
        };
        let choice = match npz.take("choice") {
            // What is no whole number becomes 2, which the check refuses.
            Some(array) => {
                let sides = numbers(&npz, "choice", &array)?;
                Some(
                    sides
                        .into_iter()
                        .map(|side| [-1, 0, 1].into_iter().find(|&s| f64::from(s) == side).unwrap_or(2))
                        .collect(),
                )
            }
            None => None,
        };
        let mut trace = |name: &str| match npz.take(name) {
            Some(array) if array.shape == [trials, bins] => floats(&npz, name, &array).map(Some),
            Some(array) => Err(npz.shape_error(name, &array, "[trial, bin], as many as `counts` has").into()),
            None => Ok(None),
        };
        let (wheel, whisker) = (trace("wheel")?, trace("whisker")?);
        let split = split(&mut npz, trials)?;
        let held_out = indices(&mut npz, "heldout_neurons")?.unwrap_or_default();
        let mut columns = BTreeMap::new();
        for name in npz.names() {
            let Some(array) = npz.take(&name) else { continue };
            if array.shape == [trials] && array.numbers().is_some() {
                columns.insert(name.clone(), floats(&npz, &name, &array)?);
            }
        }
        let simulated = rates.is_some();
        let session = Self {
            id,
            simulated,
            counts,
            bin_secs,
            first_bin_secs,
            regions,
            choice,
            wheel,
            whisker,
            columns,
            split,
            held_out,
            rates,
        };
        session.check(&npz.file)?;
        Ok(session)
    }

    /// Writes the session in our layout; the file appears when it is complete.
    ///
    /// # Errors
    /// When parts of the session contradict each other, a column has a reserved name, or the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), SpikeError> {
        let file = path.display().to_string();
        self.check(&file)?;
        let unusable = |name: &&String| {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
            RESERVED.contains(&name.as_str()) || name.is_empty() || name.len() > 200 || !name.chars().all(plain)
        };
        if let Some(name) = self.columns.keys().find(unusable) {
            let what = format!("a column cannot be named `{}`: choose letters, digits and `_`", name.escape_debug());
            return Err(SpikeError::Content { file, what });
        }
        let shape = self.counts.shape();
        let mut npz = NpzWriter::create(path)?;
        npz.bytes("counts", &shape, self.counts.values())?;
        npz.double("bin_s", self.bin_secs)?;
        npz.double("first_bin_s", self.first_bin_secs)?;
        npz.texts("session", &[], &[&self.id])?;
        npz.texts("regions", &shape[2..], &self.regions.iter().map(String::as_str).collect::<Vec<_>>())?;
        if let Some(choice) = &self.choice {
            npz.signed_bytes("choice", choice)?;
        }
        for (name, values) in [("wheel", &self.wheel), ("whisker", &self.whisker)] {
            if let Some(values) = values {
                npz.floats(name, &shape[..2], values)?;
            }
        }
        npz.indices("train_trials", &self.split.train)?;
        npz.indices("validation_trials", &self.split.validation)?;
        npz.indices("test_trials", &self.split.test)?;
        if let Some(seed) = self.split.seed {
            npz.word("split_seed", seed)?;
        }
        if !self.held_out.is_empty() {
            npz.indices("heldout_neurons", &self.held_out)?;
        }
        if let Some(rates) = &self.rates {
            npz.floats("rates", &shape, rates.values())?;
        }
        for (name, values) in &self.columns {
            npz.floats(name, &shape[..1], values)?;
        }
        Ok(npz.finish()?)
    }
}

/// Counts in either order of axes.
fn counts(npz: &mut Npz) -> Result<Counts, SpikeError> {
    let (name, neurons_second) = if npz.has("counts") { ("counts", false) } else { ("spikes", true) };
    let expected = "u8 counts `[trial, bin, neuron]`, or `spikes` `[trial, neuron, bin]`";
    let array =
        npz.take(name).ok_or_else(|| SpikeError::Missing { file: npz.file.clone(), array: "counts", expected })?;
    let [trials, second, third] = array.shape[..] else {
        return Err(npz.shape_error(name, &array, "three axes").into());
    };
    if array.shape.contains(&0) {
        let what = format!("{trials} trials, {second} and {third} bins and neurons are no recording");
        return Err(SpikeError::Content { file: npz.file.clone(), what });
    }
    let refused = npz.element_error(name, &array, "u8 (`|u1`, numpy.uint8)");
    let values = array.bytes().ok_or(refused)?;
    if !neurons_second {
        return Ok(Counts::new(trials, second, third, values).expect("the size was checked"));
    }
    let mut turned = Vec::with_capacity(values.len());
    for trial in values.chunks_exact((second * third).max(1)) {
        for bin in 0..third {
            turned.extend((0..second).map(|neuron| trial[neuron * third + bin]));
        }
    }
    Ok(Counts::new(trials, third, second, turned).expect("as many as before"))
}

fn split(npz: &mut Npz, trials: usize) -> Result<Split, SpikeError> {
    let train = indices(npz, "train_trials")?;
    let validation = indices(npz, "validation_trials")?.unwrap_or_default();
    let test = indices(npz, "test_trials")?.unwrap_or_default();
    let taken: HashSet<usize> = test.iter().chain(&validation).copied().collect();
    let train = train.unwrap_or_else(|| (0..trials).filter(|trial| !taken.contains(trial)).collect());
    let seed = match npz.take("split_seed") {
        Some(array) => Some(array.word().ok_or_else(|| npz.element_error("split_seed", &array, "one u64 (`<u8`)"))?),
        None => None,
    };
    Ok(Split { train, validation, test, seed })
}

fn numbers(npz: &Npz, name: &str, array: &Array) -> Result<Vec<f64>, SpikeError> {
    array.numbers().ok_or_else(|| npz.element_error(name, array, "numbers").into())
}

fn floats(npz: &Npz, name: &str, array: &Array) -> Result<Vec<f32>, SpikeError> {
    Ok(numbers(npz, name, array)?.into_iter().map(|number| number as f32).collect())
}

fn texts(npz: &Npz, name: &str, array: &Array) -> Result<Vec<String>, SpikeError> {
    array.texts().ok_or_else(|| npz.element_error(name, array, "text (`<U`, numpy.str_)").into())
}

/// A single number.
fn number(npz: &mut Npz, name: &str) -> Result<Option<f64>, SpikeError> {
    let Some(array) = npz.take(name) else { return Ok(None) };
    match numbers(npz, name, &array)?[..] {
        [number] => Ok(Some(number)),
        _ => Err(npz.shape_error(name, &array, "one number").into()),
    }
}

/// Whole numbers from 0 on, ascending or not.
fn indices(npz: &mut Npz, name: &str) -> Result<Option<Vec<usize>>, SpikeError> {
    let Some(array) = npz.take(name) else { return Ok(None) };
    let index = |number: f64| {
        let whole = number >= 0.0 && number < f64::from(u32::MAX) && number.fract() == 0.0;
        whole.then_some(number as usize).ok_or_else(|| SpikeError::Content {
            file: npz.file.clone(),
            what: format!("`{name}` has {number}, expected whole numbers from 0 on"),
        })
    };
    numbers(npz, name, &array)?.into_iter().map(index).collect::<Result<_, _>>().map(Some)
}
