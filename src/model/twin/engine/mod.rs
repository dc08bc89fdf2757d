//! The CPU inference engine.
