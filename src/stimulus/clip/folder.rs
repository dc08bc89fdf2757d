//! Folders of pictures, in the natural order of their names.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use image::ImageFormat;

use super::animation::{add_still, read_still};
use super::pictures::{Pictures, Pixels};
use super::video::read_jpeg;
use super::{ClipError, open_regular};

/// Endings of the pictures that are taken from a folder.
pub(crate) const PICTURE_ENDINGS: &[&str] = &["png", "webp", "tif", "tiff", "jpg", "jpeg"];

/// A folder as a clip: one picture after the other, all of one size.
pub(super) fn read_folder(pictures: &mut Pictures) -> Result<(), ClipError> {
    for path in picture_files(pictures.path)? {
        if pictures.is_next_wanted() {
            read_picture(&path, pictures)?;
        } else {
            pictures.skip(1);
        }
    }
    Ok(())
}

/// The pictures of a folder; `frame2` comes before `frame10`.
pub(crate) fn picture_files(folder: &Path) -> Result<Vec<PathBuf>, ClipError> {
    let unreadable = |error: std::io::Error| ClipError::Unreadable { path: folder.to_owned(), what: error.to_string() };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if PICTURE_ENDINGS.contains(&ending(&path).as_str()) {
            files.push(path);
        }
    }
    if files.is_empty() {
        let what = "the folder holds no pictures (.png, .webp, .tif or .jpg)".to_owned();
        return Err(ClipError::NotAClip { path: folder.to_owned(), what });
    }
    // `01` and `1` are one number: the text decides, never the order of the file system.
    files.sort_by_cached_key(|path| {
        let name = path.file_name().unwrap_or_default();
        (natural_order(&name.to_string_lossy()), name.to_owned())
    });
    Ok(files)
}

/// Adds the picture in a file, the first where there are several.
pub(super) fn read_picture(path: &Path, pictures: &mut Pictures) -> Result<(), ClipError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let damaged = |error: &dyn std::fmt::Display| pictures.not_a_clip(format!("{name} cannot be read: {error}"));
    let file = open_regular(path).map_err(|error| damaged(&error))?;
    let format = match ending(path).as_str() {
        "png" => ImageFormat::Png,
        "webp" => ImageFormat::WebP,
        "tif" | "tiff" => ImageFormat::Tiff,
        _ => {
            let (height, width, colours) = read_jpeg(path).map_err(|error| damaged(&error))?;
            return pictures.add(height, width, Pixels::Colour(&colours), None);
        }
    };
    let picture = read_still(BufReader::<File>::new(file), format).map_err(|error| damaged(&error))?;
    add_still(picture, pictures)
}

/// Ending of a file name in small letters.
pub(super) fn ending(path: &Path) -> String {
    path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase()).unwrap_or_default()
}

/// Sorts `frame2` before `frame10`: text as text, runs of digits by their value.
fn natural_order(name: &str) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for letter in name.chars() {
        match (letter.is_ascii_digit(), pieces.last_mut()) {
            (true, Some(Piece::Number { digits, value })) => {
                if !value.is_empty() || letter != '0' {
                    value.push(letter);
                    *digits = value.len();
                }
            }
            (true, _) => {
                let value = if letter == '0' { String::new() } else { letter.to_string() };
                pieces.push(Piece::Number { digits: value.len(), value });
            }
            (false, Some(Piece::Text(text))) => text.push(letter),
            (false, _) => pieces.push(Piece::Text(letter.to_string())),
        }
    }
    pieces
}

/// Part of a file name. A number without leading zeros is larger when it is longer, and else by its digits.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Piece {
    Number { digits: usize, value: String },
    Text(String),
}
