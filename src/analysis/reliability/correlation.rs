//! Correlation of two series, at once or value by value.

/// Spread below which a series is constant, relative to its mean: far above the rounding of f64, far below the 1e-7 that
/// responses in f32 are apart.
pub(super) const LEAST_SPREAD: f64 = 1e-12;

/// Means, squares and products about the means of pairs that come one by one (Welford's updates: no large sums are
/// subtracted from each other).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Moments {
    count: f64,
    mean: [f64; 2],
    square: [f64; 2],
    product: f64,
}

impl Moments {
    /// Adds a pair, unless one of both is NaN.
    pub fn push(&mut self, a: f64, b: f64) {
        if a.is_nan() || b.is_nan() {
            return;
        }
        self.count += 1.0;
        let before = [a - self.mean[0], b - self.mean[1]];
        self.mean[0] += before[0] / self.count;
        self.mean[1] += before[1] / self.count;
        let after = [a - self.mean[0], b - self.mean[1]];
        self.square[0] += before[0] * after[0];
        self.square[1] += before[1] * after[1];
        self.product += before[0] * after[1];
    }

    /// Number of pairs.
    pub fn count(&self) -> usize {
        self.count as usize
    }

    /// Mean of the first and of the second of all pairs; `None` before the first pair.
    pub fn means(&self) -> Option<(f64, f64)> {
        (self.count > 0.0).then_some((self.mean[0], self.mean[1]))
    }

    /// Pearson's correlation, -1..=1; `None` when there are fewer than two pairs, or one of both is constant.
    pub fn correlation(&self) -> Option<f64> {
        let varies = |k: usize| self.square[k] > self.count * (LEAST_SPREAD * self.mean[k]).powi(2);
        // The root of each, as the product of two small squares may vanish.
        (self.count >= 2.0 && varies(0) && varies(1))
            .then(|| (self.product / self.square[0].sqrt() / self.square[1].sqrt()).clamp(-1.0, 1.0))
            .filter(|correlation| correlation.is_finite())
    }
}

/// Pearson's correlation of two series over the places where both have a value (NaN is none); `None` when these are
/// fewer than two, or when one of the series is constant there.
pub fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let mut moments = Moments::default();
    a.iter().zip(b).for_each(|(&a, &b)| moments.push(a, b));
    moments.correlation()
}
