use twinscope::signals::Monitor;
use twinscope::stimulus::SparseNoise;
use twinscope::stimulus::dots::Polarity;
use twinscope::stimulus::sparse_noise::SparsePatterns;

use super::{draw, moments, prepared};

fn patterns(noise: &SparseNoise, seed: u64) -> SparsePatterns {
    SparsePatterns::new(noise, &Monitor::WANG2025, seed).expect("noise that can be shown")
}

#[test]
fn squares_are_white_and_black_as_often_as_the_density_says() {
    for density in [0.05, 0.3, 1.0] {
        let noise = SparseNoise { density, refresh_hz: 30.0, ..Default::default() };
        let patterns = patterns(&noise, 3);
        let squares: Vec<f64> = (0..400).flat_map(|frame| patterns.pattern(frame)).map(f64::from).collect();
        let count = squares.len() as f64;
        let (shown, _) = moments(squares.iter().map(|v| v.abs()));
        // Binomial, four standard errors; about 370,000 squares.
        assert!((shown - density).abs() <= 4.0 * (density * (1.0 - density) / count).sqrt(), "{density}: {shown}");
        let (mean, _) = moments(squares.iter().copied());
        assert!(mean.abs() < 4.0 * (density / count).sqrt(), "{density}: white minus black {mean}");
    }
}

#[test]
fn squares_are_independent_of_their_neighbours_and_of_the_pattern_before() {
    let noise = SparseNoise { density: 0.4, refresh_hz: 30.0, ..Default::default() };
    let patterns = patterns(&noise, 11);
    let columns = patterns.columns();
    let (mut beside, mut above, mut before) = (Vec::new(), Vec::new(), Vec::new());
    for frame in 1..200 {
        let (last, now) = (patterns.pattern(frame - 1), patterns.pattern(frame));
        beside.extend(now.chunks_exact(columns).flat_map(|row| row.windows(2)).map(|pair| pair[0] * pair[1]));
        above.extend(now.iter().zip(&now[columns..]).map(|(a, b)| a * b));
        before.extend(now.iter().zip(&last).map(|(a, b)| a * b));
    }
    for (name, products) in [("beside", beside), ("above", above), ("before", before)] {
        let (mean, _) = moments(products.iter().map(|&v| f64::from(v)));
        // A product has mean 0 and deviation 0.4.
        assert!(mean.abs() < 4.0 * 0.4 / (products.len() as f64).sqrt(), "{name}: {mean}");
        let (both, _) = moments(products.iter().map(|&v| f64::from(v.abs())));
        // Both on with chance 0.16, deviation 0.37.
        assert!((both - 0.16).abs() < 4.0 * 0.37 / (products.len() as f64).sqrt(), "{name}: {both}");
    }
}

#[test]
fn the_pattern_is_what_the_picture_shows() {
    let noise = SparseNoise { density: 0.3, contrast: 0.5, ..Default::default() };
    let (patterns, shown) = (patterns(&noise, 5), prepared(noise, &Monitor::WANG2025, 5));
    for frame in [0, 8, 500] {
        let (pattern, pixels) = (patterns.pattern(frame), draw(&shown, frame));
        assert_eq!(pattern.len(), patterns.columns() * patterns.rows());
        for row in 0..144 {
            for column in 0..256 {
                let (across, down) = patterns.square_of_pixel(row, column);
                let expected = [64, 128, 192][(pattern[down * patterns.columns() + across] + 1) as usize];
                assert_eq!(pixels[row * 256 + column], expected, "frame {frame}, row {row}, column {column}");
            }
        }
    }
}

#[test]
fn a_square_has_the_right_size_at_the_centre() {
    // 8.43024 degrees are linear in the tangent plane: 10 pixels of 0.843024 degrees.
    let noise = SparseNoise { square_deg: 8.43024, density: 0.5, ..Default::default() };
    let patterns = patterns(&noise, 9);
    // Square 0 starts at the centre, between columns 127 and 128.
    for column in 0..256 {
        assert_eq!(patterns.square_of_pixel(0, column).0, (column + 2) / 10, "{column}");
    }
    let pixels = draw(&prepared(noise, &Monitor::WANG2025, 9), 0);
    let row = &pixels[70 * 256..71 * 256];
    assert!((0..24).all(|square| row[8 + square * 10..18 + square * 10].iter().all(|v| *v == row[8 + square * 10])));
}

#[test]
fn patterns_change_at_the_refresh_rate_only() {
    let shown = prepared(SparseNoise { refresh_hz: 10.0, ..Default::default() }, &Monitor::WANG2025, 4);
    let frames: Vec<_> = (0..90).map(|frame| draw(&shown, frame)).collect();
    let changes: Vec<usize> = (1..90).filter(|&frame| frames[frame] != frames[frame - 1]).collect();
    assert_eq!(changes, (1..30).map(|k| 3 * k).collect::<Vec<_>>());
}

#[test]
fn one_polarity_is_shown_where_both_would_be() {
    let noise = |polarity| SparseNoise { polarity, density: 0.2, ..Default::default() };
    let shown = |polarity| patterns(&noise(polarity), 6).pattern(3);
    let both = shown(Polarity::Both);
    assert!(both.contains(&1) && both.contains(&-1));
    assert_eq!(shown(Polarity::White), both.iter().map(|v| v.abs()).collect::<Vec<_>>());
    assert_eq!(shown(Polarity::Black), both.iter().map(|v| -v.abs()).collect::<Vec<_>>());
}

#[test]
fn noise_without_density_or_contrast_is_the_background() {
    for noise in [
        SparseNoise { density: 0.0, ..Default::default() },
        SparseNoise { contrast: 0.0, density: 1.0, ..Default::default() },
    ] {
        assert!(draw(&prepared(noise, &Monitor::WANG2025, 4), 5).iter().all(|&grey| grey == 128));
    }
}

#[test]
fn impossible_patterns_are_refused() {
    let noise = SparseNoise { density: f64::NAN, ..Default::default() };
    assert!(SparsePatterns::new(&noise, &Monitor::WANG2025, 1).is_err());
    let monitor = Monitor { width_cm: f64::INFINITY, ..Monitor::WANG2025 };
    assert!(SparsePatterns::new(&SparseNoise::default(), &monitor, 1).is_err());
    // A screen almost at the eye has more squares than pixels; those without a pixel are left out.
    let monitor = Monitor { distance_cm: 1e-6, ..Monitor::WANG2025 };
    let patterns = SparsePatterns::new(&SparseNoise::default(), &monitor, 1).expect("a monitor that can be drawn on");
    assert!(patterns.columns() <= 256 && patterns.rows() <= 144);
}
