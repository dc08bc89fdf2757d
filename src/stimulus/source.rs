//! The movie of a schedule, wherever it is to be shown.

use std::path::Path;

use burn::tensor::Tensor;

use super::schedule::{Schedule, ScheduleSource};
use super::{Renderer, StimulusError};
use crate::gpu::ComputeDevice;
use crate::signals::{FrameSource, Monitor, Raster, SourceError};

/// The movie of a schedule, drawn on demand on the device that will watch it. Paths of clips are relative to `folder`.
///
/// # Errors
/// When a stimulus is impossible or a clip cannot be read.
pub fn source(
    schedule: &Schedule,
    monitor: &Monitor,
    folder: &Path,
    device: &ComputeDevice,
) -> Result<Box<dyn FrameSource>, StimulusError> {
    let mut schedule = schedule.clone();
    for condition in &mut schedule.conditions {
        condition.stimulus.resolve_paths(folder);
        condition.modifiers.iter_mut().for_each(|modifier| modifier.resolve_paths(folder));
    }
    let pictures = ScheduleSource::new(schedule, monitor)?;
    Ok(match device.gpu() {
        None => Box::new(pictures),
        Some(gpu) => Box::new(DeviceSource { pictures, renderer: Renderer::new(gpu) }),
    })
}

/// A schedule drawn by shaders: the pictures go into the network without touching the CPU.
struct DeviceSource {
    pictures: ScheduleSource,
    renderer: Renderer,
}

impl FrameSource for DeviceSource {
    fn raster(&self) -> Raster {
        self.pictures.raster()
    }
    fn frames(&self) -> usize {
        self.pictures.frames()
    }
    fn samples(&self) -> usize {
        1
    }
    fn read(&mut self, start: usize, count: usize, pixels: &mut [u8]) -> Result<(), SourceError> {
        self.pictures.read(start, count, pixels)
    }
    fn on_device(&mut self, start: usize, count: usize) -> Option<Result<Tensor<4>, SourceError>> {
        let drawn = self.renderer.render_schedule(&mut self.pictures, start..start + count);
        Some(drawn.map(|frames| frames.unsqueeze_dim(1)).map_err(|error| SourceError::new(error.to_string())))
    }
}
