//! `twinscope spikes ...`: recordings of spikes as sessions of binned spikes in trials.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};

use super::session::in_brackets;
use super::{check_output, say};
use crate::data::spikes::{ImportedSpikes, Shares, SpikeFormat, SpikeImport, SpikeSession, TrialFilter};

/// What to do with a recording of spikes.
#[derive(Debug, Subcommand)]
pub enum SpikesCommand {
    /// Show neurons, regions, trials, spikes and behaviour, and what was decided or left out
    ///
    /// The options are those of `twinscope spikes convert`: so it tells, before anything is written, what they keep and what
    /// they leave out.
    Show {
        #[command(flatten)]
        recording: SpikesArgument,
    },
    /// Write a recording as a session of binned spikes, one .npz file, for `twinscope mtm` and the window
    ///
    /// Spikes are counted in bins around an event of each trial; the wheel and the whiskers become one value a bin, NaN where
    /// they were not measured. Trials that do not lie wholly within the recording are left out. Which trials are for
    /// training, validation and tests is drawn by --seed and stored in the file.
    Convert {
        #[command(flatten)]
        recording: SpikesArgument,
        /// File to write, .npz
        #[arg(short, long, value_name = "FILE.npz")]
        output: PathBuf,
    },
}

/// A recording of any known format, and how it is cut into trials and bins.
#[derive(Debug, Args)]
pub struct SpikesArgument {
    /// NWB file with sorted units and a table of trials; folder with spikes.times.npy and spikes.clusters.npy (ALF); or a
    /// .npz file of counts that are in trials already, which is taken as it is
    #[arg(value_name = "RECORDING")]
    path: PathBuf,
    /// Column of the table of trials with the event that trials are aligned to, such as stimOn_times
    /// [default: the onset of the stimulus, else the start of the trial]
    #[arg(long, value_name = "EVENT")]
    align: Option<String>,
    /// Start of the first bin, seconds after the event [default: -0.5]
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    from_s: Option<f64>,
    /// End of the last bin, seconds after the event [default: 1.5]
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    to_s: Option<f64>,
    /// Length of a bin, milliseconds [default: 20]
    #[arg(long, value_name = "MS")]
    bin_ms: Option<f64>,
    /// Name of the session [default: animal and session of the file, or the name of the folder]
    #[arg(long, value_name = "NAME")]
    session: Option<String>,
    /// Only units that the sorting calls good
    #[arg(long)]
    good: bool,
    /// Leave out neurons that fire less often over the whole recording, spikes a second [default: 0]
    #[arg(long, value_name = "HZ")]
    min_rate_hz: Option<f64>,
    /// Condition that trials must meet, such as "choice != 0" or "probabilityLeft = 0.5"; may be repeated. The others stay
    /// in the file, but are neither for training nor for tests
    #[arg(long, value_name = "CONDITION")]
    keep: Vec<TrialFilter>,
    /// Shortest and longest time from the stimulus to the first movement, seconds, of trials that count, such as 0.08 2
    #[arg(long, value_names = ["MIN", "MAX"], num_args = 2)]
    reaction_s: Vec<f64>,
    /// Share of all trials that is for tests [default: 0.2]
    #[arg(long, value_name = "SHARE")]
    test: Option<f64>,
    /// Share of the other trials that is for validation [default: 0.15]
    #[arg(long, value_name = "SHARE")]
    validation: Option<f64>,
    /// Decides which trial is for what; stored in the file [default: 0]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

impl SpikesArgument {
    fn options(&self) -> SpikeImport {
        let usual = SpikeImport::default();
        SpikeImport {
            session: self.session.clone(),
            align: self.align.clone(),
            from_secs: self.from_s.unwrap_or(usual.from_secs),
            to_secs: self.to_s.unwrap_or(usual.to_secs),
            bin_secs: self.bin_ms.map_or(usual.bin_secs, |ms| ms / 1000.0),
            only_good: self.good,
            least_hz: self.min_rate_hz.unwrap_or(usual.least_hz),
            keep: self.keep.clone(),
            reaction_secs: match self.reaction_s[..] {
                [least, most] => Some((least, most)),
                _ => None,
            },
            shares: Shares {
                validation: self.validation.unwrap_or(usual.shares.validation),
                test: self.test.unwrap_or(usual.shares.test),
            },
            seed: self.seed.unwrap_or(usual.seed),
        }
    }

    fn open(&self) -> Result<(SpikeFormat, ImportedSpikes)> {
        let format = SpikeFormat::of(&self.path)?;
        let options = self.options();
        if format == SpikeFormat::Npz && options != SpikeImport::default() {
            bail!(
                "{}: its spikes are in trials and bins already, which cannot be changed: leave all options away",
                self.path.display()
            );
        }
        Ok((format, SpikeSession::import(&self.path, &options)?))
    }
}

/// Runs the command.
pub fn perform(command: SpikesCommand) -> Result<()> {
    match command {
        SpikesCommand::Show { recording } => {
            let (format, imported) = recording.open()?;
            show(format, &imported)
        }
        SpikesCommand::Convert { recording, output } => {
            if output.extension().is_none_or(|extension| !extension.eq_ignore_ascii_case("npz")) {
                bail!("{}: sessions of spikes are .npz files: choose such a name", output.display());
            }
            check_output(&output, [recording.path.as_path()])?;
            let (format, imported) = recording.open()?;
            imported.session.save(&output)?;
            show(format, &imported)?;
            say(output.display())
        }
    }
}

/// One line for each thing that is known.
fn show(format: SpikeFormat, ImportedSpikes { session, notes }: &ImportedSpikes) -> Result<()> {
    let [trials, bins, neurons] = session.counts.shape();
    say(format_args!("format     {format}"))?;
    let simulated = if session.simulated { " (a simulated animal)" } else { "" };
    say(format_args!("session    {}{simulated}", session.id))?;
    say(format_args!("neurons    {neurons}{}", in_brackets(session.regions.iter().cloned())))?;
    let split = &session.split;
    say(format_args!(
        "trials     {trials}: {} for training, {} for validation, {} for tests",
        split.train.len(),
        split.validation.len(),
        split.test.len()
    ))?;
    let end = session.first_bin_secs + bins as f64 * session.bin_secs;
    say(format_args!(
        "bins       {bins} of {} ms, from {} s to {end:.3} s after the event",
        tidy(1000.0 * session.bin_secs),
        tidy(session.first_bin_secs)
    ))?;
    let spikes: u64 = session.counts.values().iter().map(|&count| u64::from(count)).sum();
    let secs = trials as f64 * bins as f64 * session.bin_secs;
    let rate = spikes as f64 / secs / neurons.max(1) as f64;
    say(format_args!("spikes     {spikes}, {rate:.2} a second and neuron"))?;
    if let Some(choice) = &session.choice {
        let of = |side: i8| choice.iter().filter(|&&choice| choice == side).count();
        say(format_args!("choice     {} of -1, {} of 1, {} nothing", of(-1), of(1), of(0)))?;
    }
    for (name, values) in [("wheel", &session.wheel), ("whisker", &session.whisker)] {
        if let Some(values) = values {
            let missing = values.iter().filter(|value| value.is_nan()).count();
            say(format_args!("{name:<10} {} of {} bins measured", values.len() - missing, values.len()))?;
        }
    }
    if !session.columns.is_empty() {
        let names: Vec<&str> = session.columns.keys().map(String::as_str).collect();
        say(format_args!("columns    {}", names.join(", ")))?;
    }
    for note in notes {
        say(format_args!("note       {note}"))?;
    }
    Ok(())
}

/// Without the tail that decimals get in binary.
fn tidy(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}
