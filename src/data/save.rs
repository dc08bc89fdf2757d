//! Files that are there whole or not at all.

use std::io::Write;
use std::path::Path;

use super::unfinished;

/// Writes a file beside its place and then moves it there, so that nobody ever reads half of it.
///
/// # Errors
/// When the folder cannot be written to, or the disk is full; what was at the path before is then still there.
pub(crate) fn atomically(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let mut file = std::io::BufWriter::new(unfinished(path)?);
    write(&mut file)?;
    let file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
