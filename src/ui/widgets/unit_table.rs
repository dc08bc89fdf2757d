//! Head and rows of a table of units: a click on a head sorts, a click on a row selects.

use eframe::egui::{
    Align2, Button, Color32, FontId, Key, Rect, Response, RichText, Role, Sense, Ui, WidgetInfo, pos2, vec2,
};

use super::arrow;
use crate::ui::theme::{Palette, ROW_HEIGHT};

/// Room at the right for the scroll bar, points.
const SCROLL_BAR: f32 = 12.0;
/// Room before words that stand at the left of their cell, points.
const INDENT: f32 = 4.0;

/// What is shown of each unit, and sorted by.
pub struct Column<K> {
    /// By what it sorts.
    pub key: K,
    /// Its head.
    pub head: &'static str,
    /// What it means.
    pub tip: &'static str,
    /// Share of the width.
    pub share: f32,
    /// Whether large values are the interesting ones: the first click then sorts from large to small.
    pub large_first: bool,
    /// Whether it holds words, at the left of the cell, and not numbers, at the right.
    pub words: bool,
}

/// The heads in a row; a click sorts by that column, or turns the order round where it is sorted by it already.
pub fn head_ui<K: Copy + PartialEq>(columns: &[Column<K>], sort: &mut K, descending: &mut bool, ui: &mut Ui) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        ui.spacing_mut().button_padding = vec2(2.0, 2.0);
        let width = ui.available_width() - SCROLL_BAR;
        for &Column { key, head, tip, share, large_first, .. } in columns {
            let sorted = *sort == key;
            let button = Button::new(RichText::new(head).small()).selected(sorted).min_size(vec2(width * share, 20.0));
            let response = ui.add(button).on_hover_text(format!("{tip}. Click to sort."));
            response.widget_info(|| WidgetInfo::selected(Role::Button, true, sorted, format!("Sort by {head}")));
            if sorted {
                let up = if *descending { -90.0 } else { 90.0 };
                let at = response.rect.right_center() - vec2(6.0, 0.0);
                arrow::triangle(ui.painter(), at, 3.0, up, Palette::of(ui).on_accent);
            }
            if response.clicked() {
                *descending = if sorted { !*descending } else { large_first };
                *sort = key;
            }
        }
    });
}

/// One unit; `cell` writes what stands under a column.
pub fn row_ui<K: Copy>(
    columns: &[Column<K>],
    name: &str,
    selected: bool,
    cell: impl Fn(K) -> String,
    ui: &mut Ui,
) -> Response {
    let palette = Palette::of(ui);
    let width = ui.available_width();
    let (rect, response) = ui.allocate_exact_size(vec2(width, ROW_HEIGHT), Sense::click());
    let (fill, text) = match (selected, response.hovered()) {
        (true, _) => (palette.accent, palette.on_accent),
        (false, true) => (palette.button_hover, palette.text),
        (false, false) => (Color32::TRANSPARENT, palette.text),
    };
    ui.painter().rect_filled(rect, 3.0, fill);
    let mut left = rect.left();
    for column in columns {
        let area = Rect::from_min_size(pos2(left, rect.top()), vec2((width - SCROLL_BAR) * column.share, ROW_HEIGHT));
        left += area.width();
        let (anchor, at) = if column.words {
            (Align2::LEFT_CENTER, area.left_center() + vec2(INDENT, 0.0))
        } else {
            (Align2::RIGHT_CENTER, area.right_center())
        };
        let clipped = ui.painter().with_clip_rect(area.expand(2.0));
        clipped.text(at, anchor, cell(column.key), FontId::proportional(12.5), text);
    }
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, selected, format!("Unit {name}")));
    response
}

/// Up and Down select the neighbour in the list.
pub fn keyboard(order: &[usize], selected: usize, ui: &Ui) -> Option<usize> {
    let taken = ui.memory(|memory| memory.focused().is_some() || memory.top_modal_layer().is_some());
    if ui.ctx().egui_wants_keyboard_input() || taken {
        return None;
    }
    let step =
        ui.input(|input| i32::from(input.key_pressed(Key::ArrowDown)) - i32::from(input.key_pressed(Key::ArrowUp)));
    let row = order.iter().position(|&unit| unit == selected)?;
    let next = row.checked_add_signed(step as isize)?;
    (step != 0).then(|| order.get(next).copied()).flatten()
}
