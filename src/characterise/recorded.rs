//! The kept trials of a recording, one after the other: responses and movies that are read when they are looked at.

use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use crate::data::{Record, SessionError, Trial};
use crate::signals::{FrameSource, Raster, ResponseRows, SourceError};

/// Trials one after the other.
#[derive(Debug)]
pub(super) struct Recorded {
    trials: Vec<Trial>,
    /// First frame of each trial, and the number of all.
    starts: Vec<usize>,
    /// The units that are looked at; `None` for all.
    some: Option<Vec<usize>>,
    units: usize,
    /// The trial that was read last, of a recording that is not read row by row.
    last: Mutex<Option<(usize, Arc<Record>)>>,
}

impl Recorded {
    /// Some units, in ascending order, of trials with so many.
    pub(super) fn new(trials: Vec<Trial>, some: Vec<usize>, of: usize) -> Self {
        let units = some.len();
        let some = (units < of).then_some(some);
        Self { starts: starts(&trials), trials, some, units, last: Mutex::new(None) }
    }

    fn record(&self, index: usize) -> Result<Arc<Record>, SessionError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, record)) = last.as_ref().filter(|(known, _)| *known == index) {
            return Ok(Arc::clone(record));
        }
        // What is no longer needed goes before the next one comes.
        *last = None;
        let record = self.trials[index].record()?;
        *last = Some((index, Arc::clone(&record)));
        Ok(record)
    }
}

/// First frame of each trial, and the number of all frames.
pub(super) fn starts(trials: &[Trial]) -> Vec<usize> {
    let ends = trials.iter().scan(0, |end, trial| {
        *end += trial.frames;
        Some(*end)
    });
    std::iter::once(0).chain(ends).collect()
}

/// The trials that some frames lie in, with the frames of each, counted from its beginning.
fn parts(starts: &[usize], frames: Range<usize>) -> impl Iterator<Item = (usize, Range<usize>)> {
    let from = starts.partition_point(|&start| start <= frames.start).saturating_sub(1);
    (from..starts.len() - 1).take_while(move |&index| starts[index] < frames.end).map(move |index| {
        let (start, end) = (starts[index], starts[index + 1]);
        (index, frames.start.max(start) - start..frames.end.min(end) - start)
    })
}

impl ResponseRows for Recorded {
    fn frames(&self) -> usize {
        self.starts.last().copied().unwrap_or(0)
    }
    fn samples(&self) -> usize {
        1
    }
    fn units(&self) -> usize {
        self.units
    }
    fn each_row(&self, frames: Range<usize>, sample: usize, take: &mut dyn FnMut(&[f32])) -> io::Result<()> {
        if frames.end > self.frames() || sample > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut kept = vec![0.0; self.units];
        let take = &mut |row: &[f32]| match &self.some {
            None => take(row),
            Some(some) => {
                kept.iter_mut().zip(some).for_each(|(value, &unit)| *value = row[unit]);
                take(&kept);
            }
        };
        for (index, some) in parts(&self.starts, frames) {
            let trial = &self.trials[index];
            if trial.is_read_by_rows() {
                trial.each_row(some, take).map_err(io::Error::other)?;
            } else {
                self.record(index).map_err(io::Error::other)?.responses.each_row(some, 0, take)?;
            }
        }
        Ok(())
    }
}

/// The movies of trials, one after the other; those without one are not read.
pub(super) struct RecordedMovie {
    trials: Vec<Trial>,
    starts: Vec<usize>,
    raster: Raster,
    open: Option<(usize, Box<dyn FrameSource>)>,
}

impl RecordedMovie {
    pub(super) fn new(trials: Vec<Trial>, raster: Raster) -> Self {
        Self { starts: starts(&trials), trials, raster, open: None }
    }
}

impl FrameSource for RecordedMovie {
    fn raster(&self) -> Raster {
        self.raster
    }
    fn frames(&self) -> usize {
        self.starts.last().copied().unwrap_or(0)
    }
    fn samples(&self) -> usize {
        1
    }
    fn read(&mut self, start: usize, count: usize, pixels: &mut [u8]) -> Result<(), SourceError> {
        let size = self.raster.pixels();
        let end = start.checked_add(count).filter(|&end| end <= self.frames() && pixels.len() == count * size);
        let Some(end) = end else {
            let frames = self.frames();
            let what = format!("{count} frames from {start} on were asked of trials of {frames} frames in all");
            return Err(SourceError::new(what));
        };
        let mut rest = pixels;
        for (index, some) in parts(&self.starts, start..end) {
            let mut movie = match self.open.take().filter(|(opened, _)| *opened == index) {
                Some((_, movie)) => movie,
                None => self.trials[index].movie().map_err(|error| SourceError::new(error.to_string()))?,
            };
            if movie.raster() != self.raster {
                let (found, expected) = (movie.raster(), self.raster);
                return Err(SourceError::new(format!("a movie has {found} pixels, the session has {expected}")));
            }
            let (now, later) = rest.split_at_mut(some.len() * size);
            movie.read(some.start, some.len(), now)?;
            rest = later;
            self.open = Some((index, movie));
        }
        Ok(())
    }
}
