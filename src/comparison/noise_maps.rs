//! Maps from noise: the covariance of responses with what blocks of the screen showed some frames before.
//!
//! A unit that adds up light, or darkness, covaries with the luminance of its blocks; a unit that answers to both, as
//! complex cells do, only with their contrast. The clearer map of both is the unit's. That of contrast wants more patterns:
//! each of n squares in a field explains about 1 / n of what the unit answers to its own contrast, and the rest is chance.

use rayon::prelude::*;

use super::fields::{Answers, FieldComparison, FieldMap, ReceptiveField};
use super::grid::Grid;
use super::noise::Noise;
use crate::model::baseline::product::{Matrix, product};
use crate::signals::{Degrees, Monitor, Raster};

/// Delays of the maps from noise, 0 to 0.27 s: frames between what was shown and the response.
pub const NOISE_DELAYS: usize = 9;
/// Luminance and contrast.
const PARTS: usize = 2;
/// Most covariances at a time, 256 MB. Some 6,400 units, recorded and predicted together, have the finest grid of 18 x 32
/// blocks; 10,000 recorded and 10,000 predicted ones have 10 x 18.
const MOST: usize = 1 << 26;
/// Standard deviation of the Gaussian by which maps are smoothed, as a share of the height of the screen, 5 degrees in its
/// middle. A map of n blocks from p patterns has n / p times as much energy of chance as of a unit that answers without any
/// noise, and no Gaussian would explain half of it; smoothed, a twentieth of that chance is left.
const SMOOTH: f64 = 0.07;
/// Frames that are multiplied at once.
const FRAMES_AT_ONCE: usize = 256;
/// Units that are multiplied at once.
const UNITS_AT_ONCE: usize = 64;

/// Covariances of one domain under way.
#[derive(Debug)]
pub(super) struct NoiseMaps {
    grid: Grid,
    pub frames: usize,
    recorded: Products,
    predicted: Products,
}

impl NoiseMaps {
    /// As fine as memory allows for so many units, recorded and predicted.
    pub fn grid(raster: Raster, units: usize) -> Grid {
        Grid::of_at_most(raster, MOST / (units.max(1) * NOISE_DELAYS * PARTS))
    }

    pub fn new(grid: Grid, recorded: usize, predicted: usize) -> Self {
        let products = |units| Products::new(grid.blocks(), units);
        Self { grid, frames: 0, recorded: products(recorded), predicted: products(predicted) }
    }

    /// Adds the responses to a movie of noise after the burn-in.
    pub fn add(&mut self, noise: &Noise, burnin: usize, recorded: Answers<'_>, predicted: Answers<'_>) {
        let times = burnin.max(NOISE_DELAYS - 1)..noise.frames.min(recorded.frames());
        if times.is_empty() || noise.grid != self.grid {
            return;
        }
        let centres = [&recorded, &predicted].map(|answers| means(*answers, times.clone()));
        for start in times.clone().step_by(FRAMES_AT_ONCE) {
            let some = start..times.end.min(start + FRAMES_AT_ONCE);
            let shown = before(noise, some.clone());
            self.recorded.add(&shown, recorded, &centres[0], some.clone());
            self.predicted.add(&shown, predicted, &centres[1], some);
        }
        self.frames += times.len();
    }

    pub fn finish(self, domain: &str, monitor: &Monitor) -> FieldComparison {
        let (places, smoothing) = (self.grid.places(monitor), Smoothing::new(self.grid));
        let fields = |products: &Products| -> Vec<Option<ReceptiveField>> {
            products.sums.par_chunks(products.kernel).map(|sums| field(sums, &smoothing, &places)).collect()
        };
        FieldComparison {
            domain: domain.to_owned(),
            map: FieldMap::Noise,
            monitor: *monitor,
            frames: self.frames,
            recorded: fields(&self.recorded),
            predicted: fields(&self.predicted),
        }
    }
}

/// Sums of products of responses with what was shown before, `[unit, delay, part, block]`. Both are centred trial by trial:
/// what differs from one trial to the next, such as a drift of the recording, is no receptive field.
#[derive(Debug)]
struct Products {
    kernel: usize,
    sums: Vec<f32>,
}

impl Products {
    fn new(blocks: usize, units: usize) -> Self {
        let kernel = NOISE_DELAYS * PARTS * blocks;
        Self { kernel, sums: vec![0.0; units * kernel] }
    }

    /// Adds frames; `shown` is `[frame, delay, part, block]`. Responses that were not measured are left out.
    fn add(&mut self, shown: &[f32], answers: Answers<'_>, centres: &[f32], times: std::ops::Range<usize>) {
        let kernel = self.kernel;
        self.sums.par_chunks_mut(UNITS_AT_ONCE * kernel).enumerate().for_each(|(chunk, sums)| {
            let first = chunk * UNITS_AT_ONCE;
            let units = first..first + sums.len() / kernel;
            let mut responses = Vec::with_capacity(times.len() * units.len());
            for time in times.clone() {
                let row = answers.responses.row(time, answers.sample);
                let columns = answers.columns[units.clone()].iter().zip(&centres[units.clone()]);
                let centred = columns.map(|(&column, centre)| row[column] - centre);
                responses.extend(centred.map(|value| if value.is_nan() { 0.0 } else { value }));
            }
            product(Matrix::new(&responses, units.len()).turned(), Matrix::new(shown, kernel), true, sums);
        });
    }
}

/// Mean response of each unit over frames at which it was measured; NaN where there is none.
fn means(answers: Answers<'_>, times: std::ops::Range<usize>) -> Vec<f32> {
    let mut sums = vec![(0.0, 0.0); answers.columns.len()];
    for time in times {
        for ((sum, count), value) in sums.iter_mut().zip(answers.row(time)).filter(|(_, value)| !value.is_nan()) {
            *sum += f64::from(value);
            *count += 1.0;
        }
    }
    sums.into_iter().map(|(sum, count)| (sum / count) as f32).collect()
}

/// What was shown before each frame, `[frame, delay, part, block]`.
fn before(noise: &Noise, times: std::ops::Range<usize>) -> Vec<f32> {
    let blocks = noise.grid.blocks();
    let mut shown = Vec::with_capacity(times.len() * NOISE_DELAYS * PARTS * blocks);
    for time in times {
        for delay in 0..NOISE_DELAYS {
            let frame = (time - delay) * blocks..(time - delay + 1) * blocks;
            shown.extend_from_slice(&noise.luminance[frame.clone()]);
            shown.extend_from_slice(&noise.contrast[frame]);
        }
    }
    shown
}

/// Weights of a Gaussian along both axes, which add up to 1 wherever it stands, `[to, from]`.
struct Smoothing {
    rows: Vec<Vec<f64>>,
    columns: Vec<Vec<f64>>,
}

impl Smoothing {
    fn new(grid: Grid) -> Self {
        let sigma = SMOOTH * grid.raster.height as f64;
        let weights = |blocks: usize, pixels: usize| -> Vec<Vec<f64>> {
            let of = |to: usize| {
                let apart = |from: usize| to.abs_diff(from) as f64 * pixels as f64 / blocks as f64 / sigma;
                let weights: Vec<f64> = (0..blocks).map(|from| (-0.5 * apart(from).powi(2)).exp()).collect();
                let total: f64 = weights.iter().sum();
                weights.into_iter().map(|weight| weight / total).collect()
            };
            (0..blocks).map(of).collect()
        };
        Self { rows: weights(grid.rows, grid.raster.height), columns: weights(grid.columns, grid.raster.width) }
    }

    /// A map `[row, column]`, smoothed.
    fn of(&self, map: &[f32]) -> Vec<f64> {
        let columns = self.columns.len();
        let along =
            |row: &[f32], weights: &[f64]| -> f64 { row.iter().zip(weights).map(|(&v, w)| f64::from(v) * w).sum() };
        let lines: Vec<Vec<f64>> = map
            .chunks_exact(columns)
            .map(|row| self.columns.iter().map(|weights| along(row, weights)).collect())
            .collect();
        let down =
            |weights: &[f64], column: usize| -> f64 { lines.iter().zip(weights).map(|(row, w)| row[column] * w).sum() };
        self.rows
            .iter()
            .flat_map(|weights| (0..columns).map(move |column| (weights, column)))
            .map(|(w, c)| down(w, c))
            .collect()
    }
}

/// The clearer of both maps of a unit, each at the delay with most energy and of either sign: light or darkness may drive it.
fn field(sums: &[f32], smoothing: &Smoothing, places: &[[Degrees; 2]]) -> Option<ReceptiveField> {
    let blocks = places.len();
    let of_part = |part: usize| -> Option<ReceptiveField> {
        let maps = sums.chunks_exact(blocks).skip(part).step_by(PARTS).map(|map| smoothing.of(map));
        let energy = |map: &[f64]| map.iter().map(|value| value * value).sum::<f64>();
        let map = maps.max_by(|a, b| energy(a).total_cmp(&energy(b)))?;
        let largest = map.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs()))?;
        let upright: Vec<f64> = map.iter().map(|value| value * largest.signum()).collect();
        ReceptiveField::of_map(places, &upright)
    };
    let found = (0..PARTS).filter_map(of_part);
    found.reduce(|first, second| if second.r2 > first.r2 { second } else { first })
}
