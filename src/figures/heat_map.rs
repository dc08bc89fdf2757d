//! Direction tuning of all units as colours, sorted by preferred direction.

use super::canvas::{Align, Area, CAPITALS_MM, Canvas, Text};
use super::numbers::{Entry, Series};
use super::plot::{Plot, Tick, numbered};
use super::style::{AXIS_PT, INK, colour_of};
use super::{Data, direction_tuning, unit_name};
use crate::analysis::{DirectionTuning, UnitTuning};

/// What the colours are.
const LABEL: &str = "Response (fraction of maximum)";
/// Most rows that a page can tell apart; beyond it, neighbours are averaged.
const MOST_ROWS: usize = 400;

pub const HEIGHT_MM: f64 = 74.0;

pub fn draw(canvas: &mut Canvas, width: f64, data: &Data<'_>) {
    panel(canvas, Area::new(16.0, 2.0, width - 21.0, 60.0), data);
}

pub fn caption(data: &Data<'_>) -> String {
    let units = data.units.len();
    let together = units.div_ceil(MOST_ROWS);
    let rows = if together > 1 { format!(" Each row averages {together} units.") } else { String::new() };
    format!(
        "n = {units} units by preferred direction, those without one on top; {}.{rows}",
        data.presentations_in_words()
    )
}

fn panel(canvas: &mut Canvas, area: Area, data: &Data<'_>) {
    let Some(tuning) = data.tuning else { return };
    let rows = rows(tuning);
    let columns = tuning.directions_deg.len();
    let plot = Plot { area, x: (0.0, columns as f64), y: (0.0, rows.len() as f64) };
    // Each cell reaches a little under its neighbours, so that no viewer shows seams.
    let bleed = 0.06;
    for (row, values) in rows.iter().enumerate() {
        for (column, &value) in values.iter().enumerate() {
            let (left, bottom) = plot.at(column as f64, row as f64);
            let (right, top) = plot.at(column as f64 + 1.0, row as f64 + 1.0);
            let cell = Area::new(left, (top - bleed).max(area.top), (right + bleed).min(area.right), bottom);
            canvas.rectangle(cell, colour_of(value));
        }
    }
    let units = data.units.len();
    let scale = Plot { y: (0.0, units as f64), ..plot };
    let y_ticks = numbered(&[0.0, units as f64]);
    scale.axes(canvas, (&[], ""), (&y_ticks, "Unit (rank)"));
    let axis = Plot { y: (0.0, 1.0), ..plot };
    for (place, degrees, text) in direction_ticks(&tuning.directions_deg) {
        let (x, bottom) = axis.at(place, 0.0);
        canvas.line(&[(x, bottom), (x, bottom + 1.0)], AXIS_PT, INK);
        canvas.text((x, bottom + 1.8 + CAPITALS_MM), &text, Text::NORMAL.aligned(Align::Centre));
        canvas.direction_arrow((x, bottom + 6.6), degrees, 3.0, INK);
    }
    let label = (area.centre().0, area.bottom + 12.0);
    canvas.text(label, direction_tuning::LABEL, Text::NORMAL.aligned(Align::Centre));
    let bar = Area::new(area.right + 4.0, area.top, area.right + 6.5, area.bottom);
    colour_bar(canvas, bar, LABEL);
}

/// The curve of every unit, from the bottom.
pub fn table(data: &Data<'_>) -> Vec<Series> {
    let Some(tuning) = data.tuning else { return Vec::new() };
    let series = |index: usize| Series {
        panel: String::new(),
        name: unit_name(&data.units[index]),
        x_label: direction_tuning::LABEL.to_owned(),
        y_label: LABEL.to_owned(),
        points: relative(&tuning.units[index])
            .into_iter()
            .enumerate()
            .map(|(column, value)| Entry::new(tuning.directions_deg[column], value).over(tuning.presentations[column]))
            .collect(),
    };
    sorted(tuning).into_iter().map(series).collect()
}

/// Units by preferred direction, those without one last.
fn sorted(tuning: &DirectionTuning) -> Vec<usize> {
    let key = |index: &usize| f64::from(tuning.units[*index].preferred_direction_deg.unwrap_or(f32::MAX));
    let mut units: Vec<usize> = (0..tuning.units.len()).collect();
    units.sort_by(|a, b| key(a).total_cmp(&key(b)));
    units
}

/// From the bottom: each unit's curve over its maximum, `[row][direction]`.
fn rows(tuning: &DirectionTuning) -> Vec<Vec<f64>> {
    let units: Vec<&UnitTuning> = sorted(tuning).into_iter().map(|index| &tuning.units[index]).collect();
    let together = units.len().div_ceil(MOST_ROWS).max(1);
    let average = |units: &[&UnitTuning]| -> Vec<f64> {
        let curves: Vec<Vec<f64>> = units.iter().map(|unit| relative(unit)).collect();
        (0..tuning.directions_deg.len())
            .map(|column| curves.iter().map(|curve| curve[column]).sum::<f64>() / curves.len() as f64)
            .collect()
    };
    units.chunks(together).map(average).collect()
}

fn relative(unit: &UnitTuning) -> Vec<f64> {
    let most = unit.mean.iter().copied().fold(0.0, f32::max);
    unit.mean.iter().map(|&mean| if most > 0.0 { f64::from((mean / most).max(0.0)) } else { 0.0 }).collect()
}

/// Middle of a column, its direction and text: the quarters of the circle where they were shown, else a few columns.
fn direction_ticks(directions: &[f64]) -> Vec<(f64, f64, String)> {
    let columns = || directions.iter().enumerate().map(|(column, &degrees)| (column as f64 + 0.5, degrees));
    let tick = |(place, degrees): (f64, f64)| (place, degrees, format!("{}", (degrees * 10.0).round() / 10.0));
    let quarters: Vec<_> = columns().filter(|(_, degrees)| degrees % 90.0 == 0.0).map(tick).collect();
    if quarters.len() >= 2 {
        return quarters;
    }
    columns().step_by(directions.len().div_ceil(4).max(1)).map(tick).collect()
}

/// The scale of [`colour_of`] from 0 to 1, with what it measures beside it.
pub fn colour_bar(canvas: &mut Canvas, area: Area, label: &str) {
    let ticks: [Tick; 3] = [(0.0, "0".to_owned()), (0.5, "0.5".to_owned()), (1.0, "1".to_owned())];
    colour_scale(canvas, area, 1.0, &ticks, label);
}

/// The scale of [`colour_of`] over values from 0 to `most`, with what it measures beside it.
pub fn colour_scale(canvas: &mut Canvas, area: Area, most: f64, ticks: &[Tick], label: &str) {
    const STEPS: usize = 128;
    let bar = Plot { area, x: (0.0, 1.0), y: (0.0, 1.0) };
    for step in 0..STEPS {
        let (low, high) = (step as f64 / STEPS as f64, (step + 1) as f64 / STEPS as f64);
        let ((left, bottom), (right, top)) = (bar.at(0.0, low), bar.at(1.0, high));
        canvas.rectangle(Area::new(left, (top - 0.06).max(area.top), right, bottom), colour_of((low + high) / 2.0));
    }
    let mut widest = 0.0_f64;
    for (value, text) in ticks {
        let (right, down) = bar.at(1.0, value / most);
        canvas.line(&[(right, down), (right + 0.8, down)], AXIS_PT, INK);
        canvas.text((right + 1.4, down + CAPITALS_MM / 2.0), text, Text::NORMAL);
        widest = widest.max(Text::NORMAL.width_mm(text));
    }
    // Letters that read upwards reach 2 mm to the left of their baseline.
    let beside = (area.right + (1.4 + widest + 2.6).max(8.2), area.centre().1);
    canvas.text(beside, label, Text::NORMAL.aligned(Align::Centre).upwards());
}
