//! The learning curve: how many minutes of clips a new animal needs, with the core of many animals and without one.

use std::path::Path;

use super::arm::Arm;
use super::{StudyError, Table};
use crate::data::Session;
use crate::gpu::ComputeDevice;
use crate::job::Progress;
use crate::model::weights::TwinWeights;
use crate::training::{Adaptation, Lessons, Recipe, Training, ValidationRecipe};

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

/// Of the trials of a budget, one in so many is kept for validation at most.
const VALIDATED: usize = 5;

impl Default for CurvePlan {
    /// A network from scratch has up to 1,500 steps, and stops when its validation loss has not fallen for 300.
    fn default() -> Self {
        Self {
            minutes: vec![1.0, 2.0, 5.0, 10.0],
            seeds: vec![1],
            adapted: Recipe::for_adaptation(),
            scratch: Recipe {
                validation: ValidationRecipe { every: 50, patience: 6, ..ValidationRecipe::default() },
                ..Recipe::default()
            },
        }
    }
}

/// Adapts a twin's core to animals that it never saw, and trains networks of the same sizes from scratch, on the same
/// minutes; what a network keeps for validation is of the same minutes, a fifth of them at most. Arms are "adapted core"
/// and "from scratch"; evaluated are the test trials. With a `folder`, every arm has its twin and its checkpoint there,
/// and an interrupted study goes on. Networks are trained and evaluated on the `device`. `told` hears of every finished arm.
///
/// # Errors
/// When a session has fewer minutes to learn from than the plan asks for, a training or an evaluation fails, a file cannot be
/// written, or the user asked to stop.
pub fn learning_curve(
    twin: &TwinWeights,
    sessions: &[Session],
    plan: &CurvePlan,
    folder: Option<&Path>,
    device: &ComputeDevice,
    progress: &Progress,
    told: &mut dyn FnMut(&str),
) -> Result<Table, StudyError> {
    let mut table = Table::new("Learning curve");
    table.sha256 = Some(twin.sha256.clone());
    // Before anything is trained; the table would say minutes that nothing was learned from.
    let frames = plan.adapted.batch.frames.max(plan.scratch.batch.frames);
    for session in sessions {
        plan.minutes.iter().try_for_each(|minutes| Lessons::check_minutes(session, Some(*minutes), frames))?;
    }
    for session in sessions {
        for &seed in &plan.seeds {
            for &minutes in &plan.minutes {
                for (name, recipe, core) in
                    [("adapted core", &plan.adapted, Some(twin)), ("from scratch", &plan.scratch, None)]
                {
                    let arm = Arm { name, seed, minutes: Some(minutes) };
                    let mut recipe = Recipe { seed, minutes: Some(minutes), ..recipe.clone() };
                    let trials = Lessons::within(session, Some(minutes), recipe.batch.frames).0.len();
                    recipe.validation.trials = recipe.validation.trials.min(trials / VALIDATED);
                    let adaptation = core.map(|twin| Adaptation { twin, inherit: true });
                    let one = std::slice::from_ref(session);
                    let mut training = Training::new(&recipe, &twin.config, one, adaptation, device, progress)?;
                    let place = folder.map(|folder| arm.place(folder, &session.id.animal));
                    arm.complete(&mut training, session, device, place.as_deref(), &mut table, progress)?;
                    told(&format!("{name}, {minutes} min, {}, seed {seed}", session.id.animal));
                }
            }
        }
    }
    Ok(table)
}
