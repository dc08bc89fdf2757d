//! Tuning of a population to two parameters at once, such as spatial by temporal frequency.

use super::parameter::Spacing;
use super::presentation::{mean_and_sem_of, mean_response};
use crate::signals::Responses;
use crate::stimulus::schedule::Schedule;
use crate::stimulus::{Field, FieldKind};

/// One of the two parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// Key of the parameter.
    pub key: String,
    /// What is known of it: label and unit for people, and the words of a choice.
    pub field: Field,
    /// Values shown, ascending.
    pub values: Vec<f64>,
    /// How they follow one another.
    pub spacing: Spacing,
}

/// Tuning of every unit over the same grid of values.
#[derive(Debug, Clone, PartialEq)]
pub struct SurfaceTuning {
    /// The first parameter, down the rows, and the second, across the columns.
    pub axes: [Axis; 2],
    /// Presentations of each pair of values, `[row, column]`; 0 where a pair was not shown.
    pub presentations: Vec<usize>,
    /// One for each unit, in the order of the responses.
    pub units: Vec<UnitSurface>,
}

/// One unit's tuning.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitSurface {
    /// Mean response to each pair, `[row, column]`, in units of the unit's mean activity; `None` where it was not shown.
    pub mean: Vec<Option<f32>>,
    /// Standard error over presentations; `None` where it was shown fewer than twice.
    pub sem: Vec<Option<f32>>,
    /// Row and column of the largest mean; `None` for a flat surface, which prefers nothing.
    pub preferred: Option<[usize; 2]>,
}

impl SurfaceTuning {
    /// Index of a pair in the lists.
    pub fn index(&self, row: usize, column: usize) -> usize {
        row * self.axes[1].values.len() + column
    }

    /// Share of the variation of one unit's surface, 0..=1, that is a curve of the first parameter times one of the second:
    /// 1 for a unit whose preference for one does not depend on the other, less for one tuned to their ratio, such as to
    /// speed. The first singular value squared over the sum of all. `None` when a pair was not shown, when there is no
    /// such unit, or when it never responds.
    pub fn separability(&self, unit: usize) -> Option<f64> {
        self.units.get(unit)?.separability([0, 1].map(|axis| self.axes[axis].values.len()))
    }
}

impl UnitSurface {
    /// From the responses to the presentations of each pair, `[row, column][presentation]`, of so many columns.
    pub fn of(responses: &[Vec<f64>], columns: usize) -> Self {
        let cells = responses.iter().map(|of| (!of.is_empty()).then(|| mean_and_sem_of(of.iter().copied())));
        let (mean, sem): (Vec<Option<f32>>, Vec<Option<f32>>) =
            cells.map(|cell| (cell.map(|(mean, _)| mean), cell.and_then(|(_, sem)| sem))).unzip();
        let known = || mean.iter().enumerate().filter_map(|(index, mean)| Some((index, (*mean)?)));
        let best = known().reduce(|best, other| if other.1 > best.1 { other } else { best });
        let preferred = best
            .filter(|(_, most)| known().any(|(_, mean)| mean < *most))
            .map(|(index, _)| [index / columns.max(1), index % columns.max(1)]);
        Self { mean, sem, preferred }
    }

    /// See [`SurfaceTuning::separability`]; `None` as well when the surface is not of so many rows and columns.
    pub fn separability(&self, [rows, columns]: [usize; 2]) -> Option<f64> {
        let means: Option<Vec<f64>> = self.mean.iter().map(|mean| mean.map(f64::from)).collect();
        let means = means.filter(|means| Some(means.len()) == rows.checked_mul(columns) && !means.is_empty())?;
        let squares = nalgebra::DMatrix::from_row_slice(rows, columns, &means).singular_values().map(|s| s * s);
        let all = squares.sum();
        (all > 0.0).then(|| squares.max() / all)
    }
}

/// Tuning to two parameters that were swept against each other: the mean over each presentation's frames after the first
/// `skip_frames`, then mean and standard error over the presentations of each pair, whatever else was swept beside them.
/// Samples side by side count as further presentations. What does not have both is left out.
///
/// `None` when they were not both swept in one part, when a presentation is not covered by the responses, or when nothing
/// of one remains after the skip.
pub fn surface_tuning(
    schedule: &Schedule,
    keys: [&str; 2],
    skip_frames: usize,
    responses: &Responses,
) -> Option<SurfaceTuning> {
    let pair = |condition: usize| {
        let condition = schedule.conditions.get(condition)?;
        Some([condition.swept(keys[0])?, condition.swept(keys[1])?])
    };
    let shown: Vec<_> =
        schedule.presentations.iter().filter_map(|shown| Some((shown, pair(shown.condition)?))).collect();
    let (first, _) = shown.first()?;
    let mut axes = Vec::with_capacity(2);
    for (axis, key) in keys.into_iter().enumerate() {
        let mut values: Vec<f64> = shown.iter().map(|(_, pair)| pair[axis]).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        let field = *schedule.conditions.get(first.condition)?.field(key)?;
        let spacing = if field.kind == FieldKind::Number { Spacing::of(&values) } else { Spacing::Words };
        axes.push(Axis { key: key.to_owned(), field, values, spacing });
    }
    let axes: [Axis; 2] = axes.try_into().ok()?;
    let columns = axes[1].values.len();
    let mut trials: Vec<Vec<Vec<f64>>> = vec![Vec::new(); axes[0].values.len() * columns];
    for (presentation, pair) in &shown {
        let place = |axis: usize| axes[axis].values.iter().position(|&value| value == pair[axis]);
        let index = place(0)? * columns + place(1)?;
        for sample in 0..responses.samples() {
            trials[index].push(mean_response(presentation, skip_frames, responses, sample)?);
        }
    }
    let of_unit = |unit: usize| -> Vec<Vec<f64>> {
        trials.iter().map(|trials| trials.iter().map(|means| means[unit]).collect()).collect()
    };
    let units = (0..responses.units()).map(|unit| UnitSurface::of(&of_unit(unit), columns)).collect();
    Some(SurfaceTuning { axes, presentations: trials.iter().map(Vec::len).collect(), units })
}
