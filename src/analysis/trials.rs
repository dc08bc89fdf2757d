//! The response to every single presentation, for what needs trials: confidence, decoding, correlations.

use super::population::ResponseTable;
use super::presentation::mean_response;
use crate::signals::Responses;
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
        let mut values = Vec::new();
        let mut conditions = Vec::new();
        for shown in &schedule.presentations {
            for sample in 0..responses.samples() {
                values.extend(mean_response(shown, skip_frames, responses, sample)?);
                conditions.push(shown.condition);
            }
        }
        Some(Self { responses: ResponseTable::new(conditions.len(), responses.units(), values)?, conditions })
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
