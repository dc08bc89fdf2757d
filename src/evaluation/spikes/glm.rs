//! Poisson regression whose smoothing and penalty are chosen on validation trials.

use super::task::Place;
use super::{SpikeEvaluationError, SpikeSelection, Task};
use crate::analysis::spikes::{PoissonGlm, Smoothing, bits_per_spike};
use crate::data::spikes::SpikeSession;
use crate::job::Progress;
use crate::model::mtm::Predicted;
use crate::signals::Binned;

/// What is tried.
#[derive(Debug, Clone, PartialEq)]
pub struct GlmGrid {
    /// Widths of the smoothing, bins: standard deviations of a Gaussian, and, for forward prediction, time constants of the
    /// memory.
    pub widths_bins: Vec<f64>,
    /// Ridge penalties, in units of the mean Poisson loss of a bin.
    pub penalties: Vec<f64>,
}

impl Default for GlmGrid {
    fn default() -> Self {
        Self { widths_bins: vec![1.0, 2.0, 4.0], penalties: vec![1.0, 0.3, 0.1, 0.03, 0.01] }
    }
}

/// A regression with the settings that predicted the validation trials best.
#[derive(Debug, Clone)]
pub struct TunedGlm {
    task: Task,
    smoothing: Smoothing,
    penalty: f64,
    validation: Option<f64>,
    model: PoissonGlm,
}

impl TunedGlm {
    /// Tries every setting on the training trials, and fits the best once more on training and validation trials
    /// together.
    ///
    /// # Errors
    /// When nothing can be fitted, or the user asked to stop.
    pub fn fit(
        session: &SpikeSession,
        task: Task,
        selection: &SpikeSelection,
        progress: &Progress,
    ) -> Result<Self, SpikeEvaluationError> {
        let place = task.place(session, selection);
        let (train, validation) = (session.of(&session.split.train), session.of(&session.split.validation));
        let coupling = Coupling::new(session, task, &place);
        let mut best: Option<(f64, Smoothing, f64)> = None;
        for &width in &selection.grid.widths_bins {
            let smoothing = smoothing(task, width);
            let inputs = smoothing.apply(&train);
            let mut last: Option<PoissonGlm> = None;
            let mut penalties = selection.grid.penalties.clone();
            // From the strongest: each fit begins where the last one ended.
            penalties.sort_by(|a, b| b.total_cmp(a));
            for penalty in penalties {
                let model = coupling.fit(&inputs, &train, penalty, last.as_ref(), progress)?;
                let candidate = Self { task, smoothing, penalty, validation: None, model };
                let predicted = candidate.predict(&validation, &place);
                let score = bits_per_spike(&predicted.log_rates, &predicted.truth(&validation))?.pooled;
                let score = score.unwrap_or(f64::NEG_INFINITY);
                if best.is_none_or(|(found, ..)| score > found) {
                    best = Some((score, smoothing, penalty));
                }
                last = Some(candidate.model);
            }
        }
        let Some((score, smoothing, penalty)) = best else {
            let what = "the regression has no settings to try".to_owned();
            return Err(SpikeEvaluationError::Session { id: session.id.clone(), what });
        };
        let mut trials = [&session.split.train[..], &session.split.validation[..]].concat();
        trials.sort_unstable();
        let all = session.of(&trials);
        let model = coupling.fit(&smoothing.apply(&all), &all, penalty, None, progress)?;
        Ok(Self { task, smoothing, penalty, validation: score.is_finite().then_some(score), model })
    }

    /// The settings that were chosen, in words.
    pub fn note(&self) -> String {
        let score = self.validation.map(|score| format!(", validation {score:.4}")).unwrap_or_default();
        format!("{}, penalty {}{score}", self.smoothing, self.penalty)
    }

    /// Predicts what the task hides of these trials.
    pub(super) fn predict(&self, trials: &Binned, place: &Place) -> Predicted {
        let log_rates = match self.smoothing {
            Smoothing::History { tau_bins } => {
                self.model.forecast(&trials.of_bins(0..place.bins.start), tau_bins, place.bins.len())
            }
            Smoothing::Gaussian { .. } => self.model.log_rates(&self.smoothing.apply(trials)),
        };
        debug_assert!(self.task == Task::ForwardPrediction || place.bins.start == 0);
        Predicted { neurons: place.neurons.clone(), bins: place.bins.clone(), log_rates }
    }
}

/// What the future may be predicted from is only the past.
fn smoothing(task: Task, width: f64) -> Smoothing {
    match task {
        Task::ForwardPrediction => Smoothing::History { tau_bins: width },
        _ => Smoothing::Gaussian { sigma_bins: width },
    }
}

/// Who may predict whom.
struct Coupling {
    task: Task,
    regions: Vec<usize>,
    held_out: Vec<bool>,
    /// The neurons that are predicted.
    targets: Vec<usize>,
}

impl Coupling {
    fn new(session: &SpikeSession, task: Task, place: &Place) -> Self {
        let mut held_out = vec![false; session.counts.neurons()];
        session.held_out.iter().for_each(|&neuron| held_out[neuron] = true);
        Self { task, regions: session.region_labels().0, held_out, targets: place.neurons.clone() }
    }

    fn fit(
        &self,
        inputs: &Binned,
        counts: &Binned,
        penalty: f64,
        start: Option<&PoissonGlm>,
        progress: &Progress,
    ) -> Result<PoissonGlm, SpikeEvaluationError> {
        let coupled = |from: usize, to: usize| self.task.couples(from, self.targets[to], &self.regions, &self.held_out);
        Ok(PoissonGlm::fit(inputs, &counts.of_neurons(&self.targets), &coupled, penalty, start, progress)?)
    }
}
