//! Arrays on disk: movies and behaviour in, responses out.

mod array_file;
mod npy_header;
mod target;

pub use array_file::{ArrayError, NpyMovie, NpyResponsesWriter, read_behavior_npy};
pub use target::remove_unfinished;
pub(crate) use target::{check_folder, unfinished};
