//! Where which weights lie.

use crate::model::mtm::config::MtmConfig;
use crate::model::mtm::parameters::{SessionInfo, entries};
use crate::model::weights::StateDict;

/// One tensor.
#[derive(Debug, Clone)]
pub(super) struct Parameter {
    pub key: String,
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
    /// Whether training changes it.
    pub is_trained: bool,
}

/// Index of a weight and of its bias.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair {
    pub weight: usize,
    pub bias: usize,
}

/// One layer of the transformer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layer {
    pub norm1: Pair,
    pub norm2: Pair,
    pub qkv: Pair,
    pub out: Pair,
    pub up: Pair,
    pub down: Pair,
}

/// Weights of a session.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub info: SessionInfo,
    pub stitch_in: Pair,
    pub stitch_out: Pair,
    pub token: usize,
}

/// Indices of all weights.
#[derive(Debug, Clone)]
pub(super) struct Places {
    pub prompt: usize,
    pub position: usize,
    pub expand: Pair,
    pub project: Pair,
    pub layers: Vec<Layer>,
    pub norm: Pair,
    pub sessions: Vec<Session>,
}

/// All weights, from a state dict that was checked against the table of entries.
pub(super) fn parameters(config: &MtmConfig, sessions: &[SessionInfo], state: &StateDict) -> (Vec<Parameter>, Places) {
    let parameters: Vec<Parameter> = entries(config, sessions)
        .into_iter()
        .map(|entry| {
            let values = state.values(&entry.key).to_vec();
            Parameter { key: entry.key, shape: entry.shape, values, is_trained: true }
        })
        .collect();
    let index_by_key: std::collections::BTreeMap<&str, usize> =
        parameters.iter().enumerate().map(|(index, parameter)| (parameter.key.as_str(), index)).collect();
    let place = |key: &str| index_by_key[key];
    let pair = |name: &str| Pair { weight: place(&format!("{name}.weight")), bias: place(&format!("{name}.bias")) };
    let layer = |index: usize| {
        let pair = |part: &str| pair(&format!("layers.{index}.{part}"));
        Layer {
            norm1: pair("norm1"),
            norm2: pair("norm2"),
            qkv: pair("qkv"),
            out: pair("out"),
            up: pair("up"),
            down: pair("down"),
        }
    };
    let session = |info: &SessionInfo| Session {
        info: info.clone(),
        stitch_in: pair(&format!("stitch_in.{}", info.id)),
        stitch_out: pair(&format!("stitch_out.{}", info.id)),
        token: place(&format!("session.{}", info.id)),
    };
    let places = Places {
        prompt: place("prompt"),
        position: place("position"),
        expand: pair("expand"),
        project: pair("project"),
        layers: (0..config.layers).map(layer).collect(),
        norm: pair("norm"),
        sessions: sessions.iter().map(session).collect(),
    };
    (parameters, places)
}
