//! Sheets of figures that the user composes: the workbench and the dialog.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use eframe::egui::{Event as Input, Key, Modifiers, Role};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use twinscope::figures::{Data, Figure, Layout, Width};
use twinscope::ui::{App, Dialog, ThemeChoice, View, Workspace};
use twinscope::workbench::{
    Command, CompareCommand, Event, FigureStyle, Saved, SheetOf, SheetOrder, UNIT_TRACES, UNIT_TUNING, Workbench,
};

use super::compare::compared;
use super::fake;
use super::window::{app, settle, unnamed, window};

const LIMIT: Duration = Duration::from_secs(120);
/// Names for people of the figures that a run over directions fills, in the order of the program.
const OF_RUN: [&str; 4] = [
    "Direction tuning of the unit",
    "Response of the unit over time",
    "Direction tuning of all units",
    "Preferred directions of all units",
];

fn figures(names: &[&str]) -> Vec<(String, String)> {
    names.iter().map(|name| ((*name).to_owned(), format!("Figure {name}"))).collect()
}

fn names(order: &SheetOrder, figures: &[(String, String)]) -> Vec<String> {
    order.rows(figures).into_iter().map(|row| row.name.to_owned()).collect()
}

/// A sheet of these figures, in this order.
fn order(bench: &Workbench, of: SheetOf, chosen: &[&str]) -> SheetOrder {
    let figures = bench.sheet_figures(of);
    let mut order = SheetOrder::default();
    for name in chosen.iter().rev() {
        order.choose(name, true, &figures);
        for _ in 0..figures.len() {
            order.shift(name, false, &figures);
        }
    }
    order
}

fn export(bench: &mut Workbench, of: SheetOf, path: &Path) -> Vec<Event> {
    bench.perform(Command::ExportSheet(of, path.to_owned()));
    bench.wait(LIMIT)
}

#[test]
fn figures_are_lettered_in_their_order_and_stop_at_its_ends() {
    let all = figures(&["a", "b", "c"]);
    let mut order = SheetOrder::default();
    assert_eq!(names(&order, &all), ["a", "b", "c"]);
    assert!(order.chosen(&all).is_empty());
    order.choose("c", true, &all);
    order.choose("a", true, &all);
    let letters = |order: &SheetOrder| order.rows(&all).iter().map(|row| row.letter).collect::<Vec<_>>();
    assert_eq!(letters(&order), [Some('A'), None, Some('B')]);
    order.shift("c", false, &all);
    order.shift("c", false, &all);
    order.shift("c", false, &all);
    order.shift("b", true, &all);
    assert_eq!(names(&order, &all), ["c", "a", "b"]);
    assert_eq!(order.chosen(&all), ["c", "a"]);
    assert_eq!(letters(&order), [Some('A'), Some('B'), None]);
    order.choose("nobody", true, &all);
    order.shift("nobody", true, &all);
    assert_eq!(names(&order, &all).len(), 3, "what there is not changes nothing");
}

#[test]
fn a_figure_that_is_away_for_a_while_keeps_its_place() {
    let (all, fewer) = (figures(&["a", "b", "c", "d"]), figures(&["a", "c", "e"]));
    let mut order = SheetOrder::default();
    order.choose("b", true, &all);
    assert!(order.chosen(&fewer).is_empty(), "what cannot be filled is not on the page");
    order.shift("c", false, &fewer);
    order.choose("e", true, &fewer);
    assert_eq!(names(&order, &fewer), ["c", "a", "e"]);
    assert_eq!(names(&order, &all), ["c", "b", "a", "d"]);
    assert_eq!(order.chosen(&all), ["b"]);
    // Every recording brings figures of its own.
    for recording in 0..100 {
        let name = format!("traces {recording}");
        order.choose(&name, true, &figures(&[&name, "a", "other", &format!("tuning {recording}")]));
    }
    let text = serde_json::to_string(&order).expect("text");
    assert!(text.contains("traces 99") && !text.contains("\"b\"") && text.len() < 12_000, "{}", text.len());
}

#[test]
fn a_composed_sheet_is_what_the_command_line_sets() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut bench = fake::answered();
    bench.perform(Command::SetLive(false));
    bench.perform(Command::SelectUnit(3));
    let offered: Vec<String> = bench.sheet_figures(SheetOf::Run).into_iter().map(|(stem, _)| stem).collect();
    assert_eq!(offered, ["direction_tuning", "traces", "heat_map", "population"], "no other parameter was swept");
    let layout = Layout { width: Some(Width::Column), dpi: 100 };
    bench.perform(Command::SetFigureStyle(FigureStyle { layout, ..FigureStyle::default() }));
    let chosen = ["heat_map", "traces"];
    bench.perform(Command::ComposeSheet(SheetOf::Run, order(&bench, SheetOf::Run, &chosen)));
    assert_eq!(bench.sheet_order(SheetOf::Run).chosen(&bench.sheet_figures(SheetOf::Run)), chosen);
    let path = folder.path().join("mine.png");
    let events = export(&mut bench, SheetOf::Run, &path);
    assert!(events.contains(&Event::Written(path.clone())), "{:?}", bench.message());

    let answer = bench.answer().expect("an answer").clone();
    let data = Data::of(&answer.outcome);
    let expected = Figure::sheet(&data, &chosen.map(str::to_owned), 3);
    expected.write(&folder.path().join("theirs.png"), &layout).expect("written");
    for name in ["mine.png", "mine_numbers.csv"] {
        let read =
            |name: &str| std::fs::read(folder.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(read(name) == read(&name.replace("mine", "theirs")), "{name} differs");
    }
    // 89 mm at 100 dots per inch.
    assert_eq!(image::image_dimensions(&path).expect("a PNG").0, 350);
    let numbers = std::fs::read_to_string(folder.path().join("mine_numbers.csv")).expect("written");
    let panels = |letter: char| {
        let of = |line: &&str| line.trim_start_matches('"').starts_with(letter);
        numbers.lines().skip(1).filter(of).collect::<Vec<&str>>()
    };
    let (a, b) = (panels('A'), panels('B'));
    assert!(a.len() >= fake::UNITS && a.iter().all(|line| line.contains("fraction of maximum")), "A: {:?}", a.first());
    assert!(b.iter().any(|line| line.contains("Time")), "B: {:?}", b.first());
    assert_eq!(a.len() + b.len(), numbers.lines().count() - 1, "there are two panels");
}

#[test]
fn a_sheet_of_nothing_is_refused_in_a_sentence_and_the_choice_is_remembered() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sheet.svg");
    let mut none = fake::bench(Duration::ZERO);
    export(&mut none, SheetOf::Run, &path);
    assert!(none.message().is_some_and(|message| message.error && message.text.contains("nothing to export yet")));
    assert!(none.sheet_figures(SheetOf::Run).is_empty() && none.sheet_figures(SheetOf::Comparison).is_empty());
    let mut bench = fake::answered();
    export(&mut bench, SheetOf::Run, &path);
    assert!(bench.message().is_some_and(|message| message.error && message.text.contains("no panels")));
    assert!(!path.exists());

    let order = order(&bench, SheetOf::Run, &["population", "direction_tuning"]);
    bench.perform(Command::ComposeSheet(SheetOf::Run, order.clone()));
    let text = serde_json::to_string(&bench.saved()).expect("settings are text");
    let saved: Saved = serde_json::from_str(&text).expect("settings are read back");
    let mut next = fake::bench(Duration::ZERO);
    next.restore(saved);
    assert_eq!(next.sheet_order(SheetOf::Run), &order);
    assert_eq!(next.sheet_order(SheetOf::Comparison), &SheetOrder::default());
    let older: Saved = serde_json::from_str("{\"live\": false}").expect("settings of a version without sheets");
    assert_eq!(older.sheets, Saved::default().sheets);
}

#[test]
fn figures_of_a_comparison_are_set_on_one_sheet() {
    let (folder, mut bench) = compared();
    let stems = |bench: &Workbench| -> Vec<String> {
        bench.sheet_figures(SheetOf::Comparison).into_iter().map(|(stem, _)| stem).collect()
    };
    let all = ["accuracy", "domains", "tuning_gratings", "traces_gratings", "traces_clips", UNIT_TRACES, UNIT_TUNING];
    assert_eq!(stems(&bench), all, "the fixed sheet is no panel");
    let unit = 5;
    bench.perform(Command::Compare(CompareCommand::SelectUnit(unit)));
    let chosen = [UNIT_TUNING, "traces_clips", UNIT_TRACES];
    let composed = order(&bench, SheetOf::Comparison, &chosen);
    bench.perform(Command::ComposeSheet(SheetOf::Comparison, composed));
    let path = folder.path().join("composed.svg");
    let events = export(&mut bench, SheetOf::Comparison, &path);
    assert!(events.contains(&Event::Written(path)), "{:?}", bench.message());
    let numbers = std::fs::read_to_string(folder.path().join("composed_numbers.csv")).expect("written");
    let name = bench.compared().expect("compared").unit_name(unit);
    let of = |letter: char| numbers.lines().filter(move |line| line.starts_with(&format!("{letter}: unit ")));
    assert!(of('A').count() > 0 && of('A').all(|line| line.starts_with(&format!("A: unit {name},"))), "{numbers:.300}");
    assert!(of('C').count() > 0 && of('C').all(|line| line.starts_with(&format!("C: unit {name},"))), "the same unit");
    // A name with a comma stands in quotation marks.
    let letters = |numbers: &str| -> BTreeSet<char> {
        numbers.lines().skip(1).filter_map(|line| line.trim_start_matches('"').chars().next()).collect()
    };
    assert_eq!(letters(&numbers), ['A', 'B', 'C'].into(), "the traces of the other domain between them");

    // No direction was varied in the other domain.
    bench.perform(Command::Compare(CompareCommand::ShowDomain(1)));
    bench.wait(LIMIT);
    assert_eq!(stems(&bench), all[..6]);
    export(&mut bench, SheetOf::Comparison, &folder.path().join("fewer.svg"));
    let numbers = std::fs::read_to_string(folder.path().join("fewer_numbers.csv")).expect("written");
    assert_eq!(letters(&numbers), ['A', 'B'].into(), "two of the three can be filled");
}

type Shown<'a> = Harness<'a, Option<App>>;

/// Names of the boxes of the dialog from top to bottom.
fn boxes(harness: &Shown<'_>, among: &[&str]) -> Vec<String> {
    let mut found: Vec<(f32, String)> = (harness.query_all_by_role(Role::CheckBox))
        .filter_map(|node| Some((node.rect().top(), node.accesskit_node().label()?)))
        .filter(|(_, label)| among.contains(&label.as_str()))
        .collect();
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    found.into_iter().map(|(_, label)| label).collect()
}

fn shows(harness: &Shown<'_>, text: &str) -> bool {
    harness.query_all_by_label_contains(text).count() > 0
}

/// Whether a letter stands beside a figure of the dialog.
fn has_letter(harness: &Shown<'_>, letter: &str, figure: &str) -> bool {
    let row = harness.get_by_role_and_label(Role::CheckBox, figure).rect();
    let beside =
        |rect: eframe::egui::Rect| (rect.center().y - row.center().y).abs() < 6.0 && rect.right() <= row.left() + 1.0;
    harness.query_all_by_label(letter).any(|node| beside(node.rect()))
}

#[test]
fn the_dialog_lists_letters_moves_and_writes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sheet.svg");
    let mut bench = fake::answered();
    bench.perform(Command::SetLive(false));
    bench.perform(Command::SelectUnit(0));
    let mut harness = window(bench, [1280.0, 800.0], View { playing: false, ..View::default() });
    harness.get_by_label("File").click();
    harness.run_steps(3);
    harness.get_by_label("Compose sheet…").click();
    harness.run_steps(5);
    assert_eq!(app(&mut harness).view.dialog, Some(Dialog::ComposeSheet(SheetOf::Run)));
    assert_eq!(boxes(&harness, &OF_RUN), OF_RUN);
    assert!(shows(&harness, "tick at least one figure"));
    assert!(harness.get_by_label("Export sheet…").accesskit_node().is_disabled(), "nothing is chosen");
    assert!(harness.get_by_label("Move Direction tuning of the unit up").accesskit_node().is_disabled());

    for figure in [OF_RUN[1], OF_RUN[2]] {
        harness.get_by_role_and_label(Role::CheckBox, figure).click();
        harness.run_steps(3);
    }
    assert!(!shows(&harness, "tick at least one figure"));
    assert!(has_letter(&harness, "A", OF_RUN[1]) && has_letter(&harness, "B", OF_RUN[2]));
    harness.get_by_label(&format!("Move {} up", OF_RUN[2])).click();
    harness.run_steps(3);
    assert_eq!(boxes(&harness, &OF_RUN), [OF_RUN[0], OF_RUN[2], OF_RUN[1], OF_RUN[3]]);
    assert!(has_letter(&harness, "A", OF_RUN[2]) && has_letter(&harness, "B", OF_RUN[1]), "letters follow the order");

    harness.get_by_label("Export sheet…").click();
    harness.run_steps(3);
    assert_eq!(app(&mut harness).view.dialog, None, "the file is asked for in its place");
    let line = harness.get_by_label_contains("The name of the figure");
    assert_eq!(line.value().as_deref(), Some("sheet_4-7_1.png"), "a name is proposed");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.run_steps(2);
    harness.event(Input::Text(path.display().to_string()));
    harness.run_steps(2);
    harness.get_by_label("Accept").click();
    harness.run_steps(2);
    settle(&mut harness);
    let message = app(&mut harness).bench.message().cloned();
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{error}: {message:?}"));
    assert!(text.contains("Tuning of all units") && text.contains("over time"), "the panels have their headings");
    assert!(!text.contains("Preferred directions and selectivity"), "what was not chosen is not there");
}

#[test]
fn the_keyboard_ticks_and_moves_figures_and_escape_closes() {
    let view = View { playing: false, dialog: Some(Dialog::ComposeSheet(SheetOf::Run)), ..View::default() };
    let mut bench = fake::answered();
    bench.perform(Command::SetLive(false));
    bench.perform(Command::SelectUnit(7));
    let mut harness = window(bench, [1280.0, 800.0], view);
    let chosen = |harness: &mut Shown<'_>| {
        let bench = &app(harness).bench;
        bench.sheet_order(SheetOf::Run).chosen(&bench.sheet_figures(SheetOf::Run))
    };
    harness.key_press(Key::Space);
    harness.run_steps(3);
    assert_eq!(chosen(&mut harness), ["direction_tuning"], "the keyboard begins at the first figure");
    assert!(!app(&mut harness).view.playing, "and the player behind does not take the key");
    harness.key_press_modifiers(Modifiers::ALT, Key::ArrowDown);
    harness.run_steps(3);
    harness.key_press_modifiers(Modifiers::ALT, Key::ArrowDown);
    harness.run_steps(3);
    let moved = [OF_RUN[1], OF_RUN[2], OF_RUN[0], OF_RUN[3]];
    assert_eq!(boxes(&harness, &OF_RUN), moved, "the keyboard stays with the figure");
    harness.key_press_modifiers(Modifiers::ALT, Key::ArrowUp);
    harness.run_steps(3);
    assert_eq!(boxes(&harness, &OF_RUN), [OF_RUN[1], OF_RUN[0], OF_RUN[2], OF_RUN[3]]);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::R);
    harness.run_steps(2);
    assert!(!app(&mut harness).bench.is_running(), "what lies behind waits");
    assert_eq!(app(&mut harness).bench.unit(), 7, "nor does the table take the arrows");
    harness.key_press(Key::Escape);
    harness.run_steps(3);
    assert_eq!(app(&mut harness).view.dialog, None);
    assert!(!shows(&harness, "Export sheet…"));
    assert_eq!(chosen(&mut harness), ["direction_tuning"], "the choice stays");
}

#[test]
fn every_control_of_a_dialog_has_a_label() {
    for dialog in [
        Dialog::ComposeSheet(SheetOf::Comparison),
        Dialog::AnalyseRecording,
        Dialog::ComposeSheet(SheetOf::Run),
        Dialog::AnalyseResponses,
    ] {
        let of_recording = matches!(dialog, Dialog::AnalyseRecording | Dialog::ComposeSheet(SheetOf::Comparison));
        let (_folder, bench) =
            if of_recording { compared() } else { (tempfile::tempdir().expect("a folder"), fake::answered()) };
        let view = View { playing: false, dialog: Some(dialog), ..View::default() };
        let mut harness = window(bench, [1280.0, 800.0], view);
        settle(&mut harness);
        harness.get_by_label("Close");
        let (seen, nameless) = unnamed(&harness);
        assert!(seen > 20, "{dialog:?}: only {seen} controls were found");
        assert!(nameless.is_empty(), "{dialog:?}: without a label: {nameless:#?}");
    }
}

/// Pictures for human eyes: `TWINSCOPE_SHOTS=folder cargo test --test all shots`.
#[test]
fn shots_of_dialogs_for_human_eyes() {
    let Some(shots) = std::env::var_os("TWINSCOPE_SHOTS").map(PathBuf::from) else { return };
    let shot = |name: &str, bench: Workbench, dialog: Dialog, theme: ThemeChoice, workspace: Workspace| {
        let view = View { playing: false, dialog: Some(dialog), theme, workspace, ..View::default() };
        let mut harness = window(bench, [1280.0, 800.0], view);
        settle(&mut harness);
        harness.render().expect("a picture").save(shots.join(format!("{name}.png"))).expect("written");
    };
    let mut bench = fake::answered();
    let of_run = order(&bench, SheetOf::Run, &["traces", "heat_map", "population"]);
    bench.perform(Command::ComposeSheet(SheetOf::Run, of_run));
    shot("compose-run", bench, Dialog::ComposeSheet(SheetOf::Run), ThemeChoice::Dark, Workspace::Twin);
    let composing = Dialog::ComposeSheet(SheetOf::Comparison);
    shot("compose-comparison", compared().1, composing, ThemeChoice::Light, Workspace::Compare);
    shot("analyse-run", fake::answered(), Dialog::AnalyseResponses, ThemeChoice::Dark, Workspace::Twin);
    shot("analyse-recording", compared().1, Dialog::AnalyseRecording, ThemeChoice::Light, Workspace::Compare);
}
