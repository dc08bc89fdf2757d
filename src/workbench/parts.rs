//! What the workbench needs from the parts that compute; handed in, so that a test can use a twin with known tuning.

use std::path::PathBuf;
use std::sync::Arc;

use crate::experiment::{Outcome, Protocol};
use crate::gpu::DeviceChoice;
use crate::job::Progress;
use crate::model::weights::TwinWeights;

/// Everything a run depends on.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// What to show.
    pub protocol: Protocol,
    /// Folder against which relative paths of the protocol are read.
    pub folder: Option<PathBuf>,
    /// Who watches.
    pub twin: Arc<TwinWeights>,
    /// Which device computes.
    pub device: DeviceChoice,
}

/// Why a run gave no outcome.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunFailure {
    /// The user asked to stop.
    #[error("cancelled")]
    Cancelled,
    /// One sentence.
    #[error("{0}")]
    Failed(String),
}

/// The computing part; lives on the worker thread, which alone touches the twin and the GPU.
pub trait Compute: Send {
    /// Opens the device when it is not open yet, and says in one line which and why.
    ///
    /// # Errors
    /// One sentence when no device works.
    fn open(&mut self, device: DeviceChoice) -> Result<String, String>;

    /// Runs a protocol through a twin.
    ///
    /// # Errors
    /// [`RunFailure::Cancelled`] when `progress` says so, else one sentence.
    fn run(&mut self, request: &RunRequest, progress: &Progress) -> Result<Outcome, RunFailure>;
}
