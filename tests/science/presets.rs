//! The protocols that come with the program: that each reads, is possible, and shows something.

use std::collections::BTreeSet;
use std::path::Path;

use twinscope::experiment::{ConditionTable, Protocol};
use twinscope::signals::{Monitor, Raster};
use twinscope::stimulus::Prepared;

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
        // Longer than anyone waits for the pilot twin to watch.
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
