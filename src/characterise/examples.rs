//! The clearest receptive fields and tuning curves, for a picture.

use crate::analysis::fit::Gaussian2d;

/// Examples of each kind.
const MOST: usize = 4;

/// Examples, the clearest of each kind first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Examples {
    /// Receptive fields.
    pub fields: Vec<FieldExample>,
    /// Tuning curves with what was fitted to them.
    pub curves: Vec<CurveExample>,
    /// Tuning to two parameters.
    pub surfaces: Vec<SurfaceExample>,
}

/// Tuning of one unit to two parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct SurfaceExample {
    /// The parameters in words: the first goes up the rows, the second across the columns.
    pub parameters: [String; 2],
    /// With their units, for axes.
    pub labels: [String; 2],
    /// Number of the unit within its scan.
    pub unit: u32,
    /// Values of each parameter, ascending.
    pub values: [Vec<f64>; 2],
    /// Mean response to each pair, `[row, column]`; `None` where it was not shown.
    pub means: Vec<Option<f64>>,
    /// Presentations of each pair.
    pub presentations: Vec<usize>,
    /// Share of the surface that is a curve of the one times a curve of the other, where it is defined.
    pub separability: Option<f64>,
}

/// A receptive field of one unit.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldExample {
    /// What it was mapped from.
    pub from: String,
    /// Number of the unit within its scan.
    pub unit: u32,
    /// Which probes, or how many frames before the response.
    pub part: String,
    /// Rows and columns.
    pub shape: [usize; 2],
    /// Middle of each place of the map, row by row from the upper left.
    pub places: Vec<[f64; 2]>,
    /// Unit of the places: degrees, or pixels from the upper left.
    pub place_unit: &'static str,
    /// The map; `None` where nothing was shown.
    pub values: Vec<Option<f64>>,
    /// The Gaussian nearest to it.
    pub fit: Gaussian2d,
    /// Share of the variance over the map that it explains.
    pub r2: f64,
    /// Spatial selectivity, where it is defined.
    pub ssi: Option<f64>,
}

/// A tuning curve of one unit.
#[derive(Debug, Clone, PartialEq)]
pub struct CurveExample {
    /// The parameter in words.
    pub parameter: String,
    /// With its unit, for an axis.
    pub label: String,
    /// Number of the unit within its scan.
    pub unit: u32,
    /// Values are each a multiple of the one before.
    pub logarithmic: bool,
    /// Value, mean response, standard error and number of presentations.
    pub points: Vec<(f64, f64, Option<f64>, usize)>,
    /// Name of the curve.
    pub curve: &'static str,
    /// The curve, value by value.
    pub fitted: Vec<(f64, f64)>,
    /// Share of the variance over the values that it explains.
    pub r2: f64,
}

/// Keeps the best of what comes in several goes.
#[derive(Debug)]
pub(super) struct Best<T>(Vec<(f64, T)>);

impl<T> Default for Best<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Best<T> {
    /// Whether something of this goodness would be kept.
    pub(super) fn takes(&self, goodness: f64) -> bool {
        goodness.is_finite() && (self.0.len() < MOST || self.0.iter().any(|(known, _)| *known < goodness))
    }

    /// Keeps it if it is good; the first of equals.
    pub(super) fn add(&mut self, goodness: f64, what: T) {
        if self.takes(goodness) {
            self.0.push((goodness, what));
            self.0.sort_by(|a, b| b.0.total_cmp(&a.0));
            self.0.truncate(MOST);
        }
    }

    /// The best first.
    pub(super) fn into_iter(self) -> impl Iterator<Item = T> {
        self.0.into_iter().map(|(_, what)| what)
    }
}
