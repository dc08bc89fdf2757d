use std::io::Write;
use std::path::{Path, PathBuf};

use image::codecs::gif::GifEncoder;
use image::{Delay, Frame, GrayImage, Rgb, RgbImage, RgbaImage};
use tempfile::TempDir;
use twinscope::signals::{Monitor, Raster};
use twinscope::stimulus::{Clip, ClipError, Prepared, StimulusError};

use super::draw;

fn monitor(height: usize, width: usize) -> Monitor {
    Monitor::WANG2025.with_raster(Raster { height, width })
}

fn read_at(path: &Path, monitor: &Monitor, frames_per_sec: Option<f64>) -> Result<Prepared, ClipError> {
    let clip = Clip { frames_per_sec, ..Clip::from_path(path) };
    match Prepared::new(&clip.into(), monitor, 1) {
        Ok(prepared) => Ok(prepared),
        Err(StimulusError::Clip(error)) => Err(error),
        Err(other) => panic!("{other}"),
    }
}

fn read(path: &Path, monitor: &Monitor) -> Result<Prepared, ClipError> {
    read_at(path, monitor, None)
}

fn frames(path: &Path, monitor: &Monitor) -> Vec<Vec<u8>> {
    let clip = read(path, monitor).unwrap_or_else(|error| panic!("{error}"));
    (0..clip.frames().expect("a clip ends")).map(|frame| draw(&clip, frame)).collect()
}

/// An `.npy` file with this description; `shape` as Python writes it.
fn npy(descr: &str, fortran: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

fn save(folder: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("a temporary file");
    path
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// A picture whose every pixel differs.
fn ramp(height: usize, width: usize, start: usize) -> Vec<u8> {
    (0..height * width).map(|i| ((start + i * 7) % 251) as u8).collect()
}

#[test]
fn a_clip_with_the_raster_of_the_monitor_is_shown_as_it_is() {
    let folder = folder();
    let data: Vec<u8> = (0..3).flat_map(|t| ramp(144, 256, t)).collect();
    let path = save(&folder, "a.npy", &npy("|u1", "False", "(3, 144, 256)", &data));
    let shown = frames(&path, &Monitor::WANG2025);
    assert_eq!(shown.concat(), data);
}

#[test]
fn an_npz_is_read_like_the_npy_in_it_whatever_labels_lie_beside() {
    let folder = folder();
    let data: Vec<u8> = (0..2).flat_map(|t| ramp(6, 8, t)).collect();
    let path = folder.path().join("a.npz");
    let mut archive = zip::ZipWriter::new(std::fs::File::create(&path).expect("a temporary file"));
    let options = zip::write::SimpleFileOptions::default();
    for (name, bytes) in [
        ("labels.npy", npy("|u1", "False", "(2,)", &[1, 2])),
        ("clip.npy", npy("|u1", "False", "(2, 6, 8)", &data)),
        ("readme.txt", b"no array".to_vec()),
    ] {
        archive.start_file(name, options).expect("a file in the archive");
        archive.write_all(&bytes).expect("its bytes");
    }
    archive.finish().expect("an archive");
    assert_eq!(frames(&path, &monitor(6, 8)).concat(), data);
}

#[test]
fn a_folder_of_pngs_is_shown_in_natural_order_in_rec_601_grey() {
    let folder = folder();
    let colours = [("f1.png", [255, 0, 0], 76), ("f2.png", [0, 255, 0], 150), ("f10.png", [0, 0, 255], 29)];
    for (name, colour, _) in colours {
        RgbImage::from_pixel(8, 6, Rgb(colour)).save(folder.path().join(name)).expect("a PNG");
    }
    GrayImage::from_pixel(8, 6, image::Luma([201])).save(folder.path().join("f011.png")).expect("a PNG");
    std::fs::write(folder.path().join("notes.txt"), "not a picture").expect("a temporary file");
    let levels: Vec<u8> = frames(folder.path(), &monitor(6, 8)).iter().map(|frame| frame[0]).collect();
    assert_eq!(levels, [76, 150, 29, 201]);
}

fn gif(folder: &TempDir, delays_ms: &[u32]) -> PathBuf {
    let path = folder.path().join("a.gif");
    let mut encoder = GifEncoder::new(std::fs::File::create(&path).expect("a temporary file"));
    for (index, &delay) in delays_ms.iter().enumerate() {
        let grey = 40 * (index as u8 + 1);
        let picture = RgbaImage::from_pixel(8, 6, image::Rgba([grey, grey, grey, 255]));
        let delay = Delay::from_numer_denom_ms(delay, 1);
        encoder.encode_frame(Frame::from_parts(picture, 0, 0, delay)).expect("a frame");
    }
    path
}

#[test]
fn each_frame_shows_the_nearest_preceding_picture_of_a_gif() {
    let folder = folder();
    // Pictures begin at 0, 100 and 150 ms and end at 350 ms: frames 0-2, 3-4 (4 begins at 133 ms) and 5-10.
    let path = gif(&folder, &[100, 50, 200]);
    let levels: Vec<u8> = frames(&path, &monitor(6, 8)).iter().map(|frame| frame[0]).collect();
    assert_eq!(levels, [40, 40, 40, 80, 80, 120, 120, 120, 120, 120, 120]);
}

#[test]
fn a_rate_that_is_given_replaces_the_delays() {
    let folder = folder();
    let path = gif(&folder, &[100, 50, 200]);
    for (rate, expected) in [(30.0, vec![40, 80, 120]), (15.0, vec![40, 40, 80, 80, 120, 120]), (60.0, vec![40, 120])] {
        let clip = read_at(&path, &monitor(6, 8), Some(rate)).unwrap_or_else(|error| panic!("{error}"));
        let levels: Vec<u8> = (0..clip.frames().expect("a clip ends")).map(|f| draw(&clip, f)[0]).collect();
        assert_eq!(levels, expected, "{rate} Hz");
    }
}

#[test]
fn after_its_end_a_clip_shows_the_background() {
    let folder = folder();
    let path = save(&folder, "a.npy", &npy("|u1", "False", "(1, 6, 8)", &[3; 48]));
    let clip = read(&path, &monitor(6, 8)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((draw(&clip, 0)[0], draw(&clip, 1)[0], draw(&clip, usize::MAX)[0]), (3, 128, 128));
}

#[test]
fn a_larger_picture_is_averaged_by_area() {
    let folder = folder();
    let source = ramp(12, 16, 0);
    let path = save(&folder, "a.npy", &npy("|u1", "False", "(1, 12, 16)", &source));
    let shown = &frames(&path, &monitor(6, 8))[0];
    for row in 0..6 {
        for column in 0..8 {
            let four = [0, 1, 16, 17].map(|i| u32::from(source[row * 32 + column * 2 + i]));
            let mean = (four.iter().sum::<u32>() * 2 + 4) / 8;
            assert_eq!(u32::from(shown[row * 8 + column]), mean, "{row} {column}: {four:?}");
        }
    }
    // 3 to 2: the middle third is shared. Thirds of (1, 2/2) | (2/2, 3).
    let path = save(&folder, "b.npy", &npy("|u1", "False", "(1, 3, 3)", &[0, 90, 240, 0, 90, 240, 0, 90, 240]));
    assert_eq!(frames(&path, &monitor(2, 2))[0], [30, 190, 30, 190]);
}

#[test]
fn a_smaller_picture_is_interpolated_linearly() {
    let folder = folder();
    let path = save(&folder, "a.npy", &npy("|u1", "False", "(1, 2, 2)", &[0, 100, 0, 100]));
    // Centres of four pixels over two: at -1/4, 1/4, 3/4 and 5/4 of a source pixel, the ends held.
    assert_eq!(frames(&path, &monitor(4, 4))[0][..4], [0, 25, 75, 100]);
}

#[test]
fn a_picture_of_another_shape_is_cropped_about_its_middle() {
    let folder = folder();
    let wide: Vec<u8> = (0..4).flat_map(|_| [9, 9, 50, 60, 70, 80, 9, 9]).collect();
    let path = save(&folder, "wide.npy", &npy("|u1", "False", "(1, 4, 8)", &wide));
    assert_eq!(frames(&path, &monitor(4, 4))[0][..4], [50, 60, 70, 80]);
    let tall: Vec<u8> = [9, 9, 50, 60, 70, 80, 9, 9].iter().flat_map(|&g| [g; 4]).collect();
    let path = save(&folder, "tall.npy", &npy("|u1", "False", "(1, 8, 4)", &tall));
    assert_eq!(frames(&path, &monitor(4, 4))[0][..16].iter().step_by(4).copied().collect::<Vec<_>>(), [50, 60, 70, 80]);
}

#[test]
fn a_grey_field_stays_grey_at_every_size() {
    let folder = folder();
    for (height, width) in [(5, 7), (31, 17), (144, 256), (300, 200), (1, 1)] {
        let shape = format!("(1, {height}, {width})");
        let path = save(&folder, "a.npy", &npy("|u1", "False", &shape, &vec![77; height * width]));
        for (rows, columns) in [(9, 16), (36, 64), (3, 3), (1, 1)] {
            let shown = &frames(&path, &monitor(rows, columns))[0];
            assert!(shown.iter().all(|&grey| grey == 77), "{height} x {width} to {rows} x {columns}: {shown:?}");
        }
    }
}

#[test]
fn damaged_and_hostile_files_are_refused_in_one_sentence() {
    let folder = folder();
    let good = npy("|u1", "False", "(2, 6, 8)", &[1; 96]);
    let mut long_header = b"\x93NUMPY\x02\x00".to_vec();
    long_header.extend(u32::MAX.to_le_bytes());
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty.npy", vec![], "does not begin like"),
        ("text.npy", b"hello, this is no array".to_vec(), "does not begin like"),
        ("cut.npy", good[..good.len() - 1].to_vec(), "ends in frame 1 of 2"),
        ("header.npy", good[..20].to_vec(), "header is cut off"),
        ("long.npy", long_header, "claims 4294967295 bytes"),
        ("floats.npy", npy("<f4", "False", "(2, 6, 8)", &[0; 384]), "`<f4`, expected 8-bit"),
        ("fortran.npy", npy("|u1", "True", "(2, 6, 8)", &[0; 96]), "Fortran"),
        ("flat.npy", npy("|u1", "False", "(96,)", &[0; 96]), "expected [time, height, width]"),
        ("none.npy", npy("|u1", "False", "(0, 6, 8)", &[]), "0 frames"),
        ("negative.npy", npy("|u1", "False", "(-2, 6, 8)", &[]), "`shape` is (-2, 6, 8)"),
        ("bomb.npy", npy("|u1", "False", "(9999999999, 144, 256)", &[]), "too large"),
        ("overflow.npy", npy("|u1", "False", "(4294967296, 4294967296, 4294967296)", &[]), "too large"),
        ("wide.npy", npy("|u1", "False", "(1, 100000, 100000)", &[]), "too large"),
        ("tiny.npy", npy("|u1", "False", "(1000000000, 1, 1)", &[]), "too large"),
        ("no.npz", b"PK\x03\x04 nonsense".to_vec(), "archive is damaged"),
        ("no.gif", b"GIF89a".to_vec(), "GIF is damaged"),
        ("clip.mp4", b"film".to_vec(), "must end in .npy, .npz or .gif"),
    ];
    for (name, bytes, expected) in cases {
        let error = read(&save(&folder, name, &bytes), &Monitor::WANG2025).err();
        let error = error.unwrap_or_else(|| panic!("{name} was accepted")).to_string();
        assert!(error.contains(expected) && error.contains(name), "{name}: {error}");
    }
}

#[test]
fn a_gif_or_png_that_is_cut_off_anywhere_is_refused_and_never_panics() {
    let folder = folder();
    let whole = std::fs::read(gif(&folder, &[100, 50])).expect("it was just written");
    for length in 0..whole.len() - 2 {
        let path = save(&folder, "cut.gif", &whole[..length]);
        if let Ok(clip) = read(&path, &monitor(6, 8)) {
            assert!(clip.frames().expect("a clip ends") < 5, "{length} of {} bytes", whole.len());
        }
    }
    let pngs = tempfile::tempdir().expect("a temporary folder");
    GrayImage::from_pixel(8, 6, image::Luma([9])).save(pngs.path().join("a.png")).expect("a PNG");
    let whole = std::fs::read(pngs.path().join("a.png")).expect("it was just written");
    for length in 0..whole.len() - 12 {
        std::fs::write(pngs.path().join("a.png"), &whole[..length]).expect("a temporary file");
        assert!(read(pngs.path(), &monitor(6, 8)).is_err(), "{length} of {} bytes", whole.len());
    }
}

#[test]
fn missing_files_and_mixed_sizes_are_named() {
    let folder = folder();
    assert!(matches!(read(Path::new(""), &monitor(6, 8)), Err(ClipError::NoPath)));
    assert!(matches!(read(&folder.path().join("no.npy"), &monitor(6, 8)), Err(ClipError::Unreadable { .. })));
    assert!(read(folder.path(), &monitor(6, 8)).is_err_and(|error| error.to_string().contains("no PNGs")));
    GrayImage::new(8, 6).save(folder.path().join("a.png")).expect("a PNG");
    GrayImage::new(8, 7).save(folder.path().join("b.png")).expect("a PNG");
    let error = read(folder.path(), &monitor(6, 8)).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains("frame 1 has 7 x 8 pixels, but the first has 6 x 8"), "{error}");
}

#[test]
fn a_rate_of_almost_nothing_is_refused() {
    let folder = folder();
    let path = save(&folder, "a.npy", &npy("|u1", "False", "(1, 6, 8)", &[3; 48]));
    assert!(read_at(&path, &monitor(6, 8), Some(1e-300)).is_err());
}

#[test]
fn a_clip_that_outlasts_every_run_is_refused_before_its_frames_are_listed() {
    let folder = folder();
    // 500 pictures of 100 s: nearly 14 hours.
    let path = save(&folder, "slow.npy", &npy("|u1", "False", "(500, 2, 2)", &[5; 2000]));
    let error = read_at(&path, &monitor(2, 2), Some(0.01)).expect_err("longer than the longest run");
    assert!(matches!(error, ClipError::TooLarge { .. }) && error.to_string().contains("13.9 hours"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_refused_at_once() {
    let folder = folder();
    let frames = folder.path().join("frames");
    std::fs::create_dir(&frames).expect("a folder");
    for (pipe, clip) in [(folder.path().join("clip.npy"), None), (frames.join("1.png"), Some(&frames))] {
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs");
        assert!(made.success());
        let error = read(clip.unwrap_or(&pipe), &monitor(2, 2)).expect_err("nobody writes to it");
        assert!(error.to_string().contains("not a regular file"), "{error}");
    }
}
