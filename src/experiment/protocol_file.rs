//! A protocol as a TOML file: reading with the line of every mistake, and writing.
//!
//! Which keys exist follows from the types: an example of every table is written out, and a file is held against
//! it. A new field of a protocol or a stimulus is therefore known here without a second list.

use toml::de::{DeTable, DeValue};

use super::Protocol;
use super::nearest::{key_hint, listed, nearest};
use super::protocol::{MonitorChoice, ProtocolError, SCHEMA, Steps, Sweep};
use crate::stimulus::{Stimulus, StimulusKind};

/// Longest protocol file, bytes; ours have fewer than a thousand.
const MOST_BYTES: usize = 1 << 20;

/// Key that may also hold a string, for whole numbers beyond those of TOML.
const SEED: &str = "repeats.seed";

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
        file.check_table("", root, &example(file.stimulus_like(root)?))?;
        let protocol: Self = toml::from_str(text).map_err(|error| file.syntax(&error))?;
        protocol.validate().map_err(|error| file.placed(error, root))?;
        Ok(protocol)
    }

    /// The protocol as TOML, which [`from_toml`](Self::from_toml) reads back to the same protocol.
    ///
    /// # Errors
    /// When the path of a clip is not Unicode, which TOML cannot hold.
    pub fn to_toml(&self) -> Result<String, ProtocolError> {
        toml::to_string(self).map_err(|error| ProtocolError::Value {
            place: "protocol".to_owned(),
            key: "stimulus".to_owned(),
            what: format!("cannot be written: {error}"),
        })
    }
}

/// One of each stimulus, every optional key given.
fn stimuli() -> [Stimulus; StimulusKind::ALL.len()] {
    StimulusKind::ALL.map(|kind| {
        let mut stimulus = kind.stimulus();
        for field in kind.fields() {
            stimulus.set(field.key, field.range.1);
        }
        stimulus
    })
}

/// A protocol with this stimulus and every optional key given, as a table.
fn example(stimulus: Stimulus) -> toml::Table {
    let protocol = Protocol {
        stimulus,
        monitor: MonitorChoice { raster: Some([1, 1]), ..MonitorChoice::default() },
        sweep: Sweep { direction_deg: Some(Steps::round_the_circle(8)) },
        ..Protocol::default_direction_tuning()
    };
    toml::Table::try_from(protocol).expect("a protocol is made of tables, strings and numbers")
}

/// `kind` of a stimulus, as in a file.
fn kind(stimulus: &Stimulus) -> String {
    let table = toml::Table::try_from(stimulus).expect("a stimulus is made of strings and numbers");
    table["kind"].as_str().expect("stimuli are tagged by kind").to_owned()
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

    /// The example whose kind the file names.
    fn stimulus_like(&self, root: &DeTable<'_>) -> Result<Stimulus, ProtocolError> {
        let examples = stimuli();
        let kinds = examples.each_ref().map(kind);
        let known = kinds.each_ref().map(String::as_str);
        let missing = |byte, key| self.value(byte, key, format!("is missing; one of {}", listed(&known)));
        let Some((byte, DeValue::Table(table))) = find(root, "stimulus") else {
            return Err(missing(0, "stimulus.kind"));
        };
        let (byte, value) = find(table, "kind").ok_or_else(|| missing(byte, "stimulus.kind"))?;
        let given = value.as_str().unwrap_or_default();
        if let Some(index) = known.iter().position(|name| *name == given) {
            return Ok(examples[index].clone());
        }
        let hint = match nearest(given, &known) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("known: {}", listed(&known)),
        };
        Err(self.value(byte, "stimulus.kind", format!("is \"{given}\", which is no known stimulus; {hint}")))
    }

    /// Every key known, every value of the kind that the example has.
    fn check_table(&self, path: &str, table: &DeTable<'_>, example: &toml::Table) -> Result<(), ProtocolError> {
        for (key, value) in table {
            let full = joined(path, key.get_ref());
            let byte = key.span().start;
            let Some(like) = example.get(key.get_ref().as_ref()) else {
                let known: Vec<&str> = example.keys().map(String::as_str).collect();
                let hint = key_hint(key.get_ref(), &known);
                return Err(ProtocolError::UnknownKey { place: self.place(byte), key: full, hint });
            };
            match (value.get_ref(), like) {
                (DeValue::Table(inner), toml::Value::Table(like)) => self.check_table(&full, inner, like)?,
                (DeValue::Integer(_), toml::Value::Float(_)) => {}
                (DeValue::String(_), _) if full == SEED => {}
                (found, like) if found.type_str() == like.type_str() => {}
                (found, like) => {
                    let what = format!("must be {}, not {}", spoken(like.type_str()), spoken(found.type_str()));
                    return Err(self.value(byte, &full, what));
                }
            }
        }
        Ok(())
    }

    /// An impossible value, with the line it stands on; for a default that does not fit, the nearest table above.
    fn placed(&self, error: ProtocolError, root: &DeTable<'_>) -> ProtocolError {
        let ProtocolError::Value { key, what, .. } = error else { return error };
        let (mut table, mut found) = (root, None);
        for part in key.split('.') {
            let Some((byte, value)) = find(table, part) else { break };
            found = Some(byte);
            let Some(inner) = value.as_table() else { break };
            table = inner;
        }
        let place = found.map_or_else(|| self.name.to_owned(), |byte| self.place(byte));
        ProtocolError::Value { place, key, what }
    }
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
