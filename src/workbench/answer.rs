//! An outcome as it is looked at: with the few numbers that every view needs.

use crate::experiment::Outcome;

/// A finished run.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What was computed.
    pub outcome: Outcome,
    /// How long it took, seconds.
    pub seconds: f64,
    /// Mean response of each unit over the whole movie, `[unit]`.
    pub mean: Vec<f32>,
    /// Strongest response of each unit, `[unit]`.
    pub peak: Vec<f32>,
}

impl Answer {
    /// Takes an outcome and the time it took.
    pub fn new(outcome: Outcome, seconds: f64) -> Self {
        let units = outcome.responses.units();
        let (mut mean, mut peak) = (vec![0.0_f64; units], vec![0.0_f32; units]);
        let frames = outcome.responses.frames();
        for time in 0..frames {
            for (unit, &value) in outcome.responses.row(time, 0).iter().enumerate() {
                mean[unit] += f64::from(value);
                peak[unit] = peak[unit].max(value);
            }
        }
        let mean = mean.into_iter().map(|sum| (sum / frames.max(1) as f64) as f32).collect();
        Self { outcome, seconds, mean, peak }
    }

    /// Speed of the twin, frames of the movie per second of computing.
    pub fn frames_per_sec(&self) -> Option<f64> {
        (self.seconds > 0.0).then(|| self.outcome.responses.frames() as f64 / self.seconds)
    }

    /// One line that every view of these answers carries: which twin, and whether its animal was simulated.
    pub fn origin(&self) -> String {
        self.outcome.provenance.notice()
    }
}
