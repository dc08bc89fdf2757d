//! Responses of a few units over one movie: recorded repeats, their mean, and the prediction; a row for each unit.

use std::io::Write;

use plotters::prelude::DrawingBackend;

use super::super::canvas::{Align, Area, Canvas, Text};
use super::super::plot::{LINE_MM, Plot, Tick, ticks_from_zero};
use super::super::style::{DATA_PT, GRID, GRID_PT, INK, PAGE_MM, SHADE, VERMILLION};
use super::panel::{self, Head};
use crate::comparison::{Comparison, Example, Examples, LEAST_CEILING};

/// Edges of the panels, height of one and from one to the next, mm.
const LEFT_MM: f64 = 17.0;
const TOP_MM: f64 = 19.0;
const HEIGHT_MM: f64 = 20.0;
const STEP_MM: f64 = 28.0;
/// Longest stretch shown, seconds.
const MOST_SECS: f64 = 12.0;
/// Most repeats drawn one by one: more would be one grey area.
const MOST_REPEATS: usize = 30;

pub fn height_mm(examples: &Examples) -> f64 {
    TOP_MM + STEP_MM * examples.units.len() as f64 + 2.0 + 3.0 * LINE_MM
}

pub fn draw<B: DrawingBackend>(
    canvas: &mut Canvas<'_, B>,
    head: Head<'_>,
    comparison: &Comparison,
    examples: &Examples,
) {
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
    head.draw(
        canvas,
        &[
            format!("{}{movie}.", examples.domain),
            format!(
                "n = {count}. Units by rank of CC_norm among those of CC_max ≥ {LEAST_CEILING} (else of CC_abs). Shaded: burn-in, which counts nothing.{part}"
            ),
        ],
    );
    let mut at = MARGIN;
    for (line, text) in [
        ((GREY, GRID_PT), "recorded, each repeat"),
        ((INK, DATA_PT), "recorded, mean"),
        ((VERMILLION, DATA_PT), "predicted, mean"),
    ] {
        at = panel::legend(canvas, (at, 10.5), line, text);
    }
    for (row, example) in examples.units.iter().enumerate() {
        let top = TOP_MM + STEP_MM * row as f64;
        let area = Area::new(LEFT_MM, top, PAGE_MM - 6.0, top + HEIGHT_MM);
        let last = row + 1 == examples.units.len();
        of_unit(canvas, area, comparison, (examples, example), shown, last);
    }
}

const MARGIN: f64 = super::super::plot::MARGIN_MM;
/// Lighter than the mean, darker than a grid.
const GREY: plotters::style::RGBColor = plotters::style::RGBColor(0xa8, 0xa8, 0xa8);

fn shown_frames(comparison: &Comparison, examples: &Examples) -> usize {
    let all = examples.units.first().map_or(0, |example| example.predicted.len());
    all.min(comparison.frame_rate.frames_in(MOST_SECS).max(1))
}

fn of_unit<B: DrawingBackend>(
    canvas: &mut Canvas<'_, B>,
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
    let title = format!("Unit {number}, {}{}", example.rank, numbers.unwrap_or_default()).replace('-', "−");
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

pub fn write_csv(comparison: &Comparison, examples: &Examples, to: &mut dyn Write) -> std::io::Result<()> {
    let mut table = csv::Writer::from_writer(to);
    let repeats = examples.units.first().map_or(0, |example| example.repeats.len());
    let first = ["unit", "rank", "frame", "secs", "predicted_mean", "recorded_mean"].map(str::to_owned);
    table.write_record(first.into_iter().chain((1..=repeats).map(|repeat| format!("recorded_{repeat}"))))?;
    // What was not measured is left empty.
    let text = |value: f32| if value.is_nan() { String::new() } else { value.to_string() };
    for example in &examples.units {
        let number = comparison.evaluation.units.get(example.unit).map_or(0, |id| id.unit);
        let mean = example.mean();
        for (frame, &predicted) in example.predicted.iter().enumerate() {
            let secs = comparison.frame_rate.secs_at(frame);
            let first = [number.to_string(), example.rank.to_owned(), frame.to_string(), secs.to_string()];
            let means = [text(predicted), text(mean[frame])];
            let singles = example.repeats.iter().map(|repeat| text(repeat[frame]));
            table.write_record(first.into_iter().chain(means).chain(singles))?;
        }
    }
    table.flush()
}
