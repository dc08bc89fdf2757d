//! The noise ceiling: the correlation that a perfect prediction would reach with a mean over few noisy repeats.

use super::UnitRepeats;
use super::correlation::LEAST_SPREAD;

/// Which variances the ceiling is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Freedom {
    /// As published with Wang et al. 2025: signal power from variances over T - 1, divided by a variance over T. With T
    /// frames it is too large by √(T / (T - 1)): identical repeats reach more than 1.
    #[default]
    Published,
    /// Every variance over T - 1, so that identical repeats reach exactly 1.
    Consistent,
}

/// Why there is no ceiling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NoCeiling {
    /// Signal cannot be told from noise.
    #[error("no frame was measured more than once")]
    OneRepeat,
    /// Fewer than two frames, or a mean that is constant.
    #[error("the mean response does not vary")]
    Flat,
    /// The estimate of the signal's power is not positive.
    #[error("the repeats agree no better than by chance")]
    Unreliable,
}

/// CC_max of Schoppe et al. 2016: √(SP / Var(mean)), with the signal power SP = (n Var(mean) - mean Var(repeat)) / (n - 1).
///
/// Where repeats are missing, n = √(Σ (t - 1) / Σ ((t - 1) / t²)) over the frames, t the number of repeats measured at
/// each; a frame that was never measured does not count. The variance of a repeat is over what it has.
///
/// # Errors
/// When the ceiling is not defined, and why.
pub fn ceiling(response: &UnitRepeats, freedom: Freedom) -> Result<f64, NoCeiling> {
    let mut sums = CeilingSums::default();
    for (repeat, row) in response.rows().enumerate() {
        row.iter().filter(|value| !value.is_nan()).for_each(|&value| sums.add(repeat, value));
    }
    for frame in 0..response.frames() {
        sums.end_frame(response.measured(frame).count(), response.measured(frame).sum());
    }
    sums.ceiling(freedom)
}

/// [`ceiling`], or `None`.
pub fn cc_max(response: &UnitRepeats, freedom: Freedom) -> Option<f64> {
    ceiling(response, freedom).ok()
}

/// CC_norm = CC_abs / CC_max: the share of what can be predicted that is predicted.
pub fn cc_norm(cc_abs: Option<f64>, cc_max: Option<f64>) -> Option<f64> {
    Some(cc_abs? / cc_max.filter(|&most| most > 0.0)?)
}

/// What a ceiling is made of, gathered response by response, so that none needs to be kept.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CeilingSums {
    /// Σ (t - 1) and Σ ((t - 1) / t²) over the frames.
    above: f64,
    below: f64,
    mean: Spread,
    repeats: Vec<Spread>,
}

impl CeilingSums {
    /// Adds a response that was measured in a repeat.
    pub fn add(&mut self, repeat: usize, response: f64) {
        if repeat >= self.repeats.len() {
            self.repeats.resize(repeat + 1, Spread::default());
        }
        self.repeats[repeat].push(response);
    }

    /// A frame was shown for the last time: in how many repeats it was measured, and the sum of these responses.
    pub fn end_frame(&mut self, measured: usize, sum: f64) {
        if measured > 0 {
            let t = measured as f64;
            self.above += t - 1.0;
            self.below += (t - 1.0) / (t * t);
            self.mean.push(sum / t);
        }
    }

    /// [`ceiling`] of all that was added.
    ///
    /// # Errors
    /// When the ceiling is not defined, and why.
    pub fn ceiling(&self, freedom: Freedom) -> Result<f64, NoCeiling> {
        if self.below == 0.0 {
            return Err(NoCeiling::OneRepeat);
        }
        let n = (self.above / self.below).sqrt();
        let mean = self.mean;
        let of_mean = mean.variance().filter(|_| mean.varies()).ok_or(NoCeiling::Flat)?;
        let of_repeats: Vec<f64> = self.repeats.iter().filter_map(|repeat| repeat.variance()).collect();
        if of_repeats.is_empty() {
            return Err(NoCeiling::Flat);
        }
        let of_repeat = of_repeats.iter().sum::<f64>() / of_repeats.len() as f64;
        let signal = (n * of_mean - of_repeat) / (n - 1.0);
        if signal <= 0.0 {
            return Err(NoCeiling::Unreliable);
        }
        let total = match freedom {
            Freedom::Published => of_mean * (mean.count - 1.0) / mean.count,
            Freedom::Consistent => of_mean,
        };
        Ok((signal / total).sqrt())
    }
}

/// Number, mean and squares about it of what was measured, value by value (Welford's updates).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Spread {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Spread {
    fn push(&mut self, value: f64) {
        self.count += 1.0;
        let before = value - self.mean;
        self.mean += before / self.count;
        self.squares += before * (value - self.mean);
    }

    /// Over count - 1.
    fn variance(&self) -> Option<f64> {
        (self.count >= 2.0).then(|| self.squares / (self.count - 1.0))
    }

    /// Whether it is more than rounding.
    fn varies(&self) -> bool {
        self.squares > self.count * (LEAST_SPREAD * self.mean).powi(2)
    }
}
