//! Grey-level movies, in memory or read piece by piece.

use burn::tensor::Tensor;

use super::Raster;

/// Why frames could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct SourceError {
    /// One sentence: what, where, and how to mend it.
    pub what: String,
}

impl SourceError {
    /// An error with this sentence.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into() }
    }
}

/// Frames on demand, so that memory need not grow with the length of a movie.
pub trait FrameSource: Send {
    /// Pixels of every frame.
    fn raster(&self) -> Raster;
    /// Number of frames.
    fn frames(&self) -> usize;
    /// Number of movies shown side by side (the batch).
    fn samples(&self) -> usize;
    /// Frames `start..start + count` into `pixels`, `[count, sample, height, width]`, grey 0..=255.
    fn read(&mut self, start: usize, count: usize, pixels: &mut [u8]) -> Result<(), SourceError>;
    /// The same frames as grey values 0..=255 `[count, sample, height, width]` that already lie on the compute
    /// device; `None` when they have to come through [`FrameSource::read`].
    fn on_device(&mut self, start: usize, count: usize) -> Option<Result<Tensor<4>, SourceError>> {
        let _ = (start, count);
        None
    }
}

/// A batch of movies in memory, u8 grey levels `[time, sample, height, width]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movie {
    raster: Raster,
    frames: usize,
    samples: usize,
    pixels: Vec<u8>,
}

impl Movie {
    /// Takes pixels `[time, sample, height, width]`.
    ///
    /// # Errors
    /// When the number of pixels is not `frames * samples * height * width`.
    pub fn new(raster: Raster, frames: usize, samples: usize, pixels: Vec<u8>) -> Result<Self, SourceError> {
        let expected = frames * samples * raster.pixels();
        if pixels.len() != expected {
            return Err(SourceError::new(format!(
                "a movie of {frames} frames, {samples} samples and {raster} pixels has {expected} values, found {}",
                pixels.len()
            )));
        }
        Ok(Self { raster, frames, samples, pixels })
    }

    /// Pixels of every frame.
    pub fn raster(&self) -> Raster {
        self.raster
    }

    /// Number of frames.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// Number of movies side by side.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// All grey levels, `[time, sample, height, width]`.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// One frame of every sample, `[sample, height, width]`.
    pub fn frame(&self, time: usize) -> &[u8] {
        let size = self.samples * self.raster.pixels();
        &self.pixels[time * size..(time + 1) * size]
    }
}

impl FrameSource for Movie {
    fn raster(&self) -> Raster {
        self.raster
    }
    fn frames(&self) -> usize {
        self.frames
    }
    fn samples(&self) -> usize {
        self.samples
    }
    fn read(&mut self, start: usize, count: usize, pixels: &mut [u8]) -> Result<(), SourceError> {
        let size = self.samples * self.raster.pixels();
        let Some(from) = self.pixels.get(start * size..(start + count) * size) else {
            return Err(SourceError::new(format!(
                "frames {start}..{} were asked of a movie of {} frames",
                start + count,
                self.frames
            )));
        };
        pixels.copy_from_slice(from);
        Ok(())
    }
}
