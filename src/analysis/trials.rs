//! The response to every single presentation, for what needs trials: confidence, decoding, correlations.

use std::io;

use super::population::ResponseTable;
use super::presentation::mean_of_presentation;
use crate::signals::{ResponseRows, Responses};
use crate::stimulus::schedule::Schedule;

/// Responses to single presentations, one row each; samples side by side are further rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Trials {
    /// Mean response over the frames of each presentation, `[trial, unit]`.
    pub responses: ResponseTable,
    /// Condition that each trial shows.
    pub conditions: Vec<usize>,
}

/// Trials that share a value of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Grouped {
    /// The values, ascending.
    pub values: Vec<f64>,
    /// Trials of each value.
    pub trials: Vec<Vec<usize>>,
}

impl Trials {
    /// From the frames of each presentation after the first `skip_frames`. `None` without presentations, when one is not
    /// covered by the responses, when nothing of one remains after the skip, or when a response is not finite.
    pub fn new(schedule: &Schedule, skip_frames: usize, responses: &Responses) -> Option<Self> {
        // Memory can be read.
        Self::of_rows(schedule, skip_frames, responses).ok().flatten()
    }

    /// The same of responses that need not lie in memory: they are read once, presentation by presentation.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn of_rows(schedule: &Schedule, skip_frames: usize, rows: &dyn ResponseRows) -> io::Result<Option<Self>> {
        let mut conditions = Vec::with_capacity(schedule.presentations.len() * rows.samples());
        let mut values = Vec::with_capacity(conditions.capacity() * rows.units());
        for shown in &schedule.presentations {
            for sample in 0..rows.samples() {
                let Some(means) = mean_of_presentation(shown, skip_frames, rows, sample)? else { return Ok(None) };
                values.extend(means);
                conditions.push(shown.condition);
            }
        }
        let table = ResponseTable::new(conditions.len(), rows.units(), values);
        Ok(table.map(|responses| Self { responses, conditions }))
    }

    /// Trials by the value of a swept parameter, whatever else was swept beside it; those without it, such as blanks, are
    /// left out. Directions of motion are taken on the circle: -90 is 270.
    pub fn grouped(&self, schedule: &Schedule, key: &str) -> Grouped {
        let circular = key == "direction_deg" || key.ends_with(".direction_deg");
        let value = |trial: usize| {
            let value = schedule.conditions.get(self.conditions[trial])?.swept(key)?;
            Some(if circular { value.rem_euclid(360.0) } else { value })
        };
        let known: Vec<(usize, f64)> =
            (0..self.conditions.len()).filter_map(|trial| Some((trial, value(trial)?))).collect();
        let mut values: Vec<f64> = known.iter().map(|(_, value)| *value).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        let of = |value: f64| known.iter().filter(|(_, other)| *other == value).map(|(trial, _)| *trial).collect();
        Grouped { trials: values.iter().map(|&value| of(value)).collect(), values }
    }

    /// One unit's response to each trial of each group, `[group][trial]`.
    ///
    /// # Panics
    /// When there is no such unit.
    pub fn unit(&self, unit: usize, grouped: &Grouped) -> Vec<Vec<f64>> {
        let of = |trials: &Vec<usize>| trials.iter().map(|&trial| self.responses.row(trial)[unit]).collect();
        grouped.trials.iter().map(of).collect()
    }

    /// The trials of all groups as a table with the number of the group of each, for decoding. `None` without trials.
    pub fn labelled(&self, grouped: &Grouped) -> Option<(ResponseTable, Vec<usize>)> {
        let mut rows: Vec<(usize, usize)> = (grouped.trials.iter().enumerate())
            .flat_map(|(group, trials)| trials.iter().map(move |&trial| (trial, group)))
            .collect();
        rows.sort_unstable();
        let values = rows.iter().flat_map(|(trial, _)| self.responses.row(*trial)).copied().collect();
        let table = ResponseTable::new(rows.len(), self.responses.units(), values)?;
        Some((table, rows.into_iter().map(|(_, group)| group).collect()))
    }
}
