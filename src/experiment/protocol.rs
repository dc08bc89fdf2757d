//! The protocol: everything that decides what a run computes, and what is possible.

use serde::{Deserialize, Serialize};

use super::nearest::{listed, nearest};
use crate::signals::{Monitor, Raster};
use crate::stimulus::{DriftingGrating, Stimulus, StimulusError};

/// The only version of the format so far.
pub const SCHEMA: u32 = 1;
/// Longest movie of one run, seconds.
pub const MOST_SECS: f64 = 10.0 * 3600.0;
/// Most conditions of one sweep.
pub const MOST_CONDITIONS: usize = 4096;
/// Most presentations of one condition.
pub const MOST_REPEATS: usize = 10_000;
/// Longest title, characters.
pub const MOST_TITLE: usize = 120;
/// Most pixels along a side of the raster.
const MOST_SIDE: usize = 4096;
/// Screens by name.
const MONITORS: [(&str, Monitor); 1] = [("wang2025", Monitor::WANG2025)];

/// A protocol, `schema = 1`. Unknown keys are errors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Protocol {
    /// Version of the format, 1.
    pub schema: u32,
    /// Shown above figures.
    pub title: String,
    /// Screen preset; its raster is that of the twin unless given here.
    #[serde(default)]
    pub monitor: MonitorChoice,
    /// Durations.
    #[serde(default)]
    pub timing: Timing,
    /// What is shown.
    pub stimulus: Stimulus,
    /// What is varied.
    #[serde(default)]
    pub sweep: Sweep,
    /// Repeats and order.
    #[serde(default)]
    pub repeats: Repeats,
}

/// Which screen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MonitorChoice {
    /// `wang2025`.
    pub preset: String,
    /// Pixels `[height, width]`; the twin's own when absent.
    pub raster: Option<[usize; 2]>,
}

impl Default for MonitorChoice {
    fn default() -> Self {
        Self { preset: "wang2025".to_owned(), raster: None }
    }
}

/// Durations of the parts of a trial, seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timing {
    /// Grey before the first presentation: the network's burn-in.
    pub lead_in_secs: f64,
    /// Each presentation.
    pub stimulus_secs: f64,
    /// Grey after each presentation.
    pub blank_secs: f64,
    /// Part at the start of each presentation that is left out of the mean response.
    pub skip_secs: f64,
}

impl Default for Timing {
    fn default() -> Self {
        Self { lead_in_secs: 0.5, stimulus_secs: 1.5, blank_secs: 0.5, skip_secs: 0.3 }
    }
}

/// Parameters that vary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Sweep {
    /// Directions, evenly spaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction_deg: Option<Steps>,
}

/// Evenly spaced values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Steps {
    /// First value.
    pub start: f64,
    /// Difference between neighbours.
    pub step: f64,
    /// Number of values.
    pub count: usize,
}

impl Steps {
    /// This many directions over the whole circle, from 0.
    pub fn round_the_circle(count: usize) -> Self {
        Self { start: 0.0, step: 360.0 / count.max(1) as f64, count }
    }

    /// The values in order.
    pub fn values(self) -> impl Iterator<Item = f64> {
        (0..self.count).map(move |index| self.start + self.step * index as f64)
    }
}

/// Repeats and their order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Repeats {
    /// Presentations of each condition.
    pub count: usize,
    /// Seed of the order and of every random stimulus: any whole number of 64 bits, in quotes above
    /// 9223372036854775807, where the whole numbers of TOML end.
    #[serde(with = "whole_seed")]
    pub seed: u64,
    /// Whether each block of all conditions is shuffled.
    pub shuffle: bool,
}

impl Default for Repeats {
    fn default() -> Self {
        Self { count: 2, seed: 1, shuffle: true }
    }
}

/// Why a protocol cannot be used. The message is one sentence: where, what, how to mend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// Not TOML.
    #[error("{place}: {what}")]
    Syntax {
        /// Source and line.
        place: String,
        /// What the parser found.
        what: String,
    },
    /// A key that means nothing here.
    #[error("{place}: `{key}` is not a key of a protocol{hint}")]
    UnknownKey {
        /// Source and line.
        place: String,
        /// With its table, such as `timing.blank_ms`.
        key: String,
        /// What to write instead.
        hint: String,
    },
    /// A key whose value is missing, of the wrong kind or impossible.
    #[error("{place}: `{key}` {what}")]
    Value {
        /// Source and line; only "protocol" for one that was made in memory.
        place: String,
        /// With its table, such as `timing.blank_secs`.
        key: String,
        /// What is wrong with it.
        what: String,
    },
}

impl ProtocolError {
    /// The key that is wrong, with its table, such as `timing.blank_secs`.
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Syntax { .. } => None,
            Self::UnknownKey { key, .. } | Self::Value { key, .. } => Some(key),
        }
    }
}

impl Protocol {
    /// Drifting gratings in 16 directions, each shown twice in shuffled blocks.
    pub fn default_direction_tuning() -> Self {
        Self {
            schema: SCHEMA,
            title: "Direction tuning, drifting gratings".to_owned(),
            monitor: MonitorChoice::default(),
            timing: Timing::default(),
            stimulus: Stimulus::DriftingGrating(DriftingGrating::default()),
            sweep: Sweep { direction_deg: Some(Steps::round_the_circle(16)) },
            repeats: Repeats::default(),
        }
    }

    /// The title that says no more than stimulus and sweep do; one that the user wrote is another.
    pub fn usual_title(&self) -> String {
        let shown = match &self.stimulus {
            Stimulus::DriftingGrating(_) => "drifting gratings",
            Stimulus::MovingDots(_) => "moving dots",
            Stimulus::WhiteNoise(_) => "white noise",
            Stimulus::Clip(_) => "natural clip",
            Stimulus::Images(_) => "static images",
        };
        if self.sweep.direction_deg.is_some() {
            return format!("Direction tuning, {shown}");
        }
        let (first, rest) = shown.split_at(1);
        format!("{}{rest}", first.to_uppercase())
    }

    /// Puts another stimulus and sweep in place; a title that was the usual one stays so.
    pub fn show_instead(&mut self, stimulus: Stimulus, direction_deg: Option<Steps>) {
        let usual = self.title == self.usual_title();
        self.stimulus = stimulus;
        self.sweep.direction_deg = direction_deg;
        if usual {
            self.title = self.usual_title();
        }
    }

    /// The screen: the preset, with the raster of the protocol or else of the twin. An unknown preset, which
    /// [`validate`](Self::validate) refuses, counts as `wang2025`.
    pub fn monitor(&self, twin: Raster) -> Monitor {
        let preset = MONITORS.iter().find(|(name, _)| *name == self.monitor.preset);
        let raster = self.monitor.raster.map_or(twin, |[height, width]| Raster { height, width });
        preset.map_or(Monitor::WANG2025, |(_, monitor)| *monitor).with_raster(raster)
    }

    /// Frames at the start of each presentation that are left out of its mean response.
    pub fn skip_frames(&self, monitor: &Monitor) -> usize {
        monitor.frame_rate.frames_in(self.timing.skip_secs)
    }

    /// Whether every value is possible on the screen of the preset; also checks the raster, where it is given.
    ///
    /// # Errors
    /// The first impossible value.
    pub fn validate(&self) -> Result<(), ProtocolError> {
        self.validate_on(&self.monitor(Raster::WANG2025), self.monitor.raster.is_some())
    }

    /// Whether every value is possible on this screen: a grating, for instance, must not be finer than its pixels.
    ///
    /// # Errors
    /// The first impossible value.
    pub fn validate_for(&self, monitor: &Monitor) -> Result<(), ProtocolError> {
        self.validate_on(monitor, true)
    }

    fn validate_on(&self, monitor: &Monitor, raster_known: bool) -> Result<(), ProtocolError> {
        ensure(self.schema == SCHEMA, "schema", || {
            format!("is {}; this program reads protocols with schema = {SCHEMA}", self.schema)
        })?;
        let length = self.title.chars().count();
        ensure((1..=MOST_TITLE).contains(&length), "title", || {
            format!("has {length} characters; give it 1 to {MOST_TITLE}")
        })?;
        ensure(!self.title.chars().any(char::is_control), "title", || {
            "contains a line break or another control character; write it on one line".to_owned()
        })?;
        self.monitor.validate()?;
        self.timing.validate(monitor)?;
        self.stimulus.validate().map_err(stimulus_error)?;
        match &self.stimulus {
            Stimulus::DriftingGrating(grating) => validate_grating(grating, monitor, raster_known)?,
            Stimulus::Clip(clip) => ensure(!clip.path.as_os_str().is_empty(), "stimulus.path", || {
                "is empty; name a .npy, .npz, .gif, .png, .webp, .tif or video file, or a folder of pictures".to_owned()
            })?,
            Stimulus::Images(images) => ensure(!images.path.as_os_str().is_empty(), "stimulus.path", || {
                "is empty; name a folder of pictures".to_owned()
            })?,
            Stimulus::MovingDots(_) | Stimulus::WhiteNoise(_) => {}
        }
        self.validate_sweep()?;
        self.validate_length(monitor)
    }

    fn validate_sweep(&self) -> Result<(), ProtocolError> {
        let count = self.repeats.count;
        ensure((1..=MOST_REPEATS).contains(&count), "repeats.count", || {
            format!("is {count}; it must lie in 1..={MOST_REPEATS}")
        })?;
        let Some(Steps { start, step, count }) = self.sweep.direction_deg else {
            return Ok(());
        };
        ensure(self.stimulus.direction_deg().is_some(), "sweep.direction_deg", || {
            format!("cannot be swept: \"{}\" has no direction of motion; remove it", self.stimulus.label())
        })?;
        within("sweep.direction_deg.start", start, -360.0, 360.0)?;
        within("sweep.direction_deg.step", step, -360.0, 360.0)?;
        ensure((1..=MOST_CONDITIONS).contains(&count), "sweep.direction_deg.count", || {
            format!("is {count}; it must lie in 1..={MOST_CONDITIONS}")
        })?;
        // A hair above 360 is rounding: 7 steps of 51.428571428571431 degrees.
        let covered = step.abs() * count as f64;
        ensure(count == 1 || (step != 0.0 && covered <= 360.0 + 1e-6), "sweep.direction_deg.step", || {
            let even = 360.0 / count as f64;
            format!("is {step}, so that {count} directions repeat one another; {even} spaces them evenly")
        })
    }

    /// Counted in floating point, where nothing overflows.
    fn validate_length(&self, monitor: &Monitor) -> Result<(), ProtocolError> {
        let conditions = self.sweep.direction_deg.map_or(1, |steps| steps.count);
        let presentations = conditions as f64 * self.repeats.count as f64;
        let frames_in = |secs| monitor.frame_rate.frames_in(secs) as f64;
        let each = frames_in(self.timing.stimulus_secs) + frames_in(self.timing.blank_secs);
        let total = (frames_in(self.timing.lead_in_secs) + presentations * each) / monitor.frame_rate.0;
        ensure(total <= MOST_SECS, "repeats.count", || {
            format!(
                "makes a movie of {:.1} h ({presentations} presentations); at most {:.0} h can be run at once",
                total / 3600.0,
                MOST_SECS / 3600.0
            )
        })
    }
}

impl MonitorChoice {
    fn validate(&self) -> Result<(), ProtocolError> {
        let known: Vec<&str> = MONITORS.iter().map(|(name, _)| *name).collect();
        ensure(known.contains(&self.preset.as_str()), "monitor.preset", || match nearest(&self.preset, &known) {
            Some(name) => format!("is \"{}\", which is no known screen; did you mean `{name}`?", self.preset),
            None => format!("is \"{}\", which is no known screen; known: {}", self.preset, listed(&known)),
        })?;
        let sides = self.raster.unwrap_or([1, 1]);
        ensure(sides.iter().all(|side| (1..=MOST_SIDE).contains(side)), "monitor.raster", || {
            format!("is {sides:?}; height and width must each lie in 1..={MOST_SIDE} pixels")
        })
    }
}

impl Timing {
    fn validate(&self, monitor: &Monitor) -> Result<(), ProtocolError> {
        let frame = 1.0 / monitor.frame_rate.0;
        within("timing.lead_in_secs", self.lead_in_secs, 0.0, 3600.0)?;
        within("timing.stimulus_secs", self.stimulus_secs, frame, 3600.0)?;
        within("timing.blank_secs", self.blank_secs, 0.0, 3600.0)?;
        within("timing.skip_secs", self.skip_secs, 0.0, 3600.0)?;
        let frames_in = |secs| monitor.frame_rate.frames_in(secs);
        ensure(frames_in(self.skip_secs) < frames_in(self.stimulus_secs), "timing.skip_secs", || {
            let (skip, shown) = (self.skip_secs, self.stimulus_secs);
            format!("is {skip} s, which leaves nothing of a presentation of {shown} s; make it shorter")
        })
    }
}

/// What a screen can show of a grating.
fn validate_grating(grating: &DriftingGrating, monitor: &Monitor, raster_known: bool) -> Result<(), ProtocolError> {
    let finest = 0.5 / monitor.centre_degrees_per_pixel();
    let frequency = grating.spatial_frequency_cyc_per_deg;
    ensure(!raster_known || frequency <= finest, "stimulus.spatial_frequency_cyc_per_deg", || {
        format!("is {frequency}, finer than the screen's {} pixels can show; the limit is {finest:.4}", monitor.raster)
    })?;
    let fastest = monitor.frame_rate.0 / 2.0;
    ensure(grating.temporal_frequency_hz <= fastest, "stimulus.temporal_frequency_hz", || {
        let frequency = grating.temporal_frequency_hz;
        format!("is {frequency}; at {} frames per second it must lie in 0..={fastest} Hz", monitor.frame_rate.0)
    })
}

/// A stimulus knows its keys; a protocol knows its table.
fn stimulus_error(error: StimulusError) -> ProtocolError {
    let (key, what) = match error {
        StimulusError::Parameter { key, found, least, most, unit, .. } => {
            (format!("stimulus.{key}"), format!("is {found}; it must lie in {least}..={most}{unit}"))
        }
        other => ("stimulus".to_owned(), format!("is impossible: {other}")),
    };
    ProtocolError::Value { place: "protocol".to_owned(), key, what }
}

/// Refuses a value outside `least..=most`, and one that is no number.
fn within(key: &str, value: f64, least: f64, most: f64) -> Result<(), ProtocolError> {
    // Limits such as one frame at 30 Hz have no short decimal form.
    let short = |limit: f64| (limit * 1e4).round() / 1e4;
    ensure((least..=most).contains(&value), key, || {
        format!("is {value}; it must lie in {}..={}", short(least), short(most))
    })
}

fn ensure(possible: bool, key: &str, what: impl FnOnce() -> String) -> Result<(), ProtocolError> {
    if possible {
        return Ok(());
    }
    Err(ProtocolError::Value { place: "protocol".to_owned(), key: key.to_owned(), what: what() })
}

/// A seed as a whole number where TOML has one, else as its digits in quotes.
mod whole_seed {
    use serde::de::{Error, Unexpected, Visitor};
    use serde::{Deserializer, Serializer};

    pub fn serialize<S: Serializer>(seed: &u64, to: S) -> Result<S::Ok, S::Error> {
        match i64::try_from(*seed) {
            Ok(number) => to.serialize_i64(number),
            Err(_) => to.collect_str(seed),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
        from.deserialize_any(Seed)
    }

    struct Seed;

    impl Visitor<'_> for Seed {
        type Value = u64;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a whole number from 0 to 18446744073709551615, in quotes when above 9223372036854775807")
        }
        fn visit_u64<E: Error>(self, seed: u64) -> Result<u64, E> {
            Ok(seed)
        }
        fn visit_i64<E: Error>(self, seed: i64) -> Result<u64, E> {
            u64::try_from(seed).map_err(|_| E::invalid_value(Unexpected::Signed(seed), &self))
        }
        fn visit_str<E: Error>(self, seed: &str) -> Result<u64, E> {
            seed.parse().map_err(|_| E::invalid_value(Unexpected::Str(seed), &self))
        }
    }
}
