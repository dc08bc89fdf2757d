//! Products over all pixels of all frames, shared among threads by rows or by inputs.

use super::super::buffer::Shared;
use super::super::product::{Operand, Pixels, Segment, Start, product};
use super::super::simd::{Simd, dispatched};
use super::outer::outer;
use super::room::{Context, Room};
use super::weights::Weights;

/// Rows of one task.
const ROWS: usize = 384;
/// Inputs of one task of a weight gradient.
const INPUTS: usize = 32;

/// Neighbouring numbers of every row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    /// First number of the first row.
    pub data: Shared,
    /// Numbers read of a row.
    pub k: usize,
    /// Numbers from row to row.
    pub row: usize,
}

/// What a product starts from.
#[derive(Debug, Clone, Copy)]
pub(super) enum From<'a> {
    /// Zero.
    Zero,
    /// The same numbers in every row.
    Bias(&'a [f32]),
    /// What stands there.
    Output,
}

/// `y = start + sources * weights` for `rows` rows.
///
/// # Safety
/// Sources and output exist with the strides told, and nobody else writes them meanwhile.
pub(super) unsafe fn linear(
    context: Context<'_>,
    rows: usize,
    sources: &[Source],
    weights: Operand,
    from: From<'_>,
    y: (Shared, usize),
) {
    let weights = Right(weights);
    context.each(rows.div_ceil(ROWS), |block, scratch| {
        let first = block * ROWS;
        let count = ROWS.min(rows - first);
        let (_, segments) = scratch.split();
        let weights = &weights;
        // SAFETY: the caller's rows; tasks write rows of their own.
        unsafe {
            segments.extend(sources.iter().map(|source| Segment {
                data: source.data.at(first * source.row),
                k: source.k,
                stride: source.row,
            }));
            let start = match from {
                From::Zero => Start::Zero,
                From::Bias(bias) => Start::Bias(bias.as_ptr()),
                From::Output => Start::Output,
            };
            let pixels = Pixels { count, output: y.1 };
            product(context.kernel, pixels, segments, weights.0, start, y.0.at(first * y.1));
        }
    });
}

/// An operand that tasks read together.
struct Right(Operand);
// SAFETY: the weights are only read while the products run.
unsafe impl Sync for Right {}

/// Adds `sources^T * b` to the gradients of the weights.
///
/// # Safety
/// As [`linear`]; `b` has `weights.n` numbers a row.
pub(super) unsafe fn weight_gradient(
    context: Context<'_>,
    rows: usize,
    sources: &[Source],
    b: (Shared, usize),
    weights: &Weights,
    room: &mut Room,
    flat: &mut [f32],
) {
    let n = weights.n;
    debug_assert_eq!(sources.iter().map(|source| source.k).sum::<usize>(), weights.k);
    let sum = room.zeros(weights.k * n);
    let y = Shared::new(sum);
    context.each(weights.k.div_ceil(INPUTS), |block, _| {
        let (mut start, end) = (block * INPUTS, weights.k.min((block + 1) * INPUTS));
        let mut first = 0;
        for source in sources {
            let last = (first + source.k).min(end);
            if start >= first && start < last {
                let inputs = last - start;
                // SAFETY: the caller's rows; tasks add to rows of `y` of their own.
                unsafe {
                    let a = source.data.at(start - first);
                    outer(context.kernel, rows, (a, source.row, inputs), (b.0.at(0), b.1, n), y.at(start * n));
                }
                start = last;
            }
            first += source.k;
        }
    });
    weights.scatter(sum, flat);
}

/// Sums `n` numbers over `rows` rows of each of `frames` frames: `out [frame, n]`.
///
/// # Safety
/// The rows exist, and nobody writes them meanwhile.
pub(super) unsafe fn sums_by_frame(
    context: Context<'_>,
    (frames, rows): (usize, usize),
    (data, row): (Shared, usize),
    n: usize,
    out: &mut [f32],
) {
    let out_len = out.len();
    let out = Shared::new(out);
    debug_assert_eq!(out_len, frames * n);
    context.each(frames, |frame, _| {
        // SAFETY: the caller's rows; every task writes the sums of its frame.
        unsafe { sum_rows(context.kernel, data.at(frame * rows * row), row, rows, n, out.at(frame * n)) };
    });
}

#[inline(always)]
unsafe fn sum_rows_generic<S: Simd>(data: *const f32, row: usize, rows: usize, n: usize, out: *mut f32) {
    for c in (0..n).step_by(S::LANES) {
        // SAFETY: the caller's rows.
        unsafe {
            let mut sum = S::splat(0.0);
            for r in 0..rows {
                sum = S::add(sum, S::load(data.add(r * row + c)));
            }
            S::store(out.add(c), sum);
        }
    }
}

dispatched! {
    /// Sums of `rows` rows of `n` numbers.
    fn sum_rows(data: *const f32, row: usize, rows: usize, n: usize, out: *mut f32) = sum_rows_generic
}

/// Sums `[frame, n]` over frames.
pub(super) fn sum_of_frames(sums: &[f32], n: usize) -> impl Iterator<Item = f32> + '_ {
    (0..n).map(move |i| sums[i..].iter().step_by(n).map(|&v| f64::from(v)).sum::<f64>() as f32)
}
