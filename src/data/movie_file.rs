//! Movies into files, for other programs and for talks.
//!
//! Frames are asked for and written piece by piece, so memory does not grow with the length. A file (or folder) gets its
//! name when it is complete; one that is stopped or fails leaves nothing.
//!
//! `.npy`, `.npz`, `.gif` and folders of `.png` keep every grey level exactly. `.mp4` is for looking at: H.264 at a
//! constant quality of 10 (`-crf 10`, most grey levels are off by at most 2) in the pixel format that every player has.

use std::fs::File;
use std::io::{BufWriter, Error, ErrorKind, Write};
use std::path::Path;

use image::codecs::gif::{GifEncoder, Repeat};
use image::codecs::png::PngEncoder;
use image::{Delay, ExtendedColorType, ImageEncoder, RgbaImage};

use super::npy_header::NpyHeader;
use super::target::{UnfinishedFolder, folder_of, unfinished};
use crate::ffmpeg::{Ffmpeg, FfmpegError, file_argument};
use crate::signals::{FrameRate, FrameSource, SourceError};

/// Bytes of frames that are held at once.
const PIECE: usize = 4 << 20;
/// A GIF counts time in hundredths of a second.
const GIF_TICKS_PER_SEC: f64 = 100.0;

/// How a movie is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MovieFormat {
    /// u8 `[time, height, width]`.
    Npy,
    /// The same as `movie`, compressed, with `frames_per_sec`.
    Npz,
    /// An animation that begins again at its end, in exact grey levels.
    Gif,
    /// A folder of numbered pictures.
    Pngs,
    /// H.264 video, by the program `ffmpeg`.
    Mp4,
}

impl MovieFormat {
    /// The format that a name asks for: by its ending; `.png`, and a name that ends in a slash, is a folder.
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.as_os_str().to_string_lossy();
        if name.ends_with('/') || name.ends_with(std::path::MAIN_SEPARATOR) {
            return Some(Self::Pngs);
        }
        match path.extension()?.to_string_lossy().to_ascii_lowercase().as_str() {
            "npy" => Some(Self::Npy),
            "npz" => Some(Self::Npz),
            "gif" => Some(Self::Gif),
            "png" => Some(Self::Pngs),
            "mp4" => Some(Self::Mp4),
            _ => None,
        }
    }
}

/// Why a movie could not be written.
#[derive(Debug, thiserror::Error)]
pub enum MovieFileError {
    /// No format has this ending.
    #[error(
        "`{file}` names no kind of movie: let it end in .npy, .npz, .gif or .mp4, or in / for a folder of pictures"
    )]
    Format {
        /// The file.
        file: String,
    },
    /// Nothing that this format can hold.
    #[error("the movie cannot be written to `{file}`: {what}")]
    Impossible {
        /// The file.
        file: String,
        /// Why, and what can be done.
        what: String,
    },
    /// The file system refused.
    #[error("`{file}` could not be written: {source}")]
    Write {
        /// The file.
        file: String,
        /// Cause.
        source: Error,
    },
    /// The frames could not be drawn.
    #[error("the movie could not be drawn: {0}")]
    Source(#[from] SourceError),
    /// The caller had enough.
    #[error("the movie was stopped; nothing was written")]
    Stopped,
}

/// Writes a movie in the format that the path asks for. `progress` gets the number of frames that are written, and
/// answers whether to go on.
///
/// # Errors
/// When the path names no format, the movie does not fit it, the source or the file system fails, `ffmpeg` is missing
/// or fails, or `progress` answers `false`.
pub fn write_movie(
    path: &Path,
    source: &mut dyn FrameSource,
    frame_rate: FrameRate,
    progress: &mut dyn FnMut(usize) -> bool,
) -> Result<(), MovieFileError> {
    let format = MovieFormat::of(path).ok_or_else(|| MovieFileError::Format { file: path.display().to_string() })?;
    write_movie_as(path, format, source, frame_rate, progress)
}

/// Writes a movie in a format, whatever the path ends in.
///
/// # Errors
/// As [`write_movie`].
pub fn write_movie_as(
    path: &Path,
    format: MovieFormat,
    source: &mut dyn FrameSource,
    frame_rate: FrameRate,
    progress: &mut dyn FnMut(usize) -> bool,
) -> Result<(), MovieFileError> {
    // Without a slash at the end, which would hide the name.
    let path = path.components().as_path();
    let mut frames = Frames::new(path, source, frame_rate, progress)?;
    match format {
        MovieFormat::Npy => write_npy(&mut frames),
        MovieFormat::Npz => write_npz(&mut frames),
        MovieFormat::Gif => write_gif(&mut frames),
        MovieFormat::Pngs => write_pngs(&mut frames),
        MovieFormat::Mp4 => write_mp4(&mut frames),
    }
}

/// The frames of a movie in pieces, and where they go.
struct Frames<'a> {
    path: &'a Path,
    source: &'a mut dyn FrameSource,
    rate: f64,
    progress: &'a mut dyn FnMut(usize) -> bool,
    piece: Vec<u8>,
    done: usize,
}

impl<'a> Frames<'a> {
    fn new(
        path: &'a Path,
        source: &'a mut dyn FrameSource,
        frame_rate: FrameRate,
        progress: &'a mut dyn FnMut(usize) -> bool,
    ) -> Result<Self, MovieFileError> {
        let (samples, count, raster) = (source.samples(), source.frames(), source.raster());
        let frames = Self { path, source, rate: frame_rate.0, progress, piece: Vec::new(), done: 0 };
        if samples != 1 {
            return Err(frames.impossible(format!("it is {samples} movies side by side; write one of them")));
        }
        if count == 0 || raster.pixels() == 0 {
            return Err(frames.impossible(format!("it has {count} frames of {raster} pixels")));
        }
        if !(frames.rate.is_finite() && frames.rate > 0.0) {
            return Err(frames.impossible(format!("{} frames per second is no rate", frames.rate)));
        }
        Ok(frames)
    }

    fn count(&self) -> usize {
        self.source.frames()
    }

    fn size(&self) -> usize {
        self.source.raster().pixels()
    }

    /// Height and width, where a format counts them in 32 bits.
    fn sides(&self) -> Result<(u32, u32), MovieFileError> {
        let raster = self.source.raster();
        match (u32::try_from(raster.height), u32::try_from(raster.width)) {
            (Ok(height), Ok(width)) => Ok((height, width)),
            _ => Err(self.impossible(format!("its frames have {raster} pixels"))),
        }
    }

    /// The next frames, one after the other; nothing at the end.
    fn next(&mut self) -> Result<Option<&[u8]>, MovieFileError> {
        if self.done > 0 && !(self.progress)(self.done) {
            return Err(MovieFileError::Stopped);
        }
        let size = self.size();
        let count = (PIECE / size).clamp(1, 64).min(self.count() - self.done);
        if count == 0 {
            return Ok(None);
        }
        self.piece.resize(count * size, 0);
        self.source.read(self.done, count, &mut self.piece)?;
        self.done += count;
        Ok(Some(&self.piece))
    }

    fn failed(&self) -> impl Fn(Error) -> MovieFileError + use<> {
        let file = self.path.display().to_string();
        move |source| MovieFileError::Write { file: file.clone(), source }
    }

    fn impossible(&self, what: String) -> MovieFileError {
        MovieFileError::Impossible { file: self.path.display().to_string(), what }
    }
}

/// Fills a temporary file and gives it its name.
fn write_file(
    frames: &mut Frames<'_>,
    fill: impl FnOnce(&mut Frames<'_>, &mut BufWriter<tempfile::NamedTempFile>) -> Result<(), MovieFileError>,
) -> Result<(), MovieFileError> {
    let failed = frames.failed();
    let mut file = BufWriter::new(unfinished(frames.path).map_err(&failed)?);
    fill(frames, &mut file)?;
    let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
    file.as_file().sync_all().map_err(&failed)?;
    file.persist(frames.path).map_err(|error| failed(error.error))?;
    Ok(())
}

fn write_array(frames: &mut Frames<'_>, to: &mut dyn Write) -> Result<(), MovieFileError> {
    let failed = frames.failed();
    let raster = frames.source.raster();
    to.write_all(&NpyHeader::bytes("|u1", &[frames.count(), raster.height, raster.width])).map_err(&failed)?;
    while let Some(piece) = frames.next()? {
        to.write_all(piece).map_err(&failed)?;
    }
    Ok(())
}

fn write_npy(frames: &mut Frames<'_>) -> Result<(), MovieFileError> {
    write_file(frames, |frames, file| write_array(frames, file))
}

fn write_npz(frames: &mut Frames<'_>) -> Result<(), MovieFileError> {
    write_file(frames, |frames, file| {
        let failed = frames.failed();
        let zipped = |error: zip::result::ZipError| failed(error.into());
        let bytes = (frames.count() as u64).saturating_mul(frames.size() as u64);
        let options = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Deflated)
            // The ordinary form ends at 4 GB.
            .large_file(bytes > u64::from(u32::MAX / 2));
        let mut archive = zip::ZipWriter::new(file);
        archive.start_file("frames_per_sec.npy", options).map_err(zipped)?;
        archive.write_all(&NpyHeader::bytes("<f8", &[])).map_err(&failed)?;
        archive.write_all(&frames.rate.to_le_bytes()).map_err(&failed)?;
        archive.start_file("movie.npy", options).map_err(zipped)?;
        write_array(frames, &mut archive)?;
        archive.finish().map_err(zipped)?;
        Ok(())
    })
}

/// When a frame of a GIF begins, ticks: never later than in the movie, so that at each of its frames the right picture
/// is on. At 30 Hz the pictures stand for 3, 3 and 4 ticks in turn.
fn gif_ticks(frame: usize, rate: f64) -> u64 {
    // The small addition keeps whole numbers whole.
    (frame as f64 * GIF_TICKS_PER_SEC / rate + 1e-6) as u64
}

fn write_gif(frames: &mut Frames<'_>) -> Result<(), MovieFileError> {
    let (height, width) = frames.sides()?;
    if frames.rate > GIF_TICKS_PER_SEC {
        let what = format!("a GIF has at most 100 frames per second, the movie {}; write a .npy", frames.rate);
        return Err(frames.impossible(what));
    }
    if height.max(width) > u32::from(u16::MAX) {
        return Err(frames.impossible(format!("a GIF has no {height} x {width} pixels; write a .npy")));
    }
    write_file(frames, |frames, file| {
        let failed = frames.failed();
        let encoded = |error: image::ImageError| failed(Error::other(error));
        let (size, rate) = (frames.size(), frames.rate);
        // A frame of at most 256 levels gets a palette of exactly those.
        let mut encoder = GifEncoder::new(file);
        encoder.set_repeat(Repeat::Infinite).map_err(encoded)?;
        let mut frame = 0;
        while let Some(piece) = frames.next()? {
            for picture in piece.chunks_exact(size) {
                let colours = picture.iter().flat_map(|&grey| [grey, grey, grey, 255]).collect();
                let colours = RgbaImage::from_raw(width, height, colours).expect("four values each");
                let ticks = gif_ticks(frame + 1, rate) - gif_ticks(frame, rate);
                let delay = Delay::from_numer_denom_ms(u32::try_from(ticks * 10).unwrap_or(u32::MAX), 1);
                encoder.encode_frame(image::Frame::from_parts(colours, 0, 0, delay)).map_err(encoded)?;
                frame += 1;
            }
        }
        Ok(())
    })
}

fn write_pngs(frames: &mut Frames<'_>) -> Result<(), MovieFileError> {
    let failed = frames.failed();
    let (height, width) = frames.sides()?;
    let (size, path) = (frames.size(), frames.path);
    check_new_folder(path).map_err(&failed)?;
    let folder = UnfinishedFolder::within(folder_of(path)).map_err(&failed)?;
    // So many digits that the order of the names is that of the frames.
    let digits = frames.count().to_string().len().max(5);
    let mut frame = 0;
    while let Some(piece) = frames.next()? {
        for picture in piece.chunks_exact(size) {
            let name = folder.path().join(format!("frame_{frame:0digits$}.png"));
            let mut file = BufWriter::new(File::create(name).map_err(&failed)?);
            let written = PngEncoder::new(&mut file).write_image(picture, width, height, ExtendedColorType::L8);
            written.map_err(|error| failed(Error::other(error)))?;
            file.flush().map_err(&failed)?;
            frame += 1;
        }
    }
    // Not every system puts a folder in the place of an empty one.
    if path.is_dir() {
        std::fs::remove_dir(path).map_err(&failed)?;
    }
    folder.persist(path).map_err(&failed)
}

/// Refuses a place where pictures would mix with other files.
fn check_new_folder(path: &Path) -> std::io::Result<()> {
    if path.file_name().is_none() {
        return Err(Error::new(ErrorKind::InvalidInput, "it names no folder"));
    }
    match std::fs::read_dir(path) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(Error::new(ErrorKind::AlreadyExists, "the folder is not empty; name a new one")),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn write_mp4(frames: &mut Frames<'_>) -> Result<(), MovieFileError> {
    let failed = frames.failed();
    let (height, width) = frames.sides()?;
    // It stays open, and with that locked, while ffmpeg writes to it.
    let temporary = unfinished(frames.path).map_err(&failed)?;
    let rate = frames.rate.to_string();
    let size = format!("{width}x{height}");
    // Half as many colours as pixels along each side is what every player reads, but needs even sides.
    let format = if height % 2 == 0 && width % 2 == 0 { "yuv420p" } else { "yuv444p" };
    let input = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", &size, "-framerate", &rate, "-i", "pipe:0"];
    let output = ["-c:v", "libx264", "-preset", "medium", "-crf", "10", "-pix_fmt", format];
    let words = ["-nostdin", "-hide_banner", "-v", "error", "-y"];
    let words = words.iter().chain(&input).chain(&output).chain(&["-movflags", "+faststart", "-f", "mp4"]);
    let arguments = words.map(Into::into).chain([file_argument(temporary.path())]);
    let refused = |frames: &Frames<'_>, error: FfmpegError| frames.impossible(error.to_string());
    let mut child =
        Ffmpeg::start("ffmpeg", arguments, std::process::Stdio::piped()).map_err(|error| refused(frames, error))?;
    let mut pipe = child.stdin().expect("piped just above");
    while let Some(piece) = frames.next()? {
        if let Err(error) = pipe.write_all(piece) {
            // It has ended: what it said is the better reason.
            drop(pipe);
            child.finish().map_err(|error| refused(frames, error))?;
            return Err(failed(error));
        }
    }
    drop(pipe);
    child.finish().map_err(|error| refused(frames, error))?;
    temporary.as_file().sync_all().map_err(&failed)?;
    temporary.persist(frames.path).map(drop).map_err(|error| failed(error.error))
}
