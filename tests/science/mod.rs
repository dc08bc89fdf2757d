//! Tests of science: analysis, experiments and figures.

mod characterise;
mod confidence;
pub mod evaluation;
mod figures;
mod files;
mod fits;
mod import;
mod maps;
mod movie_file;
mod optimised;
mod pilot;
mod population;
mod presets;
mod probed;
mod protocol;
mod reliability;
mod run;
mod session;
mod simulated;
mod spikes;
mod statistics;
mod study;
mod tuned;
mod tuning;
