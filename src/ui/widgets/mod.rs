//! Things to draw with: each a function of its data that knows no workbench.

pub mod arrow;
pub mod badge;
pub mod curve;
pub mod field;
pub mod heat_map;
pub mod markdown;
pub mod modifiers;
pub mod parameter;
pub mod polar;
pub mod raster;
pub mod unit_table;
pub mod values;
