//! CC_norm of all units, and CC_abs against CC_max: a column of two panels for each domain of stimuli, or both side by side
//! where there is one domain.

use super::super::canvas::{Area, Canvas};
use super::super::numbers::{Entry, Series, rounded};
use super::super::page::NARROW_MM;
use super::super::plot::{Plot, Tick, numbered};
use super::super::style::{BLUE, GRID_PT, QUIET};
use super::panel::{self, Bars, Bins, alpha, below, empty, ends, spoken};
use crate::evaluation::{DomainEvaluation, Evaluation, Quantity};

/// Height of the histogram, mm.
const BARS_MM: f64 = 22.0;
/// Top of the first row and height of a row, mm.
const TOP_MM: f64 = 8.0;
const ROW_MM: f64 = 96.0;
/// From the histogram to the scatter, mm.
const BETWEEN_MM: f64 = 16.0;
/// Room for the words below the scatter, mm.
const BELOW_MM: f64 = 24.0;
/// Side of the scatter of a single domain on a wide page, mm.
const WIDE_SIDE_MM: f64 = 50.0;
/// The axes never reach farther.
const LEAST: f64 = -0.5;
const MOST: f64 = 1.5;
/// Width of a bin.
const BIN: f64 = 0.05;

/// The histogram and the scatter of a domain.
fn areas(page: f64, index: usize, domains: usize) -> [Area; 2] {
    let corner = |index: usize| panel::corner(page, index, TOP_MM, ROW_MM);
    if domains == 1 {
        let side = if page < NARROW_MM { panel::SIDE_MM } else { WIDE_SIDE_MM };
        let (left, top) = corner(0);
        let right = corner(panel::columns(page) - 1).0 + panel::SIDE_MM;
        let between = panel::STEP_MM - panel::SIDE_MM;
        let bars = Area::new(left, top, right - side - between, top + side);
        return [bars, Area::new(right - side, top, right, top + side)];
    }
    let (left, top) = corner(index);
    let bars = Area::new(left, top, left + panel::SIDE_MM, top + BARS_MM);
    let below = bars.bottom + BETWEEN_MM;
    [bars, Area::new(left, below, bars.right, below + panel::SIDE_MM)]
}

pub fn height(evaluation: &Evaluation, page: f64) -> f64 {
    if evaluation.domains.len() == 1 {
        return areas(page, 0, 1)[1].bottom + BELOW_MM;
    }
    TOP_MM + ROW_MM * evaluation.domains.len().div_ceil(panel::columns(page)) as f64 - 5.0
}

pub fn caption(evaluation: &Evaluation) -> Vec<String> {
    let burnin = evaluation.selection.burnin_frames;
    let (low, high) = ends(&ticks(evaluation, Quantity::CcNorm));
    let values = evaluation.domains.iter().flat_map(|domain| domain.values(Quantity::CcNorm));
    let outside = values.filter(|value| !(low..=high).contains(value)).count();
    let outside = match outside {
        0 => String::new(),
        1 => " One value beyond the axis counts in its last bin.".to_owned(),
        n => format!(" {n} values beyond the axis count in its last bins."),
    };
    vec![
        format!(
            "Bars: number of units; orange: median, in brackets its 95 % interval (bootstrap over units).{outside}"
        ),
        format!(
            "Dots: units; on the line a prediction is as good as noise allows (CC_norm = CC_abs / CC_max = 1). {burnin} frames of burn-in left out."
        ),
    ]
}

pub fn draw(canvas: &mut Canvas, page: f64, evaluation: &Evaluation) {
    let [norm, abs, most] = [Quantity::CcNorm, Quantity::CcAbs, Quantity::CcMax].map(|one| ticks(evaluation, one));
    for (index, domain) in evaluation.domains.iter().enumerate() {
        both(canvas, areas(page, index, evaluation.domains.len()), domain, [&norm, &abs, &most]);
    }
}

pub fn numbers(evaluation: &Evaluation) -> Vec<Series> {
    let of_domain = |domain: &DomainEvaluation| {
        let units = || evaluation.units.iter().map(|id| id.unit.to_string()).zip(&domain.units);
        let norm = units().map(|(unit, scores)| Entry::new(unit, scores.cc_norm)).collect();
        let median = domain
            .median(Quantity::CcNorm)
            .map(|median| Entry { range: median.interval, ..Entry::new("", median.value).over(median.n) });
        let of_unit = |(unit, scores): (String, &crate::evaluation::UnitEvaluation)| {
            let most = rounded(scores.cc_max?);
            Some(panel::series(
                &domain.name,
                &format!("unit {unit}"),
                ("CC_max", "CC_abs"),
                vec![Entry::new(most, scores.cc_abs)],
            ))
        };
        let first = [
            panel::series(&domain.name, "units", ("Unit", "CC_norm"), norm),
            panel::series(&domain.name, "median with its 95 % interval", ("", "CC_norm"), median.into_iter().collect()),
        ];
        first.into_iter().chain(units().filter_map(of_unit)).collect::<Vec<_>>()
    };
    evaluation.domains.iter().flat_map(of_domain).collect()
}

fn both(canvas: &mut Canvas, [bars, dots]: [Area; 2], domain: &DomainEvaluation, [norm, abs, most]: [&[Tick]; 3]) {
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
