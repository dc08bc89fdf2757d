//! Bilinear sampling that is differentiable in the coordinates.
//!
//! Not burn's `grid_sample_2d`: its modes differ between devices, and indices of coordinates far outside must be safe.

use burn::tensor::{Int, Tensor};

/// The four neighbours of every point and their weights. Coordinates are clamped to the picture; no gradient flows
/// where they are.
#[derive(Debug, Clone)]
pub struct Taps {
    /// Rows of the table, `[sample * point]` each.
    indices: [Tensor<1, Int>; 4],
    /// `[sample * point, 1]` each.
    weights: [Tensor<2>; 4],
}

impl Taps {
    /// Points `x`, `y` in pixels, `[sample, point]`, on `pictures` pictures: one for each sample, or one for all.
    pub fn new(x: Tensor<2>, y: Tensor<2>, height: usize, width: usize, pictures: usize) -> Self {
        let [samples, points] = x.dims();
        let (left, right, to_right) = Self::along(x, width);
        let (top, bottom, to_bottom) = Self::along(y, height);
        let (to_left, to_top) = (1.0 - to_right.clone(), 1.0 - to_bottom.clone());
        let width = width as i64;
        let (mut top, mut bottom) = (top * width, bottom * width);
        if pictures > 1 {
            let device = top.device().without_autodiff();
            let first = Tensor::<1, Int>::arange(0..pictures as i64, &device) * (height as i64 * width);
            let first = first.reshape([samples, 1]);
            (top, bottom) = (top + first.clone(), bottom + first);
        }
        let index =
            |row: &Tensor<2, Int>, column: &Tensor<2, Int>| (row.clone() + column.clone()).reshape([samples * points]);
        let weight =
            |row: &Tensor<2>, column: &Tensor<2>| (row.clone() * column.clone()).reshape([samples * points, 1]);
        Self {
            indices: [index(&top, &left), index(&top, &right), index(&bottom, &left), index(&bottom, &right)],
            weights: [
                weight(&to_top, &to_left),
                weight(&to_top, &to_right),
                weight(&to_bottom, &to_left),
                weight(&to_bottom, &to_right),
            ],
        }
    }

    /// The neighbours on both sides, and the distance from the first.
    fn along(at: Tensor<2>, size: usize) -> (Tensor<2, Int>, Tensor<2, Int>, Tensor<2>) {
        let last = size as i64 - 1;
        let at = at.clamp(0.0, last as f64);
        let floor = at.clone().detach().floor();
        let distance = at - floor.clone();
        // Clamped again as integers: a coordinate that is not a number may become any integer.
        let before = floor.without_autodiff().int().clamp(0, last);
        let after = (before.clone() + 1).clamp(0, last);
        (before, after, distance)
    }

    /// Samples a table `[picture * height * width, channel]`: `[sample * point, channel]`.
    pub fn sample(&self, table: Tensor<2>) -> Tensor<2> {
        let mut taps = self.indices.iter().zip(&self.weights).map(|(index, weight)| {
            let values = table.clone().select(0, index.clone());
            values * weight.clone()
        });
        let first = taps.next().expect("there are four taps");
        taps.fold(first, |sum, tap| sum + tap)
    }
}
