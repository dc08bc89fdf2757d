//! Tuning of one unit to direction, recorded and predicted, with standard errors.

use plotters::style::RGBColor;

use super::super::canvas::{Area, Canvas, Text};
use super::super::numbers::{Entry, Series, rounded};
use super::super::plot::{LINE_MM, MARGIN_MM, Plot, Tick, numbered, ticks_from_zero};
use super::super::style::{AXIS_PT, DATA_PT, INK, VERMILLION};
use super::directions::{shown, unit_number};
use super::panel;
use crate::analysis::UnitTuning;
use crate::comparison::{Comparison, DirectionComparison};

/// Edges of the panel, its height, and baselines of the unit's name and of the legend's first line, mm.
const LEFT_MM: f64 = 17.0;
const RIGHT_MM: f64 = 6.0;
const NAME_MM: f64 = 2.5;
const LEGEND_MM: f64 = 6.6;
const TOP_MM: f64 = 14.0;
const HEIGHT_MM: f64 = 42.0;
/// Below the panel: its axis with the label, mm.
const BELOW_MM: f64 = 9.0;
/// Radius of a mean, mm.
const DOT_MM: f64 = 0.7;

pub fn height() -> f64 {
    TOP_MM + HEIGHT_MM + BELOW_MM
}

/// Recorded and predicted, where they are defined.
fn curves(found: &DirectionComparison, unit: usize) -> Vec<(&'static str, RGBColor, &UnitTuning)> {
    [("recorded", INK, &found.recorded), ("predicted", VERMILLION, &found.predicted)]
        .into_iter()
        .filter_map(|(name, colour, tuned)| Some((name, colour, tuned.units.get(unit)?.as_ref()?)))
        .collect()
}

/// Whether there is a curve.
pub fn is_defined(found: &DirectionComparison, unit: usize) -> bool {
    !curves(found, unit).is_empty()
}

pub fn caption(found: &DirectionComparison) -> Vec<String> {
    let marks = "Dots: mean responses; bars: standard error of the mean over presentations. Angles as the recording \
                 names them. gOSI and gDSI: length of the mean vector over twice the angle and over the angle, \
                 weighted by responses.";
    vec![shown(found), marks.to_owned()]
}

/// Round angles around all that were shown.
fn angle_ticks(angles: &[f64]) -> Vec<Tick> {
    let (least, most) = angles.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &x| (a.min(x), b.max(x)));
    let quarters = |turn: f64| numbered(&[0.0, 0.25, 0.5, 0.75, 1.0].map(|part| part * turn));
    match () {
        () if least >= 0.0 && most <= 180.0 => quarters(180.0),
        () if least >= 0.0 && most <= 360.0 => quarters(360.0),
        () => panel::around_zero(least, most),
    }
}

pub fn draw(canvas: &mut Canvas, page: f64, comparison: &Comparison, found: &DirectionComparison, unit: usize) {
    let curves = curves(found, unit);
    let title = format!("Unit {}", unit_number(comparison, unit));
    canvas.text((MARGIN_MM, NAME_MM), &title, Text { bold: true, ..Text::NORMAL });
    let index = |name: &str, value: Option<f32>| value.map(|value| format!(", {name} {value:.2}")).unwrap_or_default();
    for (line, (name, colour, tuning)) in curves.iter().enumerate() {
        let text = format!("{name}{}{}", index("gOSI", tuning.global_osi), index("gDSI", tuning.global_dsi));
        let at = (MARGIN_MM, LEGEND_MM + LINE_MM * line as f64);
        panel::legend(canvas, at, (*colour, DATA_PT), &text);
    }

    let area = Area::new(LEFT_MM, TOP_MM, page - RIGHT_MM, TOP_MM + HEIGHT_MM);
    let errors = |tuning: &UnitTuning, index: usize| tuning.sem.as_ref().map_or(0.0, |sem| f64::from(sem[index]));
    let ends = curves.iter().flat_map(|(_, _, tuning)| {
        let end = move |(index, &mean): (usize, &f32)| {
            let error = errors(tuning, index);
            [f64::from(mean) - error, f64::from(mean) + error]
        };
        tuning.mean.iter().enumerate().flat_map(end)
    });
    let (least, most) = ends.fold((0.0f64, 0.0f64), |(low, high), end| (low.min(end), high.max(end)));
    let y_ticks = if least < 0.0 { panel::around_zero(least, most) } else { ticks_from_zero(most, 4) };
    let x_ticks = angle_ticks(&found.recorded.angles_deg);
    let plot = Plot { area, x: panel::ends(&x_ticks), y: panel::ends(&y_ticks) };
    for (_, colour, tuning) in &curves {
        let points: Vec<(f64, f64)> = found
            .recorded
            .angles_deg
            .iter()
            .zip(&tuning.mean)
            .map(|(&angle, &mean)| (angle, f64::from(mean)))
            .collect();
        for (index, &(angle, mean)) in points.iter().enumerate() {
            let error = errors(tuning, index);
            canvas.line(&[plot.at(angle, mean - error), plot.at(angle, mean + error)], AXIS_PT, *colour);
            canvas.dot(plot.at(angle, mean), DOT_MM, *colour, 1.0);
        }
        let line: Vec<_> = points.iter().map(|&(angle, mean)| plot.at(angle, mean)).collect();
        canvas.line(&line, DATA_PT, *colour);
    }
    plot.axes(canvas, (&x_ticks, "Angle (°)"), (&y_ticks, "Response (× mean)"));
}

pub fn numbers(comparison: &Comparison, found: &DirectionComparison, unit: usize) -> Vec<Series> {
    let name = format!("unit {}", unit_number(comparison, unit));
    let presentations = &found.recorded.presentations;
    let of_curve = |(who, _, tuning): (&'static str, RGBColor, &UnitTuning)| {
        let entry = |(index, &angle): (usize, &f64)| Entry {
            n: presentations.get(index).copied(),
            ..Entry::new(rounded(angle), f64::from(tuning.mean[index]))
                .give_or_take(tuning.sem.as_ref().map(|sem| f64::from(sem[index])))
        };
        let points = found.recorded.angles_deg.iter().enumerate().map(entry).collect();
        panel::series(&name, who, ("Angle (°)", "Response (× mean)"), points)
    };
    curves(found, unit).into_iter().map(of_curve).collect()
}
