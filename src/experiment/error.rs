//! Why a protocol cannot be used.

use crate::stimulus::StimulusError;

/// Why a protocol cannot be used. The message is one sentence: where, what, how to mend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// Not TOML.
    #[error("{place}: {what}")]
    Syntax {
        /// Source and line.
        place: String,
        /// What the parser found.
        what: String,
    },
    /// A key that means nothing here.
    #[error("{place}: `{key}` is not a key of a protocol{hint}")]
    UnknownKey {
        /// Source and line.
        place: String,
        /// With its table, such as `timing.blank_ms`.
        key: String,
        /// What to write instead.
        hint: String,
    },
    /// A key whose value is missing, of the wrong kind or impossible.
    #[error("{place}: `{key}` {what}")]
    Value {
        /// Source and line; only "protocol" for one that was made in memory.
        place: String,
        /// With its table, such as `timing.blank_secs`; elements of lists are counted from 0, as in `modify[0].x_deg`.
        key: String,
        /// What is wrong with it.
        what: String,
    },
}

impl ProtocolError {
    /// The key that is wrong, with its table, such as `timing.blank_secs`.
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Syntax { .. } => None,
            Self::UnknownKey { key, .. } | Self::Value { key, .. } => Some(key),
        }
    }
}

/// A stimulus or modifier knows its keys; a protocol knows their table.
pub(super) fn at_table(table: &str, error: StimulusError) -> ProtocolError {
    let (key, what) = match error {
        StimulusError::Parameter { key, found, least, most, unit, .. } => {
            (format!("{table}.{key}"), format!("is {found}; it must lie in {least}..={most}{unit}"))
        }
        StimulusError::Impossible { key, what, .. } => (format!("{table}.{key}"), what),
        other => (table.to_owned(), format!("is impossible: {other}")),
    };
    ProtocolError::Value { place: "protocol".to_owned(), key, what }
}

/// Refuses a value outside `least..=most`, and one that is no number.
pub(super) fn within(key: &str, value: f64, least: f64, most: f64) -> Result<(), ProtocolError> {
    // Limits such as one frame at 30 Hz have no short decimal form.
    let short = |limit: f64| (limit * 1e4).round() / 1e4;
    ensure((least..=most).contains(&value), key, || {
        format!("is {value}; it must lie in {}..={}", short(least), short(most))
    })
}

pub(super) fn ensure(possible: bool, key: &str, what: impl FnOnce() -> String) -> Result<(), ProtocolError> {
    if possible {
        return Ok(());
    }
    Err(ProtocolError::Value { place: "protocol".to_owned(), key: key.to_owned(), what: what() })
}
