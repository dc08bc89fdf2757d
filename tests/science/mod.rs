//! Tests of science: analysis, experiments and figures.

mod figures;
mod files;
mod pilot;
mod protocol;
mod run;
mod session;
mod simulated;
mod tuned;
mod tuning;
