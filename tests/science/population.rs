//! Components, pictures, order, decoding and geometry of populations.

use twinscope::analysis::population::{
    Decoder, Decoding, DecodingError, Dissimilarity, Pca, Rdm, ResponseTable, Umap, UmapError, compare,
    compare_by_permutation, decode, order_by, order_by_correlation, pca, umap,
};
use twinscope::analysis::statistics::{Chance, wilson_interval};

fn near(what: &str, found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{what} is {found}, expected {expected}");
}

fn table(observations: usize, units: usize, value: impl Fn(usize, usize) -> f64) -> ResponseTable {
    let values = (0..observations).flat_map(|o| (0..units).map(move |u| (o, u))).map(|(o, u)| value(o, u)).collect();
    ResponseTable::new(observations, units, values).expect("finite values")
}

/// Normal numbers, the same wherever they are asked for.
fn normal(seed: u64, observation: usize, unit: usize) -> f64 {
    Chance::new(seed, (observation * 10_000 + unit) as u32).normal()
}

fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn components_are_orthogonal_and_rebuild_the_table() {
    for (observations, units) in [(12, 5), (5, 12)] {
        let data = table(observations, units, |o, u| normal(1, o, u) + u as f64);
        let Pca { means, components, scores, variances, total_variance } = pca(&data, 20, 0).expect("it varies");
        assert_eq!(components.len(), 5.min(observations - 1), "as many as there are directions");
        for (a, first) in components.iter().enumerate() {
            for (b, second) in components.iter().enumerate() {
                near("product of components", product(first, second), f64::from(u8::from(a == b)), 1e-9);
            }
        }
        assert!(variances.is_sorted_by(|a, b| a >= b), "{variances:?}");
        near("explained", variances.iter().sum::<f64>(), total_variance, 1e-9);
        for o in 0..observations {
            for u in 0..units {
                let rebuilt: f64 = components.iter().zip(&scores).map(|(c, s)| c[u] * s[o]).sum();
                near("value", means[u] + rebuilt, data.row(o)[u], 1e-9);
            }
        }
    }
}

#[test]
fn the_first_component_is_the_direction_of_most_variance() {
    // Along (3, 4) / 5 with variance 25 / 2 times that of the pattern, and nothing across.
    let data = table(4, 2, |o, u| [3.0, 4.0][u] * [-1.0, 0.0, 0.0, 1.0][o]);
    let found = pca(&data, 2, 0).expect("it varies");
    assert_eq!(found.components.len(), 1, "nothing varies across");
    near("weight", found.components[0][0], 0.6, 1e-12);
    near("weight", found.components[0][1], 0.8, 1e-12);
    near("score", found.scores[0][3], 5.0, 1e-12);
    near("variance", found.variances[0], 50.0 / 3.0, 1e-12);
    assert!(pca(&table(3, 2, |_, u| u as f64), 1, 0).is_none(), "nothing varies");
    assert!(pca(&table(1, 2, |_, u| u as f64), 1, 0).is_none(), "one observation");
}

#[test]
fn components_of_large_tables_are_those_of_small_ones() {
    // 700 x 620: too large for all components. Three strong directions with known variances over noise.
    let strength = [30.0, 20.0, 12.0];
    let data = table(700, 620, |o, u| {
        let signal = (0..3).map(|k| {
            strength[k] * normal(10 + k as u64, o, 9999) * ((u + 1) as f64 * (k + 1) as f64 * 0.9).sin() / 310f64.sqrt()
        });
        signal.sum::<f64>() + 0.1 * normal(5, o, u)
    });
    let found = pca(&data, 3, 4).expect("it varies");
    let again = pca(&data, 3, 99).expect("it varies");
    for k in 0..3 {
        // The noise's largest variance is about .05; iteration leaves (.05 / 100)^12 of a difference.
        near("agreement of seeds", product(&found.components[k], &again.components[k]), 1.0, 1e-9);
        let sum: f64 = found.components[k]
            .iter()
            .zip((1..=620).map(|u| (f64::from(u) * (k + 1) as f64 * 0.9).sin() / 310f64.sqrt()))
            .map(|(a, b)| a * b)
            .sum();
        // 700 draws of three strengths mix the directions by up to a few percent.
        assert!(sum.abs() > 0.98, "component {k} has {sum} of its direction");
    }
}

/// Three clouds of twenty points in ten dimensions, ten standard deviations apart.
fn clouds() -> ResponseTable {
    table(60, 10, |o, u| normal(3, o, u) + if u == o % 3 { 14.0 } else { 0.0 })
}

/// Places of a picture of as many neighbours as are usual, on so many threads.
fn picture(table: &ResponseTable, seed: u64, threads: usize) -> Vec<[f64; 2]> {
    let threads = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    threads.install(|| umap(table, &Umap::of(table.observations(), seed))).expect("finite distances")
}

#[test]
fn a_picture_keeps_clouds_apart() {
    let places = picture(&clouds(), 1, 2);
    let apart = |a: usize, b: usize| (places[a][0] - places[b][0]).hypot(places[a][1] - places[b][1]);
    for point in 0..60 {
        let nearest =
            (0..60).filter(|&other| other != point).min_by(|&a, &b| apart(point, a).total_cmp(&apart(point, b)));
        assert_eq!(nearest.map(|other| other % 3), Some(point % 3), "the nearest point of {point}");
    }
}

#[test]
fn a_picture_repeats_on_any_number_of_threads() {
    // Clouds that are started one by one, and enough points in one that other starts differ with the threads.
    let one_cloud = table(300, 20, |o, u| normal(3, o, u));
    for table in [clouds(), one_cloud] {
        let places = picture(&table, u64::MAX, 1);
        assert_eq!(places, picture(&table, u64::MAX, 3), "three threads");
        assert_ne!(places, picture(&table, 1, 1), "another seed");
    }
}

#[test]
fn a_picture_needs_points_and_bears_equal_ones() {
    for (found, neighbours) in [(60, 60), (60, 1), (2, 2)] {
        let table = table(found, 3, |o, u| normal(3, o, u));
        let error = umap(&table, &Umap { neighbours, seed: 1 }).expect_err("neighbours do not fit");
        assert!(matches!(error, UmapError::Neighbours { found: n, .. } if n == found), "{error}");
    }
    let heaps = |apart: f64| table(40, 2, move |o, _| if o >= 20 { apart } else { 0.0 });
    assert!(matches!(umap(&heaps(1e200), &Umap::of(40, 1)), Err(UmapError::Distances)), "its square is infinite");
    let few = |points: usize| table(points, 4, |o, u| normal(3, o, u));
    let steady = table(50, 3, |o, u| if u == 1 { normal(3, o, u) } else { 7.0 });
    for table in [heaps(0.0), heaps(1.0), few(3), few(5), steady] {
        let places = picture(&table, 1, 2);
        assert_eq!(places.len(), table.observations());
        assert!(places.iter().flatten().all(|place| place.is_finite()), "{places:?}");
    }
}

#[test]
fn units_are_ordered_by_a_property_and_those_without_come_last() {
    assert_eq!(order_by(&[Some(3.0), None, Some(-1.0), Some(f64::NAN), Some(3.0)]), [2, 0, 4, 1, 3]);
}

#[test]
fn units_that_respond_alike_stand_together() {
    // Three groups in turn, with traces that differ between groups and hardly within; the last unit is constant.
    let data = table(40, 10, |o, u| {
        let trace = |k: usize| (o as f64 * (0.3 + 0.37 * k as f64)).sin();
        if u == 9 { 2.0 } else { 5.0 * trace(u % 3) * (1.0 + u as f64) + 0.01 * normal(8, o, u) }
    });
    let order = order_by_correlation(&data);
    let groups: Vec<usize> = order[..9].iter().map(|unit| unit % 3).collect();
    let changes = groups.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert_eq!(changes, 2, "{order:?}");
    assert_eq!(order[9], 9, "the constant unit");
    let mut sorted = order;
    sorted.sort_unstable();
    assert_eq!(sorted, (0..10).collect::<Vec<_>>());
    assert_eq!(order_by_correlation(&table(3, 1, |_, _| 1.0)), [0]);
}

/// Responses of units tuned to eight directions, with noise; twelve trials each.
fn tuned(units: usize, noise: f64) -> (ResponseTable, Vec<usize>) {
    let data = table(96, units, |o, u| {
        let apart = (o % 8) as f64 * std::f64::consts::FRAC_PI_4 - u as f64 * 2.4;
        1.0 + (2.0 * (apart.cos() - 1.0)).exp() + noise * normal(21, o, u)
    });
    (data, (0..96).map(|o| o % 8).collect())
}

#[test]
fn directions_are_decoded_from_tuned_units_and_not_from_shuffled_labels() {
    let how = Decoder { folds: 4, seed: 2 };
    for units in [20, 300] {
        let (data, labels) = tuned(units, 0.1);
        let found = decode(&data, &labels, &how).expect("eight classes");
        assert!(found.accuracy > 0.97, "{units} units: {}", found.accuracy);
        let circle: Vec<f64> = (0..8).map(|class| f64::from(class) * 45.0).collect();
        assert!(found.mean_error_deg(&circle) < 2.0);
        // None of 99 permutations reaches it.
        assert_eq!(found.p_value(99, 5), 0.01);
        let (low, high) = found.interval(0.95).expect("a level");
        assert!(low > 0.9 && low < found.accuracy && high >= found.accuracy && high <= 1.0, "{low} to {high}");
        assert_eq!(found, decode(&data, &labels, &how).expect("eight classes"), "the same seed");
        assert_eq!(found.confusion.iter().flatten().sum::<usize>(), 96);
        let mut shuffled = labels.clone();
        Chance::new(6, 0).shuffle(&mut shuffled);
        let guessed = decode(&data, &shuffled, &how).expect("eight classes");
        // Four standard errors of 96 guesses at 1/8.
        near("by chance", guessed.accuracy, guessed.chance, 4.0 * (0.125 * 0.875 / 96.0_f64).sqrt());
        // p is even under chance: below 0.005 once in 200 seeds.
        let p = guessed.p_value(999, 5);
        assert!(p > 0.005, "{p}");
        let (low, high) = guessed.interval(0.9999).expect("a level");
        assert!(low < guessed.chance && guessed.chance < high, "{low} to {high} at {}", guessed.accuracy);
        // 90 degrees on average, 4 x 52 / sqrt(96).
        near("error by chance", guessed.mean_error_deg(&circle), 90.0, 21.0);
    }
}

#[test]
fn accuracy_over_classes_of_different_sizes_is_beyond_chance_only_where_classes_are_told_apart() {
    // Ninety of one class and ten of another: who always says the first is right nine times of ten, and knows nothing.
    let labels: Vec<usize> = (0..100).map(|trial| usize::from(trial % 10 == 0)).collect();
    let decoding = |decoded: Vec<usize>| {
        let mut confusion = vec![vec![0; 2]; 2];
        labels.iter().zip(&decoded).for_each(|(&shown, &decoded)| confusion[shown][decoded] += 1);
        let right = |class: usize| confusion[class][class] as f64 / confusion[class].iter().sum::<usize>() as f64;
        let accuracy = 0.5 * (right(0) + right(1));
        Decoding { decoded, accuracy, confusion, chance: 0.5, folds: 5 }
    };
    let always_first = decoding(vec![0; 100]);
    assert_eq!((always_first.accuracy, always_first.p_value(200, 1)), (0.5, 1.0));
    let knowing = decoding(labels.clone());
    assert_eq!(knowing.p_value(199, 1), 1.0 / 200.0);
    // As sure as 4 / (1/90 + 1/10) = 36 observations: 1 / (1 + 1.96² / 36).
    near("low", knowing.interval(0.95).expect("a level").0, 0.90358, 1e-4);
    assert_eq!(knowing.interval(1.5), None);
}

#[test]
fn wilson_intervals_are_those_of_the_tables() {
    let (low, high) = wilson_interval(0.5, 10.0, 0.95).expect("a share");
    // Newcombe 1998: 0.2366 to 0.7634 for 5 of 10.
    near("low", low, 0.2366, 1e-4);
    near("high", high, 0.7634, 1e-4);
    near("low of none", wilson_interval(0.0, 10.0, 0.95).expect("a share").0, 0.0, 1e-12);
    for (share, count, level) in [(1.1, 10.0, 0.95), (f64::NAN, 10.0, 0.95), (0.5, 0.0, 0.95), (0.5, 10.0, 1.0)] {
        assert_eq!(wilson_interval(share, count, level), None, "{share} of {count} at {level}");
    }
}

#[test]
fn decoding_does_not_depend_on_the_scale_or_the_order_of_units() {
    let how = Decoder { folds: 3, seed: 2 };
    let (data, labels) = tuned(30, 0.6);
    let other = table(96, 30, |o, u| 7.0 + (1 + u) as f64 * data.row(o)[29 - u]);
    let (found, moved) = (decode(&data, &labels, &how), decode(&other, &labels, &how));
    let (found, moved) = (found.expect("eight classes"), moved.expect("eight classes"));
    assert!((0.3..0.99).contains(&found.accuracy), "neither trivial nor chance: {}", found.accuracy);
    assert_eq!(found.confusion, moved.confusion);
}

#[test]
fn few_units_and_many_are_decoded_by_the_same_formula() {
    // A copy of every unit many times over makes the table wide without telling anything new.
    let how = Decoder { folds: 3, seed: 2 };
    let (data, labels) = tuned(8, 0.5);
    let wide = table(96, 160, |o, u| data.row(o)[u % 8]);
    let [narrow, wide] = [&data, &wide].map(|data| decode(data, &labels, &how).expect("eight classes"));
    near("accuracy", wide.accuracy, narrow.accuracy, 0.06);
}

#[test]
fn what_cannot_be_decoded_is_said() {
    let how = Decoder { folds: 4, seed: 2 };
    let (data, labels) = tuned(5, 0.1);
    assert_eq!(decode(&data, &labels[1..], &how), Err(DecodingError::Labels { observations: 96, labels: 95 }));
    assert_eq!(decode(&data, &[0; 96], &how), Err(DecodingError::Classes(1)));
    let rare: Vec<usize> = (0..96).map(|o| usize::from(o < 3)).collect();
    assert_eq!(decode(&data, &rare, &how), Err(DecodingError::Folds { folds: 4, class: 1, found: 3 }));
    let wild: Vec<usize> = labels.iter().map(|label| if *label == 7 { usize::MAX } else { *label }).collect();
    assert!(matches!(decode(&data, &wild, &how), Err(DecodingError::Folds { .. })), "a gap in the numbers of classes");
    assert_eq!(decode(&table(96, 2, |_, _| 1.0), &labels, &how), Err(DecodingError::Constant));
    assert_eq!(
        decode(&data, &labels, &Decoder { folds: 1, seed: 0 }),
        Err(DecodingError::Folds { folds: 1, class: 0, found: 12 })
    );
}

#[test]
fn dissimilarities_of_patterns_are_those_of_their_formulas() {
    let patterns = table(3, 4, |o, u| [[1.0, 2.0, 3.0, 4.0], [2.0, 4.0, 6.0, 8.0], [4.0, 3.0, 2.0, 1.0]][o][u]);
    let rdm = Rdm::new(&patterns, Dissimilarity::Correlation).expect("three patterns");
    for (pair, expected) in [([0, 1], 0.0), ([0, 2], 2.0), ([1, 2], 2.0), ([2, 1], 2.0), ([1, 1], 0.0)] {
        near(&format!("{pair:?}"), rdm.at(pair[0], pair[1]), expected, 1e-12);
    }
    let rdm = Rdm::new(&patterns, Dissimilarity::Euclidean).expect("three patterns");
    near("distance", rdm.at(0, 1), (30.0 / 4.0_f64).sqrt(), 1e-12);
    assert!(Rdm::new(&table(3, 4, |_, _| 1.0), Dissimilarity::Correlation).is_none(), "no differences between units");
    let means = patterns.group_means(&[vec![0, 1], vec![2]]).expect("two groups");
    assert_eq!(means.row(0), [1.5, 3.0, 4.5, 6.0]);
    assert!(patterns.group_means(&[vec![]]).is_none());
}

#[test]
fn two_samples_of_units_tell_conditions_apart_alike() {
    let of = |from: usize| {
        let patterns = table(10, 60, |o, u| {
            let apart = o as f64 * 0.628 - (u + from) as f64 * 2.4;
            (2.0 * (apart.cos() - 1.0)).exp() + 0.05 * normal(31, o, u + from)
        });
        Rdm::new(&patterns, Dissimilarity::Correlation).expect("ten patterns")
    };
    let (first, second) = (of(0), of(60));
    let (r, p) = compare_by_permutation(&first, &second, 199, 1).expect("forty-five pairs");
    assert!(r > 0.9, "{r}");
    // A circle of ten can be turned and mirrored in twenty ways: few of 199 orders are among them.
    assert!(p <= 0.015, "{p}");
    near("with itself", compare(&first, &first).expect("forty-five pairs"), 1.0, 1e-12);
    let noise = Rdm::new(&table(10, 60, |o, u| normal(77, o, u)), Dissimilarity::Correlation).expect("ten patterns");
    let (_, p) = compare_by_permutation(&first, &noise, 199, 1).expect("forty-five pairs");
    assert!(p > 0.01, "{p}");
    let fewer = Rdm::new(&table(9, 60, |o, u| normal(77, o, u)), Dissimilarity::Correlation).expect("nine patterns");
    assert_eq!(compare(&first, &fewer), None);
}
