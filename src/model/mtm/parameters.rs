//! The table of all weights: names, shapes and start values.
//!
//! Names are `prompt`, `position`, `expand.weight`, `layers.0.qkv.bias` and so on; a session has
//! `stitch_in.<id>.weight`, `stitch_out.<id>.weight`, their biases, and `session.<id>`. Weights of a linear layer are
//! `[output, input]`; the rows of `qkv` are queries, keys and values, each with its heads one after the other.

use serde::{Deserialize, Serialize};

use super::chance::{Topic, normal, sub_seed, uniform};
use super::config::MtmConfig;
use super::error::MtmError;
use super::masking::Scheme;

/// A session that the network has weights for. Sessions are told apart by name: two of equal size are still two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionInfo {
    /// Its name.
    pub id: String,
    /// Number of its neurons.
    pub neurons: usize,
}

impl SessionInfo {
    /// Fails unless spikes `[trial, bin, neuron]` can be of this session.
    pub(super) fn check(&self, [_, bins, neurons]: [usize; 3], config: &MtmConfig) -> Result<(), MtmError> {
        if neurons != self.neurons {
            return Err(MtmError::Neurons { id: self.id.clone(), found: neurons, expected: self.neurons });
        }
        if bins == 0 || bins > config.bins {
            return Err(MtmError::Bins { found: bins, most: config.bins });
        }
        Ok(())
    }
}

/// Where training starts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Start {
    /// Normal with a standard deviation of 0.02.
    Table,
    /// Uniform in ±`bound`.
    Uniform {
        /// Largest size.
        bound: f64,
    },
    /// The same everywhere.
    Constant(f32),
    /// The logarithm of every neuron's mean count in a bin.
    LogMean,
}

/// One tensor of the network.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its name.
    pub key: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its start.
    pub start: Start,
}

/// Standard deviation of the tables of prompts, positions and sessions before training.
const TABLE_DEVIATION: f64 = 0.02;
/// The readout begins with weights this much smaller than those of other layers: near the mean rates.
const READOUT_SCALE: f64 = 0.1;

impl Entry {
    /// Number of values.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it has no values, which never happens in a checked configuration.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Values before training: a function of the seed, the name and the place alone, so that a session starts the same
    /// whatever other sessions there are. `log_means` are those of the session's neurons.
    pub(super) fn start_values(&self, seed: u64, log_means: &[f32]) -> Vec<f32> {
        let seed = self
            .key
            .bytes()
            .fold(sub_seed(seed, Topic::Weights, 0), |seed, byte| sub_seed(seed, Topic::Weights, u32::from(byte)));
        let places = 0..self.len() as u64;
        match self.start {
            Start::Table => places.map(|i| (TABLE_DEVIATION * normal(seed, i)) as f32).collect(),
            Start::Uniform { bound } => places.map(|i| (bound * (2.0 * uniform(seed, i) - 1.0)) as f32).collect(),
            Start::Constant(value) => vec![value; self.len()],
            Start::LogMean => log_means.to_vec(),
        }
    }
}

fn linear(name: &str, inputs: usize, outputs: usize) -> [Entry; 2] {
    let start = Start::Uniform { bound: (inputs as f64).sqrt().recip() };
    let entry = |part: &str, shape| Entry { key: format!("{name}.{part}"), shape, start };
    [entry("weight", vec![outputs, inputs]), entry("bias", vec![outputs])]
}

fn norm(name: &str, width: usize) -> [Entry; 2] {
    [("weight", 1.0), ("bias", 0.0)].map(|(part, value)| Entry {
        key: format!("{name}.{part}"),
        shape: vec![width],
        start: Start::Constant(value),
    })
}

/// Weights that all sessions share.
pub(super) fn shared_entries(config: &MtmConfig) -> Vec<Entry> {
    let width = config.width;
    let table = |key: &str, rows| Entry { key: key.to_owned(), shape: vec![rows, width], start: Start::Table };
    let mut entries = vec![table("prompt", Scheme::ALL.len()), table("position", config.bins)];
    entries.extend(linear("expand", config.stitch, config.expand));
    entries.extend(linear("project", config.expand, width));
    for layer in 0..config.layers {
        let name = |part: &str| format!("layers.{layer}.{part}");
        entries.extend(norm(&name("norm1"), width));
        entries.extend(norm(&name("norm2"), width));
        entries.extend(linear(&name("qkv"), width, 3 * width));
        entries.extend(linear(&name("out"), width, width));
        entries.extend(linear(&name("up"), width, config.feedforward));
        entries.extend(linear(&name("down"), config.feedforward, width));
    }
    entries.extend(norm("norm", width));
    entries
}

/// Weights of one session.
pub(super) fn session_entries(config: &MtmConfig, session: &SessionInfo) -> Vec<Entry> {
    let SessionInfo { id, neurons } = session;
    let mut entries = linear(&format!("stitch_in.{id}"), *neurons, config.stitch).to_vec();
    let [mut weight, mut bias] = linear(&format!("stitch_out.{id}"), config.width, *neurons);
    weight.start = Start::Uniform { bound: READOUT_SCALE * (config.width as f64).sqrt().recip() };
    bias.start = Start::LogMean;
    let token = Entry { key: format!("session.{id}"), shape: vec![config.width], start: Start::Table };
    entries.extend([weight, bias, token]);
    entries
}

/// All weights of a network with these sessions.
pub fn entries(config: &MtmConfig, sessions: &[SessionInfo]) -> Vec<Entry> {
    let mut entries = shared_entries(config);
    entries.extend(sessions.iter().flat_map(|session| session_entries(config, session)));
    entries
}

/// Number of shared weights; `None` when they cannot be counted. Every size is taken to be at most 2^14.
pub(super) fn shared_weights(config: &MtmConfig) -> Option<usize> {
    shared_entries(config).iter().try_fold(0usize, |sum, entry| {
        let len = entry.shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size))?;
        sum.checked_add(len)
    })
}

/// Number of weights of a session; `None` when they cannot be counted.
pub(super) fn session_weights(config: &MtmConfig, session: &SessionInfo) -> Option<usize> {
    let columns = config.stitch.checked_add(config.width)?.checked_add(1)?;
    session.neurons.checked_mul(columns)?.checked_add(config.stitch)?.checked_add(config.width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_network_has_its_size() {
        // Counted by hand for one session of 200 neurons: tables, embedding, five layers, norm.
        let (w, s, e, f, n) = (512, 668, 1336, 1024, 200);
        let layer = 4 * w + (3 * w * w + 3 * w) + (w * w + w) + (f * w + f) + (w * f + w);
        let shared = 5 * w + 100 * w + (e * s + e) + (w * e + w) + 5 * layer + 2 * w;
        let session = (s * n + s) + (n * w + n) + w;
        let info = SessionInfo { id: "a".to_owned(), neurons: n };
        let config = MtmConfig::mtm_ndt1();
        let found: usize = entries(&config, std::slice::from_ref(&info)).iter().map(Entry::len).sum();
        assert_eq!(found, shared + session);
        assert_eq!((shared_weights(&config), session_weights(&config, &info)), (Some(shared), Some(session)));
    }

    #[test]
    fn a_session_starts_the_same_whatever_other_sessions_there_are() {
        let entry = |id: &str| session_entries(&MtmConfig::small(), &SessionInfo { id: id.to_owned(), neurons: 3 });
        let values = |id: &str, seed| entry(id)[0].start_values(seed, &[]);
        assert_eq!(values("a", 1), values("a", 1));
        assert_ne!(values("a", 1), values("b", 1), "two sessions of equal size are two");
        assert_ne!(values("a", 1), values("a", 1 | 1 << 63), "the highest bit of the seed counts");
    }
}
