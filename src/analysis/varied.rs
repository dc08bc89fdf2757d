//! What a parameter that was varied is, by the name that a protocol or a recording gives it.
//!
//! Recordings say `Ori`, `sf` or `grating_orientation` where a protocol says `orientation_deg` or
//! `spatial_frequency_cyc_per_deg`. Names are read word by word, whatever their case; units at the end and words such as
//! `grating` at the beginning do not count.

use crate::signals::Degrees;
use crate::stimulus::Schedule;

/// A parameter that tuning is known to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Varied {
    /// Direction of motion.
    Direction,
    /// Orientation, on half a circle; where values reach 180 degrees a direction of motion.
    Orientation,
    /// An angle of which the name does not tell whether it is a direction; read as [`Varied::Orientation`] is.
    Angle,
    /// Spatial frequency.
    SpatialFrequency,
    /// Temporal frequency.
    TemporalFrequency,
    /// Speed of motion.
    Speed,
    /// Size of what is shown: side, diameter or radius.
    Size,
    /// Contrast.
    Contrast,
}

/// What each is called.
const NAMES: [(Varied, &[&str]); 8] = [
    (Varied::Direction, &["direction", "dir"]),
    (Varied::Orientation, &["orientation", "ori"]),
    (Varied::Angle, &["angle"]),
    (Varied::SpatialFrequency, &["spatial frequency", "spatial freq", "sf"]),
    (Varied::TemporalFrequency, &["temporal frequency", "temporal freq", "tf"]),
    (Varied::Speed, &["speed"]),
    (Varied::Size, &["size", "diameter", "radius"]),
    (Varied::Contrast, &["contrast"]),
];
/// Words at the beginning of a name that only tell what was shown.
const BEFORE: [&str; 8] = ["stimulus", "stim", "visual", "drifting", "static", "grating", "gratings", "gabor"];
/// Words of units at the end of a name.
const UNITS: [&str; 15] = [
    "deg", "degree", "degrees", "cyc", "cycle", "cycles", "per", "cpd", "hz", "s", "sec", "second", "percent", "px",
    "pixels",
];
/// Words beside which an angle is another one, such as that between the two gratings of a plaid.
const OTHERS: [&str; 6] = ["crossing", "phase", "pupil", "gaze", "head", "speed"];

impl Varied {
    /// By the name of a parameter, such as `aperture.diameter_deg` or `Ori`; `None` for one that nothing is known of.
    pub fn of(name: &str) -> Option<Self> {
        let words = words(name.rsplit('.').next()?);
        let start = words.iter().take_while(|word| BEFORE.contains(&word.as_str())).count();
        let end = words.iter().rposition(|word| !UNITS.contains(&word.as_str()))? + 1;
        let stem = words.get(start..end)?.join(" ");
        NAMES.into_iter().find(|(_, names)| names.contains(&stem.as_str())).map(|(varied, _)| varied)
    }

    /// Its name in a protocol, with the unit that the field gives it in; `None` where units differ, as those of sizes and
    /// speeds: a name that tells none is then better left as it is.
    pub fn key(self) -> Option<&'static str> {
        match self {
            Self::Direction => Some("direction_deg"),
            Self::Orientation => Some("orientation_deg"),
            Self::Angle => Some("angle_deg"),
            Self::SpatialFrequency => Some("spatial_frequency_cyc_per_deg"),
            Self::TemporalFrequency => Some("temporal_frequency_hz"),
            Self::Contrast => Some("contrast"),
            Self::Speed | Self::Size => None,
        }
    }

    fn is_angle(self) -> bool {
        matches!(self, Self::Direction | Self::Orientation | Self::Angle)
    }
}

/// Whether some words are about a direction or an orientation over which tuning is measured.
pub fn names_angle(text: &str) -> bool {
    let words = words(text);
    let known = |word: &String| NAMES.iter().any(|(varied, names)| varied.is_angle() && names.contains(&word.as_str()));
    words.iter().any(known) && !words.iter().any(|word| OTHERS.contains(&word.as_str()))
}

/// Period of the circle on which the values of a swept parameter lie, degrees: 360 of directions; 180 of orientations, of
/// which none reaches 180 in either sense, as else they are directions. `None` where values lie on a line.
pub fn period_deg(schedule: &Schedule, key: &str) -> Option<Degrees> {
    let reaches = || schedule.conditions.iter().filter_map(|shown| shown.swept(key)).any(|value| value.abs() >= 180.0);
    match Varied::of(key)? {
        Varied::Direction => Some(360.0),
        Varied::Orientation | Varied::Angle => Some(if reaches() { 360.0 } else { 180.0 }),
        _ => None,
    }
}

/// The same angle in 0..period.
pub fn on_the_circle(degrees: Degrees, period: Degrees) -> Degrees {
    let turned = degrees.rem_euclid(period);
    // A hair below 0 rounds up to the period.
    if turned >= period { 0.0 } else { turned }
}

/// The words of a name in lower case: `SpatialFrequency`, `spatial_frequency` and `Spatial frequency` are two.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for char in name.chars() {
        if !char.is_ascii_alphanumeric() || (char.is_ascii_uppercase() && after_lower) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| char.is_ascii_alphanumeric()) {
            word.push(char.to_ascii_lowercase());
        }
        after_lower = char.is_ascii_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}
