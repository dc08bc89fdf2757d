//! The flat monitor in front of the eye: pixels, centimetres and degrees of visual angle.
//!
//! Angles are exact for a flat screen (`atan`), unless a monitor asks for the small-angle convention of some
//! laboratories, which takes x / D for the angle of x. Two-dimensional positions in
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

/// How places on the screen are turned into degrees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Angles {
    /// As the eye sees them: azimuthal-equidistant, by the arc tangent.
    #[default]
    Exact,
    /// (x, y) / D in radians: the degrees of the centre everywhere on the screen.
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
    /// How places on the screen are turned into degrees.
    #[serde(default)]
    pub angles: Angles,
    /// Whether computed stimuli are shown so that their luminance is proportional to what is drawn; else grey levels are.
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
        self.full_angle(self.pitch_cm().0)
    }

    /// Visual angle of a length that the centre of the screen halves, degrees.
    fn full_angle(&self, cm: f64) -> Degrees {
        match self.angles {
            Angles::Exact => 2.0 * (cm / 2.0 / self.distance_cm).atan().to_degrees(),
            Angles::SmallAngle => (cm / self.distance_cm).to_degrees(),
        }
    }

    /// Mean number of centimetres in each degree from the centre to an eccentricity; it grows with the eccentricity.
    /// Eccentricities from 89 degrees on, which no screen reaches, count as 89.
    pub fn cm_per_degree(&self, eccentricity: Degrees) -> f64 {
        match self.angles {
            Angles::Exact => {
                let degrees = eccentricity.clamp(1e-3, 89.0);
                self.distance_cm * degrees.to_radians().tan() / degrees
            }
            Angles::SmallAngle => self.distance_cm * 1f64.to_radians(),
        }
    }

    /// Visual angle covered by the whole screen, horizontally and vertically, degrees.
    pub fn field_degrees(&self) -> (Degrees, Degrees) {
        (self.full_angle(self.width_cm), self.full_angle(self.height_cm))
    }

    /// Azimuthal-equidistant position of a point on the screen, degrees.
    pub fn degrees_from_cm(&self, x_cm: f64, y_cm: f64) -> (Degrees, Degrees) {
        if self.angles == Angles::SmallAngle {
            return ((x_cm / self.distance_cm).to_degrees(), (y_cm / self.distance_cm).to_degrees());
        }
        let radius = x_cm.hypot(y_cm);
        if radius == 0.0 {
            return (0.0, 0.0);
        }
        let scale = (radius / self.distance_cm).atan().to_degrees() / radius;
        (x_cm * scale, y_cm * scale)
    }

    /// Point on the screen at an azimuthal-equidistant position, cm. `None` at 90 degrees and beyond,
    /// which a flat screen cannot show; small angles have no such limit.
    pub fn cm_from_degrees(&self, x: Degrees, y: Degrees) -> Option<(f64, f64)> {
        if self.angles == Angles::SmallAngle {
            return Some((x.to_radians() * self.distance_cm, y.to_radians() * self.distance_cm));
        }
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

    /// Grey level to show for each grey level drawn, so that luminance is linear in what is drawn around the background:
    /// L = L_b (1 + (g - b) / b), in whole levels, at most 255. Around a black background nothing can be scaled: there
    /// L = g / 255.
    pub fn linear_levels(&self) -> [u8; 256] {
        let background = f64::from(self.background);
        let (scale, unit) =
            if self.background == 0 { (1.0, 255.0) } else { (self.luminance(self.background), background) };
        std::array::from_fn(|drawn| {
            let luminance = scale * drawn as f64 / unit;
            // A cast saturates at 255.
            (255.0 * luminance.powf(1.0 / self.gamma)).round() as u8
        })
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
    fn ten_small_angle_degrees_are_11_862_pixels_everywhere() {
        let monitor = Monitor { angles: Angles::SmallAngle, ..Monitor::WANG2025 };
        let pixels = |x: f64| monitor.cm_from_degrees(x, 0.0).expect("no limit").0 / monitor.pitch_cm().0;
        near(pixels(10.0), 11.862, 5e-4);
        near(pixels(60.0) - pixels(50.0), 11.862, 5e-4);
        near(monitor.field_degrees().0, 56.5 / 15.0 * 180.0 / std::f64::consts::PI, 1e-9);
        near(monitor.centre_degrees_per_pixel() * 11.862, 10.0, 5e-4);
        near(monitor.cm_per_degree(70.0), monitor.cm_from_degrees(1.0, 0.0).expect("no limit").0, 1e-12);
    }

    #[test]
    fn linear_levels_make_luminance_proportional_to_what_is_drawn() {
        for (gamma, background) in [(1.7, 128), (2.2, 128), (1.0, 128), (2.2, 100)] {
            let monitor = Monitor { gamma, background, ..Monitor::WANG2025 };
            let levels = monitor.linear_levels();
            assert_eq!(levels[usize::from(background)], background);
            assert_eq!(levels[0], 0);
            for (drawn, &shown) in levels.iter().enumerate() {
                let exact = monitor.luminance(background) * drawn as f64 / f64::from(background);
                // Within half a level of the luminance, or clipped.
                let (low, high) = (f64::from(shown) - 0.5, f64::from(shown) + 0.5);
                let luminance = |grey: f64| (grey.max(0.0) / 255.0).powf(gamma);
                assert!(luminance(low) <= exact + 1e-12, "{gamma} {drawn} {shown}");
                assert!(luminance(high) >= exact - 1e-12 || shown == 255, "{gamma} {drawn} {shown}");
            }
        }
        let same = Monitor { gamma: 1.0, ..Monitor::WANG2025 }.linear_levels();
        assert!(same.iter().enumerate().all(|(drawn, &shown)| drawn == usize::from(shown)));
        assert_eq!(Monitor { background: 0, ..Monitor::WANG2025 }.linear_levels()[255], 255);
    }

    #[test]
    fn a_monitor_written_before_these_conventions_has_the_exact_ones() {
        let mut value = serde_json::to_value(Monitor::WANG2025).expect("plain values");
        let fields = value.as_object_mut().expect("a struct");
        assert_eq!(fields["angles"], "exact");
        fields.remove("angles");
        fields.remove("linear_light");
        assert_eq!(serde_json::from_value::<Monitor>(value).expect("the rest has values"), Monitor::WANG2025);
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
