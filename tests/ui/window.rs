//! The window, drawn and clicked without a screen.

use std::collections::HashSet;
use std::time::Duration;

use burn::tensor::Tensor;
use eframe::egui::{self, Key, Modifiers, Role};
use egui_kittest::kittest::{NodeT, Queryable};
use egui_kittest::{Harness, HarnessBuilder};
use twinscope::experiment::protocol::Sweep;
use twinscope::stimulus::{Modifier, ModifierKind, StimulusKind};
use twinscope::ui::panels;
use twinscope::ui::{App, Columns, SortKey, ThemeChoice, View, theme};
use twinscope::workbench::{Command, Workbench};

use super::fake;
use crate::gpu::gpu;

const LIMIT: Duration = Duration::from_secs(60);

fn paused() -> View {
    View { playing: false, position_secs: 0.8, ..View::default() }
}

pub fn window<'a>(bench: Workbench, size: [f32; 2], view: View) -> Harness<'a, Option<App>> {
    open(Harness::builder().with_size(size), bench, view)
}

fn open<'a>(builder: HarnessBuilder<Option<App>>, bench: Workbench, view: View) -> Harness<'a, Option<App>> {
    let mut bench = Some(bench);
    let mut harness = builder.with_max_steps(40).build_ui_state(
        move |ui, app: &mut Option<App>| {
            let app = app.get_or_insert_with(|| {
                let bench = bench.take().expect("made once");
                App::in_context(bench, view.clone(), ui.ctx()).with_typed_paths()
            });
            app.show(ui);
        },
        None,
    );
    settle(&mut harness);
    harness
}

pub fn app<'h>(harness: &'h mut Harness<'_, Option<App>>) -> &'h mut App {
    harness.state_mut().as_mut().expect("the first frame makes it")
}

/// Until background work and animations have ended.
pub fn settle(harness: &mut Harness<'_, Option<App>>) {
    for _ in 0..4 {
        app(harness).bench.wait(LIMIT);
        harness.run_steps(3);
    }
}

#[test]
fn every_panel_draws_itself_with_and_without_an_answer() {
    for answered in [false, true] {
        for index in 0..panels::all().len() {
            let mut list = panels::all();
            let mut panel = list.swap_remove(index);
            let bench = if answered { fake::answered() } else { fake::bench(Duration::ZERO) };
            let mut view = paused();
            let name = panel.name();
            let mut harness = Harness::builder().with_size([420.0, 600.0]).build_ui(move |ui| {
                theme::apply(ui.ctx());
                panel.ui(&bench, &mut view, ui);
            });
            harness.run_steps(3);
            assert!(harness.root().children().next().is_some(), "{name} is empty (answered: {answered})");
        }
    }
}

#[test]
fn the_window_is_drawn_on_the_device_that_computes() {
    let Some(gpu) = gpu() else { return };
    let builder = Harness::builder().with_size([1280.0, 800.0]).wgpu_setup(gpu.egui_setup());
    let mut harness = open(builder, fake::answered(), paused());
    for round in 0..3 {
        let picture = harness.render().unwrap_or_else(|error| panic!("round {round}: {error}"));
        let colours: HashSet<_> = picture.pixels().collect();
        assert!(colours.len() > 100, "round {round}: {} colours in the whole window", colours.len());
        let sum = Tensor::<1>::ones([1000], &gpu.burn).sum().into_scalar::<f32>();
        assert_eq!(sum, 1000.0, "burn computes between two pictures");
    }
}

/// Number of controls, and those that say no name.
pub fn unnamed(harness: &Harness<'_, Option<App>>) -> (usize, Vec<String>) {
    let mut nameless = Vec::new();
    let mut stack = vec![harness.root()];
    let mut seen = 0;
    while let Some(node) = stack.pop() {
        let inner = node.accesskit_node();
        let control = matches!(
            inner.role(),
            Role::Button | Role::CheckBox | Role::Slider | Role::SpinButton | Role::TextInput | Role::ComboBox
        );
        seen += usize::from(control);
        // What a control says of itself, or a label in view that belongs to it: a tooltip is no label.
        let said = |text: Option<String>| text.is_some_and(|text| !text.trim().is_empty());
        let named = said(inner.label()) || inner.labelled_by().any(|label| said(label.value()));
        if control && !named {
            nameless.push(format!("{:?} at {:?}", inner.role(), node.rect()));
        }
        stack.extend(node.children());
    }
    (seen, nameless)
}

#[test]
fn every_control_has_a_label() {
    let mut harness = window(fake::answered(), [1280.0, 800.0], paused());
    settle(&mut harness);
    let (seen, nameless) = unnamed(&harness);
    assert!(seen > 40, "only {seen} controls were found");
    assert!(nameless.is_empty(), "without a label: {nameless:#?}");
}

#[test]
fn a_newcomer_sees_an_answer_at_once_and_run_gives_another() {
    let mut harness = window(fake::bench(Duration::ZERO), [1280.0, 800.0], paused());
    settle(&mut harness);
    let first = app(&mut harness).bench.answer().expect("the first run starts by itself").clone();
    harness.get_by_label("Run").click();
    harness.run_steps(2);
    settle(&mut harness);
    let second = app(&mut harness).bench.answer().expect("an answer").clone();
    assert!(!std::sync::Arc::ptr_eq(&first, &second));
    assert!(harness.get_all_by_label_contains("Built-in twin: learned from a simulated mouse").count() >= 5);
}

#[test]
fn the_keyboard_runs_cancels_and_takes_back() {
    let mut harness = window(fake::bench(Duration::from_millis(60)), [1280.0, 800.0], paused());
    settle(&mut harness);
    let first = app(&mut harness).bench.answer().expect("an answer").clone();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::R);
    harness.run_steps(2);
    assert!(app(&mut harness).bench.is_running(), "Ctrl+R runs");
    harness.key_press(Key::Escape);
    harness.run_steps(2);
    settle(&mut harness);
    let same = std::sync::Arc::ptr_eq(&first, app(&mut harness).bench.answer().expect("an answer"));
    assert!(same, "Esc stops the run and the previous result stays");

    app(&mut harness).bench.perform(Command::SetLive(false));
    harness.get_by_label("Stop").click();
    harness.run_steps(2);
    let sweeps = |harness: &mut Harness<'_, Option<App>>| !app(harness).bench.protocol().sweep.is_empty();
    assert!(!sweeps(&mut harness));
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    harness.run_steps(2);
    assert!(sweeps(&mut harness), "Ctrl+Z takes the edit back");
    harness.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
    harness.run_steps(2);
    assert!(!sweeps(&mut harness), "Ctrl+Shift+Z does it again");

    let playing = app(&mut harness).view.playing;
    harness.key_press(Key::Space);
    harness.run_steps(2);
    assert_ne!(playing, app(&mut harness).view.playing, "space plays");
}

#[test]
fn a_key_counts_the_number_that_is_still_being_typed() {
    let mut harness = window(fake::bench(Duration::ZERO), [1280.0, 800.0], paused());
    app(&mut harness).bench.perform(Command::SetLive(false));
    harness.get_by_role_and_label(Role::SpinButton, "Repeats").focus();
    harness.run_steps(2);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.run_steps(1);
    harness.event(egui::Event::Text("5".to_owned()));
    harness.run_steps(2);
    assert_eq!(app(&mut harness).bench.protocol().repeats.count, 2, "half-typed numbers do not count yet");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::R);
    harness.run_steps(3);
    settle(&mut harness);
    let bench = &app(&mut harness).bench;
    assert_eq!(bench.protocol().repeats.count, 5);
    assert_eq!(bench.answer().expect("an answer").outcome.protocol.repeats.count, 5);
}

#[test]
fn saving_asks_for_a_name_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mine.toml");
    let mut harness = window(fake::answered(), [1280.0, 800.0], paused());
    harness.key_press_modifiers(Modifiers::COMMAND, Key::S);
    harness.run_steps(3);
    let asks = |harness: &Harness<'_, Option<App>>| {
        harness.query_all_by_label_contains("The name of the protocol").count() > 0
    };
    assert!(asks(&harness), "there is no file yet");
    harness.get_by_label("Close").click();
    harness.run_steps(3);
    app(&mut harness).bench.perform(Command::SaveProtocol(path.clone()));
    std::fs::remove_file(&path).expect("it was written");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::S);
    harness.run_steps(3);
    assert!(path.is_file() && !asks(&harness), "the file is known");
    harness.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::S);
    harness.run_steps(3);
    assert!(asks(&harness), "another name");
}

#[test]
fn dragging_a_slider_is_one_step_and_one_new_answer() {
    let mut harness = window(fake::bench(Duration::ZERO), [1280.0, 800.0], paused());
    settle(&mut harness);
    let before = app(&mut harness).bench.protocol().clone();
    let rail = harness.get_by_role_and_label(Role::Slider, "Contrast").rect();
    let at = |part: f32| egui::pos2(rail.left() + part * theme::SLIDER_WIDTH, rail.center().y);
    harness.drag_at(at(0.9));
    harness.run_steps(1);
    for step in 0..10 {
        harness.hover_at(at(0.9 - 0.05 * step as f32));
        harness.run_steps(1);
    }
    harness.drop_at(at(0.45));
    harness.run_steps(2);
    settle(&mut harness);
    let bench = &mut app(&mut harness).bench;
    let contrast = bench.protocol().stimulus.get("contrast").expect("a grating");
    assert!((0.2..0.7).contains(&contrast), "found {contrast}");
    let answered = &bench.answer().expect("an answer").outcome.protocol;
    assert_eq!(answered.stimulus.get("contrast"), Some(contrast), "live: the answer follows the slider");
    bench.perform(Command::Undo);
    assert_eq!(*bench.protocol(), before, "the whole drag is one step");
}

#[test]
fn any_parameter_can_be_varied_and_its_tuning_is_shown() {
    let mut harness = window(fake::bench(Duration::ZERO), [1280.0, 800.0], paused());
    settle(&mut harness);
    harness.get_by_label("Stop").click();
    harness.run_steps(3);
    harness.get_by_label("Vary a parameter").click();
    harness.run_steps(3);
    // The slider of the contrast has the same name; the entry of the menu is a button.
    harness.get_by_role_and_label(Role::Button, "Contrast").click();
    harness.run_steps(3);
    settle(&mut harness);
    let bench = &app(&mut harness).bench;
    assert_eq!(bench.protocol().swept_keys(), ["contrast"]);
    let tuning = bench.answer().and_then(|answer| answer.outcome.parameter.clone()).expect("tuning to contrast");
    assert_eq!(tuning.values, [0.25, 0.5, 1.0]);
    assert_eq!(harness.get_all_by_label("Contrast tuning").count(), 1, "the title of the panel");
}

#[test]
fn a_modifier_is_added_set_and_removed() {
    let mut harness = window(fake::bench(Duration::ZERO), [1280.0, 1000.0], paused());
    settle(&mut harness);
    harness.get_by_label("Modifiers").click();
    harness.run_steps(20); // the section opens slowly
    harness.get_by_label("Add modifier").click();
    harness.run_steps(3);
    harness.get_by_role_and_label(Role::Button, "Aperture").click();
    harness.run_steps(20);
    let modifiers = |harness: &mut Harness<'_, Option<App>>| app(harness).bench.protocol().modify.clone();
    let kinds: Vec<ModifierKind> = modifiers(&mut harness).iter().map(Modifier::kind).collect();
    assert_eq!(kinds, [ModifierKind::Aperture]);
    settle(&mut harness);
    let outdated = app(&mut harness).bench.is_answer_outdated();
    assert!(!outdated, "live: the twin sees the stimulus through the aperture");
    harness.get_by_label("Remove").click();
    harness.run_steps(3);
    assert!(modifiers(&mut harness).is_empty());
}

#[test]
fn the_table_of_conditions_lists_presentations_and_leads_to_them() {
    let mut harness = window(fake::answered(), [1280.0, 800.0], paused());
    harness.key_press_modifiers(Modifiers::COMMAND, Key::T);
    harness.run_steps(4);
    assert!(harness.query_all_by_label_contains("32 presentations of 16 conditions").count() >= 1);
    harness.get_by_label("Presentation 3").click();
    harness.run_steps(3);
    let app = app(&mut harness);
    let plan = app.bench.plan().expect("a plan");
    let onset = plan.monitor.frame_rate.secs_at(plan.schedule.presentations[3].onset_frame);
    assert!((app.view.position_secs - onset).abs() < 0.05, "{} instead of {onset}", app.view.position_secs);
    harness.key_press(Key::Escape);
    harness.run_steps(3);
    assert!(!self::app(&mut harness).view.table, "Escape closes the table");
}

#[test]
fn parts_are_added_and_removed() {
    let mut harness = window(fake::bench(Duration::ZERO), [1280.0, 800.0], paused());
    settle(&mut harness);
    harness.get_by_label("+").click();
    harness.run_steps(3);
    assert_eq!(app(&mut harness).bench.protocol().parts().len(), 2);
    assert_eq!(app(&mut harness).view.part, 1, "the new part is edited");
    harness.get_by_label("−").click();
    harness.run_steps(3);
    assert_eq!(app(&mut harness).bench.protocol().parts().len(), 1);
}

#[test]
fn a_click_in_the_table_selects_the_unit_everywhere() {
    let mut harness = window(fake::answered(), [1280.0, 800.0], View { sort: SortKey::Unit, ..paused() });
    app(&mut harness).bench.perform(Command::SelectUnit(0));
    harness.run_steps(6);
    harness.get_by_label("Unit 4-7 · 3").click();
    harness.run_steps(3);
    assert_eq!(app(&mut harness).bench.unit(), 2);
    assert_eq!(harness.get_all_by_label("unit 4-7 · 3").count(), 2, "named over the tuning curve and the trace");
    harness.key_press(Key::ArrowDown);
    harness.run_steps(3);
    assert_eq!(app(&mut harness).bench.unit(), 3, "the next unit in the table");
}

#[test]
fn exporting_asks_for_a_path_and_writes_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("figure.svg");
    let mut harness = window(fake::answered(), [1280.0, 800.0], paused());
    app(&mut harness).bench.perform(Command::SelectUnit(0));
    harness.get_by_label("Export figure…").click();
    harness.run_steps(3);
    let line = harness.get_by_label_contains("The name of the figure");
    assert_eq!(line.value().as_deref(), Some("tuning_4-7_1.png"), "a name is proposed");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.run_steps(2);
    harness.event(egui::Event::Text(path.display().to_string()));
    harness.run_steps(2);
    harness.get_by_label("Accept").click();
    harness.run_steps(2);
    settle(&mut harness);
    let message = app(&mut harness).bench.message().cloned();
    assert!(path.is_file(), "{message:?}");
}

#[test]
fn a_failure_is_shown_until_it_is_dismissed() {
    let mut harness = window(fake::answered(), [1280.0, 800.0], paused());
    app(&mut harness).bench.perform(Command::OpenProtocol("missing.toml".into()));
    harness.run_steps(3);
    assert!(harness.get_all_by_label_contains("missing.toml").count() >= 1);
    harness.get_by_label("Dismiss").click();
    harness.run_steps(3);
    assert_eq!(harness.query_all_by_label_contains("missing.toml").count(), 0);
}

#[test]
fn the_guide_opens_and_turns_its_pages() {
    let mut harness = window(fake::answered(), [1280.0, 800.0], paused());
    harness.key_press(Key::F1);
    harness.run_steps(4);
    for page in ["Stimuli and directions", "Reading the plots", "Twins and devices", "Files and keys"] {
        harness.get_by_role_and_label(Role::Button, page).click();
        harness.run_steps(3);
    }
    harness.key_press(Key::F1);
    harness.run_steps(3);
    assert!(app(&mut harness).view.help.is_none());
}

/// Pictures for human eyes: `TWINSCOPE_SHOTS=folder cargo test --test all shots`.
#[test]
fn shots_for_human_eyes() {
    let Some(folder) = std::env::var_os("TWINSCOPE_SHOTS") else { return };
    let folder = std::path::PathBuf::from(folder);
    for (name, size, theme) in [
        ("1280-dark", [1280.0, 800.0], ThemeChoice::Dark),
        ("1280-light", [1280.0, 800.0], ThemeChoice::Light),
        ("1920-dark", [1920.0, 1080.0], ThemeChoice::Dark),
        ("1024-dark", [1024.0, 700.0], ThemeChoice::Dark),
    ] {
        let mut harness = window(fake::answered(), size, View { theme, ..paused() });
        settle(&mut harness);
        harness.render().expect("a picture").save(folder.join(format!("{name}.png"))).expect("written");
    }
    let shot = |name: &str, view: View, set_up: &dyn Fn(&mut Harness<'_, Option<App>>)| {
        let mut harness = window(fake::answered(), [1280.0, 800.0], view);
        set_up(&mut harness);
        harness.run_steps(3);
        settle(&mut harness);
        harness.render().expect("a picture").save(folder.join(format!("{name}.png"))).expect("written");
    };
    shot("help", View { help: Some(1), ..paused() }, &|_| ());
    shot("about", View { about: true, ..paused() }, &|_| ());
    shot("menu", paused(), &|harness| harness.get_by_label("File").click());
    shot("time", View { columns: Columns::Time, theme: ThemeChoice::Light, to_peak: false, ..paused() }, &|_| ());
    for &kind in StimulusKind::ALL.iter().filter(|kind| kind.stimulus().path().is_none()) {
        let name = &kind.key();
        shot(name, paused(), &|harness| {
            let bench = &mut app(harness).bench;
            let mut protocol = bench.protocol().clone();
            protocol.stimulus = kind.stimulus();
            protocol.sweep = Sweep::default();
            bench.perform(Command::Edit(Box::new(protocol)));
        });
    }
    shot("error", paused(), &|harness| {
        let bench = &mut app(harness).bench;
        bench.perform(Command::OpenProtocol("somewhere/missing.toml".into()));
        let mut protocol = bench.protocol().clone();
        protocol.timing.skip_secs = 3.0;
        bench.perform(Command::Edit(Box::new(protocol)));
    });
}
