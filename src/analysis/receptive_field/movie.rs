//! Reverse correlation with whatever was on the screen.

use std::ops::Range;

use super::reverse_correlation::{ReverseCorrelation, block_means};
use crate::job::{Cancelled, Progress};
use crate::signals::{FrameSource, ResponseRows, SourceError};

/// Frames that are read at once.
const FRAMES_AT_ONCE: usize = 32;

/// Why a movie and responses cannot be correlated.
#[derive(Debug, thiserror::Error)]
pub enum CorrelationError {
    /// Not one response for each frame of one movie.
    #[error(
        "a movie of {frames} frames and {samples} samples cannot be correlated with {responses} frames of responses"
    )]
    Lengths {
        /// Frames of the movie.
        frames: usize,
        /// Movies side by side; one is needed.
        samples: usize,
        /// Frames of the responses.
        responses: usize,
    },
    /// A grid, delays or units that are not there.
    #[error("kernels of {rows} x {columns} blocks, {delays} delays and {units} units cannot be made of this movie")]
    Kernel {
        /// Blocks above one another.
        rows: usize,
        /// Blocks side by side.
        columns: usize,
        /// Number of delays.
        delays: usize,
        /// Number of units.
        units: usize,
    },
    /// The movie could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The responses could not be read.
    #[error("the responses could not be read: {0}")]
    Responses(#[from] std::io::Error),
    /// The user asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Correlates the responses of some units with the frames before them, as means over the blocks of a grid `[rows,
/// columns]`. Each stretch of frames, such as a presentation of white noise, stands for itself; what lies between them
/// does not count. Samples of the responses side by side are averaged; NaN is a response that was not measured. The memory
/// taken is that of the kernels: for a large population take its units in several goes.
///
/// # Errors
/// When lengths, grid or units do not fit, the movie cannot be read, or the user asked to stop.
pub fn reverse_correlate(
    movie: &mut dyn FrameSource,
    stretches: &[Range<usize>],
    [rows, columns]: [usize; 2],
    delays: usize,
    responses: &dyn ResponseRows,
    units: Range<usize>,
    progress: &Progress,
) -> Result<ReverseCorrelation, CorrelationError> {
    let raster = movie.raster();
    let impossible = CorrelationError::Kernel { rows, columns, delays, units: units.len() };
    let lengths =
        CorrelationError::Lengths { frames: movie.frames(), samples: movie.samples(), responses: responses.frames() };
    let inside = stretches.iter().all(|stretch| stretch.end <= movie.frames().min(responses.frames()));
    if movie.samples() != 1 || !inside || responses.samples() == 0 {
        return Err(lengths);
    }
    if rows > raster.height || columns > raster.width || units.end > responses.units() {
        return Err(impossible);
    }
    let Some(mut found) = ReverseCorrelation::new(rows * columns, delays, units.len()) else { return Err(impossible) };
    let size = raster.pixels();
    let mut pixels = vec![0; FRAMES_AT_ONCE * size];
    for stretch in stretches {
        found.start_over();
        let mut at = stretch.start;
        while at < stretch.end {
            progress.check()?;
            let count = FRAMES_AT_ONCE.min(stretch.end - at);
            movie.read(at, count, &mut pixels[..count * size])?;
            let blocks = |frame: &[u8]| {
                let blocks = block_means(frame, [raster.height, raster.width], [rows, columns]);
                blocks.expect("the frame has the raster's size, and the grid fits into it")
            };
            let frames = pixels.chunks_exact(size).take(count).map(blocks).collect();
            let means = means_over_samples(responses, at..at + count, &units)?;
            found.push_all(frames, &means).expect("as many blocks and units");
            at += count;
        }
    }
    Ok(found)
}

/// The mean over samples of some units' responses at each of these frames.
fn means_over_samples(
    responses: &dyn ResponseRows,
    frames: Range<usize>,
    units: &Range<usize>,
) -> std::io::Result<Vec<Vec<f64>>> {
    let mut means = vec![vec![0.0; units.len()]; frames.len()];
    for sample in 0..responses.samples() {
        let mut rows = means.iter_mut();
        responses.each_row(frames.clone(), sample, &mut |row| {
            for (mean, &value) in rows.next().into_iter().flatten().zip(&row[units.clone()]) {
                *mean += f64::from(value) / responses.samples() as f64;
            }
        })?;
    }
    Ok(means)
}
