//! A twin beside a recording: accuracy under its ceiling, domains, responses over time, tuning in silico against in vivo,
//! and two populations. Every figure has its numbers as a table.

mod accuracy;
mod directions;
mod domains;
mod fields;
mod panel;
mod population;
mod traces;

use std::io::Write;
use std::path::{Path, PathBuf};

use plotters::prelude::DrawingBackend;

use super::canvas::Canvas;
use super::style::PAGE_MM;
use super::writer::{page_picture, page_svg, write_page};
use super::{FigureError, Page, Picture};
use crate::comparison::{Comparison, DirectionComparison, Examples, FieldComparison, PopulationComparison};
use crate::data::save;
use crate::evaluation::{Evaluation, Origin, Selection};

/// One figure of a comparison.
#[derive(Debug, Clone, Copy)]
pub enum Sheet<'a> {
    /// CC_norm of all units as histograms, and CC_abs against CC_max, by domain.
    Accuracy(&'a Evaluation),
    /// Medians with their intervals, by domain.
    Domains(&'a Evaluation),
    /// Responses of a few units over time in one domain.
    Traces(&'a Comparison, &'a Examples),
    /// Tuning to direction in one domain, in silico against in vivo.
    Directions(&'a Comparison, &'a DirectionComparison),
    /// Receptive fields in one domain, in silico against in vivo.
    Fields(&'a Comparison, &'a FieldComparison),
    /// Two populations that are not the same cells.
    Population(&'a PopulationComparison),
}

impl<'a> Sheet<'a> {
    /// Every figure of a comparison.
    pub fn all(comparison: &'a Comparison) -> Vec<Self> {
        let evaluation = &comparison.evaluation;
        let mut sheets = vec![Self::Accuracy(evaluation), Self::Domains(evaluation)];
        sheets.extend(comparison.directions.iter().map(|found| Self::Directions(comparison, found)));
        sheets.extend(comparison.fields.iter().map(|found| Self::Fields(comparison, found)));
        sheets.extend(comparison.examples.iter().map(|examples| Self::Traces(comparison, examples)));
        sheets.retain(|sheet| sheet.check().is_ok());
        sheets
    }

    /// File name without its ending.
    pub fn stem(&self) -> String {
        match self {
            Self::Accuracy(_) => "accuracy".to_owned(),
            Self::Domains(_) => "domains".to_owned(),
            Self::Traces(_, examples) => format!("traces_{}", slug(&examples.domain)),
            Self::Directions(_, found) => format!("tuning_{}", slug(&found.domain)),
            Self::Fields(_, found) => format!("receptive_fields_{}", slug(&found.domain)),
            Self::Population(_) => "population".to_owned(),
        }
    }

    /// Writes the figure as PNG and as SVG and its numbers as CSV into a folder, under one name; returns the files.
    ///
    /// # Errors
    /// When there is nothing to show, or a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<Vec<PathBuf>, FigureError> {
        let mut paths = Vec::new();
        for ending in ["png", "svg"] {
            let path = folder.join(format!("{}.{ending}", self.stem()));
            write_page(self, &path)?;
            paths.push(path);
        }
        let path = folder.join(format!("{}_figure.csv", self.stem()));
        save::atomically(&path, |to| self.write_csv(to))
            .map_err(|source| FigureError::Write { path: path.clone(), source })?;
        paths.push(path);
        Ok(paths)
    }

    /// The numbers that the figure shows.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write_csv(&self, to: &mut dyn Write) -> std::io::Result<()> {
        match self {
            Self::Accuracy(evaluation) => accuracy::write_csv(evaluation, to),
            Self::Domains(evaluation) => evaluation.write_summary(to),
            Self::Traces(comparison, examples) => traces::write_csv(comparison, examples, to),
            Self::Directions(comparison, found) => directions::write_csv(comparison, found, to),
            Self::Fields(comparison, found) => fields::write_csv(comparison, found, to),
            Self::Population(found) => found.write_values(to),
        }
    }

    /// The figure as SVG with live text.
    ///
    /// # Errors
    /// When there is nothing to show.
    pub fn svg(&self) -> Result<String, FigureError> {
        page_svg(self)
    }

    /// The figure as pixels at 300 dots per inch.
    ///
    /// # Errors
    /// When there is nothing to show.
    pub fn picture(&self) -> Result<Picture, FigureError> {
        page_picture(self)
    }

    fn notice(&self) -> String {
        match self {
            Self::Accuracy(evaluation) | Self::Domains(evaluation) => evaluation.notice(),
            Self::Traces(comparison, _) | Self::Directions(comparison, _) | Self::Fields(comparison, _) => {
                comparison.evaluation.notice()
            }
            Self::Population(found) => found.notice(),
        }
    }
}

impl Page for Sheet<'_> {
    fn size_mm(&self) -> (f64, f64) {
        let height = match self {
            Self::Accuracy(evaluation) => accuracy::height_mm(evaluation),
            Self::Domains(evaluation) => domains::height_mm(evaluation),
            Self::Traces(_, examples) => traces::height_mm(examples),
            Self::Directions(..) => directions::HEIGHT_MM,
            Self::Fields(..) => fields::HEIGHT_MM,
            Self::Population(found) => population::height_mm(found),
        };
        (PAGE_MM, height)
    }

    fn title(&self) -> &str {
        match self {
            Self::Accuracy(_) => "Accuracy of predictions and the ceiling set by noise",
            Self::Domains(_) => "Accuracy of predictions by domain of stimuli",
            Self::Traces(..) => "Recorded and predicted responses over time",
            Self::Directions(..) => "Tuning in silico against in vivo",
            Self::Fields(..) => "Receptive fields in silico against in vivo",
            Self::Population(_) => "Two populations: recorded units, and units of the twin",
        }
    }

    fn origin(&self) -> String {
        let (origin, selection): (&Origin, &Selection) = match self {
            Self::Accuracy(evaluation) | Self::Domains(evaluation) => (&evaluation.origin, &evaluation.selection),
            Self::Traces(comparison, _) | Self::Directions(comparison, _) | Self::Fields(comparison, _) => {
                (&comparison.evaluation.origin, &comparison.evaluation.selection)
            }
            Self::Population(found) => (&found.origin, &found.selection),
        };
        let weights = origin.sha256.as_ref().map(|sha| format!("weights sha256 {sha}; ")).unwrap_or_default();
        let (burnin, seed) = (selection.burnin_frames, selection.seed);
        let version = env!("CARGO_PKG_VERSION");
        let notice = self.notice();
        format!("{notice}. twinscope {version}; {weights}device {}; burn-in {burnin}; seed {seed}", origin.device)
    }

    fn check(&self) -> Result<(), FigureError> {
        let shown = match self {
            Self::Accuracy(evaluation) | Self::Domains(evaluation) => {
                !evaluation.domains.is_empty() && !evaluation.units.is_empty()
            }
            Self::Traces(_, examples) => !examples.units.is_empty(),
            Self::Directions(_, found) => !found.recorded.units.is_empty(),
            Self::Fields(_, found) => found.pairs()[0].n() > 0,
            Self::Population(found) => !found.ceilings.is_empty() || !found.distributions.is_empty(),
        };
        let nothing = || FigureError::Missing("no unit was compared here, so there is nothing to show".to_owned());
        if shown { Ok(()) } else { Err(nothing()) }
    }

    fn draw<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), FigureError> {
        let (size, title, notice) = (self.size_mm(), self.title(), self.notice());
        let page = panel::Head { size, title, notice: &notice };
        match self {
            Self::Accuracy(evaluation) => accuracy::draw(canvas, page, evaluation),
            Self::Domains(evaluation) => domains::draw(canvas, page, evaluation),
            Self::Traces(comparison, examples) => traces::draw(canvas, page, comparison, examples),
            Self::Directions(comparison, found) => directions::draw(canvas, page, comparison, found),
            Self::Fields(comparison, found) => fields::draw(canvas, page, comparison, found),
            Self::Population(found) => population::draw(canvas, page, found),
        }
        canvas.finish()
    }
}

/// A name of small letters and digits for a file.
fn slug(name: &str) -> String {
    let words: Vec<String> = name
        .split(|char: char| !char.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let slug: String = words.join("_").chars().take(60).collect();
    if slug.is_empty() { "stimuli".to_owned() } else { slug }
}
