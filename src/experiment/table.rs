//! What was shown when, as a table: one row a presentation.

use std::io::Write;

use super::Protocol;
use super::outcome::write_table;
use crate::signals::FrameRate;
use crate::stimulus::schedule::Schedule;

/// The columns before those of the swept parameters.
const FIRST: [&str; 9] =
    ["index", "condition", "repeat", "onset_frame", "onset_secs", "frames", "seed", "part", "kind"];

/// Presentations of a schedule as rows of text, made when asked for: there may be a million of them.
///
/// Columns: `index` of the presentation, `condition` and `repeat`, all from 0; `onset_frame`, `onset_secs`, `frames`;
/// `seed` of everything random in it; `part` of the experiment by name, `blank` for a grey one; `kind` of stimulus;
/// then one for each swept parameter under its key, which ends in its unit: a number, or the word of a choice, empty
/// where it does not vary.
#[derive(Debug, Clone)]
pub struct ConditionTable<'a> {
    schedule: &'a Schedule,
    frame_rate: FrameRate,
    parts: Vec<String>,
    keys: Vec<String>,
}

impl<'a> ConditionTable<'a> {
    /// The table of a protocol's schedule.
    pub fn new(protocol: &Protocol, schedule: &'a Schedule, frame_rate: FrameRate) -> Self {
        Self {
            schedule,
            frame_rate,
            parts: protocol.parts().map(|part| part.label().to_owned()).collect(),
            keys: protocol.swept_keys().into_iter().map(str::to_owned).collect(),
        }
    }

    /// Names of the columns.
    pub fn header(&self) -> Vec<String> {
        FIRST.into_iter().map(str::to_owned).chain(self.keys.iter().cloned()).collect()
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.schedule.presentations.len()
    }

    /// Whether nothing is shown.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One row, from 0; `None` after the last.
    pub fn row(&self, index: usize) -> Option<Vec<String>> {
        let shown = self.schedule.presentations.get(index)?;
        let condition = self.schedule.conditions.get(shown.condition)?;
        let part = condition.part.and_then(|part| self.parts.get(part)).map_or("blank", String::as_str);
        let kind = if condition.is_blank() { String::new() } else { condition.stimulus.kind().key() };
        let swept = |key: &String| match (condition.swept(key), condition.field(key)) {
            (Some(value), Some(field)) => field.spoken(value),
            (Some(value), None) => value.to_string(),
            (None, _) => String::new(),
        };
        let first = [
            index.to_string(),
            shown.condition.to_string(),
            shown.repeat.to_string(),
            shown.onset_frame.to_string(),
            self.frame_rate.secs_at(shown.onset_frame).to_string(),
            shown.frames.to_string(),
            shown.seed.to_string(),
            part.to_owned(),
            kind,
        ];
        Some(first.into_iter().chain(self.keys.iter().map(swept)).collect())
    }

    /// All rows in order.
    pub fn rows(&self) -> impl Iterator<Item = Vec<String>> {
        (0..self.len()).filter_map(|index| self.row(index))
    }

    /// Writes the table as CSV with a header.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_csv(&self, to: &mut dyn Write) -> std::io::Result<()> {
        write_table(to, &self.header(), self.rows())
    }
}
