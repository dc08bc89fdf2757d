//! Protocol files: what they say, what is refused and how, and the schedules they make.

use std::collections::BTreeSet;

use twinscope::experiment::ConditionTable;
use twinscope::experiment::Protocol;
use twinscope::experiment::protocol::{Level, Order, Part, Repeats, Steps, Sweep, Timing, Values};
use twinscope::signals::{Monitor, Raster};
use twinscope::stimulus::{Clip, DriftingGrating, ModifierKind, MovingDots, Stimulus, StimulusKind, WhiteNoise};

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
            protocol.sweep = Sweep::default();
        }
        for seed in [0, 1, u64::MAX] {
            protocol.repeats.seed = seed;
            let text = protocol.to_toml().expect("writable");
            assert_eq!(Protocol::from_toml(&text, "p.toml").as_ref(), Ok(&protocol), "{text}");
        }
    }
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
        ("count = 8", "", "line 11: `sweep.direction_deg` is missing field `count`; it needs `start`, `step`, `count`"),
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
        assert!(
            message.contains(&format!("`sweep.direction_deg` cannot be swept: \"{named}\" has no `direction_deg`")),
            "{message}"
        );
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
    let protocol = Protocol {
        repeats: Repeats { count: 4, seed: 5, ..Repeats::default() },
        ..Protocol::default_direction_tuning()
    };
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
    protocol.repeats.order = Order::Listed;
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
        protocol.sweep = Sweep::directions(Some(Steps { start: -80.0, step: 90.0, count: 4 }));
        for (index, condition) in protocol.schedule(&Monitor::WANG2025).conditions.iter().enumerate() {
            // Turned into 0..360: 280, 10, 100, 190.
            let expected = (280.0 + 90.0 * index as f64) % 360.0;
            assert_eq!(condition.direction_deg(), Some(expected));
            assert_eq!(condition.stimulus.direction_deg(), Some(expected));
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
    let sweep = protocol.sweep.clone();
    protocol.show_instead(MovingDots::default().into(), sweep.clone());
    assert_eq!(protocol.title, "Direction tuning, moving dots");
    protocol.show_instead(WhiteNoise::default().into(), Sweep::default());
    assert_eq!(protocol.title, "White noise");
    protocol.title = "Mine".to_owned();
    protocol.show_instead(MovingDots::default().into(), sweep);
    assert_eq!(protocol.title, "Mine");
}

/// A protocol with everything that can be asked for.
const WHOLE: &str = "schema = 1
title = \"Everything\"
[twin]
path = \"twins/mouse\"
scan = \"4-7\"
[monitor]
distance_cm = 20
background = 100
angles = \"small_angle\"
linear_light = true
[timing]
stimulus_secs = 1.0
per_trial = 3
between_trials_secs = 2.0
[repeats]
count = 2
seed = 9
order = \"full\"
blanks = 2
[analysis]
tuning = \"aperture.diameter_deg\"
[stimulus]
kind = \"drifting_grating\"
[[modify]]
kind = \"aperture\"
x_deg = 5
[sweep]
temporal_frequency_hz = [1, 4]
aperture.diameter_deg = [10, 20, 40]
spherical = [false, true]
direction_deg = { start = 0, step = 180, count = 2 }
aperture.shape = [\"circle\", \"surround\"]
[[also]]
name = \"Flow\"
[also.stimulus]
kind = \"moving_dots\"
[also.sweep]
coherence = [0.5, 1.0]
[[also]]
[also.stimulus]
kind = \"white_noise\"
";

fn whole_protocol() -> Protocol {
    Protocol::from_toml(WHOLE, "whole.toml").unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn everything_that_can_be_asked_for_survives_writing_and_reading() {
    let protocol = whole_protocol();
    let text = protocol.to_toml().expect("writable");
    assert_eq!(Protocol::from_toml(&text, "p.toml").as_ref(), Ok(&protocol), "{text}");
    let json = serde_json::to_string(&protocol).expect("writable");
    assert_eq!(serde_json::from_str::<Protocol>(&json).expect("its own text"), protocol, "{json}");
}

#[test]
fn sweeps_are_factorial_in_the_order_of_the_file_the_first_slowest() {
    let protocol = whole_protocol();
    let keys = ["temporal_frequency_hz", "aperture.diameter_deg", "spherical", "direction_deg", "aperture.shape"];
    assert_eq!(protocol.sweep.keys().collect::<Vec<_>>(), keys);
    let conditions = protocol.conditions();
    assert_eq!(conditions.len(), 2 * 3 * 2 * 2 * 2 + 2 + 1 + 1);
    let first: Vec<f64> = conditions[0].swept.iter().map(|(_, value)| *value).collect();
    assert_eq!(first, [1.0, 10.0, 0.0, 0.0, 0.0]);
    assert_eq!(conditions[1].swept("aperture.shape"), Some(2.0), "the last varies fastest");
    assert_eq!(conditions[2].swept("direction_deg"), Some(180.0));
    assert_eq!(conditions[24].swept("temporal_frequency_hz"), Some(4.0), "the first varies slowest");
    for condition in &conditions[..48] {
        assert_eq!(condition.modifiers[0].get("diameter_deg"), condition.swept("aperture.diameter_deg"));
        assert_eq!(condition.modifiers[0].get("x_deg"), Some(5.0));
        assert_eq!(condition.stimulus.get("spherical"), condition.swept("spherical"));
    }
    assert_eq!(conditions[48].part, Some(1));
    assert_eq!(conditions[49].swept, [("coherence".to_owned(), 1.0)]);
    assert_eq!((conditions[50].part, conditions[50].swept.len()), (Some(2), 0));
    assert!(conditions[51].is_blank());
}

#[test]
fn a_key_may_name_the_stimulus_it_belongs_to() {
    let text = GRATING.replace("[sweep.direction_deg]", "[sweep.stimulus.direction_deg]");
    let protocol = read(&text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(protocol, read(GRATING).expect("the same by its short name"));
    let message = read(&text.replace("count = 8", "count = 9")).expect_err("directions repeat");
    assert!(message.starts_with("grating.toml, line 13: `sweep.direction_deg.step` is 45, so that"), "{message}");
}

/// The message for WHOLE with one thing replaced.
fn refusal_of_whole(from: &str, to: &str) -> String {
    assert!(WHOLE.contains(from), "`{from}` is not in the protocol");
    match Protocol::from_toml(&WHOLE.replacen(from, to, 1), "whole.toml") {
        Ok(_) => panic!("`{to}` was accepted"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn mistakes_in_lists_modifiers_parts_and_sweeps_are_told_their_line_key_and_remedy() {
    for (from, to, expected) in [
        ("x_deg = 5", "y_def = 5", "line 26: `modify[0].y_def` is not a key of a protocol; did you mean `y_deg`?"),
        (
            "x_deg = 5",
            "x_px = 5",
            "line 26: `modify[0].x_px` is not a key of a protocol; give it in degrees, as `x_deg`",
        ),
        ("x_deg = 5", "x_deg = 500", "line 26: `modify[0].x_deg` is 500; it must lie in -90..=90 deg"),
        (
            "x_deg = 5",
            "shape = \"circel\"",
            "line 26: `modify[0].shape` is \"circel\", which means nothing here; did you mean `circle`?",
        ),
        (
            "kind = \"aperture\"",
            "kind = \"apperture\"",
            "line 25: `modify[0].kind` is \"apperture\", which is no known modifier; did you mean `aperture`?",
        ),
        ("kind = \"aperture\"\n", "", "`modify[0].kind` is missing; one of"),
        ("[[modify]]", "[modify]", "line 24: `modify` must be a list of tables, not a table; write [[modify]]"),
        (
            "temporal_frequency_hz = [1, 4]",
            "temporal_frequency_hz = [1, 40]",
            "line 28: `sweep.temporal_frequency_hz[1]` is 40; it must lie in 0..=15 Hz",
        ),
        (
            "temporal_frequency_hz = [1, 4]",
            "temporal_frequency_hz = [1, \"fast\"]",
            "line 28: `sweep.temporal_frequency_hz[1]` is \"fast\"; it must be a number",
        ),
        (
            "temporal_frequency_hz = [1, 4]",
            "temporal_frequency_hz = [1, 4, 1]",
            "line 28: `sweep.temporal_frequency_hz[2]` is 1, which stands in the list already",
        ),
        (
            "temporal_frequency_hz = [1, 4]",
            "temporal_frequency_hz = []",
            "line 28: `sweep.temporal_frequency_hz` is an empty list",
        ),
        (
            "temporal_frequency_hz = [1, 4]",
            "temporal_frequency_hz = [1, [4]]",
            "line 28: `sweep.temporal_frequency_hz[1]` must be a number, a word or true or false",
        ),
        (
            "temporal_frequency_hz = [1, 4]",
            "temporal_frequency_hz = 4",
            "must be { start, step, count } or a list in [ ], not a whole number",
        ),
        (
            "temporal_frequency_hz = [1, 4]",
            "temporal_frequency_khz = [1, 4]",
            "line 28: `sweep.temporal_frequency_khz` cannot be swept: \"Drifting grating\" has no `temporal_frequency_khz`; did you mean `temporal_frequency_hz`?",
        ),
        (
            "temporal_frequency_hz = [1, 4]",
            "temporal_frequency_hz = { start = 1, step = 4, count = 9 }",
            "line 28: `sweep.temporal_frequency_hz.step` leads to 33 as the last of 9 values; they must lie in 0..=15 Hz",
        ),
        (
            "temporal_frequency_hz = [1, 4]",
            "contrast = { start = 0, step = 0, count = 2 }",
            "`sweep.contrast.step` is 0, so that all 2 values are 0",
        ),
        (
            "temporal_frequency_hz = [1, 4]",
            "contrast = { start = 0, setp = 0, count = 2 }",
            "`sweep.contrast.setp` is not a key of a protocol; did you mean `step`?",
        ),
        (
            "aperture.diameter_deg = [10, 20, 40]",
            "aperture.diameter_def = [1]",
            "did you mean `aperture.diameter_deg`?",
        ),
        ("aperture.diameter_deg = [10, 20, 40]", "diameter_deg = [1]", "did you mean `aperture.diameter_deg`?"),
        (
            "aperture.diameter_deg = [10, 20, 40]",
            "aperture.diameter_deg = [10, 200]",
            "line 29: `sweep.aperture.diameter_deg[1]` is 200; it must lie in 0..=180 deg",
        ),
        (
            "aperture.shape = [\"circle\", \"surround\"]",
            "aperture.shape = [\"circle\", \"suround\"]",
            "line 32: `sweep.aperture.shape[1]` is \"suround\"; it must be one of `circle`, `annulus`, `surround`",
        ),
        (
            "aperture.shape = [\"circle\", \"surround\"]",
            "aperture.shape = { start = 0, step = 1, count = 2 }",
            "line 32: `sweep.aperture.shape` cannot be swept in steps; list its values: one of `circle`",
        ),
        (
            "spherical = [false, true]",
            "spherical = [false, 1]",
            "line 30: `sweep.spherical[1]` is 1; it must be true or false",
        ),
        (
            "spherical = [false, true]",
            "contrast = { start = 0, step = 0.0001, count = 5000 }",
            "line 30: `sweep.contrast.count` is 5000; it must lie in 1..=4096",
        ),
        (
            "spherical = [false, true]",
            "contrast = { start = 0, step = 0.001, count = 800 }",
            "line 27: `sweep` makes 19203 conditions in all; at most 4096",
        ),
        (
            "coherence = [0.5, 1.0]",
            "coherance = [0.5]",
            "line 38: `also[0].sweep.coherance` cannot be swept: \"Moving dots\" has no `coherance`; did you mean `coherence`?",
        ),
        (
            "coherence = [0.5, 1.0]",
            "coherence = [0.5, 1.5]",
            "line 38: `also[0].sweep.coherence[1]` is 1.5; it must lie in 0..=1",
        ),
        (
            "kind = \"moving_dots\"",
            "kind = \"moving_dot\"",
            "line 36: `also[0].stimulus.kind` is \"moving_dot\", which is no known stimulus; did you mean `moving_dots`?",
        ),
        (
            "kind = \"white_noise\"",
            "kind = \"white_noise\"\nsquare_px = 3",
            "line 42: `also[1].stimulus.square_px` is not a key of a protocol; give it in degrees, as `square_deg`",
        ),
        ("name = \"Flow\"", "title = \"Flow\"", "line 34: `also[0].title` is not a key of a protocol"),
        ("name = \"Flow\"", "name = \"\"", "line 34: `also[0].name` has 0 characters"),
        (
            "kind = \"drifting_grating\"",
            "kind = \"white_noise\"",
            "line 28: `sweep.temporal_frequency_hz` cannot be swept: \"White noise\" has no `temporal_frequency_hz`",
        ),
        ("order = \"full\"", "order = \"random\"", "line 18: `repeats.order` is impossible: unknown variant"),
        (
            "order = \"full\"",
            "order = \"full\"\nshuffle = true",
            "`order` and `shuffle` say the same; remove `shuffle`",
        ),
        ("blanks = 2", "blanks = 5000", "line 19: `repeats.blanks` is 5000; it must lie in 0..=4096"),
        ("blanks = 2", "blanks = -2", "line 19: `repeats.blanks` is impossible"),
        ("per_trial = 3", "", "`timing.between_trials_secs` has no effect without trials"),
        (
            "per_trial = 3",
            "per_trail = 3",
            "line 13: `timing.per_trail` is not a key of a protocol; did you mean `per_trial`?",
        ),
        (
            "tuning = \"aperture.diameter_deg\"",
            "tuning = \"contrast\"",
            "line 21: `analysis.tuning` is \"contrast\", which is not swept; swept here: `temporal_frequency_hz`",
        ),
        (
            "distance_cm = 20",
            "distance_mm = 200",
            "line 7: `monitor.distance_mm` is not a key of a protocol; give it in centimetres, as `distance_cm`",
        ),
        ("distance_cm = 20", "distance_cm = 0", "line 7: `monitor.distance_cm` is 0; it must lie in 1..=1000"),
        ("background = 100", "background = 300", "line 8: `monitor.background` is impossible"),
        ("angles = \"small_angle\"", "angles = \"small\"", "line 9: `monitor.angles` is impossible: unknown variant"),
        ("path = \"twins/mouse\"", "path = \"\"", "line 4: `twin.path` is empty"),
        ("path = \"twins/mouse\"", "file = \"twins/mouse\"", "line 4: `twin.file` is not a key of a protocol"),
    ] {
        let message = refusal_of_whole(from, to);
        assert!(message.starts_with("whole.toml") && message.contains(expected), "{to}:\n{message}\n{expected}");
        assert!(!message.contains('\n'), "one line: {message}");
    }
}

#[test]
fn a_modifier_that_is_swept_but_absent_is_asked_for() {
    let text = WHOLE.replace("[[modify]]\nkind = \"aperture\"\nx_deg = 5\n", "");
    let message = Protocol::from_toml(&text, "p.toml").expect_err("no aperture").to_string();
    assert!(message.contains("add [[modify]] with kind = \"aperture\""), "{message}");
}

#[test]
fn what_a_swept_value_makes_impossible_is_blamed_on_the_sweep() {
    let text = GRATING.replace("contrast = 1", "contrast = 1\n[sweep]\nspatial_frequency_cyc_per_deg = [0.1, 0.45]");
    let text = text.replace("[sweep.direction_deg]\nstart = 0.0\nstep = 45.0\ncount = 8\n", "");
    let protocol = Protocol::from_toml(&text, "p.toml").unwrap_or_else(|error| panic!("{error}"));
    let coarse = Monitor::WANG2025.with_raster(Raster { height: 72, width: 128 });
    let error = protocol.validate_for(&coarse).expect_err("finer than the pixels");
    assert_eq!(error.key(), Some("sweep.spatial_frequency_cyc_per_deg"), "{error}");
}

#[test]
fn a_sweep_that_changes_nothing_is_refused_with_what_to_sweep_instead() {
    let flow = GRATING.replace("\"drifting_grating\"\ncontrast = 1", "\"moving_dots\"\nmotion = \"flow\"");
    let message = read(&flow).expect_err("a flow has no direction");
    assert_eq!(
        message,
        "grating.toml, line 11: `sweep.direction_deg` changes nothing: a flow has no one direction; sweep `spiral_deg`, \
         or set `motion` to \"translation\""
    );
    read(&flow.replace("[sweep.direction_deg]", "[sweep.spiral_deg]")).expect("that is what a flow has");

    let modified = "\n[[modify]]\nkind = \"aperture\"\n\n[sweep]\naperture.inner_diameter_deg = [5, 10]\n";
    let (grating, rest) = GRATING.split_at(GRATING.find("\n[sweep").expect("a sweep"));
    let rest = &rest[rest.find("\n[repeats").expect("repeats")..];
    let message = read(&format!("{grating}{modified}{rest}")).expect_err("a disc has no hole");
    assert!(message.contains("line 15: `sweep.aperture.inner_diameter_deg` changes nothing"), "{message}");
    assert!(message.contains("sweep `aperture.diameter_deg`, or set `shape` to \"annulus\""), "{message}");

    let further =
        format!("{GRATING}\n[[also]]\n[also.stimulus]\nkind = \"moving_dots\"\n[also.sweep]\nspiral_deg = [0, 90]\n");
    let message = read(&further).expect_err("a translation has no spiral");
    assert!(message.contains("`also[0].sweep.spiral_deg` changes nothing"), "{message}");
    // It matters for one of the motions.
    read(&further.replace("[0, 90]", "[0, 90]\nmotion = [\"translation\", \"flow\"]")).expect("a flow is among them");
}

#[test]
fn what_shuffle_meant_is_still_read() {
    let order = |line: &str| {
        let protocol = read(&GRATING.replace("seed = 7", &format!("seed = 7\n{line}"))).expect("a protocol");
        protocol.repeats.order
    };
    assert_eq!(order("shuffle = true"), Order::Blocks);
    assert_eq!(order("shuffle = false"), Order::Listed);
    assert_eq!(order(""), Order::Blocks);
    assert_eq!(order("order = \"full\""), Order::Full);
    let text = read(GRATING).expect("a protocol").to_toml().expect("writable");
    assert!(text.contains("order = \"blocks\"") && !text.contains("shuffle"), "{text}");
}

#[test]
fn a_protocol_of_before_keeps_its_schedule_to_the_bit() {
    // Onsets, conditions and seeds of the first version of the format.
    let dots = "schema = 1\ntitle = \"Dots\"\n[stimulus]\nkind = \"moving_dots\"\n[sweep]\n\
                direction_deg = { start = 10, step = 90, count = 4 }\n[repeats]\ncount = 3\nseed = 12\nshuffle = true\n";
    let schedule = read(dots).expect("a protocol").schedule(&Monitor::WANG2025);
    let mut sum = 0_u64;
    for (index, shown) in schedule.presentations.iter().enumerate() {
        for word in
            [shown.condition as u64, shown.repeat as u64, shown.onset_frame as u64, shown.frames as u64, shown.seed]
        {
            sum = sum.rotate_left(7).wrapping_add(word.wrapping_mul(2 * index as u64 + 1));
        }
    }
    let order: Vec<usize> = schedule.presentations.iter().map(|shown| shown.condition).collect();
    assert_eq!((order, schedule.frames, sum), (BEFORE.to_vec(), 15 + 12 * 60, CHECKSUM_BEFORE));
}

const BEFORE: [usize; 12] = [0, 2, 3, 1, 1, 2, 3, 0, 2, 3, 0, 1];
const CHECKSUM_BEFORE: u64 = 7_447_171_619_525_044_719;

fn plain(stimulus: Stimulus, count: usize, secs: f64) -> Protocol {
    Protocol {
        timing: Timing { lead_in_secs: 0.0, stimulus_secs: secs, blank_secs: 0.0, skip_secs: 0.0, ..Timing::default() },
        stimulus,
        sweep: Sweep::default(),
        repeats: Repeats { count, ..Repeats::default() },
        ..Protocol::default_direction_tuning()
    }
}

#[test]
fn the_domains_of_the_paper_have_its_numbers_of_frames() {
    let grating = Stimulus::from(DriftingGrating::default());
    let frames = |protocol: &Protocol| protocol.schedule(&Monitor::WANG2025).frames;
    // Gabors: 72 conditions as 6 clips of 12 presentations of 25 frames.
    let mut gabor = plain(grating.clone(), 1, 0.8333);
    gabor.sweep.set("direction_deg", Values::Steps(Steps::round_the_circle(8)));
    gabor.sweep.set("spatial_frequency_cyc_per_deg", Values::numbers([0.025, 0.043, 0.091]));
    gabor.sweep.set("temporal_frequency_hz", Values::numbers([0.6, 1.7, 4.2]));
    gabor.timing.per_trial = 12;
    gabor.timing.between_trials_secs = 1.0;
    assert_eq!(frames(&gabor), 6 * (12 * 25 + 30));
    // Gaussian dots: 35 of 9 frames a clip; 210 are 6 clips.
    let mut dots = plain(grating.clone(), 1, 0.3);
    dots.sweep.set("contrast", Values::numbers((0..210).map(|index| f64::from(index) / 210.0)));
    dots.timing.per_trial = 35;
    dots.timing.between_trials_secs = 1.0;
    assert_eq!(frames(&dots), 6 * (315 + 30));
    // Random dots: 5 of 60 frames a clip.
    let mut moving = plain(MovingDots::default().into(), 5, 2.0);
    moving.timing.per_trial = 5;
    assert_eq!(frames(&moving), 5 * 60);
    // Monet2: 15 s.
    assert_eq!(frames(&plain(WhiteNoise::default().into(), 1, 15.0)), 450);
    // The test set: 6 clips, 10 repeats.
    let mut test = plain(grating, 10, 10.0);
    test.sweep.set("phase_deg", Values::Steps(Steps { start: 0.0, step: 60.0, count: 6 }));
    assert_eq!(frames(&test), 18_000);
}

#[test]
fn a_longer_grey_gap_follows_every_trial() {
    let mut protocol = plain(WhiteNoise::default().into(), 7, 1.0);
    protocol.timing = Timing { per_trial: 3, between_trials_secs: 2.0, blank_secs: 0.5, ..protocol.timing };
    let schedule = protocol.schedule(&Monitor::WANG2025);
    let onsets: Vec<usize> = schedule.presentations.iter().map(|shown| shown.onset_frame).collect();
    assert_eq!(onsets, [0, 45, 90, 195, 240, 285, 390]);
    assert_eq!(schedule.frames, 435);
}

#[test]
fn all_presentations_can_be_shuffled_together() {
    let mut protocol = Protocol::default_direction_tuning();
    protocol.repeats = Repeats { count: 4, seed: 3, order: Order::Full, ..Repeats::default() };
    let schedule = protocol.schedule(&Monitor::WANG2025);
    let order: Vec<usize> = schedule.presentations.iter().map(|shown| shown.condition).collect();
    for condition in 0..16 {
        let repeats: Vec<usize> =
            schedule.presentations.iter().filter(|p| p.condition == condition).map(|p| p.repeat).collect();
        assert_eq!(repeats, [0, 1, 2, 3], "repeats of a condition are counted as they come");
    }
    assert!(order.chunks(16).any(|block| block.iter().collect::<BTreeSet<_>>().len() < 16), "no blocks: {order:?}");
    let seeds: BTreeSet<u64> = schedule.presentations.iter().map(|p| p.seed).collect();
    assert_eq!(seeds.len(), 64, "every presentation has its own seed");
    let blocks = Protocol { repeats: Repeats { order: Order::Blocks, ..protocol.repeats.clone() }, ..protocol };
    let of_blocks: BTreeSet<u64> = blocks.schedule(&Monitor::WANG2025).presentations.iter().map(|p| p.seed).collect();
    assert_eq!(seeds, of_blocks, "the order changes which is shown when, not what is shown");
}

#[test]
fn frozen_chance_is_the_same_in_every_repeat_and_another_in_every_condition() {
    let mut protocol = Protocol::default_direction_tuning();
    let thawed = protocol.schedule(&Monitor::WANG2025);
    protocol.repeats.frozen = true;
    let schedule = protocol.schedule(&Monitor::WANG2025);
    let seeds: BTreeSet<(usize, u64)> =
        schedule.presentations.iter().map(|shown| (shown.condition, shown.seed)).collect();
    assert_eq!(seeds.len(), 16);
    assert_eq!(seeds.iter().map(|(_, seed)| seed).collect::<BTreeSet<_>>().len(), 16);
    let first = |schedule: &twinscope::stimulus::Schedule| -> BTreeSet<u64> {
        schedule.presentations.iter().filter(|shown| shown.repeat == 0).map(|shown| shown.seed).collect()
    };
    assert_eq!(first(&schedule), first(&thawed), "the first repeat is as it was");
}

#[test]
fn blanks_are_a_condition_of_their_own_among_the_others() {
    let mut protocol = Protocol::default_direction_tuning();
    protocol.repeats = Repeats { count: 3, seed: 1, order: Order::Listed, blanks: 4, frozen: false };
    let schedule = protocol.schedule(&Monitor::WANG2025);
    assert_eq!((schedule.conditions.len(), schedule.presentations.len()), (17, 60));
    assert!(schedule.conditions[16].is_blank());
    let places: Vec<usize> = (0..20).filter(|&index| schedule.presentations[index].condition == 16).collect();
    assert_eq!(places, [4, 9, 14, 19], "evenly among the listed");
    protocol.repeats.order = Order::Blocks;
    let schedule = protocol.schedule(&Monitor::WANG2025);
    for block in schedule.presentations.chunks(20) {
        assert_eq!(block.iter().filter(|shown| shown.condition == 16).count(), 4);
    }
    let repeats: Vec<usize> =
        schedule.presentations.iter().filter(|shown| shown.condition == 16).map(|shown| shown.repeat).collect();
    assert_eq!(repeats, (0..12).collect::<Vec<_>>());
}

#[test]
fn a_blank_shows_the_background() {
    use twinscope::signals::FrameSource;
    let mut protocol = plain(WhiteNoise::default().into(), 1, 0.1);
    protocol.repeats = Repeats { count: 1, seed: 1, order: Order::Listed, blanks: 1, frozen: false };
    let monitor = Monitor { background: 100, ..Monitor::WANG2025.with_raster(Raster { height: 9, width: 16 }) };
    let schedule = protocol.schedule(&monitor);
    assert_eq!(schedule.frames, 6);
    let mut source = twinscope::stimulus::ScheduleSource::new(schedule, &monitor).expect("it can be shown");
    let mut pixels = vec![0; 6 * 9 * 16];
    source.read(0, 6, &mut pixels).expect("frames");
    assert!(pixels[..9 * 16].iter().any(|&grey| grey != 100), "noise first");
    assert!(pixels[3 * 9 * 16..].iter().all(|&grey| grey == 100), "then the background");
}

#[test]
fn the_monitor_is_the_preset_with_what_the_protocol_changes() {
    use twinscope::signals::Angles;
    let monitor = whole_protocol().monitor(Raster { height: 36, width: 64 });
    let expected = Monitor {
        raster: Raster { height: 36, width: 64 },
        distance_cm: 20.0,
        background: 100,
        angles: Angles::SmallAngle,
        linear_light: true,
        ..Monitor::WANG2025
    };
    assert_eq!(monitor, expected);
}

#[test]
fn the_tuning_curve_is_over_what_was_asked_for_else_the_direction_else_the_first() {
    let mut protocol = whole_protocol();
    assert_eq!(protocol.tuning_key(), Some("aperture.diameter_deg"));
    protocol.analysis.tuning = None;
    assert_eq!(protocol.tuning_key(), Some("direction_deg"));
    protocol.remove_sweep(0, "direction_deg").expect("it was swept");
    assert_eq!(protocol.tuning_key(), Some("temporal_frequency_hz"));
    assert_eq!(protocol.usual_title(), "Temporal frequency tuning, drifting gratings and moving dots and white noise");
    protocol.sweep = Sweep::default();
    assert_eq!(protocol.tuning_key(), Some("coherence"), "of a further part");
    protocol.also.clear();
    assert_eq!(protocol.tuning_key(), None);
}

#[test]
fn sweeps_are_set_changed_and_removed_by_key() {
    let mut protocol = Protocol::default_direction_tuning();
    protocol.modify.push(ModifierKind::ALL[0].modifier());
    assert!(protocol.set_sweep(0, "aperture.diameter_deg", Values::numbers([10.0, 20.0])));
    assert!(!protocol.set_sweep(0, "nothing", Values::numbers([1.0])));
    assert!(!protocol.set_sweep(1, "contrast", Values::numbers([1.0])));
    assert_eq!(protocol.swept_keys(), ["direction_deg", "aperture.diameter_deg"]);
    assert_eq!(protocol.swept_field("aperture.diameter_deg").map(|field| field.unit), Some("deg"));
    protocol.sweep.move_to("aperture.diameter_deg", 0);
    assert_eq!(protocol.swept_keys(), ["aperture.diameter_deg", "direction_deg"]);
    assert!(protocol.set_sweep(0, "direction_deg", Values::numbers([0.0])), "set again in its place");
    assert_eq!(protocol.conditions().len(), 2);
    assert_eq!(protocol.remove_sweep(0, "direction_deg"), Some(Values::numbers([0.0])));
    protocol.also.push(Part::new(StimulusKind::MovingDots.stimulus()));
    assert!(protocol.set_sweep(1, "coherence", Values::List(vec![Level::Number(0.5)])));
    assert_eq!(protocol.parts().len(), 2);
    protocol.sweep.retain_known(&StimulusKind::MovingDots.stimulus(), &[]);
    assert!(protocol.sweep.is_empty());
}

#[test]
fn files_move_with_their_folder() {
    let folder = std::path::Path::new("/data/experiment");
    let mut protocol = whole_protocol();
    protocol.also.push(Part::new(Clip { path: "clips/a.npy".into(), ..Clip::default() }.into()));
    let before = protocol.clone();
    protocol.resolve_paths(folder);
    assert_eq!(protocol.twin.as_ref().expect("named").path, folder.join("twins/mouse"));
    let clip = |protocol: &Protocol| match &protocol.also[2].stimulus {
        Stimulus::Clip(clip) => clip.path.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(clip(&protocol), folder.join("clips/a.npy"));
    assert_eq!(protocol.relative_to(folder), before);
    assert_eq!(clip(&protocol.relative_to(std::path::Path::new("/elsewhere"))), folder.join("clips/a.npy"));
}

#[test]
fn the_table_of_conditions_has_a_row_a_presentation_and_a_column_a_swept_parameter() {
    let mut protocol = whole_protocol();
    protocol.repeats.order = Order::Listed;
    let monitor = protocol.monitor(Raster::WANG2025);
    let schedule = protocol.schedule(&monitor);
    let table = ConditionTable::new(&protocol, &schedule, monitor.frame_rate);
    assert_eq!(table.len(), schedule.presentations.len());
    assert_eq!(
        table.header().join(","),
        "index,condition,repeat,onset_frame,onset_secs,frames,seed,part,kind,temporal_frequency_hz,\
         aperture.diameter_deg,spherical,direction_deg,aperture.shape,coherence"
    );
    let seed = schedule.presentations[1].seed.to_string();
    let row = ["1", "1", "0", "60", "2", "30", &seed, "Drifting grating", "drifting_grating"];
    let swept = ["1", "10", "false", "0", "surround", ""];
    assert_eq!(
        table.row(1).expect("a second row"),
        row.iter().chain(&swept).map(ToString::to_string).collect::<Vec<_>>()
    );
    let rows: Vec<Vec<String>> = table.rows().collect();
    let of_part = |part: &str| rows.iter().find(|row| row[7] == part).unwrap_or_else(|| panic!("no {part}"));
    assert_eq!((of_part("Flow")[8].as_str(), of_part("Flow")[14].as_str()), ("moving_dots", "0.5"));
    assert_eq!(of_part("White noise")[8], "white_noise");
    assert_eq!(of_part("blank")[8..], [""; 7]);
    let mut csv = Vec::new();
    table.write_csv(&mut csv).expect("memory is writable");
    assert_eq!(String::from_utf8(csv).expect("text").lines().count(), 1 + rows.len());
    assert_eq!(table.row(rows.len()), None);
}
