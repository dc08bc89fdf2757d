//! Selectivity and direction tuning against numbers known in closed form.

use twinscope::analysis::selectivity::{
    dsi, global_dsi, global_osi, osi, preferred_direction_deg, preferred_orientation_deg,
};
use twinscope::analysis::{Spacing, direction_tuning, parameter_tuning, surface_tuning};
use twinscope::signals::Responses;
use twinscope::stimulus::schedule::{Condition, Presentation, Schedule};
use twinscope::stimulus::{DriftingGrating, Stimulus};

fn circle(count: usize) -> Vec<f64> {
    (0..count).map(|index| 360.0 * index as f64 / count as f64).collect()
}

fn curve(directions: &[f64], rate: impl Fn(f64) -> f64) -> Vec<f32> {
    directions.iter().map(|direction| rate(direction.to_radians()) as f32).collect()
}

fn von_mises(kappa: f64, preferred_deg: f64) -> impl Fn(f64) -> f64 {
    move |x| (kappa * ((x - preferred_deg.to_radians()).cos() - 1.0)).exp()
}

/// Reference values have six decimals, and responses are f32.
fn near(what: &str, found: Option<f32>, expected: f64) {
    let found = found.unwrap_or_else(|| panic!("{what} is undefined, expected {expected}"));
    assert!((f64::from(found) - expected).abs() < 1.5e-6, "{what} is {found}, expected {expected}");
}

#[test]
fn von_mises_curves_have_the_selectivity_of_their_bessel_ratios() {
    for (kappa, samples, dsi, osi) in [
        (1.0, 16, 0.446_390, 0.107_220),
        (2.0, 16, 0.697_775, 0.302_225),
        (4.0, 16, 0.863_523, 0.568_239),
        (8.0, 16, 0.935_239, 0.766_210),
        // Eight samples alias.
        (8.0, 8, 0.952_273, 0.837_855),
    ] {
        let directions = circle(samples);
        let responses = curve(&directions, von_mises(kappa, 0.0));
        near(&format!("gDSI of k = {kappa}, {samples} samples"), global_dsi(&directions, &responses), dsi);
        near(&format!("gOSI of k = {kappa}, {samples} samples"), global_osi(&directions, &responses), osi);
    }
}

#[test]
fn a_second_peak_lowers_direction_selectivity_and_not_orientation_selectivity() {
    let directions = circle(16);
    let (there, back) = (von_mises(2.0, 0.0), von_mises(2.0, 180.0));
    let responses = curve(&directions, |x| 0.75 * there(x) + 0.25 * back(x));
    near("gDSI", global_dsi(&directions, &responses), 0.348_887);
    near("gOSI", global_osi(&directions, &responses), 0.302_225);
}

#[test]
fn indices_of_two_points_have_their_published_values() {
    let directions = circle(16);
    // phi = .75 at the preferred direction, k = 2: peaks .754579 and .263737, across .135335.
    let one = von_mises(2.0, 67.5);
    let other = von_mises(2.0, 247.5);
    let responses = curve(&directions, |degrees| 0.75 * one(degrees) + 0.25 * other(degrees));
    near("OSI", osi(&directions, &responses), 0.580_026);
    near("DSI", dsi(&directions, &responses), 0.482_014);
    // Gratings that stand still: one direction of each orientation.
    let half: Vec<f64> = directions[..8].to_vec();
    near("OSI of orientations", osi(&half, &[3.0_f32, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]), 0.5);
    assert_eq!(dsi(&half, &[3.0_f32, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]), None, "no opposite direction");
    assert_eq!(osi(&[0.0, 45.0], &[1.0_f32, 2.0]), None, "nothing across");
    assert_eq!(osi(&directions, &[0.0_f32; 16]), None, "a silent unit");
    assert_eq!(dsi(&directions, &[-1.0_f32; 16]), None, "negative responses");
    assert_eq!(dsi(&directions, &[1.0_f32; 15]), None, "a response is missing");
    near("DSI of a flat curve", dsi(&directions, &[1.0_f32; 16]), 0.0);
}

#[test]
fn the_preferred_orientation_is_that_of_both_directions() {
    let directions = circle(16);
    for preferred in [0.0, 22.5, 100.0, 179.0] {
        let (one, other) = (von_mises(2.0, preferred), von_mises(2.0, preferred + 180.0));
        let responses = curve(&directions, |degrees| one(degrees) + other(degrees));
        let found = preferred_orientation_deg(&directions, &responses).expect("tuned");
        let apart = (f64::from(found) - preferred).rem_euclid(180.0);
        assert!(apart.min(180.0 - apart) < 1e-3, "{found}, expected {preferred}");
        assert_eq!(preferred_direction_deg(&directions, &responses), None, "two equal peaks");
    }
    assert_eq!(preferred_orientation_deg(&directions, &[1.0_f32; 16]), None, "a flat curve");
}

#[test]
fn a_linear_gabor_unit_has_the_tuning_of_its_envelope() {
    let k = (std::f64::consts::TAU * 8.0 * 0.04).powi(2);
    assert!((k - 4.042_59).abs() < 1e-5, "k is {k}");
    let amplitude = |x: f64| (-k * (1.0 - x.cos())).exp() + (-k * (1.0 + x.cos())).exp();
    for (degrees, expected) in
        [(15.0, 0.871_403), (30.0, 0.582_164), (45.0, 0.306_950), (60.0, 0.134_768), (90.0, 0.035_093)]
    {
        let relative = amplitude(f64::to_radians(degrees)) / amplitude(0.0);
        assert!((relative - expected).abs() < 1e-6, "{relative} at {degrees} degrees, expected {expected}");
    }
    let directions = circle(72);
    // Even and odd unit squared and added: the product of the two terms cancels.
    let energy_at = |x: f64| (-2.0 * k * (1.0 - x.cos())).exp() + (-2.0 * k * (1.0 + x.cos())).exp();
    let half = energy_at(f64::to_radians(23.90)) / energy_at(0.0);
    assert!((half - 0.5).abs() < 1e-3, "{half} at the half width");
    let energy = curve(&directions, energy_at);
    near("gOSI of the energy unit", global_osi(&directions, &energy), 0.768_479);
    // Both directions of motion drive it alike.
    near("gDSI of the energy unit", global_dsi(&directions, &energy), 0.0);
    assert_eq!(preferred_direction_deg(&directions, &energy), None);
}

#[test]
fn a_turned_curve_prefers_the_turned_direction_and_is_as_selective() {
    let directions = circle(16);
    let upright = curve(&directions, von_mises(2.0, 0.0));
    for turn in [0.0, 22.5, 90.0, 181.3, 350.0] {
        let turned = curve(&directions, von_mises(2.0, turn));
        let preferred = preferred_direction_deg(&directions, &turned).expect("a peak has a direction");
        // Responses are f32.
        assert!((f64::from(preferred) - turn).abs() < 1e-4, "prefers {preferred}, turned by {turn}");
        let expected = global_dsi(&directions, &upright).expect("defined");
        near("gDSI", global_dsi(&directions, &turned), f64::from(expected));
    }
}

#[test]
fn what_is_undefined_is_none() {
    let directions = circle(8);
    assert_eq!(global_dsi(&directions, &[0.0; 8]), None, "a silent unit");
    assert_eq!(global_dsi(&directions, &[1.0; 7]), None, "a response is missing");
    assert_eq!(global_dsi(&directions, &[-1.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]), None, "a negative response");
    assert_eq!(global_osi(&directions, &[f32::NAN; 8]), None, "not a number");
    assert_eq!(global_dsi::<f32>(&[], &[]), None, "no directions");
    assert_eq!(global_dsi(&[0.0, 45.0, 90.0], &[1.0; 3]), None, "a flat curve over a quarter circle");
    assert_eq!(global_osi(&[0.0, 180.0], &[1.0; 2]), None, "a single orientation");
    assert_eq!(global_dsi(&[0.0, 180.0], &[1.0, 0.0]), Some(1.0), "two directions do balance");
    assert_eq!(preferred_direction_deg(&directions, &[1.0; 8]), None, "a flat curve");
    near("gDSI of a flat curve", global_dsi(&directions, &[1.0; 8]), 0.0);
}

/// Presentations of 4 frames with one grey frame after each, in this order of directions.
fn schedule(directions: &[Option<f64>], order: &[usize]) -> Schedule {
    let stimulus = Stimulus::DriftingGrating(DriftingGrating::default());
    let swept = |direction: Option<f64>| direction.map(|degrees| ("direction_deg".to_owned(), degrees));
    let conditions = directions
        .iter()
        .map(|&direction| Condition {
            swept: swept(direction).into_iter().collect(),
            ..Condition::from(stimulus.clone())
        })
        .collect();
    let presentations = order
        .iter()
        .enumerate()
        .map(|(index, &condition)| Presentation { condition, repeat: 0, onset_frame: 5 * index, frames: 4, seed: 0 })
        .collect();
    Schedule { conditions, presentations, frames: 5 * order.len() }
}

#[test]
fn the_mean_response_leaves_out_the_skip_and_the_grey() {
    let schedule = schedule(&[Some(0.0), Some(180.0)], &[1, 0, 0, 1]);
    // Per presentation: 9 during the skip, then the response, then 9 in the grey.
    let values = [2.0, 1.0, 3.0, 4.0].iter().flat_map(|&r| [9.0, r, r, r, 9.0]).collect();
    let responses = Responses::new(20, 1, 1, values).expect("20 values");
    let tuning = direction_tuning(&schedule, 1, &responses).expect("directions were shown");
    assert_eq!(tuning.directions_deg, [0.0, 180.0]);
    assert_eq!(tuning.presentations, [2, 2]);
    let unit = &tuning.units[0];
    assert_eq!(unit.mean, [2.0, 3.0]);
    // Standard deviation √2 of two values 1 and 3, or 2 and 4, over √2.
    assert_eq!(unit.sem, Some(vec![1.0, 1.0]));
    near("gDSI", unit.global_dsi, 0.2);
    assert_eq!(unit.preferred_direction_deg, Some(180.0));
}

#[test]
fn samples_side_by_side_are_further_presentations() {
    let schedule = schedule(&[Some(0.0)], &[0]);
    let responses = Responses::new(5, 2, 1, [1.0, 3.0].repeat(5)).expect("10 values");
    let tuning = direction_tuning(&schedule, 0, &responses).expect("a direction was shown");
    assert_eq!(tuning.presentations, [2]);
    assert_eq!((tuning.units[0].mean[0], tuning.units[0].sem.clone()), (2.0, Some(vec![1.0])));
}

#[test]
fn one_presentation_has_no_standard_error_and_equal_directions_are_one() {
    let schedule = schedule(&[Some(-90.0), Some(270.0), None], &[0, 1, 2]);
    let responses = Responses::new(15, 1, 1, vec![1.0; 15]).expect("15 values");
    let tuning = direction_tuning(&schedule, 0, &responses).expect("a direction was shown");
    assert_eq!((tuning.directions_deg, tuning.repeats), (vec![270.0], 2));
    let once = self::schedule(&[Some(0.0)], &[0]);
    let responses = Responses::new(5, 1, 1, vec![1.0; 5]).expect("5 values");
    assert_eq!(direction_tuning(&once, 0, &responses).expect("a direction was shown").units[0].sem, None);
}

#[test]
fn no_tuning_without_directions_or_without_frames() {
    let responses = Responses::new(5, 1, 1, vec![1.0; 5]).expect("5 values");
    assert_eq!(direction_tuning(&schedule(&[None], &[0]), 0, &responses), None, "no direction");
    assert_eq!(direction_tuning(&schedule(&[Some(0.0)], &[0]), 4, &responses), None, "all is skipped");
    assert_eq!(direction_tuning(&schedule(&[Some(0.0)], &[0, 0]), 0, &responses), None, "responses end early");
    assert_eq!(direction_tuning(&schedule(&[Some(0.0)], &[3]), 0, &responses), None, "no such condition");
}

/// Presentations of 2 frames of every combination of contrast and temporal frequency, twice; the response to each is
/// what `rate` says, plus 1 in the second repeat.
fn contrasts_and_frequencies(rate: impl Fn(f64, f64) -> f32) -> (Schedule, Responses) {
    let stimulus = Stimulus::DriftingGrating(DriftingGrating::default());
    let cells: Vec<(f64, f64)> = [0.8, 0.1, 0.2, 0.4].iter().flat_map(|&c| [1.0, 4.0].map(|f| (c, f))).collect();
    let conditions: Vec<Condition> = cells
        .iter()
        .map(|&(contrast, frequency)| Condition {
            swept: vec![("contrast".to_owned(), contrast), ("temporal_frequency_hz".to_owned(), frequency)],
            ..Condition::from(stimulus.clone())
        })
        .collect();
    let mut presentations = Vec::new();
    let mut values = Vec::new();
    for repeat in 0..2 {
        for (condition, &(contrast, frequency)) in cells.iter().enumerate() {
            presentations.push(Presentation { condition, repeat, onset_frame: values.len(), frames: 2, seed: 0 });
            values.extend([rate(contrast, frequency) + repeat as f32; 2]);
        }
    }
    let frames = values.len();
    (Schedule { conditions, presentations, frames }, Responses::new(frames, 1, 1, values).expect("as many values"))
}

#[test]
fn tuning_to_one_parameter_is_pooled_over_the_others() {
    let (schedule, responses) = contrasts_and_frequencies(|contrast, frequency| (10.0 * contrast + frequency) as f32);
    let tuning = parameter_tuning(&schedule, "contrast", 0, &responses).expect("contrast was swept");
    assert_eq!(tuning.values, [0.1, 0.2, 0.4, 0.8], "ascending");
    assert_eq!(tuning.presentations, [4; 4]);
    let unit = &tuning.units[0];
    for (mean, contrast) in unit.mean.iter().zip(&tuning.values) {
        // Frequencies 1 and 4 and repeats 0 and 1 average to 2.5 and 0.5; responses are f32.
        assert!((f64::from(*mean) - (10.0 * contrast + 3.0)).abs() < 1e-5, "{mean} at {contrast}");
    }
    // 1, 2, 4 and 5: standard deviation sqrt(10 / 3), over 2.
    let sem = unit.sem.as_ref().expect("four presentations");
    assert!((f64::from(sem[0]) - (10.0_f64 / 3.0).sqrt() / 2.0).abs() < 1e-5, "{}", sem[0]);
    assert_eq!(unit.preferred, Some(3));
    assert_eq!((tuning.field.label, tuning.spacing), ("Contrast", Spacing::Logarithmic));
    let other = parameter_tuning(&schedule, "temporal_frequency_hz", 0, &responses).expect("swept too");
    assert_eq!((other.values, other.presentations), (vec![1.0, 4.0], vec![8, 8]));
    assert_eq!(parameter_tuning(&schedule, "phase_deg", 0, &responses), None, "not swept");
    assert_eq!(parameter_tuning(&schedule, "contrast", 2, &responses), None, "all is skipped");
}

#[test]
fn a_flat_curve_prefers_nothing() {
    let (schedule, responses) = contrasts_and_frequencies(|_, _| 1.0);
    let tuning = parameter_tuning(&schedule, "contrast", 0, &responses).expect("contrast was swept");
    assert_eq!(tuning.units[0].preferred, None);
}

#[test]
fn blanks_and_other_parts_are_no_values() {
    let (mut schedule, responses) = contrasts_and_frequencies(|contrast, _| contrast as f32);
    for condition in &mut schedule.conditions[..2] {
        condition.swept.clear();
    }
    let tuning = parameter_tuning(&schedule, "contrast", 0, &responses).expect("contrast was swept");
    assert_eq!(tuning.values, [0.1, 0.2, 0.4]);
}

#[test]
fn values_in_equal_ratios_stand_on_a_logarithmic_axis() {
    for (values, expected) in [
        (&[0.01, 0.02, 0.04, 0.08][..], Spacing::Logarithmic),
        (&[0.025, 0.043, 0.091], Spacing::Logarithmic),
        (&[1.0, 2.0, 5.0, 10.0], Spacing::Logarithmic),
        (&[10.0, 20.0, 30.0, 40.0], Spacing::Linear),
        (&[1.0, 2.0, 3.0], Spacing::Linear),
        (&[0.0, 1.0, 2.0, 4.0], Spacing::Linear),
        (&[-4.0, -2.0, -1.0], Spacing::Linear),
        (&[1.0, 2.0], Spacing::Linear),
        (&[1.0, 1.1, 1.21], Spacing::Linear),
    ] {
        assert_eq!(Spacing::of(values), expected, "{values:?}");
    }
}

#[test]
fn two_parameters_make_a_surface() {
    let (schedule, responses) = contrasts_and_frequencies(|contrast, frequency| (10.0 * contrast * frequency) as f32);
    let keys = ["temporal_frequency_hz", "contrast"];
    let tuning = surface_tuning(&schedule, keys, 0, &responses).expect("both were swept");
    assert_eq!(tuning.axes[0].values, [1.0, 4.0]);
    assert_eq!(tuning.axes[1].values, [0.1, 0.2, 0.4, 0.8]);
    assert_eq!((tuning.axes[1].field.label, tuning.axes[1].spacing), ("Contrast", Spacing::Logarithmic));
    assert_eq!(tuning.presentations, [2; 8]);
    let unit = &tuning.units[0];
    for (row, frequency) in [1.0, 4.0].into_iter().enumerate() {
        for (column, contrast) in [0.1, 0.2, 0.4, 0.8].into_iter().enumerate() {
            let mean = unit.mean[tuning.index(row, column)].expect("shown");
            // Repeats add 0 and 1; responses are f32.
            assert!((f64::from(mean) - (10.0 * contrast * frequency + 0.5)).abs() < 1e-5, "{mean}");
        }
    }
    assert!(unit.sem.iter().all(|sem| sem.is_some_and(|sem| (sem - 0.5).abs() < 1e-5)), "{:?}", unit.sem);
    assert_eq!(unit.preferred, Some([1, 3]));
    let curve = parameter_tuning(&schedule, "contrast", 0, &responses).expect("contrast was swept");
    for (column, pooled) in curve.units[0].mean.iter().enumerate() {
        let [a, b] = [0, 1].map(|row| unit.mean[tuning.index(row, column)].expect("shown"));
        assert!((0.5 * (a + b) - pooled).abs() < 1e-5, "the curve is the mean of the surface's rows");
    }
    assert_eq!(surface_tuning(&schedule, ["contrast", "phase_deg"], 0, &responses), None, "one was not swept");
    assert_eq!(surface_tuning(&schedule, keys, 2, &responses), None, "all is skipped");
}

#[test]
fn a_product_of_curves_is_separable_and_tuning_to_a_ratio_is_not() {
    let share = |rate: fn(f64, f64) -> f64| {
        let (schedule, responses) =
            contrasts_and_frequencies(|contrast, frequency| rate(contrast, frequency) as f32 - 0.5);
        let tuning = surface_tuning(&schedule, ["contrast", "temporal_frequency_hz"], 0, &responses);
        tuning.expect("both were swept").separability(0).expect("all pairs were shown")
    };
    assert!(share(|contrast, frequency| 5.0 * contrast * frequency.sqrt()) > 1.0 - 1e-9);
    assert!(share(|contrast, frequency| f64::from(u8::from((contrast / frequency - 0.1).abs() < 1e-9))) < 0.6);
}

#[test]
fn pairs_that_were_not_shown_have_no_mean() {
    let (mut schedule, responses) = contrasts_and_frequencies(|contrast, frequency| (contrast * frequency) as f32);
    // The condition of contrast .8 at 4 Hz becomes a blank.
    schedule.conditions[1].swept.clear();
    let tuning =
        surface_tuning(&schedule, ["contrast", "temporal_frequency_hz"], 0, &responses).expect("both were swept");
    let missing = tuning.index(3, 1);
    assert_eq!((tuning.presentations[missing], tuning.units[0].mean[missing]), (0, None));
    assert_eq!(tuning.units[0].preferred, Some([2, 1]));
    assert_eq!(tuning.separability(0), None);
}
