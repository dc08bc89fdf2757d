//! Responses in units of each unit's mean, behaviour as z-scores, as a twin learns from them.

use crate::data::SessionError;
use crate::signals::Behavior;

/// Running mean and spread of a signal; what is NaN does not count.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Scale {
    count: f64,
    mean: f64,
    /// Sum of squared distances from the mean (Welford).
    squares: f64,
}

impl Scale {
    /// A known mean and standard deviation.
    pub(super) fn known(mean: f64, deviation: f64) -> Self {
        Self { count: 1.0, mean, squares: deviation * deviation }
    }

    /// Takes more values into account.
    pub(super) fn add(&mut self, values: &[f32]) {
        for value in values.iter().map(|&value| f64::from(value)).filter(|value| value.is_finite()) {
            self.count += 1.0;
            let step = value - self.mean;
            self.mean += step / self.count;
            self.squares += step * (value - self.mean);
        }
    }

    /// Distance from the mean in standard deviations; 0 where nothing varies.
    fn z(&self, value: f32) -> f32 {
        let deviation = (self.squares / self.count.max(1.0)).sqrt();
        if deviation > 0.0 { ((f64::from(value) - self.mean) / deviation) as f32 } else { 0.0 }
    }
}

/// Behaviour from pupil x, pupil y, pupil radius and velocity, `[signal][time]`; and the places (4 · frame + signal) of
/// values that were missing, or no numbers, and are 0 now, the average animal.
pub(super) fn behavior_of(signals: &[Vec<f32>; 4], scales: &[Scale; 4]) -> (Behavior, Vec<usize>) {
    let frames = signals[0].len();
    let mut absent = Vec::new();
    let mut pairs = [Vec::with_capacity(frames), Vec::with_capacity(frames)];
    for frame in 0..frames {
        let mut row = [0.0; 4];
        for (signal, place) in row.iter_mut().enumerate() {
            let value = signals[signal].get(frame).copied().filter(|value| value.is_finite());
            match value.map(|value| scales[signal].z(value)).filter(|z| z.is_finite()) {
                Some(z) => *place = z,
                None => absent.push(4 * frame + signal),
            }
        }
        pairs[0].push([row[0], row[1]]);
        pairs[1].push([row[2], row[3]]);
    }
    let [gaze, state] = pairs;
    (Behavior::new(frames, 1, gaze, state).expect("pairs of finite values"), absent)
}

/// By what responses `[time, unit]` are divided: each unit's mean over these trials. It is 1 for a unit that never
/// responds, and for all units of a recording with negative values, such as relative fluorescence, whose means are no
/// measure of anything.
pub(super) fn means(
    units: usize,
    trials: impl Iterator<Item = Result<Vec<f32>, SessionError>>,
) -> Result<Vec<f32>, SessionError> {
    let mut sums = vec![(0.0f64, 0.0f64); units];
    for values in trials {
        for row in values?.chunks_exact(units.max(1)) {
            for ((sum, count), &value) in sums.iter_mut().zip(row).filter(|(_, value)| value.is_finite()) {
                if value < 0.0 {
                    return Ok(vec![1.0; units]);
                }
                *sum += f64::from(value);
                *count += 1.0;
            }
        }
    }
    Ok(sums.into_iter().map(|(sum, count)| if sum > 0.0 { (sum / count) as f32 } else { 1.0 }).collect())
}

/// Divides responses `[time, unit]`. An infinity, which no measurement gives, becomes a missing value.
pub(super) fn divide(values: &mut [f32], means: &[f32]) {
    for row in values.chunks_exact_mut(means.len().max(1)) {
        for (value, mean) in row.iter_mut().zip(means) {
            *value /= mean;
            if value.is_infinite() {
                *value = f32::NAN;
            }
        }
    }
}
