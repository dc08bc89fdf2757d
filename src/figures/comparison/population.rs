//! Quantities of two populations as histograms beside each other: recorded units, and units of a twin that are other cells.

use plotters::prelude::DrawingBackend;

use super::super::canvas::{Area, Canvas};
use super::super::plot::LINE_MM;
use super::super::style::{BLUE, DATA_PT, VERMILLION};
use super::panel::{self, Bars, Bins, Head, below};
use crate::comparison::PopulationComparison;
use crate::evaluation::Quantity;

/// Panels in a row; left edge of the first, from one to the next, its sides, mm.
const COLUMNS: usize = 4;
const LEFT_MM: f64 = 17.0;
const STEP_MM: f64 = 43.0;
const WIDTH_MM: f64 = 31.0;
const HEIGHT_MM: f64 = 26.0;
/// Top of the first row and height of a row, mm.
const TOP_MM: f64 = 21.0;
const ROW_MM: f64 = 55.0;

/// What one panel shows.
struct Panel<'a> {
    name: String,
    axis: String,
    /// Whether the axis goes to 1 at least.
    to_one: bool,
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
            lines: vec![format!("n = {} of {} recorded units", values.len(), domain.units.len()), domain.shown()],
            recorded: values.into(),
            predicted: None,
        })
    });
    let distributions = found.distributions.iter().map(|one| {
        let unit = if one.unit.is_empty() { String::new() } else { format!(" ({})", one.unit) };
        let n = format!("n = {} recorded, {} predicted", one.recorded.len(), one.predicted.len());
        let test = one.test().map(|test| {
            let p = if test.p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {:.3}", test.p) };
            format!("{}: {p}", test.test.label())
        });
        Panel {
            name: one.domain.clone(),
            axis: format!("{}{unit}", one.label),
            to_one: one.unit.is_empty(),
            recorded: one.recorded.as_slice().into(),
            predicted: Some(&one.predicted),
            lines: [n].into_iter().chain(test).collect(),
        }
    });
    ceilings.chain(distributions).collect()
}

pub fn height_mm(found: &PopulationComparison) -> f64 {
    TOP_MM + ROW_MM * panels(found).len().div_ceil(COLUMNS) as f64 + 3.0 * LINE_MM - 4.0
}

pub fn draw<B: DrawingBackend>(canvas: &mut Canvas<'_, B>, head: Head<'_>, found: &PopulationComparison) {
    let (recorded, predicted) = found.units;
    head.draw(
        canvas,
        &[
            format!("{recorded} recorded units, {predicted} units of the twin: no pairs. Bars: share of the population."),
            "Noise of few repeats raises the selectivity of recorded units, not that of predicted ones. A twin answers without noise: no CC_max.".to_owned(),
        ],
    );
    let next = panel::legend(canvas, (3.0, 10.5), (BLUE, 4.0 * DATA_PT), "recorded");
    panel::legend(canvas, (next, 10.5), (VERMILLION, DATA_PT), "predicted");
    for (index, shown) in panels(found).iter().enumerate() {
        let left = LEFT_MM + STEP_MM * (index % COLUMNS) as f64;
        let top = TOP_MM + ROW_MM * (index / COLUMNS) as f64;
        let area = Area::new(left, top, left + WIDTH_MM, top + HEIGHT_MM);
        panel::name(canvas, area, &shown.name);
        let predicted = shown.predicted.unwrap_or_default();
        let most = shown.recorded.iter().chain(predicted).copied().fold(0.0, f64::max);
        let bins = Bins::from_zero(if shown.to_one { most.max(1.0) } else { most });
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
