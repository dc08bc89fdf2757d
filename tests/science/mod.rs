//! Tests of science.
