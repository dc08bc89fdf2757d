//! The protocol: everything that decides what a run computes, and what is possible.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use super::error::ProtocolError;
pub use super::monitor_choice::MonitorChoice;
pub use super::part::{Part, PartMut, PartRef};
pub use super::sweep::{DIRECTION, Level, Steps, Sweep, Swept, Values};
pub use super::timing::{MOST_BLANKS, MOST_REPEATS, Order, Repeats, Timing};

use super::error::ensure;
use crate::nearest::{listed, nearest};
use crate::signals::{Monitor, Raster};
use crate::stimulus::{DriftingGrating, Field, Modifier, Stimulus};

/// The only version of the format so far.
pub const SCHEMA: u32 = 1;
/// Longest movie of one run, seconds.
pub const MOST_SECS: f64 = 10.0 * 3600.0;
/// Most conditions of one experiment.
pub const MOST_CONDITIONS: usize = 4096;
/// Most parts of one experiment.
pub const MOST_PARTS: usize = 64;
/// Longest title, characters.
pub const MOST_TITLE: usize = 120;

/// A protocol, `schema = 1`. Unknown keys are errors.
///
/// The experiment has one part, which is `stimulus`, `modify` and `sweep`, or several: those in `also` follow it.
/// [`Protocol::parts`] are all of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Protocol {
    /// Version of the format, 1.
    pub schema: u32,
    /// Shown above figures.
    pub title: String,
    /// Who watches, unless the user names another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub twin: Option<TwinChoice>,
    /// Screen preset; its raster is that of the twin unless given here.
    #[serde(default)]
    pub monitor: MonitorChoice,
    /// Durations.
    #[serde(default)]
    pub timing: Timing,
    /// Repeats and order.
    #[serde(default)]
    pub repeats: Repeats,
    /// What is made of the responses.
    #[serde(default, skip_serializing_if = "Analysis::is_default")]
    pub analysis: Analysis,
    /// What is shown.
    pub stimulus: Stimulus,
    /// What is done to it, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modify: Vec<Modifier>,
    /// What is varied.
    #[serde(default, skip_serializing_if = "Sweep::is_empty")]
    pub sweep: Sweep,
    /// Further parts, whose conditions are shown among those of the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Part>,
}

/// A twin on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TwinChoice {
    /// Folder in the published layout or one file; relative to the protocol file.
    pub path: PathBuf,
    /// Scan of a published folder, as `SESSION-SCAN`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan: Option<String>,
}

/// What is made of the responses.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Analysis {
    /// The parameter that tuning curves are over; when absent the direction, else the first that is swept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tuning: Option<String>,
}

impl Analysis {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Protocol {
    /// Drifting gratings in 16 directions, each shown twice in shuffled blocks.
    pub fn default_direction_tuning() -> Self {
        Self {
            schema: SCHEMA,
            title: "Direction tuning, drifting gratings".to_owned(),
            twin: None,
            monitor: MonitorChoice::default(),
            timing: Timing::default(),
            repeats: Repeats::default(),
            analysis: Analysis::default(),
            stimulus: Stimulus::DriftingGrating(DriftingGrating::default()),
            modify: Vec::new(),
            sweep: Sweep::directions(Some(Steps::round_the_circle(16))),
            also: Vec::new(),
        }
    }

    /// The parts of the experiment; the first is the protocol's own stimulus.
    pub fn parts(&self) -> impl ExactSizeIterator<Item = PartRef<'_>> {
        (0..1 + self.also.len()).map(|index| self.part(index).expect("there are as many parts"))
    }

    /// One part, from 0.
    pub fn part(&self, index: usize) -> Option<PartRef<'_>> {
        let Some(index) = index.checked_sub(1) else {
            return Some(PartRef { name: None, stimulus: &self.stimulus, modify: &self.modify, sweep: &self.sweep });
        };
        let part = self.also.get(index)?;
        let name = part.name.as_deref();
        Some(PartRef { name, stimulus: &part.stimulus, modify: &part.modify, sweep: &part.sweep })
    }

    /// One part, from 0, to change it.
    pub fn part_mut(&mut self, index: usize) -> Option<PartMut<'_>> {
        let Some(index) = index.checked_sub(1) else {
            let Self { stimulus, modify, sweep, .. } = self;
            return Some(PartMut { stimulus, modify, sweep });
        };
        let Part { stimulus, modify, sweep, .. } = self.also.get_mut(index)?;
        Some(PartMut { stimulus, modify, sweep })
    }

    /// Keys that vary in any part, in order, each once.
    pub fn swept_keys(&self) -> Vec<&str> {
        let mut keys = Vec::new();
        for key in self.parts().flat_map(|part| part.sweep.keys()) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }

    /// What is known of a swept key, from the first part that sweeps it.
    pub fn swept_field(&self, key: &str) -> Option<&'static Field> {
        self.parts().find(|part| part.sweep.contains(key))?.field(key)
    }

    /// Lets a parameter of a part vary; `false` when there is no such part or parameter.
    pub fn set_sweep(&mut self, part: usize, key: &str, values: Values) -> bool {
        let known = self.part(part).is_some_and(|part| part.field(key).is_some());
        match self.part_mut(part).filter(|_| known) {
            Some(part) => {
                part.sweep.set(key, values);
                true
            }
            None => false,
        }
    }

    /// Lets a parameter of a part vary no longer; returns its values.
    pub fn remove_sweep(&mut self, part: usize, key: &str) -> Option<Values> {
        self.part_mut(part)?.sweep.remove(key)
    }

    /// The parameter that tuning curves are over; `None` when nothing is swept.
    pub fn tuning_key(&self) -> Option<&str> {
        let swept = self.swept_keys();
        let chosen = self.analysis.tuning.as_deref().filter(|key| swept.contains(key));
        chosen.or_else(|| swept.contains(&DIRECTION).then_some(DIRECTION)).or_else(|| swept.first().copied())
    }

    /// The title that says no more than stimulus and sweep do; one that the user wrote is another.
    pub fn usual_title(&self) -> String {
        let mut shown: Vec<&str> = Vec::new();
        for part in self.parts() {
            let plural = part.stimulus.kind().plural();
            if !shown.contains(&plural) {
                shown.push(plural);
            }
        }
        let shown = shown.join(" and ");
        match self.tuning_key().and_then(|key| self.swept_field(key)) {
            Some(field) => format!("{} tuning, {shown}", field.label),
            None => {
                let mut letters = shown.chars();
                letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
            }
        }
    }

    /// Puts another stimulus and sweep in place of those of the first part; a title that was the usual one stays so.
    pub fn show_instead(&mut self, stimulus: Stimulus, sweep: Sweep) {
        let usual = self.title == self.usual_title();
        self.stimulus = stimulus;
        self.sweep = sweep;
        if usual {
            self.title = self.usual_title();
        }
    }

    /// The screen: the preset and what differs from it, with the raster of the protocol or else of the twin. An unknown
    /// preset, which [`validate`](Self::validate) refuses, counts as `wang2025`.
    pub fn monitor(&self, twin: Raster) -> Monitor {
        self.monitor.monitor(twin)
    }

    /// Frames at the start of each presentation that are left out of its mean response.
    pub fn skip_frames(&self, monitor: &Monitor) -> usize {
        monitor.frame_rate.frames_in(self.timing.skip_secs)
    }

    /// Takes relative file names as relative to this folder: those of stimuli, modifiers and the twin.
    pub fn resolve_paths(&mut self, folder: &Path) {
        for index in 0..=self.also.len() {
            if let Some(part) = self.part_mut(index) {
                part.stimulus.resolve_paths(folder);
                part.modify.iter_mut().for_each(|modifier| modifier.resolve_paths(folder));
            }
        }
        if let Some(twin) = self.twin.as_mut().filter(|twin| twin.path.is_relative()) {
            twin.path = folder.join(&twin.path);
        }
    }

    /// Whether every value is possible on the screen of the preset. What depends on the number of pixels is checked
    /// only where the protocol gives them.
    ///
    /// # Errors
    /// The first impossible value.
    pub fn validate(&self) -> Result<(), ProtocolError> {
        // Finer than every twin's raster, so that nothing is refused that one of them can show.
        const FINE: Raster = Raster { height: 4 * 144, width: 4 * 256 };
        self.validate_on(&self.monitor(FINE))
    }

    /// Whether every value is possible on this screen: a grating, for instance, must not be finer than its pixels.
    ///
    /// # Errors
    /// The first impossible value.
    pub fn validate_for(&self, monitor: &Monitor) -> Result<(), ProtocolError> {
        self.validate_on(monitor)
    }

    fn validate_on(&self, monitor: &Monitor) -> Result<(), ProtocolError> {
        ensure(self.schema == SCHEMA, "schema", || {
            format!("is {}; this program reads protocols with schema = {SCHEMA}", self.schema)
        })?;
        validate_name("title", &self.title)?;
        self.monitor.validate()?;
        self.timing.validate(monitor)?;
        self.repeats.validate()?;
        if let Some(twin) = &self.twin {
            ensure(!twin.path.as_os_str().is_empty(), "twin.path", || "is empty; name a file or folder".to_owned())?;
        }
        ensure(self.also.len() < MOST_PARTS, "also", || {
            format!("has {} parts; an experiment has at most {MOST_PARTS} in all", self.also.len())
        })?;
        for (index, part) in self.parts().enumerate() {
            part.validate_alone(index)?;
        }
        let conditions: f64 = self.parts().map(|part| part.sweep.combinations()).sum();
        ensure(conditions <= MOST_CONDITIONS as f64, "sweep", || {
            format!("makes {conditions} conditions in all; at most {MOST_CONDITIONS} can be shown in one experiment")
        })?;
        self.validate_length(conditions, monitor)?;
        for (index, part) in self.parts().enumerate() {
            part.validate_conditions(index, monitor)?;
        }
        self.validate_analysis()
    }

    fn validate_analysis(&self) -> Result<(), ProtocolError> {
        let Some(key) = &self.analysis.tuning else { return Ok(()) };
        let swept = self.swept_keys();
        ensure(swept.contains(&key.as_str()), "analysis.tuning", || match nearest(key, &swept) {
            Some(near) => format!("is \"{key}\", which is not swept; did you mean `{near}`?"),
            None if swept.is_empty() => format!("is \"{key}\", but nothing is swept; add it to [sweep]"),
            None => format!("is \"{key}\", which is not swept; swept here: {}", listed(&swept)),
        })
    }

    /// Counted in floating point, where nothing overflows.
    fn validate_length(&self, conditions: f64, monitor: &Monitor) -> Result<(), ProtocolError> {
        let presentations = (conditions + self.repeats.blanks as f64) * self.repeats.count as f64;
        let total = self.timing.frames(presentations, monitor) / monitor.frame_rate.0;
        ensure(total <= MOST_SECS, "repeats.count", || {
            format!(
                "makes a movie of {:.1} h ({presentations} presentations); at most {:.0} h can be run at once",
                total / 3600.0,
                MOST_SECS / 3600.0
            )
        })
    }
}

/// Refuses a name that is empty, long or more than one line.
pub(super) fn validate_name(key: &str, name: &str) -> Result<(), ProtocolError> {
    let length = name.chars().count();
    ensure((1..=MOST_TITLE).contains(&length), key, || format!("has {length} characters; give it 1 to {MOST_TITLE}"))?;
    ensure(!name.chars().any(char::is_control), key, || {
        "contains a line break or another control character; write it on one line".to_owned()
    })
}
