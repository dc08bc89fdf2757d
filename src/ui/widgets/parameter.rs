//! One parameter of a stimulus or a modifier as a row of a form: a slider, a switch or a list of words.

use eframe::egui::{Checkbox, ComboBox, DragValue, RichText, Slider, Ui, Widget};

use super::{arrow, field};
use crate::stimulus::{Field, FieldKind, StimulusKind};
use crate::ui::theme::Palette;

/// Finest step in the whole range above which a slider is logarithmic: a rail of 72 points has no finer places.
const MOST_LINEAR_STEPS: f64 = 400.0;

/// The row; changes `value` where the user does.
pub fn parameter_ui(what: &Field, value: &mut f64, ui: &mut Ui) {
    match what.kind {
        FieldKind::Switch => switch_ui(what, value, ui),
        FieldKind::Choice(_) => choice_ui(what, value, ui),
        FieldKind::Number if what.key.ends_with("direction_deg") => direction_ui(what, value, ui),
        FieldKind::Number => number_ui(what, value, ui),
    }
}

fn switch_ui(what: &Field, value: &mut f64, ui: &mut Ui) {
    let mut on = *value > 0.5;
    field::row(ui, what.label, what.help, |ui| Checkbox::without_text(&mut on).ui(ui));
    *value = f64::from(u8::from(on));
}

fn choice_ui(what: &Field, value: &mut f64, ui: &mut Ui) {
    let FieldKind::Choice(words) = what.kind else { return };
    let now = (value.round().max(0.0) as usize).min(words.len().saturating_sub(1));
    let mut chosen = now;
    field::row(ui, what.label, what.help, |ui| {
        ComboBox::from_id_salt(what.key)
            .selected_text(words.get(now).map_or("", |word| word.label))
            .width(ui.available_width())
            .show_ui(ui, |ui| {
                for (index, word) in words.iter().enumerate() {
                    ui.selectable_value(&mut chosen, index, word.label);
                }
            })
            .response
    });
    if chosen != now {
        *value = chosen as f64;
    }
}

fn direction_ui(what: &Field, value: &mut f64, ui: &mut Ui) {
    let colour = Palette::of(ui).data;
    ui.horizontal(|ui| {
        field::row(ui, what.label, what.help, |ui| {
            ui.add(DragValue::new(value).range(-360.0..=360.0).speed(1.0).suffix("°").update_while_editing(false))
        });
        arrow::dial(ui, &format!("{} dial", what.label), value, colour);
    });
}

fn number_ui(what: &Field, value: &mut f64, ui: &mut Ui) {
    let (least, most) = what.range;
    let decimals = (-what.step.log10()).ceil().clamp(0.0, 4.0) as usize;
    let suffix = if what.unit.is_empty() { String::new() } else { format!(" {}", what.unit) };
    field::row(ui, what.label, &tip(what), |ui| {
        ui.add(
            Slider::new(value, least..=most)
                .logarithmic(least >= 0.0 && most / what.step >= MOST_LINEAR_STEPS)
                .smallest_positive(what.step)
                .fixed_decimals(decimals)
                .suffix(suffix)
                .update_while_editing(false),
        )
    });
}

/// The kinds of stimulus under their headings; the one that was chosen. `computed` leaves out those that show files.
pub fn kind_ui(kind: StimulusKind, computed: bool, ui: &mut Ui) -> StimulusKind {
    let mut chosen = kind;
    field::row(ui, "Stimulus kind", "What is shown to the twin", |ui| {
        ComboBox::from_id_salt("stimulus kind")
            .selected_text(kind.label())
            .width(ui.available_width())
            .height(480.0)
            .show_ui(ui, |ui| {
                let mut groups: Vec<&str> = Vec::new();
                for kind in StimulusKind::ALL {
                    if !groups.contains(&kind.group()) {
                        groups.push(kind.group());
                    }
                }
                for group in groups {
                    ui.label(RichText::new(group).small().color(Palette::of(ui).weak));
                    for &other in StimulusKind::ALL.iter().filter(|other| other.group() == group) {
                        if !computed || other.stimulus().path().is_none() {
                            ui.selectable_value(&mut chosen, other, other.label());
                        }
                    }
                }
            })
            .response
    });
    chosen
}

/// What a number means, its unit and its limits.
pub fn tip(what: &Field) -> String {
    let (least, most) = what.range;
    if what.unit.is_empty() {
        format!("{}. From {least} to {most}.", what.help.trim_end_matches('.'))
    } else {
        format!("{}. In {}, from {least} to {most}.", what.help.trim_end_matches('.'), field::spoken(what.unit))
    }
}
