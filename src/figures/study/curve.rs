//! What more minutes of clips are worth: CC_norm over the minutes that were learned from, a panel for each domain.

use std::path::Path;

use plotters::prelude::DrawingBackend;
use plotters::style::RGBColor;

use super::super::canvas::{Align, Area, CAPITALS_MM, Canvas, Text};
use super::super::plot::{LINE_MM, MARGIN_MM, Plot, Tick, frame, numbered};
use super::super::style::{BLUE, GRID, GRID_PT, INK, PAGE_MM, VERMILLION};
use super::super::writer::{page_picture, page_svg, write_page};
use super::super::{FigureError, Page, Picture};
use super::{arms, cc_norm, counted, distinct, domains, notice, origin, width_mm};
use crate::study::{Finding, Table};

/// Most panels in a row.
const COLUMNS: usize = 4;
/// Left edge of the first panel, space between panels, most width and height of a panel, mm.
const LEFT_MM: f64 = 15.0;
const BETWEEN_MM: f64 = 5.0;
const WIDTH_MM: f64 = 80.0;
const HEIGHT_MM: f64 = 44.0;
/// From one row of panels to the next, mm.
const ROW_MM: f64 = 62.0;
/// Baseline of the first line of the legend, its sample of a line, and the space between entries, mm.
const LEGEND_MM: f64 = 10.0;
const SAMPLE_MM: f64 = 6.0;
const GAP_MM: f64 = 5.0;
/// The axis never reaches farther.
const LEAST: f64 = -0.5;
const MOST: f64 = 1.5;
/// Lines of single animals and seeds, and of their mean, points.
const THIN_PT: f64 = 0.5;
const BOLD_PT: f64 = 1.4;
/// Radius of a mean, mm.
const DOT_MM: f64 = 0.85;
/// The palette of Okabe and Ito (2008) without its yellow, and three of the muted colours of Tol (2021).
pub(in crate::figures) const COLOURS: [RGBColor; 10] = [
    BLUE,
    VERMILLION,
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0xcc, 0x79, 0xa7),
    INK,
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0x88, 0x22, 0x55),
    RGBColor(0x99, 0x99, 0x33),
    RGBColor(0x88, 0x88, 0x88),
];
const WHITE: RGBColor = RGBColor(0xff, 0xff, 0xff);

/// Writes the figure as PNG or SVG, as the ending of the file name says, whole or not at all.
///
/// # Errors
/// When the file name has another ending, no minutes were studied, or the file cannot be written.
pub fn write(table: &Table, path: &Path) -> Result<(), FigureError> {
    write_page(&Curve::of(table), path)
}

/// The figure as SVG with live text.
///
/// # Errors
/// When no minutes were studied.
pub fn svg(table: &Table) -> Result<String, FigureError> {
    page_svg(&Curve::of(table))
}

/// The figure as pixels at 300 dots per inch.
///
/// # Errors
/// When no minutes were studied.
pub fn picture(table: &Table) -> Result<Picture, FigureError> {
    page_picture(&Curve::of(table))
}

/// What is drawn.
struct Curve<'t> {
    table: &'t Table,
    findings: Vec<&'t Finding>,
    arms: Vec<&'t str>,
    domains: Vec<&'t str>,
    /// Minutes that were studied, from few to many.
    budgets: Vec<f64>,
}

impl<'t> Curve<'t> {
    fn of(table: &'t Table) -> Self {
        let findings: Vec<&Finding> = table.findings.iter().collect();
        let mut budgets = distinct(findings.iter().filter_map(|finding| studied(finding)));
        budgets.sort_by(f64::total_cmp);
        Self { table, arms: arms(&findings), domains: domains(&findings), findings, budgets }
    }

    /// Where an amount of minutes stands on the axis: doubling is one step. Nothing stands one step before the least.
    fn place(&self, minutes: f64) -> f64 {
        let least = self.budgets.iter().copied().find(|&minutes| minutes > 0.0).unwrap_or(1.0);
        if minutes > 0.0 { minutes.log2() } else { least.log2() - 1.0 }
    }

    /// Ends of the axis, a little beyond the first and the last.
    fn x(&self) -> (f64, f64) {
        let ends = (self.budgets.first(), self.budgets.last());
        let (first, last) = (ends.0.map_or(0.0, |&m| self.place(m)), ends.1.map_or(0.0, |&m| self.place(m)));
        let beyond = (0.06 * (last - first)).max(0.2);
        (first - beyond, last + beyond)
    }

    /// Mean CC_norm of some findings at each of their minutes.
    fn means<'a>(&self, findings: impl Iterator<Item = &'a &'a Finding> + Clone) -> Vec<(f64, f64)> {
        let at = |&minutes: &f64| {
            let here = findings.clone().filter(|finding| studied(finding) == Some(minutes));
            let values: Vec<f64> = here.filter_map(|finding| cc_norm(finding)).collect();
            (!values.is_empty()).then(|| (self.place(minutes), values.iter().sum::<f64>() / values.len() as f64))
        };
        self.budgets.iter().filter_map(at).collect()
    }

    fn ticks(&self) -> Vec<Tick> {
        let values = || self.findings.iter().filter_map(|finding| cc_norm(finding));
        let (least, most) = (values().fold(0.0, f64::min).max(LEAST), values().fold(1.0, f64::max).min(MOST));
        let steps = ((least / 0.25).floor() as i32)..=((most / 0.25).ceil() as i32);
        numbered(&steps.map(|step| 0.25 * f64::from(step)).collect::<Vec<_>>())
    }

    /// Line of the legend, left edge and width of each arm's entry, mm.
    fn legend(&self) -> Vec<(usize, f64, f64)> {
        let (mut line, mut left) = (0, MARGIN_MM);
        let entry = |arm: &&str| {
            let width = (SAMPLE_MM + 1.5 + width_mm(arm, Text::NORMAL)).min(PAGE_MM - 2.0 * MARGIN_MM);
            if left + width > PAGE_MM - MARGIN_MM {
                (line, left) = (line + 1, MARGIN_MM);
            }
            let place = (line, left, width);
            left += width + GAP_MM;
            place
        };
        self.arms.iter().map(entry).collect()
    }

    /// Panels in a row.
    fn columns(&self) -> usize {
        self.domains.len().clamp(1, COLUMNS)
    }

    fn width(&self) -> f64 {
        let columns = self.columns() as f64;
        ((PAGE_MM - MARGIN_MM - LEFT_MM - BETWEEN_MM * (columns - 1.0)) / columns).min(WIDTH_MM)
    }

    /// Top of the first row of panels, mm.
    fn top(&self) -> f64 {
        LEGEND_MM + LINE_MM * self.legend().last().map_or(0.0, |entry| entry.0 as f64) + 9.0
    }

    fn caption(&self) -> Vec<String> {
        let mut caption = vec![
            "Thin lines: one animal and seed each, median CC_norm over units. Bold lines: their mean.".to_owned(),
            format!("CC_norm = CC_abs / CC_max; no unit, 1 is the ceiling set by noise. {}.", counted(&self.findings)),
        ];
        let level = self.findings.iter().any(|finding| studied(finding).is_none() && cc_norm(finding).is_some());
        let values = self.findings.iter().filter_map(|finding| cc_norm(finding));
        let outside = values.filter(|value| !(LEAST..=MOST).contains(value)).count();
        let level = level.then(|| "Level lines: arms without an amount of clips.".to_owned());
        let outside = match outside {
            0 => None,
            1 => Some("One value beyond the axis is drawn at its end.".to_owned()),
            n => Some(format!("{n} values beyond the axis are drawn at its ends.")),
        };
        let more: Vec<String> = level.into_iter().chain(outside).collect();
        if !more.is_empty() {
            caption.push(more.join(" "));
        }
        caption
    }

    fn panel<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>, area: Area, domain: &str, first: bool) {
        let ticks = self.ticks();
        let y = (ticks.first().map_or(0.0, |tick| tick.0), ticks.last().map_or(1.0, |tick| tick.0));
        let plot = Plot { area, x: self.x(), y };
        canvas.fitted_text((area.left, area.top - 2.5), domain, area.width(), Text { bold: true, ..Text::NORMAL });
        for (value, _) in &ticks {
            canvas.line(&[plot.at(plot.x.0, *value), plot.at(plot.x.1, *value)], GRID_PT, GRID);
        }
        let plain: Vec<Tick> = ticks.iter().map(|(value, _)| (*value, String::new())).collect();
        let budgets = self.budget_ticks(canvas, &plot);
        // Only the first panel of a row is numbered: all have the same axis.
        let (y_ticks, y_label) = if first { (&ticks, "CC_norm") } else { (&plain, "") };
        plot.axes(canvas, (&budgets, "Minutes of clips"), (y_ticks, y_label));
        let here: Vec<&Finding> = self.findings.iter().copied().filter(|finding| finding.domain == domain).collect();
        if here.iter().all(|finding| cc_norm(finding).is_none()) {
            let (middle, half_way) = area.centre();
            return canvas.text((middle, half_way), "n/a", Text::QUIET.aligned(Align::Centre));
        }
        let on_page = |points: &[(f64, f64)]| -> Vec<(f64, f64)> {
            points.iter().map(|&(x, value)| plot.at(x, value.clamp(y.0, y.1))).collect()
        };
        let of_arm = |arm: &'t str| here.iter().filter(move |finding| finding.arm == arm);
        for (index, arm) in self.arms.iter().enumerate() {
            for (animal, seed) in distinct(of_arm(arm).map(|finding| (finding.animal.as_str(), finding.seed))) {
                let one = of_arm(arm).filter(|finding| finding.animal == animal && finding.seed == seed);
                canvas.line(&on_page(&self.means(one)), THIN_PT, pale(COLOURS[index % COLOURS.len()]));
            }
        }
        for (index, arm) in self.arms.iter().enumerate() {
            let level = of_arm(arm).filter(|finding| studied(finding).is_none());
            let level: Vec<f64> = level.filter_map(|finding| cc_norm(finding)).collect();
            if !level.is_empty() {
                let mean = level.iter().sum::<f64>() / level.len() as f64;
                canvas.line(&on_page(&[(plot.x.0, mean), (plot.x.1, mean)]), BOLD_PT, COLOURS[index % COLOURS.len()]);
            }
            let points = on_page(&self.means(of_arm(arm)));
            canvas.line(&points, BOLD_PT, COLOURS[index % COLOURS.len()]);
            points.iter().for_each(|&point| dot(canvas, point, index));
        }
    }

    /// A tick at every amount of minutes, with its number where there is room.
    fn budget_ticks<B: DrawingBackend>(&self, canvas: &Canvas<'_, B>, plot: &Plot) -> Vec<Tick> {
        let mut free = f64::NEG_INFINITY;
        let tick = |&minutes: &f64| {
            let place = self.place(minutes);
            let text = format!("{}", (minutes * 100.0).round() / 100.0);
            let (middle, half) = (plot.at(place, plot.y.0).0, canvas.width_mm(&text, Text::NORMAL) / 2.0);
            if middle - half < free {
                return (place, String::new());
            }
            free = middle + half + 0.8;
            (place, text)
        };
        self.budgets.iter().map(tick).collect()
    }
}

impl Page for Curve<'_> {
    fn size_mm(&self) -> (f64, f64) {
        let rows = self.domains.len().div_ceil(self.columns()) as f64;
        (PAGE_MM, self.top() + ROW_MM * rows - 0.6 + LINE_MM * self.caption().len() as f64)
    }

    fn title(&self) -> &str {
        &self.table.title
    }

    fn origin(&self) -> String {
        origin(self.table)
    }

    fn check(&self) -> Result<(), FigureError> {
        let shown = |finding: &&Finding| studied(finding).is_some() && cc_norm(finding).is_some();
        if self.findings.iter().any(shown) {
            return Ok(());
        }
        let what = "no arm of the study learned from a given amount of clips, so there is no curve to show";
        Err(FigureError::Missing(what.to_owned()))
    }

    fn draw<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), FigureError> {
        frame(canvas, self.size_mm(), self.title(), &self.caption(), &notice(self.table));
        for (index, (arm, (line, left, width))) in self.arms.iter().zip(self.legend()).enumerate() {
            let baseline = LEGEND_MM + LINE_MM * line as f64;
            let middle = baseline - CAPITALS_MM / 2.0;
            canvas.line(&[(left, middle), (left + SAMPLE_MM, middle)], BOLD_PT, COLOURS[index % COLOURS.len()]);
            dot(canvas, (left + SAMPLE_MM / 2.0, middle), index);
            let before = SAMPLE_MM + 1.5;
            canvas.fitted_text((left + before, baseline), arm, width - before + 0.01, Text::NORMAL);
        }
        let (columns, width) = (self.columns(), self.width());
        for (index, domain) in self.domains.iter().enumerate() {
            let left = LEFT_MM + (width + BETWEEN_MM) * (index % columns) as f64;
            let top = self.top() + ROW_MM * (index / columns) as f64;
            let area = Area::new(left, top, left + width, top + HEIGHT_MM);
            self.panel(canvas, area, domain, index % columns == 0);
        }
        canvas.finish()
    }
}

/// Minutes where they are a number.
fn studied(finding: &Finding) -> Option<f64> {
    finding.minutes.filter(|minutes| minutes.is_finite())
}

/// Halfway to white.
fn pale(colour: RGBColor) -> RGBColor {
    let half = |value: u8| value / 2 + 127;
    RGBColor(half(colour.0), half(colour.1), half(colour.2))
}

/// The mark of an arm: dots of the second five are open, so that colour is not alone.
pub(in crate::figures) fn dot<B: DrawingBackend>(canvas: &mut Canvas<'_, B>, at: (f64, f64), index: usize) {
    canvas.dot(at, DOT_MM, COLOURS[index % COLOURS.len()], 1.0);
    if index % COLOURS.len() >= COLOURS.len() / 2 {
        canvas.dot(at, 0.5 * DOT_MM, WHITE, 1.0);
    }
}
