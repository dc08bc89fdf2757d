//! Simulated mice.
