//! Pictures made smaller: every new pixel is the mean over the part of the picture that it covers.

use std::ops::Range;

use crate::signals::{Movie, Raster};

/// Frames of a range at another raster, and before them those that a memory of so many `lags`, the present frame among
/// them, needs as well: `[lags - 1 + time, pixel]`. Before the movie its first frame stood still.
pub(crate) fn rows(raster: Raster, lags: usize, movie: &Movie, sample: usize, range: Range<usize>) -> Vec<f32> {
    let (pixels, from) = (raster.pixels(), movie.raster().pixels());
    let mut boxes = BoxAverage::new(movie.raster(), raster);
    let memory = lags - 1;
    let mut rows = vec![0.0; (range.len() + memory) * pixels];
    for (index, row) in rows.chunks_exact_mut(pixels).enumerate() {
        let time = (range.start + index).saturating_sub(memory);
        boxes.contrast(&movie.frame(time)[sample * from..(sample + 1) * from], row);
    }
    rows
}

/// The average over boxes, which may cover parts of pixels.
#[derive(Debug, Clone)]
struct BoxAverage {
    from: Raster,
    rows: Vec<Share>,
    columns: Vec<Share>,
    /// Rows of the picture at the new width.
    narrow: Vec<f32>,
}

/// What one box takes from each pixel along an axis.
#[derive(Debug, Clone)]
struct Share {
    first: usize,
    weights: Vec<f32>,
}

impl BoxAverage {
    /// From one raster to another, both of at least one pixel.
    fn new(from: Raster, to: Raster) -> Self {
        let (rows, columns) = (shares(from.height, to.height), shares(from.width, to.width));
        Self { from, rows, columns, narrow: vec![0.0; from.height * to.width] }
    }

    /// One picture `[height, width]` of grey levels into `out`, as contrast: 0 is the middle grey 128, 1 is 64 levels.
    fn contrast(&mut self, picture: &[u8], out: &mut [f32]) {
        let width = self.columns.len();
        for (line, narrow) in picture.chunks_exact(self.from.width).zip(self.narrow.chunks_exact_mut(width)) {
            for (value, share) in narrow.iter_mut().zip(&self.columns) {
                let pixels = &line[share.first..share.first + share.weights.len()];
                *value = pixels.iter().zip(&share.weights).map(|(&grey, weight)| f32::from(grey) * weight).sum();
            }
        }
        for (line, share) in out.chunks_exact_mut(width).zip(&self.rows) {
            line.fill(-128.0 / 64.0);
            for (row, weight) in (share.first..).zip(&share.weights) {
                let narrow = &self.narrow[row * width..(row + 1) * width];
                line.iter_mut().zip(narrow).for_each(|(sum, value)| *sum += weight / 64.0 * value);
            }
        }
    }
}

fn shares(from: usize, to: usize) -> Vec<Share> {
    let size = from as f64 / to as f64;
    let share = |index: usize| {
        let (start, end) = (index as f64 * size, (index + 1) as f64 * size);
        let first = (start.floor() as usize).min(from - 1);
        let last = (end.ceil() as usize).clamp(first + 1, from);
        let covered = |pixel: usize| (end.min((pixel + 1) as f64) - start.max(pixel as f64)).max(0.0);
        let whole: f64 = (first..last).map(covered).sum();
        Share { first, weights: (first..last).map(|pixel| (covered(pixel) / whole) as f32).collect() }
    };
    (0..to).map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_that_cut_pixels_take_their_share() {
        let (from, to) = (Raster { height: 1, width: 3 }, Raster { height: 1, width: 2 });
        let mut out = [0.0; 2];
        BoxAverage::new(from, to).contrast(&[128, 192, 0], &mut out);
        // Means of 128, 128, 192 and of 192, 0, 0 in thirds of a box.
        let expected = [(149.333 - 128.0) / 64.0, (64.0 - 128.0) / 64.0];
        assert!(out.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-4), "{out:?}, not {expected:?}");
    }

    #[test]
    fn a_uniform_picture_stays_uniform_at_any_size() {
        for (height, width) in [(1, 1), (3, 5), (18, 32), (40, 70)] {
            let mut out = vec![9.0; height * width];
            let from = Raster { height: 36, width: 64 };
            BoxAverage::new(from, Raster { height, width }).contrast(&[160; 36 * 64], &mut out);
            assert!(out.iter().all(|value| (value - 0.5).abs() < 1e-5), "{height} x {width}: {out:?}");
        }
    }
}
