//! Marks as pixels, by the rasteriser of plotters.

use std::sync::Once;

use plotters::prelude::{BitMapBackend, DrawingBackend};
use plotters::style::register_font;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, FontFamily, FontStyle, FontTransform, RGBColor, ShapeStyle, TextStyle};

use super::canvas::{Align, Mark, Point, Text};
use super::style::{self, FACE_HEIGHT_EM, POINT_MM};
use super::{FigureError, Picture, face};

/// Most bytes of the finer picture: three a pixel.
const MOST_BYTES: usize = 512 << 20;

/// Most bytes of a picture that is written: more is no page any more.
const LARGEST_BYTES: usize = 2 << 30;

/// The picture is drawn this many times finer and averaged, which smooths all edges. Beyond 600 dots per inch no eye
/// sees them, and the finer picture of a page would take a gigabyte.
fn oversampling(width: usize, height: usize, dpi: u32) -> usize {
    if dpi <= 600 && 4 * 3 * width * height <= MOST_BYTES { 2 } else { 1 }
}

/// Pixels of a length on the page.
fn pixels(mm: f64, dpi: u32) -> usize {
    (mm / 25.4 * f64::from(dpi)).round().max(1.0) as usize
}

/// Marks on white paper of this width and height, mm.
pub fn picture(marks: &[Mark], size_mm: (f64, f64), dpi: u32) -> Result<Picture, FigureError> {
    register_face();
    let (width, height) = (pixels(size_mm.0, dpi), pixels(size_mm.1, dpi));
    let bytes = width.checked_mul(height).and_then(|pixels| pixels.checked_mul(3));
    if bytes.is_none_or(|bytes| bytes > LARGEST_BYTES) {
        let what = format!("{width} × {height} pixels are too many; ask for fewer dots per inch, or for svg or pdf");
        return Err(FigureError::Drawing(what));
    }
    let finer = oversampling(width, height, dpi);
    let mut fine = vec![255; width * finer * height * finer * 3];
    let mut sheet = Sheet {
        backend: BitMapBackend::with_buffer(&mut fine, ((width * finer) as u32, (height * finer) as u32)),
        per_mm: f64::from(dpi) * finer as f64 / 25.4,
        failure: None,
    };
    marks.iter().for_each(|mark| sheet.draw(mark));
    let presented = sheet.backend.present();
    sheet.keep(presented);
    let failure = sheet.failure.take();
    drop(sheet);
    match failure {
        Some(what) => Err(FigureError::Drawing(what)),
        None => Ok(Picture { width, height, rgb: averaged(&fine, width, height, finer) }),
    }
}

/// Pixels to draw on. The first failure is kept.
struct Sheet<'a> {
    backend: BitMapBackend<'a>,
    per_mm: f64,
    failure: Option<String>,
}

impl Sheet<'_> {
    fn draw(&mut self, mark: &Mark) {
        match mark {
            Mark::Line { points, width_pt, colour } => {
                let half = width_pt * POINT_MM * self.per_mm / 2.0;
                for ends in points.windows(2) {
                    let [from, to] = [ends[0], ends[1]].map(|(x, y)| (x * self.per_mm, y * self.per_mm));
                    self.stroke(from, to, half, *colour);
                }
            }
            Mark::Polygon { points, colour, alpha } => {
                let style = ShapeStyle { color: colour.mix(*alpha), filled: true, stroke_width: 0 };
                let points: Vec<(i32, i32)> = points.iter().map(|&point| self.pixel(point)).collect();
                let drawn = self.backend.fill_polygon(points, &style);
                self.keep(drawn);
            }
            Mark::Rectangle { area, colour } => {
                let (from, to) = (self.pixel((area.left, area.top)), self.pixel((area.right, area.bottom)));
                let drawn = self.backend.draw_rect(from, to, &colour.to_rgba().filled(), true);
                self.keep(drawn);
            }
            Mark::Dot { centre, radius_mm, colour, alpha } => {
                let radius = (radius_mm * self.per_mm).round().max(1.0) as u32;
                let drawn = self.backend.draw_circle(self.pixel(*centre), radius, &colour.mix(*alpha).filled(), true);
                self.keep(drawn);
            }
            Mark::Text { at, text, look } => self.text(*at, text, *look),
        }
    }

    fn pixel(&self, (x, y): Point) -> (i32, i32) {
        ((x * self.per_mm).round() as i32, (y * self.per_mm).round() as i32)
    }

    /// A straight line with round ends: each pixel is covered by as much as the line reaches into it. The rasteriser
    /// leaves gaps where thick lines bend.
    fn stroke(&mut self, from: Point, to: Point, half: f64, colour: RGBColor) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let squared = dx * dx + dy * dy;
        let steep = dy.abs() > dx.abs();
        // Along the longer side, pixel by pixel; across it, no further than the line is thick at 45 degrees.
        let (start, end) = if steep { (from.1, to.1) } else { (from.0, to.0) };
        let (first, last) = (start.min(end) - half - 1.0, start.max(end) + half + 1.0);
        let across = 1.5 * (half + 1.0);
        for along in first.floor() as i32..=last.ceil() as i32 {
            let part = if start == end { 0.0 } else { ((f64::from(along) - start) / (end - start)).clamp(0.0, 1.0) };
            let middle = if steep { from.0 + part * dx } else { from.1 + part * dy };
            for beside in (middle - across).floor() as i32..=(middle + across).ceil() as i32 {
                let pixel = if steep { (beside, along) } else { (along, beside) };
                let (x, y) = (f64::from(pixel.0) - from.0, f64::from(pixel.1) - from.1);
                let nearest = if squared == 0.0 { 0.0 } else { ((x * dx + y * dy) / squared).clamp(0.0, 1.0) };
                let distance = (x - nearest * dx).hypot(y - nearest * dy);
                // A line thinner than a pixel is paler instead.
                let cover = (half + 0.5 - distance).min(1.0).min(2.0 * half);
                if cover > 0.0 {
                    let drawn = self.backend.draw_pixel(pixel, colour.mix(cover).to_backend_color());
                    self.keep(drawn);
                }
            }
        }
    }

    /// Letter by letter, each at the place that the face asks for. Bold type is drawn three times: the face has none.
    fn text(&mut self, at: Point, text: &str, look: Text) {
        let em = look.size_pt * POINT_MM * self.per_mm;
        let style = text_style(em, look);
        let at = (at.0 * self.per_mm, at.1 * self.per_mm);
        // The rasteriser puts the baseline half of the face's height below the position.
        let below = -FACE_HEIGHT_EM / 2.0 * em;
        let mut along = match look.align {
            Align::Left => 0.0,
            Align::Centre => -0.5,
            Align::Right => -1.0,
        } * look.width_mm(text)
            * self.per_mm;
        let shifts: &[f64] = if look.bold { &[-0.025, 0.0, 0.025] } else { &[0.0] };
        for character in text.chars() {
            let advance = face::advance(character);
            for shift in shifts {
                let start = along + (advance.left + shift) * em;
                let (x, y) = if look.upwards { (at.0 + below, at.1 - start) } else { (at.0 + start, at.1 + below) };
                let place = (x.round() as i32, y.round() as i32);
                let drawn = self.backend.draw_text(&character.to_string(), &style, place);
                self.keep(drawn);
            }
            along += advance.width * em;
        }
    }

    fn keep<E: std::fmt::Display>(&mut self, drawn: Result<(), E>) {
        if let (Err(error), None) = (drawn, &self.failure) {
            self.failure = Some(error.to_string());
        }
    }
}

/// The rasteriser takes the height of the face for its size.
fn text_style(em: f64, look: Text) -> TextStyle<'static> {
    let font = FontDesc::new(FontFamily::Name(style::FAMILY), em * FACE_HEIGHT_EM, FontStyle::Normal);
    let font = if look.upwards { font.transform(FontTransform::Rotate270) } else { font };
    let mut style = TextStyle::from(font).pos(Pos::new(HPos::Left, VPos::Top));
    style.color = look.colour.to_backend_color();
    style
}

/// Mean of every block of `finer` squared pixels.
fn averaged(fine: &[u8], width: usize, height: usize, finer: usize) -> Vec<u8> {
    let row = width * finer * 3;
    let mut coarse = Vec::with_capacity(width * height * 3);
    for rows in fine.chunks_exact(row * finer) {
        for column in 0..width {
            for channel in 0..3 {
                let at = |y: usize, x: usize| usize::from(rows[y * row + (column * finer + x) * 3 + channel]);
                let sum: usize = (0..finer).flat_map(|y| (0..finer).map(move |x| at(y, x))).sum();
                let count = finer * finer;
                coarse.push(((sum + count / 2) / count) as u8);
            }
        }
    }
    coarse
}

/// Makes the built-in face known to the rasteriser, once.
fn register_face() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // A face that cannot be read shows as a drawing error, where it can be told.
        let _ = register_font(style::FAMILY, FontStyle::Normal, face::FILE);
    });
}
