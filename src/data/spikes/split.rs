//! Which trials a model learns from, which choose among its versions, and which score it.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::stimulus::hash::random_words;

/// Trials by what they are for. Trials in none of the lists are left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Split {
    /// To learn from.
    pub train: Vec<usize>,
    /// To choose settings and the best epoch by.
    pub validation: Vec<usize>,
    /// For scores alone.
    pub test: Vec<usize>,
    /// Seed of the draw, where there was one.
    pub seed: Option<u64>,
}

/// Shares of the trials.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Shares {
    /// Of all trials that are not for tests.
    pub validation: f64,
    /// Of all trials.
    pub test: f64,
}

impl Default for Shares {
    fn default() -> Self {
        Self { validation: 0.15, test: 0.2 }
    }
}

impl Split {
    /// Splits so many trials at random.
    pub fn drawn(trials: usize, shares: Shares, seed: u64) -> Self {
        let mut order = shuffled(trials, seed);
        let rest = order.split_off(part(trials, shares.test));
        Self::of_lists(rest, order, shares.validation, seed)
    }

    /// Keeps the given trials for tests and splits the others at random.
    pub fn around_test(trials: usize, test: &[usize], validation_share: f64, seed: u64) -> Self {
        let kept: HashSet<usize> = test.iter().copied().collect();
        let rest = shuffled(trials, seed).into_iter().filter(|trial| !kept.contains(trial)).collect();
        Self::of_lists(rest, test.to_vec(), validation_share, seed)
    }

    fn of_lists(mut rest: Vec<usize>, mut test: Vec<usize>, validation_share: f64, seed: u64) -> Self {
        let mut train = rest.split_off(part(rest.len(), validation_share));
        train.sort_unstable();
        rest.sort_unstable();
        test.sort_unstable();
        Self { train, validation: rest, test, seed: Some(seed) }
    }

    /// Checks that every trial exists and stands in at most one list.
    ///
    /// # Errors
    /// A clause about the first that does not.
    pub fn check(&self, trials: usize) -> Result<(), String> {
        let mut seen = vec![false; trials];
        for &trial in self.train.iter().chain(&self.validation).chain(&self.test) {
            match seen.get_mut(trial) {
                Some(seen) if !*seen => *seen = true,
                Some(_) => return Err(format!("trial {trial} is for training, validation or tests twice")),
                None => return Err(format!("the split names trial {trial}, but there are {trials} trials")),
            }
        }
        Ok(())
    }
}

fn part(count: usize, share: f64) -> usize {
    ((share * count as f64).round() as usize).min(count)
}

/// The numbers below `count` in a random order that the seed decides.
pub fn shuffled(count: usize, seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    // Sorting by 96 random bits: ties are as good as impossible, and the index breaks them.
    order.sort_by_cached_key(|&index| {
        let [a, b, c, _] = random_words(seed, index as u32, (index as u64 >> 32) as u32);
        (a, b, c)
    });
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trial_has_one_place_and_the_seed_decides() {
        let split = Split::drawn(100, Shares::default(), 3);
        assert_eq!((split.test.len(), split.validation.len(), split.train.len()), (20, 12, 68));
        assert_eq!(split.check(100), Ok(()));
        assert_eq!(split, Split::drawn(100, Shares::default(), 3));
        assert_ne!(split, Split { seed: Some(3), ..Split::drawn(100, Shares::default(), 3 | 1 << 63) });
    }

    #[test]
    fn given_test_trials_are_kept() {
        let split = Split::around_test(10, &[7, 2], 0.25, 1);
        assert_eq!((&split.test[..], split.validation.len(), split.train.len()), (&[2, 7][..], 2, 6));
        assert_eq!(split.check(10), Ok(()));
    }

    #[test]
    fn trials_that_are_twice_or_not_there_are_refused() {
        let split = |train: &[usize], test: &[usize]| {
            Split { train: train.to_vec(), test: test.to_vec(), ..Split::default() }.check(5)
        };
        assert!(split(&[0, 1], &[1]).is_err_and(|what| what.contains("trial 1")));
        assert!(split(&[0, 5], &[]).is_err_and(|what| what.contains("trial 5")));
        assert_eq!(split(&[0], &[4]), Ok(()), "trials may be left out");
    }

    #[test]
    fn every_order_is_as_likely() {
        let mut firsts = [0; 5];
        (0..1000).for_each(|seed| firsts[shuffled(5, seed)[0]] += 1);
        // 1000 draws of five: four standard errors are 51.
        assert!(firsts.iter().all(|&count: &i32| (count - 200).abs() < 51), "{firsts:?}");
    }
}
