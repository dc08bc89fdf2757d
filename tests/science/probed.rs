//! Receptive fields from the stimuli that probe them.

use twinscope::analysis::fit::fit_gaussian_2d;
use twinscope::analysis::monet_tuning;
use twinscope::analysis::receptive_field::{
    CorrelationError, Lit, gaussian_dot_maps, reverse_correlate, sparse_noise_maps,
};
use twinscope::job::Progress;
use twinscope::signals::{FrameRate, FrameSource, Monitor, Raster, Responses};
use twinscope::stimulus::gaussian_dots::DotSequence;
use twinscope::stimulus::schedule::{Condition, Presentation, Schedule, ScheduleSource};
use twinscope::stimulus::sparse_noise::SparsePatterns;
use twinscope::stimulus::{FlashingGaussianDots, GaussianDot, Monet, SparseNoise, Stimulus, WhiteNoise};

/// Where the unit of these tests listens, degrees.
const FIELD: [f64; 2] = [18.0, -9.0];

/// How far a stimulus at a place drives the unit: a Gaussian of 10 degrees.
fn drive([x, y]: [f64; 2]) -> f64 {
    (-((x - FIELD[0]).powi(2) + (y - FIELD[1]).powi(2)) / 200.0).exp()
}

fn schedule(stimulus: impl Into<Stimulus>, frames: usize, seed: u64) -> Schedule {
    let presentations = vec![Presentation { condition: 0, repeat: 0, onset_frame: 5, frames, seed }];
    Schedule { conditions: vec![Condition::from(stimulus.into())], presentations, frames: frames + 20 }
}

/// Responses of a unit that answers to what `rate` says, two frames later.
fn responses(frames: usize, rate: impl Fn(usize) -> f64) -> Responses {
    let values = (0..frames + 20).map(|time| if time >= 7 && time < frames + 7 { rate(time - 7) as f32 } else { 9.0 });
    Responses::new(frames + 20, 1, 1, values.collect()).expect("as many values")
}

#[test]
fn flashing_dots_map_where_a_unit_listens_and_to_which_polarity() {
    let monitor = Monitor::WANG2025;
    let dots = FlashingGaussianDots { sigma_deg: 8.0, dot_secs: 0.1, ..FlashingGaussianDots::default() };
    let sequence = DotSequence::new(&dots, &monitor, 3).expect("possible");
    let frames = sequence.len() * sequence.frames_per_dot();
    let answers = responses(frames, |frame| {
        let dot = sequence.dot(frame);
        0.5 + if dot.white { drive([dot.x_deg, dot.y_deg]) } else { 0.0 }
    });
    let raster = Raster { height: 36, width: 64 };
    let maps = gaussian_dot_maps(&schedule(dots, frames, 3), &monitor, raster, 2, &answers).expect("dots were shown");
    assert_eq!((maps.raster(), maps.probes().len()), (raster, 210));
    assert!(maps.probes().shown().iter().all(|&shown| shown == 1), "each dot once");
    let [on, off] = [Lit::On, Lit::Off].map(|lit| -> Vec<f64> {
        maps.map(lit, 0).into_iter().map(|value| value.expect("dots cover the screen")).collect()
    });
    let fit = fit_gaussian_2d(&maps.places(), &on).expect("a map");
    // The dots lie some 8 degrees apart, and the edges of the grid pull a little.
    for (found, expected) in fit.curve.centre.iter().zip(FIELD) {
        assert!((found - expected).abs() < 3.0, "{:?}, expected {FIELD:?}", fit.curve.centre);
    }
    // The unit's own width, that of the dots and that of their masks: sqrt(100 + 64) and a little more.
    assert!((9.0..18.0).contains(&fit.curve.sigma[1]), "{:?}", fit.curve.sigma);
    assert!(off.iter().all(|value| (value - 0.5).abs() < 1e-6), "nothing but the baseline for black dots");
    let both = maps.map(Lit::Both, 0);
    assert!(
        both.iter()
            .zip(&on)
            .zip(&off)
            .all(|((both, on), off)| (both.expect("covered") - 0.5 * (on + off)).abs() < 1e-6)
    );
}

#[test]
fn single_dots_at_swept_places_are_mapped_too() {
    let monitor = Monitor::WANG2025;
    let (mut conditions, mut presentations, mut values) = (Vec::new(), Vec::new(), vec![9.0_f32; 5]);
    for (condition, [x_deg, y_deg]) in [[18.0, -9.0], [-18.0, 9.0], [18.0, 9.0]].into_iter().enumerate() {
        conditions.push(Condition::from(Stimulus::from(GaussianDot { x_deg, y_deg, sigma_deg: 6.0, contrast: -1.0 })));
        presentations.push(Presentation { condition, repeat: 0, onset_frame: values.len(), frames: 4, seed: 0 });
        values.extend([drive([x_deg, y_deg]) as f32; 4]);
        values.extend([9.0; 3]);
    }
    let schedule = Schedule { conditions, presentations, frames: values.len() };
    let answers = Responses::new(values.len(), 1, 1, values).expect("as many values");
    let raster = Raster { height: 18, width: 32 };
    let maps = gaussian_dot_maps(&schedule, &monitor, raster, 0, &answers).expect("dots were shown");
    let map = maps.map(Lit::Off, 0);
    let largest =
        (0..map.len()).max_by(|&a, &b| map[a].unwrap_or(-1.0).total_cmp(&map[b].unwrap_or(-1.0))).expect("pixels");
    let [x, y] = maps.places()[largest];
    assert!(x > 0.0 && y < 0.0, "{x}, {y}");
    assert!(maps.map(Lit::On, 0).iter().all(Option::is_none), "no white dot was shown");
    assert!(gaussian_dot_maps(&schedule, &monitor, raster, 100, &answers).is_none(), "after the end of the responses");
}

#[test]
fn sparse_noise_maps_where_a_unit_listens() {
    let monitor = Monitor::WANG2025;
    let noise = SparseNoise { square_deg: 10.0, refresh_hz: 10.0, density: 0.1, ..SparseNoise::default() };
    let patterns = SparsePatterns::new(&noise, &monitor, 8).expect("possible");
    let (rows, columns) = (patterns.rows(), patterns.columns());
    let listens = columns * (rows / 2) + 3;
    let frames = 3000;
    // White drives it, black stops it.
    let answers = responses(frames, |frame| 1.0 + f64::from(patterns.pattern(frame)[listens]));
    let maps = sparse_noise_maps(&schedule(noise, frames, 8), &monitor, 2, &answers).expect("noise was shown");
    assert_eq!(maps.shape(), [rows, columns]);
    for (lit, expected) in [(Lit::On, 2.0), (Lit::Off, 0.0)] {
        for (square, value) in maps.map(lit, 0).into_iter().enumerate() {
            let value = value.expect("a thousand patterns show every square");
            if square == listens {
                assert!((value - expected).abs() < 1e-6, "{lit:?}: {value}");
            } else {
                // Some fifty patterns each, of standard deviation .32: five standard errors.
                assert!((value - 1.0).abs() < 0.23, "{lit:?}, square {square}: {value}");
            }
        }
    }
    let blank = schedule(FlashingGaussianDots::default(), 10, 0);
    assert!(sparse_noise_maps(&blank, &monitor, 0, &answers).is_none(), "no sparse noise");
}

#[test]
fn white_noise_shows_the_square_and_the_delay_to_which_a_unit_listens() {
    let monitor = Monitor { raster: Raster { height: 18, width: 32 }, ..Monitor::WANG2025 };
    let noise = WhiteNoise { square_deg: 20.0, refresh_hz: 30.0, ..WhiteNoise::default() };
    let shown = schedule(noise, 2000, 4);
    let stretches: Vec<_> = shown.presentations.iter().map(Presentation::range).collect();
    let mut movie = ScheduleSource::new(shown, &monitor).expect("possible");
    let mut pixels = vec![0; 2020 * 18 * 32];
    movie.read(0, 2020, &mut pixels).expect("all frames");
    // The unit answers to one pixel, three frames later.
    let pixel = 5 * 32 + 20;
    let grey = |time: usize| f64::from(pixels[(time.saturating_sub(3)) * 18 * 32 + pixel]);
    let answers = Responses::new(2020, 1, 1, (0..2020).map(|time| grey(time) as f32).collect()).expect("one unit");
    let found =
        reverse_correlate(&mut movie, &stretches, [18, 32], 5, &answers, 0..1, &Progress::new()).expect("they fit");
    let kernel = found.unit(0).expect("many frames");
    assert_eq!((kernel.frames, kernel.peak_delay()), (1996, 3));
    let filter = kernel.linear_filter().expect("it varies");
    // The pixel's own square answers with 1; others by chance, five times 1 / sqrt(1996).
    assert!((filter[3 * 18 * 32 + pixel] - 1.0).abs() < 0.1, "{}", filter[3 * 18 * 32 + pixel]);
    assert!(kernel.at(1).iter().all(|value| value.abs() < 0.12 * kernel.stimulus_variance));
    let long = std::slice::from_ref(&(0..5000));
    assert!(matches!(
        reverse_correlate(&mut movie, long, [18, 32], 5, &answers, 0..1, &Progress::new()),
        Err(CorrelationError::Lengths { .. })
    ));
    for (grid, units) in [([19, 32], 0..1), ([0, 32], 0..1), ([18, 32], 0..2)] {
        let refused = reverse_correlate(&mut movie, &stretches, grid, 5, &answers, units, &Progress::new());
        assert!(matches!(refused, Err(CorrelationError::Kernel { .. })), "{grid:?}");
    }
}

#[test]
fn directional_noise_gives_the_tuning_of_its_windows() {
    let rate = FrameRate::WANG2025;
    let noise = Monet { directions: 8, period_secs: 0.5, ..Monet::default() };
    let frames = 3 * 8 * 15;
    let shown = schedule(noise.clone(), frames, 6);
    // A unit that prefers 90 degrees and answers to motion two frames later; between the windows it says other things.
    let tuned_to = |degrees: f64| (2.0 * ((degrees - 90.0).to_radians().cos() - 1.0)).exp();
    let answers = responses(frames, |frame| {
        let motion = noise.motion(rate, 6, frame);
        if motion.moving { tuned_to(motion.direction_deg) } else { 7.0 }
    });
    let tuning = monet_tuning(&shown, rate, 2, &answers).expect("noise was shown");
    assert_eq!(tuning.directions_deg, [0.0, 45.0, 90.0, 135.0, 180.0, 225.0, 270.0, 315.0]);
    assert_eq!(tuning.presentations, [3; 8], "each direction once in each of three trials");
    for (direction, mean) in tuning.directions_deg.iter().zip(&tuning.units[0].mean) {
        assert!((f64::from(*mean) - tuned_to(*direction)).abs() < 1e-6, "{mean} at {direction}");
    }
    let preferred = tuning.units[0].preferred_direction_deg.expect("tuned");
    assert!((preferred - 90.0).abs() < 1e-3, "{preferred}");
    // Cut in the middle of the second trial: its last window does not count.
    let tuning = monet_tuning(&schedule(noise, 8 * 15 + 7, 6), rate, 2, &answers).expect("noise was shown");
    assert_eq!(tuning.presentations, [1; 8]);
    assert!(monet_tuning(&schedule(SparseNoise::default(), 100, 0), rate, 0, &answers).is_none(), "no such noise");
}
