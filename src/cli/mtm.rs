//! `twinscope mtm ...`: a masked transformer over spikes, from simulated or recorded sessions to figures.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use burn::tensor::Device;
use clap::{Args, Subcommand};

use super::figure::FigureArguments;
use super::train::TimeLeft;
use super::waiting::stoppable;
use super::{DeviceArgument, say};
use crate::data::check_folder;
use crate::data::spikes::{SpikeFormat, SpikeSession};
use crate::evaluation::spikes::{
    Bits, GlmGrid, NetworkArm, SpikeEvaluation, SpikeSelection, Task, TaskScore, decode_behavior, trained_schemes,
};
use crate::figures::spikes::{bits, decoding, rates, transfer};
use crate::gpu::ComputeDevice;
use crate::model::mtm::{MtmWeights, Scheme};
use crate::training::mtm::{Epoch, MtmRecipe, MtmTraining};

/// What to do with spikes. The help of each command stands on its arguments: a sentence here would replace all of it.
#[derive(Debug, Subcommand)]
pub enum MtmCommand {
    Simulate(SimulateArguments),
    Train(TrainArguments),
    Adapt(AdaptArguments),
    Evaluate(EvaluateArguments),
    Decode(DecodeArguments),
}

/// Simulate animals whose spikes follow shared latent dynamics, one session file each.
///
/// In every animal a few latents turn and decay by the same rule; each region hears them later than the one before and
/// has one of its own. Choice and wheel follow the first latent. The true rates are kept in the file.
///
/// Written is a session file for each animal, simulated-SEED-1.npz and so on; files of the same names are replaced. It takes
/// seconds, and begins anew after an interruption.
#[derive(Debug, Args)]
pub struct SimulateArguments {
    /// Configuration, TOML with `schema = 1`: its table `simulation` holds every setting; options replace them
    #[arg(long, value_name = "RECIPE.toml")]
    recipe: Option<PathBuf>,
    /// Number of animals; the first of ten are the same as the first of two
    #[arg(long, value_name = "A")]
    animals: Option<u32>,
    /// Trials of each animal
    #[arg(long, value_name = "K")]
    trials: Option<usize>,
    /// Regions, over which the neurons are spread evenly
    #[arg(long, value_name = "R")]
    regions: Option<usize>,
    /// Share of a latent that is left after one bin: .7 is fast, .98 slow
    #[arg(long, value_name = "SHARE")]
    persistence: Option<f64>,
    /// Seed of everything
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Folder for the sessions
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

/// Train one network on the sessions of one or many animals.
///
/// The folder gets recipe.toml, log.csv, checkpoint.safetensors, and in the end network.safetensors, the network of the
/// best validation epoch. Run the same command again after an interruption, and it goes on from the last checkpoint; on a
/// CPU the result is the same to the last bit.
#[derive(Debug, Args)]
pub struct TrainArguments {
    /// Configuration, TOML with `schema = 1`: sessions, network, training; `--recipe` shows one with all defaults
    #[arg(value_name = "RECIPE.toml", required_unless_present = "recipe")]
    config: Option<PathBuf>,
    /// Print a configuration with every default, to begin with, and do nothing else
    #[arg(long)]
    recipe: bool,
    /// Preset that `--recipe` prints: mtm-ndt1 (published) or small
    #[arg(long, value_name = "NAME", default_value = "small")]
    preset: String,
    /// Session files or folders of them, instead of those of the configuration; may be given several times
    #[arg(long, value_name = "S")]
    session: Vec<PathBuf>,
    /// Learn from the first so many sessions only
    #[arg(long, value_name = "A")]
    animals: Option<usize>,
    #[command(flatten)]
    steps: StepArguments,
    #[command(flatten)]
    device: DeviceArgument,
    /// Folder for the network, the log and the checkpoint
    #[arg(short, long, value_name = "DIR", required_unless_present = "recipe")]
    output: Option<PathBuf>,
}

/// Adapt a network to new sessions: their own layers are new, the rest is trained on or kept.
///
/// Every session gets new layers of its own, also one that the network knows already (`--keep-shared` refuses it). The rest
/// is trained on from where it was, or kept with `--keep-shared`. The folder gets recipe.toml, log.csv,
/// checkpoint.safetensors, and in the end network.safetensors. Run the same command again after an interruption, and it goes
/// on from the last checkpoint; on a CPU the result is the same to the last bit.
#[derive(Debug, Args)]
pub struct AdaptArguments {
    /// Network to begin with, such as network.safetensors of a training
    #[arg(long, value_name = "NETWORK")]
    network: PathBuf,
    /// New session file, or folder of them; may be given several times
    #[arg(long, value_name = "S", required = true)]
    session: Vec<PathBuf>,
    /// Configuration of the steps, TOML with `schema = 1`; its sessions, sizes and masking schemes are
    /// not looked at: the network goes on with the schemes that it was trained with, unless `--schemes` names others
    #[arg(long, value_name = "RECIPE.toml")]
    recipe: Option<PathBuf>,
    /// Train the layers of the new sessions alone; the network then keeps its old sessions, too
    #[arg(long)]
    keep_shared: bool,
    #[command(flatten)]
    steps: StepArguments,
    #[command(flatten)]
    device: DeviceArgument,
    /// Folder for the network, the log and the checkpoint
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

/// What replaces settings of a configuration.
#[derive(Debug, Args)]
struct StepArguments {
    /// Masking schemes, separated by commas: neuron, causal, inter-region, intra-region, temporal
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    schemes: Vec<Scheme>,
    /// Training trials of each session to learn from, the first ones
    #[arg(long, value_name = "K")]
    trials: Option<usize>,
    /// Times that every training trial is seen
    #[arg(long, value_name = "E")]
    epochs: Option<usize>,
    /// Seed of start values, orders, masks and dropout
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

impl StepArguments {
    fn change(&self, recipe: &mut MtmRecipe) {
        let training = &mut recipe.training;
        if !self.schemes.is_empty() {
            training.schemes.clone_from(&self.schemes);
        }
        training.epochs = self.epochs.unwrap_or(training.epochs);
        training.seed = self.seed.unwrap_or(training.seed);
        recipe.trials = self.trials.or(recipe.trials);
    }
}

/// Predict hidden neurons, regions and bins of test trials, in bits per spike, beside baselines.
///
/// Tasks, as --tasks takes them: held-out (the neurons that the file's benchmark holds out), co-smoothing (each neuron from
/// all others), forward (the last bins from those before), inter-region (each region from the others), intra-region (each
/// neuron from the others of its region). In the same table: the mean response (PSTH), a Poisson regression (GLM) whose
/// smoothing and penalty are chosen on validation trials, and for simulated animals the true rates.
///
/// Written are summary.csv, neurons.csv, evaluation.json, and the figures bits.png, rates.png and, for networks that
/// learned from different numbers of animals before, transfer.png, each also as .svg and with its numbers.
/// Nothing is kept of an evaluation that was stopped.
#[derive(Debug, Args)]
pub struct EvaluateArguments {
    /// Network, such as network.safetensors of a training; may be given several times, for example with one that was
    /// trained with `--schemes temporal`; the baselines alone when absent
    #[arg(long, value_name = "NETWORK")]
    network: Vec<PathBuf>,
    /// Session file
    #[arg(long, value_name = "S")]
    session: PathBuf,
    /// Tasks, separated by commas: held-out, co-smoothing, forward, inter-region, intra-region; all that the session
    /// allows when absent
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    tasks: Vec<Task>,
    /// Share of the bins of a trial that forward prediction hides
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    forward: f64,
    /// Predict every task also with the prompt of another one, to see what the prompt does
    #[arg(long)]
    wrong_prompts: bool,
    /// Leave PSTH, GLM and true rates out
    #[arg(long)]
    no_baselines: bool,
    /// Penalties that the GLM is tuned over, separated by commas
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    penalties: Vec<f64>,
    /// Widths of the smoothing that the GLM is tuned over, bins, separated by commas
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    widths: Vec<f64>,
    /// Seed of the bootstrap behind the intervals, and of validation trials where the session has none
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    figures: FigureArguments,
    #[command(flatten)]
    device: DeviceArgument,
    /// Folder for the tables and the figures
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
}

/// Decode choice, wheel and whiskers from latents and from spikes.
///
/// Linear decoders learn from training and validation trials and are scored on test trials: the choice by a linear
/// discriminant (accuracy, mean of both sides), wheel and whiskers by ridge regression (R²), whose penalty and smoothing
/// cross-validation chooses. Scores have 95 % intervals (bootstrap over trials). Written are decoding.csv, decoding.json, and
/// the figure decoding.png, also as .svg and with its numbers; nothing is kept of a decoding that was stopped.
#[derive(Debug, Args)]
pub struct DecodeArguments {
    /// Network whose latents are decoded; may be given several times
    #[arg(long, value_name = "NETWORK", required = true)]
    network: Vec<PathBuf>,
    /// Session file
    #[arg(long, value_name = "S")]
    session: PathBuf,
    /// Seed of folds and intervals
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    figures: FigureArguments,
    #[command(flatten)]
    device: DeviceArgument,
    /// Folder for the tables and the figure
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
}

/// Runs a command.
pub fn perform(command: MtmCommand) -> Result<()> {
    match command {
        MtmCommand::Simulate(arguments) => simulate(&arguments),
        MtmCommand::Train(arguments) => train(&arguments),
        MtmCommand::Adapt(arguments) => adapt(&arguments),
        MtmCommand::Evaluate(arguments) => evaluate(&arguments),
        MtmCommand::Decode(arguments) => decode(&arguments),
    }
}

fn simulate(arguments: &SimulateArguments) -> Result<()> {
    let out = &arguments.output;
    ready(out)?;
    let recipe = arguments.recipe.as_deref().map(read_recipe).transpose()?.unwrap_or_default();
    let mut simulation = recipe.simulation;
    simulation.animals = arguments.animals.unwrap_or(simulation.animals);
    simulation.trials = arguments.trials.unwrap_or(simulation.trials);
    simulation.regions = arguments.regions.unwrap_or(simulation.regions);
    simulation.persistence = arguments.persistence.unwrap_or(simulation.persistence);
    simulation.seed = arguments.seed.unwrap_or(simulation.seed);
    let sessions = simulation.sessions()?;
    std::fs::create_dir_all(out).with_context(|| out.display().to_string())?;
    for session in sessions {
        let file = out.join(format!("{}.npz", session.id));
        session.save(&file)?;
        say(file.display())?;
    }
    Ok(())
}

fn train(arguments: &TrainArguments) -> Result<()> {
    let (Some(path), Some(output), false) = (&arguments.config, &arguments.output, arguments.recipe) else {
        let recipe = MtmRecipe { sessions: vec!["sessions".into()], ..MtmRecipe::preset(&arguments.preset)? };
        return say(recipe.to_toml().trim_end());
    };
    let mut recipe = read_recipe(path)?;
    arguments.steps.change(&mut recipe);
    if !arguments.session.is_empty() {
        recipe.sessions.clone_from(&arguments.session);
    }
    let mut sessions = open_sessions(&recipe.sessions)?;
    if let Some(animals) = arguments.animals {
        ensure!(
            (1..=sessions.len()).contains(&animals),
            "--animals is {animals}, but there are {} sessions",
            sessions.len()
        );
        sessions.truncate(animals);
    }
    learn(&recipe, &sessions, None, &arguments.device, output)
}

fn adapt(arguments: &AdaptArguments) -> Result<()> {
    let mut recipe = arguments.recipe.as_deref().map(read_recipe).transpose()?.unwrap_or_default();
    arguments.steps.change(&mut recipe);
    recipe.training.keep_shared |= arguments.keep_shared;
    let network = MtmWeights::load(&arguments.network)?;
    recipe.network = network.config().clone();
    if arguments.steps.schemes.is_empty() {
        recipe.training.schemes = trained_schemes(&network);
    }
    let sessions = open_sessions(&arguments.session)?;
    if let Some(notice) = known_already(&network, &sessions).filter(|_| !recipe.training.keep_shared) {
        eprintln!("{notice}");
    }
    learn(&recipe, &sessions, Some(&network), &arguments.device, &arguments.output)
}

/// A word on the sessions whose layers are begun anew although the network has some; one that keeps what is shared refuses
/// them.
fn known_already(network: &MtmWeights, sessions: &[SpikeSession]) -> Option<String> {
    let known = |id: &str| network.sessions().iter().any(|known| known.id == id);
    let ids: Vec<&str> = sessions.iter().map(|session| session.id.as_str()).filter(|id| known(id)).collect();
    let names = ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ");
    let rest = "they are not used, and new ones are begun";
    (!ids.is_empty()).then(|| format!("the network has layers for {names} already: {rest}"))
}

/// Trains in a folder, and tells of every validation.
fn learn(
    recipe: &MtmRecipe,
    sessions: &[SpikeSession],
    from: Option<&MtmWeights>,
    device: &DeviceArgument,
    output: &Path,
) -> Result<()> {
    ready(output)?;
    recipe.check()?;
    let device = burn_device(&device.open()?);
    let training = MtmTraining::new(recipe, sessions, from, &device)?;
    let (epochs, every) = (recipe.training.epochs, recipe.training.validate_every);
    let mut left = TimeLeft::new(epochs);
    let file = training.run(output, &stoppable(), &mut |row| {
        if row.epoch.is_multiple_of(every) || row.epoch == epochs {
            eprintln!("{}{}", line(row, epochs), left.after(row.epoch, row.seconds));
        }
    })?;
    say(file.display())
}

/// An epoch in words.
fn line(row: &Epoch, epochs: usize) -> String {
    let score = row.bits_per_spike.map(|bits| format!(", validation {bits:.4} bits per spike")).unwrap_or_default();
    format!("epoch {} of {epochs}: loss {:.4}{score}", row.epoch, row.loss)
}

fn evaluate(arguments: &EvaluateArguments) -> Result<()> {
    let out = &arguments.out;
    ready(out)?;
    let session = open_session(&arguments.session)?;
    let networks = load_networks(&arguments.network, &session)?;
    let opened = arguments.device.open()?;
    let device = burn_device(&opened);
    let mut arms = arms(&networks, &device);
    if arguments.wrong_prompts {
        let confused =
            networks.iter().zip(&arms).filter(|(_, arm)| arm.has_several_prompts()).map(|((_, weights), arm)| {
                let mut confused = NetworkArm::with_wrong_prompts(weights, &device);
                confused.name = format!("{}, wrong prompt", arm.name);
                confused
            });
        let confused: Vec<NetworkArm> = confused.collect();
        arms.extend(confused);
    }
    let standard = SpikeSelection::default();
    let or = |given: &[f64], standard: Vec<f64>| if given.is_empty() { standard } else { given.to_vec() };
    let selection = SpikeSelection {
        tasks: if arguments.tasks.is_empty() { standard.tasks } else { arguments.tasks.clone() },
        forward_fraction: arguments.forward,
        baselines: !arguments.no_baselines,
        grid: GlmGrid {
            widths_bins: or(&arguments.widths, standard.grid.widths_bins),
            penalties: or(&arguments.penalties, standard.grid.penalties),
        },
        seed: arguments.seed,
        ..standard
    };
    ensure!(
        selection.grid.widths_bins.iter().all(|width| (0.0..=1000.0).contains(width)),
        "--widths must lie between 0 and 1000 bins"
    );
    // Only what is finished; what came out is said once, at the end.
    let told = &mut |score: &TaskScore| eprintln!("{}, {}: done", score.task, score.arm);
    let mut evaluation = SpikeEvaluation::of(&session, &arms, &selection, &stoppable(), told)?;
    evaluation.device = (!arms.is_empty()).then(|| opened.name());
    let mut paths = evaluation.write(out)?;
    let plates = [
        ("bits", bits::plate(&evaluation), true),
        ("rates", rates::plate(&evaluation), evaluation.example.is_some()),
        ("transfer", transfer::plate(&evaluation), transfer::fits(&evaluation)),
    ];
    for (name, plate, _) in plates.iter().filter(|(.., fits)| *fits) {
        paths.extend(arguments.figures.write(plate, out, name)?);
    }
    paths.iter().try_for_each(|path| say(path.display()))?;
    say(evaluation.notice())?;
    evaluation.scores.iter().try_for_each(|score| say(finding(score)))
}

/// What came out, in one line.
fn finding(score: &TaskScore) -> String {
    let all = score.all();
    let note = if score.note.is_empty() { String::new() } else { format!("; {}", score.note) };
    let silent =
        if all.silent > 0 { format!(", {} silent ones left out of the mean", all.silent) } else { String::new() };
    format!(
        "{}, {}: {} bits per spike pooled, {} mean over {} neurons{silent}{note}",
        score.task,
        score.arm,
        spoken(all.pooled),
        spoken(all.mean),
        all.neurons
    )
}

/// A value with its interval, such as "0.282 [0.265, 0.299]".
fn spoken(bits: Option<Bits>) -> String {
    let Some(Bits { value, interval }) = bits else { return "no".to_owned() };
    let interval = interval.map(|(low, high)| format!(" [{low:.4}, {high:.4}]")).unwrap_or_default();
    format!("{value:.4}{interval}")
}

fn decode(arguments: &DecodeArguments) -> Result<()> {
    let out = &arguments.out;
    ready(out)?;
    let session = open_session(&arguments.session)?;
    let networks = load_networks(&arguments.network, &session)?;
    let opened = arguments.device.open()?;
    let arms = arms(&networks, &burn_device(&opened));
    let mut decoded = decode_behavior(&session, &arms, arguments.seed, &stoppable())?;
    decoded.device = Some(opened.name());
    let mut paths = decoded.write(out)?;
    paths.extend(arguments.figures.write(&decoding::plate(&decoded), out, "decoding")?);
    paths.iter().try_for_each(|path| say(path.display()))?;
    for found in &decoded.found {
        let (name, measure) = (found.behavior.name(), found.behavior.measure());
        let (learned, tested) = found.trials;
        say(format_args!(
            "{name} from {}: {measure} {} ({learned} trials to learn from, {tested} to test)",
            found.origin(),
            spoken(Some(found.value))
        ))?;
    }
    Ok(())
}

fn ready(output: &Path) -> Result<()> {
    check_folder(output).with_context(|| format!("{}: nothing can be written there", output.display()))
}

fn burn_device(device: &ComputeDevice) -> Device {
    match device {
        ComputeDevice::Cpu => Device::flex(),
        ComputeDevice::Gpu(gpu) => gpu.burn.clone(),
    }
}

/// Networks with the names of their files; each must know the session.
fn load_networks(paths: &[PathBuf], session: &SpikeSession) -> Result<Vec<(PathBuf, MtmWeights)>> {
    let load = |path: &PathBuf| {
        let weights = MtmWeights::load(path)?;
        let known = weights.sessions().iter().find(|known| known.id == session.id);
        let known = known.with_context(|| {
            let (file, id) = (path.display(), &session.id);
            format!("{file} has no weights for the session `{id}`; `twinscope mtm adapt` adds them")
        })?;
        let (found, expected) = (session.counts.neurons(), known.neurons);
        ensure!(found == expected, "the session `{}` has {found} neurons, but the network {expected}", session.id);
        Ok((path.clone(), weights))
    };
    paths.iter().map(load).collect()
}

/// Networks on the device, told apart by the names of their folders and files where their trainings are alike.
fn arms(networks: &[(PathBuf, MtmWeights)], device: &Device) -> Vec<NetworkArm> {
    let mut arms: Vec<NetworkArm> = networks.iter().map(|(_, weights)| NetworkArm::new(weights, device)).collect();
    let names: Vec<String> = arms.iter().map(|arm| arm.name.clone()).collect();
    for (arm, (path, _)) in arms.iter_mut().zip(networks) {
        if names.iter().filter(|name| **name == arm.name).count() > 1 {
            let folder = path.parent().and_then(Path::file_name).unwrap_or_default().display();
            let file = path.file_stem().unwrap_or_default().display();
            arm.name = format!("{} ({folder}/{file})", arm.name);
        }
    }
    distinguish(&mut arms);
    arms
}

/// Numbers arms that still have the same name.
fn distinguish(arms: &mut [NetworkArm]) {
    for index in 1..arms.len() {
        let alike = arms[..index].iter().filter(|arm| arm.name == arms[index].name).count();
        if alike > 0 {
            arms[index].name = format!("{}, number {}", arms[index].name, alike + 1);
        }
    }
}

/// A configuration, with the paths in it relative to where it lies.
fn read_recipe(path: &Path) -> Result<MtmRecipe> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("{}: the configuration could not be read", path.display()))?;
    let mut recipe = MtmRecipe::from_toml(&text).with_context(|| path.display().to_string())?;
    let folder = path.parent().unwrap_or(Path::new(""));
    recipe.sessions.iter_mut().for_each(|session| *session = folder.join(&session));
    Ok(recipe)
}

fn open_session(path: &Path) -> Result<SpikeSession> {
    let format = SpikeFormat::of(path)?;
    ensure!(
        format == SpikeFormat::Npz,
        "{}: {format}; `twinscope spikes convert` makes a session (.npz) of it",
        path.display()
    );
    Ok(SpikeSession::open(path)?)
}

/// Session files, or all of the files in folders, by name; `simulated-0-10` comes after `simulated-0-9`.
fn open_sessions(paths: &[PathBuf]) -> Result<Vec<SpikeSession>> {
    let mut sessions = Vec::new();
    for path in paths {
        let mut files = vec![path.clone()];
        if path.is_dir() {
            let entries = path.read_dir().with_context(|| path.display().to_string())?;
            let inside = entries.filter_map(|entry| Some(entry.ok()?.path()));
            files = inside.filter(|file| file.extension().is_some_and(|ending| ending == "npz")).collect();
            files.sort_by_key(|file| (file.as_os_str().len(), file.clone()));
            ensure!(!files.is_empty(), "{}: there is no session (.npz) in this folder", path.display());
        }
        for file in files {
            sessions.push(open_session(&file)?);
        }
    }
    Ok(sessions)
}
