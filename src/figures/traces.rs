//! Response of one unit over time, with the presentations behind it.

use super::canvas::{Align, Area, CAPITALS_MM, Canvas, Text};
use super::numbers::{Entry, Series, rounded};
use super::plot::{Plot, Tick, ticks_from_zero};
use super::style::{BLUE, DATA_PT, GRID_PT, INK, PAGE_MM, QUIET, SHADE};
use super::{Data, parameter_tuning, unit_name};
use crate::stimulus::FieldKind;
use crate::stimulus::schedule::Presentation;

/// White between presentations that follow one another at once, mm.
const GAP_MM: f64 = 0.3;

/// Longest stretch shown on a whole page, seconds: more would not be told apart.
const MOST_SECS: f64 = 40.0;

pub const HEIGHT_MM: f64 = 44.0;

/// From the left and right edges of the page to the axis of time, mm.
const LEFT_MM: f64 = 17.0;
const RIGHT_MM: f64 = 6.0;

pub fn draw(canvas: &mut Canvas, width: f64, data: &Data<'_>, unit: usize) {
    let area = Area::new(LEFT_MM, 7.0, width - RIGHT_MM, 34.0);
    panel(canvas, area, data, unit, width);
}

/// The line, point by point.
pub fn table(data: &Data<'_>, width: f64, unit: usize) -> Vec<Series> {
    let values = data.responses.trace(unit, shown_frames(data, width)).into_iter();
    let secs = |frame: usize| (frame as f64 + 0.5) / data.frame_rate.0;
    vec![Series {
        panel: String::new(),
        name: unit_name(&data.units[unit]),
        x_label: "Time (s)".to_owned(),
        y_label: "Response (× mean)".to_owned(),
        points: values.enumerate().map(|(frame, value)| Entry::new(rounded(secs(frame)), f64::from(value))).collect(),
    }]
}

pub fn caption(data: &Data<'_>, width: f64) -> String {
    let (shown, all) = (shown_frames(data, width), data.responses.frames());
    let secs = data.frame_rate.secs_at(all);
    let part = if shown < all {
        format!(" The first {:.0} of {secs:.0} s.", data.frame_rate.secs_at(shown))
    } else {
        String::new()
    };
    let values = match data.parameter.filter(|_| values_fit(data, width)) {
        Some(tuning) => {
            let sort = if tuning.field.kind == FieldKind::Number { "numbers" } else { "words" };
            format!("; {sort}: {}", within_sentence(&parameter_tuning::label_of(&tuning.field)))
        }
        None => String::new(),
    };
    let arrows = if data.tuning.is_some() { "; arrows: direction of motion" } else { "" };
    let passes = match data.responses.samples() {
        1 => "n = 1 pass, not averaged".to_owned(),
        samples => format!("n = 1 pass, the first of {samples}"),
    };
    format!("Grey: presentations{values}{arrows}. Dashed: the unit's mean activity. {passes}.{part}")
}

/// A label with a small letter, unless it begins with an abbreviation.
fn within_sentence(label: &str) -> String {
    let mut letters = label.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() => first.to_lowercase().chain(letters).collect(),
        _ => label.to_owned(),
    }
}

/// The value of the parameter that is analysed in a presentation, as text.
fn value_of(data: &Data<'_>, shown: &Presentation) -> Option<String> {
    let tuning = data.parameter?;
    let value = data.schedule.conditions.get(shown.condition)?.swept(&tuning.key)?;
    let index = tuning.values.iter().position(|&known| known == value)?;
    Some(parameter_tuning::short(tuning, index))
}

/// Whether these texts do not touch above the presentations that are shown.
fn values_fit(data: &Data<'_>, width: f64) -> bool {
    let frames = shown_frames(data, width);
    let texts = data.schedule.presentations.iter().take_while(|shown| shown.onset_frame < frames).filter_map(|shown| {
        let middle = (shown.onset_frame as f64 + shown.frames as f64 / 2.0) / frames as f64;
        let text = value_of(data, shown)?;
        Some((middle * (width - LEFT_MM - RIGHT_MM), Text::NORMAL.width_mm(&text) / 2.0))
    });
    let texts: Vec<(f64, f64)> = texts.collect();
    texts.windows(2).all(|pair| pair[1].0 - pair[0].0 >= pair[0].1 + pair[1].1 + 1.0)
}

/// Frames from the start that are shown: whole presentations where they fit.
fn shown_frames(data: &Data<'_>, width: f64) -> usize {
    let most = data.frame_rate.frames_in(MOST_SECS * width / PAGE_MM);
    let all = data.responses.frames();
    if all <= most {
        return all;
    }
    let ends = data.schedule.presentations.windows(2).map(|pair| pair[1].onset_frame);
    ends.filter(|&end| end <= most).max().unwrap_or(most).clamp(1, all)
}

fn panel(canvas: &mut Canvas, area: Area, data: &Data<'_>, unit: usize, width: f64) {
    let frames = shown_frames(data, width);
    let secs_at = |frame: usize| data.frame_rate.secs_at(frame);
    let values: Vec<f64> = data.responses.trace(unit, frames).into_iter().map(f64::from).collect();
    let y_ticks = ticks_from_zero(values.iter().copied().fold(1.0, f64::max), 4);
    let end = secs_at(frames);
    let x_ticks: Vec<Tick> = ticks_from_zero(end, 8).into_iter().filter(|(secs, _)| *secs <= end * 1.0001).collect();
    let top = y_ticks.last().map_or(1.0, |(value, _)| *value);
    let plot = Plot { area, x: (0.0, end), y: (0.0, top) };
    let with_values = data.parameter.is_some() && values_fit(data, width);
    let presentations = &data.schedule.presentations;
    for (index, shown) in presentations.iter().enumerate().take_while(|(_, shown)| shown.onset_frame < frames) {
        let next = presentations.get(index + 1).map(|next| next.onset_frame);
        let (left, _) = plot.at(secs_at(shown.onset_frame), 0.0);
        let (right, _) = plot.at(secs_at((shown.onset_frame + shown.frames).min(frames)), 0.0);
        // Presentations that follow one another without a blank are told apart, where they are wide enough.
        let gap =
            if next == Some(shown.onset_frame + shown.frames) && right - left > 4.0 * GAP_MM { GAP_MM } else { 0.0 };
        canvas.rectangle(Area::new(left, area.top, right - gap, area.bottom), SHADE);
        let direction = data.schedule.conditions.get(shown.condition).and_then(|condition| condition.direction_deg());
        let length = (right - left).min(3.2);
        let middle = (left + right) / 2.0;
        if let (Some(degrees), true) = (direction, length > 1.2) {
            canvas.direction_arrow((middle, area.top - if with_values { 5.2 } else { 2.4 }), degrees, length, INK);
        }
        if let (Some(value), true) = (value_of(data, shown), with_values) {
            canvas.text((middle, area.top - 1.2), &value, Text::NORMAL.aligned(Align::Centre));
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
