//! How a training went, one row a look.

use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::TrainingError;
use crate::data::unfinished;

/// A look at a training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Steps that were made.
    pub step: usize,
    /// Learning rate of the last one; for AdamW the factor on its rates.
    pub learning_rate: f64,
    /// Running mean of the objective over about 25 steps.
    pub objective: f64,
    /// Poisson loss on the validation trials, mean over animals; lower is better.
    pub validation_loss: Option<f64>,
    /// Median over units of the correlation with single validation trials, mean over animals.
    pub validation_correlation: Option<f64>,
    /// Seconds since the training began or was resumed; not the same in two runs.
    pub seconds: f64,
}

/// Something that is told in a row of a log.
pub(super) trait Logged {
    /// Names of the columns.
    const COLUMNS: &'static [&'static str];

    /// The row, one cell a column.
    fn cells(&self) -> Vec<String>;
}

impl Logged for Row {
    const COLUMNS: &'static [&'static str] =
        &["step", "learning_rate", "objective", "validation_loss", "validation_correlation", "seconds"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.step.to_string(),
            format!("{:.6}", self.learning_rate),
            format!("{:.6}", self.objective),
            optional(self.validation_loss),
            optional(self.validation_correlation),
            format!("{:.1}", self.seconds),
        ]
    }
}

/// A number with six decimals; empty where there is none.
pub(super) fn optional(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| format!("{value:.6}"))
}

/// Writes a log as CSV, whole or not at all.
pub(super) fn save<R: Logged>(path: &Path, rows: &[R]) -> Result<(), TrainingError> {
    let failed = |source| TrainingError::Write { file: path.display().to_string(), source };
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(R::COLUMNS).expect("memory can be written to");
    for row in rows {
        table.write_record(row.cells()).expect("memory can be written to");
    }
    let mut file = unfinished(path).map_err(failed)?;
    file.write_all(&table.into_inner().expect("memory can be written to")).map_err(failed)?;
    file.persist(path).map_err(|e| failed(e.error))?;
    Ok(())
}
