//! Distributions over units: a histogram for each quantity, with its median and number of values.

use super::canvas::{Area, Canvas, Text};
use super::grid::Grid;
use super::numbers::{Entry, Series};
use super::page::Page;
use super::plot::{Plot, Tick, numbered, ticks_from_zero};
use super::style::{BLUE, DATA_PT, PAGE_MM, VERMILLION};
use super::{FigureError, Plate};
use crate::analysis::Median;
use crate::characterise::{Characterisation, Panel};

/// Where the panels lie.
const GRID: Grid = Grid::of_analysis(8.0, 56.0, 30.0);
/// Bars of a histogram.
const BARS: usize = 16;

/// The figure, to be written.
pub fn plate(found: &Characterisation) -> Plate<'_> {
    Plate::new(Shown(found))
}

/// What is drawn.
struct Shown<'a>(&'a Characterisation);

/// Panels with something to show.
fn shown(found: &Characterisation) -> Vec<&Panel> {
    found.panels.iter().filter(|panel| !panel.values.is_empty()).collect()
}

impl Page for Shown<'_> {
    fn title(&self) -> String {
        self.0.title.clone()
    }

    fn notice(&self) -> String {
        self.0.notice.clone()
    }

    fn provenance(&self) -> String {
        self.0.provenance.clone()
    }

    fn check(&self) -> Result<(), FigureError> {
        if shown(self.0).is_empty() {
            return Err(FigureError::Missing(
                "nothing was defined for any unit, so there is nothing to show".to_owned(),
            ));
        }
        Ok(())
    }

    fn caption(&self, _: f64) -> Vec<String> {
        let caption = "Bars: number of units (or of pairs, for correlations). Orange: median, below with its 95 % interval \
                       (percentile bootstrap over units).";
        vec![caption.to_owned()]
    }

    fn height(&self, page: f64) -> f64 {
        GRID.height(page, shown(self.0).len(), 8.0)
    }

    fn draw(&self, canvas: &mut Canvas, page: f64) {
        for (index, panel) in shown(self.0).into_iter().enumerate() {
            histogram(canvas, GRID.area(page, index), panel);
        }
    }

    fn numbers(&self, _: f64) -> Vec<Series> {
        let of_panel = |panel: &Panel| {
            let series = |name: &str, points| Series {
                panel: panel.title.clone(),
                name: name.to_owned(),
                x_label: "Index, from 0".to_owned(),
                y_label: panel.label.clone(),
                points,
            };
            let median = Median::of(&panel.values, 1);
            let median = median
                .map(|median| Entry { range: interval(panel, median), ..Entry::new("", median.value).over(median.n) });
            let values = panel.values.iter().enumerate().map(|(index, &value)| Entry::new(index, value)).collect();
            [series("values", values), series("median", median.into_iter().collect())]
        };
        shown(self.0).into_iter().flat_map(of_panel).collect()
    }

    fn own_width(&self) -> f64 {
        PAGE_MM
    }
}

/// Correlations of pairs share units, so that their interval would be too narrow.
fn interval(panel: &Panel, median: Median) -> Option<(f64, f64)> {
    median.interval.filter(|_| !panel.label.contains("pairs"))
}

fn histogram(canvas: &mut Canvas, area: Area, panel: &Panel) {
    GRID.above(canvas, area, 3.0, &panel.title, Text { bold: true, ..Text::NORMAL });
    let x = if is_round(panel) { (0.0, 360.0) } else { ends(&panel.values) };
    let ticks = numbered(&[x.0, 0.5 * (x.0 + x.1), x.1]);
    let mut counts = [0usize; BARS];
    for value in &panel.values {
        let bar = ((value - x.0) / (x.1 - x.0) * BARS as f64).clamp(0.0, BARS as f64 - 1.0);
        counts[bar as usize] += 1;
    }
    let most = counts.iter().copied().max().unwrap_or(1).max(1) as f64;
    let y: Vec<Tick> = ticks_from_zero(most, 3).into_iter().filter(|tick| tick.0.fract() == 0.0).collect();
    let plot = Plot { area, x, y: (0.0, ticks_from_zero(most, 3).last().map_or(most, |tick| tick.0)) };
    let width = (x.1 - x.0) / BARS as f64;
    for (bar, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let ((left, top), (right, bottom)) =
            (plot.at(x.0 + width * bar as f64, count as f64), plot.at(x.0 + width * (bar + 1) as f64, 0.0));
        canvas.rectangle(Area::new(left, top, right - 0.1, bottom), BLUE);
    }
    let median = Median::of(&panel.values, 1);
    if let Some(median) = median {
        let at = median.value.clamp(x.0, x.1);
        canvas.line(&[plot.at(at, 0.0), plot.at(at, plot.y.1)], DATA_PT, VERMILLION);
    }
    plot.axes(canvas, (&ticks, ""), (&y, "Number"));
    let spoken = median.map_or_else(String::new, |median| match interval(panel, median) {
        Some((low, high)) => format!("{:.3} [{low:.3}, {high:.3}]", median.value),
        None => format!("{:.3}", median.value),
    });
    let n = format!("n = {} of {}", panel.values.len(), panel.of);
    let lines = [(panel.label.as_str(), Text::NORMAL), (&spoken, Text::QUIET), (&n, Text::QUIET)];
    GRID.below(canvas, area, 5.6, &lines);
}

/// Whether the values are directions, all the way round.
fn is_round(panel: &Panel) -> bool {
    panel.label == "Direction (°)" && panel.values.iter().all(|value| (0.0..=360.0).contains(value))
}

/// Round ends of the axis, around all values; not so near that their numbers would be long.
fn ends(values: &[f64]) -> (f64, f64) {
    let (least, most) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &v| (a.min(v), b.max(v)));
    let reach = (most - least).max(0.02 * most.abs().max(least.abs())).max(1e-9);
    let step = 10f64.powf(reach.log10().floor()) / 2.0;
    let (low, high) = ((least / step).floor() * step, (most / step).ceil() * step);
    // A middle that is as round: an even number of steps.
    let steps = ((high - low) / step).round();
    (low, if steps % 2.0 == 0.0 && steps > 0.0 { high } else { high + step })
}
