//! Tests of stimulus.
