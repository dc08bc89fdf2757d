//! From the pixels of a file to those of the monitor: averaged by area where pixels are lost, interpolated linearly
//! where they are gained.

use super::{Look, PictureFit};
use crate::signals::Raster;
use crate::stimulus::grey_level;

/// How one size of picture comes onto the screen.
#[derive(Debug)]
pub(super) struct Fit {
    /// Pixels of the pictures.
    pub source: Raster,
    /// Where they are seen.
    pub place: Place,
    /// Part of the height and of the width that is seen, 0..=1.
    pub seen: [f64; 2],
    rows: Vec<Share>,
    columns: Vec<Share>,
}

/// The part of the screen that a picture takes, pixels; around it is the background.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub top: usize,
    pub left: usize,
    pub raster: Raster,
}

/// Where the value of one target row or column comes from: consecutive sources and their weights, which sum to 1.
#[derive(Debug)]
struct Share {
    first: usize,
    weights: Vec<f32>,
}

impl Fit {
    pub(super) fn new(source: Raster, screen: Raster, look: &Look) -> Self {
        let (height, width) = (source.height as f64, source.width as f64);
        let aspect = screen.width as f64 / screen.height as f64;
        let is_wider = width > height * aspect;
        let (used_height, used_width) = match look.fit {
            PictureFit::Crop if is_wider => (height, height * aspect),
            PictureFit::Crop => (width / aspect, width),
            PictureFit::Contain | PictureFit::Stretch => (height, width),
        };
        let whole = |size: f64, most: usize| (size.round() as usize).clamp(1, most);
        let shown = match look.fit {
            PictureFit::Contain if is_wider => {
                Raster { height: whole(screen.width as f64 * height / width, screen.height), width: screen.width }
            }
            PictureFit::Contain => {
                Raster { height: screen.height, width: whole(screen.height as f64 * width / height, screen.width) }
            }
            PictureFit::Crop | PictureFit::Stretch => screen,
        };
        // Rows count downwards, `crop_y` upwards.
        let top = (height - used_height) / 2.0 * (1.0 - look.crop_y);
        let left = (width - used_width) / 2.0 * (1.0 + look.crop_x);
        Self {
            source,
            place: Place {
                top: (screen.height - shown.height) / 2,
                left: (screen.width - shown.width) / 2,
                raster: shown,
            },
            seen: [used_height / height, used_width / width],
            rows: shares(source.height, top, used_height, shown.height),
            columns: shares(source.width, left, used_width, shown.width),
        }
    }

    /// Appends the pixels of a picture, as many as its place has.
    pub(super) fn append(&self, grey: &[u8], pixels: &mut Vec<u8>) {
        if self.source == self.place.raster && self.seen == [1.0; 2] {
            pixels.extend_from_slice(grey);
            return;
        }
        let width = self.source.width;
        let mut mixed = vec![0.0f32; width];
        for row in &self.rows {
            mixed.fill(0.0);
            for (line, weight) in grey[row.first * width..].chunks_exact(width).zip(&row.weights) {
                for (sum, &value) in mixed.iter_mut().zip(line) {
                    *sum += weight * f32::from(value);
                }
            }
            pixels.extend(self.columns.iter().map(|column| {
                let sources = &mixed[column.first..column.first + column.weights.len()];
                grey_level(f64::from(sources.iter().zip(&column.weights).map(|(v, w)| v * w).sum::<f32>()))
            }));
        }
    }
}

/// Shares of `target` values taken from `used` of `source` values, from `start` on.
fn shares(source: usize, start: f64, used: f64, target: usize) -> Vec<Share> {
    let scale = used / target as f64;
    (0..target)
        .map(|index| {
            if scale >= 1.0 {
                let (from, to) = (start + index as f64 * scale, start + (index + 1) as f64 * scale);
                let first = (from.floor() as usize).min(source - 1);
                let last = (to.ceil() as usize).clamp(first + 1, source);
                let overlap = |pixel: usize| (to.min(pixel as f64 + 1.0) - from.max(pixel as f64)).max(0.0);
                let total: f64 = (first..last).map(overlap).sum();
                Share { first, weights: (first..last).map(|pixel| (overlap(pixel) / total) as f32).collect() }
            } else {
                let centre = (start + (index as f64 + 0.5) * scale - 0.5).clamp(0.0, source as f64 - 1.0);
                let first = centre.floor() as usize;
                let rest = (centre - first as f64) as f32;
                Share { first, weights: if rest > 0.0 { vec![1.0 - rest, rest] } else { vec![1.0] } }
            }
        })
        .collect()
}
