//! Lines, areas and text in millimetres from the top left corner of the page, on any backend of plotters.

use plotters::prelude::DrawingBackend;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, FontFamily, FontStyle, FontTransform, RGBColor, ShapeStyle, TextStyle};

use super::style::{self, POINT_MM, UNITS_PER_MM};
use super::{FigureError, face};

/// A position, mm.
pub type Point = (f64, f64);

/// A rectangle, mm.
#[derive(Debug, Clone, Copy)]
pub struct Area {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Area {
    pub fn new(left: f64, top: f64, right: f64, bottom: f64) -> Self {
        Self { left, top, right, bottom }
    }
    pub fn width(self) -> f64 {
        self.right - self.left
    }
    pub fn height(self) -> f64 {
        self.bottom - self.top
    }
    pub fn centre(self) -> Point {
        ((self.left + self.right) / 2.0, (self.top + self.bottom) / 2.0)
    }
}

/// What plotters leaves to its backends, so that both draw the same.
#[derive(Debug, Clone, Copy)]
pub struct Medium {
    /// Size to ask for, per em.
    size: f64,
    /// From the position to the baseline, em.
    drop: f64,
    /// Whether lines and bold type are built from pixels: the rasteriser leaves gaps where thick lines bend, and
    /// has no bold face.
    pixels: bool,
}

impl Medium {
    /// The rasteriser takes the height of the face for its size, and puts the baseline half of that below.
    pub const BITMAP: Self = Self { size: style::FACE_HEIGHT_EM, drop: style::FACE_HEIGHT_EM / 2.0, pixels: true };
    /// The SVG writer divides the size by 1.24, and puts the baseline 0.76 em below.
    pub const SVG: Self = Self { size: 1.24, drop: 0.76, pixels: false };
}

/// Where text stands in relation to its position on the baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Left,
    Centre,
    Right,
}

/// How text looks.
#[derive(Debug, Clone, Copy)]
pub struct Text {
    pub size_pt: f64,
    pub colour: RGBColor,
    pub align: Align,
    pub bold: bool,
    /// Reads upwards.
    pub upwards: bool,
}

impl Text {
    pub const NORMAL: Self =
        Self { size_pt: style::TEXT_PT, colour: style::INK, align: Align::Left, bold: false, upwards: false };
    pub const QUIET: Self = Self { colour: style::QUIET, ..Self::NORMAL };
    pub const TITLE: Self = Self { size_pt: style::TITLE_PT, bold: true, ..Self::NORMAL };

    pub fn aligned(self, align: Align) -> Self {
        Self { align, ..self }
    }
    pub fn upwards(self) -> Self {
        Self { upwards: true, ..self }
    }
}

/// Height of capitals and digits of normal text, mm; what text is centred by.
pub const CAPITALS_MM: f64 = 0.693 * style::TEXT_PT * POINT_MM;

/// A page to draw on. The first failure is kept and told by [`Canvas::finish`].
pub struct Canvas<'a, B: DrawingBackend> {
    backend: &'a mut B,
    medium: Medium,
    failure: Option<String>,
}

impl<'a, B: DrawingBackend> Canvas<'a, B> {
    pub fn new(backend: &'a mut B, medium: Medium) -> Self {
        Self { backend, medium, failure: None }
    }

    pub fn finish(&mut self) -> Result<(), FigureError> {
        let presented = self.backend.present();
        self.keep(presented);
        self.failure.take().map_or(Ok(()), |what| Err(FigureError::Drawing(what)))
    }

    /// A line through points.
    pub fn line(&mut self, points: &[Point], width_pt: f64, colour: RGBColor) {
        if self.medium.pixels {
            for ends in points.windows(2) {
                let [from, to] = [ends[0], ends[1]].map(|(x, y)| (x * UNITS_PER_MM, y * UNITS_PER_MM));
                self.stroke(from, to, width_pt * POINT_MM * UNITS_PER_MM / 2.0, colour);
            }
            return;
        }
        let stroke_width = (width_pt * POINT_MM * UNITS_PER_MM).round().max(1.0) as u32;
        let style = ShapeStyle { color: colour.to_rgba(), filled: false, stroke_width };
        let drawn = self.backend.draw_path(points.iter().map(|&p| units(p)), &style);
        self.keep(drawn);
    }

    /// A straight line with round ends, in pixels: each is covered by as much as the line reaches into it.
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
                let cover = (half + 0.5 - distance).min(1.0);
                if cover > 0.0 {
                    let drawn = self.backend.draw_pixel(pixel, colour.mix(cover).to_backend_color());
                    self.keep(drawn);
                }
            }
        }
    }

    /// A filled polygon.
    pub fn polygon(&mut self, points: &[Point], colour: RGBColor, alpha: f64) {
        let style = ShapeStyle { color: colour.mix(alpha), filled: true, stroke_width: 0 };
        let drawn = self.backend.fill_polygon(points.iter().map(|&p| units(p)), &style);
        self.keep(drawn);
    }

    /// A filled rectangle.
    pub fn rectangle(&mut self, area: Area, colour: RGBColor) {
        let (from, to) = (units((area.left, area.top)), units((area.right, area.bottom)));
        let drawn = self.backend.draw_rect(from, to, &colour.to_rgba().filled(), true);
        self.keep(drawn);
    }

    /// A filled circle.
    pub fn dot(&mut self, centre: Point, radius_mm: f64, colour: RGBColor, alpha: f64) {
        let radius = (radius_mm * UNITS_PER_MM).round().max(1.0) as u32;
        let drawn = self.backend.draw_circle(units(centre), radius, &colour.mix(alpha).filled(), true);
        self.keep(drawn);
    }

    /// The outline of a circle.
    pub fn circle(&mut self, centre: Point, radius_mm: f64, width_pt: f64, colour: RGBColor) {
        let around = (0..=180).map(|step| {
            let (sin, cos) = (f64::from(step) * 2.0).to_radians().sin_cos();
            (centre.0 + radius_mm * cos, centre.1 - radius_mm * sin)
        });
        self.line(&around.collect::<Vec<_>>(), width_pt, colour);
    }

    /// An arrow from one point to another.
    pub fn arrow(&mut self, from: Point, to: Point, width_pt: f64, head_mm: f64, colour: RGBColor) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = dx.hypot(dy);
        if length == 0.0 {
            return;
        }
        let (ux, uy) = (dx / length, dy / length);
        let head = head_mm.min(length);
        let neck = (to.0 - ux * head, to.1 - uy * head);
        let half = 0.38 * head;
        self.line(&[from, (neck.0 + ux * 0.2 * head, neck.1 + uy * 0.2 * head)], width_pt, colour);
        self.polygon(
            &[to, (neck.0 - uy * half, neck.1 + ux * half), (neck.0 + uy * half, neck.1 - ux * half)],
            colour,
            1.0,
        );
    }

    /// Shows a direction of motion: 0 degrees to the right, 90 up.
    pub fn direction_arrow(&mut self, centre: Point, degrees: f64, length_mm: f64, colour: RGBColor) {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let (dx, dy) = (cos * length_mm / 2.0, -sin * length_mm / 2.0);
        let (from, to) = ((centre.0 - dx, centre.1 - dy), (centre.0 + dx, centre.1 + dy));
        self.arrow(from, to, style::AXIS_PT, 0.55 * length_mm, colour);
    }

    /// Text on one line, at a position on its baseline.
    pub fn text(&mut self, at: Point, text: &str, look: Text) {
        // XML knows no control characters, and a figure no line breaks.
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let em = look.size_pt * POINT_MM * UNITS_PER_MM;
        let style = self.text_style(em, look);
        let at = (at.0 * UNITS_PER_MM, at.1 * UNITS_PER_MM);
        // Along and below the line of text, in units.
        let place = |along: f64, below: f64| {
            let (x, y) = if look.upwards { (at.0 + below, at.1 - along) } else { (at.0 + along, at.1 + below) };
            (x.round() as i32, y.round() as i32)
        };
        let below = -self.medium.drop * em;
        if !self.medium.pixels {
            let drawn = self.backend.draw_text(&text, &style, place(0.0, below));
            return self.keep(drawn);
        }
        let mut along = match look.align {
            Align::Left => 0.0,
            Align::Centre => -0.5,
            Align::Right => -1.0,
        } * self.width_mm(&text, look)
            * UNITS_PER_MM;
        let shifts: &[f64] = if look.bold { &[-0.025, 0.0, 0.025] } else { &[0.0] };
        for character in text.chars() {
            let advance = face::advance(character);
            for shift in shifts {
                let start = along + (advance.left + shift) * em;
                let drawn = self.backend.draw_text(&character.to_string(), &style, place(start, below));
                self.keep(drawn);
            }
            along += advance.width * em;
        }
    }

    /// Text shortened with … to a width.
    pub fn fitted_text(&mut self, at: Point, text: &str, width_mm: f64, look: Text) {
        let mut fitted = text.to_owned();
        let mut kept: Vec<char> = text.chars().collect();
        while self.width_mm(&fitted, look) > width_mm && kept.pop().is_some() {
            fitted = kept.iter().collect::<String>().trim_end().to_owned() + "…";
        }
        self.text(at, &fitted, look);
    }

    /// Width of text in the built-in face.
    pub fn width_mm(&self, text: &str, look: Text) -> f64 {
        text.chars().map(|character| face::advance(character).width).sum::<f64>() * look.size_pt * POINT_MM
    }

    fn text_style(&self, em: f64, look: Text) -> TextStyle<'static> {
        let weight = if look.bold { FontStyle::Bold } else { FontStyle::Normal };
        let font = FontDesc::new(FontFamily::Name(style::FAMILY), em * self.medium.size, weight);
        let font = if look.upwards { font.transform(FontTransform::Rotate270) } else { font };
        // Letters set one by one each begin at their place.
        let across = match look.align {
            _ if self.medium.pixels => HPos::Left,
            Align::Left => HPos::Left,
            Align::Centre => HPos::Center,
            Align::Right => HPos::Right,
        };
        let mut style = TextStyle::from(font).pos(Pos::new(across, VPos::Top));
        style.color = look.colour.to_backend_color();
        style
    }

    fn keep<E: std::fmt::Display>(&mut self, drawn: Result<(), E>) {
        if let (Err(error), None) = (drawn, &self.failure) {
            self.failure = Some(error.to_string());
        }
    }
}

fn units((x, y): Point) -> (i32, i32) {
    ((x * UNITS_PER_MM).round() as i32, (y * UNITS_PER_MM).round() as i32)
}
