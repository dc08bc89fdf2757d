//! Dropout without memory of its own: what is dropped is drawn again where it is needed again.

use super::rows::vectorised;
use crate::model::mtm::chance::{Topic, sub_seed};
use crate::model::mtm::config::MtmConfig;
use crate::model::mtm::dropout::{CHUNK, least_kept, scale};
use crate::model::twin::engine::simd::Simd;
use crate::stimulus::hash::random_words_from;

/// What is dropped at one place of the network.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drop {
    seed: u64,
    least: u32,
    /// What those that are kept are multiplied by.
    pub scale: f32,
}

/// Places of the network where numbers are dropped, in the order of a pass.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    Embedding,
    Attention(usize),
    Attended(usize),
    Hidden(usize),
    Fed(usize),
}

impl Drop {
    /// `None` where nothing is.
    pub fn at(place: Place, seed: Option<u64>, config: &MtmConfig) -> Option<Self> {
        let (index, share) = match place {
            Place::Embedding => (0, config.embedding_dropout),
            Place::Attention(layer) => (4 * layer + 1, config.dropout),
            Place::Attended(layer) => (4 * layer + 2, config.dropout),
            Place::Hidden(layer) => (4 * layer + 3, config.dropout),
            Place::Fed(layer) => (4 * layer + 4, config.dropout),
        };
        let seed = seed.filter(|_| share > 0.0)?;
        Some(Self { seed: sub_seed(seed, Topic::Dropout, index as u32), least: least_kept(share), scale: scale(share) })
    }
}

/// Numbers that are drawn together.
const RUN: usize = 32;

/// What the numbers from `start` on are multiplied by: 0 for those that are dropped. 1 without dropout.
pub(super) fn multipliers(drop: Option<Drop>, start: usize, values: &mut [f32]) {
    match drop {
        Some(drop) => drawn(drop, start, values),
        None => values.fill(1.0),
    }
}

vectorised! {
    /// Draws them.
    fn drawn(drop: Drop, start: usize, values: &mut [f32]) = draw
}

#[inline(always)]
unsafe fn draw<S: Simd>(drop: Drop, start: usize, values: &mut [f32]) {
    let mut done = 0;
    while done < values.len() {
        let place = start + done;
        let skip = place % RUN;
        let run = run(drop, place - skip);
        if skip == 0 && values.len() - done >= RUN {
            values[done..done + RUN].copy_from_slice(&run);
            done += RUN;
        } else {
            let count = (RUN - skip).min(values.len() - done);
            values[done..done + count].copy_from_slice(&run[skip..skip + count]);
            done += count;
        }
    }
}

/// Those of a whole run.
#[inline(always)]
fn run(drop: Drop, start: usize) -> [f32; RUN] {
    let words = random_words_from::<{ RUN / 4 }>(drop.seed, (start % CHUNK / 4) as u32, (start / CHUNK) as u32);
    let mut values = [0.0; RUN];
    for (word, words) in words.iter().enumerate() {
        for (block, &lot) in words.iter().enumerate() {
            values[4 * block + word] = if lot >= drop.least { drop.scale } else { 0.0 };
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::mtm::dropout::kept;

    #[test]
    fn any_part_is_that_of_all_that_is_drawn() {
        let config = MtmConfig { dropout: 0.4, ..MtmConfig::small() };
        let drop = Drop::at(Place::Hidden(2), Some(7), &config).expect("dropped");
        let all = kept(sub_seed(7, Topic::Dropout, 11), 0.4, 2 * CHUNK + 100);
        for (start, count) in [(0, 64), (3, 102), (CHUNK - 50, 102), (CHUNK, 31), (2 * CHUNK - 1, 101), (96, 7)] {
            let mut values = vec![2.0; count];
            multipliers(Some(drop), start, &mut values);
            assert_eq!(values, all[start..start + count], "from {start}");
        }
        let mut values = [2.0; 9];
        multipliers(None, 5, &mut values);
        assert_eq!(values, [1.0; 9]);
    }
}
