//! Reliability: numbers computed by hand, and laws of signal and noise.

use twinscope::analysis::Median;
use twinscope::analysis::reliability::{
    Freedom, Moments, NoCeiling, PairSeries, Repeats, UnitRepeats, cc_abs, cc_max, cc_norm, ceiling, correlation,
    explainable_variance, fano_factor, lifetime_sparseness, noise_correlation, noise_correlations, oracle_score,
    population_sparseness, signal_correlation, signal_correlations, split_half_reliability,
};
use twinscope::stimulus::hash::random_words;

const NONE: f64 = f64::NAN;

fn unit(rows: &[&[f64]]) -> UnitRepeats {
    UnitRepeats::new(rows.len(), rows[0].len(), rows.concat()).expect("rows of equal length")
}

#[track_caller]
fn near(found: Option<f64>, expected: f64, tolerance: f64) {
    let found = found.unwrap_or_else(|| panic!("undefined, expected {expected}"));
    assert!((found - expected).abs() <= tolerance, "{found}, expected {expected} within {tolerance}");
}

/// A number uniform in 0..1, of a seed and a counter.
fn uniform(seed: u64, index: usize) -> f64 {
    let [a, b, ..] = random_words(seed, index as u32, (index as u64 >> 32) as u32);
    ((u64::from(a) << 21 ^ u64::from(b)) as f64 + 0.5) / (1u64 << 53) as f64
}

/// A standard normal number, of a seed and a counter.
fn normal(seed: u64, index: usize) -> f64 {
    let (radius, angle) = (uniform(seed, 2 * index), uniform(seed, 2 * index + 1));
    (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
}

/// A signal of variance 1 shown several times, with noise of this variance.
fn noisy(repeats: usize, frames: usize, noise: f64, seed: u64) -> UnitRepeats {
    let value = |index: usize| normal(1, index % frames) + noise.sqrt() * normal(seed, index);
    UnitRepeats::new(repeats, frames, (0..repeats * frames).map(value).collect()).expect("so many values")
}

/// The same repeats in reverse order.
fn reversed(response: &UnitRepeats) -> UnitRepeats {
    let at = |repeat: usize, frame: usize| response.at(repeat, frame).unwrap_or(NONE);
    let rows = (0..response.repeats()).rev().flat_map(|r| (0..response.frames()).map(move |f| at(r, f)));
    UnitRepeats::new(response.repeats(), response.frames(), rows.collect()).expect("as many values")
}

#[test]
fn the_published_ceiling_of_identical_repeats_is_above_one_and_the_consistent_one_is_one() {
    let same = unit(&[&[1.0, 2.0, 3.0, 4.0], &[1.0, 2.0, 3.0, 4.0]]);
    near(cc_max(&same, Freedom::Published), 1.154701, 5e-7);
    near(cc_max(&same, Freedom::Consistent), 1.0, 1e-12);
    let alike = unit(&[&[0.0, 1.0, 2.0, 3.0], &[1.0, 1.0, 3.0, 3.0]]);
    near(cc_max(&alike, Freedom::Published), 1.120224, 5e-7);
    near(cc_max(&alike, Freedom::Consistent), 1.120224 * 0.75f64.sqrt(), 5e-7);
}

#[test]
fn the_ceiling_of_signal_and_noise_is_what_their_variances_say() {
    for (noise, repeats, expected) in
        [(1.0, 10, 0.953463), (4.0, 10, 0.845154), (9.0, 10, 0.725476), (1.0, 2, 0.816497)]
    {
        assert!((1.0f64 / (1.0 + noise / repeats as f64).sqrt() - expected).abs() < 5e-7);
        for freedom in [Freedom::Published, Freedom::Consistent] {
            // The signal's own variance, over 40,000 frames, is known to about 0.7 %, and enters twice.
            near(cc_max(&noisy(repeats, 40_000, noise, 7), freedom), expected, 0.012);
        }
    }
}

#[test]
fn a_perfect_prediction_reaches_the_ceiling() {
    let response = noisy(10, 40_000, 4.0, 3);
    let signal = UnitRepeats::new(1, 40_000, (0..40_000).map(|frame| normal(1, frame)).collect()).expect("one repeat");
    let (found, most) = (cc_abs(&signal, &response), cc_max(&response, Freedom::default()));
    // As above; both are estimates from the same frames.
    near(cc_norm(found, most), 1.0, 0.01);
    // Neither scale nor offset of a prediction matters.
    let scaled = (0..40_000).map(|frame| 3.0 - 0.1 * normal(1, frame)).collect();
    let scaled = UnitRepeats::new(1, 40_000, scaled).expect("one repeat");
    near(cc_abs(&scaled, &response), -found.expect("defined"), 1e-12);
}

#[test]
fn missing_repeats_lower_the_ceiling_as_fewer_repeats_do() {
    let whole = noisy(10, 40_000, 4.0, 5);
    let only = |kept: usize| {
        let value =
            |repeat: usize, frame: usize| if repeat < kept { whole.at(repeat, frame).expect("whole") } else { NONE };
        let values = (0..10).flat_map(|repeat| (0..40_000).map(move |frame| value(repeat, frame))).collect();
        UnitRepeats::new(10, 40_000, values).expect("as many values")
    };
    near(cc_max(&only(2), Freedom::Published), 1.0 / (1.0f64 + 4.0 / 2.0).sqrt(), 0.02);
    near(cc_max(&only(10), Freedom::Published), 1.0 / (1.0f64 + 4.0 / 10.0).sqrt(), 0.012);
    // By hand: t = 2, 2, 1, so n = √(2 / (2 / 4)) = 2; the mean [1, 4, 6] has the variance 19/3 over 2, the repeats
    // [0, 3, 6] and [2, 5] have 9 and 4.5.
    let some = unit(&[&[0.0, 3.0, 6.0], &[2.0, 5.0, NONE]]);
    let signal = 2.0 * 19.0 / 3.0 - 6.75;
    near(cc_max(&some, Freedom::Published), (signal / (38.0 / 9.0f64)).sqrt(), 1e-12);
    near(cc_max(&some, Freedom::Consistent), (signal / (19.0 / 3.0f64)).sqrt(), 1e-12);
    // A frame that was never measured does not count.
    let blind = unit(&[&[0.0, NONE, 3.0, 6.0], &[2.0, NONE, 5.0, NONE]]);
    assert_eq!(ceiling(&blind, Freedom::Published), ceiling(&some, Freedom::Published));
}

#[test]
fn where_there_is_no_ceiling_it_is_said_why() {
    let why = |rows: &[&[f64]]| ceiling(&unit(rows), Freedom::Published).expect_err("no ceiling");
    assert_eq!(why(&[&[1.0, 2.0, 3.0]]), NoCeiling::OneRepeat);
    assert_eq!(why(&[&[1.0, NONE, 3.0], &[NONE, 2.0, NONE]]), NoCeiling::OneRepeat);
    assert_eq!(why(&[&[NONE, NONE], &[NONE, NONE]]), NoCeiling::OneRepeat);
    assert_eq!(why(&[&[0.1, 0.1, 0.1], &[0.1, 0.1, 0.1]]), NoCeiling::Flat);
    assert_eq!(why(&[&[1.0], &[2.0]]), NoCeiling::Flat);
    assert_eq!(why(&[&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.1]]), NoCeiling::Unreliable);
    assert_eq!(cc_max(&unit(&[&[1.0, 2.0]]), Freedom::Published), None);
    assert_eq!((cc_norm(Some(0.5), None), cc_norm(None, Some(1.0)), cc_norm(Some(0.5), Some(0.0))), (None, None, None));
    near(cc_norm(Some(0.6), Some(0.8)), 0.75, 1e-12);
}

#[test]
fn the_absolute_correlation_is_between_means_over_what_was_measured() {
    let response = unit(&[&[1.0, 2.0, NONE, 4.0], &[3.0, 2.0, 5.0, NONE]]);
    let prediction = unit(&[&[1.0, 0.0, 9.0, 4.0], &[2.0, 1.0, 3.0, 9.0]]);
    // Means [2, 2, 5, 4] of the response and [1.5, 0.5, 3, 4] of the prediction, without its 9.
    let expected = correlation(&[2.0, 2.0, 5.0, 4.0], &[1.5, 0.5, 3.0, 4.0]);
    near(cc_abs(&prediction, &response), expected.expect("defined"), 1e-12);
    assert_eq!(cc_abs(&unit(&[&[1.0, 2.0]]), &response), None, "other frames");
    assert_eq!(cc_abs(&unit(&[&[1.0; 4][..]; 3]), &response), None, "other repeats");
    assert_eq!(cc_abs(&unit(&[&[0.3; 4]]), &response), None, "a constant prediction");
}

#[test]
fn a_correlation_is_undefined_for_a_constant_and_exact_far_from_zero() {
    near(correlation(&[1.0, 2.0, 3.0, 4.0], &[1.0, 3.0, 2.0, 4.0]), 0.8, 1e-12);
    assert_eq!(correlation(&[0.1; 50], &(0..50).map(f64::from).collect::<Vec<_>>()), None);
    assert_eq!(correlation(&[1.0], &[2.0]), None);
    assert_eq!(correlation(&[1.0, NONE, 2.0], &[2.0, 1.0, NONE]), None);
    // Sums of squares would have lost these digits.
    let far: Vec<f64> = [1.0, 2.0, 3.0, 4.0].iter().map(|x| 1e8 + x / 16.0).collect();
    near(correlation(&far, &[1.0, 3.0, 2.0, 4.0]), 0.8, 1e-9);
    let mut moments = Moments::default();
    assert_eq!((moments.means(), moments.correlation()), (None, None));
    moments.push(NONE, 1.0);
    moments.push(2.0, 5.0);
    assert_eq!((moments.count(), moments.means()), (1, Some((2.0, 5.0))));
}

#[test]
fn the_oracle_is_one_repeat_against_the_others() {
    let response = unit(&[&[1.0, 2.0, 3.0, 5.0], &[2.0, 2.0, 4.0, 4.0], &[0.0, 3.0, 3.0, 6.0]]);
    let others = [[1.0, 2.5, 3.5, 5.0], [0.5, 2.5, 3.0, 5.5], [1.5, 2.0, 3.5, 4.5]];
    let rows = [[1.0, 2.0, 3.0, 5.0], [2.0, 2.0, 4.0, 4.0], [0.0, 3.0, 3.0, 6.0]];
    let expected: f64 = rows.iter().zip(&others).map(|(a, b)| correlation(a, b).expect("defined")).sum::<f64>() / 3.0;
    near(oracle_score(&response), expected, 1e-12);
    // Of signal and noise: 1 / √((1 + v) (1 + v / (N - 1))).
    near(oracle_score(&noisy(5, 40_000, 2.0, 9)), 1.0 / (3.0f64 * 1.5).sqrt(), 0.012);
    assert_eq!(oracle_score(&unit(&[&[1.0, 2.0, 3.0]])), None);
    // A repeat that is silent has no score, and takes none from the others.
    near(oracle_score(&unit(&[&[0.0; 3], &[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0]])), 1.0, 1e-12);
}

#[test]
fn explainable_variance_is_the_share_of_the_signal() {
    for noise in [0.5, 1.0, 4.0] {
        near(explainable_variance(&noisy(8, 40_000, noise, 11)), 1.0 / (1.0 + noise), 0.012);
    }
    // By hand: variances 0.5 and 2 within frames; 1, 2, 4, 6 have the variance 59 / 12.
    near(explainable_variance(&unit(&[&[1.0, 4.0], &[2.0, 6.0]])), 1.0 - 1.25 / (59.0 / 12.0), 1e-12);
    near(explainable_variance(&unit(&[&[1.0, 4.0, 9.0], &[2.0, 6.0, NONE]])), 1.0 - 1.25 / (59.0 / 12.0), 1e-12);
    assert_eq!(explainable_variance(&unit(&[&[1.0, 4.0]])), None);
    assert_eq!(explainable_variance(&unit(&[&[2.0, 2.0], &[2.0, 2.0]])), None);
}

/// A Poisson count by multiplication of uniform numbers.
fn poisson(rate: f64, seed: u64, index: usize) -> f64 {
    let (least, mut product, mut count) = ((-rate).exp(), 1.0, 0);
    loop {
        product *= uniform(seed, index * 64 + count);
        if product < least || count == 63 {
            return count as f64;
        }
        count += 1;
    }
}

#[test]
fn poisson_counts_of_any_rates_have_a_fano_factor_of_one() {
    let (repeats, frames) = (10, 4000);
    let rate = |frame: usize| 0.05 + 4.0 * (frame as f64 / 700.0).sin().powi(2);
    let values = (0..repeats * frames).map(|index| poisson(rate(index % frames), 21, index)).collect();
    // 36,000 degrees of freedom: 1 % is more than two standard errors.
    near(fano_factor(&UnitRepeats::new(repeats, frames, values).expect("counts")), 1.0, 0.02);
    near(fano_factor(&unit(&[&[1.0, 4.0], &[3.0, 4.0]])), 2.0 / 6.0, 1e-12);
    near(fano_factor(&unit(&[&[1.0, 4.0, 7.0], &[3.0, 4.0, NONE]])), 2.0 / 6.0, 1e-12);
    assert_eq!(fano_factor(&unit(&[&[1.0, 4.0]])), None);
    assert_eq!(fano_factor(&unit(&[&[0.0], &[0.0]])), None);
    assert_eq!(fano_factor(&unit(&[&[1.0, 5.0], &[-1.0, 6.0]])), None);
}

#[test]
fn sparseness_runs_from_a_constant_response_to_a_single_one() {
    near(lifetime_sparseness(&unit(&[&[2.0; 4]])), 0.0, 1e-12);
    near(lifetime_sparseness(&unit(&[&[0.0, 0.0, 3.0, 0.0]])), 1.0, 1e-12);
    // (1 - (6/4)² / (14/4)) / (3/4).
    near(lifetime_sparseness(&unit(&[&[0.0, 1.0, 2.0, 3.0]])), (1.0 - 2.25 / 3.5) / 0.75, 1e-12);
    // Of the mean over repeats.
    near(
        lifetime_sparseness(&unit(&[&[0.0, 2.0, 1.0, 3.0], &[0.0, 0.0, 3.0, NONE]])),
        (1.0 - 2.25 / 3.5) / 0.75,
        1e-12,
    );
    for nothing in [&[0.0, 0.0][..], &[1.0], &[-1.0, 2.0]] {
        assert_eq!(lifetime_sparseness(&unit(&[nothing])), None);
    }
    let values = vec![0.0, 1.0, 2.0, 3.0, 5.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    let found = population_sparseness(&Repeats::new(1, 3, 4, values).expect("three frames of four units"));
    near(found[0], (1.0 - 2.25 / 3.5) / 0.75, 1e-12);
    near(found[1], 1.0, 1e-12);
    assert_eq!(found[2], None);
}

/// Two units with signals that correlate by `signal` and noise that correlates by `noise`, each of variance 1.
fn pair(repeats: usize, frames: usize, signal: f64, noise: f64) -> Repeats {
    let mix = |share: f64, a: f64, b: f64| share * a + (1.0 - share * share).sqrt() * b;
    let value = |index: usize| {
        let frame = index % frames;
        let (s, n) = ((normal(1, frame), normal(2, frame)), (normal(3, index), normal(4, index)));
        [(s.0 + n.0) as f32, (mix(signal, s.0, s.1) + mix(noise, n.0, n.1)) as f32]
    };
    Repeats::new(repeats, frames, 2, (0..repeats * frames).flat_map(value).collect()).expect("two units")
}

#[test]
fn signal_and_noise_correlations_are_told_apart() {
    let responses = pair(20, 4000, 0.8, -0.4);
    let (a, b) = (responses.unit(0), responses.unit(1));
    // The means keep a twentieth of the noise: (.8 - .4 / 20) / (1 + 1 / 20).
    near(signal_correlation(&a, &b), (0.8 - 0.4 / 20.0) / 1.05, 0.02);
    near(noise_correlation(&a, &b), -0.4, 0.01);
    let (signal, noise) = (signal_correlations(&responses), noise_correlations(&responses));
    assert_eq!((signal.get(0, 1), noise.get(1, 0)), (signal_correlation(&a, &b), noise_correlation(&a, &b)));
    near(signal.get(1, 1), 1.0, 1e-12);
    assert_eq!((signal.units(), signal.get(0, 2), signal.pairs().count()), (2, None, 1));
    // What was measured once has no deviation.
    let once = unit(&[&[1.0, 2.0, NONE], &[NONE, NONE, 3.0]]);
    assert_eq!(noise_correlation(&once, &once), None);
    let again = unit(&[&[1.0, 2.0, 3.0, 0.0], &[2.0, 1.0, NONE, 4.0]]);
    let other = unit(&[&[3.0, 2.0, 3.0, 1.0], &[2.0, 7.0, 5.0, 2.0]]);
    // Deviations [-.5, .5, -2] and [.5, -2.5, -.5], and their opposites.
    near(noise_correlation(&again, &other), -0.5 / (4.5f64 * 6.75).sqrt(), 1e-12);
    near(noise_correlation(&unit(&[&[1.0, 5.0], &[3.0, 1.0]]), &unit(&[&[2.0, 9.0], &[4.0, 5.0]])), 1.0, 1e-12);
}

#[test]
fn split_halves_are_corrected_to_all_repeats() {
    // Halves correlate by 1 / (1 + v / (N/2)), the whole by 1 / (1 + v / N).
    near(split_half_reliability(&noisy(8, 40_000, 4.0, 13), 0), 1.0 / 1.5, 0.015);
    near(split_half_reliability(&noisy(12, 40_000, 4.0, 13), 0), 1.0 / (1.0 + 4.0 / 12.0), 0.015);
    near(split_half_reliability(&unit(&[&[1.0, 2.0, 4.0], &[1.0, 2.0, 4.0]]), 0), 1.0, 1e-12);
    assert_eq!(split_half_reliability(&unit(&[&[1.0, 2.0, 4.0]]), 0), None);
    assert_eq!(split_half_reliability(&unit(&[&[1.0, 2.0], &[2.0, 1.0]]), 0), None, "corrected, -1 has no meaning");
    assert_eq!(split_half_reliability(&unit(&[&[1.0, 1.0], &[1.0, 1.0]]), 0), None);
}

#[test]
fn the_order_of_repeats_does_not_matter() {
    let mut response = noisy(6, 300, 2.0, 17);
    let values = (0..6 * 300).map(|i| if i % 17 == 3 { NONE } else { response.at(i / 300, i % 300).expect("whole") });
    response = UnitRepeats::new(6, 300, values.collect()).expect("as many values");
    let other = reversed(&response);
    let signal = noisy(6, 300, 0.5, 19);
    let split = |response: &UnitRepeats| split_half_reliability(response, 1);
    // Sums in another order: rounding of f64.
    for of in [oracle_score, explainable_variance, split, |r: &UnitRepeats| cc_max(r, Freedom::Published)] {
        near(of(&other), of(&response).expect("defined"), 1e-12);
    }
    near(cc_abs(&reversed(&signal), &other), cc_abs(&signal, &response).expect("defined"), 1e-12);
    near(noise_correlation(&reversed(&signal), &other), noise_correlation(&signal, &response).expect("defined"), 1e-12);
}

#[test]
fn what_is_nothing_gives_nothing_and_never_a_nan() {
    let nothing = [
        UnitRepeats::new(0, 0, Vec::new()).expect("nothing"),
        UnitRepeats::new(3, 0, Vec::new()).expect("no frames"),
        UnitRepeats::new(0, 3, Vec::new()).expect("no repeats"),
        unit(&[&[NONE; 3], &[NONE; 3]]),
        unit(&[&[0.0; 3], &[0.0; 3]]),
    ];
    for none in &nothing {
        let found = [
            cc_abs(none, none),
            cc_max(none, Freedom::Published),
            cc_max(none, Freedom::Consistent),
            oracle_score(none),
            explainable_variance(none),
            fano_factor(none),
            lifetime_sparseness(none),
            signal_correlation(none, none),
            noise_correlation(none, none),
            split_half_reliability(none, 0),
        ];
        assert_eq!(found, [None; 10], "{none:?}");
    }
    assert!(UnitRepeats::new(2, 2, vec![0.0; 3]).is_none() && UnitRepeats::new(usize::MAX, 2, vec![]).is_none());
    assert!(
        UnitRepeats::new(1, 1, vec![f64::INFINITY]).is_none() && Repeats::new(1, 1, 1, vec![f32::INFINITY]).is_none()
    );
    assert_eq!(Repeats::new(1, 2, 0, Vec::new()).map(|none| population_sparseness(&none)), Some(vec![None; 2]));
}

#[test]
fn a_median_comes_with_the_interval_that_its_population_gives() {
    let values: Vec<f64> = (0..400).map(|index| normal(23, index)).collect();
    let found = Median::of(&values, 5).expect("values");
    assert_eq!((found.n, Median::of(&values, 5)), (400, Some(found)));
    let (low, high) = found.interval.expect("many values");
    // The median of 400 normal values has a standard error of √(π / 2) / 20 = 0.063; the bootstrap gives it within a third.
    assert!(low < found.value && found.value < high, "{found:?}");
    assert!((high - low - 2.0 * 1.96 * 0.0627).abs() < 0.04, "{found:?}");
    assert_ne!(Median::of(&values, 6).expect("values").interval, found.interval, "another seed");
    assert_eq!(Median::of(&[4.0, 1.0], 0).map(|median| median.value), Some(2.5));
    assert_eq!(Median::of(&[3.0], 0), Some(Median { n: 1, value: 3.0, interval: None }));
    assert_eq!((Median::of(&[], 0), Median::of(&[1.0, NONE], 0)), (None, None));
}

#[test]
fn pairs_are_correlated_in_goes_and_only_what_was_shown_is_held() {
    // A movie of three frames shown five times, and one of four frames shown twice; five units.
    let (repeats, shown) = (5, [5, 5, 5, 2, 2, 2, 2]);
    let frames = shown.len();
    let values = |units: std::ops::Range<usize>| -> Vec<f32> {
        let place = |place: usize| (place / frames, place % frames);
        let value = |index: usize, unit: usize| match place(index) {
            (repeat, frame) if repeat >= shown[frame] => f32::NAN,
            // A value that was not measured though it was shown.
            (1, 4) if unit == 2 => f32::NAN,
            (_, frame) => (normal(3, frame) + normal(4 + unit as u64, index)) as f32,
        };
        (0..repeats * frames).flat_map(|index| units.clone().map(move |unit| value(index, unit))).collect()
    };
    let all = Repeats::new(repeats, frames, 5, values(0..5)).expect("so many values");
    let mut series = PairSeries::default();
    for units in [0..2, 2..3, 3..5] {
        series.add(&Repeats::new(repeats, frames, units.len(), values(units)).expect("so many values"), &shown);
    }
    // Of each unit 7 means and 23 deviations, not 35.
    assert_eq!(series.held(), 5 * (7 + 3 * 5 + 4 * 2));
    assert_eq!(series.signal_correlations(), signal_correlations(&all));
    assert_eq!(series.noise_correlations(), noise_correlations(&all));
}
