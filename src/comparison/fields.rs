//! Receptive fields from spots of light and dark, such as flashing Gaussian dots, of recorded and predicted responses.
//!
//! The map is that of Wang et al. 2025, sum(mask response) / sum(mask), where the mask is how far the screen differs from
//! its background: it is read from the pixels of the movie, so that any recording with movies has one. A Gaussian fitted
//! to the map is the receptive field.

use rayon::prelude::*;

use super::pairs::Pairs;
use crate::analysis::Median;
use crate::analysis::fit::fit_gaussian_2d;
use crate::analysis::receptive_field::block_means;
use crate::data::{SessionError, Trial};
use crate::evaluation::EvaluationError;
use crate::signals::{Degrees, Monitor, Raster, Responses};

/// Most rows and columns of a map.
const GRID: [usize; 2] = [18, 32];
/// Frames by which responses are late, 0.13 s.
pub const LATE_FRAMES: usize = 4;
/// A block of the screen is lit when it differs from the background by so many grey levels.
const LIT: f64 = 2.0;
/// A movie shows spots when what is lit is together: standard deviation of its place as a share of the screen's side.
const TOGETHER: f64 = 0.2;
/// So many different places must have been lit.
const LEAST_PLACES: usize = 12;
/// Share of frames in which something must be lit.
const MOSTLY: f64 = 0.5;
/// Share of the variance over the map that the Gaussian must explain.
pub const LEAST_R2: f64 = 0.5;

/// Where a unit listens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReceptiveField {
    /// Degrees right of and above the middle of the screen.
    pub centre_deg: [Degrees; 2],
    /// Geometric mean of the standard deviations along both axes, degrees.
    pub sigma_deg: Degrees,
    /// Share of the map's variance that the Gaussian explains.
    pub r2: f64,
}

/// Receptive fields from one domain of stimuli.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldComparison {
    /// Name of the domain.
    pub domain: String,
    /// Presented frames, all trials.
    pub frames: usize,
    /// Of the animal's units; `None` where the map has no clear hill.
    pub recorded: Vec<Option<ReceptiveField>>,
    /// Of the twin's.
    pub predicted: Vec<Option<ReceptiveField>>,
}

impl FieldComparison {
    /// Azimuth, elevation and size of all units that have a field in both.
    pub fn pairs(&self) -> [Pairs; 3] {
        let pairs = |label, key, of: fn(&ReceptiveField) -> f64| Pairs {
            label,
            key,
            unit: "°",
            period: None,
            among: "a clear map in both",
            points: self.both().map(|(unit, a, b)| (unit, of(&a), of(&b))).collect(),
        };
        [
            pairs("Azimuth of centre", "centre_x_deg", |field| field.centre_deg[0]),
            pairs("Elevation of centre", "centre_y_deg", |field| field.centre_deg[1]),
            pairs("Size (s.d.)", "sigma_deg", |field| field.sigma_deg),
        ]
    }

    /// Distance of both centres of every such unit, degrees.
    pub fn distances_deg(&self) -> Vec<f64> {
        let apart =
            |[a, b]: [ReceptiveField; 2]| (a.centre_deg[0] - b.centre_deg[0]).hypot(a.centre_deg[1] - b.centre_deg[1]);
        self.both().map(|(_, a, b)| apart([a, b])).collect()
    }

    /// Their median with its interval.
    pub fn median_distance(&self, seed: u64) -> Option<Median> {
        Median::of(&self.distances_deg(), seed)
    }

    fn both(&self) -> impl Iterator<Item = (usize, ReceptiveField, ReceptiveField)> + '_ {
        let pairs = self.recorded.iter().zip(&self.predicted).enumerate();
        pairs.filter_map(|(unit, (recorded, predicted))| Some((unit, (*recorded)?, (*predicted)?)))
    }
}

/// What is lit in each frame of a movie of spots.
#[derive(Debug)]
pub(super) struct Spots {
    /// Blocks with their distance from the background, as a share of it, frame by frame.
    frames: Vec<Vec<(usize, f64)>>,
}

impl Spots {
    /// Reads the movie of a trial; `None` when it shows something else than spots on a background.
    pub(super) fn of(trial: &Trial, raster: Raster) -> Result<Option<Self>, EvaluationError> {
        let [rows, columns] = grid(raster);
        let background = Monitor::WANG2025.background;
        let mut movie = trial.movie()?;
        let mut pixels = vec![0; raster.pixels()];
        let mut frames = Vec::with_capacity(trial.frames);
        let mut lit_frames = 0;
        let mut seen = vec![false; rows * columns];
        for frame in 0..trial.frames {
            movie.read(frame, 1, &mut pixels)?;
            pixels.iter_mut().for_each(|pixel| *pixel = pixel.abs_diff(background));
            let blocks = block_means(&pixels, [raster.height, raster.width], [rows, columns])
                .ok_or_else(|| SessionError::Trial(format!("a movie of {raster} pixels has no blocks")))?;
            let lit: Vec<(usize, f64)> = blocks.into_iter().enumerate().filter(|(_, value)| *value > LIT).collect();
            if !lit.is_empty() {
                lit_frames += 1;
                if !is_together(&lit, [rows, columns]) {
                    return Ok(None);
                }
                let brightest = lit.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(block, _)| block);
                seen[brightest] = true;
            }
            let scale = f64::from(background.max(1));
            frames.push(lit.into_iter().map(|(block, value)| (block, value / scale)).collect());
        }
        let enough = lit_frames as f64 >= MOSTLY * trial.frames as f64;
        let spots = seen.into_iter().filter(|&seen| seen).count() >= LEAST_PLACES;
        Ok((enough && spots).then_some(Self { frames }))
    }
}

/// Whether what is lit lies together.
fn is_together(lit: &[(usize, f64)], [rows, columns]: [usize; 2]) -> bool {
    let total: f64 = lit.iter().map(|(_, value)| value).sum();
    let spread = |place: fn(usize, usize) -> usize, side: usize| {
        let at = |block: usize| place(block, columns) as f64;
        let mean = lit.iter().map(|&(block, value)| value * at(block)).sum::<f64>() / total;
        let squares = lit.iter().map(|&(block, value)| value * (at(block) - mean).powi(2)).sum::<f64>() / total;
        squares.sqrt() / side as f64
    };
    spread(|block, columns| block / columns, rows) <= TOGETHER
        && spread(|block, columns| block % columns, columns) <= TOGETHER
}

fn grid(raster: Raster) -> [usize; 2] {
    [GRID[0].min(raster.height), GRID[1].min(raster.width)]
}

/// Maps of one domain under way.
#[derive(Debug)]
pub(super) struct MapLedger {
    raster: Raster,
    frames: usize,
    recorded: Maps,
    predicted: Maps,
}

/// Sums over frames, `[block, unit]`.
#[derive(Debug)]
struct Maps {
    units: usize,
    weighted: Vec<f64>,
    weights: Vec<f64>,
}

impl Maps {
    fn new(blocks: usize, units: usize) -> Self {
        Self { units, weighted: vec![0.0; blocks * units], weights: vec![0.0; blocks * units] }
    }

    fn add(&mut self, lit: &[(usize, f64)], row: impl Iterator<Item = f32> + Clone) {
        for &(block, weight) in lit {
            let place = block * self.units..(block + 1) * self.units;
            let sums = self.weighted[place.clone()].iter_mut().zip(&mut self.weights[place]);
            for ((sum, weights), response) in sums.zip(row.clone()).filter(|(_, response)| !response.is_nan()) {
                *sum += weight * f64::from(response);
                *weights += weight;
            }
        }
    }

    fn field(&self, unit: usize, places: &[[Degrees; 2]]) -> Option<ReceptiveField> {
        let at = |block: usize| block * self.units + unit;
        let most = (0..places.len()).map(|block| self.weights[at(block)]).fold(0.0, f64::max);
        // Blocks that a spot hardly touched say little about themselves.
        let covered = |block: &usize| self.weights[at(*block)] > 0.05 * most;
        let blocks: Vec<usize> = (0..places.len()).filter(covered).collect();
        let map: Vec<f64> = blocks.iter().map(|&block| self.weighted[at(block)] / self.weights[at(block)]).collect();
        let places: Vec<[f64; 2]> = blocks.iter().map(|&block| places[block]).collect();
        let fit = fit_gaussian_2d(&places, &map).ok()?;
        let curve = fit.curve;
        (curve.amplitude > 0.0 && fit.goodness.r2 >= LEAST_R2).then(|| ReceptiveField {
            centre_deg: curve.centre,
            sigma_deg: (curve.sigma[0] * curve.sigma[1]).sqrt(),
            r2: fit.goodness.r2,
        })
    }
}

impl MapLedger {
    pub(super) fn new(raster: Raster, recorded: usize, predicted: usize) -> Self {
        let [rows, columns] = grid(raster);
        let maps = |units| Maps::new(rows * columns, units);
        Self { raster, frames: 0, recorded: maps(recorded), predicted: maps(predicted) }
    }

    /// Adds the responses to a movie of spots after the burn-in.
    pub(super) fn add(
        &mut self,
        spots: &Spots,
        burnin: usize,
        (recorded, columns): (&Responses, &[usize]),
        (predicted, sample): (&Responses, usize),
    ) {
        for time in burnin.max(LATE_FRAMES)..spots.frames.len().min(recorded.frames()) {
            let lit = &spots.frames[time - LATE_FRAMES];
            let row = recorded.row(time, 0);
            self.recorded.add(lit, columns.iter().map(|&column| row[column]));
            self.predicted.add(lit, predicted.row(time, sample).iter().copied());
            self.frames += 1;
        }
    }

    pub(super) fn finish(self, domain: &str) -> FieldComparison {
        let [rows, columns] = grid(self.raster);
        let monitor = Monitor::WANG2025.with_raster(self.raster);
        let middle =
            |block: usize, blocks: usize, side: usize| (block as f64 + 0.5) * side as f64 / blocks as f64 - 0.5;
        let place = |block: usize| {
            let (row, column) = (block / columns, block % columns);
            let (x, y) = monitor
                .degrees_from_pixel(middle(row, rows, self.raster.height), middle(column, columns, self.raster.width));
            [x, y]
        };
        let places: Vec<[Degrees; 2]> = (0..rows * columns).map(place).collect();
        let fields = |maps: &Maps| (0..maps.units).into_par_iter().map(|unit| maps.field(unit, &places)).collect();
        FieldComparison {
            domain: domain.to_owned(),
            frames: self.frames,
            recorded: fields(&self.recorded),
            predicted: fields(&self.predicted),
        }
    }
}
