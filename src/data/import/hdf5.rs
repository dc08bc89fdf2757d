//! HDF5 files, as far as recordings need them: groups, numbers of any type, texts, slices and references.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use hdf5_reader::error::{Error, Result as Reading};
use hdf5_reader::group::Group;
use hdf5_reader::{
    BlockCacheStorage, ByteOrder, Dataset, Datatype, FileStorage, H5Type, Hdf5File, OpenOptions, SliceInfo,
    SliceInfoElem, dtype_element_size,
};

use super::content;
use crate::data::SessionError;

/// Largest piece that is read at once, bytes: a column of a table, or some rows of the responses.
const LARGEST_READ: usize = 1 << 30;
/// Most numbers in a column of a table, or in the times of a signal.
const MOST_NUMBERS: u64 = 100_000_000;
/// Largest chunk that is unpacked, bytes; usual ones have a few MB.
const LARGEST_CHUNK: usize = 256 << 20;
/// Deepest nesting of groups that is searched.
const DEEPEST: usize = 6;
/// Most groups that are searched; links may lead back to where they came from.
const MOST_GROUPS: usize = 20_000;

/// An open file.
#[derive(Clone)]
pub(in crate::data) struct Hdf5 {
    file: Arc<Hdf5File>,
    name: String,
}

impl std::fmt::Debug for Hdf5 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hdf5").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A group with its path and what the NWB standard calls its type.
pub(in crate::data) struct Found {
    pub(in crate::data) group: Group,
    /// From the root, without a slash before it.
    pub(in crate::data) path: String,
    pub(in crate::data) kind: String,
}

/// Any number, as f64.
#[derive(Clone)]
struct Number(f64);

impl Hdf5 {
    /// Opens a file; what it holds is read piece by piece.
    pub(in crate::data) fn open(path: &Path) -> Result<Self, SessionError> {
        let name = path.display().to_string();
        let options =
            OpenOptions { max_read_bytes: LARGEST_READ, max_chunk_bytes: LARGEST_CHUNK, ..OpenOptions::default() };
        let open = || {
            // Positional reads, not a mapping of the file: one that is cut short meanwhile is an error, no signal.
            let storage = BlockCacheStorage::with_defaults(Arc::new(FileStorage::open(path)?));
            Hdf5File::from_storage_with_options(Arc::new(storage), options)
        };
        match open() {
            Ok(file) => Ok(Self { file: Arc::new(file), name }),
            Err(error) => Err(content(&name, "", format!("the HDF5 file cannot be read: {}", sentence(&error)))),
        }
    }

    /// An error about something in the file.
    pub(in crate::data) fn wrong(&self, place: &str, what: impl Into<String>) -> SessionError {
        content(&self.name, &format!(", `{}`", place.escape_debug()), what.into())
    }

    fn failed(&self, place: &str, error: &Error) -> SessionError {
        self.wrong(place, format!("it cannot be read: {}", sentence(error)))
    }

    /// A group by its path, if it is there.
    pub(in crate::data) fn group(&self, path: &str) -> Option<Group> {
        let root = self.file.root_group().ok()?;
        path.split('/').filter(|part| !part.is_empty()).try_fold(root, |group, part| group.group(part).ok())
    }

    /// A text in a dataset of one value, if it is there.
    pub(in crate::data) fn text(&self, path: &str) -> Option<String> {
        let (group, name) = path.rsplit_once('/').unwrap_or(("", path));
        let dataset = self.group(group)?.dataset(name).ok()?;
        dataset.read_string().ok().or_else(|| dataset.read_strings().ok()?.into_iter().next())
    }

    /// A text in an attribute of the root, if it is there.
    pub(in crate::data) fn root_text(&self, name: &str) -> Option<String> {
        self.file.root_group().ok()?.attribute(name).ok()?.read_string().ok()
    }

    /// Every group below a path, in order of their paths, those of links with the names of the links. Of a damaged
    /// group the sound ones beside it are found.
    pub(in crate::data) fn below(&self, path: &str) -> Vec<Found> {
        let mut found = Vec::new();
        if let Some(group) = self.group(path) {
            self.collect(group, path.trim_matches('/'), DEEPEST, &mut found);
        }
        found
    }

    fn collect(&self, group: Group, path: &str, depth: usize, found: &mut Vec<Found>) {
        let Ok((mut names, _)) = group.member_names() else { return };
        names.sort();
        for name in names {
            if found.len() >= MOST_GROUPS {
                return;
            }
            let Ok(group) = group.group(&name) else { continue };
            let path = format!("{path}/{name}");
            let kind = group.attribute("neurodata_type").and_then(|kind| kind.read_string()).unwrap_or_default();
            found.push(Found { group: group.clone(), path: path.clone(), kind });
            if depth > 0 {
                self.collect(group, &path, depth - 1, found);
            }
        }
    }

    /// A dataset of a group, if it is there.
    pub(in crate::data) fn dataset(&self, of: &Found, name: &str) -> Option<Dataset> {
        of.group.dataset(name).ok()
    }

    /// All numbers of a dataset, of any type of number.
    pub(in crate::data) fn numbers(&self, place: &str, dataset: &Dataset) -> Result<Vec<f64>, SessionError> {
        self.check_numbers(place, dataset)?;
        let all = SliceInfo::all(dataset.ndim());
        self.slice(place, dataset, &all)
    }

    /// Some rows of a dataset `[row, ...]`.
    pub(in crate::data) fn rows(
        &self,
        place: &str,
        dataset: &Dataset,
        rows: Range<usize>,
    ) -> Result<Vec<f64>, SessionError> {
        let mut all = SliceInfo::all(dataset.ndim());
        if let Some(first) = all.selections.first_mut() {
            *first = SliceInfoElem::Slice { start: rows.start as u64, end: rows.end as u64, step: 1 };
        }
        if rows.is_empty() { Ok(Vec::new()) } else { self.slice(place, dataset, &all) }
    }

    fn slice(&self, place: &str, dataset: &Dataset, selection: &SliceInfo) -> Result<Vec<f64>, SessionError> {
        let read = match dataset.dtype() {
            _ if dataset.ndim() == 0 => dataset.read_array::<Number>(),
            _ => dataset.read_slice::<Number>(selection),
        };
        let values = read.map_err(|error| self.failed(place, &error))?;
        Ok(values.into_iter().map(|number| number.0).collect())
    }

    /// Grey levels of one picture of a dataset `[picture, row, column]`.
    pub(in crate::data) fn picture(
        &self,
        place: &str,
        dataset: &Dataset,
        picture: usize,
    ) -> Result<Vec<u8>, SessionError> {
        let mut one = SliceInfo::all(dataset.ndim());
        if let Some(first) = one.selections.first_mut() {
            *first = SliceInfoElem::Slice { start: picture as u64, end: picture as u64 + 1, step: 1 };
        }
        let read = dataset.read_slice::<u8>(&one).map_err(|error| self.failed(place, &error))?;
        Ok(read.into_iter().collect())
    }

    /// Refuses what is no list of numbers before it is read.
    fn check_numbers(&self, place: &str, dataset: &Dataset) -> Result<(), SessionError> {
        if !is_number(dataset.dtype()) {
            return Err(self.wrong(place, "it holds no numbers, expected whole or floating-point ones"));
        }
        match dataset.num_elements() {
            Ok(0..=MOST_NUMBERS) => Ok(()),
            Ok(count) => Err(self.wrong(place, format!("it has {count} numbers, expected at most {MOST_NUMBERS}"))),
            Err(error) => Err(self.failed(place, &error)),
        }
    }

    /// A column of a table as texts: numbers are written out, `None` for other types.
    pub(in crate::data) fn column(&self, dataset: &Dataset) -> Option<Vec<String>> {
        if is_number(dataset.dtype()) {
            let numbers = self.numbers("", dataset).ok()?;
            let flag = is_flag(dataset.dtype());
            let text = |number: f64| match (flag, number) {
                (true, 0.0) => "false".to_owned(),
                (true, _) => "true".to_owned(),
                _ => number.to_string(),
            };
            return Some(numbers.into_iter().map(text).collect());
        }
        matches!(dataset.dtype(), Datatype::String { .. } | Datatype::VarLen { .. })
            .then(|| dataset.read_strings().ok())?
    }
}

/// The address that an attribute of a dataset refers to.
pub(in crate::data) fn reference(dataset: &Dataset, attribute: &str) -> Option<u64> {
    let attribute = dataset.attribute(attribute).ok()?;
    matches!(attribute.datatype, Datatype::Reference { .. }).then_some(())?;
    let bytes: [u8; 8] = attribute.raw_data.get(..8)?.try_into().ok()?;
    Some(u64::from_le_bytes(bytes))
}

/// A number in an attribute of a dataset.
pub(in crate::data) fn attribute(dataset: &Dataset, name: &str) -> Option<f64> {
    let attribute = dataset.attribute(name).ok()?;
    Number::from_bytes(&attribute.raw_data, &attribute.datatype).ok().map(|number| number.0)
}

/// Sizes of the axes, none larger than memory could be.
pub(in crate::data) fn shape(dataset: &Dataset) -> Vec<usize> {
    dataset.shape().iter().map(|&size| usize::try_from(size).unwrap_or(usize::MAX)).collect()
}

/// Whether the elements are u8.
pub(in crate::data) fn is_u8(dataset: &Dataset) -> bool {
    matches!(dataset.dtype(), Datatype::FixedPoint { size: 1, signed: false, .. })
}

fn is_number(datatype: &Datatype) -> bool {
    match datatype {
        Datatype::FixedPoint { size, .. } => (1..=8).contains(size),
        Datatype::FloatingPoint { size, .. } => matches!(size, 4 | 8),
        Datatype::Enum { base, .. } => matches!(**base, Datatype::FixedPoint { .. }) && is_number(base),
        _ => false,
    }
}

/// True and false, as h5py writes them.
fn is_flag(datatype: &Datatype) -> bool {
    matches!(datatype, Datatype::Enum { members, .. } if members.len() == 2)
}

/// What the reader says, on one line and not without end.
fn sentence(error: &Error) -> String {
    error.to_string().chars().map(|char| if char.is_control() { ' ' } else { char }).take(300).collect()
}

impl H5Type for Number {
    fn hdf5_type() -> Datatype {
        f64::hdf5_type()
    }

    fn from_bytes(bytes: &[u8], datatype: &Datatype) -> Reading<Self> {
        let (size, order) = match datatype {
            Datatype::Enum { base, .. } => return Self::from_bytes(bytes, base),
            Datatype::FixedPoint { size, byte_order, .. } | Datatype::FloatingPoint { size, byte_order } => {
                (usize::from(*size), *byte_order)
            }
            _ => {
                return Err(Error::TypeMismatch {
                    expected: "a number".to_owned(),
                    actual: "something else".to_owned(),
                });
            }
        };
        let mut whole = [0; 8];
        let Some(number) = bytes.get(..size).filter(|_| (1..=8).contains(&size)) else {
            return Err(Error::InvalidData(format!("a number of {size} bytes, found {}", bytes.len())));
        };
        whole[..size].copy_from_slice(number);
        if order == ByteOrder::BigEndian {
            whole[..size].reverse();
        }
        let bits = u64::from_le_bytes(whole);
        let unused = 64 - 8 * size as u32;
        Ok(Self(match datatype {
            Datatype::FloatingPoint { size: 4, .. } => f64::from(f32::from_bits(bits as u32)),
            Datatype::FloatingPoint { .. } => f64::from_bits(bits),
            Datatype::FixedPoint { signed: true, .. } => (((bits << unused) as i64) >> unused) as f64,
            _ => bits as f64,
        }))
    }

    fn element_size(datatype: &Datatype) -> usize {
        dtype_element_size(datatype).unwrap_or(8)
    }
}
