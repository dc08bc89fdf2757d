//! `twinscope stimulus ...`: what can be shown, as a list; a protocol's movie and its table of conditions, as files.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use serde_json::{Value, json};

use super::{DeviceArgument, check_output, read_protocol, say};
use crate::data::{MovieFormat, check_folder, write_movie};
use crate::experiment::{ConditionTable, Protocol, save};
use crate::gpu::{ComputeDevice, DeviceChoice};
use crate::signals::{FrameSource, Monitor, Raster, SourceError};
use crate::stimulus::schedule::{Presentation, Schedule};
use crate::stimulus::{self, Field, FieldKind, ModifierKind, StimulusKind};

/// Silence before the first word of progress, and between two: a short movie needs none.
const QUIET: Duration = Duration::from_secs(2);

/// What to do with stimuli.
#[derive(Debug, Subcommand)]
pub enum StimulusCommand {
    /// List the kinds of stimulus and the modifiers, with their parameters, units, ranges and defaults
    ///
    /// The keys are those of [stimulus] and [[modify]] in a protocol, and what [sweep] can vary. Nothing is written.
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Write the movie of a protocol to a file
    ///
    /// The ending of OUT decides: .npy and .npz hold the grey levels, u8 [time, height, width]; .gif and .mp4 are for
    /// looking at (.mp4 needs `ffmpeg`); a folder gets a numbered picture for each frame. A movie that was stopped begins
    /// anew.
    Render {
        /// Protocol, TOML with `schema = 1`
        protocol: PathBuf,
        /// .npy, .npz, .gif or .mp4, or a folder of pictures, which ends in / or .png
        #[arg(short, long, value_name = "OUT")]
        output: PathBuf,
        /// Only the first presentation of this condition, from 0, without grey around it
        #[arg(long, value_name = "K")]
        condition: Option<usize>,
        /// Where frames are drawn: auto, cpu or gpu
        #[arg(long, value_name = "DEVICE", default_value = "cpu")]
        device: DeviceChoice,
    },
    /// Write what a protocol shows when, as CSV: one row a presentation
    ///
    /// It is the table that `twinscope run` writes as conditions.csv: condition, repeat, onset and length of every
    /// presentation, and the values that are swept.
    Table {
        /// Protocol, TOML with `schema = 1`
        protocol: PathBuf,
        /// File to write
        #[arg(short, long, value_name = "OUT.csv")]
        output: PathBuf,
    },
}

/// Runs the command.
pub fn perform(command: StimulusCommand) -> Result<()> {
    match command {
        StimulusCommand::List { json: true } => say(serde_json::to_string_pretty(&as_json())?),
        StimulusCommand::List { json: false } => say(as_text().trim_end()),
        StimulusCommand::Render { protocol, output, condition, device } => {
            render(&protocol, &output, condition, device)
        }
        StimulusCommand::Table { protocol, output } => table(&protocol, &output),
    }
}

/// Default value of a parameter by its key.
type DefaultOf = Box<dyn Fn(&str) -> Option<f64>>;

/// One thing that can be listed: a kind of stimulus or a modifier.
struct Listed {
    key: String,
    label: &'static str,
    group: &'static str,
    fields: &'static [Field],
    default: DefaultOf,
}

fn stimuli() -> Vec<Listed> {
    let listed = |&kind: &StimulusKind| {
        let stimulus = kind.stimulus();
        let default = Box::new(move |key: &str| stimulus.get(key));
        Listed { key: kind.key(), label: kind.label(), group: kind.group(), fields: kind.fields(), default }
    };
    StimulusKind::ALL.iter().map(listed).collect()
}

fn modifiers() -> Vec<Listed> {
    let listed = |&kind: &ModifierKind| {
        let modifier = kind.modifier();
        let default = Box::new(move |key: &str| modifier.get(key));
        Listed { key: kind.key(), label: kind.label(), group: "Modifiers", fields: kind.fields(), default }
    };
    ModifierKind::ALL.iter().map(listed).collect()
}

fn as_json() -> Value {
    let field = |listed: &Listed, field: &Field| {
        let default = (listed.default)(field.key).map(|value| spoken(field, value));
        let (kind, range, words) = match field.kind {
            FieldKind::Number => ("number", json!([field.range.0, field.range.1]), Value::Null),
            FieldKind::Switch => ("switch", Value::Null, Value::Null),
            FieldKind::Choice(_) => ("choice", Value::Null, json!(field.words())),
        };
        json!({
            "key": field.key, "label": field.label, "unit": field.unit, "type": kind, "range": range, "words": words,
            "default": default, "help": field.help,
        })
    };
    let entry = |listed: Listed| {
        let fields: Vec<Value> = listed.fields.iter().map(|known| field(&listed, known)).collect();
        json!({ "kind": listed.key, "label": listed.label, "group": listed.group, "parameters": fields })
    };
    json!({
        "stimuli": stimuli().into_iter().map(entry).collect::<Vec<_>>(),
        "modifiers": modifiers().into_iter().map(entry).collect::<Vec<_>>(),
    })
}

/// A default as JSON has it.
fn spoken(field: &Field, value: f64) -> Value {
    match field.kind {
        FieldKind::Number => json!(value),
        FieldKind::Switch => json!(value > 0.5),
        FieldKind::Choice(_) => json!(field.spoken(value)),
    }
}

/// Kinds under the heading of their group, each with a row for every parameter.
fn as_text() -> String {
    let mut text = String::new();
    let mut group = "";
    for listed in stimuli().into_iter().chain(modifiers()) {
        if listed.group != group {
            group = listed.group;
            let ending = if group == "Modifiers" { ": [[modify]] in a protocol, in order" } else { "" };
            text.push_str(&format!("{group}{ending}\n\n"));
        }
        text.push_str(&format!("  {}  ({})\n", listed.key, listed.label));
        let rows: Vec<[String; 4]> = listed.fields.iter().map(|field| row(&listed, field)).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths = [width(0), width(1), width(2)];
        for [key, default, range, help] in &rows {
            let [a, b, c] = widths;
            text.push_str(&format!("    {key:a$}  {default:>b$}  {range:c$}  {help}\n"));
        }
        text.push('\n');
    }
    text
}

/// Key, default, what is possible, help.
fn row(listed: &Listed, field: &Field) -> [String; 4] {
    let default = (listed.default)(field.key).map_or_else(|| "-".to_owned(), |value| field.spoken(value));
    let unit = if field.unit.is_empty() { String::new() } else { format!(" {}", field.unit) };
    let range = match field.kind {
        FieldKind::Number => format!("{}..{}{unit}", field.range.0, field.range.1),
        FieldKind::Switch => "true, false".to_owned(),
        FieldKind::Choice(_) => field.words().join(", "),
    };
    [field.key.to_owned(), default, range, field.help.to_owned()]
}

/// The screen of a protocol: with its own raster, or that of the published twin.
fn plan(protocol: &Protocol) -> Result<(Monitor, Schedule)> {
    let monitor = protocol.monitor(Raster::WANG2025);
    protocol.validate_for(&monitor)?;
    let schedule = protocol.schedule(&monitor);
    Ok((monitor, schedule))
}

fn table(path: &Path, output: &Path) -> Result<()> {
    check_output(output, [path])?;
    let protocol = read_protocol(path)?;
    let (monitor, schedule) = plan(&protocol)?;
    let table = ConditionTable::new(&protocol, &schedule, monitor.frame_rate);
    save::atomically(output, |to: &mut dyn Write| table.write_csv(to)).with_context(|| output.display().to_string())?;
    say(output.display())
}

fn render(path: &Path, output: &Path, condition: Option<usize>, choice: DeviceChoice) -> Result<()> {
    match MovieFormat::of(output) {
        // A folder is made when absent.
        Some(MovieFormat::Pngs) => {
            check_folder(output).with_context(|| format!("{}: nothing can be written there", output.display()))?;
        }
        _ => check_output(output, [path])?,
    }
    let protocol = read_protocol(path)?;
    let (monitor, mut schedule) = plan(&protocol)?;
    if let Some(condition) = condition {
        schedule = alone(schedule, condition)?;
    }
    let device = match choice {
        DeviceChoice::Cpu => ComputeDevice::Cpu,
        choice => DeviceArgument { device: choice }.open()?,
    };
    let drawn = stimulus::source(&schedule, &monitor, Path::new(""), &device)?;
    let mut movie = Downloaded(drawn);
    let frames = schedule.frames;
    let (began, mut told) = (Instant::now(), Instant::now());
    write_movie(output, &mut movie, monitor.frame_rate, &mut |written| {
        if told.elapsed() >= QUIET {
            told = Instant::now();
            let rate = written as f64 / began.elapsed().as_secs_f64();
            eprintln!("{written} of {frames} frames, {rate:.0} frames/s");
        }
        true
    })?;
    say(output.display())
}

/// One presentation of a condition and nothing else, under the seed that its first has in the whole.
fn alone(schedule: Schedule, condition: usize) -> Result<Schedule> {
    let count = schedule.conditions.len();
    let Some(shown) = schedule.presentations.iter().find(|shown| shown.condition == condition && shown.repeat == 0)
    else {
        bail!("--condition: {condition} was asked of a protocol with {count} conditions (0 to {})", count.max(1) - 1);
    };
    let first = Presentation { onset_frame: 0, ..*shown };
    Ok(Schedule { frames: first.frames, presentations: vec![first], conditions: schedule.conditions })
}

/// Frames that come from the device that draws them, read back, where there is one.
struct Downloaded(Box<dyn FrameSource>);

impl FrameSource for Downloaded {
    fn raster(&self) -> Raster {
        self.0.raster()
    }
    fn frames(&self) -> usize {
        self.0.frames()
    }
    fn samples(&self) -> usize {
        self.0.samples()
    }
    fn read(&mut self, start: usize, count: usize, pixels: &mut [u8]) -> Result<(), SourceError> {
        let Some(drawn) = self.0.on_device(start, count) else { return self.0.read(start, count, pixels) };
        let unread = |error: String| SourceError::new(format!("the frames could not be read back: {error}"));
        let greys = drawn?.try_into_data().map_err(|error| unread(format!("{error:?}")))?;
        let greys = greys.try_into_vec::<f32>().map_err(|error| unread(format!("{error:?}")))?;
        if greys.len() != pixels.len() {
            return Err(SourceError::new(format!("{} grey levels came back for {}", greys.len(), pixels.len())));
        }
        // A cast saturates at 0 and 255.
        pixels.iter_mut().zip(greys).for_each(|(pixel, grey)| *pixel = (grey + 0.5) as u8);
        Ok(())
    }
}
