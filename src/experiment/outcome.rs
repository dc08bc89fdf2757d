//! What a run computed, with all that is needed to compute it again.

use serde::Serialize;

use super::Protocol;
use crate::analysis::DirectionTuning;
use crate::signals::{Monitor, Responses, UnitId};
use crate::stimulus::schedule::Schedule;

/// Result of one run.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What was asked.
    pub protocol: Protocol,
    /// The screen it was drawn on.
    pub monitor: Monitor,
    /// What was shown when.
    pub schedule: Schedule,
    /// Predicted responses `[time, 1, unit]`.
    pub responses: Responses,
    /// Identity of each unit.
    pub units: Vec<UnitId>,
    /// Direction tuning; `None` when no direction was swept.
    pub tuning: Option<DirectionTuning>,
    /// How it was computed.
    pub provenance: Provenance,
}

/// How an outcome came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Provenance {
    /// Version of this program.
    pub version: String,
    /// Name of the twin.
    pub twin: String,
    /// Whether the twin's animal was simulated.
    pub simulated: bool,
    /// SHA-256 of the weights.
    pub weights_sha256: String,
    /// Device that computed it.
    pub device: String,
    /// Seed of the protocol.
    pub seed: u64,
}
