//! What can be asked of the workbench, and what it reports back.

use std::path::PathBuf;

use super::{AnalyseCommand, CompareCommand, FigureStyle, SheetOf, SheetOrder, SpikesCommand};
use crate::experiment::Protocol;
use crate::gpu::DeviceChoice;

/// One thing to do. Panels, shortcuts, menus and the command line all build these.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Replaces the protocol; edits until the next [`Command::CloseStep`] are one undo step.
    Edit(Box<Protocol>),
    /// The gesture that made the last edits is over.
    CloseStep,
    /// Takes back the last step.
    Undo,
    /// Does an undone step again.
    Redo,
    /// Runs the protocol through the twin, in place of a run under way.
    Run,
    /// Stops the run under way; the previous result stays.
    Cancel,
    /// Whether every edit starts a run.
    SetLive(bool),
    /// Which device computes from the next run on.
    SetDevice(DeviceChoice),
    /// The twin that ships with the program.
    UseBuiltinTwin,
    /// A twin from a file or a folder.
    OpenTwin(PathBuf),
    /// A protocol file, as one undo step.
    OpenProtocol(PathBuf),
    /// Writes the protocol.
    SaveProtocol(PathBuf),
    /// A clip file or a folder of frames as the stimulus.
    ShowClip(PathBuf),
    /// A folder of pictures, shown one after the other, as the stimulus.
    ShowImages(PathBuf),
    /// A protocol, twin, clip or recording, by what the path looks like: what dropping a file on the window means.
    OpenAny(PathBuf),
    /// The unit whose answers are shown, as an index of the outcome.
    SelectUnit(usize),
    /// Which figure is exported from now on, and how it is set.
    SetFigureStyle(FigureStyle),
    /// Writes that figure of the outcome; the name decides PNG, SVG or PDF.
    ExportFigure(PathBuf),
    /// Which figures are set on a sheet from now on, and in which order.
    ComposeSheet(SheetOf, SheetOrder),
    /// Writes that sheet; the name decides PNG, SVG or PDF.
    ExportSheet(SheetOf, PathBuf),
    /// Writes numbers and protocol of the outcome into a folder.
    ExportData(PathBuf),
    /// Writes the stimulus as a movie; the name decides the format.
    ExportMovie(PathBuf),
    /// Writes what is shown when as CSV.
    ExportTable(PathBuf),
    /// Stops the movie that is being written; nothing of it stays.
    CancelMovie,
    /// Puts the preset of this number in place of the protocol, as one undo step.
    UsePreset(usize),
    /// Something about spikes and the model that predicts them.
    Spikes(SpikesCommand),
    /// Something about a recording and the twin beside it.
    Compare(CompareCommand),
    /// Something about the analysis of responses.
    Analyse(AnalyseCommand),
    /// The message was read.
    DismissMessage,
}

/// What happened, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A run began.
    RunStarted,
    /// A run ended with a new outcome.
    RunFinished,
    /// A run was stopped by the user.
    RunCancelled,
    /// Another twin is in place.
    TwinOpened(String),
    /// A protocol was read.
    ProtocolOpened(PathBuf),
    /// A file or folder was written.
    Written(PathBuf),
    /// A file of spikes, or a model of them, is being opened.
    SpikesAsked,
    /// A model predicted what was hidden from it.
    Reconstructed,
    /// A recording is being opened.
    RecordingAsked,
    /// A twin was laid beside a recording.
    Compared,
    /// A comparison was stopped by the user.
    CompareCancelled,
    /// Responses were analysed.
    Analysed,
    /// An analysis was stopped by the user.
    AnalysisCancelled,
    /// Something failed; one sentence.
    Failed(String),
}

/// The last message for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// One sentence.
    pub text: String,
    /// Whether something failed: such a message stays until it is dismissed.
    pub error: bool,
}
