//! Panels side by side in rows: where each of them lies, and the words above and below it.

use super::canvas::{Area, CAPITALS_MM, Canvas, Text};
use super::page::NARROW_MM;
use super::plot::LINE_MM;

/// Panels in a row of a page, and of a column.
const COLUMNS: usize = 4;
const NARROW_COLUMNS: usize = 2;

/// Panels of equal size, in mm.
#[derive(Debug, Clone, Copy)]
pub struct Grid {
    /// Left edge of the first panel.
    pub left_mm: f64,
    /// From one panel to the next.
    pub step_mm: f64,
    /// Top of the first row.
    pub top_mm: f64,
    /// From one row to the next.
    pub row_mm: f64,
    /// Width and height of a panel.
    pub size_mm: (f64, f64),
}

impl Grid {
    /// That of the figures of an analysis.
    pub const fn of_analysis(top_mm: f64, row_mm: f64, height_mm: f64) -> Self {
        Self { left_mm: 14.0, step_mm: 42.5, top_mm, row_mm, size_mm: (29.0, height_mm) }
    }

    /// Panels in a row.
    pub fn columns(page: f64) -> usize {
        if page < NARROW_MM { NARROW_COLUMNS } else { COLUMNS }
    }

    /// Top left corner of a panel.
    pub fn corner(&self, page: f64, index: usize) -> (f64, f64) {
        let columns = Self::columns(page);
        (self.left_mm + self.step_mm * (index % columns) as f64, self.top_mm + self.row_mm * (index / columns) as f64)
    }

    /// A panel.
    pub fn area(&self, page: f64, index: usize) -> Area {
        let (left, top) = self.corner(page, index);
        Area::new(left, top, left + self.size_mm.0, top + self.size_mm.1)
    }

    /// Height of so many panels, of which `spare_mm` of the last row's room are not needed.
    pub fn height(&self, page: f64, count: usize, spare_mm: f64) -> f64 {
        self.top_mm + self.row_mm * count.div_ceil(Self::columns(page)).max(1) as f64 - spare_mm
    }

    /// A line above a panel, which may begin over its numbers.
    pub fn above(&self, canvas: &mut Canvas, area: Area, up_mm: f64, text: &str, look: Text) {
        canvas.fitted_text((area.left - 6.0, area.top - up_mm), text, self.step_mm - 4.0, look);
    }

    /// Lines below a panel and its axis, the first of them so far below.
    pub fn below(&self, canvas: &mut Canvas, area: Area, down_mm: f64, lines: &[(&str, Text)]) {
        for (line, &(text, look)) in lines.iter().enumerate() {
            let room = self.step_mm - 2.0;
            let width = look.width_mm(text).min(room);
            let baseline = area.bottom + down_mm + CAPITALS_MM + LINE_MM * line as f64;
            canvas.fitted_text((area.centre().0 - width / 2.0, baseline), text, room, look);
        }
    }
}
