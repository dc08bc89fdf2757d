//! The one product of the network: `Y[pixel, output] = start + Σ_segments Σ_k X[pixel, k] W[k, output]`.
//!
//! Channels lie side by side, so a number of X is broadcast and a vector of outputs is multiplied: nothing is packed
//! per frame. A list of segments reads inputs that lie in several places (groups, parts, the taps of a kernel) as if
//! they were concatenated. The weights are packed once into panels as wide as a register tile.

use super::buffer::Buffer;
use super::simd::{Kernel, Simd, dispatched};

/// Vectors in a panel of weights, the width of a register tile.
const PANEL: usize = 2;

/// Weights `[k, output]` in the order in which the product reads them.
#[derive(Debug)]
pub(in crate::model) struct Panels {
    data: Buffer,
    k: usize,
    vectors: usize,
}

impl Panels {
    /// Packs `weight(k, output)`; `outputs` is a multiple of the kernel's lanes.
    pub fn pack(kernel: Kernel, k: usize, outputs: usize, weight: impl Fn(usize, usize) -> f64) -> Self {
        let vectors = outputs / kernel.lanes();
        let mut data = Buffer::zeros(k * outputs);
        let panel = panel_width(kernel, vectors);
        for start in (0..outputs).step_by(panel.max(1)) {
            let width = panel.min(outputs - start);
            for row in 0..k {
                for n in 0..width {
                    data[start * k + row * width + n] = weight(row, start + n) as f32;
                }
            }
        }
        Self { data, k, vectors }
    }

    /// As the right side of a product.
    pub fn operand(&self) -> Operand {
        Operand { data: self.data.as_ptr(), k: self.k, vectors: self.vectors, row: None }
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.data.len() * 4
    }
}

/// Numbers in a full panel. The `gemm` crate wants the whole matrix in one piece.
fn panel_width(kernel: Kernel, vectors: usize) -> usize {
    match kernel {
        Kernel::Portable => vectors * kernel.lanes(),
        #[cfg(target_arch = "x86_64")]
        _ => PANEL * kernel.lanes(),
    }
}

/// Where the transposed keys of attention go so that they can be read as packed weights: the panel's start and width
/// for output `n`.
pub(super) fn panel_of(kernel: Kernel, k: usize, outputs: usize, n: usize) -> (usize, usize) {
    let panel = panel_width(kernel, outputs / kernel.lanes());
    let start = n / panel * panel;
    (start * k, panel.min(outputs - start))
}

/// The right side of a product: packed panels, or the rows of a plain matrix.
#[derive(Debug, Clone, Copy)]
pub(in crate::model) struct Operand {
    /// First number.
    pub data: *const f32,
    /// Rows: inputs of all segments together.
    pub k: usize,
    /// Columns, in vectors.
    pub vectors: usize,
    /// Numbers from row to row of a plain matrix; `None` for packed panels.
    pub row: Option<usize>,
}

/// One piece of the left side: `k` neighbouring numbers in every pixel.
#[derive(Debug, Clone, Copy)]
pub(in crate::model) struct Segment {
    /// First number of the first pixel.
    pub data: *const f32,
    /// Numbers read of a pixel.
    pub k: usize,
    /// Numbers from pixel to pixel.
    pub stride: usize,
}

/// What a product starts from.
#[derive(Debug, Clone, Copy)]
pub(in crate::model) enum Start {
    /// Zero.
    Zero,
    /// The same vector in every pixel.
    Bias(*const f32),
    /// What already stands in the output.
    Output,
}

/// Pixels of a product.
#[derive(Debug, Clone, Copy)]
pub(in crate::model) struct Pixels {
    /// How many.
    pub count: usize,
    /// Numbers from pixel to pixel of the output.
    pub output: usize,
}

/// Computes a product on one thread.
///
/// # Safety
/// The machine has the instruction set; segments, weights and output exist with the strides told, and nobody else
/// writes them meanwhile.
#[inline]
pub(in crate::model) unsafe fn product(
    kernel: Kernel,
    pixels: Pixels,
    segments: &[Segment],
    weights: Operand,
    start: Start,
    y: *mut f32,
) {
    debug_assert_eq!(segments.iter().map(|s| s.k).sum::<usize>(), weights.k);
    // SAFETY: the caller's.
    unsafe {
        match kernel {
            Kernel::Portable => portable(pixels, segments, weights, start, y),
            #[cfg(target_arch = "x86_64")]
            _ => vectorised(kernel, pixels, segments, weights, start, y),
        }
    }
}

/// The same with the `gemm` crate, one call a segment.
unsafe fn portable(pixels: Pixels, segments: &[Segment], weights: Operand, start: Start, y: *mut f32) {
    let n = weights.vectors * Kernel::Portable.lanes();
    let row = weights.row.unwrap_or(n);
    if let Start::Bias(bias) = start {
        for pixel in 0..pixels.count {
            // SAFETY: the caller's output and bias.
            unsafe { std::ptr::copy_nonoverlapping(bias, y.add(pixel * pixels.output), n) };
        }
    }
    let mut read = !matches!(start, Start::Zero);
    let mut w = weights.data;
    for segment in segments {
        // SAFETY: the caller's segments, weights and output.
        unsafe {
            gemm::gemm(
                pixels.count,
                n,
                segment.k,
                y,
                1,
                pixels.output as isize,
                read,
                segment.data,
                1,
                segment.stride as isize,
                w,
                1,
                row as isize,
                1.0,
                1.0,
                false,
                false,
                false,
                gemm::Parallelism::None,
            );
            w = w.add(segment.k * row);
        }
        read = true;
    }
}

dispatched! {
    /// The product by register tiles.
    fn vectorised(pixels: Pixels, segments: &[Segment], weights: Operand, start: Start, y: *mut f32) = tiles
}

#[inline(always)]
unsafe fn tiles<S: Simd>(pixels: Pixels, segments: &[Segment], weights: Operand, start: Start, y: *mut f32) {
    let mut vector = 0;
    while vector < weights.vectors {
        let width = PANEL.min(weights.vectors - vector);
        let n = vector * S::LANES;
        // SAFETY: the caller's weights, output and bias, which reach to `vectors`.
        unsafe {
            let (w, row) = match weights.row {
                Some(row) => (weights.data.add(n), row),
                None => (weights.data.add(n * weights.k), width * S::LANES),
            };
            let start = if let Start::Bias(bias) = start { Start::Bias(bias.add(n)) } else { start };
            if width == PANEL {
                panel::<S, PANEL>(pixels, segments, w, row, start, y.add(n));
            } else {
                panel::<S, 1>(pixels, segments, w, row, start, y.add(n));
            }
        }
        vector += width;
    }
}

/// All pixels against one panel.
#[inline(always)]
unsafe fn panel<S: Simd, const WIDTH: usize>(
    pixels: Pixels,
    segments: &[Segment],
    w: *const f32,
    row: usize,
    start: Start,
    y: *mut f32,
) {
    let mut first = 0;
    while first < pixels.count {
        let left = pixels.count - first;
        // SAFETY: `first` and the pixels of the tile lie below `count`.
        unsafe {
            let y = y.add(first * pixels.output);
            first += if left >= S::ROWS {
                if S::ROWS == 12 {
                    tile::<S, 12, WIDTH>(pixels, first, segments, w, row, start, y);
                } else {
                    tile::<S, 6, WIDTH>(pixels, first, segments, w, row, start, y);
                }
                S::ROWS
            } else if left >= 4 {
                tile::<S, 4, WIDTH>(pixels, first, segments, w, row, start, y);
                4
            } else if left >= 2 {
                tile::<S, 2, WIDTH>(pixels, first, segments, w, row, start, y);
                2
            } else {
                tile::<S, 1, WIDTH>(pixels, first, segments, w, row, start, y);
                1
            };
        }
    }
}

/// A tile of `ROWS` pixels and `WIDTH` vectors, held in registers.
#[inline(always)]
unsafe fn tile<S: Simd, const ROWS: usize, const WIDTH: usize>(
    pixels: Pixels,
    first: usize,
    segments: &[Segment],
    mut w: *const f32,
    row: usize,
    start: Start,
    y: *mut f32,
) {
    // SAFETY: the caller's pixels, weights and output.
    unsafe {
        let mut sum = [[S::splat(0.0); WIDTH]; ROWS];
        match start {
            Start::Zero => {}
            Start::Bias(bias) => {
                for v in 0..WIDTH {
                    let b = S::load(bias.add(v * S::LANES));
                    for line in &mut sum {
                        line[v] = b;
                    }
                }
            }
            Start::Output => {
                for (r, line) in sum.iter_mut().enumerate() {
                    for (v, value) in line.iter_mut().enumerate() {
                        *value = S::load(y.add(r * pixels.output + v * S::LANES));
                    }
                }
            }
        }
        for segment in segments {
            let x = segment.data.add(first * segment.stride);
            for k in 0..segment.k {
                let mut weight = [S::splat(0.0); WIDTH];
                for (v, value) in weight.iter_mut().enumerate() {
                    *value = S::load(w.add(v * S::LANES));
                }
                for (r, line) in sum.iter_mut().enumerate() {
                    let a = S::splat(*x.add(r * segment.stride + k));
                    for (value, &b) in line.iter_mut().zip(&weight) {
                        *value = S::fma(a, b, *value);
                    }
                }
                w = w.add(row);
            }
        }
        for (r, line) in sum.iter().enumerate() {
            for (v, &value) in line.iter().enumerate() {
                S::store(y.add(r * pixels.output + v * S::LANES), value);
            }
        }
    }
}
