//! What is varied, how often, and how long everything lasts.

use eframe::egui::{DragValue, Ui};

use super::{Panel, Place};
use crate::experiment::protocol::{DIRECTION, Order, Steps, Values};
use crate::ui::theme::Palette;
use crate::ui::view::{Action, View};
use crate::ui::widgets::field::{self, Field};
use crate::ui::widgets::{arrow, badge};
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

    fn ui(&mut self, bench: &Workbench, _view: &mut View, ui: &mut Ui) -> Vec<Action> {
        let palette = Palette::of(ui);
        let mut protocol = bench.protocol().clone();
        badge::title(ui, "Sequence");
        ui.horizontal(|ui| {
            if protocol.stimulus.direction_deg().is_some() {
                let mut swept = protocol.sweep.contains(DIRECTION);
                ui.checkbox(&mut swept, "Vary the direction")
                    .on_hover_text("Show the stimulus in several directions of motion, for a tuning curve");
                match (swept, protocol.sweep.contains(DIRECTION)) {
                    (true, false) => protocol.sweep.set(DIRECTION, Values::Steps(Steps::round_the_circle(16))),
                    (false, true) => drop(protocol.sweep.remove(DIRECTION)),
                    _ => {}
                }
            }
            let mut shuffled = protocol.repeats.order != Order::Listed;
            ui.checkbox(&mut shuffled, "Shuffle the order")
                .on_hover_text("Show the conditions in a new random order in each repeat");
            if shuffled != (protocol.repeats.order != Order::Listed) {
                protocol.repeats.order = if shuffled { Order::Blocks } else { Order::Listed };
            }
        });
        if let Some(mut steps) = protocol.sweep.direction_steps() {
            ui.horizontal(|ui| {
                ui.vertical(|ui| {
                    ui.set_width(ui.available_width() - 56.0);
                    let tip = "Directions of motion, evenly spaced over the whole circle";
                    if field::count(ui, "Directions", tip, 1..=72, &mut steps.count).changed() {
                        steps.step = 360.0 / steps.count.max(1) as f64;
                    }
                    let first = Field {
                        label: "First direction",
                        unit: "°",
                        tip: "Direction from which the others are counted; 0 moves to the right, 90 up.",
                        range: 0.0..=359.0,
                        decimals: 0,
                    };
                    field::number(ui, &first, &mut steps.start);
                });
                arrow::rosette(ui, &arrow::directions(steps.start, steps.step, steps.count), palette.data);
            });
            protocol.sweep.set(DIRECTION, Values::Steps(steps));
        }
        let timing = &mut protocol.timing;
        let number = |ui: &mut Ui, label, tip, least, value: &mut f64| {
            field::number(ui, &Field { label, unit: "s", tip, range: least..=60.0, decimals: 2 }, value);
        };
        ui.columns(2, |columns| {
            let [left, right] = columns else { return };
            number(left, "Stimulus", "How long each presentation lasts.", 0.1, &mut timing.stimulus_secs);
            number(right, "Blank", "Grey after each presentation.", 0.0, &mut timing.blank_secs);
            let tip = "Grey before the first presentation, while the twin settles.";
            number(left, "Lead-in", tip, 0.0, &mut timing.lead_in_secs);
            let tip = "Start of each presentation that is left out of its mean response.";
            number(right, "Skip", tip, 0.0, &mut timing.skip_secs);
            let tip = "How often each condition is shown; two or more give a standard error";
            field::count(left, "Repeats", tip, 1..=100, &mut protocol.repeats.count);
            let tip = "Decides the order of conditions and everything random in the stimulus";
            field::row(right, "Seed", tip, |ui| {
                ui.add(DragValue::new(&mut protocol.repeats.seed).speed(0.1).update_while_editing(false))
            });
        });
        if protocol == *bench.protocol() { Vec::new() } else { vec![Command::Edit(Box::new(protocol)).into()] }
    }
}
