//! The table of conditions: what is shown when, one row a presentation.

use eframe::egui::{Align2, Color32, FontId, Rect, RichText, ScrollArea, Sense, Ui, Window, pos2, vec2};

use crate::experiment::ConditionTable;
use crate::ui::theme::{Palette, ROW_HEIGHT};
use crate::ui::view::{Action, Ask, View};
use crate::workbench::Workbench;

/// Rows that are measured for the widths of the columns, evenly over the table.
const MEASURED: usize = 128;
/// Room beside the text of a cell, points.
const CELL_GAP: f32 = 18.0;

/// Draws the table while it is open; a click on a row shows that presentation.
pub fn table_ui(bench: &Workbench, view: &mut View, ctx: &eframe::egui::Context) -> Vec<Action> {
    let mut actions = Vec::new();
    if !view.table {
        return actions;
    }
    let mut open = true;
    let room = ctx.content_rect().size();
    Window::new("Table of conditions")
        .open(&mut open)
        .collapsible(false)
        .pivot(Align2::CENTER_CENTER)
        .default_pos(ctx.content_rect().center())
        .default_size([(room.x - 200.0).min(980.0), (room.y - 220.0).min(480.0)])
        .min_size([420.0, 200.0])
        .show(ctx, |ui| match bench.plan() {
            Err(error) => {
                ui.label(RichText::new(error).color(Palette::of(ui).error));
            }
            Ok(plan) => {
                let rate = plan.monitor.frame_rate;
                let table = ConditionTable::new(bench.protocol(), &plan.schedule, rate);
                ui.horizontal(|ui| {
                    let palette = Palette::of(ui);
                    let (rows, kinds) = (table.len(), plan.schedule.conditions.len());
                    let secs = rate.secs_at(plan.schedule.frames);
                    let text = format!("{rows} presentations of {kinds} conditions in {secs:.1} s");
                    ui.label(RichText::new(text).color(palette.weak));
                    if ui.button("Export condition table…").on_hover_text("Write all rows as CSV").clicked() {
                        actions.push(Action::Ask(Ask::ExportTable));
                    }
                });
                ui.separator();
                if let Some(index) = rows_ui(&table, ui) {
                    let onset = plan.schedule.presentations[index].onset_frame;
                    view.position_secs = rate.secs_at(onset) + 0.5 / rate.0;
                    view.playing = false;
                }
            }
        });
    view.table = open;
    actions
}

/// The rows in view; the one that was clicked.
fn rows_ui(table: &ConditionTable<'_>, ui: &mut Ui) -> Option<usize> {
    let palette = Palette::of(ui);
    let header = table.header();
    let widths = widths(table, &header, ui);
    let total: f32 = widths.iter().sum();
    let mut clicked = None;
    ScrollArea::horizontal().auto_shrink(false).show(ui, |ui| {
        let line = |ui: &mut Ui, cells: &[String], colour, sense| {
            let (rect, response) = ui.allocate_exact_size(vec2(total, ROW_HEIGHT), sense);
            if response.hovered() && sense != Sense::hover() {
                ui.painter().rect_filled(rect, 3.0, palette.button_hover);
            }
            let mut left = rect.left();
            for (cell, width) in cells.iter().zip(&widths) {
                let room = Rect::from_min_size(pos2(left, rect.top()), vec2(*width, ROW_HEIGHT));
                ui.painter().with_clip_rect(room.intersect(ui.clip_rect())).text(
                    room.left_center() + vec2(4.0, 0.0),
                    Align2::LEFT_CENTER,
                    cell,
                    font(),
                    colour,
                );
                left += width;
            }
            response
        };
        ui.spacing_mut().item_spacing.y = 0.0;
        ui.vertical(|ui| {
            line(ui, &header, palette.weak, Sense::hover());
            ScrollArea::vertical().auto_shrink(false).show_rows(ui, ROW_HEIGHT, table.len(), |ui, rows| {
                for index in rows {
                    let Some(cells) = table.row(index) else { continue };
                    let response = line(ui, &cells, palette.text, Sense::click());
                    response.widget_info(|| {
                        eframe::egui::WidgetInfo::labeled(
                            eframe::egui::Role::Button,
                            true,
                            format!("Presentation {index}"),
                        )
                    });
                    if response.on_hover_text("Click to see this presentation").clicked() {
                        clicked = Some(index);
                    }
                }
            });
        });
    });
    clicked
}

/// Widths of the columns, points: that of the longest word among the header and rows from all over the table.
fn widths(table: &ConditionTable<'_>, header: &[String], ui: &Ui) -> Vec<f32> {
    let mut longest = header.to_vec();
    let step = table.len().div_ceil(MEASURED).max(1);
    for index in (0..table.len()).step_by(step).chain(table.len().checked_sub(1)) {
        for (longest, cell) in longest.iter_mut().zip(table.row(index).unwrap_or_default()) {
            if cell.chars().count() > longest.chars().count() {
                *longest = cell;
            }
        }
    }
    let width = |text| ui.painter().layout_no_wrap(text, font(), Color32::WHITE).size().x;
    longest.into_iter().map(|text| width(text) + CELL_GAP).collect()
}

/// The font of the cells.
fn font() -> FontId {
    FontId::proportional(12.5)
}
