//! Composing a sheet: which figures of the present results stand on one page, and in which order.

use eframe::egui::{
    Align, Button, Context, Id, Key, Layout, Modal, Modifiers, Response, RichText, Role, ScrollArea, TextWrapMode, Ui,
    UiBuilder, WidgetInfo, vec2,
};

use super::figure_width::figure_width_ui;
use crate::figures::Sheet;
use crate::ui::theme::Palette;
use crate::ui::view::{Action, Ask, View};
use crate::ui::widgets::badge;
use crate::workbench::{Command, SheetOf, SheetRow, Workbench};

/// Width of the dialog, points.
const WIDTH: f32 = 480.0;
/// Most of its height that the list takes, points; a longer one scrolls.
const LIST_HEIGHT: f32 = 320.0;
/// Room for a letter, points.
const LETTER_WIDTH: f32 = 18.0;
/// Room for the buttons of a row, points.
const BUTTONS_WIDTH: f32 = 112.0;

/// What the user asks of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Choose(bool),
    Up,
    Down,
}

/// Draws the dialog; `fresh` in the first frame of it.
pub fn compose_ui(bench: &Workbench, view: &mut View, of: SheetOf, fresh: bool, ctx: &Context) -> Vec<Action> {
    let mut actions = Vec::new();
    let figures = bench.sheet_figures(of);
    let rows = bench.sheet_order(of).rows(&figures);
    let refusal = refusal(&rows);
    let modal = Modal::new(Id::unique("compose sheet")).show(ctx, |ui| {
        ui.set_width(WIDTH);
        ui.heading("Compose sheet");
        badge::weak(ui, "The ticked figures are set on one page, as panels A, B, C … in this order.");
        ui.separator();
        let asked = ScrollArea::vertical()
            .id_salt("figures of the sheet")
            .max_height(LIST_HEIGHT)
            .show(ui, |ui| {
                let mut asked = None;
                for (place, row) in rows.iter().enumerate() {
                    let row_asked = row_ui(row, (place, rows.len()), fresh && place == 0, ui);
                    asked = asked.or(row_asked.map(|what| (row.name, what)));
                }
                asked
            })
            .inner;
        if let Some((name, what)) = asked {
            let mut order = bench.sheet_order(of).clone();
            match what {
                Asked::Choose(chosen) => order.choose(name, chosen, &figures),
                Asked::Up => order.shift(name, false, &figures),
                Asked::Down => order.shift(name, true, &figures),
            }
            actions.push(Command::ComposeSheet(of, order).into());
        }
        ui.separator();
        figure_width_ui(bench, ui, &mut actions);
        let dpi = bench.figure_style().layout.dpi;
        let text = "Without a width the page is 183 mm wide. The ending of the file's name decides";
        badge::weak(ui, format!("{text} between PNG ({dpi} dpi), SVG and PDF."));
        if let Some(why) = &refusal {
            badge::caution(ui, why);
        }
        let mut close = false;
        ui.horizontal(|ui| {
            let tip = "Write this sheet as PNG, SVG or PDF, with its numbers as CSV beside it";
            let export = ui.add_enabled(refusal.is_none(), Button::new("Export sheet…"));
            let export = export.on_hover_text(tip).on_disabled_hover_text(refusal.as_deref().unwrap_or_default());
            if export.clicked() {
                actions.push(Action::Ask(Ask::ExportSheet(of)));
                close = true;
            }
            let tip = "Write nothing; figures and order are remembered (Esc)";
            close |= ui.button("Close").on_hover_text(tip).clicked();
        });
        close
    });
    if modal.inner || modal.should_close() {
        view.dialog = None;
    }
    actions
}

/// Why such a sheet cannot be written.
fn refusal(rows: &[SheetRow<'_>]) -> Option<String> {
    let (chosen, most) = (rows.iter().filter(|row| row.chosen).count(), Sheet::LETTERS.len());
    match chosen {
        _ if rows.is_empty() => Some("There is no result yet that a figure could show.".to_owned()),
        0 => Some("Nothing is chosen: tick at least one figure.".to_owned()),
        _ if chosen > most => Some(format!("{chosen} figures are ticked, but letters suffice for {most}.")),
        _ => None,
    }
}

/// A figure with its letter; `place` of how many, and whether the keyboard begins here.
fn row_ui(row: &SheetRow<'_>, (place, count): (usize, usize), begin: bool, ui: &mut Ui) -> Option<Asked> {
    // A row is the same wherever it moves to: the keyboard stays with it.
    let scope = UiBuilder::new().scope_id(Id::unique(("figure of a sheet", row.name)));
    ui.scope_builder(scope, |ui| ui.horizontal(|ui| cells_ui(row, (place, count), begin, ui)).inner).inner
}

fn cells_ui(row: &SheetRow<'_>, (place, count): (usize, usize), begin: bool, ui: &mut Ui) -> Option<Asked> {
    let SheetRow { label, chosen, letter, .. } = *row;
    let height = ui.spacing().interact_size.y;
    let (left, accent) = (Layout::left_to_right(Align::Center), Palette::of(ui).accent);
    ui.allocate_ui_with_layout(vec2(LETTER_WIDTH, height), left, |ui| {
        ui.set_min_width(LETTER_WIDTH);
        if let Some(letter) = letter {
            ui.label(RichText::new(letter).strong().color(accent)).on_hover_text("Letter of this panel on the page");
        }
    });
    let mut ticked = chosen;
    let room = (ui.available_width() - BUTTONS_WIDTH).max(60.0);
    let tick = ui.allocate_ui_with_layout(vec2(room, height), left, |ui| {
        ui.set_min_width(room);
        ui.style_mut().wrap_mode = Some(TextWrapMode::Truncate);
        ui.checkbox(&mut ticked, label).on_hover_text(format!("{label}. Alt+Up and Alt+Down move it."))
    });
    let tick = tick.inner;
    if begin {
        tick.request_focus();
    }
    let up = move_ui("Up", place > 0, &format!("Move {label} up"), ui);
    let down = move_ui("Down", place + 1 < count, &format!("Move {label} down"), ui);
    let here = tick.has_focus() || up.has_focus() || down.has_focus();
    let pressed = |key| here && ui.input_mut(|input| input.consume_key(Modifiers::ALT, key));
    let (raised, lowered) = (up.clicked() || pressed(Key::ArrowUp), down.clicked() || pressed(Key::ArrowDown));
    if (raised && place == 1 && up.has_focus()) || (lowered && place + 2 == count && down.has_focus()) {
        tick.request_focus(); // the button has nothing more to do
    }
    if here && (raised || lowered) {
        let step = (tick.rect.height() + ui.spacing().item_spacing.y) * if lowered { 1.0 } else { -1.0 };
        ui.scroll_to_rect(tick.rect.translate(vec2(0.0, step)), None); // where it will be
    }
    match (ticked != chosen, raised, lowered) {
        (true, ..) => Some(Asked::Choose(ticked)),
        (_, true, _) => Some(Asked::Up),
        (.., true) => Some(Asked::Down),
        _ => None,
    }
}

/// A button that moves a row; `name` says which one.
fn move_ui(text: &str, enabled: bool, name: &str, ui: &mut Ui) -> Response {
    let response = ui.add_enabled(enabled, Button::new(text).small());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, name));
    response.on_hover_text(format!("{name} (Alt+{text})"))
}
