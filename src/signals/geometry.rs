//! The flat monitor in front of the eye: pixels, centimetres and degrees of visual angle.
//!
//! Angles are exact for a flat screen (`atan`), never small-angle. Two-dimensional positions in
//! degrees are azimuthal-equidistant about the point of the screen nearest the eye: `(x, y)` lies at
//! eccentricity `hypot(x, y)` in the direction `atan2(y, x)`, x to the right and y up.

use serde::{Deserialize, Serialize};

/// Degrees of visual angle.
pub type Degrees = f64;

/// Frames per second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FrameRate(pub f64);

impl FrameRate {
    /// Rate of the stimuli and responses in Wang et al. 2025, 30 Hz.
    pub const WANG2025: Self = Self(30.0);

    /// Number of frames nearest to a duration, in seconds.
    pub fn frames_in(self, secs: f64) -> usize {
        (secs * self.0).round().max(0.0) as usize
    }

    /// Time from onset to the start of a frame, in seconds.
    pub fn secs_at(self, frame: usize) -> f64 {
        frame as f64 / self.0
    }
}

/// Size of a picture in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Raster {
    /// Rows, pixels.
    pub height: usize,
    /// Columns, pixels.
    pub width: usize,
}

impl Raster {
    /// Raster of the published digital twin, 144 x 256.
    pub const WANG2025: Self = Self { height: 144, width: 256 };

    /// Pixels in one picture.
    pub fn pixels(self) -> usize {
        self.height * self.width
    }
}

impl std::fmt::Display for Raster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} x {}", self.height, self.width)
    }
}

/// How degrees of visual angle are measured on a flat screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Angles {
    /// By the arc tangent: a centimetre covers fewer degrees the further it is from the centre.
    #[default]
    Exact,
    /// Every centimetre covers as many degrees as at the centre.
    SmallAngle,
}

/// A flat screen, perpendicular to the line of sight at its centre.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Monitor {
    /// Width of the lit area, cm.
    pub width_cm: f64,
    /// Height of the lit area, cm.
    pub height_cm: f64,
    /// Distance from the eye to the centre, cm.
    pub distance_cm: f64,
    /// Pixels.
    pub raster: Raster,
    /// Exponent of `luminance = (grey / 255)^gamma`.
    pub gamma: f64,
    /// Refresh rate of the stimulus, Hz.
    pub frame_rate: FrameRate,
    /// Grey level between presentations, 0..=255.
    pub background: u8,
    /// How degrees are measured.
    #[serde(default)]
    pub angles: Angles,
    /// Whether stimuli are computed in luminance and then turned into grey levels by the inverse of `gamma`.
    #[serde(default)]
    pub linear_light: bool,
}

impl Monitor {
    /// The monitor of Wang et al. 2025: 56.5 x 31.8 cm at 15 cm, 144 x 256 pixels, 30 Hz, gamma 1.7.
    pub const WANG2025: Self = Self {
        width_cm: 56.5,
        height_cm: 31.8,
        distance_cm: 15.0,
        raster: Raster::WANG2025,
        gamma: 1.7,
        frame_rate: FrameRate::WANG2025,
        background: 128,
        angles: Angles::Exact,
        linear_light: false,
    };

    /// The same screen drawn with another number of pixels.
    pub fn with_raster(self, raster: Raster) -> Self {
        Self { raster, ..self }
    }

    /// Horizontal and vertical distance between pixel centres, cm.
    pub fn pitch_cm(&self) -> (f64, f64) {
        (self.width_cm / self.raster.width as f64, self.height_cm / self.raster.height as f64)
    }

    /// Centre of a pixel relative to the centre of the screen, cm; x to the right, y up.
    pub fn cm_from_pixel(&self, row: f64, column: f64) -> (f64, f64) {
        let (dx, dy) = self.pitch_cm();
        ((column - (self.raster.width as f64 - 1.0) / 2.0) * dx, -(row - (self.raster.height as f64 - 1.0) / 2.0) * dy)
    }

    /// Visual angle of one pixel at the centre of the screen along x, degrees.
    pub fn centre_degrees_per_pixel(&self) -> Degrees {
        2.0 * (self.pitch_cm().0 / 2.0 / self.distance_cm).atan().to_degrees()
    }

    /// Visual angle covered by the whole screen, horizontally and vertically, degrees.
    pub fn field_degrees(&self) -> (Degrees, Degrees) {
        let full = |cm: f64| 2.0 * (cm / 2.0 / self.distance_cm).atan().to_degrees();
        (full(self.width_cm), full(self.height_cm))
    }

    /// Azimuthal-equidistant position of a point on the screen, degrees.
    pub fn degrees_from_cm(&self, x_cm: f64, y_cm: f64) -> (Degrees, Degrees) {
        let radius = x_cm.hypot(y_cm);
        if radius == 0.0 {
            return (0.0, 0.0);
        }
        let scale = (radius / self.distance_cm).atan().to_degrees() / radius;
        (x_cm * scale, y_cm * scale)
    }

    /// Point on the screen at an azimuthal-equidistant position, cm. `None` at 90 degrees and beyond,
    /// which a flat screen cannot show.
    pub fn cm_from_degrees(&self, x: Degrees, y: Degrees) -> Option<(f64, f64)> {
        let radius = x.hypot(y);
        if radius == 0.0 {
            return Some((0.0, 0.0));
        }
        if radius >= 90.0 {
            return None;
        }
        let scale = radius.to_radians().tan() * self.distance_cm / radius;
        Some((x * scale, y * scale))
    }

    /// Position of a pixel centre, degrees.
    pub fn degrees_from_pixel(&self, row: f64, column: f64) -> (Degrees, Degrees) {
        let (x, y) = self.cm_from_pixel(row, column);
        self.degrees_from_cm(x, y)
    }

    /// Luminance of a grey level relative to the maximum, 0..=1.
    pub fn luminance(&self, grey: u8) -> f64 {
        (f64::from(grey) / 255.0).powf(self.gamma)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64, tolerance: f64) {
        assert!((a - b).abs() <= tolerance, "{a} is not within {tolerance} of {b}");
    }

    #[test]
    fn the_screen_of_the_paper_covers_the_angles_it_should() {
        let monitor = Monitor::WANG2025;
        let (x, y) = monitor.field_degrees();
        near(x, 124.0658, 5e-5);
        near(y, 93.3367, 5e-5);
        let corner = monitor.degrees_from_cm(56.5 / 2.0, 31.8 / 2.0);
        near(corner.0.hypot(corner.1), 65.169, 5e-4);
        near(monitor.centre_degrees_per_pixel(), 0.84301, 1e-5);
        near(25.0 / monitor.centre_degrees_per_pixel(), 29.655, 1e-3);
    }

    #[test]
    fn ten_degrees_are_twelve_pixels_by_the_tangent_not_by_the_small_angle() {
        let monitor = Monitor::WANG2025;
        let (x, _) = monitor.cm_from_degrees(10.0, 0.0).expect("inside the hemisphere");
        near(x / monitor.pitch_cm().0, 11.984, 5e-4);
    }

    #[test]
    fn degrees_and_centimetres_are_inverse() {
        let monitor = Monitor::WANG2025;
        for (x, y) in [(0.0, 0.0), (3.0, -4.0), (-60.0, 20.0)] {
            let cm = monitor.cm_from_degrees(x, y).expect("inside the hemisphere");
            let back = monitor.degrees_from_cm(cm.0, cm.1);
            near(back.0, x, 1e-9);
            near(back.1, y, 1e-9);
        }
        assert!(monitor.cm_from_degrees(90.0, 0.0).is_none());
    }

    #[test]
    fn middle_grey_is_less_than_half_as_bright() {
        near(Monitor::WANG2025.luminance(128), 0.30984, 5e-6);
    }
}
