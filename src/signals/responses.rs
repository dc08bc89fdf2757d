//! Responses of a population, recorded or predicted.

use std::io;
use std::ops::Range;

/// Responses that are read row by row, in memory or on disk: what only looks at them once need not hold them.
pub trait ResponseRows: std::fmt::Debug {
    /// Number of frames.
    fn frames(&self) -> usize;
    /// Number of samples side by side.
    fn samples(&self) -> usize;
    /// Number of units.
    fn units(&self) -> usize;
    /// Hands over every unit's response, `[unit]`, at each of these frames of one sample, in order.
    ///
    /// # Errors
    /// When they end before, or cannot be read.
    fn each_row(&self, frames: Range<usize>, sample: usize, take: &mut dyn FnMut(&[f32])) -> io::Result<()>;
}

/// Some units of a population, in the order of a list: for what takes so much memory for each unit that a population is
/// looked at in several goes.
#[derive(Debug, Clone, Copy)]
pub struct SomeUnits<'a> {
    rows: &'a dyn ResponseRows,
    units: &'a [usize],
}

impl<'a> SomeUnits<'a> {
    /// These columns of the rows; `None` when there is no such unit.
    pub fn of(rows: &'a dyn ResponseRows, units: &'a [usize]) -> Option<Self> {
        units.iter().all(|&unit| unit < rows.units()).then_some(Self { rows, units })
    }
}

impl ResponseRows for SomeUnits<'_> {
    fn frames(&self) -> usize {
        self.rows.frames()
    }
    fn samples(&self) -> usize {
        self.rows.samples()
    }
    fn units(&self) -> usize {
        self.units.len()
    }
    fn each_row(&self, frames: Range<usize>, sample: usize, take: &mut dyn FnMut(&[f32])) -> io::Result<()> {
        let mut some = vec![0.0; self.units.len()];
        self.rows.each_row(frames, sample, &mut |row| {
            some.iter_mut().zip(self.units).for_each(|(value, &unit)| *value = row[unit]);
            take(&some);
        })
    }
}

/// Responses `[time, sample, unit]` in units of each unit's mean activity (1.0 = its average).
#[derive(Debug, Clone, PartialEq)]
pub struct Responses {
    frames: usize,
    samples: usize,
    units: usize,
    values: Vec<f32>,
}

impl Responses {
    /// Takes values `[time, sample, unit]`; `None` when their number does not fit.
    pub fn new(frames: usize, samples: usize, units: usize, values: Vec<f32>) -> Option<Self> {
        (values.len() == frames * samples * units).then_some(Self { frames, samples, units, values })
    }

    /// Number of frames.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// Number of samples side by side.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Number of units.
    pub fn units(&self) -> usize {
        self.units
    }

    /// All values, `[time, sample, unit]`.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Every unit's response at one frame of one sample, `[unit]`.
    pub fn row(&self, time: usize, sample: usize) -> &[f32] {
        let start = (time * self.samples + sample) * self.units;
        &self.values[start..start + self.units]
    }

    /// One unit's response over time in one sample, `[time]`.
    pub fn trace(&self, sample: usize, unit: usize) -> impl Iterator<Item = f32> + '_ {
        (0..self.frames).map(move |time| self.values[(time * self.samples + sample) * self.units + unit])
    }
}

impl ResponseRows for Responses {
    fn frames(&self) -> usize {
        self.frames
    }
    fn samples(&self) -> usize {
        self.samples
    }
    fn units(&self) -> usize {
        self.units
    }
    fn each_row(&self, frames: Range<usize>, sample: usize, take: &mut dyn FnMut(&[f32])) -> io::Result<()> {
        if frames.end > self.frames || sample >= self.samples {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        frames.for_each(|time| take(self.row(time, sample)));
        Ok(())
    }
}
