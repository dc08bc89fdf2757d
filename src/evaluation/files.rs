//! An evaluation as tables and as JSON.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::{DomainEvaluation, Evaluation, EvaluationError, Quantity};
use crate::data::save;

impl Evaluation {
    /// Writes the evaluation into a folder, which is made when absent, and returns the files:
    /// - `units.csv`: one row for each unit and domain; what is not defined is left empty, `no_ceiling` says why;
    /// - `summary.csv`: for each domain and quantity the median over units with its 95 % interval;
    /// - `evaluation.json`: both, and where they come from.
    ///
    /// # Errors
    /// When a file cannot be written; each is there whole or not at all.
    pub fn write(&self, folder: &Path) -> Result<Vec<PathBuf>, EvaluationError> {
        let failed = |path: &Path, source| EvaluationError::Write { path: path.to_path_buf(), source };
        std::fs::create_dir_all(folder).map_err(|source| failed(folder, source))?;
        let parts: [(&str, &Part); 3] = [
            ("units.csv", &Self::write_units),
            ("summary.csv", &Self::write_summary),
            ("evaluation.json", &Self::write_json),
        ];
        let save = |(name, write): (&str, &Part)| {
            let path = folder.join(name);
            save::atomically(&path, |to| write(self, to)).map_err(|source| failed(&path, source))?;
            Ok(path)
        };
        parts.into_iter().map(save).collect()
    }

    /// Writes `units.csv`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_units(&self, to: &mut dyn Write) -> std::io::Result<()> {
        let mut table = csv::Writer::from_writer(to);
        let first = ["animal", "session", "scan", "unit", "area", "layer", "domain"];
        table.write_record(first.into_iter().chain(Quantity::ALL.map(Quantity::key)).chain(["no_ceiling"]))?;
        for domain in &self.domains {
            for ((id, place), unit) in self.units.iter().zip(&self.places).zip(&domain.units) {
                let known = |text: &Option<String>| text.clone().unwrap_or_default();
                let who = [known(&id.animal), id.session.to_string(), id.scan.to_string(), id.unit.to_string()];
                let place = [known(&place.area), known(&place.layer), domain.name.clone()];
                let numbers = Quantity::ALL.map(|quantity| text(unit.get(quantity)));
                let why = text(unit.no_ceiling);
                table.write_record(who.into_iter().chain(place).chain(numbers).chain([why]))?;
            }
        }
        table.flush()
    }

    /// Writes `summary.csv`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_summary(&self, to: &mut dyn Write) -> std::io::Result<()> {
        let mut table = csv::Writer::from_writer(to);
        table.write_record([
            "domain",
            "quantity",
            "median",
            "low_95",
            "high_95",
            "units",
            "all_units",
            "movies",
            "least_repeats",
            "most_repeats",
            "frames",
        ])?;
        for domain in &self.domains {
            for quantity in Quantity::ALL {
                let median = domain.median(quantity);
                let interval = median.and_then(|median| median.interval);
                table.write_record([
                    domain.name.clone(),
                    quantity.key().to_owned(),
                    text(median.map(|median| median.value)),
                    text(interval.map(|(low, _)| low)),
                    text(interval.map(|(_, high)| high)),
                    median.map_or(0, |median| median.n).to_string(),
                    domain.units.len().to_string(),
                    domain.movies.to_string(),
                    domain.repeats.0.to_string(),
                    domain.repeats.1.to_string(),
                    domain.frames.to_string(),
                ])?;
            }
        }
        table.flush()
    }

    /// Writes `evaluation.json`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_json(&self, mut to: &mut dyn Write) -> std::io::Result<()> {
        let id = &self.recording;
        let whole = json!({
            "schema": 1,
            "version": env!("CARGO_PKG_VERSION"),
            "notice": self.notice(),
            "model": self.origin,
            "recording": {
                "animal": id.animal, "session": id.session, "scan": id.scan, "simulated": self.simulated,
            },
            "selection": self.selection,
            "units": self.units.iter().map(|unit| unit.unit).collect::<Vec<_>>(),
            "domains": self.domains.iter().map(described).collect::<Vec<_>>(),
        });
        serde_json::to_writer_pretty(&mut to, &whole)?;
        to.write_all(b"\n")
    }
}

type Part = dyn Fn(&Evaluation, &mut dyn Write) -> std::io::Result<()>;

/// A domain with medians and, for each quantity, the values of all units.
fn described(domain: &DomainEvaluation) -> Value {
    let medians: Map<String, Value> = Quantity::ALL
        .into_iter()
        .map(|quantity| {
            let median = domain.median(quantity).map(|median| {
                let interval = median.interval.map(|(low, high)| [low, high]);
                json!({ "median": median.value, "interval_95": interval, "units": median.n })
            });
            (quantity.key().to_owned(), median.into())
        })
        .collect();
    let units: Map<String, Value> = Quantity::ALL
        .into_iter()
        .map(|quantity| {
            let values: Vec<Option<f64>> = domain.units.iter().map(|unit| unit.get(quantity)).collect();
            (quantity.key().to_owned(), values.into())
        })
        .collect();
    let why: Vec<Option<String>> = domain.units.iter().map(|unit| unit.no_ceiling.map(|why| why.to_string())).collect();
    json!({
        "name": domain.name,
        "movies": domain.movies,
        "repeats": [domain.repeats.0, domain.repeats.1],
        "frames": domain.frames,
        "missing_responses": domain.missing,
        "medians": medians,
        "units": units,
        "no_ceiling": why,
    })
}

/// A value as text; empty where there is none.
fn text(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
