//! `twinscope simulate`: sessions of simulated mice, to learn the program and to train a twin without an animal.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;

use super::say;
use super::waiting::{stoppable, while_recorded};
use crate::data::check_folder;
use crate::data::simulated::{HELD_OUT, Noise, SimulateOptions, TestMovies, simulate};
use crate::experiment::Protocol;
use crate::signals::{Monitor, Raster};

/// What is shown without `--protocol`: rendered clips of 10 s, a new one in every presentation.
const CLIPS: &str = r#"
schema = 1
title = "Rendered clips"

[timing]
lead_in_secs = 0.0
stimulus_secs = 10.0
blank_secs = 0.0
skip_secs = 0.3333

[stimulus]
kind = "scene"
"#;
/// Pixels of the movies unless the protocol or the user says otherwise: those of the built-in twin.
const RASTER: Raster = Raster { height: 36, width: 64 };
/// Least length of a trial of a test protocol, seconds.
const TRIAL_SECS: f64 = 10.0;
/// Decay of calcium unless the user says otherwise.
const CALCIUM_DECAY: &str = "0.4s";
/// Minutes of clips to learn from without `--protocol` and `--minutes`, as for each mouse of the built-in twin's core.
const MINUTES: f64 = 20.0;

/// Record simulated mice with known tuning into session folders.
///
/// Each mouse has a folder, mouse-1, mouse-2 and so on, that `train`, `adapt`, `evaluate`, `compare` and `analyse` read as
/// they read a recording: trials of movie, behaviour and responses, session.toml, presentations.csv (what was shown when),
/// and truth.csv, the true tuning of every unit. The last movies are kept for testing and shown repeatedly. A folder
/// appears when its mouse is finished; one that is there already is not written over, so remove the finished ones, or name
/// another folder, to begin again.
#[derive(Debug, Args)]
pub struct SimulateArguments {
    /// Number of mice, each in its own folder
    #[arg(long, value_name = "M", default_value_t = 1)]
    mice: usize,
    /// Units of each mouse
    #[arg(long, value_name = "U", default_value_t = 160)]
    units: usize,
    /// Minutes to learn from; the protocol is repeated until they are full [default: 20, or the protocol's length]
    #[arg(long, value_name = "T")]
    minutes: Option<f64>,
    /// Seed of the mice, their behaviour, the noise, and the clips
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Protocol that is shown, TOML with `schema = 1`; rendered clips when absent
    #[arg(long, value_name = "P.toml")]
    protocol: Option<PathBuf>,
    /// Pixels of the movies, as HEIGHTxWIDTH [default: the protocol's, or 36x64]
    #[arg(long, value_name = "HxW", value_parser = parse_raster)]
    raster: Option<Raster>,
    /// How responses are recorded: `poisson:COUNTS` (counts in a frame on average, 0.001 to 100; `poisson` has 1),
    /// `calcium:SNR` or `calcium:SNR,DECAY` (variance of the signal over that of the noise, 0.001 to 1000000; decay 0.001s
    /// to 10s; `calcium` has 1 and 0.4s), or `none`
    #[arg(long, value_name = "NOISE", default_value = "poisson", value_parser = parse_noise)]
    noise: Noise,
    /// Protocol that is shown for testing only, after everything else; may be given several times. Its file name is the
    /// name of its domain
    #[arg(long, value_name = "P.toml")]
    test: Vec<PathBuf>,
    /// Different movies that are kept for testing [default: 6, but at most a fifth of a protocol's]
    #[arg(long, value_name = "K")]
    test_movies: Option<usize>,
    /// Showings of each of them
    #[arg(long, value_name = "R", default_value_t = 10)]
    test_repeats: usize,
    /// Folder for the sessions
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

/// Runs the command; a session that could not be finished leaves nothing behind.
pub fn perform(arguments: &SimulateArguments) -> Result<()> {
    let out = &arguments.output;
    check_folder(out).with_context(|| format!("{}: nothing can be written there", out.display()))?;
    let mut protocol = protocol_of(arguments)?;
    if let Some(Raster { height, width }) = arguments.raster {
        protocol.monitor.raster = Some([height, width]);
    }
    let monitor = protocol.monitor(RASTER);
    let held_out = match &arguments.protocol {
        Some(_) => arguments.test_movies,
        None => Some(arguments.test_movies.unwrap_or(HELD_OUT)),
    };
    let minutes = arguments.minutes.or(arguments.protocol.is_none().then_some(MINUTES));
    if let Some(minutes) = minutes {
        protocol.repeats.count = repeats(&mut protocol, &monitor, minutes, held_out.unwrap_or(0))?;
    }
    protocol.validate_for(&monitor)?;
    let options = SimulateOptions {
        mice: arguments.mice,
        units: arguments.units,
        seed: arguments.seed,
        held_out,
        repeats: arguments.test_repeats,
        noise: arguments.noise,
        title: protocol.title.clone(),
        ..SimulateOptions::default()
    };
    let tests = arguments.test.iter().map(|path| test_movies(path, &monitor)).collect::<Result<Vec<_>>>()?;
    let (schedule, progress) = (protocol.schedule(&monitor), stoppable());
    let record = || simulate(&options, &schedule, &tests, &monitor, out, &progress);
    for folder in while_recorded("simulate", &progress, record)? {
        say(folder.display())?;
    }
    Ok(())
}

/// A protocol as movies of ten seconds or more.
pub(super) fn test_movies(path: &Path, monitor: &Monitor) -> Result<TestMovies> {
    let protocol = super::read_protocol(path)?;
    protocol.validate_for(monitor)?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().replace('_', " ");
    let mut letters = stem.chars();
    let domain = letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default();
    let trial_frames = monitor.frame_rate.frames_in(TRIAL_SECS);
    Ok(TestMovies { domain, schedule: protocol.schedule(monitor), trial_frames })
}

/// The protocol file with the paths of its clips, or the clips that are shown without one.
fn protocol_of(arguments: &SimulateArguments) -> Result<Protocol> {
    let Some(path) = &arguments.protocol else {
        let mut protocol = Protocol::from_toml(CLIPS, "rendered clips")?;
        protocol.repeats.seed = arguments.seed;
        return Ok(protocol);
    };
    super::read_protocol(path)
}

/// How often the protocol must be repeated to fill so many minutes, and to show so many new movies after them.
pub(super) fn repeats(protocol: &mut Protocol, monitor: &Monitor, minutes: f64, held_out: usize) -> Result<usize> {
    anyhow::ensure!(minutes > 0.0 && minutes <= 600.0, "--minutes is {minutes}, expected more than 0 and at most 600");
    protocol.repeats.count = 1;
    protocol.validate_for(monitor)?;
    let once = protocol.schedule(monitor);
    let (frames, shown) = (once.frames.max(1), once.presentations.len().max(1));
    Ok(monitor.frame_rate.frames_in(60.0 * minutes).div_ceil(frames) + held_out.div_ceil(shown))
}

fn parse_raster(text: &str) -> Result<Raster, String> {
    let sides = text.split_once('x').and_then(|(height, width)| Some((height.parse().ok()?, width.parse().ok()?)));
    let (height, width) = sides.ok_or("expected HEIGHTxWIDTH, such as 36x64")?;
    Ok(Raster { height, width })
}

fn parse_noise(text: &str) -> Result<Noise, String> {
    let (kind, numbers) = text.split_once(':').map_or((text, None), |(kind, numbers)| (kind, Some(numbers)));
    let number = |text: &str| text.trim().parse::<f64>().map_err(|_| format!("`{text}` is no number"));
    let noise = match (kind, numbers) {
        ("none", None) => Noise::None,
        ("poisson", None) => Noise::default(),
        ("poisson", Some(counts)) => Noise::Poisson { counts_per_frame: number(counts)? },
        ("calcium", numbers) => {
            let numbers = numbers.unwrap_or("1");
            let (ratio, decay) = numbers.split_once(',').unwrap_or((numbers, CALCIUM_DECAY));
            let secs = decay.trim().strip_suffix('s').ok_or("expected the decay in seconds, such as 0.4s")?;
            Noise::Calcium { decay_secs: number(secs)?, signal_to_noise: number(ratio)? }
        }
        _ => return Err("expected poisson, poisson:COUNTS, calcium, calcium:SNR, calcium:SNR,DECAY or none".to_owned()),
    };
    noise.check()?;
    Ok(noise)
}
