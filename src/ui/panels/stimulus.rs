//! What is shown: the parts of the experiment, and of one of them the kind of stimulus, its parameters in their units,
//! and what is done to it.

use eframe::egui::{CollapsingHeader, ComboBox, RichText, Ui};

use super::{Panel, Place};
use crate::experiment::Protocol;
use crate::experiment::protocol::{DIRECTION, Steps, Sweep, Values};
use crate::stimulus::{Stimulus, StimulusKind};
use crate::ui::theme::Palette;
use crate::ui::view::{Action, Ask, View};
use crate::ui::widgets::parameter::{kind_ui, parameter_ui};
use crate::ui::widgets::{badge, field, modifiers};
use crate::workbench::{Command, Workbench};

/// Kind, parameters and modifiers.
#[derive(Default)]
pub struct StimulusPanel {
    /// Kinds that were left, as they were left: coming back finds them unchanged.
    left: Vec<(Stimulus, Sweep)>,
}

impl Panel for StimulusPanel {
    fn name(&self) -> &'static str {
        "stimulus"
    }

    fn place(&self) -> Place {
        Place::Left
    }

    fn ui(&mut self, bench: &Workbench, view: &mut View, ui: &mut Ui) -> Vec<Action> {
        let mut actions = Vec::new();
        let mut protocol = bench.protocol().clone();
        head_ui(bench, &mut protocol, ui, &mut actions);
        parts_ui(&mut protocol, view, ui);
        let part = view.part;
        self.kind_ui(&mut protocol, part, ui, &mut actions);
        if let Some(shown) = protocol.part(part)
            && let Some(path) = shown.stimulus.path()
        {
            file_ui(path, shown.stimulus.kind() == StimulusKind::Clip, ui, &mut actions);
            if let Some(facts) = bench.clip_facts(path) {
                let text = RichText::new(facts).small().color(Palette::of(ui).weak);
                ui.add(eframe::egui::Label::new(text).wrap());
            }
        }
        let sweep = protocol.part(part).map(|part| part.sweep.clone()).unwrap_or_default();
        if let Some(shown) = protocol.part_mut(part) {
            for field in shown.stimulus.fields().iter().filter(|field| !sweep.contains(field.key)) {
                let Some(mut value) = shown.stimulus.get(field.key) else { continue };
                let before = value;
                parameter_ui(field, &mut value, ui);
                if value != before {
                    shown.stimulus.set(field.key, value);
                }
            }
            let count = shown.modify.len();
            let title = if count == 0 { "Modifiers".to_owned() } else { format!("Modifiers ({count})") };
            CollapsingHeader::new(title).id_salt("modifiers").show(ui, |ui| {
                modifiers::modifiers_ui(shown.modify, |key| sweep.contains(key), ui);
            });
        }
        drop_unknown(&mut protocol, part);
        if protocol != *bench.protocol() {
            actions.push(Command::Edit(Box::new(protocol)).into());
        }
        actions
    }
}

/// What was swept of a modifier that is gone varies no longer.
fn drop_unknown(protocol: &mut Protocol, part: usize) {
    if let Some(part) = protocol.part_mut(part) {
        part.sweep.retain_known(part.stimulus, part.modify);
    }
}

/// Title of the panel, the file of the protocol, and its title.
fn head_ui(bench: &Workbench, protocol: &mut Protocol, ui: &mut Ui, actions: &mut Vec<Action>) {
    badge::head(ui, "Protocol", |ui| {
        if bench.is_edited() {
            let colour = Palette::of(ui).caution;
            ui.add_space(6.0); // beside the scroll bar
            ui.label(RichText::new("not saved").small().color(colour))
                .on_hover_text("Kept for the next start; save it to have it in a file");
        }
    });
    ui.horizontal(|ui| {
        let (save, save_tip) = match bench.protocol_path() {
            Some(path) => {
                ("Save protocol", format!("Write this protocol to {} (Ctrl+S); elsewhere: File menu", path.display()))
            }
            None => ("Save protocol…", "Write this protocol to a file (Ctrl+S)".to_owned()),
        };
        for (label, tip, action) in [
            ("Open protocol…", "Read a protocol file (Ctrl+O)".to_owned(), Action::Ask(Ask::OpenProtocol)),
            (save, save_tip, super::save(bench)),
        ] {
            if ui.button(label).on_hover_text(tip).clicked() {
                actions.push(action);
            }
        }
        ui.menu_button("Presets", |ui| super::presets_ui(ui, actions))
            .response
            .on_hover_text("Experiments of the field, ready to run");
    });
    field::row(ui, "Title", "Stands above exported figures", |ui| ui.text_edit_singleline(&mut protocol.title));
}

/// Which part of the experiment is edited; parts are added and removed here.
fn parts_ui(protocol: &mut Protocol, view: &mut View, ui: &mut Ui) {
    let count = protocol.parts().len();
    view.part = view.part.min(count - 1);
    field::row(
        ui,
        "Part",
        "An experiment may mix several stimuli, each with its own sweep, in one random order",
        |ui| {
            ui.horizontal(|ui| {
                let label = |index: usize| {
                    let name = protocol.part(index).map_or("", |part| part.label());
                    format!("{} of {count}: {name}", index + 1)
                };
                let mut chosen = view.part;
                let combo = ComboBox::from_id_salt("part")
                    .selected_text(label(view.part))
                    .width((ui.available_width() - 92.0).max(60.0))
                    .truncate()
                    .show_ui(ui, |ui| {
                        for index in 0..count {
                            ui.selectable_value(&mut chosen, index, label(index));
                        }
                    })
                    .response;
                view.part = chosen;
                if ui.small_button("+").on_hover_text("Add a part: another stimulus in the same experiment").clicked() {
                    let copy = protocol.part(view.part).map(|part| part.stimulus.clone());
                    if let Some(stimulus) = copy {
                        protocol.also.push(crate::experiment::protocol::Part::new(stimulus));
                        view.part = count;
                    }
                }
                let removable = view.part > 0;
                let tip =
                    if removable { "Remove this part" } else { "The first part stays; choose another kind for it" };
                if ui.add_enabled(removable, eframe::egui::Button::new("−").small()).on_hover_text(tip).clicked() {
                    protocol.also.remove(view.part - 1);
                    view.part -= 1;
                }
                combo
            })
            .inner
        },
    );
}

impl StimulusPanel {
    /// The kinds under their headings.
    fn kind_ui(&mut self, protocol: &mut Protocol, part: usize, ui: &mut Ui, actions: &mut Vec<Action>) {
        let Some(kind) = protocol.part(part).map(|part| part.stimulus.kind()) else { return };
        let chosen = kind_ui(kind, false, ui);
        if chosen == kind {
            return;
        }
        let Some(from) = protocol.part(part) else { return };
        let (stimulus, sweep) = self.switch(from.stimulus, from.sweep, chosen);
        match stimulus.path() {
            // Nothing to show before a file is named.
            Some(path) if path.as_os_str().is_empty() && part == 0 => {
                let folder = chosen != StimulusKind::Clip;
                actions.push(Action::Ask(if folder { Ask::OpenImages } else { Ask::OpenClip }));
            }
            _ if part == 0 => protocol.show_instead(stimulus, sweep),
            _ => {
                if let Some(part) = protocol.part_mut(part) {
                    (*part.stimulus, *part.sweep) = (stimulus, sweep);
                }
            }
        }
    }

    /// Another kind: as it was left, or its default, in the direction and sweep of the present one.
    fn switch(&mut self, from: &Stimulus, sweep: &Sweep, to: StimulusKind) -> (Stimulus, Sweep) {
        self.left.retain(|(stimulus, _)| stimulus.kind() != from.kind());
        self.left.push((from.clone(), sweep.clone()));
        let known = self.left.iter().find(|(stimulus, _)| stimulus.kind() == to).cloned();
        let (mut stimulus, mut kept) = known.unwrap_or_else(|| {
            let stimulus = to.stimulus();
            let steps = Steps { start: 0.0, step: 22.5, count: 16 };
            let swept = stimulus.direction_deg().is_some();
            (stimulus, if swept { Sweep::of(DIRECTION, Values::Steps(steps)) } else { Sweep::default() })
        });
        if let (Some(direction), Some(_)) = (from.direction_deg(), stimulus.direction_deg()) {
            stimulus = stimulus.with_direction(direction);
            match sweep.get(DIRECTION) {
                Some(values) => kept.set(DIRECTION, values.clone()),
                None => {
                    kept.remove(DIRECTION);
                }
            }
        }
        (stimulus, kept)
    }
}

fn file_ui(path: &std::path::Path, clip: bool, ui: &mut Ui, actions: &mut Vec<Action>) {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    ui.label(RichText::new(name).monospace()).on_hover_text(path.display().to_string());
    ui.horizontal(|ui| {
        let clips = [
            ("Open clip…", "An array, an animation or a video; or drop one on the window", Ask::OpenClip),
            ("Open frames…", "A folder of numbered pictures", Ask::OpenClipFolder),
        ];
        let images = [("Open images…", "A folder of pictures, shown one after the other", Ask::OpenImages)];
        for (label, tip, ask) in if clip { &clips[..] } else { &images[..] } {
            if ui.button(*label).on_hover_text(*tip).clicked() {
                actions.push(Action::Ask(*ask));
            }
        }
    });
}
