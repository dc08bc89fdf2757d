//! An outcome as one `.npz` file, for NumPy.
//!
//! ```text
//! twinscope_outcome   1, the version of the layout
//! protocol, provenance, frame_rate_hz               one value each; TOML, JSON and a number
//! animal, session, scan, unit                       [unit]
//! condition, repeat, onset_frame, frames, seed      [presentation]
//! blank                                             [presentation], whether it shows nothing but the background
//! swept_KEY       f64 [presentation]                each parameter that was swept; NaN where it was not
//! responses       f32 [frame, unit]                 in units of each unit's mean activity
//! ```

use std::io;
use std::path::Path;

use super::{Outcome, OutcomeError};
use crate::data::NpzWriter;
use crate::signals::{ResponseRows, UnitId};
use crate::stimulus::Presentation;

/// The only version of the layout so far.
const SCHEMA: i64 = 1;

/// The name of an array, and where its values come from.
type Column<T, V> = (&'static str, fn(&T) -> V);

impl<R: ResponseRows> Outcome<R> {
    /// Writes the outcome into a `.npz` file, complete or not at all: responses, what was shown when, the units, the protocol
    /// and how it was computed. Responses are copied row by row: memory does not grow with their length.
    ///
    /// # Errors
    /// When the file cannot be written, or the responses cannot be read.
    pub fn write_npz(&self, path: &Path) -> Result<(), OutcomeError> {
        let protocol = self.protocol.to_toml()?;
        self.fill_npz(path, protocol).map_err(|source| OutcomeError::Write { path: path.to_owned(), source })
    }

    fn fill_npz(&self, path: &Path, protocol: String) -> io::Result<()> {
        let mut npz = NpzWriter::create(path)?;
        npz.array("twinscope_outcome", "<i8", &[], &SCHEMA.to_le_bytes())?;
        npz.texts("protocol", &[], &[protocol])?;
        npz.texts("provenance", &[], &[serde_json::to_string(&self.provenance)?])?;
        npz.array("frame_rate_hz", "<f8", &[], &self.monitor.frame_rate.0.to_le_bytes())?;

        let animals: Vec<String> = self.units.iter().map(|id| id.animal.clone().unwrap_or_default()).collect();
        npz.texts("animal", &[animals.len()], &animals)?;
        let numbers: [Column<UnitId, u32>; 3] =
            [("session", |id| id.session), ("scan", |id| id.scan), ("unit", |id| id.unit)];
        for (name, of) in numbers {
            let bytes: Vec<u8> = self.units.iter().flat_map(|id| of(id).to_le_bytes()).collect();
            npz.array(name, "<u4", &[self.units.len()], &bytes)?;
        }

        let shown = &self.schedule.presentations;
        let counts: [Column<Presentation, u64>; 5] = [
            ("condition", |shown| shown.condition as u64),
            ("repeat", |shown| shown.repeat as u64),
            ("onset_frame", |shown| shown.onset_frame as u64),
            ("frames", |shown| shown.frames as u64),
            ("seed", |shown| shown.seed),
        ];
        for (name, of) in counts {
            let bytes: Vec<u8> = shown.iter().flat_map(|shown| of(shown).to_le_bytes()).collect();
            npz.array(name, "<u8", &[shown.len()], &bytes)?;
        }
        let condition = |shown: &Presentation| self.schedule.conditions.get(shown.condition);
        let blanks = shown.iter().map(|shown| u8::from(condition(shown).is_some_and(|condition| condition.is_blank())));
        npz.array("blank", "|b1", &[shown.len()], &blanks.collect::<Vec<u8>>())?;
        let mut keys: Vec<&str> = Vec::new();
        for (key, _) in self.schedule.conditions.iter().flat_map(|condition| &condition.swept) {
            if !keys.contains(&key.as_str()) {
                keys.push(key);
            }
        }
        for key in keys {
            let value = |shown: &Presentation| condition(shown).and_then(|of| of.swept(key)).unwrap_or(f64::NAN);
            let bytes: Vec<u8> = shown.iter().flat_map(|shown| value(shown).to_le_bytes()).collect();
            npz.array(&format!("swept_{key}"), "<f8", &[shown.len()], &bytes)?;
        }

        let (frames, units) = (self.responses.frames(), self.responses.units());
        npz.start("responses", "<f4", &[frames, units])?;
        let mut row_bytes = Vec::with_capacity(4 * units);
        let mut written = Ok(());
        self.responses.each_row(0..frames, 0, &mut |row| {
            row_bytes.clear();
            row_bytes.extend(row.iter().flat_map(|value| value.to_le_bytes()));
            if written.is_ok() {
                written = npz.write(&row_bytes);
            }
        })?;
        written?;
        npz.finish()
    }
}
