//! The panels of the window: one file and one line in [`all`] each.

mod analyse;
mod analysis;
mod compare;
mod compose;
mod figure_width;
mod help;
mod menu;
mod mtm;
mod player;
mod population;
mod run;
mod sequence;
mod status;
mod stimulus;
mod table;
mod traces;
mod tuning;
mod twin;
mod units;

use eframe::egui::{Context, Ui};

use super::view::{Action, Ask, Dialog, View};
use crate::workbench::{Command, Workbench};

pub use analysis::AnalysisWindow;
pub use help::{about_ui, help_ui};
use menu::presets_ui;
pub use player::frame_at;
pub use table::table_ui;

/// Where a panel stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The line along the upper edge.
    Top,
    /// The line along the lower edge.
    Bottom,
    /// The left column, which scrolls.
    Left,
    /// The foot of the left column, always in view.
    LeftFoot,
    /// The middle, with this part of its height.
    Centre(u8),
    /// The right column, its own height.
    RightHead,
    /// The rest of the right column.
    Right,
    /// Everything between top and bottom, while spikes are shown.
    Spikes,
    /// Everything between top and bottom, while a twin is laid beside a recording.
    Compare,
}

/// A part of the window: reads the workbench, changes what only the window knows, returns what should be done.
pub trait Panel {
    /// Unique among panels.
    fn name(&self) -> &'static str;
    /// Where it stands.
    fn place(&self) -> Place;
    /// Draws it.
    fn ui(&mut self, bench: &Workbench, view: &mut View, ui: &mut Ui) -> Vec<Action>;
}

/// Saves the protocol to its file, or asks for one where there is none yet.
pub fn save(bench: &Workbench) -> Action {
    match bench.protocol_path() {
        Some(path) => Command::SaveProtocol(path.to_owned()).into(),
        None => Action::Ask(Ask::SaveProtocol),
    }
}

/// Draws the dialog that is open; `fresh` in the first frame of it.
pub fn dialog_ui(bench: &Workbench, view: &mut View, fresh: bool, ctx: &Context) -> Vec<Action> {
    match view.dialog {
        None => Vec::new(),
        Some(Dialog::ComposeSheet(of)) => compose::compose_ui(bench, view, of, fresh, ctx),
        Some(dialog @ (Dialog::AnalyseResponses | Dialog::AnalyseRecording)) => {
            analyse::analyse_ui(bench, view, dialog, fresh, ctx)
        }
    }
}

/// All panels, in the order in which they are drawn.
pub fn all() -> Vec<Box<dyn Panel>> {
    vec![
        Box::new(menu::Menu),
        Box::new(status::Status),
        Box::new(run::Run),
        Box::new(twin::Twin),
        Box::new(stimulus::StimulusPanel::default()),
        Box::new(sequence::Sequence),
        Box::new(tuning::Tuning),
        Box::new(units::Units::default()),
        Box::new(player::Player::default()),
        Box::new(traces::Traces::default()),
        Box::new(population::Population::default()),
        Box::new(mtm::Mtm::default()),
        Box::new(compare::Compare::default()),
    ]
}
