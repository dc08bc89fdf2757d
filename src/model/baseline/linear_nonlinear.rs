//! The linear-nonlinear model: every unit sees the movie through one space-time filter, and a fixed function turns what
//! it sees into a rate.
//!
//! The filter is a sum of a few products of a picture and a time course (rank 2 holds a direction-selective simple cell,
//! whose two pictures are a quarter of a cycle apart). Running and the pupil multiply the rate. There is no memory but
//! that of the filter, and no gaze.

use std::path::Path;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::error::{between, within};
use super::product::{Matrix, product};
use super::{BaselineError, LARGEST_LOG_RATE, check_pair, file, rows};
use crate::signals::{Behavior, Movie, Raster, Responses};

const KIND: &str = "linear_nonlinear";
/// Frames that are computed at once.
const BLOCK: usize = 512;

/// What turns the filtered movie into a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// e^x.
    Exponential,
    /// ln(1 + e^x) to a power that each unit learns: a rectifier that is smooth at its threshold.
    Power,
}

/// Sizes of the model, and how it is fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LnConfig {
    /// Movies are averaged to this raster.
    pub raster: Raster,
    /// Frames that a response depends on.
    pub lags: usize,
    /// Products of a picture and a time course in a filter.
    pub rank: usize,
    /// From what is seen to a rate.
    pub output: Output,
    /// Strengths of the prior that filters are small and smooth; each unit takes the one that predicts the validation
    /// clips best.
    pub penalties: Vec<f64>,
    /// Spatial frequency from which the prior is steep, cycles per pixel.
    pub smooth_cyc_per_pixel: f64,
    /// Evaluations of all filters for each penalty.
    pub evaluations: usize,
}

impl Default for LnConfig {
    /// Half a second on 18 x 32 pixels, 3.9 degrees each on the monitor of Wang et al. 2025.
    fn default() -> Self {
        Self {
            raster: Raster { height: 18, width: 32 },
            lags: 15,
            rank: 2,
            output: Output::Power,
            penalties: vec![3e-3, 1e-2, 3e-2, 0.1, 0.3],
            smooth_cyc_per_pixel: 0.2,
            evaluations: 40,
        }
    }
}

impl LnConfig {
    /// Refuses settings that cannot be.
    pub(crate) fn check(&self) -> Result<(), BaselineError> {
        within("raster.height", self.raster.height, 1, 256)?;
        within("raster.width", self.raster.width, 1, 256)?;
        // The pictures are written in as many waves as there are pixels.
        within("raster.height * raster.width", self.raster.pixels(), 1, 4096)?;
        within("lags", self.lags, 1, 120)?;
        within("rank", self.rank, 1, self.lags.min(16))?;
        within("penalties (their number)", self.penalties.len(), 1, 100)?;
        within("evaluations", self.evaluations, 1, 100_000)?;
        between("smooth_cyc_per_pixel", self.smooth_cyc_per_pixel, 1e-3, 1e3)?;
        self.penalties.iter().try_for_each(|&penalty| between("penalties", penalty, 1e-12, 1e12))
    }
}

/// A fitted model of some units.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearNonlinear {
    config: LnConfig,
    filters: Filters,
}

/// All learned numbers. A column belongs to a term of a unit's filter, `term * units + unit`.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Filters {
    pub units: usize,
    /// `[pixel, column]`
    pub pictures: Vec<f32>,
    /// `[lag, column]`, newest frame first.
    pub courses: Vec<f32>,
    /// `[unit]`
    pub biases: Vec<f32>,
    /// Exponents of [`Output::Power`], `[unit]`.
    pub exponents: Vec<f32>,
    /// Changes of the log-rate with pupil radius and running, `[unit]` each.
    pub gains: [Vec<f32>; 2],
}

impl LinearNonlinear {
    pub(crate) fn assemble(config: LnConfig, filters: Filters) -> Self {
        Self { config, filters }
    }

    /// Its settings.
    pub fn config(&self) -> &LnConfig {
        &self.config
    }

    /// Number of units.
    pub fn units(&self) -> usize {
        self.filters.units
    }

    /// The space-time filter of a unit, `[lag, height, width]`, newest frame first, in drive per contrast of one
    /// pixel (1 is 64 grey levels).
    ///
    /// # Panics
    /// When there is no such unit.
    pub fn filter(&self, unit: usize) -> Vec<f32> {
        let (units, pixels) = (self.units(), self.config.raster.pixels());
        assert!(unit < units, "a unit of this model");
        let columns = units * self.config.rank;
        let mut filter = vec![0.0; self.config.lags * pixels];
        for column in (unit..columns).step_by(units) {
            for (lag, frame) in filter.chunks_exact_mut(pixels).enumerate() {
                let factor = self.filters.courses[lag * columns + column];
                let picture = self.filters.pictures[column..].iter().step_by(columns);
                frame.iter_mut().zip(picture).for_each(|(sum, value)| *sum += factor * value);
            }
        }
        filter
    }

    /// Responses `[time, sample, unit]` to movies of any raster. Before a movie its first frame stood still.
    ///
    /// # Errors
    /// When movie and behaviour differ in frames or samples.
    pub fn responses(&self, movie: &Movie, behavior: &Behavior) -> Result<Responses, BaselineError> {
        check_pair(movie, behavior)?;
        let (frames, samples, units) = (movie.frames(), movie.samples(), self.units());
        let blocks: Vec<(usize, usize)> =
            (0..samples).flat_map(|sample| (0..frames).step_by(BLOCK).map(move |start| (sample, start))).collect();
        let of_block = |&(sample, start): &(usize, usize)| {
            let end = frames.min(start + BLOCK);
            let rows = rows(self.config.raster, self.config.lags, movie, sample, start..end);
            let mut drives = lag(&self.config, &self.filters, &rows).1;
            for (time, drives) in (start..end).zip(drives.chunks_exact_mut(units)) {
                let state = behavior.state(time)[sample];
                for (unit, drive) in drives.iter_mut().enumerate() {
                    let rate = log_rate(self.config.output, *drive, self.filters.exponents[unit]).0;
                    let gain = self.filters.gains[0][unit] * state[0] + self.filters.gains[1][unit] * state[1];
                    *drive = (rate + gain).min(LARGEST_LOG_RATE).exp();
                }
            }
            drives
        };
        let found: Vec<Vec<f32>> = blocks.par_iter().map(of_block).collect();
        let mut values = vec![0.0; frames * samples * units];
        for ((sample, start), block) in blocks.into_iter().zip(found) {
            for (time, row) in (start..).zip(block.chunks_exact(units)) {
                values[(time * samples + sample) * units..][..units].copy_from_slice(row);
            }
        }
        Ok(Responses::new(frames, samples, units, values).expect("a value for every frame, sample and unit"))
    }

    /// Writes the model as a `.safetensors` file. The same model always gives the same bytes.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn save(&self, path: &Path) -> Result<(), BaselineError> {
        let LnConfig { rank, lags, .. } = self.config;
        let (units, pixels, filters) = (self.units(), self.config.raster.pixels(), &self.filters);
        let columns = units * rank;
        // In files a unit's numbers lie together.
        let by_unit = |values: &[f32], size: usize| {
            let places = (0..units).flat_map(|unit| (0..rank).map(move |term| term * units + unit));
            places.flat_map(|column| (0..size).map(move |at| values[at * columns + column])).collect::<Vec<f32>>()
        };
        let gains = (0..units).flat_map(|unit| filters.gains.each_ref().map(|gain| gain[unit])).collect();
        let tensors = [
            ("biases", vec![units], filters.biases.clone()),
            ("courses", vec![units, rank, lags], by_unit(&filters.courses, lags)),
            ("exponents", vec![units], filters.exponents.clone()),
            ("gains", vec![units, 2], gains),
            ("pictures", vec![units, rank, pixels], by_unit(&filters.pictures, pixels)),
        ];
        file::write(path, KIND, units, &self.config, &tensors)
    }

    /// Reads what [`Self::save`] has written.
    ///
    /// # Errors
    /// When the file is damaged or something else.
    pub fn load(path: &Path) -> Result<Self, BaselineError> {
        let (units, config, mut contents): (usize, LnConfig, _) = file::read(path, KIND)?;
        config.check().map_err(|error| contents.damaged(error.to_string()))?;
        let (rank, lags, pixels) = (config.rank, config.lags, config.raster.pixels());
        let biases = contents.take("biases", &[units])?;
        if units == 0 {
            return Err(contents.damaged("it has no units".to_owned()));
        }
        let columns = units * rank;
        let by_column = |values: Vec<f32>, size: usize| {
            let mut turned = vec![0.0; values.len()];
            for (place, row) in values.chunks_exact(size).enumerate() {
                let column = place % rank * units + place / rank;
                row.iter().enumerate().for_each(|(at, &value)| turned[at * columns + column] = value);
            }
            turned
        };
        let courses = by_column(contents.take("courses", &[units, rank, lags])?, lags);
        let pictures = by_column(contents.take("pictures", &[units, rank, pixels])?, pixels);
        let gains = contents.take("gains", &[units, 2])?;
        let gains = [0, 1].map(|which| gains.iter().skip(which).step_by(2).copied().collect());
        let exponents = contents.take("exponents", &[units])?;
        contents.finish()?;
        Ok(Self { config, filters: Filters { units, pictures, courses, biases, exponents, gains } })
    }
}

/// What the pictures see in each row, `[lags - 1 + time, column]`, and the drives after the time courses and the bias,
/// `[time, unit]`.
pub(crate) fn lag(config: &LnConfig, filters: &Filters, rows: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let (units, lags, pixels) = (filters.units, config.lags, config.raster.pixels());
    let (columns, frames) = (units * config.rank, rows.len() / pixels + 1 - lags);
    let mut seen = vec![0.0; rows.len() / pixels * columns];
    product(Matrix::new(rows, pixels), Matrix::new(&filters.pictures, columns), false, &mut seen);
    let mut drives = filters.biases.repeat(frames);
    for (time, drives) in drives.chunks_exact_mut(units).enumerate() {
        for (lag, course) in filters.courses.chunks_exact(columns).enumerate() {
            let seen = &seen[(time + lags - 1 - lag) * columns..][..columns];
            for (seen, course) in seen.chunks_exact(units).zip(course.chunks_exact(units)) {
                drives.iter_mut().zip(seen.iter().zip(course)).for_each(|(sum, (x, w))| *sum += x * w);
            }
        }
    }
    (seen, drives)
}

/// Log-rate of a drive, and its derivatives with respect to drive and exponent.
#[inline]
pub(crate) fn log_rate(output: Output, drive: f32, exponent: f32) -> (f32, f32, f32) {
    match output {
        Output::Exponential => (drive, 1.0, 0.0),
        // Far below the threshold ln(1 + e^x) is e^x.
        Output::Power if drive < -15.0 => (exponent * drive, exponent, drive),
        Output::Power => {
            let small = (-drive.abs()).exp();
            let rectified = drive.max(0.0) + small.ln_1p();
            let slope = if drive > 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) };
            let log = rectified.ln();
            (exponent * log, exponent * slope / rectified, log)
        }
    }
}
