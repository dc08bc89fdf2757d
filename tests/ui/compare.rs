//! A recording and the twin beside it: the workbench and the panel.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use eframe::egui::{Key, Modifiers, Role};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use twinscope::comparison::{Comparison, Measure};
use twinscope::data::{Counted, Missing, PresentationTable, ScanId, Session, SessionUnit, Trial, import, save_npz};
use twinscope::evaluation::{Origin, Responder, ResponderError, Selection, Trials};
use twinscope::figures::comparison::ComparisonFigure;
use twinscope::figures::{Layout, Width};
use twinscope::gpu::{ComputeDevice, DeviceChoice};
use twinscope::job::Progress;
use twinscope::model::twin::{Twin, TwinOptions};
use twinscope::model::weights::TwinWeights;
use twinscope::signals::{Behavior, FrameRate, FrameSource, Movie, Raster, Responses, UnitId};
use twinscope::stimulus::Stimulus;
use twinscope::stimulus::hash::random_words;
use twinscope::ui::{App, CompareKey, ThemeChoice, View, Workspace};
use twinscope::workbench::{
    Command, CompareCommand, Compared, Compute, Event, FigureStyle, Found, SHEET, Saved, UNIT_TRACES, UNIT_TUNING,
    Workbench, is_recording,
};

use super::fake;
use super::window::{app, settle, window};
use crate::science::evaluation::tiny_twin;

const LIMIT: Duration = Duration::from_secs(120);
const RASTER: Raster = Raster { height: 18, width: 32 };
const FRAMES: usize = 40;
const DIRECTIONS: usize = 8;
const REPEATS: usize = 3;
pub const UNITS: usize = 12;
/// The unit and the frames of the first trial in which nothing was measured.
const LOST: (usize, std::ops::Range<usize>) = (3, 20..25);

/// Response of a unit to a picture: directions are greys from 130 on, clips are darker.
fn rate(unit: usize, grey: u8) -> f32 {
    if grey < 130 {
        return 0.5 + 0.3 * (f32::from(grey) / 9.0 + unit as f32).sin();
    }
    let direction = f32::from(grey - 130) / 10.0 * 360.0 / DIRECTIONS as f32;
    let apart = (direction - 360.0 * unit as f32 / UNITS as f32).to_radians();
    0.2 + ((1.0 + 0.2 * unit as f32) * (apart.cos() - 1.0)).exp()
}

fn movie(grey: impl Fn(usize) -> u8) -> Arc<Movie> {
    let pixels = (0..FRAMES).flat_map(|frame| vec![grey(frame); RASTER.pixels()]).collect();
    Arc::new(Movie::new(RASTER, FRAMES, 1, pixels).expect("so many pixels"))
}

fn trial(number: usize, condition: &str, domain: &str, movie: &Arc<Movie>) -> Trial {
    let noise = |index: usize| random_words(number as u64, index as u32, 0)[0] as f32 / u32::MAX as f32 - 0.5;
    let mut values: Vec<f32> = (0..FRAMES)
        .flat_map(|frame| (0..UNITS).map(move |unit| (frame, unit)))
        .map(|(frame, unit)| rate(unit, movie.frame(frame)[0]) + 0.2 * noise(frame * UNITS + unit))
        .collect();
    if number == 0 {
        LOST.1.for_each(|frame| values[frame * UNITS + LOST.0] = f32::NAN);
    }
    let responses = Responses::new(FRAMES, 1, UNITS, values).expect("a row for every frame");
    Trial::new(false, Some(condition.to_owned()), Arc::clone(movie), Behavior::still(FRAMES, 1), responses)
        .expect("a whole trial")
        .in_domain(domain)
}

/// Gratings in eight directions three times each, and a clip twice.
fn session() -> Session {
    let mut trials = Vec::new();
    for _ in 0..REPEATS {
        for direction in 0..DIRECTIONS {
            let name = format!("stimulus=gratings, direction={}", 360.0 * direction as f64 / DIRECTIONS as f64);
            trials.push(trial(trials.len(), &name, "Gratings", &movie(|_| 130 + 10 * direction as u8)));
        }
    }
    let clip = movie(|frame| 60 + frame as u8);
    for _ in 0..2 {
        trials.push(trial(trials.len(), "clip 1", "Clips", &clip));
    }
    let unit = |unit: u32| SessionUnit { area: Some("V1".to_owned()), ..SessionUnit::numbered(unit) };
    Session {
        id: ScanId { animal: "M17".to_owned(), session: 4, scan: 7 },
        frame_rate: FrameRate::WANG2025,
        raster: RASTER,
        units: (1..=UNITS as u32).map(unit).collect(),
        trials,
        about: toml::Table::new(),
    }
}

/// The session as a folder.
pub fn recorded() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("M17");
    session().save(&path).expect("a new folder");
    (folder, path)
}

/// A model that answers by the rule, or waits until it is asked to stop.
struct Model {
    units: Vec<UnitId>,
    waits: bool,
}

impl Responder for Model {
    fn units(&self) -> &[UnitId] {
        &self.units
    }
    fn origin(&self) -> Origin {
        Origin { name: "Rule".to_owned(), simulated: false, sha256: None, device: "paper".to_owned() }
    }
    fn raster(&self) -> Raster {
        RASTER
    }
    fn respond(
        &self,
        movie: &mut dyn FrameSource,
        behavior: &Behavior,
        progress: &Progress,
    ) -> Result<Responses, ResponderError> {
        if self.waits {
            loop {
                progress.check()?;
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        let (frames, samples) = (movie.frames(), behavior.samples());
        let mut pixels = vec![0; frames * RASTER.pixels()];
        movie.read(0, frames, &mut pixels)?;
        let row = |frame: &[u8]| (0..self.units.len()).map(|unit| rate(unit, frame[0])).collect::<Vec<f32>>();
        let values = pixels.chunks_exact(RASTER.pixels()).flat_map(|frame| row(frame).repeat(samples)).collect();
        progress.advance((frames * samples) as u64)?;
        Ok(Responses::new(frames, samples, self.units.len(), values).expect("a row for every frame and sample"))
    }
}

/// A twin of an animal's scan.
fn twin_of(animal: &str) -> TwinWeights {
    let unit = |unit: u32| UnitId { animal: Some(animal.to_owned()), session: 4, scan: 7, unit };
    let mut twin = fake::twin();
    twin.units = (1..=UNITS as u32).map(unit).collect();
    twin.card.raster = RASTER;
    twin
}

/// A workbench with such a twin, which answers by the rule.
pub fn bench_of(animal: &str, waits: bool) -> Workbench {
    let compute = Compute::new(Box::new(|_, _| Err("no protocol is run here".to_owned())))
        .with_responder(Box::new(move |weights, _| Ok(Box::new(Model { units: weights.units.clone(), waits }))))
        .with_device(DeviceChoice::Auto, ComputeDevice::Cpu, "CPU engine: no graphics adapter was found".to_owned());
    let mut bench = Workbench::new(twin_of(animal), compute).expect("the system gives threads");
    bench.perform(Command::SetLive(false));
    bench
}

fn ask(bench: &mut Workbench, command: CompareCommand) -> Vec<Event> {
    bench.perform(Command::Compare(command));
    bench.wait(LIMIT)
}

/// A workbench whose twin was laid beside the recording.
pub fn compared() -> (tempfile::TempDir, Workbench) {
    let (folder, path) = recorded();
    let mut bench = bench_of("M17", false);
    ask(&mut bench, CompareCommand::Open(path));
    let events = ask(&mut bench, CompareCommand::Compare);
    assert!(events.contains(&Event::Compared), "{events:?} {:?}", bench.message());
    (folder, bench)
}

fn found(bench: &Workbench) -> &Arc<Compared> {
    bench.compared().unwrap_or_else(|| panic!("{:?} {:?}", bench.compare_failure(), bench.message()))
}

/// Comparison as the command line makes it, from the same folder.
fn direct(path: &Path, responder: &dyn Responder) -> Comparison {
    let session = import::open(path).expect("a session");
    let table = PresentationTable::beside(path).expect("a table, or none");
    Comparison::of(responder, &session, &table, &Selection::default(), &Progress::new()).expect("the same cells")
}

#[test]
fn an_open_recording_says_what_it_holds_and_what_was_not_measured() {
    let (_folder, path) = recorded();
    let mut bench = bench_of("M17", false);
    ask(&mut bench, CompareCommand::Open(path.clone()));
    let open = bench.recording().unwrap_or_else(|| panic!("{:?}", bench.message()));
    assert_eq!((open.path.as_path(), open.format), (path.as_path(), import::Format::SessionFolder));
    assert_eq!((open.session.units.len(), open.simulated, open.movies), (UNITS, false, DIRECTIONS * REPEATS + 2));
    let domains: Vec<_> = open.domains.iter().map(|one| (one.name.as_str(), one.training, one.test)).collect();
    assert_eq!(domains, [("Gratings", 0, DIRECTIONS * REPEATS), ("Clips", 0, 2)]);
    assert_eq!(open.areas, [("V1".to_owned(), UNITS)]);
    let frames = FRAMES * (DIRECTIONS * REPEATS + 2);
    let missing = Missing { behavior: 0, responses: LOST.1.len() };
    let counted = Counted { frames, behavior: 4 * frames, responses: UNITS * frames, missing };
    assert_eq!(bench.recording_counted(), Some(Ok(&counted)));
    assert_eq!(bench.recording_matched(), Some(Ok(())));

    let absent = path.join("absent");
    ask(&mut bench, CompareCommand::Open(absent));
    assert!(bench.message().is_some_and(|message| message.error && message.text.contains("absent")));
    assert!(bench.recording().is_some_and(|open| open.path == path), "the recording before stays");
}

#[test]
fn the_window_compares_as_the_command_line_does() {
    let (folder, bench) = compared();
    let found = found(&bench);
    let all = found.comparison().expect("the same cells");
    let direct = direct(&folder.path().join("M17"), &Model { units: twin_of("M17").units, waits: false });
    assert_eq!((&all.evaluation, &all.directions), (&direct.evaluation, &direct.directions));
    assert!(found.selection == Selection::default() && !bench.is_compared_outdated());

    let [gratings, clips] = &found.domains[..] else { panic!("two domains, not {}", found.domains.len()) };
    assert_eq!([gratings.name.as_str(), clips.name.as_str()], ["Gratings", "Clips"]);
    assert_eq!((gratings.missing, clips.missing), (LOST.1.len(), 0));
    assert_eq!(gratings.medians[0], direct.evaluation.domains[0].median(twinscope::evaluation::Quantity::CcNorm));
    let counted: f64 = gratings.bars.iter().map(|bar| bar[1]).sum();
    let norms = gratings.medians[0].expect("three repeats").n;
    assert_eq!((counted, gratings.accuracy.len()), (norms as f64, norms), "every unit is in one bar and has one dot");
    let osi = direct.directions[0].pairs(Measure::GlobalOsi);
    let shown = gratings.tunings.iter().find(|tuning| tuning.label == "gOSI").expect("directions were shown");
    let expected: Vec<_> = osi.points.iter().map(|&(unit, a, b)| (unit, [a, b])).collect();
    assert_eq!(shown.points, expected);
    let r = osi.correlation(Selection::default().seed).expect("units differ");
    assert_eq!(shown.agreement, format!("r = {r}, n = {} units", osi.n()));
    assert!(clips.tunings.is_empty(), "no direction was varied there");
}

#[test]
fn the_twin_itself_is_laid_beside_the_recording() {
    let (folder, path) = recorded();
    let weights = tiny_twin(&session(), &[0, 4, 7]);
    let compute = Compute::with_twins().with_device(DeviceChoice::Auto, ComputeDevice::Cpu, "CPU engine".to_owned());
    let mut bench = Workbench::new(weights.clone(), compute).expect("the system gives threads");
    bench.perform(Command::SetLive(false));
    ask(&mut bench, CompareCommand::Open(path));
    ask(&mut bench, CompareCommand::Compare);
    let twin = Twin::open(Arc::new(weights), &ComputeDevice::Cpu, TwinOptions::default()).expect("a tiny twin");
    let direct = direct(&folder.path().join("M17"), &twin);
    assert_eq!(found(&bench).comparison().expect("the same cells").evaluation, direct.evaluation);
    assert_eq!(found(&bench).units(), 3);
}

#[test]
fn the_responses_of_any_unit_are_read_when_it_is_chosen() {
    let (_folder, mut bench) = compared();
    let all = found(&bench).comparison().expect("the same cells");
    assert_eq!(bench.compared_unit(), all.examples[0].units[0].unit, "the best at first");
    let first = bench.compared_trace().expect("read without being asked");
    assert!(first.is_of(found(&bench), 0, bench.compared_unit()));

    ask(&mut bench, CompareCommand::SelectUnit(LOST.0));
    let trace = bench.compared_trace().expect("read");
    assert!(trace.is_of(found(&bench), 0, LOST.0));
    let lines = trace.lines.as_ref().expect("readable");
    assert_eq!((lines.count, lines.missing), (REPEATS, LOST.1.len()));
    assert_eq!(lines.repeats.len(), REPEATS + 1, "the first is interrupted where nothing was measured");
    assert_eq!((lines.repeats[0].len(), lines.repeats[1].len()), (LOST.1.start, FRAMES - LOST.1.end));
    assert_eq!((lines.mean.len(), lines.mean[0].len()), (1, FRAMES), "two repeats are left there");
    for (frame, &[secs, response]) in lines.predicted.iter().enumerate() {
        assert!((secs - (frame as f64 + 0.5) / 30.0).abs() < 1e-9, "frame {frame}: {secs} s");
        // Sums of f32 over three repeats.
        let expected = f64::from(rate(LOST.0, 130));
        assert!((response - expected).abs() < 1e-5, "frame {frame}: {response}, {expected}");
    }
    ask(&mut bench, CompareCommand::ShowDomain(1));
    let trace = bench.compared_trace().expect("read");
    assert!(trace.is_of(found(&bench), 1, LOST.0), "the same unit in the other domain");
    assert_eq!(trace.lines.as_ref().expect("readable").movie.as_deref(), Some("clip 1"));
    ask(&mut bench, CompareCommand::SelectUnit(10_000));
    assert_eq!(bench.compared_unit(), UNITS - 1, "a unit that there is not");
}

#[test]
fn other_cells_are_refused_in_a_sentence_and_compared_as_populations() {
    let (folder, path) = recorded();
    let mut bench = bench_of("M18", false);
    ask(&mut bench, CompareCommand::Open(path));
    let why = bench.recording_matched().expect("a recording").expect_err("another animal").to_owned();
    assert!(why.contains("different animals") && why.contains("M17") && why.contains("M18"), "{why}");
    assert!(!why.contains("--population"), "there is a button for it: {why}");
    let events = ask(&mut bench, CompareCommand::Compare);
    assert!(events.contains(&Event::Failed(why.clone())) && bench.compared().is_none(), "{events:?}");
    assert_eq!((bench.compare_failure(), bench.can_compare()), (Some(why.as_str()), false));

    ask(&mut bench, CompareCommand::Population(true));
    assert!(bench.can_compare());
    ask(&mut bench, CompareCommand::Compare);
    let found = Arc::clone(found(&bench));
    assert!(matches!(found.found, Found::Population(_)) && found.units() == 0);
    assert!(found.notice.contains("not the same cells"), "{}", found.notice);
    let axes: Vec<&str> = found.domains[0].distributions.iter().map(|one| one.axis.as_str()).collect();
    assert!(axes.contains(&"CC_max") && axes.contains(&"gOSI"), "{axes:?}");
    for one in &found.domains[0].distributions {
        let total: f64 = one.recorded.iter().map(|bar| bar[1]).sum();
        assert!((total - 1.0).abs() < 1e-9, "{}: shares of {total}", one.axis);
    }
    let out = folder.path().join("out");
    ask(&mut bench, CompareCommand::ExportAll(out.clone()));
    for name in ["population.csv", "population_summary.csv", "population.png", "population.svg", "population.pdf"] {
        assert!(out.join(name).is_file(), "{name}: {:?}", bench.message());
    }
    ask(&mut bench, CompareCommand::Population(false));
    assert!(bench.is_compared_outdated());
}

#[test]
fn a_comparison_that_is_cancelled_leaves_nothing_and_can_be_begun_again() {
    let (_folder, path) = recorded();
    let mut bench = bench_of("M17", true);
    ask(&mut bench, CompareCommand::Open(path));
    bench.perform(Command::Compare(CompareCommand::Compare));
    bench.tick(0.0);
    let progress = bench.compare_progress().expect("under way");
    assert_eq!((progress.trials, progress.stopping), (DIRECTIONS * REPEATS + 2, false));
    assert!(!bench.can_compare(), "one at a time");
    let events = ask(&mut bench, CompareCommand::Cancel);
    assert!(events.contains(&Event::CompareCancelled), "{events:?}");
    assert!(bench.compared().is_none() && bench.compare_progress().is_none() && bench.compare_failure().is_none());
    assert!(bench.message().is_some_and(|message| !message.error && message.text.contains("cancelled")));
    assert!(bench.can_compare());
}

#[test]
fn trials_to_learn_from_are_asked_for_by_name() {
    let (_folder, mut bench) = compared();
    ask(&mut bench, CompareCommand::Choose(Trials::Training));
    assert!(bench.is_compared_outdated());
    let before = Arc::clone(found(&bench));
    ask(&mut bench, CompareCommand::Compare);
    // This recording has none.
    let why = bench.compare_failure().expect("nothing to compare");
    assert!(why.contains("no ") && why.contains("trial"), "{why}");
    assert!(Arc::ptr_eq(&before, found(&bench)), "the previous result stays");
}

#[test]
fn every_figure_and_the_sheet_are_written_with_their_numbers() {
    let (folder, mut bench) = compared();
    let layout = Layout { width: Some(Width::Column), dpi: 100 };
    bench.perform(Command::SetFigureStyle(FigureStyle { layout, ..FigureStyle::default() }));
    let figures: Vec<String> = found(&bench).figures.iter().map(|(stem, _)| stem.clone()).collect();
    assert_eq!(
        figures,
        [SHEET, "accuracy", "domains", "tuning_gratings", "traces_gratings", "traces_clips", UNIT_TRACES, UNIT_TUNING],
        "{figures:?}"
    );
    assert_eq!(bench.compared_figure(), SHEET);
    for (stem, ending) in figures.iter().zip(["png", "svg", "pdf"].into_iter().cycle()) {
        ask(&mut bench, CompareCommand::ChooseFigure(stem.clone()));
        let path = folder.path().join(format!("{stem}.{ending}"));
        let events = ask(&mut bench, CompareCommand::ExportFigure(path.clone()));
        assert!(events.contains(&Event::Written(path.clone())), "{stem}: {:?}", bench.message());
        let numbers = folder.path().join(format!("{stem}_numbers.csv"));
        assert!(std::fs::metadata(&path).is_ok_and(|file| file.len() > 1000) && numbers.is_file(), "{stem}");
    }
    // 89 mm at 100 dots per inch.
    assert_eq!(image::image_dimensions(folder.path().join("sheet.png")).expect("a PNG").0, 350);
    let numbers = std::fs::read_to_string(folder.path().join("sheet_numbers.csv")).expect("written");
    for panel in ["A: Gratings", "C: Preferred direction", "D: unit"] {
        assert!(numbers.contains(panel), "{panel} is not in {}", &numbers[..300]);
    }
    assert!(!numbers.contains("E: unit"), "the sheet is about the domain that is shown");

    let out = folder.path().join("out");
    ask(&mut bench, CompareCommand::ExportAll(out.clone()));
    let tables = ["units.csv", "summary.csv", "evaluation.json", "tuning.csv", "tuning_summary.csv"].map(str::to_owned);
    // The sheet and the figures of one unit are about what is on the screen.
    let drawn = figures[1..figures.len() - 2]
        .iter()
        .flat_map(|stem| [".png", ".svg", ".pdf", "_numbers.csv"].map(|end| format!("{stem}{end}")));
    let mut expected: Vec<String> = tables.into_iter().chain(drawn).collect();
    let entries = std::fs::read_dir(&out).unwrap_or_else(|error| panic!("{error}: {:?}", bench.message()));
    let mut written: Vec<String> =
        entries.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned()).collect();
    expected.sort();
    written.sort();
    assert_eq!(written, expected);

    let mut nothing = bench_of("M17", false);
    ask(&mut nothing, CompareCommand::ExportAll(out));
    assert!(nothing.message().is_some_and(|message| message.error && message.text.contains("nothing to export")));
}

#[test]
fn a_dropped_file_is_opened_by_what_is_in_it() {
    let fixture = |name: &str| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/")).join(name);
    let folder = tempfile::tempdir().expect("a folder");
    let ours = folder.path().join("M17.npz");
    save_npz(&session(), &ours).expect("written");
    let npz = |name: &str, array: &str| {
        let path = folder.path().join(name);
        let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).expect("a file"));
        zip.start_file(format!("{array}.npy"), zip::write::SimpleFileOptions::default()).expect("a member");
        let dict = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 4), }";
        let header = format!("{dict:<117}\n");
        let head = [b"\x93NUMPY\x01\x00".as_slice(), &118u16.to_le_bytes(), header.as_bytes(), &[7; 24]].concat();
        let head = if array == "weather" { b"no array".to_vec() } else { head };
        zip.write_all(&head).expect("written");
        zip.finish().expect("written");
        path
    };
    let asked = |path: &Path| {
        let mut bench = bench_of("M17", false);
        bench.perform(Command::OpenAny(path.to_owned()));
        let events = bench.wait(LIMIT);
        let open = [bench.recording().is_some(), bench.spikes().is_some()];
        let clip = matches!(bench.protocol().stimulus, Stimulus::Clip(_));
        let told = bench.message().filter(|message| message.error).map(|message| message.text.clone());
        let turned = [Event::RecordingAsked, Event::SpikesAsked].map(|event| events.contains(&event));
        (open, turned, clip, told)
    };
    let recording = ([true, false], [true, false], false, None);
    for path in [fixture("nwb/two_photon.nwb"), fixture("recordings/repeats.npz"), ours] {
        assert_eq!(asked(&path), recording, "{}", path.display());
    }
    let (open, turned, clip, _) = asked(&fixture("nwb/spikes.nwb"));
    assert_eq!((turned, clip, open[0]), ([false, true], false, false), "sorted units are spikes");
    let (_, turned, clip, told) = asked(&npz("walk.npz", "walk"));
    assert_eq!((turned, clip), ([false; 2], true), "an array of pictures is a clip: {told:?}");
    let (_, turned, clip, told) = asked(&npz("weather.npz", "weather"));
    let told = told.expect("one sentence");
    assert!(told.contains("weather.npz") && told.contains("neither spikes") && told.contains("nor a clip"), "{told}");
    assert_eq!((turned, clip), ([false; 2], false), "the protocol stays as it was");
    let damaged = folder.path().join("damaged.nwb");
    std::fs::write(&damaged, b"\x89HDF\r\n\x1a\n and no more").expect("written");
    let (_, turned, _, told) = asked(&damaged);
    assert!(told.is_some_and(|told| told.contains("damaged.nwb")) && turned == [false; 2]);

    // Where recordings are shown, spikes are one, too, and a clip is none.
    assert!(is_recording(&fixture("nwb/spikes.nwb")) && is_recording(&fixture("nwb/two_photon.nwb")));
    assert!(!is_recording(&folder.path().join("walk.npz")) && !is_recording(&damaged));
}

#[test]
fn trace_and_tuning_curve_of_any_unit_are_written_whatever_its_rank() {
    let (folder, mut bench) = compared();
    let all = Arc::clone(found(&bench));
    let comparison = all.comparison().expect("the same cells");
    let ranked: Vec<usize> = comparison.examples[0].units.iter().map(|example| example.unit).collect();
    let unit = (0..UNITS).find(|unit| !ranked.contains(unit)).expect("four ranks, twelve units");
    ask(&mut bench, CompareCommand::SelectUnit(unit));
    let mut written = |stem: &str, ending: &str| {
        ask(&mut bench, CompareCommand::ChooseFigure(stem.to_owned()));
        let path = folder.path().join(format!("{stem}.{ending}"));
        let events = ask(&mut bench, CompareCommand::ExportFigure(path.clone()));
        assert!(events.contains(&Event::Written(path.clone())), "{stem}: {:?}", bench.message());
        let numbers = folder.path().join(format!("{stem}_numbers.csv"));
        (std::fs::read_to_string(path).expect("text"), std::fs::read_to_string(numbers).expect("written"))
    };
    let name = all.unit_name(unit);
    let (traces, numbers) = written(UNIT_TRACES, "svg");
    assert!(traces.contains(&format!("Unit {name}, CC_")) && !traces.contains("by rank"), "no rank is claimed");
    let rows = |numbers: &str, series: &str| {
        numbers.lines().filter(|line| line.starts_with(&format!("unit {name},{series},"))).count()
    };
    // The name of a series with a comma is quoted.
    assert_eq!(rows(&numbers, "\"predicted, mean\""), FRAMES);
    assert_eq!(rows(&numbers, "\"recorded, repeat 3\""), FRAMES);
    let (curve, numbers) = written(UNIT_TUNING, "svg");
    assert!(curve.contains(&format!("Unit {name}")) && curve.contains("predicted, gOSI"), "it says whose it is");
    let tuned = comparison.directions[0].recorded.units[unit].as_ref().expect("it responds");
    let means: Vec<f32> = (numbers.lines())
        .filter_map(|line| line.strip_prefix(&format!("unit {name},recorded,")))
        .map(|line| line.split(',').nth(3).and_then(|value| value.parse().ok()).expect("a number"))
        .collect();
    assert_eq!(means.len(), DIRECTIONS);
    for (written, mean) in means.iter().zip(&tuned.mean) {
        // Seven digits are written.
        assert!((written - mean).abs() <= 1e-5 * mean.abs(), "{written}, {mean}");
    }
    assert_eq!(rows(&numbers, "predicted"), DIRECTIONS);

    ask(&mut bench, CompareCommand::ShowDomain(1));
    ask(&mut bench, CompareCommand::ExportFigure(folder.path().join("nothing.svg")));
    let message = bench.message().expect("an error");
    assert!(message.error && message.text.contains("no direction was varied in the domain Clips"), "{}", message.text);
}

#[test]
fn a_dropped_recording_is_opened_and_remembered() {
    let (_folder, path) = recorded();
    let mut bench = bench_of("M17", false);
    bench.perform(Command::OpenAny(path.clone()));
    assert!(bench.wait(LIMIT).contains(&Event::RecordingAsked));
    assert!(bench.recording().is_some(), "{:?}", bench.message());
    let saved: Saved = serde_json::from_str(&serde_json::to_string(&bench.saved()).expect("text")).expect("read");
    assert_eq!(saved.recording_path.as_deref(), Some(path.as_path()));
    let mut again = bench_of("M17", false);
    again.restore(saved);
    again.perform(Command::SetLive(false));
    assert!(!again.wait(LIMIT).contains(&Event::RecordingAsked), "what is remembered does not turn the window");
    assert!(again.recording().is_some_and(|open| open.path == path));
    assert_eq!(again.recording_counted(), None, "all of it is read only when somebody looks");
    ask(&mut again, CompareCommand::Count);
    assert!(matches!(again.recording_counted(), Some(Ok(_))));
    assert_eq!(again.recording_matched(), Some(Ok(())));
}

#[test]
fn what_was_counted_is_of_the_recording_that_is_open() {
    let (folder, first) = recorded();
    let second = folder.path().join("M18");
    let mut other = session();
    other.id.animal = "M18".to_owned();
    other.trials.truncate(DIRECTIONS);
    other.save(&second).expect("a new folder");
    let mut bench = bench_of("M17", false);
    bench.restore(Saved { recording_path: Some(first), live: false, ..Saved::default() });
    bench.wait(LIMIT);
    assert_eq!(bench.recording_counted(), None, "all of it is read only when somebody looks");
    // Counting is asked for while another recording is being opened, and both end before either is looked at.
    let ended = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&ended);
    bench.set_wake(move || {
        count.fetch_add(1, Ordering::SeqCst);
    });
    bench.perform(Command::Compare(CompareCommand::Open(second)));
    bench.perform(Command::Compare(CompareCommand::Count));
    let began = Instant::now();
    while ended.load(Ordering::SeqCst) < 2 {
        assert!(began.elapsed() < LIMIT, "{} of 2 jobs ended", ended.load(Ordering::SeqCst));
        std::thread::sleep(Duration::from_millis(2));
    }
    bench.wait(LIMIT);
    assert!(bench.recording().is_some_and(|open| open.session.id.animal == "M18"), "{:?}", bench.message());
    let counted = bench.recording_counted().expect("counted").expect("readable");
    assert_eq!(counted.frames, FRAMES * DIRECTIONS);
}

#[test]
fn domains_whose_names_differ_by_signs_alone_have_files_of_their_own() {
    let mut session = session();
    session.trials.clear();
    let clip = movie(|frame| 60 + frame as u8);
    for domain in ["a", "a!", "a 2"] {
        for _ in 0..2 {
            session.trials.push(trial(session.trials.len() + 1, &format!("clip of {domain}"), domain, &clip));
        }
    }
    let model = Model { units: twin_of("M17").units, waits: false };
    let table = PresentationTable::default();
    let found = Comparison::of(&model, &session, &table, &Selection::default(), &Progress::new()).expect("the same");
    let stems: Vec<String> = ComparisonFigure::named(&found).into_iter().map(|(stem, _)| stem).collect();
    assert_eq!(stems, ["accuracy", "domains", "traces_a", "traces_a_2", "traces_a_2_2"]);
}

fn shows(harness: &Harness<'_, Option<App>>, text: &str) -> bool {
    harness.query_all_by_label_contains(text).count() > 0
}

fn compare_view() -> View {
    View { playing: false, workspace: Workspace::Compare, ..View::default() }
}

#[test]
fn a_newcomer_is_told_how_to_get_a_recording_and_then_sees_units() {
    let (_folder, path) = recorded();
    let bench = bench_of("M17", false);
    let mut harness = window(bench, [1280.0, 800.0], View { playing: false, ..View::default() });
    harness.get_by_label("Predicted and recorded").click();
    harness.run_steps(3);
    assert!(shows(&harness, "twinscope simulate") && shows(&harness, "drop one here"));
    app(&mut harness).bench.perform(Command::Compare(CompareCommand::Open(path)));
    settle(&mut harness);
    assert!(shows(&harness, "animal M17, session 4, scan 7") && shows(&harness, "24 trials"));
    assert!(shows(&harness, "Not measured (NaN): 5 of"));
    harness.get_by_label("Compare with recording").click();
    harness.run_steps(2);
    settle(&mut harness);
    assert!(app(&mut harness).bench.compared().is_some(), "{:?}", app(&mut harness).bench.message());
    assert!(shows(&harness, "CC_abs under its ceiling") && shows(&harness, "Tuning in silico against in vivo"));

    harness.get_by_label("Sort by Unit").click();
    harness.run_steps(3);
    assert_eq!(app(&mut harness).view.compare_sort, CompareKey::Unit);
    harness.get_by_label("Unit 4").click();
    harness.run_steps(2);
    settle(&mut harness);
    assert_eq!(app(&mut harness).bench.compared_unit(), 3);
    assert!(shows(&harness, "Responses of unit 4 over time") && shows(&harness, "5 responses were not measured"));
    harness.key_press(Key::ArrowDown);
    harness.run_steps(2);
    settle(&mut harness);
    assert_eq!(app(&mut harness).bench.compared_unit(), 4, "the next unit in the table");

    harness.get_by_role_and_label(Role::Button, "Clips").click();
    harness.run_steps(2);
    settle(&mut harness);
    assert_eq!(app(&mut harness).bench.compared_domain(), 1);
    assert!(shows(&harness, "no direction, orientation or place of spots"));
    harness.key_press_modifiers(Modifiers::COMMAND, Key::E);
    harness.run_steps(3);
    let line = harness.get_by_label_contains("The name of the figure");
    assert_eq!(line.value().as_deref(), Some("comparison_sheet.png"), "a name is proposed");
}

#[test]
fn the_keyboard_begins_a_comparison_and_stops_it() {
    let (_folder, path) = recorded();
    let mut bench = bench_of("M17", true);
    ask(&mut bench, CompareCommand::Open(path));
    let mut harness = window(bench, [1280.0, 800.0], View { playing: false, ..View::default() });
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Num3);
    harness.run_steps(3);
    assert_eq!(app(&mut harness).view.workspace, Workspace::Compare);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::R);
    harness.run_steps(3);
    assert!(app(&mut harness).bench.compare_progress().is_some(), "Ctrl+R compares");
    assert!(!app(&mut harness).bench.is_running(), "and runs no protocol");
    // What the recording holds is told beside it all the time; this is the line below the bar.
    assert!(shows(&harness, "preparing the twin for 26 trials") || shows(&harness, "% of the frames of 26 trials"));
    harness.key_press(Key::Escape);
    harness.run_steps(2);
    settle(&mut harness);
    assert!(app(&mut harness).bench.compare_progress().is_none(), "Esc stops it");
    assert!(app(&mut harness).bench.can_compare());
}

#[test]
fn other_cells_are_told_of_and_one_press_compares_populations() {
    let (_folder, path) = recorded();
    let mut bench = bench_of("M18", false);
    ask(&mut bench, CompareCommand::Open(path));
    let mut harness = window(bench, [1280.0, 800.0], compare_view());
    assert!(shows(&harness, "Twin and recording are of different animals"));
    harness.get_by_label("Compare populations").click();
    harness.run_steps(2);
    settle(&mut harness);
    assert!(app(&mut harness).bench.compared().is_some_and(|found| matches!(found.found, Found::Population(_))));
    assert!(shows(&harness, "They are not the same cells") && shows(&harness, "n = 12 recorded, 12 predicted units"));
}

/// Pictures for human eyes: `TWINSCOPE_SHOTS=folder cargo test --test all shots`.
#[test]
fn shots_of_a_comparison_for_human_eyes() {
    let Some(folder) = std::env::var_os("TWINSCOPE_SHOTS") else { return };
    let folder = PathBuf::from(folder);
    let shot = |name: &str, bench: Workbench, size: [f32; 2], theme: ThemeChoice| {
        let mut harness = window(bench, size, View { theme, ..compare_view() });
        settle(&mut harness);
        harness.render().expect("a picture").save(folder.join(format!("{name}.png"))).expect("written");
    };
    for (name, size, theme) in [
        ("compare-1280-dark", [1280.0, 800.0], ThemeChoice::Dark),
        ("compare-1280-light", [1280.0, 800.0], ThemeChoice::Light),
        ("compare-1024", [1024.0, 700.0], ThemeChoice::Dark),
        ("compare-1920", [1920.0, 1080.0], ThemeChoice::Dark),
    ] {
        let (_folder, bench) = compared();
        shot(name, bench, size, theme);
    }
    let (_folder, mut bench) = compared();
    for stem in [UNIT_TRACES, UNIT_TUNING] {
        ask(&mut bench, CompareCommand::ChooseFigure(stem.to_owned()));
        ask(&mut bench, CompareCommand::ExportFigure(folder.join(format!("figure-{stem}.png"))));
    }
    shot("compare-empty", bench_of("M17", false), [1280.0, 800.0], ThemeChoice::Dark);
    let (_folder, path) = recorded();
    let strangers = || {
        let mut bench = bench_of("M18", false);
        ask(&mut bench, CompareCommand::Open(path.clone()));
        bench
    };
    shot("compare-strangers", strangers(), [1280.0, 800.0], ThemeChoice::Dark);
    let mut bench = strangers();
    ask(&mut bench, CompareCommand::Population(true));
    ask(&mut bench, CompareCommand::Compare);
    shot("compare-populations", bench, [1280.0, 800.0], ThemeChoice::Dark);
}
