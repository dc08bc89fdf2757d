//! Intervals, tests and corrections. Golden numbers are from tests/fixtures/analysis/golden.py.

use twinscope::analysis::statistics::correlation::{LEAST_PAIRS, pearson, pearson_interval, ranks, spearman};
use twinscope::analysis::statistics::{
    Alternative, Chance, Correction, Interval, IntervalMethod, Null, Resampling, StatisticsError, bootstrap,
    bootstrap_within, mann_whitney, moments, normal, paired_permutation, unpaired_permutation, wilcoxon_signed_rank,
};

const FIRST: [f64; 9] = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30];
#[expect(clippy::approx_constant, reason = "a measurement that happens to be near pi")]
const SECOND: [f64; 9] = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29];
const OLD: [f64; 5] = [19.0, 22.0, 16.0, 29.0, 24.0];
const YOUNG: [f64; 4] = [20.0, 11.0, 17.0, 12.0];
const SKEWED: [f64; 12] = [0.2, 0.5, 0.1, 1.9, 0.7, 3.2, 0.4, 0.3, 1.1, 0.6, 0.2, 5.1];

fn near(what: &str, found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{what} is {found}, expected {expected}");
}

/// Sixty values that lean above 0, the first of them 0.
fn leaning() -> Vec<f64> {
    (0..60).map(|i| (f64::from(i) * 1.7).sin() + 0.01 * f64::from(i)).collect()
}

fn other() -> Vec<f64> {
    (0..55).map(|i| (f64::from(i) * 2.3).cos() + 0.3).collect()
}

fn how(method: IntervalMethod, resamples: usize) -> Resampling {
    Resampling { resamples, method, ..Resampling::seeded(7) }
}

#[test]
fn wilcoxon_counts_small_samples_exactly_and_large_ones_by_the_normal() {
    let found = wilcoxon_signed_rank(&FIRST, &SECOND, Alternative::TwoSided).expect("nine pairs");
    assert_eq!((found.null, found.statistic), (Null::Exact, 40.0));
    near("p", found.p, 0.0390625, 1e-12);
    let greater = wilcoxon_signed_rank(&FIRST, &SECOND, Alternative::Greater).expect("nine pairs");
    near("one-sided p", greater.p, 0.01953125, 1e-12);
    let large = wilcoxon_signed_rank(&leaning(), &[0.0; 60], Alternative::TwoSided).expect("sixty pairs");
    assert_eq!((large.null, large.n, large.statistic), (Null::Normal, [59, 59], 1255.0), "a pair without difference");
    near("p of 59 pairs", large.p, 0.005287479987864509, 1e-12);
}

#[test]
fn mann_whitney_counts_small_samples_exactly_and_large_ones_by_the_normal() {
    let found = mann_whitney(&OLD, &YOUNG, Alternative::TwoSided).expect("nine values");
    assert_eq!((found.null, found.statistic), (Null::Exact, 17.0));
    near("p", found.p, 0.1111111111111111, 1e-12);
    near("effect", found.effect, 2.0 * 17.0 / 20.0 - 1.0, 1e-12);
    let greater = mann_whitney(&OLD, &YOUNG, Alternative::Greater).expect("nine values");
    near("one-sided p", greater.p, 0.05555555555555555, 1e-12);
    let large = mann_whitney(&leaning(), &other(), Alternative::TwoSided).expect("115 values");
    assert_eq!((large.null, large.statistic), (Null::Normal, 1636.0));
    near("p of 115 values", large.p, 0.9397488815525391, 1e-12);
    let [x, y] = [leaning(), other()].map(|values| values.iter().map(|v| (2.0 * v).round()).collect::<Vec<f64>>());
    let tied = mann_whitney(&x, &y, Alternative::TwoSided).expect("115 values");
    assert_eq!(tied.statistic, 1657.0);
    near("p with ties", tied.p, 0.9702705744962462, 1e-12);
}

#[test]
fn small_samples_with_ties_are_counted_as_they_are() {
    // 1, 1, 2 against 2, 3: of the ten choices of three, only {1, 1, 2} with either 2 reaches a rank sum of 6.5.
    let found = mann_whitney(&[1.0, 1.0, 2.0], &[2.0, 3.0], Alternative::Less).expect("five values");
    near("p", found.p, 0.2, 1e-12);
    // Differences 1, 1, -1: each sign pattern has chance 1/8; two or three positive ones in 4 of 8.
    let found = wilcoxon_signed_rank(&[1.0, 1.0, 0.0], &[0.0, 0.0, 1.0], Alternative::Greater).expect("three pairs");
    near("p of signs", found.p, 0.5, 1e-12);
}

#[test]
fn permutation_tests_count_all_arrangements_of_small_samples() {
    let found = unpaired_permutation(
        &[3.0, 5.0, 5.0, 7.0, 9.0],
        &[5.0, 2.0, 2.0, 3.0, 1.0, 5.0],
        Alternative::TwoSided,
        1000,
        1,
    )
    .expect("eleven values");
    assert_eq!(found.null, Null::Exact);
    near("difference", found.statistic, 2.8, 1e-12);
    near("p", found.p, 0.0735930735930736, 1e-12);
    let paired = paired_permutation(&FIRST, &SECOND, Alternative::TwoSided, 512, 1).expect("nine pairs");
    assert_eq!(paired.null, Null::Exact);
    near("mean difference", paired.statistic, 0.43188888888888893, 1e-12);
    near("paired p", paired.p, 0.02734375, 1e-12);
}

#[test]
fn drawn_permutations_agree_with_counted_ones_and_repeat_under_a_seed() {
    for seed in [1, 2] {
        let drawn = |seed| paired_permutation(&FIRST, &SECOND, Alternative::TwoSided, 511, seed).expect("nine pairs");
        assert_eq!(drawn(seed).null, Null::Drawn(511), "one arrangement too many to count them");
        assert_eq!(drawn(seed), drawn(seed));
        // Twice the standard error of a proportion of .0137, times two for both sides, three times over.
        near("p", drawn(seed).p, 0.02734375, 6.0 * (0.0137_f64 / 511.0).sqrt());
    }
    let drawn = unpaired_permutation(&OLD, &YOUNG, Alternative::TwoSided, 100, 3).expect("nine values");
    let counted = unpaired_permutation(&OLD, &YOUNG, Alternative::TwoSided, 126, 3).expect("nine values");
    assert_eq!((drawn.null, counted.null), (Null::Drawn(100), Null::Exact));
    near("p of groups", drawn.p, counted.p, 0.15);
    let never_zero =
        unpaired_permutation(&[1e3; 30].map(|v| v), &[0.0; 30], Alternative::Greater, 99, 3).expect("sixty");
    near("p of the extreme", never_zero.p, 0.01, 1e-12);
}

#[test]
fn tests_are_symmetric_in_their_groups() {
    #[expect(clippy::type_complexity, reason = "four tests of one shape")]
    let tests: [fn(&[f64], &[f64], Alternative) -> Result<_, _>; 4] = [
        |a, b, side| paired_permutation(a, b, side, 4096, 1),
        |a, b, side| unpaired_permutation(a, b, side, 100_000, 1),
        wilcoxon_signed_rank,
        mann_whitney,
    ];
    for test in tests {
        let greater = test(&FIRST, &SECOND, Alternative::Greater).expect("nine values each");
        let less = test(&SECOND, &FIRST, Alternative::Less).expect("nine values each");
        near(greater.test.label(), less.p, greater.p, 1e-12);
        near("effect", less.effect, -greater.effect, 1e-12);
    }
}

#[test]
fn p_values_are_uniform_when_there_is_no_difference() {
    let mut chance = Chance::new(11, 0);
    let p: Vec<f64> = (0..400)
        .map(|_| {
            let [a, b] = [(); 2].map(|()| (0..12).map(|_| chance.normal()).collect::<Vec<f64>>());
            mann_whitney(&a, &b, Alternative::TwoSided).expect("24 values").p
        })
        .collect();
    for level in [0.05, 0.2, 0.5] {
        let rejected = p.iter().filter(|&&p| p <= level).count() as f64 / 400.0;
        // Four standard errors of a proportion; the steps of an exact test make it a little smaller than the level.
        near("rejected", rejected, level, 4.0 * (level * (1.0 - level) / 400.0).sqrt());
    }
}

#[test]
fn what_cannot_be_tested_is_said() {
    let two = Alternative::TwoSided;
    assert_eq!(wilcoxon_signed_rank(&[1.0], &[1.0, 2.0], two), Err(StatisticsError::Unpaired { first: 1, second: 2 }));
    assert!(matches!(wilcoxon_signed_rank(&[1.0; 3], &[1.0; 3], two), Err(StatisticsError::AllEqual(_))));
    assert!(matches!(mann_whitney(&[1.0; 3], &[1.0; 3], two), Err(StatisticsError::AllEqual(_))));
    assert!(matches!(mann_whitney(&[], &[1.0; 3], two), Err(StatisticsError::TooFew { found: 0, .. })));
    assert!(matches!(mann_whitney(&[1.0, f64::NAN], &[1.0], two), Err(StatisticsError::NotFinite { index: 1, .. })));
    assert!(matches!(unpaired_permutation(&[1.0], &[2.0, 1.0], two, 9, 0), Err(StatisticsError::TooFew { .. })));
    let mean = |values: &[f64]| moments::mean(values);
    assert!(matches!(bootstrap(&[1.0], mean, &Resampling::seeded(0)), Err(StatisticsError::TooFew { .. })));
    let wide = Resampling { level: 1.0, ..Resampling::seeded(0) };
    assert!(matches!(bootstrap(&SKEWED, mean, &wide), Err(StatisticsError::NoProbability { .. })));
    assert!(matches!(bootstrap(&SKEWED, |_| None, &Resampling::seeded(0)), Err(StatisticsError::Undefined { .. })));
    let p = Correction::Holm.adjust(&[0.5, 1.5]);
    assert_eq!(p, Err(StatisticsError::NoProbability { what: "a p-value", found: 1.5 }));
}

#[test]
fn a_result_names_its_test() {
    let found = mann_whitney(&OLD, &YOUNG, Alternative::TwoSided).expect("nine values");
    assert_eq!(found.to_string(), "Mann-Whitney U test, two-sided, exact: p = 0.111, n = 5 and 4");
    let found = paired_permutation(&FIRST, &SECOND, Alternative::Greater, 100, 1).expect("nine pairs");
    assert!(found.to_string().starts_with("paired permutation test, one-sided, greater, 100 permutations: p = 0.0"));
    assert!(found.to_string().ends_with(", n = 9 pairs"), "{found}");
}

#[test]
fn corrections_have_their_published_values() {
    let p = [0.01, 0.04, 0.03, 0.005, 0.5, 0.04];
    let adjusted = Correction::BenjaminiHochberg.adjust(&p).expect("probabilities");
    for (found, expected) in adjusted.iter().zip([0.03, 0.048, 0.048, 0.03, 0.5, 0.048]) {
        near("Benjamini-Hochberg", *found, expected, 1e-12);
    }
    // By hand: .005 x 6, .01 x 5, .03 x 4, then .04 x 3 and .04 x 2 raised to the one before, .5 x 1.
    let adjusted = Correction::Holm.adjust(&p).expect("probabilities");
    for (found, expected) in adjusted.iter().zip([0.05, 0.12, 0.12, 0.03, 0.5, 0.12]) {
        near("Holm", *found, expected, 1e-12);
    }
    assert_eq!(Correction::Holm.adjust(&[]), Ok(Vec::new()));
}

#[test]
fn bootstrap_intervals_of_the_mean_are_those_of_scipy() {
    let of = |method| bootstrap(&SKEWED, moments::mean, &how(method, 40_000)).expect("twelve values");
    // Quantiles of 40,000 resamples vary by about .01; the mean of twelve values moves in steps of .008.
    for (method, low, high) in [(IntervalMethod::Percentile, 0.483333, 2.1), (IntervalMethod::Bca, 0.591667, 2.425)] {
        let Interval { low: found_low, high: found_high, estimate, .. } = of(method);
        near("mean", estimate, 14.3 / 12.0, 1e-12);
        near(method.label(), found_low, low, 0.03);
        near(method.label(), found_high, high, 0.04);
    }
}

#[test]
fn bootstrap_draws_within_groups() {
    let ratio = |drawn: &[Vec<usize>]| {
        let mean = |group: usize, values: &[f64]| {
            drawn[group].iter().map(|&index| values[index]).sum::<f64>() / drawn[group].len() as f64
        };
        Some(mean(0, &SKEWED) / mean(1, &OLD))
    };
    let found = bootstrap_within(&[12, 5], ratio, &how(IntervalMethod::Bca, 40_000)).expect("two groups");
    // From scipy; what 40,000 resamples leave to chance is about a hundredth of the interval.
    near("low", found.low, 0.026190, 0.001);
    near("high", found.high, 0.113269, 0.002);
    let again = bootstrap_within(&[12, 5], ratio, &how(IntervalMethod::Bca, 40_000)).expect("two groups");
    assert_eq!(found, again, "the same seed");
}

#[test]
fn bootstrap_intervals_cover_the_truth_as_often_as_they_say() {
    let mut chance = Chance::new(5, 0);
    let covered = (0..300)
        .filter(|&run| {
            let values: Vec<f64> = (0..30).map(|_| chance.normal()).collect();
            let how = Resampling { resamples: 400, seed: run, ..Resampling::seeded(run) };
            let interval = bootstrap(&values, moments::mean, &how).expect("thirty values");
            (interval.low..=interval.high).contains(&0.0)
        })
        .count() as f64;
    // 95 % less a percent or two for 30 values; four standard errors are 5 %.
    near("covered", covered / 300.0, 0.94, 0.05);
}

/// So many pairs of a correlation of 0.6.
fn correlated(n: usize, seed: u64) -> (Vec<f64>, Vec<f64>) {
    let mut chance = Chance::new(seed, 0);
    let mut pair = || {
        let first = chance.normal();
        (first, 0.6 * first + 0.8 * chance.normal())
    };
    (0..n).map(|_| pair()).unzip()
}

#[test]
fn the_interval_of_a_correlation_is_that_of_leaving_out_every_pair() {
    let (a, b) = correlated(40, 3);
    let how = how(IntervalMethod::Bca, 500);
    let found = pearson_interval(&a, &b, &how).expect("forty pairs");
    let drawn = |values: &[f64], drawn: &[usize]| -> Vec<f64> { drawn.iter().map(|&index| values[index]).collect() };
    let again = |all: &[Vec<usize>]| pearson(&drawn(&a, &all[0]), &drawn(&b, &all[0]));
    let expected = bootstrap_within(&[40], again, &how).expect("forty pairs");
    // The same resamples; only how much single pairs move the correlation comes from other sums.
    near("estimate", found.estimate, expected.estimate, 1e-12);
    near("low", found.low, expected.low, 1e-9);
    near("high", found.high, expected.high, 1e-9);
    assert!(found.low < found.estimate && found.estimate < found.high, "{found}");
    let percentile = pearson_interval(&a, &b, &Resampling { method: IntervalMethod::Percentile, ..how });
    assert!((percentile.expect("forty pairs").low - found.low).abs() > 1e-3, "corrected for bias and acceleration");
}

#[test]
fn a_correlation_is_known_the_better_the_more_pairs_there_are() {
    let covered = (0..200)
        .filter(|&run| {
            let (a, b) = correlated(60, run);
            let found = pearson_interval(&a, &b, &Resampling { resamples: 400, ..Resampling::seeded(run) });
            let found = found.expect("sixty pairs");
            (found.low..=found.high).contains(&0.6)
        })
        .count() as f64;
    // 95 % less a percent or two for 60 pairs; three standard errors are 5 %.
    near("covered", covered / 200.0, 0.94, 0.05);
    let width = |n: usize| {
        let (a, b) = correlated(n, 7);
        let found = pearson_interval(&a, &b, &Resampling::seeded(1)).expect("pairs");
        found.high - found.low
    };
    // 2 x 1.96 (1 - r²) / √n: a quarter with sixteen times the pairs.
    let (few, many) = (width(50), width(800));
    assert!(many < 0.4 * few && many > 0.1 * few, "{few} of 50 pairs, {many} of 800");
    near("width of 800 pairs", many, 0.089, 0.03);
    let (a, b) = correlated(LEAST_PAIRS - 1, 1);
    let short = pearson_interval(&a, &b, &Resampling::seeded(1));
    assert!(matches!(short, Err(StatisticsError::TooFew { needed: LEAST_PAIRS, found: 5, .. })), "{short:?}");
    let unpaired = pearson_interval(&a, &b[1..], &Resampling::seeded(1));
    assert_eq!(unpaired, Err(StatisticsError::Unpaired { first: 5, second: 4 }));
    let constant = pearson_interval(&[2.0; 9], &[3.0; 9], &Resampling::seeded(1));
    assert!(matches!(constant, Err(StatisticsError::Undefined { .. })), "{constant:?}");
}

#[test]
fn correlations_share_ranks_and_have_none_with_a_constant() {
    assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
    let (a, b) = ([1.0, 2.0, 2.0, 4.0, 5.5, 3.0], [2.0, 1.0, 3.0, 3.0, 9.0, 4.0]);
    near("Spearman", spearman(&a, &b).expect("six pairs"), 0.7794117647058825, 1e-12);
    near("of a line", pearson(&a, &a.map(|v| 5.0 - 2.0 * v)).expect("six pairs"), -1.0, 1e-12);
    assert_eq!(pearson(&a, &[0.1; 6]), None);
    assert_eq!(pearson(&a, &b[..5]), None);
    assert_eq!(spearman(&a, &[f64::NAN; 6]), None);
}

#[test]
fn the_normal_distribution_keeps_its_digits_in_the_tails() {
    near("below -10, relative", normal::cumulative(-10.0) / 7.61985302416047e-24, 1.0, 1e-12);
    near("quantile", normal::quantile(1e-12).expect("inside"), -7.034483825301131, 1e-9);
    near("quantile", normal::quantile(0.975).expect("inside"), 1.959963984540054, 1e-12);
    assert_eq!((normal::quantile(0.0), normal::quantile(f64::NAN)), (None, None));
}

#[test]
fn chance_is_even_and_repeats() {
    let mut chance = Chance::new(u64::MAX, 3);
    let mut counts = [0; 7];
    (0..70_000).for_each(|_| counts[chance.below(7)] += 1);
    // Five standard deviations of a count of 10,000.
    assert!(counts.iter().all(|&count: &i32| (count - 10_000).abs() < 470), "{counts:?}");
    let values: Vec<f64> = (0..20_000).map(|_| chance.normal()).collect();
    near("mean", moments::mean(&values).expect("values"), 0.0, 0.035);
    near("variance", moments::variance(&values).expect("values"), 1.0, 0.05);
    let mut order: Vec<usize> = (0..50).collect();
    Chance::new(1, 2).shuffle(&mut order);
    let mut again: Vec<usize> = (0..50).collect();
    Chance::new(1, 2).shuffle(&mut again);
    assert_eq!(order, again);
    again.sort_unstable();
    assert_eq!(again, (0..50).collect::<Vec<_>>());
}
