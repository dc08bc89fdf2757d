//! The gradient of the loss, by hand: back through the pass, trial by trial, and then each weight's, by its rows.

use rayon::prelude::*;

use super::drops::{Place, multipliers};
use super::forward::Pass;
use super::parameters::{Layer, Pair};
use super::product::{Matrix, Start, product};
use super::room::{BackRoom, LayerRoom, Room, Sizes};
use super::rows::{column_sums, gelu_back, norm_back, poisson, scaled, softsign_back};
use crate::model::mtm::masking::Mask;

/// Gradients by the index of their weights; those without one are empty.
#[derive(Debug, Default)]
pub(super) struct Gradients {
    pub values: Vec<Vec<f32>>,
    pub is_there: Vec<bool>,
}

/// Columns that are summed together.
const COLUMNS: usize = 128;
/// Rows of a weight are shared in multiples of this.
const TILE: usize = 16;

/// `y = x W` for `weight [output, input]`: the gradient of a linear layer's input.
fn back(x: &[f32], weight: &[f32], inputs: usize, y: &mut [f32]) {
    let weight = Matrix::rows(weight, inputs);
    product(y, inputs, Matrix::rows(x, weight.outputs()), weight, 1.0, Start::Zero);
}

/// `sums` of columns of rows that are `row` numbers long.
fn sum_columns(x: &[f32], row: usize, sums: &mut [f32]) {
    let parts = sums.par_chunks_mut(COLUMNS).enumerate();
    parts.for_each(|(part, sums)| column_sums(&x[part * COLUMNS..], row, sums));
}

impl Pass<'_> {
    /// The Poisson loss of what a forward pass left in the room, and the gradients of all weights that are trained.
    pub fn backward(
        &self,
        seen: &[f32],
        counts: &[f32],
        mask: &Mask,
        room: &Room,
        back_room: &mut BackRoom,
        gradients: &mut Gradients,
    ) -> f64 {
        gradients.values.resize_with(self.parameters.len(), Vec::new);
        gradients.is_there.clear();
        gradients.is_there.resize(self.parameters.len(), false);
        self.read_out_back(counts, mask, room, back_room);
        let Sizes { neurons, width, places, bins, .. } = *self.sizes;
        self.weights(self.session.stitch_out, &back_room.log_rates, neurons, &room.latents, width, gradients);
        self.norm_weights(self.places.norm, &back_room.norms[0], gradients);
        for (index, layer) in room.layers[..self.places.layers.len()].iter().enumerate().rev() {
            self.layer_back(index, layer, back_room);
            self.layer_weights(index, layer, back_room, gradients);
        }
        self.embed_back(room, back_room);
        let BackRoom { projected, expanded, stitched, x, losses, .. } = back_room;
        self.weights(self.places.project, projected, width, &room.expanded, self.sizes.expand, gradients);
        self.weights(self.places.expand, expanded, self.sizes.expand, &room.stitched, self.sizes.stitch, gradients);
        self.weights(self.session.stitch_in, stitched, self.sizes.stitch, seen, neurons, gradients);
        if let Some(position) = self.gradient(self.places.position, gradients) {
            position[bins * width..].fill(0.0);
            sum_columns(projected, bins * width, &mut position[..bins * width]);
        }
        if let Some(prompt) = self.gradient(self.places.prompt, gradients) {
            prompt.fill(0.0);
            sum_columns(x, places * width, &mut prompt[self.scheme.row() * width..][..width]);
        }
        if let Some(token) = self.gradient(self.session.token, gradients) {
            sum_columns(&x[width..], places * width, token);
        }
        losses.iter().sum()
    }

    /// Place for a gradient; `None` when its weights are not trained.
    fn gradient<'a>(&self, index: usize, gradients: &'a mut Gradients) -> Option<&'a mut [f32]> {
        let parameter = &self.parameters[index];
        if !parameter.is_trained {
            return None;
        }
        gradients.is_there[index] = true;
        let values = &mut gradients.values[index];
        values.resize(parameter.values.len(), 0.0);
        Some(values)
    }

    /// Of a linear layer, from the gradient of what it gave and from what it got.
    fn weights(&self, pair: Pair, out: &[f32], outputs: usize, x: &[f32], inputs: usize, gradients: &mut Gradients) {
        if let Some(weight) = self.gradient(pair.weight, gradients) {
            let (out, x) = (Matrix::rows(out, outputs), Matrix::rows(x, inputs));
            let rows = outputs.div_ceil(rayon::current_num_threads()).next_multiple_of(TILE);
            weight.par_chunks_mut(rows * inputs).enumerate().for_each(|(part, weight)| {
                let out = out.columns(part * rows, weight.len() / inputs).transposed();
                product(weight, inputs, out, x, 1.0, Start::Zero);
            });
        }
        if let Some(bias) = self.gradient(pair.bias, gradients) {
            sum_columns(out, outputs, bias);
        }
    }

    /// Of a norm, from its sums over the places of each trial.
    fn norm_weights(&self, pair: Pair, sums: &[f32], gradients: &mut Gradients) {
        let width = self.sizes.width;
        for (index, start) in [(pair.weight, 0), (pair.bias, width)] {
            if let Some(gradient) = self.gradient(index, gradients) {
                column_sums(&sums[start..], 2 * width, gradient);
            }
        }
    }

    /// Loss, and its gradient to what leaves the last layer.
    fn read_out_back(&self, counts: &[f32], mask: &Mask, room: &Room, back_room: &mut BackRoom) {
        let Sizes { bins, neurons, places, width, trials_of_task, .. } = *self.sizes;
        let rows = self.sizes.embedded_of_task();
        let ([scale, _], [out, _]) = (self.pair(self.places.norm), self.pair(self.session.stitch_out));
        let read = (
            room.log_rates.par_chunks(rows * neurons),
            counts.par_chunks(rows * neurons),
            mask.scored().par_chunks(rows * neurons),
            room.last.par_chunks(self.sizes.rows_of_task() * width),
            room.moments.par_chunks(rows),
        );
        let [norms, _] = &mut back_room.norms;
        let written = (
            back_room.log_rates.par_chunks_mut(rows * neurons),
            back_room.losses.par_chunks_mut(rows),
            back_room.projected.par_chunks_mut(rows * width),
            back_room.x.par_chunks_mut(self.sizes.rows_of_task() * width),
            norms.par_chunks_mut(trials_of_task * 2 * width),
        );
        let tasks = read.into_par_iter().zip(written.into_par_iter());
        tasks.for_each(|((log_rates, counts, scored, last, moments), (gradient, losses, latents, x, norms))| {
            let truth = counts.chunks_exact(neurons).zip(scored.chunks_exact(neurons));
            let written = gradient.chunks_exact_mut(neurons).zip(&mut *losses);
            for ((log_rates, (counts, scored)), (gradient, loss)) in
                log_rates.chunks_exact(neurons).zip(truth).zip(written)
            {
                poisson(log_rates, counts, scored, gradient, loss);
            }
            back(gradient, out, width, latents);
            x.fill(0.0);
            norms.fill(0.0);
            let read = last.chunks_exact(places * width).zip(moments.chunks_exact(bins));
            let written = x.chunks_exact_mut(places * width).zip(norms.chunks_exact_mut(2 * width));
            for (((last, moments), latents), (x, norms)) in read.zip(latents.chunks_exact(bins * width)).zip(written) {
                norm_back(&last[2 * width..], moments, scale, latents, &mut x[2 * width..], norms);
            }
        });
    }

    /// From what leaves a layer to what enters it, and to what its projections give.
    fn layer_back(&self, index: usize, room: &LayerRoom, back_room: &mut BackRoom) {
        let Sizes { places, width, feedforward, trials_of_task, .. } = *self.sizes;
        let rows = self.sizes.rows_of_task();
        let weights_of_trial = self.sizes.scores_of_trial();
        let Layer { norm1, norm2, qkv, out, up, down } = self.places.layers[index];
        let [norm1, norm2, qkv, out, up, down] =
            [norm1, norm2, qkv, out, up, down].map(|pair| self.values(pair.weight));
        let attention = self.attention(index);
        let [drop_attended, drop_hidden, drop_fed] =
            [Place::Attended(index), Place::Hidden(index), Place::Fed(index)].map(|place| self.drop(place));
        let read = (
            room.x.par_chunks(rows * width),
            room.moments1.par_chunks(rows),
            room.qkv.par_chunks(rows * 3 * width),
            room.weights.par_chunks(trials_of_task * weights_of_trial),
            room.middle.par_chunks(rows * width),
            room.moments2.par_chunks(rows),
            room.up.par_chunks(rows * feedforward),
        );
        let [norms1, norms2] = &mut back_room.norms;
        let written = (
            back_room.x.par_chunks_mut(rows * width),
            back_room.branch.par_chunks_mut(rows * width),
            back_room.qkv.par_chunks_mut(rows * 3 * width),
            back_room.out.par_chunks_mut(rows * width),
            back_room.up.par_chunks_mut(rows * feedforward),
            back_room.down.par_chunks_mut(rows * width),
            norms1.par_chunks_mut(trials_of_task * 2 * width),
            norms2.par_chunks_mut(trials_of_task * 2 * width),
        );
        let tasks = read.into_par_iter().zip(written.into_par_iter()).enumerate();
        tasks.for_each(|(task, (read, written))| {
            let (x, moments1, qkvs, weights, middle, moments2, hidden) = read;
            let (gradient, branch, to_qkv, to_out, to_up, to_down, norms1, norms2) = written;
            let first = task * rows;
            let mut kept = self.row_of_multipliers();
            let mut drop_rows = |x: &[f32], drop, y: &mut [f32]| {
                let kept = &mut kept[..width];
                for (row, (x, y)) in x.chunks_exact(width).zip(y.chunks_exact_mut(width)).enumerate() {
                    multipliers(drop, (first + row) * width, kept);
                    scaled(x, kept, y);
                }
            };
            let norm_rows =
                |x: &[f32], moments: &[[f32; 2]], scale, from: &[f32], to: &mut [f32], norms: &mut [f32]| {
                    norms.fill(0.0);
                    let size = places * width;
                    let read = x.chunks_exact(size).zip(moments.chunks_exact(places)).zip(from.chunks_exact(size));
                    let written = to.chunks_exact_mut(size).zip(norms.chunks_exact_mut(2 * width));
                    for (((x, moments), from), (to, norms)) in read.zip(written) {
                        norm_back(x, moments, scale, from, to, norms);
                    }
                };
            // The feed-forward part.
            drop_rows(gradient, drop_fed, to_down);
            back(to_down, down, feedforward, to_up);
            let mut kept_hidden = self.row_of_multipliers();
            let kept_hidden = &mut kept_hidden[..feedforward];
            let hidden_rows = to_up.chunks_exact_mut(feedforward).zip(hidden.chunks_exact(feedforward));
            for (row, (to_up, hidden)) in hidden_rows.enumerate() {
                multipliers(drop_hidden, (first + row) * feedforward, kept_hidden);
                gelu_back(to_up, hidden, kept_hidden);
            }
            back(to_up, up, width, branch);
            norm_rows(middle, moments2, norm2, branch, gradient, norms2);
            // Attention.
            drop_rows(gradient, drop_attended, to_out);
            back(to_out, out, width, branch);
            let (mut dropped, mut scores) = (vec![0.0; self.sizes.scores()], vec![0.0; self.sizes.scores()]);
            let read = qkvs.chunks_exact(places * 3 * width).zip(weights.chunks_exact(weights_of_trial));
            let of_trials = branch.chunks_exact(places * width).zip(to_qkv.chunks_exact_mut(places * 3 * width));
            for ((qkv, weights), (attended, to_qkv)) in read.zip(of_trials) {
                attention.backward(qkv, weights, attended, to_qkv, &mut dropped, &mut scores);
            }
            back(to_qkv, qkv, width, branch);
            norm_rows(x, moments1, norm1, branch, gradient, norms1);
        });
    }

    /// Of all weights of a layer.
    fn layer_weights(&self, index: usize, room: &LayerRoom, back_room: &BackRoom, gradients: &mut Gradients) {
        let Sizes { width, feedforward, .. } = *self.sizes;
        let Layer { norm1, norm2, qkv, out, up, down } = self.places.layers[index];
        self.weights(qkv, &back_room.qkv, 3 * width, &room.normed1, width, gradients);
        // The keys have no bias.
        if let Some(bias) = self.gradient(qkv.bias, gradients) {
            bias[width..2 * width].fill(0.0);
        }
        self.weights(out, &back_room.out, width, &room.attended, width, gradients);
        self.weights(up, &back_room.up, feedforward, &room.normed2, width, gradients);
        self.weights(down, &back_room.down, width, &room.hidden, feedforward, gradients);
        self.norm_weights(norm1, &back_room.norms[0], gradients);
        self.norm_weights(norm2, &back_room.norms[1], gradients);
    }

    /// From what enters the first layer to what the session's linear layer gives.
    fn embed_back(&self, room: &Room, back_room: &mut BackRoom) {
        let Sizes { bins, places, stitch, expand, width, trials_of_task, .. } = *self.sizes;
        let rows = self.sizes.embedded_of_task();
        let (up, down) = (self.values(self.places.expand.weight), self.values(self.places.project.weight));
        let drop = self.drop(Place::Embedding);
        let tasks = (
            back_room.x.par_chunks(self.sizes.rows_of_task() * width),
            room.expanded.par_chunks(rows * expand),
            back_room.projected.par_chunks_mut(rows * width),
            back_room.expanded.par_chunks_mut(rows * expand),
            back_room.stitched.par_chunks_mut(rows * stitch),
        );
        tasks.into_par_iter().enumerate().for_each(|(task, (x, softsigns, projected, expanded, stitched))| {
            let mut kept = self.row_of_multipliers();
            let kept = &mut kept[..width];
            let trials = x.chunks_exact(places * width).zip(projected.chunks_exact_mut(bins * width));
            for (trial, (x, projected)) in trials.enumerate() {
                let first = (task * trials_of_task + trial) * bins;
                let rows = x[2 * width..].chunks_exact(width).zip(projected.chunks_exact_mut(width));
                for (bin, (x, projected)) in rows.enumerate() {
                    multipliers(drop, (first + bin) * width, kept);
                    scaled(x, kept, projected);
                }
            }
            back(projected, down, expand, expanded);
            softsign_back(expanded, softsigns);
            back(expanded, up, stitch, stitched);
        });
    }
}
