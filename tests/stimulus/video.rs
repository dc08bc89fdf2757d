//! Clips that ffmpeg decodes.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use twinscope::signals::{Monitor, Raster};
use twinscope::stimulus::clip::Grey;
use twinscope::stimulus::{Clip, ClipInfo, Prepared};

use super::draw;
use crate::ffmpeg;

const SIDES: Raster = Raster { height: 16, width: 32 };

fn monitor() -> Monitor {
    Monitor::WANG2025.with_raster(SIDES)
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn show(clip: Clip) -> Result<Vec<Vec<u8>>, String> {
    let prepared = Prepared::new(&clip.into(), &monitor(), 1).map_err(|error| error.to_string())?;
    Ok((0..prepared.frames().expect("a clip that ends")).map(|frame| draw(&prepared, frame)).collect())
}

/// First grey level of each frame.
fn levels(clip: Clip) -> Vec<u8> {
    show(clip).unwrap_or_else(|error| panic!("{error}")).iter().map(|frame| frame[0]).collect()
}

/// A film without losses: picture t has the grey level 3 t everywhere.
fn film(folder: &TempDir, name: &str, rate: &str, pictures: usize) -> PathBuf {
    let raw: Vec<u8> = (0..pictures).flat_map(|t| vec![(3 * t) as u8; SIDES.pixels()]).collect();
    let from = folder.path().join("raw");
    std::fs::write(&from, raw).expect("a temporary file");
    let path = folder.path().join(name);
    let (from, to) = (from.display().to_string(), format!("file:{}", path.display()));
    let input = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", "32x16", "-framerate", rate, "-i", &from];
    ffmpeg::ffmpeg(input.into_iter().chain(["-c:v", "ffv1", "-pix_fmt", "gray", &to]));
    path
}

#[test]
fn a_film_at_the_rate_of_the_monitor_is_shown_picture_by_picture() {
    if !ffmpeg::is_here() {
        return;
    }
    let folder = folder();
    // Matroska rounds times to milliseconds, AVI and NUT do not.
    for name in ["a.mkv", "a.avi", "a.nut"] {
        let path = film(&folder, name, "30", 40);
        assert_eq!(levels(Clip::from_path(path)), (0..40).map(|t| 3 * t).collect::<Vec<u8>>(), "{name}");
    }
}

#[test]
fn other_rates_show_the_nearest_preceding_picture() {
    if !ffmpeg::is_here() {
        return;
    }
    let folder = folder();
    for (rate, hz) in [("25", 25.0), ("60", 60.0), ("24000/1001", 24.0 / 1.001), ("10", 10.0)] {
        let path = film(&folder, "a.mkv", rate, 20);
        let shown = levels(Clip::from_path(&path));
        // Matroska rounds to milliseconds, and a picture may come one early for that.
        let begins = |picture: usize| (picture as f64 / hz * 1000.0).round() - 1.0;
        let expected: Vec<u8> = (0..(begins(20) * 0.03).ceil() as usize)
            .map(|frame| (0..20).rfind(|&picture| begins(picture) <= frame as f64 / 0.03).map_or(0, |p| 3 * p as u8))
            .collect();
        assert_eq!(shown, expected, "{rate}");
        let given = Clip { frames_per_sec: Some(30.0), ..Clip::from_path(&path) };
        assert_eq!(levels(given), (0..20).map(|t| 3 * t).collect::<Vec<u8>>(), "{rate} as 30");
    }
}

#[test]
fn a_part_of_a_film_is_that_part_of_the_whole_also_behind_a_jump() {
    if !ffmpeg::is_here() {
        return;
    }
    let folder = folder();
    let path = film(&folder, "a.mkv", "2", 84);
    let whole = levels(Clip::from_path(&path));
    assert_eq!(whole.len(), 42 * 30);
    for (start, frames) in [(0.0, 30), (0.4, 3), (12.25, 45), (31.1, 60), (40.0, 60)] {
        let part = Clip { start_secs: start, duration_secs: f64::from(frames) / 30.0, ..Clip::from_path(&path) };
        let expected: Vec<u8> =
            (0..frames).map(|frame| 3 * (((start + f64::from(frame) / 30.0 + 1e-4) * 2.0).floor() as u8)).collect();
        assert_eq!(levels(part), expected, "from {start}");
    }
    let error = show(Clip { start_secs: 50.0, ..Clip::from_path(&path) }).expect_err("after the end");
    assert!(error.contains("it lasts 42.00 s, and `start_secs` is 50"), "{error}");
}

#[test]
fn colours_of_a_film_become_grey_by_the_rule() {
    if !ffmpeg::is_here() {
        return;
    }
    let folder = folder();
    let path = folder.path().join("colour.mkv");
    let source = "color=0xc86432:size=32x16:rate=30:duration=0.1,format=gbrp";
    let to = format!("file:{}", path.display());
    ffmpeg::ffmpeg(["-f", "lavfi", "-i", source, "-c:v", "ffv1", "-pix_fmt", "gbrp", &to]);
    for (grey, expected) in [(Grey::Red, 200), (Grey::Green, 100), (Grey::Blue, 50), (Grey::Mean, 117)] {
        assert_eq!(levels(Clip { grey, ..Clip::from_path(&path) }), [expected; 3], "{grey:?}");
    }
    // ffmpeg's own luma goes by fewer bits.
    let luma = levels(Clip::from_path(&path))[0];
    assert!(luma.abs_diff(124) <= 1, "{luma}");
}

#[test]
fn what_a_film_is_can_be_told() {
    if !ffmpeg::is_here() {
        return;
    }
    let folder = folder();
    let path = film(&folder, "a.avi", "25", 50);
    let clip = Clip { duration_secs: 0.5, ..Clip::from_path(&path) };
    let info = ClipInfo::of(&clip, &monitor()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(info.to_string(), "50 pictures of 16 x 32 pixels, 25 Hz, 2.00 s, grey, nothing cut");
    assert!((info.shown_secs - 0.5).abs() < 1e-6, "{}", info.shown_secs);
}

#[cfg(unix)]
#[test]
fn no_name_of_a_film_is_an_option_a_pattern_or_an_address() {
    if !ffmpeg::is_here() {
        return;
    }
    // In a process of its own, which may go to the folder: a name alone is what could be taken for something else.
    let programs = std::env::var_os("PATH").expect("ffmpeg was found on it");
    if ffmpeg::is_alone_with(Path::new(&programs)) {
        let folder = folder();
        std::env::set_current_dir(folder.path()).expect("our own folder");
        for name in ["-y.mkv", "http:a.mkv", "a %03d.mkv", "it's; $(false) \"x\".mkv", "grün.mkv"] {
            film(&folder, name, "30", 3);
            assert_eq!(levels(Clip::from_path(name)), [0, 3, 6], "{name}");
        }
        std::env::set_current_dir("/").expect("the folder can be removed");
    }
}

#[test]
fn what_is_no_film_is_refused_in_one_sentence() {
    if !ffmpeg::is_here() {
        return;
    }
    let folder = folder();
    let save = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("a temporary file");
        path
    };
    let whole = std::fs::read(film(&folder, "good.mkv", "30", 10)).expect("just written");
    for (name, bytes) in [
        ("empty.mp4", &b""[..]),
        ("text.avi", b"this is no film, whatever its name says"),
        ("cut.mkv", &whole[..40]),
        ("list.mkv", b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n"),
        ("concat.mkv", b"ffconcat version 1.0\nfile /etc/hostname\n"),
    ] {
        let error = show(Clip::from_path(save(name, bytes))).expect_err(name);
        assert!(error.contains(name) && error.lines().count() == 1 && error.matches(name).count() == 1, "{error}");
    }
    // Cut anywhere else it shows what is there, or nothing.
    for part in [1, 4, 9, 14, 19] {
        let path = save("part.mkv", &whole[..whole.len() * part / 20]);
        if let Ok(frames) = show(Clip::from_path(path)) {
            assert!(frames.len() <= 10);
        }
    }
}

#[test]
fn jpegs_of_a_folder_are_read() {
    if !ffmpeg::is_here() {
        return;
    }
    let folder = folder();
    let to = format!("file:{}", folder.path().join("100%d.jpg").display());
    let source = "color=0x969696:size=32x16:rate=1:duration=1";
    ffmpeg::ffmpeg(["-f", "lavfi", "-i", source, "-frames:v", "1", "-f", "image2", "-update", "1", &to]);
    let level = levels(Clip::from_path(folder.path()))[0];
    assert!(level.abs_diff(150) <= 2, "{level}");
}

#[cfg(unix)]
fn one_sentence(programs: &Path) -> String {
    let path = programs.join("clip.mp4");
    std::fs::write(&path, b"film").expect("a temporary file");
    show(Clip::from_path(path)).expect_err("no film").replace(&format!("{}/", programs.display()), "")
}

#[cfg(unix)]
#[test]
fn without_ffmpeg_a_film_says_what_is_missing_and_where_to_get_it() {
    let programs = folder();
    if ffmpeg::is_alone_with(programs.path()) {
        assert_eq!(
            one_sentence(programs.path()),
            "the clip clip.mp4 needs a program that is missing: the program ffmpeg is not installed (it is what reads \
             and writes video files such as .mp4, .avi or .mkv): `apt install ffmpeg`, or get it from \
             https://ffmpeg.org and put it on the PATH"
        );
    }
}

#[cfg(unix)]
#[test]
fn what_a_failing_ffmpeg_says_last_is_shown() {
    let programs = folder();
    ffmpeg::fake(programs.path(), "ffmpeg", "echo first >&2; echo 'the last words' >&2; exit 3");
    if ffmpeg::is_alone_with(programs.path()) {
        let said = one_sentence(programs.path());
        assert_eq!(said, "clip.mp4 is not a clip that can be shown: ffmpeg says: the last words");
    }
}

#[cfg(unix)]
#[test]
fn an_ffmpeg_that_sends_too_much_or_nonsense_is_stopped() {
    for (lines, expected) in [
        ("printf 'P5\\n99999 99999\\n255\\n'; while :; do echo xxxxxxxxxxxx; done", "99999 x 99999 pixels"),
        ("while :; do echo 'this is no picture'; done", "sent something that is no picture"),
        ("printf 'P5\\n4 4\\n255\\nabc'", "stopped within a picture"),
        // A picture of another size, and a grandchild that keeps the pipes open.
        ("printf 'P5\\n2 1\\n255\\nab'; printf 'P5\\n1 2\\n255\\nab'; /bin/sleep 60 & wait", "but the first has 1 x 2"),
        ("exit 0", "it holds no pictures"),
    ] {
        let programs = folder();
        ffmpeg::fake(programs.path(), "ffmpeg", lines);
        if ffmpeg::is_alone_with(programs.path()) {
            // Which of the cases: the program that is on the PATH.
            let path = PathBuf::from(std::env::var_os("PATH").expect("set by the parent"));
            let lines = std::fs::read_to_string(path.join("ffmpeg")).expect("a script");
            let begun = std::time::Instant::now();
            let said = one_sentence(&path);
            std::fs::write(path.join("said"), &said).expect("a temporary file");
            assert!(begun.elapsed().as_secs() < 20, "{lines}: {said}");
            return;
        }
        let said = std::fs::read_to_string(programs.path().join("said")).expect("written by the child");
        assert!(said.contains(expected), "{lines}: {said}");
    }
}
