//! What other animals are worth: bits per spike against the number of animals that a network had learned from before.

use super::super::canvas::{Align, Area, Canvas, Text};
use super::super::numbers::Series;
use super::super::page::{NARROW_MM, Page};
use super::super::plot::{LINE_MM, Plot, Tick};
use super::super::style::{AXIS_PT, DATA_PT, GRID, GRID_PT, LINES, PAGE_MM, QUIET};
use super::super::{FigureError, Plate};
use super::{entry, interval, legend, legend_lines, limits, provenance, steps};
use crate::evaluation::spikes::{Bits, SpikeEvaluation, Task, TaskScore};

/// Panels in a row of a page and of a column, left edge, from one to the next, width and height, mm.
const COLUMNS: usize = 3;
const NARROW_COLUMNS: usize = 1;
const LEFT_MM: f64 = 15.0;
const STEP_MM: f64 = 56.0;
const WIDTH_MM: f64 = 48.0;
const HEIGHT_MM: f64 = 40.0;
/// From the legend to the first row and from one row to the next, mm.
const TOP_MM: f64 = 9.0;
const ROW_MM: f64 = 60.0;
/// Baseline of the legend, mm.
const LEGEND_MM: f64 = 2.5;

/// Whether there are networks that learned from different numbers of animals.
pub fn fits(evaluation: &SpikeEvaluation) -> bool {
    Transfer(evaluation).check().is_ok()
}

/// The figure, to be written.
pub fn plate(evaluation: &SpikeEvaluation) -> Plate<'_> {
    Plate::new(Transfer(evaluation))
}

struct Transfer<'e>(&'e SpikeEvaluation);

impl Transfer<'_> {
    fn columns(page: f64) -> usize {
        if page < NARROW_MM { NARROW_COLUMNS } else { COLUMNS }
    }

    /// Top of the first row, mm.
    fn top(&self, page: f64) -> f64 {
        LEGEND_MM + LINE_MM * (legend_lines(&self.kinds(), page) - 1.0) + TOP_MM
    }

    /// Different numbers of animals, from few to many, of networks that are shown.
    fn animals(&self) -> Vec<usize> {
        let kinds = self.kinds();
        let shown = self.0.arms.iter().filter(|arm| kinds.contains(&arm.kind.as_str()));
        std::collections::BTreeSet::from_iter(shown.filter_map(|arm| arm.pretrained_animals)).into_iter().collect()
    }

    /// Networks that learned alike, but from different numbers of animals.
    fn kinds(&self) -> Vec<&str> {
        let mut kinds: Vec<&str> = Vec::new();
        for arm in &self.0.arms {
            let alike = self.0.arms.iter().filter(|other| other.kind == arm.kind);
            let differ = alike.filter_map(|other| other.pretrained_animals).any(|n| Some(n) != arm.pretrained_animals);
            if arm.pretrained_animals.is_some() && differ && !kinds.contains(&arm.kind.as_str()) {
                kinds.push(&arm.kind);
            }
        }
        kinds
    }

    /// Networks' scores in a task, with their numbers of animals.
    fn points(&self, task: Task, kind: &str) -> Vec<(usize, Bits)> {
        let of_task = self.0.scores.iter().filter(|score| score.task == task);
        let mut points: Vec<(usize, Bits)> = of_task
            .filter_map(|score| {
                let arm = self.0.arms.iter().find(|arm| arm.name == score.arm && arm.kind == kind)?;
                Some((arm.pretrained_animals?, score.all().pooled?))
            })
            .collect();
        points.sort_by_key(|(animals, _)| *animals);
        points
    }

    fn levels(&self, task: Task) -> Vec<(&str, Bits)> {
        let of_task = self.0.scores.iter().filter(|score| score.task == task);
        let level = |score: &TaskScore| self.0.arms.iter().any(|arm| arm.name == score.arm && arm.is_baseline);
        of_task.filter(|score| level(score)).filter_map(|s| Some((s.arm.as_str(), s.all().pooled?))).collect()
    }

    fn panel(&self, canvas: &mut Canvas, area: Area, task: Task, first: bool) {
        let (levels, animals) = (self.levels(task), self.animals());
        let lines: Vec<Vec<(usize, Bits)>> = self.kinds().into_iter().map(|kind| self.points(task, kind)).collect();
        let ticks = steps(lines.iter().flatten().map(|point| point.1).chain(levels.iter().map(|level| level.1)));
        let place = |count: usize| animals.iter().position(|&other| other == count).unwrap_or(0) as f64;
        let plot = Plot { area, x: (-0.4, animals.len() as f64 - 0.6), y: limits(&ticks) };
        canvas.text((area.left, area.top - 2.0), task.label(), Text { bold: true, ..Text::NORMAL });
        for (value, _) in &ticks {
            canvas.line(&[plot.at(plot.x.0, *value), plot.at(plot.x.1, *value)], GRID_PT, GRID);
        }
        let counts: Vec<Tick> = animals.iter().map(|&count| (place(count), count.to_string())).collect();
        plot.axes(
            canvas,
            (&counts, "Animals learned from before"),
            (&ticks, if first { "Bits per spike" } else { "" }),
        );
        for (name, bits) in levels {
            let value = bits.value.clamp(plot.y.0, plot.y.1);
            canvas.line(&[plot.at(plot.x.0, value), plot.at(plot.x.1, value)], AXIS_PT, QUIET);
            let (right, down) = plot.at(plot.x.1, value);
            canvas.text((right, down - 0.6), name, Text::QUIET.aligned(Align::Right));
        }
        for (index, points) in lines.into_iter().enumerate() {
            let mean = |&count: &usize| {
                let here = points.iter().filter(|point| point.0 == count).map(|point| point.1.value);
                let here: Vec<f64> = here.collect();
                let mean = here.iter().sum::<f64>() / here.len() as f64;
                (!here.is_empty()).then(|| plot.at(place(count), mean.clamp(plot.y.0, plot.y.1)))
            };
            let means: Vec<(f64, f64)> = animals.iter().filter_map(mean).collect();
            canvas.line(&means, DATA_PT, LINES[index % LINES.len()]);
            // Several kinds stand beside each other.
            let aside = 0.08 * index as f64;
            points.into_iter().for_each(|(count, bits)| interval(canvas, &plot, place(count) + aside, bits, index));
        }
    }
}

impl Page for Transfer<'_> {
    fn title(&self) -> String {
        "A new animal, after other animals".to_owned()
    }

    fn notice(&self) -> String {
        self.0.notice()
    }

    fn provenance(&self) -> String {
        provenance(self.0)
    }

    fn check(&self) -> Result<(), FigureError> {
        if self.kinds().is_empty() || self.0.scores.is_empty() {
            let what = "no two networks learned alike from different numbers of animals before, so there is no transfer to show";
            return Err(FigureError::Missing(what.to_owned()));
        }
        Ok(())
    }

    fn caption(&self, _: f64) -> Vec<String> {
        vec![
            "Dots: networks adapted to this animal, all neurons together, with the 95 % interval over trials; 0: learned from it alone."
                .to_owned(),
            "Line: mean over networks with as many animals. Level lines: baselines.".to_owned(),
        ]
    }

    fn height(&self, page: f64) -> f64 {
        self.top(page) + ROW_MM * self.0.tasks().len().div_ceil(Self::columns(page)) as f64 - 8.0
    }

    fn draw(&self, canvas: &mut Canvas, page: f64) {
        legend(canvas, &self.kinds(), LEGEND_MM, page);
        let columns = Self::columns(page);
        for (index, task) in self.0.tasks().into_iter().enumerate() {
            let left = LEFT_MM + STEP_MM * (index % columns) as f64;
            let top = self.top(page) + ROW_MM * (index / columns) as f64;
            let area = Area::new(left, top, left + WIDTH_MM, top + HEIGHT_MM);
            self.panel(canvas, area, task, index % columns == 0);
        }
    }

    fn numbers(&self, _: f64) -> Vec<Series> {
        let of_task = |task: Task| {
            let series = |name: &str, points| Series {
                panel: task.label().to_owned(),
                name: name.to_owned(),
                x_label: "Animals learned from before".to_owned(),
                y_label: "Bits per spike".to_owned(),
                points,
            };
            let of_kind = |kind: &str| {
                let points = self.points(task, kind).into_iter().map(|(animals, bits)| entry(animals, bits)).collect();
                series(kind, points)
            };
            let kinds: Vec<Series> = self.kinds().into_iter().map(of_kind).collect();
            let levels = self.levels(task).into_iter().map(|(name, bits)| series(name, vec![entry("", bits)]));
            kinds.into_iter().chain(levels).collect::<Vec<_>>()
        };
        self.0.tasks().into_iter().flat_map(of_task).collect()
    }

    fn own_width(&self) -> f64 {
        PAGE_MM
    }
}
