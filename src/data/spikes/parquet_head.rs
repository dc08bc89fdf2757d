//! The schema and the pages of a Parquet file, looked at before the crate that decodes them: that one reserves memory for
//! every count that a file claims, and follows groups within groups as deep as they go.
//!
//! Both are structures in Thrift's compact protocol, <https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>;
//! the numbers of their fields are those of `parquet.thrift`.

use parquet::basic::Type;

/// Most entries of a schema, groups included.
const MOST_ENTRIES: usize = 2000;
/// Largest page, bytes, compressed or not; writers make pages of about 1 MB.
const LARGEST_PAGE: i64 = 16 << 20;
/// Most pages of a column.
const MOST_PAGES: usize = 100_000;
/// Deepest structure within structures.
const DEEPEST: usize = 16;

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Numbers, or true and false.
    Numbers,
    /// Whole numbers without a sign.
    Unsigned,
    Texts,
    /// Dates, decimals, bytes, lists and all else that is not read.
    Other,
}

/// A column.
#[derive(Debug)]
pub(super) struct Leaf {
    /// Name of the column, or of the outermost group that it lies in.
    pub(super) name: String,
    pub(super) physical: Type,
    /// Bytes of a value of a fixed length.
    pub(super) length: i32,
    /// Whether values may be missing.
    pub(super) optional: bool,
    pub(super) kind: Kind,
}

/// All columns of the schema that a footer begins with, in the order of their chunks.
pub(super) fn leaves(footer: &[u8]) -> Result<Vec<Leaf>, String> {
    let damaged = || "its schema is damaged".to_owned();
    let mut thrift = Thrift { bytes: footer, at: 0 };
    // The version comes first, then the schema: all writers keep the order of the specification.
    let Some(Some((1, Value::Int(_)))) = thrift.field(0, DEEPEST) else { return Err(damaged()) };
    let Some(Some((2, Value::List(entries)))) = thrift.field(1, DEEPEST) else { return Err(damaged()) };
    if entries.len() > MOST_ENTRIES {
        return Err(format!("its schema has {} entries, at most {MOST_ENTRIES} are read", entries.len()));
    }
    let children = |entry: &Value| entry.int(5).unwrap_or(0);
    let (root, entries) = entries.split_first().ok_or_else(damaged)?;
    // How many entries each open group still waits for.
    let mut open = vec![children(root)];
    let (mut leaves, mut outermost) = (Vec::new(), String::new());
    for entry in entries {
        while open.last() == Some(&0) {
            open.pop();
        }
        let group = open.last_mut().filter(|waits| **waits > 0).ok_or_else(damaged)?;
        *group -= 1;
        if open.len() == 1 {
            outermost = match entry.get(4) {
                Some(Value::Bytes(name)) => String::from_utf8_lossy(name).into_owned(),
                _ => return Err(damaged()),
            };
        }
        if children(entry) != 0 {
            open.push(children(entry));
        } else {
            leaves.push(leaf(entry, &outermost, open.len() == 1).ok_or_else(damaged)?);
        }
    }
    if open.iter().any(|&waits| waits != 0) {
        return Err(damaged());
    }
    Ok(leaves)
}

/// The column of an entry; `alone` when it lies in no group.
fn leaf(entry: &Value, name: &str, alone: bool) -> Option<Leaf> {
    const TYPES: [Type; 8] = [
        Type::BOOLEAN,
        Type::INT32,
        Type::INT64,
        Type::INT96,
        Type::FLOAT,
        Type::DOUBLE,
        Type::BYTE_ARRAY,
        Type::FIXED_LEN_BYTE_ARRAY,
    ];
    let physical = *TYPES.get(usize::try_from(entry.int(1)?).ok()?)?;
    let length = i32::try_from(entry.int(2).unwrap_or(0)).ok().filter(|&length| length >= 0)?;
    let repetition = entry.int(3)?;
    // What a value means is said in the older way, the newer, or both.
    let older = entry.int(6);
    let newer = match entry.get(10) {
        Some(Value::Struct(fields)) => fields.first(),
        _ => None,
    };
    let newer_id = newer.map(|(id, _)| *id);
    let kind = match physical {
        _ if !alone || repetition == 2 => Kind::Other,
        Type::BOOLEAN | Type::FLOAT | Type::DOUBLE => Kind::Numbers,
        Type::INT32 | Type::INT64 => match (older, newer_id) {
            // UINT_8 to UINT_64 and INT_8 to INT_64; INTEGER, and UNKNOWN of columns that are missing throughout.
            (None | Some(11..=18), None | Some(10 | 11)) => {
                let signed = newer.and_then(|(_, integer)| integer.int(2)) != Some(0);
                if signed && !matches!(older, Some(11..=14)) { Kind::Numbers } else { Kind::Unsigned }
            }
            _ => Kind::Other,
        },
        // UTF8 and ENUM; STRING and ENUM.
        Type::BYTE_ARRAY if matches!(older, Some(0 | 4)) || matches!(newer_id, Some(1 | 4)) => Kind::Texts,
        _ => Kind::Other,
    };
    Some(Leaf { name: name.to_owned(), physical, length, optional: repetition != 0, kind })
}

/// Goes through the pages of a column and adds up how many bytes they are when they are unpacked.
pub(super) fn unpacked_bytes(chunk: &[u8]) -> Result<u64, String> {
    let (mut rest, mut unpacked) = (chunk, 0);
    let mut pages = 0;
    while !rest.is_empty() {
        pages += 1;
        if pages > MOST_PAGES {
            return Err(format!("it has more than {MOST_PAGES} pages"));
        }
        let mut thrift = Thrift { bytes: rest, at: 0 };
        let header = thrift.fields(DEEPEST).map(Value::Struct);
        let size = |id| header.as_ref().and_then(|header| header.int(id)).filter(|&size| size >= 0);
        let (Some(larger), Some(smaller)) = (size(2), size(3)) else {
            return Err(format!("the head of page {pages} is damaged"));
        };
        if larger.max(smaller) > LARGEST_PAGE {
            return Err(format!("page {pages} has {} bytes, at most {LARGEST_PAGE} are read", larger.max(smaller)));
        }
        let end = thrift.at + smaller as usize;
        rest = rest.get(end..).ok_or_else(|| format!("page {pages} ends after the column"))?;
        unpacked += larger as u64;
    }
    Ok(unpacked)
}

/// A value in Thrift's compact protocol.
#[derive(Debug)]
enum Value<'a> {
    /// Also true, 1, and false, 0.
    Int(i64),
    Bytes(&'a [u8]),
    List(Vec<Value<'a>>),
    /// Fields by their numbers.
    Struct(Vec<(i16, Value<'a>)>),
    /// Floating-point numbers and maps, which nobody asks for.
    Other,
}

impl<'a> Value<'a> {
    fn get(&self, id: i16) -> Option<&Value<'a>> {
        let Self::Struct(fields) = self else { return None };
        fields.iter().find_map(|(known, value)| (*known == id).then_some(value))
    }

    fn int(&self, id: i16) -> Option<i64> {
        match self.get(id)? {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }
}

/// Reads values one after the other; `None` where the bytes end or mean nothing.
struct Thrift<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Thrift<'a> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn take(&mut self, count: u64) -> Option<&'a [u8]> {
        let end = self.at.checked_add(usize::try_from(count).ok()?)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    /// Seven bits a byte, the lowest first.
    fn unsigned(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// The sign is the lowest bit.
    fn signed(&mut self) -> Option<i64> {
        let number = self.unsigned()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// The field after the one of the number `last`; `Some(None)` at the end of the structure.
    fn field(&mut self, last: i16, deepest: usize) -> Option<Option<(i16, Value<'a>)>> {
        let head = self.byte()?;
        if head == 0 {
            return Some(None);
        }
        let id = match i16::from(head >> 4) {
            0 => i16::try_from(self.signed()?).ok()?,
            step => last.checked_add(step)?,
        };
        let value = match head & 0xf {
            // True and false have no byte of their own.
            1 => Value::Int(1),
            2 => Value::Int(0),
            kind => self.value(kind, deepest)?,
        };
        Some(Some((id, value)))
    }

    /// A structure, whose first byte is next.
    fn fields(&mut self, deepest: usize) -> Option<Vec<(i16, Value<'a>)>> {
        let mut fields: Vec<(i16, Value<'a>)> = Vec::new();
        while let Some(field) = self.field(fields.last().map_or(0, |(id, _)| *id), deepest)? {
            fields.push(field);
        }
        Some(fields)
    }

    fn value(&mut self, kind: u8, deepest: usize) -> Option<Value<'a>> {
        let deeper = deepest.checked_sub(1)?;
        Some(match kind {
            // In lists true and false have a byte.
            1..=3 => Value::Int(i64::from(self.byte()?)),
            4..=6 => Value::Int(self.signed()?),
            7 => self.take(8).map(|_| Value::Other)?,
            8 => {
                let count = self.unsigned()?;
                Value::Bytes(self.take(count)?)
            }
            9 | 10 => {
                let head = self.byte()?;
                let count = match head >> 4 {
                    15 => self.unsigned()?,
                    few => u64::from(few),
                };
                // Every value takes a byte or more, so the list ends with the bytes at the latest.
                let mut values = Vec::new();
                for _ in 0..count {
                    values.push(self.value(head & 0xf, deeper)?);
                }
                Value::List(values)
            }
            11 => {
                let count = self.unsigned()?;
                let kinds = if count > 0 { self.byte()? } else { 0 };
                for _ in 0..count {
                    self.value(kinds >> 4, deeper)?;
                    self.value(kinds & 0xf, deeper)?;
                }
                Value::Other
            }
            12 => Value::Struct(self.fields(deeper)?),
            _ => return None,
        })
    }
}
