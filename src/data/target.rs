//! Files that are there whole or not at all.

use std::io::{Error, ErrorKind, Result};
use std::path::Path;

use tempfile::NamedTempFile;

/// A temporary file beside `path`, to be persisted there when it is complete; dropped before that, it is gone. What
/// cannot be replaced in the end is refused now, before anything is computed.
///
/// # Errors
/// When `path` is a folder, a device or a pipe, or its folder cannot be written to.
pub(crate) fn unfinished(path: &Path) -> Result<NamedTempFile> {
    if let Ok(about) = std::fs::metadata(path) {
        if about.is_dir() {
            return Err(Error::new(ErrorKind::IsADirectory, "it is a folder; name a file"));
        }
        if !about.is_file() {
            return Err(Error::new(ErrorKind::InvalidInput, "it is a device or a pipe; name a regular file"));
        }
    }
    if path.file_name().is_none() {
        return Err(Error::new(ErrorKind::InvalidInput, "it names no file"));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    // Temporary files are private by default; a result is an ordinary file, under the user's own mask.
    #[cfg(unix)]
    builder.permissions(<std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o666));
    builder.prefix(".unfinished-").tempfile_in(folder)
}

/// Whether files can be written into a folder, which need not exist yet; nothing is made or left behind.
///
/// # Errors
/// When the path, or the part of it that exists, is no folder or cannot be written to.
pub(crate) fn check_folder(folder: &Path) -> Result<()> {
    for part in folder.ancestors() {
        let part = if part.as_os_str().is_empty() { Path::new(".") } else { part };
        if part.symlink_metadata().is_err() {
            continue;
        }
        if !std::fs::metadata(part)?.is_dir() {
            let what = format!("`{}` is no folder", part.display());
            return Err(Error::new(ErrorKind::NotADirectory, what));
        }
        return tempfile::Builder::new().prefix(".unfinished-").tempfile_in(part).map(drop);
    }
    Err(Error::new(ErrorKind::NotFound, "no part of the path exists"))
}
