//! Tests of science: analysis, experiments and figures.

mod builtin;
mod comparison;
mod confidence;
pub mod evaluation;
mod figures;
mod files;
mod fits;
mod import;
mod kept_figures;
mod maps;
mod movie_file;
mod outcomes;
mod pilot;
mod population;
mod presets;
mod probed;
mod protocol;
mod recorded;
mod reliability;
mod run;
mod session;
mod simulated;
mod spikes;
mod statistics;
mod study;
mod tuned;
mod tuning;
