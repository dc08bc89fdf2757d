//! Publication figures: a style and one file a figure; the file name decides PNG or SVG.
