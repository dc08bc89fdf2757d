//! Responses and what was shown, from a run of a twin or from a recording.

use std::collections::HashMap;

use super::CharacteriseError;
use crate::analysis::Trials;
use crate::data::{PresentationTable, Session, Shown, Trial};
use crate::experiment::Outcome;
use crate::signals::{Monitor, Responses, UnitId};
use crate::stimulus::schedule::Schedule;
use crate::stimulus::{Condition, DriftingGrating, Modifier, Presentation, Stimulus};

/// Responses `[time, 1, unit]`, and what was shown when.
#[derive(Debug, Clone)]
pub struct Measured {
    /// What was shown, in words.
    pub title: String,
    /// Whose responses these are.
    pub notice: String,
    /// How they came about.
    pub provenance: String,
    /// What was shown when; of a recording, one presentation a trial.
    pub schedule: Schedule,
    /// The screen, where known: that of a run.
    pub monitor: Option<Monitor>,
    /// Frames at the beginning of every presentation that count nothing.
    pub skip_frames: usize,
    /// For every presentation, the number of its movie: presentations of the same one are repeats.
    pub movies: Vec<usize>,
    /// Responses.
    pub responses: Responses,
    /// Who the units are.
    pub units: Vec<UnitId>,
    /// What was left out, in words.
    pub remarks: Vec<String>,
}

impl Measured {
    /// What a run predicted.
    pub fn of_outcome(outcome: Outcome) -> Self {
        let mut known: HashMap<(usize, Option<u64>), usize> = HashMap::new();
        let movie = |shown: &Presentation| {
            let condition = &outcome.schedule.conditions[shown.condition];
            let random = condition.stimulus.is_random() || condition.modifiers.iter().any(Modifier::is_random);
            let next = known.len();
            *known.entry((shown.condition, random.then_some(shown.seed))).or_insert(next)
        };
        let made = &outcome.provenance;
        Self {
            title: outcome.protocol.title.clone(),
            notice: made.notice(),
            provenance: format!(
                "twinscope {}; weights sha256 {}; device {}; seed {}",
                made.version, made.weights_sha256, made.device, made.seed
            ),
            movies: outcome.schedule.presentations.iter().map(movie).collect(),
            monitor: Some(outcome.monitor),
            skip_frames: outcome.protocol.skip_frames(&outcome.monitor),
            schedule: outcome.schedule,
            responses: outcome.responses,
            units: outcome.units,
            remarks: vec![
                "A twin answers every repeat of a movie alike: intervals over repeats and noise correlations tell \
                           of chance in the stimuli alone."
                    .to_owned(),
            ],
        }
    }

    /// What was recorded. A trial is one presentation, or several where the table says so; parameters are read from the
    /// table, else from the names of conditions, such as `direction=90` or `direction 90 deg`. Trials with missing
    /// responses are left out and counted.
    ///
    /// # Errors
    /// When a trial cannot be read, or none is left.
    pub fn of_session(
        session: &Session,
        table: &PresentationTable,
        skip_frames: usize,
    ) -> Result<Self, CharacteriseError> {
        let (mut values, mut presentations, mut conditions, mut movies) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut repeats: Vec<usize> = Vec::new();
        let mut known: HashMap<(String, usize), usize> = HashMap::new();
        let mut seen: HashMap<(String, usize, usize), usize> = HashMap::new();
        let (mut frames, mut missing, mut short) = (0, 0, 0);
        for (number, trial) in session.trials.iter().enumerate() {
            let parts = parts(trial, table, skip_frames);
            if parts.is_empty() {
                short += 1;
                continue;
            }
            let record = trial.record()?;
            if record.missing.responses > 0 {
                missing += 1;
                continue;
            }
            let name = trial.condition.clone().unwrap_or_else(|| format!("trial {number}"));
            for (index, part) in parts.into_iter().enumerate() {
                let next = seen.len();
                movies.push(*seen.entry((name.clone(), index, trial.frames)).or_insert(next));
                let next = conditions.len();
                let condition = *known.entry((part.name.unwrap_or_else(|| name.clone()), part.frames)).or_insert(next);
                if condition == next {
                    // The stimulus is a stand-in: what was shown is told by the swept values alone.
                    let stimulus = Stimulus::DriftingGrating(DriftingGrating::default());
                    conditions.push(Condition { swept: part.swept, ..Condition::from(stimulus) });
                    repeats.push(0);
                }
                let (repeat, onset_frame) = (repeats[condition], frames + part.onset_frame);
                repeats[condition] += 1;
                presentations.push(Presentation { condition, repeat, onset_frame, frames: part.frames, seed: 0 });
            }
            values.extend_from_slice(record.responses.values());
            frames += trial.frames;
        }
        if presentations.is_empty() {
            let what = format!("{}: no trial has all its responses and more than {skip_frames} frames", session.id);
            return Err(CharacteriseError::Nothing(what));
        }
        let mut remarks = Vec::new();
        for (count, why) in
            [(missing, "with missing responses"), (short, "not longer than the frames that are skipped")]
        {
            if count > 0 {
                remarks.push(format!("{count} of {} trials {why} were left out.", session.trials.len()));
            }
        }
        remarks.push("Receptive fields need to know what was on the screen: run them from the protocol.".to_owned());
        let simulated = session.about.get("simulated").and_then(toml::Value::as_bool).unwrap_or(false);
        let units = session.unit_ids();
        Ok(Self {
            title: format!("Recording: {}", session.id),
            notice: if simulated { "simulated mouse".to_owned() } else { "recorded responses".to_owned() },
            provenance: format!("twinscope {}; {} presentations", env!("CARGO_PKG_VERSION"), presentations.len()),
            responses: Responses::new(frames, 1, units.len(), values).expect("a row for every frame of every trial"),
            schedule: Schedule { conditions, presentations, frames },
            monitor: None,
            skip_frames,
            movies,
            units,
            remarks,
        })
    }

    /// The response to every presentation.
    pub(super) fn trials(&self) -> Result<Trials, CharacteriseError> {
        let nothing =
            || CharacteriseError::Nothing(format!("{}: no presentation has responses to look at", self.title));
        Trials::new(&self.schedule, self.skip_frames, &self.responses).ok_or_else(nothing)
    }

    /// Swept parameters, each once, in order.
    pub(super) fn swept(&self) -> Vec<&str> {
        let mut keys = Vec::new();
        for (key, _) in self.schedule.conditions.iter().flat_map(|condition| &condition.swept) {
            if !keys.contains(&key.as_str()) {
                keys.push(key.as_str());
            }
        }
        keys
    }
}

/// A stretch of a trial in which one thing was shown.
struct Part {
    /// What it was; `None` for that of the whole trial.
    name: Option<String>,
    onset_frame: usize,
    frames: usize,
    swept: Vec<(String, f64)>,
}

/// What a trial showed when: what the table says, else one thing all the time. What does not outlast the frames that are
/// skipped, or the trial, is left out.
fn parts(trial: &Trial, table: &PresentationTable, skip_frames: usize) -> Vec<Part> {
    let name = trial.condition.as_deref().unwrap_or_default();
    let listed = table.of(name);
    let whole = Part { name: None, onset_frame: 0, frames: trial.frames, swept: parameters(name) };
    let parts = match listed {
        [] => vec![whole],
        listed => {
            let part = |shown: &Shown| Part {
                name: Some(format!("{}, {}", shown.kind, shown.values)),
                onset_frame: shown.onset_frame,
                frames: shown.frames,
                swept: parameters(&shown.values),
            };
            listed.iter().map(part).collect()
        }
    };
    let fits = |part: &Part| part.onset_frame.checked_add(part.frames).is_some_and(|end| end <= trial.frames);
    parts.into_iter().filter(|part| part.frames > skip_frames && fits(part)).collect()
}

/// Words before a number that only tells one thing from another, and is nothing that was varied.
const NUMBERED: [&str; 9] = ["condition", "trial", "movie", "clip", "image", "picture", "stimulus", "repeat", "seed"];

/// Parameters in the name of a condition: `key=number`, or words, a number and perhaps a unit, between commas.
fn parameters(name: &str) -> Vec<(String, f64)> {
    let unit = |text: &str| match text {
        "" => Some(""),
        "deg" | "°" => Some("_deg"),
        "deg/s" => Some("_deg_per_sec"),
        "cyc/deg" => Some("_cyc_per_deg"),
        "Hz" => Some("_hz"),
        "s" => Some("_secs"),
        _ => None,
    };
    let one = |part: &str| -> Option<(String, f64)> {
        if let Some((key, value)) = part.split_once('=') {
            let (key, value) = (key.trim(), value.trim().trim_end_matches('°').parse().ok()?);
            let key = match key.to_lowercase().as_str() {
                "direction" | "dir" => "direction_deg".to_owned(),
                numbered if NUMBERED.contains(&numbered.trim_end_matches("_id").trim_end_matches("_index")) => {
                    return None;
                }
                _ => key.to_owned(),
            };
            return Some((key, value));
        }
        let words: Vec<&str> = part.split_whitespace().collect();
        let place = words.iter().position(|word| word.parse::<f64>().is_ok())?;
        let value = words[place].parse::<f64>().ok()?;
        let end = unit(&words[place + 1..].join(" "))?;
        let key = words[..place].join("_").to_lowercase();
        (!key.is_empty() && !NUMBERED.contains(&key.as_str())).then(|| (format!("{key}{end}"), value))
    };
    let mut found: Vec<(String, f64)> = Vec::new();
    for (key, value) in name.split([',', ';']).filter_map(|part| one(part.trim())) {
        if value.is_finite() && found.iter().all(|(known, _)| *known != key) {
            found.push((key, value));
        }
    }
    found
}
