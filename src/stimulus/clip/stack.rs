//! TIFF stacks, as microscopes and ImageJ write them: each page is a picture, 8 or 16 bits; 16 bits become 8 over the
//! whole range 0..=65535. ImageJ's stacks of more than 4 GB have one page for all pictures, and show only the first.
//!
//! The `image` crate decodes the page that the head of a file points to and no other. So the chain of pages is walked
//! here, and each page is decoded from a [`Page`]: the same file with the head pointing there.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Seek, SeekFrom};

use image::ImageFormat;

use super::ClipError;
use super::animation::{add_still, read_still};
use super::pictures::Pictures;

/// Most pages that are walked: an hour at 30 Hz is 108,000.
const MOST_PAGES: usize = 1 << 20;

pub(super) fn read_tiff(mut file: BufReader<File>, pictures: &mut Pictures) -> std::result::Result<(), ClipError> {
    let (head, pages) =
        pages(&mut file).map_err(|error| pictures.not_a_clip(format!("the TIFF is damaged: {error}")))?;
    let file = file.into_inner();
    for (index, page) in pages.iter().enumerate() {
        if !pictures.is_next_wanted() {
            pictures.skip(1);
            continue;
        }
        let damaged = |error: &dyn std::fmt::Display| {
            pictures.not_a_clip(format!("page {} of {} of the TIFF is damaged: {error}", index + 1, pages.len()))
        };
        let page = Page { file: &file, head: head.pointing_to(*page), at: 0 };
        let picture = read_still(BufReader::new(page), ImageFormat::Tiff).map_err(|error| damaged(&error))?;
        add_still(picture, pictures)?;
    }
    Ok(())
}

/// The first bytes of a file: byte order, version, place of the first page.
#[derive(Debug, Clone, Copy)]
struct Head {
    bytes: [u8; 16],
    is_big_endian: bool,
    /// BigTIFF: places have 8 bytes instead of 4.
    is_big: bool,
}

impl Head {
    fn read(file: &mut impl Read) -> Result<Self> {
        let no_tiff = || Error::new(ErrorKind::InvalidData, "it does not begin like a TIFF");
        let mut bytes = [0; 16];
        file.read_exact(&mut bytes[..8]).map_err(|_| no_tiff())?;
        let (is_big_endian, is_big) = match &bytes[..4] {
            b"II*\0" => (false, false),
            b"MM\0*" => (true, false),
            b"II+\0" => (false, true),
            b"MM\0+" => (true, true),
            _ => return Err(no_tiff()),
        };
        if is_big {
            file.read_exact(&mut bytes[8..]).map_err(|_| no_tiff())?;
        }
        Ok(Self { bytes, is_big_endian, is_big })
    }

    fn number(&self, bytes: &[u8]) -> u64 {
        let join = |sum: u64, &byte: &u8| sum << 8 | u64::from(byte);
        if self.is_big_endian { bytes.iter().fold(0, join) } else { bytes.iter().rev().fold(0, join) }
    }

    /// The part that holds the place of the first page.
    fn place(&self) -> std::ops::Range<usize> {
        if self.is_big { 8..16 } else { 4..8 }
    }

    fn length(&self) -> usize {
        self.place().end
    }

    fn pointing_to(mut self, page: u64) -> Self {
        let range = self.place();
        let place = &mut self.bytes[range];
        let size = place.len();
        match self.is_big_endian {
            true => place.copy_from_slice(&page.to_be_bytes()[8 - size..]),
            false => place.copy_from_slice(&page.to_le_bytes()[..size]),
        }
        self
    }
}

/// Where every page begins.
fn pages<R: BufRead + Seek>(file: &mut R) -> Result<(Head, Vec<u64>)> {
    let head = Head::read(file)?;
    let number = |file: &mut R, size: usize| {
        let mut bytes = [0; 8];
        file.read_exact(&mut bytes[..size])?;
        Ok::<u64, Error>(head.number(&bytes[..size]))
    };
    let (count_size, entry_size, place_size) = if head.is_big { (8, 20, 8) } else { (2, 12, 4) };
    let invalid = |what: &str| Error::new(ErrorKind::InvalidData, what);
    let mut page = head.number(&head.bytes[head.place()]);
    let mut known = HashSet::new();
    let mut pages = Vec::new();
    while page != 0 {
        if !known.insert(page) {
            return Err(invalid("its chain of pages is a circle"));
        }
        if pages.len() == MOST_PAGES {
            return Err(invalid("it has more than a million pages"));
        }
        pages.push(page);
        file.seek(SeekFrom::Start(page))?;
        let entries = number(file, count_size)?;
        let next = entries.checked_mul(entry_size).and_then(|size| size.checked_add(page + count_size as u64));
        file.seek(SeekFrom::Start(next.ok_or_else(|| invalid("a page has no end"))?))?;
        page = number(file, place_size)?;
    }
    Ok((head, pages))
}

/// A file whose head is another.
struct Page<'a> {
    file: &'a File,
    head: Head,
    at: u64,
}

impl Read for Page<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let head = &self.head.bytes[..self.head.length()];
        let count = match usize::try_from(self.at).ok().and_then(|at| head.get(at..)).filter(|rest| !rest.is_empty()) {
            Some(mut rest) => rest.read(buffer)?,
            None => {
                self.file.seek(SeekFrom::Start(self.at))?;
                self.file.read(buffer)?
            }
        };
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Page<'_> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.file.metadata()?.len().checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| Error::new(ErrorKind::InvalidInput, "before the start of the file"))?;
        Ok(self.at)
    }
}
