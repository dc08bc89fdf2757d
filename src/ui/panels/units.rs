//! The table of units: sortable, one selected.

use eframe::egui::{Align2, Button, FontId, Key, Rect, RichText, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

use super::{Panel, Place};
use crate::ui::order::{self, Order};
use crate::ui::theme::{Palette, ROW_HEIGHT};
use crate::ui::tuned::Tuned;
use crate::ui::view::{Action, SortKey, View};
use crate::ui::widgets::{arrow, badge};
use crate::workbench::{Answer, Command, Workbench};

/// Columns: key, head, tooltip, share of the width, whether large values are the interesting ones.
const COLUMNS: [(SortKey, &str, &str, f32, bool); 5] = [
    (SortKey::Unit, "Unit", "Session-scan · number of the recorded cell", 0.27, false),
    (SortKey::Osi, "gOSI", "Global orientation selectivity: 0 none, 1 a single orientation", 0.17, true),
    (SortKey::Dsi, "gDSI", "Global direction selectivity: 0 none, 1 a single direction", 0.17, true),
    (
        SortKey::Preferred,
        "Pref.",
        "Preferred direction (0° to the right, 90° up), or the value with the strongest response",
        0.19,
        false,
    ),
    (SortKey::Mean, "Mean", "Mean predicted response over the whole movie; 1 is the unit's usual activity", 0.20, true),
];

/// All units of the twin.
#[derive(Default)]
pub struct Units {
    order: Order,
    /// Unit last brought into view, and frames since: the layout needs a few to settle.
    shown: Option<(usize, u8)>,
}

/// Frames of the window in which a newly selected unit is brought into view.
const SETTLING: u8 = 4;

impl Panel for Units {
    fn name(&self) -> &'static str {
        "units"
    }

    fn place(&self) -> Place {
        Place::Right
    }

    fn ui(&mut self, bench: &Workbench, view: &mut View, ui: &mut Ui) -> Vec<Action> {
        let Some(answer) = bench.answer() else {
            badge::head(ui, "Units", |_| ());
            badge::waiting(bench, ui);
            return Vec::new();
        };
        let count = answer.outcome.units.len();
        badge::head(ui, "Units", |ui| {
            ui.label(RichText::new(format!("{count}")).small().color(Palette::of(ui).weak));
        });
        badge::origin(bench, ui);
        head_ui(view, ui);
        let selected = bench.unit();
        let order = self.order.of(answer, view);
        let mut chosen = keyboard(order, selected, ui);
        let frames = self.shown.filter(|(unit, _)| *unit == selected).map_or(0, |(_, frames)| frames);
        let scroll_to = (frames < SETTLING).then(|| order.iter().position(|&unit| unit == selected)).flatten();
        self.shown = Some((selected, (frames + 1).min(SETTLING)));
        if frames < SETTLING {
            ui.ctx().request_repaint();
        }
        let mut area = ScrollArea::vertical().auto_shrink(false);
        if let Some(row) = scroll_to {
            let spacing = ROW_HEIGHT;
            let middle = ui.available_height() / 2.0;
            area = area.vertical_scroll_offset((row as f32 * spacing - middle).max(0.0));
        }
        ui.spacing_mut().item_spacing.y = 0.0;
        area.show_rows(ui, ROW_HEIGHT, order.len(), |ui, rows| {
            for &unit in &order[rows] {
                if row_ui(answer, unit, unit == selected, ui) {
                    chosen = Some(unit);
                    self.shown = Some((unit, SETTLING)); // it is in view already
                }
            }
        });
        chosen.map(|unit| Command::SelectUnit(unit).into()).into_iter().collect()
    }
}

/// Up and Down select the neighbour in the list.
pub(super) fn keyboard(order: &[usize], selected: usize, ui: &Ui) -> Option<usize> {
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

fn head_ui(view: &mut View, ui: &mut Ui) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        ui.spacing_mut().button_padding = vec2(2.0, 2.0);
        let width = ui.available_width() - 12.0;
        for (key, head, tip, share, large_first) in COLUMNS {
            let sorted = view.sort == key;
            let button = Button::new(RichText::new(head).small()).selected(sorted).min_size(vec2(width * share, 20.0));
            let response = ui.add(button).on_hover_text(format!("{tip}. Click to sort."));
            response.widget_info(|| WidgetInfo::selected(Role::Button, true, sorted, format!("Sort by {head}")));
            if sorted {
                let up = if view.descending { -90.0 } else { 90.0 };
                let at = response.rect.right_center() - vec2(8.0, 0.0);
                arrow::triangle(ui.painter(), at, 3.5, up, Palette::of(ui).on_accent);
            }
            if response.clicked() {
                view.descending = if sorted { !view.descending } else { large_first };
                view.sort = key;
            }
        }
    });
}

/// One line; whether it was clicked.
fn row_ui(answer: &Answer, unit: usize, selected: bool, ui: &mut Ui) -> bool {
    let palette = Palette::of(ui);
    let width = ui.available_width();
    let (rect, response) = ui.allocate_exact_size(vec2(width, ROW_HEIGHT), Sense::click());
    let (fill, text) = match (selected, response.hovered()) {
        (true, _) => (palette.accent, palette.on_accent),
        (false, true) => (palette.button_hover, palette.text),
        (false, false) => (eframe::egui::Color32::TRANSPARENT, palette.text),
    };
    ui.painter().rect_filled(rect, 3.0, fill);
    let name = answer.unit_name(unit);
    let columns = width - 12.0;
    let mut left = rect.left();
    for (key, _, _, share, _) in COLUMNS {
        let cell = Rect::from_min_size(pos2(left, rect.top()), vec2(columns * share, ROW_HEIGHT));
        left += columns * share;
        let number = order::value(answer, key, unit);
        let (anchor, at, written) = match key {
            SortKey::Unit => (Align2::LEFT_CENTER, cell.left_center() + vec2(4.0, 0.0), name.clone()),
            SortKey::Preferred => {
                let preferred = Tuned::of(&answer.outcome).and_then(|tuned| tuned.preferred_spoken(unit));
                (Align2::RIGHT_CENTER, cell.right_center(), preferred.unwrap_or_else(|| "–".to_owned()))
            }
            _ => (Align2::RIGHT_CENTER, cell.right_center(), written(number, 2, "")),
        };
        ui.painter().with_clip_rect(cell.expand(2.0)).text(at, anchor, written, FontId::proportional(12.5), text);
    }
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, selected, format!("Unit {name}")));
    response.clicked()
}

fn written(number: Option<f32>, decimals: usize, unit: &str) -> String {
    number.map_or("–".to_owned(), |number| format!("{number:.decimals$}{unit}"))
}
