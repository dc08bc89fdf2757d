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
    /// The unit with the sharpest direction tuning; the first when nothing was tuned.
    pub most_selective: usize,
}

impl Answer {
    /// Takes an outcome and the time it took.
    pub fn new(outcome: Outcome, seconds: f64) -> Self {
        let units = outcome.responses.units();
        let mut mean = vec![0.0_f64; units];
        let frames = outcome.responses.frames();
        for time in 0..frames {
            for (unit, &value) in outcome.responses.row(time, 0).iter().enumerate() {
                mean[unit] += f64::from(value);
            }
        }
        let mean = mean.into_iter().map(|sum| (sum / frames.max(1) as f64) as f32).collect();
        let dsi = |unit: usize| outcome.tuning.as_ref().and_then(|tuning| tuning.units.get(unit)?.global_dsi);
        let sharper =
            |&a: &usize, &b: &usize| dsi(a).unwrap_or(-1.0).total_cmp(&dsi(b).unwrap_or(-1.0)).then(b.cmp(&a));
        let most_selective = (0..units).max_by(sharper).unwrap_or(0);
        Self { outcome, seconds, mean, most_selective }
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
