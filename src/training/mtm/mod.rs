//! Training of the masked transformer over spikes (Zhang et al. 2024).

mod adam_w;
mod fit;
mod one_cycle;

pub use adam_w::{AdamW, AdamWConfig, AdamWState};
pub use fit::{Best, EpochReport, Fit, FitConfig, FitError, FitSession, FitState};
pub use one_cycle::OneCycle;
