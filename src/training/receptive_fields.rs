//! Where a readout begins to look: places whose contrast and motion the responses follow.
//!
//! A readout that starts in the middle of the screen for every unit finds most receptive fields late or never. The
//! correlation of each response with the local contrast and motion energy of the retina image, a fifth of a second
//! earlier, has its peak close to the receptive field.

use rayon::prelude::*;

use super::TrainingError;
use super::cpu::Parameters;
use super::lessons::{Lesson, Lessons};
use crate::job::Progress;
use crate::model::twin::TwinConfig;
use crate::model::twin::engine::Engine;
use crate::signals::Raster;

/// Frames by which responses are late: these are averaged.
const LAGS: std::ops::RangeInclusive<usize> = 2..=6;
/// Frames between the two pictures whose difference is motion.
const MOTION: usize = 2;
/// Width of the map of energies, cells.
const CELLS: usize = 18;
/// Most frames that are looked at: ten minutes.
const MOST_FRAMES: usize = 18_000;
/// Trials that are seen at once.
const SIDE_BY_SIDE: usize = 16;
/// Sharpness of the centre of mass: correlations below half of the largest count nothing.
const SHARPNESS: i32 = 8;
/// Standard deviation of the positions that training draws, in half widths of the map.
const SPREAD: f32 = 0.12;

/// Sets the mean positions of the readout, and how far training strays from them.
///
/// # Errors
/// When a movie cannot be read, the network cannot be run, or the user asked to stop.
pub(super) fn place(
    config: &TwinConfig,
    parameters: &mut Parameters,
    lessons: &Lessons,
    progress: &Progress,
) -> Result<(), TrainingError> {
    let units = lessons.units();
    let engine = Engine::new(config, &parameters.to_state_dict(), units, Some(0))?;
    let retina = Raster { height: config.perspective.height, width: config.perspective.width };
    let mut maps = Correlation::new(energy_raster(retina).pixels(), units);
    let mut left = MOST_FRAMES;
    let mut looked = Vec::new();
    for lesson in lessons.training() {
        let frames = lesson.trial().frames.min(left);
        left -= frames;
        if frames > *LAGS.end() {
            looked.push((lesson, frames));
        }
    }
    let energies_of = |&(lesson, frames): &(&Lesson, usize)| -> Result<Vec<Vec<f32>>, TrainingError> {
        let mut movie = lesson.trial().movie()?;
        let mut state = engine.start(1);
        let mut frame = vec![0; lessons.raster().pixels()];
        let mut answer = vec![0.0; units];
        let mut images: Vec<Vec<f32>> = Vec::with_capacity(frames);
        let record = lesson.record();
        for time in 0..frames {
            progress.check()?;
            movie.read(time, 1, &mut frame)?;
            let (gaze, arousal) = (record.behavior.gaze(time), record.behavior.state(time));
            let stages = engine.step_probed(&mut state, lessons.raster(), &frame, gaze, arousal, &mut answer);
            images.push(stages.get("perspective").expect("the engine names its retina image").to_vec());
        }
        Ok((0..frames).map(|time| energy(retina, &images[time], images.get(time.wrapping_sub(MOTION)))).collect())
    };
    // Some trials side by side, added in their order: the sums are the same on any number of threads.
    for some in looked.chunks(SIDE_BY_SIDE) {
        let energies = some.par_iter().map(energies_of).collect::<Result<Vec<_>, _>>()?;
        for ((lesson, frames), energies) in some.iter().zip(&energies) {
            for time in *LAGS.end()..*frames {
                let mut mean = vec![0.0f32; energies[0].len()];
                for lag in LAGS {
                    mean.iter_mut().zip(&energies[time - lag]).for_each(|(mean, energy)| *mean += energy);
                }
                maps.add(&mean, lesson.record().responses.row(time, 0));
            }
        }
    }
    let map = energy_raster(retina);
    let mut mu = Vec::with_capacity(2 * units);
    for unit in 0..units {
        mu.extend(peak(map, &maps.of(unit)).map(f32::atanh));
    }
    parameters.get_mut("readout.position.mu").expect("every twin has positions").copy_from_slice(&mu);
    let sigma = parameters.get_mut("readout.position.sigma").expect("every twin has spreads");
    sigma.iter_mut().enumerate().for_each(|(place, s)| *s = if place % 4 % 3 == 0 { SPREAD } else { 0.0 });
    Ok(())
}

/// Pixels of the retina that make one cell.
fn cell(retina: Raster) -> usize {
    (retina.width / CELLS).max(1)
}

fn energy_raster(retina: Raster) -> Raster {
    let cell = cell(retina);
    Raster { height: (retina.height / cell).max(1), width: (retina.width / cell).max(1) }
}

/// Local contrast and motion energy of a retina image, one number a cell.
fn energy(retina: Raster, image: &[f32], before: Option<&Vec<f32>>) -> Vec<f32> {
    let reach = cell(retina);
    let local = box_mean(retina, image, reach);
    let mut energy: Vec<f32> = image.iter().zip(&local).map(|(x, mean)| (x - mean).powi(2)).collect();
    if let Some(before) = before {
        energy.iter_mut().zip(image.iter().zip(before)).for_each(|(energy, (x, y))| *energy += (x - y).powi(2));
    }
    let smooth = box_mean(retina, &energy, reach);
    let (map, size) = (energy_raster(retina), cell(retina));
    let mut cells = vec![0.0; map.pixels()];
    for row in 0..map.height * size {
        for column in 0..map.width * size {
            let value = smooth.get(row * retina.width + column).copied().unwrap_or(0.0);
            cells[row / size * map.width + column / size] += value.max(0.0).sqrt();
        }
    }
    cells
}

/// Mean over a square of `2 * reach + 1` pixels; the border is repeated.
fn box_mean(raster: Raster, image: &[f32], reach: usize) -> Vec<f32> {
    let Raster { height, width } = raster;
    let near = |at: usize, step: usize, end: usize| (at + step).saturating_sub(reach).min(end - 1);
    let steps = 0..=2 * reach;
    let share = 1.0 / (2 * reach + 1) as f32;
    let mut rows = vec![0.0; image.len()];
    for y in 0..height {
        for x in 0..width {
            rows[y * width + x] = steps.clone().map(|s| image[y * width + near(x, s, width)]).sum::<f32>() * share;
        }
    }
    let mut mean = vec![0.0; image.len()];
    for y in 0..height {
        for x in 0..width {
            mean[y * width + x] = steps.clone().map(|s| rows[near(y, s, height) * width + x]).sum::<f32>() * share;
        }
    }
    mean
}

/// Sums for the correlation of every cell with every unit.
struct Correlation {
    cells: usize,
    units: usize,
    count: f64,
    cell: Vec<f64>,
    cell_squares: Vec<f64>,
    unit: Vec<f64>,
    unit_squares: Vec<f64>,
    /// `[unit, cell]`
    products: Vec<f64>,
}

impl Correlation {
    fn new(cells: usize, units: usize) -> Self {
        let zeros = |n: usize| vec![0.0; n];
        Self {
            cells,
            units,
            count: 0.0,
            cell: zeros(cells),
            cell_squares: zeros(cells),
            unit: zeros(units),
            unit_squares: zeros(units),
            products: zeros(cells * units),
        }
    }

    fn add(&mut self, energies: &[f32], responses: &[f32]) {
        self.count += 1.0;
        for (cell, &energy) in energies.iter().enumerate() {
            self.cell[cell] += f64::from(energy);
            self.cell_squares[cell] += f64::from(energy).powi(2);
        }
        for (unit, &response) in responses.iter().enumerate() {
            // Responses are in units of their mean, which takes the place of one that was not measured.
            let response = if response.is_nan() { 1.0 } else { f64::from(response) };
            self.unit[unit] += response;
            self.unit_squares[unit] += response.powi(2);
            let products = &mut self.products[unit * self.cells..][..self.cells];
            products.iter_mut().zip(energies).for_each(|(sum, &energy)| *sum += response * f64::from(energy));
        }
    }

    /// Correlation of a unit with every cell; 0 where nothing varies.
    fn of(&self, unit: usize) -> Vec<f64> {
        debug_assert!(unit < self.units);
        let n = self.count.max(1.0);
        let spread = |squares: f64, sum: f64| (squares / n - (sum / n).powi(2)).max(0.0).sqrt();
        let own = spread(self.unit_squares[unit], self.unit[unit]);
        (0..self.cells)
            .map(|cell| {
                let product = self.products[unit * self.cells + cell] / n - self.unit[unit] * self.cell[cell] / n / n;
                let scale = own * spread(self.cell_squares[cell], self.cell[cell]);
                if scale > 1e-12 { product / scale } else { 0.0 }
            })
            .collect()
    }
}

/// Centre of mass of the largest correlations, -1..1 along x and y; the middle when nothing correlates.
fn peak(map: Raster, correlation: &[f64]) -> [f32; 2] {
    let smooth = binomial(map, correlation);
    let mut sorted = smooth.clone();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted[sorted.len() / 2];
    let top = sorted[sorted.len() - 1] - middle;
    if top <= 1e-9 {
        return [0.0; 2];
    }
    let (mut sum, mut x, mut y) = (0.0, 0.0, 0.0);
    for (place, value) in smooth.iter().enumerate() {
        let weight = ((value - middle) / top).max(0.0).powi(SHARPNESS);
        let along = |at: usize, count: usize| (2 * at + 1) as f64 / count as f64 - 1.0;
        sum += weight;
        x += weight * along(place % map.width, map.width);
        y += weight * along(place / map.width, map.height);
    }
    [x, y].map(|v| (v / sum).clamp(-0.95, 0.95) as f32)
}

/// Smoothing with 1 4 6 4 1 along both sides; the border is repeated.
fn binomial(map: Raster, values: &[f64]) -> Vec<f64> {
    const WEIGHTS: [f64; 5] = [1.0 / 16.0, 0.25, 0.375, 0.25, 1.0 / 16.0];
    let Raster { height, width } = map;
    let near = |at: usize, step: usize, end: usize| (at + step).saturating_sub(2).min(end - 1);
    let along = |get: &dyn Fn(usize) -> f64| WEIGHTS.iter().enumerate().map(|(s, w)| w * get(s)).sum::<f64>();
    let rows: Vec<f64> = (0..values.len())
        .map(|place| along(&|step| values[place / width * width + near(place % width, step, width)]))
        .collect();
    (0..values.len())
        .map(|place| along(&|step| rows[near(place / width, step, height) * width + place % width]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_of_a_map_is_found() {
        let map = Raster { height: 12, width: 18 };
        let (row, column) = (3, 13);
        let values: Vec<f64> = (0..map.pixels())
            .map(|place| {
                let (y, x) = ((place / 18) as f64 - row as f64, (place % 18) as f64 - column as f64);
                0.3 * (-(x * x + y * y) / 4.0).exp() + 0.01 * (place % 7) as f64
            })
            .collect();
        let [x, y] = peak(map, &values);
        let expected = [(2.0 * column as f32 + 1.0) / 18.0 - 1.0, (2.0 * row as f32 + 1.0) / 12.0 - 1.0];
        // A third of a cell.
        assert!((x - expected[0]).abs() < 0.04 && (y - expected[1]).abs() < 0.05, "{x} {y}, expected {expected:?}");
        assert_eq!(peak(map, &vec![0.25; map.pixels()]), [0.0; 2], "a flat map has no peak");
    }
}
