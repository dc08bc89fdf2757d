//! Preferred values with intervals over trials, and the trials themselves.

use twinscope::analysis::Trials;
use twinscope::analysis::population::{Decoder, decode};
use twinscope::analysis::preferred::{direction_confidence, drawn_direction_confidence, preferred_value};
use twinscope::analysis::selectivity::{dsi, global_dsi, global_osi, osi};
use twinscope::analysis::statistics::{Chance, Draws, Resampling, StatisticsError, bootstrap_within};
use twinscope::signals::Responses;
use twinscope::stimulus::schedule::{Condition, Presentation, Schedule};
use twinscope::stimulus::{DriftingGrating, Stimulus};

const DIRECTIONS: [f64; 8] = [0.0, 45.0, 90.0, 135.0, 180.0, 225.0, 270.0, 315.0];

/// Noisy trials of a unit that prefers a direction.
fn trials(preferred: f64, noise: f64, seed: u64) -> Vec<Vec<f64>> {
    let mut chance = Chance::new(seed, 0);
    DIRECTIONS
        .iter()
        .map(|direction| {
            let rate = 1.0 + 3.0 * (2.0 * ((direction - preferred).to_radians().cos() - 1.0)).exp();
            (0..10).map(|_| rate + noise * chance.normal()).collect()
        })
        .collect()
}

#[test]
fn the_interval_of_a_preferred_direction_goes_round_the_circle() {
    for preferred in [3.0, 180.0, 357.0] {
        let found = direction_confidence(&DIRECTIONS, &trials(preferred, 0.5, 4), &Resampling::seeded(1));
        let direction = found.direction.expect("tuned");
        let apart = (direction.estimate_deg - preferred + 180.0).rem_euclid(360.0) - 180.0;
        assert!(apart.abs() < 15.0, "{} for {preferred}", direction.estimate_deg);
        let (low, high) = direction.reach_deg;
        assert!(low < 0.0 && high > 0.0 && high - low < 40.0, "{direction:?}");
        assert!(direction.agreement > 0.98, "{direction:?}");
        for index in [found.global_dsi, found.osi, found.dsi] {
            let index = index.expect("tuned");
            assert!(index.low <= index.estimate && index.estimate <= index.high && index.low < index.high, "{index:?}");
        }
    }
}

#[test]
fn intervals_narrow_with_less_noise_and_repeat_under_a_seed() {
    let width = |noise: f64| {
        let found = direction_confidence(&DIRECTIONS, &trials(100.0, noise, 4), &Resampling::seeded(1));
        let (low, high) = found.direction.expect("tuned").reach_deg;
        high - low
    };
    // The spread of a mean is proportional to the noise.
    let ratio = width(0.8) / width(0.2);
    assert!((3.0..5.0).contains(&ratio), "{ratio}");
    let again = || direction_confidence(&DIRECTIONS, &trials(100.0, 0.5, 4), &Resampling::seeded(9));
    assert_eq!(again(), again());
}

#[test]
fn intervals_of_a_preferred_direction_cover_the_truth() {
    let covered = (0..100)
        .filter(|&run| {
            let how = Resampling { resamples: 300, ..Resampling::seeded(run) };
            let found = direction_confidence(&DIRECTIONS, &trials(200.0, 0.7, run), &how).direction.expect("tuned");
            let truth = 200.0 - found.estimate_deg;
            (found.reach_deg.0..=found.reach_deg.1).contains(&truth)
        })
        .count();
    // 95 of 100 less a few for ten trials; four standard errors are 9.
    assert!((82..=100).contains(&covered), "{covered} of 100");
}

#[test]
fn equal_peaks_have_an_orientation_and_hardly_a_direction() {
    let both: Vec<Vec<f64>> = (trials(45.0, 0.3, 1).iter().zip(trials(225.0, 0.3, 2)))
        .map(|(one, other)| one.iter().zip(other).map(|(a, b)| a + b).collect())
        .collect();
    let found = direction_confidence(&DIRECTIONS, &both, &Resampling::seeded(1));
    let (direction, orientation) = (found.direction.expect("noise leans"), found.orientation.expect("tuned"));
    assert!(orientation.agreement > 0.95 && (orientation.estimate_deg - 45.0).abs() < 8.0, "{orientation:?}");
    assert!(direction.agreement < orientation.agreement, "{direction:?}");
    let flat = direction_confidence(&DIRECTIONS, &vec![vec![1.0; 4]; 8], &Resampling::seeded(1));
    assert!(matches!(flat.direction, Err(StatisticsError::Undefined { .. })), "{flat:?}");
    let once = direction_confidence(&DIRECTIONS, &vec![vec![1.0]; 8], &Resampling::seeded(1));
    assert!(matches!(once.global_osi, Err(StatisticsError::TooFew { .. })), "{once:?}");
}

#[test]
fn intervals_from_shared_resamples_are_those_of_a_bootstrap_of_each_quantity_alone() {
    // Not as many trials of each direction.
    let uneven = |seed: u64| -> Vec<Vec<f64>> {
        let all = trials(30.0 * seed as f64, 0.9, seed);
        all.into_iter().enumerate().map(|(index, trials)| trials[..10 - index % 3].to_vec()).collect()
    };
    let counts: Vec<usize> = uneven(1).iter().map(Vec::len).collect();
    // The last is more than is kept of 73 trials: they are drawn again for each unit.
    for resamples in [1, 300, 60_000] {
        let how = Resampling { resamples, ..Resampling::seeded(3) };
        let draws = Draws::new(&counts, &how).expect("enough trials");
        for unit in if resamples > 300 { 1..2 } else { 1..5 } {
            let trials = uneven(unit);
            let found = drawn_direction_confidence(&DIRECTIONS, &trials, &draws);
            assert_eq!(found, direction_confidence(&DIRECTIONS, &trials, &how));
            let curve = |drawn: &[Vec<usize>]| -> Vec<f64> {
                let mean = |(trials, drawn): (&Vec<f64>, &Vec<usize>)| {
                    (drawn.iter().map(|&trial| trials[trial]).sum::<f64>() / drawn.len() as f64).max(0.0)
                };
                trials.iter().zip(drawn).map(mean).collect()
            };
            let alone = |index: fn(&[f64], &[f64]) -> Option<f32>| {
                bootstrap_within(&counts, |drawn| index(&DIRECTIONS, &curve(drawn)).map(f64::from), &how)
            };
            assert_eq!(found.global_osi, alone(global_osi), "unit {unit}, {resamples} resamples");
            assert_eq!(found.global_dsi, alone(global_dsi), "unit {unit}, {resamples} resamples");
            assert_eq!(found.osi, alone(osi), "unit {unit}, {resamples} resamples");
            assert_eq!(found.dsi, alone(dsi), "unit {unit}, {resamples} resamples");
        }
    }
}

#[test]
fn a_preferred_value_has_an_interval_of_values() {
    let values = [0.02, 0.04, 0.08, 0.16];
    let clear = vec![vec![1.0, 1.2, 0.9], vec![4.0, 4.1, 3.9], vec![2.0, 2.2, 1.9], vec![1.0, 1.1, 0.9]];
    let found = preferred_value(&values, &clear, &Resampling::seeded(1)).expect("tuned");
    assert_eq!((found.low, found.estimate, found.high), (0.04, 0.04, 0.04));
    let torn = vec![vec![1.0, 1.2, 0.9], vec![4.0, 2.0, 6.0], vec![3.5, 1.5, 6.5], vec![1.0, 1.1, 0.9]];
    let found = preferred_value(&values, &torn, &Resampling::seeded(1)).expect("tuned");
    assert!(found.low >= 0.04 && found.high == 0.08, "{found:?}");
    let flat = preferred_value(&values, &vec![vec![1.0; 3]; 4], &Resampling::seeded(1));
    assert!(matches!(flat, Err(StatisticsError::Undefined { .. })), "{flat:?}");
}

/// Four directions and a blank, five presentations each of three frames and one of grey between; two units that prefer 0
/// and 180.
fn recording() -> (Schedule, Responses) {
    let condition = |direction: f64| Condition {
        swept: vec![("direction_deg".to_owned(), direction)],
        ..Condition::from(Stimulus::DriftingGrating(DriftingGrating::default()))
    };
    let mut conditions: Vec<Condition> = [0.0, 90.0, -180.0, 270.0].map(condition).into();
    conditions.push(Condition { part: None, ..Condition::from(Stimulus::DriftingGrating(DriftingGrating::default())) });
    let (mut presentations, mut values) = (Vec::new(), Vec::new());
    for repeat in 0..5 {
        for condition in 0..5 {
            presentations.push(Presentation {
                condition,
                repeat,
                onset_frame: presentations.len() * 4,
                frames: 3,
                seed: 0,
            });
            let rate =
                |unit: usize| [2.0, 1.0, 0.5, 1.0, 0.0][if unit == 0 { condition } else { [2, 3, 0, 1, 4][condition] }];
            for frame in 0..4 {
                let on = f32::from(u8::from(frame < 3));
                values.extend([0, 1].map(|unit| on * (rate(unit) + 0.1 * repeat as f32)));
            }
        }
    }
    (Schedule { conditions, frames: 100, presentations }, Responses::new(100, 1, 2, values).expect("as many values"))
}

#[test]
fn trials_are_grouped_by_what_was_swept() {
    let (schedule, responses) = recording();
    let trials = Trials::new(&schedule, 1, &responses).expect("covered");
    assert_eq!((trials.responses.observations(), trials.responses.units()), (25, 2));
    let grouped = trials.grouped(&schedule, "direction_deg");
    assert_eq!(grouped.values, [0.0, 90.0, 180.0, 270.0], "on the circle, and without the blank");
    let unit = trials.unit(1, &grouped);
    // Responses are f32.
    assert!((unit[2][0] - 2.0).abs() < 1e-6 && (unit[2][4] - 2.4).abs() < 1e-6, "{unit:?}");
    let (table, labels) = trials.labelled(&grouped).expect("twenty trials");
    assert_eq!((table.observations(), &labels[..5]), (20, &[0, 1, 2, 3, 0][..]));
    let decoded = decode(&table, &labels, &Decoder { folds: 5, seed: 1 }).expect("four classes");
    // 90 and 270 are the same to both units.
    assert!((0.5..=0.8).contains(&decoded.accuracy), "{decoded:?}");
    assert!(Trials::new(&schedule, 3, &responses).is_none(), "all is skipped");
    assert!(trials.labelled(&trials.grouped(&schedule, "contrast")).is_none(), "not swept");
}
