//! The product of weight gradients: `Y[k, n] += Σ_rows A[row, k] B[row, n]`, sums over pixels and frames.

use super::super::product::panel_of;
use super::super::simd::{Kernel, Simd, dispatched};

/// Rows that are summed in registers before the sum goes to memory: their inputs stay in the cache, and short sums of
/// sums round less than long ones.
const ROWS: usize = 192;

/// Adds the product to `y [k, n]`; `k` and `n` are multiples of the kernel's lanes.
///
/// # Safety
/// The machine has the instruction set; all places exist and nobody else writes them meanwhile.
pub(super) unsafe fn outer(
    kernel: Kernel,
    rows: usize,
    (a, a_row, k): (*const f32, usize, usize),
    (b, b_row, n): (*const f32, usize, usize),
    y: *mut f32,
) {
    debug_assert_eq!(panel_of(kernel, k, n, 0).0, 0);
    // SAFETY: the caller's.
    unsafe {
        match kernel {
            Kernel::Portable => gemm::gemm(
                k,
                n,
                rows,
                y,
                1,
                n as isize,
                true,
                a,
                a_row as isize,
                1,
                b,
                1,
                b_row as isize,
                1.0,
                1.0,
                false,
                false,
                false,
                gemm::Parallelism::None,
            ),
            #[cfg(target_arch = "x86_64")]
            _ => vectorised(kernel, rows, a, a_row, k, b, b_row, n, y),
        }
    }
}

dispatched! {
    /// The product by register tiles.
    fn vectorised(
        rows: usize, a: *const f32, a_row: usize, k: usize, b: *const f32, b_row: usize, n: usize, y: *mut f32,
    ) = blocks
}

#[inline(always)]
unsafe fn blocks<S: Simd>(
    rows: usize,
    a: *const f32,
    a_row: usize,
    k: usize,
    b: *const f32,
    b_row: usize,
    n: usize,
    y: *mut f32,
) {
    let mut first = 0;
    while first < rows {
        let count = ROWS.min(rows - first);
        let mut column = 0;
        while column < n {
            // SAFETY: the caller's matrices.
            unsafe {
                let (a, b) = (a.add(first * a_row), b.add(first * b_row + column));
                let y = y.add(column);
                if n - column >= 2 * S::LANES {
                    panel::<S, 2>(count, a, a_row, k, b, b_row, n, y);
                    column += 2 * S::LANES;
                } else {
                    panel::<S, 1>(count, a, a_row, k, b, b_row, n, y);
                    column += S::LANES;
                }
            }
        }
        first += count;
    }
}

#[inline(always)]
unsafe fn panel<S: Simd, const WIDTH: usize>(
    rows: usize,
    a: *const f32,
    a_row: usize,
    k: usize,
    b: *const f32,
    b_row: usize,
    n: usize,
    y: *mut f32,
) {
    let mut at = 0;
    while at < k {
        let left = k - at;
        // SAFETY: the caller's matrices; tiles end at `k`.
        unsafe {
            let (a, y) = (a.add(at), y.add(at * n));
            // Tiles of four where that leaves a multiple of the large ones.
            if left >= S::ROWS && (left % S::ROWS).is_multiple_of(4) {
                if S::ROWS == 12 {
                    tile::<S, 12, WIDTH>(rows, a, a_row, b, b_row, n, y);
                } else {
                    tile::<S, 6, WIDTH>(rows, a, a_row, b, b_row, n, y);
                }
                at += S::ROWS;
            } else {
                tile::<S, 4, WIDTH>(rows, a, a_row, b, b_row, n, y);
                at += 4;
            }
        }
    }
}

#[inline(always)]
unsafe fn tile<S: Simd, const HEIGHT: usize, const WIDTH: usize>(
    rows: usize,
    mut a: *const f32,
    a_row: usize,
    mut b: *const f32,
    b_row: usize,
    n: usize,
    y: *mut f32,
) {
    // SAFETY: the caller's matrices.
    unsafe {
        let mut sum = [[S::splat(0.0); WIDTH]; HEIGHT];
        for _ in 0..rows {
            let mut right = [S::splat(0.0); WIDTH];
            for (v, value) in right.iter_mut().enumerate() {
                *value = S::load(b.add(v * S::LANES));
            }
            for (i, line) in sum.iter_mut().enumerate() {
                let left = S::splat(*a.add(i));
                for (value, &right) in line.iter_mut().zip(&right) {
                    *value = S::fma(left, right, *value);
                }
            }
            (a, b) = (a.wrapping_add(a_row), b.wrapping_add(b_row));
        }
        for (i, line) in sum.iter().enumerate() {
            for (v, &value) in line.iter().enumerate() {
                let at = y.add(i * n + v * S::LANES);
                S::store(at, S::add(S::load(at), value));
            }
        }
    }
}
