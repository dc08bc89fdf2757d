//! Dropout as a function of a seed: the same step drops the same numbers on every device.

use burn::tensor::{Tensor, TensorData};
use rayon::prelude::*;

use super::chance::{Topic, sub_seed};
use crate::stimulus::hash::random_words;

/// Numbers drawn by one task.
pub(super) const CHUNK: usize = 1 << 14;

/// What is dropped in one pass: nothing, or random shares under a seed.
#[derive(Debug, Clone)]
pub(super) struct Dropout {
    seed: Option<u64>,
    /// Places of the network that were passed so far.
    places: u32,
}

impl Dropout {
    /// Nothing without a seed.
    pub(super) fn new(seed: Option<u64>) -> Self {
        Self { seed, places: 0 }
    }

    /// Drops a share of the numbers and scales the others so that their mean stays.
    pub(super) fn apply<const D: usize>(&mut self, x: Tensor<D>, share: f64) -> Tensor<D> {
        let place = self.places;
        self.places += 1;
        let Some(seed) = self.seed.filter(|_| share > 0.0) else { return x };
        let kept = kept(sub_seed(seed, Topic::Dropout, place), share, x.shape().num_elements());
        let kept = Tensor::from_data(TensorData::new(kept, x.shape()), &x.device());
        x * kept
    }
}

/// What those that are kept are multiplied by.
pub(super) fn scale(share: f64) -> f32 {
    (1.0 - share).recip() as f32
}

/// Least random word of what is kept.
pub(super) fn least_kept(share: f64) -> u32 {
    (share * 4_294_967_296.0) as u32
}

/// 0 for what is dropped, and 1 / (1 - share) for what is kept.
pub(super) fn kept(seed: u64, share: f64, count: usize) -> Vec<f32> {
    let (scale, least) = (scale(share), least_kept(share));
    let mut values = vec![0.0; count];
    values.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, values)| {
        for (block, values) in values.chunks_mut(4).enumerate() {
            let words = random_words(seed, block as u32, chunk as u32);
            for (value, word) in values.iter_mut().zip(words) {
                *value = if word >= least { scale } else { 0.0 };
            }
        }
    });
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_dropped_and_the_mean_kept() {
        let values = kept(3, 0.4, 100_000);
        let dropped = values.iter().filter(|&&value| value == 0.0).count() as f64 / 1e5;
        let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / 1e5;
        // Four standard errors of 100,000 draws.
        assert!((dropped - 0.4).abs() < 0.0062 && (mean - 1.0).abs() < 0.0104, "{dropped} {mean}");
        assert_eq!(values, kept(3, 0.4, 100_000));
        assert_eq!(values[..50_000], kept(3, 0.4, 50_000), "a number depends on its place alone");
        assert_ne!(values[..100], kept(3 | 1 << 63, 0.4, 100), "the highest bit of the seed counts");
    }
}
