//! Receptive fields of recorded and predicted responses, from movies that show where units listen: single spots, or noise.
//!
//! What a movie shows is read from its pixels, so that any recording with movies has maps. A Gaussian fitted to a map is
//! the receptive field.

use super::grid::Grid;
use super::noise::Noise;
use super::noise_maps::NoiseMaps;
use super::pairs::Pairs;
use super::spots::{SpotMaps, Spots};
use crate::analysis::Median;
use crate::analysis::fit::fit_gaussian_2d;
use crate::data::Trial;
use crate::evaluation::EvaluationError;
use crate::signals::{Degrees, Monitor, Raster, Responses};

/// Frames by which responses to spots and to gratings are late, 0.13 s.
pub const LATE_FRAMES: usize = 4;
/// Share of the variance over the map that the Gaussian must explain.
pub const LEAST_R2: f64 = 0.5;

/// From what kind of movie maps are, and so by which formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldMap {
    /// Single spots of light and dark: sum(mask response) / sum(mask), [`LATE_FRAMES`] late.
    Spots,
    /// White or sparse noise: covariance of the response with the luminance or the contrast of a block of the screen, at the
    /// delay of fewer than [`NOISE_DELAYS`](super::NOISE_DELAYS) frames with most energy, smoothed.
    Noise,
}

/// Where a unit listens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReceptiveField {
    /// Degrees right of and above the middle of the screen.
    pub centre_deg: [Degrees; 2],
    /// Geometric mean of the standard deviations along both axes, degrees.
    pub sigma_deg: Degrees,
    /// Share of the map's variance that the Gaussian explains.
    pub r2: f64,
}

impl ReceptiveField {
    /// The hill of a map, when it is clear.
    pub(super) fn of_map(places: &[[Degrees; 2]], map: &[f64]) -> Option<Self> {
        let fit = fit_gaussian_2d(places, map).ok()?;
        let curve = fit.curve;
        (curve.amplitude > 0.0 && fit.goodness.r2 >= LEAST_R2).then(|| Self {
            centre_deg: curve.centre,
            sigma_deg: (curve.sigma[0] * curve.sigma[1]).sqrt(),
            r2: fit.goodness.r2,
        })
    }
}

/// Receptive fields from one domain of stimuli.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldComparison {
    /// Name of the domain.
    pub domain: String,
    /// Which map it is.
    pub map: FieldMap,
    /// The screen that degrees are of: that of the recording's description, else the published one.
    pub monitor: Monitor,
    /// Presented frames, all trials.
    pub frames: usize,
    /// Of the animal's units; `None` where the map has no clear hill.
    pub recorded: Vec<Option<ReceptiveField>>,
    /// Of the twin's.
    pub predicted: Vec<Option<ReceptiveField>>,
}

impl FieldComparison {
    /// Azimuth, elevation and size of all units that have a field in both.
    pub fn pairs(&self) -> [Pairs; 3] {
        let pairs = |label, key, of: fn(&ReceptiveField) -> f64| Pairs {
            label,
            key,
            unit: "°",
            period: None,
            among: "a clear map in both",
            points: self.both().map(|(unit, a, b)| (unit, of(&a), of(&b))).collect(),
        };
        [
            pairs("Azimuth of centre", "centre_x_deg", |field| field.centre_deg[0]),
            pairs("Elevation of centre", "centre_y_deg", |field| field.centre_deg[1]),
            pairs("Size (s.d.)", "sigma_deg", |field| field.sigma_deg),
        ]
    }

    /// Distance of both centres of every such unit, degrees.
    pub fn distances_deg(&self) -> Vec<f64> {
        let apart =
            |[a, b]: [ReceptiveField; 2]| (a.centre_deg[0] - b.centre_deg[0]).hypot(a.centre_deg[1] - b.centre_deg[1]);
        self.both().map(|(_, a, b)| apart([a, b])).collect()
    }

    /// Their median with its interval.
    pub fn median_distance(&self, seed: u64) -> Option<Median> {
        Median::of(&self.distances_deg(), seed)
    }

    fn both(&self) -> impl Iterator<Item = (usize, ReceptiveField, ReceptiveField)> + '_ {
        let pairs = self.recorded.iter().zip(&self.predicted).enumerate();
        pairs.filter_map(|(unit, (recorded, predicted))| Some((unit, (*recorded)?, (*predicted)?)))
    }
}

/// The responses of some units to one movie.
#[derive(Clone, Copy)]
pub(super) struct Answers<'a> {
    pub responses: &'a Responses,
    pub sample: usize,
    /// The units.
    pub columns: &'a [usize],
}

impl<'a> Answers<'a> {
    pub fn frames(&self) -> usize {
        self.responses.frames()
    }

    /// Of a frame, NaN where a unit was not measured.
    pub fn row(&self, time: usize) -> impl Iterator<Item = f32> + Clone + use<'a> {
        let row = self.responses.row(time, self.sample);
        self.columns.iter().map(move |&column| row[column])
    }
}

/// A movie that shows where units listen.
#[derive(Debug)]
pub(super) enum Shown {
    Spots(Spots),
    Noise(Noise),
}

impl Shown {
    /// Reads the movie of a trial for maps of so many units, recorded and predicted; `None` when it shows anything else.
    pub fn of(trial: &Trial, raster: Raster, units: usize) -> Result<Option<Self>, EvaluationError> {
        if let Some(spots) = Spots::of(trial, Grid::finest(raster))? {
            return Ok(Some(Self::Spots(spots)));
        }
        Ok(Noise::of(trial, NoiseMaps::grid(raster, units))?.map(Self::Noise))
    }
}

/// Maps of one domain under way.
#[derive(Debug, Default)]
pub(super) struct MapLedger {
    spots: Option<SpotMaps>,
    noise: Option<NoiseMaps>,
}

impl MapLedger {
    /// Adds the responses to a movie after the burn-in.
    pub fn add(&mut self, shown: &Shown, raster: Raster, burnin: usize, recorded: Answers<'_>, predicted: Answers<'_>) {
        let (a, b) = (recorded.columns.len(), predicted.columns.len());
        match shown {
            Shown::Spots(spots) => {
                let new = || SpotMaps::new(Grid::finest(raster), a, b);
                self.spots.get_or_insert_with(new).add(spots, burnin, recorded, predicted);
            }
            Shown::Noise(noise) => {
                let new = || NoiseMaps::new(NoiseMaps::grid(raster, a + b), a, b);
                self.noise.get_or_insert_with(new).add(noise, burnin, recorded, predicted);
            }
        }
    }

    /// Of a domain that showed both, the maps of what was shown longer.
    pub fn finish(self, domain: &str, monitor: &Monitor) -> Option<FieldComparison> {
        let longer = |spots: &SpotMaps| self.noise.as_ref().is_none_or(|noise| spots.frames >= noise.frames);
        match self.spots.filter(longer) {
            Some(spots) => Some(spots.finish(domain, monitor)),
            None => self.noise.map(|noise| noise.finish(domain, monitor)),
        }
    }
}
