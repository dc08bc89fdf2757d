//! Analyses of runs and recordings: the workbench and the window.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use eframe::egui::{Event as Input, Key, Modifiers, Role};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use twinscope::characterise::Look;
use twinscope::experiment::protocol::Sweep;
use twinscope::stimulus::{SparseNoise, Stimulus};
use twinscope::ui::{App, Dialog, View, Workspace};
use twinscope::workbench::{AnalyseCommand, AnalyseOptions, Command, CompareCommand, Event, Saved, Workbench};

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
    harness.get_by_label("Analyse recording…").click();
    harness.run_steps(4);
    assert!(!app(&mut harness).view.analysis && app(&mut harness).bench.analysis_progress().is_none());
    harness.get_by_label("Start analysis").click();
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

/// Provenance, findings and all cells of the newest analysis.
fn said(bench: &Workbench) -> String {
    let found = &bench.analysed().unwrap_or_else(|| panic!("{:?}", bench.message())).found;
    let tables: Vec<String> = found.tables.iter().map(|table| format!("{:?}", table.rows)).collect();
    [found.provenance.clone(), found.findings.join("\n"), tables.join("\n")].join("\n")
}

#[test]
fn options_of_a_recording_reach_its_analysis_as_on_the_command_line() {
    let (folder, mut bench) = opened();
    let options = AnalyseOptions {
        resamples: 150,
        seed: 77,
        skip_frames: 10,
        // The second is of another recording.
        receptive_fields: vec!["Clips".to_owned(), "White noise".to_owned()],
        ..AnalyseOptions::default()
    };
    ask(&mut bench, AnalyseCommand::Set(options.clone()));
    ask(&mut bench, AnalyseCommand::Recording);
    let (ours, theirs) = (folder.path().join("window"), folder.path().join("command"));
    let text = said(&bench);
    assert!(text.contains("150 resamples") && text.contains("analysis seed 77"), "{text:.2000}");
    assert!(text.contains("The maps from Clips") && !text.contains("White noise"), "{text:.2000}");
    ask(&mut bench, AnalyseCommand::Export(ours.clone()));
    let path = |path: &Path| path.display().to_string();
    let command = ["analyse", "--session", &path(&folder.path().join("M17")), "-o", &path(&theirs)];
    let said = [
        "--resamples",
        "150",
        "--seed",
        "77",
        "--skip",
        "10",
        "--receptive-fields",
        "Clips",
        "--format",
        "png,svg,pdf",
    ];
    succeeds(&[&command[..], &said[..]].concat());
    let (ours, theirs) = (files(&ours), files(&theirs));
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
    for (name, contents) in &ours {
        assert!(theirs[name] == *contents, "{name} differs from that of the command line");
    }
    let saved: Saved = serde_json::from_str(&serde_json::to_string(&bench.saved()).expect("text")).expect("read");
    assert_eq!(saved.analysis, options);
}

#[test]
fn options_of_a_run_reach_its_analysis_and_defaults_are_those_of_the_command_line() {
    let look = Look::default();
    let defaults = AnalyseOptions::default();
    let numbers = (defaults.resamples, defaults.seed, defaults.delay_frames, defaults.skip_frames);
    assert_eq!(numbers, (look.resamples, look.seed, look.delay_frames, 0));
    assert!(defaults.receptive_fields.is_empty());

    let mut bench = fake::bench(Duration::ZERO);
    bench.perform(Command::SetLive(false));
    let mut protocol = bench.protocol().clone();
    // Few squares: a field is fitted to each map of each unit.
    let squares = SparseNoise { square_deg: 20.0, ..SparseNoise::default() };
    protocol.show_instead(Stimulus::SparseNoise(squares), Sweep::default());
    (protocol.timing.stimulus_secs, protocol.repeats.count) = (4.0, 2);
    bench.perform(Command::Edit(Box::new(protocol)));
    bench.perform(Command::Run);
    bench.wait(LIMIT);
    let fields = |bench: &mut Workbench, delay_frames| {
        ask(
            bench,
            AnalyseCommand::Set(AnalyseOptions { delay_frames, seed: 5, resamples: 100, ..AnalyseOptions::default() }),
        );
        ask(bench, AnalyseCommand::Responses);
        assert!(said(bench).contains("analysis seed 5"));
        let tables = &bench.analysed().expect("analysed").found.tables;
        let maps = tables.iter().find(|table| table.name.contains("sparse_noise")).expect("fields are mapped");
        format!("{:?}", maps.rows)
    };
    assert_ne!(fields(&mut bench, 0), fields(&mut bench, 9), "the delay counts");
}

#[test]
fn options_from_elsewhere_are_held_within_their_ranges() {
    let mut bench = fake::bench(Duration::ZERO);
    let text = "{\"live\": false, \"analysis\": {\"resamples\": 99999999, \"seed\": 18446744073709551615, \
                \"delay_frames\": 5000}}";
    bench.restore(serde_json::from_str(text).expect("settings"));
    let options = bench.analyse_options();
    assert_eq!((options.resamples, options.seed, options.delay_frames), (20_000, 1 << 53, 60));
    assert_eq!(options.skip_frames, 0);
    bench.perform(Command::Analyse(AnalyseCommand::Set(AnalyseOptions { resamples: 0, ..AnalyseOptions::default() })));
    assert_eq!(bench.analyse_options().resamples, 100, "an interval needs some");
}

#[test]
fn options_are_asked_for_before_an_analysis_and_remembered() {
    let (_folder, bench) = opened();
    let view = View { playing: false, workspace: Workspace::Compare, ..View::default() };
    let mut harness = window(bench, [1280.0, 900.0], view);
    harness.get_by_label("Analyse recording…").click();
    harness.run_steps(4);
    assert_eq!(app(&mut harness).view.dialog, Some(Dialog::AnalyseRecording));
    assert!(shows(&harness, "none has noise or Gaussian dots in its name"));
    assert_eq!(
        harness.query_all_by_role_and_label(Role::SpinButton, "Delay of responses").count(),
        0,
        "of a run alone"
    );
    harness.get_by_role_and_label(Role::SpinButton, "Resamples").focus();
    harness.run_steps(2);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.run_steps(1);
    harness.event(Input::Text("200".to_owned()));
    harness.run_steps(1);
    harness.key_press(Key::Enter);
    harness.run_steps(2);
    harness.get_by_role_and_label(Role::SpinButton, "Skipped frames").focus();
    harness.run_steps(2);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.run_steps(1);
    harness.event(Input::Text("15".to_owned()));
    harness.run_steps(1);
    harness.key_press(Key::Enter);
    harness.run_steps(2);
    assert!(shows(&harness, "0.500 s at 30.000 frames/s"), "frames are told as time");
    harness.get_by_role_and_label(Role::CheckBox, "Clips").click();
    harness.run_steps(3);
    assert!(shows(&harness, "Mapped from the movies of Clips"));
    harness.key_press(Key::Escape);
    harness.run_steps(3);
    assert!(app(&mut harness).view.dialog.is_none() && app(&mut harness).bench.analysis_progress().is_none());
    let options = app(&mut harness).bench.analyse_options().clone();
    assert_eq!((options.resamples, options.skip_frames), (200, 15));
    assert_eq!(options.receptive_fields, ["Clips"]);

    harness.get_by_label("Analyse recording…").click();
    harness.run_steps(4);
    harness.get_by_label("Start analysis").click();
    harness.run_steps(3);
    app(&mut harness).bench.wait(LIMIT);
    let text = said(&app(&mut harness).bench);
    assert!(text.contains("200 resamples") && text.contains("The maps from Clips"), "{text:.2000}");
    app(&mut harness).view.dialog = Some(Dialog::AnalyseRecording);
    harness.run_steps(3);
    harness.get_by_label("Defaults").click();
    harness.run_steps(3);
    assert_eq!(app(&mut harness).bench.analyse_options(), &AnalyseOptions::default());
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
    harness.get_by_label("Analyse responses…").click();
    harness.run_steps(5);
    harness.key_press(Key::Enter);
    harness.run_steps(3);
    assert!(app(&mut harness).view.analysis, "Enter starts it");
    app(&mut harness).bench.wait(LIMIT);
    harness.run_steps(3);
    assert!(shows(&harness, "Figure analysis") && shows(&harness, "A twin answers every repeat of a movie alike"));
}
