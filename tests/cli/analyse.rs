//! `twinscope analyse` as a user runs it.

use super::{refuses, succeeds, text};

const PROTOCOL: &str = "schema = 1\ntitle = \"Eight directions\"\n[monitor]\nraster = [18, 32]\n[timing]\n\
                        lead_in_secs = 0.0\nstimulus_secs = 0.5\nblank_secs = 0.1\nskip_secs = 0.1\n[stimulus]\n\
                        kind = \"drifting_grating\"\n[sweep]\ndirection_deg = { start = 0, step = 45, count = 8 }\n\
                        [repeats]\ncount = 2\n";

#[test]
fn a_run_and_a_session_are_analysed_into_tables_and_a_figure() {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| text(&scratch.path().join(name)).to_owned();
    std::fs::write(at("p.toml"), PROTOCOL).expect("a writable folder");
    succeeds(&["simulate", "--protocol", &at("p.toml"), "--units", "6", "--test-movies", "2", "-o", &at("mice")]);
    let session = at("mice/mouse-1");
    let printed = succeeds(&["analyse", "--session", &session, "--resamples", "20", "-o", &at("session")]);
    for name in
        ["findings.txt", "analysis.png", "analysis.svg", "units_and_conditions.png", "pca.csv", "fit_direction_deg.csv"]
    {
        let path = scratch.path().join("session").join(name);
        assert!(printed.lines().any(|line| line == text(&path)) && path.is_file(), "{name}: {printed}");
    }
    let own =
        std::fs::read_to_string(at("p.toml")).expect("just written").replace("[monitor]\nraster = [18, 32]\n", "");
    std::fs::write(at("own.toml"), own).expect("a writable folder");
    let run = ["analyse", "--protocol", &at("own.toml"), "--device", "cpu", "--resamples", "20", "-o", &at("run")];
    let printed = succeeds(&run);
    assert!(printed.contains("Decoding of direction_deg, linear discriminant, 2 folds"), "{printed}");
    let fits = std::fs::read_to_string(at("run/fit_direction_deg.csv")).expect("written");
    assert_eq!(fits.lines().count(), 1 + 320, "one row for each unit of the built-in twin");
    let left: Vec<String> = std::fs::read_dir(at("run"))
        .expect("written")
        .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with('.') || name == "conditions")
        .collect();
    assert!(left.is_empty(), "responses were left behind: {left:?}");

    // The same of a run that was written before: nothing is run again, and every table has the same bytes.
    succeeds(&["run", &at("own.toml"), "--out", &at("outcome"), "--npz", "--device", "cpu"]);
    assert!(std::fs::read(at("outcome/outcome.npz")).expect("written").starts_with(b"PK"), "a zip file");
    let outcome = at("outcome");
    let printed = succeeds(&["analyse", "--outcome", &outcome, "--resamples", "20", "-o", &at("again")]);
    for name in ["fit_direction_deg.csv", "reliability.csv", "correlations.csv", "population.csv", "examples.png"] {
        let [first, again] = ["run", "again"].map(|folder| std::fs::read(at(&format!("{folder}/{name}"))));
        assert_eq!(first.expect("written"), again.expect("written"), "{name}: {printed}");
    }
    let refused = refuses(&["analyse", "--outcome", &at("session"), "-o", &at("none")]);
    assert!(refused.contains("holds no run"), "{refused}");
    refuses(&["analyse", "--protocol", &at("own.toml"), "--receptive-fields", "x", "-o", &at("none")]);
    assert!(refuses(&["analyse", "--session", &at("absent"), "-o", &at("none")]).contains("absent"));
}
