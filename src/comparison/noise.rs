//! Movies of noise: blocks of the screen that vary independently of each other and from pattern to pattern, as those of
//! Gaussian, of binary and of sparse noise do. What natural scenes, gratings, moving textures and moving dots show in one
//! block foretells what they show beside it, or some frames later there or where it moved to.

use std::collections::HashSet;

use super::grid::Grid;
use crate::data::Trial;
use crate::evaluation::EvaluationError;

/// Two frames show the same when they differ by less, grey levels, root mean square over blocks.
const SAME: f64 = 1.0;
/// Noise has so many different patterns.
const LEAST_PATTERNS: usize = 30;
/// So many are looked at.
const MOST_PATTERNS: usize = 600;
/// A block varies with so many grey levels of standard deviation.
const VARIES: f64 = 0.5;
/// So many blocks must.
const LEAST_BLOCKS: usize = 24;
/// Largest correlation of a pattern with the next one, the mean over patterns and blocks, also when it is shifted. That of
/// noise of 24 large squares in 30 patterns has a standard deviation of 0.04.
const NEXT: f64 = 0.2;
/// Largest mean of the squared correlations of blocks that lie apart, beyond and as a multiple of 1 / (patterns - 1), which
/// is that of independent blocks however their values are distributed.
const APART: [f64; 2] = [0.0025, 1.5];
/// At the first distance at which blocks correlate by less than the first, neighbours of squares of noise have almost none in
/// common; one block further they correlate by less than the second. Those of scenes correlate by 0.1 there.
const LITTLE: f64 = 0.2;
const NOTHING: f64 = 0.05;
/// Contrast varies when its variance is more than this share of that of luminance.
const CONTRAST_VARIES: f64 = 0.05;

/// What each block shows in each frame of a movie of noise.
#[derive(Debug)]
pub(super) struct Noise {
    /// Luminance less its mean over time, grey levels, `[frame, block]`.
    pub luminance: Vec<f32>,
    /// Contrast less its mean over time, the same: the mean over a block's pixels of their distance from the mean of the
    /// movie. Black and white noise does not vary in it; there it is the square of the block's luminance, which varies
    /// where squares are smaller than blocks or lie across their edges.
    pub contrast: Vec<f32>,
    pub frames: usize,
    pub grid: Grid,
}

impl Noise {
    /// Reads the movie of a trial; `None` when it shows something else than noise.
    pub fn of(trial: &Trial, grid: Grid) -> Result<Option<Self>, EvaluationError> {
        let mut movie = trial.movie()?;
        let mut pixels = vec![0; grid.raster.pixels()];
        let mut luminance = Vec::with_capacity(trial.frames * grid.blocks());
        for frame in 0..trial.frames {
            movie.read(frame, 1, &mut pixels)?;
            luminance.extend(grid.means(&pixels)?.into_iter().map(|value| value as f32));
        }
        if !Patterns::of(&luminance, grid).is_some_and(|patterns| patterns.are_noise()) {
            return Ok(None);
        }
        let total: f64 = luminance.iter().map(|&value| f64::from(value)).sum();
        let background = (total / luminance.len() as f64).round() as u8;
        let mut contrast = Vec::with_capacity(luminance.len());
        let mut movie = trial.movie()?;
        for frame in 0..trial.frames {
            movie.read(frame, 1, &mut pixels)?;
            pixels.iter_mut().for_each(|pixel| *pixel = pixel.abs_diff(background));
            contrast.extend(grid.means(&pixels)?.into_iter().map(|value| value as f32));
        }
        let variance = less_means(&mut luminance, grid.blocks());
        if less_means(&mut contrast, grid.blocks()) < CONTRAST_VARIES * variance {
            contrast = luminance.iter().map(|value| value * value).collect();
            less_means(&mut contrast, grid.blocks());
        }
        Ok(Some(Self { luminance, contrast, frames: trial.frames, grid }))
    }
}

/// Takes the mean of each column from `[row, column]`; the mean variance that is left.
fn less_means(values: &mut [f32], columns: usize) -> f64 {
    let rows = (values.len() / columns) as f64;
    let mut means = vec![0.0; columns];
    for row in values.chunks_exact(columns) {
        means.iter_mut().zip(row).for_each(|(mean, &value)| *mean += f64::from(value) / rows);
    }
    let mut squares = 0.0;
    for row in values.chunks_exact_mut(columns) {
        for (value, mean) in row.iter_mut().zip(&means) {
            *value -= *mean as f32;
            squares += f64::from(*value).powi(2);
        }
    }
    squares / (rows * columns as f64)
}

/// The different patterns of a movie, as standard scores over patterns.
struct Patterns {
    grid: Grid,
    /// `[pattern, block]`; 0 in blocks that hardly vary.
    scores: Vec<f32>,
    count: usize,
    /// The blocks that vary.
    varying: Vec<usize>,
}

impl Patterns {
    /// Of `[frame, block]`; `None` when they are few.
    fn of(luminance: &[f32], grid: Grid) -> Option<Self> {
        let blocks = grid.blocks();
        let mut known: HashSet<Vec<u8>> = HashSet::new();
        let mut scores: Vec<f32> = Vec::new();
        let mut last: &[f32] = &[];
        for frame in luminance.chunks_exact(blocks) {
            let squares: f64 = last.iter().zip(frame).map(|(a, b)| f64::from(a - b).powi(2)).sum();
            if !last.is_empty() && squares < SAME * SAME * blocks as f64 {
                continue;
            }
            last = frame;
            if known.insert(frame.iter().map(|value| value.round() as u8).collect()) {
                scores.extend(frame);
            }
            if known.len() == MOST_PATTERNS {
                break;
            }
        }
        let count = known.len();
        if count < LEAST_PATTERNS {
            return None;
        }
        less_means(&mut scores, blocks);
        let mut variances = vec![0.0; blocks];
        for pattern in scores.chunks_exact(blocks) {
            variances.iter_mut().zip(pattern).for_each(|(sum, &value)| *sum += f64::from(value).powi(2) / count as f64);
        }
        let scale = |variance: f64| if variance > VARIES * VARIES { 1.0 / variance.sqrt() as f32 } else { 0.0 };
        let scales: Vec<f32> = variances.into_iter().map(scale).collect();
        scores.iter_mut().zip(scales.iter().cycle()).for_each(|(score, scale)| *score *= scale);
        let varying: Vec<usize> = (0..blocks).filter(|&block| scales[block] > 0.0).collect();
        (varying.len() >= LEAST_BLOCKS).then_some(Self { grid, scores, count, varying })
    }

    fn are_noise(&self) -> bool {
        let (down, across) = ((self.grid.rows / 4) as isize, (self.grid.columns / 4) as isize);
        let mut shifts = (-down..=down).flat_map(|row| (-across..=across).map(move |column| [row, column]));
        // Most of what is no noise is known from the patterns as they are.
        self.correlation(1, [0, 0]).abs() <= NEXT
            && self.apart() <= APART[0] + APART[1] / (self.count - 1) as f64
            && self.ends()
            && shifts.all(|shift| self.correlation(1, shift).abs() <= NEXT)
    }

    /// Whether the correlation of blocks ends where squares do, instead of petering out as in pictures of things.
    fn ends(&self) -> bool {
        let at = |shift: isize| (self.correlation(0, [shift, 0]) + self.correlation(0, [0, shift])) / 2.0;
        let most = (self.grid.rows / 2) as isize;
        (1..most).find(|&shift| at(shift) < LITTLE).is_some_and(|shift| at(shift + 1) <= NOTHING)
    }

    /// Mean correlation of each pattern with itself, or with one so many later, shifted by so many rows and columns.
    fn correlation(&self, later: usize, [down, across]: [isize; 2]) -> f64 {
        let Grid { rows, columns, .. } = self.grid;
        let inside = |at: usize, shift: isize, side: usize| at.checked_add_signed(shift).filter(|&to| to < side);
        let shifted = |&block: &usize| {
            let [row, column] = self.grid.row_and_column(block);
            Some((block, inside(row, down, rows)? * columns + inside(column, across, columns)?))
        };
        let pairs: Vec<(usize, usize)> = self.varying.iter().filter_map(shifted).collect();
        let blocks = self.grid.blocks();
        let others = self.scores.chunks_exact(blocks).skip(later);
        let products = self.scores.chunks_exact(blocks).zip(others);
        let sum: f32 = products.map(|(now, other)| pairs.iter().map(|&(a, b)| now[a] * other[b]).sum::<f32>()).sum();
        f64::from(sum) / ((self.count - later) * pairs.len().max(1)) as f64
    }

    /// Mean squared correlation of blocks that lie apart by a quarter to half of the screen's shorter side.
    fn apart(&self) -> f64 {
        let blocks = self.grid.blocks();
        let of_block = |&block: &usize| self.scores.iter().skip(block).step_by(blocks).copied().collect();
        let courses: Vec<Vec<f32>> = self.varying.iter().map(of_block).collect();
        let side = self.grid.raster.height.min(self.grid.raster.width) as f64;
        let (mut sum, mut pairs) = (0.0, 0.0);
        for (index, &a) in self.varying.iter().enumerate() {
            for (other, &b) in self.varying.iter().enumerate().skip(index + 1) {
                let [down, across] = self.grid.between(a, b);
                if !(0.25..=0.5).contains(&(down.hypot(across) / side)) {
                    continue;
                }
                let product: f32 = courses[index].iter().zip(&courses[other]).map(|(a, b)| a * b).sum();
                sum += (f64::from(product) / self.count as f64).powi(2);
                pairs += 1.0;
            }
        }
        // Blocks that vary in one place only say nothing of others.
        if pairs > 0.0 { sum / pairs } else { 1.0 }
    }
}
