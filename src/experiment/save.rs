//! Files that are there whole or not at all.

use std::io::Write;
use std::path::Path;

/// Writes a file beside its place and then moves it there, so that nobody ever reads half of it.
///
/// # Errors
/// When the folder cannot be written to, or the disk is full; what was at the path before is then still there.
pub(crate) fn atomically(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    // Temporary files are private by default; a result is an ordinary file, under the user's own mask.
    #[cfg(unix)]
    let builder = {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666))
    };
    let mut file = std::io::BufWriter::new(builder.prefix(".twinscope-").tempfile_in(folder)?);
    write(&mut file)?;
    let file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
