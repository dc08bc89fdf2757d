//! Tests of science: analysis, experiments and figures.

mod figures;
mod files;
mod movie_file;
mod pilot;
mod presets;
mod protocol;
mod run;
mod session;
mod simulated;
mod spikes;
mod tuned;
mod tuning;
