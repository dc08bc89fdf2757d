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
    let (mut above, mut below) = (0.0, 0.0);
    for frame in 0..response.frames() {
        let t = response.measured(frame).count() as f64;
        if t > 0.0 {
            above += t - 1.0;
            below += (t - 1.0) / (t * t);
        }
    }
    if below == 0.0 {
        return Err(NoCeiling::OneRepeat);
    }
    let n = (above / below).sqrt();
    let mean = Spread::of(&response.means());
    let of_mean = mean.variance().filter(|_| mean.varies()).ok_or(NoCeiling::Flat)?;
    let of_repeats: Vec<f64> = response.rows().filter_map(|row| Spread::of(row).variance()).collect();
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

/// [`ceiling`], or `None`.
pub fn cc_max(response: &UnitRepeats, freedom: Freedom) -> Option<f64> {
    ceiling(response, freedom).ok()
}

/// CC_norm = CC_abs / CC_max: the share of what can be predicted that is predicted.
pub fn cc_norm(cc_abs: Option<f64>, cc_max: Option<f64>) -> Option<f64> {
    Some(cc_abs? / cc_max.filter(|&most| most > 0.0)?)
}

/// Number, mean and squares about it of what was measured.
struct Spread {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Spread {
    fn of(values: &[f64]) -> Self {
        let measured = || values.iter().copied().filter(|value| !value.is_nan());
        let count = measured().count() as f64;
        let mean = measured().sum::<f64>() / count;
        Self { count, mean, squares: measured().map(|value| (value - mean).powi(2)).sum() }
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
