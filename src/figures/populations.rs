//! A population as a whole: units that respond alike, principal components, conditions that are told apart, and decoding.

use plotters::style::RGBColor;

use super::canvas::{Align, Area, CAPITALS_MM, Canvas, Text};
use super::grid::Grid;
use super::numbers::{Entry, Series};
use super::page::Page;
use super::plot::{Plot, Tick, numbered};
use super::style::{AXIS_PT, BLUE, DATA_PT, INK, PAGE_MM, QUIET, VERMILLION, colour_around, colour_of};
use super::{FigureError, Plate, unit_name};
use crate::characterise::{Accuracy, Characterisation, Dissimilarities, Population};

/// How files of this figure are named.
pub const STEM: &str = "units_and_conditions";
/// Where the panels lie.
const GRID: Grid = Grid::of_analysis(8.0, 60.0, 30.0);
/// Most rows of a matrix that a panel can tell apart; beyond it, neighbours are averaged.
const MOST_ROWS: usize = 60;
/// Most parameters whose names have room below their panel.
const MOST_NAMES: usize = 3;
/// Steps of a strip of colours.
const STEPS: usize = 96;

/// The figure, to be written.
pub fn plate(found: &Characterisation) -> Plate<'_> {
    Plate::new(Shown(found))
}

/// What is drawn.
struct Shown<'a>(&'a Characterisation);

/// A panel.
#[derive(Debug, Clone, Copy)]
enum Part<'a> {
    Units(&'a Population),
    Components(&'a Population),
    Conditions(&'a Dissimilarities),
    Decoding(&'a [Accuracy]),
}

impl<'a> Shown<'a> {
    /// Panels with something to show.
    fn parts(&self) -> Vec<Part<'a>> {
        let of = &self.0.population;
        let units = (!of.units.is_empty()).then_some(Part::Units(of));
        let components = (!of.explained.is_empty()).then_some(Part::Components(of));
        let conditions = of.dissimilarity.as_ref().map(Part::Conditions);
        let decoding = (!of.decoded.is_empty()).then_some(Part::Decoding(&of.decoded));
        units.into_iter().chain(components).chain(conditions).chain(decoding).collect()
    }
}

impl Page for Shown<'_> {
    fn title(&self) -> String {
        self.0.title.clone()
    }

    fn notice(&self) -> String {
        self.0.notice.clone()
    }

    fn provenance(&self) -> String {
        self.0.provenance.clone()
    }

    fn check(&self) -> Result<(), FigureError> {
        if self.parts().is_empty() {
            return Err(FigureError::Missing("the population has nothing in common to show".to_owned()));
        }
        Ok(())
    }

    fn caption(&self, _: f64) -> Vec<String> {
        let said = |part: &Part<'_>| match part {
            Part::Units(of) => {
                let colours = if of.angles.is_some() { ", grey: without a preferred angle" } else { "" };
                format!(
                    "Units: dots{colours}; those with similar mean responses lie together (UMAP); large distances mean nothing."
                )
            }
            Part::Components(of) => {
                format!("Components: principal components of n = {} presentations.", of.presentations)
            }
            Part::Conditions(of) => {
                let together = together(of.conditions.len());
                let averaged = match together {
                    1 => String::new(),
                    n => format!("; each cell averages {n} × {n} conditions"),
                };
                format!(
                    "Conditions: 1 − correlation of mean responses over units, in the order in which they are listed{averaged}."
                )
            }
            Part::Decoding(_) => {
                "Decoding: linear discriminant from single presentations that it did not learn from, with \
                                  95 % Wilson interval; line: chance."
                    .to_owned()
            }
        };
        vec![self.parts().iter().map(said).collect::<Vec<_>>().join(" ")]
    }

    fn height(&self, page: f64) -> f64 {
        GRID.height(page, self.parts().len(), 8.0)
    }

    fn draw(&self, canvas: &mut Canvas, page: f64) {
        for (index, part) in self.parts().into_iter().enumerate() {
            let area = GRID.area(page, index);
            let title = |canvas: &mut Canvas, text: &str| {
                GRID.above(canvas, area, 3.0, text, Text { bold: true, ..Text::NORMAL });
            };
            match part {
                Part::Units(of) => {
                    title(canvas, "Units that respond alike");
                    units(canvas, area, of);
                }
                Part::Components(of) => {
                    title(canvas, "Principal components");
                    components(canvas, area, of);
                }
                Part::Conditions(of) => {
                    title(canvas, "Dissimilarity of conditions");
                    conditions(canvas, area, of);
                }
                Part::Decoding(of) => {
                    title(canvas, "Decoding");
                    decoding(canvas, area, of);
                }
            }
        }
    }

    fn numbers(&self, _: f64) -> Vec<Series> {
        self.parts().into_iter().flat_map(numbers).collect()
    }

    fn own_width(&self) -> f64 {
        PAGE_MM
    }
}

fn numbers(part: Part<'_>) -> Vec<Series> {
    let series = |panel: &str, name: String, labels: [&str; 2], points: Vec<Entry>| Series {
        panel: panel.to_owned(),
        name,
        x_label: labels[0].to_owned(),
        y_label: labels[1].to_owned(),
        points,
    };
    match part {
        Part::Units(of) => {
            let place =
                |axis: usize| of.units.iter().map(move |unit| Entry::new(unit_name(&unit.unit), unit.place[axis]));
            let mut all: Vec<Series> = (0..2)
                .map(|axis| {
                    let label = format!("UMAP {}", axis + 1);
                    series("Units", label.clone(), ["Unit", &label], place(axis).collect())
                })
                .collect();
            if let Some((name, _)) = &of.angles {
                let points = of.units.iter().map(|unit| Entry::new(unit_name(&unit.unit), unit.angle_deg));
                let label = format!("Preferred {} (°)", name.to_lowercase());
                all.push(series("Units", label.clone(), ["Unit", &label], points.collect()));
            }
            all
        }
        Part::Components(of) => {
            let points = of.explained.iter().enumerate();
            let points = points.map(|(index, share)| Entry::new(index + 1, 100.0 * share).over(of.presentations));
            let labels = ["Number of components", "Variance explained (%)"];
            vec![series("Components", "together".to_owned(), labels, points.collect())]
        }
        Part::Conditions(of) => {
            let (rows, together) = (rows(of), together(of.conditions.len()));
            let first = |row: usize| of.conditions[row * together];
            let row = |(row, values): (usize, &Vec<f64>)| {
                let points = values.iter().enumerate().map(|(column, &value)| Entry::new(first(column), value));
                let labels = ["Condition, from 0", "Dissimilarity (1 − r)"];
                series("Conditions", format!("condition {}", first(row)), labels, points.collect())
            };
            rows.iter().enumerate().map(row).collect()
        }
        Part::Decoding(of) => {
            let percent = |share: f64| 100.0 * share;
            let labels = ["Parameter", "Decoded correctly (%)"];
            let found = of.iter().map(|one| Entry {
                range: one.interval.map(|(low, high)| (percent(low), percent(high))),
                ..Entry::new(&one.parameter, percent(one.accuracy)).over(one.presentations)
            });
            let chance = of.iter().map(|one| Entry::new(&one.parameter, percent(one.chance)));
            vec![
                series("Decoding", "decoded, with 95 % interval".to_owned(), labels, found.collect()),
                series("Decoding", "chance".to_owned(), labels, chance.collect()),
            ]
        }
    }
}

/// Dots in the colour of their preferred angle, and what the colours are below.
fn units(canvas: &mut Canvas, area: Area, of: &Population) {
    let ends = |axis: usize| {
        let places = of.units.iter().map(|unit| unit.place[axis]);
        places.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), place| (low.min(place), high.max(place)))
    };
    let (x, y) = (ends(0), ends(1));
    // The same scale along both axes, and half a dot of room.
    let half = (0.53 * (x.1 - x.0).max(y.1 - y.0)).max(1e-9);
    let around = |(low, high): (f64, f64)| (f64::midpoint(low, high) - half, f64::midpoint(low, high) + half);
    let plot = Plot { area, x: around(x), y: around(y) };
    let (radius, alpha) = if of.units.len() > 300 { (0.35, 0.6) } else { (0.55, 0.8) };
    for unit in &of.units {
        let colour = match (&of.angles, unit.angle_deg) {
            (Some((_, period)), Some(angle)) => colour_around(angle / period),
            (Some(_), None) => QUIET,
            (None, _) => BLUE,
        };
        canvas.dot(plot.at(unit.place[0], unit.place[1]), radius, colour, alpha);
    }
    plot.axes(canvas, (&[], ""), (&[], "UMAP 2"));
    let n = format!("n = {} units", of.units.len());
    GRID.below(canvas, area, 1.2, &[("UMAP 1", Text::NORMAL), (&n, Text::QUIET)]);
    if let Some((name, period)) = &of.angles {
        let ticks = numbered(&[0.0, 0.5 * period, *period]);
        strip(canvas, area, *period, &ticks, &format!("Preferred {} (°)", name.to_lowercase()), colour_around);
    }
}

/// The variance that components explain together.
fn components(canvas: &mut Canvas, area: Area, of: &Population) {
    let count = of.explained.len() as f64;
    let plot = Plot { area, x: (0.0, count.max(2.0)), y: (0.0, 100.0) };
    let points: Vec<_> =
        of.explained.iter().zip(1..).map(|(share, index)| plot.at(f64::from(index), 100.0 * share)).collect();
    canvas.line(&points, DATA_PT, BLUE);
    for &point in &points {
        canvas.dot(point, 0.6, BLUE, 1.0);
    }
    let middle = (count / 2.0).round().max(1.0);
    let x: &[f64] = if middle < count { &[0.0, middle, count] } else { &[0.0, count] };
    plot.axes(canvas, (&numbered(x), ""), (&numbered(&[0.0, 50.0, 100.0]), "Variance explained (%)"));
    GRID.below(canvas, area, 5.6, &[("Number of components", Text::NORMAL)]);
}

/// How many conditions make a row of the matrix.
fn together(conditions: usize) -> usize {
    conditions.div_ceil(MOST_ROWS).max(1)
}

/// The matrix, in which neighbouring conditions are averaged where there are many.
fn rows(of: &Dissimilarities) -> Vec<Vec<f64>> {
    let (count, together) = (of.conditions.len(), together(of.conditions.len()));
    let blocks = count.div_ceil(together);
    let of_block = |block: usize| (block * together)..((block + 1) * together).min(count);
    let mean = |row: usize, column: usize| {
        let places = of_block(row).flat_map(|row| of_block(column).map(move |column| row * count + column));
        let values: Vec<f64> = places.map(|place| of.values[place]).collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    (0..blocks).map(|row| (0..blocks).map(|column| mean(row, column)).collect()).collect()
}

fn conditions(canvas: &mut Canvas, area: Area, of: &Dissimilarities) {
    let rows = rows(of);
    let side = area.width().min(area.height());
    let area = Area::new(area.left, area.top, area.left + side, area.top + side);
    let count = rows.len() as f64;
    let most = rows.iter().flatten().copied().fold(0.0, f64::max);
    // 1 is no correlation and 2 the opposite response.
    let most = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0].into_iter().find(|&end| most <= end).unwrap_or(2.0);
    // The first condition on top.
    let plot = Plot { area, x: (0.0, count), y: (count, 0.0) };
    // Each cell reaches a little under its neighbours, so that no viewer shows seams.
    let bleed = 0.06;
    for (row, values) in rows.iter().enumerate() {
        for (column, &value) in values.iter().enumerate() {
            let (left, top) = plot.at(column as f64, row as f64);
            let (right, bottom) = plot.at(column as f64 + 1.0, row as f64 + 1.0);
            let cell = Area::new(left, top, (right + bleed).min(area.right), (bottom + bleed).min(area.bottom));
            canvas.rectangle(cell, colour_of(value / most));
        }
    }
    let ends = numbered(&[1.0, of.conditions.len() as f64]);
    let ticks: Vec<Tick> = [0.5, count - 0.5].into_iter().zip(ends).map(|(place, (_, text))| (place, text)).collect();
    let ticks = if count > 1.0 { &ticks[..] } else { &ticks[..1] };
    plot.axes(canvas, (ticks, ""), (ticks, "Condition"));
    let scale = numbered(&[0.0, 0.5 * most, most]);
    strip(canvas, area, most, &scale, "Dissimilarity (1 − r)", colour_of);
}

/// Colours from 0 to `most` below a panel and its axis.
fn strip(canvas: &mut Canvas, above: Area, most: f64, ticks: &[Tick], label: &str, colour: impl Fn(f64) -> RGBColor) {
    let top = above.bottom + 9.0;
    let area = Area::new(above.left, top, above.right, top + 2.0);
    let bar = Plot { area, x: (0.0, most), y: (0.0, 1.0) };
    let step = area.width() / STEPS as f64;
    for index in 0..STEPS {
        let left = area.left + step * index as f64;
        let cell = Area::new(left, area.top, (left + step + 0.06).min(area.right), area.bottom);
        canvas.rectangle(cell, colour((index as f64 + 0.5) / STEPS as f64));
    }
    for (value, text) in ticks {
        let (across, down) = bar.at(*value, 0.0);
        canvas.line(&[(across, down), (across, down + 0.8)], AXIS_PT, INK);
        canvas.text((across, down + 1.4 + CAPITALS_MM), text, Text::NORMAL.aligned(Align::Centre));
    }
    GRID.below(canvas, area, 4.6, &[(label, Text::NORMAL)]);
}

/// How often each parameter was decoded, beside chance.
fn decoding(canvas: &mut Canvas, area: Area, of: &[Accuracy]) {
    let plot = Plot { area, x: (0.0, of.len() as f64), y: (0.0, 100.0) };
    for (index, one) in of.iter().enumerate() {
        let middle = index as f64 + 0.5;
        let chance = 100.0 * one.chance;
        canvas.line(&[plot.at(middle - 0.3, chance), plot.at(middle + 0.3, chance)], AXIS_PT, QUIET);
        if let Some((low, high)) = one.interval {
            canvas.line(&[plot.at(middle, 100.0 * low), plot.at(middle, 100.0 * high)], DATA_PT, VERMILLION);
        }
        canvas.dot(plot.at(middle, 100.0 * one.accuracy), 0.8, VERMILLION, 1.0);
    }
    let number = |index: usize| if of.len() > 1 { (index + 1).to_string() } else { String::new() };
    let ticks: Vec<Tick> = (0..of.len()).map(|index| (index as f64 + 0.5, number(index))).collect();
    plot.axes(canvas, (&ticks, ""), (&numbered(&[0.0, 50.0, 100.0]), "Decoded correctly (%)"));
    let spoken = |(index, one): (usize, &Accuracy)| {
        let number = if of.len() > 1 { format!("{} ", index + 1) } else { String::new() };
        format!("{number}{}: {:.0} %, chance {:.0} %", one.parameter, 100.0 * one.accuracy, 100.0 * one.chance)
    };
    let mut lines: Vec<String> = of.iter().enumerate().map(spoken).take(MOST_NAMES).collect();
    if of.len() > MOST_NAMES {
        lines.push(format!("and {} more", of.len() - MOST_NAMES));
    }
    let presentations = of.iter().map(|one| one.presentations).fold((usize::MAX, 0), |(a, b), n| (a.min(n), b.max(n)));
    lines.push(match presentations {
        (least, most) if least == most => format!("n = {most} presentations"),
        (least, most) => format!("n = {least} to {most} presentations"),
    });
    let lines: Vec<(&str, Text)> = lines.iter().map(|line| (line.as_str(), Text::QUIET)).collect();
    GRID.below(canvas, area, 5.6, &lines);
}
