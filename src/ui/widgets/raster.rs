//! Activity of neurons over a trial, with what is hidden marked, and rectangles drawn on it with the pointer.

use std::ops::Range;

use eframe::egui::{
    Align2, Color32, ColorImage, FontId, Painter, Pos2, Rect, Response, Role, Sense, Stroke, StrokeKind, TextureHandle,
    Ui, WidgetInfo, epaint::TextShape, pos2, vec2,
};

use super::heat_map;
use crate::ui::theme::{Palette, SMALL};

/// Room for the names of the regions and of the axis, points.
const LEFT: f32 = 66.0;
const BOTTOM: f32 = 34.0;
const RIGHT: f32 = 46.0;
/// Lowest band of a region whose name is written, points.
const LOWEST_NAME: f32 = 11.0;

/// A picture of neurons (rows) by bins (columns).
pub struct Raster<'a> {
    /// What a screen reader and a test call it.
    pub label: &'a str,
    /// Number of neurons and of bins.
    pub size: [usize; 2],
    /// Start and end of the trial, seconds after the event.
    pub secs: [f64; 2],
    /// Regions from top to bottom: name and rows.
    pub regions: &'a [(&'a str, Range<usize>)],
    /// Text at both ends of the colour bar, and what it measures.
    pub scale: [String; 2],
    /// Rows and columns that are being drawn, and whether they would be hidden.
    pub drawn: Option<([Range<usize>; 2], bool)>,
    /// Row that is marked, as the one under the pointer in the other picture.
    pub marked: Option<usize>,
}

/// What the pointer does.
pub struct RasterOutput {
    /// Of the whole widget.
    pub response: Response,
    /// Row and column under the pointer.
    pub hovered: Option<[usize; 2]>,
    /// Row and column where the drag began and where it is.
    pub dragged: Option<[[usize; 2]; 2]>,
}

/// The picture of `value(row, column)`, each 0..=1, in a second colour where it is hidden.
pub fn image(
    size: [usize; 2],
    value: impl Fn(usize, usize) -> f32,
    hidden: impl Fn(usize, usize) -> bool,
) -> ColorImage {
    let mut picture = heat_map::image(size[0], size[1], value);
    let [width, height] = picture.size;
    for (at, pixel) in picture.pixels.iter_mut().enumerate() {
        let (row, column) = (at / width * size[0] / height, at % width * size[1] / width);
        if row < size[0] && column < size[1] && hidden(row, column) {
            *pixel = tinted(*pixel);
        }
    }
    picture
}

/// The colour of a hidden place: the same lightness in red, so that activity still shows.
fn tinted(colour: Color32) -> Color32 {
    let light = (u16::from(colour.r()) + 2 * u16::from(colour.g()) + u16::from(colour.b())) / 4;
    let mix = |to: u16| ((light * 2 + to) / 3).min(255) as u8;
    Color32::from_rgb(mix(255), mix(70), mix(110))
}

impl Raster<'_> {
    /// Fills a part of the window.
    pub fn ui(&self, ui: &mut Ui, size: [f32; 2], texture: &TextureHandle) -> RasterOutput {
        let palette = Palette::of(ui);
        let (outer, response) =
            ui.allocate_exact_size(vec2(size[0], size[1]).max(vec2(140.0, 90.0)), Sense::click_and_drag());
        let picture = Rect::from_min_max(outer.min + vec2(LEFT, 4.0), outer.max - vec2(RIGHT, BOTTOM));
        let painter = ui.painter_at(outer);
        painter.image(texture.id(), picture, Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0)), Color32::WHITE);
        painter.rect_stroke(picture, 0.0, Stroke::new(1.0, palette.line), StrokeKind::Outside);
        self.regions_ui(&painter, outer, picture, &palette);
        self.time_ui(&painter, outer, picture, &palette);
        self.scale_ui(&painter, picture, &palette);
        if let Some((range, hides)) = &self.drawn {
            let colour = if *hides { palette.error } else { palette.playhead };
            let area = self.area(picture, range);
            painter.rect_filled(area, 0.0, colour.gamma_multiply(0.25));
            painter.rect_stroke(area, 0.0, Stroke::new(1.5, colour), StrokeKind::Outside);
        }
        if let Some(row) = self.marked {
            let area = self.area(picture, &[row..row + 1, 0..self.size[1]]);
            let y = area.center().y;
            for x in [picture.left() - 5.0, picture.right() + 1.0] {
                painter.line_segment([pos2(x, y), pos2(x + 4.0, y)], (2.0, palette.accent));
            }
        }
        let label = self.label;
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, label));
        let cell = |at: Pos2| {
            let part = (at - picture.min) / picture.size();
            let cell = |part: f32, count: usize| ((part.max(0.0) * count as f32) as usize).min(count.saturating_sub(1));
            [cell(part.y, self.size[0]), cell(part.x, self.size[1])]
        };
        let hovered = response.hover_pos().filter(|at| picture.contains(*at)).map(cell);
        let origin = ui.input(|input| input.pointer.press_origin());
        let dragging = response.dragged() || response.drag_stopped() || response.clicked();
        let dragged = match (origin, response.interact_pointer_pos()) {
            (Some(from), Some(to)) if dragging && picture.expand(3.0).contains(from) => Some([cell(from), cell(to)]),
            // On release the origin is gone, but a click has no extent.
            (None, Some(to)) if response.clicked() && picture.contains(to) => Some([cell(to); 2]),
            _ => None,
        };
        RasterOutput { response, hovered, dragged }
    }

    fn area(&self, picture: Rect, [rows, columns]: &[Range<usize>; 2]) -> Rect {
        let x = |column: usize| picture.left() + column as f32 / self.size[1].max(1) as f32 * picture.width();
        let y = |row: usize| picture.top() + row as f32 / self.size[0].max(1) as f32 * picture.height();
        Rect::from_min_max(pos2(x(columns.start), y(rows.start)), pos2(x(columns.end), y(rows.end)))
    }

    fn regions_ui(&self, painter: &Painter, outer: Rect, picture: Rect, palette: &Palette) {
        let font = FontId::proportional(SMALL);
        for (index, (name, rows)) in self.regions.iter().enumerate() {
            let band = self.area(picture, &[rows.clone(), 0..self.size[1]]);
            if index > 0 {
                painter.line_segment([band.left_top() - vec2(6.0, 0.0), band.right_top()], (1.0, palette.line));
            }
            // The name of the one region there is tells nothing.
            if self.regions.len() > 1 && band.height() >= LOWEST_NAME {
                let short = match name.char_indices().nth(6) {
                    Some(_) => name.chars().take(5).chain(['…']).collect(),
                    None => (*name).to_owned(),
                };
                let at = pos2(picture.left() - 8.0, band.center().y);
                painter.text(at, Align2::RIGHT_CENTER, short, font.clone(), palette.weak);
            }
        }
        let galley = painter.layout_no_wrap(format!("{} neurons", self.size[0]), font, palette.weak);
        let corner = pos2(outer.left() + 1.0, picture.center().y + galley.size().x / 2.0);
        painter.add(TextShape::new(corner, galley, palette.weak).with_angle(-std::f32::consts::FRAC_PI_2));
    }

    fn time_ui(&self, painter: &Painter, outer: Rect, picture: Rect, palette: &Palette) {
        let font = FontId::proportional(SMALL);
        let [from, to] = self.secs;
        let x = |secs: f64| picture.left() + ((secs - from) / (to - from).max(1e-9)) as f32 * picture.width();
        if from < 0.0 && to > 0.0 {
            let line = [pos2(x(0.0), picture.top()), pos2(x(0.0), picture.bottom())];
            painter.line_segment(line, (1.0, Color32::WHITE.gamma_multiply(0.6)));
        }
        let most = f64::from((picture.width() / 45.0).max(2.0));
        let steps = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0];
        let step = steps.into_iter().find(|step| (to - from) / step <= most).unwrap_or(to - from);
        let mut mark = (from / step - 1e-9).ceil();
        while mark * step <= to + 1e-9 * step {
            let at = x(mark * step);
            painter.line_segment([pos2(at, picture.bottom()), pos2(at, picture.bottom() + 3.0)], (1.0, palette.weak));
            let text = format!("{}", (mark * step * 1000.0).round() / 1000.0 + 0.0); // no -0
            painter.text(pos2(at, picture.bottom() + 3.0), Align2::CENTER_TOP, text, font.clone(), palette.weak);
            mark += 1.0;
        }
        let below = pos2(picture.center().x, outer.bottom());
        painter.text(below, Align2::CENTER_BOTTOM, "Time after the event (s)", font, palette.weak);
    }

    fn scale_ui(&self, painter: &Painter, picture: Rect, palette: &Palette) {
        let bar = Rect::from_min_max(
            pos2(picture.right() + 8.0, picture.top() + 14.0),
            pos2(picture.right() + 18.0, (picture.bottom() - 14.0).max(picture.top() + 16.0)),
        );
        let steps = 32;
        for step in 0..steps {
            let part = |step: i32| bar.bottom() - step as f32 / steps as f32 * bar.height();
            let area = Rect::from_min_max(pos2(bar.left(), part(step + 1)), pos2(bar.right(), part(step)));
            painter.rect_filled(area, 0.0, Palette::heat(step as f32 / steps as f32));
        }
        let font = FontId::proportional(SMALL);
        let x = picture.right() + 4.0;
        painter.text(pos2(x, bar.top() - 1.0), Align2::LEFT_BOTTOM, &self.scale[1], font.clone(), palette.weak);
        painter.text(pos2(x, bar.bottom() + 1.0), Align2::LEFT_TOP, &self.scale[0], font, palette.weak);
    }
}
