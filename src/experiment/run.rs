//! One run: protocol -> schedule -> twin -> responses -> analysis -> outcome.

use super::piece::{Piece, pieces};
use super::{Outcome, Protocol, ProtocolError, Provenance};
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
    /// What the weights leave open and the responses depend on, as text: the same for the same network.
    fn configuration(&self) -> String {
        String::new()
    }
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
    /// The responses could not be read back from where they were kept.
    #[error("the responses could not be read back")]
    Responses(#[from] std::io::Error),
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

/// The newest rows of a run under way, for display.
#[derive(Debug, Clone, Copy)]
pub struct Partial<'a> {
    /// What is shown when.
    pub schedule: &'a Schedule,
    /// On which screen.
    pub monitor: &'a Monitor,
    /// Frame of the schedule that the first row belongs to.
    pub first_frame: usize,
    /// Responses `[frame, unit]`.
    pub rows: &'a [f32],
}

/// Runs a protocol through a twin, and keeps every response in memory.
///
/// `draw` makes the movie of a schedule on a monitor; `behavior` covers every frame, and `None` is the average animal
/// standing still. `on_chunk` sees the rows as they come: in order where the protocol shows everything as one movie,
/// else condition by condition.
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
    check_behavior(&schedule, behavior)?;
    let units = twin.units().len();
    let mut values = room(schedule.frames, units)?;
    let pieces = pieces(protocol, &schedule);
    progress.begin(pieces.iter().map(|piece| piece.frames() as u64).sum());
    for piece in &pieces {
        show(piece, &monitor, twin, behavior, draw, progress, &mut |first, rows| {
            piece.place(first, rows.len() / units.max(1), &mut |here, first_frame, count| {
                let rows = &rows[(here - first) * units..][..count * units];
                values[first_frame * units..][..count * units].copy_from_slice(rows);
                on_chunk(Partial { schedule: &schedule, monitor: &monitor, first_frame, rows });
            });
            Ok(())
        })?;
    }
    let responses = Responses::new(schedule.frames, 1, units, values)
        .ok_or_else(|| RunError::Fit("the responses do not have the size of the schedule".to_owned()))?;
    Ok(Outcome::analysed(protocol, monitor, twin.units().to_vec(), provenance(protocol, twin), schedule, responses)?)
}

/// Shows one piece to a twin that has seen nothing. `sink` gets the first frame and the checked rows of each chunk, every
/// frame once and in order; `progress` counts the frames.
pub(super) fn show(
    piece: &Piece,
    monitor: &Monitor,
    twin: &mut dyn Predictor,
    behavior: Option<&Behavior>,
    draw: &mut Draw<'_>,
    progress: &Progress,
    sink: &mut Sink<'_>,
) -> Result<(), RunError> {
    progress.check()?;
    let mut movie = draw(&piece.schedule, monitor)?;
    check_movie(piece, movie.as_ref(), twin)?;
    let behavior = match behavior {
        Some(whole) => piece.behavior(whole).ok_or_else(|| RunError::Fit("the behaviour is no number".to_owned()))?,
        None => Behavior::still(piece.frames(), 1),
    };
    let mut rows_seen = Rows { frames: piece.frames(), units: twin.units().len(), values: 0 };
    let step = progress.step();
    twin.predict(movie.as_mut(), &behavior, CHUNK_FRAMES, &step, &mut |first, rows| {
        let frames = rows_seen.take(first, rows)?;
        sink(first, rows)?;
        Ok(progress.advance(frames as u64)?)
    })?;
    Ok(rows_seen.finish()?)
}

pub(super) fn provenance(protocol: &Protocol, twin: &dyn Predictor) -> Provenance {
    Provenance {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        twin: twin.card().name.clone(),
        simulated: twin.card().simulated,
        weights_sha256: twin.sha256().to_owned(),
        device: twin.device(),
        seed: protocol.repeats.seed,
    }
}

fn check_behavior(schedule: &Schedule, behavior: Option<&Behavior>) -> Result<(), RunError> {
    let fits = |behavior: &Behavior| behavior.frames() == schedule.frames && behavior.samples() == 1;
    match behavior.filter(|behavior| !fits(behavior)) {
        None => Ok(()),
        Some(behavior) => Err(RunError::Fit(format!(
            "the behaviour has {} frames and {} samples; the movie has {} and 1",
            behavior.frames(),
            behavior.samples(),
            schedule.frames
        ))),
    }
}

fn check_movie(piece: &Piece, movie: &dyn FrameSource, twin: &dyn Predictor) -> Result<(), RunError> {
    let (frames, samples) = (movie.frames(), movie.samples());
    if frames != piece.frames() || samples != 1 {
        let what =
            format!("the movie has {frames} frames and {samples} samples; the schedule has {} and 1", piece.frames());
        return Err(RunError::Fit(what));
    }
    let (movie, twin) = (movie.raster(), twin.raster());
    if movie != twin {
        let what = format!(
            "the movie has {movie} pixels and the twin takes {twin}; remove `monitor.raster` from the protocol"
        );
        return Err(RunError::Fit(what));
    }
    Ok(())
}

/// Zeros for the responses of a whole run.
fn room(frames: usize, units: usize) -> Result<Vec<f32>, RunError> {
    let mut values = Vec::new();
    match frames.checked_mul(units).filter(|&length| values.try_reserve_exact(length).is_ok()) {
        Some(length) => {
            values.resize(length, 0.0);
            Ok(values)
        }
        None => Err(RunError::Fit(format!(
            "responses of {units} units over {frames} frames do not fit into memory; shorten the protocol, or let \
             `twinscope run` write them to a folder"
        ))),
    }
}

/// Rows of responses as they come, complete when the last frame is there.
struct Rows {
    frames: usize,
    units: usize,
    /// Values so far.
    values: usize,
}

impl Rows {
    /// Checks the next rows and says how many they are.
    fn take(&mut self, first_frame: usize, rows: &[f32]) -> Result<usize, PredictError> {
        let (start, all) = (first_frame.saturating_mul(self.units), self.frames * self.units);
        if start != self.values || rows.len() > all - start {
            return Err(PredictError::Answer(format!(
                "the twin sent {} responses for frame {first_frame}; {} of {all} were there already",
                rows.len(),
                self.values
            )));
        }
        if let Some(bad) = rows.iter().position(|value| !value.is_finite()) {
            let (frame, unit) = (first_frame + bad / self.units, bad % self.units);
            return Err(PredictError::Answer(format!(
                "the response of unit {unit} at frame {frame} is {}; the weights may be damaged",
                rows[bad]
            )));
        }
        self.values += rows.len();
        Ok(rows.len() / self.units.max(1))
    }

    fn finish(self) -> Result<(), PredictError> {
        let (found, all) = (self.values, self.frames * self.units);
        if found == all {
            return Ok(());
        }
        Err(PredictError::Answer(format!(
            "the twin sent {found} responses; {} units over {} frames make {all}",
            self.units, self.frames
        )))
    }
}
