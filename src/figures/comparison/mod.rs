//! A twin beside a recording: accuracy under its ceiling, domains, responses over time, tuning in silico against in vivo,
//! and two populations. Every figure has its numbers as a table.

mod accuracy;
mod directions;
mod domains;
mod fields;
pub(super) mod panel;
mod population;
mod traces;
mod unit_tuning;

use super::canvas::Canvas;
use super::numbers::Series;
use super::page::Page;
use super::style::{COLUMN_MM, PAGE_MM};
use super::{FigureError, Plate, Sheet};
use crate::comparison::{Comparison, DirectionComparison, Examples, FieldComparison, PopulationComparison};
use crate::evaluation::{Evaluation, Origin, Selection};

/// One figure of a comparison.
#[derive(Debug, Clone, Copy)]
pub enum ComparisonFigure<'a> {
    /// CC_norm of all units as histograms, and CC_abs against CC_max, by domain.
    Accuracy(&'a Evaluation),
    /// Medians with their intervals, by domain.
    Domains(&'a Evaluation),
    /// Responses of a few units over time in one domain.
    Traces(&'a Comparison, &'a Examples),
    /// Tuning to direction in one domain, in silico against in vivo.
    Directions(&'a Comparison, &'a DirectionComparison),
    /// Tuning of one unit to direction in one domain, in silico and in vivo.
    UnitTuning(&'a Comparison, &'a DirectionComparison, usize),
    /// Receptive fields in one domain, in silico against in vivo.
    Fields(&'a Comparison, &'a FieldComparison),
    /// Two populations that are not the same cells.
    Population(&'a PopulationComparison),
}

impl<'a> ComparisonFigure<'a> {
    /// Every figure of a comparison but those of single units.
    pub fn all(comparison: &'a Comparison) -> Vec<Self> {
        let evaluation = &comparison.evaluation;
        let mut sheets = vec![Self::Accuracy(evaluation), Self::Domains(evaluation)];
        sheets.extend(comparison.directions.iter().map(|found| Self::Directions(comparison, found)));
        sheets.extend(comparison.fields.iter().map(|found| Self::Fields(comparison, found)));
        sheets.extend(comparison.examples.iter().map(|examples| Self::Traces(comparison, examples)));
        sheets.retain(|sheet| sheet.check().is_ok());
        sheets
    }

    /// Every figure of a comparison with the name of its file, no two the same: domains whose names differ by other than
    /// letters and digits alone are numbered.
    pub fn named(comparison: &'a Comparison) -> Vec<(String, Self)> {
        let mut names: Vec<String> = Vec::new();
        let name = |figure: Self| {
            let stem = figure.stem();
            let mut name = stem.clone();
            let mut number = 1;
            // The numbered name may itself be that of another domain.
            while names.contains(&name) {
                number += 1;
                name = format!("{stem}_{number}");
            }
            names.push(name.clone());
            (name, figure)
        };
        Self::all(comparison).into_iter().map(name).collect()
    }

    /// One sheet of several figures: accuracy and medians of all domains, and what there is of one domain.
    pub fn sheet(comparison: &'a Comparison, domain: &str) -> Plate<'a> {
        let shown = |figure: &Self| figure.domain().is_none_or(|name| name == domain);
        Self::sheet_of(Self::all(comparison).into_iter().filter(shown).map(|figure| figure.plate()))
    }

    /// Figures of one comparison on one sheet, as panels A, B, C ... in this order.
    pub fn sheet_of(plates: impl IntoIterator<Item = Plate<'a>>) -> Plate<'a> {
        Sheet::of("A twin beside a recording", plates).plate()
    }

    /// What it is called in a list.
    pub fn label(&self) -> String {
        let (title, domain) = (self.title(), self.domain());
        domain.map_or(title.clone(), |domain| format!("{title}: {domain}"))
    }

    /// The domain of stimuli that it is about; `None` when it is about all.
    fn domain(&self) -> Option<&'a str> {
        match self {
            Self::Accuracy(_) | Self::Domains(_) | Self::Population(_) => None,
            Self::Traces(_, examples) => Some(&examples.domain),
            Self::Directions(_, found) | Self::UnitTuning(_, found, _) => Some(&found.domain),
            Self::Fields(_, found) => Some(&found.domain),
        }
    }

    /// File name without its ending.
    pub fn stem(&self) -> String {
        match self {
            Self::Accuracy(_) => "accuracy".to_owned(),
            Self::Domains(_) => "domains".to_owned(),
            Self::Traces(_, examples) => format!("traces_{}", slug(&examples.domain)),
            Self::Directions(_, found) => format!("tuning_{}", slug(&found.domain)),
            Self::UnitTuning(_, found, _) => format!("unit_tuning_{}", slug(&found.domain)),
            Self::Fields(_, found) => format!("receptive_fields_{}", slug(&found.domain)),
            Self::Population(_) => "population".to_owned(),
        }
    }

    /// The figure, to be written.
    pub fn plate(&self) -> Plate<'a> {
        Plate::new(*self)
    }
}

impl Page for ComparisonFigure<'_> {
    fn title(&self) -> String {
        let title = match self {
            Self::Accuracy(_) => "Accuracy of predictions and the ceiling set by noise",
            Self::Domains(_) => "Accuracy of predictions by domain of stimuli",
            Self::Traces(..) => "Recorded and predicted responses over time",
            Self::Directions(..) => "Tuning in silico against in vivo",
            Self::UnitTuning(..) => "Tuning of one unit, recorded and predicted",
            Self::Fields(..) => "Receptive fields in silico against in vivo",
            Self::Population(_) => "Two populations: recorded units, and units of the twin",
        };
        title.to_owned()
    }

    fn notice(&self) -> String {
        match self {
            Self::Accuracy(evaluation) | Self::Domains(evaluation) => evaluation.notice(),
            Self::Traces(comparison, _)
            | Self::Directions(comparison, _)
            | Self::UnitTuning(comparison, ..)
            | Self::Fields(comparison, _) => comparison.evaluation.notice(),
            Self::Population(found) => found.notice(),
        }
    }

    fn provenance(&self) -> String {
        let (origin, selection): (&Origin, &Selection) = match self {
            Self::Accuracy(evaluation) | Self::Domains(evaluation) => (&evaluation.origin, &evaluation.selection),
            Self::Traces(comparison, _)
            | Self::Directions(comparison, _)
            | Self::UnitTuning(comparison, ..)
            | Self::Fields(comparison, _) => (&comparison.evaluation.origin, &comparison.evaluation.selection),
            Self::Population(found) => (&found.origin, &found.selection),
        };
        let weights = origin.sha256.as_ref().map(|sha| format!("weights sha256 {sha}; ")).unwrap_or_default();
        let (burnin, seed) = (selection.burnin_frames, selection.seed);
        let version = env!("CARGO_PKG_VERSION");
        format!("twinscope {version}; {weights}device {}; burn-in {burnin}; seed {seed}", origin.device)
    }

    fn check(&self) -> Result<(), FigureError> {
        let shown = match self {
            Self::Accuracy(evaluation) | Self::Domains(evaluation) => {
                !evaluation.domains.is_empty() && !evaluation.units.is_empty()
            }
            Self::Traces(_, examples) => !examples.units.is_empty(),
            Self::Directions(_, found) => !found.recorded.units.is_empty(),
            Self::UnitTuning(_, found, unit) => unit_tuning::is_defined(found, *unit),
            Self::Fields(_, found) => found.pairs()[0].n() > 0,
            Self::Population(found) => !found.ceilings.is_empty() || !found.distributions.is_empty(),
        };
        let nothing = || FigureError::Missing("no unit was compared here, so there is nothing to show".to_owned());
        if shown { Ok(()) } else { Err(nothing()) }
    }

    fn caption(&self, _: f64) -> Vec<String> {
        match self {
            Self::Accuracy(evaluation) => accuracy::caption(evaluation),
            Self::Domains(evaluation) => domains::caption(evaluation),
            Self::Traces(comparison, examples) => traces::caption(comparison, examples),
            Self::Directions(_, found) => directions::caption(found),
            Self::UnitTuning(_, found, _) => unit_tuning::caption(found),
            Self::Fields(comparison, found) => fields::caption(comparison, found),
            Self::Population(found) => population::caption(found),
        }
    }

    fn height(&self, page: f64) -> f64 {
        match self {
            Self::Accuracy(evaluation) => accuracy::height(evaluation, page),
            Self::Domains(evaluation) => domains::height(evaluation, page),
            Self::Traces(_, examples) => traces::height(examples, page),
            Self::Directions(..) => directions::height(page),
            Self::UnitTuning(..) => unit_tuning::height(),
            Self::Fields(..) => fields::height(page),
            Self::Population(found) => population::height(found, page),
        }
    }

    fn draw(&self, canvas: &mut Canvas, page: f64) {
        match self {
            Self::Accuracy(evaluation) => accuracy::draw(canvas, page, evaluation),
            Self::Domains(evaluation) => domains::draw(canvas, page, evaluation),
            Self::Traces(comparison, examples) => traces::draw(canvas, page, comparison, examples),
            Self::Directions(comparison, found) => directions::draw(canvas, page, comparison, found),
            Self::UnitTuning(comparison, found, unit) => unit_tuning::draw(canvas, page, comparison, found, *unit),
            Self::Fields(comparison, found) => fields::draw(canvas, page, comparison, found),
            Self::Population(found) => population::draw(canvas, page, found),
        }
    }

    fn numbers(&self, _: f64) -> Vec<Series> {
        match self {
            Self::Accuracy(evaluation) => accuracy::numbers(evaluation),
            Self::Domains(evaluation) => domains::numbers(evaluation),
            Self::Traces(comparison, examples) => traces::numbers(comparison, examples),
            Self::Directions(comparison, found) => directions::numbers(comparison, found),
            Self::UnitTuning(comparison, found, unit) => unit_tuning::numbers(comparison, found, *unit),
            Self::Fields(comparison, found) => fields::numbers(comparison, found),
            Self::Population(found) => population::numbers(found),
        }
    }

    fn own_width(&self) -> f64 {
        match self {
            Self::UnitTuning(..) => COLUMN_MM,
            _ => PAGE_MM,
        }
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
