//! Predictions and responses on their way into numbers, trial by trial.

use super::showings::{Showing, domains};
use super::{EvaluationError, Responder, Selection};
use crate::data::{Session, Trial};
use crate::job::Progress;
use crate::signals::{Behavior, Responses, UnitId};

/// Most trials that are predicted side by side.
const MOST_TOGETHER: usize = 8;

/// Most responses that are held of trials side by side, where one alone has fewer: 64 MB predicted, and as many recorded.
const MOST_RESPONSES: usize = 1 << 24;

/// One trial with what was recorded and what was predicted.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Domain of stimuli.
    pub domain: &'a str,
    /// Number of the movie within its domain, from 0.
    pub movie: usize,
    /// Which showing of the movie, from 0.
    pub repeat: usize,
    /// The trial.
    pub trial: &'a Trial,
    /// What was recorded: one sample, all units of the session.
    pub recorded: &'a Responses,
    /// What was predicted for several trials: all units of the model.
    pub predicted: &'a Responses,
    /// The sample of the prediction that belongs to this trial.
    pub sample: usize,
}

/// Is given every trial with its prediction.
pub type Watcher<'w> = dyn FnMut(&Seen<'_>) -> Result<(), EvaluationError> + 'w;

/// Predicts the selected trials of a session, one after the other, whichever units the model has. Counts predicted frames
/// in `progress`.
///
/// # Errors
/// When model and movies do not fit together, nothing is selected, a trial cannot be read, the model or the watcher fails,
/// or the user asked to stop.
pub fn watch(
    responder: &dyn Responder,
    session: &Session,
    selection: &Selection,
    progress: &Progress,
    watcher: &mut Watcher<'_>,
) -> Result<(), EvaluationError> {
    check_fit(responder, session)?;
    let domains = domains(session, selection)?;
    begin(&domains, progress);
    for (domain, showings) in &domains {
        for (movie, showing) in showings.iter().enumerate() {
            predict(responder, (domain, movie, showing), progress, watcher)?;
        }
    }
    Ok(())
}

/// Announces the frames of all showings.
pub(super) fn begin(domains: &[(String, Vec<Showing<'_>>)], progress: &Progress) {
    let frames = domains.iter().flat_map(|(_, showings)| showings).map(Showing::predicted_frames).sum::<usize>();
    progress.begin(frames as u64);
}

/// Fails when the model takes other movies than were shown.
pub(super) fn check_fit(responder: &dyn Responder, session: &Session) -> Result<(), EvaluationError> {
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
pub(super) fn predict(
    responder: &dyn Responder,
    (domain, movie, showing): (&str, usize, &Showing<'_>),
    progress: &Progress,
    each: &mut Watcher<'_>,
) -> Result<(), EvaluationError> {
    let responses = (showing.frames * responder.units().len()).max(1);
    let together = (MOST_RESPONSES / responses).clamp(1, MOST_TOGETHER);
    for (batch, trials) in showing.trials.chunks(together).enumerate() {
        let records = trials.iter().map(|trial| trial.record()).collect::<Result<Vec<_>, _>>()?;
        let behavior = side_by_side(&records.iter().map(|record| &record.behavior).collect::<Vec<_>>());
        let mut pixels = trials[0].movie()?;
        let predicted = responder.respond(pixels.as_mut(), &behavior, progress)?;
        check_prediction(&predicted, showing.frames, trials.len(), responder.units())?;
        for (sample, (&trial, record)) in trials.iter().zip(&records).enumerate() {
            let (repeat, recorded, predicted) = (batch * together + sample, &record.responses, &predicted);
            each(&Seen { domain, movie, repeat, trial, recorded, predicted, sample })?;
        }
        progress.check()?;
    }
    Ok(())
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
