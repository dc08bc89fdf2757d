//! Spatial filters on the grid of degrees: an even and an odd Gabor for every unit, and a fixed field of
//! centre-surround filters whose energy is the local contrast that divides the responses.

use std::f64::consts::TAU;

use super::retina::{CELLS, cell_deg};
use super::unit::Unit;
use crate::signals::Degrees;

/// Distance between the centre-surround filters, degrees.
const FIELD_STEP_DEG: Degrees = 10.0;
/// Filters to the left and right of the middle, and above and below.
const FIELD_REACH: [i32; 2] = [6, 4];
/// Number of centre-surround filters.
pub(super) const FIELD: usize = ((2 * FIELD_REACH[0] + 1) * (2 * FIELD_REACH[1] + 1)) as usize;
/// Standard deviations of centre and surround, degrees: the filter passes 0.015 to 0.075 cycles per degree.
const CENTRE_DEG: Degrees = 4.0;
const SURROUND_DEG: Degrees = 8.0;
/// Standard deviation of the region whose energy divides a unit's response, degrees; larger receptive fields have a
/// region of [`REGION_SIGMAS`] times their own.
const REGION_DEG: Degrees = 18.0;
const REGION_SIGMAS: f64 = 1.3;

/// Filters as columns of one matrix.
#[derive(Debug, Clone)]
pub(super) struct Filters {
    /// `[cell, filter]`: even Gabors of all units, odd ones, then the centre-surround field.
    pub weights: Vec<f32>,
    /// How much each centre-surround filter counts for each unit, `[field, unit]`; sums to 1 for each unit.
    pub regions: Vec<f32>,
}

impl Filters {
    /// Number of filters of a population.
    pub(super) fn count(units: usize) -> usize {
        2 * units + FIELD
    }

    pub(super) fn new(units: &[Unit]) -> Self {
        let count = Self::count(units.len());
        let mut weights = vec![0.0; CELLS * count];
        let mut put = |filter: usize, values: &[f64]| {
            for (cell, &value) in values.iter().enumerate() {
                weights[cell * count + filter] = value as f32;
            }
        };
        for (number, unit) in units.iter().enumerate() {
            let [even, odd] = gabors(unit);
            put(number, &even);
            put(units.len() + number, &odd);
        }
        for (number, centre) in field().enumerate() {
            put(2 * units.len() + number, &centre_surround(centre));
        }
        Self { weights, regions: regions(units) }
    }
}

/// Middles of the centre-surround filters.
fn field() -> impl Iterator<Item = [Degrees; 2]> {
    let [x, y] = FIELD_REACH;
    (-y..=y)
        .flat_map(move |row| (-x..=x).map(move |column| [column, row].map(|steps| f64::from(steps) * FIELD_STEP_DEG)))
}

/// Gabor functions in quadrature without response to uniform light. A grating of amplitude 1 at the preferred
/// frequency and orientation gives an amplitude of 1.
fn gabors(unit: &Unit) -> [Vec<f64>; 2] {
    let (sin, cos) = unit.direction_deg.to_radians().sin_cos();
    let [x, y] = unit.centre_deg;
    let offset = |cell: usize| {
        let [cx, cy] = cell_deg(cell);
        [cx - x, cy - y]
    };
    let envelope: Vec<f64> = (0..CELLS)
        .map(|cell| {
            let [dx, dy] = offset(cell);
            (-(dx * dx + dy * dy) / (2.0 * unit.sigma_deg * unit.sigma_deg)).exp()
        })
        .collect();
    let mass: f64 = envelope.iter().sum();
    let carrier = |wave: fn(f64) -> f64| -> Vec<f64> {
        let value = |cell: usize| {
            let [dx, dy] = offset(cell);
            let along = dx * cos + dy * sin;
            wave(TAU * unit.spatial_frequency_cyc_per_deg * along + unit.phase_deg.to_radians())
        };
        let values: Vec<f64> = (0..CELLS).map(value).collect();
        let mean = values.iter().zip(&envelope).map(|(v, e)| v * e).sum::<f64>() / mass;
        values.iter().zip(&envelope).map(|(v, e)| (v - mean) * e * 2.0 / mass).collect()
    };
    [carrier(f64::cos), carrier(f64::sin)]
}

/// Difference of two Gaussians of equal volume; the grating that suits it best, at amplitude 1, gives 1.
fn centre_surround(centre: [Degrees; 2]) -> Vec<f64> {
    let gaussian = |sigma: f64| -> Vec<f64> {
        let value = |cell: usize| {
            let [x, y] = cell_deg(cell);
            (-((x - centre[0]).powi(2) + (y - centre[1]).powi(2)) / (2.0 * sigma * sigma)).exp()
        };
        let values: Vec<f64> = (0..CELLS).map(value).collect();
        let sum: f64 = values.iter().sum();
        values.into_iter().map(|v| v / sum).collect()
    };
    let peak = best_gain();
    let centre_minus_surround = gaussian(CENTRE_DEG).into_iter().zip(gaussian(SURROUND_DEG));
    centre_minus_surround.map(|(c, s)| (c - s) / peak).collect()
}

/// Largest gain of the difference of Gaussians e^{-2π²f²c²} - e^{-2π²f²s²} over frequencies: where its derivative is
/// zero, 2π²f² = ln(s²/c²) / (s² - c²).
fn best_gain() -> f64 {
    let (c, s) = (CENTRE_DEG * CENTRE_DEG, SURROUND_DEG * SURROUND_DEG);
    let exponent = (s / c).ln() / (s - c);
    (-exponent * c).exp() - (-exponent * s).exp()
}

fn regions(units: &[Unit]) -> Vec<f32> {
    let middles: Vec<[Degrees; 2]> = field().collect();
    let mut regions = vec![0.0; FIELD * units.len()];
    for (number, unit) in units.iter().enumerate() {
        let sigma = REGION_DEG.max(REGION_SIGMAS * unit.sigma_deg);
        let near = |middle: &[f64; 2]| {
            let squares = (middle[0] - unit.centre_deg[0]).powi(2) + (middle[1] - unit.centre_deg[1]).powi(2);
            (-squares / (2.0 * sigma * sigma)).exp()
        };
        let sum: f64 = middles.iter().map(near).sum();
        for (place, middle) in middles.iter().enumerate() {
            regions[place * units.len() + number] = (near(middle) / sum) as f32;
        }
    }
    regions
}
