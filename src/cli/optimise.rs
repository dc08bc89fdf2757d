//! `twinscope optimise`: most and least exciting images and movies.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};

use super::figure::FigureArguments;
use super::waiting::stoppable;
use super::{DeviceArgument, OptionalTwin, say, selection};
use crate::data::{Session, check_folder, import};
use crate::experiment::protocol::TwinChoice;
use crate::figures;
use crate::model::weights::TwinWeights;
use crate::optimise::{Goal, Kind, Optimised, Optimiser, Plan};

/// Find the image or short movie that excites units most or least.
///
/// Gradient ascent through the twin to the pixels of the monitor, as for the most exciting images (MEIs) of Walker et al.
/// 2019 and Bashivan et al. 2019. The stimulus lies between frames of the grey background; the mean response of the units
/// over a window of frames is driven up or down. The gradient is smoothed by a Gaussian before each step, and after it the
/// stimulus is scaled to the contrast and clipped to the range of the monitor.
///
/// Written are stimulus.npy (u8 [time, height, width]), stimulus.png or .gif, protocol.toml, which shows the stimulus
/// again with `twinscope run`, responses.csv, log.csv (response and contrast at every step), summary.json, and the figure
/// optimised.png and .svg with its numbers. Run the same command again after an interruption, and it goes on from the last
/// checkpoint; on a CPU the result is the same to the last bit.
#[derive(Debug, Args)]
pub struct OptimiseArguments {
    #[command(flatten)]
    twin: OptionalTwin,
    #[command(flatten)]
    figures: FigureArguments,
    /// Units (rows of the readout) whose mean response counts, such as 7 or 0,5,10-20
    #[arg(long, value_name = "LIST", required_unless_present = "area", conflicts_with = "area")]
    units: Option<String>,
    /// All units of this visual area, such as V1, as the session of the twin's animal names it
    #[arg(long, value_name = "A", requires = "session")]
    area: Option<String>,
    /// Recording of the twin's animal, for --area: a session folder, or any that `twinscope session` reads
    #[arg(long, value_name = "S")]
    session: Option<PathBuf>,
    /// A picture that stands still, or a movie
    #[arg(long, value_name = "image|movie", default_value = "image")]
    kind: KindArgument,
    /// Most or least exciting
    #[arg(long, value_name = "most|least", default_value = "most")]
    direction: GoalArgument,
    /// Frames the stimulus is on, at 30 Hz; 15 for an image and 30 for a movie when absent
    #[arg(long, value_name = "N")]
    frames: Option<usize>,
    /// Frames of grey before the stimulus
    #[arg(long, value_name = "N", default_value_t = 15)]
    before: usize,
    /// Frames of grey after the stimulus
    #[arg(long, value_name = "N", default_value_t = 6)]
    after: usize,
    /// Frames over which the response is averaged, from the onset on, as FIRST-END without the last; from 3 to the end of
    /// the stimulus when absent
    #[arg(long, value_name = "FIRST-END")]
    window: Option<String>,
    /// Steps of gradient ascent
    #[arg(long, value_name = "N", default_value_t = 100)]
    steps: usize,
    /// Size of the first step, as a share of the contrast; steps become smaller to the end
    #[arg(long, value_name = "F", default_value_t = 0.2)]
    step_size: f64,
    /// Seed of the noise at the start, and of the random stimuli for comparison
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Standard deviation of the Gaussian that smooths the gradient, degrees; 0 for none
    #[arg(long, value_name = "DEG", default_value_t = 4.0)]
    smoothness: f64,
    /// The same in time, for movies, ms; 0 for none
    #[arg(long, value_name = "MS", default_value_t = 33.0)]
    smoothness_time: f64,
    /// Root mean square of the difference from the grey background over all pixels and frames, over the background
    #[arg(long, value_name = "C", default_value_t = 0.05)]
    contrast: f64,
    /// Pupil x and y, z-scored; 0,0 is the average
    #[arg(long, value_name = "X,Y", allow_hyphen_values = true)]
    gaze: Option<String>,
    /// Pupil radius and treadmill velocity, z-scored; 0,0 is the average
    #[arg(long, value_name = "R,V", allow_hyphen_values = true)]
    behavior: Option<String>,
    /// Random stimuli of the same smoothness and contrast to compare with
    #[arg(long, value_name = "N", default_value_t = 10)]
    random: usize,
    /// Steps from one checkpoint to the next
    #[arg(long, value_name = "N", default_value_t = 10)]
    checkpoint_every: usize,
    #[command(flatten)]
    device: DeviceArgument,
    /// Folder for the stimulus, the figure, the log and the checkpoint
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum KindArgument {
    Image,
    Movie,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum GoalArgument {
    Most,
    Least,
}

/// Runs the command.
pub fn perform(arguments: &OptimiseArguments) -> Result<()> {
    let out = &arguments.output;
    check_folder(out).with_context(|| format!("{}: nothing can be written there", out.display()))?;
    let plan = plan(arguments)?;
    plan.check()?;
    let twin = arguments.twin.load()?;
    let units = units(arguments, &twin)?;
    let device = arguments.device.open()?;
    let mut optimiser = Optimiser::new(&twin, &units, &plan, &device)?;
    let (started, mut first) = (Instant::now(), None);
    let every = arguments.checkpoint_every.max(1);
    let optimised = optimiser.run(out, every, &stoppable(), &mut |row| {
        let done = row.step + 1;
        // Steps of this run; a resumed one did not make those before.
        let from = *first.get_or_insert(row.step);
        if done.is_multiple_of(every) || done == plan.steps {
            let each = started.elapsed().as_secs_f64() / (done - from) as f64;
            let left = each * (plan.steps - done) as f64;
            let left = if done < plan.steps { format!("; about {left:.0} s left") } else { String::new() };
            eprintln!("step {done} of {}: response {:.3} × mean{left}", plan.steps, row.response);
        }
    })?;
    let mut paths = optimised.write(out, named(&arguments.twin)?)?;
    paths.extend(arguments.figures.write(&figures::optimised::plate(&optimised), out, "optimised")?);
    for path in paths {
        say(path.display())?;
    }
    say(finding(&optimised))
}

/// What came out, in one line.
fn finding(optimised: &Optimised) -> String {
    let random = optimised.controls.map_or_else(String::new, |controls| {
        format!(
            "; {} random stimuli of the same contrast: mean {:.3}, best {:.3}",
            controls.n, controls.mean, controls.best
        )
    });
    let notice = optimised.provenance.notice();
    let (title, whom) = (optimised.title(), optimised.whom());
    format!("{title} for {whom}: response {:.3} × mean{random} ({notice})", optimised.response)
}

fn plan(arguments: &OptimiseArguments) -> Result<Plan> {
    let (kind, usual) = match arguments.kind {
        KindArgument::Image => (Kind::Image, Plan::image()),
        KindArgument::Movie => (Kind::Movie, Plan::movie()),
    };
    let frames = arguments.frames.unwrap_or(usual.frames);
    let window = match &arguments.window {
        Some(text) => {
            let bounds = text.split_once('-').and_then(|(a, b)| Some((a.trim().parse().ok()?, b.trim().parse().ok()?)));
            bounds.with_context(|| format!("--window: `{text}` is no window of frames; write for example 3-15"))?
        }
        None => (usual.window.0.min(frames.saturating_sub(1)), frames),
    };
    Ok(Plan {
        kind,
        goal: match arguments.direction {
            GoalArgument::Most => Goal::Most,
            GoalArgument::Least => Goal::Least,
        },
        frames,
        grey_frames: (arguments.before, arguments.after),
        window,
        steps: arguments.steps,
        step_size: arguments.step_size,
        seed: arguments.seed,
        smoothness_deg: arguments.smoothness,
        smoothness_secs: arguments.smoothness_time / 1000.0,
        contrast: arguments.contrast,
        gaze: pair("--gaze", arguments.gaze.as_deref())?,
        arousal: pair("--behavior", arguments.behavior.as_deref())?,
        controls: arguments.random,
    })
}

/// Two z-scores, `0.5,-1`; zeros when absent.
fn pair(option: &str, text: Option<&str>) -> Result<[f32; 2]> {
    let Some(text) = text else { return Ok([0.0; 2]) };
    let numbers = text.split_once(',').and_then(|(a, b)| Some([a.trim().parse().ok()?, b.trim().parse().ok()?]));
    numbers.with_context(|| format!("{option}: `{text}` is no pair of numbers; write for example 0.5,-1"))
}

/// Rows of the readout that were asked for.
fn units(arguments: &OptimiseArguments, twin: &TwinWeights) -> Result<Vec<usize>> {
    if let Some(list) = &arguments.units {
        return selection::units(list, twin.units.len());
    }
    let (Some(area), Some(session)) = (&arguments.area, &arguments.session) else {
        bail!("name the units with --units, or an area with --area and --session");
    };
    let session = import::open(session)?;
    let columns = session.columns_of(&twin.units)?;
    let of_area =
        |column: usize| session.units[column].area.as_deref().is_some_and(|found| found.eq_ignore_ascii_case(area));
    let chosen: Vec<usize> =
        columns.iter().zip(0..).filter(|(column, _)| of_area(**column)).map(|(_, row)| row).collect();
    ensure!(!chosen.is_empty(), "--area: no unit of the twin lies in {area}; {}", known_areas(&session));
    Ok(chosen)
}

fn known_areas(session: &Session) -> String {
    let mut areas: Vec<&str> = session.units.iter().filter_map(|unit| unit.area.as_deref()).collect();
    areas.sort_unstable();
    areas.dedup();
    if areas.is_empty() {
        "the session names no areas".to_owned()
    } else {
        format!("the session has {}", areas.join(", "))
    }
}

/// The twin as a protocol names it; `None` for the built-in one.
fn named(twin: &OptionalTwin) -> Result<Option<TwinChoice>> {
    let choice = |path: &Path| -> Result<TwinChoice> {
        Ok(TwinChoice { path: std::path::absolute(path)?, scan: twin.choice.scan.clone() })
    };
    twin.twin.as_deref().map(choice).transpose()
}
