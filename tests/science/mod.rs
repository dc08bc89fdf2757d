//! Tests of science: analysis, experiments and figures.

mod figures;
mod files;
mod import;
mod movie_file;
mod pilot;
mod presets;
mod protocol;
mod run;
mod session;
mod simulated;
mod tuned;
mod tuning;
