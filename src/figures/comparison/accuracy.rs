//! CC_norm of all units, and CC_abs against CC_max: a column of two panels for each domain of stimuli.

use std::io::Write;

use plotters::prelude::DrawingBackend;

use super::super::canvas::{Area, Canvas};
use super::super::plot::{LINE_MM, Plot, Tick, numbered};
use super::super::style::{BLUE, GRID_PT, QUIET};
use super::panel::{self, Bars, Bins, Head, alpha, below, empty, ends, spoken};
use crate::evaluation::{DomainEvaluation, Evaluation, Quantity};

/// Columns of panels in a row.
const COLUMNS: usize = 4;
/// Left edge of the first panel, from one to the next, width and height of the scatter and height of the histogram, mm.
const LEFT_MM: f64 = 16.0;
const STEP_MM: f64 = 43.0;
const SIDE_MM: f64 = 31.0;
const BARS_MM: f64 = 22.0;
/// Top of the first row and height of a row, mm.
const TOP_MM: f64 = 17.0;
const ROW_MM: f64 = 96.0;
/// From the histogram to the scatter, mm.
const BETWEEN_MM: f64 = 16.0;
/// The axes never reach farther.
const LEAST: f64 = -0.5;
const MOST: f64 = 1.5;
/// Width of a bin.
const BIN: f64 = 0.05;

pub fn height_mm(evaluation: &Evaluation) -> f64 {
    TOP_MM + ROW_MM * evaluation.domains.len().div_ceil(COLUMNS) as f64 + 3.0 * LINE_MM - 2.0
}

pub fn draw<B: DrawingBackend>(canvas: &mut Canvas<'_, B>, head: Head<'_>, evaluation: &Evaluation) {
    let burnin = evaluation.selection.burnin_frames;
    let [norm, abs, most] = [Quantity::CcNorm, Quantity::CcAbs, Quantity::CcMax].map(|one| ticks(evaluation, one));
    let (low, high) = ends(&norm);
    let values = evaluation.domains.iter().flat_map(|domain| domain.values(Quantity::CcNorm));
    let outside = values.filter(|value| !(low..=high).contains(value)).count();
    let outside =
        if outside > 0 { format!(" {outside} values beyond the axis count in its last bins.") } else { String::new() };
    head.draw(
        canvas,
        &[
            format!("Bars: number of units; red: median, in brackets its 95 % interval (bootstrap over units).{outside}"),
            format!(
                "Dots: units; on the line a prediction is as good as noise allows (CC_norm = CC_abs / CC_max = 1). {burnin} frames of burn-in left out."
            ),
        ],
    );
    for (index, domain) in evaluation.domains.iter().enumerate() {
        let left = LEFT_MM + STEP_MM * (index % COLUMNS) as f64;
        let top = TOP_MM + ROW_MM * (index / COLUMNS) as f64;
        column(canvas, (left, top), domain, [&norm, &abs, &most]);
    }
}

fn column<B: DrawingBackend>(
    canvas: &mut Canvas<'_, B>,
    (left, top): (f64, f64),
    domain: &DomainEvaluation,
    [norm, abs, most]: [&[Tick]; 3],
) {
    let bars = Area::new(left, top, left + SIDE_MM, top + BARS_MM);
    let dots = Area::new(left, bars.bottom + BETWEEN_MM, left + SIDE_MM, bars.bottom + BETWEEN_MM + SIDE_MM);
    panel::name(canvas, bars, &domain.name);
    let values = domain.values(Quantity::CcNorm);
    let points: Vec<(f64, f64)> = domain.units.iter().filter_map(|unit| Some((unit.cc_max?, unit.cc_abs?))).collect();
    if values.is_empty() {
        empty(canvas, bars, "no CC_norm");
        empty(canvas, dots, "no CC_max");
        let why = domain.why_no_ceiling().map(|why| why.to_string()).unwrap_or_default();
        let median = format!("CC_abs {}", spoken(domain.median(Quantity::CcAbs), 2, ""));
        return below(canvas, dots, 9.5, &[median, why, domain.shown()]);
    }
    let (low, high) = ends(norm);
    let bins = Bins { ticks: norm.to_vec(), count: ((high - low) / BIN).round() as usize };
    panel::histogram(
        canvas,
        bars,
        &bins,
        &[Bars { values: &values, colour: BLUE, outline: false }],
        ("CC_norm", "Units"),
    );
    let median = domain.median(Quantity::CcNorm);
    if let Some(median) = median {
        panel::mark(canvas, bars, &bins, median.value);
    }
    let plot = Plot { area: dots, x: ends(most), y: ends(abs) };
    let (low, high) = (plot.x.0.max(plot.y.0), plot.x.1.min(plot.y.1));
    canvas.line(&[plot.at(low, low), plot.at(high, high)], GRID_PT, QUIET);
    for &(x, y) in &points {
        let (x, y) = (x.clamp(plot.x.0, plot.x.1), y.clamp(plot.y.0, plot.y.1));
        canvas.dot(plot.at(x, y), panel::DOT_MM, BLUE, alpha(points.len()));
    }
    plot.axes(canvas, (most, "CC_max"), (abs, "CC_abs"));
    let n = format!("n = {} of {} units", values.len(), domain.units.len());
    below(canvas, dots, 9.5, &[spoken(median, 2, ""), n, domain.shown()]);
}

/// 0 and 1 and what the values need beyond: halves above, quarters below.
fn ticks(evaluation: &Evaluation, quantity: Quantity) -> Vec<Tick> {
    let values = || evaluation.domains.iter().flat_map(|domain| domain.values(quantity));
    // A ceiling may pass 1 a little, by its published definition.
    let most = values().fold(1.0, f64::max).min(MOST);
    let most = if most < 1.02 { 1.0 } else { most };
    let least = values().fold(0.0, f64::min).max(LEAST);
    let least = if least > -0.02 { 0.0 } else { (least / 0.25).floor() * 0.25 };
    let below = (least < 0.0).then_some(least);
    let above = (0..=((most / 0.5).ceil() as i32)).map(|step| 0.5 * f64::from(step));
    numbered(&below.into_iter().chain(above).collect::<Vec<_>>())
}

pub fn write_csv(evaluation: &Evaluation, to: &mut dyn Write) -> std::io::Result<()> {
    let mut table = csv::Writer::from_writer(to);
    table.write_record(["domain", "unit", "cc_norm", "cc_abs", "cc_max"])?;
    let text = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    for domain in &evaluation.domains {
        for (id, unit) in evaluation.units.iter().zip(&domain.units) {
            let numbers = [unit.cc_norm, unit.cc_abs, unit.cc_max].map(text);
            let who = [domain.name.clone(), id.unit.to_string()];
            table.write_record(who.into_iter().chain(numbers))?;
        }
    }
    table.flush()
}
