//! Width of every figure on the page, wherever figures are exported.

use eframe::egui::{ComboBox, Ui};

use crate::figures::Width;
use crate::ui::view::Action;
use crate::ui::widgets::field;
use crate::workbench::{Command, Workbench};

/// A row of a form with the width.
pub fn figure_width_ui(bench: &Workbench, ui: &mut Ui, actions: &mut Vec<Action>) {
    let before = bench.figure_style();
    let mut style = before;
    let name = |width: Option<Width>| match width {
        None => "its own",
        Some(Width::Column) => "89 mm, one column",
        Some(Width::Page) => "183 mm, a page",
    };
    let tip = "Width of every figure on the page; the resolution of a PNG is set in File > Figure settings";
    field::row(ui, "Width", tip, |ui| {
        ComboBox::from_id_salt("figure width")
            .selected_text(name(style.layout.width))
            .show_ui(ui, |ui| {
                for width in [None, Some(Width::Column), Some(Width::Page)] {
                    ui.selectable_value(&mut style.layout.width, width, name(width));
                }
            })
            .response
    });
    if style != before {
        actions.push(Command::SetFigureStyle(style).into());
    }
}
