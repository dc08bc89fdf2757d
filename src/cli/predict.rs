//! `twinscope predict`: a movie file in, responses out, in constant memory.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, bail};
use clap::Args;

use super::waiting::stoppable;
use super::{DeviceArgument, OptionalTwin, check_output, parse_periphery, say, selection};
use crate::data::{NpyMovie, NpyResponsesWriter, read_behavior_npy};
use crate::model::twin::{Periphery, Twin, TwinOptions};
use crate::signals::{Behavior, FrameSource};

/// Predict responses to a movie.
///
/// Every unit of the twin answers every frame of the movie, in units of its mean activity. Written is one file, f32 `.npy`
/// [time, unit], or [time, sample, unit] where the movie or the behaviour has several samples. Movie and responses go
/// through memory piece by piece, however long they are. A prediction that fails or is stopped leaves no file, and begins
/// anew.
#[derive(Debug, Args)]
pub struct PredictArguments {
    #[command(flatten)]
    twin: OptionalTwin,
    /// Movie, u8 `.npy` [time, height, width] or [time, sample, height, width] at 30 Hz
    #[arg(long, value_name = "M.npy")]
    movie: PathBuf,
    /// Pupil x and y, f32 `.npy` [time, 2] or [time, sample, 2], z-scored; 0 when absent
    #[arg(long, value_name = "G.npy")]
    gaze: Option<PathBuf>,
    /// Pupil radius and treadmill velocity, f32 `.npy` [time, 2] or [time, sample, 2], z-scored; 0 when absent
    #[arg(long, value_name = "B.npy")]
    behavior: Option<PathBuf>,
    /// Only this stream instead of the mean over all
    #[arg(long, value_name = "K")]
    stream: Option<usize>,
    /// Beside the screen: dark, or extend (the border repeated); the twin's own when absent
    #[arg(long, value_name = "dark|extend", value_parser = parse_periphery)]
    periphery: Option<Periphery>,
    /// Only these units (rows of the readout), such as 0,5,10-20
    #[arg(long, value_name = "LIST")]
    units: Option<String>,
    #[command(flatten)]
    device: DeviceArgument,
    /// Frames computed before responses are written out
    #[arg(long, value_name = "T", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3000))]
    chunk: u32,
    /// Responses, f32 `.npy` [time, unit] or [time, sample, unit]
    #[arg(short, long, value_name = "R.npy")]
    output: PathBuf,
}

/// Runs the command; nothing is left behind when it fails.
pub fn perform(arguments: &PredictArguments) -> Result<()> {
    let inputs = [&arguments.twin.twin, &arguments.twin.choice.config, &arguments.gaze, &arguments.behavior];
    let inputs = inputs.into_iter().flatten().chain([&arguments.movie]).map(PathBuf::as_path);
    check_output(&arguments.output, inputs)?;
    let mut weights = arguments.twin.load()?;
    let mut chosen: Vec<usize> = (0..weights.units.len()).collect();
    if let Some(list) = &arguments.units {
        chosen = selection::units(list, weights.units.len())?;
        weights = weights.select(&chosen);
    }
    let mut movie = NpyMovie::open(&arguments.movie)?;
    let behavior = read_behavior(arguments, movie.frames())?;
    let device = arguments.device.open()?;
    let options = TwinOptions { stream: arguments.stream, periphery: arguments.periphery };
    let twin = Twin::open(Arc::new(weights), &device, options)?;
    let samples = movie.samples().max(behavior.samples());
    let batched = movie.has_sample_axis() || samples > 1;
    let mut shape = vec![movie.frames(), twin.units()];
    if batched {
        shape.insert(1, samples);
    }
    let mut writer = NpyResponsesWriter::create(&arguments.output, &shape)?;
    let progress = stoppable();
    let chunk = arguments.chunk as usize;
    twin.rollout::<anyhow::Error>(&mut movie, Some(&behavior), chunk, &progress, &mut |first, rows| {
        check_finite(first, rows, samples, &chosen)?;
        Ok(writer.write(rows)?)
    })?;
    writer.finish()?;
    say(arguments.output.display())
}

/// Fails at the first response that is no number.
fn check_finite(first: usize, rows: &[f32], samples: usize, units: &[usize]) -> Result<()> {
    let Some(bad) = rows.iter().position(|value| !value.is_finite()) else { return Ok(()) };
    let (frame, unit) = (first + bad / (samples * units.len()), units[bad % units.len()]);
    bail!(
        "the response of unit {unit} at frame {frame} is {}, so nothing was written; the weights may be damaged, or \
         the behaviour far from any animal's",
        rows[bad]
    )
}

/// Gaze and arousal as given; what is not given is zero.
fn read_behavior(arguments: &PredictArguments, frames: usize) -> Result<Behavior> {
    let read = |option: &Option<PathBuf>, name: &str| -> Result<Option<(usize, Vec<[f32; 2]>)>> {
        let Some(path) = option else { return Ok(None) };
        let (length, samples, values) = read_behavior_npy(path)?;
        check_length(path, name, length, frames)?;
        Ok(Some((samples, values)))
    };
    let gaze = read(&arguments.gaze, "--gaze")?;
    let arousal = read(&arguments.behavior, "--behavior")?;
    let samples = match (&gaze, &arousal) {
        (Some((a, _)), Some((b, _))) if a != b && *a != 1 && *b != 1 => {
            bail!("--gaze has {a} samples and --behavior {b}: they must be equal, or one of them 1")
        }
        (a, b) => a.as_ref().map_or(1, |a| a.0).max(b.as_ref().map_or(1, |b| b.0)),
    };
    let spread = |given: Option<(usize, Vec<[f32; 2]>)>| match given {
        None => vec![[0.0; 2]; frames * samples],
        Some((1, values)) => values.into_iter().flat_map(|pair| std::iter::repeat_n(pair, samples)).collect(),
        Some((_, values)) => values,
    };
    Ok(Behavior::new(frames, samples, spread(gaze), spread(arousal)).expect("lengths and values were checked"))
}

fn check_length(path: &Path, name: &str, found: usize, frames: usize) -> Result<()> {
    if found != frames {
        bail!("{}: {name} has {found} frames but the movie {frames}: give one value a frame", path.display());
    }
    Ok(())
}
