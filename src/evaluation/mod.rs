//! How well a twin predicts a recording, unit by unit and domain of stimuli by domain: predictions beside responses, with
//! the ceiling that noise sets.
//!
//! A recorded and a simulated session are the same thing here, and so are a twin and a simpler model (see
//! [`Responder`]). Every trial is predicted with its own behaviour; trials that showed the same pixels are repeats; the
//! movies of a domain stand one after the other, each without its burn-in.

mod error;
mod files;
mod quantity;
mod responder;
mod selection;
mod showings;
pub mod spikes;
mod tally;
mod watch;

pub use error::EvaluationError;
pub use quantity::{Quantity, UnitEvaluation};
pub use responder::{Origin, Responder, ResponderError};
pub use selection::{BURNIN_FRAMES, Selection, Trials};
pub use watch::{Seen, Watcher, watch};

use crate::analysis::Median;
use crate::data::{ScanId, Session, SessionUnit};
use crate::job::Progress;
use crate::signals::{Responses, UnitId};

use showings::{Showing, domains};
use tally::Tally;
use watch::{begin, check_fit, predict};

/// Predictions beside a recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Who predicted.
    pub origin: Origin,
    /// Who was recorded.
    pub recording: ScanId,
    /// Whether the recorded animal was simulated.
    pub simulated: bool,
    /// The compared units, in the order of the predictions.
    pub units: Vec<UnitId>,
    /// Where each of them lies.
    pub places: Vec<SessionUnit>,
    /// What was compared.
    pub selection: Selection,
    /// In order of first showing.
    pub domains: Vec<DomainEvaluation>,
}

/// What came out for one domain of stimuli.
#[derive(Debug, Clone, PartialEq)]
pub struct DomainEvaluation {
    /// Its name; [`DomainEvaluation::UNNAMED`] for trials of no domain.
    pub name: String,
    /// Different movies.
    pub movies: usize,
    /// Fewest and most showings of one of them.
    pub repeats: (usize, usize),
    /// Frames of all movies after burn-in, each counted once.
    pub frames: usize,
    /// Responses that were not measured.
    pub missing: usize,
    /// In the order of [`Evaluation::units`].
    pub units: Vec<UnitEvaluation>,
    /// Seed of the intervals of medians.
    pub seed: u64,
}

impl DomainEvaluation {
    /// Name of the domain of trials that name none.
    pub const UNNAMED: &str = "All stimuli";

    /// A quantity of every unit for which it is defined.
    pub fn values(&self, quantity: Quantity) -> Vec<f64> {
        self.units.iter().filter_map(|unit| unit.get(quantity)).collect()
    }

    /// Its median over units; `None` when it is defined for none.
    pub fn median(&self, quantity: Quantity) -> Option<Median> {
        Median::of(&self.values(quantity), self.seed)
    }

    /// Why most of the units without a ceiling have none; `None` when all have one.
    pub fn why_no_ceiling(&self) -> Option<crate::analysis::reliability::NoCeiling> {
        use crate::analysis::reliability::NoCeiling::{Flat, OneRepeat, Unreliable};
        let count = |why| self.units.iter().filter(|unit| unit.no_ceiling == Some(why)).count();
        [OneRepeat, Flat, Unreliable].into_iter().filter(|&why| count(why) > 0).max_by_key(|&why| count(why))
    }

    /// Movies and repeats in words, such as "6 movies × 10 repeats".
    pub fn shown(&self) -> String {
        let several = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let (least, most) = self.repeats;
        let repeats = if least == most { several(most, "repeat") } else { format!("{least} to {most} repeats") };
        format!("{} × {repeats}", several(self.movies, "movie"))
    }
}

impl Evaluation {
    /// Predicts the selected trials of a session and compares unit by unit. Counts predicted frames in `progress`.
    ///
    /// # Errors
    /// When the predicted units were not all recorded in this scan of this animal, model and movies do not fit together,
    /// nothing is selected, a trial cannot be read, the model fails, or the user asked to stop.
    pub fn of(
        responder: &dyn Responder,
        session: &Session,
        selection: &Selection,
        progress: &Progress,
    ) -> Result<Self, EvaluationError> {
        Self::watched(responder, session, selection, progress, &mut |_| Ok(()))
    }

    /// As [`Evaluation::of`], and shows every trial with its prediction to a watcher.
    ///
    /// # Errors
    /// As [`Evaluation::of`], and those of the watcher.
    pub fn watched(
        responder: &dyn Responder,
        session: &Session,
        selection: &Selection,
        progress: &Progress,
        watcher: &mut Watcher<'_>,
    ) -> Result<Self, EvaluationError> {
        let units = responder.units().to_vec();
        let columns = session.columns_of(&units)?;
        check_fit(responder, session)?;
        let domains = domains(session, selection)?;
        begin(&domains, progress);
        let evaluate = |(name, showings): &(String, Vec<Showing<'_>>)| {
            let mut tally = Tally::new(units.len(), selection.burnin_frames);
            for (movie, showing) in showings.iter().enumerate() {
                tally.begin(showing)?;
                predict(responder, (name, movie, showing), progress, &mut |seen| {
                    let rates = seen.trial.rates()?;
                    let predicted = (seen.predicted, seen.sample);
                    tally.add(seen.repeat, &columns, predicted, seen.recorded, rates.as_ref())?;
                    watcher(seen)
                })?;
            }
            Ok(summed_up(name, showings, tally, selection.seed))
        };
        let domains = domains.iter().map(evaluate).collect::<Result<_, EvaluationError>>()?;
        Ok(Self {
            origin: responder.origin(),
            recording: session.id.clone(),
            simulated: is_simulated(session),
            places: columns.iter().map(|&column| session.units[column].clone()).collect(),
            units,
            selection: selection.clone(),
            domains,
        })
    }

    /// The result for a domain; letters may be large or small.
    pub fn domain(&self, name: &str) -> Option<&DomainEvaluation> {
        self.domains.iter().find(|domain| domain.name.to_lowercase() == name.to_lowercase())
    }

    /// Who predicted whom, and what is simulated, in one line.
    pub fn notice(&self) -> String {
        let twin = if self.origin.simulated { ", learned from a simulated animal" } else { "" };
        let animal = if self.simulated { " (simulated)" } else { "" };
        format!("{}{twin}; recording of {}{animal}", self.origin.name, self.recording)
    }
}

/// How well the units of a recording can be predicted at all, domain by domain: ceilings without a model. What needs
/// predictions is `None`.
///
/// # Errors
/// When nothing is selected, or a trial cannot be read.
pub fn ceilings(session: &Session, selection: &Selection) -> Result<Vec<DomainEvaluation>, EvaluationError> {
    let columns: Vec<usize> = (0..session.units.len()).collect();
    let ceiling = |(name, showings): &(String, Vec<Showing<'_>>)| {
        let mut tally = Tally::new(columns.len(), selection.burnin_frames);
        for showing in showings {
            tally.begin(showing)?;
            let nothing = vec![0.0; showing.frames * columns.len()];
            let nothing = Responses::new(showing.frames, 1, columns.len(), nothing).expect("a row for every frame");
            for (repeat, trial) in showing.trials.iter().enumerate() {
                tally.add(repeat, &columns, (&nothing, 0), &trial.record()?.responses, None)?;
            }
        }
        let mut domain = summed_up(name, showings, tally, selection.seed);
        for unit in &mut domain.units {
            let UnitEvaluation { cc_max, cc_max_consistent, no_ceiling, .. } = *unit;
            *unit = UnitEvaluation { cc_max, cc_max_consistent, no_ceiling, ..UnitEvaluation::default() };
        }
        Ok(domain)
    };
    domains(session, selection)?.iter().map(ceiling).collect()
}

/// Whether a session says that its animal was simulated.
pub(crate) fn is_simulated(session: &Session) -> bool {
    session.about.get("simulated").and_then(toml::Value::as_bool).unwrap_or(false)
}

/// What came out for a domain of which all trials were added.
fn summed_up(name: &str, showings: &[Showing<'_>], tally: Tally, seed: u64) -> DomainEvaluation {
    let repeats = || showings.iter().map(|showing| showing.trials.len());
    DomainEvaluation {
        name: name.to_owned(),
        movies: showings.len(),
        repeats: (repeats().min().unwrap_or(0), repeats().max().unwrap_or(0)),
        frames: tally.frames(),
        missing: tally.missing(),
        units: tally.finish(),
        seed,
    }
}
