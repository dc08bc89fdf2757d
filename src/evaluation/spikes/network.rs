//! A masked transformer as a predictor.

use burn::tensor::Device;

use super::{Arm, SpikeEvaluationError, SpikeSelection, Task};
use crate::data::spikes::SpikeSession;
use crate::job::Progress;
use crate::model::mtm::{MtmWeights, Predict, Predicted, Scheme, predictor};
use crate::signals::Binned;

/// A network, its name in the table, and the prompts that it knows.
#[derive(Debug)]
pub struct NetworkArm {
    /// Name in tables and figures.
    pub name: String,
    /// How it learned, whatever the animals.
    kind: String,
    network: Box<dyn Predict>,
    /// Those that it was trained with.
    schemes: Vec<Scheme>,
    /// Take the prompt of another task, to see what the prompt does.
    wrong_prompt: bool,
    pretrained_animals: usize,
    sha256: String,
}

impl NetworkArm {
    /// A network on a device.
    pub fn new(weights: &MtmWeights, device: &Device) -> Self {
        let schemes = trained_schemes(weights);
        let before = weights.about.get("pretrained_animals").and_then(toml::Value::as_integer);
        let pretrained_animals = before.and_then(|animals| usize::try_from(animals).ok()).unwrap_or(0);
        let kind = match &schemes[..] {
            [Scheme::Temporal] => "temporal masking".to_owned(),
            all if Scheme::MTM.iter().all(|scheme| all.contains(scheme)) => "MtM".to_owned(),
            some => format!("masking {}", some.iter().map(|scheme| scheme.name()).collect::<Vec<_>>().join(", ")),
        };
        let name = format!("{kind}{}", after(pretrained_animals));
        let network = predictor(weights, device);
        Self { name, kind, network, schemes, wrong_prompt: false, pretrained_animals, sha256: weights.sha256() }
    }

    /// The same, told every task by the prompt of another one.
    #[must_use]
    pub fn with_wrong_prompts(weights: &MtmWeights, device: &Device) -> Self {
        let right = Self::new(weights, device);
        let wrong = |name: &str| format!("{name}, wrong prompt");
        Self { name: wrong(&right.name), kind: wrong(&right.kind), wrong_prompt: true, ..right }
    }

    /// The prompt for a task: its own where the network was trained with it, else the first of its training.
    pub fn prompt(&self, task: Task) -> Scheme {
        let own = task.scheme();
        let right = if self.schemes.contains(&own) { own } else { self.schemes[0] };
        if !self.wrong_prompt {
            return right;
        }
        let wrong = match right {
            Scheme::Neuron => Scheme::InterRegion,
            Scheme::InterRegion => Scheme::IntraRegion,
            _ => Scheme::Neuron,
        };
        let other = || self.schemes.iter().copied().find(|&scheme| scheme != right);
        if self.schemes.contains(&wrong) { wrong } else { other().unwrap_or(right) }
    }

    /// Whether the network was trained with prompts that can be confused.
    pub fn has_several_prompts(&self) -> bool {
        self.schemes.len() > 1
    }

    /// Its line in the table.
    pub fn arm(&self) -> Arm {
        Arm {
            name: self.name.clone(),
            kind: self.kind.clone(),
            pretrained_animals: Some(self.pretrained_animals),
            is_baseline: false,
            sha256: Some(self.sha256.clone()),
        }
    }

    /// Predicts what the task hides of these trials.
    pub(super) fn predict(
        &self,
        session: &SpikeSession,
        trials: &Binned,
        task: Task,
        selection: &SpikeSelection,
        progress: &Progress,
    ) -> Result<Predicted, SpikeEvaluationError> {
        let (network, id, scheme) = (&self.network, session.id.as_str(), self.prompt(task));
        let (regions, _) = session.region_labels();
        let alone = || (0..trials.neurons()).map(|neuron| vec![neuron]).collect::<Vec<_>>();
        Ok(match task {
            Task::HeldOut => {
                network.co_smoothing(trials, id, std::slice::from_ref(&session.held_out), scheme, progress)?
            }
            Task::CoSmoothing => network.co_smoothing(trials, id, &alone(), scheme, progress)?,
            Task::ForwardPrediction => network.forward_prediction(trials, id, selection.forward_fraction, scheme)?,
            Task::InterRegion => network.inter_region(trials, id, &regions, scheme, progress)?,
            Task::IntraRegion => network.intra_region(trials, id, &regions, scheme, progress)?,
        })
    }

    /// Latents `[trial, bin, width]` of trials of which nothing is hidden.
    pub(super) fn latents(&self, session: &SpikeSession, trials: &Binned) -> Result<Binned, SpikeEvaluationError> {
        Ok(self.network.latents(trials, &session.id, self.prompt(Task::CoSmoothing))?)
    }
}

/// How a name goes on after so many other animals.
fn after(animals: usize) -> String {
    match animals {
        0 => String::new(),
        1 => ", pre-trained on 1 animal".to_owned(),
        n => format!(", pre-trained on {n} animals"),
    }
}

/// The masking schemes that a network's file names; those of MtM where it names none.
pub fn trained_schemes(weights: &MtmWeights) -> Vec<Scheme> {
    let named = weights.about.get("schemes").and_then(toml::Value::as_array).into_iter().flatten();
    let known: Vec<Scheme> = named.filter_map(|name| name.as_str()?.parse().ok()).collect();
    if known.is_empty() { Scheme::MTM.to_vec() } else { known }
}
