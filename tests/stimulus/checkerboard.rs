use twinscope::signals::Monitor;
use twinscope::stimulus::Checkerboard;

use super::{draw, prepared, small_monitor};

#[test]
fn checks_have_their_size_at_the_centre_and_are_equal_on_the_screen() {
    let monitor = Monitor::WANG2025;
    let pixels = draw(&prepared(Checkerboard::default(), &monitor, 1), 0);
    // 10 degrees at the tangent of the centre: 2.618 cm or 11.862 pixels.
    for (line, middle) in [
        (pixels[72 * 256..73 * 256].to_vec(), 127.5),
        ((0..144).map(|row| pixels[row * 256 + 128]).collect::<Vec<u8>>(), 71.5),
    ] {
        let edges: Vec<f64> =
            (1..line.len()).filter(|&i| line[i] != line[i - 1]).map(|i| i as f64 - 0.5 - middle).collect();
        for edge in &edges {
            let checks = edge / 11.862;
            // Edges lie between pixel centres: within half a pixel.
            assert!((checks - checks.round()).abs() * 11.862 <= 0.51, "{edge}");
        }
        assert_eq!(edges.len(), 2 * (middle / 11.862) as usize + 1);
    }
}

#[test]
fn neighbours_differ_and_half_the_screen_is_bright() {
    let monitor = small_monitor();
    let pixels = draw(&prepared(Checkerboard { contrast: 0.5, ..Default::default() }, &monitor, 1), 0);
    let bright = pixels.iter().filter(|&&grey| grey == 192).count();
    assert_eq!(bright + pixels.iter().filter(|&&grey| grey == 65).count(), pixels.len());
    // Point symmetric about a corner at the centre: exactly half only with mirror symmetry of the other sign.
    assert_eq!(bright, pixels.len() / 2);
    let (width, middle) = (128, 36 * 128 + 64);
    assert_eq!(pixels[middle], pixels[middle - width - 1]);
    assert_eq!(pixels[middle - 1], pixels[middle - width]);
    assert_ne!(pixels[middle], pixels[middle - 1]);
    assert_eq!(pixels[middle - width], 192, "the first check to the right and up is bright");
}

#[test]
fn reversals_swap_the_checks_at_their_rate() {
    let monitor = small_monitor();
    for (reversal_hz, every) in [(2.0, 15), (10.0, 3), (30.0, 1), (0.1, 300)] {
        let shown = prepared(Checkerboard { reversal_hz, ..Default::default() }, &monitor, 1);
        let first = draw(&shown, 0);
        let swapped: Vec<u8> = first.iter().map(|&grey| (256 - u16::from(grey)) as u8).collect();
        for frame in (0..64).chain(29_990..30_010) {
            let expected = if frame / every % 2 == 0 { &first } else { &swapped };
            assert!(draw(&shown, frame) == *expected, "{reversal_hz} Hz frame {frame}");
        }
    }
    let still = prepared(Checkerboard { reversal_hz: 0.0, ..Default::default() }, &monitor, 1);
    assert_eq!(draw(&still, 0), draw(&still, 1000));
}

#[test]
fn half_a_cycle_of_phase_swaps_the_checks_and_a_quarter_centres_one() {
    let monitor = small_monitor();
    let board = |phase_deg| draw(&prepared(Checkerboard { phase_deg, ..Default::default() }, &monitor, 1), 0);
    let swapped: Vec<u8> = board(0.0).iter().map(|&grey| (256 - u16::from(grey)) as u8).collect();
    assert!(board(180.0) == swapped && board(360.0) == board(0.0) && board(-180.0) == swapped);
    let quarter = board(90.0);
    for row in quarter.chunks_exact(128) {
        assert!(row.iter().eq(row.iter().rev()), "a check in the middle makes mirror symmetry");
    }
}
