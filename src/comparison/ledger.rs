//! Everything about tuning that is gathered while trials are predicted, domain by domain.

use super::angle::angle_deg;
use super::directions::{AngleLedger, DirectionComparison};
use super::fields::{FieldComparison, LATE_FRAMES, MapLedger, Spots};
use crate::data::PresentationTable;
use crate::evaluation::{EvaluationError, Seen};
use crate::signals::{Raster, Responses};

/// Tuning under way.
#[derive(Debug)]
pub(super) struct Ledger<'t> {
    table: &'t PresentationTable,
    raster: Raster,
    burnin: usize,
    /// Columns of the recorded units.
    columns: Vec<usize>,
    predicted: usize,
    angles: Vec<(String, AngleLedger)>,
    maps: Vec<(String, MapLedger)>,
    /// Domain and number of the movie read last, and its spots.
    movie: Option<(String, usize, Option<Spots>)>,
}

impl<'t> Ledger<'t> {
    /// For these columns of what was recorded, and so many predicted units.
    pub(super) fn new(
        table: &'t PresentationTable,
        raster: Raster,
        burnin: usize,
        columns: Vec<usize>,
        predicted: usize,
    ) -> Self {
        Self { table, raster, burnin, columns, predicted, angles: Vec::new(), maps: Vec::new(), movie: None }
    }

    /// Adds a trial.
    pub(super) fn add(&mut self, seen: &Seen<'_>) -> Result<(), EvaluationError> {
        self.add_angles(seen);
        self.add_spots(seen)
    }

    /// The tuning that was found.
    pub(super) fn finish(self) -> (Vec<DirectionComparison>, Vec<FieldComparison>) {
        let directions = self.angles.into_iter().filter_map(|(domain, angles)| angles.finish(&domain)).collect();
        let fields = self.maps.into_iter().map(|(domain, maps)| maps.finish(&domain)).collect();
        (directions, fields)
    }

    /// The table says what was shown when; without it the name of the condition says it of the whole trial.
    fn add_angles(&mut self, seen: &Seen<'_>) {
        let Some(name) = seen.trial.condition.as_deref() else { return };
        let frames = seen.trial.frames;
        let listed = self.table.of(name);
        let whole = || angle_deg(name).map(|angle| (angle, 0, frames));
        let shown: Vec<(f64, usize, usize)> = if listed.is_empty() {
            whole().into_iter().collect()
        } else {
            let part = |shown: &crate::data::Shown| Some((angle_deg(&shown.values)?, shown.onset_frame, shown.frames));
            let parts: Vec<_> = listed.iter().filter_map(part).collect();
            // A trial of one presentation tells its values in its name.
            if parts.is_empty() && listed.len() == 1 {
                whole().map(|(angle, ..)| (angle, listed[0].onset_frame, listed[0].frames)).into_iter().collect()
            } else {
                parts
            }
        };
        for (angle, onset, length) in shown {
            let start = onset.saturating_add(LATE_FRAMES).max(self.burnin);
            let end = onset.saturating_add(length).saturating_add(LATE_FRAMES).min(frames);
            if start >= end {
                continue;
            }
            let recorded = means(seen.recorded, 0, start..end, self.columns.iter().copied());
            let predicted = means(seen.predicted, seen.sample, start..end, 0..self.predicted);
            ledger_of(&mut self.angles, seen.domain, AngleLedger::default).add(angle, &recorded, &predicted);
        }
    }

    fn add_spots(&mut self, seen: &Seen<'_>) -> Result<(), EvaluationError> {
        let known = self.movie.as_ref().is_some_and(|(domain, movie, _)| domain == seen.domain && *movie == seen.movie);
        if !known {
            let spots = Spots::of(seen.trial, self.raster)?;
            self.movie = Some((seen.domain.to_owned(), seen.movie, spots));
        }
        let Some((.., Some(spots))) = &self.movie else { return Ok(()) };
        let new = || MapLedger::new(self.raster, self.columns.len(), self.predicted);
        ledger_of(&mut self.maps, seen.domain, new).add(
            spots,
            self.burnin,
            (seen.recorded, &self.columns),
            (seen.predicted, seen.sample),
        );
        Ok(())
    }
}

/// What belongs to a domain, made when it comes first.
fn ledger_of<'l, L>(all: &'l mut Vec<(String, L)>, domain: &str, new: impl FnOnce() -> L) -> &'l mut L {
    let place = all.iter().position(|(known, _)| known == domain).unwrap_or_else(|| {
        all.push((domain.to_owned(), new()));
        all.len() - 1
    });
    &mut all[place].1
}

/// Mean of some units over frames, NaN where nothing was measured in any of them.
fn means(
    responses: &Responses,
    sample: usize,
    frames: std::ops::Range<usize>,
    units: impl Iterator<Item = usize> + Clone,
) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0); units.clone().count()];
    for time in frames {
        let row = responses.row(time, sample);
        for ((sum, count), unit) in sums.iter_mut().zip(units.clone()) {
            if !row[unit].is_nan() {
                *sum += f64::from(row[unit]);
                *count += 1.0;
            }
        }
    }
    // 0 / 0 where nothing was measured.
    sums.into_iter().map(|(sum, count)| sum / count).collect()
}
