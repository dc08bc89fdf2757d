//! `twinscope study ...` and `twinscope stress`: the experiments with twins themselves.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};

use super::figure::FigureArguments;
use super::train::{open_sessions, read_recipe, sizes};
use super::waiting::stoppable;
use super::{DeviceArgument, OptionalTwin, say, simulate};
use crate::analysis::Median;
use crate::data::check_folder;
use crate::data::save::atomically;
use crate::data::simulated::SimulateOptions;
use crate::figures;
use crate::model::weights;
use crate::signals::Raster;
use crate::study::{
    BaselinePlan, Corruption, CurvePlan, Fidelity, Finding, StressPlan, Table, baselines, fidelity, learning_curve,
    lesions, stress,
};
use crate::training::Recipe;

/// Which study.
#[derive(Debug, Subcommand)]
pub enum StudyCommand {
    /// Learning curve: the twin's core adapted to new animals beside networks trained from scratch, on the same minutes
    ///
    /// For each animal, number of minutes and seed, both networks are trained and evaluated on the test trials.
    ///
    /// The folder gets learning_curve.csv, the figure learning_curve.png and .svg with its numbers, and a folder for each
    /// network with its twin and its checkpoint. Run the same command again after an interruption, and it goes on: what is
    /// finished is read, and the training that was stopped begins at its last checkpoint.
    Curve(CurveArguments),
    /// Baselines: a linear-nonlinear model and a small convolutional network, beside the twin when one is given
    ///
    /// With a twin, baselines_tests.csv compares each baseline with it over the same units: median difference of CC_norm
    /// with its 95 % interval, Wilcoxon signed-rank test, p corrected for the number of tests (Holm).
    ///
    /// The folder gets baselines.csv, and the figure baselines.png and .svg with its numbers. Nothing is kept of a study
    /// that was stopped.
    Baselines(BaselineArguments),
    /// Lesions: what predictions lose without gaze, and without running and pupil
    ///
    /// lesions_tests.csv compares each lesion with the intact twin over the same units: median difference of CC_norm with
    /// its 95 % interval, Wilcoxon signed-rank test, p corrected for the number of tests (Holm).
    ///
    /// The folder gets lesions.csv, and the figure lesions.png and .svg with its numbers. Nothing is kept of a study that was
    /// stopped.
    Lesions(OneTwinArguments),
    /// Tuning: preferred directions and receptive fields of the twin's units beside those of the simulated mouse
    ///
    /// The folder gets tuning.csv, one row a unit with both preferred directions, selectivities and centres, and a figure
    /// of errors, selectivity and distances. Nothing is kept of a study that was stopped.
    Tuning(OneTwinArguments),
}

/// A twin and the session of its animal.
#[derive(Debug, Args)]
pub struct OneArguments {
    #[command(flatten)]
    twin: OptionalTwin,
    /// Session folder of the twin's animal
    #[arg(long, value_name = "S")]
    session: PathBuf,
    /// Folder for the table and the figure
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

/// A twin, the session of its animal, and how the figure is written.
#[derive(Debug, Args)]
pub struct OneTwinArguments {
    #[command(flatten)]
    one: OneArguments,
    #[command(flatten)]
    figures: FigureArguments,
}

/// An animal for the baselines.
#[derive(Debug, Args)]
pub struct BaselineArguments {
    /// Session folder of the animal
    #[arg(long, value_name = "S")]
    session: PathBuf,
    /// Twin of the same animal that stands in the same table
    #[arg(long, value_name = "TWIN")]
    twin: Option<PathBuf>,
    /// Minutes of clips to learn from, no more than the session has; all when absent
    #[arg(long, value_name = "M")]
    minutes: Option<f64>,
    /// Seed of the network's start and clips
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    figures: FigureArguments,
    /// Folder for the table and the figure
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

/// Animals that the core never saw.
#[derive(Debug, Args)]
pub struct CurveArguments {
    #[command(flatten)]
    twin: OptionalTwin,
    /// Session folders, or folders of sessions, of animals that the core never saw
    #[arg(long, value_name = "S", required = true)]
    session: Vec<PathBuf>,
    /// Minutes of clips, separated by commas, none more than a session has
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "1,2,5,10")]
    minutes: Vec<f64>,
    /// Seeds of the trainings, separated by commas
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "1")]
    seeds: Vec<u64>,
    /// Recipe of the adaptation, TOML
    #[arg(long, value_name = "RECIPE.toml")]
    adapted: Option<PathBuf>,
    /// Recipe of the training from scratch, TOML
    #[arg(long, value_name = "RECIPE.toml")]
    scratch: Option<PathBuf>,
    #[command(flatten)]
    device: DeviceArgument,
    #[command(flatten)]
    figures: FigureArguments,
    /// Folder for the table and the figure
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

/// Train on corrupted clips and see where the twin breaks.
///
/// One simulated mouse watches the clips clean, blurred, noisy, at low contrast, with shuffled frames, without rightward
/// motion, and with unknown behaviour; a network is trained from scratch on each and tested on the same clean stimuli:
/// those of --test, and clean clips with another seed (unless nothing in the clips is random). Where behaviour is unknown,
/// it is unknown in the tests too. Without rightward motion there are fewer clips to learn from.
///
/// In stress.csv, `minutes` are the minutes of clips that an arm learned from, and `minus_clean` is its median CC_norm minus
/// that of clean clips in the same domain; the last lines on the terminal tell in which domain each arm loses most. The
/// folder gets the sessions and the twin of every arm, stress.csv, and the figure stress.png and .svg with its numbers. Run
/// the same command again after an interruption, and it goes on.
#[derive(Debug, Args)]
pub struct StressArguments {
    /// Protocol of the clips, TOML with `schema = 1`
    #[arg(long, value_name = "P.toml")]
    clips: PathBuf,
    /// Protocol of a test; may be given several times
    #[arg(long, value_name = "P.toml", required = true)]
    test: Vec<PathBuf>,
    /// Recipe of the trainings, TOML
    #[arg(long, value_name = "RECIPE.toml")]
    recipe: Option<PathBuf>,
    /// What is done to the clips; may be given several times; everything when absent
    #[arg(long, value_name = "ARM", value_enum)]
    arm: Vec<Corruption>,
    /// Units of the mouse
    #[arg(long, value_name = "U", default_value_t = 120)]
    units: usize,
    /// Minutes of clips
    #[arg(long, value_name = "T", default_value_t = 15.0)]
    minutes: f64,
    /// Seed of the mouse
    #[arg(long, value_name = "N", default_value_t = 301)]
    seed: u64,
    #[command(flatten)]
    device: DeviceArgument,
    #[command(flatten)]
    figures: FigureArguments,
    /// Folder for the sessions, the table and the figure
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

/// Runs a study.
pub fn perform(command: StudyCommand) -> Result<()> {
    let progress = stoppable();
    match command {
        StudyCommand::Curve(arguments) => {
            ready(&arguments.output)?;
            let standard = CurvePlan::default();
            let plan = CurvePlan {
                minutes: arguments.minutes,
                seeds: arguments.seeds,
                adapted: recipe_or(arguments.adapted.as_deref(), standard.adapted)?,
                scratch: recipe_or(arguments.scratch.as_deref(), standard.scratch)?,
            };
            let sessions = open_sessions(&arguments.session)?;
            let (twin, folder) = (arguments.twin.load()?, Some(arguments.output.as_path()));
            let device = arguments.device.open()?;
            let mut told = |arm: &str| eprintln!("{arm}");
            let table = learning_curve(&twin, &sessions, &plan, folder, &device, &progress, &mut told)?;
            write(&table, &arguments.output, "learning_curve", figures::study::curve::plate, &arguments.figures)
        }
        StudyCommand::Baselines(arguments) => {
            ready(&arguments.output)?;
            let session = open_sessions(std::slice::from_ref(&arguments.session))?.remove(0);
            let plan = BaselinePlan { minutes: arguments.minutes, seed: arguments.seed, ..BaselinePlan::default() };
            let twin = arguments.twin.as_deref().map(|path| weights::load(path, None, None)).transpose()?;
            let table = baselines(&session, &plan, twin, &progress)?;
            write(&table, &arguments.output, "baselines", figures::study::matrix::plate, &arguments.figures)
        }
        StudyCommand::Lesions(OneTwinArguments { one: arguments, figures: style }) => {
            ready(&arguments.output)?;
            let sessions = open_sessions(std::slice::from_ref(&arguments.session))?;
            let table = lesions(arguments.twin.load()?, &sessions[0], &progress)?;
            write(&table, &arguments.output, "lesions", figures::study::matrix::plate, &style)
        }
        StudyCommand::Tuning(OneTwinArguments { one: arguments, figures: style }) => {
            ready(&arguments.output)?;
            let sessions = open_sessions(std::slice::from_ref(&arguments.session))?;
            let fidelity = fidelity(arguments.twin.load()?, &sessions[0], &progress)?;
            told(&fidelity)?;
            write_table(&fidelity.csv(), &arguments.output, "tuning")?;
            for file in style.write(&figures::study::tuning::plate(&fidelity), &arguments.output, "tuning")? {
                say(file.display())?;
            }
            Ok(())
        }
    }
}

/// Runs `stress`.
pub fn stress_test(arguments: &StressArguments) -> Result<()> {
    ready(&arguments.output)?;
    let progress = stoppable();
    let mut clips = super::read_protocol(&arguments.clips)?;
    let monitor = clips.monitor(Raster { height: 36, width: 64 });
    clips.repeats.count = simulate::repeats(&mut clips, &monitor, arguments.minutes, 0)?;
    let tests = arguments.test.iter().map(|path| simulate::test_movies(path, &monitor)).collect::<Result<Vec<_>>>()?;
    let recipe = recipe_or(arguments.recipe.as_deref(), Recipe::default())?;
    let plan = StressPlan {
        config: sizes(&recipe.twin, arguments.recipe.as_deref().unwrap_or(Path::new("")))?,
        clips,
        tests,
        monitor,
        mouse: SimulateOptions {
            units: arguments.units,
            seed: arguments.seed,
            held_out: Some(0),
            title: "Clips of a stress test".to_owned(),
            ..SimulateOptions::default()
        },
        recipe,
        corruptions: if arguments.arm.is_empty() { Corruption::ALL.to_vec() } else { arguments.arm.clone() },
    };
    let device = arguments.device.open()?;
    let table = stress(&plan, &arguments.output, &device, &progress, &mut |arm| eprintln!("{arm}"))?;
    write(&table, &arguments.output, "stress", figures::study::matrix::plate, &arguments.figures)?;
    table.weakest().into_iter().try_for_each(|(finding, difference)| {
        let Finding { arm, domain, .. } = finding;
        if difference < 0.0 {
            let lost = -difference;
            say(format_args!("{arm}: loses most in {domain}, median CC_norm {lost:.3} below that of clean clips"))
        } else {
            say(format_args!(
                "{arm}: loses nowhere; least gain in {domain}, median CC_norm {difference:.3} above that of clean clips"
            ))
        }
    })
}

fn ready(output: &Path) -> Result<()> {
    check_folder(output).with_context(|| format!("{}: nothing can be written there", output.display()))
}

fn recipe_or(path: Option<&Path>, standard: Recipe) -> Result<Recipe> {
    path.map_or(Ok(standard), read_recipe)
}

/// Table and figure of a study, and its findings on stdout.
fn write(
    table: &Table,
    folder: &Path,
    name: &str,
    figure: impl Fn(&Table) -> figures::Plate<'_>,
    arguments: &FigureArguments,
) -> Result<()> {
    write_table(&table.csv(), folder, name)?;
    if !table.tests.is_empty() {
        write_table(&table.tests_csv(), folder, &format!("{name}_tests"))?;
    }
    for file in arguments.write(&figure(table), folder, name)? {
        say(file.display())?;
    }
    for finding in &table.findings {
        let minutes = finding.minutes.map_or_else(String::new, |minutes| format!(", {minutes} min"));
        let norm = finding.cc_norm.map_or_else(|| "undefined".to_owned(), |norm| format!("{norm:.3}"));
        say(format_args!("{}{minutes}, {}, {}: median CC_norm {norm}", finding.arm, finding.animal, finding.domain))?;
    }
    table.tests.iter().try_for_each(say)
}

/// A table as CSV; says where it lies.
fn write_table(table: &[u8], folder: &Path, name: &str) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let file = folder.join(format!("{name}.csv"));
    atomically(&file, |to| to.write_all(table)).with_context(|| file.display().to_string())?;
    say(file.display())
}

/// A median in degrees with its interval.
fn degrees(median: Option<Median>) -> String {
    let Some(median) = median else { return "undefined".to_owned() };
    let interval = median.interval.map(|(low, high)| format!(" [95 % interval {low:.1} to {high:.1}]"));
    format!("{:.1}°{}", median.value, interval.unwrap_or_default())
}

fn told(fidelity: &Fidelity) -> Result<()> {
    for tuning in &fidelity.tuning {
        say(format_args!(
            "{}: median error of the preferred direction {} over {} units with a simulated gDSI above {}; {:.0} % \
             within 30°",
            tuning.stimulus,
            degrees(fidelity.median_error(tuning)),
            tuning.selective().count(),
            crate::study::SELECTIVE,
            100.0 * tuning.within(30.0)
        ))?;
    }
    let median = degrees(fidelity.median_distance());
    say(format_args!("receptive fields: median distance {median} over {} units", fidelity.fields.len()))
}
