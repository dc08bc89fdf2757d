//! Draws stimuli on the GPU, straight into a tensor that the network reads: no picture touches the CPU.
//!
//! Grey levels are rounded, so that the twin sees exactly what an 8-bit movie would hold. Each shader carries the name
//! of the file with its formula and is compared with it in the tests. Clips, the background and stimuli with modifiers
//! are uploaded.

use std::ops::Range;

use burn::tensor::Tensor;
use wgpu::util::{BufferInitDescriptor, DeviceExt};

use super::Prepared;
use super::painter::{Painter, Target};
use super::schedule::{ScheduleSource, Stretch};
use crate::gpu::{BridgeError, Gpu, TensorBuffer, tensor_filled_by};
use crate::signals::{Monitor, SourceError};

/// Why nothing was drawn.
#[derive(Debug, thiserror::Error)]
pub enum RendererError {
    /// The tensor could not be made.
    #[error(transparent)]
    Bridge(#[from] BridgeError),
    /// The schedule has no such frames.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// More than a tensor or a shader can count.
    #[error("{frames} frames of {pixels} pixels are too many for one tensor: draw at most {most} at a time")]
    TooMany {
        /// Frames asked for.
        frames: usize,
        /// Pixels of each.
        pixels: usize,
        /// Largest number of frames.
        most: usize,
    },
}

/// Shaders on one device, each compiled when it is first needed.
#[derive(Debug)]
pub struct Renderer {
    gpu: Gpu,
    painter: Painter,
}

/// Frames that one painting is made for: its tables grow with the frames, and a binding has a limit.
const FRAMES_AT_ONCE: usize = 64;

/// Largest number of workgroups along one axis that every device allows.
const MOST_GROUPS: usize = 65_535;

impl Renderer {
    /// Nothing is compiled yet.
    pub fn new(gpu: &Gpu) -> Self {
        Self { gpu: gpu.clone(), painter: Painter::new(&gpu.device) }
    }

    /// Frames of one stimulus, `[time, height, width]`, whole grey levels 0..=255.
    ///
    /// # Errors
    /// When the frames are too many for one tensor, or the device fails.
    pub fn render(&self, prepared: &Prepared, frames: Range<usize>) -> Result<Tensor<3>, RendererError> {
        let count = frames.len();
        self.draw(prepared.monitor(), count, vec![Stretch::Shown(prepared.clone(), frames)])
    }

    /// Frames of a schedule, `[time, height, width]`, whole grey levels 0..=255.
    ///
    /// # Errors
    /// When the schedule has no such frames, they are too many for one tensor, or the device fails.
    pub fn render_schedule(
        &self,
        source: &mut ScheduleSource,
        frames: Range<usize>,
    ) -> Result<Tensor<3>, RendererError> {
        let count = frames.len();
        let stretches = source.stretches(frames)?;
        self.draw(&source.monitor().to_owned(), count, stretches)
    }

    /// Largest number of frames in one tensor.
    pub fn most_frames(&self, monitor: &Monitor) -> usize {
        let limits = self.gpu.device.limits();
        let bytes = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size).min(1 << 31);
        let most = bytes as usize / (4 * monitor.raster.pixels()).max(1);
        most.min(MOST_GROUPS)
    }

    fn draw(&self, monitor: &Monitor, count: usize, stretches: Vec<Stretch>) -> Result<Tensor<3>, RendererError> {
        let raster = monitor.raster;
        let most = self.most_frames(monitor);
        if count > most || count == 0 {
            return Err(RendererError::TooMany { frames: count, pixels: raster.pixels(), most });
        }
        let tensor = tensor_filled_by(&self.gpu, [count, raster.height, raster.width], |target, encoder| {
            let mut first = 0;
            for stretch in &stretches {
                let canvas = Canvas { renderer: self, target, first, pixels: raster.pixels() };
                first += match stretch {
                    Stretch::Blank(frames) => {
                        canvas.blank(*frames, monitor.background, encoder);
                        *frames
                    }
                    Stretch::Shown(prepared, frames) => {
                        canvas.shown(prepared, frames.clone(), encoder);
                        frames.len()
                    }
                };
            }
        })?;
        Ok(tensor)
    }
}

/// A stretch of frames in the tensor, from frame `first` on.
struct Canvas<'a> {
    renderer: &'a Renderer,
    target: &'a TensorBuffer,
    first: usize,
    pixels: usize,
}

impl Canvas<'_> {
    fn blank(&self, frames: usize, background: u8, encoder: &mut wgpu::CommandEncoder) {
        self.upload(&vec![f32::from(background); frames * self.pixels], encoder);
    }

    fn shown(&self, prepared: &Prepared, frames: Range<usize>, encoder: &mut wgpu::CommandEncoder) {
        for (piece, start) in frames.clone().step_by(FRAMES_AT_ONCE).enumerate() {
            let first = self.first + piece * FRAMES_AT_ONCE;
            let frames = start..frames.end.min(start + FRAMES_AT_ONCE);
            Canvas { first, ..*self }.piece(prepared, frames, encoder);
        }
    }

    fn piece(&self, prepared: &Prepared, frames: Range<usize>, encoder: &mut wgpu::CommandEncoder) {
        if let Some(paintings) = prepared.paintings(frames.clone()) {
            let target = Target { binding: self.target.binding(), first: self.first, frames: frames.len() };
            for painting in &paintings {
                self.renderer.painter.paint(painting, prepared.screen(), &target, encoder);
            }
            return;
        }
        let mut picture = vec![0; self.pixels];
        let mut greys = Vec::with_capacity(frames.len() * self.pixels);
        for frame in frames {
            prepared.frame(frame, &mut picture);
            greys.extend(picture.iter().map(|&grey| f32::from(grey)));
        }
        self.upload(&greys, encoder);
    }

    fn upload(&self, greys: &[f32], encoder: &mut wgpu::CommandEncoder) {
        let bytes = bytemuck::cast_slice(greys);
        let staged = self.renderer.gpu.device.create_buffer_init(&BufferInitDescriptor {
            label: Some("pictures"),
            contents: bytes,
            usage: wgpu::BufferUsages::COPY_SRC,
        });
        self.target.copy_from(&staged, (self.first * self.pixels * 4) as u64, bytes.len() as u64, encoder);
    }
}
