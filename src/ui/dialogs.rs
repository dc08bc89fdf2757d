//! Asking for files: the desktop's own dialog, or a line to type a path into where the desktop has none.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::{Duration, Instant};

use eframe::egui::{self, Key, Modal, TextEdit};

use super::theme::Palette;
use super::view::{Action, Ask};
use crate::workbench::{AnalyseCommand, Command, CompareCommand, SpikesCommand};

/// A dialog that ends sooner was never seen by a human: the desktop offers none, and the path is asked for in a line.
const FASTEST_CANCEL: Duration = Duration::from_millis(350);

/// At most one question at a time.
#[derive(Default)]
pub struct Dialogs {
    /// Whether the desktop is asked at all; tests type paths.
    pub typed_only: bool,
    native: Option<Native>,
    typed: Option<Typed>,
}

struct Native {
    ask: Ask,
    /// Proposed again in the line, should the desktop have no dialog.
    name: String,
    asked: Instant,
    answer: Receiver<Option<PathBuf>>,
}

struct Typed {
    ask: Ask,
    path: String,
    fresh: bool,
}

impl Ask {
    fn title(self) -> &'static str {
        match self {
            Self::OpenTwin => "Open twin",
            Self::OpenTwinFolder => "Open twin folder",
            Self::OpenProtocol => "Open protocol",
            Self::SaveProtocol => "Save protocol",
            Self::OpenClip => "Open clip",
            Self::OpenClipFolder => "Open clip folder",
            Self::OpenImages => "Open images",
            Self::ExportFigure => "Export figure",
            Self::ExportSheet(_) => "Export sheet",
            Self::ExportData => "Export data",
            Self::ExportMovie => "Export movie",
            Self::ExportTable => "Export condition table",
            Self::OpenSpikes => "Open session of spikes",
            Self::OpenSpikesFolder => "Open ALF folder",
            Self::OpenSpikeModel => "Open model of spikes",
            Self::ExportSpikes { .. } => "Export figure of the spikes",
            Self::OpenRecording => "Open recording",
            Self::OpenRecordingFolder => "Open recording folder",
            Self::ExportComparison => "Export figure of the comparison",
            Self::ExportComparisonAll => "Export everything of the comparison",
            Self::ExportAnalysis => "Export analysis",
        }
    }

    fn hint(self) -> &'static str {
        match self {
            Self::OpenTwin => "A .safetensors file, or one scan of the published twin (params_<session>_<scan>.pt)",
            Self::OpenTwinFolder => "The folder with params_core.pt and the files of the scans",
            Self::OpenProtocol => "A protocol (.toml)",
            Self::SaveProtocol => "The name of the protocol (.toml)",
            Self::OpenClip => "A clip: .npy, .npz, .gif, .png, .webp, .tiff, or a video when ffmpeg is installed",
            Self::OpenClipFolder => "A folder of numbered pictures",
            Self::OpenImages => "A folder of pictures, shown one after the other",
            Self::ExportFigure | Self::ExportSheet(_) | Self::ExportSpikes { .. } => {
                "The name of the figure: .png for pixels, .svg or .pdf for vectors"
            }
            Self::ExportData => "The folder for the tables (.csv) and the protocol",
            Self::ExportMovie => "The name of the movie: .npy, .npz, .gif, .mp4, or a folder name ending in .png",
            Self::ExportTable => "The name of the table (.csv)",
            Self::OpenSpikes => "Binned spikes (.npz), or an NWB file with sorted units and trials (.nwb)",
            Self::OpenSpikesFolder => "A folder with spikes.times.npy, spikes.clusters.npy and trials",
            Self::OpenSpikeModel => "A model of `twinscope mtm` (.safetensors)",
            Self::OpenRecording => "A recording: an NWB file (.nwb, .h5), a .npz file or a CSV table",
            Self::OpenRecordingFolder => "A session folder (session.toml), a Sensorium folder or a Suite2p folder",
            Self::ExportComparison => "The name of the figure: .png for pixels, .svg or .pdf for vectors",
            Self::ExportComparisonAll | Self::ExportAnalysis => {
                "The folder for all tables (.csv) and figures (.png and .svg)"
            }
        }
    }

    fn filters(self) -> &'static [(&'static str, &'static [&'static str])] {
        match self {
            Self::OpenTwin => &[("Twins", &["safetensors", "pt", "pth"])],
            Self::OpenProtocol | Self::SaveProtocol => &[("Protocols", &["toml"])],
            Self::OpenClip => &[(
                "Clips",
                &["npy", "npz", "gif", "png", "apng", "webp", "tif", "tiff", "avi", "mp4", "mov", "mkv", "webm", "mpg"],
            )],
            Self::OpenRecording => &[("Recordings", &["nwb", "h5", "hdf5", "npz", "csv"])],
            Self::ExportFigure | Self::ExportSheet(_) | Self::ExportComparison | Self::ExportSpikes { .. } => {
                &[("PNG picture", &["png"]), ("SVG drawing", &["svg"]), ("PDF document", &["pdf"])]
            }
            Self::ExportMovie => &[
                ("NumPy array", &["npy", "npz"]),
                ("Animated GIF", &["gif"]),
                ("MP4 video", &["mp4"]),
                ("Folder of PNG pictures", &["png"]),
            ],
            Self::ExportTable => &[("Table", &["csv"])],
            Self::OpenSpikes => &[("Spikes", &["npz", "nwb", "h5"])],
            Self::OpenSpikeModel => &[("Models of spikes", &["safetensors"])],
            Self::OpenSpikesFolder
            | Self::OpenTwinFolder
            | Self::OpenClipFolder
            | Self::OpenImages
            | Self::OpenRecordingFolder
            | Self::ExportComparisonAll
            | Self::ExportAnalysis
            | Self::ExportData => &[],
        }
    }

    /// The command for an answer.
    fn command(self, path: PathBuf) -> Command {
        match self {
            Self::OpenTwin | Self::OpenTwinFolder => Command::OpenTwin(path),
            Self::OpenProtocol => Command::OpenProtocol(path),
            Self::SaveProtocol => Command::SaveProtocol(path),
            Self::OpenClip | Self::OpenClipFolder => Command::ShowClip(path),
            Self::OpenImages => Command::ShowImages(path),
            Self::ExportFigure => Command::ExportFigure(path),
            Self::ExportSheet(of) => Command::ExportSheet(of, path),
            Self::ExportData => Command::ExportData(path),
            Self::ExportMovie => Command::ExportMovie(path),
            Self::ExportTable => Command::ExportTable(path),
            Self::OpenSpikes | Self::OpenSpikesFolder => Command::Spikes(SpikesCommand::OpenSession(path)),
            Self::OpenSpikeModel => Command::Spikes(SpikesCommand::OpenModel(path)),
            Self::ExportSpikes { mean } => Command::Spikes(SpikesCommand::ExportFigure { path, mean }),
            Self::OpenRecording | Self::OpenRecordingFolder => Command::Compare(CompareCommand::Open(path)),
            Self::ExportComparison => Command::Compare(CompareCommand::ExportFigure(path)),
            Self::ExportComparisonAll => Command::Compare(CompareCommand::ExportAll(path)),
            Self::ExportAnalysis => Command::Analyse(AnalyseCommand::Export(path)),
        }
    }

    /// Blocks until the user has answered.
    fn native(self, name: String) -> Option<PathBuf> {
        let mut dialog = rfd::FileDialog::new().set_title(self.title());
        for (label, endings) in self.filters() {
            dialog = dialog.add_filter(*label, endings);
        }
        match self {
            Self::OpenTwin
            | Self::OpenProtocol
            | Self::OpenClip
            | Self::OpenSpikes
            | Self::OpenSpikeModel
            | Self::OpenRecording => dialog.pick_file(),
            Self::OpenTwinFolder
            | Self::OpenClipFolder
            | Self::OpenImages
            | Self::OpenSpikesFolder
            | Self::OpenRecordingFolder
            | Self::ExportData
            | Self::ExportAnalysis
            | Self::ExportComparisonAll => dialog.pick_folder(),
            Self::SaveProtocol
            | Self::ExportFigure
            | Self::ExportSheet(_)
            | Self::ExportMovie
            | Self::ExportTable
            | Self::ExportSpikes { .. }
            | Self::ExportComparison => dialog.set_file_name(name).save_file(),
        }
    }
}

impl Dialogs {
    /// Opens a dialog; `name` is proposed where something is written.
    pub fn ask(&mut self, ask: Ask, name: String, ctx: &egui::Context) {
        if self.native.is_some() {
            return; // one question at a time: the first is still open
        }
        if self.typed_only {
            self.typed = Some(Typed { ask, path: name, fresh: true });
            return;
        }
        let (sender, answer) = channel();
        let ctx = ctx.clone();
        let proposed = name.clone();
        let thread = std::thread::Builder::new().name("dialog".to_owned()).spawn(move || {
            let _ = sender.send(ask.native(name)); // the window has closed: nobody asks any more
            ctx.request_repaint();
        });
        match thread {
            Ok(_) => self.native = Some(Native { ask, name: proposed, asked: Instant::now(), answer }),
            Err(_) => self.typed = Some(Typed { ask, path: proposed, fresh: true }),
        }
    }

    /// Draws the line for a path, and takes in an answer.
    pub fn ui(&mut self, ctx: &egui::Context) -> Option<Action> {
        self.take_native().or_else(|| self.typed_ui(ctx)).map(Action::Do)
    }

    fn take_native(&mut self) -> Option<Command> {
        let native = self.native.as_ref()?;
        let answer = match native.answer.try_recv() {
            Err(TryRecvError::Empty) => return None,
            Ok(answer) => answer,
            Err(TryRecvError::Disconnected) => None,
        };
        let (ask, fast) = (native.ask, native.asked.elapsed() < FASTEST_CANCEL);
        let name = self.native.take().map(|native| native.name).unwrap_or_default();
        if answer.is_none() && fast {
            self.typed = Some(Typed { ask, path: name, fresh: true });
        }
        answer.map(|path| ask.command(path))
    }

    fn typed_ui(&mut self, ctx: &egui::Context) -> Option<Command> {
        let typed = self.typed.as_mut()?;
        let (mut accept, mut close) = (false, false);
        let modal = Modal::new(egui::Id::unique("typed path")).show(ctx, |ui| {
            ui.set_width(460.0);
            ui.heading(typed.ask.title());
            let hint = ui.label(egui::RichText::new(typed.ask.hint()).color(Palette::of(ui).weak));
            let line = ui.add(TextEdit::singleline(&mut typed.path).desired_width(f32::INFINITY)).labelled_by(hint.id);
            if std::mem::take(&mut typed.fresh) {
                line.request_focus();
            }
            accept = line.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            ui.horizontal(|ui| {
                accept |= ui.button("Accept").on_hover_text("Use this path (Enter)").clicked();
                close = ui.button("Close").on_hover_text("Leave everything as it is (Esc)").clicked();
            });
        });
        close |= modal.should_close();
        let command =
            (accept && !typed.path.trim().is_empty()).then(|| typed.ask.command(PathBuf::from(typed.path.trim())));
        if close || command.is_some() {
            self.typed = None;
        }
        command
    }
}
