//! Tests of science: analysis, experiments and figures.

pub mod evaluation;
mod figures;
mod files;
mod fits;
mod movie_file;
mod pilot;
mod presets;
mod protocol;
mod reliability;
mod run;
mod session;
mod simulated;
mod spikes;
mod statistics;
mod tuned;
mod tuning;
