//! Medians of CC_norm, CC_abs and CC_max with their intervals: a row for each domain of stimuli.

use super::super::canvas::{Area, CAPITALS_MM, Canvas, Text};
use super::super::numbers::{Entry, Series};
use super::super::page::NARROW_MM;
use super::super::plot::{MARGIN_MM, Plot, Tick, numbered, with_minus};
use super::super::style::{BLUE, DATA_PT, GRID, GRID_PT, VERMILLION};
use super::panel;
use crate::analysis::statistics::moments::quantile;
use crate::evaluation::{Evaluation, Quantity};

/// The panels.
const SHOWN: [(Quantity, &str); 3] =
    [(Quantity::CcNorm, "CC_norm"), (Quantity::CcAbs, "CC_abs"), (Quantity::CcMax, "CC_max")];
/// Width of a panel on a wide page, between two, and room right of the last one, mm.
const WIDTH_MM: f64 = 34.0;
const GAP_MM: f64 = 13.0;
const RIGHT_MM: f64 = 1.0;
/// Left edge of the panels on a narrow page, where they stand below one another, mm.
const NARROW_LEFT_MM: f64 = 36.0;
/// Height of a row, mm.
const ROW_MM: f64 = 6.0;
/// Top of the panels, mm.
const TOP_MM: f64 = 2.0;
/// Room for the axis, mm.
const AXIS_MM: f64 = 12.0;

/// Areas of the panels.
fn areas(evaluation: &Evaluation, page: f64) -> Vec<Area> {
    let height = ROW_MM * evaluation.domains.len() as f64;
    let place = |index: usize| {
        let index = index as f64;
        if page < NARROW_MM {
            let top = TOP_MM + index * (height + AXIS_MM + 3.0);
            return Area::new(NARROW_LEFT_MM, top, page - RIGHT_MM - GAP_MM, top + height);
        }
        let left = page - RIGHT_MM - SHOWN.len() as f64 * (WIDTH_MM + GAP_MM);
        let from = left + index * (WIDTH_MM + GAP_MM);
        Area::new(from, TOP_MM, from + WIDTH_MM, TOP_MM + height)
    };
    (0..SHOWN.len()).map(place).collect()
}

pub fn height(evaluation: &Evaluation, page: f64) -> f64 {
    areas(evaluation, page).last().map_or(0.0, |area| area.bottom) + AXIS_MM - 3.0
}

pub fn caption(evaluation: &Evaluation) -> Vec<String> {
    let units = evaluation.units.len();
    vec![
        format!(
            "Orange: median over units; thick: its 95 % interval (bootstrap over {units} units); thin: quartiles of the units. Right: median (number of units)."
        ),
        "CC_norm = CC_abs / CC_max; no unit, 1 is the ceiling set by noise.".to_owned(),
    ]
}

pub fn draw(canvas: &mut Canvas, page: f64, evaluation: &Evaluation) {
    let areas = areas(evaluation, page);
    // Side by side, they share the names of the rows.
    let named = if page < NARROW_MM { &areas[..] } else { &areas[..1] };
    for area in named {
        for (row, domain) in evaluation.domains.iter().enumerate() {
            let middle = area.top + ROW_MM * (row as f64 + 0.5);
            let room = area.left - MARGIN_MM - 3.0;
            canvas.fitted_text((MARGIN_MM, middle - 0.3), &domain.name, room, Text::NORMAL);
            let shown = Text { size_pt: 5.5, ..Text::QUIET };
            canvas.fitted_text((MARGIN_MM, middle + CAPITALS_MM + 0.3), &domain.shown(), room, shown);
        }
    }
    for (area, (quantity, name)) in areas.into_iter().zip(SHOWN) {
        of_quantity(canvas, area, evaluation, quantity, name);
    }
}

pub fn numbers(evaluation: &Evaluation) -> Vec<Series> {
    let of_quantity = |(quantity, name): (Quantity, &str)| {
        let domains = evaluation.domains.iter();
        let medians = domains.clone().filter_map(|domain| {
            let median = domain.median(quantity)?;
            Some(Entry { range: median.interval, ..Entry::new(&domain.name, median.value).over(median.n) })
        });
        let quartiles = domains.filter_map(|domain| {
            let values = domain.values(quantity);
            let ends = quantile(&values, 0.25).zip(quantile(&values, 0.75))?;
            Some(Entry { range: Some(ends), ..Entry::new(&domain.name, None).over(values.len()) })
        });
        [
            panel::series(name, "median with its 95 % interval", ("Domain", name), medians.collect()),
            panel::series(name, "quartiles", ("Domain", name), quartiles.collect()),
        ]
    };
    SHOWN.into_iter().flat_map(of_quantity).collect()
}

fn of_quantity(canvas: &mut Canvas, area: Area, evaluation: &Evaluation, quantity: Quantity, name: &str) {
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
