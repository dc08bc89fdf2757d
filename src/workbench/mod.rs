//! The whole story without a window and without a command line: commands in, events out.
//!
//! [`Workbench::perform`] is the one place where something happens because somebody asked; [`Workbench::tick`] is the
//! one place where finished background work is taken in. Everything between is read through `&Workbench`.

mod analyse_options;
mod analysis;
mod answer;
mod background;
mod command;
mod compared;
mod history;
pub mod parts;
mod perform;
mod preview;
mod recording;
mod saved;
mod sheet;
mod spikes;
mod state;

pub use analyse_options::AnalyseOptions;
pub use analysis::{AnalyseCommand, Analysed, AnalysisProgress};
pub use answer::Answer;
pub use background::RunProgress;
pub use command::{Command, Event, Message};
pub use compared::{
    BIN, Compared, ComparedDistribution, ComparedDomain, ComparedTrace, ComparedTuning, Found, SHEET, TraceLines,
    UNIT_TRACES, UNIT_TUNING, spoken,
};
pub use history::History;
pub use parts::{Compute, FigureStyle, MakePredictor, MakeResponder, RunFailure, RunRequest, sentence};
pub use preview::Picture;
pub use recording::{CompareCommand, CompareProgress, OpenRecording, RecordedDomain, is_recording};
pub use saved::Saved;
pub use sheet::{SheetOf, SheetOrder, SheetOrders, SheetRow};
pub use spikes::{OpenModel, OpenSpikes, Reconstruction, SpikeMask, SpikesCommand};
pub use state::{Plan, Workbench};

/// Whole name of a unit: `session-scan · unit`, with the animal when the file names it.
pub fn unit_name(unit: &crate::signals::UnitId) -> String {
    if unit.animal.is_none() && (unit.session, unit.scan) == (0, 0) {
        return unit.unit.to_string(); // a simulated mouse has no sessions
    }
    match &unit.animal {
        Some(animal) => format!("{animal} {}-{} · {}", unit.session, unit.scan, unit.unit),
        None => format!("{}-{} · {}", unit.session, unit.scan, unit.unit),
    }
}
