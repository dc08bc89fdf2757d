//! t-SNE: a picture in which neighbours stay neighbours (van der Maaten and Hinton 2008).
//!
//! Attraction reaches the nearest neighbours, three for each of the perplexity; repulsion is exact, over all pairs. Every
//! point is moved by sums that are added in one order: the same table and seed give the same picture on any number of
//! threads. The start is the plane of the first two principal components, which keeps the global arrangement (Kobak and
//! Berens 2019). It is our own, as the crate bhtsne (0.7) takes no seed, adds up its exact sums in whatever order threads end
//! and cannot be stopped. The crate linfa-tsne (0.8.1, on bhtsne 0.4) takes a seed, but gives another picture at every call
//! with the same one where it approximates (Barnes and Hut), needs 3 s for 300 points on one core where it does not, and
//! panics on equal observations.

use rayon::prelude::*;

use super::{ResponseTable, pca};
use crate::analysis::statistics::Chance;

/// How to embed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tsne {
    /// Effective number of neighbours of each point, between 1 and a third of the points.
    pub perplexity: f64,
    /// Steps of gradient descent; the first quarter, at most 250, with exaggerated attraction.
    pub steps: usize,
    /// What breaks symmetry where the start has none.
    pub seed: u64,
}

impl Tsne {
    /// Perplexity 30, or less for few points, and 1,000 steps.
    pub fn of(points: usize, seed: u64) -> Self {
        Self { perplexity: ((points as f64 - 1.0) / 3.0).clamp(1.0, 30.0), steps: 1000, seed }
    }
}

/// A picture of observations.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding {
    /// Place of each observation; only distances between near points mean something.
    pub places: Vec<[f64; 2]>,
    /// What was minimised: the Kullback-Leibler divergence of neighbourhoods in the picture from those in the table.
    pub divergence: f64,
}

/// Why there is no picture.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TsneError {
    /// A perplexity that the points do not allow.
    #[error("a perplexity of {perplexity} needs more than {needed} points, found {found}; the smallest is 1")]
    Perplexity {
        /// The perplexity.
        perplexity: f64,
        /// Three times the perplexity.
        needed: f64,
        /// Number of points.
        found: usize,
    },
    /// It was told to stop.
    #[error("the embedding was stopped")]
    Stopped,
}

/// Factor of early attraction, momenta before and after it, and the smallest gain: as published.
const EXAGGERATION: f64 = 12.0;
const MOMENTA: [f64; 2] = [0.5, 0.8];
const LEAST_GAIN: f64 = 0.01;

/// Standard deviation of the start along its first axis: small, so that forces and not the start decide.
const START: f64 = 1e-4;

/// A picture of the observations of a table, in two dimensions. `keep_going` is asked before each step, which it is told.
///
/// # Errors
/// When there are too few observations for the perplexity, or when it was told to stop.
pub fn tsne(
    table: &ResponseTable,
    how: &Tsne,
    mut keep_going: impl FnMut(usize) -> bool,
) -> Result<Embedding, TsneError> {
    let n = table.observations();
    let needed = 3.0 * how.perplexity;
    if !(how.perplexity >= 1.0 && needed < n as f64) {
        return Err(TsneError::Perplexity { perplexity: how.perplexity, needed, found: n });
    }
    let near = affinities(table, how.perplexity);
    let mut places = start(table, how.seed);
    let mut speeds = vec![[0.0; 2]; n];
    let mut gains = vec![[1.0_f64; 2]; n];
    let early = (how.steps / 4).min(250);
    let rate = (n as f64 / EXAGGERATION / 4.0).max(50.0);
    for step in 0..how.steps {
        if !keep_going(step) {
            return Err(TsneError::Stopped);
        }
        let exaggeration = if step < early { EXAGGERATION } else { 1.0 };
        let momentum = MOMENTA[usize::from(step >= early)];
        let slopes = slopes(&places, &near, exaggeration);
        for (((place, speed), gain), slope) in places.iter_mut().zip(&mut speeds).zip(&mut gains).zip(&slopes) {
            for axis in 0..2 {
                let same = (slope[axis] > 0.0) == (speed[axis] > 0.0);
                gain[axis] = if same { gain[axis] * 0.8 } else { gain[axis] + 0.2 }.max(LEAST_GAIN);
                speed[axis] = momentum * speed[axis] - rate * gain[axis] * slope[axis];
                place[axis] += speed[axis];
            }
        }
        let mean = |axis: usize| places.iter().map(|place| place[axis]).sum::<f64>() / n as f64;
        let centre = [mean(0), mean(1)];
        places.iter_mut().for_each(|place| (0..2).for_each(|axis| place[axis] -= centre[axis]));
    }
    let divergence = divergence(&places, &near);
    Ok(Embedding { places, divergence })
}

/// The plane of the first two principal components, scaled down; random where they are missing.
fn start(table: &ResponseTable, seed: u64) -> Vec<[f64; 2]> {
    let n = table.observations();
    let found = pca(table, 2, seed);
    let mut places = vec![[0.0; 2]; n];
    let deviation = found.as_ref().and_then(|found| found.variances.first()).map_or(1.0, |variance| variance.sqrt());
    for axis in 0..2 {
        let scores = found.as_ref().and_then(|found| found.scores.get(axis));
        let mut chance = Chance::new(seed, axis as u32 + 1);
        for (index, place) in places.iter_mut().enumerate() {
            // A hundredth of the start is random: equal observations must be able to part.
            place[axis] = START * (scores.map_or(0.0, |scores| scores[index] / deviation) + 0.01 * chance.normal());
        }
    }
    places
}

/// For each point its neighbours with their affinities, symmetric and 1 in sum.
fn affinities(table: &ResponseTable, perplexity: f64) -> Vec<Vec<(usize, f64)>> {
    let n = table.observations();
    let neighbours = ((3.0 * perplexity) as usize).clamp(1, n - 1);
    let one_sided: Vec<Vec<(usize, f64)>> = (0..n)
        .into_par_iter()
        .map(|point| {
            let here = table.row(point);
            let mut near: Vec<(usize, f64)> = (0..n)
                .filter(|&other| other != point)
                .map(|other| (other, here.iter().zip(table.row(other)).map(|(a, b)| (a - b).powi(2)).sum()))
                .collect();
            let by_distance = |a: &(usize, f64), b: &(usize, f64)| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0));
            if neighbours < near.len() {
                near.select_nth_unstable_by(neighbours, by_distance);
                near.truncate(neighbours);
            }
            near.sort_by(by_distance);
            perplexed(&mut near, perplexity);
            near
        })
        .collect();
    let mut both = vec![Vec::new(); n];
    for (point, near) in one_sided.iter().enumerate() {
        for &(other, affinity) in near {
            let half = affinity / (2.0 * n as f64);
            both[point].push((other, half));
            both[other].push((point, half));
        }
    }
    for near in &mut both {
        near.sort_by_key(|(other, _)| *other);
        near.dedup_by(|second, first| {
            let same = second.0 == first.0;
            if same {
                first.1 += second.1;
            }
            same
        });
    }
    both
}

/// Turns squared distances into Gaussian affinities whose entropy is ln perplexity, by halving the range of their width.
fn perplexed(near: &mut [(usize, f64)], perplexity: f64) {
    let least = near[0].1;
    let mean = near.iter().map(|(_, squared)| squared - least).sum::<f64>() / near.len() as f64;
    // In units of the mean distance; equal distances need no width.
    let unit = if mean > 0.0 { mean } else { 1.0 };
    let (mut low, mut high) = (0.0, f64::INFINITY);
    let mut narrowness = 1.0;
    for _ in 0..100 {
        let (mut sum, mut weighted) = (0.0, 0.0);
        for (_, squared) in near.iter() {
            let distance = (squared - least) / unit;
            let weight = (-narrowness * distance).exp();
            sum += weight;
            weighted += weight * distance;
        }
        let entropy = sum.ln() + narrowness * weighted / sum;
        if (entropy - perplexity.ln()).abs() < 1e-9 {
            break;
        }
        if entropy > perplexity.ln() {
            low = narrowness
        } else {
            high = narrowness
        }
        narrowness = if high.is_finite() { 0.5 * (low + high) } else { 2.0 * narrowness };
        if !narrowness.is_finite() {
            break;
        }
    }
    let weights: Vec<f64> =
        near.iter().map(|(_, squared)| (-(narrowness.min(f64::MAX)) * (squared - least) / unit).exp()).collect();
    let sum: f64 = weights.iter().sum();
    near.iter_mut().zip(weights).for_each(|(neighbour, weight)| neighbour.1 = weight / sum);
}

/// 1 / (1 + d^2) of two places, and their difference.
fn closeness(a: [f64; 2], b: [f64; 2]) -> (f64, [f64; 2]) {
    let apart = [a[0] - b[0], a[1] - b[1]];
    (1.0 / (1.0 + apart[0] * apart[0] + apart[1] * apart[1]), apart)
}

/// Repulsion of each point before normalisation, and the sum of its closeness to all others.
fn repulsion(places: &[[f64; 2]]) -> Vec<([f64; 2], f64)> {
    places
        .par_iter()
        .map(|&here| {
            let (mut force, mut sum) = ([0.0; 2], 0.0);
            for &there in places {
                let (close, apart) = closeness(here, there);
                sum += close;
                force[0] += close * close * apart[0];
                force[1] += close * close * apart[1];
            }
            // The point itself is as close as can be, and pushes nowhere.
            (force, sum - 1.0)
        })
        .collect()
}

/// Gradient of the divergence, four times the difference of attraction and repulsion.
fn slopes(places: &[[f64; 2]], near: &[Vec<(usize, f64)>], exaggeration: f64) -> Vec<[f64; 2]> {
    let repulsion = repulsion(places);
    let all: f64 = repulsion.iter().map(|(_, sum)| sum).sum();
    (0..places.len())
        .into_par_iter()
        .map(|point| {
            let mut slope = repulsion[point].0.map(|force| -force / all);
            for &(other, affinity) in &near[point] {
                let (close, apart) = closeness(places[point], places[other]);
                slope[0] += exaggeration * affinity * close * apart[0];
                slope[1] += exaggeration * affinity * close * apart[1];
            }
            slope.map(|slope| 4.0 * slope)
        })
        .collect()
}

/// sum p ln(p / q) over neighbours.
fn divergence(places: &[[f64; 2]], near: &[Vec<(usize, f64)>]) -> f64 {
    let all: f64 = repulsion(places).iter().map(|(_, sum)| sum).sum();
    let of = |point: usize, other: usize, p: f64| {
        let (close, _) = closeness(places[point], places[other]);
        if p > 0.0 { p * (p * all / close).ln() } else { 0.0 }
    };
    near.iter().enumerate().flat_map(|(point, near)| near.iter().map(move |&(other, p)| of(point, other, p))).sum()
}
