use std::collections::HashSet;

use twinscope::signals::{Monitor, Raster};
use twinscope::stimulus::gaussian_dots::DotSequence;
use twinscope::stimulus::{FlashingGaussianDots, GaussianDot, Screen};

use super::{draw, prepared, small_monitor};

fn sequence(dots: &FlashingGaussianDots, seed: u64) -> DotSequence {
    DotSequence::new(dots, &Monitor::WANG2025, seed).expect("dots that can be shown")
}

/// Centre and standard deviation of a dot, degrees, from the grey levels alone: the logarithm of a Gaussian is
/// ln m = p + q x + r y - s (x^2 + y^2), fitted to the pixels that stand out, also where the screen cuts the dot.
fn measured(pixels: &[u8], screen: &Screen) -> ([f64; 2], f64) {
    let heights: Vec<f64> = pixels.iter().map(|&grey| (f64::from(grey) - 128.0).abs()).collect();
    let highest = heights.iter().copied().fold(0.0, f64::max);
    let mut equations = [[0.0f64; 5]; 4];
    for (place, &height) in screen.places().iter().zip(&heights) {
        if height < 0.2 * highest {
            continue;
        }
        let [x, y] = place.position.map(f64::from);
        let row = [1.0, x, y, -(x * x + y * y), height.ln()];
        // Half a grey level weighs less the higher the dot is.
        for (equation, &factor) in equations.iter_mut().zip(&row) {
            for (sum, value) in equation.iter_mut().zip(&row) {
                *sum += height * height * factor * value;
            }
        }
    }
    for pivot in 0..4 {
        let row = equations[pivot];
        for (_, equation) in equations.iter_mut().enumerate().filter(|(other, _)| *other != pivot) {
            let factor = equation[pivot] / row[pivot];
            equation.iter_mut().zip(&row).for_each(|(value, above)| *value -= factor * above);
        }
    }
    let [_, q, r, s] = [0, 1, 2, 3].map(|row| equations[row][4] / equations[row][row]);
    ([q / (2.0 * s), r / (2.0 * s)], (0.5 / s).sqrt())
}

#[test]
fn every_dot_is_where_it_is_said_to_be_with_its_standard_deviation() {
    let monitor = small_monitor();
    let screen = Screen::new(&monitor);
    let dots = FlashingGaussianDots::default();
    let (sequence, shown) = (sequence(&dots, 3), prepared(dots, &monitor, 3));
    for number in 0..210 {
        let pixels = draw(&shown, number * 9);
        let dot = sequence.dot(number * 9);
        let ([x, y], sigma) = measured(&pixels, &screen);
        // Grey levels are rounded by at most a half of some 60: tenths of a degree where the screen shows half a dot.
        assert!((x - dot.x_deg).abs() < 0.15 && (y - dot.y_deg).abs() < 0.15, "{dot:?}: found at {x} {y}");
        assert!((sigma - 15.0).abs() < 0.15, "{dot:?}: {sigma}");
        let middle = pixels.iter().max_by_key(|grey| grey.abs_diff(128)).expect("pixels");
        assert!(if dot.white { *middle > 250 } else { *middle < 5 }, "{dot:?}: {middle}");
    }
}

#[test]
fn every_place_is_shown_in_both_polarities_exactly_once_before_any_is_repeated() {
    let sequence = sequence(&FlashingGaussianDots::default(), 8);
    assert_eq!((sequence.len(), sequence.frames_per_dot()), (210, 9));
    let round = |number: usize| -> Vec<(usize, bool)> {
        let dots = (0..210).map(|dot| sequence.dot((number * 210 + dot) * 9));
        dots.map(|dot| (dot.place, dot.white)).collect()
    };
    let (first, second) = (round(0), round(1));
    for round in [&first, &second] {
        let different: HashSet<_> = round.iter().collect();
        assert_eq!(different.len(), 210);
        assert!(round.iter().all(|(place, _)| *place < 105));
    }
    assert_ne!(first, second, "another order");
    // The order has no memory of the place: neighbours in time are as far apart as any two of 105 numbers, 35 on
    // average with a standard error of 1.7.
    let apart = first.windows(2).map(|pair| pair[0].0.abs_diff(pair[1].0) as f64).sum::<f64>() / 209.0;
    assert!((apart - 35.0).abs() < 7.0, "{apart}");
}

#[test]
fn thirty_five_dots_of_nine_frames_are_a_clip_of_315() {
    let dots = FlashingGaussianDots::default();
    let (sequence, shown) = (sequence(&dots, 5), prepared(dots, &small_monitor(), 5));
    let frames: Vec<_> = (0..315).map(|frame| draw(&shown, frame)).collect();
    let changes: Vec<usize> = (1..315).filter(|&frame| frames[frame] != frames[frame - 1]).collect();
    assert_eq!(changes, (1..35).map(|dot| 9 * dot).collect::<Vec<_>>());
    let different: HashSet<_> = (0..35).map(|dot| &frames[9 * dot]).collect();
    assert_eq!(different.len(), 35);
    assert!((0..315).all(|frame| sequence.dot(frame) == sequence.dot(frame / 9 * 9)));
}

#[test]
fn the_grid_covers_the_screen_evenly() {
    let monitor = Monitor::WANG2025;
    let sequence = sequence(&FlashingGaussianDots::default(), 1);
    let mut cm = vec![None; 105];
    for number in 0..210 {
        let dot = sequence.dot(number * 9);
        cm[dot.place] = monitor.cm_from_degrees(dot.x_deg, dot.y_deg);
    }
    for (place, cm) in cm.into_iter().enumerate() {
        let (x, y) = cm.expect("every place is on the screen");
        let (column, row) = ((place % 15) as f64, (place / 15) as f64);
        // Half a step from the edges, row by row from the upper left.
        let expected = ((column + 0.5) * 56.5 / 15.0 - 28.25, 15.9 - (row + 0.5) * 31.8 / 7.0);
        assert!((x - expected.0).abs() < 1e-9 && (y - expected.1).abs() < 1e-9, "{place}: {x} {y}, {expected:?}");
    }
}

#[test]
fn a_mask_is_the_picture_without_its_polarity() {
    let monitor = small_monitor();
    let screen = Screen::new(&monitor);
    let dots = FlashingGaussianDots { contrast: 0.7, sigma_deg: 8.0, ..Default::default() };
    let (sequence, shown) = (sequence(&dots, 3), prepared(dots, &monitor, 3));
    for frame in [0, 9, 18, 27, 36, 45] {
        let dot = sequence.dot(frame);
        let mask = sequence.mask(&dot, &screen);
        let amplitude = if dot.white { 0.7 * 127.0 } else { -0.7 * 128.0 };
        for (pixel, (&grey, &weight)) in draw(&shown, frame).iter().zip(&mask).enumerate() {
            assert!((0.0..=1.0).contains(&weight), "{weight}");
            let expected = 128.0 + amplitude * weight;
            // Rounded to whole grey levels.
            assert!((f32::from(grey) - expected).abs() < 0.501, "{dot:?} pixel {pixel}: {grey}, not {expected}");
        }
    }
}

#[test]
fn one_dot_stands_still_where_it_was_put_bright_or_dark() {
    let monitor = Monitor::WANG2025.with_raster(Raster { height: 72, width: 128 });
    let screen = Screen::new(&monitor);
    for (x_deg, y_deg, sigma_deg, contrast) in
        [(0.0, 0.0, 15.0, 1.0), (30.0, -20.0, 5.0, -1.0), (-40.0, 10.0, 8.0, -0.5)]
    {
        let dot = GaussianDot { x_deg, y_deg, sigma_deg, contrast };
        let mask = dot.mask(&screen);
        let shown = prepared(dot, &monitor, 1);
        let pixels = draw(&shown, 0);
        assert_eq!(pixels, draw(&shown, 1000));
        let ([x, y], sigma) = measured(&pixels, &screen);
        assert!((x - x_deg).abs() < 0.05 && (y - y_deg).abs() < 0.05, "{x} {y}, not {x_deg} {y_deg}");
        assert!((sigma / sigma_deg - 1.0).abs() < 0.01, "{sigma}, not {sigma_deg}");
        assert!(pixels.iter().all(|&grey| if contrast > 0.0 { grey >= 128 } else { grey <= 128 }));
        let highest = mask.iter().copied().fold(0.0, f32::max);
        // The nearest pixel is at most 1.2 degrees away.
        assert!(highest <= 1.0 && highest > 0.97, "{highest}");
    }
    // 0.07 of the monitor's width, 3.955 cm seen from 15 cm.
    let width = (0.07 * 56.5 / 15.0f64).to_degrees();
    assert!((GaussianDot::default().sigma_deg - width).abs() < 0.2, "{width}");
}

#[test]
fn a_dot_without_contrast_is_the_background() {
    let dot = GaussianDot { contrast: 0.0, ..Default::default() };
    assert!(draw(&prepared(dot, &small_monitor(), 1), 0).iter().all(|&grey| grey == 128));
}

#[test]
fn impossible_grids_are_refused() {
    for wrong in [0, 41, u32::MAX] {
        let dots = FlashingGaussianDots { columns: wrong, ..Default::default() };
        assert!(DotSequence::new(&dots, &Monitor::WANG2025, 1).is_err(), "{wrong}");
    }
    let monitor = Monitor { distance_cm: 0.0, ..Monitor::WANG2025 };
    assert!(DotSequence::new(&FlashingGaussianDots::default(), &monitor, 1).is_err());
}
