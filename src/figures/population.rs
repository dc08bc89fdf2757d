//! Preferred directions and selectivity of all units.

use super::canvas::{Align, Area, Canvas, Text};
use super::numbers::{Entry, Series};
use super::page::NARROW_MM;
use super::plot::{Plot, numbered, ticks_from_zero};
use super::style::{BLUE, GRID, GRID_PT, INK};
use super::{Data, unit_name};
use crate::analysis::UnitTuning;
use crate::signals::UnitId;

/// What lies along the axis of preferred directions, and what is counted above it.
const LABEL: &str = "Preferred direction of motion (°)";
pub const COUNT: &str = "Units (count)";
/// Width of a bin of preferred directions, degrees.
const BIN_DEG: f64 = 30.0;

pub fn height(width: f64) -> f64 {
    if width < NARROW_MM { 54.0 } else { 58.0 }
}

pub fn draw(canvas: &mut Canvas, width: f64, data: &Data<'_>) {
    if width < NARROW_MM {
        histogram(canvas, Area::new(14.0, 4.0, 45.0, 38.0), data);
        scatter(canvas, Area::new(width - 30.0, 14.0, width - 6.0, 38.0), data);
    } else {
        histogram(canvas, Area::new(17.0, 4.0, width - 83.0, 42.0), data);
        scatter(canvas, Area::new(width - 53.0, 4.0, width - 15.0, 42.0), data);
    }
}

pub fn caption(data: &Data<'_>) -> String {
    let units = data.tuned_units();
    let preferring = units.iter().filter(|unit| unit.preferred_direction_deg.is_some()).count();
    format!(
        "n = {preferring} of {} units have a preferred direction; bins of {BIN_DEG}° around multiples of {BIN_DEG}°; means over {}. gOSI and gDSI have no unit.",
        units.len(),
        data.presentations_in_words()
    )
}

/// The counts of both panels' marks.
pub fn table(data: &Data<'_>) -> Vec<Series> {
    let counts = counts(data);
    let preferring = counts.iter().sum();
    let bin = |(bin, &count): (usize, &usize)| Entry::new(bin as f64 * BIN_DEG, count as f64).over(preferring);
    let all = Series {
        panel: "preferred directions".to_owned(),
        name: "all units".to_owned(),
        x_label: LABEL.to_owned(),
        y_label: COUNT.to_owned(),
        points: counts.iter().enumerate().map(bin).collect(),
    };
    let one = |(unit, id): (&UnitTuning, &UnitId)| Series {
        panel: "selectivity".to_owned(),
        name: unit_name(id),
        x_label: "gOSI".to_owned(),
        y_label: "gDSI".to_owned(),
        points: unit.global_osi.map(|osi| Entry::new(osi, unit.global_dsi.map(f64::from))).into_iter().collect(),
    };
    [all].into_iter().chain(data.tuned_units().iter().zip(data.units).map(one)).collect()
}

const BINS: usize = (360.0 / BIN_DEG) as usize;

/// Number of units by preferred direction; the first bin is centred on 0.
fn counts(data: &Data<'_>) -> [usize; BINS] {
    let mut counts = [0; BINS];
    for degrees in data.tuned_units().iter().filter_map(|unit| unit.preferred_direction_deg) {
        counts[(f64::from(degrees) / BIN_DEG).round() as usize % BINS] += 1;
    }
    counts
}

fn histogram(canvas: &mut Canvas, area: Area, data: &Data<'_>) {
    let counts = counts(data);
    let most = counts.iter().copied().max().unwrap_or(0);
    let round = ticks_from_zero(most.max(2) as f64, 4).into_iter().map(|(value, _)| value);
    let y_ticks = numbered(&round.filter(|value| value.fract() == 0.0).collect::<Vec<_>>());
    let top = y_ticks.last().map_or(1.0, |(value, _)| value.max(most as f64));
    let plot = Plot { area, x: (-BIN_DEG / 2.0, 360.0 - BIN_DEG / 2.0), y: (0.0, top) };
    for (bin, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let middle = bin as f64 * BIN_DEG;
        let (left, top) = plot.at(middle - 0.42 * BIN_DEG, count as f64);
        let (right, bottom) = plot.at(middle + 0.42 * BIN_DEG, 0.0);
        canvas.rectangle(Area::new(left, top, right, bottom), BLUE);
    }
    let x_ticks = numbered(&[0.0, 90.0, 180.0, 270.0]);
    plot.axes(canvas, (&x_ticks, ""), (&y_ticks, COUNT));
    for (degrees, _) in &x_ticks {
        let (x, _) = plot.at(*degrees, 0.0);
        canvas.direction_arrow((x, area.bottom + 6.6), *degrees, 3.2, INK);
    }
    let label = (area.centre().0, area.bottom + 12.0);
    canvas.text(label, LABEL, Text::NORMAL.aligned(Align::Centre));
}

/// Direction selectivity over orientation selectivity.
fn scatter(canvas: &mut Canvas, area: Area, data: &Data<'_>) {
    let plot = Plot { area, x: (0.0, 1.0), y: (0.0, 1.0) };
    let ticks = numbered(&[0.0, 0.5, 1.0]);
    canvas.line(&[plot.at(0.0, 0.0), plot.at(1.0, 1.0)], GRID_PT, GRID);
    plot.axes(canvas, (&ticks, "gOSI"), (&ticks, "gDSI"));
    let units = data.tuned_units();
    // Many dots are drawn paler, so that crowds stand out.
    let alpha = if units.len() > 100 { 0.35 } else { 0.8 };
    for unit in units {
        if let (Some(osi), Some(dsi)) = (unit.global_osi, unit.global_dsi) {
            canvas.dot(plot.at(f64::from(osi), f64::from(dsi)), 0.6, BLUE, alpha);
        }
    }
}
