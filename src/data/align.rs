//! Signals of different clocks on one grid of frames.
//!
//! The numbers follow Wang et al. 2025: every trace is brought to the 30 Hz of the stimulus by a Hamming low-pass,
//! only where the grid is coarser than the samples, and by linear interpolation; pictures by the nearest preceding
//! flip; spikes are counted in each frame. What was not measured is NaN before and after: nothing is filled in.

use std::ops::Range;

use crate::signals::FrameRate;

/// Slack of a comparison of times, as a part of the frame: clocks are kept in floating point.
const SLACK: f64 = 1e-6;

/// Frames on which signals are brought together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    /// Time of the first frame, seconds.
    pub start_secs: f64,
    /// Frames per second.
    pub rate: FrameRate,
    /// Number of frames.
    pub frames: usize,
}

impl Grid {
    /// The frames from one moment to another, both included: 0 to 2 s at 30 Hz are 61.
    pub fn including(start_secs: f64, end_secs: f64, rate: FrameRate) -> Self {
        let frames = ((end_secs - start_secs) * rate.0 + SLACK).floor().max(0.0) as usize + 1;
        Self { start_secs, rate, frames }
    }

    /// The frames that fill the time from one moment to another: 2 s at 30 Hz hold 60. At least one.
    pub fn filling(start_secs: f64, end_secs: f64, rate: FrameRate) -> Self {
        Self { start_secs, rate, frames: rate.frames_in(end_secs - start_secs).max(1) }
    }

    /// Time of a frame, seconds.
    pub fn secs_at(&self, frame: usize) -> f64 {
        self.start_secs + self.rate.secs_at(frame)
    }

    /// Time between two frames, seconds.
    pub fn period_secs(&self) -> f64 {
        1.0 / self.rate.0
    }
}

/// When the samples of a signal were taken.
#[derive(Debug, Clone, PartialEq)]
pub enum Clock {
    /// At a steady rate.
    Steady {
        /// Time of the first sample, seconds.
        start_secs: f64,
        /// Samples per second.
        rate_hz: f64,
        /// Number of samples.
        count: usize,
    },
    /// At these times, seconds, never decreasing.
    Times(Vec<f64>),
}

impl Clock {
    /// A clock of finite times that never decrease; the error is a clause about the first that does.
    ///
    /// # Errors
    /// When a time is NaN or infinite, or earlier than the one before.
    pub fn times(times: Vec<f64>) -> Result<Self, String> {
        if let Some(at) = times.iter().position(|time| !time.is_finite()) {
            return Err(format!("time {at} is {}, expected seconds", times[at]));
        }
        if let Some(at) = times.windows(2).position(|pair| pair[1] < pair[0]) {
            return Err(format!("time {} is {} s, before time {at}, {} s", at + 1, times[at + 1], times[at]));
        }
        Ok(Self::Times(times))
    }

    /// Number of samples.
    pub fn count(&self) -> usize {
        match self {
            Self::Steady { count, .. } => *count,
            Self::Times(times) => times.len(),
        }
    }

    /// Time of a sample, seconds.
    pub fn secs_at(&self, sample: usize) -> f64 {
        match self {
            Self::Steady { start_secs, rate_hz, .. } => start_secs + sample as f64 / rate_hz,
            Self::Times(times) => times.get(sample).copied().unwrap_or(f64::NAN),
        }
    }

    /// Time between two samples, seconds: the median, so that a pause does not count. `None` with fewer than two.
    pub fn period_secs(&self) -> Option<f64> {
        match self {
            Self::Steady { rate_hz, .. } => Some(1.0 / rate_hz),
            Self::Times(times) => {
                let mut steps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
                let middle = steps.len() / 2;
                (!steps.is_empty()).then(|| *steps.select_nth_unstable_by(middle, f64::total_cmp).1)
            }
        }
    }

    /// Number of samples before a moment or at it.
    pub fn until(&self, secs: f64) -> usize {
        match self {
            Self::Steady { start_secs, rate_hz, count } => {
                // A cast saturates: before the first sample it is 0.
                (((secs - start_secs) * rate_hz + SLACK).floor() + 1.0).clamp(0.0, *count as f64) as usize
            }
            Self::Times(times) => {
                let step = match times[..] {
                    [first, .., last] => (last - first) / (times.len() - 1) as f64,
                    _ => 0.0,
                };
                times.partition_point(|&time| time <= secs + SLACK * step)
            }
        }
    }

    /// The samples that are needed to know a signal on a grid, with delays up to this one.
    pub fn needed(&self, grid: &Grid, longest_delay_secs: f64) -> Range<usize> {
        let radius = self.period_secs().map_or(0, |period| hamming_radius(period, grid.period_secs()));
        let last = grid.secs_at(grid.frames.saturating_sub(1));
        let first = self.until(grid.start_secs - longest_delay_secs.max(0.0)).saturating_sub(2 + radius);
        let end = self.until(last - longest_delay_secs.min(0.0)).saturating_add(2 + radius).min(self.count());
        first.min(end)..end
    }

    /// The same clock for some of its samples.
    pub fn part(&self, range: Range<usize>) -> Self {
        match self {
            Self::Steady { rate_hz, .. } => {
                Self::Steady { start_secs: self.secs_at(range.start), rate_hz: *rate_hz, count: range.len() }
            }
            Self::Times(times) => Self::Times(times.get(range).unwrap_or_default().to_vec()),
        }
    }
}

/// Samples on either side of the Hamming low-pass: target over source period, rounded, and none where the grid is not
/// coarser than the samples.
pub fn hamming_radius(source_period_secs: f64, target_period_secs: f64) -> usize {
    let ratio = target_period_secs / source_period_secs;
    if ratio > 1.0 + SLACK && ratio.is_finite() { ratio.round().min(1e6) as usize } else { 0 }
}

/// Weights of the low-pass, 2 r + 1 taps with the sum 1; one tap for r = 0.
pub fn hamming_taps(radius: usize) -> Vec<f64> {
    let last = 2 * radius;
    let tap = |i: usize| 0.54 - 0.46 * (std::f64::consts::TAU * i as f64 / last as f64).cos();
    let taps: Vec<f64> = if radius == 0 { vec![1.0] } else { (0..=last).map(tap).collect() };
    let sum: f64 = taps.iter().sum();
    taps.into_iter().map(|tap| tap / sum).collect()
}

/// How signals of one clock and delay come onto a grid: worked out once, used for every cell of an image line.
#[derive(Debug, Clone)]
pub struct Resampling {
    /// Weights of the low-pass; one where there is none.
    taps: Vec<f64>,
    /// For each frame the sample before it, and how far the frame lies on the way to the next, 0 to 1. `None` where
    /// nothing was measured.
    places: Vec<Option<(usize, f64)>>,
    /// Number of samples.
    count: usize,
}

impl Resampling {
    /// For samples that count as taken `delay_secs` after their time on the clock, as in a cell that lies further down
    /// the scanned image.
    pub fn new(clock: &Clock, delay_secs: f64, grid: &Grid) -> Self {
        let count = clock.count();
        let radius = clock.period_secs().map_or(0, |period| hamming_radius(period, grid.period_secs()));
        let slack = SLACK * grid.period_secs();
        let place = |frame: usize| {
            let secs = grid.secs_at(frame) - delay_secs;
            let after = clock.until(secs).min(count);
            let Some(before) = after.checked_sub(1) else {
                // A grid that starts with the first sample, but for rounding.
                return (count > 0 && secs + slack >= clock.secs_at(0)).then_some((0, 0.0));
            };
            let left = clock.secs_at(before);
            if secs <= left + slack {
                return Some((before, 0.0));
            }
            (after < count).then(|| (before, (secs - left) / (clock.secs_at(after) - left)))
        };
        Self { taps: hamming_taps(radius), places: (0..grid.frames).map(place).collect(), count }
    }

    /// One signal, `[sample]`, on the grid, `[frame]`. NaN where nothing was measured, or a sample that is needed is NaN.
    pub fn apply(&self, values: &[f32]) -> Vec<f32> {
        let values = values.get(..self.count).unwrap_or(values);
        let radius = self.taps.len() / 2;
        let smooth = |sample: usize| {
            if radius == 0 {
                return values.get(sample).copied().map_or(f64::NAN, f64::from);
            }
            let (mut sum, mut weight) = (0.0, 0.0);
            for (tap, at) in self.taps.iter().zip(sample as isize - radius as isize..) {
                // At the ends of the recording the window is cut, and weighs what is left.
                if let Some(&value) = usize::try_from(at).ok().and_then(|at| values.get(at)) {
                    sum += tap * f64::from(value);
                    weight += tap;
                }
            }
            sum / weight
        };
        let at = |place: &Option<(usize, f64)>| match *place {
            None => f32::NAN,
            Some((before, 0.0)) => smooth(before) as f32,
            Some((before, part)) => ((1.0 - part) * smooth(before) + part * smooth(before + 1)) as f32,
        };
        self.places.iter().map(at).collect()
    }
}

/// A signal on a grid: low-passed where the grid is coarser, then interpolated linearly between the samples on either
/// side. NaN beyond the first and last sample, and where a sample that is needed is NaN.
pub fn resample(clock: &Clock, values: &[f32], delay_secs: f64, grid: &Grid) -> Vec<f32> {
    Resampling::new(clock, delay_secs, grid).apply(values)
}

/// The picture that was on the screen at each frame: that of the nearest preceding flip. `None` before the first.
pub fn nearest_preceding(flips: &Clock, grid: &Grid) -> Vec<Option<usize>> {
    (0..grid.frames).map(|frame| flips.until(grid.secs_at(frame)).checked_sub(1)).collect()
}

/// Spikes in each frame, from its start to the start of the next. The times are in seconds and never decrease.
pub fn spikes_in_frames(spikes_secs: &[f64], grid: &Grid) -> Vec<f32> {
    let before = |secs: f64| spikes_secs.partition_point(|&spike| spike < secs - SLACK * grid.period_secs());
    let edges: Vec<usize> = (0..=grid.frames).map(|frame| before(grid.secs_at(frame))).collect();
    edges.windows(2).map(|edge| (edge[1] - edge[0]) as f32).collect()
}
