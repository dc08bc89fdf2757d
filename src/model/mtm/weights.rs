//! All weights of a network in memory, with what they mean.

use std::collections::BTreeSet;

use super::config::{MOST_WEIGHTS, MtmConfig};
use super::error::MtmError;
use super::parameters::{Entry, SessionInfo, entries, session_entries, session_weights, shared_entries};
use crate::model::weights::{NamedTensor, StateDict, WeightError};

/// Most sessions of a network, far above every published set.
pub(super) const MOST_SESSIONS: usize = 1 << 14;
/// Longest name of a session, characters.
const LONGEST_NAME: usize = 200;
/// Mean counts in a bin below this count as this: the logarithm of a silent neuron's mean must be finite.
const LEAST_MEAN: f64 = 1e-4;

/// A complete, checked network: sizes, sessions and every weight.
#[derive(Debug, Clone, PartialEq)]
pub struct MtmWeights {
    config: MtmConfig,
    sessions: Vec<SessionInfo>,
    state: StateDict,
    /// What else is known of it, such as where it comes from; kept as it is.
    pub about: toml::Table,
}

impl MtmWeights {
    /// An untrained network without sessions: every number is a function of the seed and its place.
    ///
    /// # Errors
    /// When the sizes are impossible.
    pub fn initial(config: &MtmConfig, seed: u64) -> Result<Self, MtmError> {
        config.check()?;
        let mut state = StateDict::default();
        start(&mut state, shared_entries(config), seed, &[]);
        Ok(Self { config: config.clone(), sessions: Vec::new(), state, about: toml::Table::new() })
    }

    /// A network from its parts, strictly checked.
    ///
    /// # Errors
    /// When the state dict is not exactly that of these sizes and sessions, or a number is not finite.
    pub fn new(config: MtmConfig, sessions: Vec<SessionInfo>, state: StateDict) -> Result<Self, MtmError> {
        Self::checked(config, sessions, state, toml::Table::new(), "the network in memory")
    }

    /// The same, with the file that errors name.
    pub(super) fn checked(
        config: MtmConfig,
        sessions: Vec<SessionInfo>,
        state: StateDict,
        about: toml::Table,
        file: &str,
    ) -> Result<Self, MtmError> {
        config.check()?;
        check_sessions(&config, &sessions)?;
        check_state(&entries(&config, &sessions), &state, file)?;
        Ok(Self { config, sessions, state, about })
    }

    /// Adds untrained weights for a new session, which predict every neuron's mean; everything else stays.
    /// `mean_counts` are per bin, of the training trials.
    ///
    /// # Errors
    /// When there is such a session already, its name or number of neurons cannot be, or a mean is no count.
    pub fn add_session(&mut self, id: &str, mean_counts: &[f64], seed: u64) -> Result<(), MtmError> {
        let refused = |what: String| MtmError::NewSession { id: id.escape_debug().take(80).collect(), what };
        if let Some(neuron) = mean_counts.iter().position(|mean| !(mean.is_finite() && *mean >= 0.0)) {
            return Err(refused(format!("the mean count of neuron {neuron} is {}", mean_counts[neuron])));
        }
        let session = SessionInfo { id: id.to_owned(), neurons: mean_counts.len() };
        let mut sessions = self.sessions.clone();
        sessions.push(session.clone());
        check_sessions(&self.config, &sessions)?;
        let log_means: Vec<f32> = mean_counts.iter().map(|mean| mean.max(LEAST_MEAN).ln() as f32).collect();
        start(&mut self.state, session_entries(&self.config, &session), seed, &log_means);
        self.sessions = sessions;
        Ok(())
    }

    /// Forgets a session; `false` when there was none of that name.
    pub fn remove_session(&mut self, id: &str) -> bool {
        let Some(index) = self.sessions.iter().position(|session| session.id == id) else { return false };
        for entry in session_entries(&self.config, &self.sessions.remove(index)) {
            self.state.tensors.remove(&entry.key);
        }
        true
    }

    /// Sizes.
    pub fn config(&self) -> &MtmConfig {
        &self.config
    }

    /// The sessions that have weights, in the order they were added.
    pub fn sessions(&self) -> &[SessionInfo] {
        &self.sessions
    }

    /// Every weight by its name.
    pub fn state(&self) -> &StateDict {
        &self.state
    }
}

fn start(state: &mut StateDict, entries: Vec<Entry>, seed: u64, log_means: &[f32]) {
    for entry in entries {
        let values = entry.start_values(seed, log_means);
        state.tensors.insert(entry.key, NamedTensor { shape: entry.shape, values });
    }
}

/// Fails when a name or a size of a session cannot be, or all together are too many.
pub(super) fn check_sessions(config: &MtmConfig, sessions: &[SessionInfo]) -> Result<(), MtmError> {
    let mut names = BTreeSet::new();
    let mut weights = 0usize;
    for (count, session) in sessions.iter().enumerate() {
        let refused =
            |what: String| Err(MtmError::NewSession { id: session.id.escape_debug().take(80).collect(), what });
        if session.id.is_empty()
            || session.id.chars().count() > LONGEST_NAME
            || session.id.chars().any(char::is_control)
        {
            return refused(format!("its name must have between 1 and {LONGEST_NAME} printable characters"));
        }
        if !names.insert(&session.id) {
            return refused("there is one of that name already".to_owned());
        }
        if count >= MOST_SESSIONS {
            return refused(format!("a network has at most {MOST_SESSIONS} sessions"));
        }
        let more = session_weights(config, session).filter(|_| session.neurons > 0);
        match more.and_then(|more| weights.checked_add(more)).filter(|&sum| sum <= MOST_WEIGHTS) {
            Some(sum) => weights = sum,
            None => {
                let what =
                    format!("{} neurons are none, or more than {MOST_WEIGHTS} weights can serve", session.neurons);
                return refused(what);
            }
        }
    }
    Ok(())
}

/// Fails unless the tensors are exactly those of the table: none missing, none left over, every shape, finite numbers.
fn check_state(table: &[Entry], state: &StateDict, file: &str) -> Result<(), WeightError> {
    let file = || file.to_owned();
    let mut missing = table.iter().filter(|entry| !state.tensors.contains_key(&entry.key));
    if let Some(first) = missing.next() {
        let expected = format!("float32 of the shape {:?}", first.shape);
        return Err(WeightError::Missing { file: file(), key: first.key.clone(), expected, others: missing.count() });
    }
    let known: BTreeSet<&str> = table.iter().map(|entry| entry.key.as_str()).collect();
    let mut unused = state.tensors.keys().filter(|key| !known.contains(key.as_str()));
    if let Some(first) = unused.next() {
        let key = first.escape_debug().take(80).collect();
        return Err(WeightError::Unused { file: file(), key, others: unused.count() });
    }
    for entry in table {
        let tensor = &state.tensors[&entry.key];
        let key = entry.key.clone();
        if tensor.shape != entry.shape || tensor.values.len() != entry.len() {
            let (found, expected) = (tensor.shape.clone(), format!("{:?}", entry.shape));
            return Err(WeightError::Shape { file: file(), key, found, expected });
        }
        if let Some(index) = tensor.values.iter().position(|value| !value.is_finite()) {
            return Err(WeightError::NotFinite { file: file(), key, index, value: tensor.values[index] });
        }
    }
    Ok(())
}
