//! Which twin answers, and on which device.

use eframe::egui::{ComboBox, Label, RichText, TextWrapMode, Ui};

use super::{Panel, Place};
use crate::gpu::DeviceChoice;
use crate::ui::theme::Palette;
use crate::ui::view::{Action, Ask, View};
use crate::ui::widgets::{badge, field};
use crate::workbench::{Command, Workbench};

/// Twin and device.
pub struct Twin;

impl Panel for Twin {
    fn name(&self) -> &'static str {
        "twin"
    }

    fn place(&self) -> Place {
        Place::Left
    }

    fn ui(&mut self, bench: &Workbench, _view: &mut View, ui: &mut Ui) -> Vec<Action> {
        let palette = Palette::of(ui);
        let mut actions = Vec::new();
        badge::title(ui, "Twin");
        let twin = bench.twin();
        ui.label(bench.twin_origin()).on_hover_text(&twin.card.note);
        let facts =
            format!("{} units, {} × {} pixels", twin.units.len(), twin.card.raster.height, twin.card.raster.width);
        ui.label(RichText::new(facts).small().color(palette.weak))
            .on_hover_text("Recorded cells that the twin predicts, and the rows and columns of the movies it watches");
        ui.horizontal(|ui| {
            for (label, tip, action) in [
                ("Open twin…", "A .safetensors file or a .pt file of the published twin", Action::Ask(Ask::OpenTwin)),
                ("Open folder…", "A folder with params_core.pt and scans", Action::Ask(Ask::OpenTwinFolder)),
            ] {
                if ui.button(label).on_hover_text(tip).clicked() {
                    actions.push(action);
                }
            }
            if ui
                .add_enabled(bench.can_use_builtin(), eframe::egui::Button::new("Built-in"))
                .on_hover_text("Back to the twin that ships with twinscope; it learned from simulated mice")
                .clicked()
            {
                actions.push(Command::UseBuiltinTwin.into());
            }
        });
        let mut device = bench.device();
        let words = |device| match device {
            DeviceChoice::Auto => "Automatic",
            DeviceChoice::Cpu => "CPU",
            DeviceChoice::Gpu => "GPU",
        };
        field::row(ui, "Device", "What computes: a graphics card when one works, or the CPU", |ui| {
            ComboBox::from_id_salt("device")
                .selected_text(words(device))
                .show_ui(ui, |ui| {
                    for choice in [DeviceChoice::Auto, DeviceChoice::Cpu, DeviceChoice::Gpu] {
                        ui.selectable_value(&mut device, choice, words(choice));
                    }
                })
                .response
        });
        if device != bench.device() {
            actions.push(Command::SetDevice(device).into());
        }
        let line = bench.device_line().unwrap_or("opening the device");
        let line = RichText::new(line).small().color(palette.weak);
        ui.add(Label::new(line).wrap_mode(TextWrapMode::Truncate)); // the whole line shows under the pointer
        actions
    }
}
