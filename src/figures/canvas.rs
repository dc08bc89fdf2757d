//! Lines, areas and text in millimetres from the top left corner, kept as a list of marks: every format draws the same.

use plotters::style::RGBColor;

use super::face;
use super::style::{self, POINT_MM};

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

    /// Width of text in the built-in face, mm.
    pub fn width_mm(self, text: &str) -> f64 {
        text.chars().map(|character| face::advance(character).width).sum::<f64>() * self.size_pt * POINT_MM
    }

    /// Whether text has so much room. A program that shows an SVG has a bold face of its own, which is wider.
    fn fits(self, text: &str, room_mm: f64) -> bool {
        self.width_mm(text) * if self.bold { 1.1 } else { 1.0 } <= room_mm + 1e-6
    }

    /// Text shortened with … to a width.
    pub fn fitted(self, text: &str, room_mm: f64) -> String {
        let mut fitted = text.to_owned();
        let mut kept: Vec<char> = text.chars().collect();
        while !self.fits(&fitted, room_mm) && kept.pop().is_some() {
            fitted = kept.iter().collect::<String>().trim_end().to_owned() + "…";
        }
        fitted
    }

    /// Text on at most so many lines, broken at spaces; what does not fit is left to the last one.
    pub fn wrapped(self, text: &str, room_mm: f64, most: usize) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for word in text.split_whitespace() {
            let joined = lines.last().map(|line| format!("{line} {word}"));
            match (joined, lines.last_mut()) {
                (Some(joined), Some(last)) if self.fits(&joined, room_mm) => *last = joined,
                _ => lines.push(word.to_owned()),
            }
        }
        while lines.len() > most {
            let last = lines.pop().unwrap_or_default();
            if let Some(line) = lines.last_mut() {
                *line = format!("{line} {last}");
            }
        }
        lines
    }
}

/// Height of capitals and digits of normal text, mm; what text is centred by.
pub const CAPITALS_MM: f64 = 0.693 * style::TEXT_PT * POINT_MM;

/// One thing that is drawn; all numbers are finite.
#[derive(Debug, Clone)]
pub enum Mark {
    /// A line through points, with round ends.
    Line { points: Vec<Point>, width_pt: f64, colour: RGBColor },
    /// A filled polygon.
    Polygon { points: Vec<Point>, colour: RGBColor, alpha: f64 },
    /// A filled rectangle.
    Rectangle { area: Area, colour: RGBColor },
    /// A filled circle.
    Dot { centre: Point, radius_mm: f64, colour: RGBColor, alpha: f64 },
    /// Text on one line, at a position on its baseline.
    Text { at: Point, text: String, look: Text },
}

/// What is drawn, from back to front. A mark at a place that is no number is left out.
#[derive(Debug, Default)]
pub struct Canvas {
    marks: Vec<Mark>,
    origin: Point,
}

impl Canvas {
    /// From back to front.
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// Draws something with its own origin at a position.
    pub fn at(&mut self, origin: Point, draw: impl FnOnce(&mut Self)) {
        let before = self.origin;
        self.origin = (before.0 + origin.0, before.1 + origin.1);
        draw(self);
        self.origin = before;
    }

    fn place(&self, (x, y): Point) -> Point {
        (self.origin.0 + x, self.origin.1 + y)
    }

    fn places(&self, points: &[Point]) -> Option<Vec<Point>> {
        let finite = points.iter().all(|(x, y)| x.is_finite() && y.is_finite());
        finite.then(|| points.iter().map(|&point| self.place(point)).collect())
    }

    /// A line through points.
    pub fn line(&mut self, points: &[Point], width_pt: f64, colour: RGBColor) {
        if points.len() < 2 {
            return;
        }
        if let Some(points) = self.places(points) {
            self.marks.push(Mark::Line { points, width_pt, colour });
        }
    }

    /// A filled polygon.
    pub fn polygon(&mut self, points: &[Point], colour: RGBColor, alpha: f64) {
        if let Some(points) = self.places(points) {
            self.marks.push(Mark::Polygon { points, colour, alpha });
        }
    }

    /// A filled rectangle.
    pub fn rectangle(&mut self, area: Area, colour: RGBColor) {
        if let Some(ends) = self.places(&[(area.left, area.top), (area.right, area.bottom)]) {
            let area = Area::new(ends[0].0, ends[0].1, ends[1].0, ends[1].1);
            self.marks.push(Mark::Rectangle { area, colour });
        }
    }

    /// A filled circle.
    pub fn dot(&mut self, centre: Point, radius_mm: f64, colour: RGBColor, alpha: f64) {
        if let Some(places) = self.places(&[centre]) {
            self.marks.push(Mark::Dot { centre: places[0], radius_mm, colour, alpha });
        }
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
        if let (Some(places), false) = (self.places(&[at]), text.trim().is_empty()) {
            self.marks.push(Mark::Text { at: places[0], text, look });
        }
    }

    /// Text shortened with … to a width.
    pub fn fitted_text(&mut self, at: Point, text: &str, room_mm: f64, look: Text) {
        self.text(at, &look.fitted(text, room_mm), look);
    }
}
