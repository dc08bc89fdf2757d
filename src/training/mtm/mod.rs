//! Optimizer and learning rate of the masked transformer over spikes (Zhang et al. 2024).

mod adam_w;
mod one_cycle;

pub use adam_w::{AdamW, AdamWConfig, AdamWState};
pub use one_cycle::OneCycle;
