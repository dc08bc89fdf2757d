//! How well every arm does in every domain of stimuli, as a table of colours and numbers.

use std::path::Path;

use plotters::style::RGBColor;

use super::super::canvas::{Align, Area, CAPITALS_MM, Canvas, Text};
use super::super::heat_map::colour_bar;
use super::super::numbers::{Entry, Series};
use super::super::page::{NARROW_MM, Page};
use super::super::plot::{LINE_MM, MARGIN_MM, with_minus};
use super::super::style::{GRID, GRID_PT, INK, PAGE_MM, colour_of};
use super::super::{FigureError, Layout, Plate};
use super::{arms, cc_norm, counted, distinct, domains, notice, printed, provenance};
use crate::study::{Finding, PairedTest, Table};

/// Height of a row, and most width of a column, mm.
const ROW_MM: f64 = 9.5;
const COLUMN_MM: f64 = 26.0;
/// Most width of the names of arms on a page, and on a column, mm.
const NAMES_MM: f64 = 46.0;
const NARROW_NAMES_MM: f64 = 22.0;
/// Room for the scale of colours on the right, mm.
const SCALE_MM: f64 = 17.0;
/// Least height of the scale of colours, and its most, mm.
const SCALE_HEIGHTS_MM: (f64, f64) = (16.0, 60.0);
/// Baseline of the first line of the domains' names, and the gaps below and between them, mm.
const HEADS_MM: f64 = 3.5;
const HEAD_GAP_MM: f64 = 1.6;
const HEADS_APART_MM: f64 = 0.8;
/// Most lines of a domain's name, and of an arm's.
const HEAD_LINES: usize = 4;
const NAME_LINES: usize = 3;
/// Domains' names are never smaller, points.
const SMALLEST_PT: f64 = 5.0;
/// A difference is counted below this p.
const SIGNIFICANT: f64 = 0.05;
const SMALL: Text = Text { size_pt: 5.5, ..Text::NORMAL };

/// The figure, to be written.
pub fn plate(table: &Table) -> Plate<'_> {
    Plate::new(Matrix::of(table))
}

/// Writes the figure at its own width and 300 dots per inch, see [`Plate::write`].
///
/// # Errors
/// When the file name has another ending, nothing was found, or a file cannot be written.
pub fn write(table: &Table, path: &Path) -> Result<(), FigureError> {
    plate(table).write(path, &Layout::default()).map(drop)
}

/// What is drawn: of an arm with several amounts of clips, the findings with the most.
struct Matrix<'t> {
    table: &'t Table,
    findings: Vec<&'t Finding>,
    arms: Vec<&'t str>,
    domains: Vec<&'t str>,
}

impl<'t> Matrix<'t> {
    fn of(table: &'t Table) -> Self {
        let most = |arm: &str| {
            let minutes = table.findings.iter().filter(|finding| finding.arm == arm).filter_map(|one| one.minutes);
            minutes.max_by(f64::total_cmp)
        };
        let findings: Vec<&Finding> =
            table.findings.iter().filter(|finding| finding.minutes == most(&finding.arm)).collect();
        Self { table, arms: arms(&findings), domains: domains(&findings), findings }
    }

    /// CC_norm of all animals and seeds.
    fn values(&self, arm: &str, domain: &str) -> Vec<f64> {
        let here = self.findings.iter().filter(|finding| finding.arm == arm && finding.domain == domain);
        here.filter_map(|finding| cc_norm(finding)).collect()
    }

    /// Where the cells are.
    fn area(&self, page: f64) -> Area {
        let most = if page < NARROW_MM { NARROW_NAMES_MM } else { NAMES_MM };
        let names = self.arms.iter().map(|arm| Text::NORMAL.width_mm(arm)).fold(0.0, f64::max).min(most);
        let left = MARGIN_MM + names + 2.0;
        let room = page - SCALE_MM - left;
        let width = (COLUMN_MM * self.domains.len() as f64).min(room);
        let room = width / self.domains.len().max(1) as f64 - HEADS_APART_MM;
        let lines = heads(&self.domains, room).0.iter().map(Vec::len).max().unwrap_or(1).max(1);
        let top = HEADS_MM + LINE_MM * (lines - 1) as f64 + HEAD_GAP_MM;
        Area::new(left, top, left + width, top + ROW_MM * self.arms.len() as f64)
    }

    /// Whether least and greatest fit below the mean of a cell.
    fn ranges_fit(&self, page: f64) -> bool {
        let across = self.area(page).width() / self.domains.len().max(1) as f64;
        let cells = self.arms.iter().flat_map(|arm| self.domains.iter().map(move |domain| self.values(arm, domain)));
        cells.filter(|values| values.len() > 1).all(|values| SMALL.width_mm(&range(&values)) <= across - 1.0)
    }

    /// Fewest and most minutes of clips, where arms differ in them.
    fn minutes(&self) -> Option<String> {
        let each = || self.findings.iter().filter_map(|one| Some((one.minutes?, one.arm.as_str())));
        let (least, arm) = each().min_by(|a, b| a.0.total_cmp(&b.0))?;
        let (most, _) = each().max_by(|a, b| a.0.total_cmp(&b.0))?;
        (least < most).then(|| format!("Clips that were learned from: {least:.1} min ({arm}) to {most:.1} min."))
    }

    fn said(&self, page: f64) -> Vec<String> {
        let cells = || self.arms.iter().flat_map(|arm| self.domains.iter().map(move |domain| (arm, domain)));
        let counts: Vec<usize> =
            cells().map(|(arm, domain)| self.values(arm, domain).len()).filter(|&n| n > 0).collect();
        let (least, most) = (counts.iter().min().copied().unwrap_or(0), counts.iter().max().copied().unwrap_or(0));
        let spread = match (least, most) {
            (_, 0 | 1) => String::new(),
            (least, most) if !self.ranges_fit(page) && least == most => format!(" (n = {most} in each cell)"),
            (least, most) if !self.ranges_fit(page) => format!(" (n = {least} to {most} in a cell)"),
            (least, most) if least == most => "; in small: least to greatest of them".to_owned(),
            (least, most) => format!("; in small: least to greatest of them ({least} to {most} values a cell)"),
        };
        let minutes_of = |arm: &str| {
            let findings = self.table.findings.iter().filter(|finding| finding.arm == arm);
            distinct(findings.map(|finding| finding.minutes)).len()
        };
        let several = self.arms.iter().any(|arm| minutes_of(arm) > 1);
        let mut caption = vec![
            format!("Cells: CC_norm, median over units, then mean over animals and seeds{spread}."),
            format!("CC_norm = CC_abs / CC_max; no unit, 1 is the ceiling set by noise. {}.", counted(&self.findings)),
        ];
        if several {
            caption.push("Of arms with several amounts of clips: those with the most minutes.".to_owned());
        }
        caption.extend(self.minutes());
        caption.extend(tested(self.table));
        caption
    }
}

impl Page for Matrix<'_> {
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
        if self.findings.is_empty() {
            return Err(FigureError::Missing(
                "the study has found nothing yet, so there is nothing to show".to_owned(),
            ));
        }
        Ok(())
    }

    fn caption(&self, width: f64) -> Vec<String> {
        self.said(width)
    }

    fn height(&self, width: f64) -> f64 {
        let Area { top, bottom, .. } = self.area(width);
        bottom.max(top + SCALE_HEIGHTS_MM.0) + 1.8
    }

    fn draw(&self, canvas: &mut Canvas, width: f64) {
        let (area, with_range) = (self.area(width), self.ranges_fit(width));
        let width = area.width() / self.domains.len() as f64;
        let room = width - HEADS_APART_MM;
        let (heads, look) = heads(&self.domains, room);
        for (column, lines) in heads.iter().enumerate() {
            let middle = area.left + width * (column as f64 + 0.5);
            for (line, text) in lines.iter().rev().enumerate() {
                let baseline = area.top - HEAD_GAP_MM - LINE_MM * line as f64;
                canvas.fitted_text((middle, baseline), text, room, look.aligned(Align::Centre));
            }
        }
        for (row, arm) in self.arms.iter().enumerate() {
            let top = area.top + ROW_MM * row as f64;
            let room = area.left - MARGIN_MM - 2.0;
            let lines = Text::NORMAL.wrapped(arm, room, NAME_LINES);
            let first = top + (ROW_MM + CAPITALS_MM - LINE_MM * lines.len().saturating_sub(1) as f64) / 2.0;
            for (line, text) in lines.iter().enumerate() {
                canvas.fitted_text((MARGIN_MM, first + LINE_MM * line as f64), text, room, Text::NORMAL);
            }
            for (column, domain) in self.domains.iter().enumerate() {
                let left = area.left + width * column as f64;
                cell(canvas, Area::new(left, top, left + width, top + ROW_MM), &self.values(arm, domain), with_range);
            }
        }
        let bottom = area.top + area.height().clamp(SCALE_HEIGHTS_MM.0, SCALE_HEIGHTS_MM.1);
        colour_bar(canvas, Area::new(area.right + 4.0, area.top, area.right + 6.5, bottom), "CC_norm");
    }

    fn numbers(&self, _: f64) -> Vec<Series> {
        let of_arm = |arm: &&str| {
            let entry = |domain: &&str| {
                let values = self.values(arm, domain);
                let mean = (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
                Entry { range: mean.map(|_| ends(&values)), ..Entry::new(domain, mean).over(values.len()) }
            };
            Series {
                panel: String::new(),
                name: (*arm).to_owned(),
                x_label: "Domain".to_owned(),
                y_label: "CC_norm".to_owned(),
                points: self.domains.iter().map(entry).collect(),
            }
        };
        let test = |one: &PairedTest| Series {
            panel: format!("against {}, same units", one.against),
            name: format!("{}, {}", one.arm, one.animal),
            x_label: "Domain".to_owned(),
            y_label: "Median difference of CC_norm".to_owned(),
            points: vec![
                Entry { range: one.difference.interval, ..Entry::new(&one.domain, one.difference.value) }
                    .over(one.difference.n),
            ],
        };
        self.arms.iter().map(of_arm).chain(self.table.tests.iter().map(test)).collect()
    }

    fn own_width(&self) -> f64 {
        PAGE_MM
    }
}

/// What the paired tests of a table found, in a sentence about all of them and one about each arm.
fn tested(table: &Table) -> Vec<String> {
    let mut said = Vec::new();
    for against in distinct(table.tests.iter().map(|one| one.against.as_str())) {
        let known = table.tests.iter().filter(|one| one.adjusted.is_some()).count();
        said.push(format!(
            "Against {against}, over the same units: median difference of CC_norm; Wilcoxon signed-rank test, two-sided, p corrected for {known} tests (Holm)."
        ));
        let here = || table.tests.iter().filter(|one| one.against == against);
        for arm in distinct(here().map(|one| one.arm.as_str())) {
            let of_arm: Vec<&PairedTest> = here().filter(|one| one.arm == arm).collect();
            let by_size = |a: &&&PairedTest, b: &&&PairedTest| a.difference.value.total_cmp(&b.difference.value);
            let (Some(least), Some(most)) = (of_arm.iter().min_by(by_size), of_arm.iter().max_by(by_size)) else {
                continue;
            };
            let spoken = |one: &PairedTest| {
                // Nothing that is written as zero has a sign.
                let value = (1000.0 * one.difference.value).round() / 1000.0 + 0.0;
                format!("{} ({})", with_minus(format!("{value:.3}")), one.domain)
            };
            let range = if of_arm.len() > 1 { format!("{} to {}", spoken(least), spoken(most)) } else { spoken(least) };
            let differ = of_arm.iter().filter(|one| one.adjusted.is_some_and(|p| p < SIGNIFICANT)).count();
            said.push(format!("{arm}: {range}; p < {SIGNIFICANT} in {differ} of {} domains.", of_arm.len()));
        }
    }
    said
}

/// Names of domains on some lines each; all smaller where one of their words has too little room.
fn heads(domains: &[&str], room: f64) -> (Vec<Vec<String>>, Text) {
    let words = domains.iter().flat_map(|domain| domain.split_whitespace());
    let widest = words.map(|word| Text::NORMAL.width_mm(word)).fold(0.0, f64::max);
    let size_pt = (Text::NORMAL.size_pt * (room / widest.max(1e-9)).min(1.0)).max(SMALLEST_PT);
    let look = Text { size_pt, ..Text::NORMAL };
    (domains.iter().map(|domain| look.wrapped(domain, room, HEAD_LINES)).collect(), look)
}

fn cell(canvas: &mut Canvas, area: Area, values: &[f64], with_range: bool) {
    let (middle, half_way) = area.centre();
    let centred = |look: Text| look.aligned(Align::Centre);
    let baseline = half_way + CAPITALS_MM / 2.0;
    if values.is_empty() {
        outline(canvas, area, GRID);
        return canvas.text((middle, baseline), "n/a", centred(Text { colour: Text::QUIET.colour, ..SMALL }));
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let colour = colour_of(mean);
    canvas.rectangle(area, colour);
    outline(canvas, area, WHITE);
    let on = readable_on(colour);
    if values.len() == 1 || !with_range {
        return canvas.text(
            (middle, baseline),
            &printed(mean),
            centred(Text { colour: on, bold: true, ..Text::NORMAL }),
        );
    }
    canvas.text((middle, baseline - 1.2), &printed(mean), centred(Text { colour: on, bold: true, ..Text::NORMAL }));
    canvas.text((middle, baseline + 2.0), &range(values), centred(Text { colour: on, ..SMALL }));
}

/// Least and greatest.
fn ends(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), &value| (least.min(value), most.max(value)))
}

fn range(values: &[f64]) -> String {
    let (least, most) = ends(values);
    format!("{} to {}", printed(least), printed(most))
}

const WHITE: RGBColor = RGBColor(0xff, 0xff, 0xff);

fn outline(canvas: &mut Canvas, area: Area, colour: RGBColor) {
    let Area { left, top, right, bottom } = area;
    canvas.line(&[(left, top), (right, top), (right, bottom), (left, bottom), (left, top)], GRID_PT, colour);
}

/// Ink or white, by the contrast ratio of the Web Content Accessibility Guidelines 2.1; white where they are about
/// equal, for thin dark letters drown in a colour sooner than white ones.
fn readable_on(colour: RGBColor) -> RGBColor {
    let luminance = |colour: RGBColor| {
        let linear = |value: u8| (f64::from(value) / 255.0).powf(2.2);
        0.2126 * linear(colour.0) + 0.7152 * linear(colour.1) + 0.0722 * linear(colour.2) + 0.05
    };
    let below = luminance(colour);
    if 1.5 * luminance(WHITE) / below > below / luminance(INK) { WHITE } else { INK }
}
