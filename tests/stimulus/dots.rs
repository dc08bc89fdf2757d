use twinscope::signals::{FrameRate, Monitor, Raster};
use twinscope::stimulus::dots::{Dot, Motion, NoiseRule, Polarity};
use twinscope::stimulus::{MovingDots, Prepared};

use super::{draw, moments, prepared, small_monitor};

fn all(shown: &Prepared, frame: usize) -> Vec<Dot> {
    shown.dots().expect("moving dots").dots(frame).collect()
}

/// Displacements of the dots that lived through both frames, the seam of the field undone.
fn displacements(shown: &Prepared, from: usize, to: usize) -> Vec<[f64; 2]> {
    let side = f64::from(shown.dots().expect("moving dots").side_deg());
    let (before, after) = (all(shown, from), all(shown, to));
    let lived = before.iter().zip(&after).filter(|(b, a)| b.life == a.life);
    lived
        .map(|(b, a)| {
            [0, 1].map(|axis| {
                let d = f64::from(a.position[axis]) - f64::from(b.position[axis]);
                d - side * (d / side).round()
            })
        })
        .collect()
}

/// Density that gives this many dots on the field of the published screen.
fn with_count(count: usize, dots: MovingDots) -> MovingDots {
    let shown = prepared(dots.clone(), &small_monitor(), 1);
    let side = f64::from(shown.dots().expect("moving dots").side_deg());
    MovingDots { density_per_1000_deg2: count as f64 * 1000.0 / (side * side), ..dots }
}

#[test]
fn the_mean_displacement_along_the_direction_is_the_coherence() {
    // Science: standard error sqrt((1 - c) / 2N) = 0.0354 for c = 0.5, N = 200. Lives are long, so that all dots count.
    let base = MovingDots { direction_deg: 70.0, coherence: 0.5, lifetime_secs: 600.0, ..Default::default() };
    let dots = with_count(200, base);
    let towards = [70f64.to_radians().cos(), 70f64.to_radians().sin()];
    let step = 30.0 / 30.0;
    let projected: Vec<f64> = (0..400)
        .map(|seed| {
            let shown = prepared(dots.clone(), &small_monitor(), seed);
            let moved = displacements(&shown, 10, 11);
            // At most one of 18,000 lives ends between two frames of 200 dots now and then.
            assert!(moved.len() >= 197, "{}", moved.len());
            moved.iter().map(|d| (d[0] * towards[0] + d[1] * towards[1]) / step).sum::<f64>() / moved.len() as f64
        })
        .collect();
    let (mean, deviation) = moments(projected.iter().copied());
    // Of 400 seeds: the mean to 0.0354 / 20, the deviation to 0.0354 / sqrt(800); four of each.
    assert!((mean - 0.5).abs() < 0.0071, "{mean}");
    assert!((deviation - 0.0354).abs() < 0.005, "{deviation}");
}

#[test]
fn with_full_coherence_every_dot_moves_exactly_at_the_speed_in_the_direction() {
    for direction in [0.0, 90.0, 135.0, 270.0] {
        let dots = MovingDots { direction_deg: direction, speed_deg_per_sec: 45.0, ..Default::default() };
        let shown = prepared(dots, &small_monitor(), 8);
        let (sin, cos) = f64::from(direction as f32).to_radians().sin_cos();
        let moved = displacements(&shown, 20, 24);
        assert!(moved.len() > 50, "{}", moved.len());
        for [x, y] in moved {
            // Positions are kept to 2^-24 of a field of 142 degrees.
            assert!((x - 6.0 * cos).abs() < 5e-5 && (y - 6.0 * sin).abs() < 5e-5, "{direction}: {x} {y}");
        }
    }
}

#[test]
fn noise_dots_move_at_the_same_speed_in_directions_without_a_mean() {
    let dots = with_count(2000, MovingDots { coherence: 0.0, lifetime_secs: 600.0, ..Default::default() });
    let moved = displacements(&prepared(dots, &small_monitor(), 2), 0, 1);
    assert!(moved.len() > 1990, "{}", moved.len());
    for [x, y] in &moved {
        assert!((x.hypot(*y) - 1.0).abs() < 5e-5, "{x} {y}");
    }
    for axis in [0, 1] {
        let (mean, _) = moments(moved.iter().map(|d| d[axis]));
        // Standard error sqrt(1 / 2N) = 0.0158.
        assert!(mean.abs() < 0.064, "{mean}");
    }
}

#[test]
fn the_number_of_signal_dots_is_the_rounded_fraction() {
    for (coherence, signal) in [(0.0, 0), (0.333, 67), (0.5, 100), (1.0, 200)] {
        let dots = with_count(200, MovingDots { coherence, ..Default::default() });
        let shown = prepared(dots, &small_monitor(), 1);
        assert_eq!(all(&shown, 7).iter().filter(|dot| dot.signal).count(), signal, "{coherence}");
    }
}

#[test]
fn density_stays_uniform_while_dots_move() {
    let dots = with_count(4000, MovingDots { coherence: 0.7, speed_deg_per_sec: 60.0, ..Default::default() });
    let shown = prepared(dots, &small_monitor(), 5);
    let side = shown.dots().expect("moving dots").side_deg();
    for frame in [0, 17, 300, 100_000] {
        let mut counts = [0f64; 16];
        for dot in all(&shown, frame) {
            let cell = dot.position.map(|v| (((v / side + 0.5) * 4.0) as usize).min(3));
            counts[cell[1] * 4 + cell[0]] += 1.0;
        }
        let chi: f64 = counts.iter().map(|c| (c - 250.0).powi(2) / 250.0).sum();
        // Chi-squared with 15 degrees of freedom: 37.7 is passed once in a thousand times.
        assert!(chi < 37.7, "frame {frame}: {chi}, {counts:?}");
    }
}

#[test]
fn lives_end_after_their_time_and_not_all_at_once() {
    let dots = with_count(2000, MovingDots { lifetime_secs: 0.5, ..Default::default() });
    let shown = prepared(dots, &small_monitor(), 6);
    let mut ended = Vec::new();
    for frame in 0..45 {
        let (before, after) = (all(&shown, frame), all(&shown, frame + 1));
        ended.push(before.iter().zip(&after).filter(|(b, a)| b.life != a.life).count());
    }
    for window in ended.chunks_exact(15) {
        assert_eq!(window.iter().sum::<usize>(), 2000, "every dot ends once in its 15 frames");
        for &count in window {
            // 133 of 2000 in each frame, standard deviation 11.
            assert!((80..190).contains(&count), "{window:?}");
        }
    }
}

#[test]
fn a_disc_has_the_area_of_its_diameter() {
    // One dot, followed over many frames; its area is the sum over pixels of covered part times the pixel's area.
    let monitor = Monitor { frame_rate: FrameRate(10.0), ..Monitor::WANG2025 };
    let base = MovingDots { diameter_deg: 12.0, lifetime_secs: 0.03, density_per_1000_deg2: 0.1, ..Default::default() };
    let shown = prepared(base, &monitor, 3);
    let screen = twinscope::stimulus::Screen::new(&monitor);
    let mut measured = Vec::new();
    for frame in 0..4000 {
        // Frames with one dot well inside the screen and the others far away.
        let dots = all(&shown, frame);
        let inside = |dot: &Dot| dot.position[0].abs() < 45.0 && dot.position[1].abs() < 30.0;
        let beside = |dot: &Dot| dot.position[0].abs() > 70.0 || dot.position[1].abs() > 55.0;
        let Some(&dot) = dots.iter().find(|dot| inside(dot)) else { continue };
        if dots.iter().filter(|dot| !beside(dot)).count() != 1 {
            continue;
        }
        let pixels = draw(&shown, frame);
        let area: f64 = pixels
            .iter()
            .zip(screen.places())
            .map(|(&grey, place)| {
                let ([a, b], [c, d]) = (place.per_column, place.per_row);
                f64::from((f32::from(grey) - 128.0) / (dot.grey - 128.0) * (a * d - b * c).abs())
            })
            .sum();
        measured.push(area);
        if measured.len() == 200 {
            break;
        }
    }
    let (mean, deviation) = moments(measured.iter().copied());
    let expected = std::f64::consts::PI * 36.0;
    // The ramp at the edge is linear where a pixel's true share is not: a few thousandths.
    assert!((mean / expected - 1.0).abs() < 0.005, "{mean} deg2, expected {expected}");
    assert!(deviation / expected < 0.01, "{deviation} of {expected}");
}

#[test]
fn dots_are_found_on_the_screen_where_they_are_said_to_be() {
    let monitor = Monitor::WANG2025;
    let shown = prepared(MovingDots { density_per_1000_deg2: 0.3, ..Default::default() }, &monitor, 12);
    let mut seen = 0;
    for frame in 0..30 {
        let pixels = draw(&shown, frame);
        for dot in all(&shown, frame) {
            let Some((x, y)) = monitor.cm_from_degrees(dot.position[0].into(), dot.position[1].into()) else {
                continue;
            };
            let (dx, dy) = monitor.pitch_cm();
            let (column, row) = (x / dx + 127.5, 71.5 - y / dy);
            let (row, column) = (row.round(), column.round());
            if (0.0..144.0).contains(&row) && (0.0..256.0).contains(&column) {
                let grey = pixels[row as usize * 256 + column as usize];
                // White or black; a later dot may lie on top.
                assert!(grey == 0 || grey == 255, "frame {frame}, row {row}, column {column}: {grey}");
                seen += 1;
            }
        }
    }
    // 6 dots, of which about a third are on the screen.
    assert!(seen > 40, "{seen}");
}

#[test]
fn rightward_dots_move_the_picture_to_the_right_and_upward_ones_up() {
    // At the centre 30 deg/s are 1.19 pixels of 0.843 degrees a frame: the shift that fits best over ten frames.
    for (direction, expected) in [(0.0, [0, 12]), (90.0, [-12, 0]), (180.0, [0, -12]), (270.0, [12, 0])] {
        let dots = MovingDots { direction_deg: direction, lifetime_secs: 600.0, ..Default::default() };
        let shown = prepared(dots, &Monitor::WANG2025, 21);
        let (before, after) = (draw(&shown, 0), draw(&shown, 10));
        let mut best = (f64::INFINITY, [0, 0]);
        for down in -16i32..=16 {
            for right in -16i32..=16 {
                let mut error = 0.0;
                for row in 52..92i32 {
                    for column in 98..158i32 {
                        let a = before[(row * 256 + column) as usize];
                        let b = after[((row + down) * 256 + column + right) as usize];
                        error += (f64::from(a) - f64::from(b)).powi(2);
                    }
                }
                if error < best.0 {
                    best = (error, [down, right]);
                }
            }
        }
        let far = (0..2).any(|axis| (best.1[axis] - expected[axis]).abs() > 1);
        assert!(!far, "{direction}: found {:?} rows and columns, expected {expected:?}", best.1);
    }
}

const NOISE_RULES: [NoiseRule; 3] = [NoiseRule::RandomDirection, NoiseRule::RandomPosition, NoiseRule::RandomWalk];

/// The published screen with few pixels, where only the dots matter.
fn coarse_monitor() -> Monitor {
    Monitor::WANG2025.with_raster(Raster { height: 9, width: 16 })
}

/// A dot at two frames: where it was before and halfway and how it moved, the seam of the field undone.
struct Moved {
    before: [f64; 2],
    halfway: [f64; 2],
    by: [f64; 2],
    signal: bool,
    lived: bool,
}

fn moved(shown: &Prepared, from: usize, to: usize) -> Vec<Moved> {
    let side = f64::from(shown.dots().expect("moving dots").side_deg());
    let pair = |(b, a): (Dot, Dot)| {
        let by = [0, 1].map(|axis| {
            let d = f64::from(a.position[axis]) - f64::from(b.position[axis]);
            d - side * (d / side).round()
        });
        let before = b.position.map(f64::from);
        let halfway = [0, 1].map(|axis| before[axis] + by[axis] / 2.0);
        Moved { before, halfway, by, signal: b.signal, lived: a.life == b.life }
    };
    all(shown, from).into_iter().zip(all(shown, to)).map(pair).collect()
}

/// Unit displacement along a direction.
fn along(by: [f64; 2], direction: [f64; 2]) -> f64 {
    (by[0] * direction[0] + by[1] * direction[1]) / (by[0].hypot(by[1]) * direction[0].hypot(direction[1]))
}

#[test]
fn under_every_noise_rule_the_mean_unit_displacement_is_the_coherence() {
    let turned = |v: [f64; 2], degrees: f64| {
        let (sin, cos) = degrees.to_radians().sin_cos();
        [cos * v[0] - sin * v[1], sin * v[0] + cos * v[1]]
    };
    for motion in [Motion::Translation, Motion::Flow] {
        for noise_rule in NOISE_RULES {
            let base = MovingDots {
                motion,
                noise_rule,
                direction_deg: 70.0,
                spiral_deg: 25.0,
                coherence: 0.5,
                lifetime_secs: 600.0,
                ..Default::default()
            };
            let dots = with_count(200, base);
            let measured = (0..200).map(|seed| {
                let shown = prepared(dots.clone(), &coarse_monitor(), seed);
                // A spiral points where the flow does halfway; a step or jump knows only where it starts.
                let spirals = |dot: &Moved| dot.signal || noise_rule == NoiseRule::RandomDirection;
                let mean = |signal: bool| {
                    let of_kind = moved(&shown, 10, 11).into_iter().filter(|dot| {
                        dot.signal == signal && (dot.lived || (!signal && noise_rule == NoiseRule::RandomPosition))
                    });
                    let towards = |dot: &Moved| match motion {
                        Motion::Translation => turned([1.0, 0.0], 70.0),
                        Motion::Flow => turned(if spirals(dot) { dot.halfway } else { dot.before }, 25.0),
                    };
                    moments(of_kind.map(|dot| along(dot.by, towards(&dot)))).0
                };
                let signal = mean(true);
                // Positions are kept in single precision, to 4e-6 degrees; the slowest of 20,000 dots, half a degree
                // from the centre of the flow, moves 0.017.
                assert!((signal - 1.0).abs() < 1e-4, "{motion:?} seed {seed}: {signal}");
                0.5 * signal + 0.5 * mean(false)
            });
            let (mean, deviation) = moments(measured);
            // Standard error sqrt((1 - c) / 2N) = 0.0354 of one seed; of 200 seeds the mean to 0.0025, the deviation to
            // 0.0018; four of each, and 0.002 for the noise dots whose lives ended.
            assert!((mean - 0.5).abs() < 0.01, "{motion:?} {noise_rule:?}: {mean}");
            assert!((deviation - 0.0354).abs() < 0.0092, "{motion:?} {noise_rule:?}: {deviation}");
        }
    }
}

#[test]
fn density_is_uniform_at_all_times_under_every_motion() {
    let flow = |spiral_deg: f64, coherence: f64| MovingDots {
        motion: Motion::Flow,
        spiral_deg,
        coherence,
        speed_deg_per_sec: 60.0,
        ..Default::default()
    };
    let mut cases: Vec<MovingDots> = [0.0, 60.0, 90.0, 135.0, 180.0, 270.0].map(|spiral| flow(spiral, 1.0)).into();
    cases.push(flow(0.0, 0.0));
    cases.push(MovingDots { lifetime_secs: 10.0, ..flow(0.0, 1.0) });
    cases.push(MovingDots { lifetime_secs: 10.0, ..flow(180.0, 1.0) });
    cases.push(MovingDots { centre_x_deg: 30.0, centre_y_deg: -20.0, ..flow(180.0, 1.0) });
    cases.push(MovingDots { noise_rule: NoiseRule::RandomWalk, ..flow(0.0, 0.5) });
    cases.push(MovingDots { noise_rule: NoiseRule::RandomPosition, ..flow(0.0, 0.5) });
    cases.push(MovingDots { noise_rule: NoiseRule::RandomWalk, motion: Motion::Translation, ..flow(0.0, 0.5) });
    for dots in cases {
        let dots = MovingDots { density_per_1000_deg2: 100.0, ..dots };
        let shown = prepared(dots.clone(), &coarse_monitor(), 5);
        let mut counts = [0f64; 16];
        // Frames so far apart that every dot has been born anew: 40 independent looks, early and late in lives.
        let totals = (0..40).map(|look| {
            let mut total = 0.0;
            for dot in all(&shown, look * 997) {
                let cell = dot.position.map(|v| ((v + 56.0) / 28.0).floor());
                if cell.iter().all(|v| (0.0..4.0).contains(v)) {
                    counts[(cell[1] * 4.0 + cell[0]) as usize] += 1.0;
                    total += 1.0;
                }
            }
            total
        });
        let (total, scatter) = moments(totals);
        // 1254 dots in each look; no more scatter over time than chance gives, 35 with a standard error of 4: four.
        assert!((total - 1254.4).abs() < 4.0 * 35.4 / 40f64.sqrt() && scatter < 51.0, "{dots:?}: {total} ± {scatter}");
        // Cells of 28 by 28 degrees, all over the screen and beyond.
        let expected = 40.0 * 0.1 * 28.0 * 28.0;
        let chi: f64 = counts.iter().map(|c| (c - expected).powi(2) / expected).sum();
        // Chi-squared with 16 degrees of freedom: 42.9 is passed three times in ten thousand.
        assert!(chi < 42.9, "{dots:?}: {chi}, expected {expected} in each: {counts:?}");
    }
}

#[test]
fn a_flow_has_the_divergence_curl_and_speed_of_its_spiral_angle() {
    for spiral_deg in [0.0, 45.0, 90.0, 135.0, 180.0, 225.0, 270.0, 315.0, -90.0] {
        let dots = MovingDots {
            motion: Motion::Flow,
            spiral_deg,
            centre_x_deg: 12.0,
            centre_y_deg: -7.0,
            speed_deg_per_sec: 45.0,
            ..Default::default()
        };
        let shown = prepared(dots, &coarse_monitor(), 8);
        // Sums of the least-squares fit of displacement = (a z), both as complex numbers.
        let (mut real, mut imaginary, mut squares, mut count) = (0.0, 0.0, 0.0, 0);
        for Moved { halfway, by, .. } in moved(&shown, 30, 31).into_iter().filter(|dot| dot.lived) {
            let [x, y] = [halfway[0] - 12.0, halfway[1] + 7.0];
            real += by[0] * x + by[1] * y;
            imaginary += by[1] * x - by[0] * y;
            squares += x * x + y * y;
            count += 1;
            // 45 deg/s 30 degrees from the centre, in proportion elsewhere.
            let speed = by[0].hypot(by[1]) * 30.0 / x.hypot(y);
            assert!((speed - 1.5).abs() < 2e-3, "{spiral_deg}: {speed} per second at {x} {y}");
        }
        assert!(count > 80, "{count}");
        let (divergence, curl) = (2.0 * real / squares * 30.0, 2.0 * imaginary / squares * 30.0);
        let (sin, cos) = f64::to_radians(spiral_deg).sin_cos();
        // One frame is a twentieth of a radian or of an e-fold: its chord differs from its arc by 0.05^2 / 12.
        assert!((divergence - 3.0 * cos).abs() < 2e-3, "{spiral_deg}: divergence {divergence} per second");
        assert!((curl - 3.0 * sin).abs() < 2e-3, "{spiral_deg}: curl {curl} per second");
    }
}

#[test]
fn no_dot_outlives_its_lifetime_under_any_motion() {
    for (motion, spiral_deg) in [(Motion::Translation, 0.0), (Motion::Flow, 0.0), (Motion::Flow, 200.0)] {
        for noise_rule in NOISE_RULES {
            let base = MovingDots { motion, spiral_deg, noise_rule, coherence: 0.5, ..Default::default() };
            let shown = prepared(with_count(2000, base), &coarse_monitor(), 4);
            // 0.67 s are 20 frames.
            let outlived = moved(&shown, 100, 120).iter().filter(|dot| dot.lived).count();
            assert_eq!(outlived, 0, "{motion:?} {spiral_deg} {noise_rule:?}");
            let ages = moved(&shown, 100, 119).iter().filter(|dot| dot.lived && dot.signal).count();
            assert!(ages > 0, "{motion:?} {spiral_deg}: some live the whole time");
        }
    }
}

#[test]
fn a_random_walk_takes_steps_of_one_length_in_unrelated_directions() {
    let base = MovingDots {
        coherence: 0.0,
        noise_rule: NoiseRule::RandomWalk,
        lifetime_secs: 600.0,
        speed_deg_per_sec: 60.0,
        ..Default::default()
    };
    let shown = prepared(with_count(4000, base), &coarse_monitor(), 3);
    let (first, second, long) = (moved(&shown, 50, 51), moved(&shown, 51, 52), moved(&shown, 50, 75));
    for dot in first.iter().filter(|dot| dot.lived) {
        let step = dot.by[0].hypot(dot.by[1]);
        assert!((step - 2.0).abs() < 5e-5, "{step}");
    }
    let both = first.iter().zip(&second).filter(|(a, b)| a.lived && b.lived);
    let (related, _) = moments(both.map(|(a, b)| along(a.by, b.by)));
    // Standard error 1 / sqrt(2 N) = 0.011, of which four.
    assert!(related.abs() < 0.045, "{related}");
    let (squares, _) = moments(long.iter().filter(|d| d.lived).map(|d| d.by[0].powi(2) + d.by[1].powi(2)));
    // 25 steps of 2 degrees: the mean square is 100, its standard error that of an exponential, 100 / sqrt(4000).
    assert!((squares - 100.0).abs() < 6.4, "{squares}");
}

#[test]
fn dots_of_random_position_are_somewhere_else_in_each_frame() {
    let base = MovingDots { coherence: 0.25, noise_rule: NoiseRule::RandomPosition, ..Default::default() };
    let shown = prepared(with_count(2000, base), &coarse_monitor(), 3);
    let (noise, signal): (Vec<_>, Vec<_>) = moved(&shown, 50, 51).into_iter().partition(|dot| !dot.signal);
    assert_eq!((noise.len(), signal.len()), (1500, 500));
    assert!(noise.iter().all(|dot| !dot.lived));
    // 19 of 20 signal dots live on.
    assert!(signal.iter().filter(|dot| dot.lived).count() > 440);
    let side = f64::from(shown.dots().expect("moving dots").side_deg());
    let (squares, _) = moments(noise.iter().map(|dot| dot.by[0].powi(2) / (side * side)));
    // Of a difference that is uniform over one side: 1/12, standard deviation sqrt(1/180), over sqrt(1500), four times.
    assert!((squares - 1.0 / 12.0).abs() < 0.008, "{squares}");
}

#[test]
fn polarity_says_which_contrasts_occur() {
    for (polarity, white) in [(Polarity::Both, 100), (Polarity::White, 200), (Polarity::Black, 0)] {
        let dots = with_count(200, MovingDots { polarity, contrast: 0.5, ..Default::default() });
        let shown = prepared(dots, &small_monitor(), 3);
        let greys: Vec<f32> = all(&shown, 9).iter().map(|dot| dot.grey).collect();
        assert_eq!(greys.iter().filter(|&&grey| grey == 191.5).count(), white, "{polarity:?}");
        assert_eq!(greys.iter().filter(|&&grey| grey == 64.0).count(), 200 - white, "{polarity:?}");
        let pixels = draw(&shown, 9);
        assert_eq!(pixels.iter().any(|&grey| grey > 128), white > 0, "{polarity:?}");
        assert_eq!(pixels.iter().any(|&grey| grey < 128), white < 200, "{polarity:?}");
    }
}

#[test]
fn coarse_pixels_and_dots_at_the_edge_of_the_screen_are_drawn_as_the_disc_says() {
    // Every pixel against every dot, without looking which of them can touch.
    for raster in [Raster { height: 9, width: 16 }, Raster { height: 72, width: 128 }] {
        let monitor = Monitor::WANG2025.with_raster(raster);
        for diameter_deg in [1.0, 6.0, 40.0] {
            let dots = MovingDots { diameter_deg, density_per_1000_deg2: 5.0, ..Default::default() };
            let shown = prepared(dots, &monitor, 17);
            let screen = twinscope::stimulus::Screen::new(&monitor);
            let expected: Vec<u8> = screen
                .places()
                .iter()
                .map(|place| {
                    let mut grey = 128.0f32;
                    for dot in all(&shown, 33) {
                        let [x, y] = [0, 1].map(|axis| place.position[axis] - dot.position[axis]);
                        let distance = x.hypot(y).max(1e-6);
                        let slope = |step: [f32; 2]| (x * step[0] + y * step[1]) / distance;
                        let ramp = slope(place.per_column).hypot(slope(place.per_row)).max(1e-6);
                        let cover = (0.5 + (diameter_deg as f32 / 2.0 - distance) / ramp).clamp(0.0, 1.0);
                        grey += cover * (dot.grey - grey);
                    }
                    (grey + 0.5) as u8
                })
                .collect();
            // Written in another order, so now and then the last digit differs.
            let far = draw(&shown, 33).iter().zip(&expected).filter(|(a, b)| a.abs_diff(**b) > 1).count();
            assert_eq!(far, 0, "{raster}, {diameter_deg} degrees");
        }
    }
}
