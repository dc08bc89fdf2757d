use std::collections::HashSet;
use std::path::Path;

use image::{GrayImage, Luma, Rgb, RgbImage};
use tempfile::TempDir;
use twinscope::signals::{FrameSource, Monitor, Raster};
use twinscope::stimulus::images::ImageOrder;
use twinscope::stimulus::{Condition, Images, Prepared, Presentation, Schedule, ScheduleSource, Stimulus};

use super::{draw, prepared};

fn monitor() -> Monitor {
    Monitor::WANG2025.with_raster(Raster { height: 6, width: 8 })
}

/// Images of sizes of their own; image i has the grey level 20 + i.
fn folder(count: u32) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for i in 0..count {
        let picture = GrayImage::from_pixel(8 + i % 5, 6 + i % 3, Luma([20 + i as u8]));
        picture.save(folder.path().join(format!("image{i}.png"))).expect("a PNG");
    }
    folder
}

fn sequence(images: &Images, seed: u64) -> Prepared {
    prepared(images.clone(), &monitor(), seed)
}

/// Image of each frame, from the pixels.
fn seen(prepared: &Prepared) -> Vec<Option<usize>> {
    let image = |frame| match draw(prepared, frame)[0] {
        128 => None,
        level => Some(usize::from(level) - 20),
    };
    (0..prepared.frames().expect("a sequence ends")).map(image).collect()
}

#[test]
fn each_image_is_on_for_15_frames_and_then_grey_for_12_to_18() {
    let folder = folder(40);
    let prepared = sequence(&Images::from_path(folder.path()), 3);
    let shown = prepared.images().expect("images").shown();
    assert_eq!(shown.iter().map(|shown| shown.image).collect::<Vec<_>>(), (0..40).collect::<Vec<_>>());
    assert!(shown.iter().all(|shown| shown.frames == 15));
    let ends = shown.iter().map(|shown| shown.onset_frame).skip(1).chain(prepared.frames());
    let off: Vec<usize> = shown.iter().zip(ends).map(|(shown, end)| end - shown.onset_frame - 15).collect();
    assert!(off.iter().all(|frames| (12..=18).contains(frames)), "{off:?}");
    // 40 draws of 7 values leave one out with a chance of 1.5 %; this seed does not.
    assert_eq!(off.iter().collect::<HashSet<_>>().len(), 7, "{off:?}");
}

#[test]
fn the_image_of_a_frame_is_the_one_on_the_screen() {
    let folder = folder(12);
    for order in [ImageOrder::Listed, ImageOrder::Shuffled] {
        let prepared = sequence(&Images { order, ..Images::from_path(folder.path()) }, 8);
        let images = prepared.images().expect("images");
        let told: Vec<Option<usize>> = (0..prepared.frames().expect("an end")).map(|frame| images.at(frame)).collect();
        assert_eq!(told, seen(&prepared));
        assert_eq!(images.at(usize::MAX), None);
        assert_eq!((images.len(), images.file(11)), (12, Some(folder.path().join("image11.png").as_path())));
    }
}

#[test]
fn a_shuffled_order_is_drawn_from_the_seed_and_shows_each_image_once() {
    let folder = folder(20);
    let images = Images { order: ImageOrder::Shuffled, ..Images::from_path(folder.path()) };
    let order = |images: &Images, seed| -> Vec<usize> {
        sequence(images, seed).images().expect("images").shown().iter().map(|shown| shown.image).collect()
    };
    let one = order(&images, 1);
    assert_eq!(one.iter().copied().collect::<HashSet<_>>().len(), 20);
    assert_eq!(one, order(&images, 1));
    assert_ne!(one, order(&images, 2));
    assert_ne!(one, order(&images, 1 + (1 << 32)));
    // Some of them: the first of the same order.
    assert_eq!(order(&Images { count: 5, ..images.clone() }, 1), one[..5]);
    assert_eq!(order(&Images { count: 3, order: ImageOrder::Listed, ..images }, 1), [0, 1, 2]);
}

#[test]
fn every_image_comes_first_equally_often() {
    let folder = folder(4);
    let images = Images { order: ImageOrder::Shuffled, count: 1, ..Images::from_path(folder.path()) };
    let mut times = [0; 4];
    for seed in 0..400 {
        times[sequence(&images, seed).images().expect("images").shown()[0].image] += 1;
    }
    // 100 each, standard deviation 8.7: four of them.
    assert!(times.iter().all(|&times| (65..=135).contains(&times)), "{times:?}");
}

#[test]
fn one_image_can_be_shown_alone() {
    let folder = folder(12);
    let alone = Images { image: 7, ..Images::from_path(folder.path()) };
    let prepared = sequence(&alone, 1);
    assert_eq!(draw(&prepared, 0), [27; 48]);
    assert_eq!((draw(&prepared, 14)[0], draw(&prepared, 15)[0]), (27, 128));
    assert!(!Stimulus::from(alone.clone()).is_random());
    let mut stimulus = Stimulus::from(alone);
    assert!(stimulus.set("image", 2.0));
    assert_eq!(stimulus.get("image"), Some(2.0));
    let beyond = Stimulus::from(Images { image: 12, ..Images::from_path(folder.path()) });
    let error = Prepared::new(&beyond, &monitor(), 1).expect_err("there is no such image").to_string();
    assert_eq!(error, "Static images: `image` is 12, but the folder has 12 images, counted from 0");
}

#[test]
fn a_sequence_that_leaves_nothing_to_chance_is_not_random() {
    let still = Images { off_jitter_secs: 0.0, ..Images::default() };
    assert!(!Stimulus::from(still.clone()).is_random());
    assert!(Stimulus::from(Images { order: ImageOrder::Shuffled, ..still }).is_random());
    assert!(Stimulus::from(Images::default()).is_random());
}

#[test]
fn each_presentation_of_a_schedule_has_its_own_order() {
    let folder = folder(9);
    let stimulus: Stimulus = Images {
        order: ImageOrder::Shuffled,
        off_secs: 0.0,
        off_jitter_secs: 0.0,
        on_secs: 1.0 / 30.0,
        ..Images::from_path(folder.path())
    }
    .into();
    let presentations = [5, 6, 5]
        .iter()
        .enumerate()
        .map(|(repeat, &seed)| Presentation { condition: 0, repeat, onset_frame: 9 * repeat, frames: 9, seed })
        .collect();
    let conditions =
        vec![Condition { part: Some(0), swept: Vec::new(), stimulus: stimulus.clone(), modifiers: Vec::new() }];
    let mut source = ScheduleSource::new(Schedule { conditions, presentations, frames: 27 }, &monitor())
        .unwrap_or_else(|error| panic!("{error}"));
    let mut pixels = vec![0; 27 * 48];
    source.read(0, 27, &mut pixels).expect("27 frames");
    let orders: Vec<Vec<u8>> = pixels.chunks(9 * 48).map(|shown| shown.iter().step_by(48).copied().collect()).collect();
    assert_eq!(orders[0], orders[2]);
    assert_ne!(orders[0], orders[1]);
    let alone = prepared(stimulus, &monitor(), 6);
    assert_eq!(orders[1], (0..9).map(|frame| draw(&alone, frame)[0]).collect::<Vec<_>>());
}

#[test]
fn contrast_acts_about_the_mean_of_each_image() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, levels) in [("a.png", [10, 30]), ("b.png", [100, 200])] {
        GrayImage::from_raw(2, 1, levels.into()).expect("two pixels").save(folder.path().join(name)).expect("a PNG");
    }
    let screen = Monitor::WANG2025.with_raster(Raster { height: 1, width: 2 });
    let images = Images { contrast: 0.5, off_secs: 0.0, off_jitter_secs: 0.0, ..Images::from_path(folder.path()) };
    let prepared = prepared(images, &screen, 1);
    assert_eq!((draw(&prepared, 0), draw(&prepared, 15)), (vec![15, 25], vec![125, 175]));
}

#[test]
fn what_cannot_be_shown_is_refused_in_one_sentence() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let said = |images: Images| {
        let stimulus = Stimulus::from(images);
        let refused = stimulus.validate_for(&monitor()).and_then(|()| Prepared::new(&stimulus, &monitor(), 1));
        refused.expect_err("it is impossible").to_string()
    };
    let from = |path: &Path| Images::from_path(path);
    assert!(said(Images::default()).starts_with("no images were chosen"));
    assert!(said(from(folder.path())).contains("the folder holds no pictures"));
    assert!(said(from(&folder.path().join("no"))).contains("could not be opened"));
    std::fs::write(folder.path().join("a.png"), b"no picture").expect("a temporary file");
    assert!(said(from(folder.path())).contains("a.png cannot be read"));
    assert!(said(from(&folder.path().join("a.png"))).contains("could not be opened"));
    assert_eq!(
        said(Images { off_secs: 0.05, ..from(folder.path()) }),
        "Static images: `off_jitter_secs` is 0.1, more than the time off of 0.05 s"
    );
    assert!(said(Images { on_secs: 0.011, ..from(folder.path()) }).contains("less than half a frame"));
    let many = tempfile::tempdir().expect("a temporary folder");
    for i in 0..80 {
        RgbImage::from_pixel(2, 2, Rgb([i; 3])).save(many.path().join(format!("{i}.png"))).expect("a PNG");
    }
    assert!(said(Images { off_secs: 599.0, ..from(many.path()) }).contains("last longer than 10 hours"));
}
