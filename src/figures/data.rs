//! What figures are drawn from, recorded or predicted.

use crate::analysis::{DirectionTuning, ParameterTuning, UnitTuning};
use crate::experiment::Outcome;
use crate::signals::{FrameRate, Responses, UnitId};
use crate::stimulus::schedule::Schedule;

/// Everything a figure may show.
#[derive(Debug, Clone)]
pub struct Data<'a> {
    /// Shown above every figure.
    pub title: &'a str,
    /// Shown below every figure: whose responses these are.
    pub notice: String,
    /// Written into the file, not shown: how they were computed.
    pub provenance: String,
    /// Direction tuning, when directions were swept.
    pub tuning: Option<&'a DirectionTuning>,
    /// Tuning to another parameter, when that is what is analysed.
    pub parameter: Option<&'a ParameterTuning>,
    /// Identity of each unit.
    pub units: &'a [UnitId],
    /// What was shown when.
    pub schedule: &'a Schedule,
    /// Responses over time; figures show the first sample.
    pub responses: &'a Responses,
    /// Frames per second of the responses.
    pub frame_rate: FrameRate,
}

impl<'a> Data<'a> {
    /// From the outcome of a run.
    pub fn of(outcome: &'a Outcome) -> Self {
        let made = &outcome.provenance;
        Self {
            title: &outcome.protocol.title,
            notice: made.notice(),
            provenance: format!(
                "twinscope {}; twin {}, weights sha256 {}; device {}; seed {}",
                made.version, made.twin, made.weights_sha256, made.device, made.seed
            ),
            tuning: outcome.tuning.as_ref(),
            parameter: outcome.parameter.as_ref(),
            units: &outcome.units,
            schedule: &outcome.schedule,
            responses: &outcome.responses,
            frame_rate: outcome.monitor.frame_rate,
        }
    }

    /// Tuning of all units, or none where no direction was swept.
    pub(super) fn tuned_units(&self) -> &'a [UnitTuning] {
        self.tuning.map_or(&[], |tuning| &tuning.units)
    }

    /// How many presentations a mean is over, in words.
    pub(super) fn presentations_in_words(&self) -> String {
        let shown = self.tuning.map_or(&[][..], |tuning| &tuning.presentations);
        match (shown.iter().min(), shown.iter().max()) {
            (Some(1), Some(1)) => "one presentation of each direction".to_owned(),
            (Some(least), Some(most)) if least == most => format!("n = {least} presentations of each direction"),
            (Some(least), Some(most)) => format!("n = {least} to {most} presentations of each direction"),
            _ => String::new(),
        }
    }
}

/// A unit as figures and tables name it.
pub fn unit_name(id: &UnitId) -> String {
    let animal = id.animal.as_ref().map(|animal| format!("animal {animal}, ")).unwrap_or_default();
    format!("unit {} ({animal}session {}, scan {})", id.unit, id.session, id.scan)
}
