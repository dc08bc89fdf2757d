//! Recordings of spikes in the formats of the field, as sessions. A format is known by its content, not by its name.

use std::io::Read;
use std::path::Path;

use super::error::SpikeError;
use super::recording::{ImportedSpikes, SpikeImport};
use super::session::SpikeSession;
use super::{alf, nwb};
use crate::data::import::ImportError;

/// A format of spikes that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpikeFormat {
    /// Counts in trials that are there already, in either layout of [`super`].
    Npz,
    /// Neurodata Without Borders 2: sorted units and a table of trials.
    Nwb,
    /// A folder of the International Brain Laboratory's ALF files.
    Alf,
}

impl std::fmt::Display for SpikeFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Npz => "counts in trials (.npz)",
            Self::Nwb => "NWB, sorted units and trials",
            Self::Alf => "ALF folder (International Brain Laboratory)",
        })
    }
}

impl SpikeFormat {
    /// The format of a file or folder.
    ///
    /// # Errors
    /// When it cannot be read, or is of no known format.
    pub fn of(path: &Path) -> Result<Self, SpikeError> {
        let failed = |source| ImportError::Read { path: path.display().to_string(), source };
        let unknown = |what: &str| SpikeError::Content {
            file: path.display().to_string(),
            what: format!(
                "{what}; expected a .npz file of counts in trials, an NWB file with units and trials, or a folder with \
                 `spikes.times.npy` and `spikes.clusters.npy`"
            ),
        };
        let about = std::fs::metadata(path).map_err(failed)?;
        if about.is_dir() {
            return if alf::is_folder(path) { Ok(Self::Alf) } else { Err(unknown("the folder holds no spikes")) };
        }
        if !about.is_file() {
            return Err(unknown("it is a device or a pipe"));
        }
        let mut start = Vec::new();
        std::fs::File::open(path).map_err(failed)?.take(4096).read_to_end(&mut start).map_err(failed)?;
        let at = |offset: usize, magic: &[u8]| start.get(offset..).is_some_and(|rest| rest.starts_with(magic));
        match () {
            // HDF5 may have a block of another program's before it, whose length is a power of two from 512 on.
            () if [0, 512, 1024, 2048].iter().any(|&offset| at(offset, b"\x89HDF\r\n\x1a\n")) => Ok(Self::Nwb),
            () if at(0, b"PK\x03\x04") => Ok(Self::Npz),
            () if at(0, b"PAR1") => Err(unknown("a table in Parquet has no spikes: open the folder that it lies in")),
            () if start.is_empty() => Err(unknown("the file is empty")),
            () => Err(unknown("its first bytes are those of no known format")),
        }
    }
}

impl SpikeSession {
    /// Reads a recording of any known format. Counts that are in trials already are taken as they are: the options are for
    /// the others.
    ///
    /// # Errors
    /// When it is of no known format, lacks something, is damaged, or contradicts itself.
    pub fn import(path: &Path, options: &SpikeImport) -> Result<ImportedSpikes, SpikeError> {
        match SpikeFormat::of(path)? {
            SpikeFormat::Nwb => nwb::read(path)?.into_session(options),
            SpikeFormat::Alf => alf::read(path)?.into_session(options),
            SpikeFormat::Npz => {
                let session = Self::open(path)?;
                Ok(ImportedSpikes { session, notes: Vec::new() })
            }
        }
    }
}
