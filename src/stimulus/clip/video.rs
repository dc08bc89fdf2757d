//! Video files, through the program `ffmpeg`.
//!
//! ffmpeg decodes and sends grey pictures through a pipe, one for each frame of the monitor: its filter `fps` with
//! `round=up` shows, at every frame, the last picture that has begun. Only the times of the pictures are used, counted
//! from the first picture of the video; a film without a constant rate keeps its rhythm. Grey is the luma of the file
//! over the range 0..=255, or is taken from red, green and blue.
//!
//! Every picture comes with its own size (PGM and PPM), which is checked before memory is taken.

use std::ffi::OsString;
use std::io::{BufReader, Read};
use std::path::Path;
use std::process::{ChildStdout, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::ClipError;
use super::parameters::Grey;
use super::pictures::{Announced, LARGEST_PICTURE, Pictures, Pixels};
use crate::ffmpeg::{Ffmpeg, FfmpegError, ask, file_argument};

/// Files may round the times of their pictures to milliseconds, microseconds.
const TOLERANCE_US: i64 = 1000;
/// From so late a start on ffmpeg is asked to jump, seconds; jumping lands up to ten seconds before.
const WORTH_A_JUMP: f64 = 30.0;
/// How long a picture may be waited for.
const PATIENCE: Duration = Duration::from_secs(120);
/// Longest description of a file, bytes.
const LONGEST_DESCRIPTION: u64 = 1 << 16;

pub(super) fn read_video(pictures: &mut Pictures) -> Result<(), ClipError> {
    let failed = |pictures: &Pictures, error: FfmpegError| match error {
        FfmpegError::Missing => ClipError::NoFfmpeg { path: pictures.path.to_owned(), what: error.to_string() },
        FfmpegError::Failed(_) => pictures.not_a_clip(error.to_string()),
    };
    // ffprobe only adds facts: without it the film is shown all the same.
    let facts = Facts::ask(pictures.path).unwrap_or_default();
    let wanted = pictures.wanted;
    let rate = wanted.screen_rate;
    let duration = match (wanted.frames_per_sec, facts.pictures) {
        (Some(rate), pictures) => pictures.map(|pictures| pictures as f64 / rate),
        (None, _) => facts.duration_secs,
    };
    if let Some(secs) = duration.filter(|&secs| secs <= wanted.start) {
        let start = wanted.start;
        return Err(pictures.not_a_clip(format!("it lasts {secs:.2} s, and `start_secs` is {start}")));
    }
    let jump = (wanted.frames_per_sec.is_none() && facts.offset_secs.is_some() && wanted.start > WORTH_A_JUMP)
        .then_some(wanted.start - 10.0);
    // Microseconds; the last picture that begins before the start stays on at the start.
    let clock = match (wanted.frames_per_sec, jump) {
        (Some(rate), _) => format!("N/{rate}*1000000-{:.0}", wanted.start * 1e6 + 1.0),
        (None, None) => format!("PTS-STARTPTS-{:.0}", wanted.start * 1e6 + TOLERANCE_US as f64),
        (None, Some(jump)) => {
            let from = wanted.start - jump + facts.offset_secs.unwrap_or(0.0);
            format!("PTS-{:.0}", from * 1e6 + TOLERANCE_US as f64)
        }
    };
    let is_luma = pictures.grey() == Grey::Rec601;
    let (codec, format) = if is_luma { ("pgm", "gray") } else { ("ppm", "rgb24") };
    let mut arguments: Vec<OsString> = Vec::new();
    let mut push = |words: &[&str]| arguments.extend(words.iter().map(OsString::from));
    push(&["-nostdin", "-hide_banner", "-v", "error", "-protocol_whitelist", "file"]);
    push(&["-max_pixels", &LARGEST_PICTURE.to_string()]);
    if let Some(jump) = jump {
        push(&["-ss", &jump.to_string()]);
    }
    push(&["-i"]);
    arguments.push(file_argument(pictures.path));
    let mut push = |words: &[&str]| arguments.extend(words.iter().map(OsString::from));
    push(&["-map", "0:v:0", "-vf", &format!("settb=AVTB,setpts='max({clock},0)',fps={rate}:round=up")]);
    let frames = ((wanted.end - wanted.start - super::pictures::TOLERANCE) * rate).ceil().max(1.0);
    if frames.is_finite() {
        push(&["-frames:v", &format!("{frames:.0}")]);
    }
    push(&["-c:v", codec, "-pix_fmt", format, "-f", "image2pipe", "pipe:1"]);

    // The pipe has the rhythm of the monitor.
    pictures.wanted.frames_per_sec = None;
    pictures.begin_at(wanted.start);
    let mut child = Ffmpeg::start("ffmpeg", arguments, Stdio::null()).map_err(|error| failed(pictures, error))?;
    for picture in decoded(child.stdout()) {
        let (height, width, values) = picture.map_err(|what| pictures.not_a_clip(what))?;
        let values = if is_luma { Pixels::Grey(&values) } else { Pixels::Colour(&values) };
        pictures.add(height, width, values, None)?;
    }
    child.finish().map_err(|error| failed(pictures, error))?;
    pictures.announce(Announced {
        pictures: facts.pictures,
        secs: duration,
        frames_per_sec: wanted.frames_per_sec.or(facts.frames_per_sec),
        is_coloured: facts.is_coloured,
    });
    Ok(())
}

/// One picture that the `image` crate has no decoder for: height, width, red, green and blue.
pub(super) fn read_jpeg(path: &Path) -> Result<(usize, usize, Vec<u8>), String> {
    let mut arguments: Vec<OsString> =
        ["-nostdin", "-hide_banner", "-v", "error", "-protocol_whitelist", "file", "-f", "jpeg_pipe", "-i"]
            .map(OsString::from)
            .into();
    arguments.push(file_argument(path));
    let rest = ["-frames:v", "1", "-c:v", "ppm", "-pix_fmt", "rgb24", "-f", "image2pipe", "pipe:1"];
    arguments.extend(rest.map(OsString::from));
    let mut child = Ffmpeg::start("ffmpeg", arguments, Stdio::null()).map_err(|error| error.to_string())?;
    let picture = decoded(child.stdout()).next().transpose()?;
    child.finish().map_err(|error| error.to_string())?;
    picture.ok_or_else(|| "it holds no picture".to_owned())
}

type Picture = (usize, usize, Vec<u8>);

/// The pictures in a pipe. They are read on a thread of their own, so that one who waits can lose patience; the thread
/// ends when the pipe or the receiver does.
fn decoded(pipe: ChildStdout) -> impl Iterator<Item = Result<Picture, String>> {
    let (sender, receiver) = mpsc::sync_channel(4);
    std::thread::spawn(move || {
        let mut pipe = BufReader::with_capacity(1 << 16, pipe);
        while let Some(picture) = read_pnm(&mut pipe).transpose() {
            let failed = picture.is_err();
            if sender.send(picture).is_err() || failed {
                break;
            }
        }
    });
    std::iter::from_fn(move || match receiver.recv_timeout(PATIENCE) {
        Ok(picture) => Some(picture),
        Err(mpsc::RecvTimeoutError::Disconnected) => None,
        Err(mpsc::RecvTimeoutError::Timeout) => {
            Some(Err(format!("ffmpeg has sent no picture for {} s", PATIENCE.as_secs())))
        }
    })
}

/// The next picture of a stream of PGM (`P5`) or PPM (`P6`) pictures with 8 bits; nothing at its end.
fn read_pnm(from: &mut impl Read) -> Result<Option<Picture>, String> {
    let mut words = Vec::new();
    let mut word = String::new();
    while words.len() < 4 {
        let mut byte = [0];
        match from.read(&mut byte).map_err(|error| format!("ffmpeg stopped: {error}"))? {
            0 if words.is_empty() && word.is_empty() => return Ok(None),
            0 => return Err("ffmpeg stopped within a picture".to_owned()),
            _ if byte[0].is_ascii_whitespace() => words.push(std::mem::take(&mut word)),
            _ if word.len() < 10 => word.push(char::from(byte[0])),
            _ => return Err("ffmpeg sent something that is no picture".to_owned()),
        }
    }
    let number = |word: &String| word.parse::<u64>().ok();
    let channels = match words[0].as_str() {
        "P5" => 1,
        "P6" => 3,
        _ => return Err("ffmpeg sent something that is no picture".to_owned()),
    };
    let (Some(width), Some(height), "255") = (number(&words[1]), number(&words[2]), words[3].as_str()) else {
        return Err("ffmpeg sent something that is no picture".to_owned());
    };
    if width.saturating_mul(height) > LARGEST_PICTURE {
        return Err(format!("its frames have {height} x {width} pixels, and at most {LARGEST_PICTURE} are read"));
    }
    let bytes = width * height * channels;
    let mut values = Vec::new();
    let count = from.take(bytes).read_to_end(&mut values).map_err(|error| format!("ffmpeg stopped: {error}"))?;
    if count as u64 != bytes {
        return Err("ffmpeg stopped within a picture".to_owned());
    }
    Ok(Some((height as usize, width as usize, values)))
}

/// What ffprobe says about a film.
#[derive(Debug, Default)]
struct Facts {
    frames_per_sec: Option<f64>,
    pictures: Option<usize>,
    duration_secs: Option<f64>,
    is_coloured: bool,
    /// How long after the start of the file its pictures begin, seconds.
    offset_secs: Option<f64>,
}

impl Facts {
    fn ask(path: &Path) -> Option<Self> {
        let mut arguments: Vec<OsString> = [
            "-v",
            "error",
            "-protocol_whitelist",
            "file",
            "-select_streams",
            "v:0",
            "-show_entries",
            "stream=avg_frame_rate,nb_frames,duration,pix_fmt,start_time:format=duration,start_time",
            "-of",
            "flat",
        ]
        .map(OsString::from)
        .into();
        arguments.push(file_argument(path));
        Some(Self::read(&ask("ffprobe", arguments, LONGEST_DESCRIPTION).ok()?))
    }

    fn read(text: &str) -> Self {
        let word = |key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
            Some(line.trim_matches('"'))
        };
        let number = |key: &str| word(key)?.parse::<f64>().ok().filter(|number| number.is_finite());
        let rate = || {
            let (top, bottom) = word("streams.stream.0.avg_frame_rate")?.split_once('/')?;
            let rate = top.parse::<f64>().ok()? / bottom.parse::<f64>().ok()?;
            (rate.is_finite() && rate > 0.0).then_some(rate)
        };
        let duration = number("streams.stream.0.duration").or_else(|| number("format.duration"));
        Self {
            frames_per_sec: rate(),
            pictures: word("streams.stream.0.nb_frames").and_then(|count| count.parse().ok()),
            duration_secs: duration.filter(|&secs| secs > 0.0),
            is_coloured: !word("streams.stream.0.pix_fmt").is_some_and(|format| format.starts_with("gray")),
            offset_secs: number("streams.stream.0.start_time")
                .zip(number("format.start_time"))
                .map(|(pictures, file)| pictures - file),
        }
    }
}
