//! How well every arm does in every domain of stimuli, as a table of colours and numbers.

use std::path::Path;

use plotters::prelude::DrawingBackend;
use plotters::style::RGBColor;

use super::super::canvas::{Align, Area, CAPITALS_MM, Canvas, Text};
use super::super::heat_map::colour_bar;
use super::super::plot::{LINE_MM, MARGIN_MM, frame};
use super::super::style::{GRID, GRID_PT, INK, PAGE_MM, colour_of};
use super::super::writer::{page_picture, page_svg, write_page};
use super::super::{FigureError, Page, Picture};
use super::{arms, cc_norm, counted, distinct, domains, notice, origin, printed, width_mm, wrapped};
use crate::study::{Finding, Table};

/// Height of a row, and most width of a column, mm.
const ROW_MM: f64 = 9.5;
const COLUMN_MM: f64 = 26.0;
/// Most width of the names of arms, mm.
const NAMES_MM: f64 = 46.0;
/// Room for the scale of colours on the right, mm.
const SCALE_MM: f64 = 17.0;
/// Least height of the scale of colours, and its most, mm.
const SCALE_HEIGHTS_MM: (f64, f64) = (16.0, 60.0);
/// Baseline of the first line of the domains' names, and from their last one to the cells, mm.
const HEADS_MM: f64 = 11.5;
const HEAD_GAP_MM: f64 = 1.6;
/// Most lines of a domain's name, and of an arm's.
const HEAD_LINES: usize = 4;
const NAME_LINES: usize = 2;
/// Domains' names are never smaller, points.
const SMALLEST_PT: f64 = 5.0;
const SMALL: Text = Text { size_pt: 5.5, ..Text::NORMAL };

/// Writes the figure as PNG or SVG, as the ending of the file name says, whole or not at all.
///
/// # Errors
/// When the file name has another ending, nothing was found, or the file cannot be written.
pub fn write(table: &Table, path: &Path) -> Result<(), FigureError> {
    write_page(&Matrix::of(table), path)
}

/// The figure as SVG with live text.
///
/// # Errors
/// When nothing was found.
pub fn svg(table: &Table) -> Result<String, FigureError> {
    page_svg(&Matrix::of(table))
}

/// The figure as pixels at 300 dots per inch.
///
/// # Errors
/// When nothing was found.
pub fn picture(table: &Table) -> Result<Picture, FigureError> {
    page_picture(&Matrix::of(table))
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
    fn area(&self) -> Area {
        let names = self.arms.iter().map(|arm| width_mm(arm, Text::NORMAL)).fold(0.0, f64::max).min(NAMES_MM);
        let left = MARGIN_MM + names + 2.0;
        let room = PAGE_MM - SCALE_MM - left;
        let width = (COLUMN_MM * self.domains.len() as f64).min(room);
        let room = width / self.domains.len().max(1) as f64 - 0.6;
        let lines = self.domains.iter().map(|domain| head(domain, room).0.len()).max().unwrap_or(1).max(1);
        let top = HEADS_MM + LINE_MM * (lines - 1) as f64 + HEAD_GAP_MM;
        Area::new(left, top, left + width, top + ROW_MM * self.arms.len() as f64)
    }

    fn caption(&self) -> Vec<String> {
        let cells = || self.arms.iter().flat_map(|arm| self.domains.iter().map(move |domain| (arm, domain)));
        let counts: Vec<usize> =
            cells().map(|(arm, domain)| self.values(arm, domain).len()).filter(|&n| n > 0).collect();
        let (least, most) = (counts.iter().min().copied().unwrap_or(0), counts.iter().max().copied().unwrap_or(0));
        let spread = match (least, most) {
            (_, 0 | 1) => String::new(),
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
        caption
    }
}

impl Page for Matrix<'_> {
    fn size_mm(&self) -> (f64, f64) {
        let Area { top, bottom, .. } = self.area();
        let lines = self.caption().len() as f64;
        (PAGE_MM, bottom.max(top + SCALE_HEIGHTS_MM.0) + 8.4 + LINE_MM * lines)
    }

    fn title(&self) -> &str {
        &self.table.title
    }

    fn origin(&self) -> String {
        origin(self.table)
    }

    fn check(&self) -> Result<(), FigureError> {
        if self.findings.is_empty() {
            return Err(FigureError::Missing(
                "the study has found nothing yet, so there is nothing to show".to_owned(),
            ));
        }
        Ok(())
    }

    fn draw<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), FigureError> {
        frame(canvas, self.size_mm(), self.title(), &self.caption(), &notice(self.table));
        let area = self.area();
        let width = area.width() / self.domains.len() as f64;
        for (column, domain) in self.domains.iter().enumerate() {
            let (middle, room) = (area.left + width * (column as f64 + 0.5), width - 0.6);
            let (lines, look) = head(domain, room);
            for (line, text) in lines.iter().rev().enumerate() {
                // Text that is cut to its room keeps its middle only when it is measured first.
                let left = middle - canvas.width_mm(text, look).min(room) / 2.0;
                canvas.fitted_text((left, area.top - HEAD_GAP_MM - LINE_MM * line as f64), text, room, look);
            }
        }
        for (row, arm) in self.arms.iter().enumerate() {
            let top = area.top + ROW_MM * row as f64;
            let room = area.left - MARGIN_MM - 2.0;
            let lines = wrapped(arm, room + 0.01, NAME_LINES, Text::NORMAL);
            let first = top + (ROW_MM + CAPITALS_MM - LINE_MM * lines.len().saturating_sub(1) as f64) / 2.0;
            for (line, text) in lines.iter().enumerate() {
                canvas.fitted_text((MARGIN_MM, first + LINE_MM * line as f64), text, room + 0.01, Text::NORMAL);
            }
            for (column, domain) in self.domains.iter().enumerate() {
                let left = area.left + width * column as f64;
                cell(canvas, Area::new(left, top, left + width, top + ROW_MM), &self.values(arm, domain));
            }
        }
        let bottom = area.top + area.height().clamp(SCALE_HEIGHTS_MM.0, SCALE_HEIGHTS_MM.1);
        colour_bar(canvas, Area::new(area.right + 4.0, area.top, area.right + 6.5, bottom), "CC_norm");
        canvas.finish()
    }
}

/// A domain's name on some lines; smaller where one of its words has too little room.
fn head(domain: &str, room: f64) -> (Vec<String>, Text) {
    let widest = domain.split_whitespace().map(|word| width_mm(word, Text::NORMAL)).fold(0.0, f64::max);
    let size_pt = (Text::NORMAL.size_pt * (room / widest.max(1e-9)).min(1.0)).max(SMALLEST_PT);
    let look = Text { size_pt, ..Text::NORMAL };
    (wrapped(domain, room, HEAD_LINES, look), look)
}

fn cell<B: DrawingBackend>(canvas: &mut Canvas<'_, B>, area: Area, values: &[f64]) {
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
    if values.len() == 1 {
        return canvas.text(
            (middle, baseline),
            &printed(mean),
            centred(Text { colour: on, bold: true, ..Text::NORMAL }),
        );
    }
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    canvas.text((middle, baseline - 1.2), &printed(mean), centred(Text { colour: on, bold: true, ..Text::NORMAL }));
    let range = format!("{} to {}", printed(least), printed(most));
    canvas.text((middle, baseline + 2.0), &range, centred(Text { colour: on, ..SMALL }));
}

const WHITE: RGBColor = RGBColor(0xff, 0xff, 0xff);

fn outline<B: DrawingBackend>(canvas: &mut Canvas<'_, B>, area: Area, colour: RGBColor) {
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
