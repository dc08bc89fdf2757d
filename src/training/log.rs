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

/// Writes the log as CSV, whole or not at all.
pub(super) fn save(path: &Path, rows: &[Row]) -> Result<(), TrainingError> {
    let failed = |source| TrainingError::Write { file: path.display().to_string(), source };
    let mut table = csv::Writer::from_writer(Vec::new());
    let columns = ["step", "learning_rate", "objective", "validation_loss", "validation_correlation", "seconds"];
    table.write_record(columns).expect("memory can be written to");
    for row in rows {
        let optional = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.6}"));
        let cells = [
            row.step.to_string(),
            format!("{:.6}", row.learning_rate),
            format!("{:.6}", row.objective),
            optional(row.validation_loss),
            optional(row.validation_correlation),
            format!("{:.1}", row.seconds),
        ];
        table.write_record(cells).expect("memory can be written to");
    }
    let mut file = unfinished(path).map_err(failed)?;
    file.write_all(&table.into_inner().expect("memory can be written to")).map_err(failed)?;
    file.persist(path).map_err(|e| failed(e.error))?;
    Ok(())
}
