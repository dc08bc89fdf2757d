//! `twinscope run` and `twinscope merge`: a protocol from the command line, for seconds or for days.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;

use super::figure::{FigureArguments, SheetArgument};
use super::waiting::stoppable;
use super::{DeviceArgument, OptionalTwin, read_protocol, say};
use crate::data::{NpyResponses, check_folder};
use crate::experiment::{LongRun, Outcome, Protocol, Shard, Standing};
use crate::figures::{Data, Figure, Traces};
use crate::gpu::ComputeDevice;
use crate::model::twin::{Twin, TwinOptions};
use crate::model::weights::TwinWeights;
use crate::signals::{ResponseRows, SourceError};
use crate::stimulus;

/// Time between two looks at the progress on a terminal.
const GLANCE: Duration = Duration::from_millis(200);
/// Time between two lines of progress in a file.
const PAUSE: Duration = Duration::from_secs(30);

/// Run a protocol, or a share of it, and write its figures and tables; goes on where it was stopped.
///
/// The folder gets responses.npy (f32 [time, unit]), conditions.csv (what was shown when), outcome.json, protocol.toml, tables
/// of tuning where something was varied, and every figure that the responses can fill, with its numbers.
///
/// The twin sees each condition apart from the others: grey lead-in, then its presentations (`apart = false` under [timing]
/// of the protocol shows everything as one movie instead). A condition that is finished lies in DIR/conditions as f32
/// [time, unit]. When a run was stopped or killed, the same command computes only what is missing; files of another
/// protocol, twin, kind of device or version are told of and never used. Memory does not grow with the length of the run.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// Protocol, TOML with `schema = 1`
    protocol: PathBuf,
    /// Folder for the figures and tables
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    figures: FigureArguments,
    #[command(flatten)]
    sheet: SheetArgument,
    #[command(flatten)]
    twin: OptionalTwin,
    #[command(flatten)]
    device: DeviceArgument,
    /// Compute only share I of N equal shares of the conditions, from 1/N to N/N; `twinscope merge` joins them
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    #[command(flatten)]
    npz: NpzArgument,
}

/// Everything in one file for NumPy.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct NpzArgument {
    /// Write outcome.npz as well: responses f32 [time, unit], what was shown when, the units, protocol and provenance, for
    /// numpy.load; it takes as much room as responses.npy
    #[arg(long)]
    npz: bool,
}

/// Join the shards of a run to what one run would have written.
///
/// The shards are the folders that `twinscope run --shard I/N --out SHARD` wrote, all of the same protocol, twin, kind of
/// device and version. The folder gets the same responses, tables and figures, byte for byte; the shards stay as they are.
#[derive(Debug, Args)]
pub struct MergeArguments {
    /// Folders of the shards
    #[arg(value_name = "SHARD", required = true)]
    shards: Vec<PathBuf>,
    /// Folder for the figures and tables
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    figures: FigureArguments,
    #[command(flatten)]
    sheet: SheetArgument,
    #[command(flatten)]
    npz: NpzArgument,
}

/// Where results go, and how figures are written there.
#[derive(Debug, Clone, Copy)]
pub struct Output<'a> {
    /// Folder for everything.
    pub folder: &'a Path,
    /// Width, resolution and formats.
    pub figures: &'a FigureArguments,
    /// Figures on one more sheet.
    pub sheet: &'a SheetArgument,
    /// Whether everything is written into one file as well.
    pub npz: NpzArgument,
}

/// Runs a protocol whose paths are made absolute: it is written beside the results, in another folder, and its clips
/// must be found from there as well.
pub fn perform(arguments: &RunArguments) -> Result<()> {
    let protocol = read_protocol(&arguments.protocol)?;
    let twin = Arc::new(arguments.twin.load_or(protocol.twin.as_ref())?);
    check(&arguments.out)?;
    let output =
        Output { folder: &arguments.out, figures: &arguments.figures, sheet: &arguments.sheet, npz: arguments.npz };
    run(&protocol, twin, &arguments.device.open()?, &output, arguments.shard)
}

/// Joins shards.
pub fn merge(arguments: &MergeArguments) -> Result<()> {
    check(&arguments.out)?;
    let run = LongRun::merged(&arguments.shards, &arguments.out)?;
    tell_stale(&run, &arguments.out);
    let output =
        Output { folder: &arguments.out, figures: &arguments.figures, sheet: &arguments.sheet, npz: arguments.npz };
    finish(run, &output)
}

/// Runs a protocol, or a share of it, into a folder.
pub fn run(
    protocol: &Protocol,
    twin: Arc<TwinWeights>,
    device: &ComputeDevice,
    output: &Output<'_>,
    shard: Option<Shard>,
) -> Result<()> {
    let out = output.folder;
    check(out)?;
    let mut twin = Twin::open(twin, device, TwinOptions::default())?;
    let run = LongRun::new(protocol, &twin, out, shard)?;
    tell_stale(&run, out);
    let mut meter = Meter::new();
    let computed = run.compute(
        &mut twin,
        &mut |schedule, monitor| {
            stimulus::source(schedule, monitor, Path::new(""), device)
                .map_err(|error| SourceError::new(error.to_string()))
        },
        &stoppable(),
        &mut |standing| meter.tell(standing),
    );
    meter.end();
    computed?;
    match shard {
        None => finish(run, output),
        Some(shard) => say(format_args!(
            "Shard {shard} is finished: {} conditions in {}. `twinscope merge` joins the shards.",
            meter.standing.conditions,
            out.display()
        )),
    }
}

fn check(out: &Path) -> Result<()> {
    check_folder(out).with_context(|| format!("{}: nothing can be written there", out.display()))
}

fn tell_stale(run: &LongRun, out: &Path) {
    if run.replaces_another() {
        eprintln!(
            "The tables and figures in {} are of another run; those that this one does not write again stay as they are.",
            out.display()
        );
    }
    let (what, them) = match run.stale() {
        0 => return,
        1 => ("1 file".to_owned(), "it is"),
        several => (format!("{several} files"), "they are"),
    };
    eprintln!(
        "{what} in {} came from another protocol, twin, kind of device or version: {them} kept but not used; delete what \
         you no longer need.",
        out.join("conditions").display()
    );
}

/// Joins the conditions, writes tables and figures, and says what came out.
fn finish(run: LongRun, output: &Output<'_>) -> Result<()> {
    let outcome = run.finish()?;
    for path in save(&outcome, output)? {
        say(path.display())?;
    }
    if let Some(line) = finding(&outcome) {
        say(line)?;
    }
    Ok(())
}

/// Tables, then every figure that the outcome can fill, and the sheet that was asked for.
fn save(outcome: &Outcome<NpyResponses>, output: &Output<'_>) -> Result<Vec<PathBuf>> {
    let out = output.folder;
    let mut paths = outcome.write_tables(out)?;
    if output.npz.npz {
        let path = out.join("outcome.npz");
        outcome.write_npz(&path)?;
        paths.push(path);
    }
    let responses = &outcome.responses;
    let unit = most_selective(outcome).context("the responses could not be read back")?;
    let mut trace = Vec::with_capacity(responses.frames());
    responses
        .each_row(0..responses.frames(), 0, &mut |row| trace.extend(row.get(unit)))
        .context("the responses could not be read back")?;
    let data = Data::with_traces(outcome, Traces::One { units: responses.units(), unit, trace });
    for figure in Figure::all(unit).into_iter().filter(|figure| figure.fits(&data)) {
        paths.extend(output.figures.write(&figure.of(&data), out, figure.stem())?);
    }
    if let Some(sheet) = output.sheet.plate(&data, unit) {
        paths.extend(output.figures.write(&sheet, out, "sheet")?);
    }
    Ok(paths)
}

/// The unit whose tuning is shown: the one most modulated by the parameter that is analysed, or with the sharpest
/// direction tuning; when nothing was tuned, the one whose response varies most.
fn most_selective(outcome: &Outcome<NpyResponses>) -> std::io::Result<usize> {
    if let Some(unit) = outcome.parameter.as_ref().and_then(|tuning| tuning.most_modulated()) {
        return Ok(unit);
    }
    let Some(tuning) = &outcome.tuning else { return most_variable(&outcome.responses) };
    let selectivity = |unit: usize| tuning.units[unit].global_dsi.unwrap_or(-1.0);
    Ok((0..tuning.units.len()).max_by(|&a, &b| selectivity(a).total_cmp(&selectivity(b))).unwrap_or(0))
}

/// The unit whose response varies most over time.
fn most_variable(responses: &dyn ResponseRows) -> std::io::Result<usize> {
    let (frames, units) = (responses.frames(), responses.units());
    let mut means = vec![0.0; units];
    responses.each_row(0..frames, 0, &mut |row| {
        means.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value));
    })?;
    means.iter_mut().for_each(|sum| *sum /= frames.max(1) as f64);
    let mut variances = vec![0.0; units];
    responses.each_row(0..frames, 0, &mut |row| {
        let each = variances.iter_mut().zip(&means).zip(row);
        each.for_each(|((sum, mean), &value)| *sum += (f64::from(value) - mean).powi(2));
    })?;
    Ok((0..units).max_by(|&a, &b| variances[a].total_cmp(&variances[b])).unwrap_or(0))
}

/// One line that says what came out.
fn finding<R>(outcome: &Outcome<R>) -> Option<String> {
    let tuning = outcome.tuning.as_ref()?;
    let selective = tuning.units.iter().filter(|unit| unit.global_dsi.is_some_and(|dsi| dsi > 0.2)).count();
    let (title, units) = (&outcome.protocol.title, tuning.units.len());
    Some(format!("{title}: {selective} of {units} units have a gDSI above 0.2 ({})", outcome.provenance.notice()))
}

/// Progress on stderr: one line that changes on a terminal, a line now and then in a file.
struct Meter {
    began: Instant,
    told: Instant,
    on_terminal: bool,
    /// Whether a line stands that is to be overwritten.
    open: bool,
    standing: Standing,
}

impl Meter {
    fn new() -> Self {
        let now = Instant::now();
        let on_terminal = std::io::stderr().is_terminal();
        Self { began: now, told: now, on_terminal, open: false, standing: Standing::default() }
    }

    fn tell(&mut self, standing: Standing) {
        if standing.frames == 0 {
            self.began = Instant::now();
            if standing.conditions > 0 {
                let Standing { conditions, all_conditions, .. } = standing;
                eprintln!("{conditions} of {all_conditions} conditions are there already.");
            }
        }
        self.standing = standing;
        let pause = if self.on_terminal { GLANCE } else { PAUSE };
        if self.told.elapsed() < pause {
            return;
        }
        self.told = Instant::now();
        let line = line_of(standing, self.began.elapsed());
        if self.on_terminal {
            // From the start of the line, to its end.
            eprint!("\r{line}\x1b[K");
            let _ = std::io::stderr().flush();
            self.open = true;
        } else {
            eprintln!("{line}");
        }
    }

    fn end(&mut self) {
        if std::mem::take(&mut self.open) {
            eprintln!("\r{}\x1b[K", line_of(self.standing, self.began.elapsed()));
        }
    }
}

/// `3 of 16 conditions, 412 of 2160 frames, 58.3 frames/s, 30 s left`.
fn line_of(standing: Standing, elapsed: Duration) -> String {
    let Standing { conditions, all_conditions, frames, all_frames } = standing;
    let rate = frames as f64 / elapsed.as_secs_f64().max(1e-3);
    let left = match all_frames.saturating_sub(frames) {
        0 => String::new(),
        more if rate > 0.0 => format!(", {} left", duration(more as f64 / rate)),
        _ => String::new(),
    };
    format!("{conditions} of {all_conditions} conditions, {frames} of {all_frames} frames, {rate:.1} frames/s{left}")
}

/// Whole seconds, minutes or hours.
fn duration(secs: f64) -> String {
    let secs = secs.ceil() as u64;
    match (secs / 3600, secs / 60 % 60, secs % 60) {
        (0, 0, secs) => format!("{secs} s"),
        (0, minutes, secs) => format!("{minutes} min {secs} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}
