//! Natural clips from files.
//!
//! A clip is an 8-bit `.npy` or `.npz` array `[time, height, width]`, an animation (GIF, APNG, WebP), a TIFF stack, a
//! folder of pictures, or a video file that the program `ffmpeg` decodes. Each picture becomes grey, is fitted to the
//! monitor's raster (by default cut about its middle to the shape of the screen) and resampled: averaged by area where
//! pixels are lost, interpolated linearly where they are gained. A picture that has the raster already is taken as it
//! is. In time, each frame of the monitor shows the nearest preceding picture.
//!
//! Contrast c turns a grey level v into m + c (v - m), where m is the mean of everything that is shown; the background
//! beside a picture stays.
//!
//! Files are not trusted: sizes are checked before memory is taken, and pictures are read one by one.

mod animation;
mod fit;
mod folder;
mod footage;
mod npy;
mod parameters;
mod pictures;
mod stack;
mod video;

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(super) use folder::picture_files;
use footage::{Edition, Footage};
use parameters::GREY;
pub(super) use parameters::{CONTRAST, CROP_X, CROP_Y, FIT, file_parameters};
pub use parameters::{Grey, PictureFit};
use pictures::{Pictures, Wanted};

use super::StimulusError;
use super::drawing::{self, Kind};
use super::fields::Field;
use super::screen::Screen;
use crate::signals::{Monitor, Raster};

/// Endings of the files that can be shown as clips, as a file dialog needs them. Those that nothing here decodes go to
/// ffmpeg.
pub const ENDINGS: &[&str] = &[
    "npy", "npz", "gif", "png", "apng", "webp", "tif", "tiff", "avi", "mp4", "m4v", "mov", "mkv", "webm", "mpg",
    "mpeg", "wmv", "flv", "ogv", "ogg", "ts", "mts", "m2ts", "3gp", "mj2", "mxf", "asf", "vob", "y4m", "dv", "nut",
];

file_parameters! {
    /// A natural clip from a file or a folder of pictures, resampled to the monitor's raster and frame rate.
    pub struct Clip {
        /// The file, or the folder of pictures; relative to the protocol.
        path;
        /// Frames per second of the file; its own times are used when absent, else the monitor's rate.
        #[serde(skip_serializing_if = "Option::is_none")]
        frames_per_sec: Option<f64> = None, Field::number(
            "Frame rate of the file",
            "Hz",
            (0.0, 1000.0),
            1.0,
            "Frames per second of the file; 0 takes the file's own times, and the monitor's rate where it has none",
        );
        /// What happens to a picture of another shape.
        fit: PictureFit = PictureFit::Crop, FIT;
        /// Which part is kept where the sides are cut, -1 (left) to 1 (right).
        crop_x: f64 = 0.0, CROP_X;
        /// Which part is kept where top and bottom are cut, -1 (bottom) to 1 (top).
        crop_y: f64 = 0.0, CROP_Y;
        /// Factor on the differences from the mean of what is shown, 0..=2.
        contrast: f64 = 1.0, CONTRAST;
        /// Moment of the file at which the clip begins, seconds.
        start_secs: f64 = 0.0, Field::number(
            "Start",
            "s",
            (0.0, 36_000.0),
            0.1,
            "Moment of the file at which the clip begins",
        );
        /// How much of the file is shown, seconds; 0 shows it to its end.
        duration_secs: f64 = 0.0, Field::number(
            "Duration",
            "s",
            (0.0, 36_000.0),
            0.1,
            "How much of the file is shown; 0 shows it to its end",
        );
        /// How a colour becomes a grey level.
        grey: Grey = Grey::Rec601, GREY;
        /// Begin again at the end, instead of showing the background.
        repeat: bool = false,
            Field::switch("Repeat", "Begin again at the end; otherwise the background is shown from there on");
    }
}

impl Kind for Clip {
    fn idle(&self, key: &str) -> Option<&'static str> {
        match key {
            "crop_x" | "crop_y" if self.fit != PictureFit::Crop => Some("nothing is cut off; set `fit` to \"crop\""),
            _ => None,
        }
    }

    fn path(&self) -> Option<&Path> {
        Some(&self.path)
    }

    fn resolve_paths(&mut self, folder: &Path) {
        self.path = folder.join(&self.path);
    }

    fn prepare(&self, screen: &Arc<Screen>, _seed: u64) -> Result<Arc<dyn drawing::Drawing>, StimulusError> {
        let footage = self.footage(screen.monitor())?;
        let shown = footage.nearest_preceding();
        let levels = footage.levels(&shown, self.contrast);
        Ok(Arc::new(Showing { footage, shown, levels, repeat: self.repeat }))
    }
}

impl Clip {
    fn footage(&self, monitor: &Monitor) -> Result<Arc<Footage>, ClipError> {
        let path = self.path.as_path();
        if path.as_os_str().is_empty() {
            return Err(ClipError::NoPath);
        }
        let look = Look { fit: self.fit, crop_x: self.crop_x, crop_y: self.crop_y, grey: self.grey };
        let end = if self.duration_secs > 0.0 { self.start_secs + self.duration_secs } else { f64::INFINITY };
        let wanted = Wanted {
            screen: monitor.raster,
            screen_rate: monitor.frame_rate.0,
            frames_per_sec: self.frames_per_sec,
            start: self.start_secs,
            end,
        };
        let edition = if path.is_dir() {
            picture_files(path).ok().and_then(|files| Edition::of(files.iter().map(PathBuf::as_path), &look, &wanted))
        } else {
            Edition::of([path], &look, &wanted)
        };
        footage::shared(edition, || read(path, look, wanted))
    }
}

/// How pictures come onto the screen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Look {
    pub fit: PictureFit,
    pub crop_x: f64,
    pub crop_y: f64,
    pub grey: Grey,
}

/// A clip at the raster and rate of a monitor.
#[derive(Debug)]
struct Showing {
    footage: Arc<Footage>,
    /// The picture that each frame of the monitor shows.
    shown: Vec<u32>,
    levels: Option<Box<[u8; 256]>>,
    repeat: bool,
}

impl drawing::Drawing for Showing {
    fn frame(&self, screen: &Screen, frame: usize, pixels: &mut [u8]) {
        let Monitor { raster, background, .. } = *screen.monitor();
        let frame = if self.repeat { frame % self.shown.len() } else { frame };
        let picture = self.shown.get(frame);
        if picture.is_none() || self.footage.info().on_screen != raster {
            pixels.fill(background);
        }
        if let Some(&picture) = picture {
            self.footage.draw(picture as usize, self.levels.as_deref(), raster.width, pixels);
        }
    }

    fn frames(&self) -> Option<usize> {
        (!self.repeat).then_some(self.shown.len())
    }

    fn clip(&self) -> Option<&ClipInfo> {
        Some(self.footage.info())
    }
}

/// One picture alone, the first of a file, for stimuli that are made of pictures.
#[derive(Debug, Clone)]
pub(super) struct Still {
    footage: Arc<Footage>,
    levels: Option<Box<[u8; 256]>>,
}

impl Still {
    /// Reads a picture for a screen; the contrast is about its own mean.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn read(path: &Path, look: Look, monitor: &Monitor, contrast: f64) -> Result<Self, ClipError> {
        let wanted = Wanted {
            screen: monitor.raster,
            screen_rate: monitor.frame_rate.0,
            frames_per_sec: None,
            start: 0.0,
            end: f64::INFINITY,
        };
        let footage = footage::shared(Edition::of([path], &look, &wanted), || {
            let mut pictures = Pictures::new(path, look, wanted)?;
            folder::read_picture(path, &mut pictures)?;
            pictures.finish()
        })?;
        let levels = footage.levels(&[0], contrast);
        Ok(Self { footage, levels })
    }

    /// Draws it on the background.
    pub(super) fn draw(&self, monitor: &Monitor, pixels: &mut [u8]) {
        if self.footage.info().on_screen != monitor.raster {
            pixels.fill(monitor.background);
        }
        self.footage.draw(0, self.levels.as_deref(), monitor.raster.width, pixels);
    }
}

/// What a clip is, as the window shows it beside its parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClipInfo {
    /// Pixels of its pictures.
    pub raster: Raster,
    /// Number of pictures in the file; `None` when a video file does not say.
    pub pictures: Option<usize>,
    /// Pictures per second; `None` when they stand for different times.
    pub frames_per_sec: Option<f64>,
    /// Duration of the whole file, seconds.
    pub duration_secs: f64,
    /// Duration of what is shown, seconds.
    pub shown_secs: f64,
    /// Whether any picture that is shown has colours.
    pub colour: bool,
    /// Part of the height and of the width that is cut off, 0..1.
    pub cut: [f64; 2],
    /// Pixels of the monitor that a picture takes; the others show the background.
    pub on_screen: Raster,
}

impl ClipInfo {
    /// Looks at a clip for a monitor. What is on show already is not read again.
    ///
    /// # Errors
    /// When the clip cannot be read.
    pub fn of(clip: &Clip, monitor: &Monitor) -> Result<Self, ClipError> {
        clip.footage(monitor).map(|footage| *footage.info())
    }
}

/// Such as "300 pictures of 144 x 256 pixels, 30 Hz, 10.00 s, grey, nothing cut".
impl std::fmt::Display for ClipInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.pictures {
            Some(1) => write!(f, "1 picture of {} pixels", self.raster)?,
            Some(pictures) => write!(f, "{pictures} pictures of {} pixels", self.raster)?,
            None => write!(f, "pictures of {} pixels", self.raster)?,
        }
        match self.frames_per_sec {
            // Two digits are enough for 29.97 and 59.94.
            Some(rate) => write!(f, ", {} Hz", (rate * 100.0).round() / 100.0)?,
            None => write!(f, ", no constant rate")?,
        }
        write!(f, ", {:.2} s, {}", self.duration_secs, if self.colour { "colour" } else { "grey" })?;
        let percent = self.cut.map(|part| (part * 100.0).round());
        match percent {
            [0.0, 0.0] => write!(f, ", nothing cut"),
            [height, 0.0] => write!(f, ", {height} % of the height cut"),
            [_, width] => write!(f, ", {width} % of the width cut"),
        }
    }
}

/// Why a clip could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClipError {
    /// No file was chosen.
    #[error("no clip was chosen: give a .npy, .npz, .gif, .png, .webp, .tif or video file, or a folder of pictures")]
    NoPath,
    /// No folder was chosen.
    #[error("no images were chosen: give a folder of pictures (.png, .webp, .tif or .jpg)")]
    NoFolder,
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
    /// A video file on a computer without ffmpeg.
    #[error("the clip {} needs a program that is missing: {what}", path.display())]
    NoFfmpeg {
        /// The file.
        path: PathBuf,
        /// How to get it.
        what: String,
    },
}

fn read(path: &Path, look: Look, wanted: Wanted) -> Result<Footage, ClipError> {
    let mut pictures = Pictures::new(path, look, wanted)?;
    if path.is_dir() {
        folder::read_folder(&mut pictures)?;
        return pictures.finish();
    }
    let mut file = BufReader::new(open_regular(path).map_err(|error| pictures.unreadable(&error))?);
    let ending = folder::ending(path);
    if let Some(begins_like) = misnamed(&ending, &mut file).map_err(|error| pictures.unreadable(&error))? {
        return Err(pictures.not_a_clip(format!("its name ends in .{ending}, but it begins like {begins_like} file")));
    }
    match ending.as_str() {
        "npy" => npy::read_npy_file(file, &mut pictures)?,
        "npz" => npy::read_npz(file, &mut pictures)?,
        "gif" => animation::read_gif(file, &mut pictures)?,
        "png" | "apng" => animation::read_png(file, &mut pictures)?,
        "webp" => animation::read_webp(file, &mut pictures)?,
        "tif" | "tiff" => stack::read_tiff(file, &mut pictures)?,
        video if ENDINGS.contains(&video) => video::read_video(&mut pictures)?,
        _ => {
            let what = "its name must end in .npy, .npz, .gif, .png, .webp, .tif or like a video file (.mp4, .avi, \
                        .mkv ...), or it must be a folder of pictures";
            return Err(pictures.not_a_clip(what));
        }
    }
    pictures.finish()
}

/// What a file begins like, where that is one of our formats and not the one of its name.
fn misnamed(ending: &str, file: &mut BufReader<File>) -> std::io::Result<Option<&'static str>> {
    let mut start = Vec::new();
    file.by_ref().take(12).read_to_end(&mut start)?;
    file.rewind()?;
    let (kind, endings): (_, &[&str]) = match start.as_slice() {
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => ("an .npy", &["npy"]),
        [b'P', b'K', 3, 4, ..] => ("an .npz", &["npz"]),
        [b'G', b'I', b'F', b'8', ..] => ("a .gif", &["gif"]),
        [0x89, b'P', b'N', b'G', ..] => ("a .png", &["png", "apng"]),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P'] => ("a .webp", &["webp"]),
        [b'I', b'I', b'*' | b'+', 0, ..] | [b'M', b'M', 0, b'*' | b'+', ..] => ("a .tif", &["tif", "tiff"]),
        _ => return Ok(None),
    };
    Ok((!endings.contains(&ending)).then_some(kind))
}

/// Opens a file that can be read to its end: opening a pipe would wait for somebody to write to it.
fn open_regular(path: &Path) -> std::io::Result<File> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    File::open(path)
}
