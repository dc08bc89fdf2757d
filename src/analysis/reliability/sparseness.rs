//! How few frames a unit responds to, and how few units respond to a frame.

use rayon::prelude::*;

use super::{Repeats, UnitRepeats};

/// Lifetime sparseness of Vinje and Gallant 2000: (1 - (Σ r / n)² / (Σ r² / n)) / (1 - 1 / n) over the frames' mean
/// responses r: 0 for a constant response, 1 for a response to one frame alone.
///
/// `None` with fewer than two frames, with a negative response, and for a unit that never responds.
pub fn lifetime_sparseness(response: &UnitRepeats) -> Option<f64> {
    sparseness(response.means().into_iter().filter(|mean| !mean.is_nan()))
}

/// Population sparseness: the same over the mean responses of all units to each frame, `[frame]`.
pub fn population_sparseness(responses: &Repeats) -> Vec<Option<f64>> {
    let means: Vec<Vec<f64>> =
        (0..responses.units()).into_par_iter().map(|unit| responses.unit(unit).means()).collect();
    let of_frame = |frame: usize| sparseness(means.iter().map(|means| means[frame]).filter(|mean| !mean.is_nan()));
    (0..responses.frames()).map(of_frame).collect()
}

fn sparseness(responses: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut n, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for response in responses {
        if response < 0.0 {
            return None;
        }
        n += 1.0;
        sum += response;
        squares += response * response;
    }
    (n >= 2.0 && squares > 0.0).then(|| ((1.0 - sum * sum / (n * squares)) / (1.0 - 1.0 / n)).clamp(0.0, 1.0))
}
