//! Movies of single spots of light and dark, such as flashing Gaussian dots, and the maps from them.
//!
//! The map is that of Wang et al. 2025, sum(mask response) / sum(mask), where the mask is how far the screen differs from
//! its background.

use rayon::prelude::*;

use super::fields::{Answers, FieldComparison, FieldMap, LATE_FRAMES, ReceptiveField};
use super::grid::Grid;
use crate::data::Trial;
use crate::evaluation::EvaluationError;
use crate::signals::{Degrees, Monitor};

/// A block of the screen is lit when it differs from the background by so many grey levels.
const LIT: f64 = 2.0;
/// A movie shows spots when what is lit is together: standard deviation of its place as a share of the screen's side.
const TOGETHER: f64 = 0.2;
/// So many different places must have been lit.
const LEAST_PLACES: usize = 12;
/// Share of frames in which something must be lit.
const MOSTLY: f64 = 0.5;

/// What is lit in each frame of a movie of spots.
#[derive(Debug)]
pub(super) struct Spots {
    /// Blocks with their distance from the background, as a share of it, frame by frame.
    frames: Vec<Vec<(usize, f64)>>,
}

impl Spots {
    /// Reads the movie of a trial; `None` when it shows something else than spots on a background.
    pub fn of(trial: &Trial, grid: Grid) -> Result<Option<Self>, EvaluationError> {
        let background = Monitor::WANG2025.background;
        let mut movie = trial.movie()?;
        let mut pixels = vec![0; grid.raster.pixels()];
        let mut frames = Vec::with_capacity(trial.frames);
        let mut lit_frames = 0;
        let mut seen = vec![false; grid.blocks()];
        for frame in 0..trial.frames {
            movie.read(frame, 1, &mut pixels)?;
            pixels.iter_mut().for_each(|pixel| *pixel = pixel.abs_diff(background));
            let blocks = grid.means(&pixels)?;
            let lit: Vec<(usize, f64)> = blocks.into_iter().enumerate().filter(|(_, value)| *value > LIT).collect();
            if !lit.is_empty() {
                lit_frames += 1;
                if !is_together(&lit, grid) {
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
fn is_together(lit: &[(usize, f64)], grid: Grid) -> bool {
    let total: f64 = lit.iter().map(|(_, value)| value).sum();
    let spread = |axis: usize, side: usize| {
        let at = |block: usize| grid.row_and_column(block)[axis] as f64;
        let mean = lit.iter().map(|&(block, value)| value * at(block)).sum::<f64>() / total;
        let squares = lit.iter().map(|&(block, value)| value * (at(block) - mean).powi(2)).sum::<f64>() / total;
        squares.sqrt() / side as f64
    };
    spread(0, grid.rows) <= TOGETHER && spread(1, grid.columns) <= TOGETHER
}

/// Maps from spots under way.
#[derive(Debug)]
pub(super) struct SpotMaps {
    grid: Grid,
    pub frames: usize,
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
        ReceptiveField::of_map(&places, &map)
    }
}

impl SpotMaps {
    pub fn new(grid: Grid, recorded: usize, predicted: usize) -> Self {
        let maps = |units| Maps::new(grid.blocks(), units);
        Self { grid, frames: 0, recorded: maps(recorded), predicted: maps(predicted) }
    }

    /// Adds the responses to a movie of spots after the burn-in.
    pub fn add(&mut self, spots: &Spots, burnin: usize, recorded: Answers<'_>, predicted: Answers<'_>) {
        for time in burnin.max(LATE_FRAMES)..spots.frames.len().min(recorded.frames()) {
            let lit = &spots.frames[time - LATE_FRAMES];
            self.recorded.add(lit, recorded.row(time));
            self.predicted.add(lit, predicted.row(time));
            self.frames += 1;
        }
    }

    pub fn finish(self, domain: &str, monitor: &Monitor) -> FieldComparison {
        let places = self.grid.places(monitor);
        let fields = |maps: &Maps| (0..maps.units).into_par_iter().map(|unit| maps.field(unit, &places)).collect();
        FieldComparison {
            domain: domain.to_owned(),
            map: FieldMap::Spots,
            monitor: *monitor,
            frames: self.frames,
            recorded: fields(&self.recorded),
            predicted: fields(&self.predicted),
        }
    }
}
