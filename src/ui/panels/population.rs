//! All units at once: over time, or over what was varied.

use std::sync::Arc;

use eframe::egui::{ColorImage, TextureHandle, Ui};

use super::{Panel, Place};
use crate::ui::order::Order;
use crate::ui::tuned::Tuned;
use crate::ui::view::{Action, Columns, SortKey, View};
use crate::ui::widgets::badge;
use crate::ui::widgets::heat_map::{self, HeatMap};
use crate::workbench::{Answer, Command, Workbench};

/// What a texture was made of.
#[derive(Clone)]
struct Made {
    answer: Arc<Answer>,
    columns: Columns,
    to_peak: bool,
    sort: SortKey,
    descending: bool,
}

impl Made {
    fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.answer, &other.answer)
            && (self.columns, self.to_peak, self.sort, self.descending)
                == (other.columns, other.to_peak, other.sort, other.descending)
    }
}

/// Units by time or by what was varied.
#[derive(Default)]
pub struct Population {
    order: Order,
    texture: Option<(Made, TextureHandle)>,
    largest: f32,
}

impl Panel for Population {
    fn name(&self) -> &'static str {
        "population"
    }

    fn place(&self) -> Place {
        Place::Centre(32)
    }

    fn ui(&mut self, bench: &Workbench, view: &mut View, ui: &mut Ui) -> Vec<Action> {
        let Some(answer) = bench.answer() else {
            badge::head(ui, "Population", |_| ());
            badge::waiting(bench, ui);
            return Vec::new();
        };
        let tuned = Tuned::of(&answer.outcome);
        badge::head(ui, "Population", |ui| {
            ui.checkbox(&mut view.to_peak, "Own scale")
                .on_hover_text("Draw each unit relative to its own strongest response, so that weak units show");
            if let Some(tuned) = tuned {
                ui.selectable_value(&mut view.columns, Columns::Direction, tuned.label())
                    .on_hover_text("Mean response of each unit to each value");
                ui.selectable_value(&mut view.columns, Columns::Time, "Time")
                    .on_hover_text("Response of each unit in each frame");
            }
        });
        badge::origin(bench, ui);
        let columns = if tuned.is_some() { view.columns } else { Columns::Time };
        let made = Made {
            answer: Arc::clone(answer),
            columns,
            to_peak: view.to_peak,
            sort: view.sort,
            descending: view.descending,
        };
        let order = self.order.of(answer, view);
        let texture = match &mut self.texture {
            Some((old, texture)) => {
                if !old.same(&made) {
                    let (image, largest) = picture(&made, order);
                    self.largest = largest;
                    texture.set(image, heat_map::TEXTURE);
                    *old = made;
                }
                texture.clone()
            }
            None => {
                let (image, largest) = picture(&made, order);
                self.largest = largest;
                let texture = ui.ctx().load_texture("population", image, heat_map::TEXTURE);
                self.texture = Some((made, texture.clone()));
                texture
            }
        };
        map_ui(bench, answer, view, columns, order, (self.largest, &texture), ui)
    }
}

fn map_ui(
    bench: &Workbench,
    answer: &Answer,
    view: &mut View,
    columns: Columns,
    order: &[usize],
    (largest, texture): (f32, &TextureHandle),
    ui: &mut Ui,
) -> Vec<Action> {
    let outcome = &answer.outcome;
    let rate = outcome.monitor.frame_rate;
    let frames = outcome.responses.frames();
    let length = rate.secs_at(frames);
    let tuned = Tuned::of(outcome);
    let values = tuned.map_or(0, Tuned::columns);
    let marks = match columns {
        Columns::Time => time_marks(length),
        Columns::Direction => tuned.map_or_else(Vec::new, value_marks),
    };
    let label = match (columns, tuned) {
        (Columns::Direction, Some(tuned)) => tuned.caption(),
        _ => "Time (s)".to_owned(),
    };
    let output = HeatMap {
        label: "Population responses",
        rows_label: "Units",
        rows: order.len(),
        columns: if columns == Columns::Time { frames } else { values },
        marks: &marks,
        columns_label: &label,
        playhead: (columns == Columns::Time && view.position_secs <= length)
            .then(|| (view.position_secs / length.max(1e-9)) as f32),
        selected: order.iter().position(|&unit| unit == bench.unit()),
        scale: if view.to_peak {
            ["0".to_owned(), "peak".to_owned()]
        } else {
            ["0".to_owned(), format!("{largest:.1}×")]
        },
    }
    .ui(ui, texture);
    let Some((row, column)) = output.hovered else { return Vec::new() };
    let Some(&unit) = order.get(row) else { return Vec::new() };
    let (when, value) = match columns {
        Columns::Time => {
            (format!("{:.2} s", rate.secs_at(column)), outcome.responses.row(column, 0).get(unit).copied())
        }
        Columns::Direction => {
            let when = tuned.map_or_else(String::new, |tuned| tuned.spoken(column));
            (when, tuned.and_then(|tuned| tuned.response(unit, column)))
        }
    };
    let clicked = output.response.clicked();
    let name = answer.unit_name(unit);
    output.response.on_hover_text_at_pointer(format!(
        "Unit {name}, {when}: {:.2} × its mean activity. Click to select.",
        value.unwrap_or_default()
    ));
    if clicked { vec![Command::SelectUnit(unit).into()] } else { Vec::new() }
}

/// The picture, and the response that is drawn brightest when all units share a scale.
fn picture(made: &Made, order: &[usize]) -> (ColorImage, f32) {
    let answer = &made.answer;
    let tuned = Tuned::of(&answer.outcome);
    let value = |unit: usize, column: usize| match made.columns {
        Columns::Time => answer.course[unit * answer.parts + column],
        Columns::Direction => tuned.and_then(|tuned| tuned.response(unit, column)).unwrap_or(0.0),
    };
    let columns = match made.columns {
        Columns::Time => answer.parts,
        Columns::Direction => tuned.map_or(0, Tuned::columns),
    };
    let top = |unit: usize| match made.columns {
        Columns::Time => answer.peak[unit],
        Columns::Direction => (0..columns).map(|column| value(unit, column)).fold(0.0_f32, f32::max),
    };
    let tops: Vec<f32> = order.iter().map(|&unit| top(unit)).collect();
    // The strongest unit alone would leave all others dark: the scale ends where 95 % of the units have their peak.
    let mut sorted = tops.clone();
    sorted.sort_by(f32::total_cmp);
    let largest = sorted.get(sorted.len().saturating_sub(1) * 95 / 100).copied().unwrap_or(1.0).max(f32::MIN_POSITIVE);
    let image = heat_map::image(order.len(), columns, |row, column| {
        let scale = if made.to_peak { tops[row].max(f32::MIN_POSITIVE) } else { largest };
        value(order[row], column) / scale
    });
    (image, largest)
}

fn time_marks(length: f64) -> Vec<(f32, String)> {
    let step = [1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0]
        .into_iter()
        .find(|step| length / step <= 10.0)
        .unwrap_or(length / 10.0);
    (0..=(length / step) as usize)
        .map(|index| ((index as f64 * step / length) as f32, format!("{}", index as f64 * step)))
        .collect()
}

fn value_marks(tuned: Tuned<'_>) -> Vec<(f32, String)> {
    let count = tuned.columns();
    let every = count.div_ceil(8).max(1);
    let centre = |index: usize| (index as f32 + 0.5) / count.max(1) as f32;
    (0..count).step_by(every).map(|index| (centre(index), tuned.spoken(index))).collect()
}
