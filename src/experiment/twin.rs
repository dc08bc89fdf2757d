//! The twin as an experiment sees it.

use super::run::{PredictError, Predictor, Sink};
use crate::job::Progress;
use crate::model::twin::{Twin, TwinError};
use crate::model::weights::TwinCard;
use crate::signals::{Behavior, FrameSource, Raster, UnitId};

impl From<TwinError> for PredictError {
    fn from(error: TwinError) -> Self {
        match error {
            TwinError::Cancelled(cancelled) => Self::Cancelled(cancelled),
            TwinError::Source(source) => Self::Source(source),
            other => Self::Device(Box::new(other)),
        }
    }
}

impl Predictor for Twin {
    fn units(&self) -> &[UnitId] {
        &self.weights().units
    }

    fn card(&self) -> &TwinCard {
        &self.weights().card
    }

    fn sha256(&self) -> &str {
        &self.weights().sha256
    }

    fn configuration(&self) -> String {
        serde_json::to_string(&self.weights().config).expect("plain numbers serialise")
    }

    fn device(&self) -> String {
        Self::device(self).to_owned()
    }

    fn raster(&self) -> Raster {
        self.weights().card.raster
    }

    fn predict(
        &mut self,
        movie: &mut dyn FrameSource,
        behavior: &Behavior,
        chunk: usize,
        progress: &Progress,
        sink: &mut Sink<'_>,
    ) -> Result<(), PredictError> {
        self.rollout(movie, Some(behavior), chunk, progress, sink).map(drop)
    }
}
