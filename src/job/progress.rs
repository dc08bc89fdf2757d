//! How far a long function is, and whether it should stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The user asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cancelled")]
pub struct Cancelled;

/// Shared between the one who works and the one who watches; newest value only.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    done: AtomicU64,
    total: AtomicU64,
    cancel: Arc<AtomicBool>,
}

impl Progress {
    /// Nothing done, nothing known.
    pub fn new() -> Self {
        Self::default()
    }

    /// For one step of a longer work: it counts on its own, and stops when the whole is asked to.
    pub fn step(&self) -> Self {
        Self { shared: Arc::new(Shared { cancel: Arc::clone(&self.shared.cancel), ..Shared::default() }) }
    }

    /// Announces the amount of work, in whatever unit `advance` counts.
    pub fn begin(&self, total: u64) {
        self.shared.done.store(0, Ordering::Relaxed);
        self.shared.total.store(total, Ordering::Relaxed);
    }

    /// Counts finished work.
    ///
    /// # Errors
    /// [`Cancelled`] when the user asked to stop; pass it up.
    pub fn advance(&self, amount: u64) -> Result<(), Cancelled> {
        self.shared.done.fetch_add(amount, Ordering::Relaxed);
        self.check()
    }

    /// # Errors
    /// [`Cancelled`] when the user asked to stop.
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.shared.cancel.load(Ordering::Relaxed) { Err(Cancelled) } else { Ok(()) }
    }

    /// Asks the work to stop at its next step.
    pub fn cancel(&self) {
        self.shared.cancel.store(true, Ordering::Relaxed);
    }

    /// What [`Self::cancel`] sets; for signals, which can do no more than that.
    pub fn stop_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.shared.cancel)
    }

    /// Finished part, 0..=1; `None` before the total is known.
    pub fn fraction(&self) -> Option<f32> {
        let total = self.shared.total.load(Ordering::Relaxed);
        (total > 0).then(|| (self.shared.done.load(Ordering::Relaxed) as f32 / total as f32).min(1.0))
    }
}
