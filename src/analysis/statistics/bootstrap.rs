//! Bootstrap intervals: how a quantity would vary if the observations were drawn again.

use super::error::at_least;
use super::moments::{mean, quantile_of_sorted};
use super::{Chance, StatisticsError, normal};

/// How an interval is read off the resamples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IntervalMethod {
    /// Quantiles of the resamples.
    Percentile,
    /// Quantiles corrected for bias and for a spread that changes with the value (Efron 1987, "bias-corrected and
    /// accelerated").
    #[default]
    Bca,
}

impl IntervalMethod {
    /// Name for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Percentile => "percentile",
            Self::Bca => "BCa",
        }
    }
}

/// How to resample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resampling {
    /// Number of resamples.
    pub resamples: usize,
    /// Chance with which the interval is to cover the truth, 0..1.
    pub level: f64,
    /// How the interval is read off.
    pub method: IntervalMethod,
    /// What the resamples are drawn with.
    pub seed: u64,
}

impl Resampling {
    /// 2,000 resamples for 95 %, corrected for bias.
    pub fn seeded(seed: u64) -> Self {
        Self { resamples: 2000, level: 0.95, method: IntervalMethod::Bca, seed }
    }
}

/// A quantity with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The quantity of the data as they are.
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Chance with which it is to cover the truth.
    pub level: f64,
    /// How it was read off.
    pub method: IntervalMethod,
    /// Resamples in which the quantity has a value.
    pub resamples: usize,
}

impl std::fmt::Display for Interval {
    /// "0.42 [0.31, 0.55], 95 % BCa bootstrap, 2000 resamples".
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { estimate, low, high, level, method, resamples } = self;
        let percent = 100.0 * level;
        write!(
            f,
            "{estimate:.4} [{low:.4}, {high:.4}], {percent} % {} bootstrap, {resamples} resamples",
            method.label()
        )
    }
}

/// Interval of a quantity of one list of observations.
///
/// # Errors
/// With fewer than two values, an impossible level or no resamples, or when the quantity is undefined for the data or for
/// more than half of the resamples.
pub fn bootstrap(
    values: &[f64],
    quantity: impl Fn(&[f64]) -> Option<f64>,
    how: &Resampling,
) -> Result<Interval, StatisticsError> {
    bootstrap_within(
        &[values.len()],
        |drawn| quantity(&drawn[0].iter().map(|&index| values[index]).collect::<Vec<_>>()),
        how,
    )
}

/// Interval of a quantity of several groups of observations, such as the presentations of each condition: observations
/// are drawn again within their group. `quantity` is given the drawn indices of each group.
///
/// # Errors
/// With a group of fewer than two values, an impossible level or no resamples, or when the quantity is undefined for the
/// data or for more than half of the resamples.
pub fn bootstrap_within(
    groups: &[usize],
    quantity: impl Fn(&[Vec<usize>]) -> Option<f64>,
    how: &Resampling,
) -> Result<Interval, StatisticsError> {
    let defined = |drawn: &[Vec<usize>]| quantity(drawn).filter(|value| value.is_finite());
    bootstrap_knowing(groups, defined, || influence(&all_of(groups), &defined), how)
}

/// The same of a quantity that is finite where it is defined, and that tells by itself how much single observations move
/// it: trying each takes a time that grows with the square of their number.
pub(super) fn bootstrap_knowing(
    groups: &[usize],
    quantity: impl Fn(&[Vec<usize>]) -> Option<f64>,
    influence: impl FnOnce() -> Option<Influence>,
    how: &Resampling,
) -> Result<Interval, StatisticsError> {
    let mut drawn = all_of(groups);
    let resamples = how.resamples;
    let estimate = checked(groups, how)
        .and_then(|()| quantity(&drawn).ok_or(StatisticsError::Undefined { undefined: resamples, resamples }))?;
    let values: Vec<f64> = (0..resamples)
        .filter_map(|resample| {
            draw_again(&mut drawn, &mut Chance::new(how.seed, resample as u32));
            quantity(&drawn)
        })
        .collect();
    read_off(estimate, values, how, || influence().map_or(0.0, |found| found.acceleration()))
}

/// The indices of all observations of each group.
fn all_of(groups: &[usize]) -> Vec<Vec<usize>> {
    groups.iter().map(|&count| (0..count).collect()).collect()
}

/// The interval of an estimate from the values of the resamples in which it is defined.
pub(super) fn read_off(
    estimate: f64,
    mut values: Vec<f64>,
    how: &Resampling,
    acceleration: impl FnOnce() -> f64,
) -> Result<Interval, StatisticsError> {
    let resamples = how.resamples;
    if 2 * values.len() < resamples {
        return Err(StatisticsError::Undefined { undefined: resamples - values.len(), resamples });
    }
    values.sort_by(f64::total_cmp);
    let tail = 0.5 * (1.0 - how.level);
    let [low, high] = match how.method {
        IntervalMethod::Percentile => [tail, 1.0 - tail],
        IntervalMethod::Bca => corrected([tail, 1.0 - tail], &values, estimate, acceleration()),
    }
    .map(|fraction| quantile_of_sorted(&values, fraction).expect("at least one value, and a fraction of 0..=1"));
    Ok(Interval { estimate, low, high, level: how.level, method: how.method, resamples: values.len() })
}

/// Refuses what cannot be resampled.
pub(super) fn checked(groups: &[usize], how: &Resampling) -> Result<(), StatisticsError> {
    at_least("a bootstrap", 1, how.resamples)?;
    at_least("a bootstrap", 2, groups.iter().copied().min().unwrap_or(0))?;
    if !(how.level > 0.0 && how.level < 1.0) {
        return Err(StatisticsError::NoProbability { what: "the level of an interval", found: how.level });
    }
    Ok(())
}

/// Draws as many observations of each group as it has, with putting back.
fn draw_again(groups: &mut [Vec<usize>], chance: &mut Chance) {
    for group in groups {
        let count = group.len();
        group.iter_mut().for_each(|index| *index = chance.below(count));
    }
}

/// The fractions to read instead of these: z0 from the share of resamples below the estimate, a the acceleration,
/// Phi(z0 + (z0 + z) / (1 - a (z0 + z))).
fn corrected(fractions: [f64; 2], sorted: &[f64], estimate: f64, acceleration: f64) -> [f64; 2] {
    let below = sorted.partition_point(|&value| value < estimate);
    let not_above = sorted.partition_point(|&value| value <= estimate);
    // Resamples equal to the estimate count half, as those of a quantity with few values would have it.
    let share = 0.5 * (below + not_above) as f64 / sorted.len() as f64;
    // When all resamples lie on one side there is no finite correction: half a resample is taken to lie on the other.
    let least = 0.5 / sorted.len() as f64;
    let Some(bias) = normal::quantile(share.clamp(least, 1.0 - least)) else { return fractions };
    fractions.map(|fraction| {
        let Some(z) = normal::quantile(fraction) else { return fraction };
        let corrected = normal::cumulative(bias + (bias + z) / (1.0 - acceleration * (bias + z)));
        if corrected.is_nan() { fraction } else { corrected }
    })
}

/// How much single observations move a quantity, by leaving out each in turn; several groups as in Davison and Hinkley
/// 1997, section 5.3.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Influence {
    cubes: f64,
    squares: f64,
}

impl Influence {
    /// Adds the values of the quantity without each observation of a group.
    pub(super) fn add(&mut self, without: &[f64]) {
        let (count, centre) = (without.len() as f64, mean(without).unwrap_or_default());
        // Influence is (n - 1) times the deviation; cubes are divided by n^3 and squares by n^2.
        let scale = (count - 1.0) / count;
        self.cubes += without.iter().map(|value| (scale * (centre - value)).powi(3)).sum::<f64>();
        self.squares += without.iter().map(|value| (scale * (centre - value)).powi(2)).sum::<f64>();
    }

    /// Its skewness over six.
    pub(super) fn acceleration(self) -> f64 {
        if self.squares > 0.0 { self.cubes / (6.0 * self.squares.powf(1.5)) } else { 0.0 }
    }
}

/// That of the observations of some groups; `None` where the quantity is undefined without one.
fn influence(all: &[Vec<usize>], quantity: &impl Fn(&[Vec<usize>]) -> Option<f64>) -> Option<Influence> {
    let mut influence = Influence::default();
    let mut left = all.to_vec();
    for group in 0..all.len() {
        let count = all[group].len();
        let without = (0..count).map(|index| {
            left[group] = (0..count).filter(|&other| other != index).collect();
            quantity(&left)
        });
        let without = without.collect::<Option<Vec<f64>>>()?;
        left[group].clone_from(&all[group]);
        influence.add(&without);
    }
    Some(influence)
}
