//! An aperture: the stimulus is seen inside a disc, inside a ring, or everywhere outside a disc.
//!
//! Distances are azimuthal-equidistant degrees on the flat screen. The edge is a raised cosine of a set width, centred
//! on the border, and never narrower than one pixel.

use super::super::fields::{Field, X, Y, choices, parameters};
use super::{Change, ModifierParameters, Prepared, Screen, StimulusError};
use crate::signals::{Degrees, Monitor};

choices! {
    /// What is left of the stimulus.
    pub enum ApertureShape {
        /// A disc.
        Circle = "circle", "Disc";
        /// A ring.
        Annulus = "annulus", "Ring";
        /// Everything but a disc.
        Surround = "surround", "All but a disc";
    }
}

parameters! {
    /// Shows the stimulus through a window; elsewhere is the background.
    pub struct Aperture {
        /// What is left of the stimulus.
        shape: ApertureShape = ApertureShape::Circle,
            Field::choice("Shape", ApertureShape::OPTIONS, "Where the stimulus is seen; elsewhere is grey");
        /// Centre, degrees right of the middle of the screen.
        x_deg: Degrees = 0.0, X;
        /// Centre, degrees above the middle of the screen.
        y_deg: Degrees = 0.0, Y;
        /// Diameter of the disc, or outer diameter of the ring, degrees.
        diameter_deg: Degrees = 40.0,
            Field::number("Diameter", "deg", (0.0, 180.0), 1.0, "Diameter of the disc, or outer diameter of the ring");
        /// Inner diameter of the ring, degrees.
        inner_diameter_deg: Degrees = 20.0,
            Field::number("Inner diameter", "deg", (0.0, 180.0), 1.0, "Diameter of the hole of the ring");
        /// Width of the soft edge, degrees; 0 is sharp.
        edge_deg: Degrees = 0.0,
            Field::number("Soft edge", "deg", (0.0, 60.0), 0.5, "Width over which the border fades; 0 is a sharp border");
    }
}

impl ModifierParameters for Aperture {
    fn idle(&self, key: &str) -> Option<&'static str> {
        match key {
            "inner_diameter_deg" if self.shape != ApertureShape::Annulus => {
                Some("only a ring has a hole; sweep `aperture.diameter_deg`, or set `shape` to \"annulus\"")
            }
            _ => None,
        }
    }

    fn check(&self, _monitor: &Monitor) -> Result<(), StimulusError> {
        if self.shape == ApertureShape::Annulus && self.inner_diameter_deg > self.diameter_deg {
            return Err(StimulusError::Impossible {
                stimulus: "Aperture",
                key: "inner_diameter_deg",
                what: format!(
                    "is {}; it must not exceed the outer diameter of {}",
                    self.inner_diameter_deg, self.diameter_deg
                ),
            });
        }
        Ok(())
    }

    fn prepare(
        &self,
        below: &Prepared,
        _nested: Option<Prepared>,
        _seed: u64,
    ) -> Result<Box<dyn Change>, StimulusError> {
        let screen = below.screen();
        let inside = |distance: f64, diameter: f64, pixel: f64| {
            let edge = self.edge_deg.max(pixel);
            let along = ((distance - diameter / 2.0) / edge + 0.5).clamp(0.0, 1.0);
            0.5 + 0.5 * (std::f64::consts::PI * along).cos()
        };
        let weights = screen.places().iter().map(|place| {
            let [x, y] = place.position.map(f64::from);
            let distance = (x - self.x_deg).hypot(y - self.y_deg);
            let [across, up] = [place.per_column, place.per_row].map(|[a, b]| f64::from(a.hypot(b)));
            let pixel = across.max(up);
            let disc = inside(distance, self.diameter_deg, pixel);
            let weight = match self.shape {
                ApertureShape::Circle => disc,
                ApertureShape::Annulus => disc * (1.0 - inside(distance, self.inner_diameter_deg, pixel)),
                ApertureShape::Surround => 1.0 - disc,
            };
            weight as f32
        });
        Ok(Box::new(Window { weights: weights.collect() }))
    }
}

/// Part of the stimulus in each pixel, 0..=1.
#[derive(Debug)]
struct Window {
    weights: Vec<f32>,
}

impl Change for Window {
    fn apply(&self, screen: &Screen, _frame: usize, greys: &mut [f32]) {
        let background = f32::from(screen.monitor().background);
        for (grey, weight) in greys.iter_mut().zip(&self.weights) {
            *grey = background + weight * (*grey - background);
        }
    }
}
