//! A whole run with a twin whose tuning is known.

use twinscope::experiment::{Outcome, Protocol, RunError, run};
use twinscope::job::Progress;
use twinscope::signals::Behavior;

use super::tuned::{LabelledFrames, TunedTwin};

pub fn outcome() -> Outcome {
    let mut twin = TunedTwin::new(vec![0.0, 90.0, 191.25, 300.0], vec![2.0, 4.0, 1.0, 0.0]);
    attempt(&mut twin).expect("the run succeeds")
}

fn attempt(twin: &mut TunedTwin) -> Result<Outcome, RunError> {
    let protocol = Protocol::default_direction_tuning();
    run(&protocol, twin, None, &mut LabelledFrames::draw, &Progress::new(), &mut |_| ())
}

#[test]
fn a_unit_tuned_to_a_direction_comes_out_at_that_direction() {
    let outcome = outcome();
    let tuning = outcome.tuning.as_ref().expect("directions were swept");
    assert_eq!(tuning.directions_deg.len(), 16);
    assert_eq!(tuning.presentations, [2; 16]);
    let preferred: Vec<Option<f32>> = tuning.units.iter().map(|unit| unit.preferred_direction_deg).collect();
    for (found, expected) in preferred.iter().zip([0.0, 90.0, 191.25]) {
        let found = found.expect("a peak has a direction");
        // Responses are f32; 0 may come out as a hair below 360.
        let off = (f64::from(found) - expected + 180.0).rem_euclid(360.0) - 180.0;
        assert!(off.abs() < 1e-4, "prefers {found}, is tuned to {expected}");
    }
    assert_eq!(preferred[3], None, "a flat unit prefers nothing");
    let dsi = tuning.units[0].global_dsi.expect("it responds");
    assert!((dsi - 0.697_775).abs() < 2e-6, "gDSI is {dsi}");
    // Repeats of a deterministic twin agree.
    assert_eq!(tuning.units[0].sem.as_deref(), Some(&[0.0; 16][..]));
}

#[test]
fn a_run_tells_what_it_was_made_of() {
    let outcome = outcome();
    let provenance = &outcome.provenance;
    assert_eq!(provenance.twin, "Built-in twin");
    assert_eq!(provenance.notice(), "Built-in twin: learned from a simulated mouse");
    assert_eq!((provenance.weights_sha256.as_str(), provenance.device.as_str()), ("00ff", "test device"));
    assert_eq!(provenance.seed, outcome.protocol.repeats.seed);
    assert_eq!(outcome.responses.frames(), outcome.schedule.frames);
}

/// Runs a protocol and says in which order its frames came.
fn frames_seen(protocol: &Protocol) -> (Outcome, Vec<usize>) {
    let mut twin = TunedTwin::new(vec![0.0, 90.0], vec![2.0, 2.0]);
    let (mut seen, progress) = (Vec::new(), Progress::new());
    let outcome = run(protocol, &mut twin, None, &mut LabelledFrames::draw, &progress, &mut |partial| {
        seen.extend((0..partial.rows.len() / 2).map(|row| partial.first_frame + row));
    })
    .expect("the run succeeds");
    assert_eq!(progress.fraction(), Some(1.0));
    (outcome, seen)
}

#[test]
fn rows_of_one_movie_arrive_in_order_while_the_run_goes_on() {
    let mut protocol = Protocol::default_direction_tuning();
    protocol.timing.apart = false;
    let (outcome, seen) = frames_seen(&protocol);
    assert_eq!(seen, (0..outcome.schedule.frames).collect::<Vec<_>>());
}

#[test]
fn conditions_are_shown_one_after_another_and_every_frame_comes_once() {
    let protocol = Protocol::default_direction_tuning();
    let (outcome, mut seen) = frames_seen(&protocol);
    let condition = |frame: &usize| {
        outcome.schedule.presentation_at(*frame).map(|shown| outcome.schedule.presentations[shown].condition)
    };
    let mut order: Vec<usize> = seen.iter().filter_map(condition).collect();
    order.dedup();
    assert_eq!(order, (0..16).collect::<Vec<_>>());
    seen.sort_unstable();
    assert_eq!(seen, (0..outcome.schedule.frames).collect::<Vec<_>>());
}

#[test]
fn what_a_twin_without_memory_answers_does_not_depend_on_what_is_shown_together() {
    let mut protocol = Protocol::default_direction_tuning();
    protocol.timing.per_trial = 5;
    protocol.timing.between_trials_secs = 0.7;
    let (apart, _) = frames_seen(&protocol);
    protocol.timing.apart = false;
    let (together, _) = frames_seen(&protocol);
    assert_eq!(apart.schedule, together.schedule);
    assert!(apart.responses == together.responses && apart.tuning == together.tuning);
}

#[test]
fn a_cancelled_run_is_told_apart_from_a_failed_one() {
    let mut twin = TunedTwin::new(vec![0.0], vec![2.0]);
    twin.cancel_at = 90;
    assert!(matches!(attempt(&mut twin), Err(RunError::Cancelled(_))));
}

#[test]
fn a_response_that_is_no_number_ends_the_run() {
    let mut twin = TunedTwin::new(vec![0.0], vec![2.0]);
    twin.first = Some(f32::NAN);
    let error = attempt(&mut twin).expect_err("NaN is refused");
    let cause = std::error::Error::source(&error).expect("has a cause").to_string();
    assert!(cause.contains("unit 0 at frame 0 is NaN"), "{cause}");
}

#[test]
fn behaviour_of_another_length_is_refused() {
    let mut twin = TunedTwin::new(vec![0.0], vec![2.0]);
    let behavior = Behavior::still(10, 1);
    let protocol = Protocol::default_direction_tuning();
    let error = run(&protocol, &mut twin, Some(&behavior), &mut LabelledFrames::draw, &Progress::new(), &mut |_| ())
        .expect_err("10 frames are too few");
    assert_eq!(error.to_string(), "the behaviour has 10 frames and 1 samples; the movie has 1935 and 1");
}

#[test]
fn a_screen_that_the_twin_does_not_take_is_refused() {
    let mut twin = TunedTwin::new(vec![0.0], vec![2.0]);
    twin.card.raster = twinscope::signals::Raster { height: 72, width: 128 };
    let error = attempt(&mut twin).expect_err("the movie has other pixels").to_string();
    assert!(error.starts_with("the movie has 36 x 64 pixels and the twin takes 72 x 128"), "{error}");
}

#[test]
fn an_impossible_protocol_is_refused_before_anything_is_drawn() {
    let mut twin = TunedTwin::new(vec![0.0], vec![2.0]);
    let mut protocol = Protocol::default_direction_tuning();
    protocol.timing.stimulus_secs = f64::NAN;
    let mut draw = |_: &_, _: &_| panic!("drawn");
    let error = run(&protocol, &mut twin, None, &mut draw, &Progress::new(), &mut |_| ())
        .expect_err("NaN seconds are impossible");
    assert!(matches!(error, RunError::Protocol(_)), "{error}");
}

#[test]
fn an_outcome_is_written_as_files_that_others_can_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let outcome = outcome();
    let below = folder.path().join("made/when/absent");
    let paths = outcome.write(&below).expect("writable");
    let names: Vec<String> =
        paths.iter().map(|path| path.file_name().expect("a file").to_string_lossy().into_owned()).collect();
    let expected =
        ["protocol.toml", "outcome.json", "conditions.csv", "responses.npy", "tuning.csv", "selectivity.csv"];
    assert_eq!(names, expected);
    assert_eq!(std::fs::read_dir(&below).expect("readable").count(), expected.len(), "nothing is left behind");
    let text = |name: &str| std::fs::read_to_string(below.join(name)).expect("text");

    assert_eq!(Protocol::from_toml(&text("protocol.toml"), "protocol.toml"), Ok(outcome.protocol.clone()));
    let json: serde_json::Value = serde_json::from_str(&text("outcome.json")).expect("JSON");
    assert_eq!(json["provenance"]["weights_sha256"], "00ff");
    assert_eq!(json["notice"], "Built-in twin: learned from a simulated mouse");

    let tuning = text("tuning.csv");
    assert_eq!(tuning.lines().count(), 1 + 4 * 16);
    assert!(tuning.starts_with("animal,session,scan,unit,direction_deg,mean,sem,n\nM1,4,7,11,0,"), "{tuning}");
    let selectivity = text("selectivity.csv");
    let flat = selectivity.lines().last().expect("the flat unit");
    assert!(flat.starts_with("M1,4,7,20,") && flat.ends_with(','), "undefined is empty: {flat}");
    assert_eq!(text("conditions.csv").lines().count(), 1 + 32);

    let bytes = std::fs::read(below.join("responses.npy")).expect("readable");
    let array = npyz::NpyFile::new(&bytes[..]).expect("an array");
    assert_eq!(array.shape(), [1935, 4]);
    assert_eq!(array.into_vec::<f32>().expect("f32"), outcome.responses.values());
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let error = outcome().write(&file.path().join("below")).expect_err("a file is no folder");
    assert!(error.to_string().contains("below could not be written"), "{error}");
}
