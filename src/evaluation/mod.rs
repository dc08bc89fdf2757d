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

pub use error::EvaluationError;
pub use quantity::{Quantity, UnitEvaluation};
pub use responder::{Origin, Responder, ResponderError};
pub use selection::{BURNIN_FRAMES, Selection, Trials};

use crate::analysis::Median;
use crate::data::{ScanId, Session, SessionUnit, Trial};
use crate::job::Progress;
use crate::signals::{Behavior, Responses, UnitId};

use showings::{Showing, domains};
use tally::Tally;

/// Trials that are predicted side by side.
const BATCH: usize = 8;

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
        let units = responder.units().to_vec();
        let columns = session.columns_of(&units)?;
        check_fit(responder, session)?;
        let domains = domains(session, selection)?;
        let frames = domains.iter().flat_map(|(_, showings)| showings).map(Showing::predicted_frames).sum::<usize>();
        progress.begin(frames as u64);
        let evaluate = |(name, showings): &(String, Vec<Showing<'_>>)| {
            let mut tally = Tally::new(showings, units.len(), selection.burnin_frames)?;
            for showing in showings {
                predict(responder, showing, &columns, &mut tally, progress)?;
            }
            let repeats = || showings.iter().map(|showing| showing.trials.len());
            Ok(DomainEvaluation {
                name: name.clone(),
                movies: showings.len(),
                repeats: (repeats().min().unwrap_or(0), repeats().max().unwrap_or(0)),
                frames: tally.frames(),
                missing: tally.missing(),
                units: tally.finish()?,
                seed: selection.seed,
            })
        };
        let domains = domains.iter().map(evaluate).collect::<Result<_, EvaluationError>>()?;
        Ok(Self {
            origin: responder.origin(),
            recording: session.id.clone(),
            simulated: session.about.get("simulated").and_then(toml::Value::as_bool).unwrap_or(false),
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

/// Fails when the model takes other movies than were shown.
fn check_fit(responder: &dyn Responder, session: &Session) -> Result<(), EvaluationError> {
    let (taken, shown) = (responder.raster(), session.raster);
    if taken != shown {
        return Err(EvaluationError::Raster { taken, shown });
    }
    let (taken, shown) = (responder.frame_rate().0, session.frame_rate.0);
    if (taken - shown).abs() > 1e-3 * taken {
        return Err(EvaluationError::FrameRate { taken, shown });
    }
    Ok(())
}

/// Predicts all repeats of a movie, some at a time.
fn predict(
    responder: &dyn Responder,
    showing: &Showing<'_>,
    columns: &[usize],
    tally: &mut Tally,
    progress: &Progress,
) -> Result<(), EvaluationError> {
    let start = tally.begin(showing);
    for (batch, trials) in showing.trials.chunks(BATCH).enumerate() {
        let records = trials.iter().map(|trial| trial.record()).collect::<Result<Vec<_>, _>>()?;
        let behavior = side_by_side(&records.iter().map(|record| &record.behavior).collect::<Vec<_>>());
        let mut movie = trials[0].movie()?;
        let predicted = responder.respond(movie.as_mut(), &behavior, progress)?;
        check_prediction(&predicted, showing.frames, trials.len(), responder.units())?;
        for (sample, (trial, record)) in trials.iter().zip(&records).enumerate() {
            let repeat = batch * BATCH + sample;
            tally.add(start, repeat, columns, (&predicted, sample), &record.responses, rates(trial)?.as_ref())?;
        }
        progress.check()?;
    }
    Ok(())
}

fn rates(trial: &Trial) -> Result<Option<Responses>, EvaluationError> {
    Ok(trial.rates()?)
}

/// The behaviour of several trials of equal length as a batch.
fn side_by_side(all: &[&Behavior]) -> Behavior {
    let frames = all.first().map_or(0, |behavior| behavior.frames());
    let pairs = (0..frames).flat_map(|time| all.iter().map(move |one| (one.gaze(time)[0], one.state(time)[0])));
    let (gaze, state) = pairs.unzip();
    Behavior::new(frames, all.len(), gaze, state).expect("each is finite, of one sample and as long as the movie")
}

/// Fails when an answer has another shape than the question, or is no number.
fn check_prediction(
    predicted: &Responses,
    frames: usize,
    samples: usize,
    units: &[UnitId],
) -> Result<(), EvaluationError> {
    if (predicted.frames(), predicted.samples(), predicted.units()) != (frames, samples, units.len()) {
        return Err(EvaluationError::Answer(format!(
            "it gave {} frames of {} samples and {} units, expected {frames}, {samples} and {}",
            predicted.frames(),
            predicted.samples(),
            predicted.units(),
            units.len()
        )));
    }
    let Some(bad) = predicted.values().iter().position(|value| !value.is_finite()) else { return Ok(()) };
    let (frame, unit) = (bad / (samples * units.len()), units[bad % units.len()].unit);
    Err(EvaluationError::Answer(format!(
        "its response of unit {unit} at frame {frame} is {}; the weights may be damaged",
        predicted.values()[bad]
    )))
}
