//! What is asked of an analysis before it begins: the options of `twinscope analyse` that change what is found.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::recording::OpenRecording;
use crate::characterise::Look;

/// Most domains that are remembered; those of earlier recordings are forgotten first.
const MOST_REMEMBERED: usize = 200;

/// Options of an analysis; remembered between starts. By default they are those of the command line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AnalyseOptions {
    /// Resamples of every bootstrap interval.
    pub resamples: usize,
    /// Seed of everything drawn.
    pub seed: u64,
    /// Frames by which responses follow the stimulus, for maps of dots and sparse noise. Of a run alone.
    pub delay_frames: usize,
    /// Frames at the beginning of every presentation that count nothing. Of a recording alone: a protocol says its own.
    pub skip_frames: usize,
    /// Domains of recordings whose movies receptive fields are mapped from. Those that a recording does not have count
    /// nothing; where it has none of them, its domains with noise or Gaussian dots in their names are taken.
    pub receptive_fields: Vec<String>,
}

impl Default for AnalyseOptions {
    fn default() -> Self {
        let Look { resamples, seed, delay_frames, .. } = Look::default();
        Self { resamples, seed, delay_frames, skip_frames: 0, receptive_fields: Vec::new() }
    }
}

impl AnalyseOptions {
    /// Resamples that can be asked for: fewer say nothing about the ends of an interval of 95 %.
    pub const RESAMPLES: RangeInclusive<usize> = 100..=20_000;
    /// Seeds that can be asked for: a field of the window holds whole numbers up to 2^53.
    pub const SEEDS: RangeInclusive<u64> = 0..=1 << 53;
    /// Delays that can be asked for, frames.
    pub const DELAYS: RangeInclusive<usize> = 0..=60;
    /// Frames that can be skipped.
    pub const SKIPPED: RangeInclusive<usize> = 0..=1000;

    /// With every number in its range, as a field of the window would have it.
    pub(super) fn within_ranges(self) -> Self {
        fn within<T: Ord + Copy>(value: T, range: &RangeInclusive<T>) -> T {
            value.clamp(*range.start(), *range.end())
        }
        Self {
            resamples: within(self.resamples, &Self::RESAMPLES),
            seed: within(self.seed, &Self::SEEDS),
            delay_frames: within(self.delay_frames, &Self::DELAYS),
            skip_frames: within(self.skip_frames, &Self::SKIPPED),
            receptive_fields: self.receptive_fields,
        }
    }

    /// How to look at responses.
    pub(super) fn look(&self) -> Look {
        let &Self { resamples, seed, delay_frames, .. } = self;
        Look { resamples, seed, delay_frames, ..Look::default() }
    }

    /// Whether receptive fields are mapped from a domain because it was named.
    pub fn maps(&self, domain: &str) -> bool {
        self.receptive_fields.iter().any(|name| name == domain)
    }

    /// Names a domain for receptive fields, or no longer.
    pub fn set_maps(&mut self, domain: &str, maps: bool) {
        self.receptive_fields.retain(|name| name != domain);
        if maps {
            self.receptive_fields.push(domain.to_owned());
            let surplus = self.receptive_fields.len().saturating_sub(MOST_REMEMBERED);
            self.receptive_fields.drain(..surplus);
        }
    }

    /// The domains of a recording that were named, in its order; none where those are to be taken whose names tell.
    pub(super) fn domains_of(&self, open: &OpenRecording) -> Vec<String> {
        open.watchable().filter(|domain| self.maps(domain)).map(str::to_owned).collect()
    }
}
