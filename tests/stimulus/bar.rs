use twinscope::signals::Monitor;
use twinscope::stimulus::{MovingBar, MovingEdge, Screen};

use super::{draw, prepared, small_monitor};

const DIRECTIONS: [f64; 6] = [0.0, 45.0, 90.0, 160.0, 270.0, 333.0];

/// Position along a direction of the changed light, degrees, and its solid angle: weights are pixel areas in degrees.
fn mean_along(pixels: &[u8], screen: &Screen, direction_deg: f64) -> Option<(f64, f64)> {
    let (sin, cos) = direction_deg.to_radians().sin_cos();
    let (mut sum, mut weight) = (0.0, 0.0);
    for (grey, place) in pixels.iter().zip(screen.places()) {
        let ([a, b], [c, d]) = (place.per_column.map(f64::from), place.per_row.map(f64::from));
        let part = (f64::from(*grey) - 128.0).abs() * (a * d - b * c).abs();
        sum += part * (f64::from(place.position[0]) * cos + f64::from(place.position[1]) * sin);
        weight += part;
    }
    (weight > 0.0).then(|| (sum / weight, weight / 127.0))
}

#[test]
fn a_bar_moves_in_its_direction_at_its_speed() {
    let monitor = Monitor::WANG2025;
    let screen = Screen::new(&monitor);
    for direction_deg in DIRECTIONS {
        // Short enough that its ends stay on the screen while its middle passes the centre.
        let bar = MovingBar {
            direction_deg,
            speed_deg_per_sec: 36.0,
            length_deg: 30.0,
            width_deg: 6.0,
            repeat: false,
            ..Default::default()
        };
        let shown = prepared(bar, &monitor, 1);
        let at = |frame| mean_along(&draw(&shown, frame), &screen, direction_deg);
        let central: Vec<(usize, f64)> = (0..150)
            .step_by(4)
            .filter_map(|frame| Some((frame, at(frame)?.0)))
            .filter(|(_, s)| s.abs() < 20.0)
            .collect();
        let ((first, from), (last, to)) = (central[0], central[central.len() - 1]);
        let speed = (to - from) / (last - first) as f64 * 30.0;
        // Pixels of a degree: the centre of the bar is found to a twentieth of one over 40 degrees.
        assert!(central.len() > 6 && (speed - 36.0).abs() < 0.1, "{direction_deg}: {speed}");
    }
}

#[test]
fn a_bar_has_the_area_of_its_width_and_length() {
    let monitor = Monitor::WANG2025;
    let screen = Screen::new(&monitor);
    for (direction_deg, width_deg, length_deg) in [(0.0, 6.0, 30.0), (30.0, 0.3, 40.0), (250.0, 14.0, 14.0)] {
        let bar = MovingBar { direction_deg, width_deg, length_deg, ..Default::default() };
        let shown = prepared(bar, &monitor, 1);
        let areas: Vec<f64> = (40..90)
            .filter_map(|frame| mean_along(&draw(&shown, frame), &screen, direction_deg))
            .filter_map(|(middle, area)| (middle.abs() < 8.0).then_some(area))
            .collect();
        let mean = areas.iter().sum::<f64>() / areas.len() as f64;
        // The ends of a ramp are straight where pixels are squares: within two percent.
        let expected = width_deg * length_deg;
        assert!((mean / expected - 1.0).abs() < 0.02, "{direction_deg}: {mean}, expected {expected}");
    }
}

#[test]
fn bars_and_edges_start_out_of_view_and_enter_at_once_from_the_far_side() {
    let monitor = small_monitor();
    let screen = Screen::new(&monitor);
    for direction_deg in DIRECTIONS {
        let (sin, cos) = direction_deg.to_radians().sin_cos();
        let bar = prepared(MovingBar { direction_deg, ..Default::default() }, &monitor, 1);
        let edge = prepared(MovingEdge { direction_deg, ..Default::default() }, &monitor, 1);
        for shown in [bar, edge] {
            assert!(draw(&shown, 0).iter().all(|&grey| grey == 128), "{direction_deg}");
            // 30 deg/s: within 3 frames it has come 3 degrees far.
            let pixels = draw(&shown, 3);
            let (middle, _) = mean_along(&pixels, &screen, direction_deg).expect("it is in view");
            let farthest = screen
                .places()
                .iter()
                .map(|p| f64::from(p.position[0]) * cos + f64::from(p.position[1]) * sin)
                .fold(f64::INFINITY, f64::min);
            assert!((farthest - 0.5..farthest + 3.0).contains(&middle), "{direction_deg}: {middle} from {farthest}");
        }
    }
}

#[test]
fn a_bar_that_does_not_repeat_leaves_and_one_that_does_returns() {
    let monitor = small_monitor();
    for direction_deg in DIRECTIONS {
        let once = prepared(MovingBar { direction_deg, repeat: false, ..Default::default() }, &monitor, 1);
        // At most (2 x 66 + 10) degrees at 30 deg/s: 142 frames.
        for frame in [143, 200, 100_000] {
            assert!(draw(&once, frame).iter().all(|&grey| grey == 128), "{direction_deg} frame {frame}");
        }
        let again = prepared(MovingBar { direction_deg, ..Default::default() }, &monitor, 1);
        let blank = (200..400).filter(|&frame| draw(&again, frame).iter().all(|&grey| grey == 128)).count();
        // Out of view for at most a frame or two of each crossing.
        assert!(blank <= 6, "{direction_deg}: {blank} blank frames");
    }
}

#[test]
fn an_edge_leaves_its_level_behind_and_covers_everything_in_the_end() {
    let monitor = small_monitor();
    for (contrast, level) in [(1.0, 255), (-1.0, 0), (0.5, 192), (-0.5, 64)] {
        let edge = MovingEdge { direction_deg: 0.0, contrast, repeat: false, ..Default::default() };
        let shown = prepared(edge, &monitor, 1);
        let mut before = 0;
        for frame in (0..130).step_by(5) {
            let changed = draw(&shown, frame).iter().filter(|&&grey| grey == level).count();
            assert!(changed >= before, "an edge never goes back");
            before = changed;
        }
        let last = draw(&shown, 140);
        let other = last.iter().position(|&grey| grey != level);
        assert!(other.is_none(), "{contrast}: pixel {other:?} is {:?}", other.map(|index| last[index]));
        assert_eq!(draw(&shown, 5000), draw(&shown, 140));
    }
}

#[test]
fn the_front_of_a_rightward_edge_is_where_its_speed_puts_it() {
    let monitor = Monitor::WANG2025;
    let shown = prepared(MovingEdge { direction_deg: 0.0, ..Default::default() }, &monitor, 1);
    // The outermost degree on the horizontal meridian is 62.033; there a pixel is 0.185 degrees wide.
    let row = &draw(&shown, 60)[72 * 256..73 * 256];
    let front = row.iter().position(|&grey| grey < 192).expect("half of the screen is grey") as f64 - 0.5;
    let (x, _) = monitor.degrees_from_pixel(72.0, front);
    let expected = -124.0658 / 2.0 + 60.0;
    assert!((x - expected).abs() < 0.85, "{x}, expected {expected}: within a pixel");
}

#[test]
fn the_inside_of_a_bar_is_one_level() {
    let monitor = Monitor::WANG2025;
    let bar = MovingBar { direction_deg: 30.0, width_deg: 40.0, contrast: 0.5, ..Default::default() };
    let pixels = draw(&prepared(bar, &monitor, 1), 70);
    let levels = [191u8, 192].map(|level| pixels.iter().filter(|&&grey| grey == level).count());
    // 128 + 63.5 is rounded upward everywhere, whatever the rounding errors of places are.
    assert!(levels[1] > 3000 && levels[0] < 60, "{levels:?}");
}
