//! The units of a comparison: sortable, one selected.

use std::cmp::Ordering;
use std::sync::{Arc, Weak};

use eframe::egui::{RichText, ScrollArea, Ui};

use super::ask;
use crate::ui::theme::{Palette, ROW_HEIGHT};
use crate::ui::view::{Action, CompareKey, View};
use crate::ui::widgets::badge;
use crate::ui::widgets::unit_table::{Column, head_ui, keyboard, row_ui};
use crate::workbench::{CompareCommand, Compared, Workbench};

const COLUMNS: [Column<CompareKey>; 5] = [
    Column {
        key: CompareKey::Unit,
        head: "Unit",
        tip: "Number of the recorded cell",
        share: 0.22,
        large_first: false,
        words: true,
    },
    Column { key: CompareKey::Area, head: "Area", tip: "Visual area", share: 0.18, large_first: false, words: true },
    Column {
        key: CompareKey::CcNorm,
        head: "CC_norm",
        tip: "CC_abs / CC_max: 1 is as good as noise allows",
        share: 0.22,
        large_first: true,
        words: false,
    },
    Column {
        key: CompareKey::CcAbs,
        head: "CC_abs",
        tip: "Correlation of the mean prediction with the mean response",
        share: 0.19,
        large_first: true,
        words: false,
    },
    Column {
        key: CompareKey::CcMax,
        head: "CC_max",
        tip: "The correlation that a perfect prediction would reach",
        share: 0.19,
        large_first: true,
        words: false,
    },
];

/// What an order was made for. Weak, not an address: another comparison could come to lie where this one lay.
struct Made {
    found: Weak<Compared>,
    domain: usize,
    key: CompareKey,
    descending: bool,
}

/// All units that were compared, in one domain of stimuli.
#[derive(Default)]
pub(super) struct Table {
    made: Option<Made>,
    order: Vec<usize>,
    /// The unit that was in view last.
    shown: Option<usize>,
}

impl Table {
    /// Draws it; a click selects.
    pub(super) fn ui(
        &mut self,
        bench: &Workbench,
        found: &Arc<Compared>,
        view: &mut View,
        ui: &mut Ui,
        actions: &mut Vec<Action>,
    ) {
        let (domain, selected) = (bench.compared_domain(), bench.compared_unit());
        badge::head(ui, "Units", |ui| {
            ui.label(RichText::new(format!("{}", found.units())).small().color(Palette::of(ui).weak));
        });
        if let Some(domain) = found.domains.get(domain) {
            ui.label(RichText::new(&domain.name).small().color(Palette::of(ui).weak));
        }
        head_ui(&COLUMNS, &mut view.compare_sort, &mut view.compare_descending, ui);
        self.sort(found, domain, view);
        let mut chosen = keyboard(&self.order, selected, ui);
        let mut area = ScrollArea::vertical().auto_shrink(false);
        if self.shown != Some(selected) {
            let row = self.order.iter().position(|&unit| unit == selected).unwrap_or(0);
            area = area.vertical_scroll_offset((row as f32 * ROW_HEIGHT - ui.available_height() / 2.0).max(0.0));
        }
        self.shown = Some(selected);
        ui.spacing_mut().item_spacing.y = 0.0;
        area.show_rows(ui, ROW_HEIGHT, self.order.len(), |ui, rows| {
            for &unit in self.order.get(rows).unwrap_or_default() {
                if unit_ui(found, domain, unit, unit == selected, ui) {
                    chosen = Some(unit);
                    self.shown = Some(unit); // it is in view already
                }
            }
        });
        actions.extend(chosen.map(|unit| ask(CompareCommand::SelectUnit(unit))));
    }

    /// Units without a value come last.
    fn sort(&mut self, found: &Arc<Compared>, domain: usize, view: &View) {
        let (key, descending) = (view.compare_sort, view.compare_descending);
        let same = |made: &Made| {
            made.found.ptr_eq(&Arc::downgrade(found))
                && (made.domain, made.key, made.descending) == (domain, key, descending)
        };
        if self.made.as_ref().is_some_and(same) {
            return;
        }
        self.order = (0..found.units()).collect();
        let directed = |order: Ordering| if descending { order.reverse() } else { order };
        self.order.sort_by(|&a, &b| match key {
            CompareKey::Area => directed(found.area(a).cmp(found.area(b))),
            _ => match (value(found, domain, a, key), value(found, domain, b, key)) {
                (Some(a), Some(b)) => directed(a.total_cmp(&b)),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => Ordering::Equal,
            },
        });
        self.made = Some(Made { found: Arc::downgrade(found), domain, key, descending });
        self.shown = None;
    }
}

fn value(found: &Compared, domain: usize, unit: usize, key: CompareKey) -> Option<f64> {
    let scores = || found.unit(domain, unit);
    match key {
        CompareKey::Unit => Some(unit as f64),
        CompareKey::Area => None,
        CompareKey::CcNorm => scores()?.cc_norm,
        CompareKey::CcAbs => scores()?.cc_abs,
        CompareKey::CcMax => scores()?.cc_max,
    }
}

/// One line; whether it was clicked.
fn unit_ui(found: &Compared, domain: usize, unit: usize, selected: bool, ui: &mut Ui) -> bool {
    let name = found.unit_name(unit);
    let cell = |key: CompareKey| match key {
        CompareKey::Unit => name.clone(),
        CompareKey::Area => found.area(unit).to_owned(),
        _ => value(found, domain, unit, key)
            .map_or_else(|| "–".to_owned(), |number| format!("{number:.2}").replace('-', "−")),
    };
    let response = row_ui(&COLUMNS, &name, selected, cell, ui);
    match found.unit(domain, unit).and_then(|scores| scores.no_ceiling) {
        Some(why) => response.on_hover_text(format!("No ceiling: {why}")).clicked(),
        None => response.clicked(),
    }
}
