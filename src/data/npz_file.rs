//! A `.npz` file that is written array by array. Nothing is compressed: NumPy and we read any part of it where it lies.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::npy_header::NpyHeader;
use super::target::unfinished;

/// Grows in a temporary file in the target folder and gets its name when it is finished; dropped before that, nothing is
/// left.
#[derive(Debug)]
pub(crate) struct NpzWriter {
    path: PathBuf,
    temporary: tempfile::NamedTempFile,
    zip: ZipWriter<BufWriter<File>>,
}

impl NpzWriter {
    /// Starts a file; one of that name is replaced when it is finished.
    ///
    /// # Errors
    /// When the path is no place for a file, or the folder cannot be written to.
    pub fn create(path: &Path) -> io::Result<Self> {
        let temporary = unfinished(path)?;
        let zip = ZipWriter::new(BufWriter::new(temporary.as_file().try_clone()?));
        Ok(Self { path: path.to_owned(), temporary, zip })
    }

    /// Starts an array, whose bytes follow by [`NpzWriter::write`].
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn start(&mut self, name: &str, element: &str, shape: &[usize]) -> io::Result<()> {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(true);
        self.zip.start_file(format!("{name}.npy"), options)?;
        self.write(&NpyHeader::bytes(element, shape))
    }

    /// Appends to the array that was started last.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.zip.write_all(bytes)
    }

    /// A whole array.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn array(&mut self, name: &str, element: &str, shape: &[usize], bytes: &[u8]) -> io::Result<()> {
        self.start(name, element, shape)?;
        self.write(bytes)
    }

    /// Texts as NumPy keeps them: UTF-32, all as long as the longest.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn texts(&mut self, name: &str, shape: &[usize], texts: &[String]) -> io::Result<()> {
        let longest = texts.iter().map(|text| text.chars().count()).max().unwrap_or(0).max(1);
        let mut bytes = Vec::with_capacity(4 * longest * texts.len());
        for text in texts {
            let codes = text.chars().map(u32::from).chain(std::iter::repeat(0)).take(longest);
            bytes.extend(codes.flat_map(u32::to_le_bytes));
        }
        self.array(name, &format!("<U{longest}"), shape, &bytes)
    }

    /// Gives the complete file its name.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self) -> io::Result<()> {
        let file = self.zip.finish()?;
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        self.temporary.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }
}
