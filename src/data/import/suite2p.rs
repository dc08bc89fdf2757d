//! The output of Suite2p for one plane: responses without stimuli.
//!
//! `spks.npy` (deconvolved), `F.npy` and `Fneu.npy` are f32 `[region, frame]`, `iscell.npy` `[region, 2]` tells cells from
//! other regions. `stat.npy` and `ops.npy` hold pickled Python objects, which are programs: their data are read, and
//! nothing in them is executed. `stat.npy` is a dictionary for each region, of which `med` is its centre, `[y, x]` in
//! pixels; `fs` of the dictionary `ops.npy` is the frame rate.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::array::Array;
use super::identity::Said;
use super::pickle::Pickled;
use super::recording::{Activity, Plane, Recording, Traces};
use super::{ImportError, ImportOptions, check_length, content, stretches};
use crate::data::align::Clock;
use crate::data::{Session, SessionError, SessionUnit};
use crate::signals::{FrameRate, Raster};

const FORMAT: &str = "a Suite2p folder";
/// Part of the surrounding neuropil's fluorescence that is subtracted from a cell's, Suite2p's own default.
const NEUROPIL: f32 = 0.7;
/// Largest coordinate of a region, pixels; planes have some hundreds, and several side by side some thousands.
const LARGEST_PX: f64 = 1e6;

/// Whether a folder holds the output for a plane, or several of them.
pub(super) fn is_folder(path: &Path) -> bool {
    planes(path).is_ok_and(|planes| !planes.is_empty())
}

/// The folders with the output of a plane: this one, or `suite2p/plane0` and the like in it.
fn planes(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    let is_plane = |folder: &Path| folder.join("F.npy").is_file() || folder.join("spks.npy").is_file();
    if is_plane(path) {
        return Ok(vec![path.to_owned()]);
    }
    let below = path.join("suite2p");
    let folder = if below.is_dir() { below } else { path.to_owned() };
    if is_plane(&folder.join("combined")) {
        return Ok(vec![folder.join("combined")]);
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let named = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("plane"));
        if named && is_plane(&path) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Opens a folder.
pub(super) fn open(path: &Path, options: &ImportOptions) -> Result<Session, ImportError> {
    let failed = |source| ImportError::Read { path: path.display().to_string(), source };
    let planes = planes(path).map_err(failed)?;
    let [folder] = &planes[..] else {
        let what = format!("one plane: it has {}, so name the folder of one of them", planes.len());
        return Err(ImportError::lacks(path, FORMAT, &what));
    };
    let (traces, name) = choose(folder, options)?;
    let [regions, frames] = shape(&traces[0].0)?;
    for (array, _) in &traces[1..] {
        if shape(array)? != [regions, frames] {
            let what = format!("it has the shape {:?}, expected [{regions}, {frames}]", array.shape());
            return Err(array.wrong(what).into());
        }
    }
    let cells = cells(folder, regions)?;
    if cells.is_empty() {
        return Err(ImportError::lacks(path, FORMAT, "cells: `iscell.npy` calls none of its regions one"));
    }
    let rate = options.frame_rate.map_or_else(|| frame_rate(&folder.join("ops.npy")), Ok).map_err(|why| {
        let what = format!(
            "a frame rate that can be read in `ops.npy`{why}: name it with `twinscope session convert --frame-rate`"
        );
        ImportError::lacks(path, FORMAT, &what)
    })?;
    let clock = Clock::Steady { start_secs: 0.0, rate_hz: rate.0, count: frames };
    let windows = stretches(0.0, frames as f64 / rate.0, rate).map_err(|what| traces[0].0.wrong(what))?;
    check_length(0, windows[0].end_secs, rate, cells.len()).map_err(|what| traces[0].0.wrong(what))?;
    let (positions, found) = positions(folder, regions)?;
    let unit = |&cell: &usize| SessionUnit { position_px: positions[cell], ..SessionUnit::numbered(cell as u32) };
    let units = cells.iter().map(unit).collect();
    let mut about = toml::Table::new();
    let mut say = |key: &str, value: String| about.insert(key.to_owned(), toml::Value::String(value));
    say("source", "Suite2p".to_owned());
    say("signal", name.to_owned());
    say("regions", format!("{} of {regions} are cells; stimuli and behaviour are not part of the format", cells.len()));
    if let Some(found) = found {
        say("positions", found);
    }
    let delays_secs = vec![0.0; cells.len()];
    let plane = Plane { traces: Box::new(Regions { traces, cells, frames }), clock, delays_secs };
    let recording = Recording {
        rate,
        activity: Activity::Traces(vec![plane]),
        behavior: [None, None, None, None],
        screen: None,
        windows,
        z_scores: OnceLock::new(),
        means: OnceLock::new(),
    };
    let id = Said::default().with(options);
    let raster = Raster { height: 0, width: 0 };
    Ok(Session { id, frame_rate: rate, raster, units, trials: recording.into_trials(), about })
}

type Chosen = (Vec<(Array, f32)>, &'static str);

/// The arrays that make the responses, each with its weight, and what they are called.
fn choose(folder: &Path, options: &ImportOptions) -> Result<Chosen, ImportError> {
    let array = |name: &str, weight: f32| Ok::<_, ImportError>((Array::open(&folder.join(name))?.kept_open()?, weight));
    let has = |name: &str| folder.join(name).is_file();
    match options.signal.as_deref() {
        None | Some("spks" | "deconv") if has("spks.npy") => Ok((vec![array("spks.npy", 1.0)?], "spks (deconvolved)")),
        None | Some("dff" | "F - Fneu") if has("F.npy") && has("Fneu.npy") => {
            let traces = vec![array("F.npy", 1.0)?, array("Fneu.npy", -NEUROPIL)?];
            Ok((traces, "F - 0.7 Fneu (fluorescence without neuropil)"))
        }
        None | Some("F") if has("F.npy") => Ok((vec![array("F.npy", 1.0)?], "F (fluorescence)")),
        Some(wanted) => {
            let what = format!("responses named `{}`: choose spks, F, or `F - Fneu`", wanted.escape_debug());
            Err(ImportError::lacks(folder, FORMAT, &what))
        }
        None => Err(ImportError::lacks(folder, FORMAT, "`F.npy` and `spks.npy`")),
    }
}

fn shape(array: &Array) -> Result<[usize; 2], SessionError> {
    match array.shape() {
        &[regions, frames] if regions > 0 && frames > 0 && array.is_numeric() => Ok([regions, frames]),
        other => Err(array.wrong(format!("it has the shape {other:?}, expected numbers [region, frame]")).into()),
    }
}

/// The regions that are cells; all where nothing is said.
fn cells(folder: &Path, regions: usize) -> Result<Vec<usize>, SessionError> {
    let path = folder.join("iscell.npy");
    if !path.is_file() {
        return Ok((0..regions).collect());
    }
    let array = Array::open(&path)?;
    let columns = match *array.shape() {
        [found] if found == regions => 1,
        [found, columns] if found == regions && columns > 0 => columns,
        ref other => {
            let what =
                format!("it has the shape {other:?}, expected [{regions}, 2] as the responses have {regions} regions");
            return Err(array.wrong(what).into());
        }
    };
    let flags = array.all()?;
    Ok((0..regions).filter(|region| flags[region * columns] != 0.0).collect())
}

/// x and y of each region, and what is to be said of them.
type Positions = (Vec<Option<[f32; 2]>>, Option<String>);

/// Nothing is said where there is no `stat.npy`, and why positions are not known where it cannot be read.
fn positions(folder: &Path, regions: usize) -> Result<Positions, SessionError> {
    let path = folder.join("stat.npy");
    if !path.is_file() {
        return Ok((vec![None; regions], None));
    }
    let stat = Pickled::open(&path, "med");
    let centres = stat.as_ref().map_err(String::clone).and_then(|stat| stat.pairs());
    if let Ok(centres) = &centres
        && centres.len() != regions
    {
        let what = format!("it tells of {} regions, but the responses have {regions}", centres.len());
        return Err(content(&path.display().to_string(), "", what));
    }
    let position = |(region, centre): (usize, Result<[f64; 2], String>)| {
        let of = |what: String| format!("of region {region}, {what}");
        let [y, x] = centre.map_err(of)?;
        if [y, x].iter().all(|side| side.abs() <= LARGEST_PX) {
            return Ok(Some([x as f32, y as f32]));
        }
        Err(of(format!("`med` is [{y}, {x}], which is nowhere in a plane")))
    };
    match centres.and_then(|centres| centres.enumerate().map(position).collect::<Result<Vec<_>, String>>()) {
        Ok(positions) => {
            let combined = std::path::absolute(folder).is_ok_and(|full| full.ends_with("combined"));
            let of = if combined { "the planes side by side" } else { "the imaging plane" };
            Ok((positions, Some(format!("centres of the regions in pixels of {of}, from `stat.npy`"))))
        }
        Err(why) => Ok((vec![None; regions], Some(format!("not known, as `stat.npy` cannot be read: {why}")))),
    }
}

/// The number `fs` of `ops.npy`. The error is the reason in brackets, or nothing where there is no file.
fn frame_rate(path: &Path) -> Result<FrameRate, String> {
    if !path.is_file() {
        return Err(String::new());
    }
    let rate = Pickled::open(path, "fs").and_then(|ops| ops.number()).map_err(|why| format!(" ({why})"))?;
    let possible = (0.1..=1000.0).contains(&rate);
    if possible { Ok(FrameRate(rate)) } else { Err(format!(" (`fs` is {rate}, expected 0.1 to 1000 per second)")) }
}

/// The rows of some regions of arrays `[region, frame]`, added with their weights.
#[derive(Debug)]
struct Regions {
    traces: Vec<(Array, f32)>,
    cells: Vec<usize>,
    frames: usize,
}

impl Traces for Regions {
    fn cells(&self) -> usize {
        self.cells.len()
    }

    fn read(&self, samples: std::ops::Range<usize>) -> Result<Vec<Vec<f32>>, SessionError> {
        let one = |&cell: &usize| {
            let mut sum = vec![0.0; samples.len()];
            for (array, weight) in &self.traces {
                let values = array.f32s(cell * self.frames + samples.start, samples.len())?;
                sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += weight * value);
            }
            Ok(sum)
        };
        self.cells.iter().map(one).collect()
    }
}
