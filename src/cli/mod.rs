//! The command line: arguments in, one sentence out when something is wrong.

mod analyse;
mod compare;
mod demo;
mod evaluate;
mod figure;
mod mtm;
mod optimise;
mod predict;
mod run;
mod selection;
mod session;
mod simulate;
mod spikes;
mod stimulus;
mod study;
mod train;
mod twin;
mod waiting;

use std::fmt::Display;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};

use crate::data;
use crate::experiment::Protocol;
use crate::gpu::{self, ComputeDevice, DeviceChoice};
use crate::job::Cancelled;
use crate::model::twin::{Periphery, TwinConfig};
use crate::model::weights::{self, TwinWeights};

/// Workbench for in-silico experiments on digital twins of mouse visual cortex.
///
/// Without a command the window opens; where there is no display, the demonstration runs instead and says where its
/// figures are.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Where the window computes, and, for gpu, also draws: auto, cpu or gpu
    #[arg(long, value_name = "DEVICE")]
    device: Option<DeviceChoice>,
}

/// Commands whose arguments are a struct have their help there: a sentence on the variant would replace all of it.
#[derive(Debug, Subcommand)]
enum Command {
    /// Run the demonstration without a window: direction tuning of the built-in twin, as figures and CSV
    ///
    /// The folder gets `gratings` and `dots`, each with what `twinscope run` writes for a protocol: responses.npy, tables,
    /// and the figures with their numbers. When it was stopped or killed, the same command computes only what is missing.
    Demo {
        /// Folder for the figures and tables
        #[arg(long, value_name = "DIR", default_value = "twinscope-demo")]
        out: PathBuf,
        #[command(flatten)]
        figures: figure::FigureArguments,
        #[command(flatten)]
        device: DeviceArgument,
    },
    /// Inspect, make and convert twins
    #[command(subcommand)]
    Twin(twin::TwinCommand),
    /// List stimuli; write a protocol's movie or its table of conditions
    #[command(subcommand)]
    Stimulus(stimulus::StimulusCommand),
    Predict(predict::PredictArguments),
    Run(run::RunArguments),
    Merge(run::MergeArguments),
    /// Show recordings of many formats, and convert them into sessions
    #[command(subcommand)]
    Session(session::SessionCommand),
    /// Show recordings of spikes in trials (NWB, ALF, .npz), and convert them into sessions of binned spikes
    #[command(subcommand)]
    Spikes(spikes::SpikesCommand),
    Simulate(simulate::SimulateArguments),
    Train(train::TrainArguments),
    /// Experiments with twins: learning curve, lesions, tuning
    #[command(subcommand)]
    Study(study::StudyCommand),
    Stress(study::StressArguments),
    Adapt(train::AdaptArguments),
    Evaluate(evaluate::EvaluateArguments),
    Compare(compare::CompareArguments),
    /// MtM, a masked transformer over spikes: simulate, train, adapt, evaluate, decode
    #[command(subcommand)]
    Mtm(mtm::MtmCommand),
    Analyse(analyse::AnalyseArguments),
    Optimise(optimise::OptimiseArguments),
    /// List the adapters found, and which one `auto` picks
    ///
    /// One line for each graphics adapter with its driver, and a last one that says where a command with `--device auto`
    /// computes. Nothing is written.
    Devices,
}

#[derive(Debug, Args)]
struct DeviceArgument {
    /// Where the network runs: auto, cpu or gpu
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: DeviceChoice,
}

impl DeviceArgument {
    /// Opens the device and says in one line on stderr what was picked.
    fn open(&self) -> Result<ComputeDevice> {
        let (device, line) = ComputeDevice::open(self.device)?;
        eprintln!("{line}");
        Ok(device)
    }
}

/// A twin on disk.
#[derive(Debug, Args)]
struct TwinArgument {
    /// Folder in the published layout (params_core.pt, params_<session>_<scan>.pt, scans.csv, units.csv) or one file
    #[arg(value_name = "TWIN")]
    twin: PathBuf,
    #[command(flatten)]
    choice: TwinChoice,
}

/// A twin on disk, or the built-in one.
#[derive(Debug, Args)]
struct OptionalTwin {
    /// Folder in the published layout or one file; the built-in twin (simulated mouse) when absent
    #[arg(long, value_name = "TWIN")]
    twin: Option<PathBuf>,
    #[command(flatten)]
    choice: TwinChoice,
}

#[derive(Debug, Args)]
struct TwinChoice {
    /// Scan of a published folder, as SESSION-SCAN
    #[arg(long, value_name = "S")]
    scan: Option<String>,
    /// Configuration the twin must have (TOML, or `microns` for the published one)
    #[arg(long, value_name = "FILE.toml")]
    config: Option<PathBuf>,
}

impl TwinArgument {
    fn load(&self) -> Result<TwinWeights> {
        self.choice.load(&self.twin)
    }
}

impl OptionalTwin {
    fn load(&self) -> Result<TwinWeights> {
        self.load_or(None)
    }

    /// The twin of the arguments, else that of a protocol, else the built-in one.
    fn load_or(&self, named: Option<&crate::experiment::protocol::TwinChoice>) -> Result<TwinWeights> {
        match (&self.twin, named) {
            (Some(path), _) => self.choice.load(path),
            (None, Some(named)) => {
                let scan = self.choice.scan.as_deref().or(named.scan.as_deref());
                let config = self.choice.config.as_deref().map(read_config).transpose()?;
                Ok(weights::load(&named.path, scan, config.as_ref())?)
            }
            (None, None) if self.choice.scan.is_some() || self.choice.config.is_some() => {
                anyhow::bail!("--scan and --config belong to a twin on disk: add --twin TWIN")
            }
            (None, None) => Ok(weights::builtin()),
        }
    }
}

impl TwinChoice {
    fn load(&self, path: &Path) -> Result<TwinWeights> {
        let config = self.config.as_deref().map(read_config).transpose()?;
        Ok(weights::load(path, self.scan.as_deref(), config.as_ref())?)
    }
}

/// A protocol file, with the paths in it relative to where it lies made absolute.
fn read_protocol(path: &Path) -> Result<Protocol> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("{}: the protocol could not be read", path.display()))?;
    let mut protocol = Protocol::from_toml(&text, &path.display().to_string())?;
    let file = std::path::absolute(path)?;
    protocol.resolve_paths(file.parent().unwrap_or(Path::new("")));
    Ok(protocol)
}

/// A configuration file, or the name of a preset.
fn read_config(path: &Path) -> Result<TwinConfig> {
    if path.as_os_str() == "microns" {
        return Ok(TwinConfig::microns());
    }
    if path.as_os_str() == "small" {
        return Ok(TwinConfig::small());
    }
    let text = std::fs::read_to_string(path).with_context(|| {
        format!("{}: the configuration could not be read (a TOML file, or `microns`)", path.display())
    })?;
    TwinConfig::from_toml(&text).with_context(|| path.display().to_string())
}

/// Fails when `output` cannot be written, or would replace one of the files that the command reads.
fn check_output<'a>(output: &Path, inputs: impl IntoIterator<Item = &'a Path>) -> Result<()> {
    let same = |input: &Path| input.canonicalize().is_ok_and(|input| output.canonicalize().is_ok_and(|o| o == input));
    if inputs.into_iter().any(same) {
        anyhow::bail!("{}: the output would replace an input; choose another name", output.display());
    }
    let tried = data::unfinished(output).map(drop);
    tried.with_context(|| format!("{}: nothing can be written there", output.display()))
}

fn parse_periphery(text: &str) -> Result<Periphery, String> {
    match text {
        "dark" => Ok(Periphery::Dark),
        "extend" => Ok(Periphery::Extend),
        _ => Err("expected dark or extend".to_owned()),
    }
}

/// A line on stdout. A reader that has gone, such as `head`, has read enough.
fn say(line: impl Display) -> Result<()> {
    match writeln!(std::io::stdout().lock(), "{line}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).context("stdout"),
        _ => Ok(()),
    }
}

/// Parses the arguments and does what they say; `window` opens the window on a device. A user's error is one sentence on stderr
/// and exit code 2.
pub fn main(window: impl FnOnce(Option<DeviceChoice>) -> Result<()>) -> ExitCode {
    match perform(Arguments::parse(), window) {
        Ok(()) => ExitCode::SUCCESS,
        // Errors pass it on transparently, so that it is known by what it says.
        Err(error) if error.root_cause().to_string() == Cancelled.to_string() => {
            eprintln!("twinscope: stopped; what is finished is kept, and the same command goes on where it can");
            ExitCode::from(waiting::STOPPED)
        }
        Err(error) => {
            eprintln!("twinscope: {}", sentence(&error));
            ExitCode::from(2)
        }
    }
}

/// The chain of causes as one line, each said once.
fn sentence(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        let cause = cause.trim().replace('\n', " ");
        if text.contains(&cause) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause);
    }
    text
}

fn perform(arguments: Arguments, window: impl FnOnce(Option<DeviceChoice>) -> Result<()>) -> Result<()> {
    match arguments.command {
        None => demo::window_or_demo(window, arguments.device),
        Some(Command::Demo { out, figures, device }) => demo::demo(&out, &device.open()?, &figures),
        Some(Command::Twin(command)) => twin::perform(command),
        Some(Command::Stimulus(command)) => stimulus::perform(command),
        Some(Command::Predict(arguments)) => predict::perform(&arguments),
        Some(Command::Run(arguments)) => run::perform(&arguments),
        Some(Command::Merge(arguments)) => run::merge(&arguments),
        Some(Command::Session(command)) => session::perform(command),
        Some(Command::Spikes(command)) => spikes::perform(command),
        Some(Command::Simulate(arguments)) => simulate::perform(&arguments),
        Some(Command::Train(arguments)) => train::train(&arguments),
        Some(Command::Study(command)) => study::perform(command),
        Some(Command::Stress(arguments)) => study::stress_test(&arguments),
        Some(Command::Adapt(arguments)) => train::adapt(&arguments),
        Some(Command::Evaluate(arguments)) => evaluate::perform(&arguments),
        Some(Command::Compare(arguments)) => compare::perform(&arguments),
        Some(Command::Mtm(command)) => mtm::perform(command),
        Some(Command::Analyse(arguments)) => analyse::perform(&arguments),
        Some(Command::Optimise(arguments)) => optimise::perform(&arguments),
        Some(Command::Devices) => devices(),
    }
}

fn devices() -> Result<()> {
    let adapters = gpu::adapters();
    if adapters.is_empty() {
        say("No GPU adapter found (no Vulkan, Metal or DirectX driver).")?;
    }
    for adapter in &adapters {
        say(adapter)?;
    }
    let (_, line) = ComputeDevice::open(DeviceChoice::Auto)?;
    say(format_args!("auto: {line}"))
}
