//! Response of one unit over time, with the presentations behind it.

use plotters::prelude::DrawingBackend;

use super::canvas::{Align, Area, CAPITALS_MM, Canvas, Text};
use super::plot::{Plot, Tick, frame, ticks_from_zero};
use super::style::{BLUE, DATA_PT, GRID_PT, INK, PAGE_MM, QUIET, SHADE};
use super::{Data, unit_name};

pub const SIZE_MM: (f64, f64) = (PAGE_MM, 62.0);

/// Longest stretch shown, seconds: more would not be told apart on a page.
const MOST_SECS: f64 = 40.0;

pub fn draw<B: DrawingBackend>(canvas: &mut Canvas<'_, B>, data: &Data<'_>, unit: usize) {
    let title = format!("{}: {}", data.title, unit_name(&data.units[unit]));
    frame(canvas, SIZE_MM, &title, &[caption(data)], &data.notice);
    panel(canvas, Area::new(17.0, 15.0, PAGE_MM - 6.0, 42.0), data, unit);
}

pub fn caption(data: &Data<'_>) -> String {
    let (shown, all) = (shown_frames(data), data.responses.frames());
    let secs = data.frame_rate.secs_at(all);
    let part = if shown < all {
        format!(" The first {:.0} of {secs:.0} s.", data.frame_rate.secs_at(shown))
    } else {
        String::new()
    };
    let arrows = if data.tuning.is_some() { "; arrows: direction of motion" } else { "" };
    format!("Grey: presentations{arrows}. Dashed: the unit's mean activity.{part}")
}

/// Frames from the start that are shown: whole presentations where they fit.
fn shown_frames(data: &Data<'_>) -> usize {
    let most = data.frame_rate.frames_in(MOST_SECS);
    let all = data.responses.frames();
    if all <= most {
        return all;
    }
    let ends = data.schedule.presentations.windows(2).map(|pair| pair[1].onset_frame);
    ends.filter(|&end| end <= most).max().unwrap_or(most).clamp(1, all)
}

pub fn panel<B: DrawingBackend>(canvas: &mut Canvas<'_, B>, area: Area, data: &Data<'_>, unit: usize) {
    let frames = shown_frames(data);
    let secs_at = |frame: usize| data.frame_rate.secs_at(frame);
    let values: Vec<f64> = data.responses.trace(0, unit).take(frames).map(f64::from).collect();
    let y_ticks = ticks_from_zero(values.iter().copied().fold(1.0, f64::max), 4);
    let end = secs_at(frames);
    let x_ticks: Vec<Tick> = ticks_from_zero(end, 8).into_iter().filter(|(secs, _)| *secs <= end * 1.0001).collect();
    let top = y_ticks.last().map_or(1.0, |(value, _)| *value);
    let plot = Plot { area, x: (0.0, end), y: (0.0, top) };
    for shown in data.schedule.presentations.iter().filter(|shown| shown.onset_frame < frames) {
        let (left, _) = plot.at(secs_at(shown.onset_frame), 0.0);
        let (right, _) = plot.at(secs_at((shown.onset_frame + shown.frames).min(frames)), 0.0);
        canvas.rectangle(Area::new(left, area.top, right, area.bottom), SHADE);
        let direction = data.schedule.conditions.get(shown.condition).and_then(|condition| condition.direction_deg());
        let length = (right - left).min(3.2);
        if let (Some(degrees), true) = (direction, length > 1.2) {
            canvas.direction_arrow(((left + right) / 2.0, area.top - 2.4), degrees, length, INK);
        }
    }
    let (_, mean) = plot.at(0.0, 1.0);
    let mut dash = area.left;
    while dash < area.right {
        canvas.line(&[(dash, mean), ((dash + 1.2).min(area.right), mean)], GRID_PT, QUIET);
        dash += 2.2;
    }
    let at_middle = |frame: usize, value: f64| plot.at((frame as f64 + 0.5) / data.frame_rate.0, value.max(0.0));
    let line: Vec<_> = values.iter().enumerate().map(|(frame, &value)| at_middle(frame, value)).collect();
    canvas.line(&line, DATA_PT, BLUE);
    plot.axes(canvas, (&x_ticks, "Time (s)"), (&y_ticks, "Response (× mean)"));
    if data.schedule.presentations.is_empty() {
        let above = (area.right, area.top - CAPITALS_MM);
        canvas.text(above, "nothing was shown", Text::QUIET.aligned(Align::Right));
    }
}
