//! The part of the pickle language that a saved state dict is written in.
//!
//! A pickle is a program. This reader knows tensors, storages, plain values and ordered dictionaries; it has no way
//! to call anything, and the first name outside its list ends the reading. Containers live in flat tables, so that
//! nothing recurses however a file is nested.

use std::collections::BTreeMap;

use super::element::Element;

/// Longest pickle that is read. The published ones have about 100 bytes a tensor, 40 kB in all.
const LONGEST: usize = 2 << 20;
/// Containers inside containers; state dicts need four.
const DEEPEST: u32 = 32;
/// Values that wait on the stack; pickles write dictionaries in batches of 1000 pairs.
const STACK: usize = 1 << 16;
/// Axes of a tensor.
const AXES: usize = 8;

/// Why a pickle could not be read.
#[derive(Debug, PartialEq)]
pub(super) enum Fault {
    /// Not a pickle of a state dict; one clause.
    Damaged(String),
    /// It asks for this name.
    Refused(String),
}

/// Where the values of a tensor lie.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct View<'a> {
    /// Name of the storage.
    pub(super) storage: &'a str,
    pub(super) element: Element,
    /// Numbers in the storage.
    pub(super) stored: usize,
    /// First number of the tensor.
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    /// Numbers from one element of an axis to the next.
    pub(super) strides: Vec<usize>,
}

/// All tensors of a pickled state dict, by name.
pub(super) fn state_dict(bytes: &[u8]) -> Result<BTreeMap<&str, View<'_>>, Fault> {
    if bytes.len() > LONGEST {
        return damaged(format!("its table of contents has {} bytes, more than {LONGEST}", bytes.len()));
    }
    let mut machine = Machine { bytes, ..Machine::default() };
    let result = machine.run()?;
    let Value::Dict(dict) = result else { return damaged("it holds no dictionary of tensors") };
    let mut tensors = BTreeMap::new();
    for &(key, value) in &machine.dicts[dict] {
        let Value::Text(key) = key else { return damaged("a name in the dictionary is no text") };
        let Value::Tensor(tensor) = value else { return damaged(format!("{} is no tensor", quoted(key))) };
        if tensors.insert(key, machine.tensors[tensor].clone()).is_some() {
            return damaged(format!("{} occurs twice", quoted(key)));
        }
    }
    Ok(tensors)
}

fn damaged<T>(what: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Damaged(what.into()))
}

/// A name from the file, fit for a message: escaped, and cut when long.
pub(super) fn quoted(name: &str) -> String {
    let cut: String = name.chars().take(120).flat_map(char::escape_debug).collect();
    if name.chars().count() > 120 { format!("`{cut}…`") } else { format!("`{cut}`") }
}

/// The names a state dict may ask for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Storage(Element),
}

impl Global {
    fn known(module: &str, name: &str) -> Option<Self> {
        Some(match (module, name) {
            ("collections", "OrderedDict") => Self::OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2") => Self::RebuildTensor,
            ("torch._utils", "_rebuild_parameter") => Self::RebuildParameter,
            ("torch", storage) => Self::Storage(match storage {
                "FloatStorage" => Element::Float32,
                "DoubleStorage" => Element::Float64,
                "HalfStorage" => Element::Float16,
                "BFloat16Storage" => Element::BFloat16,
                "BoolStorage" => Element::Bool,
                "ByteStorage" => Element::UInt8,
                "CharStorage" => Element::Int8,
                "ShortStorage" => Element::Int16,
                "IntStorage" => Element::Int32,
                "LongStorage" => Element::Int64,
                _ => return None,
            }),
            _ => return None,
        })
    }
}

/// A value on the stack; containers are indices into the tables of the machine.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Value<'a> {
    Nothing,
    Bool,
    Int(i64),
    Float,
    Text(&'a str),
    Tuple(usize),
    List,
    Dict(usize),
    Global(Global),
    Storage(usize),
    Tensor(usize),
}

#[derive(Debug)]
struct Tuple<'a> {
    items: Vec<Value<'a>>,
    depth: u32,
}

#[derive(Debug, Clone, Copy)]
struct Storage<'a> {
    name: &'a str,
    element: Element,
    numbers: usize,
}

#[derive(Debug, Default)]
struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Value<'a>>,
    marks: Vec<usize>,
    memo: BTreeMap<u32, Value<'a>>,
    tuples: Vec<Tuple<'a>>,
    dicts: Vec<Vec<(Value<'a>, Value<'a>)>>,
    storages: Vec<Storage<'a>>,
    tensors: Vec<View<'a>>,
}

impl<'a> Machine<'a> {
    fn run(&mut self) -> Result<Value<'a>, Fault> {
        loop {
            let start = self.at;
            let [code] = self.take()?;
            match code {
                b'.' => return self.pop(),
                0x80 => {
                    let [version] = self.take()?;
                    if !(2..=5).contains(&version) {
                        return damaged(format!("pickle protocol {version} is not known"));
                    }
                }
                b'(' => {
                    if self.marks.len() >= DEEPEST as usize {
                        return damaged("its values are nested too deeply");
                    }
                    self.marks.push(self.stack.len());
                }
                b'N' => self.push(Value::Nothing)?,
                0x88 | 0x89 => self.push(Value::Bool)?,
                b'K' => {
                    let [byte] = self.take()?;
                    self.push(Value::Int(i64::from(byte)))?;
                }
                b'M' => {
                    let number = u16::from_le_bytes(self.take()?);
                    self.push(Value::Int(i64::from(number)))?;
                }
                b'J' => {
                    let number = i32::from_le_bytes(self.take()?);
                    self.push(Value::Int(i64::from(number)))?;
                }
                0x8A => self.long()?,
                b'G' => {
                    self.take::<8>()?;
                    self.push(Value::Float)?;
                }
                b'X' => {
                    let length = u32::from_le_bytes(self.take()?);
                    let text = self.text(length as usize)?;
                    self.push(Value::Text(text))?;
                }
                b')' => self.tuple(0)?,
                0x85 => self.tuple(1)?,
                0x86 => self.tuple(2)?,
                0x87 => self.tuple(3)?,
                b't' => {
                    let count = self.above_mark()?;
                    self.tuple(count)?;
                }
                b']' => self.push(Value::List)?,
                // What a list holds is never needed: lists only occur among attributes.
                b'a' => {
                    self.pop()?;
                    self.expect_list()?;
                }
                b'e' => {
                    let count = self.above_mark()?;
                    self.stack.truncate(self.stack.len() - count);
                    self.expect_list()?;
                }
                b'}' => self.dict()?,
                b's' => self.set_items(2)?,
                b'u' => {
                    let count = self.above_mark()?;
                    self.set_items(count)?;
                }
                b'c' => self.global()?,
                b'R' => self.reduce()?,
                b'b' => self.build()?,
                b'Q' => self.storage()?,
                b'q' => {
                    let [index] = self.take()?;
                    self.remember(u32::from(index))?;
                }
                b'r' => {
                    let index = u32::from_le_bytes(self.take()?);
                    self.remember(index)?;
                }
                b'h' => {
                    let [index] = self.take()?;
                    self.recall(u32::from(index))?;
                }
                b'j' => {
                    let index = u32::from_le_bytes(self.take()?);
                    self.recall(index)?;
                }
                _ => return damaged(format!("byte {start} of its pickle is {code:#04x}, no code of a state dict")),
            }
        }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let Some(chunk) = rest.first_chunk::<N>() else { return damaged("its pickle ends too early") };
        self.at += N;
        Ok(*chunk)
    }

    fn text(&mut self, length: usize) -> Result<&'a str, Fault> {
        let Some(text) = self.at.checked_add(length).and_then(|end| self.bytes.get(self.at..end)) else {
            return damaged(format!("a text of {length} bytes reaches beyond the end of its pickle"));
        };
        self.at += length;
        std::str::from_utf8(text).or_else(|_| damaged("a text in its pickle is not UTF-8"))
    }

    fn line(&mut self) -> Result<&'a str, Fault> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let Some(length) = rest.iter().position(|&b| b == b'\n') else { return damaged("its pickle ends too early") };
        let line = self.text(length)?;
        self.at += 1;
        Ok(line)
    }

    fn push(&mut self, value: Value<'a>) -> Result<(), Fault> {
        if self.stack.len() >= STACK {
            return damaged(format!("more than {STACK} values wait on the stack of its pickle"));
        }
        self.stack.push(value);
        Ok(())
    }

    /// The last value, if it lies above the innermost mark.
    fn pop(&mut self) -> Result<Value<'a>, Fault> {
        if self.stack.len() <= self.marks.last().copied().unwrap_or(0) {
            return damaged("its pickle takes a value that is not there");
        }
        self.stack.pop().map_or_else(|| damaged("its pickle takes a value that is not there"), Ok)
    }

    /// Closes the innermost mark and counts the values above it.
    fn above_mark(&mut self) -> Result<usize, Fault> {
        match self.marks.pop() {
            Some(mark) => Ok(self.stack.len() - mark),
            None => damaged("its pickle closes what was never opened"),
        }
    }

    fn long(&mut self) -> Result<(), Fault> {
        let [length] = self.take()?;
        let mut number = 0i64;
        for i in 0..length {
            let [byte] = self.take()?;
            if i >= 8 {
                return damaged("a whole number in its pickle has more than 64 bits");
            }
            number |= i64::from(byte) << (8 * i);
            // The last byte carries the sign.
            if i + 1 == length && i < 7 && byte & 0x80 != 0 {
                number |= -1 << (8 * (i + 1));
            }
        }
        self.push(Value::Int(number))
    }

    /// The last `count` values as a tuple.
    fn tuple(&mut self, count: usize) -> Result<(), Fault> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let Some(start) = self.stack.len().checked_sub(count).filter(|&start| start >= floor) else {
            return damaged("its pickle takes a value that is not there");
        };
        let items = self.stack.split_off(start);
        let inner = |value: &Value| if let Value::Tuple(i) = value { self.tuples[*i].depth } else { 0 };
        let depth = 1 + items.iter().map(inner).max().unwrap_or(0);
        if depth > DEEPEST {
            return damaged("its values are nested too deeply");
        }
        self.tuples.push(Tuple { items, depth });
        self.push(Value::Tuple(self.tuples.len() - 1))
    }

    fn dict(&mut self) -> Result<(), Fault> {
        self.dicts.push(Vec::new());
        self.push(Value::Dict(self.dicts.len() - 1))
    }

    fn expect_list(&self) -> Result<(), Fault> {
        if self.stack.last() == Some(&Value::List) { Ok(()) } else { damaged("its pickle appends to what is no list") }
    }

    /// The last `count` values as pairs into the dictionary before them.
    fn set_items(&mut self, count: usize) -> Result<(), Fault> {
        let Some(start) = self.stack.len().checked_sub(count).filter(|_| count.is_multiple_of(2)) else {
            return damaged("its pickle fills a dictionary without pairs");
        };
        let items = self.stack.split_off(start);
        let Some(&Value::Dict(dict)) = self.stack.last() else {
            return damaged("its pickle fills what is no dictionary");
        };
        self.dicts[dict].extend(items.as_chunks::<2>().0.iter().map(|&[key, value]| (key, value)));
        Ok(())
    }

    fn remember(&mut self, index: u32) -> Result<(), Fault> {
        let Some(&value) = self.stack.last() else { return damaged("its pickle remembers what is not there") };
        self.memo.insert(index, value);
        Ok(())
    }

    fn recall(&mut self, index: u32) -> Result<(), Fault> {
        match self.memo.get(&index) {
            Some(&value) => self.push(value),
            None => damaged(format!("its pickle recalls value {index}, which was never remembered")),
        }
    }

    fn global(&mut self) -> Result<(), Fault> {
        let (module, name) = (self.line()?, self.line()?);
        match Global::known(module, name) {
            Some(global) => self.push(Value::Global(global)),
            None => Err(Fault::Refused(quoted(&format!("{module}.{name}")).trim_matches('`').to_owned())),
        }
    }

    /// A known constructor and its arguments; nothing is ever called.
    fn reduce(&mut self) -> Result<(), Fault> {
        let (arguments, callable) = (self.pop()?, self.pop()?);
        let items: &[Value] = if let Value::Tuple(i) = arguments { &self.tuples[i].items } else { &[Value::Nothing] };
        match (callable, items) {
            (Value::Global(Global::OrderedDict), []) => self.dict(),
            (
                Value::Global(Global::RebuildTensor),
                &[Value::Storage(storage), Value::Int(offset), Value::Tuple(shape), Value::Tuple(strides), ..],
            ) if items.len() <= 7 => {
                let storage = self.storages[storage];
                let view = View {
                    storage: storage.name,
                    element: storage.element,
                    stored: storage.numbers,
                    offset: size(Value::Int(offset))?,
                    shape: self.sizes(shape)?,
                    strides: self.sizes(strides)?,
                };
                if view.shape.len() != view.strides.len() {
                    return damaged("a tensor has not as many strides as axes");
                }
                self.tensors.push(view);
                self.push(Value::Tensor(self.tensors.len() - 1))
            }
            (Value::Global(Global::RebuildParameter), &[tensor @ Value::Tensor(_), ..]) if items.len() <= 3 => {
                self.push(tensor)
            }
            (Value::Global(global), _) => damaged(format!("{global:?} has arguments that it cannot have")),
            _ => damaged("its pickle calls what is no function of a weight file"),
        }
    }

    fn sizes(&self, tuple: usize) -> Result<Vec<usize>, Fault> {
        let items = &self.tuples[tuple].items;
        if items.len() > AXES {
            return damaged(format!("a tensor has {} axes, more than {AXES}", items.len()));
        }
        items.iter().map(|&item| size(item)).collect()
    }

    /// Attributes of a dictionary (the version numbers that PyTorch adds) are read over.
    fn build(&mut self) -> Result<(), Fault> {
        self.pop()?;
        match self.stack.last() {
            Some(Value::Dict(_)) => Ok(()),
            _ => damaged("its pickle gives attributes to what is no dictionary"),
        }
    }

    /// `("storage", type, name, place, numbers)`; the place ("cpu", "cuda:0") does not matter.
    fn storage(&mut self) -> Result<(), Fault> {
        let items: &[Value] = match self.pop()? {
            Value::Tuple(i) => &self.tuples[i].items,
            _ => &[],
        };
        let &[
            Value::Text("storage"),
            Value::Global(Global::Storage(element)),
            Value::Text(name),
            Value::Text(_),
            Value::Int(numbers),
        ] = items
        else {
            return damaged("a reference in its pickle points to no storage");
        };
        let numbers = size(Value::Int(numbers))?;
        self.storages.push(Storage { name, element, numbers });
        self.push(Value::Storage(self.storages.len() - 1))
    }
}

fn size(value: Value) -> Result<usize, Fault> {
    match value {
        Value::Int(number) => {
            usize::try_from(number).or_else(|_| damaged(format!("a size or offset in its pickle is {number}")))
        }
        _ => damaged("a size in its pickle is no whole number"),
    }
}
