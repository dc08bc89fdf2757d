//! Responses in a file, read row by row: those of a long run do not fit into memory.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use super::array_file::{ArrayError, check_size, header, open};
use crate::signals::ResponseRows;

/// Bytes read at once, unless a single row is longer.
const BLOCK_BYTES: usize = 1 << 16;

/// Responses f32 `[time, unit]` in a `.npy` file. Memory does not grow with their length.
#[derive(Debug)]
pub struct NpyResponses {
    file: File,
    /// Where the numbers start, bytes.
    start: u64,
    frames: usize,
    units: usize,
}

impl NpyResponses {
    /// Opens a file that has exactly this many frames and units.
    ///
    /// # Errors
    /// When it cannot be read, is damaged, or holds anything else.
    pub fn open(path: &Path, frames: usize, units: usize) -> Result<Self, ArrayError> {
        let name = path.display().to_string();
        let file = open(path)?;
        let header = header(&file, &name)?;
        if header.element != "<f4" {
            let expected = "f32 (`<f4`, numpy.float32)";
            return Err(ArrayError::Element { file: name, found: header.element, expected });
        }
        if header.shape != [frames as u64, units as u64] {
            let what = format!("it has the shape {:?}, expected [{frames}, {units}]", header.shape);
            return Err(ArrayError::Damaged { file: name, what });
        }
        check_size(&file, &name, &header, 4)?;
        Ok(Self { file, start: header.start, frames, units })
    }
}

impl ResponseRows for NpyResponses {
    fn frames(&self) -> usize {
        self.frames
    }
    fn samples(&self) -> usize {
        1
    }
    fn units(&self) -> usize {
        self.units
    }
    fn each_row(&self, frames: Range<usize>, sample: usize, take: &mut dyn FnMut(&[f32])) -> io::Result<()> {
        if frames.end > self.frames || sample > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let row_bytes = self.units * 4;
        let at_once = (BLOCK_BYTES / row_bytes.max(1)).max(1);
        let mut file = &self.file;
        file.seek(SeekFrom::Start(self.start + frames.start as u64 * row_bytes as u64))?;
        let mut bytes = vec![0; at_once.min(frames.len()) * row_bytes];
        let mut row = vec![0.0; self.units];
        for first in frames.clone().step_by(at_once) {
            let count = at_once.min(frames.end - first);
            let block = &mut bytes[..count * row_bytes];
            file.read_exact(block)?;
            for index in 0..count {
                let values = block[index * row_bytes..][..row_bytes].as_chunks().0;
                row.iter_mut().zip(values).for_each(|(value, &four)| *value = f32::from_le_bytes(four));
                take(&row);
            }
        }
        Ok(())
    }
}
