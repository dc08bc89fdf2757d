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
    pub rows: Rows,
}

/// Rows of cells as one text: a table of a large population has millions of them.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Rows {
    text: String,
    /// Where each cell ends in the text.
    cells: Vec<usize>,
    /// Where each row ends among the cells.
    rows: Vec<usize>,
}

impl Rows {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The cells of a row; none where there is no such row.
    pub fn row(&self, row: usize) -> Vec<&str> {
        let Some(&end) = self.rows.get(row) else { return Vec::new() };
        let start = row.checked_sub(1).map_or(0, |before| self.rows[before]);
        (start..end).map(|cell| self.cell(cell)).collect()
    }

    /// All rows in order.
    pub fn iter(&self) -> impl Iterator<Item = Vec<&str>> {
        (0..self.len()).map(|row| self.row(row))
    }

    /// One more row.
    pub(super) fn push(&mut self, row: &[String]) {
        for cell in row {
            self.text.push_str(cell);
            self.cells.push(self.text.len());
        }
        self.rows.push(self.cells.len());
    }

    /// More rows.
    pub(super) fn extend(&mut self, rows: impl IntoIterator<Item = Vec<String>>) {
        rows.into_iter().for_each(|row| self.push(&row));
    }

    /// One column, where there is such a cell.
    fn column(&self, column: usize) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.rows.iter().copied());
        let cells = starts.zip(&self.rows).map(move |(start, &end)| (start + column, end));
        cells.filter(|(cell, end)| cell < end).map(|(cell, _)| self.cell(cell))
    }

    fn cell(&self, cell: usize) -> &str {
        let start = cell.checked_sub(1).map_or(0, |before| self.cells[before]);
        &self.text[start..self.cells[cell]]
    }
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
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
        Self { name: name.into(), header: header.iter().map(|&name| name.to_owned()).collect(), rows: Rows::default() }
    }

    /// A table with a row for every unit: its identity, then these columns.
    pub(super) fn of_units(name: impl Into<String>, header: &[&str]) -> Self {
        Self::new(name, &[&["animal", "session", "scan", "unit"], header].concat())
    }

    /// The values of a column that are numbers.
    pub fn column(&self, name: &str) -> Vec<f64> {
        let Some(place) = self.header.iter().position(|column| column == name) else { return Vec::new() };
        self.rows.column(place).filter_map(|cell| cell.parse().ok()).collect()
    }

    /// The distribution of a column.
    pub(super) fn panel(&self, column: &str, title: &str, label: &str) -> Panel {
        Panel { title: title.to_owned(), label: label.to_owned(), values: self.column(column), of: self.rows.len() }
    }

    pub(super) fn write_csv(&self, to: &mut dyn Write) -> std::io::Result<()> {
        let mut table = csv::Writer::from_writer(to);
        table.write_record(&self.header)?;
        for row in self.rows.iter() {
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
