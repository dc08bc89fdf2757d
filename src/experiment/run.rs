//! One run: protocol -> schedule -> twin -> responses -> analysis -> outcome.

use super::protocol::DIRECTION;
use super::{Outcome, Protocol, ProtocolError, Provenance};
use crate::analysis::{direction_tuning, parameter_tuning};
use crate::job::{Cancelled, Progress};
use crate::model::weights::TwinCard;
use crate::signals::{Behavior, FrameSource, Monitor, Raster, Responses, SourceError, UnitId};
use crate::stimulus::schedule::Schedule;

/// Frames predicted between two looks at the screen and at the cancel button: one second.
pub const CHUNK_FRAMES: usize = 30;

/// Takes predicted rows in order: the first frame, and values `[frame, sample, unit]`. An error ends the prediction.
pub type Sink<'a> = dyn FnMut(usize, &[f32]) -> Result<(), PredictError> + 'a;

/// Makes the movie of a schedule on a monitor.
pub type Draw<'a> = dyn FnMut(&Schedule, &Monitor) -> Result<Box<dyn FrameSource>, SourceError> + 'a;

/// What an experiment needs of a twin, on whatever device it runs.
pub trait Predictor {
    /// Identity of each predicted unit.
    fn units(&self) -> &[UnitId];
    /// Where the twin comes from.
    fn card(&self) -> &TwinCard;
    /// SHA-256 of the weights, hexadecimal.
    fn sha256(&self) -> &str;
    /// The device, in words.
    fn device(&self) -> String;
    /// Pixels of the movies it takes.
    fn raster(&self) -> Raster;
    /// Predicts a whole movie from its first frame on, at most `chunk` frames at a time. Counts finished frames in
    /// `progress`, and hands over the rows of every frame once and in order.
    ///
    /// # Errors
    /// When frames cannot be read, the device fails, the user cancels, or the sink refuses.
    fn predict(
        &mut self,
        movie: &mut dyn FrameSource,
        behavior: &Behavior,
        chunk: usize,
        progress: &Progress,
        sink: &mut Sink<'_>,
    ) -> Result<(), PredictError>;
}

/// Why a twin gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum PredictError {
    /// The user asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The movie could not be read.
    #[error("the movie could not be read")]
    Source(#[from] SourceError),
    /// The answer does not fit the question, or is no number.
    #[error("{0}")]
    Answer(String),
    /// The network or its device failed.
    #[error("the twin failed on its device")]
    Device(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Why a run has no outcome.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The user asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The protocol is impossible.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// The stimulus could not be drawn or read.
    #[error("the stimulus could not be drawn")]
    Stimulus(#[from] SourceError),
    /// Screen, twin and behaviour do not fit together, or the outcome does not fit into memory.
    #[error("{0}")]
    Fit(String),
    /// The twin gave no answer.
    #[error("the twin gave no answer")]
    Twin(#[source] PredictError),
}

impl From<PredictError> for RunError {
    fn from(error: PredictError) -> Self {
        match error {
            PredictError::Cancelled(cancelled) => Self::Cancelled(cancelled),
            other => Self::Twin(other),
        }
    }
}

/// The newest rows of a run under way, for display; everything before `first_frame` was shown already.
#[derive(Debug, Clone, Copy)]
pub struct Partial<'a> {
    /// What is shown when.
    pub schedule: &'a Schedule,
    /// On which screen.
    pub monitor: &'a Monitor,
    /// Frame of the first row.
    pub first_frame: usize,
    /// Responses `[frame, unit]`.
    pub rows: &'a [f32],
}

/// Runs a protocol through a twin.
///
/// `draw` makes the movie of a schedule on a monitor; `behavior` covers every frame, and `None` is the average animal
/// standing still. `on_chunk` sees the rows as they come.
///
/// # Errors
/// When the protocol is impossible, movie, twin and behaviour do not fit together, or the user cancels.
pub fn run(
    protocol: &Protocol,
    twin: &mut dyn Predictor,
    behavior: Option<&Behavior>,
    draw: &mut Draw<'_>,
    progress: &Progress,
    on_chunk: &mut dyn FnMut(Partial<'_>),
) -> Result<Outcome, RunError> {
    let monitor = protocol.monitor(twin.raster());
    protocol.validate_for(&monitor)?;
    let schedule = protocol.schedule(&monitor);
    let mut movie = draw(&schedule, &monitor)?;
    check_fit(&schedule, movie.as_ref(), behavior, twin)?;
    let still;
    let behavior = match behavior {
        Some(behavior) => behavior,
        None => {
            still = Behavior::still(schedule.frames, 1);
            &still
        }
    };
    progress.begin(schedule.frames as u64);
    let mut collected = Collected::new(schedule.frames, twin.units().len())?;
    twin.predict(movie.as_mut(), behavior, CHUNK_FRAMES, progress, &mut |first_frame, rows| {
        collected.take(first_frame, rows)?;
        on_chunk(Partial { schedule: &schedule, monitor: &monitor, first_frame, rows });
        Ok(())
    })?;
    let responses = collected.finish()?;
    let skip = protocol.skip_frames(&monitor);
    let tuning = direction_tuning(&schedule, skip, &responses);
    let parameter = protocol.tuning_key().filter(|key| *key != DIRECTION);
    let parameter = parameter.and_then(|key| parameter_tuning(&schedule, key, skip, &responses));
    Ok(Outcome {
        protocol: protocol.clone(),
        monitor,
        tuning,
        parameter,
        units: twin.units().to_vec(),
        provenance: provenance(protocol, twin),
        schedule,
        responses,
    })
}

fn provenance(protocol: &Protocol, twin: &dyn Predictor) -> Provenance {
    Provenance {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        twin: twin.card().name.clone(),
        simulated: twin.card().simulated,
        weights_sha256: twin.sha256().to_owned(),
        device: twin.device(),
        seed: protocol.repeats.seed,
    }
}

fn check_fit(
    schedule: &Schedule,
    movie: &dyn FrameSource,
    behavior: Option<&Behavior>,
    twin: &dyn Predictor,
) -> Result<(), RunError> {
    let fit = |fits: bool, what: &dyn Fn() -> String| if fits { Ok(()) } else { Err(RunError::Fit(what())) };
    let (frames, samples) = (movie.frames(), movie.samples());
    fit(frames == schedule.frames && samples == 1, &|| {
        format!("the movie has {frames} frames and {samples} samples; the schedule has {} and 1", schedule.frames)
    })?;
    fit(movie.raster() == twin.raster(), &|| {
        let (movie, twin) = (movie.raster(), twin.raster());
        format!("the movie has {movie} pixels and the twin takes {twin}; remove `monitor.raster` from the protocol")
    })?;
    behavior.map_or(Ok(()), |behavior| {
        let (found, side_by_side) = (behavior.frames(), behavior.samples());
        fit(found == frames && side_by_side == 1, &|| {
            format!("the behaviour has {found} frames and {side_by_side} samples; the movie has {frames} and 1")
        })
    })
}

/// Rows of responses, complete when the last frame is there.
struct Collected {
    frames: usize,
    units: usize,
    values: Vec<f32>,
}

impl Collected {
    fn new(frames: usize, units: usize) -> Result<Self, RunError> {
        let mut values = Vec::new();
        let room = frames.checked_mul(units).is_some_and(|length| values.try_reserve_exact(length).is_ok());
        if !room {
            return Err(RunError::Fit(format!(
                "responses of {units} units over {frames} frames do not fit into memory; shorten the protocol"
            )));
        }
        Ok(Self { frames, units, values })
    }

    fn take(&mut self, first_frame: usize, rows: &[f32]) -> Result<(), PredictError> {
        let start = first_frame.saturating_mul(self.units);
        if start != self.values.len() || rows.len() > self.frames * self.units - start {
            return Err(PredictError::Answer(format!(
                "the twin sent {} responses for frame {first_frame}; {} of {} were there already",
                rows.len(),
                self.values.len(),
                self.frames * self.units
            )));
        }
        if let Some(bad) = rows.iter().position(|value| !value.is_finite()) {
            let (frame, unit) = (first_frame + bad / self.units, bad % self.units);
            return Err(PredictError::Answer(format!(
                "the response of unit {unit} at frame {frame} is {}; the weights may be damaged",
                rows[bad]
            )));
        }
        self.values.extend_from_slice(rows);
        Ok(())
    }

    fn finish(self) -> Result<Responses, PredictError> {
        let found = self.values.len();
        Responses::new(self.frames, 1, self.units, self.values).ok_or_else(|| {
            PredictError::Answer(format!(
                "the twin sent {found} responses; {} units over {} frames make {}",
                self.units,
                self.frames,
                self.units * self.frames
            ))
        })
    }
}
