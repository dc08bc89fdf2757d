//! Preferred directions and selectivity in silico against in vivo, in one domain of stimuli.

use super::super::canvas::{Area, Canvas};
use super::super::numbers::{Entry, Series};
use super::super::style::BLUE;
use super::panel::{self, Bars, Bins, SIDE_MM, below, empty, spoken};
use crate::analysis::statistics::correlation::LEAST_PAIRS;
use crate::comparison::{Comparison, DirectionComparison, Measure, Pairs};

/// Top of the first row and from one row to the next, mm.
const TOP_MM: f64 = 8.0;
const ROW_MM: f64 = 64.0;

/// What is said below of the correlations of a figure.
pub fn about_correlations() -> String {
    format!(
        "r: Pearson's correlation over units, in brackets its 95 % interval (BCa bootstrap over units, 2,000 resamples), of {LEAST_PAIRS} units or more."
    )
}

pub fn height(page: f64) -> f64 {
    TOP_MM + ROW_MM * (4_usize.div_ceil(panel::columns(page)) - 1) as f64 + 59.0
}

/// What was shown how often, in words.
pub fn shown(found: &DirectionComparison) -> String {
    let shown = &found.recorded.presentations;
    let (least, most) = (shown.iter().min().copied().unwrap_or(0), shown.iter().max().copied().unwrap_or(0));
    let count = if least == most { format!("{most}") } else { format!("{least} to {most}") };
    format!("{}: {} angles, n = {count} presentations each.", found.domain, shown.len())
}

pub fn caption(found: &DirectionComparison) -> Vec<String> {
    vec![
            shown(found),
            "Dots: units; dark line: equal in both; pale lines: opposite. Angles as the recording names them; beyond the circle they repeat.".to_owned(),
            "Circular error: the short way round; orange: median, in brackets its 95 % interval (bootstrap over units). gOSI and gDSI: length of the mean vector over twice the angle and over the angle, weighted by responses.".to_owned(),
            about_correlations(),
        ]
}

pub fn draw(canvas: &mut Canvas, page: f64, comparison: &Comparison, found: &DirectionComparison) {
    let seed = comparison.evaluation.selection.seed;
    let place = |index: usize, height: f64| {
        let (left, top) = panel::corner(page, index, TOP_MM, ROW_MM);
        Area::new(left, top, left + SIDE_MM, top + height)
    };
    let direction = found.pairs(Measure::PreferredDirection);
    let orientation = found.pairs(Measure::PreferredOrientation);
    // Of gratings that stand still there is no direction.
    let angle = if direction.n() > 0 { direction } else { orientation };
    let half = angle.period.unwrap_or(360.0) / 2.0;
    let (first, second) = (place(0, SIDE_MM * 1.3), place(1, SIDE_MM));
    panel::name(canvas, first, angle.label);
    panel::name(canvas, second, "Circular error");
    if angle.n() == 0 {
        empty(canvas, first, "no selective unit");
        empty(canvas, second, "no selective unit");
    } else {
        panel::scatter(canvas, first, &angle);
        below(canvas, first, 9.5, &[format!("n = {} units", angle.n()), format!("({})", angle.among)]);
        let bins = Bins { ticks: super::super::plot::numbered(&[0.0, half / 2.0, half]), count: 12 };
        let errors = angle.errors();
        let bars = [Bars { values: &errors, colour: BLUE, outline: false }];
        panel::histogram(canvas, second, &bins, &bars, ("Error (°)", "Units"));
        let median = angle.median_error(seed);
        if let Some(median) = median {
            panel::mark(canvas, second, &bins, median.value);
        }
        below(canvas, second, 9.5, &[spoken(median, 1, "°"), format!("chance {}°", half / 2.0)]);
    }
    for (column, measure) in [(2, Measure::GlobalOsi), (3, Measure::GlobalDsi)] {
        let area = place(column, SIDE_MM);
        let pairs = found.pairs(measure);
        panel::name(canvas, area, pairs.label);
        if pairs.n() == 0 {
            empty(canvas, area, "not defined");
            continue;
        }
        panel::scatter(canvas, area, &pairs);
        below(canvas, area, 9.5, &agreement(&pairs, seed));
    }
}

/// Correlation with its interval, and number.
pub fn agreement(pairs: &Pairs, seed: u64) -> Vec<String> {
    let r = pairs.correlation(seed).map(|r| format!("r = {r}").replace('-', "−"));
    vec![r.unwrap_or_else(|| "r not defined".to_owned()), format!("n = {} units", pairs.n())]
}

pub fn numbers(comparison: &Comparison, found: &DirectionComparison) -> Vec<Series> {
    let unit_of = |unit: usize| unit_number(comparison, unit);
    let mut all: Vec<Series> =
        Measure::ALL.into_iter().flat_map(|measure| panel::pairs(&found.pairs(measure), unit_of)).collect();
    for measure in [Measure::PreferredDirection, Measure::PreferredOrientation] {
        let pairs = found.pairs(measure);
        let errors = pairs.points.iter().zip(pairs.errors());
        let errors = errors.map(|(point, error)| Entry::new(unit_number(comparison, point.0), error)).collect();
        all.push(panel::series(pairs.label, "circular error", ("Unit", "Error (°)"), errors));
    }
    all
}

/// Number of a unit in the recording.
pub fn unit_number(comparison: &Comparison, unit: usize) -> String {
    comparison.evaluation.units.get(unit).map_or_else(String::new, |id| id.unit.to_string())
}
