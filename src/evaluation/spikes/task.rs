//! What is hidden from a predictor and scored.

use std::ops::Range;
use std::str::FromStr;

use super::SpikeSelection;
use crate::data::spikes::SpikeSession;
use crate::model::mtm::{Predicted, Scheme};
use crate::signals::Binned;

/// A task of Zhang et al. 2024, or the one of the recording's own benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Task {
    /// The neurons that the recording's benchmark holds out, all together, from the others.
    HeldOut,
    /// Each neuron from all others.
    CoSmoothing,
    /// The last bins of every trial from those before.
    ForwardPrediction,
    /// Every region from the others.
    InterRegion,
    /// Each neuron from the others of its own region.
    IntraRegion,
}

/// There is no such task.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no task `{found}`; choose {}", Task::ALL.map(Task::name).join(", "))]
pub struct UnknownTask {
    found: String,
}

impl Task {
    /// All, in the order of tables.
    pub const ALL: [Self; 5] =
        [Self::HeldOut, Self::CoSmoothing, Self::ForwardPrediction, Self::InterRegion, Self::IntraRegion];

    /// Name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::HeldOut => "held-out",
            Self::CoSmoothing => "co-smoothing",
            Self::ForwardPrediction => "forward",
            Self::InterRegion => "inter-region",
            Self::IntraRegion => "intra-region",
        }
    }

    /// Name for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::HeldOut => "Held-out neurons",
            Self::CoSmoothing => "Co-smoothing",
            Self::ForwardPrediction => "Forward prediction",
            Self::InterRegion => "Inter-region",
            Self::IntraRegion => "Intra-region",
        }
    }

    /// The prompt that says it to a network.
    pub fn scheme(self) -> Scheme {
        match self {
            Self::HeldOut | Self::CoSmoothing => Scheme::Neuron,
            Self::ForwardPrediction => Scheme::Causal,
            Self::InterRegion => Scheme::InterRegion,
            Self::IntraRegion => Scheme::IntraRegion,
        }
    }

    /// Whether a session has what the task hides.
    pub(super) fn fits(self, session: &SpikeSession) -> bool {
        let several = |names: &[String]| names.iter().any(|name| name != &names[0]);
        match self {
            Self::HeldOut => !session.held_out.is_empty() && session.held_out.len() < session.counts.neurons(),
            Self::CoSmoothing => session.counts.neurons() > 1,
            Self::ForwardPrediction => session.counts.bins() > 1,
            Self::InterRegion | Self::IntraRegion => several(&session.regions),
        }
    }

    /// Whether a neuron may be used to predict another; `regions` are the labels of all neurons.
    pub(super) fn couples(self, from: usize, to: usize, regions: &[usize], held_out: &[bool]) -> bool {
        match self {
            Self::HeldOut => !held_out[from],
            Self::CoSmoothing => from != to,
            Self::ForwardPrediction => true,
            Self::InterRegion => regions[from] != regions[to],
            Self::IntraRegion => regions[from] == regions[to] && from != to,
        }
    }

    /// What is predicted.
    pub(super) fn place(self, session: &SpikeSession, selection: &SpikeSelection) -> Place {
        let [_, bins, neurons] = session.counts.shape();
        let hidden = (selection.forward_fraction * bins as f64).round() as usize;
        let first = if self == Self::ForwardPrediction { bins.saturating_sub(hidden) } else { 0 };
        let neurons = if self == Self::HeldOut { session.held_out.clone() } else { (0..neurons).collect() };
        Place { neurons, bins: first..bins }
    }
}

impl std::fmt::Display for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Task {
    type Err = UnknownTask;

    fn from_str(name: &str) -> Result<Self, UnknownTask> {
        let found = Self::ALL.into_iter().find(|task| task.name() == name);
        found.ok_or_else(|| UnknownTask { found: name.escape_debug().take(40).collect() })
    }
}

/// Neurons and bins that are predicted.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    pub neurons: Vec<usize>,
    pub bins: Range<usize>,
}

impl Place {
    /// That part of log-rates of everything.
    pub fn of(&self, log_rates: &Binned) -> Predicted {
        let log_rates = log_rates.of_bins(self.bins.clone()).of_neurons(&self.neurons);
        Predicted { neurons: self.neurons.clone(), bins: self.bins.clone(), log_rates }
    }
}
