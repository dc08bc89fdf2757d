//! Spikes, masks on them and what a model makes of them: the workbench and the panel.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use burn::tensor::Device;
use eframe::egui::{self, Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use twinscope::analysis::spikes::bits_per_spike;
use twinscope::data::simulated::SpikeSimulation;
use twinscope::data::spikes::SpikeSession;
use twinscope::figures::{Layout, Width};
use twinscope::job::Progress;
use twinscope::model::mtm::{Engine, MtmConfig, MtmWeights, Predict, Scheme};
use twinscope::training::mtm::{Fit, FitConfig, FitSession, OneCycle};
use twinscope::ui::{App, SpikeTool, View, Workspace};
use twinscope::workbench::{Command, Event, FigureStyle, Reconstruction, Saved, SpikeMask, SpikesCommand, Workbench};

use super::fake;
use super::window::{app, settle, window};

const LIMIT: Duration = Duration::from_secs(120);

/// The animal that the window simulates.
fn animal() -> &'static SpikeSession {
    static ANIMAL: OnceLock<SpikeSession> = OnceLock::new();
    ANIMAL.get_or_init(|| {
        let simulation = SpikeSimulation { animals: 1, ..SpikeSimulation::default() };
        simulation.sessions().expect("good sizes").remove(0)
    })
}

/// A small network that was trained on it for seconds.
fn trained() -> &'static MtmWeights {
    static TRAINED: OnceLock<MtmWeights> = OnceLock::new();
    TRAINED.get_or_init(|| {
        let config = MtmConfig {
            bins: 50,
            stitch: 32,
            expand: 64,
            width: 32,
            layers: 1,
            heads: 2,
            feedforward: 64,
            dropout: 0.1,
            embedding_dropout: 0.1,
            ..MtmConfig::small()
        };
        let mut weights = MtmWeights::initial(&config, 1).expect("good sizes");
        weights.add_session(&animal().id, &animal().training_means(), 2).expect("a new session");
        let recipe = FitConfig {
            epochs: 20,
            validate_every: 20,
            cycle: OneCycle { peak: 5e-3, ..OneCycle::default() },
            ..FitConfig::default()
        };
        let mut fit = Fit::new(recipe, weights, &Device::flex()).expect("good settings");
        fit.run(&[FitSession::new(animal(), 3)], &Progress::new(), |_, _| Ok(())).expect("a training");
        fit.state().expect("read").weights
    })
}

/// The model in a file.
fn model() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.safetensors");
    trained().save(&path).expect("written");
    (folder, path)
}

fn ask(bench: &mut Workbench, command: SpikesCommand) -> Vec<Event> {
    bench.perform(Command::Spikes(command));
    bench.wait(LIMIT)
}

/// A workbench with the animal and the model.
fn ready() -> (tempfile::TempDir, Workbench) {
    let (folder, path) = model();
    let mut bench = fake::bench(Duration::ZERO);
    ask(&mut bench, SpikesCommand::Simulate);
    ask(&mut bench, SpikesCommand::OpenModel(path));
    assert!(bench.spike_model().is_some(), "{:?}", bench.message());
    (folder, bench)
}

/// A mask that hides every neuron of some regions.
fn regions_hidden(bench: &Workbench, regions: &[&str]) -> SpikeMask {
    let session = &bench.spikes().expect("open").session;
    let [_, bins, neurons] = session.counts.shape();
    let mut mask = SpikeMask::new(bins, neurons);
    mask.set(0..bins, (0..neurons).filter(|&neuron| regions.contains(&session.regions[neuron].as_str())), true);
    mask
}

fn found(bench: &Workbench) -> &Reconstruction {
    bench.reconstruction().unwrap_or_else(|| panic!("{:?} {:?}", bench.spike_failure(), bench.message()))
}

#[test]
fn a_hidden_region_is_predicted_from_the_others_better_than_by_its_mean() {
    let (_folder, mut bench) = ready();
    let mask = regions_hidden(&bench, &["R2"]);
    let events = ask(&mut bench, SpikesCommand::Paint(mask.clone()));
    assert!(events.contains(&Event::Reconstructed), "{events:?}");
    let found = found(&bench);
    assert_eq!(found.scheme, Scheme::InterRegion, "the prompt follows from the mask");
    let tests = &animal().split.test;
    assert_eq!((&found.trials, found.scored), (tests, tests.len()));

    // The same, step by step: nothing of what is hidden reaches the network.
    let hidden: Vec<usize> = (0..animal().regions.len()).filter(|&n| animal().regions[n] == "R2").collect();
    let truth = animal().of(tests);
    let mut seen = truth.clone();
    for row in seen.values_mut().chunks_exact_mut(animal().regions.len()) {
        hidden.iter().for_each(|&neuron| row[neuron] = 0.0);
    }
    let network = Engine::new(trained());
    let log_rates = network.reconstruct(&seen, &animal().id, Scheme::InterRegion).expect("predicted");
    let direct = bits_per_spike(&log_rates.of_neurons(&hidden), &truth.of_neurons(&hidden)).expect("scored");
    let (shown, direct) = (found.bits.pooled.expect("spikes"), direct.pooled.expect("spikes"));
    // Trials go through the network in other batches: sums of f32 in another order.
    assert!((shown - direct).abs() < 1e-4, "{shown} {direct}");
    assert!(shown > 0.02, "trained for seconds: {shown} bits per spike");
    assert!(found.bits.per_neuron.iter().enumerate().all(|(n, bits)| bits.is_none() || hidden.contains(&n)));
    let spikes: f32 = truth.of_neurons(&hidden).values().iter().sum();
    assert_eq!(found.hidden_spikes, f64::from(spikes));
    for (rate, log_rate) in found.rates.values().iter().zip(log_rates.values()) {
        assert!((rate - log_rate.exp()).abs() < 1e-4 * rate.max(1.0), "{rate} {}", log_rate.exp());
    }
}

#[test]
fn every_stroke_is_taken_back_and_the_last_one_counts() {
    let (_folder, mut bench) = ready();
    let (one, two) = (regions_hidden(&bench, &["R1"]), regions_hidden(&bench, &["R1", "R3"]));
    ask(&mut bench, SpikesCommand::Paint(one.clone()));
    // The second comes while the first is computed, and the third at once after it.
    bench.perform(Command::Spikes(SpikesCommand::Paint(two.clone())));
    bench.tick(0.0);
    let three = regions_hidden(&bench, &["R4"]);
    bench.perform(Command::Spikes(SpikesCommand::Paint(three.clone())));
    bench.wait(LIMIT);
    assert_eq!(found(&bench).mask, three, "only what is on the screen is answered in the end");
    ask(&mut bench, SpikesCommand::Undo);
    assert_eq!((bench.spike_mask(), &found(&bench).mask), (&two, &two));
    ask(&mut bench, SpikesCommand::Undo);
    ask(&mut bench, SpikesCommand::Undo);
    assert_eq!((bench.spike_mask().count(), bench.can_undo_mask()), (0, (false, true)));
    assert!(bench.reconstruction().is_none(), "nothing is hidden, nothing is predicted");
    ask(&mut bench, SpikesCommand::Redo);
    assert_eq!(found(&bench).mask, one);
    let wrong = SpikeMask::new(3, 4);
    ask(&mut bench, SpikesCommand::Paint(wrong));
    assert_eq!(*bench.spike_mask(), one, "a mask of another session is none of this");
}

#[test]
fn the_prompt_follows_from_what_is_hidden_or_from_the_user() {
    let regions = [0, 0, 0, 1, 1, 2];
    let mask = |bins: std::ops::Range<usize>, neurons: &[usize]| {
        let mut mask = SpikeMask::new(10, 6);
        mask.set(bins, neurons.iter().copied(), true);
        mask.scheme(&regions)
    };
    assert_eq!(mask(0..10, &[1, 4]), Scheme::Neuron);
    assert_eq!(mask(0..10, &[3, 4]), Scheme::InterRegion);
    assert_eq!(mask(0..10, &[3, 4, 5]), Scheme::InterRegion);
    assert_eq!(mask(0..10, &[1, 3, 4, 5]), Scheme::IntraRegion, "one region alone is seen, in part");
    assert_eq!(mask(8..10, &[0, 1, 2, 3, 4, 5]), Scheme::Causal);
    assert_eq!(mask(8..10, &[0, 1]), Scheme::Neuron);
    assert_eq!(mask(0..0, &[]), Scheme::Neuron, "nothing is hidden");

    let (_folder, mut bench) = ready();
    let hidden = regions_hidden(&bench, &["R2"]);
    ask(&mut bench, SpikesCommand::Paint(hidden));
    let automatic = found(&bench).bits.pooled;
    ask(&mut bench, SpikesCommand::Prompt(Some(Scheme::Temporal)));
    assert_eq!(found(&bench).scheme, Scheme::Temporal);
    assert_ne!(found(&bench).bits.pooled, automatic, "the network hears the prompt");
}

#[test]
fn any_trial_can_be_shown_and_is_predicted_when_it_was_not() {
    let (_folder, mut bench) = ready();
    let mask = regions_hidden(&bench, &["R2"]);
    ask(&mut bench, SpikesCommand::Paint(mask));
    assert_eq!(bench.spike_trial(), animal().split.test[0], "the first test trial");
    let training = animal().split.train[0];
    assert_eq!(found(&bench).place(training), None);
    let bits = found(&bench).bits.clone();
    ask(&mut bench, SpikesCommand::ShowTrial(training));
    assert!(found(&bench).place(training).is_some());
    assert_eq!(found(&bench).bits, bits, "but it is not scored: the model learned from it");
    ask(&mut bench, SpikesCommand::ShowTrial(usize::MAX));
    assert_eq!(bench.spike_trial(), animal().counts.trials() - 1);
}

#[test]
fn a_model_of_other_animals_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("other.safetensors");
    let mut other = MtmWeights::initial(trained().config(), 1).expect("good sizes");
    other.add_session("mouse-9", &[0.1; 5], 1).expect("a new session");
    other.save(&path).expect("written");
    let mut bench = fake::bench(Duration::ZERO);
    ask(&mut bench, SpikesCommand::Simulate);
    let mask = regions_hidden(&bench, &["R2"]);
    ask(&mut bench, SpikesCommand::Paint(mask));
    ask(&mut bench, SpikesCommand::OpenModel(path));
    let why = bench.spike_failure().expect("it cannot");
    assert!(why.contains("simulated-0-1") && why.contains("mouse-9") && why.contains("mtm adapt"), "{why}");
    let nothing = folder.path().join("nothing.safetensors");
    ask(&mut bench, SpikesCommand::OpenModel(nothing));
    assert!(bench.message().is_some_and(|message| message.error && message.text.contains("nothing.safetensors")));
}

#[test]
fn dropped_files_are_known_by_what_is_in_them() {
    let (folder, path) = model();
    let session = folder.path().join("session.npz");
    animal().save(&session).expect("written");
    let mut bench = fake::bench(Duration::ZERO);
    for path in [session.clone(), path] {
        bench.perform(Command::OpenAny(path));
        assert!(bench.wait(LIMIT).contains(&Event::SpikesAsked));
    }
    assert_eq!(bench.spikes().expect("open").session, *animal());
    assert!(bench.spike_model().is_some());
    let saved: Saved = serde_json::from_str(&serde_json::to_string(&bench.saved()).expect("text")).expect("read");
    assert_eq!(saved.spikes_path.as_deref(), Some(session.as_path()));
    let mut again = fake::bench(Duration::ZERO);
    again.restore(saved);
    assert!(!again.wait(LIMIT).contains(&Event::SpikesAsked), "what is remembered does not turn the window");
    assert!(again.spikes().is_some() && again.spike_model().is_some());

    let alf = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/alf/mouse-7/2020-01-02/001"));
    bench.perform(Command::OpenAny(alf));
    bench.wait(LIMIT);
    assert_eq!(bench.spikes().expect("open").session.id, "mouse-7_2020-01-02_001");
    assert_eq!(bench.spike_mask().count(), 0, "another session has its own mask");
    // A clip in a .npz file is still a clip.
    let clip = folder.path().join("clip.npz");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&clip).expect("a file"));
    zip.start_file("video.npy", zip::write::SimpleFileOptions::default()).expect("a member");
    zip.finish().expect("written");
    bench.perform(Command::OpenAny(clip));
    assert!(!bench.wait(LIMIT).contains(&Event::SpikesAsked));
}

#[test]
fn spikes_mask_and_reconstruction_are_written_as_they_are_shown() {
    let (folder, mut bench) = ready();
    let layout = Layout { width: Some(Width::Column), dpi: 100 };
    bench.perform(Command::SetFigureStyle(FigureStyle { layout, ..FigureStyle::default() }));
    let mask = regions_hidden(&bench, &["R2"]);
    ask(&mut bench, SpikesCommand::Paint(mask.clone()));
    let [_, bins, neurons] = animal().counts.shape();
    let mut export = |name: &str, mean: bool| {
        let path = folder.path().join(name);
        let events = ask(&mut bench, SpikesCommand::ExportFigure { path: path.clone(), mean });
        assert!(events.contains(&Event::Written(path.clone())), "{name}: {:?}", bench.message());
        let stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
        std::fs::read_to_string(folder.path().join(format!("{stem}_numbers.csv"))).expect("written")
    };
    let one = export("one.png", false);
    let all = export("all.svg", true);
    export("paper.pdf", false);
    // 89 mm at 100 dots per inch.
    assert_eq!(image::image_dimensions(folder.path().join("one.png")).expect("a PNG").0, 350);
    let hidden = one.lines().filter(|line| line.starts_with("Mask,") && line.contains("Hidden (1) or seen (0),1,"));
    assert_eq!(hidden.count(), mask.count(), "every hidden place is written as such");
    let trial = bench.spike_trial();
    let truth = animal().of(&[trial]);
    let total = |table: &str, panel: &str| -> f64 {
        let mut rows = csv::Reader::from_reader(table.as_bytes());
        let rows = rows.records().map(|row| row.expect("a row"));
        rows.filter(|row| &row[0] == panel).map(|row| row[5].parse::<f64>().expect("a number")).sum()
    };
    let spikes: f64 = truth.values().iter().map(|&count| f64::from(count)).sum();
    assert_eq!(total(&one, "Spikes"), spikes, "the counts of the trial on the screen");
    let found = found(&bench);
    let place = found.place(trial).expect("predicted");
    let rates: f64 = found.rates.of_trials(&[place]).values().iter().map(|&rate| f64::from(rate)).sum();
    // Seven digits of each rate are written.
    assert!((total(&one, "Predicted rates") - rates).abs() < 1e-5 * rates, "{rates}");
    let mean: f64 = found.mean_rates.values().iter().map(|&rate| f64::from(rate)).sum();
    assert!((total(&all, "Predicted rates") - mean).abs() < 1e-5 * mean, "{mean}");
    let pooled = found.bits.pooled.expect("spikes are hidden");
    let row = one.lines().find(|line| line.starts_with("Bits per spike,all neurons together,")).expect("a row");
    let written: f64 = row.split(',').nth(5).and_then(|bits| bits.parse().ok()).expect("a number");
    assert!((written - pooled).abs() < 1e-6 * pooled.abs().max(1e-3), "{written}, {pooled}");
    assert_eq!(one.lines().filter(|line| line.starts_with("Spikes,")).count(), bins * neurons);
    let drawing = std::fs::read_to_string(folder.path().join("all.svg")).expect("text");
    assert!(
        drawing.contains("Predicted rates") && drawing.contains(&trained().sha256()),
        "weights are named in the file"
    );
    assert!(drawing.contains("; device CPU engine"), "and where they were run");

    // Without a model there are spikes and mask alone; without a session nothing.
    let mut alone = fake::bench(Duration::ZERO);
    let path = folder.path().join("nothing.png");
    ask(&mut alone, SpikesCommand::ExportFigure { path: path.clone(), mean: false });
    assert!(alone.message().is_some_and(|message| message.error && message.text.contains("open a session")));
    ask(&mut alone, SpikesCommand::Simulate);
    ask(&mut alone, SpikesCommand::ExportFigure { path: path.clone(), mean: false });
    let table = std::fs::read_to_string(folder.path().join("nothing_numbers.csv")).expect("written");
    assert!(table.contains("\nSpikes,") && !table.contains("Predicted rates"), "{:?}", alone.message());
}

/// Pictures for human eyes: `TWINSCOPE_SHOTS=folder cargo test --test all shots`.
#[test]
fn shots_of_the_figure_of_the_spikes_for_human_eyes() {
    let Some(shots) = std::env::var_os("TWINSCOPE_SHOTS").map(PathBuf::from) else { return };
    let (_folder, mut bench) = ready();
    let mut mask = regions_hidden(&bench, &["R2"]);
    mask.set(40..50, 0..10, true);
    ask(&mut bench, SpikesCommand::Paint(mask));
    for (name, width, mean) in [("trial", Width::Page, false), ("mean", Width::Column, true)] {
        let layout = Layout { width: Some(width), dpi: 200 };
        bench.perform(Command::SetFigureStyle(FigureStyle { layout, ..FigureStyle::default() }));
        let path = shots.join(format!("figure-spikes-{name}.png"));
        ask(&mut bench, SpikesCommand::ExportFigure { path, mean });
    }
}

#[test]
fn the_window_asks_where_the_figure_of_the_spikes_goes() {
    let (_folder, bench) = ready();
    let trial = bench.spike_trial();
    let mut harness = window(bench, [1280.0, 900.0], spikes_view());
    harness.key_press_modifiers(Modifiers::COMMAND, Key::E);
    harness.run_steps(3);
    let line = harness.get_by_label_contains("The name of the figure");
    assert_eq!(line.value().as_deref(), Some(format!("spikes_trial_{trial}.png").as_str()));
    harness.key_press(Key::Escape);
    harness.run_steps(3);
    app(&mut harness).view.spikes_mean = true;
    harness.run_steps(2);
    harness.get_by_label("Export figure of the spikes…").click();
    harness.run_steps(3);
    let line = harness.get_by_label_contains("The name of the figure");
    assert_eq!(line.value().as_deref(), Some("spikes_mean.png"));
}

fn spikes_view() -> View {
    View { playing: false, workspace: Workspace::Spikes, ..View::default() }
}

fn shows(harness: &Harness<'_, Option<App>>, text: &str) -> bool {
    harness.query_all_by_label_contains(text).count() > 0
}

#[test]
fn without_a_model_the_window_says_how_one_is_made() {
    let mut harness = window(fake::bench(Duration::ZERO), [1280.0, 800.0], View { playing: false, ..View::default() });
    harness.get_by_label("Spikes (MtM)").click();
    harness.run_steps(3);
    assert!(shows(&harness, "twinscope mtm train") && shows(&harness, "drop one here"));
    harness.get_by_label("Simulated animal").click();
    harness.run_steps(3);
    settle(&mut harness);
    assert_eq!(app(&mut harness).bench.spikes().expect("open").session, *animal());
    assert!(shows(&harness, "A simulated animal") && shows(&harness, "of 20 ms"));
    assert_eq!(harness.get_all_by_label("Spikes").count(), 1, "the raster");
}

#[test]
fn a_drag_over_the_raster_hides_what_the_tool_says_and_ctrl_z_takes_it_back() {
    let (_folder, bench) = ready();
    let mut harness = window(bench, [1280.0, 800.0], spikes_view());
    let raster = harness.get_by_label("Spikes").rect();
    // The picture has room for names at the left, for the scale at the right and for the axis below.
    let picture = egui::Rect::from_min_max(raster.min + egui::vec2(58.0, 4.0), raster.max - egui::vec2(46.0, 34.0));
    let at = |x: f32, y: f32| picture.min + egui::vec2(x, y) * picture.size();
    let drag = |harness: &mut Harness<'_, Option<App>>, from: egui::Pos2, to: egui::Pos2| {
        harness.drag_at(from);
        harness.run_steps(1);
        for part in [0.3, 0.7, 1.0] {
            harness.hover_at(from + part * (to - from));
            harness.run_steps(1);
        }
        harness.drop_at(to);
        harness.run_steps(2);
        settle(harness);
    };
    let [_, bins, neurons] = animal().counts.shape();
    drag(&mut harness, at(0.5, 0.01), at(0.6, 0.24));
    let hidden = app(&mut harness).bench.spike_mask().clone();
    let rows = (0..neurons).filter(|&neuron| hidden.hides_neuron(neuron)).count();
    assert_eq!(hidden.count(), rows * bins, "whole neurons");
    assert!(rows.abs_diff(neurons / 4) <= 1, "a quarter of the height: {rows} of {neurons}");
    assert!(shows(&harness, "bits per spike") && shows(&harness, "hidden spikes in"));
    assert_eq!(harness.get_all_by_label("Reconstruction").count(), 2, "its caption and its picture");

    app(&mut harness).view.spike_tool = SpikeTool::Time;
    harness.run_steps(1);
    drag(&mut harness, at(0.81, 0.2), at(0.99, 0.5));
    let both = app(&mut harness).bench.spike_mask().clone();
    assert!((0..neurons).all(|neuron| both.is_hidden(bins - 1, neuron)), "all neurons at the end");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    harness.run_steps(2);
    settle(&mut harness);
    assert_eq!(*app(&mut harness).bench.spike_mask(), hidden);
    harness.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
    harness.run_steps(2);
    settle(&mut harness);
    assert_eq!(*app(&mut harness).bench.spike_mask(), both);
    harness.get_by_label("Clear mask").click();
    harness.run_steps(2);
    settle(&mut harness);
    assert_eq!(app(&mut harness).bench.spike_mask().count(), 0);

    harness.get_by_label("R3").click();
    harness.run_steps(2);
    settle(&mut harness);
    assert_eq!(app(&mut harness).bench.reconstruction().expect("predicted").scheme, Scheme::InterRegion);
    let trial = app(&mut harness).bench.spike_trial();
    harness.key_press(Key::ArrowRight);
    harness.run_steps(2);
    settle(&mut harness);
    assert_eq!(app(&mut harness).bench.spike_trial(), trial + 1);
}
