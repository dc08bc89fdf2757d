//! Which recording, which twin, which trials; compare, cancel, export.

use eframe::egui::{Button, ComboBox, Grid, Label, ProgressBar, RichText, TextWrapMode, Ui, vec2};

use super::ask;
use crate::data::Counted;
use crate::evaluation::Trials;
use crate::job::Eta;
use crate::ui::panels::figure_width::figure_width_ui;
use crate::ui::theme::{GROUP_GAP, Palette};
use crate::ui::view::{Action, Ask, Dialog, View};
use crate::ui::widgets::badge::weak;
use crate::ui::widgets::{badge, field};
use crate::workbench::{Command, CompareCommand, OpenRecording, SheetOf, Workbench};

/// How a recording is made without an animal.
const SIMULATE: &str = "twinscope simulate -o mice";

/// Everything at the left.
pub(super) fn controls_ui(bench: &Workbench, view: &mut View, ui: &mut Ui, actions: &mut Vec<Action>) {
    recording_ui(bench, ui, actions);
    if bench.recording().is_some() {
        analysis_ui(bench, view, ui, actions);
    }
    group(ui);
    twin_ui(bench, ui, actions);
    group(ui);
    compare_ui(bench, ui, actions);
    if bench.compared().is_some() {
        group(ui);
        export_ui(bench, ui, actions);
    }
}

fn group(ui: &mut Ui) {
    ui.add_space(GROUP_GAP / 2.0);
    ui.separator();
}

fn recording_ui(bench: &Workbench, ui: &mut Ui, actions: &mut Vec<Action>) {
    let palette = Palette::of(ui);
    badge::title(ui, "Recording");
    match bench.recording() {
        Some(open) => {
            let name =
                Label::new(RichText::new(open.session.id.to_string()).strong()).wrap_mode(TextWrapMode::Truncate);
            ui.add(name).on_hover_text(open.path.display().to_string());
            let (text, colour) =
                if open.simulated { ("A simulated animal", palette.caution) } else { ("Recorded", palette.weak) };
            ui.label(RichText::new(text).small().color(colour));
            facts_ui(open, ui);
            domains_ui(open, ui);
            missing_ui(bench, ui, actions);
        }
        None if bench.is_opening_recording() => {
            ui.spinner();
        }
        None => {
            let text = "None is open. Open one below, or drop it here. Without an animal, a recording of a simulated mouse \
                        is made on the command line with";
            ui.add(Label::new(RichText::new(text).color(palette.weak)).wrap());
            ui.horizontal(|ui| {
                ui.label(RichText::new(SIMULATE).monospace());
                if ui.small_button("Copy").on_hover_text("Copy the command").clicked() {
                    ui.ctx().copy_text(SIMULATE.to_owned());
                }
            });
            weak(ui, "and is then in the folder mice/mouse-1.");
        }
    }
    ui.horizontal_wrapped(|ui| {
        for (label, tip, dialog) in [
            (
                "Open folder…",
                "A session folder, as `twinscope simulate` writes, a Sensorium folder or a Suite2p folder (Ctrl+O)",
                Ask::OpenRecordingFolder,
            ),
            ("Open file…", "An NWB file (.nwb, .h5), a .npz file or a CSV table", Ask::OpenRecording),
        ] {
            if ui.button(label).on_hover_text(tip).clicked() {
                actions.push(Action::Ask(dialog));
            }
        }
    });
}

fn analysis_ui(bench: &Workbench, view: &mut View, ui: &mut Ui, actions: &mut Vec<Action>) {
    let analysing = bench.analysis_progress().is_some();
    ui.horizontal_wrapped(|ui| {
        let tip = "Tuning, receptive fields, reliability and population of the recorded responses, with figures, as \
                   `twinscope analyse --session` finds them; no twin is needed";
        if ui.add_enabled(!analysing, Button::new("Analyse recording…")).on_hover_text(tip).clicked() {
            actions.push(Action::Open(Dialog::AnalyseRecording));
        }
        let there = analysing || bench.analysed().is_some();
        if there && ui.button("Show analysis").on_hover_text("Open the window of the newest analysis").clicked() {
            view.analysis = true;
        }
    });
}

fn facts_ui(open: &OpenRecording, ui: &mut Ui) {
    let session = &open.session;
    let areas: Vec<String> = open.areas.iter().map(|(area, count)| format!("{area} {count}")).collect();
    let areas = if areas.is_empty() { String::new() } else { format!(" ({})", areas.join(", ")) };
    weak(ui, format!("{} units{areas}; {}", session.units.len(), open.format));
    let minutes = open.frames as f64 / session.frame_rate.0 / 60.0;
    let movies = match open.movies {
        0 => "no movies are stored, so nothing can be predicted".to_owned(),
        count => format!("{count} of them with a movie of {} pixels (height x width)", session.raster),
    };
    weak(
        ui,
        format!("{} trials, {minutes:.1} min at {:.3} frames/s; {movies}", session.trials.len(), session.frame_rate.0),
    );
}

fn domains_ui(open: &OpenRecording, ui: &mut Ui) {
    let colour = Palette::of(ui).weak;
    let small = |text: &str| RichText::new(text).small().color(colour);
    Grid::new("recorded domains").num_columns(3).striped(true).show(ui, |ui| {
        for head in ["Domain of stimuli", "to learn from", "for testing"] {
            ui.label(small(head));
        }
        ui.end_row();
        for domain in &open.domains {
            let name = Label::new(RichText::new(&domain.name).small()).truncate();
            ui.scope(|ui| {
                ui.set_max_width(140.0);
                ui.add(name).on_hover_text(&domain.name);
            });
            ui.label(small(&format!("{} trials", domain.training)));
            ui.label(small(&format!("{} trials", domain.test)));
            ui.end_row();
        }
    });
}

fn missing_ui(bench: &Workbench, ui: &mut Ui, actions: &mut Vec<Action>) {
    let palette = Palette::of(ui);
    match bench.recording_counted() {
        Some(Ok(Counted { behavior, responses, missing, .. })) => {
            let part = |missing: usize, all: usize| {
                format!("{missing} of {all} ({:.2} %)", 100.0 * missing as f64 / all.max(1) as f64)
            };
            let text = format!(
                "Not measured (NaN): {} responses, {} values of behaviour",
                part(missing.responses, *responses),
                part(missing.behavior, *behavior)
            );
            let colour = if missing.responses + missing.behavior > 0 { palette.caution } else { palette.weak };
            let tip = "Missing responses count nothing; missing behaviour is that of the average animal";
            ui.add(Label::new(RichText::new(text).small().color(colour)).wrap()).on_hover_text(tip);
        }
        Some(Err(error)) => {
            ui.add(Label::new(RichText::new(error).small().color(palette.error)).wrap());
        }
        None => {
            if !bench.is_counting_recording() && !bench.is_opening_recording() {
                actions.push(ask(CompareCommand::Count));
            }
            weak(ui, "Reading all trials to count what was not measured");
        }
    }
}

fn twin_ui(bench: &Workbench, ui: &mut Ui, actions: &mut Vec<Action>) {
    badge::title(ui, "Twin");
    let name = Label::new(RichText::new(bench.twin_origin()).strong()).wrap_mode(TextWrapMode::Truncate);
    let path = bench.twin_path().map_or_else(|| bench.twin().card.note.clone(), |path| path.display().to_string());
    ui.add(name).on_hover_text(path);
    let (units, raster) = (bench.twin().units.len(), bench.twin().card.raster);
    weak(ui, format!("{units} units; takes movies of {raster} pixels (height x width)"));
    ui.horizontal_wrapped(|ui| {
        if ui.button("Open twin…").on_hover_text("A twin from a file (.safetensors, .pt)").clicked() {
            actions.push(Action::Ask(Ask::OpenTwin));
        }
        let builtin = ui.add_enabled(bench.can_use_builtin(), Button::new("Built-in twin"));
        if builtin.on_hover_text("The twin that ships with the program").clicked() {
            actions.push(Command::UseBuiltinTwin.into());
        }
    });
}

fn compare_ui(bench: &Workbench, ui: &mut Ui, actions: &mut Vec<Action>) {
    let palette = Palette::of(ui);
    badge::title(ui, "Compare");
    let population = bench.compares_populations();
    match bench.recording_matched() {
        Some(Ok(())) if population => {
            weak(ui, "The twin's units are among the recorded cells, but distributions are compared.");
        }
        Some(Ok(())) => {
            weak(ui, "Unit by unit: the twin's units are among the recorded cells.");
        }
        Some(Err(why)) => {
            let colour = if population { palette.weak } else { palette.caution };
            ui.add(Label::new(RichText::new(sentence(why)).small().color(colour)).wrap());
            if !population
                && ui.button("Compare populations").on_hover_text("Compare distributions, not pairs of units").clicked()
            {
                actions.push(ask(CompareCommand::Population(true)));
                actions.push(ask(CompareCommand::Compare));
            }
        }
        None => {
            weak(ui, "Needs a recording.");
        }
    }
    let mut only = population;
    let tip =
        "Compare distributions over both populations, not pairs of units: twin and recording may be of other animals";
    if ui.checkbox(&mut only, "Populations").on_hover_text(tip).changed() {
        actions.push(ask(CompareCommand::Population(only)));
    }
    let chosen = bench.compare_trials();
    let mut trials = chosen;
    field::row(
        ui,
        "Trials",
        "Those kept for testing say how well a twin predicts; from others it may have learned",
        |ui| {
            ComboBox::from_id_salt("compared trials")
                .selected_text(trials_name(chosen))
                .show_ui(ui, |ui| {
                    for which in [Trials::Test, Trials::Training, Trials::All] {
                        ui.selectable_value(&mut trials, which, trials_name(which));
                    }
                })
                .response
        },
    );
    if trials != chosen {
        actions.push(ask(CompareCommand::Choose(trials)));
    }
    let progress = bench.compare_progress();
    ui.horizontal(|ui| {
        let compare = Button::new(RichText::new("Compare with recording").strong().color(palette.on_accent))
            .fill(palette.accent)
            .min_size(vec2(92.0, 28.0));
        let tip = "Predict every trial with its own movie, gaze and running, and compare (Ctrl+R or F5)";
        if ui.add_enabled(bench.can_compare(), compare).on_hover_text(tip).clicked() {
            actions.push(ask(CompareCommand::Compare));
        }
        let cancel = Button::new("Cancel comparison").min_size(vec2(72.0, 28.0));
        let tip = "Stop; the previous result stays (Esc)";
        if ui.add_enabled(progress.is_some(), cancel).on_hover_text(tip).clicked() {
            actions.push(ask(CompareCommand::Cancel));
        }
    });
    if let Some(progress) = progress {
        let trials = format!("{} trials", progress.trials);
        let text = match (progress.stopping, progress.fraction) {
            (true, _) => "stopping".to_owned(),
            (false, None) => format!("preparing the twin for {trials}"),
            (false, Some(part)) if part >= 1.0 => "all frames are predicted; counting and fitting".to_owned(),
            (false, Some(part)) => {
                let left = progress.left_secs.map(|secs| format!(", about {} left", Eta::spoken(secs)));
                format!("{:.0} % of the frames of {trials}{}", 100.0 * part, left.unwrap_or_default())
            }
        };
        ui.add(ProgressBar::new(progress.fraction.unwrap_or(0.0)).desired_height(10.0));
        weak(ui, text);
    }
    if let Some(failure) = bench.compare_failure() {
        ui.add(Label::new(RichText::new(sentence(failure)).small().color(palette.error)).wrap());
    }
}

fn export_ui(bench: &Workbench, ui: &mut Ui, actions: &mut Vec<Action>) {
    let Some(found) = bench.compared() else { return };
    badge::title(ui, "Export");
    let chosen = bench.compared_figure();
    let label = |stem: &str| {
        found.figures.iter().find(|(known, _)| known == stem).map_or("Figure", |(_, label)| label.as_str())
    };
    let mut figure = chosen.to_owned();
    field::row(
        ui,
        "Figure",
        "Which figure is written; the sheet sets several on one page, as panels A, B, C …",
        |ui| {
            ComboBox::from_id_salt("compared figure")
                .width((ui.available_width() - 8.0).max(60.0))
                .truncate()
                .selected_text(label(chosen))
                .show_ui(ui, |ui| {
                    for (stem, label) in &found.figures {
                        ui.selectable_value(&mut figure, stem.clone(), label);
                    }
                })
                .response
        },
    );
    if figure != chosen {
        actions.push(ask(CompareCommand::ChooseFigure(figure)));
    }
    figure_width_ui(bench, ui, actions);
    ui.horizontal_wrapped(|ui| {
        for (label, tip, action) in [
            (
                "Export comparison figure…",
                "Write this figure as PNG, SVG or PDF, with its numbers as CSV beside it (Ctrl+E)",
                Action::Ask(Ask::ExportComparison),
            ),
            (
                "Compose sheet…",
                "Choose figures that are set on one page, as panels A, B, C …, in an order of your own",
                Action::Open(Dialog::ComposeSheet(SheetOf::Comparison)),
            ),
            (
                "Export everything…",
                "Write every table and figure into a folder, as `twinscope compare` does",
                Action::Ask(Ask::ExportComparisonAll),
            ),
        ] {
            if ui.button(label).on_hover_text(tip).clicked() {
                actions.push(action);
            }
        }
    });
}

fn trials_name(trials: Trials) -> &'static str {
    match trials {
        Trials::Test => "for testing",
        Trials::Training => "to learn from",
        Trials::All => "all",
    }
}

/// With a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}
