//! NumPy arrays `[time, height, width]` of grey levels.

use std::fs::File;
use std::io::{BufReader, Read};

use super::ClipError;
use super::pictures::{Pictures, Pixels};

/// Longest text that describes an array, bytes; numpy writes about 120.
const LONGEST_HEADER: usize = 1 << 16;

pub(super) fn read_npy_file(mut file: BufReader<File>, pictures: &mut Pictures) -> Result<(), ClipError> {
    read_npy(&mut file, pictures, |file, bytes| file.seek_relative(i64::try_from(bytes).unwrap_or(i64::MAX)))
}

pub(super) fn read_npz(file: BufReader<File>, pictures: &mut Pictures) -> Result<(), ClipError> {
    let damaged = |pictures: &Pictures, error: zip::result::ZipError| {
        pictures.not_a_clip(format!("the archive is damaged: {error}"))
    };
    let mut archive = zip::ZipArchive::new(file).map_err(|error| damaged(pictures, error))?;
    let mut found = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| damaged(pictures, error))?;
        let Ok(header) = read_npy_header(&mut entry) else { continue };
        // An archive may hold labels beside the clip: only an array of three dimensions can be one.
        if header.shape.len() == 3 {
            found.push(index);
        } else if entry.name().is_ok_and(|name| name == "frames_per_sec.npy")
            && header.kind == "<f8"
            && header.shape.is_empty()
        {
            let mut bytes = [0; 8];
            let cut = |_| pictures.not_a_clip("its `frames_per_sec` is cut off");
            entry.read_exact(&mut bytes).map_err(cut)?;
            pictures.set_file_rate(f64::from_le_bytes(bytes))?;
        }
    }
    match found[..] {
        [index] => {
            let mut entry = archive.by_index(index).map_err(|error| damaged(pictures, error))?;
            let skip =
                |entry: &mut _, bytes| std::io::copy(&mut Read::take(entry, bytes), &mut std::io::sink()).map(drop);
            read_npy(&mut entry, pictures, skip)
        }
        _ => Err(pictures.not_a_clip(format!(
            "of its {} arrays {} have the three dimensions [time, height, width], expected exactly one",
            archive.len(),
            found.len()
        ))),
    }
}

/// What an `.npy` file says about itself.
struct NpyHeader {
    kind: String,
    fortran: bool,
    shape: Vec<u64>,
}

fn read_npy<R: Read>(
    from: &mut R,
    pictures: &mut Pictures,
    skip: impl FnOnce(&mut R, u64) -> std::io::Result<()>,
) -> Result<(), ClipError> {
    let header = read_npy_header(&mut *from).map_err(|what| pictures.not_a_clip(what))?;
    if !matches!(header.kind.as_str(), "|u1" | "u1" | "<u1" | ">u1") {
        return Err(pictures.not_a_clip(format!("it holds `{}`, expected 8-bit grey levels (`|u1`)", header.kind)));
    }
    if header.fortran {
        return Err(pictures.not_a_clip("it is in Fortran order: save numpy.ascontiguousarray of it"));
    }
    let [frames, height, width] = header.shape[..] else {
        return Err(pictures.not_a_clip(format!("its shape is {:?}, expected [time, height, width]", header.shape)));
    };
    let (before, seen) = pictures.split(frames);
    pictures.check_size(if before == frames { frames.min(1) } else { seen }, height, width)?;
    if before > 0 {
        let damaged = |error: std::io::Error| pictures.not_a_clip(format!("it is damaged: {error}"));
        skip(from, before.saturating_mul(height * width)).map_err(damaged)?;
        pictures.skip(before);
    }
    let (height, width) = (height as usize, width as usize);
    let mut grey = Vec::new();
    for frame in before..before + seen {
        grey.clear();
        // Grows with what is really there, not with what the header claims.
        let read = from.by_ref().take((height * width) as u64).read_to_end(&mut grey);
        match read {
            Ok(count) if count == height * width => pictures.add(height, width, Pixels::Grey(&grey), None)?,
            Ok(_) => return Err(pictures.not_a_clip(format!("it ends in frame {frame} of {frames}"))),
            Err(error) => return Err(pictures.not_a_clip(format!("frame {frame} of {frames} is damaged: {error}"))),
        }
    }
    pictures.skip(frames - before - seen);
    Ok(())
}

/// Reads as much of an `.npy` file as precedes the numbers. Our own few lines, because the text comes from strangers:
/// its length is bounded, and no product of sizes is formed here.
fn read_npy_header(mut from: impl Read) -> Result<NpyHeader, String> {
    let no_header = "it does not begin like an .npy file";
    let mut start = [0; 8];
    from.read_exact(&mut start).map_err(|_| no_header)?;
    if &start[..6] != b"\x93NUMPY" {
        return Err(no_header.to_owned());
    }
    let length = if start[6] == 1 {
        let mut bytes = [0; 2];
        from.read_exact(&mut bytes).map_err(|_| no_header)?;
        usize::from(u16::from_le_bytes(bytes))
    } else {
        let mut bytes = [0; 4];
        from.read_exact(&mut bytes).map_err(|_| no_header)?;
        u32::from_le_bytes(bytes) as usize
    };
    if length > LONGEST_HEADER {
        return Err(format!("its header claims {length} bytes"));
    }
    let mut text = vec![0; length];
    from.read_exact(&mut text).map_err(|_| "its header is cut off")?;
    let text = String::from_utf8_lossy(&text);
    let after = |key: &str| {
        let found = text.split_once(&format!("'{key}':")).map(|(_, rest)| rest.trim_start());
        found.ok_or_else(|| format!("its header has no `{key}`"))
    };
    let kind = after("descr")?.strip_prefix('\'').and_then(|rest| rest.split_once('\''));
    let kind = kind.ok_or("its `descr` is no plain type")?.0.to_owned();
    let fortran = match after("fortran_order")? {
        rest if rest.starts_with("True") => true,
        rest if rest.starts_with("False") => false,
        _ => return Err("its `fortran_order` is neither True nor False".to_owned()),
    };
    let sizes = after("shape")?.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    let sizes = sizes.ok_or("its `shape` is no list")?.0;
    let shape: Result<Vec<u64>, _> =
        sizes.split(',').map(str::trim).filter(|size| !size.is_empty()).map(str::parse).collect();
    Ok(NpyHeader { kind, fortran, shape: shape.map_err(|_| format!("its `shape` is ({sizes})"))? })
}
