//! Centres and sizes of receptive fields in silico against in vivo.

use super::super::canvas::{Area, Canvas};
use super::super::numbers::{Entry, Series};
use super::super::style::BLUE;
use super::directions::{about_correlations, agreement, unit_number};
use super::panel::{self, Bars, Bins, SIDE_MM, below, spoken};
use crate::comparison::{Comparison, FieldComparison, FieldMap, LATE_FRAMES, LEAST_R2, NOISE_DELAYS};

/// Top of the first row and from one row to the next, mm.
const TOP_MM: f64 = 8.0;
const ROW_MM: f64 = 60.0;

pub fn height(page: f64) -> f64 {
    TOP_MM + ROW_MM * (4_usize.div_ceil(panel::columns(page)) - 1) as f64 + 54.0
}

pub fn caption(comparison: &Comparison, found: &FieldComparison) -> Vec<String> {
    let ms = |frames: usize| 1000.0 * comparison.frame_rate.secs_at(frames);
    let map = match found.map {
        FieldMap::Spots => format!("Σ mask r / Σ mask, {:.0} ms late", ms(LATE_FRAMES)),
        FieldMap::Noise => format!(
            "noise, covariance of r with luminance or contrast, whichever is clearer, at the best delay of 0 to {:.0} ms, smoothed by 5° (s.d.)",
            ms(NOISE_DELAYS - 1)
        ),
    };
    vec![
        format!(
            "{}: {} frames of all trials. Map: {map}; a Gaussian is fitted, and counts where it explains {:.0} % of the map in both.",
            found.domain,
            found.frames,
            100.0 * LEAST_R2
        ),
        format!(
            "Degrees right of and above the middle of the screen, for a flat screen of {} × {} cm at {} cm. Line: equal in both.",
            found.monitor.width_cm, found.monitor.height_cm, found.monitor.distance_cm
        ),
        "Orange: median distance, in brackets its 95 % interval (bootstrap over units).".to_owned(),
        about_correlations(),
    ]
}

pub fn draw(canvas: &mut Canvas, page: f64, comparison: &Comparison, found: &FieldComparison) {
    let seed = comparison.evaluation.selection.seed;
    let pairs = found.pairs();
    let place = |index: usize| {
        let (left, top) = panel::corner(page, index, TOP_MM, ROW_MM);
        Area::new(left, top, left + SIDE_MM, top + SIDE_MM)
    };
    for (column, pairs) in pairs.iter().enumerate() {
        panel::name(canvas, place(column), pairs.label);
        panel::scatter(canvas, place(column), pairs);
        below(canvas, place(column), 9.5, &agreement(pairs, seed));
    }
    let distances = found.distances_deg();
    let bins = Bins::from_zero(distances.iter().copied().fold(0.0, f64::max));
    let area = place(3);
    panel::name(canvas, area, "Distance of centres");
    let bars = [Bars { values: &distances, colour: BLUE, outline: false }];
    panel::histogram(canvas, area, &bins, &bars, ("Distance (°)", "Units"));
    let median = found.median_distance(seed);
    if let Some(median) = median {
        panel::mark(canvas, area, &bins, median.value);
    }
    let clear = |fields: &[Option<_>]| fields.iter().flatten().count();
    let counts = format!("clear: {} in vivo, {} in silico", clear(&found.recorded), clear(&found.predicted));
    let n = format!("n = {} of {} units", distances.len(), found.recorded.len());
    below(canvas, area, 9.5, &[spoken(median, 1, "°"), n, counts]);
}

pub fn numbers(comparison: &Comparison, found: &FieldComparison) -> Vec<Series> {
    let pairs = found.pairs();
    let unit_of = |unit: usize| unit_number(comparison, unit);
    let mut all: Vec<Series> = pairs.iter().flat_map(|pairs| panel::pairs(pairs, unit_of)).collect();
    let distances = pairs[0].points.iter().zip(found.distances_deg());
    let distances = distances.map(|(point, distance)| Entry::new(unit_number(comparison, point.0), distance)).collect();
    all.push(panel::series("Distance of centres", "units", ("Unit", "Distance (°)"), distances));
    all
}
