//! One layer of the transformer: attention, then a feed-forward part, each on normalised input and added to what came in.

use burn::module::Module;
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor, TensorData};

use super::config::MtmConfig;
use super::dropout::Dropout;
use super::layers::{Linear, Norm, Source, gelu, product};

/// A score that becomes an attention weight of exactly 0: in f32, e^-1e9 is.
const UNSEEN: f32 = -1e9;

/// x + attention(norm1(x)), then x + feed-forward(norm2(x)) (Xiong et al. 2020).
#[derive(Module, Debug)]
pub(super) struct Layer {
    norm1: Norm,
    qkv: Linear,
    out: Linear,
    norm2: Norm,
    up: Linear,
    down: Linear,
    #[module(skip)]
    heads: usize,
    #[module(skip)]
    dropout: f64,
}

/// What stays the same in all layers of a pass.
#[derive(Debug, Clone)]
pub(super) struct Sight {
    /// `[1, 1, place, place]`: added to the scores of every query (row) and key (column).
    unseen: Option<Tensor<4>>,
    /// `[3 * width]`: 0 for the keys, 1 for queries and values.
    without_keys: Tensor<1>,
}

impl Sight {
    /// Causal: every place sees itself and what comes before, tokens included, so that none carries the future back.
    pub(super) fn new(places: usize, width: usize, is_causal: bool, device: &Device) -> Self {
        let unseen = is_causal.then(|| {
            let score = |i: usize| if i % places > i / places { UNSEEN } else { 0.0 };
            let scores: Vec<f32> = (0..places * places).map(score).collect();
            Tensor::from_data(TensorData::new(scores, [1, 1, places, places]), device)
        });
        let keep: Vec<f32> = (0..3 * width).map(|i| if i / width == 1 { 0.0 } else { 1.0 }).collect();
        Self { unseen, without_keys: Tensor::from_data(TensorData::new(keep, [3 * width]), device) }
    }
}

impl Layer {
    pub(super) fn new(config: &MtmConfig, index: usize, source: Source<'_>) -> Self {
        let name = |part: &str| format!("layers.{index}.{part}");
        Self {
            norm1: Norm::new(&name("norm1"), source),
            qkv: Linear::new(&name("qkv"), source),
            out: Linear::new(&name("out"), source),
            norm2: Norm::new(&name("norm2"), source),
            up: Linear::new(&name("up"), source),
            down: Linear::new(&name("down"), source),
            heads: config.heads,
            dropout: config.dropout,
        }
    }

    /// `[trial, place, width]` to the same.
    pub(super) fn forward(&self, x: Tensor<3>, sight: &Sight, dropout: &mut Dropout) -> Tensor<3> {
        let attended = self.out.forward(self.attention(self.norm1.forward(x.clone()), sight, dropout));
        let x = x + dropout.apply(attended, self.dropout);
        let hidden = gelu(self.up.forward(self.norm2.forward(x.clone())));
        let fed = self.down.forward(dropout.apply(hidden, self.dropout));
        x + dropout.apply(fed, self.dropout)
    }

    fn attention(&self, x: Tensor<3>, sight: &Sight, dropout: &mut Dropout) -> Tensor<3> {
        let [trials, places, width] = x.dims();
        let channels = width / self.heads;
        // A bias of the keys adds the same to all scores of a query, which softmax ignores: without it nothing changes
        // but its gradient, which is exactly 0 instead of rounding that an optimizer would magnify.
        let qkv = product(x, self.qkv.weight.val(), self.qkv.bias.val() * sight.without_keys.clone());
        let part = |index: usize| {
            let part = qkv.clone().narrow(2, index * width, width);
            part.reshape([trials, places, self.heads, channels]).swap_dims(1, 2)
        };
        let query = part(0) * (channels as f64).sqrt().recip();
        let mut scores = query.matmul(part(1).swap_dims(2, 3));
        if let Some(unseen) = &sight.unseen {
            scores = scores + unseen.clone();
        }
        let weights = dropout.apply(softmax(scores, 3), self.dropout);
        weights.matmul(part(2)).swap_dims(1, 2).reshape([trials, places, width])
    }
}
