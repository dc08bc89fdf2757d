//! The numbers and texts of a table in Parquet, as pandas writes it.
//!
//! The crate `parquet` decodes; before it does, what the file claims is held against how long it is. Lists, dates, decimals
//! and bytes are left out and named.

use std::fs::File;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Compression, Encoding, Repetition};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    ColumnChunkMetaData, ParquetMetaDataOptions, ParquetMetaDataReader, ParquetStatisticsPolicy,
};
use parquet::file::serialized_reader::SerializedPageReader;
use parquet::schema::types::{SchemaDescriptor, Type};

use super::parquet_head::{Kind, Leaf, leaves, unpacked_bytes};
use super::trials::{Column, MOST_COLUMNS, MOST_TRIALS};
use crate::data::import::identity::clean;

/// Largest file, bytes. A table of 1000 trials has about 100 kB.
const LARGEST: u64 = 64 << 20;
/// Largest table when it is unpacked, bytes.
const LARGEST_UNPACKED: u64 = 256 << 20;
/// Most values, trials times columns.
const MOST_VALUES: usize = 1 << 24;
/// Longest that all texts of a column may be together, bytes.
const LONGEST_TEXTS: usize = 16 << 20;
/// Bytes that begin the file and end it.
const MAGIC: &[u8] = b"PAR1";
/// Columns by which pandas keeps the numbers of rows.
const INDEX: &str = "__index_level_";

/// Why a table could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum TableError {
    #[error("it could not be read: {0}")]
    Read(#[from] std::io::Error),
    /// Written in a way that is not read here.
    #[error("{0}")]
    Unsupported(String),
    /// Cut short, changed, too large, or no such table.
    #[error("{0}")]
    Damaged(String),
}

impl From<ParquetError> for TableError {
    fn from(error: ParquetError) -> Self {
        match error {
            ParquetError::NYI(what) => Self::Unsupported(clean(&what)),
            ParquetError::General(what) | ParquetError::EOF(what) => {
                Self::Damaged(format!("the file is damaged: {}", clean(&what)))
            }
            other => Self::Damaged(format!("the file is damaged: {}", clean(&other.to_string()))),
        }
    }
}

/// A table.
#[derive(Debug)]
pub(super) struct Table {
    /// Columns by their names.
    pub(super) columns: Vec<(String, Column)>,
    /// Names of the columns that are neither numbers nor texts.
    pub(super) left_out: Vec<String>,
}

/// Reads a table.
pub(super) fn read(path: &Path) -> Result<Table, TableError> {
    // The crate asserts where it could refuse, here and there; what is lost with it is only this table.
    catch_unwind(AssertUnwindSafe(|| read_checked(path)))
        .unwrap_or_else(|_| Err(TableError::Damaged("the file is damaged".to_owned())))
}

fn read_checked(path: &Path) -> Result<Table, TableError> {
    let damaged = |what: String| Err(TableError::Damaged(what));
    let file = Arc::new(File::open(path)?);
    let mut bytes = Vec::new();
    (&*file).take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return damaged(format!("it has more than {LARGEST} bytes, and a table is read whole"));
    }
    let footer = footer(&bytes)?;
    let leaves = leaves(footer).map_err(TableError::Damaged)?;
    let schema = Arc::new(schema(&leaves)?);
    let options = ParquetMetaDataOptions::new()
        .with_schema(schema.clone())
        .with_column_stats_policy(ParquetStatisticsPolicy::SkipAll);
    let metadata = ParquetMetaDataReader::decode_metadata_with_options(footer, Some(&options))?;

    let counts: Option<Vec<usize>> =
        metadata.row_groups().iter().map(|group| usize::try_from(group.num_rows()).ok()).collect();
    let rows = counts.as_ref().and_then(|counts| counts.iter().try_fold(0, |sum: usize, &rows| sum.checked_add(rows)));
    let (Some(counts), Some(rows)) = (counts, rows) else { return damaged("it has no number of rows".to_owned()) };
    let claimed = metadata.file_metadata().num_rows();
    if i64::try_from(rows) != Ok(claimed) {
        return damaged(format!("its parts have {rows} rows, but it claims {claimed}"));
    }
    if rows == 0 || rows > MOST_TRIALS {
        return damaged(format!("it has {rows} rows, expected 1 to {MOST_TRIALS}"));
    }
    let named = |leaf: &Leaf| !leaf.name.is_empty() && !leaf.name.starts_with(INDEX);
    let read = |leaf: &Leaf| named(leaf) && leaf.kind != Kind::Other;
    let wanted: Vec<usize> = (0..leaves.len()).filter(|&at| read(&leaves[at])).take(MOST_COLUMNS).collect();
    if wanted.len() * rows > MOST_VALUES {
        return damaged(format!("it has {} columns of {rows} values, at most {MOST_VALUES} in all", wanted.len()));
    }
    // Everything that is going to be read is looked at before any of it is.
    let mut unpacked = 0;
    for (group, &rows) in metadata.row_groups().iter().zip(&counts) {
        for &at in &wanted {
            unpacked += check(&bytes[..bytes.len() - footer.len() - 8], group.column(at), rows)
                .map_err(|error| of(&leaves[at], error))?;
        }
    }
    if unpacked > LARGEST_UNPACKED {
        return damaged(format!("it has {unpacked} bytes when it is unpacked, at most {LARGEST_UNPACKED} are read"));
    }

    let mut columns = Vec::new();
    for &at in &wanted {
        let mut column =
            if leaves[at].kind == Kind::Texts { Values::Texts(Vec::new()) } else { Values::Numbers(Vec::new()) };
        for (group, &rows) in metadata.row_groups().iter().zip(&counts).filter(|(_, rows)| **rows > 0) {
            let pages = SerializedPageReader::new(file.clone(), group.column(at), rows, None)?;
            let pages = CheckedPages { pages, left: rows, optional: leaves[at].optional, has_dictionary: false };
            let reader = get_column_reader(schema.column(at), Box::new(pages));
            column.read(reader, rows, leaves[at].kind).map_err(|error| of(&leaves[at], error))?;
        }
        columns.push((leaves[at].name.clone(), column.into_column()));
    }
    let mut left_out: Vec<String> = Vec::new();
    for leaf in leaves.iter().filter(|leaf| named(leaf) && leaf.kind == Kind::Other) {
        if !left_out.contains(&leaf.name) {
            left_out.push(leaf.name.clone());
        }
    }
    Ok(Table { columns, left_out })
}

/// Names the column in an error.
fn of(leaf: &Leaf, error: TableError) -> TableError {
    let name = clean(&leaf.name);
    match error {
        TableError::Unsupported(what) => TableError::Unsupported(format!("its column `{name}` {what}")),
        TableError::Damaged(what) => TableError::Damaged(format!("its column `{name}`: {what}")),
        error @ TableError::Read(_) => error,
    }
}

/// The structure at the end of the file that describes it.
fn footer(bytes: &[u8]) -> Result<&[u8], TableError> {
    let whole = || {
        let body = bytes.strip_prefix(MAGIC)?;
        let (body, length) = body.strip_suffix(MAGIC)?.split_last_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        body.get(body.len().checked_sub(length)?..)
    };
    if bytes.starts_with(b"PARE") || bytes.ends_with(b"PARE") {
        return Err(TableError::Unsupported("it is encrypted".to_owned()));
    }
    whole().ok_or_else(|| TableError::Damaged("it is no whole Parquet file".to_owned()))
}

/// The columns without the groups that they lie in.
fn schema(leaves: &[Leaf]) -> Result<SchemaDescriptor, ParquetError> {
    let field = |leaf: &Leaf| {
        let repetition = if leaf.optional { Repetition::OPTIONAL } else { Repetition::REQUIRED };
        let of = Type::primitive_type_builder(&leaf.name, leaf.physical).with_repetition(repetition);
        Ok(Arc::new(of.with_length(leaf.length).build()?))
    };
    let fields = leaves.iter().map(field).collect::<Result<_, ParquetError>>()?;
    Ok(SchemaDescriptor::new(Arc::new(Type::group_type_builder("table").with_fields(fields).build()?)))
}

/// Whether a part of a column lies within the bytes of the columns, is compressed in a way that is read, and has the values
/// that it should have; then how many bytes it has when it is unpacked.
fn check(bytes: &[u8], chunk: &ColumnChunkMetaData, rows: usize) -> Result<u64, TableError> {
    let codec = match chunk.compression() {
        Compression::UNCOMPRESSED | Compression::SNAPPY | Compression::GZIP(_) => None,
        Compression::ZSTD(_) => Some("Zstandard"),
        Compression::BROTLI(_) => Some("Brotli"),
        Compression::LZ4 | Compression::LZ4_RAW => Some("LZ4"),
        Compression::LZO => Some("LZO"),
    };
    if let Some(codec) = codec {
        return Err(TableError::Unsupported(format!("is compressed with {codec}; Snappy, gzip and none are read")));
    }
    if chunk.file_path().is_some() {
        return Err(TableError::Unsupported("lies in another file".to_owned()));
    }
    if i64::try_from(rows) != Ok(chunk.num_values()) {
        return Err(TableError::Damaged(format!("{} values for {rows} rows", chunk.num_values())));
    }
    let start = usize::try_from(chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset()));
    let size = usize::try_from(chunk.compressed_size());
    let within = match (start, size) {
        (Ok(start), Ok(size)) => start.checked_add(size).and_then(|end| bytes.get(start..end)),
        _ => None,
    };
    let within = within.ok_or_else(|| TableError::Damaged("it does not lie within the file".to_owned()))?;
    unpacked_bytes(within).map_err(TableError::Damaged)
}

/// The pages of a column, each looked at before its values are decoded.
struct CheckedPages {
    pages: SerializedPageReader<File>,
    /// Rows that are still to come.
    left: usize,
    /// Whether values may be missing.
    optional: bool,
    has_dictionary: bool,
}

impl CheckedPages {
    fn check(&mut self, page: &Page) -> Result<(), ParquetError> {
        let wrong = |what: &str| Err(ParquetError::General(what.to_owned()));
        let (count, bytes) = (page.num_values() as usize, page.buffer().len());
        match page {
            Page::DictionaryPage { .. } => {
                // The smallest values that have dictionaries are 4 bytes.
                if count > bytes / 4 {
                    return wrong("a dictionary claims more values than it has");
                }
                self.has_dictionary = true;
                return Ok(());
            }
            // What is missing could also be bit-packed, which was given up in 2013.
            Page::DataPage { def_level_encoding, .. } if !self.optional || *def_level_encoding == Encoding::RLE => {}
            Page::DataPage { .. } => return wrong("which values are missing is not said in a known way"),
            Page::DataPageV2 { def_levels_byte_len, rep_levels_byte_len, .. } => {
                let levels = u64::from(*def_levels_byte_len) + u64::from(*rep_levels_byte_len);
                if levels > bytes as u64 {
                    return wrong("a page is shorter than it claims");
                }
            }
        }
        self.left = match self.left.checked_sub(count) {
            Some(left) => left,
            None => return wrong("it has more values than rows"),
        };
        match page.encoding() {
            Encoding::PLAIN | Encoding::RLE => Ok(()),
            Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY if self.has_dictionary => Ok(()),
            Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY => wrong("its dictionary is missing"),
            // The decoders of the others reserve memory for whatever a page claims, or assert that its bytes are whole.
            other => Err(ParquetError::NYI(format!("is encoded as {other}, which is not read"))),
        }
    }
}

impl Iterator for CheckedPages {
    type Item = Result<Page, ParquetError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for CheckedPages {
    fn get_next_page(&mut self) -> Result<Option<Page>, ParquetError> {
        let page = self.pages.get_next_page()?;
        if let Some(page) = &page {
            self.check(page)?;
        }
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>, ParquetError> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<(), ParquetError> {
        self.pages.skip_next_page()
    }
}

/// A column while its parts are read.
enum Values {
    Numbers(Vec<f64>),
    Texts(Vec<String>),
}

impl Values {
    /// Adds the values of a part; what is missing is NaN or an empty text.
    fn read(&mut self, reader: ColumnReader, rows: usize, kind: Kind) -> Result<(), TableError> {
        let unsigned = kind == Kind::Unsigned;
        match (self, reader) {
            (Self::Numbers(to), ColumnReader::BoolColumnReader(from)) => numbers(to, from, rows, |&value| value.into()),
            (Self::Numbers(to), ColumnReader::Int32ColumnReader(from)) => {
                numbers(to, from, rows, |&value| if unsigned { (value as u32).into() } else { value.into() })
            }
            (Self::Numbers(to), ColumnReader::Int64ColumnReader(from)) => {
                numbers(to, from, rows, |&value| if unsigned { value as u64 as f64 } else { value as f64 })
            }
            (Self::Numbers(to), ColumnReader::FloatColumnReader(from)) => {
                numbers(to, from, rows, |&value| value.into())
            }
            (Self::Numbers(to), ColumnReader::DoubleColumnReader(from)) => numbers(to, from, rows, |&value| value),
            (Self::Texts(to), ColumnReader::ByteArrayColumnReader(from)) => {
                let values = values(from, rows)?;
                if values.iter().flatten().map(ByteArray::len).sum::<usize>() > LONGEST_TEXTS {
                    let what = format!("its texts have more than {LONGEST_TEXTS} bytes");
                    return Err(TableError::Damaged(what));
                }
                let text = |value: ByteArray| String::from_utf8_lossy(value.data()).into_owned();
                to.extend(values.into_iter().map(|value| value.map(text).unwrap_or_default()));
                Ok(())
            }
            _ => Err(TableError::Damaged("its values are of another type than the schema says".to_owned())),
        }
    }

    fn into_column(self) -> Column {
        match self {
            Self::Numbers(numbers) => Column::Numbers(numbers),
            Self::Texts(texts) => Column::of_texts(texts),
        }
    }
}

/// Adds numbers, NaN where they are missing.
fn numbers<T: DataType>(
    to: &mut Vec<f64>,
    from: ColumnReaderImpl<T>,
    rows: usize,
    number: impl Fn(&T::T) -> f64,
) -> Result<(), TableError> {
    to.extend(values(from, rows)?.iter().map(|value| value.as_ref().map_or(f64::NAN, &number)));
    Ok(())
}

/// `rows` values, `None` where they are missing.
fn values<T: DataType>(mut from: ColumnReaderImpl<T>, rows: usize) -> Result<Vec<Option<T::T>>, TableError> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    let mut done = 0;
    while done < rows {
        let (read, _, _) = from.read_records(rows - done, Some(&mut levels), None, &mut values)?;
        if read == 0 {
            return Err(TableError::Damaged(format!("it ends after {done} of {rows} values")));
        }
        done += read;
    }
    let mut values = values.into_iter();
    if levels.is_empty() {
        return Ok(values.map(Some).collect());
    }
    Ok(levels.into_iter().map(|level| if level > 0 { values.next() } else { None }).collect())
}
