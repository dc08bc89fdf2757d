//! `twinscope compare` as a user runs it.

use twinscope::data::Session;
use twinscope::model::weights;

use super::{refuses, succeeds, text};
use crate::science::evaluation::tiny_twin;

/// Gratings in four directions, a second each.
const PROTOCOL: &str = "schema = 1\ntitle = \"Four directions\"\n[monitor]\nraster = [18, 32]\n[timing]\n\
                        lead_in_secs = 0.0\nstimulus_secs = 1.0\nblank_secs = 0.0\nskip_secs = 0.1\n[stimulus]\n\
                        kind = \"drifting_grating\"\n[sweep]\ndirection_deg = [45, 0, 90, 180, 270]\n[repeats]\ncount = 1\n\
                        order = \"listed\"\n";

#[test]
fn a_twin_is_laid_beside_its_session_and_a_stranger_only_as_a_population() {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| text(&scratch.path().join(name)).to_owned();
    std::fs::write(at("p.toml"), PROTOCOL).expect("a writable folder");
    let simulate = ["simulate", "--protocol", &at("p.toml"), "--units", "5", "--test-movies", "4"];
    succeeds(&[&simulate[..], &["--mice", "2", "--test-repeats", "3", "-o", &at("mice")]].concat());
    let mouse = at("mice/mouse-1");
    let twin = tiny_twin(&Session::open(mouse.as_ref()).expect("a session"), &[0, 3, 4]);
    weights::save(at("twin.safetensors").as_ref(), &twin).expect("a writable folder");
    let (twin, out, other) = (at("twin.safetensors"), at("out"), at("mice/mouse-2"));
    let base = |session: &str, out: &str| {
        ["compare", "--twin", &twin, "--device", "cpu", "--session", session, "--out", out].map(str::to_owned).to_vec()
    };
    let run = |all: &[String]| succeeds(&all.iter().map(String::as_str).collect::<Vec<_>>());

    let printed = run(&base(&mouse, &out));
    for name in [
        "units.csv",
        "summary.csv",
        "evaluation.json",
        "tuning.csv",
        "tuning_summary.csv",
        "accuracy.png",
        "accuracy.svg",
        "accuracy_numbers.csv",
        "domains.png",
        "traces_drifting_grating.png",
        "traces_drifting_grating_numbers.csv",
        "tuning_drifting_grating.svg",
    ] {
        let path = scratch.path().join("out").join(name);
        assert!(printed.lines().any(|line| line == text(&path)) && path.is_file(), "{name}: {printed}");
    }
    assert!(printed.contains("Drifting grating: median CC_norm "), "{printed}");
    assert!(printed.contains("Drifting grating: gOSI, in silico against in vivo: r = "), "{printed}");

    let said = refuses(&base(&other, &at("stranger")).iter().map(String::as_str).collect::<Vec<_>>());
    assert!(said.contains("different animals") && said.contains("--population"), "{said}");
    assert!(!scratch.path().join("stranger").exists());
    let mut population = base(&other, &at("population"));
    population.push("--population".to_owned());
    let printed = run(&population);
    assert!(printed.contains("not the same cells") && printed.contains("population.png"), "{printed}");
    assert!(scratch.path().join("population/population_summary.csv").is_file());
}
