//! The pass whose gradient nobody asks for, from the counts of a few trials to their log-rates.
//!
//! Beside the pass of training it drops nothing, keeps nothing, and multiplies by weights that were packed for it.
//! Between the counts and the nonlinearity lie two linear maps, `stitch_in` and `expand`: they are multiplied with each
//! other where a row then costs less.

use std::sync::OnceLock;

use rayon::prelude::*;

use super::attention::Attention;
use super::dense::Dense;
use super::parameters::{Layer, Pair, Parameter, Places, Session};
use super::product::{Matrix, Start, product};
use super::room::Sizes;
use super::rows::{gelu_alone, norm, softsign};
use crate::model::mtm::masking::Scheme;

/// The weights as this pass reads them.
#[derive(Debug)]
pub(super) struct Packed {
    project: Dense,
    layers: Vec<PackedLayer>,
    /// Of each session, made when it is first asked for.
    sessions: Vec<OnceLock<Ends>>,
}

#[derive(Debug)]
struct PackedLayer {
    qkv: Dense,
    out: Dense,
    up: Dense,
    down: Dense,
}

/// What is a session's own.
#[derive(Debug)]
struct Ends {
    /// From counts to `expand`, without the bias, in one step or two.
    entrance: Vec<Dense>,
    /// What is added before the nonlinearity.
    bias: Vec<f32>,
    out: Dense,
}

/// The memory of a task.
#[derive(Debug, Default)]
pub(super) struct TaskRoom {
    stitched: Vec<f32>,
    expanded: Vec<f32>,
    /// `[trial, place, width]`, as what lies between the layers is.
    x: Vec<f32>,
    normed: Vec<f32>,
    moments: Vec<[f32; 2]>,
    qkv: Vec<f32>,
    /// Attention weights of one head.
    weights: Vec<f32>,
    attended: Vec<f32>,
    hidden: Vec<f32>,
}

impl TaskRoom {
    fn fit(&mut self, sizes: &Sizes) {
        let (bins, rows) = (sizes.embedded(), sizes.rows());
        self.stitched.resize(bins * sizes.stitch, 0.0);
        self.expanded.resize(bins * sizes.expand, 0.0);
        for wide in [&mut self.x, &mut self.normed, &mut self.attended] {
            wide.resize(rows * sizes.width, 0.0);
        }
        self.moments.resize(rows, [0.0; 2]);
        self.qkv.resize(rows * 3 * sizes.width, 0.0);
        self.weights.resize(sizes.scores(), 0.0);
        self.hidden.resize(rows * sizes.feedforward, 0.0);
    }
}

/// A bias of `qkv` without that of the keys. It adds the same to all scores of a query, which softmax ignores: without
/// it nothing changes but its gradient, which is exactly 0 instead of rounding that an optimizer would magnify.
pub(super) fn without_keys(qkv_bias: &[f32]) -> Vec<f32> {
    let width = qkv_bias.len() / 3;
    let mut bias = qkv_bias.to_vec();
    bias[width..2 * width].fill(0.0);
    bias
}

fn packed(parameters: &[Parameter], pair: Pair) -> Dense {
    let [weight, bias] = [pair.weight, pair.bias].map(|index| &parameters[index].values[..]);
    Dense::new(weight, bias.len(), Some(bias))
}

impl Packed {
    pub fn new(parameters: &[Parameter], places: &Places) -> Self {
        let layer = |&Layer { qkv, out, up, down, .. }: &Layer| {
            let bias = without_keys(&parameters[qkv.bias].values);
            let qkv = || Dense::new(&parameters[qkv.weight].values, bias.len(), Some(&bias));
            let ((qkv, out), (up, down)) = rayon::join(
                || rayon::join(qkv, || packed(parameters, out)),
                || rayon::join(|| packed(parameters, up), || packed(parameters, down)),
            );
            PackedLayer { qkv, out, up, down }
        };
        Self {
            layers: places.layers.par_iter().map(layer).collect(),
            project: packed(parameters, places.project),
            sessions: places.sessions.iter().map(|_| OnceLock::new()).collect(),
        }
    }
}

impl Ends {
    fn new(parameters: &[Parameter], places: &Places, session: &Session) -> Self {
        let values = |index: usize| &parameters[index].values[..];
        let (up, up_bias) = (values(places.expand.weight), values(places.expand.bias));
        let (neurons, expand) = (session.info.neurons, up_bias.len());
        let stitch = up.len() / expand;
        let out = packed(parameters, session.stitch_out);
        if neurons * expand >= stitch * (neurons + expand) {
            let entrance = vec![packed(parameters, session.stitch_in), Dense::new(up, expand, None)];
            return Self { entrance, bias: up_bias.to_vec(), out };
        }
        let mut folded = vec![0.0; expand * neurons];
        let both = folded.par_chunks_mut(16 * neurons).zip(up.par_chunks(16 * stitch));
        both.for_each(|(folded, up)| {
            let into = Matrix::rows(values(session.stitch_in.weight), neurons);
            product(folded, neurons, Matrix::rows(up, stitch), into, 1.0, Start::Zero);
        });
        let mut bias = up_bias.to_vec();
        let into = Matrix::rows(values(session.stitch_in.bias), 1);
        product(&mut bias, 1, Matrix::rows(up, stitch), into, 1.0, Start::Result);
        Self { entrance: vec![Dense::new(&folded, expand, None)], bias, out }
    }
}

/// What the pass depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answering<'a> {
    parameters: &'a [Parameter],
    places: &'a Places,
    session: &'a Session,
    packed: &'a Packed,
    ends: &'a Ends,
    scheme: Scheme,
}

impl<'a> Answering<'a> {
    /// `session` is the index of one.
    pub fn new(
        parameters: &'a [Parameter],
        places: &'a Places,
        packed: &'a Packed,
        session: usize,
        scheme: Scheme,
    ) -> Self {
        let own = &places.sessions[session];
        let ends = packed.sessions[session].get_or_init(|| Ends::new(parameters, places, own));
        Self { parameters, places, session: own, packed, ends, scheme }
    }

    /// Log-rates `[trial, bin, neuron]` and latents `[trial, bin, width]` of counts `[trial, bin, neuron]`.
    pub fn task(&self, sizes: &Sizes, seen: &[f32], log_rates: &mut [f32], latents: &mut [f32], room: &mut TaskRoom) {
        let Sizes { bins, width, places, .. } = *sizes;
        let values = |index: usize| &self.parameters[index].values[..];
        let normalise = |pair: Pair, x: &[f32], y: &mut [f32], moments: &mut [[f32; 2]]| {
            norm(x, values(pair.weight), values(pair.bias), y, moments);
        };
        room.fit(sizes);
        let TaskRoom { stitched, expanded, x, normed, moments, qkv, weights, attended, hidden } = room;
        match &self.ends.entrance[..] {
            [into, up] => {
                into.apply(seen, stitched, Start::Zero);
                up.apply(stitched, expanded, Start::Zero);
            }
            folded => folded[0].apply(seen, expanded, Start::Zero),
        }
        softsign(expanded, &self.ends.bias);
        let of_trials = x.chunks_exact_mut(places * width).zip(expanded.chunks_exact(expanded.len() / sizes.trials));
        for (x, expanded) in of_trials {
            let (tokens, x) = x.split_at_mut(2 * width);
            tokens[..width].copy_from_slice(&values(self.places.prompt)[self.scheme.row() * width..][..width]);
            tokens[width..].copy_from_slice(values(self.session.token));
            x.copy_from_slice(&values(self.places.position)[..bins * width]);
            self.packed.project.apply(expanded, x, Start::Result);
        }
        let attention = Attention { sizes, is_causal: self.scheme.is_causal(), drop: None };
        for (layer, packed) in self.places.layers.iter().zip(&self.packed.layers) {
            normalise(layer.norm1, x, normed, moments);
            packed.qkv.apply(normed, qkv, Start::Zero);
            let of_trials = qkv.chunks_exact(places * 3 * width).zip(attended.chunks_exact_mut(places * width));
            for (qkv, attended) in of_trials {
                attention.forward(0, qkv, weights, attended, &mut [], &mut []);
            }
            packed.out.apply(attended, x, Start::Result);
            normalise(layer.norm2, x, normed, moments);
            packed.up.apply(normed, hidden, Start::Zero);
            gelu_alone(hidden);
            packed.down.apply(hidden, x, Start::Result);
        }
        for (x, latents) in x.chunks_exact(places * width).zip(latents.chunks_exact_mut(bins * width)) {
            normalise(self.places.norm, &x[2 * width..], latents, &mut moments[..bins]);
        }
        self.ends.out.apply(latents, log_rates, Start::Zero);
    }
}
