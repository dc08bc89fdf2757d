//! Tuning of a population to any one parameter: size, contrast, spatial frequency, a word of a choice.
//!
//! A curve is pooled over everything else that was swept. Directions lie on a circle and have a module of their own.

use std::io;

use super::presentation::{columns, curve};
use crate::signals::{ResponseRows, Responses};
use crate::stimulus::Field;
use crate::stimulus::FieldKind;
use crate::stimulus::schedule::{Condition, Presentation, Schedule};

/// How values follow one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spacing {
    /// On a line.
    Linear,
    /// Each a multiple of the one before: the axis is logarithmic.
    Logarithmic,
    /// Words, and on or off: there is no axis.
    Words,
}

/// Largest difference of the ratios of neighbours on a logarithmic axis, as a fraction: lists such as 1, 2, 5, 10 or
/// 0.025, 0.043, 0.091 are rounded or deliberately uneven, and are read on that axis none the less.
const UNEVEN: f64 = 0.6;

/// Smallest ratio of neighbours that asks for a logarithmic axis: 9, 10, 11 belongs on a line.
const LEAST_RATIO: f64 = 1.3;

impl Spacing {
    /// From ascending numbers.
    pub fn of(values: &[f64]) -> Self {
        if values.len() < 3 || values.iter().any(|&value| value <= 0.0) {
            return Self::Linear;
        }
        let extent = |values: &mut dyn Iterator<Item = f64>| {
            values.fold((f64::INFINITY, 0.0_f64), |(least, most), value| (least.min(value), most.max(value)))
        };
        let (least, most) = extent(&mut values.windows(2).map(|pair| pair[1] / pair[0]));
        let (near, far) = extent(&mut values.windows(2).map(|pair| pair[1] - pair[0]));
        let even_steps = far - near <= 1e-6 * far;
        let even_ratios = (most / least).ln() <= UNEVEN.ln_1p();
        if !even_steps && even_ratios && least >= LEAST_RATIO { Self::Logarithmic } else { Self::Linear }
    }
}

/// Tuning of every unit over the same values.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterTuning {
    /// Key of the parameter, such as `contrast` or `aperture.diameter_deg`.
    pub key: String,
    /// What is known of it: label and unit for people, and the words of a choice.
    pub field: Field,
    /// Values shown, ascending.
    pub values: Vec<f64>,
    /// How they follow one another.
    pub spacing: Spacing,
    /// Presentations of each value, in the same order.
    pub presentations: Vec<usize>,
    /// One for each unit, in the order of the responses.
    pub units: Vec<UnitCurve>,
}

/// One unit's tuning.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitCurve {
    /// Mean response to each value, in units of the unit's mean activity.
    pub mean: Vec<f32>,
    /// Standard error over presentations of each value; `None` when one was shown fewer than twice.
    pub sem: Option<Vec<f32>>,
    /// Index of the value with the largest mean; `None` for a flat curve, which prefers nothing.
    pub preferred: Option<usize>,
}

impl UnitCurve {
    /// From the mean and standard error at each value.
    pub fn new(mean: Vec<f32>, sem: Option<Vec<f32>>) -> Self {
        let least = mean.iter().copied().fold(f32::INFINITY, f32::min);
        let preferred = (0..mean.len()).max_by(|&a, &b| mean[a].total_cmp(&mean[b]).then(b.cmp(&a)));
        Self { preferred: preferred.filter(|&index| mean[index] > least), mean, sem }
    }
}

impl ParameterTuning {
    /// A value in words: a number, or the word of a choice.
    pub fn spoken(&self, index: usize) -> String {
        self.values.get(index).map_or_else(String::new, |&value| self.field.spoken(tidy(value)))
    }

    /// The unit whose curve is modulated most, (max - min) / (max + min); the first of equals.
    pub fn most_modulated(&self) -> Option<usize> {
        let depth = |unit: &UnitCurve| {
            let (least, most) = unit.mean.iter().fold((f32::INFINITY, 0.0_f32), |(l, m), &r| (l.min(r), m.max(r)));
            if most + least > 0.0 { (most - least) / (most + least) } else { -1.0 }
        };
        let deeper = |&a: &usize, &b: &usize| depth(&self.units[a]).total_cmp(&depth(&self.units[b])).then(b.cmp(&a));
        (0..self.units.len()).max_by(deeper)
    }
}

/// Without the rounding of a sum: 0.30000000000000004 is 0.3.
fn tidy(value: f64) -> f64 {
    format!("{value:.9e}").parse().unwrap_or(value)
}

/// Tuning to a parameter that was swept: the mean over each presentation's frames after the first `skip_frames`, then
/// mean and standard error over the presentations of each value, whatever else was swept beside it. Samples side by
/// side count as further presentations. Blanks, and parts of the experiment in which it does not vary, are left out.
///
/// `None` when it was not swept, when a presentation is not covered by the responses, or when nothing of one remains
/// after the skip.
pub fn parameter_tuning(
    schedule: &Schedule,
    key: &str,
    skip_frames: usize,
    responses: &Responses,
) -> Option<ParameterTuning> {
    // Memory can be read.
    parameter_tuning_of_rows(schedule, key, skip_frames, responses).ok().flatten()
}

/// The same of responses that need not lie in memory: they are read once, value by value.
///
/// # Errors
/// When they cannot be read.
pub fn parameter_tuning_of_rows(
    schedule: &Schedule,
    key: &str,
    skip_frames: usize,
    responses: &dyn ResponseRows,
) -> io::Result<Option<ParameterTuning>> {
    let swept = |condition: &Condition| condition.swept(key);
    let of = |shown: &Presentation| schedule.conditions.get(shown.condition).and_then(swept);
    let mut values: Vec<f64> = schedule.presentations.iter().filter_map(of).collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    let known = schedule.conditions.iter().find(|condition| swept(condition).is_some());
    let Some(&field) = known.and_then(|condition| condition.field(key)).filter(|_| !values.is_empty()) else {
        return Ok(None);
    };
    let Some(columns) = columns(schedule, skip_frames, responses, &values, &swept)? else { return Ok(None) };
    let unit_curve = |unit| {
        let (mean, sem) = curve(&columns, unit);
        UnitCurve::new(mean, sem)
    };
    let units = (0..responses.units()).map(unit_curve).collect();
    let presentations = columns.iter().map(|column| column.presentations).collect();
    let spacing = if field.kind == FieldKind::Number { Spacing::of(&values) } else { Spacing::Words };
    Ok(Some(ParameterTuning { key: key.to_owned(), field, values, spacing, presentations, units }))
}
