//! Predicted rates beside spikes: one test trial of all neurons, and the mean over trials of those predicted best.

use super::super::canvas::{Area, Canvas, Text};
use super::super::numbers::{Entry, Series, rounded};
use super::super::page::{NARROW_MM, Page};
use super::super::plot::{Plot, Tick, numbered, ticks_from_zero};
use super::super::style::{AXIS_PT, DATA_PT, INK, PAGE_MM, VERMILLION, colour_of};
use super::super::{FigureError, Plate};
use super::{beyond_scale, brightest, count_scale, provenance, round_times};
use crate::evaluation::spikes::{Example, SpikeEvaluation};
use crate::signals::Binned;

/// Left edge and top of the maps, their height, and on a narrow page from one to the next, mm.
const LEFT_MM: f64 = 14.0;
const TOP_MM: f64 = 5.0;
const MAP_MM: f64 = 60.0;
const NARROW_STEP_MM: f64 = 76.0;
/// Between two maps side by side, and room right of them for the scale, mm.
const GAP_MM: f64 = 8.0;
const SCALE_MM: f64 = 21.0;
/// Panels of single neurons: number, those in a row of a narrow page, width of the space between two, from the maps to
/// them, from one row to the next, and height, mm.
const SINGLE: usize = 4;
const NARROW_SINGLE: usize = 2;
const BETWEEN_MM: f64 = 8.0;
const TO_SINGLE_MM: f64 = 19.0;
const ROW_MM: f64 = 41.0;
const HEIGHT_MM: f64 = 24.0;
/// Below the last panel, mm.
const BELOW_MM: f64 = 9.0;
/// Most rows that a page can tell apart; beyond it, the first ones are shown.
const MOST_ROWS: usize = 200;

/// The figure, to be written.
pub fn plate(evaluation: &SpikeEvaluation) -> Plate<'_> {
    Plate::new(Rates(evaluation))
}

struct Rates<'e>(&'e SpikeEvaluation);

impl Rates<'_> {
    /// Areas of the spikes and of the rates.
    fn maps(page: f64) -> [Area; 2] {
        let room = page - LEFT_MM - SCALE_MM;
        let map = |left: f64, top: f64, width: f64| Area::new(left, top, left + width, top + MAP_MM);
        if page < NARROW_MM {
            return [map(LEFT_MM, TOP_MM, room), map(LEFT_MM, TOP_MM + NARROW_STEP_MM, room)];
        }
        let width = (room - GAP_MM) / 2.0;
        [map(LEFT_MM, TOP_MM, width), map(LEFT_MM + width + GAP_MM, TOP_MM, width)]
    }

    fn in_a_row(page: f64) -> usize {
        if page < NARROW_MM { NARROW_SINGLE } else { SINGLE }
    }

    /// Neurons that are predicted best, of those with spikes.
    fn best(example: &Example) -> Vec<usize> {
        let mut best: Vec<usize> = (0..example.neurons.len()).filter(|&index| example.bits[index].is_some()).collect();
        best.sort_by(|&a, &b| example.bits[b].unwrap_or(0.0).total_cmp(&example.bits[a].unwrap_or(0.0)));
        best.truncate(SINGLE);
        best
    }

    /// Mean counts of a neuron in every bin, per second.
    fn per_sec(&self, values: &Binned, index: usize) -> Vec<f64> {
        (0..values.bins()).map(|bin| f64::from(values.at(0, bin, index)) / self.0.bin_secs).collect()
    }

    fn secs(&self, bin: f64) -> f64 {
        self.0.first_bin_secs + bin * self.0.bin_secs
    }

    /// Round times within the trial.
    fn times(&self, bins: usize) -> Vec<Tick> {
        round_times(self.secs(0.0), self.secs(bins as f64))
    }

    fn words(&self, example: &Example) -> Vec<String> {
        let rows = example.neurons.len();
        let shown = if rows > MOST_ROWS { format!(" The first {MOST_ROWS} of {rows} neurons.") } else { String::new() };
        let task = example.task.label().to_lowercase();
        let (drawn, most) = (self.order(example), brightest(&example.rates));
        let both = [&example.counts, &example.rates];
        let beyond = both.into_iter().find_map(|values| beyond_scale(values, &drawn, most)).unwrap_or_default();
        vec![
            format!(
                "Trial {} ({task} by {}): each row is a neuron that was hidden; both sides have the same scale.{beyond}{shown}",
                example.trial, example.arm
            ),
            "Below: mean over all test trials, black counted, orange predicted; in brackets bits per spike of single trials.".to_owned(),
        ]
    }

    /// Neurons by rows of the maps: those of a region together.
    fn order(&self, example: &Example) -> Vec<usize> {
        let mut order: Vec<usize> = (0..example.neurons.len()).collect();
        order.sort_by_key(|&index| (&self.0.regions[example.neurons[index]], index));
        order.truncate(MOST_ROWS);
        order
    }

    fn map(&self, canvas: &mut Canvas, area: Area, values: &Binned, example: &Example, most: f64) {
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

    fn single(&self, canvas: &mut Canvas, area: Area, example: &Example, index: usize, first: bool) {
        let bins = example.mean_counts.bins();
        let (counted, predicted) =
            (self.per_sec(&example.mean_counts, index), self.per_sec(&example.mean_rates, index));
        let most = counted.iter().chain(&predicted).copied().fold(0.0, f64::max);
        let ticks = ticks_from_zero(most, 3);
        let top = ticks.last().map_or(1.0, |tick| tick.0);
        let plot = Plot { area, x: (self.secs(0.0), self.secs(bins as f64)), y: (0.0, top) };
        let neuron = example.neurons[index];
        let bits = example.bits[index].map(|bits| format!(" ({bits:.2})")).unwrap_or_default();
        let name = format!("Neuron {neuron}, {}{bits}", self.0.regions[neuron]);
        canvas.fitted_text((area.left, area.top - 2.0), &name, area.width() + BETWEEN_MM - 3.0, Text::NORMAL);
        for (values, colour) in [(counted, INK), (predicted, VERMILLION)] {
            let middle = |bin: usize| self.secs(bin as f64 + 0.5);
            let line: Vec<_> = values.iter().enumerate().map(|(bin, &value)| plot.at(middle(bin), value)).collect();
            canvas.line(&line, if colour == INK { AXIS_PT } else { DATA_PT }, colour);
        }
        plot.axes(canvas, (&self.times(bins), "Time (s)"), (&ticks, if first { "Rate (Hz)" } else { "" }));
    }
}

impl Page for Rates<'_> {
    fn title(&self) -> String {
        "Spikes and the rates that were predicted for them".to_owned()
    }

    fn notice(&self) -> String {
        self.0.notice()
    }

    fn provenance(&self) -> String {
        provenance(self.0)
    }

    fn check(&self) -> Result<(), FigureError> {
        match &self.0.example {
            Some(example) if !example.neurons.is_empty() => Ok(()),
            _ => Err(FigureError::Missing("no network predicted anything, so there is nothing to show".to_owned())),
        }
    }

    fn caption(&self, _: f64) -> Vec<String> {
        self.0.example.as_ref().map_or_else(Vec::new, |example| self.words(example))
    }

    fn height(&self, page: f64) -> f64 {
        let single = self.0.example.as_ref().map_or(0, |example| Self::best(example).len());
        let rows = single.div_ceil(Self::in_a_row(page)) as f64;
        let below = if single == 0 { 0.0 } else { TO_SINGLE_MM + ROW_MM * (rows - 1.0) + HEIGHT_MM };
        Self::maps(page)[1].bottom + below + BELOW_MM
    }

    fn draw(&self, canvas: &mut Canvas, page: f64) {
        let Some(example) = &self.0.example else { return };
        // Counts are whole and rates are not: one scale, up to what only a few rates exceed.
        let most = brightest(&example.rates);
        let areas = Self::maps(page);
        let both = [(&example.counts, "Spikes"), (&example.rates, "Predicted rates")];
        for (area, (values, name)) in areas.into_iter().zip(both) {
            canvas.text((area.left, area.top - 2.0), name, Text { bold: true, ..Text::NORMAL });
            self.map(canvas, area, values, example, most);
            let bins = values.bins();
            let rows = self.order(example).len() as f64;
            let plot = Plot { area, x: (self.secs(0.0), self.secs(bins as f64)), y: (rows, 0.0) };
            let label = if area.left == areas[0].left { "Neuron" } else { "" };
            plot.axes(canvas, (&self.times(bins), "Time (s)"), (&numbered(&[0.0, rows]), label));
        }
        count_scale(canvas, areas[1], most);
        let columns = Self::in_a_row(page);
        let width = (page - LEFT_MM - 4.0 - BETWEEN_MM * (columns - 1) as f64) / columns as f64;
        for (place, index) in Self::best(example).into_iter().enumerate() {
            let left = LEFT_MM + (width + BETWEEN_MM) * (place % columns) as f64;
            let top = areas[1].bottom + TO_SINGLE_MM + ROW_MM * (place / columns) as f64;
            let area = Area::new(left, top, left + width, top + HEIGHT_MM);
            self.single(canvas, area, example, index, place % columns == 0);
        }
    }

    fn numbers(&self, _: f64) -> Vec<Series> {
        let Some(example) = &self.0.example else { return Vec::new() };
        let time = |bin: usize| rounded(self.secs(bin as f64 + 0.5));
        let series = |panel: &str, name: String, y_label: &str, values: Vec<f64>| Series {
            panel: panel.to_owned(),
            name,
            x_label: "Time (s)".to_owned(),
            y_label: y_label.to_owned(),
            points: values.into_iter().enumerate().map(|(bin, value)| Entry::new(time(bin), value)).collect(),
        };
        let name =
            |index: usize| format!("neuron {}, {}", example.neurons[index], self.0.regions[example.neurons[index]]);
        let of_trial = [("Spikes", &example.counts), ("Predicted rates", &example.rates)];
        let maps = of_trial.into_iter().flat_map(|(panel, values)| {
            let row = |index: usize| (0..values.bins()).map(|bin| f64::from(values.at(0, bin, index))).collect();
            self.order(example).into_iter().map(move |index| (panel, index, row(index))).collect::<Vec<_>>()
        });
        let maps = maps.map(|(panel, index, row)| series(panel, name(index), "Spikes in a bin", row));
        let means = Self::best(example).into_iter().flat_map(|index| {
            [("counted", &example.mean_counts), ("predicted", &example.mean_rates)]
                .map(|(what, values)| series(&name(index), what.to_owned(), "Rate (Hz)", self.per_sec(values, index)))
        });
        maps.chain(means).collect()
    }

    fn own_width(&self) -> f64 {
        PAGE_MM
    }
}
