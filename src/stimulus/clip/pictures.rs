//! Collects the pictures of a file at the monitor's raster, as they are read.

use std::path::Path;

use super::fit::Fit;
use super::footage::Footage;
use super::{ClipError, ClipInfo, Grey, Look};
use crate::signals::Raster;

/// Largest clip, decoded at the monitor's raster or in the file, bytes.
pub(super) const LARGEST_BYTES: u64 = 2 << 30;
/// Largest picture in a file, pixels.
pub(super) const LARGEST_PICTURE: u64 = 1 << 26;
/// Longest clip, seconds: the longest movie of a run.
const MOST_SECS: f64 = 10.0 * 3600.0;
/// Lowest rate of a file, Hz: below, one picture would stand for more than 100 s.
const LOWEST_RATE: f64 = 0.01;
/// Highest rate of a file, Hz.
const HIGHEST_RATE: f64 = 1000.0;
/// Rounding errors of summed delays must not push a picture to the next frame: this is far below any frame, seconds.
pub(super) const TOLERANCE: f64 = 1e-6;

/// Which pictures are wanted, and for what screen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Wanted {
    /// Pixels of the screen.
    pub screen: Raster,
    /// Frames per second of the screen.
    pub screen_rate: f64,
    /// Rate that replaces what the file says.
    pub frames_per_sec: Option<f64>,
    /// First moment that is shown, seconds from the start of the file.
    pub start: f64,
    /// Last moment; infinite for the end of the file.
    pub end: f64,
}

/// What a file says of itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Announced {
    pub pictures: Option<usize>,
    pub secs: Option<f64>,
    pub frames_per_sec: Option<f64>,
    pub is_coloured: bool,
}

/// Pictures so far.
pub(super) struct Pictures<'a> {
    pub path: &'a Path,
    pub wanted: Wanted,
    look: Look,
    /// Rate that the file states for all its pictures, Hz.
    file_rate: Option<f64>,
    /// What the file says of itself, where it is not read to its end or not picture by picture.
    announced: Option<Announced>,
    /// Whether any picture has a colour.
    colour: bool,
    fit: Option<Fit>,
    pixels: Vec<u8>,
    /// When each of the kept ends, seconds from the start of the file.
    ends: Vec<f64>,
    /// When the next begins.
    now: f64,
    seen: usize,
    /// How long all stood so far, when all alike.
    common_delay: Option<f64>,
}

impl<'a> Pictures<'a> {
    pub(super) fn new(path: &'a Path, look: Look, wanted: Wanted) -> Result<Self, ClipError> {
        let pictures = Self {
            path,
            wanted,
            look,
            file_rate: None,
            announced: None,
            colour: false,
            fit: None,
            pixels: Vec::new(),
            ends: Vec::new(),
            now: 0.0,
            seen: 0,
            common_delay: None,
        };
        if let Some(rate) = wanted.frames_per_sec {
            pictures.check_rate(rate)?;
        }
        Ok(pictures)
    }

    pub(super) fn unreadable(&self, error: &std::io::Error) -> ClipError {
        ClipError::Unreadable { path: self.path.to_owned(), what: error.to_string() }
    }

    pub(super) fn not_a_clip(&self, what: impl Into<String>) -> ClipError {
        ClipError::NotAClip { path: self.path.to_owned(), what: what.into() }
    }

    pub(super) fn too_large(&self, what: String) -> ClipError {
        ClipError::TooLarge { path: self.path.to_owned(), what }
    }

    fn check_rate(&self, rate: f64) -> Result<(), ClipError> {
        if (LOWEST_RATE..=HIGHEST_RATE).contains(&rate) {
            return Ok(());
        }
        Err(self.not_a_clip(format!("{rate} frames per second is no rate for a file")))
    }

    /// Takes the rate that a file states.
    pub(super) fn set_file_rate(&mut self, rate: f64) -> Result<(), ClipError> {
        self.check_rate(rate)?;
        self.file_rate = Some(rate);
        Ok(())
    }

    /// Begins at this moment of the file instead of its start.
    pub(super) fn begin_at(&mut self, secs: f64) {
        self.now = secs;
    }

    /// Takes what the file says of itself for what was seen of it.
    pub(super) fn announce(&mut self, announced: Announced) {
        self.announced = Some(announced);
    }

    pub(super) fn grey(&self) -> Grey {
        self.look.grey
    }

    /// How long a picture stands, seconds, for which the file says so or not.
    fn delay(&self, delay: Option<f64>) -> f64 {
        match self.wanted.frames_per_sec.or(self.file_rate) {
            Some(rate) => 1.0 / rate,
            None => delay.unwrap_or(1.0 / self.wanted.screen_rate),
        }
    }

    /// Refuses sizes that no memory should be taken for.
    pub(super) fn check_size(&self, frames: u64, height: u64, width: u64) -> Result<(), ClipError> {
        if frames == 0 || height == 0 || width == 0 {
            return Err(self.not_a_clip(format!("it has {frames} frames of {height} x {width} pixels")));
        }
        let picture = height.saturating_mul(width);
        if picture > LARGEST_PICTURE {
            return Err(self.too_large(format!(
                "its frames have {height} x {width} pixels, and at most {LARGEST_PICTURE} pixels are read"
            )));
        }
        let bytes = frames.saturating_mul(picture.max(self.wanted.screen.pixels() as u64));
        if bytes > LARGEST_BYTES {
            return Err(self.too_large(format!(
                "{frames} frames take {bytes} bytes, and at most {LARGEST_BYTES} are read; show a part of it \
                 (start_secs, duration_secs) or cut it into shorter clips"
            )));
        }
        Ok(())
    }

    /// Whether the next picture is seen at all; one that is not need not be decoded.
    pub(super) fn is_next_wanted(&self) -> bool {
        self.now + self.delay(None) > self.wanted.start + TOLERANCE && !self.is_past_end()
    }

    /// Whether every further picture begins after what is shown.
    pub(super) fn is_past_end(&self) -> bool {
        self.now >= self.wanted.end - TOLERANCE
    }

    /// How many of so many equal pictures pass before the first that is seen, and how many of the others are seen.
    pub(super) fn split(&self, frames: u64) -> (u64, u64) {
        let delay = self.delay(None);
        let before = (((self.wanted.start + TOLERANCE) / delay).floor() as u64).min(frames);
        // One more for the picture that is on at the start; the cast saturates for an endless window.
        let seen = (((self.wanted.end - self.wanted.start) / delay).ceil() as u64).saturating_add(1);
        (before, seen.min(frames - before))
    }

    /// Passes over pictures that are not seen.
    pub(super) fn skip(&mut self, frames: u64) {
        if frames > 0 {
            self.common_delay = Some(self.delay(None));
        }
        self.now += frames as f64 * self.delay(None);
        self.seen = self.seen.saturating_add(frames as usize);
    }

    /// Adds a picture `[height, width]` of grey levels, or of red, green and blue, that stands for `delay` seconds.
    pub(super) fn add(
        &mut self,
        height: usize,
        width: usize,
        picture: Pixels<'_>,
        delay: Option<f64>,
    ) -> Result<(), ClipError> {
        self.check_size(self.ends.len() as u64 + 1, height as u64, width as u64)?;
        let fit = self.fit.get_or_insert_with(|| Fit::new(Raster { height, width }, self.wanted.screen, &self.look));
        let first = fit.source;
        if (first.height, first.width) != (height, width) {
            return Err(self
                .not_a_clip(format!("frame {} has {height} x {width} pixels, but the first has {first}", self.seen)));
        }
        let begin = self.now;
        let delay = self.delay(delay);
        self.common_delay = (self.seen == 0 || self.common_delay == Some(delay)).then_some(delay);
        self.now += delay;
        self.seen += 1;
        if self.now <= self.wanted.start + TOLERANCE || begin >= self.wanted.end - TOLERANCE {
            return Ok(());
        }
        let fit = self.fit.as_ref().expect("made just above");
        match picture {
            Pixels::Grey(grey) => fit.append(grey, &mut self.pixels),
            Pixels::Colour(colours) => {
                let rule = self.look.grey;
                let colours = colours.as_chunks().0;
                self.colour |= colours.iter().any(|[r, g, b]| r != g || g != b);
                let grey: Vec<u8> = colours.iter().map(|&colour| rule.of(colour)).collect();
                fit.append(&grey, &mut self.pixels);
            }
        }
        self.ends.push(self.now);
        Ok(())
    }

    /// All pictures that are seen.
    pub(super) fn finish(self) -> Result<Footage, ClipError> {
        let about = self.announced.unwrap_or(Announced {
            pictures: Some(self.seen),
            secs: Some(self.now),
            frames_per_sec: self.common_delay.map(|delay| 1.0 / delay),
            is_coloured: self.colour,
        });
        let Some(fit) = self.fit.as_ref().filter(|_| !self.ends.is_empty()) else {
            return Err(self.not_a_clip(match self.seen {
                0 => "it holds no pictures".to_owned(),
                _ => format!("it lasts {:.2} s, and `start_secs` is {}", self.now, self.wanted.start),
            }));
        };
        let until = self.ends.last().copied().unwrap_or(0.0).min(self.wanted.end);
        let shown_secs = until - self.wanted.start;
        if shown_secs > MOST_SECS {
            return Err(self.too_large(format!(
                "it lasts {:.1} hours, and at most {} are shown",
                shown_secs / 3600.0,
                MOST_SECS / 3600.0
            )));
        }
        let info = ClipInfo {
            raster: fit.source,
            pictures: about.pictures,
            frames_per_sec: about.frames_per_sec,
            duration_secs: about.secs.unwrap_or(self.now),
            shown_secs,
            colour: about.is_coloured,
            cut: fit.seen.map(|part| 1.0 - part),
            on_screen: fit.place.raster,
        };
        Ok(Footage::new(fit.place, self.wanted, self.pixels, self.ends, info))
    }
}

/// The values of one picture.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pixels<'a> {
    /// One each.
    Grey(&'a [u8]),
    /// Red, green and blue each.
    Colour(&'a [u8]),
}
