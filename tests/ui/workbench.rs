//! The workbench without a window: commands in, events out.

use std::time::Duration;

use twinscope::experiment::PRESETS;
use twinscope::figures::{Figure, Layout, Width};
use twinscope::gpu::DeviceChoice;
use twinscope::signals::UnitId;
use twinscope::stimulus::Stimulus;
use twinscope::workbench::{Answer, Command, Event, FigureStyle, Saved, Workbench};

use super::fake;

const LIMIT: Duration = Duration::from_secs(60);

fn with_contrast(bench: &Workbench, contrast: f64) -> Command {
    let mut protocol = bench.protocol().clone();
    protocol.stimulus.set("contrast", contrast);
    Command::Edit(Box::new(protocol))
}

fn contrast(bench: &Workbench) -> f64 {
    bench.protocol().stimulus.get("contrast").expect("a grating has contrast")
}

#[test]
fn a_run_finds_the_preferred_directions_of_the_twin() {
    let bench = fake::answered();
    let answer = bench.answer().expect("an answer");
    let tuning = answer.outcome.tuning.as_ref().expect("directions were swept");
    for (unit, curve) in tuning.units.iter().enumerate() {
        let found = f64::from(curve.preferred_direction_deg.expect("every unit responds"));
        let wanted = fake::preferred_deg(unit);
        let off = (found - wanted + 180.0).rem_euclid(360.0) - 180.0;
        // The twin measures motion on a coarse raster: half the distance of the directions shown, 22.5 degrees.
        assert!(off.abs() < 11.25, "unit {unit} prefers {wanted}, found {found}");
    }
    assert_eq!(answer.origin(), "Built-in twin: learned from a simulated mouse");
}

#[test]
fn a_unit_is_named_with_its_animal_only_among_units_of_several() {
    let of = |animal: &str, unit| UnitId { animal: Some(animal.to_owned()), session: 1, scan: 2, unit };
    let bench = fake::answered();
    let mut outcome = bench.answer().expect("an answer").outcome.clone();
    outcome.units = (0..fake::UNITS as u32).map(|unit| of("M1", unit)).collect();
    assert_eq!(Answer::new(outcome.clone(), 1.0).unit_name(5), "1-2 · 5");
    outcome.units[3] = of("M2", 3);
    let answer = Answer::new(outcome, 1.0);
    assert_eq!([answer.unit_name(3), answer.unit_name(5)], ["M2 1-2 · 3", "M1 1-2 · 5"]);
    assert_eq!(answer.unit_name(fake::UNITS), "");
}

#[test]
fn every_edit_is_taken_back_and_done_again() {
    let mut bench = fake::bench(Duration::ZERO);
    bench.perform(Command::SetLive(false));
    for value in [0.5, 0.6, 0.7] {
        bench.perform(with_contrast(&bench, value));
        bench.perform(Command::CloseStep);
    }
    bench.perform(Command::Undo);
    assert_eq!(contrast(&bench), 0.6);
    bench.perform(Command::Undo);
    bench.perform(Command::Undo);
    assert_eq!(contrast(&bench), 1.0);
    assert!(!bench.can_undo() && !bench.is_edited());
    bench.perform(Command::Redo);
    assert_eq!(contrast(&bench), 0.5);
    assert!(bench.is_edited());
}

#[test]
fn a_cancelled_run_leaves_the_previous_result() {
    let mut bench = fake::bench(Duration::from_millis(20));
    bench.perform(Command::SetLive(false));
    bench.perform(Command::Run);
    bench.wait(LIMIT);
    let before = bench.answer().expect("an answer").clone();
    bench.perform(Command::Run);
    bench.perform(Command::Cancel);
    let events = bench.wait(LIMIT);
    assert!(events.contains(&Event::RunCancelled), "{events:?}");
    assert!(std::sync::Arc::ptr_eq(&before, bench.answer().expect("still there")));
    assert!(!bench.is_running());
}

#[test]
fn in_live_mode_edits_restart_the_run_on_the_newest_value() {
    let mut bench = fake::bench(Duration::from_millis(5));
    bench.perform(Command::Run);
    bench.wait(LIMIT);
    let first = bench.answer().expect("an answer").clone();
    for step in 1..=20 {
        bench.perform(with_contrast(&bench, f64::from(step) / 40.0));
        bench.tick(f64::from(step) * 0.02);
        assert!(bench.answer().is_some(), "the previous result stays in view");
    }
    assert!(bench.is_answer_outdated());
    bench.wait(LIMIT);
    let last = bench.answer().expect("an answer");
    assert!(!std::sync::Arc::ptr_eq(&first, last));
    assert_eq!(last.outcome.protocol.stimulus.get("contrast"), Some(0.5));
    assert!(!bench.is_answer_outdated());
}

#[test]
fn an_impossible_protocol_is_one_sentence_and_not_a_crash() {
    let mut bench = fake::bench(Duration::ZERO);
    let mut protocol = bench.protocol().clone();
    protocol.timing.skip_secs = 5.0;
    bench.perform(Command::Edit(Box::new(protocol)));
    bench.wait(LIMIT);
    assert!(bench.message().is_none(), "a half-typed value starts no run and is no failure");
    let problem = bench.plan().expect_err("nothing would be left of a presentation").to_owned();
    assert!(problem.starts_with("Skip is 5 s"), "{problem}");
    bench.perform(Command::Run);
    bench.wait(LIMIT);
    assert!(bench.message().is_some_and(|message| message.error && message.text == problem));
    bench.perform(Command::DismissMessage);
    assert!(bench.message().is_none());
}

#[test]
fn a_protocol_comes_back_from_its_file_and_unsaved_edits_from_the_settings() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mine.toml");
    let mut bench = fake::bench(Duration::ZERO);
    bench.perform(Command::SetLive(false));
    bench.perform(with_contrast(&bench, 0.25));
    bench.perform(Command::SaveProtocol(path.clone()));
    assert!(!bench.is_edited(), "{:?}", bench.message());

    let mut other = fake::bench(Duration::ZERO);
    other.perform(Command::SetLive(false));
    other.perform(Command::OpenAny(path));
    assert_eq!(contrast(&other), 0.25);
    other.perform(with_contrast(&other, 0.75));
    other.perform(Command::SelectUnit(7));
    let text = serde_json::to_string(&other.saved()).expect("settings are text");

    let mut next = fake::bench(Duration::ZERO);
    next.restore(serde_json::from_str(&text).expect("settings are read back"));
    assert_eq!(contrast(&next), 0.75);
    assert_eq!(next.unit(), 7);
    assert!(next.is_edited(), "the file still has 0.25");
    assert!(!next.is_live());
}

#[test]
fn figure_and_data_are_written_where_the_command_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut bench = fake::answered();
    for name in ["figure.png", "figure.svg", "figure.pdf"] {
        let path = folder.path().join(name);
        bench.perform(Command::ExportFigure(path.clone()));
        bench.wait(LIMIT);
        let size = std::fs::metadata(&path).map(|file| file.len()).unwrap_or_default();
        assert!(size > 1000, "{name} has {size} bytes; {:?}", bench.message());
    }
    let data = folder.path().join("data");
    bench.perform(Command::ExportData(data.clone()));
    bench.wait(LIMIT);
    assert!(data.join("tuning.csv").is_file() && data.join("protocol.toml").is_file(), "{:?}", bench.message());
}

#[test]
fn a_figure_is_written_as_it_was_chosen() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut bench = fake::answered();
    let layout = Layout { width: Some(Width::Column), dpi: 150 };
    bench.perform(Command::SetFigureStyle(FigureStyle { name: Figure::HeatMap.stem(), layout }));
    let path = folder.path().join("map.png");
    bench.perform(Command::ExportFigure(path.clone()));
    bench.wait(LIMIT);
    // 89 mm at 150 dots per inch.
    assert_eq!(image::image_dimensions(&path).expect("a PNG").0, 526, "{:?}", bench.message());
    let numbers = std::fs::read_to_string(folder.path().join("map_numbers.csv")).expect("beside the figure");
    assert!(numbers.contains("Response (fraction of maximum)"), "{}", &numbers[..200.min(numbers.len())]);
    // Nothing but the direction was swept.
    bench.perform(Command::SetFigureStyle(FigureStyle { name: "tuning", layout }));
    bench.perform(Command::ExportFigure(folder.path().join("absent.png")));
    bench.wait(LIMIT);
    let message = bench.message().expect("a message");
    assert!(message.error && message.text.contains("nothing but the direction was swept"), "{message:?}");
}

#[test]
fn an_export_that_fails_says_why() {
    let mut bench = fake::bench(Duration::ZERO);
    bench.perform(Command::ExportFigure("figure.png".into()));
    assert!(bench.message().is_some_and(|message| message.error), "nothing was run yet");
    let mut bench = fake::answered();
    bench.perform(Command::ExportFigure("/no/such/folder/figure.png".into()));
    bench.wait(LIMIT);
    let message = bench.message().expect("a message");
    assert!(message.error && message.text.contains("/no/such/folder"), "{message:?}");
}

#[test]
fn a_dropped_clip_becomes_the_stimulus_and_undo_brings_the_old_one_back() {
    let mut bench = fake::bench(Duration::ZERO);
    bench.perform(Command::SetLive(false));
    bench.perform(Command::OpenAny("walk.npy".into()));
    assert!(matches!(bench.protocol().stimulus, Stimulus::Clip(_)));
    bench.wait(LIMIT);
    bench.show_frame(60);
    bench.wait(LIMIT);
    assert!(bench.picture_error().is_some_and(|error| error.contains("walk.npy")), "the file does not exist");
    bench.perform(Command::Undo);
    assert!(matches!(bench.protocol().stimulus, Stimulus::DriftingGrating(_)));
    bench.perform(Command::OpenAny("notes.docx".into()));
    assert!(bench.message().is_some_and(|message| message.error && message.text.contains("docx")));
}

#[test]
fn a_clip_is_found_from_wherever_its_protocol_is_saved() {
    let folder = tempfile::tempdir().expect("a folder");
    let (here, there) = (folder.path().join("here"), folder.path().join("there"));
    for folder in [&here, &there] {
        std::fs::create_dir(folder).expect("a folder");
    }
    let text = "schema = 1\ntitle = \"Walk\"\n[stimulus]\nkind = \"clip\"\npath = \"walk.npy\"\n";
    std::fs::write(here.join("walk.toml"), text).expect("written");
    let clip = |bench: &Workbench| match &bench.protocol().stimulus {
        Stimulus::Clip(clip) => clip.path.clone(),
        other => panic!("{other:?}"),
    };
    let mut bench = fake::bench(Duration::ZERO);
    bench.perform(Command::SetLive(false));
    bench.perform(Command::OpenProtocol(here.join("walk.toml")));
    for (copy, written) in [(&there, here.join("walk.npy")), (&here, "walk.npy".into())] {
        bench.perform(Command::SaveProtocol(copy.join("copy.toml")));
        assert_eq!(clip(&bench), here.join("walk.npy"), "{:?}", bench.message());
        assert!(!bench.is_edited());
        let text = std::fs::read_to_string(copy.join("copy.toml")).expect("a file");
        let line = format!("path = {:?}", written.display().to_string());
        assert!(text.contains(&line), "a folder that is moved as a whole stays together: {line} in {text}");
        let mut other = fake::bench(Duration::ZERO);
        other.perform(Command::SetLive(false));
        other.perform(Command::OpenProtocol(copy.join("copy.toml")));
        assert_eq!(clip(&other), here.join("walk.npy"));
    }
}

#[test]
fn undo_after_open_goes_back_to_the_file_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, two) = (folder.path().join("one.toml"), folder.path().join("two.toml"));
    let mut bench = fake::bench(Duration::ZERO);
    bench.perform(Command::SetLive(false));
    bench.perform(with_contrast(&bench, 0.25));
    bench.perform(Command::SaveProtocol(two.clone()));
    bench.perform(Command::Undo);
    bench.perform(Command::SaveProtocol(one.clone()));
    bench.perform(Command::OpenProtocol(two.clone()));
    assert_eq!((contrast(&bench), bench.protocol_path()), (0.25, Some(two.as_path())));
    bench.perform(Command::Undo);
    assert_eq!((contrast(&bench), bench.protocol_path()), (1.0, Some(one.as_path())));
    assert!(!bench.is_edited(), "it is as its own file has it");
    bench.perform(Command::Redo);
    assert_eq!((contrast(&bench), bench.protocol_path()), (0.25, Some(two.as_path())));
    assert!(!bench.is_edited());
}

#[test]
fn a_dropped_folder_is_a_twin_when_it_holds_one_and_else_a_clip_when_it_holds_pictures() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = |name: &str, files: &[&str]| {
        let folder = folder.path().join(name);
        std::fs::create_dir(&folder).expect("a folder");
        for file in files {
            std::fs::write(folder.join(file), b"").expect("written");
        }
        folder
    };
    for (name, files, twin) in [
        ("microns.v8", &["params_core.pt", "preview.png"][..], true),
        ("walk.frames", &["1.png"], false),
        ("twin.toml", &[], true),
    ] {
        let mut bench = fake::bench(Duration::ZERO);
        bench.perform(Command::SetLive(false));
        bench.perform(Command::OpenAny(made(name, files)));
        assert_eq!(bench.is_opening_twin(), twin, "{name}");
        assert_eq!(matches!(bench.protocol().stimulus, Stimulus::Clip(_)), !twin, "{name}");
    }
}

#[test]
fn a_twin_that_is_missing_once_is_remembered_for_the_next_start() {
    let path = std::path::PathBuf::from("/no/such/twin.safetensors");
    let mut bench = fake::bench(Duration::ZERO);
    bench.restore(Saved { twin_path: Some(path.clone()), live: false, ..Saved::default() });
    assert_eq!(bench.saved().twin_path, Some(path.clone()), "closed while it is read");
    bench.wait(LIMIT);
    assert!(bench.message().is_some_and(|message| message.error), "it could not be read");
    assert_eq!(bench.saved().twin_path, Some(path));
    bench.perform(Command::UseBuiltinTwin);
    assert_eq!(bench.saved().twin_path, None);
}

#[cfg(unix)]
#[test]
fn a_pipe_in_place_of_a_protocol_does_not_block_the_window() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe.toml");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
    let mut bench = fake::bench(Duration::ZERO);
    bench.perform(Command::OpenAny(pipe));
    assert!(bench.message().is_some_and(|message| message.error && message.text.contains("not a file")));
}

#[test]
fn the_picture_is_the_wanted_frame_of_the_newest_protocol() {
    let mut bench = fake::bench(Duration::ZERO);
    bench.perform(Command::SetLive(false));
    bench.show_frame(0);
    bench.wait(LIMIT);
    assert!(bench.picture().expect("a picture").grey.iter().all(|&grey| grey == 128), "the lead-in is grey");
    bench.show_frame(20);
    bench.wait(LIMIT);
    let full = bench.picture().expect("a picture").clone();
    let range = |grey: &[u8]| grey.iter().max().copied().unwrap_or(0) - grey.iter().min().copied().unwrap_or(0);
    assert!(range(&full.grey) > 200, "a grating of full contrast, found {}", range(&full.grey));
    bench.perform(with_contrast(&bench, 0.1));
    bench.wait(LIMIT);
    let faint = bench.picture().expect("a picture");
    assert_eq!(faint.frame, 20);
    assert!(range(&faint.grey) < 40, "a tenth of the contrast, found {}", range(&faint.grey));
}

#[test]
fn the_unit_with_the_sharpest_tuning_is_shown_until_one_is_chosen() {
    let mut bench = fake::answered();
    let sharpness = |bench: &Workbench, unit: usize| {
        let answer = bench.answer().expect("an answer");
        answer.outcome.tuning.as_ref().and_then(|tuning| tuning.units[unit].global_dsi).expect("every unit responds")
    };
    let shown = sharpness(&bench, bench.unit());
    for unit in 0..fake::UNITS {
        assert!(sharpness(&bench, unit) <= shown, "unit {unit} is sharper than the one shown");
    }
    bench.perform(Command::SelectUnit(5));
    assert_eq!(bench.unit(), 5);
    bench.perform(Command::SelectUnit(10_000));
    assert_eq!(bench.unit(), fake::UNITS - 1, "a unit that this twin does not have");
}

#[test]
fn the_device_that_was_picked_is_said_in_one_line() {
    let mut bench = fake::bench(Duration::ZERO);
    bench.perform(Command::SetDevice(DeviceChoice::Cpu));
    bench.wait(LIMIT);
    assert!(bench.device_line().is_some_and(|line| line.contains("CPU")), "{:?}", bench.device_line());
    assert!(bench.message().is_none());
}

#[test]
fn every_preset_opens_as_one_step_and_can_be_planned_and_drawn() {
    for (index, preset) in PRESETS.iter().enumerate() {
        let mut bench = fake::bench(Duration::ZERO);
        bench.perform(Command::SetLive(false));
        let before = bench.protocol().clone();
        bench.perform(Command::UsePreset(index));
        assert_eq!(bench.protocol().title, preset.title);
        if bench.protocol().parts().any(|part| part.stimulus.path().is_some()) {
            continue; // a file has to be named first
        }
        let plan = bench.plan().unwrap_or_else(|error| panic!("{}: {error}", preset.title));
        let first = plan.schedule.presentations[0].onset_frame;
        bench.show_frame(first + 3);
        bench.wait(LIMIT);
        assert!(bench.picture().is_some(), "{}: {:?}", preset.title, bench.picture_error());
        bench.perform(Command::Undo);
        assert_eq!(*bench.protocol(), before, "{}", preset.title);
    }
}

#[test]
fn the_stimulus_is_written_as_a_movie_that_is_shown_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("movie.npy");
    let mut bench = fake::bench(Duration::ZERO);
    bench.perform(Command::SetLive(false));
    let frames = bench.plan().expect("a plan").schedule.frames;
    bench.perform(Command::ExportMovie(path.clone()));
    let events = bench.wait(LIMIT);
    assert!(events.contains(&Event::Written(path.clone())), "{events:?} {:?}", bench.message());
    let size = std::fs::metadata(&path).expect("a movie").len() as usize;
    let pixels = bench.twin().card.raster.pixels();
    assert_eq!(size.saturating_sub(frames * pixels), 128, "a header and one byte for each pixel");

    bench.perform(Command::ExportMovie(folder.path().join("stopped.npy")));
    bench.perform(Command::CancelMovie);
    bench.wait(LIMIT);
    let left = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert!(left == 1 || folder.path().join("stopped.npy").is_file(), "stopped, or finished before");
}

#[test]
fn the_table_is_written_as_csv() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("conditions.csv");
    let mut bench = fake::bench(Duration::ZERO);
    bench.perform(Command::ExportTable(path.clone()));
    bench.wait(LIMIT);
    let text = std::fs::read_to_string(&path).expect("a table");
    let mut lines = text.lines();
    assert!(lines.next().is_some_and(|head| head.starts_with("index,") && head.ends_with("direction_deg")), "{text}");
    assert_eq!(lines.count(), 32);
}

#[test]
fn the_facts_of_a_clip_stand_beside_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("movie.npy");
    let mut bench = fake::bench(Duration::ZERO);
    bench.perform(Command::SetLive(false));
    bench.perform(Command::ExportMovie(path.clone()));
    bench.wait(LIMIT);
    bench.perform(Command::ShowClip(path.clone()));
    bench.show_frame(0);
    bench.wait(LIMIT);
    let facts = bench.clip_facts(&path).expect("a clip is shown").to_owned();
    assert!(facts.contains("36 x 64 pixels") && facts.contains("nothing cut"), "{facts}");
    assert_eq!(bench.clip_facts(&folder.path().join("other.npy")), None);
}
