//! The number that training makes small.

use burn::tensor::{Tensor, TensorData, TensorReadError};

use super::clip::Clip;
use crate::model::twin::network::{Frame, Network, Run, hash};

/// Poisson loss `exp(r) - r * target` of log-rates r, averaged over the frames after burn-in, samples and units. Targets
/// that were not measured, NaN, count nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Objective {
    /// Frames at the beginning that count nothing: the network's memory is still empty.
    pub burnin_frames: usize,
    /// Train one random stream in each step instead of the mean of all.
    pub sample_stream: bool,
}

/// Why there is no objective.
#[derive(Debug, thiserror::Error)]
pub enum ObjectiveError {
    /// Nothing is left after burn-in.
    #[error("a clip of {frames} frames has none left after {burnin} frames of burn-in")]
    TooShort {
        /// Frames of the clip.
        frames: usize,
        /// Frames of burn-in.
        burnin: usize,
    },
    /// Responses of another population.
    #[error("the clip has responses of {found} units, but the network has {expected}")]
    Units {
        /// Units of the clip.
        found: usize,
        /// Units of the network.
        expected: usize,
    },
    /// The training has left the range of numbers.
    #[error("the objective is {0}; lower the learning rate, and check the recordings for missing values")]
    NotFinite(f32),
    /// The device failed.
    #[error("the objective could not be read from the device: {0}")]
    Read(#[from] TensorReadError),
}

impl Default for Objective {
    /// The published training: one stream in each step, 10 frames of burn-in.
    fn default() -> Self {
        Self { burnin_frames: 10, sample_stream: true }
    }
}

impl Objective {
    /// The stream to train in the step with this seed: `None` for all.
    pub fn stream(&self, seed: u64, streams: usize) -> Option<usize> {
        // The remainder favours no stream by more than streams / 2^64.
        self.sample_stream.then(|| (hash(seed, u64::from_be_bytes(*b"stream  ")) % streams as u64) as usize)
    }

    /// The objective of a clip, `[1]`: differentiable when the network is on an autodiff device.
    ///
    /// # Errors
    /// When no frame is left or the clip belongs to other units.
    pub fn of(&self, network: &Network, clip: &Clip, run: &Run) -> Result<Tensor<1>, ObjectiveError> {
        let (movie, behavior, responses) = (clip.movie(), clip.behavior(), clip.responses());
        let (frames, units) = (movie.frames(), network.units());
        if frames <= self.burnin_frames {
            return Err(ObjectiveError::TooShort { frames, burnin: self.burnin_frames });
        }
        if responses.units() != units {
            return Err(ObjectiveError::Units { found: responses.units(), expected: units });
        }
        let device = network.device();
        let samples = movie.samples();
        let mut state = network.start(run);
        let mut sum: Option<Tensor<1>> = None;
        let mut terms = 0;
        for time in 0..frames {
            let frame =
                Frame::new(movie.raster(), movie.frame(time), behavior.gaze(time), behavior.state(time), &device);
            let stages = network.step(&mut state, frame);
            if time < self.burnin_frames {
                continue;
            }
            let size = samples * units;
            let mut target = responses.values()[time * size..(time + 1) * size].to_vec();
            let measured: Vec<f32> = target.iter().map(|target| if target.is_nan() { 0.0 } else { 1.0 }).collect();
            target.iter_mut().filter(|target| target.is_nan()).for_each(|target| *target = 0.0);
            let count = measured.iter().filter(|&&measured| measured > 0.0).count();
            let upload = |rows: Vec<f32>| Tensor::from_data(TensorData::new(rows, [samples, units]), &device);
            let mut loss = stages.response - stages.raw * upload(target);
            if count < size {
                loss = loss * upload(measured);
            }
            terms += count;
            let loss = loss.sum();
            sum = Some(match sum {
                Some(sum) => sum + loss,
                None => loss,
            });
        }
        Ok(sum.expect("a frame is left after burn-in") / terms.max(1) as f64)
    }

    /// Reads an objective.
    ///
    /// # Errors
    /// When it is infinite or not a number, or the device fails.
    pub fn read(objective: &Tensor<1>) -> Result<f32, ObjectiveError> {
        let value = objective.try_to_vec_as::<f32>()?[0];
        if value.is_finite() { Ok(value) } else { Err(ObjectiveError::NotFinite(value)) }
    }
}
