//! The part of the pickle language that says data, as `numpy.save` writes arrays of Python objects.
//!
//! A pickle is a program that names functions and asks for them to be called; this reader has no way to call anything.
//! It builds numbers, texts, tuples, lists and dictionaries, knows by their names how NumPy writes its numbers and
//! arrays, and takes what any other function would make for something unknown, which is told to who asks for it. Of
//! dictionaries it keeps one key alone, and of long texts and arrays nothing. Values live in flat tables, so that
//! nothing recurses however a file is nested.
//!
//! The state dicts of PyTorch are another part of the language: `model::weights` reads it, and refuses every name that it
//! does not know.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use super::array::{Element, element};
use crate::data::npy_header::NpyHeader;

/// Longest text, and longest block of bytes, that is kept; keys, names of functions and pairs of numbers are shorter.
const LONGEST_KEPT: u64 = 128;
/// Most instructions that are followed. A region of Suite2p takes about 500 of them.
const MOST_STEPS: u64 = 1 << 28;
/// Most values that are kept, about 1 GB. A region of Suite2p takes about 300 of them.
const MOST_KEPT: usize = 1 << 25;
/// Most values that wait on the stack; pickles write lists and dictionaries in batches of 1000.
const MOST_WAITING: usize = 1 << 20;

/// A value. Those that hold others are places in the tables of [`Pickled`].
#[derive(Debug, Clone, Copy, PartialEq)]
enum Value {
    Number(f64),
    Text(usize),
    Bytes(usize),
    Tuple(usize),
    List(usize),
    Dict(usize),
    Known(Known),
    Dtype(usize),
    Array(usize),
    /// A function or class that is not known here, or what it would make.
    Foreign(usize),
    /// Something else that is no number: too long to be kept, nothing, or a set.
    Unread,
}

/// The functions and classes that NumPy's numbers and arrays are made with.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Known {
    Reconstruct,
    FromBuffer,
    Scalar,
    NdArray,
    Dtype,
    /// How bytes are written in protocol 2.
    Encode,
}

impl Known {
    fn of(module: &str, name: &str) -> Option<Self> {
        Some(match (module, name) {
            ("numpy.core.multiarray" | "numpy._core.multiarray", "_reconstruct") => Self::Reconstruct,
            ("numpy.core.multiarray" | "numpy._core.multiarray", "scalar") => Self::Scalar,
            ("numpy.core.numeric" | "numpy._core.numeric", "_frombuffer") => Self::FromBuffer,
            ("numpy", "ndarray") => Self::NdArray,
            ("numpy", "dtype") => Self::Dtype,
            ("_codecs", "encode") => Self::Encode,
            _ => return None,
        })
    }
}

/// What an array holds.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Dtype {
    Objects,
    /// Numbers, and whether their bytes stand in big-endian order.
    Numbers(Element, bool),
    Other,
}

/// The content of an array: a tuple of sizes, a type, and a list of objects or bytes.
#[derive(Debug, Clone, Copy)]
struct Filled {
    shape: Value,
    dtype: Value,
    data: Value,
}

/// What a pickle holds.
#[derive(Debug)]
pub(super) struct Pickled {
    key: &'static str,
    root: Value,
    texts: Vec<Box<[u8]>>,
    tuples: Vec<Box<[Value]>>,
    lists: Vec<Vec<Value>>,
    /// What stands under the key.
    dicts: Vec<Option<Value>>,
    dtypes: Vec<Dtype>,
    arrays: Vec<Option<Filled>>,
    /// Names of what is not known.
    names: Vec<String>,
}

impl Pickled {
    /// Reads a `.npy` file of Python objects; of its dictionaries, what stands under one key. The error is a clause
    /// about the file.
    pub(super) fn open(path: &Path, key: &'static str) -> Result<Self, String> {
        let file = File::open(path).map_err(unreadable)?;
        let length = file.metadata().map_err(unreadable)?.len();
        let mut input = BufReader::new(file);
        let header = NpyHeader::read(&mut input)?;
        if header.element.trim_start_matches('|') != "O" {
            return Err(format!("it holds values of the type `{}`, expected Python objects", header.element));
        }
        let values = Self {
            key,
            root: Value::Unread,
            texts: Vec::new(),
            tuples: Vec::new(),
            lists: Vec::new(),
            dicts: Vec::new(),
            dtypes: Vec::new(),
            arrays: Vec::new(),
            names: Vec::new(),
        };
        let mut machine = Machine {
            input,
            left: length.saturating_sub(header.start),
            room: MOST_KEPT,
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            values,
        };
        machine.values.root = machine.run()?;
        Ok(machine.values)
    }

    /// Two numbers under the key, in each of the dictionaries of an array `[n]`. Errors are clauses, the inner ones
    /// about one dictionary.
    pub(super) fn pairs(&self) -> Result<impl ExactSizeIterator<Item = Result<[f64; 2], String>>, String> {
        Ok(self.objects(1)?.iter().map(|&object| self.pair(object)))
    }

    /// The number under the key, in the one dictionary of an array without axes. The error is a clause.
    pub(super) fn number(&self) -> Result<f64, String> {
        let &[object] = self.objects(0)? else { return Err("it holds more than one object".to_owned()) };
        self.plain(self.under_key(object)?)
    }

    /// The objects of the array that the pickle is.
    fn objects(&self, axes: usize) -> Result<&[Value], String> {
        let Value::Array(at) = self.root else { return Err(self.no("an array", self.root)) };
        let Some(Filled { shape: Value::Tuple(shape), dtype: Value::Dtype(dtype), data: Value::List(list) }) =
            self.arrays[at]
        else {
            return Err("it holds an array without objects".to_owned());
        };
        let (sizes, objects) = (&self.tuples[shape], &self.lists[list]);
        let size = |size: &Value| if let Value::Number(size) = size { Some(*size) } else { None };
        let count = sizes.iter().try_fold(1.0, |product, of| Some(product * size(of)?));
        if self.dtypes[dtype] != Dtype::Objects || sizes.len() != axes || count != Some(objects.len() as f64) {
            let expected = if axes == 0 { "one object alone" } else { "a row of objects" };
            return Err(format!("it is an array of {} axes, but not {expected}", sizes.len()));
        }
        Ok(objects)
    }

    fn under_key(&self, object: Value) -> Result<Value, String> {
        let Value::Dict(at) = object else { return Err(self.no("a dictionary", object)) };
        self.dicts[at].ok_or_else(|| format!("there is no `{}`", self.key))
    }

    fn pair(&self, object: Value) -> Result<[f64; 2], String> {
        let value = self.under_key(object)?;
        let items: &[Value] = match value {
            Value::List(at) => &self.lists[at],
            Value::Tuple(at) => &self.tuples[at],
            Value::Array(at) => return self.pair_of(at),
            Value::Foreign(_) => return Err(self.no("two numbers", value)),
            _ => &[],
        };
        let &[first, second] = items else { return Err(format!("`{}` is no pair of numbers", self.key)) };
        Ok([self.plain(first)?, self.plain(second)?])
    }

    /// The numbers of an array `[2]`.
    fn pair_of(&self, array: usize) -> Result<[f64; 2], String> {
        if let Some(Filled { shape: Value::Tuple(shape), dtype: Value::Dtype(dtype), data: Value::Bytes(data) }) =
            self.arrays[array]
            && *self.tuples[shape] == [Value::Number(2.0)]
            && let Dtype::Numbers(element, big_endian) = self.dtypes[dtype]
            && self.texts[data].len() == 2 * element.width()
        {
            let (first, second) = self.texts[data].split_at(element.width());
            return Ok([element.number(first, big_endian), element.number(second, big_endian)]);
        }
        Err(format!("`{}` is an array, but not of two numbers", self.key))
    }

    fn plain(&self, value: Value) -> Result<f64, String> {
        if let Value::Number(number) = value { Ok(number) } else { Err(self.no("a number", value)) }
    }

    /// Says what stands in the place of something.
    fn no(&self, expected: &str, found: Value) -> String {
        match found {
            Value::Foreign(name) => {
                format!("{expected} should stand where `{}` is asked for, which is not executed here", self.names[name])
            }
            _ => format!("{expected} should stand where something else stands"),
        }
    }
}

fn unreadable(error: std::io::Error) -> String {
    format!("it cannot be read ({error})")
}

fn damaged<T>(what: impl std::fmt::Display) -> Result<T, String> {
    Err(format!("its pickle {what}"))
}

/// Follows the instructions.
struct Machine {
    input: BufReader<File>,
    /// Bytes of the file that follow.
    left: u64,
    /// Values that may still be kept.
    room: usize,
    stack: Vec<Value>,
    /// Lengths of the stack where tuples, batches of lists and of dictionaries begin.
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
    values: Pickled,
}

impl Machine {
    fn run(&mut self) -> Result<Value, String> {
        for _ in 0..MOST_STEPS {
            let [code] = self.take()?;
            match code {
                b'.' => return self.pop(),
                0x80 => {
                    let [version] = self.take()?;
                    if !(2..=5).contains(&version) {
                        return damaged(format!("is of protocol {version}, expected 2 to 5"));
                    }
                }
                // A frame's length is of use to who reads it at once.
                0x95 => {
                    self.take::<8>()?;
                }
                b'N' | 0x8f => self.push(Value::Unread)?,
                0x88 | 0x89 | b'K' | b'M' | b'J' | b'G' | 0x8a | 0x8b => self.number(code)?,
                b'X' | 0x8c | 0x8d => {
                    let length = self.length(code)?;
                    self.block(length, Value::Text)?;
                }
                b'B' | b'C' | 0x8e | 0x96 => {
                    let length = self.length(code)?;
                    self.block(length, Value::Bytes)?;
                }
                b'(' | b'0' | b'1' | b'2' => self.arrange(code)?,
                b')' => self.tuple(0)?,
                0x85 => self.tuple(1)?,
                0x86 => self.tuple(2)?,
                0x87 => self.tuple(3)?,
                b't' => {
                    let count = self.above_mark()?;
                    self.tuple(count)?;
                }
                b']' | b'}' | b'a' | b'e' | b's' | b'u' | 0x90 | 0x91 => self.contain(code)?,
                b'c' => {
                    let (module, name) = (self.line()?, self.line()?);
                    self.global(&module, &name)?;
                }
                0x93 => self.stack_global()?,
                b'R' | 0x81 => self.call()?,
                0x92 => {
                    // Named arguments are on top of the others.
                    self.pop()?;
                    self.call()?;
                }
                b'b' => self.build()?,
                b'q' => {
                    let [index] = self.take()?;
                    self.remember(u32::from(index))?;
                }
                b'r' => {
                    let index = u32::from_le_bytes(self.take()?);
                    self.remember(index)?;
                }
                0x94 => self.remember(self.memo.len() as u32)?,
                b'h' => {
                    let [index] = self.take()?;
                    self.recall(u32::from(index))?;
                }
                b'j' => {
                    let index = u32::from_le_bytes(self.take()?);
                    self.recall(index)?;
                }
                _ => return damaged(format!("has the instruction {code:#04x}, which is none that makes data")),
            }
        }
        damaged(format!("has more than {MOST_STEPS} instructions"))
    }

    /// Counts bytes off those that follow.
    fn claim(&mut self, length: u64) -> Result<(), String> {
        let Some(left) = self.left.checked_sub(length) else {
            return damaged(format!("ends too early: {length} more bytes are wanted, {} are left", self.left));
        };
        self.left = left;
        Ok(())
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], String> {
        self.claim(N as u64)?;
        let mut bytes = [0; N];
        self.input.read_exact(&mut bytes).map_err(unreadable)?;
        Ok(bytes)
    }

    /// The length of a text or of bytes, which stands before them in 1, 4 or 8 bytes.
    fn length(&mut self, code: u8) -> Result<u64, String> {
        Ok(match code {
            b'C' | 0x8c => {
                let [length] = self.take()?;
                u64::from(length)
            }
            b'B' | b'X' => u64::from(u32::from_le_bytes(self.take()?)),
            _ => u64::from_le_bytes(self.take()?),
        })
    }

    /// Passes over bytes.
    fn skip(&mut self, length: u64) -> Result<(), String> {
        self.claim(length)?;
        // Not more than the file has, so that it fits.
        self.input.seek_relative(length.cast_signed()).map_err(unreadable)
    }

    /// The next bytes as a value, if they are few.
    fn block(&mut self, length: u64, value: fn(usize) -> Value) -> Result<(), String> {
        if length > LONGEST_KEPT {
            self.skip(length)?;
            return self.push(Value::Unread);
        }
        self.claim(length)?;
        let mut bytes = vec![0; length as usize];
        self.input.read_exact(&mut bytes).map_err(unreadable)?;
        let place = self.keep_text(bytes)?;
        self.push(value(place))
    }

    fn keep_text(&mut self, bytes: Vec<u8>) -> Result<usize, String> {
        self.keep(1)?;
        self.values.texts.push(bytes.into_boxed_slice());
        Ok(self.values.texts.len() - 1)
    }

    fn line(&mut self) -> Result<String, String> {
        let mut line = Vec::new();
        loop {
            match self.take()? {
                [b'\n'] => return Ok(String::from_utf8_lossy(&line).into_owned()),
                [byte] if (line.len() as u64) < LONGEST_KEPT => line.push(byte),
                _ => return damaged(format!("names something in more than {LONGEST_KEPT} letters")),
            }
        }
    }

    /// Counts values that are kept.
    fn keep(&mut self, count: usize) -> Result<(), String> {
        let Some(room) = self.room.checked_sub(count) else {
            return damaged(format!("holds more than {MOST_KEPT} values"));
        };
        self.room = room;
        Ok(())
    }

    fn push(&mut self, value: Value) -> Result<(), String> {
        if self.stack.len() >= MOST_WAITING {
            return damaged(format!("has more than {MOST_WAITING} values waiting"));
        }
        self.stack.push(value);
        Ok(())
    }

    /// The last value, if it lies above the innermost mark.
    fn top(&self) -> Result<Value, String> {
        let above = self.stack.get(self.marks.last().copied().unwrap_or(0)..).unwrap_or_default();
        let Some(&value) = above.last() else { return damaged("takes a value that is not there") };
        Ok(value)
    }

    fn pop(&mut self) -> Result<Value, String> {
        let value = self.top()?;
        self.stack.pop();
        Ok(value)
    }

    /// The last `count` values, if they lie above the innermost mark.
    fn last(&mut self, count: usize) -> Result<Vec<Value>, String> {
        let floor = self.marks.last().copied().unwrap_or(0);
        match self.stack.len().checked_sub(count).filter(|&start| start >= floor) {
            Some(start) => Ok(self.stack.drain(start..).collect()),
            None => damaged("takes a value that is not there"),
        }
    }

    /// Closes the innermost mark and counts the values above it.
    fn above_mark(&mut self) -> Result<usize, String> {
        match self.marks.pop() {
            Some(mark) => Ok(self.stack.len().saturating_sub(mark)),
            None => damaged("closes what was never opened"),
        }
    }

    /// Marks, and values that are dropped or doubled.
    fn arrange(&mut self, code: u8) -> Result<(), String> {
        match code {
            b'(' if self.marks.len() >= MOST_WAITING => damaged("is nested too deeply"),
            b'(' => {
                self.marks.push(self.stack.len());
                Ok(())
            }
            b'0' => self.pop().map(drop),
            b'1' => {
                let count = self.above_mark()?;
                self.last(count).map(drop)
            }
            _ => {
                let value = self.top()?;
                self.push(value)
            }
        }
    }

    /// A number, or a truth as 0 or 1.
    fn number(&mut self, code: u8) -> Result<(), String> {
        let number = match code {
            0x88 | 0x89 => f64::from(u8::from(code == 0x88)),
            b'K' => {
                let [byte] = self.take()?;
                f64::from(byte)
            }
            b'M' => f64::from(u16::from_le_bytes(self.take()?)),
            b'J' => f64::from(i32::from_le_bytes(self.take()?)),
            b'G' => f64::from_be_bytes(self.take()?),
            _ => return self.long(code),
        };
        self.push(Value::Number(number))
    }

    /// A whole number of any length, two's complement.
    fn long(&mut self, code: u8) -> Result<(), String> {
        let length = match code {
            0x8a => {
                let [length] = self.take()?;
                u64::from(length)
            }
            _ => u64::from(u32::from_le_bytes(self.take()?)),
        };
        if length > 8 {
            self.skip(length)?;
            return self.push(Value::Unread);
        }
        let (mut bits, mut sign) = (0u64, 0);
        for place in 0..length {
            let [byte] = self.take()?;
            bits |= u64::from(byte) << (8 * place);
            sign = byte;
        }
        if sign & 0x80 != 0 && length < 8 {
            bits |= u64::MAX << (8 * length);
        }
        self.push(Value::Number(bits.cast_signed() as f64))
    }

    /// The last `count` values as a tuple.
    fn tuple(&mut self, count: usize) -> Result<(), String> {
        let items = self.last(count)?;
        self.keep(1 + count)?;
        self.values.tuples.push(items.into_boxed_slice());
        self.push(Value::Tuple(self.values.tuples.len() - 1))
    }

    /// Lists, dictionaries and sets, and what is put into them.
    fn contain(&mut self, code: u8) -> Result<(), String> {
        match code {
            b']' => {
                self.keep(1)?;
                self.values.lists.push(Vec::new());
                return self.push(Value::List(self.values.lists.len() - 1));
            }
            b'}' => {
                self.keep(1)?;
                self.values.dicts.push(None);
                return self.push(Value::Dict(self.values.dicts.len() - 1));
            }
            _ => {}
        }
        let count = match code {
            b'a' => 1,
            b's' => 2,
            _ => self.above_mark()?,
        };
        let items = self.last(count)?;
        if code == 0x91 {
            return self.push(Value::Unread);
        }
        match (code, self.top()?) {
            // Of containers of other kinds nothing is known, whatever is put into them.
            (_, Value::Foreign(_)) | (0x90, Value::Unread) => Ok(()),
            (b'a' | b'e', Value::List(at)) => {
                self.keep(items.len())?;
                self.values.lists[at].extend(items);
                Ok(())
            }
            (b's' | b'u', Value::Dict(at)) if items.len().is_multiple_of(2) => {
                for &[key, value] in items.as_chunks::<2>().0 {
                    let is_it = |text: usize| *self.values.texts[text] == *self.values.key.as_bytes();
                    if matches!(key, Value::Text(text) if is_it(text)) {
                        self.values.dicts[at] = Some(value);
                    }
                }
                Ok(())
            }
            _ => damaged("puts values into what cannot hold them"),
        }
    }

    fn remember(&mut self, index: u32) -> Result<(), String> {
        let value = self.top()?;
        self.keep(1)?;
        self.memo.insert(index, value);
        Ok(())
    }

    fn recall(&mut self, index: u32) -> Result<(), String> {
        match self.memo.get(&index) {
            Some(&value) => self.push(value),
            None => damaged(format!("recalls value {index}, which was never remembered")),
        }
    }

    /// A function or a class, by its name.
    fn global(&mut self, module: &str, name: &str) -> Result<(), String> {
        if let Some(known) = Known::of(module, name) {
            return self.push(Value::Known(known));
        }
        self.keep(1)?;
        self.values.names.push(format!("{module}.{name}").escape_debug().to_string());
        self.push(Value::Foreign(self.values.names.len() - 1))
    }

    fn stack_global(&mut self) -> Result<(), String> {
        let (name, module) = (self.pop()?, self.pop()?);
        let (Value::Text(module), Value::Text(name)) = (module, name) else {
            return damaged("names a function by what is no short text");
        };
        let text = |place: usize| String::from_utf8_lossy(&self.values.texts[place]).into_owned();
        let (module, name) = (text(module), text(name));
        self.global(&module, &name)
    }

    /// What a function would make of its arguments: NumPy's own are known, and no other is ever called.
    fn call(&mut self) -> Result<(), String> {
        let (arguments, function) = (self.pop()?, self.pop()?);
        let made = match (function, arguments) {
            (Value::Foreign(_), _) => function,
            (Value::Known(known), Value::Tuple(arguments)) => self.made(known, arguments)?,
            _ => return damaged("calls what is no function"),
        };
        self.push(made)
    }

    fn made(&mut self, known: Known, arguments: usize) -> Result<Value, String> {
        self.keep(1)?;
        let values = &mut self.values;
        let text = |place: usize| std::str::from_utf8(&values.texts[place]).unwrap_or_default();
        Ok(match (known, &*values.tuples[arguments]) {
            (Known::Reconstruct, [Value::Known(Known::NdArray), ..]) => {
                values.arrays.push(None);
                Value::Array(values.arrays.len() - 1)
            }
            // Another class of arrays.
            (Known::Reconstruct, &[class @ Value::Foreign(_), ..]) => class,
            (Known::FromBuffer, &[data, dtype, shape, _]) => {
                values.arrays.push(Some(Filled { shape, dtype, data }));
                Value::Array(values.arrays.len() - 1)
            }
            (Known::Dtype, &[Value::Text(name), ..]) => {
                let dtype = match (text(name), element(text(name))) {
                    ("O" | "O4" | "O8", _) => Dtype::Objects,
                    (_, Some((element, big_endian))) if element.is_numeric() => Dtype::Numbers(element, big_endian),
                    _ => Dtype::Other,
                };
                values.dtypes.push(dtype);
                Value::Dtype(values.dtypes.len() - 1)
            }
            (Known::Scalar, &[Value::Dtype(dtype), Value::Bytes(bytes)]) => {
                match (values.dtypes[dtype], &values.texts[bytes]) {
                    (Dtype::Numbers(element, big_endian), bytes) if bytes.len() == element.width() => {
                        Value::Number(element.number(bytes, big_endian))
                    }
                    _ => Value::Unread,
                }
            }
            (Known::Encode, &[Value::Text(letters), Value::Text(coding)]) if text(coding) == "latin1" => {
                let bytes = text(letters).chars().map(|letter| u8::try_from(u32::from(letter)).ok());
                let Some(bytes) = bytes.collect::<Option<Vec<u8>>>() else {
                    return damaged("has bytes that are none");
                };
                values.texts.push(bytes.into_boxed_slice());
                Value::Bytes(values.texts.len() - 1)
            }
            _ => Value::Unread,
        })
    }

    /// Fills what was made: the order of bytes of a type, the content of an array.
    fn build(&mut self) -> Result<(), String> {
        let (state, made) = (self.pop()?, self.top()?);
        let values = &mut self.values;
        let items: &[Value] = if let Value::Tuple(at) = state { &values.tuples[at] } else { &[] };
        match (made, items) {
            (Value::Dtype(at), &[_, Value::Text(order), ..]) => {
                values.dtypes[at] = match (values.dtypes[at], &*values.texts[order]) {
                    (Dtype::Numbers(element, _), b"<" | b"|") => Dtype::Numbers(element, false),
                    (Dtype::Numbers(element, _), b">") => Dtype::Numbers(element, true),
                    (Dtype::Objects, _) => Dtype::Objects,
                    _ => Dtype::Other,
                };
            }
            (Value::Array(at), &[_, shape, dtype, _, data]) => {
                values.arrays[at] = Some(Filled { shape, dtype, data });
            }
            (Value::Foreign(_) | Value::Unread, _) => {}
            _ => return damaged("gives a state to what has none"),
        }
        Ok(())
    }
}
