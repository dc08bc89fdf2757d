//! Gaussian blur: removes fine detail.
//!
//! The deviation is in degrees at the centre of the screen and the same number of pixels everywhere, as for a clip. The
//! kernel ends at 4 deviations and sums to 1; beyond the border the picture goes on as its mirror image, so that the mean
//! grey level stays what it was.

use super::super::fields::{Field, parameters};
use super::{Change, ModifierParameters, Prepared, Screen, StimulusError};
use crate::signals::{Degrees, Monitor, Raster};

parameters! {
    /// Gaussian blur.
    pub struct Blur {
        /// Standard deviation at the centre of the screen, degrees.
        sigma_deg: Degrees = 3.0, Field::number(
            "Blur",
            "deg",
            (0.0, 30.0),
            0.5,
            "Standard deviation of the Gaussian at the centre of the screen; contrast is halved at 0.19 / blur cyc/deg",
        );
    }
}

impl ModifierParameters for Blur {
    fn prepare(
        &self,
        below: &Prepared,
        _nested: Option<Prepared>,
        _seed: u64,
    ) -> Result<Box<dyn Change>, StimulusError> {
        Ok(Box::new(Kernels::on_screen(self.sigma_deg, below.monitor())))
    }
}

/// Weights of the middle pixel and of its neighbours to one side.
fn kernel(sigma: f64, side: usize) -> Vec<f32> {
    // A picture of n pixels and its mirror image repeat after 2n: more of it would only be slower.
    let reach = ((4.0 * sigma).ceil() as usize).min(2 * side);
    let weights: Vec<f64> =
        (0..=reach).map(|k| if k == 0 { 1.0 } else { (-0.5 * (k as f64 / sigma).powi(2)).exp() }).collect();
    let sum = 2.0 * weights.iter().sum::<f64>() - weights[0];
    weights.iter().map(|weight| (weight / sum) as f32).collect()
}

/// The kernel along rows and that along columns, pixels.
#[derive(Debug, Clone)]
pub(crate) struct Kernels {
    along: Vec<f32>,
    down: Vec<f32>,
}

/// Where the picture's mirror image has what lies at this index.
fn mirrored(index: isize, side: usize) -> usize {
    let around = index.rem_euclid(2 * side as isize) as usize;
    if around < side { around } else { 2 * side - 1 - around }
}

impl Kernels {
    /// A blur by a standard deviation in degrees at the centre of a screen.
    pub(crate) fn on_screen(sigma_deg: Degrees, monitor: &Monitor) -> Self {
        let (dx, dy) = monitor.pitch_cm();
        let sigma = |pitch: f64| sigma_deg.to_radians() * monitor.distance_cm / pitch;
        let raster = monitor.raster;
        Self { along: kernel(sigma(dx), raster.width), down: kernel(sigma(dy), raster.height) }
    }

    /// A blur along columns of this height alone, by a standard deviation in rows.
    pub(crate) fn along_columns(sigma_rows: f64, height: usize) -> Self {
        Self { along: vec![1.0], down: kernel(sigma_rows, height) }
    }

    /// Blurs a picture of the raster that the kernels were made for.
    pub(crate) fn blur(&self, raster: Raster, greys: &mut [f32]) {
        let (width, height) = (raster.width, raster.height);
        if self.along.len() > 1 {
            let reach = self.along.len() - 1;
            let mut line = vec![0.0; width + 2 * reach];
            for row in greys.chunks_exact_mut(width) {
                for (index, value) in line.iter_mut().enumerate() {
                    *value = row[mirrored(index as isize - reach as isize, width)];
                }
                mix(row, &line[reach..], self.along[0]);
                for (k, &weight) in self.along.iter().enumerate().skip(1) {
                    add_pair(row, &line[reach - k..], &line[reach + k..], weight);
                }
            }
        }
        if self.down.len() > 1 {
            let before = greys.to_vec();
            let line = |row: isize| &before[mirrored(row, height) * width..][..width];
            for (row, mixed) in greys.chunks_exact_mut(width).enumerate() {
                let row = row as isize;
                mix(mixed, line(row), self.down[0]);
                for (k, &weight) in self.down.iter().enumerate().skip(1) {
                    add_pair(mixed, line(row - k as isize), line(row + k as isize), weight);
                }
            }
        }
    }
}

impl Change for Kernels {
    fn apply(&self, screen: &Screen, _frame: usize, greys: &mut [f32]) {
        self.blur(screen.monitor().raster, greys);
    }
}

fn mix(sums: &mut [f32], values: &[f32], weight: f32) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum = weight * value;
    }
}

fn add_pair(sums: &mut [f32], before: &[f32], after: &[f32], weight: f32) {
    for ((sum, before), after) in sums.iter_mut().zip(before).zip(after) {
        *sum += weight * (before + after);
    }
}
