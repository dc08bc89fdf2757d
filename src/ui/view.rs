//! What only the window knows: where the player is, how lists are sorted, what is open.

use serde::{Deserialize, Serialize};

use crate::workbench::{Command, SheetOf};

/// Something a panel asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// A command of the workbench.
    Do(Command),
    /// A file dialog, whose answer becomes a command.
    Ask(Ask),
    /// A dialog of the window.
    Open(Dialog),
}

impl From<Command> for Action {
    fn from(command: Command) -> Self {
        Self::Do(command)
    }
}

/// What is asked before something is done, in front of everything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialog {
    /// Which figures stand on a sheet.
    ComposeSheet(SheetOf),
    /// How the newest run is analysed.
    AnalyseResponses,
    /// How the recording that is open is analysed.
    AnalyseRecording,
}

/// Which file or folder the user should name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ask {
    /// A twin file.
    OpenTwin,
    /// A folder with a twin's core and scans.
    OpenTwinFolder,
    /// A protocol to read.
    OpenProtocol,
    /// Where to write the protocol.
    SaveProtocol,
    /// A clip file.
    OpenClip,
    /// A folder of frames.
    OpenClipFolder,
    /// A folder of pictures to be shown one after the other.
    OpenImages,
    /// Where to write the figure.
    ExportFigure,
    /// Where to write a sheet of figures.
    ExportSheet(SheetOf),
    /// Folder for the data.
    ExportData,
    /// Where to write the movie of the stimulus.
    ExportMovie,
    /// Where to write what is shown when.
    ExportTable,
    /// A session of spikes.
    OpenSpikes,
    /// A folder of spikes.
    OpenSpikesFolder,
    /// A model of spikes.
    OpenSpikeModel,
    /// Where to write the figure of the spikes.
    ExportSpikes {
        /// Averaged over trials, in place of the trial that is shown.
        mean: bool,
    },
    /// A file with a recording.
    OpenRecording,
    /// A folder with a recording.
    OpenRecordingFolder,
    /// Where to write a figure of the comparison.
    ExportComparison,
    /// Folder for all tables and figures of the comparison.
    ExportComparisonAll,
    /// Folder for all tables and figures of the analysis.
    ExportAnalysis,
}

/// Columns of the population heat map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Columns {
    /// Frames of the movie.
    Time,
    /// Directions of the sweep.
    Direction,
}

/// Column by which units are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SortKey {
    /// As in the twin.
    Unit,
    /// Global orientation selectivity.
    Osi,
    /// Global direction selectivity.
    Dsi,
    /// Preferred direction.
    Preferred,
    /// Mean response.
    Mean,
}

/// What the window is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Workspace {
    /// A twin and what it sees.
    Twin,
    /// Spikes and the model that predicts them.
    Spikes,
    /// A twin beside a recording.
    Compare,
}

/// Column by which the units of a comparison are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CompareKey {
    /// Number of the unit.
    Unit,
    /// Visual area.
    Area,
    /// Accuracy as a share of what noise allows.
    CcNorm,
    /// Correlation of prediction and mean response.
    CcAbs,
    /// The most that noise allows.
    CcMax,
}

/// What a drag over spikes hides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SpikeTool {
    /// Neurons in the whole trial.
    Neurons,
    /// Regions in the whole trial.
    Regions,
    /// All neurons for some time.
    Time,
    /// Some neurons for some time.
    Area,
}

/// State of the window; remembered between starts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct View {
    /// Whether the stimulus plays.
    #[serde(skip)]
    pub playing: bool,
    /// Where the player is, seconds from the start of the movie.
    pub position_secs: f64,
    /// Columns of the population heat map.
    pub columns: Columns,
    /// Whether each unit is drawn relative to its own strongest response.
    pub to_peak: bool,
    /// Order of units in the table and the heat map.
    pub sort: SortKey,
    /// Largest first.
    pub descending: bool,
    /// `dark`, `light` or `system`.
    pub theme: ThemeChoice,
    /// Open page of the user guide.
    #[serde(skip)]
    pub help: Option<usize>,
    /// Whether the about box is open.
    #[serde(skip)]
    pub about: bool,
    /// The part of the experiment that is edited.
    #[serde(skip)]
    pub part: usize,
    /// Whether the table of conditions is open.
    #[serde(skip)]
    pub table: bool,
    /// Whether the analysis of responses is open.
    #[serde(skip)]
    pub analysis: bool,
    /// What is asked at the moment.
    #[serde(skip)]
    pub dialog: Option<Dialog>,
    /// What the window is about.
    pub workspace: Workspace,
    /// What a drag over spikes hides.
    pub spike_tool: SpikeTool,
    /// Whether spikes are averaged over trials.
    pub spikes_mean: bool,
    /// Order of units in the table of a comparison.
    pub compare_sort: CompareKey,
    /// Largest first in that table.
    pub compare_descending: bool,
    /// Which quantity of tuning is shown in silico against in vivo, by its name.
    pub compare_tuning: String,
}

/// Which theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ThemeChoice {
    /// Light on dark.
    Dark,
    /// Dark on light.
    Light,
    /// As the desktop is set.
    System,
}

impl Default for View {
    fn default() -> Self {
        Self {
            playing: true,
            position_secs: 0.0,
            columns: Columns::Direction,
            to_peak: true,
            sort: SortKey::Preferred,
            descending: false,
            theme: ThemeChoice::Dark,
            help: None,
            about: false,
            part: 0,
            table: false,
            analysis: false,
            dialog: None,
            workspace: Workspace::Twin,
            spike_tool: SpikeTool::Neurons,
            spikes_mean: false,
            compare_sort: CompareKey::CcNorm,
            compare_descending: true,
            compare_tuning: String::new(),
        }
    }
}
