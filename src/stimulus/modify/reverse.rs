//! Time reversal: the frames of a stated time are shown from the last to the first, and those of the next such time after
//! them. A clip that is shorter is reversed as a whole.

use super::super::fields::{Field, parameters};
use super::{Change, ModifierParameters, Prepared, StimulusError, window};

parameters! {
    /// Shows the frames backwards.
    pub struct Reverse {
        /// Time that is shown backwards, seconds: that of the presentation.
        duration_secs: f64 = 10.0, Field::number(
            "Duration",
            "s",
            (0.01, 3600.0),
            1.0,
            "Time that is shown backwards: set it to that of the presentation",
        );
    }
}

impl ModifierParameters for Reverse {
    fn prepare(
        &self,
        below: &Prepared,
        _nested: Option<Prepared>,
        _seed: u64,
    ) -> Result<Box<dyn Change>, StimulusError> {
        let length = below.monitor().frame_rate.frames_in(self.duration_secs).max(1);
        Ok(Box::new(Backwards { length, end: below.frames() }))
    }
}

/// Windows of so many frames, of something that may end.
#[derive(Debug)]
struct Backwards {
    length: usize,
    end: Option<usize>,
}

impl Change for Backwards {
    fn source_frame(&self, frame: usize) -> Option<usize> {
        let (start, count) = window(frame, self.length, self.end)?;
        // A frame beyond all time has none to be swapped with.
        Some(start.saturating_add(count - 1 - (frame - start)))
    }
}
