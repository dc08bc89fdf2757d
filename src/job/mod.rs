//! Work beside the window: named threads, progress and cancelling.

mod eta;
mod progress;
mod worker;

pub use eta::Eta;
pub use progress::{Cancelled, Progress};
pub use worker::{Job, Lost, Worker};
