//! Files: movies and behaviour in, responses and movies out.

mod array_file;
mod movie_file;
mod npy_header;
mod target;

pub use array_file::{ArrayError, NpyMovie, NpyResponsesWriter, read_behavior_npy};
pub use movie_file::{MovieFileError, MovieFormat, write_movie, write_movie_as};
pub(crate) use target::{check_folder, unfinished};
