//! Numbers and texts in NumPy's `.npy` layout, of any type of number, alone in a file or inside a `.npz` file.

use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::data::array_file::{ArrayError, open};
use crate::data::npy_header::{LONGEST_HEAD, NpyHeader};

/// Largest array that is unpacked from a compressed `.npz` file, bytes.
const LARGEST_UNPACKED: u64 = 4 << 30;
/// Largest array whose axes are brought into another order, bytes.
const LARGEST_REORDERED: u64 = 1 << 30;
/// Most values of an array that takes no bytes, empty axes left out: the length of its file backs none of its sizes.
const MOST_UNBACKED: u64 = 1 << 20;
/// Longest text in an array of texts, characters.
const LONGEST_TEXT: u64 = 10_000;

/// Type of the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    Bool,
    Unsigned(usize),
    Signed(usize),
    Float(usize),
    /// Texts of so many UTF-32 characters.
    Unicode(usize),
    /// Texts of so many bytes.
    Bytes(usize),
}

/// An array on disk whose header and size were checked. Numbers are read when they are asked for.
#[derive(Debug, Clone)]
pub(in crate::data) struct Array {
    name: String,
    store: Store,
    /// Where the numbers start, bytes.
    start: u64,
    shape: Vec<usize>,
    element: Element,
    big_endian: bool,
    /// Type as NumPy writes it.
    descr: String,
}

/// Where the bytes are.
#[derive(Debug, Clone)]
enum Store {
    /// A file that is opened for each reading: sessions have thousands.
    Path(PathBuf),
    Shared(Arc<Mutex<File>>),
}

impl Array {
    /// Opens a `.npy` file.
    pub(in crate::data) fn open(path: &Path) -> Result<Self, ArrayError> {
        let name = path.display().to_string();
        let mut file = open(path)?;
        let bytes = file.metadata().map_err(|source| ArrayError::Read { file: name.clone(), source })?.len();
        let header = NpyHeader::read(&mut file).map_err(|what| ArrayError::Damaged { file: name.clone(), what })?;
        Self::new(name, Store::Path(path.to_owned()), 0, bytes, header)
    }

    /// The array whose header starts at `offset` and that has `bytes` bytes with it.
    fn new(name: String, store: Store, offset: u64, bytes: u64, header: NpyHeader) -> Result<Self, ArrayError> {
        let (element, big_endian) = element(&header.element).ok_or_else(|| ArrayError::Element {
            file: name.clone(),
            found: header.element.clone(),
            expected: "whole or floating-point numbers, true and false, or texts; pickled objects are never read",
        })?;
        let needed = header.values().and_then(|values| values.checked_mul(element.width() as u64));
        if needed.and_then(|needed| needed.checked_add(header.start)) != Some(bytes) {
            let found = bytes.saturating_sub(header.start);
            let needed = needed.map_or("more than any file has".to_owned(), |needed| needed.to_string());
            let what =
                format!("an array of the shape {:?} needs {needed} bytes, but the file has {found}", header.shape);
            return Err(ArrayError::Damaged { file: name, what });
        }
        if needed == Some(0) {
            let mut sizes = header.shape.iter().filter(|&&size| size > 0);
            let claimed = sizes.try_fold(1u64, |product, &size| product.checked_mul(size));
            if claimed.is_none_or(|claimed| claimed > MOST_UNBACKED) {
                let what = format!(
                    "an array of the shape {:?} and the type `{}` takes no bytes, and of such ones at most \
                     {MOST_UNBACKED} values are read",
                    header.shape, header.element
                );
                return Err(ArrayError::Damaged { file: name, what });
            }
        }
        // As many bytes are there, or the sizes are small: they fit into memory's numbers.
        let shape = header.shape.iter().map(|&size| usize::try_from(size).unwrap_or(usize::MAX)).collect();
        let array =
            Self { name, store, start: offset + header.start, shape, element, big_endian, descr: header.element };
        if header.fortran_order && array.shape.iter().filter(|&&size| size != 1).count() > 1 {
            return array.in_c_order(bytes);
        }
        Ok(array)
    }

    /// The same array with its last axis running fastest, in a temporary file.
    fn in_c_order(mut self, bytes: u64) -> Result<Self, ArrayError> {
        if bytes > LARGEST_REORDERED {
            return Err(ArrayError::Order { file: self.name });
        }
        let (stored, width) = (self.bytes(0, self.len())?, self.element.width());
        let mut ordered = Vec::with_capacity(stored.len());
        let mut steps = vec![1; self.shape.len()];
        for axis in 1..steps.len() {
            steps[axis] = steps[axis - 1] * self.shape[axis - 1];
        }
        for index in 0..self.len() {
            let (mut rest, mut at) = (index, 0);
            for (size, step) in self.shape.iter().zip(&steps).rev() {
                at += rest % size * step;
                rest /= size;
            }
            ordered.extend_from_slice(&stored[at * width..(at + 1) * width]);
        }
        let failed = |source| ArrayError::Write { file: "a temporary file".to_owned(), source };
        let mut file = tempfile::tempfile().map_err(failed)?;
        file.write_all(&ordered).map_err(failed)?;
        (self.store, self.start) = (Store::Shared(Arc::new(Mutex::new(file))), 0);
        Ok(self)
    }

    /// The same array in a file that stays open, for one that is read in many small pieces.
    pub(in crate::data) fn kept_open(mut self) -> Result<Self, ArrayError> {
        if let Store::Path(path) = &self.store {
            self.store = Store::Shared(Arc::new(Mutex::new(open(path)?)));
        }
        Ok(self)
    }

    /// Sizes of the axes.
    pub(in crate::data) fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Number of values.
    pub(in crate::data) fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it holds numbers (or true and false) and not texts.
    pub(in crate::data) fn is_numeric(&self) -> bool {
        self.element.is_numeric()
    }

    /// Whether it holds grey levels, u8.
    pub(in crate::data) fn is_u8(&self) -> bool {
        self.element == Element::Unsigned(1)
    }

    /// An error about its content.
    pub(in crate::data) fn wrong(&self, what: String) -> ArrayError {
        ArrayError::Damaged { file: self.name.clone(), what }
    }

    /// The bytes of `count` values from value `start` on; no more than the file has.
    fn bytes(&self, start: usize, count: usize) -> Result<Vec<u8>, ArrayError> {
        if start.checked_add(count).is_none_or(|end| end > self.len()) {
            return Err(self.wrong(format!("{count} values from {start} on were asked of {}", self.len())));
        }
        let width = self.element.width();
        let failed = |source| ArrayError::Read { file: self.name.clone(), source };
        let place = SeekFrom::Start(self.start + (start * width) as u64);
        let mut bytes = vec![0; count * width];
        let mut read = |file: &mut File| file.seek(place).and_then(|_| file.read_exact(&mut bytes));
        match &self.store {
            Store::Path(path) => read(&mut open(path)?),
            Store::Shared(file) => read(&mut file.lock().unwrap_or_else(PoisonError::into_inner)),
        }
        .map_err(failed)?;
        Ok(bytes)
    }

    /// `count` values from value `start` on, in C order.
    pub(in crate::data) fn f64s(&self, start: usize, count: usize) -> Result<Vec<f64>, ArrayError> {
        if !self.is_numeric() {
            let expected = "numbers";
            return Err(ArrayError::Element { file: self.name.clone(), found: self.descr.clone(), expected });
        }
        let bytes = self.bytes(start, count)?;
        Ok(bytes.chunks_exact(self.element.width()).map(|value| self.element.number(value, self.big_endian)).collect())
    }

    /// As [`Array::f64s`], rounded.
    pub(in crate::data) fn f32s(&self, start: usize, count: usize) -> Result<Vec<f32>, ArrayError> {
        if self.element == Element::Float(4) && !self.big_endian {
            let bytes = self.bytes(start, count)?;
            return Ok(bytes.as_chunks::<4>().0.iter().map(|&value| f32::from_le_bytes(value)).collect());
        }
        Ok(self.f64s(start, count)?.into_iter().map(|value| value as f32).collect())
    }

    /// Grey levels, `count` from value `start` on.
    pub(in crate::data) fn u8s(&self, start: usize, count: usize) -> Result<Vec<u8>, ArrayError> {
        if self.is_u8() {
            return self.bytes(start, count);
        }
        let expected = "u8 grey levels (`|u1`, numpy.uint8)";
        Err(ArrayError::Element { file: self.name.clone(), found: self.descr.clone(), expected })
    }

    /// All its numbers.
    pub(in crate::data) fn all(&self) -> Result<Vec<f64>, ArrayError> {
        self.f64s(0, self.len())
    }

    /// All its texts; numbers are written out.
    pub(in crate::data) fn texts(&self) -> Result<Vec<String>, ArrayError> {
        let bytes = self.bytes(0, self.len())?;
        Ok(match self.element {
            // NumPy keeps texts without any character in no bytes at all.
            Element::Unicode(0) | Element::Bytes(0) => vec![String::new(); self.len()],
            Element::Unicode(length) => bytes
                .chunks_exact(4 * length)
                .map(|text| {
                    let code = |char: &[u8; 4]| match self.big_endian {
                        true => u32::from_be_bytes(*char),
                        false => u32::from_le_bytes(*char),
                    };
                    let chars = text.as_chunks::<4>().0.iter().map(code).take_while(|&code| code != 0);
                    chars.map(|code| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
                })
                .collect(),
            Element::Bytes(length) => bytes
                .chunks_exact(length)
                .map(|text| {
                    let end = text.iter().position(|&byte| byte == 0).unwrap_or(text.len());
                    String::from_utf8_lossy(&text[..end]).into_owned()
                })
                .collect(),
            Element::Bool => bytes.iter().map(|&byte| if byte == 0 { "false" } else { "true" }.to_owned()).collect(),
            _ => self.all()?.into_iter().map(|number| number.to_string()).collect(),
        })
    }

    /// Its only number.
    pub(in crate::data) fn only(&self) -> Result<f64, ArrayError> {
        if self.len() != 1 {
            return Err(self.wrong(format!("it has the shape {:?}, expected one number", self.shape)));
        }
        Ok(self.f64s(0, 1)?[0])
    }
}

impl Element {
    /// Whether its values are numbers (or true and false) and not texts.
    pub(super) fn is_numeric(self) -> bool {
        !matches!(self, Self::Unicode(_) | Self::Bytes(_))
    }

    /// Bytes of a value.
    pub(super) fn width(self) -> usize {
        match self {
            Self::Bool => 1,
            Self::Unsigned(width) | Self::Signed(width) | Self::Float(width) | Self::Bytes(width) => width,
            Self::Unicode(length) => 4 * length,
        }
    }

    /// A value of as many bytes as the type has.
    pub(super) fn number(self, bytes: &[u8], big_endian: bool) -> f64 {
        let mut whole = [0; 8];
        let width = bytes.len().min(8);
        whole[..width].copy_from_slice(&bytes[..width]);
        if big_endian {
            whole[..width].reverse();
        }
        let bits = u64::from_le_bytes(whole);
        match (self, width) {
            (Self::Bool, _) => f64::from(u8::from(bits != 0)),
            (Self::Signed(_), 1..=8) => {
                let unused = 64 - 8 * width as u32;
                (((bits << unused) as i64) >> unused) as f64
            }
            (Self::Float(_), 4) => f64::from(f32::from_bits(bits as u32)),
            (Self::Float(_), 8) => f64::from_bits(bits),
            (Self::Float(_), 2) => half(bits as u16),
            _ => bits as f64,
        }
    }
}

/// A number of 16 bits (IEEE 754 binary16).
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from((bits >> 10) & 31), f64::from(bits & 1023));
    let size = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
    };
    if bits >> 15 == 1 { -size } else { size }
}

/// A type as NumPy writes it, and whether its bytes stand in big-endian order.
pub(super) fn element(descr: &str) -> Option<(Element, bool)> {
    let big_endian = descr.starts_with('>');
    let text = descr.trim_start_matches(['|', '<', '>', '=']);
    let mut chars = text.chars();
    let kind = chars.next()?;
    let width: u64 = chars.as_str().parse().ok()?;
    let element = match (kind, width) {
        ('b', 1) => Element::Bool,
        ('u', 1 | 2 | 4 | 8) => Element::Unsigned(width as usize),
        ('i', 1 | 2 | 4 | 8) => Element::Signed(width as usize),
        ('f', 2 | 4 | 8) => Element::Float(width as usize),
        ('U', 0..=LONGEST_TEXT) => Element::Unicode(width as usize),
        ('S', 0..=LONGEST_TEXT) => Element::Bytes(width as usize),
        _ => return None,
    };
    Some((element, big_endian))
}

/// The arrays of a `.npz` file by name.
#[derive(Debug)]
pub(in crate::data) struct Archive {
    name: String,
    path: PathBuf,
    zip: zip::ZipArchive<File>,
    names: Vec<String>,
}

impl Archive {
    /// Opens a zip file of `.npy` members.
    pub(in crate::data) fn open(path: &Path) -> Result<Self, ArrayError> {
        let name = path.display().to_string();
        let damaged = |what: String| ArrayError::Damaged { file: name.clone(), what };
        let zip = zip::ZipArchive::new(open(path)?)
            .map_err(|e| damaged(format!("the zip file cannot be read ({e}); was it cut short?")))?;
        let names = zip
            .file_names_raw()
            .filter_map(|member| std::str::from_utf8(member).ok()?.strip_suffix(".npy").map(str::to_owned))
            .collect();
        Ok(Self { name, path: path.to_owned(), zip, names })
    }

    /// Names of its arrays.
    pub(in crate::data) fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether it has an array of that name.
    pub(in crate::data) fn has(&self, array: &str) -> bool {
        self.names.iter().any(|name| name == array)
    }

    /// Number of dimensions of an array, by its header alone; `None` where that is no header.
    pub(in crate::data) fn dimensions(&mut self, array: &str) -> Option<usize> {
        let member = self.zip.by_name(&format!("{array}.npy")).ok()?;
        let mut head = Vec::new();
        member.take(LONGEST_HEAD).read_to_end(&mut head).ok()?;
        Some(NpyHeader::read(head.as_slice()).ok()?.shape.len())
    }

    /// One of its arrays: read where it lies when it is stored plainly, unpacked into a temporary file otherwise.
    pub(in crate::data) fn array(&mut self, array: &str) -> Result<Array, ArrayError> {
        let name = format!("{}, array `{}`", self.name, array.escape_debug());
        let damaged = |what: String| ArrayError::Damaged { file: name.clone(), what };
        let mut member =
            self.zip.by_name(&format!("{array}.npy")).map_err(|e| damaged(format!("it cannot be read ({e})")))?;
        let mut head = Vec::new();
        let read = member.by_ref().take(LONGEST_HEAD).read_to_end(&mut head);
        read.map_err(|e| damaged(format!("it cannot be read ({e})")))?;
        let header = NpyHeader::read(head.as_slice()).map_err(damaged)?;
        if member.compression() == zip::CompressionMethod::Stored {
            let (Some(offset), bytes) = (member.data_start(), member.size()) else {
                return Err(damaged("its place in the file is not known".to_owned()));
            };
            let about = std::fs::metadata(&self.path);
            let length = about.map_err(|source| ArrayError::Read { file: name.clone(), source })?.len();
            if offset.checked_add(bytes).is_none_or(|end| end > length) {
                return Err(damaged("it ends beyond the end of the file".to_owned()));
            }
            return Array::new(name, Store::Path(self.path.clone()), offset, bytes, header);
        }
        let width = element(&header.element).map_or(1, |(element, _)| element.width() as u64);
        let bytes = header.values().and_then(|values| values.checked_mul(width));
        let Some(bytes) = bytes.filter(|&bytes| bytes <= LARGEST_UNPACKED) else {
            return Err(damaged(format!(
                "an array of the shape {:?} has more than the {LARGEST_UNPACKED} bytes that are unpacked: save it with \
                 `numpy.savez`, which does not compress",
                header.shape
            )));
        };
        let failed = |source| ArrayError::Write { file: "a temporary file".to_owned(), source };
        let mut unpacked = tempfile::tempfile().map_err(failed)?;
        // One byte more than there should be, so that the check of the size sees an array that is too long.
        let mut whole = Cursor::new(head).chain(member).take(header.start + bytes + 1);
        let found =
            std::io::copy(&mut whole, &mut unpacked).map_err(|e| damaged(format!("it cannot be unpacked ({e})")))?;
        unpacked.flush().map_err(failed)?;
        Array::new(name, Store::Shared(Arc::new(Mutex::new(unpacked))), 0, found, header)
    }
}
