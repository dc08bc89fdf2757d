//! Movies, behaviour and responses as NumPy arrays.

use std::fs::File;
use std::io::{BufWriter, Cursor, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::npy_header::{LONGEST_HEAD, NpyHeader};
use super::target::unfinished;
use crate::signals::{FrameSource, Raster, SourceError};

/// Largest array that is unpacked from a `.npz` file, bytes: sixteen minutes of the published raster, beyond which a
/// `.npy` file is the better place.
const LARGEST_UNPACKED: u64 = 2 << 30;
/// Largest behaviour file, bytes; a whole day at 30 Hz takes 40 MB.
const LARGEST_BEHAVIOR: u64 = 1 << 30;
/// Largest size of a z-score; nothing measured comes near it, and sums of larger ones would become infinite.
const LARGEST_Z: f64 = 1e6;

/// Why an array could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ArrayError {
    /// The file system refused.
    #[error("`{file}` could not be read: {source}")]
    Read {
        /// The file.
        file: String,
        /// Cause.
        source: std::io::Error,
    },
    /// The file system refused.
    #[error("`{file}` could not be written: {source}")]
    Write {
        /// The file.
        file: String,
        /// Cause.
        source: std::io::Error,
    },
    /// Cut short, altered, or of another kind.
    #[error("`{file}` is damaged or no array: {what}")]
    Damaged {
        /// The file.
        file: String,
        /// What gave it away.
        what: String,
    },
    /// Wrong type of number.
    #[error("`{file}` holds numbers of the type `{found}`, expected {expected}")]
    Element {
        /// The file.
        file: String,
        /// Type as NumPy writes it.
        found: String,
        /// Types that can be read.
        expected: &'static str,
    },
    /// Columns first.
    #[error("`{file}` is stored in Fortran order, expected C order: save it again with `numpy.ascontiguousarray`")]
    Order {
        /// The file.
        file: String,
    },
    /// Wrong shape.
    #[error("`{file}` has the shape {found:?}, expected {expected}, with no axis empty")]
    Shape {
        /// The file.
        file: String,
        /// Shape in the file.
        found: Vec<u64>,
        /// Shape that it must have.
        expected: &'static str,
    },
    /// A NaN or an infinity.
    #[error("`{file}` has {value} at frame {frame}: fill or cut such frames first (0 is the average animal)")]
    NotFinite {
        /// The file.
        file: String,
        /// First frame with such a value.
        frame: usize,
        /// What stands there.
        value: f64,
    },
    /// A number that no z-score can be.
    #[error("`{file}` has {value} at frame {frame}, but z-scores lie within {limit:e} of 0: is it in other units?", limit = LARGEST_Z)]
    Absurd {
        /// The file.
        file: String,
        /// First frame with such a value.
        frame: usize,
        /// What stands there.
        value: f64,
    },
    /// A `.npz` file without the one array.
    #[error("`{file}` holds the arrays {found}: name one of them `video`, or leave only one")]
    Choice {
        /// The file.
        file: String,
        /// Names of its arrays.
        found: String,
    },
    /// More or fewer values written than announced.
    #[error("`{file}`: {found} values were written, its shape {shape:?} needs {expected}")]
    Count {
        /// The file.
        file: String,
        /// Values so far.
        found: usize,
        /// Values announced.
        expected: usize,
        /// Shape announced.
        shape: Vec<usize>,
    },
}

/// A movie in a file, u8 `[time, height, width]` or `[time, sample, height, width]` in C order, read frame by frame:
/// memory does not grow with its length. The array of a `.npz` file (the one named `video` or `movie`, or the only one) is
/// unpacked into a temporary file first.
#[derive(Debug)]
pub struct NpyMovie {
    name: String,
    file: File,
    start: u64,
    raster: Raster,
    frames: usize,
    samples: usize,
    has_sample_axis: bool,
}

impl NpyMovie {
    /// Opens a `.npy` or `.npz` file and checks its header against its size.
    ///
    /// # Errors
    /// When it cannot be read, is damaged, or is no movie of u8 grey levels.
    pub fn open(path: &Path) -> Result<Self, ArrayError> {
        let name = path.display().to_string();
        let mut file = open(path)?;
        if is_zip(&mut file).map_err(|source| ArrayError::Read { file: name.clone(), source })? {
            file = unpack(file, &name)?;
        }
        let header = header(&mut file, &name)?;
        let [frames, samples, height, width] = movie_axes(&header, &name)?;
        let size = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        check_size(&file, &name, &header, 1)?;
        Ok(Self {
            name,
            file,
            start: header.start,
            raster: Raster { height: size(height), width: size(width) },
            frames: size(frames),
            samples: size(samples),
            has_sample_axis: header.shape.len() == 4,
        })
    }

    /// Whether the array has a sample axis, even one of length 1.
    pub fn has_sample_axis(&self) -> bool {
        self.has_sample_axis
    }
}

impl FrameSource for NpyMovie {
    fn raster(&self) -> Raster {
        self.raster
    }

    fn frames(&self) -> usize {
        self.frames
    }

    fn samples(&self) -> usize {
        self.samples
    }

    fn read(&mut self, start: usize, count: usize, pixels: &mut [u8]) -> Result<(), SourceError> {
        let frame = self.samples * self.raster.pixels();
        if start.checked_add(count).is_none_or(|end| end > self.frames) {
            let frames = self.frames;
            return Err(SourceError::new(format!(
                "{count} frames from frame {start} on were asked of `{}`, which has {frames}",
                self.name
            )));
        }
        if pixels.len() != count * frame {
            return Err(SourceError::new(format!(
                "{count} frames of `{}` need room for {} grey levels, found {}",
                self.name,
                count * frame,
                pixels.len()
            )));
        }
        let place = SeekFrom::Start(self.start + (start * frame) as u64);
        let read = self.file.seek(place).and_then(|_| self.file.read_exact(pixels));
        read.map_err(|e| SourceError::new(format!("`{}` could not be read at frame {start}: {e}", self.name)))
    }
}

/// Behaviour, f32 or f64 `[time, 2]` or `[time, sample, 2]`: frames, samples, and the pairs `[time, sample]`.
///
/// # Errors
/// When the file cannot be read, is damaged, has another shape or type, or has a number that is not finite or
/// larger than any z-score (1e6).
pub fn read_behavior_npy(path: &Path) -> Result<(usize, usize, Vec<[f32; 2]>), ArrayError> {
    let name = path.display().to_string();
    let mut file = open(path)?;
    let header = header(&mut file, &name)?;
    let (width, number): (usize, fn(&[u8]) -> f64) = match header.element.as_str() {
        "<f4" => (4, |b| b.try_into().map_or(f64::NAN, |b| f64::from(f32::from_le_bytes(b)))),
        ">f4" => (4, |b| b.try_into().map_or(f64::NAN, |b| f64::from(f32::from_be_bytes(b)))),
        "<f8" => (8, |b| b.try_into().map_or(f64::NAN, f64::from_le_bytes)),
        ">f8" => (8, |b| b.try_into().map_or(f64::NAN, f64::from_be_bytes)),
        _ => {
            let expected = "f32 or f64 (`<f4`, `<f8`)";
            return Err(ArrayError::Element { file: name, found: header.element, expected });
        }
    };
    let (frames, samples) = match header.shape[..] {
        [frames, 2] if frames > 0 => (frames as usize, 1),
        [frames, samples, 2] if frames > 0 && samples > 0 => (frames as usize, samples as usize),
        _ => {
            return Err(ArrayError::Shape {
                file: name,
                found: header.shape,
                expected: "[time, 2] or [time, sample, 2]",
            });
        }
    };
    let bytes = check_size(&file, &name, &header, width as u64)?;
    if bytes > LARGEST_BEHAVIOR {
        let what = format!("it has {bytes} bytes, more than any behaviour needs");
        return Err(ArrayError::Damaged { file: name, what });
    }
    let mut data = Vec::with_capacity(bytes as usize);
    let read = file.seek(SeekFrom::Start(header.start)).and_then(|_| file.take(bytes).read_to_end(&mut data));
    read.map_err(|source| ArrayError::Read { file: name.clone(), source })?;
    let mut pairs = Vec::with_capacity(frames * samples);
    for (index, pair) in data.chunks_exact(2 * width).enumerate() {
        let pair = [number(&pair[..width]), number(&pair[width..])];
        let frame = index / samples;
        if let Some(&value) = pair.iter().find(|value| !value.is_finite()) {
            return Err(ArrayError::NotFinite { file: name, frame, value });
        }
        if let Some(&value) = pair.iter().find(|value| value.abs() > LARGEST_Z) {
            return Err(ArrayError::Absurd { file: name, frame, value });
        }
        pairs.push(pair.map(|value| value as f32));
    }
    if pairs.len() != frames * samples {
        return Err(ArrayError::Damaged { file: name, what: "it became shorter while it was read".to_owned() });
    }
    Ok((frames, samples, pairs))
}

/// Writes an f32 array row by row. It grows in a temporary file in the target folder and gets its name when it is
/// finished; when dropped before that, nothing is left.
#[derive(Debug)]
pub struct NpyResponsesWriter {
    path: PathBuf,
    file: BufWriter<tempfile::NamedTempFile>,
    shape: Vec<usize>,
    expected: usize,
    written: usize,
}

impl NpyResponsesWriter {
    /// Starts an array, such as `[time, unit]` or `[time, sample, unit]`.
    ///
    /// # Errors
    /// When the path is no place for a file, the folder cannot be written to, or no file can have that shape.
    pub fn create(path: &Path, shape: &[usize]) -> Result<Self, ArrayError> {
        let failed = |source| ArrayError::Write { file: path.display().to_string(), source };
        let Some(expected) = shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size)) else {
            let what = format!("no file can have the shape {shape:?}");
            return Err(failed(std::io::Error::new(std::io::ErrorKind::InvalidInput, what)));
        };
        let mut file = BufWriter::new(unfinished(path).map_err(failed)?);
        file.write_all(&NpyHeader::bytes("<f4", shape)).map_err(failed)?;
        Ok(Self { path: path.to_owned(), file, shape: shape.to_vec(), expected, written: 0 })
    }

    /// Appends values in C order.
    ///
    /// # Errors
    /// When they are more than announced, or cannot be written.
    pub fn write(&mut self, values: &[f32]) -> Result<(), ArrayError> {
        self.written = self.written.saturating_add(values.len());
        if self.written > self.expected {
            return Err(self.miscounted());
        }
        let mut write = || values.iter().try_for_each(|value| self.file.write_all(&value.to_le_bytes()));
        write().map_err(|source| self.failed(source))
    }

    /// Gives the complete file its name; a file of that name is replaced.
    ///
    /// # Errors
    /// When values are missing, or the file cannot be written.
    pub fn finish(self) -> Result<(), ArrayError> {
        if self.written != self.expected {
            return Err(self.miscounted());
        }
        let failed = |source| ArrayError::Write { file: self.path.display().to_string(), source };
        let file = self.file.into_inner().map_err(|e| failed(e.into_error()))?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist(&self.path).map_err(|e| failed(e.error))?;
        Ok(())
    }

    fn failed(&self, source: std::io::Error) -> ArrayError {
        ArrayError::Write { file: self.path.display().to_string(), source }
    }

    fn miscounted(&self) -> ArrayError {
        let (file, shape) = (self.path.display().to_string(), self.shape.clone());
        ArrayError::Count { file, found: self.written, expected: self.expected, shape }
    }
}

/// A regular file.
pub(super) fn open(path: &Path) -> Result<File, ArrayError> {
    let failed = |source| ArrayError::Read { file: path.display().to_string(), source };
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        let what = "it is no regular file".to_owned();
        return Err(ArrayError::Damaged { file: path.display().to_string(), what });
    }
    File::open(path).map_err(failed)
}

/// The header of an array in C order.
pub(super) fn header(file: impl Read, name: &str) -> Result<NpyHeader, ArrayError> {
    let header = NpyHeader::read(file).map_err(|what| ArrayError::Damaged { file: name.to_owned(), what })?;
    if header.fortran_order {
        return Err(ArrayError::Order { file: name.to_owned() });
    }
    Ok(header)
}

/// Frames, samples, height and width of a movie of u8 grey levels.
fn movie_axes(header: &NpyHeader, name: &str) -> Result<[u64; 4], ArrayError> {
    let file = name.to_owned();
    if !matches!(header.element.trim_start_matches(['|', '<', '>', '=']), "u1" | "B") {
        let expected = "u8 grey levels (`|u1`, numpy.uint8)";
        return Err(ArrayError::Element { file, found: header.element.clone(), expected });
    }
    let axes = match header.shape[..] {
        [frames, height, width] => [frames, 1, height, width],
        [frames, samples, height, width] => [frames, samples, height, width],
        _ => [0; 4],
    };
    if axes.contains(&0) {
        let expected = "[time, height, width] or [time, sample, height, width]";
        return Err(ArrayError::Shape { file, found: header.shape.clone(), expected });
    }
    Ok(axes)
}

/// Checks that the file has exactly the bytes that its shape needs, and says how many.
pub(super) fn check_size(file: &File, name: &str, header: &NpyHeader, width: u64) -> Result<u64, ArrayError> {
    let length = file.metadata().map_err(|source| ArrayError::Read { file: name.to_owned(), source })?.len();
    let needed = header.values().and_then(|values| values.checked_mul(width));
    if needed.and_then(|needed| needed.checked_add(header.start)) == Some(length) {
        return Ok(length - header.start);
    }
    let found = length.saturating_sub(header.start);
    let needed = needed.map_or("more than any file has".to_owned(), |needed| needed.to_string());
    let what = format!("an array of the shape {:?} needs {needed} bytes, but the file has {found}", header.shape);
    Err(ArrayError::Damaged { file: name.to_owned(), what })
}

/// Whether a file is a zip file; it is left at its start.
fn is_zip(file: &mut File) -> std::io::Result<bool> {
    let mut lead = Vec::new();
    Read::by_ref(file).take(4).read_to_end(&mut lead)?;
    file.rewind()?;
    Ok(lead == b"PK\x03\x04")
}

/// The array of a `.npz` file as a temporary `.npy` file, at its start.
fn unpack(file: File, name: &str) -> Result<File, ArrayError> {
    let damaged = |what: String| ArrayError::Damaged { file: name.to_owned(), what };
    let mut archive = zip::ZipArchive::new(file).map_err(|e| damaged(format!("the zip file cannot be read ({e})")))?;
    let names: Vec<String> =
        archive.file_names_raw().map(|member| String::from_utf8_lossy(member).into_owned()).collect();
    let chosen = match &names[..] {
        [only] => Some(only),
        several => several.iter().find(|member| matches!(member.as_str(), "video.npy" | "movie.npy")),
    };
    let Some(chosen) = chosen else {
        let mut found: Vec<_> = names.iter().take(12).map(|member| member.trim_end_matches(".npy")).collect();
        if names.len() > found.len() {
            found.push("…");
        }
        let found = found.join(", ").escape_debug().to_string();
        return Err(ArrayError::Choice { file: name.to_owned(), found });
    };
    let mut member = archive.by_name(chosen).map_err(|e| damaged(format!("its array cannot be read ({e})")))?;
    // Header first: what is no movie, or too long a one, need not be unpacked at all.
    let mut head = Vec::new();
    let read = member.by_ref().take(LONGEST_HEAD).read_to_end(&mut head);
    read.map_err(|e| damaged(format!("its array cannot be read ({e})")))?;
    if !head.starts_with(b"\x93NUMPY") {
        return Err(damaged("its member is no .npy file".to_owned()));
    }
    let header = header(head.as_slice(), name)?;
    movie_axes(&header, name)?;
    let Some(bytes) = header.values().filter(|&bytes| bytes <= LARGEST_UNPACKED) else {
        let what = format!(
            "an array of the shape {:?} has more than the {LARGEST_UNPACKED} bytes that are unpacked from a .npz file; \
             save it as .npy",
            header.shape
        );
        return Err(damaged(what));
    };
    let failed = |source| ArrayError::Write { file: "a temporary file".to_owned(), source };
    let mut unpacked = tempfile::tempfile().map_err(failed)?;
    // One byte more than there should be, so that the check of the size sees a file that is too long.
    let mut whole = Cursor::new(head).chain(member).take(header.start + bytes + 1);
    let copied = std::io::copy(&mut whole, &mut unpacked);
    copied.map_err(|e| damaged(format!("its array cannot be unpacked ({e})")))?;
    unpacked.rewind().map_err(failed)?;
    Ok(unpacked)
}
