//! What a twin carries from frame to frame, and how a run begins.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};

use super::draws::Draws;
use super::feedforward::{Pathway, Pending};
use super::modulation::Arousal;
use super::perspective::Eye;
use super::readout::Reader;
use super::recurrent::{Loop, Memory};
use crate::signals::Raster;

/// How a sequence is run.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Movies side by side.
    pub samples: usize,
    /// One stream alone, or all of them and their mean.
    pub stream: Option<usize>,
    /// Random monitor pose and positions while training; `None` for the exact network.
    pub training: Option<Draws>,
}

impl Run {
    /// All streams, nothing random.
    pub fn inference(samples: usize) -> Self {
        Self { samples, stream: None, training: None }
    }
}

/// One frame for every sample.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Grey levels 0..=255, `[sample, y, x]`; a single picture is shown to all samples.
    pub grey: Tensor<3>,
    /// Pupil x and y, `[sample, 2]`; a single row goes to all samples.
    pub gaze: Tensor<2>,
    /// Pupil radius and running speed, `[sample, 2]`; a single row goes to all samples.
    pub behavior: Tensor<2>,
}

impl Frame {
    /// A frame from grey levels `[sample, y, x]`, gaze and behaviour by sample.
    pub fn new(raster: Raster, grey: &[u8], gaze: &[[f32; 2]], behavior: &[[f32; 2]], device: &Device) -> Self {
        let pictures = grey.len() / raster.pixels().max(1);
        let grey: Vec<f32> = grey.iter().map(|&level| f32::from(level)).collect();
        let rows = |rows: &[[f32; 2]]| {
            Tensor::from_data(TensorData::new(rows.as_flattened().to_vec(), [rows.len(), 2]), device)
        };
        Self {
            grey: Tensor::from_data(TensorData::new(grey, [pictures, raster.height, raster.width]), device),
            gaze: rows(gaze),
            behavior: rows(behavior),
        }
    }
}

/// Everything that later frames depend on. A value: a clone is a branch, and neither touches the other.
#[derive(Debug, Clone)]
pub struct State {
    pub(super) sequence: Arc<Sequence>,
    pub(super) samples: usize,
    pub(super) modulation: Memory,
    pub(super) feedforward: Pending,
    pub(super) recurrent: Memory,
}

impl State {
    /// Number of samples.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Hidden state and cell of the core, `[sample, stream * group, channel, pixel]`.
    pub fn recurrent(&self) -> (Tensor<4>, Tensor<4>) {
        self.recurrent.clone()
    }

    /// Hidden state and cell of the modulation, `[sample, stream, channel, 1]`.
    pub fn modulation(&self) -> (Tensor<4>, Tensor<4>) {
        self.modulation.clone()
    }
}

/// Effective weights, poses and positions of one sequence.
#[derive(Debug)]
pub(super) struct Sequence {
    pub eye: Eye,
    pub arousal: Arousal,
    pub pathway: Pathway,
    pub recurrent: Loop,
    pub reader: Reader,
    /// Whether only one stream runs: then nothing is averaged.
    pub single: bool,
}

/// Output of every part for one frame.
#[derive(Debug, Clone)]
pub struct Stages {
    /// Retina image, `[sample, 1, y, x]`.
    pub perspective: Tensor<4>,
    /// `[sample, stream * channel]`.
    pub modulation: Tensor<2>,
    /// `[sample, stream * channel, y, x]`.
    pub feedforward: Tensor<4>,
    /// Output of the core, `[sample, stream * channel, y, x]`.
    pub recurrent: Tensor<4>,
    /// Log-rates of every stream, `[sample, stream, unit]`.
    pub readout: Tensor<3>,
    /// Log-rates, `[sample, unit]`.
    pub raw: Tensor<2>,
    /// Responses in units of each unit's average, `[sample, unit]`.
    pub response: Tensor<2>,
}
