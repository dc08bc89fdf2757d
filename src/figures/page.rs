//! What every figure is: a body with a title above it, and its caption and whose responses these are below.

use super::FigureError;
use super::canvas::{Canvas, Text};
use super::numbers::Series;
use super::plot::{LINE_MM, MARGIN_MM};
use super::style::TITLE_PT;

/// A figure, whatever it is drawn from.
pub trait Page {
    /// Shown above, and written into the file.
    fn title(&self) -> String;
    /// Shown above, in place of the title, where this is one panel of several.
    fn heading(&self) -> String {
        self.title()
    }
    /// Shown below: whose responses these are.
    fn notice(&self) -> String;
    /// Written into the file: how they were computed.
    fn provenance(&self) -> String;
    /// Whether there is something to show.
    fn check(&self) -> Result<(), FigureError>;
    /// Paragraphs below the body: what marks mean, and how many they are over.
    fn caption(&self, width: f64) -> Vec<String>;
    /// Height of the body on a page of this width, mm.
    fn height(&self, width: f64) -> f64;
    /// Draws the body, from the canvas's origin to the page's width and the body's height, mm.
    fn draw(&self, canvas: &mut Canvas, width: f64);
    /// What the marks show on a page of this width, in numbers.
    fn numbers(&self, width: f64) -> Vec<Series>;
    /// Width where no other is asked for, mm.
    fn own_width(&self) -> f64;
}

/// What is written into the file beside the drawing.
#[derive(Debug, Clone)]
pub struct About {
    pub title: String,
    pub description: String,
    pub program: String,
}

impl About {
    pub fn of(page: &dyn Page) -> Self {
        Self {
            title: page.title(),
            description: format!("{}. {}", page.notice(), page.provenance()),
            program: concat!("twinscope ", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// Narrower pages set side by side what they can only stack.
pub const NARROW_MM: f64 = 130.0;

/// Baseline of the title, and from its last line to the body, mm.
const TITLE_MM: f64 = 5.0;
const BELOW_TITLE_MM: f64 = 3.0;
/// From the body to the first line below it, and from the last line to the end of the page, mm.
const ABOVE_CAPTION_MM: f64 = 4.1;
const BELOW_CAPTION_MM: f64 = 2.5;
/// From one line of the title to the next, mm.
const TITLE_LINE_MM: f64 = LINE_MM * TITLE_PT / 7.0;
const TITLE_LINES: usize = 3;

/// A page with everything on it, and its height, mm.
pub fn composed(page: &dyn Page, width: f64) -> (Canvas, f64) {
    let room = width - 2.0 * MARGIN_MM;
    let mut canvas = Canvas::default();
    let title = Text::TITLE.wrapped(&page.title(), room, TITLE_LINES);
    for (line, text) in title.iter().enumerate() {
        canvas.fitted_text((MARGIN_MM, TITLE_MM + TITLE_LINE_MM * line as f64), text, room, Text::TITLE);
    }
    let top = TITLE_MM + TITLE_LINE_MM * title.len().saturating_sub(1) as f64 + BELOW_TITLE_MM;
    canvas.at((0.0, top), |canvas| page.draw(canvas, width));
    let paragraphs = page.caption(width).into_iter().chain([page.notice()]);
    let lines: Vec<String> =
        paragraphs.flat_map(|paragraph| Text::QUIET.wrapped(&paragraph, room, usize::MAX)).collect();
    let first = top + page.height(width) + ABOVE_CAPTION_MM;
    for (line, text) in lines.iter().enumerate() {
        canvas.fitted_text((MARGIN_MM, first + LINE_MM * line as f64), text, room, Text::QUIET);
    }
    (canvas, first + LINE_MM * lines.len().saturating_sub(1) as f64 + BELOW_CAPTION_MM)
}
