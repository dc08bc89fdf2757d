//! What the figures of a comparison are made of: one population against another as dots, and values as bars.

use plotters::style::RGBColor;

use super::super::canvas::{Align, Area, CAPITALS_MM, Canvas, Text};
use super::super::grid::Grid;
use super::super::numbers::{Entry, Series, rounded};
use super::super::plot::{LINE_MM, Plot, Tick, numbered, ticks_from_zero};
use super::super::style::{AXIS_PT, BLUE, DATA_PT, GRID, GRID_PT, INK, QUIET, VERMILLION};
use crate::analysis::Median;
use crate::comparison::Pairs;

/// Radius of a unit, mm.
pub const DOT_MM: f64 = 0.5;
/// Bins of a histogram of errors or values.
const BINS: usize = 12;

/// Left edge of the first panel, from one to the next, and side of a panel, mm.
pub const LEFT_MM: f64 = 15.0;
pub const STEP_MM: f64 = 42.0;
pub const SIDE_MM: f64 = 29.0;

/// Panels in a row.
pub fn columns(page: f64) -> usize {
    Grid::columns(page)
}

/// Top left corner of a panel, of rows that begin at `top` and lie `row` apart, mm.
pub fn corner(page: f64, index: usize, top: f64, row: f64) -> (f64, f64) {
    let size_mm = (SIDE_MM, SIDE_MM);
    Grid { left_mm: LEFT_MM, step_mm: STEP_MM, top_mm: top, row_mm: row, size_mm }.corner(page, index)
}

/// Numbers of one line or cloud of dots.
pub fn series(panel: &str, name: &str, (x, y): (&str, &str), points: Vec<Entry>) -> Series {
    Series { panel: panel.to_owned(), name: name.to_owned(), x_label: x.to_owned(), y_label: y.to_owned(), points }
}

/// Numbers of a panel of pairs.
pub fn pairs(pairs: &Pairs, unit_of: impl Fn(usize) -> String) -> Vec<Series> {
    let unit = if pairs.unit.is_empty() { String::new() } else { format!(" ({})", pairs.unit) };
    let labels = (format!("In vivo{unit}"), format!("In silico{unit}"));
    let of_unit = |&(unit, recorded, predicted): &(usize, f64, f64)| {
        series(pairs.label, &unit_of(unit), (&labels.0, &labels.1), vec![Entry::new(rounded(recorded), predicted)])
    };
    pairs.points.iter().map(of_unit).collect()
}

/// Dots paler where there are many, so that crowds stand out.
pub fn alpha(count: usize) -> f64 {
    if count > 100 { 0.35 } else { 0.75 }
}

/// Name of a panel above it.
pub fn name(canvas: &mut Canvas, area: Area, text: &str) {
    canvas.fitted_text((area.left, area.top - 3.0), text, area.width(), Text { bold: true, ..Text::NORMAL });
}

/// Lines of text below a panel and its axis.
pub fn below(canvas: &mut Canvas, area: Area, first_mm: f64, lines: &[String]) {
    for (line, text) in lines.iter().enumerate() {
        let baseline = area.bottom + first_mm + CAPITALS_MM + LINE_MM * line as f64;
        let room = area.width() + 4.0;
        let width = Text::QUIET.width_mm(text).min(room);
        canvas.fitted_text((area.centre().0 - width / 2.0, baseline), text, room, Text::QUIET);
    }
}

/// A median with its interval, such as "12.1 [10.4, 13.0]°".
pub fn spoken(median: Option<Median>, decimals: usize, unit: &str) -> String {
    let Some(median) = median else { return "none".to_owned() };
    let interval =
        median.interval.map(|(low, high)| format!(" [{low:.decimals$}, {high:.decimals$}]")).unwrap_or_default();
    format!("{:.decimals$}{interval}{unit}", median.value).replace('-', "−")
}

/// Recorded values across, predicted ones up, with the line on which both are equal.
pub fn scatter(canvas: &mut Canvas, area: Area, pairs: &Pairs) {
    let points = pairs.unwrapped();
    let (x, y, ticks) = scales(pairs, &points);
    let plot = Plot { area, x, y };
    let (low, high) = (x.0.max(y.0), x.1.min(y.1));
    canvas.line(&[plot.at(low, low), plot.at(high, high)], GRID_PT, QUIET);
    if let Some(period) = pairs.period {
        // As far from the line as can be: the opposite.
        for shift in [-period / 2.0, period / 2.0] {
            canvas.line(&[plot.at(x.0, x.0 + shift), plot.at(x.1, x.1 + shift)], GRID_PT, GRID);
        }
    }
    for &(recorded, predicted) in &points {
        canvas.dot(plot.at(recorded, predicted), DOT_MM, BLUE, alpha(points.len()));
    }
    let unit = if pairs.unit.is_empty() { String::new() } else { format!(" ({})", pairs.unit) };
    let (across, up) = (format!("In vivo{unit}"), format!("In silico{unit}"));
    plot.axes(canvas, (&ticks.0, &across), (&ticks.1, &up));
}

type Scale = (f64, f64);

/// Ends of both axes with their ticks.
fn scales(pairs: &Pairs, points: &[(f64, f64)]) -> (Scale, Scale, (Vec<Tick>, Vec<Tick>)) {
    if let Some(period) = pairs.period {
        let half = period / 2.0;
        let quarters = |from: i32, to: i32| numbered(&(from..=to).map(|k| f64::from(k) * half).collect::<Vec<_>>());
        return ((0.0, period), (-half, period + half), (quarters(0, 2), quarters(-1, 3)));
    }
    let all = || points.iter().flat_map(|&(a, b)| [a, b]);
    let (least, most) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    let ticks = if least >= 0.0 {
        ticks_from_zero(if pairs.unit.is_empty() && most <= 1.0 { 1.0 } else { most }, 4)
    } else {
        around_zero(least, most)
    };
    let ends = ends(&ticks);
    (ends, ends, (ticks.clone(), ticks))
}

/// Round steps from below the least to above the most.
pub fn around_zero(least: f64, most: f64) -> Vec<Tick> {
    let steps = ticks_from_zero(most.abs().max(least.abs()), 2);
    let step = steps.get(1).map_or(1.0, |(value, _)| *value);
    let (from, to) = ((least / step).floor() as i32, (most / step).ceil() as i32);
    numbered(&(from..=to.max(from + 1)).map(|k| f64::from(k) * step).collect::<Vec<_>>())
}

/// First and last of some ticks.
pub fn ends(ticks: &[Tick]) -> Scale {
    (ticks.first().map_or(0.0, |tick| tick.0), ticks.last().map_or(1.0, |tick| tick.0))
}

/// Values as bars.
#[derive(Debug, Clone, Copy)]
pub struct Bars<'a> {
    pub values: &'a [f64],
    pub colour: RGBColor,
    /// Outlined instead of filled.
    pub outline: bool,
}

/// How a histogram is divided.
#[derive(Debug, Clone)]
pub struct Bins {
    pub ticks: Vec<Tick>,
    pub count: usize,
}

impl Bins {
    /// From 0 to at least the largest value.
    pub fn from_zero(most: f64) -> Self {
        Self { ticks: ticks_from_zero(most, 4), count: BINS }
    }

    /// Once around a circle, from 0 to its period.
    pub fn around(period: f64) -> Self {
        Self { ticks: numbered(&[0.0, 0.25, 0.5, 0.75, 1.0].map(|part| part * period)), count: BINS }
    }

    fn counts(&self, values: &[f64]) -> Vec<usize> {
        let (low, high) = ends(&self.ticks);
        let mut counts = vec![0; self.count];
        for value in values {
            let place = ((value - low) / (high - low) * self.count as f64).floor();
            counts[(place.max(0.0) as usize).min(self.count - 1)] += 1;
        }
        counts
    }
}

/// Histograms over one axis: number of units, or, of several populations, the share of each.
pub fn histogram(canvas: &mut Canvas, area: Area, bins: &Bins, bars: &[Bars<'_>], labels: (&str, &str)) {
    let shares = bars.len() > 1;
    let height =
        |values: &[f64], count: usize| if shares { count as f64 / values.len().max(1) as f64 } else { count as f64 };
    let heights: Vec<Vec<f64>> = bars
        .iter()
        .map(|bars| bins.counts(bars.values).into_iter().map(|count| height(bars.values, count)).collect())
        .collect();
    let most = heights.iter().flatten().copied().fold(if shares { 0.05 } else { 2.0 }, f64::max);
    let round = ticks_from_zero(most, 3);
    let y_ticks = if shares {
        round
    } else {
        numbered(&round.into_iter().map(|(value, _)| value).filter(|value| value.fract() == 0.0).collect::<Vec<_>>())
    };
    let top = y_ticks.last().map_or(most, |(value, _)| value.max(most));
    let (low, high) = ends(&bins.ticks);
    let plot = Plot { area, x: (low, high), y: (0.0, top) };
    let edge = |bin: usize| low + (high - low) * bin as f64 / bins.count as f64;
    for (bars, heights) in bars.iter().zip(&heights) {
        if bars.outline {
            let steps = heights
                .iter()
                .enumerate()
                .flat_map(|(bin, &height)| [plot.at(edge(bin), height), plot.at(edge(bin + 1), height)]);
            let ends = [plot.at(low, 0.0)].into_iter().chain(steps).chain([plot.at(high, 0.0)]);
            canvas.line(&ends.collect::<Vec<_>>(), DATA_PT, bars.colour);
            continue;
        }
        for (bin, &height) in heights.iter().enumerate().filter(|(_, height)| **height > 0.0) {
            let ((left, top), (right, bottom)) = (plot.at(edge(bin), height), plot.at(edge(bin + 1), 0.0));
            canvas.rectangle(Area::new(left + 0.1, top, right - 0.1, bottom), bars.colour);
        }
    }
    plot.axes(canvas, (&bins.ticks, labels.0), (&y_ticks, labels.1));
}

/// A mark at a value above a histogram.
pub fn mark(canvas: &mut Canvas, area: Area, bins: &Bins, value: f64) {
    let (low, high) = ends(&bins.ticks);
    let x = area.left + ((value - low) / (high - low)).clamp(0.0, 1.0) * area.width();
    canvas.line(&[(x, area.top), (x, area.bottom)], DATA_PT, VERMILLION);
}

/// A sample of a line with its meaning; where the next begins.
pub fn legend(canvas: &mut Canvas, at: (f64, f64), (colour, width_pt): (RGBColor, f64), text: &str) -> f64 {
    let height = at.1 - CAPITALS_MM / 2.0;
    canvas.line(&[(at.0, height), (at.0 + 5.0, height)], width_pt, colour);
    canvas.text((at.0 + 6.2, at.1), text, Text::NORMAL);
    at.0 + 6.2 + Text::NORMAL.width_mm(text) + 5.0
}

/// A frame around nothing, with the reason.
pub fn empty(canvas: &mut Canvas, area: Area, why: &str) {
    let Area { left, top, right, bottom } = area;
    canvas.line(&[(left, top), (left, bottom), (right, bottom)], AXIS_PT, GRID);
    let look = Text { colour: INK, ..Text::NORMAL }.aligned(Align::Centre);
    canvas.text(area.centre(), why, look);
}
