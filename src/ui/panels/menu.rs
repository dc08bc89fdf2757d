//! The menu bar.

use eframe::egui::{self, Button, MenuBar, RichText, Ui, ViewportCommand};

use super::{Panel, Place};
use crate::experiment::PRESETS;
use crate::figures::{Data, Figure, Width};
use crate::ui::theme::Palette;
use crate::ui::view::{Action, Ask, Dialog, ThemeChoice, View, Workspace};
use crate::workbench::{Command, FigureStyle, SheetOf, SpikesCommand, Workbench};

/// Everything that can be done, by name.
pub struct Menu;

impl Panel for Menu {
    fn name(&self) -> &'static str {
        "menu"
    }

    fn place(&self) -> Place {
        Place::Top
    }

    fn ui(&mut self, bench: &Workbench, view: &mut View, ui: &mut Ui) -> Vec<Action> {
        let mut actions = Vec::new();
        MenuBar::new().ui(ui, |ui| {
            ui.menu_button("File", |ui| file(bench, view, ui, &mut actions));
            ui.menu_button("Edit", |ui| {
                let (can_undo, can_redo, undo, redo) = match view.workspace {
                    // Nothing is edited there.
                    Workspace::Compare => (false, false, Command::Undo, Command::Redo),
                    Workspace::Twin => (bench.can_undo(), bench.can_redo(), Command::Undo, Command::Redo),
                    Workspace::Spikes => {
                        let (undo, redo) = bench.can_undo_mask();
                        let (take_back, again) = (SpikesCommand::Undo, SpikesCommand::Redo);
                        (undo, redo, Command::Spikes(take_back), Command::Spikes(again))
                    }
                };
                item(ui, can_undo, "Undo", "Ctrl+Z", undo, &mut actions);
                item(ui, can_redo, "Redo", "Ctrl+Shift+Z", redo, &mut actions);
            });
            ui.menu_button("Experiment", |ui| {
                ui.menu_button("Presets", |ui| presets_ui(ui, &mut actions));
                ui.separator();
                item(ui, true, "Run protocol", "Ctrl+R", Command::Run, &mut actions);
                item(ui, bench.is_running(), "Cancel run", "Esc", Command::Cancel, &mut actions);
                if ui
                    .add_enabled(bench.plan().is_ok(), Button::new("Table of conditions").shortcut_text("Ctrl+T"))
                    .clicked()
                {
                    view.table = true;
                }
                let analysing = bench.analysis_progress().is_some();
                let ready = bench.answer().is_some() && !analysing;
                let tip = "Tuning, receptive fields, reliability and population of the newest run, with figures";
                if ui.add_enabled(ready, Button::new("Analyse responses…")).on_hover_text(tip).clicked() {
                    actions.push(Action::Open(Dialog::AnalyseResponses));
                }
                let there = analysing || bench.analysed().is_some();
                if ui.add_enabled(there, Button::new("Show analysis")).clicked() {
                    view.analysis = true;
                }
                let mut live = bench.is_live();
                if ui
                    .checkbox(&mut live, "Run after every edit")
                    .on_hover_text("Show the twin the new stimulus while you change it")
                    .changed()
                {
                    actions.push(Command::SetLive(live).into());
                }
            });
            ui.menu_button("View", |ui| appearance(view, ui));
            ui.menu_button("Help", |ui| {
                if ui.add(Button::new("User guide").shortcut_text("F1")).clicked() {
                    view.help = Some(0);
                }
                if ui.button("About twinscope").clicked() {
                    view.about = true;
                }
            });
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                for (workspace, label, tip) in [
                    (
                        Workspace::Compare,
                        "Predicted and recorded",
                        "Open a recording and see how well the twin predicts it (Ctrl+3)",
                    ),
                    (
                        Workspace::Spikes,
                        "Spikes (MtM)",
                        "Hide spikes and see what a masked transformer predicts (Ctrl+2)",
                    ),
                    (Workspace::Twin, "Visual twin", "Show stimuli to a twin of visual cortex (Ctrl+1)"),
                ] {
                    ui.selectable_value(&mut view.workspace, workspace, label).on_hover_text(tip);
                }
            });
        });
        actions
    }
}

/// Every preset under its heading.
pub fn presets_ui(ui: &mut Ui, actions: &mut Vec<Action>) {
    let mut group = "";
    for (index, preset) in PRESETS.iter().enumerate() {
        if preset.group != group {
            if !group.is_empty() {
                ui.separator();
            }
            group = preset.group;
            ui.label(RichText::new(group).small().color(Palette::of(ui).weak));
        }
        item(ui, true, preset.title, "", Command::UsePreset(index), actions);
    }
}

fn file(bench: &Workbench, view: &View, ui: &mut Ui, actions: &mut Vec<Action>) {
    let has_answer = bench.answer().is_some();
    let (ask, does) = (Action::Ask, |command| Action::Do(command));
    let save = if bench.protocol_path().is_some() { "Save protocol" } else { "Save protocol…" };
    let planned = bench.plan().is_ok();
    let compared = bench.compared().is_some();
    let (spikes, mean) = (bench.spikes().is_some(), view.spikes_mean);
    let groups: [&[(&str, &str, bool, Action)]; 8] = [
        &[
            ("Open protocol…", "Ctrl+O", true, ask(Ask::OpenProtocol)),
            (save, "Ctrl+S", true, super::save(bench)),
            ("Save protocol as…", "Ctrl+Shift+S", true, ask(Ask::SaveProtocol)),
        ],
        &[
            ("Open twin file…", "", true, ask(Ask::OpenTwin)),
            ("Open twin directory…", "", true, ask(Ask::OpenTwinFolder)),
            ("Use built-in twin", "", bench.can_use_builtin(), does(Command::UseBuiltinTwin)),
        ],
        &[
            ("Open session of spikes…", "", true, ask(Ask::OpenSpikes)),
            ("Open ALF folder…", "", true, ask(Ask::OpenSpikesFolder)),
            ("Open model of spikes…", "", true, ask(Ask::OpenSpikeModel)),
        ],
        &[
            ("Open recording…", "", true, ask(Ask::OpenRecording)),
            ("Open recording folder…", "", true, ask(Ask::OpenRecordingFolder)),
        ],
        &[
            ("Export as figure…", "Ctrl+E", has_answer, ask(Ask::ExportFigure)),
            ("Compose sheet…", "", has_answer, Action::Open(Dialog::ComposeSheet(SheetOf::Run))),
            ("Export as tables…", "", has_answer, ask(Ask::ExportData)),
        ],
        &[
            ("Export stimulus as movie…", "", planned, ask(Ask::ExportMovie)),
            ("Export condition table…", "", planned, ask(Ask::ExportTable)),
        ],
        &[("Export figure of the spikes…", "", spikes, ask(Ask::ExportSpikes { mean }))],
        &[
            ("Export figure of the comparison…", "", compared, ask(Ask::ExportComparison)),
            ("Compose sheet of the comparison…", "", compared, Action::Open(Dialog::ComposeSheet(SheetOf::Comparison))),
            ("Export everything of the comparison…", "", compared, ask(Ask::ExportComparisonAll)),
        ],
    ];
    for (index, group) in groups.into_iter().enumerate() {
        for (label, shortcut, enabled, action) in group {
            item(ui, *enabled, label, shortcut, action.clone(), actions);
        }
        if index == 4 {
            ui.menu_button("Figure settings", |ui| figure_settings(bench, ui, actions));
        }
        ui.separator();
    }
    if ui.button("Quit").on_hover_text("Unsaved edits are kept for the next start").clicked() {
        ui.ctx().send_viewport_cmd(ViewportCommand::Close);
    }
}

/// Which figure is exported, its width, and the resolution of a PNG.
fn figure_settings(bench: &Workbench, ui: &mut Ui, actions: &mut Vec<Action>) {
    let before = bench.figure_style();
    let mut style = before;
    let data = bench.answer().map(|answer| Data::of(&answer.outcome));
    let sheet_first = |figure: &Figure| figure.stem() != FigureStyle::default().name;
    let mut figures = Figure::all(bench.unit());
    figures.sort_by_key(sheet_first);
    for figure in figures {
        let there = data.as_ref().is_none_or(|data| figure.fits(data)) || figure.stem() == style.name;
        ui.add_enabled_ui(there, |ui| ui.radio_value(&mut style.name, figure.stem(), figure.label()));
    }
    ui.separator();
    for (width, label) in
        [(None, "Its own width"), (Some(Width::Column), "One column, 89 mm"), (Some(Width::Page), "Whole page, 183 mm")]
    {
        ui.radio_value(&mut style.layout.width, width, label);
    }
    ui.separator();
    for (dpi, label) in [(300, "PNG at 300 dpi"), (600, "PNG at 600 dpi"), (1200, "PNG at 1200 dpi")] {
        ui.radio_value(&mut style.layout.dpi, dpi, label);
    }
    if style != before {
        actions.push(Command::SetFigureStyle(style).into());
    }
}

fn item(ui: &mut Ui, enabled: bool, label: &str, shortcut: &str, action: impl Into<Action>, actions: &mut Vec<Action>) {
    let button = Button::new(label);
    // An empty shortcut would stand as a space behind the name that is read out.
    let button = if shortcut.is_empty() { button } else { button.shortcut_text(shortcut) };
    if ui.add_enabled(enabled, button).clicked() {
        actions.push(action.into());
    }
}

fn appearance(view: &mut View, ui: &mut Ui) {
    for (choice, label) in [
        (ThemeChoice::Dark, "Dark theme"),
        (ThemeChoice::Light, "Light theme"),
        (ThemeChoice::System, "Theme of the desktop"),
    ] {
        ui.radio_value(&mut view.theme, choice, label);
    }
    ui.separator();
    egui::gui_zoom::zoom_menu_buttons(ui);
}
