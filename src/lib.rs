//! In-silico experiments on digital twins of mouse visual cortex.
//!
//! # Architecture
//! Data flows one way; modules are declared in that order and import only from above.
//!
//! ```text
//! Stimulus --Schedule--> Movie --\
//! Behavior (gaze, running) -------> Twin --> Responses --> analysis --> Figure
//! ```
//!
//! - [`signals`], [`gpu`], [`job`], `ffmpeg`, `nearest`: nouns and tools.
//! - [`stimulus`]: pictures as functions of (parameters, seed, frame).
//! - [`data`]: arrays on disk.
//! - [`model`]: the networks and their weights; a model sees a movie, never a stimulus.
//! - [`analysis`]: numbers from a schedule and responses; it cannot tell an animal from a twin.
//! - [`evaluation`]: predicted responses beside recorded ones.
//! - [`training`], [`experiment`], [`optimise`]: what is done with a model.
//! - [`study`]: experiments with twins themselves.
//! - [`comparison`]: a twin beside a recording: accuracy, responses over time, tuning in silico and in vivo.
//! - [`characterise`]: all that the analysis has to say of one run or one recording.
//! - [`figures`]: the numbers as PNG, SVG and PDF.
//! - [`workbench`]: the state of the whole program; commands in, events out.
//! - [`ui`], [`cli`]: two shells over the workbench.
#![recursion_limit = "256"]

pub(crate) mod ffmpeg;
pub mod gpu;
pub mod job;
pub(crate) mod nearest;
pub mod signals;
pub(crate) mod toml_text;

pub mod stimulus;

pub mod data;

pub mod model;

pub mod analysis;

pub mod evaluation;

pub mod training;

pub mod experiment;

pub mod optimise;

pub mod study;

pub mod characterise;

pub mod comparison;

pub mod figures;

pub mod workbench;

pub mod cli;
pub mod ui;
