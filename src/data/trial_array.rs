//! The arrays of one trial in a session folder: u8 pictures `[time, height, width, 1]`, and rows of numbers
//! `[time, column]`.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::ArrayError;
use super::array_file::{check_size, header, open};
use super::npy_header::NpyHeader;
use crate::signals::{FrameSource, Raster, SourceError};

/// Frames that are copied at once.
const BLOCK: usize = 64;

/// The movie of a trial, read frame by frame.
#[derive(Debug)]
pub(super) struct TrialMovie {
    name: String,
    file: File,
    start: u64,
    raster: Raster,
    frames: usize,
}

impl TrialMovie {
    /// Opens a file that must hold this many frames of this size.
    pub(super) fn open(path: &Path, frames: usize, raster: Raster) -> Result<Self, ArrayError> {
        let name = path.display().to_string();
        let mut file = open(path)?;
        let header = header(&mut file, &name)?;
        if !matches!(header.element.trim_start_matches(['|', '<', '>', '=']), "u1" | "B") {
            let expected = "u8 grey levels (`|u1`, numpy.uint8)";
            return Err(ArrayError::Element { file: name, found: header.element, expected });
        }
        let expected = [frames, raster.height, raster.width, 1].map(|size| size as u64);
        if header.shape != expected && header.shape != expected[..3] {
            return Err(ArrayError::Damaged {
                file: name,
                what: format!("it has the shape {:?}, expected {expected:?}", header.shape),
            });
        }
        check_size(&file, &name, &header, 1)?;
        Ok(Self { name, file, start: header.start, raster, frames })
    }
}

impl FrameSource for TrialMovie {
    fn raster(&self) -> Raster {
        self.raster
    }

    fn frames(&self) -> usize {
        self.frames
    }

    fn samples(&self) -> usize {
        1
    }

    fn read(&mut self, start: usize, count: usize, pixels: &mut [u8]) -> Result<(), SourceError> {
        let frame = self.raster.pixels();
        if start.checked_add(count).is_none_or(|end| end > self.frames) || pixels.len() != count * frame {
            return Err(SourceError::new(format!(
                "{count} frames from frame {start} on were asked of `{}`, which has {} of {frame} pixels, into {} values",
                self.name,
                self.frames,
                pixels.len()
            )));
        }
        let place = SeekFrom::Start(self.start + (start * frame) as u64);
        let read = self.file.seek(place).and_then(|_| self.file.read_exact(pixels));
        read.map_err(|e| SourceError::new(format!("`{}` could not be read at frame {start}: {e}", self.name)))
    }
}

/// Reads one number.
type ReadNumber = fn(&[u8]) -> f32;

/// Type of the numbers in a file: bytes of one, and how to read it.
fn number(header: &NpyHeader, name: &str) -> Result<(usize, ReadNumber), ArrayError> {
    Ok(match header.element.as_str() {
        "<f4" => (4, |b| b.try_into().map_or(f32::NAN, f32::from_le_bytes)),
        ">f4" => (4, |b| b.try_into().map_or(f32::NAN, f32::from_be_bytes)),
        "<f8" => (8, |b| b.try_into().map_or(f32::NAN, |b| f64::from_le_bytes(b) as f32)),
        ">f8" => (8, |b| b.try_into().map_or(f32::NAN, |b| f64::from_be_bytes(b) as f32)),
        _ => {
            let expected = "f32 or f64 (`<f4`, `<f8`)";
            return Err(ArrayError::Element { file: name.to_owned(), found: header.element.clone(), expected });
        }
    })
}

/// Checks that a file holds numbers `[frames, columns]`, without reading them.
pub(super) fn check_rows(path: &Path, frames: usize, columns: usize) -> Result<(), ArrayError> {
    open_rows(path, frames, columns).map(drop)
}

/// An open file of numbers, its header checked.
struct Rows {
    file: File,
    /// Where the numbers start, and how many bytes they take.
    start: u64,
    bytes: u64,
    /// Bytes of one number, and how to read it.
    width: usize,
    number: ReadNumber,
}

fn open_rows(path: &Path, frames: usize, columns: usize) -> Result<Rows, ArrayError> {
    let name = path.display().to_string();
    let mut file = open(path)?;
    let header = header(&mut file, &name)?;
    let (width, number) = number(&header, &name)?;
    let expected = [frames, columns].map(|size| size as u64);
    if header.shape != expected {
        let what = format!("it has the shape {:?}, expected {expected:?}", header.shape);
        return Err(ArrayError::Damaged { file: name, what });
    }
    let bytes = check_size(&file, &name, &header, width as u64)?;
    Ok(Rows { file, start: header.start, bytes, width, number })
}

/// Numbers `[frames, columns]`. The file has as many bytes as they need before memory is taken for them.
pub(super) fn read_rows(path: &Path, frames: usize, columns: usize) -> Result<Vec<f32>, ArrayError> {
    let name = || path.display().to_string();
    let Rows { mut file, start, bytes, width, number } = open_rows(path, frames, columns)?;
    let mut data = Vec::new();
    let read = file.seek(SeekFrom::Start(start)).and_then(|_| file.take(bytes).read_to_end(&mut data));
    read.map_err(|source| ArrayError::Read { file: name(), source })?;
    let values: Vec<f32> = data.chunks_exact(width).map(number).collect();
    if values.len() != frames * columns {
        return Err(ArrayError::Damaged { file: name(), what: "it changed its length while it was read".to_owned() });
    }
    Ok(values)
}

/// Hands over some of the rows of numbers `[frames, columns]`, in order; no more than a block of them is in memory.
pub(super) fn each_row(
    path: &Path,
    [frames, columns]: [usize; 2],
    some: Range<usize>,
    take: &mut dyn FnMut(&[f32]),
) -> Result<(), ArrayError> {
    let failed = |source| ArrayError::Read { file: path.display().to_string(), source };
    let Rows { mut file, start, width, number, .. } = open_rows(path, frames, columns)?;
    if some.end > frames {
        return Err(failed(std::io::ErrorKind::UnexpectedEof.into()));
    }
    let row_bytes = columns * width;
    file.seek(SeekFrom::Start(start + (some.start * row_bytes) as u64)).map_err(failed)?;
    let mut bytes = vec![0; BLOCK.min(some.len()) * row_bytes];
    let mut row = vec![0.0; columns];
    for first in some.clone().step_by(BLOCK) {
        let block = &mut bytes[..BLOCK.min(some.end - first) * row_bytes];
        file.read_exact(block).map_err(failed)?;
        for numbers in block.chunks_exact(row_bytes.max(1)) {
            row.iter_mut().zip(numbers.chunks_exact(width)).for_each(|(value, bytes)| *value = number(bytes));
            take(&row);
        }
    }
    Ok(())
}

/// A name for the pixels of a movie of one sample.
pub(super) fn digest(movie: &mut dyn FrameSource) -> Result<String, SourceError> {
    let (frames, size) = (movie.frames(), movie.raster().pixels());
    let (mut hash, mut pixels) = (Sha256::new(), vec![0; BLOCK.min(frames) * size]);
    for start in (0..frames).step_by(BLOCK) {
        let count = BLOCK.min(frames - start);
        movie.read(start, count, &mut pixels[..count * size])?;
        hash.update(&pixels[..count * size]);
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Copies a movie of one sample into a file.
pub(super) fn write_stimuli(path: &Path, movie: &mut dyn FrameSource) -> Result<(), super::SessionError> {
    let failed = |source| ArrayError::Write { file: path.display().to_string(), source };
    let (frames, raster) = (movie.frames(), movie.raster());
    let mut file = BufWriter::new(File::create(path).map_err(failed)?);
    let shape = [frames, raster.height, raster.width, 1];
    file.write_all(&NpyHeader::bytes("|u1", &shape)).map_err(failed)?;
    let mut pixels = vec![0; BLOCK.min(frames) * raster.pixels()];
    for start in (0..frames).step_by(BLOCK) {
        let count = BLOCK.min(frames - start);
        let pixels = &mut pixels[..count * raster.pixels()];
        movie.read(start, count, pixels)?;
        file.write_all(pixels).map_err(failed)?;
    }
    let file = file.into_inner().map_err(|e| failed(e.into_error()))?;
    Ok(file.sync_all().map_err(failed)?)
}

/// Writes numbers `[time, column]`.
pub(super) fn write_rows(path: &Path, columns: usize, values: &[f32]) -> Result<(), ArrayError> {
    let failed = |source| ArrayError::Write { file: path.display().to_string(), source };
    let mut file = BufWriter::new(File::create(path).map_err(failed)?);
    let write = |file: &mut BufWriter<File>| {
        file.write_all(&NpyHeader::bytes("<f4", &[values.len() / columns.max(1), columns]))?;
        values.iter().try_for_each(|value| file.write_all(&value.to_le_bytes()))
    };
    write(&mut file).map_err(failed)?;
    let file = file.into_inner().map_err(|e| failed(e.into_error()))?;
    file.sync_all().map_err(failed)
}
