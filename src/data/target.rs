//! Files and folders that are there whole or not at all.
//!
//! What is not complete grows under a hidden name beside its place. When it is dropped it is gone; when the process is
//! killed, as by Ctrl-C, nothing of it runs any more and the hidden file stays. The next write into the same folder takes
//! it away: as long as a process writes it holds a lock, which the system releases however the process ends.

use std::fs::{File, TryLockError};
use std::io::{Error, ErrorKind, Result};
use std::path::Path;
use std::time::Duration;

use tempfile::{NamedTempFile, TempDir};

/// How the names of unfinished files and folders begin; random letters and digits follow.
const PREFIX: &str = ".twinscope-unfinished-";

/// Number of these.
const RANDOM: usize = 6;

/// Age below which nothing is taken away: a file may have been made and not been locked yet.
const YOUNG: Duration = Duration::from_secs(60);

/// Age at which something is taken away where the file system knows no locks: nobody writes a day without a change.
const STALE: Duration = Duration::from_secs(24 * 3600);

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
    let folder = folder_of(path);
    remove_abandoned(folder);
    // Temporary files are private by default; a result is an ordinary file, under the user's own mask.
    let file = builder(0o666).tempfile_in(folder)?;
    hold(file.as_file());
    Ok(file)
}

/// A folder that gets its name when it is complete; dropped before that, it is gone with all that lies in it.
#[derive(Debug)]
pub(crate) struct UnfinishedFolder {
    folder: TempDir,
    /// Keeps the lock; `None` where folders cannot be locked.
    _held: Option<File>,
}

impl UnfinishedFolder {
    /// A temporary folder in another one.
    ///
    /// # Errors
    /// When that cannot be written to.
    pub fn within(parent: &Path) -> Result<Self> {
        remove_abandoned(parent);
        // Temporary folders are private by default; a result is an ordinary one, under the user's own mask.
        let folder = builder(0o777).tempdir_in(parent)?;
        let held = File::open(folder.path()).ok();
        held.iter().for_each(hold);
        Ok(Self { folder, _held: held })
    }

    /// Where it is now.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Gives it its name.
    ///
    /// # Errors
    /// When it cannot be moved there; then it is gone.
    pub fn persist(self, path: &Path) -> Result<()> {
        std::fs::rename(self.folder.path(), path)?;
        // Nothing lies there any more that would have to be removed.
        let _ = self.folder.keep();
        Ok(())
    }
}

/// The folder in which a file or folder lies.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
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
        return builder(0o666).tempfile_in(part).map(drop);
    }
    Err(Error::new(ErrorKind::NotFound, "no part of the path exists"))
}

fn builder(mode: u32) -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).rand_bytes(RANDOM);
    #[cfg(unix)]
    builder.permissions(<std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(mode));
    #[cfg(not(unix))]
    let _ = mode;
    builder
}

/// Says that this process is at work. Where locks keep others from reading and writing, as on Windows, ffmpeg could not
/// write to the file: there its age has to do.
fn hold(file: &File) {
    if cfg!(unix) {
        // Without a lock, too, its age has to do.
        let _ = file.try_lock();
    }
}

/// Removes what a process that was killed left in a folder. What cannot be removed stays: the next write tries again.
fn remove_abandoned(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let ours = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX))
            .is_some_and(|random| random.len() == RANDOM && random.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        // Of the entry itself: a link is neither file nor folder.
        let Some(about) = entry.metadata().ok().filter(|_| ours) else { continue };
        let path = entry.path();
        if about.is_file() && is_abandoned(&path, &about) {
            let _ = std::fs::remove_file(path);
        } else if about.is_dir() && is_abandoned(&path, &about) {
            let _ = std::fs::remove_dir_all(path);
        }
    }
}

fn is_abandoned(path: &Path, about: &std::fs::Metadata) -> bool {
    // A file from the future is young.
    let age = about.modified().ok().and_then(|changed| changed.elapsed().ok()).unwrap_or_default();
    if age < YOUNG {
        return false;
    }
    match File::open(path).map(|file| file.try_lock()) {
        Ok(Err(TryLockError::WouldBlock)) => false,
        Ok(Ok(())) if cfg!(unix) => true,
        _ => age >= STALE,
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    /// Makes it look as if nobody had touched it for so long.
    fn age(path: &Path, age: Duration) {
        let file = File::open(path).expect("openable");
        file.set_modified(SystemTime::now() - age).expect("our own file");
    }

    #[test]
    fn what_a_killed_process_left_is_gone_after_the_next_write() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(format!("{PREFIX}{name}"));
        for name in ["aaaaaa", "bbbbbb", "toolong", "ü0000"] {
            std::fs::write(at(name), "half").expect("writable");
        }
        std::fs::create_dir(at("cccccc")).expect("writable");
        std::fs::write(at("cccccc").join("frame_00000.png"), "half").expect("writable");
        for name in ["aaaaaa", "cccccc", "toolong", "ü0000"] {
            age(&at(name), 2 * STALE);
        }
        let done = folder.path().join("movie.npy");
        let file = unfinished(&done).expect("writable");
        assert!(!at("aaaaaa").exists() && !at("cccccc").exists(), "abandoned");
        assert!(at("bbbbbb").exists(), "it may just have been made");
        assert!(at("toolong").exists() && at("ü0000").exists(), "that is no name of ours");
        file.persist(&done).expect("writable");
    }

    #[test]
    #[cfg(unix)]
    fn what_someone_is_writing_stays_however_old_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let slow = unfinished(&folder.path().join("slow.npy")).expect("writable");
        let many = UnfinishedFolder::within(folder.path()).expect("writable");
        let paths = [slow.path().to_owned(), many.path().to_owned()];
        paths.iter().for_each(|path| age(path, 2 * STALE));
        drop(unfinished(&folder.path().join("other.npy")).expect("writable"));
        assert!(paths.iter().all(|path| path.exists()));
        // Both are let go of as by a process that dies: without being removed.
        let (_, kept) = slow.keep().expect("kept");
        let held = many.folder.keep();
        drop(many._held);
        [&kept, &held].into_iter().for_each(|path| age(path, 2 * YOUNG));
        drop(unfinished(&folder.path().join("other.npy")).expect("writable"));
        assert!(paths.iter().all(|path| !path.exists()), "nobody writes them any more");
    }

    #[test]
    fn a_folder_gets_its_name_or_is_gone() {
        let parent = tempfile::tempdir().expect("a folder");
        let done = parent.path().join("movie");
        let folder = UnfinishedFolder::within(parent.path()).expect("writable");
        std::fs::write(folder.path().join("frame.png"), "whole").expect("writable");
        folder.persist(&done).expect("nothing is in the way");
        assert_eq!(std::fs::read_to_string(done.join("frame.png")).expect("there"), "whole");
        drop(UnfinishedFolder::within(parent.path()).expect("writable"));
        assert_eq!(std::fs::read_dir(parent.path()).expect("readable").count(), 1);
    }
}
