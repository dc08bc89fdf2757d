//! What is varied, how often, in which order, and how long everything lasts.

use eframe::egui::{CollapsingHeader, ComboBox, DragValue, RichText, Ui};

use super::{Panel, Place};
use crate::experiment::Protocol;
use crate::experiment::protocol::{DIRECTION, Steps, Values};
use crate::experiment::protocol::{Order, Timing};
use crate::stimulus::{Field as Parameter, FieldKind, keys};
use crate::ui::theme::Palette;
use crate::ui::view::{Action, View};
use crate::ui::widgets::field::{self, Field};
use crate::ui::widgets::{badge, values};
use crate::workbench::{Command, Workbench};

/// Sweep, repeats, timing.
pub struct Sequence;

impl Panel for Sequence {
    fn name(&self) -> &'static str {
        "sequence"
    }

    fn place(&self) -> Place {
        Place::Left
    }

    fn ui(&mut self, bench: &Workbench, view: &mut View, ui: &mut Ui) -> Vec<Action> {
        let mut protocol = bench.protocol().clone();
        badge::head(ui, "Sequence", |ui| {
            if ui.small_button("Table").on_hover_text("What is shown when, as a table (Ctrl+T)").clicked() {
                view.table = !view.table;
            }
        });
        sweep_ui(&mut protocol, view.part, ui);
        order_ui(&mut protocol, ui);
        timing_ui(&mut protocol, ui);
        screen_ui(bench, &mut protocol, ui);
        if protocol == *bench.protocol() { Vec::new() } else { vec![Command::Edit(Box::new(protocol)).into()] }
    }
}

/// Every swept parameter with its values, and those that could be swept as well.
fn sweep_ui(protocol: &mut Protocol, part: usize, ui: &mut Ui) {
    let Some(shown) = protocol.part(part) else { return };
    let all = keys::all(shown.stimulus, shown.modify);
    let swept: Vec<(String, Values)> =
        shown.sweep.iter().map(|swept| (swept.key.clone(), swept.values.clone())).collect();
    let value = |key: &str| keys::get(shown.stimulus, shown.modify, key);
    let now: Vec<Option<f64>> = all.iter().map(|(key, _)| value(key)).collect();
    for (place, (key, before)) in swept.iter().enumerate() {
        let Some(&(_, what)) = all.iter().find(|(known, _)| known == key) else { continue };
        let mut values = before.clone();
        let mut keep = true;
        ui.push_id(key, |ui| {
            head_ui(key, what, &mut values, &mut keep, place, swept.len(), ui);
            values::values_ui(what, key, &mut values, ui);
        });
        if !keep {
            protocol.remove_sweep(part, key);
        } else if values != *before {
            protocol.set_sweep(part, key, values);
        }
    }
    ui.menu_button("Vary a parameter", |ui| {
        for ((key, what), now) in all.iter().zip(now) {
            let taken = swept.iter().any(|(known, _)| known == key);
            if !taken && ui.button(caption(key, what)).on_hover_text(what.help).clicked() {
                protocol.set_sweep(part, key, first_values(what, now));
            }
        }
    })
    .response
    .on_hover_text("Show the stimulus with several values of it, for a tuning curve; two parameters give all pairs");
}

/// Name of a swept parameter; of a modifier's with the name of that.
fn caption(key: &str, what: &Parameter) -> String {
    match key.split_once('.') {
        Some((word, _)) => format!("{}: {}", word.replace('_', " "), what.caption()),
        None => what.caption(),
    }
}

/// Values to begin with.
fn first_values(what: &Parameter, now: Option<f64>) -> Values {
    if what.key.ends_with(DIRECTION) {
        return Values::Steps(Steps { start: 0.0, step: 22.5, count: 16 });
    }
    if what.kind != FieldKind::Number {
        return Values::all_of(what, 2);
    }
    // Around the present value, where it is not at the end of its range.
    let (least, most) = what.range;
    let round = |value: f64| (value / what.step).round() * what.step;
    let tidy = |value: f64| (round(value).clamp(least, most) * 1e9).round() / 1e9;
    let now = now.filter(|now| *now > least).unwrap_or(most);
    let mut list: Vec<f64> = [0.25, 0.5, 1.0, 2.0, 4.0].iter().map(|part| tidy(now * part)).collect();
    list.sort_by(f64::total_cmp);
    list.dedup();
    Values::numbers(list)
}

/// Name of a swept parameter, and what can be done with it.
fn head_ui(key: &str, what: &Parameter, values: &mut Values, keep: &mut bool, place: usize, count: usize, ui: &mut Ui) {
    let palette = Palette::of(ui);
    ui.horizontal(|ui| {
        let text = format!("{}, {} values", caption(key, what), values.count());
        ui.label(RichText::new(text).color(palette.text)).on_hover_text(if count > 1 && place == 0 {
            "All combinations are shown; this parameter varies slowest"
        } else {
            what.help
        });
        ui.with_layout(eframe::egui::Layout::right_to_left(eframe::egui::Align::Center), |ui| {
            *keep = !ui.small_button("Stop").on_hover_text("Show one value of this parameter again").clicked();
            if what.kind == FieldKind::Number {
                let (name, tip) = match values {
                    Values::Steps(_) => ("List", "Type the values one by one"),
                    Values::List(_) => ("Steps", "Space the values evenly"),
                };
                if ui.small_button(name).on_hover_text(tip).clicked() {
                    *values = other_form(what, values);
                }
            }
        });
    });
}

/// The same values as a list, or about the same as steps.
fn other_form(what: &Parameter, values: &Values) -> Values {
    let numbers = values.of(what);
    match values {
        Values::Steps(_) => Values::numbers(numbers.iter().map(|value| (value * 1e9).round() / 1e9)),
        Values::List(_) => {
            let (first, last) =
                (numbers.first().copied().unwrap_or(what.range.0), numbers.last().copied().unwrap_or(what.range.1));
            let count = numbers.len().max(2);
            let step = ((last - first) / (count - 1) as f64 * 1e9).round() / 1e9;
            Values::Steps(Steps { start: first, step: if step == 0.0 { what.step } else { step }, count })
        }
    }
}

fn order_ui(protocol: &mut Protocol, ui: &mut Ui) {
    let repeats = &mut protocol.repeats;
    field::row(ui, "Order", "In which order the conditions are shown", |ui| {
        let label = |order| Order::ALL.iter().find(|(other, _, _)| *other == order).map_or("", |(_, _, label)| label);
        ComboBox::from_id_salt("order")
            .selected_text(label(repeats.order))
            .width(ui.available_width())
            .show_ui(ui, |ui| {
                for (order, _, label) in Order::ALL {
                    ui.selectable_value(&mut repeats.order, order, label);
                }
            })
            .response
    });
    ui.columns(2, |columns| {
        let [left, right] = columns else { return };
        let tip = "How often each condition is shown; two or more give a standard error";
        field::count(left, "Repeats", tip, 1..=100, &mut repeats.count);
        let tip = "Decides the order of conditions and everything random in the stimulus";
        field::row(right, "Seed", tip, |ui| {
            ui.add(DragValue::new(&mut repeats.seed).speed(0.1).update_while_editing(false))
        });
    });
}

fn timing_ui(protocol: &mut Protocol, ui: &mut Ui) {
    let timing = &mut protocol.timing;
    let number = |ui: &mut Ui, label, tip, least, value: &mut f64| {
        field::number(ui, &Field { label, unit: "s", tip, range: least..=600.0, decimals: 2 }, value);
    };
    ui.columns(2, |columns| {
        let [left, right] = columns else { return };
        number(left, "Stimulus", "How long each presentation lasts.", 0.04, &mut timing.stimulus_secs);
        number(right, "Blank", "Grey after each presentation.", 0.0, &mut timing.blank_secs);
        let tip = "Grey before the first presentation, while the twin settles.";
        number(left, "Lead-in", tip, 0.0, &mut timing.lead_in_secs);
        let tip = "Start of each presentation that is left out of its mean response.";
        number(right, "Skip", tip, 0.0, &mut timing.skip_secs);
    });
    CollapsingHeader::new("Blanks and trials").id_salt("trials").show(ui, |ui| {
        let tip = "Grey presentations among the others in each repeat, for the response to nothing";
        field::count(ui, "Blank presentations", tip, 0..=64, &mut protocol.repeats.blanks);
        let Timing { per_trial, between_trials_secs, .. } = timing;
        let tip = "Presentations of one trial, after which there is a longer pause; 0 makes one long sequence";
        field::count(ui, "Per trial", tip, 0..=1000, per_trial);
        if *per_trial > 0 {
            let tip = "Further grey after each trial.";
            number(ui, "Between trials", tip, 0.0, between_trials_secs);
        } else {
            *between_trials_secs = 0.0;
        }
    });
}

/// What differs from the screen of the preset.
fn screen_ui(bench: &Workbench, protocol: &mut Protocol, ui: &mut Ui) {
    CollapsingHeader::new("Screen").id_salt("screen").show(ui, |ui| {
        let before = protocol.monitor(bench.twin().card.raster);
        let mut now = before;
        let number = |ui: &mut Ui, label, unit, tip, range, value: &mut f64| {
            field::number(ui, &Field { label, unit, tip, range, decimals: 1 }, value);
        };
        number(ui, "Distance", "cm", "From the eye to the middle of the screen.", 1.0..=500.0, &mut now.distance_cm);
        number(ui, "Width", "cm", "Width of the lit area.", 1.0..=500.0, &mut now.width_cm);
        number(ui, "Height", "cm", "Height of the lit area.", 1.0..=500.0, &mut now.height_cm);
        let tip = "Luminance is the grey level to this power.";
        number(ui, "Gamma", "", tip, 0.5..=4.0, &mut now.gamma);
        let mut background = f64::from(now.background);
        let grey = Field {
            label: "Background",
            unit: "",
            tip: "Grey level between presentations.",
            range: 0.0..=255.0,
            decimals: 0,
        };
        field::number(ui, &grey, &mut background);
        now.background = background as u8;
        let mut small = now.angles == crate::signals::Angles::SmallAngle;
        let tip =
            "Every centimetre covers as many degrees as at the middle of the screen, instead of the exact arc tangent";
        field::row(ui, "Small-angle degrees", tip, |ui| ui.add(eframe::egui::Checkbox::without_text(&mut small)));
        now.angles = if small { crate::signals::Angles::SmallAngle } else { crate::signals::Angles::Exact };
        let tip = "Draw computed stimuli so that they are linear in luminance, undoing the gamma of the screen";
        field::row(ui, "Linear in luminance", tip, |ui| {
            ui.add(eframe::egui::Checkbox::without_text(&mut now.linear_light))
        });
        if now != before {
            protocol.monitor.choose(&now);
        }
    });
}
