//! Why a twin could not be read or written.

use crate::model::twin::ConfigError;

/// One sentence a user can act on: which file, which key, what was expected.
#[derive(Debug, thiserror::Error)]
pub enum WeightError {
    /// The file system refused.
    #[error("`{file}` could not be read: {source}")]
    Read {
        /// The file.
        file: String,
        /// Cause.
        source: std::io::Error,
    },
    /// The file system refused.
    #[error("`{file}` could not be written: {source}")]
    Write {
        /// The file.
        file: String,
        /// Cause.
        source: std::io::Error,
    },
    /// Nothing that holds a twin.
    #[error(
        "`{path}` holds no twin: {why}; expected a folder with params_core.pt and params_<session>_<scan>.pt, one of \
         these files, or a .safetensors file"
    )]
    NoTwin {
        /// What was asked for.
        path: String,
        /// What was found instead.
        why: String,
    },
    /// A folder with more than one readout.
    #[error(
        "`{folder}` holds {} scans ({}): choose one of them, such as `--scan {}`, or open its own file, params_{}.pt",
        .scans.len(), .scans.join(", "), .scans[0], .scans[0].replace('-', "_")
    )]
    SeveralScans {
        /// The folder.
        folder: String,
        /// What can be chosen.
        scans: Vec<String>,
    },
    /// A scan that the folder does not have.
    #[error("`{folder}` has no scan {asked}; it holds {}", .scans.join(", "))]
    UnknownScan {
        /// The folder, or the one file.
        folder: String,
        /// What was asked for.
        asked: String,
        /// What can be chosen.
        scans: Vec<String>,
    },
    /// Cut short, altered, or of another kind.
    #[error("`{file}` is damaged or no weight file: {what}")]
    Damaged {
        /// The file.
        file: String,
        /// What gave it away.
        what: String,
    },
    /// A pickle that wants more than tensors.
    #[error("`{file}` asks for `{global}`, which no weight file needs: it was refused, and nothing in it was run")]
    Refused {
        /// The file.
        file: String,
        /// Module and name of what it asks for.
        global: String,
    },
    /// The network needs a tensor that the file lacks.
    #[error("`{file}` lacks `{key}`, which must be {expected}{}", more(.others, "lacking"))]
    Missing {
        /// The file.
        file: String,
        /// The first tensor that is missing.
        key: String,
        /// Shape and type.
        expected: String,
        /// How many others are missing.
        others: usize,
    },
    /// The file has a tensor that the network lacks.
    #[error("`{file}` has `{key}`, but the network it describes has no such entry{}", more(.others, "unknown"))]
    Unused {
        /// The file.
        file: String,
        /// The first unknown tensor.
        key: String,
        /// How many others are unknown.
        others: usize,
    },
    /// A tensor in the wrong file of a pair.
    #[error("`{file}` has `{key}`, but of a pair params_core.pt has all keys that start with `core.` and no others")]
    Misplaced {
        /// The file.
        file: String,
        /// The tensor.
        key: String,
    },
    /// Wrong shape.
    #[error("`{file}`: `{key}` has the shape {found:?}, expected {expected}")]
    Shape {
        /// The file.
        file: String,
        /// The tensor.
        key: String,
        /// Shape in the file.
        found: Vec<usize>,
        /// Shape that it must have.
        expected: String,
    },
    /// Wrong type of number.
    #[error("`{file}`: `{key}` is {found}, expected {expected}; convert it before saving")]
    Element {
        /// The file.
        file: String,
        /// The tensor.
        key: String,
        /// Type in the file.
        found: &'static str,
        /// Types that can be read.
        expected: &'static str,
    },
    /// A NaN or an infinity.
    #[error("`{file}`: `{key}` is {value} at element {index}, expected finite numbers")]
    NotFinite {
        /// The file.
        file: String,
        /// The tensor.
        key: String,
        /// Row-major index.
        index: usize,
        /// What stands there.
        value: f32,
    },
    /// A constant of the network has another value.
    #[error("`{file}`: `{key}` is {found} at element {index}, but this constant of the network must be {expected}")]
    Constant {
        /// The file.
        file: String,
        /// The buffer.
        key: String,
        /// Row-major index.
        index: usize,
        /// What stands there.
        found: f32,
        /// What must stand there.
        expected: f32,
    },
    /// The given configuration is not that of the tensors.
    #[error("`{file}`: the configuration says `{key}` = {given}, but the tensors say {found}")]
    Disagreement {
        /// The file.
        file: String,
        /// Key of the configuration, dotted.
        key: String,
        /// Value in the configuration.
        given: String,
        /// Value that the tensors imply.
        found: String,
    },
    /// The given configuration is not the one in the file.
    #[error("`{file}`: the given configuration says `{key}` = {given}, but the one in the file says {found}")]
    OtherConfig {
        /// The file.
        file: String,
        /// Key of the configuration, dotted.
        key: String,
        /// Value that was given.
        given: String,
        /// Value in the file.
        found: String,
    },
    /// The configuration cannot be.
    #[error("`{file}`: {source}")]
    Config {
        /// The file.
        file: String,
        /// Which key, and why.
        source: ConfigError,
    },
    /// The description of origin is none.
    #[error("`{file}`: the card of the twin cannot be used: {what}")]
    Card {
        /// The file.
        file: String,
        /// Cause.
        what: String,
    },
    /// The identities of the units do not fit the readout.
    #[error("`{file}`: {what}")]
    Units {
        /// The file.
        file: String,
        /// What does not fit.
        what: String,
    },
}

fn more(others: &usize, what: &str) -> String {
    if *others == 0 { String::new() } else { format!(" ({others} more {what})") }
}
