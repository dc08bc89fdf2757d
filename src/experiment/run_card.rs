//! What the folder of a run says about itself: `run.json`, or `shard_2_of_8.json` for a share of it.
//!
//! It is written before anything is computed, beside `protocol.toml`, so that what a killed run leaves has its
//! provenance. It names a file for each condition by a hash of all that the responses depend on; what lies in the folder
//! under another name is of another run.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::long_run::LongRunError;
use super::piece::Piece;
use super::shard::Shard;
use super::{Protocol, Provenance, save};
use crate::signals::{Monitor, UnitId};
use crate::stimulus::schedule::Schedule;

/// Version of the card and of what the hashes are made of.
const SCHEMA: u32 = 1;
/// Longest card that is read, bytes: some millions of units.
const MOST_BYTES: u64 = 1 << 29;
/// Digits of a hash in a file name: 64 bits tell the files of a folder apart.
const DIGITS: usize = 16;
/// Folder of the files of single conditions.
pub const PARTS: &str = "conditions";
/// The protocol, beside the card.
pub const PROTOCOL: &str = "protocol.toml";

/// What a run is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunCard {
    schema: u32,
    /// Which share of the run it is; `None` for the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// How it is computed.
    pub provenance: Provenance,
    /// SHA-256 of `protocol.toml`, hexadecimal.
    pub protocol_sha256: String,
    /// The screen.
    pub monitor: Monitor,
    /// File of each piece in `conditions`, in order.
    pub parts: Vec<String>,
    /// Identity of each unit.
    pub units: Vec<UnitId>,
}

/// All that the responses to one piece depend on.
#[derive(Serialize)]
struct Inputs<'a> {
    schema: u32,
    version: &'a str,
    weights_sha256: &'a str,
    configuration: &'a str,
    device: &'a str,
    monitor: &'a Monitor,
    schedule: &'a Schedule,
    files: BTreeMap<PathBuf, String>,
}

impl RunCard {
    /// The card of a run.
    ///
    /// # Errors
    /// When the file of a clip cannot be read.
    pub(super) fn new(
        text: &str,
        provenance: Provenance,
        configuration: &str,
        monitor: Monitor,
        pieces: &[Piece],
        units: Vec<UnitId>,
        shard: Option<Shard>,
    ) -> Result<Self, LongRunError> {
        let mut known = BTreeMap::new();
        let parts = pieces.iter().map(|piece| {
            let files = files_of(&piece.schedule, &mut known)?;
            let inputs = Inputs {
                schema: SCHEMA,
                version: &provenance.version,
                weights_sha256: &provenance.weights_sha256,
                configuration,
                device: device_kind(&provenance.device),
                monitor: &monitor,
                schedule: &piece.schedule,
                files,
            };
            let inputs = serde_json::to_vec(&inputs).map_err(|error| LongRunError::Hash(error.to_string()))?;
            Ok(part_name(piece, &hex(&Sha256::digest(&inputs))[..DIGITS]))
        });
        let parts = parts.collect::<Result<_, LongRunError>>()?;
        let protocol_sha256 = hex(&Sha256::digest(text));
        Ok(Self { schema: SCHEMA, shard, provenance, protocol_sha256, monitor, parts, units })
    }

    /// Its file name.
    pub(super) fn file_name(&self) -> String {
        match self.shard {
            None => "run.json".to_owned(),
            Some(shard) => format!("shard_{}_of_{}.json", shard.number(), shard.of()),
        }
    }

    /// The cards in a folder, after the protocol that they share, as text and read: that of the whole first, then shards in order of their
    /// names.
    ///
    /// # Errors
    /// When there is none, or one cannot be read or does not fit its protocol.
    pub(super) fn read_all(folder: &Path) -> Result<(String, Protocol, Vec<Self>), LongRunError> {
        let unread = |source| LongRunError::Read { path: folder.to_owned(), source };
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(unread)? {
            let name = entry.map_err(unread)?.file_name().to_string_lossy().into_owned();
            if name == "run.json" || (name.starts_with("shard_") && name.ends_with(".json")) {
                names.push(name);
            }
        }
        names.sort();
        if names.is_empty() {
            return Err(LongRunError::NoRun { folder: folder.to_owned() });
        }
        let path = folder.join(PROTOCOL);
        let text =
            std::fs::read_to_string(&path).map_err(|source| LongRunError::Read { path: path.clone(), source })?;
        let protocol = Protocol::from_toml(&text, &path.display().to_string())?;
        let sha256 = hex(&Sha256::digest(&text));
        let cards = names.iter().map(|name| {
            let card = Self::read(&folder.join(name))?;
            if card.protocol_sha256 != sha256 {
                let what = format!("it is of another protocol than {}", path.display());
                return Err(LongRunError::Card { path: folder.join(name), what });
            }
            Ok(card)
        });
        let cards = cards.collect::<Result<_, LongRunError>>()?;
        Ok((text, protocol, cards))
    }

    /// The card of the whole run in a folder, if there is one that can be read.
    pub(super) fn of_whole(folder: &Path) -> Option<Self> {
        Self::read(&folder.join("run.json")).ok()
    }

    /// The card of the same name in a folder, if there is one that can be read: of an earlier go.
    pub(super) fn earlier(&self, folder: &Path) -> Option<Self> {
        Self::read(&folder.join(self.file_name())).ok()
    }

    fn read(path: &Path) -> Result<Self, LongRunError> {
        let unread = |source| LongRunError::Read { path: path.to_owned(), source };
        let mut text = String::new();
        File::open(path).map_err(unread)?.take(MOST_BYTES).read_to_string(&mut text).map_err(unread)?;
        let damaged = |what: String| LongRunError::Card { path: path.to_owned(), what };
        let card: Self = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
        if card.schema != SCHEMA {
            return Err(damaged(format!("it has schema {}, this program reads {SCHEMA}", card.schema)));
        }
        Ok(card)
    }

    /// Writes it into a folder.
    pub(super) fn write(&self, folder: &Path) -> Result<(), LongRunError> {
        let path = folder.join(self.file_name());
        let written = save::atomically(&path, |mut to| {
            serde_json::to_writer_pretty(&mut to, self)?;
            to.write_all(b"\n")
        });
        written.map_err(|source| LongRunError::Write { path, source })
    }

    /// Whether the names of its parts are those that such pieces have.
    pub(super) fn fits(&self, pieces: &[Piece]) -> bool {
        let fits = |(piece, name): (&Piece, &String)| hash_of(name).is_some_and(|hash| part_name(piece, hash) == *name);
        self.parts.len() == pieces.len() && pieces.iter().zip(&self.parts).all(fits)
    }

    /// What of another run differs from this one, in words; `None` when they are the same.
    pub(super) fn difference(&self, other: &Self) -> Option<&'static str> {
        let (mine, theirs) = (&self.provenance, &other.provenance);
        if self.protocol_sha256 != other.protocol_sha256 {
            return Some("its protocol differs");
        }
        if mine.weights_sha256 != theirs.weights_sha256 || self.units != other.units {
            return Some("its twin differs");
        }
        if mine.version != theirs.version {
            return Some("another version of the program computed it");
        }
        if device_kind(&mine.device) != device_kind(&theirs.device) {
            return Some("another kind of device computed it");
        }
        (self.parts != other.parts).then_some("its screen, its clips or its configuration of the twin differ")
    }
}

/// Number of files of conditions in a folder that are none of these.
pub(super) fn foreign_parts(folder: &Path, parts: &[String]) -> usize {
    let Ok(entries) = std::fs::read_dir(folder.join(PARTS)) else { return 0 };
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| hash_of(name).is_some() && !parts.contains(name)).count()
}

/// `condition_0003_1234567890abcdef.npy`.
fn part_name(piece: &Piece, hash: &str) -> String {
    match piece.condition {
        Some(condition) => format!("condition_{condition:04}_{hash}.npy"),
        None => format!("sequence_{hash}.npy"),
    }
}

/// The hash in the name of a part.
fn hash_of(name: &str) -> Option<&str> {
    let (start, hash) = name.strip_suffix(".npy")?.rsplit_once('_')?;
    let known = start == "sequence" || start.starts_with("condition_");
    (known && hash.len() == DIGITS && hash.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(hash)
}

/// `CPU` or `GPU`: responses of one kind agree closely enough to stand side by side.
fn device_kind(device: &str) -> &str {
    device.split_whitespace().next().unwrap_or_default()
}

/// The SHA-256 of what lies in each file or folder that a schedule shows.
fn files_of(
    schedule: &Schedule,
    known: &mut BTreeMap<PathBuf, String>,
) -> Result<BTreeMap<PathBuf, String>, LongRunError> {
    let value = serde_json::to_value(&schedule.conditions).map_err(|error| LongRunError::Hash(error.to_string()))?;
    let mut paths = Vec::new();
    find_paths(&value, &mut paths);
    let mut files = BTreeMap::new();
    for path in paths {
        let hash = match known.get(&path) {
            Some(hash) => hash.clone(),
            None => sha256_of(&path).map_err(|source| LongRunError::Read { path: path.clone(), source })?,
        };
        known.insert(path.clone(), hash.clone());
        files.insert(path, hash);
    }
    Ok(files)
}

/// A file is under the key `path`, whatever shows it.
fn find_paths(value: &serde_json::Value, paths: &mut Vec<PathBuf>) {
    match value {
        serde_json::Value::Object(map) => {
            for (key, value) in map {
                match value.as_str().filter(|_| key == "path") {
                    Some(path) => paths.push(PathBuf::from(path)),
                    None => find_paths(value, paths),
                }
            }
        }
        serde_json::Value::Array(values) => values.iter().for_each(|value| find_paths(value, paths)),
        _ => {}
    }
}

/// Of the bytes of a file, or of the names and bytes of the files in a folder.
fn sha256_of(path: &Path) -> std::io::Result<String> {
    let mut hash = Sha256::new();
    if std::fs::metadata(path)?.is_dir() {
        let mut entries = std::fs::read_dir(path)?.collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries.iter().filter(|entry| entry.path().is_file()) {
            hash.update(entry.file_name().to_string_lossy().as_bytes());
            hash.update(sha256_of(&entry.path())?);
        }
        return Ok(hex(&hash.finalize()));
    }
    let mut file = File::open(path)?;
    let mut block = vec![0; 1 << 16];
    loop {
        match file.read(&mut block)? {
            0 => return Ok(hex(&hash.finalize())),
            count => hash.update(&block[..count]),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
