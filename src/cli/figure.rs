//! How figures are written, the same for every command that writes some.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;

use crate::figures::{Data, Figure, Format, Layout, Plate, Width};

/// Width, resolution and formats of figures.
#[derive(Debug, Clone, Args)]
pub struct FigureArguments {
    /// Width of the figures, mm: 89 (one column) or 183 (a page); each figure's own when absent
    #[arg(long, value_name = "89|183")]
    width: Option<Width>,
    /// Resolution of PNG figures, dots per inch, 72 to 1200
    #[arg(long, value_name = "DPI", default_value_t = 300, value_parser = clap::value_parser!(u32).range(72..=1200))]
    dpi: u32,
    /// Formats of the figures, separated by commas: png, svg, pdf
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "png,svg")]
    format: Vec<Format>,
}

impl Default for FigureArguments {
    /// What the command line has by default.
    fn default() -> Self {
        Self { width: None, dpi: Layout::default().dpi, format: vec![Format::Png, Format::Svg] }
    }
}

impl FigureArguments {
    /// Writes a figure in all formats, and its numbers as CSV; returns the paths.
    pub fn write(&self, plate: &Plate<'_>, folder: &Path, stem: &str) -> Result<Vec<PathBuf>> {
        Ok(plate.export(folder, stem, &self.format, &Layout { width: self.width, dpi: self.dpi })?)
    }
}

/// Figures that are set on one more sheet.
#[derive(Debug, Clone, Default, Args)]
pub struct SheetArgument {
    /// Figures on one more sheet, as panels A, B, C ..., separated by commas, such as direction_tuning,traces
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = known)]
    sheet: Vec<String>,
}

/// A figure by the name of its file.
fn known(name: &str) -> Result<String, String> {
    let sheet = Figure::Summary { unit: 0 };
    match Figure::named(name, 0) {
        Some(figure) if figure != sheet => Ok(name.to_owned()),
        _ => {
            let names: Vec<&str> =
                Figure::all(0).into_iter().filter(|figure| *figure != sheet).map(Figure::stem).collect();
            Err(format!("expected one of {}", names.join(", ")))
        }
    }
}

impl SheetArgument {
    /// The sheet that was asked for.
    pub fn plate<'a>(&self, data: &'a Data<'a>, unit: usize) -> Option<Plate<'a>> {
        (!self.sheet.is_empty()).then(|| Figure::sheet(data, &self.sheet, unit))
    }
}
