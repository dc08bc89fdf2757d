//! `twinscope analyse`: everything that can be said of one run or one recording.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Args;

use super::figure::FigureArguments;
use super::waiting::{stoppable, while_shown};
use super::{DeviceArgument, OptionalTwin, read_protocol, say};
use crate::characterise::{Characterisation, Look, Measured};
use crate::data::{PresentationTable, check_folder, import};
use crate::experiment;
use crate::figures;
use crate::model::twin::{Twin, TwinOptions};
use crate::signals::{FrameSource, Monitor, SourceError};
use crate::stimulus::{self, Schedule};

/// Analyse a run of a twin, or a recorded session.
///
/// What was shown decides: curves are fitted to every parameter that was varied (bi-von Mises to directions, a Gaussian in
/// log frequency to frequencies and speeds, Naka and Rushton's to contrasts, a ratio of Gaussians to sizes) with bootstrap
/// intervals over trials; receptive fields are mapped from Gaussian dots, sparse noise and white noise; repeats give
/// reliability, sparseness, signal and noise correlations; the population is decomposed, embedded, sorted and decoded.
/// Written are a CSV for each of them, findings.txt, and the figure analysis.png and .svg.
///
/// Of a recording, every trial is one presentation, and parameters are read from the names of conditions
/// (`direction=90` or `direction 90 deg`); where presentations.csv in the session folder says what a trial showed, each
/// row of it is one. Receptive fields need a protocol.
#[derive(Debug, Args)]
pub struct AnalyseArguments {
    /// Protocol to show to the twin, TOML with `schema = 1`
    #[arg(long, value_name = "P.toml", required_unless_present = "session", conflicts_with = "session")]
    protocol: Option<PathBuf>,
    #[command(flatten)]
    twin: OptionalTwin,
    /// Recording instead of a twin: a session folder, or any that `twinscope session` reads
    #[arg(long, value_name = "S", conflicts_with = "twin")]
    session: Option<PathBuf>,
    /// Frames at the beginning of every presentation of a session that count nothing; a protocol says its own
    #[arg(long, value_name = "FRAMES", default_value_t = 0)]
    skip: usize,
    /// Resamples of every bootstrap interval
    #[arg(long, value_name = "N", default_value_t = 1000)]
    resamples: usize,
    /// Frames by which responses follow the stimulus, for maps of dots and sparse noise
    #[arg(long, value_name = "FRAMES", default_value_t = 3)]
    delay: usize,
    /// Seed of everything drawn
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    figures: FigureArguments,
    #[command(flatten)]
    device: DeviceArgument,
    /// Folder for the tables and the figure
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

/// Runs the command.
pub fn perform(arguments: &AnalyseArguments) -> Result<()> {
    let out = &arguments.output;
    check_folder(out).with_context(|| format!("{}: nothing can be written there", out.display()))?;
    let look = Look { resamples: arguments.resamples, seed: arguments.seed, delay_frames: arguments.delay };
    let progress = stoppable();
    let found = match (&arguments.session, &arguments.protocol) {
        (Some(session), _) => {
            let table = PresentationTable::beside(session)?;
            let measured = Measured::of_session(&import::open(session)?, &table, arguments.skip)?;
            let mut no_movie = || -> Result<Box<dyn FrameSource>, SourceError> {
                Err(SourceError::new("a session is analysed without its movies"))
            };
            Characterisation::of(&measured, &look, &mut no_movie, &progress)?
        }
        (None, Some(path)) => {
            let protocol = read_protocol(path)?;
            let weights = Arc::new(arguments.twin.load_or(protocol.twin.as_ref())?);
            let device = arguments.device.open()?;
            let mut twin = Twin::open(weights, &device, TwinOptions::default())?;
            let mut draw = |schedule: &Schedule, monitor: &Monitor| {
                stimulus::source(schedule, monitor, Path::new(""), &device)
                    .map_err(|error| SourceError::new(error.to_string()))
            };
            let outcome = while_shown("analyse", &progress, || {
                experiment::run(&protocol, &mut twin, None, &mut draw, &progress, &mut |_| ())
            })?;
            let (schedule, monitor) = (outcome.schedule.clone(), outcome.monitor);
            let measured = Measured::of_outcome(outcome);
            Characterisation::of(&measured, &look, &mut || draw(&schedule, &monitor), &progress)?
        }
        (None, None) => anyhow::bail!("name a session with --session, or a protocol with --protocol"),
    };
    let mut paths = found.write(out)?;
    if found.panels.iter().any(|panel| !panel.values.is_empty()) {
        paths.extend(arguments.figures.write(&figures::characterisation::plate(&found), out, "analysis")?);
    }
    for path in paths {
        say(path.display())?;
    }
    say(&found.notice)?;
    found.findings.iter().try_for_each(say)
}
