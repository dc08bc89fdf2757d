use twinscope::signals::Monitor;
use twinscope::stimulus::{BinaryNoise, WhiteNoise};

use super::{draw, moments, prepared};

#[test]
fn grey_levels_are_gaussian_with_the_deviation_that_was_asked() {
    let noise = WhiteNoise { square_deg: 0.5, refresh_hz: 30.0, contrast: 0.25 };
    let shown = prepared(noise, &Monitor::WANG2025, 3);
    let values: Vec<f64> = (0..20).flat_map(|frame| draw(&shown, frame)).map(f64::from).collect();
    let (mean, deviation) = moments(values.iter().copied());
    // 0.25 of a swing of 127; rounding adds 1/12 to the variance. Half a degree is below a pixel at the centre, so all
    // 737,280 values are independent: standard errors 0.037 and 0.026.
    assert!((mean - 128.0).abs() < 0.2, "{mean}");
    assert!((deviation - (31.75f64.powi(2) + 1.0 / 12.0).sqrt()).abs() < 0.13, "{deviation}");
    let (kurtosis, _) = moments(values.iter().map(|v| ((v - mean) / deviation).powi(4)));
    // Standard error sqrt(96 / n) = 0.011.
    assert!((kurtosis - 3.0).abs() < 0.06, "{kurtosis}");
    let beyond = values.iter().filter(|v| (*v - 128.0).abs() > 63.5).count() as f64 / values.len() as f64;
    assert!((beyond - 0.0455).abs() < 0.0015, "{beyond} beyond two deviations");
}

#[test]
fn a_square_has_the_right_size_at_the_centre_and_one_level() {
    // 8.43024 degrees are linear in the tangent plane: 10 pixels of 0.843024 degrees.
    let shown = prepared(WhiteNoise { square_deg: 8.43024, ..Default::default() }, &Monitor::WANG2025, 9);
    let pixels = draw(&shown, 0);
    let row = &pixels[70 * 256..71 * 256];
    // Square 0 starts at the centre, between columns 127 and 128.
    for square in 0..12 {
        let inside = &row[128 + square * 10..128 + (square + 1) * 10];
        assert!(inside.iter().all(|&grey| grey == inside[0]), "square {square}: {inside:?}");
    }
    let distinct = (0..24).map(|s| row[8 + s * 10]).collect::<std::collections::HashSet<_>>().len();
    assert!(distinct > 12, "{distinct} levels in 24 squares");
}

#[test]
fn patterns_change_at_the_refresh_rate_only() {
    let shown = prepared(WhiteNoise { refresh_hz: 10.0, ..Default::default() }, &Monitor::WANG2025, 4);
    let frames: Vec<_> = (0..90).map(|frame| draw(&shown, frame)).collect();
    let changes: Vec<usize> = (1..90).filter(|&frame| frames[frame] != frames[frame - 1]).collect();
    assert_eq!(changes, (1..30).map(|k| 3 * k).collect::<Vec<_>>());
}

#[test]
fn noise_without_contrast_is_the_background() {
    let shown = prepared(WhiteNoise { contrast: 0.0, ..Default::default() }, &Monitor::WANG2025, 4);
    assert!(draw(&shown, 5).iter().all(|&grey| grey == 128));
}

#[test]
fn binary_noise_is_black_or_white_with_equal_probability() {
    for (contrast, black, white) in [(1.0, 1, 255), (0.5, 65, 192), (0.0, 128, 128)] {
        let noise = BinaryNoise { square_deg: 0.5, refresh_hz: 30.0, contrast };
        let shown = prepared(noise, &Monitor::WANG2025, 3);
        let values: Vec<u8> = (0..8).flat_map(|frame| draw(&shown, frame)).collect();
        assert!(values.iter().all(|&grey| grey == black || grey == white), "contrast {contrast}");
        let share = values.iter().filter(|&&grey| grey == white).count() as f64 / values.len() as f64;
        // 294,912 independent squares: standard error 0.0009.
        assert!(contrast == 0.0 || (share - 0.5).abs() < 0.004, "contrast {contrast}: {share} white");
    }
}

#[test]
fn squares_of_binary_noise_are_independent_of_their_neighbours_and_of_their_past() {
    let shown = prepared(BinaryNoise { square_deg: 0.5, refresh_hz: 30.0, contrast: 1.0 }, &Monitor::WANG2025, 7);
    let white = |frame| draw(&shown, frame).into_iter().map(|grey| grey > 128).collect::<Vec<bool>>();
    let (now, next) = (white(0), white(1));
    let same = |other: &[bool]| now.iter().zip(other).filter(|(a, b)| a == b).count() as f64 / other.len() as f64;
    // 36,864 squares: standard error 0.0026.
    for (what, share) in [("right", same(&now[1..])), ("below", same(&now[256..])), ("later", same(&next))] {
        assert!((share - 0.5).abs() < 0.012, "{what}: {share} agree");
    }
}
