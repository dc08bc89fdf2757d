//! The protocols that come with the program: that each reads, is possible, shows something, and runs to its figures.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use twinscope::experiment::protocol::{DIRECTION, Repeats, Timing, Values};
use twinscope::experiment::{ConditionTable, Outcome, Protocol, run};
use twinscope::figures::{Data, Figure, Layout, write};
use twinscope::gpu::ComputeDevice;
use twinscope::job::Progress;
use twinscope::model::twin::{Twin, TwinOptions};
use twinscope::model::weights;
use twinscope::signals::{Monitor, Raster, SourceError};
use twinscope::stimulus::{self, Prepared};

/// Presets by their file names.
fn presets() -> Vec<(String, String, Protocol)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER);
    let mut presets = Vec::new();
    for entry in std::fs::read_dir(&folder).expect("the folder of presets") {
        let path = entry.expect("readable").path();
        let text = std::fs::read_to_string(&path).expect("text");
        let name = path.file_stem().expect("a file").to_string_lossy().into_owned();
        let protocol = Protocol::from_toml(&text, &name).unwrap_or_else(|error| panic!("{error}"));
        presets.push((name, text, protocol));
    }
    presets.sort_by(|a, b| a.0.cmp(&b.0));
    presets
}

const FOLDER: &str = "assets/protocols";

#[test]
fn presets_are_valid_described_and_survive_writing() {
    let mut titles = BTreeSet::new();
    for (name, text, protocol) in presets() {
        protocol.validate_for(&Monitor::WANG2025).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(text.starts_with("# "), "{name} begins with a comment that says what it is for");
        let written = protocol.to_toml().expect("writable");
        assert_eq!(Protocol::from_toml(&written, &name).as_ref(), Ok(&protocol), "{name}: {written}");
        assert!(titles.insert(protocol.title.clone()), "two presets are called {}", protocol.title);
        // Longer than anyone waits for the built-in twin to watch.
        let secs = protocol.schedule(&Monitor::WANG2025).frames as f64 / 30.0;
        assert!(secs < 1800.0, "{name} lasts {secs} s");
    }
}

#[test]
fn the_domains_of_the_paper_and_the_classic_experiments_are_there() {
    let there: BTreeSet<String> = presets().into_iter().map(|(name, _, _)| name).collect();
    for name in [
        "paper_moving_dots",
        "paper_monet",
        "paper_gabor",
        "paper_gaussian_dots",
        "paper_static_images",
        "paper_natural_clips",
        "direction_dots",
        "direction_grating",
        "direction_gabor",
        "orientation_static_grating",
        "spatial_temporal_frequency",
        "contrast",
        "size",
        "surround",
        "speed",
        "coherence",
        "receptive_field_dots",
        "receptive_field_sparse_noise",
        "chirp",
        "full_field_flash",
        "moving_bar",
        "white_noise",
        "pink_noise",
        "trippy",
    ] {
        assert!(there.contains(name), "{name}.toml is missing");
    }
}

#[test]
fn presets_of_the_paper_have_its_numbers_of_frames() {
    let frames = |wanted: &str| {
        let (_, _, mut protocol) = presets().into_iter().find(|(name, _, _)| name == wanted).expect("a preset");
        protocol.timing.lead_in_secs = 0.0;
        let schedule = protocol.schedule(&Monitor::WANG2025);
        (schedule.conditions.len(), schedule.presentations[0].frames, schedule.frames)
    };
    // Conditions, frames of each presentation, frames of all.
    assert_eq!(frames("paper_gabor"), (72, 25, 5 * 6 * (12 * 25 + 30)));
    assert_eq!(frames("paper_moving_dots"), (32, 60, 5 * 32 * 60 + 32 * 30));
    assert_eq!(frames("paper_gaussian_dots"), (1, 6 * 315, 5 * (6 * 315 + 30)));
    assert_eq!(frames("paper_monet"), (1, 450, 10 * (450 + 30)));
    assert_eq!(frames("paper_natural_clips"), (6, 300, 18_000));
    assert_eq!(frames("paper_static_images"), (1, 15, 60 * 30));
}

#[test]
fn presets_show_something() {
    for (name, _, protocol) in presets() {
        // Few pixels, so that all of them together take about a second; the same degrees.
        let monitor = protocol.monitor(Raster { height: 36, width: 64 });
        let schedule = protocol.schedule(&monitor);
        let table = ConditionTable::new(&protocol, &schedule, monitor.frame_rate);
        assert_eq!(table.row(0).map(|row| row.len()), Some(table.header().len()), "{name}");
        let last = schedule.conditions.iter().rposition(|condition| !condition.is_blank()).expect("a condition");
        for index in [0, last] {
            let condition = &schedule.conditions[index];
            let prepared = Prepared::modified(&condition.stimulus, &condition.modifiers, &monitor, 1)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            let mut pixels = vec![0; monitor.raster.pixels()];
            let seen = (0..=60).step_by(6).any(|frame| {
                prepared.frame(frame, &mut pixels);
                pixels.iter().any(|&grey| grey != monitor.background)
            });
            assert!(seen, "{name}: condition {index} shows nothing in its first two seconds");
        }
    }
}

/// The same experiment in seconds: two values of everything that is swept, four frames each.
fn shortened(protocol: &Protocol) -> Protocol {
    let mut short = protocol.clone();
    short.timing =
        Timing { lead_in_secs: 0.0, stimulus_secs: 4.0 / 30.0, blank_secs: 0.0, skip_secs: 0.0, ..short.timing };
    short.repeats = Repeats { count: 1, ..short.repeats };
    for index in 0..protocol.parts().len() {
        let sweep: Vec<_> = protocol.part(index).expect("a part").sweep.iter().cloned().collect();
        for swept in sweep {
            let values = match swept.values {
                Values::Steps(mut steps) => {
                    steps.count = steps.count.min(2);
                    Values::Steps(steps)
                }
                Values::List(list) => Values::List(list.into_iter().take(2).collect()),
            };
            assert!(short.set_sweep(index, &swept.key, values));
        }
    }
    short
}

fn outcome_of(protocol: &Protocol, twin: &mut Twin) -> Outcome {
    let cpu = ComputeDevice::Cpu;
    let mut draw = |schedule: &_, monitor: &_| {
        stimulus::source(schedule, monitor, Path::new(""), &cpu).map_err(|error| SourceError::new(error.to_string()))
    };
    run(protocol, twin, None, &mut draw, &Progress::new(), &mut |_| ()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_preset_runs_through_a_twin_to_tables_and_figures_of_what_it_sweeps() {
    let mut twin =
        Twin::open(Arc::new(weights::builtin()), &ComputeDevice::Cpu, TwinOptions::default()).expect("opens");
    for (name, _, protocol) in presets() {
        let protocol = shortened(&protocol);
        let outcome = outcome_of(&protocol, &mut twin);
        let folder = tempfile::tempdir().expect("a folder");
        for path in outcome.write(folder.path()).expect("writable") {
            assert!(path.metadata().expect("there").len() > 0, "{} is empty", path.display());
        }
        let table = |file: &str| std::fs::read_to_string(folder.path().join(file)).expect("a table");
        let header = |file: &str| table(file).lines().next().expect("a header").to_owned();
        for key in protocol.swept_keys() {
            let columns = header("conditions.csv");
            assert!(columns.split(',').any(|column| column == key), "{name}: {key} is not among {columns}");
        }

        let data = Data::of(&outcome);
        let drawn: Vec<Figure> = Figure::all(0).into_iter().filter(|figure| figure.fits(&data)).collect();
        let text_of = |figure: Figure| {
            figure.of(&data).svg(&Layout::default()).unwrap_or_else(|error| panic!("{name} {figure:?}: {error}"))
        };
        for &figure in &drawn {
            let text = text_of(figure);
            assert!(text.contains(&protocol.title.replace('&', "&amp;")), "{name} {figure:?} has no title");
            assert!(text.contains("Built-in twin: learned from a simulated mouse"), "{name} {figure:?}");
        }
        // One of them as pixels: drawing them all would take a minute.
        let picture = folder.path().join("figure.png");
        write(*drawn.last().expect("at least the response"), &data, &picture).expect("writable");
        assert!(picture.metadata().expect("there").len() > 10_000, "{name}: an empty picture");

        let (unit, sheet) = (0, Figure::Summary { unit: 0 });
        let of_direction = [Figure::DirectionTuning { unit }, Figure::HeatMap, Figure::Population];
        let of_parameter = [Figure::ParameterTuning { unit }, Figure::ParameterPopulation];
        let Some(key) = protocol.tuning_key() else {
            assert_eq!(drawn, [Figure::Traces { unit }], "{name} sweeps nothing");
            continue;
        };
        assert!(header("tuning.csv").split(',').any(|column| column == key), "{name}: {}", header("tuning.csv"));
        assert!(drawn.contains(&Figure::Traces { unit }) && drawn.contains(&sheet), "{name}: {drawn:?}");
        let swept = protocol.swept_keys();
        assert_eq!(of_direction.map(|figure| drawn.contains(&figure)), [swept.contains(&DIRECTION); 3], "{name}");
        assert_eq!(of_parameter.map(|figure| drawn.contains(&figure)), [key != DIRECTION; 2], "{name}");
        let label = match protocol.swept_field(key) {
            _ if key == DIRECTION => "Direction of motion",
            field => field.expect("it is swept").label,
        };
        let about = if key == DIRECTION { &of_direction[..2] } else { &of_parameter[..] };
        for &figure in about.iter().chain([&sheet]) {
            assert!(text_of(figure).contains(label), "{name} {figure:?} does not say {label}");
        }
        assert_eq!(text_of(sheet).contains("gDSI"), key == DIRECTION, "{name}: the sheet is about {key}");
    }
}
