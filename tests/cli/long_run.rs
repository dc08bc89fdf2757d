//! Runs that are killed, continued, divided and joined, as a user does it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{refuses, succeeds, text, twinscope};

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

    let mut child = Command::new(env!("CARGO_BIN_EXE_twinscope"))
        .args(["run", text(&protocol), "--out", text(&killed), "--device", "cpu"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let began = Instant::now();
    while !killed.join("conditions").is_dir() || parts(&killed).is_empty() {
        assert!(began.elapsed() < Duration::from_secs(300), "no condition was finished");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().expect("it is ours");
    child.wait().expect("it has ended");
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
