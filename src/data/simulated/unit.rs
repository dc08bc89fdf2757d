//! One simulated unit: the truth about it, drawn from (seed of the mouse, number of the unit) alone.

use super::area::{Area, Layer};
use super::chance::{Chance, Topic};
use crate::signals::Degrees;

/// How the parts of a receptive field are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CellKind {
    /// One linear filter, half-squared: follows the phase of a grating.
    Simple,
    /// Energy of a quadrature pair (Adelson and Bergen 1985): blind to phase.
    Complex,
}

impl CellKind {
    /// Its usual name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Complex => "complex",
        }
    }
}

/// A simulated unit. Directions: 0 is rightward, 90 upward; positions are azimuthal-equidistant degrees about the
/// point of the screen nearest the eye, x to the right and y up, at average gaze.
#[derive(Debug, Clone, PartialEq)]
pub struct Unit {
    /// Visual area.
    pub area: Area,
    /// Cortical layer.
    pub layer: Layer,
    /// Simple or complex.
    pub kind: CellKind,
    /// Preferred direction of motion, 0..360 degrees.
    pub direction_deg: Degrees,
    /// 1 minus the amplitude of the response to the opposite direction relative to that to the preferred one, before
    /// squaring for simple cells and after it for complex ones: 1 is fully selective, 0 not at all.
    pub direction_selectivity: f64,
    /// Preferred spatial frequency, cycles per degree.
    pub spatial_frequency_cyc_per_deg: f64,
    /// Preferred temporal frequency, Hz.
    pub temporal_frequency_hz: f64,
    /// Phase of the grating under the Gaussian, degrees.
    pub phase_deg: Degrees,
    /// Centre of the receptive field.
    pub centre_deg: [Degrees; 2],
    /// Standard deviation of its Gaussian.
    pub sigma_deg: Degrees,
    /// Gain for light above grey; that for darkness is 2 minus it. Below 1 darkness counts more, as in most of V1.
    pub on_gain: f64,
    /// Weight of the local energy that divides the response.
    pub surround: f64,
    /// Rate without a stimulus, before the division by the mean.
    pub baseline: f64,
    /// Exponent of the output.
    pub exponent: f64,
    /// The rate is multiplied by 1 + this while running at full speed.
    pub run_gain: f64,
    /// Change of the logarithm of the rate by one standard deviation of the pupil's radius.
    pub pupil_gain: f64,
    /// Position of the soma in its area: along azimuth, along elevation, depth; µm.
    pub soma_um: [f64; 3],
}

/// Cortex for a degree of the visual field, µm: the order of mouse V1.
const UM_PER_DEGREE: f64 = 12.0;
/// Scatter of the map, µm.
const MAP_SCATTER_UM: f64 = 40.0;

impl Unit {
    /// The unit of this number in the mouse of this seed.
    pub fn new(seed: u64, number: u32) -> Self {
        let mut chance = Chance::new(seed, Topic::Unit, number);
        let area = Area::ALL[chance.choice(&Area::SHARES)];
        let layer = Layer::ALL[chance.choice(&Layer::SHARES)];
        let (place, depth) = (area.traits(), layer.traits());
        let kind = if chance.uniform() < depth.complex { CellKind::Complex } else { CellKind::Simple };
        let selective = chance.uniform() < place.direction_selective;
        let spatial_frequency_cyc_per_deg = chance.log_between(place.spatial_frequency);
        let centre_deg = [chance.between(place.azimuth), chance.between(place.elevation)];
        let mut soma = |degrees: f64| UM_PER_DEGREE * degrees + MAP_SCATTER_UM * chance.normal();
        let soma_um = [soma(centre_deg[0]), soma(centre_deg[1]), chance.between(depth.depth_um)];
        Self {
            area,
            layer,
            kind,
            direction_deg: chance.between((0.0, 360.0)),
            direction_selectivity: chance.between(if selective { (0.6, 1.0) } else { (0.0, 0.4) }),
            spatial_frequency_cyc_per_deg,
            temporal_frequency_hz: chance.log_between(place.temporal_frequency),
            phase_deg: chance.between((0.0, 360.0)),
            centre_deg,
            sigma_deg: chance.between(place.size_periods) / spatial_frequency_cyc_per_deg,
            on_gain: chance.between((0.6, 1.1)),
            surround: chance.between(depth.surround),
            baseline: chance.between((0.015, 0.07)),
            exponent: chance.between((0.8, 1.3)),
            run_gain: chance.between(depth.run_gain),
            pupil_gain: chance.between((-0.05, 0.2)),
            soma_um,
        }
    }

    /// Preferred orientation of a bar, 0..180 degrees, 0 is vertical: the direction modulo 180.
    pub fn orientation_deg(&self) -> Degrees {
        self.direction_deg.rem_euclid(180.0)
    }

    /// Preferred speed of a grating, degrees per second.
    pub fn speed_deg_per_sec(&self) -> f64 {
        self.temporal_frequency_hz / self.spatial_frequency_cyc_per_deg
    }

    /// Whether it prefers one direction of motion to the opposite one.
    pub fn is_direction_selective(&self) -> bool {
        self.direction_selectivity >= 0.6
    }
}
