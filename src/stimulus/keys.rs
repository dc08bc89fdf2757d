//! Names in protocol files: the words of kinds, and the parameters of a stimulus and its modifiers under one key each.
//!
//! `contrast` and `stimulus.contrast` are the stimulus's own; `aperture.diameter_deg` belongs to the first modifier of
//! that kind, and `superpose.stimulus.contrast` to the stimulus within it.

use super::{Field, Modifier, ModifierKind, Stimulus, StimulusKind};

impl StimulusKind {
    /// Its word in a protocol file, such as `drifting_grating`.
    pub fn key(self) -> String {
        snake_case(&format!("{self:?}"))
    }

    /// The kind of a word in a protocol file.
    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.key() == key)
    }
}

impl ModifierKind {
    /// Its word in a protocol file, such as `aperture`.
    pub fn key(self) -> String {
        snake_case(&format!("{self:?}"))
    }

    /// The kind of a word in a protocol file.
    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.key() == key)
    }
}

/// A name as serde writes it under `rename_all = "snake_case"`.
fn snake_case(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    for (index, letter) in name.char_indices() {
        if index > 0 && letter.is_uppercase() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

/// The part of a key that names a parameter of the stimulus itself.
fn own(key: &str) -> Option<&str> {
    let key = key.strip_prefix("stimulus.").unwrap_or(key);
    (!key.contains('.')).then_some(key)
}

/// The modifier that a key such as `aperture.diameter_deg` is about, and its parameter.
fn foreign<'k>(modifiers: &[Modifier], key: &'k str) -> Option<(usize, &'k str)> {
    let (word, parameter) = key.split_once('.')?;
    let index = modifiers.iter().position(|modifier| modifier.kind().key() == word)?;
    Some((index, parameter))
}

/// The kind of stimulus within a modifier, where there is one.
pub fn within(modifier: &Modifier) -> Option<StimulusKind> {
    let table = toml::Table::try_from(modifier).ok()?;
    StimulusKind::of_key(table.get("stimulus")?.get("kind")?.as_str()?)
}

/// What can be set under a key; `None` when neither the stimulus nor its modifiers have it.
pub fn field(stimulus: &Stimulus, modifiers: &[Modifier], key: &str) -> Option<&'static Field> {
    let (fields, key) = match own(key) {
        Some(key) => (stimulus.fields(), key),
        None => {
            let (index, key) = foreign(modifiers, key)?;
            match key.strip_prefix("stimulus.") {
                Some(key) => (within(&modifiers[index])?.fields(), key),
                None => (modifiers[index].kind().fields(), key),
            }
        }
    };
    fields.iter().find(|field| field.key == key)
}

/// Value under a key.
pub fn get(stimulus: &Stimulus, modifiers: &[Modifier], key: &str) -> Option<f64> {
    match own(key) {
        Some(key) => stimulus.get(key),
        None => foreign(modifiers, key).and_then(|(index, key)| modifiers[index].get(key)),
    }
}

/// Sets the value under a key, unchecked; `false` when there is none of that name.
pub fn set(stimulus: &mut Stimulus, modifiers: &mut [Modifier], key: &str, value: f64) -> bool {
    match own(key) {
        Some(key) => stimulus.set(key, value),
        None => foreign(modifiers, key).is_some_and(|(index, key)| modifiers[index].set(key, value)),
    }
}

/// Why the value under a key changes nothing as the others stand, and what to do about it; `None` where it matters.
pub fn idle(stimulus: &Stimulus, modifiers: &[Modifier], key: &str) -> Option<&'static str> {
    match own(key) {
        Some(key) => stimulus.idle(key),
        None => foreign(modifiers, key).and_then(|(index, key)| modifiers[index].idle(key)),
    }
}

/// Every key with its field: those of the stimulus, then those of the first modifier of each kind.
pub fn all(stimulus: &Stimulus, modifiers: &[Modifier]) -> Vec<(String, &'static Field)> {
    let mut keys: Vec<(String, &'static Field)> =
        stimulus.fields().iter().map(|field| (field.key.to_owned(), field)).collect();
    for (index, modifier) in modifiers.iter().enumerate() {
        if modifiers[..index].iter().all(|earlier| earlier.kind() != modifier.kind()) {
            let word = modifier.kind().key();
            keys.extend(modifier.kind().fields().iter().map(|field| (format!("{word}.{}", field.key), field)));
            let nested = within(modifier).map_or(&[][..], StimulusKind::fields);
            keys.extend(nested.iter().map(|field| (format!("{word}.stimulus.{}", field.key), field)));
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_kinds_are_those_of_the_files() {
        for &kind in StimulusKind::ALL {
            let table = toml::Table::try_from(kind.stimulus()).expect("a stimulus is a table");
            assert_eq!(table["kind"].as_str(), Some(kind.key().as_str()));
            assert_eq!(StimulusKind::of_key(&kind.key()), Some(kind));
        }
        for &kind in ModifierKind::ALL {
            let table = toml::Table::try_from(kind.modifier()).expect("a modifier is a table");
            assert_eq!(table["kind"].as_str(), Some(kind.key().as_str()));
            assert_eq!(ModifierKind::of_key(&kind.key()), Some(kind));
        }
    }

    #[test]
    fn every_key_reads_what_it_wrote() {
        let mut stimulus = StimulusKind::ALL[0].stimulus();
        let mut modifiers: Vec<Modifier> = ModifierKind::ALL.iter().map(|kind| kind.modifier()).collect();
        for (key, known) in all(&stimulus, &modifiers) {
            assert_eq!(field(&stimulus, &modifiers, &key), Some(known), "{key}");
            assert!(set(&mut stimulus, &mut modifiers, &key, known.range.1), "{key}");
            assert_eq!(get(&stimulus, &modifiers, &key), Some(known.range.1), "{key}");
        }
        assert!(!set(&mut stimulus, &mut modifiers, "aperture.nothing", 1.0));
        assert!(field(&stimulus, &modifiers, "nothing.diameter_deg").is_none());
        assert!(field(&stimulus, &modifiers, "stimulus.contrast").is_some());
    }
}
