//! The learning curve: how many minutes of clips a new animal needs, with the core of many animals and without one.

use std::sync::Arc;

use super::{StudyError, Table};
use crate::data::Session;
use crate::evaluation::{Evaluation, Selection};
use crate::gpu::ComputeDevice;
use crate::job::Progress;
use crate::model::twin::{Twin, TwinOptions};
use crate::model::weights::TwinWeights;
use crate::training::{Adaptation, Recipe, Training};

/// What is compared.
#[derive(Debug, Clone, PartialEq)]
pub struct CurvePlan {
    /// Minutes of clips of every animal.
    pub minutes: Vec<f64>,
    /// Seeds of the trainings.
    pub seeds: Vec<u64>,
    /// Steps of an adaptation.
    pub adapted: Recipe,
    /// Steps of a training from scratch; enough to converge.
    pub scratch: Recipe,
}

/// Adapts a twin's core to animals that it never saw, and trains networks of the same sizes from scratch, on the same
/// minutes. Arms are "adapted core" and "from scratch"; evaluated are the test trials. `told` hears of every arm.
///
/// # Errors
/// When a training or an evaluation fails, or the user asked to stop.
pub fn learning_curve(
    twin: &TwinWeights,
    sessions: &[Session],
    plan: &CurvePlan,
    progress: &Progress,
    told: &mut dyn FnMut(&str),
) -> Result<Table, StudyError> {
    let mut table = Table::new("Learning curve");
    for session in sessions {
        for &seed in &plan.seeds {
            for &minutes in &plan.minutes {
                for (arm, recipe, core) in
                    [("adapted core", &plan.adapted, Some(twin)), ("from scratch", &plan.scratch, None)]
                {
                    let recipe = Recipe { seed, minutes: Some(minutes), ..recipe.clone() };
                    let learned = learn(&recipe, twin, core, session, progress)?;
                    let evaluation = evaluate(learned, session, progress)?;
                    table.add(arm, seed, Some(minutes), &evaluation);
                    told(&format!("{arm}, {minutes} min, {}, seed {seed}", session.id.animal));
                }
            }
        }
    }
    Ok(table)
}

/// Trains one animal's network; with a core, only what is not the core.
fn learn(
    recipe: &Recipe,
    sizes: &TwinWeights,
    core: Option<&TwinWeights>,
    session: &Session,
    progress: &Progress,
) -> Result<TwinWeights, StudyError> {
    let adaptation = core.map(|twin| Adaptation { twin, inherit: true });
    let sessions = std::slice::from_ref(session);
    let cpu = ComputeDevice::Cpu;
    let mut training = Training::new(recipe, &sizes.config, sessions, adaptation, &cpu, progress)?;
    Ok(training.complete(progress)?.remove(0))
}

/// Test trials of a session beside the predictions of a twin.
pub(super) fn evaluate(twin: TwinWeights, session: &Session, progress: &Progress) -> Result<Evaluation, StudyError> {
    let twin = Twin::open(Arc::new(twin), &ComputeDevice::Cpu, TwinOptions::default())?;
    Ok(Evaluation::of(&twin, session, &Selection::default(), progress)?)
}
