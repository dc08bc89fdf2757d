//! Tables and panels: what analyses hand on.

use std::io::Write;

use crate::signals::UnitId;

/// A table of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// File name without its ending.
    pub name: String,
    /// Names of the columns, with units.
    pub header: Vec<String>,
    /// Cells; what is undefined is empty.
    pub rows: Vec<Vec<String>>,
}

/// A distribution.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// What it shows.
    pub title: String,
    /// The quantity and its unit.
    pub label: String,
    /// One value for each unit, or pair of units, that has one.
    pub values: Vec<f64>,
    /// Of how many.
    pub of: usize,
}

impl Table {
    /// A table with these columns.
    pub(super) fn new(name: impl Into<String>, header: &[&str]) -> Self {
        Self { name: name.into(), header: header.iter().map(|&name| name.to_owned()).collect(), rows: Vec::new() }
    }

    /// A table with a row for every unit: its identity, then these columns.
    pub(super) fn of_units(name: impl Into<String>, header: &[&str]) -> Self {
        Self::new(name, &[&["animal", "session", "scan", "unit"], header].concat())
    }

    /// The values of a column that are numbers.
    pub fn column(&self, name: &str) -> Vec<f64> {
        let Some(place) = self.header.iter().position(|column| column == name) else { return Vec::new() };
        self.rows.iter().filter_map(|row| row.get(place)?.parse().ok()).collect()
    }

    /// The distribution of a column.
    pub(super) fn panel(&self, column: &str, title: &str, label: &str) -> Panel {
        Panel { title: title.to_owned(), label: label.to_owned(), values: self.column(column), of: self.rows.len() }
    }

    pub(super) fn write_csv(&self, to: &mut dyn Write) -> std::io::Result<()> {
        let mut table = csv::Writer::from_writer(to);
        table.write_record(&self.header)?;
        for row in &self.rows {
            table.write_record(row)?;
        }
        table.flush()
    }
}

/// Cells that say who a unit is.
pub(super) fn identity(id: &UnitId) -> Vec<String> {
    let numbers = [id.session, id.scan, id.unit].map(|number| number.to_string());
    [vec![id.animal.clone().unwrap_or_default()], numbers.to_vec()].concat()
}

/// The key of a parameter as part of a file's name: that of a recording may hold anything.
pub(super) fn file_name(key: &str) -> String {
    key.chars().map(|char| if char.is_alphanumeric() { char } else { '_' }).take(60).collect()
}

/// A number as a cell; empty where there is none. A small one, such as a p-value, keeps its digits.
pub(super) fn cell(value: Option<f64>) -> String {
    let text = |value: f64| match value.abs() {
        size if size > 0.0 && size < 1e-3 => format!("{value:.6e}"),
        _ => format!("{value:.6}"),
    };
    value.filter(|value| value.is_finite()).map_or_else(String::new, text)
}
