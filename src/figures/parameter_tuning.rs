//! Tuning to a parameter on a line, such as contrast or size: the curve of one unit, and the whole population.

use super::canvas::{Align, Area, Canvas, Point, Text};
use super::numbers::{Entry, Series};
use super::page::NARROW_MM;
use super::plot::{LINE_MM, Plot, Tick, numbered, ticks_from_zero, with_minus};
use super::population::COUNT;
use super::style::{AXIS_PT, BLUE, DATA_PT, VERMILLION};
use super::{Data, unit_name};
use crate::analysis::{ParameterTuning, Spacing, UnitCurve};
use crate::stimulus::{Field, FieldKind};

/// What a curve is in parts of.
const RELATIVE: &str = "Response (fraction of maximum)";
/// Radius of a mean response, mm.
const DOT_MM: f64 = 0.75;
/// Room between the texts of neighbouring ticks, mm.
const GAP_MM: f64 = 1.6;

pub fn height(width: f64) -> f64 {
    if width < NARROW_MM { 66.0 } else { 60.0 }
}

pub fn draw(canvas: &mut Canvas, width: f64, tuning: &ParameterTuning, unit: usize) {
    let unit = &tuning.units[unit];
    if width < NARROW_MM {
        numbers(canvas, [(15.0, 3.0), (52.0, 3.0)], tuning, unit);
        curve(canvas, Area::new(15.0, 14.0, width - 5.0, 52.0), tuning, unit);
    } else {
        curve(canvas, Area::new(17.0, 5.0, width - 51.0, 46.0), tuning, unit);
        let (left, below) = (width - 42.0, 2.0 * LINE_MM + 2.2);
        numbers(canvas, [(left, 8.0), (left, 8.0 + below)], tuning, unit);
    }
}

/// The numbers of the curve.
pub fn table(data: &Data<'_>, tuning: &ParameterTuning, unit: usize) -> Vec<Series> {
    let curve = &tuning.units[unit];
    let entry = |index: usize| {
        let sem = curve.sem.as_ref().map(|sem| f64::from(sem[index]));
        let entry = Entry::new(in_table(tuning, index), f64::from(curve.mean[index]));
        entry.give_or_take(sem).over(tuning.presentations[index])
    };
    vec![Series {
        panel: String::new(),
        name: unit_name(&data.units[unit]),
        x_label: label_of(&tuning.field),
        y_label: "Response (× mean)".to_owned(),
        points: (0..tuning.values.len()).map(entry).collect(),
    }]
}

/// A value as a table holds it: with all digits and a hyphen for its sign.
fn in_table(tuning: &ParameterTuning, index: usize) -> String {
    match tuning.field.kind {
        FieldKind::Number => tuning.values[index].to_string(),
        _ => tuning.spoken(index),
    }
}

pub fn caption(data: &Data<'_>, tuning: &ParameterTuning, unit: usize) -> String {
    let spread = if tuning.units[unit].sem.is_some() { "Mean ± s.e.m." } else { "Mean" };
    let axis = if tuning.spacing == Spacing::Logarithmic { " Logarithmic axis." } else { "" };
    let else_varied = data.schedule.conditions.iter().any(|condition| condition.swept.len() > 1);
    let pooled = if else_varied { ", pooled over all else that was varied" } else { "" };
    let unitless = match (tuning.field.kind, tuning.field.unit) {
        (FieldKind::Number, "") => format!(" {} has no unit.", tuning.field.label),
        _ => String::new(),
    };
    let shown = presentations_in_words(&tuning.presentations);
    format!("{spread}, {shown}{pooled}.{axis} Triangle: largest mean.{unitless}")
}

fn presentations_in_words(shown: &[usize]) -> String {
    match (shown.iter().min(), shown.iter().max()) {
        (Some(1), Some(1)) => "one presentation of each value".to_owned(),
        (Some(least), Some(most)) if least == most => format!("n = {least} presentations of each value"),
        (Some(least), Some(most)) => format!("n = {least} to {most} presentations of each value"),
        _ => String::new(),
    }
}

/// Where values lie along the axis.
struct Axis<'a> {
    tuning: &'a ParameterTuning,
    places: Vec<f64>,
}

impl<'a> Axis<'a> {
    fn of(tuning: &'a ParameterTuning) -> Self {
        let place = |(index, &value): (usize, &f64)| match tuning.spacing {
            Spacing::Linear => value,
            Spacing::Logarithmic => value.log10(),
            Spacing::Words => index as f64,
        };
        Self { tuning, places: tuning.values.iter().enumerate().map(place).collect() }
    }

    /// From and to, with room beside the outermost values; `bars` leaves half a bar.
    fn range(&self, bars: bool) -> (f64, f64) {
        if bars {
            return (-0.5, self.places.len() as f64 - 0.5);
        }
        let (first, last) = (self.places.first().copied().unwrap_or(0.0), self.places.last().copied().unwrap_or(1.0));
        let room = if last > first { 0.04 * (last - first) } else { 0.5 };
        (first - room, last + room)
    }

    /// The values that were shown, as far as their texts fit side by side.
    fn ticks(&self, plot: &Plot, bars: bool) -> Vec<Tick> {
        let values = &self.tuning.values;
        let texts: Vec<String> = match self.tuning.field.kind {
            FieldKind::Choice(options) => values
                .iter()
                .map(|&value| options.get(value as usize).map_or_else(String::new, |word| word.label.to_owned()))
                .collect(),
            FieldKind::Switch => values.iter().map(|&on| if on > 0.5 { "on" } else { "off" }.to_owned()).collect(),
            FieldKind::Number => (0..values.len()).map(|index| short(self.tuning, index)).collect(),
        };
        let place = |index: usize| if bars { index as f64 } else { self.places[index] };
        let fits = |every: usize| {
            let kept: Vec<usize> = (0..values.len()).step_by(every).collect();
            kept.windows(2).all(|pair| {
                let across = plot.at(place(pair[1]), plot.y.0).0 - plot.at(place(pair[0]), plot.y.0).0;
                let wide = |index: usize| Text::NORMAL.width_mm(&texts[index]) / 2.0;
                across >= wide(pair[0]) + wide(pair[1]) + GAP_MM
            })
        };
        let every = (1..=values.len().max(1)).find(|&every| fits(every)).unwrap_or(1);
        (0..values.len()).step_by(every).map(|index| (place(index), texts[index].clone())).collect()
    }
}

/// Unit as it is printed, with the sign for degrees.
fn unit_of(field: &Field) -> String {
    field.unit.replace("deg", "°")
}

/// Label of a parameter with its unit.
pub fn label_of(field: &Field) -> String {
    if field.unit.is_empty() { field.label.to_owned() } else { format!("{} ({})", field.label, unit_of(field)) }
}

/// A value in words, a number with four digits that count.
pub fn short(tuning: &ParameterTuning, index: usize) -> String {
    match (tuning.field.kind, tuning.values.get(index)) {
        (FieldKind::Number, Some(value)) => format!("{value:.3e}")
            .parse::<f64>()
            .map_or_else(|_| tuning.spoken(index), |value| with_minus(value.to_string())),
        _ => tuning.spoken(index),
    }
}

/// The curve with standard errors; words are not joined by a line.
fn curve(canvas: &mut Canvas, area: Area, tuning: &ParameterTuning, unit: &UnitCurve) {
    let sem = |index: usize| unit.sem.as_ref().map_or(0.0, |sem| f64::from(sem[index]));
    let highest = unit.mean.iter().enumerate().map(|(index, &mean)| f64::from(mean) + sem(index)).fold(0.0, f64::max);
    let plot =
        joined(canvas, area, tuning, highest, "Response (× mean)", &|index| (f64::from(unit.mean[index]), sem(index)));
    if let Some(preferred) = unit.preferred {
        let (x, _) = plot.at(Axis::of(tuning).places[preferred], 0.0);
        canvas.polygon(&[(x, area.top), (x - 1.0, area.top - 1.8), (x + 1.0, area.top - 1.8)], VERMILLION, 1.0);
    }
}

/// Axes, a line through the means where there is a line to draw, standard errors and means.
fn joined(
    canvas: &mut Canvas,
    area: Area,
    tuning: &ParameterTuning,
    highest: f64,
    label: &str,
    mean_and_sem: &dyn Fn(usize) -> (f64, f64),
) -> Plot {
    let axis = Axis::of(tuning);
    let y_ticks = ticks_from_zero(highest, 4);
    let top = y_ticks.last().map_or(1.0, |(value, _)| *value);
    let plot = Plot { area, x: axis.range(false), y: (0.0, top) };
    let x_ticks = axis.ticks(&plot, false);
    plot.axes(canvas, (&x_ticks, &label_of(&tuning.field)), (&y_ticks, label));
    let at = |index: usize, value: f64| plot.at(axis.places[index], value.clamp(0.0, top));
    let indices = 0..tuning.values.len();
    if tuning.spacing != Spacing::Words {
        let line: Vec<Point> = indices.clone().map(|index| at(index, mean_and_sem(index).0)).collect();
        canvas.line(&line, DATA_PT, BLUE);
    }
    for index in indices {
        let (mean, sem) = mean_and_sem(index);
        if sem > 0.0 {
            canvas.line(&[at(index, mean - sem), at(index, mean + sem)], AXIS_PT, BLUE);
        }
        canvas.dot(at(index, mean), DOT_MM, BLUE, 1.0);
    }
    plot
}

/// The largest response and where it is.
fn numbers(canvas: &mut Canvas, at: [Point; 2], tuning: &ParameterTuning, unit: &UnitCurve) {
    let with_unit = |value: String| match unit_of(&tuning.field).as_str() {
        "" => value,
        "°" => format!("{value}°"),
        unit => format!("{value} {unit}"),
    };
    let preferred = unit.preferred.map_or("undefined".to_owned(), |index| with_unit(short(tuning, index)));
    let response = unit.preferred.map_or("undefined".to_owned(), |index| format!("{:.2} × mean", unit.mean[index]));
    for ((left, baseline), (name, value)) in
        at.into_iter().zip([("Value of the maximum", preferred), ("Response there", response)])
    {
        canvas.text((left, baseline), name, Text::QUIET);
        canvas.text((left, baseline + LINE_MM), &value, Text::TITLE);
    }
}

pub fn population_height(width: f64) -> f64 {
    if width < NARROW_MM { 104.0 } else { 58.0 }
}

/// All units: the mean of their curves, and which values they prefer.
pub fn draw_population(canvas: &mut Canvas, width: f64, tuning: &ParameterTuning) {
    if width < NARROW_MM {
        mean(canvas, Area::new(15.0, 4.0, width - 5.0, 38.0), tuning);
        histogram(canvas, Area::new(15.0, 56.0, width - 5.0, 90.0), tuning);
    } else {
        mean(canvas, Area::new(17.0, 4.0, 88.0, 42.0), tuning);
        histogram(canvas, Area::new(108.0, 4.0, width - 6.0, 42.0), tuning);
    }
}

/// Height of one panel of the population by itself, mm.
pub const PANEL_HEIGHT_MM: f64 = 54.0;

/// One panel of the population by itself: the mean curve, or the histogram.
pub fn draw_panel(canvas: &mut Canvas, width: f64, tuning: &ParameterTuning, of_means: bool) {
    let draw = if of_means { mean } else { histogram };
    draw(canvas, Area::new(15.0, 4.0, width - 5.0, 40.0), tuning);
}

pub fn mean_table(tuning: &ParameterTuning) -> Vec<Series> {
    let curves = relative(tuning);
    let entry = |index: usize| {
        let (mean, sem) = mean_and_sem_over(&curves, index);
        Entry::new(in_table(tuning, index), mean).give_or_take((curves.len() > 1).then_some(sem)).over(curves.len())
    };
    vec![Series {
        panel: "mean".to_owned(),
        name: "units that respond".to_owned(),
        x_label: label_of(&tuning.field),
        y_label: RELATIVE.to_owned(),
        points: (0..tuning.values.len()).map(entry).collect(),
    }]
}

pub fn histogram_table(tuning: &ParameterTuning) -> Vec<Series> {
    let counts = counts(tuning);
    let preferring = counts.iter().sum();
    let entry = |(index, &count): (usize, &usize)| Entry::new(in_table(tuning, index), count as f64).over(preferring);
    vec![Series {
        panel: "preferred values".to_owned(),
        name: "all units".to_owned(),
        x_label: preferred_label(tuning),
        y_label: COUNT.to_owned(),
        points: counts.iter().enumerate().map(entry).collect(),
    }]
}

fn preferred_label(tuning: &ParameterTuning) -> String {
    format!("Preferred: {}", label_of(&tuning.field))
}

/// How many units prefer each value.
fn counts(tuning: &ParameterTuning) -> Vec<usize> {
    let mut counts = vec![0; tuning.values.len()];
    tuning.units.iter().filter_map(|unit| unit.preferred).for_each(|index| counts[index] += 1);
    counts
}

pub fn mean_caption(tuning: &ParameterTuning) -> String {
    let responding = relative(tuning).len();
    format!("Mean ± s.e.m. over n = {responding} units that respond, each relative to its own maximum.")
}

pub fn histogram_caption(tuning: &ParameterTuning) -> String {
    let (preferring, all) = (counts(tuning).iter().sum::<usize>(), tuning.units.len());
    let shown = presentations_in_words(&tuning.presentations);
    format!("Value of the maximum of n = {preferring} units that prefer one, of {all}; {shown}.")
}

/// Mean of the curves of all units.
fn mean(canvas: &mut Canvas, area: Area, tuning: &ParameterTuning) {
    let responding = relative(tuning);
    joined(canvas, area, tuning, 1.0, RELATIVE, &|index| mean_and_sem_over(&responding, index));
}

/// Mean of some curves at one value, and its standard error, 0 for fewer than two.
fn mean_and_sem_over(curves: &[Vec<f64>], index: usize) -> (f64, f64) {
    let n = curves.len().max(1) as f64;
    let mean = curves.iter().map(|curve| curve[index]).sum::<f64>() / n;
    let squares = curves.iter().map(|curve| (curve[index] - mean).powi(2)).sum::<f64>();
    (mean, if curves.len() < 2 { 0.0 } else { (squares / (n - 1.0) / n).sqrt() })
}

/// Every curve over its maximum, without units that never respond.
fn relative(tuning: &ParameterTuning) -> Vec<Vec<f64>> {
    let over_maximum = |unit: &UnitCurve| {
        let most = unit.mean.iter().copied().fold(0.0, f32::max);
        (most > 0.0).then(|| unit.mean.iter().map(|&mean| f64::from((mean / most).max(0.0))).collect())
    };
    tuning.units.iter().filter_map(over_maximum).collect()
}

/// Number of units by the value of their maximum.
fn histogram(canvas: &mut Canvas, area: Area, tuning: &ParameterTuning) {
    let counts = counts(tuning);
    let most = counts.iter().copied().max().unwrap_or(0);
    let round = ticks_from_zero(most.max(2) as f64, 4).into_iter().map(|(value, _)| value);
    let y_ticks = numbered(&round.filter(|value| value.fract() == 0.0).collect::<Vec<_>>());
    let top = y_ticks.last().map_or(1.0, |(value, _)| value.max(most as f64));
    let axis = Axis::of(tuning);
    let plot = Plot { area, x: axis.range(true), y: (0.0, top) };
    for (index, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let (left, top) = plot.at(index as f64 - 0.42, count as f64);
        let (right, bottom) = plot.at(index as f64 + 0.42, 0.0);
        canvas.rectangle(Area::new(left, top, right, bottom), BLUE);
    }
    let x_ticks = axis.ticks(&plot, true);
    plot.axes(canvas, (&x_ticks, ""), (&y_ticks, COUNT));
    let label = (area.centre().0, area.bottom + 8.2);
    canvas.text(label, &preferred_label(tuning), Text::NORMAL.aligned(Align::Centre));
}
