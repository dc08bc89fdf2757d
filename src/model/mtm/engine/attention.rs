//! Attention of one trial, head by head, on views of the projections.

use super::drops::{Drop, multipliers};
use super::product::{Matrix, Start, product};
use super::room::Sizes;
use super::rows::{drop_and_mark, softmax, softmax_back, unmarked};

/// What all heads share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attention<'a> {
    pub sizes: &'a Sizes,
    /// Every place sees itself and what comes before, tokens included, so that none carries the future back.
    pub is_causal: bool,
    pub drop: Option<Drop>,
}

impl Attention<'_> {
    /// Queries, keys or values (0, 1, 2) of a head: `[place, channel]`.
    fn part<'a>(&self, qkv: &'a [f32], part: usize, head: usize) -> Matrix<'a> {
        let Sizes { places, width, .. } = *self.sizes;
        let channels = self.sizes.channels();
        Matrix::new(&qkv[part * width + head * channels..], places, channels, 3 * width)
    }

    /// Scores are multiplied by this.
    fn scale(&self) -> f32 {
        (self.sizes.channels() as f64).sqrt().recip() as f32
    }

    /// Of trial `trial` of the batch: from `qkv [place, 3 * width]` to `attended [place, width]`. Attention weights are
    /// kept for each head, or lie in the place of one; `dropped` has place for those of a head, `kept` for a row.
    pub fn forward(
        &self,
        trial: usize,
        qkv: &[f32],
        weights: &mut [f32],
        attended: &mut [f32],
        dropped: &mut [f32],
        kept: &mut [f32],
    ) {
        let Sizes { places, width, heads, .. } = *self.sizes;
        let (scores, channels) = (self.sizes.scores(), self.sizes.channels());
        let kept_heads = weights.len() / scores;
        for head in 0..heads {
            let weights = &mut weights[head % kept_heads * scores..][..scores];
            let [query, key, value] = [0, 1, 2].map(|part| self.part(qkv, part, head));
            product(weights, places, query, key.transposed(), self.scale(), Start::Zero);
            for (place, weights) in weights.chunks_exact_mut(places).enumerate() {
                let visible = if self.is_causal { place + 1 } else { places };
                let (seen, unseen) = weights.split_at_mut(visible);
                softmax(seen);
                unseen.fill(0.0);
                if self.drop.is_some() {
                    multipliers(self.drop, ((trial * heads + head) * places + place) * places, kept);
                    drop_and_mark(weights, kept, &mut dropped[place * places..][..places]);
                }
            }
            let weights = Matrix::rows(if self.drop.is_some() { dropped } else { weights }, places);
            product(&mut attended[head * channels..], width, weights, value, 1.0, Start::Zero);
        }
    }

    /// The gradient of `qkv` of a trial, given that of `attended`; `dropped` and `scores` have place for a head.
    pub fn backward(
        &self,
        qkv: &[f32],
        weights: &[f32],
        attended: &[f32],
        gradient: &mut [f32],
        dropped: &mut [f32],
        scores: &mut [f32],
    ) {
        let Sizes { places, width, heads, .. } = *self.sizes;
        let channels = self.sizes.channels();
        let scale = self.drop.map_or(1.0, |drop| drop.scale);
        for head in 0..heads {
            let weights = &weights[head * self.sizes.scores()..][..self.sizes.scores()];
            let [query, key, value] = [0, 1, 2].map(|part| self.part(qkv, part, head));
            let attended = Matrix::new(&attended[head * channels..], places, channels, width);
            unmarked(weights, scale, dropped);
            product(scores, places, attended, value.transposed(), 1.0, Start::Zero);
            for (weights, scores) in weights.chunks_exact(places).zip(scores.chunks_exact_mut(places)) {
                softmax_back(weights, scale, scores);
            }
            let (dropped, scores) = (Matrix::rows(dropped, places), Matrix::rows(scores, places));
            let mut to = |part: usize, a: Matrix<'_>, b: Matrix<'_>, scale: f32| {
                product(&mut gradient[part * width + head * channels..], 3 * width, a, b, scale, Start::Zero);
            };
            to(0, scores, key, self.scale());
            to(1, scores.transposed(), query, self.scale());
            to(2, dropped.transposed(), attended, 1.0);
        }
    }
}
