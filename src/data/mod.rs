//! Files: movies, behaviour, responses and recording sessions on disk, recordings in the formats of the field, and
//! simulated mice to record from.

pub mod align;
mod array_file;
mod export;
mod folder;
pub mod import;
mod movie_file;
mod npy_header;
mod session;
pub mod simulated;
mod target;
mod trial_array;

pub use array_file::{ArrayError, NpyMovie, NpyResponsesWriter, read_behavior_npy};
pub use export::save_npz;
pub use folder::SessionWriter;
pub use movie_file::{MovieFileError, MovieFormat, write_movie, write_movie_as};
pub use session::{Counted, Missing, Record, ScanId, Session, SessionError, SessionUnit, Trial};
pub(crate) use target::{check_folder, unfinished};
