//! Tests of science: analysis, experiments and figures.

<<<<<<< HEAD
pub mod evaluation;
=======
mod confidence;
>>>>>>> analysis
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
mod reliability;
mod run;
mod session;
mod simulated;
mod spikes;
mod statistics;
mod tuned;
mod tuning;
