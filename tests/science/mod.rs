//! Tests of science: analysis, experiments and figures.

mod figures;
mod files;
mod protocol;
mod run;
mod tuned;
mod tuning;
mod pilot;
