//! A twin beside a recording: how well each unit is predicted, its responses over time, and whether tuning measured in
//! silico is that measured in vivo.
//!
//! [`Comparison`] is unit by unit and wants a twin of the same animal, session, scan and units; [`PopulationComparison`]
//! lays two populations beside each other that need not share a cell. Both show every trial to the twin with the recorded
//! gaze and running, and read tuning from recorded and predicted responses by the same functions.

mod angle;
mod directions;
mod error;
mod examples;
mod fields;
mod files;
mod grid;
mod identity;
mod ledger;
mod noise;
mod noise_maps;
mod pairs;
mod population;
mod spots;

pub use angle::angle_deg;
pub use directions::{DirectionComparison, Measure, ORIENTED, Tuned};
pub use error::ComparisonError;
pub use examples::{Example, Examples, LEAST_CEILING};
pub use fields::{FieldComparison, FieldMap, LATE_FRAMES, LEAST_R2, ReceptiveField};
pub use files::UNITS_FILE;
pub use identity::matched;
pub use noise_maps::NOISE_DELAYS;
pub use pairs::Pairs;
pub use population::{Distribution, PopulationComparison};

use crate::data::{PresentationTable, Session};
use crate::evaluation::{Evaluation, Responder, Selection};
use crate::job::Progress;
use crate::signals::{FrameRate, Monitor};

use examples::Movies;
use ledger::Ledger;

/// Everything that is said of a twin's units and the same recorded cells.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// How well each unit is predicted, by domain.
    pub evaluation: Evaluation,
    /// Responses over time of a few units, by domain.
    pub examples: Vec<Examples>,
    /// Tuning to direction or orientation, by domain; only those in which one was varied.
    pub directions: Vec<DirectionComparison>,
    /// Receptive fields, by domain; only those that showed spots or noise.
    pub fields: Vec<FieldComparison>,
    /// Frames per second.
    pub frame_rate: FrameRate,
}

/// The screen of a recording: the one that its description tells, else the published one.
fn screen(session: &Session) -> Monitor {
    session.monitor().unwrap_or_else(|| Monitor::WANG2025.with_raster(session.raster))
}

impl Comparison {
    /// Predicts the selected trials and compares unit by unit. The table says what was shown when, where the conditions of
    /// trials do not. Counts predicted frames in `progress`, each once.
    ///
    /// # Errors
    /// When twin and recording are not the same cells, model and movies do not fit together, nothing is selected, a trial
    /// cannot be read, the model fails, or the user asked to stop.
    pub fn of(
        responder: &dyn Responder,
        session: &Session,
        table: &PresentationTable,
        selection: &Selection,
        progress: &Progress,
    ) -> Result<Self, ComparisonError> {
        let columns = matched(responder.units(), session)?;
        let mut ledger =
            Ledger::new(table, screen(session), selection.burnin_frames, columns.clone(), responder.units().len());
        let mut movies = Movies::default();
        let evaluation = Evaluation::watched(responder, session, selection, progress, &mut |seen| {
            movies.add(seen, session);
            ledger.add(seen)
        })?;
        let (directions, fields) = ledger.finish();
        let examples = movies.examples(session, &columns, &evaluation.domains)?;
        Ok(Self { evaluation, examples, directions, fields, frame_rate: session.frame_rate })
    }
}
