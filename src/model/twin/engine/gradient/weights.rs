//! Weights of one product in the order in which it reads them, forwards and backwards, and the way back for gradients.

use super::super::buffer::Buffer;
use super::super::product::{Operand, panel_of};
use super::super::simd::Kernel;

/// No parameter stands here: zero, for ever.
const NONE: u32 = u32::MAX;

/// A right side of a product that is packed anew in every step.
#[derive(Debug)]
pub(super) struct Packed {
    data: Buffer,
    /// Number of the row of parameters for each number of `data`.
    places: Vec<u32>,
    k: usize,
    vectors: usize,
}

impl Packed {
    fn new(kernel: Kernel, k: usize, n: usize, place: impl Fn(usize, usize) -> u32) -> Self {
        let mut places = vec![NONE; k * n];
        for column in 0..n {
            let (start, width) = panel_of(kernel, k, n, column);
            let first = start + (column - start / k.max(1));
            for row in 0..k {
                places[first + row * width] = place(row, column);
            }
        }
        Self { data: Buffer::zeros(k * n), places, k, vectors: n / kernel.lanes() }
    }

    fn pack(&mut self, effective: &[f32]) {
        for (value, &place) in self.data.iter_mut().zip(&self.places) {
            *value = if place == NONE { 0.0 } else { effective[place as usize] };
        }
    }

    /// As the right side of a product.
    pub fn operand(&self) -> Operand {
        Operand { data: self.data.as_ptr(), k: self.k, vectors: self.vectors, row: None }
    }
}

/// A matrix `[input k, output n]` of effective weights.
#[derive(Debug)]
pub(super) struct Weights {
    /// Inputs, with padding.
    pub k: usize,
    /// Outputs, with padding.
    pub n: usize,
    places: Vec<u32>,
    forward: Packed,
    /// Transposed, one for each segment of the inputs.
    backward: Vec<Packed>,
}

impl Weights {
    /// Inputs come in segments of these lengths, multiples of the kernel's lanes as `n` is; `place(k, n)` tells the
    /// parameter.
    pub fn new(kernel: Kernel, segments: &[usize], n: usize, place: impl Fn(usize, usize) -> Option<usize>) -> Self {
        let k = segments.iter().sum();
        let place = |k: usize, n: usize| place(k, n).map_or(NONE, |at| u32::try_from(at).expect("sizes are checked"));
        let mut places = Vec::with_capacity(k * n);
        for row in 0..k {
            places.extend((0..n).map(|column| place(row, column)));
        }
        let at = |row: usize, column: usize| places[row * n + column];
        let mut backward = Vec::with_capacity(segments.len());
        let mut start = 0;
        for &size in segments {
            backward.push(Packed::new(kernel, n, size, |row, column| at(start + column, row)));
            start += size;
        }
        let forward = Packed::new(kernel, k, n, at);
        Self { k, n, places, forward, backward }
    }

    /// Reads the effective weights of this step.
    pub fn pack(&mut self, effective: &[f32]) {
        self.forward.pack(effective);
        self.backward.iter_mut().for_each(|packed| packed.pack(effective));
    }

    /// For `outputs = inputs * weights`.
    pub fn forward(&self) -> Operand {
        self.forward.operand()
    }

    /// For `gradient of inputs = gradient of outputs * weights^T`, a segment of the inputs.
    pub fn backward(&self, segment: usize) -> Operand {
        self.backward[segment].operand()
    }

    /// Adds a gradient `[k, n]` to those of the parameters.
    pub fn scatter(&self, gradient: &[f32], flat: &mut [f32]) {
        for (&g, &place) in gradient.iter().zip(&self.places) {
            if place != NONE {
                flat[place as usize] += g;
            }
        }
    }
}
