//! A twin beside a recording: how well each unit is predicted, and whether tuning in silico is that in vivo.

mod controls;
mod plots;
mod results;
mod table;

use eframe::egui::{CentralPanel, Frame, Margin, Panel as Side, ScrollArea, Ui};

use super::{Panel, Place};
use crate::ui::theme::{LEFT_WIDTH, Palette, RIGHT_WIDTH};
use crate::ui::view::{Action, View};
use crate::workbench::{Command, CompareCommand, Workbench};

/// Recording and twin at the left, accuracy, tuning and responses in the middle, units at the right.
#[derive(Default)]
pub struct Compare {
    table: table::Table,
}

fn ask(command: CompareCommand) -> Action {
    Command::Compare(command).into()
}

impl Panel for Compare {
    fn name(&self) -> &'static str {
        "compare"
    }

    fn place(&self) -> Place {
        Place::Compare
    }

    fn ui(&mut self, bench: &Workbench, view: &mut View, ui: &mut Ui) -> Vec<Action> {
        let palette = Palette::of(ui);
        let frame = |x, y| Frame::new().fill(palette.panel).inner_margin(Margin::symmetric(x, y));
        let mut actions = Vec::new();
        Side::left("compare controls").frame(frame(10, 8)).default_size(LEFT_WIDTH).size_range(280.0..=460.0).show(
            ui,
            |ui| {
                ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                    controls::controls_ui(bench, view, ui, &mut actions);
                });
            },
        );
        if let Some(found) = bench.compared().filter(|found| found.units() > 0) {
            let side = Side::right("compared units").frame(frame(10, 8));
            side.default_size(RIGHT_WIDTH).size_range(240.0..=520.0).show(ui, |ui| {
                self.table.ui(bench, found, view, ui, &mut actions);
            });
        }
        CentralPanel::default().frame(frame(10, 8)).show(ui, |ui| results::results_ui(bench, view, ui, &mut actions));
        actions
    }
}
