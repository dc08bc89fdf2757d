//! Responses of a few units over time, chosen by rank: recorded repeats beside the prediction.

use crate::data::{Session, SessionError, Trial};
use crate::evaluation::{DomainEvaluation, EvaluationError, Responder, Seen, Selection, Trials, UnitEvaluation, watch};
use crate::job::Progress;
use crate::signals::{Responses, UnitId};

/// Ranks that are shown: name, and share of the units that are better.
const RANKS: [(&str, f64); 4] = [("best", 0.0), ("upper quartile", 0.25), ("median", 0.5), ("lower quartile", 0.75)];

/// Below this CC_max a unit has no rank where others have: its CC_norm is mostly noise.
pub const LEAST_CEILING: f64 = 0.4;

/// Most predicted values that are kept of one movie, so that any unit can be looked at: 64 MB.
const MOST_KEPT: usize = 1 << 24;

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
    /// Predicted for all units, the mean over the repeats, one sample; only the first frames of a movie that is very long.
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

/// The trials of each domain's movie that was shown most often, found while trials are predicted.
#[derive(Debug, Default)]
pub(super) struct Movies {
    domains: Vec<Movie>,
}

#[derive(Debug)]
struct Movie {
    domain: String,
    /// Number of the movie that is shown now, and its trials.
    now: (usize, Vec<usize>),
    /// Trials of the movie that was shown most often so far.
    most: Vec<usize>,
}

impl Movies {
    /// Notes a trial.
    pub(super) fn add(&mut self, seen: &Seen<'_>, session: &Session) {
        let Some(trial) = session.trials.iter().position(|trial| std::ptr::eq(trial, seen.trial)) else { return };
        if self.domains.last().is_none_or(|last| last.domain != seen.domain) {
            self.domains.push(Movie { domain: seen.domain.to_owned(), now: (0, Vec::new()), most: Vec::new() });
        }
        let Some(movie) = self.domains.last_mut() else { return };
        if movie.now.0 != seen.movie {
            movie.now = (seen.movie, Vec::new());
        }
        movie.now.1.push(trial);
        let frames = |trials: &[usize]| trials.first().map_or(0, |&trial| session.trials[trial].frames);
        let (now, most) = (&movie.now.1, &movie.most);
        if (now.len(), frames(now)) > (most.len(), frames(most)) {
            movie.most.clone_from(&movie.now.1);
        }
    }

    /// Predicts these movies again and keeps the chosen units.
    pub(super) fn examples(
        &self,
        responder: &dyn Responder,
        session: &Session,
        columns: &[usize],
        domains: &[DomainEvaluation],
        progress: &Progress,
    ) -> Result<Vec<Examples>, EvaluationError> {
        let mut found = Vec::new();
        for (movie, domain) in self.domains.iter().zip(domains) {
            let trials: Vec<Trial> = movie.most.iter().map(|&trial| session.trials[trial].clone()).collect();
            let Some(first) = trials.first() else { continue };
            let name = first.condition.clone();
            let new = |(unit, rank)| Example { unit, rank, repeats: Vec::new(), predicted: vec![0.0; first.frames] };
            let mut units: Vec<Example> = chosen(domain).into_iter().map(new).collect();
            let count = trials.len() as f32;
            let all = responder.units().len();
            let kept = first.frames.min((MOST_KEPT / all.max(1)).max(1));
            let mut means = vec![0.0; kept * all];
            let short = Session { trials, ..session.clone() };
            let all_of_it = Selection { trials: Trials::All, domain: None, burnin_frames: 0, seed: 0 };
            watch(responder, &short, &all_of_it, progress, &mut |seen| {
                for example in &mut units {
                    example.repeats.push(seen.recorded.trace(0, columns[example.unit]).collect());
                    let trace = seen.predicted.trace(seen.sample, example.unit);
                    example.predicted.iter_mut().zip(trace).for_each(|(mean, value)| *mean += value / count);
                }
                for (time, means) in means.chunks_exact_mut(all.max(1)).enumerate() {
                    let row = seen.predicted.row(time, seen.sample);
                    means.iter_mut().zip(row).for_each(|(mean, value)| *mean += value / count);
                }
                Ok(())
            })?;
            let predicted = Responses::new(kept, 1, all, means).expect("a row for every frame that is kept");
            found.push(Examples {
                domain: domain.name.clone(),
                movie: name,
                units,
                trials: movie.most.clone(),
                predicted,
            });
        }
        Ok(found)
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
