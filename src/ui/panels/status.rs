//! The status bar: twin, device, speed, and the last message.

use eframe::egui::{Align, Label, Layout, RichText, TextWrapMode, Ui};

use super::{Panel, Place};
use crate::ui::theme::Palette;
use crate::ui::view::{Action, View, Workspace};
use crate::workbench::{Command, Workbench};

/// One line about the state of everything.
pub struct Status;

impl Panel for Status {
    fn name(&self) -> &'static str {
        "status"
    }

    fn place(&self) -> Place {
        Place::Bottom
    }

    fn ui(&mut self, bench: &Workbench, view: &mut View, ui: &mut Ui) -> Vec<Action> {
        let palette = Palette::of(ui);
        let mut actions = Vec::new();
        ui.horizontal(|ui| {
            match view.workspace {
                Workspace::Twin => twin_ui(bench, ui),
                Workspace::Compare => {
                    twin_ui(bench, ui);
                    ui.separator();
                    let name =
                        bench.recording().map_or_else(|| "No recording".to_owned(), |open| open.session.id.to_string());
                    ui.label(RichText::new(name).small().strong());
                }
                Workspace::Spikes => {
                    let name = bench.spikes().map_or("No session of spikes", |spikes| spikes.session.id.as_str());
                    ui.label(RichText::new(name).small().strong());
                    ui.separator();
                    ui.label(RichText::new(bench.spike_mask().words()).small().color(palette.weak));
                }
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if let Some(part) = bench.movie_progress() {
                    if ui.small_button("Cancel movie").on_hover_text("Stop; nothing of the movie stays").clicked() {
                        actions.push(Command::CancelMovie.into());
                    }
                    ui.label(RichText::new(format!("Writing the movie, {:.0} %", 100.0 * part)).small());
                    ui.separator();
                }
                let (text, colour) = match bench.message() {
                    Some(message) if message.error => (message.text.as_str(), palette.error),
                    Some(message) => (message.text.as_str(), palette.weak),
                    None if bench.is_opening_twin() => ("Opening the twin", palette.weak),
                    None if bench.is_opening_recording() => ("Opening the recording", palette.weak),
                    None if bench.compare_progress().is_some() => ("Comparing", palette.weak),
                    None if bench.is_opening_spikes() => ("Reading the session", palette.weak),
                    None if bench.spike_progress().is_some() => ("Predicting", palette.weak),
                    None if bench.is_running() => ("Running", palette.weak),
                    None => ("Ready", palette.weak),
                };
                ui.add(Label::new(RichText::new(text).small().color(colour)).wrap_mode(TextWrapMode::Truncate));
            });
        });
        actions
    }
}

/// Twin, device and speed.
fn twin_ui(bench: &Workbench, ui: &mut Ui) {
    let palette = Palette::of(ui);
    ui.label(RichText::new(bench.twin_origin()).small().strong()).on_hover_text(&bench.twin().card.note);
    ui.separator();
    let device = bench.device_line().unwrap_or("opening the device");
    let shown = device.split([':', ',']).next().unwrap_or(device);
    ui.label(RichText::new(shown).small().color(palette.weak)).on_hover_text(device);
    ui.separator();
    let speed = match bench.run_progress() {
        Some(progress) => progress.frames_per_sec,
        None => bench.answer().and_then(|answer| answer.frames_per_sec()),
    };
    let speed = speed.map_or("– frames/s".to_owned(), |speed| format!("{speed:.0} frames/s"));
    ui.label(RichText::new(speed).small().color(palette.weak))
        .on_hover_text("Movie frames that the twin watches in a second of computing; 30 is real time");
}
