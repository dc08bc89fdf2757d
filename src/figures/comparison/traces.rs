//! Responses of a few units over one movie: recorded repeats, their mean, and the prediction; a row for each unit.

use super::super::canvas::{Align, Area, Canvas, Text};
use super::super::numbers::{Entry, Series, rounded};
use super::super::page::NARROW_MM;
use super::super::plot::{LINE_MM, MARGIN_MM, Plot, Tick, ticks_from_zero};
use super::super::style::{DATA_PT, GRID, GRID_PT, INK, SHADE, VERMILLION};
use super::directions::unit_number;
use super::panel;
use crate::comparison::{Comparison, Example, Examples, LEAST_CEILING};

/// Edges of the panels, height of one and from one to the next, baseline of the legend's first line, mm.
const LEFT_MM: f64 = 17.0;
const RIGHT_MM: f64 = 6.0;
const LEGEND_MM: f64 = 2.5;
const TOP_MM: f64 = 10.0;
const HEIGHT_MM: f64 = 20.0;
const STEP_MM: f64 = 28.0;
/// Longest stretch shown, seconds.
const MOST_SECS: f64 = 12.0;
/// Most repeats drawn one by one: more would be one grey area.
const MOST_REPEATS: usize = 30;

/// Lines of the legend.
fn legend_lines(page: f64) -> f64 {
    if page < NARROW_MM { 2.0 } else { 1.0 }
}

/// Top of the first panel, mm.
fn top(page: f64) -> f64 {
    TOP_MM + LINE_MM * (legend_lines(page) - 1.0)
}

pub fn height(examples: &Examples, page: f64) -> f64 {
    top(page) + STEP_MM * examples.units.len() as f64 + 1.0
}

pub fn caption(comparison: &Comparison, examples: &Examples) -> Vec<String> {
    let shown = shown_frames(comparison, examples);
    let all = examples.units.first().map_or(0, |example| example.predicted.len());
    let repeats = examples.units.first().map_or(0, |example| example.repeats.len());
    let part = if shown < all {
        let secs = |frames: usize| comparison.frame_rate.secs_at(frames);
        format!(" The first {:.0} of {:.0} s.", secs(shown), secs(all))
    } else {
        String::new()
    };
    let movie = examples.movie.as_deref().map(|movie| format!(": {movie}")).unwrap_or_default();
    let count = if repeats == 1 { "1 repeat".to_owned() } else { format!("{repeats} repeats") };
    let ranked = examples.units.iter().any(|example| !example.rank.is_empty());
    let rank = format!(" Units by rank of CC_norm among those of CC_max ≥ {LEAST_CEILING} (else of CC_abs).");
    let rank = if ranked { rank.as_str() } else { "" };
    vec![
        format!("{}{movie}.", examples.domain),
        format!("n = {count}.{rank} Shaded: burn-in, which counts nothing.{part}"),
    ]
}

pub fn draw(canvas: &mut Canvas, page: f64, comparison: &Comparison, examples: &Examples) {
    let shown = shown_frames(comparison, examples);
    let mut at = (MARGIN_MM, LEGEND_MM);
    for (index, (line, text)) in [
        ((GREY, GRID_PT), "recorded, each repeat"),
        ((INK, DATA_PT), "recorded, mean"),
        ((VERMILLION, DATA_PT), "predicted, mean"),
    ]
    .into_iter()
    .enumerate()
    {
        if index == 2 && legend_lines(page) > 1.0 {
            at = (MARGIN_MM, LEGEND_MM + LINE_MM);
        }
        at.0 = panel::legend(canvas, at, line, text);
    }
    for (row, example) in examples.units.iter().enumerate() {
        let top = top(page) + STEP_MM * row as f64;
        let area = Area::new(LEFT_MM, top, page - RIGHT_MM, top + HEIGHT_MM);
        let last = row + 1 == examples.units.len();
        of_unit(canvas, area, comparison, (examples, example), shown, last);
    }
}

/// Lighter than the mean, darker than a grid.
const GREY: plotters::style::RGBColor = plotters::style::RGBColor(0xa8, 0xa8, 0xa8);

fn shown_frames(comparison: &Comparison, examples: &Examples) -> usize {
    let all = examples.units.first().map_or(0, |example| example.predicted.len());
    all.min(comparison.frame_rate.frames_in(MOST_SECS).max(1))
}

fn of_unit(
    canvas: &mut Canvas,
    area: Area,
    comparison: &Comparison,
    (examples, example): (&Examples, &Example),
    frames: usize,
    last: bool,
) {
    let evaluation = &comparison.evaluation;
    let found = evaluation.domain(&examples.domain).and_then(|domain| domain.units.get(example.unit));
    let number = evaluation.units.get(example.unit).map_or(0, |id| id.unit);
    let said = |name: &str, value: Option<f64>| value.map(|value| format!(", {name} {value:.2}")).unwrap_or_default();
    let numbers = found
        .map(|found| said("CC_norm", found.cc_norm) + &said("CC_abs", found.cc_abs) + &said("CC_max", found.cc_max));
    let title = format!("Unit {number}{}{}", rank(example), numbers.unwrap_or_default()).replace('-', "−");
    canvas.fitted_text((area.left, area.top - 1.6), &title, area.width(), Text::NORMAL);

    let mean = example.mean();
    let top = robust_top(example, &mean, frames);
    let y_ticks = ticks_from_zero(top, 2);
    let top = y_ticks.last().map_or(top, |(value, _)| *value);
    let lowest = example.repeats.iter().flat_map(|repeat| repeat.iter().take(frames)).copied().fold(0.0, f32::min);
    let low = if f64::from(lowest) < -0.05 * top { f64::from(lowest).max(-top) } else { 0.0 };
    let end = comparison.frame_rate.secs_at(frames);
    let plot = Plot { area, x: (0.0, end), y: (low, top) };
    let burnin = comparison.frame_rate.secs_at(evaluation.selection.burnin_frames.min(frames));
    canvas.rectangle(Area::new(area.left, area.top, plot.at(burnin, 0.0).0, area.bottom), SHADE);
    let line = |values: &mut dyn Iterator<Item = f32>| -> Vec<Vec<(f64, f64)>> {
        // Interrupted where nothing was measured.
        let mut pieces = vec![Vec::new()];
        for (frame, value) in values.take(frames).enumerate() {
            let secs = (frame as f64 + 0.5) / comparison.frame_rate.0;
            match (value.is_nan(), pieces.last_mut()) {
                (false, Some(piece)) => piece.push(plot.at(secs, f64::from(value).clamp(low, top))),
                _ => pieces.push(Vec::new()),
            }
        }
        pieces.retain(|piece| !piece.is_empty());
        pieces
    };
    let mut stroke = |pieces: Vec<Vec<(f64, f64)>>, width, colour| {
        pieces.iter().for_each(|piece| canvas.line(piece, width, colour));
    };
    for repeat in example.repeats.iter().take(MOST_REPEATS) {
        stroke(line(&mut repeat.iter().copied()), GRID_PT, GREY);
    }
    stroke(line(&mut mean.iter().copied()), DATA_PT, INK);
    stroke(line(&mut example.predicted.iter().copied()), DATA_PT, VERMILLION);
    let x_ticks: Vec<Tick> = ticks_from_zero(end, 8).into_iter().filter(|(secs, _)| *secs <= end * 1.0001).collect();
    let plain: Vec<Tick> = x_ticks.iter().map(|(secs, _)| (*secs, String::new())).collect();
    if last {
        plot.axes(canvas, (&x_ticks, "Time (s)"), (&y_ticks, "Response (× mean)"));
    } else {
        plot.axes(canvas, (&plain, ""), (&y_ticks, "Response (× mean)"));
    }
    if example.repeats.is_empty() {
        canvas.text(area.centre(), "nothing was recorded", Text::QUIET.aligned(Align::Centre));
        canvas.line(&[(area.left, area.bottom), (area.right, area.bottom)], GRID_PT, GRID);
    }
}

/// Its rank after a comma; nothing where it has none.
fn rank(example: &Example) -> String {
    if example.rank.is_empty() { String::new() } else { format!(", {}", example.rank) }
}

/// The mean and the prediction are seen whole, and all but the highest hundredth of single responses.
fn robust_top(example: &Example, mean: &[f32], frames: usize) -> f64 {
    let singles: Vec<f64> = (example.repeats.iter().take(MOST_REPEATS))
        .flat_map(|repeat| repeat.iter().take(frames))
        .filter(|value| !value.is_nan())
        .map(|&value| f64::from(value))
        .collect();
    let high = crate::analysis::statistics::moments::quantile(&singles, 0.99).unwrap_or(1.0);
    let means = mean.iter().chain(&example.predicted).take(2 * frames).filter(|value| !value.is_nan());
    means.map(|&value| f64::from(value)).fold(high.max(1e-3), f64::max)
}

pub fn numbers(comparison: &Comparison, examples: &Examples) -> Vec<Series> {
    let secs = |frame: usize| rounded((frame as f64 + 0.5) / comparison.frame_rate.0);
    let of_unit = |example: &Example| {
        let name = format!("unit {}{}", unit_number(comparison, example.unit), rank(example));
        let line = |what: &str, values: &[f32], over: Option<usize>| {
            let entry = |(frame, &value): (usize, &f32)| Entry {
                n: over,
                ..Entry::new(secs(frame), (!value.is_nan()).then_some(f64::from(value)))
            };
            let points = values.iter().enumerate().map(entry).collect();
            panel::series(&name, what, ("Time (s)", "Response (× mean)"), points)
        };
        let repeats = example.repeats.iter().enumerate();
        let singles = repeats.map(|(index, repeat)| line(&format!("recorded, repeat {}", index + 1), repeat, None));
        let n = Some(example.repeats.len());
        let means = [line("recorded, mean", &example.mean(), n), line("predicted, mean", &example.predicted, n)];
        means.into_iter().chain(singles).collect::<Vec<_>>()
    };
    examples.units.iter().flat_map(of_unit).collect()
}
