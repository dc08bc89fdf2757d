//! Responses of a few units over time, chosen by rank: recorded repeats beside the prediction.

use crate::data::{Session, SessionError};
use crate::evaluation::{DomainEvaluation, Seen, UnitEvaluation};
use crate::signals::{Responses, UnitId};

/// Ranks that are shown: name, and share of the units that are better.
const RANKS: [(&str, f64); 4] = [("best", 0.0), ("upper quartile", 0.25), ("median", 0.5), ("lower quartile", 0.75)];

/// Below this CC_max a unit has no rank where others have: its CC_norm is mostly noise.
pub const LEAST_CEILING: f64 = 0.4;

/// Most predicted values that are kept of one movie of each domain, so that any unit can be looked at: 16 MB, which is
/// 14 s of 10,000 units.
const MOST_KEPT: usize = 1 << 22;

/// Units of one domain over the movie that was shown most often, the longest of these.
#[derive(Debug, Clone, PartialEq)]
pub struct Examples {
    /// Name of the domain.
    pub domain: String,
    /// Name of the movie, where it has one.
    pub movie: Option<String>,
    /// From the best to the worst.
    pub units: Vec<Example>,
    /// Its trials, as places in the session.
    pub trials: Vec<usize>,
    /// Predicted for all units, the mean over the repeats, one sample; only the first frames of a movie that is very long,
    /// and so of its examples.
    pub predicted: Responses,
}

impl Examples {
    /// Any unit over this movie; `units` are those of the comparison, and the session is the one that was compared.
    ///
    /// # Errors
    /// When a trial cannot be read, or the unit was not recorded.
    pub fn of_unit(&self, session: &Session, units: &[UnitId], unit: usize) -> Result<Example, SessionError> {
        let none = || SessionError::Trial(format!("there is no unit {unit} in this comparison"));
        let id = units.get(unit..=unit).filter(|_| unit < self.predicted.units()).ok_or_else(none)?;
        let column = session.columns_of(id)?.into_iter().next().ok_or_else(none)?;
        let frames = self.predicted.frames();
        let repeat = |&trial: &usize| -> Result<Vec<f32>, SessionError> {
            let trial = session.trials.get(trial).ok_or_else(none)?;
            Ok(trial.record()?.responses.trace(0, column).take(frames).collect())
        };
        Ok(Example {
            unit,
            rank: self.units.iter().find(|known| known.unit == unit).map_or("", |known| known.rank),
            repeats: self.trials.iter().map(repeat).collect::<Result<_, SessionError>>()?,
            predicted: self.predicted.trace(0, unit).collect(),
        })
    }
}

/// One unit's responses to one movie.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// Index of the unit.
    pub unit: usize,
    /// Its rank by CC_norm within the domain among the units of at least [`LEAST_CEILING`], by CC_abs where there is none;
    /// empty where it has none of the named ranks.
    pub rank: &'static str,
    /// Recorded, `[repeat][frame]`; NaN where nothing was measured.
    pub repeats: Vec<Vec<f32>>,
    /// Predicted, `[frame]`: the mean over the repeats.
    pub predicted: Vec<f32>,
}

impl Example {
    /// Mean over the repeats, `[frame]`; NaN where none was measured.
    pub fn mean(&self) -> Vec<f32> {
        let at = |frame: usize| {
            let measured = self.repeats.iter().map(|repeat| repeat[frame]).filter(|value| !value.is_nan());
            let (sum, count) = measured.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0f32));
            sum / count
        };
        (0..self.predicted.len()).map(at).collect()
    }
}

/// Each domain's movie that was shown most often, found while trials are predicted, so that none is predicted twice.
#[derive(Debug, Default)]
pub(super) struct Movies {
    domains: Vec<Movie>,
}

#[derive(Debug)]
struct Movie {
    domain: String,
    /// Number of the movie that is shown now.
    number: usize,
    now: Shown,
    /// The movie that was shown most often before it.
    most: Shown,
}

/// One movie with what was predicted for it.
#[derive(Debug, Default)]
struct Shown {
    /// Its trials, as places in the session.
    trials: Vec<usize>,
    frames: usize,
    /// Frames of which predictions are kept.
    kept: usize,
    /// Sum of the predictions over the trials, `[frame, unit]`.
    predicted: Vec<f32>,
}

impl Movies {
    /// Notes a trial and what was predicted for it.
    pub(super) fn add(&mut self, seen: &Seen<'_>, session: &Session) {
        let Some(trial) = session.trials.iter().position(|trial| std::ptr::eq(trial, seen.trial)) else { return };
        if self.domains.last().is_none_or(|last| last.domain != seen.domain) {
            self.domains.iter_mut().for_each(Movie::settle);
            let (now, most) = (Shown::default(), Shown::default());
            self.domains.push(Movie { domain: seen.domain.to_owned(), number: seen.movie, now, most });
        }
        let Some(movie) = self.domains.last_mut() else { return };
        if movie.number != seen.movie {
            movie.settle();
            movie.number = seen.movie;
        }
        movie.now.add(trial, seen);
    }

    /// The chosen units over these movies, and what was predicted for all.
    pub(super) fn examples(
        self,
        session: &Session,
        columns: &[usize],
        domains: &[DomainEvaluation],
    ) -> Result<Vec<Examples>, SessionError> {
        let mut found = Vec::new();
        for (mut movie, domain) in self.domains.into_iter().zip(domains) {
            movie.settle();
            let Shown { trials, kept, mut predicted, .. } = movie.most;
            let Some(&first) = trials.first() else { continue };
            predicted.iter_mut().for_each(|sum| *sum /= trials.len() as f32);
            let predicted = Responses::new(kept, 1, columns.len(), predicted).expect("a row for every frame kept");
            let new = |(unit, rank)| {
                let predicted = predicted.trace(0, unit).collect();
                Example { unit, rank, repeats: Vec::new(), predicted }
            };
            let mut units: Vec<Example> = chosen(domain).into_iter().map(new).collect();
            for &trial in &trials {
                let record = session.trials[trial].record()?;
                for example in &mut units {
                    let trace = record.responses.trace(0, columns[example.unit]);
                    example.repeats.push(trace.take(kept).collect());
                }
            }
            let movie = session.trials[first].condition.clone();
            found.push(Examples { domain: domain.name.clone(), movie, units, trials, predicted });
        }
        Ok(found)
    }
}

impl Movie {
    /// The movie that was shown last has been shown to its end.
    fn settle(&mut self) {
        let last = std::mem::take(&mut self.now);
        if (last.trials.len(), last.frames) > (self.most.trials.len(), self.most.frames) {
            self.most = last;
        }
    }
}

impl Shown {
    fn add(&mut self, trial: usize, seen: &Seen<'_>) {
        let units = seen.predicted.units();
        self.trials.push(trial);
        self.frames = seen.predicted.frames();
        self.kept = self.frames.min((MOST_KEPT / units.max(1)).max(1));
        self.predicted.resize(self.kept * units, 0.0);
        for (time, sums) in self.predicted.chunks_exact_mut(units.max(1)).enumerate() {
            let row = seen.predicted.row(time, seen.sample);
            sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
    }
}

/// Units by rank, each once.
fn chosen(domain: &DomainEvaluation) -> Vec<(usize, &'static str)> {
    let reliable =
        |unit: &UnitEvaluation| unit.cc_norm.filter(|_| unit.cc_max.is_some_and(|most| most >= LEAST_CEILING));
    let with_ceiling = domain.units.iter().any(|unit| reliable(unit).is_some());
    let value = |unit: usize| {
        let found = &domain.units[unit];
        if with_ceiling { reliable(found) } else { found.cc_abs }
    };
    let mut ranked: Vec<(usize, f64)> = (0..domain.units.len()).filter_map(|unit| Some((unit, value(unit)?))).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut chosen: Vec<(usize, &'static str)> = Vec::new();
    for (rank, share) in RANKS {
        let Some(last) = ranked.len().checked_sub(1) else { break };
        let (unit, _) = ranked[(share * last as f64).round() as usize];
        if chosen.iter().all(|(known, _)| *known != unit) {
            chosen.push((unit, rank));
        }
    }
    chosen
}
