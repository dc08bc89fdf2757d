//! GELU and tanh on rows, forwards and backwards.

use super::super::buffer::Shared;
use super::super::math::{gelu_rows, gelu_slope};
use super::super::simd::{Simd, dispatched};
use super::room::Context;

/// Rows of one task.
const ROWS: usize = 1024;

#[inline(always)]
unsafe fn gelu_back_generic<S: Simd>(
    x: *const f32,
    x_row: usize,
    dy: *const f32,
    dy_row: usize,
    dx: *mut f32,
    dx_row: usize,
    rows: usize,
    n: usize,
) {
    for r in 0..rows {
        for c in (0..n).step_by(S::LANES) {
            // SAFETY: the caller's rows.
            unsafe {
                let to = dx.add(r * dx_row + c);
                let slope = gelu_slope::<S>(S::load(x.add(r * x_row + c)));
                S::store(to, S::fma(slope, S::load(dy.add(r * dy_row + c)), S::load(to)));
            }
        }
    }
}

dispatched! {
    /// `dx += gelu'(x) * dy` for rows of `n` numbers.
    fn gelu_back_rows(
        x: *const f32, x_row: usize, dy: *const f32, dy_row: usize, dx: *mut f32, dx_row: usize, rows: usize, n: usize,
    ) = gelu_back_generic
}

/// `y = gelu(x)` of `rows` rows of `n` numbers.
///
/// # Safety
/// The rows exist with the strides told, and nobody else writes them meanwhile.
pub(super) unsafe fn gelu(context: Context<'_>, rows: usize, n: usize, x: (Shared, usize), y: (Shared, usize)) {
    context.each(rows.div_ceil(ROWS), |block, _| {
        let first = block * ROWS;
        let count = ROWS.min(rows - first);
        // SAFETY: the caller's rows; tasks write rows of their own.
        unsafe { gelu_rows(context.kernel, x.0.at(first * x.1), x.1, y.0.at(first * y.1), y.1, count, n) };
    });
}

/// `dx += gelu'(x) * dy` of `rows` rows of `n` numbers.
///
/// # Safety
/// As [`gelu`].
pub(super) unsafe fn gelu_back(
    context: Context<'_>,
    rows: usize,
    n: usize,
    x: (Shared, usize),
    dy: (Shared, usize),
    dx: (Shared, usize),
) {
    context.each(rows.div_ceil(ROWS), |block, _| {
        let first = block * ROWS;
        let count = ROWS.min(rows - first);
        // SAFETY: the caller's rows; tasks write rows of their own.
        unsafe {
            let (x_at, dy_at, dx_at) = (x.0.at(first * x.1), dy.0.at(first * dy.1), dx.0.at(first * dx.1));
            gelu_back_rows(context.kernel, x_at, x.1, dy_at, dy.1, dx_at, dx.1, count, n);
        }
    });
}
