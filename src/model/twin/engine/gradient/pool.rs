//! Average pooling and its way back.

use super::super::buffer::Shared;
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
    let share = 1.0 / (side * side) as f32;
    context.each(frames, |frame, _| {
        for (pixel, at) in (0..height * width).map(|i| (i, (i / width * raster.width + i % width) * side)) {
            // SAFETY: both pictures have these pixels; tasks write frames of their own.
            unsafe {
                let out = std::slice::from_raw_parts_mut(to.at((frame * height * width + pixel) * n), n);
                for tap in 0..side * side {
                    let at = frame * raster.pixels() + at + tap / side * raster.width + tap % side;
                    let line = std::slice::from_raw_parts(from.at(at * n), n);
                    if tap == 0 {
                        out.iter_mut().zip(line).for_each(|(out, &value)| *out = value * share);
                    } else {
                        out.iter_mut().zip(line).for_each(|(out, &value)| *out += value * share);
                    }
                }
            }
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
