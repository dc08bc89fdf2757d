//! From a protocol to a schedule: which condition is shown when, and with which seed.
//!
//! Chance here is a function of (seed, counters) with no memory, made of whole-number arithmetic only, so that the
//! same protocol gives the same schedule on every machine.

use super::Protocol;
use super::timing::Order;
use crate::signals::Monitor;
use crate::stimulus::schedule::{Condition, Presentation, Schedule};

/// Keeps the numbers that order a block apart from the seeds of its presentations.
const ORDER: u64 = 0x6f72_6465_7200_0000;
const PRESENTATION: u64 = 0x7072_6573_656e_7400;
/// In the place of a repeat: the order of all presentations together.
const ALL: u64 = u64::MAX;

impl Protocol {
    /// Presentations in order: grey lead-in, then one block of all conditions and blanks for each repeat, grey after
    /// each presentation and more of it after each trial. The order of repeats says what is shuffled.
    pub fn schedule(&self, monitor: &Monitor) -> Schedule {
        let conditions = self.conditions();
        let frames_in = |secs| monitor.frame_rate.frames_in(secs);
        let (shown, blank) = (frames_in(self.timing.stimulus_secs), frames_in(self.timing.blank_secs));
        let (per_trial, between) = (self.timing.per_trial, frames_in(self.timing.between_trials_secs));
        let mut onset_frame = frames_in(self.timing.lead_in_secs);
        let mut repeats = vec![0; conditions.len()];
        let mut presentations = Vec::new();
        for condition in self.sequence(&conditions) {
            let repeat = repeats[condition];
            repeats[condition] += 1;
            let draw = if self.repeats.frozen { 0 } else { repeat as u64 };
            let seed = mix(&[self.repeats.seed, PRESENTATION, condition as u64, draw]);
            presentations.push(Presentation { condition, repeat, onset_frame, frames: shown, seed });
            onset_frame += shown + blank;
            if per_trial > 0 && presentations.len() % per_trial == 0 {
                onset_frame += between;
            }
        }
        Schedule { conditions, presentations, frames: onset_frame }
    }

    /// Everything that is swept, part by part, with all parameters fixed; last the blank, when there are blanks.
    pub fn conditions(&self) -> Vec<Condition> {
        let mut conditions: Vec<Condition> =
            self.parts().enumerate().flat_map(|(index, part)| part.conditions(index)).collect();
        if self.repeats.blanks > 0 {
            conditions.push(Condition { part: None, ..Condition::from(self.stimulus.clone()) });
        }
        conditions
    }

    /// Indices of conditions in the order in which they are shown.
    fn sequence(&self, conditions: &[Condition]) -> Vec<usize> {
        let blanks = self.repeats.blanks;
        let shown = conditions.len() - usize::from(blanks > 0);
        let block = with_blanks(shown, blanks);
        let seed = self.repeats.seed;
        let mut sequence = Vec::with_capacity(block.len() * self.repeats.count);
        for repeat in 0..self.repeats.count {
            let mut block = block.clone();
            if self.repeats.order == Order::Blocks {
                shuffle(&mut block, seed, repeat as u64);
            }
            sequence.append(&mut block);
        }
        if self.repeats.order == Order::Full {
            shuffle(&mut sequence, seed, ALL);
        }
        sequence
    }
}

/// Indices of the conditions shown in one block, with blanks, whose index is the next one, spread evenly among them.
fn with_blanks(shown: usize, blanks: usize) -> Vec<usize> {
    let mut block = Vec::with_capacity(shown + blanks);
    for condition in 0..shown {
        block.push(condition);
        // Blanks due after so many conditions less those that were shown.
        let due = |conditions: usize| conditions * blanks / shown;
        block.extend(std::iter::repeat_n(shown, due(condition + 1) - due(condition)));
    }
    block
}

/// Fisher and Yates' shuffle.
fn shuffle(order: &mut [usize], seed: u64, repeat: u64) {
    for last in (1..order.len()).rev() {
        let chance = mix(&[seed, ORDER, repeat, last as u64]);
        order.swap(last, below(last as u64 + 1, chance) as usize);
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
