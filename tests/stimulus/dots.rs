use twinscope::signals::{FrameRate, Monitor};
use twinscope::stimulus::dots::Dot;
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
