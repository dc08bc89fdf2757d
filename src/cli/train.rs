//! `twinscope train` and `twinscope adapt`: from recordings to a twin.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::Args;

use super::waiting::stoppable;
use super::{DeviceArgument, read_config, say};
use crate::data::{Session, check_folder};
use crate::gpu::ComputeDevice;
use crate::model::twin::TwinConfig;
use crate::training::{Adaptation, Lessons, Recipe, Row, Training};

/// Train a twin on the sessions of one or many animals.
///
/// The folder gets recipe.toml, log.csv, checkpoint.safetensors, and in the end one twin for each session. Run the same
/// command again after an interruption, and it goes on from the last checkpoint; on a CPU the result is the same to the
/// last bit.
#[derive(Debug, Args)]
pub struct TrainArguments {
    /// Recipe, TOML with `schema = 1`: sessions, sizes of the network, steps; `--recipe` shows one with all defaults
    #[arg(value_name = "RECIPE.toml", required_unless_present = "recipe")]
    config: Option<PathBuf>,
    /// Print a recipe with every default, to begin with, and do nothing else
    #[arg(long)]
    recipe: bool,
    #[command(flatten)]
    device: DeviceArgument,
    /// Folder for the twins, the log and the checkpoint
    #[arg(short, long, value_name = "DIR", required_unless_present = "recipe")]
    output: Option<PathBuf>,
}

/// Adapt a twin to a new animal: the core is kept, the rest is learned.
///
/// Core and memory of arousal stay as they are, so that minutes of movies are enough instead of hours. The folder gets
/// recipe.toml, log.csv, checkpoint.safetensors, and in the end the twin of the new animal. Run the same command again
/// after an interruption, and it goes on from the last checkpoint; on a CPU the result is the same to the last bit.
#[derive(Debug, Args)]
pub struct AdaptArguments {
    /// Twin whose core is taken over: folder in the published layout or one file; the built-in twin (simulated mouse) when absent
    #[command(flatten)]
    twin: super::OptionalTwin,
    /// Folder of the animal's recording session
    #[arg(long, value_name = "S")]
    session: PathBuf,
    /// Minutes to learn from, the first ones, no more than the session has; all when absent
    #[arg(long, value_name = "M")]
    minutes: Option<f64>,
    /// Recipe of the steps, TOML with `schema = 1`; its sessions and sizes are not looked at
    #[arg(long, value_name = "RECIPE.toml")]
    recipe: Option<PathBuf>,
    /// Begin perspective and arousal with start values instead of those of the twin
    #[arg(long)]
    fresh: bool,
    /// Seed instead of the recipe's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    #[command(flatten)]
    device: DeviceArgument,
    /// Folder for the twin, the log and the checkpoint
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

/// Runs `train`.
pub fn train(arguments: &TrainArguments) -> Result<()> {
    let (Some(path), Some(output)) = (&arguments.config, &arguments.output) else {
        return say(Recipe { sessions: vec!["sessions".into()], ..Recipe::default() }.to_toml().trim_end());
    };
    let recipe = read_recipe(path)?;
    let sessions = open_sessions(&recipe.sessions)?;
    check_minutes(&recipe, &sessions)?;
    let config = sizes(&recipe.twin, path)?;
    perform(&recipe, &config, &sessions, None, &arguments.device.open()?, output)
}

/// Runs `adapt`.
pub fn adapt(arguments: &AdaptArguments) -> Result<()> {
    let mut recipe = match &arguments.recipe {
        Some(path) => read_recipe(path)?,
        None => Recipe::for_adaptation(),
    };
    recipe.sessions = vec![arguments.session.clone()];
    recipe.minutes = arguments.minutes.or(recipe.minutes);
    recipe.seed = arguments.seed.unwrap_or(recipe.seed);
    let twin = arguments.twin.load()?;
    let sessions = open_sessions(&recipe.sessions)?;
    check_minutes(&recipe, &sessions)?;
    let config = twin.config.clone();
    let adaptation = Adaptation { twin: &twin, inherit: !arguments.fresh };
    perform(&recipe, &config, &sessions, Some(adaptation), &arguments.device.open()?, &arguments.output)
}

/// Fails where a session has fewer minutes than the recipe asks of each.
fn check_minutes(recipe: &Recipe, sessions: &[Session]) -> Result<()> {
    let mut each = sessions.iter();
    Ok(each.try_for_each(|session| Lessons::check_minutes(session, recipe.minutes, recipe.batch.frames))?)
}

fn perform(
    recipe: &Recipe,
    config: &TwinConfig,
    sessions: &[Session],
    adaptation: Option<Adaptation<'_>>,
    device: &ComputeDevice,
    output: &Path,
) -> Result<()> {
    check_folder(output).with_context(|| format!("{}: nothing can be written there", output.display()))?;
    let progress = stoppable();
    let started = Instant::now();
    let mut training = Training::new(recipe, config, sessions, adaptation, device, &progress)?;
    for (session, left_out) in training.left_out() {
        if left_out.short_trials > 0 {
            eprintln!("{session}: {} training trials are shorter than a clip and left out", left_out.short_trials);
        }
        if left_out.behavior > 0 {
            let count = left_out.behavior;
            eprintln!("{session}: {count} values of behaviour were not measured; the average takes their place");
        }
        if left_out.responses > 0 {
            eprintln!("{session}: {} responses were not measured and count nothing", left_out.responses);
        }
    }
    eprintln!("ready to train after {:.1} s", started.elapsed().as_secs_f64());
    let steps = recipe.schedule.steps;
    let mut left = TimeLeft::new(steps);
    let files = training.run(output, &progress, &mut |row| {
        eprintln!("{}{}", line(row, steps), left.after(row.step, row.seconds));
    })?;
    for file in files {
        say(file.display())?;
    }
    Ok(())
}

/// How long something will take that tells of its steps.
#[derive(Debug)]
pub(super) struct TimeLeft {
    steps: usize,
    /// Step and seconds of the first word.
    first: Option<(usize, f64)>,
}

impl TimeLeft {
    /// Of so many steps.
    pub(super) fn new(steps: usize) -> Self {
        Self { steps, first: None }
    }

    /// The end of a line about a step, so many seconds after the start of this run; nothing after the last one.
    pub(super) fn after(&mut self, step: usize, seconds: f64) -> String {
        // Time a step since the first word of this run; before that, since its start.
        let (from, at) = self.first.unwrap_or((0, 0.0));
        let left = (seconds - at) / step.saturating_sub(from).max(1) as f64 * self.steps.saturating_sub(step) as f64;
        self.first.get_or_insert((step, seconds));
        if step < self.steps { format!("; about {} min left", (left / 60.0).ceil()) } else { String::new() }
    }
}

/// A look in words.
fn line(row: &Row, steps: usize) -> String {
    let mut line = format!("step {} of {steps}: objective {:.4}", row.step, row.objective);
    if let Some(loss) = row.validation_loss {
        line += &format!(", validation loss {loss:.4}");
    }
    if let Some(correlation) = row.validation_correlation {
        line += &format!(", correlation {correlation:.3}");
    }
    line
}

/// A recipe, with the paths in it relative to where it lies.
pub(super) fn read_recipe(path: &Path) -> Result<Recipe> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("{}: the recipe could not be read", path.display()))?;
    let mut recipe = Recipe::from_toml(&text).with_context(|| path.display().to_string())?;
    let folder = path.parent().unwrap_or(Path::new(""));
    recipe.sessions.iter_mut().for_each(|session| *session = folder.join(&session));
    Ok(recipe)
}

/// A preset, or a configuration file that lies relative to the recipe.
pub(super) fn sizes(name: &str, recipe: &Path) -> Result<TwinConfig> {
    match name {
        "small" => Ok(TwinConfig::small()),
        "microns" => Ok(TwinConfig::microns()),
        file => read_config(&recipe.parent().unwrap_or(Path::new("")).join(file)),
    }
}

/// Session folders, or folders of session folders.
pub(super) fn open_sessions(paths: &[PathBuf]) -> Result<Vec<Session>> {
    let mut sessions = Vec::new();
    for path in paths {
        let mut folders = vec![path.clone()];
        if !path.join("session.toml").exists() && path.is_dir() {
            let entries = path.read_dir().with_context(|| path.display().to_string())?;
            let inside = entries.filter_map(|entry| Some(entry.ok()?.path()));
            folders = inside.filter(|folder| folder.join("session.toml").exists()).collect();
            folders.sort();
            ensure!(!folders.is_empty(), "{}: there is no session in this folder", path.display());
        }
        for folder in folders {
            sessions.push(Session::open(&folder)?);
        }
    }
    Ok(sessions)
}
