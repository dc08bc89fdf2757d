//! Responses and what was shown, from a run of a twin or from a recording.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::CharacteriseError;
use super::recorded::{Recorded, RecordedMovie, starts};
use crate::analysis::{Trials, Varied};
use crate::data::{PresentationTable, Session, SessionError, Shown, Trial};
use crate::experiment::Outcome;
use crate::job::{Cancelled, Progress};
use crate::signals::{FrameRate, FrameSource, Monitor, ResponseRows, SomeUnits, SourceError, UnitId};
use crate::stimulus::schedule::Schedule;
use crate::stimulus::{Condition, DriftingGrating, Modifier, Monet, Presentation, Stimulus, StimulusKind};

/// Responses that may lie on disk.
pub type SharedRows = Arc<dyn ResponseRows + Send + Sync>;

/// Stretches of a movie that receptive fields are mapped from by reverse correlation, whatever they show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// What was shown, in words.
    pub name: String,
    /// Frames, one stretch for each trial.
    pub stretches: Vec<Range<usize>>,
}

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
    /// Frames per second of stimulus and responses.
    pub frame_rate: FrameRate,
    /// The screen, where known: that of a run.
    pub monitor: Option<Monitor>,
    /// Frames at the beginning of every presentation that count nothing.
    pub skip_frames: usize,
    /// For every presentation, the number of its movie: presentations of the same one are repeats.
    pub movies: Vec<usize>,
    /// Responses, read when they are looked at.
    pub responses: SharedRows,
    /// What of the movie is correlated with them beside white noise; of a recording.
    pub watched: Vec<Watched>,
    /// Trials that the responses are of, one after the other; none of a run.
    pub recording: Vec<Trial>,
    /// Who the units are.
    pub units: Vec<UnitId>,
    /// What was left out, in words.
    pub remarks: Vec<String>,
}

impl Measured {
    /// What a run predicted, in memory or on disk.
    pub fn of_outcome<R: ResponseRows + Send + Sync + 'static>(outcome: Outcome<R>) -> Self {
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
            frame_rate: outcome.monitor.frame_rate,
            monitor: Some(outcome.monitor),
            skip_frames: outcome.protocol.skip_frames(&outcome.monitor),
            schedule: outcome.schedule,
            responses: Arc::new(outcome.responses),
            watched: Vec::new(),
            recording: Vec::new(),
            units: outcome.units,
            remarks: vec![
                "A twin answers every repeat of a movie alike: intervals over repeats and noise correlations tell \
                           of chance in the stimuli alone."
                    .to_owned(),
            ],
        }
    }

    /// What was recorded. A trial is one presentation, or several where the table says so; parameters are read from the
    /// table, else from the names of conditions, such as `direction=90`, `direction 90 deg` or `ori=45`; so are the seed and
    /// the parameters of directional noise (`stimulus=monet, seed=7`). Units without any response,
    /// and trials without any, are left out and counted; so are rows of the table that do not fit into their trial, and
    /// single responses that are missing elsewhere. Responses stay where they are, and are read again when they are looked
    /// at.
    ///
    /// Receptive fields are mapped from the movies of these domains or conditions, or, where none is named, of all domains
    /// with `noise` or `Gaussian dot` in their names.
    ///
    /// # Errors
    /// When a trial cannot be read, none is left, a domain has no movie, or the user asked to stop.
    pub fn of_session(
        session: &Session,
        table: &PresentationTable,
        skip_frames: usize,
        domains: &[String],
        progress: &Progress,
    ) -> Result<Self, CharacteriseError> {
        let (mut kept, mut presentations, mut conditions, mut movies) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut repeats: Vec<usize> = Vec::new();
        let mut known: HashMap<(String, usize), usize> = HashMap::new();
        let mut seen: HashMap<(String, usize, usize), usize> = HashMap::new();
        let (mut frames, mut unmeasured, mut short) = (0, 0, 0);
        let (mut listed, mut outlasting, mut skipped) = (0, 0, 0);
        // Missing values of each unit in the trials that are kept.
        let mut missing = vec![0usize; session.units.len()];
        progress.begin(session.trials.len() as u64);
        for (number, trial) in session.trials.iter().enumerate() {
            progress.advance(1)?;
            let Parts { kept: parts, listed: rows, outlasting: late, skipped: brief } =
                parts(trial, table, skip_frames);
            listed += rows;
            outlasting += late;
            skipped += brief;
            if parts.is_empty() {
                short += 1;
                continue;
            }
            let lacking = missing_of(trial, session.units.len(), progress)?;
            if lacking.iter().all(|&count| count == trial.frames) {
                unmeasured += 1;
                continue;
            }
            missing.iter_mut().zip(lacking).for_each(|(all, here)| *all += here);
            let name = trial.condition.clone().unwrap_or_else(|| format!("trial {number}"));
            for (index, part) in parts.into_iter().enumerate() {
                let next = seen.len();
                movies.push(*seen.entry((name.clone(), index, trial.frames)).or_insert(next));
                let seed = part.noise.as_ref().map_or(0, |(_, seed)| *seed);
                let next = conditions.len();
                let condition = *known.entry((part.name.unwrap_or_else(|| name.clone()), part.frames)).or_insert(next);
                if condition == next {
                    // Else the stimulus is a stand-in: what was shown is told by the swept values alone.
                    let stimulus = match part.noise {
                        Some((noise, _)) => Stimulus::Monet(noise),
                        None => Stimulus::DriftingGrating(DriftingGrating::default()),
                    };
                    conditions.push(Condition { swept: part.swept, ..Condition::from(stimulus) });
                    repeats.push(0);
                }
                let (repeat, onset_frame) = (repeats[condition], frames + part.onset_frame);
                repeats[condition] += 1;
                presentations.push(Presentation { condition, repeat, onset_frame, frames: part.frames, seed });
            }
            kept.push(trial.clone());
            frames += trial.frames;
        }
        if presentations.is_empty() {
            let what = format!(
                "{}: no trial has a response and shows anything for more than {skip_frames} frames",
                session.id
            );
            return Err(CharacteriseError::Nothing(what));
        }
        let mut remarks = Vec::new();
        let mut left_out = |count: usize, of: usize, what: &str| {
            if count > 0 {
                remarks.push(format!("{count} of {of} {what} were left out."));
            }
        };
        let trials = session.trials.len();
        left_out(unmeasured, trials, "trials without any measured response");
        left_out(short, trials, "trials that show nothing for longer than the frames that are skipped");
        let rows = format!("presentations that {} lists for the trials", PresentationTable::FILE);
        left_out(outlasting, listed, &format!("{rows} and that end after their trial"));
        left_out(skipped, listed, &format!("{rows} and that are not longer than the frames that are skipped"));
        let measured: Vec<usize> = (0..missing.len()).filter(|&unit| missing[unit] < frames).collect();
        left_out(missing.len() - measured.len(), missing.len(), "units without any measured response");
        let lacking: usize = measured.iter().map(|&unit| missing[unit]).sum();
        if lacking > 0 {
            remarks.push(format!(
                "{lacking} of {} responses were not measured; means are over the frames that were.",
                measured.len() * frames
            ));
        }
        let watched = watched(&kept, domains).map_err(CharacteriseError::Nothing)?;
        if watched.is_empty() {
            let what = if kept.iter().any(Trial::has_movie) {
                "No receptive fields: no domain has noise or Gaussian dots in its name; choose among the options which to map receptive fields from."
            } else {
                "No receptive fields: the recording does not hold what was on the screen."
            };
            remarks.push(what.to_owned());
        }
        let simulated = session.about.get("simulated").and_then(toml::Value::as_bool).unwrap_or(false);
        let all = session.unit_ids();
        let units: Vec<UnitId> = measured.iter().map(|&unit| all[unit].clone()).collect();
        Ok(Self {
            title: format!("Recording: {}", session.id),
            notice: if simulated { "simulated mouse".to_owned() } else { "recorded responses".to_owned() },
            provenance: format!("twinscope {}; {} presentations", env!("CARGO_PKG_VERSION"), presentations.len()),
            responses: Arc::new(Recorded::new(kept.clone(), measured, all.len())),
            watched,
            recording: kept,
            schedule: Schedule { conditions, presentations, frames },
            frame_rate: session.frame_rate,
            monitor: session.monitor(),
            skip_frames,
            movies,
            units,
            remarks,
        })
    }

    /// Whether the name of a domain says that receptive fields can be mapped from it.
    pub fn is_probe(domain: &str) -> bool {
        let domain = domain.to_lowercase();
        domain.contains("noise") || domain.contains("gaussian dot")
    }

    /// The movies of the trials of a recording, one after the other.
    ///
    /// # Errors
    /// When no trial has a movie, or the first cannot be read.
    pub fn recorded_movie(&self) -> Result<Box<dyn FrameSource>, SourceError> {
        let failed = |error: SessionError| SourceError::new(error.to_string());
        let first = self.recording.iter().find(|trial| trial.has_movie());
        let first = first.ok_or_else(|| failed(SessionError::NoMovie))?;
        let raster = first.movie().map_err(failed)?.raster();
        Ok(Box::new(RecordedMovie::new(self.recording.clone(), raster)))
    }

    /// Some of the units.
    pub(super) fn some<'a>(&'a self, units: &'a [usize]) -> SomeUnits<'a> {
        SomeUnits::of(self.responses.as_ref(), units).expect("units of the population")
    }

    /// All units, so many together that they take no more than so many values where each takes `each`.
    pub(super) fn blocks(&self, most_values: usize, each: usize) -> Vec<Vec<usize>> {
        let together = (most_values / each.max(1)).max(1);
        let all: Vec<usize> = (0..self.units.len()).collect();
        all.chunks(together).map(<[usize]>::to_vec).collect()
    }

    /// The response of some units to every presentation.
    pub(super) fn trials(&self, units: &[usize]) -> Result<Trials, CharacteriseError> {
        let nothing =
            || CharacteriseError::Nothing(format!("{}: no presentation has responses to look at", self.title));
        Trials::of_rows(&self.schedule, self.skip_frames, &self.some(units))?.ok_or_else(nothing)
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

/// How many responses of each unit are missing in a trial.
fn missing_of(trial: &Trial, units: usize, progress: &Progress) -> Result<Vec<usize>, CharacteriseError> {
    let mut missing = vec![0; units];
    let mut stopped: Result<(), Cancelled> = Ok(());
    trial.each_row(0..trial.frames, &mut |row| {
        if stopped.is_ok() {
            stopped = progress.check();
            missing.iter_mut().zip(row).for_each(|(count, value)| *count += usize::from(value.is_nan()));
        }
    })?;
    stopped?;
    Ok(missing)
}

/// What the domains or conditions of these names showed; without names, the domains of noise and of Gaussian dots.
fn watched(trials: &[Trial], names: &[String]) -> Result<Vec<Watched>, String> {
    let starts = starts(trials);
    let of = |is_shown: &dyn Fn(&Trial) -> bool| -> Vec<Range<usize>> {
        let shown = |trial: &Trial| trial.has_movie() && is_shown(trial);
        (trials.iter().zip(starts.windows(2)))
            .filter(|(trial, _)| shown(trial))
            .map(|(_, ends)| ends[0]..ends[1])
            .collect()
    };
    let mut domains: Vec<&str> = Vec::new();
    for domain in trials.iter().filter(|trial| trial.has_movie()).filter_map(Trial::domain) {
        if !domains.contains(&domain) {
            domains.push(domain);
        }
    }
    if names.is_empty() {
        let probes = domains.into_iter().filter(|domain| Measured::is_probe(domain));
        let of_domain =
            |domain: &str| Watched { name: domain.to_owned(), stretches: of(&|trial| trial.domain() == Some(domain)) };
        return Ok(probes.map(of_domain).collect());
    }
    let named = |name: &String| {
        let is = |other: Option<&str>| other.is_some_and(|other| other.eq_ignore_ascii_case(name));
        let stretches = of(&|trial| is(trial.domain()) || is(trial.condition.as_deref()));
        if stretches.is_empty() {
            let known = if domains.is_empty() { "none".to_owned() } else { domains.join(", ") };
            return Err(format!("no trial of `{name}` has a movie; domains with movies: {known}"));
        }
        Ok(Watched { name: name.clone(), stretches })
    };
    names.iter().map(named).collect()
}

/// A stretch of a trial in which one thing was shown.
struct Part {
    /// What it was; `None` for that of the whole trial.
    name: Option<String>,
    onset_frame: usize,
    frames: usize,
    swept: Vec<(String, f64)>,
    /// Directional noise and its seed, where they are told.
    noise: Option<(Monet, u64)>,
}

/// What a trial showed when, and what of the table does not hold.
struct Parts {
    kept: Vec<Part>,
    /// Rows of the table.
    listed: usize,
    /// Those that end after the trial.
    outlasting: usize,
    /// Others that do not outlast the frames that are skipped.
    skipped: usize,
}

/// What the table says, else one thing all the time. What does not outlast the frames that are skipped, or ends after the
/// trial, is left out and counted.
fn parts(trial: &Trial, table: &PresentationTable, skip_frames: usize) -> Parts {
    let name = trial.condition.as_deref().unwrap_or_default();
    let listed = table.of(name);
    let whole = Part {
        name: None,
        onset_frame: 0,
        frames: trial.frames,
        swept: parameters(name),
        noise: directional_noise(name, name),
    };
    let of_row = |shown: &Shown| Part {
        name: Some(format!("{}, {}", shown.kind, shown.values)),
        onset_frame: shown.onset_frame,
        frames: shown.frames,
        swept: parameters(&shown.values),
        noise: directional_noise(&shown.kind, &shown.values),
    };
    let ends_in_time = |part: &Part| part.onset_frame.checked_add(part.frames).is_some_and(|end| end <= trial.frames);
    let all = if listed.is_empty() { vec![whole] } else { listed.iter().map(of_row).collect() };
    let (inside, outside): (Vec<Part>, Vec<Part>) = all.into_iter().partition(ends_in_time);
    let (kept, brief): (Vec<Part>, Vec<Part>) = inside.into_iter().partition(|part| part.frames > skip_frames);
    let skipped = if listed.is_empty() { 0 } else { brief.len() };
    Parts { kept, listed: listed.len(), outlasting: outside.len(), skipped }
}

/// Directional noise with what is told of it, and its seed, from which the order of its directions follows: a kind such as
/// `monet`, and values such as `seed=7, directions=16, period_secs=0.9375`. What is not told is as published. `None` of
/// other kinds, without a seed, and of noise that cannot be shown.
fn directional_noise(kind: &str, values: &str) -> Option<(Monet, u64)> {
    let (mut noise, mut seed) = (StimulusKind::Monet.stimulus(), None);
    if !kind.to_lowercase().contains("monet") {
        return None;
    }
    for (key, value) in values.split([',', ';']).filter_map(|part| part.split_once('=')) {
        match (key.trim(), value.trim()) {
            ("seed", value) => seed = value.parse().ok(),
            (key, value) => {
                if let Ok(value) = value.parse() {
                    noise.set(key, value);
                }
            }
        }
    }
    noise.validate().ok()?;
    match noise {
        Stimulus::Monet(noise) => Some((noise, seed?)),
        _ => None,
    }
}

/// Words before a number that only tells one thing from another, and is nothing that was varied.
const NUMBERED: [&str; 9] = ["condition", "trial", "movie", "clip", "image", "picture", "stimulus", "repeat", "seed"];

/// Parameters in the name of a condition: `key=number`, or words, a number and perhaps a unit, between commas. Those that
/// tuning is known to get the names that protocols give them: `Ori=45` is `orientation_deg`.
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
            let lower = key.to_lowercase();
            let is_number = NUMBERED.contains(&lower.trim_end_matches("_id").trim_end_matches("_index"));
            return (!is_number).then(|| (key.to_owned(), value));
        }
        let words: Vec<&str> = part.split_whitespace().collect();
        let place = words.iter().position(|word| word.parse::<f64>().is_ok())?;
        let value = words[place].parse::<f64>().ok()?;
        let end = unit(&words[place + 1..].join(" "))?;
        let key = words[..place].join("_").to_lowercase();
        (!key.is_empty() && !NUMBERED.contains(&key.as_str())).then(|| (format!("{key}{end}"), value))
    };
    let mut found: Vec<(String, f64)> = Vec::new();
    let is_known = |found: &[(String, f64)], key: &str| found.iter().any(|(known, _)| known == key);
    for (told, value) in name.split([',', ';']).filter_map(|part| one(part.trim())) {
        // Another parameter that is called alike keeps its own name.
        let known = Varied::of(&told).and_then(Varied::key).filter(|key| !is_known(&found, key));
        let key = known.map_or(told, str::to_owned);
        if value.is_finite() && !is_known(&found, &key) {
            found.push((key, value));
        }
    }
    found
}
