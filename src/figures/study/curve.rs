//! What more minutes of clips are worth: CC_norm over the minutes that were learned from, a panel for each domain.

use std::path::Path;

use plotters::style::RGBColor;

use super::super::canvas::{Align, Area, CAPITALS_MM, Canvas, Text};
use super::super::numbers::{Entry, Series};
use super::super::page::{NARROW_MM, Page};
use super::super::plot::{LINE_MM, MARGIN_MM, Plot, Tick, numbered};
use super::super::style::{GRID, GRID_PT, LINES, PAGE_MM};
use super::super::{FigureError, Layout, Plate};
use super::{arms, cc_norm, counted, distinct, domains, notice, provenance};
use crate::study::{Finding, Table};

/// Most panels in a row of a page, and of a column.
const COLUMNS: usize = 4;
const NARROW_COLUMNS: usize = 2;
/// What lies along and above.
const X_LABEL: &str = "Clips (min)";
const Y_LABEL: &str = "CC_norm";
/// Left edge of the first panel, space between panels, most width and height of a panel, mm.
const LEFT_MM: f64 = 15.0;
const BETWEEN_MM: f64 = 5.0;
const WIDTH_MM: f64 = 80.0;
const HEIGHT_MM: f64 = 44.0;
/// From one row of panels to the next, mm.
const ROW_MM: f64 = 62.0;
/// Baseline of the first line of the legend, its sample of a line, and the space between entries, mm.
const LEGEND_MM: f64 = 2.0;
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
const WHITE: RGBColor = RGBColor(0xff, 0xff, 0xff);

/// The figure, to be written.
pub fn plate(table: &Table) -> Plate<'_> {
    Plate::new(Curve::of(table))
}

/// Writes the figure at its own width and 300 dots per inch, see [`Plate::write`].
///
/// # Errors
/// When the file name has another ending, no minutes were studied, or a file cannot be written.
pub fn write(table: &Table, path: &Path) -> Result<(), FigureError> {
    plate(table).write(path, &Layout::default()).map(drop)
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
    fn legend(&self, page: f64) -> Vec<(usize, f64, f64)> {
        let (mut line, mut left) = (0, MARGIN_MM);
        let entry = |arm: &&str| {
            let width = (SAMPLE_MM + 1.5 + Text::NORMAL.width_mm(arm)).min(page - 2.0 * MARGIN_MM);
            if left + width > page - MARGIN_MM {
                (line, left) = (line + 1, MARGIN_MM);
            }
            let place = (line, left, width);
            left += width + GAP_MM;
            place
        };
        self.arms.iter().map(entry).collect()
    }

    /// Panels in a row.
    fn columns(&self, page: f64) -> usize {
        self.domains.len().clamp(1, if page < NARROW_MM { NARROW_COLUMNS } else { COLUMNS })
    }

    /// Width of a panel, mm.
    fn across(&self, page: f64) -> f64 {
        let columns = self.columns(page) as f64;
        ((page - MARGIN_MM - LEFT_MM - BETWEEN_MM * (columns - 1.0)) / columns).min(WIDTH_MM)
    }

    /// Top of the first row of panels, mm.
    fn top(&self, page: f64) -> f64 {
        LEGEND_MM + LINE_MM * self.legend(page).last().map_or(0.0, |entry| entry.0 as f64) + 9.0
    }

    fn said(&self) -> Vec<String> {
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

    fn panel(&self, canvas: &mut Canvas, area: Area, domain: &str, first: bool) {
        let ticks = self.ticks();
        let y = (ticks.first().map_or(0.0, |tick| tick.0), ticks.last().map_or(1.0, |tick| tick.0));
        let plot = Plot { area, x: self.x(), y };
        canvas.fitted_text((area.left, area.top - 2.5), domain, area.width(), Text { bold: true, ..Text::NORMAL });
        for (value, _) in &ticks {
            canvas.line(&[plot.at(plot.x.0, *value), plot.at(plot.x.1, *value)], GRID_PT, GRID);
        }
        let plain: Vec<Tick> = ticks.iter().map(|(value, _)| (*value, String::new())).collect();
        let budgets = self.budget_ticks(&plot);
        // Only the first panel of a row is numbered: all have the same axis.
        let (y_ticks, y_label) = if first { (&ticks, Y_LABEL) } else { (&plain, "") };
        plot.axes(canvas, (&budgets, X_LABEL), (y_ticks, y_label));
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
                canvas.line(&on_page(&self.means(one)), THIN_PT, pale(LINES[index % LINES.len()]));
            }
        }
        for (index, arm) in self.arms.iter().enumerate() {
            let level = of_arm(arm).filter(|finding| studied(finding).is_none());
            let level: Vec<f64> = level.filter_map(|finding| cc_norm(finding)).collect();
            if !level.is_empty() {
                let mean = level.iter().sum::<f64>() / level.len() as f64;
                canvas.line(&on_page(&[(plot.x.0, mean), (plot.x.1, mean)]), BOLD_PT, LINES[index % LINES.len()]);
            }
            let points = on_page(&self.means(of_arm(arm)));
            canvas.line(&points, BOLD_PT, LINES[index % LINES.len()]);
            points.iter().for_each(|&point| dot(canvas, point, index));
        }
    }

    /// A tick at every amount of minutes, with its number where there is room.
    fn budget_ticks(&self, plot: &Plot) -> Vec<Tick> {
        let mut free = f64::NEG_INFINITY;
        let tick = |&minutes: &f64| {
            let place = self.place(minutes);
            let text = format!("{}", (minutes * 100.0).round() / 100.0);
            let (middle, half) = (plot.at(place, plot.y.0).0, Text::NORMAL.width_mm(&text) / 2.0);
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
    fn title(&self) -> String {
        self.table.title.clone()
    }

    fn notice(&self) -> String {
        notice(self.table)
    }

    fn provenance(&self) -> String {
        provenance(self.table)
    }

    fn check(&self) -> Result<(), FigureError> {
        let shown = |finding: &&Finding| studied(finding).is_some() && cc_norm(finding).is_some();
        if self.findings.iter().any(shown) {
            return Ok(());
        }
        let what = "no arm of the study learned from a given amount of clips, so there is no curve to show";
        Err(FigureError::Missing(what.to_owned()))
    }

    fn caption(&self, _: f64) -> Vec<String> {
        self.said()
    }

    fn height(&self, width: f64) -> f64 {
        let rows = self.domains.len().div_ceil(self.columns(width)) as f64;
        self.top(width) + ROW_MM * rows - 7.2
    }

    fn draw(&self, canvas: &mut Canvas, width: f64) {
        for (index, (arm, (line, left, room))) in self.arms.iter().zip(self.legend(width)).enumerate() {
            let baseline = LEGEND_MM + LINE_MM * line as f64;
            let middle = baseline - CAPITALS_MM / 2.0;
            canvas.line(&[(left, middle), (left + SAMPLE_MM, middle)], BOLD_PT, LINES[index % LINES.len()]);
            dot(canvas, (left + SAMPLE_MM / 2.0, middle), index);
            let before = SAMPLE_MM + 1.5;
            canvas.fitted_text((left + before, baseline), arm, room - before, Text::NORMAL);
        }
        let (columns, across) = (self.columns(width), self.across(width));
        for (index, domain) in self.domains.iter().enumerate() {
            let left = LEFT_MM + (across + BETWEEN_MM) * (index % columns) as f64;
            let top = self.top(width) + ROW_MM * (index / columns) as f64;
            let area = Area::new(left, top, left + across, top + HEIGHT_MM);
            self.panel(canvas, area, domain, index % columns == 0);
        }
    }

    fn numbers(&self, _: f64) -> Vec<Series> {
        let of_domain = |domain: &&str| {
            let here = self.findings.iter().filter(move |finding| finding.domain == **domain);
            let lines = distinct(here.clone().map(|one| (one.arm.as_str(), one.animal.as_str(), one.seed)));
            let line = |(arm, animal, seed): (&str, &str, Option<u64>)| {
                let of_line = here.clone().filter(|one| one.arm == arm && one.animal == animal && one.seed == seed);
                let entry = |one: &&Finding| Entry {
                    range: one.interval,
                    ..Entry::new(one.minutes.map_or_else(String::new, |minutes| minutes.to_string()), one.cc_norm)
                        .over(one.units)
                };
                Series {
                    panel: (*domain).to_owned(),
                    name: format!("{arm}, {animal}{}", seed.map_or_else(String::new, |seed| format!(", seed {seed}"))),
                    x_label: X_LABEL.to_owned(),
                    y_label: Y_LABEL.to_owned(),
                    points: of_line.map(entry).collect(),
                }
            };
            lines.into_iter().map(line).collect::<Vec<_>>()
        };
        self.domains.iter().flat_map(of_domain).collect()
    }

    fn own_width(&self) -> f64 {
        PAGE_MM
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
pub(in crate::figures) fn dot(canvas: &mut Canvas, at: (f64, f64), index: usize) {
    canvas.dot(at, DOT_MM, LINES[index % LINES.len()], 1.0);
    if index % LINES.len() >= LINES.len() / 2 {
        canvas.dot(at, 0.5 * DOT_MM, WHITE, 1.0);
    }
}
