//! The published layout: one core for all scans, one file of readouts a scan, and tables of scans and units.
//!
//! ```text
//! params_core.pt                    keys that start with `core.`
//! params_<session>_<scan>.pt        all other keys
//! scans.csv                         session,scan_idx,units            (checked when present)
//! units.csv                         session,scan_idx,unit_id,readout_id (checked when present)
//! ```
//! An `animal_id` column in units.csv names the animal; the published table has none.

use std::path::{Path, PathBuf};

use super::WeightError;
use super::load::read_file;
use crate::signals::UnitId;

/// Name of the file with the shared core.
pub(super) const CORE: &str = "params_core.pt";

/// Session and scan.
pub(super) type ScanId = (u32, u32);

/// The name of a scan in messages and on the command line.
pub(super) fn scan_name((session, scan): ScanId) -> String {
    format!("{session}-{scan}")
}

/// The scan that a file of readouts belongs to, by its name.
pub(super) fn scan_of_file(path: &Path) -> Option<ScanId> {
    let (session, scan) = path.file_name()?.to_str()?.strip_prefix("params_")?.strip_suffix(".pt")?.split_once('_')?;
    Some((session.parse().ok()?, scan.parse().ok()?))
}

/// The file of readouts in a folder: that of the scan asked for, or the only one.
pub(super) fn readouts(folder: &Path, asked: Option<&str>) -> Result<(PathBuf, ScanId), WeightError> {
    let failed = |source| WeightError::Read { file: folder.display().to_string(), source };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if let Some(scan) = scan_of_file(&path) {
            found.push((scan, path));
        }
    }
    found.sort();
    if !folder.join(CORE).is_file() || found.is_empty() {
        let why = if found.is_empty() {
            "the folder has no params_<session>_<scan>.pt"
        } else {
            "the folder has no params_core.pt"
        };
        return Err(WeightError::NoTwin { path: folder.display().to_string(), why: why.to_owned() });
    }
    let scans = || found.iter().map(|(scan, _)| scan_name(*scan)).collect();
    let folder = folder.display().to_string();
    let chosen = match asked {
        Some(name) => found.iter().find(|(scan, _)| scan_name(*scan) == name),
        None if found.len() > 1 => return Err(WeightError::SeveralScans { folder, scans: scans() }),
        None => found.first(),
    };
    match chosen {
        Some((scan, path)) => Ok((path.clone(), *scan)),
        None => Err(WeightError::UnknownScan { folder, asked: asked.unwrap_or_default().to_owned(), scans: scans() }),
    }
}

/// The identities of a scan's units, one a row of the readout, from the tables beside the weights.
pub(super) fn units(folder: &Path, scan: ScanId, count: usize) -> Result<Vec<UnitId>, WeightError> {
    let scans = folder.join("scans.csv");
    if scans.is_file() {
        check_scan(&scans, scan, count)?;
    }
    let table = folder.join("units.csv");
    if table.is_file() { units_of_table(&table, scan, count) } else { Ok(rows_as_units(scan, count)) }
}

/// Identities where no file tells them: the unit is the row of the readout.
pub(super) fn rows_as_units((session, scan): ScanId, count: usize) -> Vec<UnitId> {
    (0..count).map(|row| UnitId { animal: None, session, scan, unit: row as u32 }).collect()
}

fn check_scan(path: &Path, scan: ScanId, count: usize) -> Result<(), WeightError> {
    let table = Table::read(path, &["session", "scan_idx", "units"])?;
    match table.of_scan(scan).next().transpose()?.map(|(numbers, _)| numbers[2]) {
        Some(units) if units as usize == count => Ok(()),
        Some(units) => table.wrong(format!("scan {} has {units} units, but its readout has {count}", scan_name(scan))),
        None => table.wrong(format!("scan {} is not listed", scan_name(scan))),
    }
}

fn units_of_table(path: &Path, scan: ScanId, count: usize) -> Result<Vec<UnitId>, WeightError> {
    let table = Table::read(path, &["session", "scan_idx", "unit_id", "readout_id"])?;
    let mut units: Vec<Option<UnitId>> = vec![None; count];
    for row in table.of_scan(scan) {
        let (numbers, animal) = row?;
        let (unit, readout) = (numbers[2], numbers[3]);
        match units.get_mut(readout as usize) {
            None => {
                return table.wrong(format!("readout_id {readout} of unit {unit} is not below the {count} readouts"));
            }
            Some(Some(other)) => {
                return table.wrong(format!("readout_id {readout} belongs to the units {} and {unit}", other.unit));
            }
            Some(free) => *free = Some(UnitId { animal, session: scan.0, scan: scan.1, unit }),
        }
    }
    match units.iter().position(Option::is_none) {
        Some(row) => table.wrong(format!("no unit of scan {} has readout_id {row}", scan_name(scan))),
        None => Ok(units.into_iter().flatten().collect()),
    }
}

/// The columns of a CSV file that are needed, by their names; others are left alone.
struct Table {
    file: String,
    rows: Vec<csv::StringRecord>,
    columns: Vec<(&'static str, usize)>,
    animal: Option<usize>,
}

impl Table {
    fn read(path: &Path, columns: &[&'static str]) -> Result<Self, WeightError> {
        let file = path.display().to_string();
        let wrong = |what: String| WeightError::Units { file: file.clone(), what };
        let bytes = read_file(path)?;
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes.as_slice());
        let header = reader.headers().map_err(|e| wrong(format!("no table ({e})")))?.clone();
        let place = |name: &str| header.iter().position(|column| column == name);
        let columns = columns
            .iter()
            .map(|&name| place(name).map(|at| (name, at)).ok_or_else(|| wrong(format!("the column {name} is missing"))))
            .collect::<Result<_, _>>()?;
        let animal = place("animal_id");
        let rows = reader.records().collect::<Result<_, _>>().map_err(|e| wrong(format!("no table ({e})")))?;
        Ok(Self { file, rows, columns, animal })
    }

    /// The needed columns of the rows of a scan, as numbers, and the animal; the first two are session and scan.
    fn of_scan(&self, scan: ScanId) -> impl Iterator<Item = Result<(Vec<u32>, Option<String>), WeightError>> + '_ {
        self.rows.iter().filter_map(move |row| match self.numbers(row) {
            Ok(numbers) if (numbers[0], numbers[1]) != scan => None,
            Ok(numbers) => {
                let animal = self.animal.and_then(|at| row.get(at)).filter(|name| !name.is_empty());
                Some(Ok((numbers, animal.map(str::to_owned))))
            }
            Err(error) => Some(Err(error)),
        })
    }

    fn numbers(&self, row: &csv::StringRecord) -> Result<Vec<u32>, WeightError> {
        let number = |&(name, at): &(&str, usize)| {
            let text = row.get(at).unwrap_or_default();
            text.parse().map_err(|_| {
                let line = row.position().map_or(0, csv::Position::line);
                let shown: String = text.chars().take(40).flat_map(char::escape_debug).collect();
                let what = format!("line {line}: {name} is `{shown}`, expected a whole number");
                WeightError::Units { file: self.file.clone(), what }
            })
        };
        self.columns.iter().map(number).collect()
    }

    fn wrong<T>(&self, what: String) -> Result<T, WeightError> {
        Err(WeightError::Units { file: self.file.clone(), what })
    }
}
