//! Quantities of two populations as histograms beside each other: recorded units, and units of a twin that are other cells.

use super::super::canvas::{Area, Canvas};
use super::super::numbers::{Entry, Series};
use super::super::plot::MARGIN_MM;
use super::super::style::{BLUE, DATA_PT, VERMILLION};
use super::panel::{self, Bars, Bins, below};
use crate::comparison::PopulationComparison;
use crate::evaluation::Quantity;

/// Height of a panel, mm.
const HEIGHT_MM: f64 = 26.0;
/// Baseline of the legend, top of the first row and height of a row, mm.
const LEGEND_MM: f64 = 2.5;
const TOP_MM: f64 = 13.0;
const ROW_MM: f64 = 58.5;

/// What one panel shows.
struct Panel<'a> {
    name: String,
    axis: String,
    /// Whether the axis goes to 1 at least.
    to_one: bool,
    /// After how much the axis begins anew.
    period: Option<f64>,
    recorded: std::borrow::Cow<'a, [f64]>,
    predicted: Option<&'a [f64]>,
    lines: Vec<String>,
}

fn panels(found: &PopulationComparison) -> Vec<Panel<'_>> {
    let ceilings = found.ceilings.iter().filter_map(|domain| {
        let values = domain.values(Quantity::CcMax);
        (!values.is_empty()).then(|| Panel {
            name: domain.name.clone(),
            axis: "CC_max".to_owned(),
            to_one: true,
            period: None,
            lines: vec![format!("n = {} of {} recorded units", values.len(), domain.units.len()), domain.shown()],
            recorded: values.into(),
            predicted: None,
        })
    });
    let distributions = found.distributions.iter().zip(found.adjusted()).map(|(one, adjusted)| {
        let unit = if one.unit.is_empty() { String::new() } else { format!(" ({})", one.unit) };
        let n = format!("n = {} recorded, {} predicted", one.recorded.len(), one.predicted.len());
        let test = one.test().zip(adjusted).map(|(test, p)| {
            let p = if p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p:.3}") };
            [test.test.label().to_owned(), p]
        });
        Panel {
            name: one.domain.clone(),
            axis: format!("{}{unit}", one.label),
            to_one: one.unit.is_empty(),
            period: one.period,
            recorded: one.recorded.as_slice().into(),
            predicted: Some(&one.predicted),
            lines: [n].into_iter().chain(test.into_iter().flatten()).collect(),
        }
    });
    ceilings.chain(distributions).collect()
}

pub fn height(found: &PopulationComparison, page: f64) -> f64 {
    TOP_MM + ROW_MM * panels(found).len().div_ceil(panel::columns(page)) as f64 - 7.0
}

pub fn caption(found: &PopulationComparison) -> Vec<String> {
    let (recorded, predicted) = found.units;
    vec![
            format!("{recorded} recorded units, {predicted} units of the twin: no pairs. Bars: share of the population. p: two-sided, corrected for the number of tests (Holm)."),
            "Noise of few repeats raises the selectivity of recorded units, not that of predicted ones. A twin answers without noise: no CC_max.".to_owned(),
    ]
}

pub fn numbers(found: &PopulationComparison) -> Vec<Series> {
    let of_panel = |shown: &Panel<'_>| {
        let values = |name: &str, values: &[f64]| {
            let points = values.iter().enumerate().map(|(index, &value)| Entry::new(index, value)).collect();
            panel::series(&shown.name, name, ("Unit, from 0", &shown.axis), points)
        };
        let predicted = shown.predicted.map(|predicted| values("predicted", predicted));
        [values("recorded", &shown.recorded)].into_iter().chain(predicted).collect::<Vec<_>>()
    };
    panels(found).iter().flat_map(of_panel).collect()
}

pub fn draw(canvas: &mut Canvas, page: f64, found: &PopulationComparison) {
    let next = panel::legend(canvas, (MARGIN_MM, LEGEND_MM), (BLUE, 4.0 * DATA_PT), "recorded");
    panel::legend(canvas, (next, LEGEND_MM), (VERMILLION, DATA_PT), "predicted");
    for (index, shown) in panels(found).iter().enumerate() {
        let (left, top) = panel::corner(page, index, TOP_MM, ROW_MM);
        let area = Area::new(left, top, left + panel::SIDE_MM, top + HEIGHT_MM);
        panel::name(canvas, area, &shown.name);
        let predicted = shown.predicted.unwrap_or_default();
        let most = shown.recorded.iter().chain(predicted).copied().fold(0.0, f64::max);
        let bins = match shown.period {
            Some(period) => Bins::around(period),
            None => Bins::from_zero(if shown.to_one { most.max(1.0) } else { most }),
        };
        let bars = [
            Bars { values: &shown.recorded, colour: BLUE, outline: false },
            Bars { values: predicted, colour: VERMILLION, outline: true },
        ];
        let count = if shown.predicted.is_some() { 2 } else { 1 };
        let up = if count == 2 { "Share of units" } else { "Units" };
        panel::histogram(canvas, area, &bins, &bars[..count], (&shown.axis, up));
        below(canvas, area, 9.5, &shown.lines);
    }
}
