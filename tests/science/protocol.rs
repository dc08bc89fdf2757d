//! Protocol files: what they say, what is refused and how, and the schedules they make.

use std::collections::BTreeSet;

use twinscope::experiment::Protocol;
use twinscope::experiment::protocol::{Repeats, Steps};
use twinscope::signals::{Monitor, Raster};
use twinscope::stimulus::{Clip, MovingDots, Stimulus, WhiteNoise};

const GRATING: &str = "schema = 1
title = \"Gratings\"

[timing]
stimulus_secs = 1.0

[stimulus]
kind = \"drifting_grating\"
contrast = 1

[sweep.direction_deg]
start = 0.0
step = 45.0
count = 8

[repeats]
count = 3
seed = 7
";

fn read(text: &str) -> Result<Protocol, String> {
    Protocol::from_toml(text, "grating.toml").map_err(|error| error.to_string())
}

/// The message for the grating protocol with one thing replaced.
fn refusal(from: &str, to: &str) -> String {
    assert!(GRATING.contains(from), "`{from}` is not in the protocol");
    match read(&GRATING.replacen(from, to, 1)) {
        Ok(_) => panic!("`{to}` was accepted"),
        Err(message) => message,
    }
}

#[test]
fn a_protocol_survives_writing_and_reading() {
    let stimuli = [
        Stimulus::DriftingGrating(Default::default()),
        Stimulus::MovingDots(MovingDots { coherence: 0.3, ..Default::default() }),
        Stimulus::WhiteNoise(WhiteNoise::default()),
        Stimulus::Clip(Clip::from_path("clips/forest.npy")),
    ];
    for stimulus in stimuli {
        let mut protocol = Protocol { stimulus, ..Protocol::default_direction_tuning() };
        if matches!(protocol.stimulus, Stimulus::WhiteNoise(_) | Stimulus::Clip(_)) {
            protocol.sweep.direction_deg = None;
        }
        for seed in [0, 1, u64::MAX] {
            protocol.repeats.seed = seed;
            let text = protocol.to_toml().expect("writable");
            assert_eq!(Protocol::from_toml(&text, "p.toml").as_ref(), Ok(&protocol), "{text}");
        }
    }
}

#[test]
fn presets_are_valid_and_described() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/protocols");
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(&folder).expect("the folder of presets") {
        let path = entry.expect("readable").path();
        let text = std::fs::read_to_string(&path).expect("text");
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        let protocol = Protocol::from_toml(&text, &name).unwrap_or_else(|error| panic!("{error}"));
        protocol.validate_for(&Monitor::WANG2025).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(text.starts_with("# "), "{name} begins with a comment that says what it is for");
        names.insert(name);
    }
    assert_eq!(Vec::from_iter(names), ["direction_dots.toml", "direction_grating.toml", "white_noise.toml"]);
}

#[test]
fn a_mistyped_key_is_told_its_line_and_the_nearest_one() {
    assert_eq!(
        refusal("stimulus_secs = 1.0", "stimulus_sesc = 1.0"),
        "grating.toml, line 5: `timing.stimulus_sesc` is not a key of a protocol; did you mean `stimulus_secs`?"
    );
    assert_eq!(
        refusal("contrast = 1", "direction_rad = 1.57"),
        "grating.toml, line 9: `stimulus.direction_rad` is not a key of a protocol; \
         give it in degrees, as `direction_deg`"
    );
    assert_eq!(
        refusal("stimulus_secs = 1.0", "stimulus_ms = 1000"),
        "grating.toml, line 5: `timing.stimulus_ms` is not a key of a protocol; \
         give it in seconds, as `stimulus_secs`"
    );
    assert!(refusal("[repeats]", "[repeat]").ends_with("did you mean `repeats`?"));
}

#[test]
fn a_mistyped_stimulus_is_told_the_nearest_one() {
    assert_eq!(
        refusal("drifting_grating", "drifting_gratings"),
        "grating.toml, line 8: `stimulus.kind` is \"drifting_gratings\", which is no known stimulus; \
         did you mean `drifting_grating`?"
    );
    assert!(refusal("kind = \"drifting_grating\"", "").contains("`stimulus.kind` is missing; one of"));
}

#[test]
fn impossible_values_are_told_their_line_and_limits() {
    for (from, to, expected) in [
        ("contrast = 1", "contrast = 1.5", "line 9: `stimulus.contrast` is 1.5; it must lie in 0..=1"),
        ("contrast = 1", "contrast = nan", "line 9: `stimulus.contrast` is NaN"),
        ("contrast = 1", "contrast = \"full\"", "line 9: `stimulus.contrast` must be a number, not text in quotes"),
        ("contrast = 1", "temporal_frequency_hz = 20", "`stimulus.temporal_frequency_hz` is 20; it must lie in 0..=15"),
        ("stimulus_secs = 1.0", "stimulus_secs = 0.0", "line 5: `timing.stimulus_secs` is 0"),
        ("stimulus_secs = 1.0", "skip_secs = 1.5", "line 5: `timing.skip_secs` is 1.5 s, which leaves nothing"),
        ("count = 8", "count = 0", "line 14: `sweep.direction_deg.count` is 0"),
        ("count = 8", "count = -3", "line 14"),
        ("count = 8", "count = 9", "9 directions repeat one another; 40 spaces them evenly"),
        ("count = 8", "", "missing field `count`"),
        ("count = 3", "count = 9000", "line 17: `repeats.count` makes a movie of 30.0 h (72000 presentations)"),
        ("count = 3", "count = 100000000000", "line 17: `repeats.count` is 100000000000; it must lie in 1..=10000"),
        ("seed = 7", "seed = -1", "line 18"),
        ("seed = 7", "seed = \"18446744073709551616\"", "line 18"),
        ("schema = 1", "schema = 2", "line 1: `schema` is 2; this program reads protocols with schema = 1"),
        ("schema = 1", "", "line 1: `schema` is missing"),
        ("title = \"Gratings\"", "title = \"a\\nb\"", "line 2: `title` contains a line break"),
        ("title = \"Gratings\"", "title = Gratings", "line 2"),
        ("[timing]", "[monitor]\npreset = \"wang2052\"\n[timing]", "did you mean `wang2025`?"),
        ("[timing]", "[monitor]\nraster = [0, 256]\n[timing]", "line 5: `monitor.raster` is [0, 256]"),
        ("[timing]", "[monitor]\nraster = [9, 16]\n[timing]", "finer than the screen's 9 x 16 pixels can show"),
    ] {
        let message = refusal(from, to);
        assert!(message.starts_with("grating.toml") && message.contains(expected), "{to}: {message}");
        assert!(!message.contains('\n'), "one line: {message}");
    }
}

#[test]
fn a_clip_and_noise_have_no_direction_to_sweep() {
    for (stimulus, named) in [("clip\"\npath = \"a.npy", "Clip from file"), ("white_noise", "White noise")] {
        let message = refusal("drifting_grating\"\ncontrast = 1", &format!("{stimulus}\""));
        assert!(message.contains(&format!("`sweep.direction_deg` cannot be swept: \"{named}\" has no")), "{message}");
    }
}

#[test]
fn hostile_text_is_refused_without_harm() {
    for text in
        ["", "=", "schema = 1\nstimulus = 3", "\u{0}", "[[stimulus]]", &"[".repeat(100_000), &"#".repeat(2 << 20)]
    {
        assert!(read(text).is_err());
    }
}

#[test]
fn every_block_shows_every_condition_once_in_an_order_of_its_own() {
    let protocol =
        Protocol { repeats: Repeats { count: 4, seed: 5, shuffle: true }, ..Protocol::default_direction_tuning() };
    let schedule = protocol.schedule(&Monitor::WANG2025);
    assert_eq!((schedule.conditions.len(), schedule.presentations.len()), (16, 64));
    let blocks: Vec<Vec<usize>> =
        schedule.presentations.chunks(16).map(|block| block.iter().map(|p| p.condition).collect()).collect();
    for (repeat, block) in blocks.iter().enumerate() {
        assert_eq!(block.iter().collect::<BTreeSet<_>>().len(), 16, "block {repeat}: {block:?}");
        assert!(schedule.presentations[16 * repeat..16 * (repeat + 1)].iter().all(|p| p.repeat == repeat));
    }
    assert_eq!(blocks.iter().collect::<BTreeSet<_>>().len(), 4, "orders differ: {blocks:?}");
    let seeds: BTreeSet<u64> = schedule.presentations.iter().map(|p| p.seed).collect();
    assert_eq!(seeds.len(), 64, "every presentation has its own seed");
}

#[test]
fn a_schedule_is_the_same_on_every_machine() {
    let protocol = Protocol::default_direction_tuning();
    let schedule = protocol.schedule(&Monitor::WANG2025);
    assert_eq!(schedule, protocol.schedule(&Monitor::WANG2025));
    // Written down once: a change means that published seeds no longer give what they gave.
    let order: Vec<usize> = schedule.presentations.iter().take(16).map(|p| p.condition).collect();
    assert_eq!(order, ORDER);
    assert_eq!(schedule.presentations[0].seed, SEED);
    let high = Protocol { repeats: Repeats { seed: 1 + (1 << 63), ..Repeats::default() }, ..protocol };
    assert_ne!(high.schedule(&Monitor::WANG2025), schedule, "the highest bit of a seed counts");
}

const ORDER: [usize; 16] = [5, 2, 6, 8, 11, 4, 10, 7, 12, 1, 0, 9, 15, 3, 13, 14];
const SEED: u64 = 5_262_162_208_663_505_729;

#[test]
fn without_shuffling_conditions_come_in_order() {
    let mut protocol = Protocol::default_direction_tuning();
    protocol.repeats.shuffle = false;
    let schedule = protocol.schedule(&Monitor::WANG2025);
    assert!(schedule.presentations.iter().enumerate().all(|(index, p)| p.condition == index % 16));
}

#[test]
fn presentations_follow_the_timing() {
    let schedule = Protocol::default_direction_tuning().schedule(&Monitor::WANG2025);
    for (index, shown) in schedule.presentations.iter().enumerate() {
        assert_eq!((shown.onset_frame, shown.frames), (15 + 60 * index, 45));
    }
    assert_eq!(schedule.frames, 15 + 60 * 32);
}

#[test]
fn every_condition_moves_in_its_direction() {
    let mut protocol = Protocol::default_direction_tuning();
    for stimulus in [Stimulus::DriftingGrating(Default::default()), Stimulus::MovingDots(Default::default())] {
        protocol.stimulus = stimulus;
        protocol.sweep.direction_deg = Some(Steps { start: -80.0, step: 90.0, count: 4 });
        for (index, condition) in protocol.schedule(&Monitor::WANG2025).conditions.iter().enumerate() {
            let direction = match &condition.stimulus {
                Stimulus::DriftingGrating(grating) => grating.direction_deg,
                Stimulus::MovingDots(dots) => dots.direction_deg,
                other => panic!("{other:?}"),
            };
            // Turned into 0..360: 280, 10, 100, 190.
            let expected = (280.0 + 90.0 * index as f64) % 360.0;
            assert_eq!((condition.direction_deg, direction), (Some(expected), expected));
        }
    }
}

#[test]
fn the_monitor_has_the_raster_of_the_twin_unless_the_protocol_has_one() {
    let mut protocol = Protocol::default_direction_tuning();
    let twin = Raster { height: 36, width: 64 };
    assert_eq!(protocol.monitor(twin), Monitor::WANG2025.with_raster(twin));
    protocol.monitor.raster = Some([72, 128]);
    assert_eq!(protocol.monitor(twin).raster, Raster { height: 72, width: 128 });
}

#[test]
fn a_title_follows_the_stimulus_until_someone_writes_another() {
    let mut protocol = Protocol::default_direction_tuning();
    assert_eq!(protocol.title, protocol.usual_title());
    let sweep = protocol.sweep.direction_deg;
    protocol.show_instead(MovingDots::default().into(), sweep);
    assert_eq!(protocol.title, "Direction tuning, moving dots");
    protocol.show_instead(WhiteNoise::default().into(), None);
    assert_eq!(protocol.title, "White noise");
    protocol.title = "Mine".to_owned();
    protocol.show_instead(MovingDots::default().into(), sweep);
    assert_eq!(protocol.title, "Mine");
}
