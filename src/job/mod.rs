//! Work beside the window: named threads, progress and cancelling.

mod progress;
mod worker;

pub use progress::{Cancelled, Progress};
pub use worker::{Job, Lost, Worker};
