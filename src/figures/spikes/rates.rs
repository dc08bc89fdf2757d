//! Predicted rates beside spikes: one test trial of all neurons, and the mean over trials of those predicted best.

use std::path::Path;

use plotters::prelude::DrawingBackend;

use super::super::canvas::{Area, Canvas, Text};
use super::super::heat_map::colour_bar;
use super::super::plot::{LINE_MM, Plot, Tick, frame, numbered, ticks_from_zero};
use super::super::style::{AXIS_PT, DATA_PT, INK, PAGE_MM, VERMILLION, colour_of};
use super::super::writer::{page_picture, page_svg, write_page};
use super::super::{FigureError, Page, Picture};
use super::origin;
use crate::evaluation::spikes::{Example, SpikeEvaluation};
use crate::signals::Binned;

/// Areas of the spikes and of the rates, mm.
const SPIKES: Area = Area { left: 14.0, top: 16.0, right: 84.0, bottom: 76.0 };
const RATES: Area = Area { left: 92.0, top: 16.0, right: 162.0, bottom: 76.0 };
/// Panels of single neurons: number, left edge, from one to the next, width, top and height, mm.
const SINGLE: usize = 4;
const LEFT_MM: f64 = 14.0;
const STEP_MM: f64 = 43.0;
const WIDTH_MM: f64 = 35.0;
const TOP_MM: f64 = 95.0;
const HEIGHT_MM: f64 = 24.0;
/// Most rows that a page can tell apart; beyond it, the first ones are shown.
const MOST_ROWS: usize = 200;

/// Writes the figure as PNG or SVG, as the ending of the file name says, whole or not at all.
///
/// # Errors
/// When the file name has another ending, no network predicted anything, or the file cannot be written.
pub fn write(evaluation: &SpikeEvaluation, path: &Path) -> Result<(), FigureError> {
    write_page(&Rates(evaluation), path)
}

/// The figure as SVG with live text.
///
/// # Errors
/// When no network predicted anything.
pub fn svg(evaluation: &SpikeEvaluation) -> Result<String, FigureError> {
    page_svg(&Rates(evaluation))
}

/// The figure as pixels at 300 dots per inch.
///
/// # Errors
/// When no network predicted anything.
pub fn picture(evaluation: &SpikeEvaluation) -> Result<Picture, FigureError> {
    page_picture(&Rates(evaluation))
}

struct Rates<'e>(&'e SpikeEvaluation);

impl Rates<'_> {
    fn secs(&self, bin: f64) -> f64 {
        self.0.first_bin_secs + bin * self.0.bin_secs
    }

    /// Round times within the trial.
    fn times(&self, bins: usize) -> Vec<Tick> {
        let (first, last) = (self.secs(0.0), self.secs(bins as f64));
        let step = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .find(|step| (last - first) / step <= 5.0);
        let step = step.unwrap_or((last - first) / 4.0);
        let places = ((first / step - 1e-9).ceil() as i64)..=((last / step + 1e-9).floor() as i64);
        numbered(&places.map(|place| place as f64 * step).collect::<Vec<_>>())
    }

    fn caption(&self, example: &Example) -> Vec<String> {
        let rows = example.neurons.len();
        let shown = if rows > MOST_ROWS { format!(" The first {MOST_ROWS} of {rows} neurons.") } else { String::new() };
        let task = example.task.label().to_lowercase();
        vec![
            format!(
                "Trial {} ({task} by {}): each row is a neuron that was hidden; both sides have the same scale.{shown}",
                example.trial, example.arm
            ),
            "Below: mean over all test trials, black counted, red predicted; in brackets bits per spike of single trials.".to_owned(),
        ]
    }

    /// Neurons by rows of the maps: those of a region together.
    fn order(&self, example: &Example) -> Vec<usize> {
        let mut order: Vec<usize> = (0..example.neurons.len()).collect();
        order.sort_by_key(|&index| (&self.0.regions[example.neurons[index]], index));
        order.truncate(MOST_ROWS);
        order
    }

    fn map<B: DrawingBackend>(
        &self,
        canvas: &mut Canvas<'_, B>,
        area: Area,
        values: &Binned,
        example: &Example,
        most: f64,
    ) {
        let order = self.order(example);
        let bins = values.bins();
        let plot = Plot { area, x: (0.0, bins as f64), y: (order.len() as f64, 0.0) };
        for (row, &index) in order.iter().enumerate() {
            for bin in 0..bins {
                let value = f64::from(values.at(0, bin, index)) / most;
                let (left, top) = plot.at(bin as f64, row as f64);
                let (right, bottom) = plot.at(bin as f64 + 1.0, row as f64 + 1.0);
                // Each cell reaches a little under its neighbours, so that no viewer shows seams.
                let cell = Area::new(left, top, (right + 0.06).min(area.right), (bottom + 0.06).min(area.bottom));
                canvas.rectangle(cell, colour_of(value));
            }
        }
    }

    fn single<B: DrawingBackend>(
        &self,
        canvas: &mut Canvas<'_, B>,
        area: Area,
        example: &Example,
        index: usize,
        first: bool,
    ) {
        let bins = example.mean_counts.bins();
        let per_sec = |values: &Binned| -> Vec<f64> {
            (0..bins).map(|bin| f64::from(values.at(0, bin, index)) / self.0.bin_secs).collect()
        };
        let (counted, predicted) = (per_sec(&example.mean_counts), per_sec(&example.mean_rates));
        let most = counted.iter().chain(&predicted).copied().fold(0.0, f64::max);
        let ticks = ticks_from_zero(most, 3);
        let top = ticks.last().map_or(1.0, |tick| tick.0);
        let plot = Plot { area, x: (self.secs(0.0), self.secs(bins as f64)), y: (0.0, top) };
        let neuron = example.neurons[index];
        let bits = example.bits[index].map(|bits| format!(" ({bits:.2})")).unwrap_or_default();
        let name = format!("Neuron {neuron}, {}{bits}", self.0.regions[neuron]);
        canvas.fitted_text((area.left, area.top - 2.0), &name, STEP_MM - 3.0, Text::NORMAL);
        for (values, colour) in [(counted, INK), (predicted, VERMILLION)] {
            let middle = |bin: usize| self.secs(bin as f64 + 0.5);
            let line: Vec<_> = values.iter().enumerate().map(|(bin, &value)| plot.at(middle(bin), value)).collect();
            canvas.line(&line, if colour == INK { AXIS_PT } else { DATA_PT }, colour);
        }
        plot.axes(canvas, (&self.times(bins), "Time (s)"), (&ticks, if first { "Rate (Hz)" } else { "" }));
    }
}

impl Page for Rates<'_> {
    fn size_mm(&self) -> (f64, f64) {
        (PAGE_MM, TOP_MM + HEIGHT_MM + 11.0 + LINE_MM * 3.0)
    }

    fn title(&self) -> &str {
        "Spikes and the rates that were predicted for them"
    }

    fn origin(&self) -> String {
        origin(self.0)
    }

    fn check(&self) -> Result<(), FigureError> {
        match &self.0.example {
            Some(example) if !example.neurons.is_empty() => Ok(()),
            _ => Err(FigureError::Missing("no network predicted anything, so there is nothing to show".to_owned())),
        }
    }

    fn draw<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), FigureError> {
        let Some(example) = &self.0.example else { return canvas.finish() };
        frame(canvas, self.size_mm(), self.title(), &self.caption(example), &self.0.notice());
        // Counts are whole and rates are not: one scale, up to what only a few rates exceed.
        let mut rates: Vec<f32> = example.rates.values().to_vec();
        rates.sort_by(f32::total_cmp);
        let most = rates.get(rates.len().saturating_sub(1) * 99 / 100).copied().unwrap_or(1.0);
        let most = f64::from(most).max(1e-3);
        for (area, values, name) in [(SPIKES, &example.counts, "Spikes"), (RATES, &example.rates, "Predicted rates")] {
            canvas.text((area.left, area.top - 2.0), name, Text { bold: true, ..Text::NORMAL });
            self.map(canvas, area, values, example, most);
            let bins = values.bins();
            let rows = self.order(example).len() as f64;
            let plot = Plot { area, x: (self.secs(0.0), self.secs(bins as f64)), y: (rows, 0.0) };
            let label = if area.left == SPIKES.left { "Neuron" } else { "" };
            plot.axes(canvas, (&self.times(bins), "Time (s)"), (&numbered(&[0.0, rows]), label));
        }
        let bar = Area::new(RATES.right + 4.0, RATES.top, RATES.right + 6.5, RATES.bottom);
        colour_bar(canvas, bar, &format!("Spikes in a bin / {most:.2}"));
        let mut best: Vec<usize> = (0..example.neurons.len()).filter(|&index| example.bits[index].is_some()).collect();
        best.sort_by(|&a, &b| example.bits[b].unwrap_or(0.0).total_cmp(&example.bits[a].unwrap_or(0.0)));
        for (place, &index) in best.iter().take(SINGLE).enumerate() {
            let left = LEFT_MM + STEP_MM * place as f64;
            let area = Area::new(left, TOP_MM, left + WIDTH_MM, TOP_MM + HEIGHT_MM);
            self.single(canvas, area, example, index, place == 0);
        }
        canvas.finish()
    }
}
