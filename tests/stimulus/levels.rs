use twinscope::signals::Monitor;
use twinscope::stimulus::modify::Aperture;
use twinscope::stimulus::{DriftingGrating, MovingDots, Prepared, Renderer, Screen};

use super::{computed, draw, prepared, small_monitor};
use crate::gpu::gpu;

fn linear(monitor: Monitor) -> Monitor {
    Monitor { linear_light: true, ..monitor }
}

#[test]
fn the_michelson_contrast_of_a_linear_light_grating_in_luminance_is_its_contrast() {
    let monitor = linear(Monitor::WANG2025);
    for contrast in [0.2, 0.5, 0.8, 1.0] {
        let pixels = draw(&prepared(DriftingGrating { contrast, ..Default::default() }, &monitor, 1), 0);
        let luminances = pixels.iter().map(|&grey| monitor.luminance(grey));
        let (least, most) = luminances.clone().fold((1.0f64, 0.0f64), |(least, most), l| (least.min(l), most.max(l)));
        let found = (most - least) / (most + least);
        // The swing around 128 is 127 levels; both ends are rounded to whole levels, a percent of luminance each.
        assert!((found - contrast * 127.0 / 128.0).abs() < 0.01, "{contrast}: {found}");
        let mean = luminances.sum::<f64>() / pixels.len() as f64;
        // The stripes do not fit evenly onto the screen, the same as in grey.
        let plain = Monitor::WANG2025;
        let greys = draw(&prepared(DriftingGrating { contrast, ..Default::default() }, &plain, 1), 0);
        let mean_grey = greys.iter().map(|&grey| f64::from(grey)).sum::<f64>() / greys.len() as f64;
        assert!((mean / monitor.luminance(128) - mean_grey / 128.0).abs() < 0.005, "{mean}");
    }
}

#[test]
fn linear_light_is_the_last_step_also_after_modifiers() {
    let (plain, monitor) = (small_monitor(), linear(small_monitor()));
    let levels = monitor.linear_levels();
    let dots = MovingDots { contrast: 0.7, ..Default::default() }.into();
    let aperture = [Aperture { edge_deg: 20.0, ..Default::default() }.into()];
    let shown = |monitor| {
        let prepared = Prepared::modified(&dots, &aperture, monitor, 3);
        draw(&prepared.unwrap_or_else(|error| panic!("{error}")), 5)
    };
    let expected: Vec<u8> = shown(&plain).into_iter().map(|grey| levels[usize::from(grey)]).collect();
    assert!(shown(&monitor) == expected);
}

#[test]
fn pictures_from_files_stay_as_they_are() {
    let folder = tempfile::tempdir().expect("a folder for a picture");
    let path = folder.path().join("ramp.npy");
    let mut header = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    header.extend(format!("{:<117}\n", "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2, 128), }").bytes());
    header.extend(0..=255u8);
    std::fs::write(&path, header).expect("a file");
    let clip = twinscope::stimulus::Clip::from_path(path);
    let monitor = Monitor::WANG2025.with_raster(twinscope::signals::Raster { height: 2, width: 128 });
    assert_eq!(draw(&prepared(clip.clone(), &monitor, 0), 0), draw(&prepared(clip, &linear(monitor), 0), 0));
}

#[test]
fn the_gpu_shows_linear_light_too() {
    let Some(gpu) = gpu() else { return };
    let renderer = Renderer::new(&gpu);
    let monitor = linear(small_monitor());
    for stimulus in computed() {
        let shown = prepared(stimulus.clone(), &monitor, 9);
        let drawn = renderer.render(&shown, 20..23).unwrap_or_else(|error| panic!("{error}"));
        let drawn = drawn.try_into_data().expect("the device computed").try_to_vec::<f32>().expect("32-bit floats");
        let expected: Vec<u8> = (20..23).flat_map(|frame| draw(&shown, frame)).collect();
        let differ = drawn.iter().zip(&expected).filter(|(a, b)| **a != f32::from(**b)).count();
        // As without: where 32 and 64 bits round to different sides; dark levels lie far apart then.
        assert!(differ * 1000 <= expected.len(), "{}: {differ} of {}", stimulus.label(), expected.len());
    }
}

#[test]
fn small_angle_places_are_linear_on_the_screen() {
    let monitor = Monitor { angles: twinscope::signals::Angles::SmallAngle, ..Monitor::WANG2025 };
    let screen = Screen::new(&monitor);
    for (row, column) in [(0, 0), (72, 128), (143, 17)] {
        let place = screen.places()[row * 256 + column];
        let (x, y) = monitor.cm_from_pixel(row as f64, column as f64);
        for (found, cm) in place.position.into_iter().zip([x, y]) {
            assert!((f64::from(found) - (cm / 15.0).to_degrees()).abs() < 1e-5, "{place:?}");
        }
        let step = (56.5f64 / 256.0 / 15.0).to_degrees() as f32;
        assert!((place.per_column[0] - step).abs() < 1e-6 && place.per_column[1] == 0.0, "{place:?}");
        assert!(place.per_row[0] == 0.0 && place.per_row[1] < 0.0, "{place:?}");
    }
    // Dots are drawn wherever they are: none is lost at the border, which lies 108 small-angle degrees out.
    let dots = MovingDots { density_per_1000_deg2: 3.0, diameter_deg: 8.0, ..Default::default() };
    let pixels = draw(&prepared(dots, &monitor, 4), 3);
    let covered = |columns: std::ops::Range<usize>| {
        let count = columns.len() * 144;
        let changed = |c: &usize| (0..144).filter(|row| pixels[row * 256 + c] != 128).count();
        columns.map(|c| changed(&c)).sum::<usize>() as f64 / count as f64
    };
    // 3 dots of 50 square degrees on 1000: 15 percent, both in the middle and at the sides.
    assert!(
        (0.05..0.25).contains(&covered(64..192))
            && (0.05..0.25).contains(&((covered(0..40) + covered(216..256)) / 2.0))
    );
}
