//! When: durations, groups of presentations, repeats and their order.

use serde::{Deserialize, Serialize};

use super::error::{ProtocolError, ensure, within};
use crate::signals::Monitor;

/// Most presentations of one condition.
pub const MOST_REPEATS: usize = 10_000;
/// Most blanks in one block.
pub const MOST_BLANKS: usize = 4096;
/// Longest single duration, seconds.
const MOST_SECS: f64 = 3600.0;

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
    /// Presentations of one trial; 0 makes all of them one long sequence.
    pub per_trial: usize,
    /// Further grey after each trial.
    pub between_trials_secs: f64,
    /// Whether a twin sees each condition apart from the others: grey lead-in, then the presentations of that condition
    /// with the grey after each, and for the next condition it has forgotten everything. Responses then depend on
    /// nothing else in the protocol, and a long run can be resumed and divided. Otherwise it sees all presentations as
    /// one movie, each with the memory of those before. An animal always sees one movie.
    pub apart: bool,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            lead_in_secs: 0.5,
            stimulus_secs: 1.5,
            blank_secs: 0.5,
            skip_secs: 0.3,
            per_trial: 0,
            between_trials_secs: 0.0,
            apart: true,
        }
    }
}

impl Timing {
    /// Length of a movie of so many presentations, frames; in floating point, where nothing overflows.
    pub(super) fn frames(&self, presentations: f64, monitor: &Monitor) -> f64 {
        let frames_in = |secs| monitor.frame_rate.frames_in(secs) as f64;
        let each = frames_in(self.stimulus_secs) + frames_in(self.blank_secs);
        let trials = if self.per_trial == 0 { 0.0 } else { (presentations / self.per_trial as f64).floor() };
        frames_in(self.lead_in_secs) + presentations * each + trials * frames_in(self.between_trials_secs)
    }

    pub(super) fn validate(&self, monitor: &Monitor) -> Result<(), ProtocolError> {
        let frame = 1.0 / monitor.frame_rate.0;
        within("timing.lead_in_secs", self.lead_in_secs, 0.0, MOST_SECS)?;
        within("timing.stimulus_secs", self.stimulus_secs, frame, MOST_SECS)?;
        within("timing.blank_secs", self.blank_secs, 0.0, MOST_SECS)?;
        within("timing.skip_secs", self.skip_secs, 0.0, MOST_SECS)?;
        within("timing.between_trials_secs", self.between_trials_secs, 0.0, MOST_SECS)?;
        ensure(self.per_trial > 0 || self.between_trials_secs == 0.0, "timing.between_trials_secs", || {
            "has no effect without trials; give `per_trial`, the presentations of each".to_owned()
        })?;
        let frames_in = |secs| monitor.frame_rate.frames_in(secs);
        ensure(frames_in(self.skip_secs) < frames_in(self.stimulus_secs), "timing.skip_secs", || {
            let (skip, shown) = (self.skip_secs, self.stimulus_secs);
            format!("is {skip} s, which leaves nothing of a presentation of {shown} s; make it shorter")
        })
    }
}

/// In which order conditions come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// As listed, again in each repeat.
    Listed,
    /// Each repeat shuffled on its own.
    #[default]
    Blocks,
    /// All presentations of all repeats shuffled together.
    Full,
}

impl Order {
    /// Every order, with its word and a label.
    pub const ALL: [(Self, &'static str, &'static str); 3] = [
        (Self::Listed, "listed", "As listed"),
        (Self::Blocks, "blocks", "Shuffled in blocks"),
        (Self::Full, "full", "Fully shuffled"),
    ];
}

/// Repeats and their order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RepeatsFile")]
pub struct Repeats {
    /// Presentations of each condition.
    pub count: usize,
    /// Seed of the order and of every random stimulus: any whole number of 64 bits, in quotes above
    /// 9223372036854775807, where the whole numbers of TOML end.
    #[serde(with = "whole_seed")]
    pub seed: u64,
    /// Order of the conditions.
    pub order: Order,
    /// Presentations of nothing in each repeat, among the others.
    pub blanks: usize,
    /// Whether what is random in a condition is the same in every repeat, as in a clip that is shown again.
    pub frozen: bool,
}

impl Default for Repeats {
    fn default() -> Self {
        Self { count: 2, seed: 1, order: Order::Blocks, blanks: 0, frozen: false }
    }
}

impl Repeats {
    pub(super) fn validate(&self) -> Result<(), ProtocolError> {
        let Self { count, blanks, .. } = *self;
        ensure((1..=MOST_REPEATS).contains(&count), "repeats.count", || {
            format!("is {count}; it must lie in 1..={MOST_REPEATS}")
        })?;
        ensure(blanks <= MOST_BLANKS, "repeats.blanks", || format!("is {blanks}; it must lie in 0..={MOST_BLANKS}"))
    }
}

/// As files have it: `shuffle` is how orders were named before there were three.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RepeatsFile {
    count: usize,
    #[serde(with = "whole_seed")]
    seed: u64,
    order: Option<Order>,
    shuffle: Option<bool>,
    blanks: usize,
    frozen: bool,
}

impl Default for RepeatsFile {
    fn default() -> Self {
        let Repeats { count, seed, blanks, frozen, .. } = Repeats::default();
        Self { count, seed, order: None, shuffle: None, blanks, frozen }
    }
}

impl TryFrom<RepeatsFile> for Repeats {
    type Error = String;

    fn try_from(file: RepeatsFile) -> Result<Self, String> {
        let RepeatsFile { count, seed, blanks, frozen, .. } = file;
        let order = match (file.order, file.shuffle) {
            (Some(_), Some(_)) => return Err("`order` and `shuffle` say the same; remove `shuffle`".to_owned()),
            (Some(order), None) => order,
            (None, Some(false)) => Order::Listed,
            (None, _) => Order::Blocks,
        };
        Ok(Self { count, seed, order, blanks, frozen })
    }
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
