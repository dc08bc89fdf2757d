//! Preferred directions and selectivity in silico against in vivo, in one domain of stimuli.

use std::io::Write;

use plotters::prelude::DrawingBackend;

use super::super::canvas::{Area, Canvas};
use super::super::style::BLUE;
use super::panel::{self, Bars, Bins, Head, below, empty, spoken};
use crate::comparison::{Comparison, DirectionComparison, Measure, Pairs};

pub const HEIGHT_MM: f64 = 96.0;
/// Left edge of the first panel, from one to the next, its side, top, mm.
const LEFT_MM: f64 = 17.0;
const STEP_MM: f64 = 43.0;
const SIDE_MM: f64 = 31.0;
const TOP_MM: f64 = 19.0;

pub fn draw<B: DrawingBackend>(
    canvas: &mut Canvas<'_, B>,
    head: Head<'_>,
    comparison: &Comparison,
    found: &DirectionComparison,
) {
    let seed = comparison.evaluation.selection.seed;
    let shown = &found.recorded.presentations;
    let (least, most) = (shown.iter().min().copied().unwrap_or(0), shown.iter().max().copied().unwrap_or(0));
    let count = if least == most { format!("{most}") } else { format!("{least} to {most}") };
    head.draw(
        canvas,
        &[
            format!("{}: {} angles, n = {count} presentations each.", found.domain, shown.len()),
            "Dots: units; dark line: equal in both; pale lines: opposite. Angles as the recording names them; beyond the circle they repeat.".to_owned(),
            "Circular error: the short way round; red: median, in brackets its 95 % interval (bootstrap over units). gOSI = |Σ r e^{2iθ}| / Σ r, gDSI = |Σ r e^{iθ}| / Σ r.".to_owned(),
        ],
    );
    let place = |column: usize, top: f64, height: f64| {
        let left = LEFT_MM + STEP_MM * column as f64;
        Area::new(left, top, left + SIDE_MM, top + height)
    };
    let direction = found.pairs(Measure::PreferredDirection);
    let orientation = found.pairs(Measure::PreferredOrientation);
    // Of gratings that stand still there is no direction.
    let angle = if direction.n() > 0 { direction } else { orientation };
    let half = angle.period.unwrap_or(360.0) / 2.0;
    let (first, second) = (place(0, TOP_MM, SIDE_MM * 1.3), place(1, TOP_MM, SIDE_MM));
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
        let area = place(column, TOP_MM, SIDE_MM);
        let pairs = found.pairs(measure);
        panel::name(canvas, area, pairs.label);
        if pairs.n() == 0 {
            empty(canvas, area, "not defined");
            continue;
        }
        panel::scatter(canvas, area, &pairs);
        below(canvas, area, 9.5, &agreement(&pairs));
    }
}

/// Number and correlation.
pub fn agreement(pairs: &Pairs) -> Vec<String> {
    let r = pairs.correlation().map(|r| format!("r = {r:.2}").replace('-', "−"));
    vec![r.unwrap_or_else(|| "r not defined".to_owned()), format!("n = {} units", pairs.n())]
}

pub fn write_csv(comparison: &Comparison, found: &DirectionComparison, to: &mut dyn Write) -> std::io::Result<()> {
    let mut table = csv::Writer::from_writer(to);
    table.write_record(["unit", "quantity", "in_vivo", "in_silico", "error"])?;
    for measure in Measure::ALL {
        write_pairs(&mut table, comparison, &found.pairs(measure))?;
    }
    table.flush()
}

/// One row for each unit.
pub fn write_pairs<W: Write>(
    table: &mut csv::Writer<W>,
    comparison: &Comparison,
    pairs: &Pairs,
) -> std::io::Result<()> {
    for (&(unit, recorded, predicted), error) in pairs.points.iter().zip(pairs.errors()) {
        let number = comparison.evaluation.units.get(unit).map_or(0, |id| id.unit).to_string();
        let numbers = [recorded, predicted, error].map(|value| value.to_string());
        table.write_record([number, pairs.key.to_owned()].into_iter().chain(numbers))?;
    }
    Ok(())
}
