//! How the learning rate and the seeds change over the epochs.

use std::f64::consts::PI;

/// Learning rate along half a cosine in every cycle, after a linear warm-up in the first ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CosineLr {
    /// Rate at the top.
    pub lr: f64,
    /// Epochs of a cycle.
    pub cycle_size: usize,
    /// Epochs of the warm-up.
    pub warmup_epochs: usize,
    /// Cycles that begin with a warm-up.
    pub warmup_cycles: usize,
}

impl CosineLr {
    /// Learning rate throughout an epoch of a cycle, both counted from 0.
    pub fn at(&self, epoch: usize, cycle: usize) -> f64 {
        let warm = if cycle < self.warmup_cycles { self.warmup_epochs.min(self.cycle_size) } else { 0 };
        if epoch < warm {
            return self.lr * (epoch as f64 + 0.5) / warm as f64;
        }
        let progress = (epoch - warm) as f64 / (self.cycle_size - warm).max(1) as f64;
        self.lr * ((PI * progress).cos() + 1.0) / 2.0
    }
}

/// The seed of every epoch, which starts both its training and its validation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seeds {
    /// Seed of the whole training.
    pub seed: u64,
    /// This process among those that train together.
    pub rank: u64,
    /// Number of those processes.
    pub world: u64,
}

impl Seeds {
    /// A training in one process.
    pub fn single(seed: u64) -> Self {
        Self { seed, rank: 0, world: 1 }
    }

    /// Seed of an epoch of a cycle of this many epochs.
    pub fn at(&self, epoch: usize, cycle: usize, cycle_size: usize) -> u64 {
        let epochs = (cycle_size as u64).wrapping_mul(cycle as u64).wrapping_add(epoch as u64);
        self.seed.wrapping_add(self.rank).wrapping_add(self.world.wrapping_mul(epochs))
    }
}
