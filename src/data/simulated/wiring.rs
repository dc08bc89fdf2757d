//! Who is connected with whom: the probability falls with distance and rises with the square of the likeness of tuning
//! ("like to like"). The wiring is a truth for analyses to find; it does not drive the responses.

use super::chance::{Chance, Topic};
use super::unit::Unit;

/// Probability of a connection between neighbours of the same tuning.
const PEAK: f64 = 0.6;
/// Part of it that is left when the tuning has nothing in common.
const FLOOR: f64 = 0.05;
/// Distance over which the probability falls to 1/e, µm.
const REACH_UM: f64 = 250.0;
/// Distance that the way to another area adds to that on the map, µm.
const BETWEEN_AREAS_UM: f64 = 250.0;
/// Sharpness of the direction tuning that is compared: κ of a von Mises curve.
const KAPPA: f64 = 3.0;
/// Standard deviation of spatial and temporal frequency tuning that is compared, octaves.
const OCTAVES: f64 = 0.6;
/// Directions at which tuning curves are compared.
const DIRECTIONS: u32 = 16;

/// A connection from one unit to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Connection {
    /// Number of the unit that sends.
    pub from: usize,
    /// Number of the unit that receives.
    pub to: usize,
    /// Distance of their somata, µm.
    pub distance_um: f64,
    /// Likeness of their tuning, 0..=1.
    pub similarity: f64,
}

/// Every connection of a mouse, in order of sender and receiver.
pub fn wiring(seed: u64, units: &[Unit]) -> Vec<Connection> {
    let curves: Vec<Vec<f64>> = units.iter().map(direction_curve).collect();
    let mut connections = Vec::new();
    for (from, sender) in units.iter().enumerate() {
        let mut chance = Chance::new(seed, Topic::Wiring, from as u32);
        for (to, receiver) in units.iter().enumerate() {
            // Drawn for every pair, so that one pair does not depend on the others.
            let drawn = chance.uniform();
            let (distance_um, similarity) =
                (distance_um(sender, receiver), likeness(sender, receiver, &curves[from], &curves[to]));
            if from != to && drawn < probability(distance_um, similarity) {
                connections.push(Connection { from, to, distance_um, similarity });
            }
        }
    }
    connections
}

/// Likeness of the tuning of two units to full-field gratings, 0..=1: overlap of their direction curves, times that of
/// their spatial and temporal frequencies. Position plays no part.
pub fn similarity(a: &Unit, b: &Unit) -> f64 {
    likeness(a, b, &direction_curve(a), &direction_curve(b))
}

/// Distance of the somata of two units, µm; a way between areas is longer.
pub fn distance_um(a: &Unit, b: &Unit) -> f64 {
    let squares: f64 = a.soma_um.iter().zip(&b.soma_um).map(|(a, b)| (a - b) * (a - b)).sum();
    squares.sqrt() + if a.area == b.area { 0.0 } else { BETWEEN_AREAS_UM }
}

fn probability(distance_um: f64, similarity: f64) -> f64 {
    PEAK * (-distance_um / REACH_UM).exp() * (FLOOR + (1.0 - FLOOR) * similarity * similarity)
}

/// Direction tuning of unit length.
fn direction_curve(unit: &Unit) -> Vec<f64> {
    let null = 1.0 - unit.direction_selectivity;
    let curve: Vec<f64> = (0..DIRECTIONS)
        .map(|step| {
            let direction = 360.0 * f64::from(step) / f64::from(DIRECTIONS);
            let cos = (direction - unit.direction_deg).to_radians().cos();
            (KAPPA * (cos - 1.0)).exp() + null * (KAPPA * (-cos - 1.0)).exp()
        })
        .collect();
    let length = curve.iter().map(|r| r * r).sum::<f64>().sqrt();
    curve.into_iter().map(|r| r / length).collect()
}

fn likeness(a: &Unit, b: &Unit, curve_a: &[f64], curve_b: &[f64]) -> f64 {
    let overlap = |a: f64, b: f64| (-(a / b).log2().powi(2) / (4.0 * OCTAVES * OCTAVES)).exp();
    let direction: f64 = curve_a.iter().zip(curve_b).map(|(a, b)| a * b).sum();
    direction
        * overlap(a.spatial_frequency_cyc_per_deg, b.spatial_frequency_cyc_per_deg)
        * overlap(a.temporal_frequency_hz, b.temporal_frequency_hz)
}
