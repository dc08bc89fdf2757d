//! The window as a whole: lays out the panels and carries out what they ask for.

use eframe::egui::{self, Frame, Key, KeyboardShortcut, Margin, Modifiers, Panel as Side, RichText, ScrollArea, Ui};

use super::dialogs::Dialogs;
use super::panels::{self, AnalysisWindow, Panel, Place};
use super::theme::{self, GROUP_GAP, LEFT_WIDTH, Palette, RIGHT_WIDTH};
use super::view::{Action, Ask, Dialog, ThemeChoice, View, Workspace};
use crate::experiment::Protocol;
use crate::gpu::DeviceChoice;
use crate::workbench::{
    AnalyseCommand, Command, CompareCommand, Compared, Event, FigureStyle, Saved, SheetOf, SpikesCommand, UNIT_TRACES,
    UNIT_TUNING, Workbench, is_recording, unit_name,
};

/// Where the workbench and the view are remembered.
const SAVED_WORKBENCH: &str = "workbench";
const SAVED_VIEW: &str = "view";

/// The window.
pub struct App {
    /// What it shows.
    pub bench: Workbench,
    /// What only the window knows.
    pub view: View,
    panels: Vec<Box<dyn Panel>>,
    analysis: AnalysisWindow,
    dialogs: Dialogs,
    /// The dialog that was drawn in the last frame.
    drawn: Option<Dialog>,
    /// Asked for by a key while something was being typed: done in the next frame, when what was typed counts.
    held: Vec<Action>,
}

impl App {
    /// A window that goes on where it was closed, on another device when one is named.
    pub fn new(mut bench: Workbench, device: Option<DeviceChoice>, context: &eframe::CreationContext<'_>) -> Self {
        let mut view = View::default();
        if let Some(storage) = context.storage {
            // What is opened again must wake the window, too.
            let waker = context.egui_ctx.clone();
            bench.set_wake(move || waker.request_repaint());
            // Settings of another version that do not fit are left behind.
            let read = |key| storage.get_string(key);
            if let Some(saved) = read(SAVED_WORKBENCH).and_then(|text| serde_json::from_str::<Saved>(&text).ok()) {
                bench.restore(saved);
            }
            view = read(SAVED_VIEW).and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        }
        if let Some(device) = device {
            bench.perform(Command::SetDevice(device));
        }
        Self::in_context(bench, view, &context.egui_ctx)
    }

    /// A window without memory, in any egui context.
    pub fn in_context(mut bench: Workbench, view: View, ctx: &egui::Context) -> Self {
        theme::apply(ctx);
        let waker = ctx.clone();
        bench.set_wake(move || waker.request_repaint());
        bench.open_device();
        if bench.is_live() && bench.answer().is_none() {
            bench.perform(Command::Run); // somebody new sees an answer at once
        }
        let analysis = AnalysisWindow::default();
        let (panels, dialogs) = (panels::all(), Dialogs::default());
        Self { bench, view, panels, analysis, dialogs, drawn: None, held: Vec::new() }
    }

    /// Asks for paths in a line of its own instead of the desktop's dialogs.
    pub fn with_typed_paths(mut self) -> Self {
        self.dialogs.typed_only = true;
        self
    }

    /// Draws everything and does what was asked.
    pub fn show(&mut self, ui: &mut Ui) {
        let ctx = ui.ctx().clone();
        self.follow_clock(&ctx);
        let asked = self.asked_by_keys(&ctx);
        let mut actions = dropped(&ctx, self.view.workspace);
        self.layout(ui, &mut actions);
        panels::help_ui(&mut self.view, &ctx);
        panels::about_ui(&mut self.view, &ctx);
        actions.extend(panels::table_ui(&self.bench, &mut self.view, &ctx));
        actions.extend(self.analysis.ui(&self.bench, &mut self.view, &ctx));
        let fresh = std::mem::replace(&mut self.drawn, self.view.dialog) != self.view.dialog;
        actions.extend(panels::dialog_ui(&self.bench, &mut self.view, fresh, &ctx));
        actions.extend(self.dialogs.ui(&ctx));
        hovering_files_ui(&ctx);

        let edits = one_edit(self.bench.protocol(), &mut actions);
        actions.extend(asked); // after what was typed
        for action in actions {
            match action {
                Action::Do(command) => self.bench.perform(command),
                Action::Ask(ask) => self.dialogs.ask(ask, self.proposed_name(ask), &ctx),
                Action::Open(dialog) => self.view.dialog = Some(dialog),
            }
        }
        let gesture = ctx.input(|input| input.pointer.any_down()) || ctx.text_edit_focused();
        if !edits && !gesture {
            self.bench.perform(Command::CloseStep);
        }
    }

    /// What the keys ask for in this frame. A number that is being typed counts when its field is left: the field is
    /// left first, and what was asked for follows in the next frame.
    fn asked_by_keys(&mut self, ctx: &egui::Context) -> Vec<Action> {
        let due = std::mem::take(&mut self.held);
        let mut asked = shortcuts(&self.bench, &mut self.view, ctx);
        if !asked.is_empty() && ctx.text_edit_focused() {
            ctx.memory_mut(egui::Memory::stop_text_input);
            ctx.request_repaint();
            self.held = std::mem::take(&mut asked);
        }
        due.into_iter().chain(asked).collect()
    }

    /// Takes in background work, moves the player on, and asks to be woken.
    fn follow_clock(&mut self, ctx: &egui::Context) {
        ctx.set_theme(match self.view.theme {
            ThemeChoice::Dark => egui::ThemePreference::Dark,
            ThemeChoice::Light => egui::ThemePreference::Light,
            ThemeChoice::System => egui::ThemePreference::System,
        });
        let (now, step) = ctx.input(|input| (input.time, f64::from(input.stable_dt)));
        for event in self.bench.tick(now) {
            match event {
                Event::SpikesAsked => self.view.workspace = Workspace::Spikes,
                Event::RecordingAsked => self.view.workspace = Workspace::Compare,
                Event::Analysed => self.view.analysis = true,
                _ => {}
            }
        }
        if let Ok(plan) = self.bench.plan() {
            let rate = plan.monitor.frame_rate;
            let length = rate.secs_at(plan.schedule.frames);
            if self.view.playing && length > 0.0 && self.view.workspace == Workspace::Twin {
                // A slow screen drops frames and keeps the time; a window that slept does not jump ahead.
                self.view.position_secs = (self.view.position_secs + step.min(0.5)) % length;
                ctx.request_repaint_after_secs((0.5 / rate.0) as f32);
            }
            let frame = panels::frame_at(self.view.position_secs, &plan.monitor, &plan.schedule);
            self.bench.show_frame(frame);
        }
        if let Some(secs) = self.bench.next_tick_in() {
            ctx.request_repaint_after_secs(secs as f32);
        }
        let bench = &self.bench;
        let waits = bench.spike_progress().is_some() || bench.compare_progress().is_some();
        if bench.is_running() || waits || bench.analysis_progress().is_some() {
            ctx.request_repaint_after_secs(0.1); // the progress bar moves
        }
    }

    fn layout(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        let palette = Palette::of(ui);
        let frame = |x, y| Frame::new().fill(palette.panel).inner_margin(Margin::symmetric(x, y));
        Side::top("top").frame(frame(8, 3)).show(ui, |ui| self.place(ui, Place::Top, actions));
        Side::bottom("bottom").frame(frame(10, 4)).show(ui, |ui| self.place(ui, Place::Bottom, actions));
        self.error_ui(ui, actions);
        match self.view.workspace {
            Workspace::Twin => {}
            Workspace::Spikes => return self.place(ui, Place::Spikes, actions),
            Workspace::Compare => return self.place(ui, Place::Compare, actions),
        }
        Side::left("left").frame(frame(10, 8)).default_size(LEFT_WIDTH).size_range(300.0..=460.0).show(ui, |ui| {
            Side::bottom("left foot").frame(Frame::new().inner_margin(Margin { top: 8, ..Margin::ZERO })).show(
                ui,
                |ui| {
                    ui.set_min_width(ui.available_width());
                    self.place(ui, Place::LeftFoot, actions);
                },
            );
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| self.place(ui, Place::Left, actions));
        });
        Side::right("right").frame(frame(10, 8)).default_size(RIGHT_WIDTH).size_range(290.0..=520.0).show(ui, |ui| {
            self.place(ui, Place::RightHead, actions);
            ui.add_space(GROUP_GAP / 2.0);
            self.place(ui, Place::Right, actions);
        });
        egui::CentralPanel::default().frame(frame(10, 8)).show(ui, |ui| self.centre(ui, actions));
    }

    /// All panels of one place, below one another.
    fn place(&mut self, ui: &mut Ui, place: Place, actions: &mut Vec<Action>) {
        let mut first = true;
        for panel in self.panels.iter_mut().filter(|panel| panel.place() == place) {
            if !std::mem::take(&mut first) {
                ui.add_space(GROUP_GAP / 2.0);
                ui.separator();
            }
            actions.extend(ui.push_id(panel.name(), |ui| panel.ui(&self.bench, &mut self.view, ui)).inner);
        }
    }

    /// The panels of the middle share its height.
    fn centre(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        let part = |place: Place| if let Place::Centre(part) = place { Some(f32::from(part)) } else { None };
        let total: f32 = self.panels.iter().filter_map(|panel| part(panel.place())).sum();
        let count = self.panels.iter().filter(|panel| part(panel.place()).is_some()).count();
        let room = ui.available_rect_before_wrap();
        let height = room.height() - GROUP_GAP * (count.saturating_sub(1)) as f32;
        let mut top = room.top();
        for panel in &mut self.panels {
            let Some(share) = part(panel.place()) else { continue };
            let size = egui::vec2(room.width(), height * share / total);
            let rect = egui::Rect::from_min_size(egui::pos2(room.left(), top), size);
            top += size.y + GROUP_GAP;
            let builder = egui::UiBuilder::new().max_rect(rect).id_salt(panel.name());
            ui.scope_builder(builder, |ui| {
                ui.set_clip_rect(ui.clip_rect().intersect(rect.expand(2.0)));
                actions.extend(panel.ui(&self.bench, &mut self.view, ui));
            });
        }
    }

    /// What failed stays in view until it is dismissed.
    fn error_ui(&self, ui: &mut Ui, actions: &mut Vec<Action>) {
        let Some(message) = self.bench.message().filter(|message| message.error) else { return };
        let palette = Palette::of(ui);
        let frame = Frame::new().fill(palette.error_fill).inner_margin(Margin::symmetric(10, 5));
        Side::top("error").frame(frame).show(ui, |ui| {
            ui.horizontal(|ui| {
                let room = ui.available_width() - 90.0;
                ui.vertical(|ui| {
                    ui.set_max_width(room);
                    ui.add(egui::Label::new(RichText::new(&message.text).color(palette.error)).wrap());
                });
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    if ui.button("Dismiss").on_hover_text("The message was read").clicked() {
                        actions.push(Command::DismissMessage.into());
                    }
                });
            });
        });
    }

    /// Name that a dialog proposes.
    fn proposed_name(&self, ask: Ask) -> String {
        match ask {
            Ask::SaveProtocol => {
                self.bench.protocol_path().map_or("protocol.toml".to_owned(), |path| path.display().to_string())
            }
            Ask::ExportFigure | Ask::ExportSheet(SheetOf::Run) => {
                let unit = self.bench.answer().and_then(|answer| answer.outcome.units.get(self.bench.unit()));
                let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
                let name: String =
                    unit.map(unit_name).unwrap_or_default().replace(" · ", "_").chars().map(plain).collect();
                let figure = match self.bench.figure_style().name {
                    _ if ask != Ask::ExportFigure => "sheet",
                    figure if figure == FigureStyle::default().name => "tuning",
                    figure => figure,
                };
                format!("{figure}_{name}.png")
            }
            Ask::ExportSheet(SheetOf::Comparison) => "comparison_composed.png".to_owned(),
            Ask::ExportData => "twinscope-data".to_owned(),
            Ask::ExportSpikes { mean: true } => "spikes_mean.png".to_owned(),
            Ask::ExportSpikes { mean: false } => format!("spikes_trial_{}.png", self.bench.spike_trial()),
            Ask::ExportComparison => {
                let figure = self.bench.compared_figure();
                let of_unit = |found: &&std::sync::Arc<Compared>| {
                    found.units() > 0 && [UNIT_TRACES, UNIT_TUNING].contains(&figure)
                };
                let found = self.bench.compared().filter(of_unit);
                let unit = found.map(|found| format!("_{}", found.unit_name(self.bench.compared_unit())));
                format!("comparison_{figure}{}.png", unit.unwrap_or_default())
            }
            Ask::ExportComparisonAll => "twinscope-comparison".to_owned(),
            Ask::ExportAnalysis => "twinscope-analysis".to_owned(),
            _ => String::new(),
        }
    }
}

impl eframe::App for App {
    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        self.show(ui);
    }

    fn save(&mut self, storage: &mut dyn eframe::Storage) {
        if let Ok(text) = serde_json::to_string(&self.bench.saved()) {
            storage.set_string(SAVED_WORKBENCH, text);
        }
        if let Ok(text) = serde_json::to_string(&self.view) {
            storage.set_string(SAVED_VIEW, text);
        }
    }

    fn auto_save_interval(&self) -> std::time::Duration {
        std::time::Duration::from_secs(5) // a crash loses no more than this
    }
}

/// Keys that work wherever the pointer is.
fn shortcuts(bench: &Workbench, view: &mut View, ctx: &egui::Context) -> Vec<Action> {
    let ctrl = |key| KeyboardShortcut::new(Modifiers::COMMAND, key);
    let ctrl_shift = |key| KeyboardShortcut::new(Modifiers::COMMAND | Modifiers::SHIFT, key);
    let plain = |key| KeyboardShortcut::new(Modifiers::NONE, key);
    let mut actions = Vec::new();
    if view.dialog.is_some() {
        return actions; // what lies behind it waits, and its controls take the keys
    }
    let (spikes, compare) = (view.workspace == Workspace::Spikes, view.workspace == Workspace::Compare);
    // Nothing is edited where recordings are shown.
    let step = |mask, protocol| match view.workspace {
        Workspace::Twin => Some(Action::Do(protocol)),
        Workspace::Spikes => Some(Action::Do(Command::Spikes(mask))),
        Workspace::Compare => None,
    };
    let run = || match compare {
        true => bench.can_compare().then_some(Action::Do(Command::Compare(CompareCommand::Compare))),
        false => Some(Action::Do(Command::Run)),
    };
    let open = match view.workspace {
        Workspace::Twin => Ask::OpenProtocol,
        Workspace::Spikes => Ask::OpenSpikes,
        Workspace::Compare => Ask::OpenRecordingFolder,
    };
    // Keys with Shift come first: egui lets a shortcut without it match them too.
    let table = [
        (ctrl_shift(Key::Z), step(SpikesCommand::Redo, Command::Redo)),
        (ctrl(Key::Y), step(SpikesCommand::Redo, Command::Redo)),
        (ctrl(Key::Z), step(SpikesCommand::Undo, Command::Undo)),
        (ctrl(Key::R), run()),
        (plain(Key::F5), run()),
        (ctrl(Key::O), Some(Action::Ask(open))),
        (ctrl_shift(Key::S), Some(Action::Ask(Ask::SaveProtocol))),
        (ctrl(Key::S), Some(panels::save(bench))),
    ];
    for (shortcut, action) in table {
        if ctx.input_mut(|input| input.consume_shortcut(&shortcut)) {
            actions.extend(action);
        }
    }
    let export = match view.workspace {
        Workspace::Twin => bench.answer().map(|_| Ask::ExportFigure),
        Workspace::Spikes => bench.spikes().map(|_| Ask::ExportSpikes { mean: view.spikes_mean }),
        Workspace::Compare => bench.compared().map(|_| Ask::ExportComparison),
    };
    if let Some(ask) = export
        && ctx.input_mut(|input| input.consume_shortcut(&ctrl(Key::E)))
    {
        actions.push(Action::Ask(ask));
    }
    if ctx.input_mut(|input| input.consume_shortcut(&ctrl(Key::T))) {
        view.table = !view.table;
    }
    if ctx.input_mut(|input| input.consume_shortcut(&plain(Key::F1))) {
        view.help = if view.help.is_some() { None } else { Some(0) };
    }
    for (key, workspace) in
        [(Key::Num1, Workspace::Twin), (Key::Num2, Workspace::Spikes), (Key::Num3, Workspace::Compare)]
    {
        if ctx.input_mut(|input| input.consume_shortcut(&ctrl(key))) {
            view.workspace = workspace;
        }
    }
    if ctx.text_edit_focused() {
        return actions; // the rest are keys that a text takes
    }
    if spikes {
        for (key, step) in [(Key::ArrowLeft, -1), (Key::ArrowRight, 1)] {
            let free = ctx.memory(|memory| memory.focused().is_none());
            if free && ctx.input_mut(|input| input.consume_shortcut(&plain(key))) {
                let trial = bench.spike_trial().saturating_add_signed(step);
                actions.push(Command::Spikes(SpikesCommand::ShowTrial(trial)).into());
            }
        }
    }
    if ctx.input_mut(|input| input.consume_shortcut(&plain(Key::Space))) {
        view.playing = !view.playing;
    }
    let escape = ctx.input(|input| input.key_pressed(Key::Escape));
    if escape && view.help.take().is_none() && !view.about && !std::mem::take(&mut view.table) {
        if view.analysis && bench.analysis_progress().is_some() {
            actions.push(Command::Analyse(AnalyseCommand::Cancel).into());
        } else if std::mem::take(&mut view.analysis) {
            // It is closed, and nothing else is stopped.
        } else if spikes && bench.spike_progress().is_some() {
            actions.push(Command::Spikes(SpikesCommand::Cancel).into());
        } else if compare && bench.compare_progress().is_some() {
            actions.push(Command::Compare(CompareCommand::Cancel).into());
        } else if bench.is_running() {
            actions.push(Command::Cancel.into());
        }
    }
    actions
}

/// Makes one edit of all in a frame, and says whether there is one. Each panel changes a copy of the protocol `base`:
/// what one changed must not be undone by the copy of another.
fn one_edit(base: &Protocol, actions: &mut Vec<Action>) -> bool {
    let mut merged: Option<Box<Protocol>> = None;
    actions.retain_mut(|action| {
        let Action::Do(Command::Edit(edited)) = action else { return true };
        match &mut merged {
            None => merged = Some(edited.clone()),
            Some(merged) => take_changes(base, edited, merged),
        }
        false
    });
    let edits = merged.is_some();
    if let Some(protocol) = merged {
        actions.insert(0, Command::Edit(protocol).into());
    }
    edits
}

/// Carries what `edited` changed in `base` over to `into`.
fn take_changes(base: &Protocol, edited: &Protocol, into: &mut Protocol) {
    fn carry<T: PartialEq + Clone>(base: &T, edited: &T, into: &mut T) {
        if edited != base {
            into.clone_from(edited);
        }
    }
    let Protocol { schema, title, twin, monitor, timing, repeats, analysis, stimulus, modify, sweep, also } = edited;
    carry(&base.schema, schema, &mut into.schema);
    carry(&base.title, title, &mut into.title);
    carry(&base.monitor, monitor, &mut into.monitor);
    carry(&base.timing, timing, &mut into.timing);
    carry(&base.stimulus, stimulus, &mut into.stimulus);
    carry(&base.sweep, sweep, &mut into.sweep);
    carry(&base.repeats, repeats, &mut into.repeats);
    carry(&base.twin, twin, &mut into.twin);
    carry(&base.analysis, analysis, &mut into.analysis);
    carry(&base.modify, modify, &mut into.modify);
    carry(&base.also, also, &mut into.also);
}

/// Files that were dropped on the window.
fn dropped(ctx: &egui::Context, workspace: Workspace) -> Vec<Action> {
    let files = ctx.input(|input| input.raw.dropped_files.clone());
    let open = |path: std::path::PathBuf| match workspace {
        Workspace::Compare if is_recording(&path) => Command::Compare(CompareCommand::Open(path)),
        _ => Command::OpenAny(path),
    };
    files.iter().map(|file| open(file.path().to_owned()).into()).collect()
}

/// Says what dropping would do.
fn hovering_files_ui(ctx: &egui::Context) {
    if ctx.input(|input| input.raw.hovered_files.is_empty()) {
        return;
    }
    egui::Area::new(egui::Id::unique("drop"))
        .order(egui::Order::Foreground)
        .anchor(egui::Align2::CENTER_CENTER, [0.0, 0.0])
        .show(ctx, |ui| {
            Frame::popup(ui.style()).inner_margin(24).show(ui, |ui| {
                ui.heading("Drop a twin, a protocol, a clip, a session of spikes or a recording");
            });
        });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_of_two_panels_in_one_frame_both_count() {
        let base = Protocol::default_direction_tuning();
        let (mut one, mut two) = (base.clone(), base.clone());
        one.title = "Renamed".to_owned();
        two.repeats.count = 7;
        let mut actions: Vec<Action> =
            vec![Command::Edit(Box::new(one)).into(), Command::Run.into(), Command::Edit(Box::new(two)).into()];
        assert!(one_edit(&base, &mut actions));
        let mut both = base.clone();
        (both.title, both.repeats.count) = ("Renamed".to_owned(), 7);
        let wanted = [Action::Do(Command::Edit(Box::new(both))), Action::Do(Command::Run)];
        assert_eq!(actions, wanted, "and they come first");
        assert!(!one_edit(&base, &mut vec![Command::Run.into()]));
    }
}
