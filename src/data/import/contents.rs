//! What a file that was given without a word about it holds: told by the names of what is in it, without reading numbers.

use std::path::Path;

use super::array::Archive;
use super::hdf5::Found;
use super::{Format, ImportError, detect, nwb};
use crate::data::spikes::SpikeSession;

/// What an NWB or `.npz` file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contents {
    /// Sorted units with the times of their spikes, or counts of spikes in bins.
    Spikes,
    /// Responses of cells: a recording that a twin can be laid beside.
    Responses,
    /// Pictures one after the other: an array of three dimensions.
    Clip,
}

/// Arrays of a `.npz` file that are responses; see [`super::npz`].
const RESPONSES: [&str; 6] = ["twinscope_session", "responses", "activity", "trial", "spikes", "counts"];

/// What an NWB or `.npz` file holds; `None` for a `.npz` file with something else, and for other files. Imaged responses
/// come before spikes, as in [`open`](super::open).
///
/// # Errors
/// When the file cannot be read, or is an HDF5 file with neither responses nor spikes.
pub fn contents(path: &Path) -> Result<Option<Contents>, ImportError> {
    match detect(path)? {
        Format::Nwb => of_nwb(path).map(Some),
        Format::Npz => {
            // Of counts with the length of a bin, both are made; a session of spikes is the plainer of them.
            if SpikeSession::is_file(path) {
                return Ok(Some(Contents::Spikes));
            }
            let mut archive = Archive::open(path)?;
            let movie = ["video", "movie"].iter().any(|name| archive.has(name)) && !archive.has(RESPONSES[0]);
            if !movie && RESPONSES.iter().any(|name| archive.has(name)) {
                return Ok(Some(Contents::Responses));
            }
            let names = archive.names().to_vec();
            let clip = names.iter().any(|name| archive.dimensions(name) == Some(3));
            Ok(clip.then_some(Contents::Clip))
        }
        _ => Ok(None),
    }
}

fn of_nwb(path: &Path) -> Result<Contents, ImportError> {
    let (file, _) = nwb::checked(path)?;
    let imaged = file.below("processing").iter().any(|found| found.kind == "RoiResponseSeries");
    let sorted = || {
        let table = Found { group: file.group("units")?, path: "units".to_owned(), kind: "Units".to_owned() };
        file.dataset(&table, "spike_times")
    };
    match () {
        () if imaged => Ok(Contents::Responses),
        () if sorted().is_some() => Ok(Contents::Spikes),
        () => {
            let what = "both responses (RoiResponseSeries in `processing`) and sorted units (`units` with \
                        `spike_times`), so there is nothing in it to open";
            Err(ImportError::lacks(path, "NWB", what))
        }
    }
}
