//! The units of a comparison: sortable, one selected.

use std::cmp::Ordering;
use std::sync::{Arc, Weak};

use eframe::egui::{
    Align2, Button, Color32, FontId, Rect, RichText, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2,
};

use super::super::units::keyboard;
use super::ask;
use crate::ui::theme::{Palette, ROW_HEIGHT};
use crate::ui::view::{Action, CompareKey, View};
use crate::ui::widgets::{arrow, badge};
use crate::workbench::{CompareCommand, Compared, Workbench};

/// Columns: key, head, tooltip, share of the width, whether large values are the interesting ones.
const COLUMNS: [(CompareKey, &str, &str, f32, bool); 5] = [
    (CompareKey::Unit, "Unit", "Number of the recorded cell", 0.22, false),
    (CompareKey::Area, "Area", "Visual area", 0.18, false),
    (CompareKey::CcNorm, "CC_norm", "CC_abs / CC_max: 1 is as good as noise allows", 0.22, true),
    (CompareKey::CcAbs, "CC_abs", "Correlation of the mean prediction with the mean response", 0.19, true),
    (CompareKey::CcMax, "CC_max", "The correlation that a perfect prediction would reach", 0.19, true),
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
        head_ui(view, ui);
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
                if row_ui(found, domain, unit, unit == selected, ui) {
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

fn head_ui(view: &mut View, ui: &mut Ui) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        ui.spacing_mut().button_padding = vec2(2.0, 2.0);
        let width = ui.available_width() - 12.0;
        for (key, head, tip, share, large_first) in COLUMNS {
            let sorted = view.compare_sort == key;
            let button = Button::new(RichText::new(head).small()).selected(sorted).min_size(vec2(width * share, 20.0));
            let response = ui.add(button).on_hover_text(format!("{tip}. Click to sort."));
            response.widget_info(|| WidgetInfo::selected(Role::Button, true, sorted, format!("Sort by {head}")));
            if sorted {
                let up = if view.compare_descending { -90.0 } else { 90.0 };
                let at = response.rect.right_center() - vec2(6.0, 0.0);
                arrow::triangle(ui.painter(), at, 3.0, up, Palette::of(ui).on_accent);
            }
            if response.clicked() {
                view.compare_descending = if sorted { !view.compare_descending } else { large_first };
                view.compare_sort = key;
            }
        }
    });
}

/// One line; whether it was clicked.
fn row_ui(found: &Compared, domain: usize, unit: usize, selected: bool, ui: &mut Ui) -> bool {
    let palette = Palette::of(ui);
    let width = ui.available_width();
    let (rect, response) = ui.allocate_exact_size(vec2(width, ROW_HEIGHT), Sense::click());
    let (fill, text) = match (selected, response.hovered()) {
        (true, _) => (palette.accent, palette.on_accent),
        (false, true) => (palette.button_hover, palette.text),
        (false, false) => (Color32::TRANSPARENT, palette.text),
    };
    ui.painter().rect_filled(rect, 3.0, fill);
    let name = found.unit_name(unit);
    let mut left = rect.left();
    for (key, _, _, share, _) in COLUMNS {
        let cell = Rect::from_min_size(pos2(left, rect.top()), vec2((width - 12.0) * share, ROW_HEIGHT));
        left += cell.width();
        let (anchor, at, written) = match key {
            CompareKey::Unit => (Align2::LEFT_CENTER, cell.left_center() + vec2(4.0, 0.0), name.clone()),
            CompareKey::Area => (Align2::LEFT_CENTER, cell.left_center() + vec2(4.0, 0.0), found.area(unit).to_owned()),
            _ => {
                let number = value(found, domain, unit, key).map(|number| format!("{number:.2}").replace('-', "−"));
                (Align2::RIGHT_CENTER, cell.right_center(), number.unwrap_or_else(|| "–".to_owned()))
            }
        };
        ui.painter().with_clip_rect(cell.expand(2.0)).text(at, anchor, written, FontId::proportional(12.5), text);
    }
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, selected, format!("Unit {name}")));
    let why = found.unit(domain, unit).and_then(|scores| scores.no_ceiling).map(|why| format!("No ceiling: {why}"));
    match why {
        Some(why) => response.on_hover_text(why).clicked(),
        None => response.clicked(),
    }
}
