//! Files: movies, behaviour, responses, spikes and recording sessions on disk, recordings in the formats of the field, and
//! simulated mice to record from.

pub mod align;
mod array_file;
mod export;
mod folder;
pub mod import;
mod movie_file;
mod npy_header;
mod npz_file;
mod response_file;
pub(crate) mod save;
mod session;
mod shown;
pub mod simulated;
pub mod spikes;
mod target;
mod trial_array;

pub use array_file::{ArrayError, NpyMovie, NpyResponsesWriter, read_behavior_npy};
pub use export::save_npz;
pub use folder::SessionWriter;
pub use movie_file::{MovieFileError, MovieFormat, write_movie, write_movie_as};
pub(crate) use npz_file::NpzWriter;
pub use response_file::NpyResponses;
pub use session::{Counted, Missing, Record, ScanId, Session, SessionError, SessionUnit, Trial};
pub use shown::{PresentationTable, Shown};
pub(crate) use target::{UnfinishedFolder, check_folder, unfinished};
