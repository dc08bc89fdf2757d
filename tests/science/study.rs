//! Studies of twins on tiny networks and mice: the machinery, not the science.

use std::path::{Path, PathBuf};

use twinscope::data::simulated::{SimulateOptions, TestMovies, simulate};
use twinscope::data::{ScanId, Session, Trial};
use twinscope::evaluation::{DomainEvaluation, Evaluation, Origin, Quantity, Selection, UnitEvaluation};
use twinscope::experiment::Protocol;
use twinscope::gpu::ComputeDevice;
use twinscope::job::Progress;
use twinscope::model::twin::{Twin, TwinConfig, TwinOptions};
use twinscope::model::weights::TwinWeights;
use twinscope::signals::{Monitor, Raster, UnitId};
use twinscope::study::{
    BaselinePlan, Corruption, CurvePlan, Lesion, StressPlan, StudyError, Table, baselines, fidelity, learning_curve,
    lesions, stress,
};
use twinscope::training::baseline::GruTraining;
use twinscope::training::{BatchRecipe, Recipe, ScheduleRecipe, Training, ValidationRecipe};

const CLIPS: &str = r#"
schema = 1
title = "Clips"
[timing]
lead_in_secs = 0.0
stimulus_secs = 1.5
blank_secs = 0.0
skip_secs = 0.3333
[repeats]
count = 12
seed = 5
[monitor]
raster = [18, 32]
[stimulus]
kind = "scene"
"#;

fn clips() -> (Protocol, Monitor) {
    let protocol = Protocol::from_toml(CLIPS, "clips").expect("a valid protocol");
    let monitor = protocol.monitor(Raster { height: 18, width: 32 });
    (protocol, monitor)
}

fn options() -> SimulateOptions {
    SimulateOptions { units: 5, seed: 8, held_out: Some(2), repeats: 3, ..SimulateOptions::default() }
}

fn record(folder: &Path, mice: usize) -> Vec<Session> {
    let (protocol, monitor) = clips();
    let options = SimulateOptions { mice, ..options() };
    let made = simulate(&options, &protocol.schedule(&monitor), &[], &monitor, folder, &Progress::new());
    made.expect("mice").iter().map(|folder: &PathBuf| Session::open(folder).expect("a session")).collect()
}

fn tiny() -> TwinConfig {
    let mut config = TwinConfig::small();
    (config.perspective.height, config.perspective.width) = (12, 18);
    let f = &mut config.core.feedforward;
    (f.block_channels, f.block_groups, f.block_layers) = (vec![4], vec![1], vec![1]);
    (f.block_temporals, f.block_spatials, f.block_pools, f.out_channels) = (vec![3], vec![3], vec![1], 4);
    let r = &mut config.core.recurrent;
    (r.in_channels, r.out_channels, r.hidden_channels, r.common_channels) = (4, 4, 4, 4);
    config
}

fn recipe() -> Recipe {
    Recipe {
        batch: BatchRecipe { samples: 2, frames: 15, burnin_frames: 4, ..BatchRecipe::default() },
        schedule: ScheduleRecipe { steps: 3, warmup_epochs: 1, ..ScheduleRecipe::default() },
        validation: ValidationRecipe { trials: 0, every: 3, patience: 0 },
        ..Recipe::default()
    }
}

fn twin_of(session: &Session) -> TwinWeights {
    let cpu = ComputeDevice::Cpu;
    let sessions = std::slice::from_ref(session);
    let training = Training::new(&recipe(), &tiny(), sessions, None, &cpu, &Progress::new());
    training.expect("it can begin").complete(&Progress::new()).expect("three steps").remove(0)
}

#[test]
fn an_intact_twin_is_evaluated_as_ever_and_a_lesion_changes_what_it_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let session = record(folder.path(), 1).remove(0);
    let weights = twin_of(&session);
    let table = lesions(weights.clone(), &session, &Progress::new()).expect("a table");
    let twin = Twin::open(weights.into(), &ComputeDevice::Cpu, TwinOptions::default()).expect("a twin");
    let plain = Evaluation::of(&twin, &session, &Selection::default(), &Progress::new()).expect("an evaluation");
    assert_eq!(table.distinct(|finding| &finding.arm), Lesion::ALL.map(Lesion::name));
    let abs = plain.domains[0].median(Quantity::CcAbs).map(|median| median.value);
    assert_eq!(table.findings[0].cc_abs, abs);
    for lesioned in &table.findings[1..] {
        assert_ne!(lesioned.cc_true, table.findings[0].cc_true, "{}", lesioned.arm);
    }
    assert!(table.findings.iter().all(|finding| finding.seed.is_none()), "the study trains none of them");
    let csv = String::from_utf8(table.csv()).expect("text");
    assert_eq!(csv.lines().count(), 1 + table.findings.len());
    assert!(table.findings.iter().all(|finding| finding.seed.is_none()), "nothing was trained here");
    for one in &table.tests {
        assert!(one.against == Lesion::Intact.name() && one.arm != one.against, "{one}");
    }
    assert_eq!(table.sha256.as_deref(), Some(twin.weights().sha256.as_str()));
    assert_eq!(table.devices, [twin.device()]);
}

/// CC_norm of some units in some domains.
fn evaluated(units: &[u32], domains: &[&str], cc_norm: impl Fn(&str, u32) -> Option<f64>) -> Evaluation {
    let domain = |name: &&str| DomainEvaluation {
        name: (*name).to_owned(),
        movies: 1,
        repeats: (5, 5),
        frames: 100,
        missing: 0,
        units: units
            .iter()
            .map(|&unit| UnitEvaluation { cc_norm: cc_norm(name, unit), ..Default::default() })
            .collect(),
        seed: 1,
    };
    let id = |&unit: &u32| UnitId { animal: Some("M17".to_owned()), session: 4, scan: 7, unit };
    Evaluation {
        origin: Origin { name: "Twin".to_owned(), simulated: false, sha256: None, device: "CPU".to_owned() },
        recording: ScanId { animal: "M17".to_owned(), session: 4, scan: 7 },
        simulated: false,
        units: units.iter().map(id).collect(),
        places: Vec::new(),
        selection: Selection::default(),
        domains: domains.iter().map(domain).collect(),
    }
}

#[test]
fn arms_are_compared_unit_by_unit_and_their_p_values_corrected_together() {
    let ascending: Vec<u32> = (1..=12).collect();
    let descending: Vec<u32> = ascending.iter().rev().copied().collect();
    let norm = |unit: u32| 0.4 + 0.04 * f64::from(unit);
    let intact = evaluated(&ascending, &["Clips", "Dots"], |_, unit| Some(norm(unit)));
    // Its units stand in another order, and the seventh has no CC_norm; in the second domain nothing changes.
    let blind = evaluated(&descending, &["Clips", "Dots", "Bars"], |domain, unit| {
        let lost = if domain == "Clips" { 0.01 * f64::from(unit) } else { 0.0 };
        (unit != 7).then_some(norm(unit) - lost)
    });
    let mut table = Table::new("Lesions");
    table.compare(("without gaze", &blind), ("intact", &intact));
    assert_eq!(table.tests.iter().map(|one| one.domain.as_str()).collect::<Vec<_>>(), ["Clips", "Dots"]);
    let [clips, dots] = [0, 1].map(|index: usize| table.tests[index].clone());
    // Of 1 to 12 without 7 the middle is 6; of its unit the loss is 0.06.
    assert_eq!(clips.difference.n, 11);
    assert!((clips.difference.value + 0.06).abs() < 1e-9, "{clips}");
    // All eleven have lost: one of 2^11 patterns of signs, on either side.
    let p = 2.0 / 2f64.powi(11);
    let found = clips.test.expect("a test").p;
    assert!((found - p).abs() < 1e-12, "{found}, expected {p}");
    assert_eq!(clips.adjusted, Some(found), "one test needs no correction");
    assert!(dots.test.is_none() && dots.adjusted.is_none() && dots.difference.value.abs() < 1e-12, "{dots}");
    assert!(clips.to_string().contains("p < 0.001 (Holm)") && dots.to_string().contains("no test"), "{clips}; {dots}");

    table.compare(("without either", &blind), ("intact", &intact));
    let adjusted: Vec<f64> = table.tests.iter().filter_map(|one| one.adjusted).collect();
    assert_eq!(adjusted, [2.0 * found; 2], "two tests, equally certain");
    let csv = String::from_utf8(table.tests_csv()).expect("text");
    let rows: Vec<&str> = csv.lines().collect();
    assert_eq!(rows.len(), 5);
    assert!(rows[1].starts_with("without gaze,intact,M17,Clips,11,-0.0600,"), "{csv}");
    assert!(rows[1].ends_with(&format!("{found:.3e},{:.3e}", 2.0 * found)), "{csv}");
    assert!(rows[2].ends_with(",,,,,,"), "{csv}");
}

#[test]
fn a_learning_curve_has_a_row_for_each_animal_seed_budget_and_arm() {
    let folder = tempfile::tempdir().expect("a folder");
    let sessions = record(folder.path(), 2);
    let core = twin_of(&sessions[0]);
    let plan = CurvePlan { minutes: vec![0.1, 0.2], seeds: vec![1, 2], adapted: recipe(), scratch: recipe() };
    let mut told = 0;
    let progress = Progress::new();
    let table = learning_curve(&core, &sessions[1..], &plan, None, &ComputeDevice::Cpu, &progress, &mut |_| told += 1)
        .expect("a table");
    assert_eq!((table.findings.len(), told), (8, 8));
    assert_eq!(table.distinct(|finding| &finding.arm), ["adapted core", "from scratch"]);
    let of = |arm: &str, seed: u64, minutes: f64| {
        let wanted = table.findings.iter().find(|f| f.arm == arm && f.seed == Some(seed) && f.minutes == Some(minutes));
        wanted.expect("a row").cc_true
    };
    assert_ne!(of("adapted core", 1, 0.1), of("from scratch", 1, 0.1), "the core matters");
    assert_ne!(of("adapted core", 1, 0.1), of("adapted core", 2, 0.1), "the seed matters");
    assert_ne!(of("adapted core", 1, 0.1), of("adapted core", 1, 0.2), "the minutes matter");

    let greedy = CurvePlan { minutes: vec![0.1, 5.0], ..plan };
    let mut told = 0;
    let refused = learning_curve(&core, &sessions, &greedy, None, &ComputeDevice::Cpu, &progress, &mut |_| told += 1);
    let said = refused.expect_err("15 seconds are not 5 minutes").to_string();
    assert!(said.contains("0.25 minutes to learn from") && said.contains("5 were asked for"), "{said}");
    assert_eq!(told, 0, "nothing is trained before");
    let plan = BaselinePlan { minutes: Some(5.0), ..BaselinePlan::default() };
    let plan = BaselinePlan { training: GruTraining { frames: 20, ..GruTraining::default() }, ..plan };
    let said = baselines(&sessions[0], &plan, None, &progress).expect_err("15 seconds").to_string();
    assert!(said.contains("5 were asked for"), "{said}");
}

#[test]
fn an_interrupted_learning_curve_goes_on_and_ends_with_the_same_table() {
    let folder = tempfile::tempdir().expect("a folder");
    let sessions = record(folder.path(), 2);
    let core = twin_of(&sessions[0]);
    let plan = CurvePlan { minutes: vec![0.1], seeds: vec![1], adapted: recipe(), scratch: recipe() };
    let study = folder.path().join("study");
    let stopped = Progress::new();
    let run = |folder: Option<&Path>, progress: &Progress, told: &mut dyn FnMut(&str)| {
        learning_curve(&core, &sessions[1..], &plan, folder, &ComputeDevice::Cpu, progress, told)
    };
    let error = run(Some(&study), &stopped, &mut |_| stopped.cancel()).expect_err("stopped after the first arm");
    assert_eq!(error.to_string(), "cancelled");
    let arms = || study.join("arms").read_dir().expect("arms").count();
    assert_eq!(arms(), 1);
    let findings = study.join("arms").read_dir().expect("arms").next().expect("one").expect("one").path();
    let findings = findings.join("findings.json");
    let changed = std::fs::metadata(&findings).and_then(|about| about.modified()).expect("a time");
    let table = run(Some(&study), &Progress::new(), &mut |_| ()).expect("a table");
    assert_eq!(arms(), 2);
    let again = std::fs::metadata(&findings).and_then(|about| about.modified()).expect("a time");
    assert_eq!(changed, again, "a finished arm is only read");
    assert_eq!(table.csv(), run(None, &Progress::new(), &mut |_| ()).expect("a table").csv());
    std::fs::write(&findings, "{").expect("a damaged file");
    assert_eq!(table.csv(), run(Some(&study), &Progress::new(), &mut |_| ()).expect("a table").csv());
}

#[test]
fn of_few_minutes_a_fifth_at_most_is_kept_for_validation() {
    let folder = tempfile::tempdir().expect("a folder");
    let sessions = record(folder.path(), 2);
    let core = twin_of(&sessions[0]);
    let validation = ValidationRecipe { trials: 6, every: 3, patience: 0 };
    let plan =
        CurvePlan { minutes: vec![0.1], seeds: vec![1], adapted: recipe(), scratch: Recipe { validation, ..recipe() } };
    let study = folder.path().join("study");
    learning_curve(&core, &sessions[1..], &plan, Some(&study), &ComputeDevice::Cpu, &Progress::new(), &mut |_| ())
        .expect("a table");
    let scratch = study.join("arms").read_dir().expect("arms").map(|arm| arm.expect("an arm").path());
    let scratch = scratch.into_iter().find(|arm| arm.to_string_lossy().contains("from-scratch")).expect("an arm");
    let recipe = std::fs::read_to_string(scratch.join("recipe.toml")).expect("a recipe");
    // Six seconds are four trials of 1.5 s.
    assert!(Recipe::from_toml(&recipe).expect("valid").validation.trials <= 1, "{recipe}");
}

#[test]
fn a_stress_test_trains_every_arm_on_its_own_clips_and_tests_all_alike() {
    let folder = tempfile::tempdir().expect("a folder");
    let (clips, monitor) = clips();
    let tests = vec![TestMovies { domain: "Test".to_owned(), schedule: clips.schedule(&monitor), trial_frames: 90 }];
    let plan = StressPlan {
        clips,
        tests,
        monitor,
        mouse: SimulateOptions { held_out: Some(0), ..options() },
        config: tiny(),
        recipe: recipe(),
        corruptions: vec![Corruption::Clean, Corruption::LowContrast, Corruption::NoBehavior],
    };
    let run = || stress(&plan, folder.path(), &ComputeDevice::Cpu, &Progress::new(), &mut |_| {}).expect("a table");
    let table = run();
    let found: Vec<(&str, &str)> = table.findings.iter().map(|f| (f.arm.as_str(), f.domain.as_str())).collect();
    let arms = ["clean clips", "a quarter of the contrast", "behaviour unknown"];
    assert_eq!(found, arms.map(|arm| [(arm, "Clips"), (arm, "Test")]).concat());
    assert_eq!(table.clean.as_deref(), Some("clean clips"));
    assert_eq!(table.csv(), run().csv(), "finished arms are read with their minutes");
    let open = |arm: Corruption| {
        Session::open(&folder.path().join("sessions").join(arm.name().replace(' ', "-")).join("mouse-1"))
            .expect("a session")
    };
    let (clean, grey) = (open(Corruption::Clean), open(Corruption::LowContrast));
    let frames = clean.trials_for(true).map(|trial| trial.frames).sum::<usize>();
    let minutes = frames as f64 / (60.0 * clean.frame_rate.0);
    for finding in &table.findings {
        // Hundredths of a minute.
        let said = finding.minutes.expect("told");
        assert!(minutes > 0.0 && (said - minutes).abs() <= 0.0051, "{}: {said}, not {minutes}", finding.arm);
    }
    let movie_of = |session: &Session, trial: &Trial| {
        let mut movie = trial.movie().expect("a movie");
        let mut pixels = vec![0; movie.frames() * session.raster.pixels()];
        let frames = movie.frames();
        movie.read(0, frames, &mut pixels).expect("frames");
        pixels
    };
    let pixels = |session: &Session, training: bool| -> Vec<Vec<u8>> {
        session.trials_for(training).map(|trial| movie_of(session, trial)).collect()
    };
    let spread =
        |pixels: &[u8]| pixels.iter().map(|grey| f64::from(grey.abs_diff(128))).sum::<f64>() / pixels.len() as f64;
    let ratio = spread(&pixels(&grey, true)[0]) / spread(&pixels(&clean, true)[0]);
    // A quarter; clipping and rounding blur it a little.
    assert!((0.2..0.35).contains(&ratio), "{ratio}");
    assert!(pixels(&grey, false) == pixels(&clean, false), "tests are clean");
    let learned = pixels(&clean, true);
    let is_clip = |trial: &&Trial| trial.domain() == Some("Clips");
    let clips: Vec<Vec<u8>> = clean.trials_for(false).filter(is_clip).map(|trial| movie_of(&clean, trial)).collect();
    assert!(!clips.is_empty() && clips.iter().all(|clip| !learned.contains(clip)), "clips that are new");
}

#[test]
fn clips_that_would_come_again_are_no_test_of_a_stress_test() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_, monitor) = clips();
    let still = CLIPS.replace("kind = \"scene\"", "kind = \"drifting_grating\"");
    let clips = Protocol::from_toml(&still, "gratings").expect("a valid protocol");
    let tests = vec![TestMovies { domain: "Test".to_owned(), schedule: clips.schedule(&monitor), trial_frames: 90 }];
    let mouse = SimulateOptions { held_out: Some(0), ..options() };
    let plan = StressPlan {
        clips,
        tests,
        monitor,
        mouse,
        config: tiny(),
        recipe: recipe(),
        corruptions: vec![Corruption::Clean],
    };
    let table = stress(&plan, folder.path(), &ComputeDevice::Cpu, &Progress::new(), &mut |_| {}).expect("a table");
    assert_eq!(table.findings.iter().map(|f| f.domain.as_str()).collect::<Vec<_>>(), ["Test"]);
}

#[test]
fn a_stress_test_tells_how_far_each_arm_lies_from_clean_clips_and_where_it_loses_most() {
    let mut table = Table::new("Stress");
    table.clean = Some("clean clips".to_owned());
    let value = |of: [f64; 3]| move |domain: &str, _: u32| Some(of[["A", "B", "C"].iter().position(|d| *d == domain)?]);
    for (arm, seed, values) in [
        ("blurred", 1, [0.5, 0.2, 0.6]),
        ("clean clips", 1, [0.6, 0.5, 0.5]),
        ("clean clips", 2, [0.9, 0.9, 0.9]),
        ("noisy", 2, [0.95, 0.92, 0.91]),
        ("shuffled", 3, [0.1, 0.1, 0.1]),
    ] {
        table.add(arm, Some(seed), Some(14.0), &evaluated(&[1, 2, 3], &["A", "B", "C"], value(values)));
    }
    let weakest: Vec<(&str, &str, String)> = table
        .weakest()
        .into_iter()
        .map(|(finding, difference)| (finding.arm.as_str(), finding.domain.as_str(), format!("{difference:.2}")))
        .collect();
    // Of the third seed there are no clean clips.
    assert_eq!(weakest, [("blurred", "B", "-0.30".to_owned()), ("noisy", "C", "0.01".to_owned())]);
    let csv = String::from_utf8(table.csv()).expect("text");
    let last: Vec<&str> = csv.lines().map(|row| row.rsplit(',').next().unwrap_or_default()).collect();
    // The clean arm has no difference from itself, so that its rows can stand in a table under another name.
    let expected = ["minus_clean", "-0.1000", "-0.3000", "0.1000", "", "", "", "", "", ""];
    assert_eq!(last[..10], expected, "{csv}");
    assert_eq!(last[10..], ["0.0500", "0.0200", "0.0100", "", "", ""], "{csv}");
    table.clean = None;
    let plain = String::from_utf8(table.csv()).expect("text");
    assert!(plain.lines().next().is_some_and(|row| row.ends_with("mean_predicted_over_recorded")), "{plain}");
}

#[test]
fn the_truth_is_asked_of_simulated_mice_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut session = record(folder.path(), 1).remove(0);
    let weights = twin_of(&session);
    let fidelity = |session: &Session| fidelity(weights.clone(), session, &Progress::new());
    let found = fidelity(&session).expect("a simulated mouse");
    assert_eq!(found.tuning.len(), 2);
    assert_eq!((found.origin.sha256.as_deref(), found.units.len()), (Some(weights.sha256.as_str()), 5));
    let compared = found.tuning.iter().map(|tuning| tuning.units.len()).sum::<usize>() + found.fields.len();
    assert!(compared > 0, "{found:?}");
    let csv = found.csv();
    let mut table = csv::Reader::from_reader(csv.as_slice());
    let columns = table.headers().expect("a header").clone();
    let rows: Vec<csv::StringRecord> = table.records().map(|row| row.expect("as long as the header")).collect();
    assert_eq!(rows.len(), compared);
    let cell = |row: &csv::StringRecord, name: &str| {
        row[columns.iter().position(|column| column == name).expect("a column")].to_owned()
    };
    for row in &rows {
        assert_eq!(cell(row, "animal"), session.id.animal);
        assert!(found.units.iter().any(|id| id.unit.to_string() == cell(row, "unit")), "{row:?}");
        let number = |name: &str| cell(row, name).parse::<f64>().unwrap_or_else(|_| panic!("{name} of {row:?}"));
        let error = if &row[0] == "receptive field" {
            let apart = |axis: &str| {
                number(&format!("simulated_centre_{axis}_deg")) - number(&format!("twin_centre_{axis}_deg"))
            };
            apart("x").hypot(apart("y"))
        } else {
            let turn = (number("simulated_preferred_deg") - number("twin_preferred_deg")).rem_euclid(360.0);
            turn.min(360.0 - turn)
        };
        // Three decimals of each.
        assert!((error - number("error_deg")).abs() < 0.003, "{error}: {row:?}");
    }
    session.about.remove("mouse_seed");
    let error = fidelity(&session).expect_err("no truth");
    assert!(matches!(&error, StudyError::Plan(what) if what.contains("seed")), "{error}");
}
