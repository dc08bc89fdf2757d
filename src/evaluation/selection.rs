//! What of a session is evaluated.

use serde::Serialize;

/// Frames at the beginning of every trial that count nothing, 0.33 s, as in Wang et al. 2025: the memory of a twin is
/// still empty.
pub const BURNIN_FRAMES: usize = 10;

/// Trials by what they are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trials {
    /// Those kept for testing.
    #[default]
    Test,
    /// Those from which a twin may learn.
    Training,
    /// All.
    All,
}

/// What is compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Selection {
    /// Which trials.
    pub trials: Trials,
    /// Only this domain of stimuli; letters may be large or small.
    pub domain: Option<String>,
    /// Frames at the beginning of every trial that count nothing.
    pub burnin_frames: usize,
    /// Seed of the intervals of medians and correlations.
    pub seed: u64,
}

impl Default for Selection {
    /// All test trials, without [`BURNIN_FRAMES`].
    fn default() -> Self {
        Self { trials: Trials::Test, domain: None, burnin_frames: BURNIN_FRAMES, seed: 1 }
    }
}
