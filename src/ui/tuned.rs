//! The tuning that the panels show: to the parameter that the protocol analyses, else to the direction.

use super::widgets::badge;
use crate::analysis::{DirectionTuning, ParameterTuning};
use crate::experiment::Outcome;

/// One of the two forms of tuning.
#[derive(Clone, Copy)]
pub enum Tuned<'a> {
    /// Along a line or a list of words.
    Parameter(&'a ParameterTuning),
    /// On the circle.
    Direction(&'a DirectionTuning),
}

impl<'a> Tuned<'a> {
    /// That of an outcome; `None` when nothing was swept.
    pub fn of(outcome: &'a Outcome) -> Option<Self> {
        let parameter = outcome.parameter.as_ref().map(Self::Parameter);
        parameter.or_else(|| outcome.tuning.as_ref().map(Self::Direction))
    }

    /// Name of what was varied.
    pub fn label(self) -> &'static str {
        match self {
            Self::Parameter(tuning) => tuning.field.label,
            Self::Direction(_) => "Direction",
        }
    }

    /// Name of what was varied, with its unit.
    pub fn caption(self) -> String {
        match self {
            Self::Parameter(tuning) => tuning.field.caption(),
            Self::Direction(_) => "Direction".to_owned(),
        }
    }

    /// Number of values.
    pub fn columns(self) -> usize {
        match self {
            Self::Parameter(tuning) => tuning.values.len(),
            Self::Direction(tuning) => tuning.directions_deg.len(),
        }
    }

    /// A value in words.
    pub fn spoken(self, column: usize) -> String {
        match self {
            Self::Parameter(tuning) => tuning.spoken(column),
            Self::Direction(tuning) => {
                tuning.directions_deg.get(column).map_or_else(String::new, |direction| format!("{direction:.0}°"))
            }
        }
    }

    /// Mean response of a unit to a value.
    pub fn response(self, unit: usize, column: usize) -> Option<f32> {
        match self {
            Self::Parameter(tuning) => tuning.units.get(unit)?.mean.get(column).copied(),
            Self::Direction(tuning) => tuning.units.get(unit)?.mean.get(column).copied(),
        }
    }

    /// The value that a unit prefers, as a number to sort by.
    pub fn preferred(self, unit: usize) -> Option<f32> {
        match self {
            Self::Parameter(tuning) => tuning.units.get(unit)?.preferred.map(|index| tuning.values[index] as f32),
            Self::Direction(tuning) => tuning.units.get(unit)?.preferred_direction_deg,
        }
    }

    /// The value that a unit prefers, in words.
    pub fn preferred_spoken(self, unit: usize) -> Option<String> {
        match self {
            Self::Parameter(tuning) => tuning.units.get(unit)?.preferred.map(|index| tuning.spoken(index)),
            Self::Direction(_) => self.preferred(unit).map(|degrees| format!("{:.0}°", badge::whole_degrees(degrees))),
        }
    }
}
