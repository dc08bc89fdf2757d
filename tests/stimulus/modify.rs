use std::f64::consts::PI;

use rustfft::FftPlanner;
use rustfft::num_complex::Complex;
use twinscope::signals::{FrameSource, Monitor, Raster};
use twinscope::stimulus::hash::random_words;
use twinscope::stimulus::modify::{
    Aperture, ApertureShape, Blur, Contrast, ContrastMode, Mirror, MirrorAxis, PhaseScramble, PixelNoise, Reverse,
    ShuffleFrames, Superpose, SuperposeMode, TimeWindow,
};
use twinscope::stimulus::{
    Clip, Condition, DriftingGrating, FieldKind, Modifier, ModifierKind, MovingDots, Prepared, Presentation, Schedule,
    ScheduleSource, Stimulus, WhiteNoise,
};

use super::{draw, moments, prepared, small_monitor};

fn modified(stimulus: impl Into<Stimulus>, modifiers: &[Modifier], monitor: &Monitor, seed: u64) -> Prepared {
    Prepared::modified(&stimulus.into(), modifiers, monitor, seed).unwrap_or_else(|error| panic!("{error}"))
}

/// A picture of one grey.
fn blank() -> DriftingGrating {
    DriftingGrating { contrast: 0.0, ..Default::default() }
}

/// Another picture in every frame.
fn flicker() -> WhiteNoise {
    WhiteNoise { refresh_hz: 30.0, contrast: 0.2, ..Default::default() }
}

fn spread(pixels: &[u8]) -> (f64, f64) {
    moments(pixels.iter().map(|&grey| f64::from(grey)))
}

#[test]
fn an_aperture_shows_what_lies_inside_and_hides_the_rest() {
    let monitor = Monitor::WANG2025;
    let bare = draw(&prepared(flicker(), &monitor, 1), 0);
    let [x_deg, y_deg, outer, inner] = [20.0, -10.0, 15.0, 8.0];
    for shape in [ApertureShape::Circle, ApertureShape::Annulus, ApertureShape::Surround] {
        let aperture =
            Aperture { shape, x_deg, y_deg, diameter_deg: 2.0 * outer, inner_diameter_deg: 2.0 * inner, edge_deg: 0.0 };
        let seen = draw(&modified(flicker(), &[aperture.into()], &monitor, 1), 0);
        let mut counts = [0, 0];
        for (index, (&grey, &bare)) in seen.iter().zip(&bare).enumerate() {
            let (x, y) = monitor.degrees_from_pixel((index / 256) as f64, (index % 256) as f64);
            let distance = (x - x_deg).hypot(y - y_deg);
            // The border is one pixel wide.
            if (distance - outer).abs() < 0.9 || (distance - inner).abs() < 0.9 {
                continue;
            }
            let inside = match shape {
                ApertureShape::Circle => distance < outer,
                ApertureShape::Annulus => distance < outer && distance > inner,
                ApertureShape::Surround => distance > outer,
            };
            counts[usize::from(inside)] += 1;
            assert_eq!(grey, if inside { bare } else { 128 }, "{shape:?} at {x}, {y}");
        }
        assert!(counts.iter().all(|&count| count > 500), "{shape:?}: {counts:?}");
    }
}

#[test]
fn a_soft_edge_is_a_raised_cosine_about_the_border() {
    let monitor = Monitor::WANG2025;
    // White everywhere: a grating without stripes.
    let white =
        DriftingGrating { spatial_frequency_cyc_per_deg: 0.0, temporal_frequency_hz: 0.0, ..Default::default() };
    let aperture = Aperture { diameter_deg: 40.0, edge_deg: 10.0, ..Default::default() };
    let seen = draw(&modified(white, &[aperture.into()], &monitor, 1), 0);
    for column in 128..256 {
        let (x, y) = monitor.degrees_from_pixel(72.0, column as f64);
        let along = ((x.hypot(y) - 20.0) / 10.0 + 0.5).clamp(0.0, 1.0);
        let expected = 128.0 + 127.0 * (0.5 + 0.5 * (PI * along).cos());
        let found = f64::from(seen[72 * 256 + column]);
        assert!((found - expected).abs() < 0.51, "{x} deg: {found}, expected {expected}");
    }
}

#[test]
fn a_disc_and_all_but_that_disc_make_the_whole() {
    let monitor = small_monitor();
    let part = |shape| {
        let aperture = Aperture { shape, edge_deg: 7.0, x_deg: -15.0, ..Default::default() };
        draw(&modified(flicker(), &[aperture.into()], &monitor, 3), 2)
    };
    let (inside, outside) = (part(ApertureShape::Circle), part(ApertureShape::Surround));
    let whole = draw(&prepared(flicker(), &monitor, 3), 2);
    for ((inside, outside), whole) in inside.into_iter().zip(outside).zip(whole) {
        assert!((i32::from(inside) + i32::from(outside) - 128 - i32::from(whole)).abs() <= 1);
    }
}

#[test]
fn a_time_window_shows_the_stimulus_for_its_duration_and_nothing_else() {
    let monitor = small_monitor();
    let window = TimeWindow { onset_secs: 0.5, duration_secs: 0.3, ..Default::default() };
    let (seen, bare) = (modified(flicker(), &[window.into()], &monitor, 4), prepared(flicker(), &monitor, 4));
    for frame in 0..40 {
        if (15..24).contains(&frame) {
            assert_eq!(draw(&seen, frame), draw(&bare, frame), "{frame}");
        } else {
            assert!(draw(&seen, frame).iter().all(|&grey| grey == 128), "{frame}");
        }
    }
    assert!(draw(&seen, usize::MAX).iter().all(|&grey| grey == 128));
}

#[test]
fn fades_follow_half_a_cosine_and_cross_without_a_gap() {
    let monitor = small_monitor();
    let white =
        DriftingGrating { spatial_frequency_cyc_per_deg: 0.0, temporal_frequency_hz: 0.0, ..Default::default() };
    let window = TimeWindow { onset_secs: 0.0, duration_secs: 1.0, fade_in_secs: 0.2, fade_out_secs: 0.2 };
    let shown = modified(white, &[window.into()], &monitor, 1);
    let level: Vec<f64> = (0..30).map(|frame| f64::from(draw(&shown, frame)[0])).collect();
    for k in 0..6 {
        let expected = 128.0 + 127.0 * (0.5 - 0.5 * (PI * (k as f64 + 0.5) / 6.0).cos());
        assert!((level[k] - expected).abs() <= 0.51, "frame {k}: {}, expected {expected}", level[k]);
        assert_eq!(level[k], level[29 - k]);
        assert!((level[k] + level[24 + k] - 128.0 - 255.0).abs() <= 1.0, "frame {k}");
    }
    assert!(level[6..24].iter().all(|&grey| grey == 255.0), "{level:?}");
    let window = TimeWindow { duration_secs: 0.3, fade_in_secs: 0.2, fade_out_secs: 0.2, ..Default::default() };
    let error = Modifier::from(window).validate_for(&monitor).expect_err("fades of 0.4 s in 0.3 s").to_string();
    assert!(error.contains("must hold both fades"), "{error}");
}

#[test]
fn contrast_is_scaled_about_the_background_or_set_in_every_frame() {
    let monitor = small_monitor();
    let grating = DriftingGrating { contrast: 0.4, ..Default::default() };
    let (_, before) = spread(&draw(&prepared(grating.clone(), &monitor, 1), 3));
    for scale in [0.0, 0.5, 1.0, 2.0] {
        let change = Contrast { scale, ..Default::default() };
        let (mean, after) = spread(&draw(&modified(grating.clone(), &[change.into()], &monitor, 1), 3));
        // Each picture is rounded to whole levels.
        assert!((after - scale * before).abs() < 0.2, "{scale}: {before} to {after}");
        assert!((mean - 128.0).abs() < 5.0, "{mean}");
    }
    let set = Contrast { mode: ContrastMode::Rms, rms_contrast: 0.3, ..Default::default() };
    let stimuli: [Stimulus; 3] =
        [grating.into(), flicker().into(), MovingDots { contrast: 0.2, ..Default::default() }.into()];
    for stimulus in stimuli {
        let (mean_before, _) = spread(&draw(&prepared(stimulus.clone(), &monitor, 2), 3));
        let (mean, deviation) = spread(&draw(&modified(stimulus, &[set.clone().into()], &monitor, 2), 3));
        // Half a level by rounding, on 38.1; dots reach the end of the range.
        assert!((deviation - 0.3 * 127.0).abs() < 0.6, "{deviation}");
        assert!((mean - mean_before).abs() < 0.6, "{mean_before} to {mean}");
    }
    assert!(draw(&modified(blank(), &[set.into()], &monitor, 1), 0).iter().all(|&grey| grey == 128));
}

#[test]
fn a_second_stimulus_is_added_averaged_or_laid_on_top() {
    let monitor = small_monitor();
    let first = DriftingGrating { contrast: 0.4, ..Default::default() };
    let second = DriftingGrating {
        contrast: 0.5,
        direction_deg: 90.0,
        spatial_frequency_cyc_per_deg: 0.02,
        ..Default::default()
    };
    let (a, b) = (draw(&prepared(first.clone(), &monitor, 1), 5), draw(&prepared(second.clone(), &monitor, 1), 5));
    for mode in [SuperposeMode::Add, SuperposeMode::Average, SuperposeMode::Cover] {
        let layer = Superpose { mode, stimulus: Box::new(second.clone().into()) };
        let both = draw(&modified(first.clone(), &[layer.into()], &monitor, 1), 5);
        for ((&a, &b), &both) in a.iter().zip(&b).zip(&both) {
            let (x, y) = (f64::from(a), f64::from(b));
            let expected = match mode {
                SuperposeMode::Add => x + y - 128.0,
                SuperposeMode::Average => (x + y) / 2.0,
                SuperposeMode::Cover => {
                    if b == 128 {
                        x
                    } else {
                        y
                    }
                }
            };
            assert_eq!(both, (expected + 0.5) as u8, "{mode:?}: {a} and {b}");
        }
    }
}

#[test]
fn a_second_stimulus_has_its_own_seed_and_its_parameters_have_keys() {
    let monitor = small_monitor();
    let noise = flicker();
    let layer = Superpose { mode: SuperposeMode::Cover, stimulus: Box::new(noise.clone().into()) };
    let mut layer = Modifier::from(layer);
    assert!(layer.is_random());
    let alone = draw(&prepared(noise.clone(), &monitor, 9), 0);
    let covered = draw(&modified(noise.clone(), std::slice::from_ref(&layer), &monitor, 9), 0);
    let same = alone.iter().zip(&covered).filter(|(a, b)| a == b).count() as f64 / alone.len() as f64;
    assert!(same < 0.15, "{same} of the pixels are alike");
    assert_eq!(layer.get("stimulus.contrast"), Some(0.2));
    assert!(layer.set("stimulus.contrast", 0.9) && layer.get("stimulus.contrast") == Some(0.9));
    assert_eq!(layer.nested().and_then(|stimulus| stimulus.get("contrast")), Some(0.9));
    assert!(!layer.set("stimulus.no_such_key", 1.0) && !layer.set("contrast", 1.0));
    layer.set("stimulus.contrast", 3.0);
    assert!(layer.validate().is_err() && layer.validate_for(&monitor).is_err());
}

#[test]
fn blur_keeps_the_mean_and_attenuates_a_grating_as_a_gaussian_does() {
    let monitor = Monitor::WANG2025;
    let mean = |pixels: &[u8]| spread(pixels).0;
    for sigma_deg in [0.5, 4.0, 30.0] {
        let shown = modified(flicker(), &[Blur { sigma_deg }.into()], &monitor, 6);
        let (before, after) = (mean(&draw(&prepared(flicker(), &monitor, 6), 2)), mean(&draw(&shown, 2)));
        // The mean of 36,864 independent roundings.
        assert!((before - after).abs() < if sigma_deg > 10.0 { 0.3 } else { 0.05 }, "{sigma_deg}: {before} to {after}");
    }
    let grating =
        DriftingGrating { spatial_frequency_cyc_per_deg: 0.05, temporal_frequency_hz: 0.0, ..Default::default() };
    let shown = modified(grating, &[Blur { sigma_deg: 4.0 }.into()], &monitor, 1);
    let row = &draw(&shown, 0)[70 * 256 + 64..70 * 256 + 192];
    let amplitude = row.iter().map(|&grey| (f64::from(grey) - 128.0).abs()).fold(0.0, f64::max);
    let expected = 127.0 * (-2.0 * (PI * 4.0 * 0.05).powi(2)).exp();
    assert!((amplitude - expected).abs() < 1.0, "{amplitude}, expected {expected}");
    let shown = modified(flicker(), &[Blur { sigma_deg: 0.0 }.into()], &monitor, 6);
    assert_eq!(draw(&shown, 2), draw(&prepared(flicker(), &monitor, 6), 2));
}

#[test]
fn pixel_noise_is_gaussian_with_its_deviation_and_new_or_the_same_in_each_frame() {
    let monitor = Monitor::WANG2025;
    for frozen in [false, true] {
        let shown = modified(blank(), &[PixelNoise { sd: 0.2, frozen }.into()], &monitor, 5);
        let (one, two) = (draw(&shown, 0), draw(&shown, 17));
        assert_eq!(one == two, frozen);
        let values: Vec<f64> = one.iter().map(|&grey| f64::from(grey)).collect();
        let (mean, deviation) = moments(values.iter().copied());
        // 36,864 values: standard errors 0.13 and 0.09; rounding adds 1/12 to the variance.
        assert!((mean - 128.0).abs() < 0.55, "{mean}");
        assert!((deviation - (25.4f64.powi(2) + 1.0 / 12.0).sqrt()).abs() < 0.4, "{deviation}");
        let (kurtosis, _) = moments(values.iter().map(|v| ((v - mean) / deviation).powi(4)));
        assert!((kurtosis - 3.0).abs() < 0.15, "{kurtosis}");
        let (together, _) = moments(values.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)));
        assert!(
            (together / deviation.powi(2)).abs() < 0.025,
            "neighbours correlate by {}",
            together / deviation.powi(2)
        );
    }
}

fn transform(pixels: &[u8], raster: Raster) -> Vec<Complex<f64>> {
    let mut planner = FftPlanner::new();
    let mut rows: Vec<_> = pixels.iter().map(|&grey| Complex::new(f64::from(grey), 0.0)).collect();
    planner.plan_fft_forward(raster.width).process(&mut rows);
    let mut columns: Vec<_> =
        (0..rows.len()).map(|i| rows[i % raster.height * raster.width + i / raster.height]).collect();
    planner.plan_fft_forward(raster.height).process(&mut columns);
    columns
}

#[test]
fn phase_scrambling_keeps_the_mean_and_the_amplitudes_of_every_frame_and_shifts_all_frames_alike() {
    let monitor = small_monitor();
    let raster = monitor.raster;
    let dots = MovingDots { contrast: 0.4, ..Default::default() };
    let (bare, shown) =
        (prepared(dots.clone(), &monitor, 3), modified(dots, &[PhaseScramble::default().into()], &monitor, 3));
    let mut shifts: Vec<Vec<Complex<f64>>> = Vec::new();
    for frame in [0, 25] {
        let (before, after) = (draw(&bare, frame), draw(&shown, frame));
        assert!((spread(&before).0 - spread(&after).0).abs() < 0.02, "{:?} {:?}", spread(&before), spread(&after));
        let correlation = {
            let ((m, s), (n, t)) = (spread(&before), spread(&after));
            moments(before.iter().zip(&after).map(|(&a, &b)| (f64::from(a) - m) * (f64::from(b) - n))).0 / (s * t)
        };
        assert!(correlation.abs() < 0.35, "frame {frame}: {correlation}");
        let (before, after) = (transform(&before, raster), transform(&after, raster));
        let loud = |value: &Complex<f64>| value.norm() > 3000.0;
        // Rounding to whole levels adds noise of sqrt(9216 / 12) = 28 to every amplitude, five of them.
        for (b, a) in before.iter().zip(&after).skip(1) {
            assert!((b.norm() - a.norm()).abs() < 140.0, "frame {frame}: {} became {}", b.norm(), a.norm());
        }
        shifts.push(before.iter().zip(&after).map(|(b, a)| if loud(b) { a / b } else { Complex::default() }).collect());
    }
    let both = shifts[0].iter().zip(&shifts[1]).filter(|(one, two)| one.norm() > 0.0 && two.norm() > 0.0);
    let differences: Vec<f64> = both.map(|(one, two)| (one - two).norm()).collect();
    assert!(differences.len() > 50, "{} frequencies are loud in both", differences.len());
    assert!(differences.iter().all(|&difference| difference < 0.08), "{differences:?}");
}

#[test]
fn no_phase_scrambling_changes_nothing() {
    let monitor = Monitor::WANG2025.with_raster(Raster { height: 37, width: 51 });
    let shown = modified(flicker(), &[PhaseScramble { fraction: 0.0 }.into()], &monitor, 3);
    assert_eq!(draw(&shown, 1), draw(&prepared(flicker(), &monitor, 3), 1));
}

/// Which frame of the bare stimulus each frame shows.
fn sources(shown: &Prepared, bare: &Prepared, frames: usize) -> Vec<usize> {
    let pictures: Vec<_> = (0..frames).map(|frame| draw(bare, frame)).collect();
    let find = |frame| {
        let picture = draw(shown, frame);
        pictures.iter().position(|other| *other == picture).unwrap_or_else(|| panic!("frame {frame} is unknown"))
    };
    (0..frames).map(find).collect()
}

#[test]
fn shuffling_shows_every_frame_of_a_window_exactly_once() {
    let monitor = Monitor::WANG2025.with_raster(Raster { height: 9, width: 16 });
    let bare = prepared(flicker(), &monitor, 2);
    let shuffle = ShuffleFrames { window_secs: 1.0, block_secs: 0.0 };
    let order = sources(&modified(flicker(), &[shuffle.into()], &monitor, 2), &bare, 90);
    for (number, window) in order.chunks(30).enumerate() {
        let mut sorted = window.to_vec();
        sorted.sort_unstable();
        assert_eq!(sorted, (number * 30..number * 30 + 30).collect::<Vec<_>>());
        assert!(window.windows(2).filter(|pair| pair[1] == pair[0] + 1).count() < 8, "{window:?}");
    }
    let relative =
        |number: usize| -> Vec<usize> { order[number * 30..][..30].iter().map(|f| f - number * 30).collect() };
    assert_ne!(relative(0), relative(1), "each window has its own order");
}

#[test]
fn shuffled_blocks_keep_their_frames_together() {
    let monitor = Monitor::WANG2025.with_raster(Raster { height: 9, width: 16 });
    let bare = prepared(flicker(), &monitor, 2);
    // Blocks of 4 in windows of 30: seven whole ones and one of 2 frames.
    let shuffle = ShuffleFrames { window_secs: 1.0, block_secs: 4.0 / 30.0 };
    let order = sources(&modified(flicker(), &[shuffle.into()], &monitor, 2), &bare, 30);
    let mut sorted = order.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..30).collect::<Vec<_>>());
    let breaks = order.windows(2).filter(|pair| pair[1] != pair[0] + 1).count();
    assert!((4..=7).contains(&breaks), "{order:?}");
    assert!(order.windows(2).all(|pair| pair[1] == pair[0] + 1 || pair[1].is_multiple_of(4)), "{order:?}");
}

/// A clip whose frames are all of one grey, as a file.
fn clip(folder: &tempfile::TempDir, greys: &[u8]) -> Stimulus {
    let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({}, 9, 16), }}\n", greys.len());
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(greys.iter().flat_map(|&grey| [grey; 144]));
    let path = folder.path().join("clip.npy");
    std::fs::write(&path, bytes).expect("a temporary file");
    Clip::from_path(path).into()
}

#[test]
fn clips_that_end_within_a_window_are_shuffled_and_reversed_as_far_as_they_go() {
    let monitor = Monitor::WANG2025.with_raster(Raster { height: 9, width: 16 });
    let folder = tempfile::tempdir().expect("a temporary folder");
    let clip = clip(&folder, &[10, 20, 30, 40, 50, 60, 70]);
    let levels = |modifier: Modifier| -> Vec<u8> {
        let shown = modified(clip.clone(), &[modifier], &monitor, 1);
        assert_eq!(shown.frames(), Some(7));
        (0..8).map(|frame| draw(&shown, frame)[0]).collect()
    };
    assert_eq!(levels(Reverse { duration_secs: 10.0 }.into()), [70, 60, 50, 40, 30, 20, 10, 128]);
    assert_eq!(levels(Reverse { duration_secs: 5.0 / 30.0 }.into()), [50, 40, 30, 20, 10, 70, 60, 128]);
    let mut shuffled = levels(ShuffleFrames { window_secs: 10.0, block_secs: 0.0 }.into());
    assert_eq!(shuffled[7], 128);
    shuffled.truncate(7);
    shuffled.sort_unstable();
    assert_eq!(shuffled, [10, 20, 30, 40, 50, 60, 70]);
}

#[test]
fn a_window_of_more_frames_than_can_be_shuffled_is_refused() {
    let fast = Monitor { frame_rate: twinscope::signals::FrameRate(1e12), ..small_monitor() };
    let refused = Modifier::from(ShuffleFrames::default()).validate_for(&fast).expect_err("1e13 frames").to_string();
    assert!(refused.contains("at most 200000 are shuffled"), "{refused}");
    let fastest = Monitor { frame_rate: twinscope::signals::FrameRate(1e300), ..small_monitor() };
    let shown = modified(blank(), &[TimeWindow::default().into(), Reverse::default().into()], &fastest, 1);
    draw(&shown, 3);
}

#[test]
fn two_reversals_are_none() {
    let monitor = Monitor::WANG2025.with_raster(Raster { height: 9, width: 16 });
    let bare = prepared(flicker(), &monitor, 2);
    let reverse = Modifier::from(Reverse { duration_secs: 0.5 });
    let once = sources(&modified(flicker(), std::slice::from_ref(&reverse), &monitor, 2), &bare, 30);
    assert_eq!(once, (0..15).rev().chain((15..30).rev()).collect::<Vec<_>>());
    let twice = sources(&modified(flicker(), &[reverse.clone(), reverse], &monitor, 2), &bare, 30);
    assert_eq!(twice, (0..30).collect::<Vec<_>>());
}

#[test]
fn a_mirror_swaps_sides_and_two_of_them_swap_them_back() {
    let monitor = Monitor::WANG2025.with_raster(Raster { height: 37, width: 50 });
    let bare = draw(&prepared(flicker(), &monitor, 7), 1);
    for axis in [MirrorAxis::Horizontal, MirrorAxis::Vertical, MirrorAxis::Both] {
        let mirror = Modifier::from(Mirror { axis });
        let once = draw(&modified(flicker(), std::slice::from_ref(&mirror), &monitor, 7), 1);
        for (index, &grey) in once.iter().enumerate() {
            let (row, column) = (index / 50, index % 50);
            let (row, column) = match axis {
                MirrorAxis::Horizontal => (row, 49 - column),
                MirrorAxis::Vertical => (36 - row, column),
                MirrorAxis::Both => (36 - row, 49 - column),
            };
            assert_eq!(grey, bare[row * 50 + column], "{axis:?} at {index}");
        }
        assert_eq!(draw(&modified(flicker(), &[mirror.clone(), mirror], &monitor, 7), 1), bare, "{axis:?}");
    }
}

#[test]
fn modifiers_act_in_the_order_in_which_they_stand() {
    let monitor = small_monitor();
    let noise = Modifier::from(PixelNoise { sd: 0.2, frozen: false });
    let half = Modifier::from(Contrast { scale: 0.5, ..Default::default() });
    let deviation = |modifiers: &[Modifier]| spread(&draw(&modified(blank(), modifiers, &monitor, 1), 0)).1;
    // 9,216 values: a standard error of 0.7 %.
    let (after, before) = (deviation(&[half.clone(), noise.clone()]), deviation(&[noise, half]));
    assert!((after / 25.4 - 1.0).abs() < 0.03 && (before / 12.7 - 1.0).abs() < 0.03, "{after} and {before}");
}

#[test]
fn two_modifiers_of_one_kind_draw_different_chance() {
    let monitor = small_monitor();
    let noise = Modifier::from(PixelNoise { sd: 0.1, frozen: false });
    let (_, deviation) = spread(&draw(&modified(blank(), &[noise.clone(), noise], &monitor, 1), 0));
    // Independent noises add up to the root of two; the same noise twice would double.
    assert!((deviation / 12.7 - 2f64.sqrt()).abs() < 0.04, "{deviation}");
}

#[test]
fn the_picture_is_rounded_once_after_the_last_modifier() {
    let monitor = small_monitor();
    let scale = |scale| Modifier::from(Contrast { scale, ..Default::default() });
    let there_and_back = [scale(0.02), scale(2.0), scale(2.0), scale(2.0), scale(2.0), scale(2.0), scale(1.5625)];
    assert_eq!(draw(&modified(flicker(), &there_and_back, &monitor, 1), 0), draw(&prepared(flicker(), &monitor, 1), 0));
}

#[test]
fn what_a_window_hides_is_not_brought_back_by_what_came_before() {
    let monitor = small_monitor();
    let window = Modifier::from(TimeWindow { onset_secs: 0.0, duration_secs: 0.5, ..Default::default() });
    let noise = Modifier::from(PixelNoise { sd: 0.2, frozen: false });
    let late = |modifiers: &[Modifier]| spread(&draw(&modified(blank(), modifiers, &monitor, 1), 20)).1;
    assert_eq!(late(&[noise.clone(), window.clone()]), 0.0);
    assert!(late(&[window, noise]) > 20.0);
}

#[test]
fn every_modifier_survives_toml_and_can_be_read_and_written_by_its_keys() {
    for &kind in ModifierKind::ALL {
        let modifier = kind.modifier();
        assert_eq!((modifier.kind(), modifier.fields()), (kind, kind.fields()));
        modifier.validate_for(&Monitor::WANG2025).unwrap_or_else(|error| panic!("{error}"));
        let text = toml::to_string(&modifier).expect("plain values");
        assert_eq!(toml::from_str::<Modifier>(&text).expect("its own text"), modifier, "{text}");
        assert!(toml::from_str::<Modifier>(&format!("no_such_key = 1\n{text}")).is_err(), "{kind:?}");
        assert!(!kind.label().is_empty() && !kind.group().is_empty() && !kind.help().ends_with('.'), "{kind:?}");
        for field in kind.fields() {
            let mut modifier = kind.modifier();
            for value in [field.range.1, field.range.0] {
                assert!(modifier.set(field.key, value), "{kind:?} {}", field.key);
                assert_eq!(modifier.get(field.key), Some(value), "{kind:?} {}", field.key);
                modifier.validate().unwrap_or_else(|error| panic!("{error}"));
            }
            if field.kind == FieldKind::Number {
                for wrong in [field.range.1 * 2.0 + 1.0, f64::NAN, f64::INFINITY] {
                    modifier.set(field.key, wrong);
                    assert!(modifier.validate().is_err(), "{kind:?} {} = {wrong}", field.key);
                }
            }
            assert!(!field.label.ends_with(':') && !field.help.is_empty(), "{kind:?} {}", field.key);
        }
        let mut modifier = kind.modifier();
        assert!(!modifier.set("no_such_key", 1.0) && modifier.get("no_such_key").is_none());
    }
}

#[test]
fn a_nested_stimulus_is_written_as_a_table() {
    let text = "kind = \"superpose\"\nmode = \"add\"\nstimulus = { kind = \"moving_dots\", coherence = 0.5 }\n";
    let modifier: Modifier = toml::from_str(text).expect("a second stimulus");
    assert_eq!((modifier.get("stimulus.coherence"), modifier.get("mode")), (Some(0.5), Some(0.0)));
    let wrong = text.replace("coherence", "coherance");
    assert!(toml::from_str::<Modifier>(&wrong).expect_err("a misspelt key").to_string().contains("coherance"));
}

#[test]
fn any_modifiers_in_any_order_are_functions_of_the_frame() {
    let monitor = Monitor::WANG2025.with_raster(Raster { height: 18, width: 31 });
    for trial in 0..60u32 {
        let [count, ..] = random_words(5, trial, 1000);
        let modifiers: Vec<Modifier> = (0..1 + count % 4)
            .map(|place| {
                let [kind, ..] = random_words(6, trial, place);
                let mut modifier = ModifierKind::ALL[kind as usize % ModifierKind::ALL.len()].modifier();
                for (index, field) in modifier.fields().iter().enumerate() {
                    let [word, extreme, ..] = random_words(7, trial, place * 100 + index as u32);
                    let part = if extreme % 4 == 0 { f64::from(word % 2) } else { f64::from(word) / 2f64.powi(32) };
                    modifier.set(field.key, field.range.0 + part * (field.range.1 - field.range.0));
                }
                modifier
            })
            .collect();
        let Ok(shown) = Prepared::modified(&flicker().into(), &modifiers, &monitor, u64::from(trial)) else { continue };
        let forward: Vec<_> = (0..8).map(|frame| draw(&shown, frame * 5)).collect();
        draw(&shown, usize::MAX);
        for frame in (0..8).rev() {
            assert_eq!(draw(&shown, frame * 5), forward[frame], "trial {trial}: {modifiers:?}");
        }
        assert_eq!(draw(&modified(flicker(), &modifiers, &monitor, u64::from(trial)), 35), forward[7]);
    }
}

#[test]
fn what_is_random_in_a_modified_clip_differs_between_showings() {
    let monitor = Monitor::WANG2025.with_raster(Raster { height: 9, width: 16 });
    let folder = tempfile::tempdir().expect("a temporary folder");
    let clip = clip(&folder, &[100; 5]);
    let noise = Modifier::from(PixelNoise { sd: 0.1, frozen: true });
    let over = Modifier::from(Superpose { mode: SuperposeMode::Average, stimulus: Box::new(clip.clone()) });
    let conditions = vec![
        Condition { part: Some(0), swept: Vec::new(), stimulus: clip, modifiers: vec![noise] },
        Condition { part: Some(0), swept: Vec::new(), stimulus: flicker().into(), modifiers: vec![over] },
    ];
    let shown = |condition, onset_frame, seed| Presentation { condition, repeat: 0, onset_frame, frames: 5, seed };
    let presentations = vec![shown(0, 0, 1), shown(0, 5, 2), shown(1, 10, 1), shown(1, 15, 2), shown(0, 20, 1)];
    let schedule = Schedule { conditions, presentations, frames: 25 };
    let mut source = ScheduleSource::new(schedule, &monitor).unwrap_or_else(|error| panic!("{error}"));
    let mut first = |showing: usize| {
        let mut pixels = vec![0; 144];
        source.read(showing * 5, 1, &mut pixels).unwrap_or_else(|error| panic!("{error}"));
        pixels
    };
    let pictures: Vec<_> = (0..5).map(&mut first).collect();
    assert_ne!(pictures[0], pictures[1], "noise on a clip");
    assert_ne!(pictures[2], pictures[3], "noise under a clip");
    assert_eq!(pictures[0], pictures[4], "the same seed");
}
