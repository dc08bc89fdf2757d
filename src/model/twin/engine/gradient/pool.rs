//! Average pooling and its way back.

use super::super::buffer::Shared;
use super::super::simd::{Simd, dispatched};
use super::room::Context;
use crate::signals::Raster;

/// Averages squares of `side` pixels of `n` numbers; what does not fill a square is left out.
///
/// # Safety
/// `from` and `to` hold all frames of both rasters, and nobody else writes `to` meanwhile.
pub(super) unsafe fn pool(
    context: Context<'_>,
    frames: usize,
    (raster, side): (Raster, usize),
    n: usize,
    from: Shared,
    to: Shared,
) {
    let (height, width) = (raster.height / side, raster.width / side);
    context.each(frames, |frame, _| {
        // SAFETY: both rooms hold the frame; tasks write frames of their own.
        unsafe {
            let (from, to) = (from.at(frame * raster.pixels() * n), to.at(frame * height * width * n));
            average(context.kernel, from, raster.width, side, n, to, (height, width));
        }
    });
}

/// Spreads gradients of averages over their squares.
///
/// # Safety
/// As [`pool`].
pub(super) unsafe fn spread(
    context: Context<'_>,
    frames: usize,
    (raster, side): (Raster, usize),
    n: usize,
    from: Shared,
    to: Shared,
) {
    let (height, width) = (raster.height / side, raster.width / side);
    let share = 1.0 / (side * side) as f32;
    context.each(frames, |frame, _| {
        for pixel in 0..raster.pixels() {
            let (y, x) = (pixel / raster.width / side, pixel % raster.width / side);
            // SAFETY: both pictures have these pixels; tasks write frames of their own.
            unsafe {
                let out = std::slice::from_raw_parts_mut(to.at((frame * raster.pixels() + pixel) * n), n);
                if y < height && x < width {
                    let line = std::slice::from_raw_parts(from.at(((frame * height + y) * width + x) * n), n);
                    out.iter_mut().zip(line).for_each(|(out, &value)| *out = value * share);
                } else {
                    out.fill(0.0);
                }
            }
        }
    });
}

#[inline(always)]
unsafe fn average_generic<S: Simd>(
    from: *const f32,
    row: usize,
    side: usize,
    n: usize,
    to: *mut f32,
    (height, width): (usize, usize),
) {
    let share = 1.0 / (side * side) as f32;
    for y in 0..height {
        for x in 0..width {
            for c in (0..n).step_by(S::LANES) {
                // SAFETY: the caller's pictures.
                unsafe {
                    let mut sum = S::splat(0.0);
                    for i in 0..side {
                        for j in 0..side {
                            sum = S::add(sum, S::load(from.add(((y * side + i) * row + x * side + j) * n + c)));
                        }
                    }
                    S::store(to.add((y * width + x) * n + c), S::mul(sum, S::splat(share)));
                }
            }
        }
    }
}

dispatched! {
    /// Means of squares of pixels of one frame whose rows have `row` pixels.
    fn average(from: *const f32, row: usize, side: usize, n: usize, to: *mut f32, size: (usize, usize)) =
        average_generic
}
