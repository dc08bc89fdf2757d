//! Medians of CC_norm, CC_abs and CC_max with their intervals: a row for each domain of stimuli.

use plotters::prelude::DrawingBackend;

use super::super::canvas::{Area, CAPITALS_MM, Canvas, Text};
use super::super::plot::{LINE_MM, MARGIN_MM, Plot, Tick, numbered, with_minus};
use super::super::style::{BLUE, DATA_PT, GRID, GRID_PT, PAGE_MM, VERMILLION};
use super::panel::{self, Head};
use crate::analysis::statistics::moments::quantile;
use crate::evaluation::{Evaluation, Quantity};

/// The panels.
const SHOWN: [(Quantity, &str); 3] =
    [(Quantity::CcNorm, "CC_norm"), (Quantity::CcAbs, "CC_abs"), (Quantity::CcMax, "CC_max")];
/// Width of a panel, and between two, mm.
const WIDTH_MM: f64 = 34.0;
const GAP_MM: f64 = 13.0;
/// Height of a row, mm.
const ROW_MM: f64 = 6.0;
/// Top of the panels, mm.
const TOP_MM: f64 = 10.0;
/// Room for the axis, mm.
const AXIS_MM: f64 = 12.0;

pub fn height_mm(evaluation: &Evaluation) -> f64 {
    TOP_MM + ROW_MM * evaluation.domains.len() as f64 + AXIS_MM + 3.0 * LINE_MM
}

pub fn draw<B: DrawingBackend>(canvas: &mut Canvas<'_, B>, head: Head<'_>, evaluation: &Evaluation) {
    let units = evaluation.units.len();
    head.draw(
        canvas,
        &[
            format!(
                "Red: median over units; thick: its 95 % interval (bootstrap over {units} units); thin: quartiles of the units. Right: median (number of units)."
            ),
            "CC_norm = CC_abs / CC_max; no unit, 1 is the ceiling set by noise.".to_owned(),
        ],
    );
    let left = PAGE_MM - 1.0 - SHOWN.len() as f64 * (WIDTH_MM + GAP_MM);
    let bottom = TOP_MM + ROW_MM * evaluation.domains.len() as f64;
    for (row, domain) in evaluation.domains.iter().enumerate() {
        let middle = TOP_MM + ROW_MM * (row as f64 + 0.5);
        let room = left - MARGIN_MM - 3.0;
        canvas.fitted_text((MARGIN_MM, middle - 0.3), &domain.name, room, Text::NORMAL);
        let shown = Text { size_pt: 5.5, ..Text::QUIET };
        canvas.fitted_text((MARGIN_MM, middle + CAPITALS_MM + 0.3), &domain.shown(), room, shown);
    }
    for (column, (quantity, name)) in SHOWN.into_iter().enumerate() {
        let from = left + column as f64 * (WIDTH_MM + GAP_MM);
        let area = Area::new(from, TOP_MM, from + WIDTH_MM, bottom);
        of_quantity(canvas, area, evaluation, quantity, name);
    }
}

fn of_quantity<B: DrawingBackend>(
    canvas: &mut Canvas<'_, B>,
    area: Area,
    evaluation: &Evaluation,
    quantity: Quantity,
    name: &str,
) {
    let ticks = ticks(evaluation, quantity);
    let plot = Plot { area, x: panel::ends(&ticks), y: (0.0, evaluation.domains.len() as f64) };
    for value in [0.0, 1.0].into_iter().filter(|value| (plot.x.0..=plot.x.1).contains(value)) {
        canvas.line(&[plot.at(value, plot.y.0), plot.at(value, plot.y.1)], GRID_PT, GRID);
    }
    let kept = |value: f64| value.clamp(plot.x.0, plot.x.1);
    for (row, domain) in evaluation.domains.iter().enumerate() {
        let y = evaluation.domains.len() as f64 - row as f64 - 0.5;
        let values = domain.values(quantity);
        let small = Text { size_pt: 5.5, ..Text::QUIET };
        let Some(median) = domain.median(quantity) else {
            canvas.text((area.left + 1.0, plot.at(0.0, y).1 + CAPITALS_MM / 2.0), "not defined", small);
            continue;
        };
        let quartile = |share: f64| kept(quantile(&values, share).unwrap_or(median.value));
        canvas.line(&[plot.at(quartile(0.25), y), plot.at(quartile(0.75), y)], GRID_PT, BLUE);
        if let Some((low, high)) = median.interval {
            canvas.line(&[plot.at(kept(low), y), plot.at(kept(high), y)], 2.0 * DATA_PT, BLUE);
        }
        canvas.dot(plot.at(kept(median.value), y), 0.75, VERMILLION, 1.0);
        let text = with_minus(format!("{:.2} ({})", median.value, median.n));
        canvas.text((area.right + 1.2, plot.at(0.0, y).1 + CAPITALS_MM / 2.0), &text, small);
    }
    plot.axes(canvas, (&ticks, name), (&[], ""));
}

fn ticks(evaluation: &Evaluation, quantity: Quantity) -> Vec<Tick> {
    let quartiles = |share: f64| {
        let of = move |domain: &crate::evaluation::DomainEvaluation| quantile(&domain.values(quantity), share);
        evaluation.domains.iter().filter_map(of)
    };
    let least = quartiles(0.25).fold(0.0, f64::min).max(-1.0);
    let most = quartiles(0.75).fold(1.0, f64::max).min(2.0);
    let most = if most < 1.02 { 1.0 } else { most };
    let steps = ((least / 0.5).floor() as i32)..=((most / 0.5).ceil() as i32);
    numbered(&steps.map(|step| 0.5 * f64::from(step)).collect::<Vec<_>>())
}
