//! From a path to a checked twin, and back.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::check::check;
use super::infer::{agree_with_file, infer};
use super::pickle::Fault;
use super::published::{self, CORE, ScanId, rows_as_units, scan_name};
use super::safetensors::{self, Description};
use super::torch::{self, RawTensors};
use super::{StateDict, TwinCard, TwinWeights, WeightError};
use crate::data::unfinished;
use crate::model::twin::TwinConfig;
use crate::signals::{Raster, UnitId};

/// Largest file that is read. The published ones have about 20 MB.
const LARGEST: u64 = 4 << 30;

/// The files that tensors come from, for messages.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    core: String,
    rest: String,
}

impl Origin {
    fn one(file: impl Into<String>) -> Self {
        let file = file.into();
        Self { core: file.clone(), rest: file }
    }

    /// The file that has, or should have, a tensor.
    pub(super) fn file(&self, key: &str) -> String {
        if key.starts_with("core.") { self.core.clone() } else { self.rest.clone() }
    }

    /// All of it.
    pub(super) fn whole(&self) -> String {
        if self.core == self.rest { self.core.clone() } else { format!("{} with {}", self.rest, CORE) }
    }
}

/// Reads a twin: a `.safetensors` file, a published folder, either `.pt` file of the published pair (the other must lie
/// beside it), or one `.pt` file with the whole state dict.
///
/// `scan` chooses among the scans of a folder, as "4-7". The configuration is inferred from the tensors. The
/// configuration in the file, or else `config`, settles what tensors cannot say: the stride of the first kernel (2 when
/// nothing tells), pooling (2 after every block but the last) and periphery (dark). Everything else in it must agree
/// with the tensors, and `config` with the configuration in the file. The identity of the result
/// (`sha256`) is the SHA-256 of the file; that of a pair is the SHA-256 of the two lines that
/// `sha256sum params_core.pt params_<session>_<scan>.pt` prints in its folder.
///
/// # Errors
/// When the file is damaged, is something else, or is not exactly the network it describes.
pub fn load(path: &Path, scan: Option<&str>, config: Option<&TwinConfig>) -> Result<TwinWeights, WeightError> {
    let about = std::fs::metadata(path).map_err(|source| WeightError::Read { file: shown(path), source })?;
    if about.is_dir() {
        let (readouts, scan) = published::readouts(path, scan)?;
        return pair(&path.join(CORE), &readouts, scan, config);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if path.file_name().is_some_and(|name| name == CORE) {
        let (readouts, scan) = published::readouts(folder, scan)?;
        return pair(path, &readouts, scan, config);
    }
    if let Some(own) = published::scan_of_file(path) {
        wanted(path, scan, [own])?;
        let core = folder.join(CORE);
        if !core.is_file() {
            let why = format!("{CORE} does not lie beside it");
            return Err(WeightError::NoTwin { path: shown(path), why });
        }
        return pair(&core, path, own, config);
    }
    let whole = match path.extension().and_then(|extension| extension.to_str()) {
        Some("safetensors") => from_safetensors(&read_file(path)?, &shown(path), &stem(path), config)?,
        Some("pt" | "pth") => from_torch(&read_file(path)?, &shown(path), &stem(path), config)?,
        _ => {
            let why = "its name ends in neither .safetensors nor .pt".to_owned();
            return Err(WeightError::NoTwin { path: shown(path), why });
        }
    };
    wanted(path, scan, whole.units.iter().map(|unit| (unit.session, unit.scan)))?;
    Ok(whole)
}

/// Writes a twin as one `.safetensors` file, with configuration, card and units in its metadata. The file appears under
/// its name when it is complete.
///
/// # Errors
/// When the twin is not exactly the network of its configuration, or the file system refuses.
pub fn save(path: &Path, weights: &TwinWeights) -> Result<(), WeightError> {
    weights.check()?;
    let failed = |source| WeightError::Write { file: shown(path), source };
    let mut file = unfinished(path).map_err(failed)?;
    file.write_all(&safetensors::bytes(weights)).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|e| failed(e.error))?;
    Ok(())
}

impl TwinWeights {
    /// A twin made in memory, strictly checked. Its `sha256` is that of the file that [`save`] writes.
    ///
    /// # Errors
    /// When the state dict is not exactly that of the configuration with so many units.
    pub fn new(config: TwinConfig, state: StateDict, units: Vec<UnitId>, card: TwinCard) -> Result<Self, WeightError> {
        let mut weights = Self { config, state, units, card, sha256: String::new() };
        weights.check()?;
        weights.sha256 = sha256(&safetensors::bytes(&weights));
        Ok(weights)
    }

    fn check(&self) -> Result<(), WeightError> {
        let origin = Origin::one("the twin in memory");
        self.card.check().map_err(|what| WeightError::Card { file: origin.whole(), what })?;
        let checked = self.config.check().and_then(|()| self.config.check_units(self.units.len()));
        checked.map_err(|source| WeightError::Config { file: origin.whole(), source })?;
        check(&self.config, self.units.len(), &self.state, &BTreeMap::new(), &origin)
    }
}

/// A twin from the bytes of a safetensors file.
pub(super) fn from_safetensors(
    bytes: &[u8],
    file: &str,
    name: &str,
    config: Option<&TwinConfig>,
) -> Result<TwinWeights, WeightError> {
    let (tensors, metadata) = safetensors::read(bytes).map_err(|fault| in_file(fault, file))?;
    let description = safetensors::describe(file, &metadata)?;
    assemble(tensors, Origin::one(file), description, config, plain_card(name), sha256(bytes), |units| {
        Ok(rows_as_units((0, 0), units))
    })
}

fn from_torch(bytes: &[u8], file: &str, name: &str, config: Option<&TwinConfig>) -> Result<TwinWeights, WeightError> {
    let tensors = torch::read(bytes).map_err(|fault| in_file(fault, file))?;
    assemble(tensors, Origin::one(file), Description::default(), config, plain_card(name), sha256(bytes), |units| {
        Ok(rows_as_units((0, 0), units))
    })
}

fn pair(core: &Path, readouts: &Path, scan: ScanId, config: Option<&TwinConfig>) -> Result<TwinWeights, WeightError> {
    let origin = Origin { core: shown(core), rest: shown(readouts) };
    let mut tensors = BTreeMap::new();
    let mut sums = String::new();
    for (path, is_core) in [(core, true), (readouts, false)] {
        let bytes = read_file(path)?;
        sums += &format!("{}  {}\n", sha256(&bytes), path.file_name().unwrap_or_default().display());
        for (key, tensor) in torch::read(&bytes).map_err(|fault| in_file(fault, &shown(path)))? {
            if key.starts_with("core.") != is_core {
                return Err(WeightError::Misplaced { file: shown(path), key });
            }
            tensors.insert(key, tensor);
        }
    }
    let folder = readouts.parent().unwrap_or(Path::new("."));
    let card = TwinCard {
        name: format!("Scan {}", scan_name(scan)),
        simulated: false,
        raster: Raster::WANG2025,
        note: "Read from a published pair of PyTorch files, which carry no further description.".to_owned(),
    };
    assemble(tensors, origin, Description::default(), config, card, sha256(sums.as_bytes()), |units| {
        published::units(folder, scan, units)
    })
}

/// Checks everything and puts it together; what the file does not say itself comes from the last arguments.
fn assemble(
    tensors: RawTensors,
    origin: Origin,
    description: Description,
    config: Option<&TwinConfig>,
    card: TwinCard,
    sha256: String,
    identities: impl FnOnce(usize) -> Result<Vec<UnitId>, WeightError>,
) -> Result<TwinWeights, WeightError> {
    let mut state = StateDict::default();
    let mut elements = BTreeMap::new();
    for (key, (tensor, element)) in tensors {
        elements.insert(key.clone(), element);
        state.tensors.insert(key, tensor);
    }
    // What tensors cannot say, the file itself says best; a given configuration is held against both.
    let own = description.config.as_ref();
    let inferred = infer(&state, own.or(config), &origin)?;
    if let (Some(own), Some(given)) = (own, config) {
        agree_with_file(given, own, &origin)?;
    }
    let config = inferred;
    let positions = state.tensors.get("readout.position.mu").and_then(|mu| mu.shape.first().copied());
    let count = positions.filter(|&units| units > 0).unwrap_or(1);
    check(&config, count, &state, &elements, &origin)?;
    let units = match description.units {
        Some(units) if units.len() == count => units,
        Some(units) => {
            let what = format!("its metadata names {} units, but its readout has {count}", units.len());
            return Err(WeightError::Units { file: origin.whole(), what });
        }
        None => identities(count)?,
    };
    Ok(TwinWeights { config, state, units, card: description.card.unwrap_or(card), sha256 })
}

fn plain_card(name: &str) -> TwinCard {
    TwinCard {
        name: name.to_owned(),
        simulated: false,
        raster: Raster::WANG2025,
        note: "The file says nothing about its origin; the raster of its movies is taken to be 144 x 256.".to_owned(),
    }
}

/// Fails when another scan was asked for than those that the file has.
fn wanted(path: &Path, asked: Option<&str>, scans: impl IntoIterator<Item = ScanId>) -> Result<(), WeightError> {
    let Some(asked) = asked else { return Ok(()) };
    let scans: std::collections::BTreeSet<ScanId> = scans.into_iter().collect();
    let scans: Vec<String> = scans.into_iter().map(scan_name).collect();
    if scans.iter().any(|scan| scan == asked) {
        return Ok(());
    }
    Err(WeightError::UnknownScan { folder: shown(path), asked: asked.to_owned(), scans })
}

fn in_file(fault: Fault, file: &str) -> WeightError {
    let file = file.to_owned();
    match fault {
        Fault::Damaged(what) => WeightError::Damaged { file, what },
        Fault::Refused(global) => WeightError::Refused { file, global },
    }
}

/// A whole regular file.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, WeightError> {
    let failed = |source| WeightError::Read { file: shown(path), source };
    let about = std::fs::metadata(path).map_err(failed)?;
    if !about.is_file() || about.len() > LARGEST {
        let why = if about.is_file() { "it has more than 4 GiB" } else { "it is no regular file" };
        return Err(WeightError::NoTwin { path: shown(path), why: why.to_owned() });
    }
    std::fs::read(path).map_err(failed)
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().display().to_string()
}
