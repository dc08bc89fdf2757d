//! What is shown when: presentations in order, with grey between them.

use serde::{Deserialize, Serialize};

use super::Stimulus;

/// One cell of a sweep: a stimulus with all parameters fixed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// Direction of motion that was swept, degrees; `None` when the stimulus has none.
    pub direction_deg: Option<f64>,
    /// The stimulus.
    pub stimulus: Stimulus,
}

/// One showing of one condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presentation {
    /// Index of the condition.
    pub condition: usize,
    /// Which showing of that condition, from 0.
    pub repeat: usize,
    /// First frame.
    pub onset_frame: usize,
    /// Number of frames shown.
    pub frames: usize,
    /// Seed of everything random in it.
    pub seed: u64,
}

/// A whole movie as a list of presentations; the frames between them show the background.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// The different things shown.
    pub conditions: Vec<Condition>,
    /// In order of onset, never overlapping.
    pub presentations: Vec<Presentation>,
    /// Length of the movie, frames.
    pub frames: usize,
}
