//! The protocol file: everything that decides what a run computes.

use serde::{Deserialize, Serialize};

use crate::stimulus::Stimulus;

/// A protocol, `schema = 1`. Unknown keys are errors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Protocol {
    /// Version of the format, 1.
    pub schema: u32,
    /// Shown above figures.
    pub title: String,
    /// Screen preset; its raster is that of the twin unless given here.
    #[serde(default)]
    pub monitor: MonitorChoice,
    /// Durations.
    #[serde(default)]
    pub timing: Timing,
    /// What is shown.
    pub stimulus: Stimulus,
    /// What is varied.
    #[serde(default)]
    pub sweep: Sweep,
    /// Repeats and order.
    #[serde(default)]
    pub repeats: Repeats,
}

/// Which screen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MonitorChoice {
    /// `wang2025`.
    pub preset: String,
    /// Pixels `[height, width]`; the twin's own when absent.
    pub raster: Option<[usize; 2]>,
}

impl Default for MonitorChoice {
    fn default() -> Self {
        Self { preset: "wang2025".to_owned(), raster: None }
    }
}

/// Durations of the parts of a trial, seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timing {
    /// Grey before the first presentation: the network's burn-in.
    pub lead_in_secs: f64,
    /// Each presentation.
    pub stimulus_secs: f64,
    /// Grey after each presentation.
    pub blank_secs: f64,
    /// Part at the start of each presentation that is left out of the mean response.
    pub skip_secs: f64,
}

impl Default for Timing {
    fn default() -> Self {
        Self { lead_in_secs: 0.5, stimulus_secs: 1.5, blank_secs: 0.5, skip_secs: 0.3 }
    }
}

/// Parameters that vary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Sweep {
    /// Directions, evenly spaced.
    pub direction_deg: Option<Steps>,
}

/// Evenly spaced values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Steps {
    /// First value.
    pub start: f64,
    /// Difference between neighbours.
    pub step: f64,
    /// Number of values.
    pub count: usize,
}

/// Repeats and their order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Repeats {
    /// Presentations of each condition.
    pub count: usize,
    /// Seed of the order and of every random stimulus.
    pub seed: u64,
    /// Whether each block of all conditions is shuffled.
    pub shuffle: bool,
}

impl Default for Repeats {
    fn default() -> Self {
        Self { count: 2, seed: 1, shuffle: true }
    }
}
