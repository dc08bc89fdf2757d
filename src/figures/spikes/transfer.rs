//! What other animals are worth: bits per spike against the number of animals that a network had learned from before.

use std::path::Path;

use plotters::prelude::DrawingBackend;

use super::super::canvas::{Align, Area, Canvas, Text};
use super::super::plot::{LINE_MM, Plot, Tick, frame};
use super::super::study::curve::COLOURS;
use super::super::style::{AXIS_PT, DATA_PT, GRID, GRID_PT, PAGE_MM, QUIET};
use super::super::writer::{page_picture, page_svg, write_page};
use super::super::{FigureError, Page, Picture};
use super::{interval, legend, limits, origin, steps};
use crate::evaluation::spikes::{Bits, SpikeEvaluation, Task, TaskScore};

/// Panels in a row, left edge, from one to the next, width and height, mm.
const COLUMNS: usize = 3;
const LEFT_MM: f64 = 15.0;
const STEP_MM: f64 = 56.0;
const WIDTH_MM: f64 = 48.0;
const HEIGHT_MM: f64 = 40.0;
/// Top of the first row and from one row to the next, mm.
const TOP_MM: f64 = 19.0;
const ROW_MM: f64 = 60.0;
/// Baseline of the legend, mm.
const LEGEND_MM: f64 = 10.0;

/// Whether there are networks that learned from different numbers of animals.
pub fn fits(evaluation: &SpikeEvaluation) -> bool {
    Transfer(evaluation).check().is_ok()
}

/// Writes the figure as PNG or SVG, as the ending of the file name says, whole or not at all.
///
/// # Errors
/// When the file name has another ending, all networks learned from as many animals, or the file cannot be written.
pub fn write(evaluation: &SpikeEvaluation, path: &Path) -> Result<(), FigureError> {
    write_page(&Transfer(evaluation), path)
}

/// The figure as SVG with live text.
///
/// # Errors
/// When all networks learned from as many animals.
pub fn svg(evaluation: &SpikeEvaluation) -> Result<String, FigureError> {
    page_svg(&Transfer(evaluation))
}

/// The figure as pixels at 300 dots per inch.
///
/// # Errors
/// When all networks learned from as many animals.
pub fn picture(evaluation: &SpikeEvaluation) -> Result<Picture, FigureError> {
    page_picture(&Transfer(evaluation))
}

struct Transfer<'e>(&'e SpikeEvaluation);

impl Transfer<'_> {
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

    fn panel<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>, area: Area, task: Task, first: bool) {
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
            canvas.line(&means, DATA_PT, COLOURS[index % COLOURS.len()]);
            // Several kinds stand beside each other.
            let aside = 0.08 * index as f64;
            points.into_iter().for_each(|(count, bits)| interval(canvas, &plot, place(count) + aside, bits, index));
        }
    }
}

impl Page for Transfer<'_> {
    fn size_mm(&self) -> (f64, f64) {
        (PAGE_MM, TOP_MM + ROW_MM * self.0.tasks().len().div_ceil(COLUMNS) as f64 + LINE_MM * 2.0)
    }

    fn title(&self) -> &str {
        "A new animal, after other animals"
    }

    fn origin(&self) -> String {
        origin(self.0)
    }

    fn check(&self) -> Result<(), FigureError> {
        if self.kinds().is_empty() || self.0.scores.is_empty() {
            let what = "no two networks learned alike from different numbers of animals before, so there is no transfer to show";
            return Err(FigureError::Missing(what.to_owned()));
        }
        Ok(())
    }

    fn draw<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), FigureError> {
        let caption = vec![
            "Dots: networks adapted to this animal, all neurons together, with the 95 % interval over trials; 0: learned from it alone."
                .to_owned(),
            "Line: mean over networks with as many animals. Level lines: baselines.".to_owned(),
        ];
        frame(canvas, self.size_mm(), self.title(), &caption, &self.0.notice());
        legend(canvas, &self.kinds(), LEGEND_MM);
        for (index, task) in self.0.tasks().into_iter().enumerate() {
            let left = LEFT_MM + STEP_MM * (index % COLUMNS) as f64;
            let top = TOP_MM + ROW_MM * (index / COLUMNS) as f64;
            let area = Area::new(left, top, left + WIDTH_MM, top + HEIGHT_MM);
            self.panel(canvas, area, task, index % COLUMNS == 0);
        }
        canvas.finish()
    }
}
