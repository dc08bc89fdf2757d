//! How well a twin in training predicts trials it did not learn from.

use std::sync::Arc;

use super::{Clip, TrainingError};
use crate::gpu::ComputeDevice;
use crate::job::Progress;
use crate::model::twin::{Twin, TwinError, TwinOptions};
use crate::model::weights::TwinWeights;

/// Frames that are computed at once.
const CHUNK: usize = 30;

/// What came out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Verdict {
    /// Poisson loss, mean over frames after burn-in and units.
    pub loss: f64,
    /// Median over units of the correlation of prediction and response, all clips strung together. `None` when no
    /// unit varies.
    pub correlation: Option<f64>,
}

/// Sums over frames for one unit.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    count: f64,
    x: f64,
    y: f64,
    xx: f64,
    yy: f64,
    xy: f64,
}

impl Sums {
    fn add(&mut self, x: f64, y: f64) {
        self.count += 1.0;
        self.x += x;
        self.y += y;
        self.xx += x * x;
        self.yy += y * y;
        self.xy += x * y;
    }

    fn correlation(&self) -> Option<f64> {
        let n = self.count;
        let (varied_x, varied_y) = (self.xx - self.x * self.x / n, self.yy - self.y * self.y / n);
        let scale = (varied_x * varied_y).sqrt();
        (scale > 1e-9 * n).then(|| (self.xy - self.x * self.y / n) / scale)
    }
}

/// Shows a batch of clips to a twin.
pub(super) fn judge(
    weights: Arc<TwinWeights>,
    clip: &Clip,
    burnin: usize,
    device: &ComputeDevice,
) -> Result<Verdict, TrainingError> {
    let twin = Twin::open(weights, device, TwinOptions::default())?;
    let (units, samples) = (twin.units(), clip.movie().samples());
    let mut sums = vec![Sums::default(); units];
    let (mut loss, mut terms) = (0.0, 0.0);
    let mut movie = clip.movie().clone();
    twin.rollout::<TwinError>(&mut movie, Some(clip.behavior()), CHUNK, &Progress::new(), &mut |first, rows| {
        for (place, row) in rows.chunks_exact(units).enumerate() {
            let (time, sample) = (first + place / samples, place % samples);
            if time < burnin {
                continue;
            }
            let targets = clip.responses().row(time, sample);
            for ((&rate, &target), sums) in row.iter().zip(targets).zip(&mut sums) {
                if target.is_nan() {
                    continue;
                }
                let (rate, target) = (f64::from(rate), f64::from(target));
                loss += rate - target * rate.max(f64::MIN_POSITIVE).ln();
                terms += 1.0;
                sums.add(rate, target);
            }
        }
        Ok(())
    })?;
    let mut correlations: Vec<f64> = sums.iter().filter_map(Sums::correlation).collect();
    correlations.sort_by(f64::total_cmp);
    let middle = correlations.len() / 2;
    let correlation = match correlations.len() {
        0 => None,
        n if n % 2 == 1 => Some(correlations[middle]),
        _ => Some((correlations[middle - 1] + correlations[middle]) / 2.0),
    };
    Ok(Verdict { loss: loss / f64::max(terms, 1.0), correlation })
}
