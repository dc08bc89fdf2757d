//! From a protocol to a schedule: which condition is shown when, and with which seed.
//!
//! Chance here is a function of (seed, counters) with no memory, made of whole-number arithmetic only, so that the
//! same protocol gives the same schedule on every machine.

use super::Protocol;
use crate::signals::Monitor;
use crate::stimulus::schedule::{Condition, Presentation, Schedule};

/// Keeps the numbers that order a block apart from the seeds of its presentations.
const ORDER: u64 = 0x6f72_6465_7200_0000;
const PRESENTATION: u64 = 0x7072_6573_656e_7400;

impl Protocol {
    /// Presentations in order: grey lead-in, then one block of all conditions for each repeat, grey after each
    /// presentation. Every block is shuffled on its own where the protocol says so.
    pub fn schedule(&self, monitor: &Monitor) -> Schedule {
        let conditions = self.conditions();
        let frames_in = |secs| monitor.frame_rate.frames_in(secs);
        let (shown, blank) = (frames_in(self.timing.stimulus_secs), frames_in(self.timing.blank_secs));
        let seed = self.repeats.seed;
        let mut onset_frame = frames_in(self.timing.lead_in_secs);
        let mut presentations = Vec::new();
        for repeat in 0..self.repeats.count {
            for condition in self.block(conditions.len(), repeat) {
                let seed = mix(&[seed, PRESENTATION, condition as u64, repeat as u64]);
                presentations.push(Presentation { condition, repeat, onset_frame, frames: shown, seed });
                onset_frame += shown + blank;
            }
        }
        Schedule { conditions, presentations, frames: onset_frame }
    }

    /// Everything that is swept, with all parameters fixed.
    fn conditions(&self) -> Vec<Condition> {
        let Some(steps) = self.sweep.direction_deg else {
            return vec![Condition { direction_deg: None, stimulus: self.stimulus.clone() }];
        };
        let turned = steps.values().map(|degrees| degrees.rem_euclid(360.0));
        let condition = |degrees| Condition {
            direction_deg: Some(degrees),
            stimulus: self.stimulus.clone().with_direction(degrees),
        };
        turned.map(condition).collect()
    }

    /// Indices of all conditions in the order of one block.
    fn block(&self, conditions: usize, repeat: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..conditions).collect();
        if self.repeats.shuffle {
            for last in (1..conditions).rev() {
                let chance = mix(&[self.repeats.seed, ORDER, repeat as u64, last as u64]);
                order.swap(last, below(last as u64 + 1, chance) as usize);
            }
        }
        order
    }
}

/// One number from several, every bit depending on all of them: for each word, the finaliser of SplitMix64
/// (Steele, Lea and Flood 2014) over the words before it.
fn mix(words: &[u64]) -> u64 {
    words.iter().fold(0, |before: u64, word| {
        let mut z = (before ^ word).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

/// A number in `0..limit` from a random word: the high half of their product.
fn below(limit: u64, chance: u64) -> u64 {
    ((u128::from(limit) * u128::from(chance)) >> 64) as u64
}
