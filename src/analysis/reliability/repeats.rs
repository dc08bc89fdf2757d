//! Responses to the same frames, shown several times.

/// Responses of a population `[repeat, frame, unit]`; NaN where nothing was measured. Different movies stand one after
/// the other along the frames; one that was shown fewer times than others misses its last repeats.
#[derive(Debug, Clone, PartialEq)]
pub struct Repeats {
    repeats: usize,
    frames: usize,
    units: usize,
    values: Vec<f32>,
}

impl Repeats {
    /// Takes values `[repeat, frame, unit]`. `None` when their number does not fit or one is infinite.
    pub fn new(repeats: usize, frames: usize, units: usize, values: Vec<f32>) -> Option<Self> {
        let expected = repeats.checked_mul(frames)?.checked_mul(units)?;
        let whole = values.len() == expected && !values.iter().any(|value| value.is_infinite());
        whole.then_some(Self { repeats, frames, units, values })
    }

    /// Number of showings.
    pub fn repeats(&self) -> usize {
        self.repeats
    }

    /// Number of frames.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// Number of units.
    pub fn units(&self) -> usize {
        self.units
    }

    /// The responses of one unit.
    ///
    /// # Panics
    /// When there is no such unit.
    pub fn unit(&self, unit: usize) -> UnitRepeats {
        assert!(unit < self.units, "unit {unit} of {}", self.units);
        let values = self.values.iter().skip(unit).step_by(self.units).map(|&value| f64::from(value)).collect();
        UnitRepeats { repeats: self.repeats, frames: self.frames, values }
    }
}

/// Responses of one unit `[repeat, frame]`; NaN where nothing was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitRepeats {
    repeats: usize,
    frames: usize,
    values: Vec<f64>,
}

impl UnitRepeats {
    /// Takes values `[repeat, frame]`. `None` when their number does not fit or one is infinite.
    pub fn new(repeats: usize, frames: usize, values: Vec<f64>) -> Option<Self> {
        let whole = repeats.checked_mul(frames) == Some(values.len()) && !values.iter().any(|v| v.is_infinite());
        whole.then_some(Self { repeats, frames, values })
    }

    /// Number of showings.
    pub fn repeats(&self) -> usize {
        self.repeats
    }

    /// Number of frames.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// The response at a frame of a showing; `None` where nothing was measured, or where there is no such frame.
    pub fn at(&self, repeat: usize, frame: usize) -> Option<f64> {
        let inside = repeat < self.repeats && frame < self.frames;
        inside.then(|| self.values[repeat * self.frames + frame]).filter(|value| !value.is_nan())
    }

    /// One showing `[frame]`, NaN where nothing was measured.
    pub(super) fn repeat(&self, repeat: usize) -> &[f64] {
        &self.values[repeat * self.frames..(repeat + 1) * self.frames]
    }

    /// All showings, `[frame]` each.
    pub(super) fn rows(&self) -> impl Iterator<Item = &[f64]> {
        (0..self.repeats).map(|repeat| self.repeat(repeat))
    }

    /// What was measured at a frame, over the showings.
    pub(super) fn measured(&self, frame: usize) -> impl Iterator<Item = f64> + Clone + '_ {
        (0..self.repeats).filter_map(move |repeat| self.at(repeat, frame))
    }

    /// Mean over the showings at each frame; `None` where none was measured.
    pub fn mean(&self) -> Vec<Option<f64>> {
        self.means().into_iter().map(|mean| (!mean.is_nan()).then_some(mean)).collect()
    }

    /// The same with NaN for `None`.
    pub(super) fn means(&self) -> Vec<f64> {
        let mut sums = vec![(0.0, 0.0); self.frames];
        for row in self.rows() {
            for ((sum, count), &value) in sums.iter_mut().zip(row).filter(|(_, value)| !value.is_nan()) {
                (*sum, *count) = (*sum + value, *count + 1.0);
            }
        }
        // 0 / 0 where nothing was measured.
        sums.into_iter().map(|(sum, count)| sum / count).collect()
    }
}
