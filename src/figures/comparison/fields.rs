//! Centres and sizes of receptive fields in silico against in vivo.

use std::io::Write;

use plotters::prelude::DrawingBackend;

use super::super::canvas::{Area, Canvas};
use super::super::style::BLUE;
use super::directions::{agreement, write_pairs};
use super::panel::{self, Bars, Bins, Head, below, spoken};
use crate::comparison::{Comparison, FieldComparison, LATE_FRAMES, LEAST_R2};

pub const HEIGHT_MM: f64 = 85.0;
/// Left edge of the first panel, from one to the next, its side, top, mm.
const LEFT_MM: f64 = 17.0;
const STEP_MM: f64 = 43.0;
const SIDE_MM: f64 = 31.0;
const TOP_MM: f64 = 19.0;

pub fn draw<B: DrawingBackend>(
    canvas: &mut Canvas<'_, B>,
    head: Head<'_>,
    comparison: &Comparison,
    found: &FieldComparison,
) {
    let seed = comparison.evaluation.selection.seed;
    let pairs = found.pairs();
    let late = 1000.0 * comparison.frame_rate.secs_at(LATE_FRAMES);
    head.draw(
        canvas,
        &[
            format!(
                "{}: {} frames of all trials. Map: Σ mask r / Σ mask, {late:.0} ms late; a Gaussian is fitted, and counts where it explains {:.0} % of the map in both.",
                found.domain,
                found.frames,
                100.0 * LEAST_R2
            ),
            "Degrees right of and above the middle of the screen, for a flat screen of 56.5 × 31.8 cm at 15 cm. Line: equal in both.".to_owned(),
            "Red: median distance, in brackets its 95 % interval (bootstrap over units).".to_owned(),
        ],
    );
    let place = |column: usize| {
        let left = LEFT_MM + STEP_MM * column as f64;
        Area::new(left, TOP_MM, left + SIDE_MM, TOP_MM + SIDE_MM)
    };
    for (column, pairs) in pairs.iter().enumerate() {
        panel::name(canvas, place(column), pairs.label);
        panel::scatter(canvas, place(column), pairs);
        below(canvas, place(column), 9.5, &agreement(pairs));
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

pub fn write_csv(comparison: &Comparison, found: &FieldComparison, to: &mut dyn Write) -> std::io::Result<()> {
    let mut table = csv::Writer::from_writer(to);
    table.write_record(["unit", "quantity", "in_vivo", "in_silico", "error"])?;
    for pairs in found.pairs() {
        write_pairs(&mut table, comparison, &pairs)?;
    }
    table.flush()
}
