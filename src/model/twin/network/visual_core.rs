//! The core, shared by all animals: feedforward, then recurrent.

use burn::module::Module;

use super::feedforward::Feedforward;
use super::layers::Source;
use super::recurrent::Recurrent;
use crate::model::twin::TwinConfig;

/// Both parts of the core.
#[derive(Module, Debug)]
pub struct VisualCore {
    pub feedforward: Feedforward,
    pub recurrent: Recurrent,
}

impl VisualCore {
    pub fn new(config: &TwinConfig, source: Source<'_>) -> Self {
        Self { feedforward: Feedforward::new(config, source), recurrent: Recurrent::new(config, source) }
    }
}
