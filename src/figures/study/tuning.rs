//! Tuning of a twin's units against the truth about the simulated mouse that it learned from: errors of preferred
//! directions, selectivity, and distances of receptive fields.

use std::path::Path;

use plotters::style::RGBColor;

use super::super::canvas::{Area, Canvas};
use super::super::comparison::panel::{self, Bars, Bins, DOT_MM, SIDE_MM, below, empty, series, spoken};
use super::super::numbers::{Entry, Series, rounded};
use super::super::page::Page;
use super::super::plot::{Plot, numbered};
use super::super::style::{GRID, GRID_PT, LINES, PAGE_MM, QUIET};
use super::super::{FigureError, Layout, Plate};
use crate::study::{Fidelity, SELECTIVE, TuningError};

/// Top of the first row and from one row to the next, mm.
const TOP_MM: f64 = 8.0;
const ROW_MM: f64 = 60.0;
/// From the top of the last row to the end of the body, mm.
const LAST_ROW_MM: f64 = 54.0;
/// The axis of errors ends above this share of them; the rest is counted in the last bar.
const SHOWN: f64 = 0.95;
/// Outline of an open dot, points.
const OPEN_PT: f64 = 0.5;
/// What is drawn, in names, labels and numbers.
const ERROR: &str = "Error (°)";
const DISTANCE: &str = "Distance (°)";
const DISTANCES: &str = "Distance of centres";
const SIMULATED_GDSI: &str = "Simulated gDSI";
const TWIN_GDSI: &str = "gDSI of the twin";

/// The figure, to be written.
pub fn plate(fidelity: &Fidelity) -> Plate<'_> {
    Plate::new(Tuning(fidelity))
}

/// Writes the figure at its own width and 300 dots per inch, see [`Plate::write`].
///
/// # Errors
/// When the file name has another ending, no unit could be compared, or a file cannot be written.
pub fn write(fidelity: &Fidelity, path: &Path) -> Result<(), FigureError> {
    plate(fidelity).write(path, &Layout::default()).map(drop)
}

/// What is drawn.
struct Tuning<'f>(&'f Fidelity);

impl Tuning<'_> {
    /// Number of panels: an error for each stimulus, selectivity, and receptive fields.
    fn panels(&self) -> usize {
        self.0.tuning.len() + 2
    }

    /// Each stimulus with the colour of its units.
    fn stimuli(&self) -> impl Iterator<Item = (&TuningError, RGBColor)> {
        // Blue and green; the vermillion between them marks medians.
        self.0.tuning.iter().zip(LINES.into_iter().step_by(2))
    }

    fn unit_number(&self, unit: usize) -> String {
        self.0.units.get(unit).map_or_else(String::new, |id| id.unit.to_string())
    }

    fn selectivity(&self, canvas: &mut Canvas, area: Area) {
        panel::name(canvas, area, "Selectivity");
        let plot = Plot { area, x: (0.0, 1.0), y: (0.0, 1.0) };
        let ticks = numbered(&[0.0, 0.5, 1.0]);
        canvas.line(&[plot.at(0.0, 0.0), plot.at(1.0, 1.0)], GRID_PT, QUIET);
        let least = f64::from(SELECTIVE);
        canvas.line(&[plot.at(least, 0.0), plot.at(least, 1.0)], GRID_PT, GRID);
        for (index, (tuning, colour)) in self.stimuli().enumerate() {
            for unit in &tuning.units {
                let at = plot.at(unit.gdsi[0].clamp(0.0, 1.0), unit.gdsi[1].clamp(0.0, 1.0));
                // Open marks for the second stimulus, so that colour is not alone.
                if index == 0 {
                    canvas.dot(at, DOT_MM, colour, panel::alpha(tuning.units.len()));
                } else {
                    canvas.circle(at, DOT_MM, OPEN_PT, colour);
                }
            }
        }
        plot.axes(canvas, (&ticks, SIMULATED_GDSI), (&ticks, TWIN_GDSI));
        let counts: Vec<String> = self.0.tuning.iter().map(|tuning| tuning.units.len().to_string()).collect();
        below(canvas, area, 9.5, &[format!("n = {} units", counts.join(" and "))]);
    }
}

/// Bins up to a round number above most of the values, those of 1 at least.
fn bins(values: &[f64]) -> Bins {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (SHOWN * sorted.len().saturating_sub(1) as f64).ceil() as usize;
    Bins::from_zero(sorted.get(place).map_or(1.0, |value| value.max(1.0)))
}

impl Page for Tuning<'_> {
    fn title(&self) -> String {
        "Tuning of the twin against the simulated truth".to_owned()
    }

    fn notice(&self) -> String {
        let Fidelity { origin, recording, .. } = self.0;
        let twin = if origin.simulated { ", learned from a simulated animal" } else { "" };
        format!("{}{twin}; truth about {recording} (simulated)", origin.name)
    }

    fn provenance(&self) -> String {
        let Fidelity { origin, mouse_seed, seed, .. } = self.0;
        let weights = origin.sha256.as_ref().map(|sha| format!("weights sha256 {sha}; ")).unwrap_or_default();
        format!(
            "twinscope {}; {weights}device {}; seed of the mouse {mouse_seed}; seed of intervals {seed}",
            env!("CARGO_PKG_VERSION"),
            origin.device
        )
    }

    fn check(&self) -> Result<(), FigureError> {
        if self.0.fields.is_empty() && self.0.tuning.iter().all(|tuning| tuning.units.is_empty()) {
            return Err(FigureError::Missing(
                "no unit of the twin is tuned at all, so there is nothing to compare with the truth".to_owned(),
            ));
        }
        Ok(())
    }

    fn caption(&self, _: f64) -> Vec<String> {
        let names: Vec<&str> = self.0.tuning.iter().map(|tuning| tuning.stimulus).collect();
        vec![
            format!(
                "Error of the preferred direction, the short way round, over units whose simulated gDSI under the same stimulus is above {SELECTIVE}. Orange: median, in brackets its 95 % interval (bootstrap over units). Last bars hold all larger values."
            ),
            format!(
                "Selectivity: all units that prefer a direction; {} (filled, blue, and open, green); dark line: equal in both; pale line: gDSI {SELECTIVE}. gDSI has no unit.",
                names.join(" and ")
            ),
            "Receptive fields: centres of maps of flashing Gaussian dots for both, degrees of the published monitor. Animal calm, looking straight ahead.".to_owned(),
        ]
    }

    fn height(&self, page: f64) -> f64 {
        TOP_MM + ROW_MM * (self.panels().div_ceil(panel::columns(page)) - 1) as f64 + LAST_ROW_MM
    }

    fn draw(&self, canvas: &mut Canvas, page: f64) {
        let place = |index: usize| {
            let (left, top) = panel::corner(page, index, TOP_MM, ROW_MM);
            Area::new(left, top, left + SIDE_MM, top + SIDE_MM)
        };
        let units = self.0.units.len();
        // One axis for all stimuli, so that they compare.
        let errors: Vec<f64> = self.0.tuning.iter().flat_map(TuningError::errors_deg).collect();
        let error_bins = bins(&errors);
        for (index, (tuning, colour)) in self.stimuli().enumerate() {
            let area = place(index);
            panel::name(canvas, area, &format!("Error, {}", tuning.stimulus));
            let values = tuning.errors_deg();
            let Some(median) = self.0.median_error(tuning) else {
                empty(canvas, area, "no selective unit");
                continue;
            };
            let bars = [Bars { values: &values, colour, outline: false }];
            panel::histogram(canvas, area, &error_bins, &bars, (ERROR, "Units"));
            panel::mark(canvas, area, &error_bins, median.value);
            let n = format!("n = {} of {units} units", values.len());
            below(canvas, area, 9.5, &[spoken(Some(median), 1, "°"), n, "chance 90°".to_owned()]);
        }
        self.selectivity(canvas, place(self.0.tuning.len()));
        let area = place(self.0.tuning.len() + 1);
        panel::name(canvas, area, DISTANCES);
        let values = self.0.distances_deg();
        let Some(median) = self.0.median_distance() else { return empty(canvas, area, "no clear field") };
        let distance_bins = bins(&values);
        let bars = [Bars { values: &values, colour: QUIET, outline: false }];
        panel::histogram(canvas, area, &distance_bins, &bars, (DISTANCE, "Units"));
        panel::mark(canvas, area, &distance_bins, median.value);
        let n = format!("n = {} of {units} units", values.len());
        below(canvas, area, 9.5, &[spoken(Some(median), 1, "°"), n]);
    }

    fn numbers(&self, _: f64) -> Vec<Series> {
        let mut all = Vec::new();
        for tuning in &self.0.tuning {
            let errors = tuning.selective().map(|unit| Entry::new(self.unit_number(unit.unit), unit.error_deg()));
            all.push(series("Error of the preferred direction", tuning.stimulus, ("Unit", ERROR), errors.collect()));
        }
        for tuning in &self.0.tuning {
            all.extend(tuning.units.iter().map(|unit| {
                let name = format!("{}, unit {}", tuning.stimulus, self.unit_number(unit.unit));
                let point = Entry::new(rounded(unit.gdsi[0]), unit.gdsi[1]);
                series("Selectivity", &name, (SIMULATED_GDSI, TWIN_GDSI), vec![point])
            }));
        }
        let fields = self.0.fields.iter();
        let distances = fields.map(|unit| Entry::new(self.unit_number(unit.unit), unit.distance_deg()));
        all.push(series(DISTANCES, "units", ("Unit", DISTANCE), distances.collect()));
        let errors = self.0.tuning.iter().map(|tuning| (tuning.stimulus, ERROR, self.0.median_error(tuning)));
        for (name, label, median) in errors.chain([(DISTANCES, DISTANCE, self.0.median_distance())]) {
            if let Some(median) = median {
                let point = Entry { range: median.interval, ..Entry::new(name, median.value).over(median.n) };
                all.push(series("Medians", name, ("", label), vec![point]));
            }
        }
        all
    }

    fn own_width(&self) -> f64 {
        PAGE_MM
    }
}
