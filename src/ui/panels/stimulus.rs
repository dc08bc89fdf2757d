//! What is shown: the kind of stimulus and its parameters, in their units.

use eframe::egui::{Checkbox, ComboBox, DragValue, RichText, Slider, Ui, Widget};

use super::{Panel, Place};
use crate::experiment::protocol::{DIRECTION, Steps, Sweep, Values};
use crate::stimulus::{Clip, Field, FieldKind, Stimulus, StimulusKind};
use crate::ui::theme::Palette;
use crate::ui::view::{Action, Ask, View};
use crate::ui::widgets::{arrow, badge, field};
use crate::workbench::{Command, Workbench};

/// Kind and parameters.
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

    fn ui(&mut self, bench: &Workbench, _view: &mut View, ui: &mut Ui) -> Vec<Action> {
        let mut actions = Vec::new();
        let mut protocol = bench.protocol().clone();
        badge::head(ui, "Protocol", |ui| {
            if bench.is_edited() {
                let colour = Palette::of(ui).caution;
                ui.label(RichText::new("not saved").small().color(colour))
                    .on_hover_text("Kept for the next start; save it to have it in a file");
            }
        });
        ui.horizontal(|ui| {
            let (save, save_tip) = match bench.protocol_path() {
                Some(path) => (
                    "Save protocol",
                    format!("Write this protocol to {} (Ctrl+S); elsewhere: File menu", path.display()),
                ),
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
        });
        field::row(ui, "Title", "Stands above exported figures", |ui| ui.text_edit_singleline(&mut protocol.title));
        let kind = protocol.stimulus.kind();
        let mut chosen = kind;
        field::row(ui, "Stimulus kind", "What is shown to the twin", |ui| {
            ComboBox::from_id_salt("stimulus kind")
                .selected_text(kind.label())
                .width(ui.available_width())
                .show_ui(ui, |ui| {
                    for &other in StimulusKind::ALL {
                        ui.selectable_value(&mut chosen, other, other.label());
                    }
                })
                .response
        });
        if chosen != kind {
            let (stimulus, sweep) = self.switch(&protocol.stimulus, &protocol.sweep, chosen);
            if matches!(&stimulus, Stimulus::Clip(clip) if clip.path.as_os_str().is_empty()) {
                actions.push(Action::Ask(Ask::OpenClip)); // nothing to show before a file is named
            } else {
                protocol.show_instead(stimulus, sweep);
            }
        }
        if let Stimulus::Clip(clip) = &protocol.stimulus {
            clip_ui(clip, ui, &mut actions);
        }
        for field in protocol.stimulus.fields() {
            if protocol.sweep.contains(field.key) {
                continue; // set by the sweep, below
            }
            let Some(mut value) = protocol.stimulus.get(field.key) else { continue };
            let before = value;
            parameter_ui(field, &mut value, ui);
            if value != before {
                protocol.stimulus.set(field.key, value);
            }
        }
        if protocol != *bench.protocol() {
            actions.push(Command::Edit(Box::new(protocol)).into());
        }
        actions
    }
}

impl StimulusPanel {
    /// Another kind: as it was left, or its default, in the direction and sweep of the present one.
    fn switch(&mut self, from: &Stimulus, sweep: &Sweep, to: StimulusKind) -> (Stimulus, Sweep) {
        self.left.retain(|(stimulus, _)| stimulus.kind() != from.kind());
        self.left.push((from.clone(), sweep.clone()));
        let (mut stimulus, mut varied) = match self.left.iter().find(|(stimulus, _)| stimulus.kind() == to) {
            Some((stimulus, sweep)) => (stimulus.clone(), sweep.clone()),
            None => (to.stimulus(), Sweep::directions(Some(Steps::round_the_circle(16)))),
        };
        if let (Some(direction), Some(_)) = (from.direction_deg(), stimulus.direction_deg()) {
            stimulus = stimulus.with_direction(direction);
            match sweep.get(DIRECTION) {
                Some(values) => varied.set(DIRECTION, Values::clone(values)),
                None => drop(varied.remove(DIRECTION)),
            }
        }
        varied.retain_known(&stimulus, &[]);
        (stimulus, varied)
    }
}

fn clip_ui(clip: &Clip, ui: &mut Ui, actions: &mut Vec<Action>) {
    let name = clip.path.file_name().unwrap_or(clip.path.as_os_str()).to_string_lossy();
    ui.label(RichText::new(name).monospace()).on_hover_text(clip.path.display().to_string());
    ui.horizontal(|ui| {
        for (label, tip, ask) in [
            ("Open clip…", "A .npy, .npz or .gif file; or drop one on the window", Ask::OpenClip),
            ("Open frames…", "A folder of numbered .png frames", Ask::OpenClipFolder),
        ] {
            if ui.button(label).on_hover_text(tip).clicked() {
                actions.push(Action::Ask(ask));
            }
        }
    });
}

/// Finest step in the whole range above which a slider is logarithmic: a rail of 72 points has no finer places.
const MOST_LINEAR_STEPS: f64 = 400.0;

fn parameter_ui(what: &Field, value: &mut f64, ui: &mut Ui) {
    let colour = Palette::of(ui).data;
    if what.kind == FieldKind::Switch {
        let mut on = *value > 0.5;
        field::row(ui, what.label, what.help, |ui| Checkbox::without_text(&mut on).ui(ui));
        *value = f64::from(u8::from(on));
        return;
    }
    if let FieldKind::Choice(options) = what.kind {
        let mut chosen = (value.round().max(0.0) as usize).min(options.len().saturating_sub(1));
        field::row(ui, what.label, what.help, |ui| {
            ComboBox::from_id_salt(what.key)
                .show_index(ui, &mut chosen, options.len(), |index| options.get(index).map_or("", |word| word.label))
        });
        *value = chosen as f64;
        return;
    }
    if what.key == "direction_deg" {
        ui.horizontal(|ui| {
            field::row(ui, what.label, what.help, |ui| {
                ui.add(DragValue::new(value).range(-360.0..=360.0).speed(1.0).suffix("°").update_while_editing(false))
            });
            arrow::dial(ui, &format!("{} dial", what.label), value, colour);
        });
        return;
    }
    let (least, most) = what.range;
    let decimals = (-what.step.log10()).ceil().clamp(0.0, 4.0) as usize;
    let tip = if what.unit.is_empty() {
        format!("{}. From {least} to {most}.", what.help)
    } else {
        format!("{}. In {}, from {least} to {most}.", what.help, field::spoken(what.unit))
    };
    let suffix = if what.unit.is_empty() { String::new() } else { format!(" {}", what.unit) };
    field::row(ui, what.label, &tip, |ui| {
        ui.add(
            Slider::new(value, least..=most)
                .logarithmic(most / what.step >= MOST_LINEAR_STEPS)
                .smallest_positive(what.step)
                .fixed_decimals(decimals)
                .suffix(suffix)
                .update_while_editing(false),
        )
    });
}
