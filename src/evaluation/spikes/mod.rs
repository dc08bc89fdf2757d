//! How well the activity of neurons is predicted that were hidden: held-out neurons, the future, and other regions, in
//! bits per spike, with baselines in the same table.
//!
//! What predicts is a masked transformer with its prompts, the mean response (PSTH), a Poisson regression that is tuned
//! on validation trials, or the true rates of a simulated animal. All predict the same counts of the same test trials.

mod behavior;
mod error;
mod files;
mod glm;
mod network;
mod task;

pub use behavior::{Behavior, BehaviorDecoding, Decoded, decode_behavior};
pub use error::SpikeEvaluationError;
pub use glm::{GlmGrid, TunedGlm};
pub use network::{NetworkArm, trained_schemes};
pub use task::Task;

use crate::analysis::spikes::{BitsPerSpike, TrialScores, psth, single_trial_r2, trial_average_r2};
use crate::analysis::statistics::{Interval, IntervalMethod, Resampling, bootstrap_within};
use crate::data::spikes::SpikeSession;
use crate::job::Progress;
use crate::model::mtm::Predicted;
use crate::signals::Binned;

/// Smoothing of the mean response, bins: that of the benchmark (Pei et al. 2021 smooth likewise).
const PSTH_SIGMA_BINS: f64 = 2.0;
/// Smallest expected count whose logarithm is taken.
const FLOOR: f32 = 1e-6;

/// What is evaluated, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct SpikeSelection {
    /// Tasks; those that the session does not allow are left out.
    pub tasks: Vec<Task>,
    /// Share of the bins of a trial that forward prediction hides.
    pub forward_fraction: f64,
    /// Whether the mean response and the tuned regression stand in the table.
    pub baselines: bool,
    /// What the regression is tuned over.
    pub grid: GlmGrid,
    /// Share of the training trials that tune the regression, of sessions that come without validation trials.
    pub validation_share: f64,
    /// Times that the trials are drawn again for an interval.
    pub resamples: usize,
    /// Seed of the intervals and of drawn validation trials.
    pub seed: u64,
}

impl Default for SpikeSelection {
    fn default() -> Self {
        Self {
            tasks: Task::ALL.to_vec(),
            forward_fraction: 0.1,
            baselines: true,
            grid: GlmGrid::default(),
            validation_share: 0.15,
            resamples: 1000,
            seed: 1,
        }
    }
}

/// Predictions beside the recorded test trials of one session.
#[derive(Debug, Clone, PartialEq)]
pub struct SpikeEvaluation {
    /// Name of the session.
    pub session: String,
    /// Whether the animal was simulated.
    pub simulated: bool,
    /// Test trials.
    pub trials: usize,
    /// Length of a bin, seconds.
    pub bin_secs: f64,
    /// Start of the first bin, seconds after the event.
    pub first_bin_secs: f64,
    /// Where each neuron lies, `[neuron]`.
    pub regions: Vec<String>,
    /// What was evaluated.
    pub selection: SpikeSelection,
    /// Who predicted, in order.
    pub arms: Vec<Arm>,
    /// Device of the networks, where the caller notes it; baselines are computed on the CPU.
    pub device: Option<String>,
    /// What came out, task by task, the arms in their order.
    pub scores: Vec<TaskScore>,
    /// One prediction of the first arm, to be looked at.
    pub example: Option<Example>,
}

/// Who predicted.
#[derive(Debug, Clone, PartialEq)]
pub struct Arm {
    /// Name in tables and figures.
    pub name: String,
    /// How it learned, such as "MtM" or "temporal masking": alike for networks that differ in their animals alone.
    pub kind: String,
    /// Animals that a network had learned from before it met this one; `None` for what is no network.
    pub pretrained_animals: Option<usize>,
    /// Whether it is a baseline, or the truth.
    pub is_baseline: bool,
    /// SHA-256 of a network's file.
    pub sha256: Option<String>,
}

/// How well one arm did one task.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskScore {
    /// Which task.
    pub task: Task,
    /// Who predicted.
    pub arm: String,
    /// Settings that were chosen on validation trials, or the prompts, in words.
    pub note: String,
    /// The neurons that were predicted, ascending.
    pub neurons: Vec<usize>,
    /// Spikes of each of them in what was predicted.
    pub spikes: Vec<f64>,
    /// Bits per spike.
    pub bits: BitsPerSpike,
    /// R² of the rates averaged over trials, `[neuron]`.
    pub r2_average: Vec<Option<f64>>,
    /// R² of the rates of single trials, `[neuron]`.
    pub r2_single: Vec<Option<f64>>,
    /// All neurons first, then each region with any, by name.
    pub regions: Vec<RegionScore>,
}

/// Bits per spike of the neurons of a region.
#[derive(Debug, Clone, PartialEq)]
pub struct RegionScore {
    /// Its name; [`RegionScore::ALL`] for all neurons.
    pub region: String,
    /// Neurons.
    pub neurons: usize,
    /// Neurons without a spike, which the mean leaves out.
    pub silent: usize,
    /// All neurons together, with the 95 % interval over trials; `None` without a spike.
    pub pooled: Option<Bits>,
    /// Mean over the neurons that have spikes, with the same.
    pub mean: Option<Bits>,
}

impl RegionScore {
    /// Name of all regions together.
    pub const ALL: &str = "all";
}

/// Bits per spike with the 95 % interval of a bootstrap over trials; `None` of a single trial.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bits {
    /// Of the trials as they are.
    pub value: f64,
    /// Where 95 % of redrawn trials put it.
    pub interval: Option<(f64, f64)>,
}

/// A prediction to be looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// Which task.
    pub task: Task,
    /// Who predicted.
    pub arm: String,
    /// The neurons, ascending.
    pub neurons: Vec<usize>,
    /// The test trial, by its number in the session.
    pub trial: usize,
    /// Its counts, one trial.
    pub counts: Binned,
    /// Its expected counts, one trial.
    pub rates: Binned,
    /// Counts averaged over all test trials, one trial.
    pub mean_counts: Binned,
    /// Expected counts averaged over them, one trial.
    pub mean_rates: Binned,
    /// Bits per spike of each neuron.
    pub bits: Vec<Option<f64>>,
}

impl TaskScore {
    /// Of all neurons.
    pub fn all(&self) -> &RegionScore {
        &self.regions[0]
    }

    /// Median over the neurons for which it is defined.
    pub fn median(values: &[Option<f64>]) -> Option<f64> {
        let mut known: Vec<f64> = values.iter().flatten().copied().collect();
        known.sort_by(f64::total_cmp);
        let n = known.len();
        (n > 0).then(|| (known[(n - 1) / 2] + known[n / 2]) / 2.0)
    }
}

impl SpikeEvaluation {
    /// Predicts the test trials of a session by every network, and by the baselines.
    ///
    /// # Errors
    /// When the session has no test trials, no task is possible, a network does not fit, or the user asked to stop.
    pub fn of(
        session: &SpikeSession,
        networks: &[NetworkArm],
        selection: &SpikeSelection,
        progress: &Progress,
        told: &mut dyn FnMut(&TaskScore),
    ) -> Result<Self, SpikeEvaluationError> {
        let session = with_validation(session, selection);
        let (tasks, test) = (possible(&session, selection)?, session.of(&session.split.test));
        let mut evaluation = Self {
            session: session.id.clone(),
            simulated: session.simulated,
            trials: test.trials(),
            bin_secs: session.bin_secs,
            first_bin_secs: session.first_bin_secs,
            regions: session.regions.clone(),
            selection: selection.clone(),
            arms: networks.iter().map(NetworkArm::arm).collect(),
            device: None,
            scores: Vec::new(),
            example: None,
        };
        let baseline = |name: &str| Arm {
            name: name.to_owned(),
            kind: name.to_owned(),
            pretrained_animals: None,
            is_baseline: true,
            sha256: None,
        };
        if selection.baselines {
            evaluation.arms.extend(["PSTH", "GLM"].map(baseline));
        }
        if selection.baselines && session.rates.is_some() {
            evaluation.arms.push(baseline("true rates"));
        }
        for task in tasks {
            for network in networks {
                let predicted = network.predict(&session, &test, task, selection, progress)?;
                let example = evaluation.example.is_none();
                evaluation.add(task, &network.name, network.prompt(task).to_string(), &predicted, &test, told)?;
                if example {
                    evaluation.show(&session, task, &network.name, &predicted, &test);
                }
            }
            if !selection.baselines {
                continue;
            }
            let place = task.place(&session, selection);
            evaluation.add(task, "PSTH", String::new(), &mean_response(&session, &place, &test), &test, told)?;
            let glm = TunedGlm::fit(&session, task, selection, progress)?;
            evaluation.add(task, "GLM", glm.note(), &glm.predict(&test, &place), &test, told)?;
            if let Some(rates) = &session.rates {
                let mut log_rates = rates.of_trials(&session.split.test);
                log_rates.values_mut().iter_mut().for_each(|rate| *rate = rate.max(FLOOR).ln());
                let predicted = place.of(&log_rates);
                evaluation.add(task, "true rates", String::new(), &predicted, &test, told)?;
            }
        }
        Ok(evaluation)
    }

    /// The score of an arm in a task.
    pub fn score(&self, arm: &str, task: Task) -> Option<&TaskScore> {
        self.scores.iter().find(|score| score.arm == arm && score.task == task)
    }

    /// The tasks that were done, in order.
    pub fn tasks(&self) -> Vec<Task> {
        Task::ALL.into_iter().filter(|&task| self.scores.iter().any(|score| score.task == task)).collect()
    }

    /// Whose spikes these are, in one line.
    pub fn notice(&self) -> String {
        let animal = if self.simulated { " (simulated)" } else { "" };
        format!("Session {}{animal}, {} test trials", self.session, self.trials)
    }

    fn add(
        &mut self,
        task: Task,
        arm: &str,
        note: String,
        predicted: &Predicted,
        test: &Binned,
        told: &mut dyn FnMut(&TaskScore),
    ) -> Result<(), SpikeEvaluationError> {
        let truth = predicted.truth(test);
        let scores = TrialScores::of(&predicted.log_rates, &truth)?;
        let labels: Vec<&str> = predicted.neurons.iter().map(|&neuron| self.regions[neuron].as_str()).collect();
        let names = std::collections::BTreeSet::from_iter(labels.iter().copied());
        let everyone = (0..labels.len()).collect::<Vec<_>>();
        let members = |name: &str| (0..labels.len()).filter(|&index| labels[index] == name).collect::<Vec<_>>();
        let how = Resampling {
            resamples: self.selection.resamples,
            method: IntervalMethod::Percentile,
            ..Resampling::seeded(self.selection.seed)
        };
        let mut regions = vec![region_score(RegionScore::ALL, &everyone, &scores, &how)];
        if names.len() > 1 {
            regions.extend(names.into_iter().map(|name| region_score(name, &members(name), &scores, &how)));
        }
        self.scores.push(TaskScore {
            task,
            arm: arm.to_owned(),
            note,
            neurons: predicted.neurons.clone(),
            spikes: scores.spikes(),
            bits: scores.all(),
            r2_average: trial_average_r2(&predicted.log_rates, &truth)?,
            r2_single: single_trial_r2(&predicted.log_rates, &truth)?,
            regions,
        });
        told(self.scores.last().expect("just pushed"));
        Ok(())
    }

    /// Keeps the trial with the most spikes of a prediction.
    fn show(&mut self, session: &SpikeSession, task: Task, arm: &str, predicted: &Predicted, test: &Binned) {
        let counts = predicted.truth(test);
        let sum =
            |trial: &usize| counts.of_trials(&[*trial]).values().iter().map(|&count| f64::from(count)).sum::<f64>();
        let Some(most) = (0..counts.trials()).max_by(|a, b| sum(a).total_cmp(&sum(b))) else { return };
        let mut rates = predicted.log_rates.clone();
        rates.values_mut().iter_mut().for_each(|rate| *rate = rate.exp());
        self.example = Some(Example {
            task,
            arm: arm.to_owned(),
            neurons: predicted.neurons.clone(),
            trial: session.split.test[most],
            mean_counts: counts.trial_mean(),
            mean_rates: rates.trial_mean(),
            counts: counts.of_trials(&[most]),
            rates: rates.of_trials(&[most]),
            bits: self.scores.last().map(|score| score.bits.per_neuron.clone()).unwrap_or_default(),
        });
    }
}

/// The session with validation trials, drawn where it has none.
fn with_validation(session: &SpikeSession, selection: &SpikeSelection) -> SpikeSession {
    let mut session = session.clone();
    if session.split.validation.is_empty() {
        session.draw_validation(selection.validation_share, selection.seed);
    }
    session
}

/// The tasks that the session allows.
fn possible(session: &SpikeSession, selection: &SpikeSelection) -> Result<Vec<Task>, SpikeEvaluationError> {
    let refused = |what: &str| Err(SpikeEvaluationError::Session { id: session.id.clone(), what: what.to_owned() });
    if session.split.test.is_empty() {
        return refused("it has no test trials; name some in `test_trials` of its file");
    }
    let learns = !session.split.train.is_empty() && !session.split.validation.is_empty();
    if selection.baselines && !learns {
        return refused("baselines need training and validation trials; it has none left of one of them");
    }
    let tasks: Vec<Task> =
        Task::ALL.into_iter().filter(|task| selection.tasks.contains(task) && task.fits(session)).collect();
    if tasks.is_empty() {
        return refused(
            "it allows none of the tasks: regions need two names at least, and held-out neurons must be named",
        );
    }
    let bins = session.counts.bins() as f64;
    let hidden = (selection.forward_fraction * bins).round();
    if tasks.contains(&Task::ForwardPrediction) && !(hidden >= 1.0 && hidden < bins) {
        return refused("forward prediction would hide nothing or everything; choose another share of the bins");
    }
    Ok(tasks)
}

/// The smoothed mean of all trials that are not for tests.
fn mean_response(session: &SpikeSession, place: &task::Place, test: &Binned) -> Predicted {
    let mut trials = [&session.split.train[..], &session.split.validation[..]].concat();
    trials.sort_unstable();
    place.of(&psth(&session.of(&trials), PSTH_SIGMA_BINS, test.trials()))
}

fn region_score(name: &str, neurons: &[usize], scores: &TrialScores, how: &Resampling) -> RegionScore {
    let trials: Vec<usize> = (0..scores.trials()).collect();
    let (found, means) = (scores.score(&trials, neurons), scores.means(&trials));
    let interval = |quantity: &dyn Fn(&BitsPerSpike) -> Option<f64>| {
        let drawn = |drawn: &[Vec<usize>]| quantity(&scores.score_against(&drawn[0], neurons, &means));
        bootstrap_within(&[scores.trials()], drawn, how).ok().map(|Interval { low, high, .. }| (low, high))
    };
    let bits = |quantity: &dyn Fn(&BitsPerSpike) -> Option<f64>| {
        quantity(&found).map(|value| Bits { value, interval: interval(quantity) })
    };
    RegionScore {
        region: name.to_owned(),
        neurons: neurons.len(),
        silent: found.silent(),
        pooled: bits(&|bits| bits.pooled),
        mean: bits(&BitsPerSpike::mean),
    }
}
