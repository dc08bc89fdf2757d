//! One arm of a study: a training that may be interrupted, and what was found out about its twin.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Finding, StudyError, Table};
use crate::data::Session;
use crate::data::save::atomically;
use crate::evaluation::{Evaluation, Selection};
use crate::gpu::ComputeDevice;
use crate::job::Progress;
use crate::model::twin::{Twin, TwinOptions};
use crate::model::weights::{self, TwinWeights};
use crate::training::Training;

/// Findings of a finished arm, beside its twin.
const FINDINGS: &str = "findings.json";

/// What an arm is called in the table of its study.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Arm<'a> {
    /// Name of the arm.
    pub name: &'a str,
    /// Seed of the training.
    pub seed: u64,
    /// Minutes of clips for the table.
    pub minutes: Option<f64>,
}

/// What is kept of a finished arm.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// Of the twin that was evaluated.
    sha256: String,
    /// Device of the evaluation, where it is known.
    #[serde(default)]
    device: Option<String>,
    findings: Vec<Finding>,
}

impl Arm<'_> {
    /// Trains to the end, evaluates the twin on the `device` with the test trials of its animal and adds what was found to
    /// the table. With a `folder` for this arm alone, the training goes on from its last checkpoint there, the twin stays
    /// there, and a finished arm is only read.
    pub fn complete(
        &self,
        training: &mut Training,
        session: &Session,
        device: &ComputeDevice,
        folder: Option<&Path>,
        table: &mut Table,
        progress: &Progress,
    ) -> Result<(), StudyError> {
        let Some(folder) = folder else {
            let twin = training.complete(progress)?.remove(0);
            table.add(self.name, Some(self.seed), self.minutes, &evaluate(twin, session, device, progress)?);
            return Ok(());
        };
        let files = training.run(folder, progress, &mut |_| {})?;
        let twin = weights::load(&files[0], None, None)?;
        let file = folder.join(FINDINGS);
        let kept = std::fs::read(&file).ok().and_then(|bytes| serde_json::from_slice::<Kept>(&bytes).ok());
        if let Some(kept) = kept.filter(|kept| kept.sha256 == twin.sha256) {
            kept.device.iter().for_each(|device| table.computed_on(device));
            // Those of earlier versions lack what was learned from.
            let minutes = self.minutes;
            table.findings.extend(kept.findings.into_iter().map(|finding| Finding { minutes, ..finding }));
            return Ok(());
        }
        let (sha256, start) = (twin.sha256.clone(), table.findings.len());
        let evaluation = evaluate(twin, session, device, progress)?;
        table.add(self.name, Some(self.seed), self.minutes, &evaluation);
        let device = Some(evaluation.origin.device);
        let kept = Kept { sha256, device, findings: table.findings[start..].to_vec() };
        let text = serde_json::to_vec_pretty(&kept).expect("words and numbers always serialise");
        atomically(&file, |to| to.write_all(&text)).map_err(|source| StudyError::File { path: file.clone(), source })
    }

    /// A folder for this arm of one animal inside that of a study.
    pub fn place(&self, study: &Path, animal: &str) -> PathBuf {
        let minutes = self.minutes.map_or_else(String::new, |minutes| format!("-{minutes}-min"));
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
        let name = format!("{animal}-{}{minutes}-seed-{}", self.name, self.seed);
        study.join("arms").join(name.chars().map(plain).collect::<String>())
    }
}

/// Test trials of a session beside the predictions of a twin.
fn evaluate(
    twin: TwinWeights,
    session: &Session,
    device: &ComputeDevice,
    progress: &Progress,
) -> Result<Evaluation, StudyError> {
    let twin = Twin::open(Arc::new(twin), device, TwinOptions::default())?;
    Ok(Evaluation::of(&twin, session, &Selection::default(), progress)?)
}
