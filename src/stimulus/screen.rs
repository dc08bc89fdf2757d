//! The monitor as a table: where each pixel lies in visual angle. Made once, used by every stimulus on every frame, on
//! the CPU and (uploaded) on the GPU, so that both see the same degrees.

use bytemuck::{Pod, Zeroable};

use crate::signals::{Angles, Monitor};

/// One pixel's place in azimuthal-equidistant degrees; the layout of `Place` in `shaders/shared/geometry.wgsl`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub struct Place {
    /// Position of the centre, x to the right and y up.
    pub position: [f32; 2],
    /// Change of the position from one column to the next.
    pub per_column: [f32; 2],
    /// Change of the position from one row to the next (downwards).
    pub per_row: [f32; 2],
}

/// A monitor with the place of each of its pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Screen {
    monitor: Monitor,
    places: Vec<Place>,
}

impl Screen {
    /// Computes every pixel's place.
    pub fn new(monitor: &Monitor) -> Self {
        let raster = monitor.raster;
        let places = (0..raster.height)
            .flat_map(|row| (0..raster.width).map(move |column| place(monitor, row as f64, column as f64)))
            .collect();
        Self { monitor: *monitor, places }
    }

    /// The monitor.
    pub fn monitor(&self) -> &Monitor {
        &self.monitor
    }

    /// Every pixel's place, row by row.
    pub fn places(&self) -> &[Place] {
        &self.places
    }
}

/// Position and its derivatives: with r the distance from the centre in cm and D that of the eye, the position is
/// (x, y) s(r), s(r) = atan(r / D) / r; with small angles s is 1 / D everywhere.
fn place(monitor: &Monitor, row: f64, column: f64) -> Place {
    let (x, y) = monitor.cm_from_pixel(row, column);
    let (dx, dy) = monitor.pitch_cm();
    let (distance, radius) = (monitor.distance_cm, x.hypot(y));
    let at_centre = (1.0 / distance).to_degrees();
    let (scale, slope_per_radius) = if monitor.angles == Angles::SmallAngle || radius < 1e-6 * distance {
        (at_centre, 0.0)
    } else {
        let scale = (radius / distance).atan().to_degrees() / radius;
        let radial = (distance / (distance * distance + radius * radius)).to_degrees();
        (scale, (radial - scale) / (radius * radius))
    };
    let column_step = [scale * dx + x * slope_per_radius * x * dx, y * slope_per_radius * x * dx];
    let row_step = [-x * slope_per_radius * y * dy, -(scale * dy + y * slope_per_radius * y * dy)];
    Place {
        position: [(x * scale) as f32, (y * scale) as f32],
        per_column: column_step.map(|v| v as f32),
        per_row: row_step.map(|v| v as f32),
    }
}
