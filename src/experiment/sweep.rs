//! What is varied: any parameter of the stimulus or of its modifiers, by steps or by a list.
//!
//! All combinations are shown; the parameter that stands first varies slowest.

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::{ProtocolError, ensure, within};
use super::protocol::MOST_CONDITIONS;
use crate::nearest::{listed, nearest};
use crate::stimulus::{Field, FieldKind, Modifier, ModifierKind, Stimulus, keys};

/// The key whose values lie on a circle of 360 degrees.
pub const DIRECTION: &str = "direction_deg";

/// Evenly spaced values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Steps {
    /// First value.
    pub start: f64,
    /// Difference between neighbours.
    pub step: f64,
    /// Number of values.
    pub count: usize,
}

impl Steps {
    /// This many directions over the whole circle, from 0.
    pub fn round_the_circle(count: usize) -> Self {
        Self { start: 0.0, step: 360.0 / count.max(1) as f64, count }
    }

    /// The values in order.
    pub fn values(self) -> impl Iterator<Item = f64> {
        (0..self.count).map(move |index| self.start + self.step * index as f64)
    }
}

/// One value of a list, as a protocol file has it.
#[derive(Debug, Clone, PartialEq)]
pub enum Level {
    /// A number.
    Number(f64),
    /// On or off.
    Switch(bool),
    /// A word of a choice.
    Word(String),
}

impl Level {
    /// A value of a field in the words of a protocol file.
    pub fn of(field: &Field, value: f64) -> Self {
        match field.kind {
            FieldKind::Number => Self::Number(value),
            FieldKind::Switch => Self::Switch(value > 0.5),
            FieldKind::Choice(_) => Self::Word(field.spoken(value)),
        }
    }

    /// The value as a field counts it; `None` when the field takes no such value.
    pub fn value(&self, field: &Field) -> Option<f64> {
        match (self, field.kind) {
            (Self::Number(number), FieldKind::Number) => Some(*number),
            (Self::Switch(on), FieldKind::Switch) => Some(f64::from(u8::from(*on))),
            (Self::Word(word), FieldKind::Choice(_)) => field.value_of(word),
            _ => None,
        }
    }
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Switch(on) => on.fmt(f),
            Self::Word(word) => write!(f, "\"{word}\""),
        }
    }
}

/// The values of one parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Evenly spaced.
    Steps(Steps),
    /// One by one.
    List(Vec<Level>),
}

impl Values {
    /// A list of numbers.
    pub fn numbers(values: impl IntoIterator<Item = f64>) -> Self {
        Self::List(values.into_iter().map(Level::Number).collect())
    }

    /// Every word of a choice, or off and on; for a number, `count` values evenly spaced over its range.
    pub fn all_of(field: &Field, count: usize) -> Self {
        let (least, most) = field.range;
        match field.kind {
            FieldKind::Number => {
                let step = if count > 1 { (most - least) / (count - 1) as f64 } else { 0.0 };
                Self::Steps(Steps { start: least, step, count })
            }
            _ => Self::List((0..=most.round() as usize).map(|value| Level::of(field, value as f64)).collect()),
        }
    }

    /// Number of values.
    pub fn count(&self) -> usize {
        match self {
            Self::Steps(steps) => steps.count,
            Self::List(list) => list.len(),
        }
    }

    /// The values as a field counts them; what it cannot take is left out. Directions are turned into 0..360.
    pub fn of(&self, field: &Field) -> Vec<f64> {
        let plain: Vec<f64> = match self {
            Self::Steps(steps) => steps.values().collect(),
            Self::List(list) => list.iter().filter_map(|level| level.value(field)).collect(),
        };
        if field.key == DIRECTION {
            plain.into_iter().map(|degrees| degrees.rem_euclid(360.0)).collect()
        } else {
            plain
        }
    }
}

/// One parameter and its values.
#[derive(Debug, Clone, PartialEq)]
pub struct Swept {
    /// `contrast`, or with the word of a modifier: `aperture.diameter_deg`.
    pub key: String,
    /// What it is set to.
    pub values: Values,
}

/// Parameters that vary, the slowest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sweep(Vec<Swept>);

impl Sweep {
    /// One parameter.
    pub fn of(key: impl Into<String>, values: Values) -> Self {
        let mut sweep = Self::default();
        sweep.set(key, values);
        sweep
    }

    /// These directions, or nothing.
    pub fn directions(steps: Option<Steps>) -> Self {
        steps.map_or_else(Self::default, |steps| Self::of(DIRECTION, Values::Steps(steps)))
    }

    /// Whether nothing varies.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What varies, the slowest first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Swept> {
        self.0.iter()
    }

    /// The keys, the slowest first.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|swept| swept.key.as_str())
    }

    /// Whether a parameter varies.
    pub fn contains(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// The values of a parameter.
    pub fn get(&self, key: &str) -> Option<&Values> {
        let key = plain(key);
        self.0.iter().find(|swept| swept.key == key).map(|swept| &swept.values)
    }

    /// Sets the values of a parameter: in its place when it varied before, else as the fastest.
    pub fn set(&mut self, key: impl Into<String>, values: Values) {
        let key = plain(&key.into()).to_owned();
        match self.0.iter_mut().find(|swept| swept.key == key) {
            Some(swept) => swept.values = values,
            None => self.0.push(Swept { key, values }),
        }
    }

    /// Lets a parameter vary no longer; returns its values.
    pub fn remove(&mut self, key: &str) -> Option<Values> {
        let index = self.0.iter().position(|swept| swept.key == plain(key))?;
        Some(self.0.remove(index).values)
    }

    /// Makes a parameter vary slower or faster: puts it at a place in the order, 0 the slowest.
    pub fn move_to(&mut self, key: &str, place: usize) {
        if let Some(index) = self.0.iter().position(|swept| swept.key == plain(key)) {
            let swept = self.0.remove(index);
            self.0.insert(place.min(self.0.len()), swept);
        }
    }

    /// Drops what a stimulus and its modifiers do not have.
    pub fn retain_known(&mut self, stimulus: &Stimulus, modifiers: &[Modifier]) {
        self.0.retain(|swept| keys::field(stimulus, modifiers, &swept.key).is_some());
    }

    /// Evenly spaced directions, when that is how they vary.
    pub fn direction_steps(&self) -> Option<Steps> {
        match self.get(DIRECTION) {
            Some(Values::Steps(steps)) => Some(*steps),
            _ => None,
        }
    }

    /// Number of combinations; 1 when nothing varies. In floating point, where nothing overflows.
    pub fn combinations(&self) -> f64 {
        self.0.iter().map(|swept| swept.values.count() as f64).product()
    }

    pub(super) fn sort_by_key(&mut self, mut place: impl FnMut(&str) -> usize) {
        self.0.sort_by_key(|swept| place(&swept.key));
    }

    /// Refuses parameters that do not exist, values outside their range, and values that repeat; `path` is that of the
    /// sweep in the protocol.
    pub(super) fn validate(
        &self,
        path: &str,
        stimulus: &Stimulus,
        modifiers: &[Modifier],
    ) -> Result<(), ProtocolError> {
        for (index, swept) in self.0.iter().enumerate() {
            let full = format!("{path}.{}", swept.key);
            let Some(field) = keys::field(stimulus, modifiers, &swept.key) else {
                return ensure(false, &full, || cannot_sweep(&swept.key, stimulus, modifiers));
            };
            ensure(self.0[..index].iter().all(|earlier| earlier.key != swept.key), &full, || {
                "is swept twice; remove one of them".to_owned()
            })?;
            match &swept.values {
                Values::Steps(steps) => validate_steps(&full, *steps, field)?,
                Values::List(list) => validate_list(&full, list, field)?,
            }
        }
        Ok(())
    }
}

/// A key without the word that names the stimulus itself.
fn plain(key: &str) -> &str {
    key.strip_prefix("stimulus.").unwrap_or(key)
}

/// Why a key cannot be swept, and which can.
pub(super) fn cannot_sweep(key: &str, stimulus: &Stimulus, modifiers: &[Modifier]) -> String {
    let all = keys::all(stimulus, modifiers);
    let known: Vec<&str> = all.iter().map(|(key, _)| key.as_str()).collect();
    let of_modifier = known.iter().copied().find(|known| known.split_once('.').is_some_and(|(_, own)| own == key));
    let word = key.split_once('.').map_or(key, |(word, _)| word);
    if let Some(kind) = ModifierKind::of_key(word)
        && modifiers.iter().all(|modifier| modifier.kind() != kind)
    {
        return format!("cannot be swept: there is no such modifier; add [[modify]] with kind = \"{word}\"");
    }
    let hint = match of_modifier.or_else(|| nearest(key, &known)) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "nothing can be".to_owned(),
        None => format!("known here: {}", listed(&known)),
    };
    format!("cannot be swept: \"{}\" has no `{key}`; {hint}", stimulus.label())
}

fn validate_steps(path: &str, Steps { start, step, count }: Steps, field: &Field) -> Result<(), ProtocolError> {
    ensure(field.kind == FieldKind::Number, path, || {
        format!("cannot be swept in steps; list its values: {}", alternatives(field))
    })?;
    let (least, most) = field.range;
    within(&format!("{path}.start"), start, least, most)?;
    ensure(step.is_finite(), &format!("{path}.step"), || format!("is {step}; it must be a number"))?;
    ensure((1..=MOST_CONDITIONS).contains(&count), &format!("{path}.count"), || {
        format!("is {count}; it must lie in 1..={MOST_CONDITIONS}")
    })?;
    if field.key == DIRECTION {
        // Turned into 0..360, so that only repetition is wrong. A hair above 360 is rounding: 7 steps of
        // 51.428571428571431 degrees.
        within(&format!("{path}.step"), step, -360.0, 360.0)?;
        let covered = step.abs() * count as f64;
        return ensure(count == 1 || (step != 0.0 && covered <= 360.0 + 1e-6), &format!("{path}.step"), || {
            let even = 360.0 / count as f64;
            format!("is {step}, so that {count} directions repeat one another; {even} spaces them evenly")
        });
    }
    ensure(count == 1 || step != 0.0, &format!("{path}.step"), || {
        format!("is 0, so that all {count} values are {start}; give a step or a list")
    })?;
    let last = start + step * (count - 1) as f64;
    // The last of 0.1, 0.2, ... 1.0 is a hair above 1.
    let slack = 1e-9 * (most - least);
    ensure((least - slack..=most + slack).contains(&last), &format!("{path}.step"), || {
        format!("leads to {last} as the last of {count} values; they must lie in {least}..={most}{}", unit(field))
    })
}

fn validate_list(path: &str, list: &[Level], field: &Field) -> Result<(), ProtocolError> {
    ensure(!list.is_empty(), path, || "is an empty list; give at least one value".to_owned())?;
    ensure(list.len() <= MOST_CONDITIONS, path, || {
        format!("has {} values; at most {MOST_CONDITIONS} can be swept", list.len())
    })?;
    let mut values: Vec<f64> = Vec::with_capacity(list.len());
    for (index, level) in list.iter().enumerate() {
        let place = format!("{path}[{index}]");
        let Some(value) = level.value(field) else {
            return ensure(false, &place, || format!("is {level}; it must be {}", alternatives(field)));
        };
        if field.kind == FieldKind::Number {
            let (least, most) = field.range;
            ensure((least..=most).contains(&value), &place, || {
                format!("is {value}; it must lie in {least}..={most}{}", unit(field))
            })?;
        }
        let value = if field.key == DIRECTION { value.rem_euclid(360.0) } else { value };
        ensure(!values.contains(&value), &place, || format!("is {level}, which stands in the list already"))?;
        values.push(value);
    }
    Ok(())
}

/// What a field takes, in words.
fn alternatives(field: &Field) -> String {
    match field.kind {
        FieldKind::Number => "a number".to_owned(),
        FieldKind::Switch => "true or false".to_owned(),
        FieldKind::Choice(_) => format!("one of {}", listed(&field.words())),
    }
}

fn unit(field: &Field) -> String {
    if field.unit.is_empty() { String::new() } else { format!(" {}", field.unit) }
}

impl Serialize for Level {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => to.serialize_f64(*number),
            Self::Switch(on) => to.serialize_bool(*on),
            Self::Word(word) => to.serialize_str(word),
        }
    }
}

impl Serialize for Values {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Steps(steps) => steps.serialize(to),
            Self::List(list) => list.serialize(to),
        }
    }
}

/// As one map of whole keys, in order.
impl Serialize for Sweep {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.len()))?;
        for swept in &self.0 {
            map.serialize_entry(&swept.key, &swept.values)?;
        }
        map.end()
    }
}

/// From a map of whole keys, or of tables within tables.
impl<'de> Deserialize<'de> for Sweep {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut sweep = Self::default();
        match Node::deserialize(from)? {
            Node::Table(table) => sweep.take("", table).map_err(D::Error::custom)?,
            _ => return Err(D::Error::custom("a sweep is a table of parameters and their values")),
        }
        Ok(sweep)
    }
}

impl Sweep {
    fn take(&mut self, path: &str, table: Vec<(String, Node)>) -> Result<(), String> {
        for (key, node) in table {
            let full = if path.is_empty() { key } else { format!("{path}.{key}") };
            let values = match node {
                Node::List(list) => Values::List(list),
                Node::Table(table) => match steps_of(&table) {
                    Some(steps) => Values::Steps(steps),
                    None if !path.is_empty() => return Err(format!("`{full}` needs start, step and count, or a list")),
                    None => {
                        self.take(&full, table)?;
                        continue;
                    }
                },
                Node::Leaf(level) => return Err(format!("`{full}` is {level}; give a list, or start, step and count")),
            };
            let full = plain(&full).to_owned();
            if self.contains(&full) {
                return Err(format!("`{full}` is swept twice"));
            }
            self.0.push(Swept { key: full, values });
        }
        Ok(())
    }
}

fn steps_of(table: &[(String, Node)]) -> Option<Steps> {
    let number = |wanted: &str| {
        table.iter().find_map(|(key, node)| match node {
            Node::Leaf(Level::Number(number)) if key == wanted => Some(*number),
            _ => None,
        })
    };
    let count = number("count").filter(|count| count.fract() == 0.0 && *count >= 0.0)?;
    (table.len() == 3).then_some(Steps { start: number("start")?, step: number("step")?, count: count as usize })
}

/// Whatever may stand in a sweep.
enum Node {
    Leaf(Level),
    List(Vec<Level>),
    Table(Vec<(String, Node)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of values, or a table with start, step and count")
    }
    fn visit_bool<E: Error>(self, on: bool) -> Result<Node, E> {
        Ok(Node::Leaf(Level::Switch(on)))
    }
    fn visit_i64<E: Error>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Leaf(Level::Number(number as f64)))
    }
    fn visit_u64<E: Error>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Leaf(Level::Number(number as f64)))
    }
    fn visit_f64<E: Error>(self, number: f64) -> Result<Node, E> {
        Ok(Node::Leaf(Level::Number(number)))
    }
    fn visit_str<E: Error>(self, word: &str) -> Result<Node, E> {
        Ok(Node::Leaf(Level::Word(word.to_owned())))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut levels = Vec::new();
        while let Some(node) = list.next_element::<Node>()? {
            let Node::Leaf(level) = node else {
                return Err(A::Error::custom("a list of values holds numbers, words, true and false"));
            };
            levels.push(level);
        }
        Ok(Node::List(levels))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut table = Vec::new();
        while let Some(entry) = map.next_entry::<String, Node>()? {
            table.push(entry);
        }
        Ok(Node::Table(table))
    }
}
