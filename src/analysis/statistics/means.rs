//! Quantities of the means of groups of observations, such as a tuning curve of the responses to each direction, and their
//! intervals.
//!
//! What is drawn depends on the seed and the number of observations alone: all quantities of all units that were
//! observed as often share their resamples, which are drawn once.

use super::bootstrap::{Influence, checked, read_off};
use super::{Chance, Interval, Resampling, StatisticsError};

/// Resamples that are averaged side by side: their sums do not wait for one another.
const LANES: usize = 8;
/// Most indices that are kept, 16 MB; of more observations, or resamples, they are drawn for every unit anew.
const MOST_KEPT: usize = 1 << 22;

/// Which observations of each group the resamples draw.
#[derive(Debug, Clone)]
pub struct Draws {
    counts: Vec<usize>,
    how: Resampling,
    /// `[block of resamples][observation][resample of the block]`, the index of an observation in its group; empty where
    /// there are too many.
    kept: Vec<u32>,
}

impl Draws {
    /// For groups of so many observations.
    ///
    /// # Errors
    /// With a group of fewer than two observations, an impossible level or no resamples.
    pub fn new(counts: &[usize], how: &Resampling) -> Result<Self, StatisticsError> {
        checked(counts, how)?;
        let mut draws = Self { counts: counts.to_vec(), how: *how, kept: Vec::new() };
        let blocks = how.resamples.div_ceil(LANES);
        let all = blocks.checked_mul(LANES).and_then(|all| all.checked_mul(draws.observations()));
        if all.is_some_and(|all| all <= MOST_KEPT) {
            let mut kept = Vec::with_capacity(all.unwrap_or(0));
            draws.each_block(|block| kept.extend_from_slice(block));
            draws.kept = kept;
        }
        Ok(draws)
    }

    /// Whether these are the draws for groups of so many observations.
    pub fn are_for(&self, observations: &[Vec<f64>]) -> bool {
        self.counts.iter().copied().eq(observations.iter().map(Vec::len))
    }

    fn observations(&self) -> usize {
        self.counts.iter().sum()
    }

    /// Hands over block after block of resamples; the last may have some too many.
    fn each_block(&self, mut look: impl FnMut(&[u32])) {
        let size = self.observations() * LANES;
        if !self.kept.is_empty() {
            return self.kept.chunks_exact(size).for_each(look);
        }
        let mut block = vec![0; size];
        for first in (0..self.how.resamples).step_by(LANES) {
            for lane in 0..LANES {
                let mut chance = Chance::new(self.how.seed, (first + lane) as u32);
                let counts = self.counts.iter().flat_map(|&count| std::iter::repeat_n(count, count));
                for (place, count) in counts.enumerate() {
                    block[place * LANES + lane] = chance.below(count) as u32;
                }
            }
            look(&block);
        }
    }
}

/// The means of some groups: of all observations, of every resample, and without each observation.
#[derive(Debug, Clone)]
pub struct Means<'d> {
    draws: &'d Draws,
    all: Vec<f64>,
    /// `[resample][group]`.
    resampled: Vec<f64>,
    /// Of each observation's group without it, group after group.
    without: Vec<f64>,
}

impl<'d> Means<'d> {
    /// Of observations as many as the draws are for, `[group][observation]`.
    ///
    /// # Panics
    /// With other numbers of observations.
    pub fn new(observations: &[Vec<f64>], draws: &'d Draws) -> Self {
        assert!(draws.are_for(observations), "draws for other groups");
        let groups = observations.len();
        let mut resampled = Vec::with_capacity(draws.how.resamples.next_multiple_of(LANES) * groups);
        draws.each_block(|block| {
            let start = resampled.len();
            resampled.resize(start + LANES * groups, 0.0);
            let mut rest = block;
            for (group, values) in observations.iter().enumerate() {
                let (mine, others) = rest.split_at(values.len() * LANES);
                rest = others;
                for (lane, sum) in sums(values, mine).into_iter().enumerate() {
                    resampled[start + lane * groups + group] = sum / values.len() as f64;
                }
            }
        });
        resampled.truncate(draws.how.resamples * groups);
        let mean = |values: &Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
        let without = |values: &[f64], left: usize| {
            (values[..left].iter().chain(&values[left + 1..])).sum::<f64>() / (values.len() - 1) as f64
        };
        let without = observations.iter().flat_map(|values| (0..values.len()).map(move |left| without(values, left)));
        Self { draws, all: observations.iter().map(mean).collect(), without: without.collect(), resampled }
    }

    /// The same with nothing below a value.
    pub fn at_least(mut self, least: f64) -> Self {
        for means in [&mut self.all, &mut self.resampled, &mut self.without] {
            means.iter_mut().for_each(|mean| *mean = mean.max(least));
        }
        self
    }

    /// The means of all observations.
    pub fn all(&self) -> &[f64] {
        &self.all
    }

    /// The means of every resample.
    pub fn resampled(&self) -> impl Iterator<Item = &[f64]> {
        self.resampled.chunks_exact(self.all.len())
    }

    /// How they were drawn again.
    pub fn how(&self) -> &Resampling {
        &self.draws.how
    }

    /// Interval of a quantity of the means.
    ///
    /// # Errors
    /// When the quantity is undefined for all observations or for more than half of the resamples.
    pub fn interval(&self, quantity: impl Fn(&[f64]) -> Option<f64>) -> Result<Interval, StatisticsError> {
        let defined = |means: &[f64]| quantity(means).filter(|value| value.is_finite());
        let resamples = self.how().resamples;
        let estimate = defined(&self.all).ok_or(StatisticsError::Undefined { undefined: resamples, resamples })?;
        let values = self.resampled().filter_map(defined).collect();
        read_off(estimate, values, self.how(), || self.influence(defined).map_or(0.0, |found| found.acceleration()))
    }

    /// That of single observations on a quantity; `None` where it is undefined without one.
    fn influence(&self, quantity: impl Fn(&[f64]) -> Option<f64>) -> Option<Influence> {
        let (mut influence, mut means, mut rest) = (Influence::default(), self.all.clone(), &self.without[..]);
        for (group, &count) in self.draws.counts.iter().enumerate() {
            let (mine, others) = rest.split_at(count);
            rest = others;
            let left_out = mine.iter().map(|&mean| {
                means[group] = mean;
                quantity(&means)
            });
            let values = left_out.collect::<Option<Vec<f64>>>()?;
            means[group] = self.all[group];
            influence.add(&values);
        }
        Some(influence)
    }
}

/// Sums of the drawn values, one for each resample of a block, added up in the order of drawing.
fn sums(values: &[f64], drawn: &[u32]) -> [f64; LANES] {
    let mut sums = [0.0; LANES];
    for drawn in drawn.chunks_exact(LANES) {
        for (sum, &index) in sums.iter_mut().zip(drawn) {
            *sum += values[index as usize];
        }
    }
    sums
}
