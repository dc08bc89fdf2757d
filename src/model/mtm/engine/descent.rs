//! One step of AdamW in one pass over each tensor (Loshchilov and Hutter 2019).

use rayon::prelude::*;

use super::rows::vectorised;
use crate::model::twin::engine::simd::Simd;

/// Numbers of a task.
const CHUNK: usize = 1 << 14;

/// The factors of one step of one tensor.
#[derive(Debug, Clone, Copy)]
pub struct Descent {
    /// What is left of a weight after its decay.
    pub keep: f32,
    /// Share of the gradient in its running mean.
    pub mean_share: f32,
    /// What is left of the running mean of squares.
    pub square_keep: f32,
    /// Share of the squared gradient in its running mean.
    pub square_share: f32,
    /// Corrects the root of the mean square for the number of steps.
    pub size: f32,
    /// Added to root mean squares.
    pub eps: f32,
    /// Learning rate, corrected for the number of steps.
    pub rate: f32,
}

impl Descent {
    /// Takes the step: changes weights and both moments.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn step(self, values: &mut [f32], gradient: &[f32], means: &mut [f32], squares: &mut [f32]) {
        let count = values.len();
        assert!([gradient.len(), means.len(), squares.len()] == [count; 3], "moments of the length of the weights");
        let moments = means.par_chunks_mut(CHUNK).zip(squares.par_chunks_mut(CHUNK));
        let tasks = values.par_chunks_mut(CHUNK).zip(gradient.par_chunks(CHUNK)).zip(moments);
        tasks.for_each(|((values, gradient), (means, squares))| descend(self, values, gradient, means, squares));
    }
}

vectorised! {
    /// A part of a tensor.
    fn descend(by: Descent, values: &mut [f32], gradient: &[f32], means: &mut [f32], squares: &mut [f32]) = descend_in
}

#[inline(always)]
unsafe fn descend_in<S: Simd>(
    by: Descent,
    values: &mut [f32],
    gradient: &[f32],
    means: &mut [f32],
    squares: &mut [f32],
) {
    for ((value, &g), (mean, square)) in values.iter_mut().zip(gradient).zip(means.iter_mut().zip(squares)) {
        *mean += (g - *mean) * by.mean_share;
        *square = *square * by.square_keep + g * g * by.square_share;
        *value = *value * by.keep - *mean / (square.sqrt() * by.size + by.eps) * by.rate;
    }
}
