//! The response of the selected unit over time, with the presentations shaded.

use eframe::egui::{RichText, Stroke, Ui, Vec2b, pos2};
use egui_plot::{HoverPosition, Line, Plot, PlotPoint, PlotPoints, Span, VLine, uniform_grid_spacer};

use super::{Panel, Place};
use crate::ui::theme::Palette;
use crate::ui::view::{Action, View};
use crate::ui::widgets::{arrow, badge};
use crate::workbench::{Workbench, unit_name};

/// Room that the plot gives to each number of the time axis, points.
const MARK_WIDTH: f32 = 76.0;

/// One unit, all frames.
pub struct Traces;

impl Panel for Traces {
    fn name(&self) -> &'static str {
        "traces"
    }

    fn place(&self) -> Place {
        Place::Centre(28)
    }

    fn ui(&mut self, bench: &Workbench, view: &mut View, ui: &mut Ui) -> Vec<Action> {
        let Some(answer) = bench.answer() else {
            badge::head(ui, "Response", |_| ());
            badge::waiting(bench, ui);
            return Vec::new();
        };
        let palette = Palette::of(ui);
        let unit = bench.unit();
        let outcome = &answer.outcome;
        let name = outcome.units.get(unit).map(unit_name).unwrap_or_default();
        badge::head(ui, "Response", |ui| {
            ui.label(RichText::new(format!("unit {name}")).color(palette.weak)).on_hover_text(
                "Click in the plot to show a moment on the stimulus screen; drag and zoom to look closer; \
                 double-click to see everything",
            );
        });
        badge::origin(bench, ui);
        let rate = outcome.monitor.frame_rate;
        let points: PlotPoints = outcome
            .responses
            .trace(0, unit)
            .enumerate()
            .map(|(frame, value)| [rate.secs_at(frame), f64::from(value)])
            .collect();
        let position = view.position_secs;
        let length = rate.secs_at(outcome.schedule.frames);
        let most_marks = f64::from((ui.available_width() / MARK_WIDTH).max(2.0));
        let response = Plot::new("traces")
            .allow_scroll(false)
            .allow_zoom(Vec2b::new(true, false))
            .allow_drag(Vec2b::new(true, false))
            .allow_boxed_zoom(false)
            .include_x(0.0)
            .include_x(length)
            .include_y(0.0)
            .set_margin_fraction(eframe::egui::vec2(0.0, 0.14))
            .x_axis_label(RichText::new("Time (s)").small())
            .y_axis_label(RichText::new("× mean").small())
            .grid_color(palette.line)
            .x_grid_spacer(uniform_grid_spacer(|input| marks(input.bounds, most_marks)))
            .y_grid_spacer(uniform_grid_spacer(|input| marks(input.bounds, 4.0)))
            .grid_spacing(28.0..=220.0)
            .label_formatter(|hover| match hover {
                HoverPosition::NearDataPoint { position, .. } => {
                    Some(format!("{:.2} s: {:.2} × mean", position.x, position.y))
                }
                HoverPosition::Elsewhere { .. } => None,
            })
            .show(ui, |plot| {
                for shown in &outcome.schedule.presentations {
                    let (from, to) = (rate.secs_at(shown.onset_frame), rate.secs_at(shown.onset_frame + shown.frames));
                    plot.span(Span::new("", from..=to).fill(palette.shade).border(Stroke::NONE));
                }
                plot.line(Line::new("Response", points).color(palette.data).width(1.5));
                if position <= length {
                    plot.vline(VLine::new("Now", position).color(palette.playhead).width(1.5));
                }
            });
        let transform = response.transform;
        let painter = ui.painter_at(*transform.frame());
        for shown in &outcome.schedule.presentations {
            let Some(direction) = outcome.schedule.conditions.get(shown.condition).and_then(|c| c.direction_deg) else {
                continue;
            };
            let (from, to) = (rate.secs_at(shown.onset_frame), rate.secs_at(shown.onset_frame + shown.frames));
            let screen = |secs: f64| transform.position_from_point(&PlotPoint::new(secs, 0.0)).x;
            let width = screen(to) - screen(from);
            if width >= 10.0 {
                let at = pos2(screen((from + to) / 2.0), transform.frame().top() + 10.0);
                arrow::paint(&painter, at, width.min(13.0), direction, Stroke::new(1.4, palette.weak));
            }
        }
        let plot = response.response;
        if plot.clicked()
            && let Some(pointer) = plot.interact_pointer_pos()
        {
            view.position_secs = transform.value_from_position(pointer).x.clamp(0.0, length);
        }
        Vec::new()
    }
}

/// Distances of thin, middle and thick lines of an axis: 1, 2 or 5 times a power of ten, so that no more than `most`
/// thin ones fit.
fn marks((from, to): (f64, f64), most: f64) -> [f64; 3] {
    let range = to - from;
    let step = if range.is_finite() && range > 0.0 {
        let power = 10.0_f64.powf((range / most).log10().floor());
        let parts = [1.0, 2.0, 5.0].into_iter().map(|part| part * power);
        parts.into_iter().find(|step| range / step <= most).unwrap_or(10.0 * power)
    } else {
        1.0
    };
    [step, step * 10.0, step * 100.0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_has_neither_one_mark_nor_a_crowd() {
        for range in [0.013, 0.4, 1.0, 2.3, 6.4, 9.99, 64.5, 3600.0] {
            let count = range / marks((0.0, range), 8.0)[0];
            assert!((3.0..=8.0).contains(&count), "{count} marks over {range}");
        }
        assert!(marks((0.0, 0.0), 8.0)[0] > 0.0);
    }
}
