//! A picture of numbers, one row a unit, with a row selected by a click.

use eframe::egui::{
    Align2, Color32, ColorImage, FontId, Pos2, Rect, Response, Role, Sense, Stroke, TextureHandle, TextureOptions, Ui,
    WidgetInfo, pos2, vec2,
};

use crate::ui::theme::{Palette, SMALL};

/// Widest and highest texture that every graphics card takes, pixels.
const LARGEST_SIDE: usize = 2048;

/// Numbers to be drawn, row-major.
pub struct HeatMap<'a> {
    /// What a screen reader and a test call it.
    pub label: &'a str,
    /// Name of the rows, drawn along the left side.
    pub rows_label: &'a str,
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub columns: usize,
    /// Marks of the column axis: where, as a fraction of the width, and what is written.
    pub marks: &'a [(f32, String)],
    /// Name of the column axis.
    pub columns_label: &'a str,
    /// Where a vertical line is drawn, as a fraction of the width.
    pub playhead: Option<f32>,
    /// Row that is marked.
    pub selected: Option<usize>,
    /// Text at both ends of the colour bar.
    pub scale: [String; 2],
}

/// What the pointer did.
pub struct HeatMapOutput {
    /// Of the picture.
    pub response: Response,
    /// Row and column under the pointer.
    pub hovered: Option<(usize, usize)>,
}

/// The picture of `value(row, column)`, each 0..=1, with columns and rows averaged where there are more than a
/// texture holds.
pub fn image(rows: usize, columns: usize, value: impl Fn(usize, usize) -> f32) -> ColorImage {
    let (height, width) = (rows.clamp(1, LARGEST_SIDE), columns.clamp(1, LARGEST_SIDE));
    let mut pixels = Vec::with_capacity(width * height);
    for y in 0..height {
        let in_row = y * rows / height..((y + 1) * rows / height).max(y * rows / height + 1).min(rows);
        for x in 0..width {
            let in_column = x * columns / width..((x + 1) * columns / width).max(x * columns / width + 1).min(columns);
            let (mut sum, mut count) = (0.0, 0);
            for row in in_row.clone() {
                for column in in_column.clone() {
                    sum += value(row, column);
                    count += 1;
                }
            }
            pixels.push(Palette::heat(if count == 0 { 0.0 } else { sum / count as f32 }));
        }
    }
    ColorImage::new([width, height], pixels)
}

/// How a heat map is put on the screen: hard edges while a cell is larger than a pixel.
pub const TEXTURE: TextureOptions = TextureOptions::NEAREST;

impl HeatMap<'_> {
    /// Fills the space that is left.
    pub fn ui(&self, ui: &mut Ui, texture: &TextureHandle) -> HeatMapOutput {
        let palette = Palette::of(ui);
        let font = FontId::proportional(SMALL);
        let (outer, response) = ui.allocate_exact_size(ui.available_size().max(vec2(80.0, 60.0)), Sense::click());
        let picture = Rect::from_min_max(outer.min + vec2(22.0, 2.0), outer.max - vec2(46.0, 32.0));
        let painter = ui.painter_at(outer);
        painter.image(texture.id(), picture, Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0)), Color32::WHITE);
        painter.rect_stroke(picture, 0.0, Stroke::new(1.0, palette.line), eframe::egui::StrokeKind::Outside);

        for (at, text) in self.marks {
            let x = picture.left() + at * picture.width();
            painter.line_segment([pos2(x, picture.bottom()), pos2(x, picture.bottom() + 3.0)], (1.0, palette.weak));
            painter.text(pos2(x, picture.bottom() + 3.0), Align2::CENTER_TOP, text, font.clone(), palette.weak);
        }
        let below = pos2(picture.center().x, outer.bottom());
        painter.text(below, Align2::CENTER_BOTTOM, self.columns_label, font.clone(), palette.weak);
        let galley = painter.layout_no_wrap(self.rows_label.to_owned(), font.clone(), palette.weak);
        let corner = pos2(outer.left() + 2.0, picture.center().y + galley.size().x / 2.0);
        painter.add(
            eframe::egui::epaint::TextShape::new(corner, galley, palette.weak).with_angle(-std::f32::consts::FRAC_PI_2),
        );

        if let Some(at) = self.playhead {
            let x = picture.left() + at * picture.width();
            painter.line_segment([pos2(x, picture.top()), pos2(x, picture.bottom())], (1.5, palette.playhead));
        }
        if let Some(row) = self.selected {
            let height = picture.height() / self.rows.max(1) as f32;
            let y = picture.top() + (row as f32 + 0.5) * height;
            let half = (height / 2.0).max(1.5);
            let band = Rect::from_min_max(pos2(picture.left(), y - half), pos2(picture.right(), y + half));
            painter.rect_stroke(band, 0.0, Stroke::new(1.0, Color32::WHITE), eframe::egui::StrokeKind::Outside);
            let tip = pos2(picture.left() - 1.0, y);
            painter.add(eframe::egui::Shape::convex_polygon(
                vec![tip, tip + vec2(-6.0, -4.0), tip + vec2(-6.0, 4.0)],
                palette.accent,
                Stroke::NONE,
            ));
        }
        self.scale_bar(&painter, picture, &palette);

        let label = self.label;
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, label));
        let hovered = response.hover_pos().filter(|at| picture.contains(*at)).map(|at| {
            let part = (at - picture.min) / picture.size();
            let cell = |part: f32, count: usize| ((part * count as f32) as usize).min(count.saturating_sub(1));
            (cell(part.y, self.rows), cell(part.x, self.columns))
        });
        HeatMapOutput { response, hovered }
    }

    fn scale_bar(&self, painter: &eframe::egui::Painter, picture: Rect, palette: &Palette) {
        let bar = Rect::from_min_max(
            pos2(picture.right() + 8.0, picture.top() + 14.0),
            pos2(picture.right() + 18.0, (picture.bottom() - 14.0).max(picture.top() + 16.0)),
        );
        let steps = 32;
        for step in 0..steps {
            let (low, high) = (step as f32 / steps as f32, (step + 1) as f32 / steps as f32);
            let part = Rect::from_min_max(
                pos2(bar.left(), bar.bottom() - high * bar.height()),
                pos2(bar.right(), bar.bottom() - low * bar.height()),
            );
            painter.rect_filled(part, 0.0, Palette::heat(low));
        }
        let font = FontId::proportional(SMALL);
        let x = picture.right() + 4.0;
        painter.text(pos2(x, bar.top() - 1.0), Align2::LEFT_BOTTOM, &self.scale[1], font.clone(), palette.weak);
        painter.text(pos2(x, bar.bottom() + 1.0), Align2::LEFT_TOP, &self.scale[0], font, palette.weak);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_movie_is_averaged_into_the_largest_texture() {
        let picture = image(3, 10_000, |_, column| if column < 5_000 { 0.0 } else { 1.0 });
        assert_eq!(picture.size, [LARGEST_SIDE, 3]);
        assert_eq!(picture.pixels[0], Palette::heat(0.0));
        assert_eq!(picture.pixels[LARGEST_SIDE - 1], Palette::heat(1.0));
    }

    #[test]
    fn nothing_to_draw_is_still_a_picture() {
        assert_eq!(image(0, 0, |_, _| 1.0).size, [1, 1]);
    }
}
