//! The response to one presentation, and its mean and spread over several.

use std::io;

use crate::signals::{ResponseRows, Responses};
use crate::stimulus::schedule::{Condition, Presentation, Schedule};

/// Every unit's mean over one presentation, `[unit]`; see [`mean_of_presentation`].
pub(super) fn mean_response(
    shown: &Presentation,
    skip: usize,
    responses: &Responses,
    sample: usize,
) -> Option<Vec<f64>> {
    // Memory can be read.
    mean_of_presentation(shown, skip, responses, sample).ok().flatten()
}

/// Every unit's mean over the frames of a presentation after the skip, `[unit]`; `None` when nothing of it remains, or
/// when it ends after the responses.
pub(super) fn mean_of_presentation(
    shown: &Presentation,
    skip: usize,
    rows: &dyn ResponseRows,
    sample: usize,
) -> io::Result<Option<Vec<f64>>> {
    let (start, frames) = (shown.onset_frame.checked_add(skip), shown.frames.checked_sub(skip));
    let (Some(start), Some(frames)) = (start, frames) else { return Ok(None) };
    mean_of_rows(start, frames, rows, sample)
}

/// The same over the frames that were measured: NaN is none, and the mean of none is NaN.
pub(super) fn measured_mean(
    shown: &Presentation,
    skip: usize,
    rows: &dyn ResponseRows,
    sample: usize,
) -> io::Result<Option<Vec<f64>>> {
    let (start, end) = (shown.onset_frame.checked_add(skip), shown.onset_frame.checked_add(shown.frames));
    let (Some(start), Some(end)) = (start, end) else { return Ok(None) };
    if start >= end || end > rows.frames() {
        return Ok(None);
    }
    let mut sums = vec![(0.0, 0.0); rows.units()];
    rows.each_row(start..end, sample, &mut |row| {
        for ((sum, count), &value) in sums.iter_mut().zip(row).filter(|(_, value)| !value.is_nan()) {
            (*sum, *count) = (*sum + f64::from(value), *count + 1.0);
        }
    })?;
    Ok(Some(sums.into_iter().map(|(sum, count)| sum / count).collect()))
}

/// Every unit's mean over so many frames, `[unit]`; `None` without frames, or when they end after the responses.
pub(super) fn mean_of_rows(
    start: usize,
    frames: usize,
    rows: &dyn ResponseRows,
    sample: usize,
) -> io::Result<Option<Vec<f64>>> {
    let Some(end) = start.checked_add(frames).filter(|&end| frames > 0 && end <= rows.frames()) else {
        return Ok(None);
    };
    let mut sums = vec![0.0; rows.units()];
    rows.each_row(start..end, sample, &mut |row| {
        for (sum, &value) in sums.iter_mut().zip(row) {
            *sum += f64::from(value);
        }
    })?;
    sums.iter_mut().for_each(|sum| *sum /= frames as f64);
    Ok(Some(sums))
}

/// One unit's mean over presentations `[presentation][unit]`, and its standard error: the sample standard deviation
/// (n - 1) over √n.
pub(super) fn mean_and_sem(presentations: &[Vec<f64>], unit: usize) -> (f32, Option<f32>) {
    mean_and_sem_of(presentations.iter().map(|means| means[unit]))
}

/// Mean and standard error of at least one value.
pub(super) fn mean_and_sem_of(values: impl ExactSizeIterator<Item = f64> + Clone) -> (f32, Option<f32>) {
    let count = values.len();
    let n = count as f64;
    let mean = values.clone().sum::<f64>() / n;
    let squares = values.map(|value| (value - mean).powi(2)).sum::<f64>();
    let sem = (count >= 2).then(|| (squares / (n - 1.0) / n).sqrt() as f32);
    (mean as f32, sem)
}

/// The responses of a population to the presentations of one value.
#[derive(Debug)]
pub(super) struct Column {
    /// Number of presentations.
    pub presentations: usize,
    /// Mean and standard error of each unit.
    units: Vec<(f32, Option<f32>)>,
}

impl Column {
    /// From every unit's response to each of at least one presentation, `[presentation][unit]`.
    pub fn of(presentations: &[Vec<f64>], units: usize) -> Self {
        let units = (0..units).map(|unit| mean_and_sem(presentations, unit)).collect();
        Self { presentations: presentations.len(), units }
    }
}

/// One unit's mean for each value, and its standard errors unless a value was shown only once.
pub(super) fn curve(columns: &[Column], unit: usize) -> (Vec<f32>, Option<Vec<f32>>) {
    let (mean, sem): (Vec<f32>, Vec<Option<f32>>) = columns.iter().map(|column| column.units[unit]).unzip();
    (mean, sem.into_iter().collect())
}

/// One column for each of these values. The responses are read value by value, so that no more is held at a time than
/// the means of one value's presentations: those are few where the frames are many.
///
/// `None` when a presentation is not covered by the responses or nothing of it remains after the skip, when it shows an
/// unknown condition or value, and when a value was never shown.
pub(super) fn columns(
    schedule: &Schedule,
    skip: usize,
    rows: &dyn ResponseRows,
    values: &[f64],
    value_of: &dyn Fn(&Condition) -> Option<f64>,
) -> io::Result<Option<Vec<Column>>> {
    let mut shown: Vec<Vec<&Presentation>> = vec![Vec::new(); values.len()];
    for presentation in &schedule.presentations {
        let Some(condition) = schedule.conditions.get(presentation.condition) else { return Ok(None) };
        let Some(value) = value_of(condition) else { continue };
        let Some(index) = values.iter().position(|&known| known == value) else { return Ok(None) };
        shown[index].push(presentation);
    }
    let mut columns = Vec::with_capacity(values.len());
    for presentations in shown {
        let mut means = Vec::with_capacity(presentations.len() * rows.samples());
        for presentation in presentations {
            for sample in 0..rows.samples() {
                match mean_of_presentation(presentation, skip, rows, sample)? {
                    Some(mean) => means.push(mean),
                    None => return Ok(None),
                }
            }
        }
        if means.is_empty() {
            return Ok(None);
        }
        columns.push(Column::of(&means, rows.units()));
    }
    Ok(Some(columns))
}
