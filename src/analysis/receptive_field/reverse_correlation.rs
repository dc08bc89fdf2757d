//! Reverse correlation: the stimulus that precedes a response, delay by delay.
//!
//! For white noise the covariance of the response with the stimulus some frames before is, up to a factor, the linear
//! filter of the unit in space and time (de Boer and Kuyper 1968; Jones and Palmer 1987). For stimuli with correlations
//! of their own it is that filter blurred by them.

use std::collections::VecDeque;

use nalgebra::DMatrix;
use rayon::prelude::*;

/// Sums of products of the responses with the frames before them. Frames and responses are given one after the other, so
/// that memory does not grow with the length of a recording.
#[derive(Debug, Clone)]
pub struct ReverseCorrelation {
    pixels: usize,
    delays: usize,
    units: usize,
    /// The last frames, the newest last.
    history: VecDeque<Vec<f64>>,
    count: f64,
    /// Sums over counted frames: `[delay, pixel]` of the stimulus and of its square.
    stimulus: Vec<f64>,
    squares: Vec<f64>,
    /// `[unit]`.
    responses: Vec<f64>,
    response_squares: Vec<f64>,
    /// `[unit, delay, pixel]`.
    products: Vec<f64>,
    /// `[unit]`; of units that were measured throughout, nothing.
    missing: Vec<Option<Missing>>,
}

/// Frames at which a unit was not measured.
#[derive(Debug, Clone)]
struct Missing {
    count: f64,
    /// Sum of the stimulus before them, `[delay, pixel]`.
    stimulus: Vec<f64>,
}

impl ReverseCorrelation {
    /// Nothing yet, of frames of so many pixels, delays of 0..delays frames, and so many units. `None` without pixels,
    /// delays or units, or when there are too many to count.
    pub fn new(pixels: usize, delays: usize, units: usize) -> Option<Self> {
        let kernel = pixels.checked_mul(delays)?;
        let all = kernel.checked_mul(units).filter(|&all| all > 0)?;
        Some(Self {
            pixels,
            delays,
            units,
            history: VecDeque::with_capacity(delays),
            count: 0.0,
            stimulus: vec![0.0; kernel],
            squares: vec![0.0; kernel],
            responses: vec![0.0; units],
            response_squares: vec![0.0; units],
            products: vec![0.0; all],
            missing: vec![None; units],
        })
    }

    /// Forgets the frames before: what follows is another stretch of stimulus.
    pub fn start_over(&mut self) {
        self.history.clear();
    }

    /// The next frame, `[pixel]`, with the responses at that frame, `[unit]`, NaN where a unit was not measured. Responses
    /// count from the frame on at which the longest delay is known. `None`, and nothing done, when a length is another.
    pub fn push(&mut self, frame: &[f64], responses: &[f64]) -> Option<()> {
        self.push_all(vec![frame.to_vec()], &[responses.to_vec()])
    }

    /// The same of several frames in a row, to the same sums: units side by side, so that the sums of each are fetched
    /// from memory once for all frames.
    pub fn push_all(&mut self, frames: Vec<Vec<f64>>, responses: &[Vec<f64>]) -> Option<()> {
        let fits = frames.len() == responses.len()
            && frames.iter().all(|frame| frame.len() == self.pixels)
            && responses.iter().all(|responses| responses.len() == self.units);
        if !fits {
            return None;
        }
        let before = self.history.len();
        self.history.extend(frames);
        // The frames at each delay of those that count, the newest first.
        let seen: Vec<&[f64]> = self.history.iter().map(Vec::as_slice).collect();
        let counted: Vec<(Vec<&[f64]>, &[f64])> = (0..responses.len())
            .filter(|index| before + index + 1 >= self.delays)
            .map(|index| {
                let now = before + index;
                ((0..self.delays).map(|delay| seen[now - delay]).collect(), responses[index].as_slice())
            })
            .collect();
        let kernel = self.delays * self.pixels;
        for (frames, responses) in &counted {
            self.count += 1.0;
            for (delay, frame) in frames.iter().enumerate() {
                let at = delay * self.pixels;
                for (pixel, &value) in frame.iter().enumerate() {
                    self.stimulus[at + pixel] += value;
                    self.squares[at + pixel] += value * value;
                }
            }
            let sums = self.responses.iter_mut().zip(&mut self.response_squares).zip(responses.iter());
            for ((sum, squares), &response) in sums.filter(|(_, response)| !response.is_nan()) {
                *sum += response;
                *squares += response * response;
            }
        }
        let pixels = self.pixels;
        let each = self.products.par_chunks_exact_mut(kernel).zip(self.missing.par_iter_mut()).enumerate();
        each.for_each(|(unit, (sums, missing))| {
            for (frames, responses) in &counted {
                let response = responses[unit];
                if response == 0.0 {
                    continue;
                }
                if response.is_nan() {
                    let missing = missing.get_or_insert_with(|| Missing { count: 0.0, stimulus: vec![0.0; kernel] });
                    missing.count += 1.0;
                    for (frame, sums) in frames.iter().zip(missing.stimulus.chunks_exact_mut(pixels)) {
                        sums.iter_mut().zip(frame.iter()).for_each(|(sum, value)| *sum += value);
                    }
                    continue;
                }
                for (frame, sums) in frames.iter().zip(sums.chunks_exact_mut(pixels)) {
                    sums.iter_mut().zip(frame.iter()).for_each(|(sum, value)| *sum += response * value);
                }
            }
        });
        drop(counted);
        let known = self.history.len().saturating_sub(self.delays - 1);
        self.history.drain(..known);
        Some(())
    }

    /// One unit's kernel, over the frames at which it was measured; `None` before two of its responses were counted, or when
    /// there is no such unit.
    pub fn unit(&self, unit: usize) -> Option<SpaceTime> {
        let missing = self.missing.get(unit)?.as_ref();
        let n = self.count - missing.map_or(0.0, |missing| missing.count);
        if n < 2.0 {
            return None;
        }
        let mean = self.responses[unit] / n;
        let kernel = self.delays * self.pixels;
        let products = &self.products[unit * kernel..(unit + 1) * kernel];
        let lacking = |place: usize| missing.map_or(0.0, |missing| missing.stimulus[place]);
        let shown = self.stimulus.iter().enumerate().map(|(place, s)| s - lacking(place));
        let covariance = products.iter().zip(shown).map(|(rs, s)| rs / n - mean * s / n).collect();
        // That of the stimulus is the same for all units.
        let all = self.count;
        let variances = self.squares.iter().zip(&self.stimulus).map(|(ss, s)| ss / all - (s / all).powi(2));
        Some(SpaceTime {
            pixels: self.pixels,
            covariance,
            stimulus_variance: variances.sum::<f64>() / kernel as f64,
            mean_response: mean,
            response_variance: self.response_squares[unit] / n - mean * mean,
            frames: n as usize,
        })
    }
}

/// A kernel in space and time, `[delay, pixel]`, delay 0 being the frame of the response.
#[derive(Debug, Clone, PartialEq)]
pub struct SpaceTime {
    /// Pixels of each delay.
    pub pixels: usize,
    /// Covariance of the response with the stimulus, `[delay, pixel]`.
    pub covariance: Vec<f64>,
    /// Variance of the stimulus, the mean over pixels.
    pub stimulus_variance: f64,
    /// Mean of the response.
    pub mean_response: f64,
    /// Variance of the response.
    pub response_variance: f64,
    /// Number of responses.
    pub frames: usize,
}

impl SpaceTime {
    /// Number of delays.
    pub fn delays(&self) -> usize {
        self.covariance.len() / self.pixels
    }

    /// The mean stimulus before a unit of response less the mean stimulus: the spike-triggered average where responses are
    /// spikes. `None` when the responses do not add up to more than 0.
    pub fn spike_triggered_average(&self) -> Option<Vec<f64>> {
        (self.mean_response > 0.0).then(|| self.covariance.iter().map(|value| value / self.mean_response).collect())
    }

    /// The linear filter for white noise: response per unit of stimulus. `None` for a stimulus that does not vary.
    pub fn linear_filter(&self) -> Option<Vec<f64>> {
        (self.stimulus_variance > 0.0)
            .then(|| self.covariance.iter().map(|value| value / self.stimulus_variance).collect())
    }

    /// Standard normal scores under the hypothesis that white noise has no effect, for responses that are independent from
    /// frame to frame. `None` when stimulus or response do not vary.
    pub fn z_scores(&self) -> Option<Vec<f64>> {
        let scale = (self.stimulus_variance * self.response_variance / self.frames as f64).sqrt();
        (scale > 0.0).then(|| self.covariance.iter().map(|value| value / scale).collect())
    }

    /// The delay at which the kernel has most energy, frames; the first of equals.
    pub fn peak_delay(&self) -> usize {
        let energy = |delay: usize| self.at(delay).iter().map(|value| value * value).sum::<f64>();
        (0..self.delays()).max_by(|&a, &b| energy(a).total_cmp(&energy(b)).then(b.cmp(&a))).unwrap_or(0)
    }

    /// The covariance at a delay, `[pixel]`.
    ///
    /// # Panics
    /// When there is no such delay.
    pub fn at(&self, delay: usize) -> &[f64] {
        &self.covariance[delay * self.pixels..(delay + 1) * self.pixels]
    }

    /// The kernel as one map times one time course, the nearest such product, and the share of the kernel's energy that it
    /// explains: 1 for a kernel that is separable in space and time, less for one that moves. The map has length 1, and
    /// its largest excursion is positive. `None` for a kernel of zeros.
    pub fn separated(&self) -> Option<Separated> {
        let kernel = DMatrix::from_row_slice(self.delays(), self.pixels, &self.covariance);
        let gram = (&kernel * kernel.transpose()).symmetric_eigen();
        let first = gram.eigenvalues.imax();
        let (most, all) = (gram.eigenvalues[first], gram.eigenvalues.sum());
        if all <= 0.0 || !all.is_finite() {
            return None;
        }
        let course = gram.eigenvectors.column(first);
        let map = kernel.transpose() * course;
        let length = map.norm();
        let turn = if map[map.iamax()] < 0.0 { -1.0 } else { 1.0 };
        Some(Separated {
            map: map.iter().map(|value| turn * value / length).collect(),
            time_course: course.iter().map(|value| turn * value * length).collect(),
            share: (most / all).min(1.0),
        })
    }
}

/// The nearest product of a map and a time course to a kernel.
#[derive(Debug, Clone, PartialEq)]
pub struct Separated {
    /// The map, `[pixel]`, of length 1.
    pub map: Vec<f64>,
    /// The time course, `[delay]`, in units of the kernel.
    pub time_course: Vec<f64>,
    /// Share of the kernel's energy, 0..=1.
    pub share: f64,
}

/// Mean grey level of each block of a frame `[height, width]`, in a grid `[rows, columns]` that divides it as evenly as
/// pixels allow. `None` when the frame is not of this size or smaller than the grid.
pub fn block_means(frame: &[u8], [height, width]: [usize; 2], [rows, columns]: [usize; 2]) -> Option<Vec<f64>> {
    let fits = Some(frame.len()) == height.checked_mul(width) && rows <= height && columns <= width;
    if !fits || rows == 0 || columns == 0 {
        return None;
    }
    let mut sums = vec![(0.0, 0.0); rows * columns];
    for (row, line) in frame.chunks_exact(width).enumerate() {
        for (column, &value) in line.iter().enumerate() {
            let (sum, count) = &mut sums[row * rows / height * columns + column * columns / width];
            *sum += f64::from(value);
            *count += 1.0;
        }
    }
    Some(sums.into_iter().map(|(sum, count)| sum / count).collect())
}
