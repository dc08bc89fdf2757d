//! The screen of a protocol: a preset, and what differs from it.

use serde::{Deserialize, Serialize};

use super::error::{ProtocolError, ensure, within};
use crate::nearest::{listed, nearest};
use crate::signals::{Angles, Monitor, Raster};

/// Most pixels along a side of the raster.
const MOST_SIDE: usize = 4096;
/// Screens by name.
const MONITORS: [(&str, Monitor); 1] = [("wang2025", Monitor::WANG2025)];

/// Which screen; what is absent is that of the preset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MonitorChoice {
    /// `wang2025`.
    pub preset: String,
    /// Pixels `[height, width]`; the twin's own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raster: Option<[usize; 2]>,
    /// Width of the lit area, cm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width_cm: Option<f64>,
    /// Height of the lit area, cm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height_cm: Option<f64>,
    /// Distance from the eye to the centre, cm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distance_cm: Option<f64>,
    /// Exponent of `luminance = (grey / 255)^gamma`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gamma: Option<f64>,
    /// Grey level between presentations, 0..=255.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background: Option<u8>,
    /// How degrees are measured on the screen: `exact` or `small_angle`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub angles: Option<Angles>,
    /// Whether stimuli are computed in luminance rather than in grey levels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linear_light: Option<bool>,
}

impl Default for MonitorChoice {
    fn default() -> Self {
        Self {
            preset: "wang2025".to_owned(),
            raster: None,
            width_cm: None,
            height_cm: None,
            distance_cm: None,
            gamma: None,
            background: None,
            angles: None,
            linear_light: None,
        }
    }
}

impl MonitorChoice {
    /// Names of the presets.
    pub fn presets() -> Vec<&'static str> {
        MONITORS.iter().map(|(name, _)| *name).collect()
    }

    /// One with everything given that can be left out.
    pub(super) fn full() -> Self {
        let all = Monitor::WANG2025;
        Self {
            raster: Some([all.raster.height, all.raster.width]),
            width_cm: Some(all.width_cm),
            height_cm: Some(all.height_cm),
            distance_cm: Some(all.distance_cm),
            gamma: Some(all.gamma),
            background: Some(all.background),
            angles: Some(all.angles),
            linear_light: Some(all.linear_light),
            ..Self::default()
        }
    }

    /// The screen, with the raster of the twin unless one is given. An unknown preset, which `validate` refuses, counts
    /// as `wang2025`.
    pub(super) fn monitor(&self, twin: Raster) -> Monitor {
        let preset =
            MONITORS.iter().find(|(name, _)| *name == self.preset).map_or(Monitor::WANG2025, |(_, known)| *known);
        Monitor {
            raster: self.raster.map_or(twin, |[height, width]| Raster { height, width }),
            width_cm: self.width_cm.unwrap_or(preset.width_cm),
            height_cm: self.height_cm.unwrap_or(preset.height_cm),
            distance_cm: self.distance_cm.unwrap_or(preset.distance_cm),
            gamma: self.gamma.unwrap_or(preset.gamma),
            frame_rate: preset.frame_rate,
            background: self.background.unwrap_or(preset.background),
            angles: self.angles.unwrap_or(preset.angles),
            linear_light: self.linear_light.unwrap_or(preset.linear_light),
        }
    }

    /// Chooses this screen: names what differs from the preset. The raster stays that of the twin, or as it was given.
    pub fn choose(&mut self, screen: &Monitor) {
        fn differing<T: PartialEq>(value: T, usual: T) -> Option<T> {
            (value != usual).then_some(value)
        }
        let usual = Self { preset: self.preset.clone(), ..Self::default() }.monitor(screen.raster);
        self.width_cm = differing(screen.width_cm, usual.width_cm);
        self.height_cm = differing(screen.height_cm, usual.height_cm);
        self.distance_cm = differing(screen.distance_cm, usual.distance_cm);
        self.gamma = differing(screen.gamma, usual.gamma);
        self.background = differing(screen.background, usual.background);
        self.angles = differing(screen.angles, usual.angles);
        self.linear_light = differing(screen.linear_light, usual.linear_light);
    }

    pub(super) fn validate(&self) -> Result<(), ProtocolError> {
        let known = Self::presets();
        ensure(known.contains(&self.preset.as_str()), "monitor.preset", || match nearest(&self.preset, &known) {
            Some(name) => format!("is \"{}\", which is no known screen; did you mean `{name}`?", self.preset),
            None => format!("is \"{}\", which is no known screen; known: {}", self.preset, listed(&known)),
        })?;
        let sides = self.raster.unwrap_or([1, 1]);
        ensure(sides.iter().all(|side| (1..=MOST_SIDE).contains(side)), "monitor.raster", || {
            format!("is {sides:?}; height and width must each lie in 1..={MOST_SIDE} pixels")
        })?;
        for (key, value, least, most) in [
            ("monitor.width_cm", self.width_cm, 1.0, 1000.0),
            ("monitor.height_cm", self.height_cm, 1.0, 1000.0),
            ("monitor.distance_cm", self.distance_cm, 1.0, 1000.0),
            ("monitor.gamma", self.gamma, 0.1, 10.0),
        ] {
            value.map_or(Ok(()), |value| within(key, value, least, most))?;
        }
        Ok(())
    }
}
