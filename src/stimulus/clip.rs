//! Natural clips from files.
//!
//! A clip is an 8-bit `.npy` or `.npz` array `[time, height, width]`, a GIF, or a folder of PNGs. Each picture becomes
//! grey (Rec. 601 luma, as ffmpeg's `gray`), is cropped about its middle to the shape of the monitor's raster, and is
//! resampled to it: averaged by area where pixels are lost, interpolated linearly where they are gained. A picture that
//! has the raster already is taken as it is. In time, each frame of the monitor shows the nearest preceding picture.
//!
//! Files are not trusted: sizes are checked before memory is taken, and pictures are read one by one.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::{AnimationDecoder, DynamicImage, ImageDecoder};
use serde::{Deserialize, Serialize};

use super::drawing::{self, Kind};
use super::fields::Field;
use super::screen::Screen;
use super::{StimulusError, grey_level};
use crate::signals::{Monitor, Raster};

/// A natural clip from a file: u8 `.npy` or `.npz` `[time, height, width]`, a GIF, or a folder of PNGs; resampled
/// to the monitor raster and frame rate.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clip {
    /// The file, or the folder of PNGs; relative to the protocol.
    pub path: PathBuf,
    /// Frames per second of the file; a GIF's own delays are used when absent, else the monitor's rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frames_per_sec: Option<f64>,
}

impl Clip {
    /// What can be set beside the path.
    pub const FIELDS: &'static [Field] = &[Field::number(
        "Frame rate of the file",
        "Hz",
        (0.0, 1000.0),
        1.0,
        "Frames per second of the file; 0 takes a GIF's own delays, and the monitor's rate for the other formats",
    )
    .at("frames_per_sec")];

    pub(super) fn get(&self, key: &str) -> Option<f64> {
        (key == "frames_per_sec").then(|| self.frames_per_sec.unwrap_or(0.0))
    }

    pub(super) fn set(&mut self, key: &str, value: f64) -> bool {
        let known = key == "frames_per_sec";
        if known {
            self.frames_per_sec = (value != 0.0).then_some(value);
        }
        known
    }
}

impl Kind for Clip {
    fn reads_files(&self) -> bool {
        true
    }

    fn resolve_paths(&mut self, folder: &Path) {
        self.path = folder.join(&self.path);
    }

    fn prepare(&self, screen: &Arc<Screen>, _seed: u64) -> Result<Arc<dyn drawing::Drawing>, StimulusError> {
        Ok(Arc::new(Frames::read(self, screen.monitor())?))
    }
}

impl drawing::Drawing for Frames {
    fn frame(&self, screen: &Screen, frame: usize, pixels: &mut [u8]) {
        match self.get(frame) {
            Some(picture) => pixels.copy_from_slice(picture),
            None => pixels.fill(screen.monitor().background),
        }
    }

    fn frames(&self) -> Option<usize> {
        Some(self.shown.len())
    }
}

/// Why a clip could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClipError {
    /// No file was chosen.
    #[error("no clip was chosen: give a .npy, .npz or .gif file, or a folder of PNGs")]
    NoPath,
    /// The operating system refused.
    #[error("the clip {} could not be opened: {what}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        what: String,
    },
    /// Not a clip, or a damaged one.
    #[error("{} is not a clip that can be shown: {what}", path.display())]
    NotAClip {
        /// The file.
        path: PathBuf,
        /// What was found and what was expected.
        what: String,
    },
    /// Larger than what is taken into memory.
    #[error("the clip {} is too large: {what}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size and the limit.
        what: String,
    },
}

/// Largest clip, decoded at the monitor's raster or in the file, bytes.
const LARGEST_BYTES: u64 = 2 << 30;
/// Largest picture in a file, pixels.
const LARGEST_PICTURE: u64 = 1 << 26;
/// Longest text that describes an array, bytes; numpy writes about 120.
const LONGEST_HEADER: usize = 1 << 16;
/// Longest clip, seconds: the longest movie of a run.
const MOST_SECS: f64 = 10.0 * 3600.0;
/// Lowest rate of a file, Hz: below, one picture would stand for more than 100 s.
const LOWEST_RATE: f64 = 0.01;
/// What a GIF without a delay means in all browsers, seconds.
const GIF_DEFAULT_DELAY: f64 = 0.1;

/// A clip at the raster and rate of a monitor.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Frames {
    size: usize,
    /// Pictures of the file at the monitor's raster, one after the other.
    pictures: Vec<u8>,
    /// The picture that each frame of the monitor shows.
    shown: Vec<u32>,
}

impl Frames {
    pub(super) fn read(clip: &Clip, monitor: &Monitor) -> Result<Self, ClipError> {
        let path = clip.path.as_path();
        if path.as_os_str().is_empty() {
            return Err(ClipError::NoPath);
        }
        let mut pictures = Pictures::new(path, monitor.raster);
        let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        if path.is_dir() {
            read_folder(&mut pictures)?;
        } else {
            let file = open_regular(path).map_err(|error| pictures.unreadable(&error))?;
            match extension.as_str() {
                "npy" => read_npy(BufReader::new(file), &mut pictures)?,
                "npz" => read_npz(BufReader::new(file), &mut pictures)?,
                "gif" => read_gif(BufReader::new(file), &mut pictures)?,
                _ => {
                    return Err(
                        pictures.not_a_clip("its name must end in .npy, .npz or .gif, or it must be a folder of PNGs")
                    );
                }
            }
        }
        if pictures.delays.is_empty() {
            return Err(pictures.not_a_clip("it holds no pictures"));
        }
        if let Some(rate) = clip.frames_per_sec {
            if !(rate.is_finite() && rate >= LOWEST_RATE) {
                return Err(pictures.not_a_clip(format!("{rate} frames per second is no rate for a file")));
            }
            pictures.delays.fill(Some(1.0 / rate));
        }
        let rate = monitor.frame_rate.0;
        let delays: Vec<f64> = pictures.delays.iter().map(|delay| delay.unwrap_or(1.0 / rate)).collect();
        let secs: f64 = delays.iter().sum();
        if secs > MOST_SECS {
            return Err(pictures.too_large(format!(
                "it lasts {:.1} hours, and at most {} are shown",
                secs / 3600.0,
                MOST_SECS / 3600.0
            )));
        }
        let shown = nearest_preceding(&delays, rate);
        Ok(Self { size: monitor.raster.pixels(), pictures: pictures.pixels, shown })
    }

    /// The picture at a frame; `None` after the end.
    pub(super) fn get(&self, frame: usize) -> Option<&[u8]> {
        let picture = *self.shown.get(frame)? as usize;
        self.pictures.get(picture * self.size..(picture + 1) * self.size)
    }
}

/// Opens a file that can be read to its end: opening a pipe would wait for somebody to write to it.
fn open_regular(path: &Path) -> std::io::Result<File> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    File::open(path)
}

/// For each frame of the monitor the last picture that has begun; the delays are how long each picture stands, seconds.
fn nearest_preceding(delays: &[f64], rate: f64) -> Vec<u32> {
    // Rounding errors of summed delays must not push a picture to the next frame: this is far below any frame.
    let tolerance = 1e-6;
    let ends: Vec<f64> = delays
        .iter()
        .scan(0.0, |end, delay| {
            *end += delay;
            Some(*end)
        })
        .collect();
    let total = ends.last().copied().unwrap_or(0.0);
    let frames = ((total - tolerance) * rate).ceil().max(1.0) as usize;
    let mut picture = 0;
    (0..frames)
        .map(|frame| {
            let now = frame as f64 / rate + tolerance;
            while picture + 1 < ends.len() && ends[picture] <= now {
                picture += 1;
            }
            picture as u32
        })
        .collect()
}

/// Collects pictures at the monitor's raster.
struct Pictures<'a> {
    path: &'a Path,
    raster: Raster,
    pixels: Vec<u8>,
    /// How long each stands, seconds, where the file says so.
    delays: Vec<Option<f64>>,
    fit: Option<Fit>,
}

impl<'a> Pictures<'a> {
    fn new(path: &'a Path, raster: Raster) -> Self {
        Self { path, raster, pixels: Vec::new(), delays: Vec::new(), fit: None }
    }

    fn unreadable(&self, error: &std::io::Error) -> ClipError {
        ClipError::Unreadable { path: self.path.to_owned(), what: error.to_string() }
    }

    fn not_a_clip(&self, what: impl Into<String>) -> ClipError {
        ClipError::NotAClip { path: self.path.to_owned(), what: what.into() }
    }

    fn too_large(&self, what: String) -> ClipError {
        ClipError::TooLarge { path: self.path.to_owned(), what }
    }

    /// Refuses sizes that no memory should be taken for.
    fn check_size(&self, frames: u64, height: u64, width: u64) -> Result<(), ClipError> {
        if frames == 0 || height == 0 || width == 0 {
            return Err(self.not_a_clip(format!("it has {frames} frames of {height} x {width} pixels")));
        }
        let picture = height.saturating_mul(width);
        if picture > LARGEST_PICTURE {
            return Err(self.too_large(format!(
                "its frames have {height} x {width} pixels, and at most {LARGEST_PICTURE} pixels are read"
            )));
        }
        let bytes = frames.saturating_mul(picture.max(self.raster.pixels() as u64));
        if bytes > LARGEST_BYTES {
            return Err(self.too_large(format!(
                "{frames} frames take {bytes} bytes, and at most {LARGEST_BYTES} are read; cut it into shorter clips"
            )));
        }
        Ok(())
    }

    /// Adds a grey picture `[height, width]` that stands for `delay` seconds.
    fn add(&mut self, height: usize, width: usize, grey: &[u8], delay: Option<f64>) -> Result<(), ClipError> {
        self.check_size(self.delays.len() as u64 + 1, height as u64, width as u64)?;
        let raster = self.raster;
        let fit = self.fit.get_or_insert_with(|| Fit::new(Raster { height, width }, raster));
        let first = fit.source;
        if (first.height, first.width) != (height, width) {
            return Err(self.not_a_clip(format!(
                "frame {} has {height} x {width} pixels, but the first has {first}",
                self.delays.len()
            )));
        }
        fit.append(grey, &mut self.pixels);
        self.delays.push(delay);
        Ok(())
    }
}

/// From the pixels of a file to those of the monitor.
struct Fit {
    source: Raster,
    rows: Vec<Share>,
    columns: Vec<Share>,
}

/// Where the value of one target row or column comes from: consecutive sources and their weights, which sum to 1.
struct Share {
    first: usize,
    weights: Vec<f32>,
}

impl Fit {
    fn new(source: Raster, target: Raster) -> Self {
        let (height, width) = (source.height as f64, source.width as f64);
        let aspect = target.width as f64 / target.height as f64;
        let (used_height, used_width) =
            if width > height * aspect { (height, height * aspect) } else { (width / aspect, width) };
        Self {
            source,
            rows: shares(source.height, used_height, target.height),
            columns: shares(source.width, used_width, target.width),
        }
    }

    fn append(&self, grey: &[u8], pixels: &mut Vec<u8>) {
        let width = self.source.width;
        let mut mixed = vec![0.0f32; width];
        for row in &self.rows {
            mixed.fill(0.0);
            for (line, weight) in grey[row.first * width..].chunks_exact(width).zip(&row.weights) {
                for (sum, &value) in mixed.iter_mut().zip(line) {
                    *sum += weight * f32::from(value);
                }
            }
            pixels.extend(self.columns.iter().map(|column| {
                let sources = &mixed[column.first..column.first + column.weights.len()];
                grey_level(f64::from(sources.iter().zip(&column.weights).map(|(v, w)| v * w).sum::<f32>()))
            }));
        }
    }
}

/// Shares of `target` values taken from the middle `used` of `source` values.
fn shares(source: usize, used: f64, target: usize) -> Vec<Share> {
    let start = (source as f64 - used) / 2.0;
    let scale = used / target as f64;
    (0..target)
        .map(|index| {
            if scale >= 1.0 {
                let (from, to) = (start + index as f64 * scale, start + (index + 1) as f64 * scale);
                let first = (from.floor() as usize).min(source - 1);
                let last = (to.ceil() as usize).clamp(first + 1, source);
                let overlap = |pixel: usize| (to.min(pixel as f64 + 1.0) - from.max(pixel as f64)).max(0.0);
                let total: f64 = (first..last).map(overlap).sum();
                Share { first, weights: (first..last).map(|pixel| (overlap(pixel) / total) as f32).collect() }
            } else {
                let centre = (start + (index as f64 + 0.5) * scale - 0.5).clamp(0.0, source as f64 - 1.0);
                let first = centre.floor() as usize;
                let rest = (centre - first as f64) as f32;
                Share { first, weights: if rest > 0.0 { vec![1.0 - rest, rest] } else { vec![1.0] } }
            }
        })
        .collect()
}

fn read_npz(file: BufReader<File>, pictures: &mut Pictures) -> Result<(), ClipError> {
    let damaged = |pictures: &Pictures, error: zip::result::ZipError| {
        pictures.not_a_clip(format!("the archive is damaged: {error}"))
    };
    let mut archive = zip::ZipArchive::new(file).map_err(|error| damaged(pictures, error))?;
    let mut found = Vec::new();
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(|error| damaged(pictures, error))?;
        // An archive may hold labels beside the clip: only an array of three dimensions can be one.
        if read_npy_header(entry).is_ok_and(|header| header.shape.len() == 3) {
            found.push(index);
        }
    }
    match found[..] {
        [index] => {
            let entry = archive.by_index(index).map_err(|error| damaged(pictures, error))?;
            read_npy(entry, pictures)
        }
        _ => Err(pictures.not_a_clip(format!(
            "of its {} arrays {} have the three dimensions [time, height, width], expected exactly one",
            archive.len(),
            found.len()
        ))),
    }
}

/// What an `.npy` file says about itself.
struct NpyHeader {
    kind: String,
    fortran: bool,
    shape: Vec<u64>,
}

fn read_npy(mut from: impl Read, pictures: &mut Pictures) -> Result<(), ClipError> {
    let header = read_npy_header(&mut from).map_err(|what| pictures.not_a_clip(what))?;
    if !matches!(header.kind.as_str(), "|u1" | "u1" | "<u1" | ">u1") {
        return Err(pictures.not_a_clip(format!("it holds `{}`, expected 8-bit grey levels (`|u1`)", header.kind)));
    }
    if header.fortran {
        return Err(pictures.not_a_clip("it is in Fortran order: save numpy.ascontiguousarray of it"));
    }
    let [frames, height, width] = header.shape[..] else {
        return Err(pictures.not_a_clip(format!("its shape is {:?}, expected [time, height, width]", header.shape)));
    };
    pictures.check_size(frames, height, width)?;
    let (height, width) = (height as usize, width as usize);
    let mut grey = Vec::new();
    for frame in 0..frames {
        grey.clear();
        // Grows with what is really there, not with what the header claims.
        let read = from.by_ref().take((height * width) as u64).read_to_end(&mut grey);
        match read {
            Ok(count) if count == height * width => pictures.add(height, width, &grey, None)?,
            Ok(_) => return Err(pictures.not_a_clip(format!("it ends in frame {frame} of {frames}"))),
            Err(error) => return Err(pictures.not_a_clip(format!("frame {frame} of {frames} is damaged: {error}"))),
        }
    }
    Ok(())
}

/// Reads as much of an `.npy` file as precedes the numbers. Our own few lines, because the text comes from strangers:
/// its length is bounded, and no product of sizes is formed here.
fn read_npy_header(mut from: impl Read) -> Result<NpyHeader, String> {
    let no_header = "it does not begin like an .npy file";
    let mut start = [0; 8];
    from.read_exact(&mut start).map_err(|_| no_header)?;
    if &start[..6] != b"\x93NUMPY" {
        return Err(no_header.to_owned());
    }
    let length = if start[6] == 1 {
        let mut bytes = [0; 2];
        from.read_exact(&mut bytes).map_err(|_| no_header)?;
        usize::from(u16::from_le_bytes(bytes))
    } else {
        let mut bytes = [0; 4];
        from.read_exact(&mut bytes).map_err(|_| no_header)?;
        u32::from_le_bytes(bytes) as usize
    };
    if length > LONGEST_HEADER {
        return Err(format!("its header claims {length} bytes"));
    }
    let mut text = vec![0; length];
    from.read_exact(&mut text).map_err(|_| "its header is cut off")?;
    let text = String::from_utf8_lossy(&text);
    let after = |key: &str| {
        let found = text.split_once(&format!("'{key}':")).map(|(_, rest)| rest.trim_start());
        found.ok_or_else(|| format!("its header has no `{key}`"))
    };
    let kind = after("descr")?.strip_prefix('\'').and_then(|rest| rest.split_once('\''));
    let kind = kind.ok_or("its `descr` is no plain type")?.0.to_owned();
    let fortran = match after("fortran_order")? {
        rest if rest.starts_with("True") => true,
        rest if rest.starts_with("False") => false,
        _ => return Err("its `fortran_order` is neither True nor False".to_owned()),
    };
    let sizes = after("shape")?.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    let sizes = sizes.ok_or("its `shape` is no list")?.0;
    let shape: Result<Vec<u64>, _> =
        sizes.split(',').map(str::trim).filter(|size| !size.is_empty()).map(str::parse).collect();
    Ok(NpyHeader { kind, fortran, shape: shape.map_err(|_| format!("its `shape` is ({sizes})"))? })
}

/// Bounds on what the decoders may take.
fn limits() -> image::Limits {
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(1 << 15);
    limits.max_image_height = Some(1 << 15);
    // Four bytes a pixel, and a second picture to compose the first onto.
    limits.max_alloc = Some(8 * LARGEST_PICTURE);
    limits
}

fn read_gif(file: BufReader<File>, pictures: &mut Pictures) -> Result<(), ClipError> {
    let damaged =
        |pictures: &Pictures, error: image::ImageError| pictures.not_a_clip(format!("the GIF is damaged: {error}"));
    let mut decoder = image::codecs::gif::GifDecoder::new(file).map_err(|error| damaged(pictures, error))?;
    let (width, height) = decoder.dimensions();
    pictures.check_size(1, u64::from(height), u64::from(width))?;
    decoder.set_limits(limits()).map_err(|error| damaged(pictures, error))?;
    for frame in decoder.into_frames() {
        let frame = frame.map_err(|error| damaged(pictures, error))?;
        let (numerator, denominator) = frame.delay().numer_denom_ms();
        let delay = f64::from(numerator) / f64::from(denominator.max(1)) / 1000.0;
        let picture = frame.into_buffer();
        let (width, height) = picture.dimensions();
        // What is transparent has nothing under it, and counts as black.
        let grey: Vec<u8> =
            picture.pixels().map(|p| if p.0[3] == 0 { 0 } else { luma([p.0[0], p.0[1], p.0[2]]) }).collect();
        let delay = if delay > 0.0 { delay } else { GIF_DEFAULT_DELAY };
        pictures.add(height as usize, width as usize, &grey, Some(delay))?;
    }
    Ok(())
}

fn read_folder(pictures: &mut Pictures) -> Result<(), ClipError> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(pictures.path).map_err(|error| pictures.unreadable(&error))? {
        let path = entry.map_err(|error| pictures.unreadable(&error))?.path();
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png")) {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(pictures.not_a_clip("the folder holds no PNGs"));
    }
    files.sort_by_key(|path| natural_order(&path.file_name().unwrap_or_default().to_string_lossy()));
    for path in files {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let damaged = |error: &dyn std::fmt::Display| pictures.not_a_clip(format!("{name} cannot be read: {error}"));
        let file = open_regular(&path).map_err(|error| damaged(&error))?;
        let mut reader = image::ImageReader::with_format(BufReader::new(file), image::ImageFormat::Png);
        reader.limits(limits());
        let (height, width, grey) = match reader.decode().map_err(|error| damaged(&error))? {
            DynamicImage::ImageLuma8(grey) => (grey.height(), grey.width(), grey.into_raw()),
            colour => {
                let colour = colour.into_rgb8();
                (colour.height(), colour.width(), colour.pixels().map(|p| luma(p.0)).collect())
            }
        };
        pictures.add(height as usize, width as usize, &grey, None)?;
    }
    Ok(())
}

/// Rec. 601 luma of gamma-coded colours, rounded.
fn luma([red, green, blue]: [u8; 3]) -> u8 {
    ((299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue) + 500) / 1000) as u8
}

/// Sorts `frame2` before `frame10`: text as text, runs of digits by their value.
fn natural_order(name: &str) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for letter in name.chars() {
        match (letter.is_ascii_digit(), pieces.last_mut()) {
            (true, Some(Piece::Number { digits, value })) => {
                if !value.is_empty() || letter != '0' {
                    value.push(letter);
                    *digits = value.len();
                }
            }
            (true, _) => {
                let value = if letter == '0' { String::new() } else { letter.to_string() };
                pieces.push(Piece::Number { digits: value.len(), value });
            }
            (false, Some(Piece::Text(text))) => text.push(letter),
            (false, _) => pieces.push(Piece::Text(letter.to_string())),
        }
    }
    pieces
}

/// Part of a file name. A number without leading zeros is larger when it is longer, and else by its digits.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Piece {
    Number { digits: usize, value: String },
    Text(String),
}
