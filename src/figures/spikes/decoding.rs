//! What the animal did, as decoders read it from spikes and from latents: a panel for each behaviour.

use super::super::canvas::{Align, Area, CAPITALS_MM, Canvas, Text};
use super::super::numbers::{Entry, Series};
use super::super::page::{NARROW_MM, Page};
use super::super::plot::{LINE_MM, Plot, Tick, numbered};
use super::super::style::{AXIS_PT, COLUMN_MM, GRID, GRID_PT, PAGE_MM, QUIET};
use super::super::{FigureError, Plate};
use super::{computed, entry, interval, legend, legend_lines, limits, steps};
use crate::evaluation::spikes::{Behavior, BehaviorDecoding, Decoded};

/// Panels in a row of a page and of a column.
const COLUMNS: usize = 3;
const NARROW_COLUMNS: usize = 1;
/// Left edge of the first panel, room right of the last one and between two, mm: what guessing reaches is named there.
const LEFT_MM: f64 = 15.0;
const RIGHT_MM: f64 = 11.0;
const BETWEEN_MM: f64 = 24.0;
/// Height of a panel, from one row to the next, and room for the words below the last one, mm.
const HEIGHT_MM: f64 = 34.0;
const ROW_MM: f64 = 52.0;
const BELOW_MM: f64 = 7.0;
/// Baseline of the first line of the legend, mm.
const LEGEND_MM: f64 = 2.5;

/// The figure, to be written.
pub fn plate(decoding: &BehaviorDecoding) -> Plate<'_> {
    Plate::new(Read(decoding))
}

struct Read<'d>(&'d BehaviorDecoding);

impl Read<'_> {
    fn of(&self, behavior: Behavior) -> impl Iterator<Item = &Decoded> + Clone {
        self.0.found.iter().filter(move |found| found.behavior == behavior)
    }

    /// Behaviours that were decoded, a panel each.
    fn behaviors(&self) -> Vec<Behavior> {
        Behavior::ALL.into_iter().filter(|&behavior| self.of(behavior).next().is_some()).collect()
    }

    /// Every source once.
    fn sources(&self) -> Vec<String> {
        let mut sources: Vec<String> = Vec::new();
        for source in self.0.found.iter().map(|found| format!("from {}", found.origin())) {
            if !sources.contains(&source) {
                sources.push(source);
            }
        }
        sources
    }

    fn columns(&self, page: f64) -> usize {
        let most = if page < NARROW_MM { NARROW_COLUMNS } else { COLUMNS };
        self.behaviors().len().clamp(1, most)
    }

    /// Top of the first row, mm.
    fn top(&self, page: f64) -> f64 {
        let sources = self.sources();
        let names: Vec<&str> = sources.iter().map(String::as_str).collect();
        LEGEND_MM + LINE_MM * legend_lines(&names, page) + 4.0
    }

    /// Accuracies have the whole scale; movements share one, so that their panels can be compared.
    fn ticks(&self, behavior: Behavior) -> Vec<Tick> {
        match behavior {
            Behavior::Choice => numbered(&[0.0, 0.25, 0.5, 0.75, 1.0]),
            Behavior::Wheel | Behavior::Whisker => {
                let movements = self.0.found.iter().filter(|found| found.behavior != Behavior::Choice);
                steps(movements.map(|found| found.value))
            }
        }
    }

    fn panel(&self, canvas: &mut Canvas, area: Area, behavior: Behavior) {
        let Some(first) = self.of(behavior).next() else { return };
        let (ticks, sources) = (self.ticks(behavior), self.sources());
        let plot = Plot { area, x: (0.0, sources.len() as f64), y: limits(&ticks) };
        canvas.text((area.left, area.top - 2.0), behavior.label(), Text { bold: true, ..Text::NORMAL });
        for (value, _) in &ticks {
            canvas.line(&[plot.at(plot.x.0, *value), plot.at(plot.x.1, *value)], GRID_PT, GRID);
        }
        let none: [Tick; 0] = [];
        plot.axes(canvas, (&none, ""), (&ticks, measure(behavior)));
        let (right, level) = plot.at(plot.x.1, first.chance);
        canvas.line(&[(area.left, level), (right, level)], AXIS_PT, QUIET);
        canvas.text((right + 0.8, level + CAPITALS_MM / 2.0), guessing(behavior), Text::QUIET);
        for found in self.of(behavior) {
            let source = format!("from {}", found.origin());
            let Some(index) = sources.iter().position(|other| *other == source) else { continue };
            interval(canvas, &plot, index as f64 + 0.5, found.value, index);
        }
        let (learned, tested) = first.trials;
        let words = [format!("n = {tested} test trials"), format!("{learned} trials to learn from")];
        for (line, text) in words.iter().enumerate() {
            let baseline = area.bottom + 1.8 + CAPITALS_MM + LINE_MM * line as f64;
            let look = Text::QUIET.aligned(Align::Centre);
            canvas.fitted_text((area.centre().0, baseline), text, area.width(), look);
        }
    }
}

/// What the axis of a behaviour is.
fn measure(behavior: Behavior) -> &'static str {
    match behavior {
        Behavior::Choice => "Accuracy",
        Behavior::Wheel | Behavior::Whisker => "R²",
    }
}

/// What reaches the level that is no better than guessing.
fn guessing(behavior: Behavior) -> &'static str {
    match behavior {
        Behavior::Choice => "chance",
        Behavior::Wheel | Behavior::Whisker => "mean",
    }
}

impl Page for Read<'_> {
    fn title(&self) -> String {
        "Behaviour decoded from spikes and from latents".to_owned()
    }

    fn notice(&self) -> String {
        self.0.notice()
    }

    fn provenance(&self) -> String {
        computed(&self.0.arms, self.0.device.as_deref(), self.0.seed)
    }

    fn check(&self) -> Result<(), FigureError> {
        if self.0.found.is_empty() {
            return Err(FigureError::Missing("nothing was decoded, so there is nothing to show".to_owned()));
        }
        Ok(())
    }

    fn caption(&self, _: f64) -> Vec<String> {
        let outside = |behavior: Behavior| {
            let (least, most) = limits(&self.ticks(behavior));
            self.of(behavior).any(|found| {
                let (low, high) = found.value.interval.unwrap_or((found.value.value, found.value.value));
                low < least || high > most
            })
        };
        let behaviors = self.behaviors();
        let beyond = behaviors.iter().any(|&behavior| outside(behavior));
        let beyond = if beyond { " What lies beyond an axis is drawn at its end." } else { "" };
        let mut said = vec![format!(
            "Dots: test trials, read by linear decoders that learned from training and validation trials. Lines: 95 % intervals, bootstrap over test trials.{beyond}"
        )];
        if behaviors.contains(&Behavior::Choice) {
            said.push(
                "Accuracy: share of right answers, the mean of both sides; chance: what guessing reaches.".to_owned(),
            );
        }
        if behaviors.iter().any(|&behavior| behavior != Behavior::Choice) {
            said.push("R²: over all bins of the test trials; no better than their mean (0) to perfect (1).".to_owned());
        }
        said
    }

    fn height(&self, page: f64) -> f64 {
        let rows = self.behaviors().len().div_ceil(self.columns(page)).max(1);
        self.top(page) + ROW_MM * (rows - 1) as f64 + HEIGHT_MM + BELOW_MM
    }

    fn draw(&self, canvas: &mut Canvas, page: f64) {
        let sources = self.sources();
        let names: Vec<&str> = sources.iter().map(String::as_str).collect();
        legend(canvas, &names, LEGEND_MM, page);
        let columns = self.columns(page);
        let across = (page - LEFT_MM - RIGHT_MM - BETWEEN_MM * (columns - 1) as f64) / columns as f64;
        for (index, behavior) in self.behaviors().into_iter().enumerate() {
            let left = LEFT_MM + (across + BETWEEN_MM) * (index % columns) as f64;
            let top = self.top(page) + ROW_MM * (index / columns) as f64;
            self.panel(canvas, Area::new(left, top, left + across, top + HEIGHT_MM), behavior);
        }
    }

    fn numbers(&self, _: f64) -> Vec<Series> {
        let of_behavior = |behavior: Behavior| {
            let series = |name: &str, points| Series {
                panel: behavior.label().to_owned(),
                name: name.to_owned(),
                x_label: "Source".to_owned(),
                y_label: measure(behavior).to_owned(),
                points,
            };
            let of_source = |found: &Decoded| entry(found.origin(), found.value).over(found.trials.1);
            let level = self.of(behavior).take(1).map(|found| Entry::new("", found.chance)).collect();
            [
                series("test trials with the 95 % interval", self.of(behavior).map(of_source).collect()),
                series(guessing(behavior), level),
            ]
        };
        self.behaviors().into_iter().flat_map(of_behavior).collect()
    }

    fn own_width(&self) -> f64 {
        if self.behaviors().len() > 1 { PAGE_MM } else { COLUMN_MM }
    }
}
