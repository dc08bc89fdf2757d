//! `twinscope evaluate`: predictions of a twin beside a recorded or simulated session.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use super::figure::FigureArguments;
use super::waiting::{stoppable, while_shown};
use super::{DeviceArgument, OptionalTwin, say};
use crate::data::{check_folder, import};
use crate::evaluation::{BURNIN_FRAMES, DomainEvaluation, Evaluation, Quantity, Selection, Trials};
use crate::figures;
use crate::model::twin::{Twin, TwinOptions};

/// Compare a twin's predictions with a recording, unit by unit and domain by domain.
///
/// Every trial is predicted with its own movie, gaze and running. Trials of the same condition, or with the same pixels
/// where conditions have no names, are repeats. Twin and session must be of the same animal, session and scan.
///
/// Written are units.csv (one row for each unit and domain), summary.csv (medians with their 95 % interval),
/// evaluation.json, and the figure evaluation.png and .svg with its numbers: CC_abs, CC_max and CC_norm (Schoppe et al. 2016),
/// correlation of single trials, with the true rate where a simulated session keeps it, mean prediction over mean
/// response, and Poisson loss. Nothing is kept of an evaluation that was stopped.
#[derive(Debug, Args)]
pub struct EvaluateArguments {
    #[command(flatten)]
    twin: OptionalTwin,
    /// Recording: a session folder, such as `twinscope simulate` writes, or any that `twinscope session` reads
    #[arg(long, value_name = "S")]
    session: PathBuf,
    #[command(flatten)]
    selection: SelectionArguments,
    #[command(flatten)]
    figures: FigureArguments,
    #[command(flatten)]
    device: DeviceArgument,
    /// Folder for the tables and the figure
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
}

/// What of a session is compared.
#[derive(Debug, Args)]
pub struct SelectionArguments {
    /// Only this domain of stimuli, such as "Drifting grating"; all when absent
    #[arg(long, value_name = "D")]
    domain: Option<String>,
    /// Which trials: those kept for testing, those to learn from, or all
    #[arg(long, value_name = "test|training|all", default_value = "test")]
    trials: Which,
    /// Frames at the beginning of every trial that count nothing
    #[arg(long, value_name = "FRAMES", default_value_t = BURNIN_FRAMES)]
    burn_in: usize,
    /// Seed of the bootstrap behind the intervals
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

impl SelectionArguments {
    /// The same without arguments.
    pub fn selection(&self) -> Selection {
        Selection {
            trials: match self.trials {
                Which::Test => Trials::Test,
                Which::Training => Trials::Training,
                Which::All => Trials::All,
            },
            domain: self.domain.clone(),
            burnin_frames: self.burn_in,
            seed: self.seed,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Which {
    Test,
    Training,
    All,
}

/// Runs the command.
pub fn perform(arguments: &EvaluateArguments) -> Result<()> {
    let out = &arguments.out;
    check_folder(out).with_context(|| format!("{}: nothing can be written there", out.display()))?;
    let session = import::open(&arguments.session)?;
    let weights = arguments.twin.load()?;
    // Said before the device is opened, which may take a while.
    session.columns_of(&weights.units)?;
    let twin = Twin::open(Arc::new(weights), &arguments.device.open()?, TwinOptions::default())?;
    let (selection, progress) = (arguments.selection.selection(), stoppable());
    let evaluation = while_shown("evaluate", &progress, || Evaluation::of(&twin, &session, &selection, &progress))?;
    let mut paths = evaluation.write(out)?;
    paths.extend(arguments.figures.write(&figures::evaluation::plate(&evaluation), out, "evaluation")?);
    for path in paths {
        say(path.display())?;
    }
    say(evaluation.notice())?;
    evaluation.domains.iter().try_for_each(|domain| say(finding(domain)))
}

/// What came out for a domain, in one line.
pub(super) fn finding(domain: &DomainEvaluation) -> String {
    let said = |name: &str, quantity: Quantity| {
        let median = domain.median(quantity)?;
        let interval = median.interval.map(|(low, high)| format!(" [{low:.3}, {high:.3}]")).unwrap_or_default();
        Some(format!("{name} {:.3}{interval}", median.value))
    };
    let norm = said("CC_norm", Quantity::CcNorm).or_else(|| {
        let why = domain.why_no_ceiling()?;
        Some(format!("no CC_norm ({why})"))
    });
    let parts = [norm, said("CC_abs", Quantity::CcAbs), said("with the true rate", Quantity::CcTrue)];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let units = domain.units.len();
    format!("{}: median {} ({units} units, {})", domain.name, parts.join(", "), domain.shown())
}
