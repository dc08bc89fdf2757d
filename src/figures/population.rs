//! Preferred directions and selectivity of all units.

use plotters::prelude::DrawingBackend;

use super::Data;
use super::canvas::{Align, Area, Canvas, Text};
use super::plot::{Plot, frame, numbered, ticks_from_zero};
use super::style::{BLUE, GRID, GRID_PT, INK, PAGE_MM};

pub const SIZE_MM: (f64, f64) = (PAGE_MM, 76.0);

/// Width of a bin of preferred directions, degrees.
const BIN_DEG: f64 = 30.0;

pub fn draw<B: DrawingBackend>(canvas: &mut Canvas<'_, B>, data: &Data<'_>) {
    frame(canvas, SIZE_MM, data.title, &caption(data), &data.notice);
    histogram(canvas, Area::new(17.0, 12.0, 100.0, 50.0), data);
    scatter(canvas, Area::new(130.0, 12.0, 168.0, 50.0), data);
}

pub fn caption(data: &Data<'_>) -> Vec<String> {
    let units = data.tuned_units();
    let preferring = units.iter().filter(|unit| unit.preferred_direction_deg.is_some()).count();
    vec![format!(
        "{preferring} of {} units have a preferred direction; bins of {BIN_DEG}° around multiples of {BIN_DEG}°; means over {}.",
        units.len(),
        data.presentations_in_words()
    )]
}

/// Number of units by preferred direction; the first bin is centred on 0.
pub fn histogram<B: DrawingBackend>(canvas: &mut Canvas<'_, B>, area: Area, data: &Data<'_>) {
    const BINS: usize = (360.0 / BIN_DEG) as usize;
    let mut counts = [0usize; BINS];
    for degrees in data.tuned_units().iter().filter_map(|unit| unit.preferred_direction_deg) {
        counts[(f64::from(degrees) / BIN_DEG).round() as usize % BINS] += 1;
    }
    let most = counts.iter().copied().max().unwrap_or(0);
    let y_ticks: Vec<_> =
        ticks_from_zero(most.max(2) as f64, 4).into_iter().filter(|(value, _)| value.fract() == 0.0).collect();
    let top = y_ticks.last().map_or(1.0, |(value, _)| value.max(most as f64));
    let plot = Plot { area, x: (-BIN_DEG / 2.0, 360.0 - BIN_DEG / 2.0), y: (0.0, top) };
    for (bin, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let middle = bin as f64 * BIN_DEG;
        let (left, top) = plot.at(middle - 0.42 * BIN_DEG, count as f64);
        let (right, bottom) = plot.at(middle + 0.42 * BIN_DEG, 0.0);
        canvas.rectangle(Area::new(left, top, right, bottom), BLUE);
    }
    let x_ticks = numbered(&[0.0, 90.0, 180.0, 270.0]);
    plot.axes(canvas, (&x_ticks, ""), (&y_ticks, "Units"));
    for (degrees, _) in &x_ticks {
        let (x, _) = plot.at(*degrees, 0.0);
        canvas.direction_arrow((x, area.bottom + 6.6), *degrees, 3.2, INK);
    }
    let label = (area.centre().0, area.bottom + 12.0);
    canvas.text(label, "Preferred direction of motion (°)", Text::NORMAL.aligned(Align::Centre));
}

/// Direction selectivity over orientation selectivity.
pub fn scatter<B: DrawingBackend>(canvas: &mut Canvas<'_, B>, area: Area, data: &Data<'_>) {
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
