//! Everything about tuning that is gathered while trials are predicted, domain by domain.

use super::angle::angle_deg;
use super::directions::{AngleLedger, DirectionComparison};
use super::fields::{Answers, FieldComparison, LATE_FRAMES, MapLedger, Shown};
use crate::data::PresentationTable;
use crate::evaluation::{EvaluationError, Seen};
use crate::signals::{Monitor, Responses};

/// Tuning under way.
#[derive(Debug)]
pub(super) struct Ledger<'t> {
    table: &'t PresentationTable,
    monitor: Monitor,
    burnin: usize,
    /// Columns of the recorded units.
    columns: Vec<usize>,
    /// The predicted units.
    predicted: Vec<usize>,
    angles: Vec<(String, AngleLedger)>,
    /// Of the domain that is shown now: domains come one after the other, and maps of one lie in memory at a time.
    maps: Option<(String, MapLedger)>,
    /// Of those before.
    fields: Vec<FieldComparison>,
    /// Domain and number of the movie read last, and what it shows.
    movie: Option<(String, usize, Option<Shown>)>,
}

impl<'t> Ledger<'t> {
    /// For these columns of what was recorded, and so many predicted units.
    pub(super) fn new(
        table: &'t PresentationTable,
        monitor: Monitor,
        burnin: usize,
        columns: Vec<usize>,
        predicted: usize,
    ) -> Self {
        Self {
            table,
            monitor,
            burnin,
            columns,
            predicted: (0..predicted).collect(),
            angles: Vec::new(),
            maps: None,
            fields: Vec::new(),
            movie: None,
        }
    }

    /// Adds a trial.
    pub(super) fn add(&mut self, seen: &Seen<'_>) -> Result<(), EvaluationError> {
        self.add_angles(seen);
        self.add_maps(seen)
    }

    /// The tuning that was found.
    pub(super) fn finish(mut self) -> (Vec<DirectionComparison>, Vec<FieldComparison>) {
        let directions = self.angles.into_iter().filter_map(|(domain, angles)| angles.finish(&domain)).collect();
        self.fields.extend(self.maps.and_then(|(domain, maps)| maps.finish(&domain, &self.monitor)));
        (directions, self.fields)
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
            let predicted = means(seen.predicted, seen.sample, start..end, self.predicted.iter().copied());
            ledger_of(&mut self.angles, seen.domain, AngleLedger::default).add(angle, &recorded, &predicted);
        }
    }

    fn add_maps(&mut self, seen: &Seen<'_>) -> Result<(), EvaluationError> {
        let known = self.movie.as_ref().is_some_and(|(domain, movie, _)| domain == seen.domain && *movie == seen.movie);
        if !known {
            let shown = Shown::of(seen.trial, self.monitor.raster, self.columns.len() + self.predicted.len())?;
            self.movie = Some((seen.domain.to_owned(), seen.movie, shown));
        }
        let Some((.., Some(shown))) = &self.movie else { return Ok(()) };
        if let Some((domain, maps)) = self.maps.take_if(|(domain, _)| domain.as_str() != seen.domain) {
            self.fields.extend(maps.finish(&domain, &self.monitor));
        }
        let (_, maps) = self.maps.get_or_insert_with(|| (seen.domain.to_owned(), MapLedger::default()));
        let recorded = Answers { responses: seen.recorded, sample: 0, columns: &self.columns };
        let predicted = Answers { responses: seen.predicted, sample: seen.sample, columns: &self.predicted };
        maps.add(shown, self.monitor.raster, self.burnin, recorded, predicted);
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
