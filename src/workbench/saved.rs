//! What is remembered until the next start.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{AnalyseOptions, SheetOrders};
use crate::experiment::Protocol;

/// State that outlives the program; unsaved edits of the protocol are part of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Saved {
    /// The protocol as it was left.
    pub protocol: Option<Protocol>,
    /// The protocol as its file has it.
    pub baseline: Option<Protocol>,
    /// That file.
    pub protocol_path: Option<PathBuf>,
    /// The twin that was open; `None` for the one that ships with the program.
    pub twin_path: Option<PathBuf>,
    /// `auto`, `cpu` or `gpu`.
    pub device: String,
    /// Whether every edit starts a run.
    pub live: bool,
    /// The unit that the user chose.
    pub unit: Option<usize>,
    /// The session of spikes that was open.
    pub spikes_path: Option<PathBuf>,
    /// The model of spikes that was open.
    pub spike_model_path: Option<PathBuf>,
    /// The recording that was open.
    pub recording_path: Option<PathBuf>,
    /// How sheets were composed.
    pub sheets: SheetOrders,
    /// How responses were analysed.
    pub analysis: AnalyseOptions,
}

impl Default for Saved {
    fn default() -> Self {
        Self {
            protocol: None,
            baseline: None,
            protocol_path: None,
            twin_path: None,
            device: "auto".to_owned(),
            live: true,
            unit: None,
            spikes_path: None,
            spike_model_path: None,
            recording_path: None,
            sheets: SheetOrders::default(),
            analysis: AnalyseOptions::default(),
        }
    }
}
