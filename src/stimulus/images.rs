//! Static images from a folder, one after the other with grey between them.
//!
//! The pictures of the folder stand in the natural order of their names, and are numbered from 0 in that order. Each is
//! on for `on_secs` and then the background for a time drawn evenly, in whole frames, from
//! `off_secs - off_jitter_secs ..= off_secs + off_jitter_secs`: with the defaults 15 frames on and 12 to 18 grey at
//! 30 Hz, as in Wang et al. 2025. The jitter, and the order where it is shuffled, come from the seed.
//!
//! `image` shows one picture alone, for a sweep in which each is a condition of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::clip::{CONTRAST, CROP_X, CROP_Y, FIT, Grey, Look, PictureFit, Still, file_parameters, picture_files};
use super::drawing::{Drawing, Kind};
use super::fields::{Field, choices};
use super::hash::random_words;
use super::screen::Screen;
use super::{ClipError, StimulusError};
use crate::signals::{FrameRate, Monitor};

choices! {
    /// In which order the images follow each other.
    pub enum ImageOrder {
        /// In the natural order of their names.
        Listed = "listed", "By name";
        /// In an order drawn from the seed; with a `count`, the images are drawn too.
        Shuffled = "shuffled", "Shuffled";
    }
}

file_parameters! {
    /// Images of a folder, one after the other with grey between them.
    pub struct Images {
        /// The folder; relative to the protocol.
        path;
        /// How long each image is on, seconds.
        on_secs: f64 = 0.5, Field::number("Time on", "s", (0.01, 600.0), 0.05, "How long each image is shown");
        /// How long the background is shown after each, seconds.
        off_secs: f64 = 0.5,
            Field::number("Time off", "s", (0.0, 600.0), 0.05, "How long the background is shown after each image");
        /// How much longer or shorter that may be, seconds.
        off_jitter_secs: f64 = 0.1, Field::number(
            "Jitter of the time off",
            "s",
            (0.0, 600.0),
            0.05,
            "The time off is drawn evenly from this much less to this much more",
        );
        /// In which order the images follow each other.
        order: ImageOrder = ImageOrder::Listed,
            Field::choice("Order", ImageOrder::OPTIONS, "In which order the images follow each other");
        /// Number of images that are shown; 0 shows all.
        count: i32 = 0, Field::number(
            "Number of images",
            "",
            (0.0, 100_000.0),
            1.0,
            "How many images are shown; 0 shows all of the folder",
        );
        /// The one image that is shown, from 0 in the order of the names; -1 shows the sequence.
        image: i32 = -1, Field::number(
            "One image",
            "",
            (-1.0, 99_999.0),
            1.0,
            "Shows this image alone, counted from 0 in the order of the names; -1 shows one after the other",
        );
        /// What happens to a picture of another shape.
        fit: PictureFit = PictureFit::Crop, FIT;
        /// Which part is kept where the sides are cut, -1 (left) to 1 (right).
        crop_x: f64 = 0.0, CROP_X;
        /// Which part is kept where top and bottom are cut, -1 (bottom) to 1 (top).
        crop_y: f64 = 0.0, CROP_Y;
        /// Factor on the differences from the mean of each image, 0..=2.
        contrast: f64 = 1.0, CONTRAST;
    }
}

/// Most bytes of pictures, at the monitor's raster.
const LARGEST_BYTES: usize = 2 << 30;
/// Longest sequence, seconds: the longest movie of a run.
const MOST_SECS: f64 = 10.0 * 3600.0;
/// What the random numbers are for.
const FOR_ORDER: u32 = 0;
const FOR_JITTER: u32 = 1;

impl Images {
    /// Shortest and longest time off, frames.
    fn off_frames(&self, rate: FrameRate) -> (usize, usize) {
        let least = rate.frames_in(self.off_secs - self.off_jitter_secs);
        (least, rate.frames_in(self.off_secs + self.off_jitter_secs).max(least))
    }
}

impl Kind for Images {
    fn idle(&self, key: &str) -> Option<&'static str> {
        match key {
            "crop_x" | "crop_y" if self.fit != PictureFit::Crop => Some("nothing is cut off; set `fit` to \"crop\""),
            "off_secs" | "off_jitter_secs" | "order" | "count" if self.image >= 0 => {
                Some("one image is shown alone; set `image` to -1")
            }
            _ => None,
        }
    }

    fn check(&self, monitor: &Monitor) -> Result<(), StimulusError> {
        let impossible = |key, what| Err(StimulusError::Impossible { stimulus: "Static images", key, what });
        if self.off_jitter_secs > self.off_secs {
            let what = format!("is {}, more than the time off of {} s", self.off_jitter_secs, self.off_secs);
            return impossible("off_jitter_secs", what);
        }
        if monitor.frame_rate.frames_in(self.on_secs) == 0 {
            return impossible("on_secs", format!("is {}, less than half a frame of the screen", self.on_secs));
        }
        Ok(())
    }

    fn is_random(&self) -> bool {
        self.image < 0 && (self.order == ImageOrder::Shuffled || self.off_jitter_secs > 0.0)
    }

    fn path(&self) -> Option<&Path> {
        Some(&self.path)
    }

    fn resolve_paths(&mut self, folder: &Path) {
        self.path = folder.join(&self.path);
    }

    fn prepare(&self, screen: &Arc<Screen>, seed: u64) -> Result<Arc<dyn Drawing>, StimulusError> {
        if self.path.as_os_str().is_empty() {
            return Err(ClipError::NoFolder.into());
        }
        Ok(Arc::new(ImageSequence::new(self, picture_files(&self.path)?, screen.monitor(), seed)?))
    }
}

/// The images of a folder and when each is on the screen.
#[derive(Debug, Clone)]
pub struct ImageSequence {
    files: Vec<PathBuf>,
    /// In order of onset.
    shown: Vec<ShownImage>,
    pictures: Vec<Still>,
    frames: usize,
}

/// One image in a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShownImage {
    /// Number of the image, from 0 in the natural order of the names.
    pub image: usize,
    /// First frame.
    pub onset_frame: usize,
    /// Number of frames for which it is on.
    pub frames: usize,
}

impl ImageSequence {
    fn new(images: &Images, files: Vec<PathBuf>, monitor: &Monitor, seed: u64) -> Result<Self, StimulusError> {
        let rate = monitor.frame_rate;
        let on = rate.frames_in(images.on_secs).max(1);
        let mut order: Vec<usize> = (0..files.len()).collect();
        match usize::try_from(images.image) {
            Ok(image) if image < files.len() => order = vec![image],
            Ok(image) => {
                let what = format!("is {image}, but the folder has {} images, counted from 0", files.len());
                return Err(StimulusError::Impossible { stimulus: "Static images", key: "image", what });
            }
            Err(_) => {
                if images.order == ImageOrder::Shuffled {
                    shuffle(&mut order, seed);
                }
                if images.count > 0 {
                    order.truncate(images.count as usize);
                }
            }
        }
        let too_large = |what| ClipError::TooLarge { path: images.path.clone(), what };
        let (least, most) = images.off_frames(rate);
        if (order.len() as f64) * ((on + most) as f64) > MOST_SECS * rate.0 {
            let hours = MOST_SECS / 3600.0;
            let what = format!("{} images last longer than {hours} hours; set a `count`", order.len());
            return Err(too_large(what).into());
        }
        if order.len().saturating_mul(monitor.raster.pixels()) > LARGEST_BYTES {
            let what =
                format!("{} images of this screen take more than {LARGEST_BYTES} bytes; set a `count`", order.len());
            return Err(too_large(what).into());
        }
        let mut at = 0;
        let shown: Vec<ShownImage> = order
            .iter()
            .enumerate()
            .map(|(position, &image)| {
                let onset_frame = at;
                let word = random_words(seed, position as u32, FOR_JITTER)[0];
                at += on + least + below(word, most - least + 1);
                ShownImage { image, onset_frame, frames: on }
            })
            .collect();
        let look = Look { fit: images.fit, crop_x: images.crop_x, crop_y: images.crop_y, grey: Grey::Rec601 };
        let read: Vec<_> =
            order.par_iter().map(|&image| Still::read(&files[image], look, monitor, images.contrast)).collect();
        // The first that cannot be read is named, whichever thread was the fastest.
        let pictures = read.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(Self { files, shown, pictures, frames: at })
    }

    /// The image that is on at a frame, from 0 in the natural order of the names; `None` on grey.
    pub fn at(&self, frame: usize) -> Option<usize> {
        self.position(frame).map(|position| self.shown[position].image)
    }

    /// All images that are shown, in order of onset.
    pub fn shown(&self) -> &[ShownImage] {
        &self.shown
    }

    /// Number of images in the folder.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether the folder has no images; it always has some.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// File of an image.
    pub fn file(&self, image: usize) -> Option<&Path> {
        self.files.get(image).map(PathBuf::as_path)
    }

    fn position(&self, frame: usize) -> Option<usize> {
        let position = self.shown.partition_point(|shown| shown.onset_frame <= frame).checked_sub(1)?;
        let shown = self.shown[position];
        (frame - shown.onset_frame < shown.frames).then_some(position)
    }
}

impl Drawing for ImageSequence {
    fn frame(&self, screen: &Screen, frame: usize, pixels: &mut [u8]) {
        match self.position(frame) {
            Some(position) => self.pictures[position].draw(screen.monitor(), pixels),
            None => pixels.fill(screen.monitor().background),
        }
    }

    fn frames(&self) -> Option<usize> {
        Some(self.frames)
    }

    fn images(&self) -> Option<&ImageSequence> {
        Some(self)
    }
}

/// A number below `limit`, from a random word.
fn below(word: u32, limit: usize) -> usize {
    ((u64::from(word) * limit as u64) >> 32) as usize
}

/// Fisher and Yates: every order is equally likely.
fn shuffle(order: &mut [usize], seed: u64) {
    for last in (1..order.len()).rev() {
        order.swap(last, below(random_words(seed, last as u32, FOR_ORDER)[0], last + 1));
    }
}
