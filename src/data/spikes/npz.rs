//! Several named arrays in one `.npz` file, read with suspicion.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

use crate::data::ArrayError;
use crate::data::array_file::{header, open};
use crate::data::npy_header::{LONGEST_HEAD, NpyHeader};
use crate::data::target::unfinished;

/// Most bytes of all arrays together; the largest published session has 0.1 GB.
const LARGEST: u64 = 4 << 30;
/// Most arrays of a file.
const MOST_ARRAYS: usize = 1000;

/// An array, still as bytes.
#[derive(Debug, Clone)]
pub(super) struct Array {
    pub(super) shape: Vec<usize>,
    element: String,
    bytes: Vec<u8>,
}

/// All arrays of a file by name.
#[derive(Debug)]
pub(super) struct Npz {
    pub(super) file: String,
    arrays: BTreeMap<String, Array>,
}

impl Npz {
    /// Reads and unpacks every array.
    pub(super) fn read(path: &Path) -> Result<Self, ArrayError> {
        let file = path.display().to_string();
        let damaged = |what: String| ArrayError::Damaged { file: file.clone(), what };
        let archive = zip::ZipArchive::new(BufReader::new(open(path)?));
        let mut archive = archive.map_err(|e| damaged(format!("the zip file cannot be read ({e})")))?;
        if archive.len() > MOST_ARRAYS {
            return Err(damaged(format!("it has {} members, more than {MOST_ARRAYS}", archive.len())));
        }
        let (mut arrays, mut room) = (BTreeMap::new(), LARGEST);
        for index in 0..archive.len() {
            let mut member = archive.by_index(index).map_err(|e| damaged(format!("a member cannot be read ({e})")))?;
            let name = std::str::from_utf8(member.name_raw()).ok().and_then(|name| name.strip_suffix(".npy"));
            let Some(name) = name.map(str::to_owned) else { continue };
            let shown: String = name.escape_debug().take(80).collect();
            let place = format!("{file}`, array `{shown}");
            let unreadable = |e: std::io::Error| damaged(format!("the array `{shown}` cannot be read ({e})"));
            let mut head = Vec::new();
            member.by_ref().take(LONGEST_HEAD).read_to_end(&mut head).map_err(unreadable)?;
            let header = header(head.as_slice(), &place)?;
            let needed = width(&header.element).and_then(|width| header.values()?.checked_mul(width));
            let whole = needed.and_then(|needed| needed.checked_add(header.start)).filter(|&whole| whole <= room);
            let (Some(whole), Some(needed)) = (whole, needed) else {
                let NpyHeader { element, shape, .. } = header;
                let what =
                    format!("the array `{shown}` of the shape {shape:?} and type `{element}` cannot be unpacked");
                return Err(damaged(what));
            };
            let mut bytes = head.split_off((header.start as usize).min(head.len()));
            // One byte more than there should be, to notice an array that is too long.
            let rest = (needed + 1).saturating_sub(bytes.len() as u64);
            member.take(rest).read_to_end(&mut bytes).map_err(unreadable)?;
            if bytes.len() as u64 != needed {
                let found = if bytes.len() as u64 > needed { "more" } else { "fewer" };
                let what = format!("the array `{shown}` has {found} than the {needed} bytes its shape needs");
                return Err(damaged(what));
            }
            room -= whole;
            let shape = header.shape.iter().map(|&size| size as usize).collect();
            arrays.insert(name, Array { shape, element: header.element, bytes });
        }
        Ok(Self { file, arrays })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.arrays.contains_key(name)
    }

    /// Takes an array out.
    pub(super) fn take(&mut self, name: &str) -> Option<Array> {
        self.arrays.remove(name)
    }

    /// Names that were not taken.
    pub(super) fn names(&self) -> Vec<String> {
        self.arrays.keys().cloned().collect()
    }

    /// The error of an array that holds something else than it must.
    pub(super) fn shape_error(&self, name: &str, array: &Array, expected: &'static str) -> ArrayError {
        let found = array.shape.iter().map(|&size| size as u64).collect();
        ArrayError::Shape { file: format!("{}`, array `{name}", self.file), found, expected }
    }

    /// The error of an array of another type.
    pub(super) fn element_error(&self, name: &str, array: &Array, expected: &'static str) -> ArrayError {
        let file = format!("{}`, array `{name}", self.file);
        ArrayError::Element { file, found: array.element.clone(), expected }
    }
}

/// Bytes of one element; `None` for types that are not read.
fn width(element: &str) -> Option<u64> {
    Some(match element {
        "|u1" | "|i1" | "|b1" => 1,
        "<i2" | "<u2" => 2,
        "<i4" | "<u4" | "<f4" => 4,
        "<i8" | "<u8" | "<f8" => 8,
        text => 4 * text.strip_prefix("<U")?.parse::<u64>().ok().filter(|length| (1..=4096).contains(length))?,
    })
}

impl Array {
    /// Bytes without a sign.
    pub(super) fn bytes(self) -> Option<Vec<u8>> {
        matches!(self.element.as_str(), "|u1" | "|b1").then_some(self.bytes)
    }

    /// Numbers of any kind, but whole ones only up to 2^53.
    pub(super) fn numbers(&self) -> Option<Vec<f64>> {
        fn each<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f64) -> Vec<f64> {
            bytes.as_chunks().0.iter().map(|&chunk| number(chunk)).collect()
        }
        let bytes = &self.bytes;
        Some(match self.element.as_str() {
            "|u1" | "|b1" => each(bytes, |[b]| f64::from(b)),
            "|i1" => each(bytes, |b| f64::from(i8::from_le_bytes(b))),
            "<i2" => each(bytes, |b| f64::from(i16::from_le_bytes(b))),
            "<u2" => each(bytes, |b| f64::from(u16::from_le_bytes(b))),
            "<i4" => each(bytes, |b| f64::from(i32::from_le_bytes(b))),
            "<u4" => each(bytes, |b| f64::from(u32::from_le_bytes(b))),
            "<i8" => each(bytes, |b| i64::from_le_bytes(b) as f64),
            "<u8" => each(bytes, |b| u64::from_le_bytes(b) as f64),
            "<f4" => each(bytes, |b| f64::from(f32::from_le_bytes(b))),
            "<f8" => each(bytes, f64::from_le_bytes),
            _ => return None,
        })
    }

    /// One unsigned number of 64 bits.
    pub(super) fn word(&self) -> Option<u64> {
        let bytes = (self.element == "<u8").then_some(&self.bytes[..])?;
        bytes.try_into().ok().map(u64::from_le_bytes)
    }

    /// Texts, each of as many characters as the longest, filled with NUL.
    pub(super) fn texts(&self) -> Option<Vec<String>> {
        let width = width(&self.element).filter(|_| self.element.starts_with("<U"))? as usize;
        let text = |bytes: &[u8]| {
            let characters = bytes.as_chunks().0.iter().map(|&word| char::from_u32(u32::from_le_bytes(word)));
            let text: Option<String> = characters.collect();
            text.map(|text| text.trim_end_matches('\0').to_owned())
        };
        self.bytes.chunks_exact(width).map(text).collect()
    }
}

/// Writes arrays into a `.npz` file, which appears when it is complete. The same arrays always give the same bytes.
pub(super) struct NpzWriter {
    file: String,
    path: std::path::PathBuf,
    archive: zip::ZipWriter<BufWriter<File>>,
    unfinished: tempfile::NamedTempFile,
}

impl NpzWriter {
    pub(super) fn create(path: &Path) -> Result<Self, ArrayError> {
        let file = path.display().to_string();
        let failed = |source| ArrayError::Write { file: file.clone(), source };
        let unfinished = unfinished(path).map_err(failed)?;
        let archive = zip::ZipWriter::new(BufWriter::new(unfinished.reopen().map_err(failed)?));
        Ok(Self { path: path.to_owned(), archive, unfinished, file })
    }

    fn failed(&self, source: std::io::Error) -> ArrayError {
        ArrayError::Write { file: self.file.clone(), source }
    }

    fn write(&mut self, name: &str, element: &str, shape: &[usize], bytes: &[u8]) -> Result<(), ArrayError> {
        let options = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Deflated)
            // Always the same: the time of writing would change the bytes.
            .last_modified_time(zip::DateTime::default())
            .large_file(bytes.len() as u64 > u64::from(u32::MAX) / 2);
        let started = self.archive.start_file(format!("{name}.npy"), options).map_err(std::io::Error::other);
        let head = NpyHeader::bytes(element, shape);
        let written = started.and_then(|()| self.archive.write_all(&head)).and_then(|()| self.archive.write_all(bytes));
        written.map_err(|source| self.failed(source))
    }

    pub(super) fn bytes(&mut self, name: &str, shape: &[usize], values: &[u8]) -> Result<(), ArrayError> {
        self.write(name, "|u1", shape, values)
    }

    pub(super) fn signed_bytes(&mut self, name: &str, values: &[i8]) -> Result<(), ArrayError> {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.write(name, "|i1", &[values.len()], &bytes)
    }

    pub(super) fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) -> Result<(), ArrayError> {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.write(name, "<f4", shape, &bytes)
    }

    pub(super) fn double(&mut self, name: &str, value: f64) -> Result<(), ArrayError> {
        self.write(name, "<f8", &[], &value.to_le_bytes())
    }

    pub(super) fn word(&mut self, name: &str, value: u64) -> Result<(), ArrayError> {
        self.write(name, "<u8", &[], &value.to_le_bytes())
    }

    /// Indices, as i64.
    pub(super) fn indices(&mut self, name: &str, values: &[usize]) -> Result<(), ArrayError> {
        let bytes: Vec<u8> = values.iter().flat_map(|&value| (value as i64).to_le_bytes()).collect();
        self.write(name, "<i8", &[values.len()], &bytes)
    }

    pub(super) fn texts(&mut self, name: &str, shape: &[usize], texts: &[&str]) -> Result<(), ArrayError> {
        let longest = texts.iter().map(|text| text.chars().count()).max().unwrap_or(0).max(1);
        let filled = texts.iter().flat_map(|text| text.chars().chain(std::iter::repeat('\0')).take(longest));
        let bytes: Vec<u8> = filled.flat_map(|character| u32::from(character).to_le_bytes()).collect();
        self.write(name, &format!("<U{longest}"), shape, &bytes)
    }

    pub(super) fn finish(self) -> Result<(), ArrayError> {
        let failed = |source| ArrayError::Write { file: self.file.clone(), source };
        let file = self.archive.finish().map_err(|e| failed(e.into()))?;
        let file = file.into_inner().map_err(|e| failed(e.into_error()))?;
        file.sync_all().map_err(failed)?;
        self.unfinished.persist(&self.path).map_err(|e| failed(e.error))?;
        Ok(())
    }
}
