//! The pictures of a file at the monitor's raster, shared by all that show them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::SystemTime;

use super::fit::Place;
use super::pictures::{TOLERANCE, Wanted};
use super::{ClipError, ClipInfo, Look};
use crate::stimulus::grey_level;

/// Some pictures in order.
#[derive(Debug)]
pub(super) struct Footage {
    place: Place,
    wanted: Wanted,
    /// Pictures one after the other, each with the pixels of its place.
    pixels: Vec<u8>,
    /// When each ends, seconds from the start of the file.
    ends: Vec<f64>,
    info: ClipInfo,
}

impl Footage {
    pub(super) fn new(place: Place, wanted: Wanted, pixels: Vec<u8>, ends: Vec<f64>, info: ClipInfo) -> Self {
        Self { place, wanted, pixels, ends, info }
    }

    pub(super) fn info(&self) -> &ClipInfo {
        &self.info
    }

    /// The values of one picture.
    fn picture(&self, index: usize) -> Option<&[u8]> {
        let size = self.place.raster.pixels();
        self.pixels.get(index.checked_mul(size)?..)?.get(..size)
    }

    /// Draws a picture over a screen, `width` pixels wide, that shows the background.
    pub(super) fn draw(&self, index: usize, levels: Option<&[u8; 256]>, width: usize, screen: &mut [u8]) {
        let Some(picture) = self.picture(index) else { return };
        let Place { top, left, raster } = self.place;
        for (row, line) in picture.chunks_exact(raster.width).enumerate() {
            let from = (top + row) * width + left;
            let Some(shown) = screen.get_mut(from..from + raster.width) else { return };
            match levels {
                None => shown.copy_from_slice(line),
                Some(levels) => {
                    shown.iter_mut().zip(line).for_each(|(pixel, &level)| *pixel = levels[usize::from(level)]);
                }
            }
        }
    }

    /// For each frame of the monitor the last picture that has begun, from the first moment that is wanted on.
    pub(super) fn nearest_preceding(&self) -> Vec<u32> {
        let Wanted { screen_rate: rate, start, end, .. } = self.wanted;
        let until = self.ends.last().copied().unwrap_or(0.0).min(end);
        let frames = ((until - start - TOLERANCE) * rate).ceil().max(1.0) as usize;
        let mut picture = 0;
        (0..frames)
            .map(|frame| {
                let now = start + frame as f64 / rate + TOLERANCE;
                while picture + 1 < self.ends.len() && self.ends[picture] <= now {
                    picture += 1;
                }
                picture as u32
            })
            .collect()
    }

    /// Mean grey level of these pictures, each counted as often as it is named.
    fn mean(&self, shown: &[u32]) -> f64 {
        let mut times = vec![0u64; self.ends.len()];
        for &picture in shown {
            times[picture as usize] += 1;
        }
        let sum = |picture: usize| {
            self.picture(picture).map_or(0, |levels| levels.iter().map(|&level| u64::from(level)).sum::<u64>())
        };
        let total: u64 = times.iter().enumerate().map(|(picture, times)| times * sum(picture)).sum();
        total as f64 / (shown.len() * self.place.raster.pixels()).max(1) as f64
    }

    /// What becomes of each level when every difference from the mean is multiplied; nothing at 1.
    pub(super) fn levels(&self, shown: &[u32], contrast: f64) -> Option<Box<[u8; 256]>> {
        if contrast == 1.0 {
            return None;
        }
        let mean = self.mean(shown);
        Some(Box::new(std::array::from_fn(|level| grey_level(mean + contrast * (level as f64 - mean)))))
    }
}

/// Everything that makes two readings the same: the files as they are now, and what is wanted of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Edition {
    files: Vec<(PathBuf, u64, Option<SystemTime>)>,
    wishes: [u64; 10],
}

impl Edition {
    /// Of these files; `None` when one of them cannot be looked at.
    pub(super) fn of<'a>(files: impl IntoIterator<Item = &'a Path>, look: &Look, wanted: &Wanted) -> Option<Self> {
        let seen = files.into_iter().map(|path| {
            let about = std::fs::metadata(path).ok()?;
            Some((path.to_owned(), about.len(), about.modified().ok()))
        });
        let wishes = [
            look.fit as u64,
            look.crop_x.to_bits(),
            look.crop_y.to_bits(),
            look.grey as u64,
            wanted.screen.height as u64,
            wanted.screen.width as u64,
            wanted.screen_rate.to_bits(),
            wanted.frames_per_sec.map_or(u64::MAX, f64::to_bits),
            wanted.start.to_bits(),
            wanted.end.to_bits(),
        ];
        Some(Self { files: seen.collect::<Option<_>>()?, wishes })
    }
}

/// What is on show somewhere in the program. It holds nothing itself: what nobody shows is forgotten.
static ON_SHOW: Mutex<Option<HashMap<Edition, Weak<Footage>>>> = Mutex::new(None);

/// Reads files unless the same reading of them is on show already: somebody who drags a contrast does not wait for the
/// file again, and the conditions of a sweep share their pictures.
pub(super) fn shared(
    edition: Option<Edition>,
    read: impl FnOnce() -> Result<Footage, ClipError>,
) -> Result<Arc<Footage>, ClipError> {
    let shelf = || ON_SHOW.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(edition) = edition else { return read().map(Arc::new) };
    let known = shelf().as_ref().and_then(|shelf| shelf.get(&edition)?.upgrade());
    if let Some(known) = known {
        return Ok(known);
    }
    // Read without the lock: other files need not wait for this one.
    let footage = Arc::new(read()?);
    let mut shelf = shelf();
    let shelf = shelf.get_or_insert_default();
    // Forgetting costs a walk over all: not at each of many.
    if shelf.len().is_power_of_two() {
        shelf.retain(|_, footage| footage.strong_count() > 0);
    }
    shelf.insert(edition, Arc::downgrade(&footage));
    Ok(footage)
}
