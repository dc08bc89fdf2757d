//! What the animal did, read from latents and from spikes by linear decoders.
//!
//! Decoders learn from training and validation trials, their penalty and smoothing are chosen by cross-validation among
//! those, and what is reported is of test trials, which neither a network nor a decoder has seen.

use super::{Arm, Bits, NetworkArm, SpikeEvaluationError};
use crate::analysis::population::{Regression, RegressionError, ResponseTable, Ridge, decode_unseen};
use crate::analysis::spikes::Smoothing;
use crate::analysis::statistics::{Interval, IntervalMethod, Resampling, bootstrap_within};
use crate::data::spikes::SpikeSession;
use crate::job::Progress;
use crate::signals::Binned;

/// Stretches of a trial whose mean activity the choice is read from.
const STRETCHES: usize = 4;
/// Smoothings of spikes that are tried, standard deviations in bins; latents are smooth by themselves.
const SIGMAS_BINS: [f64; 4] = [0.0, 1.0, 2.0, 4.0];
/// Name of the source that is no network.
const SPIKES: &str = "spikes";
/// Times that the test trials are drawn again for an interval.
const RESAMPLES: usize = 1000;

/// What an animal did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behavior {
    /// Left or right.
    Choice,
    /// Speed of the wheel in every bin.
    Wheel,
    /// Motion energy of the whiskers in every bin.
    Whisker,
}

impl Behavior {
    /// All.
    pub const ALL: [Self; 3] = [Self::Choice, Self::Wheel, Self::Whisker];

    /// Name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Choice => "choice",
            Self::Wheel => "wheel",
            Self::Whisker => "whisker",
        }
    }

    /// Name in figures.
    pub fn label(self) -> &'static str {
        match self {
            Self::Choice => "Choice",
            Self::Wheel => "Wheel",
            Self::Whisker => "Whiskers",
        }
    }

    /// What the number is.
    pub fn measure(self) -> &'static str {
        match self {
            Self::Choice => "accuracy",
            Self::Wheel | Self::Whisker => "r2",
        }
    }
}

/// A behaviour as one source tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// What was decoded.
    pub behavior: Behavior,
    /// From what: "spikes", or the name of a network, whose latents they are.
    pub source: String,
    /// Accuracy, the mean over both choices, or R² over all bins; of the test trials, with the 95 % interval over them.
    pub value: Bits,
    /// What guessing reaches.
    pub chance: f64,
    /// Trials that were learned from, and that were tested.
    pub trials: (usize, usize),
    /// Settings that cross-validation chose, in words.
    pub note: String,
}

impl Decoded {
    /// From what, in words: "spikes", or "latents of" a network.
    pub fn origin(&self) -> String {
        if self.source == SPIKES { SPIKES.to_owned() } else { format!("latents of {}", self.source) }
    }
}

/// All behaviours of a session.
#[derive(Debug, Clone, PartialEq)]
pub struct BehaviorDecoding {
    /// Name of the session.
    pub session: String,
    /// Whether the animal was simulated.
    pub simulated: bool,
    /// Seed of folds and intervals.
    pub seed: u64,
    /// Networks whose latents were decoded.
    pub arms: Vec<Arm>,
    /// Device of the networks, where the caller notes it; decoders are computed on the CPU.
    pub device: Option<String>,
    /// What came out, behaviour by behaviour.
    pub found: Vec<Decoded>,
}

impl BehaviorDecoding {
    /// Whose behaviour this is, in one line.
    pub fn notice(&self) -> String {
        format!("Session {}{}", self.session, if self.simulated { " (simulated)" } else { "" })
    }
}

/// Activity over time, under several settings to choose from.
struct Source {
    name: String,
    /// Everything `[trial, bin, feature]`, with the setting in words.
    variants: Vec<(Binned, String)>,
}

/// Decodes what the session has of choice, wheel and whiskers, from spikes and from the latents of every network.
///
/// # Errors
/// When the session has no behaviour, or too few trials, a network does not fit it, or the user asked to stop.
pub fn decode_behavior(
    session: &SpikeSession,
    networks: &[NetworkArm],
    seed: u64,
    progress: &Progress,
) -> Result<BehaviorDecoding, SpikeEvaluationError> {
    let refused = |what: &str| SpikeEvaluationError::Session { id: session.id.clone(), what: what.to_owned() };
    if session.split.test.is_empty() || session.split.train.is_empty() {
        return Err(refused("decoding needs training and test trials; name them in its file"));
    }
    let mut learn = [&session.split.train[..], &session.split.validation[..]].concat();
    learn.sort_unstable();
    let counts = session.counts.all();
    let mut sources = vec![Source {
        name: SPIKES.to_owned(),
        variants: SIGMAS_BINS
            .map(|sigma_bins| {
                let smoothing = Smoothing::Gaussian { sigma_bins };
                (smoothing.apply(&counts), smoothing.to_string())
            })
            .to_vec(),
    }];
    for network in networks {
        progress.check()?;
        let latents = network.latents(session, &counts)?;
        sources.push(Source { name: network.name.clone(), variants: vec![(latents, String::new())] });
    }
    let mut found = Vec::new();
    for behavior in Behavior::ALL {
        for source in &sources {
            progress.check()?;
            let decoded = match behavior {
                Behavior::Choice => session.choice.as_ref().map(|sides| choice(source, sides, &learn, session, seed)),
                Behavior::Wheel => {
                    session.wheel.as_ref().map(|trace| movement(behavior, source, trace, &learn, session, seed))
                }
                Behavior::Whisker => {
                    session.whisker.as_ref().map(|trace| movement(behavior, source, trace, &learn, session, seed))
                }
            };
            found.extend(decoded.transpose()?.flatten());
        }
    }
    if found.is_empty() {
        return Err(refused(
            "it has neither choice nor wheel nor whiskers that vary over its training and test trials",
        ));
    }
    Ok(BehaviorDecoding {
        session: session.id.clone(),
        simulated: session.simulated,
        seed,
        arms: networks.iter().map(NetworkArm::arm).collect(),
        device: None,
        found,
    })
}

fn resampling(seed: u64) -> Resampling {
    Resampling { resamples: RESAMPLES, method: IntervalMethod::Percentile, ..Resampling::seeded(seed) }
}

/// A quantity of test trials with its interval; `None` where it is undefined.
fn over_trials(trials: usize, seed: u64, quantity: impl Fn(&[usize]) -> Option<f64>) -> Option<Bits> {
    let value = quantity(&(0..trials).collect::<Vec<_>>())?;
    let interval = bootstrap_within(&[trials], |drawn| quantity(&drawn[0]), &resampling(seed));
    Some(Bits { value, interval: interval.ok().map(|Interval { low, high, .. }| (low, high)) })
}

/// Left or right, from the mean activity in stretches of the trial. `None` when only one of them occurs.
fn choice(
    source: &Source,
    sides: &[i8],
    learn: &[usize],
    session: &SpikeSession,
    seed: u64,
) -> Result<Option<Decoded>, SpikeEvaluationError> {
    let chosen = |trials: &[usize]| trials.iter().copied().filter(|&trial| sides[trial] != 0).collect::<Vec<usize>>();
    let (learn, test) = (chosen(learn), chosen(&session.split.test));
    let label = |&trial: &usize| usize::from(sides[trial] > 0);
    let labels: Vec<usize> = learn.iter().map(label).collect();
    let shown: Vec<usize> = test.iter().map(label).collect();
    let both = |labels: &[usize]| labels.contains(&0) && labels.contains(&1);
    if !(both(&labels) && both(&shown)) {
        return Ok(None);
    }
    // Stretches are means already: the smoothing that changes least is taken.
    let Some((activity, _)) = source.variants.first() else { return Ok(None) };
    let (Some(learned), Some(unseen)) = (stretches(activity, &learn), stretches(activity, &test)) else {
        return Ok(None);
    };
    let decoded = decode_unseen(&learned, &labels, &unseen)?;
    let accuracy = |drawn: &[usize]| {
        let share = |side: usize| {
            let of_side = || drawn.iter().filter(|&&index| shown[index] == side);
            let count = of_side().count();
            (count > 0).then(|| of_side().filter(|&&index| decoded[index] == side).count() as f64 / count as f64)
        };
        Some((share(0)? + share(1)?) / 2.0)
    };
    Ok(over_trials(test.len(), seed, accuracy).map(|value| Decoded {
        behavior: Behavior::Choice,
        source: source.name.clone(),
        value,
        chance: 0.5,
        trials: (learn.len(), test.len()),
        note: format!("{STRETCHES} stretches of the trial"),
    }))
}

/// Mean activity in stretches of some trials, `[trial, stretch and feature]`.
fn stretches(activity: &Binned, trials: &[usize]) -> Option<ResponseTable> {
    let [_, bins, features] = activity.shape();
    let count = STRETCHES.min(bins);
    let mut values = Vec::with_capacity(trials.len() * count * features);
    for &trial in trials {
        for stretch in 0..count {
            let (from, to) = (stretch * bins / count, (stretch + 1) * bins / count);
            let part = activity.of_trials(&[trial]).of_bins(from..to);
            values.extend(part.means());
        }
    }
    ResponseTable::new(trials.len(), count * features, values)
}

/// A movement in every bin, from the activity in the same bin. `None` when it does not vary.
fn movement(
    behavior: Behavior,
    source: &Source,
    trace: &[f32],
    learn: &[usize],
    session: &SpikeSession,
    seed: u64,
) -> Result<Option<Decoded>, SpikeEvaluationError> {
    let bins = session.counts.bins();
    let measured = |trials: &[usize]| -> Vec<(usize, usize)> {
        let all = trials.iter().flat_map(|&trial| (0..bins).map(move |bin| (trial, bin)));
        all.filter(|&(trial, bin)| trace[trial * bins + bin].is_finite()).collect()
    };
    let (learned, tested) = (measured(learn), measured(&session.split.test));
    let target = |&(trial, bin): &(usize, usize)| f64::from(trace[trial * bins + bin]);
    let targets: Vec<f64> = learned.iter().map(target).collect();
    let groups: Vec<usize> = learned.iter().map(|&(trial, _)| trial).collect();
    let ridge = Ridge::seeded(seed);
    let mut best: Option<(Regression, &Binned, &str)> = None;
    for (activity, note) in &source.variants {
        let Some(table) = rows(activity, &learned) else { return Ok(None) };
        let model = match Regression::learn(&table, &targets, &groups, &ridge) {
            Ok(model) => model,
            Err(RegressionError::Constant) => continue,
            Err(source) => return Err(SpikeEvaluationError::Movement { what: behavior.name(), source }),
        };
        if best.as_ref().is_none_or(|(found, ..)| model.cross_validated_r2 > found.cross_validated_r2) {
            best = Some((model, activity, note));
        }
    }
    let Some((model, activity, note)) = best else { return Ok(None) };
    // Sums over each test trial: count, Σ y, Σ y², Σ (y - ŷ)².
    let mut sums = vec![[0.0f64; 4]; session.split.test.len()];
    let place = |trial: usize| session.split.test.iter().position(|&other| other == trial);
    for at in &tested {
        let Some(index) = place(at.0) else { continue };
        let responses: Vec<f64> = activity.row(at.0, at.1).iter().map(|&value| f64::from(value)).collect();
        let (found, truth) = (model.predict(&responses), target(at));
        let terms = [1.0, truth, truth * truth, (truth - found).powi(2)];
        sums[index].iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
    }
    let r2 = |drawn: &[usize]| {
        let mut all = [0.0f64; 4];
        drawn.iter().for_each(|&index| all.iter_mut().zip(sums[index]).for_each(|(sum, term)| *sum += term));
        let [count, sum, squares, left] = all;
        let variance = squares - sum * sum / count.max(1.0);
        (variance > 1e-12 * squares).then(|| 1.0 - left / variance)
    };
    let settings = format!("penalty {:e}, cross-validated {:.4}", model.penalty, model.cross_validated_r2);
    Ok(over_trials(sums.len(), seed, r2).map(|value| Decoded {
        behavior,
        source: source.name.clone(),
        value,
        chance: 0.0,
        trials: (learn.len(), sums.len()),
        note: if note.is_empty() { settings } else { format!("{note}, {settings}") },
    }))
}

/// The activity in some bins as observations.
fn rows(activity: &Binned, places: &[(usize, usize)]) -> Option<ResponseTable> {
    let row = |&(trial, bin): &(usize, usize)| activity.row(trial, bin).iter().map(|&value| f64::from(value));
    ResponseTable::new(places.len(), activity.neurons(), places.iter().flat_map(row).collect())
}
