//! Movies into files and back.

use std::path::{Path, PathBuf};

use image::AnimationDecoder;
use image::codecs::gif::GifDecoder;
use tempfile::TempDir;
use twinscope::data::{MovieFileError, MovieFormat, NpyMovie, write_movie};
use twinscope::signals::{FrameRate, FrameSource, Monitor, Raster, SourceError};
use twinscope::stimulus::{Clip, Prepared};

use crate::ffmpeg;

const RASTER: Raster = Raster { height: 16, width: 24 };

/// A movie in which every frame and pixel differs; it remembers how many frames were asked for at once.
struct Pattern {
    frames: usize,
    samples: usize,
    fails_at: usize,
    most: usize,
}

impl Pattern {
    fn new(frames: usize) -> Self {
        Self { frames, samples: 1, fails_at: usize::MAX, most: 0 }
    }
}

fn picture(frame: usize) -> Vec<u8> {
    (0..RASTER.pixels()).map(|i| ((i * 5 + frame * 31) % 256) as u8).collect()
}

impl FrameSource for Pattern {
    fn raster(&self) -> Raster {
        RASTER
    }
    fn frames(&self) -> usize {
        self.frames
    }
    fn samples(&self) -> usize {
        self.samples
    }
    fn read(&mut self, start: usize, count: usize, pixels: &mut [u8]) -> Result<(), SourceError> {
        self.most = self.most.max(count);
        if start + count > self.fails_at {
            return Err(SourceError::new("frame 70 cannot be drawn"));
        }
        let drawn: Vec<u8> = (start..start + count).flat_map(picture).collect();
        pixels.copy_from_slice(&drawn);
        Ok(())
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn write(path: &Path, frames: usize, rate: f64) {
    let mut seen = Vec::new();
    write_movie(path, &mut Pattern::new(frames), FrameRate(rate), &mut |done| {
        seen.push(done);
        true
    })
    .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(seen.last(), Some(&frames));
    assert!(seen.is_sorted());
}

fn shown(path: &Path, rate: f64) -> Vec<Vec<u8>> {
    let monitor = Monitor { frame_rate: FrameRate(rate), ..Monitor::WANG2025.with_raster(RASTER) };
    let prepared = Prepared::new(&Clip::from_path(path).into(), &monitor, 1).unwrap_or_else(|error| panic!("{error}"));
    let frame = |frame| {
        let mut pixels = vec![0; RASTER.pixels()];
        prepared.frame(frame, &mut pixels);
        pixels
    };
    (0..prepared.frames().expect("a clip ends")).map(frame).collect()
}

fn entries(folder: &TempDir) -> Vec<PathBuf> {
    std::fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("an entry").path()).collect()
}

#[test]
fn what_is_written_comes_back_as_a_clip_to_the_last_level() {
    let folder = folder();
    for (name, rate) in [("a.npy", 30.0), ("a.npz", 30.0), ("a.gif", 30.0), ("b.gif", 59.94), ("pictures/", 30.0)] {
        let path = folder.path().join(name);
        write(&path, 75, rate);
        let expected: Vec<Vec<u8>> = (0..75).map(picture).collect();
        assert!(shown(&path, rate) == expected, "{name} at {rate} Hz");
    }
    assert_eq!(entries(&folder).len(), 5);
}

#[test]
fn a_compressed_movie_knows_its_rate_and_is_a_movie_again() {
    let folder = folder();
    let path = folder.path().join("a.npz");
    write(&path, 10, 15.0);
    assert_eq!(shown(&path, 30.0).len(), 20);
    let mut movie = NpyMovie::open(&path).expect("its array is named movie");
    let mut pixels = vec![0; RASTER.pixels()];
    movie.read(7, 1, &mut pixels).expect("a frame");
    assert_eq!((movie.frames(), pixels), (10, picture(7)));
}

#[test]
fn the_pictures_of_a_gif_stand_for_33_hundredths_in_ten_frames() {
    let folder = folder();
    let path = folder.path().join("a.gif");
    for (rate, frames, first, total_ms) in [(30.0, 90, [30, 30, 40, 30], 3000), (60.0, 60, [10, 20, 20, 10], 1000)] {
        write(&path, frames, rate);
        let file = std::io::BufReader::new(std::fs::File::open(&path).expect("just written"));
        let read: Vec<image::Frame> =
            GifDecoder::new(file).expect("a GIF").into_frames().collect::<Result<_, _>>().expect("frames");
        let delays: Vec<u32> = read.iter().map(|frame| frame.delay().numer_denom_ms().0).collect();
        assert_eq!(delays[..4], first, "{rate} Hz");
        assert_eq!(delays.iter().sum::<u32>(), total_ms, "{rate} Hz");
    }
}

#[test]
fn frames_are_asked_for_piece_by_piece() {
    let folder = folder();
    let mut movie = Pattern::new(1000);
    write_movie(&folder.path().join("a.npy"), &mut movie, FrameRate(30.0), &mut |_| true).expect("a file");
    assert!((1..=64).contains(&movie.most), "{} frames at once", movie.most);
}

#[test]
fn what_is_stopped_or_fails_leaves_nothing_and_keeps_what_was_there() {
    let folder = folder();
    for name in ["a.npy", "a.npz", "a.gif", "pictures/", "a.mp4"] {
        if name == "a.mp4" && !ffmpeg::is_here() {
            continue;
        }
        let path = folder.path().join(name);
        let stopped = write_movie(&path, &mut Pattern::new(200), FrameRate(30.0), &mut |done| done < 100);
        assert!(matches!(stopped, Err(MovieFileError::Stopped)), "{name}: {stopped:?}");
        let mut movie = Pattern { fails_at: 70, ..Pattern::new(200) };
        let failed = write_movie(&path, &mut movie, FrameRate(30.0), &mut |_| true).expect_err("it cannot be drawn");
        assert_eq!(failed.to_string(), "the movie could not be drawn: frame 70 cannot be drawn", "{name}");
        assert_eq!(entries(&folder), Vec::<PathBuf>::new(), "{name}");
    }
    let path = folder.path().join("a.npy");
    std::fs::write(&path, b"before").expect("a temporary file");
    let _ = write_movie(&path, &mut Pattern::new(200), FrameRate(30.0), &mut |_| false).expect_err("stopped");
    assert_eq!(std::fs::read(&path).expect("still there"), b"before");
}

#[test]
fn what_cannot_be_written_is_refused_in_one_sentence() {
    let folder = folder();
    let said = |name: &str, mut movie: Pattern, rate| {
        let path = folder.path().join(name);
        let error = write_movie(&path, &mut movie, FrameRate(rate), &mut |_| true).expect_err(name);
        error.to_string().replace(&format!("{}/", folder.path().display()), "")
    };
    let movie = || Pattern::new(3);
    assert_eq!(
        said("a.mkv", movie(), 30.0),
        "`a.mkv` names no kind of movie: let it end in .npy, .npz, .gif or .mp4, or in / for a folder of pictures"
    );
    assert!(said("a.npy", Pattern { samples: 2, ..movie() }, 30.0).contains("2 movies side by side"));
    assert!(said("a.npy", Pattern::new(0), 30.0).contains("it has 0 frames"));
    assert!(said("a.npy", movie(), f64::NAN).contains("NaN frames per second"));
    assert!(said("a.gif", movie(), 120.0).contains("at most 100 frames per second, the movie 120"));
    assert!(said("no/where/a.npy", movie(), 30.0).contains("could not be written"));
    std::fs::create_dir(folder.path().join("full")).expect("a folder");
    std::fs::write(folder.path().join("full/mine.txt"), b"mine").expect("a file");
    assert!(said("full/", movie(), 30.0).contains("the folder is not empty"));
    assert_eq!(std::fs::read(folder.path().join("full/mine.txt")).expect("still there"), b"mine");
}

#[test]
fn names_say_the_format() {
    for (name, format) in [
        ("a.NPY", Some(MovieFormat::Npy)),
        ("a.npz", Some(MovieFormat::Npz)),
        ("a.gif", Some(MovieFormat::Gif)),
        ("a.mp4", Some(MovieFormat::Mp4)),
        ("frames.png", Some(MovieFormat::Pngs)),
        ("frames/", Some(MovieFormat::Pngs)),
        ("frames", None),
        ("a.txt", None),
        ("", None),
    ] {
        assert_eq!(MovieFormat::of(Path::new(name)), format, "{name}");
    }
}

#[test]
fn a_video_comes_back_within_a_few_levels_and_with_every_frame() {
    if !ffmpeg::is_here() {
        return;
    }
    let folder = folder();
    let path = folder.path().join("a.mp4");
    // A smooth picture, as most stimuli are; the pattern of the other tests is noise.
    struct Waves;
    fn wave(frame: usize) -> Vec<u8> {
        (0..RASTER.pixels()).map(|i| (128.0 + 100.0 * ((i % 24 + frame) as f64 / 4.0).sin()) as u8).collect()
    }
    impl FrameSource for Waves {
        fn raster(&self) -> Raster {
            RASTER
        }
        fn frames(&self) -> usize {
            75
        }
        fn samples(&self) -> usize {
            1
        }
        fn read(&mut self, start: usize, count: usize, pixels: &mut [u8]) -> Result<(), SourceError> {
            pixels.copy_from_slice(&(start..start + count).flat_map(wave).collect::<Vec<u8>>());
            Ok(())
        }
    }
    write_movie(&path, &mut Waves, FrameRate(30.0), &mut |_| true).unwrap_or_else(|error| panic!("{error}"));
    let back = shown(&path, 30.0);
    assert_eq!((back.len(), entries(&folder).len()), (75, 1));
    for (frame, shown) in back.iter().enumerate() {
        let off = shown.iter().zip(wave(frame)).map(|(a, b)| a.abs_diff(b)).max();
        // Measured: 3. A picture too early or too late would be off by 25.
        assert!(off <= Some(5), "frame {frame}: {off:?}");
    }
}

#[cfg(unix)]
#[test]
fn without_ffmpeg_a_video_cannot_be_written_and_what_ffmpeg_says_is_shown() {
    for (lines, expected) in [
        (None, "ffmpeg is not installed (it is what reads and writes video files"),
        (Some("echo no >&2; echo 'Unknown encoder libx264' >&2; exit 1"), "ffmpeg says: Unknown encoder libx264"),
    ] {
        let programs = folder();
        if let Some(lines) = lines {
            ffmpeg::fake(programs.path(), "ffmpeg", lines);
        }
        if ffmpeg::is_alone_with(programs.path()) {
            let programs = PathBuf::from(std::env::var_os("PATH").expect("set by the parent"));
            let films = programs.join("films");
            std::fs::create_dir(&films).expect("a folder");
            let written = write_movie(&films.join("a.mp4"), &mut Pattern::new(9), FrameRate(30.0), &mut |_| true);
            assert_eq!(std::fs::read_dir(&films).expect("a folder").count(), 0);
            std::fs::write(programs.join("said"), written.expect_err("no ffmpeg").to_string()).expect("a file");
            return;
        }
        let said = std::fs::read_to_string(programs.path().join("said")).expect("written by the child");
        assert!(said.contains(expected), "{said}");
    }
}
