//! A protocol as a TOML file: reading with the line of every mistake, and writing.
//!
//! Which keys exist follows from the types: an example of every table is written out, and a file is held against
//! it. A new field of a protocol, a stimulus or a modifier is therefore known here without a second list.
//!
//! TOML tables have no order, but a sweep has one: that in which its parameters stand in the file.

use std::fmt::Write;
use std::ops::Range;
use std::path::Path;

use serde::Serialize;
use toml::de::{DeString, DeTable, DeValue};

use super::Protocol;
use super::error::ProtocolError;
use super::monitor_choice::MonitorChoice;
use super::part::Part;
use super::protocol::{Analysis, SCHEMA, TwinChoice};
use super::sweep::{Level, Sweep, Values, cannot_sweep};
use crate::nearest::{key_hint, listed, nearest};
use crate::stimulus::{Field, Modifier, ModifierKind, Stimulus, StimulusKind, keys};

/// Longest protocol file, bytes; ours have fewer than a few thousand.
const MOST_BYTES: usize = 1 << 20;

/// Key that may also hold a string, for whole numbers beyond those of TOML.
const SEED: &str = "repeats.seed";

/// The keys of evenly spaced values.
const STEPS: [&str; 3] = ["start", "step", "count"];

impl Protocol {
    /// Reads and validates a protocol; `source_name` is the file, as errors name it.
    ///
    /// # Errors
    /// The first mistake, with its line, its key and, where one is near, what was probably meant.
    pub fn from_toml(text: &str, source_name: &str) -> Result<Self, ProtocolError> {
        let file = File { text, name: source_name };
        if text.len() > MOST_BYTES {
            let what = format!("is {} bytes long; a protocol has at most {MOST_BYTES}", text.len());
            return Err(ProtocolError::Syntax { place: source_name.to_owned(), what });
        }
        let document = DeTable::parse(text).map_err(|error| file.syntax(&error))?;
        let root = document.get_ref();
        file.check_schema(root)?;
        file.check_protocol(root)?;
        let mut protocol: Self = toml::from_str(text).map_err(|error| file.value_at(&error, root))?;
        sort_sweep(&mut protocol.sweep, root);
        if let Some((_, DeValue::Array(parts))) = find(root, "also") {
            for (part, table) in protocol.also.iter_mut().zip(parts.iter()) {
                table.get_ref().as_table().into_iter().for_each(|table| sort_sweep(&mut part.sweep, table));
            }
        }
        protocol.validate().map_err(|error| file.placed(error, root))?;
        Ok(protocol)
    }

    /// The protocol as TOML, which [`from_toml`](Self::from_toml) reads back to the same protocol.
    ///
    /// # Errors
    /// When the path of a file is not Unicode, which TOML cannot hold.
    pub fn to_toml(&self) -> Result<String, ProtocolError> {
        // Sweeps are written in their order, and before the further parts, which TOML closes tables with.
        let still = Self { sweep: Sweep::default(), also: Vec::new(), ..self.clone() };
        let mut text = written(&still)?;
        write_sweep(&mut text, "sweep", &self.sweep);
        for part in &self.also {
            let still = Part { sweep: Sweep::default(), ..part.clone() };
            text.push('\n');
            text.push_str(&written(&Also { also: [still] })?);
            write_sweep(&mut text, "also.sweep", &part.sweep);
        }
        Ok(text)
    }

    /// The same with files in a folder or below it named relative to that folder, so that it can be moved as a whole.
    pub fn relative_to(&self, folder: &Path) -> Self {
        let mut protocol = self.clone();
        for index in 0..=self.also.len() {
            if let Some(part) = protocol.part_mut(index) {
                shorten(part.stimulus, folder);
                part.modify.iter_mut().for_each(|modifier| shorten(modifier, folder));
            }
        }
        if let Some(twin) = &mut protocol.twin
            && let Ok(inside) = twin.path.strip_prefix(folder)
            && !inside.as_os_str().is_empty()
        {
            twin.path = inside.to_owned();
        }
        protocol
    }
}

/// The table that writes one further part.
#[derive(Serialize)]
struct Also {
    also: [Part; 1],
}

fn written(what: &impl Serialize) -> Result<String, ProtocolError> {
    toml::to_string(what).map_err(|error| ProtocolError::Value {
        place: "protocol".to_owned(),
        key: "stimulus".to_owned(),
        what: format!("cannot be written: {error}"),
    })
}

/// One line for each parameter, in order.
fn write_sweep(text: &mut String, table: &str, sweep: &Sweep) {
    if sweep.is_empty() {
        return;
    }
    // Writing to a string cannot fail.
    let _ = writeln!(text, "\n[{table}]");
    for swept in sweep.iter() {
        let values = match &swept.values {
            Values::Steps(steps) => {
                format!("{{ start = {:?}, step = {:?}, count = {} }}", steps.start, steps.step, steps.count)
            }
            Values::List(list) => {
                let level = |level: &Level| match level {
                    Level::Number(number) => format!("{number:?}").to_lowercase(),
                    Level::Switch(on) => on.to_string(),
                    Level::Word(word) => toml::Value::from(word.as_str()).to_string(),
                };
                let list: Vec<String> = list.iter().map(level).collect();
                format!("[{}]", list.join(", "))
            }
        };
        let _ = writeln!(text, "{} = {values}", swept.key);
    }
}

/// Names a file below a folder relative to it: whatever the kind, a file is under the key `path`.
fn shorten<T: Serialize + serde::de::DeserializeOwned>(shown: &mut T, folder: &Path) {
    let Ok(mut table) = toml::Table::try_from(&*shown) else { return };
    let Some(toml::Value::String(path)) = table.get_mut("path") else { return };
    if let Ok(inside) = Path::new(path.as_str()).strip_prefix(folder)
        && let Some(inside) = inside.to_str().filter(|inside| !inside.is_empty())
    {
        *path = inside.to_owned();
        if let Ok(shorter) = table.try_into() {
            *shown = shorter;
        }
    }
}

/// Puts parameters in the order of the file.
fn sort_sweep(sweep: &mut Sweep, part: &DeTable<'_>) {
    let Some((_, DeValue::Table(table))) = find(part, "sweep") else { return };
    let place = |key: &str| {
        let below = |path: &str| {
            let mut at = table;
            let mut byte = None;
            for word in path.split('.') {
                let (found, value) = find(at, word)?;
                byte = Some(found);
                match value.as_table() {
                    Some(inner) => at = inner,
                    None => break,
                }
            }
            byte
        };
        below(key).or_else(|| below(&format!("stimulus.{key}"))).unwrap_or(usize::MAX)
    };
    sweep.sort_by_key(place);
}

/// A stimulus or modifier of a kind with every optional key given, as a table.
fn example_of(shown: impl Serialize) -> toml::Table {
    toml::Table::try_from(shown).expect("parameters are strings, numbers and tables of them")
}

fn stimulus_example(kind: StimulusKind) -> toml::Table {
    let mut stimulus = kind.stimulus();
    for field in kind.fields() {
        stimulus.set(field.key, field.range.1);
    }
    example_of(stimulus)
}

fn modifier_example(kind: ModifierKind) -> toml::Table {
    let mut modifier = kind.modifier();
    for field in kind.fields() {
        modifier.set(field.key, field.range.1);
    }
    example_of(modifier)
}

/// A protocol with every optional key given, without what depends on kinds.
fn example() -> toml::Table {
    let protocol = Protocol {
        monitor: MonitorChoice::full(),
        twin: Some(TwinChoice { path: "twin".into(), scan: Some("4-7".to_owned()) }),
        analysis: Analysis { tuning: Some("direction_deg".to_owned()) },
        ..Protocol::default_direction_tuning()
    };
    let mut table = toml::Table::try_from(protocol).expect("a protocol is made of tables, strings and numbers");
    if let Some(toml::Value::Table(repeats)) = table.get_mut("repeats") {
        repeats.insert("shuffle".to_owned(), true.into());
    }
    table.insert("modify".to_owned(), toml::Value::Array(Vec::new()));
    table.insert("also".to_owned(), toml::Value::Array(Vec::new()));
    table
}

struct File<'a> {
    text: &'a str,
    name: &'a str,
}

impl File<'_> {
    fn place(&self, byte: usize) -> String {
        let before = self.text.as_bytes().iter().take(byte);
        format!("{}, line {}", self.name, 1 + before.filter(|&&b| b == b'\n').count())
    }

    fn syntax(&self, error: &toml::de::Error) -> ProtocolError {
        let place = error.span().map_or_else(|| self.name.to_owned(), |span| self.place(span.start));
        ProtocolError::Syntax { place, what: error.message().replace('\n', ", ") }
    }

    /// A value that the types refuse, with its key where that can be told.
    fn value_at(&self, error: &toml::de::Error, root: &DeTable<'_>) -> ProtocolError {
        match error.span().and_then(|span| Some((span.start, key_at(root, &span)?))) {
            Some((byte, key)) => {
                self.value(byte, &key, format!("is impossible: {}", error.message().replace('\n', ", ")))
            }
            None => self.syntax(error),
        }
    }

    fn value(&self, byte: usize, key: &str, what: String) -> ProtocolError {
        ProtocolError::Value { place: self.place(byte), key: key.to_owned(), what }
    }

    /// Before all other keys: those of another version are none of ours.
    fn check_schema(&self, root: &DeTable<'_>) -> Result<(), ProtocolError> {
        let Some((byte, value)) = find(root, "schema") else {
            return Err(self.value(0, "schema", format!("is missing; begin the file with schema = {SCHEMA}")));
        };
        match value {
            DeValue::Integer(number) if number.to_string() == SCHEMA.to_string() => Ok(()),
            DeValue::Integer(number) => {
                let what = format!("is {number}; this program reads protocols with schema = {SCHEMA}");
                Err(self.value(byte, "schema", what))
            }
            _ => Err(self.value(byte, "schema", format!("must be the whole number {SCHEMA}"))),
        }
    }

    /// Every key of the file known, every value of its kind.
    fn check_protocol(&self, root: &DeTable<'_>) -> Result<(), ProtocolError> {
        let example = example();
        self.check_part("", 0, root, &example)?;
        let Some((byte, also)) = find(root, "also") else { return Ok(()) };
        for (byte, path, table) in self.tables("also", byte, also)? {
            let like = ["stimulus", "modify", "sweep"].iter().map(|&key| (key.to_owned(), example[key].clone()));
            let mut like: toml::Table = like.collect();
            like.insert("name".to_owned(), "part".into());
            self.check_part(&path, byte, table, &like)?;
        }
        Ok(())
    }

    /// A table with a stimulus, modifiers and a sweep among its keys.
    fn check_part(
        &self,
        path: &str,
        byte: usize,
        part: &DeTable<'_>,
        example: &toml::Table,
    ) -> Result<(), ProtocolError> {
        // What the sweep is about, by kinds alone: the values themselves are read later.
        let at = |key: &str| joined(path, key);
        for (byte, key, value) in in_order(part) {
            if !["stimulus", "modify", "sweep", "also"].contains(&key) {
                self.check_key(path, byte, key, value, example)?;
            }
        }
        let Some((start, stimulus)) = find(part, "stimulus") else {
            let known = stimulus_words();
            let what = format!("is missing; one of {}", listed(&known.iter().map(String::as_str).collect::<Vec<_>>()));
            return Err(self.value(byte, &at("stimulus.kind"), what));
        };
        let table = self.table(&at("stimulus"), start, stimulus)?;
        let kind = self.kind(&at("stimulus"), start, table, "stimulus", &stimulus_words(), StimulusKind::of_key)?;
        self.check_parameters(&at("stimulus"), table, &stimulus_example(kind), kind.fields())?;
        let mut modifiers = Vec::new();
        if let Some((start, list)) = find(part, "modify") {
            let names: Vec<String> = ModifierKind::ALL.iter().map(|kind| kind.key()).collect();
            for (byte, path, table) in self.tables(&at("modify"), start, list)? {
                let kind = self.kind(&path, byte, table, "modifier", &names, ModifierKind::of_key)?;
                self.check_parameters(&path, table, &modifier_example(kind), kind.fields())?;
                modifiers.push(like(kind, table));
            }
        }
        if let Some((start, sweep)) = find(part, "sweep") {
            let table = self.table(&at("sweep"), start, sweep)?;
            self.check_sweep(&at("sweep"), "", table, &kind.stimulus(), &modifiers)?;
        }
        Ok(())
    }

    fn table<'t, 'i>(&self, path: &str, byte: usize, value: &'t DeValue<'i>) -> Result<&'t DeTable<'i>, ProtocolError> {
        value
            .as_table()
            .ok_or_else(|| self.value(byte, path, format!("must be a table, not {}", spoken(value.type_str()))))
    }

    /// The elements of a list of tables, with byte and path of each.
    fn tables<'t, 'i>(
        &self,
        path: &str,
        byte: usize,
        value: &'t DeValue<'i>,
    ) -> Result<Vec<(usize, String, &'t DeTable<'i>)>, ProtocolError> {
        let DeValue::Array(list) = value else {
            let found = spoken(value.type_str());
            let what =
                format!("must be a list of tables, not {found}; write [[{}]]", path.rsplit('.').next().unwrap_or(path));
            return Err(self.value(byte, path, what));
        };
        let entry = |(index, value): (usize, &'t toml::Spanned<DeValue<'i>>)| {
            let path = format!("{path}[{index}]");
            let byte = value.span().start;
            self.table(&path, byte, value.get_ref()).map(|table| (byte, path, table))
        };
        list.iter().enumerate().map(entry).collect()
    }

    /// The kind that a table names.
    fn kind<K>(
        &self,
        path: &str,
        byte: usize,
        table: &DeTable<'_>,
        what: &str,
        known: &[String],
        of_key: impl Fn(&str) -> Option<K>,
    ) -> Result<K, ProtocolError> {
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let path = joined(path, "kind");
        let (byte, value) = find(table, "kind")
            .ok_or_else(|| self.value(byte, &path, format!("is missing; one of {}", listed(&known))))?;
        let given = value.as_str().unwrap_or_default();
        of_key(given).ok_or_else(|| {
            let hint = match nearest(given, &known) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("known: {}", listed(&known)),
            };
            self.value(byte, &path, format!("is \"{given}\", which is no known {what}; {hint}"))
        })
    }

    /// Every parameter known, of its type, and every word of a choice.
    fn check_parameters(
        &self,
        path: &str,
        table: &DeTable<'_>,
        example: &toml::Table,
        fields: &[Field],
    ) -> Result<(), ProtocolError> {
        for (byte, key, value) in in_order(table) {
            let nested = key == "stimulus" && example.get(key).is_some_and(toml::Value::is_table);
            if nested {
                let path = joined(path, key);
                let table = self.table(&path, byte, value)?;
                let kind = self.kind(&path, byte, table, "stimulus", &stimulus_words(), StimulusKind::of_key)?;
                self.check_parameters(&path, table, &stimulus_example(kind), kind.fields())?;
            } else {
                self.check_key(path, byte, key, value, example)?;
            }
        }
        for field in fields {
            let words = field.words();
            let Some((byte, DeValue::String(word))) = find(table, field.key) else { continue };
            if !words.is_empty() && field.value_of(word).is_none() {
                let hint = match nearest(word, &words) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("known here: {}", listed(&words)),
                };
                let what = format!("is \"{word}\", which means nothing here; {hint}");
                return Err(self.value(byte, &joined(path, field.key), what));
            }
        }
        Ok(())
    }

    /// Every key of a table known, every value of the kind that the example has.
    fn check_table(&self, path: &str, table: &DeTable<'_>, example: &toml::Table) -> Result<(), ProtocolError> {
        for (byte, key, value) in in_order(table) {
            self.check_key(path, byte, key, value, example)?;
        }
        Ok(())
    }

    fn check_key(
        &self,
        path: &str,
        byte: usize,
        key: &str,
        value: &DeValue<'_>,
        example: &toml::Table,
    ) -> Result<(), ProtocolError> {
        let full = joined(path, key);
        let Some(like) = example.get(key) else {
            let known: Vec<&str> = example.keys().map(String::as_str).filter(|key| *key != "shuffle").collect();
            let hint = key_hint(key, &known);
            return Err(ProtocolError::UnknownKey { place: self.place(byte), key: full, hint });
        };
        match (value, like) {
            (DeValue::Table(inner), toml::Value::Table(like)) => self.check_table(&full, inner, like),
            (DeValue::Integer(_), toml::Value::Float(_)) => Ok(()),
            (DeValue::String(_), _) if full == SEED => Ok(()),
            (found, like) if found.type_str() == like.type_str() => Ok(()),
            (found, like) => {
                let what = format!("must be {}, not {}", spoken(like.type_str()), spoken(found.type_str()));
                Err(self.value(byte, &full, what))
            }
        }
    }

    /// Every swept parameter known and given by steps or a list; `within` is the modifier that the table is about.
    fn check_sweep(
        &self,
        path: &str,
        within: &str,
        table: &DeTable<'_>,
        stimulus: &Stimulus,
        modifiers: &[Modifier],
    ) -> Result<(), ProtocolError> {
        for (byte, key, value) in in_order(table) {
            let (full, own) = (joined(path, key), joined(within, key));
            let names_table = match within {
                "" => key == "stimulus" || modifiers.iter().any(|modifier| modifier.kind().key() == key),
                word => {
                    key == "stimulus" && modifiers.iter().any(|m| m.kind().key() == word && keys::within(m).is_some())
                }
            };
            match value {
                DeValue::Table(inner) if names_table => self.check_sweep(&full, &own, inner, stimulus, modifiers)?,
                _ if keys::field(stimulus, modifiers, &own).is_none() => {
                    return Err(self.value(byte, &full, cannot_sweep(&own, stimulus, modifiers)));
                }
                DeValue::Table(steps) => self.check_steps(&full, byte, steps)?,
                DeValue::Array(list) => {
                    for (index, level) in list.iter().enumerate() {
                        if matches!(level.get_ref(), DeValue::Table(_) | DeValue::Array(_) | DeValue::Datetime(_)) {
                            let found = spoken(level.get_ref().type_str());
                            let what = format!("must be a number, a word or true or false, not {found}");
                            return Err(self.value(level.span().start, &format!("{full}[{index}]"), what));
                        }
                    }
                }
                other => {
                    let found = spoken(other.type_str());
                    let what = format!("must be {{ start, step, count }} or a list in [ ], not {found}");
                    return Err(self.value(byte, &full, what));
                }
            }
        }
        Ok(())
    }

    fn check_steps(&self, path: &str, byte: usize, steps: &DeTable<'_>) -> Result<(), ProtocolError> {
        let mut like = toml::Table::new();
        like.extend([("start", 0.0), ("step", 1.0)].map(|(key, value)| (key.to_owned(), value.into())));
        like.insert("count".to_owned(), 1.into());
        self.check_table(path, steps, &like)?;
        for key in STEPS {
            if find(steps, key).is_none() {
                return Err(self.value(byte, path, format!("is missing field `{key}`; it needs {}", listed(&STEPS))));
            }
        }
        if let Some((byte, DeValue::Integer(count))) = find(steps, "count")
            && count.to_string().starts_with('-')
        {
            return Err(self.value(byte, &joined(path, "count"), format!("is {count}; it must be 1 or more")));
        }
        Ok(())
    }

    /// An impossible value, with the line it stands on; for a default that does not fit, the nearest table above.
    fn placed(&self, error: ProtocolError, root: &DeTable<'_>) -> ProtocolError {
        let ProtocolError::Value { key, what, .. } = error else { return error };
        let place = byte_of(root, &key).map_or_else(|| self.name.to_owned(), |byte| self.place(byte));
        ProtocolError::Value { place, key, what }
    }
}

fn stimulus_words() -> Vec<String> {
    StimulusKind::ALL.iter().map(|kind| kind.key()).collect()
}

/// A modifier of a kind with its defaults, and around a stimulus of the kind that the table names, where it holds one.
fn like(kind: ModifierKind, table: &DeTable<'_>) -> Modifier {
    let modifier = kind.modifier();
    let named = find(table, "stimulus").and_then(|(_, nested)| find(nested.as_table()?, "kind")?.1.as_str());
    let Some(nested) = named.and_then(StimulusKind::of_key) else { return modifier };
    let mut example = example_of(&modifier);
    example.insert("stimulus".to_owned(), example_of(nested.stimulus()).into());
    example.try_into().unwrap_or(modifier)
}

/// Where the key, or the nearest table above it, begins.
fn byte_of(root: &DeTable<'_>, key: &str) -> Option<usize> {
    let (mut table, mut found) = (root, None);
    let parts: Vec<&str> = key.split('.').collect();
    for (depth, part) in parts.iter().enumerate() {
        let (name, index) = match part.strip_suffix(']').and_then(|part| part.split_once('[')) {
            Some((name, index)) => (name, index.parse::<usize>().ok()),
            None => (*part, None),
        };
        // A parameter may be swept under the word that names the stimulus itself.
        let below = |table| find(table, name);
        let own = || find(table, "stimulus").filter(|_| depth > 0 && parts[depth - 1] == "sweep");
        let Some((mut byte, mut value)) = below(table).or_else(|| own()?.1.as_table().and_then(below)) else { break };
        if let (Some(index), DeValue::Array(list)) = (index, value)
            && let Some(element) = list.get(index)
        {
            (byte, value) = (element.span().start, element.get_ref());
        }
        found = Some(byte);
        let Some(inner) = value.as_table() else { break };
        table = inner;
    }
    found
}

/// The innermost key whose value lies at these bytes.
fn key_at(table: &DeTable<'_>, span: &Range<usize>) -> Option<String> {
    for (key, value) in table {
        let (name, own) = (key.get_ref().as_ref(), value.span());
        let inner = match value.get_ref() {
            DeValue::Table(inner) => key_at(inner, span),
            DeValue::Array(list) => list.iter().enumerate().find_map(|(index, element)| {
                let below = element.get_ref().as_table()?;
                key_at(below, span).map(|key| format!("[{index}].{key}"))
            }),
            _ => None,
        };
        match inner {
            Some(inner) if inner.starts_with('[') => return Some(format!("{name}{inner}")),
            Some(inner) => return Some(joined(name, &inner)),
            None if own.start <= span.start && span.end <= own.end => return Some(name.to_owned()),
            None => {}
        }
    }
    None
}

/// Bytes, keys and values in the order of the file, so that the first mistake is told first.
fn in_order<'t, 'i>(table: &'t DeTable<'i>) -> Vec<(usize, &'t str, &'t DeValue<'i>)> {
    let entry = |(key, value): (&'t toml::Spanned<DeString<'i>>, &'t toml::Spanned<DeValue<'i>>)| {
        (key.span().start, key.get_ref().as_ref(), value.get_ref())
    };
    let mut entries: Vec<_> = table.iter().map(entry).collect();
    entries.sort_by_key(|(byte, _, _)| *byte);
    entries
}

/// A value and the byte where its key begins.
fn find<'t, 'i>(table: &'t DeTable<'i>, key: &str) -> Option<(usize, &'t DeValue<'i>)> {
    let (found, value) = table.iter().find(|(known, _)| known.get_ref().as_ref() == key)?;
    Some((found.span().start, value.get_ref()))
}

fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// A TOML type in plain words.
fn spoken(kind: &str) -> &str {
    match kind {
        "string" => "text in quotes",
        "integer" => "a whole number",
        "float" => "a number",
        "boolean" => "true or false",
        "array" => "a list in [ ]",
        "table" => "a table",
        other => other,
    }
}
