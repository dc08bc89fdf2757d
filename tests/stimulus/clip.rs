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
        ("clip.txt", b"film".to_vec(), "must end in .npy, .npz, .gif"),
        ("wrong.gif", b"\x89PNG\r\n\x1a\n and so on".to_vec(), "ends in .gif, but it begins like a .png file"),
        ("wrong.mp4", good.clone(), "ends in .mp4, but it begins like an .npy file"),
        ("no.png", b"\x89PNG\r\n\x1a\n and so on".to_vec(), "PNG is damaged"),
        ("no.webp", b"RIFF\x00\x00\x00\x00WEBPVP8X".to_vec(), "WebP is damaged"),
        ("no.tif", b"II*\0\xff\xff\xff\x00".to_vec(), "TIFF is damaged"),
        ("text.tif", b"no picture".to_vec(), "does not begin like a TIFF"),
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
    assert!(read(folder.path(), &monitor(6, 8)).is_err_and(|error| error.to_string().contains("no pictures")));
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

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/clips").join(name)
}

/// The pictures of the fixtures; their script says the same.
fn fixture_picture(index: usize) -> Vec<u8> {
    (0..6).flat_map(|row| (0..8).map(move |column| (60 * index + 7 * row + 3 * column) as u8)).collect()
}

fn show(clip: Clip, monitor: &Monitor) -> Result<Vec<Vec<u8>>, String> {
    let prepared = Prepared::new(&clip.into(), monitor, 1).map_err(|error| error.to_string())?;
    Ok((0..prepared.frames().expect("a clip that ends")).map(|frame| draw(&prepared, frame)).collect())
}

fn shown(clip: Clip, monitor: &Monitor) -> Vec<Vec<u8>> {
    show(clip, monitor).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn animations_of_other_writers_show_every_picture_for_its_time() {
    for name in ["grey.apng", "grey.webp"] {
        let shown = frames(&fixture(name), &monitor(6, 8));
        // Pictures begin at 0, 100 and 150 ms and end at 350 ms.
        let expected: Vec<Vec<u8>> = [0, 0, 0, 1, 1, 2, 2, 2, 2, 2, 2].map(fixture_picture).into();
        // The decoder of WebP rounds down where it composes a picture onto the one before.
        let off = if name.ends_with("webp") { 1 } else { 0 };
        let levels = shown.concat().into_iter().zip(expected.concat());
        assert_eq!(shown.len(), 11, "{name}");
        assert!(levels.map(|(a, b)| a.abs_diff(b)).max() <= Some(off), "{name}");
    }
}

#[test]
fn pages_of_a_tiff_are_pictures() {
    for name in ["lzw8.tif", "deflate16.tif"] {
        let shown = frames(&fixture(name), &monitor(6, 8));
        assert!(shown == [0, 1, 2].map(fixture_picture), "{name}: {} frames", shown.len());
    }
}

/// A TIFF of uncompressed grey pages `[page, row, column]`, in the byte order and with the size of places asked for.
fn tiff(pages: &[Vec<u16>], height: u32, width: u32, bits: u16, big_endian: bool, big: bool) -> Vec<u8> {
    let number = |value: u64, size: usize| -> Vec<u8> {
        if big_endian { value.to_be_bytes()[8 - size..].to_vec() } else { value.to_le_bytes()[..size].to_vec() }
    };
    let place = if big { 8 } else { 4 };
    let mut file = if big_endian { b"MM".to_vec() } else { b"II".to_vec() };
    file.extend(number(if big { 43 } else { 42 }, 2));
    if big {
        file.extend([number(8, 2), number(0, 2)].concat());
    }
    let mut pointer = file.len();
    file.extend(number(0, place));
    for page in pages {
        let pixels = file.len();
        page.iter().for_each(|&level| file.extend(number(u64::from(level), usize::from(bits / 8))));
        let here = file.len();
        file[pointer..pointer + place].copy_from_slice(&number(here as u64, place));
        let tags: [(u64, u64, u64); 8] = [
            (256, 4, u64::from(width)),
            (257, 4, u64::from(height)),
            (258, 3, u64::from(bits)),
            (259, 3, 1),
            (262, 3, 1),
            (273, 4, pixels as u64),
            (278, 4, u64::from(height)),
            (279, 4, page.len() as u64 * u64::from(bits / 8)),
        ];
        file.extend(number(tags.len() as u64, if big { 8 } else { 2 }));
        for (tag, kind, value) in tags {
            file.extend([number(tag, 2), number(kind, 2), number(1, place)].concat());
            let mut value = number(value, if kind == 3 { 2 } else { 4 });
            value.resize(place, 0);
            file.extend(value);
        }
        pointer = file.len();
        file.extend(number(0, place));
    }
    file
}

#[test]
fn tiff_stacks_of_both_byte_orders_and_sizes_are_read_and_16_bits_are_scaled() {
    let folder = folder();
    let levels: Vec<u16> = (0..48).map(|i| i * 1300).collect();
    let eight: Vec<Vec<u16>> = (0..3).map(|t| ramp(6, 8, t * 9).into_iter().map(u16::from).collect()).collect();
    for (big_endian, big) in [(false, false), (true, false), (false, true), (true, true)] {
        let path = save(&folder, "a.tif", &tiff(&eight, 6, 8, 8, big_endian, big));
        let expected: Vec<Vec<u8>> = (0..3).map(|t| ramp(6, 8, t * 9)).collect();
        assert_eq!(frames(&path, &monitor(6, 8)), expected, "8 bits, {big_endian} {big}");
        let path = save(&folder, "b.tif", &tiff(std::slice::from_ref(&levels), 6, 8, 16, big_endian, big));
        // 65535 becomes 255, and what is between is rounded.
        let expected: Vec<u8> = levels.iter().map(|&level| (f64::from(level) / 257.0).round() as u8).collect();
        assert_eq!(frames(&path, &monitor(6, 8))[0], expected, "16 bits, {big_endian} {big}");
    }
}

#[test]
fn a_tiff_whose_pages_go_in_a_circle_is_refused() {
    let folder = folder();
    let mut file = tiff(&[vec![1; 48]], 6, 8, 8, false, false);
    let first = file[4..8].to_vec();
    let end = file.len();
    file[end - 4..].copy_from_slice(&first);
    let error = read(&save(&folder, "a.tif", &file), &monitor(6, 8)).expect_err("an endless chain").to_string();
    assert!(error.contains("circle"), "{error}");
}

#[test]
fn thousands_of_broken_files_never_panic() {
    let folder = folder();
    let pages: Vec<Vec<u16>> = (0..2).map(|t| ramp(6, 8, t).into_iter().map(u16::from).collect()).collect();
    let whole: Vec<(&str, Vec<u8>)> = vec![
        ("m.gif", std::fs::read(gif(&folder, &[100, 50])).expect("just written")),
        ("m.apng", std::fs::read(fixture("grey.apng")).expect("a fixture")),
        ("m.webp", std::fs::read(fixture("grey.webp")).expect("a fixture")),
        ("m.tif", tiff(&pages, 6, 8, 8, false, false)),
        ("l.tif", std::fs::read(fixture("lzw8.tif")).expect("a fixture")),
        ("b.tif", tiff(&pages, 6, 8, 16, true, true)),
    ];
    let mut words = (0..).flat_map(|count| twinscope::stimulus::hash::random_words(11, count, 0));
    let mut below = |limit: usize| words.next().expect("endless") as usize % limit;
    let mut refused = 0;
    for round in 0..1800 {
        let (name, good) = &whole[round % whole.len()];
        let mut bad = good.clone();
        for _ in 0..=below(3) {
            let at = below(bad.len());
            match below(4) {
                0 => bad[at] ^= 1 << below(8),
                1 => bad[at] = [0, 0xff, 0x80, 1][below(4)],
                2 => bad[at..].iter_mut().take(4).for_each(|byte| *byte = 0xff),
                _ => bad.truncate(at.max(1)),
            }
        }
        refused += usize::from(read(&save(&folder, name, &bad), &monitor(6, 8)).is_err());
    }
    assert!(refused > 600, "{refused} of 1800 were refused");
}

#[test]
fn the_whole_picture_stands_between_bars_of_background_or_is_stretched() {
    let folder = folder();
    use twinscope::stimulus::clip::PictureFit;
    let wide = save(&folder, "wide.npy", &npy("|u1", "False", "(1, 2, 8)", &[10; 16]));
    let contain = |path: &Path| Clip { fit: PictureFit::Contain, ..Clip::from_path(path) };
    let rows = |frame: &[u8]| frame.chunks(4).map(|row| row[0]).collect::<Vec<_>>();
    // 8 wide and 2 high on 4 x 4: one row of the screen, below the first of the two of the middle.
    assert_eq!(rows(&shown(contain(&wide), &monitor(4, 4))[0]), [128, 10, 128, 128]);
    let tall = save(&folder, "tall.npy", &npy("|u1", "False", "(1, 8, 4)", &[20; 32]));
    assert_eq!(shown(contain(&tall), &monitor(4, 4))[0][..4], [128, 20, 20, 128]);
    let step: Vec<u8> = (0..2).flat_map(|_| [10, 20, 30, 40, 50, 60, 70, 80]).collect();
    let path = save(&folder, "step.npy", &npy("|u1", "False", "(1, 2, 8)", &step));
    let stretched = shown(Clip { fit: PictureFit::Stretch, ..Clip::from_path(&path) }, &monitor(4, 4));
    assert_eq!(stretched[0][..4], [15, 35, 55, 75]);
    assert_eq!(stretched[0][12..], [15, 35, 55, 75]);
}

#[test]
fn the_part_that_is_kept_can_be_chosen() {
    let folder = folder();
    let wide: Vec<u8> = (0..4).flat_map(|_| [10, 20, 30, 40, 50, 60, 70, 80]).collect();
    let path = save(&folder, "wide.npy", &npy("|u1", "False", "(1, 4, 8)", &wide));
    let row = |crop_x| shown(Clip { crop_x, ..Clip::from_path(&path) }, &monitor(4, 4))[0][..4].to_vec();
    assert_eq!((row(-1.0), row(0.5), row(1.0)), (vec![10, 20, 30, 40], vec![40, 50, 60, 70], vec![50, 60, 70, 80]));
    let tall: Vec<u8> = [10, 20, 30, 40, 50, 60, 70, 80].iter().flat_map(|&grey| [grey; 4]).collect();
    let path = save(&folder, "tall.npy", &npy("|u1", "False", "(1, 8, 4)", &tall));
    let column = |crop_y| {
        shown(Clip { crop_y, ..Clip::from_path(&path) }, &monitor(4, 4))[0].chunks(4).map(|r| r[0]).collect::<Vec<_>>()
    };
    // Up is positive, as everywhere.
    assert_eq!((column(1.0), column(-1.0)), (vec![10, 20, 30, 40], vec![50, 60, 70, 80]));
}

#[test]
fn contrast_acts_about_the_mean_of_what_is_shown() {
    let folder = folder();
    // Means of 60 and 200; the first is shown three times as long.
    let levels: Vec<u8> = [20, 100, 160, 240].into_iter().flat_map(|level| [level; 2]).collect();
    let path = save(&folder, "a.npy", &npy("|u1", "False", "(2, 2, 2)", &levels));
    let at = |contrast| shown(Clip { contrast, ..Clip::from_path(&path) }, &monitor(2, 2)).concat();
    assert_eq!(at(1.0), levels);
    assert_eq!(at(0.0), [130; 8]);
    assert_eq!(at(0.5), [75, 75, 115, 115, 145, 145, 185, 185]);
    assert_eq!(at(2.0), [0, 0, 70, 70, 190, 190, 255, 255]);
    let part = Clip { contrast: 0.0, duration_secs: 1.0 / 30.0, ..Clip::from_path(&path) };
    assert_eq!(shown(part, &monitor(2, 2)).concat(), [60; 4]);
}

#[test]
fn a_part_of_a_clip_begins_with_the_picture_that_is_on_then() {
    let folder = folder();
    let levels: Vec<u8> = (0..20).flat_map(|t| [t; 4]).collect();
    let path = save(&folder, "a.npy", &npy("|u1", "False", "(20, 2, 2)", &levels));
    let part = |start_secs, duration_secs, frames_per_sec| {
        let clip = Clip { start_secs, duration_secs, frames_per_sec, ..Clip::from_path(&path) };
        show(clip, &monitor(2, 2)).map(|frames| frames.iter().map(|frame| frame[0]).collect::<Vec<_>>())
    };
    assert_eq!(part(0.0, 0.1, None), Ok(vec![0, 1, 2]));
    assert_eq!(part(0.5, 0.1, None), Ok(vec![15, 16, 17]));
    assert_eq!(part(0.5, 0.0, None), Ok(vec![15, 16, 17, 18, 19]));
    assert_eq!(part(0.6, 5.0, None), Ok(vec![18, 19]));
    // At 10 Hz: 0.25 s is in picture 2, which stands until 0.3 s.
    assert_eq!(part(0.25, 0.2, Some(10.0)), Ok(vec![2, 2, 3, 3, 3, 4]));
    let error = part(0.7, 0.0, None).expect_err("after the end");
    assert!(error.contains("it lasts 0.67 s, and `start_secs` is 0.7"), "{error}");
    // The same from an animation, whose pictures have their own times.
    let path = gif(&folder, &[100, 50, 200]);
    let clip = Clip { start_secs: 0.1, duration_secs: 0.1, ..Clip::from_path(path) };
    assert_eq!(shown(clip, &monitor(6, 8)).iter().map(|f| f[0]).collect::<Vec<_>>(), [80, 80, 120]);
}

#[test]
fn a_part_of_a_file_that_is_too_large_as_a_whole_can_be_shown() {
    let folder = folder();
    // A header of 100,000 frames and the bytes of a few: what is not shown is not read.
    let path = save(&folder, "a.npy", &npy("|u1", "False", "(100000, 144, 256)", &vec![7; 4 * 144 * 256]));
    assert!(matches!(read(&path, &Monitor::WANG2025), Err(ClipError::TooLarge { .. })));
    let clip = Clip { duration_secs: 0.1, ..Clip::from_path(&path) };
    assert_eq!(shown(clip, &Monitor::WANG2025).len(), 3);
}

#[test]
fn a_repeated_clip_never_ends() {
    let folder = folder();
    let path = save(&folder, "a.npy", &npy("|u1", "False", "(2, 1, 1)", &[5, 6]));
    let prepared = super::prepared(Clip { repeat: true, ..Clip::from_path(&path) }, &monitor(1, 1), 1);
    assert_eq!(prepared.frames(), None);
    assert_eq!([0, 1, 2, 3, 1_000_001].map(|frame| draw(&prepared, frame)[0]), [5, 6, 5, 6, 6]);
}

#[test]
fn every_rule_of_grey_has_its_weights_and_leaves_grey_alone() {
    use twinscope::stimulus::clip::Grey;
    let folder = folder();
    let path = folder.path().join("colour.png");
    RgbImage::from_pixel(4, 3, Rgb([200, 100, 50])).save(&path).expect("a PNG");
    let level = |path: &Path, grey| shown(Clip { grey, ..Clip::from_path(path) }, &monitor(3, 4))[0][0];
    for (grey, expected) in [
        (Grey::Rec601, 124.2),
        (Grey::Rec709, 117.65),
        (Grey::Mean, 116.67),
        (Grey::Red, 200.0),
        (Grey::Green, 100.0),
        (Grey::Blue, 50.0),
    ] {
        assert_eq!(f64::from(level(&path, grey)), f64::round(expected), "{grey:?}");
        for value in [0, 1, 127, 128, 254, 255] {
            let path = folder.path().join(format!("{value}.png"));
            RgbImage::from_pixel(4, 3, Rgb([value; 3])).save(&path).expect("a PNG");
            assert_eq!(level(&path, grey), value, "{grey:?}");
        }
    }
}

#[test]
fn an_npz_may_state_its_rate() {
    let folder = folder();
    let path = folder.path().join("a.npz");
    let mut archive = zip::ZipWriter::new(std::fs::File::create(&path).expect("a temporary file"));
    for (name, bytes) in [
        ("movie.npy", npy("|u1", "False", "(2, 1, 1)", &[5, 6])),
        ("frames_per_sec.npy", npy("<f8", "False", "()", &15f64.to_le_bytes())),
    ] {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).expect("a file in the archive");
        archive.write_all(&bytes).expect("its bytes");
    }
    archive.finish().expect("an archive");
    assert_eq!(frames(&path, &monitor(1, 1)).concat(), [5, 5, 6, 6]);
}

#[test]
fn what_a_clip_is_can_be_told() {
    use twinscope::stimulus::{ClipInfo, Stimulus};
    let folder = folder();
    let path = save(&folder, "a.npy", &npy("|u1", "False", "(30, 8, 8)", &[9; 30 * 64]));
    let clip = Clip { frames_per_sec: Some(10.0), duration_secs: 2.0, ..Clip::from_path(&path) };
    let info = ClipInfo::of(&clip, &monitor(4, 8)).expect("a clip");
    assert_eq!(info.to_string(), "30 pictures of 8 x 8 pixels, 10 Hz, 3.00 s, grey, 50 % of the height cut");
    assert!((info.shown_secs - 2.0).abs() < 1e-9 && info.cut == [0.5, 0.0]);
    let prepared = Prepared::new(&Stimulus::from(clip), &monitor(4, 8), 1).expect("a clip");
    assert_eq!(prepared.clip(), Some(&info));
    let gif = ClipInfo::of(&Clip::from_path(gif(&folder, &[100, 50, 200])), &monitor(6, 8)).expect("a clip");
    assert_eq!(gif.to_string(), "3 pictures of 6 x 8 pixels, no constant rate, 0.35 s, grey, nothing cut");
    let path = folder.path().join("c.png");
    RgbImage::from_pixel(4, 3, Rgb([200, 100, 50])).save(&path).expect("a PNG");
    assert!(ClipInfo::of(&Clip::from_path(path), &monitor(3, 4)).expect("a clip").colour);
}

#[test]
fn a_file_on_show_is_not_read_again_until_it_changes() {
    let folder = folder();
    let array = |level| npy("|u1", "False", "(1, 2, 2)", &[level; 4]);
    let path = save(&folder, "a.npy", &array(5));
    let first = super::prepared(Clip::from_path(&path), &monitor(2, 2), 1);
    let written = std::fs::metadata(&path).and_then(|about| about.modified()).expect("a time");
    save(&folder, "a.npy", &array(6));
    let set = |time| std::fs::File::options().write(true).open(&path).and_then(|file| file.set_modified(time));
    set(written).expect("our own file");
    // The same name, length and time: the pictures on show are taken.
    let contrast = Clip { contrast: 0.5, ..Clip::from_path(&path) };
    assert_eq!(shown(contrast.clone(), &monitor(2, 2)).concat(), [5; 4]);
    set(written + std::time::Duration::from_secs(1)).expect("our own file");
    assert_eq!(shown(contrast, &monitor(2, 2)).concat(), [6; 4]);
    drop(first);
}

#[test]
fn folders_mix_formats_and_the_order_never_depends_on_the_file_system() {
    let folder = folder();
    let picture = |level| GrayImage::from_pixel(4, 4, image::Luma([level]));
    for (name, level) in [("f2.webp", 2), ("f10.tiff", 10), ("f1.png", 1), ("f01.png", 0)] {
        let format = image::ImageFormat::from_path(name).expect("a known ending");
        // Lossless WebP has no grey.
        image::DynamicImage::ImageRgb8(image::DynamicImage::ImageLuma8(picture(level)).into_rgb8())
            .save_with_format(folder.path().join(name), format)
            .expect("a picture");
    }
    let levels: Vec<u8> = frames(folder.path(), &monitor(4, 4)).iter().map(|frame| frame[0]).collect();
    assert_eq!(levels, [0, 1, 2, 10]);
}
