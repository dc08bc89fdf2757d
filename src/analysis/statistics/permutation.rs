//! Permutation tests: what if the labels meant nothing?
//!
//! Where there are no more arrangements than were asked for, each is counted once and the p-value is exact. Otherwise
//! arrangements are drawn, and that of the data counts as one of them, (1 + as extreme) / (1 + drawn): p is never 0
//! (Phipson and Smyth 2010).

use super::error::{all_finite, at_least};
use super::{Alternative, Chance, Null, StatisticsError, Test, TestResult};

/// Two arrangements whose statistics differ by less than this fraction of the spread are equally extreme: their sums
/// were only added in another order.
const EQUAL: f64 = 1e-12;

/// Counts of arrangements at most and at least as large as the data's.
struct Counts {
    found: f64,
    tolerance: f64,
    at_most: usize,
    at_least: usize,
    all: usize,
}

impl Counts {
    fn new(found: f64, scale: f64) -> Self {
        Self { found, tolerance: EQUAL * scale, at_most: 0, at_least: 0, all: 0 }
    }

    fn count(&mut self, statistic: f64) {
        self.at_most += usize::from(statistic <= self.found + self.tolerance);
        self.at_least += usize::from(statistic >= self.found - self.tolerance);
        self.all += 1;
    }

    fn p_value(&self, alternative: Alternative) -> f64 {
        let fraction = |count: usize| count as f64 / self.all as f64;
        alternative.p_value(fraction(self.at_most), fraction(self.at_least))
    }
}

/// Whether the mean of `first - second` over pairs differs from 0, by exchanging the members of pairs. All 2^n
/// arrangements when they are no more than `most`, that many drawn ones otherwise.
///
/// # Errors
/// When the lists differ in length, hold fewer than two pairs or a value that is not finite, or when all pairs are equal.
pub fn paired_permutation(
    first: &[f64],
    second: &[f64],
    alternative: Alternative,
    most: usize,
    seed: u64,
) -> Result<TestResult, StatisticsError> {
    let differences = differences(first, second, Test::PairedPermutation.label())?;
    let n = differences.len();
    let sum: f64 = differences.iter().sum();
    let mut counts = Counts::new(sum, differences.iter().map(|d| d.abs()).sum());
    let exact = n < usize::BITS as usize && 1_usize << n <= most;
    if exact {
        for signs in 0..1_usize << n {
            let signed = |(bit, d): (usize, &f64)| if signs >> bit & 1 == 1 { -d } else { *d };
            counts.count(differences.iter().enumerate().map(signed).sum());
        }
    } else {
        counts.count(sum);
        for stream in 0..most {
            let mut chance = Chance::new(seed, stream as u32);
            counts.count(differences.iter().map(|d| if chance.below(2) == 1 { -d } else { *d }).sum());
        }
    }
    let mean = sum / n as f64;
    Ok(TestResult {
        test: Test::PairedPermutation,
        alternative,
        null: if exact { Null::Exact } else { Null::Drawn(most) },
        statistic: mean,
        effect: mean,
        p: counts.p_value(alternative),
        n: [n, n],
    })
}

/// Whether two groups have different means, by exchanging their members. All choices of the first group when they are no
/// more than `most`, that many drawn ones otherwise.
///
/// # Errors
/// When a group has fewer than two values or one that is not finite, or when all values are equal.
pub fn unpaired_permutation(
    first: &[f64],
    second: &[f64],
    alternative: Alternative,
    most: usize,
    seed: u64,
) -> Result<TestResult, StatisticsError> {
    let test = Test::UnpairedPermutation;
    for group in [first, second] {
        at_least(test.label(), 2, group.len())?;
        all_finite(group)?;
    }
    let mut pooled: Vec<f64> = first.iter().chain(second).copied().collect();
    if pooled.iter().all(|&value| value == pooled[0]) {
        return Err(StatisticsError::AllEqual(test.label()));
    }
    let (n, all) = (first.len(), pooled.len());
    // The difference of means grows with the sum of the first group, the sum of all being fixed.
    let sum: f64 = first.iter().sum();
    let mut counts = Counts::new(sum, pooled.iter().map(|value| value.abs()).sum());
    let exact = choices(all, n).is_some_and(|choices| choices <= most);
    if exact {
        let mut chosen: Vec<usize> = (0..n).collect();
        loop {
            counts.count(chosen.iter().map(|&index| pooled[index]).sum());
            // The next choice: raise the last member that can be raised, those after it follow closely.
            let Some(raised) = (0..n).rev().find(|&place| chosen[place] < all - n + place) else { break };
            let from = chosen[raised] + 1;
            (raised..n).for_each(|place| chosen[place] = from + place - raised);
        }
    } else {
        counts.count(sum);
        for stream in 0..most {
            let mut chance = Chance::new(seed, stream as u32);
            for place in 0..n {
                let with = place + chance.below(all - place);
                pooled.swap(place, with);
            }
            counts.count(pooled[..n].iter().sum());
        }
    }
    let difference = sum / n as f64 - second.iter().sum::<f64>() / second.len() as f64;
    Ok(TestResult {
        test,
        alternative,
        null: if exact { Null::Exact } else { Null::Drawn(most) },
        statistic: difference,
        effect: difference,
        p: counts.p_value(alternative),
        n: [n, second.len()],
    })
}

/// `first - second`, pair by pair.
pub(super) fn differences(first: &[f64], second: &[f64], what: &'static str) -> Result<Vec<f64>, StatisticsError> {
    if first.len() != second.len() {
        return Err(StatisticsError::Unpaired { first: first.len(), second: second.len() });
    }
    at_least(what, 2, first.len())?;
    all_finite(first)?;
    all_finite(second)?;
    let differences: Vec<f64> = first.iter().zip(second).map(|(a, b)| a - b).collect();
    if differences.iter().all(|&difference| difference == 0.0) {
        return Err(StatisticsError::AllEqual(what));
    }
    Ok(differences)
}

/// Ways to choose k of n; `None` when they are too many to count.
fn choices(n: usize, k: usize) -> Option<usize> {
    (0..k.min(n - k)).try_fold(1_usize, |ways, taken| Some(ways.checked_mul(n - taken)? / (taken + 1)))
}
