//! The table of units: sortable, one selected.

use eframe::egui::{RichText, ScrollArea, Ui};

use super::{Panel, Place};
use crate::ui::order::{self, Order};
use crate::ui::theme::{Palette, ROW_HEIGHT};
use crate::ui::tuned::Tuned;
use crate::ui::view::{Action, SortKey, View};
use crate::ui::widgets::badge;
use crate::ui::widgets::unit_table::{Column, head_ui, keyboard, row_ui};
use crate::workbench::{Answer, Command, Workbench};

const COLUMNS: [Column<SortKey>; 5] = [
    Column {
        key: SortKey::Unit,
        head: "Unit",
        tip: "Session-scan · number of the recorded cell",
        share: 0.27,
        large_first: false,
        words: true,
    },
    Column {
        key: SortKey::Osi,
        head: "gOSI",
        tip: "Global orientation selectivity: 0 none, 1 a single orientation",
        share: 0.17,
        large_first: true,
        words: false,
    },
    Column {
        key: SortKey::Dsi,
        head: "gDSI",
        tip: "Global direction selectivity: 0 none, 1 a single direction",
        share: 0.17,
        large_first: true,
        words: false,
    },
    Column {
        key: SortKey::Preferred,
        head: "Pref.",
        tip: "Preferred direction (0° to the right, 90° up), or the value with the strongest response",
        share: 0.19,
        large_first: false,
        words: false,
    },
    Column {
        key: SortKey::Mean,
        head: "Mean",
        tip: "Mean predicted response over the whole movie; 1 is the unit's usual activity",
        share: 0.20,
        large_first: true,
        words: false,
    },
];

/// All units of the twin.
#[derive(Default)]
pub struct Units {
    order: Order,
    /// Unit last brought into view, and frames since: the layout needs a few to settle.
    shown: Option<(usize, u8)>,
}

/// Frames of the window in which a newly selected unit is brought into view.
const SETTLING: u8 = 4;

impl Panel for Units {
    fn name(&self) -> &'static str {
        "units"
    }

    fn place(&self) -> Place {
        Place::Right
    }

    fn ui(&mut self, bench: &Workbench, view: &mut View, ui: &mut Ui) -> Vec<Action> {
        let Some(answer) = bench.answer() else {
            badge::head(ui, "Units", |_| ());
            badge::waiting(bench, ui);
            return Vec::new();
        };
        let count = answer.outcome.units.len();
        badge::head(ui, "Units", |ui| {
            ui.label(RichText::new(format!("{count}")).small().color(Palette::of(ui).weak));
        });
        badge::origin(bench, ui);
        head_ui(&COLUMNS, &mut view.sort, &mut view.descending, ui);
        let selected = bench.unit();
        let order = self.order.of(answer, view);
        let mut chosen = keyboard(order, selected, ui);
        let frames = self.shown.filter(|(unit, _)| *unit == selected).map_or(0, |(_, frames)| frames);
        let scroll_to = (frames < SETTLING).then(|| order.iter().position(|&unit| unit == selected)).flatten();
        self.shown = Some((selected, (frames + 1).min(SETTLING)));
        if frames < SETTLING {
            ui.ctx().request_repaint();
        }
        let mut area = ScrollArea::vertical().auto_shrink(false);
        if let Some(row) = scroll_to {
            let spacing = ROW_HEIGHT;
            let middle = ui.available_height() / 2.0;
            area = area.vertical_scroll_offset((row as f32 * spacing - middle).max(0.0));
        }
        ui.spacing_mut().item_spacing.y = 0.0;
        area.show_rows(ui, ROW_HEIGHT, order.len(), |ui, rows| {
            for &unit in &order[rows] {
                if unit_ui(answer, unit, unit == selected, ui) {
                    chosen = Some(unit);
                    self.shown = Some((unit, SETTLING)); // it is in view already
                }
            }
        });
        chosen.map(|unit| Command::SelectUnit(unit).into()).into_iter().collect()
    }
}

/// One line; whether it was clicked.
fn unit_ui(answer: &Answer, unit: usize, selected: bool, ui: &mut Ui) -> bool {
    let name = answer.unit_name(unit);
    let cell = |key: SortKey| {
        let written = match key {
            SortKey::Unit => Some(name.clone()),
            SortKey::Preferred => Tuned::of(&answer.outcome).and_then(|tuned| tuned.preferred_spoken(unit)),
            _ => order::value(answer, key, unit).map(|number| format!("{number:.2}")),
        };
        written.unwrap_or_else(|| "–".to_owned())
    };
    row_ui(&COLUMNS, &name, selected, cell, ui).clicked()
}
