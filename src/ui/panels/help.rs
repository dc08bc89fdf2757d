//! The user guide and the about box.

use eframe::egui::{self, Modal, RichText, ScrollArea, Window};

use crate::ui::theme::Palette;
use crate::ui::view::View;
use crate::ui::widgets::markdown;

/// Pages of the user guide: title and text.
const PAGES: [(&str, &str); 8] = [
    ("Getting started", include_str!("../../../assets/help/getting-started.md")),
    ("Stimuli and directions", include_str!("../../../assets/help/stimuli.md")),
    ("Reading the plots", include_str!("../../../assets/help/plots.md")),
    ("Twins and devices", include_str!("../../../assets/help/twins-and-devices.md")),
    ("Recordings and training", include_str!("../../../assets/help/training.md")),
    ("Spikes: MtM", include_str!("../../../assets/help/mtm.md")),
    ("Spikes and masks", include_str!("../../../assets/help/spikes.md")),
    ("Files and keys", include_str!("../../../assets/help/files-and-keys.md")),
];

/// Draws the user guide while it is open.
pub fn help_ui(view: &mut View, ctx: &egui::Context) {
    let Some(mut page) = view.help else { return };
    let mut open = true;
    let room = ctx.content_rect().size();
    Window::new("User guide")
        .open(&mut open)
        .collapsible(false)
        .pivot(egui::Align2::CENTER_CENTER)
        .default_pos(ctx.content_rect().center())
        .default_size([(room.x - 120.0).min(820.0), (room.y - 160.0).min(560.0)])
        .min_size([480.0, 300.0])
        .show(ctx, |ui| {
            ui.horizontal_top(|ui| {
                ui.vertical(|ui| {
                    ui.set_width(170.0);
                    for (index, (title, _)) in PAGES.iter().enumerate() {
                        ui.selectable_value(&mut page, index, *title);
                    }
                });
                ui.separator();
                ui.vertical(|ui| {
                    ScrollArea::vertical().id_salt(page).auto_shrink(false).show(ui, |ui| {
                        ui.set_max_width(620.0);
                        let (_, text) = PAGES.get(page).copied().unwrap_or(PAGES[0]);
                        markdown::show(ui, &markdown::parse(text));
                    });
                });
            });
        });
    view.help = open.then_some(page);
}

/// Draws the about box while it is open.
pub fn about_ui(view: &mut View, ctx: &egui::Context) {
    if !view.about {
        return;
    }
    let modal = Modal::new(egui::Id::unique("about")).show(ctx, |ui| {
        ui.set_width(380.0);
        ui.heading("twinscope");
        ui.label(format!("Version {}", env!("CARGO_PKG_VERSION")));
        ui.label(env!("CARGO_PKG_DESCRIPTION"));
        ui.label("The network follows Wang et al., Nature 640:470 (2025).");
        ui.label("The built-in twin learned from simulated mice; it shows how the program works and says nothing about real cells.");
        let licence = format!("Licence: {}, at your choice", env!("CARGO_PKG_LICENSE").replace(" OR ", " or "));
        ui.label(RichText::new(licence).color(Palette::of(ui).weak));
        ui.button("Close about").clicked()
    });
    if modal.inner || modal.should_close() {
        view.about = false;
    }
}
