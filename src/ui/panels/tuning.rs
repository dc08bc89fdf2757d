//! Tuning of the selected unit: on the circle for directions, along a line for any other parameter.

use eframe::egui::{Grid, RichText, Ui};

use super::{Panel, Place};
use crate::analysis::{ParameterTuning, UnitCurve};
use crate::ui::theme::Palette;
use crate::ui::view::{Action, Ask, View};
use crate::ui::widgets::curve::curve_ui;
use crate::ui::widgets::polar::Polar;
use crate::ui::widgets::{arrow, badge};
use crate::workbench::Workbench;

/// Polar plot and numbers.
pub struct Tuning;

impl Panel for Tuning {
    fn name(&self) -> &'static str {
        "tuning"
    }

    fn place(&self) -> Place {
        Place::RightHead
    }

    fn ui(&mut self, bench: &Workbench, _view: &mut View, ui: &mut Ui) -> Vec<Action> {
        let palette = Palette::of(ui);
        let mut actions = Vec::new();
        let side = (ui.ctx().content_rect().height() * 0.32).clamp(190.0, 320.0);
        let Some(answer) = bench.answer() else {
            badge::head(ui, "Tuning", |_| ());
            ui.allocate_ui(eframe::egui::vec2(ui.available_width(), side), |ui| badge::waiting(bench, ui));
            return actions;
        };
        let unit = bench.unit();
        let outcome = &answer.outcome;
        let name = answer.unit_name(unit);
        let title = match &outcome.parameter {
            Some(tuning) => format!("{} tuning", tuning.field.label),
            None if outcome.tuning.is_some() => "Direction tuning".to_owned(),
            None => "Tuning".to_owned(),
        };
        badge::head(ui, &title, |ui| {
            ui.label(RichText::new(format!("unit {name}")).color(palette.weak));
        });
        badge::origin(bench, ui);
        let along = outcome.parameter.as_ref().and_then(|tuning| Some((tuning, tuning.units.get(unit)?)));
        let around = outcome.tuning.as_ref().and_then(|tuning| Some((tuning, tuning.units.get(unit)?)));
        match (along, around) {
            (Some((tuning, curve)), _) => {
                curve_ui(tuning, curve, ui, side);
                let least = tuning.presentations.iter().copied().min().unwrap_or(0);
                caption_ui(curve.sem.is_some(), least, &palette, ui);
                preferred_ui(tuning, curve, &palette, ui);
            }
            (None, Some((tuning, curve))) => {
                Polar {
                    label: "Tuning curve",
                    directions_deg: &tuning.directions_deg,
                    mean: &curve.mean,
                    sem: curve.sem.as_deref(),
                    preferred_deg: curve.preferred_direction_deg,
                }
                .ui(ui, side);
                caption_ui(curve.sem.is_some(), tuning.repeats, &palette, ui);
                numbers(curve, &palette, ui);
            }
            (None, None) => {
                let text = "One condition was shown. Vary a parameter of the stimulus, such as its direction or \
                            contrast, to see a tuning curve.";
                ui.allocate_ui(eframe::egui::vec2(ui.available_width(), side), |ui| badge::empty(ui, text));
            }
        }
        ui.horizontal(|ui| {
            for (label, tip, ask) in [
                ("Export figure…", "Tuning curve and responses as PNG, SVG or PDF (Ctrl+E)", Ask::ExportFigure),
                ("Export data…", "All numbers as tables, with the protocol, into a folder", Ask::ExportData),
            ] {
                if ui.button(label).on_hover_text(tip).clicked() {
                    actions.push(Action::Ask(ask));
                }
            }
        });
        actions
    }
}

fn caption_ui(has_error: bool, repeats: usize, palette: &Palette, ui: &mut Ui) {
    let error = if has_error { "mean ± s.e.m." } else { "mean" };
    let caption = format!("{error}, n = {repeats}; 1 = the unit's mean activity");
    ui.label(RichText::new(caption).small().color(palette.weak));
}

fn preferred_ui(tuning: &ParameterTuning, curve: &UnitCurve, palette: &Palette, ui: &mut Ui) {
    ui.horizontal(|ui| {
        let tip = "Value with the largest mean response, over everything else that was varied";
        ui.label(RichText::new("Strongest at").color(palette.weak)).on_hover_text(tip);
        let text = match curve.preferred {
            Some(index) if tuning.field.unit.is_empty() => tuning.spoken(index),
            Some(index) => format!("{} {}", tuning.spoken(index), tuning.field.unit),
            None => "–".to_owned(),
        };
        ui.label(RichText::new(text).strong()).on_hover_text(tip);
    });
}

fn numbers(curve: &crate::analysis::UnitTuning, palette: &Palette, ui: &mut Ui) {
    Grid::new("selectivity").num_columns(6).spacing([10.0, 2.0]).show(ui, |ui| {
        let index = |value: Option<f32>| value.map_or("–".to_owned(), |value| format!("{value:.3}"));
        for (name, value, tip) in [
            ("gOSI", index(curve.global_osi), "Global orientation selectivity, |Σ r e^(2iθ)| / Σ r: 0 to 1"),
            ("gDSI", index(curve.global_dsi), "Global direction selectivity, |Σ r e^(iθ)| / Σ r: 0 to 1"),
        ] {
            ui.label(RichText::new(name).color(palette.weak)).on_hover_text(tip);
            ui.label(RichText::new(value).strong()).on_hover_text(tip);
        }
        let tip = "Preferred direction of motion: that of Σ r e^(iθ); 0° to the right, 90° up";
        ui.label(RichText::new("Preferred").color(palette.weak)).on_hover_text(tip);
        ui.horizontal(|ui| match curve.preferred_direction_deg {
            Some(direction) => {
                ui.label(RichText::new(format!("{:.0}°", badge::whole_degrees(direction))).strong()).on_hover_text(tip);
                arrow::glyph(ui, f64::from(direction), palette.accent);
            }
            None => {
                ui.label("–").on_hover_text("Undefined: the unit did not respond");
            }
        });
    });
}
