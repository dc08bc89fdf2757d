//! Who was recorded: what a file says, what the user says, and what a name means.

use super::ImportOptions;
use crate::data::ScanId;

/// What a recording says of itself; each part may be absent.
#[derive(Debug, Default, Clone)]
pub(super) struct Said {
    pub(super) animal: Option<String>,
    pub(super) session: Option<u32>,
    pub(super) scan: Option<u32>,
}

impl Said {
    /// Reads `ANIMAL-SESSION-SCAN` out of a longer name, such as `dynamic29515-10-12-Video-9b4f6a1a`.
    pub(super) fn in_name(name: &str) -> Self {
        let name = name.trim_start_matches(|char: char| !char.is_ascii_digit());
        let mut parts = name.split('-');
        let mut digits = || parts.next().filter(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
        match (digits(), digits(), digits()) {
            (Some(animal), Some(session), Some(scan)) => {
                Self { animal: Some(animal.to_owned()), session: session.parse().ok(), scan: scan.parse().ok() }
            }
            _ => Self::default(),
        }
    }

    /// Reads a session text: `4-scan-7`, `4-7`, `4_7` and `17797-4-7` are session and scan, `12` is a session, and of any
    /// other text the session is a number that belongs to that text alone.
    pub(super) fn of_session(animal: Option<String>, text: &str) -> Self {
        let text = text.trim();
        if text.is_empty() {
            return Self { animal, ..Self::default() };
        }
        let words: Vec<&str> = text
            .split(['-', '_', ' '])
            .filter(|word| !matches!(word.to_ascii_lowercase().as_str(), "" | "ses" | "session" | "scan"))
            .collect();
        let numbers: Option<Vec<u32>> = words.iter().map(|word| word.parse().ok()).collect();
        let (session, scan) = match numbers.as_deref() {
            Some(&[session, scan]) => (session, Some(scan)),
            Some(&[of, session, scan]) if animal.as_deref() == Some(of.to_string().as_str()) => (session, Some(scan)),
            Some(&[session]) => (session, None),
            _ => (number_of(text), None),
        };
        Self { animal, session: Some(session), scan }
    }

    /// The identity, where the user's word counts most. An animal that nobody names is the same as no other.
    pub(super) fn with(self, options: &ImportOptions) -> ScanId {
        let animal = options.animal.clone().or(self.animal).map(|name| clean(&name)).filter(|name| !name.is_empty());
        ScanId {
            animal: animal.unwrap_or_else(|| ScanId::UNKNOWN.to_owned()),
            session: options.session.or(self.session).unwrap_or(0),
            scan: options.scan.or(self.scan).unwrap_or(0),
        }
    }
}

/// A name on one line of at most 200 characters, as session folders hold them.
pub(in crate::data) fn clean(name: &str) -> String {
    let name: String = name.chars().map(|char| if char.is_control() { ' ' } else { char }).take(200).collect();
    name.trim().to_owned()
}

/// A number for a text, above all that are counted: FNV-1a, so that it is the same everywhere and for ever.
fn number_of(text: &str) -> u32 {
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash | 0x8000_0000
}
