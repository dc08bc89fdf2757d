//! The program as a user runs it.

mod analyse;
mod compare;
mod evaluate;
mod figures;
pub mod long_run;
mod mtm;
mod optimise;
mod simulate;
mod spikes;

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use clap::CommandFactory;
use twinscope::model::twin::TwinConfig;
use twinscope::model::weights;

use crate::fixture::{Fixture, assert_near, path};

const TWO_DIRECTIONS: &str = "schema = 1\ntitle = \"Two directions\"\n[stimulus]\nkind = \"drifting_grating\"\n\
                              [sweep]\ndirection_deg = { start = 0, step = 180, count = 2 }\n[repeats]\ncount = 1\n";

fn twinscope(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_twinscope"))
        .args(arguments)
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .output()
        .expect("the program starts")
}

#[track_caller]
pub fn succeeds(arguments: &[&str]) -> String {
    let output = twinscope(arguments);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{arguments:?}\nstdout: {out}\nstderr: {err}");
    out.into_owned()
}

/// Starts the program and kills it as soon as something is so: without a chance to tidy up, as by `kill -9`.
#[track_caller]
fn killed_when(arguments: &[&str], is_so: impl Fn() -> bool) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_twinscope"))
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let began = Instant::now();
    while !is_so() && began.elapsed() < Duration::from_secs(300) {
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().expect("it is ours");
    child.wait().expect("it has ended");
    assert!(is_so(), "{arguments:?} was waited for in vain");
}

/// Exit code 2 and one sentence, which is returned.
#[track_caller]
fn refuses(arguments: &[&str]) -> String {
    let output = twinscope(arguments);
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}\nstderr: {err}");
    let sentences: Vec<&str> = err.lines().filter(|line| line.starts_with("twinscope: ")).collect();
    assert_eq!(sentences.len(), 1, "{err}");
    sentences[0].to_owned()
}

/// Every command that has no further ones, as it is typed.
fn leaves<'c>(command: &'c clap::Command, typed: &str, found: &mut Vec<(String, &'c clap::Command)>) {
    if !command.has_subcommands() {
        found.push((typed.to_owned(), command));
    }
    for next in command.get_subcommands() {
        leaves(next, format!("{typed} {}", next.get_name()).trim_start(), found);
    }
}

#[test]
fn the_long_help_of_every_command_says_more_than_its_line_in_the_list() {
    let tree = twinscope::cli::Arguments::command();
    let mut commands = Vec::new();
    leaves(&tree, "", &mut commands);
    assert!(commands.len() > 20, "{} commands", commands.len());
    for (typed, command) in commands {
        let short = command.get_about().map(ToString::to_string).unwrap_or_default();
        let long = command.get_long_about().map(ToString::to_string).unwrap_or_default();
        assert!(!short.is_empty() && !short.contains('\n'), "{typed}: {short}");
        assert!(long.starts_with(&short) && long.len() > short.len() + 40, "{typed}: {short}\n{long}");
        assert!(long.contains("\n\n"), "{typed} has no second paragraph: {long}");
    }
}

#[test]
fn a_user_who_asks_for_help_reads_what_is_written_and_what_an_interruption_costs() {
    // Whether lines are broken is left to the terminal.
    let help = |typed: &[&str]| {
        let told = succeeds(&[typed, &["--help"]].concat());
        told.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let list = help(&[]);
    for line in [
        "Run a protocol, or a share of it, and write its figures and tables; goes on where it was stopped",
        "Train a twin on the sessions of one or many animals",
        "Record simulated mice with known tuning into session folders",
    ] {
        assert!(list.contains(line), "{line}: {list}");
    }
    let mtm = help(&["mtm"]);
    assert!(mtm.contains("Train one network on the sessions of one or many animals adapt Adapt a network"), "{mtm}");
    let goes_on = "after an interruption, and it goes on";
    for (typed, told) in [
        (&["run"][..], &["the same command computes only what is missing", "responses.npy"][..]),
        (&["train"], &[goes_on, "log.csv, checkpoint.safetensors"]),
        (&["adapt"], &[goes_on, "log.csv, checkpoint.safetensors"]),
        (&["optimise"], &[goes_on, "stimulus.npy"]),
        (&["stress"], &[goes_on, "stress.csv"]),
        (&["study", "curve"], &[goes_on, "learning_curve.csv"]),
        (&["mtm", "train"], &[goes_on, "network.safetensors"]),
        (&["mtm", "adapt"], &[goes_on, "network.safetensors"]),
        (&["mtm", "evaluate"], &["held-out, co-smoothing, forward, inter-region, intra-region", "summary.csv", "PSTH"]),
        (&["mtm", "decode"], &["scored on test trials", "decoding.csv"]),
    ] {
        let help = help(typed);
        for part in told {
            assert!(help.contains(part), "{typed:?}, {part}: {help}");
        }
    }
}

/// Bytes of a version 1.0 `.npy` file.
fn npy(descr: &str, shape: &[usize], data: &[u8]) -> Vec<u8> {
    let shape: Vec<String> = shape.iter().map(ToString::to_string).collect();
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({},), }}", shape.join(", "));
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

fn f32_bytes(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|&v| (v as f32).to_le_bytes()).collect()
}

/// Shape and values of an f32 `.npy` file.
fn read_npy(file: &Path) -> (Vec<usize>, Vec<f32>) {
    let bytes = std::fs::read(file).expect("the output exists");
    let npy = npyz::NpyFile::new(&bytes[..]).expect("an npy file");
    let shape = npy.shape().iter().map(|&n| n as usize).collect();
    (shape, npy.into_vec::<f32>().expect("f32 values"))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a UTF-8 path")
}

/// Inputs of a tiny fixture as files in a folder: movie, gaze and behaviour.
fn write_inputs(folder: &Path, fixture: &Fixture) -> [String; 3] {
    let video = fixture.get("in.video");
    let shape = &video.shape[..video.shape.len() - 1]; // without the channel axis
    let files = ["movie.npy", "gaze.npy", "behavior.npy"].map(|name| folder.join(name));
    std::fs::write(&files[0], npy("|u1", shape, &video.u8())).expect("a writable folder");
    for (file, key) in files[1..].iter().zip(["in.perspective", "in.modulation"]) {
        let tensor = fixture.get(key);
        std::fs::write(file, npy("<f4", &tensor.shape, &f32_bytes(&tensor.values))).expect("a writable folder");
    }
    files.map(|file| text(&file).to_owned())
}

#[test]
fn the_published_pair_predicts_the_reference_responses() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let fixture = Fixture::load("twin/tiny_public_n2.safetensors");
    let [movie, gaze, behavior] = write_inputs(folder.path(), &fixture);
    let pair = path("twin/tiny_pt");
    let config = path("twin/twin-tiny.toml");
    let out = folder.path().join("responses.npy");
    let mut arguments = vec!["predict", "--twin", text(&pair), "--scan", "4-7", "--config", text(&config)];
    arguments.extend([
        "--movie",
        &movie,
        "--gaze",
        &gaze,
        "--behavior",
        &behavior,
        "--device",
        "cpu",
        "-o",
        text(&out),
    ]);
    succeeds(&arguments);
    let (shape, values) = read_npy(&out);
    let expected = fixture.get("f64.response");
    assert_eq!(shape, expected.shape);
    assert_near("response", &values, &expected.values, 1e-5);

    // The same by chunks of one frame is the same to the bit.
    let again = folder.path().join("again.npy");
    let mut chunked = arguments.clone();
    chunked.truncate(arguments.len() - 1);
    chunked.extend([text(&again), "--chunk", "1"]);
    succeeds(&chunked);
    assert_eq!(read_npy(&again).1, values);

    // Selected units are the columns of the whole.
    let some = folder.path().join("some.npy");
    let mut selected = arguments.clone();
    selected.truncate(arguments.len() - 1);
    selected.extend([text(&some), "--units", "3,0-1"]);
    succeeds(&selected);
    let (shape, chosen) = read_npy(&some);
    assert_eq!(shape, [8, 2, 3]);
    for (row, chosen) in values.chunks(4).zip(chosen.chunks(3)) {
        assert_eq!([row[3], row[0], row[1]], chosen);
    }

    // One stream alone.
    let single = folder.path().join("single.npy");
    let mut stream = arguments.clone();
    stream.truncate(arguments.len() - 1);
    stream.extend([text(&single), "--stream", "1"]);
    succeeds(&stream);
    assert_near("stream 1", &read_npy(&single).1, &fixture.get("stream1.response").values, 1e-5);
}

#[test]
fn a_twin_survives_conversion_and_inspection() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let converted = folder.path().join("tiny.safetensors");
    let pair = path("twin/tiny_pt");
    let config = path("twin/twin-tiny.toml");
    succeeds(&["twin", "convert", text(&pair), "--config", text(&config), "-o", text(&converted)]);
    let inspection = succeeds(&["twin", "inspect", text(&converted), "--json"]);
    let json: serde_json::Value = serde_json::from_str(&inspection).expect("JSON");
    assert_eq!(json["units"], 4, "{inspection}");
    let plain = succeeds(&["twin", "inspect", text(&converted)]);
    assert!(plain.contains("streams"), "{plain}");

    let card = folder.path().join("card.toml");
    std::fs::write(&card, "name = \"x\"\nsimulated = true\nraster = { height = 0, width = 0 }\nnote = \"\"\n")
        .expect("a writable folder");
    let nothing = folder.path().join("nothing.safetensors");
    let sentence = refuses(&["twin", "convert", text(&pair), "--card", text(&card), "-o", text(&nothing)]);
    assert!(sentence.contains("card.toml") && sentence.contains("`raster.height` is 0"), "{sentence}");
    assert!(!nothing.exists());
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_early_is_no_error() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = Command::new(env!("CARGO_BIN_EXE_twinscope"))
        .args(["twin", "inspect", text(&path("twin/tiny_pt"))])
        .stdout(writer)
        .output()
        .expect("the program starts");
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && err.is_empty(), "{err}");
}

#[test]
fn a_filled_twin_is_the_same_on_every_machine() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (one, two) = (folder.path().join("one.safetensors"), folder.path().join("two.safetensors"));
    let config = path("twin/twin-tiny.toml");
    for out in [&one, &two] {
        succeeds(&["twin", "fill", "--config", text(&config), "--units", "5", "--seed", "7", "-o", text(out)]);
    }
    assert_eq!(std::fs::read(&one).expect("written"), std::fs::read(&two).expect("written"));
}

#[test]
fn a_network_that_no_memory_holds_is_refused_in_a_sentence() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (file, out) = (folder.path().join("twin.toml"), folder.path().join("out.safetensors"));
    let tiny = std::fs::read_to_string(path("twin/twin-tiny.toml")).expect("the fixture is there");
    let fill = |old: &str, new: &str, units: &str| {
        assert!(tiny.contains(old));
        std::fs::write(&file, tiny.replace(old, new)).expect("a writable folder");
        refuses(&["twin", "fill", "--config", text(&file), "--units", units, "--seed", "7", "-o", text(&out)])
    };
    let channels = "block_channels = [4, 8]";
    for (old, new, units, what) in [
        (channels, "block_channels = [16384, 16384]", "4", "weights in all"),
        ("block_spatials = [3, 3]", "block_spatials = [16383, 16383]", "4", "weights in all"),
        ("block_layers = [2, 2]", "block_layers = [16384, 2]", "4", "must not exceed 16384 together"),
        ("streams = 2", "streams = 16384", "1000000", "weights in all"),
        ("height = 24", "height = 16384", "4", "numbers for every movie in all"),
    ] {
        let sentence = fill(old, new, units);
        assert!(sentence.contains(what) && sentence.contains("twin.toml"), "{new}: {sentence}");
        assert!(!out.exists());
    }
}

#[test]
fn a_mistyped_key_is_named_with_its_tables_and_what_was_meant() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (file, out) = (folder.path().join("mistyped.toml"), folder.path().join("out"));
    std::fs::write(&file, "[batch]\nframe = 3\n").expect("a writable folder");
    let sentence = refuses(&["train", text(&file), "--device", "cpu", "-o", text(&out)]);
    let expected = "mistyped.toml: the recipe has an unknown key `batch.frame`; did you mean `frames`?";
    assert!(sentence.ends_with(expected), "{sentence}");
    let tiny = std::fs::read_to_string(path("twin/twin-tiny.toml")).expect("the fixture is there");
    std::fs::write(&file, tiny.replace("mlp_layers", "mlp_layer")).expect("a writable folder");
    let fill = ["twin", "fill", "--config", text(&file), "--units", "4", "--seed", "7", "-o", text(&out)];
    let sentence = refuses(&fill);
    assert!(sentence.contains("mlp_layer`; did you mean `mlp_layers`?"), "{sentence}");
    assert!(!out.exists());
}

#[test]
fn a_users_error_is_one_sentence_and_leaves_no_file() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let fixture = Fixture::load("twin/tiny_public_n1.safetensors");
    let [movie, gaze, _] = write_inputs(folder.path(), &fixture);
    let pair = path("twin/tiny_pt");
    let out = folder.path().join("responses.npy");
    let base = ["predict", "--twin", text(&pair), "--device", "cpu", "-o", text(&out), "--movie"];
    let with = |more: &[&str]| refuses(&[&base, more].concat());

    let sentence = with(&["nowhere.npy"]);
    assert!(sentence.contains("nowhere.npy"), "{sentence}");
    let sentence = with(&[gaze.as_str()]);
    assert!(sentence.contains("gaze.npy") && sentence.contains("u8"), "{sentence}");
    let sentence = with(&[movie.as_str(), "--stream", "9"]);
    assert!(sentence.contains("stream 9"), "{sentence}");
    let sentence = with(&[movie.as_str(), "--units", "4"]);
    assert!(sentence.contains("4 units"), "{sentence}");
    let sentence = with(&[movie.as_str(), "--scan", "9-9"]);
    assert!(sentence.contains("9-9"), "{sentence}");
    let short = folder.path().join("short.npy");
    std::fs::write(&short, npy("<f4", &[3, 2], &f32_bytes(&[0.0; 6]))).expect("a writable folder");
    let sentence = with(&[movie.as_str(), "--gaze", text(&short)]);
    assert!(sentence.contains("short.npy") && sentence.contains("3 frames"), "{sentence}");
    let mut bytes = std::fs::read(&movie).expect("written above");
    bytes.truncate(bytes.len() / 2);
    let torn = folder.path().join("torn.npy");
    std::fs::write(&torn, bytes).expect("a writable folder");
    let sentence = with(&[text(&torn)]);
    assert!(sentence.contains("torn.npy"), "{sentence}");
    assert!(!out.exists());
    let mut names: Vec<_> =
        folder.path().read_dir().expect("the folder").map(|entry| entry.expect("an entry").file_name()).collect();
    names.sort();
    assert_eq!(names, ["behavior.npy", "gaze.npy", "movie.npy", "short.npy", "torn.npy"]);
}

#[test]
fn a_response_that_is_no_number_is_named_and_nothing_is_written() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let fixture = Fixture::load("twin/tiny_public_n1.safetensors");
    let [movie, ..] = write_inputs(folder.path(), &fixture);
    let config = std::fs::read_to_string(path("twin/twin-tiny.toml")).expect("the fixture is there");
    let config = TwinConfig::from_toml(&config).expect("a valid configuration");
    let mut twin = weights::filled_twin(&config, 4, 3);
    // exp(1000) is beyond every f32.
    for stream in 0..2 {
        let biases = twin.state.tensors.get_mut(&format!("readout.biases.{stream}")).expect("an entry");
        biases.values[2] = 1e3;
    }
    let (file, out) = (folder.path().join("twin.safetensors"), folder.path().join("out.npy"));
    weights::save(&file, &twin).expect("a writable folder");
    let base = ["predict", "--twin", text(&file), "--device", "cpu", "--movie", &movie, "-o", text(&out)];
    for units in ["0-3", "3,2"] {
        let sentence = refuses(&[&base[..], &["--units", units]].concat());
        assert!(sentence.contains("the response of unit 2 at frame 0 is inf"), "{sentence}");
        assert!(!out.exists());
    }
    succeeds(&[&base[..], &["--units", "0,1,3"]].concat());
}

#[test]
fn an_impossible_output_is_refused_before_anything_is_computed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let fixture = Fixture::load("twin/tiny_public_n1.safetensors");
    let [movie, gaze, _] = write_inputs(folder.path(), &fixture);
    let pair = path("twin/tiny_pt");
    let names = || {
        let entries = folder.path().read_dir().expect("the folder");
        let mut names: Vec<_> = entries.map(|entry| entry.expect("an entry").file_name()).collect();
        names.sort();
        names
    };
    let (before, inputs) =
        (names(), [std::fs::read(&movie), std::fs::read(&gaze)].map(|bytes| bytes.expect("written")));
    let base = ["predict", "--twin", text(&pair), "--device", "cpu", "--movie", &movie, "--gaze", &gaze, "-o"];
    let to = |output: &str| refuses(&[&base[..], &[output]].concat());
    let sentence = to(text(folder.path()));
    assert!(sentence.contains("it is a folder"), "{sentence}");
    for input in [&movie, &gaze] {
        let sentence = to(input);
        assert!(sentence.contains("would replace an input"), "{sentence}");
    }
    #[cfg(unix)]
    {
        let sentence = to("/dev/null");
        assert!(sentence.contains("a device or a pipe"), "{sentence}");
    }
    // A folder for figures that is a file, or would lie inside one.
    let file = folder.path().join("protocol.toml");
    std::fs::write(&file, TWO_DIRECTIONS).expect("a writable folder");
    for out in [file.clone(), file.join("inside")] {
        let sentence = refuses(&["run", text(&file), "--out", text(&out), "--device", "cpu"]);
        assert!(sentence.contains("is no folder"), "{sentence}");
    }
    std::fs::remove_file(&file).expect("written above");
    assert_eq!(names(), before);
    assert_eq!([std::fs::read(&movie), std::fs::read(&gaze)].map(|bytes| bytes.expect("still there")), inputs);
}

#[test]
fn the_demonstration_writes_figures_and_tables_where_there_is_no_display() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = succeeds(&["demo", "--out", text(folder.path()), "--device", "cpu"]);
    assert!(out.starts_with("Built-in twin (320 units): All its mice are simulated."), "{out}");
    assert_eq!(out.matches("(Built-in twin: learned from a simulated mouse)").count(), 2, "{out}");
    for ending in [".png", ".svg", ".csv"] {
        let named: Vec<&str> = out.lines().filter(|line| line.ends_with(ending)).collect();
        assert!(!named.is_empty(), "no {ending} in {out}");
        for file in named {
            assert!(Path::new(file).is_file(), "{file} was named but not written");
        }
    }
}

#[test]
fn devices_are_listed_without_a_driver() {
    let output = Command::new(env!("CARGO_BIN_EXE_twinscope"))
        .arg("devices")
        .env("VK_DRIVER_FILES", "/nonexistent")
        .env("VK_ICD_FILENAMES", "/nonexistent")
        .output()
        .expect("the program starts");
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && out.contains("CPU"), "{out}");
}

#[test]
fn a_protocol_runs_to_files_and_a_wrong_key_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("protocol.toml");
    let good = TWO_DIRECTIONS;
    std::fs::write(&file, good).expect("a writable folder");
    let out = folder.path().join("out");
    let printed = succeeds(&["run", text(&file), "--out", text(&out), "--device", "cpu"]);
    assert!(printed.lines().any(|line| line.ends_with("tuning.csv")), "{printed}");

    std::fs::write(&file, good.replace("[repeats]", "[repeats]\nsede = 3")).expect("a writable folder");
    let nothing = folder.path().join("nothing");
    let sentence = refuses(&["run", text(&file), "--out", text(&nothing), "--device", "cpu"]);
    assert!(sentence.contains("sede") && sentence.contains("seed"), "{sentence}");
    assert!(!nothing.exists());
}

/// Two contrasts behind an aperture and a blank, on a small raster, half a second each.
const TWO_CONTRASTS: &str = "schema = 1\ntitle = \"Two contrasts\"\n[monitor]\nraster = [18, 32]\n\
                             [timing]\nlead_in_secs = 0.1\nstimulus_secs = 0.5\nblank_secs = 0.1\nskip_secs = 0.1\n\
                             [stimulus]\nkind = \"drifting_grating\"\n[[modify]]\nkind = \"aperture\"\n\
                             [sweep]\ncontrast = [0.5, 1.0]\n[repeats]\ncount = 1\norder = \"listed\"\nblanks = 1\n";

fn write_protocol(folder: &Path, protocol: &str) -> String {
    let path = folder.join("protocol.toml");
    std::fs::write(&path, protocol).expect("a writable folder");
    text(&path).to_owned()
}

#[test]
fn the_list_of_stimuli_has_every_kind_parameter_and_modifier() {
    use twinscope::stimulus::{ModifierKind, StimulusKind};
    let listed = succeeds(&["stimulus", "list"]);
    let json: serde_json::Value =
        serde_json::from_str(&succeeds(&["stimulus", "list", "--json"])).expect("what is printed is JSON");
    let fields = |list: &str, kind: &str| -> Vec<String> {
        let entries = json[list].as_array().expect("a list");
        let entry = entries.iter().find(|entry| entry["kind"] == kind).unwrap_or_else(|| panic!("{kind} is missing"));
        let keys = entry["parameters"].as_array().expect("a list").iter();
        keys.map(|field| field["key"].as_str().expect("text").to_owned()).collect()
    };
    let kinds = StimulusKind::ALL.iter().map(|kind| ("stimuli", kind.key(), kind.fields()));
    let modifiers = ModifierKind::ALL.iter().map(|kind| ("modifiers", kind.key(), kind.fields()));
    for (list, key, expected) in kinds.chain(modifiers) {
        assert!(listed.contains(&format!("  {key}  (")), "{key}");
        let expected: Vec<&str> = expected.iter().map(|field| field.key).collect();
        assert_eq!(fields(list, &key), expected);
    }
    let grating = json["stimuli"].as_array().expect("a list").iter().find(|entry| entry["kind"] == "drifting_grating");
    let contrast = grating.expect("listed")["parameters"].as_array().expect("a list").iter();
    let contrast = contrast.clone().find(|field| field["key"] == "contrast").expect("a parameter");
    assert_eq!((&contrast["range"], &contrast["default"]), (&serde_json::json!([0.0, 1.0]), &serde_json::json!(1.0)));
}

#[test]
fn a_protocol_is_rendered_whole_or_one_condition_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let protocol = write_protocol(folder.path(), TWO_CONTRASTS);
    let movie = |name: &str, more: &[&str]| -> (Vec<u64>, Vec<u8>) {
        let out = folder.path().join(name);
        succeeds(&[&["stimulus", "render", protocol.as_str(), "-o", text(&out)][..], more].concat());
        let bytes = std::fs::read(&out).expect("written");
        let array = npyz::NpyFile::new(&bytes[..]).expect("an array");
        (array.shape().to_vec(), array.into_vec().expect("u8"))
    };
    let (shape, whole) = movie("whole.npy", &[]);
    // 3 frames of grey, then 2 conditions and a blank of 15 frames with 3 of grey after each.
    assert_eq!(shape, [3 + 3 * 18, 18, 32]);
    let frames = |start: usize, count: usize| &whole[start * 18 * 32..(start + count) * 18 * 32];
    assert!(frames(0, 3).iter().all(|&grey| grey == 128) && frames(39, 18).iter().all(|&grey| grey == 128));
    let (shape, alone) = movie("alone.npy", &["--condition", "1"]);
    assert_eq!(shape, [15, 18, 32]);
    assert!(alone == frames(21, 15), "the second condition as it is in the whole");
    assert!(alone != frames(3, 15));
}

#[test]
fn what_cannot_be_rendered_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let protocol = write_protocol(folder.path(), TWO_CONTRASTS);
    let out = |name: &str| text(&folder.path().join(name)).to_owned();
    let said = refuses(&["stimulus", "render", &protocol, "-o", &out("a.npy"), "--condition", "3"]);
    assert!(said.contains("3 was asked of a protocol with 3 conditions (0 to 2)"), "{said}");
    let said = refuses(&["stimulus", "render", &protocol, "-o", &out("a.xyz")]);
    assert!(said.contains("a.xyz"), "{said}");
    let said = refuses(&["stimulus", "render", &protocol, "-o", &protocol]);
    assert!(said.contains("would replace an input"), "{said}");
    let wrong = write_protocol(folder.path(), &TWO_CONTRASTS.replace("[0.5, 1.0]", "[0.5, 2.0]"));
    let said = refuses(&["stimulus", "render", &wrong, "-o", &out("a.npy")]);
    assert!(said.contains("line 15: `sweep.contrast[1]` is 2; it must lie in 0..=1"), "{said}");
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing is left behind");
}

/// Ctrl-C ends the program where it stands.
#[test]
#[cfg(unix)]
fn what_a_killed_program_left_is_taken_away_by_the_next() {
    use std::time::SystemTime;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let long = TWO_CONTRASTS.replace("[18, 32]", "[144, 256]").replace("stimulus_secs = 0.5", "stimulus_secs = 600.0");
    let protocol = write_protocol(folder.path(), &long);
    let out = folder.path().join("movie.npy");
    let mut child = Command::new(env!("CARGO_BIN_EXE_twinscope"))
        .args(["stimulus", "render", &protocol, "-o", text(&out)])
        .stdout(Stdio::null())
        .spawn()
        .expect("the program starts");
    let hidden = || {
        let mut names =
            std::fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("readable").path());
        names.find(|path| path.file_name().is_some_and(|name| text(name.as_ref()).starts_with('.')))
    };
    let started = Instant::now();
    let growing = loop {
        assert!(started.elapsed() < Duration::from_secs(60), "nothing is written");
        // Past the file that is made to see whether one can be.
        match hidden().filter(|path| path.metadata().is_ok_and(|about| about.len() > 1 << 20)) {
            Some(path) => break path,
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let short = write_protocol(folder.path(), TWO_CONTRASTS);
    let write_beside = || {
        let file = std::fs::File::open(&growing).expect("it is there");
        file.set_modified(SystemTime::now() - Duration::from_secs(120)).expect("our own file");
        succeeds(&["stimulus", "render", &short, "-o", text(&folder.path().join("short.npy"))]);
    };
    write_beside();
    assert!(growing.exists(), "it is still being written");
    child.kill().expect("still running");
    child.wait().expect("it ends");
    assert!(growing.exists() && !out.exists(), "half a movie is no movie");
    write_beside();
    assert_eq!(hidden(), None);
}

#[test]
fn a_table_says_what_is_shown_when() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let protocol = write_protocol(folder.path(), TWO_CONTRASTS);
    let out = folder.path().join("conditions.csv");
    succeeds(&["stimulus", "table", &protocol, "-o", text(&out)]);
    let table = std::fs::read_to_string(&out).expect("written");
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 1 + 3);
    assert_eq!(lines[0], "index,condition,repeat,onset_frame,onset_secs,frames,seed,part,kind,contrast");
    assert!(lines[1].starts_with("0,0,0,3,0.1,15,") && lines[1].ends_with(",Drifting grating,drifting_grating,0.5"));
    assert!(lines[3].ends_with(",blank,,"), "{}", lines[3]);
}

#[test]
fn the_twin_of_a_protocol_is_looked_for_beside_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let named = TWO_CONTRASTS.replace("[monitor]\nraster = [18, 32]", "[twin]\npath = \"mice/absent.safetensors\"");
    let protocol = write_protocol(folder.path(), &named);
    let out = folder.path().join("out");
    let said = refuses(&["run", &protocol, "--out", text(&out)]);
    assert!(said.contains(text(&folder.path().join("mice/absent.safetensors"))), "{said}");
}

#[test]
fn a_recording_is_shown_and_converted_into_a_session() {
    let fixture =
        |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name).display().to_string();
    let shown = succeeds(&["session", "show", &fixture("nwb/two_photon.nwb")]);
    for line in [
        "format     NWB file",
        "animal     17797",
        "session    4",
        "scan       7",
        "units      5 (V1 2, AL 1, LM 1, RL 1)",
        "trials     6, 0.2 minutes at 30 frames a second; 4 to learn from, 2 for testing",
        "repeats    2 of each of 1 test stimuli",
        "movies     6 trials, 9 x 16 pixels (height x width)",
        "domains    clip 6",
    ] {
        assert!(shown.lines().any(|found| found == line), "{line}\n{shown}");
    }
    assert!(shown.contains(" of 1800 (") && shown.contains(" of 1440 ("), "{shown}");

    let scratch = tempfile::tempdir().expect("a folder");
    let at = |name: &str| scratch.path().join(name).display().to_string();
    let suite2p = fixture("recordings/suite2p");
    succeeds(&["session", "convert", &suite2p, "--animal", "M1", "--session", "2", "-o", &at("folder")]);
    succeeds(&["session", "convert", &at("folder"), "-o", &at("one.npz")]);
    let (folder, file) =
        (succeeds(&["session", "show", &at("folder")]), succeeds(&["session", "show", &at("one.npz")]));
    assert_eq!(folder.lines().skip(1).collect::<Vec<_>>(), file.lines().skip(1).collect::<Vec<_>>());
    assert!(folder.contains("animal     M1\nsession    2\nscan       0\nunits      3\n"), "{folder}");
    assert!(folder.contains("movies     none: responses only"), "{folder}");
    assert!(refuses(&["session", "convert", &suite2p, "-o", &at("folder")]).contains("already there and not empty"));
    assert!(refuses(&["session", "show", &at("absent")]).contains("could not be read"));
}
