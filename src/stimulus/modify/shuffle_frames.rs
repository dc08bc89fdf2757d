//! Frame shuffling: the frames of each time window are shown in random order, each once; or blocks of frames, within
//! which motion is kept. A window that a clip ends in is shorter, and so is the last block of a window.

use super::super::fields::{Field, parameters};
use super::super::hash::random_words;
use super::{Change, ModifierParameters, Prepared, StimulusError, window};
use crate::signals::Monitor;

parameters! {
    /// Shows frames in random order.
    pub struct ShuffleFrames {
        /// Time within which frames change places, seconds: that of the presentation.
        window_secs: f64 = 10.0, Field::number(
            "Window",
            "s",
            (0.01, 600.0),
            1.0,
            "Time within which frames change places: set it to that of the presentation, or shorter",
        );
        /// Time that stays together, seconds; 0 is single frames.
        block_secs: f64 = 0.0, Field::number(
            "Block",
            "s",
            (0.0, 60.0),
            0.1,
            "Length of the pieces that stay together; 0 shuffles single frames",
        );
    }
}

/// Most frames of one window: ten minutes at 240 Hz and some more.
const MOST_FRAMES: usize = 200_000;

impl ModifierParameters for ShuffleFrames {
    fn is_random(&self) -> bool {
        self.block_secs < self.window_secs
    }

    fn check(&self, monitor: &Monitor) -> Result<(), StimulusError> {
        let frames = monitor.frame_rate.frames_in(self.window_secs);
        if frames > MOST_FRAMES {
            return Err(StimulusError::Impossible {
                stimulus: "Frame shuffling",
                key: "window_secs",
                what: format!("is {}: {frames} frames; at most {MOST_FRAMES} are shuffled", self.window_secs),
            });
        }
        Ok(())
    }

    fn prepare(
        &self,
        below: &Prepared,
        _nested: Option<Prepared>,
        seed: u64,
    ) -> Result<Box<dyn Change>, StimulusError> {
        let frames = |secs: f64| below.monitor().frame_rate.frames_in(secs).max(1);
        let (length, block) = (frames(self.window_secs), frames(self.block_secs));
        Ok(Box::new(Shuffle { seed, length, block, end: below.frames() }))
    }
}

/// Windows and blocks of so many frames, of something that may end.
#[derive(Debug)]
struct Shuffle {
    seed: u64,
    length: usize,
    block: usize,
    end: Option<usize>,
}

impl Shuffle {
    /// Blocks of a window in the order in which they are shown: Fisher and Yates.
    fn order(&self, blocks: usize, number: u32) -> Vec<u32> {
        let mut order: Vec<u32> = (0..blocks as u32).collect();
        for last in (1..blocks).rev() {
            let [word, ..] = random_words(self.seed, last as u32, number);
            let other = (u64::from(word) * (last as u64 + 1)) >> 32;
            order.swap(last, other as usize);
        }
        order
    }
}

impl Change for Shuffle {
    fn source_frame(&self, frame: usize) -> Option<usize> {
        let (start, count) = window(frame, self.length, self.end)?;
        let mut left = frame - start;
        for block in self.order(count.div_ceil(self.block), (start / self.length) as u32) {
            let first = block as usize * self.block;
            let size = self.block.min(count - first);
            if left < size {
                // A frame beyond all time has none to be swapped with.
                return Some(start.saturating_add(first + left));
            }
            left -= size;
        }
        None
    }
}
