//! Runs that are killed, continued, divided and joined, as a user does it.

use std::collections::BTreeMap;
use std::path::Path;

use twinscope::data::Session;
use twinscope::model::weights;

use super::evaluate::PROTOCOL;
use super::{killed_when, refuses, succeeds, text, twinscope};
use crate::science::evaluation::tiny_twin;

/// Six directions, 21 frames each.
const SIX_DIRECTIONS: &str = "schema = 1\ntitle = \"Six directions\"\n[timing]\nlead_in_secs = 0.1\nstimulus_secs = 0.5\n\
                              blank_secs = 0.1\nskip_secs = 0.1\n[stimulus]\nkind = \"drifting_grating\"\n\
                              [sweep]\ndirection_deg = { start = 0, step = 60, count = 6 }\n[repeats]\ncount = 2\n";

/// Every finished file below a folder with its bytes. What a killed process was writing has a hidden name.
pub fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inside) = folders.pop() {
        for entry in std::fs::read_dir(&inside).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.strip_prefix(folder).expect("inside").display().to_string();
            if path.is_dir() {
                folders.push(path);
            } else if !name.contains(".twinscope-unfinished-") {
                found.insert(name, std::fs::read(&path).expect("readable"));
            }
        }
    }
    found
}

#[track_caller]
fn assert_same(one: &Path, other: &Path) {
    let (one, other) = (files(one), files(other));
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    for (name, bytes) in &one {
        assert!(bytes == &other[name], "{name} differs");
    }
}

#[test]
fn a_run_that_was_killed_goes_on_and_ends_with_the_same_bytes() {
    let scratch = tempfile::tempdir().expect("a folder");
    let protocol = scratch.path().join("protocol.toml");
    std::fs::write(&protocol, SIX_DIRECTIONS).expect("writable");
    let (whole, killed) = (scratch.path().join("whole"), scratch.path().join("killed"));
    succeeds(&["run", text(&protocol), "--out", text(&whole), "--device", "cpu"]);
    let parts = |folder: &Path| {
        let names = files(folder).into_keys();
        names.filter(|name| name.starts_with("conditions/")).collect::<Vec<_>>()
    };
    assert_eq!(parts(&whole).len(), 6);

    killed_when(&["run", text(&protocol), "--out", text(&killed), "--device", "cpu"], || {
        killed.join("conditions").is_dir() && !parts(&killed).is_empty()
    });
    let left = parts(&killed);
    assert!(left.len() < 6, "it was killed too late to show anything");
    assert!(files(&killed).contains_key("run.json"), "what is left says where it comes from");
    let made = |name: &String| std::fs::metadata(killed.join(name)).and_then(|about| about.modified()).expect("there");
    let before: Vec<_> = left.iter().map(made).collect();

    let output = twinscope(&["run", text(&protocol), "--out", text(&killed), "--device", "cpu"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains(&format!("{} of 6 conditions are there already", left.len())), "{said}");
    assert_eq!(before, left.iter().map(made).collect::<Vec<_>>(), "what was finished is not written again");
    assert_same(&whole, &killed);

    // Another protocol in the same folder uses nothing of it, and says so.
    std::fs::write(&protocol, SIX_DIRECTIONS.replace("stimulus_secs = 0.5", "stimulus_secs = 0.4")).expect("writable");
    let output = twinscope(&["run", text(&protocol), "--out", text(&killed), "--device", "cpu", "--shard", "1/6"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("6 files in") && said.contains("they are kept but not used"), "{said}");
    assert!(!said.contains("already"), "{said}");
    assert_eq!(parts(&killed).len(), 7);
}

/// Sixteen short steps, each with a look at a trial that is kept from learning, and with a checkpoint.
const SHORT_STEPS: &str = "schema = 1\n[batch]\nsamples = 2\nframes = 12\nburnin_frames = 4\n[schedule]\nsteps = 16\n\
                           warmup_epochs = 4\n[validation]\ntrials = 1\nevery = 1\n";

#[test]
fn an_adaptation_that_was_killed_goes_on_and_ends_with_the_same_bytes() {
    let scratch = tempfile::tempdir().expect("a folder");
    let at = |name: &str| scratch.path().join(name);
    std::fs::write(at("protocol.toml"), PROTOCOL).expect("writable");
    std::fs::write(at("recipe.toml"), SHORT_STEPS).expect("writable");
    let (protocol, mice) = (at("protocol.toml"), at("mice"));
    let simulate = ["simulate", "--protocol", text(&protocol), "--units", "5", "--mice", "2", "--test-movies", "1"];
    succeeds(&[&simulate[..], &["--test-repeats", "1", "-o", text(&mice)]].concat());
    let twin = tiny_twin(&Session::open(&mice.join("mouse-1")).expect("a session"), &[0, 1, 2]);
    weights::save(&at("twin.safetensors"), &twin).expect("writable");

    let (twin, session, recipe) = (at("twin.safetensors"), mice.join("mouse-2"), at("recipe.toml"));
    let (whole, killed, greedy) = (at("whole"), at("killed"), at("greedy"));
    let adapt = ["adapt", "--twin", text(&twin), "--session", text(&session), "--recipe", text(&recipe)];
    let into = |folder| [&adapt[..], &["--device", "cpu", "-o", text(folder)]].concat();
    let said = refuses(&[&into(&greedy)[..], &["--minutes", "99"]].concat());
    assert!(said.contains("there are 0.03 minutes to learn from") && said.contains("99 were asked for"), "{said}");
    assert!(!greedy.exists(), "nothing is trained");
    let made = succeeds(&into(&whole));
    let adapted = Path::new(made.trim()).strip_prefix(&whole).expect("a file in the folder");
    killed_when(&into(&killed), || killed.join("checkpoint.safetensors").exists());
    assert!(!killed.join(adapted).exists(), "killed between its first checkpoint and its end");
    let output = twinscope(&into(&killed));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("step 16 of 16") && !said.contains("step 1 of 16"), "it goes on: {said}");
    let bytes = |folder: &Path| std::fs::read(folder.join(adapted)).expect("written");
    assert!(bytes(&killed) == bytes(&whole), "the twins differ");
    let log = std::fs::read_to_string(killed.join("log.csv")).expect("written");
    assert_eq!(log.lines().count(), 1 + 16, "the log has every step once");
}

#[test]
fn shards_join_to_the_bytes_of_one_run() {
    let scratch = tempfile::tempdir().expect("a folder");
    let at = |name: &str| scratch.path().join(name).display().to_string();
    std::fs::write(at("protocol.toml"), SIX_DIRECTIONS).expect("writable");
    let run = |out: &str, shard: &[&str]| {
        let (protocol, out) = (at("protocol.toml"), at(out));
        succeeds(&[&["run", &protocol, "--out", &out, "--device", "cpu"][..], shard].concat())
    };
    let said = run("a", &["--shard", "1/2"]);
    assert!(said.contains("Shard 1/2 is finished: 3 conditions"), "{said}");
    let said = refuses(&["merge", &at("a"), "-o", &at("joined")]);
    assert!(said.contains("3 of 6 conditions are missing") && said.contains("shard 2/2"), "{said}");
    assert!(!Path::new(&at("joined")).exists(), "nothing was written");
    run("b", &["--shard", "2/2"]);
    succeeds(&["merge", &at("b"), &at("a"), "-o", &at("joined")]);
    run("whole", &[]);
    assert_same(Path::new(&at("whole")), Path::new(&at("joined")));
    let output = twinscope(&["run", &at("protocol.toml"), "--out", &at("c"), "--shard", "3/2"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && said.contains("expected I/N"), "{said}");
}
