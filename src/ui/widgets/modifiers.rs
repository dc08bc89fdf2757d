//! The list of modifiers of a stimulus: added, set, moved and removed.

use eframe::egui::{Button, CollapsingHeader, RichText, Ui};

use super::parameter::{kind_ui, parameter_ui};
use crate::stimulus::{Modifier, ModifierKind, Stimulus};
use crate::ui::theme::Palette;

/// What the user asks of one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Move {
    Up,
    Down,
    Remove,
}

/// The list; `swept` says whether a parameter, such as `aperture.diameter_deg`, is set by a sweep instead.
pub fn modifiers_ui(modifiers: &mut Vec<Modifier>, swept: impl Fn(&str) -> bool, ui: &mut Ui) {
    let palette = Palette::of(ui);
    let mut asked = None;
    for index in 0..modifiers.len() {
        let (label, last) = (modifiers[index].label(), index + 1 == modifiers.len());
        let title = RichText::new(format!("{}. {label}", index + 1)).color(palette.text);
        CollapsingHeader::new(title).id_salt(("modifier", index)).default_open(true).show(ui, |ui| {
            let modifier = &mut modifiers[index];
            for field in modifier.kind().fields() {
                if swept(&format!("{}.{}", modifier.kind().key(), field.key)) {
                    continue;
                }
                let Some(mut value) = modifier.get(field.key) else { continue };
                let before = value;
                ui.push_id((index, field.key), |ui| parameter_ui(field, &mut value, ui));
                if value != before {
                    modifier.set(field.key, value);
                }
            }
            if let Some(nested) = modifiers[index].nested_mut() {
                ui.push_id((index, "nested"), |ui| nested_ui(nested, ui));
            }
            ui.horizontal(|ui| {
                for (what, name, tip, enabled) in [
                    (Move::Up, "Earlier", "Apply this modifier before the one above", index > 0),
                    (Move::Down, "Later", "Apply this modifier after the one below", !last),
                    (Move::Remove, "Remove", "Show the stimulus without this modifier", true),
                ] {
                    if ui.add_enabled(enabled, Button::new(name).small()).on_hover_text(tip).clicked() {
                        asked = Some((index, what));
                    }
                }
            });
        });
    }
    match asked {
        Some((index, Move::Up)) => modifiers.swap(index - 1, index),
        Some((index, Move::Down)) => modifiers.swap(index, index + 1),
        Some((index, Move::Remove)) => {
            modifiers.remove(index);
        }
        None => {}
    }
    let add = ui.menu_button("Add modifier", |ui| {
        let mut group = "";
        for &kind in ModifierKind::ALL {
            if kind.group() != group {
                group = kind.group();
                ui.label(RichText::new(group).small().color(palette.weak));
            }
            if ui.button(kind.label()).on_hover_text(kind.help()).clicked() {
                modifiers.push(kind.modifier());
            }
        }
    });
    add.response.on_hover_text("Mask, window, blur, scramble, … the stimulus; modifiers act in this order");
}

/// The stimulus that a modifier adds.
fn nested_ui(stimulus: &mut Stimulus, ui: &mut Ui) {
    let kind = stimulus.kind();
    let chosen = kind_ui(kind, true, ui);
    if chosen != kind {
        *stimulus = chosen.stimulus();
    }
    for field in stimulus.fields() {
        let Some(mut value) = stimulus.get(field.key) else { continue };
        let before = value;
        parameter_ui(field, &mut value, ui);
        if value != before {
            stimulus.set(field.key, value);
        }
    }
}
