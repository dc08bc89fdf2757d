//! The values of a swept parameter: evenly spaced, or a list that is typed.

use eframe::egui::{DragValue, Id, TextEdit, Ui};

use super::{arrow, field, parameter};
use crate::experiment::protocol::{DIRECTION, Level, Steps, Values};
use crate::stimulus::{Field, FieldKind};
use crate::ui::theme::Palette;

/// Edits the values of `what`; `salt` tells this sweep from others.
pub fn values_ui(what: &Field, salt: &str, values: &mut Values, ui: &mut Ui) {
    match values {
        Values::Steps(steps) if what.key == DIRECTION && is_circle(*steps) => circle_ui(steps, ui),
        Values::Steps(steps) => steps_ui(what, steps, ui),
        Values::List(list) => list_ui(what, salt, list, ui),
    }
}

/// Whether the directions are spread over the whole circle.
fn is_circle(steps: Steps) -> bool {
    (steps.step * steps.count as f64 - 360.0).abs() < 1e-6
}

fn circle_ui(steps: &mut Steps, ui: &mut Ui) {
    let colour = Palette::of(ui).data;
    ui.horizontal(|ui| {
        ui.vertical(|ui| {
            ui.set_width(ui.available_width() - 56.0);
            let tip = "Directions of motion, evenly spaced over the whole circle";
            if field::count(ui, "Directions", tip, 1..=72, &mut steps.count).changed() {
                steps.step = 360.0 / steps.count.max(1) as f64;
            }
            let first = field::Field {
                label: "First direction",
                unit: "°",
                tip: "Direction from which the others are counted; 0 moves to the right, 90 up.",
                range: 0.0..=359.0,
                decimals: 0,
            };
            field::number(ui, &first, &mut steps.start);
        });
        arrow::rosette(ui, &arrow::directions(steps.start, steps.step, steps.count), colour);
    });
}

fn steps_ui(what: &Field, steps: &mut Steps, ui: &mut Ui) {
    let (least, most) = what.range;
    let tip = parameter::tip(what);
    field::row(ui, "From, step, count", &tip, |ui| {
        ui.horizontal(|ui| {
            let speed = what.step * 0.2;
            let start =
                ui.add(DragValue::new(&mut steps.start).range(least..=most).speed(speed).update_while_editing(false));
            let span = most - least;
            ui.add(DragValue::new(&mut steps.step).range(-span..=span).speed(speed).update_while_editing(false))
                .on_hover_text("Difference between neighbouring values");
            ui.add(DragValue::new(&mut steps.count).range(1..=256).speed(0.1).update_while_editing(false))
                .on_hover_text("Number of values");
            start
        })
        .inner
    });
}

fn list_ui(what: &Field, salt: &str, list: &mut Vec<Level>, ui: &mut Ui) {
    let id = Id::unique(("values", salt));
    let written = list.iter().map(spoken).collect::<Vec<_>>().join(", ");
    // What is being typed need not be a list yet.
    let mut text = ui.data(|data| data.get_temp::<String>(id)).unwrap_or_else(|| written.clone());
    let words = what.words().join(", ");
    let tip = match what.kind {
        FieldKind::Number => format!("{} Values, separated by commas.", parameter::tip(what)),
        FieldKind::Switch => format!("{}. true, false or both.", what.help),
        FieldKind::Choice(_) => format!("{}. Some of: {words}.", what.help),
    };
    let response =
        field::row(ui, "Values", &tip, |ui| ui.add(TextEdit::singleline(&mut text).desired_width(f32::INFINITY)));
    if response.has_focus() {
        ui.data_mut(|data| data.insert_temp(id, text));
        return;
    }
    if response.lost_focus() {
        ui.data_mut(|data| data.remove::<String>(id));
        if let Some(typed) = parse(what, &text) {
            *list = typed;
        }
    }
}

/// The list that a text means; `None` when something in it is no value.
fn parse(what: &Field, text: &str) -> Option<Vec<Level>> {
    let parts = text.split([',', ';', ' ']).map(str::trim).filter(|part| !part.is_empty());
    let levels: Option<Vec<Level>> = parts
        .map(|part| {
            let level = match what.kind {
                FieldKind::Number => Level::Number(part.parse().ok().filter(|number: &f64| number.is_finite())?),
                FieldKind::Switch => Level::Switch(part.parse().ok()?),
                FieldKind::Choice(_) => Level::Word(part.to_owned()),
            };
            level.value(what).map(|_| level)
        })
        .collect();
    levels.filter(|levels| !levels.is_empty())
}

fn spoken(level: &Level) -> String {
    match level {
        Level::Number(number) => number.to_string(),
        Level::Switch(on) => on.to_string(),
        Level::Word(word) => word.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stimulus::StimulusKind;

    #[test]
    fn a_list_is_read_as_it_is_typed_and_nothing_else_is_taken() {
        let fields = StimulusKind::DriftingGrating.fields();
        let field = |key| fields.iter().find(|field| field.key == key).expect("a grating has it");
        let numbers = parse(field("contrast"), "0.1, 0.2 0.4;1");
        let expected = [0.1, 0.2, 0.4, 1.0].map(Level::Number);
        assert_eq!(numbers.as_deref(), Some(&expected[..]));
        for wrong in ["", "0.1, x", "NaN"] {
            assert_eq!(parse(field("contrast"), wrong), None, "{wrong}");
        }
        assert_eq!(parse(field("spherical"), "true, false").map(|list| list.len()), Some(2));
    }
}
