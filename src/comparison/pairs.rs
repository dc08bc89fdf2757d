//! One quantity of every unit, recorded and predicted, and how well both agree.

use crate::analysis::{Correlation, Median};

/// A quantity measured in both, unit by unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Pairs {
    /// For people, such as "Preferred direction".
    pub label: &'static str,
    /// In tables, such as `preferred_direction_deg`.
    pub key: &'static str,
    /// Its unit; empty for a number without one.
    pub unit: &'static str,
    /// Where it starts again, such as 360; `None` on a line.
    pub period: Option<f64>,
    /// Which units count, in words; empty for all in which it is defined.
    pub among: &'static str,
    /// Index of the unit, recorded value, predicted value.
    pub points: Vec<(usize, f64, f64)>,
}

impl Pairs {
    /// Number of units.
    pub fn n(&self) -> usize {
        self.points.len()
    }

    /// Distance of both values of each unit, on a circle the short way round.
    pub fn errors(&self) -> Vec<f64> {
        let error = |&(_, recorded, predicted): &(usize, f64, f64)| match self.period {
            None => (predicted - recorded).abs(),
            Some(period) => {
                let turn = (predicted - recorded).rem_euclid(period);
                turn.min(period - turn)
            }
        };
        self.points.iter().map(error).collect()
    }

    /// Their median with its interval; `None` without units.
    pub fn median_error(&self, seed: u64) -> Option<Median> {
        Median::of(&self.errors(), seed)
    }

    /// Pearson's correlation over units with its interval; on a circle, where it says nothing, `None`.
    pub fn correlation(&self, seed: u64) -> Option<Correlation> {
        if self.period.is_some() {
            return None;
        }
        let (recorded, predicted): (Vec<f64>, Vec<f64>) = self.points.iter().map(|&(_, a, b)| (a, b)).unzip();
        Correlation::of(&recorded, &predicted, seed)
    }

    /// Predicted values beside the recorded ones, on a circle brought within half a period of them, so that what agrees
    /// lies along one line.
    pub fn unwrapped(&self) -> Vec<(f64, f64)> {
        let near = |&(_, recorded, predicted): &(usize, f64, f64)| match self.period {
            None => (recorded, predicted),
            Some(period) => {
                let apart = (predicted - recorded + period / 2.0).rem_euclid(period) - period / 2.0;
                (recorded, recorded + apart)
            }
        };
        self.points.iter().map(near).collect()
    }
}
