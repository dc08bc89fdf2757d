//! A linear map that is packed once for many products.

use super::product::{Matrix, Start, product};
use super::rows::fill_rows;
use crate::model::twin::engine::product as tiles;
use crate::model::twin::engine::simd::Kernel;

/// `x Wᵀ + bias` for rows `x`.
#[derive(Debug)]
pub(super) struct Dense {
    inputs: usize,
    outputs: usize,
    weights: Weights,
}

#[derive(Debug)]
enum Weights {
    /// Of whole vectors; a bias is one more input, which is always 1.
    Packed(Kernel, tiles::Panels),
    /// `[output, input]`, for outputs that are no multiple of a vector, and the bias.
    Plain(Vec<f32>, Vec<f32>),
}

/// The input of a bias.
static ONE: f32 = 1.0;

impl Dense {
    /// Of `weight [output, input]`.
    pub fn new(weight: &[f32], outputs: usize, bias: Option<&[f32]>) -> Self {
        let fits = |kernel: &Kernel| outputs.is_multiple_of(kernel.lanes());
        Self::with_kernel(Kernel::available().into_iter().find(fits), weight, outputs, bias)
    }

    /// The same with the vectors of this kernel.
    fn with_kernel(kernel: Option<Kernel>, weight: &[f32], outputs: usize, bias: Option<&[f32]>) -> Self {
        let inputs = weight.len() / outputs;
        let weights = match kernel {
            Some(kernel) => {
                let value = |input: usize, output: usize| match bias {
                    Some(bias) if input == inputs => bias[output],
                    _ => weight[output * inputs + input],
                };
                let k = inputs + usize::from(bias.is_some());
                let panels = tiles::Panels::pack(kernel, k, outputs, |k, output| f64::from(value(k, output)));
                Weights::Packed(kernel, panels)
            }
            None => Weights::Plain(weight.to_vec(), bias.map_or_else(|| vec![0.0; outputs], <[f32]>::to_vec)),
        };
        Self { inputs, outputs, weights }
    }

    /// `y = start + x Wᵀ + bias`, on one thread. Of packed weights every row comes out the same whatever rows are beside it.
    pub fn apply(&self, x: &[f32], y: &mut [f32], start: Start) {
        let rows = x.len() / self.inputs;
        assert!(
            x.len() == rows * self.inputs && y.len() == rows * self.outputs,
            "as many rows of results as of inputs"
        );
        match &self.weights {
            Weights::Packed(kernel, panels) => {
                let operand = panels.operand();
                let x = tiles::Segment { data: x.as_ptr(), k: self.inputs, stride: self.inputs };
                let one = tiles::Segment { data: &raw const ONE, k: operand.k - self.inputs, stride: 0 };
                let start = match start {
                    Start::Zero => tiles::Start::Zero,
                    Start::Result => tiles::Start::Output,
                };
                let pixels = tiles::Pixels { count: rows, output: self.outputs };
                let segments = [x, one];
                let segments = if one.k == 0 { &segments[..1] } else { &segments };
                // SAFETY: the machine has the kernel, as it was asked; all rows of both slices were just counted, the
                // weights have as many inputs as both segments, and the outputs are whole vectors.
                unsafe { tiles::product(*kernel, pixels, segments, operand, start, y.as_mut_ptr()) };
            }
            Weights::Plain(weight, bias) => {
                match start {
                    Start::Zero => fill_rows(y, bias),
                    Start::Result => {
                        for y in y.chunks_exact_mut(self.outputs) {
                            y.iter_mut().zip(bias).for_each(|(y, bias)| *y += bias);
                        }
                    }
                }
                let weight = Matrix::rows(weight, self.inputs).transposed();
                product(y, self.outputs, Matrix::rows(x, self.inputs), weight, 1.0, Start::Result);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers between -1 and 1 without order.
    fn numbers(count: usize, step: usize) -> Vec<f32> {
        (0..count).map(|index| (index * step % 1009) as f32 / 504.5 - 1.0).collect()
    }

    #[test]
    fn every_kernel_adds_what_the_formula_says_whatever_rows_are_beside() {
        let (rows, inputs) = (19, 37);
        for outputs in [16, 32, 40, 21] {
            let (x, weight, bias) = (numbers(rows * inputs, 617), numbers(outputs * inputs, 401), numbers(outputs, 89));
            let before = numbers(rows * outputs, 211);
            let kernels = Kernel::available().into_iter().filter(|kernel| outputs.is_multiple_of(kernel.lanes()));
            for kernel in kernels.map(Some).chain([None]) {
                for (bias, start) in [
                    (None, Start::Zero),
                    (Some(&bias), Start::Zero),
                    (None, Start::Result),
                    (Some(&bias), Start::Result),
                ] {
                    let dense = Dense::with_kernel(kernel, &weight, outputs, bias.map(|bias| &bias[..]));
                    let mut y = before.clone();
                    dense.apply(&x, &mut y, start);
                    for (at, &found) in y.iter().enumerate() {
                        let (row, output) = (at / outputs, at % outputs);
                        let terms = x[row * inputs..][..inputs].iter().zip(&weight[output * inputs..][..inputs]);
                        let sum: f64 = terms.map(|(&x, &w)| f64::from(x) * f64::from(w)).sum();
                        let bias = bias.map_or(0.0, |bias| f64::from(bias[output]));
                        let first = if start == Start::Result { f64::from(before[at]) } else { 0.0 };
                        let expected = first + sum + bias;
                        assert!((f64::from(found) - expected).abs() < 1e-5, "{kernel:?} {at}: {found} {expected}");
                    }
                    let mut last = before[(rows - 1) * outputs..].to_vec();
                    dense.apply(&x[(rows - 1) * inputs..], &mut last, start);
                    let is_packed = matches!(kernel, Some(kernel) if kernel != Kernel::Portable);
                    assert!(!is_packed || last == y[(rows - 1) * outputs..], "{kernel:?}: a row alone");
                }
            }
        }
    }
}
