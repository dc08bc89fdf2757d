//! `twinscope mtm` as a user runs it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{killed_when, refuses, succeeds, text, twinscope};

/// Animals and a network that are simulated and trained in seconds.
const RECIPE: &str = r#"
schema = 1
preset = "small"
sessions = ["animals"]

[network]
bins = 12
stitch = 8
expand = 8
width = 8
layers = 1
heads = 2
feedforward = 8

[training]
epochs = 4
batch = 8
validate_every = 2
seed = 5

[simulation]
animals = 2
neurons = [8, 10]
trials = 40
bins = 12
mean_count = 0.4
"#;

/// A folder with the recipe and the sessions of its animals.
fn animals() -> tempfile::TempDir {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| scratch.path().join(name);
    std::fs::write(at("recipe.toml"), RECIPE).expect("a writable folder");
    let made =
        succeeds(&["mtm", "simulate", "--recipe", text(&at("recipe.toml")), "--animals", "3", "-o", text(&at("all"))]);
    assert_eq!(made.lines().count(), 3, "{made}");
    std::fs::create_dir(at("animals")).expect("a writable folder");
    for animal in ["simulated-0-1.npz", "simulated-0-2.npz"] {
        std::fs::rename(at("all").join(animal), at("animals").join(animal)).expect("on the same disk");
    }
    scratch
}

fn lines(path: &Path) -> usize {
    std::fs::read_to_string(path).expect("written").lines().count()
}

#[test]
fn simulated_animals_become_a_network_tables_and_figures() {
    let scratch = animals();
    let at = |name: &str| text(&scratch.path().join(name)).to_owned();
    let (recipe, new) = (at("recipe.toml"), at("all/simulated-0-3.npz"));
    let cpu = ["--device", "cpu"];
    let train = |more: &[&str]| succeeds(&[&["mtm", "train", &recipe][..], &cpu, more].concat());
    let told = train(&["-o", &at("mtm")]);
    assert_eq!(told.trim(), at("mtm/network.safetensors"));
    assert_eq!(lines(at("mtm/log.csv").as_ref()), 1 + 4, "one row an epoch");
    train(&["--session", &new, "--schemes", "temporal", "-o", &at("temporal")]);
    train(&["--session", &new, "-o", &at("alone")]);

    let adapt = ["mtm", "adapt", "--network", &at("mtm/network.safetensors"), "--recipe", &recipe, "--session", &new];
    let adapt = |more: &[&str]| succeeds(&[&adapt[..], &cpu, more].concat());
    adapt(&["--keep-shared", "--trials", "10", "--epochs", "2", "-o", &at("kept")]);
    adapt(&["-o", &at("adapted")]);
    let (network, known) = (at("mtm/network.safetensors"), at("animals/simulated-0-1.npz"));
    let again = ["mtm", "adapt", "--network", &network, "--recipe", &recipe, "--epochs", "1", "--session", &known];
    let again = |more: &[&str]| twinscope(&[&again[..], &cpu, more].concat());
    let output = again(&["-o", &at("again")]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert_eq!(said.matches("the network has layers for `simulated-0-1` already: ").count(), 1, "{said}");
    let said = String::from_utf8_lossy(&again(&["--keep-shared", "-o", &at("never")]).stderr).into_owned();
    assert!(said.contains("there is one of that name already") && !said.contains("the network has layers"), "{said}");

    let networks = [
        "mtm",
        "evaluate",
        "--network",
        &at("adapted/network.safetensors"),
        "--network",
        &at("temporal/network.safetensors"),
        "--network",
        &at("alone/network.safetensors"),
    ];
    let rest = ["--session", &new, "--widths", "1", "--penalties", "0.1", "--wrong-prompts", "--out", &at("out")];
    let output = twinscope(&[&networks[..], &cpu, &rest].concat());
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let on_the_way = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}{on_the_way}");
    assert!(on_the_way.contains("intra-region, GLM: done"), "{on_the_way}");
    assert!(!on_the_way.contains("bits per spike"), "results are said once: {on_the_way}");
    for name in ["summary.csv", "neurons.csv", "evaluation.json", "bits.png", "bits.svg", "rates.png", "transfer.svg"] {
        let path = scratch.path().join("out").join(name);
        assert!(told.lines().any(|line| line == text(&path)) && path.is_file(), "{name}: {told}");
    }
    let drawing = std::fs::read_to_string(at("out/bits.svg")).expect("written");
    assert!(drawing.contains("; device CPU engine; seed 1"), "the figure says where it was computed");
    for words in [
        "co-smoothing, MtM, pre-trained on 2 animals: ",
        "inter-region, MtM, pre-trained on 2 animals, wrong prompt: ",
        "forward, temporal masking: ",
        "intra-region, GLM: ",
        "forward, PSTH: ",
        "co-smoothing, true rates: ",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let decode =
        ["mtm", "decode", "--network", &at("kept/network.safetensors"), "--session", &new, "--out", &at("decoded")];
    let told = succeeds(&[&decode[..], &cpu, &["--width", "89", "--format", "svg"]].concat());
    for name in ["decoding.json", "decoding.svg", "decoding_numbers.csv"] {
        let path = scratch.path().join("decoded").join(name);
        assert!(told.lines().any(|line| line == text(&path)) && path.is_file(), "{name}: {told}");
    }
    let drawing = std::fs::read_to_string(at("decoded/decoding.svg")).expect("written");
    assert!(
        drawing.contains("width=\"89mm\"") && drawing.contains("; device CPU engine; seed 1"),
        "as it was asked for"
    );
    assert!(told.contains("wheel from latents of MtM, pre-trained on 2 animals: r2 "), "{told}");
    assert!(told.contains("choice from spikes: accuracy "), "{told}");
    assert_eq!(lines(at("decoded/decoding.csv").as_ref()), 1 + 3 * 2);

    // The network that kept what is shared still knows its first animals; the other one has forgotten them.
    let decode = |network: &str, out: &str| {
        let session = at("animals/simulated-0-1.npz");
        let rest = ["--session", &session, "--out", &at(out)].map(str::to_owned);
        [&["mtm".to_owned(), "decode".to_owned(), "--network".to_owned(), at(network)][..], &rest].concat()
    };
    let strs = |all: &[String]| all.iter().map(String::as_str).chain(cpu).map(str::to_owned).collect::<Vec<_>>();
    let all = strs(&decode("kept/network.safetensors", "old"));
    succeeds(&all.iter().map(String::as_str).collect::<Vec<_>>());
    let all = strs(&decode("adapted/network.safetensors", "none"));
    let said = refuses(&all.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(said.contains("no weights for the session `simulated-0-1`") && said.contains("mtm adapt"), "{said}");
}

#[test]
fn a_killed_training_ends_with_the_same_bytes() {
    let scratch = animals();
    let at = |name: &str| scratch.path().join(name);
    let recipe = text(&at("recipe.toml")).to_owned();
    let arguments = |out: &str| {
        let out = text(&at(out)).to_owned();
        ["mtm", "train", &recipe, "--device", "cpu", "--epochs", "60", "-o", &out].map(str::to_owned)
    };
    let run = |out: &str| succeeds(&arguments(out).iter().map(String::as_str).collect::<Vec<_>>());
    run("whole");
    let (checkpoint, network) = (at("killed/checkpoint.safetensors"), at("killed/network.safetensors"));
    killed_when(&arguments("killed").each_ref().map(String::as_str), || checkpoint.exists());
    assert!(!network.exists(), "killed between its first checkpoint and its end");
    run("killed");
    let bytes = |path: &Path| std::fs::read(path).expect("written");
    assert!(bytes(&network) == bytes(&at("whole/network.safetensors")), "the networks differ");
    assert_eq!(lines(&at("killed/log.csv")), 1 + 60, "the log has every epoch once");

    let other = [&arguments("killed")[..], &["--seed", "6"].map(str::to_owned)].concat();
    let said = refuses(&other.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(said.contains("cannot be resumed") && said.contains("another configuration"), "{said}");
}

#[test]
#[cfg(unix)]
fn an_interrupt_stops_a_training_that_then_goes_on() {
    let scratch = animals();
    let at = |name: &str| scratch.path().join(name);
    let (recipe, out) = (text(&at("recipe.toml")).to_owned(), text(&at("out")).to_owned());
    let arguments = |epochs: &'static str| ["mtm", "train", &recipe, "--device", "cpu", "--epochs", epochs, "-o", &out];
    let child = Command::new(env!("CARGO_BIN_EXE_twinscope"))
        .args(arguments("100000"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let started = Instant::now();
    while !at("out/checkpoint.safetensors").exists() {
        assert!(started.elapsed() < Duration::from_secs(120), "no checkpoint is written");
        std::thread::sleep(Duration::from_millis(5));
    }
    let asked = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill is there");
    assert!(asked.success());
    let ended = child.wait_with_output().expect("it was started here");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(130), "{said}");
    assert!(said.contains("twinscope: stopped"), "{said}");
    assert!(!at("out/network.safetensors").exists(), "100,000 epochs are not over");
    let before = lines(&at("out/log.csv"));
    let longer = [&arguments("100000")[..], &["--seed", "6"]].concat();
    assert!(refuses(&longer).contains("cannot be resumed"), "the checkpoint that it left is whole");
    assert_eq!(lines(&at("out/log.csv")), before);
}

#[test]
fn mistakes_are_said_in_one_sentence_and_leave_nothing() {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| text(&scratch.path().join(name)).to_owned();
    std::fs::write(at("wrong.toml"), "schema = 1\n[training]\nepoch = 3\n").expect("a writable folder");
    let said = refuses(&["mtm", "train", &at("wrong.toml"), "-o", &at("out")]);
    assert!(said.contains("wrong.toml") && said.contains("`training.epoch`; did you mean `epochs`?"), "{said}");
    std::fs::write(at("empty.toml"), "schema = 1\n").expect("a writable folder");
    let said = refuses(&["mtm", "train", &at("empty.toml"), "--device", "cpu", "-o", &at("out")]);
    assert!(said.contains("at least one session"), "{said}");
    let printed = succeeds(&["mtm", "train", &at("empty.toml"), "--recipe", "-o", &at("out")]);
    assert!(printed.contains("[training]"), "`--recipe` does nothing else: {printed}");
    let said = refuses(&["mtm", "simulate", "--animals", "0", "-o", &at("out")]);
    assert!(said.contains("`animals`"), "{said}");
    let said = refuses(&["mtm", "simulate", "--persistence", "1", "-o", &at("wrong.toml")]);
    assert!(said.contains("is no folder"), "{said}");
    assert!(!scratch.path().join("out").exists());
    let printed = succeeds(&["mtm", "train", "--recipe", "--preset", "mtm-ndt1"]);
    assert!(printed.contains("stitch = 668") && printed.contains("epochs = 1000"), "{printed}");
}
