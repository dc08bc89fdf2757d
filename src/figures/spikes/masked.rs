//! Spikes, the mask on them, and the rates that a network predicts from what is left to see.

use super::super::canvas::{Area, Canvas, Text};
use super::super::numbers::{Entry, Series, rounded};
use super::super::page::{NARROW_MM, Page};
use super::super::plot::{Plot, Tick, with_minus};
use super::super::style::{PAGE_MM, VERMILLION, colour_of};
use super::super::{FigureError, Plate};
use super::{beyond_scale, brightest, count_scale, round_times};
use crate::analysis::spikes::BitsPerSpike;
use crate::data::spikes::SpikeSession;
use crate::signals::Binned;

/// Left edge, top and height of the maps, and on a narrow page from one to the next, mm.
const LEFT_MM: f64 = 26.0;
const TOP_MM: f64 = 5.0;
const MAP_MM: f64 = 68.0;
const NARROW_STEP_MM: f64 = 84.0;
/// Between two maps side by side, and room right of them for the scale, mm.
const GAP_MM: f64 = 8.0;
const SCALE_MM: f64 = 21.0;
/// Below the last map: its axis with the label, mm.
const BELOW_MM: f64 = 10.0;
/// Widest name of a region, and the least height of a region that is named, mm.
const NAME_MM: f64 = 16.0;
const NAMED_MM: f64 = 3.2;
/// Most rows that a page can tell apart; beyond it, the first ones are shown.
const MOST_ROWS: usize = 200;
/// How strongly what is hidden is tinted.
const TINT: f64 = 0.42;

/// What is drawn.
#[derive(Debug, Clone)]
pub struct Masked<'a> {
    /// Whose spikes these are.
    pub session: &'a SpikeSession,
    /// Neurons from top to bottom, those of a region together.
    pub order: &'a [usize],
    /// Which trials, in words.
    pub shown: String,
    /// Their spikes in a bin, one trial.
    pub counts: Binned,
    /// What the network cannot see, `[bin, neuron]`.
    pub hidden: &'a [bool],
    /// What it predicts; `None` where nothing is hidden, or no network is there.
    pub predicted: Option<Predicted<'a>>,
}

/// What a network predicts.
#[derive(Debug, Clone)]
pub struct Predicted<'a> {
    /// Expected counts, one trial.
    pub rates: Binned,
    /// How much better they are than each neuron's mean, at the hidden places.
    pub bits: &'a BitsPerSpike,
    /// What the bits are over, in words.
    pub over: String,
    /// The network and its prompt.
    pub provenance: String,
}

/// The figure, to be written.
pub fn plate(masked: Masked<'_>) -> Plate<'_> {
    Plate::new(masked)
}

impl Masked<'_> {
    /// Neurons that are drawn, from top to bottom.
    fn rows(&self) -> &[usize] {
        &self.order[..self.order.len().min(MOST_ROWS)]
    }

    fn is_hidden(&self, bin: usize, neuron: usize) -> bool {
        self.hidden[bin * self.counts.neurons() + neuron]
    }

    fn secs(&self, bin: f64) -> f64 {
        self.session.first_bin_secs + bin * self.session.bin_secs
    }

    /// Areas of the maps; the second is that of what is predicted.
    fn maps(&self, page: f64) -> Vec<Area> {
        let room = page - LEFT_MM - SCALE_MM;
        let map = |left: f64, top: f64, width: f64| Area::new(left, top, left + width, top + MAP_MM);
        let alone = self.predicted.is_none();
        if page < NARROW_MM || alone {
            let count = if alone { 1 } else { 2 };
            return (0..count).map(|row| map(LEFT_MM, TOP_MM + NARROW_STEP_MM * f64::from(row), room)).collect();
        }
        let width = (room - GAP_MM) / 2.0;
        vec![map(LEFT_MM, TOP_MM, width), map(LEFT_MM + width + GAP_MM, TOP_MM, width)]
    }

    /// Names of regions at the middle of their rows, where there is room.
    fn regions(&self) -> Vec<Tick> {
        let rows = self.rows();
        let height = MAP_MM / rows.len().max(1) as f64;
        let mut bands: Vec<(&str, usize, usize)> = Vec::new();
        for (row, &neuron) in rows.iter().enumerate() {
            let name = self.session.regions[neuron].as_str();
            match bands.last_mut() {
                Some((known, _, end)) if *known == name => *end = row + 1,
                _ => bands.push((name, row, row + 1)),
            }
        }
        let named = bands.into_iter().filter(|(_, start, end)| (end - start) as f64 * height >= NAMED_MM);
        named.map(|(name, start, end)| ((start + end) as f64 / 2.0, Text::NORMAL.fitted(name, NAME_MM))).collect()
    }

    /// Bins that are hidden of a neuron, as stretches.
    fn stretches(&self, neuron: usize) -> Vec<(usize, usize)> {
        let mut found: Vec<(usize, usize)> = Vec::new();
        for bin in (0..self.counts.bins()).filter(|&bin| self.is_hidden(bin, neuron)) {
            match found.last_mut() {
                Some((_, end)) if *end == bin => *end = bin + 1,
                _ => found.push((bin, bin + 1)),
            }
        }
        found
    }

    fn map(&self, canvas: &mut Canvas, plot: &Plot, values: &Binned, most: f64) {
        for (row, &neuron) in self.rows().iter().enumerate() {
            for bin in 0..values.bins() {
                let value = f64::from(values.at(0, bin, neuron)) / most;
                let (left, top) = plot.at(bin as f64, row as f64);
                let (right, bottom) = plot.at(bin as f64 + 1.0, row as f64 + 1.0);
                // Each cell reaches a little under its neighbours, so that no viewer shows seams.
                let area = plot.area;
                let cell = Area::new(left, top, (right + 0.06).min(area.right), (bottom + 0.06).min(area.bottom));
                canvas.rectangle(cell, colour_of(value));
            }
        }
    }

    /// Tints what is hidden: one rectangle for rows below one another that hide the same bins.
    fn tint(&self, canvas: &mut Canvas, plot: &Plot) {
        let stretches: Vec<Vec<(usize, usize)>> = self.rows().iter().map(|&neuron| self.stretches(neuron)).collect();
        let mut start = 0;
        for same in stretches.chunk_by(|above, below| above == below) {
            let (top, bottom) = (start as f64, (start + same.len()) as f64);
            for &(from, to) in &same[0] {
                let corner = |bin: usize, row: f64| plot.at(bin as f64, row);
                let corners = [corner(from, top), corner(to, top), corner(to, bottom), corner(from, bottom)];
                canvas.polygon(&corners, VERMILLION, TINT);
            }
            start += same.len();
        }
    }

    /// What is drawn brightest: what only a few places exceed.
    fn most(&self) -> f64 {
        brightest(self.predicted.as_ref().map_or(&self.counts, |predicted| &predicted.rates))
    }
}

impl Page for Masked<'_> {
    fn title(&self) -> String {
        match self.predicted {
            Some(_) => "Spikes, and what is predicted of those that are hidden".to_owned(),
            None => "Spikes".to_owned(),
        }
    }

    fn notice(&self) -> String {
        let animal = if self.session.simulated { "simulated animal" } else { "recorded spikes" };
        format!("{}: {animal}", self.session.id)
    }

    fn provenance(&self) -> String {
        let version = format!("twinscope {}", env!("CARGO_PKG_VERSION"));
        match &self.predicted {
            Some(predicted) => format!("{version}; {}", predicted.provenance),
            None => version,
        }
    }

    fn check(&self) -> Result<(), FigureError> {
        if self.order.is_empty() || self.counts.bins() == 0 {
            return Err(FigureError::Missing("the session has no spikes to show".to_owned()));
        }
        Ok(())
    }

    fn caption(&self, _: f64) -> Vec<String> {
        let (rows, all) = (self.rows().len(), self.order.len());
        let part = if rows < all { format!(" The first {rows} of {all} neurons.") } else { String::new() };
        let hidden = self.hidden.iter().filter(|hidden| **hidden).count();
        let mask = match hidden {
            0 => " Nothing is hidden.".to_owned(),
            hidden => format!(" Red: hidden from the network, {hidden} of {} places.", self.hidden.len()),
        };
        let rates = self.predicted.as_ref().map(|predicted| &predicted.rates);
        let mut drawn = std::iter::once(&self.counts).chain(rates);
        let beyond = drawn.find_map(|values| beyond_scale(values, self.rows(), self.most())).unwrap_or_default();
        let mut caption = vec![format!("{}; each row is a neuron.{mask}{beyond}{part}", self.shown)];
        if let Some(predicted) = &self.predicted {
            let bits = predicted.bits.pooled.map_or("undefined".to_owned(), |bits| with_minus(format!("{bits:.3}")));
            caption.push(format!("Bits per spike at the hidden places: {bits}, {}.", predicted.over));
        }
        caption
    }

    fn height(&self, page: f64) -> f64 {
        self.maps(page).last().map_or(0.0, |area| area.bottom) + BELOW_MM
    }

    fn draw(&self, canvas: &mut Canvas, page: f64) {
        let most = self.most();
        let bins = self.counts.bins();
        let rows = self.rows().len() as f64;
        let areas = self.maps(page);
        let regions = self.regions();
        let times = round_times(self.secs(0.0), self.secs(bins as f64));
        let rates = self.predicted.as_ref().map(|predicted| (&predicted.rates, "Predicted rates"));
        for (area, (values, name)) in areas.iter().zip([(&self.counts, "Spikes")].into_iter().chain(rates)) {
            canvas.text((area.left, area.top - 2.0), name, Text { bold: true, ..Text::NORMAL });
            let cells = Plot { area: *area, x: (0.0, bins as f64), y: (rows, 0.0) };
            self.map(canvas, &cells, values, most);
            if area.top == areas[0].top && area.left == areas[0].left {
                self.tint(canvas, &cells);
            }
            let plot = Plot { area: *area, x: (self.secs(0.0), self.secs(bins as f64)), y: (rows, 0.0) };
            // Side by side, the names at the left are those of both.
            let (names, label) = if area.left == areas[0].left { (&regions[..], "Region") } else { (&[][..], "") };
            plot.axes(canvas, (&times, "Time (s)"), (names, label));
        }
        if let Some(last) = areas.last() {
            count_scale(canvas, *last, most);
        }
    }

    fn numbers(&self, _: f64) -> Vec<Series> {
        let bins = self.counts.bins();
        let name = |neuron: usize| format!("neuron {neuron}, {}", self.session.regions[neuron]);
        let over_time = |panel: &str, y_label: &str, neuron: usize, value: &dyn Fn(usize) -> f64| Series {
            panel: panel.to_owned(),
            name: name(neuron),
            x_label: "Time (s)".to_owned(),
            y_label: y_label.to_owned(),
            points: (0..bins).map(|bin| Entry::new(rounded(self.secs(bin as f64 + 0.5)), value(bin))).collect(),
        };
        let rows = || self.rows().iter().copied();
        let counts = rows().map(|neuron| {
            over_time("Spikes", "Spikes in a bin", neuron, &|bin| f64::from(self.counts.at(0, bin, neuron)))
        });
        let mask = rows().map(|neuron| {
            over_time("Mask", "Hidden (1) or seen (0)", neuron, &|bin| f64::from(u8::from(self.is_hidden(bin, neuron))))
        });
        let mut all: Vec<Series> = counts.chain(mask).collect();
        if let Some(Predicted { rates, bits, .. }) = &self.predicted {
            all.extend(rows().map(|neuron| {
                over_time("Predicted rates", "Spikes in a bin", neuron, &|bin| f64::from(rates.at(0, bin, neuron)))
            }));
            let of_neuron = |neuron: usize| Entry::new(neuron, bits.per_neuron.get(neuron).copied().flatten());
            let series = |name: &str, points| Series {
                panel: "Bits per spike".to_owned(),
                name: name.to_owned(),
                x_label: "Neuron".to_owned(),
                y_label: "Bits per spike at hidden places".to_owned(),
                points,
            };
            all.push(series("each neuron", (0..rates.neurons()).map(of_neuron).collect()));
            all.push(series("all neurons together", vec![Entry::new("all", bits.pooled)]));
        }
        all
    }

    fn own_width(&self) -> f64 {
        PAGE_MM
    }
}
