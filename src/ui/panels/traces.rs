//! The response of the selected unit over time, with the presentations shaded.

use std::ops::Range;
use std::sync::Arc;

use eframe::egui::{RichText, Stroke, Ui, Vec2b, pos2};
use egui_plot::{HoverPosition, Line, Plot, PlotBounds, PlotPoint, Span, VLine, uniform_grid_spacer};

use super::{Panel, Place};
use crate::stimulus::schedule::Presentation;
use crate::ui::theme::Palette;
use crate::ui::view::{Action, View};
use crate::ui::widgets::{arrow, badge};
use crate::workbench::{Answer, Workbench};

/// Room that the plot gives to each number of the time axis, points.
const MARK_WIDTH: f32 = 76.0;

/// Narrowest presentation that shows its direction, points.
const ARROW_WIDTH: f32 = 10.0;

/// One unit, all frames.
#[derive(Default)]
pub struct Traces {
    trace: Option<Trace>,
}

/// The values of one unit side by side: in the answer they lie far apart, and the window is drawn many times a second.
struct Trace {
    answer: Arc<Answer>,
    unit: usize,
    values: Vec<f32>,
    lowest: f32,
    highest: f32,
}

impl Trace {
    fn new(answer: &Arc<Answer>, unit: usize) -> Self {
        let values: Vec<f32> = answer.outcome.responses.trace(0, unit).collect();
        let lowest = values.iter().copied().fold(0.0, f32::min);
        let highest = values.iter().copied().fold(0.0, f32::max);
        Self { answer: Arc::clone(answer), unit, values, lowest, highest }
    }

    fn is_of(&self, answer: &Arc<Answer>, unit: usize) -> bool {
        Arc::ptr_eq(&self.answer, answer) && self.unit == unit
    }
}

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
        let name = answer.unit_name(unit);
        badge::head(ui, "Response", |ui| {
            ui.label(RichText::new(format!("unit {name}")).color(palette.weak)).on_hover_text(
                "Click in the plot to show a moment on the stimulus screen; drag and zoom to look closer; \
                 double-click to see everything",
            );
        });
        badge::origin(bench, ui);
        let rate = outcome.monitor.frame_rate;
        let trace = match self.trace.take() {
            Some(trace) if trace.is_of(answer, unit) => trace,
            _ => Trace::new(answer, unit),
        };
        let trace = &*self.trace.insert(trace);
        let presentations = &outcome.schedule.presentations;
        let columns = (ui.available_width() as usize).max(1);
        let mut drawn_for = None;
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
            .include_y(f64::from(trace.lowest))
            .include_y(f64::from(trace.highest))
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
                let bounds = plot.plot_bounds();
                drawn_for = Some(bounds);
                let frames = in_view(&bounds, rate.0, trace.values.len());
                let pixel = ((bounds.width() * rate.0) as usize).min(trace.values.len()) / columns;
                for shade in shades(shown_in(presentations, &frames), pixel) {
                    let (from, to) = (rate.secs_at(shade.start), rate.secs_at(shade.end));
                    plot.span(Span::new("", from..=to).fill(palette.shade).border(Stroke::NONE));
                }
                let points: Vec<[f64; 2]> = outline(&trace.values, frames, pixel)
                    .into_iter()
                    .map(|frame| [rate.secs_at(frame), f64::from(trace.values[frame])])
                    .collect();
                plot.line(Line::new("Response", points).color(palette.data).width(1.5));
                if position <= length {
                    plot.vline(VLine::new("Now", position).color(palette.playhead).width(1.5));
                }
            });
        let transform = response.transform;
        if drawn_for.is_some_and(|bounds| bounds != *transform.bounds()) {
            ui.ctx().request_repaint(); // what has come into view is drawn next time
        }
        let painter = ui.painter_at(*transform.frame());
        let seen = shown_in(presentations, &in_view(transform.bounds(), rate.0, trace.values.len()));
        // Where so many fit beside one another, none is wide enough.
        let seen = if seen.len() as f32 * ARROW_WIDTH <= 4.0 * transform.frame().width() { seen } else { &[] };
        for shown in seen {
            let Some(direction) = outcome.schedule.conditions.get(shown.condition).and_then(|c| c.direction_deg())
            else {
                continue;
            };
            let (from, to) = (rate.secs_at(shown.onset_frame), rate.secs_at(shown.onset_frame + shown.frames));
            let screen = |secs: f64| transform.position_from_point(&PlotPoint::new(secs, 0.0)).x;
            let width = screen(to) - screen(from);
            if width >= ARROW_WIDTH {
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

/// Frames of a movie that are in view, with as many again to either side: drawing is one frame of the window behind.
fn in_view(bounds: &PlotBounds, rate: f64, frames: usize) -> Range<usize> {
    if !bounds.is_valid_x() {
        return 0..frames;
    }
    let frame = |secs: f64| ((secs * rate).max(0.0) as usize).min(frames);
    let (from, to) = (bounds.min()[0], bounds.max()[0]);
    frame(from - bounds.width())..frame(to + bounds.width() + 1.0)
}

/// The presentations that have a part in these frames.
fn shown_in<'a>(presentations: &'a [Presentation], frames: &Range<usize>) -> &'a [Presentation] {
    let from = presentations.partition_point(|shown| shown.range().end <= frames.start);
    let to = presentations.partition_point(|shown| shown.onset_frame < frames.end);
    presentations.get(from..to).unwrap_or_default()
}

/// Frames with a presentation; what is less than a pixel apart is drawn as one.
fn shades(presentations: &[Presentation], pixel: usize) -> Vec<Range<usize>> {
    let mut shades: Vec<Range<usize>> = Vec::new();
    for shown in presentations {
        match shades.last_mut() {
            Some(last) if shown.onset_frame < last.end + pixel => last.end = shown.range().end,
            _ => shades.push(shown.range()),
        }
    }
    shades
}

/// The frames that a line through a trace must touch to look like the whole: the lowest and the highest of each pixel.
fn outline(values: &[f32], frames: Range<usize>, pixel: usize) -> Vec<usize> {
    if pixel < 3 {
        return frames.collect();
    }
    let mut outline = Vec::new();
    let mut start = frames.start - frames.start % pixel; // the same pieces wherever the view begins
    while start < frames.end {
        let end = (start + pixel).min(values.len());
        let by_value = |a: &usize, b: &usize| values[*a].total_cmp(&values[*b]);
        if let (Some(low), Some(high)) = ((start..end).min_by(by_value), (start..end).max_by(by_value)) {
            outline.push(low.min(high));
            if low != high {
                outline.push(low.max(high));
            }
        }
        start += pixel;
    }
    outline
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
    fn a_long_trace_is_outlined_by_the_extremes_of_each_pixel() {
        let mut values = vec![1.0; 1000];
        (values[503], values[507]) = (-4.0, 9.0);
        let outline = outline(&values, 5..1000, 10);
        assert!(outline.contains(&503) && outline.contains(&507), "no peak is lost");
        assert!(outline.len() <= 200 && outline.is_sorted());
        assert_eq!(super::outline(&values, 20..25, 2), [20, 21, 22, 23, 24], "a short one is drawn as it is");
    }

    #[test]
    fn only_what_is_in_view_is_shaded() {
        let shown =
            |index: usize| Presentation { condition: 0, repeat: 0, onset_frame: 10 + 20 * index, frames: 15, seed: 0 };
        let presentations: Vec<Presentation> = (0..100).map(shown).collect();
        let seen = shown_in(&presentations, &(25..51));
        assert_eq!(shades(seen, 0), [30..45, 50..65]);
        assert_eq!(shades(seen, 6), vec![30..65; 1], "gaps of less than a pixel are not seen");
        assert!(shown_in(&presentations, &(3000..4000)).is_empty());
    }

    #[test]
    fn an_axis_has_neither_one_mark_nor_a_crowd() {
        for range in [0.013, 0.4, 1.0, 2.3, 6.4, 9.99, 64.5, 3600.0] {
            let count = range / marks((0.0, range), 8.0)[0];
            assert!((3.0..=8.0).contains(&count), "{count} marks over {range}");
        }
        assert!(marks((0.0, 0.0), 8.0)[0] > 0.0);
    }
}
