//! Responses of a population, recorded or predicted.

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
