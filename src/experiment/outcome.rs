//! What a run computed, with all that is needed to compute it again.

use std::io::Write;
use std::path::{Path, PathBuf};

use npyz::WriterBuilder;
use serde::{Deserialize, Serialize};

use super::protocol::{DIRECTION, ProtocolError};
use super::{ConditionTable, Protocol, save};
use crate::analysis::{DirectionTuning, ParameterTuning, direction_tuning_of_rows, parameter_tuning_of_rows};
use crate::data::NpyResponses;
use crate::signals::{Monitor, ResponseRows, Responses, UnitId};
use crate::stimulus::schedule::Schedule;

/// Result of one run; `R` are its responses, in memory or on disk.
#[derive(Debug, Clone)]
pub struct Outcome<R = Responses> {
    /// What was asked.
    pub protocol: Protocol,
    /// The screen it was drawn on.
    pub monitor: Monitor,
    /// What was shown when.
    pub schedule: Schedule,
    /// Predicted responses `[time, 1, unit]`.
    pub responses: R,
    /// Identity of each unit.
    pub units: Vec<UnitId>,
    /// Direction tuning; `None` when no direction was swept.
    pub tuning: Option<DirectionTuning>,
    /// Tuning to the parameter of the protocol's analysis; `None` when that is the direction, or nothing was swept.
    pub parameter: Option<ParameterTuning>,
    /// How it was computed.
    pub provenance: Provenance,
}

/// How an outcome came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Version of this program.
    pub version: String,
    /// Name of the twin.
    pub twin: String,
    /// Whether the twin's animal was simulated.
    pub simulated: bool,
    /// SHA-256 of the weights.
    pub weights_sha256: String,
    /// Device that computed it.
    pub device: String,
    /// Seed of the protocol.
    pub seed: u64,
}

impl Provenance {
    /// The line that every view and figure of an outcome shows: whose answer this is.
    pub fn notice(&self) -> String {
        let source = if self.simulated { "learned from a simulated mouse" } else { "in-silico prediction" };
        format!("{}: {source}", self.twin)
    }
}

/// Why an outcome could not be written.
#[derive(Debug, thiserror::Error)]
pub enum OutcomeError {
    /// The folder could not be made, or a file not written.
    #[error("{} could not be written; check that the folder exists, is yours to write and has room", path.display())]
    Write {
        /// What was to be written.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The protocol has no text form.
    #[error("the protocol could not be written")]
    Protocol(#[from] ProtocolError),
}

/// Everything of `outcome.json`.
#[derive(Serialize)]
struct Summary<'a> {
    schema: u32,
    provenance: &'a Provenance,
    notice: String,
    monitor: &'a Monitor,
    frames: usize,
    units: usize,
    protocol: &'a Protocol,
}

/// Name of the responses of a whole run.
pub(super) const RESPONSES: &str = "responses.npy";

impl Outcome {
    /// Writes the outcome into a folder, which is made when absent, and returns the files:
    /// - `protocol.toml`: what to run to compute it again;
    /// - `outcome.json`: provenance and protocol;
    /// - `conditions.csv`: what was shown when, see [`ConditionTable`];
    /// - `responses.npy`: f32 `[time, unit]`;
    /// - `tuning.csv`: mean response to each value of the parameter that the protocol analyses, and `preferred.csv`, the
    ///   value of the strongest; for directions `selectivity.csv` instead. A quantity that is undefined is left empty;
    /// - `direction_tuning.csv` and `selectivity.csv`, when directions were swept beside that parameter.
    ///
    /// # Errors
    /// When a file cannot be written; each is there whole or not at all.
    pub fn write(&self, folder: &Path) -> Result<Vec<PathBuf>, OutcomeError> {
        self.write_with(folder, Some(&|to| self.write_responses(to)))
    }

    fn write_responses(&self, to: &mut dyn Write) -> std::io::Result<()> {
        let shape = [(self.responses.frames() * self.responses.samples()) as u64, self.responses.units() as u64];
        let mut writer = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(to).begin_nd()?;
        writer.extend(self.responses.values().iter().copied())?;
        writer.finish()
    }
}

impl Outcome<NpyResponses> {
    /// Writes the same files as [`Outcome::write`], but `responses.npy`, which lies in the folder already.
    ///
    /// # Errors
    /// When a file cannot be written; each is there whole or not at all.
    pub fn write_tables(&self, folder: &Path) -> Result<Vec<PathBuf>, OutcomeError> {
        self.write_with(folder, None)
    }
}

/// Writes what an outcome alone knows how to write.
type WriteTo<'a> = dyn Fn(&mut dyn Write) -> std::io::Result<()> + 'a;

impl<R: ResponseRows> Outcome<R> {
    /// From the responses of a whole run, which are read once for each tuning.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(super) fn analysed(
        protocol: &Protocol,
        monitor: Monitor,
        units: Vec<UnitId>,
        provenance: Provenance,
        schedule: Schedule,
        responses: R,
    ) -> std::io::Result<Self> {
        let skip = protocol.skip_frames(&monitor);
        let tuning = direction_tuning_of_rows(&schedule, skip, &responses)?;
        let parameter = match protocol.tuning_key().filter(|key| *key != DIRECTION) {
            Some(key) => parameter_tuning_of_rows(&schedule, key, skip, &responses)?,
            None => None,
        };
        Ok(Self { protocol: protocol.clone(), monitor, schedule, responses, units, tuning, parameter, provenance })
    }
}

impl<R> Outcome<R> {
    fn write_with(&self, folder: &Path, responses: Option<&WriteTo<'_>>) -> Result<Vec<PathBuf>, OutcomeError> {
        let protocol = self.protocol.to_toml()?;
        std::fs::create_dir_all(folder).map_err(|source| OutcomeError::Write { path: folder.to_path_buf(), source })?;
        let mut written = Vec::new();
        let mut save = |name: &str, write: &mut dyn FnMut(&mut dyn Write) -> std::io::Result<()>| {
            let path = folder.join(name);
            match save::atomically(&path, write) {
                Ok(()) => written.push(path),
                Err(source) => return Err(OutcomeError::Write { path, source }),
            }
            Ok(())
        };
        save("protocol.toml", &mut |to| to.write_all(protocol.as_bytes()))?;
        save("outcome.json", &mut |to| self.write_summary(to))?;
        save("conditions.csv", &mut |to| self.conditions().write_csv(to))?;
        if let Some(write) = responses {
            save(RESPONSES, &mut |to| write(to))?;
        }
        if let Some(tuning) = &self.parameter {
            save("tuning.csv", &mut |to| self.write_parameter_tuning(tuning, to))?;
            save("preferred.csv", &mut |to| self.write_preferred(tuning, to))?;
        }
        if let Some(tuning) = &self.tuning {
            let name = if self.parameter.is_some() { "direction_tuning.csv" } else { "tuning.csv" };
            save(name, &mut |to| self.write_tuning(tuning, to))?;
            save("selectivity.csv", &mut |to| self.write_selectivity(tuning, to))?;
        }
        Ok(written)
    }

    fn write_summary(&self, mut to: &mut dyn Write) -> std::io::Result<()> {
        let summary = Summary {
            schema: super::protocol::SCHEMA,
            provenance: &self.provenance,
            notice: self.provenance.notice(),
            monitor: &self.monitor,
            frames: self.schedule.frames,
            units: self.units.len(),
            protocol: &self.protocol,
        };
        serde_json::to_writer_pretty(&mut to, &summary)?;
        to.write_all(b"\n")
    }

    /// What was shown when.
    pub fn conditions(&self) -> ConditionTable<'_> {
        ConditionTable::new(&self.protocol, &self.schedule, self.monitor.frame_rate)
    }

    fn write_tuning(&self, tuning: &DirectionTuning, to: &mut dyn Write) -> std::io::Result<()> {
        let header = ["animal", "session", "scan", "unit", "direction_deg", "mean", "sem", "n"];
        let rows = self.units.iter().zip(&tuning.units).flat_map(|(id, unit)| {
            tuning.directions_deg.iter().enumerate().map(move |(index, direction)| {
                let sem = unit.sem.as_ref().and_then(|sem| sem.get(index));
                let mut row = columns(id);
                row.extend([direction.to_string(), text(unit.mean.get(index)), text(sem)]);
                row.push(text(tuning.presentations.get(index)));
                row
            })
        });
        write_table(to, &header, rows)
    }

    fn write_parameter_tuning(&self, tuning: &ParameterTuning, to: &mut dyn Write) -> std::io::Result<()> {
        let header = ["animal", "session", "scan", "unit", tuning.key.as_str(), "mean", "sem", "n"];
        let rows = self.units.iter().zip(&tuning.units).flat_map(|(id, unit)| {
            (0..tuning.values.len()).map(move |index| {
                let mut row = columns(id);
                row.extend([tuning.spoken(index), text(unit.mean.get(index))]);
                row.push(text(unit.sem.as_ref().and_then(|sem| sem.get(index))));
                row.push(text(tuning.presentations.get(index)));
                row
            })
        });
        write_table(to, &header, rows)
    }

    fn write_preferred(&self, tuning: &ParameterTuning, to: &mut dyn Write) -> std::io::Result<()> {
        let preferred = format!("preferred_{}", tuning.key);
        let header = ["animal", "session", "scan", "unit", preferred.as_str(), "response"];
        let rows = self.units.iter().zip(&tuning.units).map(|(id, unit)| {
            let mut row = columns(id);
            row.push(unit.preferred.map(|index| tuning.spoken(index)).unwrap_or_default());
            row.push(text(unit.preferred.and_then(|index| unit.mean.get(index))));
            row
        });
        write_table(to, &header, rows)
    }

    fn write_selectivity(&self, tuning: &DirectionTuning, to: &mut dyn Write) -> std::io::Result<()> {
        let header = ["animal", "session", "scan", "unit", "gOSI", "gDSI", "preferred_direction_deg"];
        let rows = self.units.iter().zip(&tuning.units).map(|(id, unit)| {
            let mut row = columns(id);
            row.extend([unit.global_osi, unit.global_dsi, unit.preferred_direction_deg].map(text));
            row
        });
        write_table(to, &header, rows)
    }
}

/// Columns that say who a unit is.
fn columns(id: &UnitId) -> Vec<String> {
    vec![
        id.animal.as_deref().unwrap_or_default().to_owned(),
        id.session.to_string(),
        id.scan.to_string(),
        id.unit.to_string(),
    ]
}

/// A value as text; empty where there is none.
fn text(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

pub(super) fn write_table<H: AsRef<[u8]>>(
    to: &mut dyn Write,
    header: &[H],
    rows: impl Iterator<Item = Vec<String>>,
) -> std::io::Result<()> {
    let mut table = csv::Writer::from_writer(to);
    table.write_record(header)?;
    for row in rows {
        table.write_record(&row)?;
    }
    table.flush()
}
