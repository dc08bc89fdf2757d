//! Objective and optimizers of the published training.
