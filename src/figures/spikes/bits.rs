//! Bits per spike of every arm, by task and region.

use super::super::canvas::{Align, Area, CAPITALS_MM, Canvas, Text};
use super::super::numbers::Series;
use super::super::page::{NARROW_MM, Page};
use super::super::plot::{LINE_MM, Plot, Tick};
use super::super::style::{GRID, GRID_PT, PAGE_MM};
use super::super::{FigureError, Plate};
use super::{entry, interval, legend, legend_lines, limits, provenance, steps};
use crate::evaluation::spikes::{Bits, RegionScore, SpikeEvaluation, Task, TaskScore};

/// Left edge of the panels, and room right of them, mm.
const LEFT_MM: f64 = 15.0;
const RIGHT_MM: f64 = 4.0;
/// Height of a panel, and from one to the next, mm.
const HEIGHT_MM: f64 = 32.0;
const STEP_MM: f64 = 50.0;
/// Baseline of the first line of the legend, mm.
const LEGEND_MM: f64 = 2.5;
/// Most regions beside all of them; those with the most neurons are shown.
const MOST_REGIONS: usize = 8;
/// The same on a narrow page.
const NARROW_REGIONS: usize = 3;
/// Share of a region's place that its arms take.
const ROOM: f64 = 0.7;

/// The figure, to be written.
pub fn plate(evaluation: &SpikeEvaluation) -> Plate<'_> {
    Plate::new(BitsPage(evaluation))
}

struct BitsPage<'e>(&'e SpikeEvaluation);

impl BitsPage<'_> {
    fn arms(&self) -> Vec<&str> {
        self.0.arms.iter().map(|arm| arm.name.as_str()).collect()
    }

    fn top(&self, page: f64) -> f64 {
        LEGEND_MM + LINE_MM * legend_lines(&self.arms(), page) + 4.0
    }

    fn of_task(&self, task: Task) -> impl Iterator<Item = &TaskScore> + Clone {
        self.0.scores.iter().filter(move |score| score.task == task)
    }

    /// All neurons first, then the regions with the most, by name.
    fn regions(&self, task: Task, page: f64) -> (Vec<&str>, usize) {
        let Some(first) = self.of_task(task).next() else { return (Vec::new(), 0) };
        let mut several: Vec<&RegionScore> = first.regions[1..].iter().collect();
        several.sort_by_key(|region| std::cmp::Reverse(region.neurons));
        let most = if page < NARROW_MM { NARROW_REGIONS } else { MOST_REGIONS };
        let left_out = several.len().saturating_sub(most);
        several.truncate(most);
        several.sort_by_key(|region| &region.region);
        let names = std::iter::once(RegionScore::ALL).chain(several.iter().map(|region| region.region.as_str()));
        (names.collect(), left_out)
    }

    fn values(&self, task: Task) -> impl Iterator<Item = Bits> + Clone {
        self.of_task(task).flat_map(|score| &score.regions).filter_map(|region| region.pooled)
    }

    fn panel(&self, canvas: &mut Canvas, area: Area, task: Task, page: f64) {
        let (regions, _) = self.regions(task, page);
        let ticks = steps(self.values(task));
        let plot = Plot { area, x: (0.0, regions.len().max(1) as f64), y: limits(&ticks) };
        canvas.text((area.left, area.top - 2.0), task.label(), Text { bold: true, ..Text::NORMAL });
        for (value, _) in &ticks {
            canvas.line(&[plot.at(plot.x.0, *value), plot.at(plot.x.1, *value)], GRID_PT, GRID);
        }
        let none: [Tick; 0] = [];
        plot.axes(canvas, (&none, ""), (&ticks, "Bits per spike"));
        let arms = self.arms();
        for (place, name) in regions.iter().enumerate() {
            let neurons = self
                .of_task(task)
                .next()
                .and_then(|score| Some(score.regions.iter().find(|region| region.region == *name)?.neurons));
            let text = format!("{name} ({})", neurons.unwrap_or(0));
            let room = area.width() / regions.len() as f64 - 1.0;
            let middle = plot.at(place as f64 + 0.5, plot.y.0).0;
            let width = Text::NORMAL.width_mm(&text).min(room);
            let look = Text::NORMAL.aligned(Align::Left);
            canvas.fitted_text((middle - width / 2.0, area.bottom + 1.8 + CAPITALS_MM), &text, room, look);
            for score in self.of_task(task) {
                let Some(index) = arms.iter().position(|arm| *arm == score.arm) else { continue };
                let region = score.regions.iter().find(|region| region.region == *name);
                let Some(bits) = region.and_then(|region| region.pooled) else { continue };
                let across = 0.5 + ROOM * ((index as f64 + 0.5) / arms.len() as f64 - 0.5);
                interval(canvas, &plot, place as f64 + across, bits, index);
            }
        }
    }
}

impl Page for BitsPage<'_> {
    fn title(&self) -> String {
        "Predicted spikes by task and region (in brackets: neurons)".to_owned()
    }

    fn notice(&self) -> String {
        self.0.notice()
    }

    fn provenance(&self) -> String {
        provenance(self.0)
    }

    fn check(&self) -> Result<(), FigureError> {
        if self.0.scores.is_empty() {
            return Err(FigureError::Missing("nothing was scored, so there is nothing to show".to_owned()));
        }
        Ok(())
    }

    fn caption(&self, page: f64) -> Vec<String> {
        let beyond = self.0.tasks().into_iter().any(|task| {
            let (least, most) = limits(&steps(self.values(task)));
            self.values(task).any(|bits| bits.value < least || bits.value > most)
        });
        let left_out = self.0.tasks().into_iter().map(|task| self.regions(task, page).1).max().unwrap_or(0);
        let beyond = if beyond { " Values beyond an axis are drawn at its end." } else { "" };
        let left_out = if left_out > 0 {
            format!(" {left_out} more regions with fewer neurons are in the table.")
        } else {
            String::new()
        };
        vec![
            "Bits per spike of all neurons of a region together, above each neuron's mean over the test trials (0)."
                .to_owned(),
            format!("Lines: 95 % intervals, bootstrap over trials.{beyond}{left_out}"),
        ]
    }

    fn height(&self, page: f64) -> f64 {
        self.top(page) + STEP_MM * self.0.tasks().len() as f64 - 10.0
    }

    fn draw(&self, canvas: &mut Canvas, page: f64) {
        legend(canvas, &self.arms(), LEGEND_MM, page);
        for (index, task) in self.0.tasks().into_iter().enumerate() {
            let top = self.top(page) + STEP_MM * index as f64;
            self.panel(canvas, Area::new(LEFT_MM, top, page - RIGHT_MM, top + HEIGHT_MM), task, page);
        }
    }

    fn numbers(&self, page: f64) -> Vec<Series> {
        let of_score = |score: &TaskScore, task: Task| {
            let (shown, _) = self.regions(task, page);
            let regions = score.regions.iter().filter(|region| shown.contains(&region.region.as_str()));
            let points =
                regions.filter_map(|region| Some(entry(&region.region, region.pooled?).over(region.neurons))).collect();
            Series {
                panel: task.label().to_owned(),
                name: score.arm.clone(),
                x_label: "Region".to_owned(),
                y_label: "Bits per spike".to_owned(),
                points,
            }
        };
        let tasks = self.0.tasks().into_iter();
        tasks.flat_map(|task| self.of_task(task).map(move |score| of_score(score, task))).collect()
    }

    fn own_width(&self) -> f64 {
        PAGE_MM
    }
}
