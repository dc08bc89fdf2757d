//! What the workbench needs from the parts that compute, in one place.
//!
//! The network is handed in as a [`MakePredictor`], so that a test can use one with known tuning.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::preview::Footage;
use super::{Answer, Plan};
use crate::data;
use crate::evaluation::Responder;
use crate::experiment::{self, Outcome, Predictor, Protocol, ProtocolError, RunError};
use crate::figures::{Data, Figure, Layout, Plate};
use crate::gpu::{ComputeDevice, DeviceChoice};
use crate::job::Progress;
use crate::model::twin::{Twin, TwinOptions};
use crate::model::weights::{self, TwinWeights};
use crate::signals::{FrameSource, Monitor, Raster, SourceError};
use crate::stimulus::schedule::Schedule;
use crate::stimulus::{self, ClipInfo, Stimulus};

/// Everything a run depends on.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// What to show; a clip in it has an absolute path.
    pub protocol: Protocol,
    /// Who watches.
    pub twin: Arc<TwinWeights>,
    /// Which device computes.
    pub device: DeviceChoice,
}

/// Why a run gave no outcome.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunFailure {
    /// The user asked to stop.
    #[error("cancelled")]
    Cancelled,
    /// One sentence.
    #[error("{0}")]
    Failed(String),
}

/// Puts a twin on a device; called on the worker thread, once for each pair.
pub type MakePredictor =
    Box<dyn FnMut(&Arc<TwinWeights>, &ComputeDevice) -> Result<Box<dyn Predictor + Send>, String> + Send>;

/// Puts a twin on a device to be laid beside a recording; called on the worker thread.
pub type MakeResponder = Box<dyn FnMut(&Arc<TwinWeights>, &ComputeDevice) -> Result<Box<dyn Responder>, String> + Send>;

/// The computing part; lives on the worker thread, which alone touches the twin and the GPU. The device is opened
/// when it is first needed, and twin and device stay together until one of them changes.
pub struct Compute {
    make: MakePredictor,
    make_responder: MakeResponder,
    device: Option<(DeviceChoice, ComputeDevice, String)>,
    predictor: Option<(String, Box<dyn Predictor + Send>)>,
}

impl Compute {
    /// Computes with the twin's own network.
    pub fn with_twins() -> Self {
        Self::new(Box::new(|weights, device| {
            let twin = Twin::open(Arc::clone(weights), device, TwinOptions::default());
            Ok(Box::new(twin.map_err(|error| sentence(&error))?))
        }))
    }

    /// Nothing is opened yet. Recordings are laid beside the twin's own network.
    pub fn new(make: MakePredictor) -> Self {
        let make_responder: MakeResponder = Box::new(|weights, device| {
            let twin = Twin::open(Arc::clone(weights), device, TwinOptions::default());
            Ok(Box::new(twin.map_err(|error| sentence(&error))?))
        });
        Self { make, make_responder, device: None, predictor: None }
    }

    /// With another model to be laid beside recordings.
    pub fn with_responder(self, make_responder: MakeResponder) -> Self {
        Self { make_responder, ..self }
    }

    /// With a device that was opened before, and the line that says which and why.
    pub fn with_device(mut self, choice: DeviceChoice, device: ComputeDevice, line: String) -> Self {
        self.device = Some((choice, device, line));
        self
    }

    /// Opens the device when it is not open yet, and says in one line which and why.
    pub(super) fn open(&mut self, choice: DeviceChoice) -> Result<String, String> {
        if let Some((_, _, line)) = self.device.as_ref().filter(|(opened, _, _)| *opened == choice) {
            return Ok(line.clone());
        }
        let (device, line) = ComputeDevice::open(choice).map_err(|error| sentence(&error))?;
        self.predictor = None;
        self.device = Some((choice, device, line.clone()));
        Ok(line)
    }

    /// A twin that can be laid beside a recording. It is not kept: its memory is free again after the comparison.
    pub(super) fn responder(
        &mut self,
        choice: DeviceChoice,
        twin: &Arc<TwinWeights>,
    ) -> Result<Box<dyn Responder>, String> {
        self.open(choice)?;
        let Some((_, device, _)) = &self.device else { return Err("no device is open".to_owned()) };
        (self.make_responder)(twin, device)
    }

    /// Runs a protocol through a twin.
    pub(super) fn run(&mut self, request: &RunRequest, progress: &Progress) -> Result<Outcome, RunFailure> {
        self.open(request.device).map_err(RunFailure::Failed)?;
        let Some((_, device, _)) = &self.device else {
            return Err(RunFailure::Failed("no device is open".to_owned()));
        };
        // Taken out while it works: a predictor that panicked is not used again.
        let kept = self.predictor.take().filter(|(sha256, _)| *sha256 == request.twin.sha256);
        let mut predictor = match kept {
            Some((_, predictor)) => predictor,
            None => (self.make)(&request.twin, device).map_err(RunFailure::Failed)?,
        };
        let mut draw = |schedule: &Schedule, monitor: &Monitor| {
            stimulus::source(schedule, monitor, Path::new(""), device)
                .map_err(|error| SourceError::new(sentence(&error)))
        };
        let result = experiment::run(&request.protocol, predictor.as_mut(), None, &mut draw, progress, &mut |_| ());
        self.predictor = Some((request.twin.sha256.clone(), predictor));
        result.map_err(|error| match error {
            RunError::Cancelled(_) => RunFailure::Cancelled,
            other => RunFailure::Failed(sentence(&other)),
        })
    }
}

/// An error with its causes, in one line.
pub fn sentence(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let more = inner.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = inner.source();
    }
    text
}

/// What the protocol means for a twin of this raster.
pub(super) fn plan(protocol: &Protocol, raster: Raster) -> Result<Plan, String> {
    let monitor = protocol.monitor(raster);
    protocol.validate_for(&monitor).map_err(|error| in_form_words(&error, protocol))?;
    Ok(Plan { monitor, schedule: Arc::new(protocol.schedule(&monitor)) })
}

/// A mistake in the protocol by the name that its field has in the window, where it has one.
fn in_form_words(error: &ProtocolError, protocol: &Protocol) -> String {
    let ProtocolError::Value { key, what, .. } = error else { return sentence(error) };
    let parameter = key.strip_prefix("stimulus.");
    let label = match key.as_str() {
        "title" => "Title",
        "timing.lead_in_secs" => "Lead-in",
        "timing.stimulus_secs" => "Stimulus",
        "timing.blank_secs" => "Blank",
        "timing.skip_secs" => "Skip",
        "repeats.count" => "Repeats",
        "sweep.direction_deg.count" => "Directions",
        "sweep.direction_deg.start" => "First direction",
        _ => match protocol.stimulus.fields().iter().find(|field| Some(field.key) == parameter) {
            Some(field) => field.label,
            None => return sentence(error),
        },
    };
    format!("{label} {what}")
}

/// The movie of a schedule for the eyes of the user, drawn on the CPU beside the twin's work.
pub(super) fn source(schedule: &Schedule, monitor: &Monitor) -> Result<Box<dyn FrameSource>, String> {
    stimulus::source(schedule, monitor, Path::new(""), &ComputeDevice::Cpu).map_err(|error| sentence(&error))
}

/// The same, with what is known of the clips in it, which are not read again for that.
pub(super) fn footage(schedule: &Schedule, monitor: &Monitor) -> Result<Footage, String> {
    let source = source(schedule, monitor)?;
    let mut clips: Vec<(PathBuf, String)> = Vec::new();
    for condition in &schedule.conditions {
        if let Stimulus::Clip(clip) = &condition.stimulus
            && clips.iter().all(|(known, _)| *known != clip.path)
            && let Ok(info) = ClipInfo::of(clip, monitor)
        {
            clips.push((clip.path.clone(), info.to_string()));
        }
    }
    Ok(Footage { source, clips })
}

/// Read of a file that is opened as a protocol: enough to see that it is too long to be one.
const MOST_PROTOCOL_BYTES: u64 = 2 << 20;

/// A protocol with the path of its clip made absolute, so that it means the same wherever it is saved or exported.
pub(super) fn read_protocol(path: &Path) -> Result<Protocol, String> {
    let name = path.display().to_string();
    let mut text = String::new();
    let unreadable = |error: std::io::Error| format!("{name} could not be read: {error}");
    // Opening a pipe would wait for somebody to write to it.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(format!("{name} is not a file: a protocol is a text file (.toml)"));
    }
    std::fs::File::open(path)
        .and_then(|file| file.take(MOST_PROTOCOL_BYTES).read_to_string(&mut text))
        .map_err(unreadable)?;
    let mut protocol = Protocol::from_toml(&text, &name).map_err(|error| sentence(&error))?;
    let folder = absolute_folder(path).map_err(unreadable)?;
    protocol.resolve_paths(&folder);
    Ok(protocol)
}

/// The folder of a file.
pub(super) fn absolute_folder(path: &Path) -> std::io::Result<PathBuf> {
    Ok(std::path::absolute(path)?.parent().unwrap_or(Path::new("")).to_owned())
}

/// Writes a protocol. A file in the folder of the file or below it is named relative to the file, so that the folder
/// can be moved as a whole.
pub(super) fn write_protocol(protocol: &Protocol, path: &Path) -> Result<(), String> {
    let protocol = match absolute_folder(path) {
        Ok(folder) => protocol.relative_to(&folder),
        Err(_) => protocol.clone(),
    };
    let text = protocol.to_toml().map_err(|error| sentence(&error))?;
    experiment::save::atomically(path, |file: &mut dyn Write| file.write_all(text.as_bytes()))
        .map_err(|error| format!("{} could not be written: {error}", path.display()))
}

pub(super) fn load_twin(path: &Path) -> Result<TwinWeights, String> {
    weights::load(path, None, None).map_err(|error| sentence(&error))
}

/// Which figure is exported, and how it is set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FigureStyle {
    /// Name of the figure, see [`Figure::stem`].
    pub name: &'static str,
    /// Width and resolution.
    pub layout: Layout,
}

impl Default for FigureStyle {
    /// The sheet of all.
    fn default() -> Self {
        Self { name: Figure::Summary { unit: 0 }.stem(), layout: Layout::default() }
    }
}

/// The figure that was chosen, with its numbers; in place of the sheet of all, the response alone where nothing was
/// swept.
pub(super) fn write_figure(answer: &Answer, unit: usize, style: &FigureStyle, path: &Path) -> Result<PathBuf, String> {
    let outcome = &answer.outcome;
    let tuned = outcome.parameter.is_some() || outcome.tuning.is_some();
    let figure = match Figure::named(style.name, unit) {
        Some(Figure::Summary { .. }) if !tuned => Figure::Traces { unit },
        chosen => chosen.unwrap_or(Figure::Summary { unit }),
    };
    write_plate(&figure.of(&Data::of(outcome)), style, path)
}

/// The figures of these names on one sheet, as `twinscope run --sheet` sets them.
pub(super) fn write_sheet(
    answer: &Answer,
    unit: usize,
    names: &[String],
    style: &FigureStyle,
    path: &Path,
) -> Result<PathBuf, String> {
    write_plate(&Figure::sheet(&Data::of(&answer.outcome), names, unit), style, path)
}

/// A figure with its numbers; the ending of the path decides the format, PNG where there is none.
pub(super) fn write_plate(plate: &Plate<'_>, style: &FigureStyle, path: &Path) -> Result<PathBuf, String> {
    let path = if path.extension().is_none() { path.with_extension("png") } else { path.to_owned() };
    plate.write(&path, &style.layout).map_err(|error| sentence(&error))?;
    Ok(path)
}

/// Tables, protocol and provenance.
pub(super) fn write_data(answer: &Answer, folder: &Path) -> Result<PathBuf, String> {
    answer.outcome.write(folder).map_err(|error| sentence(&error))?;
    Ok(folder.to_owned())
}

/// The whole stimulus as a movie; `None` when the user stopped it, and then nothing is left behind.
pub(super) fn write_movie(plan: &Plan, path: &Path, progress: &Progress) -> Result<Option<PathBuf>, String> {
    let mut source = source(&plan.schedule, &plan.monitor)?;
    progress.begin(plan.schedule.frames as u64);
    let written = data::write_movie(path, source.as_mut(), plan.monitor.frame_rate, &mut |frames| {
        progress.advance(frames as u64).is_ok()
    });
    match written {
        Ok(()) => Ok(Some(path.to_owned())),
        Err(_) if progress.check().is_err() => Ok(None),
        Err(error) => Err(sentence(&error)),
    }
}

/// What is shown when, as CSV.
pub(super) fn write_table(protocol: &Protocol, plan: &Plan, path: &Path) -> Result<PathBuf, String> {
    let table = experiment::ConditionTable::new(protocol, &plan.schedule, plan.monitor.frame_rate);
    experiment::save::atomically(path, |file: &mut dyn Write| table.write_csv(file))
        .map_err(|error| format!("{} could not be written: {error}", path.display()))?;
    Ok(path.to_owned())
}
