//! Sorted units and the table of trials of an NWB file (version 2, HDF5).
//!
//! Regions are a column of the units, or `location` of the electrodes that a unit was seen on. The wheel and the whiskers
//! are time series whose paths say so.

use std::collections::BTreeMap;
use std::path::Path;

use super::error::SpikeError;
use super::recording::{Recording, Trace};
use super::trials::{Column, Trials};
use crate::data::import::ImportError;
use crate::data::import::hdf5::{Found, Hdf5};
use crate::data::import::identity::clean;
use crate::data::import::nwb::{checked, samples, unit_spikes};

/// Columns of the units that name a region.
const REGIONS: [&str; 9] = [
    "brain_region",
    "brain_area",
    "location",
    "area",
    "structure",
    "region",
    "allen_location",
    "anatomical_location",
    "ccf_acronym",
];
/// Columns of the units that judge the sorting.
const QUALITIES: [&str; 6] = ["quality", "label", "unit_quality", "KSLabel", "ks_label", "group"];

/// Reads a file.
pub(super) fn read(path: &Path) -> Result<Recording, SpikeError> {
    let (file, version) = checked(path)?;
    let lacks = |what: &str| SpikeError::from(ImportError::lacks(path, "NWB", what));
    let (table, spikes) = unit_spikes(&file)
        .map_err(ImportError::from)?
        .ok_or_else(|| lacks("sorted units: `units` with `spike_times` and `spike_times_index`"))?;
    let mut notes = vec![format!("NWB {version}")];
    let regions = regions(&file, &table, spikes.len(), &mut notes)?;
    let column = |name: &&str| file.column(&file.dataset(&table, name)?).filter(|texts| texts.len() == spikes.len());
    let good = QUALITIES.iter().find_map(column).map(|texts| texts.iter().map(|text| is_good(text)).collect());
    let subject = file.text("general/subject/subject_id");
    let session = file.text("general/session_id").or_else(|| file.text("identifier"));
    let names: Vec<String> = [subject, session].into_iter().flatten().map(|name| clean(&name)).collect();
    let trials = trials(&file, path, &mut notes)?;
    let mut found = file.below("processing");
    found.extend(file.below("acquisition"));
    let wheel = trace(&file, &found, &["wheel"], true, &mut notes);
    let whisker = trace(&file, &found, &["whisker", "motion_energy", "motionenergy"], false, &mut notes);
    let id = names.into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join("_");
    let file = path.display().to_string();
    Ok(Recording { file, id, spikes, regions, good, trials, wheel, whisker, notes })
}

/// Whether a sorter's label means a well isolated unit.
pub(super) fn is_good(label: &str) -> bool {
    label.trim().eq_ignore_ascii_case("good") || label.trim().parse::<f64>().is_ok_and(|number| number >= 1.0)
}

/// A name of a region, or that it is not known.
pub(super) fn region(name: &str) -> String {
    let name = clean(name);
    let unknown = matches!(name.to_ascii_lowercase().as_str(), "" | "unknown" | "nan" | "none" | "n/a");
    if unknown { "unknown".to_owned() } else { name }
}

/// Where each unit lies.
fn regions(file: &Hdf5, units: &Found, count: usize, notes: &mut Vec<String>) -> Result<Vec<String>, SpikeError> {
    for name in REGIONS {
        let Some(names) = file.dataset(units, name).and_then(|column| file.column(&column)) else { continue };
        if names.len() == count {
            notes.push(format!("regions: column `{name}` of the units"));
            return Ok(names.iter().map(|name| region(name)).collect());
        }
    }
    let path = "general/extracellular_ephys/electrodes";
    let electrodes = file.group(path).map(|group| Found { group, path: path.to_owned(), kind: String::new() });
    let locations = electrodes.and_then(|found| file.column(&file.dataset(&found, "location")?));
    let (Some(locations), Some(rows), Some(ends)) =
        (locations, file.dataset(units, "electrodes"), file.dataset(units, "electrodes_index"))
    else {
        notes.push("regions are not known: neither the units nor their electrodes name any".to_owned());
        return Ok(vec!["unknown".to_owned(); count]);
    };
    let place = "units/electrodes";
    let rows = file.numbers(place, &rows).map_err(ImportError::from)?;
    let ends = file.numbers("units/electrodes_index", &ends).map_err(ImportError::from)?;
    if ends.len() != count {
        let what = format!("it has {} ends for {count} units", ends.len());
        return Err(ImportError::from(file.wrong("units/electrodes_index", what)).into());
    }
    let mut start = 0;
    let mut of_unit = |(unit, &end): (usize, &f64)| {
        let of_unit = rows.get(start..end as usize).ok_or_else(|| {
            let what = format!("the electrodes of unit {unit} end at {end}, after {start}, of {}", rows.len());
            ImportError::from(file.wrong("units/electrodes_index", what))
        })?;
        start = end as usize;
        // The region of most of its electrodes; of two as frequent the first in the alphabet.
        let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
        for &row in of_unit {
            let name = (row >= 0.0).then(|| locations.get(row as usize)).flatten().ok_or_else(|| {
                let what = format!("unit {unit} lies on electrode {row} of {}", locations.len());
                ImportError::from(file.wrong(place, what))
            })?;
            *votes.entry(name).or_default() += 1;
        }
        let most = votes.values().copied().max().unwrap_or(0);
        Ok(votes.iter().find(|(_, votes)| **votes == most).map_or_else(|| region(""), |(name, _)| region(name)))
    };
    let named = ends.iter().enumerate().map(&mut of_unit).collect::<Result<Vec<String>, ImportError>>()?;
    notes.push("regions: `location` of the electrodes of each unit".to_owned());
    Ok(named)
}

/// The table of trials: `intervals/trials`, or the only other table of intervals.
fn trials(file: &Hdf5, path: &Path, notes: &mut Vec<String>) -> Result<Trials, SpikeError> {
    let tables = file.below("intervals");
    let is_table = |found: &&Found| {
        found.kind == "TimeIntervals" && !found.path.ends_with("/invalid_times") && !found.path.ends_with("/epochs")
    };
    let table = tables.iter().find(|found| found.path == "intervals/trials").map_or_else(
        || {
            let others: Vec<&Found> = tables.iter().filter(is_table).collect();
            match others[..] {
                [only] => Ok(only),
                _ => {
                    let found: Vec<&str> = others.iter().map(|found| found.path.as_str()).take(10).collect();
                    let found = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
                    let what = format!("a table of trials `intervals/trials`; tables of intervals: {found}");
                    Err(SpikeError::from(ImportError::lacks(path, "NWB", &what)))
                }
            }
        },
        Ok,
    )?;
    let place = format!("{}`, `{}", path.display(), table.path);
    let mut trials = Trials { file: place, ..Trials::default() };
    let (_, mut names) = table.group.member_names().unwrap_or_default();
    names.sort();
    let times = |name: &str| -> Result<Column, SpikeError> {
        let place = format!("{}/{name}", table.path);
        let column = file.dataset(table, name).ok_or_else(|| file.wrong(&place, "it is missing or damaged"));
        let column = column.and_then(|column| file.numbers(&place, &column));
        Ok(Column::Numbers(column.map_err(ImportError::from)?))
    };
    trials.push("start_time", times("start_time")?)?;
    trials.push("stop_time", times("stop_time")?)?;
    let mut skipped = Vec::new();
    for name in &names {
        let ragged = name.ends_with("_index") || names.contains(&format!("{name}_index"));
        if ragged || matches!(name.as_str(), "id" | "start_time" | "stop_time" | "timeseries") {
            continue;
        }
        match file.dataset(table, name).and_then(|column| file.column(&column)) {
            Some(texts) if texts.len() == trials.count => trials.push(name, Column::of_texts(texts))?,
            _ => skipped.push(name.as_str()),
        }
    }
    if !skipped.is_empty() {
        skipped.truncate(20);
        notes.push(format!(
            "columns of trials with other than one number or text were left out: {}",
            skipped.join(", ")
        ));
    }
    Ok(trials)
}

/// A time series whose path has one of these words. What cannot be used is told and left out: spikes can do without.
fn trace(file: &Hdf5, found: &[Found], words: &[&str], wheel: bool, notes: &mut Vec<String>) -> Option<Trace> {
    let path = |found: &Found| found.path.to_ascii_lowercase();
    let series = || {
        found.iter().filter(|found| {
            matches!(found.kind.as_str(), "TimeSeries" | "SpatialSeries")
                && words.iter().any(|word| path(found).contains(word))
        })
    };
    let speed = |found: &&Found| ["speed", "velocity"].iter().any(|word| path(found).contains(word));
    let position = |found: &&Found| path(found).contains("position");
    let chosen = match wheel {
        true => series().find(speed).or_else(|| series().find(position)),
        // The whiskers themselves first; motion of the body is none of theirs.
        false => words.iter().find_map(|word| {
            series().find(|found| path(found).contains(word) && (*word == "whisker" || !path(found).contains("body")))
        }),
    }?;
    let is_position = wheel && !speed(&chosen);
    let name = if wheel { "wheel" } else { "whisker" };
    let (clock, columns) = match samples(file, chosen) {
        Ok(read) => read,
        Err(error) => {
            notes.push(format!("the {name} was left out: {error}"));
            return None;
        }
    };
    let values = columns.into_iter().next()?;
    notes.push(format!("{name}: `{}`{}", chosen.path, if wheel { ", as speed without its sign" } else { "" }));
    Some(if is_position {
        let secs = (0..clock.count()).map(|sample| clock.secs_at(sample)).collect();
        Trace::Position { secs, values: values.into_iter().map(f64::from).collect() }
    } else {
        Trace::Level { clock, values: values.into_iter().map(if wheel { f32::abs } else { |value| value }).collect() }
    })
}
