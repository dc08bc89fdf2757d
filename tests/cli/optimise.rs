//! `twinscope optimise` as a user runs it.

use twinscope::data::Session;
use twinscope::model::weights;

use super::{refuses, succeeds, text};
use crate::science::evaluation::tiny_twin;

const PROTOCOL: &str = "schema = 1\ntitle = \"One direction\"\n[monitor]\nraster = [18, 32]\n[timing]\n\
                        lead_in_secs = 0.0\nstimulus_secs = 1.0\nblank_secs = 0.0\nskip_secs = 0.1\n[stimulus]\n\
                        kind = \"drifting_grating\"\n[sweep]\ndirection_deg = [0, 90, 180]\n[repeats]\ncount = 1\n\
                        order = \"listed\"\n";

#[test]
fn a_stimulus_is_optimised_for_units_or_an_area_and_shown_again() {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| text(&scratch.path().join(name)).to_owned();
    std::fs::write(at("p.toml"), PROTOCOL).expect("a writable folder");
    succeeds(&["simulate", "--protocol", &at("p.toml"), "--units", "5", "--test-movies", "2", "-o", &at("mice")]);
    let session = Session::open(at("mice/mouse-1").as_ref()).expect("a session");
    let twin = tiny_twin(&session, &[0, 3, 4]);
    weights::save(at("twin.safetensors").as_ref(), &twin).expect("a writable folder");
    let twin = at("twin.safetensors");
    let few = ["optimise", "--twin", &twin, "--steps", "3", "--random", "2", "--frames", "3", "--device", "cpu"];

    let printed = succeeds(&[&few[..], &["--units", "0,2", "-o", &at("units")]].concat());
    let files = [
        "stimulus.npy",
        "stimulus.png",
        "protocol.toml",
        "responses.csv",
        "log.csv",
        "summary.json",
        "optimised.png",
        "optimised.svg",
    ];
    for name in files {
        let path = scratch.path().join("units").join(name);
        assert!(printed.lines().any(|line| line == text(&path)) && path.is_file(), "{name}: {printed}");
    }
    let found = printed.lines().last().expect("a finding");
    assert!(found.starts_with("Most exciting image for 2 units: response ") && found.contains("2 random"), "{found}");
    // Made before, so that nothing is computed again.
    assert_eq!(succeeds(&[&few[..], &["--units", "0,2", "-o", &at("units")]].concat()), printed);
    succeeds(&["run", &at("units/protocol.toml"), "--out", &at("again"), "--device", "cpu"]);

    // The second row of the readout is the unit that was recorded as number 4.
    let printed = succeeds(&[&few[..], &["--units", "1", "-o", &at("one")]].concat());
    assert!(printed.contains("Most exciting image for unit 4 (row 1): response "), "{printed}");

    let area = session.units[0].area.clone().expect("simulated units have areas");
    let of_area = ["--area", &area, "--session", &at("mice/mouse-1"), "--kind", "movie", "--direction", "least"];
    let printed = succeeds(&[&few[..], &of_area, &["-o", &at("area")]].concat());
    assert!(printed.contains("stimulus.gif") && printed.contains("Least exciting movie for "), "{printed}");
    let summary = std::fs::read_to_string(at("area/summary.json")).expect("written");
    let summary: serde_json::Value = serde_json::from_str(&summary).expect("JSON");
    let expected = [0, 3, 4].iter().filter(|&&unit| session.units[unit].area.as_ref() == Some(&area)).count();
    assert_eq!(summary["units"].as_array().map(Vec::len), Some(expected), "{summary}");
    assert_eq!(summary["provenance"]["weights_sha256"].as_str().map(str::len), Some(64), "{summary}");

    let refuse = |more: &[&str]| refuses(&[&few[..], more, &["-o", &at("none")]].concat());
    assert!(refuse(&["--units", "3"]).contains("3 was asked of a twin with 3 units"));
    assert!(refuse(&["--area", "XY", "--session", &at("mice/mouse-1")]).contains("no unit of the twin lies in XY"));
    assert!(refuse(&["--units", "0", "--window", "x"]).contains("is no window of frames"));
    assert!(refuse(&["--units", "0", "--gaze", "1"]).contains("is no pair of numbers"));
    assert!(refuse(&["--units", "0", "--contrast", "2"]).contains("the contrast is 2"));
    assert!(!scratch.path().join("none").exists());
}
