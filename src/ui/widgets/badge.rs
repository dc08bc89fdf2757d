//! Short lines that stand beside results: where they come from, what is missing.

use eframe::egui::{Align, Label, Layout, Response, RichText, TextWrapMode, Ui};

use crate::ui::theme::{Palette, TITLE};
use crate::workbench::Workbench;

/// Title of a panel.
pub fn title(ui: &mut Ui, text: &str) -> Response {
    ui.label(RichText::new(text).size(TITLE).strong())
}

/// Small text of lesser weight, in as many lines as it needs.
pub fn weak(ui: &mut Ui, text: impl Into<String>) -> Response {
    let colour = Palette::of(ui).weak;
    ui.add(Label::new(RichText::new(text).small().color(colour)).wrap())
}

/// Small text about what stands in the way.
pub fn caution(ui: &mut Ui, text: impl Into<String>) -> Response {
    let colour = Palette::of(ui).caution;
    ui.add(Label::new(RichText::new(text).small().color(colour)).wrap())
}

/// Head of a panel: its title, then controls at the right end.
pub fn head(ui: &mut Ui, title: &str, controls: impl FnOnce(&mut Ui)) {
    ui.horizontal(|ui| {
        self::title(ui, title);
        ui.with_layout(Layout::right_to_left(Align::Center), controls);
    });
}

/// Which twin gave the shown answers, whether its animal was simulated, and whether the answers are those to the
/// protocol on the screen.
pub fn origin(bench: &Workbench, ui: &mut Ui) {
    let palette = Palette::of(ui);
    let Some(answer) = bench.answer() else { return };
    let mut text = RichText::new(answer.origin()).small().color(palette.weak);
    if bench.is_answer_outdated() {
        let state =
            if bench.is_running() { "previous answer while the new one is computed" } else { "previous answer" };
        text = RichText::new(format!("{} · {state}", answer.origin())).small().color(palette.caution);
    }
    ui.add(Label::new(text).wrap_mode(TextWrapMode::Truncate));
}

/// A direction rounded to whole degrees, 0 to 359.
pub fn whole_degrees(direction_deg: f32) -> f32 {
    direction_deg.round().rem_euclid(360.0)
}

/// What to do so that something appears in an empty panel.
pub fn empty(ui: &mut Ui, text: &str) {
    let palette = Palette::of(ui);
    let height = ui.available_height();
    ui.vertical_centered(|ui| {
        ui.add_space((height * 0.4 - 20.0).clamp(4.0, 120.0));
        ui.label(RichText::new(text).color(palette.weak));
    });
}

/// What an empty panel says before the first answer.
pub fn waiting(bench: &Workbench, ui: &mut Ui) {
    if bench.is_running() {
        empty(ui, "The twin is watching; its answers appear here.");
    } else {
        empty(ui, "Press Run to show the stimulus to the twin.");
    }
}
