//! Neurodata Without Borders, version 2, in HDF5.
//!
//! Responses are the `RoiResponseSeries` of two-photon imaging (deconvolved before dF/F before fluorescence) or the spike
//! times of `units`; trials are the rows of `intervals`; what was shown is an `ImageSeries`, `OpticalSeries` or
//! `IndexSeries` of grey levels in `stimulus/presentation`; pupil and running are found by their names.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::sync::OnceLock;

use hdf5_reader::Dataset;

use super::hdf5::{Found, Hdf5, attribute, is_u8, reference, shape};
use super::identity::{Said, clean};
use super::recording::{Activity, Pictures, Plane, Recording, Screen, Signal, Traces, Window};
use super::{ImportError, ImportOptions, condition, stretches};
use crate::data::align::Clock;
use crate::data::{Session, SessionError, SessionUnit};
use crate::signals::{FrameRate, Raster};

/// Longest side of a picture, pixels.
const LONGEST_SIDE: usize = 4096;
/// Most cells of a recording. A file need not hold what the sizes of its datasets claim: chunks may be absent.
const MOST_CELLS: usize = 1_000_000;
/// Most rows of the tables of trials.
const MOST_TRIALS: usize = 1_000_000;

/// Opens a file.
pub(super) fn open(path: &Path, options: &ImportOptions) -> Result<Session, ImportError> {
    let (file, version) = checked(path)?;
    let lacks = |what: &str| ImportError::lacks(path, "NWB", what);
    let animal = file.text("general/subject/subject_id").map(|name| clean(&name));
    let session = file.text("general/session_id").or_else(|| file.text("identifier")).unwrap_or_default();
    let mut about = toml::Table::new();
    let mut notes = Vec::new();
    let rate = options.frame_rate.unwrap_or(FrameRate::WANG2025);
    let mut say = |key: &str, value: String| about.insert(key.to_owned(), toml::Value::String(value));
    say("source", format!("NWB {version}"));
    say("session_id", clean(&session));

    let processing = file.below("processing");
    let (activity, units, signal) = match imaged(&file, &processing, options, &mut notes)? {
        Some(found) => found,
        None => sorted(&file, options)?.ok_or_else(|| match &options.signal {
            Some(wanted) => lacks(&format!("responses whose path contains `{}`", wanted.escape_debug())),
            None => lacks("responses: no RoiResponseSeries in `processing`, no spike times in `units`"),
        })?,
    };
    say("signal", signal);
    let behavior = behavior(&file, &processing)?;
    let screen = screen(&file, &mut notes)?;
    let windows = match trials(&file, options, &mut notes)? {
        Some(windows) => windows,
        None => {
            notes.push("no table of trials: cut into stretches of a minute".to_owned());
            let (start, end) = extent(&activity);
            stretches(start, end, rate).map_err(|what| file.wrong("processing", what))?
        }
    };
    for (index, window) in windows.iter().enumerate() {
        super::check_length(index, window.end_secs - window.start_secs, rate, units.len())
            .map_err(|what| file.wrong("intervals", what))?;
    }
    if !notes.is_empty() {
        about.insert("notes".to_owned(), toml::Value::Array(notes.into_iter().map(toml::Value::String).collect()));
    }
    let raster = screen.as_ref().map_or(Raster { height: 0, width: 0 }, |(_, pictures)| pictures.raster());
    let recording =
        Recording { rate, activity, behavior, screen, windows, z_scores: OnceLock::new(), means: OnceLock::new() };
    let id = Said::of_session(animal, &session).with(options);
    Ok(Session { id, frame_rate: rate, raster, units, trials: recording.into_trials(), about })
}

/// Opens an HDF5 file that says it is of version 2 of the format, and that version.
pub(in crate::data) fn checked(path: &Path) -> Result<(Hdf5, String), ImportError> {
    let file = Hdf5::open(path)?;
    let version = file.root_text("nwb_version").ok_or_else(|| {
        ImportError::lacks(path, "HDF5", "the attribute `nwb_version` of an NWB file: convert it to NWB 2 first")
    })?;
    let version = clean(&version);
    if !version.trim_start_matches("NWB-").starts_with('2') {
        let what = format!("version 2 of the format, it is in version {version}");
        return Err(ImportError::lacks(path, "NWB", &what));
    }
    Ok((file, version))
}

/// First and last moment of the responses.
fn extent(activity: &Activity) -> (f64, f64) {
    let ends = |first: Option<f64>, last: Option<f64>| Some((first?, last?));
    let extents: Vec<(f64, f64)> = match activity {
        Activity::Traces(planes) => planes
            .iter()
            .filter(|plane| plane.clock.count() > 0)
            .map(|plane| (plane.clock.secs_at(0), plane.clock.secs_at(plane.clock.count() - 1)))
            .collect(),
        Activity::Spikes(cells) => {
            cells.iter().filter_map(|spikes| ends(spikes.first().copied(), spikes.last().copied())).collect()
        }
    };
    extents.into_iter().reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).unwrap_or((0.0, 0.0))
}

/// The clock of a time series: its `timestamps`, or its `starting_time` with a rate.
fn clock(file: &Hdf5, series: &Found, count: usize) -> Result<Clock, SessionError> {
    if let Some(timestamps) = file.dataset(series, "timestamps") {
        let place = format!("{}/timestamps", series.path);
        let times = file.numbers(&place, &timestamps)?;
        if times.len() != count {
            let what =
                format!("it has {} times, but the data have {count} samples along their first axis", times.len());
            return Err(file.wrong(&place, what));
        }
        return Clock::times(times).map_err(|what| file.wrong(&place, what));
    }
    let place = format!("{}/starting_time", series.path);
    let start = file.dataset(series, "starting_time");
    let start = start.ok_or_else(|| file.wrong(&series.path, "it has neither `timestamps` nor `starting_time`"))?;
    let rate_hz = attribute(&start, "rate").filter(|rate| *rate > 0.0 && rate.is_finite());
    let rate_hz = rate_hz.ok_or_else(|| file.wrong(&place, "its attribute `rate` is no positive number"))?;
    let start_secs = file.numbers(&place, &start)?.first().copied().filter(|start| start.is_finite());
    let start_secs = start_secs.ok_or_else(|| file.wrong(&place, "it is no number of seconds"))?;
    Ok(Clock::Steady { start_secs, rate_hz, count })
}

/// Columns of a dataset `[time, cell]` on disk, in their own units.
struct Columns {
    file: Hdf5,
    place: String,
    data: Dataset,
    cells: usize,
    /// Recorded value = stored value x conversion + offset.
    conversion: f64,
    offset: f64,
}

impl std::fmt::Debug for Columns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Columns").field("place", &self.place).field("cells", &self.cells).finish_non_exhaustive()
    }
}

impl Columns {
    /// The data of a time series, `[time]` or `[time, cell]`.
    fn new(file: &Hdf5, series: &Found) -> Result<(Self, usize), SessionError> {
        let place = format!("{}/data", series.path);
        let data = file.dataset(series, "data").ok_or_else(|| file.wrong(&place, "it is missing or damaged"))?;
        let (samples, cells) = match shape(&data)[..] {
            [samples] => (samples, 1),
            [samples, cells @ 1..=MOST_CELLS] => (samples, cells),
            ref other => {
                let expected = format!("expected [time] or [time, cell] of 1 to {MOST_CELLS} cells");
                return Err(file.wrong(&place, format!("it has the shape {other:?}, {expected}")));
            }
        };
        let conversion = attribute(&data, "conversion").filter(|value| value.is_finite() && *value != 0.0);
        let offset = attribute(&data, "offset").filter(|value| value.is_finite());
        let columns = Self {
            file: file.clone(),
            place,
            data,
            cells,
            conversion: conversion.unwrap_or(1.0),
            offset: offset.unwrap_or(0.0),
        };
        Ok((columns, samples))
    }
}

impl Traces for Columns {
    fn cells(&self) -> usize {
        self.cells
    }

    fn read(&self, samples: Range<usize>) -> Result<Vec<Vec<f32>>, SessionError> {
        let values = self.file.rows(&self.place, &self.data, samples)?;
        let value = |value: &f64| (value * self.conversion + self.offset) as f32;
        Ok((0..self.cells).map(|cell| values.iter().skip(cell).step_by(self.cells).map(value).collect()).collect())
    }
}

/// All samples of a time series, `[column][sample]`, on its clock.
pub(in crate::data) fn samples(file: &Hdf5, series: &Found) -> Result<(Clock, Vec<Vec<f32>>), SessionError> {
    let (data, samples) = Columns::new(file, series)?;
    Ok((clock(file, series, samples)?, data.read(0..samples)?))
}

/// How much a series of responses is worth: spikes estimated from it, then relative, then raw fluorescence.
fn rank(series: &Found) -> u8 {
    let path = series.path.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| path.contains(word));
    match () {
        () if has(&["neuropil", "background"]) => 0,
        () if has(&["deconv", "spike", "event", "inferred"]) => 3,
        () if has(&["dfoverf", "df_over_f", "dff", "delta_f"]) => 2,
        () => 1,
    }
}

type Responses = (Activity, Vec<SessionUnit>, String);

/// Cells of two-photon imaging.
fn imaged(
    file: &Hdf5,
    processing: &[Found],
    options: &ImportOptions,
    notes: &mut Vec<String>,
) -> Result<Option<Responses>, SessionError> {
    let mut series: Vec<&Found> = processing.iter().filter(|found| found.kind == "RoiResponseSeries").collect();
    if let Some(wanted) = &options.signal {
        series.retain(|found| found.path.to_ascii_lowercase().contains(&wanted.to_ascii_lowercase()));
    }
    let Some(best) = series.iter().map(|found| rank(found)).max() else { return Ok(None) };
    series.retain(|found| rank(found) == best);
    let mut planes = Vec::new();
    let mut units: Vec<SessionUnit> = Vec::new();
    let mut used: Vec<(String, Vec<usize>)> = Vec::new();
    for found in &series {
        let (columns, samples) = Columns::new(file, found)?;
        let clock = clock(file, found, samples)?;
        let cells = columns.cells;
        let table = Table::of(file, found, processing, cells)?;
        if used.iter().any(|(path, rows)| *path == table.path && *rows == table.rows) && !table.path.is_empty() {
            notes.push(format!("`{}` is of the same cells as an earlier one and was left out", found.path));
            continue;
        }
        units.extend(table.units.iter().cloned());
        planes.push(Plane { traces: Box::new(columns), clock, delays_secs: table.delays_secs });
        used.push((table.path, table.rows));
    }
    let mut seen = std::collections::HashSet::new();
    if !units.iter().all(|unit| seen.insert(unit.unit)) {
        notes.push("the numbers of cells repeat between planes: units are numbered from 0 on".to_owned());
        (0..).zip(&mut units).for_each(|(number, unit)| unit.unit = number);
    }
    let signal = series.iter().map(|found| found.path.as_str()).collect::<Vec<_>>().join(", ");
    Ok(Some((Activity::Traces(planes), units, signal.chars().take(500).collect())))
}

/// The rows of a table of cells that a series is about.
struct Table {
    path: String,
    rows: Vec<usize>,
    units: Vec<SessionUnit>,
    delays_secs: Vec<f64>,
}

impl Table {
    fn of(file: &Hdf5, series: &Found, processing: &[Found], cells: usize) -> Result<Self, SessionError> {
        let unknown = |number: usize| SessionUnit::numbered(number as u32);
        let mut table = Self {
            path: String::new(),
            rows: (0..cells).collect(),
            units: (0..cells).map(unknown).collect(),
            delays_secs: vec![0.0; cells],
        };
        let Some(rois) = file.dataset(series, "rois") else { return Ok(table) };
        let place = format!("{}/rois", series.path);
        let rows = file.numbers(&place, &rois)?;
        if rows.len() != cells {
            return Err(file.wrong(&place, format!("it lists {} cells, but the data have {cells} columns", rows.len())));
        }
        table.rows = rows.iter().map(|&row| row as usize).collect();
        let address = reference(&rois, "table");
        let is_it = |found: &&Found| match address {
            Some(address) => found.group.address() == address,
            None => found.kind == "PlaneSegmentation",
        };
        let Some(cells) = processing.iter().find(is_it) else { return Ok(table) };
        table.path = cells.path.clone();
        let column = |names: &[&str]| names.iter().find_map(|name| file.column(&file.dataset(cells, name)?));
        let ids = column(&["id"]);
        let numbers: Option<Vec<u32>> = ids.as_ref().and_then(|ids| ids.iter().map(|id| id.parse().ok()).collect());
        let areas = column(&["brain_area", "visual_area", "area", "location", "region"]);
        let layers = column(&["layer", "cortical_layer"]);
        let delays = column(&["ms_delay", "delay_ms"]);
        let plane = file.text(&format!("{}/imaging_plane/location", cells.path));
        for (index, &row) in table.rows.iter().enumerate() {
            let cell = |column: &Option<Vec<String>>| column.as_ref().and_then(|column| column.get(row).cloned());
            let unit = &mut table.units[index];
            if ids.as_ref().is_some_and(|ids| row >= ids.len()) {
                let what = format!("cell {index} is row {row} of `{}`, which has no such row", cells.path);
                return Err(file.wrong(&place, what));
            }
            // Numbers that do not fit are of no use to tell cells apart: rows are.
            unit.unit = numbers.as_ref().map_or(row as u32, |numbers| numbers[row]);
            unit.area = named(cell(&areas).or_else(|| plane.clone()));
            unit.layer = named(cell(&layers));
            let delay = cell(&delays).and_then(|delay| delay.parse::<f64>().ok());
            // Slower than any scanner is a mistake of units.
            table.delays_secs[index] = delay.filter(|delay| delay.abs() <= 10_000.0).unwrap_or(0.0) / 1000.0;
        }
        Ok(table)
    }
}

/// A name on one line, if it says something.
fn named(name: Option<String>) -> Option<String> {
    name.map(|name| clean(&name)).filter(|name| !matches!(name.to_ascii_lowercase().as_str(), "" | "unknown" | "nan"))
}

/// A table of units and the times of their spikes, `[unit][spike]`.
type UnitSpikes = (Found, Vec<Vec<f64>>);

/// The table of sorted units, and the times of their spikes as they are stored; `None` when there is none.
pub(in crate::data) fn unit_spikes(file: &Hdf5) -> Result<Option<UnitSpikes>, SessionError> {
    let Some(group) = file.group("units") else { return Ok(None) };
    let table = Found { group, path: "units".to_owned(), kind: "Units".to_owned() };
    let (Some(times), Some(ends)) = (file.dataset(&table, "spike_times"), file.dataset(&table, "spike_times_index"))
    else {
        return Ok(None);
    };
    let times = file.numbers("units/spike_times", &times)?;
    let ends = file.numbers("units/spike_times_index", &ends)?;
    if ends.len() > MOST_CELLS {
        let what = format!("it has {} units, expected at most {MOST_CELLS}", ends.len());
        return Err(file.wrong("units/spike_times_index", what));
    }
    let (mut units, mut start) = (Vec::new(), 0);
    for (index, &end) in ends.iter().enumerate() {
        let spikes = times.get(start..end as usize).ok_or_else(|| {
            let what = format!("the spikes of unit {index} end at {end}, after {start}, of {} spikes", times.len());
            file.wrong("units/spike_times_index", what)
        })?;
        units.push(spikes.to_vec());
        start = end as usize;
    }
    Ok(Some((table, units)))
}

/// Sorted units of extracellular recordings.
fn sorted(file: &Hdf5, options: &ImportOptions) -> Result<Option<Responses>, SessionError> {
    let wanted = options.signal.as_deref().is_none_or(|signal| "units/spike_times".contains(signal));
    let Some((table, of_units)) = (if wanted { unit_spikes(file)? } else { None }) else { return Ok(None) };
    let column = |names: &[&str]| names.iter().find_map(|name| file.column(&file.dataset(&table, name)?));
    let ids = column(&["id"]).unwrap_or_default();
    let areas = column(&["brain_area", "location", "area", "structure", "region"]).unwrap_or_default();
    let layers = column(&["layer", "cortical_layer"]).unwrap_or_default();
    let (mut cells, mut units) = (Vec::new(), Vec::new());
    for (index, spikes) in of_units.into_iter().enumerate() {
        let Ok(Clock::Times(spikes)) = Clock::times(spikes) else {
            let what = format!("the spikes of unit {index} are not in the order of time, or no numbers");
            return Err(file.wrong("units/spike_times", what));
        };
        cells.push(spikes);
        let unit = ids.get(index).and_then(|id| id.parse().ok()).unwrap_or(index as u32);
        units.push(SessionUnit {
            area: named(areas.get(index).cloned()),
            layer: named(layers.get(index).cloned()),
            ..SessionUnit::numbered(unit)
        });
    }
    if cells.is_empty() {
        return Ok(None);
    }
    Ok(Some((Activity::Spikes(cells), units, "units/spike_times".to_owned())))
}

/// Pupil x, pupil y, pupil radius and treadmill velocity, found by their names.
fn behavior(file: &Hdf5, processing: &[Found]) -> Result<[Option<Signal>; 4], SessionError> {
    let acquired = file.below("acquisition");
    let series: Vec<&Found> = processing
        .iter()
        .chain(&acquired)
        .filter(|found| matches!(found.kind.as_str(), "TimeSeries" | "SpatialSeries" | "EllipseSeries"))
        .collect();
    let path = |found: &Found| found.path.to_ascii_lowercase().replace("processing/behavior", "");
    let has = |path: &str, words: &[&str]| words.iter().any(|word| path.contains(word));
    let eye = |path: &str| has(path, &["pupil", "eye", "gaze"]);
    let size = |path: &str| has(path, &["radius", "diameter", "area", "size", "dilation"]);
    let find = |wanted: &dyn Fn(&str) -> bool| series.iter().copied().find(|found| wanted(&path(found)));
    let read = |found: Option<&Found>, columns: &[usize]| -> Result<Vec<Option<Signal>>, SessionError> {
        let nothing = || Ok(columns.iter().map(|_| None).collect());
        let Some(found) = found else { return nothing() };
        let (data, samples) = Columns::new(file, found)?;
        let clock = clock(file, found, samples)?;
        let mut all = data.read(0..samples)?;
        if columns.iter().any(|&column| column >= all.len()) {
            return nothing();
        }
        let signal = |&column: &usize| Some(Signal { clock: clock.clone(), values: std::mem::take(&mut all[column]) });
        Ok(columns.iter().map(signal).collect())
    };
    let place = |path: &str| !size(path) && has(path, &["position", "cent", "location", "gaze", "tracking"]);
    let gaze = find(&|path| path.contains("pupil") && place(path)).or_else(|| find(&|path| eye(path) && place(path)));
    let radius = find(&|path| eye(path) && size(path));
    let running =
        find(&|path| !eye(path) && has(path, &["treadmill", "running", "velocity", "speed", "wheel", "locomotion"]));
    let mut gaze = read(gaze, &[0, 1])?;
    let (y, x) = (gaze.pop().flatten(), gaze.pop().flatten());
    Ok([x, y, read(radius, &[0])?.pop().flatten(), read(running, &[0])?.pop().flatten()])
}

/// Pictures of a dataset `[picture, row, column]`.
struct Stored {
    file: Hdf5,
    place: String,
    data: Dataset,
    raster: Raster,
    /// Columns before rows, as the standard has it.
    transposed: bool,
    /// The picture that each flip showed, where pictures were shown in another order.
    index: Option<Vec<usize>>,
}

impl std::fmt::Debug for Stored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stored").field("place", &self.place).field("raster", &self.raster).finish_non_exhaustive()
    }
}

impl Pictures for Stored {
    fn raster(&self) -> Raster {
        self.raster
    }

    fn read(&self, picture: usize) -> Result<Vec<u8>, SessionError> {
        let picture = match &self.index {
            Some(index) => index.get(picture).copied().unwrap_or(usize::MAX),
            None => picture,
        };
        let pixels = self.file.picture(&self.place, &self.data, picture)?;
        if !self.transposed {
            return Ok(pixels);
        }
        let Raster { height, width } = self.raster;
        Ok((0..height * width).filter_map(|at| pixels.get(at % width * height + at / width).copied()).collect())
    }
}

/// What was on the screen: the first series of grey levels.
fn screen(file: &Hdf5, notes: &mut Vec<String>) -> Result<Option<Screen>, SessionError> {
    let shown = file.below("stimulus/presentation");
    for found in &shown {
        let index = match found.kind.as_str() {
            "ImageSeries" | "OpticalSeries" => None,
            "IndexSeries" => {
                let place = format!("{}/data", found.path);
                let Some(data) = file.dataset(found, "data") else { continue };
                Some(file.numbers(&place, &data)?.into_iter().map(|at| at as usize).collect::<Vec<_>>())
            }
            _ => continue,
        };
        let pictures = match &index {
            None => Some(Found { group: found.group.clone(), path: found.path.clone(), kind: found.kind.clone() }),
            Some(_) => file.group(&format!("{}/indexed_timeseries", found.path)).map(|group| Found {
                group,
                path: format!("{}/indexed_timeseries", found.path),
                kind: String::new(),
            }),
        };
        let data = pictures.as_ref().and_then(|pictures| file.dataset(pictures, "data"));
        let (Some(pictures), Some(data)) = (pictures, data) else {
            notes.push(format!("the pictures of `{}` are stored elsewhere and were not read", found.path));
            continue;
        };
        let sides = 1..=LONGEST_SIDE;
        let (count, first, second) = match shape(&data)[..] {
            [count, first, second] if sides.contains(&first) && sides.contains(&second) && is_u8(&data) => {
                (count, first, second)
            }
            ref other => {
                let what = format!(
                    "`{}` was not read: its data have the shape {other:?}, expected u8 grey levels \
                                    [frame, row, column]",
                    pictures.path
                );
                notes.push(what);
                continue;
            }
        };
        if let Some(wrong) = index.iter().flatten().find(|&&at| at >= count) {
            return Err(file.wrong(&found.path, format!("it shows picture {wrong} of {count}")));
        }
        // Screens are wider than high: what is stored higher than wide has its columns first.
        let transposed = first > second;
        let (height, width) = if transposed { (second, first) } else { (first, second) };
        if transposed {
            notes.push(format!(
                "the pictures of `{}` are stored higher ({first}) than wide ({second}) and were turned: what is stored as \
                 columns became rows",
                pictures.path
            ));
        }
        let flips = clock(file, found, index.as_ref().map_or(count, Vec::len))?;
        let place = format!("{}/data", pictures.path);
        let raster = Raster { height, width };
        let stored = Stored { file: file.clone(), place, data, raster, transposed, index };
        if shown.iter().filter(|other| other.kind.ends_with("Series")).count() > 1 {
            notes.push(format!("of several series of pictures `{}` was taken", found.path));
        }
        return Ok(Some((flips, Box::new(stored))));
    }
    Ok(None)
}

/// The rows of the tables of trials; `None` when there is none.
fn trials(file: &Hdf5, options: &ImportOptions, notes: &mut Vec<String>) -> Result<Option<Vec<Window>>, ImportError> {
    let all = file.below("intervals");
    let is_table = |found: &&Found| found.kind == "TimeIntervals" && !found.path.ends_with("/invalid_times");
    let trials = all.iter().find(|found| found.path == "intervals/trials");
    let presented = || all.iter().filter(is_table).filter(|found| !found.path.ends_with("/epochs"));
    let tables: Vec<&Found> = match trials {
        Some(trials) => vec![trials],
        None if presented().next().is_some() => presented().collect(),
        None => all.iter().filter(is_table).collect(),
    };
    let mut rows: Vec<(Window, Option<bool>)> = Vec::new();
    let mut skipped = 0;
    for table in &tables {
        let time = |name: &str| -> Result<Vec<f64>, SessionError> {
            let place = format!("{}/{name}", table.path);
            let column = file.dataset(table, name).ok_or_else(|| file.wrong(&place, "it is missing or damaged"))?;
            file.numbers(&place, &column)
        };
        let (starts, stops) = (time("start_time")?, time("stop_time")?);
        if starts.len() != stops.len() {
            let what = format!("it has {} start times and {} stop times", starts.len(), stops.len());
            return Err(file.wrong(&table.path, what).into());
        }
        if rows.len() + starts.len() > MOST_TRIALS {
            let what = format!("it has {} rows, expected at most {MOST_TRIALS} trials", starts.len());
            return Err(file.wrong(&table.path, what).into());
        }
        let (_, mut names) = table.group.member_names().unwrap_or_default();
        names.sort();
        let columns: HashMap<&str, Vec<String>> = names
            .iter()
            .filter_map(|name| Some((name.as_str(), file.column(&file.dataset(table, name)?)?)))
            .filter(|(_, column)| column.len() == starts.len())
            .collect();
        let known: Vec<&str> = names.iter().map(String::as_str).filter(|name| columns.contains_key(name)).collect();
        let shown = condition::columns(&known, &options.conditions).map_err(|what| file.wrong(&table.path, what))?;
        let name = table.path.rsplit('/').next().unwrap_or_default();
        for (row, (&start, &stop)) in starts.iter().zip(&stops).enumerate() {
            if !(start.is_finite() && stop.is_finite() && stop > start) {
                skipped += 1;
                continue;
            }
            let of = (tables.len() > 1).then(|| ("stimulus", name.to_owned()));
            let parts = shown.iter().map(|&column| (column, columns[column][row].clone()));
            let condition = condition::text(of.into_iter().chain(parts));
            let training = super::training_flag(&known, |column| columns[column][row].as_str());
            rows.push((Window { start_secs: start, end_secs: stop, condition, training: true }, training));
        }
    }
    if skipped > 0 {
        notes.push(format!("{skipped} trials have no start before their end and were left out"));
    }
    if rows.is_empty() {
        return Ok(None);
    }
    rows.sort_by(|a, b| a.0.start_secs.total_cmp(&b.0.start_secs));
    let conditions: Vec<Option<String>> = rows.iter().map(|(window, _)| window.condition.clone()).collect();
    let once = condition::shown_once(&conditions);
    let flagged = |((mut window, training), once): ((Window, Option<bool>), bool)| {
        window.training = training.unwrap_or(once);
        window
    };
    Ok(Some(rows.into_iter().zip(once).map(flagged).collect()))
}
