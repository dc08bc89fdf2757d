//! How well a recording is predicted: CC_norm of all units, a panel for each domain of stimuli.

use std::path::Path;

use super::canvas::{Align, Area, CAPITALS_MM, Canvas, Text};
use super::numbers::{Entry, Series};
use super::page::{NARROW_MM, Page};
use super::plot::{LINE_MM, Plot, Tick, numbered};
use super::style::{AXIS_PT, BLUE, DATA_PT, GRID, GRID_PT, INK, PAGE_MM, VERMILLION};
use super::{FigureError, Layout, Plate, unit_name};
use crate::analysis::Median;
use crate::evaluation::{DomainEvaluation, Evaluation, Quantity};

/// Most panels in a row of a page, and of a column; fewer are as much wider.
const COLUMNS: usize = 4;
const NARROW_COLUMNS: usize = 2;
/// Left edge of the first panel, space between panels, and height of a panel, mm.
const LEFT_MM: f64 = 15.0;
const BETWEEN_MM: f64 = 5.0;
const HEIGHT_MM: f64 = 44.0;
/// Top of the first row and from one row to the next, mm.
const TOP_MM: f64 = 9.0;
const ROW_MM: f64 = 68.0;
/// The axis never reaches farther.
const LEAST: f64 = -0.5;
const MOST: f64 = 1.5;
/// Radius of a unit, mm.
const DOT_MM: f64 = 0.5;
/// The box's middle is never farther from the left edge of its panel, mm.
const BOX_MM: f64 = 8.0;

/// The figure, to be written.
pub fn plate(evaluation: &Evaluation) -> Plate<'_> {
    Plate::new(Compared(evaluation))
}

/// Writes the figure at its own width and 300 dots per inch, see [`Plate::write`].
///
/// # Errors
/// When the file name has another ending, nothing was evaluated, or a file cannot be written.
pub fn write(evaluation: &Evaluation, path: &Path) -> Result<(), FigureError> {
    plate(evaluation).write(path, &Layout::default()).map(drop)
}

/// What is drawn.
struct Compared<'a>(&'a Evaluation);

impl Compared<'_> {
    fn columns(&self, width: f64) -> usize {
        let most = if width < NARROW_MM { NARROW_COLUMNS } else { COLUMNS };
        self.0.domains.len().clamp(1, most)
    }

    /// Width of a panel, mm.
    fn across(&self, width: f64) -> f64 {
        (width - LEFT_MM) / self.columns(width) as f64 - BETWEEN_MM
    }
}

impl Page for Compared<'_> {
    fn title(&self) -> String {
        "Predicted responses beside recorded ones".to_owned()
    }

    fn notice(&self) -> String {
        self.0.notice()
    }

    fn provenance(&self) -> String {
        let made = &self.0.origin;
        let weights = made.sha256.as_ref().map(|sha| format!("weights sha256 {sha}; ")).unwrap_or_default();
        let (burnin, seed) = (self.0.selection.burnin_frames, self.0.selection.seed);
        let version = env!("CARGO_PKG_VERSION");
        format!("twinscope {version}; {weights}device {}; burn-in {burnin}; seed {seed}", made.device)
    }

    fn check(&self) -> Result<(), FigureError> {
        if self.0.domains.is_empty() || self.0.units.is_empty() {
            return Err(FigureError::Missing("no unit was evaluated, so there is nothing to show".to_owned()));
        }
        Ok(())
    }

    fn caption(&self, _: f64) -> Vec<String> {
        caption(self.0, &ticks(&self.0.domains))
    }

    fn height(&self, width: f64) -> f64 {
        TOP_MM + ROW_MM * self.0.domains.len().div_ceil(self.columns(width)) as f64 - 4.2
    }

    fn draw(&self, canvas: &mut Canvas, width: f64) {
        let ticks = ticks(&self.0.domains);
        let (columns, across) = (self.columns(width), self.across(width));
        for (index, domain) in self.0.domains.iter().enumerate() {
            let left = LEFT_MM + (across + BETWEEN_MM) * (index % columns) as f64;
            let top = TOP_MM + ROW_MM * (index / columns) as f64;
            let area = Area::new(left, top, left + across, top + HEIGHT_MM);
            panel(canvas, area, domain, &ticks, index % columns == 0);
        }
    }

    fn numbers(&self, _: f64) -> Vec<Series> {
        let series = |panel: &str, name: &str, points: Vec<Entry>| Series {
            panel: panel.to_owned(),
            name: name.to_owned(),
            x_label: "Unit".to_owned(),
            y_label: "CC_norm".to_owned(),
            points,
        };
        let of_domain = |domain: &DomainEvaluation| {
            let units = domain.units.iter().zip(&self.0.units);
            let units = units.map(|(unit, id)| Entry::new(unit_name(id), unit.get(Quantity::CcNorm)));
            let median = domain.median(Quantity::CcNorm).map(|median| Entry {
                range: median.interval,
                ..Entry::new("", median.value).over(domain.values(Quantity::CcNorm).len())
            });
            [
                series(&domain.name, "units", units.collect()),
                series(&domain.name, "median with its 95 % interval", median.into_iter().collect()),
            ]
        };
        self.0.domains.iter().flat_map(of_domain).collect()
    }

    fn own_width(&self) -> f64 {
        PAGE_MM
    }
}

fn caption(evaluation: &Evaluation, ticks: &[Tick]) -> Vec<String> {
    let (least, most) = limits(ticks);
    let values = evaluation.domains.iter().flat_map(|domain| domain.values(Quantity::CcNorm));
    let outside = values.filter(|value| !(least..=most).contains(value)).count();
    let outside = match outside {
        0 => String::new(),
        1 => " One point beyond the axis is drawn at its end.".to_owned(),
        n => format!(" {n} points beyond the axis are drawn at its ends."),
    };
    let burnin = evaluation.selection.burnin_frames;
    vec![
        format!(
            "Dots: units. Box: quartiles; whiskers: 5 to 95 %. Line across: median, in brackets its 95 % interval (bootstrap over units).{outside}"
        ),
        format!(
            "CC_norm = CC_abs / CC_max; no unit, 1 is the ceiling set by noise. {burnin} frames of burn-in left out."
        ),
    ]
}

/// The values of a domain in order.
fn sorted(domain: &DomainEvaluation) -> Vec<f64> {
    let mut values = domain.values(Quantity::CcNorm);
    values.sort_by(f64::total_cmp);
    values
}

/// A share of sorted values, between neighbours in proportion.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let low = place as usize;
    let high = (low + 1).min(sorted.len() - 1);
    sorted[low] + (place - low as f64) * (sorted[high] - sorted[low])
}

/// Steps of the axis of all panels: 0 and 1, and what the values need beyond.
fn ticks(domains: &[DomainEvaluation]) -> Vec<Tick> {
    let all: Vec<f64> = domains.iter().flat_map(|domain| domain.values(Quantity::CcNorm)).collect();
    let least = all.iter().copied().fold(0.0, f64::min).max(LEAST);
    let most = all.iter().copied().fold(1.0, f64::max).min(MOST);
    let steps = ((least / 0.25).floor() as i32)..=((most / 0.25).ceil() as i32);
    numbered(&steps.map(|step| 0.25 * f64::from(step)).collect::<Vec<_>>())
}

fn limits(ticks: &[Tick]) -> (f64, f64) {
    (ticks.first().map_or(0.0, |tick| tick.0), ticks.last().map_or(1.0, |tick| tick.0))
}

fn panel(canvas: &mut Canvas, area: Area, domain: &DomainEvaluation, ticks: &[Tick], first: bool) {
    canvas.fitted_text((area.left, area.top - 3.0), &domain.name, area.width(), Text { bold: true, ..Text::NORMAL });
    let plot = Plot { area, x: (0.0, 1.0), y: limits(ticks) };
    for value in [0.0, 1.0].into_iter().filter(|value| (plot.y.0..=plot.y.1).contains(value)) {
        canvas.line(&[plot.at(0.0, value), plot.at(1.0, value)], GRID_PT, GRID);
    }
    // Only the first panel of a row is numbered: all have the same axis.
    let plain: Vec<Tick> = ticks.iter().map(|(value, _)| (*value, String::new())).collect();
    if first {
        plot.axes(canvas, (&[], ""), (ticks, "CC_norm"));
    } else {
        plot.axes(canvas, (&[], ""), (&plain, ""));
    }
    let centred = Text::NORMAL.aligned(Align::Centre);
    let (middle, half_way) = area.centre();
    let values = sorted(domain);
    let lines = if values.is_empty() {
        canvas.text((middle, half_way), "no ceiling, so no CC_norm", Text { colour: INK, ..centred });
        let why = domain.why_no_ceiling().map(|why| why.to_string()).unwrap_or_default();
        let abs = domain.median(Quantity::CcAbs).map(|median| format!("CC_abs {}", spoken(median)));
        [abs.unwrap_or_default(), why, domain.shown()]
    } else {
        distribution(canvas, &plot, &values);
        let median = domain.median(Quantity::CcNorm).map(spoken).unwrap_or_default();
        [median, format!("n = {} of {} units", values.len(), domain.units.len()), domain.shown()]
    };
    let room = area.width() + BETWEEN_MM - 2.0;
    let lines = lines.iter().enumerate().flat_map(|(index, text)| {
        let look = if index == 0 { centred } else { Text::QUIET.aligned(Align::Centre) };
        look.wrapped(text, room, 2).into_iter().map(move |text| (text, look))
    });
    for (line, (text, look)) in lines.enumerate() {
        let baseline = area.bottom + 1.8 + CAPITALS_MM + LINE_MM * line as f64;
        canvas.fitted_text((middle, baseline), &text, room, look);
    }
}

/// A median with its interval, such as "0.82 [0.80, 0.84]".
fn spoken(median: Median) -> String {
    let interval = median.interval.map(|(low, high)| format!(" [{low:.2}, {high:.2}]")).unwrap_or_default();
    format!("{:.2}{interval}", median.value)
}

/// A box on the left and every unit on the right, the median across both.
fn distribution(canvas: &mut Canvas, plot: &Plot, values: &[f64]) {
    let on_axis = |value: f64| value.clamp(plot.y.0, plot.y.1);
    let alpha = if values.len() > 100 { 0.3 } else { 0.7 };
    // A box as wide as a wide panel would look like a bar.
    let centre = (BOX_MM / plot.area.width()).min(0.20);
    let (left, right) = (0.5 * centre, 1.5 * centre);
    for (index, &value) in values.iter().enumerate() {
        // The golden ratio spreads any number of neighbours evenly.
        let across = 2.0 * centre + (0.92 - 2.0 * centre) * (index as f64 * 0.618_033_988_75).fract();
        canvas.dot(plot.at(across, on_axis(value)), DOT_MM, BLUE, alpha);
    }
    let at = |share: f64| on_axis(quantile(values, share));
    let corners = [(left, 0.25), (right, 0.25), (right, 0.75), (left, 0.75), (left, 0.25)];
    let outline: Vec<_> = corners.iter().map(|&(x, share)| plot.at(x, at(share))).collect();
    canvas.line(&outline, AXIS_PT, INK);
    for (from, to) in [(0.05, 0.25), (0.75, 0.95)] {
        canvas.line(&[plot.at(centre, at(from)), plot.at(centre, at(to))], AXIS_PT, INK);
    }
    canvas.line(&[plot.at(0.3 * centre, at(0.5)), plot.at(1.7 * centre, at(0.5))], DATA_PT, VERMILLION);
}
