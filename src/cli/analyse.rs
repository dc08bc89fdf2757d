//! `twinscope analyse`: everything that can be said of one run or one recording.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use clap::Args;

use super::figure::FigureArguments;
use super::waiting::{stoppable, while_analysed, while_shown};
use super::{DeviceArgument, OptionalTwin, read_protocol, say};
use crate::characterise::{Characterisation, Look, Measured};
use crate::data::{PresentationTable, check_folder, import};
use crate::experiment::LongRun;
use crate::figures;
use crate::gpu::ComputeDevice;
use crate::job::Progress;
use crate::model::twin::{Twin, TwinOptions};
use crate::signals::{FrameSource, Monitor, SourceError};
use crate::stimulus::{self, Schedule};

/// Analyse a run or a recording: tuning fits, receptive fields, reliability, population.
///
/// A run is made with --protocol, or read with --outcome where it was written before; a recording is read with --session.
///
/// What was shown decides: curves are fitted to every parameter that was varied (bi-von Mises to directions, von Mises to orientations, a Gaussian in
/// log frequency to frequencies and speeds, Naka and Rushton's to contrasts, a ratio of Gaussians to sizes) with bootstrap
/// intervals over trials; two parameters that were swept against each other give a surface and its separability;
/// directional noise (Monet2) gives tuning to the direction of its windows; receptive fields are mapped from Gaussian dots, sparse noise and white noise; repeats give
/// reliability, sparseness, signal and noise correlations; the population is decomposed, embedded, sorted and decoded.
/// Written are a CSV for each of them, findings.txt, and three figures as .png and .svg: analysis, distributions over
/// units; units_and_conditions, the population; and examples, the clearest receptive fields and tuning curves.
///
/// Of a recording, every trial is one presentation, and parameters are read from the names of conditions
/// (`direction=90`, `direction 90 deg`, `ori=45`, `sf=0.04`); where presentations.csv in the session folder says what a trial showed, each
/// row of it is one. Units and trials without any response are left out and counted; means are over the frames that were
/// measured. Receptive fields are mapped from the movies that it holds, by reverse correlation: in degrees where
/// session.toml describes the screen under [monitor], else in pixels.
///
/// Responses are read from their files, for as many units at a time as fit into little memory: 10,000 units over 18,000
/// frames are analysed with less than 1 GB. With --protocol they lie in a temporary folder within DIR meanwhile.
/// Nothing is kept of an analysis that was stopped; a long run is better made with `twinscope run`, which goes on where it
/// was killed, and then read with --outcome.
#[derive(Debug, Args)]
pub struct AnalyseArguments {
    /// Protocol to show to the twin, TOML with `schema = 1`
    #[arg(long, value_name = "P.toml", required_unless_present_any = ["session", "outcome"])]
    protocol: Option<PathBuf>,
    #[command(flatten)]
    twin: OptionalTwin,
    /// Folder that `twinscope run` or `twinscope merge` wrote: the twin is not run again
    #[arg(long, value_name = "RUN", conflicts_with_all = ["twin", "protocol", "session"])]
    outcome: Option<PathBuf>,
    /// Recording instead of a twin: a session folder, or any that `twinscope session` reads
    #[arg(long, value_name = "S", conflicts_with_all = ["twin", "protocol"])]
    session: Option<PathBuf>,
    /// Domain or condition of a session whose movies receptive fields are mapped from; may be given several times
    /// [default: domains with noise or Gaussian dots in their names]
    #[arg(long, value_name = "DOMAIN")]
    receptive_fields: Vec<String>,
    /// Frames at the beginning of every presentation of a session that count nothing; a protocol says its own
    #[arg(long, value_name = "FRAMES", default_value_t = 0)]
    skip: usize,
    /// Resamples of every bootstrap interval
    #[arg(long, value_name = "N", default_value_t = 1000)]
    resamples: usize,
    /// Frames by which responses follow the stimulus, for maps of dots and sparse noise, and for the windows of motion of
    /// directional noise (Monet2)
    #[arg(long, value_name = "FRAMES", default_value_t = 3)]
    delay: usize,
    /// Seed of everything drawn
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Write the maps of receptive fields too: receptive_fields_NAME.npy, float32, [unit, delay, row, column] of white noise
    /// and of movies, receptive_fields_NAME_on.npy, _off and _both, [unit, row, column], of dots and sparse noise, and a
    /// .json with places, delays and units. 10,000 units take up to 280 MB (12 delays of 18 x 32) and 3 times 23 MB
    #[arg(long)]
    maps: bool,
    #[command(flatten)]
    figures: FigureArguments,
    #[command(flatten)]
    device: DeviceArgument,
    /// Folder for the tables and the figure
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

/// Makes what was on the screen.
type Movies<'m> = dyn FnMut() -> Result<Box<dyn FrameSource>, SourceError> + 'm;

/// Runs the command.
pub fn perform(arguments: &AnalyseArguments) -> Result<()> {
    ensure!(
        arguments.receptive_fields.is_empty() || arguments.session.is_some(),
        "--receptive-fields names what a recording showed: add --session S, or leave it out"
    );
    let out = &arguments.output;
    check_folder(out).with_context(|| format!("{}: nothing can be written there", out.display()))?;
    let look =
        Look { resamples: arguments.resamples, seed: arguments.seed, delay_frames: arguments.delay, ..Look::default() };
    let characterise = |measured: &Measured, movie: &mut Movies<'_>, progress: &Progress| {
        if arguments.maps {
            Characterisation::with_maps(measured, &look, movie, progress, out)
        } else {
            Characterisation::of(measured, &look, movie, progress).map(|found| (found, Vec::new()))
        }
    };
    let (found, maps) = match (&arguments.session, &arguments.outcome, &arguments.protocol) {
        (Some(session), ..) => {
            let table = PresentationTable::beside(session)?;
            let recording = import::open(session)?;
            let progress = stoppable();
            let domains = &arguments.receptive_fields;
            while_analysed("analyse", &progress, || {
                let measured = Measured::of_session(&recording, &table, arguments.skip, domains, &progress)?;
                characterise(&measured, &mut || measured.recorded_movie(), &progress)
            })?
        }
        (None, Some(folder), _) => {
            let outcome = LongRun::open(folder)?;
            let (schedule, monitor) = (outcome.schedule.clone(), outcome.monitor);
            let measured = Measured::of_outcome(outcome);
            // A movie is drawn for white noise alone: else no device is needed.
            let mut device = None;
            let mut movie = || {
                let device = match &device {
                    Some(device) => device,
                    None => {
                        device.insert(arguments.device.open().map_err(|error| SourceError::new(error.to_string()))?)
                    }
                };
                draw(&schedule, &monitor, device)
            };
            let progress = stoppable();
            while_analysed("analyse", &progress, || characterise(&measured, &mut movie, &progress))?
        }
        (None, None, Some(path)) => {
            let protocol = read_protocol(path)?;
            let weights = Arc::new(arguments.twin.load_or(protocol.twin.as_ref())?);
            let device = arguments.device.open()?;
            let mut twin = Twin::open(weights, &device, TwinOptions::default())?;
            let unwritable = || format!("{}: nothing can be written there", out.display());
            std::fs::create_dir_all(out).with_context(unwritable)?;
            let kept = tempfile::tempdir_in(out).with_context(unwritable)?;
            let run = LongRun::new(&protocol, &twin, kept.path(), None)?;
            let mut drawn = |schedule: &Schedule, monitor: &Monitor| draw(schedule, monitor, &device);
            let progress = stoppable();
            while_shown("analyse", &progress, || run.compute(&mut twin, &mut drawn, &progress, &mut |_| ()))?;
            let outcome = run.finish()?;
            let (schedule, monitor) = (outcome.schedule.clone(), outcome.monitor);
            let measured = Measured::of_outcome(outcome);
            let mut movie = || drawn(&schedule, &monitor);
            while_analysed("analyse", &progress, || characterise(&measured, &mut movie, &progress))?
        }
        (None, None, None) => {
            anyhow::bail!("name a session with --session, a run with --outcome, or a protocol with --protocol")
        }
    };
    let mut paths = found.write(out)?;
    paths.extend(maps);
    if found.panels.iter().any(|panel| !panel.values.is_empty()) {
        paths.extend(arguments.figures.write(&figures::characterisation::plate(&found), out, "analysis")?);
    }
    let others = [
        (figures::populations::plate(&found), figures::populations::STEM),
        (figures::examples::plate(&found), "examples"),
    ];
    for (plate, stem) in others.iter().filter(|(plate, _)| plate.check().is_ok()) {
        paths.extend(arguments.figures.write(plate, out, stem)?);
    }
    for path in paths {
        say(path.display())?;
    }
    say(&found.notice)?;
    found.findings.iter().try_for_each(say)
}

/// The movie of a schedule.
fn draw(schedule: &Schedule, monitor: &Monitor, device: &ComputeDevice) -> Result<Box<dyn FrameSource>, SourceError> {
    stimulus::source(schedule, monitor, Path::new(""), device).map_err(|error| SourceError::new(error.to_string()))
}
