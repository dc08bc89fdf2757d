//! A comparison as tables.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::{Comparison, ComparisonError, Measure, PopulationComparison, ReceptiveField};
use crate::data::save;

/// Name of the table of tuning, one row a unit and domain.
pub const UNITS_FILE: &str = "tuning.csv";

type Table<'t> = dyn Fn(&mut dyn Write) -> std::io::Result<()> + 't;

/// Writes tables into a folder, each whole or not at all.
fn write_all(folder: &Path, tables: &[(&str, &Table<'_>)]) -> Result<Vec<PathBuf>, ComparisonError> {
    let failed = |path: &Path, source| ComparisonError::Write { path: path.to_path_buf(), source };
    std::fs::create_dir_all(folder).map_err(|source| failed(folder, source))?;
    let save = |(name, write): &(&str, &Table<'_>)| {
        let path = folder.join(name);
        save::atomically(&path, |to| write(to)).map_err(|source| failed(&path, source))?;
        Ok(path)
    };
    tables.iter().map(save).collect()
}

impl Comparison {
    /// Writes the tables into a folder, which is made when absent, and returns the files:
    /// - `units.csv`, `summary.csv` and `evaluation.json` of the [evaluation](crate::evaluation::Evaluation::write);
    /// - `tuning.csv`: one row for each unit and domain in which tuning was measured, recorded and predicted;
    /// - `tuning_summary.csv`: for each quantity how well both agree.
    ///
    /// # Errors
    /// When a file cannot be written; each is there whole or not at all.
    pub fn write(&self, folder: &Path) -> Result<Vec<PathBuf>, ComparisonError> {
        let mut paths = self.evaluation.write(folder)?;
        if !self.directions.is_empty() || !self.fields.is_empty() {
            let units = |to: &mut dyn Write| self.write_tuning(to);
            let summary = |to: &mut dyn Write| self.write_tuning_summary(to);
            paths.extend(write_all(folder, &[(UNITS_FILE, &units), ("tuning_summary.csv", &summary)])?);
        }
        Ok(paths)
    }

    /// Writes `tuning.csv`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_tuning(&self, to: &mut dyn Write) -> std::io::Result<()> {
        let mut table = csv::Writer::from_writer(to);
        let measures = Measure::ALL.map(Measure::key).into_iter().chain(FIELD_KEYS);
        let measures = measures.flat_map(|key| ["recorded", "predicted"].map(|who| format!("{who}_{key}")));
        let first = ["animal", "session", "scan", "unit", "area", "layer", "domain"].map(str::to_owned);
        table.write_record(first.into_iter().chain(measures))?;
        for (index, (id, place)) in self.evaluation.units.iter().zip(&self.evaluation.places).enumerate() {
            let known = |text: &Option<String>| text.clone().unwrap_or_default();
            let row = |domain: &str, numbers: Vec<Option<f64>>| -> Vec<String> {
                let who = [known(&id.animal), id.session.to_string(), id.scan.to_string(), id.unit.to_string()];
                let place = [known(&place.area), known(&place.layer), domain.to_owned()];
                who.into_iter().chain(place).chain(numbers.into_iter().map(text)).collect()
            };
            for found in &self.directions {
                let both = |measure| [found.recorded.get(index, measure), found.predicted.get(index, measure)];
                let numbers = Measure::ALL.into_iter().flat_map(both).chain([None; 2 * FIELD_KEYS.len()]);
                table.write_record(row(&found.domain, numbers.collect()))?;
            }
            for found in &self.fields {
                let [recorded, predicted] = [found.recorded[index], found.predicted[index]].map(numbers_of);
                let both = recorded.into_iter().zip(predicted).flat_map(|(a, b)| [a, b]);
                let numbers = [None; 2 * Measure::ALL.len()].into_iter().chain(both);
                table.write_record(row(&found.domain, numbers.collect()))?;
            }
        }
        table.flush()
    }

    /// Writes `tuning_summary.csv`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_tuning_summary(&self, to: &mut dyn Write) -> std::io::Result<()> {
        let seed = self.evaluation.selection.seed;
        let mut table = csv::Writer::from_writer(to);
        table.write_record([
            "domain",
            "quantity",
            "among",
            "units",
            "correlation",
            "correlation_low_95",
            "correlation_high_95",
            "median_absolute_difference",
            "low_95",
            "high_95",
        ])?;
        let of_directions = self.directions.iter().flat_map(|found| {
            Measure::ALL.into_iter().map(move |measure| (found.domain.as_str(), found.pairs(measure)))
        });
        let of_fields = (self.fields.iter())
            .flat_map(|found| found.pairs().into_iter().map(move |pairs| (found.domain.as_str(), pairs)));
        for (domain, pairs) in of_directions.chain(of_fields) {
            let correlation = pairs.correlation(seed);
            let known = correlation.and_then(|correlation| correlation.interval);
            let median = pairs.median_error(seed);
            let interval = median.and_then(|median| median.interval);
            table.write_record([
                domain.to_owned(),
                pairs.key.to_owned(),
                pairs.among.to_owned(),
                pairs.n().to_string(),
                text(correlation.map(|correlation| correlation.value)),
                text(known.map(|(low, _)| low)),
                text(known.map(|(_, high)| high)),
                text(median.map(|median| median.value)),
                text(interval.map(|(low, _)| low)),
                text(interval.map(|(_, high)| high)),
            ])?;
        }
        for found in &self.fields {
            let median = found.median_distance(seed);
            let interval = median.and_then(|median| median.interval);
            table.write_record([
                found.domain.clone(),
                "centre_distance_deg".to_owned(),
                "a clear map in both".to_owned(),
                median.map_or(0, |median| median.n).to_string(),
                String::new(),
                String::new(),
                String::new(),
                text(median.map(|median| median.value)),
                text(interval.map(|(low, _)| low)),
                text(interval.map(|(_, high)| high)),
            ])?;
        }
        table.flush()
    }
}

impl PopulationComparison {
    /// Writes the tables into a folder, which is made when absent, and returns the files:
    /// - `population.csv`: every value of every quantity, one row each;
    /// - `population_summary.csv`: number and median of both populations, and the test of their difference.
    ///
    /// # Errors
    /// When a file cannot be written; each is there whole or not at all.
    pub fn write(&self, folder: &Path) -> Result<Vec<PathBuf>, ComparisonError> {
        let values = |to: &mut dyn Write| self.write_values(to);
        let summary = |to: &mut dyn Write| self.write_summary(to);
        write_all(folder, &[("population.csv", &values), ("population_summary.csv", &summary)])
    }

    /// Writes `population.csv`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_values(&self, to: &mut dyn Write) -> std::io::Result<()> {
        let mut table = csv::Writer::from_writer(to);
        table.write_record(["domain", "quantity", "population", "value"])?;
        for domain in &self.ceilings {
            for value in domain.values(crate::evaluation::Quantity::CcMax) {
                table.write_record([domain.name.as_str(), "cc_max", "recorded", &value.to_string()])?;
            }
        }
        for found in &self.distributions {
            for (who, values) in [("recorded", &found.recorded), ("predicted", &found.predicted)] {
                for value in values {
                    table.write_record([found.domain.as_str(), found.key, who, &value.to_string()])?;
                }
            }
        }
        table.flush()
    }

    /// Writes `population_summary.csv`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_summary(&self, to: &mut dyn Write) -> std::io::Result<()> {
        use crate::analysis::Median;
        let seed = self.selection.seed;
        let mut table = csv::Writer::from_writer(to);
        table.write_record([
            "domain",
            "quantity",
            "recorded_units",
            "recorded_median",
            "predicted_units",
            "predicted_median",
            "test",
            "statistic",
            "p",
            "p_holm",
        ])?;
        let mut adjusted = self.adjusted().into_iter();
        for domain in &self.ceilings {
            let median = domain.median(crate::evaluation::Quantity::CcMax);
            let count = median.map_or(0, |median| median.n).to_string();
            let row = [domain.name.clone(), "cc_max".to_owned(), count, text(median.map(|median| median.value))];
            table.write_record(row.into_iter().chain([const { String::new() }; 6]))?;
        }
        for found in &self.distributions {
            // The middle of a circle is another one.
            let median =
                |values: &[f64]| Median::of(values, seed).map(|median| median.value).filter(|_| found.period.is_none());
            let test = found.test();
            table.write_record([
                found.domain.clone(),
                found.key.to_owned(),
                found.recorded.len().to_string(),
                text(median(&found.recorded)),
                found.predicted.len().to_string(),
                text(median(&found.predicted)),
                test.map(|test| test.test.label().to_owned()).unwrap_or_default(),
                text(test.map(|test| test.statistic)),
                text(test.map(|test| test.p)),
                text(adjusted.next().flatten()),
            ])?;
        }
        table.flush()
    }
}

/// What is said of a receptive field.
const FIELD_KEYS: [&str; 4] = ["centre_x_deg", "centre_y_deg", "sigma_deg", "map_r2"];

fn numbers_of(field: Option<ReceptiveField>) -> [Option<f64>; 4] {
    field.map_or([None; 4], |field| {
        [Some(field.centre_deg[0]), Some(field.centre_deg[1]), Some(field.sigma_deg), Some(field.r2)]
    })
}

/// A value as text; empty where there is none.
fn text(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
