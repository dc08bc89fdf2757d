//! One binary for all integration tests: every further one would link the whole GPU stack again.
#![recursion_limit = "256"]

mod device;
mod ffmpeg;
mod fixture;
mod gpu;

mod cli;
mod model;
mod science;
mod stimulus;
mod ui;
