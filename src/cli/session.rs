//! `twinscope session ...`: what a recording holds, and into which other format it goes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};

use super::{check_output, say};
use crate::data::import::{self, ImportOptions};
use crate::data::{ScanId, Session, check_folder, save_npz};
use crate::signals::FrameRate;

/// Most areas, domains or stimuli that are named.
const NAMED: usize = 8;

/// What to do with a recording.
#[derive(Debug, Subcommand)]
pub enum SessionCommand {
    /// Show who was recorded, units, trials, stimuli, and how much was not measured
    ///
    /// Known by their content are session folders of this program, Sensorium 2022 and 2023 folders, Suite2p folders,
    /// NumPy .npz files, CSV tables and NWB 2 files (HDF5). Nothing is written.
    Show {
        #[command(flatten)]
        recording: RecordingArgument,
    },
    /// Write a recording as a session folder of .npy files, or as one .npz file
    ///
    /// Responses are divided by each unit's mean over the training trials, unless they have negative values; behaviour is
    /// z-scored over them; all of it is brought to the frames of the movie. What was not measured stays NaN.
    Convert {
        #[command(flatten)]
        recording: RecordingArgument,
        /// New folder, or a file whose name ends in .npz
        #[arg(short, long, value_name = "OUT")]
        output: PathBuf,
    },
}

/// A recording of any known format, and what its file does not say.
#[derive(Debug, Args)]
pub struct RecordingArgument {
    /// Folder or file of the recording
    #[arg(value_name = "RECORDING")]
    path: PathBuf,
    /// Name of the animal, where the recording does not tell or tells another
    #[arg(long, value_name = "NAME")]
    animal: Option<String>,
    /// Session of the animal
    #[arg(long, value_name = "N")]
    session: Option<u32>,
    /// Scan of the session
    #[arg(long, value_name = "N")]
    scan: Option<u32>,
    /// Frames per second: of the frames that NWB signals are brought to [default: 30], or of a recording that does not tell
    #[arg(long, value_name = "HZ")]
    frame_rate: Option<f64>,
    /// Which of several responses, by a part of its name: deconv, dff, spike_times (NWB); spks, F, "F - Fneu" (Suite2p);
    /// an array (.npz) or a column (CSV)
    #[arg(long, value_name = "NAME")]
    signal: Option<String>,
    /// Column of the table of trials that tells what was shown; may be repeated [default: those whose names say so]
    #[arg(long, value_name = "COLUMN")]
    condition: Vec<String>,
}

impl RecordingArgument {
    fn open(&self) -> Result<Session> {
        let options = ImportOptions {
            animal: self.animal.clone(),
            session: self.session,
            scan: self.scan,
            frame_rate: self.frame_rate.map(FrameRate),
            signal: self.signal.clone(),
            conditions: self.condition.clone(),
        };
        Ok(import::open_with(&self.path, &options)?)
    }
}

/// Runs the command.
pub fn perform(command: SessionCommand) -> Result<()> {
    match command {
        SessionCommand::Show { recording } => show(&import::detect(&recording.path)?.to_string(), &recording.open()?),
        SessionCommand::Convert { recording, output } => {
            let npz = output.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npz"));
            if npz {
                check_output(&output, [recording.path.as_path()])?;
            } else {
                let parent = output.parent().unwrap_or(Path::new(""));
                check_folder(parent).with_context(|| format!("{}: nothing can be written there", output.display()))?;
            }
            let session = recording.open()?;
            if npz {
                save_npz(&session, &output)?
            } else {
                session.save(&output)?
            }
            say(output.display())
        }
    }
}

/// One line for each thing that is known.
fn show(format: &str, session: &Session) -> Result<()> {
    let counted = session.counted()?;
    say(format_args!("format     {format}"))?;
    let ScanId { animal, session: number, scan } = &session.id;
    let animal =
        if animal == ScanId::UNKNOWN { "unknown (its cells match no twin: name it with --animal)" } else { animal };
    say(format_args!("animal     {animal}\nsession    {number}\nscan       {scan}"))?;
    let areas = session.units.iter().filter_map(|unit| unit.area.clone());
    say(format_args!("units      {}{}", session.units.len(), in_brackets(areas)))?;

    let minutes = counted.frames as f64 / session.frame_rate.0 / 60.0;
    let rate = (session.frame_rate.0 * 1000.0).round() / 1000.0;
    let learning = session.trials_for(true).count();
    say(format_args!(
        "trials     {}, {minutes:.1} minutes at {rate} frames a second; {learning} to learn from, {} for testing",
        session.trials.len(),
        session.trials.len() - learning
    ))?;
    let groups = session.test_groups();
    if let (Some(fewest), Some(most)) = (groups.iter().map(Vec::len).min(), groups.iter().map(Vec::len).max()) {
        let repeats = if fewest == most { format!("{most}") } else { format!("{fewest} to {most}") };
        say(format_args!("repeats    {repeats} of each of {} test stimuli", groups.len()))?;
    }
    let movies = session.trials.iter().filter(|trial| trial.has_movie()).count();
    match movies {
        0 => say("movies     none: responses only")?,
        _ => say(format_args!("movies     {movies} trials, {} pixels (height x width)", session.raster))?,
    }
    let domains = session.trials.iter().map(|trial| trial.domain().unwrap_or("not named").to_owned());
    say(format_args!("domains   {}", in_brackets(domains).replace(['(', ')'], "")))?;
    let part = |missing: usize, all: usize| {
        format!("{missing} of {all} ({:.2} %)", 100.0 * missing as f64 / all.max(1) as f64)
    };
    say(format_args!("missing    {} responses", part(counted.missing.responses, counted.responses)))?;
    say(format_args!("           {} values of behaviour", part(counted.missing.behavior, counted.behavior)))?;
    for (key, value) in &session.about {
        match value {
            toml::Value::String(text) => say(format_args!("{key:<10} {text}"))?,
            toml::Value::Array(texts) if texts.iter().all(toml::Value::is_str) => {
                for text in texts.iter().filter_map(toml::Value::as_str) {
                    say(format_args!("{key:<10} {text}"))?;
                }
            }
            toml::Value::Integer(_) | toml::Value::Float(_) | toml::Value::Boolean(_) => {
                say(format_args!("{key:<10} {value}"))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Names with their numbers, the most frequent first, in brackets after a space; nothing of nothing.
pub(super) fn in_brackets(names: impl Iterator<Item = String>) -> String {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    names.for_each(|name| *count.entry(name).or_default() += 1);
    let mut count: Vec<(String, usize)> = count.into_iter().collect();
    count.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    let more = count.len().saturating_sub(NAMED);
    let mut parts: Vec<String> = count.iter().take(NAMED).map(|(name, number)| format!("{name} {number}")).collect();
    if more > 0 {
        parts.push(format!("{more} others"));
    }
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
}
