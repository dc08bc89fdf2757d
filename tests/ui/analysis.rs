//! Analyses of runs and recordings: the workbench and the window.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use eframe::egui::Key;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use twinscope::ui::{App, View, Workspace};
use twinscope::workbench::{AnalyseCommand, Command, CompareCommand, Event, Workbench};

use super::compare::{UNITS, bench_of, recorded};
use super::fake;
use super::window::{app, settle, window};
use crate::cli::succeeds;

const LIMIT: Duration = Duration::from_secs(600);

fn ask(bench: &mut Workbench, command: AnalyseCommand) -> Vec<Event> {
    bench.perform(Command::Analyse(command));
    bench.wait(LIMIT)
}

/// Files of a folder with their contents.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let entry = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.expect("readable").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        (name, std::fs::read(&path).expect("a file"))
    };
    entries.map(entry).collect()
}

/// A workbench with the recording open.
fn opened() -> (tempfile::TempDir, Workbench) {
    let (folder, path) = recorded();
    let mut bench = bench_of("M17", false);
    bench.perform(Command::Compare(CompareCommand::Open(path)));
    bench.wait(LIMIT);
    assert!(bench.recording().is_some(), "{:?}", bench.message());
    (folder, bench)
}

#[test]
fn the_window_analyses_a_recording_as_the_command_line_does() {
    let (folder, mut bench) = opened();
    let events = ask(&mut bench, AnalyseCommand::Recording);
    assert!(events.contains(&Event::Analysed), "{events:?} {:?}", bench.message());
    let analysed = bench.analysed().expect("analysed");
    assert!(analysed.found.title.contains("M17") && !analysed.found.findings.is_empty());
    assert_eq!(analysed.pictures[0].0, "analysis");
    for (name, picture) in &analysed.pictures {
        assert!(picture.width > 800 && picture.rgb.len() == 3 * picture.width * picture.height, "{name}");
        assert!(picture.rgb.iter().any(|&value| value != picture.rgb[0]), "{name} is empty");
    }
    assert!(!bench.is_analysis_outdated());

    let (ours, theirs) = (folder.path().join("window"), folder.path().join("command"));
    let events = ask(&mut bench, AnalyseCommand::Export(ours.clone()));
    assert!(events.contains(&Event::Written(ours.clone())), "{:?}", bench.message());
    let text = |path: &Path| path.display().to_string();
    let session = text(&folder.path().join("M17"));
    succeeds(&["analyse", "--session", &session, "--format", "png,svg,pdf", "-o", &text(&theirs)]);
    let (ours, theirs) = (files(&ours), files(&theirs));
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
    assert!(ours.contains_key("findings.txt") && ours.contains_key("analysis.png"));
    assert!(ours.get("analysis.pdf").is_some_and(|file| file.starts_with(b"%PDF-1.")), "{:?}", ours.keys());
    for (name, contents) in &ours {
        assert!(theirs[name] == *contents, "{name} differs from that of the command line");
    }
}

#[test]
fn the_responses_of_a_run_are_analysed_and_a_newer_run_outdates_it() {
    let mut bench = fake::answered();
    bench.perform(Command::SetLive(false));
    let events = ask(&mut bench, AnalyseCommand::Responses);
    assert!(events.contains(&Event::Analysed), "{events:?} {:?}", bench.message());
    let analysed = bench.analysed().expect("analysed").clone();
    assert!(analysed.found.notice.contains("Built-in twin"), "{}", analysed.found.notice);
    assert!(!bench.is_analysis_outdated());
    let tuning = analysed.found.tables.iter().find(|table| table.name.contains("direction")).expect("it was varied");
    let rows = tuning.rows.len();
    assert!(rows >= fake::UNITS, "{} has {rows} rows", tuning.name);

    bench.perform(Command::Run);
    bench.wait(LIMIT);
    assert!(bench.is_analysis_outdated(), "another run is on the screen");
    assert!(bench.analysed().is_some_and(|now| std::sync::Arc::ptr_eq(now, &analysed)), "but it stays");
}

#[test]
fn an_analysis_that_is_cancelled_leaves_nothing_and_can_be_begun_again() {
    let (folder, mut bench) = opened();
    bench.perform(Command::Analyse(AnalyseCommand::Recording));
    assert!(bench.analysis_progress().is_some_and(|progress| !progress.stopping));
    bench.perform(Command::Analyse(AnalyseCommand::Cancel));
    assert!(bench.analysis_progress().is_some_and(|progress| progress.stopping));
    let events = bench.wait(LIMIT);
    assert!(events.contains(&Event::AnalysisCancelled) && bench.analysed().is_none(), "{events:?}");
    assert!(bench.analysis_progress().is_none() && bench.analysis_failure().is_none());

    ask(&mut bench, AnalyseCommand::Export(folder.path().join("nothing")));
    assert!(bench.message().is_some_and(|message| message.error && message.text.contains("nothing to export")));
    assert!(!folder.path().join("nothing").exists());
    bench.perform(Command::Analyse(AnalyseCommand::Recording));
    bench.perform(Command::Analyse(AnalyseCommand::Recording));
    assert!(bench.message().is_some_and(|message| message.text.contains("under way")), "one at a time");
    bench.perform(Command::Analyse(AnalyseCommand::Cancel));
    bench.wait(LIMIT);
    let mut nothing = fake::bench(Duration::ZERO);
    for (command, why) in [(AnalyseCommand::Recording, "open a recording"), (AnalyseCommand::Responses, "run the")] {
        ask(&mut nothing, command);
        assert!(nothing.message().is_some_and(|message| message.error && message.text.contains(why)));
    }
}

fn shows(harness: &Harness<'_, Option<App>>, text: &str) -> bool {
    harness.query_all_by_label_contains(text).count() > 0
}

#[test]
fn findings_and_figures_of_a_recording_are_shown_in_a_window() {
    let (_folder, bench) = opened();
    let view = View { playing: false, workspace: Workspace::Compare, ..View::default() };
    let mut harness = window(bench, [1280.0, 900.0], view);
    assert!(!shows(&harness, "Show analysis"), "there is none yet");
    harness.get_by_label("Analyse recording").click();
    harness.run_steps(2);
    assert!(app(&mut harness).view.analysis, "the window opens at once");
    for _ in 0..4 {
        app(&mut harness).bench.wait(LIMIT);
        harness.run_steps(3);
    }
    let finding = app(&mut harness).bench.analysed().expect("analysed").found.findings[0].clone();
    assert!(shows(&harness, &finding), "{finding}");
    assert!(shows(&harness, "Figure analysis"), "the picture has a name");
    harness.get_by_label("Export analysis…").click();
    harness.run_steps(3);
    let line = harness.get_by_label_contains("The folder for all tables");
    assert_eq!(line.value().as_deref(), Some("twinscope-analysis"));
    harness.key_press(Key::Escape);
    harness.run_steps(3);
    app(&mut harness).view.analysis = false;
    harness.run_steps(2);
    assert!(!shows(&harness, &finding), "closed");
    harness.get_by_label("Show analysis").click();
    harness.run_steps(3);
    assert!(shows(&harness, &finding));
    harness.key_press(Key::Escape);
    harness.run_steps(3);
    assert!(!app(&mut harness).view.analysis, "Esc closes it");
    settle(&mut harness);
    assert_eq!(app(&mut harness).bench.recording().map(|open| open.session.units.len()), Some(UNITS));
}

/// Pictures for human eyes: `TWINSCOPE_SHOTS=folder cargo test --test all shots`.
#[test]
fn shots_of_an_analysis_for_human_eyes() {
    let Some(shots) = std::env::var_os("TWINSCOPE_SHOTS").map(PathBuf::from) else { return };
    let (_folder, mut bench) = opened();
    ask(&mut bench, AnalyseCommand::Recording);
    let view = View { playing: false, analysis: true, workspace: Workspace::Compare, ..View::default() };
    let mut harness = window(bench, [1280.0, 900.0], view);
    settle(&mut harness);
    harness.render().expect("a picture").save(shots.join("analysis.png")).expect("written");
}

#[test]
fn the_menu_analyses_the_newest_run_once_there_is_one() {
    let view = View { playing: false, ..View::default() };
    let mut harness = window(fake::answered(), [1280.0, 800.0], view);
    harness.get_by_label("Experiment").click();
    harness.run_steps(3);
    harness.get_by_label("Analyse responses").click();
    harness.run_steps(2);
    assert!(app(&mut harness).view.analysis);
    app(&mut harness).bench.wait(LIMIT);
    harness.run_steps(3);
    assert!(shows(&harness, "Figure analysis") && shows(&harness, "A twin answers every repeat of a movie alike"));
}
