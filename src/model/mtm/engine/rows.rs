//! What happens to the numbers of rows between two products, in as few passes as possible, on vectors.

use std::sync::LazyLock;

use crate::model::twin::engine::math::{erf_half, exp};
use crate::model::twin::engine::simd::{Kernel, Simd};

/// The fastest that this machine can run.
pub(super) static KERNEL: LazyLock<Kernel> = LazyLock::new(Kernel::best);

/// Added to the variance before its inverse square root is taken.
const NORM_EPSILON: f32 = 1e-5;
/// Numbers of the longest vector.
const MOST_LANES: usize = 16;
/// e^x beyond this is no f32.
const LARGEST_LOG: f32 = 88.722_84;

/// `vectorised!(fn name(args) = generic)`: a function `name(args)` that runs `generic::<S>(args)` with the vectors of
/// this machine. `generic` must be `#[inline(always)]`, and sound for every argument but for its instruction set.
macro_rules! vectorised {
    ($(#[$doc:meta])* fn $name:ident($($arg:ident: $ty:ty),* $(,)?) = $generic:ident) => {
        $(#[$doc])*
        pub(super) fn $name($($arg: $ty),*) {
            $crate::model::twin::engine::simd::dispatched! {
                /// For each instruction set.
                fn run($($arg: $ty),*) = $generic
            }
            // SAFETY: the machine has the instruction set, and all places are slices.
            unsafe { run(*$crate::model::mtm::engine::rows::KERNEL, $($arg),*) }
        }
    };
}
pub(super) use vectorised;

/// A vector from `at` on; beyond the end, `fill`.
#[inline(always)]
unsafe fn get_or<S: Simd>(from: &[f32], at: usize, fill: f32) -> S::V {
    let rest = &from[at..];
    // SAFETY: the caller's instruction set; as many numbers as the vector has.
    unsafe {
        if rest.len() >= S::LANES {
            S::load(rest.as_ptr())
        } else {
            let mut part = [fill; MOST_LANES];
            part[..rest.len()].copy_from_slice(rest);
            S::load(part.as_ptr())
        }
    }
}

/// A vector from `at` on; beyond the end, 0.
#[inline(always)]
unsafe fn get<S: Simd>(from: &[f32], at: usize) -> S::V {
    // SAFETY: the caller's instruction set.
    unsafe { get_or::<S>(from, at, 0.0) }
}

/// Stores a vector from `at` on, as far as there is place.
#[inline(always)]
unsafe fn put<S: Simd>(to: &mut [f32], at: usize, vector: S::V) {
    let rest = &mut to[at..];
    // SAFETY: the caller's instruction set; as many numbers as the vector has.
    unsafe {
        if rest.len() >= S::LANES {
            S::store(rest.as_mut_ptr(), vector);
        } else {
            let mut part = [0.0; MOST_LANES];
            S::store(part.as_mut_ptr(), vector);
            let count = rest.len();
            rest.copy_from_slice(&part[..count]);
        }
    }
}

/// The numbers of a vector.
#[inline(always)]
unsafe fn lanes<S: Simd>(vector: S::V) -> [f32; MOST_LANES] {
    let mut lanes = [0.0; MOST_LANES];
    // SAFETY: the caller's instruction set; there is place for the longest vector.
    unsafe { S::store(lanes.as_mut_ptr(), vector) };
    lanes
}

/// Sum of the numbers of a vector.
#[inline(always)]
unsafe fn sum<S: Simd>(vector: S::V) -> f32 {
    // SAFETY: the caller's instruction set.
    unsafe { lanes::<S>(vector)[..S::LANES].iter().sum() }
}

/// The bias into every row, for a product to be added to.
pub(super) fn fill_rows(y: &mut [f32], bias: &[f32]) {
    y.chunks_exact_mut(bias.len()).for_each(|row| row.copy_from_slice(bias));
}

vectorised! {
    /// `y = softsign(y + bias)` in every row; softsign(x) = x / (1 + |x|).
    fn softsign(y: &mut [f32], bias: &[f32]) = softsign_in
}

#[inline(always)]
unsafe fn softsign_in<S: Simd>(y: &mut [f32], bias: &[f32]) {
    for row in y.chunks_exact_mut(bias.len()) {
        for (y, &bias) in row.iter_mut().zip(bias) {
            let x = *y + bias;
            *y = x / (1.0 + x.abs());
        }
    }
}

vectorised! {
    /// `gradient` of the result to that of the argument, from the result: the slope is (1 - |y|)².
    fn softsign_back(gradient: &mut [f32], y: &[f32]) = softsign_back_in
}

#[inline(always)]
unsafe fn softsign_back_in<S: Simd>(gradient: &mut [f32], y: &[f32]) {
    for (gradient, &y) in gradient.iter_mut().zip(y) {
        let root = 1.0 - y.abs();
        *gradient *= root * root;
    }
}

vectorised! {
    /// One row: `x += bias`, `y = kept * gelu(x)`, gelu(x) = x Φ(x).
    fn gelu(x: &mut [f32], bias: &[f32], kept: &[f32], y: &mut [f32]) = gelu_in
}

#[inline(always)]
unsafe fn gelu_in<S: Simd>(x: &mut [f32], bias: &[f32], kept: &[f32], y: &mut [f32]) {
    for at in (0..x.len()).step_by(S::LANES) {
        // SAFETY: the caller's instruction set.
        unsafe {
            let value = S::add(get::<S>(x, at), get::<S>(bias, at));
            put::<S>(x, at, value);
            let half = S::mul(value, S::splat(0.5));
            let gelu = S::fma(half, erf_half::<S>(value), half);
            put::<S>(y, at, S::mul(gelu, get::<S>(kept, at)));
        }
    }
}

vectorised! {
    /// `x = gelu(x)`.
    fn gelu_alone(x: &mut [f32]) = gelu_alone_in
}

#[inline(always)]
unsafe fn gelu_alone_in<S: Simd>(x: &mut [f32]) {
    for at in (0..x.len()).step_by(S::LANES) {
        // SAFETY: the caller's instruction set.
        unsafe {
            let value = get::<S>(x, at);
            let half = S::mul(value, S::splat(0.5));
            put::<S>(x, at, S::fma(half, erf_half::<S>(value), half));
        }
    }
}

vectorised! {
    /// One row: `gradient` of the result of [`gelu`] to that of its argument: times kept (Φ(x) + x φ(x)).
    fn gelu_back(gradient: &mut [f32], x: &[f32], kept: &[f32]) = gelu_back_in
}

#[inline(always)]
unsafe fn gelu_back_in<S: Simd>(gradient: &mut [f32], x: &[f32], kept: &[f32]) {
    /// 1 / sqrt(2 π).
    const PEAK: f32 = 0.398_942_3;
    for at in (0..x.len()).step_by(S::LANES) {
        // SAFETY: the caller's instruction set.
        unsafe {
            let value = get::<S>(x, at);
            let half = S::splat(0.5);
            let bell = exp::<S>(S::mul(S::mul(value, value), S::splat(-0.5)));
            let share = S::fma(half, erf_half::<S>(value), half);
            let slope = S::fma(S::mul(value, bell), S::splat(PEAK), share);
            let way = S::mul(get::<S>(gradient, at), get::<S>(kept, at));
            put::<S>(gradient, at, S::mul(way, slope));
        }
    }
}

vectorised! {
    /// One row: `y = x + kept * (branch + bias)`.
    fn join(x: &[f32], branch: &[f32], bias: &[f32], kept: &[f32], y: &mut [f32]) = join_in
}

#[inline(always)]
unsafe fn join_in<S: Simd>(x: &[f32], branch: &[f32], bias: &[f32], kept: &[f32], y: &mut [f32]) {
    let rest = branch.iter().zip(bias).zip(kept);
    for ((y, &x), ((&branch, &bias), &kept)) in y.iter_mut().zip(x).zip(rest) {
        *y = x + kept * (branch + bias);
    }
}

vectorised! {
    /// One row: `y = kept * (x + bias + position)`.
    fn embed(x: &[f32], bias: &[f32], position: &[f32], kept: &[f32], y: &mut [f32]) = embed_in
}

#[inline(always)]
unsafe fn embed_in<S: Simd>(x: &[f32], bias: &[f32], position: &[f32], kept: &[f32], y: &mut [f32]) {
    let rest = bias.iter().zip(position).zip(kept);
    for ((y, &x), ((&bias, &position), &kept)) in y.iter_mut().zip(x).zip(rest) {
        *y = kept * (x + bias + position);
    }
}

vectorised! {
    /// `y = kept * x`.
    fn scaled(x: &[f32], kept: &[f32], y: &mut [f32]) = scaled_in
}

#[inline(always)]
unsafe fn scaled_in<S: Simd>(x: &[f32], kept: &[f32], y: &mut [f32]) {
    for ((y, &x), &kept) in y.iter_mut().zip(x).zip(kept) {
        *y = x * kept;
    }
}

vectorised! {
    /// Every row to mean 0 and variance 1, then scaled and shifted (Ba et al. 2016). `moments` gets the mean and the
    /// inverse deviation of each row.
    fn norm(x: &[f32], weight: &[f32], bias: &[f32], y: &mut [f32], moments: &mut [[f32; 2]]) = norm_in
}

#[inline(always)]
unsafe fn norm_in<S: Simd>(x: &[f32], weight: &[f32], bias: &[f32], y: &mut [f32], moments: &mut [[f32; 2]]) {
    let n = weight.len();
    let share = (n as f32).recip();
    let rows = x.chunks_exact(n).zip(y.chunks_exact_mut(n));
    for ((x, y), moments) in rows.zip(moments) {
        // SAFETY: the caller's instruction set.
        unsafe {
            let mut total = S::splat(0.0);
            for at in (0..n).step_by(S::LANES) {
                total = S::add(total, get::<S>(x, at));
            }
            let mean = sum::<S>(total) * share;
            let middle = S::splat(mean);
            let mut squares = S::splat(0.0);
            for at in (0..n).step_by(S::LANES) {
                let off = S::sub(get_or::<S>(x, at, mean), middle);
                squares = S::fma(off, off, squares);
            }
            let inverse = (sum::<S>(squares) * share + NORM_EPSILON).sqrt().recip();
            *moments = [mean, inverse];
            let inverse = S::splat(inverse);
            for at in (0..n).step_by(S::LANES) {
                let unit = S::mul(S::sub(get::<S>(x, at), middle), inverse);
                put::<S>(y, at, S::fma(unit, get::<S>(weight, at), get::<S>(bias, at)));
            }
        }
    }
}

vectorised! {
    /// Adds the gradient of the argument of [`norm`] to `to`, given that of its result, and those of its weight and bias
    /// to `weights`, one after the other.
    fn norm_back(
        x: &[f32], moments: &[[f32; 2]], weight: &[f32], gradient: &[f32], to: &mut [f32], weights: &mut [f32],
    ) = norm_back_in
}

#[inline(always)]
unsafe fn norm_back_in<S: Simd>(
    x: &[f32],
    moments: &[[f32; 2]],
    weight: &[f32],
    gradient: &[f32],
    to: &mut [f32],
    weights: &mut [f32],
) {
    let n = weight.len();
    let share = (n as f32).recip();
    let (scales, shifts) = weights.split_at_mut(n);
    let rows = x.chunks_exact(n).zip(gradient.chunks_exact(n)).zip(to.chunks_exact_mut(n));
    for (((x, gradient), to), &[mean, inverse]) in rows.zip(moments) {
        // SAFETY: the caller's instruction set.
        unsafe {
            let (middle, inverse) = (S::splat(mean), S::splat(inverse));
            let (mut means, mut slopes) = (S::splat(0.0), S::splat(0.0));
            for at in (0..n).step_by(S::LANES) {
                let unit = S::mul(S::sub(get::<S>(x, at), middle), inverse);
                let way = get::<S>(gradient, at);
                put::<S>(scales, at, S::fma(way, unit, get::<S>(scales, at)));
                put::<S>(shifts, at, S::add(way, get::<S>(shifts, at)));
                let way = S::mul(way, get::<S>(weight, at));
                means = S::add(means, way);
                slopes = S::fma(way, unit, slopes);
            }
            let (means, slopes) = (S::splat(sum::<S>(means) * share), S::splat(sum::<S>(slopes) * share));
            for at in (0..n).step_by(S::LANES) {
                let unit = S::mul(S::sub(get::<S>(x, at), middle), inverse);
                let way = S::mul(get::<S>(gradient, at), get::<S>(weight, at));
                let way = S::sub(S::sub(way, means), S::mul(unit, slopes));
                put::<S>(to, at, S::fma(way, inverse, get::<S>(to, at)));
            }
        }
    }
}

vectorised! {
    /// One row of scores to attention weights that sum to 1.
    fn softmax(scores: &mut [f32]) = softmax_in
}

#[inline(always)]
unsafe fn softmax_in<S: Simd>(scores: &mut [f32]) {
    // SAFETY: the caller's instruction set.
    unsafe {
        let mut most = S::splat(f32::MIN);
        for at in (0..scores.len()).step_by(S::LANES) {
            most = S::max(most, get_or::<S>(scores, at, f32::MIN));
        }
        let most = S::splat(lanes::<S>(most)[..S::LANES].iter().copied().fold(f32::MIN, f32::max));
        let mut total = S::splat(0.0);
        for at in (0..scores.len()).step_by(S::LANES) {
            let value = exp::<S>(S::sub(get_or::<S>(scores, at, f32::MIN), most));
            total = S::add(total, value);
            put::<S>(scores, at, value);
        }
        let share = S::splat(sum::<S>(total).recip());
        for at in (0..scores.len()).step_by(S::LANES) {
            put::<S>(scores, at, S::mul(get::<S>(scores, at), share));
        }
    }
}

vectorised! {
    /// One row of attention weights: `y = kept * weight`; weights that are dropped are marked by a negative sign.
    fn drop_and_mark(weights: &mut [f32], kept: &[f32], y: &mut [f32]) = drop_and_mark_in
}

#[inline(always)]
unsafe fn drop_and_mark_in<S: Simd>(weights: &mut [f32], kept: &[f32], y: &mut [f32]) {
    for ((weight, &kept), y) in weights.iter_mut().zip(kept).zip(y) {
        *y = *weight * kept;
        *weight = if kept == 0.0 { -*weight } else { *weight };
    }
}

vectorised! {
    /// What [`drop_and_mark`] made of marked weights, where `scale` multiplies those that are kept.
    fn unmarked(weights: &[f32], scale: f32, y: &mut [f32]) = unmarked_in
}

#[inline(always)]
unsafe fn unmarked_in<S: Simd>(weights: &[f32], scale: f32, y: &mut [f32]) {
    for (y, &weight) in y.iter_mut().zip(weights) {
        *y = if weight > 0.0 { weight * scale } else { 0.0 };
    }
}

vectorised! {
    /// One row: the gradient of the marked weights after dropout to that of their scores.
    fn softmax_back(weights: &[f32], scale: f32, gradient: &mut [f32]) = softmax_back_in
}

#[inline(always)]
unsafe fn softmax_back_in<S: Simd>(weights: &[f32], scale: f32, gradient: &mut [f32]) {
    // SAFETY: the caller's instruction set.
    unsafe {
        let (zero, scale) = (S::splat(0.0), S::splat(scale));
        let mut total = zero;
        for at in (0..weights.len()).step_by(S::LANES) {
            let weight = get::<S>(weights, at);
            let way = S::choose(zero, weight, S::mul(get::<S>(gradient, at), scale), zero);
            put::<S>(gradient, at, way);
            total = S::fma(way, weight, total);
        }
        let total = S::splat(sum::<S>(total));
        for at in (0..weights.len()).step_by(S::LANES) {
            let weight = get::<S>(weights, at);
            let size = S::max(weight, S::sub(zero, weight));
            put::<S>(gradient, at, S::mul(size, S::sub(get::<S>(gradient, at), total)));
        }
    }
}

vectorised! {
    /// One row of log-rates r: the sum of e^r - r y over what is scored, y being counts, and its gradient e^r - y.
    fn poisson(log_rates: &[f32], counts: &[f32], scored: &[bool], gradient: &mut [f32], loss: &mut f64) = poisson_in
}

#[inline(always)]
unsafe fn poisson_in<S: Simd>(
    log_rates: &[f32],
    counts: &[f32],
    scored: &[bool],
    gradient: &mut [f32],
    loss: &mut f64,
) {
    // SAFETY: the caller's instruction set.
    unsafe {
        let zero = S::splat(0.0);
        let mut total = zero;
        for at in (0..log_rates.len()).step_by(S::LANES) {
            let mut counted = [0.0; MOST_LANES];
            for (counted, &scored) in counted.iter_mut().zip(&scored[at..]) {
                *counted = f32::from(u8::from(scored));
            }
            let counted = S::load(counted.as_ptr());
            let (log_rate, count) = (get::<S>(log_rates, at), get::<S>(counts, at));
            let beyond = S::splat(f32::INFINITY);
            let rate = S::choose(S::splat(LARGEST_LOG), log_rate, beyond, exp::<S>(log_rate));
            let term = S::sub(rate, S::mul(log_rate, count));
            total = S::add(total, S::choose(zero, counted, term, zero));
            put::<S>(gradient, at, S::choose(zero, counted, S::sub(rate, count), zero));
        }
        *loss = f64::from(sum::<S>(total));
    }
}

vectorised! {
    /// `sums[column]` of the rows of `x`, which are `row` numbers long; the first column is the first number.
    fn column_sums(x: &[f32], row: usize, sums: &mut [f32]) = column_sums_in
}

#[inline(always)]
unsafe fn column_sums_in<S: Simd>(x: &[f32], row: usize, sums: &mut [f32]) {
    sums.fill(0.0);
    for x in x.chunks(row) {
        for (sum, &x) in sums.iter_mut().zip(x) {
            *sum += x;
        }
    }
}
