//! Simulated mice: what they do must be what their truth says.

use std::f64::consts::TAU;

use twinscope::analysis::direction_tuning;
use twinscope::data::simulated::{Area, CellKind, Mouse, Noise, Unit, behavior, distance_um, similarity, wiring};
use twinscope::job::Progress;
use twinscope::signals::{Behavior, FrameRate, FrameSource, Monitor, Movie, Raster, Responses, SourceError};
use twinscope::stimulus::{Condition, DriftingGrating, Presentation, Schedule, ScheduleSource, Screen, Stimulus};

const SMALL: Raster = Raster { height: 36, width: 64 };
const RATE: FrameRate = FrameRate::WANG2025;

fn monitor() -> Monitor {
    Monitor::WANG2025.with_raster(SMALL)
}

/// A movie by a formula.
struct Drawn<F> {
    screen: Screen,
    frames: usize,
    contrast: F,
}

/// A movie whose contrast, 0 grey and 1 white, is a function of frame and place in degrees.
fn drawn<F: Fn(usize, f64, f64) -> f64 + Send>(monitor: Monitor, frames: usize, contrast: F) -> Drawn<F> {
    Drawn { screen: Screen::new(&monitor), frames, contrast }
}

impl<F: Fn(usize, f64, f64) -> f64 + Send> FrameSource for Drawn<F> {
    fn raster(&self) -> Raster {
        self.screen.monitor().raster
    }
    fn frames(&self) -> usize {
        self.frames
    }
    fn samples(&self) -> usize {
        1
    }
    fn read(&mut self, start: usize, count: usize, pixels: &mut [u8]) -> Result<(), SourceError> {
        let size = self.raster().pixels();
        for (frame, picture) in (start..start + count).zip(pixels.chunks_exact_mut(size)) {
            for (pixel, place) in picture.iter_mut().zip(self.screen.places()) {
                let [x, y] = place.position.map(f64::from);
                *pixel = (128.0 + 127.0 * (self.contrast)(frame, x, y)).round().clamp(0.0, 255.0) as u8;
            }
        }
        Ok(())
    }
}

/// A mouse whose rates do not drift.
fn steady(seed: u64, units: usize) -> Mouse {
    Mouse::new(seed, units).with_drift(0.0)
}

fn watch(mouse: &Mouse, movie: &mut dyn FrameSource, behavior: &Behavior) -> Responses {
    let monitor = Monitor::WANG2025.with_raster(movie.raster());
    mouse.rates(&monitor, movie, behavior, &Progress::new()).expect("a movie for this monitor")
}

fn watch_still(mouse: &Mouse, movie: &mut dyn FrameSource) -> Responses {
    let still = Behavior::still(movie.frames(), 1);
    watch(mouse, movie, &still)
}

/// The same behaviour in every frame.
fn constant(frames: usize, gaze: [f32; 2], state: [f32; 2]) -> Behavior {
    Behavior::new(frames, 1, vec![gaze; frames], vec![state; frames]).expect("finite values")
}

/// Moving blobs of many sizes and speeds: a movie that drives every unit.
fn lively(monitor: Monitor, frames: usize) -> impl FrameSource {
    let contrast = |frame: usize, x: f64, y: f64| {
        let secs = frame as f64 / 30.0;
        let wave = |index: u32| {
            // Golden angle and ratio: directions, frequencies and phases that never repeat.
            let k = f64::from(index);
            let (sin, cos) = (2.399_963 * k).sin_cos();
            let spatial = 0.015 + 0.045 * (0.618_034 * k).fract();
            let temporal = 0.8 + 4.0 * (0.414_214 * k).fract();
            let fade = (TAU * (0.11 + 0.23 * (0.732_051 * k).fract()) * secs + k).sin();
            fade * (TAU * (spatial * (x * cos + y * sin) - temporal * secs) + 1.7 * k).cos()
        };
        0.2 * (0..12).map(wave).sum::<f64>()
    };
    drawn(monitor, frames, contrast)
}

fn median(mut values: Vec<f64>) -> f64 {
    assert!(!values.is_empty(), "a median of something");
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn correlation(a: impl Iterator<Item = f32>, b: impl Iterator<Item = f32>) -> f64 {
    let pairs: Vec<(f64, f64)> = a.zip(b).map(|(a, b)| (f64::from(a), f64::from(b))).collect();
    let n = pairs.len() as f64;
    let (ma, mb) = pairs.iter().fold((0.0, 0.0), |(sa, sb), (a, b)| (sa + a / n, sb + b / n));
    let sum = |f: &dyn Fn(f64, f64) -> f64| pairs.iter().map(|(a, b)| f(a - ma, b - mb)).sum::<f64>();
    sum(&|a, b| a * b) / (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt()
}

/// Degrees between two directions.
fn apart(a: f64, b: f64) -> f64 {
    ((a - b + 180.0).rem_euclid(360.0) - 180.0).abs()
}

/// Gratings in 16 directions, each for so many frames, with grey between them.
fn gratings(spatial: f64, temporal: f64, spherical: bool) -> Schedule {
    let (shown, grey) = (45, 12);
    let conditions: Vec<Condition> = (0..16)
        .map(|step| {
            let direction = 22.5 * f64::from(step);
            let stimulus = DriftingGrating {
                direction_deg: direction,
                spatial_frequency_cyc_per_deg: spatial,
                temporal_frequency_hz: temporal,
                spherical,
                ..Default::default()
            };
            Condition {
                swept: vec![("direction_deg".to_owned(), direction)],
                ..Condition::from(Stimulus::from(stimulus))
            }
        })
        .collect();
    let presentations = (0..16)
        .map(|condition| Presentation {
            condition,
            repeat: 0,
            onset_frame: grey + condition * (shown + grey),
            frames: shown,
            seed: 0,
        })
        .collect();
    Schedule { conditions, presentations, frames: grey + 16 * (shown + grey) }
}

/// Preferred direction by each unit's mean response, for gratings at the middle of what units prefer.
fn preferred(mouse: &Mouse, spherical: bool) -> Vec<(f64, f64)> {
    let schedule = gratings(0.035, 2.5, spherical);
    let mut movie = ScheduleSource::new(schedule.clone(), &monitor()).expect("gratings that can be shown");
    let responses = watch_still(mouse, &mut movie);
    let tuning = direction_tuning(&schedule, 15, &responses).expect("16 directions");
    let pair = |unit: &twinscope::analysis::UnitTuning| {
        (
            f64::from(unit.preferred_direction_deg.expect("a tuned unit")),
            f64::from(unit.global_dsi.expect("a response")),
        )
    };
    tuning.units.iter().map(pair).collect()
}

#[test]
fn direction_tuning_peaks_at_the_true_direction() {
    let mouse = steady(1, 160);
    for (spherical, within) in [(true, 1.5), (false, 4.0)] {
        let measured = preferred(&mouse, spherical);
        let errors: Vec<f64> = mouse
            .units()
            .iter()
            .zip(&measured)
            .filter(|(unit, _)| unit.is_direction_selective())
            .map(|(unit, (direction, _))| apart(*direction, unit.direction_deg))
            .collect();
        let (count, flips) = (errors.len(), errors.iter().filter(|&&error| error > 90.0).count());
        let error = median(errors);
        println!("spherical {spherical}: median error {error:.2} deg over {count} units, {flips} flips");
        // In degrees a spherical grating is straight; stripes that are straight on the flat screen bend, most at its
        // border. Sixteen directions alone would be good to about a degree.
        assert!(error < within, "median error {error} degrees, spherical {spherical}");
        assert_eq!(flips, 0, "no unit may prefer the opposite of its true direction");
        assert!(count > 60, "{count} of 160 units are direction-selective");
    }
}

#[test]
fn direction_selectivity_is_as_true() {
    let mouse = steady(1, 160);
    let measured = preferred(&mouse, true);
    let of = |selective: bool| {
        let units = mouse.units().iter().zip(&measured);
        median(units.filter(|(u, _)| u.is_direction_selective() == selective).map(|(_, m)| m.1).collect())
    };
    println!("gDSI: selective {:.3}, others {:.3}", of(true), of(false));
    assert!(of(true) > 2.0 * of(false), "gDSI {} of selective units, {} of others", of(true), of(false));
}

#[test]
fn simple_units_follow_the_phase_and_complex_ones_do_not() {
    let mouse = steady(2, 30);
    let mut ratios = [Vec::new(), Vec::new()];
    for (number, unit) in mouse.units().iter().enumerate() {
        // Two seconds of the unit's own grating at 2.5 Hz, after one to settle: five whole cycles.
        let (sin, cos) = unit.direction_deg.to_radians().sin_cos();
        let spatial = unit.spatial_frequency_cyc_per_deg;
        let contrast =
            |frame: usize, x: f64, y: f64| (TAU * (spatial * (x * cos + y * sin) - 2.5 * frame as f64 / 30.0)).cos();
        let responses = watch_still(&mouse, &mut drawn(monitor(), 90, contrast));
        let (mut mean, mut c, mut s) = (0.0, 0.0, 0.0);
        for (frame, rate) in responses.trace(0, number).enumerate().skip(30) {
            let (sin, cos) = (TAU * 2.5 * frame as f64 / 30.0).sin_cos();
            (mean, c, s) = (mean + f64::from(rate), c + f64::from(rate) * cos, s + f64::from(rate) * sin);
        }
        // Amplitude of the modulation at the grating's frequency, over the mean.
        ratios[usize::from(unit.kind == CellKind::Complex)].push(2.0 * c.hypot(s) / mean);
    }
    let [simple, complex] = ratios.map(median);
    println!("F1/F0: simple {simple:.2}, complex {complex:.2}");
    // The border between the kinds is 1 (Skottun et al. 1991); a half-squared sine has 1.7.
    assert!(simple > 1.3, "simple cells are modulated: {simple}");
    assert!(complex < 0.3, "complex cells are not: {complex}");
}

/// Receptive-field centre by flashing dots: white and black, one at a time, on a grid of 6 degrees.
fn centres(mouse: &Mouse, gaze: [f32; 2]) -> Vec<[f64; 2]> {
    const FRAMES: usize = 8;
    let places: Vec<[f64; 2]> =
        (-4..=4).flat_map(|row| (-8..=8).map(move |column| [7.0 * f64::from(column), 7.0 * f64::from(row)])).collect();
    let order = places.clone();
    let contrast = move |frame: usize, x: f64, y: f64| {
        // Neighbours in time are far apart, so that dots do not seem to move.
        let shown = frame / FRAMES;
        let [cx, cy] = order[(shown / 2 * 58) % order.len()];
        let dot = (-((x - cx).powi(2) + (y - cy).powi(2)) / (2.0 * 6.0 * 6.0)).exp();
        if shown.is_multiple_of(2) { dot } else { -dot }
    };
    let frames = 2 * FRAMES * places.len();
    let responses = watch(mouse, &mut drawn(monitor(), frames, contrast), &constant(frames, gaze, [0.0; 2]));
    (0..mouse.units().len())
        .map(|unit| {
            let trace: Vec<f32> = responses.trace(0, unit).collect();
            let mut map = vec![0.0f64; places.len()];
            for shown in 0..2 * places.len() {
                // Responses lag by about 0.1 s.
                let window = shown * FRAMES + 3..((shown + 1) * FRAMES + 3).min(frames);
                map[(shown / 2 * 58) % places.len()] += trace[window].iter().map(|&rate| f64::from(rate)).sum::<f64>();
            }
            // Centre of mass of what is above half the height.
            let (least, most) = map.iter().fold((f64::MAX, f64::MIN), |(a, b), &v| (a.min(v), b.max(v)));
            let half = least + 0.4 * (most - least);
            let weights = || map.iter().map(|v| (v - half).max(0.0));
            let sum: f64 = weights().sum();
            std::array::from_fn(|axis| weights().zip(&places).map(|(w, place)| w * place[axis]).sum::<f64>() / sum)
        })
        .collect()
}

/// Units whose receptive field lies well within the screen.
fn is_central(unit: &Unit) -> bool {
    unit.centre_deg[0].abs() < 30.0 && unit.centre_deg[1].abs() < 16.0
}

#[test]
fn flashing_dots_find_the_receptive_field() {
    let mouse = steady(3, 80);
    let found = centres(&mouse, [0.0; 2]);
    let errors: Vec<f64> = mouse
        .units()
        .iter()
        .zip(&found)
        .filter(|(unit, _)| is_central(unit))
        .map(|(unit, [x, y])| (x - unit.centre_deg[0]).hypot(y - unit.centre_deg[1]))
        .collect();
    let (count, error) = (errors.len(), median(errors));
    println!("receptive fields: median error {error:.2} deg over {count} units");
    // Half the distance between dots is 3.5; simple cells have their lobes beside the centre.
    assert!(error < 4.0, "median error {error} degrees");
}

#[test]
fn gaze_moves_the_receptive_field() {
    let mouse = steady(3, 80);
    let [ahead, aside] = [[0.0, 0.0], [1.5, -1.0]].map(|gaze| centres(&mouse, gaze));
    let expected = [1.5 * mouse.gaze_deg()[0], -mouse.gaze_deg()[1]];
    for axis in 0..2 {
        let moved = mouse.units().iter().zip(ahead.iter().zip(&aside)).filter(|(unit, _)| is_central(unit));
        let moved = median(moved.map(|(_, (ahead, aside))| aside[axis] - ahead[axis]).collect());
        println!("axis {axis}: moved {moved:.2} deg, expected {:.2}", expected[axis]);
        // A map of dots 7 degrees apart is good to a fraction of that.
        assert!((moved - expected[axis]).abs() < 1.2, "axis {axis}: moved {moved}, expected {}", expected[axis]);
    }
}

#[test]
fn running_and_a_wide_pupil_raise_responses_as_true() {
    let mouse = steady(4, 40);
    let watched = |state| watch(&mouse, &mut lively(monitor(), 60), &constant(60, [0.0; 2], state));
    // Velocities of rest and of full speed, as z-scores.
    let (rest, run, wide) = (watched([0.0, -0.4 / 0.454]), watched([0.0, 0.6 / 0.454]), watched([1.0, -0.4 / 0.454]));
    for (number, unit) in mouse.units().iter().enumerate() {
        for (what, with, expected) in [("running", &run, 1.0 + unit.run_gain), ("pupil", &wide, unit.pupil_gain.exp())]
        {
            let ratio = f64::from(with.row(59, 0)[number] / rest.row(59, 0)[number]);
            assert!((ratio / expected - 1.0).abs() < 1e-4, "{what}, unit {number}: {ratio}, expected {expected}");
        }
    }
}

#[test]
fn a_mouse_sees_degrees_not_pixels() {
    let mouse = steady(5, 100);
    let [small, large] = [SMALL, Raster::WANG2025].map(|raster| {
        let monitor = Monitor::WANG2025.with_raster(raster);
        let behavior = behavior(8, 80, RATE);
        watch(&mouse, &mut lively(monitor, 80), &behavior)
    });
    let alike: Vec<f64> =
        (0..100).map(|unit| correlation(small.trace(0, unit).skip(10), large.trace(0, unit).skip(10))).collect();
    let level = |r: &Responses, unit: usize| r.trace(0, unit).map(f64::from).sum::<f64>();
    let scale = median((0..100).map(|unit| level(&small, unit) / level(&large, unit)).collect());
    let least = alike.iter().copied().fold(1.0, f64::min);
    println!("36x64 against 144x256: median r {:.4}, least {least:.4}, scale {scale:.3}", median(alike.clone()));
    // A pixel of the small raster is 3.4 degrees, a fifth of the finest period.
    assert!(median(alike) > 0.995);
    assert!(least > 0.95, "least correlation {least}");
    assert!((scale - 1.0).abs() < 0.05, "scale {scale}");
}

#[test]
fn a_unit_does_not_depend_on_how_many_there_are() {
    let (few, many) = (steady(6, 7), steady(6, 31));
    assert_eq!(few.units(), &many.units()[..7]);
    let [few, many] = [few, many].map(|mouse| watch_still(&mouse, &mut lively(monitor(), 40)));
    for (a, b) in few.row(39, 0).iter().zip(many.row(39, 0)) {
        // Products of other shapes add in another order.
        assert!((a - b).abs() < 1e-4 * b.abs(), "{a} among few, {b} among many");
    }
    assert_ne!(Mouse::new(7, 7).units(), Mouse::new(6, 7).units());
}

#[test]
fn the_rates_of_a_movie_do_not_depend_on_its_neighbours_in_the_batch() {
    let mouse = steady(6, 9);
    let frames = 70;
    let mut one = vec![0; frames * SMALL.pixels()];
    lively(monitor(), frames).read(0, frames, &mut one).expect("a drawn movie");
    let grey = vec![128; SMALL.pixels()];
    let both = one.chunks(SMALL.pixels()).flat_map(|frame| [frame, &grey].concat()).collect();
    let mut both = Movie::new(SMALL, frames, 2, both).expect("two samples");
    let (alone, both) = (watch_still(&mouse, &mut lively(monitor(), frames)), watch_still(&mouse, &mut both));
    for unit in 0..9 {
        assert!(alone.trace(0, unit).eq(both.trace(0, unit)), "unit {unit}");
        assert!(both.trace(1, unit).all(|rate| rate == both.row(0, 1)[unit]), "grey gives unit {unit} a constant rate");
    }
}

#[test]
fn after_calibration_the_mean_rate_is_one() {
    let mut mouse = Mouse::new(8, 20);
    let still = Behavior::still(90, 1);
    let progress = Progress::new();
    mouse.calibrate(&monitor(), &mut lively(monitor(), 90), &still, &progress).expect("a movie");
    let rates = watch_still(&mouse, &mut lively(monitor(), 90));
    for unit in 0..20 {
        let mean = rates.trace(0, unit).map(f64::from).sum::<f64>() / 90.0;
        assert!((mean - 1.0).abs() < 1e-4, "unit {unit}: {mean}");
    }
}

#[test]
fn slow_drift_is_slow_and_of_the_size_that_was_set() {
    let mouse = Mouse::new(9, 50).with_drift(0.2);
    let grey = || Movie::new(SMALL, 2, 1, vec![128; 2 * SMALL.pixels()]).expect("two grey frames");
    let monitor = monitor();
    let mut watching = mouse.watch(&monitor);
    let mut at = |frame: u64| -> Vec<f64> {
        let rates = watching.rates(&mut grey(), &Behavior::still(2, 1), frame, &Progress::new()).expect("grey");
        let baselines = mouse.units().iter().map(|unit| unit.baseline * (1.0 + 0.4 * unit.run_gain));
        rates.row(0, 0).iter().zip(baselines).map(|(&rate, baseline)| (f64::from(rate) / baseline).ln()).collect()
    };
    let minutes: Vec<Vec<f64>> = (0..40).map(|minute| at(minute * 1800)).collect();
    let all: Vec<f64> = minutes.concat();
    let deviation = (all.iter().map(|z| z * z).sum::<f64>() / all.len() as f64).sqrt();
    // 2000 values: the standard error is 1.6 %.
    assert!((deviation - 0.2).abs() < 0.02, "standard deviation {deviation}");
    let next: Vec<f64> = at(30);
    let step = next.iter().zip(&minutes[0]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(step < 0.01, "one second changes the rate by {step}");
}

#[test]
fn areas_differ_as_stated() {
    let mouse = Mouse::new(10, 2000);
    let of = |area: Area, value: fn(&Unit) -> f64| {
        median(mouse.units().iter().filter(|unit| unit.area == area).map(value).collect())
    };
    let speed: fn(&Unit) -> f64 = Unit::speed_deg_per_sec;
    let spatial: fn(&Unit) -> f64 = |unit| unit.spatial_frequency_cyc_per_deg;
    let temporal: fn(&Unit) -> f64 = |unit| unit.temporal_frequency_hz;
    let size: fn(&Unit) -> f64 = |unit| unit.sigma_deg;
    for area in Area::ALL {
        let n = mouse.units().iter().filter(|unit| unit.area == area).count();
        println!(
            "{}: {n} units, {:.4} cyc/deg, {:.2} Hz, {:.0} deg/s, sigma {:.1} deg",
            area.name(),
            of(area, spatial),
            of(area, temporal),
            of(area, speed),
            of(area, size)
        );
    }
    for fast in [Area::AL, Area::RL] {
        assert!(of(fast, speed) > 1.5 * of(Area::V1, speed), "{} is faster than V1", fast.name());
        assert!(of(fast, spatial) < of(Area::LM, spatial) && of(Area::LM, spatial) < of(Area::V1, spatial));
        assert!(of(fast, temporal) > of(Area::LM, temporal));
        assert!(of(fast, size) > of(Area::V1, size));
    }
    let v1 = mouse.units().iter().filter(|unit| unit.area == Area::V1).count();
    assert!((900..1100).contains(&v1), "{v1} of 2000 units in V1, expected half");
}

#[test]
fn a_large_grating_suppresses_below_the_best_size() {
    // Centre and surround: response to the unit's own grating in discs of growing radius.
    let mouse = steady(11, 30);
    let mut suppressed = Vec::new();
    for (number, unit) in mouse.units().iter().enumerate().filter(|(_, unit)| is_central(unit)) {
        let (sin, cos) = unit.direction_deg.to_radians().sin_cos();
        let [cx, cy] = unit.centre_deg;
        let (spatial, temporal) = (unit.spatial_frequency_cyc_per_deg, unit.temporal_frequency_hz);
        let response = |radius: f64| {
            let contrast = |frame: usize, x: f64, y: f64| {
                let inside = (x - cx).hypot(y - cy) < radius;
                let phase = spatial * (x * cos + y * sin) - temporal * frame as f64 / 30.0;
                if inside { (TAU * phase).cos() } else { 0.0 }
            };
            let responses = watch_still(&mouse, &mut drawn(monitor(), 60, contrast));
            responses.trace(0, number).skip(20).map(f64::from).sum::<f64>()
        };
        let sizes: Vec<f64> = [8.0, 14.0, 20.0, 30.0, 90.0].map(response).to_vec();
        let best = sizes.iter().copied().fold(0.0, f64::max);
        suppressed.push(1.0 - sizes[4] / best);
    }
    let index = median(suppressed);
    println!("suppression index: median {index:.2}");
    assert!((0.05..0.8).contains(&index), "median suppression index {index}");
}

#[test]
fn behaviour_is_z_scored_in_the_long_run_and_runs_in_bouts() {
    let frames = 3600 * 30;
    let behavior = behavior(12, frames, RATE);
    let trace = |pick: &dyn Fn(usize) -> f32| -> Vec<f64> { (0..frames).map(|t| f64::from(pick(t))).collect() };
    let traces = [
        ("pupil x", trace(&|t| behavior.gaze(t)[0][0])),
        ("pupil y", trace(&|t| behavior.gaze(t)[0][1])),
        ("pupil radius", trace(&|t| behavior.state(t)[0][0])),
        ("velocity", trace(&|t| behavior.state(t)[0][1])),
    ];
    for (name, values) in &traces {
        let mean = values.iter().sum::<f64>() / frames as f64;
        let deviation = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / frames as f64).sqrt();
        println!("{name}: mean {mean:.3}, standard deviation {deviation:.3}");
        // 360 bouts and 4300 fixations: the standard errors of the means are 0.02 to 0.04.
        assert!(mean.abs() < 0.12 && (deviation - 1.0).abs() < 0.08, "{name}: mean {mean}, deviation {deviation}");
    }
    let running = traces[3].1.iter().filter(|&&v| v > 0.24).count() as f64 / frames as f64;
    assert!((running - 0.4).abs() < 0.05, "runs {running} of the time, expected 0.4");
    let jumps = traces[0].1.windows(2).filter(|pair| (pair[1] - pair[0]).abs() > 0.3).count();
    let per_sec = jumps as f64 / (frames as f64 / 30.0);
    // Of 1.2 saccades a second some are too small to be counted.
    assert!((0.7..1.2).contains(&per_sec), "{per_sec} saccades a second");
}

/// A rate that rises and falls between 0.2 and 1.8, for two units.
fn waves(frames: usize) -> Responses {
    let values = (0..frames)
        .flat_map(|frame| {
            let phase = TAU * frame as f64 / 47.0;
            [1.0 + 0.8 * phase.sin(), 1.0 + 0.3 * phase.cos()].map(|rate| rate as f32)
        })
        .collect();
    Responses::new(frames, 1, 2, values).expect("two units")
}

#[test]
fn poisson_counts_have_a_fano_factor_of_one() {
    for (counts, rate) in [(1.0, 1.0f32), (0.3, 0.4), (40.0, 2.0)] {
        let frames = 20_000;
        let rates = Responses::new(frames, 1, 1, vec![rate; frames]).expect("one unit");
        let noisy = Noise::Poisson { counts_per_frame: counts }.record(&rates, RATE, &[1.0], 13);
        let spikes: Vec<f64> = noisy.values().iter().map(|&value| f64::from(value) * counts).collect();
        assert!(spikes.iter().all(|count| (count - count.round()).abs() < 1e-3), "whole counts");
        let mean = spikes.iter().sum::<f64>() / frames as f64;
        let variance = spikes.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / (frames as f64 - 1.0);
        let expected = f64::from(rate) * counts;
        // Five standard errors of the mean and of the ratio, sqrt(2 / n) for counts that are not too rare.
        assert!((mean - expected).abs() < 5.0 * (expected / frames as f64).sqrt(), "mean {mean}, expected {expected}");
        assert!((variance / mean - 1.0).abs() < 0.1, "Fano factor {} at a mean of {mean}", variance / mean);
    }
}

#[test]
fn calcium_has_the_signal_to_noise_ratio_that_was_set() {
    let frames = 47 * 400;
    let noise = Noise::Calcium { decay_secs: 0.4, signal_to_noise: 2.0 };
    let signal = noise.signal(&waves(frames), RATE);
    let variance = |values: Vec<f64>| {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64
    };
    let of_signal = [0, 1].map(|unit| variance(signal.trace(0, unit).map(f64::from).collect()) as f32);
    let noisy = noise.record(&waves(frames), RATE, &of_signal, 14);
    for (unit, &of_signal) in of_signal.iter().enumerate() {
        let rest = noisy.trace(0, unit).zip(signal.trace(0, unit)).map(|(a, b)| f64::from(a - b)).collect();
        let ratio = f64::from(of_signal) / variance(rest);
        // 18,800 samples: the standard error of a variance is 1 %.
        assert!((ratio / 2.0 - 1.0).abs() < 0.05, "unit {unit}: signal to noise {ratio}, expected 2");
    }
    // A first-order filter of 0.4 s at 30 / 47 Hz passes 1 / sqrt(1 + (2 pi f tau)^2) of the amplitude.
    let passed = (f64::from(of_signal[0]) / variance(waves(frames).trace(0, 0).map(f64::from).collect())).sqrt();
    let expected = 1.0 / (1.0 + (TAU * 30.0 / 47.0 * 0.4).powi(2)).sqrt();
    assert!((passed - expected).abs() < 0.03, "passes {passed}, expected about {expected}");
}

#[test]
fn repeats_have_independent_noise_and_a_seed_repeats_it() {
    let rates = waves(3000);
    for noise in [Noise::default(), Noise::Calcium { decay_secs: 0.3, signal_to_noise: 1.0 }] {
        let one = |seed| noise.record(&rates, RATE, &[0.3, 0.1], seed);
        assert_eq!(one(1), one(1), "the same seed gives the same noise");
        let signal = noise.signal(&rates, RATE);
        let rest = |seed| {
            let (noisy, signal) = (one(seed), signal.clone());
            noisy.values().iter().zip(signal.values()).map(|(a, b)| a - b).collect::<Vec<f32>>()
        };
        let (a, b) = (rest(1), rest(2));
        let r = correlation(a.iter().copied(), b.iter().copied());
        // 6000 values: a standard error of 0.013.
        assert!(r.abs() < 0.06, "noise of two repeats correlates by {r}");
    }
    assert_eq!(Noise::None.record(&rates, RATE, &[0.0; 2], 1), rates);
}

#[test]
fn connected_units_are_more_alike_and_closer_than_others() {
    let mouse = steady(15, 150);
    let connections = wiring(15, mouse.units());
    assert_eq!(connections, wiring(15, mouse.units()), "the same seed gives the same wiring");
    let responses = watch_still(&mouse, &mut lively(monitor(), 300));
    let traces: Vec<Vec<f32>> = (0..150).map(|unit| responses.trace(0, unit).skip(20).collect()).collect();
    let alike = |a: usize, b: usize| correlation(traces[a].iter().copied(), traces[b].iter().copied());
    let units = mouse.units();
    let mut near = Vec::new();
    let connected: std::collections::HashSet<(usize, usize)> = connections.iter().map(|c| (c.from, c.to)).collect();
    for a in 0..150 {
        for b in (0..150).filter(|&b| b != a && !connected.contains(&(a, b))) {
            near.push((a, b, distance_um(&units[a], &units[b])));
        }
    }
    let mean = |values: &mut dyn Iterator<Item = f64>| {
        let (n, sum) = values.fold((0.0, 0.0), |(n, sum), v| (n + 1.0, sum + v));
        sum / n
    };
    let close = mean(&mut connections.iter().map(|c| c.distance_um));
    let far = mean(&mut near.iter().map(|pair| pair.2));
    assert!(close < 0.7 * far, "connected {close} µm, others {far} µm");
    // Controls for distance: unconnected pairs that are as close.
    let controls = || near.iter().filter(|pair| pair.2 < 1.2 * close);
    let (like, unlike) = (
        mean(&mut connections.iter().map(|c| similarity(&units[c.from], &units[c.to]))),
        mean(&mut controls().map(|&(a, b, _)| similarity(&units[a], &units[b]))),
    );
    let (signal, control) = (
        mean(&mut connections.iter().map(|c| alike(c.from, c.to))),
        mean(&mut controls().map(|&(a, b, _)| alike(a, b))),
    );
    println!(
        "{} connections, {close:.0} µm against {far:.0}; similarity {like:.3} against {unlike:.3}; signal correlation \
         {signal:.3} against {control:.3}",
        connections.len()
    );
    assert!(connections.len() > 300, "{} connections", connections.len());
    assert!(like > unlike + 0.1, "similarity {like}, of controls {unlike}");
    assert!(signal > control + 0.02, "signal correlation {signal}, of controls {control}");
}
