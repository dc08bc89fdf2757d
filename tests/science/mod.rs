//! Tests of science: analysis, experiments and figures.

mod confidence;
mod figures;
mod files;
mod fits;
mod maps;
mod movie_file;
mod pilot;
mod population;
mod presets;
mod probed;
mod protocol;
mod run;
mod session;
mod simulated;
mod statistics;
mod tuned;
mod tuning;
