//! What figures are drawn from, recorded or predicted.

use crate::analysis::{DirectionTuning, ParameterTuning, UnitTuning};
use crate::experiment::Outcome;
use crate::signals::{FrameRate, Responses, UnitId};
use crate::stimulus::schedule::Schedule;

/// Responses over time, as far as figures show them.
#[derive(Debug, Clone)]
pub enum Traces<'a> {
    /// Those of all units.
    All(&'a Responses),
    /// Those of one unit of many, in one sample.
    One {
        /// Number of units that responded.
        units: usize,
        /// The unit, from 0.
        unit: usize,
        /// Its response at each frame.
        trace: Vec<f32>,
    },
}

impl Traces<'_> {
    /// Number of frames.
    pub(super) fn frames(&self) -> usize {
        match self {
            Self::All(responses) => responses.frames(),
            Self::One { trace, .. } => trace.len(),
        }
    }

    /// Number of units that responded.
    pub(super) fn units(&self) -> usize {
        match self {
            Self::All(responses) => responses.units(),
            Self::One { units, .. } => *units,
        }
    }

    /// Number of passes; figures show the first.
    pub(super) fn samples(&self) -> usize {
        match self {
            Self::All(responses) => responses.samples(),
            Self::One { .. } => 1,
        }
    }

    /// Whether there is nothing over time.
    pub(super) fn is_empty(&self) -> bool {
        self.frames() == 0 || matches!(self, Self::All(responses) if responses.samples() == 0)
    }

    /// Whether the response of a unit is known.
    pub(super) fn has(&self, wanted: usize) -> bool {
        match self {
            Self::All(responses) => wanted < responses.units(),
            Self::One { unit, .. } => wanted == *unit,
        }
    }

    /// The first frames of a unit's response; none when it is not known.
    pub(super) fn trace(&self, wanted: usize, frames: usize) -> Vec<f32> {
        match self {
            Self::All(responses) => responses.trace(0, wanted).take(frames).collect(),
            Self::One { unit, trace, .. } if wanted == *unit => trace[..frames.min(trace.len())].to_vec(),
            Self::One { .. } => Vec::new(),
        }
    }
}

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
    pub responses: Traces<'a>,
    /// Frames per second of the responses.
    pub frame_rate: FrameRate,
}

impl<'a> Data<'a> {
    /// From the outcome of a run.
    pub fn of(outcome: &'a Outcome) -> Self {
        Self::with_traces(outcome, Traces::All(&outcome.responses))
    }

    /// From an outcome whose responses do not lie in memory, with what of them is shown.
    pub fn with_traces<R>(outcome: &'a Outcome<R>, responses: Traces<'a>) -> Self {
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
            responses,
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
