//! The numbers of a figure as a table: every line of every panel, point by point.

use super::FigureError;

/// A line, or a cloud of dots, of one panel.
#[derive(Debug, Clone)]
pub struct Series {
    /// Which panel; empty where there is one.
    pub panel: String,
    /// Whose numbers these are.
    pub name: String,
    /// What `x` is, with its unit.
    pub x_label: String,
    /// What `y` is, with its unit.
    pub y_label: String,
    pub points: Vec<Entry>,
}

/// One point.
#[derive(Debug, Clone)]
pub struct Entry {
    /// A number, or a word.
    pub x: String,
    /// Nothing where it is undefined.
    pub y: Option<f64>,
    /// Ends of the bar around it.
    pub range: Option<(f64, f64)>,
    /// How many presentations or units it is over.
    pub n: Option<usize>,
}

impl Entry {
    pub fn new(x: impl ToString, y: impl Into<Option<f64>>) -> Self {
        Self { x: x.to_string(), y: y.into(), range: None, n: None }
    }
    /// With a bar as far to either side.
    pub fn give_or_take(self, error: Option<f64>) -> Self {
        let range = self.y.zip(error).map(|(y, error)| (y - error, y + error));
        Self { range, ..self }
    }
    pub fn over(self, n: usize) -> Self {
        Self { n: Some(n), ..self }
    }
}

/// As CSV, one row a point.
pub fn csv(series: &[Series]) -> Result<Vec<u8>, FigureError> {
    let failed = |error: &dyn std::fmt::Display| FigureError::Drawing(error.to_string());
    let mut table = csv::Writer::from_writer(Vec::new());
    table
        .write_record(["panel", "series", "x_label", "x", "y_label", "y", "low", "high", "n"])
        .map_err(|error| failed(&error))?;
    let number = |value: Option<f64>| value.filter(|value| value.is_finite()).map(rounded).unwrap_or_default();
    for line in series {
        for point in &line.points {
            let row = [
                line.panel.as_str(),
                &line.name,
                &line.x_label,
                &point.x,
                &line.y_label,
                &number(point.y),
                &number(point.range.map(|(low, _)| low)),
                &number(point.range.map(|(_, high)| high)),
                &point.n.map_or_else(String::new, |n| n.to_string()),
            ];
            table.write_record(row).map_err(|error| failed(&error))?;
        }
    }
    table.into_inner().map_err(|error| failed(&error))
}

/// To seven digits: responses are computed with no more.
pub fn rounded(value: f64) -> String {
    format!("{value:.6e}").parse::<f64>().unwrap_or(value).to_string()
}
