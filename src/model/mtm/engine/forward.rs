//! The pass of training from counts to log-rates; every task takes some trials through a whole layer.

use rayon::prelude::*;

use super::answer::without_keys;
use super::attention::Attention;
use super::drops::{Drop, Place, multipliers};
use super::parameters::{Layer, Pair, Parameter, Places, Session};
use super::product::{Matrix, Start, product};
use super::room::{LayerRoom, Room, Sizes};
use super::rows::{embed, fill_rows, gelu, join, norm, softsign};
use crate::model::mtm::config::MtmConfig;
use crate::model::mtm::masking::Scheme;

/// What a pass and its gradient depend on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pass<'a> {
    pub config: &'a MtmConfig,
    pub parameters: &'a [Parameter],
    pub places: &'a Places,
    pub session: &'a Session,
    pub scheme: Scheme,
    pub dropout_seed: Option<u64>,
    pub sizes: &'a Sizes,
}

/// `y = start + x Wᵀ` for `weight [output, input]`.
pub(super) fn linear(x: &[f32], weight: &[f32], inputs: usize, y: &mut [f32], start: Start) {
    let weight = Matrix::rows(weight, inputs);
    product(y, weight.outputs(), Matrix::rows(x, inputs), weight.transposed(), 1.0, start);
}

impl Pass<'_> {
    /// Weight and bias.
    pub fn pair(&self, pair: Pair) -> [&[f32]; 2] {
        [pair.weight, pair.bias].map(|index| self.values(index))
    }

    pub fn values(&self, index: usize) -> &[f32] {
        &self.parameters[index].values
    }

    pub fn drop(&self, place: Place) -> Option<Drop> {
        Drop::at(place, self.dropout_seed, self.config)
    }

    pub fn attention(&self, layer: usize) -> Attention<'_> {
        let drop = self.drop(Place::Attention(layer));
        Attention { sizes: self.sizes, is_causal: self.scheme.is_causal(), drop }
    }

    /// Place for the multipliers of a row.
    pub fn row_of_multipliers(&self) -> Vec<f32> {
        vec![0.0; self.sizes.width.max(self.sizes.feedforward).max(self.sizes.places)]
    }

    /// Log-rates and latents of the counts, into the room, which fits the sizes.
    pub fn forward(&self, seen: &[f32], room: &mut Room) {
        let Room { stitched, expanded, layers, last, branch, moments, latents, log_rates } = room;
        self.embed(seen, stitched, expanded, branch, &mut layers[0].x);
        for index in 0..self.places.layers.len() {
            let (before, after) = layers.split_at_mut(index + 1);
            let next = after.first_mut().map_or(&mut *last, |next| &mut next.x);
            self.layer(index, &mut before[index], branch, next);
        }
        self.read_out(last, moments, latents, log_rates);
    }

    /// Counts `[trial, bin, neuron]` to what enters the first layer.
    fn embed(&self, seen: &[f32], stitched: &mut [f32], expanded: &mut [f32], branch: &mut [f32], x: &mut [f32]) {
        let Sizes { bins, neurons, places, stitch, expand, width, trials_of_task, .. } = *self.sizes;
        let rows = self.sizes.embedded_of_task();
        let ([into, into_bias], [up, up_bias]) = (self.pair(self.session.stitch_in), self.pair(self.places.expand));
        let [down, down_bias] = self.pair(self.places.project);
        let positions = self.values(self.places.position);
        let prompt = &self.values(self.places.prompt)[self.scheme.row() * width..][..width];
        let token = self.values(self.session.token);
        let drop = self.drop(Place::Embedding);
        let tasks = (
            seen.par_chunks(rows * neurons),
            stitched.par_chunks_mut(rows * stitch),
            expanded.par_chunks_mut(rows * expand),
            branch.par_chunks_mut(self.sizes.rows_of_task() * width),
            x.par_chunks_mut(self.sizes.rows_of_task() * width),
        );
        tasks.into_par_iter().enumerate().for_each(|(task, (seen, stitched, expanded, branch, x))| {
            fill_rows(stitched, into_bias);
            linear(seen, into, neurons, stitched, Start::Result);
            linear(stitched, up, stitch, expanded, Start::Zero);
            softsign(expanded, up_bias);
            let count = expanded.len() / expand;
            let projected = &mut branch[..count * width];
            linear(expanded, down, expand, projected, Start::Zero);
            let mut kept = self.row_of_multipliers();
            let kept = &mut kept[..width];
            let trials = x.chunks_exact_mut(places * width).zip(projected.chunks_exact(bins * width));
            for (trial, (x, projected)) in trials.enumerate() {
                let (tokens, x) = x.split_at_mut(2 * width);
                tokens[..width].copy_from_slice(prompt);
                tokens[width..].copy_from_slice(token);
                let first = (task * trials_of_task + trial) * bins;
                let rows = x.chunks_exact_mut(width).zip(projected.chunks_exact(width));
                for (bin, ((x, projected), position)) in rows.zip(positions.chunks_exact(width)).enumerate() {
                    multipliers(drop, (first + bin) * width, kept);
                    embed(projected, down_bias, position, kept, x);
                }
            }
        });
    }

    /// x + attention(norm1(x)), then x + feed-forward(norm2(x)) (Xiong et al. 2020).
    fn layer(&self, index: usize, room: &mut LayerRoom, branch: &mut [f32], next: &mut [f32]) {
        let Sizes { places, width, feedforward, trials_of_task, .. } = *self.sizes;
        let rows = self.sizes.rows_of_task();
        let Layer { norm1, norm2, qkv, out, up, down } = self.places.layers[index];
        let ([norm1, shift1], [norm2, shift2]) = (self.pair(norm1), self.pair(norm2));
        let ([qkv, qkv_bias], [out, out_bias]) = (self.pair(qkv), self.pair(out));
        let ([up, up_bias], [down, down_bias]) = (self.pair(up), self.pair(down));
        let qkv_bias = without_keys(qkv_bias);
        let attention = self.attention(index);
        let [drop_attended, drop_hidden, drop_fed] =
            [Place::Attended(index), Place::Hidden(index), Place::Fed(index)].map(|place| self.drop(place));
        let weights_of_trial = self.sizes.scores_of_trial();
        let first_half = (
            room.x.par_chunks(rows * width),
            room.normed1.par_chunks_mut(rows * width),
            room.moments1.par_chunks_mut(rows),
            room.qkv.par_chunks_mut(rows * 3 * width),
            room.weights.par_chunks_mut(trials_of_task * weights_of_trial),
            room.attended.par_chunks_mut(rows * width),
            room.middle.par_chunks_mut(rows * width),
        );
        let second_half = (
            room.normed2.par_chunks_mut(rows * width),
            room.moments2.par_chunks_mut(rows),
            room.up.par_chunks_mut(rows * feedforward),
            room.hidden.par_chunks_mut(rows * feedforward),
            branch.par_chunks_mut(rows * width),
            next.par_chunks_mut(rows * width),
        );
        let tasks = first_half.into_par_iter().zip(second_half.into_par_iter()).enumerate();
        tasks.for_each(|(task, (first_half, second_half))| {
            let (x, normed1, moments1, qkvs, weights, attended, middle) = first_half;
            let (normed2, moments2, hidden_in, hidden, branch, next) = second_half;
            let mut kept = self.row_of_multipliers();
            let mut dropped = vec![0.0; self.sizes.scores()];
            let first = task * rows;
            norm(x, norm1, shift1, normed1, moments1);
            fill_rows(qkvs, &qkv_bias);
            linear(normed1, qkv, width, qkvs, Start::Result);
            let of_trials = qkvs.chunks_exact(places * 3 * width).zip(weights.chunks_exact_mut(weights_of_trial));
            for (trial, ((qkv, weights), attended)) in
                of_trials.zip(attended.chunks_exact_mut(places * width)).enumerate()
            {
                let trial = task * trials_of_task + trial;
                attention.forward(trial, qkv, weights, attended, &mut dropped, &mut kept[..places]);
            }
            linear(attended, out, width, branch, Start::Zero);
            let mut join_rows = |x: &[f32], branch: &[f32], bias: &[f32], drop: Option<Drop>, y: &mut [f32]| {
                let kept = &mut kept[..width];
                let rows = x.chunks_exact(width).zip(branch.chunks_exact(width)).zip(y.chunks_exact_mut(width));
                for (row, ((x, branch), y)) in rows.enumerate() {
                    multipliers(drop, (first + row) * width, kept);
                    join(x, branch, bias, kept, y);
                }
            };
            join_rows(x, branch, out_bias, drop_attended, middle);
            norm(middle, norm2, shift2, normed2, moments2);
            linear(normed2, up, width, hidden_in, Start::Zero);
            let mut kept_hidden = self.row_of_multipliers();
            let kept_hidden = &mut kept_hidden[..feedforward];
            let hidden_rows = hidden_in.chunks_exact_mut(feedforward).zip(hidden.chunks_exact_mut(feedforward));
            for (row, (x, y)) in hidden_rows.enumerate() {
                multipliers(drop_hidden, (first + row) * feedforward, kept_hidden);
                gelu(x, up_bias, kept_hidden, y);
            }
            linear(hidden, down, feedforward, branch, Start::Zero);
            join_rows(middle, branch, down_bias, drop_fed, next);
        });
    }

    /// Latents of the bins, and their log-rates.
    fn read_out(&self, last: &[f32], moments: &mut [[f32; 2]], latents: &mut [f32], log_rates: &mut [f32]) {
        let Sizes { bins, neurons, places, width, .. } = *self.sizes;
        let rows = self.sizes.embedded_of_task();
        let ([scale, shift], [out, bias]) = (self.pair(self.places.norm), self.pair(self.session.stitch_out));
        let tasks = (
            last.par_chunks(self.sizes.rows_of_task() * width),
            moments.par_chunks_mut(rows),
            latents.par_chunks_mut(rows * width),
            log_rates.par_chunks_mut(rows * neurons),
        );
        tasks.into_par_iter().for_each(|(last, moments, latents, log_rates)| {
            let of_trials = moments.chunks_exact_mut(bins).zip(latents.chunks_exact_mut(bins * width));
            for (last, (moments, latents)) in last.chunks_exact(places * width).zip(of_trials) {
                norm(&last[2 * width..], scale, shift, latents, moments);
            }
            fill_rows(log_rates, bias);
            linear(latents, out, width, log_rates, Start::Result);
        });
    }
}
