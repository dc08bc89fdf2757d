//! Rows of a form: a label, a control with its unit, and a tooltip that says what it means.

use std::ops::RangeInclusive;

use eframe::egui::{Align, DragValue, Layout, Response, Ui, vec2};

use crate::ui::theme::LABEL_WIDTH;

/// A number of a form.
#[derive(Debug, Clone)]
pub struct Field<'a> {
    /// Sentence case, no colon.
    pub label: &'a str,
    /// Written after the number; empty for a plain number.
    pub unit: &'a str,
    /// One sentence about its meaning.
    pub tip: &'a str,
    /// Values that can be set.
    pub range: RangeInclusive<f64>,
    /// Digits after the point.
    pub decimals: usize,
}

/// A label in the first column and whatever `control` draws in the second, labelled by it.
pub fn row(ui: &mut Ui, label: &str, tip: &str, control: impl FnOnce(&mut Ui) -> Response) -> Response {
    ui.horizontal(|ui| {
        let height = ui.spacing().interact_size.y;
        let width = LABEL_WIDTH.min(ui.available_width() * 0.48);
        let name = ui
            .allocate_ui_with_layout(vec2(width, height), Layout::left_to_right(Align::Center), |ui| {
                ui.set_min_width(width);
                ui.label(label).on_hover_text(tip)
            })
            .inner;
        control(ui).labelled_by(name.id).on_hover_text(tip)
    })
    .inner
}

fn suffix(unit: &str) -> String {
    match unit {
        "" => String::new(),
        "°" | "%" => unit.to_owned(),
        unit => format!(" {unit}"),
    }
}

/// A number alone: drag sideways or type.
pub fn number(ui: &mut Ui, field: &Field, value: &mut f64) -> Response {
    row(ui, field.label, &tip(field), |ui| {
        ui.add(
            DragValue::new(value)
                .range(field.range.clone())
                .speed(10.0_f64.powi(-(field.decimals as i32)))
                .fixed_decimals(field.decimals)
                .suffix(suffix(field.unit))
                .update_while_editing(false),
        )
    })
}

/// A whole number.
pub fn count(ui: &mut Ui, label: &str, tip: &str, range: RangeInclusive<usize>, value: &mut usize) -> Response {
    row(ui, label, tip, |ui| ui.add(DragValue::new(value).range(range).speed(0.1).update_while_editing(false)))
}

fn tip(field: &Field) -> String {
    let (from, to) = (field.range.start(), field.range.end());
    match field.unit {
        "" => format!("{} From {from} to {to}.", field.tip),
        unit => format!("{} In {}, from {from} to {to}.", field.tip, spoken(unit)),
    }
}

/// A unit in words.
pub fn spoken(unit: &str) -> &str {
    match unit {
        "°" => "degrees",
        "deg" => "degrees of visual angle",
        "deg/s" => "degrees of visual angle per second",
        "cyc/deg" => "cycles per degree of visual angle",
        "Hz" => "cycles per second",
        "s" => "seconds",
        other => other,
    }
}
