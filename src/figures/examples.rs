//! The clearest receptive fields as maps and the clearest tuning curves, unit by unit.

use super::canvas::{Area, Canvas, Text};
use super::grid::Grid;
use super::numbers::{Entry, Series, rounded};
use super::page::Page;
use super::plot::{Plot, Tick, ticks_from_zero, with_minus};
use super::style::{AXIS_PT, BLUE, DATA_PT, INK, PAGE_MM, SHADE, VERMILLION, colour_of};
use super::{FigureError, Plate};
use crate::characterise::{Characterisation, CurveExample, FieldExample, SurfaceExample};

/// Where the panels lie: below two lines of heading each.
const GRID: Grid = Grid::of_analysis(11.0, 55.0, 26.0);
/// Radius of a mean, mm.
const DOT_MM: f64 = 0.6;

/// The figure, to be written.
pub fn plate(found: &Characterisation) -> Plate<'_> {
    Plate::new(Shown(found))
}

/// What is drawn.
struct Shown<'a>(&'a Characterisation);

/// One panel.
enum Panel<'a> {
    Field(&'a FieldExample),
    Curve(&'a CurveExample),
    Surface(&'a SurfaceExample),
}

impl Shown<'_> {
    fn panels(&self) -> impl Iterator<Item = Panel<'_>> {
        let examples = &self.0.examples;
        let single = examples.fields.iter().map(Panel::Field).chain(examples.curves.iter().map(Panel::Curve));
        single.chain(examples.surfaces.iter().map(Panel::Surface))
    }
}

impl Page for Shown<'_> {
    fn title(&self) -> String {
        format!("{}: examples", self.0.title)
    }

    fn notice(&self) -> String {
        self.0.notice.clone()
    }

    fn provenance(&self) -> String {
        self.0.provenance.clone()
    }

    fn check(&self) -> Result<(), FigureError> {
        if self.panels().next().is_none() {
            let what = "no receptive field was mapped and no tuning was found, so there is no example to show";
            return Err(FigureError::Missing(what.to_owned()));
        }
        Ok(())
    }

    fn caption(&self, _: f64) -> Vec<String> {
        let examples = &self.0.examples;
        let mut said = Vec::new();
        if !examples.fields.is_empty() || !examples.curves.is_empty() {
            said.push("The units whose fits have the largest r² of all, not drawn by chance.".to_owned());
        }
        if !self.0.examples.fields.is_empty() {
            said.push(
                "Maps: colours from the least (dark) to the largest value of each map; orange: the blocks within one \
                 standard deviation of the fitted Gaussian."
                    .to_owned(),
            );
        }
        if !self.0.examples.curves.is_empty() {
            said.push("Curves: mean ± s.e.m. over presentations; orange: the fitted curve.".to_owned());
        }
        if !examples.surfaces.is_empty() {
            said.push(
                "Two parameters: mean over presentations, colours from the least (dark) to the largest mean of each unit, \
                 grey where nothing was shown; the units whose means differ most, not drawn by chance. Separability: share \
                 of the surface that is a curve of one parameter times a curve of the other."
                    .to_owned(),
            );
        }
        said
    }

    fn height(&self, page: f64) -> f64 {
        GRID.height(page, self.panels().count(), 8.0)
    }

    fn draw(&self, canvas: &mut Canvas, page: f64) {
        for (index, panel) in self.panels().enumerate() {
            let area = GRID.area(page, index);
            match panel {
                Panel::Field(example) => field(canvas, area, example),
                Panel::Curve(example) => curve(canvas, area, example),
                Panel::Surface(example) => surface(canvas, area, example),
            }
        }
    }

    fn numbers(&self, _: f64) -> Vec<Series> {
        self.panels()
            .flat_map(|panel| match panel {
                Panel::Field(example) => field_numbers(example),
                Panel::Curve(example) => curve_numbers(example),
                Panel::Surface(example) => surface_numbers(example),
            })
            .collect()
    }

    fn own_width(&self) -> f64 {
        PAGE_MM
    }
}

/// Two lines above a panel: which unit, and what it was shown.
fn heading(canvas: &mut Canvas, area: Area, unit: u32, what: &str) {
    GRID.above(canvas, area, 6.4, &format!("Unit {unit}"), Text { bold: true, ..Text::NORMAL });
    GRID.above(canvas, area, 3.0, what, Text::NORMAL);
}

/// Two lines below a panel and its axis.
fn below(canvas: &mut Canvas, area: Area, lines: [&str; 2]) {
    GRID.below(canvas, area, 9.4, &lines.map(|text| (text, Text::QUIET)));
}

/// Ends of the axes of a map: places of its first, middle and last row or column.
fn map_ticks(example: &FieldExample, count: usize, place: impl Fn(usize) -> f64) -> Vec<Tick> {
    let shown = [0, count / 2, count.saturating_sub(1)];
    let text = |index: usize| match example.place_unit {
        "px" => format!("{:.0}", place(index)),
        _ => with_minus(format!("{:.0}", place(index)).replace("-0", "0")),
    };
    let mut ticks: Vec<Tick> = shown.into_iter().map(|index| (index as f64 + 0.5, text(index))).collect();
    ticks.dedup_by(|a, b| a.0 == b.0);
    ticks
}

/// Cells as colours from the least to the largest value, row 0 on top; grey where there is none.
fn cells(
    canvas: &mut Canvas,
    area: Area,
    [rows, columns]: [usize; 2],
    value_at: impl Fn(usize, usize) -> Option<f64>,
) -> Plot {
    let plot = Plot { area, x: (0.0, columns as f64), y: (0.0, rows as f64) };
    let places = || (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
    let known = || places().filter_map(|(row, column)| value_at(row, column));
    let (least, most) = (known().fold(f64::INFINITY, f64::min), known().fold(f64::NEG_INFINITY, f64::max));
    // Each cell reaches a little under its neighbours, so that no viewer shows seams.
    let bleed = 0.06;
    for (down, column) in places() {
        let row = (rows - 1 - down) as f64;
        let ((left, bottom), (right, top)) = (plot.at(column as f64, row), plot.at(column as f64 + 1.0, row + 1.0));
        let cell = Area::new(left, (top - bleed).max(area.top), (right + bleed).min(area.right), bottom);
        let share = |value: f64| (value - least) / (most - least).max(f64::MIN_POSITIVE);
        canvas.rectangle(cell, value_at(down, column).map_or(SHADE, |value| colour_of(share(value))));
    }
    plot
}

fn field(canvas: &mut Canvas, area: Area, example: &FieldExample) {
    heading(canvas, area, example.unit, &format!("{}, {}", example.from, example.part));
    let [rows, columns] = example.shape;
    let value_at = |row: usize, column: usize| example.values.get(row * columns + column).copied().flatten();
    let plot = cells(canvas, area, example.shape, value_at);
    outline(canvas, plot, example);
    let across = map_ticks(example, columns, |column| example.places.get(column).map_or(0.0, |place| place[0]));
    let place_of_row = |row: usize| example.places.get((rows - 1 - row) * columns).map_or(0.0, |place| place[1]);
    let up = map_ticks(example, rows, place_of_row);
    let (x, y) = match example.place_unit {
        "px" => ("Column (px)", "Row (px)"),
        _ => ("Azimuth (°)", "Elevation (°)"),
    };
    plot.axes(canvas, (&across, x), (&up, y));
    let ssi = example.ssi.map(|ssi| format!(", SSI = {ssi:.2}")).unwrap_or_default();
    let fit = example.fit;
    let (sigma, unit) = ((fit.sigma[0] * fit.sigma[1]).sqrt(), example.place_unit);
    let space = if unit == "px" { " " } else { "" };
    let size = format!("s.d. {sigma:.1}{space}{unit}");
    below(canvas, area, [&format!("r² = {:.2}{ssi}", example.r2), &size]);
}

/// Around the blocks within one standard deviation of the Gaussian.
fn outline(canvas: &mut Canvas, plot: Plot, example: &FieldExample) {
    let [rows, columns] = example.shape;
    let fit = example.fit;
    let least = (-0.5f64).exp() * fit.amplitude.abs();
    let is_inside = |row: Option<usize>, column: Option<usize>| {
        let place = row.zip(column).filter(|&(row, column)| row < rows && column < columns);
        let place = place.and_then(|(row, column)| example.places.get(row * columns + column));
        place.is_some_and(|&place| (fit.at(place) - fit.baseline).abs() >= least)
    };
    for row in 0..rows {
        for column in 0..columns {
            if !is_inside(Some(row), Some(column)) {
                continue;
            }
            let (left, right) = (column as f64, column as f64 + 1.0);
            let (top, bottom) = ((rows - row) as f64, (rows - row) as f64 - 1.0);
            let edges = [
                (row.checked_sub(1), Some(column), (left, top), (right, top)),
                (Some(row + 1), Some(column), (left, bottom), (right, bottom)),
                (Some(row), column.checked_sub(1), (left, bottom), (left, top)),
                (Some(row), Some(column + 1), (right, bottom), (right, top)),
            ];
            for (row, column, from, to) in edges {
                if !is_inside(row, column) {
                    canvas.line(&[plot.at(from.0, from.1), plot.at(to.0, to.1)], DATA_PT, VERMILLION);
                }
            }
        }
    }
}

fn field_numbers(example: &FieldExample) -> Vec<Series> {
    let known = example.places.iter().zip(&example.values);
    vec![Series {
        panel: format!("{}, {}", example.from, example.part),
        name: format!("unit {}", example.unit),
        x_label: format!("Place, across and up ({})", example.place_unit),
        y_label: "Value of the map".to_owned(),
        points: known
            .map(|(place, value)| Entry::new(format!("{} {}", rounded(place[0]), rounded(place[1])), *value))
            .collect(),
    }]
}

/// Where a value lies along the axis.
fn along(example: &CurveExample, value: f64) -> f64 {
    if example.logarithmic && value > 0.0 { value.log2() } else { value }
}

fn curve(canvas: &mut Canvas, area: Area, example: &CurveExample) {
    heading(canvas, area, example.unit, &example.parameter);
    let values = || example.points.iter().map(|point| point.0);
    let fitted = || example.fitted.iter().map(|point| point.0);
    let ends = |values: &mut dyn Iterator<Item = f64>| {
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| (least.min(value), most.max(value)))
    };
    let (least, most) = ends(&mut values().chain(fitted()));
    let x = (along(example, least), along(example, most));
    let x = if x.1 > x.0 { x } else { (x.0 - 0.5, x.0 + 0.5) };
    let tops = example.points.iter().map(|point| point.1 + point.2.unwrap_or(0.0));
    let top = tops.chain(example.fitted.iter().map(|point| point.1)).fold(0.0, f64::max);
    let bottoms = example.points.iter().map(|point| point.1 - point.2.unwrap_or(0.0));
    let bottom = bottoms.fold(0.0, f64::min);
    let up: Vec<Tick> = ticks_from_zero(top, 3);
    let plot = Plot { area, x, y: (bottom, up.last().map_or(top, |tick| tick.0)) };
    let shown = [values().next(), values().nth(example.points.len() / 2), values().next_back()];
    let shown: Vec<f64> = if fitted().next_back() == Some(360.0) {
        vec![0.0, 180.0, 360.0]
    } else {
        shown.into_iter().flatten().collect()
    };
    let mut across: Vec<Tick> = shown.iter().map(|&value| (along(example, value), with_minus(short(value)))).collect();
    across.dedup_by(|a, b| a.0 == b.0);
    let line: Vec<_> =
        example.fitted.iter().map(|&(value, response)| plot.at(along(example, value), response)).collect();
    canvas.line(&line, DATA_PT, VERMILLION);
    for &(value, mean, error, _) in &example.points {
        let at = along(example, value);
        if let Some(error) = error {
            canvas.line(&[plot.at(at, mean - error), plot.at(at, mean + error)], AXIS_PT, INK);
        }
        canvas.dot(plot.at(at, mean), DOT_MM, BLUE, 1.0);
    }
    plot.axes(canvas, (&across, &example.label), (&up, "Response"));
    let counts = || example.points.iter().map(|point| point.3);
    let (few, many) = (counts().min().unwrap_or(0), counts().max().unwrap_or(0));
    let n = if few == many { few.to_string() } else { format!("{few} to {many}") };
    let curve = format!("{}, r² = {:.2}", example.curve, example.r2);
    below(canvas, area, [&curve, &format!("n = {n} presentations")]);
}

/// The first, the middle and the last value, in the middles of their cells.
fn value_ticks(values: &[f64]) -> Vec<Tick> {
    let mut shown = vec![0, values.len() / 2, values.len().saturating_sub(1)];
    shown.dedup();
    let tick = |index: usize| Some((index as f64 + 0.5, with_minus(short(*values.get(index)?))));
    shown.into_iter().filter_map(tick).collect()
}

fn surface(canvas: &mut Canvas, area: Area, example: &SurfaceExample) {
    heading(canvas, area, example.unit, "Tuning to two parameters");
    let [rows, columns] = [0, 1].map(|axis| example.values[axis].len());
    // The least value of the first parameter is at the bottom.
    let mean_at =
        |down: usize, column: usize| example.means.get((rows - 1 - down) * columns + column).copied().flatten();
    let plot = cells(canvas, area, [rows, columns], mean_at);
    let [up, across] = [0, 1].map(|axis| value_ticks(&example.values[axis]));
    // A label may be a little longer than its axis.
    let fitted = |label: &str| Text::NORMAL.fitted(label, GRID.size_mm.0 + 6.0);
    plot.axes(canvas, (&across, &fitted(&example.labels[1])), (&up, &fitted(&example.labels[0])));
    let counts = || example.presentations.iter().copied().filter(|&count| count > 0);
    let (few, many) = (counts().min().unwrap_or(0), counts().max().unwrap_or(0));
    let n = if few == many { few.to_string() } else { format!("{few} to {many}") };
    let separable = example.separability.map(|share| format!("separability {share:.2}, ")).unwrap_or_default();
    let known = || example.means.iter().flatten().copied();
    let (least, most) = (known().fold(f64::INFINITY, f64::min), known().fold(f64::NEG_INFINITY, f64::max));
    let range = with_minus(format!("response {least:.2} to {most:.2}"));
    below(canvas, area, [&format!("{separable}n = {n}"), &range]);
}

fn surface_numbers(example: &SurfaceExample) -> Vec<Series> {
    let columns = example.values[1].len().max(1);
    let entry = |(index, mean): (usize, &Option<f64>)| {
        let [row, column] = [(0, index / columns), (1, index % columns)]
            .map(|(axis, place)| example.values[axis].get(place).copied().unwrap_or(f64::NAN));
        let n = example.presentations.get(index).copied().unwrap_or(0);
        Entry::new(format!("{row} {column}"), *mean).over(n)
    };
    vec![Series {
        panel: example.parameters.join(" by "),
        name: format!("unit {}", example.unit),
        x_label: example.labels.join(", "),
        y_label: "Response (in units of the mean activity)".to_owned(),
        points: example.means.iter().enumerate().map(entry).collect(),
    }]
}

/// A value of a parameter in few digits.
fn short(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn curve_numbers(example: &CurveExample) -> Vec<Series> {
    let series = |name: String, points| Series {
        panel: example.parameter.clone(),
        name,
        x_label: example.label.clone(),
        y_label: "Response (in units of the mean activity)".to_owned(),
        points,
    };
    let means = example.points.iter();
    let means = means.map(|&(value, mean, error, n)| Entry::new(value, mean).give_or_take(error).over(n)).collect();
    let fitted = example.fitted.iter().map(|&(value, response)| Entry::new(rounded(value), response)).collect();
    let unit = example.unit;
    vec![series(format!("unit {unit}"), means), series(format!("unit {unit}, {}", example.curve), fitted)]
}
