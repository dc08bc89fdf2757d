//! A folder of the International Brain Laboratory's ALF files: `spikes.times.npy`, `spikes.clusters.npy`, the table of trials
//! (`_ibl_trials.*.npy`, or `_ibl_trials.table.pqt`, `.csv` or `.npz`), and the regions of clusters or channels.
//!
//! A file is called `_namespace_object.attribute.extra.ending`; namespace and extra parts may be absent. Folders of several
//! probes are read together.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::error::SpikeError;
use super::nwb::{is_good, region};
use super::parquet_table::{self, TableError};
use super::recording::{Recording, Trace};
use super::trials::{Column, Trials};
use crate::data::ArrayError;
use crate::data::align::Clock;
use crate::data::import::ImportError;
use crate::data::import::array::{Archive, Array};
use crate::data::import::csv_table::records;
use crate::data::import::identity::clean;

/// Deepest folder that is looked into, and most entries that are looked at.
const DEEPEST: usize = 5;
const MOST_ENTRIES: usize = 20_000;
/// Most spikes of a probe; long recordings have 30 million.
const MOST_SPIKES: usize = 300_000_000;
/// Largest number of a cluster.
const MOST_CLUSTERS: f64 = 1e6;
/// Most columns of an array `[trial, column]`.
const MOST_COLUMNS: usize = 8;
/// What to do with tables in Parquet that are written in a way that is not read.
const REWRITE: &str = "write it again with Snappy, in Python with `pandas.read_parquet(FILE).to_parquet(FILE)`, or as \
                       `_ibl_trials.table.csv`";

/// A file by the parts of its name.
#[derive(Debug)]
struct AlfFile {
    folder: PathBuf,
    path: PathBuf,
    object: String,
    attribute: String,
    ending: String,
}

impl AlfFile {
    fn new(path: PathBuf) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_owned();
        // `_ibl_trials` is the object `trials` of the namespace `ibl`.
        let plain = match name.strip_prefix('_') {
            Some(rest) => rest.split_once('_')?.1,
            None => &name,
        };
        let mut parts = plain.split('.');
        let (object, attribute) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        let ending = parts.next_back()?.to_ascii_lowercase();
        Some(Self { folder: path.parent()?.to_owned(), path, object, attribute, ending })
    }

    fn is(&self, object: &str, attribute: &str) -> bool {
        self.object == object && self.attribute == attribute && self.ending == "npy"
    }
}

/// All files of a folder and the folders in it.
fn walk(folder: &Path, depth: usize, found: &mut Vec<AlfFile>, seen: &mut usize) -> std::io::Result<()> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        *seen += 1;
        if *seen > MOST_ENTRIES {
            break;
        }
        paths.push(entry?.path());
    }
    paths.sort();
    for path in paths {
        if path.is_dir() {
            if depth > 0 {
                // A folder that may not be read has nothing to tell.
                let _ = walk(&path, depth - 1, found, seen);
            }
        } else {
            found.extend(AlfFile::new(path));
        }
    }
    Ok(())
}

/// Whether a folder, or one in it, has spikes.
pub(super) fn is_folder(path: &Path) -> bool {
    let (mut found, mut seen) = (Vec::new(), 0);
    walk(path, DEEPEST, &mut found, &mut seen).is_ok() && found.iter().any(|file| file.is("spikes", "times"))
}

/// Reads a folder.
pub(super) fn read(path: &Path) -> Result<Recording, SpikeError> {
    let failed = |source| ImportError::Read { path: path.display().to_string(), source };
    let (mut files, mut seen) = (Vec::new(), 0);
    walk(path, DEEPEST, &mut files, &mut seen).map_err(failed)?;
    if !files.iter().any(|file| file.object == "trials") {
        // The folder of a probe: trials lie beside it.
        for folder in std::path::absolute(path).map_err(failed)?.ancestors().skip(1).take(2) {
            let _ = walk(folder, 0, &mut files, &mut seen);
        }
    }
    let lacks = |what: &str| SpikeError::from(ImportError::lacks(path, "an ALF folder", what));
    let probes: Vec<&AlfFile> = files.iter().filter(|file| file.is("spikes", "times")).collect();
    for (index, one) in probes.iter().enumerate() {
        let inside = |other: &&&AlfFile| other.folder.starts_with(&one.folder) || one.folder.starts_with(&other.folder);
        if let Some(other) = probes[index + 1..].iter().find(inside) {
            let what = format!(
                "the spikes of a probe once: `{}` and `{}` seem to hold the same; name the folder of one of them",
                one.path.display(),
                other.path.display()
            );
            return Err(lacks(&what));
        }
    }
    let mut recording = Recording { file: path.display().to_string(), id: name(path), ..Recording::default() };
    let mut good = Vec::new();
    for times in &probes {
        probe(times, &files, &mut recording, &mut good)?;
    }
    if probes.is_empty() {
        return Err(lacks("`spikes.times.npy`"));
    }
    if good.len() == recording.spikes.len() {
        recording.good = Some(good);
    }
    recording.trials = trials(path, &files, &mut recording.notes)?;
    recording.wheel = wheel(&files, &mut recording.notes);
    recording.whisker = whisker(&files, &mut recording.notes);
    Ok(recording)
}

/// Animal, date and number of the session, as the folders above have it; else the name of the folder.
fn name(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let parts: Vec<String> = path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    let is_date = |text: &String| {
        let digits = |range: std::ops::Range<usize>| text.as_bytes()[range].iter().all(u8::is_ascii_digit);
        let bytes = text.as_bytes();
        bytes.len() == 10 && bytes[4] == b'-' && bytes[7] == b'-' && digits(0..4) && digits(5..7) && digits(8..10)
    };
    let date = parts.iter().rposition(is_date).filter(|&at| at > 0);
    let name = match date {
        Some(at) => parts[at - 1..parts.len().min(at + 2)].join("_"),
        None => parts.last().cloned().unwrap_or_default(),
    };
    clean(&name)
}

/// All numbers of a list.
fn list(file: &AlfFile) -> Result<Vec<f64>, SpikeError> {
    let array = Array::open(&file.path)?;
    if array.shape().iter().filter(|&&size| size != 1).count() > 1 || array.len() > MOST_SPIKES {
        let what = format!("it has the shape {:?}, expected a list of at most {MOST_SPIKES} numbers", array.shape());
        return Err(array.wrong(what).into());
    }
    Ok(array.all()?)
}

/// Adds the neurons of a probe: the clusters that have spikes.
fn probe(times: &AlfFile, files: &[AlfFile], to: &mut Recording, good: &mut Vec<bool>) -> Result<(), SpikeError> {
    let beside: Vec<&AlfFile> = files.iter().filter(|file| file.folder == times.folder).collect();
    let clusters = beside.iter().find(|file| file.is("spikes", "clusters")).ok_or_else(|| {
        let what = "`spikes.clusters.npy` beside `spikes.times.npy`";
        SpikeError::from(ImportError::lacks(&times.folder, "an ALF folder", what))
    })?;
    let (spikes, of) = (list(times)?, list(clusters)?);
    let wrong = |what: String| SpikeError::Content { file: clusters.path.display().to_string(), what };
    if spikes.len() != of.len() {
        return Err(wrong(format!("it has {} numbers, but there are {} times of spikes", of.len(), spikes.len())));
    }
    let mut neurons: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for (index, (&time, &cluster)) in spikes.iter().zip(&of).enumerate() {
        if !(0.0..MOST_CLUSTERS).contains(&cluster) || cluster.fract() != 0.0 {
            return Err(wrong(format!("spike {index} belongs to cluster {cluster}, expected whole numbers from 0 on")));
        }
        neurons.entry(cluster as usize).or_default().push(time);
    }
    let regions = regions(&beside, &mut to.notes)?;
    let labels = labels(&beside);
    for (cluster, spikes) in neurons {
        to.spikes.push(spikes);
        let name = regions.as_ref().map_or("", |names| names.get(cluster).map_or("", String::as_str));
        to.regions.push(region(name));
        good.extend(labels.as_ref().map(|labels| labels.get(cluster).is_some_and(|label| is_good(label))));
    }
    Ok(())
}

/// Texts of an array or of a column of a table, `[cluster]` or `[channel]`.
fn texts(file: &AlfFile, columns: &[&str]) -> Result<Option<Vec<String>>, SpikeError> {
    match file.ending.as_str() {
        "npy" => {
            let array = Array::open(&file.path)?;
            let whole = array.shape().len() == 1 && array.len() <= MOST_CLUSTERS as usize;
            Ok(if whole { Some(array.texts()?) } else { None })
        }
        "csv" => {
            let (names, rows) = records(&file.path)?;
            // The name that stands first among the wanted ones, wherever it stands in the file.
            let place = |wanted: &[&str]| {
                wanted.iter().find_map(|wanted| names.iter().position(|name| name.eq_ignore_ascii_case(wanted)))
            };
            let Some(column) = place(columns) else { return Ok(None) };
            let Some(id) = place(&["cluster_id", "cluster", "channel", "id"]) else {
                return Ok(Some(rows.iter().map(|row| row.get(column).unwrap_or_default().to_owned()).collect()));
            };
            let mut texts = Vec::new();
            for row in &rows {
                let at = row.get(id).and_then(|id| id.trim().parse::<f64>().ok());
                let Some(at) = at.filter(|at| (0.0..MOST_CLUSTERS).contains(at)).map(|at| at as usize) else {
                    continue;
                };
                if texts.len() <= at {
                    texts.resize(at + 1, String::new());
                }
                texts[at] = row.get(column).unwrap_or_default().to_owned();
            }
            Ok(Some(texts))
        }
        _ => Ok(None),
    }
}

/// Columns of tables that name a region.
const ACRONYMS: [&str; 7] = ["acronym", "brain_region", "brainregion", "region", "location", "brain_area", "area"];

/// Region of each cluster by its number; `None` where no file tells.
fn regions(beside: &[&AlfFile], notes: &mut Vec<String>) -> Result<Option<Vec<String>>, SpikeError> {
    let says = |file: &AlfFile| {
        let attribute = file.attribute.to_ascii_lowercase();
        let named = ["acronym", "region", "locationacronyms"].iter().any(|word| attribute.contains(word));
        named || file.ending == "csv"
    };
    let ids = |file: &AlfFile| file.attribute.to_ascii_lowercase().contains("brainlocationids") && file.ending == "npy";
    let mut tried: Vec<(&AlfFile, bool)> = Vec::new();
    for object in ["clusters", "channels"] {
        let of = || beside.iter().filter(move |file| file.object == object);
        tried.extend(of().filter(|file| says(file)).map(|file| (*file, false)));
        tried.extend(of().filter(|file| ids(file)).map(|file| (*file, true)));
    }
    for (file, is_id) in tried {
        let mut names = match texts(file, &ACRONYMS) {
            Ok(Some(names)) => names,
            Ok(None) => continue,
            // Texts that were pickled are in these files often.
            Err(SpikeError::Array(error @ ArrayError::Element { .. })) => {
                notes.push(format!("left out: {error}"));
                continue;
            }
            Err(error) => return Err(error),
        };
        if is_id {
            names.iter_mut().for_each(|name| *name = format!("CCF {name}"));
        }
        let shown = file.path.file_name().unwrap_or_default().display().to_string();
        if file.object == "clusters" {
            notes.push(format!("regions: `{shown}`"));
            return Ok(Some(names));
        }
        let Some(channels) = beside.iter().find(|file| file.is("clusters", "channels")) else { continue };
        let channel = |channel: f64| (channel >= 0.0).then(|| names.get(channel as usize).cloned()).flatten();
        notes.push(format!("regions: `{shown}` of the channel of each cluster"));
        return Ok(Some(list(channels)?.into_iter().map(|at| channel(at).unwrap_or_default()).collect()));
    }
    notes.push("regions are not known: neither clusters nor channels name any".to_owned());
    Ok(None)
}

/// What the sorting says of each cluster.
fn labels(beside: &[&AlfFile]) -> Option<Vec<String>> {
    let mut metrics = beside.iter().filter(|file| file.object == "clusters");
    let labels = |file: &&AlfFile| match (file.attribute.as_str(), file.ending.as_str()) {
        ("metrics" | "table", "csv") | ("label" | "labels", "npy") => {
            texts(file, &["label", "ks2_label", "quality", "group"]).ok().flatten()
        }
        _ => None,
    };
    metrics.find_map(labels)
}

/// The table of trials, from arrays of one attribute each or from a table.
fn trials(path: &Path, files: &[AlfFile], notes: &mut Vec<String>) -> Result<Trials, SpikeError> {
    let lacks = |what: &str| SpikeError::from(ImportError::lacks(path, "an ALF folder", what));
    let all: Vec<&AlfFile> = files.iter().filter(|file| file.object == "trials").collect();
    let Some(first) = all.first() else {
        return Err(lacks("trials: `_ibl_trials.*.npy`, or `_ibl_trials.table` with the ending .pqt, .csv or .npz"));
    };
    if let Some(other) = all.iter().find(|file| file.folder != first.folder) {
        let (one, two) = (first.folder.display(), other.folder.display());
        return Err(lacks(&format!("trials in one folder: they lie in `{one}` and in `{two}`")));
    }
    let mut trials = Trials { file: format!("{}`, `trials", first.folder.display()), ..Trials::default() };
    let (mut skipped, mut unread) = (Vec::new(), None);
    for file in &all {
        match (file.attribute.as_str(), file.ending.as_str()) {
            ("table", "csv") => {
                let (names, rows) = records(&file.path)?;
                for (at, name) in names.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
                    let texts = rows.iter().map(|row| row.get(at).unwrap_or_default().to_owned()).collect();
                    trials.push(name, Column::of_texts(texts))?;
                }
            }
            ("table", "npz") => {
                let mut archive = Archive::open(&file.path)?;
                for name in archive.names().to_vec() {
                    let array = archive.array(&name)?;
                    push(&mut trials, &name, &array, &mut skipped)?;
                }
            }
            (attribute, "npy") => match Array::open(&file.path) {
                Ok(array) => push(&mut trials, attribute, &array, &mut skipped)?,
                // Objects that were pickled, and the like: one attribute of many.
                Err(error @ ArrayError::Element { .. }) => notes.push(format!("left out: {error}")),
                Err(error) => return Err(error.into()),
            },
            ("table", "pqt" | "parquet") => {
                let shown = file.path.display();
                // A CSV table was made from it, and perhaps changed.
                if all.iter().any(|other| other.attribute == "table" && other.ending == "csv") {
                    notes.push(format!(
                        "left out `{shown}`: `_ibl_trials.table.csv` is read instead of the Parquet table"
                    ));
                    continue;
                }
                match parquet_table::read(&file.path) {
                    Ok(table) => {
                        for (name, column) in table.columns {
                            trials.push(&name, column)?;
                        }
                        skipped.extend(table.left_out.iter().map(|name| clean(name)));
                    }
                    Err(TableError::Unsupported(what)) => {
                        unread = Some((shown.to_string(), format!("{what}; {REWRITE}")))
                    }
                    Err(error) => {
                        return Err(SpikeError::Content { file: shown.to_string(), what: error.to_string() });
                    }
                }
            }
            _ => {}
        }
    }
    // As for arrays of objects: other files may have what is needed.
    match unread {
        Some((file, what)) if trials.event(None).is_err() => return Err(SpikeError::Content { file, what }),
        Some((file, what)) => notes.push(format!("left out `{file}`: {what}")),
        None => {}
    }
    if trials.columns.is_empty() {
        return Err(lacks("a table of trials that can be read"));
    }
    if !skipped.is_empty() {
        skipped.truncate(20);
        notes.push(format!("attributes of trials of another shape or kind were left out: {}", skipped.join(", ")));
    }
    Ok(trials)
}

/// Adds an array `[trial]`, or each column of one `[trial, column]`.
fn push(trials: &mut Trials, name: &str, array: &Array, skipped: &mut Vec<String>) -> Result<(), SpikeError> {
    let column = |array: &Array| -> Result<Column, SpikeError> {
        Ok(if array.is_numeric() { Column::Numbers(array.all()?) } else { Column::of_texts(array.texts()?) })
    };
    match *array.shape() {
        [_] => trials.push(name, column(array)?)?,
        [_, 1] => trials.push(name, column(array)?)?,
        [_, columns @ 2..=MOST_COLUMNS] if array.is_numeric() => {
            let all = array.all()?;
            for column in 0..columns {
                let numbers = all.iter().skip(column).step_by(columns).copied().collect();
                trials.push(&format!("{name}_{column}"), Column::Numbers(numbers))?;
            }
        }
        _ => skipped.push(clean(name)),
    }
    Ok(())
}

/// Numbers of two files that belong together; what is wrong with them is told, and they are left out.
fn pair(what: &str, values: &AlfFile, times: &AlfFile, notes: &mut Vec<String>) -> Option<(Vec<f64>, Vec<f64>)> {
    let read = || -> Result<_, SpikeError> { Ok((list(values)?, list(times)?)) };
    let told = match read() {
        Ok((values, times)) if values.len() == times.len() && !times.is_empty() => match Clock::times(times) {
            Ok(Clock::Times(times)) => return Some((values, times)),
            Ok(Clock::Steady { .. }) => return None,
            Err(what) => what,
        },
        Ok((values, times)) => format!("there are {} values, but {} times", values.len(), times.len()),
        Err(error) => error.to_string(),
    };
    notes.push(format!("the {what} was left out: {told}"));
    None
}

fn wheel(files: &[AlfFile], notes: &mut Vec<String>) -> Option<Trace> {
    let position = files.iter().find(|file| file.is("wheel", "position"))?;
    let times = files.iter().find(|file| file.is("wheel", "timestamps") && file.folder == position.folder)?;
    let (values, secs) = pair("wheel", position, times, notes)?;
    notes.push("wheel: speed without its sign, from `wheel.position`".to_owned());
    Some(Trace::Position { secs, values })
}

fn whisker(files: &[AlfFile], notes: &mut Vec<String>) -> Option<Trace> {
    let of = |camera: &str| {
        let energy = files.iter().find(|file| file.is(camera, "ROIMotionEnergy"))?;
        let times = files.iter().find(|file| file.is(camera, "times") && file.folder == energy.folder)?;
        Some((energy, times))
    };
    let (energy, times) = of("leftCamera").or_else(|| of("rightCamera"))?;
    let (values, secs) = pair("whisker", energy, times, notes)?;
    notes.push(format!("whisker: motion energy of the {}", energy.object));
    Some(Trace::Level { clock: Clock::Times(secs), values: values.into_iter().map(|value| value as f32).collect() })
}
