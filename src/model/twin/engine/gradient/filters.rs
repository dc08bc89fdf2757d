//! 3 x 3 filters at the places of Winograd's tiles, packed for the products there, and the way back.

use super::super::buffer::{Buffer, Shared};
use super::super::product::{Operand, panel_of};
use super::super::simd::Kernel;
use super::super::winograd::Tile;
use super::room::Context;

/// No parameter stands here: zero, for ever.
const NONE: u32 = u32::MAX;

/// Filters of some groups: `k` inputs (of all frames that are seen) to `n` outputs.
#[derive(Debug)]
pub(super) struct Filters {
    kernel: Kernel,
    tile: Tile,
    lines: Vec<[f64; 3]>,
    groups: usize,
    /// Inputs and outputs of a group, with padding.
    pub k: usize,
    pub n: usize,
    /// `[group, k, tap, n]`: parameters.
    parameters: Vec<u32>,
    /// `[group, place]`, each packed for a product.
    data: Buffer,
}

impl Filters {
    /// `parameter(group, k, tap, n)` tells the parameter of one of nine taps.
    pub fn new(
        kernel: Kernel,
        tile: Tile,
        groups: usize,
        (k, n): (usize, usize),
        parameter: impl Fn(usize, usize, usize, usize) -> Option<usize>,
    ) -> Self {
        let mut parameters = Vec::with_capacity(groups * k * 9 * n);
        for row in 0..groups * k * 9 {
            let (group, input, tap) = (row / 9 / k, row / 9 % k, row % 9);
            let at =
                |o| parameter(group, input, tap, o).map_or(NONE, |at| u32::try_from(at).expect("sizes are checked"));
            parameters.extend((0..n).map(at));
        }
        let data = Buffer::zeros(groups * tile.places() * k * n);
        Self { kernel, tile, lines: tile.lines(), groups, k, n, parameters, data }
    }

    /// Numbers of one group at all places.
    pub fn size(&self) -> usize {
        self.tile.places() * self.k * self.n
    }

    /// The weights of a group at a place.
    pub fn operand(&self, group: usize, place: usize) -> Operand {
        let data = &self.data[(group * self.tile.places() + place) * self.k * self.n..];
        Operand { data: data.as_ptr(), k: self.k, vectors: self.n / self.kernel.lanes(), row: None }
    }

    /// Transforms the effective weights of this step.
    pub fn pack(&mut self, effective: &[f32]) {
        let (side, n, k, size) = (self.lines.len(), self.n, self.k, self.size());
        let mut taps = vec![0.0f64; 9 * n];
        // `[line, column tap, output]`.
        let mut half = vec![0.0f64; 3 * side * n];
        for row in 0..self.groups * k {
            for (tap, &at) in taps.iter_mut().zip(&self.parameters[row * 9 * n..]) {
                *tap = if at == NONE { 0.0 } else { f64::from(effective[at as usize]) };
            }
            for (i, line) in self.lines.iter().enumerate() {
                for b in 0..3 {
                    let to = &mut half[(i * 3 + b) * n..][..n];
                    for (o, to) in to.iter_mut().enumerate() {
                        *to = (0..3).map(|a| line[a] * taps[(a * 3 + b) * n + o]).sum();
                    }
                }
            }
            let (group, input) = (row / k, row % k);
            for i in 0..side {
                for (j, line) in self.lines.iter().enumerate() {
                    let packed = &mut self.data[group * size + (i * side + j) * k * n..][..k * n];
                    let mut column = 0;
                    while column < n {
                        let (start, width) = panel_of(self.kernel, k, n, column);
                        for (o, to) in packed[start + input * width..][..width].iter_mut().enumerate() {
                            let at = |b: usize| half[(i * 3 + b) * n + column + o];
                            *to = (line[0] * at(0) + line[1] * at(1) + line[2] * at(2)) as f32;
                        }
                        column += width;
                    }
                }
            }
        }
    }

    /// Adds gradients at all places, `[group, part, place, k, n]`, to those of the parameters; `taps` has room for
    /// `[group, k, tap, n]`.
    pub fn scatter(&self, context: Context<'_>, gradients: &[f32], parts: usize, taps: &mut [f32], flat: &mut [f32]) {
        let (side, n, k, size) = (self.lines.len(), self.n, self.k, self.size());
        let lines: Vec<[f32; 3]> = self.lines.iter().map(|line| line.map(|v| v as f32)).collect();
        let to = Shared::new(taps);
        context.each(self.groups * k, |row, scratch| {
            let (group, input) = (row / k, row % k);
            // SAFETY: tasks write rows of their own.
            let taps = unsafe { std::slice::from_raw_parts_mut(to.at(row * 9 * n), 9 * n) };
            taps.fill(0.0);
            let (half, sum) = scratch.rooms[0].fit(4 * n).split_at_mut(3 * n);
            for (i, row_of) in lines.iter().enumerate() {
                half.fill(0.0);
                for (j, column) in lines.iter().enumerate() {
                    let at = |part: usize| (group * parts + part) * size + ((i * side + j) * k + input) * n;
                    sum.copy_from_slice(&gradients[at(0)..][..n]);
                    for part in 1..parts {
                        sum.iter_mut().zip(&gradients[at(part)..][..n]).for_each(|(sum, value)| *sum += value);
                    }
                    for (half, &factor) in half.chunks_exact_mut(n).zip(column) {
                        half.iter_mut().zip(&*sum).for_each(|(half, sum)| *half += factor * sum);
                    }
                }
                for (taps, &factor) in taps.chunks_exact_mut(3 * n).zip(row_of) {
                    taps.iter_mut().zip(&*half).for_each(|(tap, half)| *tap += factor * half);
                }
            }
        });
        for (&gradient, &at) in taps.iter().zip(&self.parameters) {
            if at != NONE {
                flat[at as usize] += gradient;
            }
        }
    }
}
