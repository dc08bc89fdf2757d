//! The response to every single presentation, for what needs trials: confidence, decoding, correlations.

use std::io;

use super::population::ResponseTable;
use super::presentation::measured_mean;
use super::varied::{on_the_circle, period_deg};
use crate::signals::{ResponseRows, Responses};
use crate::stimulus::schedule::Schedule;

/// Responses to single presentations, one row each; samples side by side are further rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Trials {
    /// Mean response over the frames of each presentation, `[trial, unit]`; NaN where a unit was not measured.
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

/// Trials by the values of two parameters that were swept against each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Paired {
    /// Values of each parameter, ascending: the first goes down the rows, the second across the columns.
    pub values: [Vec<f64>; 2],
    /// Trials of each pair of values, `[row, column]`; none where a pair was not shown.
    pub trials: Vec<Vec<usize>>,
}

impl Trials {
    /// From the frames of each presentation after the first `skip_frames` that were measured: NaN is none. `None` without
    /// presentations, when one is not covered by the responses, when nothing of one remains after the skip, or when a
    /// response is infinite.
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
                let Some(means) = measured_mean(shown, skip_frames, rows, sample)? else { return Ok(None) };
                values.extend(means);
                conditions.push(shown.condition);
            }
        }
        let table = ResponseTable::with_missing(conditions.len(), rows.units(), values);
        Ok(table.map(|responses| Self { responses, conditions }))
    }

    /// Without the presentations that no unit has a response to, and then without the units that miss one of the others;
    /// and which units are left. `None` when none is.
    pub fn whole(&self) -> Option<(Self, Vec<usize>)> {
        let rows = (0..self.conditions.len()).filter(|&trial| !self.responses.row(trial).iter().all(|r| r.is_nan()));
        let rows: Vec<usize> = rows.collect();
        let mut is_whole = vec![true; self.responses.units()];
        for &row in &rows {
            is_whole.iter_mut().zip(self.responses.row(row)).for_each(|(whole, value)| *whole &= !value.is_nan());
        }
        let units: Vec<usize> = (0..is_whole.len()).filter(|&unit| is_whole[unit]).collect();
        let row = |row: &usize| units.iter().map(|&unit| self.responses.row(*row)[unit]).collect::<Vec<f64>>();
        let responses = ResponseTable::new(rows.len(), units.len(), rows.iter().flat_map(row).collect())?;
        Some((Self { responses, conditions: rows.iter().map(|&row| self.conditions[row]).collect() }, units))
    }

    /// Whether no response is missing.
    pub fn is_whole(&self) -> bool {
        self.responses.values().iter().all(|value| !value.is_nan())
    }

    /// Trials by the value of a swept parameter, whatever else was swept beside it; those without it, such as blanks, are
    /// left out. Directions of motion are taken on the circle, where -90 is 270, and orientations on half of it, where -45 is
    /// 135.
    pub fn grouped(&self, schedule: &Schedule, key: &str) -> Grouped {
        let period = period_deg(schedule, key);
        let value = |trial: usize| self.value(schedule, key, period, trial);
        let known: Vec<(usize, f64)> =
            (0..self.conditions.len()).filter_map(|trial| Some((trial, value(trial)?))).collect();
        let values = ascending(known.iter().map(|(_, value)| *value));
        let of = |value: f64| known.iter().filter(|(_, other)| *other == value).map(|(trial, _)| *trial).collect();
        Grouped { trials: values.iter().map(|&value| of(value)).collect(), values }
    }

    /// Trials by the values of two swept parameters, of those that have both. `None` where one of them has fewer than two
    /// values there, or where they are so few that most pairs of values cannot have been shown.
    pub fn paired(&self, schedule: &Schedule, keys: [&str; 2]) -> Option<Paired> {
        let periods = keys.map(|key| period_deg(schedule, key));
        let value = |axis: usize, trial: usize| self.value(schedule, keys[axis], periods[axis], trial);
        let pair = |trial: usize| Some([value(0, trial)?, value(1, trial)?]);
        let known: Vec<(usize, [f64; 2])> =
            (0..self.conditions.len()).filter_map(|trial| Some((trial, pair(trial)?))).collect();
        let values = [0, 1].map(|axis| ascending(known.iter().map(|(_, pair)| pair[axis])));
        if values.iter().any(|values| values.len() < 2) {
            return None;
        }
        let columns = values[1].len();
        let cells = values[0].len().checked_mul(columns).filter(|&cells| cells <= 2 * known.len())?;
        let mut trials = vec![Vec::new(); cells];
        for (trial, pair) in known {
            let place = |axis: usize| values[axis].iter().position(|&value| value == pair[axis]);
            trials[place(0)? * columns + place(1)?].push(trial);
        }
        Some(Paired { values, trials })
    }

    /// The value of a swept parameter in a trial, on its circle where it has one.
    fn value(&self, schedule: &Schedule, key: &str, period: Option<f64>, trial: usize) -> Option<f64> {
        let value = schedule.conditions.get(self.conditions[trial])?.swept(key)?;
        Some(period.map_or(value, |period| on_the_circle(value, period)))
    }

    /// One unit's response to each trial of each group, `[group][trial]`; what was not measured is left out.
    ///
    /// # Panics
    /// When there is no such unit.
    pub fn unit(&self, unit: usize, grouped: &Grouped) -> Vec<Vec<f64>> {
        self.of_groups(unit, &grouped.trials)
    }

    /// The same of lists of trials.
    ///
    /// # Panics
    /// When there is no such unit or trial.
    pub fn of_groups(&self, unit: usize, groups: &[Vec<usize>]) -> Vec<Vec<f64>> {
        let response = |trial: &usize| Some(self.responses.row(*trial)[unit]).filter(|response| !response.is_nan());
        let of = |trials: &Vec<usize>| trials.iter().filter_map(response).collect();
        groups.iter().map(of).collect()
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

/// Values in order, each once.
fn ascending(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    values
}
