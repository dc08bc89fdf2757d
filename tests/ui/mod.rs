//! Tests of the workbench and the window, without a screen.

mod analysis;
mod compare;
mod fake;
mod mtm;
mod sheet;
mod window;
mod workbench;
