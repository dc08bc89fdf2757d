//! Receptive-field maps, kernels and spatial selectivity.

use twinscope::analysis::fit::fit_gaussian_2d;
use twinscope::analysis::receptive_field::{
    Lit, Probes, ReverseCorrelation, block_means, masked_map, spatial_selectivity, square_map,
};
use twinscope::analysis::statistics::Chance;

fn near(what: &str, found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{what} is {found}, expected {expected}");
}

#[test]
fn spatial_selectivity_has_its_published_values() {
    let gaussian = |height: usize, width: usize, sigma: f64| -> Vec<f64> {
        let side = height.max(width) as f64;
        let place = |index: usize, count: usize| (index as f64 - 0.5 * (count - 1) as f64) / side;
        (0..height * width)
            .map(|pixel| {
                let (x, y) = (place(pixel % width, width), place(pixel / width, height));
                (-(x * x + y * y) / (2.0 * sigma * sigma)).exp()
            })
            .collect()
    };
    // The height of 144 of 256 cuts off what lies beyond 5.6 standard deviations.
    near("a Gaussian", spatial_selectivity(&gaussian(144, 256, 0.05), 144, 256).expect("a density"), 11.98293, 1e-4);
    near("a flat map", spatial_selectivity(&vec![3.0; 144 * 256], 144, 256).expect("a density"), 6.120605, 1e-6);
    let wide = spatial_selectivity(&gaussian(144, 256, 0.1), 144, 256).expect("a density");
    assert!((6.12..11.98).contains(&wide), "a wider field is less selective: {wide}");
    let mut negative = vec![1.0; 16];
    negative[3] = -0.1;
    assert_eq!(spatial_selectivity(&negative, 4, 4), None, "no density");
    assert_eq!(spatial_selectivity(&[0.0; 16], 4, 4), None, "nothing");
    assert_eq!(spatial_selectivity(&[1.0; 15], 4, 4), None, "another size");
    assert_eq!(spatial_selectivity(&[1.0; 8], 1, 8), None, "one line");
}

#[test]
fn a_map_is_the_mean_response_weighted_by_masks() {
    let masks = [vec![1.0, 0.5, 0.0], vec![0.0, 0.5, 0.0], vec![0.25, 0.0, 0.0]];
    let mut probes = Probes::new(vec![true, false, true], 2);
    for (probe, responses) in [(0, [2.0, 0.0]), (0, [4.0, 1.0]), (1, [10.0, 2.0]), (2, [8.0, 3.0])] {
        probes.add(probe, &responses).expect("two units");
    }
    assert_eq!(probes.add(3, &[0.0; 2]), None, "no such probe");
    assert_eq!(probes.add(0, &[0.0; 3]), None, "other units");
    assert_eq!((probes.mean(0, 0), probes.mean(0, 2), probes.shown()), (Some(3.0), None, &[2, 1, 1][..]));
    // On, pixel 0: (1 x 6 + .25 x 8) / (1 x 2 + .25 x 1).
    assert_eq!(masked_map(&masks, &probes, Lit::On, 0), [Some(8.0 / 2.25), Some(3.0), None]);
    assert_eq!(masked_map(&masks, &probes, Lit::Off, 0), [None, Some(10.0), None]);
    assert_eq!(masked_map(&masks, &probes, Lit::Both, 0), [Some(8.0 / 2.25), Some(8.0 / 1.5), None]);
    // The same responses shown twice as often are the same map.
    let mut twice = probes.clone();
    for (probe, responses) in [(0, [2.0, 0.0]), (0, [4.0, 1.0]), (1, [10.0, 2.0]), (2, [8.0, 3.0])] {
        twice.add(probe, &responses).expect("two units");
    }
    assert_eq!(masked_map(&masks, &twice, Lit::Both, 1), masked_map(&masks, &probes, Lit::Both, 1));
}

#[test]
fn squares_are_mapped_by_their_polarity() {
    let mut probes = Probes::new([true, false].repeat(2), 1);
    for (probe, response) in [(0, 1.0), (0, 3.0), (1, 8.0), (3, 5.0)] {
        probes.add(probe, &[response]).expect("one unit");
    }
    assert_eq!(square_map(&probes, Lit::On, 0), [Some(2.0), None]);
    assert_eq!(square_map(&probes, Lit::Off, 0), [Some(8.0), Some(5.0)]);
    assert_eq!(square_map(&probes, Lit::Both, 0), [Some(4.0), Some(5.0)]);
}

/// White noise of 8 x 6 squares and the responses of two linear units: one with a Gaussian field that answers two frames
/// later, half as much with the other sign after four; the other with a field that moves.
fn recorded(frames: usize) -> (ReverseCorrelation, Vec<f64>) {
    let field: Vec<f64> = (0..48)
        .map(|square| {
            let (x, y) = ((square % 8) as f64 - 5.0, (square / 8) as f64 - 2.0);
            (-(x * x + y * y) / 2.0).exp()
        })
        .collect();
    let mut found = ReverseCorrelation::new(48, 6, 2).expect("a kernel");
    let mut chance = Chance::new(17, 0);
    let mut shown: Vec<Vec<f64>> = Vec::new();
    for time in 0..frames {
        let frame: Vec<f64> = (0..48).map(|_| 128.0 + 40.0 * chance.normal()).collect();
        shown.push(frame);
        let drive = |delay: usize| -> f64 {
            let frame = if time >= delay { &shown[time - delay] } else { return 0.0 };
            field.iter().zip(frame).map(|(weight, grey)| weight * (grey - 128.0)).sum()
        };
        let moving: f64 = (0..5).map(|d| if time >= d { shown[time - d][8 + d] - 128.0 } else { 0.0 }).sum();
        let responses = [500.0 + drive(2) - 0.5 * drive(4) + 10.0 * chance.normal(), 500.0 + moving];
        found.push(&shown[time], &responses).expect("48 squares and two units");
    }
    (found, field)
}

#[test]
fn reverse_correlation_finds_the_filter_of_a_linear_unit() {
    let (found, field) = recorded(6000);
    let kernel = found.unit(0).expect("many frames");
    assert_eq!((kernel.delays(), kernel.frames, kernel.peak_delay()), (6, 5995, 2));
    let filter = kernel.linear_filter().expect("the stimulus varies");
    for (delay, factor) in [(0, 0.0), (1, 0.0), (2, 1.0), (3, 0.0), (4, -0.5), (5, 0.0)] {
        for (square, weight) in field.iter().enumerate() {
            // The response's standard deviation is about 90, the stimulus' 40: 90 / 40 / sqrt(6000) is .029; five of them.
            near(&format!("delay {delay}, square {square}"), filter[delay * 48 + square], factor * weight, 0.15);
        }
    }
    near("variance", kernel.stimulus_variance, 1600.0, 15.0);
    near("mean", kernel.mean_response, 500.0, 5.0);
    let z = kernel.z_scores().expect("both vary");
    let beside = z[..48].iter().map(|z| z * z).sum::<f64>() / 48.0;
    // The mean square of 48 standard normal scores: 1, give or take five times sqrt(2 / 48).
    near("scores where nothing is", beside, 1.0, 1.0);
    let average = kernel.spike_triggered_average().expect("responses above 0");
    near("average", average[2 * 48 + 21], kernel.covariance[2 * 48 + 21] / kernel.mean_response, 1e-12);
}

#[test]
fn frames_at_which_a_unit_was_not_measured_do_not_count_for_it() {
    let mut chance = Chance::new(11, 0);
    let [mut found, mut apart] = [2, 1].map(|units| ReverseCorrelation::new(3, 1, units).expect("pixels"));
    for frame in 0..200 {
        let pixels: Vec<f64> = (0..3).map(|pixel| 100.0 + 30.0 * chance.normal() + 5.0 * f64::from(pixel)).collect();
        let answer = 7.0 + 0.2 * pixels[1] + chance.normal();
        let is_measured = frame % 3 != 1;
        found.push(&pixels, &[if is_measured { answer } else { f64::NAN }, answer]).expect("three pixels, two units");
        if is_measured {
            apart.push(&pixels, &[answer]).expect("three pixels, one unit");
        }
    }
    let [some, all] = [0, 1].map(|unit| found.unit(unit).expect("many frames"));
    let alone = apart.unit(0).expect("many frames");
    assert_eq!((some.frames, all.frames), (alone.frames, 200));
    near("mean", some.mean_response, alone.mean_response, 1e-9);
    near("variance", some.response_variance, alone.response_variance, 1e-7);
    for (place, (here, there)) in some.covariance.iter().zip(&alone.covariance).enumerate() {
        // Sums of a hundred products of thousands, in f64.
        near(&format!("pixel {place}"), *here, *there, 1e-7);
    }
}

#[test]
fn a_field_that_stays_is_separable_and_one_that_moves_is_not() {
    let (found, field) = recorded(6000);
    let still = found.unit(0).and_then(|kernel| kernel.separated()).expect("a kernel");
    // Noise of .029 at each of 288 points is .24 in energy, against 1.25 x 3.1.
    assert!(still.share > 0.9, "{}", still.share);
    let length = field.iter().map(|weight| weight * weight).sum::<f64>().sqrt();
    let alike: f64 = still.map.iter().zip(&field).map(|(a, b)| a * b / length).sum();
    assert!(alike > 0.97, "the map is {alike} of the field");
    assert!(still.time_course[2] > 0.0, "excited after two frames");
    near("suppressed after four", still.time_course[4] / still.time_course[2], -0.5, 0.1);
    let moving = found.unit(1).and_then(|kernel| kernel.separated()).expect("a kernel");
    // Five places at five delays in turn: a fifth of the energy each.
    near("share of a moving field", moving.share, 0.2, 0.05);
    let places: Vec<[f64; 2]> = (0..48).map(|square| [f64::from(square % 8), -f64::from(square / 8)]).collect();
    let fit = fit_gaussian_2d(&places, &still.map).expect("a map");
    near("x", fit.curve.centre[0], 5.0, 0.15);
    near("y", fit.curve.centre[1], -2.0, 0.15);
}

#[test]
fn stretches_of_stimulus_do_not_run_into_one_another() {
    let mut found = ReverseCorrelation::new(1, 2, 1).expect("a kernel");
    for stretch in [[1.0, 2.0, 4.0], [8.0, 0.0, 3.0]] {
        found.start_over();
        stretch.iter().for_each(|&value| found.push(&[value], &[value]).expect("one of each"));
    }
    assert_eq!(found.unit(0).expect("four frames").frames, 4, "the first frame of each has no predecessor");
    assert!(found.unit(1).is_none());
    assert_eq!(found.push(&[1.0, 2.0], &[1.0]), None);
    assert!(ReverseCorrelation::new(usize::MAX, 2, 1).is_none());
    assert!(ReverseCorrelation::new(4, 0, 1).is_none());
}

#[test]
fn blocks_of_a_frame_keep_its_mean() {
    let frame: Vec<u8> = (0..24).collect();
    // 4 x 6 pixels in 2 x 3 blocks of 2 x 2.
    assert_eq!(block_means(&frame, [4, 6], [2, 3]), Some(vec![3.5, 5.5, 7.5, 15.5, 17.5, 19.5]));
    assert_eq!(block_means(&frame, [4, 6], [4, 6]), Some((0..24).map(f64::from).collect()));
    assert_eq!(block_means(&frame, [4, 6], [5, 6]), None);
    assert_eq!(block_means(&frame, [4, 7], [2, 3]), None);
    assert_eq!(block_means(&frame, [4, 6], [0, 3]), None);
}
