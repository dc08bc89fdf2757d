//! `twinscope evaluate` as a user runs it.

use twinscope::data::Session;
use twinscope::model::weights;

use super::{refuses, succeeds, text};
use crate::science::evaluation::tiny_twin;

/// Gratings in two directions and their noise, half a second each.
pub const PROTOCOL: &str = "schema = 1\ntitle = \"Two directions\"\n[monitor]\nraster = [18, 32]\n[timing]\n\
                        lead_in_secs = 0.0\nstimulus_secs = 1.0\nblank_secs = 0.0\nskip_secs = 0.1\n[stimulus]\n\
                        kind = \"drifting_grating\"\n[sweep]\ndirection_deg = [0, 90, 180]\n[repeats]\ncount = 1\n\
                        order = \"listed\"\n";

#[test]
fn a_simulated_session_is_evaluated_and_a_stranger_is_refused() {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| text(&scratch.path().join(name)).to_owned();
    std::fs::write(at("p.toml"), PROTOCOL).expect("a writable folder");
    let simulate = ["simulate", "--protocol", &at("p.toml"), "--units", "5", "--test-movies", "2"];
    succeeds(&[&simulate[..], &["--mice", "2", "--test-repeats", "4", "-o", &at("mice")]].concat());
    let mouse = at("mice/mouse-1");
    let twin = tiny_twin(&Session::open(mouse.as_ref()).expect("a session"), &[0, 3, 4]);
    weights::save(at("twin.safetensors").as_ref(), &twin).expect("a writable folder");
    let base = ["evaluate", "--twin", &at("twin.safetensors"), "--device", "cpu"].map(str::to_owned);
    let with = |session: &str, out: &str, more: &[&str]| -> Vec<String> {
        let rest = ["--session", session, "--out", out].into_iter().chain(more.iter().copied()).map(str::to_owned);
        base.iter().cloned().chain(rest).collect()
    };
    let run = |all: Vec<String>| succeeds(&all.iter().map(String::as_str).collect::<Vec<_>>());
    let refuse = |all: Vec<String>| refuses(&all.iter().map(String::as_str).collect::<Vec<_>>());

    let printed = run(with(&mouse, &at("out"), &["--domain", "drifting grating"]));
    for name in ["units.csv", "summary.csv", "evaluation.json", "evaluation.png", "evaluation.svg"] {
        let path = scratch.path().join("out").join(name);
        assert!(printed.lines().any(|line| line == text(&path)) && path.is_file(), "{name}: {printed}");
    }
    let found = printed.lines().last().expect("a finding");
    assert!(found.starts_with("Drifting grating: median CC_norm ") && found.contains("with the true rate"), "{found}");
    assert!(found.ends_with("(3 units, 2 movies × 4 repeats)"), "{found}");
    let units = std::fs::read_to_string(scratch.path().join("out/units.csv")).expect("written");
    assert_eq!(units.lines().count(), 1 + 3);
    assert!(units.lines().nth(2).expect("a row").starts_with("simulated-1-1,1,1,4,"), "{units}");

    let said = refuse(with(&at("mice/mouse-2"), &at("other"), &[]));
    assert!(said.contains("animal simulated-1-1 is not in this recording of animal simulated-1-2"), "{said}");
    assert!(said.contains("`twinscope compare --population` compares populations"), "{said}");
    let said = refuse(with(&mouse, &at("other"), &["--domain", "Dots"]));
    assert!(said.contains("no trial of the domain `Dots` to evaluate; it has Drifting grating"), "{said}");
    let said = refuse(with(&mouse, &at("p.toml"), &[]));
    assert!(said.contains("is no folder"), "{said}");
    assert!(!scratch.path().join("other").exists());
    let training = run(with(&mouse, &at("learned"), &["--trials", "training"]));
    assert!(training.contains("no CC_norm (no frame was measured more than once)"), "{training}");
}
