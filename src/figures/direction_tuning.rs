//! Tuning curve of one unit: polar, and over the direction of motion with standard errors.

use super::canvas::{Align, Area, CAPITALS_MM, Canvas, Point, Text};
use super::numbers::{Entry, Series};
use super::page::NARROW_MM;
use super::plot::{LINE_MM, Plot, numbered, ticks_from_zero};
use super::style::{AXIS_PT, BLUE, DATA_PT, GRID, GRID_PT, INK, VERMILLION};
use super::{Data, unit_name};
use crate::analysis::{DirectionTuning, UnitTuning};

/// What lies along the axis.
pub const LABEL: &str = "Direction of motion (°)";
/// Radius of a mean response, mm.
const DOT_MM: f64 = 0.75;

pub fn height(width: f64) -> f64 {
    if width < NARROW_MM { 104.0 } else { 66.0 }
}

pub fn draw(canvas: &mut Canvas, width: f64, data: &Data<'_>, unit: usize) {
    if width < NARROW_MM {
        polar(canvas, Area::new(5.0, 0.0, 55.0, 50.0), data, unit);
        numbers(canvas, (61.0, 8.0), data, unit);
        curve(canvas, Area::new(15.0, 56.0, width - 6.0, 90.0), data, unit);
    } else {
        polar(canvas, Area::new(8.0, 2.0, 62.0, 62.0), data, unit);
        curve(canvas, Area::new(80.0, 4.0, width - 43.0, 48.0), data, unit);
        numbers(canvas, (width - 36.0, 7.0), data, unit);
    }
}

pub fn caption(data: &Data<'_>, unit: usize) -> String {
    let spread = match data.tuned_units()[unit].sem {
        Some(_) => "Mean ± s.e.m.",
        None => "Mean",
    };
    format!(
        "{spread}, {}. Arrow: mean vector, length gDSI (circle = 1); triangle: its direction. gOSI and gDSI have no unit.",
        data.presentations_in_words()
    )
}

/// What the curve shows.
pub fn table(data: &Data<'_>, unit: usize) -> Vec<Series> {
    let Some(tuning) = data.tuning else { return Vec::new() };
    let curve = &tuning.units[unit];
    let entry = |(index, degrees): (usize, &f64)| {
        let sem = curve.sem.as_ref().map(|sem| f64::from(sem[index]));
        Entry::new(degrees, f64::from(curve.mean[index])).give_or_take(sem).over(tuning.presentations[index])
    };
    let series = |panel: &str, x_label: &str, y_label: &str, points: Vec<Entry>| Series {
        panel: panel.to_owned(),
        name: unit_name(&data.units[unit]),
        x_label: x_label.to_owned(),
        y_label: y_label.to_owned(),
        points,
    };
    let points = tuning.directions_deg.iter().enumerate().map(entry).collect();
    let vector = curve.preferred_direction_deg.map(|degrees| Entry::new(degrees, curve.global_dsi.map(f64::from)));
    vec![
        series("curve", LABEL, "Response (× mean)", points),
        series("mean vector", "Preferred direction (°)", "gDSI", vector.into_iter().collect()),
    ]
}

/// Indices of the numbers at each direction, the first one again at the end where the circle is closed.
fn around(tuning: &DirectionTuning) -> Vec<(f64, usize)> {
    let mut points: Vec<(f64, usize)> = tuning.directions_deg.iter().copied().zip(0..).collect();
    if closes(&tuning.directions_deg) {
        points.push((tuning.directions_deg[0] + 360.0, 0));
    }
    points
}

/// Whether the step from the last direction to the first is like the others.
fn closes(directions: &[f64]) -> bool {
    let [first, second, .., last] = directions else { return false };
    (first + 360.0 - last - (second - first)).abs() < 1e-6
}

/// The curve as distance from the centre.
fn polar(canvas: &mut Canvas, area: Area, data: &Data<'_>, unit: usize) {
    let Some(tuning) = data.tuning else { return };
    let (curve, centre) = (&tuning.units[unit], area.centre());
    let radius = area.width().min(area.height()) / 2.0 - 6.0;
    let rings = ticks_from_zero(top(curve), 3);
    let most = rings.last().map_or(1.0, |(value, _)| *value);
    let at = |degrees: f64, value: f64| -> Point {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let length = radius * (value / most).max(0.0);
        (centre.0 + length * cos, centre.1 - length * sin)
    };
    for step in 0..8 {
        canvas.line(&[centre, at(45.0 * f64::from(step), most)], GRID_PT, GRID);
    }
    for (value, _) in &rings[1..] {
        canvas.circle(centre, radius * value / most, GRID_PT, GRID);
    }
    canvas.circle(centre, radius, AXIS_PT, INK);
    for (degrees, align, down) in [
        (0.0, Align::Left, 0.5 * CAPITALS_MM),
        (90.0, Align::Centre, 0.0),
        (180.0, Align::Right, 0.5 * CAPITALS_MM),
        (270.0, Align::Centre, CAPITALS_MM),
    ] {
        let beyond = at(degrees, most * (1.0 + 1.2 / radius));
        canvas.text((beyond.0, beyond.1 + down), &format!("{degrees}°"), Text::NORMAL.aligned(align));
    }
    draw_curve(canvas, tuning, curve, &at);
    if let (Some(direction), Some(length)) = (curve.preferred_direction_deg, curve.global_dsi) {
        let tip = at(f64::from(direction), f64::from(length) * most);
        canvas.arrow(centre, tip, DATA_PT, 2.2, VERMILLION);
    }
    // Beside the circle, where no curve can be.
    let (place, text) = (at(-45.0, most * (1.0 + 1.5 / radius)), rings.last().map_or("1", |(_, text)| text));
    canvas.text((place.0, place.1 + CAPITALS_MM), &format!("{text} × mean"), Text::QUIET);
}

/// The curve over the direction of motion, an arrow below every number.
fn curve(canvas: &mut Canvas, area: Area, data: &Data<'_>, unit: usize) {
    let Some(tuning) = data.tuning else { return };
    let unit = &tuning.units[unit];
    let y_ticks = ticks_from_zero(top(unit), 4);
    let top = y_ticks.last().map_or(1.0, |(value, _)| *value);
    let x_ticks = numbered(&[0.0, 90.0, 180.0, 270.0, 360.0]);
    let plot = Plot { area, x: (-8.0, 368.0), y: (0.0, top) };
    plot.axes(canvas, (&x_ticks, ""), (&y_ticks, "Response (× mean)"));
    for (degrees, _) in &x_ticks {
        let (x, _) = plot.at(*degrees, 0.0);
        canvas.direction_arrow((x, area.bottom + 6.6), *degrees, 3.2, INK);
    }
    let label = (area.centre().0, area.bottom + 12.0);
    canvas.text(label, LABEL, Text::NORMAL.aligned(Align::Centre));
    draw_curve(canvas, tuning, unit, &|degrees, value| plot.at(degrees, value.max(0.0)));
    if let Some(preferred) = unit.preferred_direction_deg {
        let (x, _) = plot.at(f64::from(preferred), 0.0);
        canvas.polygon(&[(x, area.top), (x - 1.0, area.top - 1.8), (x + 1.0, area.top - 1.8)], VERMILLION, 1.0);
    }
}

/// Line, standard errors and means, wherever `at` puts a direction and a response.
fn draw_curve(canvas: &mut Canvas, tuning: &DirectionTuning, unit: &UnitTuning, at: &dyn Fn(f64, f64) -> Point) {
    let points = around(tuning);
    let line: Vec<Point> = points.iter().map(|&(degrees, index)| at(degrees, f64::from(unit.mean[index]))).collect();
    canvas.line(&line, DATA_PT, BLUE);
    for (degrees, index) in points {
        let mean = f64::from(unit.mean[index]);
        if let Some(sem) = &unit.sem {
            let sem = f64::from(sem[index]);
            canvas.line(&[at(degrees, mean - sem), at(degrees, mean + sem)], AXIS_PT, BLUE);
        }
        canvas.dot(at(degrees, mean), DOT_MM, BLUE, 1.0);
    }
}

/// Selectivity in figures.
fn numbers(canvas: &mut Canvas, at: Point, data: &Data<'_>, unit: usize) {
    let unit = &data.tuned_units()[unit];
    let shown = |value: Option<f32>, decimals: usize, ending: &str| {
        value.map_or("undefined".to_owned(), |value| format!("{value:.decimals$}{ending}"))
    };
    // Rounds to 360 just below the full circle.
    let preferred = unit.preferred_direction_deg.map(|degrees| (degrees.round() % 360.0).abs());
    let rows = [
        ("gOSI", shown(unit.global_osi, 2, "")),
        ("gDSI", shown(unit.global_dsi, 2, "")),
        ("Preferred direction", shown(preferred, 0, "°")),
    ];
    let mut baseline = at.1;
    for (name, value) in rows {
        canvas.text((at.0, baseline), name, Text::QUIET);
        canvas.text((at.0, baseline + LINE_MM), &value, Text::TITLE);
        if let (true, Some(degrees)) = (name.starts_with("Pref"), unit.preferred_direction_deg) {
            let beside = at.0 + Text::TITLE.width_mm(&value) + 4.0;
            // As high as the digits, clear of the line above.
            canvas.direction_arrow((beside, baseline + LINE_MM - 0.8), f64::from(degrees), 2.8, VERMILLION);
        }
        baseline += 2.0 * LINE_MM + 2.2;
    }
}

/// Highest point of the curve with its standard errors.
fn top(unit: &UnitTuning) -> f64 {
    let sem = |index: usize| unit.sem.as_ref().map_or(0.0, |sem| f64::from(sem[index]));
    unit.mean.iter().enumerate().map(|(index, &mean)| f64::from(mean) + sem(index)).fold(0.0, f64::max)
}
