//! What predictions lose when the twin does not know what the animal did.

use std::sync::Arc;

use super::{StudyError, Table};
use crate::data::Session;
use crate::evaluation::{Evaluation, Origin, Responder, ResponderError, Selection};
use crate::gpu::ComputeDevice;
use crate::job::Progress;
use crate::model::twin::{Twin, TwinOptions};
use crate::model::weights::TwinWeights;
use crate::signals::{Behavior, FrameSource, Raster, Responses, UnitId};

/// What is taken from the twin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lesion {
    /// Nothing.
    Intact,
    /// Gaze: the perspective module sees an animal that looks straight ahead.
    Gaze,
    /// Running and pupil: the modulation module sees an average animal.
    Arousal,
    /// Both.
    Both,
}

impl Lesion {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Intact, Self::Gaze, Self::Arousal, Self::Both];

    /// Name of the arm.
    pub fn name(self) -> &'static str {
        match self {
            Self::Intact => "intact",
            Self::Gaze => "without gaze",
            Self::Arousal => "without running and pupil",
            Self::Both => "without either",
        }
    }
}

/// Evaluates a twin with each lesion on the test trials of its animal, and compares each with the intact twin over the
/// same units.
///
/// # Errors
/// When twin and session do not belong together, an evaluation fails, or the user asked to stop.
pub fn lesions(twin: TwinWeights, session: &Session, progress: &Progress) -> Result<Table, StudyError> {
    let twin = Twin::open(Arc::new(twin), &ComputeDevice::Cpu, TwinOptions::default())?;
    let mut table = Table::new("Lesions of perspective and modulation");
    table.sha256 = Some(twin.weights().sha256.clone());
    let mut intact = None;
    for lesion in Lesion::ALL {
        let lesioned = Lesioned { twin: &twin, lesion };
        let evaluation = Evaluation::of(&lesioned, session, &Selection::default(), progress)?;
        table.add(lesion.name(), None, None, &evaluation);
        match &intact {
            Some(intact) => table.compare((lesion.name(), &evaluation), (Lesion::Intact.name(), intact)),
            // The first of all.
            None => intact = Some(evaluation),
        }
    }
    Ok(table)
}

/// A twin that is told less than the truth.
struct Lesioned<'t> {
    twin: &'t Twin,
    lesion: Lesion,
}

impl Responder for Lesioned<'_> {
    fn units(&self) -> &[UnitId] {
        Responder::units(self.twin)
    }

    fn origin(&self) -> Origin {
        let origin = self.twin.origin();
        Origin { name: format!("{}, {}", origin.name, self.lesion.name()), ..origin }
    }

    fn raster(&self) -> Raster {
        self.twin.raster()
    }

    fn respond(
        &self,
        movie: &mut dyn FrameSource,
        behavior: &Behavior,
        progress: &Progress,
    ) -> Result<Responses, ResponderError> {
        let (frames, samples) = (behavior.frames(), behavior.samples());
        let (blind, calm) =
            (matches!(self.lesion, Lesion::Gaze | Lesion::Both), matches!(self.lesion, Lesion::Arousal | Lesion::Both));
        let keep = |rows: &dyn Fn(usize) -> Vec<[f32; 2]>, lost: bool| -> Vec<[f32; 2]> {
            if lost { vec![[0.0; 2]; frames * samples] } else { (0..frames).flat_map(rows).collect() }
        };
        let gaze = keep(&|time| behavior.gaze(time).to_vec(), blind);
        let state = keep(&|time| behavior.state(time).to_vec(), calm);
        let told = Behavior::new(frames, samples, gaze, state).expect("as many finite values as before");
        self.twin.respond(movie, &told, progress)
    }
}
