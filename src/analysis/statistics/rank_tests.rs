//! Tests of ranks: the signed ranks of Wilcoxon and the U of Mann and Whitney.
//!
//! Small samples are counted exactly, ties included: the null distribution is that of the ranks as they are, shared ones
//! and all. Larger ones take the normal distribution with corrections for ties and for continuity.

use super::correlation::ranks;
use super::error::{all_finite, at_least};
use super::normal::cumulative;
use super::permutation::differences;
use super::{Alternative, Null, StatisticsError, Test, TestResult};

/// Largest number of pairs that is counted exactly.
const EXACT_PAIRS: usize = 50;

/// Largest number of values in two groups that is counted exactly.
const EXACT_VALUES: usize = 50;

/// Whether paired differences `first - second` are symmetric about 0 (Wilcoxon 1945). Pairs without a difference are left
/// out, and not counted in n. The statistic is the sum of the ranks of positive differences.
///
/// # Errors
/// When the lists differ in length, hold fewer than two pairs or a value that is not finite, or when all pairs are equal.
pub fn wilcoxon_signed_rank(
    first: &[f64],
    second: &[f64],
    alternative: Alternative,
) -> Result<TestResult, StatisticsError> {
    let mut differences = differences(first, second, Test::WilcoxonSignedRank.label())?;
    differences.retain(|&difference| difference != 0.0);
    let n = differences.len();
    let sizes: Vec<f64> = differences.iter().map(|difference| difference.abs()).collect();
    let ranks = ranks(&sizes);
    let positive: f64 = ranks.iter().zip(&differences).filter(|(_, d)| **d > 0.0).map(|(rank, _)| rank).sum();
    let all: f64 = ranks.iter().sum();
    let exact = n <= EXACT_PAIRS;
    let p = if exact {
        // Doubled ranks are whole: the distribution of the sum of those with a positive sign, one rank after the other.
        let doubled: Vec<usize> = ranks.iter().map(|rank| (2.0 * rank) as usize).collect();
        let mut chances = vec![0.0; doubled.iter().sum::<usize>() + 1];
        chances[0] = 1.0;
        for rank in doubled {
            for sum in (0..chances.len()).rev() {
                let raised = if sum >= rank { chances[sum - rank] } else { 0.0 };
                chances[sum] = 0.5 * (chances[sum] + raised);
            }
        }
        tails(&chances, (2.0 * positive) as usize, alternative)
    } else {
        let variance = ranks.iter().map(|rank| rank * rank).sum::<f64>() / 4.0;
        normal_tails(positive - 0.5 * all, variance, alternative)
    };
    Ok(TestResult {
        test: Test::WilcoxonSignedRank,
        alternative,
        null: if exact { Null::Exact } else { Null::Normal },
        statistic: positive,
        effect: 2.0 * positive / all - 1.0,
        p,
        n: [n, n],
    })
}

/// Whether values of one group tend to be larger than those of another (Mann and Whitney 1947). The statistic is the
/// number of pairs in which the first is larger, equal ones counting half.
///
/// # Errors
/// When a group is empty or holds a value that is not finite, or when all values are equal.
pub fn mann_whitney(first: &[f64], second: &[f64], alternative: Alternative) -> Result<TestResult, StatisticsError> {
    let test = Test::MannWhitney;
    for group in [first, second] {
        at_least(test.label(), 1, group.len())?;
        all_finite(group)?;
    }
    let pooled: Vec<f64> = first.iter().chain(second).copied().collect();
    if pooled.iter().all(|&value| value == pooled[0]) {
        return Err(StatisticsError::AllEqual(test.label()));
    }
    let ranks = ranks(&pooled);
    let (n, m, all) = (first.len(), second.len(), pooled.len());
    let sum: f64 = ranks[..n].iter().sum();
    let u = sum - 0.5 * (n * (n + 1)) as f64;
    let pairs = (n * m) as f64;
    let exact = all <= EXACT_VALUES;
    let p = if exact {
        // Chances of each sum of the doubled ranks of `taken` values, drawn without putting back, one value after the
        // other: [taken][sum].
        let doubled: Vec<usize> = ranks.iter().map(|rank| (2.0 * rank) as usize).collect();
        let sums = doubled.iter().sum::<usize>() + 1;
        let mut ways = vec![vec![0.0; sums]; n + 1];
        ways[0][0] = 1.0;
        for &rank in &doubled {
            for taken in (1..=n).rev() {
                let (fewer, more) = ways.split_at_mut(taken);
                for (way, before) in more[0][rank..].iter_mut().zip(&fewer[taken - 1]) {
                    *way += before;
                }
            }
        }
        let total: f64 = ways[n].iter().sum();
        let chances: Vec<f64> = ways[n].iter().map(|way| way / total).collect();
        tails(&chances, (2.0 * sum) as usize, alternative)
    } else {
        let mean = 0.5 * (all + 1) as f64;
        let spread = ranks.iter().map(|rank| (rank - mean).powi(2)).sum::<f64>();
        let variance = pairs * spread / (all as f64 * (all as f64 - 1.0));
        normal_tails(u - 0.5 * pairs, variance, alternative)
    };
    Ok(TestResult {
        test,
        alternative,
        null: if exact { Null::Exact } else { Null::Normal },
        statistic: u,
        effect: 2.0 * u / pairs - 1.0,
        p,
        n: [n, m],
    })
}

/// The p-value of a statistic whose values 0, 1, 2... have these chances.
fn tails(chances: &[f64], found: usize, alternative: Alternative) -> f64 {
    alternative.p_value(chances[..=found].iter().sum(), chances[found..].iter().sum())
}

/// The p-value of a deviation from the mean of a statistic that moves in whole steps.
fn normal_tails(deviation: f64, variance: f64, alternative: Alternative) -> f64 {
    let below = |deviation: f64| cumulative((deviation + 0.5) / variance.sqrt());
    alternative.p_value(below(deviation), below(-deviation))
}
