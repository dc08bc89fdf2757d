//! The response to one presentation, and its spread over several.

use crate::signals::Responses;
use crate::stimulus::schedule::Presentation;

/// Every unit's mean over one presentation, `[unit]`.
pub(super) fn mean_response(
    shown: &Presentation,
    skip: usize,
    responses: &Responses,
    sample: usize,
) -> Option<Vec<f64>> {
    let frames = shown.frames.checked_sub(skip)?;
    mean_over(shown.onset_frame.checked_add(skip)?, frames, responses, sample)
}

/// Every unit's mean over so many frames, `[unit]`; `None` without frames, or when they end after the responses.
pub(super) fn mean_over(start: usize, frames: usize, responses: &Responses, sample: usize) -> Option<Vec<f64>> {
    let end = start.checked_add(frames)?;
    if frames == 0 || end > responses.frames() {
        return None;
    }
    let mut sums = vec![0.0; responses.units()];
    for time in start..end {
        for (sum, &value) in sums.iter_mut().zip(responses.row(time, sample)) {
            *sum += f64::from(value);
        }
    }
    sums.iter_mut().for_each(|sum| *sum /= frames as f64);
    Some(sums)
}

/// One unit's mean over presentations `[presentation][unit]`, and its standard error: the sample standard deviation
/// (n - 1) over √n.
pub(super) fn mean_and_sem(presentations: &[Vec<f64>], unit: usize) -> (f32, Option<f32>) {
    let n = presentations.len() as f64;
    let mean = presentations.iter().map(|means| means[unit]).sum::<f64>() / n;
    let squares = presentations.iter().map(|means| (means[unit] - mean).powi(2)).sum::<f64>();
    let sem = (presentations.len() >= 2).then(|| (squares / (n - 1.0) / n).sqrt() as f32);
    (mean as f32, sem)
}
